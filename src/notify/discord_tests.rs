//! Tests of Discord's payloads: whatever comes in, every limit holds and nothing is markup.

use proptest::prelude::*;

use super::*;
use crate::notify::notice::{Field, sample};
use crate::notify::settings::plain;

fn receiver(mention: Mention) -> Receiver {
    plain("discord", Options::Discord { thread: None, mention })
}

fn on_call() -> Receiver {
    receiver(Mention { users: vec!["111111111111111111".into()], roles: vec!["222222222222222222".into()] })
}

fn escape(text: &str) -> String {
    escaped(text).concat()
}

/// What Discord counts of an embed.
fn texts(embed: &Value) -> Vec<(usize, &str)> {
    let text = |limit, value: &'_ Value| value.as_str().map(|_| limit);
    let mut out = Vec::new();
    for (value, limit) in [(&embed["title"], 256), (&embed["description"], 4_096), (&embed["footer"]["text"], 2_048)] {
        out.extend(text(limit, value).map(|limit| (limit, value.as_str().unwrap())));
    }
    for field in embed["fields"].as_array().into_iter().flatten() {
        out.push((256, field["name"].as_str().unwrap()));
        out.push((1_024, field["value"].as_str().unwrap()));
    }
    out
}

/// Fails if Discord would refuse it, or if it shows anything as markup.
fn check(payload: &Value) {
    let embeds = payload["embeds"].as_array().unwrap();
    assert_eq!(embeds.len(), 1);
    let texts = texts(&embeds[0]);
    for (limit, text) in &texts {
        assert!(text.encode_utf16().count() <= *limit, "{} > {limit}", text.len());
        assert!(!text.trim().is_empty(), "an empty text is refused: {payload}");
    }
    assert!(texts.iter().map(|(_, text)| text.encode_utf16().count()).sum::<usize>() <= 6_000);
    assert!(embeds[0]["fields"].as_array().is_none_or(|fields| fields.len() <= 25));
    assert_eq!(payload["allowed_mentions"]["parse"], json!([]));
    assert!(payload["content"].as_str().unwrap_or_default().len() <= 2_000);
}

