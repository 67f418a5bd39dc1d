//! Numbers over time from outside.

use serde_json::Value;

use super::history::{check, project, redact};

#[test]
fn a_trend_is_a_line_and_a_table() {
    let project = project();
    for f1 in ["0.5", "0.75", "NaN", "0.7"] {
        project.write("m.in", format!("{{\"f1\": {f1}}}"));
        project.run(&["full-check", "-q"]);
    }
    insta::assert_snapshot!(redact(&project, &project.run(&["trend", "metrics.f1"]).stdout), @r"
    metrics.f1

      ▁█·▇
      0.5 → 0.7 (+0.2) in 4 runs; lowest 0.5, highest 0.75

      when                  commit      command       verdict               value         change  branch
      [minute]  [commit]    full-check    PASS                    0.5                 main
      [minute]  [commit]    full-check    PASS                   0.75          +0.25  main
      [minute]  [commit]    full-check    PASS                    NaN                 main
      [minute]  [commit]    full-check    PASS                    0.7                 main
    ");
    let one = project.run(&["trend", "coverage.lines.percent", "--limit", "1", "--branch", "main"]).stdout;
    insta::assert_snapshot!(redact(&project, &one), @r"
    coverage.lines.percent

      ▄
      50 % in 1 run

      when                  commit      command       verdict               value         change  branch
      [minute]  [commit]    full-check    PASS                   50 %                 main
    ");
    let json = project.json(&["trend", "metrics.f1", "--limit", "3"]).1;
    let values: Vec<_> = json["points"].as_array().unwrap().iter().map(|point| point["value"].clone()).collect();
    assert_eq!((&json["schema"], values), (&"mgmt.trend/1".into(), vec![0.75.into(), Value::Null, 0.7.into()]));
    let csv = project.run(&["trend", "metrics.f1", "--format", "csv"]).stdout;
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (5, "started_at,id,command,verdict,commit,branch,value"));
    assert!(lines[1].contains("-full-check-pass,full-check,pass,") && lines[3].ends_with(",main,NaN"), "{csv}");
}

#[test]
fn a_trend_without_values_says_why_and_what_to_do() {
    let project = project();
    let told = |args: &[&str]| {
        let ran = project.run(&[&["trend"], args].concat());
        (ran.code, ran.stderr)
    };
    let (code, said) = told(&["tests.total"]);
    assert_eq!(code, 3);
    assert!(said.starts_with("error: no stored run measured `tests.total`\nhelp: "), "{said}");
    check(&project);
    for (args, code, said) in [
        (&["tests.totl"][..], 2, "error: nothing measures `tests.totl`\nhelp: did you mean `tests.total`?\n"),
        (&["metrics.f"], 3, "error: no stored run measured `metrics.f`\n"),
        (&["metric.f1"], 2, "error: nothing measures `metric.f1`\nhelp: did you mean `metrics.f1`?\n"),
        (
            &["tests.total", "--branch", "x"],
            3,
            "error: no stored run of the branch x measured `tests.total`\nhelp: other runs did",
        ),
        (
            &["tests.total", "--scope", "src"],
            2,
            "error: no stored run measured `tests.total` of `src`\nhelp: leave out --scope",
        ),
        (&["tests.total", "--limit", "0"], 2, "error: invalid value"),
    ] {
        let told = told(args);
        assert!(told.0 == code && told.1.starts_with(said), "{args:?}: {told:?}");
    }
}
