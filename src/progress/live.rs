//! What runs now and since when, on a terminal. The lines vanish when the report comes.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Subscriber;
use crate::check::Event;
use crate::check::outcome::Status;
use crate::report::Palette;
use crate::sys::text;

/// How often times on the screen move.
const TICK: Duration = Duration::from_millis(200);

/// Draws on standard error.
pub struct Live {
    screen: MultiProgress,
    total: ProgressBar,
    running: BTreeMap<String, ProgressBar>,
    palette: Palette,
    spoken: bool,
}

impl Live {
    /// Draws with this palette.
    #[must_use]
    pub fn new(palette: Palette) -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let total = screen.add(ProgressBar::new(0));
        total.set_style(style("  {pos}/{len} done  {wide_msg}"));
        Self { screen, total, running: BTreeMap::new(), palette, spoken: false }
    }

    fn start(&mut self, id: &str, what: &str) {
        let bar = self.screen.insert_before(&self.total, ProgressBar::new_spinner());
        bar.set_style(style("  {spinner} {prefix:<24} {elapsed:>5}  {wide_msg}"));
        bar.set_prefix(text::shorten(id, 24));
        bar.set_message(text::one_line(what));
        bar.enable_steady_tick(TICK);
        self.running.insert(id.to_owned(), bar);
    }

    fn say(&mut self, line: String) -> io::Result<()> {
        self.spoken = true;
        self.screen.println(line)
    }

    fn end(&mut self, id: &str) {
        if let Some(bar) = self.running.remove(id) {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Subscriber for Live {
    fn name(&self) -> &'static str {
        "live progress"
    }

    fn hear(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::RunStarted { checks, .. } => {
                self.total.set_length(*checks as u64);
                self.total.tick();
            }
            Event::FixStarted { id, command } => self.start(id, &format!("fix: {command}")),
            Event::FixFinished { id, .. } => self.end(id),
            Event::CheckStarted { id, command, .. } => self.start(id, command.as_deref().unwrap_or_default()),
            Event::CheckSlow { id, elapsed_ms } => {
                if let Some(bar) = self.running.get(id) {
                    bar.set_message(format!("slow: runs for {}", text::duration(Duration::from_millis(*elapsed_ms))));
                }
            }
            Event::CheckFinished { outcome } => {
                self.end(&outcome.id);
                self.total.inc(1);
                // What passed vanishes; what did not is worth reading before the end.
                if outcome.status != Status::Passed {
                    let reason = outcome.reason.as_deref().map(text::one_line).unwrap_or_default();
                    self.say(format!("  {}  {}  {reason}", self.palette.check(outcome), outcome.id))?;
                }
            }
            Event::Interrupted { signal } => {
                self.say(format!("{signal}: ending what runs, again to end it at once; a partial report follows"))?;
            }
            Event::RunFinished { .. } => {
                self.total.finish_and_clear();
                self.screen.clear()?;
                if self.spoken {
                    // The report stands apart from what was said on the way.
                    self.screen.println("")?;
                }
            }
        }
        Ok(())
    }
}
