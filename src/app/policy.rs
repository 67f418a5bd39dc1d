//! Whose rules judge: on a pull request the base branch's, else the project's own.
//!
//! A change must not lower the limits that it is held against. What runs is another matter: checks are what is
//! checked out says they are, and one that the base branch has and the change drops is missed.

use camino::{Utf8Path, Utf8PathBuf};
use similar::{DiffOp, DiffTag};

use super::job::Job;
use super::told::Told;
use super::{Context, Stop};
use crate::check::CheckOutcome;
use crate::config::{self, Config, FILE_NAMES, LoadError, load};
use crate::evidence::problem::Code;
use crate::evidence::{Level, Problem};
use crate::gate::Gate;
use crate::record::Record;
use crate::repo::{self, Diff, FileAt};
use crate::sys::text;

/// The policy asks for a check that the evidence says nothing of.
pub const UNRUN: Code = Code {
    id: "check.unrun",
    level: Level::Loss,
    doc: "A check of the policy that judges is not among those that the run tells of: nobody knows how it would have ended.",
    hint: "let the run execute every check; a check that the change removes from the policy has to be removed in a change of its own",
};

/// The change alters the policy.
pub const CHANGED: Code = Code {
    id: "policy.changed",
    level: Level::Note,
    doc: "The pull request changes the policy. It is judged by the policy of its base branch; the new one holds once it is merged.",
    hint: "",
};

/// The change brings the first policy, or its first readable form, or a gate of a new name.
pub const NEW: Code = Code {
    id: "policy.new",
    level: Level::Warning,
    doc: "The base branch of the pull request has no policy to judge by, or none with the gate that was named, so the run is judged by what the pull request brings.",
    hint: "read the policy as a part of the change",
};

/// Nobody knows the base branch's policy.
pub const UNKNOWN: Code = Code {
    id: "policy.unknown",
    level: Level::Loss,
    doc: "The policy of the pull request's base branch could not be had, and the change must not be judged by its own rules alone.",
    hint: "run `mgmt ci baseline` with a token before (the action does), or check out with `fetch-depth: 0`",
};

/// Lines of a changed policy that are shown.
const SHOWN: usize = 20;
/// Lines of one text times lines of the other up to which they are compared one by one.
const MOST_COMPARED: usize = 4_000_000;

/// The policy that judges.
#[derive(Debug)]
pub struct Judging {
    /// It.
    pub config: Config,
    /// The commit it was taken from; `None` if it is the checked out one.
    pub commit: Option<String>,
    /// What makes it the one.
    pub standing: Standing,
}

/// How the policy that judges stands to the one that is checked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the same.
    Same,
    /// The change alters it, in these lines; text from outside.
    Changed(Vec<String>),
    /// The base branch has none to judge by, for this reason: the change's own judges.
    New(String),
    /// The base branch's could not be had, for this reason.
    Unknown(String),
}

/// A policy read somewhere in a repository.
#[derive(Debug)]
pub struct Found {
    /// It.
    pub config: Config,
    /// Its text.
    pub text: String,
}

/// The first of the files that a search from the current folder would look at, in a tree that `read` knows.
///
/// # Errors
/// What `read` says; `--config` names a place outside the repository.
pub fn first(
    context: &Context,
    mut read: impl FnMut(&Utf8Path) -> anyhow::Result<Option<Vec<u8>>>,
) -> anyhow::Result<Option<(Utf8PathBuf, Vec<u8>)>> {
    for name in candidates(context)? {
        if let Some(bytes) = read(&name)? {
            return Ok(Some((name, bytes)));
        }
    }
    Ok(None)
}

/// Where a search from the current folder would look, as paths from the repository's root.
///
/// # Errors
/// `--config` names a place outside the repository.
pub fn candidates(context: &Context) -> anyhow::Result<Vec<Utf8PathBuf>> {
    let names = load::candidates(&context.cwd, &root(context), context.config.as_deref());
    Ok(names.ok_or_else(|| {
        let file = context.config.as_deref().map_or("it", Utf8Path::as_str);
        let hint =
            "put the policy into the repository and name it there, as in `--config mgmt.yml`: only such a policy can \
                    be held against the base branch's"
                .to_owned();
        Stop::usage(format!("{} is no path in the repository", text::one_line(file)), Some(hint))
    })?)
}

