//! Which reports a check leaves behind, as it stands under `evidence:`.

use serde_json::{Value, json};

use crate::decode::tree::{Data, Node};
use crate::decode::{Decoder, Key, parse_glob, schema};
use crate::evidence::coverage::paths::Rule;
use crate::evidence::{FORMATS, Format, Kind, Repeats, format};

/// One entry under `evidence:`.
#[derive(Clone)]
pub struct Spec {
    /// What the reports are about.
    pub kind: Kind,
    /// Where they are.
    pub from: From,
    /// Their format; found by their content if not given.
    pub format: Option<&'static Format>,
    /// How a repeated test counts.
    pub repeats: Repeats,
    /// Where report paths begin in the project, where the tool saw it elsewhere.
    pub paths: Vec<Rule>,
}

/// Where a report is.
#[derive(Clone, Debug)]
pub enum From {
    /// Files: paths and globs from the project's root.
    Files(Vec<String>),
    /// What the check prints, both streams in order.
    Output,
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let format = self.format.map(|format| format.name);
        write!(out, "Spec({} {:?} {format:?} {:?})", self.kind.name(), self.from, self.repeats)
    }
}

/// Whether a path has characters that only globs have.
#[must_use]
pub fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

const KEYS: &[Key] = &[
    Key::optional("path", "A path or glob from the project's root, or a list of them.", paths_schema),
    Key::optional("format", "The format, where its content does not tell.", || {
        schema::one_of(&FORMATS.iter().map(|format| format.name).collect::<Vec<_>>())
    }),
    Key::optional(
        "repeats",
        "What counts when a test appears several times without a declared rerun (default: worst).",
        || schema::one_of(&["worst", "last"]),
    ),
    Key::optional(
        "paths",
        "For coverage: a path in the report that begins with `from` begins with `to` in the project.",
        rules_schema,
    ),
    Key::optional("from", "`output` reads what the check prints instead of a file.", || {
        schema::one_of(&["file", "output"])
    }),
];

const RULE_KEYS: &[Key] = &[
    Key::required("from", "The beginning of a path as the report has it.", schema::string),
    Key::required("to", "The beginning of the same path from the project's root; `.` is the root.", schema::string),
];

fn rules_schema() -> Value {
    json!({ "type": "array", "items": schema::object(RULE_KEYS) })
}

fn rules(decoder: &mut Decoder, node: &Node) -> Option<Vec<Rule>> {
    let items = decoder.list(node, "path rules")?;
    let rules = items.iter().map(|item| {
        let fields = decoder.fields(item, "a path rule", &[RULE_KEYS])?;
        let from = decoder.text(fields.get("from")?, "the beginning of a path")?.replace('\\', "/");
        let to = fields.get("to")?;
        let to = if to.text() == Some(".") { String::new() } else { decoder.path(to)? };
        Some(Rule { from, to })
    });
    rules.collect::<Vec<_>>().into_iter().collect()
}

fn paths_schema() -> Value {
    json!({ "anyOf": [schema::string(), { "type": "array", "items": schema::string(), "minItems": 1 }] })
}

/// The schema of `evidence:`.
#[must_use]
pub fn spec_schema() -> Value {
    let entry = json!({ "anyOf": [schema::string(), { "type": "array", "items": schema::string(), "minItems": 1 }, schema::object(KEYS)] });
    let kinds: serde_json::Map<_, _> = Kind::ALL.iter().map(|(name, _)| ((*name).to_owned(), entry.clone())).collect();
    json!({ "type": "object", "properties": kinds, "additionalProperties": false })
}

const KIND_KEYS: &[Key] = &[
    Key::optional("tests", "Test reports.", spec_schema),
    Key::optional("coverage", "Coverage reports.", spec_schema),
    Key::optional("metrics", "Files of numbers.", spec_schema),
];

/// Decodes `evidence:`.
pub fn decode(decoder: &mut Decoder, node: &Node) -> Option<Vec<Spec>> {
    let fields = decoder.fields(node, "evidence", &[KIND_KEYS])?;
    let mut specs = Vec::new();
    for (name, kind) in Kind::ALL {
        if let Some(node) = fields.get(name) {
            specs.push(entry(decoder, node, *kind)?);
        }
    }
    Some(specs)
}

fn entry(decoder: &mut Decoder, node: &Node, kind: Kind) -> Option<Spec> {
    if !matches!(node.data, Data::Map(_)) {
        return Some(Spec {
            kind,
            from: From::Files(files(decoder, node)?),
            format: None,
            repeats: Repeats::default(),
            paths: Vec::new(),
        });
    }
    let what = format!("{} evidence", kind.name());
    let fields = decoder.fields(node, &what, &[KEYS])?;
    let is_output = match fields.get("from") {
        Some(node) => decoder.word(node, "where the report is", &[("file", false), ("output", true)])?,
        None => false,
    };
    let from = match (is_output, fields.get("path")) {
        (true, None) => From::Output,
        (false, Some(node)) => From::Files(files(decoder, node)?),
        (true, Some(node)) => {
            decoder.error(
                "config.evidence",
                &node.place,
                "`from: output` reads no file",
                Some("remove `path`, or remove `from`".into()),
            );
            return None;
        }
        (false, None) => {
            decoder.error(
                "config.missing-key",
                fields.place,
                format!("{what} needs `path`"),
                Some("or `from: output`, if the check prints its report".into()),
            );
            return None;
        }
    };
    let named = match fields.get("format") {
        Some(node) => {
            let rows: Vec<_> = FORMATS.iter().filter(|row| row.kind == kind).map(|row| (row.name, row.name)).collect();
            Some(decoder.word(node, &format!("a format of {}", kind.name()), &rows)?)
        }
        None => None,
    };
    let repeats = match fields.get("repeats") {
        Some(node) => decoder.word(node, "how repeated tests count", Repeats::WORDS)?,
        None => Repeats::default(),
    };
    let paths = fields.get("paths").map_or(Some(Vec::new()), |node| rules(decoder, node))?;
    if kind != Kind::Coverage
        && let Some(place) = fields.key_place("paths")
    {
        decoder.error(
            "config.unknown-key",
            place,
            format!("`paths` has no meaning for {what}"),
            Some("only coverage reports name source files".into()),
        );
    }
    Some(Spec { kind, from, format: named.and_then(format), repeats, paths })
}

fn files(decoder: &mut Decoder, node: &Node) -> Option<Vec<String>> {
    let nodes = match &node.data {
        Data::List(items) if items.is_empty() => {
            decoder.error("config.evidence", &node.place, "an empty list of reports", None);
            return None;
        }
        Data::List(items) => items.iter().collect(),
        _ => vec![node],
    };
    let mut out = Vec::new();
    for node in nodes {
        let path = decoder.path(node)?;
        if is_glob(&path)
            && let Err(why) = parse_glob(&path)
        {
            decoder.error("config.glob", &node.place, format!("{} is not a glob: {why}", node.describe()), None);
            return None;
        }
        out.push(path);
    }
    Some(out)
}
