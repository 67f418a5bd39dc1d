//! The lines of TAP, each by itself, and what its YAML blocks say.

use super::super::super::Outcome;

/// A line `ok …` or `not ok …`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) name: String,
    pub(super) number: Option<u64>,
    pub(super) outcome: Outcome,
    pub(super) is_ok: bool,
    pub(super) seconds: Option<f64>,
    /// Whether its points follow in braces.
    pub(super) opens: bool,
}

/// `1..N`, perhaps with a comment; `1..0` plans nothing.
pub(super) fn plan(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("1..")?;
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let after = rest[end..].trim();
    (after.is_empty() || after.starts_with('#')).then(|| rest[..end].parse().ok()).flatten()
}

/// `ok 3 - description # SKIP why`.
pub(super) fn point(line: &str) -> Option<Point> {
    let (is_ok, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    if rest.starts_with(|ch: char| !ch.is_ascii_whitespace()) {
        return None;
    }
    let rest = rest.trim();
    let (rest, opens) = rest.strip_suffix(" {").map_or((rest, false), |rest| (rest.trim_end(), true));
    let (rest, seconds) = time(rest);
    let digits = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let number = rest[..digits].parse().ok();
    let is_number = digits > 0 && rest[digits..].chars().next().is_none_or(char::is_whitespace);
    let rest = if is_number { rest[digits..].trim_start() } else { rest };
    let (description, directive) = directive(rest);
    let description = description.strip_prefix("- ").unwrap_or(description).trim();
    let outcome = match (is_ok, directive) {
        (true, Some(Directive::Skip)) | (false, Some(Directive::Todo)) => Outcome::Skipped,
        (true, _) => Outcome::Passed,
        (false, _) => Outcome::Failed,
    };
    let name = match (description, number) {
        ("" | "-", Some(number)) => format!("test {number}"),
        ("" | "-", None) => "(unnamed)".to_owned(),
        _ => unescape(description),
    };
    Some(Point { name, number: number.filter(|_| is_number), outcome, is_ok, seconds, opens })
}

/// Splits `description # time=1.5ms`.
fn time(text: &str) -> (&str, Option<f64>) {
    let Some((before, time)) = text.rsplit_once("# time=") else { return (text, None) };
    let (number, unit) = match time.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (time.strip_suffix('s').unwrap_or(time), 1.0),
    };
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => (before.trim_end(), Some(value * unit)),
        _ => (text, None),
    }
}

/// A line of the sums at the end: `tests 3`, `pass  2`, `duration_ms 12.5`.
pub(super) fn is_sum(comment: &str) -> bool {
    let mut words = comment.split_ascii_whitespace();
    let word = words.next().unwrap_or_default();
    let is_word =
        ["tests", "suites", "pass", "fail", "ok", "cancelled", "skipped", "todo", "duration_ms"].contains(&word);
    is_word && words.next().is_none_or(|number| number.parse::<f64>().is_ok()) && words.next().is_none()
}

#[derive(Clone, Copy)]
enum Directive {
    Skip,
    Todo,
}

/// Splits `description # TODO why` at the last `#` that is not escaped and begins a directive.
fn directive(text: &str) -> (&str, Option<Directive>) {
    for (at, _) in text.rmatch_indices('#') {
        let escapes = text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if escapes % 2 == 1 {
            continue;
        }
        let word: String = text[at + 1..].trim_start().chars().take(4).collect();
        let after = text[at + 1..].trim_start().chars().nth(4);
        match word.to_ascii_lowercase().as_str() {
            // `# SKIPPED:` and `# skip:` occur.
            "skip" => return (&text[..at], Some(Directive::Skip)),
            "todo" if after.is_none_or(|ch| !ch.is_alphanumeric()) => return (&text[..at], Some(Directive::Todo)),
            _ => {}
        }
    }
    (text, None)
}

/// `\#` and `\\`.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(ch) = chars.next() {
        match chars.peek() {
            Some(&next @ ('#' | '\\')) if ch == '\\' => {
                out.push(next);
                chars.next();
            }
            _ => out.push(ch),
        }
    }
    out
}

