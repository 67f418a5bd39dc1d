//! A report in pieces, each of which knows how useful it is, and the choice of pieces that fit a receiver's limit.
//!
//! A piece is whole Markdown: a row of a table, an item of a list, a fenced block. Leaving pieces out therefore never
//! leaves a fence, a table or a fold open. Deliberately absent: cutting text that is already written.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::around::Link;
use crate::sys::text;

/// What a piece is about. The order is the order in which pieces get their place, the most useful first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The verdict, what it was compared with, and what a reader must know before it.
    Verdict,
    /// A thing to do.
    Step,
    /// A change of the policy.
    Policy,
    /// A rule that does not hold.
    FailedRule,
    /// A rule that could not be judged.
    OpenRule,
    /// A check that did not pass.
    FailedCheck,
    /// The name of a failed test.
    FailedTest,
    /// A loss of evidence.
    Loss,
    /// A rule that holds with a warning.
    WarnedRule,
    /// What a failed test said.
    Message,
    /// A changed file with lines to look at.
    OpenFile,
    /// A test that somebody should look at now.
    UrgentTest,
    /// What a check printed that did not pass.
    Output,
    /// A check that passed.
    PassedCheck,
    /// A problem that is no loss.
    Problem,
    /// A rule that holds.
    PassedRule,
    /// A rule with nothing to judge.
    IdleRule,
    /// The trace of a failed test.
    Trace,
    /// A test that nobody should forget.
    KnownTest,
    /// A changed file of which every line ran.
    CoveredFile,
    /// A part of the score.
    Score,
    /// A number.
    Measurement,
    /// A test that changed for the better, or is new.
    TestNews,
    /// A slow test.
    SlowTest,
    /// A number over runs.
    Trend,
    /// Rules that nobody asked about.
    NotAsked,
}

impl Kind {
    /// What one of it, and several, are called.
    fn nouns(self) -> (&'static str, &'static str) {
        match self {
            Self::Verdict => ("part of the head", "parts of the head"),
            Self::Step => ("step", "steps"),
            Self::Policy => ("change of the policy", "changes of the policy"),
            Self::FailedRule => ("rule that fails", "rules that fail"),
            Self::OpenRule => ("rule that could not be judged", "rules that could not be judged"),
            Self::FailedCheck => ("check that did not pass", "checks that did not pass"),
            Self::FailedTest => ("failed test", "failed tests"),
            Self::Loss => ("loss of evidence", "losses of evidence"),
            Self::WarnedRule => ("rule that warns", "rules that warn"),
            Self::Message => ("message of a failed test", "messages of failed tests"),
            Self::OpenFile => ("changed file to look at", "changed files to look at"),
            Self::UrgentTest => ("test that changed", "tests that changed"),
            Self::Output => ("output of a check", "outputs of checks"),
            Self::PassedCheck => ("other check", "other checks"),
            Self::Problem => ("other problem", "other problems"),
            Self::PassedRule => ("rule that holds", "rules that hold"),
            Self::IdleRule => ("rule that is not applicable", "rules that are not applicable"),
            Self::Trace => ("trace", "traces"),
            Self::KnownTest => ("test to remember", "tests to remember"),
            Self::CoveredFile => ("changed file that ran", "changed files that ran"),
            Self::Score => ("part of the score", "parts of the score"),
            Self::Measurement => ("measurement", "measurements"),
            Self::TestNews => ("new or mended test", "new or mended tests"),
            Self::SlowTest => ("slow test", "slow tests"),
            Self::Trend => ("trend", "trends"),
            Self::NotAsked => ("list of rules not asked", "lists of rules not asked"),
        }
    }

    /// Whether it tells what is wrong.
    fn is_wrong(self) -> bool {
        self <= Self::Output
    }

    /// Whether the same commit, looked at again, would say it in other words.
    fn is_volatile(self) -> bool {
        matches!(self, Self::Step | Self::Output | Self::Trace | Self::SlowTest | Self::Trend)
    }
}

