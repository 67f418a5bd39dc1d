//! A pull request's job on a clone of one commit: GitHub tells what git does not have, and the result is the one that
//! a whole clone gives.

use serde_json::{Value, json};

use super::github::{Fake, Fault, TokenKind, zip, zip_folder};
use super::scene::{JUNIT, LCOV, TOKEN};
use super::support::{Project, Ran, ran};

const POLICY: &str = "version: 1
checks:
  tests: { group: test, run: [cp, made/junit.xml, made/lcov.info, .], evidence: { tests: junit.xml, coverage: lcov.info } }
gate:
  - { metric: tests.failed, max: 0 }
  - { metric: tests.total, max-drop: 0 }
  - { metric: coverage.lines.percent, min: 40, max-drop: 10 }
  - { metric: coverage.patch.percent, min: 50 }
";

/// A repository with a record of its first commit, and a pull request whose merge is tested.
struct Change {
    fake: Fake,
    origin: Project,
    base: String,
    head: String,
    merge: String,
}

impl Change {
    /// With so many commits on main after the one with the record, and these policies.
    fn new(later: usize, base_policy: &str, head_policy: &str) -> Self {
        let origin = Project::with(base_policy);
        origin.write("src/a.py", "a = 1\nb = 2\n").write(".gitignore", "/junit.xml\n/lcov.info\n");
        origin.write("made/junit.xml", JUNIT).write("made/lcov.info", LCOV).commit();
        let fake = Fake::start();
        fake.token(TOKEN, TokenKind::Actions, "github-actions[bot]", &[]);
        let mut change = Self { fake, origin, base: String::new(), head: String::new(), merge: String::new() };
        change.base = change.register(&[], &[("mgmt.yml", base_policy), ("src/a.py", "a = 1\nb = 2\n")]);
        change.leave_record();
        for number in 0..later {
            let text = format!("# {number}\n");
            change.origin.write("src/b.py", &text);
            let before = change.base.clone();
            change.base = change.commit("later", &[&before], &[("src/b.py", &text)]);
        }
        change.fake.repo("org/app").branch("main", &change.base);

        let git = |args: &[&str]| change.origin.git(args);
        git(&["checkout", "-q", "-b", "change"]);
        let text = format!("c = 0\n{}", change.origin.read("src/a.py"));
        change.origin.write("src/a.py", &text).write("mgmt.yml", head_policy);
        change.origin.write("made/lcov.info", "SF:src/a.py\nDA:1,1\nDA:2,0\nDA:3,0\nend_of_record\n");
        let files = [("src/a.py", text.as_str()), ("mgmt.yml", head_policy)];
        change.head = change.commit("change", &[&change.base], &files);
        change.fake.repo("org/app").branch("change", &change.head);
        git(&["checkout", "-q", "--detach", "main"]);
        git(&["merge", "-q", "--no-ff", "-m", "merge", "change"]);
        git(&["update-ref", "refs/pull/2/merge", "HEAD"]);
        change.merge = change.register(&[&change.base, &change.head], &files);
        git(&["checkout", "-q", "main"]);
        change
    }

    fn commit(&self, message: &str, parents: &[&str], files: &[(&str, &str)]) -> String {
        self.origin.git(&["add", "-A"]);
        self.origin.git(&["commit", "-q", "-m", message]);
        self.register(parents, files)
    }

    /// Lets the fake know the commit that is checked out.
    fn register(&self, parents: &[&str], files: &[(&str, &str)]) -> String {
        let sha = self.origin.git(&["rev-parse", "HEAD"]);
        let repo = self.fake.repo("org/app");
        repo.commit_with(|made| {
            made.sha.clone_from(&sha);
            made.parents = parents.iter().map(ToString::to_string).collect();
        });
        for (path, content) in files {
            repo.file(&sha, path, content);
        }
        sha
    }

