//! Results on GitHub: the comment and its fate, checks, outputs; whose policy judges; what a stranger cannot do.

use std::process::Command;

use serde_json::{Value, json};

use super::github::{Fault, TokenKind, zip, zip_folder};
use super::scene::{POLICY, Scene, TOKEN};
use super::support::{Ran, ran};

const MARKER: &str = "<!-- mgmt-action:report:ci/gate -->";

/// A pull request in the scene: number, head, and the repository that it comes from.
pub(crate) struct Pull {
    pub(crate) scene: Scene,
    pub(crate) number: u64,
    head: String,
    pub(crate) run: u64,
}

impl Pull {
    /// From a branch of the repository itself.
    pub(crate) fn own() -> Self {
        Self::from("org/app", POLICY, POLICY)
    }

    /// With the first policy of all.
    fn first() -> Self {
        Self::change(Scene::of("", None), "org/app", POLICY)
    }

    /// With a policy on the base branch and another one on the head.
    pub(crate) fn from(head_repo: &str, base_policy: &str, head_policy: &str) -> Self {
        let scene = Scene::of("", Some(base_policy));
        scene.fake.repo("org/app").file(&scene.commit, "mgmt.yml", base_policy);
        Self::change(scene, head_repo, head_policy)
    }

    fn change(scene: Scene, head_repo: &str, head_policy: &str) -> Self {
        let repo = scene.fake.repo("org/app");
        let project = &scene.project;
        project.git(&["checkout", "-q", "-b", "change"]);
        project.write("src/a.py", "a = 1\nb = 3\n").write("mgmt.yml", head_policy);
        project.git(&["add", "-A"]);
        project.git(&["commit", "-q", "-m", "two"]);
        let head = project.git(&["rev-parse", "HEAD"]);
        let of_head = if head_repo == "org/app" { scene.fake.repo("org/app") } else { repo.fork(head_repo) };
        of_head.commit_with(|made| {
            made.sha.clone_from(&head);
            made.parents = vec![scene.commit.clone()];
            made.message = "two".to_owned();
        });
        of_head.file(&head, "mgmt.yml", head_policy);
        of_head.file(&head, "src/a.py", "a = 1\nb = 3\n");
        of_head.branch("change", &head);
        let number = repo.pull(head_repo, "change", |_| {});
        let run = repo.run(|run| {
            run.sha.clone_from(&head);
            run.branch = Some("change".to_owned());
            run.event = "pull_request".to_owned();
            run.head_repo = head_repo.to_owned();
            run.pulls = if head_repo == "org/app" { vec![number] } else { Vec::new() };
        });
        Self { scene, number, head, run }
    }

    /// The binary in the job of the pull request.
    pub(crate) fn command(&self) -> Command {
        let event = json!({
            "repository": { "id": 1, "default_branch": "main" },
            "pull_request": {
                "number": self.number,
                "head": { "sha": self.head, "ref": "change", "repo": { "id": 1 } },
                "base": { "sha": self.scene.commit, "ref": "main", "repo": { "id": 1 } },
            },
        });
        self.job("pull_request", &event)
    }

    /// The binary in a job of this event.
    fn job(&self, name: &str, event: &Value) -> Command {
        let path = self.scene.project.path(".git/event.json");
        std::fs::write(&path, event.to_string()).unwrap();
        let mut command = self.scene.command();
        for file in ["output", "summary"] {
            std::fs::write(self.scene.project.path(&format!(".git/{file}")), "").unwrap();
        }
        command
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_REPOSITORY", "org/app")
            .env("GITHUB_EVENT_NAME", name)
            .env("GITHUB_EVENT_PATH", path)
            .env("GITHUB_SHA", &self.head)
            .env("GITHUB_REF", "refs/pull/2/merge")
            .env("GITHUB_RUN_ID", self.run.to_string())
            .env("GITHUB_RUN_ATTEMPT", "1")
            .env("GITHUB_JOB", "gate")
            .env("GITHUB_WORKFLOW_REF", "org/app/.github/workflows/ci.yml@refs/pull/2/merge")
            .env("GITHUB_OUTPUT", self.scene.project.path(".git/output"))
            .env("GITHUB_STEP_SUMMARY", self.scene.project.path(".git/summary"))
            .env("RUNNER_TEMP", self.scene.project.path(".git"));
        command
    }

