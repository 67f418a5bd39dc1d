//! Node: the scripts of package.json, and eslint, prettier and tsc where no script runs them.
//!
//! A script is run by the package manager whose lockfile is there. Deliberately absent: workspaces' own scripts,
//! and scripts that change files or wait for changes.

use serde_json::{Map, Value};

use super::draft::{Draft, Finding, Report, Reports};
use super::project::Project;
use super::runners::{RUNNERS, Runner, Script};
use super::{Detector, setup};
use crate::evidence::Kind;

/// The row.
pub(super) const DETECTOR: Detector = Detector {
    name: "node",
    doc: "Scripts that lint, check the format, check types and test; eslint, prettier and tsc where no script does.",
    title: "Node",
    manifests: &["package.json"],
    detect,
    setup: setup::node,
};

/// Lockfiles and the package manager that writes them; npm is what Node itself brings.
const LOCKS: &[(&str, &str)] = &[
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
    ("bun.lock", "bun"),
    ("bun.lockb", "bun"),
    ("package-lock.json", "npm"),
    ("npm-shrinkwrap.json", "npm"),
];

const FORMAT_CHECKS: &[&str] = &[
    "format:check",
    "format-check",
    "check-format",
    "check:format",
    "fmt:check",
    "prettier:check",
    "check:prettier",
    "prettier-check",
];
/// Scripts that may check or may write: what they say decides.
const FORMATTERS: &[&str] =
    &["format", "format:fix", "format:write", "fix:format", "fmt", "prettier", "prettier:write", "prettier:fix"];
const TYPE_CHECKS: &[&str] = &["typecheck", "type-check", "check-types", "check:types", "types:check", "tsc"];
const LINT_FIXES: &[&str] = &["lint:fix", "lint-fix", "fix:lint", "fix"];

/// Scripts named `lint:…` that become checks of their own.
const MAX_PARTS: usize = 20;

const ESLINT_CONFIGS: &[&str] = &[
    "eslint.config.js",
    "eslint.config.mjs",
    "eslint.config.cjs",
    "eslint.config.ts",
    "eslint.config.mts",
    "eslint.config.cts",
    ".eslintrc.js",
    ".eslintrc.cjs",
    ".eslintrc.yaml",
    ".eslintrc.yml",
    ".eslintrc.json",
    ".eslintrc",
];
const PRETTIER_CONFIGS: &[&str] = &[
    ".prettierrc",
    ".prettierrc.json",
    ".prettierrc.yml",
    ".prettierrc.yaml",
    ".prettierrc.json5",
    ".prettierrc.js",
    ".prettierrc.cjs",
    ".prettierrc.mjs",
    ".prettierrc.ts",
    ".prettierrc.toml",
    "prettier.config.js",
    "prettier.config.cjs",
    "prettier.config.mjs",
    "prettier.config.ts",
];

fn detect(project: &dyn Project, reports: Reports) -> Option<Finding> {
    if !project.is_file("package.json") {
        return None;
    }
    let mut finding = Finding { signs: "package.json".to_owned(), ..Finding::default() };
    let Some(text) = project.text("package.json", &mut finding.left_out) else { return Some(finding) };
    let package = match serde_json::from_str::<Map<String, Value>>(&text) {
        Ok(package) => package,
        Err(error) => {
            finding.left_out.push(format!("package.json: it is not a JSON object ({error})"));
            return Some(finding);
        }
    };
    finding.name = package.get("name").and_then(Value::as_str).map(str::to_owned);
    let manager = manager(project, &package);
    finding.signs = format!("package.json, scripts run by {manager}");
    let has_packages = ["dependencies", "devDependencies"]
        .iter()
        .any(|key| package.get(*key).and_then(Value::as_object).is_some_and(|packages| !packages.is_empty()));
    let plug_and_play = project.is_file(".pnp.cjs");
    if has_packages && !plug_and_play && !project.is_folder("node_modules") {
        finding.left_out.push(format!("Node: its packages are not installed; `{manager} install` installs them"));
        return Some(finding);
    }
    let can_run_scripts = project.has_program(manager);
    if !can_run_scripts {
        finding.left_out.push(format!("scripts of package.json: `{manager}` is not on PATH"));
    }
    let node = Node { project, package: &package, manager, can_run_scripts, plug_and_play };
    node.lint(&mut finding);
    node.format(&mut finding);
    node.types(&mut finding);
    node.tests(reports, &mut finding);
    Some(finding)
}

