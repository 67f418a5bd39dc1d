//! The comment on a pull request: its body, whether it is wanted, and which of the comments there is ours.
//!
//! Two hidden lines open the body. The first says whose it is; the second says what the comment tells, for the next
//! run to compare. Times, earlier runs, printed output and links are kept out of that: a comment that only differs in
//! them is not written again.

use serde::{Deserialize, Serialize};

use super::context::{Context, Key, hash};
use crate::evidence::metric::{self, Unit};
use crate::gate::Verdict;
use crate::record::Record;
use crate::report::{self, compare};

/// Bytes of a body.
///
/// GitHub refuses a longer one with 422, `Body is too long (maximum is 65536 characters)`. What it counts differs from
/// place to place: for comments 262,144 bytes of UTF-8 have been seen to pass, for bodies of pull requests 65,536
/// code points. Bytes are the strictest reading of that number, so they are what is counted here: a text has never
/// fewer of them than of UTF-16 units or code points.
pub const LIMIT: usize = 65_536;

/// The schema of the second hidden line.
const SCHEMA: &str = "mgmt.comment/1";

/// The hidden line by which a comment is found again.
#[must_use]
pub fn marker(key: &Key) -> String {
    format!("<!-- mgmt-action:report:{} -->", key.as_str())
}

/// What a comment tells, for the next run.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Data {
    schema: String,
    verdict: Verdict,
    /// The hash of what it tells, without what differs each time.
    content: String,
    /// The hash of what a reader sees, so that a comment that somebody edited is written again.
    text: String,
}

const DATA: (&str, &str) = ("<!-- mgmt-action:data:", " -->");

/// The body, at most [`LIMIT`] bytes.
#[must_use]
pub fn body(record: &Record, context: &Context) -> String {
    let around = context.around(record);
    let marker = marker(&context.key);
    let mut data = Data {
        schema: SCHEMA.to_owned(),
        verdict: record.verdict,
        content: hash(&report::steady(record, &around)),
        text: hash(""),
    };
    let head = |data: &Data| format!("{marker}\n{}{}{}\n", DATA.0, line(data), DATA.1);
    let text = report::fitted(record, &around, LIMIT - head(&data).len());
    data.text = hash(&normalised(&text));
    head(&data) + &text
}

fn line(data: &Data) -> String {
    serde_json::to_string(data).unwrap_or_default()
}

/// What a comment tells, and what a reader sees of it. GitHub and its editor change line ends and the last ones.
fn parts(body: &str) -> Option<(Data, String)> {
    let (_, rest) = body.trim_start().split_once('\n')?;
    let (line, text) = rest.split_once('\n')?;
    let data = line.trim().strip_prefix(DATA.0)?.strip_suffix(DATA.1)?;
    let data: Data = serde_json::from_str(data).ok()?;
    (data.schema == SCHEMA).then(|| (data, normalised(text)))
}

fn normalised(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The verdict that a comment shows; `None` where it cannot be read.
#[must_use]
pub fn shown_verdict(body: &str) -> Option<Verdict> {
    parts(body).map(|(data, _)| data.verdict)
}

/// Whether a comment already says what another body would: it need not be written again.
#[must_use]
pub fn is_same(old: &str, new: &str) -> bool {
    let (Some((old, seen)), Some((new, _))) = (parts(old), parts(new)) else { return false };
    old.verdict == new.verdict && old.content == new.content && old.text == hash(&seen)
}

/// When a comment is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Each time.
    #[default]
    Always,
    /// If something differs: the verdict from the one that the comment shows, or anything from the baseline.
    Changes,
    /// If the verdict is not a pass, and once more when it has become one.
    Failure,
}

/// Every row of [`When`]: the word for it, and what it means.
pub const WHEN: &[(&str, When, &str)] = &[
    ("always", When::Always, "Each time."),
    ("changes", When::Changes, "If the verdict differs from the one shown, or anything from the baseline."),
    ("failure", When::Failure, "If the verdict is not a pass, and once more when it has become one."),
];

/// Whether a comment is wanted, given the body of the one that is there, if one is.
#[must_use]
pub fn is_wanted(when: When, record: &Record, old: Option<&str>) -> bool {
    // A comment of which nobody can say what it shows may show anything.
    let is_stale = old.is_some_and(|old| shown_verdict(old) != Some(record.verdict));
    match when {
        When::Always => true,
        When::Changes => is_stale || record.verdict != Verdict::Pass || differs(record),
        When::Failure => is_stale || record.verdict != Verdict::Pass,
    }
}

