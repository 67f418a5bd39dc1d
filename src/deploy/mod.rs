//! Floor 3: whether a commit may go to the next stage of a deploy. Pure.
//!
//! What GitHub was asked and what it answered comes in as plain values ([`Facts`]); a verdict with its reasons goes
//! out. Nothing that is missing, unclear or of another commit leads to a pass. Deliberately absent: the words of
//! GitHub's API as types, since a word that is new must be one that is not known; and deploying itself.

mod before;
mod decide;
pub mod facts;
mod reason;
pub mod settings;
mod shards;
mod workflow;

pub use before::newest as newest_deployment;
pub use decide::{Decision, decide, gate_name};
pub use facts::{Facts, Listing};
pub use reason::Reason;
pub use settings::{Expect, Judged, Stage};
pub use shards::{Chosen, newest as newest_shards};
pub use workflow::deciding;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
