//! Text as a YAML scalar that reads back as the same text, whatever the text is.

use std::fmt::Write as _;

use crate::sys::text;

/// Writes a scalar: plain if it is safe in any place, else in quotes.
#[must_use]
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let is_typed_on_a_keyboard = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_typed_on_a_keyboard && !text.contains('\'') && text.contains(['"', '\\']) {
        // Nothing is escaped between single quotes, so a line for a shell stays readable.
        return format!("'{text}'");
    }
    double_quoted(text)
}

/// A list on one line: `[a, b]`.
#[must_use]
pub(super) fn flow_list(items: &[String]) -> String {
    let items: Vec<_> = items.iter().map(|item| scalar(item)).collect();
    format!("[{}]", items.join(", "))
}

/// Whether every YAML reader takes the bare text as text, in a list or map on one line too.
fn is_plain(text: &str) -> bool {
    let is_safe = |ch: char| ch.is_ascii_alphanumeric() || "_./=:@+%-".contains(ch);
    let starts_safely = text.starts_with(|ch: char| ch.is_ascii_alphabetic() || "_./-".contains(ch));
    starts_safely && text != "-" && !text.starts_with("---") && !text.ends_with(':') && text.chars().all(is_safe)
        // Older readers take more words than `true` and `null` for values of their own.
        && !is_number(text) && !is_word_of_yaml(text)
}

fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+', '.']);
    let words = [".inf", ".nan", "inf", "nan"];
    digits.starts_with(|ch: char| ch.is_ascii_digit())
        || words.contains(&text.trim_start_matches(['-', '+']).to_ascii_lowercase().as_str())
}

fn is_word_of_yaml(text: &str) -> bool {
    let words = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    words.contains(&text.to_ascii_lowercase().as_str())
}

fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for ch in text.chars() {
        match ch {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ch if is_hidden(ch) => {
                let code = u32::from(ch);
                // Writing to a String cannot fail. YAML has no surrogate pairs: a code past four digits takes \U.
                let _ = if code > 0xffff { write!(out, "\\U{code:08x}") } else { write!(out, "\\u{code:04x}") };
            }
            ch => out.push(ch),
        }
    }
    out.push('"');
    out
}

/// Characters that cannot be seen, that YAML forbids, or that break lines for some readers.
fn is_hidden(ch: char) -> bool {
    text::is_unprintable(ch) || matches!(ch, '\u{2028}' | '\u{2029}' | '\u{fff0}'..='\u{ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decode::tree::{self, Data};

    /// What the decoder reads back, from a list on one line and from a map of lines.
    fn read_back(text: &str) -> Vec<String> {
        let written = format!("- [a, {}, b]\n- k: {}\n  l: b\n", scalar(text), scalar(text));
        let node = tree::parse(&written).unwrap_or_else(|error| panic!("{written}: {error:?}")).unwrap();
        let Data::List(items) = &node.data else { panic!("{written}") };
        let Data::List(flow) = &items[0].data else { panic!("{written}") };
        let Data::Map(block) = &items[1].data else { panic!("{written}") };
        assert_eq!((flow.len(), block.len()), (3, 2), "{written}");
        [&flow[1], &block[0].1].map(|node| node.text().unwrap_or("(nothing)").to_owned()).into()
    }

    #[test]
    fn plain_where_it_is_safe() {
        for text in ["python3", "-m", "--", "./...", "src/a_b.py", "--cov-report=xml:reports/coverage.xml", ".venv"] {
            assert_eq!(scalar(text), text);
            assert_eq!(read_back(text), [text, text]);
        }
    }

    #[test]
    fn quoted_where_it_is_not() {
        let texts = [
            "",
            " ",
            "-",
            "---",
            "~",
            "null",
            "Yes",
            "1.10",
            "0x1f",
            "-5",
            ".5",
            ".inf",
            "2026-01-01",
            "a: b",
            "a:",
            "a #b",
            "#a",
            "[a]",
            "{a}",
            "a,b",
            "*a",
            "&a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a`",
            "'a'",
            "\"a\"",
            "it's \"it\"",
            "a\\b",
            "a\nb",
            "a\tb",
            "\u{0}",
            "\u{1b}[31m",
            "\u{202e}",
            "\u{feff}a",
            "\u{2028}",
            "\u{e0001}",
            "\u{ffff}",
            "naïve",
            "日本",
            "a\r\nb",
            "? a",
            "<<",
            "=",
            "... ",
            "test -z \"$x\"",
        ];
        for text in texts {
            assert_eq!(read_back(text), [text, text], "{text:?} as {}", scalar(text));
        }
        // This program takes each of them for text; other readers of the file would not.
        for text in ["1.10", "-5", ".5", "0x1f", "null", "Yes", "off", ".INF"] {
            assert_eq!(scalar(text), format!("\"{text}\""));
        }
        assert_eq!(scalar("test -z \"$x\""), "'test -z \"$x\"'");
        assert_eq!(scalar("a\u{202e}b"), "\"a\\u202eb\"");
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in any::<String>()) {
            prop_assert_eq!(read_back(&text), vec![text.clone(), text]);
        }

        #[test]
        fn any_text_of_signs_reads_back(text in "[-a1:#,\\[\\]{}'\"&*!|>%@` .?~=<\n\t\\\\]{0,8}") {
            prop_assert_eq!(read_back(&text), vec![text.clone(), text]);
        }
    }
}
