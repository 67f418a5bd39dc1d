//! Runs of a stretch of time, however many.
//!
//! With a filter GitHub tells of a thousand runs and no more, so what is older is asked for anew, up to where the answer
//! before ended. An hourly schedule of twelve weeks takes some twenty requests.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::client::Client;
use super::error::Error;
use super::list::List;
use super::runs::{CAP, Run, RunFilter};
use super::words::Slug;

impl Client {
    /// The runs that were asked for from `from` to `to`, both included, the newest first; at most about `limit` of
    /// them. `filter.created` is set here. A run whose time is not told counts as within.
    ///
    /// # Errors
    /// An unknown repository or workflow, and whatever else keeps an answer away.
    pub fn runs_between(
        &self,
        repository: &Slug,
        filter: &RunFilter,
        (from, to): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<List<Run>, Error> {
        let mut all = List::default();
        let mut known = BTreeSet::new();
        let mut until = to;
        while from <= until {
            let wanted = limit.saturating_sub(all.items.len());
            if wanted == 0 {
                all.truncated = true;
                break;
            }
            let created = Some(format!("{}..{}", whole(from), whole(until)));
            let slice = self.runs(repository, &RunFilter { created, ..filter.clone() }, wanted.min(CAP))?;
            let read = slice.items.len() + slice.unreadable.len();
            // Both ends of a stretch belong to it, so that runs of its last second are told of twice.
            let oldest = slice.items.iter().filter_map(|run| run.created_at).min();
            all.items.extend(slice.items.into_iter().filter(|run| known.insert(run.id)));
            all.unreadable.extend(slice.unreadable);
            if read < CAP {
                all.truncated |= slice.truncated;
                break;
            }
            // A thousand runs of one second, or without a time: there is no way past them.
            let Some(oldest) = oldest.filter(|oldest| *oldest < until) else {
                all.truncated = true;
                break;
            };
            until = oldest;
        }
        Ok(all)
    }
}

/// Whole seconds, as GitHub counts.
fn whole(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_whole_seconds() {
        let time: Timestamp = "2026-11-22T12:00:00.987Z".parse().unwrap();
        assert_eq!(whole(time).to_string(), "2026-11-22T12:00:00Z");
    }
}
