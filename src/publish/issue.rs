//! The issue that stands for one stretch of trouble of a schedule: its title, its body, and which issues are ours.
//!
//! Two hidden lines open the body, as they do that of a comment. The first says which schedule it is about; the second
//! holds what the next audit has to know, which is the caller's to choose. Deliberately absent: when it is opened or
//! closed.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::{Key, hash};
use crate::gate::Verdict;
use crate::report::audit as forms;
use crate::retrain::slot::Class;
use crate::retrain::{Audit, Incident};
use crate::sys::{clock, text};

/// Bytes of a body; see [`super::comment::LIMIT`].
pub const LIMIT: usize = 65_536;

/// The label of these issues.
pub const LABEL: (&str, &str, &str) = ("retrain", "d93f0b", "The scheduled retraining does not do what is expected");

/// The schema of the second hidden line.
const SCHEMA: &str = "mgmt.incident/1";

/// What stands around the second hidden line.
const DATA: (&str, &str) = ("<!-- mgmt-action:data:", " -->");

/// Characters of a workflow's name in a title.
const NAME: usize = 100;

/// The hidden line by which an issue is found again.
#[must_use]
pub fn marker(key: &Key) -> String {
    format!("<!-- mgmt-action:retrain:{} -->", key.as_str())
}

/// Whether an issue is ours: written by `own_author`, with the marker as its first line.
#[must_use]
pub fn is_ours(author: &str, body: &str, own_author: &str, marker: &str) -> bool {
    let first = body.trim_start_matches('\u{feff}').lines().next();
    !own_author.is_empty() && author.eq_ignore_ascii_case(own_author) && first.is_some_and(|line| line.trim() == marker)
}

/// The title.
#[must_use]
pub fn title(audit: &Audit) -> String {
    let name = text::shorten(&text::one_line(&audit.workflow), NAME);
    match audit.verdict {
        Verdict::Inconclusive | Verdict::Interrupted => {
            format!("Nobody can say whether the retraining {name} did what is expected")
        }
        Verdict::Fail | Verdict::Pass => format!("The retraining {name} did not do what is expected"),
    }
}

#[derive(Serialize, Deserialize)]
struct Data<T> {
    schema: String,
    /// The hash of what a reader sees, so that an issue that somebody edited is written again.
    text: String,
    state: T,
}

/// The body, at most [`LIMIT`] bytes. `state` is what the next audit has to know.
#[must_use]
pub fn body<T: Serialize>(key: &Key, audit: &Audit, incident: &Incident, state: &T) -> String {
    let head = |text: &str| {
        let data = Data { schema: SCHEMA.to_owned(), text: hash(text), state };
        let data = serde_json::to_string(&data).unwrap_or_default();
        // Both stand only inside of strings; neither may end the hidden line.
        let data = data.replace('>', "\\u003e").replace("--", "-\\u002d");
        format!("{}\n{}{data}{}\n", marker(key), DATA.0, DATA.1)
    };
    let mut text = preface(audit, incident);
    text.push_str(&fitted(audit, LIMIT.saturating_sub(head("").len() + text.len())));
    head(&normalised(&text)) + &text
}

fn preface(audit: &Audit, incident: &Incident) -> String {
    let (id, since) = (&incident.id, clock::minute(incident.opened_at));
    let kept = "`mgmt audit retrain --publish` keeps this issue up to date and closes it when that is over.";
    match (incident.recovered_at, audit.verdict) {
        (Some(over), _) => {
            let over = clock::minute(over);
            format!("**Recovered.** Since {over} the schedule does its work again; `{id}` had begun {since}.\n\n")
        }
        (None, Verdict::Inconclusive | Verdict::Interrupted) => {
            format!("**Nobody can say** whether the schedule does its work; `{id}` has begun {since}. {kept}\n\n")
        }
        (None, Verdict::Fail | Verdict::Pass) => {
            format!("**The schedule does not do its work**; `{id}` has begun {since}. {kept}\n\n")
        }
    }
}

/// The audit as Markdown of at most `budget` bytes: as much of it as fits, at least its first sentence.
#[must_use]
pub fn fitted(audit: &Audit, budget: usize) -> String {
    let text = forms::fitted(audit, budget);
    if text.len() <= budget {
        return text;
    }
    let word = audit.verdict.word();
    format!("## {word}\n\nThere is no room here for this audit; its report has all of it.\n")
}

/// What an issue tells, for the next audit; `None` where it cannot be read. The flag says whether a reader still sees
/// what was written.
#[must_use]
pub fn read<T: DeserializeOwned>(body: &str) -> Option<(T, bool)> {
    let (_, rest) = body.trim_start_matches('\u{feff}').split_once('\n')?;
    let (line, text) = rest.split_once('\n')?;
    let data = line.trim().strip_prefix(DATA.0)?.strip_suffix(DATA.1)?;
    let data: Data<T> = serde_json::from_str(data).ok()?;
    (data.schema == SCHEMA).then(|| (data.state, data.text == hash(&normalised(text))))
}

/// The body without what makes it ours, for an issue that another one goes on for.
#[must_use]
pub fn left(body: &str, next: u64) -> String {
    let text = body.lines().filter(|line| !line.contains("<!-- mgmt-action:")).collect::<Vec<_>>().join("\n");
    // Shorter than what it stands for: the hidden lines are longer than this one.
    format!("Continued in #{next}.\n\n{}", text.trim())
}

