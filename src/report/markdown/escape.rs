//! Text from outside, made safe for its place: plain text, a code span, a table cell, a fenced block.
//!
//! GitHub looks for mentions, issue numbers and addresses in the *rendered* text, outside code: a character reference
//! is an `@` again by then, and still pings. What keeps it from finding one is a zero-width space behind the sign,
//! written as a reference so that it can be seen in the source.

use std::borrow::Cow;

use crate::sys::text as words;

/// Keeps a sign and what follows it from being one word.
const APART: &str = "&#8203;";

/// One line of text in an HTML element.
pub(in crate::report) fn html(text: &str) -> String {
    apart(&words::one_line(text), |ch| match ch {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    })
}

/// Plain text on one line: whatever Markdown or GitHub would take for markup, a mention or a cell's end is escaped.
pub(super) fn text(raw: &str) -> String {
    apart(&words::one_line(raw), |ch| match ch {
        '\\' => Some("\\\\"),
        '`' => Some("\\`"),
        '*' => Some("\\*"),
        '_' => Some("\\_"),
        '{' => Some("\\{"),
        '}' => Some("\\}"),
        '[' => Some("\\["),
        ']' => Some("\\]"),
        '#' => Some("\\#"),
        '~' => Some("\\~"),
        '|' => Some("\\|"),
        '!' => Some("\\!"),
        // Between two of them GitHub sets mathematics.
        '$' => Some("&#36;"),
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    })
}

/// Escapes each character as `escape` says, and takes apart what GitHub would link: `@name`, `#12`, `GH-12`,
/// `scheme://`, `www.`.
fn apart(text: &str, escape: impl Fn(char) -> Option<&'static str>) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for (at, ch) in text.char_indices() {
        let rest = &text[at + ch.len_utf8()..];
        out.push_str(escape(ch).unwrap_or(&text[at..at + ch.len_utf8()]));
        let before = &text[..at];
        let is_before = |word: &str| {
            before
                .len()
                .checked_sub(word.len())
                .and_then(|from| before.get(from..))
                .is_some_and(|end| end.eq_ignore_ascii_case(word))
        };
        let links = match ch {
            '@' => true,
            '#' => rest.starts_with(|next: char| next.is_ascii_digit()),
            '-' => is_before("gh") && rest.starts_with(|next: char| next.is_ascii_digit()),
            ':' => rest.starts_with("//"),
            'w' | 'W' => is_before("ww") && rest.starts_with('.'),
            _ => false,
        };
        if links {
            out.push_str(APART);
        }
    }
    out
}

/// How much of each text there is room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pen {
    /// Characters of a name: of a test, a file, a metric.
    pub(super) name: usize,
    /// Characters of a sentence.
    pub(super) sentence: usize,
    /// Bytes of a fenced block.
    pub(super) block: usize,
    /// Names in an enumeration.
    pub(super) names: usize,
    /// Whether what the same commit, looked at again, would say in other words is left out.
    pub(super) is_steady: bool,
}

impl Pen {
    /// Everything, as it is.
    pub(super) const WHOLE: Self =
        Self { name: usize::MAX, sentence: usize::MAX, block: usize::MAX, names: usize::MAX, is_steady: false };

    /// Everything that stays the same while the commit does.
    pub(super) const STEADY: Self = Self { is_steady: true, ..Self::WHOLE };

    /// Short enough that no single piece takes much of so many bytes.
    pub(super) fn for_budget(budget: usize) -> Self {
        Self { name: 200, sentence: 500, block: (budget / 25).clamp(200, 16_000), names: 20, is_steady: false }
    }

    /// See [`text`].
    pub(super) fn text(&self, raw: &str) -> String {
        text(&shorten(raw, self.sentence))
    }

    /// See [`prose`]; not in a table cell.
    pub(super) fn prose(&self, raw: &str) -> String {
        prose_with(&shorten(raw, self.sentence), code)
    }

    /// See [`prose`].
    pub(super) fn cell_prose(&self, raw: &str) -> String {
        prose(&shorten(raw, self.sentence))
    }

    /// See [`prose`]; as the whole of an item in a list, where a beginning such as `1.` or `---` would be markup,
    /// and nothing at all would make a heading of the line before.
    pub(super) fn item(&self, raw: &str) -> String {
        let shown = self.prose(raw.trim());
        let lead = if shown.starts_with(|ch: char| ch.is_alphabetic() || ch == '`') { "" } else { APART };
        format!("{lead}{shown}")
    }

    /// See [`code`].
    pub(super) fn code(&self, raw: &str) -> String {
        code(&shorten(raw, self.name))
    }

