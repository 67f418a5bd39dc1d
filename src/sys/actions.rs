//! Text for the log of a GitHub Actions job, where some lines are commands to the runner.
//!
//! Workflow commands: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>.
//! A line that begins with `::` is one. The runner's older form, `##[command]`, is a command anywhere in a line
//! (`ActionCommand.TryParse` in actions/runner), so it is taken apart: [`harmless`].

use super::text;

/// Annotations of one level that GitHub keeps of one step; it drops the rest without a word.
pub const ANNOTATIONS: usize = 10;

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

/// The text of a command, escaped; on one line.
#[must_use]
pub fn data(raw: &str) -> String {
    text::one_line(raw).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The text of a command, escaped, with its line breaks.
#[must_use]
pub fn lines(raw: &str) -> String {
    text::plain_lines(raw).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command, escaped.
#[must_use]
pub fn property(raw: &str) -> String {
    data(raw).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_begins_a_command_and_none_holds_an_old_one() {
        assert_eq!(harmless("a ::b\n  ::error::x\n::y::\r\n:z"), "a ::b\n  : :error::x\n: :y::\r\n:z");
        assert_eq!(harmless("  | ##[add-mask]a ###[b]"), "  | ## [add-mask]a ### [b]");
    }

    #[test]
    fn commands_keep_to_their_line() {
        assert_eq!(data("100%\r\n::error::x"), "100%25\\r\\n::error::x");
        assert_eq!(lines("a%\nb\u{1b}[31m"), "a%25%0Ab");
        assert_eq!(property("a,b:c"), "a%2Cb%3Ac");
    }
}