/// The package manager: the one that package.json names, else the one whose lockfile is there.
fn manager(project: &dyn Project, package: &Map<String, Value>) -> &'static str {
    let named = package.get("packageManager").and_then(Value::as_str).and_then(|text| text.split('@').next());
    let by_name = named.and_then(|named| LOCKS.iter().find(|(_, name)| *name == named));
    let row = by_name.or_else(|| LOCKS.iter().find(|(lock, _)| project.is_file(lock)));
    row.map_or("npm", |(_, name)| name)
}

struct Node<'a> {
    project: &'a dyn Project,
    package: &'a Map<String, Value>,
    manager: &'static str,
    can_run_scripts: bool,
    /// Yarn keeps packages elsewhere, and starts them itself.
    plug_and_play: bool,
}

impl<'a> Node<'a> {
    fn script(&self, name: &str) -> Option<&'a str> {
        self.scripts().find(|(other, _)| *other == name).map(|(_, text)| text)
    }

    fn scripts(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let scripts = self.package.get("scripts").and_then(Value::as_object);
        scripts.into_iter().flatten().filter_map(|(name, text)| Some((name.as_str(), text.as_str()?)))
    }

    fn run(&self, script: &str) -> Vec<String> {
        [self.manager, "run", script].map(str::to_owned).into()
    }

    fn bin(name: &str) -> String {
        format!("node_modules/.bin/{name}")
    }

    fn has_bin(&self, name: &str) -> bool {
        self.project.is_file(&Self::bin(name)) && self.project.has_program("node")
    }

    fn is_configured(&self, configs: &[&str], key: &str) -> bool {
        self.project.first_file(configs).is_some() || (!key.is_empty() && self.package.contains_key(key))
    }

    /// Whether a check may run the script. What keeps it from that is left out with the reason.
    fn is_usable(&self, name: &str, text: &str, finding: &mut Finding) -> bool {
        if !self.can_run_scripts {
            return false;
        }
        let Some(script) = Script::parse(text) else {
            finding.left_out.push(format!("script `{name}`: its quotes do not close"));
            return false;
        };
        if let Some(word) = ["--fix", "--write"].iter().find(|word| script.mentions(word)) {
            finding.left_out.push(format!("script `{name}`: `{word}` is not for a check"));
            return false;
        }
        if script.waits() {
            finding.left_out.push(format!("script `{name}`: it waits for changes and does not end"));
            return false;
        }
        if let Some(program) = script.missing(self.project).filter(|_| !self.plug_and_play) {
            let told = format!("script `{name}`: it runs `{program}`, which is neither in node_modules nor on PATH");
            finding.left_out.push(told);
            return false;
        }
        true
    }

    fn lint(&self, finding: &mut Finding) {
        let main = self.script("lint");
        // `lint` often runs its parts; then they are no checks of their own.
        let runs_parts = main.is_some_and(|text| text.contains("lint:"));
        let parts: Vec<_> = self.scripts().filter(|(name, _)| !runs_parts && is_lint_part(name)).collect();
        if parts.len() > MAX_PARTS {
            let more = parts.len() - MAX_PARTS;
            finding.left_out.push(format!("{more} scripts named `lint:…`: more than {MAX_PARTS} are not written out"));
        }
        let parts = parts.into_iter().take(MAX_PARTS);
        let mut covered = false;
        for (name, text) in main.map(|text| ("lint", text)).into_iter().chain(parts) {
            if !is_plain(name) {
                finding.left_out.push(format!("script `{name}`: its name cannot stand in a command line"));
            } else if self.is_usable(name, text, finding) {
                covered = true;
                let mut draft = Draft::run(&name.replace(':', "-"), "lint", self.run(name));
                if name == "lint" {
                    draft.fix = self.writer(LINT_FIXES, "--fix");
                }
                finding.checks.push(draft);
            }
        }
        if !covered && self.is_configured(ESLINT_CONFIGS, "eslintConfig") {
            if self.has_bin("eslint") {
                let eslint = Self::bin("eslint");
                let draft = Draft::run("lint", "lint", [eslint.as_str(), "."]);
                finding.checks.push(draft.fixed_by([eslint.as_str(), "--fix", "."]));
            } else if !self.plug_and_play {
                finding.left_out.push("eslint: configured, but not in node_modules".to_owned());
            }
        }
    }

    /// The first of these scripts that says it writes.
    fn writer(&self, names: &[&'static str], word: &str) -> Option<Vec<String>> {
        let writes = |name: &&&str| {
            self.script(name).and_then(Script::parse).is_some_and(|script| {
                script.mentions(word) && (self.plug_and_play || script.missing(self.project).is_none())
            })
        };
        names.iter().find(writes).map(|name| self.run(name))
    }

    fn format(&self, finding: &mut Finding) {
        let checks = |text: &str| {
            Script::parse(text).is_some_and(|script| {
                ["--check", "-c", "--list-different", "-l"].iter().any(|word| script.mentions(word))
            })
        };
        let named = FORMAT_CHECKS.iter().filter_map(|name| Some((*name, self.script(name)?)));
        let other =
            FORMATTERS.iter().filter_map(|name| Some((*name, self.script(name)?))).filter(|(_, text)| checks(text));
        let found = named.chain(other).next();
        if let Some((name, text)) = found
            && self.is_usable(name, text, finding)
        {
            let mut draft = Draft::run("format", "format", self.run(name));
            draft.fix = self.writer(FORMATTERS, "--write");
            if text.contains("prettier") {
                draft = draft.noted("Keep .mgmt in .gitignore or .prettierignore: reports are not formatted.");
            }
            finding.checks.push(draft);
        } else if self.is_configured(PRETTIER_CONFIGS, "prettier") {
            if self.has_bin("prettier") {
                let prettier = Self::bin("prettier");
                let draft = Draft::run("format", "format", [prettier.as_str(), "--check", ".", "!.mgmt"]);
                finding.checks.push(draft.fixed_by([prettier.as_str(), "--write", ".", "!.mgmt"]));
            } else if !self.plug_and_play {
                finding.left_out.push("prettier: configured, but not in node_modules".to_owned());
            }
        }
    }

    fn types(&self, finding: &mut Finding) {
        let found = TYPE_CHECKS.iter().find_map(|name| Some((*name, self.script(name)?)));
        if let Some((name, text)) = found
            && self.is_usable(name, text, finding)
        {
            finding.checks.push(Draft::run("typecheck", "lint", self.run(name)));
        } else if let Some(config) = self.project.text("tsconfig.json", &mut finding.left_out) {
            if !self.has_bin("tsc") {
                if !self.plug_and_play {
                    finding.left_out.push("tsc: tsconfig.json is there, but it is not in node_modules".to_owned());
                }
            } else if config.contains("\"references\"") {
                finding.left_out.push(
                    "tsc: tsconfig.json only refers to other projects; add a check with the command that builds them"
                        .to_owned(),
                );
            } else {
                let tsc = Self::bin("tsc");
                finding.checks.push(Draft::run("typecheck", "lint", [tsc.as_str(), "--noEmit"]));
            }
        }
    }

    fn tests(&self, reports: Reports, finding: &mut Finding) {
        let text = self.script("test").filter(|text| !text.contains("no test specified"));
        let script = text.and_then(Script::parse);
        if let (Some(text), Some(script)) = (text, &script)
            && self.can_run_scripts
            && let Some(runner) = script.runner()
            && self.can_report(runner)
            && !(runner.name == "node" && text.contains("NODE_OPTIONS"))
        {
            if self.is_usable("test", text, finding) {
                finding.checks.push(self.scripted(runner, script, reports));
            }
            return;
        }
        let waits = script.as_ref().is_some_and(Script::waits);
        if (text.is_none() || waits || !self.can_run_scripts)
            && let Some(runner) = RUNNERS.iter().find(|runner| self.is_installed(runner))
        {
            finding.checks.push(self.direct(runner, reports));
            return;
        }
        let Some(text) = text else { return };
        if self.is_usable("test", text, finding) {
            finding.checks.push(
                Draft::run("tests", "test", self.run("test"))
                    .noted("No JUnit report is written, so no test is counted: only the exit code is judged."),
            );
            let needs = script.and_then(|script| script.runner()).and_then(|runner| runner.needs);
            finding.left_out.extend(needs.map(|needs| {
                format!("a report of the Node tests: {needs} is not installed, so they are run but not counted")
            }));
        }
    }

    /// Whether the runner that a script starts can write its report. Yarn's own store cannot be looked into.
    fn can_report(&self, runner: &Runner) -> bool {
        if self.plug_and_play {
            return runner.needs.is_none_or(|package| self.declares(package));
        }
        runner.is_installed(self.project)
    }

    fn declares(&self, package: &str) -> bool {
        let declares = |group: &str| self.package.get(group).is_some_and(|packages| packages.get(package).is_some());
        declares("devDependencies") || declares("dependencies")
    }

    /// Whether the runner itself can be started.
    fn is_installed(&self, runner: &Runner) -> bool {
        runner.is_package
            && self.declares(runner.name)
            && self.has_bin(runner.name)
            && runner.is_installed(self.project)
    }

    /// The project's own script, with what makes its runner write a report.
    fn scripted(&self, runner: &Runner, script: &Script, reports: Reports) -> Draft {
        let report = runner.report(reports);
        let once = runner.once.filter(|once| !script.has(once) && !script.has(&format!("--{once}")));
        let mut arguments: Vec<_> = once.map(|once| format!("--{once}")).into_iter().collect();
        arguments.extend(runner.arguments(&report));
        let mut argv = self.run("test");
        // The others hand everything behind the script's name on.
        if self.manager == "npm" && !arguments.is_empty() {
            argv.push("--".to_owned());
        }
        argv.extend(arguments);
        leaving(Draft::run("tests", "test", argv), runner, report)
    }

    /// The runner itself.
    fn direct(&self, runner: &Runner, reports: Reports) -> Draft {
        let report = runner.report(reports);
        let argv = std::iter::once(Self::bin(runner.name)).chain(runner.once.map(str::to_owned));
        leaving(Draft::run("tests", "test", argv.chain(runner.arguments(&report))), runner, report)
    }
}

