//! `notify:` in `mgmt.yml`: receivers by name.
//!
//! A receiver that is called like a kind is of that kind. An address that stands in the file is an error, whichever
//! key it stands under: it is a secret, and the file is not.

use serde_json::{Map, Value, json};

use super::notice::Level;
use super::{NOTIFIERS, Row};
use crate::decode::tree::{Data, Node};
use crate::decode::{Decoder, Key, schema};
use crate::sys::text;

/// The code of a problem whose place holds a secret: what shows the place hides it.
pub const SECRET: &str = "config.secret";

/// Who is told.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Row,
    /// The environment variable with its address.
    pub url_env: String,
    /// What it is told of, the worst level first.
    pub levels: Vec<Level>,
    /// What only its kind has.
    pub options: Options,
}

/// What only one kind has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Options {
    /// Discord.
    Discord {
        /// The thread that messages go to.
        thread: Option<String>,
        /// Who is pinged by a critical notice.
        mention: Mention,
    },
    /// Slack.
    Slack,
    /// A plain webhook.
    Webhook {
        /// The environment variable with the secret that notices are signed with.
        secret: Option<String>,
    },
}

/// Who is pinged, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mention {
    /// Users.
    pub users: Vec<String>,
    /// Roles.
    pub roles: Vec<String>,
}

/// The keys of every receiver.
pub const KEYS: &[Key] = &[
    Key::optional("kind", "What it is (default: its name).", || {
        schema::one_of(&NOTIFIERS.iter().map(|row| row.name).collect::<Vec<_>>())
    }),
    Key::required(
        "url-env",
        "The environment variable with the webhook's address, which is a secret and never stands in this file.",
        variable_schema,
    ),
    Key::optional("levels", "What it is told of (default: all levels).", || {
        let words = Level::WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>();
        json!({ "type": "array", "items": schema::one_of(&words), "minItems": 1, "uniqueItems": true })
    }),
];

/// The schema of all receivers.
#[must_use]
pub fn map_schema() -> Value {
    let of = |row: &Row, must_say: bool| {
        let mut one = schema::object_of(KEYS.iter().chain(row.keys));
        one["properties"]["kind"]["enum"] = json!([row.name]);
        if must_say {
            one["required"] = json!(["kind", "url-env"]);
        }
        one["description"] = row.doc.into();
        one
    };
    let called: Map<_, _> = NOTIFIERS.iter().map(|row| (row.name.to_owned(), of(row, false))).collect();
    let others: Vec<_> = NOTIFIERS.iter().map(|row| of(row, true)).collect();
    json!({ "type": "object", "properties": called, "additionalProperties": { "anyOf": others },
        "propertyNames": { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" } })
}

pub(super) fn variable_schema() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })
}

/// Decodes all receivers. `is_name` says which names can stand in a command line.
pub fn decode(
    decoder: &mut Decoder,
    node: &Node,
    is_name: fn(&mut Decoder, &Node, &str) -> Option<String>,
) -> Option<Vec<Receiver>> {
    if secrets(decoder, node) {
        // Nothing else is said of what holds a secret: each message would repeat a part of it.
        return None;
    }
    let pairs = decoder.map(node, "receivers")?;
    let mut out = Vec::with_capacity(pairs.len());
    for (name, key, value) in pairs {
        let named = is_name(decoder, key, "a receiver").is_some();
        out.extend(one(decoder, name, value).filter(|_| named));
    }
    Some(out)
}

/// Reports each address in a part of the file.
fn secrets(decoder: &mut Decoder, node: &Node) -> bool {
    match &node.data {
        Data::Scalar { text, .. } => {
            let found = text.contains("://") || text.contains("/webhooks/") || text.contains("hooks.slack.com");
            if found {
                let help = "put it into an environment variable and name that, `url-env: DISCORD_WEBHOOK_URL`; make a \
                            new webhook, since this one can be used by everybody who has seen the file";
                let message = "the address of a webhook is a secret, and this file is not";
                decoder.error(SECRET, &node.place, message, Some(help.to_owned()));
            }
            found
        }
        // Each is looked at, also behind one that was found.
        Data::List(items) => items.iter().filter(|item| secrets(decoder, item)).count() > 0,
        Data::Map(pairs) => {
            let parts = pairs.iter().flat_map(|(key, value)| [key, value]);
            parts.filter(|part| secrets(decoder, part)).count() > 0
        }
    }
}