    /// The record of what is checked out, as the artifact of a push.
    fn leave_record(&self) {
        let checked = self.origin.run(&["full-check", "-q"]);
        assert_eq!(checked.code, 0, "{checked:?}");
        assert_eq!(self.origin.run(&["collect"]).code, 0);
        let record = std::fs::read(self.origin.path(".mgmt/bundle/record.json")).unwrap();
        std::fs::remove_dir_all(self.origin.path(".mgmt")).unwrap();
        let run = self.fake.repo("org/app").run(|run| {
            run.sha.clone_from(&self.base);
            run.branch = Some("main".to_owned());
        });
        self.fake.repo("org/app").artifact(run, "mgmt-record", zip(&[("record.json", &record)]));
    }

    /// A clone as `actions/checkout` makes it, with so much history.
    fn clone_with(&self, depth: &[&str]) -> Clone<'_> {
        let project = Project::new();
        let url = format!("file://{}", self.origin.root().display());
        project.git(&["init", "-q", "-b", "main"]);
        project.git(&["remote", "add", "origin", &url]);
        let refs = ["+refs/pull/2/merge:refs/remotes/pull/2/merge", "+refs/heads/*:refs/remotes/origin/*"];
        let refs = if depth.is_empty() { &refs[..] } else { &refs[..1] };
        project.git(&[&["fetch", "-q", "--no-tags"], depth, &["origin"], refs].concat());
        project.git(&["checkout", "-q", "--detach", "refs/remotes/pull/2/merge"]);
        Clone { change: self, project, temp: tempfile::tempdir().unwrap(), run: 77 }
    }

    fn shallow(&self) -> Clone<'_> {
        self.clone_with(&["--depth=1"])
    }
}

/// The job's machine.
struct Clone<'c> {
    change: &'c Change,
    project: Project,
    temp: tempfile::TempDir,
    run: u64,
}

impl Clone<'_> {
    fn mgmt(&self, args: &[&str]) -> Ran {
        let Change { fake, base, head, merge, .. } = self.change;
        let event = json!({
            "repository": { "id": 1, "default_branch": "main" },
            "pull_request": {
                "number": 2,
                "head": { "sha": head, "ref": "change", "repo": { "id": 1 } },
                "base": { "sha": base, "ref": "main", "repo": { "id": 1 } },
            },
        });
        let path = self.temp.path().join("event.json");
        std::fs::write(&path, event.to_string()).unwrap();
        let mut command = self.project.command();
        if args[0] == "ci" {
            command.env("GITHUB_API_URL", fake.url()).env("GITHUB_TOKEN", TOKEN);
        }
        command
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_REPOSITORY", "org/app")
            .env("GITHUB_EVENT_NAME", "pull_request")
            .env("GITHUB_EVENT_PATH", path)
            .env("GITHUB_SHA", merge)
            .env("GITHUB_REF", "refs/pull/2/merge")
            .env("GITHUB_RUN_ID", self.run.to_string())
            .env("GITHUB_RUN_ATTEMPT", "1")
            .env("RUNNER_TEMP", self.temp.path());
        ran(command.args(args).output().unwrap())
    }

    /// Learns what the base branch says, then checks.
    fn check(&self) -> (i32, Value) {
        let learnt = self.mgmt(&["ci", "baseline"]);
        assert_eq!(learnt.code, 0, "{learnt:?}");
        self.full_check()
    }

    fn full_check(&self) -> (i32, Value) {
        let ran = self.mgmt(&["full-check", "--format", "json", "-q"]);
        (ran.code, serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}")))
    }
}

/// What must not depend on how much history a clone has.
fn essence(report: &Value) -> Value {
    let part = |name: &str| report[name].clone();
    let baseline = &report["baseline"];
    json!({
        "verdict": part("verdict"), "rules": part("rules"), "measurements": part("measurements"),
        "policy": part("policy"), "problems": part("problems"),
        "baseline": [baseline["commit"], baseline["distance"]],
        "project": [report["project"]["commit"], report["project"]["merge_commit"]],
    })
}

