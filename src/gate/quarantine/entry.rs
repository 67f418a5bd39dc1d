//! `quarantine:` as it stands in the configuration, and which tests an entry names.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::decode::tree::Node;
use crate::decode::{Decoder, Key, Place, schema};
use crate::evidence::tests::Identity;
use crate::sys::text;

/// The keys of an entry.
pub const KEYS: &[Key] = &[
    Key::required(
        "tests",
        "The name of a test, or several with `*`, as `class::name` or `suite > class > name`; `*` stands for any text, nothing else is special.",
        || json!({ "type": "string", "minLength": 1 }),
    ),
    Key::required(
        "reason",
        "Why its failures are excused; every report says it.",
        || json!({ "type": "string", "minLength": 1 }),
    ),
    Key::required(
        "until",
        "The last day on which they are, in UTC: YYYY-MM-DD.",
        || json!({ "type": "string", "format": "date", "examples": ["2030-01-31"] }),
    ),
    Key::optional("check", "The check whose tests are meant (default: any).", schema::string),
];

/// The schema of the list.
#[must_use]
pub fn list_schema() -> Value {
    json!({ "type": "array", "items": schema::object(KEYS) })
}

/// An entry: which failures are excused, why, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which tests.
    pub tests: Pattern,
    /// Why.
    pub reason: String,
    /// The last day on which their failures are excused, in UTC.
    pub until: Date,
    /// The check whose tests are meant; any if not given.
    pub check: Option<String>,
    /// Its line in the configuration, from 1.
    pub line: u64,
}

impl Entry {
    /// Whether its time is over at this moment: its last day, in UTC, is past.
    #[must_use]
    pub fn is_expired(&self, at: Timestamp) -> bool {
        at.to_zoned(TimeZone::UTC).date() > self.until
    }
}

/// Decodes the list. `checks` are the names that an entry may give under `check`.
pub fn decode(decoder: &mut Decoder, node: &Node, checks: &[&str]) -> Option<Vec<Entry>> {
    let items = decoder.list(node, "quarantine entries")?;
    let mut entries: Vec<Entry> = Vec::with_capacity(items.len());
    let mut places: Vec<&Place> = Vec::with_capacity(items.len());
    for item in items {
        let Some(entry) = one(decoder, item, checks) else { continue };
        let same = |other: &Entry| (&other.tests, &other.check) == (&entry.tests, &entry.check);
        if let Some(first) = entries.iter().position(same) {
            decoder.error_with(
                "config.quarantine",
                &item.place,
                format!("the tests `{}` stand in quarantine a second time", text::one_line(entry.tests.as_str())),
                Some("keep one of the entries: two could differ on their last day".into()),
                (places[first], "first written here"),
            );
            continue;
        }
        entries.push(entry);
        places.push(&item.place);
    }
    Some(entries)
}

fn one(decoder: &mut Decoder, node: &Node, checks: &[&str]) -> Option<Entry> {
    let fields = decoder.fields(node, "a quarantine entry", &[KEYS])?;
    let tests = fields.get("tests").and_then(|node| pattern(decoder, node));
    let reason = fields.get("reason").and_then(|node| reason(decoder, node));
    let until = fields.get("until").and_then(|node| date(decoder, node));
    let check = match fields.get("check") {
        None => Some(None),
        Some(node) => known_check(decoder, node, checks).map(Some),
    };
    Some(Entry { tests: tests?, reason: reason?, until: until?, check: check?, line: u64::from(node.place.line) })
}

fn pattern(decoder: &mut Decoder, node: &Node) -> Option<Pattern> {
    let text = decoder.text(node, "the name of a test")?;
    let (message, help) = if text.trim().is_empty() {
        ("an empty name is no test's", "write the name as reports show it: `class::name`")
    } else if text.chars().all(|ch| ch == '*' || ch.is_whitespace()) {
        ("this would excuse every test", "name the tests that are meant: `class::name`, `class::*`")
    } else {
        return Some(Pattern::new(&text));
    };
    decoder.error("config.quarantine", &node.place, message, Some(help.into()));
    None
}

fn reason(decoder: &mut Decoder, node: &Node) -> Option<String> {
    let text = decoder.text(node, "the reason in words")?;
    if text.trim().is_empty() {
        let help = "write why the failures are excused: every report says it".to_owned();
        decoder.error("config.quarantine", &node.place, "an empty reason", Some(help));
        return None;
    }
    Some(text)
}

fn date(decoder: &mut Decoder, node: &Node) -> Option<Date> {
    let text = decoder.text(node, "a date such as 2030-01-31")?;
    // One way to write a date: years first, two digits for month and day.
    let shaped = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    match text.parse::<Date>() {
        Ok(date) if shaped => return Some(date),
        Err(_) if shaped => {
            let help = "look at how many days that month has".to_owned();
            decoder.error("config.date", &node.place, format!("there is no day {}", node.describe()), Some(help));
        }
        _ => {
            let help = "write year, month and day: 2030-01-31".to_owned();
            decoder.error("config.date", &node.place, format!("{} is not a date", node.describe()), Some(help));
        }
    }
    None
}

fn known_check(decoder: &mut Decoder, node: &Node, checks: &[&str]) -> Option<String> {
    let name = decoder.text(node, "the name of a check")?;
    if checks.contains(&name.as_str()) {
        return Some(name);
    }
    let help = text::closest(&name, checks.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    decoder.error("config.unknown-check", &node.place, format!("there is no check {}", node.describe()), help);
    None
}

/// Names of tests: literal but for `*`, which stands for any text, the empty one, dots, slashes and `::` included.
///
/// Brackets and question marks mean themselves, because parametrised tests have them in their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
}

