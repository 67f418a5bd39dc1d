//! The report as Markdown: the verdict and what to do on top, everything else folded.
//!
//! Text from outside never becomes markup: it goes through [`text`], [`code`] or [`fence`], each of which escapes
//! for its own place. Deliberately absent: limits of one receiver, such as the length of a comment.

mod escape;
mod patch;
mod rules;
mod tests;

use std::fmt::Write as _;

pub(super) use self::escape::{cell_code, prose};

use self::escape::{code, fence, html, text};
use super::sparkline::sparkline;
use super::{advice, compare, score};
use crate::check::outcome::{CheckOutcome, Status};
use crate::check::score::Health;
use crate::evidence::metric;
use crate::gate::Verdict;
use crate::record::Record;
use crate::sys::{clock, text as words};

/// Lines of output shown of a check that did not pass.
const TAIL_LINES: usize = 80;
/// Marks of a trend.
const TREND: usize = 30;

/// Renders a record.
pub(super) fn render(record: &Record) -> String {
    let mut out = String::new();
    head(&mut out, record);
    rules::section(&mut out, record);
    patch::section(&mut out, record);
    checks(&mut out, record);
    tests::failed(&mut out, record);
    outputs(&mut out, record);
    problems(&mut out, record);
    tests::changes(&mut out, record);
    tests::slowest(&mut out, record);
    score_parts(&mut out, record);
    trends(&mut out, record);
    numbers(&mut out, record);
    about(&mut out, record);
    out
}

fn head(out: &mut String, record: &Record) {
    let sign = match record.verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::Inconclusive => "❔",
        Verdict::Interrupted => "⏹️",
    };
    let name = text(&record.project.name);
    line(out, &format!("## {sign} {}: {} `{}`", record.verdict.word(), name, record.command));
    line(out, "");
    line(out, &format!("{}.", words::capitalised(&text(&advice::summary(record)))));
    line(out, "");
    if let Some(baseline) = &record.baseline {
        line(out, &format!("Compared with {}.", text(&compare::baseline(baseline))));
        line(out, "");
    }
    let steps = advice::steps(record);
    if !steps.is_empty() {
        line(out, "**What to do next**");
        line(out, "");
        for step in steps.iter().take(10) {
            let command = step.command.as_deref().map(|command| format!(" → {}", code(command))).unwrap_or_default();
            line(out, &format!("1. {}{command}", prose(&step.what)));
        }
        if steps.len() > 10 {
            line(out, &format!("1. … and {} more, in the sections below.", steps.len() - 10));
        }
        line(out, "");
    }
}

fn checks(out: &mut String, record: &Record) {
    if record.checks.is_empty() {
        return;
    }
    let passed = record.checks.iter().filter(|check| check.status == Status::Passed).count();
    let total = record.checks.len();
    fold(out, &format!("Checks: {passed} of {total} passed"), passed < total, |out| {
        line(out, "| | check | group | time | |");
        line(out, "|---|---|---|---:|---|");
        for check in &record.checks {
            let reason = check.reason.as_deref().map(prose).unwrap_or_default();
            let time = words::duration(std::time::Duration::from_millis(check.duration_ms));
            line(
                out,
                &format!(
                    "| {} | {} | {} | {time} | {reason} |",
                    check_sign(check),
                    cell_code(&check.id),
                    text(&check.group)
                ),
            );
        }
        if !record.left_out.is_empty() {
            line(out, "");
            let ids: Vec<_> = record.left_out.keys().map(|id| code(id)).collect();
            line(out, &format!("Not asked for: {}.", ids.join(", ")));
        }
    });
}

fn check_sign(check: &CheckOutcome) -> String {
    let sign = match check.status {
        Status::Passed => "✅",
        Status::Failed | Status::TimedOut | Status::Error if check.is_excused() => "⚠️",
        Status::Failed | Status::TimedOut | Status::Error => "❌",
        Status::Skipped => "⏭️",
        Status::Interrupted => "⏹️",
    };
    format!("{sign} {}", check.status.word())
}

