//! Whether a module says what it is for: `//!` on the first line, and a sentence that means something.

/// Words of a doc that somebody still has to write.
const STAND_INS: [&str; 4] = ["placeholder", "todo", "fixme", "tbd"];

/// What is wrong with the doc of a module, if anything.
pub(crate) fn finding(file: &str, source: &str) -> Option<String> {
    let sentence = opening(source);
    let wrong = match sentence.as_str() {
        "" => "does not start with a `//!` doc".to_owned(),
        text if is_stand_in(text) => format!("its doc is still to be written: {text}"),
        text if !is_sentence(text) => format!("its doc does not start with a sentence: {text}"),
        _ => return None,
    };
    Some(format!("{file}:1: {wrong}"))
}

/// The first paragraph on one line; empty if the file starts with anything else.
fn opening(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn is_stand_in(text: &str) -> bool {
    text.split(|sign: char| !sign.is_alphanumeric()).any(|word| STAND_INS.contains(&word.to_lowercase().as_str()))
}

fn is_sentence(text: &str) -> bool {
    text.split_whitespace().count() > 1 && text.ends_with(['.', '!', '?', ':'])
}

#[test]
fn planted_docs_are_judged_by_their_first_sentence() {
    for (source, wrong) in [
        ("//! Finds programs as the system would.\n", None),
        ("//! lcov tracefiles, as written by lcov 1.x\n//! and 2.x.\n//!\n//! todo\n", None),
        ("", Some("does not start")),
        ("\n//! Late, but there.\n", Some("does not start")),
        ("//!\n//! After a gap.\n", Some("does not start")),
        ("// A comment is no doc.\n", Some("does not start")),
        ("/// An outer doc is the next item's.\n", Some("does not start")),
        ("//! placeholder\n", Some("still to be written: placeholder")),
        ("//! Placeholder for the runner.\n", Some("still to be written")),
        ("//! TODO: say what this is.\n", Some("still to be written")),
        ("//! The runner\n", Some("does not start with a sentence: The runner")),
        ("//! Runner.\n", Some("does not start with a sentence")),
    ] {
        let found = finding("src/a.rs", source);
        match wrong {
            None => assert_eq!(found, None, "{source}"),
            Some(wrong) => assert!(found.unwrap().contains(wrong), "{source}"),
        }
    }
}