    /// See [`cell_code`].
    pub(super) fn cell_code(&self, raw: &str) -> String {
        cell_code(&shorten(raw, self.name))
    }

    /// See [`html`].
    pub(super) fn html(&self, raw: &str) -> String {
        html(&shorten(raw, self.sentence))
    }

    /// Names as code spans, and how many more there are.
    pub(super) fn enumeration<'a>(&self, names: impl ExactSizeIterator<Item = &'a str>) -> String {
        let more = names.len().saturating_sub(self.names);
        let told: Vec<_> = names.take(self.names).map(|name| self.code(name)).collect();
        if more > 0 { format!("{} and {more} more", told.join(", ")) } else { told.join(", ") }
    }

    /// The beginning of a text as a [`fence`]; a last line says what is missing.
    pub(super) fn fence_start(&self, raw: &str, language: &str) -> String {
        let plain = words::plain_lines(raw);
        if plain.len() <= self.block {
            return fence(&plain, language);
        }
        let kept = (0..=self.block).rev().find(|at| plain.is_char_boundary(*at)).unwrap_or(0);
        let left = words::bytes((plain.len() - kept) as u64);
        fence(&format!("{}\n[… {left} more]", plain[..kept].trim_end()), language)
    }

    /// The end of a text as a [`fence`]; a first line says what is missing.
    pub(super) fn fence_end(&self, raw: &str, language: &str) -> String {
        let plain = words::plain_lines(raw);
        if plain.len() <= self.block {
            return fence(&plain, language);
        }
        let from = (plain.len() - self.block..plain.len()).find(|at| plain.is_char_boundary(*at));
        let from = from.unwrap_or(plain.len());
        // From the beginning of a line, unless there is only one.
        let from = plain[from..].find('\n').map_or(from, |line| from + line + 1);
        fence(&format!("[… {} before]\n{}", words::bytes(from as u64), &plain[from..]), language)
    }
}

fn shorten(raw: &str, max: usize) -> Cow<'_, str> {
    if raw.len() <= max { Cow::Borrowed(raw) } else { Cow::Owned(words::shorten(raw, max)) }
}

/// A sentence of this program's own, in which names stand between backticks: those become code spans, the rest is
/// plain text. Safe for any text, also in a table cell, because both parts are escaped for what they become.
pub(in crate::report) fn prose(raw: &str) -> String {
    prose_with(raw, cell_code)
}

fn prose_with(raw: &str, code: fn(&str) -> String) -> String {
    let parts: Vec<_> = raw.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text(raw);
    }
    parts.iter().enumerate().map(|(at, part)| if at % 2 == 0 { text(part) } else { code(part) }).collect()
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

/// A code span in a table cell: there a bar ends the cell even inside code, unless escaped (GFM tables). A backslash
/// before a bar cannot be escaped in a code span, so a text with both is an element in which everything can be.
pub(in crate::report) fn cell_code(raw: &str) -> String {
    match raw.contains("\\|") {
        true => format!("<code>{}</code>", text(raw)),
        false => code(raw).replace('|', "\\|"),
    }
}

/// A fenced block, with a fence longer than any inside (CommonMark 4.5).
pub(in crate::report) fn fence(raw: &str, language: &str) -> String {
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
        assert_eq!(text("a|b <b>*x*</b> @me #1"), "a\\|b &lt;b&gt;\\*x\\*&lt;/b&gt; @&#8203;me \\#&#8203;1");
        assert_eq!(text("gh-1 GH-2 agh-x o/r#3 # 4"), "gh-&#8203;1 GH-&#8203;2 agh-x o/r\\#&#8203;3 \\# 4");
        assert_eq!(text("https://a www.b a.b $x$"), "https:&#8203;//a www&#8203;.b a.b &#36;x&#36;");
        assert_eq!(html("<@a> #1"), "&lt;@&#8203;a&gt; #&#8203;1");
        assert_eq!(prose("see `a|b` <x> and `c`"), "see `a\\|b` &lt;x&gt; and `c`");
        assert_eq!(prose("odd ` tick"), "odd \\` tick");
        assert_eq!(Pen::WHOLE.item(" a `b`"), "a `b`");
        assert_eq!(["---", "1. a", "````"].map(|raw| Pen::WHOLE.item(raw)), ["&#8203;---", "&#8203;1. a", "&#8203;"]);
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(cell_code("a|b"), "`a\\|b`");
        assert_eq!(cell_code("a\\|<b>"), "<code>a\\\\\\|&lt;b&gt;</code>");
        assert_eq!(fence("```\nx\n````", ""), "`````\n```\nx\n````\n`````\n");
        assert_eq!(text("a\u{202e}b\nc"), "a\\\\u\\{202e\\}b\\\\nc");
    }
}
