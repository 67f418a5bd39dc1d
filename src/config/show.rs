//! The resolved configuration as YAML: what `config show` prints, defaults included.

use serde_json::{Map, Value, json};

use super::Config;
use crate::check::{Action, Check, evidence, limits};
use crate::deploy::{Expect, Judged, Stage};
use crate::evidence::Bound;
use crate::evidence::metric::{self, Better};
use crate::gate::quarantine::Entry;
use crate::gate::rule::{LimitKind, NoBase};
use crate::gate::scope::{Each, Scope};
use crate::gate::{Gate, Rule};
use crate::notify::Receiver;
use crate::notify::settings::{Mention, Options};
use crate::retrain::Settings;
use crate::retrain::settings::{Challenge, Drop, Expect as Wanted, Size, Target, Trace, When};
use crate::sys::text;

/// The configuration with every default written out, as a value that reads back as `mgmt.yml`.
#[must_use]
pub fn show(config: &Config) -> Value {
    let mut out = Map::new();
    out.insert("version".into(), 1.into());
    let mut project = Map::new();
    project.insert("name".into(), config.name().into());
    if let Some(branch) = &config.project.default_branch {
        project.insert("default-branch".into(), branch.as_str().into());
    }
    out.insert("project".into(), project.into());
    let checks: Map<_, _> = config.checks.iter().map(|check| (check.id.clone(), check_value(check))).collect();
    out.insert("checks".into(), checks.into());
    if let Some(gate) = &config.gate {
        out.insert("gate".into(), gate_value(gate));
    }
    if !config.gates.is_empty() {
        let gates: Map<_, _> = config.gates.iter().map(|gate| (gate.name.clone(), gate_value(gate))).collect();
        out.insert("gates".into(), gates.into());
    }
    if !config.stages.is_empty() {
        let stages: Map<_, _> = config.stages.iter().map(|stage| (stage.name.clone(), stage_value(stage))).collect();
        out.insert("stages".into(), stages.into());
    }
    if let Some(retrain) = &config.retrain {
        out.insert("retrain".into(), retrain_value(retrain));
    }
    if !config.components.is_empty() {
        let components: Map<_, _> =
            config.components.iter().map(|(name, globs)| (name.clone(), json!(globs.patterns))).collect();
        out.insert("components".into(), components.into());
    }
    if !config.patch_ignore.patterns.is_empty() {
        out.insert("patch".into(), json!({ "ignore": config.patch_ignore.patterns }));
    }
    let limits = Bound::ALL.iter().map(|bound| (bound.key().to_owned(), limits::setting(&config.limits, *bound)));
    out.insert("limits".into(), limits.collect::<Map<_, _>>().into());
    if !config.quarantine.is_empty() {
        out.insert("quarantine".into(), config.quarantine.iter().map(entry_value).collect::<Vec<_>>().into());
    }
    if let Some(score) = &config.score {
        let weights: Map<_, _> = score.weights.iter().map(|(group, weight)| (group.clone(), number(*weight))).collect();
        let mut shown =
            json!({ "pass": number(score.pass), "warn": number(score.warn), "critical": number(score.critical) });
        if !weights.is_empty() {
            shown["weights"] = weights.into();
        }
        out.insert("score".into(), shown);
    }
    let keep = text::duration_setting(config.reports.keep);
    out.insert("reports".into(), json!({ "dir": config.reports.dir, "keep": keep }));
    let keep = text::duration_setting(config.history.keep);
    out.insert("history".into(), json!({ "keep": keep, "max-runs": config.history.max_runs }));
    if !config.notify.is_empty() {
        let notify: Map<_, _> = config.notify.iter().map(|one| (one.name.clone(), receiver_value(one))).collect();
        out.insert("notify".into(), notify.into());
    }
    out.into()
}

fn retrain_value(settings: &Settings) -> Value {
    let mut out = Map::new();
    let workflow = match &settings.repository {
        None => json!(settings.workflow),
        Some(repository) => json!({ "repo": repository, "workflow": settings.workflow }),
    };
    out.insert("workflow".into(), workflow);
    let when = match &settings.when {
        When::FromWorkflow => json!("from-workflow"),
        When::Given(schedules) => {
            schedules.iter().map(|one| json!({ "cron": one.cron.text(), "timezone": one.zone_name() })).collect()
        }
    };
    out.insert("cron".into(), when);
    let spans = [
        ("late-after", settings.late_after),
        ("tolerance", settings.tolerance),
        ("timeout", settings.timeout),
        ("history", settings.history),
    ];
    out.extend(spans.map(|(key, span)| (key.to_owned(), text::duration_setting(span).into())));
    let expect = expect_value(&settings.expect);
    if !expect.is_empty() {
        out.insert("expect".into(), expect.into());
    }
    if !settings.champion.is_empty() {
        out.insert("champion".into(), settings.champion.iter().map(challenge_value).collect::<Vec<_>>().into());
    }
    if let Some(remedies) = &settings.remediate {
        let dispatch = match &remedies.dispatch_missed {
            None => json!(false),
            Some(inputs) if inputs.is_empty() => json!(true),
            Some(inputs) => json!({ "inputs": inputs }),
        };
        let within = text::duration_setting(remedies.budget.within);
        let value = json!({
            "rerun-failed": remedies.rerun_failed,
            "dispatch-missed": dispatch,
            "enable-disabled": remedies.enable_disabled,
            "budget": { "actions": remedies.budget.actions, "within": within },
            "cooldown": text::duration_setting(remedies.cooldown),
        });
        out.insert("remediate".into(), value);
    }
    out.into()
}

