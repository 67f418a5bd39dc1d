//! `action.yml`, its script, its manifest and the workflows, held against each other.

use std::collections::{BTreeMap, BTreeSet};

use mgmt_action::publish::outputs::OUTPUTS;
use serde_yaml::Value;

use crate::read;

/// Actions that may be used, at these commits only.
const PINNED: &[(&str, &str, &str)] = &[
    ("actions/cache", "55cc8345863c7cc4c66a329aec7e433d2d1c52a9", "v6.1.0"),
    ("actions/checkout", "3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    ("actions/setup-python", "5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    ("actions/upload-artifact", "043fb46d1a93c77aae656e7c1c64a875d1fc6a0a", "v7.0.1"),
];

/// Variables of a step that are not the action's own: what shells start with, and where GitHub's tokens are looked for.
const FOREIGN: &[&str] = &["BASH_ENV", "SHELLOPTS", "GITHUB_TOKEN", "GH_TOKEN"];

fn action() -> Value {
    serde_yaml::from_str(&read("action.yml")).unwrap()
}

fn script() -> String {
    read(".github/action/main.sh")
}

fn names(value: &Value) -> BTreeSet<String> {
    value.as_mapping().unwrap().keys().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Every (step's subcommand, variable, value) of the steps that run the script.
fn environment(action: &Value) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for step in action["runs"]["steps"].as_sequence().unwrap() {
        let Some(run) = step["run"].as_str() else { continue };
        let subcommand = run.rsplit(' ').next().unwrap();
        for (name, value) in step["env"].as_mapping().unwrap() {
            found.push((subcommand.to_owned(), name.as_str().unwrap().to_owned(), value.as_str().unwrap().to_owned()));
        }
    }
    found
}

/// Every match of a pattern's only group.
fn all(pattern: &str, text: &str) -> BTreeSet<String> {
    let pattern = regex::Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// Every workflow of this repository and the examples of its README, with its text.
fn workflows() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for folder in [".github/workflows", "tests/fixtures/workflows"] {
        let place = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(place).unwrap() {
            let name = format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap());
            found.insert(name.clone(), read(&name));
        }
    }
    assert!(found.len() >= 6, "{:?}", found.keys());
    found
}

#[test]
fn the_action_can_be_listed() {
    let action = action();
    assert_eq!(action["name"], "mgmt quality gate");
    let description = action["description"].as_str().unwrap();
    assert!(description.len() < 125, "{} characters", description.len());
    assert_eq!(action["runs"]["using"], "composite");
    assert!(action["branding"]["icon"].is_string() && action["branding"]["color"].is_string());
}

#[test]
fn no_expression_stands_in_a_command() {
    let action = action();
    for step in action["runs"]["steps"].as_sequence().unwrap() {
        assert!(step["name"].is_string(), "{step:?}");
        let Some(run) = step["run"].as_str() else { continue };
        assert!(!run.contains("${{"), "{run}");
        let begin = "exec bash --noprofile --norc -p -- \"${GITHUB_ACTION_PATH:?}/.github/action/main.sh\" ";
        assert!(
            run.strip_prefix(begin).is_some_and(|rest| rest.chars().all(|sign| sign.is_ascii_lowercase())),
            "{run}"
        );
        assert_eq!(step["shell"], "bash");
    }
}

#[test]
fn each_input_is_mapped_once_and_read() {
    let (action, script) = (action(), script());
    let mapped = environment(&action);
    for input in names(&action["inputs"]) {
        let value = format!("${{{{ inputs.{input} }}}}");
        let found: Vec<_> = mapped.iter().filter(|(_, _, mapped)| *mapped == value).collect();
        assert!(
            action["inputs"][&*input]["description"].is_string() && action["inputs"][&*input]["default"].is_string()
        );
        if input == "token" {
            let steps: Vec<_> = found.iter().map(|(step, name, _)| (&**step, &**name)).collect();
            assert_eq!(steps, [("baseline", "GITHUB_TOKEN"), ("publish", "GITHUB_TOKEN")]);
            continue;
        }
        let name = format!("MGMT_INPUT_{}", input.to_uppercase().replace('-', "_"));
        assert_eq!(found.len(), 1, "{input} is mapped {} times", found.len());
        assert_eq!((&*found[0].0, &*found[0].1), ("prepare", &*name));
        assert!(script.contains(&format!("{{{name}?}}")), "main.sh does not read {name}");
    }
    // The one other place of an input: the token, for commands that ask GitHub.
    let others: Vec<_> =
        mapped.iter().filter(|(_, _, value)| value.contains("inputs.") && value.contains("&&")).collect();
    assert_eq!(others.len(), 1, "{others:?}");
    assert_eq!((&*others[0].0, &*others[0].1), ("run", "GITHUB_TOKEN"));
    let text = read("action.yml");
    assert_eq!(text.matches("inputs.").count(), names(&action["inputs"]).len() + 2, "an input is used somewhere else");
}

#[test]
fn the_script_reads_what_is_mapped_and_nothing_else() {
    let mapped: BTreeSet<String> = environment(&action())
        .into_iter()
        .map(|(_, name, _)| name)
        .filter(|name| !FOREIGN.contains(&&**name))
        .collect();
    assert_eq!(all(r"\b(MGMT_[A-Z_]+)\b", &script()), mapped);
}

#[test]
fn each_step_of_the_script_is_a_step_of_the_action() {
    let (action, script) = (action(), script());
    let steps: Vec<String> = {
        let mut steps: Vec<String> = environment(&action).into_iter().map(|(step, ..)| step).collect();
        steps.dedup();
        steps
    };
    assert_eq!(all(r"(?m)^        ([a-z]+)\) [a-z]+ ;;$", &script), steps.iter().cloned().collect());
    for step in &steps {
        assert!(script.contains(&format!("        {step}) {step} ;;\n")), "{step}");
    }
}

#[test]
fn start_files_and_options_of_the_job_do_not_count_beside_a_token_or_a_decision() {
    let mapped = environment(&action());
    let steps: BTreeSet<&String> = mapped.iter().map(|(step, ..)| step).collect();
    for step in steps.into_iter().filter(|step| *step != "run") {
        for name in ["BASH_ENV", "SHELLOPTS"] {
            assert!(mapped.contains(&(step.clone(), name.into(), String::new())), "{step} does not clear {name}");
        }
    }
}

#[test]
fn what_a_step_passes_on_is_written_and_read() {
    let (text, script) = (read("action.yml"), script());
    let written = all(r"(?m)^\s*output ([a-z-]+) ", &script);
    for step in ["prepare", "build", "run", "collect"] {
        let read = all(&format!(r"steps\.{step}\.outputs\.([a-z-]+)"), &text);
        assert!(!read.is_empty());
        for name in read.iter().filter(|name| step != "run" || !OUTPUTS.iter().any(|output| output.name == **name)) {
            assert!(written.contains(name), "main.sh writes no output {name}, which action.yml reads from {step}");
        }
    }
    let read = all(r"steps\.[a-z]+\.outputs\.([a-z-]+)", &text);
    let lost: Vec<_> = written.difference(&read).collect();
    assert!(lost.is_empty(), "nothing reads {lost:?}");
    // Every step that is named has its id.
    let ids: BTreeSet<_> = all(r"(?m)^      id: ([a-z]+)$", &text);
    assert_eq!(all(r"steps\.([a-z]+)\.", &text), ids);
}

#[test]
fn each_output_is_mapped_and_written() {
    let (action, script) = (action(), script());
    let known: BTreeSet<_> = OUTPUTS.iter().map(|output| output.name.to_owned()).collect();
    assert_eq!(names(&action["outputs"]), known);
    for name in known {
        let output = &action["outputs"][name.as_str()];
        assert!(output["description"].is_string());
        let value = output["value"].as_str().unwrap();
        assert!(value.contains(&format!("steps.run.outputs.{name}")), "{value}");
        // The code is the command's own, whatever was published.
        let is_published = value.starts_with(&format!("${{{{ steps.publish.outputs.{name} ||"));
        assert_eq!(is_published, name != "exit-code", "{value}");
    }
    assert!(script.contains("output exit-code ") && script.contains("output ended "));
}

#[test]
fn the_manifest_carries_this_version_and_whole_sums() {
    let text = read(".github/action/manifest.json");
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest.as_object().unwrap().len(), 2);
    for (target, sum) in manifest["archives"].as_object().unwrap() {
        let sum = sum.as_str().unwrap();
        assert!(sum.len() == 64 && sum.chars().all(|sign| matches!(sign, '0'..='9' | 'a'..='f')), "{target}: {sum}");
        // The script reads one entry a line.
        assert!(text.lines().any(|line| line.trim().trim_end_matches(',') == format!("\"{target}\": \"{sum}\"")));
    }
}

