//! What a wrong policy file is met with: every problem at once, its place, the next step, exit code 2.

use super::support::Project;

fn told(config: &str) -> String {
    let project = Project::with(config);
    let ran = project.run(&["config", "check"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(ran.stdout, "");
    project.redact(&ran.stderr)
}

/// The codes of the problems, in the order they are told.
fn codes(config: &str) -> Vec<String> {
    let errors = told(config);
    let codes = errors.lines().filter_map(|line| line.strip_prefix("error[")?.split_once(']'));
    codes.map(|(code, _)| code.to_owned()).collect()
}

#[test]
fn every_problem_is_told_at_once_with_its_place_and_the_next_step() {
    let config = "\
version: 1
checks:
  lint:
    grup: lint
    run: [flake8]
    timout: 5m
  tests:
    group: test
    run: []
    needs: [lnt]
    timeout: soon
gate:
  - { metric: tests.faild, max: 0 }
  - { metric: tests.total }
  - { metric: coverage.lines.percent, min: ninety }
";
    insta::assert_snapshot!(told(config), @r"
    error[config.unknown-key]: unknown key `grup` in check `lint`
     --> mgmt.yml:4:5
      |
    4 |     grup: lint
      |     ^^^^
      |
      = help: did you mean `group`?

    error[config.missing-key]: check `lint` needs `group`
     --> mgmt.yml:4:5
      |
    4 |     grup: lint
      |     ^^^^^^^^^^
      |
      = help: `group`: What commands select it by: lint, format, test, structure, model, data or any other name.

    error[config.unknown-key]: unknown key `timout` in check `lint`
     --> mgmt.yml:6:5
      |
    6 |     timout: 5m
      |     ^^^^^^
      |
      = help: did you mean `timeout`?

    error[config.empty-command]: an empty command
     --> mgmt.yml:9:10
      |
    9 |     run: []
      |          ^^
      |
      = help: write the program and its arguments as a list: [cargo, test]

    error[config.unknown-check]: there is no check `lnt`
      --> mgmt.yml:10:13
       |
    10 |     needs: [lnt]
       |             ^^^
       |
       = help: did you mean `lint`?

    error[config.duration]: `soon`: not a duration; write a number and a unit: 90s, 5m, 1h 30m, 30d, 12w
      --> mgmt.yml:11:14
       |
    11 |     timeout: soon
       |              ^^^^

    error[config.unknown-metric]: unknown metric `tests.faild`
      --> mgmt.yml:13:15
       |
    13 |   - { metric: tests.faild, max: 0 }
       |               ^^^^^^^^^^^
       |
       = help: did you mean `tests.failed`?

    error[config.rule]: a rule without a limit decides nothing
      --> mgmt.yml:14:5
       |
    14 |   - { metric: tests.total }
       |     ^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: add one of min, max, equals, warn-below, warn-above, max-drop, max-rise, ratchet

    error[config.type]: expected a number, found `ninety`
      --> mgmt.yml:15:44
       |
    15 |   - { metric: coverage.lines.percent, min: ninety }
       |                                            ^^^^^^

    error: 9 problems in mgmt.yml
    help: `mgmt config schema` prints what the file may hold
    ");
}

#[test]
fn each_kind_of_mistake_has_its_code() {
    let check = |body: &str| format!("version: 1\nchecks: {{ a: {{ group: g, {body} }} }}\n");
    for (config, wanted) in [
        ("version: 2\n".to_owned(), "config.version"),
        ("checks: {}\n".into(), "config.missing-key"),
        ("version: 1\nversion: 1\n".into(), "config.duplicate-key"),
        (
            "version: 1\nchecks:\n  a: { group: g, run: [x] }\n  a: { group: g, run: [y] }\n".into(),
            "config.duplicate-key",
        ),
        ("version: 1\n\tchecks: {}\n".into(), "config.syntax"),
        ("version: 1\n---\nversion: 1\n".into(), "config.syntax"),
        ("- 1\n- 2\n".into(), "config.type"),
        ("version: 1\nchecks: { 'a b': { group: g, run: [x] } }\n".into(), "config.name"),
        ("version: 1\ngates: { default: [] }\n".into(), "config.name"),
        ("version: 1\ngate: [{ metric: tests.total, min: 5, max: 3 }]\n".into(), "config.rule"),
        ("version: 1\ngate: [{ metric: tests.total, min: 5, when-missing: pass }]\n".into(), "config.value"),
        ("version: 1\nreports: { keep: 0s }\n".into(), "config.duration"),
        ("version: 1\nreports: { dir: ../elsewhere }\n".into(), "config.path"),
        ("version: 1\nlimits: { item: 16MB }\n".into(), "config.value"),
        ("version: 1\nlimits: { depth: 0 }\n".into(), "config.value"),
        ("version: 1\nlimits: { width: 3 }\n".into(), "config.unknown-key"),
        (check("run: x"), "config.type"),
        (check("run: [x], paths: [y]"), "config.check-kind"),
        (check("timeout: 5m"), "config.check-kind"),
        (check("paths: []"), "config.empty-command"),
        (check("shell: ''"), "config.empty-command"),
        (check("paths: ['src/[a']"), "config.glob"),
        (check("paths: [{ glob: '*', min: 3, max: 1 }]"), "config.value"),
        (check("paths: [x], fix: [y]"), "config.unknown-key"),
        (check("run: [x], evidence: { tests: { from: output, path: y } }"), "config.evidence"),
        (check("run: [x], evidence: { tests: { format: lcov, path: y } }"), "config.value"),
        (check("run: [x], evidence: { tests: '/etc/passwd' }"), "config.path"),
        (check("run: [x], needs: [a]"), "config.cycle"),
        ("version: 1\nquarantine: { tests: a }\n".into(), "config.type"),
        ("version: 1\nquarantine: [{ tests: '*', reason: r, until: 2030-01-31 }]\n".into(), "config.quarantine"),
        ("version: 1\nquarantine: [{ tests: a, reason: r, until: tomorrow }]\n".into(), "config.date"),
        (
            "version: 1\nquarantine: [{ tests: a, reason: r, until: 2030-01-31, check: b }]\n".into(),
            "config.unknown-check",
        ),
        ("version: 1\nscore: 95\n".into(), "config.type"),
        ("version: 1\nscore: { pass: 120 }\n".into(), "config.score"),
        ("version: 1\nscore: { weights: { lint: 1 } }\n".into(), "config.unknown-group"),
    ] {
        assert_eq!(codes(&config), [wanted], "{config}");
    }
}

#[test]
fn quarantine_and_score_say_what_is_wrong_with_them() {
    let config = "\
version: 1
checks:
  flake8: { group: lint, run: [flake8] }
  unit: { group: test, run: [pytest], timeout: soon }
quarantine:
  - { tests: 'Login::*', reason: slow server, until: 2030-02-31 }
  - { test: 'Login::*', until: 2030-01-31 }
  - { tests: '', reason: '', until: 31/01/2030 }
  - { tests: '*', reason: all of them, until: 2030-01-31, check: unt }
  - { tests: Cart::add, reason: known, until: 2030-01-31 }
  - { tests: Cart::add, reason: known, until: 2031-01-31 }
score:
  pass: 80
  warn: 90
  weights: { lint: 0, tests: 3, model: 1 }
";
    insta::assert_snapshot!(told(config), @r"
    error[config.duration]: `soon`: not a duration; write a number and a unit: 90s, 5m, 1h 30m, 30d, 12w
     --> mgmt.yml:4:48
      |
    4 |   unit: { group: test, run: [pytest], timeout: soon }
      |                                                ^^^^

    error[config.date]: there is no day `2030-02-31`
     --> mgmt.yml:6:54
      |
    6 |   - { tests: 'Login::*', reason: slow server, until: 2030-02-31 }
      |                                                      ^^^^^^^^^^
      |
      = help: look at how many days that month has

    error[config.missing-key]: a quarantine entry needs `tests`
     --> mgmt.yml:7:5
      |
    7 |   - { test: 'Login::*', until: 2030-01-31 }
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: `tests`: The name of a test, or several with `*`, as `class::name` or `suite > class > name`; `*` stands for any text, nothing else is special.

    error[config.missing-key]: a quarantine entry needs `reason`
     --> mgmt.yml:7:5
      |
    7 |   - { test: 'Login::*', until: 2030-01-31 }
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: `reason`: Why its failures are excused; every report says it.

    error[config.unknown-key]: unknown key `test` in a quarantine entry
     --> mgmt.yml:7:7
      |
    7 |   - { test: 'Login::*', until: 2030-01-31 }
      |       ^^^^
      |
      = help: did you mean `tests`?

    error[config.quarantine]: an empty name is no test's
     --> mgmt.yml:8:14
      |
    8 |   - { tests: '', reason: '', until: 31/01/2030 }
      |              ^^
      |
      = help: write the name as reports show it: `class::name`

    error[config.quarantine]: an empty reason
     --> mgmt.yml:8:26
      |
    8 |   - { tests: '', reason: '', until: 31/01/2030 }
      |                          ^^
      |
      = help: write why the failures are excused: every report says it

    error[config.date]: `31/01/2030` is not a date
     --> mgmt.yml:8:37
      |
    8 |   - { tests: '', reason: '', until: 31/01/2030 }
      |                                     ^^^^^^^^^^
      |
      = help: write year, month and day: 2030-01-31

    error[config.quarantine]: this would excuse every test
     --> mgmt.yml:9:14
      |
    9 |   - { tests: '*', reason: all of them, until: 2030-01-31, check: unt }
      |              ^^^
      |
      = help: name the tests that are meant: `class::name`, `class::*`

    error[config.unknown-check]: there is no check `unt`
     --> mgmt.yml:9:66
      |
    9 |   - { tests: '*', reason: all of them, until: 2030-01-31, check: unt }
      |                                                                  ^^^
      |
      = help: did you mean `unit`?

    error[config.quarantine]: the tests `Cart::add` stand in quarantine a second time
      --> mgmt.yml:11:5
       |
    10 |   - { tests: Cart::add, reason: known, until: 2030-01-31 }
       |     ------------------------------------------------------ first written here
    11 |   - { tests: Cart::add, reason: known, until: 2031-01-31 }
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: keep one of the entries: two could differ on their last day

    error[config.score]: `warn` is greater than `pass`, which is 80
      --> mgmt.yml:14:9
       |
    14 |   warn: 90
       |         ^^
       |
       = help: a score below `pass` warns down to `warn`, and fails below that

    error[config.score]: a weight is a number above 0, found `0`
      --> mgmt.yml:15:20
       |
    15 |   weights: { lint: 0, tests: 3, model: 1 }
       |                    ^
       |
       = help: remove the group: without a weight it does not count

    error[config.unknown-group]: no check is in the group `tests`
      --> mgmt.yml:15:23
       |
    15 |   weights: { lint: 0, tests: 3, model: 1 }
       |                       ^^^^^
       |
       = help: did you mean `test`?

    error[config.unknown-group]: no check is in the group `model`
      --> mgmt.yml:15:33
       |
    15 |   weights: { lint: 0, tests: 3, model: 1 }
       |                                 ^^^^^
       |
       = help: groups of the checks: lint, test

    error: 15 problems in mgmt.yml
    help: `mgmt config schema` prints what the file may hold
    ");
}

#[test]
fn a_circle_of_needs_is_drawn() {
    let config = "version: 1\nchecks:\n  a: { group: g, run: [x], needs: [b] }\n  b: { group: g, run: [x], needs: [c] }\n  c: { group: g, run: [x], needs: [b] }\n";
    let told = told(config);
    assert!(told.contains("checks need each other in a circle: `b` → `c` → `b`"), "{told}");
}

#[test]
fn an_alias_bomb_costs_nothing() {
    let mut config = String::from("version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        config.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    assert_eq!(codes(&config), ["config.limit"]);
}

#[test]
fn files_that_are_no_policy_are_told_for_what_they_are() {
    let project = Project::new();
    let told = |args: &[&str]| {
        let ran = project.run(args);
        assert_eq!(ran.code, 2, "{ran:?}");
        project.redact(&ran.stderr)
    };
    insta::assert_snapshot!(told(&["full-check"]), @r"
    error: no mgmt.yml in [root] or above it, up to [root]
    help: `mgmt init` writes one from what it finds; --config FILE names one elsewhere
    ");
    insta::assert_snapshot!(told(&["full-check", "--config", "nope.yml"]), @r"
    error: cannot read nope.yml: No such file or directory (os error 2)
    help: look at the path after --config
    ");
    project.write("mgmt.yml/x", "");
    insta::assert_snapshot!(told(&["full-check"]), @r"
    error: cannot read mgmt.yml: it is a folder
    help: it is a folder; name the file in it
    ");
    project.write("empty.yml", "# nothing\n");
    insta::assert_snapshot!(told(&["full-check", "--config", "empty.yml"]), @r"
    error[config.missing-key]: the file is empty
     --> empty.yml:1:1
      |
    1 | # nothing
      | ^
      |
      = help: `mgmt init` writes one from what it finds in the project

    error: 1 problem in empty.yml
    help: `mgmt config schema` prints what the file may hold
    ");
    project.write("binary.yml", b"version: 1\n\xff\xfe\x00");
    insta::assert_snapshot!(told(&["full-check", "--config", "binary.yml"]), @r"
    error: binary.yml is not a text file (byte 11 is not UTF-8)
    help: it is probably the wrong file; a configuration is YAML in UTF-8
    ");
    project.write("big.yml", "# ten megabytes\n".repeat(10 << 16));
    insta::assert_snapshot!(told(&["full-check", "--config", "big.yml"]), @r"
    error: cannot read big.yml: it is larger than 1.0 MiB
    help: a configuration has at most 1.0 MiB
    ");
}

#[test]
fn the_policy_is_found_above_and_its_paths_begin_at_the_root() {
    let project = Project::new();
    project.write(".github/mgmt.yml", "version: 1\nchecks: { here: { group: structure, paths: [marker] } }\n");
    project.write("marker", "").write("deep/er/x", "").commit();
    let mut command = project.command();
    let ran =
        super::support::ran(command.current_dir(project.path("deep/er")).args(["phase-check", "-q"]).output().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(project.path(".mgmt/reports/latest.json").exists());
}

#[test]
fn a_valid_policy_is_shown_with_its_defaults_and_reads_back_the_same() {
    let project = Project::with(
        "version: 1\nchecks:\n  t: { group: test, run: [a, 1.10, true, ~, \"x y\"], evidence: { tests: [r/*.xml], metrics: { path: m.json, format: document } } }\n  p: { group: structure, paths: [x, { glob: 's/*', max: 0 }] }\ngate: [{ metric: tests.failed, max: 0 }]\ngates: { ci: [{ metric: metrics.f1, min: 0.6, when-missing: fail }] }\nquarantine: [{ tests: \"C::t[1-*\", reason: it waits, until: 2030-01-31 }, { check: t, tests: u, reason: known, until: 2030-12-31 }]\nscore: { weights: { test: 3, structure: 0.5 } }\n",
    );
    let shown = project.run(&["config", "show"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    let text = shown.stdout.replace(project.root().file_name().unwrap().to_str().unwrap(), "[folder]");
    insta::assert_snapshot!(text, @r"
    version: 1
    project:
      name: [folder]
    checks:
      t:
        group: test
        run:
        - a
        - '1.10'
        - 'true'
        - '~'
        - x y
        timeout: 30m
        evidence:
          tests:
            path:
            - r/*.xml
            repeats: worst
          metrics:
            path:
            - m.json
            format: document
            repeats: worst
      p:
        group: structure
        paths:
        - path: x
          min: 1
          non-empty: false
        - glob: s/*
          min: 0
          non-empty: false
          max: 0
        timeout: 30m
    gate:
    - metric: tests.failed
      max: 0
      when-missing: inconclusive
    gates:
      ci:
      - metric: metrics.f1
        min: 0.6
        when-missing: fail
    limits:
      item: 16MiB
      depth: 200
      name: 4KiB
      all-names: 2GiB
      message: 4KiB
      entries: 5000000
      report: 8GiB
      reports: 10000
      all-reports: 32GiB
    quarantine:
    - tests: C::t[1-*
      reason: it waits
      until: 2030-01-31
    - tests: u
      reason: known
      until: 2030-12-31
      check: t
    score:
      pass: 95
      warn: 85
      critical: 70
      weights:
        test: 3
        structure: 0.5
    reports:
      dir: .mgmt/reports
      keep: 30d
    history:
      keep: 365d
      max-runs: 10000
    ");
    project.write("again.yml", &shown.stdout);
    assert_eq!(project.run(&["config", "show", "--config", "again.yml"]).stdout, shown.stdout);
}

#[test]
fn the_committed_schema_is_what_the_program_reads_by() {
    let project = Project::new();
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/mgmt.schema.json")).unwrap();
    assert!(project.run(&["config", "schema"]).stdout == committed, "run `cargo xtask schema`");
}

#[test]
fn unknown_gates_and_forms_are_usage_errors() {
    let project =
        Project::with("version: 1\nchecks: { a: { group: g, run: ['true'] } }\ngates: { ci: [], deploy: [] }\n");
    let told = |args: &[&str]| {
        let ran = project.run(args);
        assert_eq!(ran.code, 2, "{ran:?}");
        ran.stderr
    };
    assert_eq!(told(&["full-check", "--gate", "cd"]), "error: there is no gate `cd`\nhelp: there are: ci, deploy\n");
    assert_eq!(
        told(&["full-check", "--format", "csv"]),
        "error: `full-check` has no csv output\nhelp: it has human, json, markdown and html\n"
    );
    assert_eq!(project.list(".mgmt"), [""; 0], "a refused command wrote something");
}