/// The policy in a tree that `read` knows. `place` names the tree for people: ` on main of o/r`.
///
/// # Errors
/// What `read` says; an invalid policy, as [`LoadError::Invalid`].
pub fn find(
    context: &Context,
    place: &str,
    read: impl FnMut(&Utf8Path) -> anyhow::Result<Option<Vec<u8>>>,
) -> anyhow::Result<Option<Found>> {
    let Some((name, bytes)) = first(context, read)? else { return Ok(None) };
    let shown = format!("{name}{place}");
    if bytes.len() as u64 > load::MAX_BYTES {
        let hint = format!("a configuration has at most {}", text::bytes(load::MAX_BYTES));
        return Err(Stop::usage(format!("{shown} is too large"), Some(hint)).into());
    }
    let config = config::read(&bytes, &root(context), &name).map_err(|error| match error {
        LoadError::Invalid { text, problems, .. } => {
            LoadError::Invalid { path: Utf8PathBuf::from(&shown), text, problems }.into()
        }
        other => anyhow::Error::from(Stop::usage(other.to_string(), other.hint())),
    })?;
    Ok(Some(Found { config, text: String::from_utf8_lossy(&bytes).into_owned() }))
}

fn root(context: &Context) -> Utf8PathBuf {
    repo::find_root(&context.cwd).unwrap_or_else(|| context.cwd.clone())
}

/// What nobody found, for messages: the named file, or the usual one.
#[must_use]
pub fn wanted_name(context: &Context) -> String {
    text::one_line(context.config.as_deref().map_or(FILE_NAMES[0], Utf8Path::as_str))
}

/// The policy at a commit, as far as git or `ci baseline` knows it; `None` if neither does.
///
/// # Errors
/// An invalid policy.
pub fn at_hand(context: &Context, commit: &str, told: Option<&Told>) -> anyhow::Result<Option<Option<Found>>> {
    let root = root(context);
    let place = format!(" of the base branch ({})", commit.get(..10).unwrap_or(commit));
    let mut is_known = true;
    let found = find(context, &place, |name| match repo::file_at(&root, commit, name) {
        Ok(FileAt::Content(bytes)) => Ok(Some(bytes)),
        Ok(FileAt::Absent) => Ok(None),
        // GitHub follows links; here nobody knows what they lead to.
        Ok(FileAt::NoCommit | FileAt::Odd) | Err(_) => {
            is_known = false;
            Ok(None)
        }
    });
    // What stands behind an odd place may be another policy than the one that was found after it.
    if is_known {
        return found.map(Some);
    }
    // Whoever looked elsewhere did not learn what is here.
    let looked = candidates(context)?;
    let is_told = |told: &&Told| told.base.as_deref() == Some(commit) && told.looked == looked;
    let Some(told) = told.filter(is_told) else { return Ok(None) };
    let found = find(context, &place, |name| {
        let policy = told.policy.as_ref().filter(|policy| policy.path == name);
        Ok(policy.map(|policy| policy.text.clone().into_bytes()))
    })?;
    Ok(Some(found))
}

impl Judging {
    /// The one that is checked out.
    #[must_use]
    pub fn own(config: Config) -> Self {
        Self { config, commit: None, standing: Standing::Same }
    }

