//! Text from outside, made safe for its place: plain text, a code span, a table cell, a fenced block.

use crate::sys::text as words;

/// One line of text in an HTML element.
pub(super) fn html(text: &str) -> String {
    words::one_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Plain text on one line: whatever Markdown or GitHub would take for markup, a mention or a cell's end is escaped.
pub(super) fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for ch in words::one_line(raw).chars() {
        match ch {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '~' | '|' | '!' => {
                out.push('\\');
                out.push(ch);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            ch => out.push(ch),
        }
    }
    out
}

/// A sentence of this program's own, in which names stand between backticks: those become code spans, the rest is
/// plain text. Safe for any text, because both parts are escaped for what they become.
pub(in crate::report) fn prose(raw: &str) -> String {
    let parts: Vec<_> = raw.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text(raw);
    }
    parts.iter().enumerate().map(|(at, part)| if at % 2 == 0 { text(part) } else { cell_code(part) }).collect()
}

/// A code span, with enough backticks around it (CommonMark 6.1).
pub(super) fn code(raw: &str) -> String {
    let plain = words::one_line(raw);
    if plain.is_empty() {
        return String::new();
    }
    let ticks = "`".repeat(longest_run(&plain) + 1);
    let pad = if plain.starts_with('`') || plain.ends_with('`') || (plain.starts_with(' ') && plain.ends_with(' ')) {
        " "
    } else {
        ""
    };
    format!("{ticks}{pad}{plain}{pad}{ticks}")
}

/// A code span in a table cell: there a bar ends the cell even inside code, unless escaped (GFM tables).
pub(in crate::report) fn cell_code(raw: &str) -> String {
    code(raw).replace('|', "\\|")
}

/// A fenced block, with a fence longer than any inside (CommonMark 4.5).
pub(super) fn fence(raw: &str, language: &str) -> String {
    let plain = words::plain_lines(raw);
    let ticks = "`".repeat(longest_run(&plain).max(2) + 1);
    format!("{ticks}{language}\n{}\n{ticks}\n", plain.trim_end())
}

fn longest_run(text: &str) -> usize {
    text.split(|ch| ch != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_text() {
        assert_eq!(text("a|b <b>*x*</b> @me #1"), "a\\|b &lt;b&gt;\\*x\\*&lt;/b&gt; &#64;me \\#1");
        assert_eq!(prose("see `a|b` <x> and `c`"), "see `a\\|b` &lt;x&gt; and `c`");
        assert_eq!(prose("odd ` tick"), "odd \\` tick");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(cell_code("a|b"), "`a\\|b`");
        assert_eq!(fence("```\nx\n````", ""), "`````\n```\nx\n````\n`````\n");
        assert_eq!(text("a\u{202e}b\nc"), "a\\\\u\\{202e\\}b\\\\nc");
    }
}
