//! What a check does, a metric counts and how it was judged, what the score is made of, what a problem's code or the
//! state of a retraining's slot means, why a run ended as it did.

use super::history::{Answer, Place};
use super::judge::SCORE;
use super::{Context, Stop};
use crate::check::score::Health;
use crate::check::{Action, Check};
use crate::config::Config;
use crate::evidence::problem::Code;
use crate::evidence::{Problem, metric};
use crate::gate::scope::{Each, Globs, Scope};
use crate::gate::{Gate, RuleResult, RuleVerdict};
use crate::history::{self, UNREADABLE};
use crate::record::Record;
use crate::report::{advice, compare};
use crate::retrain::slot::{self, Class};
use crate::sys::text;

/// Rule results shown before the rest is counted.
const RESULTS: usize = 20;
/// Earlier runs looked through for one that judged a metric.
const RUNS: usize = 100;

/// Everything with a code, over all rooms.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    let tables = [
        crate::evidence::problem::CODES,
        crate::gate::quarantine::CODES,
        crate::retrain::wiring::CODES,
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
/// Nothing of that name; or a run of a store that cannot be read.
pub fn explain(context: &Context, topic: &str) -> anyhow::Result<Answer<String>> {
    if let Some(value) = fixed(topic) {
        return Ok(Answer { value, problems: Vec::new() });
    }
    // A configuration that does not load must not keep fixed names from being explained.
    let config = context.load();
    if metric::check(topic).is_ok() {
        let (last, problems) = config.as_ref().map(|config| last_with(context, config, topic)).unwrap_or_default();
        let last = last.map(|record| results(&record, topic)).unwrap_or_default();
        return Ok(Answer { value: one_metric(topic, config.as_ref().ok()) + &last, problems });
    }
    if topic == SCORE {
        let (last, problems) = config.as_ref().map(|config| last_with(context, config, topic)).unwrap_or_default();
        // A check may have that name as well.
        let check = config.as_ref().ok().and_then(|config| config.checks.iter().find(|check| check.id == topic));
        let check = check.map(|check| format!("\n{}", one_check(check))).unwrap_or_default();
        return Ok(Answer { value: the_score(config.as_ref().ok(), last.as_ref()) + &check, problems });
    }
    let state = slot::STATES.iter().find(|row| row.word == topic);
    if let (Some(row), Err(_)) = (state, &config) {
        return Ok(Answer { value: one_state(row), problems: Vec::new() });
    }
    let config = config?;
    let place = Place::of(context, &config);
    if let Some(record) = run(&place, topic)? {
        return Ok(Answer { value: one_run(&record), problems: place.take_problems() });
    }
    if topic == "latest" {
        let hint = "`mgmt full-check` makes one; then `mgmt explain latest` tells why it ended as it did".to_owned();
        return Err(Stop::nothing("there is no run yet", Some(hint)).into());
    }
    if let Some(check) = config.checks.iter().find(|check| check.id == topic) {
        return Ok(Answer { value: one_check(check), problems: place.take_problems() });
    }
    // A check may be called like one, as well.
    if let Some(row) = state {
        return Ok(Answer { value: one_state(row), problems: place.take_problems() });
    }
    let names = config.checks.iter().map(|check| check.id.as_str());
    let names = names.chain(metric::NAMES.iter().map(|row| row.name)).chain(codes().map(|code| code.id));
    let names = names.chain(slot::STATES.iter().map(|row| row.word));
    let names = names.chain([SCORE, "latest", "metrics", "codes", "slots"]);
    let hint = match text::closest(topic, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "a topic is a check's name, a metric's name, a problem's code, the state of a slot of a retraining, a \
             run's id, `latest`, `score`, `metrics`, `codes` or `slots`"
            .to_owned(),
    };
    Err(Stop::usage(format!("nothing is called `{}`", text::one_line(topic)), Some(hint)).into())
}

/// What is the same in every project.
fn fixed(topic: &str) -> Option<String> {
    match topic {
        "metrics" => return Some(all_metrics()),
        "slots" => return Some(slot::STATES.iter().map(|row| format!("{:<22}{}\n", row.word, row.doc)).collect()),
        "codes" => return Some(codes().map(|code| format!("{:<26}{}\n", code.id, code.doc)).collect()),
        _ => {}
    }
    let code = codes().find(|code| code.id == topic)?;
    let hint = if code.hint.is_empty() { String::new() } else { format!("help: {}\n", code.hint) };
    Some(format!("{}\n\n{}\n{hint}", code.id, code.doc))
}

