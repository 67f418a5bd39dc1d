//! `retrain:` as it stands in the configuration.

use std::time::Duration;

use serde_json::{Value, json};

use super::challenge;
pub use super::challenge::{Challenge, Drop, Size};
use super::cron::{self, Cron, Schedule};
use super::remediate;
pub use super::remediate::Remedies;
use super::words::{CODE, words};
use crate::decode::tree::{Data, Node};
use crate::decode::{Decoder, Key, Place, schema};
use crate::gate::rule;
use crate::gate::scope::Globs;
use crate::sys::text;

const LATE_AFTER: Duration = Duration::from_secs(30 * 60);
const TOLERANCE: Duration = Duration::from_secs(12 * 3600);
/// How long GitHub lets a job go on.
const TIMEOUT: Duration = Duration::from_secs(6 * 3600);
const HISTORY: Duration = Duration::from_secs(12 * 7 * 86_400);
const MOST_HISTORY: Duration = Duration::from_secs(366 * 86_400);

/// What a scheduled retraining must have done.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `owner/name` of another repository.
    pub repository: Option<String>,
    /// The workflow's file name.
    pub workflow: String,
    /// When it should run.
    pub when: When,
    /// A run that begins later than this is late.
    pub late_after: Duration,
    /// A run that begins later than this comes too late: its slot is missed.
    pub tolerance: Duration,
    /// A run that goes on for longer hangs.
    pub timeout: Duration,
    /// What must have come of it.
    pub expect: Expect,
    /// What a new model is held to.
    pub champion: Vec<Challenge>,
    /// How far back slots are looked at.
    pub history: Duration,
    /// What may be done about a slot that did not do what is expected.
    pub remediate: Option<Remedies>,
}

/// Where the schedule is written.
#[derive(Clone, Debug)]
pub enum When {
    /// In the workflow's own file.
    FromWorkflow,
    /// In the configuration.
    Given(Vec<Schedule>),
}

/// What must have come of a run.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// The branch that it must have run on; the default branch if not given.
    pub branch: Option<String>,
    /// The model that it must have left.
    pub model: Option<Trace>,
    /// The metrics that the model's artifact must hold.
    pub metrics: Option<Metrics>,
    /// Where the model must have gone.
    pub deploy: Option<Deploy>,
}

/// What a new model leaves behind.
#[derive(Clone, Debug)]
pub enum Trace {
    /// An artifact of the run.
    Artifact {
        /// Its name.
        name: String,
        /// Whether it must have a digest, and hold to it.
        digest: bool,
    },
    /// A commit that touches these paths.
    Commit(Globs),
}

/// The file with metrics in the artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Its path in the artifact.
    pub file: String,
    /// Names that must be there, as finite numbers.
    pub must: Vec<String>,
}

/// Where a new model must have gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deploy {
    /// How long after the run's end.
    pub within: Duration,
    /// What shows it.
    pub to: Target,
}

/// What shows that a model was deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A deployment to this environment.
    Environment(String),
    /// A run of this workflow.
    Workflow(String),
}

/// The keys of `retrain:`.
pub const KEYS: &[Key] = &[
    Key::required(
        "workflow",
        "The file of the workflow that trains: `model-training.yml`, or `{repo: owner/name, workflow: …}`.",
        || json!({ "anyOf": [file_schema(), schema::object(WORKFLOW)] }),
    ),
    Key::optional(
        "cron",
        "When it should run: `from-workflow` (the default), or `{cron: '0 18 * * 0', timezone: UTC}`, or a list of those.",
        || {
            json!({ "anyOf": [{ "const": FROM_WORKFLOW }, schema::object(CRON),
            { "type": "array", "items": schema::object(CRON), "minItems": 1 }] })
        },
    ),
    Key::optional(
        "late-after",
        "A run that begins later than this is late: a warning (default 30m).",
        schema::duration,
    ),
    Key::optional(
        "tolerance",
        "A run that begins later than this comes too late: its slot is missed (default 12h).",
        schema::duration,
    ),
    Key::optional("timeout", "A run that goes on for longer than this hangs (default 6h).", schema::duration),
    Key::optional("expect", "What must have come of a run.", || schema::object(EXPECT)),
    Key::optional(
        "champion",
        "What a new model is held to: limits, and the model before it.",
        || json!({ "type": "array", "items": schema::object(challenge::KEYS), "minItems": 1 }),
    ),
    Key::optional("history", "How far back slots are looked at (default 12w, at most 366d).", schema::duration),
    Key::optional(
        "remediate",
        "What `--remediate` may do about a slot that did not do what is expected; each action is declared.",
        || schema::object(remediate::KEYS),
    ),
];

