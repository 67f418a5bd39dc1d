//! `audit retrain --publish --remediate`: one action, written down before, looked for after, told of, and never twice.

use camino::Utf8PathBuf;
use jiff::{SignedDuration, Timestamp};
use mgmt_action::app::Context;
use mgmt_action::app::audit::{self, Audited, Publish, Remediate, Request};
use mgmt_action::retrain::remedy::{Action, Outcome};
use mgmt_action::sys::clock::Clock;
use mgmt_action::sys::env::Env;

use super::audit::{AS_OF, POLICY};
use super::github::{Fault, TokenKind};
use super::incident::{At, BOT, Scene};
use super::scene::TOKEN;
use super::support::ran;

pub(crate) const ALL: &str = "rerun-failed: true, dispatch-missed: true, enable-disabled: true";
pub(crate) const RUNS: &str = "/repos/org/app/actions/runs";
const DISPATCHES: &str = "/repos/org/app/actions/workflows/train.yml/dispatches";
const ENABLE: &str = "/repos/org/app/actions/workflows/train.yml/enable";
pub(crate) const ISSUES: &str = "/repos/org/app/issues";

/// A world in which all is well, and a policy that may do this.
pub(crate) fn scene(remediate: &str) -> Scene {
    let scene = Scene::new();
    let notify = "notify:\n  discord: { url-env: HOOK, mention: { users: [111111111111111111] } }\n";
    let policy = POLICY.replace("    deploy: { within: 6h, environment: production }\n", "");
    assert_ne!(policy, POLICY);
    scene.training.project.write("mgmt.yml", format!("{policy}  remediate: {{ {remediate} }}\n{notify}"));
    scene
}

pub(crate) fn failed(scene: &Scene) {
    scene.training.edit_run(|run| run.conclusion = Some("failure".to_owned()));
    scene.repo().job(scene.training.runs[0], "train", |job| {
        job.conclusion = Some("failure".to_owned());
        job.steps.push(("Fit".to_owned(), "failure".to_owned()));
        job.log = "out of memory\n".to_owned();
    });
}

fn later(hours: i64) -> Timestamp {
    AS_OF.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
}

/// Audits so many hours after the first moment, and acts.
pub(crate) fn act(scene: &Scene, at: At, hours: i64) -> Audited {
    at_once(scene, at, hours, Remediate::Act)
}

/// The same within this process: the clock is the test's.
fn at_once(scene: &Scene, at: At, hours: i64, remediate: Remediate) -> Audited {
    let now = later(hours);
    scene.training.fake.set_now(&now.to_string());
    let mut env = vec![
        ("GITHUB_API_URL", scene.training.fake.url().to_owned()),
        ("GITHUB_TOKEN", TOKEN.to_owned()),
        ("GITHUB_REPOSITORY", "org/app".to_owned()),
        ("HOOK", scene.discord.webhook()),
    ];
    if at == At::Job {
        env.extend([("GITHUB_ACTIONS", "true".to_owned()), ("GITHUB_RUN_ID", "77".to_owned())]);
    }
    let cwd = Utf8PathBuf::from_path_buf(scene.training.project.root().to_owned()).unwrap();
    let env = env.into_iter().collect::<Env>();
    let context = Context { cwd, env, clock: Clock::Fixed(now), config: None, report_dir: None };
    let publish = (remediate == Remediate::Act).then(Publish::default);
    let request = Request { publish, remediate: Some(remediate), ..Request::default() };
    let audited = audit::audit(&context, &request, |_| {}).unwrap();
    let said = format!("{audited:?} {:?}", scene.repo().read(|repo| format!("{:?} {:?}", repo.issues, repo.comments)));
    assert!(!said.contains("canary"), "a secret was shown: {said}");
    audited
}

/// Outcome and detail of the newest row.
pub(crate) fn newest(audited: &Audited) -> (Outcome, String) {
    let one = audited.audit.remedies.last().unwrap_or_else(|| panic!("nothing done: {audited:?}"));
    (one.outcome, one.detail.clone())
}

pub(crate) fn done(audited: &Audited) -> String {
    audited.published.as_ref().unwrap().done.join("\n")
}

fn failures(audited: &Audited) -> String {
    format!("{:?}", audited.published.as_ref().unwrap().failures)
}

