//! Rust: cargo's formatter, clippy, tests.

use toml::Table;

use super::draft::{Draft, Finding, Report, Reports};
use super::project::Project;
use super::{Detector, setup};
use crate::evidence::Kind;

/// The row.
pub(super) const DETECTOR: Detector = Detector {
    name: "rust",
    doc: "cargo's formatter, clippy and tests.",
    title: "Rust",
    manifests: &["Cargo.toml"],
    detect,
    setup: setup::rust,
};

/// What checks that build share: cargo locks its target folder, so a second one would only wait.
const RESOURCE: &str = "cargo";

fn detect(project: &dyn Project, _: Reports) -> Option<Finding> {
    if !project.is_file("Cargo.toml") {
        return None;
    }
    let mut finding = Finding { signs: "Cargo.toml".to_owned(), ..Finding::default() };
    let Some(text) = project.text("Cargo.toml", &mut finding.left_out) else { return Some(finding) };
    let manifest = match text.parse::<Table>() {
        Ok(manifest) => manifest,
        Err(error) => {
            finding.left_out.push(format!("Cargo.toml: it is not valid TOML ({})", error.message()));
            return Some(finding);
        }
    };
    let package = manifest.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
    finding.name = package.map(str::to_owned);
    if !project.has_program("cargo") {
        finding.left_out.push("cargo: Cargo.toml is there, but `cargo` is not on PATH".to_owned());
        return Some(finding);
    }
    let is_workspace = manifest.contains_key("workspace");
    format(project, is_workspace, &mut finding);
    lint(project, is_workspace, &mut finding);
    test(is_workspace, &mut finding);
    Some(finding)
}

fn format(project: &dyn Project, is_workspace: bool, finding: &mut Finding) {
    if !project.has_program("cargo-fmt") {
        finding.left_out.push("rustfmt: not installed; `rustup component add rustfmt` installs it".to_owned());
        return;
    }
    let fix: &[&str] = if is_workspace { &["cargo", "fmt", "--all"] } else { &["cargo", "fmt"] };
    let check = fix.iter().chain(&["--check"]).copied();
    finding.checks.push(Draft::run("fmt", "format", check).fixed_by(fix.iter().copied()));
}

fn lint(project: &dyn Project, is_workspace: bool, finding: &mut Finding) {
    if !project.has_program("cargo-clippy") {
        finding.left_out.push("clippy: not installed; `rustup component add clippy` installs it".to_owned());
        return;
    }
    let scope: &[&str] = if is_workspace { &["--workspace"] } else { &[] };
    let argv = ["cargo", "clippy"].iter().chain(scope).chain(&["--all-targets", "--", "-D", "warnings"]);
    let mut draft = Draft::run("clippy", "lint", argv.copied());
    draft.exclusive = Some(RESOURCE);
    finding.checks.push(draft.noted("Checks with the same `exclusive` share cargo's target folder and take turns."));
}

fn test(is_workspace: bool, finding: &mut Finding) {
    let scope: &[&str] = if is_workspace { &["--workspace"] } else { &[] };
    let argv = ["cargo", "test"].iter().chain(scope).chain(&["--no-fail-fast"]);
    let mut draft = Draft::run("tests", "test", argv.copied()).leaving(Kind::Tests, Report::Output("libtest"));
    draft.exclusive = Some(RESOURCE);
    finding.checks.push(draft);
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::super::compose;
    use super::super::project::Fake;

    const TOOLS: &[&str] = &["cargo", "cargo-fmt", "cargo-clippy"];

    #[test]
    fn a_package() {
        let tree = Fake::default().file("Cargo.toml", "[package]\nname = \"bot\"\n").programs(TOOLS);
        let proposed = compose(&tree, Utf8Path::new("/w/x")).unwrap();
        insta::assert_snapshot!(proposed.text, @r"
        # yaml-language-server: $schema=https://raw.githubusercontent.com/org/mgmt-action/v1/schema/mgmt.schema.json
        # What must hold before a change is merged or shipped.
        #   mgmt full-check            run all of it
        #   mgmt full-check --dry-run  show what would run, and why
        #   mgmt full-check --fix      run each `fix` command first
        version: 1
        project: { name: bot }

        # Each check passes if its command exits with 0.
        checks:
          fmt:
            group: format
            run: [cargo, fmt, --check]
            fix: [cargo, fmt]
          # Checks with the same `exclusive` share cargo's target folder and take turns.
          clippy:
            group: lint
            run: [cargo, clippy, --all-targets, --, -D, warnings]
            exclusive: cargo
          tests:
            group: test
            run: [cargo, test, --no-fail-fast]
            exclusive: cargo
            evidence: { tests: { from: output, format: libtest } }

        # Rules on what the checks measured. What was not measured is inconclusive, never a pass.
        gate:
          - { metric: tests.failed, max: 0 }
          # A run that found no tests proves nothing.
          - { metric: tests.total, min: 1 }
        ");
    }

    #[test]
    fn a_workspace_is_checked_as_a_whole_and_named_by_its_folder() {
        let tree = Fake::default().file("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n").programs(TOOLS);
        let proposed = compose(&tree, Utf8Path::new("/w/my bots")).unwrap();
        for line in [
            "project: { name: \"my bots\" }",
            "run: [cargo, fmt, --all, --check]",
            "fix: [cargo, fmt, --all]",
            "run: [cargo, clippy, --workspace, --all-targets, --, -D, warnings]",
            "run: [cargo, test, --workspace, --no-fail-fast]",
        ] {
            assert!(proposed.text.contains(line), "{line} in\n{}", proposed.text);
        }
    }

    #[test]
    fn what_is_not_installed_is_left_out() {
        let tree = Fake::default().file("Cargo.toml", "[package]\nname = \"bot\"\n").programs(&["cargo"]);
        let proposed = compose(&tree, Utf8Path::new("/w/x")).unwrap();
        assert!(!proposed.text.contains("clippy") && !proposed.text.contains("fmt"), "{}", proposed.text);
        let about: Vec<_> = proposed.left_out.iter().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(about, ["rustfmt", "clippy"]);
    }

    #[test]
    fn a_manifest_that_cannot_be_read_is_said_to_be() {
        let hints = |text: &str| {
            let tree = Fake::default().file("Cargo.toml", text).programs(TOOLS);
            let error = compose(&tree, Utf8Path::new("/w/x")).unwrap_err();
            error.downcast_ref::<super::super::Stop>().unwrap().hint.clone().unwrap()
        };
        assert!(hints("[package\n").contains("Cargo.toml: it is not valid TOML"), "{}", hints("[package\n"));
        assert!(hints("(unreadable)").contains("Cargo.toml: it is larger than 4.0 MiB"), "{}", hints("(unreadable)"));
    }
}
