//! What a job on GitHub installs before the checks of an ecosystem can run: lines of the workflow's `steps`.
//!
//! Hosted runners bring Python, Node, Go and Rust; only what the project itself declares is added, by the tool whose
//! lockfile is there. Everything written comes from fixed lists: no text of the project stands in a command.
//! Deliberately absent: caches, and actions beside GitHub's own.

use toml::Table;

use super::project::Project;

/// The setup of Python, at the commit of its release.
const SETUP_PYTHON: &str = "- uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0";
/// The version where the project states none.
const PYTHON: &str = "3.13";

/// Files of requirements that are installed, each that is there.
const REQUIREMENTS: &[&str] = &[
    "requirements.txt",
    "requirements-dev.txt",
    "requirements_dev.txt",
    "dev-requirements.txt",
    "requirements-test.txt",
    "requirements_test.txt",
    "test-requirements.txt",
    "requirements/dev.txt",
    "requirements/test.txt",
];

/// Extras and groups that hold what checks need.
const EXTRAS: &[&str] = &["dev", "test", "tests", "testing", "lint"];

/// One command as a step.
fn run(command: &str) -> String {
    format!("- run: {command}")
}

/// Several commands as one step.
fn script(commands: &[String]) -> Vec<String> {
    match commands {
        [] => Vec::new(),
        [command] => vec![run(command)],
        several => {
            let lines = several.iter().map(|command| format!("    {command}"));
            std::iter::once("- run: |".to_owned()).chain(lines).collect()
        }
    }
}

/// The interpreter, and what the project's lockfile or requirements name.
pub(super) fn python(project: &dyn Project, programs: &[&str]) -> Vec<String> {
    let manifests = ["pyproject.toml", "setup.py", "setup.cfg", "Pipfile"];
    if project.first_file(&manifests).is_none() && project.first_file(REQUIREMENTS).is_none() {
        return Vec::new();
    }
    let manifest = project.read("pyproject.toml").ok().flatten().and_then(|text| text.parse::<Table>().ok());
    let version = if project.is_file(".python-version") {
        "python-version-file: .python-version".to_owned()
    } else if table(manifest.as_ref(), &["project"]).is_some_and(|project| project.contains_key("requires-python")) {
        "python-version-file: pyproject.toml".to_owned()
    } else {
        format!("python-version: \"{PYTHON}\"")
    };
    let mut lines = vec![SETUP_PYTHON.to_owned(), "  with:".to_owned(), format!("    {version}")];
    // Checks that name the environment find it; others find its programs on the path.
    let folder = ["venv", ".venv"].into_iter().find(|folder| {
        let inside = format!("{folder}/");
        programs.iter().any(|program| program.starts_with(&inside))
    });
    let own = folder.unwrap_or(".venv");
    let bin = format!("echo \"${{PWD}}/{own}/bin\" >> \"${{GITHUB_PATH}}\"");
    let locked = |tool: &str, install: &str, settings: &[(&str, &str)]| {
        let commands = [format!("python -m pip install {tool}"), install.to_owned()];
        let mut lines = script(&if folder.is_some() {
            commands.to_vec()
        } else {
            [&commands[..], std::slice::from_ref(&bin)].concat()
        });
        if !settings.is_empty() {
            lines.push("  env:".to_owned());
            lines.extend(settings.iter().map(|(name, value)| format!("    {name}: {value}")));
        }
        lines
    };
    lines.extend(if project.is_file("uv.lock") {
        locked("uv", "uv sync --locked", &[("UV_PROJECT_ENVIRONMENT", own)])
    } else if project.is_file("poetry.lock") && own == ".venv" {
        locked("poetry", "poetry install", &[("POETRY_VIRTUALENVS_IN_PROJECT", "\"true\"")])
    } else if project.is_file("pdm.lock") && own == ".venv" {
        locked("pdm", "pdm sync", &[])
    } else if project.is_file("Pipfile.lock") && own == ".venv" {
        locked("pipenv", "pipenv sync --dev", &[("PIPENV_VENV_IN_PROJECT", "\"1\"")])
    } else {
        plain(project, manifest.as_ref(), folder)
    });
    lines
}

/// Without a lockfile: the requirements files that are there, else the package itself with its extras.
fn plain(project: &dyn Project, manifest: Option<&Table>, folder: Option<&str>) -> Vec<String> {
    let python = folder.map_or_else(|| "python".to_owned(), |folder| format!("{folder}/bin/python"));
    let mut commands: Vec<_> = folder.map(|folder| format!("python -m venv {folder}")).into_iter().collect();
    let files: String =
        REQUIREMENTS.iter().filter(|file| project.is_file(file)).map(|file| format!(" -r {file}")).collect();
    if !files.is_empty() {
        commands.push(format!("{python} -m pip install{files}"));
    }
    let has = |path: &[&str], name: &&&str| table(manifest, path).is_some_and(|table| table.contains_key(**name));
    let is_package = project.is_file("setup.py") || table(manifest, &["build-system"]).is_some();
    if is_package {
        let extras: Vec<_> =
            EXTRAS.iter().filter(|name| has(&["project", "optional-dependencies"], name)).copied().collect();
        let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
        commands.push(format!("{python} -m pip install -e \".{extras}\""));
    }
    let groups: String =
        EXTRAS.iter().filter(|name| has(&["dependency-groups"], name)).map(|name| format!(" --group {name}")).collect();
    if !groups.is_empty() {
        commands.push(format!("{python} -m pip install --upgrade pip"));
        commands.push(format!("{python} -m pip install{groups}"));
    }
    script(&commands)
}

