//! Tells every receiver, one after the other. What became of each is a value; none silences another.

use std::time::Duration;

use ::http::header::{HeaderName, HeaderValue};
use reqwest::{Client, Method};
use serde::Serialize;
use tokio::runtime::Runtime;

use super::deliveries::{Deliveries, Delivery};
use super::line::{Answer, Hooks, Line, Lost, Repeat, Request};
use super::settings::{Options, Receiver};
use super::{Address, Form, Level, Meaning, Notice, State, discord, webhook};
use crate::sys::env::Env;
use crate::sys::http;
use crate::sys::secret::Secret;
use crate::sys::text;

const LIMITS: http::Limits =
    http::Limits { connect: Duration::from_secs(10), silence: Duration::from_secs(20), total: Duration::from_secs(30) };

/// What came of one notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// What all receivers have been told by now; to be given to the next call about the same incident.
    pub deliveries: Deliveries,
    /// What became of it at each receiver, in the order of the configuration.
    pub receipts: Vec<Receipt>,
}

impl Round {
    /// The receivers that could not be told, or of which nobody knows.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &Failure)> {
        self.receipts.iter().filter_map(|receipt| match &receipt.end {
            End::Failed(failure) => Some((receipt.receiver.as_str(), failure)),
            _ => None,
        })
    }
}

/// What became of a notice at one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The receiver's name.
    pub receiver: String,
    /// What became of it.
    pub end: End,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// There is a new message.
    Posted {
        /// Its id, where the receiver tells one.
        message: Option<String>,
    },
    /// The message about the incident was changed.
    Edited,
    /// The receiver cannot change its message, and the notice says nothing new.
    Unchanged,
    /// The receiver is not told of this level, and knows nothing of the incident.
    Unwanted,
    /// It could not be told, or nobody knows.
    Failed(Failure),
}

/// Why a receiver could not be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What is wrong, as a lowercase fragment. Holds nothing of the address.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
    /// Where it lies.
    pub fault: Fault,
}

/// Where a failure lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// In the configuration or in the environment: nothing was sent.
    Setup,
    /// At the receiver or on the way: it was not told.
    Refused,
    /// On the way: it may have been told.
    Unclear,
}

impl Failure {
    fn new(fault: Fault, message: impl Into<String>, hint: impl Into<Option<String>>) -> Self {
        Self { message: message.into(), hint: hint.into(), fault }
    }
}

/// Tells every receiver of a notice. `known` is what an earlier call about the same incident left, or nothing.
///
/// A receiver is told if its levels say so, or if it knows of the incident already: who heard of its beginning hears
/// of its end. A message that can be edited is edited; it is made anew if it is gone, and if the incident has become
/// critical since and somebody is to be pinged, which an edit cannot do.
#[must_use]
pub fn deliver(receivers: &[Receiver], notice: &Notice, known: &Deliveries, hooks: &Hooks) -> Round {
    let mut round = Round { deliveries: known.clone(), receipts: Vec::with_capacity(receivers.len()) };
    if receivers.is_empty() {
        return round;
    }
    let ready = http::client(&LIMITS).and_then(|client| Ok((client, http::runtime()?)));
    for receiver in receivers {
        let end = match &ready {
            Ok((client, runtime)) => {
                let call = Call { receiver, notice, known: known.of(&receiver.name), hooks };
                let (delivery, end) = call.tell(client, runtime);
                if let Some(delivery) = delivery {
                    round.deliveries.set(&receiver.name, delivery);
                }
                end
            }
            Err(why) => End::Failed(Failure::new(Fault::Setup, format!("nothing can be sent from here: {why}"), None)),
        };
        round.receipts.push(Receipt { receiver: receiver.name.clone(), end });
    }
    round
}

/// The address of a receiver, from its variable.
///
/// # Errors
/// No address, or none that can be used.
pub fn address(receiver: &Receiver, env: &Env) -> Result<Address, Failure> {
    let name = &receiver.url_env;
    let Some(text) = env.get(name) else {
        let hint = format!("set {name} to the address of the webhook; in GitHub Actions from a secret of that name");
        return Err(Failure::new(Fault::Setup, format!("the environment variable {name} is not set"), hint));
    };
    Address::new(receiver, text)
        .map_err(|why| Failure::new(Fault::Setup, format!("what {name} holds {why}"), why.hint().to_owned()))
}

