//! Takes typed values out of nodes; remembers every problem and goes on.

use std::time::Duration;

use globset::{Glob, GlobBuilder};

use super::tree::{Data, Node};
use super::{Diagnostic, Key, Place};
use crate::sys::text;

/// Collects diagnostics while values are taken out of a tree.
///
/// Each method returns `None` after it has reported why, so a caller can use `?` inside one setting and
/// still decode the next.
#[derive(Default)]
pub struct Decoder {
    diagnostics: Vec<Diagnostic>,
}

/// The pairs of one map, known keys only, each at most once.
pub struct Fields<'a> {
    /// The map's own place, for what is missing in it.
    pub place: &'a Place,
    pairs: Vec<(&'a str, &'a Node, &'a Node)>,
}

impl<'a> Fields<'a> {
    /// The value of a key, unless it is absent or null.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a Node> {
        self.pairs.iter().find(|(key, _, _)| *key == name).map(|(_, _, value)| *value).filter(|value| !value.is_null())
    }

    /// The place of a key's name.
    #[must_use]
    pub fn key_place(&self, name: &str) -> Option<&'a Place> {
        self.pairs.iter().find(|(key, _, _)| *key == name).map(|(_, key, _)| &key.place)
    }
}

impl Decoder {
    /// All problems so far, in the order of the file.
    #[must_use]
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|diagnostic| (diagnostic.place.bytes.start, diagnostic.place.bytes.end));
        self.diagnostics
    }

    /// Reports a problem.
    pub fn error(&mut self, code: &'static str, place: &Place, message: impl Into<String>, help: Option<String>) {
        self.diagnostics.push(Diagnostic { code, message: message.into(), place: place.clone(), help, context: None });
    }

    /// Reports a problem that has a second place.
    pub fn error_with(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
        help: Option<String>,
        context: (&Place, &str),
    ) {
        let context = Some((context.0.clone(), context.1.to_owned()));
        self.diagnostics.push(Diagnostic { code, message: message.into(), place: place.clone(), help, context });
    }

    /// Reports that a value has the wrong type.
    pub fn wrong_type(&mut self, node: &Node, expected: &str) {
        self.error("config.type", &node.place, format!("expected {expected}, found {}", node.describe()), None);
    }

    /// The pairs of a map whose keys are names the user chose; null is an empty map.
    pub fn map<'a>(&mut self, node: &'a Node, what: &str) -> Option<Vec<(&'a str, &'a Node, &'a Node)>> {
        let pairs = match &node.data {
            Data::Map(pairs) => pairs.as_slice(),
            Data::Scalar { .. } if node.is_null() => &[],
            _ => {
                self.wrong_type(node, &format!("a map of {what}"));
                return None;
            }
        };
        let mut seen: Vec<(&str, &Node, &Node)> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let Some(name) = key.text() else {
                self.error(
                    "config.type",
                    &key.place,
                    format!("a key of {what} must be text, found {}", key.describe()),
                    None,
                );
                continue;
            };
            if let Some((_, first, _)) = seen.iter().find(|(other, _, _)| *other == name) {
                self.error_with(
                    "config.duplicate-key",
                    &key.place,
                    format!("the key `{}` stands here a second time", text::one_line(name)),
                    Some("keep one of them: YAML readers differ on which would count".into()),
                    (&first.place, "first written here"),
                );
                continue;
            }
            seen.push((name, key, value));
        }
        Some(seen)
    }

    /// The pairs of a map with a closed set of keys. Unknown, duplicate and missing ones are reported.
    pub fn fields<'a>(&mut self, node: &'a Node, what: &str, tables: &[&[Key]]) -> Option<Fields<'a>> {
        let known = || tables.iter().flat_map(|table| table.iter());
        let mut pairs = self.map(node, &format!("{what} settings"))?;
        pairs.retain(|(name, key, _)| {
            if known().any(|known| known.name == *name) {
                return true;
            }
            let help = if *name == "<<" {
                "merge keys are not part of YAML 1.2: write the settings out".to_owned()
            } else {
                match text::closest(name, known().map(|key| key.name)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known keys: {}", known().map(|key| key.name).collect::<Vec<_>>().join(", ")),
                }
            };
            self.error(
                "config.unknown-key",
                &key.place,
                format!("unknown key `{}` in {what}", text::one_line(name)),
                Some(help),
            );
            false
        });
        let fields = Fields { place: &node.place, pairs };
        for key in known().filter(|key| key.required) {
            if fields.get(key.name).is_none() {
                let place = fields.key_place(key.name).unwrap_or(fields.place);
                self.error(
                    "config.missing-key",
                    place,
                    format!("{what} needs `{}`", key.name),
                    Some(format!("`{}`: {}", key.name, key.doc)),
                );
            }
        }
        Some(fields)
    }

    /// The items of a list.
    pub fn list<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a [Node]> {
        match &node.data {
            Data::List(items) => Some(items),
            _ => {
                self.wrong_type(node, &format!("a list of {what}"));
                None
            }
        }
    }

    /// A scalar as its source text.
    pub fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.data {
            Data::Scalar { text, .. } if !node.is_null() => Some(text.clone()),
            _ => {
                self.wrong_type(node, what);
                None
            }
        }
    }

    /// A scalar as its source text, `null` included: arguments of commands.
    pub fn argument(&mut self, node: &Node) -> Option<String> {
        match &node.data {
            Data::Scalar { text, .. } => Some(text.clone()),
            _ => {
                self.wrong_type(node, "an argument (text)");
                None
            }
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, node: &Node, what: &str) -> Option<Vec<(String, Place)>> {
        let items = self.list(node, what)?;
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            if let Some(text) = self.text(item, &format!("text in the list of {what}")) {
                out.push((text, item.place.clone()));
            }
        }
        Some(out)
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, node: &Node) -> Option<bool> {
        if let Data::Scalar { text, plain: true } = &node.data {
            match text.as_str() {
                "true" | "True" | "TRUE" => return Some(true),
                "false" | "False" | "FALSE" => return Some(false),
                _ => {}
            }
        }
        self.wrong_type(node, "`true` or `false`");
        None
    }

    /// A finite number.
    pub fn number(&mut self, node: &Node) -> Option<f64> {
        let value = match &node.data {
            Data::Scalar { text, plain: true } => {
                text.parse::<f64>().ok().filter(|_| text.bytes().any(|byte| byte.is_ascii_digit()))
            }
            _ => None,
        };
        match value {
            Some(value) if value.is_finite() => Some(value),
            _ => {
                self.wrong_type(node, "a number");
                None
            }
        }
    }

    /// A whole number from 0.
    pub fn count(&mut self, node: &Node) -> Option<u64> {
        let value = match &node.data {
            Data::Scalar { text, plain: true } => text.parse::<u64>().ok(),
            _ => None,
        };
        if value.is_none() {
            self.wrong_type(node, "a whole number from 0");
        }
        value
    }

    /// A duration longer than nothing.
    pub fn duration(&mut self, node: &Node) -> Option<Duration> {
        let text = self.text(node, "a duration such as `5m`")?;
        match text::parse_duration(&text) {
            Ok(span) if span.is_zero() => self.error("config.duration", &node.place, "a duration of nothing", None),
            Ok(span) => return Some(span),
            Err(why) => self.error("config.duration", &node.place, format!("{}: {why}", node.describe()), None),
        }
        None
    }

    /// One of a closed set of words.
    pub fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(node, what)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let names: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let help =
            text::closest(&text, words.iter().map(|(word, _)| *word)).map(|near| format!("did you mean `{near}`?"));
        self.error(
            "config.value",
            &node.place,
            format!("expected {what} ({}), found {}", names.join(", "), node.describe()),
            help,
        );
        None
    }

    /// A path glob: `*` stays inside one folder, `**` crosses folders, `/` separates on every system.
    pub fn glob(&mut self, node: &Node) -> Option<Glob> {
        let text = self.text(node, "a glob such as `src/**/*.py`")?;
        match parse_glob(&text) {
            Ok(glob) => Some(glob),
            Err(why) => {
                self.error("config.glob", &node.place, format!("{} is not a glob: {why}", node.describe()), None);
                None
            }
        }
    }

    /// A path inside the project: relative, without `..`, with `/`.
    pub fn path(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node, "a path relative to the project's root")?;
        let help = "paths are relative to the project's root and stay inside it".to_owned();
        let inside = !text.starts_with('/') && !text.contains(':') && !text.split(['/', '\\']).any(|part| part == "..");
        if !inside || text.is_empty() {
            self.error(
                "config.path",
                &node.place,
                format!("{} is not a path inside the project", node.describe()),
                Some(help),
            );
            return None;
        }
        Some(text.trim_start_matches("./").trim_end_matches('/').to_owned())
    }
}

