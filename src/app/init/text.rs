//! The text of the proposed `mgmt.yml`, written for the people who will keep it.
//!
//! Lists that do not fit on a line are written one item a line, so that formatters for YAML leave the file alone.

use std::collections::BTreeSet;

use super::draft::{Action, Draft, Finding, Report};
use super::scalar::{flow_list, scalar};
use crate::config::SCHEMA_URL;
use crate::evidence::Kind;
use crate::sys::text;

/// Columns of a line.
const WIDTH: usize = 80;

/// Characters of a comment: names in it come from the project.
const MAX_COMMENT: usize = 300;

/// The whole file.
#[must_use]
pub(super) fn render(project: &str, findings: &[Finding]) -> String {
    let checks = || findings.iter().flat_map(|finding| &finding.checks);
    let mut out = Lines::default();
    out.add(0, &format!("# yaml-language-server: $schema={SCHEMA_URL}"));
    out.comment(0, "What must hold before a change is merged or shipped.");
    out.comment(0, "  mgmt full-check            run all of it");
    out.comment(0, "  mgmt full-check --dry-run  show what would run, and why");
    if checks().any(|check| check.fix.is_some()) {
        out.comment(0, "  mgmt full-check --fix      run each `fix` command first");
    }
    out.add(0, "version: 1");
    out.add(0, &format!("project: {{ name: {} }}", scalar(project)));
    out.add(0, "");
    out.comment(0, "Each check passes if its command exits with 0.");
    out.add(0, "checks:");
    for (at, finding) in findings.iter().enumerate() {
        if at > 0 {
            out.add(0, "");
        }
        if findings.len() > 1 {
            out.comment(1, finding.ecosystem);
        }
        for note in &finding.notes {
            out.comment(1, note);
        }
        for draft in &finding.checks {
            check(&mut out, draft);
        }
    }
    out.add(0, "");
    gate(&mut out, &checks().flat_map(|check| check.evidence.iter().map(|(kind, _)| *kind)).collect());
    out.0
}

fn check(out: &mut Lines, draft: &Draft) {
    for note in &draft.notes {
        out.comment(1, note);
    }
    out.add(1, &format!("{}:", scalar(&draft.id)));
    out.add(2, &format!("group: {}", scalar(draft.group)));
    match &draft.action {
        Action::Run(argv) => out.list(2, "run", argv),
        Action::Shell(line) => out.add(2, &format!("shell: {}", scalar(line))),
    }
    if let Some(argv) = &draft.fix {
        out.list(2, "fix", argv);
    }
    if !draft.env.is_empty() {
        out.add(2, "env:");
        for (name, value) in &draft.env {
            out.add(3, &format!("{}: {}", scalar(name), scalar(value)));
        }
    }
    if let Some(resource) = draft.exclusive {
        out.add(2, &format!("exclusive: {}", scalar(resource)));
    }
    if !draft.evidence.is_empty() {
        let entries: Vec<_> = draft.evidence.iter().map(|(kind, report)| entry(*kind, report)).collect();
        let line = format!("evidence: {{ {} }}", entries.join(", "));
        if Lines::fits(2, &line) {
            out.add(2, &line);
        } else {
            out.add(2, "evidence:");
            entries.iter().for_each(|entry| out.add(3, entry));
        }
    }
}

fn entry(kind: Kind, report: &Report) -> String {
    match report {
        Report::File(path) => format!("{}: {}", kind.name(), scalar(path)),
        Report::Output(format) => format!("{}: {{ from: output, format: {} }}", kind.name(), scalar(format)),
    }
}

fn gate(out: &mut Lines, kinds: &BTreeSet<Kind>) {
    if !kinds.contains(&Kind::Tests) {
        out.comment(0, "There is no `gate:` yet: no check leaves a report with numbers, so the checks alone decide.");
        return;
    }
    out.comment(0, "Rules on what the checks measured. What was not measured is inconclusive, never a pass.");
    out.add(0, "gate:");
    out.add(1, "- { metric: tests.failed, max: 0 }");
    out.comment(1, "A run that found no tests proves nothing.");
    out.add(1, "- { metric: tests.total, min: 1 }");
    if kinds.contains(&Kind::Coverage) {
        out.comment(1, "Coverage is measured and not yet judged: put the percentage you hold in place of NN.");
        out.comment(1, "- { metric: coverage.lines.percent, min: NN }");
    }
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn fits(level: usize, line: &str) -> bool {
        2 * level + line.chars().count() <= WIDTH
    }

    fn add(&mut self, level: usize, line: &str) {
        if !line.is_empty() {
            self.0.push_str(&"  ".repeat(level));
        }
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// A comment is one line, whatever the project's names hold.
    fn comment(&mut self, level: usize, line: &str) {
        self.add(level, &format!("# {}", text::shorten(&text::one_line(line), MAX_COMMENT)));
    }

    fn list(&mut self, level: usize, key: &str, items: &[String]) {
        let line = format!("{key}: {}", flow_list(items));
        if Self::fits(level, &line) {
            return self.add(level, &line);
        }
        self.add(level, &format!("{key}:"));
        for item in items {
            self.add(level + 1, &format!("- {}", scalar(item)));
        }
    }
}
