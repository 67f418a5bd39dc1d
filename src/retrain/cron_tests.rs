//! Against a walk through every minute, over years and zones.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn schedule(text: &str, name: &str) -> Schedule {
    Schedule { cron: Cron::parse(text).unwrap(), zone: zone(name).unwrap() }
}

fn slots(text: &str, name: &str, from: &str, to: &str) -> Vec<String> {
    schedule(text, name).slots(at(from), at(to)).map(|slot| slot.to_string()).collect()
}

#[test]
fn what_github_accepts_is_accepted() {
    for text in [
        "0 0 * * *",
        "0 000 001 * *",
        "15 * * * *",
        "2,10 4,5 * * *",
        "30 4-6 * * *",
        "0 4-4 * * *",
        "20/15 * * * *",
        "28 */4 * * *",
        "28 5,*/4,6-8 * * *",
        "0 0 * * SUN",
        "0 0 * * sun-TUE",
        "0 0 * * SUN-2",
        "0 2-4/5 * * *",
        "0 0 1 JAN,jul *",
        " 0   0  *  * * ",
        "*/5 * * * *",
        "0 0 29 2 *",
        "0 0 30 2 *",
        "0 0 * */12 *",
    ] {
        assert!(Cron::parse(text).is_ok(), "{text}: {:?}", Cron::parse(text));
    }
}

#[test]
fn what_github_refuses_is_refused_with_its_reason() {
    for (text, told) in [
        ("0 0 * *", "has 4 fields"),
        ("0 0 * * * *", "has 6 fields"),
        ("", "has 0 fields"),
        ("@weekly", "does not know"),
        ("0\t0 * * *", "has 4 fields"),
        ("0 -1 * * *", "hour goes from 0 to 23"),
        ("0 1- * * *", "`1-` is not in it"),
        ("0 /1 * * *", "is not in it"),
        ("0 1/ * * *", "a step that is none"),
        ("0 ,1 * * *", "is not in it"),
        ("0 5--5 * * *", "is not in it"),
        ("0 *//5 * * *", "a step"),
        ("0 */* * * *", "a step"),
        ("0 5/* * * *", "a step"),
        ("0 *-4 * * *", "is not in it"),
        ("0 ** * * *", "is not in it"),
        ("0 0 * * BUN", "SUN to SAT"),
        ("0 0 * SUN *", "JAN to DEC"),
        ("0 0 * * FRI-TUE", "ends before it begins"),
        ("0 12-4 * * *", "ends before"),
        ("0 */0 * * *", "a step"),
        ("0 2/4-5 * * *", "a step"),
        ("0 2-4-6 * * *", "is not in it"),
        ("0 * * */FEB *", "a step"),
        ("60 * * * *", "minute goes from 0 to 59"),
        ("0 24 * * *", "hour"),
        ("0 0 0 * *", "day of the month goes from 1"),
        ("0 0 32 * *", "day of the month"),
        ("0 0 * 13 *", "month"),
        ("0 0 * * 7", "day of the week goes from 0 to 6"),
        ("0 0 L * *", "is not in it"),
        ("0 0 ? * *", "is not in it"),
        ("0 0 * * 1#2", "is not in it"),
        ("+5 0 * * *", "is not in it"),
        ("0 0 99999999999 * *", "is not in it"),
        ("* * * * *", "moments 1 minute apart"),
        ("*/4 * * * *", "4 minutes apart"),
        ("0,58 * * * *", "2 minutes apart"),
        ("0,58 0,23 * * *", "2 minutes apart"),
    ] {
        let error = Cron::parse(text).expect_err(text);
        assert!(error.message.contains(told), "{text}: {}", error.message);
        assert!(!error.hint.is_empty());
    }
    assert!(Cron::parse("0,58 4,6 * * *").is_ok(), "58 past 4 and 0 past 6 are far apart");
    assert!(Cron::parse("0 0 * * \u{1b}[31m").unwrap_err().message.starts_with("`\\u{1b}[31m`"));
    assert!(zone("Europe/Berlin").is_ok() && zone("Mars/Olympus").is_err() && zone("../etc").is_err());
}

#[test]
fn a_day_counts_by_either_field_and_by_both_where_readers_differ() {
    let days = |text| slots(text, "UTC", "2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z").len();
    assert_eq!(days("0 0 1-7 * 1"), 7 + 4, "any of the first week, and every Monday");
    assert_eq!((days("0 0 1-7 * *"), days("0 0 * * 1")), (7, 5));
    assert_eq!(days("0 0 */2 * 1"), 3, "Mondays on odd days: 1, 15 and 29 June");
    assert!(Cron::parse("0 0 */2 * 1").unwrap().is_ambiguous());
    assert!(!Cron::parse("0 0 */2 * *").unwrap().is_ambiguous() && !Cron::parse("0 0 1 * 1").unwrap().is_ambiguous());
}

