//! Rules as they stand in the configuration.

use serde_json::{Value, json};

use super::scope::{Components, Scope};
use crate::decode::tree::Node;
use crate::decode::{Decoder, Fields, Key, schema};
use crate::evidence::metric::{self, Better};

/// A named list of rules.
#[derive(Clone, Debug)]
pub struct Gate {
    /// `default` for the list under `gate:`, else its name under `gates:`.
    pub name: String,
    /// Its rules, in written order.
    pub rules: Vec<Rule>,
}

/// The name of the gate under `gate:`.
pub const DEFAULT: &str = "default";

/// A metric and what is asked of it.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The metric's name; known, or in an open namespace.
    pub metric: String,
    /// At least one.
    pub limits: Vec<Limit>,
    /// What holds if nothing measured it.
    pub when_missing: WhenMissing,
    /// The part of the project it is about.
    pub scope: Scope,
    /// What a limit against the baseline says without one.
    pub no_base: NoBase,
    /// Which way the metric gets better.
    pub better: Better,
    /// Changed lines below which a patch is too small for its percentage to decide.
    pub min_lines: u64,
}

/// What a limit against a baseline says where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoBase {
    /// It holds with a warning.
    #[default]
    Warn,
    /// Nobody can say: `require-base`.
    Inconclusive,
}

/// Changed lines below which a patch's percentage does not decide, unless a rule says otherwise.
pub const MIN_LINES: u64 = 20;

/// One thing asked of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// How value and bound are compared.
    pub kind: LimitKind,
    /// The bound; for a change, how much is allowed.
    pub bound: f64,
    /// Whether the bound is a percentage of the baseline's value.
    pub relative: bool,
    /// The bound as written.
    pub text: String,
}

/// How a value and a bound are compared; equality always passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// At least.
    Min,
    /// At most.
    Max,
    /// The same.
    Equals,
    /// Below it: a warning.
    WarnBelow,
    /// Above it: a warning.
    WarnAbove,
    /// Not this much less than the baseline.
    MaxDrop,
    /// Not this much more than the baseline.
    MaxRise,
    /// Not this much worse than the best there was on the default branch.
    Ratchet,
}

impl LimitKind {
    const ALL: &'static [(&'static str, Self)] = &[
        ("min", Self::Min),
        ("max", Self::Max),
        ("equals", Self::Equals),
        ("warn-below", Self::WarnBelow),
        ("warn-above", Self::WarnAbove),
        ("max-drop", Self::MaxDrop),
        ("max-rise", Self::MaxRise),
        ("ratchet", Self::Ratchet),
    ];

    /// Whether it needs an earlier run to compare with.
    #[must_use]
    pub fn needs_base(self) -> bool {
        matches!(self, Self::MaxDrop | Self::MaxRise | Self::Ratchet)
    }

    /// Its key in the configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}", self.kind.word(), self.text)
    }
}

/// What a rule says when its metric was not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenMissing {
    /// Nobody can say.
    #[default]
    Inconclusive,
    /// It does not hold.
    Fail,
    /// It holds with a warning; never silently.
    Warn,
}

impl WhenMissing {
    /// Every value with its word.
    pub const WORDS: &'static [(&'static str, Self)] =
        &[("inconclusive", Self::Inconclusive), ("fail", Self::Fail), ("warn", Self::Warn)];
}