/// How many pieces of each kind.
type Counts = BTreeMap<Kind, usize>;

/// A piece.
pub(super) struct Piece {
    kind: Kind,
    text: String,
}

impl Piece {
    pub(super) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

/// How a block says that there is more of it than it shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// As a paragraph behind a table.
    Paragraph,
    /// As the last item of a list.
    Item,
    /// As the last item of a list in a quotation.
    Quoted,
    /// As the last of several numbered steps, which the rest of the report tells anyway.
    Step,
}

/// A part of the report with a frame around its rows.
pub(super) struct Block {
    /// Before the first row.
    open: String,
    /// Rows. The first piece of each is the row, the next ones add to the one before.
    rows: Vec<Vec<Piece>>,
    /// Rows that are never shown.
    more: Counts,
    rest: Rest,
    /// Behind the last row, and behind what is said of those left out.
    close: String,
}

impl Block {
    pub(super) fn new(open: impl Into<String>, rest: Rest, close: impl Into<String>) -> Self {
        Self { open: open.into(), rows: Vec::new(), more: Counts::new(), rest, close: close.into() }
    }

    /// A block of one piece.
    pub(super) fn single(kind: Kind, text: impl Into<String>) -> Self {
        let mut block = Self::new("", Rest::Paragraph, "");
        block.row(Piece::new(kind, text));
        block
    }

    /// Adds a row.
    pub(super) fn row(&mut self, piece: Piece) {
        self.rows.push(vec![piece]);
    }

    /// Adds a row of several pieces, the most useful first.
    pub(super) fn rows_of(&mut self, pieces: Vec<Piece>) {
        self.rows.push(pieces);
    }

    /// Counts rows that are not shown at all.
    pub(super) fn more(&mut self, kind: Kind, count: usize) {
        if count > 0 {
            *self.more.entry(kind).or_default() += count;
        }
    }

    fn rest_line(&self, left: &Counts) -> String {
        if left.is_empty() {
            return String::new();
        }
        let told = match self.rest {
            Rest::Step => format!("{} more, in the sections below", left.values().sum::<usize>()),
            _ => {
                let parts: Vec<_> = left.iter().map(|(kind, count)| counted(*kind, *count, " more")).collect();
                format!("{}; the record of this run has them all", text::list(&parts))
            }
        };
        match self.rest {
            Rest::Paragraph => format!("\n… and {told}.\n"),
            Rest::Item => format!("- … and {told}.\n"),
            Rest::Quoted => format!("> - … and {told}.\n"),
            Rest::Step => format!("1. … and {told}.\n"),
        }
    }

    /// The block with the first so many pieces of each row.
    fn write(&self, out: &mut String, shown: &[usize]) {
        let mut left = self.more.clone();
        out.push_str(&self.open);
        for (row, shown) in self.rows.iter().zip(shown) {
            row[..*shown].iter().for_each(|piece| out.push_str(&piece.text));
            if let (0, Some(first)) = (*shown, row.first()) {
                *left.entry(first.kind).or_default() += 1;
            }
        }
        out.push_str(&self.rest_line(&left));
        out.push_str(&self.close);
    }

    /// What the block costs beside its rows: the frame, and the longest thing it can say of what was left out.
    fn frame(&self) -> usize {
        let mut all = self.more.clone();
        for first in self.rows.iter().filter_map(|row| row.first()) {
            *all.entry(first.kind).or_default() += 1;
        }
        self.open.len() + self.rest_line(&all).len() + self.close.len()
    }
}

/// The report.
#[derive(Default)]
pub(super) struct Document {
    blocks: Vec<Block>,
}

