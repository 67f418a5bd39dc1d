//! Text within a receiver's limits, counted so that no way of counting finds more of it.
//!
//! Discord's API counts code points (its maintainers say so in discord/discord-api-docs#1315), its clients and
//! libraries count UTF-16 units, and Slack does not say. A text never has fewer UTF-16 units than code points, so
//! units are counted here. White space at the ends goes first, as Discord takes it away before it counts.

use crate::sys::text;

/// Text as pieces, one for each of its characters; a piece is never cut.
pub(super) type Escape = fn(&str) -> Vec<String>;

/// The length of a text.
pub(super) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Nothing is escaped.
pub(super) fn as_is(text: &str) -> Vec<String> {
    text.chars().map(String::from).collect()
}

/// Lines from outside, without what could move a cursor and without white space around them; nothing if there is
/// nothing to see.
pub(super) fn lines(raw: &str) -> String {
    seen(&text::plain_lines(raw))
}

/// The same on one line.
pub(super) fn line(raw: &str) -> String {
    let words: Vec<_> = raw.split_whitespace().collect();
    seen(&text::one_line(&words.join(" ")))
}

fn seen(text: &str) -> String {
    let text = text.trim();
    if text.chars().all(is_blank) { String::new() } else { text.to_owned() }
}

/// What stands where there is nothing: a field without a name or a value is refused, and the whole message with it.
pub(super) fn shown(text: String) -> String {
    if text.is_empty() { "–".to_owned() } else { text }
}

/// Characters that show nothing although they are no white space: a message of nothing else is refused as empty.
fn is_blank(ch: char) -> bool {
    ch.is_whitespace()
        || matches!(
            ch,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
                | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// At most `max` units of a text on one line, `…` where something was cut.
pub(super) fn short(text: &str, max: usize, escape: Escape) -> String {
    clip(text, max, escape, |_| "…".to_owned())
}

/// At most `max` units of a longer text; its last line says how many characters were cut.
pub(super) fn long(text: &str, max: usize, escape: Escape) -> String {
    clip(text, max, escape, |left| format!("\n… {left} more characters"))
}

fn clip(text: &str, max: usize, escape: Escape, mark: impl Fn(usize) -> String) -> String {
    // No character is less than a unit, so the rest could not stand there anyway.
    let head: String = text.chars().take(max + 1).collect();
    let pieces = escape(&head);
    let total = text.chars().count();
    if total == pieces.len() && pieces.iter().map(|piece| units(piece)).sum::<usize>() <= max {
        return pieces.concat();
    }
    // The mark is shortest when least was cut; what is left room for is the longest.
    let mut marked = mark(total);
    if units(&marked) > max {
        marked = if max == 0 { String::new() } else { "…".to_owned() };
    }
    let room = max - units(&marked);
    let (mut out, mut used, mut kept) = (String::new(), 0, 0);
    for piece in &pieces {
        used += units(piece);
        if used > room {
            break;
        }
        out.push_str(piece);
        kept += 1;
    }
    let marked = if marked.chars().count() > 1 { mark(total - kept) } else { marked };
    out.truncate(out.trim_end().len());
    out + &marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_said_and_fits() {
        assert_eq!(short("abcdef", 6, as_is), "abcdef");
        assert_eq!(short("abcdefg", 6, as_is), "abcde…");
        // A character outside the basic plane is two units, and is never halved.
        assert_eq!(short("😀😀😀", 6, as_is), "😀😀😀");
        assert_eq!(short("😀😀😀😀", 6, as_is), "😀😀…");
        assert_eq!((short("abc", 0, as_is), short("abc", 1, as_is)), (String::new(), "…".to_owned()));
        let cut = long(&"x".repeat(5_000), 100, as_is);
        assert_eq!(cut, format!("{}\n… 4923 more characters", "x".repeat(77)));
        assert_eq!(units(&cut), 100);
        assert_eq!(long("ab cd ef", 5, as_is), "ab c…");
    }

    #[test]
    fn nothing_to_see_is_nothing() {
        for blank in ["", " \n\t", "\u{3164}\u{2800} \u{fe0f}", "\u{a0}\u{2003}", "\u{1b}[31m\u{1b}[0m"] {
            assert_eq!(lines(blank), "", "{blank:?}");
        }
        assert_eq!(lines("\n a\u{1b}[1mb\r\n c \n"), "ab\n c");
        assert_eq!(line(" a\n\tb\u{202e} "), "a b\\u{202e}");
    }
}
