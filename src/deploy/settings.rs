//! `stages:` as they stand in the configuration.

use std::time::Duration;

use serde_json::{Value, json};

use crate::decode::tree::{Data, Node};
use crate::decode::{Decoder, Fields, Key, Place, schema};
use crate::gate::rule;
use crate::gate::scope::Globs;
use crate::sys::text;

/// How old a successful run may be, unless a stage says otherwise.
const MAX_AGE: Duration = Duration::from_secs(30 * 86_400);
/// The artifacts that evidence is read from, unless a stage says otherwise.
const ARTIFACTS: &str = "mgmt-evidence*";

/// One step of a staged deploy: what must hold before it.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// The stage that must be live before it.
    pub after: Option<String>,
    /// GitHub's name of the environment that it deploys to.
    pub environment: String,
    /// Names of workflow files that must have succeeded on the commit.
    pub workflows: Vec<String>,
    /// How old their runs may be.
    pub max_age: Duration,
    /// Names of the artifacts that evidence is read from.
    pub artifacts: Globs,
    /// Which shards of evidence must be there.
    pub expect: Expect,
    /// Which rules the evidence must hold.
    pub gate: Judged,
}

/// Which shards of evidence must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Any one.
    Some,
    /// At least so many.
    Count(u64),
    /// Those with these names.
    Names(Vec<String>),
}

/// Which rules the evidence must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Those of a gate.
    By(String),
    /// None: no evidence is read.
    Nothing,
}

impl Stage {
    /// The gate that judges the evidence.
    #[must_use]
    pub fn gate(&self) -> Option<&str> {
        match &self.gate {
            Judged::By(name) => Some(name),
            Judged::Nothing => None,
        }
    }

    /// Whether evidence of the workflows' runs is wanted at all.
    #[must_use]
    pub fn reads_evidence(&self) -> bool {
        self.gate != Judged::Nothing
    }
}

/// The keys of a stage.
pub const KEYS: &[Key] = &[
    Key::optional(
        "after",
        "The stage before it: the commit must be live there, by the newest status of its newest deployment.",
        schema::string,
    ),
    Key::optional(
        "environment",
        "GitHub's name of the environment that it deploys to (default: the stage's own name).",
        schema::string,
    ),
    Key::optional(
        "workflows",
        "Workflow files that must have succeeded on the commit itself: `ci.yml`, or a list. A run for a pull request \
         tested a merge, and does not count.",
        || json!({ "anyOf": [file_schema(), { "type": "array", "items": file_schema(), "minItems": 1 }] }),
    ),
    Key::optional("max-age", "How long ago those runs may have begun (default 30d).", schema::duration),
    Key::optional(
        "artifacts",
        "Names of the artifacts of those runs that evidence is read from: a glob or a list of globs (default \
         `mgmt-evidence*`).",
        rule::globs_schema,
    ),
    Key::optional(
        "expect",
        "Which shards of evidence must be there: how many at least, or a list of their names (default: any one).",
        || {
            json!({ "anyOf": [{ "type": "integer", "minimum": 1 },
                { "type": "array", "items": schema::scalar(), "minItems": 1 }] })
        },
    ),
    Key::optional(
        "gate",
        "The gate whose rules the evidence must hold (default: the list under `gate:`); `false` reads no evidence.",
        || json!({ "anyOf": [{ "type": "string" }, { "const": false }] }),
    ),
];

fn file_schema() -> Value {
    json!({ "type": "string", "pattern": "\\.ya?ml$" })
}

