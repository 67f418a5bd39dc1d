//! YAML text as a tree of nodes, each with its place.
//!
//! Aliases are resolved by copying, under a budget of nodes, so an alias bomb costs nothing. Maps keep
//! their pairs in written order, duplicates included: the decoder reports those.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::{Diagnostic, Place};

/// Nodes a file may unfold to, aliases included.
const MAX_NODES: usize = 100_000;
/// How deep lists and maps may nest.
const MAX_DEPTH: usize = 64;

/// A value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it is written.
    pub place: Place,
    /// What it is.
    pub data: Data,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub enum Data {
    /// A scalar as its source text, without quotes.
    Scalar {
        /// The text: `1.10` stays `1.10`.
        text: String,
        /// Written without quotes, so that `null`, `true` and numbers mean themselves.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// Pairs in written order.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// Whether the value is absent or `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The text of a scalar that is not null.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// What the value is, in words: `a list`, `a map`, `nothing`, `"text"`.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.data {
            _ if self.is_null() => "nothing".into(),
            Data::Scalar { text, .. } => {
                format!("`{}`", crate::sys::text::shorten(&crate::sys::text::one_line(text), 40))
            }
            Data::List(_) => "a list".into(),
            Data::Map(_) => "a map".into(),
        }
    }

    fn count(&self) -> usize {
        1 + match &self.data {
            Data::Scalar { .. } => 0,
            Data::List(items) => items.iter().map(Self::count).sum(),
            Data::Map(pairs) => pairs.iter().map(|(key, value)| key.count() + value.count()).sum(),
        }
    }
}

/// Parses one document. `Ok(None)` for a file with nothing but comments.
///
/// # Errors
/// The first place where the text is not YAML, or a limit was passed.
pub fn parse(text: &str) -> Result<Option<Node>, Box<Diagnostic>> {
    Builder::new(text).run(text)
}

/// What is being filled while its events arrive.
enum Open {
    List { items: Vec<Node>, start: Place, anchor: usize },
    Map { pairs: Vec<(Node, Node)>, key: Option<Node>, start: Place, anchor: usize },
}

struct Builder {
    /// Byte offset of each character, for text that is not ASCII.
    offsets: Option<Vec<usize>>,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
}

