//! Words and numbers for people: plurals, sizes, durations, truncation, the nearest known word.
//!
//! Nothing here depends on a locale. Escaping for one output language lives with that renderer.

use std::time::Duration;

/// `1 test`, `2 tests`.
#[must_use]
pub fn plural(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// A size in binary units: `512 B`, `1.5 KiB`, `10.0 MiB`.
#[must_use]
pub fn bytes(size: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut unit, mut divisor) = (0, 1_u64);
    while unit + 1 < UNITS.len() && size / divisor >= 1024 {
        divisor *= 1024;
        unit += 1;
    }
    if unit == 0 {
        return format!("{size} B");
    }
    // Tenths by integer arithmetic: exact for any u64.
    let tenths = u128::from(size) * 10 / u128::from(divisor);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// A size as it is written in a setting: exact, in the greatest unit that holds it whole.
#[must_use]
pub fn bytes_setting(size: u64) -> String {
    let unit = SIZES.iter().rev().find(|(_, unit)| size > 0 && size.is_multiple_of(*unit));
    unit.map_or_else(|| size.to_string(), |(name, unit)| format!("{}{name}", size / unit))
}

/// Reads a size: `65536`, `64KiB`, `16 MiB`; without a unit it is in bytes.
///
/// # Errors
/// The next step.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let help = || "write a whole number of bytes, or one with a unit: 512KiB, 16MiB, 8GiB".to_owned();
    let text = text.trim();
    let digits = text.find(|ch: char| !ch.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| help())?;
    let unit = match text[digits..].trim() {
        "" | "B" => 1,
        name => {
            SIZES.iter().find(|(unit, _)| unit.eq_ignore_ascii_case(name)).map(|(_, size)| *size).ok_or_else(help)?
        }
    };
    number.checked_mul(unit).ok_or_else(help)
}

const SIZES: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

/// A duration in the two units that matter: `4 ms`, `1.2 s`, `3 min 05 s`, `2 h 10 min`, `30 d`.
#[must_use]
pub fn duration(span: Duration) -> String {
    let ms = span.as_millis();
    let seconds = ms / 1000;
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", seconds, ms % 1000 / 100),
        60_000..3_600_000 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60_000..3_600_000 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600_000..172_800_000 if (seconds / 60).is_multiple_of(60) => format!("{} h", seconds / 3600),
        3_600_000..172_800_000 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A duration as written in a configuration: `90s`, `5m`, `1h 30m`, `30d`, `12w`.
///
/// # Errors
/// A sentence that says what is wrong with the text.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let help = "write a number and a unit: 90s, 5m, 1h 30m, 30d, 12w";
    let span: jiff::Span = text.trim().parse().map_err(|_| format!("not a duration; {help}"))?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return Err(format!("months and years have no fixed length; {help}"));
    }
    let exact = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| format!("the duration is too long; {help}"))?;
    Duration::try_from(exact).map_err(|_| format!("a duration cannot be negative; {help}"))
}

/// A duration as [`parse_duration`] reads it: `30m`, `1h 30m`, `30d`, `250ms`.
#[must_use]
pub fn duration_setting(span: Duration) -> String {
    let mut rest = span.as_millis();
    let mut parts = Vec::new();
    for (unit, ms) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        if rest >= ms {
            parts.push(format!("{}{unit}", rest / ms));
            rest %= ms;
        }
    }
    parts.join(" ")
}

/// A number without noise: `0`, `59.24`, `1200`, `NaN`. At most six decimals, none trailing.
#[must_use]
pub fn number(value: f64) -> String {
    with_decimals(value, 6)
}

/// Two numbers with just enough decimals to tell them apart: `59.2399` and `59.24`.
///
/// `least` decimals are tried first, so that percentages stay short.
#[must_use]
pub fn number_pair(value: f64, other: f64, least: usize) -> (String, String) {
    for decimals in least..=12 {
        let pair = (with_decimals(value, decimals), with_decimals(other, decimals));
        if pair.0 != pair.1 {
            return pair;
        }
    }
    (number(value), number(other))
}

fn with_decimals(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN".into()
        } else if value > 0.0 {
            "inf".into()
        } else {
            "-inf".into()
        };
    }
    // Far outside what fixed notation can show: nine significant digits.
    if value != 0.0 && (value.abs() >= 1e15 || value.abs() < 1e-6) {
        return format!("{value:e}");
    }
    let mut text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    if text == "-0" { "0".into() } else { text }
}

/// The candidate nearest to `word`, if one is near enough to be a slip of the finger.
#[must_use]
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count().max(word.chars().count()) / 3).max(1))
        .min()
        .map(|(_, candidate)| candidate)
}

/// A list in a sentence: `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn list<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<_> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

/// The same with a capital letter at its beginning.
#[must_use]
pub fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Text from outside made safe for one line of a terminal: control characters, and the marks that
/// turn the direction of writing, are shown as escapes.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        match ch {
            '\n' => out.push_str("\\n"),
            '\t' => out.push(' '),
            ch if is_unprintable(ch) => out.extend(ch.escape_default()),
            ch => out.push(ch),
        }
    }
    out
}

/// Text from outside made safe for several lines of a terminal or a document: line breaks and tabs
/// stay, colour sequences vanish, any other control character is shown as an escape.
#[must_use]
pub fn plain_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(ch) = chars.next() {
        match ch {
            '\n' | '\t' => out.push(ch),
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\u{1b}' => skip_escape_sequence(&mut chars),
            ch if is_unprintable(ch) => out.extend(ch.escape_default()),
            ch => out.push(ch),
        }
    }
    out
}

