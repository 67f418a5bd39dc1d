//! Floor 1: from YAML text to typed settings, collecting every problem with its place.
//!
//! [`tree`] turns text into nodes that know where they stand; [`Decoder`] takes values out of nodes and
//! goes on after an error, so that one look at the output mends the whole file. The rooms that own the
//! settings (`gate`, `check` …) describe their keys in [`Key`] tables: the decoder refuses what is not in
//! the table, and the JSON Schema is made from the same rows.
//!
//! Deliberately absent: serde. Its readers stop at the first error and keep the last of two equal keys.

mod decoder;
pub mod schema;
pub mod tree;

pub use decoder::{Decoder, Fields, parse_glob};

use std::ops::Range;

use serde_json::Value;

/// A key that a map of the configuration may hold.
pub struct Key {
    /// The key as it is written.
    pub name: &'static str,
    /// One sentence for the schema and for `config schema` readers.
    pub doc: &'static str,
    /// Whether a map without it is an error.
    pub required: bool,
    /// The JSON Schema of its value.
    pub schema: fn() -> Value,
}

impl Key {
    /// A key that may be left out.
    #[must_use]
    pub const fn optional(name: &'static str, doc: &'static str, schema: fn() -> Value) -> Self {
        Self { name, doc, required: false, schema }
    }

    /// A key that must be there.
    #[must_use]
    pub const fn required(name: &'static str, doc: &'static str, schema: fn() -> Value) -> Self {
        Self { name, doc, required: true, schema }
    }
}

/// A place in the source text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The bytes it covers.
    pub bytes: Range<usize>,
}

/// One thing wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable name, `config.unknown-key`; `mgmt explain CODE` tells more.
    pub code: &'static str,
    /// What is wrong, as a lowercase fragment.
    pub message: String,
    /// Where.
    pub place: Place,
    /// The next step, where one is known.
    pub help: Option<String>,
    /// Another place that belongs to the story, and what it is.
    pub context: Option<(Place, String)>,
}
