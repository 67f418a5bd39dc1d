//! Discord's webhooks: one embed for each incident, edited as it goes on.
//!
//! Limits and rules: Discord's documentation of the webhook and message resources and of rate limits. An edit pings
//! nobody and re-reads the text by defaults, so every request says which mentions are allowed: none, and with a new
//! critical message the ids of the configuration. Deliberately absent: more than one embed (those with the same
//! address are merged), a name or picture of our own (that is set up in Discord), components.

use serde::Deserialize;
use serde_json::{Value, json};

use super::fit::{self, units};
use super::settings::{Mention, Options, Receiver, id, ids};
use super::{Form, Level, Meaning, Notice, Row, State};
use crate::decode::{Decoder, Fields, Key, schema};
use crate::sys::{VERSION, text};

/// The row of [`super::NOTIFIERS`].
pub(super) const ROW: Row = Row {
    name: "discord",
    doc: "A channel of Discord, through a webhook; one message for each incident, edited as it goes on.",
    keys: KEYS,
    decode,
    payload,
    meaning,
    edits: true,
};

const KEYS: &[Key] = &[
    Key::optional("thread-id", "The thread of the channel that messages go to; needed in a forum.", id_schema),
    Key::optional("mention", "Who is pinged by a critical notice, by id. Nothing else ever pings.", || {
        schema::object(MENTION)
    }),
];

const MENTION: &[Key] = &[Key::optional("users", "Users.", ids_schema), Key::optional("roles", "Roles.", ids_schema)];

/// Mentions of all kinds in one message: far below what its text has room for.
const MAX_MENTIONS: usize = 25;

const TITLE: usize = 256;
const DESCRIPTION: usize = 4_096;
const FIELDS: usize = 25;
const FIELD_NAME: usize = 256;
const FIELD_VALUE: usize = 1_024;
/// All of title, description, names and values of fields, and footer together.
const TOTAL: usize = 6_000;
/// Of an incident's id, which stands in the footer; the footer itself may be longer.
const INCIDENT: usize = 200;
/// Room for the field that says how many were left out.
const LEFT_OUT: usize = 64;
/// A value of a field is not cut to less than that; the field is left out instead.
const LEAST_VALUE: usize = 64;
/// Fields up to this length stand beside each other.
const INLINE: usize = 40;

/// The message appears without a sound.
const SUPPRESS_NOTIFICATIONS: u32 = 1 << 12;

fn id_schema() -> Value {
    json!({ "type": ["string", "integer"], "pattern": "^[0-9]{15,20}$" })
}

fn ids_schema() -> Value {
    json!({ "type": "array", "items": id_schema(), "maxItems": MAX_MENTIONS })
}

fn decode(decoder: &mut Decoder, fields: &Fields<'_>) -> Option<Options> {
    let thread = fields.get("thread-id").map_or(Some(None), |node| id(decoder, node, "a thread").map(Some));
    let mention = match fields.get("mention") {
        None => Some(Mention::default()),
        Some(node) => decoder.fields(node, "mention", &[MENTION]).and_then(|inner| {
            let users = inner.get("users").map_or(Some(Vec::new()), |node| ids(decoder, node, "a user"));
            let roles = inner.get("roles").map_or(Some(Vec::new()), |node| ids(decoder, node, "a role"));
            let mention = Mention { users: users?, roles: roles? };
            if mention.users.len() + mention.roles.len() > MAX_MENTIONS {
                let help = format!("name a role instead: {MAX_MENTIONS} ids at most");
                decoder.error("config.notify", &node.place, "these are too many to mention", Some(help));
                return None;
            }
            Some(mention)
        }),
    };
    Some(Options::Discord { thread: thread?, mention: mention? })
}

/// The body of the request that makes a message, or of the one that edits it.
fn payload(notice: &Notice, receiver: &Receiver, form: Form) -> Value {
    let mut out = json!({ "embeds": [embed(notice)], "allowed_mentions": { "parse": [] } });
    if form == Form::Edit {
        return out;
    }
    if notice.level == Level::Audit {
        out["flags"] = SUPPRESS_NOTIFICATIONS.into();
    }
    if let Some(mention) = mentions(notice, receiver) {
        let users = mention.users.iter().map(|id| format!("<@{id}>"));
        let roles = mention.roles.iter().map(|id| format!("<@&{id}>"));
        out["content"] = users.chain(roles).collect::<Vec<_>>().join(" ").into();
        out["allowed_mentions"] = json!({ "parse": [], "users": mention.users, "roles": mention.roles });
    }
    out
}

/// Who is pinged by a new message with this notice.
pub(super) fn mentions<'a>(notice: &Notice, receiver: &'a Receiver) -> Option<&'a Mention> {
    let Options::Discord { mention, .. } = &receiver.options else { return None };
    let pings = notice.level == Level::Critical && notice.state != State::Recovered;
    Some(mention).filter(|mention| pings && !(mention.users.is_empty() && mention.roles.is_empty()))
}

