//! One line for each thing that happened, for logs and pipes.

use std::io::{self, Write};
use std::time::Duration;

use super::Subscriber;
use crate::check::Event;
use crate::report::Palette;
use crate::sys::text;

/// Writes lines.
pub struct Plain<W> {
    out: W,
    palette: Palette,
    done: usize,
    total: usize,
}

impl<W: Write> Plain<W> {
    /// Writes to `out`.
    pub fn new(out: W, palette: Palette) -> Self {
        Self { out, palette, done: 0, total: 0 }
    }
}

impl<W: Write> Subscriber for Plain<W> {
    fn name(&self) -> &'static str {
        "progress"
    }

    fn hear(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::RunStarted { checks, jobs, .. } => {
                self.total = *checks;
                let checks = text::plural(*checks as u64, "check", "checks");
                writeln!(self.out, "running {checks}, at most {jobs} at once")
            }
            Event::FixStarted { id, command } => writeln!(self.out, "fixing {id}: {}", text::one_line(command)),
            Event::CheckSlow { id, elapsed_ms } => {
                writeln!(self.out, "still running: {id} ({})", text::duration(Duration::from_millis(*elapsed_ms)))
            }
            Event::CheckFinished { outcome } => {
                self.done += 1;
                let (word, width) = (self.palette.check(outcome), self.total.to_string().len());
                let time = text::duration(Duration::from_millis(outcome.duration_ms));
                let reason =
                    outcome.reason.as_deref().map(|reason| format!("  {}", text::one_line(reason))).unwrap_or_default();
                writeln!(self.out, "[{:>width$}/{}] {word}  {}  {time}{reason}", self.done, self.total, outcome.id)
            }
            Event::Interrupted { signal } => {
                writeln!(self.out, "{signal}: ending what runs, again to end it at once; a partial report follows")
            }
            Event::FixFinished { .. } | Event::CheckStarted { .. } | Event::RunFinished { .. } => Ok(()),
        }
    }
}
