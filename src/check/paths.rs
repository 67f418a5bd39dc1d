//! Checks that look at files: they exist, there are enough of them, they are not empty, they parse.
//!
//! What is on the disk comes in through [`Tree`], so that the judgement can be tested without one.

use serde_json::{Value, json};

use super::evidence::is_glob;
use super::{Action, Kind};
use crate::decode::tree::{Data, Node};
use crate::decode::{Decoder, Key, parse_glob, schema};
use crate::sys::text;

/// What must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// A path or glob from the project's root.
    pub pattern: String,
    /// How many files must match.
    pub min: u64,
    /// How many may match.
    pub max: Option<u64>,
    /// Whether an empty file counts as missing.
    pub non_empty: bool,
    /// What each file must parse as.
    pub parses: Option<Syntax>,
}

/// A syntax that a file can be held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// JSON (RFC 8259).
    Json,
    /// YAML.
    Yaml,
    /// TOML.
    Toml,
}

impl Syntax {
    /// Every syntax with its word.
    pub const WORDS: &'static [(&'static str, Self)] =
        &[("json", Self::Json), ("yaml", Self::Yaml), ("toml", Self::Toml)];

    fn parse(self, bytes: &[u8]) -> Result<(), String> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match self {
            Self::Json => {
                serde_json::from_slice::<serde::de::IgnoredAny>(bytes).map(drop).map_err(|error| error.to_string())
            }
            Self::Yaml => {
                serde_yaml::from_slice::<serde::de::IgnoredAny>(bytes).map(drop).map_err(|error| error.to_string())
            }
            Self::Toml => {
                let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
                toml::from_str::<toml::Table>(text).map(drop).map_err(|error| error.message().to_owned())
            }
        }
    }
}

/// The largest file that is parsed.
pub const MAX_PARSED: u64 = 64 << 20;

/// The files of a project, as far as a check of this kind needs to see them.
pub trait Tree {
    /// Paths and sizes in bytes of the files that a path or glob names, ascending by path; links are followed
    /// for files, not for folders.
    ///
    /// # Errors
    /// Why the folder could not be looked at.
    fn find(&self, pattern: &str) -> Result<Vec<(String, u64)>, String>;

    /// A file's content, at most `max` bytes of it.
    ///
    /// # Errors
    /// Why it could not be read.
    fn read(&self, path: &str, max: u64) -> Result<Vec<u8>, String>;
}

/// What was found: one line for each requirement, and how many do not hold.
#[derive(Debug, PartialEq, Eq)]
pub struct Inspected {
    /// A line for each requirement, with what is wrong.
    pub lines: Vec<String>,
    /// Requirements that do not hold.
    pub failed: u64,
}

/// Holds the requirements against a tree.
#[must_use]
pub fn inspect(requirements: &[Requirement], tree: &dyn Tree) -> Inspected {
    let mut out = Inspected { lines: Vec::new(), failed: 0 };
    for requirement in requirements {
        let shown = text::one_line(&requirement.pattern);
        match inspect_one(requirement, tree) {
            Ok(found) => out.lines.push(format!("ok      {shown}  ({})", text::plural(found, "file", "files"))),
            Err(faults) => {
                out.failed += 1;
                out.lines.extend(faults.into_iter().map(|fault| format!("FAILED  {shown}  {fault}")));
            }
        }
    }
    out
}

fn inspect_one(requirement: &Requirement, tree: &dyn Tree) -> Result<u64, Vec<String>> {
    let found = tree.find(&requirement.pattern).map_err(|why| vec![why])?;
    let mut faults = Vec::new();
    let filled: Vec<_> = found.iter().filter(|(_, size)| *size > 0 || !requirement.non_empty).collect();
    for (path, _) in found.iter().filter(|(_, size)| requirement.non_empty && *size == 0) {
        faults.push(format!("{} is empty", text::one_line(path)));
    }
    let count = filled.len() as u64;
    if count < requirement.min {
        faults.push(match (count, requirement.min) {
            (0, 1) if faults.is_empty() => "does not exist".to_owned(),
            _ => format!("{} found, at least {} needed", count, requirement.min),
        });
    }
    if let Some(max) = requirement.max.filter(|max| count > *max) {
        faults.push(format!("{count} found, at most {max} allowed"));
    }
    if let Some(syntax) = requirement.parses {
        for (path, _) in &filled {
            let word = Syntax::WORDS.iter().find(|(_, other)| *other == syntax).map_or("", |(word, _)| word);
            if let Err(why) = tree.read(path, MAX_PARSED).and_then(|bytes| syntax.parse(&bytes)) {
                faults.push(format!("{} does not parse as {word}: {}", text::one_line(path), text::one_line(&why)));
            }
        }
    }
    if faults.is_empty() { Ok(count) } else { Err(faults) }
}

const KEYS: &[Key] = &[
    Key::optional("path", "A path from the project's root.", schema::string),
    Key::optional("glob", "A glob from the project's root; `**` crosses folders.", schema::string),
    Key::optional("min", "How many files must match (default 1).", schema::count),
    Key::optional("max", "How many files may match.", schema::count),
    Key::optional("non-empty", "An empty file counts as missing, and is named.", schema::boolean),
    Key::optional("parses", "Each file must parse as this.", || schema::one_of(&["json", "yaml", "toml"])),
];

