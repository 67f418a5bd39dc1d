//! Every state from a world in which all is well, and what it means for the verdict.

use jiff::SignedDuration;

use super::*;
use crate::decode::{Decoder, tree};
use crate::retrain::facts::{Artifact, Commit, Deployment, Job, Listing, Run, Status};
use crate::retrain::settings;
use crate::retrain::slot::{Depth, STATES};
use crate::retrain::workflow;

#[path = "audit_laws.rs"]
mod laws;
#[path = "audit_stories.rs"]
mod stories;

pub(super) const WEEKS: i64 = 4;

/// A Tuesday: the newest slot was two days ago.
pub(in crate::retrain) fn now() -> Timestamp {
    "2026-06-23T18:00:00Z".parse().unwrap()
}

/// The Sunday so many weeks before the newest slot, at 18:00.
pub(in crate::retrain) fn slot_at(weeks_ago: i64) -> Timestamp {
    now() - SignedDuration::from_hours(48 + weeks_ago * 7 * 24)
}

fn after(weeks_ago: i64, minutes: i64) -> Timestamp {
    slot_at(weeks_ago) + SignedDuration::from_mins(minutes)
}

pub(in crate::retrain) fn read(text: &str) -> Settings {
    let node = tree::parse(text).unwrap().unwrap();
    let mut decoder = Decoder::default();
    let settings = settings::decode(&mut decoder, &node);
    assert_eq!(decoder.finish(), []);
    settings.unwrap()
}

pub(in crate::retrain) fn settings() -> Settings {
    read(
        "workflow: train.yml\nhistory: 4w\nlate-after: 30m\ntolerance: 12h\ntimeout: 90m\n\
         expect:\n  artifact: model\n  metrics: { file: metrics.json, must: [f1] }\n  \
         deploy: { within: 6h, environment: production }\n\
         champion: [{ metric: f1, min: 0.6, max-drop: 0.01 }]\n",
    )
}

pub(in crate::retrain) fn sources() -> Sources {
    let text = "on:\n  schedule:\n    - cron: '0 18 * * 0'\njobs: {}\n";
    let file = workflow::read(".github/workflows/train.yml", text).unwrap();
    Sources { audited: Some(file.clone()), files: vec![file], ..Sources::default() }
}

/// The run of a slot: its number is 100 and the weeks.
fn run(weeks_ago: i64) -> Run {
    Run {
        id: 100 + u64::try_from(weeks_ago).unwrap(),
        attempt: Some(1),
        event: Some("schedule".into()),
        status: Some("completed".into()),
        conclusion: Some("success".into()),
        branch: Some("main".into()),
        sha: Some(format!("{weeks_ago:040}")),
        created: Some(after(weeks_ago, 5)),
        started: Some(after(weeks_ago, 5)),
        updated: Some(after(weeks_ago, 45)),
        url: Some(format!("https://github.com/o/r/actions/runs/{}", 100 + weeks_ago)),
    }
}

fn model(of: u64, f1: f64) -> Model {
    let values = [("f1".to_owned(), f1), ("loss".to_owned(), 0.4)].into();
    Model::Read {
        digest: format!("sha256:{of:064}"),
        content: Some(format!("sha256:c{of}")),
        metrics: Metrics::Read(values),
    }
}