const WORKFLOW: &[Key] = &[
    Key::required("repo", "The repository: `owner/name`.", repository_schema),
    Key::required("workflow", "The workflow's file.", file_schema),
];

const CRON: &[Key] = &[
    Key::required("cron", "Five fields, as GitHub reads them.", schema::string),
    Key::optional("timezone", "A name of the IANA time zone database (default UTC).", schema::string),
];

const EXPECT: &[Key] = &[
    Key::optional("branch", "The branch that it runs on (default: the repository's default branch).", schema::string),
    Key::optional(
        "artifact",
        "The artifact that holds the model: its name, `{name: model, digest: false}` where GitHub gives no digests, or \
         `{commit: models/**}` for a commit that touches these paths.",
        || json!({ "anyOf": [{ "type": "string" }, schema::object(ARTIFACT)] }),
    ),
    Key::optional("metrics", "The file with metrics in that artifact.", || schema::object(METRICS)),
    Key::optional("deploy", "Where the model must have gone.", || schema::object(DEPLOY)),
];

const ARTIFACT: &[Key] = &[
    Key::optional("name", "The artifact's name.", schema::string),
    Key::optional("digest", "Whether it must have a digest and hold to it (default true).", schema::boolean),
    Key::optional("commit", "Instead of an artifact: paths that a commit must touch.", rule::globs_schema),
];

const METRICS: &[Key] = &[
    Key::required("file", "Its path in the artifact.", schema::string),
    Key::optional("must", "Names that must be there, as finite numbers; nested ones with dots.", schema::strings),
];

const DEPLOY: &[Key] = &[
    Key::required("within", "How long after the run's end.", schema::duration),
    Key::optional("environment", "The environment that must have a successful deployment.", schema::string),
    Key::optional("workflow", "Instead of an environment: the workflow that must have run successfully.", file_schema),
];

const FROM_WORKFLOW: &str = "from-workflow";

fn file_schema() -> Value {
    json!({ "type": "string", "pattern": "\\.ya?ml$" })
}

fn repository_schema() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$" })
}

/// The schema of the section.
#[must_use]
pub fn settings_schema() -> Value {
    schema::object(KEYS)
}

/// Decodes the section.
pub fn decode(decoder: &mut Decoder, node: &Node) -> Option<Settings> {
    let fields = decoder.fields(node, "retrain", &[KEYS])?;
    let workflow = fields.get("workflow").and_then(|node| workflow(decoder, node));
    let when = fields.get("cron").map_or(Some(When::FromWorkflow), |node| when(decoder, node));
    let mut span = |key: &str, default| fields.get(key).map_or(Some(default), |node| decoder.duration(node));
    let (late_after, tolerance) = (span("late-after", LATE_AFTER), span("tolerance", TOLERANCE));
    let (timeout, history) = (span("timeout", TIMEOUT), span("history", HISTORY));
    if let (Some(late), Some(tolerance)) = (late_after, tolerance)
        && late > tolerance
    {
        let place = fields.key_place("late-after").or_else(|| fields.key_place("tolerance")).unwrap_or(fields.place);
        let (late, tolerance) = (text::duration_setting(late), text::duration_setting(tolerance));
        let message = format!("no run could be late: `late-after` is {late}, and after {tolerance} it is missed");
        decoder.error(CODE, place, message, Some("write a `tolerance` that is not shorter".to_owned()));
    }
    if history.is_some_and(|history| history > MOST_HISTORY) {
        let place = fields.key_place("history").unwrap_or(fields.place);
        decoder.error(CODE, place, "a history of more than 366 days", Some("write `history: 12w`".to_owned()));
    }
    let expect = fields.get("expect").map_or(Some(Expect::default()), |node| expect(decoder, node));
    let champion = fields.get("champion").map_or(Some(Vec::new()), |node| challenge::decode(decoder, node));
    if let (Some(expect), Some(place)) = (&expect, fields.key_place("champion"))
        && expect.metrics.is_none()
        && fields.get("champion").is_some()
    {
        let help = "say under `expect: metrics:` which file of the artifact holds them".to_owned();
        decoder.error(CODE, place, "a new model has no metrics that could be compared", Some(help));
    }
    let remediate = fields.get("remediate").map_or(Some(None), |node| remediate::decode(decoder, node).map(Some));
    if let (None, Some(place)) = (fields.get("remediate"), fields.key_place("remediate")) {
        remediate::undeclared(decoder, place);
    }
    let (repository, workflow) = workflow?;
    Some(Settings {
        repository,
        workflow,
        when: when?,
        late_after: late_after?,
        tolerance: tolerance?,
        timeout: timeout?,
        expect: expect?,
        champion: champion?,
        history: history?,
        remediate: remediate?,
    })
}