/// A table of a manifest by its path.
fn table<'t>(manifest: Option<&'t Table>, path: &[&str]) -> Option<&'t Table> {
    path.iter().try_fold(manifest?, |table, key| table.get(*key)?.as_table())
}

/// The packages, by the package manager whose lockfile is there.
pub(super) fn node(project: &dyn Project, _: &[&str]) -> Vec<String> {
    if !project.is_file("package.json") {
        return Vec::new();
    }
    let yarn = if project.is_file(".yarnrc.yml") { "--immutable" } else { "--frozen-lockfile" };
    let commands = match project.first_file(&["pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"]) {
        Some("pnpm-lock.yaml") => vec!["corepack enable".to_owned(), "pnpm install --frozen-lockfile".to_owned()],
        Some("yarn.lock") => vec!["corepack enable".to_owned(), format!("yarn install {yarn}")],
        Some(_) => vec!["npm install --global bun".to_owned(), "bun install --frozen-lockfile".to_owned()],
        None if project.first_file(&["package-lock.json", "npm-shrinkwrap.json"]).is_some() => {
            vec!["npm ci".to_owned()]
        }
        None => vec!["npm install".to_owned()],
    };
    script(&commands)
}

/// Go itself is there and fetches the version that go.mod names; what counts its tests is not.
pub(super) fn go(project: &dyn Project, programs: &[&str]) -> Vec<String> {
    if !project.is_file("go.mod") || !programs.contains(&"gotestsum") {
        return Vec::new();
    }
    script(&[
        "go install gotest.tools/gotestsum@latest".to_owned(),
        "echo \"$(go env GOPATH)/bin\" >> \"${GITHUB_PATH}\"".to_owned(),
    ])
}

/// The toolchain that the project names, else the stable one.
pub(super) fn rust(project: &dyn Project, _: &[&str]) -> Vec<String> {
    if !project.is_file("Cargo.toml") {
        return Vec::new();
    }
    let named = project.first_file(&["rust-toolchain.toml", "rust-toolchain"]).is_some();
    let stable = "rustup toolchain install stable --profile minimal --component clippy,rustfmt";
    vec![run(if named { "rustup toolchain install" } else { stable })]
}

#[cfg(test)]
mod tests {
    use super::super::project::Fake;
    use super::*;

    #[test]
    fn python_is_installed_by_the_lockfile_the_requirements_or_the_package() {
        let lines = |tree: Fake, programs: &[&str]| python(&tree, programs).join("\n");
        let requirements = Fake::default().files(&["requirements.txt", "requirements/dev.txt", "requirements-gpu.txt"]);
        insta::assert_snapshot!(lines(requirements, &["python3"]), @r#"
        - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
          with:
            python-version: "3.13"
        - run: python -m pip install -r requirements.txt -r requirements/dev.txt
        "#);
        let package = "[build-system]\nrequires = []\n[project]\nrequires-python = '>=3.11'\n\
             [project.optional-dependencies]\ndev = []\nlint = []\n'; rm -rf ~' = []\n[dependency-groups]\ntest = []\n";
        insta::assert_snapshot!(lines(Fake::default().file("pyproject.toml", package), &["venv/bin/python"]), @r#"
        - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
          with:
            python-version-file: pyproject.toml
        - run: |
            python -m venv venv
            venv/bin/python -m pip install -e ".[dev,lint]"
            venv/bin/python -m pip install --upgrade pip
            venv/bin/python -m pip install --group test
        "#);
        let locked = Fake::default().files(&["uv.lock", "pyproject.toml", ".python-version", "requirements.txt"]);
        insta::assert_snapshot!(lines(locked, &["make"]), @r#"
        - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
          with:
            python-version-file: .python-version
        - run: |
            python -m pip install uv
            uv sync --locked
            echo "${PWD}/.venv/bin" >> "${GITHUB_PATH}"
          env:
            UV_PROJECT_ENVIRONMENT: .venv
        "#);
        let poetry = Fake::default().files(&["poetry.lock", "pyproject.toml"]);
        insta::assert_snapshot!(lines(poetry, &[".venv/bin/python"]), @r#"
        - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
          with:
            python-version: "3.13"
        - run: |
            python -m pip install poetry
            poetry install
          env:
            POETRY_VIRTUALENVS_IN_PROJECT: "true"
        "#);
    }

    #[test]
    fn other_ecosystems_use_what_the_runner_brings() {
        let steps = |setup: fn(&dyn Project, &[&str]) -> Vec<String>, files: &[&str], programs: &[&str]| {
            setup(&Fake::default().files(files), programs).join("\n")
        };
        assert_eq!(steps(node, &["package.json"], &[]), "- run: npm install");
        assert_eq!(steps(node, &["package.json", "package-lock.json"], &[]), "- run: npm ci");
        assert_eq!(
            steps(node, &["package.json", "yarn.lock", ".yarnrc.yml"], &[]),
            "- run: |\n    corepack enable\n    yarn install --immutable"
        );
        assert_eq!(
            steps(go, &["go.mod"], &["gotestsum"]),
            "- run: |\n    go install gotest.tools/gotestsum@latest\n    echo \"$(go env GOPATH)/bin\" >> \"${GITHUB_PATH}\""
        );
        assert_eq!(steps(rust, &["Cargo.toml", "rust-toolchain.toml"], &[]), "- run: rustup toolchain install");
        for setup in [node, go, rust, python] {
            assert_eq!(steps(setup, &["README.md"], &["gotestsum", "python3"]), "");
        }
        assert!(steps(rust, &["Cargo.toml"], &[]).ends_with("--component clippy,rustfmt"));
    }
}
