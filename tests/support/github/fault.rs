//! What goes wrong on purpose: a matcher, how often, and what happens then.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::contract::Contract;

/// A fault; the first one that fits a request and is not used up happens to it.
#[derive(Debug)]
pub struct Fault {
    method: String,
    pattern: String,
    after: usize,
    times: usize,
    pub(super) effect: Effect,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Answers without doing anything.
    Instead(Made),
    /// Does it, then answers this.
    Afterwards(Made),
    /// Answers properly, but not before the gate is open.
    Gate(Passage),
    /// Answers properly, but later.
    Delay(Duration),
    /// Breaks the connection before anything was done.
    Reset,
    /// Does it, then breaks the connection.
    ResetAfterwards,
    /// Announces the whole body and sends half of it.
    Truncate,
    /// Changes the JSON of the answer; the flag says whether it is still validated.
    Edit(fn(&mut Value), bool),
    /// Every nullable field of all objects of a schema becomes null.
    Nulls(&'static str),
}

/// An answer that no route made.
#[derive(Debug, Clone)]
pub struct Made {
    /// The HTTP status.
    pub status: u16,
    /// Headers of its own.
    pub headers: Vec<(String, String)>,
    /// `application/json; charset=utf-8` or another one.
    pub kind: &'static str,
    /// The bytes.
    pub body: String,
}

/// Holds requests back until it is opened; a gate that is dropped is open.
#[derive(Debug)]
pub struct Gate {
    open: watch::Sender<bool>,
    arrivals: Arc<(Mutex<usize>, Condvar)>,
}

/// The requests' side of a gate.
#[derive(Debug, Clone)]
pub struct Passage {
    open: watch::Receiver<bool>,
    arrivals: Arc<(Mutex<usize>, Condvar)>,
}

impl Gate {
    /// Lets the requests go.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Waits until so many requests have come; fails the test if they do not.
    pub fn wait_for(&self, requests: usize) {
        let (count, changed) = &*self.arrivals;
        let count = count.lock().unwrap_or_else(PoisonError::into_inner);
        let patience = Duration::from_secs(60);
        let (count, _) = changed
            .wait_timeout_while(count, patience, |count| *count < requests)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(*count >= requests, "{} of {requests} requests came to the gate", *count);
    }
}

impl Passage {
    pub(super) async fn pass(&self) {
        let (count, changed) = &*self.arrivals;
        *count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        changed.notify_all();
        // An error means that the gate is gone, which is as good as open.
        let _ = self.open.clone().wait_for(|open| *open).await;
    }
}

impl Fault {
    /// For requests of a method (`*`: any) to a path without the base path, in which `*` stands for one part and
    /// `**` at the end for all others. Signed links have paths below `/stored/`. It does nothing until one of the methods below says what.
    pub fn on(method: &str, pattern: &str) -> Self {
        let nothing = Effect::Delay(Duration::ZERO);
        Self { method: method.to_owned(), pattern: pattern.to_owned(), after: 0, times: 1, effect: nothing }
    }

    /// How many requests it happens to; once unless said.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Every time.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// Lets so many requests pass first.
    #[must_use]
    pub fn after(mut self, requests: usize) -> Self {
        self.after = requests;
        self
    }

    /// Answers with a status and an error in GitHub's shape.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        self.instead(Made::error(status, "Server Error"))
    }

    /// Does what was asked, then answers 502 as a proxy does.
    #[must_use]
    pub fn bad_gateway_afterwards(mut self) -> Self {
        self.effect = Effect::Afterwards(Made::html(502, "<html><body><h1>502 Bad Gateway</h1></body></html>"));
        self
    }

    /// 429, with or without `Retry-After`.
    #[must_use]
    pub fn too_many(self, retry_after: Option<u64>) -> Self {
        let made = Made::error(429, "You have exceeded a secondary rate limit. Please wait a few minutes.");
        self.instead(made.retry_after(retry_after))
    }

    /// 403 for the secondary limit, with or without `Retry-After`.
    #[must_use]
    pub fn secondary_limit(self, retry_after: Option<u64>) -> Self {
        let text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
        self.instead(Made::error(403, text).retry_after(retry_after))
    }

    /// 403 for the primary limit: nothing remains until `reset` (seconds since 1970).
    #[must_use]
    pub fn primary_limit(self, reset: i64) -> Self {
        let mut made = Made::error(403, "API rate limit exceeded for installation.");
        made.headers.push(("x-ratelimit-remaining".to_owned(), "0".to_owned()));
        made.headers.push(("x-ratelimit-reset".to_owned(), reset.to_string()));
        self.instead(made)
    }