impl Builder {
    fn new(text: &str) -> Self {
        let offsets = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).chain([text.len()]).collect());
        Self { offsets, open: Vec::new(), anchors: HashMap::new(), nodes: 0, root: None }
    }

    fn run(mut self, text: &str) -> Result<Option<Node>, Box<Diagnostic>> {
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| self.syntax(&error, text))?;
            let place = self.place(span, text);
            match event {
                Event::Scalar(value, style, anchor, _) => {
                    let data = Data::Scalar { text: value.into_owned(), plain: style == ScalarStyle::Plain };
                    self.add(Node { place, data }, anchor, 1)?;
                }
                Event::SequenceStart(anchor, _) => {
                    self.enter(Open::List { items: Vec::new(), start: place.clone(), anchor }, &place)?;
                }
                Event::MappingStart(anchor, _) => {
                    self.enter(Open::Map { pairs: Vec::new(), key: None, start: place.clone(), anchor }, &place)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.leave(&place)?,
                Event::Alias(anchor) => {
                    let Some((node, count)) = self.anchors.get(&anchor).cloned() else {
                        return Err(problem("config.syntax", "this alias stands inside the value it names", place));
                    };
                    self.add(Node { place, data: node.data }, 0, count)?;
                }
                Event::DocumentStart(_) if self.root.is_some() => {
                    return Err(problem("config.syntax", "a second document starts here; the file holds one", place));
                }
                _ => {}
            }
        }
        Ok(self.root.filter(|node| !node.is_null()))
    }

    fn enter(&mut self, open: Open, place: &Place) -> Result<(), Box<Diagnostic>> {
        if self.open.len() >= MAX_DEPTH {
            return Err(problem("config.limit", &format!("values nest deeper than {MAX_DEPTH} levels"), place.clone()));
        }
        self.open.push(open);
        Ok(())
    }

    fn leave(&mut self, end: &Place) -> Result<(), Box<Diagnostic>> {
        let (data, start, anchor) = match self.open.pop() {
            Some(Open::List { items, start, anchor }) => (Data::List(items), start, anchor),
            Some(Open::Map { pairs, start, anchor, .. }) => (Data::Map(pairs), start, anchor),
            None => return Ok(()),
        };
        let place = Place { bytes: start.bytes.start..end.bytes.end.max(start.bytes.start), ..start };
        self.add(Node { place, data }, anchor, 1)
    }

    /// Puts a finished node where it belongs: `cost` nodes are charged to the budget.
    fn add(&mut self, node: Node, anchor: usize, cost: usize) -> Result<(), Box<Diagnostic>> {
        self.nodes += cost;
        if self.nodes > MAX_NODES {
            let message = format!("the file unfolds to more than {MAX_NODES} values");
            let mut limit = problem("config.limit", &message, node.place);
            limit.help = Some("aliases (`*name`) copy what they name: write the values out".into());
            return Err(limit);
        }
        if anchor != 0 {
            let count = node.count();
            self.anchors.insert(anchor, (node.clone(), count));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { pairs, key, .. }) => match key.take() {
                None => *key = Some(node),
                Some(key) => pairs.push((key, node)),
            },
        }
        Ok(())
    }

    fn place(&self, span: Span, text: &str) -> Place {
        let byte = |index: usize| match &self.offsets {
            Some(offsets) => offsets.get(index).copied().unwrap_or(text.len()),
            None => index.min(text.len()),
        };
        let start = byte(span.start.index());
        Place {
            line: u32::try_from(span.start.line()).unwrap_or(u32::MAX),
            column: u32::try_from(span.start.col() + 1).unwrap_or(u32::MAX),
            bytes: start..byte(span.end.index()).max(start),
        }
    }

    fn syntax(&self, error: &ScanError, text: &str) -> Box<Diagnostic> {
        let place = self.place(Span::empty(*error.marker()), text);
        let help = if error.info().contains("tab") {
            "YAML is indented with spaces, not tabs"
        } else {
            "look at the indentation, the colons and the quotes around this place"
        };
        let mut syntax = problem("config.syntax", &format!("not valid YAML: {}", error.info()), place);
        syntax.help = Some(help.into());
        syntax
    }
}

fn problem(code: &'static str, message: &str, place: Place) -> Box<Diagnostic> {
    Box::new(Diagnostic { code, message: message.into(), place, help: None, context: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_keep_their_source_text_and_place() {
        let node = parse("a: [1.10, \"x\", null]\nñ: {b: yes}\n").unwrap().unwrap();
        let Data::Map(pairs) = &node.data else { panic!("{node:?}") };
        let Data::List(items) = &pairs[0].1.data else { panic!() };
        assert_eq!(items[0].text(), Some("1.10"));
        assert_eq!((items[1].place.line, items[1].place.column, items[1].place.bytes.clone()), (1, 11, 10..13));
        assert!(items[2].is_null());
        let Data::Map(inner) = &pairs[1].1.data else { panic!() };
        assert_eq!(
            (inner[0].0.place.line, inner[0].0.place.column, inner[0].0.place.bytes.clone()),
            (2, 5, 27 - 1..27)
        );
    }

    #[test]
    fn an_alias_bomb_is_refused_cheaply() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let list = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
        }
        assert_eq!(parse(&text).unwrap_err().code, "config.limit");
        assert_eq!(parse(&"[".repeat(100)).unwrap_err().code, "config.limit");
        assert_eq!(parse("a: &a [*a]").unwrap_err().code, "config.syntax");
    }

    #[test]
    fn what_is_not_one_yaml_document_is_an_error_with_a_place() {
        for (text, line) in [("a: [1, 2\nb: 3\n", 2), ("a: 1\n\tb: 2\n", 1), ("a: 1\n---\nb: 2\n", 2), ("a: \"x\n", 1)]
        {
            let error = parse(text).unwrap_err();
            assert_eq!((error.code, error.place.line), ("config.syntax", line), "{text:?} {error:?}");
        }
        assert!(parse("# nothing\n").unwrap().is_none());
        assert!(parse("").unwrap().is_none());
    }
}
