//! The text of a schedule, as GitHub reads it, and the moments it names.
//!
//! GitHub documents POSIX cron with five fields, `*`, `,`, `-`, `/` and English names, moments at least five minutes
//! apart, and a time zone where the entry names one. Three things need care:
//!
//! - A day counts if the day of the month **or** the day of the week fits, once neither field is `*`. Readers differ
//!   on whether `*/2` is such a `*`; only the days on which both readings agree are named here.
//! - In spring a time that the clock skips advances to the first moment after the gap; GitHub documents that. Several
//!   skipped times fall together there.
//! - In autumn an hour comes twice. GitHub says nothing about it: a schedule that names its hours is expected in the
//!   first pass only, one that runs in every hour in both, which is an even distance in real time. For the same reason
//!   nothing of such a schedule advances in spring.
//!
//! Deliberately absent: a library for this. What GitHub refuses has to be told apart from what other readers of cron
//! allow (`@weekly`, `7` for Sunday, `L`, reversed ranges), so the text is parsed here in any case, and the rest is
//! the two rules for clocks above.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::sys::text;

/// How far ahead the next moment is looked for: a February 29 on which a century leaves one out is eight years away.
const AHEAD: i64 = 9 * 366 * 24;
/// Minutes between two moments of a schedule, at least.
const LEAST_MINUTES: u32 = 5;

/// Why GitHub would not accept a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CronError {
    /// What is wrong, as a fragment.
    pub message: String,
    /// The next step.
    pub hint: String,
}

impl CronError {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

/// A cron text that GitHub accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    day: Wildcard,
    weekday: Wildcard,
    /// Whether it names no hour at all.
    every_hour: bool,
}

/// Whether a field restricts anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wildcard {
    /// `*`.
    Any,
    /// `*/2`: a `*` to some readers.
    Step,
    /// Numbers or names.
    Some,
}

/// One of the five fields.
struct Field {
    name: &'static str,
    least: u32,
    greatest: u32,
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, greatest: 59, names: &[] },
    Field { name: "hour", least: 0, greatest: 23, names: &[] },
    Field { name: "day of the month", least: 1, greatest: 31, names: &[] },
    Field { name: "month", least: 1, greatest: 12, names: MONTHS },
    Field { name: "day of the week", least: 0, greatest: 6, names: WEEKDAYS },
];

impl Cron {
    /// Reads a cron text.
    ///
    /// # Errors
    /// GitHub would not accept it, or would not run it as it is written.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let shape = "five fields with spaces between them: minute, hour, day of the month, month, day of the week";
        let given = text.trim_matches(' ');
        if given.starts_with('@') {
            let message = format!("GitHub does not know {}", quoted(given));
            return Err(CronError::new(message, format!("write {shape}")));
        }
        let parts: Vec<_> = given.split(' ').filter(|part| !part.is_empty()).collect();
        let Ok(parts) = <[&str; 5]>::try_from(parts.as_slice()) else {
            let count = text::plural(parts.len() as u64, "field", "fields");
            return Err(CronError::new(format!("{} has {count}", quoted(text)), format!("write {shape}")));
        };
        let mut masks = [0; 5];
        for ((mask, field), part) in masks.iter_mut().zip(&FIELDS).zip(parts) {
            *mask = field.parse(part)?;
        }
        let [minutes, hours, days, months, weekdays] = masks;
        let cron = Self {
            text: parts.join(" "),
            minutes,
            hours,
            days,
            months,
            weekdays,
            day: Wildcard::of(parts[2]),
            weekday: Wildcard::of(parts[4]),
            every_hour: hours == (1 << 24) - 1,
        };
        let least = cron.least_minutes();
        if least < LEAST_MINUTES {
            let message =
                format!("{} names moments {} apart", quoted(text), text::plural(least.into(), "minute", "minutes"));
            return Err(CronError::new(message, "GitHub runs a schedule every five minutes at most: `*/5 * * * *`"));
        }
        Ok(cron)
    }

    /// The text, with single spaces.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether readers of cron differ on which days it names.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        let has_step = self.day == Wildcard::Step || self.weekday == Wildcard::Step;
        has_step && self.day != Wildcard::Any && self.weekday != Wildcard::Any
    }

    fn least_minutes(&self) -> u32 {
        let minutes: Vec<u32> = (0..60).filter(|minute| self.minutes >> minute & 1 == 1).collect();
        let within = minutes.windows(2).map(|pair| pair[1] - pair[0]);
        let is_hour = |hour: u32| self.hours >> (hour % 24) & 1 == 1;
        let across = (0..24).any(|hour| is_hour(hour) && is_hour(hour + 1));
        let over = minutes.first().zip(minutes.last()).map(|(first, last)| 60 + first - last);
        within.chain(over.filter(|_| across)).min().unwrap_or(60)
    }

    fn is_day(&self, date: Date) -> bool {
        let bit = |mask: u64, at: i8| mask >> at & 1 == 1;
        let day = bit(self.days, date.day());
        let weekday = bit(self.weekdays, date.weekday().to_sunday_zero_offset());
        let fits = match (self.day, self.weekday) {
            (Wildcard::Some, Wildcard::Some) => day || weekday,
            // One of them restricts nothing; or readers differ, and the days of both are those that fit both.
            _ => day && weekday,
        };
        fits && bit(self.months, date.month())
    }

    fn times(&self) -> impl Iterator<Item = (i8, i8)> {
        let bits = |mask: u64, end: i8| (0..end).filter(move |at| mask >> at & 1 == 1);
        bits(self.hours, 24).flat_map(move |hour| bits(self.minutes, 60).map(move |minute| (hour, minute)))
    }
}