    pub(crate) fn mgmt(&self, args: &[&str]) -> Ran {
        seen(self.command(), args)
    }

    /// Checks, packs, publishes.
    pub(crate) fn publish(&self, args: &[&str]) -> Ran {
        self.mgmt(&["full-check", "-q"]);
        let packed = self.mgmt(&["collect"]);
        assert_eq!(packed.code, 0, "{packed:?}");
        self.mgmt(&[&["publish"], args].concat())
    }

    pub(crate) fn comments(&self) -> Vec<(String, String)> {
        self.scene.fake.repo("org/app").comments(self.number)
    }

    /// Requests of this kind so far.
    fn count(&self, method: &str) -> usize {
        self.scene.fake.requests().iter().filter(|request| request.method == method).count()
    }

    /// Uploads the bundle of the fork's run, and runs `publish` in the job that its end starts.
    pub(crate) fn publish_finished(&self, args: &[&str]) -> Ran {
        self.mgmt(&["full-check", "-q"]);
        assert_eq!(self.mgmt(&["collect"]).code, 0);
        let bytes = zip_folder(&self.scene.project.path(".mgmt/bundle"));
        self.scene.fake.repo("org/app").artifact(self.run, "mgmt-evidence-attempt1", bytes);
        self.publish_run(args)
    }

    pub(crate) fn publish_run(&self, args: &[&str]) -> Ran {
        let event = json!({
            "repository": { "id": 1, "default_branch": "main" },
            "workflow_run": { "id": self.run, "run_attempt": 1, "head_sha": self.head },
        });
        let mut command = self.job("workflow_run", &event);
        let elsewhere = tempfile::tempdir().unwrap();
        command
            .current_dir(elsewhere.path())
            .env("GITHUB_SHA", &self.scene.commit)
            .env("GITHUB_REF", "refs/heads/main");
        seen(command, &[&["publish"], args].concat())
    }
}

/// Runs the program; the token must not be in anything it says.
pub(crate) fn seen(mut command: Command, args: &[&str]) -> Ran {
    let ran = ran(command.args(args).output().unwrap());
    assert!(!format!("{ran:?}").contains("canary"), "the token was printed: {ran:?}");
    ran
}

#[test]
fn a_comment_is_written_once_and_kept_up_to_date() {
    let pull = Pull::own();
    let first = pull.publish(&[]);
    assert_eq!((first.code, pull.comments().len()), (0, 1), "{first:?}");
    assert!(first.stdout.contains("comment: written\njob summary: written\noutputs: written\npass: "), "{first:?}");
    let (author, body) = pull.comments().remove(0);
    assert_eq!(author, "github-actions[bot]");
    assert!(body.starts_with(MARKER), "{body}");
    assert!(body.contains("## ✅ pass"), "{body}");

    let again = pull.publish(&[]);
    assert!(again.stdout.contains("comment: says the same already"), "{again:?}");
    assert_eq!((pull.count("POST"), pull.count("PATCH")), (1, 0));

    pull.scene.project.write("made/junit.xml", "<testsuite><testcase name='a'><failure/></testcase></testsuite>");
    let failed = pull.publish(&["--when", "failure"]);
    assert_eq!((failed.code, pull.comments().len()), (1, 1), "{failed:?}");
    assert!(failed.stdout.contains("comment: rewritten"), "{failed:?}");
    assert!(pull.comments()[0].1.contains("## ❌ fail"));
}