pub(in crate::retrain) fn facts() -> Facts {
    let mut facts = Facts::unknown(now(), "o/r");
    facts.repository.default_branch = Some("main".into());
    facts.repository.is_private = Some(false);
    facts.repository.last_activity = Some(after(0, 0));
    facts.workflow.is_known = Some(true);
    facts.workflow.state = Some("active".into());
    facts.workflow.created = Some("2026-01-01T00:00:00Z".parse().unwrap());
    facts.runs = Listing::whole((0..WEEKS).map(run).collect());
    let artifact = |weeks: i64| Artifact {
        id: 200 + u64::try_from(weeks).unwrap(),
        run: Some(run(weeks).id),
        digest: Some(format!("sha256:{:064}", run(weeks).id)),
        created: Some(after(weeks, 40)),
        expired: false,
        expires: Some(after(weeks, 90 * 24 * 60)),
    };
    facts.artifacts = Listing::whole((0..WEEKS).map(artifact).collect());
    facts.models = (0..WEEKS).map(|weeks| (run(weeks).id, model(run(weeks).id, 0.7))).collect();
    let deployment = |weeks: i64| Deployment {
        id: 300 + u64::try_from(weeks).unwrap(),
        sha: run(weeks).sha.unwrap(),
        created: Some(after(weeks, 50)),
        statuses: Listing::whole(vec![Status { state: Some("success".into()), created: Some(after(weeks, 60)) }]),
    };
    facts.deployments = Listing::whole((0..WEEKS).map(deployment).collect());
    facts
}

pub(in crate::retrain) fn newest(facts: &mut Facts) -> &mut Run {
    &mut facts.runs.items_mut()[0]
}

pub(in crate::retrain) fn no_run(facts: &mut Facts) {
    facts.runs.retain(|run| run.id != 100);
}

fn push<T>(list: &mut Listing<T>, item: T) {
    let Listing::Known { items, .. } = list else { panic!() };
    items.push(item);
}

fn cut<T>(list: &mut Listing<T>) {
    let Listing::Known { truncated, .. } = list else { panic!() };
    *truncated = true;
}

fn by_hand(minutes: i64) -> Run {
    let time = Some(after(0, minutes));
    Run {
        id: 150,
        event: Some("workflow_dispatch".into()),
        created: time,
        started: time,
        updated: Some(after(0, minutes + 40)),
        ..run(0)
    }
}

/// What a run by hand left: all that a scheduled one leaves.
fn with_product(facts: &mut Facts, run: Run) {
    push(
        &mut facts.artifacts,
        Artifact {
            id: 250,
            run: Some(run.id),
            digest: Some(format!("sha256:{:064}", run.id)),
            created: run.updated,
            expired: false,
            expires: None,
        },
    );
    facts.models.insert(run.id, model(run.id, 0.71));
    let deployment = &mut facts.deployments.items_mut()[0];
    let after = run.updated.map(|at| at + SignedDuration::from_mins(5));
    (deployment.created, deployment.statuses) =
        (run.updated, Listing::whole(vec![Status { state: Some("success".into()), created: after }]));
    push(&mut facts.runs, run);
}

/// Changes to a world in which all is well: the state of the newest slot, the verdict, and words of its detail.
type Change = (&'static str, State, Verdict, &'static str, fn(&mut Facts));

macro_rules! ends_as {
    ($word:literal, $state:ident, $verdict:ident, $told:literal) => {
        ($word, State::$state, Verdict::$verdict, $told, |facts| newest(facts).conclusion = Some($word.into()))
    };
}

use State as S;
use Verdict as V;

