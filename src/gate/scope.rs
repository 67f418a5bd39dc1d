//! The part of a project that a rule is about: path globs, a named component, or each member of a kind.

use std::collections::{BTreeMap, BTreeSet};

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::decode::tree::Node;
use crate::decode::{Decoder, Fields};

/// A set of path globs that remembers how it was written.
#[derive(Clone, Default)]
pub struct Globs {
    /// As written.
    pub patterns: Vec<String>,
    set: GlobSet,
}

impl std::fmt::Debug for Globs {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What they compile to is pages long.
        out.debug_tuple("Globs").field(&self.patterns).finish()
    }
}

impl Globs {
    /// Compiles globs.
    #[must_use]
    pub fn new(globs: &[Glob]) -> Self {
        let mut builder = GlobSetBuilder::new();
        globs.iter().for_each(|glob| {
            builder.add(glob.clone());
        });
        // The globs were compiled one by one when they were read, so the set compiles too.
        let set = builder.build().unwrap_or_default();
        Self { patterns: globs.iter().map(|glob| glob.glob().to_owned()).collect(), set }
    }

    /// Reads a glob or a list of globs.
    pub fn decode(decoder: &mut Decoder, node: &Node) -> Option<Self> {
        let globs: Option<Vec<_>> = match &node.data {
            crate::decode::tree::Data::List(items) => {
                let globs: Vec<_> = items.iter().map(|item| decoder.glob(item)).collect();
                globs.into_iter().collect()
            }
            _ => decoder.glob(node).map(|glob| vec![glob]),
        };
        let globs = globs?;
        if globs.is_empty() {
            decoder.error("config.glob", &node.place, "a list of globs that holds none matches nothing", None);
            return None;
        }
        Some(Self::new(&globs))
    }

    /// Whether a path matches one of them.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.set.is_match(path)
    }

    /// The compiled set.
    #[must_use]
    pub fn set(&self) -> &GlobSet {
        &self.set
    }
}

/// Named parts of a project, in written order.
pub type Components = Vec<(String, Globs)>;

/// What a rule with `each:` has a limit for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Each {
    /// Every source file.
    File,
    /// Every folder that holds source files, by the files directly in it.
    Folder,
    /// Every component of the configuration.
    Component,
}

impl Each {
    /// Every value with its word.
    pub const WORDS: &'static [(&'static str, Self)] =
        &[("file", Self::File), ("folder", Self::Folder), ("component", Self::Component)];
}

/// The part of a project that a rule is about.
#[derive(Clone, Debug, Default)]
pub enum Scope {
    /// All of it.
    #[default]
    Project,
    /// The files that match.
    Paths(Globs),
    /// A component.
    Component(String, Globs),
    /// Each member of a kind, within some paths if they are given.
    Each(Each, Option<Globs>),
}

/// One part and its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its name in reports; `None` is the whole project.
    pub name: Option<String>,
    /// Its files; `None` is all of them.
    pub files: Option<BTreeSet<&'a str>>,
}

impl Member<'_> {
    /// Whether none of the files belongs to it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.as_ref().is_some_and(BTreeSet::is_empty)
    }
}

impl Scope {
    /// Reads `paths:`, `component:` and `each:` of a rule.
    pub fn decode(decoder: &mut Decoder, fields: &Fields<'_>, components: &Components) -> Option<Self> {
        let paths = match fields.get("paths") {
            Some(node) => Some(Globs::decode(decoder, node)?),
            None => None,
        };
        let each = match fields.get("each") {
            Some(node) => Some(decoder.word(node, "what the limit holds for", Each::WORDS)?),
            None => None,
        };
        let Some(node) = fields.get("component") else {
            if each == Some(Each::Component) && components.is_empty() {
                let place = fields.key_place("each").unwrap_or(fields.place);
                let help = "name them under `components:` at the top of the file".to_owned();
                decoder.error("config.scope", place, "there are no components", Some(help));
                return None;
            }
            return Some(match (each, paths) {
                (Some(each), paths) => Self::Each(each, paths),
                (None, Some(paths)) => Self::Paths(paths),
                (None, None) => Self::Project,
            });
        };
        if paths.is_some() || each.is_some() {
            let place = fields.key_place("component").unwrap_or(fields.place);
            decoder.error("config.scope", place, "`component` stands alone: it has paths of its own", None);
            return None;
        }
        let name = decoder.text(node, "the name of a component")?;
        let Some((_, globs)) = components.iter().find(|(known, _)| *known == name) else {
            let known = components.iter().map(|(name, _)| name.as_str());
            let help = match crate::sys::text::closest(&name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name it under `components:` at the top of the file".to_owned(),
            };
            decoder.error(
                "config.scope",
                &node.place,
                format!("there is no component {}", node.describe()),
                Some(help),
            );
            return None;
        };
        Some(Self::Component(name, globs.clone()))
    }

    /// The parts, ascending by name, with those of some files that belong to each.
    #[must_use]
    pub fn members<'a>(&self, files: impl Iterator<Item = &'a str>, components: &Components) -> Vec<Member<'a>> {
        let one = |name: String, files: BTreeSet<&'a str>| vec![Member { name: Some(name), files: Some(files) }];
        match self {
            Self::Project => vec![Member { name: None, files: None }],
            Self::Paths(globs) => one(globs.patterns.join(" "), files.filter(|path| globs.matches(path)).collect()),
            Self::Component(name, globs) => one(name.clone(), files.filter(|path| globs.matches(path)).collect()),
            Self::Each(each, within) => {
                let files = files.filter(|path| within.as_ref().is_none_or(|globs| globs.matches(path)));
                let mut members: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
                match each {
                    Each::File => files.for_each(|path| {
                        members.entry(path.to_owned()).or_default().insert(path);
                    }),
                    Each::Folder => files.for_each(|path| {
                        let folder = path.rsplit_once('/').map_or(".", |(folder, _)| folder);
                        members.entry(folder.to_owned()).or_default().insert(path);
                    }),
                    Each::Component => {
                        for path in files {
                            for (name, _) in components.iter().filter(|(_, globs)| globs.matches(path)) {
                                members.entry(name.clone()).or_default().insert(path);
                            }
                        }
                        // A component without files is a member all the same: its limit cannot be judged.
                        for (name, _) in components {
                            members.entry(name.clone()).or_default();
                        }
                    }
                }
                members.into_iter().map(|(name, files)| Member { name: Some(name), files: Some(files) }).collect()
            }
        }
    }
}
