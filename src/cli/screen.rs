//! Where output goes: data to standard output, talk to standard error, colour where it is wanted.
//!
//! A reader that goes away (`mgmt … | head`) is no error: the verdict is the exit code, not the text.

use std::io::{self, IsTerminal as _, Write as _};

use super::args::{Color, Format, Global};
use crate::app::Stop;
use crate::report::Palette;
use crate::sys::actions::harmless;
use crate::sys::env::{self, Env};
use crate::sys::text;

/// The two streams and what is wanted of them.
pub(super) struct Screen {
    colour_out: bool,
    colour_err: bool,
    interactive: bool,
    /// Whether GitHub's runner reads what is printed, and acts on what it takes for its commands.
    actions: bool,
    pub(super) quiet: bool,
    pub(super) verbose: bool,
    pub(super) format: Format,
}

impl Screen {
    pub(super) fn new(global: &Global, env: &Env) -> Self {
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let dumb = env.get(env::TERM) == Some("dumb");
        let wanted = |is_terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !dumb && env.get(env::NO_COLOR).is_none(),
        };
        Self {
            colour_out: wanted(out),
            colour_err: wanted(err),
            interactive: err && !dumb && !env.is_on(env::CI),
            actions: env.is_on(env::GITHUB_ACTIONS),
            quiet: global.quiet,
            verbose: global.verbose,
            format: global.format,
        }
    }

    /// Without colour, before the arguments are known.
    pub(super) fn plain() -> Self {
        Self {
            colour_out: false,
            colour_err: false,
            interactive: false,
            actions: false,
            quiet: false,
            verbose: false,
            format: Format::Human,
        }
    }

    /// Whether lines on standard error may be redrawn.
    pub(super) fn is_interactive(&self) -> bool {
        self.interactive
    }

    pub(super) fn colour_on_out(&self) -> bool {
        self.colour_out
    }

    pub(super) fn colour_on_err(&self) -> bool {
        self.colour_err
    }

    /// The palette of standard error.
    pub(super) fn palette(&self) -> Palette {
        Palette::new(self.colour_err)
    }

    /// Refuses a form of output that the command does not have.
    pub(super) fn require(&self, command: &str, forms: &[Format]) -> anyhow::Result<()> {
        if forms.contains(&self.format) {
            return Ok(());
        }
        let names: Vec<_> = forms.iter().map(|form| form.name()).collect();
        let message = format!("`{command}` has no {} output", self.format.name());
        Err(Stop::usage(message, Some(format!("it has {}", text::list(&names)))).into())
    }

    /// Prints a report, which quotes what checks printed.
    pub(super) fn report(&mut self, text: &str) {
        match self.format {
            _ if !self.actions => self.data(text),
            Format::Human => self.data(&harmless(text)),
            // The same value in other characters; `##` stands only inside strings.
            Format::Json => self.data(&text.replace("##[", "#\\u0023[")),
            Format::Markdown | Format::Html | Format::Csv => self.data(text),
        }
    }

    /// Prints data.
    pub(super) fn data(&mut self, text: &str) {
        let choice = if self.colour_out { anstream::ColorChoice::Always } else { anstream::ColorChoice::Never };
        let mut out = anstream::AutoStream::new(io::stdout().lock(), choice);
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Says a line.
    pub(super) fn talk(&mut self, line: &str) {
        let choice = if self.colour_err { anstream::ColorChoice::Always } else { anstream::ColorChoice::Never };
        let mut err = anstream::AutoStream::new(io::stderr().lock(), choice);
        let _ = writeln!(err, "{line}");
    }

    /// Says lines for those who wait far below, unless asked to be quiet.
    #[cfg(feature = "net")]
    pub(super) fn teller(&self) -> impl Fn(&str) + 'static {
        let quiet = self.quiet;
        move |line| {
            if !quiet {
                let mut err = io::stderr().lock();
                let _ = writeln!(err, "{}", text::one_line(line));
            }
        }
    }

    /// Says a line unless asked to be quiet.
    pub(super) fn remark(&mut self, line: &str) {
        if !self.quiet {
            self.talk(line);
        }
    }

    /// Says an error and the next step.
    pub(super) fn error(&mut self, message: &str, hint: Option<&str>) {
        self.complain("error", self.palette().bad, message, hint);
    }

    /// Says that something beside the verdict failed.
    pub(super) fn warning(&mut self, message: &str, hint: Option<&str>) {
        self.complain("warning", self.palette().doubt, message, hint);
    }

    fn complain(&mut self, word: &str, style: anstyle::Style, message: &str, hint: Option<&str>) {
        self.talk(&format!("{style}{word}{style:#}: {message}"));
        if let Some(hint) = hint {
            let strong = self.palette().strong;
            self.talk(&format!("{strong}help{strong:#}: {hint}"));
        }
    }

    /// Prints a value as JSON.
    pub(super) fn json(&mut self, value: &impl serde::Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        self.data(&text);
        Ok(())
    }
}
