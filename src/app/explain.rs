//! What a check does, what a metric counts, what a problem's code means.

use super::{Context, Stop};
use crate::check::{Action, Check};
use crate::config::Config;
use crate::evidence::metric;
use crate::evidence::problem::Code;
use crate::gate::Gate;
use crate::sys::text;

/// Everything with a code, over all rooms.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    let tables = [
        crate::evidence::problem::CODES,
        crate::gate::quarantine::CODES,
        crate::run::CODES,
        crate::history::CODES,
        crate::config::CODES,
        super::CODES,
    ];
    tables.into_iter().flatten().copied()
}

/// Explains a topic in lines of plain text.
///
/// # Errors
/// Nothing of that name.
pub fn explain(context: &Context, topic: &str) -> anyhow::Result<String> {
    if topic == "metrics" {
        return Ok(all_metrics());
    }
    if topic == "codes" {
        return Ok(codes().map(|code| format!("{:<26}{}\n", code.id, code.doc)).collect());
    }
    if let Some(code) = codes().find(|code| code.id == topic) {
        let hint = if code.hint.is_empty() { String::new() } else { format!("help: {}\n", code.hint) };
        return Ok(format!("{}\n\n{}\n{hint}", code.id, code.doc));
    }
    // A configuration that does not load must not keep fixed names from being explained.
    let config = context.load();
    if metric::check(topic).is_ok() {
        return Ok(one_metric(topic, config.as_ref().ok()));
    }
    let config = config?;
    if let Some(check) = config.checks.iter().find(|check| check.id == topic) {
        return Ok(one_check(check));
    }
    let names = config.checks.iter().map(|check| check.id.as_str());
    let names = names.chain(metric::NAMES.iter().map(|row| row.name)).chain(codes().map(|code| code.id));
    let hint = match text::closest(topic, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "a topic is a check's name, a metric's name, a problem's code, `metrics` or `codes`".to_owned(),
    };
    Err(Stop::usage(format!("nothing is called `{}`", text::one_line(topic)), Some(hint)).into())
}

fn all_metrics() -> String {
    let fixed = metric::NAMES.iter().map(|row| format!("{:<30}{}\n", row.name, row.doc));
    let open = metric::NAMESPACES.iter().map(|(prefix, doc)| format!("{:<30}{doc}\n", format!("{prefix}NAME")));
    fixed.chain(open).collect()
}

fn one_metric(name: &str, config: Option<&Config>) -> String {
    let namespace = metric::NAMESPACES.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or("", |(_, doc)| *doc);
    let doc = metric::find(name).map_or(namespace, |row| row.doc);
    let mut out = format!("{name}\n\n{doc}\n");
    let Some(config) = config else { return out };
    let kind = metric::kind(name);
    let yields: Vec<_> = config
        .checks
        .iter()
        .filter(|check| check.evidence.iter().any(|spec| Some(spec.kind) == kind))
        .map(|check| format!("`{}`", check.id))
        .collect();
    out.push_str(&match yields.as_slice() {
        [] => format!("No check in {} declares evidence that measures it.\n", config.path),
        some => format!("Measured by {}.\n", text::list(some)),
    });
    for gate in config.gate.iter().chain(&config.gates) {
        out.push_str(&rules_on(gate, name));
    }
    out
}

fn rules_on(gate: &Gate, name: &str) -> String {
    let rules = gate.rules.iter().filter(|rule| rule.metric == name);
    rules.flat_map(|rule| &rule.limits).map(|limit| format!("Gate {}: {limit}.\n", gate.name)).collect()
}

fn one_check(check: &Check) -> String {
    let mut out = format!("{}  (group {})\n\n", check.id, check.group);
    let mut say = |what: &str, value: String| out.push_str(&format!("{what:<12}{value}\n"));
    match &check.action {
        Action::Run(command) => {
            say("runs", command.display());
            if !command.cwd.is_empty() {
                say("in", command.cwd.clone());
            }
        }
        Action::Paths(requirements) => {
            for requirement in requirements {
                let filled = if requirement.non_empty { ", not empty" } else { "" };
                say("looks at", format!("{} (at least {}{filled})", requirement.pattern, requirement.min));
            }
        }
    }
    say("timeout", text::duration(check.timeout));
    for (what, names) in [("needs", &check.needs), ("requires", &check.requires)] {
        if !names.is_empty() {
            say(what, names.join(", "));
        }
    }
    if let Some(name) = &check.exclusive {
        say("exclusive", name.clone());
    }
    if let Some(fix) = &check.fix {
        say("fix", fix.display());
    }
    for spec in &check.evidence {
        let place = match &spec.from {
            crate::check::evidence::From::Files(files) => files.join(", "),
            crate::check::evidence::From::Output => "its output".to_owned(),
        };
        let format = spec.format.map(|format| format!(" as {}", format.name)).unwrap_or_default();
        say("evidence", format!("{} from {place}{format}", spec.kind.name()));
    }
    if check.allow_failure {
        say("failure", "is only a warning".to_owned());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_all_rooms_are_unique_and_documented() {
        let mut ids: Vec<_> = codes().map(|code| code.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        assert!(codes().all(|code| code.doc.ends_with('.')));
    }
}
