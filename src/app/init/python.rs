//! Python: flake8, ruff, mypy, isort, black, pytest, each if the project names it and its interpreter finds it.

use super::draft::{Draft, Finding, Report, Reports};
use super::project::{Project, is_generated};
use super::requirements::{self, BLACK, Declared, FLAKE8, ISORT, MYPY, PYTEST, PYTEST_COV, RUFF, TOOLS, Tool};
use super::{Detector, setup};
use crate::evidence::Kind;
use crate::sys::text;

/// The row.
pub(super) const DETECTOR: Detector = Detector {
    name: "python",
    doc: "flake8, ruff, mypy, isort, black and pytest, each if the project names it and its interpreter finds it.",
    title: "Python",
    manifests: &["pyproject.toml", "setup.cfg", "setup.py", "requirements.txt", "Pipfile"],
    detect,
    setup: setup::python,
};

/// The project's own environments, before what is on PATH.
const OWN: &[&str] = &[".venv/bin/python", "venv/bin/python", ".venv/Scripts/python.exe", "venv/Scripts/python.exe"];
const ON_PATH: &[&str] = &["python3", "python"];

/// Single files at the root that are named one by one; with more of them the whole root is.
const MAX_FILES: usize = 8;

fn detect(project: &dyn Project, reports: Reports) -> Option<Finding> {
    let mut finding = Finding::default();
    let declared = requirements::read(project, &mut finding.left_out)?;
    finding.name.clone_from(&declared.name);
    finding.signs = declared.files.join(", ");
    if TOOLS.iter().all(|tool| declared.place(tool).is_none()) {
        let names: Vec<_> = TOOLS.iter().map(|tool| tool.package).collect();
        finding.left_out.push(format!("Python: the project names none of {}", text::list(&names)));
        return Some(finding);
    }
    let Some((python, importable)) = interpreter(project) else {
        let looked_for: Vec<_> = OWN[..2].iter().chain(ON_PATH).copied().collect();
        finding.left_out.push(format!("Python: no interpreter runs (looked for {})", looked_for.join(", ")));
        return Some(finding);
    };
    finding.signs.push_str(&format!(", run by {python}"));
    let python = Python { project, declared: &declared, python, importable, sources: Sources::of(project) };
    python.checks(reports, &mut finding);
    if !finding.checks.is_empty() {
        finding.notes = python.notes();
    }
    Some(finding)
}

/// The first interpreter that runs, and the modules it finds.
fn interpreter(project: &dyn Project) -> Option<(&'static str, Vec<String>)> {
    let modules: Vec<_> = TOOLS.iter().map(|tool| tool.module).collect();
    let candidates = OWN.iter().chain(ON_PATH).filter(|name| project.has_program(name));
    candidates.filter_map(|name| Some((*name, project.importable(name, &modules)?))).next()
}

/// What the checks look at.
#[derive(Debug, Default)]
struct Sources {
    /// `src` and the packages at the root: what ships.
    code: Vec<String>,
    /// Modules at the root.
    modules: Vec<String>,
    /// `scripts`, `tests`.
    support: Vec<String>,
    /// Folders with Python files that are none of these.
    others: Vec<String>,
}

impl Sources {
    fn of(project: &dyn Project) -> Self {
        let mut sources = Self::default();
        // A name that Python cannot import may look like an option to a tool.
        let is_identifier = |name: &str| {
            !name.starts_with(|ch: char| ch.is_ascii_digit())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        for entry in project.list("") {
            let name = entry.name;
            if let Some(stem) = name.strip_suffix(".py").filter(|_| !entry.is_folder) {
                if is_identifier(stem) && name != "setup.py" {
                    sources.modules.push(name);
                }
                continue;
            }
            if !project.is_folder(&name) || is_generated(&name) || !project.holds(&name, ".py") {
                continue;
            }
            let is_package = is_identifier(&name) && project.is_file(&format!("{name}/__init__.py"));
            match name.as_str() {
                "scripts" | "tests" | "test" => sources.support.push(name),
                "src" => sources.code.push(name),
                _ if is_package => sources.code.push(name),
                _ => sources.others.push(name),
            }
        }
        sources
    }

    /// Arguments for a tool that looks at all of it; `.` where there is nothing to name.
    fn all(&self) -> Vec<String> {
        self.arguments(&[&self.code, &self.modules, &self.support])
    }

    /// Arguments for a tool that looks at what ships.
    fn shipped(&self) -> Vec<String> {
        self.arguments(&[&self.code, &self.modules])
    }

    fn arguments(&self, parts: &[&Vec<String>]) -> Vec<String> {
        let named: Vec<_> = parts.iter().copied().flatten().cloned().collect();
        if named.is_empty() || self.modules.len() > MAX_FILES { vec![".".to_owned()] } else { named }
    }
}

struct Python<'a> {
    project: &'a dyn Project,
    declared: &'a Declared,
    python: &'static str,
    importable: Vec<String>,
    sources: Sources,
}