impl Document {
    pub(super) fn push(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// All of it.
    pub(super) fn whole(&self) -> String {
        self.with(|_| true)
    }

    /// Only what the same commit, looked at again, would say in the same words.
    pub(super) fn steady(&self) -> String {
        self.with(|kind| !kind.is_volatile())
    }

    fn with(&self, wanted: impl Fn(Kind) -> bool) -> String {
        let mut out = String::new();
        for block in &self.blocks {
            let shown: Vec<_> =
                block.rows.iter().map(|row| row.iter().take_while(|piece| wanted(piece.kind)).count()).collect();
            if shown.iter().any(|shown| *shown > 0) {
                block.write(&mut out, &shown);
            }
        }
        out
    }

    /// The most useful pieces that fit into `budget` bytes, in the order of the report, and what was left out.
    ///
    /// Pieces get their place by kind, then in their order. Of what is wrong, each kind leaves a little room to those
    /// behind it, so that ten thousand rules that fail do not hide that a test does; what is free in the end goes to
    /// whatever still fits.
    pub(super) fn fitted(&self, budget: usize, links: &[Link]) -> String {
        let room = budget.saturating_sub(footer(&self.counts(), links).len());
        let mut order: Vec<(Kind, usize, usize, usize)> = Vec::new();
        for (at, block) in self.blocks.iter().enumerate() {
            for (row, pieces) in block.rows.iter().enumerate() {
                order.extend(pieces.iter().enumerate().map(|(piece, it)| (it.kind, at, row, piece)));
            }
        }
        order.sort_unstable();
        let frames: Vec<_> = self.blocks.iter().map(Block::frame).collect();
        let wanted = self.wanted(&order, &frames, room / 16);
        let mut shown: Vec<Vec<usize>> = self.blocks.iter().map(|block| vec![0; block.rows.len()]).collect();
        let mut is_open = vec![false; self.blocks.len()];
        let mut used = 0;
        for is_last in [false, true] {
            for &(kind, at, row, piece) in &order {
                if shown[at][row] != piece || !(is_last || kind.is_wrong()) {
                    continue;
                }
                let reserved: usize = match is_last || kind == Kind::Verdict {
                    true => 0,
                    false => wanted.range((Bound::Excluded(kind), Bound::Unbounded)).map(|(_, bytes)| bytes).sum(),
                };
                let frame = if is_open[at] { 0 } else { frames[at] };
                let cost = frame + self.blocks[at].rows[row][piece].text.len();
                if used + cost + reserved <= room {
                    used += cost;
                    is_open[at] = true;
                    shown[at][row] += 1;
                }
            }
        }
        let mut out = String::new();
        for ((block, shown), _) in self.blocks.iter().zip(&shown).zip(&is_open).filter(|(_, is_open)| **is_open) {
            block.write(&mut out, shown);
        }
        out.push_str(&footer(&self.left_out(&shown), links));
        out
    }

    /// What each kind that tells what is wrong would take, as far as others leave room to it.
    fn wanted(&self, order: &[(Kind, usize, usize, usize)], frames: &[usize], share: usize) -> BTreeMap<Kind, usize> {
        let mut wanted = BTreeMap::new();
        let mut last = None;
        for &(kind, at, row, piece) in order.iter().filter(|(kind, ..)| kind.is_wrong()) {
            let frame = if last == Some((kind, at)) { 0 } else { frames[at] };
            let sum: &mut usize = wanted.entry(kind).or_default();
            *sum = (*sum + frame + self.blocks[at].rows[row][piece].text.len()).min(share);
            last = Some((kind, at));
        }
        wanted
    }

    /// Every piece, those never shown included.
    fn counts(&self) -> Counts {
        let none: Vec<Vec<usize>> = self.blocks.iter().map(|block| vec![0; block.rows.len()]).collect();
        self.left_out(&none)
    }

    fn left_out(&self, shown: &[Vec<usize>]) -> Counts {
        let mut left = Counts::new();
        for (block, shown) in self.blocks.iter().zip(shown) {
            for (kind, count) in &block.more {
                *left.entry(*kind).or_default() += count;
            }
            for (row, shown) in block.rows.iter().zip(shown) {
                row[*shown..].iter().for_each(|piece| *left.entry(piece.kind).or_default() += 1);
            }
        }
        left
    }
}

fn counted(kind: Kind, count: usize, more: &str) -> String {
    let (one, many) = kind.nouns();
    format!("{count}{more} {}", if count == 1 { one } else { many })
}

/// What was left out, and where all of it is.
fn footer(left: &Counts, links: &[Link]) -> String {
    if left.is_empty() {
        return String::new();
    }
    let parts: Vec<_> = left.iter().map(|(kind, count)| counted(*kind, *count, "")).collect();
    let links: Vec<_> = links.iter().map(Link::markdown).collect();
    let place = match links.is_empty() {
        true => "The record of this run has all of it.".to_owned(),
        false => format!("All of it: {}.", links.join(", ")),
    };
    format!("\n**Left out here for want of room:** {}. {place}\n", text::list(&parts))
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn sample() -> Document {
        let mut document = Document::default();
        document.push(Block::single(Kind::Verdict, "# fail\n\n"));
        let mut rules = Block::new("| rule |\n|---|\n", Rest::Paragraph, "\n");
        for rule in 0..50 {
            let kind = if rule % 2 == 0 { Kind::PassedRule } else { Kind::FailedRule };
            rules.row(Piece::new(kind, format!("| {rule:02} |\n")));
        }
        document.push(rules);
        let mut tests = Block::new("<details><summary>Tests</summary>\n\n", Rest::Item, "\n</details>\n");
        for test in 0..40 {
            let trace = Piece::new(Kind::Trace, format!("\n  ```\n  {}\n  ```\n", "x".repeat(test)));
            tests.rows_of(vec![Piece::new(Kind::FailedTest, format!("- {test}\n")), trace]);
        }
        tests.more(Kind::FailedTest, 7);
        document.push(tests);
        document
    }

    #[test]
    fn what_fits_is_within_the_budget_and_the_least_useful_goes_first() {
        let document = sample();
        let whole = document.whole();
        assert!(whole.contains("- … and 7 more failed tests; the record of this run has them all."), "{whole}");
        assert!(!whole.contains("Left out"));
        let (mut before, mut smallest) = (usize::MAX, String::new());
        for budget in (300..whole.len() + 400).rev() {
            let fitted = document.fitted(budget, &[]);
            assert!(fitted.len() <= budget, "{} of {budget}", fitted.len());
            assert!(fitted.starts_with("# fail\n"), "{budget}: {fitted}");
            assert_eq!(fitted.matches("<details>").count(), fitted.matches("</details>").count());
            assert_eq!(fitted.matches("```").count() % 2, 0);
            let failing = (1..50).step_by(2).filter(|rule| fitted.contains(&format!("| {rule:02} |"))).count();
            let holding = (0..50).step_by(2).filter(|rule| fitted.contains(&format!("| {rule:02} |"))).count();
            assert!(holding == 0 || failing == 25, "{budget}: {holding} that hold, {failing} that fail\n{fitted}");
            assert!(fitted.len() <= before.saturating_add(200));
            (before, smallest) = (fitted.len(), fitted);
        }
        insta::assert_snapshot!(smallest, @r"
        # fail


        **Left out here for want of room:** 25 rules that fail, 47 failed tests, 25 rules that hold and 40 traces. The record of this run has all of it.
        ");
    }

    #[test]
    fn one_kind_alone_does_not_hide_all_others() {
        let mut document = sample();
        let mut flood = Block::new("", Rest::Item, "");
        (0..10_000).for_each(|step| flood.row(Piece::new(Kind::Step, format!("- {step}\n"))));
        document.push(flood);
        let fitted = document.fitted(4_000, &[]);
        assert!(fitted.contains("| 01 |") && fitted.contains("\n- 0\n"), "{fitted}");
        assert!(fitted.len() > 3_800, "{}", fitted.len());
    }
}
