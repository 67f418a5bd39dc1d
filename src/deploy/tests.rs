//! Every state that must not pass.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::facts::{Artifact, Before, Content, Deployment, Evidence, Facts, Listing, Origin, Run, Status, Workflow};
use super::{Expect, Judged, Stage, decide, deciding, newest_shards};
use crate::decode::parse_glob;
use crate::gate::scope::Globs;
use crate::gate::{RuleResult, RuleVerdict, Verdict};

pub(super) const SHA: &str = "0123456789abcdef0123456789abcdef01234567";
pub(super) const OTHER: &str = "76543210fedcba9876543210fedcba9876543210";

pub(super) fn at(hours_ago: i64) -> Option<Timestamp> {
    now().checked_sub(SignedDuration::from_hours(hours_ago)).ok()
}

pub(super) fn now() -> Timestamp {
    "2030-01-31T12:00:00Z".parse().unwrap()
}

pub(super) fn stage() -> Stage {
    Stage {
        name: "production".into(),
        after: Some("staging".into()),
        environment: "production".into(),
        workflows: vec!["ci.yml".into()],
        max_age: Duration::from_secs(24 * 3600),
        artifacts: Globs::new(&[parse_glob("mgmt-evidence*").unwrap()]),
        expect: Expect::Names(vec!["unit".into(), "e2e".into()]),
        gate: Judged::By("deploy".into()),
    }
}

pub(super) fn run() -> Run {
    Run {
        id: 100,
        number: 7,
        attempt: Some(2),
        event: Some("push".into()),
        status: Some("completed".into()),
        conclusion: Some("success".into()),
        head_sha: Some(SHA.into()),
        branch: Some("main".into()),
        origin: Origin::Own,
        started: at(3),
        url: Some("https://github.com/o/r/actions/runs/100".into()),
    }
}

fn artifact(id: u64, name: &str) -> Artifact {
    Artifact { id, name: name.into(), content: Content::Whole }
}

pub(super) fn facts() -> Facts {
    Facts {
        sha: SHA.into(),
        now: now(),
        own_run: Some(999),
        workflows: vec![Workflow { file: "ci.yml".into(), runs: Listing::whole(vec![run()]) }],
        before: Some(Before {
            stage: "staging".into(),
            environment: "staging".into(),
            deployments: Listing::whole(vec![Deployment {
                id: 5,
                sha: SHA.into(),
                environment: Some("staging".into()),
                created: at(2),
            }]),
            statuses: Listing::whole(vec![
                Status { id: 52, state: Some("success".into()), created: at(1) },
                Status { id: 51, state: Some("in_progress".into()), created: at(2) },
            ]),
        }),
        evidence: vec![Evidence {
            workflow: "ci.yml".into(),
            attempt: Some(2),
            artifacts: Listing::whole(vec![
                artifact(1, "mgmt-evidence-unit-attempt1"),
                artifact(2, "mgmt-evidence-unit-attempt2"),
                artifact(3, "mgmt-evidence-e2e-attempt1"),
            ]),
        }],
    }
}

pub(super) fn rule(verdict: RuleVerdict) -> RuleResult {
    RuleResult {
        gate: "deploy".into(),
        metric: "tests.failed".into(),
        scope: None,
        limit: "max 0".into(),
        value: Some(0.0),
        shown: None,
        base: None,
        source: None,
        verdict,
        message: String::new(),
        advice: None,
    }
}

/// Changes to a world that passes.
type Change = (&'static str, Verdict, &'static str, fn(&mut Facts));

pub(super) fn runs(facts: &mut Facts) -> &mut Vec<Run> {
    match &mut facts.workflows[0].runs {
        Listing::Known { items, .. } => items,
        _ => panic!("no runs"),
    }
}

fn artifacts(facts: &mut Facts) -> &mut Vec<Artifact> {
    match &mut facts.evidence[0].artifacts {
        Listing::Known { items, .. } => items,
        _ => panic!("no artifacts"),
    }
}

pub(super) fn before(facts: &mut Facts) -> &mut Before {
    facts.before.as_mut().unwrap()
}

fn deployments(facts: &mut Facts) -> &mut Vec<Deployment> {
    match &mut before(facts).deployments {
        Listing::Known { items, .. } => items,
        _ => panic!("no deployments"),
    }
}

