//! TAP 13 and 14, the Test Anything Protocol, as written by `node --test`, bats, tape, Perl's Test::More, pg_prove.
//!
//! A point is a test. One that sums up a subtest whose points were read is not counted again, unless it failed
//! although none of them did. Points may share a description: the second is told apart by `(2)`, so that none is
//! lost. `not ok … # TODO` is a known failure and counts as skipped; `not ok … # SKIP` is a failure, as in Perl's
//! harness. Diagnostics after a failed point (a YAML block, `#` comments) are its message.
//!
//! Deliberately absent: a `# TODO` or `# SKIP` on the point of a subtest does not excuse the failed points inside.

use std::collections::HashMap;
use std::io::BufRead;

use super::super::problem::{CHANGED, FOREIGN, INCOMPLETE, TRUNCATED};
use super::super::sink::{Case, Outcome, Sink};
use super::super::source::each_line;
use super::super::{Format, Kind, Limits, Problem, ReadError};
use super::bounds::{self, Excerpt};
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "tap",
    kind: Kind::Tests,
    doc: "TAP 13 and 14: `node --test`, bats, tape, Perl's Test::More.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = "TAP version 14
1..5
ok 1 - mean of two
not ok 2 - median of none
  ---
  duration_ms: 1.5
  message: 'expected 0, got NaN'
  ...
# Subtest: modes
    ok 1 - of one
    not ok 2 - of none # TODO undecided
    1..2
ok 3 - modes
ok 4 - spread # SKIP needs data
not ok 5
# at price.js line 9
";

fn sniff(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).take(50);
    lines.any(|line| {
        let text = std::str::from_utf8(line).unwrap_or_default();
        text.starts_with("TAP version 1") || plan(text).is_some() || point(text).is_some()
    })
}

/// A line `ok …` or `not ok …`.
#[derive(Clone, Debug, PartialEq)]
struct Point {
    name: String,
    number: Option<u64>,
    outcome: Outcome,
    is_ok: bool,
}

/// The points of one indentation.
#[derive(Default)]
struct Level {
    line: u64,
    name: Option<String>,
    planned: Option<u64>,
    points: u64,
    /// Whether a point of this level or below it counted as a failure.
    has_failed: bool,
    /// What `# Subtest: …` announced for the level below.
    announced: Option<String>,
}

/// A point whose diagnostics may still come.
struct Pending {
    point: Point,
    line: u64,
    depth: usize,
    seconds: Option<f64>,
    yaml: Excerpt,
    comments: Excerpt,
}

struct Reader<'s> {
    sink: &'s mut dyn Sink,
    limits: Limits,
    /// From the outside in; never empty.
    levels: Vec<Level>,
    pending: Option<Pending>,
    /// The indentation of the YAML block that is open.
    yaml: Option<usize>,
    has_bailed_out: bool,
    has_version: bool,
    /// How often a description was seen, by the hash of its path.
    seen: HashMap<u64, u32>,
    foreign: (u64, u64),
    cases: usize,
    stopped: Option<ReadError>,
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut reader = Reader {
        sink,
        limits: *limits,
        levels: vec![Level::default()],
        pending: None,
        yaml: None,
        has_bailed_out: false,
        has_version: false,
        seen: HashMap::new(),
        foreign: (0, 0),
        cases: 0,
        stopped: None,
    };
    let mut last = 0;
    let done = each_line(input, limits, |line, number| {
        last = number;
        if reader.stopped.is_none() {
            let line = String::from_utf8_lossy(line);
            if line.contains('\u{1b}') {
                reader.line(&text::plain_lines(&line), number);
            } else {
                reader.line(&line, number);
            }
        }
    });
    if matches!(done, Ok(false)) {
        reader.cut(last);
    }
    reader.flush();
    if let Some(stop) = reader.stopped {
        return Err(stop);
    }
    reader.end_document();
    if let (count @ 1.., first) = reader.foreign {
        let told = format!("{} between the test points: output of the tests", text::plural(count, "line", "lines"));
        reader.sink.problem(Problem::new(&FOREIGN, told).at_line(first));
    }
    done.map(|_| ())
}

