//! What a person at a terminal sees while checks run. `script` (util-linux) lends the terminal.

use super::support::{Project, ran, scrubbed};

#[test]
fn running_checks_are_drawn_and_vanish_before_the_report() {
    let project = Project::with(
        "version: 1\nchecks:\n  nap: { group: noop, run: [sleep, '0.6'] }\n  bad: { group: noop, run: ['false'] }\n",
    );
    let mut script = scrubbed("script");
    let command = format!("{} full-check", env!("CARGO_BIN_EXE_mgmt"));
    script.args(["-q", "-e", "-c", &command, "/dev/null"]).current_dir(project.root()).env("TERM", "xterm-256color");
    let ran = ran(script.output().unwrap());
    assert_eq!(ran.code, 1);
    let screen = ran.stdout;
    let report = screen.find("checks\r\n").or_else(|| screen.find("checks\u{1b}")).unwrap();
    let (live, report) = screen.split_at(report);
    assert!(live.contains("nap") && live.contains("sleep 0.6"), "{live:?}");
    assert!(live.contains("FAIL"), "a failure is shown at once: {live:?}");
    assert!(
        live.contains("\u{1b}[2K") || live.contains("\u{1b}[0J") || live.contains("\u{1b}[J"),
        "nothing was erased: {live:?}"
    );
    assert!(report.contains("\u{1b}[31m") || report.contains("\u{1b}[1m"), "no colour on a terminal: {report:?}");
}
