//! `--dry-run`: what would run, and why each check is in it.

use serde_json::json;

use super::args::Format;
use super::screen::Screen;
use crate::app::Context;
use crate::app::check::{self, Request};
use crate::check::{Action, Check, Plan};
use crate::sys::text;

/// The schema of `--dry-run --format json`.
const SCHEMA: &str = "mgmt.plan/1";

pub(super) fn run(context: &Context, request: &Request, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require(&format!("{} --dry-run", request.command), &[Format::Human, Format::Json])?;
    let config = context.load()?;
    let plan = check::select(&config, request)?;
    let gate = config
        .gate(request.gate.as_deref())
        .map_err(|error| crate::app::Stop::usage(error.to_string(), Some(error.hint.clone())))?;
    if screen.format == Format::Json {
        screen.json(&json!({
            "schema": SCHEMA,
            "command": request.command,
            "gate": gate.map(|gate| &gate.name),
            "checks": plan.checks.iter().map(|planned| json!({
                "id": planned.check.id,
                "group": planned.check.group,
                "why": planned.why,
                "command": what(&planned.check),
                "needs": planned.check.needs,
            })).collect::<Vec<_>>(),
            "left_out": plan.left_out.iter().map(|left| json!({ "id": left.id, "why": left.why })).collect::<Vec<_>>(),
        }))?;
        return Ok(0);
    }
    screen.data(&human(request, &plan, gate.map(|gate| gate.name.as_str())));
    Ok(0)
}

fn what(check: &Check) -> String {
    match &check.action {
        Action::Run(command) => command.display(),
        Action::Paths(requirements) => format!("looks at {}", text::plural(requirements.len() as u64, "path", "paths")),
    }
}

fn human(request: &Request, plan: &Plan, gate: Option<&str>) -> String {
    let total = plan.checks.len() + plan.left_out.len();
    let mut out = format!(
        "{} would run {} of {}\n\n",
        request.command,
        plan.checks.len(),
        text::plural(total as u64, "check", "checks")
    );
    let ids =
        plan.checks.iter().map(|planned| planned.check.id.len()).chain(plan.left_out.iter().map(|left| left.id.len()));
    let width = ids.max().unwrap_or(0);
    for planned in &plan.checks {
        let check = &planned.check;
        out.push_str(&format!("  {:<width$}  {}\n", check.id, what(check)));
        out.push_str(&format!("  {:<width$}  why: {}\n", "", planned.why));
        if !check.needs.is_empty() {
            out.push_str(&format!("  {:<width$}  after: {}\n", "", check.needs.join(", ")));
        }
    }
    if !plan.left_out.is_empty() {
        out.push_str("\nnot run\n");
        for left in &plan.left_out {
            out.push_str(&format!("  {:<width$}  {}\n", left.id, left.why));
        }
    }
    out.push_str(&match gate {
        Some(gate) => format!("\njudged by the gate {gate}\n"),
        None => "\nno gate: the checks alone decide\n".to_owned(),
    });
    out
}