impl Reader<'_> {
    fn line(&mut self, line: &str, number: u64) {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let text = line[indent..].trim_end();
        if let Some(base) = self.yaml {
            if text == "..." && indent == base {
                self.yaml = None;
            } else {
                self.diagnostic(line, base);
            }
            return;
        }
        if self.has_bailed_out || text.is_empty() {
            return;
        }
        if text == "---" && self.pending.as_ref().is_some_and(|pending| indent == pending.depth * 4 + 2) {
            self.yaml = Some(indent);
            return;
        }
        let depth = indent / 4;
        if !indent.is_multiple_of(4) || depth > self.levels.len() {
            return self.foreign(number);
        }
        if text.starts_with("TAP version ") {
            // A version line also begins a document that was joined to the one before.
            if depth == 0 && (self.has_version || self.levels[0].points > 0) {
                self.flush();
                self.end_document();
            }
            self.has_version |= depth == 0;
        } else if let Some(reason) = text.strip_prefix("Bail out!") {
            self.flush();
            self.bail_out(reason.trim(), number);
        } else if let Some(comment) = text.strip_prefix('#') {
            self.comment(comment, depth, number);
        } else if let Some(planned) = plan(text) {
            self.flush();
            self.enter(depth, number);
            if depth == 0 && self.is_complete() {
                self.end_document();
            }
            if let Some(level) = self.levels.last_mut() {
                level.planned = Some(planned);
            }
        } else if let Some(point) = point(text) {
            self.point(point, depth, number);
        } else if !text.starts_with("pragma ") {
            self.foreign(number);
        }
    }

    /// Whether the outermost level has a plan, and all that it plans.
    fn is_complete(&self) -> bool {
        self.levels[0].planned.is_some_and(|planned| self.levels[0].points >= planned)
    }

    fn foreign(&mut self, number: u64) {
        self.foreign.0 += 1;
        if self.foreign.0 == 1 {
            self.foreign.1 = number;
        }
    }

    /// A line of a YAML block.
    fn diagnostic(&mut self, line: &str, base: usize) {
        let Some(pending) = &mut self.pending else { return };
        let line = if line.len() >= base && line.is_char_boundary(base) { &line[base..] } else { line };
        match line.strip_prefix("duration_ms:").and_then(|value| value.trim().parse::<f64>().ok()) {
            Some(value) if value.is_finite() && value >= 0.0 => pending.seconds = Some(value / 1e3),
            _ if pending.point.outcome.is_failure() => {
                pending.yaml.add(line, self.limits.message_bytes);
                pending.yaml.add("\n", self.limits.message_bytes);
            }
            _ => {}
        }
    }

    fn comment(&mut self, comment: &str, depth: usize, number: u64) {
        let comment = comment.strip_prefix(' ').unwrap_or(comment);
        if let Some(name) = comment.trim().strip_prefix("Subtest: ") {
            self.flush();
            let name = bounds::name(self.sink, &self.limits, name.to_owned(), number);
            // `# Subtest` stands above its points, or as the first line among them.
            if depth == self.levels.len() && self.levels[depth - 1].announced.is_none() {
                self.enter(depth, number);
                self.levels[depth].name = Some(name);
                return;
            }
            self.enter(depth, number);
            self.levels[depth].announced = Some(name);
        } else if let Some(pending) = &mut self.pending
            && pending.point.outcome.is_failure()
        {
            pending.comments.add(comment, self.limits.message_bytes);
            pending.comments.add("\n", self.limits.message_bytes);
        }
    }

    /// Goes to a level that is deeper by at most one; deeper ones without a point of their own end.
    fn enter(&mut self, depth: usize, number: u64) {
        while self.levels.len() > depth + 1 {
            let level = self.levels.pop().unwrap_or_default();
            self.check(&level);
            if let Some(parent) = self.levels.last_mut() {
                parent.has_failed |= level.has_failed;
            }
        }
        if self.levels.len() == depth {
            let name = self.levels.last_mut().and_then(|parent| parent.announced.take());
            self.levels.push(Level { line: number, name, ..Level::default() });
        }
    }

    fn point(&mut self, point: Point, depth: usize, number: u64) {
        self.flush();
        if depth == 0 && point.number == Some(1) && self.levels.len() == 1 && self.is_complete() {
            self.end_document();
        }
        // The subtest that this point sums up.
        let below = if self.levels.len() > depth + 1 {
            while self.levels.len() > depth + 2 {
                self.enter(self.levels.len() - 2, number);
            }
            self.levels.pop()
        } else {
            None
        };
        self.enter(depth, number);
        let level = &mut self.levels[depth];
        level.points += 1;
        level.announced = None;
        if let Some(below) = below {
            self.check(&below);
            self.levels[depth].has_failed |= below.has_failed;
            let is_told = below.has_failed || !point.outcome.is_failure();
            if below.points > 0 && is_told {
                return;
            }
        }
        self.levels[depth].has_failed |= point.outcome.is_failure();
        let (yaml, comments) = Default::default();
        self.pending = Some(Pending { point, line: number, depth, seconds: None, yaml, comments });
    }

    /// Tells of the point before, now that its diagnostics are complete.
    fn flush(&mut self) {
        self.yaml = None;
        let Some(pending) = self.pending.take() else { return };
        let yaml = pending.yaml.text();
        let mut message = message(&yaml).unwrap_or(yaml);
        if !pending.comments.is_empty() {
            if !message.is_empty() {
                message.push('\n');
            }
            message.push_str(&pending.comments.text());
        }
        let message = Some(message).filter(|message| !message.is_empty());
        self.case(pending.point, pending.line, pending.depth, pending.seconds, message.as_deref());
    }

    fn case(&mut self, point: Point, line: u64, depth: usize, seconds: Option<f64>, message: Option<&str>) {
        self.cases += 1;
        if self.cases > self.limits.entries {
            let limit = format!("{} tests", self.limits.entries);
            self.stopped = Some(ReadError::Limit { what: "the number of tests", limit });
            return;
        }
        let inner = self.levels.iter().take(depth + 1).skip(1);
        let suites: Vec<String> =
            inner.map(|level| level.name.clone().unwrap_or_else(|| "(subtest)".to_owned())).collect();
        let mut name = bounds::name(self.sink, &self.limits, point.name, line);
        let seen = self.seen.entry(bounds::hash(format!("{}\n{name}", suites.join("\n")).as_bytes())).or_default();
        *seen += 1;
        if *seen > 1 {
            name = format!("{name} ({seen})");
        }
        self.sink.case(&Case {
            suites: &suites,
            class: "",
            name: &name,
            file: None,
            line: None,
            outcome: point.outcome,
            seconds,
            message: message.filter(|_| point.outcome.is_failure()),
            reruns: 0,
            flaky: false,
        });
    }

    fn bail_out(&mut self, reason: &str, number: u64) {
        let reason = if reason.is_empty() { "the tests gave up" } else { reason };
        let reason = bounds::cut(reason.to_owned(), self.limits.message_bytes);
        let point = Point { name: "Bail out!".into(), number: None, outcome: Outcome::Errored, is_ok: false };
        self.case(point, number, self.levels.len() - 1, None, Some(&reason));
        self.has_bailed_out = true;
    }

    /// Holds a level against its plan.
    fn check(&mut self, level: &Level) {
        if self.has_bailed_out {
            return;
        }
        let name = level.name.as_deref().map(|name| text::shorten(&text::one_line(name), 80));
        let shown = name.map_or_else(|| "the plan".to_owned(), |name| format!("the plan of `{name}`"));
        let points = text::plural(level.points, "point", "points");
        let problem = match level.planned {
            Some(planned) if planned > level.points => {
                Problem::new(&INCOMPLETE, format!("{shown} announces {planned} and {points} could be read"))
            }
            Some(planned) if planned < level.points => {
                Problem::new(&CHANGED, format!("{shown} announces {planned} and {points} are there"))
            }
            Some(_) => return,
            None if level.points == 0 => return,
            None => Problem::new(&INCOMPLETE, format!("{shown} is missing after {points}: there may have been more")),
        };
        self.sink.problem(problem.at_line(level.line.max(1)));
    }

    fn end_document(&mut self) {
        while let Some(level) = self.levels.pop() {
            self.check(&level);
        }
        self.levels.push(Level::default());
        self.has_bailed_out = false;
    }

    /// The last line has no end: a point that holds may have gone on (`# SKIP`), one that does not counts.
    fn cut(&mut self, last: u64) {
        let is_cut = self.yaml.is_some()
            || self.pending.as_ref().is_some_and(|pending| pending.line == last && pending.point.is_ok);
        if !is_cut {
            return;
        }
        let mut told = "the report ends in the middle of a line".to_owned();
        if let Some(pending) = self.pending.take_if(|pending| pending.line == last) {
            if let Some(level) = self.levels.last_mut() {
                level.points = level.points.saturating_sub(1);
            }
            let name = text::shorten(&text::one_line(&pending.point.name), 120);
            told = format!("{told}; the test `{name}` is not counted");
        }
        self.sink.problem(Problem::new(&TRUNCATED, told).at_line(last));
    }
}