#[test]
fn a_shallow_clone_is_judged_as_a_whole_one() {
    for later in [0, 2] {
        let change = Change::new(later, POLICY, POLICY);
        let (whole_code, whole) = change.clone_with(&[]).check();
        let before = change.fake.requests().len();
        let (code, shallow) = change.shallow().check();
        assert_eq!(essence(&shallow), essence(&whole));
        assert_eq!((code, whole_code), (1, 1));
        let rule = |metric: &str| {
            let rules = shallow["rules"].as_array().unwrap().iter();
            rules.filter(|rule| rule["metric"] == metric).map(|rule| rule["verdict"].clone()).collect::<Vec<_>>()
        };
        // 50 % to 33 % of all lines, and the one new line is covered.
        assert_eq!(rule("coverage.lines.percent"), ["fail", "fail"], "{shallow}");
        assert_eq!(rule("coverage.patch.percent"), ["pass"], "{shallow}");
        assert_eq!(shallow["baseline"]["distance"], later);
        assert_eq!(shallow["measurements"]["coverage.patch.total"], 1.0);
        // The policy, the change, the list of artifacts, the download; further back the commits and a second change.
        let wanted = if later == 0 { 4 } else { 6 };
        assert_eq!(change.fake.requests().len() - before, wanted, "{:?}", change.fake.requests());
    }
}

#[test]
fn the_base_branchs_policy_judges_also_before_anything_is_published() {
    let lax = POLICY.replace("min: 40, max-drop: 10", "min: 1");
    let change = Change::new(0, POLICY, &lax);
    for clone in [change.clone_with(&[]), change.shallow()] {
        let (code, report) = clone.check();
        assert_eq!(code, 1, "{report}");
        assert_eq!(report["policy"], json!({ "path": "mgmt.yml", "commit": change.base, "changed": true }));
        assert_eq!(report["problems"][0]["code"], "policy.changed");
    }
    // The other way round a change cannot fail by what only it asks for.
    let (code, report) = Change::new(0, &lax, POLICY).shallow().check();
    assert_eq!((code, &report["policy"]["changed"]), (0, &json!(true)), "{report}");
}

#[test]
fn a_policy_that_nobody_could_have_decides_nothing() {
    let lax = POLICY.replace("min: 40, max-drop: 10", "min: 1");
    let change = Change::new(0, POLICY, &lax);
    let clone = change.shallow();
    let (code, report) = clone.full_check();
    assert_eq!(code, 4, "{report}");
    assert_eq!(report["problems"][0]["code"], "policy.unknown");
    assert!(report["problems"][0]["hint"].as_str().unwrap().contains("`mgmt ci baseline`"), "{report}");
    // What was looked for elsewhere, or what another run was told, counts for nothing.
    assert_eq!(clone.mgmt(&["ci", "baseline"]).code, 0);
    clone.project.write("lax.yml", &lax);
    let named = clone.mgmt(&["full-check", "--config=lax.yml", "--format=json", "-q"]);
    assert!(named.code == 4 && named.stdout.contains("policy.unknown"), "{named:?}");
    let told = clone.temp.path().join("mgmt-told-77-1.json");
    std::fs::rename(&told, clone.temp.path().join("mgmt-told-77-2.json")).unwrap();
    assert_eq!(clone.full_check().0, 4);
}

#[test]
fn without_a_record_the_policy_and_the_change_are_known_all_the_same() {
    let change = Change::new(0, POLICY, POLICY);
    let clone = change.shallow();
    let learnt = clone.mgmt(&["ci", "baseline", "--without-record"]);
    assert_eq!((learnt.code, learnt.stdout.as_str()), (0, ""), "{learnt:?}");
    assert_eq!(change.fake.requests().len(), 2, "the policy and the change");
    let (_, report) = clone.full_check();
    assert_eq!(report["policy"]["commit"], json!(change.base), "{report}");
    assert_eq!(report["measurements"]["coverage.patch.percent"], 100.0, "{report}");
    assert_eq!(report["baseline"], Value::Null);
}

