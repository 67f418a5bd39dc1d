//! What a workflow file says of when it runs and whom it wakes, with lines.
//!
//! Tolerant: a file that is odd in one place still tells the rest, and whatever is an expression (`${{ … }}`) says
//! nothing. Deliberately absent: checking workflows. What GitHub refuses it reports itself, apart from what keeps a
//! schedule from running at all.

use crate::decode::tree::{self, Data, Node};
use crate::sys::text;

/// Where GitHub looks for workflows, from the repository's root.
pub const FOLDER: &str = ".github/workflows";

/// A workflow file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// Its path from the root of the repository.
    pub path: String,
    /// Its name.
    pub name: Option<String>,
    /// What starts it.
    pub triggers: Vec<Trigger>,
    /// Its schedules.
    pub schedules: Vec<Entry>,
    /// Its steps, job after job.
    pub steps: Vec<Step>,
}

/// An event that starts a workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub event: String,
    /// Where it stands, from 1.
    pub line: u64,
    /// Its `types`; none is every type.
    pub types: Vec<String>,
    /// Its `branches`; none is every branch.
    pub branches: Vec<String>,
    /// Whether it listens to tags alone.
    pub only_tags: bool,
}

/// An entry under `schedule`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its `cron`.
    pub cron: Option<String>,
    /// Its `timezone`.
    pub zone: Option<String>,
    /// Where it stands, from 1.
    pub line: u64,
}

/// A step of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The job.
    pub job: String,
    /// Where it stands, from 1.
    pub line: u64,
    /// The action that it uses.
    pub uses: Option<String>,
    /// Its script: of `run`, or the `script` of an action.
    pub script: Option<Script>,
    /// What it gives to the action.
    pub with: Vec<(String, Script)>,
}

/// Text of a workflow and the line on which it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The text.
    pub text: String,
    /// The line of its first character, or of the sign before it.
    pub line: u64,
}

impl Step {
    /// What it gives to its action under that name.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&Script> {
        self.with.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Whether it uses that action, whatever its version.
    #[must_use]
    pub fn is_action(&self, name: &str) -> bool {
        let used = self.uses.as_deref().and_then(|uses| uses.split('@').next());
        used.is_some_and(|used| used.eq_ignore_ascii_case(name))
    }
}

impl File {
    /// The trigger of that name.
    #[must_use]
    pub fn trigger(&self, event: &str) -> Option<&Trigger> {
        self.triggers.iter().find(|trigger| trigger.event == event)
    }

