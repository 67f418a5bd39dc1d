//! The fuzz targets' bodies on stable Rust: every format over its seeds, over cuts of them, and over a bounded number
//! of mutations, the same on every machine. `fuzz/README.md` says how the fuzzer itself is run.

#[path = "../fuzz/bodies/mod.rs"]
mod bodies;
#[path = "hostile/cuts.rs"]
mod cuts;
#[path = "hostile/found.rs"]
mod found;
#[path = "hostile/mutate.rs"]
mod mutate;
#[path = "hostile/seeds.rs"]
mod seeds;

use std::collections::BTreeSet;

use mgmt_action::evidence::FORMATS;
use mgmt_action::evidence::problem::ENCODING;
use rayon::prelude::*;

/// Mutations of each seed.
const MUTATIONS: usize = 40;

fn targets() -> Vec<&'static str> {
    FORMATS.iter().map(|format| format.name).chain(bodies::OTHERS.iter().copied()).collect()
}

/// Runs a body; what it fails on and how, since a mutated report has no name.
fn failure(target: &str, what: &str, bytes: &[u8]) -> Option<String> {
    let panic = std::panic::catch_unwind(|| bodies::target(target, bytes)).err()?;
    Some(format!("{target}: {what}: {}", seeds::told(&*panic, bytes)))
}

/// Fails with the first failure of each target.
#[track_caller]
fn none_of(failures: impl Fn(&'static str) -> Option<String> + Send + Sync) {
    let found: Vec<String> = targets().into_par_iter().filter_map(failures).collect();
    assert!(found.is_empty(), "\n\n{}\n", found.join("\n\n"));
}

#[test]
fn every_format_has_a_fuzz_target_and_a_seed() {
    let manifest = seeds::text("fuzz/Cargo.toml");
    let rows: BTreeSet<&str> = manifest
        .split("[[bin]]")
        .skip(1)
        .filter_map(|row| row.lines().find_map(|line| line.strip_prefix("name = ")).map(|name| name.trim_matches('"')))
        .collect();
    assert_eq!(rows, targets().into_iter().collect(), "add or remove a `[[bin]]` in fuzz/Cargo.toml");
    for target in targets() {
        assert!(!seeds::of(target).is_empty(), "put a report into fuzz/seeds/{target}/");
    }
}

#[test]
fn every_seed_holds() {
    none_of(|target| seeds::of(target).iter().find_map(|seed| failure(target, &seed.name, &seed.bytes)));
}

#[test]
fn every_seed_says_the_same_compressed_and_in_utf_16() {
    for format in FORMATS {
        for seed in seeds::of(format.name) {
            let Ok(text) = std::str::from_utf8(&seed.bytes) else { continue };
            let plain = bodies::read_wide(Some(format), text.as_bytes());
            let wide = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
            for (how, bytes) in [("gzip", seeds::zipped(&seed.bytes)), ("UTF-16LE", wide)] {
                let mut told = bodies::read_wide(Some(format), &*bytes);
                let note = told.problems.pop().unwrap_or_else(|| panic!("{how} of {} is not told", seed.name));
                assert!(note.code == ENCODING.id && note.message.contains(how), "{note:?}");
                bodies::same(&plain, &told, &format!("{} as {how}", seed.name));
            }
        }
    }
}

#[test]
fn seeded_mutations_hold() {
    none_of(|target| {
        let seeds = seeds::of(target);
        (0..seeds.len()).find_map(|at| {
            let seed = &seeds[at];
            let mut random = mutate::Random::new(&seed.name);
            (0..MUTATIONS).find_map(|round| {
                let other = &seeds[(at + 1 + round) % seeds.len()];
                let mutant = mutate::mutant(&mut random, &seed.bytes, &other.bytes);
                failure(target, &format!("mutation {round} of {}", seed.name), &mutant)
            })
        })
    });
}

#[test]
fn hostile_shapes_hold() {
    none_of(|target| mutate::shapes().iter().find_map(|(name, bytes)| failure(target, name, bytes)));
}