#[test]
fn the_commands_are_told_and_known() {
    let action = action();
    let told = action["inputs"]["command"]["description"].as_str().unwrap().to_owned();
    let script = script();
    let known = all(r"(?m)^(?:starting|reading|commands)=\((.*)\)$", &script);
    let known: Vec<&str> = known.iter().flat_map(|line| line.split(' ')).filter(|word| !word.contains('$')).collect();
    assert_eq!(known.len(), 19, "{known:?}");
    for command in known {
        assert!(told.contains(&format!("`{command}`")), "the input's description does not tell of {command}");
    }
}

#[test]
fn the_script_needs_no_newer_bash_than_that_of_macos() {
    let newer = [
        r"\b(mapfile|readarray|coproc)\b",
        r"\b(declare|local|typeset) -[a-zA-Z]*[An]",
        r"\$\{[A-Za-z_]+(,|\^|@[A-Za-z])",
        r"\|&|&>>|;;?&",
        r"\[\[ -v |\bEPOCH|%\(|\bwait -n\b",
        r"\$\{[A-Za-z_]+: -|\[-1\]|\bBASHPID\b|\binherit_errexit\b",
    ];
    let script = script();
    for (number, line) in script.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#')) {
        for pattern in newer {
            let found = regex::Regex::new(pattern).unwrap().is_match(line);
            assert!(!found, "main.sh:{}: `{pattern}` in: {line}", number + 1);
        }
    }
    // Before 4.4 an array without entries counts as unset, so those that may have none are expanded with a `+`.
    for array in ["ITEMS", "staged", "clean"] {
        let bare = regex::Regex::new(&format!(r#"(^|[^+])"\$\{{{array}\[@\]\}}""#)).unwrap();
        let lines: Vec<&str> = script.lines().filter(|line| bare.is_match(line)).collect();
        let filled = ["\"${HASHER[@]}\" -- ", "\"${binary}\" "];
        let empty: Vec<&&str> = lines.iter().filter(|line| !filled.iter().any(|known| line.contains(known))).collect();
        assert!(empty.is_empty(), "{array}: {empty:#?}");
    }
    assert!(script.contains("\nset -CeEuo pipefail\n") && !script.contains("eval "));
}

#[test]
fn every_action_is_pinned_to_a_known_commit() {
    let mut files = workflows();
    files.insert("action.yml".into(), read("action.yml"));
    let line = regex::Regex::new(r"^\s*(?:- )?uses: (\S+)(?: # (.*))?$").unwrap();
    let mut seen = BTreeSet::new();
    for (file, text) in &files {
        for found in text.lines().filter(|line| line.contains("uses:") && !line.trim_start().starts_with('#')) {
            let found = line.captures(found).unwrap_or_else(|| panic!("{file}: {found}"));
            let (uses, comment) = (&found[1], found.get(2).map_or("", |comment| comment.as_str()));
            if uses == "./" || uses.starts_with("./.github/workflows/") || uses.ends_with("mgmt-action@v1") {
                assert!(uses != "org/mgmt-action@v1" || !file.starts_with("action.yml"), "{file}: {uses}");
                continue;
            }
            if uses.starts_with("org/mgmt-action/.github/workflows/") {
                assert!(file.starts_with("tests/fixtures/"), "{file}: {uses}");
                continue;
            }
            let (name, commit) = uses.split_once('@').unwrap_or_else(|| panic!("{file}: {uses}"));
            let repository = name.split('/').take(2).collect::<Vec<_>>().join("/");
            let pinned = PINNED.iter().find(|(known, ..)| *known == repository);
            let (_, known, version) = pinned.unwrap_or_else(|| panic!("{file}: {repository} is not on the list"));
            assert_eq!((commit, comment), (*known, *version), "{file}: {uses}");
            seen.insert(repository);
        }
    }
    assert_eq!(seen.len(), PINNED.len(), "the list names what nothing uses: {seen:?}");
}

#[test]
fn workflows_grant_nothing_by_default_and_end_in_time() {
    for (file, text) in workflows() {
        let workflow: Value = serde_yaml::from_str(&text).unwrap();
        assert!(workflow["permissions"].as_mapping().is_some_and(serde_yaml::Mapping::is_empty), "{file}: permissions");
        for (name, job) in workflow["jobs"].as_mapping().unwrap() {
            let place = format!("{file}: {}", name.as_str().unwrap());
            assert!(job["uses"].is_string() || !job["timeout-minutes"].is_null(), "{place}: no timeout");
            let steps = job["steps"].as_sequence().cloned().unwrap_or_default();
            for step in &steps {
                assert!(
                    !step["run"].as_str().unwrap_or_default().contains("${{"),
                    "{place}: an expression in a command"
                );
                if step["uses"].as_str().is_some_and(|uses| uses.starts_with("actions/checkout@")) {
                    assert_eq!(step["with"]["persist-credentials"], false, "{place}");
                }
            }
        }
    }
}

#[test]
fn a_schedule_is_audited_with_what_it_takes_and_no_more() {
    let read = |file| serde_yaml::from_str::<Value>(&read(file)).unwrap();
    let (reusable, users) =
        (read(".github/workflows/retrain-audit.yml"), read("tests/fixtures/workflows/retrain-audit.yml"));
    let events = &reusable["on"];
    assert_eq!(names(events), BTreeSet::from(["workflow_call".to_owned(), "workflow_dispatch".to_owned()]));
    assert_eq!(events["workflow_call"]["inputs"], events["workflow_dispatch"]["inputs"]);
    let wanted = [
        ("contents", "read"),
        ("actions", "read"),
        ("deployments", "read"),
        ("pull-requests", "read"),
        ("issues", "write"),
    ];
    for workflow in [&reusable, &users] {
        let job = &workflow["jobs"]["audit"];
        let granted = job["permissions"].as_mapping().unwrap();
        assert_eq!(granted.len(), wanted.len());
        assert!(wanted.iter().all(|(name, right)| job["permissions"][*name] == *right), "{granted:?}");
        assert_eq!(workflow["concurrency"]["cancel-in-progress"], false, "half an audit tells nobody");
        let step = job["steps"].as_sequence().unwrap().last().unwrap();
        assert_eq!(step["with"]["command"], "audit");
        let lines: Vec<_> = step["with"]["args"].as_str().unwrap().lines().collect();
        assert!(lines[0] == "retrain" && lines[1].contains("--publish"), "{lines:?}");
        // Secrets are passed one by one, and a variable is called as its secret is.
        for (name, value) in step["env"].as_mapping().unwrap() {
            assert_eq!(value.as_str().unwrap(), format!("${{{{ secrets.{} }}}}", name.as_str().unwrap()));
        }
    }
    let job = &reusable["jobs"]["audit"];
    let text = serde_yaml::to_string(job).unwrap();
    for input in names(&events["workflow_call"]["inputs"]) {
        assert!(text.contains(&format!("inputs.{input}")), "nothing reads the input {input}");
    }
    let declared = names(&events["workflow_call"]["secrets"]);
    assert_eq!(all(r"secrets\.([A-Z_]+)", &text), declared);
    for name in declared {
        assert_eq!(events["workflow_call"]["secrets"][&*name]["required"], false, "{name}");
    }
    // Two of one name, one inside of the other, would wait for each other for ever.
    assert_ne!(reusable["concurrency"]["group"], users["concurrency"]["group"]);
}
