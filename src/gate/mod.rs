//! Floor 2: measurements and rules in, results and a verdict out. Pure.
//!
//! What is missing, not a number or not decidable is never a pass here: see [`judge`].

mod advice;
pub mod judge;
mod parts;
pub mod patch;
pub mod rule;
pub mod samples;
pub mod scope;
pub mod verdict;

pub use judge::{Facts, RuleResult, judge};
pub use rule::{Gate, Limit, Rule, WhenMissing};
pub use verdict::{RuleVerdict, Verdict};
