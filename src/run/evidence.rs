//! Report files: which of them belong to this run, and what they say.
//!
//! A report is fresh if it was not there just before its check started, or if its inode, size, or one of its
//! times changed since. Anything else is an earlier run's and is never read.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{BufRead as _, BufReader};
use std::sync::OnceLock;

use camino::Utf8Path;
use rayon::prelude::*;

use super::tree::DiskTree;
use crate::check::Check;
use crate::check::evidence::{From, Spec, is_glob};
use crate::check::outcome::Status;
use crate::check::paths::Tree as _;
use crate::evidence::coverage::paths::{GoModule, Match, Matcher, Project, Rule};
use crate::evidence::problem::{Code, DUPLICATE, MISSING, STALE, UNMATCHED, UNREADABLE};
use crate::evidence::{Bound, Evidence, Format, Kind, Limits, Origin, Problem, Repeats, collect};
use crate::repo;
use crate::sys::{fs as files, text};

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Signature {
    size: u64,
    /// Inode, modification and change time where the system has them.
    file: (u64, i128, i128),
}

impl Signature {
    #[cfg(unix)]
    fn of(meta: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Self {
            size: meta.len(),
            file: (meta.ino(), nanos(meta.mtime(), meta.mtime_nsec()), nanos(meta.ctime(), meta.ctime_nsec())),
        }
    }

    #[cfg(not(unix))]
    fn of(meta: &Metadata) -> Self {
        let since = |time: std::io::Result<std::time::SystemTime>| {
            let epoch = time.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            epoch.map_or(0, |since| i128::try_from(since.as_nanos()).unwrap_or(i128::MAX))
        };
        Self { size: meta.len(), file: (0, since(meta.modified()), since(meta.created())) }
    }
}

/// The report files of a check as they were just before it started.
#[derive(Debug, Default)]
pub struct Before(BTreeMap<String, Signature>);

impl Before {
    /// Looks at the files now.
    #[must_use]
    pub fn look(check: &Check, root: &Utf8Path) -> Self {
        let tree = DiskTree { root };
        let patterns = check.evidence.iter().flat_map(patterns);
        let found = patterns.flat_map(|pattern| tree.find(pattern).unwrap_or_default());
        Self(found.filter_map(|(path, _)| Some((path.clone(), signature(&root.join(&path))?))).collect())
    }
}

fn patterns(spec: &Spec) -> &[String] {
    match &spec.from {
        From::Files(files) => files,
        From::Output => &[],
    }
}

fn signature(path: &Utf8Path) -> Option<Signature> {
    fs::metadata(path).ok().map(|meta| Signature::of(&meta))
}

/// Reads the report files that a check left behind.
#[must_use]
pub fn gather(check: &Check, status: Status, before: &Before, root: &Utf8Path, limits: &Limits) -> Evidence {
    let tree = DiskTree { root };
    // A check that did not pass probably ended before it wrote: then its own output is where to look.
    let absent = |code: &Code, told: String, file: &str| {
        let mut problem = Problem::new(code, told).in_file(file);
        if status != Status::Passed {
            problem.hint =
                Some(format!("look at the output of `{}`: it {} and probably wrote nothing", check.id, status.word()));
        }
        problem
    };
    let mut problems = Vec::new();
    let mut wanted = Vec::new();
    for spec in &check.evidence {
        for pattern in patterns(spec) {
            let found = match tree.find(pattern) {
                Ok(found) => found,
                Err(why) => {
                    problems.push(Problem::new(&UNREADABLE, why).in_file(pattern));
                    continue;
                }
            };
            if found.is_empty() {
                let what = if is_glob(pattern) { "matched no file" } else { "was not written" };
                problems.push(absent(
                    &MISSING,
                    format!("the {} report of `{}` {what}", spec.kind.name(), check.id),
                    pattern,
                ));
            }
            for (path, _) in found {
                if before.0.get(&path).is_some_and(|before| signature(&root.join(&path)) == Some(*before)) {
                    let told = format!(
                        "`{}` left its {} report untouched: it belongs to an earlier run",
                        check.id,
                        spec.kind.name()
                    );
                    problems.push(absent(&STALE, told, &path));
                    continue;
                }
                let (kind, format, repeats) = (Some(spec.kind), spec.format, spec.repeats);
                let paths = spec.paths.clone();
                wanted.push(Wanted { path, check: check.id.clone(), kind, format, repeats, paths });
            }
        }
    }
    problems.extend(within(&mut wanted, &check.id, root, limits));
    let mut all = read_all(&wanted, root, limits);
    problems.append(&mut all.problems);
    all.problems = problems;
    all
}