    /// The file's name without its folder.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// Reads a workflow file.
///
/// # Errors
/// A text that is not YAML, or no workflow; with its line.
pub fn read(path: &str, source: &str) -> Result<File, (String, u64)> {
    let node = tree::parse(source).map_err(|error| (error.message, error.place.line.into()))?;
    let root = node.filter(|node| matches!(node.data, Data::Map(_)));
    let Some(root) = root else { return Err(("the file holds no workflow".to_owned(), 1)) };
    let mut file = File { path: path.to_owned(), name: words(get(&root, "name")), ..File::default() };
    if let Some((key, on)) = pair(&root, "on") {
        events(&mut file, key, on);
    }
    for (name, job) in pairs(get(&root, "jobs")) {
        let job_name = name.text().unwrap_or_default();
        let steps = get(job, "steps").map(items).unwrap_or_default();
        file.steps.extend(steps.iter().map(|node| step(job_name, node, source)));
    }
    Ok(file)
}

fn line(node: &Node) -> u64 {
    node.place.line.into()
}

fn events(file: &mut File, key: &Node, on: &Node) {
    let bare = |node: &Node| {
        let event = node.text()?.to_owned();
        Some(Trigger { event, line: line(node), types: Vec::new(), branches: Vec::new(), only_tags: false })
    };
    match &on.data {
        Data::Scalar { .. } => file.triggers.extend(bare(on)),
        Data::List(events) => file.triggers.extend(events.iter().filter_map(bare)),
        Data::Map(events) => {
            for (name, value) in events {
                let Some(trigger) = bare(name) else { continue };
                let texts = |key: &str| get(value, key).map(texts).unwrap_or_default();
                let only_tags = get(value, "tags").is_some() && get(value, "branches").is_none();
                file.triggers.push(Trigger {
                    types: texts("types"),
                    branches: texts("branches"),
                    only_tags,
                    ..trigger
                });
                if name.text() == Some("schedule") {
                    file.schedules.extend(schedules(name, value));
                }
            }
        }
    }
    // `on: schedule` names no moment.
    let is_bare = !matches!(on.data, Data::Map(_));
    if is_bare && let Some(trigger) = file.trigger("schedule") {
        let line = if trigger.line > 0 { trigger.line } else { line(key) };
        file.schedules.push(Entry { cron: None, zone: None, line });
    }
}

fn schedules(key: &Node, value: &Node) -> Vec<Entry> {
    let entry = |node: &Node| {
        let cron = get(node, "cron");
        Entry { cron: words(cron), zone: words(get(node, "timezone")), line: line(cron.unwrap_or(node)) }
    };
    match &value.data {
        Data::List(entries) if !entries.is_empty() => entries.iter().map(entry).collect(),
        _ => vec![Entry { cron: None, zone: None, line: line(key) }],
    }
}

fn step(job: &str, node: &Node, source: &str) -> Step {
    let script = |node: &Node| {
        let text = node.text()?.to_owned();
        let line = first_line(node, &text, source);
        Some(Script { text, line })
    };
    let with: Vec<_> = pairs(get(node, "with"))
        .iter()
        .filter_map(|(key, value)| Some((key.text()?.to_owned(), script(value)?)))
        .collect();
    let own = get(node, "run").and_then(script);
    let given = with.iter().find(|(key, _)| key == "script").map(|(_, value)| value.clone());
    Step { job: job.to_owned(), line: line(node), uses: words(get(node, "uses")), script: own.or(given), with }
}

/// The line on which a text begins: that of a block scalar is behind its `|`.
fn first_line(node: &Node, text: &str, source: &str) -> u64 {
    let from = line(node);
    let Some(first) = text.lines().find(|line| !line.trim().is_empty()) else { return from };
    let at = usize::try_from(from.saturating_sub(1)).unwrap_or(0);
    let before = text.lines().take_while(|line| line.trim().is_empty()).count() as u64;
    let found = source.lines().skip(at).position(|line| line.contains(first.trim()));
    found.map_or(from, |found| from + found as u64).saturating_sub(before)
}

impl Script {
    /// The line on which the byte `at` stands.
    #[must_use]
    pub fn line_at(&self, at: usize) -> u64 {
        let before = self.text.get(..at).unwrap_or_default();
        self.line + before.matches('\n').count() as u64
    }

    /// For messages.
    #[must_use]
    pub fn shown(&self) -> String {
        text::shorten(&text::one_line(self.text.trim()), 60)
    }
}

fn pairs(node: Option<&Node>) -> &[(Node, Node)] {
    match node.map(|node| &node.data) {
        Some(Data::Map(pairs)) => pairs,
        _ => &[],
    }
}

fn items(node: &Node) -> &[Node] {
    match &node.data {
        Data::List(items) => items,
        _ => &[],
    }
}

fn pair<'a>(node: &'a Node, key: &str) -> Option<(&'a Node, &'a Node)> {
    pairs(Some(node)).iter().find(|(name, _)| name.text() == Some(key)).map(|(name, value)| (name, value))
}

fn get<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    pair(node, key).map(|(_, value)| value)
}

fn words(node: Option<&Node>) -> Option<String> {
    node.and_then(Node::text).map(str::to_owned)
}

fn texts(node: &Node) -> Vec<String> {
    match &node.data {
        Data::List(items) => items.iter().filter_map(Node::text).map(str::to_owned).collect(),
        _ => words(Some(node)).into_iter().collect(),
    }
}
