//! What the fake does with a request.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::contract::{Shape, problems};
use super::{CHANNEL, Fault, Message, Request, TOKEN, WEBHOOK, World};

/// An answer, and whether the connection survives it.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The bytes.
    pub body: String,
    /// Whether the connection breaks instead.
    pub breaks: bool,
}

impl Reply {
    fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.to_string(), breaks: false }
    }

    fn error(status: u16, code: u64, message: &str) -> Self {
        Self::json(status, &json!({ "code": code, "message": message }))
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// Answers one request.
pub fn handle(world: &Mutex<World>, request: Request) -> Reply {
    let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
    world.requests.push(request.clone());
    let fault = world.faults.pop_front().unwrap_or(Fault::None);
    let made = |status, body: &str| Reply { status, headers: Vec::new(), body: body.to_owned(), breaks: false };
    match fault {
        Fault::None => answer(&mut world, &request),
        Fault::Limited(after) => limited(after),
        Fault::Shielded(after) => made(429, "<html>slow down</html>").with("retry-after", after),
        Fault::LastOne(after) => answer(&mut world, &request)
            .with("x-ratelimit-limit", 5)
            .with("x-ratelimit-remaining", 0)
            .with("x-ratelimit-reset-after", after),
        Fault::Instead(status, body) => made(status, body),
        Fault::Afterwards(status, body) => {
            answer(&mut world, &request);
            made(status, body)
        }
        Fault::Reset => Reply { breaks: true, ..made(500, "") },
        Fault::ResetAfterwards => Reply { breaks: true, ..answer(&mut world, &request) },
        Fault::Redirect(to) => made(307, "").with("location", to),
    }
}

fn limited(after: f64) -> Reply {
    let body = json!({ "code": 0, "message": "You are being rate limited.", "retry_after": after, "global": false });
    assert_eq!(problems(Shape::Limited, &body), [] as [String; 0]);
    Reply::json(429, &body)
        .with("retry-after", after.ceil())
        .with("x-ratelimit-limit", 5)
        .with("x-ratelimit-remaining", 0)
        .with("x-ratelimit-reset-after", after)
        .with("x-ratelimit-scope", "user")
}

fn answer(world: &mut World, request: &Request) -> Reply {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    if path.starts_with("/services/") {
        return Reply { status: 200, headers: Vec::new(), body: "ok".to_owned(), breaks: false };
    }
    if path == "/hook" {
        return Reply { status: 204, headers: Vec::new(), body: String::new(), breaks: false };
    }
    let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
    let rest = match parts.as_slice() {
        ["api", version, rest @ ..] if *version == "v10" => rest,
        _ => {
            world.violations.push(format!("{} {path}: not version 10 of the API", request.method));
            return Reply::error(404, 0, "404: Not Found");
        }
    };
    let message = match rest {
        ["webhooks", _, _] => None,
        ["webhooks", _, _, "messages", id] => Some(*id),
        _ => return Reply::error(404, 0, "404: Not Found"),
    };
    if rest[1] != WEBHOOK || world.is_deleted {
        return Reply::error(404, 10_015, "Unknown Webhook");
    }
    if rest[2] != TOKEN {
        return Reply::error(401, 50_027, "Invalid Webhook Token");
    }
    let parameter = |name: &str| query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
    let thread = parameter("thread_id").map(|(_, thread)| thread.to_owned());
    if thread.as_ref().is_some_and(|thread| !world.threads.contains(thread)) {
        return Reply::error(404, 10_003, "Unknown Channel");
    }
    match (request.method.as_str(), message) {
        ("POST", None) => create(world, request, thread, parameter("wait").is_some_and(|(_, wait)| wait == "true")),
        (method, Some(id)) => {
            let Some(at) = world.messages.iter().position(|message| message.id == id && message.thread == thread)
            else {
                return Reply::error(404, 10_008, "Unknown Message");
            };
            match method {
                "GET" => shown(&world.messages[at]),
                "PATCH" => edit(world, request, at),
                "DELETE" => {
                    world.messages.remove(at);
                    Reply { status: 204, headers: Vec::new(), body: String::new(), breaks: false }
                }
                _ => Reply::error(405, 0, "405: Method Not Allowed"),
            }
        }
        _ => Reply::error(405, 0, "405: Method Not Allowed"),
    }
}

/// The body, if Discord would take it.
fn body(world: &mut World, request: &Request, shape: Shape) -> Result<Value, Reply> {
    let mut wrong = Vec::new();
    if request.headers.get("content-type").map(String::as_str) != Some("application/json") {
        wrong.push("not declared as JSON".to_owned());
    }
    if !request.headers.contains_key("user-agent") {
        wrong.push("no user agent".to_owned());
    }
    let body = request.json();
    wrong.extend(problems(shape, &body));
    if wrong.is_empty() {
        return Ok(body);
    }
    let wrong = wrong.into_iter().map(|wrong| format!("{shape:?}: {wrong}"));
    world.violations.extend(wrong);
    Err(Reply::error(400, 50_035, "Invalid Form Body"))
}

fn create(world: &mut World, request: &Request, thread: Option<String>, waits: bool) -> Reply {
    let body = match body(world, request, Shape::Create) {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    world.made += 1;
    let message = Message {
        id: (1_400_000_000_000_000_000 + world.made).to_string(),
        thread,
        pings: pings(&body),
        flags: body["flags"].as_u64().unwrap_or(0),
        content: json!({ "content": body["content"].as_str().unwrap_or_default(), "embeds": body["embeds"] }),
        edits: 0,
    };
    world.messages.push(message.clone());
    if waits { shown(&message) } else { Reply { status: 204, headers: Vec::new(), body: String::new(), breaks: false } }
}

fn edit(world: &mut World, request: &Request, at: usize) -> Reply {
    let body = match body(world, request, Shape::Edit) {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let message = &mut world.messages[at];
    for key in ["content", "embeds"] {
        if let Some(value) = body.get(key) {
            message.content[key] = value.clone();
        }
    }
    message.edits += 1;
    shown(&world.messages[at])
}

fn shown(message: &Message) -> Reply {
    let body = json!({
        "id": message.id,
        "type": 0,
        "content": message.content["content"],
        "embeds": message.content["embeds"],
        "channel_id": message.thread.as_deref().unwrap_or(CHANNEL),
        "webhook_id": WEBHOOK,
        "mentions": [],
        "mention_roles": [],
        "mention_everyone": false,
        "attachments": [],
        "timestamp": "2026-11-23T06:00:00.000000Z",
        "edited_timestamp": null,
        "flags": message.flags,
        "pinned": false,
        "tts": false,
    });
    assert_eq!(problems(Shape::Message, &body), [] as [String; 0]);
    Reply::json(200, &body).with("x-ratelimit-limit", 5).with("x-ratelimit-remaining", 4)
}

/// Whom a new message pings: those named in its text that it allows. An embed pings nobody.
fn pings(body: &Value) -> Vec<String> {
    let text = body["content"].as_str().unwrap_or_default();
    let allowed = &body["allowed_mentions"];
    let has = |list: &Value, id: &str| list.as_array().is_some_and(|list| list.iter().any(|one| one == id));
    let mut out = Vec::new();
    for word in text.split_whitespace() {
        let inner = word.strip_prefix("<@").and_then(|word| word.strip_suffix('>'));
        let (id, kind) = match inner.map(|inner| inner.strip_prefix('&').ok_or(inner)) {
            Some(Ok(role)) => (role, "roles"),
            Some(Err(user)) => (user, "users"),
            None if matches!(word, "@everyone" | "@here") => (word, "everyone"),
            None => continue,
        };
        if has(&allowed[kind], id) || has(&allowed["parse"], kind) {
            out.push(id.to_owned());
        }
    }
    out
}