fn normalised(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The hash of what an audit tells that is worth telling again: nothing that time alone changes.
#[must_use]
pub fn content(audit: &Audit) -> String {
    let is_told = |slot: &&crate::retrain::Slot| {
        let is_decisive = Some(slot.expected_at) == audit.decided_by;
        is_decisive || matches!(slot.state.class(), Class::Bad | Class::Unknown | Class::Late)
    };
    let slots: Vec<_> = audit.slots.iter().filter(is_told).collect();
    // What is withheld is told, and differs with who asks.
    let remedies = audit.remedies.iter().filter(|one| one.is_tried());
    let remedies: Vec<_> = remedies.map(|one| (one.action, one.slot, one.run_id, one.outcome, &one.detail)).collect();
    let told = json!({
        "verdict": audit.verdict,
        "decided_by": audit.decided_by,
        "problems": audit.problems,
        "champion": audit.champion,
        "schedule": audit.schedule,
        "slots": slots,
        "remedies": remedies,
    });
    hash(&told.to_string())
}

#[cfg(test)]
mod unit_tests {
    use super::*;
    use crate::gate::RuleVerdict;
    use crate::retrain::audit::{Sources, audit};
    use crate::retrain::champion::Comparison;
    use crate::retrain::{Facts, settings};

    /// An audit of which nothing is known.
    fn unknown() -> Audit {
        let node = crate::decode::tree::parse("workflow: train.yml").unwrap().unwrap();
        let settings = settings::decode(&mut crate::decode::Decoder::default(), &node).unwrap();
        let as_of = "2026-06-23T18:00:00Z".parse().unwrap();
        audit(&settings, Facts::unknown(as_of, "o/r"), &Sources::default()).audit
    }

    fn incident() -> Incident {
        Incident::begin("train.yml", "2026-06-23T18:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_body_opens_with_two_hidden_lines_and_gives_back_what_was_put_into_it() {
        let state = json!({ "a": "--> <script>", "b": "x--y" });
        let key = Key::given("train.yml");
        let body = body(&key, &unknown(), &incident(), &state);
        let lines: Vec<_> = body.lines().collect();
        assert_eq!(lines[0], "<!-- mgmt-action:retrain:train.yml -->");
        assert!(lines[1].starts_with("<!-- mgmt-action:data:{\"schema\":\"mgmt.incident/1\""), "{}", lines[1]);
        assert_eq!((lines[1].matches("--").count(), lines[1].matches('>').count()), (2, 1), "{}", lines[1]);
        assert!(lines[2].starts_with("**Nobody can say** whether"), "{}", lines[2]);
        assert_eq!(read(&body), Some((state.clone(), true)));
        assert_eq!(
            read(body.replace('\n', "\r\n").trim_end()),
            Some((state.clone(), true)),
            "line ends are GitHub's own"
        );
        assert_eq!(read(&body.replace("Nobody can say", "All is well")), Some((state, false)));
        for other in ["", "a\nb\nc", &body.replace("incident/1", "incident/2"), &body[100..]] {
            assert_eq!(read::<serde_json::Value>(other), None, "{other}");
        }
        assert!(is_ours("Bot", &body, "bot", &marker(&key)) && !is_ours("mallory", &body, "bot", &marker(&key)));
        assert!(!is_ours("bot", &format!("> {body}"), "bot", &marker(&key)) && !is_ours("", &body, "", &marker(&key)));
        let left = left(&body, 7);
        assert!(left.starts_with("Continued in #7.\n\n**Nobody can say**") && !left.contains("<!--"), "{left}");
    }

    #[test]
    fn a_body_of_any_audit_is_within_the_limit() {
        let mut audit = unknown();
        let one = Comparison {
            metric: "m".repeat(400),
            limit: "min 1".into(),
            value: Some(1.0),
            champion: None,
            champion_run: None,
            verdict: RuleVerdict::Fail,
            message: "é".repeat(400),
        };
        for count in [0, 10, 60, 400] {
            audit.champion = vec![one.clone(); count];
            let body = body(&Key::given("train.yml"), &audit, &incident(), &json!({}));
            assert!(body.len() <= LIMIT, "{count}: {}", body.len());
            assert!(read::<serde_json::Value>(&body).is_some_and(|(_, is_whole)| is_whole));
        }
    }

    #[test]
    fn time_alone_is_nothing_new() {
        let audit = unknown();
        let mut later = audit.clone();
        later.as_of = "2026-06-24T18:00:00Z".parse().unwrap();
        later.next.clear();
        later.notes.push("x".into());
        assert_eq!(content(&audit), content(&later));
        let changes: [fn(&mut Audit); 3] = [
            |audit| audit.verdict = Verdict::Fail,
            |audit| audit.problems[0].message.push('x'),
            |audit| audit.decided_by = Some(audit.as_of),
        ];
        for change in changes {
            let mut other = audit.clone();
            change(&mut other);
            assert_ne!(content(&audit), content(&other));
        }
        assert_ne!(title(&audit), title(&Audit { verdict: Verdict::Fail, ..audit.clone() }));
    }
}
