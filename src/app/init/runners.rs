//! Node's test runners: which of them a script starts, and what makes each write a JUnit report.
//!
//! Options were tried with vitest 4, jest 30 with jest-junit 17, mocha 12, node 20 and bun 1.4. They are put
//! behind the project's own script, so that its settings, its hooks and what it does before the tests stay.
//! Deliberately absent: a shell's grammar. A script is cut into words only to see which program is last.

use super::draft::Reports;
use super::project::Project;

/// A test runner.
pub(super) struct Runner {
    /// Its program.
    pub(super) name: &'static str,
    /// A package that has to be installed beside it.
    pub(super) needs: Option<&'static str>,
    /// Whether it creates the report's folder.
    makes_folders: bool,
    /// How it is told where its report goes: arguments and variables, `{}` for the path.
    arguments: &'static [&'static str],
    env: &'static [(&'static str, &'static str)],
    /// The argument that makes it run once and end, where that is not the only thing it does.
    pub(super) once: Option<&'static str>,
    /// Whether `node_modules/.bin` holds it.
    pub(super) is_package: bool,
}

/// Every runner; of several that are installed the first is taken.
pub(super) const RUNNERS: &[Runner] = &[
    Runner {
        name: "vitest",
        needs: None,
        makes_folders: true,
        arguments: &["--reporter=default", "--reporter=junit", "--outputFile.junit={}"],
        env: &[],
        once: Some("run"),
        is_package: true,
    },
    Runner {
        name: "jest",
        needs: Some("jest-junit"),
        makes_folders: true,
        arguments: &["--reporters=default", "--reporters=jest-junit"],
        // Without the file, equal names in two files would count as one test.
        env: &[("JEST_JUNIT_OUTPUT_FILE", "{}"), ("JEST_JUNIT_ADD_FILE_ATTRIBUTE", "true")],
        once: None,
        is_package: true,
    },
    Runner {
        name: "mocha",
        needs: None,
        makes_folders: true,
        arguments: &["--reporter", "xunit", "--reporter-option", "output={}"],
        env: &[],
        once: None,
        is_package: true,
    },
    Runner {
        name: "node",
        needs: None,
        makes_folders: false,
        // Behind the files to test, node takes an option for one more file: these go the other way.
        arguments: &[],
        env: &[(
            "NODE_OPTIONS",
            "--test-reporter=spec --test-reporter-destination=stdout \
             --test-reporter=junit --test-reporter-destination={}",
        )],
        once: None,
        is_package: false,
    },
    Runner {
        name: "bun",
        needs: None,
        makes_folders: false,
        arguments: &["--reporter=junit", "--reporter-outfile={}"],
        env: &[],
        once: None,
        is_package: false,
    },
];

impl Runner {
    /// Where its report goes.
    #[must_use]
    pub(super) fn report(&self, reports: Reports) -> String {
        if self.makes_folders { reports.in_folder("junit.xml") } else { reports.at_root("junit.xml") }
    }

    /// Arguments that make it write the report.
    pub(super) fn arguments<'a>(&self, report: &'a str) -> impl Iterator<Item = String> + use<'a> {
        self.arguments.iter().map(move |argument| argument.replace("{}", report))
    }

    /// Variables that make it write the report.
    #[must_use]
    pub(super) fn env(&self, report: &str) -> Vec<(&'static str, String)> {
        self.env.iter().map(|(name, value)| (*name, value.replace("{}", report))).collect()
    }

    /// Whether the report is beside `mgmt.yml`.
    #[must_use]
    pub(super) fn writes_at_root(&self) -> bool {
        !self.makes_folders
    }

    /// Whether its package, and what it needs beside it, are installed.
    #[must_use]
    pub(super) fn is_installed(&self, project: &dyn Project) -> bool {
        (!self.is_package || project.is_file(&format!("node_modules/.bin/{}", self.name)))
            && self.needs.is_none_or(|package| project.is_file(&format!("node_modules/{package}/package.json")))
    }
}

/// Programs that start the one behind them.
const WRAPPERS: &[&str] = &["cross-env", "npx", "c8", "nyc", "bunx", "--"];
/// What a shell does by itself.
const BUILTINS: &[&str] =
    &[":", ".", "[", "cd", "echo", "eval", "exec", "exit", "export", "false", "if", "printf", "set", "test", "true"];

/// A script of package.json, cut into commands and words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Script {
    commands: Vec<Vec<String>>,
}

