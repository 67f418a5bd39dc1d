//! The evidence of the runs that speak for a commit: of each shard the newest attempt's.

use camino::Utf8Path;

use super::ask::Subject;
use crate::app::Stop;
use crate::app::ci::{Fetched, Trouble, download, foreign};
use crate::app::judge::Material;
use crate::app::policy::Judging;
use crate::app::remote::listing;
use crate::deploy::facts::{Artifact, Content, Evidence, Facts, Listing, Run, Workflow};
use crate::deploy::{deciding, newest_shards};
use crate::evidence::{Level, Limits};
use crate::github;

/// Reads it, and notes in `facts` what became of each artifact.
pub(super) fn read(subject: &Subject<'_>, facts: &mut Facts, policy: &Judging) -> anyhow::Result<Material> {
    let limits = &policy.config.limits;
    let scratch =
        tempfile::tempdir().map_err(|error| Stop::undecided(format!("no folder to work in: {error}"), None))?;
    let scratch = Utf8Path::from_path(scratch.path())
        .ok_or_else(|| Stop::undecided("the folder for temporary files has a name that is not UTF-8", None))?;
    let mut fetched = Fetched::default();
    for workflow in &facts.workflows {
        if let Some(run) = speaking(workflow, subject.sha) {
            let evidence = of_run(subject, workflow, run, limits, scratch, &mut fetched)?;
            facts.evidence.push(evidence);
        }
    }
    fetched.evidence.note_disputes();
    // What a failure means, and which checks there have to be, is not the commit's own to say.
    policy.adjust(&mut fetched.checks);
    let is_full = fetched.full.contains(policy.config.path.as_str());
    let mut problems = if is_full { policy.unrun(&fetched.checks, |_| false) } else { Vec::new() };
    // A commit of the default branch may be older than a check; it knew those that its run left out.
    let is_on = |branch: &str| subject.client.is_on(subject.slug, branch, subject.sha).unwrap_or(false);
    if !problems.is_empty() && is_on(subject.branch) {
        problems = policy.unrun(&fetched.checks, |id| !fetched.left_out.contains_key(id));
    }
    let is_lossy = fetched.evidence.problems.iter().any(|problem| problem.level == Level::Loss);
    let lossy = fetched.checks.iter().filter(|_| is_lossy).map(|check| check.id.clone()).collect();
    Ok(Material {
        checks: fetched.checks,
        evidence: fetched.evidence,
        problems,
        lossy,
        left_out: fetched.left_out,
        ..Material::default()
    })
}

/// The run whose evidence counts, once it has ended: before, there is more to come.
fn speaking<'a>(workflow: &'a Workflow, sha: &str) -> Option<&'a Run> {
    deciding(workflow, sha).filter(|run| run.status.as_deref() == Some("completed"))
}

fn of_run(
    subject: &Subject<'_>,
    workflow: &Workflow,
    run: &Run,
    limits: &Limits,
    scratch: &Utf8Path,
    fetched: &mut Fetched,
) -> anyhow::Result<Evidence> {
    let mut known = Vec::new();
    let mut artifacts = listing(subject.client.artifacts_of_run(subject.slug, run.id), |artifact| {
        let content = if artifact.expired { Content::Expired } else { Content::Unread };
        let one = Artifact { id: artifact.id, name: artifact.name.clone(), content };
        known.push(artifact);
        one
    });
    if let Listing::Known { items, .. } = &mut artifacts {
        items.retain(|artifact| subject.stage.artifacts.matches(&artifact.name));
        let chosen: Vec<_> = newest_shards(items)
            .into_iter()
            .filter(|chosen| chosen.artifact.content == Content::Unread)
            .map(|chosen| (chosen.artifact.id, chosen.attempt))
            .collect();
        for (id, attempt) in chosen {
            let Some(artifact) = known.iter().find(|artifact| artifact.id == id) else { continue };
            let folder = scratch.join(id.to_string());
            let content = one(subject, run, artifact, attempt, limits, &folder, fetched)?;
            items.iter_mut().filter(|item| item.id == id).for_each(|item| item.content = content.clone());
        }
    }
    Ok(Evidence { workflow: workflow.file.clone(), attempt: run.attempt, artifacts })
}

fn one(
    subject: &Subject<'_>,
    run: &Run,
    artifact: &github::Artifact,
    attempt: Option<u32>,
    limits: &Limits,
    folder: &Utf8Path,
    fetched: &mut Fetched,
) -> anyhow::Result<Content> {
    let opened = match download(subject.client, subject.slug, artifact, folder, limits) {
        Ok(opened) => opened,
        Err(Trouble::Expired) => return Ok(Content::Expired),
        Err(Trouble::Missing(why)) => return Ok(Content::Useless(why)),
        Err(Trouble::Fatal(error)) => return Err(error),
    };
    let attempt = attempt.unwrap_or(opened.bundle.source.attempt);
    if let Some(why) = foreign(&opened, subject.slug, run.id, Some(subject.sha), attempt) {
        return Ok(Content::Useless(format!("it {why}")));
    }
    if opened.bundle.source.merge_commit.is_some() {
        return Ok(Content::Useless("it tested a merge of the commit, not the commit itself".to_owned()));
    }
    if opened.record.as_ref().is_some_and(crate::record::Record::is_interrupted) {
        return Ok(Content::Useless("the run of its checks was interrupted".to_owned()));
    }
    fetched.add(opened);
    Ok(Content::Whole)
}