#[test]
fn in_spring_a_skipped_time_advances_to_the_first_moment_after_the_gap() {
    let spring = |text| slots(text, "America/New_York", "2026-03-08T00:00:00-05:00", "2026-03-08T05:00:00-04:00");
    assert_eq!(spring("30 2 * * *"), ["2026-03-08T07:00:00Z"], "3:00 by the clock");
    assert_eq!(spring("*/15 2 * * *"), ["2026-03-08T07:00:00Z"], "all four fall together");
    assert_eq!(spring("0 2,3 * * *"), ["2026-03-08T07:00:00Z"]);
    assert_eq!(spring("30 * * * *").len(), 4, "0:30, 1:30, 3:30 and 4:30: an hour apart in real time");
    let day = slots("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00");
    assert_eq!(day, ["2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"], "a day that never was");
}

#[test]
fn in_autumn_a_named_hour_comes_once_and_every_hour_runs_on() {
    let autumn = |text| slots(text, "America/New_York", "2026-11-01T00:00:00-04:00", "2026-11-01T03:00:00-05:00");
    assert_eq!(autumn("30 1 * * *"), ["2026-11-01T05:30:00Z"]);
    assert_eq!(autumn("0 * * * *").len(), 4);
    let south = slots("30 2 * * *", "Australia/Sydney", "2026-04-04T00:00:00Z", "2026-04-05T00:00:00Z");
    assert_eq!(south, ["2026-04-04T15:30:00Z"]);
}

#[test]
fn the_next_moment_is_found_across_years_or_not_at_all() {
    let next = |text, after| Schedule::utc(Cron::parse(text).unwrap()).next(at(after)).map(|slot| slot.to_string());
    assert_eq!(next("0 0 29 2 *", "2096-02-29T00:00:00Z").as_deref(), Some("2104-02-29T00:00:00Z"));
    assert_eq!(next("0 0 30 2 *", "2026-01-01T00:00:00Z"), None);
    assert_eq!(next("0 18 * * 0", "2026-11-22T18:00:00Z").as_deref(), Some("2026-11-29T18:00:00Z"));
    assert_eq!(next("0 18 * * 0", "2026-11-22T17:59:59.5Z").as_deref(), Some("2026-11-22T18:00:00Z"));
}

#[test]
fn several_schedules_are_one_line_of_moments() {
    let all = [schedule("30 5 * * 1,3", "UTC"), schedule("30 5,17 * * 2,3", "UTC")];
    let moments = merged(&all, at("2026-06-01T00:00:00Z"), at("2026-06-04T00:00:00Z"));
    assert_eq!(moments.len(), 5);
    assert!(moments.is_sorted());
}

/// A field with what it means by a reading of its own.
type Written = (String, BTreeSet<i8>);

fn field(least: i8, greatest: i8) -> impl Strategy<Value = Written> {
    let all = move || (least..=greatest).collect::<BTreeSet<_>>();
    let value = least..=greatest;
    prop_oneof![
        3 => Just(("*".to_owned(), all())),
        1 => (2..=greatest.min(7)).prop_map(move |step| {
            (format!("*/{step}"), all().into_iter().filter(|at| (at - least) % step == 0).collect())
        }),
        2 => proptest::collection::btree_set(value.clone(), 1..3).prop_map(|set| {
            (set.iter().map(i8::to_string).collect::<Vec<_>>().join(","), set)
        }),
        1 => (value.clone(), value.clone(), 1..=3_i8).prop_map(|(a, b, step)| {
            let (from, to) = (a.min(b), a.max(b));
            (format!("{from}-{to}/{step}"), (from..=to).filter(|at| (at - from) % step == 0).collect())
        }),
        1 => (value, 2..=5_i8).prop_map(move |(from, step)| {
            (format!("{from}/{step}"), (from..=greatest).filter(|at| (at - from) % step == 0).collect())
        }),
    ]
}