impl Wildcard {
    fn of(part: &str) -> Self {
        match part {
            "*" => Self::Any,
            _ if part.split(',').any(|item| item.starts_with('*')) => Self::Step,
            _ => Self::Some,
        }
    }
}

impl Field {
    fn parse(&self, part: &str) -> Result<u64, CronError> {
        part.split(',').try_fold(0, |mask, item| Ok(mask | self.item(item)?))
    }

    fn item(&self, item: &str) -> Result<u64, CronError> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.step(item, step)?)),
            None => (item, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.greatest),
            Some((from, to)) => (self.value(item, from)?, self.value(item, to)?),
            // `20/15` is every 15 from 20 on.
            None => {
                let from = self.value(item, range)?;
                (from, if step.is_some() { self.greatest } else { from })
            }
        };
        if from > to {
            return Err(self.refuse(item, "ends before it begins"));
        }
        let step = usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX);
        Ok((from..=to).step_by(step).fold(0, |mask, value| mask | 1 << value))
    }

    fn step(&self, item: &str, step: &str) -> Result<u32, CronError> {
        let value = number(step).filter(|step| *step > 0 && (self.least..=self.greatest).contains(step));
        value.ok_or_else(|| self.refuse(item, "has a step that is none"))
    }

    fn value(&self, item: &str, text: &str) -> Result<u32, CronError> {
        let name = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let named = name.and_then(|at| u32::try_from(at).ok()).map(|at| at + self.least);
        let value = named.or_else(|| number(text)).filter(|value| (self.least..=self.greatest).contains(value));
        value.ok_or_else(|| self.refuse(item, "is not in it"))
    }

    fn refuse(&self, item: &str, why: &str) -> CronError {
        let names = match (self.names.first(), self.names.last()) {
            (Some(first), Some(last)) => format!(" or {} to {}", first.to_uppercase(), last.to_uppercase()),
            _ => String::new(),
        };
        let range = format!("the {} goes from {} to {}{names}", self.name, self.least, self.greatest);
        CronError::new(
            format!("{} {why}: {range}", quoted(item)),
            "the operators are `*`, `,`, `-` and `/`; ranges go upward",
        )
    }
}

/// Digits alone: no sign, no space.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn quoted(text: &str) -> String {
    format!("`{}`", text::shorten(&text::one_line(text), 60))
}