/// The titles of all messages.
pub(crate) fn titles(scene: &Scene) -> Vec<String> {
    let title = |message: &super::discord::Message| message.content["embeds"][0]["title"].as_str().unwrap().to_owned();
    scene.discord.messages().iter().map(title).collect()
}

pub(crate) fn acts(scene: &Scene) -> usize {
    let fake = &scene.training.fake;
    fake.count("POST", &format!("{RUNS}/*/rerun-failed-jobs"))
        + fake.count("POST", DISPATCHES)
        + fake.count("PUT", ENABLE)
}

#[test]
fn failed_jobs_are_run_again_once_and_people_see_it() {
    let scene = scene(ALL);
    failed(&scene);
    let run = scene.training.runs[0];
    let first = act(&scene, At::Job, 0);
    assert_eq!(newest(&first), (Outcome::Verified, "attempt 2 is queued".to_owned()), "{first:?}");
    assert_eq!(first.audit.exit_code, 1, "the verdict is about what was found");
    assert!(done(&first).contains(&format!("Ran the failed jobs of run {run} again: attempt 2 is queued")));
    assert_eq!(failures(&first), "[]");
    // It was written down, looked at, done, looked for and written down, in this order.
    let requests = scene.training.fake.requests();
    let rerun =
        requests.iter().position(|one| one.method == "POST" && one.path.ends_with("rerun-failed-jobs")).unwrap();
    let wrote = |one: &super::github::Request| matches!(&*one.method, "PATCH" | "POST") && one.path.starts_with(ISSUES);
    let before = requests[..rerun].iter().rposition(wrote).unwrap();
    let body = requests[before].body["body"].as_str().unwrap();
    assert!(body.contains("\"outcome\":\"begun\"") && body.contains("\"action\":\"rerun-failed\""), "{body}");
    let looks = |part: &[super::github::Request]| {
        part.iter().any(|one| one.method == "GET" && one.path == format!("{RUNS}/{run}"))
    };
    assert!(looks(&requests[before..rerun]) && looks(&requests[rerun..]), "{requests:?}");
    let body = scene.body(1);
    assert!(body.contains("\"outcome\":\"verified\"") && !body.contains("begun\""), "{body}");
    let row =
        format!("- 2024-06-25 18:00 UTC `rerun-failed`: ran the failed jobs of run {run} again: attempt 2 is queued");
    assert!(body.contains("### What was done about it") && body.contains(&row), "{body}");
    let told = ["ERROR: The retraining train.yml did not do what is expected".to_owned()];
    assert_eq!(titles(&scene)[..1], told);
    assert_eq!(titles(&scene)[1], format!("AUDIT: train.yml: ran the failed jobs of run {run} again"));
    let notice = scene.discord.messages()[1].content.to_string();
    assert!(
        notice.contains("1 of 2 actions within 7d are left") && notice.contains(&format!("actions/runs/{run}")),
        "{notice}"
    );
    assert!(scene.discord.messages()[1].pings.is_empty(), "nobody is woken");

    // It goes on: nothing is judged of it, nothing is done, and nothing is over.
    let running = act(&scene, At::Job, 1);
    assert_eq!((acts(&scene), running.audit.exit_code, scene.issues()[0].1.as_str()), (1, 0, "open"), "{running:?}");
    assert!(done(&running).contains("what may end the trouble has not ended"), "{running:?}");

    // It failed once more: that is no accident.
    scene.repo().rerun(run, Some("failure"));
    let again = act(&scene, At::Job, 24);
    let (outcome, detail) = newest(&again);
    assert_eq!((outcome, acts(&scene)), (Outcome::Withheld, 1), "{again:?}");
    assert!(detail.starts_with("attempt ") && detail.ends_with("failed as well; somebody has to look"), "{detail}");
}

