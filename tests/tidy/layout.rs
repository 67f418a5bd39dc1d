//! What stands at the top of the repository, and the code map of `src/`.

use std::collections::BTreeSet;

/// What may stand at the top, beside names that start with a dot.
const TOP_LEVEL: [&str; 17] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "action.yml",
    "benches",
    "clippy.toml",
    "deny.toml",
    "fuzz",
    "mgmt.yml",
    "rustfmt.toml",
    "schema",
    "src",
    "tests",
    "xtask",
];

/// The top-level names that nobody agreed on.
pub(crate) fn strangers(files: &[String]) -> Vec<String> {
    let names: BTreeSet<&str> = files.iter().filter_map(|file| file.split('/').next()).collect();
    names
        .into_iter()
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(name))
        .map(|name| format!("{name}: not a name for the top of the repository"))
        .collect()
}

/// Where the code map and the folders disagree. `folders` holds every folder that a mention can mean.
pub(crate) fn map(text: &str, rooms: &[String], folders: &BTreeSet<String>) -> Vec<String> {
    let mentions = mentions(text);
    let mut findings = Vec::new();
    for room in rooms.iter().filter(|room| !mentions.iter().any(|(_, folder)| folder == *room)) {
        findings.push(format!("src/README.md: `{room}/` is not mentioned"));
    }
    for (line, folder) in mentions.iter().filter(|(_, folder)| !folders.contains(folder)) {
        findings.push(format!("src/README.md:{line}: `{folder}/` does not exist"));
    }
    findings
}

/// The folders a text mentions and where: words that end in a slash, written from `src/` or with it. Addresses and
/// folders that start with a dot (made at run time) are not meant.
fn mentions(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for word in line.split(|sign: char| !sign.is_ascii_alphanumeric() && !"_-./:@~$%#=?!{}".contains(sign)) {
            let word = word.trim_end_matches(['.', ':', '!', '?']);
            let Some(folder) = word.strip_suffix('/').filter(|folder| is_folder(folder)) else { continue };
            found.push((number + 1, folder.strip_prefix("src/").unwrap_or(folder).to_owned()));
        }
    }
    found
}

fn is_folder(text: &str) -> bool {
    let is_name = |part: &str| {
        part.starts_with(|sign: char| sign.is_ascii_alphanumeric())
            && part.chars().all(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '-'))
    };
    text.split('/').all(is_name)
}

#[test]
fn planted_strangers_at_the_top_are_named() {
    let files = ["src/lib.rs", "crates/a/Cargo.toml", "crates/b/Cargo.toml", ".ci/run", ".gitignore", "Makefile"];
    assert_eq!(
        strangers(&files.map(str::to_owned)),
        ["Makefile: not a name for the top of the repository", "crates: not a name for the top of the repository"]
    );
}

#[test]
fn a_planted_map_is_held_against_the_folders() {
    let rooms = ["gate", "evidence", "run"].map(str::to_owned);
    let folders: BTreeSet<String> =
        ["src", "gate", "evidence", "evidence/coverage", "coverage", "run", "xtask"].map(str::to_owned).into();
    let whole = "# src/\n\n- [`gate/`](gate/): rules and/or limits.\n- evidence/—in `coverage/` too\n- src/run/.\n\
                 See https://example.org/docs/ and `.mgmt/`, $HOME/a/, {a,b}/, <c>/; `xtask/` is outside.\n";
    assert_eq!(map(whole, &rooms, &folders), [] as [String; 0]);
    assert_eq!(
        map("`gate/`, `evidence`\n`attic/` and `evidence/cellar/`\nrun", &rooms, &folders),
        [
            "src/README.md: `evidence/` is not mentioned",
            "src/README.md: `run/` is not mentioned",
            "src/README.md:2: `attic/` does not exist",
            "src/README.md:2: `evidence/cellar/` does not exist",
        ]
    );
}
