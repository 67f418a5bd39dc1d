//! Rules as they stand in the configuration.

use serde_json::{Value, json};

use crate::decode::tree::Node;
use crate::decode::{Decoder, Key, schema};
use crate::evidence::metric;

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
}

/// One thing asked of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// How value and bound are compared.
    pub kind: LimitKind,
    /// The bound.
    pub bound: f64,
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
}

impl LimitKind {
    const ALL: &'static [(&'static str, Self)] = &[
        ("min", Self::Min),
        ("max", Self::Max),
        ("equals", Self::Equals),
        ("warn-below", Self::WarnBelow),
        ("warn-above", Self::WarnAbove),
    ];

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
    Key::optional("when-missing", "What the rule says if nothing measured the metric (default: inconclusive).", || {
        schema::one_of(&["inconclusive", "fail", "warn"])
    }),
];

fn metric_schema() -> Value {
    let names: Vec<_> = metric::NAMES.iter().map(|row| row.name).collect();
    let prefixes: Vec<_> = metric::NAMESPACES.iter().map(|(prefix, _)| prefix.trim_end_matches('.')).collect();
    json!({ "anyOf": [{ "enum": names }, { "type": "string", "pattern": format!("^({})\\..+", prefixes.join("|")) }] })
}

/// The schema of a list of rules.
#[must_use]
pub fn list_schema() -> Value {
    json!({ "type": "array", "items": schema::object(KEYS) })
}

impl Gate {
    /// Decodes a list of rules.
    pub fn decode(decoder: &mut Decoder, node: &Node, name: &str) -> Option<Self> {
        let items = decoder.list(node, "rules")?;
        let rules = items.iter().filter_map(|item| Rule::decode(decoder, item)).collect();
        Some(Self { name: name.to_owned(), rules })
    }
}

impl Rule {
    fn decode(decoder: &mut Decoder, node: &Node) -> Option<Self> {
        let fields = decoder.fields(node, "a rule", &[KEYS])?;
        let mut limits = Vec::new();
        let mut asked = false;
        for (word, kind) in LimitKind::ALL {
            if let Some(value) = fields.get(word) {
                asked = true;
                if let Some(bound) = decoder.number(value) {
                    limits.push(Limit { kind: *kind, bound, text: value.text().unwrap_or_default().to_owned() });
                }
            }
        }
        if !asked {
            let words: Vec<_> = LimitKind::ALL.iter().map(|(word, _)| *word).collect();
            let help = format!("add one of {}", words.join(", "));
            decoder.error("config.rule", fields.place, "a rule without a limit decides nothing", Some(help));
        }
        let bound = |kind| limits.iter().find(|limit| limit.kind == kind).map(|limit| limit.bound);
        if let (Some(min), Some(max)) = (bound(LimitKind::Min), bound(LimitKind::Max))
            && min > max
        {
            decoder.error("config.rule", fields.place, "no value can pass: `min` is greater than `max`", None);
        }
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
        Some(Self { metric, limits, when_missing })
    }
}
