//! Floor 3: what can be checked, which checks a command asks for, and what can be told while they run.
//!
//! A kind of check is one file here and one row in [`KINDS`]. Nothing here starts a process or reads a file:
//! `run` does, and hands what it found to the functions here.

pub mod command;
pub mod event;
pub mod evidence;
pub mod limits;
pub mod outcome;
pub mod paths;
pub mod plan;

pub use command::Command;
pub use event::Event;
pub use outcome::{CheckOutcome, Status};
pub use plan::{Plan, Selection};

use std::time::Duration;

use serde_json::Value;

use crate::decode::tree::Node;
use crate::decode::{Decoder, Fields, Key, schema};

/// Ends a check that says nothing about its own time.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Something that runs and yields an outcome.
#[derive(Clone, Debug)]
pub struct Check {
    /// Unique name.
    pub id: String,
    /// What commands select it by: `lint`, `format`, `test`, `structure`, `model`, `data` or any other name.
    pub group: String,
    /// What it does.
    pub action: Action,
    /// Checks whose output it uses: if one fails, this one is skipped.
    pub needs: Vec<String>,
    /// A resource that only one check at a time may use.
    pub exclusive: Option<String>,
    /// Programs without which it is skipped with a warning.
    pub requires: Vec<String>,
    /// Whether its failure is only a warning.
    pub allow_failure: bool,
    /// How long it may run; waiting for a turn does not count.
    pub timeout: Duration,
    /// What repairs what it finds; run by `--fix`.
    pub fix: Option<Command>,
    /// Reports it leaves behind.
    pub evidence: Vec<evidence::Spec>,
}

/// What a check does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Starts a program.
    Run(Command),
    /// Looks at files.
    Paths(Vec<paths::Requirement>),
}

/// One row: a kind of check, named by the key that makes a check of this kind.
pub struct Kind {
    /// The key: `run`, `paths`.
    pub key: Key,
    /// Keys that only this kind has.
    pub keys: &'static [Key],
    /// Reads the value of the key.
    pub decode: fn(&mut Decoder, &Node, &Fields<'_>) -> Option<Action>,
}

/// Every kind of check.
pub const KINDS: &[Kind] = &[command::RUN, command::SHELL, paths::KIND];

/// Keys of every check.
pub const KEYS: &[Key] = &[
    Key::required(
        "group",
        "What commands select it by: lint, format, test, structure, model, data or any other name.",
        schema::string,
    ),
    Key::optional(
        "timeout",
        "Ends the check and its whole process group (default 30m); waiting for a turn does not count.",
        schema::duration,
    ),
    Key::optional(
        "needs",
        "Checks whose output this one uses: if one of them fails, this one is skipped.",
        schema::strings,
    ),
    Key::optional("exclusive", "A resource, by any name, that only one check at a time may use.", schema::string),
    Key::optional("allow-failure", "Its failure is a warning.", schema::boolean),
];

/// The schema of one check: exactly one kind.
#[must_use]
pub fn check_schema() -> Value {
    let kinds: Vec<_> = KINDS
        .iter()
        .map(|kind| {
            let required = Key { required: true, ..kind.key };
            schema::object_of(std::iter::once(&required).chain(KEYS).chain(kind.keys))
        })
        .collect();
    serde_json::json!({ "oneOf": kinds })
}

/// Decodes one check. References to other checks are verified by `config`, which sees them all.
pub fn decode(decoder: &mut Decoder, id: &str, node: &Node) -> Option<Check> {
    let what = format!("check `{id}`");
    // The kind decides which other keys are known, so it is looked for first.
    let pairs = match &node.data {
        crate::decode::tree::Data::Map(pairs) => pairs.as_slice(),
        _ => &[],
    };
    let kinds: Vec<_> =
        KINDS.iter().filter(|kind| pairs.iter().any(|(key, _)| key.text() == Some(kind.key.name))).collect();
    let all_kinds: Vec<_> = KINDS.iter().map(|kind| format!("`{}`", kind.key.name)).collect();
    let own: Vec<&[Key]> = kinds.iter().flat_map(|kind| [std::slice::from_ref(&kind.key), kind.keys]).collect();
    let every: Vec<&[Key]> = KINDS.iter().flat_map(|kind| [std::slice::from_ref(&kind.key), kind.keys]).collect();
    let tables: Vec<&[Key]> = std::iter::once(KEYS).chain(if kinds.is_empty() { every } else { own }).collect();
    let fields = decoder.fields(node, &what, &tables)?;
    let kind = match kinds.as_slice() {
        [kind] => kind,
        [] => {
            let help = format!("give it one of {}", all_kinds.join(", "));
            decoder.error("config.check-kind", fields.place, format!("{what} does nothing"), Some(help));
            return None;
        }
        [_, second, ..] => {
            let place = fields.key_place(second.key.name).unwrap_or(fields.place);
            let help = format!("a check is of one kind: one of {}", all_kinds.join(", "));
            decoder.error("config.check-kind", place, format!("{what} is of several kinds"), Some(help));
            return None;
        }
    };
    let value = pairs.iter().find(|(key, _)| key.text() == Some(kind.key.name)).map(|(_, value)| value)?;
    let action = (kind.decode)(decoder, value, &fields);
    let mut names = |key: &str| match fields.get(key) {
        Some(node) => decoder.texts(node, key).map(|texts| texts.into_iter().map(|(text, _)| text).collect()),
        None => Some(Vec::new()),
    };
    let (needs, requires) = (names("needs"), names("requires"));
    let timeout = fields.get("timeout").map_or(Some(DEFAULT_TIMEOUT), |node| decoder.duration(node));
    let exclusive = fields.get("exclusive").map(|node| name(decoder, node, "a resource"));
    let allow_failure = fields.get("allow-failure").map_or(Some(false), |node| decoder.boolean(node));
    let fix = fields.get("fix").map(|node| command::arguments(decoder, node, &fields));
    let evidence = fields.get("evidence").map_or(Some(Vec::new()), |node| evidence::decode(decoder, node));
    let group = fields.get("group").and_then(|node| name(decoder, node, "a group"));
    Some(Check {
        id: id.to_owned(),
        group: group?,
        action: action?,
        needs: needs?,
        exclusive: flip(exclusive)?,
        requires: requires?,
        allow_failure: allow_failure?,
        timeout: timeout?,
        fix: flip(fix)?,
        evidence: evidence?,
    })
}

/// `None` = absent, `Some(None)` = present and wrong.
#[expect(clippy::option_option, reason = "the two absences differ: not there, or there and wrong")]
fn flip<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(None) => None,
        Some(some) => Some(some),
    }
}

/// A name that can stand in a command line and in a file name.
pub fn name(decoder: &mut Decoder, node: &Node, what: &str) -> Option<String> {
    let text = decoder.text(node, &format!("the name of {what}"))?;
    if is_name(&text) {
        return Some(text);
    }
    let help = "letters, digits, `-`, `_` and `.`, beginning with a letter or digit, at most 64 of them".to_owned();
    decoder.error("config.name", &node.place, format!("{} cannot name {what}", node.describe()), Some(help));
    None
}

/// Whether a text can be a name.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|ch: char| ch.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
