//! What comes from outside stays text: inputs, start files, exported functions. And the token stays where it belongs.

use std::fs;

use crate::job::{Job, TOKEN};
use crate::read;

#[test]
fn no_check_sees_a_token_or_the_ways_into_later_steps() {
    for (command, input, value) in [
        ("full-check", "args", ""),
        ("data-check", "args", ""),
        ("gate", "evidence", "a.xml"),
        ("inspect", "evidence", "a.xml"),
        ("explain", "args", "score"),
    ] {
        let job = Job::ready()
            .variable("GITHUB_TOKEN", TOKEN)
            .variable("GH_TOKEN", TOKEN)
            .variable("INPUT_TOKEN", TOKEN)
            .variable("ACTIONS_RUNTIME_TOKEN", TOKEN)
            .variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", TOKEN)
            .input("command", command)
            .input(input, value);
        let done = job.run();
        assert_eq!(done.ended(), Some(0), "{done:#?}");
        let seen = job.seen(command);
        assert!(!seen.contains(TOKEN), "{command}: {seen}");
        for name in ["GITHUB_ENV=", "GITHUB_PATH=", "GITHUB_OUTPUT=", "GITHUB_STATE=", "MGMT_", "_TOKEN"] {
            assert!(!seen.lines().any(|line| line.starts_with(name) || line.contains("_TOKEN=")), "{name}: {seen}");
        }
        assert!(!done.log.contains(TOKEN));
    }
}

#[test]
fn the_token_is_with_the_steps_that_ask_github() {
    let job = Job::ready();
    job.run();
    for command in ["ci", "publish"] {
        assert!(job.seen(command).contains(&format!("GITHUB_TOKEN={TOKEN}\n")), "{command}");
    }
    assert!(!job.seen("collect").contains(TOKEN));
    let job = Job::ready().input("command", "publish").input("run-id", "1");
    job.run();
    let seen = job.seen("publish");
    assert!(seen.contains(&format!("GITHUB_TOKEN={TOKEN}\n")) && seen.contains("GITHUB_OUTPUT="), "{seen}");
}

#[test]
fn poisoned_start_files_options_and_functions_do_not_reach_the_script() {
    let job = Job::ready();
    let (evil, mark) = (job.path("evil.sh"), job.path("mark"));
    // It leaves the job's own shells alone and speaks up in any other.
    let lines = format!("case \"$0\" in *main.sh) touch '{}' ;; esac\n", mark.to_str().unwrap().replace('\'', r"'\''"));
    fs::write(&evil, lines).unwrap();
    let job = job
        .variable("BASH_ENV", evil.to_str().unwrap())
        .variable("ENV", evil.to_str().unwrap())
        .variable("SHELLOPTS", "noglob:xtrace")
        .variable("BASHOPTS", "nocasematch")
        .variable("CDPATH", "/tmp")
        .variable("BASH_FUNC_printf%%", "() { echo poisoned; }")
        .variable("BASH_FUNC_split%%", "() { echo poisoned; }");
    let done = job.run();
    assert_eq!(done.ended(), Some(0), "{done:#?}");
    assert!(!mark.exists() && !done.log.contains("poisoned"), "{done:#?}");
    assert_eq!(job.calls("mgmt").len(), 4);
    // The script's own options (`errexit`, `noclobber`) are no business of a check's shell.
    let seen = job.seen("full-check");
    assert!(!seen.contains("errexit") && !seen.contains("SHELLOPTS") && !seen.contains("BASHOPTS"), "{seen}");
    // What checks may rely on is theirs.
    assert!(seen.contains("BASH_ENV="), "{seen}");
}

#[test]
fn no_input_is_ever_run_or_becomes_a_command_to_the_runner() {
    let attempts = [
        "$(touch pwned)`touch pwned`",
        "; touch pwned #",
        "x' || touch pwned; '\" && touch pwned && \"",
        "a[$(touch pwned)]",
        "%0A::set-env name=PWNED::1",
        "x\r\n::add-path::pwned\n::set-env name=PWNED::1",
        "x\nend_of_value\npwned=1",
        "--config=../../pwned*%s%n\\",
    ];
    let names: Vec<String> = {
        let action: serde_yaml::Value = serde_yaml::from_str(&read("action.yml")).unwrap();
        action["inputs"].as_mapping().unwrap().keys().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    for name in names.iter().filter(|name| *name != "token") {
        for attempt in attempts {
            let mut job = Job::ready();
            if ["stage", "sha", "wait", "answer", "environment", "run-id"].contains(&&**name) {
                job = job.input("command", "gate").input("stage", "live").input("sha", crate::job::SHA);
            } else if name == "expect" {
                job = job.input("command", "ci");
            }
            let job = job.input(name, attempt);
            let done = job.run();
            let place = format!("{name}: {attempt:?}: {}", done.log);
            for folder in ["checkout", "temp", "home", "the action", "."] {
                assert!(!job.path(folder).join("pwned").exists(), "{place}");
            }
            for line in done.log.lines().filter(|line| line.trim_start().starts_with("::")) {
                let known = ["::error title=", "::warning title=", "::notice title="];
                assert!(known.iter().any(|begin| line.starts_with(begin)), "{place}");
            }
            assert!(!done.outputs.contains_key("pwned"), "{place}");
            // It is refused, or it arrives as it stands, a line an argument.
            if done.codes["prepare"] == 0 {
                let calls = job.calls("mgmt").concat();
                for line in attempt.split('\n').map(|line| line.trim_end_matches('\r')) {
                    let whole = calls.contains(&format!("<{line}>")) || calls.contains(&format!("={line}>"));
                    assert!(whole, "{place}: {calls}");
                }
            }
        }
    }
}

#[test]
fn an_argument_arrives_as_it_stands() {
    let odd = ["$(touch pwned)", "; rm -rf x", "a  b", "*", "%0A::x", "~", "\\n", "'", "\"", "end_of_value", "é"];
    let job = Job::ready().input("command", "status").input("args", &odd.join("\n"));
    assert_eq!(job.run().ended(), Some(0));
    let said: String = odd.iter().map(|argument| format!("<{argument}>")).collect();
    assert_eq!(job.calls("mgmt"), [format!("<status>{said}")]);
}
