//! Floor 0: the machine, behind small types that tests can replace.
//!
//! Nothing here knows what a check, a rule or a report is.

pub mod actions;
pub mod clock;
pub mod env;
pub mod fs;
#[cfg(feature = "net")]
pub mod http;
pub mod listing;
pub mod secret;
pub mod text;

/// The version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
