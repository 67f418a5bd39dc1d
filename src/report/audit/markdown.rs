//! The audit as Markdown: for job summaries and for the issue that stands as long as the schedule is bad.

use super::{about, headline, legend, numbers, place, remarkable, schedule, sentence, strip};
use crate::gate::{RuleVerdict, Verdict};
use crate::report::markdown::{cell_code, fence, html, prose};
use crate::retrain::Audit;
use crate::retrain::slot::Slot;
use crate::sys::{clock, text};

/// Characters of a sentence from outside.
const SENTENCE: usize = 500;

/// How much of each part there is room for.
#[derive(Clone, Copy)]
struct Room {
    slots: usize,
    problems: usize,
    lines: usize,
    tail: usize,
}

/// From the most to the least.
const ROOMS: [Room; 4] = [
    Room { slots: 200, problems: 100, lines: 100, tail: 100 },
    Room { slots: 50, problems: 30, lines: 60, tail: 40 },
    Room { slots: 10, problems: 10, lines: 14, tail: 15 },
    Room { slots: 1, problems: 1, lines: 1, tail: 0 },
];

pub(super) fn render(audit: &Audit) -> String {
    within(audit, ROOMS[0])
}

/// The report for a receiver that takes at most `budget` bytes, 8 KiB at least: as much of it as fits, and how much
/// more there is.
#[must_use]
pub fn fitted(audit: &Audit, budget: usize) -> String {
    let all = ROOMS.iter().map(|room| within(audit, *room));
    let mut last = String::new();
    for text in all {
        if text.len() <= budget {
            return text;
        }
        last = text;
    }
    last
}

fn within(audit: &Audit, room: Room) -> String {
    let sign = match audit.verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::Inconclusive | Verdict::Interrupted => "❔",
    };
    let verdict = audit.verdict.word();
    let mut out = format!(
        "## {sign} {}: {verdict}\n\n{}.\n",
        cell_code(&short(&audit.workflow)),
        prose(&text::capitalised(&headline(audit)))
    );
    problems(&mut out, audit, room);
    remedies(&mut out, audit, room);
    calendar(&mut out, audit, room);
    slots(&mut out, audit, room);
    failure(&mut out, audit, room);
    champion(&mut out, audit);
    out.push_str("\n### History\n\n");
    for line in numbers(audit) {
        out.push_str(&format!("- {}\n", prose(&line)));
    }
    for note in &audit.notes {
        out.push_str(&format!("- Note: {}\n", prose(&short(note))));
    }
    let as_of = clock::minute(audit.as_of);
    let repository = cell_code(&short(&audit.repository));
    out.push_str(&format!("\n<sub>{repository}, schedule {}, as of {as_of}.</sub>\n", prose(&short(&schedule(audit)))));
    out
}

fn short(words: &str) -> String {
    text::shorten(words, SENTENCE)
}

fn more(out: &mut String, all: usize, shown: usize) {
    if all > shown {
        out.push_str(&format!("\n… and {} more, all of them in the JSON of this audit.\n", all - shown));
    }
}

fn problems(out: &mut String, audit: &Audit, room: Room) {
    if audit.problems.is_empty() {
        return;
    }
    out.push_str("\n### What is wrong\n\n");
    for problem in audit.problems.iter().take(room.problems) {
        let word = match problem.level {
            RuleVerdict::Fail => "❌",
            RuleVerdict::Inconclusive => "❔",
            _ => "⚠️",
        };
        let place = place(problem).map(|place| format!("{}: ", cell_code(&short(&place)))).unwrap_or_default();
        let hint = problem.hint.as_deref().map(|hint| format!(" → {}", prose(&short(hint)))).unwrap_or_default();
        out.push_str(&format!("- {word} {place}{}{hint}\n", prose(&short(&problem.message))));
    }
    more(out, audit.problems.len(), audit.problems.len().min(room.problems));
}

