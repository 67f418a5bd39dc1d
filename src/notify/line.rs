//! The line to one receiver: requests one after the other, repeated where that can do no harm.
//!
//! A request that makes something goes out once. It is sent again only where it cannot have arrived: without a
//! connection, or refused by a limit. What changes a known thing to a stated form may be repeated. A limit is waited
//! for as long as it says, within one patience, and the wait is told.

use std::time::Duration;

use ::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Method, Url};
use tokio::runtime::Runtime;

use super::Address;
use super::wait;
use crate::sys::env::Env;
use crate::sys::http::root_cause;
use crate::sys::text;

/// What the world has to lend.
pub struct Hooks {
    /// Where the addresses are.
    pub env: Env,
    /// Waits.
    pub sleep: Box<dyn Fn(Duration)>,
    /// Says what is being waited for.
    pub tell: Box<dyn Fn(&str)>,
}

/// Tries where no limit is the reason.
const TRIES: u32 = 3;
/// Refusals by a limit, however short the waits that they ask for.
const REFUSALS: u32 = 10;
/// The first wait after trouble; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(1);
/// A refused request is not repeated at once, whatever the answer says.
const LEAST: Duration = Duration::from_millis(100);
/// The most that is read of an answer.
const MAX_ANSWER: usize = 1 << 20;

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Vec<u8>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) repeat: Repeat,
}

/// Whether a request may be repeated that may have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    Never,
    Harmless,
}

/// An answer that is neither a limit's nor that of a server in trouble.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Empty where it could not be read whole: the status alone says what became of the request.
    pub(super) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// A limit asks for a longer wait than there is patience for.
    Limit(Duration),
    /// It did not arrive.
    Unsent(String),
    /// It may have arrived.
    Unclear(String),
}

/// The line.
pub(super) struct Line<'a> {
    http: &'a Client,
    runtime: &'a Runtime,
    hooks: &'a Hooks,
    name: &'a str,
    address: &'a Address,
    waited: Duration,
    /// What the last answer asked to wait before the next request.
    owed: Duration,
}

impl<'a> Line<'a> {
    pub(super) fn new(
        http: &'a Client,
        runtime: &'a Runtime,
        hooks: &'a Hooks,
        name: &'a str,
        address: &'a Address,
    ) -> Self {
        Self { http, runtime, hooks, name, address, waited: Duration::ZERO, owed: Duration::ZERO }
    }

    /// Sends a request until there is an answer or no hope.
    pub(super) fn ask(&mut self, request: &Request) -> Result<Answer, Lost> {
        let (mut troubles, mut refusals) = (0, 0);
        loop {
            self.pause("the limit on requests is reached", self.owed)?;
            let trouble = match self.runtime.block_on(self.send(request)) {
                Ok((429, headers, body)) => {
                    refusals += 1;
                    self.owed = wait::refused(&headers, &body).max(LEAST);
                    if refusals > REFUSALS {
                        return Err(Lost::Limit(self.owed));
                    }
                    continue;
                }
                Ok((status, headers, body)) => {
                    self.owed = wait::used_up(&headers);
                    if status < 500 {
                        return Ok(Answer { status, body });
                    }
                    Lost::Unclear(format!("it answered {status}"))
                }
                Err(lost) => lost,
            };
            troubles += 1;
            let may_repeat = request.repeat == Repeat::Harmless || matches!(trouble, Lost::Unsent(_));
            if troubles >= TRIES || !may_repeat {
                return Err(trouble);
            }
            let why = match &trouble {
                Lost::Unsent(why) | Lost::Unclear(why) => why.clone(),
                Lost::Limit(_) => String::new(),
            };
            if self.pause(&format!("no good answer ({why})"), FIRST * 2_u32.pow(troubles - 1)).is_err() {
                return Err(trouble);
            }
        }
    }

    fn pause(&mut self, why: &str, time: Duration) -> Result<(), Lost> {
        self.owed = Duration::ZERO;
        if time.is_zero() {
            return Ok(());
        }
        if self.waited + time > wait::PATIENCE {
            return Err(Lost::Limit(time));
        }
        (self.hooks.tell)(&format!("{}: {why}; waiting for {}", self.name, text::duration(time)));
        (self.hooks.sleep)(time);
        self.waited += time;
        Ok(())
    }

    async fn send(&self, request: &Request) -> Result<(u16, ::http::HeaderMap, Vec<u8>), Lost> {
        let failed = |error: reqwest::Error| {
            let is_unsent = error.is_connect() || error.is_builder();
            // The address is a secret, and so are its parts in what lies below.
            let why = self.address.hide(&root_cause(&error.without_url()));
            if is_unsent { Lost::Unsent(why) } else { Lost::Unclear(why) }
        };
        let mut builder = self.http.request(request.method.clone(), request.url.clone());
        if !request.body.is_empty() {
            builder = builder.header(CONTENT_TYPE, "application/json").body(request.body.clone());
        }
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let mut response = builder.send().await.map_err(failed)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER => body.extend_from_slice(&chunk),
                Ok(None) => return Ok((status, headers, body)),
                Ok(Some(_)) | Err(_) => return Ok((status, headers, Vec::new())),
            }
        }
    }
}
