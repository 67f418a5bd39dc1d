//! `init`: a `mgmt.yml` from what is found in the project, naming only tools that are there.
//!
//! An ecosystem is one file here and one row in [`DETECTORS`]. A detector looks through `Project`, which a test
//! replaces by a tree in memory, and returns drafts; `text` writes them down. What is written is read back by
//! `config` before anyone sees it.
//!
//! Deliberately absent: limits nobody chose (a percentage of coverage, a number of tests), checks of files that
//! happen to be there today, and running the project's own code.

mod disk;
mod draft;
pub mod github;
mod go;
mod node;
mod project;
mod python;
mod requirements;
mod runners;
mod rust;
mod scalar;
mod setup;
mod text;

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Context, Stop};
use crate::config::{self, FILE_NAMES};
use crate::repo;
use crate::sys::fs;
use crate::sys::text::{one_line, shorten};
use disk::Disk;
use draft::{Finding, Report, Reports};
use project::{Project, readable_name};

/// A configuration that could be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// The text of `mgmt.yml`.
    pub text: String,
    /// One line for each ecosystem found, for a person.
    pub found: Vec<String>,
    /// What the project names and the text does not, each with the reason.
    pub left_out: Vec<String>,
    /// The project's root, where the file belongs.
    pub root: Utf8PathBuf,
}

/// What happens to a configuration that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// It stays, and nothing is written.
    No,
    /// It is replaced.
    Yes,
}

/// One row: an ecosystem.
pub struct Detector {
    /// Its name; goes before ids and reports whose plain names another ecosystem has taken.
    pub name: &'static str,
    /// One line for the README.
    pub doc: &'static str,
    /// What people call it.
    title: &'static str,
    /// Files that tell a person and this program that it is there.
    manifests: &'static [&'static str],
    /// What it proposes; `None` if nothing of it is there.
    detect: fn(&dyn Project, Reports) -> Option<Finding>,
    /// Lines of a workflow's steps that install what checks need which start these programs; none if nothing of it is
    /// there.
    setup: fn(&dyn Project, &[&str]) -> Vec<String>,
}

/// Every ecosystem, in the order in which checks are written.
pub const DETECTORS: &[Detector] = &[python::DETECTOR, node::DETECTOR, go::DETECTOR, rust::DETECTOR];

/// Characters of a line about what was found or left out: names in it come from the project.
const MAX_LINE: usize = 400;

/// A configuration somebody writes by hand where nothing is found.
const EXAMPLE: &str = "  version: 1\n  checks:\n    tests: { group: test, run: [make, test] }";

/// Looks at the project and proposes a configuration; writes nothing. The project is the git repository that
/// the current folder is in, else that folder.
///
/// # Errors
/// [`Stop`] with exit code 3 if nothing was found that a check could run.
pub fn propose(context: &Context) -> anyhow::Result<Proposed> {
    let root = repo::find_root(&context.cwd).unwrap_or_else(|| context.cwd.clone());
    compose(&Disk { root: root.clone(), env: &context.env }, &root)
}

/// Writes a proposed configuration to its root; where one is replaced, in its own place.
///
/// # Errors
/// [`Stop`] with exit code 2 if a configuration is there and may not be replaced; a failed write.
pub fn write(proposed: &Proposed, overwrite: Overwrite) -> anyhow::Result<Utf8PathBuf> {
    // A link that leads nowhere is a configuration too: somebody put it there.
    let is_there = |name: &&&str| proposed.root.join(name).symlink_metadata().is_ok();
    let existing = FILE_NAMES.iter().find(is_there);
    if let (Some(name), Overwrite::No) = (existing, overwrite) {
        let hint = "`mgmt init --force` replaces it, `mgmt init --stdout` only prints the proposal".to_owned();
        return Err(Stop::usage(format!("{name} is there already"), Some(hint)).into());
    }
    let path = proposed.root.join(existing.unwrap_or(&FILE_NAMES[0]));
    fs::write_atomic(&path, proposed.text.as_bytes()).map_err(|error| {
        Stop::undecided(error.to_string(), Some("`mgmt init --stdout` prints the text instead of writing it".into()))
    })?;
    Ok(path)
}

