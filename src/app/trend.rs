//! One number over time.

use serde::Serialize;
use serde_json::Number;

use super::history::{Answer, Place};
use super::{Context, Stop};
use crate::evidence::metric;
use crate::gate::Verdict;
use crate::history::{Filter, Point};
use crate::report::json;
use crate::sys::text;

/// The schema of `trend --format json`.
pub const SCHEMA: &str = "mgmt.trend/1";

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The metric's name.
    pub metric: String,
    /// The part of the project; `None` is all of it.
    pub scope: Option<String>,
    /// Which runs.
    pub filter: Filter,
    /// How many values at most.
    pub limit: usize,
}

/// The values.
#[derive(Debug, Serialize)]
pub struct Trend {
    /// `mgmt.trend/1`.
    pub schema: &'static str,
    /// The metric's name.
    pub metric: String,
    /// The part of the project; null is all of it.
    pub scope: Option<String>,
    /// Oldest first; never empty.
    pub points: Vec<Value>,
}

/// One of them.
#[derive(Debug, Serialize)]
pub struct Value {
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
    /// The branch.
    pub branch: Option<String>,
    /// The value; null where it was no finite number, or where several files stated different ones.
    pub value: Option<Number>,
    /// The same as it was measured.
    #[serde(skip)]
    pub exact: f64,
}

impl From<Point> for Value {
    fn from(point: Point) -> Self {
        let Point { id, started_at, command, verdict, commit, branch, value } = point;
        Self { id, started_at, command, verdict, commit, branch, value: json::number(value), exact: value }
    }
}

/// Looks the values up.
///
/// # Errors
/// A name that nothing measures; no value; a store that cannot be read.
pub fn trend(context: &Context, request: &Request) -> anyhow::Result<Answer<Trend>> {
    let config = context.load()?;
    let place = Place::of(context, &config);
    let Request { metric, scope, filter, limit } = request;
    let points = place.ask(|store| store.points(metric, scope.as_deref(), filter, *limit)).map_err(Stop::from)?;
    if points.is_empty() {
        return Err(why_none(&place, request)?.into());
    }
    let points = points.into_iter().map(Value::from).collect();
    let trend = Trend { schema: SCHEMA, metric: metric.clone(), scope: scope.clone(), points };
    Ok(Answer { value: trend, problems: place.take_problems() })
}

/// An unknown name is a slip; a known one that nothing has measured yet is not.
fn why_none(place: &Place, request: &Request) -> Result<Stop, Stop> {
    let Request { metric, scope, filter, .. } = request;
    let series = place.ask(|store| store.series())?;
    let shown = text::one_line(metric);
    if !series.iter().any(|(name, _)| name == metric) {
        if metric::check(metric).is_ok() {
            let hint = "a check has to declare evidence that measures it: `mgmt explain` with its name tells which do";
            return Ok(Stop::nothing(format!("no stored run measured `{shown}`"), Some(hint.to_owned())));
        }
        let names = series.iter().map(|(name, _)| name.as_str());
        let near = text::closest(metric, names.chain(metric::NAMES.iter().map(|row| row.name)));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`mgmt explain metrics` lists the names".to_owned(),
        };
        return Ok(Stop::usage(format!("nothing measures `{shown}`"), Some(hint)));
    }
    if !series.iter().any(|(name, known)| name == metric && known == scope) {
        let scopes: Vec<_> =
            series.iter().filter(|(name, _)| name == metric).filter_map(|(_, scope)| scope.as_deref()).collect();
        let wanted = scope.as_deref().unwrap_or_default();
        let hint = match text::closest(wanted, scopes.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if scopes.is_empty() => "leave out --scope: it was only measured for the whole project".to_owned(),
            None => format!("it was measured for {}", some_of(&scopes)),
        };
        let of = match scope {
            Some(scope) => format!("of `{}`", text::one_line(scope)),
            None => "of the whole project".to_owned(),
        };
        return Ok(Stop::usage(format!("no stored run measured `{shown}` {of}"), Some(hint)));
    }
    let mut asked: Vec<String> = Vec::new();
    asked.extend(filter.branch.iter().map(|branch| format!("the branch {}", text::one_line(branch))));
    asked.extend(filter.command.iter().map(|command| format!("the command {}", text::one_line(command))));
    asked.extend(filter.full_only.then(|| "every check".to_owned()));
    let of =
        if asked.is_empty() { "that was not interrupted".to_owned() } else { format!("of {}", text::list(&asked)) };
    let hint = "other runs did: leave out --branch, --command or --full; `mgmt history list` shows what is stored";
    Ok(Stop::nothing(format!("no stored run {of} measured `{shown}`"), Some(hint.to_owned())))
}

/// The first few, and how many more.
fn some_of(names: &[&str]) -> String {
    let (first, rest) = names.split_at(names.len().min(5));
    let first: Vec<_> = first.iter().map(|name| format!("`{}`", text::one_line(name))).collect();
    if rest.is_empty() { text::list(&first) } else { format!("{} and {} more", first.join(", "), rest.len()) }
}
