//! TAP 13 and 14, the Test Anything Protocol, as written by `node --test`, bats, tape, Perl's Test::More, pg_prove.
//!
//! A point is a test. One that sums up a subtest whose points were read is not counted again, unless it failed
//! although none of them did. Points may share a description: the second is told apart by `(2)`, so that none is
//! lost. `not ok … # TODO` is a known failure and counts as skipped; `not ok … # SKIP` is a failure, as in Perl's
//! harness. Diagnostics after a failed point (a YAML block, `#` comments) are its message.
//!
//! Failures inside a subtest count as skipped where the point that sums it up is `not ok … # TODO`.

mod line;

use std::collections::HashMap;
use std::io::BufRead;

use super::super::problem::{CHANGED, FOREIGN, INCOMPLETE, TRUNCATED};
use super::super::sink::{Case, Outcome, Sink};
use super::super::source::each_line;
use super::super::{Bound, Format, Kind, Limits, Problem, ReadError};
use super::bounds::{self, Excerpt};
use crate::sys::text;
use line::{Point, is_sum, message, plan, point};

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
    /// The point above that opened this level with a brace, as vitest and older node-tap write it.
    head: Option<(Point, u64)>,
    /// Failures below the outermost level: the point that sums them up may excuse them.
    held: Vec<Told>,
}

/// A failed point that is not told of yet.
struct Told {
    suites: Vec<String>,
    point: Point,
    line: u64,
    message: Option<String>,
}

