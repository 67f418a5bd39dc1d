//! Floor 2: measurements and rules in, results and a verdict out. Pure.
//!
//! What is missing, not a number or not decidable is never a pass here: see [`judge`].

mod advice;
pub mod changes;
pub mod facts;
pub mod flaky;
pub mod judge;
pub mod pace;
mod parts;
pub mod patch;
pub mod proportion;
pub mod quarantine;
pub mod rank;
pub mod rule;
pub mod samples;
pub mod scope;
pub mod statistics;
pub mod verdict;

pub use changes::TestChanges;
pub use facts::Facts;
pub use judge::{RuleResult, judge};
pub use quarantine::Quarantine;
pub use rule::{Gate, Limit, Rule, WhenMissing};
pub use verdict::{RuleVerdict, Verdict};