    /// The one for a run in this job: without a pull request the own one.
    ///
    /// # Errors
    /// The own policy cannot be read again.
    pub fn of_job(context: &Context, job: Option<&Job>, own: &Config) -> anyhow::Result<Self> {
        let Some(job) = job.filter(|job| job.event.starts_with("pull_request")) else {
            return Ok(Self::own(own.clone()));
        };
        let Some(pull) = &job.pull else {
            let why = "the event does not say which pull request it is".to_owned();
            return Ok(Self { standing: Standing::Unknown(why), ..Self::own(own.clone()) });
        };
        let told = Told::read(context);
        match at_hand(context, &pull.base_sha, told.as_ref()) {
            Ok(None) => {
                let why = format!("{} is not in this clone", pull.base_sha.get(..10).unwrap_or(&pull.base_sha));
                Ok(Self { standing: Standing::Unknown(why), ..Self::own(own.clone()) })
            }
            Ok(Some(found)) => Self::of_base(own, Ok(found), &pull.base_sha, pull.fork.is_some()),
            Err(error) => Self::of_base(own, Err(error), &pull.base_sha, pull.fork.is_some()),
        }
    }

    /// The base branch's, for a change whose own is `own`.
    ///
    /// # Errors
    /// The own policy cannot be read again, or what kept the base branch's away was no fault of its text.
    pub fn of_base(
        own: &Config,
        found: anyhow::Result<Option<Found>>,
        commit: &str,
        is_fork: bool,
    ) -> anyhow::Result<Self> {
        let why = match found {
            Ok(Some(found)) => {
                let bytes = std::fs::read(own.root.join(&own.path)).unwrap_or_default();
                let changes = changes(&found.text, &String::from_utf8_lossy(&bytes));
                return Ok(Self::changed_by(found, commit, changes));
            }
            Ok(None) => "the base branch has no policy".to_owned(),
            Err(error) => format!("the policy of the base branch is invalid: {}", error.downcast::<LoadError>()?),
        };
        // A stranger's rules judge nothing.
        let standing = if is_fork { Standing::Unknown(why) } else { Standing::New(why) };
        Ok(Self { standing, ..Self::own(own.clone()) })
    }

    /// The base branch's, with what the change does to it.
    #[must_use]
    pub fn changed_by(found: Found, commit: &str, changes: Vec<String>) -> Self {
        let standing = if changes.is_empty() { Standing::Same } else { Standing::Changed(changes) };
        Self { config: found.config, commit: Some(commit.to_owned()), standing }
    }

    /// The gate of this name, else the default one; where only the change has it, that one, with a word on it.
    ///
    /// # Errors
    /// No policy has such a gate.
    pub fn gate<'a>(
        &'a self,
        own: Option<&'a Config>,
        name: Option<&str>,
    ) -> Result<(Option<&'a Gate>, Option<Problem>), Stop> {
        let refused = match self.config.gate(name) {
            Ok(gate) => return Ok((gate, None)),
            Err(error) => Stop::usage(error.to_string(), Some(error.hint.clone())),
        };
        match own.filter(|_| self.commit.is_some()).map(|own| own.gate(name)) {
            Some(Ok(gate)) => {
                let told = format!("the base branch has no gate `{}`", text::one_line(name.unwrap_or_default()));
                Ok((gate, Some(Problem::new(&NEW, told).in_file(self.config.path.as_str()))))
            }
            _ => Err(refused),
        }
    }

    /// What is to be said of it.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let path = self.config.path.as_str();
        let problem = match &self.standing {
            Standing::Same => return Vec::new(),
            Standing::Changed(_) => {
                Problem::new(&CHANGED, format!("{path} is changed; the run is judged by the base branch's"))
            }
            Standing::New(why) => Problem::new(&NEW, format!("{why}; the run is judged by what the change brings")),
            Standing::Unknown(why) => Problem::new(&UNKNOWN, format!("whose rules are to judge is not known: {why}")),
        };
        vec![problem.in_file(path)]
    }

    /// How the change alters it; text from outside.
    #[must_use]
    pub fn changes(&self) -> &[String] {
        match &self.standing {
            Standing::Changed(changes) => changes,
            _ => &[],
        }
    }

    /// Takes over what is the policy's to say of outcomes: whether a failure is let through, and what it counts as.
    pub fn adjust(&self, outcomes: &mut [CheckOutcome]) {
        for outcome in outcomes {
            if let Some(check) = self.config.checks.iter().find(|check| check.id == outcome.id) {
                outcome.allow_failure = check.allow_failure;
                outcome.group.clone_from(&check.group);
            }
        }
    }

    /// Checks that it has and the run says nothing of.
    #[must_use]
    pub fn unrun(&self, outcomes: &[CheckOutcome], left_out: impl Fn(&str) -> bool) -> Vec<Problem> {
        let is_told = |id: &str| outcomes.iter().any(|check| check.id == id) || left_out(id);
        let absent = self.config.checks.iter().filter(|check| !check.allow_failure && !is_told(&check.id));
        absent.map(|check| Problem::new(&UNRUN, format!("the run says nothing of the check `{}`", check.id))).collect()
    }

    /// Writes into a record which one judged, if it is not the one that is checked out.
    pub fn sign(&self, record: &mut Record) {
        if self.commit.is_some() {
            record.policy.commit.clone_from(&self.commit);
        }
        record.policy.changed = matches!(self.standing, Standing::Changed(_));
    }
}

