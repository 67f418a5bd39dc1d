//! `cargo xtask docs`: the tables in README.md, from the tables in the code and from action.yml, and its example
//! workflows, from those that the tests and the linters read.
//!
//! A generated part stands between `<!-- begin:NAME -->` and `<!-- end:NAME -->`.

use anyhow::Context as _;
use mgmt_action::evidence::{FORMATS, metric};
use mgmt_action::notify::NOTIFIERS;

use crate::chore::{put, root};

type Part = (&'static str, fn() -> anyhow::Result<String>);

/// Every generated part.
const PARTS: &[Part] = &[
    ("formats", formats),
    ("metrics", metrics),
    ("receivers", receivers),
    ("inputs", inputs),
    ("outputs", outputs),
    ("workflow:pull-request", || workflow("pull-request")),
    ("workflow:forks", || workflow("forks")),
    ("workflow:monorepo", || workflow("monorepo")),
    ("workflow:monorepo-forks", || workflow("monorepo-forks")),
    ("workflow:deploy", || workflow("deploy")),
    ("workflow:retrain-audit", || workflow("retrain-audit")),
];

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
        out.replace_range(from..to, &part()?);
    }
    Ok(out)
}

fn formats() -> anyhow::Result<String> {
    let mut out = "| `format:` | about | what it is |\n|---|---|---|\n".to_owned();
    for row in FORMATS {
        out.push_str(&format!("| `{}` | {} | {} |\n", row.name, row.kind.name(), row.doc));
    }
    Ok(out)
}

fn metrics() -> anyhow::Result<String> {
    let mut out = "| metric | what it counts |\n|---|---|\n".to_owned();
    for row in metric::NAMES {
        out.push_str(&format!("| `{}` | {} |\n", row.name, row.doc));
    }
    for (prefix, doc) in metric::NAMESPACES {
        out.push_str(&format!("| `{prefix}NAME` | {doc} |\n"));
    }
    Ok(out)
}

fn receivers() -> anyhow::Result<String> {
    let mut out = "| kind | what it is | keys of its own |\n|---|---|---|\n".to_owned();
    for row in NOTIFIERS {
        let keys: Vec<_> = row.keys.iter().map(|key| format!("`{}`", key.name)).collect();
        out.push_str(&format!("| `{}` | {} | {} |\n", row.name, row.doc, keys.join(", ")));
    }
    Ok(out)
}

fn inputs() -> anyhow::Result<String> {
    let mut out = "| input | default | what it says |\n|---|---|---|\n".to_owned();
    for (name, input) in entries("inputs")? {
        let default = input["default"].as_str().with_context(|| format!("the input {name} has no default"))?;
        let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
        out.push_str(&format!("| `{name}` | {default} | {} |\n", description(&name, &input)?));
    }
    Ok(out)
}

fn outputs() -> anyhow::Result<String> {
    let mut out = "| output | what it says |\n|---|---|\n".to_owned();
    for (name, output) in entries("outputs")? {
        out.push_str(&format!("| `{name}` | {} |\n", description(&name, &output)?));
    }
    Ok(out)
}

/// The entries of a mapping in action.yml, in its order.
fn entries(section: &str) -> anyhow::Result<Vec<(String, serde_yaml::Value)>> {
    let text = std::fs::read_to_string(root().join("action.yml")).context("action.yml")?;
    let action: serde_yaml::Value = serde_yaml::from_str(&text).context("action.yml")?;
    let section = action[section].as_mapping().with_context(|| format!("action.yml has no {section}"))?;
    let named = |(name, value): (&serde_yaml::Value, &serde_yaml::Value)| {
        Ok((name.as_str().context("action.yml has a name that is no text")?.to_owned(), value.clone()))
    };
    section.iter().map(named).collect()
}

fn description(name: &str, entry: &serde_yaml::Value) -> anyhow::Result<String> {
    let text = entry["description"].as_str().with_context(|| format!("{name} has no description"))?;
    Ok(text.trim().replace('|', "\\|").replace('\n', " "))
}

/// An example, without what only a linter reads. Those that `mgmt init --github` writes are held by its own tests.
fn workflow(name: &str) -> anyhow::Result<String> {
    let path = format!("tests/fixtures/workflows/{name}.yml");
    let text = std::fs::read_to_string(root().join(&path)).context(path)?;
    let lines = text.lines().map(|line| line.split(" # zizmor: ignore[").next().unwrap_or(line));
    Ok(format!("```yaml\n{}\n```\n", lines.collect::<Vec<_>>().join("\n")))
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
