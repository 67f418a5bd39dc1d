//! The stored records from outside: lists, moves, damage, kills.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use mgmt_action::record::Record;

use super::support::{Project, ran};

const JUNIT: &str =
    r#"<testsuites><testsuite name="s"><testcase classname="k" name="a" time="0.25"/></testsuite></testsuites>"#;
const LCOV: &str = "SF:a.py\nDA:1,1\nDA:2,0\nend_of_record\n";

/// A project in git whose one check leaves tests, coverage and a metric.
pub(super) fn project() -> Project {
    let project = Project::with(
        "version: 1
checks:
  tests:
    group: test
    shell: 'mkdir -p r && cp junit.in r/j.xml && cp lcov.in r/l.info && cp m.in r/m.json'
    evidence: { tests: r/j.xml, coverage: r/l.info, metrics: r/m.json }
",
    );
    project.write("junit.in", JUNIT).write("lcov.in", LCOV).write("m.in", "{\"f1\": 0.5}");
    project.write("a.py", "a\nb\n").write(".gitignore", "r/\n.mgmt/\n*.jsonl\n").commit();
    project
}

/// Runs `full-check`. Returns the record's id.
pub(super) fn check(project: &Project) -> String {
    let (code, report) = project.json(&["full-check"]);
    assert_eq!(code, 0, "{report:#}");
    report["id"].as_str().unwrap().to_owned()
}

/// Text without the times of single runs.
pub(super) fn redact(project: &Project, text: &str) -> String {
    let text = project.redact(text);
    regex::Regex::new(r"\b[0-9a-f]{10}\b").unwrap().replace_all(&text, "[commit]  ").into_owned()
}

