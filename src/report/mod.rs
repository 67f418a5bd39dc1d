//! Floor 5: a record rendered for a reader. Pure: the same record gives the same bytes.
//!
//! A form of output is one file here and one row in [`RENDERERS`]. Everything a form shows comes from the
//! record; a number that is not in it cannot be in a report.

pub mod advice;
pub mod audit;
pub mod compare;
pub mod convert;
pub mod evidence;
pub mod failure;
pub mod files;
pub mod html;
mod human;
pub mod json;
mod markdown;
pub mod score;
pub mod sparkline;
mod terminal;
pub mod tests;

pub use markdown::{Around, Link, Note, fitted, steady};
pub use terminal::{Options, Palette};

use crate::record::Record;

/// One row: a form of output.
pub struct Renderer {
    /// Its name after `--format`.
    pub name: &'static str,
    /// The ending of files in this form; `None` where no file is written.
    pub extension: Option<&'static str>,
    /// One line for help texts.
    pub doc: &'static str,
    /// Renders a record; ends with a line break.
    pub render: fn(&Record, Options) -> String,
}

/// Every form.
pub const RENDERERS: &[Renderer] = &[
    Renderer { name: "human", extension: None, doc: "For a terminal.", render: human::render },
    Renderer {
        name: "markdown",
        extension: Some("md"),
        doc: "For pull requests, job summaries and language models.",
        render: |record, _| markdown::render(record),
    },
    Renderer {
        name: "json",
        extension: Some("json"),
        doc: "For programs: one object, schema mgmt.report/1.",
        render: |record, _| json::render(record),
    },
    Renderer {
        name: "html",
        extension: Some("html"),
        doc: "For a browser: one file that needs no network.",
        render: |record, _| html::render(record),
    },
];

/// The row with this name.
#[must_use]
pub fn renderer(name: &str) -> Option<&'static Renderer> {
    RENDERERS.iter().find(|row| row.name == name)
}