fn outputs(out: &mut String, record: &Record) {
    for check in record.checks.iter().filter(|check| !matches!(check.status, Status::Passed | Status::Skipped)) {
        if check.output.text.trim().is_empty() && check.command.is_none() {
            continue;
        }
        let (before, tail) = check.output.tail(TAIL_LINES);
        let left = before.map(|before| format!(" (last {TAIL_LINES} lines, after {before})")).unwrap_or_default();
        fold(out, &format!("Output of {}{left}", check.id), false, |out| {
            if let Some(command) = &check.command {
                line(out, &format!("Command: {}", code(command)));
                line(out, "");
            }
            if let Some(fix) = &check.fix {
                line(out, &format!("Repair: {}", code(fix)));
                line(out, "");
            }
            match tail.trim() {
                "" => line(out, "It printed nothing."),
                _ => out.push_str(&fence(&tail, "text")),
            }
        });
    }
}

fn problems(out: &mut String, record: &Record) {
    if record.problems.is_empty() {
        return;
    }
    let open = record.counts().losses > 0;
    fold(out, &format!("Problems: {}", record.problems.len()), open, |out| {
        for problem in &record.problems {
            let place = match (&problem.file, problem.line) {
                (Some(file), Some(at)) => format!("{} line {at}: ", code(file)),
                (Some(file), None) => format!("{}: ", code(file)),
                _ => String::new(),
            };
            let hint = problem.hint.as_deref().map(|hint| format!(" — {}", prose(hint))).unwrap_or_default();
            let level = serde_json::to_value(problem.level)
                .ok()
                .and_then(|level| level.as_str().map(str::to_owned))
                .unwrap_or_default();
            line(out, &format!("- **{level}** {place}{}{hint} ({})", prose(&problem.message), code(&problem.code)));
        }
    });
}

fn score_parts(out: &mut String, record: &Record) {
    let Some(score) = &record.score else { return };
    fold(out, &format!("Score: {} of 100", score::value(score)), score.health() != Health::Healthy, |out| {
        line(out, &format!("{}.", words::capitalised(&text(&score.message()))));
        line(out, "");
        line(out, "| group | checks passed | weight | points |");
        line(out, "|---|---|---:|---:|");
        for part in score::parts(score) {
            line(out, &format!("| {} | {} | {} | {} |", text(part.group), part.passed, part.weight, part.points));
        }
    });
}

/// How the main numbers went over the last runs, one line each.
fn trends(out: &mut String, record: &Record) {
    let drawn: Vec<_> = record.trends.iter().filter(|trend| trend.points.len() > 1).collect();
    if drawn.is_empty() {
        return;
    }
    fold(out, "Trends", false, |out| {
        line(out, "| metric | last runs | from | to |");
        line(out, "|---|---|---:|---:|");
        for trend in drawn {
            let unit = metric::unit(&trend.metric);
            let values: Vec<_> = trend.points.iter().map(|point| point.value.unwrap_or(f64::NAN)).collect();
            let shown = |value: Option<&f64>| value.map(|value| unit.alone(*value)).unwrap_or_default();
            line(
                out,
                &format!(
                    "| {} | {} | {} | {} |",
                    cell_code(&trend.metric),
                    sparkline(&values, TREND),
                    shown(values.first()),
                    shown(values.last())
                ),
            );
        }
    });
}

fn numbers(out: &mut String, record: &Record) {
    if record.measurements.is_empty() {
        return;
    }
    fold(out, "Measurements", false, |out| {
        line(out, "| metric | value | read from |");
        line(out, "|---|---:|---|");
        for measurement in record.measurements.iter() {
            let value = metric::unit(&measurement.name).alone(measurement.value);
            let scope = measurement.scope.as_deref().map(|scope| format!(" in {}", cell_code(scope)));
            line(
                out,
                &format!(
                    "| {}{} | {value} | {} |",
                    cell_code(&measurement.name),
                    scope.unwrap_or_default(),
                    cell_code(&measurement.sources.join(", "))
                ),
            );
        }
    });
}

