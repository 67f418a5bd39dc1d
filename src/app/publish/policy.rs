//! Whose rules judge what is published: on a pull request the base branch's, for a run elsewhere the default
//! branch's, else the project's own.

use super::Link;
use super::subject::{Pull, Subject};
use crate::app::policy::{self, Found, Judging, Standing};
use crate::app::told::Diff;
use crate::app::{Context, Stop, remote};
use crate::config::LoadError;

/// Finds it.
///
/// `change` is what the pull request changes, where it is not checked out.
pub(super) fn of(
    context: &Context,
    link: Option<&Link>,
    subject: &Subject,
    change: Option<&Diff>,
) -> anyhow::Result<Judging> {
    match (&subject.pull, link) {
        (Some(pull), Some(link)) if subject.is_here => {
            let own = context.load()?;
            let found = match policy::at_hand(context, &pull.base_sha, None) {
                Ok(None) => there(context, link, &pull.base_sha),
                Ok(Some(found)) => Ok(found),
                Err(error) => Err(error),
            };
            let judging = Judging::of_base(&own, found, &pull.base_sha, pull.fork.is_some())?;
            match &judging.standing {
                Standing::Unknown(why) => Err(unjudged(why).into()),
                _ => Ok(judging),
            }
        }
        (Some(pull), Some(link)) => elsewhere(context, link, subject, pull, change),
        (None, Some(link)) if !subject.is_here => {
            let repository = link.client.repository(&link.slug).map_err(Stop::from)?;
            let found = there(context, link, &repository.default_branch)?.ok_or_else(|| {
                let told = format!("the branch {} of {} has no policy", repository.default_branch, link.slug);
                Stop::undecided(told, Some("`mgmt init` writes one".to_owned()))
            })?;
            Ok(Judging::own(found.config))
        }
        _ => Ok(Judging::own(context.load()?)),
    }
}

/// Of a pull request whose project is not checked out.
fn elsewhere(
    context: &Context,
    link: &Link,
    subject: &Subject,
    pull: &Pull,
    change: Option<&Diff>,
) -> anyhow::Result<Judging> {
    let head = || there(context, link, subject.commit.as_deref().unwrap_or_default());
    let why = match there(context, link, &pull.base_sha) {
        Ok(Some(found)) => {
            let name = &found.config.path;
            let in_diff = match change {
                Some(Diff::Text(change)) => policy::changes_in(change, name.as_str()),
                _ => None,
            };
            let changes = match in_diff {
                Some(changes) => changes,
                // A change that is too large to be shown is looked for in the file itself.
                None => {
                    let at = subject.commit.as_deref().unwrap_or_default();
                    match link.client.file(&link.slug, name.as_str(), at).map_err(Stop::from)? {
                        Some(new) => policy::changes(&found.text, &String::from_utf8_lossy(&new)),
                        None => vec!["the change removes it".to_owned()],
                    }
                }
            };
            return Ok(Judging::changed_by(found, &pull.base_sha, changes));
        }
        Ok(None) => "the base branch has no policy".to_owned(),
        Err(error) => format!("the policy of the base branch is invalid: {}", error.downcast::<LoadError>()?),
    };
    if pull.fork.is_some() {
        return Err(unjudged(&why).into());
    }
    let own = head()?.ok_or_else(|| unjudged(&why))?;
    Ok(Judging { standing: Standing::New(why), ..Judging::own(own.config) })
}

fn unjudged(why: &str) -> Stop {
    let hint = "put a mgmt.yml on the base branch first".to_owned();
    Stop::undecided(format!("there is no policy to judge by: {why}"), Some(hint))
}

/// The policy at a commit or a branch.
fn there(context: &Context, link: &Link, at: &str) -> anyhow::Result<Option<Found>> {
    remote::policy(context, &link.client, &link.slug, at, &format!(" at {} of {}", short(at), link.slug))
}

fn short(at: &str) -> &str {
    let is_hash = at.len() == 40 && at.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { &at[..10] } else { at }
}