fn embed(notice: &Notice) -> Value {
    let label = notice.label();
    let title = match fit::line(&notice.title) {
        title if title.is_empty() => label,
        title => format!("{label}: {}", fit::short(&title, TITLE - units(&label) - 2, escaped)),
    };
    let incident = fit::short(&fit::line(&notice.incident), INCIDENT, fit::as_is);
    let footer = fit::line(&format!("{incident} · mgmt {VERSION}"));
    let room = TOTAL - units(&title) - units(&footer);
    let body = fit::lines(&notice.body);
    // Half of the room is the text's if it needs it; what the fields leave is the text's as well.
    let reserved = units(&fit::long(&body, DESCRIPTION.min(room / 2), escaped));
    let (fields, used) = fields(notice, room - reserved);
    let description = fit::long(&body, DESCRIPTION.min(room - used), escaped);
    let mut out = json!({
        "title": title,
        "color": notice.colour(),
        "footer": { "text": footer },
        "timestamp": notice.time.to_string(),
    });
    if !description.is_empty() {
        out["description"] = description.into();
    }
    if !fields.is_empty() {
        out["fields"] = fields.into();
    }
    if let Some(link) = notice.link() {
        out["url"] = link.into();
    }
    out
}

/// The fields that have room, and how much of it they take. The last one counts those that have none.
fn fields(notice: &Notice, room: usize) -> (Vec<Value>, usize) {
    let mut out = Vec::new();
    let mut used = 0;
    for (at, field) in notice.fields.iter().enumerate() {
        let rest = notice.fields.len() - at;
        let is_last = rest == 1;
        // Whoever is not last leaves room for the count of the others.
        let free = room.saturating_sub(used).saturating_sub(if is_last { 0 } else { LEFT_OUT });
        let name = fit::shown(fit::short(&fit::line(&field.name), FIELD_NAME.min(free / 2), escaped));
        let full = fit::long(&fit::lines(&field.value), FIELD_VALUE, escaped);
        let value =
            fit::shown(fit::long(&fit::lines(&field.value), FIELD_VALUE.min(free - units(&name).min(free)), escaped));
        let is_cut_short = units(&value) < units(&full).min(LEAST_VALUE);
        if units(&name) + units(&value) > free || is_cut_short || (out.len() + 1 == FIELDS && !is_last) {
            let value = text::plural(rest as u64, "field has", "fields have") + " no room here";
            used += 1 + units(&value);
            out.push(json!({ "name": "…", "value": value }));
            break;
        }
        used += units(&name) + units(&value);
        let inline = units(&name) <= INLINE && units(&value) <= INLINE && !value.contains('\n');
        out.push(json!({ "name": name, "value": value, "inline": inline }));
    }
    (out, used)
}

/// Text in which Discord finds no markup: a backslash stands before what would begin some. Plain addresses stay as
/// they are, since a backslash in them would become a part of them.
fn escaped(text: &str) -> Vec<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut link_ends = 0;
    // What has come since the line began: only white space, then only digits.
    let (mut is_start, mut is_number, mut before) = (true, false, ' ');
    for (at, ch) in text.char_indices() {
        if before.is_whitespace() && at >= link_ends {
            link_ends = at + address(&text[at..]);
        }
        let is_special = at >= link_ends
            && match ch {
                '\\' | '*' | '_' | '~' | '`' | '|' | '[' | ']' | '<' | '@' => true,
                '>' | '#' | '-' | '+' | '•' => is_start,
                '.' | ')' => is_number,
                _ => false,
            };
        out.push(if is_special { format!("\\{ch}") } else { ch.to_string() });
        is_number = ch.is_ascii_digit() && (is_start || is_number);
        is_start = ch == '\n' || (is_start && ch.is_whitespace());
        before = ch;
    }
    out
}

/// How long the plain address at the beginning of the text is; 0 if there is none.
fn address(text: &str) -> usize {
    let word = text.split(char::is_whitespace).next().unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:?=&%#+,;!".contains(&byte);
    let is_address = word.starts_with("https://") || word.starts_with("http://");
    if is_address && word.bytes().all(is_plain) { word.len() } else { 0 }
}

/// What an answer means. Discord's own numbers of errors tell a message that is gone from a webhook that is.
fn meaning(status: u16, body: &[u8]) -> Meaning {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body {
        id: Option<String>,
        code: Option<u64>,
        message: Option<String>,
    }
    let body = serde_json::from_slice::<Body>(body).unwrap_or_default();
    let is_id = |id: &String| is_message_id(id);
    match (status, body.code) {
        (200..300, _) => Meaning::Done { message: body.id.filter(is_id) },
        (404, Some(10_008)) => Meaning::NoMessage,
        (404, Some(10_003)) => Meaning::Refused {
            message: "the channel or the thread is not there".to_owned(),
            hint: Some("correct `thread-id`, or leave it out".to_owned()),
        },
        // A webhook that is gone must not be asked again; Discord shuts out those who do.
        (404, _) => Meaning::NoWebhook,
        (401, Some(50_027)) => Meaning::NoWebhook,
        (400, Some(220_001)) => Meaning::Refused {
            message: "the channel is a forum".to_owned(),
            hint: Some("name one of its posts: `thread-id`".to_owned()),
        },
        (_, code) => {
            let code = code.map(|code| format!(" (Discord's error {code})")).unwrap_or_default();
            let said = body.message.map(|said| text::shorten(&text::one_line(&said), 200));
            Meaning::Refused { message: format!("{}{code}", said.unwrap_or_default()).trim().to_owned(), hint: None }
        }
    }
}

/// Whether this can be the id of a message, and so a part of a path.
pub(super) fn is_message_id(id: &str) -> bool {
    (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
#[path = "discord_tests.rs"]
mod tests;
