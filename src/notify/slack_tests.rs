//! Tests of Slack's payloads.

use super::*;
use crate::notify::notice::{Field, State, sample};
use crate::notify::settings::plain;

fn whole(notice: &Notice) -> Value {
    payload(notice, &plain("slack", Options::Slack), Form::New)
}

/// Fails if Slack would refuse it, or find a mention in it.
pub(crate) fn check(notice: &Notice) {
    let payload = whole(notice);
    let attachment = &payload["attachments"][0];
    let blocks = attachment["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50);
    let mut total = units(payload["text"].as_str().unwrap());
    for block in blocks {
        let single = block.get("text").map(|text| (3_000, text));
        let fields = block["fields"].as_array().into_iter().flatten().map(|text| (2_000, text));
        let elements = block["elements"].as_array().into_iter().flatten().map(|text| (3_000, text));
        assert!(block["fields"].as_array().is_none_or(|fields| (1..=10).contains(&fields.len())));
        for (limit, text) in single.into_iter().chain(fields).chain(elements) {
            let text = text["text"].as_str().unwrap();
            assert!(!text.is_empty() && units(text) <= limit, "{} > {limit}", units(text));
            assert!(!text.contains(['<', '>']), "{text}");
            total += units(text);
        }
    }
    assert!(total <= TOTAL, "{total}");
    let heading = payload["text"].as_str().unwrap();
    let marks = heading.matches(['<', '>']).count();
    assert_eq!(marks, if notice.link().is_some() { 2 } else { 0 }, "{heading}");
}

#[test]
fn a_notice_is_a_heading_and_its_blocks() {
    let mut payload = whole(&sample());
    let blocks = payload["attachments"][0]["blocks"].as_array_mut().unwrap();
    let last = blocks.last_mut().unwrap();
    let text = last["elements"][0]["text"].as_str().unwrap().replace(VERSION, "VERSION");
    last["elements"][0]["text"] = text.into();
    insta::assert_json_snapshot!(payload, @r##"
    {
      "text": "ERROR: <https://github.com/org/app/actions|The weekly retrain did not run>",
      "attachments": [
        {
          "color": "#e0552d",
          "blocks": [
            {
              "type": "section",
              "text": {
                "type": "mrkdwn",
                "text": "Expected on Sunday at 18:00 UTC.\nNothing has started within 12 h.",
                "verbatim": true
              }
            },
            {
              "type": "section",
              "fields": [
                {
                  "type": "mrkdwn",
                  "text": "*Workflow*\nmodel-training.yml",
                  "verbatim": true
                },
                {
                  "type": "mrkdwn",
                  "text": "*Next*\n2026-11-29 18:00 UTC",
                  "verbatim": true
                }
              ]
            },
            {
              "type": "context",
              "elements": [
                {
                  "type": "mrkdwn",
                  "text": "retrain-2026-47 · 2026-11-23 06:00 UTC · mgmt VERSION",
                  "verbatim": true
                }
              ]
            }
          ]
        }
      ]
    }
    "##);
}

#[test]
fn control_characters_of_slack_are_escaped_and_limits_hold() {
    let mut notice = sample();
    notice.state = State::Recovered;
    notice.title = "<!channel> & <https://evil.example|x>".to_owned();
    let text = whole(&notice)["text"].as_str().unwrap().to_owned();
    assert_eq!(
        text,
        "RECOVERED: <https://github.com/org/app/actions|&lt;!channel&gt; &amp; &lt;https://evil.example|x&gt;>"
    );
    notice.body = "&".repeat(10_000);
    notice.fields = vec![Field { name: "<".repeat(900), value: "&".repeat(9_000) }; 60];
    check(&notice);
    notice.fields = vec![Field { name: String::new(), value: String::new() }; 60];
    check(&notice);
    let blocks = whole(&notice)["attachments"][0]["blocks"].clone();
    let last = blocks.as_array().unwrap().iter().rev().nth(1).unwrap()["fields"].as_array().unwrap().last().unwrap();
    assert_eq!(last["text"], "31 fields have no room here");
}

#[test]
fn answers_are_told_apart() {
    assert_eq!(meaning(200, b"ok"), Meaning::Done { message: None });
    assert_eq!(meaning(404, b"no_service"), Meaning::NoWebhook);
    assert_eq!(meaning(403, b"invalid_token"), Meaning::NoWebhook);
    assert!(matches!(meaning(404, b"channel_not_found"), Meaning::Refused { hint: Some(_), .. }));
    assert!(matches!(meaning(410, b"channel_is_archived"), Meaning::Refused { hint: Some(_), .. }));
    assert_eq!(meaning(400, b"<html>no"), Meaning::Refused { message: String::new(), hint: None });
}