/// The schema of all stages.
#[must_use]
pub fn map_schema() -> Value {
    json!({ "type": "object", "additionalProperties": schema::object(KEYS),
        "propertyNames": { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" } })
}

/// The gates that a stage may name.
#[derive(Clone, Copy, Debug)]
pub struct Gates<'a> {
    /// The names under `gates:`.
    pub named: &'a [&'a str],
    /// Whether there is a list under `gate:`.
    pub has_default: bool,
}

/// Decodes all stages. `is_name` says which names can stand in a command line.
pub fn decode(
    decoder: &mut Decoder,
    node: &Node,
    gates: Gates<'_>,
    is_name: fn(&mut Decoder, &Node, &str) -> Option<String>,
) -> Option<Vec<Stage>> {
    let pairs = decoder.map(node, "stages")?;
    let names: Vec<_> = pairs.iter().map(|(name, ..)| *name).collect();
    let mut out: Vec<Stage> = Vec::with_capacity(pairs.len());
    let mut places: Vec<&Place> = Vec::with_capacity(pairs.len());
    for (name, key, value) in &pairs {
        let named = is_name(decoder, key, "a stage").is_some();
        let Some(stage) = one(decoder, name, value, &names, gates).filter(|_| named) else { continue };
        let same = |other: &Stage| other.environment.eq_ignore_ascii_case(&stage.environment);
        if let Some(first) = out.iter().position(same) {
            let message =
                format!("`{name}` deploys to the environment `{}` as well", text::one_line(&stage.environment));
            let help = "what is live there would answer for both stages: give each its own".to_owned();
            decoder.error_with("config.stage", &key.place, message, Some(help), (places[first], "this stage does"));
        }
        out.push(stage);
        places.push(&key.place);
    }
    circles(decoder, &pairs);
    Some(out)
}

fn one(decoder: &mut Decoder, name: &str, node: &Node, names: &[&str], gates: Gates<'_>) -> Option<Stage> {
    let fields = decoder.fields(node, &format!("stage `{name}`"), &[KEYS])?;
    let after = fields.get("after").map_or(Some(None), |node| known(decoder, node, names, "stage").map(Some));
    let environment = match fields.get("environment") {
        Some(node) => words(decoder, node, "the name of an environment"),
        None => Some(name.to_owned()),
    };
    let workflows = fields.get("workflows").map_or(Some(Vec::new()), |node| workflows(decoder, node));
    let max_age = fields.get("max-age").map_or(Some(MAX_AGE), |node| decoder.duration(node));
    let artifacts = match fields.get("artifacts") {
        Some(node) => Globs::decode(decoder, node),
        None => Some(default_artifacts()),
    };
    let expect = fields.get("expect").map_or(Some(Expect::Some), |node| expect(decoder, node));
    let judged = judged(decoder, &fields, gates);
    asks_something(decoder, name, &fields, judged.as_ref());
    Some(Stage {
        name: name.to_owned(),
        after: after?,
        environment: environment?,
        workflows: workflows?,
        max_age: max_age?,
        artifacts: artifacts?,
        expect: expect?,
        gate: judged?,
    })
}

/// A stage that asks nothing would let everything through; a setting that nothing reads is a mistake.
fn asks_something(decoder: &mut Decoder, name: &str, fields: &Fields<'_>, judged: Option<&Judged>) {
    if fields.get("workflows").is_none() {
        if fields.get("after").is_none() {
            let help = "name the `workflows` that must have succeeded, or the stage that it comes `after`".to_owned();
            decoder.error("config.stage", fields.place, format!("stage `{name}` asks nothing"), Some(help));
            return;
        }
        for key in ["max-age", "artifacts", "expect", "gate"] {
            let is_off = key == "gate" && judged == Some(&Judged::Nothing);
            if let Some(place) = fields.key_place(key).filter(|_| fields.get(key).is_some() && !is_off) {
                let message = format!("`{key}` is about the runs of `workflows`, and `{name}` names none");
                decoder.error("config.stage", place, message, Some("add `workflows:`, or remove it".to_owned()));
            }
        }
    } else if judged == Some(&Judged::Nothing) {
        for key in ["artifacts", "expect"] {
            if let Some(place) = fields.key_place(key).filter(|_| fields.get(key).is_some()) {
                let message = format!("`{key}` is about evidence, and `{name}` reads none without a gate");
                let help = "name the gate that judges it, or remove it".to_owned();
                decoder.error("config.stage", place, message, Some(help));
            }
        }
    }
}

fn default_artifacts() -> Globs {
    Globs::new(&crate::decode::parse_glob(ARTIFACTS).into_iter().collect::<Vec<_>>())
}

fn known(decoder: &mut Decoder, node: &Node, names: &[&str], what: &str) -> Option<String> {
    let name = decoder.text(node, &format!("the name of a {what}"))?;
    if names.contains(&name.as_str()) {
        return Some(name);
    }
    let help = match text::closest(&name, names.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if names.is_empty() => None,
        None => Some(format!("there are: {}", names.join(", "))),
    };
    let code = if what == "gate" { "config.unknown-gate" } else { "config.unknown-stage" };
    decoder.error(code, &node.place, format!("there is no {what} {}", node.describe()), help);
    None
}

/// Text that is not blank.
fn words(decoder: &mut Decoder, node: &Node, what: &str) -> Option<String> {
    let text = decoder.text(node, what)?;
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        decoder.error("config.stage", &node.place, format!("{} cannot be {what}", node.describe()), None);
        return None;
    }
    Some(text)
}

