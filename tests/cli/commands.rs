//! Commands beside the checks: status, report, explain, completions, help.

use super::support::Project;

fn small() -> Project {
    let project = Project::with(
        "version: 1\nproject: { name: shop }\nchecks:\n  tests: { group: test, shell: 'cp junit.in junit.xml; cp lcov.in lcov.info; exit $(cat code)', evidence: { tests: junit.xml, coverage: lcov.info } }\ngate: [{ metric: tests.failed, max: 0 }]\n",
    );
    state(&project, 0, "<testcase name='a'/><testcase name='b'/>", "DA:1,1\nDA:2,1\n");
    project
}

fn state(project: &Project, code: u8, cases: &str, lines: &str) {
    project.write("code", code.to_string());
    project.write("junit.in", format!("<testsuite name='s'>{cases}</testsuite>"));
    project.write("lcov.in", format!("SF:a.py\n{lines}end_of_record\n"));
}

#[test]
fn status_tells_what_changed_and_never_judges() {
    let project = small();
    let ran = project.run(&["status"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "shop\nno runs yet: `mgmt full-check` makes the first\n"));
    assert_eq!(project.run(&["full-check", "-q"]).code, 0);
    state(
        &project,
        1,
        "<testcase name='a'/><testcase name='b'><failure message='no'/></testcase><testcase name='c'/>",
        "DA:1,1\nDA:2,0\nDA:3,0\n",
    );
    assert_eq!(project.run(&["full-check", "-q"]).code, 1);
    let ran = project.run(&["status"]);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(project.redact(&ran.stdout), @r"
    shop

      when                  command       verdict        commit                  tests         failed        skipped  line coverage
      [minute]  full-check    FAIL           -                           3              1              0        33.33 %
      [minute]  full-check    PASS           -                           2              0              0          100 %

    trend (runs of the last one's kind, oldest first)
      tests          ▁█  2 → 3
      failed         ▁█  0 → 1
      skipped        ▄▄  0 → 0
      line coverage  █▁  100 % → 33.33 %

    since the run before
      verdict: pass → fail
      check tests: passed → failed
      tests.total: 2 → 3 (+1)
      tests.failed: 0 → 1 (+1)
      coverage.lines.percent: 100 % → 33.33 % (-66.67 points)
      newly failing: s::b
    ");
    let (code, json) = project.json(&["status"]);
    assert_eq!(
        (code, json["schema"].as_str().unwrap(), json["runs"].as_array().unwrap().len()),
        (0, "mgmt.status/1", 2)
    );
}

#[test]
fn a_damaged_record_is_passed_over_and_said() {
    let project = small();
    project.run(&["full-check", "-q"]);
    project.write(".mgmt/records/20200101T000000000Z-full-check-pass.json", "{\"schema\":");
    let ran = project.run(&["status"]);
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("cannot understand"), "{ran:?}");
    // Told once: from then on it stands aside.
    let ran = project.run(&["status"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(project.list(".mgmt/records"), ["20200101T000000000Z-full-check-pass.json.damaged"]);
}

#[test]
fn reports_are_listed_shown_and_kept() {
    let project = small();
    let ran = project.run(&["report", "show"]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (3, "error: there are no reports yet\nhelp: `mgmt full-check` writes one\n")
    );
    project.run(&["full-check", "-q"]);
    let listed = project.run(&["report", "list"]).stdout;
    let id = listed.split_whitespace().next().unwrap().to_owned();
    assert!(id.ends_with("-full-check-pass"), "{listed}");
    assert_eq!(project.run(&["report", "keep", "latest"]).stdout, format!("{id} is kept\n"));
    assert!(project.run(&["report", "list"]).stdout.trim_end().ends_with("kept"));
    assert!(project.run(&["report", "show", &id[..12]]).stdout.contains("PASS"));
    assert_eq!(project.run(&["report", "show", "nonsense"]).code, 2);
    // Where the record is gone the written file is shown.
    std::fs::remove_file(project.path(".mgmt/history.db")).unwrap();
    assert!(project.run(&["report", "show", &id]).stdout.starts_with("## ✅ pass"));
}

#[test]
fn explain_knows_checks_metrics_and_codes() {
    let project = small();
    insta::assert_snapshot!(project.run(&["explain", "tests"]).stdout, @r"
    tests  (group test)

    runs        sh -c 'cp junit.in junit.xml; cp lcov.in lcov.info; exit $(cat code)'
    timeout     30 min
    evidence    tests from junit.xml
    evidence    coverage from lcov.info
    ");
    insta::assert_snapshot!(project.run(&["explain", "tests.failed"]).stdout, @r"
    tests.failed

    Tests that did not hold or could not run: every outcome that is neither passed nor skipped, errors included.
    Measured by `tests`.
    Gate default: max 0.
    ");
    insta::assert_snapshot!(project.run(&["explain", "evidence.stale"]).stdout, @r"
    evidence.stale

    The report was there before the check started and the check did not touch it: it belongs to an earlier run and is not read.
    help: make the check write the report anew each time, or correct the path under `evidence:`
    ");
    let ran = project.run(&["explain", "evidence.stal"]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (2, "error: nothing is called `evidence.stal`\nhelp: did you mean `evidence.stale`?\n")
    );
    let all = project.run(&["explain", "codes"]).stdout;
    for code in mgmt_action::app::explain::codes() {
        assert!(all.contains(code.id), "{}", code.id);
    }
    insta::assert_snapshot!(project.run(&["explain", "not-deployed"]).stdout, @r"
    not-deployed

    The state of a slot of the retraining, `P` in the calendar.
    The model did not get to production in time.
    In the newest slot that can be judged it fails the audit; before it, it warns.
    help: look at the run of the deploy, and at which model production serves
    ");
    let states = project.run(&["explain", "slots"]).stdout;
    for row in mgmt_action::retrain::slot::STATES {
        assert!(states.contains(row.word), "{}", row.word);
    }
    // What needs no policy file works without one.
    assert_eq!(Project::new().run(&["explain", "late"]).code, 0);
    assert_eq!(Project::new().run(&["explain", "tests.failed"]).code, 0);
    assert_eq!(Project::new().run(&["explain", "metrics"]).code, 0);
}

#[test]
fn explain_tells_what_the_score_is_made_of() {
    let project = Project::with(
        "version: 1
checks:
  flake8: { group: lint, run: ['true'] }
  pylint: { group: lint, run: ['false'], allow-failure: true }
  unit: { group: test, run: ['false'] }
score: { critical: 60, weights: { lint: 3, test: 1 } }
",
    );
    let none = project.run(&["explain", "score"]).stdout;
    assert!(none.ends_with("\nNo stored run has one yet: `mgmt full-check` makes one.\n"), "{none}");
    assert_eq!(project.run(&["full-check", "-q"]).code, 1);
    let told = project.run(&["explain", "score"]).stdout;
    insta::assert_snapshot!(project.redact(&told), @r"
    score

    One number over the groups of checks, 0 to 100: of each group the share of its checks that passed, by the group's weight. A check that was skipped, could not start or was stopped did not pass. Only a full run has one; it is one more part of the verdict and outweighs nothing.
    healthy     from 95: passes
    warning     from 85: passes with a warning
    unhealthy   from 60: fails
    critical    below 60: fails
    weights     lint 3, test 1

    In the run [stamp]-full-check-fail:

    score, min 85: fail
      because       37.5 of 100 is critical: below 60
      value         37.5
      lint          37.5 of 75 points: 1 of 2 checks passed, 1 excused
      test          0 of 25 points: 0 of 1 check passed
    ");
    let without = Project::with("version: 1\nchecks:\n  score: { group: lint, run: ['true'] }\n");
    let told = without.run(&["explain", "score"]).stdout;
    assert!(told.contains("mgmt.yml asks for none: `score: {}` would"), "{told}");
    assert!(told.contains("score  (group lint)\n\nruns        true\n"), "{told}");
    assert_eq!(Project::new().run(&["explain", "score"]).code, 0);
    assert!(project.run(&["explain", "scor"]).stderr.contains("did you mean `score`?"));
}

#[test]
fn explain_latest_without_a_run_says_how_to_make_one() {
    let ran = small().run(&["explain", "latest"]);
    let told = "error: there is no run yet\nhelp: `mgmt full-check` makes one; then `mgmt explain latest` tells why it ended as it did\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (3, told));
}

#[test]
fn explain_names_the_part_that_each_rule_on_a_metric_is_about() {
    let project = Project::with(
        "version: 1
components: { core: ['src/core/**', 'src/base/**'] }
checks:
  tests: { group: test, run: ['true'], evidence: { coverage: lcov.info } }
gate:
  - { metric: coverage.lines.percent, min: 60, max-drop: 0.5 }
  - { metric: coverage.lines.percent, paths: 'src/**', min: 70 }
  - { metric: coverage.lines.percent, component: core, min: 75 }
  - { metric: coverage.lines.percent, each: file, min: 40 }
gates:
  ci: [{ metric: coverage.lines.percent, each: folder, paths: ['src/**', 'lib/**'], warn-below: 50 }]
",
    );
    insta::assert_snapshot!(project.run(&["explain", "coverage.lines.percent"]).stdout, @r"
    coverage.lines.percent

    Covered lines out of all executable lines.
    Measured by `tests`.
    Gate default: min 60.
    Gate default: max-drop 0.5.
    Gate default: min 70 in src/**.
    Gate default: min 75 in the component core (src/core/** and src/base/**).
    Gate default: min 40 for each file.
    Gate ci: warn-below 50 for each folder in src/** and lib/**.
    ");
}

#[test]
fn help_is_short_and_complete() {
    let project = Project::new();
    let ran = project.run(&["--help"]);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(ran.stdout, @r"
    One policy file, one verdict: is this good enough to ship?

    Usage: mgmt [OPTIONS] <COMMAND>

    Commands:
      full-check   Run every check, judge every rule
      validate     Run the groups lint, format and test
      phase-check  Run the group structure: is everything there that should be?
      ml-models    Run the group model
      data-check   Run the group data
      gate         Judge report files that are already there, or a commit before a deploy; run nothing
      collect      Pack what the checks left behind, for those who judge it elsewhere
      ci           What ran on GitHub, and the evidence it left behind
      audit        Did a scheduled workflow really do its work, and was it worth it?
      publish      Judge evidence anew, and show the result on GitHub
      notify       Try the receivers of notices
      inspect      Show what a gate would see in report files
      convert      Write report files, added up, in a form that other tools read
      status       The last runs, their numbers, and what changed
      trend        One number over the stored runs
      history      The stored records: list, show, move, prune, protect
      report       List, show and protect earlier reports
      init         Write a mgmt.yml from what is found in this project, or GitHub workflows for it
      config       Check, show or describe the policy file
      explain      What a check does, a metric counts, a problem's code means; why a rule or a run
                   failed
      completions  Print a completion script for a shell
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Global options:
          --config <FILE>
              The policy file [default: mgmt.yml or .github/mgmt.yml, here or above, up to the
              repository's root]

          --format <FORMAT>
              Form of the output; a command refuses a form it does not have

              Possible values:
              - human:    For a terminal
              - json:     For programs
              - markdown: For pull requests and language models
              - html:     For a browser: one file that needs no network
              - csv:      For tables

          --color <WHEN>
              When to use colour

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always
              - never

      -q, --quiet
              Say only what was asked for, and errors

      -v, --verbose
              Say more: notes, rules that were not asked

          --report-dir <DIR>
              Folder for reports, instead of the policy's

    Exit codes:
      0 pass (warnings included)     1 the gate said no
      2 wrong usage or configuration 3 nothing to check
      4 could not decide             70 a bug of this program
      130 interrupted
    ");
    assert_eq!(project.run(&[]).code, 2);
    assert_eq!(project.run(&["--version"]).stdout, format!("mgmt {}\n", mgmt_action::VERSION));
    assert_eq!(project.run(&["full-check", "--no-such-flag"]).code, 2);
}

#[test]
fn completions_are_printed_for_every_shell() {
    let project = Project::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = project.run(&["completions", shell]);
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains("full-check"), "{shell}");
    }
}
