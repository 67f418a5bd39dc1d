//! `mgmt notify test` through the binary.

use super::discord::{Fake, Fault};
use super::support::{Project, Ran, ran};

const POLICY: &str = "version: 1
project: { name: shop }
notify:
  discord: { url-env: DISCORD_WEBHOOK_URL, levels: [critical, error], mention: { users: [111111111111111111] } }
  slack: { url-env: SLACK_WEBHOOK_URL, levels: [audit] }
  pager: { kind: webhook, url-env: PAGER_URL, secret-env: PAGER_SECRET }
";

struct Scene {
    fake: Fake,
    project: Project,
}

impl Scene {
    fn new() -> Self {
        Self { fake: Fake::start(), project: Project::with(POLICY) }
    }

    /// Runs the binary; no address may be in anything it says or writes.
    fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.project.command();
        command
            .env("DISCORD_WEBHOOK_URL", self.fake.webhook())
            .env("SLACK_WEBHOOK_URL", self.fake.slack())
            .env("PAGER_URL", self.fake.plain())
            .env("PAGER_SECRET", "canary-secret");
        self.ran(command.args(args))
    }

    fn ran(&self, command: &mut std::process::Command) -> Ran {
        let ran = ran(command.output().unwrap());
        assert!(!format!("{ran:?}").to_lowercase().contains("canary"), "{ran:?}");
        ran
    }
}

#[test]
fn a_test_reaches_every_receiver() {
    let scene = Scene::new();
    let ran = scene.run(&["notify", "test"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        ran.stdout,
        "discord (discord): told (message 1400000000000000001)\nslack (slack): told\npager (webhook): told\n"
    );
    assert_eq!(ran.stderr, "");
    let message = &scene.fake.messages()[0];
    assert_eq!((message.flags, message.pings.len()), (4_096, 0), "nobody is disturbed");
    assert_eq!(message.content["embeds"][0]["title"], "AUDIT: A test of the notices of shop");
    assert_eq!(scene.fake.requests().len(), 3);
    assert!(scene.fake.requests()[2].headers.contains_key("x-mgmt-signature-256"));
}

#[test]
fn a_level_goes_where_it_would_go() {
    let scene = Scene::new();
    let ran = scene.run(&["notify", "test", "--level", "critical"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("slack (slack): is not told of this level\n"), "{ran:?}");
    assert_eq!(scene.fake.messages()[0].pings, ["111111111111111111"]);
    let ran = scene.run(&["notify", "test", "--level", "fatal"]);
    assert!(ran.code == 2 && ran.stderr.contains("there are: critical, error, warning, audit"), "{ran:?}");
}

#[test]
fn a_dry_run_shows_the_payloads_and_sends_nothing() {
    let scene = Scene::new();
    let ran = scene.run(&["notify", "test", "discord", "--dry-run"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let shown = scene.project.redact(&ran.stdout).replace(mgmt_action::VERSION, "[version]");
    let shown = regex::Regex::new(r"\d{4}-\d\d-\d\dT[0-9:.]+Z").unwrap().replace_all(&shown, "[time]").into_owned();
    insta::assert_snapshot!(shown, @r#"
    discord (discord): POST http://127.0.0.1/***
    {
      "embeds": [
        {
          "title": "AUDIT: A test of the notices of shop",
          "color": 5991291,
          "footer": {
            "text": "test-[stamp] · mgmt [version]"
          },
          "timestamp": "[time]",
          "description": "This receiver is set up. Nothing has happened, and nothing has to be done.",
          "fields": [
            {
              "name": "Level",
              "value": "audit",
              "inline": true
            },
            {
              "name": "Sent by",
              "value": "mgmt notify test",
              "inline": true
            }
          ]
        }
      ],
      "allowed_mentions": {
        "parse": []
      },
      "flags": 4096
    }
    "#);
    let json = scene.run(&["notify", "test", "--dry-run", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&value["schema"], &value["dry_run"]), (&"mgmt.notified/1".into(), &true.into()));
    assert_eq!(value["receivers"][2]["payload"]["schema"], "mgmt.notice/1");
    assert_eq!(value["receivers"][0]["address"], "http://127.0.0.1/***");
    assert!(scene.fake.requests().is_empty());
}

#[test]
fn what_failed_is_said_with_the_next_step() {
    let scene = Scene::new();
    scene.fake.delete_webhook();
    scene.fake.fault(Fault::None);
    scene.fake.fault(Fault::Instead(500, "canary"));
    scene.fake.fault(Fault::Instead(400, "no key at canary-0123456789abcdef"));
    let ran = scene.run(&["notify", "test"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""));
    insta::assert_snapshot!(scene.project.redact(&ran.stderr), @r"
    error: discord: the webhook does not exist any more
    help: make a new webhook and put its address into DISCORD_WEBHOOK_URL
    error: slack: it may have been told or not: it answered 500
    help: look for `test-[stamp]` there; the next notice of this incident makes a new message
    error: pager: it answered 400: no key at ***
    ");
    let json = scene.run(&["notify", "test", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&value["receivers"][0]["status"], json.code), (&"failed".into(), 4));
    assert_eq!(value["receivers"][1]["status"], "sent");
}

#[test]
fn a_receiver_that_is_not_set_up_is_a_usage_error() {
    let scene = Scene::new();
    let mut command = scene.project.command();
    command.env_remove("DISCORD_WEBHOOK_URL").env("SLACK_WEBHOOK_URL", "http://hooks.example/services/canary");
    let ran = scene.ran(command.args(["notify", "test", "discord", "slack"]));
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(ran.stderr, @r"
    error: discord: the environment variable DISCORD_WEBHOOK_URL is not set
    help: set DISCORD_WEBHOOK_URL to the address of the webhook; in GitHub Actions from a secret of that name
    error: slack: what SLACK_WEBHOOK_URL holds is not https, and everybody on the way could read the webhook's secret
    help: write https://; only addresses of this machine may be http
    ");
    let mut unsigned = scene.project.command();
    unsigned.env("PAGER_URL", "https://pager.example/x").env_remove("PAGER_SECRET");
    let unsigned = scene.ran(unsigned.args(["notify", "test", "pager", "--dry-run"]));
    assert!(
        unsigned.code == 2 && unsigned.stderr.contains("PAGER_SECRET is not set"),
        "a dry run says it too: {unsigned:?}"
    );
    let none = scene.run(&["notify", "test", "discrod"]);
    assert!(none.code == 2 && none.stderr.contains("did you mean `discord`?"), "{none:?}");
    let empty = Project::with("version: 1\n").run(&["notify", "test"]);
    assert!(empty.code == 3 && empty.stderr.contains("help: add `notify:"), "{empty:?}");
    let form = scene.run(&["notify", "test", "--format", "csv"]);
    assert_eq!(form.code, 2);
}
