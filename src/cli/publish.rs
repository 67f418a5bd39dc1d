//! `publish`: exits with the verdict; what could not be shown is said beside it.

use serde_json::json;

use super::args::Format;
use super::args_github::PublishArgs;
use super::screen::Screen;
use crate::app::Context;
use crate::app::ci::Expect;
use crate::app::publish::{self, Request};
use crate::report::advice;
use crate::sys::text;

pub(super) fn run(context: &Context, args: &PublishArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require("publish", &[Format::Human, Format::Json])?;
    let request = Request {
        repo: args.repo.repo.clone(),
        bundle: args.bundle.clone(),
        run: args.run,
        expect: args.shard.clone().map(Expect::Only).or_else(|| args.expect.clone()).unwrap_or_default(),
        gate: args.gate.clone(),
        to: args.to.clone(),
        when: args.when,
        badge: args.badge.clone(),
        key: args.key.clone(),
        author: args.author.clone(),
    };
    let published = publish::publish(context, &request, screen.teller())?;
    for failure in &published.failures {
        screen.warning(&text::one_line(&failure.message), failure.hint.as_deref());
    }
    let record = &published.record;
    let code = record.verdict.exit_code();
    if screen.format == Format::Json {
        screen.json(&json!({
            "schema": "mgmt.published/1",
            "id": record.id,
            "verdict": record.verdict,
            "exit_code": code,
            "commit": record.project.commit,
            "policy": record.policy,
            "done": published.done,
            "failures": published.failures.iter().map(|failure| &failure.message).collect::<Vec<_>>(),
        }))?;
        return Ok(code);
    }
    let mut told: String = published.done.iter().map(|line| format!("{line}\n")).collect();
    told.push_str(&format!("{}: {}\n", record.verdict.word(), text::one_line(&advice::summary(record))));
    screen.report(&told);
    Ok(code)
}
