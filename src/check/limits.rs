//! `limits:` as it stands in `mgmt.yml`: bounds on report files, moved by the project that needs more.
//!
//! Deliberately absent: a word for "no limit". What comes from outside stays bounded.

use crate::decode::tree::Node;
use crate::decode::{Decoder, Key, schema};
use crate::evidence::Limits;
use crate::evidence::limits::{Bound, Measure};
use crate::sys::text;

const fn key(bound: Bound) -> Key {
    let schema = match bound.measure() {
        Measure::Bytes => schema::size,
        Measure::Count => schema::count,
    };
    Key::optional(bound.key(), bound.doc(), schema)
}

/// The keys, one a bound.
pub const KEYS: &[Key] = &[
    key(Bound::Item),
    key(Bound::Depth),
    key(Bound::Name),
    key(Bound::AllNames),
    key(Bound::Message),
    key(Bound::Entries),
    key(Bound::Report),
    key(Bound::Reports),
    key(Bound::AllReports),
];

/// Decodes `limits:`.
pub fn decode(decoder: &mut Decoder, node: &Node) -> Option<Limits> {
    let fields = decoder.fields(node, "limits", &[KEYS])?;
    let mut limits = Limits::default();
    for bound in Bound::ALL {
        let Some(node) = fields.get(bound.key()) else { continue };
        match parse(*bound, node.text().unwrap_or_default()) {
            Ok(value) => limits.set(*bound, value),
            Err(help) => {
                let message = format!("{} is no value for the limit `{}`", node.describe(), bound.key());
                decoder.error("config.value", &node.place, message, Some(help));
            }
        }
    }
    Some(limits)
}

/// Reads the value of a bound: a size such as `64MiB`, or a count. At least 1.
///
/// # Errors
/// The next step.
pub fn parse(bound: Bound, value: &str) -> Result<u64, String> {
    let parsed = match bound.measure() {
        Measure::Bytes => text::parse_bytes(value)?,
        Measure::Count => value.trim().parse().map_err(|_| "write a whole number".to_owned())?,
    };
    if parsed == 0 { Err("a limit of 0 lets nothing through: write what is needed".to_owned()) } else { Ok(parsed) }
}

/// Reads `NAME=VALUE`, as it stands on a command line.
///
/// # Errors
/// The next step.
pub fn parse_pair(pair: &str) -> Result<(Bound, u64), String> {
    let keys = || Bound::ALL.iter().map(|bound| bound.key());
    let list = || format!("limits are {}", keys().collect::<Vec<_>>().join(", "));
    let (key, value) = pair.split_once('=').ok_or_else(|| format!("write NAME=VALUE; {}", list()))?;
    let bound = Bound::find(key.trim()).ok_or_else(|| match text::closest(key, keys()) {
        Some(near) => format!("there is no such limit; did you mean `{near}`?"),
        None => format!("there is no such limit; {}", list()),
    })?;
    Ok((bound, parse(bound, value)?))
}

/// A bound's value as it is written in a setting.
#[must_use]
pub fn setting(limits: &Limits, bound: Bound) -> serde_json::Value {
    match bound.measure() {
        Measure::Bytes => text::bytes_setting(limits.get(bound)).into(),
        Measure::Count => limits.get(bound).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bound_has_a_key() {
        let keys: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        assert_eq!(keys, Bound::ALL.iter().map(|bound| bound.key()).collect::<Vec<_>>());
    }

    #[test]
    fn pairs_are_read_or_answered() {
        assert_eq!(parse_pair("depth=500"), Ok((Bound::Depth, 500)));
        assert_eq!(parse_pair("item=1GiB"), Ok((Bound::Item, 1 << 30)));
        for (bad, told) in [
            ("depth", "NAME=VALUE; limits are item,"),
            ("dept=1", "did you mean `depth`"),
            ("zzzzzz=1", "limits are item,"),
            ("depth=64KiB", "whole number"),
            ("item=lots", "16MiB"),
            ("reports=0", "lets nothing through"),
        ] {
            let answer = parse_pair(bad).unwrap_err();
            assert!(answer.contains(told), "{bad}: {answer}");
        }
    }
}