/// Keeps the first report files whose number and size on disk are within the bounds; says which bound left out others.
fn within(wanted: &mut Vec<Wanted>, check: &str, root: &Utf8Path, limits: &Limits) -> Option<Problem> {
    let all = wanted.len();
    let mut bytes = 0_u64;
    let sized = wanted.iter().map(|file| fs::metadata(root.join(&file.path)).map_or(0, |meta| meta.len()));
    let fitting = sized.take_while(|size| {
        bytes = bytes.saturating_add(*size);
        bytes <= limits.reports_bytes
    });
    let kept = fitting.take(limits.reports).count();
    if kept == all {
        return None;
    }
    let (bound, what) = if kept == limits.reports { (Bound::Reports, "number") } else { (Bound::AllReports, "size") };
    let first = wanted.drain(kept..).next();
    let told = format!(
        "the {what} of the report files of `{check}` is larger than the limit of {}; {} not read, this one first",
        limits.show(bound),
        text::plural((all - kept) as u64, "file is", "files are"),
    );
    let problem = bound.problem(told);
    Some(match first {
        Some(file) => problem.in_file(file.path),
        None => problem,
    })
}

/// A report file to be read.
#[derive(Clone)]
pub struct Wanted {
    /// Its path from the root, or absolute.
    pub path: String,
    /// The check it belongs to; empty if to none.
    pub check: String,
    /// What it is about, where that is known.
    pub kind: Option<Kind>,
    /// Its format, where that is known.
    pub format: Option<&'static Format>,
    /// How repeated tests in it count.
    pub repeats: Repeats,
    /// Where its paths begin in the project.
    pub paths: Vec<Rule>,
}

/// The files of the project at `root`; without git, none is known and only literal paths match.
#[must_use]
pub fn project(root: &Utf8Path) -> Project {
    let files = repo::tracked(root).unwrap_or_default();
    let is_module = |file: &&String| file.as_str() == "go.mod" || file.ends_with("/go.mod");
    let modules = files.iter().filter(is_module).filter_map(|file| go_module(root, file)).collect();
    Project { root: root.to_string(), files: files.into_iter().collect(), modules }
}

/// Reads files, several at once, and adds them up in the order given. Files and project are those at `root`.
#[must_use]
pub fn read_all(wanted: &[Wanted], root: &Utf8Path, limits: &Limits) -> Evidence {
    let exists = |path: &str| root.join(path).is_file();
    let files = Files { root, matcher: OnceLock::new(), project: &|| project(root), exists: &exists };
    read_within(wanted, &files, limits)
}

/// The same for files at `root` that speak of a project which is not there.
#[must_use]
pub fn read_all_about(wanted: &[Wanted], root: &Utf8Path, project: &Project, limits: &Limits) -> Evidence {
    let exists = |path: &str| project.files.contains(path);
    let files = Files { root, matcher: OnceLock::new(), project: &|| project.clone(), exists: &exists };
    read_within(wanted, &files, limits)
}

/// Where reports lie, and what they are about.
struct Files<'a> {
    root: &'a Utf8Path,
    matcher: OnceLock<Matcher>,
    project: &'a (dyn Fn() -> Project + Sync),
    exists: &'a (dyn Fn(&str) -> bool + Sync),
}

impl Files<'_> {
    /// Made when the first report needs it: most hold no paths.
    fn matcher(&self) -> &Matcher {
        self.matcher.get_or_init(|| {
            let Project { root, files, modules } = (self.project)();
            Matcher::new(&root, files, modules)
        })
    }
}

