//! Where the project stands: the last runs, their verdicts and main numbers, and what changed.

use serde::Serialize;

use super::history::Place;
use super::{Context, Stop};
use crate::check::outcome::Status as CheckStatus;
use crate::evidence::metric;
use crate::gate::Verdict;
use crate::history::{self, Filter};
use crate::record::Record;
use crate::report::compare;
use crate::sys::text;

/// The schema of `status --format json`.
pub const SCHEMA: &str = "mgmt.status/1";

/// Runs shown.
const RUNS: usize = 10;

/// Runs in a trend.
const TREND: usize = 40;

/// Numbers that `status` follows.
pub use crate::record::FOLLOWED;

/// The state of a project.
#[derive(Debug, Serialize)]
pub struct Status {
    /// `mgmt.status/1`.
    pub schema: &'static str,
    /// The project's name.
    pub project: String,
    /// The last runs, newest first.
    pub runs: Vec<Run>,
    /// What differs between the last run and the one before it of the same command.
    pub changes: Vec<String>,
    /// [`FOLLOWED`] numbers over the last runs of the last run's command, full ones if that one was full.
    pub trends: Vec<Trend>,
    /// Records that could not be read.
    pub unreadable: Vec<String>,
}

/// A number over time.
#[derive(Debug, Serialize)]
pub struct Trend {
    /// Its name.
    pub metric: String,
    /// Its values, oldest first; null where it was no finite number.
    pub values: Vec<Option<f64>>,
}

/// One run.
#[derive(Debug, Serialize)]
pub struct Run {
    /// The record's id.
    pub id: String,
    /// When it began.
    pub started_at: jiff::Timestamp,
    /// The command.
    pub command: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The commit.
    pub commit: Option<String>,
    /// Whether tracked files differed from it.
    pub dirty: Option<bool>,
    /// [`FOLLOWED`] numbers; null where not measured.
    pub numbers: Vec<(String, Option<f64>)>,
}

/// Reads the last records.
///
/// # Errors
/// No configuration, or a folder that cannot be read.
pub fn status(context: &Context) -> anyhow::Result<Status> {
    let config = context.load()?;
    let place = Place::of(context, &config);
    let records = place.ask(|store| store.last(&Filter::default(), RUNS)).map_err(Stop::from)?;
    let trends = match records.first() {
        Some(last) => trends(&place, last).map_err(Stop::from)?,
        None => Vec::new(),
    };
    let changes = match records.split_first() {
        Some((last, earlier)) => earlier
            .iter()
            .find(|record| record.command == last.command && record.is_full() == last.is_full())
            .map(|before| changes(before, last))
            .unwrap_or_default(),
        None => Vec::new(),
    };
    let runs = records.iter().map(run).collect();
    let unreadable = place.take_problems().into_iter().map(|problem| problem.message).collect();
    Ok(Status { schema: SCHEMA, project: config.name(), runs, changes, trends, unreadable })
}

/// Numbers that at least two runs of the last one's kind measured.
fn trends(place: &Place, last: &Record) -> Result<Vec<Trend>, history::Error> {
    let filter = Filter { branch: None, command: Some(last.command.clone()), full_only: last.is_full() };
    let mut out = Vec::new();
    for metric in FOLLOWED {
        let points = place.ask(|store| store.points(metric, None, &filter, TREND))?;
        let values: Vec<_> = points.iter().map(|point| Some(point.value).filter(|value| value.is_finite())).collect();
        if values.len() > 1 {
            out.push(Trend { metric: (*metric).to_owned(), values });
        }
    }
    Ok(out)
}

fn run(record: &Record) -> Run {
    Run {
        id: record.id.clone(),
        started_at: record.started_at,
        command: record.command.clone(),
        verdict: record.verdict,
        commit: record.project.commit.clone(),
        dirty: record.project.dirty,
        numbers: FOLLOWED.iter().map(|name| ((*name).to_owned(), record.measurements.value(name))).collect(),
    }
}

/// What differs, in words, the weightiest first.
fn changes(before: &Record, after: &Record) -> Vec<String> {
    let mut out = Vec::new();
    if before.verdict != after.verdict {
        out.push(format!("verdict: {} → {}", before.verdict.word(), after.verdict.word()));
    }
    for check in &after.checks {
        match before.checks.iter().find(|other| other.id == check.id) {
            Some(other) if other.status != check.status => {
                out.push(format!("check {}: {} → {}", check.id, other.status.word(), check.status.word()));
            }
            None if check.status != CheckStatus::Skipped => {
                out.push(format!("check {}: new, {}", check.id, check.status.word()))
            }
            _ => {}
        }
    }
    for check in before.checks.iter().filter(|check| !after.checks.iter().any(|other| other.id == check.id)) {
        out.push(format!("check {}: gone", check.id));
    }
    for name in FOLLOWED {
        let (old, new) = (before.measurements.value(name), after.measurements.value(name));
        let unit = metric::unit(name);
        let told = match (old, new) {
            (Some(old), Some(new)) if (old - new).abs() > 1e-9 => {
                let (old_text, new_text) = text::number_pair(old, new, unit.decimals());
                let change = compare::change(name, old, new).unwrap_or_default();
                Some(format!("{name}: {} → {} ({change})", unit.show(&old_text), unit.show(&new_text)))
            }
            (Some(old), None) => Some(format!("{name}: {} → not measured", unit.alone(old))),
            (None, Some(new)) => Some(format!("{name}: not measured → {}", unit.alone(new))),
            _ => None,
        };
        out.extend(told);
    }
    let failed = |record: &Record| -> std::collections::BTreeSet<String> {
        record.tests.iter().filter(|test| test.test.outcome.is_failure()).map(|test| test.identity.display()).collect()
    };
    let (old, new) = (failed(before), failed(after));
    for (label, mut names) in [
        ("newly failing", new.difference(&old).cloned().collect::<Vec<_>>()),
        ("no longer failing", old.difference(&new).cloned().collect()),
    ] {
        if !names.is_empty() {
            let count = names.len();
            names.truncate(5);
            let more = if count > 5 { format!(" and {} more", count - 5) } else { String::new() };
            out.push(format!(
                "{label}: {}{more}",
                names.iter().map(|name| text::one_line(name)).collect::<Vec<_>>().join(", ")
            ));
        }
    }
    out
}
