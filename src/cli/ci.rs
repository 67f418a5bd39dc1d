//! `ci runs` and `ci evidence`: what ran on GitHub, and what it left behind.

use serde_json::json;

use super::args::Format;
use super::args_github::{BaselineArgs, CiArgs, CiCommand, EvidenceArgs, RunsArgs};
use super::inspect::exit_code;
use super::screen::Screen;
use crate::app::ci::{self, Attempts, Wanted, Which};
use crate::app::{Context, Exit, Stop, baseline, remote};
use crate::github::{List, Run, RunFilter};
use crate::report::evidence::{self as report, Parts};
use crate::sys::{clock, text};

pub(super) fn run(context: &Context, args: &CiArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    match &args.command {
        CiCommand::Runs(args) => runs(context, args, screen),
        CiCommand::Evidence(args) => evidence(context, args, screen),
        CiCommand::Baseline(args) => baseline(context, args, screen),
    }
}

fn runs(context: &Context, args: &RunsArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require("ci runs", &[Format::Human, Format::Json])?;
    let filter = RunFilter {
        workflow: args.workflow.clone(),
        branch: args.branch.clone(),
        sha: args.sha.clone(),
        event: args.event.clone(),
        status: args.status.clone(),
        created: args.created.clone(),
        actor: None,
    };
    let slug = remote::slug(context, args.repo.repo.as_deref())?;
    let client = remote::connect(context, screen.teller())?;
    let attempts = if args.attempts { Attempts::All } else { Attempts::Newest };
    let list = ci::runs(&client, &slug, &filter, args.limit as usize, attempts)?;
    for why in &list.unreadable {
        screen.warning(&format!("a run cannot be read: {why}"), None);
    }
    match screen.format {
        Format::Json => screen.json(&json!({
            "schema": "mgmt.ci-runs/1",
            "repository": slug,
            "runs": list.items.iter().map(row).collect::<Vec<_>>(),
            "truncated": list.truncated,
            "unreadable": list.unreadable.len(),
        }))?,
        _ => {
            let told = table(&list);
            screen.report(&told);
            if list.truncated {
                screen.remark(match list.items.len() < args.limit as usize {
                    true => "there are more, and GitHub tells of no more at once: --created shows a stretch of time",
                    false => "there are more; --limit shows them",
                });
            }
        }
    }
    Ok(if list.items.is_empty() { Exit::Nothing as u8 } else { 0 })
}

/// Without a baseline a run goes on, and says so itself: so none found is no error here.
fn baseline(context: &Context, args: &BaselineArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require("ci baseline", &[Format::Human, Format::Json])?;
    let which = if args.without_record { baseline::Which::Change } else { baseline::Which::Everything };
    let (repo, shard) = (args.repo.repo.as_deref(), args.shard.as_deref());
    let found = match baseline::import(context, repo, shard, which, screen.teller()) {
        Ok(found) => found,
        Err(error) => {
            let stop = error.downcast::<Stop>()?;
            if stop.exit == Exit::Usage {
                return Err(stop.into());
            }
            screen.warning(&stop.message, stop.hint.as_deref());
            None
        }
    };
    if screen.format == Format::Json {
        screen.json(&json!({ "schema": "mgmt.ci-baseline/1", "baseline": found }))?;
    } else if let Some(found) = found {
        let steps = text::plural(found.distance as u64, "commit", "commits");
        let commit = found.commit.get(..10).unwrap_or(&found.commit);
        screen.data(&format!("baseline {} of {commit}, {steps} back\n", found.record));
    }
    Ok(0)
}

fn row(run: &Run) -> serde_json::Value {
    json!({
        "id": run.id,
        "attempt": run.attempt(),
        "number": run.run_number,
        "workflow": run.path,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "branch": run.head_branch,
        "commit": run.head_sha,
        "created_at": run.created_at,
        "started_at": run.run_started_at,
        "updated_at": run.updated_at,
        "title": run.display_title,
        "url": run.html_url,
    })
}

fn table(list: &List<Run>) -> String {
    if list.items.is_empty() {
        return "no run fits\n".to_owned();
    }
    let plain = |part: Option<&str>| text::shorten_plain(&text::one_line(part.unwrap_or("?")), 40);
    let mut rows = Vec::with_capacity(list.items.len());
    for run in &list.items {
        let state = run.conclusion.as_ref().map(|end| end.word()).or(run.status.as_ref().map(|status| status.word()));
        let attempt = if run.attempt() > 1 { format!("{}#{}", run.id, run.attempt()) } else { run.id.to_string() };
        rows.push([
            attempt,
            plain(state),
            run.created_at.map(clock::minute).unwrap_or_else(|| "?".to_owned()),
            plain(run.event.as_deref()),
            plain(run.head_branch.as_deref()),
            plain(run.head_sha.as_deref().map(|sha| sha.get(..10).unwrap_or(sha))),
            plain(run.path.as_deref().map(|path| path.rsplit('/').next().unwrap_or(path))),
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..rows[0].len()).map(width).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn evidence(context: &Context, args: &EvidenceArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require("ci evidence", &[Format::Human, Format::Json, Format::Markdown])?;
    let which = match (args.run, &args.workflow, &args.sha) {
        (None, Some(workflow), Some(sha)) => Which::Newest { workflow: workflow.clone(), sha: sha.clone() },
        (run, ..) => Which::Run(run.unwrap_or_default()),
    };
    let wanted = Wanted {
        repo: args.repo.repo.clone(),
        which,
        expect: args.expect.clone().unwrap_or_default(),
        out: args.out.clone(),
        wait: args.wait.unwrap_or_default(),
    };
    let (run, fetched) = ci::evidence(context, &wanted, screen.teller())?;
    let parts = Parts::default();
    match screen.format {
        Format::Json => {
            let mut shown = serde_json::to_value(report::inspection(&fetched.evidence, parts))?;
            shown["run"] = row(&run);
            shown["shards"] = json!(fetched.shards);
            screen.json(&shown)?;
        }
        Format::Markdown => screen.data(&report::markdown(&fetched.evidence, parts)),
        _ => {
            let mut told = format!("run {} attempt {}\n", run.id, run.attempt());
            for shard in &fetched.shards {
                let files = text::plural(shard.files as u64, "report file", "report files");
                told.push_str(&format!("  {}  {files}\n", text::one_line(&shard.artifact)));
            }
            told.push('\n');
            told.push_str(&report::human(&fetched.evidence, parts));
            screen.report(&told);
        }
    }
    let code = exit_code(&fetched.evidence);
    std::mem::forget(fetched.evidence);
    Ok(code)
}