    /// HTML where JSON is due, with status 200 as a login page has.
    #[must_use]
    pub fn html(self) -> Self {
        self.instead(Made::html(200, "<!DOCTYPE html><html><body>Sign in</body></html>"))
    }

    /// Any answer at all.
    #[must_use]
    pub fn instead(mut self, made: Made) -> Self {
        self.effect = Effect::Instead(made);
        self
    }

    /// Waits until the gate is opened.
    pub fn gate(mut self) -> (Self, Gate) {
        let (sender, receiver) = watch::channel(false);
        let arrivals = Arc::default();
        self.effect = Effect::Gate(Passage { open: receiver, arrivals: Arc::clone(&arrivals) });
        (self, Gate { open: sender, arrivals })
    }

    /// Waits so long.
    #[must_use]
    pub fn delay(mut self, time: Duration) -> Self {
        self.effect = Effect::Delay(time);
        self
    }

    /// Breaks the connection instead of answering.
    #[must_use]
    pub fn reset(mut self) -> Self {
        self.effect = Effect::Reset;
        self
    }

    /// Does what was asked and breaks the connection.
    #[must_use]
    pub fn reset_afterwards(mut self) -> Self {
        self.effect = Effect::ResetAfterwards;
        self
    }

    /// Sends half of the body.
    #[must_use]
    pub fn truncate(mut self) -> Self {
        self.effect = Effect::Truncate;
        self
    }

    /// Changes the JSON of the answer to something that is still valid.
    #[must_use]
    pub fn edit(mut self, edit: fn(&mut Value)) -> Self {
        self.effect = Effect::Edit(edit, true);
        self
    }

    /// Changes the JSON of the answer to anything at all.
    #[must_use]
    pub fn corrupt(mut self, edit: fn(&mut Value)) -> Self {
        self.effect = Effect::Edit(edit, false);
        self
    }

    /// Null in every nullable field of all objects of a schema, such as `workflow-run`.
    #[must_use]
    pub fn nulls(mut self, schema: &'static str) -> Self {
        self.effect = Effect::Nulls(schema);
        self
    }

    /// Words that nobody has heard of as status, conclusion, state and event.
    #[must_use]
    pub fn unknown_words(self) -> Self {
        self.corrupt(|value| {
            each_object(value, &mut |fields| {
                for name in ["status", "conclusion", "state", "event"] {
                    if fields.get(name).is_some_and(Value::is_string) {
                        fields.insert(name.to_owned(), Value::from("brand_new"));
                    }
                }
            });
        })
    }

    /// Whether it happens to this request; counts it if so.
    pub(super) fn takes(&mut self, method: &str, path: &str) -> bool {
        if self.times == 0 || self.method != "*" && self.method != method || !fits(&self.pattern, path) {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        self.times -= 1;
        true
    }
}

impl Made {
    /// JSON in the shape of GitHub's errors.
    pub fn error(status: u16, message: &str) -> Self {
        let body = serde_json::json!({ "message": message, "documentation_url": "https://docs.github.com/rest" });
        let kind = "application/json; charset=utf-8";
        Self { status, headers: Vec::new(), kind, body: body.to_string() }
    }

    /// A page for people.
    pub fn html(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), kind: "text/html", body: body.to_owned() }
    }

    fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.headers.extend(seconds.map(|seconds| ("retry-after".to_owned(), seconds.to_string())));
        self
    }
}

/// Puts null into every nullable field of the objects that have all required fields of a schema.
pub(super) fn put_nulls(value: &mut Value, schema: &str) {
    let (nullable, required) = Contract::get().nullables(schema);
    each_object(value, &mut |fields| {
        if required.iter().all(|name| fields.contains_key(name)) {
            for name in &nullable {
                fields.insert(name.clone(), Value::Null);
            }
        }
    });
}

fn each_object(value: &mut Value, change: &mut impl FnMut(&mut serde_json::Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_object(item, change)),
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|value| each_object(value, change));
        }
        _ => {}
    }
}

/// Whether a path fits a pattern as in [`Fault::on`].
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    for wanted in pattern.split('/') {
        match (wanted, parts.next()) {
            ("**", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(part)) if wanted == part => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}
