//! What a target shows that is not in the record: whose run it was, where it is, and by whose rules it was judged.

use sha2::{Digest as _, Sha256};

use crate::record::Record;
use crate::report::{Around, Link, Note};
use crate::sys::text;

/// Characters of a key.
const LONGEST: usize = 100;

/// What tells the comments and check runs of one place in a workflow from those of another. It only has letters,
/// digits, `.`, `_`, `/` and single hyphens, so that it can stand in an HTML comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    text: String,
    is_given: bool,
}

impl Key {
    /// A key that somebody chose: the check run's name carries it.
    #[must_use]
    pub fn given(raw: &str) -> Self {
        Self { text: sanitized(raw), is_given: true }
    }

    /// The key of a job: the stem of its workflow's file and its name there.
    #[must_use]
    pub fn of_job(workflow: &str, job: &str) -> Self {
        Self { text: sanitized(&format!("{workflow}/{job}")), is_given: false }
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether somebody chose it.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.is_given
    }
}

/// The same text, or one that is only like it, with a part of its hash, so that two keys never become one.
fn sanitized(raw: &str) -> String {
    let mut plain = String::new();
    for ch in raw.chars().take(LONGEST) {
        let ch = if ch.is_ascii_alphanumeric() || "._/".contains(ch) { ch } else { '-' };
        if ch != '-' || !plain.ends_with('-') {
            plain.push(ch);
        }
    }
    let plain = plain.trim_matches('-');
    match plain == raw && !raw.is_empty() {
        true => raw.to_owned(),
        false => format!("{plain}-{}", short_hash(raw)).trim_start_matches('-').to_owned(),
    }
}

fn short_hash(text: &str) -> String {
    hash(text)[..8].to_owned()
}

/// SHA-256 as hexadecimal digits.
pub(super) fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a target shows that is not in the record.
#[derive(Clone, Debug)]
pub struct Context {
    /// Which place in a workflow this is.
    pub key: Key,
    /// The address of the workflow run.
    pub run: Option<String>,
    /// How often the run was started; 1 the first time.
    pub attempt: u64,
    /// The address of the files that the run left: reports and evidence.
    pub artifacts: Option<String>,
    /// The pull request.
    pub pull_request: Option<u64>,
    /// The commit that comments and checks are about; for a pull request its head, not the tested merge.
    pub head_sha: Option<String>,
    /// The fork whose run made the evidence, as `owner/name`; `None` if it was a run of the repository itself.
    pub fork: Option<String>,
    /// What the change alters in the policy; text from outside.
    pub policy_changes: Vec<String>,
}

impl Context {
    /// The context of a key, and nothing else known.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self {
            key,
            run: None,
            attempt: 1,
            artifacts: None,
            pull_request: None,
            head_sha: None,
            fork: None,
            policy_changes: Vec::new(),
        }
    }

    /// What stands around the report.
    #[must_use]
    pub fn around(&self, record: &Record) -> Around {
        let mut notes = Vec::new();
        if let Some(fork) = &self.fork {
            notes.push(Note {
                title: "Reported by the fork.".to_owned(),
                text: format!(
                    "The evidence was made by a run of `{}`, whose code and workflows are not under this repository's \
                     control. The verdict was computed from it here.",
                    name(fork)
                ),
                items: Vec::new(),
            });
        }
        if record.policy.changed || !self.policy_changes.is_empty() {
            let commit = record.policy.commit.as_deref().map(|commit| format!(" of `{}`", name(commit)));
            notes.push(Note {
                title: "The policy was changed.".to_owned(),
                text: format!(
                    "This run was judged by the policy{}, not by the one that the change brings{}",
                    commit.unwrap_or_else(|| " as it was before".to_owned()),
                    if self.policy_changes.is_empty() { "." } else { ":" }
                ),
                items: self.policy_changes.clone(),
            });
        }
        let run = match self.attempt {
            0 | 1 => "Workflow run".to_owned(),
            attempt => format!("Workflow run, attempt {attempt}"),
        };
        let link = |label: &str, address: &Option<String>| address.as_deref().and_then(|it| Link::new(label, it));
        let links = [link("Reports and evidence", &self.artifacts), link(&run, &self.run)];
        Around { notes, links: links.into_iter().flatten().collect() }
    }
}

/// A name from outside between backticks of ours: it has none of its own.
fn name(raw: &str) -> String {
    text::shorten(raw, 200).replace('`', "'")
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn keys_stay_in_their_comment_and_apart() {
        assert_eq!(Key::of_job("ci", "test").as_str(), "ci/test");
        assert_eq!(Key::given("nightly-2.x").as_str(), "nightly-2.x");
        let hostile =
            ["", "-", "a b", "a-b ", "--> <script>", "a--b", "a\u{202e}b", "ключ", &"x".repeat(5_000), "a\nb"];
        let keys: Vec<_> = hostile.iter().map(|raw| Key::given(raw).as_str().to_owned()).collect();
        for key in &keys {
            assert!(!key.contains("--") && !key.starts_with('-') && !key.ends_with('-') && !key.is_empty(), "{key}");
            assert!(key.len() <= LONGEST + 9 && key.chars().all(|ch| ch.is_ascii_graphic()), "{key}");
        }
        let mut apart = keys.clone();
        apart.sort();
        apart.dedup();
        assert_eq!(apart.len(), keys.len(), "{keys:?}");
    }

    #[test]
    fn what_a_reader_must_know_is_told() {
        let mut record: Record = serde_json::from_str(include_str!("../../tests/fixtures/records/small.json")).unwrap();
        let mut context = Context::new(Key::given("k"));
        assert_eq!(context.around(&record), Around::default());
        context.fork = Some("mallory/wallet`".into());
        context.policy_changes = vec!["gate.default: 1 rule less".into()];
        context.run = Some("https://github.com/o/r/actions/runs/7".into());
        context.artifacts = Some("javascript:alert(1)".into());
        context.attempt = 2;
        record.policy.commit = Some("abc".into());
        let around = context.around(&record);
        assert_eq!(around.notes.len(), 2);
        assert!(around.notes[0].text.contains("`mallory/wallet'`"));
        assert_eq!(
            around.notes[1].text,
            "This run was judged by the policy of `abc`, not by the one that the change brings:"
        );
        assert_eq!(
            around.links,
            [Link::new("Workflow run, attempt 2", "https://github.com/o/r/actions/runs/7").unwrap()]
        );
    }
}