fn about(out: &mut String, record: &Record) {
    let project = &record.project;
    let commit = project.commit.as_deref().map_or_else(|| "no commit".to_owned(), code);
    let branch = project.branch.as_deref().map(|branch| format!(" on {}", code(branch))).unwrap_or_default();
    let dirty = if project.dirty == Some(true) { ", with uncommitted changes" } else { "" };
    let time = words::duration(std::time::Duration::from_millis(record.duration_ms));
    line(
        out,
        &format!(
            "Commit {commit}{branch}{dirty}. Policy {}. Began {}, took {time}. Record {}.",
            code(&record.policy.path),
            clock::minute(record.started_at),
            code(&record.id)
        ),
    );
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

fn indent(out: &mut String, block: &str, by: &str) {
    for text in block.lines() {
        line(out, &format!("{by}{text}"));
    }
}

/// A section that is closed until somebody opens it. Blank lines around the body let Markdown work inside.
fn fold(out: &mut String, title: &str, open: bool, body: impl FnOnce(&mut String)) {
    let open = if open { " open" } else { "" };
    let _ = writeln!(out, "<details{open}><summary>{}</summary>\n", html(title));
    body(out);
    out.push_str("\n</details>\n\n");
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn a_small_record_as_markdown() {
        let record: Record = serde_json::from_str(include_str!("../../../tests/fixtures/records/small.json")).unwrap();
        insta::assert_snapshot!(render(&record), @r#"
        ## ❌ fail: wallet &lt;service&gt; `full-check`

        2 of 4 checks failed, 2 of 5 rules failed (1 not applicable), 1 rule could not be judged, 1 loss of evidence, 2 warnings.

        Compared with 9a8b7c6d5e on main (pass), 2 commits further back, 25 h 15 min old, from history.

        **What to do next**

        1. check black failed: exit code 1 → `black src`
        1. check tests failed: exit code 1 → `pytest --junitxml=reports/junit.xml`
        1. tests.failed must satisfy max 0: 1 is above 0
        1. coverage.lines.percent must satisfy min 80: 76.92 % is below 80 % → cover 1 of these 3 lines: `src/wallet/limits.py`:10-11, 13
        1. metrics.json: metrics.json is not there; look at the check's own output, and compare the path under `evidence:` with what the tool writes
        1. metrics.holdout.f1 (min 0.9) could not be judged: not measured

        ### Rules (gate `default`)

        | | metric | value | limit | baseline | difference | read from |
        |---|---|---:|---|---:|---:|---|
        | ❌ fail | `tests.failed` | 1 | max 0 | 0 | +1 | `reports/junit.xml` |
        | ✅ pass | `tests.total` | 4 | min 3 | 3 | +1 | `reports/junit.xml` |
        | ❌ fail | `coverage.lines.percent` | 76.92 % | min 80 | 80.25 % | -3.33 points | `reports/coverage.xml` |
        | ⚠️ warn | `coverage.lines.percent` in `src/wallet/**` | 50 % | warn-below 90 |  |  | `reports/coverage.xml` |
        | ❔ inconclusive | `metrics.holdout.f1` | not measured | min 0.9 |  |  |  |
        | ➖ not applicable | `coverage.patch.percent` | - | min 80 |  |  |  |

        Not asked, because no selected check measures them: `coverage.branches.percent`.

        <details open><summary>Changed lines: 2 of 5 ran, 6 lines lost, 1 file not measured</summary>

        Changed since the merge base with main, 9a8b7c6d5e.

        Changed, and no coverage report mentions them: `src/wallet/new.py`.

        | file | ran | not run | still not run | lost |
        |---|---:|---|---|---|
        | `src/wallet/limits.py` | 2 | 10-11 | 13 | 14 |
        | `src/app/main é.py` (was `src/main.py`) | 0 |  |  | 3, 4 lines that no report mentions now |

        *Not run*: changed lines that no test runs. *Still not run*: changed, and not run before either. *Lost*: ran in the baseline and no more.

        </details>

        <details open><summary>Checks: 1 of 4 passed</summary>

        | | check | group | time | |
        |---|---|---|---:|---|
        | ✅ passed | `flake8` | lint | 1.4 s |  |
        | ❌ failed | `black` | format | 810 ms | exit code 1 |
        | ❌ failed | `tests` | test | 2 min 08 s | exit code 1 |
        | ⏭️ skipped | `audit` | lint | 0 ms | `pip-audit` is not installed |

        Not asked for: `nightly`.

        </details>

        <details open><summary>Failed tests: 1</summary>

        - `tests.test_limits::test_frozen[<EUR>]` in `tests/test_limits.py` line 14, in quarantine until 2026-04-30

          ```
          AssertionError: assert <Frozen> == None
           +  where <Frozen> = limit_of()
          ```

          <details><summary>Trace, 3 lines</summary>

          ```
          Traceback (most recent call last):
            File "tests/test_limits.py", line 16
          </script><script>alert(1)</script>
          ```

          </details>


        </details>

        <details><summary>Output of black</summary>

        Command: `black --check src`

        Repair: `black src`

        ```text
        would reformat src/wallet/limits.py
        Oh no! <1> file & 1 file would be reformatted.
        ::error::not a command
        ```

        </details>

        <details><summary>Output of tests</summary>

        Command: `pytest --junitxml=reports/junit.xml`

        ```text
        F.s
        FAILED tests/test_limits.py::test_frozen
        ```

        </details>

        <details open><summary>Problems: 2</summary>

        - **note** `reports/junit.xml` line 12: 2 cases of `test_retry` were counted as one (`evidence.merged`)
        - **loss** `metrics.json`: metrics.json is not there — look at the check's own output, and compare the path under `evidence:` with what the tool writes (`evidence.missing`)

        </details>

        <details open><summary>Newly failing: 1</summary>

        Passed in the baseline, failed now.

        - `tests.test_limits::test_frozen[<EUR>]` in `tests/test_limits.py`

        </details>

        <details open><summary>Disappeared: 2</summary>

        In the baseline, and not in this run.

        - `tests.test_limits::test_unfrozen` in `tests/test_limits.py`
        - `tests.test_limits::test_sum` in `tests/test_sum.py`: perhaps tests.test\_spent::test\_sum\\u\{202e\} in tests/test\_spent.py now

        </details>

        <details open><summary>Newly skipped: 1</summary>

        Ran in the baseline, skipped now.

        - `tests.test_limits::test_later`

        </details>

        <details open><summary>Newly slow: 1</summary>

        Slower than their own history allows.

        - `tests.test_spent::test_retry` in `tests/test_spent.py`: 1.50 s, usually 0.25 s in 12 runs; up to 0.90 s would not have stood out

        </details>

        <details><summary>Flaky: 1</summary>

        Seen both to hold and not to hold with the same code under them.

        - `tests.test_spent::test_retry` in `tests/test_spent.py`: held and failed within this run; held in 2 and failed in 1 run on this very tree; failed in 4 of its last 50 runs

        </details>

        <details><summary>In quarantine: 1</summary>

        Their failures are excused for a time.

        - `tests.test_limits::test_frozen[<EUR>]` in `tests/test_limits.py`: failed; until 2026-04-30: race in the mock, see \#41

        </details>

        <details><summary>New: 1</summary>

        Not in the baseline.

        - `tests.test_spent::test_sum\u{202e}` in `tests/test_spent.py`

        </details>

        <details><summary>Slowest tests</summary>

        | test | time |
        |---|---:|
        | `tests.test_spent::test_retry` | 1.5 s |
        | `tests.test_limits::test_frozen[<EUR>]` | 12 ms |
        | `tests.test_spent::test_sum\u{202e}` | 4 ms |

        </details>

        <details open><summary>Score: 83.3 of 100</summary>

        83.3 of 100 is unhealthy: below 85.

        | group | checks passed | weight | points |
        |---|---|---:|---:|
        | lint | 1 of 2 | 1 | 16.6 of 33.3 |
        | test | 1 of 1, 1 excused | 2 | 66.65 of 66.7 |

        </details>

        <details><summary>Trends</summary>

        | metric | last runs | from | to |
        |---|---|---:|---:|
        | `coverage.lines.percent` | ▅█·█▁ | 79 % | 76.92 % |

        </details>

        <details><summary>Measurements</summary>

        | metric | value | read from |
        |---|---:|---|
        | `tests.total` | 4 | `reports/junit.xml` |
        | `tests.failed` | 1 | `reports/junit.xml` |
        | `tests.passed` | 2 | `reports/junit.xml` |
        | `tests.skipped` | 1 | `reports/junit.xml` |
        | `coverage.lines.percent` | 76.92 % | `reports/coverage.xml` |
        | `metrics.drift` | NaN | `metrics.json` |

        </details>

        Commit `4f1c2ab98d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a` on `limits`, with uncommitted changes. Policy `mgmt.yml`. Began 2026-03-12 09:15 UTC, took 2 min 14 s. Record `20260312T091530250Z-full-check-fail`.
        "#);
    }

    #[test]
    fn measurements_of_a_part_say_of_which() {
        let mut record: Record =
            serde_json::from_str(include_str!("../../../tests/fixtures/records/small.json")).unwrap();
        record.measurements.add("coverage.lines.percent".into(), Some("src/a|b"), &["c.xml"], 50.0);
        let shown = render(&record);
        assert!(shown.contains("| `coverage.lines.percent` | 76.92 % | `reports/coverage.xml` |"), "{shown}");
        assert!(shown.contains("| `coverage.lines.percent` in `src/a\\|b` | 50 % | `c.xml` |"), "{shown}");
    }
}