fn statuses(facts: &mut Facts) -> &mut Vec<Status> {
    match &mut before(facts).statuses {
        Listing::Known { items, .. } => items,
        _ => panic!("no statuses"),
    }
}

pub(super) fn truncate<T>(list: &mut Listing<T>) {
    if let Listing::Known { truncated, .. } = list {
        *truncated = true;
    }
}

pub(super) fn spoil<T>(list: &mut Listing<T>) {
    if let Listing::Known { unreadable, .. } = list {
        *unreadable = 1;
    }
}

fn unanswered<T>() -> Listing<T> {
    Listing::Unknown { why: "502 of a proxy".into(), next: "try again".into() }
}

macro_rules! ends_as {
    ($word:literal, $verdict:ident, $told:literal) => {
        ($word, Verdict::$verdict, $told, |facts| runs(facts)[0].conclusion = Some($word.into()))
    };
}

macro_rules! stands_at {
    ($word:literal) => {
        ($word, Verdict::Inconclusive, "has not ended", |facts| {
            // Only the words count: a leftover of the attempt before is none of this one's.
            runs(facts)[0].status = Some($word.into());
        })
    };
}

macro_rules! deployed_as {
    ($word:literal, $verdict:ident, $told:literal) => {
        ($word, Verdict::$verdict, $told, |facts| {
            statuses(facts).push(Status { id: 53, state: Some($word.into()), created: at(0) });
        })
    };
}

