//! The `mgmt` binary: everything is in the library.

fn main() {}