fn fits(clock: DateTime, fields: &[Written; 5]) -> bool {
    let [minute, hour, day, month, weekday] = fields;
    let is_day = day.1.contains(&clock.day());
    let is_weekday = weekday.1.contains(&clock.weekday().to_sunday_zero_offset());
    let either = !day.0.starts_with('*') && !weekday.0.starts_with('*');
    let fits = if either { is_day || is_weekday } else { is_day && is_weekday };
    fits && month.1.contains(&clock.month()) && hour.1.contains(&clock.hour()) && minute.1.contains(&clock.minute())
}

/// What a clock on the wall and somebody with patience say.
fn walk(fields: &[Written; 5], zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let minute = SignedDuration::from_mins(1);
    let runs_on = fields[1].1.len() == 24;
    // What the clock showed before, to know a second pass and a gap.
    let mut now = from - SignedDuration::from_hours(30);
    let mut latest = zone.to_datetime(now);
    let mut out = Vec::new();
    while now + minute < to {
        now += minute;
        let clock = zone.to_datetime(now);
        let mut fires = fits(clock, fields) && (runs_on || clock > latest);
        let mut skipped = latest + minute;
        while !runs_on && skipped < clock {
            fires |= fits(skipped, fields);
            skipped += minute;
        }
        latest = latest.max(clock);
        if fires && now >= from {
            out.push(now);
        }
    }
    out
}

/// Zones whose clocks change at odd times, by odd amounts, in both halves of the world, and some that do not.
const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Santiago",
    "Asia/Tehran",
    "Antarctica/Troll",
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Havana",
    "Europe/Dublin",
    "America/Scoresbysund",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_moments_are_those_of_a_walk_through_every_minute(
        minute in field(0, 59), hour in field(0, 23), day in field(1, 31), month in field(1, 12), weekday in field(0, 6),
        name in proptest::sample::select(ZONES), year in 1996..2037_i32, nth in 0..3_usize, before in 0..72_i64,
    ) {
        let fields = [minute, hour, day, month, weekday];
        let text = fields.iter().map(|field| field.0.as_str()).collect::<Vec<_>>().join(" ");
        let zone = zone(name).unwrap();
        let start = at(&format!("{year}-01-01T00:00:00Z"));
        // Around a change of the clock where there is one, else around the end of February.
        let change = zone.following(start).nth(nth).map(|change| change.timestamp());
        let change = change.unwrap_or_else(|| at(&format!("{year}-02-28T00:00:00Z")));
        let from = change - SignedDuration::from_hours(before);
        let to = from + SignedDuration::from_hours(24 * 6);
        if let Ok(cron) = Cron::parse(&text) {
            let schedule = Schedule { cron, zone };
            let found: Vec<_> = schedule.slots(from, to).collect();
            prop_assert_eq!(&found, &walk(&fields, &schedule.zone, from, to), "{} in {}", text, name);
            let first = schedule.next(from - SignedDuration::from_nanos(1)).filter(|next| *next < to);
            prop_assert_eq!(first, found.first().copied());
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[0-9*/,\\-A-Z @é]{0,24}") {
        if let Ok(cron) = Cron::parse(&text) {
            prop_assert!(Schedule::utc(cron).next(at("2026-01-01T00:00:00Z")).is_none_or(|at| at.as_second() % 300 >= 0));
        }
    }
}

#[test]
fn whole_years_agree_with_the_walk() {
    let year = |text: &str, name: &str, year: i32| {
        let parse = |(at, part): (usize, &str)| {
            let (least, greatest) = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)][at];
            let set = if part == "*" { (least..=greatest).collect() } else { BTreeSet::from([part.parse().unwrap()]) };
            (part.to_owned(), set)
        };
        let fields: Vec<_> = text.split(' ').enumerate().map(parse).collect();
        let (from, to) = (at(&format!("{year}-01-01T00:00:00Z")), at(&format!("{}-01-01T00:00:00Z", year + 1)));
        let schedule = schedule(text, name);
        let found: Vec<_> = schedule.slots(from, to).collect();
        assert_eq!(found, walk(&fields.try_into().unwrap(), &schedule.zone, from, to), "{text} in {name} {year}");
        found.len()
    };
    assert_eq!(year("0 0 29 2 *", "Europe/Berlin", 2028), 1);
    assert_eq!(year("0 0 31 * *", "America/Santiago", 2027), 7);
    assert_eq!(year("30 2 * * 0", "Pacific/Chatham", 2026), 52);
}

#[test]
fn twelve_weeks_of_hours_are_two_thousand_slots() {
    let slots = slots("0 * * * *", "America/New_York", "2026-02-01T00:00:00Z", "2026-04-26T00:00:00Z");
    assert_eq!(slots.len(), 2016);
}
