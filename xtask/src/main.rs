//! This repository's own tasks.

fn main() {}