/// One, or a list.
fn one_or_more(node: &Node) -> &[Node] {
    match &node.data {
        Data::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

fn workflows(decoder: &mut Decoder, node: &Node) -> Option<Vec<String>> {
    let items = one_or_more(node);
    if items.is_empty() {
        let help = "name the files below .github/workflows, such as ci.yml".to_owned();
        decoder.error("config.stage", &node.place, "a list of workflows that holds none", Some(help));
        return None;
    }
    let mut out: Vec<String> = Vec::with_capacity(items.len());
    let mut whole = true;
    for item in items {
        let Some(text) = decoder.text(item, "the name of a workflow file") else {
            whole = false;
            continue;
        };
        let file = text.strip_prefix(".github/workflows/").unwrap_or(&text);
        let odd = |ch: char| ch.is_control() || "/\\?#%".contains(ch);
        let stem = file.strip_suffix(".yml").or_else(|| file.strip_suffix(".yaml"));
        if stem.is_none_or(str::is_empty) || file.contains(odd) {
            let message = format!("{} is not the name of a workflow file", item.describe());
            let help = "write the name of its file below .github/workflows, such as ci.yml".to_owned();
            decoder.error("config.stage", &item.place, message, Some(help));
            whole = false;
        } else if out.iter().any(|other| other == file) {
            decoder.error("config.stage", &item.place, format!("{} stands here twice", item.describe()), None);
            whole = false;
        } else {
            out.push(file.to_owned());
        }
    }
    whole.then_some(out)
}

fn expect(decoder: &mut Decoder, node: &Node) -> Option<Expect> {
    let nothing = |decoder: &mut Decoder| {
        let help = "write how many shards there are, from 1, or their names".to_owned();
        decoder.error("config.stage", &node.place, "this expects nothing", Some(help));
        None
    };
    let Data::List(items) = &node.data else {
        return match node.text().map(str::parse) {
            Some(Ok(0_u64)) => nothing(decoder),
            Some(Ok(count)) => Some(Expect::Count(count)),
            _ => {
                decoder.wrong_type(node, "how many shards there are, or a list of their names");
                None
            }
        };
    };
    if items.is_empty() {
        return nothing(decoder);
    }
    let mut names: Vec<String> = Vec::with_capacity(items.len());
    let mut whole = true;
    for item in items {
        match words(decoder, item, "the name of a shard") {
            Some(name) if names.contains(&name) => {
                decoder.error("config.stage", &item.place, format!("{} stands here twice", item.describe()), None);
                whole = false;
            }
            Some(name) => names.push(name),
            None => whole = false,
        }
    }
    whole.then_some(Expect::Names(names))
}

fn judged(decoder: &mut Decoder, fields: &Fields<'_>, gates: Gates<'_>) -> Option<Judged> {
    let Some(node) = fields.get("gate") else {
        // Without workflows there is no evidence that a gate could judge.
        let judged = gates.has_default && fields.get("workflows").is_some();
        return Some(if judged { Judged::By(rule::DEFAULT.to_owned()) } else { Judged::Nothing });
    };
    if matches!(&node.data, Data::Scalar { text, plain: true } if text == "false") {
        return Some(Judged::Nothing);
    }
    let default = gates.has_default.then_some(rule::DEFAULT);
    let names: Vec<_> = default.into_iter().chain(gates.named.iter().copied()).collect();
    known(decoder, node, &names, "gate").map(Judged::By)
}

/// Reports each circle of `after` once, where the first of its stages closes it.
fn circles(decoder: &mut Decoder, pairs: &[(&str, &Node, &Node)]) {
    let after = |at: usize| {
        let Data::Map(settings) = &pairs[at].2.data else { return None };
        let (_, value) = settings.iter().find(|(key, _)| key.text() == Some("after"))?;
        let to = pairs.iter().position(|(name, ..)| value.text() == Some(*name))?;
        Some((to, value))
    };
    let mut told = vec![false; pairs.len()];
    for start in 0..pairs.len() {
        let mut way = vec![start];
        while let Some((to, place)) = way.last().and_then(|at| after(*at)) {
            if let Some(from) = way.iter().position(|at| *at == to) {
                let circle = &way[from..];
                if !circle.iter().any(|at| told[*at]) {
                    let names: Vec<_> =
                        circle.iter().chain([&to]).map(|at| format!("`{}`", text::one_line(pairs[*at].0))).collect();
                    let message = format!("stages come after each other in a circle: {}", names.join(" → "));
                    decoder.error("config.cycle", &place.place, message, Some("remove one of these `after`".into()));
                }
                circle.iter().for_each(|at| told[*at] = true);
                break;
            }
            way.push(to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::tree;

    fn name(decoder: &mut Decoder, node: &Node, what: &str) -> Option<String> {
        decoder.text(node, what)
    }

    fn read(text: &str, named: &[&str], has_default: bool) -> Result<Vec<Stage>, Vec<String>> {
        let node = tree::parse(text).unwrap().unwrap();
        let mut decoder = Decoder::default();
        let stages = decode(&mut decoder, &node, Gates { named, has_default }, name);
        let problems = decoder.finish();
        let told = problems
            .iter()
            .map(|problem| format!("{}:{} {}", problem.place.line, problem.place.column, problem.message));
        if problems.is_empty() { Ok(stages.unwrap()) } else { Err(told.collect()) }
    }

    #[test]
    fn what_is_not_written_has_a_default() {
        let stages =
            read("{ staging: { workflows: .github/workflows/ci.yml }, production: { after: staging } }", &[], true);
        let [staging, production] = stages.unwrap().try_into().unwrap();
        assert_eq!(
            (staging.environment.as_str(), staging.workflows.as_slice()),
            ("staging", &["ci.yml".to_owned()][..])
        );
        assert_eq!(
            (staging.max_age, staging.expect, staging.gate),
            (MAX_AGE, Expect::Some, Judged::By("default".into()))
        );
        assert!(staging.artifacts.matches("mgmt-evidence-unit-attempt1") && !staging.artifacts.matches("logs"));
        assert_eq!((production.after.as_deref(), production.gate), (Some("staging"), Judged::Nothing));
        let bare = read("{ a: { workflows: ci.yml }, b: { workflows: ci.yml, gate: false } }", &["x"], false).unwrap();
        assert!(bare.iter().all(|stage| stage.gate().is_none() && !stage.reads_evidence()));
    }

    #[test]
    fn what_is_written_is_taken() {
        let text = "{ p: { workflows: [ci.yml, e2e.yaml], environment: Production EU, max-age: 12h, artifacts: [a*, b], expect: [x, y], gate: deploy } }";
        let stage = read(text, &["deploy"], false).unwrap().remove(0);
        assert_eq!((stage.environment.as_str(), stage.max_age), ("Production EU", Duration::from_secs(12 * 3600)));
        assert_eq!((stage.expect.clone(), stage.gate()), (Expect::Names(vec!["x".into(), "y".into()]), Some("deploy")));
        assert_eq!(read("{ p: { workflows: ci.yml, expect: 20 } }", &[], true).unwrap()[0].expect, Expect::Count(20));
    }

    #[test]
    fn every_mistake_has_its_place() {
        for (text, told) in [
            ("{ a: { after: b } }", "1:15 there is no stage `b`"),
            ("{ a: {} }", "1:6 stage `a` asks nothing"),
            ("{ a: { after: a } }", "1:15 stages come after each other in a circle: `a` → `a`"),
            ("{ a: { workflows: ci.yml, gate: deplyo } }", "1:33 there is no gate `deplyo`"),
            ("{ a: { workflows: ci.yml, max-age: soon } }", "1:36 `soon`: not a duration"),
            ("{ a: { workflows: ci.yml, max-age: 0s } }", "1:36 a duration of nothing"),
            ("{ a: { workflows: [] } }", "1:19 a list of workflows that holds none"),
            ("{ a: { workflows: ci } }", "1:19 `ci` is not the name of a workflow file"),
            ("{ a: { workflows: ../ci.yml } }", "1:19 `../ci.yml` is not the name of a workflow file"),
            (
                "{ a: { workflows: [ci.yml, .github/workflows/ci.yml] } }",
                "1:28 `.github/workflows/ci.yml` stands here twice",
            ),
            ("{ a: { workflows: ci.yml, expect: 0 } }", "1:35 this expects nothing"),
            ("{ a: { workflows: ci.yml, expect: [x, x] } }", "1:39 `x` stands here twice"),
            ("{ a: { workflows: ci.yml, environment: '' } }", "1:40 `` cannot be the name of an environment"),
            (
                "{ a: { workflows: ci.yml }, b: { after: a, expect: 2 } }",
                "1:44 `expect` is about the runs of `workflows`",
            ),
            ("{ a: { workflows: ci.yml, gate: false, expect: 2 } }", "1:40 `expect` is about evidence"),
            (
                "{ a: { workflows: ci.yml }, b: { after: a, environment: A } }",
                "1:29 `b` deploys to the environment `A` as well",
            ),
            ("{ a: { workflows: ci.yml, afer: b } }", "1:27 unknown key `afer`"),
        ] {
            let problems = read(text, &["deploy"], true).unwrap_err();
            assert!(problems.len() == 1 && problems[0].starts_with(told), "{text}: {problems:?}");
        }
        let circle =
            read("{ x: { after: b }, a: { after: c }, b: { after: a }, c: { after: b } }", &[], true).unwrap_err();
        assert_eq!(circle.len(), 1, "{circle:?}");
        assert!(circle[0].ends_with("`b` → `a` → `c` → `b`"), "{circle:?}");
    }
}