fn workflow(decoder: &mut Decoder, node: &Node) -> Option<(Option<String>, String)> {
    if !matches!(node.data, Data::Map(_)) {
        return Some((None, file(decoder, node)?));
    }
    let fields = decoder.fields(node, "workflow", &[WORKFLOW])?;
    let repository = fields.get("repo").and_then(|node| {
        let text = decoder.text(node, "a repository such as `owner/name`")?;
        let is_part = |part: &str| {
            !part.is_empty()
                && !matches!(part, "." | "..")
                && part.chars().all(|ch| ch.is_ascii_alphanumeric() || "._-".contains(ch))
        };
        if text.split('/').count() != 2 || !text.split('/').all(is_part) {
            let help = "write `owner/name`".to_owned();
            decoder.error(CODE, &node.place, format!("{} is not a repository", node.describe()), Some(help));
            return None;
        }
        Some(text)
    });
    let file = fields.get("workflow").and_then(|node| file(decoder, node));
    Some((Some(repository?), file?))
}

fn file(decoder: &mut Decoder, node: &Node) -> Option<String> {
    let text = decoder.text(node, "the name of a workflow file")?;
    let file = text.strip_prefix(".github/workflows/").unwrap_or(&text);
    let stem = file.strip_suffix(".yml").or_else(|| file.strip_suffix(".yaml"));
    if stem.is_none_or(str::is_empty) || file.contains(|ch: char| ch.is_control() || "/\\?#%".contains(ch)) {
        let help = "write the name of its file below .github/workflows, such as model-training.yml".to_owned();
        decoder.error(CODE, &node.place, format!("{} is not the name of a workflow file", node.describe()), Some(help));
        return None;
    }
    Some(file.to_owned())
}

fn when(decoder: &mut Decoder, node: &Node) -> Option<When> {
    if node.text() == Some(FROM_WORKFLOW) {
        return Some(When::FromWorkflow);
    }
    let items = match &node.data {
        Data::List(items) if !items.is_empty() => items.as_slice(),
        Data::Map(_) => std::slice::from_ref(node),
        _ => {
            decoder.wrong_type(node, "`from-workflow`, or `{cron: '0 18 * * 0', timezone: UTC}`");
            return None;
        }
    };
    let all: Vec<_> = items.iter().filter_map(|item| schedule(decoder, item)).collect();
    (all.len() == items.len()).then_some(When::Given(all))
}

fn schedule(decoder: &mut Decoder, node: &Node) -> Option<Schedule> {
    let fields = decoder.fields(node, "cron", &[CRON])?;
    let refused = |decoder: &mut Decoder, place: &Place, error: cron::CronError| {
        decoder.error("config.cron", place, error.message, Some(error.hint));
    };
    let cron = fields.get("cron").and_then(|node| {
        let text = decoder.text(node, "a cron text such as '0 18 * * 0'")?;
        Cron::parse(&text).map_err(|error| refused(decoder, &node.place, error)).ok()
    });
    let zone = fields.get("timezone").map_or_else(
        || cron::zone("UTC").ok(),
        |node| {
            let name = decoder.text(node, "a time zone such as `Europe/Berlin`")?;
            cron::zone(&name).map_err(|error| refused(decoder, &node.place, error)).ok()
        },
    );
    Some(Schedule { cron: cron?, zone: zone? })
}

