//! Which Python tools a project declares or configures, and in which file.
//!
//! Reads what people really use: pyproject.toml with its many ways to list requirements, requirements files,
//! setup.cfg and tox.ini, setup.py (for its quoted requirements only; it is never run), Pipfile. Deliberately
//! absent: versions, markers, and files included by other files.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::project::Project;

/// A tool and the module it is started as.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tool {
    /// The package that declares it.
    pub(super) package: &'static str,
    /// What `python -m` takes.
    pub(super) module: &'static str,
}

macro_rules! tools {
    ($($name:ident = $package:literal, $module:literal;)*) => {
        $(pub(super) const $name: Tool = Tool { package: $package, module: $module };)*
        /// Every tool that is looked for, in the order in which checks are written.
        pub(super) const TOOLS: &[Tool] = &[$($name),*];
    };
}

tools! {
    FLAKE8 = "flake8", "flake8";
    RUFF = "ruff", "ruff";
    MYPY = "mypy", "mypy";
    ISORT = "isort", "isort";
    BLACK = "black", "black";
    PYTEST = "pytest", "pytest";
    PYTEST_COV = "pytest-cov", "pytest_cov";
}

/// What the project says of its tools.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// Files that were read.
    pub(super) files: Vec<String>,
    /// The project's name.
    pub(super) name: Option<String>,
    /// How and where each tool is named: `declared in requirements-dev.txt`.
    tools: BTreeMap<&'static str, Place>,
    /// Settings that change how a tool is called.
    pub(super) settings: Settings,
}

/// Where a tool is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// `declared` or `configured`.
    pub(super) how: &'static str,
    /// The file.
    pub(super) file: String,
}

/// Settings that change how a tool is called.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// mypy knows what to look at.
    pub(super) mypy_targets: bool,
    /// coverage knows what to measure.
    pub(super) coverage_source: bool,
    /// pytest's own options measure coverage.
    pub(super) pytest_measures: bool,
    /// The project sets how ruff formats.
    pub(super) ruff_format: bool,
}

impl Declared {
    /// Where a tool is named, if it is.
    #[must_use]
    pub(super) fn place(&self, tool: &Tool) -> Option<&Place> {
        self.tools.get(tool.package)
    }

    fn declare(&mut self, requirement: &str, file: &str) {
        let Some(name) = package(requirement) else { return };
        // A plugin brings the tool it plugs into.
        let name = if name.starts_with("pytest-") && name != PYTEST_COV.package {
            PYTEST.package
        } else if name.starts_with("flake8-") {
            FLAKE8.package
        } else {
            &name
        };
        if name == PYTEST_COV.package {
            self.place_at(&PYTEST, "declared", file);
        }
        if let Some(tool) = TOOLS.iter().find(|tool| tool.package == name) {
            self.place_at(tool, "declared", file);
        }
    }

    fn configure(&mut self, tool: &Tool, file: &str) {
        self.place_at(tool, "configured", file);
    }

    /// A declaration says more than a configuration: it can be installed.
    fn place_at(&mut self, tool: &Tool, how: &'static str, file: &str) {
        let place = Place { how, file: file.to_owned() };
        let known = self.tools.entry(tool.package).or_insert_with(|| place.clone());
        if known.how == "configured" && how == "declared" {
            *known = place;
        }
    }

    fn declare_all(&mut self, list: Option<&Value>, file: &str) {
        for item in list.and_then(Value::as_array).into_iter().flatten() {
            if let Some(requirement) = item.as_str() {
                self.declare(requirement, file);
            }
        }
    }

    /// Tables whose keys are packages: Poetry's and Pipenv's way.
    fn declare_keys(&mut self, table: Option<&Value>, file: &str) {
        for name in table.and_then(Value::as_table).into_iter().flat_map(Table::keys) {
            self.declare(name, file);
        }
    }
}

/// Reads every file that can name a tool; `None` if there is no sign of Python.
#[must_use]
pub(super) fn read(project: &dyn Project, left_out: &mut Vec<String>) -> Option<Declared> {
    let mut declared = Declared::default();
    for path in files(project) {
        let Some(text) = project.text(&path, left_out) else {
            declared.files.push(path);
            continue;
        };
        match path.rsplit('/').next().unwrap_or_default() {
            name @ ("pyproject.toml" | "Pipfile") => match text.parse::<Table>() {
                Ok(table) if name == "Pipfile" => pipfile(&mut declared, &table, &path),
                Ok(table) => pyproject(&mut declared, &table, &path),
                Err(error) => left_out.push(format!("{path}: it is not valid TOML ({})", error.message())),
            },
            "ruff.toml" | ".ruff.toml" => {
                declared.configure(&RUFF, &path);
                declared.settings.ruff_format |= text.parse::<Table>().is_ok_and(|table| table.contains_key("format"));
            }
            "setup.py" => quoted(&text).for_each(|text| declared.declare(text, &path)),
            "conftest.py" => declared.configure(&PYTEST, &path),
            name if name.ends_with(".txt") || name.ends_with(".in") => {
                text.lines().for_each(|line| declared.declare(line, &path));
            }
            name => ini(&mut declared, &text, name, &path),
        }
        declared.files.push(path);
    }
    let is_python = |path: &String| !path.ends_with("tox.ini") || project.holds("", ".py");
    declared.files.iter().any(is_python).then_some(declared)
}