#[test]
fn what_was_done_stays_with_the_issue_until_it_is_over() {
    let scene = scene(&format!("{ALL}, cooldown: 1h"));
    failed(&scene);
    act(&scene, At::Job, 0);
    let run = scene.training.runs[0];
    scene.repo().edit_run(run, |run| {
        (run.status, run.attempt) = (Some("completed".to_owned()), 2);
        run.conclusion = Some("failure".to_owned());
    });
    let still = act(&scene, At::Job, 24);
    let outcomes: Vec<_> = still.audit.remedies.iter().map(|one| one.outcome).collect();
    assert_eq!(outcomes, [Outcome::Verified, Outcome::Withheld], "{still:?}");
    assert!(scene.body(1).contains("did not run the failed jobs") && scene.body(1).contains("ran the failed jobs"));
    assert_eq!((scene.issues().len(), titles(&scene).len()), (1, 2));
    let before = scene.training.fake.requests().len();
    act(&scene, At::Job, 25);
    let writes = |one: &super::github::Request| one.method != "GET";
    assert_eq!(scene.training.fake.requests()[before..].iter().filter(|one| writes(one)).count(), 0, "nothing is new");
    scene.repo().edit_run(run, |run| run.conclusion = Some("success".to_owned()));
    let over = act(&scene, At::Job, 26);
    assert_eq!((over.audit.exit_code, scene.issues()[0].1.as_str()), (0, "closed"), "{over:?}");
    assert!(scene.body(1).contains("ran the failed jobs of run"), "{}", scene.body(1));
}

#[test]
fn a_slot_that_was_missed_is_started_once() {
    let scene = scene("dispatch-missed: { inputs: { full: true, seeds: 1.10 } }, budget: { actions: 9 }");
    scene.miss();
    let first = act(&scene, At::Job, 0);
    let (outcome, detail) = newest(&first);
    let (run, state) = scene.repo().read(|repo| {
        let run = repo.runs.iter().find(|run| run.event == "workflow_dispatch").unwrap();
        (run.id, run.status.clone().unwrap())
    });
    assert_eq!((outcome, detail, state.as_str()), (Outcome::Verified, format!("run {run} is queued"), "queued"));
    let one = first.audit.remedies.last().unwrap();
    assert_eq!((one.action, one.run_id), (Action::DispatchMissed, Some(run)));
    assert_eq!(one.slot.unwrap().to_string(), "2024-06-23T18:00:00Z");
    let asked = scene.repo().read(|repo| (repo.dispatches[0].reference.clone(), repo.dispatches[0].inputs.clone()));
    assert_eq!(asked, ("main".to_owned(), serde_json::json!({ "full": "true", "seeds": "1.10" })));
    assert_eq!(titles(&scene)[1], "AUDIT: train.yml: started the workflow for the slot of 2024-06-23 18:00 UTC");
    // Neither while it goes on nor after it failed.
    for (hours, status, conclusion) in [(4, "in_progress", None), (24, "completed", Some("failure"))] {
        scene.repo().edit_run(run, |run| {
            (run.status, run.conclusion) = (Some(status.to_owned()), conclusion.map(str::to_owned));
        });
        let next = act(&scene, At::Job, hours);
        let (outcome, detail) = newest(&next);
        assert_eq!((outcome, acts(&scene)), (Outcome::Withheld, 1), "{next:?}");
        assert_eq!(detail, format!("run {run} was started for it 2024-06-25 18:00 UTC already"));
    }
    // What nobody wrote down is seen all the same.
    scene.repo().edit(|repo| repo.issues.clear());
    let next = act(&scene, At::Job, 25);
    assert_eq!((newest(&next), acts(&scene)), ((Outcome::Withheld, format!("run {run} has begun since")), 1));
}

#[test]
fn what_was_started_and_went_well_ends_the_trouble() {
    let scene = scene("dispatch-missed: true");
    scene.miss();
    assert_eq!(newest(&act(&scene, At::Job, 0)).0, Outcome::Verified);
    let sha = scene.repo().edit(|repo| {
        repo.runs.retain(|run| run.event != "workflow_dispatch");
        repo.refs["heads/main"].clone()
    });
    let (run, _) = scene.training.train(0, "workflow_dispatch", 48 * 60 + 1, &sha);
    let over = act(&scene, At::Job, 3);
    assert_eq!((over.audit.exit_code, over.audit.slots.last().unwrap().covered_by), (0, Some(run)), "{over:?}");
    assert_eq!(scene.issues()[0].1, "closed");
    assert!(titles(&scene)[0].starts_with("RECOVERED: "), "{:?}", titles(&scene));
}

