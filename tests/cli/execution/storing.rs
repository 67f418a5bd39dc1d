//! What a run leaves on disk: its record and its reports, whatever happens while they are written.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use camino::Utf8Path;
use mgmt_action::history::Store;
use mgmt_action::record::Record;
use serde_json::Value;

use super::{full_check, make_pipe, project, text};
use crate::support::{Project, Ran, ran, scrubbed};

const ONE: &str = "  one: { group: test, run: ['true'] }\n";

/// Reads every file under a folder and asserts that it is whole. Returns the names.
fn assert_whole(project: &Project, folder: &str) -> Vec<String> {
    let names = project.list(folder);
    for name in &names {
        let content = project.read(&format!("{folder}/{name}"));
        match Path::new(name).extension().and_then(|extension| extension.to_str()) {
            Some("json") => {
                drop(serde_json::from_str::<Value>(&content).unwrap_or_else(|error| panic!("{name}: {error}")))
            }
            Some("html") => {
                assert!(
                    content.starts_with("<!doctype html>\n") && content.ends_with("</html>\n"),
                    "{name}: {content}"
                );
            }
            Some("md") => assert!(content.starts_with("## ") && content.ends_with("`.\n"), "{name}: {content}"),
            _ => panic!("what is {name}?"),
        }
    }
    names
}