#[test]
fn runs_are_listed_shown_and_protected() {
    let project = project();
    let ran = project.run(&["history", "list"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    assert_eq!(project.run(&["history", "show"]).code, 3);
    assert!(!project.path(".mgmt").exists(), "looking makes nothing");

    let first = check(&project);
    project.write("a.py", "changed\n");
    project.run(&["validate", "-q"]);
    assert_eq!(project.run(&["history", "keep", &first]).stdout, format!("{first} is kept\n"));
    insta::assert_snapshot!(redact(&project, &project.run(&["history", "list"]).stdout), @r"
    [stamp]-validate-pass    [minute]  PASS           [commit]  +  main
    [stamp]-full-check-pass  [minute]  PASS           [commit]     main  baseline, kept
    ");
    let listed = project.json(&["history", "list", "--command", "full-check", "--branch", "main", "--full"]).1;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed[0]["id"], &listed[0]["baseline"], &listed[0]["tests"]),
        (&first.as_str().into(), &true.into(), &1.into())
    );
    assert_eq!(project.json(&["history", "list", "--limit", "1"]).1[0]["command"], "validate");

    let shown = project.json(&["history", "show", &first]).1;
    assert_eq!((&shown["schema"], &shown["tests"][0]["name"]), (&"mgmt.record/1".into(), &"a".into()));
    assert!(project.run(&["history", "show", &first]).stdout.contains("PASS"));
    assert_eq!(project.run(&["history", "show", "nonsense"]).code, 2);
    assert_eq!(project.run(&["history", "list", "--format", "csv"]).code, 2);

    let removed = project.run(&["history", "prune", "--max-runs", "1", "--keep", "0s"]).stdout;
    assert_eq!((removed.as_str(), project.records()), ("removed 1 record\n", vec![first.clone()]));
    assert_eq!(project.run(&["history", "unkeep", &first]).stdout, format!("{first} may expire\n"));
    assert_eq!(project.run(&["history", "prune", "--keep", "0s"]).stdout, "removed 1 record\n");
}

#[test]
fn a_kept_report_keeps_its_record_and_unkeep_lets_both_go() {
    let project = project();
    let id = check(&project);
    project.run(&["report", "keep", &id]);
    assert!(project.json(&["history", "list"]).1[0]["kept"].as_bool().unwrap());
    assert_eq!(project.run(&["history", "prune", "--keep", "0s"]).stdout, "removed 0 records\n");
    // The file beside the report protects as it always did, whatever the store says.
    project.store().unprotect(&id).unwrap();
    assert_eq!(project.run(&["history", "prune", "--keep", "0s"]).stdout, "removed 0 records\n");
    project.run(&["history", "unkeep", &id]);
    assert!(!project.path(&format!(".mgmt/reports/{id}.keep")).exists());
    assert_eq!(project.run(&["history", "prune", "--keep", "0s"]).stdout, "removed 1 record\n");
}

#[test]
fn only_so_many_runs_are_kept_as_the_policy_says() {
    let project = Project::with("version: 1\nchecks:\n  a: { group: test, run: ['true'] }\nhistory: { max-runs: 2 }\n");
    let ids: Vec<_> = (0..4).map(|_| check(&project)).collect();
    assert_eq!(project.records(), ids[2..]);
    assert_eq!(project.run(&["report", "list"]).stdout.lines().count(), 4, "reports have their own time");
}

#[test]
fn records_move_between_projects_as_lines() {
    let (here, there) = (project(), project());
    let ids = [check(&here), check(&here)];
    let ran = here.run(&["history", "export", "-o", "all.jsonl"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, "wrote 2 records to all.jsonl\n"));
    assert_eq!(here.run(&["history", "export", "-q"]).stdout, here.read("all.jsonl"));
    there.write("in.jsonl", here.read("all.jsonl") + "{\n");
    let ran = there.run(&["history", "import", "in.jsonl"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (4, "2 records added, 0 known already, 0 completed\n"), "{ran:?}");
    assert!(ran.stderr.contains("in.jsonl:3: this is no whole record") && ran.stderr.contains("\nhelp: "), "{ran:?}");
    assert_eq!(there.records(), ids);
    assert_eq!(there.store().get(&ids[0]).unwrap(), here.store().get(&ids[0]).unwrap());

    let mut import = there.command();
    import.args(["history", "import", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut import = import.spawn().unwrap();
    import.stdin.take().unwrap().write_all(here.read("all.jsonl").as_bytes()).unwrap();
    let ran = ran_of(import);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "0 records added, 2 known already, 0 completed\n"));
    let ran = there.run(&["history", "import", "nothing.jsonl"]);
    assert!(ran.code == 4 && ran.stderr.contains("cannot read"), "{ran:?}");
}

fn ran_of(child: std::process::Child) -> super::support::Ran {
    ran(child.wait_with_output().unwrap())
}

/// Damages the store in a way that the next call meets.
fn damage(project: &Project) {
    let path = project.path(".mgmt/history.db");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
}

#[test]
fn a_damaged_store_is_set_aside_and_made_again_from_reports_saying_what_is_missing() {
    let project = project();
    let old = check(&project);
    damage(&project);
    let damaged = std::fs::read(project.path(".mgmt/history.db")).unwrap();
    let ran = project.run(&["full-check", "-q"]);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(project.redact(&ran.stderr), @r"
    warning: [root]/.mgmt/history.db was damaged (database disk image is malformed) and is set aside as [root]/.mgmt/history.db.damaged-[stamp]: no exported records were found; 1 record came back from reports: without tests, covered lines and scoped measurements, and not fit for a baseline
    help: `mgmt history import FILE` adds records that were exported, also from another machine
    ");
    let names = project.list(".mgmt");
    let set_aside = names.iter().find(|name| name.contains(".damaged-")).unwrap();
    assert_eq!(std::fs::read(project.path(&format!(".mgmt/{set_aside}"))).unwrap(), damaged);

    let records = project.records();
    assert_eq!((records.len(), &records[0]), (2, &old));
    let commit = project.git(&["rev-parse", "HEAD"]);
    let nearest = project.store().nearest(&[commit]).unwrap().unwrap().1;
    assert_eq!(nearest.id, records[1], "a record without tests and lines is no baseline");
    let partial = project.store().get(&old).unwrap();
    assert_eq!((partial.measurements.value("metrics.f1"), partial.tests.len(), partial.lines.len()), (Some(0.5), 0, 0));
    assert_eq!(project.run(&["trend", "metrics.f1", "--format", "csv"]).stdout.lines().count(), 3);
    assert!(project.run(&["history", "list"]).stdout.contains("from its report"));
    assert!(project.run(&["report", "show", &old]).stdout.starts_with("## ✅ pass"), "the report itself says more");
    // Told once.
    let ran = project.run(&["history", "check"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "2 records read back whole\n", ""));
}

#[test]
fn a_damaged_store_comes_back_whole_from_exported_records() {
    for (name, check_args) in
        [(".mgmt/all.jsonl", vec!["history", "check"]), ("all.jsonl", vec!["history", "check", "--from", "all.jsonl"])]
    {
        let project = project();
        let id = check(&project);
        let before = project.store().get(&id).unwrap();
        assert_eq!(project.run(&["history", "export", "-o", name, "-q"]).code, 0);
        let later = check(&project);
        damage(&project);
        let ran = project.run(&check_args);
        assert_eq!((ran.code, ran.stdout.as_str()), (4, "2 records read back whole\n"), "{ran:?}");
        assert!(
            ran.stderr.contains("1 record came back whole from ")
                && ran.stderr.contains("1 record came back from reports"),
            "{ran:?}"
        );
        assert_eq!(project.store().get(&id).unwrap(), before);
        assert!(project.store().get(&later).unwrap().tests.is_empty());
    }
}

#[test]
fn every_command_that_meets_a_damaged_store_goes_on() {
    for args in [
        &["status"][..],
        &["history", "list"],
        &["trend", "tests.total"],
        &["history", "export"],
        &["history", "prune"],
    ] {
        let project = project();
        check(&project);
        project.write(".mgmt/history.db", "this is a text that somebody wrote over the database. ".repeat(99));
        let ran = project.run(args);
        assert!(ran.code == 0 && ran.stderr.contains("is set aside as"), "{args:?}: {ran:?}");
        assert_eq!(project.records().len(), 1, "{args:?}");
    }
}

#[test]
fn explain_says_that_the_store_was_damaged_and_explains_all_the_same() {
    for topic in ["metrics.f1", "latest"] {
        let project = project();
        project.write("mgmt.yml", project.read("mgmt.yml") + "gate: [{ metric: metrics.f1, min: 0.4 }]\n");
        let id = check(&project);
        assert_eq!(project.run(&["explain", topic]).stderr, "");
        damage(&project);
        let ran = project.run(&["explain", topic]);
        assert!(ran.code == 0 && ran.stderr.contains("is set aside as"), "{topic}: {ran:?}");
        // The rule's result came back from the report.
        assert!(ran.stdout.contains(&id) && ran.stdout.contains("metrics.f1, min 0.4: pass"), "{topic}: {ran:?}");
        assert_eq!(project.run(&["explain", topic]).stderr, "", "told once");
    }
    // What is no run and no number of one does not need the store.
    let project = project();
    check(&project);
    damage(&project);
    let damaged = std::fs::read(project.path(".mgmt/history.db")).unwrap();
    let ran = project.run(&["explain", "history.damaged"]);
    assert!(ran.code == 0 && ran.stderr.is_empty(), "{ran:?}");
    assert_eq!(std::fs::read(project.path(".mgmt/history.db")).unwrap(), damaged);
}

#[test]
fn records_of_the_form_before_are_taken_over_once() {
    let project = project();
    let id = check(&project);
    let record: Record = project.store().get(&id).unwrap();
    std::fs::remove_file(project.path(".mgmt/history.db")).unwrap();
    project.write(&format!(".mgmt/records/{id}.json"), serde_json::to_vec(&record).unwrap());
    project.write(".mgmt/records/notes.txt", "mine");
    assert!(project.run(&["history", "list"]).stdout.starts_with(&id));
    assert_eq!(project.store().get(&id).unwrap(), record);
    assert_eq!(project.list(".mgmt/records"), ["notes.txt"]);
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_changes_no_verdict() {
    let project = project();
    check(&project);
    let path = project.path(".mgmt/history.db");
    let mut bytes = std::fs::read(&path).unwrap();
    // `user_version` stands at byte 60 of the header, big-endian (sqlite.org/fileformat2.html).
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(&path, &bytes).unwrap();
    let ran = project.run(&["full-check", "-q"]);
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("its schema is 99") && ran.stderr.contains("help: update this program"), "{ran:?}");
    let ran = project.run(&["status"]);
    assert!(ran.code == 4 && ran.stderr.contains("newer version"), "{ran:?}");
    let ran = project.run(&["explain", "latest"]);
    assert!(ran.code == 4 && ran.stderr.contains("newer version"), "{ran:?}");
    let ran = project.run(&["explain", "metrics.f1"]);
    assert!(ran.code == 0 && ran.stderr.contains("newer version"), "what a metric counts is known without: {ran:?}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

/// A fixed linear congruential sequence: the same on every machine.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// Passes a moment that is not a fixed time.
    fn dawdle(&mut self, end: u64) {
        for _ in 0..self.below(end) {
            std::hint::black_box(self.0);
            std::hint::spin_loop();
        }
    }
}

#[test]
#[cfg(unix)]
fn a_run_that_is_killed_at_any_moment_loses_at_most_itself() {
    let project = project();
    let mut known: Vec<String> = vec![check(&project)];
    let mut sequence = Sequence(7);
    let mut lost = 0;
    // Longer after a run that was lost, shorter after one that was stored: so it closes in on the moment of storing,
    // however quick the machine is.
    let mut patience = 1000;
    for round in 0..60 {
        let mut command = project.command();
        command.arg("full-check").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut run = command.spawn().unwrap();
        // The check has ended; what follows is judging, storing, writing reports.
        let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
        while !lines.next().unwrap().unwrap().starts_with("[1/1]") {}
        sequence.dawdle(patience);
        run.kill().unwrap();
        run.wait().unwrap();

        let store = project.store();
        let checkup = store.check().unwrap();
        let now = project.records();
        assert_eq!((checkup.problems.len(), checkup.records), (0, now.len() as u64), "round {round}");
        assert!(now.starts_with(&known) && now.len() <= known.len() + 1, "round {round}: {now:?}");
        if now.len() == known.len() {
            lost += 1;
            patience *= 2;
        } else {
            patience = (patience / 2).max(1);
        }
        known = now;
    }
    assert!(known.len() > 1 && lost > 0, "{lost} of 60 runs were lost");
    let last = check(&project);
    assert_eq!(project.records().last(), Some(&last));
}

#[test]
#[cfg(unix)]
fn an_import_that_is_killed_leaves_whole_records_and_goes_on_where_it_was() {
    let source = project();
    let record: Record = source.store().get(&check(&source)).unwrap();
    let mut lines = String::new();
    for minute in 0..600 {
        let started_at = record.started_at + jiff::SignedDuration::from_mins(minute);
        let id = Record::id_of(started_at, &record.command, record.verdict);
        lines += &(serde_json::to_string(&Record { id, started_at, ..record.clone() }).unwrap() + "\n");
    }
    let project = project();
    project.write("in.jsonl", lines);
    let mut sequence = Sequence(11);
    let mut before = 0;
    for round in 0..20 {
        let mut import = project.command();
        let mut import =
            import.args(["history", "import", "in.jsonl"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sequence.dawdle(2_000_000);
        import.kill().unwrap();
        import.wait().unwrap();
        let checkup = project.store().check().unwrap();
        assert!(checkup.problems.is_empty() && checkup.records >= before, "round {round}: {checkup:?}");
        before = checkup.records;
    }
    let ran = project.run(&["history", "import", "in.jsonl"]);
    assert_eq!(ran.stdout, format!("{} added, {before} known already, 0 completed\n", records(600 - before)));
    assert_eq!(project.records().len(), 600);
}

fn records(count: u64) -> String {
    if count == 1 { "1 record".into() } else { format!("{count} records") }
}

#[test]
fn processes_that_make_replace_and_fill_one_store_at_once_all_succeed() {
    let source = project();
    let id = check(&source);
    source.run(&["history", "export", "-o", "one.jsonl", "-q"]);
    let line = source.read("one.jsonl");
    for damaged in [false, true] {
        let project = Project::with("version: 1\nchecks:\n  a: { group: test, run: ['true'] }\n");
        if damaged {
            project.write(".mgmt/history.db", "this is a text that somebody wrote over the database. ".repeat(99));
        }
        let start = |args: &[&str]| {
            let mut command = project.command();
            command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        project.write("in.jsonl", &line);
        let started: Vec<_> = (0..4)
            .flat_map(|_| [start(&["full-check", "-q"]), start(&["history", "import", "in.jsonl"]), start(&["status"])])
            .collect();
        for child in started {
            let ran = ran_of(child);
            assert_eq!(ran.code, 0, "{ran:?}");
        }
        let records = project.records();
        assert!(records.contains(&id));
        let aside = project.list(".mgmt").into_iter().filter(|name| name.contains(".damaged-")).count();
        assert_eq!(aside, usize::from(damaged));
        let checkup = project.store().check().unwrap();
        assert_eq!((checkup.records, checkup.problems.len(), records.len()), (5, 0, 5), "{records:?}");
    }
}

#[test]
fn a_bad_setting_is_refused_with_its_place() {
    let project = Project::with("version: 1\nchecks:\n  a: { group: t, run: ['true'] }\nhistory: { max-runs: 0 }\n");
    let ran = project.run(&["config", "check"]);
    assert!(ran.code == 2 && ran.stderr.contains("a history of no runs remembers nothing"), "{ran:?}");
}

#[test]
fn exported_lines_hold_no_command_of_a_runner_and_a_reader_may_go_away() {
    let project = Project::with("version: 1\nchecks:\n  a: { group: test, shell: 'echo \"##[error]x\"; exit 1' }\n");
    project.run(&["full-check", "-q"]);
    let lines = project.run(&["history", "export", "-q"]).stdout;
    assert!(!lines.contains("##["), "{lines}");
    let record: Record = serde_json::from_str(&lines).unwrap();
    assert!(record.checks[0].output.text.contains("##[error]x"));
    assert_eq!(project.store().get(&record.id).unwrap(), record);

    let mut export = project.command();
    let mut export = export.args(["history", "export", "-q"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(export.stdout.take());
    assert_eq!(export.wait().unwrap().code(), Some(0));
}

#[test]
fn files_given_for_a_whole_store_are_said_not_to_be_needed() {
    let project = project();
    check(&project);
    let ran = project.run(&["history", "check", "--from", "x.jsonl"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "1 record read back whole\n"));
    assert_eq!(ran.stderr, "note: the store is whole, so nothing was taken from x.jsonl\n");
}

#[test]
fn a_report_given_to_an_import_is_told_once_and_a_record_as_it_is_shown_is_taken() {
    let project = project();
    let id = check(&project);
    let report = format!(".mgmt/reports/{id}.json");
    assert!(project.read(&report).lines().count() > 50);
    let ran = project.run(&["history", "import", &report]);
    assert_eq!((ran.code, ran.stdout.as_str()), (4, "0 records added, 0 known already, 0 completed\n"));
    insta::assert_snapshot!(project.redact(&ran.stderr), @r"
    warning: [root]/.mgmt/reports/[stamp]-full-check-pass.json:1: this is a report (mgmt.report/1), not a record: it holds no tests and no covered lines
    help: `mgmt history export` writes the records themselves: run it where the report comes from
    ");
    let shown = project.run(&["history", "show", "--format", "json"]).stdout;
    let there = self::project();
    there.write("record.json", &shown);
    let ran = there.run(&["history", "import", "record.json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "1 record added, 0 known already, 0 completed\n"), "{ran:?}");
    assert_eq!(there.record(&id), project.record(&id));
}

#[test]
fn a_store_that_is_another_file_is_not_said_to_be_cut() {
    let project = project();
    check(&project);
    project.write(".mgmt/history.db", "my notes\n");
    let ran = project.run(&["history", "list"]);
    let told = "was damaged (the file does not begin as an SQLite database does: it is another file, or its beginning was overwritten)";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
}