const CHANGES: &[Change] = &[
    ends_as!("failure", Fail, "failed"),
    ends_as!("timed_out", Fail, "took too long"),
    ends_as!("startup_failure", Fail, "could not start"),
    ends_as!("cancelled", Inconclusive, "was cancelled"),
    ends_as!("skipped", Inconclusive, "nothing ran"),
    ends_as!("neutral", Inconclusive, "neither yes nor no"),
    ends_as!("stale", Inconclusive, "given up by GitHub"),
    ends_as!("action_required", Inconclusive, "somebody's approval"),
    ends_as!("SUCCESS", Inconclusive, "not known to be a success"),
    ends_as!("brand_new", Inconclusive, "not known to be a success"),
    ends_as!("", Inconclusive, "not known to be a success"),
    ("no conclusion", Verdict::Inconclusive, "does not say how", |facts| runs(facts)[0].conclusion = None),
    stands_at!("in_progress"),
    stands_at!("queued"),
    stands_at!("waiting"),
    stands_at!("pending"),
    stands_at!("requested"),
    stands_at!("brand_new"),
    ("no status", Verdict::Inconclusive, "does not say how far", |facts| runs(facts)[0].status = None),
    ("no commit", Verdict::Inconclusive, "does not say its commit", |facts| runs(facts)[0].head_sha = None),
    ("no event", Verdict::Inconclusive, "does not say what started it", |facts| runs(facts)[0].event = None),
    ("no origin", Verdict::Inconclusive, "the repository of its commit", |facts| {
        runs(facts)[0].origin = Origin::Unknown;
    }),
    ("no time", Verdict::Inconclusive, "does not say when it began", |facts| runs(facts)[0].started = None),
    ("no attempt", Verdict::Inconclusive, "does not say its attempt", |facts| runs(facts)[0].attempt = None),
    ("another commit", Verdict::Inconclusive, "of another commit", |facts| {
        runs(facts)[0].head_sha = Some(OTHER.into())
    }),
    ("a fork", Verdict::Inconclusive, "only a fork has run", |facts| {
        runs(facts)[0].origin = Origin::Fork;
        runs(facts)[0].event = Some("pull_request".into());
    }),
    ("a fork that pushes", Verdict::Inconclusive, "only a fork", |facts| runs(facts)[0].origin = Origin::Fork),
    ("a pull request", Verdict::Inconclusive, "`pull_request` only", |facts| {
        runs(facts)[0].event = Some("pull_request".into());
    }),
    ("another workflow's end", Verdict::Inconclusive, "`workflow_run` only", |facts| {
        runs(facts)[0].event = Some("workflow_run".into());
    }),
    ("no run", Verdict::Inconclusive, "has not run on this commit", |facts| runs(facts).clear()),
    ("no workflow", Verdict::Inconclusive, "there is no workflow", |facts| facts.workflows[0].runs = Listing::Absent),
    ("no answer", Verdict::Inconclusive, "502 of a proxy", |facts| facts.workflows[0].runs = unanswered()),
    ("not asked", Verdict::Inconclusive, "nobody asked", |facts| facts.workflows.clear()),
    ("runs cut", Verdict::Inconclusive, "more than were read", |facts| truncate(&mut facts.workflows[0].runs)),
    ("runs unreadable", Verdict::Inconclusive, "1 entry could not be read", |facts| {
        spoil(&mut facts.workflows[0].runs)
    }),
    ("too old", Verdict::Inconclusive, "too old", |facts| runs(facts)[0].started = at(25)),
    ("in the future", Verdict::Inconclusive, "in the future", |facts| runs(facts)[0].started = at(-1)),
    ("a later run failed", Verdict::Fail, "run 8 (push on main) failed", |facts| {
        let later =
            Run { id: 101, number: 8, attempt: Some(1), conclusion: Some("failure".into()), started: at(2), ..run() };
        runs(facts).push(later);
    }),
    ("a later run goes", Verdict::Inconclusive, "has not ended", |facts| {
        runs(facts).push(Run { id: 101, status: Some("queued".into()), conclusion: None, started: at(2), ..run() });
    }),
    ("an earlier run goes again", Verdict::Inconclusive, "has not ended", |facts| {
        runs(facts).push(Run { id: 99, status: Some("in_progress".into()), conclusion: None, started: at(9), ..run() });
    }),
    ("a run without a time failed", Verdict::Fail, "failed", |facts| {
        runs(facts).push(Run { id: 99, conclusion: Some("failure".into()), started: None, ..run() });
    }),
    ("this very run", Verdict::Inconclusive, "waits for this gate", |facts| {
        facts.own_run = Some(100);
        runs(facts)[0].status = Some("in_progress".into());
    }),
    deployed_as!("failure", Fail, "ended as failure"),
    deployed_as!("error", Fail, "ended as error"),
    deployed_as!("inactive", Fail, "was retired"),
    deployed_as!("in_progress", Inconclusive, "is in_progress"),
    deployed_as!("queued", Inconclusive, "is queued"),
    deployed_as!("pending", Inconclusive, "is pending"),
    deployed_as!("brand_new", Inconclusive, "not known to be live"),
    ("a state that is none", Verdict::Inconclusive, "does not say how", |facts| statuses(facts)[0].state = None),
    ("never deployed", Verdict::Fail, "never deployed", |facts| deployments(facts).clear()),
    ("no status yet", Verdict::Inconclusive, "no status yet", |facts| statuses(facts).clear()),
    ("another commit live", Verdict::Fail, "never deployed", |facts| deployments(facts)[0].sha = OTHER.into()),
    ("another environment", Verdict::Fail, "never deployed", |facts| {
        deployments(facts)[0].environment = Some("review".into());
    }),
    ("environment unknown", Verdict::Inconclusive, "where", |facts| deployments(facts)[0].environment = None),
    ("deployed in the future", Verdict::Inconclusive, "in the future", |facts| deployments(facts)[0].created = at(-1)),
    ("live in the future", Verdict::Inconclusive, "in the future", |facts| statuses(facts)[0].created = at(-1)),
    ("deployed nobody knows when", Verdict::Inconclusive, "does not say when", |facts| {
        deployments(facts)[0].created = None
    }),
    ("live nobody knows since when", Verdict::Inconclusive, "does not say when", |facts| {
        statuses(facts)[0].created = None
    }),
    ("deployments cut", Verdict::Inconclusive, "not whole", |facts| truncate(&mut before(facts).deployments)),
    ("deployments unreadable", Verdict::Inconclusive, "not whole", |facts| spoil(&mut before(facts).deployments)),
    ("statuses cut", Verdict::Inconclusive, "not whole", |facts| truncate(&mut before(facts).statuses)),
    ("deployments not seen", Verdict::Inconclusive, "may not see", |facts| before(facts).deployments = Listing::Absent),
    ("statuses not seen", Verdict::Inconclusive, "502 of a proxy", |facts| before(facts).statuses = unanswered()),
    ("stage not asked", Verdict::Inconclusive, "nobody asked", |facts| facts.before = None),
    ("an artifact expired", Verdict::Inconclusive, "has expired", |facts| {
        artifacts(facts)[1].content = Content::Expired
    }),
    ("an artifact of another commit", Verdict::Inconclusive, "is of", |facts| {
        artifacts(facts)[2].content = Content::Useless("it is of another commit".into());
    }),
    ("an artifact not read", Verdict::Inconclusive, "was not read", |facts| {
        artifacts(facts)[2].content = Content::Unread
    }),
    ("a shard missing", Verdict::Inconclusive, "the evidence of e2e is missing", |facts| {
        artifacts(facts).pop();
    }),
    ("an attempt newer than the run", Verdict::Inconclusive, "began after attempt 2", |facts| {
        artifacts(facts).push(artifact(9, "mgmt-evidence-e2e-attempt3"));
    }),
    ("no attempt in its name", Verdict::Inconclusive, "does not tell its attempt", |facts| {
        artifacts(facts).push(artifact(9, "mgmt-evidence-lint"));
    }),
    ("artifacts cut", Verdict::Inconclusive, "not whole", |facts| truncate(&mut facts.evidence[0].artifacts)),
    ("artifacts unreadable", Verdict::Inconclusive, "not whole", |facts| spoil(&mut facts.evidence[0].artifacts)),
    ("artifacts not seen", Verdict::Inconclusive, "not whole", |facts| facts.evidence[0].artifacts = Listing::Absent),
    ("evidence not looked for", Verdict::Inconclusive, "was not looked for", |facts| facts.evidence.clear()),
];