const FIXED: &[&str] = &[
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "Pipfile",
    "tox.ini",
    ".flake8",
    "mypy.ini",
    ".mypy.ini",
    ".isort.cfg",
    "pytest.ini",
    ".pytest.ini",
    ".coveragerc",
    "ruff.toml",
    ".ruff.toml",
    "conftest.py",
    "tests/conftest.py",
    "test/conftest.py",
];

fn files(project: &dyn Project) -> Vec<String> {
    let fixed = FIXED.iter().filter(|path| project.is_file(path)).map(|path| (*path).to_owned());
    let is_list = |name: &str| name.ends_with(".txt") || name.ends_with(".in");
    let at_root = project.list("").into_iter().map(|entry| entry.name);
    let at_root = at_root.filter(|name| name.starts_with("requirements") && is_list(name));
    let below = project.list("requirements").into_iter().map(|entry| entry.name).filter(|name| is_list(name));
    let below = below.map(|name| format!("requirements/{name}"));
    fixed.chain(at_root).chain(below).filter(|path| project.is_file(path)).collect()
}

/// The package that a requirement names, in its one spelling: lower case, `-` for `_` and `.`.
/// Grammar: <https://packaging.python.org/en/latest/specifications/dependency-specifiers/>.
fn package(requirement: &str) -> Option<String> {
    let text = requirement.trim();
    let end = text.find(|ch: char| !ch.is_ascii_alphanumeric() && !"._-".contains(ch)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let is_name = name.starts_with(|ch: char| ch.is_ascii_alphanumeric());
    let ends_well = rest.trim_start().chars().next().is_none_or(|ch| "<>=!~;@[(,#".contains(ch));
    (is_name && ends_well).then(|| name.to_ascii_lowercase().replace(['_', '.'], "-"))
}

fn pyproject(declared: &mut Declared, table: &Table, file: &str) {
    let at = |path: &[&str]| path.iter().skip(1).try_fold(table.get(path[0])?, |value, key| value.get(key));
    let named = at(&["project", "name"]).or_else(|| at(&["tool", "poetry", "name"]));
    declared.name = named.and_then(Value::as_str).map(str::to_owned);
    let lists: &[&[&str]] = &[&["project", "dependencies"], &["tool", "uv", "dev-dependencies"]];
    lists.iter().for_each(|path| declared.declare_all(at(path), file));
    let maps_of_lists: &[&[&str]] =
        &[&["project", "optional-dependencies"], &["dependency-groups"], &["tool", "pdm", "dev-dependencies"]];
    for group in maps_of_lists.iter().filter_map(|path| at(path)?.as_table()).flat_map(Table::values) {
        declared.declare_all(Some(group), file);
    }
    for path in [["tool", "poetry", "dependencies"], ["tool", "poetry", "dev-dependencies"]] {
        declared.declare_keys(at(&path), file);
    }
    for group in at(&["tool", "poetry", "group"]).and_then(Value::as_table).into_iter().flat_map(Table::values) {
        declared.declare_keys(group.get("dependencies"), file);
    }
    for env in at(&["tool", "hatch", "envs"]).and_then(Value::as_table).into_iter().flat_map(Table::values) {
        declared.declare_all(env.get("dependencies"), file);
        declared.declare_all(env.get("extra-dependencies"), file);
    }
    let configs = [
        ("ruff", RUFF),
        ("mypy", MYPY),
        ("isort", ISORT),
        ("black", BLACK),
        ("pytest", PYTEST),
        ("coverage", PYTEST_COV),
    ];
    for (key, tool) in configs.iter().filter(|(key, _)| at(&["tool", key]).is_some()) {
        debug_assert!(TOOLS.contains(tool), "{key}");
        declared.configure(tool, file);
    }
    let settings = &mut declared.settings;
    settings.ruff_format |= at(&["tool", "ruff", "format"]).is_some();
    settings.mypy_targets |= ["files", "packages", "modules"].iter().any(|key| at(&["tool", "mypy", key]).is_some());
    settings.coverage_source |=
        ["source", "source_pkgs"].iter().any(|key| at(&["tool", "coverage", "run", key]).is_some());
    let addopts = at(&["tool", "pytest", "ini_options", "addopts"]).or_else(|| at(&["tool", "pytest", "addopts"]));
    if addopts.is_some_and(measures) {
        settings.pytest_measures = true;
        declared.configure(&PYTEST_COV, file);
    }
}

/// Whether pytest's options, one text or a list of them, measure coverage.
fn measures(options: &Value) -> bool {
    match options {
        Value::String(text) => text.contains("--cov"),
        Value::Array(items) => items.iter().any(measures),
        _ => false,
    }
}

fn pipfile(declared: &mut Declared, table: &Table, file: &str) {
    for key in ["packages", "dev-packages"] {
        declared.declare_keys(table.get(key), file);
    }
}

/// Files of sections, keys and values: setup.cfg, tox.ini and the tools' own.
fn ini(declared: &mut Declared, text: &str, name: &str, file: &str) {
    if name == ".coveragerc" {
        declared.configure(&PYTEST_COV, file);
    }
    for (section, key, value) in entries(text) {
        let tool = match (name, section) {
            (_, "flake8") => Some(FLAKE8),
            (_, "mypy") => Some(MYPY),
            (_, "isort" | "tool:isort") | (".isort.cfg", "settings") => Some(ISORT),
            (_, "tool:pytest") | ("pytest.ini" | ".pytest.ini" | "tox.ini", "pytest") => Some(PYTEST),
            (_, "coverage:run" | "coverage:report") => Some(PYTEST_COV),
            _ => None,
        };
        if let Some(tool) = tool {
            declared.configure(&tool, file);
        }
        let settings = &mut declared.settings;
        match (section, key) {
            ("metadata", "name") if name == "setup.cfg" => declared.name = declared.name.take().or(Some(value.into())),
            ("mypy", "files" | "packages" | "modules") => settings.mypy_targets = true,
            ("coverage:run" | "run", "source" | "source_pkgs") => settings.coverage_source = true,
            ("tool:pytest" | "pytest", "addopts") if value.contains("--cov") => {
                settings.pytest_measures = true;
                declared.configure(&PYTEST_COV, file);
            }
            ("options", "install_requires" | "tests_require" | "setup_requires") | ("options.extras_require", _) => {
                declared.declare(value, file);
            }
            (section, "deps") if section.starts_with("testenv") => {
                // `py312: pytest` holds for one environment.
                declared.declare(value.rsplit_once(": ").map_or(value, |(_, rest)| rest), file);
            }
            _ => {}
        }
    }
}

/// Section, key and value, once for each line of a value; a section without keys once with empty ones.
fn entries(text: &str) -> Vec<(&str, &str, &str)> {
    let (mut section, mut key) = ("", "");
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with(['#', ';']) && !line.trim().is_empty()) {
        if line.starts_with([' ', '\t']) {
            found.push((section, key, line.trim()));
        } else if let Some(rest) = line.strip_prefix('[') {
            section = rest.split(']').next().unwrap_or(rest).trim();
            key = "";
            found.push((section, key, ""));
        } else {
            let (name, value) = line.split_once(['=', ':']).unwrap_or((line, ""));
            key = name.trim();
            found.push((section, key, value.trim()));
        }
    }
    found
}

