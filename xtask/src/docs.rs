//! `cargo xtask docs`: the tables in README.md, from the tables in the code.
//!
//! A generated part stands between `<!-- begin:NAME -->` and `<!-- end:NAME -->`.

use anyhow::Context as _;
use mgmt_action::evidence::{FORMATS, metric};

use crate::chore::{put, root};

type Part = (&'static str, fn() -> String);

/// Every generated part.
const PARTS: &[Part] = &[("formats", formats), ("metrics", metrics)];

pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let path = root().join("README.md");
    let text = std::fs::read_to_string(&path).context("README.md")?;
    put(&path, &filled(&text)?, args)
}

fn filled(text: &str) -> anyhow::Result<String> {
    let mut out = text.to_owned();
    for (name, part) in PARTS {
        let (begin, end) = (format!("<!-- begin:{name} -->\n"), format!("<!-- end:{name} -->"));
        let from = out.find(&begin).with_context(|| format!("README.md has no `{}`", begin.trim()))? + begin.len();
        let to = out[from..].find(&end).with_context(|| format!("README.md has no `{end}`"))? + from;
        out.replace_range(from..to, &part());
    }
    Ok(out)
}

fn formats() -> String {
    let mut out = "| `format:` | about | what it is |\n|---|---|---|\n".to_owned();
    for row in FORMATS {
        out.push_str(&format!("| `{}` | {} | {} |\n", row.name, row.kind.name(), row.doc));
    }
    out
}

fn metrics() -> String {
    let mut out = "| metric | what it counts |\n|---|---|\n".to_owned();
    for row in metric::NAMES {
        out.push_str(&format!("| `{}` | {} |\n", row.name, row.doc));
    }
    for (prefix, doc) in metric::NAMESPACES {
        out.push_str(&format!("| `{prefix}NAME` | {doc} |\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_is_current() {
        let text = std::fs::read_to_string(root().join("README.md")).unwrap();
        assert!(filled(&text).unwrap() == text, "run `cargo xtask docs`");
    }
}
