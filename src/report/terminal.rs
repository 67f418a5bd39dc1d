//! What reports for a terminal are written with: colours, lines and headings.

use anstyle::{AnsiColor, Style};

use crate::check::outcome::{Skip, Status};
use crate::gate::{RuleVerdict, Verdict};

/// How a form is to be written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether colour sequences may be used.
    pub colour: bool,
    /// Whether to show what passed in full as well.
    pub verbose: bool,
}

/// The few colours in use; none of them carries meaning alone.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    /// Held.
    pub good: Style,
    /// Did not hold.
    pub bad: Style,
    /// Somebody should look.
    pub doubt: Style,
    /// Beside the point.
    pub dim: Style,
    /// A heading.
    pub strong: Style,
}

impl Palette {
    /// With or without colour.
    #[must_use]
    pub fn new(colour: bool) -> Self {
        if !colour {
            return Self {
                good: Style::new(),
                bad: Style::new(),
                doubt: Style::new(),
                dim: Style::new(),
                strong: Style::new(),
            };
        }
        Self {
            good: AnsiColor::Green.on_default(),
            bad: AnsiColor::Red.on_default().bold(),
            doubt: AnsiColor::Yellow.on_default(),
            dim: Style::new().dimmed(),
            strong: Style::new().bold(),
        }
    }

    /// The word and colour of a check's outcome, five columns wide.
    #[must_use]
    pub fn check(&self, check: &crate::check::CheckOutcome) -> String {
        let (word, style) = match check.status {
            Status::Passed => ("pass", self.good),
            Status::Failed | Status::TimedOut | Status::Error if check.is_excused() => ("warn", self.doubt),
            Status::Failed => ("FAIL", self.bad),
            Status::TimedOut => ("TIME", self.bad),
            Status::Error => ("ERROR", self.bad),
            Status::Skipped if check.skip == Some(Skip::MissingTool) => ("warn", self.doubt),
            Status::Skipped => ("skip", self.dim),
            Status::Interrupted => ("stop", self.doubt),
        };
        format!("{style}{word:<5}{style:#}")
    }

    /// The word and colour of a rule's verdict, five columns wide.
    #[must_use]
    pub fn rule(&self, verdict: RuleVerdict) -> String {
        let (word, style) = match verdict {
            RuleVerdict::Pass => ("pass", self.good),
            RuleVerdict::Warn => ("warn", self.doubt),
            RuleVerdict::Fail => ("FAIL", self.bad),
            RuleVerdict::Inconclusive => ("?", self.doubt),
            RuleVerdict::NotAsked | RuleVerdict::NotApplicable => ("-", self.dim),
        };
        format!("{style}{word:<5}{style:#}")
    }

    /// The verdict in capitals.
    #[must_use]
    pub fn verdict(&self, verdict: Verdict) -> String {
        let style = match verdict {
            Verdict::Pass => self.good,
            Verdict::Fail => self.bad,
            Verdict::Inconclusive | Verdict::Interrupted => self.doubt,
        };
        format!("{style}{}{style:#}", verdict.word().to_uppercase())
    }
}

/// Text for a terminal, line by line. Each report adds what it writes with it.
pub(super) struct Writer {
    pub(super) palette: Palette,
    pub(super) text: String,
}

impl Writer {
    /// Nothing yet.
    pub(super) fn new(options: Options) -> Self {
        Self { palette: Palette::new(options.colour), text: String::new() }
    }

    /// A line; blanks at its end are left out.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// A heading, with a blank line before it.
    pub(super) fn heading(&mut self, heading: &str) {
        let strong = self.palette.strong;
        self.line("");
        self.line(&format!("{strong}{heading}{strong:#}"));
    }
}
