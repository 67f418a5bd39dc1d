//! `gate`: the verdict over reports that are already there, or over a commit before a stage of a deploy.

use super::args::GateArgs;
use super::check::show;
use super::screen::Screen;
use crate::app::Context;
use crate::app::gate::{self, Request};

pub(super) fn run(context: &Context, args: &GateArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require(gate::COMMAND, super::check::FORMS)?;
    #[cfg(feature = "net")]
    if let Some(request) = stage::request(&args.stage)? {
        return stage::run(context, &request, screen);
    }
    let request = Request { gate: args.gate.clone(), evidence: args.evidence.clone(), against: args.against.wanted() };
    let checked = gate::gate(context, &request)?;
    show(context, &checked, screen);
    let code = checked.record.verdict.exit_code();
    std::mem::forget(checked.read);
    Ok(code)
}

/// The gate before a stage.
#[cfg(feature = "net")]
mod stage {
    use super::super::args_github::{AnswerTo, StageArgs};
    use super::{Screen, show};
    use crate::app::stage::{self, Answer, Request};
    use crate::app::{Context, Stop};

    /// What is asked for; `None` if no stage is.
    pub(super) fn request(args: &StageArgs) -> anyhow::Result<Option<Request>> {
        let (Some(stage), Some(sha)) = (&args.stage, &args.sha) else { return Ok(None) };
        let answer = match (args.answer, args.run) {
            (Some(AnswerTo::Rule), Some(run)) => Some(Answer::Rule { run, environment: args.environment.clone() }),
            (Some(AnswerTo::Rule), None) | (_, Some(_)) => {
                let hint = Some("give both `--answer rule` and `--run ID`, or neither".to_owned());
                return Err(Stop::usage("--run names the run that a protection rule holds back", hint).into());
            }
            (Some(AnswerTo::Status), None) => Some(Answer::Status { environment: args.environment.clone() }),
            (None, None) => None,
        };
        let wait = args.wait.unwrap_or_default();
        let to = args.to.clone();
        Ok(Some(Request { stage: stage.clone(), sha: sha.clone(), repo: args.repo.clone(), wait, answer, to }))
    }

    pub(super) fn run(context: &Context, request: &Request, screen: &mut Screen) -> anyhow::Result<u8> {
        let checked = stage::stage(context, request, screen.teller())?;
        show(context, &checked, screen);
        let code = checked.record.verdict.exit_code();
        std::mem::forget(checked.read);
        Ok(code)
    }
}