/// A point whose diagnostics may still come.
struct Pending {
    point: Point,
    line: u64,
    depth: usize,
    /// Whether it is a test, or only sums up those of a subtest.
    is_counted: bool,
    yaml: Excerpt,
    /// Whether its YAML block has ended: comments that follow belong to something else.
    is_complete: bool,
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
    /// Those of the documents before this one.
    cases_before: usize,
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
        cases_before: 0,
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
    if reader.stopped.is_none() && reader.levels.iter().any(|level| level.head.is_some()) {
        let told = "the report ends inside a subtest that a brace opened; what came after is unknown";
        reader.sink.problem(Problem::new(&TRUNCATED, told).at_line(last));
    }
    if reader.stopped.is_none() {
        // Failures that were held back are told now, and may pass a bound.
        reader.end_document();
    }
    if let Some(stop) = reader.stopped {
        return Err(stop);
    }
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
                if let Some(pending) = &mut self.pending {
                    pending.is_complete = true;
                }
            } else {
                self.diagnostic(line, base);
            }
            return;
        }
        if self.has_bailed_out || text.is_empty() {
            return;
        }
        // By two, or by four as vitest writes it.
        if text == "---" && self.pending.as_ref().is_some_and(|pending| indent > pending.depth * 4) {
            self.yaml = Some(indent);
            return;
        }
        let depth = indent / 4;
        if !indent.is_multiple_of(4) || depth > self.levels.len() {
            return self.foreign(line, indent, number);
        }
        if text == "}" && self.levels.get(depth + 1).is_some_and(|level| level.head.is_some()) {
            self.flush();
            self.leave(depth);
        } else if text.starts_with("TAP version ") {
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
            self.foreign(line, indent, number);
        }
    }

    /// Whether the outermost level has a plan, and all that it plans.
    fn is_complete(&self) -> bool {
        self.levels[0].planned.is_some_and(|planned| self.levels[0].points >= planned)
    }

    /// A line that is none of the protocol: mocha writes what a failed point has to say so, indented.
    fn foreign(&mut self, line: &str, indent: usize, number: u64) {
        if let Some(pending) = &mut self.pending
            && pending.point.outcome.is_failure()
            && indent > pending.depth * 4
        {
            pending.comments.add(line, self.limits.message_bytes);
            pending.comments.add("\n", self.limits.message_bytes);
            return;
        }
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
            Some(value) if value.is_finite() && value >= 0.0 => pending.point.seconds = Some(value / 1e3),
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
            && !pending.is_complete
            && !is_sum(comment)
        {
            pending.comments.add(comment, self.limits.message_bytes);
            pending.comments.add("\n", self.limits.message_bytes);
        }
    }

    /// Goes to a level that is deeper by at most one; deeper ones without a point of their own end.
    fn enter(&mut self, depth: usize, number: u64) {
        self.leave(depth);
        if self.levels.len() == depth {
            let name = self.levels.last_mut().and_then(|parent| parent.announced.take());
            self.levels.push(Level { line: number, name, ..Level::default() });
        }
    }

    /// Ends the levels below this one.
    fn leave(&mut self, depth: usize) {
        while self.levels.len() > depth + 1 {
            let Some(mut level) = self.levels.pop() else { return };
            match level.head.take() {
                Some((point, line)) => self.sum_up(point, line, level),
                None => self.end_level(level, None),
            }
        }
    }

    fn point(&mut self, point: Point, depth: usize, number: u64) {
        self.flush();
        if depth == 0 && point.number == Some(1) && self.levels.len() == 1 && self.is_complete() {
            self.end_document();
        }
        // The subtest that this point sums up, unless that one has a point already.
        let has_below = self.levels.get(depth + 1).is_some_and(|level| level.head.is_none());
        self.leave(if has_below { depth + 1 } else { depth });
        let below = if has_below { self.levels.pop() } else { None };
        self.enter(depth, number);
        let level = &mut self.levels[depth];
        level.points += 1;
        level.announced = None;
        if point.opens {
            let name = Some(point.name.clone());
            self.levels.push(Level { line: number, name, head: Some((point, number)), ..Level::default() });
        } else if let Some(below) = below {
            self.sum_up(point, number, below);
        } else {
            self.pend(point, number, true);
        }
    }

    /// A point that sums up a subtest: counted only where it says more than the points in it.
    fn sum_up(&mut self, point: Point, number: u64, below: Level) {
        let is_told = below.has_failed || !point.outcome.is_failure();
        let has_points = below.points > 0;
        let excuse = (point.outcome == Outcome::Skipped && !point.is_ok).then_some(Outcome::Skipped);
        self.end_level(below, excuse);
        self.pend(point, number, !(has_points && is_told));
    }

    fn pend(&mut self, point: Point, line: u64, is_counted: bool) {
        let depth = self.levels.len() - 1;
        self.levels[depth].has_failed |= is_counted && point.outcome.is_failure();
        let (yaml, comments) = Default::default();
        self.pending = Some(Pending { point, line, depth, is_counted, yaml, is_complete: false, comments });
    }

    /// Ends a level that was taken off; `excuse` is what its failures count as.
    fn end_level(&mut self, level: Level, excuse: Option<Outcome>) {
        self.check(&level);
        let is_outermost = self.levels.len() <= 1;
        if let Some(parent) = self.levels.last_mut() {
            parent.has_failed |= level.has_failed && excuse.is_none();
        }
        for mut told in level.held {
            told.point.outcome = excuse.unwrap_or(told.point.outcome);
            match self.levels.last_mut().filter(|_| !is_outermost) {
                Some(parent) => parent.held.push(told),
                None => self.tell(told),
            }
        }
    }

    /// Takes in the point before, now that its diagnostics are complete.
    fn flush(&mut self) {
        self.yaml = None;
        let Some(pending) = self.pending.take().filter(|pending| pending.is_counted) else { return };
        let yaml = pending.yaml.text();
        let mut message = message(&yaml).unwrap_or(yaml);
        if !pending.comments.is_empty() {
            if !message.is_empty() {
                message.push('\n');
            }
            message.push_str(&pending.comments.text());
        }
        let message = Some(message).filter(|message| !message.is_empty());
        let inner = self.levels.iter().take(pending.depth + 1).skip(1);
        let suites = inner.map(|level| level.name.clone().unwrap_or_else(|| "(subtest)".to_owned())).collect();
        let told = Told { suites, point: pending.point, line: pending.line, message };
        match self.levels.last_mut().filter(|_| pending.depth > 0) {
            Some(level) if told.point.outcome.is_failure() => level.held.push(told),
            _ => self.tell(told),
        }
    }

    fn tell(&mut self, told: Told) {
        let Told { suites, point, line, message } = told;
        self.cases += 1;
        if self.cases > self.limits.entries {
            let limit = format!("{} tests", self.limits.entries);
            self.stopped = Some(ReadError::Limit { bound: Bound::Entries, what: "the number of tests", limit });
            return;
        }
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
            seconds: point.seconds,
            message: message.as_deref().filter(|_| point.outcome.is_failure()),
            reruns: 0,
            flaky: false,
        });
    }

    fn bail_out(&mut self, reason: &str, number: u64) {
        let reason = if reason.is_empty() { "the tests gave up" } else { reason };
        let reason = bounds::cut(reason.to_owned(), self.limits.message_bytes);
        let point = Point {
            name: "Bail out!".into(),
            outcome: Outcome::Errored,
            number: None,
            is_ok: false,
            seconds: None,
            opens: false,
        };
        self.has_bailed_out = true;
        self.tell(Told { suites: Vec::new(), point, line: number, message: Some(reason) });
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
            // An outermost level may have nothing but subtests whose own points never came.
            None if level.points == 0 && (!self.levels.is_empty() || self.cases == self.cases_before) => return,
            None => Problem::new(&INCOMPLETE, format!("{shown} is missing after {points}: there may have been more")),
        };
        self.sink.problem(problem.at_line(level.line.max(1)));
    }

    fn end_document(&mut self) {
        self.leave(0);
        self.flush();
        if let Some(level) = self.levels.pop() {
            self.check(&level);
        }
        self.levels.push(Level::default());
        self.cases_before = self.cases;
        self.has_bailed_out = false;
    }

    /// The last line has no end: a point that holds may have gone on (`# SKIP`), one that does not counts.
    fn cut(&mut self, last: u64) {
        let is_cut = self.yaml.is_some() || self.pending.as_ref().is_some_and(|pending| pending.line == last);
        if !is_cut {
            return;
        }
        let mut told = "the report ends in the middle of a line".to_owned();
        if let Some(pending) = self.pending.take_if(|pending| pending.line == last && pending.point.is_ok) {
            if let Some(level) = self.levels.last_mut() {
                level.points = level.points.saturating_sub(1);
            }
            let name = text::shorten(&text::one_line(&pending.point.name), 120);
            told = format!("{told}; the test `{name}` is not counted");
        }
        self.sink.problem(Problem::new(&TRUNCATED, told).at_line(last));
    }
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
    fn plans_are_held_against_what_is_there() {
        for (text, problems) in [
            ("1..2\nok 1\nok 2\n", vec![]),
            ("ok 1\nok 2\n1..2\n", vec![]),
            ("1..3\nok 1\nok 2\n", vec!["evidence.incomplete"]),
            ("ok 1\nok 2\n", vec!["evidence.incomplete"]),
            ("# Subtest: a\n    ok 1\n    1..1\n", vec!["evidence.incomplete"]),
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
        let node = "TAP version 13\n# Subtest: outer\n    # Subtest: inner\n        # Subtest: leaf\n        ok 1 - leaf\n          ---\n          duration_ms: 2\n          ...\n        1..1\n    ok 1 - inner\n      ---\n      type: 'suite'\n      ...\n    # Subtest: other\n    not ok 2 - other\n    1..2\nnot ok 1 - outer\n1..1\n# tests 2\n";
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
    fn points_in_braces_follow_the_one_that_sums_them_up() {
        let text = "TAP version 13\n1..2\nnot ok 1 - a # time=8ms {\n    1..2\n    not ok 1 - b # time=7ms {\n        1..1\n        not ok 1 - c\n            ---\n            error:\n                message: \"no\"\n            ...\n    }\n    not ok 2 - d {\n    }\n}\nok 2 - e {\n    1..1\n    ok 1 - f\n}\n";
        let told = tap(text);
        let want = [named("a > b::c", Outcome::Failed), named("a::d", Outcome::Failed), named("e::f", Outcome::Passed)];
        assert_eq!((outcomes(&told), codes(&told)), (want.to_vec(), vec![]));
        assert_eq!(told.tests.iter().next().unwrap().1.message.as_deref(), Some("no"));
    }

    #[test]
    fn failures_in_a_subtest_to_be_done_are_known() {
        let told = tap(
            "# Subtest: s\n    not ok 1 - a\n    # Subtest: t\n        not ok 1 - b\n        1..1\n    not ok 2 - t\n    1..2\nnot ok 1 - s # TODO later\nok 2 - z\n1..2\n",
        );
        let want = [named("s::a", Outcome::Skipped), named("s > t::b", Outcome::Skipped), named("z", Outcome::Passed)];
        assert_eq!((outcomes(&told), codes(&told)), (want.to_vec(), vec![]));
        let told = tap("    not ok 1 - a\n    1..1\nok 1 - s # SKIP\n1..1\n");
        assert_eq!(outcomes(&told), [named("(subtest)::a", Outcome::Failed)]);
        // Cut before the point that sums it up.
        let told = tap("1..1\n    not ok 1 - a\n    1..1\n");
        assert_eq!(
            (outcomes(&told), codes(&told)),
            (vec![named("(subtest)::a", Outcome::Failed)], vec!["evidence.incomplete"])
        );
    }

    #[test]
    fn what_mocha_and_tape_write_after_a_failure() {
        let told = tap(
            "not ok 1 a\n  NaN == 0\n      at x (y.js:1)\nnot ok 2 b\n  ---\n    operator: equal\n  ...\n# next\n# tests 2\n# pass  0\n# fail  2\n1..2\n",
        );
        let messages: Vec<_> = told.tests.iter().filter_map(|(_, test)| test.message.as_deref()).collect();
        assert_eq!((messages, codes(&told)), (vec!["  NaN == 0\n      at x (y.js:1)", "  operator: equal"], vec![]));
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
            let told = tap(&format!("1..1\nnot ok 1 - a\n  ---\n{lines}  ...\n# another\n"));
            told.tests.iter().next().unwrap().1.message.clone().unwrap().into_string()
        };
        assert_eq!(block("message: 'it''s'\nstack: |-\n  one\n    two\nx: y"), "it's\none\n  two");
        assert_eq!(block("error: \"a\\nb\""), "a\nb");
        assert_eq!(block("severity: fail\nat: x.js:1"), "severity: fail\nat: x.js:1");
        assert!(block(&format!("message: |\n{}", "  x\n".repeat(100_000))).len() < 10_000);
    }
}