impl Script {
    /// Cuts a script; `None` if its quotes do not close.
    #[must_use]
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut script = Self { commands: vec![Vec::new()] };
        let mut word: Option<String> = None;
        let mut quote = None;
        for ch in text.chars() {
            match (quote, ch) {
                (Some(open), ch) if ch == open => quote = None,
                (Some(_), ch) => word.get_or_insert_default().push(ch),
                (None, '"' | '\'') => {
                    quote = Some(ch);
                    word.get_or_insert_default();
                }
                (None, '&' | ';' | '|' | '\n') => {
                    script.end_word(&mut word);
                    script.commands.push(Vec::new());
                }
                (None, ch) if ch.is_whitespace() => script.end_word(&mut word),
                (None, ch) => word.get_or_insert_default().push(ch),
            }
        }
        script.end_word(&mut word);
        script.commands.retain(|command| !command.is_empty());
        quote.is_none().then_some(script)
    }

    fn end_word(&mut self, word: &mut Option<String>) {
        if let (Some(word), Some(command)) = (word.take(), self.commands.last_mut()) {
            command.push(word);
        }
    }

    /// The runner that the script's last command starts, which is the one that more arguments reach.
    #[must_use]
    pub(super) fn runner(&self) -> Option<&'static Runner> {
        let (program, arguments) = self.last()?;
        let has = |name: &str| arguments.iter().any(|argument| argument == name);
        if self.waits() || has("bench") {
            return None;
        }
        let name = match program {
            "node" if has("--test") => "node",
            // `node --flag node_modules/jest/bin/jest.js`
            "node" => {
                let path = arguments.iter().find(|argument| !argument.starts_with('-'))?;
                return RUNNERS.iter().find(|runner| {
                    runner.is_package
                        && path.split('/').skip_while(|part| *part != "node_modules").any(|part| part == runner.name)
                });
            }
            "bun" if arguments.first().is_some_and(|first| first == "test") => "bun",
            "bun" => return None,
            name => name,
        };
        RUNNERS.iter().find(|runner| runner.name == name)
    }

    /// Whether it waits for files to change instead of ending.
    #[must_use]
    pub(super) fn waits(&self) -> bool {
        if self.commands.iter().flatten().any(|word| word.starts_with("--watch") && !word.ends_with("=false")) {
            return true;
        }
        let is_told_not_to =
            self.mentions("CI") || self.commands.iter().flatten().any(|word| word.starts_with("--watch"));
        match self.last() {
            Some(("vitest", arguments)) => {
                arguments.iter().any(|word| ["watch", "dev", "--ui"].contains(&word.as_str()))
            }
            Some(("mocha", arguments)) => arguments.iter().any(|word| word == "-w"),
            Some(("react-scripts" | "ng", arguments)) => {
                arguments.first().is_some_and(|word| word == "test") && !is_told_not_to
            }
            _ => false,
        }
    }

    /// Whether the last command has this argument.
    #[must_use]
    pub(super) fn has(&self, argument: &str) -> bool {
        self.last().is_some_and(|(_, arguments)| arguments.iter().any(|other| other == argument))
    }

    /// Whether any word is this one, or begins with it and `=`.
    #[must_use]
    pub(super) fn mentions(&self, word: &str) -> bool {
        let is_it =
            |other: &String| other.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
        self.commands.iter().flatten().any(is_it)
    }

    /// The first program that is neither a package's nor on PATH. What a shell would have to work out is believed.
    #[must_use]
    pub(super) fn missing(&self, project: &dyn Project) -> Option<&str> {
        let is_there = |name: &str| {
            BUILTINS.contains(&name)
                || name.contains(['/', '$', '(', ')', '{', '}', '`', '\\', '=', '<', '>', '!'])
                || project.is_file(&format!("node_modules/.bin/{name}"))
                || project.has_program(name)
        };
        let programs = self.commands.iter().filter_map(|command| command.iter().find(|word| !is_assignment(word)));
        programs.map(String::as_str).find(|name| !is_there(name))
    }

    /// The last command without what stands before its program: the program and its arguments.
    fn last(&self) -> Option<(&str, &[String])> {
        let mut words = self.commands.last()?.as_slice();
        let mut is_wrapped = false;
        while let [first, rest @ ..] = words {
            if WRAPPERS.contains(&first.as_str()) {
                is_wrapped = true;
            } else if !(is_assignment(first) || is_wrapped && first.starts_with('-')) {
                return Some((first.strip_prefix("node_modules/.bin/").unwrap_or(first), rest));
            }
            words = rest;
        }
        None
    }
}

/// `NAME=value`
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::super::project::Fake;
    use super::*;

    fn runner(text: &str) -> Option<&'static str> {
        Script::parse(text).and_then(|script| script.runner()).map(|runner| runner.name)
    }

    #[test]
    fn the_last_command_decides_which_runner_it_is() {
        for (script, name) in [
            ("vitest", "vitest"),
            ("vitest run --coverage", "vitest"),
            ("tsc -b && vitest --run", "vitest"),
            ("TZ=UTC NODE_ENV=test jest --ci", "jest"),
            ("cross-env NODE_ENV=test jest", "jest"),
            ("node --experimental-vm-modules node_modules/jest/bin/jest.js", "jest"),
            ("./x.sh; node_modules/.bin/mocha 'test/**/*.js'", "mocha"),
            ("c8 --reporter=lcov mocha -r ts-node/register", "mocha"),
            ("node --import tsx --test \"test/*.test.ts\"", "node"),
            ("bun test", "bun"),
        ] {
            assert_eq!(runner(script), Some(name), "{script}");
        }
        for script in [
            "",
            "&&",
            "vitest --watch",
            "vitest dev",
            "jest --watchAll",
            "node --test | tap-spec",
            "node test.js",
            "bun run x",
            "react-scripts test",
            "echo jest",
            "npm run jest",
            "mocha 'unclosed",
            "jest && ./after.sh",
            "node",
            "node jest/run.js",
            "vitest bench",
        ] {
            assert_eq!(runner(script), None, "{script}");
        }
    }

    #[test]
    fn what_waits_for_changes_never_ends() {
        let waits = |text: &str| Script::parse(text).unwrap().waits();
        for script in ["tsc --watch", "jest --watchAll", "vitest dev", "mocha -w", "react-scripts test", "ng test"] {
            assert!(waits(script), "{script}");
        }
        for script in
            ["jest --watchAll=false", "vitest run", "CI=1 react-scripts test", "ng test --watch=false", "ng build"]
        {
            assert!(!waits(script), "{script}");
        }
    }

    #[test]
    fn a_program_that_is_nowhere_is_found_out() {
        let tree = Fake::default().files(&["node_modules/.bin/eslint"]).programs(&["make"]);
        let missing = |text: &str| Script::parse(text).unwrap().missing(&tree).map(str::to_owned);
        assert_eq!(missing("cd x && A=1 eslint . && make || ./run.sh; $TOOL; (true)"), None);
        assert_eq!(missing("eslint . && stylelint 'a & b'").as_deref(), Some("stylelint"));
    }
}
