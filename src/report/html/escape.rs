//! Text from outside, made safe for its place in the page: element text, a block of lines, an anchor, a data island.
//!
//! Nothing here trusts its input. What is cut is counted, and says so where it was cut.

use serde::Serialize;

use crate::sys::text as words;

/// Characters of a name or a sentence from outside.
const NAME: usize = 600;
/// Characters of one line in a block.
const LINE: usize = 2_000;
/// Lines of a block: as many again are kept of its end as of its start.
const HALF_OF_LINES: usize = 400;

/// One line of plain text for an element or a quoted attribute; a long one is cut and says by how much.
pub(super) fn text(raw: &str) -> String {
    bounded(raw, NAME, |part| escape(&words::one_line(part)))
}

/// A sentence of this program's own, in which names stand between backticks.
pub(super) fn prose(raw: &str) -> String {
    let parts: Vec<_> = raw.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text(raw);
    }
    let part = |(at, part): (usize, &&str)| match (at % 2, part.is_empty()) {
        (1, false) => format!("<code>{}</code>", text(part)),
        _ => text(part),
    };
    parts.iter().enumerate().map(part).collect()
}

/// One line of source code, its tabs kept.
pub(super) fn source(raw: &str) -> String {
    bounded(raw, LINE, |part| escape(&words::plain_lines(part).replace('\n', "\\n")))
}

/// Several lines for a `<pre>`: each is bounded, and so is their number.
pub(super) fn block(raw: &str) -> String {
    let plain = words::plain_lines(raw);
    let lines: Vec<_> = plain.trim_end().lines().collect();
    let mut out = String::with_capacity(plain.len() + plain.len() / 16);
    let middle = lines.len().saturating_sub(2 * HALF_OF_LINES);
    let (start, end) = if middle > 0 { (HALF_OF_LINES, HALF_OF_LINES + middle) } else { (lines.len(), lines.len()) };
    for line in &lines[..start] {
        push_line(&mut out, line);
    }
    if middle > 0 {
        let told = words::plural(middle as u64, "line", "lines");
        push_line(&mut out, &format!("[… {told} left out here; the record of this run has them …]"));
    }
    for line in &lines[end..] {
        push_line(&mut out, line);
    }
    out
}

fn push_line(out: &mut String, line: &str) {
    // A report may be printed where GitHub's runner reads: no line of it may begin like one of its commands.
    let rest = line.trim_start();
    let line = match rest.strip_prefix("::") {
        Some(after) => {
            out.push_str(&line[..line.len() - rest.len()]);
            out.push_str("&#58;&#58;");
            after
        }
        None => line,
    };
    out.push_str(&bounded(line, LINE, escape));
    out.push('\n');
}

fn bounded(raw: &str, max: usize, safe: impl Fn(&str) -> String) -> String {
    // No text has more characters than bytes, so most need no counting.
    let Some((cut, _)) = (raw.len() > max).then(|| raw.char_indices().nth(max)).flatten() else { return safe(raw) };
    let left = raw[cut..].chars().count() as u64;
    let told = words::plural(left, "character", "characters");
    format!("{}<span class=\"cut\"> … {told} more in the record of this run</span>", safe(&raw[..cut]))
}

/// Escapes what HTML would take for markup, in text and in attributes, and what the runner would take for a command.
fn escape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len() + raw.len() / 16);
    for ch in raw.chars() {
        match ch {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '[' if out.ends_with("##") => out.push_str("&#91;"),
            ch => out.push(ch),
        }
    }
    out
}

/// A part of an anchor: letters, digits, `/`, `.`, `_` and `-` stand for themselves, any other byte is `~` and two
/// hexadecimal digits. No two texts share one, and it needs no escaping in a link.
pub(super) fn anchor(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for byte in raw.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => out.push(char::from(byte)),
            _ => out.push_str(&format!("~{byte:02x}")),
        }
    }
    out
}

/// A value for `<script type="application/json">`: nothing in it can end the element or begin a comment.
pub(super) fn island(value: &impl Serialize) -> String {
    // Outside strings JSON has none of these characters.
    serde_json::to_string(value)
        .unwrap_or_default()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace("##[", "#\\u0023[")
}

/// A name for a data island, safe on a screen and bounded.
pub(super) fn shown(raw: &str) -> String {
    let plain = words::one_line(raw);
    let Some((cut, _)) = plain.char_indices().nth(NAME) else { return plain };
    let told = words::plural(plain[cut..].chars().count() as u64, "character", "characters");
    format!("{} … {told} more in the record of this run", &plain[..cut])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_from_outside_stays_text() {
        assert_eq!(text("<b a=\"1\" b='2'>&\u{202e}\n"), "&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;\\u{202e}\\n");
        assert_eq!(prose("see `a<b` and ``"), "see <code>a&lt;b</code> and ");
        assert_eq!(prose("odd ` tick"), "odd ` tick");
        assert_eq!(source("\tif a < b:\u{202e}"), "\tif a &lt; b:\\u{202e}");
        assert_eq!(
            block("a\u{1b}[31m<\u{1b}[0m\r\n  ::error::x\n##[group]"),
            "a&lt;\n  &#58;&#58;error::x\n##&#91;group]\n"
        );
    }

    #[test]
    fn what_is_cut_says_how_much_and_where_it_is() {
        let long = block(&"x".repeat(1 << 20));
        assert!(long.len() < LINE + 200, "{}", long.len());
        assert!(long.contains(&format!("… {} characters more in the record", (1 << 20) - LINE)), "{long}");
        let many = block(&(0..5_000).map(|line| format!("{line}\n")).collect::<String>());
        assert!(many.starts_with("0\n1\n") && many.ends_with("4998\n4999\n"), "{many}");
        assert!(many.contains("[… 4200 lines left out here; the record of this run has them …]"), "{many}");
        assert_eq!(text(&"é".repeat(NAME)).chars().count(), NAME);
        assert!(text(&"é".repeat(NAME + 1)).contains("1 character more"));
        assert!(shown(&"é".repeat(1 << 20)).len() < 2 * NAME + 100);
    }

    #[test]
    fn an_island_cannot_end_its_element() {
        let island = island(&["</script><!--", "##[error]", "a&b"]);
        assert!(!island.contains(['<', '>', '&']) && !island.contains("##["), "{island}");
        let back: Vec<String> = serde_json::from_str(&island).unwrap();
        assert_eq!(back, ["</script><!--", "##[error]", "a&b"]);
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(raw in any::<String>()) {
            for safe in [text(&raw), prose(&raw).replace("<code>", "").replace("</code>", ""), source(&raw), block(&raw)] {
                prop_assert!(!safe.contains(['<', '>', '"', '\'']), "{safe}");
                prop_assert!(safe.chars().all(|ch| matches!(ch, '\n' | '\t') || !words::is_unprintable(ch)));
            }
        }

        #[test]
        fn an_anchor_is_one_path_alone_and_needs_no_escaping(a in any::<String>(), b in any::<String>()) {
            prop_assert!(anchor(&a).bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte)));
            prop_assert_eq!(anchor(&a) == anchor(&b), a == b);
        }
    }
}
