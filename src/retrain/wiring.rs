//! What makes a green retraining useless, read from the workflow files: nobody hears of it, or it never starts.
//!
//! Only what can be said for sure is said: an event whose name is an expression, a script that another file holds and a
//! repository that is another one are passed over.

use super::cron::{self, Cron, Schedule};
use super::workflow::{File, Script, Step};
use crate::evidence::problem::{Code, Level};
use crate::gate::RuleVerdict;
use crate::sys::text;

macro_rules! codes {
    ($($name:ident = $id:literal, $level:ident, $doc:literal, $hint:literal;)*) => {
        $(#[doc = $doc] pub const $name: Code = Code { id: $id, level: Level::$level, doc: $doc, hint: $hint };)*
        /// Every code of this room.
        pub const CODES: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    STATE = "audit.slot", Warning,
        "The newest slot of the schedule that can be judged is not as it should be: its state tells what is wrong. It decides the verdict.",
        "look at the run: it tells more than its state";
    COVERED = "audit.covered", Warning,
        "The schedule did not do its work, and a run by hand did it instead.",
        "find out why the schedule did not run: the next one may not be seen";
    EARLIER = "audit.earlier", Warning,
        "Slots before the newest one were not as they should be. They warn, and do not decide.",
        "look at the slots: what happens again and again will be the newest one day";
    NOTHING = "audit.nothing", Loss,
        "The history holds no slot that could be judged.",
        "wait for the first one, or raise `history` where the schedule is rarer";
    GAP = "audit.gap", Loss,
        "GitHub's answers are not whole, and what is missing could be a fault.",
        "try again; the token needs the permission `actions: read`";
    DISABLED = "audit.disabled", Warning,
        "The workflow is disabled: no schedule will start it.",
        "enable it: `gh workflow enable FILE`";
    FIRST = "audit.first-model", Warning,
        "There is no model before this one that it could be compared with. It is not known to be good.",
        "look at its metrics yourself, this once";
    UNSURE = "audit.unsure", Loss,
        "Whether the new model is good enough cannot be said: a value is missing or no number, or the difference lies within what chance does.",
        "test with more samples or seeds, or keep artifacts for longer than one interval of the schedule";
    INACTIVE = "audit.inactivity", Warning,
        "GitHub disables the schedules of a public repository in which nothing has happened for 60 days, and the day is near.",
        "push something, or enable the workflow anew: both start the count again";
    NO_SCHEDULE = "schedule.none", Warning,
        "The workflow has no schedule: it never trains by itself.",
        "add `on: schedule:` to the workflow, or name another one under `retrain: workflow:`";
    CRON = "schedule.cron", Warning,
        "GitHub does not accept the text of the schedule, or does not run it as it is written.",
        "write five fields, at least five minutes apart";
    NEVER = "schedule.never", Warning,
        "The schedule names a day that never comes.",
        "correct the day or the month";
    AMBIGUOUS = "schedule.ambiguous", Warning,
        "Readers of cron differ on a step such as `*/2` in one day field beside a restricted other one: either field, or both. Only days on which both agree are expected.",
        "write the days out, or restrict one of the two fields only";
    BRANCH = "schedule.branch", Warning,
        "GitHub runs schedules on the default branch alone, from the file as it stands there.",
        "merge the workflow into the default branch, and expect that branch";
    UNREADABLE = "workflow.unreadable", Loss,
        "A workflow file could not be read, so what it listens to is not known.",
        "correct the file; GitHub shows the same error under Actions";
    UNHEARD = "dispatch.unheard", Warning,
        "A step sends a `repository_dispatch` event of a type that no workflow listens to. GitHub accepts it, and nothing happens.",
        "add the type under `on: repository_dispatch: types:` of the workflow that should run, on the default branch";
    SILENT_PUSH = "push.silent", Warning,
        "A step pushes with the token that GitHub gives to the job. Such a push starts no workflow, also none that listens to pushes.",
        "push with a token of an app or a deploy key, or start the other workflow by `workflow_dispatch`";
    NO_DISPATCH = "remediate.unheard", Warning,
        "`dispatch-missed` is declared, and the workflow does not listen to `workflow_dispatch`, or nobody can say: GitHub would refuse to start it.",
        "add `workflow_dispatch:` under `on:` of the workflow, on the default branch";
}

/// Something that is wrong, as a value that reaches every report.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What it means for the verdict.
    pub level: RuleVerdict,
    /// The [`Code`]'s name.
    pub code: &'static str,
    /// What happened, as a fragment.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
    /// The file it is about.
    pub file: Option<String>,
    /// The line in that file, from 1.
    pub line: Option<u64>,
}

impl Finding {
    /// With its code's usual hint.
    #[must_use]
    pub fn new(level: RuleVerdict, code: &Code, message: impl Into<String>) -> Self {
        let hint = (!code.hint.is_empty()).then(|| code.hint.to_owned());
        Self { level, code: code.id, message: message.into(), hint, file: None, line: None }
    }

    /// With a place.
    #[must_use]
    pub fn at(mut self, file: &str, line: u64) -> Self {
        self.file = Some(file.to_owned());
        self.line = (line > 0).then_some(line);
        self
    }

    /// With another hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The schedules of a workflow file, and what is wrong with them.
#[must_use]
pub fn schedules(file: &File) -> (Vec<Schedule>, Vec<Finding>) {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for entry in &file.schedules {
        let refused = |error: cron::CronError| {
            Finding::new(RuleVerdict::Fail, &CRON, error.message).with_hint(error.hint).at(&file.path, entry.line)
        };
        let Some(cron) = &entry.cron else {
            let message = "an entry of `schedule` without `cron`";
            faults.push(Finding::new(RuleVerdict::Fail, &CRON, message).at(&file.path, entry.line));
            continue;
        };
        let zone = entry.zone.as_deref().map_or_else(|| cron::zone("UTC"), cron::zone);
        match (Cron::parse(cron), zone) {
            (Ok(cron), Ok(zone)) => {
                if cron.is_ambiguous() {
                    let message = format!("`{}` means other days to other readers", cron.text());
                    faults.push(Finding::new(RuleVerdict::Warn, &AMBIGUOUS, message).at(&file.path, entry.line));
                }
                found.push(Schedule { cron, zone });
            }
            (cron, zone) => faults.extend(cron.err().into_iter().chain(zone.err()).map(refused)),
        }
    }
    if file.schedules.is_empty() {
        let message = format!("{} has no schedule", text::one_line(file.file_name()));
        faults.push(Finding::new(RuleVerdict::Fail, &NO_SCHEDULE, message).at(&file.path, 0));
    }
    (found, faults)
}

/// A workflow that may be started for a slot that was missed, and cannot be; `file` is what it says, if that is known.
#[must_use]
pub fn undispatched(file: Option<&File>, name: &str) -> Option<Finding> {
    let Some(file) = file else {
        let message = format!("whether {} listens to `workflow_dispatch` is not known", text::one_line(name));
        let hint = "check the name under `retrain: workflow:`; its file could not be read";
        return Some(Finding::new(RuleVerdict::Warn, &NO_DISPATCH, message).with_hint(hint));
    };
    let message = format!("{} does not listen to `workflow_dispatch`", text::one_line(file.file_name()));
    let finding = || Finding::new(RuleVerdict::Warn, &NO_DISPATCH, message).at(&file.path, 0);
    file.trigger("workflow_dispatch").is_none().then(finding)
}

/// Events of the audited workflow that nobody hears, and pushes that wake nobody. `files` are all workflows of the
/// repository that could be read, the audited one among them; `is_whole` says whether that is every one of them.
#[must_use]
pub fn unheard(audited: &File, files: &[File], repository: &str, is_whole: bool) -> Vec<Finding> {
    let mut faults = Vec::new();
    for step in &audited.steps {
        for (event, line) in dispatches(step, repository) {
            let hears = |file: &File| {
                file.trigger("repository_dispatch").is_some_and(|on| on.types.is_empty() || on.types.contains(&event))
            };
            if files.iter().any(hears) {
                continue;
            }
            let message = format!("no workflow listens to the event `{}` that is sent here", text::one_line(&event));
            let level = if is_whole { RuleVerdict::Fail } else { RuleVerdict::Inconclusive };
            let types: Vec<_> =
                files.iter().filter_map(|file| file.trigger("repository_dispatch")).flat_map(|on| &on.types).collect();
            let near = text::closest(&event, types.iter().map(|word| word.as_str()));
            let finding = Finding::new(level, &UNHEARD, message).at(&audited.path, line);
            faults.push(match near {
                Some(near) => finding.with_hint(format!("did you mean `{}`?", text::one_line(near))),
                None => finding,
            });
        }
    }
    faults.extend(silent(audited, files));
    faults
}

/// The types of `repository_dispatch` events that a step sends to this repository, with their lines.
fn dispatches(step: &Step, repository: &str) -> Vec<(String, u64)> {
    if step.is_action("peter-evans/repository-dispatch") {
        let is_own = step.given("repository").is_none_or(|goal| is_here(&goal.text, repository));
        let event = step.given("event-type").filter(|_| is_own);
        return event.and_then(|event| Some((literal(&event.text)?, event.line))).into_iter().collect();
    }
    let Some(script) = &step.script else { return Vec::new() };
    let sends = script.text.contains("/dispatches") || script.text.contains("createDispatchEvent");
    if !sends || !is_sent_here(script, repository) {
        return Vec::new();
    }
    let mut out = Vec::new();
    for (at, word) in script.text.match_indices("event_type") {
        let line = script.text[..at].rsplit('\n').next().unwrap_or_default();
        let behind = &script.text[at + word.len()..];
        // `event_type=NAME`, `"event_type": "NAME"`, `event_type: 'NAME'`, also with escaped quotes.
        let value = behind.trim_start_matches(['"', '\'', '\\']).trim_start();
        let Some(value) = value.strip_prefix(['=', ':']).filter(|_| !is_comment(line)) else { continue };
        let value = value.trim_start().trim_start_matches(['"', '\'', '\\', '`']);
        let end = value.find(|ch: char| !(ch.is_alphanumeric() || "_-.:${".contains(ch))).unwrap_or(value.len());
        out.extend(literal(&value[..end]).map(|event| (event, script.line_at(at))));
    }
    out
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('#') || line.starts_with("//")
}

/// A word that is no expression.
fn literal(word: &str) -> Option<String> {
    let word = word.trim();
    (!word.is_empty() && !word.contains(['$', '{'])).then(|| word.to_owned())
}

/// Whether a repository in words is this one.
fn is_here(goal: &str, repository: &str) -> bool {
    let goal = goal.trim();
    goal.eq_ignore_ascii_case(repository) || goal.contains("github.repository")
}

/// Whether a script sends all its events to this repository, as far as it says so in words.
fn is_sent_here(script: &Script, repository: &str) -> bool {
    let text = &script.text;
    let is_of_context = text.contains("context.repo") && !owned(text);
    let goals = text.match_indices("repos/").filter_map(|(at, word)| {
        let goal = text[at + word.len()..].split("/dispatches").next().filter(|goal| goal.len() < 100)?;
        // `actions/workflows/x.yml/dispatches` is another interface.
        (!goal.contains(['\n', '"', '\'']) && !goal.contains("/actions/")).then_some(goal)
    });
    let own = [
        repository,
        "$GITHUB_REPOSITORY",
        "${GITHUB_REPOSITORY}",
        "${{ github.repository }}",
        "${{github.repository}}",
        "${process.env.GITHUB_REPOSITORY}",
        "${context.repo.owner}/${context.repo.repo}",
    ];
    // Filled in by `gh` from where it runs, and by scripts of JavaScript from what they are given.
    let filled = ["{owner}/{repo}", ":owner/:repo"];
    let is_script = ["context.", "github.rest", "github.request", "octokit"].iter().any(|word| text.contains(word));
    let is_own = |goal: &str| {
        own.iter().any(|own| goal.eq_ignore_ascii_case(own))
            || (filled.contains(&goal) && (!is_script || is_of_context))
    };
    let mut goals = goals.peekable();
    let made = text.contains("createDispatchEvent");
    (made || goals.peek().is_some()) && (!made || is_of_context) && goals.all(is_own)
}

/// Whether a script names an owner or a repository of its own in words.
fn owned(text: &str) -> bool {
    ["owner", "repo"].iter().any(|key| {
        text.match_indices(key).any(|(at, word)| {
            let behind = text[at + word.len()..].trim_start();
            behind.strip_prefix(':').is_some_and(|value| !value.trim_start().starts_with("context.repo"))
        })
    })
}

/// Actions that push what they commit.
const PUSHING: &[&str] = &[
    "stefanzweifel/git-auto-commit-action",
    "EndBug/add-and-commit",
    "ad-m/github-push-action",
    "github-actions-x/commit",
];

/// Words in which a token is another one than the job's own.
fn is_own_token(text: &str) -> bool {
    let text = text.replace("secrets.GITHUB_TOKEN", "github.token");
    !text.contains("secrets.") && !text.contains("steps.") && !text.contains("needs.") && !text.contains("env.")
}

fn silent(audited: &File, files: &[File]) -> Vec<Finding> {
    let listens = |file: &&File| file.path != audited.path && file.trigger("push").is_some_and(|push| !push.only_tags);
    let listeners: Vec<_> = files.iter().filter(listens).map(File::file_name).collect();
    if listeners.is_empty() {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for step in &audited.steps {
        let by_action = PUSHING.iter().any(|name| step.is_action(name));
        let script = step.script.as_ref().filter(|_| step.uses.is_none());
        let by_hand = script.and_then(|script| {
            let at = script.text.find("git push")?;
            let line = script.text[..at].rsplit('\n').next().unwrap_or_default();
            (!is_comment(line) && is_own_token(&script.text) && !script.text.contains("--tags"))
                .then(|| script.line_at(at))
        });
        let line = by_hand.or(by_action.then_some(step.line));
        // What the checkout leaves behind is what git pushes with.
        let mut checkouts = audited
            .steps
            .iter()
            .filter(|other| other.job == step.job && other.is_action("actions/checkout"))
            .peekable();
        let has_checkout = checkouts.peek().is_some();
        let mut given = checkouts.chain([step]).flat_map(|step| {
            let keys = ["token", "github_token", "ssh-key", "persist-credentials"];
            keys.into_iter().filter_map(|key| step.given(key)).filter(|value| value.text.trim() != "true")
        });
        let is_own = has_checkout && given.all(|value| value.text.contains("${{") && is_own_token(&value.text));
        if let Some(line) = line.filter(|_| is_own) {
            let names: Vec<_> = listeners.iter().map(|name| format!("`{}`", text::one_line(name))).collect();
            let message = format!("pushes with the job's own token, which does not start {}", text::list(&names));
            faults.push(Finding::new(RuleVerdict::Warn, &SILENT_PUSH, message).at(&audited.path, line));
        }
    }
    faults
}

#[cfg(test)]
#[path = "wiring_tests.rs"]
mod tests;
