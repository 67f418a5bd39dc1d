//! A plain webhook: every notice as one JSON object, `mgmt.notice/1`, for a program to read.
//!
//! The same incident in the same state at the same time is the same notice, so a receiver can tell a repetition. With
//! `secret-env` the body is signed as GitHub signs its webhooks: HMAC-SHA256 in hexadecimal.

use serde_json::{Value, json};

use super::fit;
use super::settings::{Options, Receiver, variable};
use super::{Form, Meaning, Notice, Row};
use crate::decode::{Decoder, Fields, Key};
use crate::sys::VERSION;
use crate::sys::text;

/// The row of [`super::NOTIFIERS`].
pub(super) const ROW: Row = Row {
    name: "webhook",
    doc: "Any address that takes JSON (`mgmt.notice/1`): every notice, signed if `secret-env` names a secret.",
    keys: KEYS,
    decode,
    payload,
    meaning,
    edits: false,
};

/// The schema of what is sent.
pub const SCHEMA: &str = "mgmt.notice/1";
/// The header with the signature: `sha256=` and 64 hexadecimal digits.
pub const SIGNATURE: &str = "x-mgmt-signature-256";

const KEYS: &[Key] = &[Key::optional(
    "secret-env",
    "The environment variable with the secret that notices are signed with (header `X-Mgmt-Signature-256`).",
    super::settings::variable_schema,
)];

const LINE: usize = 1_000;
const BODY: usize = 32_000;
const VALUE: usize = 4_000;
const FIELDS: usize = 100;

fn decode(decoder: &mut Decoder, fields: &Fields<'_>) -> Option<Options> {
    let secret = fields.get("secret-env").map_or(Some(None), |node| variable(decoder, node).map(Some));
    Some(Options::Webhook { secret: secret? })
}

fn payload(notice: &Notice, _: &Receiver, _: Form) -> Value {
    let line = |text: &str| fit::short(&fit::line(text), LINE, fit::as_is);
    let field = |name: &str, value: &str| json!({ "name": line(name), "value": fit::long(&fit::lines(value), VALUE, fit::as_is) });
    let fields: Vec<_> = notice.fields.iter().take(FIELDS).map(|one| field(&one.name, &one.value)).collect();
    json!({
        "schema": SCHEMA,
        "incident": line(&notice.incident),
        "state": notice.state,
        "level": notice.level,
        "title": line(&notice.title),
        "body": fit::long(&fit::lines(&notice.body), BODY, fit::as_is),
        "fields": fields,
        "fields_left_out": notice.fields.len().saturating_sub(FIELDS),
        "link": notice.link(),
        "time": notice.time,
        "mgmt": VERSION,
    })
}

/// Only "gone" is for good: an address may not be there while its service is being replaced.
fn meaning(status: u16, body: &[u8]) -> Meaning {
    match status {
        200..300 => Meaning::Done { message: None },
        410 => Meaning::NoWebhook,
        _ => {
            let said = String::from_utf8_lossy(&body[..body.len().min(400)]);
            // A page for people says nothing here.
            let said = if said.trim_start().starts_with('<') { String::new() } else { text::one_line(said.trim()) };
            Meaning::Refused { message: text::shorten(&said, 200), hint: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::notice::{Field, sample};
    use super::super::settings::plain;
    use super::*;

    #[test]
    fn the_contract_is_frozen() {
        let receiver = plain("hook", Options::Webhook { secret: None });
        let mut value = payload(&sample(), &receiver, Form::New);
        value["mgmt"] = json!("VERSION");
        insta::assert_json_snapshot!(value, @r#"
        {
          "schema": "mgmt.notice/1",
          "incident": "retrain-2026-47",
          "state": "opened",
          "level": "error",
          "title": "The weekly retrain did not run",
          "body": "Expected on Sunday at 18:00 UTC.\nNothing has started within 12 h.",
          "fields": [
            {
              "name": "Workflow",
              "value": "model-training.yml"
            },
            {
              "name": "Next",
              "value": "2026-11-29 18:00 UTC"
            }
          ],
          "fields_left_out": 0,
          "link": "https://github.com/org/app/actions",
          "time": "2026-11-23T06:00:00Z",
          "mgmt": "VERSION"
        }
        "#);
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let mut notice = sample();
        notice.body = "x".repeat(100_000);
        notice.fields = vec![Field { name: "n".repeat(5_000), value: "v".repeat(5_000) }; 103];
        let value = payload(&notice, &plain("hook", Options::Webhook { secret: None }), Form::New);
        assert_eq!((value["fields"].as_array().unwrap().len(), &value["fields_left_out"]), (100, &json!(3)));
        assert!(value["body"].as_str().unwrap().ends_with(" more characters"));
        assert!(value.to_string().len() < 600_000);
    }

    #[test]
    fn only_gone_is_for_good() {
        assert_eq!(meaning(204, b""), Meaning::Done { message: None });
        assert_eq!(meaning(410, b""), Meaning::NoWebhook);
        for (body, said) in [(&b"no\nsuch hook"[..], "no\\nsuch hook"), (b"<html>", "")] {
            assert_eq!(meaning(404, body), Meaning::Refused { message: said.to_owned(), hint: None });
        }
    }
}