/// Whether anything differs from the baseline. Without one, everything does.
fn differs(record: &Record) -> bool {
    let Some(baseline) = &record.baseline else { return true };
    let mut files = record.patch.iter().flat_map(|patch| &patch.files);
    // How long something took always differs.
    let mut rules = record.rules.iter().filter(|rule| metric::unit(&rule.metric) != Unit::Seconds);
    baseline.verdict != record.verdict
        || record.counts().warnings > 0
        || record.policy.changed
        || rules.any(|rule| compare::difference(rule).is_some_and(|by| by != compare::NO_CHANGE))
        || record.test_changes.base.as_ref().is_some_and(|base| {
            let lists = [&base.newly_failing, &base.newly_skipped, &base.fixed, &base.appeared];
            !base.disappeared.is_empty() || lists.iter().any(|list| !list.is_empty())
        })
        || files.any(|file| !file.uncovered.is_empty() || !file.lost.is_empty() || file.vanished > 0)
}

/// A comment as GitHub lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comment {
    /// Its number; a later comment has a greater one.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// Its text.
    pub body: String,
}

/// What to do about the comments that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The one to keep up to date; if there is none, one is to be created.
    pub update: Option<&'a Comment>,
    /// Others of ours, to be removed.
    pub delete: Vec<&'a Comment>,
}

impl Choice<'_> {
    /// Whether a comment is to be created.
    #[must_use]
    pub fn creates(&self) -> bool {
        self.update.is_none()
    }
}