fn expect(decoder: &mut Decoder, node: &Node) -> Option<Expect> {
    let fields = decoder.fields(node, "expect", &[EXPECT])?;
    let branch = fields.get("branch").map(|node| words(decoder, node, "the name of a branch"));
    let model = fields.get("artifact").map(|node| trace(decoder, node));
    let metrics = fields.get("metrics").map(|node| metrics(decoder, node));
    if let Some(place) = fields.key_place("metrics").filter(|_| metrics.is_some())
        && !matches!(model, Some(None | Some(Trace::Artifact { .. })))
    {
        let help = "name the artifact that holds them under `artifact`".to_owned();
        decoder.error(CODE, place, "metrics are read from an artifact, and none is named", Some(help));
    }
    let deploy = fields.get("deploy").map(|node| deploy(decoder, node));
    Some(Expect {
        branch: branch.map_or(Some(None), |given| given.map(Some))?,
        model: model.map_or(Some(None), |given| given.map(Some))?,
        metrics: metrics.map_or(Some(None), |given| given.map(Some))?,
        deploy: deploy.map_or(Some(None), |given| given.map(Some))?,
    })
}

fn trace(decoder: &mut Decoder, node: &Node) -> Option<Trace> {
    if !matches!(node.data, Data::Map(_)) {
        return Some(Trace::Artifact { name: words(decoder, node, "the name of an artifact")?, digest: true });
    }
    let fields = decoder.fields(node, "artifact", &[ARTIFACT])?;
    let name = fields.get("name").map(|node| words(decoder, node, "the name of an artifact"));
    let digest = fields.get("digest").map_or(Some(true), |node| decoder.boolean(node));
    let commit =
        fields.get("commit").map(|node| Globs::decode(decoder, node).filter(|globs| asked(decoder, node, globs)));
    match (name, commit) {
        (Some(name), None) => Some(Trace::Artifact { name: name?, digest: digest? }),
        (None, Some(globs)) if fields.get("digest").is_none() => Some(Trace::Commit(globs?)),
        _ => {
            let help = "write a `name` with or without `digest`, or `commit` alone".to_owned();
            decoder.error(CODE, fields.place, "a model is left as an artifact or as a commit", Some(help));
            None
        }
    }
}

/// Whether GitHub can be asked for the commits that touch these paths: it knows files and folders, and no patterns.
fn asked(decoder: &mut Decoder, node: &Node, globs: &Globs) -> bool {
    let is_plain = |pattern: &str| {
        let path = pattern.strip_suffix("/**").unwrap_or(pattern);
        !path.is_empty() && !path.contains(['*', '?', '[', '{', '!'])
    };
    let odd: Vec<_> = globs.patterns.iter().filter(|pattern| !is_plain(pattern)).collect();
    for pattern in &odd {
        let message = format!(
            "`{}`: GitHub tells which commits touch a file or a folder, and no others",
            text::one_line(pattern)
        );
        let help = "name a file, or a folder with `/**` behind it, such as `models/production/**`".to_owned();
        decoder.error(CODE, &node.place, message, Some(help));
    }
    odd.is_empty()
}

fn metrics(decoder: &mut Decoder, node: &Node) -> Option<Metrics> {
    let fields = decoder.fields(node, "metrics", &[METRICS])?;
    let file = fields.get("file").and_then(|node| decoder.path(node));
    let must = fields.get("must").map_or(Some(Vec::new()), |node| {
        let names = decoder.texts(node, "metrics")?;
        Some(names.into_iter().map(|(name, _)| name).collect())
    });
    Some(Metrics { file: file?, must: must? })
}

fn deploy(decoder: &mut Decoder, node: &Node) -> Option<Deploy> {
    let fields = decoder.fields(node, "deploy", &[DEPLOY])?;
    let within = fields.get("within").and_then(|node| decoder.duration(node));
    let to = match (fields.get("environment"), fields.get("workflow")) {
        (Some(node), None) => words(decoder, node, "the name of an environment").map(Target::Environment),
        (None, Some(node)) => file(decoder, node).map(Target::Workflow),
        _ => {
            let help = "write one of `environment` and `workflow`".to_owned();
            decoder.error(CODE, fields.place, "a deployment shows in an environment or in a workflow", Some(help));
            None
        }
    };
    Some(Deploy { within: within?, to: to? })
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
