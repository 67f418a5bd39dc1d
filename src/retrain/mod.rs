//! Floor 3: whether a scheduled retraining really happened, and was worth it. Pure.
//!
//! The moments at which a schedule should have run come from its own text ([`cron`]), what ran from GitHub
//! ([`Facts`]); each slot gets one state ([`slot`]), and the newest one that can be judged decides. Around it stand
//! what makes a green retraining useless ([`wiring`]), the comparison with the model before ([`champion`]) and what
//! changed over the history ([`trend`]). A stretch of trouble is one [`incident`], and what may be done about it is
//! a [`plan`]. Deliberately absent: any look at GitHub, at files or at a clock, and doing it.

pub mod audit;
mod challenge;
pub mod champion;
pub mod cron;
pub mod facts;
pub mod incident;
mod judge;
pub mod plan;
mod product;
mod questions;
pub mod remediate;
pub mod remedy;
pub mod settings;
pub mod slot;
pub mod trend;
pub mod want;
pub mod wiring;
mod words;
pub mod workflow;

pub use audit::{Audit, audit};
pub use facts::Facts;
pub use incident::Incident;
pub use remedy::Remedy;
pub use settings::Settings;
pub use slot::{Slot, State};