impl Pattern {
    /// A pattern as it is written.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a single name.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        !self.text.contains('*')
    }

    /// Whether it names exactly this text. Takes time in proportion to the text for each `*` at the most.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let Some((start, rest)) = self.text.split_once('*') else { return self.text == name };
        let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        let Some(mut name) = name.strip_prefix(start).and_then(|name| name.strip_suffix(end)) else { return false };
        // The leftmost place of each part leaves the most room for those that follow.
        for part in middle.split('*') {
            let Some(at) = name.find(part) else { return false };
            name = &name[at + part.len()..];
        }
        true
    }
}

/// The forms in which an entry may name a test: the short name that reports show, and all of its parts.
#[must_use]
pub fn names(identity: &Identity) -> [String; 2] {
    let parts = [&*identity.suite, &*identity.class, &*identity.name];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    [identity.display(), parts.join(" > ")]
}

#[cfg(test)]
mod unit_tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decode::tree;
    use crate::gate::changes::fixtures::identity;

    fn decoded(text: &str) -> (Option<Vec<Entry>>, Vec<String>) {
        let node = tree::parse(text).unwrap().unwrap();
        let mut decoder = Decoder::default();
        let entries = decode(&mut decoder, &node, &["unit", "slow"]);
        let told = decoder.finish().into_iter().map(|problem| {
            format!("{}:{} {}: {}", problem.place.line, problem.place.column, problem.code, problem.message)
        });
        (entries, told.collect())
    }

    #[test]
    fn an_entry_is_read_with_its_line() {
        let (entries, told) = decoded("- { tests: 'a::b*', reason: slow network, until: 2030-01-31, check: slow }\n");
        assert_eq!(told, [""; 0]);
        let want = Entry {
            tests: Pattern::new("a::b*"),
            reason: "slow network".into(),
            until: "2030-01-31".parse().unwrap(),
            check: Some("slow".into()),
            line: 1,
        };
        assert_eq!(entries.unwrap(), [want]);
        assert_eq!(decoded("[]").0.unwrap(), []);
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let (_, told) = decoded(
            "- { tests: a, until: 2030-02-30 }
- { tests: '', reason: r, until: 31.01.2030 }
- { tests: '**', reason: ' ', until: 20300131 }
- { tests: b, reason: r, until: 2030-01-01, check: slwo }
- { tests: c, reason: r, until: 2030-01-01T10:00, untill: x }
- { tests: d, reason: r, until: 2030-01-01, check: unit }
- { tests: d, reason: s, until: 2031-01-01, check: unit }
- { tests: d, reason: s, until: 2031-01-01 }
- x
",
        );
        insta::assert_snapshot!(told.join("\n"), @r"
        1:3 config.missing-key: a quarantine entry needs `reason`
        1:22 config.date: there is no day `2030-02-30`
        2:12 config.quarantine: an empty name is no test's
        2:34 config.date: `31.01.2030` is not a date
        3:12 config.quarantine: this would excuse every test
        3:26 config.quarantine: an empty reason
        3:38 config.date: `20300131` is not a date
        4:52 config.unknown-check: there is no check `slwo`
        5:33 config.date: `2030-01-01T10:00` is not a date
        5:51 config.unknown-key: unknown key `untill` in a quarantine entry
        7:3 config.quarantine: the tests `d` stand in quarantine a second time
        9:3 config.type: expected a map of a quarantine entry settings, found `x`
        ");
    }

    #[test]
    fn the_last_day_counts_to_its_end_in_utc() {
        let entry = decoded("[{ tests: a, reason: r, until: 2030-01-31 }]").0.unwrap().remove(0);
        for (at, expired) in [
            ("2030-01-31T00:00:00Z", false),
            ("2030-01-31T23:59:59.999Z", false),
            ("2030-02-01T00:00:00Z", true),
            // Already February in Tokyo, and still January in UTC.
            ("2030-02-01T08:00:00+09:00", false),
            ("1999-01-01T00:00:00Z", false),
        ] {
            assert_eq!(entry.is_expired(at.parse().unwrap()), expired, "{at}");
        }
    }

    #[test]
    fn a_star_crosses_everything_and_nothing_else_is_special() {
        for (pattern, name, want) in [
            ("a::b", "a::b", true),
            ("a::b", "a::bc", false),
            ("a*", "a::b/c > d.e", true),
            ("*c", "abc", true),
            ("*b", "abc", false),
            ("a*c", "ac", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*b*", "b", true),
            ("a**c", "abc", true),
            ("test[1-2]", "test[1-2]", true),
            ("test[1-2]", "test1", false),
            ("test[*]", "test[a/b]", true),
            ("a?", "ab", false),
            ("größe *", "größe ä", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), want, "{pattern} {name}");
        }
    }

    #[test]
    fn a_test_is_named_by_its_short_name_and_by_all_its_parts() {
        let mut id = identity("login works");
        id.suite = "web > auth".into();
        assert_eq!(names(&id), ["web > auth::login works", "web > auth > login works"]);
        id.class = "LoginTest".into();
        assert_eq!(names(&id), ["LoginTest::login works", "web > auth > LoginTest > login works"]);
    }

    /// The plain definition, exponential and obviously right.
    fn reference(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(('*', rest)), _) if reference(rest, name) => true,
            (Some(('*', _)), Some((_, name))) => reference(pattern, name),
            (Some((a, pattern)), Some((b, name))) => a == b && reference(pattern, name),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn matching_is_the_plain_definition(pattern in "[ab*é]{0,7}", name in "[abé]{0,9}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(Pattern::new(&pattern).matches(&name), reference(&chars(&pattern), &chars(&name)));
        }
    }
}