fn expect_value(expect: &Wanted) -> Map<String, Value> {
    let mut out = Map::new();
    if let Some(branch) = &expect.branch {
        out.insert("branch".into(), branch.as_str().into());
    }
    if let Some(model) = &expect.model {
        let model = match model {
            Trace::Artifact { name, digest } => json!({ "name": name, "digest": digest }),
            Trace::Commit(globs) => json!({ "commit": globs.patterns }),
        };
        out.insert("artifact".into(), model);
    }
    if let Some(metrics) = &expect.metrics {
        out.insert("metrics".into(), json!({ "file": metrics.file, "must": metrics.must }));
    }
    if let Some(deploy) = &expect.deploy {
        let (key, name) = match &deploy.to {
            Target::Environment(name) => ("environment", name),
            Target::Workflow(file) => ("workflow", file),
        };
        out.insert("deploy".into(), json!({ "within": text::duration_setting(deploy.within), key: name }));
    }
    out
}

fn challenge_value(challenge: &Challenge) -> Value {
    let mut out = json!({ "metric": challenge.metric });
    for (key, bound) in [("min", challenge.min), ("max", challenge.max)] {
        if let Some(bound) = bound {
            out[key] = number(bound);
        }
    }
    if let Some(drop) = challenge.drop {
        out["max-drop"] = match drop {
            Drop::By(by) => number(by),
            Drop::Percent(_) => drop.to_string().into(),
        };
    }
    let word = Better::WORDS.iter().find(|(_, better)| *better == challenge.better);
    out["direction"] = word.map_or("", |(word, _)| word).into();
    match &challenge.size {
        Some(Size::Fixed(count)) => out["size"] = (*count).into(),
        Some(Size::Metric(name)) => out["size"] = name.as_str().into(),
        None => {}
    }
    out
}

fn check_value(check: &Check) -> Value {
    let mut out = Map::new();
    out.insert("group".into(), check.group.clone().into());
    match &check.action {
        Action::Run(command) => {
            out.insert("run".into(), command.argv.clone().into());
            if !command.cwd.is_empty() {
                out.insert("cwd".into(), command.cwd.clone().into());
            }
            if !command.env.is_empty() {
                out.insert("env".into(), json!(command.env));
            }
        }
        Action::Paths(requirements) => {
            let paths: Vec<_> = requirements
                .iter()
                .map(|requirement| {
                    let key = if evidence::is_glob(&requirement.pattern) { "glob" } else { "path" };
                    let mut path =
                        json!({ key: requirement.pattern, "min": requirement.min, "non-empty": requirement.non_empty });
                    if let Some(max) = requirement.max {
                        path["max"] = max.into();
                    }
                    if let Some(syntax) = requirement.parses {
                        let word = crate::check::paths::Syntax::WORDS.iter().find(|(_, other)| *other == syntax);
                        path["parses"] = word.map_or("", |(word, _)| word).into();
                    }
                    path
                })
                .collect();
            out.insert("paths".into(), paths.into());
        }
    }
    out.insert("timeout".into(), text::duration_setting(check.timeout).into());
    for (key, names) in [("needs", &check.needs), ("requires", &check.requires)] {
        if !names.is_empty() {
            out.insert(key.into(), names.clone().into());
        }
    }
    if let Some(name) = &check.exclusive {
        out.insert("exclusive".into(), name.clone().into());
    }
    if check.allow_failure {
        out.insert("allow-failure".into(), true.into());
    }
    if let Some(fix) = &check.fix {
        out.insert("fix".into(), fix.argv.clone().into());
    }
    if !check.evidence.is_empty() {
        let specs: Map<_, _> =
            check.evidence.iter().map(|spec| (spec.kind.name().to_owned(), spec_value(spec))).collect();
        out.insert("evidence".into(), specs.into());
    }
    out.into()
}

