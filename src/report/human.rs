//! The report for a terminal: what failed first, then what to do. Readable without colour.

use super::terminal::{Options, Palette, Writer};
use super::tests::{Weight, aside, lists};
use super::{advice, compare, score};
use crate::check::outcome::Status;
use crate::evidence::Level;
use crate::evidence::metric;
use crate::gate::facts::{LEFT_OUT, NOT_MEASURED};
use crate::gate::patch::PatchFile;
use crate::gate::{RuleResult, RuleVerdict};
use crate::record::Record;
use crate::sys::text;

/// Lines of output shown of a check that did not pass.
const TAIL_LINES: usize = 30;
/// Failed tests shown before the rest is counted.
const TESTS: usize = 20;
/// Tests of one list of changes shown before the rest is counted.
const CHANGES: usize = 5;
/// Characters shown of a name, and of what is said beside it.
const WIDTH: usize = 160;
/// Groups of a score shown before the rest is counted.
const GROUPS: usize = 12;
/// Parts of the project shown of those that hold their limits.
const PARTS: usize = 6;
/// Files of a patch shown before the rest is counted.
const FILES: usize = 10;
/// Bytes of line ranges shown of one file.
const RANGES: usize = 120;
/// Things to do that are shown before the rest is counted.
const STEPS: usize = 3;
/// Problems shown before the rest is counted.
const PROBLEMS: usize = 20;

/// Renders a record.
pub(super) fn render(record: &Record, options: Options) -> String {
    let mut out = Writer::new(options);
    out.title(record);
    out.checks(record);
    out.outputs(record);
    out.tests(record);
    out.test_changes(record, options.verbose);
    out.rules(record, options.verbose);
    out.patch(record);
    out.problems(record, options.verbose);
    out.score(record);
    out.ending(record);
    out.text
}

impl Writer {
    fn title(&mut self, record: &Record) {
        let Palette { strong, dim, .. } = self.palette;
        self.line(&format!(
            "{strong}{} {}{strong:#}  {dim}{}{dim:#}",
            record.command,
            text::one_line(&record.project.name),
            place(record)
        ));
    }

    fn checks(&mut self, record: &Record) {
        if record.checks.is_empty() {
            return;
        }
        self.heading("checks");
        let width = |of: fn(&crate::check::CheckOutcome) -> &str| {
            record.checks.iter().map(|check| of(check).chars().count()).max().unwrap_or(0)
        };
        let (ids, groups) = (width(|check| &check.id), width(|check| &check.group));
        for check in &record.checks {
            let time = match check.status {
                Status::Skipped => String::new(),
                _ => text::duration(std::time::Duration::from_millis(check.duration_ms)),
            };
            let reason = check.reason.as_deref().map(text::one_line).unwrap_or_default();
            let word = self.palette.check(check);
            self.line(&format!("  {word}  {:<ids$}  {:<groups$}  {time:>10}  {reason}", check.id, check.group));
        }
        if !record.left_out.is_empty() {
            let dim = self.palette.dim;
            let left = text::plural(record.left_out.len() as u64, "check", "checks");
            self.line(&format!("  {dim}{left} of the project not asked for (--dry-run tells why){dim:#}"));
        }
    }

    fn outputs(&mut self, record: &Record) {
        for check in &record.checks {
            if matches!(check.status, Status::Passed | Status::Skipped) || check.output.text.trim().is_empty() {
                continue;
            }
            let (before, tail) = check.output.tail(TAIL_LINES);
            let left = before.map(|before| format!(" (last {TAIL_LINES} lines, after {before})")).unwrap_or_default();
            self.heading(&format!("output of {}{left}", check.id));
            let dim = self.palette.dim;
            for line in tail.lines() {
                self.line(&format!("  {dim}|{dim:#} {line}"));
            }
        }
    }

    fn tests(&mut self, record: &Record) {
        let failed: Vec<_> = record.tests.iter().filter(|test| test.test.outcome.is_failure()).collect();
        if failed.is_empty() {
            return;
        }
        self.heading(&format!("failed tests ({})", failed.len()));
        for test in failed.iter().take(TESTS) {
            let file = if test.identity.file.is_empty() {
                String::new()
            } else {
                format!("  ({})", text::one_line(&test.identity.file))
            };
            let aside = aside(record, test);
            let name = text::shorten(&text::one_line(&test.identity.display()), WIDTH);
            self.line(&format!("  {name}{file}{aside}"));
            if let Some(message) = &test.test.message {
                let first = text::plain_lines(message);
                let first = first.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
                self.line(&format!("      {}", text::shorten(&text::one_line(first.trim()), WIDTH)));
            }
        }
        self.rest("  ", failed.len(), TESTS);
    }