/// `1..N`, perhaps with a comment; `1..0` plans nothing.
fn plan(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("1..")?;
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let after = rest[end..].trim();
    (after.is_empty() || after.starts_with('#')).then(|| rest[..end].parse().ok()).flatten()
}

/// `ok 3 - description # SKIP why`.
fn point(line: &str) -> Option<Point> {
    let (is_ok, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    if rest.starts_with(|ch: char| !ch.is_ascii_whitespace()) {
        return None;
    }
    let rest = rest.trim();
    let digits = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let number = rest[..digits].parse().ok();
    let is_number = digits > 0 && rest[digits..].chars().next().is_none_or(char::is_whitespace);
    let rest = if is_number { rest[digits..].trim_start() } else { rest };
    let (description, directive) = directive(rest);
    let description = description.strip_prefix("- ").unwrap_or(description).trim();
    let outcome = match (is_ok, directive) {
        (true, Some(Directive::Skip)) | (false, Some(Directive::Todo)) => Outcome::Skipped,
        (true, _) => Outcome::Passed,
        (false, _) => Outcome::Failed,
    };
    let name = match (description, number) {
        ("" | "-", Some(number)) => format!("test {number}"),
        ("" | "-", None) => "(unnamed)".to_owned(),
        _ => unescape(description),
    };
    Some(Point { name, number: number.filter(|_| is_number), outcome, is_ok })
}

#[derive(Clone, Copy)]
enum Directive {
    Skip,
    Todo,
}

/// Splits `description # TODO why` at the last `#` that is not escaped and begins a directive.
fn directive(text: &str) -> (&str, Option<Directive>) {
    for (at, _) in text.rmatch_indices('#') {
        let escapes = text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if escapes % 2 == 1 {
            continue;
        }
        let word: String = text[at + 1..].trim_start().chars().take(4).collect();
        let after = text[at + 1..].trim_start().chars().nth(4);
        match word.to_ascii_lowercase().as_str() {
            // `# SKIPPED:` and `# skip:` occur.
            "skip" => return (&text[..at], Some(Directive::Skip)),
            "todo" if after.is_none_or(|ch| !ch.is_alphanumeric()) => return (&text[..at], Some(Directive::Todo)),
            _ => {}
        }
    }
    (text, None)
}

/// `\#` and `\\`.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(ch) = chars.next() {
        match chars.peek() {
            Some(&next @ ('#' | '\\')) if ch == '\\' => {
                out.push(next);
                chars.next();
            }
            _ => out.push(ch),
        }
    }
    out
}