/// Finds ours: written by `own_author`, with the marker as its first line. A comment in which it stands anywhere else,
/// or that somebody else wrote, is never touched. The oldest is kept.
#[must_use]
pub fn choose<'a>(comments: &'a [Comment], own_author: &str, marker: &str) -> Choice<'a> {
    let is_ours = |comment: &&Comment| {
        !own_author.is_empty()
            && comment.author.eq_ignore_ascii_case(own_author)
            && comment.body.trim_start_matches('\u{feff}').lines().next().is_some_and(|line| line.trim() == marker)
    };
    let mut ours: Vec<_> = comments.iter().filter(is_ours).collect();
    ours.sort_by_key(|comment| comment.id);
    // Pages that shift while they are read name a comment twice.
    ours.dedup_by_key(|comment| comment.id);
    let mut ours = ours.into_iter();
    Choice { update: ours.next(), delete: ours.collect() }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn small() -> Record {
        serde_json::from_str(include_str!("../../tests/fixtures/records/small.json")).unwrap()
    }

    fn context() -> Context {
        let mut context = Context::new(Key::of_job("ci", "gate"));
        context.run = Some("https://github.com/o/r/actions/runs/7".into());
        context
    }

    #[test]
    fn the_body_opens_with_two_hidden_lines() {
        let body = body(&small(), &context());
        let mut lines = body.lines();
        assert_eq!(lines.next(), Some("<!-- mgmt-action:report:ci/gate -->"));
        assert!(
            lines
                .next()
                .unwrap()
                .starts_with("<!-- mgmt-action:data:{\"schema\":\"mgmt.comment/1\",\"verdict\":\"fail\"")
        );
        assert_eq!(lines.next(), Some("## ❌ fail: wallet &lt;service&gt; `full-check`"));
        assert!(body.ends_with(" [Workflow run](https://github.com/o/r/actions/runs/7).\n"), "{body}");
        assert_eq!(shown_verdict(&body), Some(Verdict::Fail));
        assert_eq!(shown_verdict("<!-- mgmt-action:report:x -->\nhello\n"), None);
    }

    #[test]
    fn what_changes_each_time_is_no_change() {
        let old = body(&small(), &context());
        let mut later = small();
        later.id = "20260312T101530250Z-full-check-fail".into();
        later.started_at = "2026-03-12T10:15:30.25Z".parse().unwrap();
        later.duration_ms += 10;
        later.checks.iter_mut().for_each(|check| check.duration_ms += 7);
        later.checks[1].output.text.push_str("finished in 0.31s\n");
        later.tests.iter_mut().for_each(|test| test.test.seconds += 0.5);
        later.baseline.as_mut().unwrap().age_ms += 1_000_000;
        later.trends.clear();
        later.test_changes.flaky[0].runs += 1;
        let mut again = context();
        again.run = Some("https://github.com/o/r/actions/runs/8".into());
        again.attempt = 2;
        let new = body(&later, &again);
        assert_ne!(old, new);
        assert!(is_same(&old, &new));
        let crlf = old.replace('\n', "\r\n");
        assert!(is_same(crlf.trim_end(), &new), "line ends are GitHub's own");
    }

    #[test]
    fn what_somebody_would_want_to_know_is_a_change() {
        let old = body(&small(), &context());
        let changes: [fn(&mut Record, &mut Context); 9] = [
            |record, _| record.verdict = Verdict::Pass,
            |record, _| record.project.commit = Some("0".repeat(40)),
            |record, _| record.rules[0].value = Some(2.0),
            |record, _| record.checks[0].status = crate::check::outcome::Status::Failed,
            |record, _| record.tests[0].identity.name = "other".into(),
            |record, _| record.problems[0].message.push('x'),
            |record, _| record.baseline = None,
            |_, context| context.fork = Some("mallory/wallet".into()),
            |_, context| context.policy_changes.push("a rule less".into()),
        ];
        for (at, change) in changes.iter().enumerate() {
            let (mut record, mut context) = (small(), context());
            change(&mut record, &mut context);
            assert!(!is_same(&old, &body(&record, &context)), "{at}");
        }
        let new = body(&small(), &context());
        assert!(is_same(&old, &new));
        for edited in [old.replace("## ❌ fail", "## ✅ pass"), "hello".into(), String::new(), old.replace("/1", "/2")]
        {
            assert!(!is_same(&edited, &new), "{edited}");
        }
    }

    #[test]
    fn only_our_own_comments_are_touched_and_the_oldest_stays() {
        let marker = marker(&Key::given("k"));
        let comment = |id, author: &str, body: String| Comment { id, author: author.into(), body };
        let comments = [
            comment(9, "github-actions[bot]", format!("{marker}\nnew")),
            comment(1, "mallory", format!("{marker}\nmine")),
            comment(2, "github-actions[bot]", format!("Another tool quotes `{marker}`")),
            comment(3, "github-actions[bot]", format!("> {marker}")),
            comment(4, "GitHub-Actions[bot]", format!("\u{feff}{marker}\r\nold")),
            comment(5, "github-actions[bot]", marker.replace(":k ", ":k2 ")),
            comment(4, "github-actions[bot]", format!("{marker}\nseen twice")),
        ];
        let choice = choose(&comments, "github-actions[bot]", &marker);
        assert_eq!(choice.update.map(|comment| comment.id), Some(4));
        assert_eq!(choice.delete.iter().map(|comment| comment.id).collect::<Vec<_>>(), [9]);
        assert!(choose(&comments, "someone-else", &marker).creates() && choose(&comments, "", &marker).creates());
        assert!(choose(&[], "github-actions[bot]", &marker).creates());
    }

    #[test]
    fn a_comment_is_written_when_it_is_wanted() {
        let mut clean = small();
        clean.verdict = Verdict::Pass;
        clean.rules.clear();
        clean.checks.retain(|check| check.status == crate::check::outcome::Status::Passed);
        clean.problems.clear();
        clean.test_changes = crate::gate::TestChanges::default();
        clean.patch = None;
        clean.baseline.as_mut().unwrap().verdict = Verdict::Pass;
        let (green, red) = (body(&clean, &context()), body(&small(), &context()));
        for (when, first, after_green, after_red, broken) in [
            (When::Always, true, true, true, true),
            (When::Changes, false, false, true, true),
            (When::Failure, false, false, true, true),
        ] {
            assert_eq!(is_wanted(when, &clean, None), first, "{when:?}");
            assert_eq!(is_wanted(when, &clean, Some(&green)), after_green, "{when:?}");
            assert_eq!(is_wanted(when, &clean, Some(&red)), after_red, "{when:?}");
            assert_eq!(is_wanted(when, &clean, Some("edited")), broken, "{when:?}");
            assert!(is_wanted(when, &small(), Some(&red)) && is_wanted(when, &small(), None), "{when:?}");
        }
        let base = clean.baseline.take();
        assert!(is_wanted(When::Changes, &clean, None), "nothing to compare with is no sameness");
        clean.baseline = base;
        clean.baseline.as_mut().unwrap().verdict = Verdict::Fail;
        assert!(is_wanted(When::Changes, &clean, Some(&green)), "the baseline was red");
    }
}
