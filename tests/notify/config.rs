//! `notify:` through the binary: no message, in no form, repeats an address.

use super::support::Project;

fn check(notify: &str) -> (i32, String) {
    let project = Project::with(&format!("version: 1\nnotify:\n{notify}"));
    let ran = project.run(&["config", "check"]);
    (ran.code, format!("{}{}", ran.stdout, ran.stderr))
}

#[test]
fn an_address_in_the_file_is_refused_and_hidden() {
    let (code, said) =
        check("  discord:\n    url: https://discord.com/api/webhooks/1/canary   # ours\n    levels: [eror]\n");
    assert_eq!(code, 2);
    assert!(!said.contains("canary") && !said.contains("discord.com"), "{said}");
    insta::assert_snapshot!(said, @r"
    error[config.secret]: the address of a webhook is a secret, and this file is not
     --> mgmt.yml:4:10
      |
    4 |     url: *****************************************   # ours
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: put it into an environment variable and name that, `url-env: DISCORD_WEBHOOK_URL`; make a new webhook, since this one can be used by everybody who has seen the file

    error: 1 problem in mgmt.yml
    help: `mgmt config schema` prints what the file may hold
    ");
    for notify in [
        "  discord: { url-env: \"https://discord.com/api/webhooks/1/canary\", kind: no }\n",
        "  ops:\n    kind: slack\n    url-env: |\n      https://hooks.slack.com/services/canary\n      canary\n",
        "  discord: { url-env: canary$canary }\n  x: 1\n",
    ] {
        let (code, said) = check(notify);
        assert_eq!((code, said.contains("canary")), (2, false), "{said}");
        let project = Project::with(&format!("version: 1\nnotify:\n{notify}"));
        let ran = project.run(&["full-check"]);
        assert!(ran.code == 2 && !format!("{ran:?}").contains("canary"), "{ran:?}");
    }
}

#[test]
fn the_policy_is_shown_with_its_defaults_and_reads_back() {
    let project = Project::with(
        "version: 1\nnotify:\n  discord: { url-env: DISCORD_WEBHOOK_URL, mention: { roles: [222222222222222222] } }\n  \
         ops: { kind: webhook, url-env: OPS, secret-env: KEY, levels: [critical] }\n",
    );
    let shown = project.run(&["config", "show"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    let at = shown.stdout.find("notify:").unwrap();
    insta::assert_snapshot!(&shown.stdout[at..], @r"
    notify:
      discord:
        kind: discord
        url-env: DISCORD_WEBHOOK_URL
        levels:
        - critical
        - error
        - warning
        - audit
        mention:
          users: []
          roles:
          - '222222222222222222'
      ops:
        kind: webhook
        url-env: OPS
        levels:
        - critical
        secret-env: KEY
    ");
    let again = Project::with(&shown.stdout);
    assert_eq!(again.run(&["config", "show"]).stdout.split_once("notify:").unwrap().1, &shown.stdout[at + 7..]);
}

#[test]
fn the_schema_takes_what_the_program_takes() {
    let schema: serde_json::Value = serde_json::from_str(&Project::new().run(&["config", "schema"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema["properties"]["notify"]).unwrap();
    for (notify, good) in [
        (
            r#"{"discord":{"url-env":"D","thread-id":"123456789012345678","mention":{"users":["123456789012345678"]}}}"#,
            true,
        ),
        (r#"{"slack":{"url-env":"S","levels":["audit"]}}"#, true),
        (r#"{"ops":{"kind":"webhook","url-env":"S","secret-env":"K"}}"#, true),
        (r#"{"ops":{"url-env":"S"}}"#, false),
        (r#"{"ops":{"kind":"slack","url-env":"S","secret-env":"K"}}"#, false),
        (r#"{"slack":{"kind":"discord","url-env":"S"}}"#, false),
        (r#"{"slack":{"url-env":"https://x"}}"#, false),
        (r#"{"slack":{"levels":["audit"]}}"#, false),
    ] {
        assert_eq!(validator.is_valid(&serde_json::from_str(notify).unwrap()), good, "{notify}");
    }
}
