//! `champion:` of `retrain:`: what a new model is held to.

use serde_json::json;

use super::words::{CODE, words};
use crate::decode::tree::{Data, Node};
use crate::decode::{Decoder, Fields, Key, schema};
use crate::evidence::metric::Better;
use crate::sys::text;

/// What a new model's metric is held to.
#[derive(Clone, Debug, PartialEq)]
pub struct Challenge {
    /// The metric's name in the file.
    pub metric: String,
    /// The least value.
    pub min: Option<f64>,
    /// The greatest value.
    pub max: Option<f64>,
    /// How much worse than the champion it may be.
    pub drop: Option<Drop>,
    /// Which way the metric gets better.
    pub better: Better,
    /// Of how many samples the metric is a share.
    pub size: Option<Size>,
}

/// How much worse is allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drop {
    /// In the metric's own unit.
    By(f64),
    /// In percent of the champion's absolute value.
    Percent(f64),
}

impl std::fmt::Display for Drop {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::By(by) => out.write_str(&text::number(*by)),
            Self::Percent(share) => write!(out, "{}%", text::number(*share)),
        }
    }
}

/// How many samples a model was tested with.
#[derive(Clone, Debug, PartialEq)]
pub enum Size {
    /// So many.
    Fixed(u64),
    /// As many as this metric of the same file says.
    Metric(String),
}

/// The keys of one metric.
pub(super) const KEYS: &[Key] = &[
    Key::required(
        "metric",
        "The metric's name in the file; a list of numbers there is one number for each seed.",
        schema::string,
    ),
    Key::optional("min", "The least value that passes.", schema::number),
    Key::optional("max", "The greatest value that passes.", schema::number),
    Key::optional(
        "max-drop",
        "How much worse than the model before it passes: in the metric's own unit, or `2%` of that model's value.",
        || json!({ "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": "^[0-9.]+ ?%$" }] }),
    ),
    Key::optional("direction", "Which way the metric gets better (default higher).", || {
        schema::one_of(&["higher", "lower"])
    }),
    Key::optional(
        "size",
        "For a share such as accuracy: of how many samples, as a number or as the name of a metric in the same file. A \
         comparison within the uncertainty is then inconclusive.",
        || json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string" }] }),
    ),
];

/// Decodes the list.
pub(super) fn decode(decoder: &mut Decoder, node: &Node) -> Option<Vec<Challenge>> {
    let items = decoder.list(node, "metrics and their limits")?;
    let all: Vec<_> = items.iter().filter_map(|item| challenge(decoder, item)).collect();
    (all.len() == items.len()).then_some(all)
}

fn challenge(decoder: &mut Decoder, node: &Node) -> Option<Challenge> {
    let fields = decoder.fields(node, "champion", &[KEYS])?;
    let metric = fields.get("metric").and_then(|node| words(decoder, node, "the name of a metric"));
    let mut bound = |key: &str| fields.get(key).map_or(Some(None), |node| decoder.number(node).map(Some));
    let (min, max) = (bound("min"), bound("max"));
    let drop = fields.get("max-drop").map_or(Some(None), |node| drop(decoder, node).map(Some));
    let better =
        fields.get("direction").map_or(Some(Better::Higher), |node| decoder.word(node, "a direction", Better::WORDS));
    let size = fields.get("size").map_or(Some(None), |node| size(decoder, node).map(Some));
    asks_something(decoder, &fields, (min.flatten(), max.flatten()));
    Some(Challenge { metric: metric?, min: min?, max: max?, drop: drop?, better: better?, size: size? })
}

fn asks_something(decoder: &mut Decoder, fields: &Fields<'_>, (min, max): (Option<f64>, Option<f64>)) {
    let has = |key: &str| fields.get(key).is_some();
    if !["min", "max", "max-drop"].into_iter().any(has) {
        let help = "write `max-drop: 0` for `not worse than the model before`, or `min`".to_owned();
        decoder.error(CODE, fields.place, "this holds a new model to nothing", Some(help));
    }
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        decoder.error(CODE, fields.place, "no value is both above `min` and below `max`", None);
    }
    if let Some(place) = fields.key_place("size").filter(|_| has("size") && !has("max-drop")) {
        let help = "add `max-drop`, or remove it".to_owned();
        decoder.error(CODE, place, "`size` is about the comparison, and nothing is compared", Some(help));
    }
}

fn drop(decoder: &mut Decoder, node: &Node) -> Option<Drop> {
    let text = decoder.text(node, "how much worse may be, such as `0.01` or `2%`")?;
    let (number, percent) = match text.trim().strip_suffix('%') {
        Some(number) => (number.trim_end(), true),
        None => (text.trim(), false),
    };
    let value = number.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
    let Some(value) = value else {
        decoder.wrong_type(node, "how much worse may be, such as `0.01` or `2%`");
        return None;
    };
    Some(if percent { Drop::Percent(value) } else { Drop::By(value) })
}

fn size(decoder: &mut Decoder, node: &Node) -> Option<Size> {
    match &node.data {
        Data::Scalar { text, plain: true } if text.parse::<f64>().is_ok() => {
            let count = decoder.count(node)?;
            if count == 0 {
                decoder.error(CODE, &node.place, "a test with no samples", None);
                return None;
            }
            Some(Size::Fixed(count))
        }
        _ => words(decoder, node, "the name of a metric").map(Size::Metric),
    }
}