#[test]
fn a_notice_is_one_embed() {
    let mut payload = payload(&sample(), &on_call(), Form::New);
    let footer = payload["embeds"][0]["footer"]["text"].as_str().unwrap().replace(VERSION, "VERSION");
    payload["embeds"][0]["footer"]["text"] = footer.into();
    insta::assert_json_snapshot!(payload, @r#"
    {
      "embeds": [
        {
          "title": "ERROR: The weekly retrain did not run",
          "color": 14701869,
          "footer": {
            "text": "retrain-2026-47 · mgmt VERSION"
          },
          "timestamp": "2026-11-23T06:00:00Z",
          "description": "Expected on Sunday at 18:00 UTC.\nNothing has started within 12 h.",
          "fields": [
            {
              "name": "Workflow",
              "value": "model-training.yml",
              "inline": true
            },
            {
              "name": "Next",
              "value": "2026-11-29 18:00 UTC",
              "inline": true
            }
          ],
          "url": "https://github.com/org/app/actions"
        }
      ],
      "allowed_mentions": {
        "parse": []
      }
    }
    "#);
}

#[test]
fn only_a_new_critical_message_pings_and_only_those_who_were_named() {
    let mut notice = sample();
    notice.level = Level::Critical;
    let new = payload(&notice, &on_call(), Form::New);
    assert_eq!(new["content"], "<@111111111111111111> <@&222222222222222222>");
    assert_eq!(
        new["allowed_mentions"],
        json!({ "parse": [], "users": ["111111111111111111"], "roles": ["222222222222222222"] })
    );
    let silent = json!({ "parse": [] });
    let edit = payload(&notice, &on_call(), Form::Edit);
    assert_eq!((&edit["allowed_mentions"], &edit["content"], &edit["flags"]), (&silent, &Value::Null, &Value::Null));
    let nobody = payload(&notice, &receiver(Mention::default()), Form::New);
    assert_eq!((&nobody["allowed_mentions"], &nobody["content"]), (&silent, &Value::Null));
    notice.state = State::Recovered;
    assert_eq!(payload(&notice, &on_call(), Form::New)["allowed_mentions"], silent);
    for level in [Level::Error, Level::Warning, Level::Audit] {
        notice.level = level;
        let payload = payload(&notice, &on_call(), Form::New);
        assert_eq!(payload["allowed_mentions"], silent);
        assert_eq!(payload["flags"] == json!(4096), level == Level::Audit, "{level:?}");
    }
}

#[test]
fn markup_is_taken_apart_and_addresses_are_not() {
    for (text, want) in [
        ("a_b *c* ~~d~~ `e` ||f||", "a\\_b \\*c\\* \\~\\~d\\~\\~ \\`e\\` \\|\\|f\\|\\|"),
        ("[x](https://evil.example)", "\\[x\\](https://evil.example)"),
        ("<@1> <#2> <:x:3> @everyone", "\\<\\@1> \\<#2> \\<:x:3> \\@everyone"),
        ("# a\n> b\n- c\n  1. d\n12) e\n-# f", "\\# a\n\\> b\n\\- c\n  1\\. d\n12\\) e\n\\-# f"),
        ("v1.2 - x > y #3", "v1.2 - x > y #3"),
        ("https://a.example/x_y_z?q=1_2 _z_", "https://a.example/x_y_z?q=1_2 \\_z\\_"),
        ("https://a.example/*_x", "https://a.example/\\*\\_x"),
        ("c:\\x", "c:\\\\x"),
    ] {
        assert_eq!(escape(text), want);
    }
}

#[test]
fn what_has_no_room_is_counted() {
    let mut notice = sample();
    notice.title = "t".repeat(500);
    notice.body = "*".repeat(20_000);
    notice.fields = vec![Field { name: "n".repeat(500), value: "v".repeat(5_000) }; 40];
    let payload = payload(&notice, &receiver(Mention::default()), Form::New);
    check(&payload);
    let embed = &payload["embeds"][0];
    assert!(embed["title"].as_str().unwrap().ends_with('…'));
    assert!(embed["description"].as_str().unwrap().ends_with(" more characters"), "{embed}");
    let fields = embed["fields"].as_array().unwrap();
    assert!(fields[0]["value"].as_str().unwrap().ends_with(" more characters"));
    let last = fields.last().unwrap();
    assert_eq!(
        (&last["name"], last["value"].as_str().unwrap().ends_with("fields have no room here")),
        (&json!("…"), true)
    );
    let counted: usize = last["value"].as_str().unwrap().split(' ').next().unwrap().parse().unwrap();
    assert_eq!(fields.len() - 1 + counted, 40);
    assert!(embed["footer"]["text"].as_str().unwrap().starts_with("retrain-2026-47"), "the incident is always named");

    notice.fields = vec![Field { name: "n".into(), value: "v".into() }; 26];
    notice.body = String::new();
    let embed = &super::payload(&notice, &receiver(Mention::default()), Form::New)["embeds"][0];
    assert_eq!(embed["fields"][24]["value"], "2 fields have no room here");
    notice.fields.pop();
    let embed = &super::payload(&notice, &receiver(Mention::default()), Form::New)["embeds"][0];
    assert_eq!(embed["fields"].as_array().unwrap().len(), 25);
    assert_eq!(embed["fields"][24]["name"], "n");
    assert_eq!(embed["description"], Value::Null);
}

#[test]
fn answers_are_told_apart() {
    assert_eq!(meaning(200, br#"{"id":"77"}"#), Meaning::Done { message: Some("77".into()) });
    assert_eq!(meaning(200, br#"{"id":"../x"}"#), Meaning::Done { message: None });
    assert_eq!(meaning(204, b""), Meaning::Done { message: None });
    assert_eq!(meaning(404, br#"{"message":"Unknown Message","code":10008}"#), Meaning::NoMessage);
    assert_eq!(meaning(404, br#"{"message":"Unknown Webhook","code":10015}"#), Meaning::NoWebhook);
    assert_eq!(meaning(404, b"<html>"), Meaning::NoWebhook);
    assert_eq!(meaning(401, br#"{"message":"Invalid Webhook Token","code":50027}"#), Meaning::NoWebhook);
    assert!(matches!(meaning(404, br#"{"code":10003}"#), Meaning::Refused { hint: Some(_), .. }));
    let said = Meaning::Refused { message: "Invalid\\nForm Body (Discord's error 50035)".into(), hint: None };
    assert_eq!(meaning(400, br#"{"message":"Invalid\nForm Body","code":50035}"#), said);
}

/// Text as a hostile author would choose it.
fn hostile(pieces: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "\\PC{0,40}",
        2 => any::<char>().prop_map(String::from),
        2 => prop::sample::select(vec![
            "@everyone", "<@1>", "<@&2>", "<#3>", "**", "__", "```", "||", "\n> ", "\n# ", "[a](b)", "\\", "https://x_y ",
            " ", "\u{3164}", "😀", "\u{202e}", "\u{0}", "\r\n", "1. ", "e\u{301}",
        ]).prop_map(str::to_owned),
        1 => (prop::sample::select(vec!["x", "😀", "*", " ", "\\", "\n"]), 0_usize..7_000).prop_map(|(one, many)| one.repeat(many)),
    ];
    prop::collection::vec(piece, 0..pieces).prop_map(|pieces| pieces.concat())
}

fn notices() -> impl Strategy<Value = Notice> {
    let levels = prop::sample::select(vec![Level::Critical, Level::Error, Level::Warning, Level::Audit]);
    let states = prop::sample::select(vec![State::Opened, State::Ongoing, State::Recovered]);
    let fields = prop::collection::vec((hostile(3), hostile(4)), 0..40);
    (levels, states, hostile(4), hostile(8), hostile(12), fields, prop::option::of(hostile(3))).prop_map(
        |(level, state, incident, title, body, fields, link)| Notice {
            level,
            incident,
            state,
            title,
            body,
            fields: fields.into_iter().map(|(name, value)| Field { name, value }).collect(),
            link,
            time: sample().time,
        },
    )
}

/// Marks that are markup where no backslash stands before them; a plain address holds none of them but `_`.
fn markup(text: &str) -> Option<char> {
    let mut chars = text.chars();
    while let Some(ch) = chars.next() {
        match ch {
            '\\' => drop(chars.next()),
            '*' | '`' | '|' | '~' | '[' | ']' | '<' | '@' => return Some(ch),
            _ => {}
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_notice_passes_a_limit_or_mentions_anybody(notice in notices()) {
        for (receiver, form) in [(on_call(), Form::New), (on_call(), Form::Edit), (receiver(Mention::default()), Form::New)] {
            let payload = payload(&notice, &receiver, form);
            check(&payload);
            let text = payload.to_string();
            prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &payload);
            let pings = form == Form::New && mentions(&notice, &receiver).is_some();
            prop_assert_eq!(payload.get("content").is_some(), pings);
            let embed = &payload["embeds"][0];
            for part in [&embed["title"], &embed["description"]] {
                prop_assert_eq!(markup(part.as_str().unwrap_or_default()), None, "{}", part);
            }
            for field in embed["fields"].as_array().into_iter().flatten() {
                prop_assert_eq!(markup(field["name"].as_str().unwrap()), None);
                prop_assert_eq!(markup(field["value"].as_str().unwrap()), None);
            }
        }
    }

    #[test]
    fn slack_and_webhooks_hold_their_limits(notice in notices()) {
        crate::notify::slack::check(&notice);
        let hook = plain("webhook", Options::Webhook { secret: None });
        let sent = crate::notify::payload(&notice, &hook).to_string();
        prop_assert!(sent.len() < 1 << 20);
    }

    #[test]
    fn escaping_changes_nothing_that_is_seen(text in hostile(12)) {
        let mut seen = String::new();
        let escaped = escape(&text);
        let mut chars = escaped.chars().peekable();
        while let Some(ch) = chars.next() {
            let is_escape = ch == '\\' && chars.peek().is_some_and(|next| !next.is_alphanumeric() && !next.is_whitespace());
            seen.push(if is_escape { chars.next().unwrap() } else { ch });
        }
        prop_assert_eq!(seen, text);
    }
}