fn leaving(mut draft: Draft, runner: &Runner, report: String) -> Draft {
    draft.env = runner.env(&report);
    let draft = if runner.writes_at_root() {
        draft.noted("The report lies beside this file: this runner creates no folders. Keep it out of git.")
    } else {
        draft
    };
    draft.leaving(Kind::Tests, Report::File(report))
}

/// `lint:css`, but not what changes files, waits for changes, or looks at staged files only.
fn is_lint_part(name: &str) -> bool {
    let is_other = |part: &str| ["fix", "write", "watch", "staged"].contains(&part);
    name.strip_prefix("lint:").is_some_and(|rest| !rest.is_empty() && !rest.split([':', '-']).any(is_other))
}

/// Whether a script's name can be an argument and, with `-` for `:`, the name of a check.
fn is_plain(name: &str) -> bool {
    name.len() <= 50 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::super::project::Fake;
    use super::super::{Proposed, Stop, compose};

    fn proposed(tree: &Fake) -> Proposed {
        compose(tree, Utf8Path::new("/w/web")).unwrap()
    }

    fn has(tree: &Fake, lines: &[&str]) {
        let text = proposed(tree).text;
        lines.iter().for_each(|line| assert!(text.contains(line), "{line} in\n{text}"));
    }

    fn package(scripts: &str, packages: &[&str]) -> Fake {
        let listed: Vec<_> = packages.iter().map(|name| format!("\"{name}\": \"*\"")).collect();
        let text = format!(
            "{{ \"name\": \"web\", \"scripts\": {{ {scripts} }}, \"devDependencies\": {{ {} }} }}",
            listed.join(", ")
        );
        let installed: Vec<_> = packages.iter().map(|name| format!("node_modules/.bin/{name}")).collect();
        let tree = installed.iter().fold(Fake::default(), |tree, path| tree.file(path, ""));
        tree.file("package.json", &text).programs(&["npm", "node", "pnpm", "yarn", "bun"])
    }

    #[test]
    fn a_package_with_scripts() {
        let scripts = r#""lint": "eslint . && prettier --check .", "lint:fix": "eslint --fix .", "lint:css": "stylelint .",
            "lint:staged": "x", "format": "prettier --write .", "format:check": "prettier --check .",
            "typecheck": "tsc --noEmit", "test": "vitest", "build": "vite build""#;
        let tree = package(scripts, &["eslint", "prettier", "stylelint", "tsc", "vitest"]).files(&["pnpm-lock.yaml"]);
        let proposed = proposed(&tree);
        insta::assert_snapshot!(proposed.text, @r"
        # yaml-language-server: $schema=https://raw.githubusercontent.com/org/mgmt-action/v1/schema/mgmt.schema.json
        # What must hold before a change is merged or shipped.
        #   mgmt full-check            run all of it
        #   mgmt full-check --dry-run  show what would run, and why
        #   mgmt full-check --fix      run each `fix` command first
        version: 1
        project: { name: web }

        # Each check passes if its command exits with 0.
        checks:
          lint:
            group: lint
            run: [pnpm, run, lint]
            fix: [pnpm, run, lint:fix]
          lint-css:
            group: lint
            run: [pnpm, run, lint:css]
          # Keep .mgmt in .gitignore or .prettierignore: reports are not formatted.
          format:
            group: format
            run: [pnpm, run, format:check]
            fix: [pnpm, run, format]
          typecheck:
            group: lint
            run: [pnpm, run, typecheck]
          tests:
            group: test
            run:
              - pnpm
              - run
              - test
              - --run
              - --reporter=default
              - --reporter=junit
              - --outputFile.junit=reports/junit.xml
            evidence: { tests: reports/junit.xml }

        # Rules on what the checks measured. What was not measured is inconclusive, never a pass.
        gate:
          - { metric: tests.failed, max: 0 }
          # A run that found no tests proves nothing.
          - { metric: tests.total, min: 1 }
        ");
        assert_eq!(proposed.found, ["Node: package.json, scripts run by pnpm"]);
        assert_eq!(proposed.left_out, [""; 0]);
    }

    #[test]
    fn each_runner_is_made_to_write_its_report() {
        let vitest = package(r#""test": "tsc && vitest run""#, &["vitest", "tsc"]);
        has(
            &vitest,
            &[
                "      - --\n      - --reporter=default\n      - --reporter=junit\n      - --outputFile.junit=reports/junit.xml\n",
                "evidence: { tests: reports/junit.xml }",
            ],
        );
        let jest =
            package(r#""test": "jest""#, &["jest"]).files(&["node_modules/jest-junit/package.json", "yarn.lock"]);
        has(
            &jest,
            &[
                "run: [yarn, run, test, --reporters=default, --reporters=jest-junit]",
                "      JEST_JUNIT_OUTPUT_FILE: reports/junit.xml\n      JEST_JUNIT_ADD_FILE_ATTRIBUTE: \"true\"\n",
            ],
        );
        let mocha = package(r#""test": "c8 mocha""#, &["mocha", "c8"]).files(&["package-lock.json"]);
        has(&mocha, &["      - --reporter-option\n      - output=reports/junit.xml\n"]);
        let node = package(r#""test": "node --test test/*.js""#, &[]);
        has(
            &node,
            &["run: [npm, run, test]", "--test-reporter-destination=junit.xml\"", "evidence: { tests: junit.xml }"],
        );
        let bun = package(r#""test": "bun test""#, &[]).files(&["bun.lock"]);
        has(&bun, &["run: [bun, run, test, --reporter=junit, --reporter-outfile=junit.xml]"]);
    }

    #[test]
    fn a_runner_without_a_script_for_it_is_started_itself() {
        let none = package(r#""test": "echo \"Error: no test specified\" && exit 1""#, &["vitest"]);
        has(&none, &["      - node_modules/.bin/vitest\n      - run\n      - --reporter=default\n"]);
        let watching = package(r#""test": "vitest --watch""#, &["vitest"]);
        has(&watching, &["      - node_modules/.bin/vitest\n      - run\n"]);
    }

    #[test]
    fn a_script_whose_runner_is_unknown_is_run_without_a_report() {
        let tree = package(r#""test": "ava""#, &["ava", "vitest"]);
        has(&tree, &["# No JUnit report is written", "run: [npm, run, test]", "# There is no `gate:` yet"]);
        let jest = proposed(&package(r#""test": "jest""#, &["jest"]));
        assert!(jest.text.contains("run: [npm, run, test]\n") && !jest.text.contains("evidence"), "{}", jest.text);
        assert_eq!(
            jest.left_out,
            ["a report of the Node tests: jest-junit is not installed, so they are run but not counted"]
        );
    }

    #[test]
    fn tools_without_a_script_are_started_themselves() {
        let tree = package("", &["eslint", "prettier", "tsc"]);
        let tree = tree.files(&["eslint.config.js", ".prettierrc"]).file("tsconfig.json", "{}");
        has(
            &tree,
            &[
                "run: [node_modules/.bin/eslint, .]",
                "fix: [node_modules/.bin/eslint, --fix, .]",
                "run: [node_modules/.bin/prettier, --check, ., \"!.mgmt\"]",
                "run: [node_modules/.bin/tsc, --noEmit]",
            ],
        );
        let tree = tree.file("tsconfig.json", "{ \"files\": [], \"references\": [] }");
        assert!(!proposed(&tree).text.contains("tsc"));
    }

    #[test]
    fn parts_that_lint_runs_itself_are_not_run_twice() {
        let parts = r#""lint:css": "make css", "lint:js": "make js", "lint:js:fix": "make fix""#;
        let whole = package(&format!(r#""lint": "npm run lint:css && npm run lint:js", {parts}"#), &[]);
        let text = proposed(&whole.programs(&["make"])).text;
        assert!(text.contains("[npm, run, lint]") && !text.contains("run, lint:"), "{text}");
        let text = proposed(&package(parts, &[]).programs(&["make"])).text;
        assert!(text.contains("lint-css:") && text.contains("lint-js:") && !text.contains("fix"), "{text}");
    }

    #[test]
    fn what_cannot_run_or_is_no_check_is_left_out() {
        let scripts = r#""lint": "eslint --fix .", "lint:css": "stylelint .", "format:check": "prettier --check '.",
            "typecheck": "tsc --watch", "test": "make test", "lint:a b": "true", "lint:;x": "true""#;
        let tree = package(scripts, &["eslint"]).files(&[".eslintrc.json"]).programs(&["make"]);
        let proposed = proposed(&tree);
        let checks = ["node_modules/.bin/eslint, .]", "[npm, run, test]"];
        checks.iter().for_each(|line| assert!(proposed.text.contains(line), "{}", proposed.text));
        assert_eq!(
            proposed.left_out,
            [
                "script `lint`: `--fix` is not for a check",
                "script `lint:css`: it runs `stylelint`, which is neither in node_modules nor on PATH",
                "script `lint:a b`: its name cannot stand in a command line",
                "script `lint:;x`: its name cannot stand in a command line",
                "script `format:check`: its quotes do not close",
                "script `typecheck`: it waits for changes and does not end",
            ]
        );
    }

    #[test]
    fn without_packages_or_a_package_manager_there_is_nothing_to_run() {
        let hint = |tree: &Fake| compose(tree, Utf8Path::new("/w/web")).unwrap_err().downcast::<Stop>().unwrap().hint;
        let text = r#"{ "devDependencies": { "vitest": "*" }, "scripts": { "test": "vitest" } }"#;
        let tree = Fake::default().file("package.json", text).files(&["yarn.lock"]).programs(&["yarn", "node"]);
        assert!(hint(&tree).unwrap().contains("Node: its packages are not installed; `yarn install` installs them"));
        let tree =
            Fake::default().file("package.json", r#"{ "scripts": { "test": "make" }, "packageManager": "pnpm@9.1" }"#);
        assert!(hint(&tree).unwrap().contains("scripts of package.json: `pnpm` is not on PATH"));
        for text in ["[]", "{", "{ \"scripts\": [] }"] {
            assert!(hint(&Fake::default().file("package.json", text).programs(&["npm"])).is_some(), "{text}");
        }
    }

    #[test]
    fn hostile_names_stay_text() {
        let name = "a\\\"\\n\\u202e]}, gate: []";
        let text =
            format!("{{ \"name\": \"{name}\", \"scripts\": {{ \"test\": \"make\", \"lint\\n#x\": \"make\" }} }}");
        let tree = Fake::default().file("package.json", &text).programs(&["npm", "make"]);
        has(&tree, &["project: { name: web }"]);
        let tree = Fake::default().file("package.json", &text.replace("\\n", "").replace("\\u202e", ""));
        has(&tree.programs(&["npm", "make"]), &["project: { name: 'a\"]}, gate: []' }"]);
    }
}