/// The secret that messages of a receiver are signed with, where one is agreed on.
///
/// # Errors
/// A variable that is not set, or holds no secret.
pub fn secret(receiver: &Receiver, env: &Env) -> Result<Option<Secret>, Failure> {
    let Options::Webhook { secret: Some(name) } = &receiver.options else { return Ok(None) };
    let hint = format!("set {name} to the secret that the receiver knows");
    let Some(secret) = env.get(name) else {
        return Err(Failure::new(Fault::Setup, format!("the environment variable {name} is not set"), hint));
    };
    let secret = Secret::new(secret);
    secret.map(Some).map_err(|why| Failure::new(Fault::Setup, format!("{name} is no secret: {why}"), hint))
}

/// One receiver and what it is told.
struct Call<'a> {
    receiver: &'a Receiver,
    notice: &'a Notice,
    known: Option<&'a Delivery>,
    hooks: &'a Hooks,
}

/// What is to be remembered, if it is something new, and what became of it.
type Outcome = (Option<Delivery>, End);

impl Call<'_> {
    fn tell(&self, client: &Client, runtime: &Runtime) -> Outcome {
        let level = self.notice.level;
        let has_heard = matches!(self.known, Some(Delivery::Told { .. } | Delivery::Unclear { .. }));
        if !has_heard && !self.receiver.levels.contains(&level) {
            return (None, End::Unwanted);
        }
        let is_same = matches!(self.known, Some(Delivery::Told { level: told, .. }) if *told == level);
        // A program that reads notices may want each; people do not want the same message again.
        let is_for_people = !matches!(self.receiver.options, Options::Webhook { .. });
        if !self.receiver.kind.edits && is_for_people && is_same && self.notice.state == State::Ongoing {
            return (None, End::Unchanged);
        }
        let address = match address(self.receiver, &self.hooks.env) {
            Ok(address) => address,
            Err(failure) => return (None, End::Failed(failure)),
        };
        if matches!(self.known, Some(Delivery::Gone { webhook }) if *webhook == address.fingerprint()) {
            return (None, End::Failed(self.gone(" and is not asked again")));
        }
        let mut line = Line::new(client, runtime, self.hooks, &self.receiver.name, &address);
        let message = match self.known {
            Some(Delivery::Told { message: Some(id), .. }) if discord::is_message_id(id) => Some(id.as_str()),
            _ => None,
        };
        match message.filter(|_| self.receiver.kind.edits) {
            Some(id) if self.has_become_critical() => self.replace(&mut line, &address, id),
            Some(id) => self.edit(&mut line, &address, id),
            None => self.post(&mut line, &address),
        }
    }

    /// Whether somebody has to be pinged who was not pinged before.
    fn has_become_critical(&self) -> bool {
        let was_less = matches!(self.known, Some(Delivery::Told { level, .. }) if *level > Level::Critical);
        was_less && discord::mentions(self.notice, self.receiver).is_some()
    }

    fn post(&self, line: &mut Line<'_>, address: &Address) -> Outcome {
        let level = self.notice.level;
        let body = self.body(Form::New);
        let headers = match self.signature(&body) {
            Ok(headers) => headers,
            Err(failure) => return (None, End::Failed(failure)),
        };
        let url = if self.receiver.kind.edits { address.messages() } else { address.expose().clone() };
        let request = Request { method: Method::POST, url, body, headers, repeat: Repeat::Never };
        match line.ask(&request) {
            Ok(answer) => match self.meaning(&answer) {
                Meaning::Done { message } => {
                    (Some(Delivery::Told { level, message: message.clone() }), End::Posted { message })
                }
                Meaning::NoWebhook => self.lose(address),
                Meaning::NoMessage => {
                    let failure = Failure::new(Fault::Refused, "it answered that a message is not there", None);
                    (None, End::Failed(failure))
                }
                Meaning::Refused { message, hint } => {
                    (None, End::Failed(self.refused(answer.status, &message, hint, address)))
                }
            },
            Err(Lost::Unclear(why)) => {
                let message = format!("it may have been told or not: {why}");
                let seen = text::one_line(&text::shorten(&self.notice.incident, 100));
                let hint = format!("look for `{seen}` there; the next notice of this incident makes a new message");
                (Some(Delivery::Unclear { level }), End::Failed(Failure::new(Fault::Unclear, message, hint)))
            }
            Err(lost) => (None, End::Failed(unsent(&lost))),
        }
    }

    fn edit(&self, line: &mut Line<'_>, address: &Address, id: &str) -> Outcome {
        let (url, body) = (address.message(id), self.body(Form::Edit));
        let request = Request { method: Method::PATCH, url, body, headers: Vec::new(), repeat: Repeat::Harmless };
        let told = Delivery::Told { level: self.notice.level, message: Some(id.to_owned()) };
        match line.ask(&request) {
            Ok(answer) => match self.meaning(&answer) {
                Meaning::Done { .. } => (Some(told), End::Edited),
                Meaning::NoMessage => self.post(line, address),
                Meaning::NoWebhook => self.lose(address),
                Meaning::Refused { message, hint } => {
                    (None, End::Failed(self.refused(answer.status, &message, hint, address)))
                }
            },
            Err(Lost::Unclear(why)) => {
                let message = format!("its message may have been changed or not: {why}");
                let hint = "the next notice of this incident changes it again".to_owned();
                (None, End::Failed(Failure::new(Fault::Unclear, message, hint)))
            }
            Err(lost) => (None, End::Failed(unsent(&lost))),
        }
    }

    /// A new message that pings, and the old one away: there is one message for an incident.
    fn replace(&self, line: &mut Line<'_>, address: &Address, old: &str) -> Outcome {
        let outcome = self.post(line, address);
        if matches!(outcome.1, End::Posted { .. }) {
            let url = address.message(old);
            let (body, headers) = (Vec::new(), Vec::new());
            let request = Request { method: Method::DELETE, url, body, headers, repeat: Repeat::Harmless };
            let is_away = line.ask(&request).is_ok_and(|answer| matches!(answer.status, 200..300 | 404));
            if !is_away {
                let name = &self.receiver.name;
                (self.hooks.tell)(&format!("{name}: the earlier message of this incident could not be removed"));
            }
        }
        match outcome {
            // The old one is there, and is known.
            (Some(Delivery::Unclear { .. }), end) => (None, end),
            outcome => outcome,
        }
    }

    fn body(&self, form: Form) -> Vec<u8> {
        (self.receiver.kind.payload)(self.notice, self.receiver, form).to_string().into_bytes()
    }

    fn meaning(&self, answer: &Answer) -> Meaning {
        // A redirect would carry the notice to somebody else.
        if (300..400).contains(&answer.status) {
            return Meaning::Refused { message: "a redirect, which is not followed".to_owned(), hint: None };
        }
        (self.receiver.kind.meaning)(answer.status, &answer.body)
    }

    fn refused(&self, status: u16, said: &str, hint: Option<String>, address: &Address) -> Failure {
        let said = address.hide(said);
        let said = if said.is_empty() { said } else { format!(": {said}") };
        let look = || format!("check that {} holds the webhook's whole address", self.receiver.url_env);
        let hint = hint.or_else(|| matches!(status, 300..=399 | 401 | 403).then(look));
        Failure::new(Fault::Refused, format!("it answered {status}{said}"), hint)
    }

    fn lose(&self, address: &Address) -> Outcome {
        (Some(Delivery::Gone { webhook: address.fingerprint() }), End::Failed(self.gone("")))
    }

    fn gone(&self, more: &str) -> Failure {
        let hint = format!("make a new webhook and put its address into {}", self.receiver.url_env);
        Failure::new(Fault::Refused, format!("the webhook does not exist any more{more}"), hint)
    }

    /// The header that proves who sent it, where a secret is agreed on.
    fn signature(&self, body: &[u8]) -> Result<Vec<(HeaderName, HeaderValue)>, Failure> {
        let Some(secret) = secret(self.receiver, &self.hooks.env)? else { return Ok(Vec::new()) };
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.expose().as_bytes());
        let tag = ring::hmac::sign(&key, body);
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let value = HeaderValue::try_from(format!("sha256={hex}"))
            .map_err(|_| Failure::new(Fault::Setup, "the signature cannot stand in a header", None))?;
        Ok(vec![(HeaderName::from_static(webhook::SIGNATURE), value)])
    }
}

fn unsent(lost: &Lost) -> Failure {
    match lost {
        Lost::Limit(wait) => {
            let message =
                format!("its limit on requests is reached, and it asks to wait for {}", text::duration(*wait));
            Failure::new(Fault::Refused, message, "try again then".to_owned())
        }
        Lost::Unsent(why) | Lost::Unclear(why) => {
            let hint = "check the network and the proxy (HTTPS_PROXY); certificates come from the system";
            Failure::new(Fault::Refused, format!("there is no connection to it: {why}"), hint.to_owned())
        }
    }
}