/// What a YAML block says under `message` or `error`, with the stack after it.
fn message(yaml: &str) -> Option<String> {
    let said = field(yaml, "message").or_else(|| field(yaml, "error"))?;
    Some(match field(yaml, "stack") {
        Some(stack) if !stack.is_empty() => format!("{said}\n{stack}"),
        _ => said,
    })
    .filter(|said| !said.is_empty())
}

/// A scalar at the top of a YAML block: quoted, plain, or a block of more indented lines.
fn field(yaml: &str, key: &str) -> Option<String> {
    let mut lines = yaml.lines();
    let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?.trim();
    if value.starts_with(['|', '>']) {
        let block: Vec<&str> = lines.take_while(|line| line.starts_with(' ') || line.is_empty()).collect();
        let indent =
            block.iter().filter(|line| !line.trim().is_empty()).map(|line| line.len() - line.trim_start().len());
        let indent = indent.min().unwrap_or(0);
        let block: Vec<&str> = block.iter().map(|line| line.get(indent..).unwrap_or_default()).collect();
        return Some(block.join("\n").trim().to_owned());
    }
    let inner = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    Some(match (inner('\''), inner('"')) {
        (Some(single), _) => single.replace("''", "'"),
        (_, Some(_)) => serde_json::from_str(value).unwrap_or_else(|_| value.to_owned()),
        _ => value.to_owned(),
    })
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::read_text;
    use super::super::super::{Evidence, Level as Severity};
    use super::*;

    fn outcomes(evidence: &Evidence) -> Vec<(String, Outcome)> {
        evidence.tests.iter().map(|(id, test)| (id.display(), test.outcome)).collect()
    }

    fn names(evidence: &Evidence) -> Vec<String> {
        evidence.tests.iter().map(|(id, _)| id.display()).collect()
    }

    fn codes(evidence: &Evidence) -> Vec<&str> {
        evidence.problems.iter().map(|problem| problem.code.as_str()).collect()
    }

    fn tap(text: &str) -> Evidence {
        read_text(&FORMAT, text)
    }

    fn named(name: &str, outcome: Outcome) -> (String, Outcome) {
        (name.to_owned(), outcome)
    }

    #[test]
    fn points_directives_and_diagnostics() {
        let told = tap(SAMPLE);
        let want = [
            named("mean of two", Outcome::Passed),
            named("median of none", Outcome::Failed),
            named("modes::of one", Outcome::Passed),
            named("modes::of none", Outcome::Skipped),
            named("spread", Outcome::Skipped),
            named("test 5", Outcome::Failed),
        ];
        assert_eq!((outcomes(&told), codes(&told)), (want.to_vec(), vec![]));
        let messages: Vec<_> = told.tests.iter().filter_map(|(_, test)| test.message.as_deref()).collect();
        assert_eq!(messages, ["expected 0, got NaN", "at price.js line 9"]);
        assert!((told.tests.summary().seconds - 0.0015).abs() < 1e-9);
    }

    #[test]
    fn every_form_of_a_point() {
        let point = |line: &str| point(line).map(|point| (point.name, point.outcome));
        assert_eq!(point("ok"), Some(named("(unnamed)", Outcome::Passed)));
        assert_eq!(point("ok 7"), Some(named("test 7", Outcome::Passed)));
        assert_eq!(point("ok 7 -"), Some(named("test 7", Outcome::Passed)));
        assert_eq!(point("not ok 3 a # b"), Some(named("a # b", Outcome::Failed)));
        assert_eq!(point("ok - 5 apples"), Some(named("5 apples", Outcome::Passed)));
        assert_eq!(point("ok 1 - a \\# SKIP b \\\\"), Some(named("a # SKIP b \\", Outcome::Passed)));
        assert_eq!(point("ok 1 - a # skipped: b"), Some(named("a", Outcome::Skipped)));
        assert_eq!(point("ok 1 # SKIP"), Some(named("test 1", Outcome::Skipped)));
        assert_eq!(point("not ok 1 - a # SKIP b"), Some(named("a", Outcome::Failed)));
        assert_eq!(point("not ok 1 - a # TODO b"), Some(named("a", Outcome::Skipped)));
        assert_eq!(point("ok 1 - a # TODO b"), Some(named("a", Outcome::Passed)));
        assert_eq!(point("not ok 1 - a # TODOS b"), Some(named("a # TODOS b", Outcome::Failed)));
        assert_eq!(point("okay"), None);
        assert_eq!(plan("1..0 # SKIP no database"), Some(0));
        assert_eq!((plan("1.."), plan("1..3x"), plan("2..3")), (None, None, None));
    }

    #[test]
    fn plans_are_held_against_what_is_there() {
        for (text, problems) in [
            ("1..2\nok 1\nok 2\n", vec![]),
            ("ok 1\nok 2\n1..2\n", vec![]),
            ("1..3\nok 1\nok 2\n", vec!["evidence.incomplete"]),
            ("ok 1\nok 2\n", vec!["evidence.incomplete"]),
            ("1..1\nok 1\nok 2\n", vec!["evidence.changed"]),
            ("1..0 # SKIP no database\n", vec!["evidence.empty"]),
        ] {
            assert_eq!(codes(&tap(text)), problems, "{text}");
        }
    }

    #[test]
    fn equal_descriptions_are_different_tests() {
        let told = tap("1..3\nok 1 - works\nnot ok 2 - works\nok 3 - works\n");
        assert_eq!(
            (names(&told), told.tests.summary().failed),
            (vec!["works".into(), "works (2)".into(), "works (3)".into()], 1)
        );
    }

    #[test]
    fn subtests_count_their_points_once() {
        // `node --test` announces above, Perl among the points; one more level; one without a name.
        let node = "TAP version 13\n# Subtest: outer\n    # Subtest: inner\n        # Subtest: leaf\n        ok 1 - leaf\n          ---\n          duration_ms: 2\n          ...\n        1..1\n    ok 1 - inner\n    # Subtest: other\n    not ok 2 - other\n    1..2\nnot ok 1 - outer\n1..1\n# tests 2\n";
        let told = tap(node);
        assert_eq!(
            outcomes(&told),
            [named("outer > inner::leaf", Outcome::Passed), named("outer::other", Outcome::Failed)]
        );
        assert_eq!(codes(&told), [] as [&str; 0]);
        let perl =
            "    # Subtest: outer\n    ok 1 - a\n    1..1\nok 1 - outer\n    ok 1 - a\n    1..1\nok 2 - later\n1..2\n";
        assert_eq!((names(&tap(perl)), codes(&tap(perl))), (vec!["outer::a".into(), "(subtest)::a".into()], vec![]));
    }

    #[test]
    fn a_subtest_that_failed_without_a_failed_point_counts() {
        let told = tap("# Subtest: s\n    ok 1 - a\n    1..2\nnot ok 1 - s\n1..1\n");
        assert_eq!(outcomes(&told), [named("s::a", Outcome::Passed), named("s", Outcome::Failed)]);
        assert_eq!(codes(&told), ["evidence.incomplete"]);
        // An empty one is its own point.
        let told = tap("# Subtest: s\n    1..0 # SKIP\nok 1 - s # SKIP no network\n1..1\n");
        assert_eq!((outcomes(&told), codes(&told)), (vec![named("s", Outcome::Skipped)], vec![]));
    }

    #[test]
    fn giving_up_is_an_error() {
        let told = tap("1..9\nok 1 - a\nBail out! no database\nok 2 - b\n");
        assert_eq!(outcomes(&told), [named("a", Outcome::Passed), named("Bail out!", Outcome::Errored)]);
        assert_eq!(told.tests.iter().last().unwrap().1.message.as_deref(), Some("no database"));
        assert_eq!(codes(&told), [] as [&str; 0]);
    }

    #[test]
    fn a_cut_report_gains_nothing() {
        let told = tap("1..2\nok 1 - a\nok 2 - b # SK");
        assert_eq!(
            (names(&told), codes(&told)),
            (vec!["a".to_owned()], vec!["evidence.truncated", "evidence.incomplete"])
        );
        let told = tap("1..1\nnot ok 1 - b\n  ---\n  message: x\n  sta");
        assert_eq!((told.tests.summary().failed, codes(&told)), (1, vec!["evidence.truncated"]));
        assert_eq!(codes(&tap("ok 1 - a\n1..1")), [] as [&str; 0]);
    }

    #[test]
    fn joined_documents_and_lines_between() {
        let told = tap(
            "TAP version 13\n1..1\nok 1 - a\nTAP version 13\nhello\n1..2\nok 1 - b\nok 2 - a\n1..1\nok 1 - a\nok 1 - z\n1..1\n",
        );
        assert_eq!(names(&told), ["a", "b", "a (2)", "a (3)", "z"]);
        let problems: Vec<_> = told.problems.iter().map(|p| (p.level, p.code.as_str(), p.line)).collect();
        assert_eq!(problems, [(Severity::Note, "evidence.foreign", Some(5))]);
    }

    #[test]
    fn yaml_of_every_form() {
        let block = |text: &str| {
            let lines: String = text.lines().map(|line| format!("  {line}\n")).collect();
            let told = tap(&format!("1..1\nnot ok 1 - a\n  ---\n{lines}  ...\n# and this\n"));
            told.tests.iter().next().unwrap().1.message.clone().unwrap().into_string()
        };
        assert_eq!(block("message: 'it''s'\nstack: |-\n  one\n    two\nx: y"), "it's\none\n  two\nand this");
        assert_eq!(block("error: \"a\\nb\""), "a\nb\nand this");
        assert_eq!(block("severity: fail\nat: x.js:1"), "severity: fail\nat: x.js:1\nand this");
        assert!(block(&format!("message: |\n{}", "  x\n".repeat(100_000))).len() < 10_000);
    }
}
