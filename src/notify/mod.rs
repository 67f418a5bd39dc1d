//! Floor 6: where alerts go. One file for each kind of receiver, and a row in [`NOTIFIERS`].
//!
//! A [`Notice`] becomes a payload by a pure function that holds every limit of its receiver for any input; [`deliver`]
//! sends it. A receiver that fails is a value in the answer and silences no other one. Addresses of webhooks are
//! secrets: they come from environment variables that the configuration names, and are never printed.
//! Deliberately absent: when to tell. Who calls decides that an incident has begun, goes on or is over, and keeps the
//! [`Deliveries`] between its calls; nothing here remembers, schedules or reminds.

#[cfg(feature = "net")]
mod address;
mod deliveries;
mod discord;
mod fit;
#[cfg(feature = "net")]
mod line;
mod notice;
#[cfg(feature = "net")]
mod send;
pub mod settings;
mod slack;
#[cfg(feature = "net")]
mod wait;
pub mod webhook;

#[cfg(feature = "net")]
pub use address::{Address, NotAnAddress};
pub use deliveries::{Deliveries, Delivery};
#[cfg(feature = "net")]
pub use line::Hooks;
pub use notice::{Field, Level, Notice, State};
#[cfg(feature = "net")]
pub use send::{End, Failure, Fault, Receipt, Round, address, deliver, secret};
pub use settings::Receiver;

use serde_json::Value;

use crate::decode::{Decoder, Fields, Key};

/// One row: a kind of receiver.
#[derive(Clone, Copy)]
pub struct Row {
    /// Its name after `kind:`.
    pub name: &'static str,
    /// One line for the schema and the documentation.
    pub doc: &'static str,
    /// Keys that only this kind has.
    pub keys: &'static [Key],
    /// Reads them.
    pub decode: fn(&mut Decoder, &Fields<'_>) -> Option<settings::Options>,
    /// The body of a request.
    pub payload: fn(&Notice, &Receiver, Form) -> Value,
    /// What an answer means; not asked for those that a limit or a server in trouble gives.
    pub meaning: fn(u16, &[u8]) -> Meaning,
    /// Whether a message can be changed after it was sent.
    pub edits: bool,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name)
    }
}

/// Every kind of receiver.
pub const NOTIFIERS: &[Row] = &[discord::ROW, slack::ROW, webhook::ROW];

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// It makes a message.
    New,
    /// It changes one.
    Edit,
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It was taken.
    Done {
        /// The id of the message, where there is one.
        message: Option<String>,
    },
    /// The message that was to be changed is not there any more.
    NoMessage,
    /// The webhook itself is not there any more, and must not be asked again.
    NoWebhook,
    /// It was not taken, and would not be the next time.
    Refused {
        /// What the receiver says, bounded, on one line; may be empty.
        message: String,
        /// The next step, where the answer tells one.
        hint: Option<String>,
    },
}

/// The body that a receiver would get for a notice of an incident that it has not heard of.
#[must_use]
pub fn payload(notice: &Notice, receiver: &Receiver) -> Value {
    (receiver.kind.payload)(notice, receiver, Form::New)
}
