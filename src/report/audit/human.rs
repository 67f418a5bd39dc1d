//! The audit for a terminal. Readable without colour.

use super::{about, headline, legend, numbers, place, remarkable, schedule, sentence, strip, word};
use crate::gate::RuleVerdict;
use crate::report::terminal::{Options, Palette, Writer};
use crate::retrain::Audit;
use crate::retrain::remedy::Outcome;
use crate::retrain::slot::{Class, State};
use crate::sys::{clock, text};

/// Slots told one by one.
const SLOTS: usize = 20;
/// Problems told.
const PROBLEMS: usize = 30;
/// Lines of a log.
const TAIL: usize = 20;
/// Characters of a sentence.
const WIDTH: usize = 300;

pub(super) fn render(audit: &Audit, options: Options) -> String {
    let mut out = Writer::new(options);
    let Palette { strong, dim, .. } = out.palette;
    let name = format!("{} in {}", text::one_line(&audit.workflow), text::one_line(&audit.repository));
    out.line(&format!("{strong}audit retrain {name}{strong:#}  {dim}as of {}{dim:#}", clock::minute(audit.as_of)));
    out.line(&format!("  {dim}{}{dim:#}", text::one_line(&schedule(audit))));
    out.strip(audit);
    let all = remarkable(audit);
    let slots = if options.verbose { all.as_slice() } else { &all[..all.len().min(SLOTS)] };
    if !slots.is_empty() {
        out.heading("slots");
    }
    for slot in slots {
        let style = out.style(slot.state);
        let run = slot.run_id.map(|run| format!("run {run}")).unwrap_or_default();
        let about = short(&about(slot));
        let (when, word) = (clock::minute(slot.expected_at), slot.state.word());
        out.line(&format!("  {when}  {style}{word:<19}{style:#}  {run:<15}  {about}"));
    }
    out.more(all.len(), slots.len());
    out.failure(audit);
    out.champion(audit);
    out.heading("history");
    for line in numbers(audit) {
        out.line(&format!("  {}", short(&line)));
    }
    out.findings(audit);
    out.remedies(audit);
    out.line("");
    let verdict = out.palette.verdict(audit.verdict);
    out.line(&format!("{verdict}  {}", headline(audit)));
    out.text
}

fn short(words: &str) -> String {
    text::shorten(&text::one_line(words), WIDTH)
}

impl Writer {
    fn more(&mut self, all: usize, shown: usize) {
        if all > shown {
            let dim = self.palette.dim;
            self.line(&format!("  {dim}… and {} more, all of them in --format json{dim:#}", all - shown));
        }
    }

    fn style(&self, state: State) -> anstyle::Style {
        match state.class() {
            Class::Kept => self.palette.good,
            Class::Late | Class::Unknown => self.palette.doubt,
            Class::Faded | Class::Open => self.palette.dim,
            Class::Bad => self.palette.bad,
        }
    }

    fn strip(&mut self, audit: &Audit) {
        let (lines, left) = strip::strip(&audit.slots);
        if lines.is_empty() {
            return;
        }
        self.line("");
        let dim = self.palette.dim;
        if left > 0 {
            let left = text::plural(left as u64, "older slot", "older slots");
            self.line(&format!("  {dim}{left} not shown, all of them in --format json{dim:#}"));
        }
        let share = lines.iter().map(|line| line.share).max().unwrap_or(1);
        for line in &lines {
            let signs: String = line
                .states
                .iter()
                .map(|state| {
                    let style = self.style(*state);
                    format!("{style}{}{style:#}", state.row().sign)
                })
                .collect();
            self.line(&format!("  {:<10}  {signs}", line.label));
        }
        let legend: Vec<_> = legend(&audit.slots).iter().map(|row| format!("{} {}", row.sign, row.word)).collect();
        let worst = if share > 1 { format!("; a sign is the worst of up to {share} slots") } else { String::new() };
        self.line(&format!("  {dim}{}{worst}{dim:#}", legend.join("  ")));
    }

    /// The end of the log of what failed in the slot that decides.
    fn failure(&mut self, audit: &Audit) {
        let slot = audit.slots.iter().find(|slot| Some(slot.expected_at) == audit.decided_by);
        let Some(failure) = slot.and_then(|slot| slot.failure.as_ref()) else { return };
        let Some(tail) = &failure.tail else { return };
        let plain = text::plain_lines(tail);
        let lines: Vec<_> = plain.lines().collect();
        let from = lines.len().saturating_sub(TAIL);
        let left = if from > 0 { format!(" (last {TAIL} lines, after {from})") } else { String::new() };
        self.heading(&format!("log of {}{left}", short(&failure.job)));
        let dim = self.palette.dim;
        for line in &lines[from..] {
            self.line(&format!("  {dim}|{dim:#} {line}"));
        }
    }

    fn champion(&mut self, audit: &Audit) {
        if audit.champion.is_empty() {
            return;
        }
        self.heading("new model");
        for one in &audit.champion {
            let (word, style) = match one.verdict {
                RuleVerdict::Fail => ("FAIL", self.palette.bad),
                RuleVerdict::Inconclusive => ("?", self.palette.doubt),
                RuleVerdict::Warn => ("warn", self.palette.doubt),
                _ => ("pass", self.palette.good),
            };
            let (name, told) = (short(&one.metric), short(&one.message));
            self.line(&format!("  {style}{word:<5}{style:#}  {name}  {told}  ({})", one.limit));
        }
    }

    fn findings(&mut self, audit: &Audit) {
        if !audit.problems.is_empty() || !audit.notes.is_empty() {
            self.heading("problems");
        }
        for problem in audit.problems.iter().take(PROBLEMS) {
            let style = match problem.level {
                RuleVerdict::Fail => self.palette.bad,
                RuleVerdict::Inconclusive | RuleVerdict::Warn => self.palette.doubt,
                _ => self.palette.dim,
            };
            let (word, dim) = (word(problem), self.palette.dim);
            let place = place(problem).map(|place| format!("{place}: ")).unwrap_or_default();
            let (message, code) = (short(&problem.message), problem.code);
            self.line(&format!("  {style}{word:<5}{style:#}  {place}{message}  {dim}[{code}]{dim:#}"));
            if let Some(hint) = &problem.hint {
                self.line(&format!("         help: {}", short(hint)));
            }
        }
        self.more(audit.problems.len(), audit.problems.len().min(PROBLEMS));
        for note in &audit.notes {
            let dim = self.palette.dim;
            self.line(&format!("  {dim}note   {}{dim:#}", short(note)));
        }
    }

    fn remedies(&mut self, audit: &Audit) {
        if !audit.remedies.is_empty() {
            self.heading("done about it");
        }
        for one in audit.remedies.iter().rev() {
            let style = match one.outcome {
                Outcome::Verified => self.palette.good,
                Outcome::Failed => self.palette.bad,
                Outcome::Planned | Outcome::Withheld => self.palette.dim,
                Outcome::Begun | Outcome::Unverified => self.palette.doubt,
            };
            let (at, word, action) = (clock::minute(one.at), one.outcome.word(), one.action.word());
            self.line(&format!("  {at}  {style}{word:<10}{style:#}  {action:<15}  {}", short(&sentence(one))));
        }
    }
}
