//! A text with gaps.

/// Fills the gaps `«name»` of a text. A gap that has a line for itself takes whole lines, each with its end, or none;
/// another takes a part of a line. What is filled in is never looked through for gaps.
#[must_use]
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let value = |name: &str| {
        let found = values.iter().find(|(known, _)| *known == name);
        debug_assert!(found.is_some(), "nothing for «{name}»");
        found.map_or("", |(_, value)| value)
    };
    let mut out = String::with_capacity(template.len());
    for line in template.lines() {
        let whole = line.strip_prefix('«').and_then(|rest| rest.strip_suffix('»'));
        if let Some(name) = whole.filter(|name| !name.contains('»')) {
            out.push_str(value(name));
            continue;
        }
        let mut parts = line.split('«');
        out.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (name, rest) = part.split_once('»').unwrap_or((part, ""));
            out.push_str(value(name));
            out.push_str(rest);
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_take_parts_of_a_line_whole_lines_or_nothing() {
        let values = [("a", "«b»"), ("b", "two"), ("lines", "  x\n  y\n"), ("none", "")];
        assert_eq!(fill("1 «a» «b»!\n«lines»\n«none»\nend\n", &values), "1 «b» two!\n  x\n  y\nend\n");
    }
}