/// `paths: [path or {path|glob, min, max, non-empty, parses}]`.
pub const KIND: Kind = Kind {
    key: Key::optional("paths", "Files and globs that must exist: a path, or a map with more to ask.", paths_schema),
    keys: &[],
    decode: |decoder, node, _| {
        let items = decoder.list(node, "paths")?;
        if items.is_empty() {
            decoder.error("config.empty-command", &node.place, "an empty list of paths checks nothing", None);
            return None;
        }
        let requirements = items.iter().map(|item| requirement(decoder, item)).collect::<Vec<_>>();
        requirements.into_iter().collect::<Option<_>>().map(Action::Paths)
    },
};

fn paths_schema() -> Value {
    json!({ "type": "array", "minItems": 1, "items": { "anyOf": [schema::string(), schema::object(KEYS)] } })
}

fn requirement(decoder: &mut Decoder, node: &Node) -> Option<Requirement> {
    let mut out = Requirement { pattern: String::new(), min: 1, max: None, non_empty: false, parses: None };
    if !matches!(node.data, Data::Map(_)) {
        out.pattern = pattern(decoder, node)?;
        return Some(out);
    }
    let fields = decoder.fields(node, "a path", &[KEYS])?;
    let named = match (fields.get("path"), fields.get("glob")) {
        (Some(node), None) | (None, Some(node)) => node,
        _ => {
            decoder.error("config.missing-key", fields.place, "a path needs `path` or `glob`, one of the two", None);
            return None;
        }
    };
    out.pattern = pattern(decoder, named)?;
    if let Some(node) = fields.get("min") {
        out.min = decoder.count(node)?;
    }
    if let Some(node) = fields.get("max") {
        let max = decoder.count(node)?;
        if max < out.min && fields.get("min").is_some() {
            decoder.error("config.value", &node.place, "no count can hold: `max` is less than `min`", None);
            return None;
        }
        out.min = out.min.min(max);
        out.max = Some(max);
    }
    if let Some(node) = fields.get("non-empty") {
        out.non_empty = decoder.boolean(node)?;
    }
    if let Some(node) = fields.get("parses") {
        out.parses = Some(decoder.word(node, "a syntax", Syntax::WORDS)?);
    }
    Some(out)
}

fn pattern(decoder: &mut Decoder, node: &Node) -> Option<String> {
    let path = decoder.path(node)?;
    if is_glob(&path)
        && let Err(why) = parse_glob(&path)
    {
        decoder.error("config.glob", &node.place, format!("{} is not a glob: {why}", node.describe()), None);
        return None;
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake(&'static [(&'static str, &'static str)]);

    impl Tree for Fake {
        fn find(&self, pattern: &str) -> Result<Vec<(String, u64)>, String> {
            let glob = parse_glob(pattern).unwrap().compile_matcher();
            Ok(self
                .0
                .iter()
                .filter(|(path, _)| glob.is_match(path))
                .map(|(path, text)| ((*path).to_owned(), text.len() as u64))
                .collect())
        }

        fn read(&self, path: &str, _max: u64) -> Result<Vec<u8>, String> {
            Ok(self.0.iter().find(|(other, _)| *other == path).unwrap().1.into())
        }
    }

    fn told(pattern: &str, change: impl FnOnce(&mut Requirement)) -> (u64, String) {
        let tree = Fake(&[
            ("model.pkl", ""),
            ("a.json", "{}"),
            ("b.json", "{"),
            ("src/x.py", "x"),
            ("src/y.py", "y"),
            ("c.toml", "a = 1"),
            ("d.yaml", "a: ["),
        ]);
        let mut requirement =
            Requirement { pattern: pattern.into(), min: 1, max: None, non_empty: false, parses: None };
        change(&mut requirement);
        let inspected = inspect(&[requirement], &tree);
        (inspected.failed, inspected.lines.join("\n"))
    }

    #[test]
    fn an_empty_model_file_is_no_model() {
        assert_eq!(told("model.pkl", |_| {}).0, 0);
        let (failed, lines) = told("model.pkl", |requirement| requirement.non_empty = true);
        assert_eq!(
            (failed, lines.as_str()),
            (1, "FAILED  model.pkl  model.pkl is empty\nFAILED  model.pkl  0 found, at least 1 needed")
        );
    }

    #[test]
    fn counts_and_syntax() {
        assert_eq!(told("nope", |_| {}).1, "FAILED  nope  does not exist");
        assert_eq!(
            told("src/*.py", |requirement| requirement.min = 3).1,
            "FAILED  src/*.py  2 found, at least 3 needed"
        );
        assert_eq!(
            told("src/*.py", |requirement| requirement.max = Some(1)).1,
            "FAILED  src/*.py  2 found, at most 1 allowed"
        );
        assert_eq!(told("*.json", |requirement| requirement.parses = Some(Syntax::Json)).0, 1);
        assert_eq!(told("c.toml", |requirement| requirement.parses = Some(Syntax::Toml)).0, 0);
        assert_eq!(told("d.yaml", |requirement| requirement.parses = Some(Syntax::Yaml)).0, 1);
    }
}