/// The one meaning of globs in this program.
///
/// # Errors
/// Why the text is not a glob.
pub fn parse_glob(text: &str) -> Result<Glob, String> {
    GlobBuilder::new(text.trim_start_matches("./"))
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|error| error.kind().to_string())
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    const KEYS: &[Key] = &[
        Key::required("name", "Who.", super::super::schema::string),
        Key::optional("timeout", "How long.", super::super::schema::duration),
        Key::optional("size", "How big.", super::super::schema::number),
    ];

    #[test]
    fn every_problem_is_reported_in_the_order_of_the_file() {
        let node = tree::parse("timout: 5m\ntimeout: soon\ntimeout: 5m\nsize: .inf\n").unwrap().unwrap();
        let mut decoder = Decoder::default();
        let fields = decoder.fields(&node, "a test", &[KEYS]).unwrap();
        decoder.duration(fields.get("timeout").unwrap());
        decoder.number(fields.get("size").unwrap());
        let told: Vec<_> = decoder
            .finish()
            .into_iter()
            .map(|d| format!("{}:{} {} {}", d.place.line, d.place.column, d.code, d.help.unwrap_or_default()))
            .collect();
        assert_eq!(
            told,
            [
                "1:1 config.unknown-key did you mean `timeout`?",
                "1:1 config.missing-key `name`: Who.",
                "2:10 config.duration ",
                "3:1 config.duplicate-key keep one of them: YAML readers differ on which would count",
                "4:7 config.type ",
            ]
        );
    }

    #[test]
    fn paths_stay_inside_the_project() {
        let mut decoder = Decoder::default();
        for (text, want) in [
            ("src/a.py", Some("src/a.py")),
            ("./src/", Some("src")),
            ("/etc/passwd", None),
            ("a/../../b", None),
            ("C:\\x", None),
        ] {
            let node = tree::parse(&format!("'{text}'")).unwrap().unwrap();
            assert_eq!(decoder.path(&node).as_deref(), want, "{text}");
        }
        assert_eq!(decoder.finish().len(), 3);
    }
}