#[test]
fn the_tested_merge_is_told_apart_from_the_head() {
    let pull = Pull::own();
    let project = &pull.scene.project;
    project.git(&["checkout", "-q", "main"]);
    project.git(&["merge", "-q", "--no-ff", "-m", "merge", "change"]);
    let merge = project.git(&["rev-parse", "HEAD"]);
    let mut command = pull.command();
    command.env("GITHUB_SHA", &merge);
    let checked = seen(command, &["full-check", "--format", "json", "-q"]);
    let report: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(report["project"]["commit"], json!(pull.head));
    assert_eq!(report["project"]["merge_commit"], json!(merge));
    assert_eq!(report["project"]["branch"], "change");
}

#[test]
fn a_run_that_is_judged_again_is_no_part_of_its_own_past() {
    let pull = Pull::own();
    assert_eq!(pull.publish(&[]).code, 0);
    assert!(!pull.comments()[0].1.contains("Trends"), "one run has no trend: {:?}", pull.comments());
    assert_eq!(pull.publish(&[]).code, 0);
    let report = pull.scene.project.read(".mgmt/reports/latest.md");
    assert!(report.contains("| `tests.total` | ▄▄ | 2 | 2 |"), "{report}");
}

#[test]
fn outputs_and_summary_tell_the_same() {
    let pull = Pull::own();
    assert_eq!(pull.publish(&["--badge", "badge.svg"]).code, 0);
    let outputs = pull.scene.project.read(".git/output");
    for (name, value) in [("verdict", "pass"), ("tests-total", "2"), ("coverage-lines", "50"), ("exit-code", "0")] {
        let line = outputs.lines().skip_while(|line| !line.starts_with(&format!("{name}<<"))).nth(1);
        assert_eq!(line, Some(value), "{name} in {outputs}");
    }
    assert!(outputs.contains("issuecomment-"), "{outputs}");
    assert!(outputs.contains(".mgmt/reports/"), "{outputs}");
    assert!(pull.scene.project.read(".git/summary").contains("## ✅ pass"));
    assert!(pull.scene.project.read("badge.svg").starts_with("<svg"));
}