fn remedies(out: &mut String, audit: &Audit, room: Room) {
    if audit.remedies.is_empty() {
        return;
    }
    out.push_str("\n### What was done about it\n\n");
    for one in audit.remedies.iter().rev().take(room.problems) {
        let (at, word) = (clock::minute(one.at), one.action.word());
        out.push_str(&format!("- {at} `{word}`: {}\n", prose(&short(&sentence(one)))));
    }
    more(out, audit.remedies.len(), audit.remedies.len().min(room.problems));
}

fn calendar(out: &mut String, audit: &Audit, room: Room) {
    let (lines, left) = strip::strip(&audit.slots);
    if lines.is_empty() {
        return;
    }
    let shown = &lines[lines.len().saturating_sub(room.lines)..];
    let hidden: usize = lines[..lines.len() - shown.len()].iter().map(|line| line.states.len() * line.share).sum();
    let strip: String = shown.iter().map(|line| format!("{:<10}  {}\n", line.label, line.signs())).collect();
    let legend: Vec<_> = legend(&audit.slots).iter().map(|row| format!("`{}` {}", row.sign, row.word)).collect();
    out.push_str(&format!("\n### Slots\n\n{}\n{}", fence(&strip, "text"), legend.join(" · ")));
    let share = lines.iter().map(|line| line.share).max().unwrap_or(1);
    if share > 1 {
        out.push_str(&format!(" · a sign is the worst of up to {share} slots"));
    }
    out.push('\n');
    if left + hidden > 0 {
        out.push_str("\nOlder slots are not shown; all of them are in the JSON of this audit.\n");
    }
}

fn slots(out: &mut String, audit: &Audit, room: Room) {
    let all = remarkable(audit);
    if all.is_empty() {
        return;
    }
    out.push_str("\n| slot | state | run | |\n|---|---|---|---|\n");
    for slot in all.iter().take(room.slots) {
        let (when, word) = (clock::minute(slot.expected_at), slot.state.word());
        out.push_str(&format!("| {when} | {word} | {} | {} |\n", run(slot), prose(&short(&about(slot)))));
    }
    more(out, all.len(), all.len().min(room.slots));
}

/// A run's number, as a link where its address is one of a run.
fn run(slot: &Slot) -> String {
    let Some(id) = slot.run_id else { return String::new() };
    let is_plain = |url: &&str| {
        url.starts_with("https://") && url.chars().all(|ch| ch.is_ascii_alphanumeric() || "-._~:/".contains(ch))
    };
    match slot.url.as_deref().filter(is_plain) {
        Some(url) => format!("[{id}]({url})"),
        None => id.to_string(),
    }
}

fn failure(out: &mut String, audit: &Audit, room: Room) {
    let slot = audit.slots.iter().find(|slot| Some(slot.expected_at) == audit.decided_by);
    let Some(failure) = slot.and_then(|slot| slot.failure.as_ref()) else { return };
    let Some(tail) = failure.tail.as_deref().filter(|_| room.tail > 0) else { return };
    let plain = text::plain_lines(tail);
    let lines: Vec<_> = plain.lines().map(|line| text::shorten(line, SENTENCE)).collect();
    let from = lines.len().saturating_sub(room.tail);
    let left = if from > 0 { format!(", after {from} lines") } else { String::new() };
    let job = html(&short(&failure.job));
    let log = fence(&lines[from..].join("\n"), "text");
    out.push_str(&format!("\n<details><summary>The end of the log of {job}{left}</summary>\n\n{log}\n</details>\n"));
}

fn champion(out: &mut String, audit: &Audit) {
    if audit.champion.is_empty() {
        return;
    }
    out.push_str("\n### The new model\n\n| metric | limit | value | champion | |\n|---|---|---:|---:|---|\n");
    let number = |value: Option<f64>| value.map(text::number).unwrap_or_default();
    for one in &audit.champion {
        let name = cell_code(&short(&one.metric));
        let (value, champion) = (number(one.value), number(one.champion));
        let told = prose(&short(&one.message));
        out.push_str(&format!("| {name} | {} | {value} | {champion} | {}: {told} |\n", one.limit, one.verdict.word()));
    }
}