/// The keys of a rule.
pub const KEYS: &[Key] = &[
    Key::required("metric", "What is measured; `mgmt explain metrics` lists the names.", metric_schema),
    Key::optional("min", "The least value that passes.", schema::number),
    Key::optional("max", "The greatest value that passes.", schema::number),
    Key::optional("equals", "The only value that passes.", schema::number),
    Key::optional("warn-below", "A smaller value passes with a warning.", schema::number),
    Key::optional("warn-above", "A greater value passes with a warning.", schema::number),
    Key::optional(
        "max-drop",
        "How much less than the baseline passes: in the metric's own unit, or `2%` of the baseline's value.",
        change_schema,
    ),
    Key::optional(
        "max-rise",
        "How much more than the baseline passes: in the metric's own unit, or `2%` of the baseline's value.",
        change_schema,
    ),
    Key::optional(
        "ratchet",
        "Never worse than the best on the default branch: `true`, or how much worse still passes.",
        || json!({ "anyOf": [{ "type": "boolean" }, change_schema()] }),
    ),
    Key::optional(
        "require-base",
        "Without a baseline a limit against it is inconclusive, not only a warning.",
        schema::boolean,
    ),
    Key::optional(
        "direction",
        "Which way the metric gets better, for `ratchet` (default: what the metric's name says, else higher).",
        || schema::one_of(&["higher", "lower"]),
    ),
    Key::optional("paths", "Only these source files: a glob or a list of globs.", globs_schema),
    Key::optional("component", "Only the source files of this component.", schema::string),
    Key::optional("each", "A limit for every file, folder or component.", || {
        schema::one_of(&["file", "folder", "component"])
    }),
    Key::optional(
        "min-lines",
        "Changed lines below which a patch is too small for its percentage to decide (default 20).",
        schema::count,
    ),
    Key::optional("when-missing", "What the rule says if nothing measured the metric (default: inconclusive).", || {
        schema::one_of(&["inconclusive", "fail", "warn"])
    }),
];

fn metric_schema() -> Value {
    let names: Vec<_> = metric::NAMES.iter().map(|row| row.name).collect();
    let prefixes: Vec<_> = metric::NAMESPACES.iter().map(|(prefix, _)| prefix.trim_end_matches('.')).collect();
    json!({ "anyOf": [{ "enum": names }, { "type": "string", "pattern": format!("^({})\\..+", prefixes.join("|")) }] })
}

fn change_schema() -> Value {
    json!({ "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": "^[0-9.]+ ?%$" }] })
}

/// The schema of a glob or a list of globs.
#[must_use]
pub fn globs_schema() -> Value {
    json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }] })
}

/// The schema of a list of rules.
#[must_use]
pub fn list_schema() -> Value {
    json!({ "type": "array", "items": schema::object(KEYS) })
}

impl Gate {
    /// Whether a limit is the best value so far.
    #[must_use]
    pub fn has_ratchet(&self) -> bool {
        self.rules.iter().flat_map(|rule| &rule.limits).any(|limit| limit.kind == LimitKind::Ratchet)
    }

    /// Whether any of its rules compares with an earlier run or looks at what changed.
    #[must_use]
    pub fn compares(&self) -> bool {
        self.rules.iter().any(|rule| {
            rule.limits.iter().any(|limit| limit.kind.needs_base())
                || metric::is_from_base(&rule.metric)
                || rule.metric.starts_with("coverage.patch.")
        })
    }

    /// Whether any of its rules cannot be judged without a baseline.
    #[must_use]
    pub fn requires_base(&self) -> bool {
        self.rules.iter().any(|rule| rule.no_base == NoBase::Inconclusive)
    }

    /// Decodes a list of rules.
    pub fn decode(decoder: &mut Decoder, node: &Node, name: &str, components: &Components) -> Option<Self> {
        let items = decoder.list(node, "rules")?;
        let rules = items.iter().filter_map(|item| Rule::decode(decoder, item, components)).collect();
        Some(Self { name: name.to_owned(), rules })
    }
}

