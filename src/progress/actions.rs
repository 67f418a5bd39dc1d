//! Under GitHub Actions: the output of what did not pass in a folded group, and an annotation for it.
//!
//! Workflow commands: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>.
//! A line of output that begins with `::` would be a command itself, so every line gets a bar before it. The
//! runner's older form, `##[command]`, is a command anywhere in a line (`ActionCommand.TryParse` in
//! actions/runner), so it is taken apart: [`harmless`].

use std::io::{self, Write};

use super::Subscriber;
use crate::check::Event;
use crate::check::outcome::Status;
use crate::sys::text;

/// Lines of output in a group.
const LINES: usize = 400;

/// Writes workflow commands.
pub struct Actions<W> {
    out: W,
}

impl<W: Write> Actions<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> Subscriber for Actions<W> {
    fn name(&self) -> &'static str {
        "workflow commands"
    }

    fn hear(&mut self, event: &Event) -> io::Result<()> {
        let Event::CheckFinished { outcome } = event else { return Ok(()) };
        let command = match outcome.status {
            Status::Passed | Status::Skipped => return Ok(()),
            _ if outcome.allow_failure => "warning",
            _ => "error",
        };
        let reason = outcome.reason.as_deref().unwrap_or(outcome.status.word());
        let title = format!("check {}", outcome.id);
        writeln!(
            self.out,
            "::{command} title={}::{}",
            property(&title),
            data(&format!("{}: {reason}", outcome.status.word()))
        )?;
        if !outcome.output.text.trim().is_empty() {
            let (before, tail) = outcome.output.tail(LINES);
            writeln!(self.out, "::group::output of {}", data(&outcome.id))?;
            if let Some(before) = before {
                writeln!(self.out, "| [… {before} before …]")?;
            }
            for line in tail.lines() {
                writeln!(self.out, "{}", harmless(&format!("| {line}")))?;
            }
            writeln!(self.out, "::endgroup::")?;
        }
        Ok(())
    }
}

/// Text in which the runner finds no command: a space goes into what would begin one.
#[must_use]
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start();
        out.push_str(&line[..line.len() - rest.len()]);
        let rest = match rest.strip_prefix("::") {
            Some(rest) => {
                out.push_str(": :");
                rest
            }
            None => rest,
        };
        out.push_str(&rest.replace("##[", "## ["));
    }
    out
}

/// Escapes the text of a command.
fn data(raw: &str) -> String {
    text::one_line(raw).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command.
fn property(raw: &str) -> String {
    data(raw).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::CheckOutcome;
    use crate::check::outcome::Output;

    #[test]
    fn output_cannot_give_commands() {
        let outcome = CheckOutcome {
            id: "tests".into(),
            group: "test".into(),
            status: Status::Failed,
            skip: None,
            reason: Some("exit code 1: 100%, yes".into()),
            allow_failure: false,
            quarantined: false,
            duration_ms: 5,
            command: None,
            exit_code: Some(1),
            output: Output { text: "::set-output name=x::y\n  ::error::z\n##[group]a".into(), dropped_bytes: 0 },
            fix: None,
        };
        let mut out = Vec::new();
        Actions::new(&mut out).hear(&Event::CheckFinished { outcome: Box::new(outcome) }).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "::error title=check tests::failed: exit code 1: 100%25, yes\n::group::output of tests\n| ::set-output name=x::y\n|   ::error::z\n| ## [group]a\n::endgroup::\n"
        );
    }

    #[test]
    fn no_line_begins_a_command_and_none_holds_an_old_one() {
        assert_eq!(harmless("a ::b\n  ::error::x\n::y::\r\n:z"), "a ::b\n  : :error::x\n: :y::\r\n:z");
        assert_eq!(harmless("  | ##[add-mask]a ###[b]"), "  | ## [add-mask]a ### [b]");
    }
}
