//! Whether every dependency in a manifest says why it is there: a comment on the line above it, or above the group
//! of adjacent lines it belongs to. A blank line ends a group.

/// The dependencies of a manifest that stand there without a reason.
pub(crate) fn without_reason(file: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let mut table = Table::Other;
    let mut above = Above::Nothing;
    let mut open = 0_usize;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let goes_on = open > 0;
        open = open.saturating_add_signed(brackets(line));
        if goes_on {
            continue;
        }
        let is_header = line.starts_with('[');
        if is_header {
            table = table_of(line);
        }
        let names_dependency = match table {
            Table::Dependencies => !is_header,
            Table::OneDependency => is_header,
            Table::Other => false,
        };
        if line.is_empty() {
            above = Above::Nothing;
        } else if let Some(comment) = line.strip_prefix('#') {
            above = if comment.trim().is_empty() { Above::Nothing } else { Above::Reason };
        } else if names_dependency && matches!(above, Above::Nothing) {
            findings.push(format!("{file}:{}: no reason given for {line}", number + 1));
        } else if is_header {
            above = Above::Nothing;
        }
    }
    findings
}

/// What stands above a line: a reason holds for all lines that follow it without a gap.
enum Above {
    Reason,
    Nothing,
}

enum Table {
    /// `[dependencies]`: each line names one.
    Dependencies,
    /// `[dependencies.serde]`: the header names it.
    OneDependency,
    Other,
}

fn table_of(header: &str) -> Table {
    let header = header.split('#').next().unwrap_or(header).trim();
    let name = header.trim_matches(['[', ']']).trim();
    let is_list = |name: &str| name.ends_with("dependencies");
    match name.rsplit_once('.') {
        _ if is_list(name) => Table::Dependencies,
        Some((table, _)) if is_list(table) => Table::OneDependency,
        _ => Table::Other,
    }
}

/// How many brackets a line leaves open; those in strings and comments do not count.
fn brackets(line: &str) -> isize {
    let mut open = 0;
    let mut quote = None;
    for sign in line.chars() {
        match (quote, sign) {
            (None, '"' | '\'') => quote = Some(sign),
            (Some(start), end) if start == end => quote = None,
            (None, '#') => break,
            (None, '[' | '{') => open += 1,
            (None, ']' | '}') => open -= 1,
            _ => {}
        }
    }
    open
}

#[test]
fn planted_dependencies_without_a_reason_are_named() {
    let manifest = "\
[package]
name = \"a\"

[dependencies]
bare = \"1\"
# Why both are here.
one = \"1\"
two = { version = \"1\", features = [
    \"x\", # [not a bracket
    \"y\",
] }
three = \"1\"

late = \"1\"
#
hollow = \"1\"

[target.'cfg(unix)'.dev-dependencies]
# Signals.
nix = \"1\"

[target.'cfg(windows)'.dependencies] # why the table, not what is in it
win = \"1\"

# A table of its own.
[dependencies.long]
version = \"1\"

[build-dependencies.lost]
version = \"1\"

[features]
net = []
";
    assert_eq!(
        without_reason("Cargo.toml", manifest),
        [
            "Cargo.toml:5: no reason given for bare = \"1\"",
            "Cargo.toml:14: no reason given for late = \"1\"",
            "Cargo.toml:16: no reason given for hollow = \"1\"",
            "Cargo.toml:23: no reason given for win = \"1\"",
            "Cargo.toml:29: no reason given for [build-dependencies.lost]",
        ]
    );
}