/// What a state of a slot means, what it is worth, and what to do about it.
fn one_state(row: &slot::Row) -> String {
    let worth = match row.class {
        Class::Kept => "It is as it should be.",
        Class::Late => "In the newest slot that can be judged it warns.",
        Class::Faded => "In the newest slot that can be judged it fails the audit; before it, it says nothing.",
        Class::Open => "The slot before it decides.",
        Class::Unknown => "In the newest slot that can be judged the audit is inconclusive.",
        Class::Bad => "In the newest slot that can be judged it fails the audit; before it, it warns.",
    };
    let hint = if row.hint.is_empty() { String::new() } else { format!("help: {}\n", row.hint) };
    format!(
        "{}\n\nThe state of a slot of the retraining, `{}` in the calendar.\n{}\n{worth}\n{hint}",
        row.word, row.sign, row.doc
    )
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
    let limits = rules.flat_map(|rule| rule.limits.iter().map(|limit| (limit, part_of(&rule.scope))));
    limits.map(|(limit, part)| format!("Gate {}: {limit}{part}.\n", gate.name)).collect()
}

/// The part of the project that a rule is about, behind its limit.
fn part_of(scope: &Scope) -> String {
    let globs = |globs: &Globs| text::list(&globs.patterns);
    match scope {
        Scope::Project => String::new(),
        Scope::Paths(paths) => format!(" in {}", globs(paths)),
        Scope::Component(name, paths) => format!(" in the component {name} ({})", globs(paths)),
        Scope::Each(each, within) => {
            let each = Each::WORDS.iter().find(|(_, known)| known == each).map_or("", |(word, _)| word);
            format!(
                " for each {each}{}",
                within.as_ref().map(|paths| format!(" in {}", globs(paths))).unwrap_or_default()
            )
        }
    }
}

/// What the score is, what is asked of it, and what the last one was made of.
fn the_score(config: Option<&Config>, last: Option<&Record>) -> String {
    let mut out = format!(
        "{SCORE}\n\nOne number over the groups of checks, 0 to 100: of each group the share of its checks that passed, by \
         the group's weight. A check that was skipped, could not start or was stopped did not pass. Only a full run has \
         one; it is one more part of the verdict and outweighs nothing.\n"
    );
    let Some(config) = config else { return out };
    let Some(settings) = &config.score else {
        out.push_str(&format!("{} asks for none: `score: {{}}` would, with every group alike.\n", config.path));
        return out;
    };
    for (word, bound, verdict) in [
        (Health::Healthy, settings.pass, "passes"),
        (Health::Warning, settings.warn, "passes with a warning"),
        (Health::Unhealthy, settings.critical, "fails"),
    ] {
        out.push_str(&format!("{:<12}from {}: {verdict}\n", word.word(), text::number(bound)));
    }
    let word = Health::Critical.word();
    out.push_str(&format!("{word:<12}below {}: fails\n", text::number(settings.critical)));
    let weights = settings.weights.iter().map(|(group, weight)| format!("{group} {}", text::number(*weight)));
    out.push_str(&format!("{:<12}{}\n", "weights", weights.collect::<Vec<_>>().join(", ")));
    let Some(record) = last else {
        out.push_str("\nNo stored run has one yet: `mgmt full-check` makes one.\n");
        return out;
    };
    out.push_str(&results(record, SCORE));
    for part in record.score.iter().flat_map(|score| &score.parts) {
        let points = text::number_pair(part.points, part.full_points, 1).0;
        let full = text::number_pair(part.full_points, f64::NAN, 1).0;
        let note = match (part.missing, part.excused) {
            (true, _) => ", none executed".to_owned(),
            (false, 0) => String::new(),
            (false, excused) => format!(", {excused} excused"),
        };
        let (group, total) = (text::one_line(&part.group), text::plural(part.total, "check", "checks"));
        out.push_str(&format!("  {group:<14}{points} of {full} points: {} of {total} passed{note}\n", part.passed));
    }
    out
}

/// The last run that judged a rule on the metric, and what was noticed. A store that cannot be read is told and no more:
/// what the metric counts does not depend on it.
fn last_with(context: &Context, config: &Config, name: &str) -> (Option<Record>, Vec<Problem>) {
    let place = Place::of(context, config);
    let mut passed_over = Vec::new();
    let last = search(&place, name, &mut passed_over).unwrap_or_else(|error| {
        passed_over.push(error);
        None
    });
    let mut problems = place.take_problems();
    problems.extend(passed_over.iter().map(|error| Problem {
        hint: error.hint().map(str::to_owned),
        ..Problem::new(&UNREADABLE, error.to_string())
    }));
    (last, problems)
}

