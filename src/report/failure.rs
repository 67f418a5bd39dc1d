//! What a failed test said, in two parts: the message a person reads first, and the trace behind it.

/// Lines of a message before the rest counts as its trace.
const LEAD: usize = 8;

/// A failure's text in two parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// What went wrong.
    pub message: String,
    /// Where, and everything else that was said; empty if there is nothing more.
    pub trace: String,
}

/// Beginnings of lines, behind any indent, with which the traces of common languages start.
const TRACES: &[&str] = &[
    "Traceback (most recent call last)",
    "File \"",
    "at ",
    "stack backtrace:",
    "note: run with `RUST_BACKTRACE",
    "goroutine ",
    "Stack:",
    "Stack trace",
    "Stack Trace",
    "Caused by:",
    "def ",
    "self = ",
];

/// Splits a failure's text. Nothing is lost: every line is in one of the parts.
#[must_use]
pub fn parts(text: &str) -> Parts {
    let lines: Vec<_> = text.trim_matches(['\n', '\r']).lines().collect();
    let is_trace = |line: &str| TRACES.iter().any(|start| line.trim_start().starts_with(start));
    let first = lines.iter().position(|line| !line.trim().is_empty()).unwrap_or(0);
    if lines.get(first).is_some_and(|line| is_trace(line)) {
        // Python says what went wrong last, at the left edge.
        let at_edge = |line: &&str| !line.is_empty() && !line.starts_with([' ', '\t']) && !is_trace(line);
        return match lines.iter().rposition(at_edge) {
            Some(last) if lines[first].trim_start().starts_with("Traceback") => {
                let trace = [&lines[..last], &lines[last + 1..]].concat();
                Parts { message: lines[last].to_owned(), trace: join(&trace) }
            }
            _ => Parts { message: join(&lines), trace: String::new() }.bounded(),
        };
    }
    let end = lines
        .iter()
        .enumerate()
        .skip(first + 1)
        .find(|(at, line)| line.trim().is_empty() || is_trace(line) || *at >= first + LEAD)
        .map_or(lines.len(), |(at, _)| at);
    Parts { message: join(&lines[first..end]), trace: join(&lines[end..]) }
}

impl Parts {
    /// The same with a message of at most [`LEAD`] lines.
    fn bounded(self) -> Self {
        let lines: Vec<_> = self.message.lines().collect();
        let (message, trace) = lines.split_at(lines.len().min(LEAD));
        Self { message: join(message), trace: join(trace) }
    }
}

fn join(lines: &[&str]) -> String {
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> (String, String) {
        let parts = parts(text);
        (parts.message, parts.trace)
    }

    #[test]
    fn the_message_comes_before_the_trace_in_every_language() {
        let rust =
            "thread 'a' panicked at src/a.rs:1:2:\nassertion failed\n  left: 1\n right: 2\nstack backtrace:\n   0: x";
        assert_eq!(split(rust).1, "stack backtrace:\n   0: x");
        let pytest = "AssertionError: assert 1 == 2\n +  where 1 = f()\ndef test_a():\n>       assert f() == 2\nE   x";
        assert_eq!(split(pytest).0, "AssertionError: assert 1 == 2\n +  where 1 = f()");
        let python = "Traceback (most recent call last):\n  File \"a.py\", line 1, in a\n    b()\nValueError: no";
        assert_eq!(split(python), ("ValueError: no".into(), python.replace("\nValueError: no", "")));
        let java = "expected: <1> but was: <2>\n\tat a.B.c(B.java:3)\n\tat d";
        assert_eq!(split(java), ("expected: <1> but was: <2>".into(), "\tat a.B.c(B.java:3)\n\tat d".into()));
        assert_eq!(split("one line"), ("one line".into(), String::new()));
        assert_eq!(split(""), (String::new(), String::new()));
        let long: String = (0..20).map(|line| format!("{line}\n")).collect();
        assert_eq!(split(&long).0.lines().count(), LEAD);
    }

    proptest! {
        #[test]
        fn no_line_is_lost(lines in prop::collection::vec("[ a]{0,3}|Traceback \\(most recent call last\\)|  at x|E", 0..20)) {
            let parts = parts(&lines.join("\n"));
            let count = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
            let all = lines.iter().filter(|line| !line.trim().is_empty()).count();
            prop_assert_eq!(count(&parts.message) + count(&parts.trace), all);
        }
    }
}
