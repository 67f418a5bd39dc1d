//! Under GitHub Actions: the output of what did not pass in a folded group, and an annotation for it.
//!
//! A line of output that begins with `::` would be a command itself, so every line gets a bar before it.
//!
//! GitHub keeps ten annotations of a level of each step. Those past that are not written: they would vanish without a
//! word, and the groups tell of every check.

use std::io::{self, Write};

use super::Subscriber;
use crate::check::Event;
use crate::check::outcome::Status;
use crate::sys::actions::{ANNOTATIONS, data, harmless, property};

/// Lines of output in a group.
const LINES: usize = 400;

/// Writes workflow commands.
pub struct Actions<W> {
    out: W,
    warnings: usize,
    errors: usize,
}

impl<W: Write> Actions<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, warnings: 0, errors: 0 }
    }
}

impl<W: Write> Subscriber for Actions<W> {
    fn name(&self) -> &'static str {
        "workflow commands"
    }

    fn hear(&mut self, event: &Event) -> io::Result<()> {
        let Event::CheckFinished { outcome } = event else { return Ok(()) };
        let (command, count) = match outcome.status {
            Status::Passed | Status::Skipped => return Ok(()),
            _ if outcome.allow_failure => ("warning", &mut self.warnings),
            _ => ("error", &mut self.errors),
        };
        *count += 1;
        let reason = outcome.reason.as_deref().unwrap_or(outcome.status.word());
        let title = format!("check {}", outcome.id);
        let told = format!("{}: {reason}", outcome.status.word());
        if *count <= ANNOTATIONS {
            writeln!(self.out, "::{command} title={}::{}", property(&title), data(&told))?;
        } else {
            writeln!(self.out, "{}", harmless(&format!("{title} {}", data(&told))))?;
        }
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
    fn no_more_annotations_than_github_keeps() {
        let mut out = Vec::new();
        let mut actions = Actions::new(&mut out);
        for check in 0..12 {
            for allow_failure in [true, false] {
                let outcome = CheckOutcome {
                    id: format!("c{check}"),
                    group: "g".into(),
                    status: Status::Failed,
                    skip: None,
                    reason: None,
                    allow_failure,
                    quarantined: false,
                    duration_ms: 0,
                    command: None,
                    exit_code: Some(1),
                    output: Output::default(),
                    fix: None,
                };
                actions.hear(&Event::CheckFinished { outcome: Box::new(outcome) }).unwrap();
            }
        }
        let text = String::from_utf8(out).unwrap();
        assert_eq!((text.matches("::error ").count(), text.matches("::warning ").count()), (10, 10));
        assert_eq!(text.lines().filter(|line| line.starts_with("check c11 ")).count(), 2, "{text}");
    }
}