/// What a YAML block says under `message` or `error`, with the stack after it.
pub(super) fn message(yaml: &str) -> Option<String> {
    let said = field(yaml, "message").or_else(|| field(yaml, "error"))?;
    Some(match field(yaml, "stack") {
        Some(stack) if !stack.is_empty() => format!("{said}\n{stack}"),
        _ => said,
    })
    .filter(|said| !said.is_empty())
}

/// A scalar of a YAML block, at any depth: quoted, plain, or a block of more indented lines.
fn field(yaml: &str, key: &str) -> Option<String> {
    let mut lines = yaml.lines();
    let indent_of = |line: &str| line.len() - line.trim_start().len();
    let value_of = |line: &'_ str| {
        Some((indent_of(line), line.trim_start().strip_prefix(key)?.strip_prefix(':')?.trim().to_owned()))
    };
    let (base, value) = lines.find_map(value_of)?;
    let value = value.as_str();
    if value.starts_with(['|', '>']) {
        let block: Vec<&str> = lines.take_while(|line| indent_of(line) > base || line.trim().is_empty()).collect();
        let indent =
            block.iter().filter(|line| !line.trim().is_empty()).map(|line| line.len() - line.trim_start().len());
        let indent = indent.min().unwrap_or(0);
        let block: Vec<&str> = block.iter().map(|line| line.get(indent..).unwrap_or_default()).collect();
        return Some(block.join("\n").trim().to_owned());
    }
    let inner = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    Some(match (inner('\''), inner('"')) {
        (Some(single), _) => single.replace("''", "'"),
        (_, Some(_)) => serde_json::from_str(value).unwrap_or_else(|_| value.to_owned()),
        _ => value.to_owned(),
    })
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn named(name: &str, outcome: Outcome) -> (String, Outcome) {
        (name.to_owned(), outcome)
    }

    #[test]
    fn every_form_of_a_point() {
        let point = |line: &str| point(line).map(|point| (point.name, point.outcome));
        assert_eq!(point("ok"), Some(named("(unnamed)", Outcome::Passed)));
        assert_eq!(point("ok 7"), Some(named("test 7", Outcome::Passed)));
        assert_eq!(point("ok 7 -"), Some(named("test 7", Outcome::Passed)));
        assert_eq!(point("not ok 3 a # b"), Some(named("a # b", Outcome::Failed)));
        assert_eq!(point("ok - 5 apples"), Some(named("5 apples", Outcome::Passed)));
        assert_eq!(point("ok 1 - a \\# SKIP b \\\\"), Some(named("a # SKIP b \\", Outcome::Passed)));
        assert_eq!(point("ok 1 - a # skipped: b"), Some(named("a", Outcome::Skipped)));
        assert_eq!(point("ok 1 # SKIP"), Some(named("test 1", Outcome::Skipped)));
        assert_eq!(point("not ok 1 - a # SKIP b"), Some(named("a", Outcome::Failed)));
        assert_eq!(point("not ok 1 - a # TODO b"), Some(named("a", Outcome::Skipped)));
        assert_eq!(point("ok 1 - a # TODO b"), Some(named("a", Outcome::Passed)));
        assert_eq!(point("not ok 1 - a # TODOS b"), Some(named("a # TODOS b", Outcome::Failed)));
        assert_eq!(point("okay"), None);
        let time = |line: &str| super::point(line).map(|point| (point.name, point.seconds, point.opens));
        assert_eq!(time("ok 1 - a # time=1500ms"), Some(("a".into(), Some(1.5), false)));
        assert_eq!(time("not ok 1 - a # time=2s {"), Some(("a".into(), Some(2.0), true)));
        assert_eq!(time("ok 1 - a # time=soon"), Some(("a # time=soon".into(), None, false)));
        assert_eq!(plan("1..0 # SKIP no database"), Some(0));
        assert_eq!((plan("1.."), plan("1..3x"), plan("2..3")), (None, None, None));
    }
}