#[test]
fn what_is_missing_unclear_or_bad_never_passes_and_says_why_and_what_to_do() {
    assert_eq!(decide(&stage(), &facts(), &[rule(RuleVerdict::Pass)]).verdict, Verdict::Pass);
    for (name, verdict, told, change) in CHANGES {
        let mut facts = facts();
        change(&mut facts);
        let decision = decide(&stage(), &facts, &[rule(RuleVerdict::Pass)]);
        let said: Vec<_> = decision.reasons.iter().filter(|reason| reason.verdict != RuleVerdict::Pass).collect();
        assert_eq!(decision.verdict, *verdict, "{name}: {said:?}");
        assert!(said.iter().any(|reason| reason.message.contains(told)), "{name}: {said:?}");
        for reason in said {
            let next = reason.next.as_deref().unwrap_or_default();
            assert!(!next.is_empty() && !reason.found.is_empty() && !reason.wanted.is_empty(), "{name}: {reason:?}");
        }
    }
}

#[test]
fn what_does_not_bear_on_the_commit_keeps_nothing_back() {
    type Harmless = (&'static str, fn(&mut Facts));
    let harmless: [Harmless; 6] = [
        ("a fork's run of the same commit failed", |facts| {
            let fork =
                Run { id: 101, origin: Origin::Fork, conclusion: Some("failure".into()), started: at(1), ..run() };
            runs(facts).push(fork);
        }),
        ("a pull request's run goes", |facts| {
            let pull = Run { id: 101, event: Some("pull_request".into()), status: None, conclusion: None, ..run() };
            runs(facts).push(pull);
        }),
        ("an earlier run failed", |facts| {
            runs(facts).push(Run { id: 99, conclusion: Some("failure".into()), started: at(9), ..run() });
        }),
        ("an older attempt's evidence expired", |facts| artifacts(facts)[0].content = Content::Expired),
        ("clocks differ by a minute", |facts| {
            runs(facts)[0].started = now().checked_add(SignedDuration::from_mins(1)).ok();
        }),
        ("it was deployed before, and that was retired", |facts| {
            let old = Deployment { id: 4, created: at(9), ..deployments(facts)[0].clone() };
            deployments(facts).push(old);
        }),
    ];
    for (name, change) in harmless {
        let mut facts = facts();
        change(&mut facts);
        let decision = decide(&stage(), &facts, &[rule(RuleVerdict::Pass)]);
        assert_eq!(decision.verdict, Verdict::Pass, "{name}: {:?}", decision.reasons);
    }
}

#[test]
fn order_in_a_listing_means_nothing() {
    let mut later = facts();
    runs(&mut later).insert(0, Run { id: 99, conclusion: Some("failure".into()), started: at(9), ..run() });
    assert_eq!(deciding(&later.workflows[0], SHA).unwrap().id, 100);
    statuses(&mut later).reverse();
    assert_eq!(decide(&stage(), &later, &[rule(RuleVerdict::Pass)]).verdict, Verdict::Pass);
}

#[test]
fn rules_decide_with_the_rest_and_none_is_no_answer() {
    for (rules, verdict) in [
        (vec![RuleVerdict::Warn], Verdict::Pass),
        (vec![RuleVerdict::Pass, RuleVerdict::Inconclusive], Verdict::Inconclusive),
        (vec![RuleVerdict::Inconclusive, RuleVerdict::Fail], Verdict::Fail),
        (vec![], Verdict::Inconclusive),
    ] {
        let rules: Vec<_> = rules.into_iter().map(rule).collect();
        assert_eq!(decide(&stage(), &facts(), &rules).verdict, verdict, "{rules:?}");
    }
    let workflows_only = Stage { gate: Judged::Nothing, after: None, ..stage() };
    assert_eq!(decide(&workflows_only, &facts(), &[]).verdict, Verdict::Pass);
    let nothing = Stage { workflows: Vec::new(), ..workflows_only };
    assert_eq!(decide(&nothing, &facts(), &[]).verdict, Verdict::Inconclusive);
}

#[test]
fn of_each_shard_the_newest_attempt_counts_by_number() {
    let names = [
        "mgmt-evidence-attempt9",
        "mgmt-evidence-attempt10",
        "mgmt-evidence-a-attempt2",
        "mgmt-evidence-a",
        "mgmt-evidence-b-attempt-attempt1",
        "mgmt-evidence-c-attempt01",
        "mgmt-evidence-c-attempt99999999999",
        "reports",
    ];
    let artifacts: Vec<_> = names.iter().zip(1..).map(|(name, id)| artifact(id, name)).collect();
    let chosen: Vec<_> = newest_shards(&artifacts).into_iter().map(|one| (one.shard, one.attempt)).collect();
    let want = [
        ("", Some(10)),
        ("a", Some(2)),
        ("b-attempt", Some(1)),
        ("c-attempt01", None),
        ("c-attempt99999999999", None),
        ("reports", None),
    ];
    assert_eq!(chosen, want.map(|(shard, attempt)| (shard.to_owned(), attempt)));
}

#[test]
fn only_what_goes_on_and_can_end_well_is_waited_for() {
    let waits = |change: fn(&mut Facts)| {
        let mut facts = facts();
        change(&mut facts);
        decide(&stage(), &facts, &[rule(RuleVerdict::Pass)]).waits_for().len()
    };
    assert_eq!(waits(|_| {}), 0);
    assert_eq!(waits(|facts| runs(facts)[0].status = Some("queued".into())), 1);
    assert_eq!(waits(|facts| runs(facts).clear()), 1);
    assert_eq!(waits(|facts| runs(facts)[0].conclusion = Some("cancelled".into())), 0);
    assert_eq!(waits(|facts| statuses(facts)[0].state = Some("queued".into())), 1);
    assert_eq!(
        waits(|facts| {
            runs(facts)[0].status = Some("queued".into());
            deployments(facts).clear();
        }),
        0,
        "what has failed does not get better by waiting"
    );
    assert_eq!(
        waits(|facts| {
            facts.own_run = Some(100);
            runs(facts)[0].status = Some("in_progress".into());
        }),
        0,
        "a run that waits for itself"
    );
}

#[test]
fn hostile_words_stay_on_one_line() {
    let mut facts = facts();
    runs(&mut facts)[0].event = Some("push\n::error::x".into());
    runs(&mut facts)[0].conclusion = Some("bad\u{202e}\n".into());
    statuses(&mut facts)[0].state = Some("x\ny".into());
    artifacts(&mut facts)[1] = Artifact { content: Content::Expired, ..artifact(2, "mgmt-evidence-unit\n-attempt2") };
    for reason in decide(&stage(), &facts, &[]).reasons {
        assert!(!reason.message.contains(['\n', '\u{202e}']) && !reason.found.contains('\n'), "{reason:?}");
    }
}