fn one(decoder: &mut Decoder, name: &str, node: &Node) -> Option<Receiver> {
    let what = format!("the receiver `{name}`");
    let words: Vec<_> = NOTIFIERS.iter().map(|row| (row.name, *row)).collect();
    let own = NOTIFIERS.iter().find(|row| row.name == name);
    let written = match &node.data {
        Data::Map(pairs) => pairs.iter().find(|(key, _)| key.text() == Some("kind")).map(|(_, value)| value),
        _ => None,
    };
    let kind = match (written.filter(|node| !node.is_null()), own) {
        (Some(node), own) => {
            let kind = decoder.word(node, "the kind of a receiver", &words)?;
            if own.is_some_and(|own| own.name != kind.name) {
                let message = format!("{what} is not of the kind that its name says");
                let help = format!("call it something else, or remove `kind: {}`", kind.name);
                decoder.error("config.notify", &node.place, message, Some(help));
                return None;
            }
            kind
        }
        (None, Some(own)) => *own,
        (None, None) => {
            let kinds: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            let help = match text::closest(name, words.iter().map(|(word, _)| *word)) {
                Some(near) => format!("did you mean `{near}`? else add `kind:`, one of {}", text::list(&kinds)),
                None => format!("add `kind:`, one of {}", text::list(&kinds)),
            };
            decoder.error("config.notify", &node.place, format!("{what} does not say what it is"), Some(help));
            return None;
        }
    };
    let fields = decoder.fields(node, &what, &[KEYS, kind.keys])?;
    let url_env = fields.get("url-env").and_then(|node| variable(decoder, node));
    let levels = match fields.get("levels") {
        Some(node) => levels(decoder, node),
        None => Some(Level::WORDS.iter().map(|(_, level)| *level).collect()),
    };
    let options = (kind.decode)(decoder, &fields);
    Some(Receiver { name: name.to_owned(), kind, url_env: url_env?, levels: levels?, options: options? })
}

fn levels(decoder: &mut Decoder, node: &Node) -> Option<Vec<Level>> {
    let mut out = Vec::new();
    let mut whole = true;
    for item in decoder.list(node, "levels")? {
        match decoder.word(item, "a level", Level::WORDS) {
            Some(level) if out.contains(&level) => {
                decoder.error("config.notify", &item.place, format!("{} stands here twice", item.describe()), None);
                whole = false;
            }
            Some(level) => out.push(level),
            None => whole = false,
        }
    }
    if out.is_empty() && whole {
        let help = "name levels, or remove the receiver".to_owned();
        decoder.error("config.notify", &node.place, "a receiver of no levels is never told anything", Some(help));
        return None;
    }
    out.sort_unstable();
    whole.then_some(out)
}

/// The name of an environment variable.
pub(super) fn variable(decoder: &mut Decoder, node: &Node) -> Option<String> {
    let text = decoder.text(node, "the name of an environment variable")?;
    let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if !is_name {
        // It may be the secret itself, so it is not repeated.
        let help = "write the name alone, without `$`: DISCORD_WEBHOOK_URL".to_owned();
        decoder.error(SECRET, &node.place, "this is not the name of an environment variable", Some(help));
        return None;
    }
    Some(text)
}

/// A number by which Discord knows a thing.
pub(super) fn id(decoder: &mut Decoder, node: &Node, what: &str) -> Option<String> {
    let text = decoder.text(node, &format!("the id of {what}"))?;
    if (15..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text);
    }
    let help =
        "turn on the developer mode in Discord's settings, and choose Copy ID in the menu of the thing".to_owned();
    decoder.error("config.notify", &node.place, format!("{} is not the id of {what}", node.describe()), Some(help));
    None
}

/// A list of them, each once.
pub(super) fn ids(decoder: &mut Decoder, node: &Node, what: &str) -> Option<Vec<String>> {
    let mut out: Vec<String> = Vec::new();
    let mut whole = true;
    for item in decoder.list(node, "ids")? {
        match id(decoder, item, what) {
            // Mentioned once; a list with repetitions is refused as a whole.
            Some(id) if out.contains(&id) => {}
            Some(id) => out.push(id),
            None => whole = false,
        }
    }
    whole.then_some(out)
}