/// Runs every detector and joins what they propose.
fn compose(project: &dyn Project, root: &Utf8Path) -> anyhow::Result<Proposed> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut left_out = Vec::new();
    let mut ids = BTreeSet::new();
    for detector in DETECTORS {
        let is_taken = writes_files(&findings);
        let reports = Reports { prefix: is_taken.then_some(detector.name) };
        match (detector.detect)(project, reports) {
            Some(mut finding) => {
                finding.ecosystem = detector.title;
                for check in &mut finding.checks {
                    check.id = free_id(&ids, detector.name, &check.id);
                    ids.insert(check.id.clone());
                }
                left_out.append(&mut finding.left_out);
                findings.push(finding);
            }
            None => left_out.extend(below(project, detector)),
        }
    }
    let readable = |lines: Vec<String>| lines.iter().map(|line| shorten(&one_line(line), MAX_LINE)).collect::<Vec<_>>();
    let left_out = readable(left_out);
    let found = readable(findings.iter().map(|finding| finding.told()).collect());
    findings.retain(|finding| !finding.checks.is_empty());
    if findings.is_empty() {
        return Err(nothing(root, &left_out).into());
    }
    let name = findings.iter().find_map(|finding| finding.name.as_deref().and_then(readable_name));
    let name = name.unwrap_or_else(|| root.file_name().unwrap_or("project").to_owned());
    let text = text::render(&name, &findings);
    verify(&text, root)?;
    Ok(Proposed { text, found, left_out, root: root.to_owned() })
}

fn writes_files(findings: &[Finding]) -> bool {
    let mut reports = findings.iter().flat_map(|finding| &finding.checks).flat_map(|check| &check.evidence);
    reports.any(|(_, report)| matches!(report, Report::File(_)))
}

/// The id itself, with the ecosystem before it if it is taken, with a number behind it if that is taken too.
fn free_id(ids: &BTreeSet<String>, ecosystem: &str, id: &str) -> String {
    let prefixed = format!("{ecosystem}-{id}");
    let numbered = (2..).map(|number| format!("{prefixed}-{number}"));
    let mut candidates = [id.to_owned(), prefixed.clone()].into_iter().chain(numbered);
    candidates.find(|id| !ids.contains(id)).unwrap_or(prefixed)
}

/// Projects in folders of the root: an ecosystem that is only there is named, not guessed at.
fn below(project: &dyn Project, detector: &Detector) -> Vec<String> {
    let folders = project.list("").into_iter().filter(|entry| entry.is_folder && !project::is_generated(&entry.name));
    let manifest = |folder: &str| {
        let paths: Vec<_> = detector.manifests.iter().map(|name| format!("{folder}/{name}")).collect();
        paths.into_iter().find(|path| project.is_file(path))
    };
    folders
        .filter_map(|folder| Some((manifest(&folder.name)?, folder.name)))
        .map(|(path, folder)| format!("{path}: only the root is looked at; give a check for it `cwd: {folder}`"))
        .collect()
}

fn nothing(root: &Utf8Path, left_out: &[String]) -> Stop {
    let mut hint = String::new();
    if !left_out.is_empty() {
        hint.push_str("mend what was left out and run `mgmt init` again:\n");
        left_out.iter().for_each(|line| hint.push_str(&format!("  {line}\n")));
        hint.push_str("or ");
    }
    hint.push_str("write mgmt.yml by hand, for example:\n");
    hint.push_str(EXAMPLE);
    Stop::nothing(format!("nothing was found in {} that a check could run", one_line(root.as_str())), Some(hint))
}

