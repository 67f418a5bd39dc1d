//! `remediate:` of `retrain:`: what may be done about a retraining that did not do what is expected.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::words::{CODE, words};
use crate::decode::tree::{Data, Node};
use crate::decode::{Decoder, Fields, Key, Place, schema};

/// How long after an action the next one may follow, where nobody says.
const COOLDOWN: Duration = Duration::from_secs(3600);
/// How often something is done where nobody says.
const BUDGET: Budget = Budget { actions: 2, within: Duration::from_secs(7 * 86_400) };
/// Whoever needs more has another problem; what was done has to fit into an issue's hidden line.
pub const MOST_ACTIONS: u64 = 20;
const MOST_WITHIN: Duration = Duration::from_secs(366 * 86_400);
/// GitHub takes no more for one dispatch.
const MOST_INPUTS: usize = 25;

/// What may be done. Nothing that is not declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedies {
    /// Run the failed jobs of the newest slot's run again, once.
    pub rerun_failed: bool,
    /// Start the workflow for a slot that was missed, with these inputs.
    pub dispatch_missed: Option<BTreeMap<String, String>>,
    /// Enable a workflow that GitHub disabled because nothing happened in the repository.
    pub enable_disabled: bool,
    /// How many actions within how long.
    pub budget: Budget,
    /// How long after an action the next one may follow.
    pub cooldown: Duration,
}

/// So many actions within so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Actions, at least one.
    pub actions: u64,
    /// How long each of them counts.
    pub within: Duration,
}

/// The keys of `remediate:`.
pub(super) const KEYS: &[Key] = &[
    Key::optional(
        "rerun-failed",
        "Whether the failed jobs of the newest slot's run are run again, once (default false).",
        schema::boolean,
    ),
    Key::optional(
        "dispatch-missed",
        "Whether the workflow is started for a slot that was missed (default false); `{inputs: {NAME: VALUE}}` also \
         gives it inputs. It must listen to `workflow_dispatch`.",
        || json!({ "anyOf": [{ "type": "boolean" }, schema::object(DISPATCH)] }),
    ),
    Key::optional(
        "enable-disabled",
        "Whether the workflow is enabled if GitHub disabled it because nothing happened in the repository (default \
         false). What somebody disabled stays disabled.",
        schema::boolean,
    ),
    Key::optional("budget", "How often something is done (default 2 actions within 7d).", || schema::object(LIMITS)),
    Key::optional("cooldown", "How long after an action the next one may follow (default 1h).", schema::duration),
];

const DISPATCH: &[Key] = &[Key::required(
    "inputs",
    "Inputs of the workflow, by name.",
    || json!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean"] } }),
)];

const LIMITS: &[Key] = &[
    Key::optional(
        "actions",
        "So many actions (default 2, at most 20).",
        || json!({ "type": "integer", "minimum": 1, "maximum": MOST_ACTIONS }),
    ),
    Key::optional("within", "Within so long (default 7d, at most 366d).", schema::duration),
];

/// Decodes the section.
pub(super) fn decode(decoder: &mut Decoder, node: &Node) -> Option<Remedies> {
    let fields = decoder.fields(node, "remediate", &[KEYS])?;
    let mut flag = |key: &str| fields.get(key).map_or(Some(false), |node| decoder.boolean(node));
    let (rerun_failed, enable_disabled) = (flag("rerun-failed"), flag("enable-disabled"));
    let dispatch_missed = fields.get("dispatch-missed").map_or(Some(None), |node| dispatch(decoder, node));
    let budget = fields.get("budget").map_or(Some(BUDGET), |node| budget(decoder, node));
    let cooldown = fields.get("cooldown").map_or(Some(COOLDOWN), |node| decoder.duration(node));
    let remedies = Remedies {
        rerun_failed: rerun_failed?,
        dispatch_missed: dispatch_missed?,
        enable_disabled: enable_disabled?,
        budget: budget?,
        cooldown: cooldown?,
    };
    let known = KEYS.iter().filter(|key| fields.get(key.name).is_some()).count();
    // An action whose name is misspelt is told of by its own error.
    let is_clear = matches!(&node.data, Data::Map(pairs) if pairs.len() == known);
    if is_clear && !remedies.rerun_failed && !remedies.enable_disabled && remedies.dispatch_missed.is_none() {
        undeclared(decoder, fields.place);
        return None;
    }
    Some(remedies)
}

/// A section that declares nothing.
pub(super) fn undeclared(decoder: &mut Decoder, place: &Place) {
    let help =
        "write `rerun-failed: true`, `dispatch-missed: true` or `enable-disabled: true`, or leave the section out";
    decoder.error(CODE, place, "`remediate` declares no action", Some(help.to_owned()));
}

fn dispatch(decoder: &mut Decoder, node: &Node) -> Option<Option<BTreeMap<String, String>>> {
    if !matches!(node.data, Data::Map(_)) {
        return Some(decoder.boolean(node)?.then(BTreeMap::new));
    }
    let fields = decoder.fields(node, "dispatch-missed", &[DISPATCH])?;
    inputs(decoder, &fields).map(Some)
}

fn inputs(decoder: &mut Decoder, fields: &Fields<'_>) -> Option<BTreeMap<String, String>> {
    let node = fields.get("inputs")?;
    let pairs = decoder.map(node, "inputs by name")?;
    if pairs.len() > MOST_INPUTS {
        let help = format!("GitHub takes {MOST_INPUTS} for one start");
        decoder.error(CODE, &node.place, format!("{} inputs", pairs.len()), Some(help));
        return None;
    }
    let all: Vec<_> = pairs
        .iter()
        .filter_map(|(name, _, value)| {
            if value.is_null() {
                decoder.wrong_type(value, "the value of an input");
                return None;
            }
            Some(((*name).to_owned(), words(decoder, value, "the value of an input")?))
        })
        .collect();
    (all.len() == pairs.len()).then(|| all.into_iter().collect())
}

fn budget(decoder: &mut Decoder, node: &Node) -> Option<Budget> {
    let fields = decoder.fields(node, "budget", &[LIMITS])?;
    let actions = fields.get("actions").map_or(Some(BUDGET.actions), |node| {
        let count = decoder.count(node)?;
        if (1..=MOST_ACTIONS).contains(&count) {
            return Some(count);
        }
        let help = match count {
            0 => "leave `remediate` out where nothing is to be done".to_owned(),
            _ => format!("write at most {MOST_ACTIONS}"),
        };
        decoder.error(CODE, &node.place, format!("a budget of {count} actions"), Some(help));
        None
    });
    let within = fields.get("within").map_or(Some(BUDGET.within), |node| {
        let within = decoder.duration(node)?;
        if within <= MOST_WITHIN {
            return Some(within);
        }
        decoder.error(CODE, &node.place, "a budget for more than 366 days", Some("write `within: 7d`".to_owned()));
        None
    });
    Some(Budget { actions: actions?, within: within? })
}
