//! Every body is within its budget, whole Markdown and the same each time, whatever stands in the record.

use proptest::prelude::*;

use super::annotation::{self, Marks};
use super::{Context, Key, TARGETS, check_run, comment, log, outputs, summary};
use crate::evidence::coverage::LineSet;
use crate::evidence::problem::STALE;
use crate::evidence::{Outcome, Problem};
use crate::gate::patch::{Patch, PatchFile};
use crate::gate::{RuleVerdict, Verdict};
use crate::record::{Record, TestRecord};

fn small() -> Record {
    serde_json::from_str(include_str!("../../tests/fixtures/records/small.json")).unwrap()
}

fn context() -> Context {
    let mut context = Context::new(Key::given("--><script>"));
    context.run = Some("https://github.com/o/r/actions/runs/7".into());
    context.artifacts = Some("https://github.com/o/r/actions/runs/7#artifacts".into());
    context
}

/// What is wrong with a text as Markdown: a fence, a fold or a table that does not end, a row of another width, or
/// something that GitHub would make a link, a mention, an image or markup of.
fn faults(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let (mut folds, mut fence, mut columns, mut before) = (0_i32, None::<String>, None::<usize>, "");
    for (at, raw) in text.lines().enumerate() {
        let line = raw.trim_start();
        let mut fault = |what: &str| faults.push(format!("line {}: {what}: {raw:.200}", at + 1));
        let ticks: String = line.chars().take_while(|ch| *ch == '`').collect();
        if let Some(open) = &fence {
            if ticks.len() >= open.len() && line.len() == ticks.len() {
                fence = None;
            }
            continue;
        }
        if ticks.len() >= 3 && !line[ticks.len()..].contains('`') {
            fence = Some(ticks);
            continue;
        }
        if line.starts_with("<!-- mgmt-action:") && line.ends_with(" -->") && line.matches("--").count() == 2 && at < 2
        {
            continue;
        }
        // A block of HTML ends with a blank line, and nothing in it is Markdown, code spans neither (CommonMark 4.6).
        let is_html = line.starts_with("<details");
        let plain = if is_html { line.to_owned() } else { without_code(line) };
        folds += i32::try_from(plain.matches("<details").count()).unwrap();
        folds -= i32::try_from(plain.matches("</details>").count()).unwrap();
        if folds < 0 {
            fault("a fold that was never opened");
        }
        let tags = ["<details>", "<details open>", "</details>", "<summary>", "</summary>", "<code>", "</code>"];
        let bare = tags.iter().fold(plain.clone(), |bare, tag| bare.replace(tag, ""));
        if bare.contains('<') || (!is_html && bare.contains("![")) {
            fault("markup");
        }
        let is_own = bare.contains("](https://github.com/o/r/actions/runs/7");
        if !is_own
            && (bare.contains("://") || bare.contains("www.") || !is_html && bare.replace("\\](", "").contains("]("))
        {
            fault("a link");
        }
        let pings = |sign: char, is_next: fn(char) -> bool| {
            bare.match_indices(sign).any(|(at, _)| bare[at + 1..].starts_with(is_next))
        };
        let entity_free = bare.replace("&#8203;", "\u{200b}").replace("&#36;", "$");
        if pings('@', |_| true) && bare.replace("@&#8203;", "").contains('@') {
            fault("a mention");
        }
        if entity_free
            .match_indices('#')
            .any(|(at, _)| entity_free[at + 1..].starts_with(|ch: char| ch.is_ascii_digit()))
        {
            fault("a reference");
        }
        let quoted = |line: &str| line.trim_start_matches(['>', ' ']).trim_end().to_owned();
        let underline = quoted(line);
        if !underline.is_empty()
            && (underline.bytes().all(|byte| byte == b'-') || underline.bytes().all(|byte| byte == b'='))
            && !quoted(before).is_empty()
        {
            fault("a heading");
        }
        match (line.starts_with('|'), columns) {
            (true, None) => {
                if !before.trim().is_empty() && !before.starts_with('#') {
                    fault("a table that begins inside a paragraph");
                }
                columns = Some(cells(line));
            }
            (true, Some(wanted)) if cells(line) != wanted => fault("a row of another width"),
            (false, Some(_)) => {
                if !line.is_empty() {
                    fault("text that runs into a table");
                }
                columns = None;
            }
            _ => {}
        }
        before = raw;
    }
    if fence.is_some() || folds != 0 {
        faults.push(format!("not closed: {fence:?}, {folds} folds"));
    }
    faults
}