/// Skips what follows ESC (ECMA-48): a CSI sequence (colours, cursor), a control string (titles, links), or a short
/// sequence such as `(B`, which `tput sgr0` prints.
fn skip_escape_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        Some('[') => {
            while let Some(&next) = chars.peek() {
                if !(' '..='\u{7e}').contains(&next) {
                    break;
                }
                chars.next();
                if ('@'..='~').contains(&next) {
                    break;
                }
            }
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(&next) = chars.peek() {
                if next == '\n' {
                    break;
                }
                chars.next();
                if next == '\u{7}' {
                    break;
                }
                if next == '\u{1b}' {
                    chars.next_if_eq(&'\\');
                    break;
                }
            }
        }
        Some(' '..='/') => {
            while chars.next_if(|next| (' '..='/').contains(next)).is_some() {}
            chars.next_if(|next| ('0'..='~').contains(next));
        }
        _ => {}
    }
}

/// Control characters, and the characters that reorder or hide the text around them.
#[must_use]
pub fn is_unprintable(ch: char) -> bool {
    ch.is_control()
        || matches!(
            ch,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

/// At most `max` characters, the last of them `…` where something was cut.
#[must_use]
pub fn shorten(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(max.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// The first `max` characters, without a mark: for names whose start is enough, such as commits.
#[must_use]
pub fn shorten_plain(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_survive_being_written() {
        for size in [0, 1, 1_000, 1 << 10, 3 << 10, 1_500_000, 16 << 20, 8 << 30, 1 << 50, u64::MAX] {
            assert_eq!(parse_bytes(&bytes_setting(size)), Ok(size));
        }
        assert_eq!((bytes_setting(16 << 20), bytes_setting(1_025)), ("16MiB".into(), "1025".into()));
        assert_eq!((parse_bytes(" 64 kib "), parse_bytes("7B")), (Ok(65_536), Ok(7)));
        for bad in ["", "x", "-1", "1.5GiB", "1 MB", "99999999TiB", "18446744073709551616"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_and_durations_read_well() {
        assert_eq!(
            [bytes(0), bytes(1023), bytes(1536), bytes(10 << 20), bytes(u64::MAX)].join("|"),
            "0 B|1023 B|1.5 KiB|10.0 MiB|16777215.9 TiB"
        );
        let told: Vec<_> =
            [4, 1_234, 185_000, 300_000, 7_800_000, 2_592_000_000].map(|ms| duration(Duration::from_millis(ms))).into();
        assert_eq!(told.join("|"), "4 ms|1.2 s|3 min 05 s|5 min|2 h 10 min|30 d");
    }

    #[test]
    fn durations_parse_or_say_why_not() {
        assert_eq!(parse_duration("1h 30m").unwrap(), Duration::from_secs(5400));
        assert_eq!(parse_duration("90s").unwrap(), Duration::from_secs(90));
        assert_eq!(parse_duration("30d").unwrap(), Duration::from_secs(30 * 86_400));
        assert_eq!(parse_duration("12w").unwrap(), Duration::from_secs(84 * 86_400));
        for text in ["30m", "1h 30m", "30d", "250ms", "1d 2h 3m 4s 5ms"] {
            assert_eq!(duration_setting(parse_duration(text).unwrap()), text);
        }
        for bad in ["", "5", "five minutes", "-5m", "2mo", "1y", "5 parsecs"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_value_and_its_limit_never_look_equal_when_they_are_not() {
        assert_eq!(number_pair(59.2399, 59.24, 2), ("59.2399".into(), "59.24".into()));
        assert_eq!(number_pair(61.333_333, 59.24, 2), ("61.33".into(), "59.24".into()));
        assert_eq!(number_pair(2.0, 0.0, 2), ("2".into(), "0".into()));
        assert_eq!(number_pair(0.1 + 0.2, 0.3, 2), ("0.3".into(), "0.3".into()));
        assert_eq!(number(-0.0), "0");
        assert_eq!(number(f64::NAN), "NaN");
        assert_eq!(number(1e-9), "1e-9");
    }

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        assert_eq!(closest("timout", ["timeout", "needs"]), Some("timeout"));
        assert_eq!(closest("tests.faild", ["tests.total", "tests.failed"]), Some("tests.failed"));
        assert_eq!(closest("zebra", ["timeout", "needs"]), None);
    }

    #[test]
    fn hostile_text_cannot_move_the_cursor_or_reorder_a_line() {
        assert_eq!(one_line("a\u{1b}[31mb\u{202e}c\nd"), "a\\u{1b}[31mb\\u{202e}c\\nd");
        assert_eq!(one_line("\u{61c}\u{2028}\u{2029}"), "\\u{61c}\\u{2028}\\u{2029}");
        assert_eq!(plain_lines("a\u{1b}[31mred\u{1b}[0m\r\nb\u{0}\u{1b}]8;;http://x\u{7}link"), "ared\nb\\u{0}link");
        assert_eq!(plain_lines("\u{1b}[\u{1b}[2J"), "");
        assert_eq!(plain_lines("\u{1b}[31m-a\u{1b}(B\u{1b}[m\n\u{1b}Pq#0\u{1b}\\b"), "-a\nb");
    }
}
