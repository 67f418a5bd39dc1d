//! The words of JUnit XML: what its dialects call outcomes, texts and times.

use super::super::sink::Outcome;

/// What becomes of the text inside an element.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Message,
    Nothing,
}

/// Elements that hold text, which may be very long.
pub(super) const TEXT_ELEMENTS: &[(&str, Use)] = &[
    ("failure", Use::Message),
    ("error", Use::Message),
    ("skipped", Use::Nothing),
    ("flakyFailure", Use::Nothing),
    ("flakyError", Use::Nothing),
    ("rerunFailure", Use::Nothing),
    ("rerunError", Use::Nothing),
    ("system-out", Use::Nothing),
    ("system-err", Use::Nothing),
    ("properties", Use::Nothing),
];

/// What ctest says of a test that it counts as failed because it could not be started, yet writes as skipped.
pub(super) fn is_failed_to_start(message: &str) -> bool {
    let causes = [
        "Unable to find executable",
        "Unable to find required file",
        "Failed test dependencies",
        "Fixture dependency failed",
        "Insufficient resources",
        "Invalid resource spec",
    ];
    causes.iter().any(|cause| message.starts_with(cause))
}

/// Outcomes as attribute words: ctest's `status`, gtest's `result`. Unknown words say nothing.
pub(super) fn outcome_of_word(word: &str) -> Option<Outcome> {
    match word.trim().to_ascii_lowercase().as_str() {
        "disabled" | "notrun" | "ignored" | "skipped" | "suppressed" => Some(Outcome::Skipped),
        "fail" | "failed" | "failure" => Some(Outcome::Failed),
        "error" => Some(Outcome::Errored),
        _ => None,
    }
}

/// Seconds with an optional thousands comma; anything else is not a duration.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let value = if text.contains(',') { text.replace(',', "").parse() } else { text.parse() };
    value.ok().filter(|value: &f64| value.is_finite() && *value >= 0.0)
}
