//! Slack's incoming webhooks: a message when an incident begins, changes its level, and ends.
//!
//! They give no id of a message, so nothing can be edited later. Text is escaped as Slack asks (`&`, `<` and `>` are
//! its only control characters; with `verbatim` it looks for nothing else) and cut to the limits of its blocks.
//! Messages whose blocks hold far less than their limits add up to are refused all the same, so there is a sum here
//! as well.

use serde_json::{Value, json};

use super::fit::{self, units};
use super::settings::{Options, Receiver};
use super::{Form, Meaning, Notice, Row};
use crate::decode::{Decoder, Fields};
use crate::sys::{VERSION, clock, text};

/// The row of [`super::NOTIFIERS`].
pub(super) const ROW: Row = Row {
    name: "slack",
    doc: "A channel of Slack, or of what speaks its webhooks; a message when an incident begins, changes its level, \
          and ends.",
    keys: &[],
    decode,
    payload,
    meaning,
    edits: false,
};

const TITLE: usize = 150;
const SECTION: usize = 3_000;
const FIELD: usize = 2_000;
const FIELDS_OF_A_SECTION: usize = 10;
const FIELDS: usize = 30;
/// All texts together: some 13,000 are refused.
const TOTAL: usize = 10_000;

fn decode(_: &mut Decoder, _: &Fields<'_>) -> Option<Options> {
    Some(Options::Slack)
}

fn payload(notice: &Notice, _: &Receiver, _: Form) -> Value {
    let title = fit::short(&fit::line(&notice.title), TITLE, escaped);
    let mut heading = format!("{}: {title}", notice.label());
    if let Some(link) = notice.link() {
        let shown = if title.is_empty() { "details" } else { &title };
        heading = format!("{}: <{}|{shown}>", notice.label(), escaped(link).concat());
    }
    let incident = fit::short(&fit::line(&notice.incident), 200, escaped);
    let last = format!("{incident} · {} · mgmt {VERSION}", clock::minute(notice.time));
    let mut blocks = Vec::new();
    let mut room = TOTAL - units(&heading) - units(&last);
    let body = fit::long(&fit::lines(&notice.body), SECTION, escaped);
    if !body.is_empty() {
        room -= units(&body);
        blocks.push(json!({ "type": "section", "text": markup(&body) }));
    }
    let mut fields = Vec::new();
    for (at, field) in notice.fields.iter().enumerate() {
        let name = fit::shown(fit::short(&fit::line(&field.name), 256, escaped));
        let value = fit::shown(fit::long(&fit::lines(&field.value), FIELD - units(&name) - 3, escaped));
        let shown = format!("*{name}*\n{value}");
        let rest = notice.fields.len() - at;
        if units(&shown) + 64 > room || (fields.len() + 1 == FIELDS && rest > 1) {
            fields.push(markup(&(text::plural(rest as u64, "field has", "fields have") + " no room here")));
            break;
        }
        room -= units(&shown);
        fields.push(markup(&shown));
    }
    for some in fields.chunks(FIELDS_OF_A_SECTION) {
        blocks.push(json!({ "type": "section", "fields": some }));
    }
    blocks.push(json!({ "type": "context", "elements": [markup(&last)] }));
    let colour = format!("#{:06x}", notice.colour());
    json!({ "text": heading, "attachments": [{ "color": colour, "blocks": blocks }] })
}

fn markup(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

fn escaped(text: &str) -> Vec<String> {
    let piece = |ch| match ch {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        ch => String::from(ch),
    };
    text.chars().map(piece).collect()
}

/// Slack answers with a word.
fn meaning(status: u16, body: &[u8]) -> Meaning {
    if (200..300).contains(&status) {
        return Meaning::Done { message: None };
    }
    let said = String::from_utf8_lossy(&body[..body.len().min(1_024)]);
    let word = said.trim();
    let is_gone = matches!(
        word,
        "no_service" | "no_service_id" | "no_active_hooks" | "no_team" | "team_disabled" | "invalid_token"
    );
    if is_gone || (status == 404 && word != "channel_not_found") {
        return Meaning::NoWebhook;
    }
    let hint = match word {
        "channel_is_archived" => Some("bring the channel back, or make a webhook for another one"),
        "channel_not_found" => Some("the channel is gone: make a webhook for another one"),
        "action_prohibited" | "posting_to_general_channel_denied" => Some("ask an administrator of the workspace"),
        _ => None,
    };
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let message = if is_word { text::shorten(word, 100) } else { String::new() };
    Meaning::Refused { message, hint: hint.map(str::to_owned) }
}

#[cfg(test)]
#[path = "slack_tests.rs"]
mod tests;
#[cfg(test)]
pub(super) use tests::check;