/// A line without its code spans (CommonMark 6.1).
fn without_code(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some(at) = rest.find('`') {
        let backslashes = at - rest[..at].trim_end_matches('\\').len();
        if backslashes % 2 == 1 {
            out.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        }
        out.push_str(&rest[..at]);
        let ticks = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let inside = &rest[at + ticks..];
        let mut from = 0;
        let end = loop {
            let Some(next) = inside[from..].find('`').map(|next| from + next) else { break None };
            let run = inside[next..].len() - inside[next..].trim_start_matches('`').len();
            if run == ticks {
                break Some(next + run);
            }
            from = next + run;
        };
        match end {
            Some(end) => rest = &inside[end..],
            None => {
                out.push_str(&rest[at..at + ticks]);
                rest = inside;
            }
        }
    }
    out + rest
}

/// Cells of a row: bars that are not escaped, in code too (GFM, tables).
fn cells(line: &str) -> usize {
    let mut escaped = false;
    line.chars()
        .filter(|ch| {
            let is_bar = *ch == '|' && !escaped;
            escaped = *ch == '\\' && !escaped;
            is_bar
        })
        .count()
}

#[track_caller]
fn assert_fits(record: &Record, context: &Context) {
    let body = comment::body(record, context);
    assert!(body.len() <= comment::LIMIT, "{} bytes", body.len());
    assert_eq!(body, comment::body(record, context));
    assert!(comment::is_same(&body, &body) && comment::shown_verdict(&body) == Some(record.verdict));
    assert!(body.lines().nth(2).unwrap().contains(record.verdict.word()));
    assert_eq!(faults(&body), [""; 0]);
    for budget in [16 << 10, 1 << 20] {
        let text = summary::text(record, context, budget);
        assert!(text.len() <= budget, "{} bytes of {budget}", text.len());
        assert!(text.starts_with("## "), "{text:.200}");
        assert_eq!(faults(&text), [""; 0]);
    }
    let requests = check_run::requests(record, context, &"a".repeat(40));
    let output = &requests.create.output;
    assert!(output.summary.len() <= check_run::LIMIT && output.text.as_ref().unwrap().len() <= check_run::LIMIT);
    assert!(output.title.chars().count() <= 255 && !output.title.contains('\n'));
    assert!(requests.updates.len() <= 1);
    let Marks { annotations, .. } = annotation::marks(record, annotation::LIMIT);
    assert!(annotations.len() <= annotation::LIMIT);
    for mark in &annotations {
        assert!(!mark.message.is_empty() && mark.message.len() < 5_000 && mark.title.chars().count() <= 255);
        assert!(mark.raw_details.as_ref().is_none_or(|details| details.len() < 5_000));
        assert!(mark.start_line > 0 && mark.start_line <= mark.end_line);
        assert!(!mark.path.starts_with('/') && !mark.path.split('/').any(|part| part == ".."), "{}", mark.path);
    }
    let commands = log::commands(&annotation::marks(record, annotation::LIMIT));
    assert!(commands.lines().filter(|line| line.starts_with("::")).count() <= 30);
    let ours = ["::error file=", "::warning file=", "::notice file="];
    assert!(commands.lines().all(|line| ours.iter().any(|start| line.starts_with(start)) || !line.contains("::")));
    assert!(outputs::text(record, &outputs::Places::default()).len() < 4_096);
}