/// One record after the other: most often the newest has it, and each may be large.
fn search(place: &Place, name: &str, passed_over: &mut Vec<history::Error>) -> Result<Option<Record>, history::Error> {
    let judged =
        |record: &Record| record.rules.iter().any(|rule| rule.metric == name && rule.verdict != RuleVerdict::NotAsked);
    for id in place.ask(|store| store.ids())?.iter().take(RUNS) {
        match place.ask(|store| store.get(id)) {
            Ok(record) if judged(&record) => return Ok(Some(record)),
            // Another process may have removed it since.
            Ok(_) | Err(history::Error::Missing { .. }) => {}
            Err(error @ history::Error::Record { .. }) => passed_over.push(error),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The run that a text names: `latest`, an id, or the beginning of one that no other run has.
fn run(place: &Place, name: &str) -> anyhow::Result<Option<Record>> {
    // A text that can begin no id is something else, and the store need not be asked.
    if name != "latest" && !name.starts_with(|ch: char| ch.is_ascii_digit()) {
        return Ok(None);
    }
    let ids = place.ask(|store| store.ids()).map_err(Stop::from)?;
    let mut found = ids.iter().filter(|id| name == "latest" || id.starts_with(name));
    let Some(id) = found.next() else { return Ok(None) };
    if name != "latest" && id != name && found.next().is_some() {
        let message = format!("several runs begin with `{}`", text::one_line(name));
        return Err(Stop::usage(message, Some("write more of the id".into())).into());
    }
    Ok(Some(place.ask(|store| store.get(id)).map_err(Stop::from)?))
}

/// What each rule on a metric said in a run.
fn results(record: &Record, name: &str) -> String {
    let rules = record.rules.iter().filter(|rule| rule.metric == name && rule.verdict != RuleVerdict::NotAsked);
    let mut out = format!("\nIn the run {}", record.id);
    if let Some(baseline) = &record.baseline {
        out.push_str(&format!(", compared with {}", text::one_line(&compare::baseline(baseline))));
    }
    out.push_str(":\n");
    // Parts that do not hold come first: of thousands that do, a few are enough.
    let mut rules: Vec<_> = rules.collect();
    rules.sort_by_key(|rule| matches!(rule.verdict, RuleVerdict::Pass | RuleVerdict::NotApplicable));
    for rule in rules.iter().take(RESULTS) {
        out.push_str(&result(rule));
    }
    if rules.len() > RESULTS {
        out.push_str(&format!(
            "\n… and {} more parts of the project; the report of the run has them\n",
            rules.len() - RESULTS
        ));
    }
    out
}

fn result(rule: &RuleResult) -> String {
    let of = rule.scope.as_deref().map(|scope| format!(" of {}", text::one_line(scope))).unwrap_or_default();
    let mut out = format!("\n{}{of}, {}: {}\n", rule.metric, rule.limit, rule.verdict.word());
    let mut say = |what: &str, value: String| out.push_str(&format!("  {what:<14}{value}\n"));
    say("because", rule.message.clone());
    say("value", rule.shown_value());
    if let Some(base) = compare::base(rule) {
        say("baseline", base);
    }
    if let Some(change) = compare::difference(rule) {
        say("difference", change);
    }
    if let Some(source) = &rule.source {
        say("read from", text::one_line(source));
    }
    if let Some(advice) = &rule.advice {
        say("smallest fix", advice.clone());
    }
    out
}

/// Why a run ended as it did.
fn one_run(record: &Record) -> String {
    let mut out = format!("{}: {}\n\n{}\n", record.id, record.verdict.word(), advice::summary(record));
    let commit = record.project.commit.as_deref().unwrap_or("no commit");
    let dirty = if record.project.dirty == Some(true) { ", with uncommitted changes" } else { "" };
    out.push_str(&format!("commit      {commit}{dirty}\n"));
    out.push_str(&match &record.baseline {
        Some(baseline) => format!("baseline    {}\n", text::one_line(&compare::baseline(baseline))),
        None => "baseline    none\n".to_owned(),
    });
    out.push_str(&format!(
        "as baseline {}\n",
        if record.is_fit_as_baseline() { "fit: a full, clean run" } else { "not fit" }
    ));
    let steps = advice::steps(record);
    if !steps.is_empty() {
        out.push_str("\nwhat would make it pass:\n");
    }
    for step in steps {
        let command = step.command.map(|command| format!("  →  {}", text::one_line(&command))).unwrap_or_default();
        out.push_str(&format!("  {}{command}\n", step.what));
    }
    let deciding = |rule: &&RuleResult| !matches!(rule.verdict, RuleVerdict::NotAsked | RuleVerdict::NotApplicable);
    let mut rules: Vec<_> = record.rules.iter().filter(deciding).collect();
    rules.sort_by_key(|rule| rule.verdict == RuleVerdict::Pass);
    out.extend(rules.iter().take(RESULTS).map(|rule| result(rule)));
    if rules.len() > RESULTS {
        out.push_str(&format!("\n… and {} more rules; the report of the run has them\n", rules.len() - RESULTS));
    }
    out
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