#[test]
fn a_workflow_that_github_disabled_is_enabled_and_then_started() {
    let scene = scene(&format!("{ALL}, cooldown: 6h"));
    scene.miss();
    scene.repo().edit(|repo| repo.workflows[0].state = "disabled_inactivity".to_owned());
    let first = act(&scene, At::Job, 0);
    assert_eq!(newest(&first), (Outcome::Verified, "GitHub shows it as active".to_owned()), "{first:?}");
    assert_eq!(scene.repo().read(|repo| repo.workflows[0].state.clone()), "active");
    assert!(titles(&scene)[0].starts_with("CRITICAL: "), "{:?}", titles(&scene));
    assert_eq!(titles(&scene)[1], "AUDIT: train.yml: enabled the workflow");
    let soon = act(&scene, At::Job, 5);
    assert_eq!(
        newest(&soon),
        (Outcome::Withheld, "the last action was 2024-06-25 18:00 UTC, and `cooldown` is 6h".into())
    );
    let then = act(&scene, At::Job, 6);
    assert_eq!((newest(&then).0, acts(&scene)), (Outcome::Verified, 2), "{then:?}");
    assert_eq!(then.audit.remedies.len(), 2, "both are told");
    // What somebody disabled stays so.
    scene.repo().edit(|repo| repo.workflows[0].state = "disabled_manually".to_owned());
    let by_hand = act(&scene, At::Job, 30);
    assert!(done(&by_hand).contains("no action that is declared would help"), "{by_hand:?}");
    assert_eq!(acts(&scene), 2);
}

#[test]
fn a_refusal_names_the_permission_and_is_tried_again() {
    let scene = scene("rerun-failed: true");
    failed(&scene);
    scene.training.fake.token(TOKEN, TokenKind::Actions, BOT, &["actions: write"]);
    let first = act(&scene, At::Job, 0);
    assert_eq!((newest(&first).0, first.audit.exit_code), (Outcome::Failed, 1), "{first:?}");
    assert!(failures(&first).contains("actions: write"), "{first:?}");
    assert!(titles(&scene)[1].starts_with("AUDIT: train.yml: could not run the failed jobs"), "{:?}", titles(&scene));
    assert!(scene.body(1).contains("\"outcome\":\"failed\""), "{}", scene.body(1));
    // Nothing was done, so it is tried again.
    scene.training.fake.token(TOKEN, TokenKind::Actions, BOT, &[]);
    assert_eq!((newest(&act(&scene, At::Job, 30)).0, acts(&scene)), (Outcome::Verified, 2));
}

#[test]
fn an_answer_that_was_lost_is_reconciled_and_one_that_shows_nothing_is_said() {
    let scene = scene(ALL);
    failed(&scene);
    let run = scene.training.runs[0];
    scene.training.fake.fault(Fault::on("POST", &format!("{RUNS}/{run}/rerun-failed-jobs")).bad_gateway_afterwards());
    let first = act(&scene, At::Job, 0);
    assert_eq!((newest(&first).0, acts(&scene)), (Outcome::Verified, 1), "{first:?}");

    let scene = self::scene(ALL);
    failed(&scene);
    let run = scene.training.runs[0];
    // The two looks before it are answered.
    scene.training.fake.fault(Fault::on("GET", &format!("{RUNS}/{run}")).after(2).status(403).always());
    let unseen = act(&scene, At::Job, 0);
    let (outcome, detail) = newest(&unseen);
    assert_eq!((outcome, acts(&scene)), (Outcome::Unverified, 1), "{unseen:?}");
    assert!(detail.starts_with("the look afterwards failed: 403 "), "{detail}");
    assert!(failures(&unseen).contains("Asked GitHub to run the failed jobs"), "{unseen:?}");
    assert!(
        titles(&scene)[1].starts_with("AUDIT: train.yml: asked GitHub to run the failed jobs"),
        "{:?}",
        titles(&scene)
    );
    // Nobody knows whether it happened: it is not done again.
    assert_eq!((newest(&act(&scene, At::Job, 24)).0, acts(&scene)), (Outcome::Withheld, 1));
}

