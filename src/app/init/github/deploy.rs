//! The staged deploy: for each stage of the policy a gate, and a job for the deploy itself.

use super::fill::fill;
use super::{Basis, File, PIN, Workflow, literal};
use crate::deploy::Stage;
use crate::retrain::workflow::FOLDER;
use crate::sys::text;

/// The row.
pub(super) const ROW: Workflow = Workflow {
    file: "mgmt-deploy.yml",
    doc: "For each of the policy's `stages:` a gate, and a job for the deploy of your own behind it.",
    text: write,
};

fn write(basis: &Basis<'_>) -> Result<String, String> {
    let stages = &basis.config.stages;
    if stages.is_empty() {
        return Err(
            "the policy has no `stages:`; add them and run this again, for example\n  stages:\n    staging: { \
             workflows: mgmt-gate.yml }\n    production: { after: staging }"
                .to_owned(),
        );
    }
    let ids = ids(stages);
    let jobs: Result<Vec<_>, _> = stages.iter().zip(&ids).map(|(stage, id)| job(basis, stage, id, &ids)).collect();
    Ok(fill(include_str!("deploy.yml"), &[("branch", &basis.branch), ("stages", &jobs?.join("\n"))]))
}

fn job(basis: &Basis<'_>, stage: &Stage, id: &str, ids: &[String]) -> Result<String, String> {
    let literal = |text: &str| {
        literal(text).ok_or_else(|| format!("stage `{}`: its environment would be an expression there", stage.name))
    };
    let before = basis.config.stages.iter().zip(ids).find(|(other, _)| Some(&other.name) == stage.after.as_ref());
    let needs = before.map(|(_, id)| format!("    needs: deploy-{id}\n")).unwrap_or_default();
    let values = [
        ("id", id),
        ("stage", &stage.name),
        ("needs", &needs),
        ("pin", PIN),
        ("value", &literal(&stage.name)?),
        ("policy", &basis.policy(6)),
        ("environment", &literal(&stage.environment)?),
    ];
    Ok(fill(include_str!("stage.yml"), &values))
}

/// A part of a job's name for each stage: a job is called by letters, digits, `-` and `_`, and by no other's name.
fn ids(stages: &[Stage]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::with_capacity(stages.len());
    for stage in stages {
        let plain = stage.name.replace('.', "-");
        let numbered = (2..).map(|number| format!("{plain}-{number}"));
        let is_free = |id: &String| !ids.iter().any(|taken| taken.eq_ignore_ascii_case(id));
        let free = std::iter::once(plain.clone()).chain(numbered).find(is_free);
        ids.push(free.unwrap_or(plain));
    }
    ids
}

/// What is left to do by hand before a deploy can go through.
pub(super) fn open(basis: &Basis<'_>, files: &[File]) -> Vec<String> {
    if !files.iter().any(|file| file.path.file_name() == Some(ROW.file)) {
        return Vec::new();
    }
    let mut open =
        vec![format!("{}: put your own deploy in place of `./deploy STAGE`; until then its jobs fail", ROW.file)];
    for stage in &basis.config.stages {
        if stage.workflows.iter().any(|file| file == ROW.file) {
            open.push(format!(
                "stage `{}` waits for {}, which waits for the stage: name another",
                stage.name, ROW.file
            ));
        }
        let absent: Vec<_> = stage.workflows.iter().filter(|file| !basis.present.contains(file)).collect();
        if !absent.is_empty() {
            let verb = if absent.len() == 1 { "is" } else { "are" };
            let names = text::one_line(&text::list(&absent));
            open.push(format!("stage `{}` waits for {names}, which {verb} not in {FOLDER}", stage.name));
        }
    }
    open
}
