//! `mgmt`: one policy file, one verdict.
//!
//! The library behind the `mgmt` binary and behind any project's `cargo xtask`. `src/README.md` is the map.

pub mod decode;
pub mod evidence;
pub mod sys;