fn spec_value(spec: &evidence::Spec) -> Value {
    let mut out = match &spec.from {
        evidence::From::Files(files) => json!({ "path": files }),
        evidence::From::Output => json!({ "from": "output" }),
    };
    if !spec.paths.is_empty() {
        let to = |to: &str| if to.is_empty() { ".".to_owned() } else { to.to_owned() };
        out["paths"] = spec.paths.iter().map(|rule| json!({ "from": rule.from, "to": to(&rule.to) })).collect();
    }
    if let Some(format) = spec.format {
        out["format"] = format.name.into();
    }
    let word = crate::evidence::Repeats::WORDS.iter().find(|(_, repeats)| *repeats == spec.repeats);
    out["repeats"] = word.map_or("", |(word, _)| word).into();
    out
}

fn stage_value(stage: &Stage) -> Value {
    let mut out = Map::new();
    if let Some(after) = &stage.after {
        out.insert("after".into(), after.as_str().into());
    }
    out.insert("environment".into(), stage.environment.as_str().into());
    if stage.workflows.is_empty() {
        return out.into();
    }
    out.insert("workflows".into(), json!(stage.workflows));
    out.insert("max-age".into(), text::duration_setting(stage.max_age).into());
    match &stage.gate {
        Judged::By(gate) => {
            out.insert("artifacts".into(), json!(stage.artifacts.patterns));
            match &stage.expect {
                Expect::Some => {}
                Expect::Count(count) => {
                    out.insert("expect".into(), (*count).into());
                }
                Expect::Names(names) => {
                    out.insert("expect".into(), json!(names));
                }
            }
            out.insert("gate".into(), gate.as_str().into());
        }
        Judged::Nothing => {
            out.insert("gate".into(), false.into());
        }
    }
    out.into()
}

fn receiver_value(receiver: &Receiver) -> Value {
    let levels: Vec<_> = receiver.levels.iter().map(|level| level.word()).collect();
    let mut out = json!({ "kind": receiver.kind.name, "url-env": receiver.url_env, "levels": levels });
    match &receiver.options {
        Options::Discord { thread, mention } => {
            if let Some(thread) = thread {
                out["thread-id"] = thread.as_str().into();
            }
            if *mention != Mention::default() {
                out["mention"] = json!({ "users": mention.users, "roles": mention.roles });
            }
        }
        Options::Slack => {}
        Options::Webhook { secret } => {
            if let Some(secret) = secret {
                out["secret-env"] = secret.as_str().into();
            }
        }
    }
    out
}

fn entry_value(entry: &Entry) -> Value {
    let mut out = json!({
        "tests": entry.tests.as_str(),
        "reason": entry.reason,
        "until": entry.until.to_string(),
    });
    if let Some(check) = &entry.check {
        out["check"] = check.as_str().into();
    }
    out
}

/// `3` and not `3.0`, but never another number.
fn number(value: f64) -> Value {
    let short = serde_json::from_str::<Value>(&text::number(value)).ok();
    short.filter(|short| short.as_f64() == Some(value)).unwrap_or_else(|| json!(value))
}

fn gate_value(gate: &Gate) -> Value {
    gate.rules.iter().map(rule_value).collect::<Vec<_>>().into()
}

fn rule_value(rule: &Rule) -> Value {
    let mut out = json!({ "metric": rule.metric });
    for limit in &rule.limits {
        // As written, so that `0` does not come back as `0.0`.
        out[limit.kind.word()] = if limit.relative {
            limit.text.clone().into()
        } else {
            serde_json::from_str(&limit.text).unwrap_or_else(|_| json!(limit.bound))
        };
    }
    match &rule.scope {
        Scope::Project => {}
        Scope::Paths(globs) => out["paths"] = json!(globs.patterns),
        Scope::Component(name, _) => out["component"] = name.as_str().into(),
        Scope::Each(each, within) => {
            out["each"] = Each::WORDS.iter().find(|(_, other)| other == each).map_or("", |(word, _)| word).into();
            if let Some(globs) = within {
                out["paths"] = json!(globs.patterns);
            }
        }
    }
    if rule.limits.iter().any(|limit| limit.kind.needs_base()) || metric::is_from_base(&rule.metric) {
        out["require-base"] = (rule.no_base == NoBase::Inconclusive).into();
    }
    if rule.limits.iter().any(|limit| limit.kind == LimitKind::Ratchet) {
        let word = Better::WORDS.iter().find(|(_, better)| *better == rule.better);
        out["direction"] = word.map_or("", |(word, _)| word).into();
    }
    if rule.metric == metric::PATCH_PERCENT {
        out["min-lines"] = rule.min_lines.into();
    }
    let word = crate::gate::WhenMissing::WORDS.iter().find(|(_, when)| *when == rule.when_missing);
    out["when-missing"] = word.map_or("", |(word, _)| word).into();
    out
}