fn read_within(wanted: &[Wanted], files: &Files<'_>, limits: &Limits) -> Evidence {
    let root = files.root;
    let read: Vec<_> = wanted.par_iter().map(|file| read_file(file, files, limits)).collect();
    let mut all = Evidence::default();
    for (at, (evidence, file)) in read.into_iter().zip(wanted).enumerate() {
        let is_coverage = evidence.reports.iter().any(|report| report.kind == Kind::Coverage);
        if is_coverage
            && let Some(same) =
                wanted[..at].iter().find(|other| is_same_file(&root.join(&other.path), &root.join(&file.path)))
        {
            let told = format!("the same to the byte as `{}`, which is counted", same.path);
            all.problems.push(Problem::new(&DUPLICATE, told).in_file(&file.path));
            continue;
        }
        all.merge(evidence, file.repeats);
    }
    all
}

/// Whether two files hold the same bytes. Files of different sizes are not read.
fn is_same_file(a: &Utf8Path, b: &Utf8Path) -> bool {
    let size = |path: &Utf8Path| fs::metadata(path).map(|meta| meta.len()).ok();
    if size(a).is_none() || size(a) != size(b) {
        return false;
    }
    let (Ok(a), Ok(b)) = (File::open(a), File::open(b)) else { return false };
    let (mut a, mut b) = (BufReader::new(a), BufReader::new(b));
    loop {
        let (Ok(left), Ok(right)) = (a.fill_buf(), b.fill_buf()) else { return false };
        let count = left.len().min(right.len());
        if count == 0 {
            return left.len() == right.len();
        }
        if left[..count] != right[..count] {
            return false;
        }
        a.consume(count);
        b.consume(count);
    }
}

/// The `module` line of a go.mod (<https://go.dev/ref/mod#go-mod-file-module>).
fn go_module(root: &Utf8Path, file: &str) -> Option<GoModule> {
    let text = files::read(&root.join(file), 1 << 20).ok()?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find_map(|line| line.trim().strip_prefix("module ").map(str::to_owned))?;
    let path = line.split("//").next().unwrap_or_default().trim().trim_matches('"').to_owned();
    Some(GoModule { path, folder: file.strip_suffix("go.mod")?.trim_end_matches('/').to_owned() })
}

fn read_file(file: &Wanted, files: &Files<'_>, limits: &Limits) -> Evidence {
    let origin = Origin { check: &file.check, path: &file.path, repeats: file.repeats };
    let full = files.root.join(&file.path);
    // A pipe or a device would be read forever.
    let opened = match fs::metadata(&full) {
        Ok(meta) if !meta.is_file() => Err("it is not a plain file".to_owned()),
        _ => File::open(&full).map_err(|error| error.to_string()),
    };
    match opened {
        Ok(opened) => {
            let mut read = collect::read(opened, file.kind, file.format, &origin, limits);
            match_paths(&mut read, file, files);
            read
        }
        Err(why) => {
            let problem = Problem::new(&UNREADABLE, format!("the report cannot be read: {why}")).in_file(&file.path);
            let hint = Some("look whether the path is right, and whether the file may be read".to_owned());
            Evidence { problems: vec![Problem { hint, ..problem }], ..Evidence::default() }
        }
    }
}

/// Puts coverage on the project's own files and notes what fits none.
fn match_paths(read: &mut Evidence, file: &Wanted, files: &Files<'_>) {
    if read.coverage.is_empty() {
        return;
    }
    let roots = std::mem::take(&mut read.source_roots);
    let mut lost = Vec::new();
    read.coverage = std::mem::take(&mut read.coverage).matched(|path| {
        let found = files.matcher().find(path, &file.paths, &roots, &|path| (files.exists)(path));
        match &found {
            Match::File(_) => {}
            Match::None => lost.push(format!("`{}`", text::one_line(path))),
            Match::Ambiguous(files) => lost.push(format!("`{}` (one of {})", text::one_line(path), files.join(", "))),
        }
        found
    });
    if !lost.is_empty() {
        let count = text::plural(lost.len() as u64, "source file is", "source files are");
        let more = if lost.len() > UNMATCHED_SHOWN {
            format!(" and {} more", lost.len() - UNMATCHED_SHOWN)
        } else {
            String::new()
        };
        lost.truncate(UNMATCHED_SHOWN);
        let told = format!("{count} no file of the project: {}{more}", lost.join(", "));
        read.problems.push(Problem::new(&UNMATCHED, told).in_file(&file.path));
    }
}

/// Unmatched source files named before the rest is counted.
const UNMATCHED_SHOWN: usize = 10;