const CHANGES: &[Change] = &[
    ("all is well", S::OnTime, V::Pass, "", |_| {}),
    ("late", S::Late, V::Pass, "", |facts| newest(facts).created = Some(after(0, 31))),
    ("as late as is allowed", S::OnTime, V::Pass, "", |facts| newest(facts).created = Some(after(0, 30))),
    ("nearly too late", S::Late, V::Pass, "", |facts| {
        let run = newest(facts);
        (run.created, run.started, run.updated) = (Some(after(0, 720)), Some(after(0, 720)), Some(after(0, 740)));
        facts.deployments.items_mut()[0].created = Some(after(0, 750));
        facts.deployments.items_mut()[0].statuses =
            Listing::whole(vec![Status { state: Some("success".into()), created: Some(after(0, 760)) }]);
    }),
    ("too late", S::Missed, V::Fail, "came after 12 h 01 min, later than 12h", |facts| {
        newest(facts).created = Some(after(0, 721));
    }),
    ("no run", S::Missed, V::Fail, "no run within 12h", no_run),
    ("no run, and the list is cut before it", S::Missed, V::Fail, "no run within 12h", |facts| {
        no_run(facts);
        cut(&mut facts.runs);
    }),
    ("on time, and the list is cut before it", S::OnTime, V::Pass, "", |facts| cut(&mut facts.runs)),
    ("no run, and the list is cut after it", S::Unknown, V::Inconclusive, "older than the runs", |facts| {
        facts.runs = Listing::whole(vec![by_hand(800)]);
        cut(&mut facts.runs);
    }),
    ("no run, and the list is cut and not readable", S::Unknown, V::Inconclusive, "more than were read", |facts| {
        no_run(facts);
        let Listing::Known { truncated, unreadable, .. } = &mut facts.runs else { panic!() };
        (*truncated, *unreadable) = (true, 1);
    }),
    ("no runs known", S::Unknown, V::Inconclusive, "502", |facts| {
        facts.runs = Listing::Unknown { why: "502 of a proxy".into(), next: "try again".into() };
    }),
    ("no list of runs", S::Unknown, V::Inconclusive, "there is none", |facts| facts.runs = Listing::Absent),
    ("a run without an event", S::Unknown, V::Inconclusive, "when or why", |facts| newest(facts).event = None),
    ("a run without a time", S::Unknown, V::Inconclusive, "when or why", |facts| newest(facts).created = None),
    ("disabled for inactivity", S::Disabled, V::Fail, "60 days", |facts| {
        no_run(facts);
        facts.workflow.state = Some("disabled_inactivity".into());
    }),
    ("disabled by hand", S::Disabled, V::Fail, "somebody", |facts| {
        no_run(facts);
        facts.workflow.state = Some("disabled_manually".into());
    }),
    ("disabled as a fork", S::Disabled, V::Fail, "fork", |facts| {
        no_run(facts);
        facts.workflow.state = Some("disabled_fork".into());
    }),
    ("in a state that is new", S::Disabled, V::Fail, "`brand_new`", |facts| {
        no_run(facts);
        facts.workflow.state = Some("brand_new".into());
    }),
    ("disabled since", S::OnTime, V::Fail, "", |facts| facts.workflow.state = Some("disabled_manually".into())),
    ("not known to GitHub", S::OnTime, V::Fail, "", |facts| facts.workflow.is_known = Some(false)),
    ("in no known state", S::OnTime, V::Inconclusive, "", |facts| facts.workflow.state = None),
    ("another branch", S::WrongBranch, V::Fail, "on `dev`, not on `main`", |facts| {
        newest(facts).branch = Some("dev".into());
    }),
    ("no branch", S::Unknown, V::Inconclusive, "name the branch", |facts| newest(facts).branch = None),
    ("no default branch", S::Unknown, V::Inconclusive, "default branch", |facts| {
        facts.repository.default_branch = None;
    }),
    ends_as!("failure", Failed, Fail, "failed"),
    ends_as!("startup_failure", Failed, Fail, "could not start"),
    ends_as!("skipped", Failed, Fail, "nothing was trained"),
    ends_as!("action_required", Failed, Fail, "approval"),
    ends_as!("timed_out", TimedOut, Fail, "too long"),
    ends_as!("cancelled", Cancelled, Fail, "was cancelled"),
    ends_as!("stale", Cancelled, Fail, "gave its run up"),
    ends_as!("neutral", Unknown, Inconclusive, "not known to be a success"),
    ends_as!("SUCCESS", Unknown, Inconclusive, "not known to be a success"),
    ends_as!("", Unknown, Inconclusive, "not known to be a success"),
    ("no conclusion", S::Unknown, V::Inconclusive, "how its run ended", |facts| newest(facts).conclusion = None),
    ("no status", S::Unknown, V::Inconclusive, "how far", |facts| newest(facts).status = None),
    ("a job that failed", S::Failed, V::Fail, "job `train`, step `fit`", |facts| {
        newest(facts).conclusion = Some("failure".into());
        let job = |name: &str, word: &str, step: Option<&str>| Job {
            name: name.into(),
            conclusion: Some(word.into()),
            step: step.map(str::to_owned),
            tail: Some("boom".into()),
        };
        let jobs =
            vec![job("lint", "success", None), job("after", "cancelled", None), job("train", "failure", Some("fit"))];
        facts.jobs.insert(100, Listing::whole(jobs));
    }),
    ("cancelled after its time", S::TimedOut, V::Fail, "cancelled after 1 h 30 min", |facts| {
        newest(facts).conclusion = Some("cancelled".into());
        newest(facts).updated = Some(after(0, 95));
    }),
    ("cancelled by a newer one", S::Superseded, V::Fail, "run 150 began", |facts| {
        newest(facts).conclusion = Some("cancelled".into());
        push(&mut facts.runs, Run { conclusion: Some("failure".into()), ..by_hand(20) });
    }),
    ("hanging", S::TimedOut, V::Fail, "is in_progress for", |facts| {
        newest(facts).status = Some("in_progress".into());
        newest(facts).conclusion = None;
    }),
    ("no artifact", S::NoArtifact, V::Fail, "left no artifact `model`", |facts| {
        facts.artifacts.retain(|one| one.id != 200)
    }),
    ("no list of artifacts", S::Unknown, V::Inconclusive, "token may not", |facts| facts.artifacts = Listing::Absent),
    ("an artifact of nobody", S::Unknown, V::Inconclusive, "which run left artifact 200", |facts| {
        facts.artifacts.items_mut()[0].run = None;
    }),
    ("expired", S::ArtifactExpired, V::Fail, "has expired", |facts| {
        facts.artifacts.items_mut()[0].expires = Some(after(0, 60));
    }),
    ("expired, as GitHub says", S::ArtifactExpired, V::Fail, "has expired", |facts| {
        let artifact = &mut facts.artifacts.items_mut()[0];
        (artifact.expires, artifact.expired) = (None, true);
    }),
    ("another digest", S::DigestMismatch, V::Fail, "was stored as", |facts| {
        facts.artifacts.items_mut()[0].digest = Some("sha256:beef".into());
    }),
    ("no digest", S::Unknown, V::Inconclusive, "gives no digest", |facts| facts.artifacts.items_mut()[0].digest = None),
    ("not looked into", S::Unknown, V::Inconclusive, "was not looked into", |facts| {
        facts.models.remove(&100);
    }),
    ("could not be read", S::Unknown, V::Inconclusive, "410 Gone", |facts| {
        facts.models.insert(100, Model::Unknown("410 Gone".into()));
    }),
    ("no metrics file", S::MetricsMissing, V::Fail, "no `metrics.json`", |facts| {
        with_metrics(facts, Metrics::Absent);
    }),
    ("no metrics to read", S::MetricsMissing, V::Fail, "not valid JSON", |facts| {
        with_metrics(facts, Metrics::Broken("not valid JSON".into()));
    }),
    ("a metric less", S::MetricsMissing, V::Fail, "`f1` is not there", |facts| {
        with_metrics(facts, Metrics::Read([("loss".to_owned(), 0.1)].into()));
    }),
    ("a metric that is none", S::MetricsMissing, V::Fail, "`f1` is NaN", |facts| {
        with_metrics(facts, Metrics::Read([("f1".to_owned(), f64::NAN)].into()));
    }),
    ("the same model", S::ModelUnchanged, V::Fail, "that of run 101", |facts| {
        let Some(Model::Read { content, .. }) = facts.models.get_mut(&100) else { panic!() };
        *content = Some("sha256:c101".into());
    }),
    ("worse", S::WorseThanChampion, V::Fail, "f1: 0.68, and the champion has 0.7", |facts| {
        facts.models.insert(100, model(100, 0.68));
    }),
    ("below its limit", S::WorseThanChampion, V::Fail, "below the least value, 0.6", |facts| {
        facts.models.insert(100, model(100, 0.59));
    }),
    ("a champion that is not known", S::OnTime, V::Inconclusive, "", |facts| {
        facts.models.remove(&101);
    }),
    ("never deployed", S::NotDeployed, V::Fail, "of its commit within 6h", |facts| {
        facts.deployments.retain(|one| one.id != 300);
    }),
    ("deployed without success", S::NotDeployed, V::Fail, "no deployment to `production`", |facts| {
        facts.deployments.items_mut()[0].statuses.items_mut()[0].state = Some("failure".into());
    }),
    ("deployed too late", S::NotDeployed, V::Fail, "7 h after its end", |facts| {
        facts.deployments.items_mut()[0].statuses.items_mut()[0].created = Some(after(0, 45 + 7 * 60));
    }),
    ("a list that lacks its end, which is before the run", S::NotDeployed, V::Fail, "no deployment", |facts| {
        facts.deployments.retain(|one| one.id != 300);
        cut(&mut facts.deployments);
    }),
    ("a list that ends after the run", S::Unknown, V::Inconclusive, "deployments is not whole", |facts| {
        facts.deployments.retain(|one| one.id == 300);
        facts.deployments.items_mut()[0].sha = "f".repeat(40);
        cut(&mut facts.deployments);
    }),
    ("no list of deployments", S::Unknown, V::Inconclusive, "deployments", |facts| facts.deployments = Listing::Absent),
    ("no statuses", S::Unknown, V::Inconclusive, "deployment 300", |facts| {
        facts.deployments.items_mut()[0].statuses = Listing::Absent;
    }),
    ("deployed nobody knows when", S::Unknown, V::Inconclusive, "succeeded", |facts| {
        facts.deployments.items_mut()[0].statuses.items_mut()[0].created = None;
    }),
    ("no commit", S::Unknown, V::Inconclusive, "name the commit", |facts| newest(facts).sha = None),
    ("no end", S::Unknown, V::Inconclusive, "when its run ended", |facts| newest(facts).updated = None),
    ("a second attempt", S::OnTime, V::Pass, "attempt 2, after 1 earlier attempt", |facts| {
        newest(facts).attempt = Some(2);
    }),
    ("a second attempt of what was deployed", S::OnTime, V::Pass, "attempt 2", |facts| {
        let run = newest(facts);
        (run.attempt, run.started, run.updated) = (Some(2), Some(after(0, 90)), Some(after(0, 100)));
    }),
    ("failed, and another of the slot is green", S::OnTime, V::Pass, "1 other run of this slot", |facts| {
        let failed = Run { id: 160, conclusion: Some("failure".into()), ..run(0) };
        push(&mut facts.runs, failed);
    }),
    ("a day is near", S::OnTime, V::Pass, "", |facts| {
        facts.repository.last_activity = Some(now() - SignedDuration::from_hours(50 * 24));
    }),
];

