//! Whose rules judge: on a pull request the base branch's, for a run elsewhere the default branch's, else the
//! project's own.

use camino::Utf8Path;

use super::Link;
use super::subject::{Pull, Subject};
use crate::app::{Context, Stop};
use crate::config::{self, Config, FILE_NAMES, LoadError};
use crate::sys::text;

/// Lines of a changed policy that are shown.
const SHOWN: usize = 20;

/// The policy that judges.
#[derive(Debug)]
pub(super) struct Judging {
    /// It.
    pub(super) config: Config,
    /// The commit it was taken from; `None` if it is the checked out one.
    pub(super) commit: Option<String>,
    /// Whether the change alters it.
    pub(super) changed: bool,
    /// How; text from outside.
    pub(super) changes: Vec<String>,
    /// Whether there was none before.
    pub(super) is_new: bool,
}

/// Finds it.
pub(super) fn of(context: &Context, link: Option<&Link>, subject: &Subject) -> anyhow::Result<Judging> {
    match (&subject.pull, link) {
        (Some(pull), Some(link)) => of_base(context, link, subject, pull),
        (None, Some(link)) if !subject.is_here => {
            let repository = link.client.repository(&link.slug).map_err(Stop::from)?;
            let (config, _) = there(context, link, &repository.default_branch)?.ok_or_else(|| {
                let told = format!("the branch {} of {} has no policy", repository.default_branch, link.slug);
                Stop::undecided(told, Some("`mgmt init` writes one".to_owned()))
            })?;
            Ok(Judging::as_it_is(config))
        }
        _ => Judging::own(context),
    }
}

impl Judging {
    /// The one that is checked out.
    fn own(context: &Context) -> anyhow::Result<Self> {
        Ok(Self::as_it_is(context.load()?))
    }

    fn as_it_is(config: Config) -> Self {
        Self { config, commit: None, changed: false, changes: Vec::new(), is_new: false }
    }
}

fn of_base(context: &Context, link: &Link, subject: &Subject, pull: &Pull) -> anyhow::Result<Judging> {
    let head = if subject.is_here { own_text(context) } else { None };
    let Some((config, old)) = there(context, link, &pull.base_sha)? else {
        if pull.fork.is_some() {
            let hint = "put a mgmt.yml on the base branch first".to_owned();
            return Err(Stop::undecided("the base branch has no policy to judge a fork by", Some(hint)).into());
        }
        return Ok(Judging { is_new: true, ..Judging::own(context)? });
    };
    let new = match head {
        Some(head) => Some(head),
        None => {
            let path = config.path.as_str();
            let at = subject.commit.as_deref().unwrap_or_default();
            link.client.file(&link.slug, path, at).map_err(Stop::from)?.map(|bytes| lossy(&bytes))
        }
    };
    let changes = match &new {
        Some(new) => changes(&old, new),
        None => vec!["the change removes it".to_owned()],
    };
    Ok(Judging { config, commit: Some(pull.base_sha.clone()), changed: !changes.is_empty(), changes, is_new: false })
}

/// The policy at a commit or a branch, with its text.
fn there(context: &Context, link: &Link, at: &str) -> anyhow::Result<Option<(Config, String)>> {
    let root = crate::repo::find_root(&context.cwd).unwrap_or_else(|| context.cwd.clone());
    let named = context.config.as_ref().map(|path| {
        let path = context.cwd.join(path);
        path.strip_prefix(&root).map_or_else(|_| path.to_string(), ToString::to_string)
    });
    let names: Vec<String> = match named {
        Some(name) => vec![name],
        None => FILE_NAMES.iter().map(ToString::to_string).collect(),
    };
    for name in names {
        let Some(bytes) = link.client.file(&link.slug, &name, at).map_err(Stop::from)? else { continue };
        let config = config::read(&bytes, &root, Utf8Path::new(&name)).map_err(|error| match error {
            LoadError::Invalid { .. } => anyhow::Error::from(error),
            other => Stop::usage(other.to_string(), other.hint()).into(),
        })?;
        return Ok(Some((config, lossy(&bytes))));
    }
    Ok(None)
}

/// The text of the policy that is checked out.
fn own_text(context: &Context) -> Option<String> {
    let config = context.load().ok()?;
    std::fs::read(config.root.join(&config.path)).ok().map(|bytes| lossy(&bytes))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Lines that only one of two texts has, those that go before those that come.
fn changes(old: &str, new: &str) -> Vec<String> {
    let only_in = |one: &str, other: &str, sign: char| {
        let mut left: Vec<&str> = other.lines().map(str::trim_end).collect();
        let mut out = Vec::new();
        for line in one.lines().map(str::trim_end) {
            match left.iter().position(|known| *known == line) {
                Some(at) => drop(left.swap_remove(at)),
                None if line.trim().is_empty() => {}
                None => out.push(format!("{sign} {}", text::shorten(line.trim(), 200))),
            }
        }
        out
    };
    let mut out = only_in(old, new, '-');
    out.extend(only_in(new, old, '+'));
    if out.is_empty() && old.trim_end() != new.trim_end() {
        out.push("its lines stand in another order".to_owned());
    }
    let more = out.len().saturating_sub(SHOWN);
    out.truncate(SHOWN);
    if more > 0 {
        out.push(format!("and {} more", text::plural(more as u64, "line", "lines")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_change_alters_is_listed() {
        let old = "version: 1\ngate:\n  - { metric: tests.failed, max: 0 }\n";
        assert_eq!(changes(old, old), [""; 0]);
        assert_eq!(
            changes(old, &old.replace("max: 0", "max: 9")),
            ["- - { metric: tests.failed, max: 0 }", "+ - { metric: tests.failed, max: 9 }"]
        );
        assert_eq!(changes("a\nb\n", "b\na\n"), ["its lines stand in another order"]);
        assert_eq!(changes("a\na\n", "a\n"), ["- a"]);
        let long: String = (0..50).map(|line| format!("x{line}\n")).collect();
        assert_eq!(changes("", &long).last().unwrap(), "and 30 lines more");
    }
}