/// What this program writes it must be able to read.
fn verify(text: &str, root: &Utf8Path) -> anyhow::Result<()> {
    let Err(problems) = config::decode(text, root, Utf8Path::new(FILE_NAMES[0])) else { return Ok(()) };
    let told: Vec<_> =
        problems.iter().map(|problem| format!("line {}: {}", problem.place.line, problem.message)).collect();
    debug_assert!(told.is_empty(), "{told:?} in\n{text}");
    anyhow::bail!("the proposed mgmt.yml is not valid, which is a bug of this program: {}", told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Exit;
    use crate::sys::clock::Clock;
    use crate::sys::env::Env;
    use project::Fake;

    fn root() -> &'static Utf8Path {
        Utf8Path::new("/w/mixed")
    }

    fn mixed() -> Fake {
        Fake::default()
            .file("requirements.txt", "flake8\npytest\n")
            .files(&["bot/__init__.py"])
            .python("python3", &["flake8", "pytest"])
            .file("package.json", r#"{ "name": "web", "scripts": { "test": "node --test", "lint": "make" } }"#)
            .file("go.mod", "module example.com/bot\n")
            .file("Cargo.toml", "[package]\nname = 'core'\n")
            .programs(&["npm", "node", "make", "go", "gotestsum", "cargo", "cargo-fmt", "cargo-clippy"])
    }

    #[test]
    fn several_ecosystems_share_one_file_without_sharing_names_or_reports() {
        let proposed = compose(&mixed(), root()).unwrap();
        insta::assert_snapshot!(proposed.text, @r#"
        # yaml-language-server: $schema=https://raw.githubusercontent.com/org/mgmt-action/v1/schema/mgmt.schema.json
        # What must hold before a change is merged or shipped.
        #   mgmt full-check            run all of it
        #   mgmt full-check --dry-run  show what would run, and why
        #   mgmt full-check --fix      run each `fix` command first
        version: 1
        project: { name: web }

        # Each check passes if its command exits with 0.
        checks:
          # Python
          # `python3` is the first on PATH: activate the project's environment.
          flake8:
            group: lint
            run: [python3, -m, flake8, bot]
          # The reports that `run` writes are those that `evidence` reads: change them together.
          tests:
            group: test
            run: [python3, -m, pytest, --junitxml=reports/junit.xml]
            evidence: { tests: reports/junit.xml }

          # Node
          lint:
            group: lint
            run: [npm, run, lint]
          # The report lies beside this file: this runner creates no folders. Keep it out of git.
          node-tests:
            group: test
            run: [npm, run, test]
            env:
              NODE_OPTIONS: "--test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit --test-reporter-destination=node-junit.xml"
            evidence: { tests: node-junit.xml }

          # Go
          vet:
            group: lint
            run: [go, vet, ./...]
          go-tests:
            group: test
            run: [gotestsum, --junitfile, reports/go-junit.xml, --, ./...]
            evidence: { tests: reports/go-junit.xml }

          # Rust
          fmt:
            group: format
            run: [cargo, fmt, --check]
            fix: [cargo, fmt]
          # Checks with the same `exclusive` share cargo's target folder and take turns.
          clippy:
            group: lint
            run: [cargo, clippy, --all-targets, --, -D, warnings]
            exclusive: cargo
          rust-tests:
            group: test
            run: [cargo, test, --no-fail-fast]
            exclusive: cargo
            evidence: { tests: { from: output, format: libtest } }

        # Rules on what the checks measured. What was not measured is inconclusive, never a pass.
        gate:
          - { metric: tests.failed, max: 0 }
          # A run that found no tests proves nothing.
          - { metric: tests.total, min: 1 }
        "#);
        assert_eq!(proposed.found.len(), 4);
    }

    #[test]
    fn no_two_checks_write_the_same_report() {
        let proposed = compose(&mixed(), root()).unwrap();
        let config = config::decode(&proposed.text, root(), Utf8Path::new("mgmt.yml")).unwrap();
        let mut paths = BTreeSet::new();
        for spec in config.checks.iter().flat_map(|check| &check.evidence) {
            if let crate::check::evidence::From::Files(files) = &spec.from {
                files.iter().for_each(|path| assert!(paths.insert(path.clone()), "{path}"));
            }
        }
        assert_eq!(paths.len(), 3, "{paths:?}");
    }

    #[test]
    fn nothing_to_check_is_an_answer_of_its_own_with_a_way_on() {
        let stop = compose(&Fake::default().files(&["README.md"]), root()).unwrap_err().downcast::<Stop>().unwrap();
        assert_eq!(
            (stop.exit, stop.message.as_str()),
            (Exit::Nothing, "nothing was found in /w/mixed that a check could run")
        );
        insta::assert_snapshot!(stop.hint.unwrap(), @r"
        write mgmt.yml by hand, for example:
          version: 1
          checks:
            tests: { group: test, run: [make, test] }
        ");
        assert!(config::decode(EXAMPLE, root(), Utf8Path::new("mgmt.yml")).is_ok());
    }

    #[test]
    fn projects_below_the_root_are_named() {
        let tree = mixed().files(&["web/pyproject.toml", "node_modules/x/package.json"]);
        assert_eq!(compose(&tree, root()).unwrap().left_out, compose(&mixed(), root()).unwrap().left_out);
        let tree = Fake::default().files(&["web/package.json", "node_modules/x/package.json"]);
        let stop = compose(&tree, root()).unwrap_err().downcast::<Stop>().unwrap();
        let told = "  web/package.json: only the root is looked at; give a check for it `cwd: web`\n";
        assert!(stop.hint.as_deref().unwrap().contains(told), "{stop:?}");
    }

    #[test]
    fn rows_are_documented() {
        assert!(DETECTORS.iter().all(|row| row.doc.ends_with('.') && crate::check::is_name(row.name)));
    }

    #[test]
    fn ids_stay_unique_whatever_is_taken() {
        let ids: BTreeSet<_> = ["tests", "go-tests", "go-tests-2"].map(str::to_owned).into();
        assert_eq!(free_id(&ids, "go", "tests"), "go-tests-3");
        assert_eq!(free_id(&ids, "rust", "tests"), "rust-tests");
        assert_eq!(free_id(&ids, "go", "vet"), "vet");
    }

    fn on_disk() -> (tempfile::TempDir, Proposed) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let proposed = Proposed { text: "version: 1\n".into(), found: vec![], left_out: vec![], root };
        (folder, proposed)
    }

    #[test]
    fn a_configuration_that_is_there_is_replaced_only_when_asked() {
        let (_folder, proposed) = on_disk();
        let path = write(&proposed, Overwrite::No).unwrap();
        assert_eq!(path, proposed.root.join("mgmt.yml"));
        std::fs::write(&path, "mine").unwrap();
        let stop = write(&proposed, Overwrite::No).unwrap_err().downcast::<Stop>().unwrap();
        assert_eq!((stop.exit, stop.message.as_str()), (Exit::Usage, "mgmt.yml is there already"));
        assert!(stop.hint.unwrap().contains("--force"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        write(&proposed, Overwrite::Yes).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), proposed.text);
    }

    #[test]
    fn a_configuration_elsewhere_is_not_shadowed() {
        let (_folder, proposed) = on_disk();
        std::fs::create_dir(proposed.root.join(".github")).unwrap();
        std::fs::write(proposed.root.join(".github/mgmt.yml"), "mine").unwrap();
        assert!(write(&proposed, Overwrite::No).is_err());
        assert_eq!(write(&proposed, Overwrite::Yes).unwrap(), proposed.root.join(".github/mgmt.yml"));
        assert!(!proposed.root.join("mgmt.yml").exists());
    }

    #[test]
    fn the_project_is_the_repository_around_the_current_folder() {
        let (_folder, at) = on_disk();
        std::fs::create_dir_all(at.root.join("a/b")).unwrap();
        std::fs::create_dir(at.root.join(".git")).unwrap();
        std::fs::write(at.root.join("package.json"), r#"{ "name": "web", "scripts": { "test": "true" } }"#).unwrap();
        std::fs::write(at.root.join("npm"), "").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(at.root.join("npm"), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let env: Env = [("PATH", at.root.as_str())].into_iter().collect();
        let context = Context { cwd: at.root.join("a/b"), env, clock: Clock::System, config: None, report_dir: None };
        let proposed = propose(&context).unwrap();
        assert_eq!(proposed.root, at.root);
        assert!(proposed.text.contains("run: [npm, run, test]"), "{}", proposed.text);
    }
}