impl Python<'_> {
    /// Comments for the people who will keep the file.
    fn notes(&self) -> Vec<String> {
        let mut notes = vec![match self.python.split_once('/') {
            Some((folder, _)) => format!("Python tools run in {folder}, which must be there first, in CI as well."),
            None => format!("`{}` is the first on PATH: activate the project's environment.", self.python),
        }];
        if self.sources.all() != ["."] && !self.sources.others.is_empty() {
            notes.push(format!("Python files not looked at: {}.", self.sources.others.join(", ")));
        }
        notes
    }

    fn checks(&self, reports: Reports, finding: &mut Finding) {
        let all = self.sources.all();
        if self.is_usable(&FLAKE8, finding) {
            let mut argv = self.module(&FLAKE8, &[], &[]);
            // flake8 alone does not know that an environment is none of the project's code.
            if all == ["."] && [".venv", "venv", "env"].iter().any(|name| self.project.is_folder(name)) {
                argv.push("--extend-exclude=.venv,venv,env".to_owned());
            }
            finding.checks.push(Draft::run("flake8", "lint", argv.into_iter().chain(all.clone())));
        }
        let ruff = self.is_usable(&RUFF, finding);
        if ruff {
            let draft = Draft::run("ruff", "lint", self.module(&RUFF, &["check"], &all));
            finding.checks.push(draft.fixed_by(self.module(&RUFF, &["check", "--fix"], &all)));
        }
        if self.is_usable(&MYPY, finding) {
            let targets = if self.declared.settings.mypy_targets { Vec::new() } else { self.sources.shipped() };
            finding.checks.push(Draft::run("mypy", "lint", self.module(&MYPY, &[], &targets)));
        }
        if self.is_usable(&ISORT, finding) {
            let draft = Draft::run("isort", "format", self.module(&ISORT, &["--check-only", "--diff"], &all));
            finding.checks.push(draft.fixed_by(self.module(&ISORT, &[], &all)));
        }
        if self.is_usable(&BLACK, finding) {
            let draft = Draft::run("black", "format", self.module(&BLACK, &["--check", "--diff"], &all));
            finding.checks.push(draft.fixed_by(self.module(&BLACK, &[], &all)));
        }
        if ruff && (self.declared.place(&BLACK).is_none() || self.declared.settings.ruff_format) {
            let draft = Draft::run("ruff-format", "format", self.module(&RUFF, &["format", "--check", "--diff"], &all));
            finding.checks.push(draft.fixed_by(self.module(&RUFF, &["format"], &all)));
        }
        self.tests(reports, finding);
    }

    fn tests(&self, reports: Reports, finding: &mut Finding) {
        if self.declared.place(&PYTEST).is_none() {
            let folder = self.sources.support.iter().find(|name| *name != "scripts");
            finding.left_out.extend(folder.map(|name| {
                format!("pytest: {name}/ holds Python files, but the project neither declares nor configures pytest")
            }));
            return;
        }
        if !self.is_usable(&PYTEST, finding) {
            return;
        }
        let junit = reports.in_folder("junit.xml");
        let mut argv = self.module(&PYTEST, &[&format!("--junitxml={junit}")], &[]);
        let coverage = self.is_usable(&PYTEST_COV, finding);
        if self.declared.settings.pytest_measures && !coverage {
            finding.left_out.push("pytest: its own options ask for coverage, which takes pytest-cov".to_owned());
            return;
        }
        let xml = reports.in_folder("coverage.xml");
        if coverage {
            argv.extend(self.coverage_sources());
            argv.push(format!("--cov-report=xml:{xml}"));
        }
        let mut draft = Draft::run("tests", "test", argv)
            .noted("The reports that `run` writes are those that `evidence` reads: change them together.")
            .leaving(Kind::Tests, Report::File(junit));
        if coverage {
            draft = draft.leaving(Kind::Coverage, Report::File(xml));
        }
        finding.checks.push(draft);
    }

    /// What coverage is measured of: what the project's settings say, else the code that ships.
    fn coverage_sources(&self) -> Vec<String> {
        if self.declared.settings.pytest_measures {
            return Vec::new();
        }
        if self.declared.settings.coverage_source || self.sources.code.is_empty() {
            return vec!["--cov".to_owned()];
        }
        self.sources.code.iter().map(|name| format!("--cov={name}")).collect()
    }

    fn module(&self, tool: &Tool, options: &[&str], targets: &[String]) -> Vec<String> {
        let start = [self.python, "-m", tool.module].into_iter().chain(options.iter().copied());
        start.map(str::to_owned).chain(targets.iter().cloned()).collect()
    }

    /// Whether a check may name the tool. What the project names and the interpreter does not find is left out.
    fn is_usable(&self, tool: &Tool, finding: &mut Finding) -> bool {
        let Some(place) = self.declared.place(tool) else { return false };
        if self.importable.iter().any(|name| name == tool.module) {
            return true;
        }
        finding.left_out.push(format!(
            "{}: {} in {}, but `{}` does not find it; `{}` installs it, or activate the environment that has it",
            tool.package,
            place.how,
            place.file,
            self.python,
            self.installer(tool, &place.file),
        ));
        false
    }

    fn installer(&self, tool: &Tool, file: &str) -> String {
        let locks = [
            ("uv.lock", "uv sync"),
            ("poetry.lock", "poetry install"),
            ("pdm.lock", "pdm install"),
            ("Pipfile.lock", "pipenv install --dev"),
        ];
        match locks.iter().find(|(lock, _)| self.project.is_file(lock)) {
            Some((_, command)) => (*command).to_owned(),
            None if file.ends_with(".txt") => format!("{} -m pip install -r {file}", self.python),
            None => format!("{} -m pip install {}", self.python, tool.package),
        }
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::super::project::Fake;
    use super::super::{Proposed, Stop, compose};

    const ALL: &[&str] = &["flake8", "ruff", "mypy", "isort", "black", "pytest", "pytest_cov"];

    fn proposed(tree: &Fake) -> Proposed {
        compose(tree, Utf8Path::new("/w/bot")).unwrap()
    }

    fn has(tree: &Fake, lines: &[&str]) {
        let text = proposed(tree).text;
        lines.iter().for_each(|line| assert!(text.contains(line), "{line} in\n{text}"));
    }

    fn service() -> Fake {
        Fake::default()
            .file("pyproject.toml", "[project]\nname = 'signal-service'\n[tool.black]\n[tool.pytest.ini_options]\n")
            .file("requirements-dev.txt", "flake8==7\nisort\nblack\npytest\npytest-cov\n")
            .files(&["src/signal_service/__init__.py", "scripts/train.py", "tests/test_a.py", "setup.py"])
    }

    #[test]
    fn a_service_with_its_tools_installed() {
        let proposed = proposed(&service().python("python3", ALL));
        insta::assert_snapshot!(proposed.text, @r"
        # yaml-language-server: $schema=https://raw.githubusercontent.com/org/mgmt-action/v1/schema/mgmt.schema.json
        # What must hold before a change is merged or shipped.
        #   mgmt full-check            run all of it
        #   mgmt full-check --dry-run  show what would run, and why
        #   mgmt full-check --fix      run each `fix` command first
        version: 1
        project: { name: signal-service }

        # Each check passes if its command exits with 0.
        checks:
          # `python3` is the first on PATH: activate the project's environment.
          flake8:
            group: lint
            run: [python3, -m, flake8, src, scripts, tests]
          isort:
            group: format
            run: [python3, -m, isort, --check-only, --diff, src, scripts, tests]
            fix: [python3, -m, isort, src, scripts, tests]
          black:
            group: format
            run: [python3, -m, black, --check, --diff, src, scripts, tests]
            fix: [python3, -m, black, src, scripts, tests]
          # The reports that `run` writes are those that `evidence` reads: change them together.
          tests:
            group: test
            run:
              - python3
              - -m
              - pytest
              - --junitxml=reports/junit.xml
              - --cov=src
              - --cov-report=xml:reports/coverage.xml
            evidence: { tests: reports/junit.xml, coverage: reports/coverage.xml }

        # Rules on what the checks measured. What was not measured is inconclusive, never a pass.
        gate:
          - { metric: tests.failed, max: 0 }
          # A run that found no tests proves nothing.
          - { metric: tests.total, min: 1 }
          # Coverage is measured and not yet judged: put the percentage you hold in place of NN.
          # - { metric: coverage.lines.percent, min: NN }
        ");
        assert_eq!(proposed.found, ["Python: pyproject.toml, setup.py, requirements-dev.txt, run by python3"]);
        assert_eq!(proposed.left_out, [""; 0]);
    }

    #[test]
    fn what_is_declared_and_not_installed_is_left_out_with_the_way_to_install_it() {
        let tree = service().file("mypy.ini", "[mypy]\n").python("python3", &["flake8", "pytest"]);
        let proposed = proposed(&tree);
        for tool in ["mypy", "isort", "black", "--cov", "coverage"] {
            assert!(!proposed.text.contains(tool), "{tool} in\n{}", proposed.text);
        }
        let told = "does not find it; `python3 -m pip install -r requirements-dev.txt` installs it, or activate the environment that has it";
        assert_eq!(
            proposed.left_out,
            [
                "mypy: configured in mypy.ini, but `python3` does not find it; `python3 -m pip install mypy` installs \
                 it, or activate the environment that has it"
                    .to_owned(),
                format!("isort: declared in requirements-dev.txt, but `python3` {told}"),
                format!("black: declared in requirements-dev.txt, but `python3` {told}"),
                format!("pytest-cov: declared in requirements-dev.txt, but `python3` {told}"),
            ]
        );
    }

    #[test]
    fn what_is_installed_and_not_named_by_the_project_is_not_named() {
        let tree =
            Fake::default().file("requirements.txt", "flake8\n").files(&["tests/test_a.py"]).python("python", ALL);
        let proposed = proposed(&tree);
        assert!(proposed.text.contains("run: [python, -m, flake8, tests]"), "{}", proposed.text);
        for tool in ["black", "ruff", "mypy", "pytest"] {
            assert!(!proposed.text.contains(tool), "{tool} in\n{}", proposed.text);
        }
        assert_eq!(
            proposed.left_out,
            ["pytest: tests/ holds Python files, but the project neither declares nor configures pytest"]
        );
    }

    #[test]
    fn the_projects_own_environment_comes_first_and_one_that_does_not_run_is_passed_over() {
        let tree = service().python(".venv/bin/python", ALL).python("python3", ALL);
        has(&tree, &["run: [.venv/bin/python, -m, flake8,", "# Python tools run in .venv, which must be there first"]);
        let tree = service().files(&[".venv/bin/python"]).programs(&["python3"]).python("python", ALL);
        has(&tree, &["run: [python, -m, flake8,"]);
        let error = compose(&service().programs(&["python3"]), Utf8Path::new("/w/bot")).unwrap_err();
        let hint = error.downcast::<Stop>().unwrap().hint.unwrap();
        assert!(hint.contains("no interpreter runs (looked for .venv/bin/python, venv/bin/python, python3, python)"));
    }

    #[test]
    fn ruff_formats_unless_black_does() {
        let ruff = Fake::default().file("ruff.toml", "").files(&["bot/__init__.py", "bot.py"]).python("python3", ALL);
        has(
            &ruff,
            &[
                "run: [python3, -m, ruff, check, bot, bot.py]",
                "fix: [python3, -m, ruff, check, --fix, bot, bot.py]",
                "run: [python3, -m, ruff, format, --check, --diff, bot, bot.py]",
            ],
        );
        let both = ruff.file("requirements.txt", "black");
        has(&both, &["run: [python3, -m, ruff, check,", "run: [python3, -m, black, --check,"]);
        assert!(!proposed(&both).text.contains("ruff-format"));
        let wanted = both.file("pyproject.toml", "[tool.ruff.format]\nquote-style = 'single'");
        has(&wanted, &["ruff-format:", "black:"]);
    }

    #[test]
    fn settings_of_the_project_are_not_overruled() {
        let text = "[tool.mypy]\nfiles = ['src']\n[tool.coverage.run]\nsource = ['src']\n[tool.pytest.ini_options]\n";
        let tree = Fake::default().files(&["src/a.py"]).python("python3", ALL);
        has(&tree.file("pyproject.toml", text), &["run: [python3, -m, mypy]", "      - --cov\n"]);
        let own = "[pytest]\naddopts = --cov=src\n";
        let tree = Fake::default().file("pytest.ini", own).files(&["src/a.py"]);
        let measured = proposed(&tree.python("python3", ALL)).text;
        assert!(!measured.contains("--cov=") && measured.contains("--cov-report=xml:"), "{measured}");
        let tree = Fake::default().file("pytest.ini", own).files(&["src/a.py"]).python("python3", &["pytest"]);
        assert!(compose(&tree, Utf8Path::new("/w/bot")).is_err());
    }

    #[test]
    fn names_that_could_be_options_are_not_arguments() {
        let tree = Fake::default().file("requirements.txt", "flake8").python("python3", ALL);
        let tree = tree.files(&[
            "--config=x/__init__.py",
            "-v.py",
            "docs/conf.py",
            "x\ny: 1/z.py",
            "a b/__init__.py",
            "app.py",
        ]);
        has(
            &tree,
            &["run: [python3, -m, flake8, app.py]", "# Python files not looked at: --config=x, a b, docs, x\\ny: 1."],
        );
        let tree = Fake::default().file("requirements.txt", "flake8").files(&["venv/x.py", "odd/x.py"]);
        has(&tree.python("python3", ALL), &["run: [python3, -m, flake8, \"--extend-exclude=.venv,venv,env\", .]"]);
    }
}
