//! From the tree to a [`Config`], every problem reported.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use super::{Config, DEFAULT_GATE, Project, Reports, SCHEMA_URL};
use crate::check::{self, Check, limits, score};
use crate::decode::tree::{Data, Node};
use crate::decode::{Decoder, Diagnostic, Key, Place, schema as piece, tree};
use crate::deploy::settings as stages;
use crate::evidence::Limits;
use crate::gate::quarantine::entry as quarantine;
use crate::gate::scope::{Components, Globs};
use crate::gate::{Gate, rule};
use crate::history;
use crate::notify::settings as notify;
use crate::retrain::settings as retrain;
use crate::sys::text;

/// The keys of the file.
pub const KEYS: &[Key] = &[
    Key::required("version", "The version of this format: 1.", || json!({ "const": 1 })),
    Key::optional("project", "The project itself.", || piece::object(PROJECT)),
    Key::optional(
        "checks",
        "What is run or looked at, by name.",
        || json!({ "type": "object", "additionalProperties": check::check_schema(), "propertyNames": { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" } }),
    ),
    Key::optional("gate", "The rules that decide, unless --gate names another list.", rule::list_schema),
    Key::optional(
        "gates",
        "More lists of rules, by name; --gate NAME chooses one.",
        || json!({ "type": "object", "additionalProperties": rule::list_schema() }),
    ),
    Key::optional(
        "stages",
        "Steps of a staged deploy and what must hold before each, by name: `mgmt gate --stage NAME`.",
        stages::map_schema,
    ),
    Key::optional(
        "retrain",
        "A scheduled training workflow and what must come of it: `mgmt audit retrain`.",
        retrain::settings_schema,
    ),
    Key::optional(
        "components",
        "Named parts of the project: globs of source files, by name.",
        || json!({ "type": "object", "additionalProperties": rule::globs_schema() }),
    ),
    Key::optional("patch", "What counts as changed.", || piece::object(PATCH)),
    Key::optional(
        "limits",
        "Bounds on report files, which come from outside. The defaults are far above what tools write.",
        || piece::object(limits::KEYS),
    ),
    Key::optional(
        "quarantine",
        "Tests whose failures are known and excused until a stated day; reports always list them.",
        quarantine::list_schema,
    ),
    Key::optional(
        "score",
        "One number over all groups, judged as one more part of a full run.",
        score::settings_schema,
    ),
    Key::optional("reports", "Where reports go and how long they are kept.", || piece::object(REPORTS)),
    Key::optional("history", "How long the records of runs are kept, and how many.", || piece::object(history::KEYS)),
    Key::optional("notify", "Who is told of what goes wrong, by name: `mgmt notify test`.", notify::map_schema),
];

const PROJECT: &[Key] = &[
    Key::optional("name", "Its name in reports (default: the root folder's name).", piece::string),
    Key::optional(
        "default-branch",
        "The branch that others are compared with (default: what git says).",
        piece::string,
    ),
];

const PATCH: &[Key] = &[Key::optional(
    "ignore",
    "Changed files that need no coverage, beside those that .gitattributes marks as linguist-generated.",
    rule::globs_schema,
)];

const REPORTS: &[Key] = &[
    Key::optional("dir", "Folder for reports, relative to the root (default .mgmt/reports).", piece::string),
    Key::optional(
        "keep",
        "How long reports are kept (default 30d); `mgmt report keep ID` keeps one for good.",
        piece::duration,
    ),
];

/// The JSON Schema of the file, for editors.
#[must_use]
pub fn schema() -> Value {
    let mut schema = piece::object(KEYS);
    if let Some(map) = schema.as_object_mut() {
        map.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        map.insert("$id".into(), SCHEMA_URL.into());
        map.insert("title".into(), "mgmt.yml".into());
    }
    schema
}

/// Decodes a configuration's text.
///
/// # Errors
/// Every problem in it, in the order of the file.
pub fn decode(text: &str, root: &Utf8Path, path: &Utf8Path) -> Result<Config, Vec<Diagnostic>> {
    let node = match tree::parse(text) {
        Ok(Some(node)) => node,
        Ok(None) => {
            let message = "the file is empty".to_owned();
            let help = Some("`mgmt init` writes one from what it finds in the project".to_owned());
            return Err(vec![Diagnostic {
                code: "config.missing-key",
                message,
                place: Place { line: 1, column: 1, bytes: 0..0 },
                help,
                context: None,
            }]);
        }
        Err(problem) => return Err(vec![*problem]),
    };
    let mut decoder = Decoder::default();
    let config = root_map(&mut decoder, &node, root, path);
    let problems = decoder.finish();
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(problems),
    }
}

fn root_map(decoder: &mut Decoder, node: &Node, root: &Utf8Path, path: &Utf8Path) -> Option<Config> {
    let fields = decoder.fields(node, "mgmt.yml", &[KEYS])?;
    if let Some(version) = fields.get("version")
        && version.text() != Some("1")
    {
        let help = "this program reads version 1: write `version: 1`".to_owned();
        decoder.error(
            "config.version",
            &version.place,
            format!("version {} is not known", version.describe()),
            Some(help),
        );
    }
    let project = fields.get("project").map_or(Some(Project::default()), |node| project(decoder, node));
    let checks = fields.get("checks").map_or(Some(Vec::new()), |node| checks(decoder, node));
    let components = fields.get("components").map_or(Some(Components::new()), |node| components(decoder, node));
    let known = components.clone().unwrap_or_default();
    let gate = fields.get("gate").and_then(|node| Gate::decode(decoder, node, DEFAULT_GATE, &known));
    let gates = fields.get("gates").map_or(Some(Vec::new()), |node| gates(decoder, node, &known));
    let stages = fields.get("stages").map_or(Some(Vec::new()), |node| {
        let named = fields.get("gates").map(names_of).unwrap_or_default();
        let gates = stages::Gates { named: &named, has_default: fields.get("gate").is_some() };
        stages::decode(decoder, node, gates, check::name)
    });
    let retrain = fields.get("retrain").map(|node| retrain::decode(decoder, node));
    let patch_ignore = fields.get("patch").map_or(Some(Globs::default()), |node| patch(decoder, node));
    let declared = fields.get("checks").map(Known::of).unwrap_or_default();
    let quarantine =
        fields.get("quarantine").map_or(Some(Vec::new()), |node| quarantine::decode(decoder, node, &declared.checks));
    let score = fields.get("score").map(|node| score::decode(decoder, node, &declared.groups));
    let reports = fields.get("reports").map_or(Some(Reports::default()), |node| reports(decoder, node));
    let limits = fields.get("limits").map_or(Some(Limits::default()), |node| limits::decode(decoder, node));
    let history =
        fields.get("history").map_or(Some(Default::default()), |node| history::Settings::decode(decoder, node));
    let notify = fields.get("notify").map_or(Some(Vec::new()), |node| notify::decode(decoder, node, check::name));
    Some(Config {
        root: root.to_owned(),
        path: path.to_owned(),
        project: project?,
        checks: checks?,
        gate,
        gates: gates?,
        stages: stages?,
        retrain: retrain.flatten(),
        components: components?,
        patch_ignore: patch_ignore?,
        limits: limits?,
        quarantine: quarantine?,
        score: score.flatten(),
        reports: reports?,
        history: history?,
        notify: notify?,
    })
}

fn project(decoder: &mut Decoder, node: &Node) -> Option<Project> {
    let fields = decoder.fields(node, "project", &[PROJECT])?;
    let mut words = |key: &str| fields.get(key).map(|node| decoder.text(node, "text"));
    let (name, default_branch) = (words("name"), words("default-branch"));
    Some(Project { name: name.flatten(), default_branch: default_branch.flatten() })
}

fn reports(decoder: &mut Decoder, node: &Node) -> Option<Reports> {
    let fields = decoder.fields(node, "reports", &[REPORTS])?;
    let mut reports = Reports::default();
    if let Some(node) = fields.get("dir") {
        reports.dir = Utf8PathBuf::from(decoder.path(node)?);
    }
    if let Some(node) = fields.get("keep") {
        reports.keep = decoder.duration(node)?;
    }
    Some(reports)
}

fn components(decoder: &mut Decoder, node: &Node) -> Option<Components> {
    let mut out = Components::new();
    for (name, key, value) in decoder.map(node, "components")? {
        let named = check::name(decoder, key, "a component").is_some();
        if let Some(globs) = Globs::decode(decoder, value).filter(|_| named) {
            out.push((name.to_owned(), globs));
        }
    }
    Some(out)
}

fn patch(decoder: &mut Decoder, node: &Node) -> Option<Globs> {
    let fields = decoder.fields(node, "patch", &[PATCH])?;
    fields.get("ignore").map_or(Some(Globs::default()), |node| Globs::decode(decoder, node))
}

fn gates(decoder: &mut Decoder, node: &Node, components: &Components) -> Option<Vec<Gate>> {
    let mut out = Vec::new();
    for (name, key, value) in decoder.map(node, "gates")? {
        if check::name(decoder, key, "a gate").is_none() {
            continue;
        }
        if name == DEFAULT_GATE {
            decoder.error(
                "config.name",
                &key.place,
                "`default` is the name of the list under `gate:`",
                Some("choose another name".into()),
            );
            continue;
        }
        if let Some(gate) = Gate::decode(decoder, value, name, components) {
            out.push(gate);
        }
    }
    Some(out)
}

fn checks(decoder: &mut Decoder, node: &Node) -> Option<Vec<Arc<Check>>> {
    let pairs = decoder.map(node, "checks")?;
    let ids: Vec<_> = pairs.iter().map(|(id, ..)| *id).collect();
    let mut out = Vec::new();
    let mut needs = Vec::new();
    for (id, key, value) in &pairs {
        let named = check::name(decoder, key, "a check").is_some();
        let own = needs_of(value);
        for need in own.iter().filter(|need| !ids.contains(&need.text().unwrap_or_default())) {
            let help = text::closest(need.text().unwrap_or_default(), ids.iter().copied())
                .map(|near| format!("did you mean `{near}`?"));
            decoder.error("config.unknown-check", &need.place, format!("there is no check {}", need.describe()), help);
        }
        needs.push((*id, own));
        if let Some(check) = check::decode(decoder, id, value).filter(|_| named) {
            out.push(Arc::new(check));
        }
    }
    cycles(decoder, &needs);
    Some(out)
}

/// What other parts of the file may name, as it is written: a mistake inside a check does not make its name unknown.
#[derive(Default)]
struct Known<'a> {
    checks: Vec<&'a str>,
    groups: Vec<&'a str>,
}

impl<'a> Known<'a> {
    fn of(checks: &'a Node) -> Self {
        let mut known = Self::default();
        let Data::Map(pairs) = &checks.data else { return known };
        for (name, check) in pairs {
            known.checks.extend(name.text());
            let Data::Map(settings) = &check.data else { continue };
            let group = settings.iter().find(|(key, _)| key.text() == Some("group"));
            if let Some(group) = group.and_then(|(_, value)| value.text())
                && !known.groups.contains(&group)
            {
                known.groups.push(group);
            }
        }
        known
    }
}

/// The names in a map, as they are written: a mistake in what they name does not make them unknown.
fn names_of(map: &Node) -> Vec<&str> {
    let Data::Map(pairs) = &map.data else { return Vec::new() };
    pairs.iter().filter_map(|(name, _)| name.text()).collect()
}

fn needs_of(check: &Node) -> Vec<&Node> {
    let Data::Map(pairs) = &check.data else { return Vec::new() };
    match pairs.iter().find(|(key, _)| key.text() == Some("needs")).map(|(_, value)| &value.data) {
        Some(Data::List(items)) => items.iter().filter(|item| item.text().is_some()).collect(),
        _ => Vec::new(),
    }
}

/// Reports each circle of `needs` once, at the first of its checks.
fn cycles(decoder: &mut Decoder, needs: &[(&str, Vec<&Node>)]) {
    let index = |id: &str| needs.iter().position(|(other, _)| *other == id);
    // 0 = not seen, 1 = on the way, 2 = done.
    let mut seen = vec![0_u8; needs.len()];
    for start in 0..needs.len() {
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        if seen[start] != 0 {
            continue;
        }
        seen[start] = 1;
        while let Some((at, next)) = path.last_mut() {
            let Some(need) = needs[*at].1.get(*next) else {
                seen[*at] = 2;
                path.pop();
                continue;
            };
            *next += 1;
            match index(need.text().unwrap_or_default()) {
                Some(to) if seen[to] == 0 => {
                    seen[to] = 1;
                    path.push((to, 0));
                }
                Some(to) if seen[to] == 1 => {
                    let from = path.iter().position(|(at, _)| *at == to).unwrap_or(0);
                    let names: Vec<_> = path[from..]
                        .iter()
                        .map(|(at, _)| needs[*at].0)
                        .chain([needs[to].0])
                        .map(|name| format!("`{name}`"))
                        .collect();
                    let message = format!("checks need each other in a circle: {}", names.join(" → "));
                    decoder.error("config.cycle", &need.place, message, Some("remove one of these `needs`".into()));
                }
                _ => {}
            }
        }
    }
}