/// Lines that a text loses and gains, those that go before those that come.
#[must_use]
pub fn changes(old: &str, new: &str) -> Vec<String> {
    let lines = |text| str::lines(text).map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>();
    let (before, after) = (lines(old), lines(new));
    // Policies that are very long take very long to compare: of those the whole was exchanged.
    let ops = match before.len().saturating_mul(after.len()) <= MOST_COMPARED {
        true => similar::capture_diff_slices(similar::Algorithm::Myers, &before, &after),
        false => vec![DiffOp::Replace { old_index: 0, old_len: before.len(), new_index: 0, new_len: after.len() }],
    };
    let changed = || ops.iter().filter(|op| op.tag() != DiffTag::Equal);
    let gone = changed().flat_map(|op| &before[op.old_range()]).map(|line| signed('-', line));
    let come = changed().flat_map(|op| &after[op.new_range()]).map(|line| signed('+', line));
    let mut out: Vec<_> = gone.chain(come).collect();
    if out.is_empty() && old.trim_end() != new.trim_end() {
        out.push("only blank lines and spaces at ends of lines differ".to_owned());
    }
    shown(out)
}

/// The same from a unified diff of the whole project, if it is one. A file that it does not name is not changed.
#[must_use]
pub fn changes_in(diff: &str, path: &str) -> Option<Vec<String>> {
    let is_it = |name: &Option<String>| name.as_deref() == Some(path);
    // No line of a hunk begins like this, whatever stands in the file.
    let starts =
        diff.match_indices("diff --git ").map(|(at, _)| at).filter(|at| *at == 0 || diff[..*at].ends_with('\n'));
    let starts: Vec<_> = starts.chain([diff.len()]).collect();
    let mut section = None;
    for pair in starts.windows(2) {
        let text = &diff[pair[0]..pair[1]];
        let found =
            Diff::parse(text.as_bytes()).ok()?.files.into_iter().find(|file| is_it(&file.old) || is_it(&file.new));
        let found = found.map(|file| (file, text));
        // Another file may take the place of one that was moved away.
        let is_now = found.as_ref().is_some_and(|(file, _)| is_it(&file.new));
        section = if is_now { found } else { section.or(found) };
    }
    let Some((file, text)) = section else { return Some(Vec::new()) };
    if file.new.as_deref() != Some(path) {
        return Some(vec!["the change removes it".to_owned()]);
    }
    let changed = text.lines().skip_while(|line| !line.starts_with("@@ ")).filter_map(|line| {
        let sign = line.chars().next().filter(|sign| matches!(sign, '-' | '+'))?;
        Some((sign, &line[1..]))
    });
    let mut out: Vec<_> =
        changed.filter(|(_, line)| !line.trim().is_empty()).map(|(sign, line)| signed(sign, line)).collect();
    if out.is_empty() {
        out.push("only blank lines, its name or its rights differ".to_owned());
    }
    Some(shown(out))
}