/// A zone by its IANA name, from the table that is built in: the same on every machine.
///
/// # Errors
/// There is no zone of that name.
pub fn zone(name: &str) -> Result<TimeZone, CronError> {
    let unknown = || {
        let hint = "write a name of the IANA time zone database, such as `Europe/Berlin`";
        CronError::new(format!("there is no time zone {}", quoted(name)), hint)
    };
    TimeZoneDatabase::bundled().get(name).map_err(|_| unknown())
}

/// A cron text in a time zone.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// What it names.
    pub cron: Cron,
    /// Where its clock stands.
    pub zone: TimeZone,
}

impl Schedule {
    /// In UTC.
    #[must_use]
    pub fn utc(cron: Cron) -> Self {
        Self { cron, zone: TimeZone::UTC }
    }

    /// The zone's name.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The moments from `from` on and before `to`, in order, each once.
    #[must_use]
    pub fn slots(&self, from: Timestamp, to: Timestamp) -> Slots<'_> {
        // The clock of a zone is less than two days away from any other, and a gap is a day at most.
        let date = from.to_zoned(self.zone.clone()).date();
        let date = date.checked_sub(1.day()).unwrap_or(date);
        Slots { schedule: self, date: Some(date), today: Vec::new().into_iter(), least: from, to }
    }

    /// The first moment after `after`; none where the schedule names a day that never comes.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let from = after.checked_add(SignedDuration::from_nanos(1)).ok()?;
        let to = after.checked_add(SignedDuration::from_hours(AHEAD)).unwrap_or(Timestamp::MAX);
        self.slots(from, to).next()
    }

    /// The moments of one day by the zone's clock; one that a gap moved may lie on the next day.
    fn day(&self, date: Date) -> Vec<Timestamp> {
        if !self.cron.is_day(date) {
            return Vec::new();
        }
        let mut out = Vec::new();
        for (hour, minute) in self.cron.times() {
            self.moments(date.at(hour, minute, 0, 0), &mut out);
        }
        out.sort_unstable();
        out
    }

    fn moments(&self, clock: DateTime, out: &mut Vec<Timestamp>) {
        let at = |offset: jiff::tz::Offset| offset.to_timestamp(clock).ok();
        match self.zone.to_ambiguous_timestamp(clock).offset() {
            AmbiguousOffset::Unambiguous { offset } => out.extend(at(offset)),
            // The clock goes back: the first pass is by the offset before.
            AmbiguousOffset::Fold { before, after } => {
                out.extend(at(before));
                out.extend(at(after).filter(|_| self.cron.every_hour));
            }
            AmbiguousOffset::Gap { .. } if self.cron.every_hour => {}
            // By the offset before, the time lies behind the change, which is the one just passed then.
            AmbiguousOffset::Gap { before, .. } => {
                let behind = at(before).and_then(|at| at.checked_add(SignedDuration::from_nanos(1)).ok());
                out.extend(behind.and_then(|behind| Some(self.zone.preceding(behind).next()?.timestamp())));
            }
        }
    }
}

/// The moments of a schedule; see [`Schedule::slots`].
pub struct Slots<'a> {
    schedule: &'a Schedule,
    date: Option<Date>,
    today: std::vec::IntoIter<Timestamp>,
    /// What comes next is not before it.
    least: Timestamp,
    to: Timestamp,
}

impl Iterator for Slots<'_> {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        loop {
            for moment in self.today.by_ref() {
                if moment >= self.to {
                    self.date = None;
                    return None;
                }
                if moment >= self.least {
                    self.least = moment.checked_add(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX);
                    return Some(moment);
                }
            }
            let date = self.date?;
            let is_over = self.schedule.zone.to_zoned(date.into()).is_ok_and(|day| day.timestamp() >= self.to);
            self.date = date.tomorrow().ok().filter(|_| !is_over);
            self.today = self.schedule.day(date).into_iter();
        }
    }
}

/// The moments of several schedules of one workflow, in order, each once.
#[must_use]
pub fn merged(schedules: &[Schedule], from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let mut out: Vec<_> = schedules.iter().flat_map(|schedule| schedule.slots(from, to)).collect();
    out.sort_unstable();
    out.dedup();
    out
}

#[cfg(test)]
#[path = "cron_tests.rs"]
mod tests;