#[test]
fn the_budget_outlives_the_incident() {
    let scene = scene("rerun-failed: true, budget: { actions: 1, within: 30d }");
    failed(&scene);
    act(&scene, At::Job, 0);
    let run = scene.training.runs[0];
    scene.repo().edit_run(run, |run| {
        (run.status, run.conclusion) = (Some("completed".to_owned()), Some("success".to_owned()));
    });
    assert_eq!(act(&scene, At::Job, 24).audit.exit_code, 0);
    // The next slot fails in another way: another issue, and what was done is still known.
    let sha = scene.repo().read(|repo| repo.refs["heads/main"].clone());
    let (next, _) = scene.training.train(-1, "schedule", 6, &sha);
    scene.repo().edit_run(next, |run| run.conclusion = Some("failure".to_owned()));
    let second = act(&scene, At::Job, 7 * 24);
    let spent = "the budget of 1 action within 30d is spent; somebody has to look";
    assert_eq!(newest(&second), (Outcome::Withheld, spent.to_owned()), "{second:?}");
    assert_eq!((second.audit.remedies.len(), scene.issues().len(), acts(&scene)), (1, 2, 1));
}

#[test]
fn at_home_history_keeps_the_budget() {
    let scene = scene("rerun-failed: true, dispatch-missed: true, budget: { actions: 1, within: 30d }");
    failed(&scene);
    scene.training.fake.token(TOKEN, TokenKind::User, "octocat", &["issues: write"]);
    assert_eq!((newest(&act(&scene, At::Home, 0)).0, acts(&scene)), (Outcome::Verified, 1));
    scene.miss();
    let next = act(&scene, At::Home, 24);
    let spent = "the budget of 1 action within 30d is spent; somebody has to look";
    assert_eq!((newest(&next), acts(&scene)), ((Outcome::Withheld, spent.to_owned()), 1), "{next:?}");
}

#[test]
fn nothing_is_done_unless_it_is_declared_and_asked_for() {
    let declared = scene(ALL);
    failed(&declared);
    let silent = Scene::new();
    failed(&silent);
    let run = |scene: &Scene, args: &[&str]| {
        let training = &scene.training;
        let mut command = training.project.command();
        command.env("GITHUB_API_URL", training.fake.url()).env("GITHUB_TOKEN", TOKEN);
        command.env("GITHUB_REPOSITORY", "org/app").env("HOOK", scene.discord.webhook());
        ran(command.args(["audit", "retrain"]).args(args).output().unwrap())
    };
    let writes = |scene: &Scene| {
        let requests = scene.training.fake.requests();
        requests.iter().filter(|one| one.method != "GET").count() + scene.discord.requests().len()
    };
    // Publishing alone does nothing about it.
    assert_eq!((run(&declared, &["--publish", "--as-of", AS_OF]).code, acts(&declared)), (1, 0));
    let before = writes(&declared);
    let files = || declared.training.project.git(&["status", "--porcelain", "--ignored"]);
    let there = files();
    // What would be done depends on the day; that it is said and nothing is done does not.
    let plan = run(&declared, &["--remediate", "--dry-run"]);
    assert_eq!((plan.code, writes(&declared), files()), (1, before, there), "{plan:?}");
    assert!(plan.stdout.contains("done about it\n") && plan.stdout.contains("dispatch-missed"), "{plan:?}");
    // The same beside the other arguments of a job.
    let job = run(&declared, &["--publish", "--remediate", "--dry-run"]);
    assert_eq!((job.code, writes(&declared)), (1, before), "{job:?}");
    let planned = at_once(&declared, At::Home, 0, Remediate::Plan);
    let id = declared.training.runs[0];
    assert_eq!(newest(&planned), (Outcome::Planned, String::new()));
    assert_eq!(planned.audit.remedies[0].told(), format!("run the failed jobs of run {id} again"));
    assert_eq!(writes(&declared), before);
    for (scene, args, told, hint) in [
        (
            &silent,
            &["--remediate", "--publish"][..],
            "declares nothing that may be done",
            "remediate: { rerun-failed: true }",
        ),
        (&declared, &["--remediate"], "whoever acts tells of it", "--dry-run"),
        (&declared, &["--remediate", "--publish", "--as-of", AS_OF], "a moment of the past", "leave --as-of out"),
        (&declared, &["--remediate", "--dry-run", "--as-of", AS_OF], "a moment of the past", "leave --as-of out"),
        (&declared, &["--dry-run"], "--remediate", ""),
    ] {
        let refused = run(scene, args);
        assert_eq!(refused.code, 2, "{args:?}: {refused:?}");
        assert!(refused.stderr.contains(told) && refused.stderr.contains(hint), "{args:?}: {refused:?}");
    }
    assert_eq!((acts(&declared), acts(&silent)), (0, 0));
}