/// Texts between equal quotes on one line.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| {
        let mut rest = line;
        std::iter::from_fn(move || {
            let start = rest.find(['"', '\''])?;
            let quote = rest[start..].chars().next()?;
            let inside = &rest[start + 1..];
            let end = inside.find(quote)?;
            rest = &inside[end + 1..];
            Some(&inside[..end])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::project::Fake;
    use super::*;

    /// `tool how file`, for each tool.
    fn told(tree: &Fake) -> Vec<String> {
        let declared = read(tree, &mut Vec::new()).unwrap_or_default();
        let tool = |tool: &Tool| declared.place(tool).map(|at| format!("{} {} {}", tool.package, at.how, at.file));
        TOOLS.iter().filter_map(tool).collect()
    }

    fn in_file(path: &str, text: &str) -> Vec<String> {
        told(&Fake::default().file(path, text))
    }

    #[test]
    fn a_requirement_names_its_package_in_one_spelling() {
        for (text, name) in [
            ("pytest", Some("pytest")),
            ("  Pytest_Cov>=4 ; python_version < '4'", Some("pytest-cov")),
            ("black[jupyter]==24.1 # pinned", Some("black")),
            ("ruff @ https://example.com/ruff.whl", Some("ruff")),
            ("zope.interface(>=5)", Some("zope-interface")),
            ("-r requirements.txt", None),
            ("--hash=sha256:00", None),
            ("# pytest", None),
            ("pytest is nice", None),
            ("git+https://example.com/pytest", None),
            ("", None),
        ] {
            assert_eq!(package(text).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn every_way_to_list_requirements_in_pyproject_is_read() {
        for text in [
            "[project]\ndependencies = ['mypy>=1']",
            "[project.optional-dependencies]\nx = ['mypy']",
            "[dependency-groups]\nx = [{include-group = 'y'}, 'mypy']",
            "[tool.uv]\ndev-dependencies = ['mypy']",
            "[tool.pdm.dev-dependencies]\nx = ['mypy']",
            "[tool.poetry.dependencies]\nmypy = '*'",
            "[tool.poetry.dev-dependencies]\nmypy = '*'",
            "[tool.poetry.group.dev.dependencies]\nMyPy = { version = '1' }",
            "[tool.hatch.envs.x]\ndependencies = ['mypy']",
            "[tool.hatch.envs.x]\nextra-dependencies = ['mypy']",
        ] {
            assert_eq!(in_file("pyproject.toml", text), ["mypy declared pyproject.toml"], "{text}");
        }
        assert_eq!(in_file("pyproject.toml", "[tool.mypy]"), ["mypy configured pyproject.toml"]);
        assert_eq!(in_file("pyproject.toml", "project = 1\ntool = []\ndependency-groups = 'x'"), [""; 0]);
    }

    #[test]
    fn the_other_files_are_read() {
        let flake8 = |how: &str, path: &str| vec![format!("flake8 {how} {path}")];
        for (path, text) in [
            ("requirements.txt", "numpy\nflake8==7.1\n"),
            ("requirements-dev.in", "flake8"),
            ("requirements/test.txt", "flake8"),
            ("setup.cfg", "[options]\ninstall_requires =\n    numpy\n    flake8>=7\n"),
            ("setup.cfg", "[options.extras_require]\ndev = flake8\n"),
            ("setup.py", "setup(name='x', extras_require={'dev': ['numpy', \"flake8>=7\"]})"),
            ("Pipfile", "[dev-packages]\nflake8 = '*'"),
        ] {
            assert_eq!(in_file(path, text), flake8("declared", path), "{path}: {text}");
        }
        for (path, text) in [(".flake8", "[flake8]\n"), ("setup.cfg", "[flake8]\nmax-line-length = 100")] {
            assert_eq!(in_file(path, text), flake8("configured", path), "{path}: {text}");
        }
        let tox = "[testenv]\ndeps =\n  py312: flake8-bugbear\n  pytest-asyncio\n# black\n[pytest]\naddopts=--cov\n";
        let tree = Fake::default().file("tox.ini", tox).files(&["a.py"]);
        assert_eq!(
            told(&tree),
            ["flake8 declared tox.ini", "pytest declared tox.ini", "pytest-cov configured tox.ini"]
        );
        assert!(read(&tree, &mut Vec::new()).unwrap().settings.pytest_measures);
    }

    #[test]
    fn the_projects_name_is_where_its_build_tool_has_it() {
        let name = |path, text| read(&Fake::default().file(path, text), &mut Vec::new()).and_then(|read| read.name);
        assert_eq!(name("pyproject.toml", "[project]\nname = 'a'").as_deref(), Some("a"));
        assert_eq!(name("pyproject.toml", "[tool.poetry]\nname = 'b'").as_deref(), Some("b"));
        assert_eq!(name("setup.cfg", "[metadata]\nname = c\n").as_deref(), Some("c"));
        assert_eq!(name("tox.ini", "[metadata]\nname = c\n"), None);
    }

    #[test]
    fn a_declaration_outranks_a_configuration() {
        let tree = Fake::default().file(".flake8", "[flake8]").file("requirements.txt", "flake8\npytest-cov");
        assert_eq!(
            told(&tree),
            [
                "flake8 declared requirements.txt",
                "pytest declared requirements.txt",
                "pytest-cov declared requirements.txt"
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_said_and_the_rest_still_counts() {
        let tree = Fake::default()
            .file("pyproject.toml", "[project\nname = 'x'")
            .file("setup.cfg", "(unreadable)")
            .file(".flake8", "[flake8]");
        let mut left_out = Vec::new();
        assert!(read(&tree, &mut left_out).unwrap().place(&FLAKE8).is_some());
        assert_eq!(left_out.len(), 2, "{left_out:?}");
        assert!(left_out[0].starts_with("pyproject.toml: it is not valid TOML ("), "{left_out:?}");
        assert_eq!(left_out[1], "setup.cfg: it is larger than 4.0 MiB");
        assert!(read(&Fake::default().file("tox.ini", "[testenv]").files(&["main.go"]), &mut Vec::new()).is_none());
        assert!(read(&Fake::default().files(&["main.go"]), &mut Vec::new()).is_none());
    }
}
