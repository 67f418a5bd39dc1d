//! Which artifacts hold the evidence of a commit, and whether that is all of it.
//!
//! An artifact is called `mgmt-evidence[-SHARD]-attempt<N>`. Of each shard the newest attempt's counts, by number: a
//! re-run of a few jobs leaves the others' evidence in an earlier attempt.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Artifact, Content, Evidence, Facts};
use super::reason::{Doubts, Reason};
use super::settings::{Expect, Stage};
use crate::sys::text;

/// How names of artifacts begin; what follows names the shard.
const PREFIX: &str = "mgmt-evidence";

/// An artifact that counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen<'a> {
    /// The shard; empty for the only one.
    pub shard: String,
    /// The attempt that its name tells.
    pub attempt: Option<u32>,
    /// The artifact.
    pub artifact: &'a Artifact,
}

/// Of each shard the artifact of the newest attempt, ascending by shard.
#[must_use]
pub fn newest(artifacts: &[Artifact]) -> Vec<Chosen<'_>> {
    let mut found: BTreeMap<String, Chosen<'_>> = BTreeMap::new();
    for artifact in artifacts {
        let (shard, attempt) = parts(&artifact.name);
        let chosen = Chosen { shard: shard.to_owned(), attempt, artifact };
        let order = |one: &Chosen<'_>| (one.attempt, one.artifact.id);
        match found.get(shard) {
            Some(other) if order(other) >= order(&chosen) => {}
            _ => {
                found.insert(shard.to_owned(), chosen);
            }
        }
    }
    found.into_values().collect()
}

/// The shard and the attempt that a name tells.
fn parts(name: &str) -> (&str, Option<u32>) {
    let numbered = name.rsplit_once("-attempt").and_then(|(base, number)| {
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
        Some((base, Some(number.parse().ok().filter(|_| is_plain)?)))
    });
    let (base, attempt) = numbered.unwrap_or((name, None));
    let shard = base.strip_prefix(PREFIX).map(|shard| shard.strip_prefix('-').unwrap_or(shard));
    (shard.unwrap_or(base), attempt)
}

/// Whether all evidence that is wanted is there.
pub(super) fn reason(stage: &Stage, facts: &Facts) -> Reason {
    let mut doubts = Doubts::none();
    let mut names = BTreeSet::new();
    let mut shards = 0;
    for file in &stage.workflows {
        match facts.evidence.iter().find(|evidence| evidence.workflow == *file) {
            Some(evidence) => {
                for chosen in newest(evidence.artifacts.items()) {
                    shards += u64::from(read(&mut doubts, &chosen, evidence));
                    names.insert(chosen.shard);
                }
                if let Some(gap) = evidence.artifacts.gap() {
                    let message = format!("the list of the artifacts of {file} is not whole: {gap}");
                    doubts.open("list not whole", message, "try again; the token needs the permission `actions: read`");
                }
            }
            None => {
                let message =
                    format!("the evidence of {file} was not looked for: its run does not speak for this commit");
                doubts.open("not read", message, format!("let {file} run to its end on this commit"));
            }
        }
    }
    let has = |count: u64| text::plural(count, "shard", "shards");
    let upload = "let the jobs upload theirs with `mgmt collect`, and compare the names with `artifacts` and `expect`";
    match &stage.expect {
        Expect::Some if shards == 0 => doubts.open("none", "none of the runs left evidence behind", upload),
        Expect::Count(count) if shards < *count => {
            let message =
                format!("the evidence of {} is missing: {} of {count} there", has(count - shards), has(shards));
            doubts.open(has(shards), message, upload);
        }
        Expect::Names(wanted) => {
            let missing: Vec<_> =
                wanted.iter().filter(|name| !names.contains(*name)).map(|n| text::one_line(n)).collect();
            if !missing.is_empty() {
                let message = format!("the evidence of {} is missing", text::list(&missing));
                doubts.open(has(shards), message, upload);
            }
        }
        Expect::Some | Expect::Count(_) => {}
    }
    let wanted = match &stage.expect {
        Expect::Some => "of this commit".to_owned(),
        Expect::Count(count) => format!("at least {}", has(*count)),
        Expect::Names(names) => text::shorten(&text::one_line(&names.join(", ")), 120),
    };
    doubts.reason("evidence".to_owned(), wanted, None, || (has(shards), format!("{} of this commit", has(shards))))
}

/// Whether an artifact could be used.
fn read(doubts: &mut Doubts, chosen: &Chosen<'_>, evidence: &Evidence) -> bool {
    let name = text::shorten(&text::one_line(&chosen.artifact.name), 120);
    let again = format!("run {} again on this commit", evidence.workflow);
    match &chosen.artifact.content {
        Content::Whole => {}
        Content::Expired => doubts.open("expired", format!("`{name}` has expired"), again.clone()),
        Content::Useless(why) => doubts.open("not usable", format!("`{name}`: {why}"), again.clone()),
        Content::Unread => doubts.open("not read", format!("`{name}` was not read"), "try again"),
    }
    match (chosen.attempt, evidence.attempt) {
        (Some(of), Some(newest)) if of > newest => {
            let message = format!("`{name}` is of attempt {of}, which began after attempt {newest} was looked at");
            doubts.open("newer attempt", message, "ask again when it has ended");
        }
        (None, Some(newest)) if newest > 1 => {
            let message = format!("`{name}` does not tell its attempt, and the run had {newest} of them");
            doubts.open("attempt unknown", message, "end its name with -attempt<N>, as the action does");
        }
        _ => {}
    }
    chosen.artifact.content == Content::Whole
}