    fn test_changes(&mut self, record: &Record, verbose: bool) {
        let lists = lists(record);
        if lists.is_empty() {
            return;
        }
        self.heading("test changes");
        let Palette { doubt, dim, .. } = self.palette;
        let (news, listed): (Vec<_>, Vec<_>) = lists.iter().partition(|list| list.weight == Weight::News && !verbose);
        let most = if verbose { TESTS } else { CHANGES };
        for list in listed {
            let style = if list.weight == Weight::Urgent { doubt } else { anstyle::Style::new() };
            self.line(&format!("  {style}{}: {}{style:#}  {dim}{}{dim:#}", list.title, list.rows.len(), list.doc));
            for row in list.rows.iter().take(most) {
                let short = |words: &str| text::shorten(&text::one_line(words), WIDTH);
                let file = row.file().map(|file| format!("  ({})", short(file))).unwrap_or_default();
                let note = if row.note.is_empty() { String::new() } else { format!(": {}", short(&row.note)) };
                self.line(&format!("    {}{file}{note}", short(&row.name())));
            }
            self.rest("    ", list.rows.len(), most);
        }
        for list in news {
            self.line(&format!("  {dim}{}: {}{dim:#}", list.title, list.rows.len()));
        }
    }

    fn score(&mut self, record: &Record) {
        let Some(score) = &record.score else { return };
        self.heading("score");
        let word = self.palette.rule(score.verdict());
        self.line(&format!("  {word}  {}", text::one_line(&score.message())));
        let parts = score::parts(score);
        let shown = &parts[..parts.len().min(GROUPS)];
        let width = |of: &dyn Fn(&score::Part<'_>) -> usize| shown.iter().map(of).max().unwrap_or(0);
        let group = width(&|part| text::one_line(part.group).chars().count());
        let passed = width(&|part| part.passed.chars().count());
        let (weight, points) = (width(&|part| part.weight.len()), width(&|part| part.points.len()));
        for part in shown {
            let name = text::one_line(part.group);
            self.line(&format!(
                "         {name:<group$}  passed {:<passed$}  weight {:>weight$}  points {:>points$}",
                part.passed, part.weight, part.points
            ));
        }
        self.rest("         ", parts.len(), GROUPS);
    }

    fn rest(&mut self, indent: &str, all: usize, shown: usize) {
        if all > shown {
            let dim = self.palette.dim;
            self.line(&format!("{indent}{dim}… and {} more, all of them in the report{dim:#}", all - shown));
        }
    }

    fn rules(&mut self, record: &Record, verbose: bool) {
        let Some(gate) = &record.gate else { return };
        let quiet = |rule: &RuleResult| {
            rule.scope.is_some() && matches!(rule.verdict, RuleVerdict::Pass | RuleVerdict::NotApplicable)
        };
        let asked = record.rules.iter().filter(|rule| verbose || rule.verdict != RuleVerdict::NotAsked);
        let (many, shown): (Vec<_>, Vec<_>) = asked.partition(|rule| !verbose && quiet(rule));
        // A few parts that hold are worth a line each; thousands are worth a number.
        let (few, many) = many.split_at(many.len().min(PARTS));
        let shown: Vec<_> = shown.into_iter().chain(few.iter().copied()).collect();
        self.heading(&format!("rules (gate {gate})"));
        if let Some(baseline) = &record.baseline {
            let dim = self.palette.dim;
            self.line(&format!("  {dim}compared with {}{dim:#}", text::one_line(&compare::baseline(baseline))));
        }
        let names = |rule: &RuleResult| advice::of_scope(&rule.metric, rule.scope.as_deref());
        let changes = |rule: &RuleResult| compare::difference(rule).unwrap_or_default();
        let width =
            |of: &dyn Fn(&RuleResult) -> String| shown.iter().map(|rule| of(rule).chars().count()).max().unwrap_or(0);
        let (name, value, change) = (width(&names), width(&RuleResult::shown_value), width(&changes));
        let limit = width(&|rule| rule.limit.clone());
        for rule in &shown {
            let (word, dim) = (self.palette.rule(rule.verdict), self.palette.dim);
            let source = match rule.verdict {
                // The value says so already.
                _ if rule.message == NOT_MEASURED => String::new(),
                RuleVerdict::Warn | RuleVerdict::NotApplicable | RuleVerdict::Inconclusive => {
                    text::one_line(&rule.message)
                }
                RuleVerdict::Pass if rule.message.ends_with(LEFT_OUT) => text::one_line(&rule.message),
                _ => rule.source.as_deref().map(text::one_line).unwrap_or_default(),
            };
            let gap = if change > 0 { "  " } else { "" };
            self.line(&format!(
                "  {word}  {:<name$}  {:>value$}{gap}{:>change$}  {:<limit$}  {dim}{source}{dim:#}",
                names(rule),
                rule.shown_value(),
                changes(rule),
                rule.limit
            ));
        }
        if !many.is_empty() {
            let dim = self.palette.dim;
            let held = many.iter().filter(|rule| rule.verdict == RuleVerdict::Pass).count();
            let beside = advice::not_applicable((many.len() - held) as u64);
            self.line(&format!("  {dim}… and {held} more parts of the project that hold theirs{beside}{dim:#}"));
        }
        let asked_not = record.rules.iter().filter(|rule| !verbose && rule.verdict == RuleVerdict::NotAsked).count();
        if asked_not > 0 {
            let dim = self.palette.dim;
            self.line(&format!(
                "  {dim}{} not asked: no selected check measures them{dim:#}",
                text::plural(asked_not as u64, "rule", "rules")
            ));
        }
    }

    fn patch(&mut self, record: &Record) {
        let Some(patch) = &record.patch else { return };
        // Lines that did not run before either are worth a word only to those who have a rule about them.
        let touched = record.rules.iter().any(|rule| rule.metric == metric::TOUCHED);
        let is_open = |file: &&PatchFile| {
            let lines = [&file.uncovered, &file.lost].into_iter().chain(touched.then_some(&file.touched));
            file.vanished > 0 || lines.into_iter().any(|lines| !lines.is_empty())
        };
        let open: Vec<_> = patch.files.iter().filter(is_open).collect();
        if open.is_empty() && patch.unmeasured.is_empty() {
            return;
        }
        self.heading("changed lines that did not run");
        let dim = self.palette.dim;
        self.line(&format!("  {dim}since {}{dim:#}", text::one_line(&patch.between)));
        for file in open.iter().take(FILES) {
            let mut said = Vec::new();
            let touched = touched.then_some((&file.touched, "changed, did not run before either"));
            let kinds = [(&file.uncovered, "changed"), (&file.lost, "ran in the baseline")].into_iter().chain(touched);
            for (lines, what) in kinds {
                if !lines.is_empty() {
                    said.push(format!("{} ({what})", text::shorten(&lines.to_string(), RANGES)));
                }
            }
            if file.vanished > 0 {
                let lines = text::plural(file.vanished, "line", "lines");
                said.push(format!("{lines} that ran in the baseline, and no report mentions the file now"));
            }
            self.line(&format!("  {}: {}", text::one_line(&file.path), said.join("; ")));
        }
        self.rest("  ", open.len(), FILES);
        for path in patch.unmeasured.iter().take(FILES) {
            self.line(&format!("  {}: changed, and no coverage report mentions it", text::one_line(path)));
        }
        self.rest("  ", patch.unmeasured.len(), FILES);
    }

    fn problems(&mut self, record: &Record, verbose: bool) {
        let shown: Vec<_> = record.problems.iter().filter(|problem| verbose || problem.level != Level::Note).collect();
        if !shown.is_empty() {
            self.heading("problems");
        }
        for problem in shown.iter().take(PROBLEMS) {
            let (word, style) = match problem.level {
                Level::Loss => ("loss", self.palette.doubt),
                Level::Warning => ("warn", self.palette.doubt),
                Level::Note => ("note", self.palette.dim),
            };
            let place = match (&problem.file, problem.line) {
                (Some(file), Some(line)) => format!("{}:{line}: ", text::one_line(file)),
                (Some(file), None) => format!("{}: ", text::one_line(file)),
                _ => String::new(),
            };
            let dim = self.palette.dim;
            self.line(&format!(
                "  {style}{word:<5}{style:#}  {place}{}  {dim}[{}]{dim:#}",
                text::one_line(&problem.message),
                problem.code
            ));
            if let Some(hint) = &problem.hint {
                self.line(&format!("         help: {}", text::one_line(hint)));
            }
        }
        self.rest("  ", shown.len(), PROBLEMS);
    }

    fn ending(&mut self, record: &Record) {
        self.line("");
        let verdict = self.palette.verdict(record.verdict);
        let time = text::duration(std::time::Duration::from_millis(record.duration_ms));
        self.line(&format!("{verdict}  {} ({time})", advice::summary(record)));
        let steps = advice::steps(record);
        for step in steps.iter().take(STEPS) {
            let command =
                step.command.as_deref().map(|command| format!("  →  {}", text::one_line(command))).unwrap_or_default();
            self.line(&format!("next: {}{command}", text::one_line(&step.what)));
        }
        self.rest("      ", steps.len(), STEPS);
    }
}

/// `main @ 1a2b3c4d5e (dirty)`.
fn place(record: &Record) -> String {
    let project = &record.project;
    let commit = project.commit.as_deref().map(|commit| text::shorten_plain(commit, 10));
    let branch = project.branch.as_deref().map(text::one_line);
    let place = match (branch, commit) {
        (Some(branch), Some(commit)) => format!("{branch} @ {commit}"),
        (None, Some(commit)) => format!("@ {commit}"),
        (Some(branch), None) => format!("{branch}, no commit yet"),
        (None, None) => "not in a git repository".to_owned(),
    };
    if project.dirty == Some(true) { format!("{place} (dirty)") } else { place }
}