#[test]
fn a_pull_request_cannot_lower_its_own_limits() {
    let strict = POLICY.replace("min: 50", "min: 90");
    let pull = Pull::from("org/app", &strict, POLICY);
    let ran = pull.publish(&[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let (_, body) = pull.comments().remove(0);
    assert!(body.contains("The policy was changed."), "{body}");
    assert!(body.contains("min: 50") && body.contains("min: 90"), "{body}");
    let report: Value = serde_json::from_str(&pull.scene.project.read(".mgmt/reports/latest.json")).unwrap();
    assert_eq!(report["policy"], json!({ "path": "mgmt.yml", "commit": pull.scene.commit, "changed": true }));
    assert_eq!(report["project"]["commit"], json!(pull.head));
    assert_eq!(report["problems"][0]["code"], "policy.changed");
}

#[test]
fn a_pull_request_cannot_excuse_its_own_failures() {
    let lenient = POLICY.replace("tests: { group: test,", "tests: { group: test, allow-failure: true,");
    let lenient = lenient
        .replace("[cp, made/junit.xml, made/lcov.info, .]", "[sh, -c, \"cp made/junit.xml made/lcov.info .; exit 1\"]");
    let pull = Pull::from("org/app", POLICY, &lenient);
    let ran = pull.publish(&[]);
    assert_eq!(ran.code, 1, "{ran:?}");
}

#[test]
fn a_report_that_was_never_written_is_not_forgotten_on_the_way() {
    let policy = POLICY.replace("  - { metric: tests.failed, max: 0 }\n", "");
    let pull = Pull::from("org/app", &policy, &policy);
    std::fs::write(pull.scene.project.path("junit.xml"), "<testsuite><testcase name='old'/></testsuite>").unwrap();
    pull.scene.project.write("made/junit.xml", "");
    std::fs::remove_file(pull.scene.project.path("made/junit.xml")).unwrap();
    std::fs::create_dir(pull.scene.project.path("made/junit.xml")).unwrap();
    let ran = pull.publish(&[]);
    assert_ne!(ran.code, 0, "{ran:?}");
    assert!(pull.comments()[0].1.contains("evidence.stale"), "{:?}", pull.comments());
}

#[test]
fn the_first_policy_is_judged_by_and_said_to_be_new() {
    let pull = Pull::first();
    let ran = pull.publish(&[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(pull.comments()[0].1.contains("the base branch has no policy"), "{:?}", pull.comments());
}

#[test]
fn a_pull_request_that_nobody_can_name_is_not_judged_by_its_own_policy() {
    let pull = Pull::own();
    pull.publish(&[]);
    let ran = seen(pull.job("pull_request", &json!({})), &["publish"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.stderr.contains("does not say which pull request it is"), "{ran:?}");
}

#[test]
fn a_run_that_failed_for_reasons_it_did_not_leave_behind_is_no_pass() {
    let pull = Pull::from("stranger/app", POLICY, POLICY);
    pull.scene.fake.repo("org/app").edit_run(pull.run, |run| run.conclusion = Some("cancelled".to_owned()));
    let ran = pull.publish_finished(&[]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(pull.comments()[0].1.contains("the run ended as cancelled"), "{:?}", pull.comments());
}

#[test]
fn what_the_jobs_own_arguments_leave_out_is_not_missed() {
    let policy = POLICY.replace("gate:\n", "  lint: { group: lint, run: [\"true\"] }\ngate:\n");
    let pull = Pull::from("org/app", &policy, &policy);
    let checked = pull.mgmt(&["full-check", "-q", "--skip=lint"]);
    assert_eq!((checked.code, pull.mgmt(&["collect"]).code), (0, 0), "{checked:?}");
    let ran = pull.mgmt(&["publish"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_check_that_the_change_removes_is_missed() {
    let base = POLICY.replace("gate:\n", "  lint: { group: lint, run: [\"true\"] }\ngate:\n");
    let pull = Pull::from("org/app", &base, POLICY);
    let ran = pull.publish(&[]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let report = pull.scene.project.read(".mgmt/reports/latest.json");
    assert!(report.contains("the run says nothing of the check `lint`"), "{report}");
}

#[test]
fn the_comment_of_another_is_never_touched_and_ones_own_are_made_one() {
    let pull = Pull::own();
    let repo = pull.scene.fake.repo("org/app");
    let mine = "github-actions[bot]";
    repo.comment(pull.number, "mallory", &format!("{MARKER}\nnothing to see"));
    repo.comment(pull.number, mine, "something else");
    repo.comment(pull.number, mine, &format!("{MARKER}\nold"));
    repo.comment(pull.number, mine, &format!("{MARKER}\nolder still"));
    let ran = pull.publish(&[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let left = pull.comments();
    assert_eq!(left.len(), 3, "{left:?}");
    assert_eq!(left[0].1, format!("{MARKER}\nnothing to see"));
    assert_eq!(left[1].1, "something else");
    assert!(left[2].1.contains("## ✅ pass"));
}

#[test]
fn a_comment_whose_writing_was_not_heard_of_is_not_written_twice() {
    let pull = Pull::own();
    let path = format!("/repos/org/app/issues/{}/comments", pull.number);
    pull.scene.fake.fault(Fault::on("POST", &path).bad_gateway_afterwards());
    let ran = pull.publish(&[]);
    assert!(ran.stdout.contains("comment: written"), "{ran:?}");
    assert_eq!((pull.comments().len(), pull.count("POST")), (1, 1));
}

#[test]
fn a_missing_permission_is_named_and_changes_no_verdict() {
    let pull = Pull::own();
    let lacking = ["issues: write", "pull-requests: write", "checks: write"];
    pull.scene.fake.token(TOKEN, TokenKind::Actions, "github-actions[bot]", &lacking);
    let ran = pull.publish(&["--to", "comment,check"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("the comment was not written: ") && ran.stderr.contains(": write`"), "{ran:?}");
    assert!(ran.stderr.contains("the check run was not made: "), "{ran:?}");
    assert!(pull.scene.project.read(".git/summary").contains("## ✅ pass"), "the summary stands in for both");
}

#[test]
fn an_app_is_told_how_its_comments_are_found_again() {
    let pull = Pull::own();
    pull.scene.fake.token(TOKEN, TokenKind::App, "my-app[bot]", &[]);
    let first = pull.publish(&[]);
    assert!(first.stdout.contains("without `--author my-app[bot]` each run writes a new one"), "{first:?}");
    let again = pull.publish(&["--author=my-app[bot]"]);
    assert_eq!((again.code, pull.comments().len()), (0, 1), "{again:?}");
}

#[test]
fn a_check_run_marks_the_lines() {
    let pull = Pull::own();
    pull.scene.project.write(
        "made/junit.xml",
        "<testsuite><testcase name='a' file='src/a.py' line='2'><failure message='no'/></testcase></testsuite>",
    );
    let ran = pull.publish(&["--to", "check"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let (conclusion, sha, marks) = pull.scene.fake.repo("org/app").read(|repo| {
        let made = &repo.check_runs[0];
        (made.conclusion.clone(), made.head_sha.clone(), made.annotations.clone())
    });
    assert_eq!((conclusion.as_deref(), sha), (Some("failure"), pull.head.clone()));
    assert!(marks.iter().any(|mark| mark["path"] == "src/a.py" && mark["start_line"] == 2), "{marks:?}");
}

#[test]
fn three_hundred_comments_and_any_number_of_tests_cost_few_requests() {
    let pull = Pull::own();
    let repo = pull.scene.fake.repo("org/app");
    for number in 0..299 {
        repo.comment(pull.number, "octocat", &format!("remark {number}"));
    }
    let cases: String = (0..5_000).map(|number| format!("<testcase name='t{number}'><failure/></testcase>")).collect();
    pull.scene.project.write("made/junit.xml", format!("<testsuite>{cases}</testsuite>"));
    pull.mgmt(&["full-check", "-q"]);
    assert_eq!(pull.mgmt(&["collect"]).code, 0);
    let before = pull.scene.fake.requests().len();
    let ran = pull.mgmt(&["publish", "--to", "comment,check,summary,outputs"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{ran:?}");
    let spent = pull.scene.fake.requests().len() - before;
    assert!(spent <= 8, "{spent} requests: {:?}", &pull.scene.fake.requests()[before..]);
    let (_, body) = pull.comments().pop().unwrap();
    assert!(body.encode_utf16().count() <= 65_536 && body.contains("## ❌ fail"));
}

#[test]
fn evidence_of_a_fork_is_judged_anew_and_said_to_be_its_own() {
    let pull = Pull::from("stranger/app", POLICY, &POLICY.replace("min: 50", "min: 1"));
    let ran = pull.publish_finished(&[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let (_, body) = pull.comments().remove(0);
    // Its job's name would be the fork's word.
    assert!(body.starts_with("<!-- mgmt-action:report:ci/mgmt -->"), "{body}");
    assert!(body.contains("Reported by the fork."), "{body}");
    assert!(body.contains("stranger/app") && body.contains("The policy was changed."), "{body}");

    // Another pull request from the same branch: nobody knows which one is meant.
    pull.scene.fake.repo("org/app").pull("stranger/app", "change", |_| {});
    let two = pull.publish_run(&[]);
    assert_eq!(two.code, 4, "{two:?}");
    assert!(two.stderr.contains("have the same commit"), "{two:?}");
    assert_eq!(pull.comments().len(), 1);
}

#[test]
fn a_fork_whose_branch_has_moved_on_gets_no_comment() {
    let pull = Pull::from("stranger/app", POLICY, POLICY);
    pull.scene.fake.repo("org/app").edit(|repo| repo.pulls[0].head_sha = "9".repeat(40));
    let ran = pull.publish_finished(&[]);
    assert_eq!((ran.code, pull.comments().len()), (4, 0), "{ran:?}");
    assert!(ran.stderr.contains("belongs to no pull request"), "{ran:?}");
}

#[test]
fn an_artifact_cannot_choose_its_pull_request_or_its_verdict() {
    let pull = Pull::from("stranger/app", POLICY, POLICY);
    let other = pull.scene.fake.repo("org/app").issue("other", |_| {});
    pull.scene.project.write("made/junit.xml", "<testsuite><testcase name='a'><failure/></testcase></testsuite>");
    pull.mgmt(&["full-check", "-q"]);
    assert_eq!(pull.mgmt(&["collect"]).code, 0);
    let folder = pull.scene.project.path(".mgmt/bundle");
    let edit = |name: &str, edit: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap();
        edit(&mut value);
        std::fs::write(folder.join(name), value.to_string()).unwrap();
    };
    edit("bundle.json", &|index| index["source"]["pull_request"] = json!(other));
    edit("record.json", &|record| {
        record["verdict"] = json!("pass");
        record["rules"] = json!([]);
        record["command"] = json!("validate");
        record["id"] = json!(record["id"].as_str().unwrap().replace("full-check-fail", "validate-pass"));
        record["tests"] = json!([]);
        record["checks"][0]["status"] = json!("passed");
        record["checks"][0]["reason"] = json!("<script>alert(1)</script> @octocat ::error::x");
    });
    pull.scene.fake.repo("org/app").artifact(pull.run, "mgmt-evidence-attempt1", zip_folder(&folder));
    let ran = pull.publish_run(&[]);
    assert_eq!(ran.code, 1, "{ran:?} {:?}", pull.comments());
    assert!(pull.scene.fake.repo("org/app").comments(other).is_empty());
    let (_, body) = pull.comments().remove(0);
    assert!(body.contains("## ❌ fail") && !body.contains("<script"), "{body}");
    assert!(!body.contains("@octocat"), "nobody is called: {body}");
}

#[test]
fn a_hostile_bundle_is_undecided() {
    let pull = Pull::from("stranger/app", POLICY, POLICY);
    let bytes = zip(&[("../../escape", b"x")]);
    pull.scene.fake.repo("org/app").artifact(pull.run, "mgmt-evidence-attempt1", bytes);
    let ran = pull.publish_run(&[]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(pull.comments()[0].1.contains("does not stay inside the folder"), "{:?}", pull.comments());
}

#[test]
fn outside_a_job_it_says_what_it_lacks() {
    let scene = Scene::new();
    let none = ran(scene.project.command().args(["publish"]).output().unwrap());
    assert_eq!(none.code, 2, "{none:?}");
    assert!(none.stderr.contains("`mgmt collect` makes one"), "{none:?}");
    scene.project.run(&["full-check", "-q"]);
    scene.project.run(&["collect"]);
    let quiet = ran(scene.project.command().args(["publish"]).output().unwrap());
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""), "{quiet:?}");
    let asked = ran(scene.project.command().args(["publish", "--to", "summary,badge"]).output().unwrap());
    assert_eq!(asked.code, 0, "{asked:?}");
    for want in ["GITHUB_STEP_SUMMARY is not set", "--badge FILE names the file"] {
        assert!(asked.stderr.contains(want), "{asked:?}");
    }
    let wrong = ran(scene.project.command().args(["publish", "--to", "fax"]).output().unwrap());
    assert!(wrong.code == 2 && wrong.stderr.contains("there are: comment, check"), "{wrong:?}");
}
