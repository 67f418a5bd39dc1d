//! What checks print and what they read: however much, however odd, and by whom.

use std::io::Write as _;
use std::process::Stdio;

use super::{Pipe, Reaper, check, full_check, measured, problems, project, statuses, text};

#[test]
#[cfg(target_os = "linux")]
fn a_gigabyte_of_output_costs_little_memory_and_the_report_says_what_was_dropped() {
    // The check asks the kernel how much memory its parent ever used.
    let project = project(
        "  loud: { group: test, shell: \"echo the start; yes 'a line of output' | head -c 1000000010; grep VmHWM /proc/$PPID/status > memory; echo the end; exit 1\", timeout: 100s }\n",
    );
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, statuses(&report).join("")), (1, "loud failed".to_owned()));
    let memory = project.read("memory");
    let kib: u64 = memory.split_ascii_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kib < 64 << 10, "{memory}");

    let tail = text(&check(&report, "loud")["output_tail"]);
    assert!(tail.ends_with("a line of output\nthe end"), "{tail}");
    let left = "lines and 953.6 MiB that were not kept";
    assert!(tail.lines().next().unwrap().contains(left), "{tail}");
    assert!(project.read(".mgmt/reports/latest.md").contains(left));
    let human = project.run(&["report", "show", "-q"]);
    assert!(human.stdout.contains(left), "{}", human.stdout);
    let record = project.record(text(&report["id"]));
    assert!(record.to_string().len() < 100_000, "{record}");
    let output = &record["checks"][0]["output"];
    let dropped = output["dropped_bytes"].as_u64().unwrap();
    assert!((999_900_000..1_000_000_010).contains(&dropped), "{dropped}");
    assert!(text(&output["text"]).starts_with("the start\n"));
    assert!(text(&output["text"]).contains("[… 953.6 MiB of output dropped here …]"));
}

#[test]
fn both_streams_are_kept_in_the_order_in_which_they_were_written() {
    let script = "for n in 1 3 5 7 9; do echo out $n; echo err $((n + 1)) >&2; done; exit 1";
    let project = project(&format!("  mixed: {{ group: test, shell: '{script}' }}\n"));
    let (_, report) = full_check(&project, &[]);
    let want: Vec<_> = (1..=10).map(|n| format!("{} {n}", if n % 2 == 1 { "out" } else { "err" })).collect();
    assert_eq!(text(&check(&report, "mixed")["output_tail"]), want.join("\n"));
}

#[test]
fn odd_bytes_do_not_break_any_report() {
    let project = project(
        "  odd: { group: test, run: [cat, odd.bin, '-'] }\n  fails: { group: test, shell: 'cat odd.bin; exit 1' }\n",
    );
    let odd: &[u8] = b"\xff\xfe invalid \xc3\x28\n\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;http://x\x1b\\link\x00\x08\n```\n</details><script>\n| cell | {\"a\": \"\\u0000\"}\n\xe2\x80\xae reversed\r\nlast";
    project.write("odd.bin", odd);
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, statuses(&report).join(", ")), (1, "odd passed, fails failed".to_owned()));
    insta::assert_snapshot!(text(&check(&report, "fails")["output_tail"]), @r#"
    �� invalid �(
    red  link\u{0}\u{8}
    ```
    </details><script>
    | cell | {"a": "\u0000"}
    \u{202e} reversed
    last
    "#);

    let markdown = project.read(".mgmt/reports/latest.md");
    assert!(markdown.chars().all(|ch| ch == '\n' || !ch.is_control()), "{markdown:?}");
    // The fence is longer than any inside, so what stands in it stays in it.
    assert!(markdown.contains("\n````text\n") && markdown.contains("\n</details><script>\n"), "{markdown}");
    let human = project.run(&["full-check"]);
    assert!(!human.stdout.contains(['\u{1b}', '\u{0}', '\u{202e}']), "{:?}", human.stdout);
}

#[test]
fn a_check_that_reads_its_input_finds_its_end() {
    let project = project(
        "  cat: { group: test, run: [cat], timeout: 20s }
  ask: { group: test, shell: 'read answer || echo nobody there > seen', timeout: 20s }
",
    );
    // The program's own input stays open and silent.
    let mut command = project.command();
    command.args(["full-check", "-q"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut running = command.spawn().unwrap();
    let input = running.stdin.take();
    assert!(running.wait().unwrap().success());
    drop(input);
    assert_eq!(project.read("seen"), "nobody there\n");
}

#[test]
fn a_process_left_behind_does_not_hold_the_run_and_is_not_ended() {
    let project = project(
        "  starts:
    group: test
    shell: |
      exec 9> told
      (read word < go; echo \"heard $word\" >&9) &
      echo $! > pid
      exec 9>&-
      echo started
    timeout: 20s
",
    );
    let _reaper = Reaper(&project, "pid");
    super::make_pipe(&project, "go");
    let told = Pipe::new(&project, "told");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, text(&report["verdict"]), problems(&report)), (0, "pass", vec!["run.held-open"]));
    assert!(project.read(".mgmt/reports/latest.md").contains("1 check passed, 1 warning."));
    // It lives, and does what it is told.
    let mut go = std::fs::OpenOptions::new().read(true).write(true).open(project.path("go")).unwrap();
    go.write_all(b"a word\n").unwrap();
    assert_eq!(told.rest(), "heard a word\n");
}

#[test]
fn a_process_left_behind_that_prints_without_end_does_not_hold_the_run() {
    // Read as evidence, it prints faster than it is read.
    let report = ", evidence: { tests: { from: output, format: libtest } }";
    for (evidence, want) in [("", 0), (report, 4)] {
        let script = "echo running 1 test; yes test a ... ok & echo $! > pid";
        let project = project(&format!(
            "  starts: {{ group: test, shell: '{script}', timeout: 60s{evidence} }}
  next: {{ group: test, run: ['true'], needs: [starts] }}
"
        ));
        let _reaper = Reaper(&project, "pid");
        let (code, report) = full_check(&project, &["--jobs", "1"]);
        assert_eq!((code, statuses(&report).join(", ")), (want, "starts passed, next passed".to_owned()));
        assert!(problems(&report).contains(&"run.held-open"));
        let duration = check(&report, "starts")["duration_ms"].as_u64().unwrap();
        assert!(duration < 10_000, "it was read on and on: {duration} ms");
    }
}

#[test]
fn evidence_in_an_output_that_is_held_open_is_not_complete() {
    let project = project(
        "  tests:
    group: test
    shell: |
      printf 'running 1 test\\ntest a ... ok\\n\\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\\n'
      sleep 20 &
      echo $! > pid
    timeout: 20s
    evidence: { tests: { from: output, format: libtest } }
",
    );
    let _reaper = Reaper(&project, "pid");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, problems(&report)), (4, vec!["run.held-open"]));
    assert_eq!(measured(&report, "tests.passed"), Some(1.0));
}