impl Rule {
    fn decode(decoder: &mut Decoder, node: &Node, components: &Components) -> Option<Self> {
        let fields = decoder.fields(node, "a rule", &[KEYS])?;
        let limits = limits(decoder, &fields);
        let when_missing = match fields.get("when-missing") {
            Some(node) => decoder.word(node, "what a missing metric means", WhenMissing::WORDS)?,
            None => WhenMissing::default(),
        };
        let name = fields.get("metric")?;
        let metric = decoder.text(name, "the name of a metric")?;
        if let Err(help) = metric::check(&metric) {
            decoder.error(
                "config.unknown-metric",
                &name.place,
                format!("unknown metric {}", name.describe()),
                Some(help),
            );
            return None;
        }
        let scope = Scope::decode(decoder, &fields, components);
        for key in ["paths", "component", "each"] {
            if let Some(place) = fields.key_place(key).filter(|_| !metric::has_parts(&metric)) {
                let message = format!("`{metric}` is measured for the whole project only");
                let help = "coverage metrics can be asked of a part of the project".to_owned();
                decoder.error("config.scope", place, message, Some(help));
            }
        }
        let min_lines = match fields.get("min-lines") {
            Some(node) => {
                if metric != metric::PATCH_PERCENT {
                    let place = fields.key_place("min-lines").unwrap_or(fields.place);
                    let message = format!("`min-lines` is for `{}` only", metric::PATCH_PERCENT);
                    decoder.error("config.rule", place, message, None);
                }
                decoder.count(node)?
            }
            None => MIN_LINES,
        };
        let better = match fields.get("direction") {
            Some(node) => decoder.word(node, "which way the metric gets better", Better::WORDS)?,
            None => metric::better(&metric),
        };
        let no_base = match fields.get("require-base").map(|node| decoder.boolean(node)) {
            Some(required) => [NoBase::Warn, NoBase::Inconclusive][usize::from(required?)],
            None => NoBase::default(),
        };
        Some(Self { metric, limits: limits?, when_missing, scope: scope?, no_base, better, min_lines })
    }
}

fn limits(decoder: &mut Decoder, fields: &Fields<'_>) -> Option<Vec<Limit>> {
    let mut limits = Vec::new();
    let (mut asked, mut whole) = (false, true);
    for (word, kind) in LimitKind::ALL {
        let Some(value) = fields.get(word) else { continue };
        asked = true;
        let limit =
            if kind.needs_base() { allowed_change(decoder, *kind, value) } else { bound(decoder, *kind, value) };
        whole &= limit.is_some();
        limits.extend(limit.flatten());
    }
    if whole && limits.is_empty() {
        let words: Vec<_> = LimitKind::ALL.iter().map(|(word, _)| *word).collect();
        // `ratchet: false` asks nothing either.
        let message = if asked { "the rule asks nothing" } else { "a rule without a limit decides nothing" };
        decoder.error("config.rule", fields.place, message, Some(format!("add one of {}", words.join(", "))));
    }
    let bound = |kind| limits.iter().find(|limit| limit.kind == kind).map(|limit| limit.bound);
    if let (Some(min), Some(max)) = (bound(LimitKind::Min), bound(LimitKind::Max))
        && min > max
    {
        decoder.error("config.rule", fields.place, "no value can pass: `min` is greater than `max`", None);
    }
    whole.then_some(limits)
}

/// A bound on the value itself.
#[expect(
    clippy::option_option,
    reason = "the outer absence is an error that was reported, the inner one a limit that is off"
)]
fn bound(decoder: &mut Decoder, kind: LimitKind, node: &Node) -> Option<Option<Limit>> {
    let bound = decoder.number(node)?;
    Some(Some(Limit { kind, bound, relative: false, text: node.text().unwrap_or_default().to_owned() }))
}

/// A bound on a change: a number, `N%`, or for `ratchet` a yes or no.
#[expect(
    clippy::option_option,
    reason = "the outer absence is an error that was reported, the inner one a limit that is off"
)]
fn allowed_change(decoder: &mut Decoder, kind: LimitKind, node: &Node) -> Option<Option<Limit>> {
    let text = node.text().unwrap_or_default().trim();
    if kind == LimitKind::Ratchet && matches!(text, "true" | "false") {
        let limit = Limit { kind, bound: 0.0, relative: false, text: "best so far".to_owned() };
        return Some(decoder.boolean(node)?.then_some(limit));
    }
    let number = text.strip_suffix('%').map(|number| number.trim().parse::<f64>());
    let (bound, relative) = match number {
        Some(Ok(percent)) if percent.is_finite() => (percent, true),
        Some(_) => {
            decoder.wrong_type(node, "a number or a percentage such as 2%");
            return None;
        }
        None => (decoder.number(node)?, false),
    };
    if bound < 0.0 {
        let help = "write how much worse still passes, from 0".to_owned();
        decoder.error("config.rule", &node.place, "an allowed change cannot be negative", Some(help));
        return None;
    }
    Some(Some(Limit { kind, bound, relative, text: text.to_owned() }))
}