fn signed(sign: char, line: &str) -> String {
    format!("{sign} {}", text::shorten(line.trim(), 200))
}

/// The first of them, and how many more there are.
fn shown(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!("and {} more", text::plural(more as u64, "line", "lines")));
    }
    lines
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
        assert_eq!(changes("a\nb\n", "b\na\n"), ["- b", "+ b"], "a line that moves is a change");
        assert_eq!(changes("a\nb\n", "a\n\nb \n"), ["only blank lines and spaces at ends of lines differ"]);
        assert_eq!(changes("a\na\n", "a\n"), ["- a"]);
        let diff = "diff --git a/x/mgmt.yml b/x/mgmt.yml\n--- a/x/mgmt.yml\n+++ b/x/mgmt.yml\n@@ -1 +1 @@\n-o\n+p\n\
                    diff --git a/mgmt.yml b/mgmt.yml\n--- a/mgmt.yml\n+++ b/mgmt.yml\n@@ -1,2 +1,2 @@\n-a\n+b\n c\n\
                    diff --git a/z b/z\n--- a/z\n+++ b/z\n@@ -1 +1 @@\n-q\n+r\n";
        assert_eq!(changes_in(diff, "mgmt.yml").unwrap(), ["- a", "+ b"]);
        assert_eq!(changes_in(diff, "x/mgmt.yml").unwrap(), ["- o", "+ p"]);
        assert_eq!(changes_in(diff, "other.yml").unwrap(), [""; 0]);
        let posing = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -0,0 +1,2 @@\n+++ b/mgmt.yml\n+harmless\n";
        assert_eq!(changes_in(&format!("{posing}{diff}"), "mgmt.yml").unwrap(), ["- a", "+ b"]);
        assert_eq!(changes_in(posing, "mgmt.yml").unwrap(), [""; 0]);
        let gone = "diff --git a/mgmt.yml b/old.yml\nsimilarity index 100%\nrename from mgmt.yml\nrename to old.yml\n";
        assert_eq!(changes_in(gone, "mgmt.yml").unwrap(), ["the change removes it"]);
        let moved = format!("{gone}diff --git a/n.yml b/mgmt.yml\n--- a/n.yml\n+++ b/mgmt.yml\n@@ -1 +1 @@\n-x\n+y\n");
        assert_eq!(changes_in(&moved, "mgmt.yml").unwrap(), ["- x", "+ y"]);
        assert_eq!(changes_in("diff --git a/a b/a\n@@ -x @@\n", "mgmt.yml"), None);
        let (one, other) = ("a\n".repeat(2_001), "b\n".repeat(2_001));
        assert_eq!(changes(&one, &other).last().unwrap(), "and 3982 lines more");
        let long: String = (0..50).map(|line| format!("x{line}\n")).collect();
        assert_eq!(changes("", &long).last().unwrap(), "and 30 lines more");
    }

    #[cfg(unix)]
    #[test]
    fn what_a_link_hides_is_not_at_hand() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        std::fs::create_dir(root.join(".github")).unwrap();
        std::os::unix::fs::symlink("elsewhere.yml", root.join("mgmt.yml")).unwrap();
        let context = Context {
            cwd: root.to_owned(),
            env: Default::default(),
            clock: crate::sys::clock::Clock::System,
            config: None,
            report_dir: None,
        };
        let git = |args: &[&str]| {
            let author = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
            assert!(
                std::process::Command::new("git").args(author).args(args).current_dir(root).status().unwrap().success()
            );
        };
        git(&["init", "-q"]);
        // Whether the policy after it can be read or not: it is not the one that counts.
        for second in ["version: 1\n", "version: [\n"] {
            std::fs::write(root.join(".github/mgmt.yml"), second).unwrap();
            git(&["add", "-A"]);
            git(&["commit", "-q", "-m", "one"]);
            let head = repo::state(root).unwrap().commit.unwrap();
            assert!(at_hand(&context, &head, None).unwrap().is_none(), "{second}");
        }
    }
}