/// A finished run with what it left behind after `edit`, published elsewhere: how that ended, the comment, the report.
fn published(change: &Change, edit: impl FnOnce(&mut Value)) -> (Ran, String, Value) {
    let repo = change.fake.repo("org/app");
    let number = repo.pull("org/app", "change", |pull| pull.merge_sha = Some(change.merge.clone()));
    let run = repo.run(|run| {
        run.sha.clone_from(&change.head);
        run.branch = Some("change".to_owned());
        run.event = "pull_request".to_owned();
        run.conclusion = Some("failure".to_owned());
        run.pulls = vec![number];
    });
    let clone = Clone { run, ..change.shallow() };
    assert_eq!(clone.check().0, 1);
    assert_eq!(clone.mgmt(&["collect"]).code, 0);
    let mut bundle: Value = serde_json::from_str(&clone.project.read(".mgmt/bundle/bundle.json")).unwrap();
    edit(&mut bundle);
    clone.project.write(".mgmt/bundle/bundle.json", bundle.to_string());
    repo.artifact(run, "mgmt-evidence-attempt1", zip_folder(&clone.project.path(".mgmt/bundle")));
    let elsewhere = Project::new();
    let mut command = elsewhere.command();
    command.env("GITHUB_API_URL", change.fake.url()).env("GITHUB_TOKEN", TOKEN);
    let id = run.to_string();
    let args = ["publish", "--repo=org/app", "--run", &id, "--expect=1", "--to=comment"];
    let ran = ran(command.args(args).output().unwrap());
    let (_, body) = repo.comments(number).remove(0);
    let report = serde_json::from_str(&elsewhere.read(".mgmt/reports/latest.json")).unwrap();
    (ran, body, report)
}

#[test]
fn a_finished_run_is_compared_with_the_record_before_its_merge() {
    for later in [0, 2] {
        let (ran, body, report) = published(&Change::new(later, POLICY, POLICY), |_| {});
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(body.contains("16.67 points less than 50 % of the baseline"), "{body}");
        assert_eq!(report["baseline"]["distance"], later, "{report}");
        // `a = 1` ran before.
        assert_eq!(report["measurements"]["coverage.lost.lines"], 1.0);
        assert_eq!(report["measurements"]["coverage.patch.percent"], 100.0);
    }
}

#[test]
fn the_evidence_does_not_choose_what_it_is_compared_with() {
    let base = Change::new(0, POLICY, POLICY).base;
    let strange = [json!(base), json!("0".repeat(40)), json!("HEAD"), Value::Null];
    for merge in strange {
        let change = Change::new(0, POLICY, POLICY);
        let (ran, body, report) = published(&change, |bundle| bundle["source"]["merge_commit"] = merge.clone());
        assert_eq!(ran.code, 1, "{merge}: {ran:?}");
        assert!(body.contains("16.67 points less than 50 % of the baseline"), "{merge}: {body}");
        assert_eq!(report["baseline"]["commit"], json!(change.base), "{merge}: {report}");
        assert_eq!(report["measurements"]["coverage.patch.total"], 1.0, "{merge}: {report}");
    }
}

#[test]
fn a_record_that_cannot_be_had_is_said_and_silences_nobody() {
    let change = Change::new(0, POLICY, POLICY);
    change.fake.fault(Fault::on("GET", "/repos/org/app/actions/artifacts").status(403).always());
    let (ran, body, report) = published(&change, |bundle| bundle["source"]["merge_commit"] = Value::Null);
    assert!(ran.code != 0 && report["baseline"].is_null(), "{ran:?}");
    assert!(body.contains("no baseline: the base branch's record cannot be had"), "{body}");
    assert_eq!(report["measurements"]["coverage.patch.total"], 1.0, "what changed is known: {report}");
}

#[test]
fn a_change_that_github_refuses_to_show_leaves_its_rules_undecided() {
    let change = Change::new(0, POLICY.replace("min: 40, max-drop: 10", "min: 1").as_str(), POLICY);
    change.fake.fault(Fault::on("GET", "/repos/org/app/compare/*").status(406));
    let (code, report) = change.shallow().check();
    assert_eq!(code, 4, "{report}");
    let told = report["problems"].to_string();
    assert!(told.contains("what changed is not known") && told.contains("fetch-depth"), "{told}");
}
