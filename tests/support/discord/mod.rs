//! A Discord to test against: one channel with one webhook, on loopback, and strict.
//!
//! ```ignore
//! let fake = Fake::start();
//! // … let a client talk to fake.webhook() …
//! assert_eq!(fake.messages().len(), 1);
//! ```
//!
//! Every request is held against Discord's own description and its documented limits (`contract`). What does not fit is
//! refused as Discord would, written down, and fails the test when the fake is dropped. Messages are kept as they were
//! made and edited, with the pings that they caused. [`Fault`]s happen to the next requests, one after the other.
//! Beside it stand a Slack webhook ([`Fake::slack`]) and a plain one ([`Fake::plain`]), which take what they are given.
//!
//! Deliberately absent: everything that needs an account, files, components, polls, HTTPS and the passing of time: a
//! limit ends when the next request comes, and whether it was waited for is the client's to tell.

pub mod contract;
pub mod routes;
pub mod server;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use self::server::Server;

/// The webhook's id.
pub const WEBHOOK: &str = "223704706495545344";
/// What nobody may ever see: the webhook's token.
pub const TOKEN: &str = "canary-3d89bb7572e0fb30d8128367b3b1b44fecd1726de135cbe28a41f8b2f777c372";
/// The channel.
pub const CHANNEL: &str = "199737254929760256";

/// A running fake. Dropping it fails the test if anything invalid was sent.
#[derive(Debug)]
pub struct Fake {
    world: Arc<Mutex<World>>,
    server: Server,
}

/// What goes wrong with one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing: the request is let through.
    None,
    /// It is refused by a limit: `retry_after` in seconds, and headers that say the same.
    Limited(f64),
    /// It is refused by something before Discord: a page, and a header in seconds.
    Shielded(u64),
    /// It is answered properly, and was the last one of its limit for so many seconds.
    LastOne(f64),
    /// Nothing is done; the answer has this status and this body.
    Instead(u16, &'static str),
    /// It is done; the answer has this status and this body.
    Afterwards(u16, &'static str),
    /// Nothing is done, and the connection breaks.
    Reset,
    /// It is done, and the connection breaks.
    ResetAfterwards,
    /// The answer leads to another address.
    Redirect(String),
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The thread it is in.
    pub thread: Option<String>,
    /// Its text and embeds, as they are now.
    pub content: Value,
    /// How often it was edited.
    pub edits: usize,
    /// Whom it pinged when it was made.
    pub pings: Vec<String>,
    /// Its flags.
    pub flags: u64,
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers, names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The bytes.
    pub body: Vec<u8>,
}

impl Request {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Everything that the fake knows.
#[derive(Debug, Default)]
pub struct World {
    /// Messages that are there, the oldest first.
    pub messages: Vec<Message>,
    /// Requests so far.
    pub requests: Vec<Request>,
    /// What happens to the next requests.
    pub faults: VecDeque<Fault>,
    /// What should not have come.
    pub violations: Vec<String>,
    /// Threads of the channel.
    pub threads: Vec<String>,
    /// Whether the webhook was deleted.
    pub is_deleted: bool,
    /// Messages made so far, deleted ones included.
    pub made: u64,
}

impl Fake {
    /// Starts one.
    pub fn start() -> Self {
        let world = Arc::new(Mutex::new(World::default()));
        let server = Server::start(Arc::clone(&world));
        Self { world, server }
    }

    /// The webhook's address, as Discord shows it to be copied.
    pub fn webhook(&self) -> String {
        format!("http://{}/api/webhooks/{WEBHOOK}/{TOKEN}", self.server.address)
    }

    /// The address of a Slack webhook.
    pub fn slack(&self) -> String {
        format!("http://{}/services/T0CANARY0/B0CANARY0/canary000000000000000000", self.server.address)
    }

    /// An address that takes any JSON.
    pub fn plain(&self) -> String {
        format!("http://{}/hook?key=canary-0123456789abcdef", self.server.address)
    }

    /// What it knows, to read or change.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages that are there.
    pub fn messages(&self) -> Vec<Message> {
        self.world().messages.clone()
    }

    /// Requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.world().requests.clone()
    }

    /// Requests so far, by method alone.
    pub fn methods(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.method).collect()
    }

    /// Lets something happen to the next request that no fault is waiting for.
    pub fn fault(&self, fault: Fault) {
        self.world().faults.push_back(fault);
    }

    /// Deletes the webhook, as its owner can.
    pub fn delete_webhook(&self) {
        self.world().is_deleted = true;
    }

    /// Deletes a message, as anybody with the permission can.
    pub fn delete_message(&self, id: &str) {
        self.world().messages.retain(|message| message.id != id);
    }

    /// Takes out what should not have come; what was taken out does not fail the test any more.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.world().violations)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let violations = self.take_violations();
        if !violations.is_empty() && !std::thread::panicking() {
            panic!("the fake Discord was sent what Discord refuses:\n{}", violations.join("\n"));
        }
    }
}
