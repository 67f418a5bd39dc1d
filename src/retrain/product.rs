//! What came of a run that succeeded: a model, its metrics, its deployment.

use jiff::{SignedDuration, Timestamp};

use super::champion;
use super::facts::{Artifact, Commit, Listing, Metrics, Model, Run};
use super::questions::{Answers, Judge, gap, since};
use super::settings::{Deploy, Target, Trace};
use super::slot::{Assigned, Depth, State};
use crate::sys::text;

/// A run that succeeded, and how deep it is looked at.
pub(super) struct Product<'a> {
    pub(super) judge: &'a Judge<'a>,
    pub(super) assigned: &'a Assigned<'a>,
    pub(super) run: &'a Run,
    pub(super) depth: Depth,
}

impl Product<'_> {
    /// Something is not known. Of a slot long past nobody asked it.
    fn open(&self, answers: &mut Answers, detail: impl Into<String>) {
        if self.depth == Depth::Model {
            answers.open(detail);
        }
    }

    /// Whether the model is there and whole.
    pub(super) fn model(&self, answers: &mut Answers) {
        match &self.judge.settings.expect.model {
            None => {}
            Some(Trace::Commit(_)) => self.committed(answers),
            Some(Trace::Artifact { name, digest }) => {
                let name = text::shorten(&text::one_line(name), 100);
                match self.judge.artifacts.get(&self.run.id) {
                    Some(artifact) if artifact.expired => {
                        answers.fault(State::ArtifactExpired, format!("the artifact `{name}` has expired"));
                    }
                    Some(artifact) => self.content(answers, artifact, &name, *digest),
                    None => match gap(&self.judge.facts.artifacts, "artifacts").or_else(|| self.orphan()) {
                        Some(gap) => self.open(answers, gap),
                        None => answers.fault(State::NoArtifact, format!("its run left no artifact `{name}`")),
                    },
                }
            }
        }
    }

    fn orphan(&self) -> Option<String> {
        let has_none = |artifact: &&Artifact| artifact.run.is_none();
        let orphan = self.judge.facts.artifacts.items().iter().find(has_none)?;
        Some(format!("GitHub does not say which run left artifact {}", orphan.id))
    }

    fn content(&self, answers: &mut Answers, artifact: &Artifact, name: &str, digest: bool) {
        let wanted = self.judge.settings.expect.metrics.as_ref();
        if digest && artifact.digest.is_none() {
            self.open(answers, format!("GitHub gives no digest of the artifact `{name}`; `digest: false` needs none"));
        }
        let (found, metrics) = match self.judge.facts.models.get(&self.run.id) {
            Some(Model::Read { digest, metrics, .. }) => (digest, metrics),
            Some(Model::Unknown(why)) => return self.open(answers, format!("the artifact `{name}`: {why}")),
            None if digest || wanted.is_some() => {
                return self.open(answers, format!("the artifact `{name}` was not looked into"));
            }
            None => return,
        };
        if let Some(stored) = artifact.digest.as_ref().filter(|stored| digest && !stored.eq_ignore_ascii_case(found)) {
            let (stored, found) = (short(stored), short(found));
            answers
                .fault(State::DigestMismatch, format!("the artifact `{name}` is {found}, and was stored as {stored}"));
        }
        let Some(wanted) = wanted else { return };
        let file = text::shorten(&text::one_line(&wanted.file), 100);
        let values = match metrics {
            Metrics::Read(values) => values,
            Metrics::Absent => {
                return answers.fault(State::MetricsMissing, format!("there is no `{file}` in the artifact `{name}`"));
            }
            Metrics::Broken(why) => {
                let why = text::shorten(&text::one_line(why), 200);
                return answers.fault(State::MetricsMissing, format!("`{file}` cannot be read: {why}"));
            }
        };
        let told = |metric: &String| match champion::value(values, metric) {
            None => Some(format!("`{}` is not there", text::one_line(metric))),
            Some(value) if !value.is_finite() => {
                Some(format!("`{}` is {}", text::one_line(metric), text::number(value)))
            }
            Some(_) => None,
        };
        let missing: Vec<_> = wanted.must.iter().filter_map(told).collect();
        if !missing.is_empty() {
            answers.fault(State::MetricsMissing, format!("{file}: {}", text::list(&missing)));
        }
    }

    fn commits(&self) -> impl Iterator<Item = &Commit> {
        let (from, until) = (self.run.asked(), self.assigned.until);
        let is_within = move |commit: &&Commit| {
            commit.at.is_some_and(|at| from.is_some_and(|from| from <= at) && until.is_none_or(|until| at < until))
        };
        self.judge.facts.commits.items().iter().filter(is_within)
    }

    fn committed(&self, answers: &mut Answers) {
        if self.commits().next().is_some() {
            return;
        }
        let commits = &self.judge.facts.commits;
        let timeless = commits.items().iter().find(|commit| commit.at.is_none());
        let timeless = timeless.map(|commit| format!("GitHub does not say when {} was committed", short(&commit.sha)));
        match gap(commits, "commits").or(timeless) {
            Some(gap) => self.open(answers, gap),
            None if self.run.asked().is_none() => self.open(answers, "GitHub does not say when its run began"),
            None => answers.fault(State::NoArtifact, "no commit has touched the model's paths since its run began"),
        }
    }

    /// Whether the model is another one than that of the run before.
    pub(super) fn is_new(&self, answers: &mut Answers, before: Option<u64>) {
        let models = &self.judge.facts.models;
        let of = |run: u64| match models.get(&run) {
            Some(Model::Read { digest, content, .. }) => Some((digest, content.as_ref())),
            _ => None,
        };
        let Some(before) = before.filter(|before| *before != self.run.id) else { return };
        let (Some(new), Some(old)) = (of(self.run.id), of(before)) else { return };
        let is_same = match (new.1, old.1) {
            (Some(new), Some(old)) => new == old,
            _ => new.0 == old.0,
        };
        if is_same {
            answers.fault(State::ModelUnchanged, format!("the model is that of run {before}"));
        }
    }

    /// Whether the model got where it belongs.
    pub(super) fn deployed(&self, answers: &mut Answers) {
        let Some(deploy) = &self.judge.settings.expect.deploy else { return };
        let (Some(began), Some(ended)) = (self.run.asked(), self.run.ended()) else {
            return self.open(answers, "GitHub does not say when its run ended");
        };
        let within = SignedDuration::try_from(deploy.within).unwrap_or(SignedDuration::MAX);
        let deadline = ended.checked_add(within).unwrap_or(Timestamp::MAX);
        let (when, gap, what) = match &deploy.to {
            Target::Environment(name) => {
                let (when, gap) = self.live(began);
                (when, gap, format!("deployment to `{}`", text::one_line(name)))
            }
            Target::Workflow(file) => {
                let (when, gap) = self.followed(began);
                (when, gap, format!("successful run of {}", text::one_line(file)))
            }
        };
        let span = text::duration_setting(deploy.within);
        match (when, gap) {
            (Some(when), _) if when <= deadline => {}
            (_, Some(gap)) => self.open(answers, gap),
            (Some(when), None) => {
                let late = text::duration(since(ended, when));
                answers.fault(
                    State::NotDeployed,
                    format!("the first {what} came {late} after its end, not within {span}"),
                );
            }
            (None, None) if self.judge.facts.as_of <= deadline => {
                answers.awaited(format!("a {what} is awaited until {deadline}"));
            }
            (None, None) => answers.fault(State::NotDeployed, self.undeployed(deploy, &what)),
        }
    }

    fn undeployed(&self, deploy: &Deploy, what: &str) -> String {
        let of = match deploy.to {
            Target::Environment(_) => " of its commit",
            Target::Workflow(_) => "",
        };
        format!("no {what}{of} within {} of its end", text::duration_setting(deploy.within))
    }

    /// When a deployment of the run's commit, or of one that carries its model, first succeeded; and what is not known.
    fn live(&self, began: Timestamp) -> (Option<Timestamp>, Option<String>) {
        let list = &self.judge.facts.deployments;
        let is_own = |sha: &str| {
            let own = self.run.sha.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(sha));
            own || self.commits().any(|commit| commit.sha.eq_ignore_ascii_case(sha))
        };
        let created = list.items().iter().map(|one| one.created);
        let mut unknown = gap(list, "deployments").filter(|_| !reaches(list, created, began));
        let mut first: Option<Timestamp> = None;
        for deployment in list.items().iter().filter(|one| is_own(&one.sha)) {
            match deployment.created {
                Some(created) if created < began => continue,
                Some(_) => {}
                None => {
                    unknown = Some(format!("GitHub does not say when deployment {} was", deployment.id));
                    continue;
                }
            }
            unknown =
                unknown.or_else(|| gap(&deployment.statuses, &format!("the statuses of deployment {}", deployment.id)));
            for status in deployment.statuses.items().iter().filter(|one| one.state.as_deref() == Some("success")) {
                match status.created {
                    Some(at) => first = Some(first.map_or(at, |first| first.min(at))),
                    None => unknown = Some(format!("GitHub does not say when deployment {} succeeded", deployment.id)),
                }
            }
        }
        if self.run.sha.is_none() {
            unknown = unknown.or_else(|| Some("GitHub does not name the commit of its run".to_owned()));
        }
        (first, unknown)
    }

    /// When a run of the workflow that deploys, begun after this one, first succeeded; and what is not known.
    fn followed(&self, began: Timestamp) -> (Option<Timestamp>, Option<String>) {
        let list = &self.judge.facts.deploying;
        let created = list.items().iter().map(|run| run.created);
        let mut unknown = gap(list, "the runs that deploy").filter(|_| !reaches(list, created, began));
        let counts = |run: &&Run| run.event.as_deref().is_none_or(|event| !event.starts_with("pull_request"));
        let mut first: Option<Timestamp> = None;
        for run in list.items().iter().filter(counts).filter(|run| run.conclusion.as_deref() == Some("success")) {
            match (run.created, run.ended()) {
                (Some(created), Some(ended)) if created >= began => {
                    first = Some(first.map_or(ended, |first| first.min(ended)));
                }
                (Some(created), None) if created >= began => {
                    unknown = Some(format!("GitHub does not say when run {} ended", run.id));
                }
                (None, _) => unknown = Some(format!("GitHub does not say when run {} began", run.id)),
                _ => {}
            }
        }
        (first, unknown)
    }
}

/// Whether a list that only lacks its end holds all that was made since a moment: GitHub tells the newest first.
fn reaches<T>(list: &Listing<T>, created: impl Iterator<Item = Option<Timestamp>>, since: Timestamp) -> bool {
    let is_only_cut = matches!(list, Listing::Known { unreadable: 0, .. });
    is_only_cut && created.flatten().any(|at| at < since)
}

/// The beginning of a commit or a digest.
fn short(text: &str) -> String {
    text::shorten_plain(&text::one_line(text), 19)
}
