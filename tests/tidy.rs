//! The rules of the house, read from the repository's own files.
//!
//! Every rule is one test here and one module under `tests/tidy/`, where planted violations prove that it bites.
//! Nothing is built, run or fetched: the tests read sources, manifests and the list of tracked files. Without git
//! every file on disk counts as tracked, build output aside.

#[path = "tidy/docs.rs"]
mod docs;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/layout.rs"]
mod layout;
#[path = "tidy/manifest.rs"]
mod manifest;
#[path = "tidy/planted.rs"]
mod planted;
#[path = "tidy/size.rs"]
mod size;
#[path = "tidy/words.rs"]
mod words;

/// Fails with every finding, one a line, and with what to do about them.
#[track_caller]
fn none(findings: &[String], advice: &str) {
    assert!(findings.is_empty(), "\n\n{}\n\nhelp: {advice}\n", findings.join("\n"));
}

#[test]
fn every_folder_under_src_has_a_floor() {
    none(&floors::homeless(&files::rooms()), "give it a floor: one row in `FLOORS` in tests/tidy/floors.rs");
}

#[test]
fn rooms_import_only_from_lower_floors() {
    let findings: Vec<String> =
        files::rust_files(&["src"]).iter().flat_map(|file| floors::findings(file, &files::read(file))).collect();
    none(&findings, floors::ADVICE);
}

#[test]
fn no_file_outgrows_its_reader() {
    let findings: Vec<String> = files::rust_files(&["src", "xtask/src", "tests", "benches", "fuzz/bodies"])
        .iter()
        .filter_map(|file| size::finding(file, &files::read(file)))
        .collect();
    none(&findings, "split the file where its subject splits; unit tests (`#[cfg(test)] mod …`) do not count");
}

#[test]
fn every_module_says_what_it_is_for() {
    let findings: Vec<String> = files::rust_files(&["src", "xtask/src", "fuzz/bodies"])
        .iter()
        .filter_map(|file| docs::finding(file, &files::read(file)))
        .collect();
    none(&findings, "open the file with `//!` and a sentence that says what the module is for");
}

#[test]
fn the_top_level_holds_only_what_was_agreed() {
    none(
        &layout::strangers(&files::tracked()),
        "move it into a folder that exists; a new top-level name is a decision about the house, not about one file",
    );
}

#[test]
fn nothing_of_one_machine_is_in_the_tree() {
    let findings: Vec<String> = files::tracked()
        .iter()
        .filter_map(|file| Some((file, files::read_text(file)?)))
        .flat_map(|(file, text)| words::machine(file, &text))
        .collect();
    none(&findings, "write paths relative to the repository, or with a made-up folder such as /home/me in test data");
}

#[test]
fn nothing_is_left_for_later() {
    let findings: Vec<String> = files::tracked()
        .iter()
        .filter(|file| file.ends_with(".rs"))
        .filter_map(|file| Some((file, files::read_text(file)?)))
        .flat_map(|(file, text)| words::unfinished(file, &text))
        .collect();
    none(&findings, "finish it, delete it, or use `#[expect(…, reason = \"…\")]` where a lint is wrong");
}

#[test]
fn the_code_map_names_every_room_and_no_other_folder() {
    let Some(map) = files::read_text("src/README.md") else {
        panic!("\n\nsrc/README.md is missing\n\nhelp: write the code map: a paragraph a folder, then the invariants\n");
    };
    none(
        &layout::map(&map, &files::rooms(), &files::folders()),
        "keep src/README.md in step with the folders: each room once as `name/`, nothing that is gone",
    );
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let findings: Vec<String> = ["Cargo.toml", "xtask/Cargo.toml", "fuzz/Cargo.toml"]
        .iter()
        .flat_map(|file| manifest::without_reason(file, &files::read(file)))
        .collect();
    none(&findings, "put a comment with the reason on the line above it, or above its group of adjacent lines");
}
