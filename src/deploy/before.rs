//! Whether a commit is live where the stage before deploys to.

use super::facts::{Before, Deployment, Facts, Listing, Status};
use super::reason::{Doubts, Reason};
use crate::gate::RuleVerdict;
use crate::sys::text;

/// How far two clocks may be apart.
const SKEW: i64 = 300;

/// The newest deployment of a commit to an environment. One without a time may be the newest, and is then taken.
#[must_use]
pub fn newest<'a>(deployments: &'a [Deployment], sha: &str, environment: &str) -> Option<&'a Deployment> {
    let is_of = |deployment: &&Deployment| {
        deployment.sha.eq_ignore_ascii_case(sha)
            && deployment.environment.as_deref().is_none_or(|name| name.eq_ignore_ascii_case(environment))
    };
    deployments.iter().filter(is_of).max_by_key(|one| (one.created.is_none(), one.created, one.id))
}

fn newest_status(statuses: &[Status]) -> Option<&Status> {
    statuses.iter().max_by_key(|one| (one.created.is_none(), one.created, one.id))
}

/// What the stage before says.
pub(super) fn reason(after: &str, facts: &Facts) -> Reason {
    let subject = format!("stage {after}");
    let wanted = "live".to_owned();
    let mut doubts = Doubts::none();
    let Some(before) = facts.before.as_ref().filter(|before| before.stage == after) else {
        doubts.open("not asked", format!("nobody asked for the deployments of {after}"), "ask again");
        return doubts.reason(subject, wanted, None, Default::default);
    };
    let environment = text::one_line(&before.environment);
    let deployment = newest(before.deployments.items(), &facts.sha, &before.environment);
    match deployment {
        Some(deployment) => live(&mut doubts, before, deployment, facts, &environment),
        None if before.deployments.gap().is_none() => {
            let message = format!("this commit was never deployed to {environment}");
            doubts.add(RuleVerdict::Fail, "no deployment", message, format!("deploy it to {environment} first"));
        }
        None => {}
    }
    listed(&mut doubts, &before.deployments, &format!("the deployments to {environment}"));
    if before.deployments.items().iter().any(|one| !one.sha.eq_ignore_ascii_case(&facts.sha)) {
        let message = format!("GitHub names deployments of another commit to {environment} beside those asked for");
        doubts.open("another commit", message, "try again; what belongs to this commit is not clear");
    }
    doubts.reason(subject, wanted, None, || {
        let id = deployment.map(|deployment| deployment.id).unwrap_or_default();
        ("live".to_owned(), format!("this commit is live in {environment} (deployment {id})"))
    })
}

fn live(doubts: &mut Doubts, before: &Before, deployment: &Deployment, facts: &Facts, environment: &str) {
    let told = format!("its newest deployment to {environment} ({})", deployment.id);
    let again = format!("deploy it to {environment} again");
    listed(doubts, &before.statuses, &format!("the statuses of {told}"));
    let status = newest_status(before.statuses.items());
    match status.map(|status| status.state.as_deref()) {
        Some(Some("success")) => {}
        Some(Some(word @ ("failure" | "error"))) => {
            doubts.add(RuleVerdict::Fail, word, format!("{told} ended as {word}"), again);
        }
        Some(Some("inactive")) => {
            let message = format!("{told} was retired: another one took its place, or it was taken down");
            doubts.add(RuleVerdict::Fail, "inactive", message, again);
        }
        Some(Some(word @ ("in_progress" | "queued" | "pending" | "waiting"))) => {
            doubts.running(word, format!("{told} is {word}"), format!("wait until it is live in {environment}"));
        }
        Some(Some(word)) => {
            let word = text::shorten(&text::one_line(word), 60);
            let message = format!("{told} is `{word}`, which is not known to be live");
            doubts.open(word, message, again);
        }
        Some(None) => doubts.open("unknown", format!("GitHub does not say how {told} is"), again),
        None if before.statuses.gap().is_none() => {
            doubts.running(
                "no status",
                format!("{told} has no status yet"),
                format!("wait until it is live in {environment}"),
            );
        }
        None => {}
    }
    if deployment.environment.is_none() {
        doubts.open("not known", format!("GitHub does not say where {told} went"), again_later());
    }
    let times = [Some(deployment.created), status.map(|status| status.created)];
    for time in times.into_iter().flatten() {
        match time {
            None => doubts.open("not known", format!("GitHub does not say when {told} was"), again_later()),
            Some(time) if facts.now.duration_since(time).as_secs() < -SKEW => {
                let message = format!("{told} lies in the future: one of two clocks is wrong");
                doubts.open("in the future", message, "set the clock of this machine");
            }
            Some(_) => {}
        }
    }
}

fn again_later() -> String {
    "try again".to_owned()
}

fn listed<T>(doubts: &mut Doubts, list: &Listing<T>, what: &str) {
    match list {
        Listing::Unknown { why, next } => doubts.open("no answer", why.clone(), next.clone()),
        Listing::Absent => {
            let next = "check that the token has the permission `deployments: read`";
            doubts.open("not seen", format!("{what} are not there, or the token may not see them"), next);
        }
        Listing::Known { .. } => {
            if let Some(gap) = list.gap() {
                doubts.open("list not whole", format!("the list of {what} is not whole: {gap}"), "try again");
            }
        }
    }
}