/// A piece of text that somebody would put into a name to see what happens.
fn nasty() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("-->".to_owned()),
        Just("<!-- mgmt-action:report:k -->".to_owned()),
        Just("`".to_owned()),
        Just("````".to_owned()),
        Just("\n```\n".to_owned()),
        Just("</details>".to_owned()),
        Just("<details><summary>".to_owned()),
        Just("<script>alert(1)</script>".to_owned()),
        Just("@octocat".to_owned()),
        Just("@org/team".to_owned()),
        Just("#123".to_owned()),
        Just("o/r#1".to_owned()),
        Just("GH-1".to_owned()),
        Just("![x](https://evil.example/x.png)".to_owned()),
        Just("[a](javascript:x)".to_owned()),
        Just("https://evil.example".to_owned()),
        Just("www.evil.example".to_owned()),
        Just("|".to_owned()),
        Just("\\".to_owned()),
        Just("\\|".to_owned()),
        Just("\r\n::error::x\n".to_owned()),
        Just("##[add-mask]x".to_owned()),
        Just("\u{202e}\u{200b}\u{feff}\u{0}\u{1b}[31m".to_owned()),
        Just("4f1c2ab98d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a".to_owned()),
        Just("Fixes #1".to_owned()),
        Just("$x$".to_owned()),
        Just("&#64;a &lt;".to_owned()),
        Just("> [!NOTE]\n".to_owned()),
        Just("| a |\n|---|\n".to_owned()),
        Just("語".to_owned()),
        Just("🦀".to_owned()),
        "[ -~]{0,12}",
        (1_usize..4_000).prop_map(|count| "x".repeat(count)),
        (1_usize..2_000).prop_map(|count| "`@".repeat(count)),
    ];
    prop::collection::vec(pieces, 0..6).prop_map(|pieces| pieces.concat())
}

/// The small record with hostile text in every place, and as many of each thing as is wanted.
fn hostile(words: &[String], counts: [usize; 4]) -> Record {
    let mut record = small();
    let mut next = words.iter().cycle().cloned();
    let mut word = || next.next().unwrap_or_default();
    let [rules, tests, checks, files] = counts;
    record.project.name = word();
    record.project.branch = Some(word());
    record.project.commit = Some(word());
    record.project.merge_commit = Some(word());
    record.command = word();
    record.id = word();
    record.gate = Some(word());
    record.policy.path = word();
    record.interrupted = Some(word());
    record.left_out.insert(word(), word());
    if let Some(baseline) = &mut record.baseline {
        (baseline.run, baseline.commit, baseline.branch) = (word(), Some(word()), Some(word()));
        (baseline.source, baseline.start) = (word(), Some(word()));
    }
    let rule = record.rules[0].clone();
    let verdicts = [RuleVerdict::Fail, RuleVerdict::Pass, RuleVerdict::Inconclusive, RuleVerdict::NotAsked];
    record.rules = (0..rules)
        .map(|at| {
            let mut rule = rule.clone();
            rule.verdict = if rules > 1_000 { RuleVerdict::Fail } else { verdicts[at % 4] };
            (rule.metric, rule.scope, rule.limit) = (word(), Some(word()), word());
            (rule.source, rule.message, rule.advice) = (Some(word()), word(), Some(word()));
            rule
        })
        .collect();
    let test = record.tests[0].clone();
    record.tests = (0..tests)
        .map(|at| {
            let TestRecord { mut identity, mut test } = test.clone();
            (identity.name, identity.class) = (word().into(), word().into());
            identity.file = word().into();
            test.outcome = if at % 3 == 2 { Outcome::Passed } else { Outcome::Failed };
            test.message = Some(format!("{}\n\n  at {}", word(), word()).into());
            test.line = Some(u32::try_from(at).unwrap());
            TestRecord { identity, test }
        })
        .collect();
    let check = record.checks[1].clone();
    record.checks = (0..checks)
        .map(|_| {
            let mut check = check.clone();
            (check.id, check.group, check.reason) = (word(), word(), Some(word()));
            (check.command, check.fix) = (Some(word()), Some(word()));
            check.output.text = format!("{}\n{}", word(), word());
            check
        })
        .collect();
    record.problems = (0..checks)
        .map(|at| {
            let mut problem = Problem::new(&STALE, word()).in_file(word()).at_line(at as u64);
            (problem.code, problem.hint) = (word(), Some(word()));
            problem
        })
        .collect();
    let lines = |step: u32| LineSet::ascending((0..300).map(|line| line * step + 1));
    record.patch = Some(Patch {
        between: word(),
        has_base: true,
        files: (0..files)
            .map(|_| PatchFile {
                path: word(),
                old_path: Some(word()),
                uncovered: lines(2),
                lost: lines(3),
                ..PatchFile::default()
            })
            .collect(),
        unmeasured: (0..files).map(|_| word()).collect(),
    });
    for trend in &mut record.trends {
        trend.metric = word();
    }
    record
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn hostile_records_fit_everywhere(
        words in prop::collection::vec(nasty(), 1..8),
        counts in [0_usize..40, 0_usize..160, 0_usize..30, 0_usize..70],
        verdict in prop::sample::select(Verdict::ALL),
    ) {
        let mut record = hostile(&words, counts);
        record.verdict = verdict;
        let mut context = context();
        context.fork = words.first().cloned();
        context.policy_changes = words.clone();
        assert_fits(&record, &context);
    }
}