#[cfg(test)]
pub(crate) fn plain(name: &str, options: Options) -> Receiver {
    let kind = match options {
        Options::Discord { .. } => NOTIFIERS[0],
        Options::Slack => NOTIFIERS[1],
        Options::Webhook { .. } => NOTIFIERS[2],
    };
    let levels = Level::WORDS.iter().map(|(_, level)| *level).collect();
    Receiver { name: name.to_owned(), kind, url_env: "URL".to_owned(), levels, options }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::tree;

    fn name(decoder: &mut Decoder, node: &Node, what: &str) -> Option<String> {
        decoder.text(node, what)
    }

    fn read(text: &str) -> Result<Vec<Receiver>, Vec<String>> {
        let node = tree::parse(text).unwrap().unwrap();
        let mut decoder = Decoder::default();
        let receivers = decode(&mut decoder, &node, name);
        let problems = decoder.finish();
        let told = problems.iter().map(|problem| {
            let place = format!("{}:{}", problem.place.line, problem.place.column);
            format!("{place} {}: {}", problem.code.trim_start_matches("config."), problem.message)
        });
        if problems.is_empty() { Ok(receivers.unwrap()) } else { Err(told.collect()) }
    }

    #[test]
    fn the_table_and_the_kinds_agree() {
        for (row, options) in NOTIFIERS.iter().zip([
            Options::Discord { thread: None, mention: Mention::default() },
            Options::Slack,
            Options::Webhook { secret: None },
        ]) {
            let read = read(&format!("{{ {}: {{ url-env: X }} }}", row.name)).unwrap();
            assert_eq!((read[0].kind.name, &read[0].options, read[0].levels.len()), (row.name, &options, 4));
        }
    }

    #[test]
    fn what_is_written_is_taken() {
        let text = "{ discord: { url-env: D, levels: [audit, critical], thread-id: 123456789012345678, \
                    mention: { users: [111111111111111111, '111111111111111111'], roles: [222222222222222222] } }, \
                    ops: { kind: slack, url-env: S }, pager: { kind: webhook, url-env: P, secret-env: K } }";
        let [discord, ops, pager] = read(text).unwrap().try_into().unwrap();
        assert_eq!(discord.levels, [Level::Critical, Level::Audit]);
        let mention = Mention { users: vec!["1".repeat(18)], roles: vec!["2".repeat(18)] };
        assert_eq!(discord.options, Options::Discord { thread: Some("123456789012345678".into()), mention });
        assert_eq!((ops.kind.name, ops.url_env.as_str()), ("slack", "S"));
        assert_eq!(pager.options, Options::Webhook { secret: Some("K".into()) });
    }

    #[test]
    fn every_mistake_has_its_place() {
        for (text, told) in [
            ("{ ops: { url-env: X } }", "1:8 notify: the receiver `ops` does not say what it is"),
            ("{ ops: { kind: discrod, url-env: X } }", "1:16 value: expected the kind of a receiver"),
            ("{ slack: { kind: discord, url-env: X } }", "1:18 notify: the receiver `slack` is not of the kind"),
            ("{ discord: {} }", "1:12 missing-key: the receiver `discord` needs `url-env`"),
            ("{ slack: { url-env: X, thread-id: 1 } }", "1:24 unknown-key: unknown key `thread-id`"),
            ("{ discord: { url-env: X, levels: [] } }", "1:34 notify: a receiver of no levels"),
            ("{ discord: { url-env: X, levels: [error, error] } }", "1:42 notify: `error` stands here twice"),
            ("{ discord: { url-env: X, levels: [eror] } }", "1:35 value: expected a level"),
            ("{ discord: { url-env: $X } }", "1:23 secret: this is not the name of an environment variable"),
            ("{ discord: { url-env: X, thread-id: general } }", "1:37 notify: `general` is not the id of a thread"),
            (
                "{ discord: { url-env: X, mention: { users: ['@here'] } } }",
                "1:45 notify: `@here` is not the id of a user",
            ),
        ] {
            let problems = read(text).unwrap_err();
            assert!(problems.len() == 1 && problems[0].starts_with(told), "{text}: {problems:?}");
        }
        let many: Vec<_> = (0..26).map(|at| format!("1111111111111111{at:02}")).collect();
        let many = format!("{{ discord: {{ url-env: X, mention: {{ roles: [{}] }} }} }}", many.join(", "));
        assert!(read(&many).unwrap_err()[0].contains("too many to mention"));
    }

    #[test]
    fn an_address_in_the_file_is_refused_wherever_it_stands_and_never_repeated() {
        for text in [
            "{ discord: { url-env: 'https://discord.com/api/webhooks/1/canary' } }",
            "{ discord: { url: 'https://discord.com/api/webhooks/1/canary', levels: [canary] } }",
            "{ ops: { kind: 'http://canary', url-env: X } }",
            "{ 'https://canary': { url-env: X } }",
            "{ slack: { url-env: [hooks.slack.com/services/canary] } }",
            "'discord://canary'",
        ] {
            let problems = read(text).unwrap_err();
            assert!(problems.len() == 1 && problems[0].contains("secret: the address of a webhook"), "{problems:?}");
            assert!(!problems[0].contains("canary"), "{problems:?}");
        }
        assert_eq!(read("{ a: { url: 'https://a' }, b: ['https://b', 'https://c'] }").unwrap_err().len(), 3);
    }
}
