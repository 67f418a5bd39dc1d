//! The audit of a scheduled training: a workflow with a schedule of its own, behind that of the training.

use jiff::civil::{Date, Time, date, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::fill::fill;
use super::{Basis, File, PIN, Workflow};
use crate::app::init::project::Project;
use crate::app::init::scalar::scalar;
use crate::notify::settings::Options;
use crate::retrain::cron::{self, Schedule};
use crate::retrain::settings::{Settings, Target, When};
use crate::retrain::wiring;
use crate::retrain::workflow::{self, FOLDER};
use crate::sys::text;

/// The row.
pub(super) const ROW: Workflow = Workflow {
    file: "mgmt-retrain-audit.yml",
    doc: "Looks once a day whether the policy's `retrain:` really happened, and was worth it.",
    text: write,
};

/// A leap year with both changes of the clock: what a schedule does in any year, it does in this one.
const YEAR: (Date, Date) = (date(2024, 1, 1), date(2025, 1, 1));
/// How long after a slot can be judged: the audit's own start may be late, and most schedules begin with the hour.
const AFTER: SignedDuration = SignedDuration::from_mins(77);
/// How far a time is moved that would begin with the hour, when GitHub is busiest.
const ASIDE: SignedDuration = SignedDuration::from_mins(17);
/// When to look where no slot is known.
const ANY: Time = time(7, 17, 0, 0);

fn write(basis: &Basis<'_>) -> Result<String, String> {
    let Some(settings) = &basis.config.retrain else {
        return Err("the policy has no `retrain:`; add it and run this again, for example\n  retrain: { workflow: \
             model-training.yml }"
            .to_owned());
    };
    let at = daily(&schedules(basis.project, settings), settings);
    let is_deployed = settings.expect.deploy.as_ref().is_some_and(|deploy| matches!(deploy.to, Target::Environment(_)));
    let deployments = "      deployments: read # looks whether the model is live\n";
    let acts = settings.remediate.is_some();
    let actions = if acts {
        "write # reads runs, logs and artifacts; does what the policy's `remediate` declares"
    } else {
        "read # reads the runs, their logs and their artifacts"
    };
    let values = [
        ("actions", actions),
        ("remediate", if acts { "            --remediate\n" } else { "" }),
        ("workflow", &*text::one_line(&settings.workflow)),
        ("cron", &scalar(&format!("{} {} * * *", at.minute(), at.hour()))),
        ("deployments", if is_deployed { deployments } else { "" }),
        ("pin", PIN),
        ("policy", &basis.policy(10)),
        ("env", &environment(&secrets(basis).0)),
    ];
    Ok(fill(include_str!("audit.yml"), &values))
}

/// The schedules of the training, as far as they can be known without asking anybody.
fn schedules(project: &dyn Project, settings: &Settings) -> Vec<Schedule> {
    match &settings.when {
        When::Given(all) => all.clone(),
        When::FromWorkflow if settings.repository.is_some() => Vec::new(),
        When::FromWorkflow => {
            let path = format!("{FOLDER}/{}", settings.workflow);
            let source = project.read(&path).ok().flatten();
            let file = source.and_then(|source| workflow::read(&path, &source).ok());
            file.map(|file| wiring::schedules(&file).0).unwrap_or_default()
        }
    }
}

/// The time of the day, in UTC, at which the last of a day's slots can be judged.
fn daily(schedules: &[Schedule], settings: &Settings) -> Time {
    let of = |span| SignedDuration::try_from(span).unwrap_or_default();
    // A run that began in time goes on for so long, and its deployment is awaited.
    let within = settings.expect.deploy.as_ref().map(|deploy| deploy.within).unwrap_or_default();
    let done = of(settings.timeout).saturating_add(of(within));
    let after = of(settings.tolerance).max(done).saturating_add(AFTER);
    let midnight = |day: Date| day.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).unwrap_or(Timestamp::MAX);
    let slots = cron::merged(schedules, midnight(YEAR.0), midnight(YEAR.1));
    let judged = slots.into_iter().filter_map(|slot| slot.checked_add(after).ok());
    let at = judged.map(|moment| moment.to_zoned(TimeZone::UTC).time()).max().unwrap_or(ANY);
    if at.minute() == 0 { at.wrapping_add(ASIDE) } else { at }
}

/// The environment variables by which the policy's receivers of notices are told, each once: those that a secret can
/// be called like, and the others, which are names that GitHub keeps to itself.
fn secrets<'b>(basis: &'b Basis<'_>) -> (Vec<&'b str>, Vec<&'b str>) {
    let mut names: Vec<&str> = Vec::new();
    for receiver in &basis.config.notify {
        let signing = match &receiver.options {
            Options::Webhook { secret } => secret.as_deref(),
            Options::Discord { .. } | Options::Slack => None,
        };
        for name in std::iter::once(&*receiver.url_env).chain(signing) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.into_iter().partition(|name| !name.to_ascii_uppercase().starts_with("GITHUB_"))
}

fn environment(secrets: &[&str]) -> String {
    if secrets.is_empty() {
        return String::new();
    }
    let lines = secrets.iter().map(|name| format!("          {name}: ${{{{ secrets.{name} }}}}\n"));
    std::iter::once("        env: # of this step alone\n".to_owned()).chain(lines).collect()
}

/// What is left to do by hand before an audit can tell.
pub(super) fn open(basis: &Basis<'_>, files: &[File]) -> Vec<String> {
    let Some(settings) = basis.config.retrain.as_ref() else { return Vec::new() };
    if !files.iter().any(|file| file.path.file_name() == Some(ROW.file)) {
        return Vec::new();
    }
    let mut open = Vec::new();
    match &settings.repository {
        Some(other) if settings.remediate.is_some() => open.push(format!(
            "{}: the job's own token may do nothing in {other}; give one with `actions: write` there as the input \
             `token`",
            ROW.file
        )),
        Some(other) => open.push(format!(
            "{}: the job's own token reads {other} only if that is public; else give one that does as the input \
             `token`",
            ROW.file
        )),
        None if !basis.present.contains(&settings.workflow) => {
            open.push(format!("`retrain:` audits {}, which is not in {FOLDER}", text::one_line(&settings.workflow)))
        }
        None => {}
    }
    let (free, taken) = secrets(basis);
    if !free.is_empty() {
        let noun = if free.len() == 1 { "secret" } else { "secrets" };
        open.push(format!("{}: notices need the {noun} {} in the repository's settings", ROW.file, text::list(&free)));
    }
    for name in taken {
        open.push(format!("`notify:` needs another variable than {name}: no secret can be called that"));
    }
    open
}
