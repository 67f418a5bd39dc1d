//! Writing to each target, one after the other: what fails is noted, and the next one follows.

use camino::Utf8PathBuf;

use super::subject::Subject;
use super::{Link, Published, Request};
use crate::app::check::Failure;
use crate::app::{Context, remote, step};
use crate::github::{self, Slug};
use crate::publish::comment::{self, Comment};
use crate::publish::{self, Target, badge, check_run};
use crate::sys::text;

/// Where a result goes, and what is known of the place.
pub(super) struct Where<'a> {
    pub(super) context: &'a Context,
    pub(super) request: &'a Request,
    pub(super) link: Option<&'a Link>,
    pub(super) subject: &'a Subject,
    pub(super) shown: &'a publish::Context,
    /// The report's files.
    pub(super) written: &'a [Utf8PathBuf],
}

/// What became of one target.
enum Outcome {
    Done(String),
    /// There is nothing to do; said only to who asked for it.
    Idle(String),
    Failed(Failure),
}

/// Writes to all of them.
pub(super) fn write(place: &Where<'_>, targets: &[(Target, bool)], published: &mut Published) {
    let mut comment_url = None;
    let mut targets = targets.to_vec();
    let mut at = 0;
    while let Some((target, is_named)) = targets.get(at).copied() {
        at += 1;
        let outcome = match target {
            Target::Comment => place.comment(published, &mut comment_url),
            Target::Check => place.check(published),
            Target::Summary => place.summary(published),
            Target::Outputs => place.outputs(published, comment_url.as_deref()),
            Target::Badge => place.badge(published),
        };
        match outcome {
            Outcome::Done(told) => published.done.push(told),
            Outcome::Idle(told) if is_named => {
                published.failures.push(Failure { message: told, hint: None });
            }
            Outcome::Idle(_) => {}
            Outcome::Failed(failure) => {
                published.failures.push(failure);
                // What could not be shown on the pull request is shown at least in the job.
                let has_summary = targets.iter().any(|(target, _)| *target == Target::Summary);
                if matches!(target, Target::Comment | Target::Check) && !has_summary {
                    targets.push((Target::Summary, false));
                }
            }
        }
    }
}

fn failed(what: &str, error: &github::Error) -> Outcome {
    let hint = match error.is_forbidden() {
        true => error.hint().map(|hint| format!("{hint}; the token of a fork's pull request may only read")),
        false => error.hint(),
    };
    Outcome::Failed(Failure { message: format!("{what}: {error}"), hint })
}

