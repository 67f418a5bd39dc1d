//! The way to GitHub for a use case: which API, which repository, whose token.

use std::time::Duration;

use super::job::Job;
use super::{Context, Stop, policy};
use crate::github::{Client, Error, Hooks, List, Slug};
use crate::repo;
use crate::sys::listing::Listing;
use crate::sys::secret::Secret;
use crate::sys::{env, text};

/// Where the API is if nobody says otherwise.
const API: &str = "https://api.github.com";

/// A client with the token of the environment, or without one.
///
/// # Errors
/// A token that cannot be one, or an address that is none.
pub fn connect(context: &Context, tell: impl Fn(&str) + 'static) -> anyhow::Result<Client> {
    let sleep = Box::new(|time: Duration| std::thread::sleep(time));
    let hooks = Hooks { sleep, tell: Box::new(tell), clock: context.clock };
    let api = context.env.get(env::GITHUB_API_URL).unwrap_or(API);
    Ok(Client::new(api, token(context)?.as_ref(), hooks).map_err(Stop::from)?)
}

/// The token, if there is one.
///
/// # Errors
/// One that cannot be sent.
pub fn token(context: &Context) -> anyhow::Result<Option<Secret>> {
    for name in env::GITHUB_TOKENS {
        if let Some(value) = context.env.get(name) {
            let hint = Some(format!("set {name} to the token alone, or unset it"));
            let token =
                Secret::new(value).map_err(|error| Stop::usage(format!("{name} is no token: {error}"), hint))?;
            return Ok(Some(token));
        }
    }
    Ok(None)
}

/// Who writes with the token that GitHub gives to a job.
const ACTIONS: &str = "github-actions[bot]";

/// Whether a token is one that GitHub gives to a job or an app, which cannot ask who it is.
#[must_use]
pub fn is_installation(token: &Secret) -> bool {
    // docs.github.com, "About authentication to GitHub": the prefix of tokens of an app's installation.
    token.expose().starts_with("ghs_")
}

/// Who the token writes as. Somebody has to say it where GitHub does not, and nobody may say otherwise where it does:
/// what the token wrote would not be found again.
///
/// # Errors
/// A name that is not the token's, and whatever keeps GitHub's answer away.
pub fn author(client: &Client, is_installation: bool, given: Option<&str>) -> Result<String, Stop> {
    if is_installation {
        return Ok(given.unwrap_or(ACTIONS).to_owned());
    }
    match (client.login(), given) {
        (Ok(login), Some(given)) if !login.eq_ignore_ascii_case(given) => {
            let (login, given) = (text::one_line(&login), text::one_line(given));
            let told = format!("the token writes as {login}, and `--author {given}` says otherwise");
            Err(Stop::usage(told, Some("leave `--author` out, or use the token of that account".to_owned())))
        }
        (Ok(login), _) => Ok(login),
        (Err(error), Some(given)) if error.is_forbidden() => Ok(given.to_owned()),
        (Err(error), _) => Err(error.into()),
    }
}

/// The repository that is meant: the one that was named, that of the job, or that of the remote `origin`.
///
/// # Errors
/// None of these, or a name that is none.
pub fn slug(context: &Context, named: Option<&str>) -> anyhow::Result<Slug> {
    let hint = || Some("name it: --repo OWNER/NAME".to_owned());
    let from_job = || {
        Job::of(context)
            .map(|job| job.repository)
            .or_else(|| context.env.get(env::GITHUB_REPOSITORY).map(str::to_owned))
    };
    let name = match named.map(str::to_owned).or_else(from_job) {
        Some(name) => name,
        None => {
            let url = repo::origin(&context.cwd).ok().flatten();
            let url = url.ok_or_else(|| Stop::usage("the repository on GitHub is not known", hint()))?;
            let (host, name) = repository_of(&url).unwrap_or_default();
            if !hosts(context).any(|known| known.eq_ignore_ascii_case(&host)) {
                // What is elsewhere may be called like somebody else's on GitHub.
                let message = match host.is_empty() {
                    true => "the remote `origin` is not on GitHub".to_owned(),
                    false => format!("the remote `origin` is at {}, not on GitHub", text::one_line(&host)),
                };
                return Err(Stop::usage(message, hint()).into());
            }
            name
        }
    };
    Ok(name.parse().map_err(|error| Stop::usage(format!("`{}`: {error}", text::one_line(&name)), hint()))?)
}

/// The policy at a commit or a branch of the repository; `None` if there is none. `place` names it for people.
///
/// # Errors
/// Whatever keeps GitHub's answer away, and an invalid policy.
pub fn policy(
    context: &Context,
    client: &Client,
    slug: &Slug,
    at: &str,
    place: &str,
) -> anyhow::Result<Option<policy::Found>> {
    policy::find(context, place, |name| Ok(client.file(slug, name.as_str(), at).map_err(Stop::from)?))
}

/// Hosts whose repositories are on GitHub, or on the installation that is asked.
fn hosts(context: &Context) -> impl Iterator<Item = String> {
    let host = |name: &str| {
        let url: url::Url = context.env.get(name)?.parse().ok()?;
        Some(url.host_str()?.trim_start_matches("api.").to_owned())
    };
    let own = [host(env::GITHUB_SERVER_URL), host(env::GITHUB_API_URL)];
    ["github.com", "www.github.com", "ssh.github.com"].map(str::to_owned).into_iter().chain(own.into_iter().flatten())
}

/// The host and `owner/name` of an address that git pushes to: the last two parts of its path.
fn repository_of(url: &str) -> Option<(String, String)> {
    let path = url.trim_end_matches('/').trim_end_matches(".git");
    let (rest, name) = path.rsplit_once('/')?;
    let owner = rest.rsplit(['/', ':']).next()?;
    let (place, _) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?,
        // `git@host:owner/name`; a path has a slash before any colon.
        None => url.split_once(':').filter(|(host, _)| !host.contains('/'))?,
    };
    let host = place.rsplit('@').next()?.split(':').next()?;
    Some((host.to_owned(), format!("{owner}/{name}")))
}

/// A list, or why there is none.
pub(super) fn listing<T, U>(asked: Result<List<T>, Error>, each: impl FnMut(T) -> U) -> Listing<U> {
    match asked {
        Ok(List { items, truncated, unreadable }) => {
            Listing::Known { items: items.into_iter().map(each).collect(), truncated, unreadable: unreadable.len() }
        }
        Err(error) if error.is_missing() => Listing::Absent,
        Err(error) => {
            let next = error.hint().unwrap_or_else(|| "try again when GitHub answers".to_owned());
            // Without the request's number: what is asked again tomorrow and fails in the same way is the same.
            Listing::Unknown { why: format!("{}: {}", error.what, error.cause), next }
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::undecided(error.to_string(), error.hint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_remotes_name_repositories() {
        for (url, host) in [
            ("https://github.com/o/r.git", "github.com"),
            ("https://me:pw@github.com/o/r", "github.com"),
            ("git@github.com:o/r.git", "github.com"),
            ("github.com:o/r", "github.com"),
            ("ssh://git@ghe.example:22/o/r/", "ghe.example"),
            ("git@gitlab.com:o/r.git", "gitlab.com"),
            ("file:///o/r", ""),
        ] {
            assert_eq!(repository_of(url), Some((host.to_owned(), "o/r".to_owned())), "{url}");
        }
        for url in ["nothing", "/o/r", "../o/r", "./a:b/o/r"] {
            assert_eq!(repository_of(url), None, "{url}");
        }
    }
}