fn with_metrics(facts: &mut Facts, new: Metrics) {
    let Some(Model::Read { metrics, .. }) = facts.models.get_mut(&100) else { panic!() };
    *metrics = new;
}

#[test]
fn every_state_is_found_from_its_facts() {
    let mut seen = std::collections::BTreeSet::new();
    for (name, state, verdict, told, change) in CHANGES {
        let mut facts = facts();
        change(&mut facts);
        let audit = audit(&settings(), facts, &sources()).audit;
        let slot = audit.slots.last().unwrap();
        assert_eq!((slot.state, audit.verdict), (*state, *verdict), "{name}: {:?}\n{:?}", slot.detail, audit.problems);
        let detail = slot.detail.as_deref().unwrap_or_default();
        assert!(detail.contains(told) && detail.is_empty() == told.is_empty(), "{name}: {detail}");
        assert_eq!(audit.slots.len(), 4, "{name}");
        assert_eq!(audit.exit_code, audit.verdict.exit_code());
        let is_clean = audit.problems.iter().all(|one| one.level == RuleVerdict::Warn);
        assert_eq!(is_clean, *verdict == V::Pass, "{name}: {:?}", audit.problems);
        seen.insert(*state);
    }
    let others = [S::Pending, S::Running];
    assert!(STATES.iter().all(|row| seen.contains(&row.state) || others.contains(&row.state)));
}