fn start(project: &Project, args: &[&str], role: &str) -> Child {
    let mut command = project.command();
    command.args(args).env("ROLE", role).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn finish(child: Child) -> Ran {
    ran(child.wait_with_output().unwrap())
}

#[test]
fn two_runs_at_once_in_one_folder_both_succeed() {
    // Each waits for the other, so they are sure to run together.
    let project = project(
        "  meet:
    group: test
    shell: |
      if test $ROLE = 1; then echo > to; cat back; else cat to; echo > back; fi
    timeout: 20s
",
    );
    make_pipe(&project, "to");
    make_pipe(&project, "back");
    let runs = ["1", "2"].map(|role| start(&project, &["full-check", "--format", "json", "-q"], role));
    let mut ids: Vec<_> = runs
        .into_iter()
        .map(|run| {
            let ran = finish(run);
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
            text(&serde_json::from_str::<Value>(&ran.stdout).unwrap()["id"]).to_owned()
        })
        .collect();
    ids.sort_unstable();
    assert_ne!(ids[0], ids[1]);
    let files = |endings: &[&str]| -> Vec<String> {
        ids.iter().flat_map(|id| endings.iter().map(move |ending| format!("{id}.{ending}"))).collect()
    };
    let latest = ["html", "json", "md"].map(|ending| format!("latest.{ending}"));
    assert_eq!(assert_whole(&project, ".mgmt/reports"), [files(&["html", "json", "md"]), latest.to_vec()].concat());
    assert_eq!(project.records(), ids);
}

#[test]
fn many_runs_at_once_never_show_half_a_report() {
    let project = project(ONE);
    assert_eq!(full_check(&project, &[]).0, 0);
    let mut runs: Vec<_> = (0..8).map(|_| start(&project, &["full-check", "-q"], "")).collect();
    let mut reads = 0;
    while runs.iter_mut().any(|run| run.try_wait().unwrap().is_none()) || reads == 0 {
        let latest: Value = serde_json::from_str(&project.read(".mgmt/reports/latest.json")).unwrap();
        assert_eq!(latest["verdict"], "pass");
        reads += 1;
    }
    for run in runs {
        let ran = finish(run);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
    assert_eq!(assert_whole(&project, ".mgmt/reports").len(), 3 * 9 + 3);
    assert_eq!(project.records().len(), 9);
    assert_eq!(project.store().check().unwrap().records, 9);
}

#[test]
fn records_of_one_millisecond_get_names_of_their_own() {
    let project = project(ONE);
    let (_, report) = full_check(&project, &[]);
    let id = text(&report["id"]).to_owned();
    let stored = project.record(&id);
    let other = Project::new();
    let store = Arc::new(Store::of(Utf8Path::from_path(other.root()).unwrap()));
    let adding: Vec<_> = (0..8)
        .map(|_| {
            let (store, mut record) = (Arc::clone(&store), serde_json::from_value::<Record>(stored.clone()).unwrap());
            std::thread::spawn(move || {
                store.add(&mut record).unwrap();
                record
            })
        })
        .collect();
    let records: Vec<_> = adding.into_iter().map(|thread| thread.join().unwrap()).collect();
    let mut ids: Vec<_> = records.iter().map(|record| record.id.clone()).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    let want: Vec<_> = (2..=8).rev().map(|number| format!("{id}~{number}")).chain([id.clone()]).collect();
    assert_eq!((&ids, &store.ids().unwrap()), (&want, &want));
    for record in records {
        assert_eq!(store.get(&record.id).unwrap(), record);
    }
}

/// The verdict and the exit code stand, and one warning with a next step says what was not written.
fn assert_only_warned(ran: &Ran, code: i32) {
    assert_eq!(ran.code, code, "{ran:?}");
    assert!(ran.stdout.contains(if code == 0 { "\nPASS  " } else { "\nFAIL  " }), "{ran:?}");
    assert!(ran.stderr.contains("warning: not written: cannot "), "{ran:?}");
    let warnings = ran.stderr.lines().filter(|line| line.starts_with("warning: ")).count();
    assert_eq!(ran.stderr.lines().filter(|line| line.starts_with("help: ")).count(), warnings, "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

#[test]
fn a_file_in_the_place_of_a_folder_changes_neither_verdict_nor_exit_code() {
    for (program, code) in [("true", 0), ("false", 1)] {
        let checks = format!("  one: {{ group: test, run: ['{program}'] }}\n");
        let reports = project(&checks);
        reports.write("reports", "mine");
        let ran = reports.run(&["full-check", "--report-dir", "reports"]);
        assert_only_warned(&ran, code);
        assert_eq!((reports.read("reports").as_str(), reports.records().len()), ("mine", 1));

        let own = project(&checks);
        own.write(".mgmt", "mine");
        assert_only_warned(&own.run(&["full-check"]), code);
        assert_eq!(own.read(".mgmt"), "mine");

        // Elsewhere there is room for the reports.
        let ran = own.run(&["full-check", "--report-dir", "out/reports"]);
        assert_only_warned(&ran, code);
        assert_eq!(assert_whole(&own, "out/reports").len(), 6);
    }
}

#[test]
fn one_cause_is_told_once() {
    let project = project(ONE);
    project.write("reports", "mine");
    let ran = project.run(&["full-check", "--jobs", "2", "--report-dir", "reports"]);
    insta::assert_snapshot!(project.redact(&ran.stderr), @r"
    running 1 check, at most 2 at once
    [1/1] pass   one [time]
    warning: not written: cannot create the folder [root]/reports: File exists (os error 17)
    help: a file stands where a folder is needed: move it, or choose another folder with --report-dir
    ");
}

#[test]
fn a_full_disk_leaves_the_verdict_and_the_last_whole_report() {
    for (program, code) in [("true", 0), ("false", 1)] {
        // So many that no report fits into what is allowed.
        let one = |at| format!("  check-{at}: {{ group: test, run: ['{program}'] }}\n");
        let project = project(&(0..40).map(one).collect::<String>());
        let before = full_check(&project, &[]).1;
        let names = || [project.list(".mgmt/reports"), project.list(".mgmt")].concat();
        let (old, latest) = (names(), project.read(".mgmt/reports/latest.md"));

        // A write past the limit fails as on a full disk: the signal that would come with it is ignored.
        let mut limited = scrubbed("sh");
        limited.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" full-check", env!("CARGO_BIN_EXE_mgmt")]);
        let ran = ran(limited.current_dir(project.root()).output().unwrap());
        assert_only_warned(&ran, code);
        assert!(ran.stderr.contains("help: make room on that disk"), "{}", ran.stderr);
        // What SQLite could not finish it removes when the database is opened next.
        assert_eq!(project.records().len(), 1);
        assert_eq!(names(), old, "something half written was left");
        assert_eq!(project.read(".mgmt/reports/latest.md"), latest);
        assert_eq!(assert_whole(&project, ".mgmt/reports").len(), 6);
        let shown = project.run(&["report", "show", "--format", "json"]);
        assert_eq!(serde_json::from_str::<Value>(&shown.stdout).unwrap(), before);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_reader_that_is_gone_or_full_does_not_change_the_exit_code() {
    let project = project("  one: { group: test, run: ['false'] }\n");
    for redirect in ["> /dev/full", "2> /dev/full", ">&- 2>&-", "| true"] {
        let mut shell = Command::new("sh");
        let line = format!("{{ \"$0\" full-check; echo $? > code; }} {redirect}");
        shell.args(["-c", &line, env!("CARGO_BIN_EXE_mgmt")]).current_dir(project.root());
        shell.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert_eq!(project.read("code"), "1\n", "{redirect}");
    }
    assert_eq!(project.records().len(), 4);
}

#[test]
fn expired_reports_go_and_everything_else_stays() {
    let project = project("  one: { group: test, run: ['true'] }\nreports: { dir: out, keep: 10d }\n");
    let old = [
        "20200101T000000000Z-full-check-pass",
        "20200101T000000000Z-full-check-pass~2",
        "20200102T000000000Z-validate-fail",
    ];
    let kept = "20200103T000000000Z-full-check-fail";
    let foreign = [
        "out/notes.md",
        "out/latest.txt",
        "out/20200101T000000000Z-full-check-pass.txt",
        "out/20200101-full-check-pass.md",
        "out/20200101T000000000Z-full-check-maybe.json",
        "out/20200101T000000000Z-full-check.md",
        "out/my-20200101T000000000Z-full-check-pass.md",
        "out/sub/20200101T000000000Z-full-check-pass.md",
        ".mgmt/20200101T000000000Z-full-check-pass.json",
        // Not of the past.
        "out/29990101T000000000Z-full-check-pass.md",
    ];
    for id in old.iter().chain([&kept]) {
        project.write(&format!("out/{id}.md"), "x").write(&format!("out/{id}.json"), "x");
    }
    project.write(&format!("out/{kept}.keep"), "");
    foreign.iter().for_each(|path| {
        project.write(path, "mine");
    });

    let (code, report) = full_check(&project, &[]);
    assert_eq!(code, 0);
    for path in foreign {
        assert_eq!(project.read(path), "mine", "{path}");
    }
    let id = text(&report["id"]);
    let own = |folder: &str, endings: &[&str]| {
        let names = project.list(folder).into_iter();
        names
            .filter(|name| {
                endings.iter().any(|ending| name.ends_with(ending))
                    && !foreign.contains(&format!("{folder}/{name}").as_str())
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        own("out", &[".md", ".json", ".keep"]),
        [
            format!("{kept}.json"),
            format!("{kept}.keep"),
            format!("{kept}.md"),
            format!("{id}.json"),
            format!("{id}.md"),
            "latest.json".to_owned(),
            "latest.md".to_owned(),
        ]
    );
}

#[test]
fn a_report_that_somebody_keeps_outlives_its_time_with_its_record() {
    let project = project("  one: { group: test, run: ['true'] }\nreports: { keep: 1ms }\nhistory: { keep: 1ms }\n");
    let id = |report: &Value| text(&report["id"]).to_owned();
    let kept = id(&full_check(&project, &["--only", "one"]).1);
    assert_eq!(project.run(&["report", "keep", &kept]).code, 0);
    let lost = id(&full_check(&project, &[]).1);
    let last = id(&full_check(&project, &[]).1);
    assert_eq!(project.records(), [kept.clone(), last]);
    assert!(project.path(&format!(".mgmt/reports/{kept}.md")).exists());
    assert!(!project.path(&format!(".mgmt/reports/{lost}.md")).exists());
}
