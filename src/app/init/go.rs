//! Go: vet, gofmt, tests, golangci-lint.

use super::draft::{Action, Draft, Finding, Report, Reports};
use super::project::Project;
use super::{Detector, setup};
use crate::evidence::Kind;

/// The row.
pub(super) const DETECTOR: Detector = Detector {
    name: "go",
    doc: "go vet, golangci-lint, gofmt and tests, with a report where gotestsum is installed.",
    title: "Go",
    manifests: &["go.mod"],
    detect,
    setup: setup::go,
};

const LINT_CONFIGS: &[&str] = &[".golangci.yml", ".golangci.yaml", ".golangci.toml", ".golangci.json"];

fn detect(project: &dyn Project, reports: Reports) -> Option<Finding> {
    if !project.is_file("go.mod") {
        return None;
    }
    let mut finding = Finding { signs: "go.mod".to_owned(), ..Finding::default() };
    finding.name = project.text("go.mod", &mut finding.left_out).and_then(|text| name(&text));
    if !project.has_program("go") {
        finding.left_out.push("go: go.mod is there, but `go` is not on PATH".to_owned());
        return Some(finding);
    }
    finding.checks.push(Draft::run("vet", "lint", ["go", "vet", "./..."]));
    lint(project, &mut finding);
    format(project, &mut finding);
    test(project, reports, &mut finding);
    Some(finding)
}

/// The last part of the module's path that is not a version: `example.com/bot/v2` is `bot`.
fn name(text: &str) -> Option<String> {
    let path = text.lines().find_map(|line| line.trim().strip_prefix("module "))?;
    let path = path.split("//").next().unwrap_or(path).trim().trim_matches('"');
    let is_version =
        |part: &str| part.strip_prefix('v').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    path.rsplit('/').find(|part| !is_version(part)).map(str::to_owned)
}

fn lint(project: &dyn Project, finding: &mut Finding) {
    let Some(config) = project.first_file(LINT_CONFIGS) else { return };
    if project.has_program("golangci-lint") {
        finding.checks.push(Draft::run("golangci-lint", "lint", ["golangci-lint", "run"]));
    } else {
        finding.left_out.push(format!("golangci-lint: configured in {config}, but not on PATH"));
    }
}

fn format(project: &dyn Project, finding: &mut Finding) {
    if cfg!(windows) {
        finding.left_out.push("gofmt: it tells by its output, not by its exit code; that takes a POSIX shell".into());
        return;
    }
    if !project.has_program("gofmt") {
        finding.left_out.push("gofmt: not on PATH".to_owned());
        return;
    }
    if project.is_folder("vendor") {
        finding.left_out.push("gofmt: it would look at vendor/ too; write a check that names your folders".to_owned());
        return;
    }
    // A file that gofmt cannot parse is in no list: its exit code must count as well.
    let line = "files=$(gofmt -l .) || exit 1; echo \"$files\"; test -z \"$files\"";
    let mut draft = Draft::run("gofmt", "format", ["gofmt"])
        .fixed_by(["gofmt", "-w", "."])
        .noted("gofmt lists the files it would change and exits with 0 all the same.");
    draft.action = Action::Shell(line.to_owned());
    finding.checks.push(draft);
}

fn test(project: &dyn Project, reports: Reports, finding: &mut Finding) {
    if project.has_program("gotestsum") {
        let report = reports.in_folder("junit.xml");
        let draft = Draft::run("tests", "test", ["gotestsum", "--junitfile", report.as_str(), "--", "./..."]);
        finding.checks.push(draft.leaving(Kind::Tests, Report::File(report)));
        return;
    }
    finding.checks.push(Draft::run("tests", "test", ["go", "test", "./..."]));
    finding.left_out.push(
        "a report of the Go tests: gotestsum is not on PATH, so they are run but not counted; \
         `go install gotest.tools/gotestsum@latest` installs it"
            .to_owned(),
    );
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::super::compose;
    use super::super::project::Fake;
    use super::*;

    fn module() -> Fake {
        Fake::default().file("go.mod", "// a bot\nmodule example.com/team/bot/v2 // no\n\ngo 1.22\n")
    }

    #[test]
    #[cfg(not(windows))]
    fn everything_found() {
        let tree = module().files(&[".golangci.yml"]).programs(&["go", "gofmt", "gotestsum", "golangci-lint"]);
        let proposed = compose(&tree, Utf8Path::new("/w/bot")).unwrap();
        insta::assert_snapshot!(proposed.text, @r#"
        # yaml-language-server: $schema=https://raw.githubusercontent.com/org/mgmt-action/v1/schema/mgmt.schema.json
        # What must hold before a change is merged or shipped.
        #   mgmt full-check            run all of it
        #   mgmt full-check --dry-run  show what would run, and why
        #   mgmt full-check --fix      run each `fix` command first
        version: 1
        project: { name: bot }

        # Each check passes if its command exits with 0.
        checks:
          vet:
            group: lint
            run: [go, vet, ./...]
          golangci-lint:
            group: lint
            run: [golangci-lint, run]
          # gofmt lists the files it would change and exits with 0 all the same.
          gofmt:
            group: format
            shell: 'files=$(gofmt -l .) || exit 1; echo "$files"; test -z "$files"'
            fix: [gofmt, -w, .]
          tests:
            group: test
            run: [gotestsum, --junitfile, reports/junit.xml, --, ./...]
            evidence: { tests: reports/junit.xml }

        # Rules on what the checks measured. What was not measured is inconclusive, never a pass.
        gate:
          - { metric: tests.failed, max: 0 }
          # A run that found no tests proves nothing.
          - { metric: tests.total, min: 1 }
        "#);
        assert_eq!(proposed.left_out, [""; 0]);
    }

    #[test]
    fn without_gotestsum_tests_run_and_nothing_is_judged() {
        let tree = module().files(&[".golangci.toml", "vendor/modules.txt"]).programs(&["go", "gofmt"]);
        let proposed = compose(&tree, Utf8Path::new("/w/bot")).unwrap();
        assert!(proposed.text.contains("run: [go, test, ./...]"), "{}", proposed.text);
        assert!(!proposed.text.contains("\ngate:"), "{}", proposed.text);
        let about: Vec<_> = proposed.left_out.iter().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(about, ["golangci-lint", "gofmt", "a report of the Go tests"]);
    }

    #[test]
    fn without_go_there_is_nothing_to_check() {
        let error = compose(&module(), Utf8Path::new("/w/bot")).unwrap_err();
        let stop = error.downcast_ref::<super::super::Stop>().unwrap();
        assert_eq!(stop.exit, crate::app::Exit::Nothing);
        assert!(stop.hint.as_deref().unwrap_or_default().contains("`go` is not on PATH"), "{stop:?}");
    }

    #[test]
    fn a_module_is_named_by_the_last_part_of_its_path() {
        assert_eq!(name("module bot\n").as_deref(), Some("bot"));
        assert_eq!(name("module \"example.com/v8\"\n").as_deref(), Some("example.com"));
        assert_eq!(name("go 1.22\n"), None);
    }
}