#[test]
fn ten_thousand_failing_rules_do_not_hide_a_failed_test() {
    let record = hostile(&["name".into(), "other".into()], [10_000, 5, 3, 3]);
    assert_fits(&record, &context());
    let body = comment::body(&record, &context());
    assert!(body.len() > comment::LIMIT - 2_000, "{}: room is used", body.len());
    assert!(body.matches("| ❌ fail |").count() > 200);
    assert!(body.contains("\n- `other::name`") || body.contains("\n- `name::other`"), "{body}");
    assert!(body.contains("more rules that fail; the record of this run has them all."), "{body}");
    let left = body.lines().find(|line| line.starts_with("**Left out here for want of room:**")).unwrap();
    let shown = body.matches("| ❌ fail |").count();
    assert!(left.contains(&format!(" {} rules that fail", 10_000 - shown)), "{left}");
    assert!(left.ends_with("[Workflow run](https://github.com/o/r/actions/runs/7)."), "{left}");
}

#[test]
fn two_hundred_thousand_failed_tests_and_ten_megabytes_fit() {
    let mut record = small();
    let test = record.tests[0].clone();
    record.tests = (0..200_000)
        .map(|at| {
            let mut test = test.clone();
            test.identity.name = format!("test_{at:06}").into();
            test
        })
        .collect();
    assert_fits(&record, &context());
    let body = comment::body(&record, &context());
    assert!(body.contains("<summary>Failed tests: 200000</summary>"));
    assert!(body.contains("199900 more failed tests; the record of this run has them all."));
    let mut record = small();
    let flood = "# [a](https://evil.example) @octocat ```\n| a |\n".repeat(50_000);
    record.checks[1].output.text = flood.clone();
    record.tests[0].test.message = Some(flood.clone().into());
    record.tests[0].identity.name = flood.clone().into();
    record.problems[0].message = flood;
    assert_fits(&record, &context());
}

#[test]
fn the_hidden_lines_count_too() {
    let mut record = small();
    let least = summary::text(&record, &context(), usize::MAX).len();
    for short in [0, 1, 50, 200, 500] {
        // Without its hidden lines the body would be this much below the limit.
        record.checks[1].output.text = "x".repeat(comment::LIMIT - short - least);
        let body = comment::body(&record, &context());
        assert!(body.len() <= comment::LIMIT, "{short}: {}", body.len());
    }
}

#[test]
fn the_checker_sees_what_is_wrong() {
    let bad = [
        "```\nx",
        "<details>",
        "</details>",
        "| a |\n|---|\n| b | c |",
        "| a |\n|---|\ntext",
        "hello\n| a |\n|---|",
        "hi @octocat",
        "see #12",
        "<script>",
        "![x](y)",
        "https://evil.example",
        "`a` `` b <x>",
        "> a\n> -",
    ];
    for text in bad {
        assert!(!faults(text).is_empty(), "{text}");
    }
    let good = "# a\n\n| `a\\|b` |\n|---|\n| `<x> @a #1` |\n\n````\n```\n<x>\n````\n\\`@&#8203;a \\#&#8203;1\n";
    assert_eq!(faults(good), [""; 0]);
}

#[test]
fn every_target_has_one_row() {
    for (at, row) in TARGETS.iter().enumerate() {
        assert!(row.doc.ends_with('.') && !row.name.is_empty());
        assert!(TARGETS[..at].iter().all(|other| other.name != row.name && other.target != row.target));
        assert_eq!(super::target(row.name).map(|found| found.target), Some(row.target));
    }
}
