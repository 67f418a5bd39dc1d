//! Every fuzz target: the one body that the name of the binary stands for.

#![no_main]

#[expect(dead_code, reason = "the stable tests call more of the bodies than the fuzzer does")]
mod bodies;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| bodies::target(env!("CARGO_BIN_NAME"), bytes));