impl Where<'_> {
    fn comment(&self, published: &Published, url: &mut Option<String>) -> Outcome {
        let Some(pull) = &self.subject.pull else {
            let why = self.subject.no_pull.clone();
            return match why {
                Some(why) => Outcome::Failed(Failure { message: format!("no comment was written: {why}"), hint: None }),
                None => Outcome::Idle("no comment was written: this is no pull request".to_owned()),
            };
        };
        let Some(link) = self.link.filter(|link| link.has_token) else {
            let hint = Some("set GITHUB_TOKEN; in the action it is the input `token`".to_owned());
            return Outcome::Failed(Failure { message: "no comment was written: there is no token".to_owned(), hint });
        };
        // The event of a run that is started again is as old as the first time; other runs were asked about already.
        let now = self.subject.is_here.then(|| link.client.pull_request(&link.slug, pull.number));
        let head = now.and_then(Result::ok).map(|now| now.head.sha);
        if let Some(head) = head.filter(|head| self.subject.commit.as_ref() != Some(head)) {
            let head = text::one_line(head.get(..10).unwrap_or(&head));
            let message = format!("no comment was written: the newest commit of the pull request is {head} by now");
            return Outcome::Failed(Failure { message, hint: None });
        }
        let author = match remote::author(&link.client, link.is_installation, self.request.author.as_deref()) {
            Ok(author) => author,
            Err(stop) => {
                let message = format!("the comment was not written: {stop}");
                return Outcome::Failed(Failure { message, hint: stop.hint });
            }
        };
        match self.keep_comment(link, pull.number, &author, published) {
            Ok((told, at)) => {
                *url = at;
                Outcome::Done(told)
            }
            Err(error) => failed("the comment was not written", &error),
        }
    }

    fn keep_comment(
        &self,
        link: &Link,
        number: u64,
        author: &str,
        published: &Published,
    ) -> Result<(String, Option<String>), github::Error> {
        let marker = comment::marker(&self.shown.key);
        let listed = link.client.comments(&link.slug, number)?;
        let known = known(&listed.items);
        let choice = comment::choose(&known, author, &marker);
        let old = choice.update.map(|old| old.body.as_str());
        let url_of = |id: u64| listed.items.iter().find(|one| one.id == id).and_then(|one| one.html_url.clone());
        let body = comment::body(&published.record, self.shown);
        let done = if !comment::is_wanted(self.request.when, &published.record, old) {
            ("comment: not wanted for this result".to_owned(), choice.update.and_then(|old| url_of(old.id)))
        } else {
            match choice.update {
                Some(old) if comment::is_same(&old.body, &body) => {
                    ("comment: says the same already".to_owned(), url_of(old.id))
                }
                Some(old) => {
                    let rewritten = rewrite(link, &link.slug, number, old.id, &body)?;
                    ("comment: rewritten".to_owned(), rewritten.html_url)
                }
                None => {
                    let made = create(link, &link.slug, number, &body, author, &marker)?;
                    let writer = made.user.as_ref().map_or(author, |user| user.login.as_str());
                    let told = match writer == author {
                        true => "comment: written".to_owned(),
                        // An app's token looks like a job's own, and cannot ask who it is.
                        false => {
                            let writer = text::one_line(writer);
                            format!(
                                "comment: written by {writer}; without `--author {writer}` each run writes a new one"
                            )
                        }
                    };
                    (told, made.html_url)
                }
            }
        };
        let (mut told, url) = done;
        for extra in &choice.delete {
            match link.client.remove_comment(&link.slug, extra.id) {
                Err(error) if !error.is_missing() => {
                    told.push_str(&format!("; an extra one was not removed: {}", error.cause));
                }
                _ => {}
            }
        }
        Ok((told, url))
    }

    fn check(&self, published: &Published) -> Outcome {
        let (Some(link), Some(sha)) = (self.link.filter(|link| link.has_token), &self.subject.commit) else {
            let hint = Some("set GITHUB_TOKEN; in the action it is the input `token`".to_owned());
            let message = "no check run was made: there is no token, or no commit".to_owned();
            return Outcome::Failed(Failure { message, hint });
        };
        let requests = check_run::requests(&published.record, self.shown, sha);
        let bodies = serde_json::to_value(&requests.create).and_then(|create| {
            let updates: Result<Vec<_>, _> = requests.updates.iter().map(serde_json::to_value).collect();
            Ok((create, updates?))
        });
        let (create, updates) = match bodies {
            Ok(bodies) => bodies,
            Err(error) => return Outcome::Failed(Failure { message: error.to_string(), hint: None }),
        };
        match link.client.make_check_run(&link.slug, &create, &updates) {
            Ok(_) => Outcome::Done(format!("check run: made on {}", sha.get(..10).unwrap_or(sha))),
            Err(error) => failed("the check run was not made", &error),
        }
    }

    fn summary(&self, published: &Published) -> Outcome {
        match step::summary(self.context, &published.record, self.shown) {
            Some(Ok(())) => Outcome::Done("job summary: written".to_owned()),
            Some(Err(failure)) => Outcome::Failed(failure),
            None => Outcome::Idle("no job summary was written: GITHUB_STEP_SUMMARY is not set".to_owned()),
        }
    }

    fn outputs(&self, published: &Published, comment_url: Option<&str>) -> Outcome {
        match step::outputs(self.context, &published.record, self.written, comment_url) {
            Some(Ok(())) => Outcome::Done("outputs: written".to_owned()),
            Some(Err(failure)) => Outcome::Failed(failure),
            None => Outcome::Idle("no outputs were written: GITHUB_OUTPUT is not set".to_owned()),
        }
    }

    fn badge(&self, published: &Published) -> Outcome {
        let Some(path) = &self.request.badge else {
            let hint = Some("--badge FILE names the file, such as badge.svg".to_owned());
            return Outcome::Failed(Failure {
                message: "no badge was written: its file is not named".to_owned(),
                hint,
            });
        };
        match badge::write(&self.context.cwd.join(path), &badge::Badge::of(&published.record)) {
            Ok(()) => Outcome::Done(format!("badge: {path}")),
            Err(error) => Outcome::Failed(step::unwritten(&error)),
        }
    }
}

fn known(listed: &[github::Comment]) -> Vec<Comment> {
    let of = |one: &github::Comment| Comment {
        id: one.id,
        author: one.user.as_ref().map(|user| user.login.clone()).unwrap_or_default(),
        body: one.body.clone().unwrap_or_default(),
    };
    listed.iter().map(of).collect()
}

/// Writes a comment once. If nobody knows whether it was written, looks.
fn create(
    link: &Link,
    slug: &Slug,
    number: u64,
    body: &str,
    author: &str,
    marker: &str,
) -> Result<github::Comment, github::Error> {
    match link.client.comment(slug, number, body) {
        Err(error) if error.is_unclear() => {
            let listed = link.client.comments(slug, number)?;
            let found = comment::choose(&known(&listed.items), author, marker).update.map(|found| found.id);
            listed.items.into_iter().find(|one| Some(one.id) == found).ok_or(error)
        }
        other => other,
    }
}

/// Rewrites a comment once. If nobody knows whether it was rewritten, looks.
fn rewrite(link: &Link, slug: &Slug, number: u64, id: u64, body: &str) -> Result<github::Comment, github::Error> {
    match link.client.rewrite_comment(slug, id, body) {
        Err(error) if error.is_unclear() => {
            let listed = link.client.comments(slug, number)?;
            let is_done = |one: &github::Comment| {
                one.id == id && one.body.as_deref().is_some_and(|there| comment::is_same(there, body))
            };
            listed.items.into_iter().find(is_done).ok_or(error)
        }
        other => other,
    }
}
