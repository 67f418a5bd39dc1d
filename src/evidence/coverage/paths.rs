//! Report paths → the project's own files.
//!
//! Reports name files as their tool saw them: from a source root, inside a container, on Windows, as a Go import
//! path, as a Java package. A path is first taken literally, then matched from its tail. A guess needs two path
//! components in common, or a file name that only one file of the project has; two files that fit equally well
//! fit neither. What fits nothing keeps its name and is listed: it is never put on the nearest file.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::super::{Bound, Limits, Sink};

/// A report's name for a file, cut to what the limits allow. Names so long meet no file of a project, so a cut one
/// is a loss.
pub(in crate::evidence) fn bounded<'a>(name: &'a str, sink: &mut dyn Sink, limits: &Limits) -> Cow<'a, str> {
    if name.len() <= limits.name_bytes {
        return Cow::Borrowed(name);
    }
    let told = format!("a file name longer than {} was cut", limits.show(Bound::Name));
    sink.problem(Bound::Name.problem(told));
    let end = (0..=limits.name_bytes).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    Cow::Borrowed(&name[..end])
}

/// `from` at the start of a report path becomes `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// A path or the beginning of one, ending at a `/`.
    pub from: String,
    /// What stands there instead; empty is the project's root.
    pub to: String,
}

/// A Go module: its import path and its folder from the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoModule {
    /// `github.com/acme/app`.
    pub path: String,
    /// The folder of its `go.mod`; empty is the root.
    pub folder: String,
}

/// The files of a project, as reports may name them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Where it lay when the reports were written.
    pub root: String,
    /// Its files, as paths from the root.
    pub files: BTreeSet<String>,
    /// Its Go modules.
    #[serde(default)]
    pub modules: Vec<GoModule>,
}

/// What a report path turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// This file of the project.
    File(String),
    /// Several files of the project fit equally well.
    Ambiguous(Vec<String>),
    /// No file of the project.
    None,
}

/// The project's files, ready to be matched.
#[derive(Debug, Default)]
pub struct Matcher {
    root: String,
    /// Files by their last component, ascending.
    by_name: HashMap<String, Vec<String>>,
    modules: Vec<GoModule>,
}

impl Matcher {
    /// From the project's root, its tracked files and its Go modules.
    #[must_use]
    pub fn new(root: &str, files: impl IntoIterator<Item = String>, modules: Vec<GoModule>) -> Self {
        let mut by_name: HashMap<String, Vec<String>> = HashMap::new();
        for file in files {
            by_name.entry(last(&file).to_owned()).or_default().push(file);
        }
        by_name.values_mut().for_each(|files| files.sort_unstable());
        Self { root: root.trim_end_matches('/').to_owned(), by_name, modules }
    }

    /// Finds the file that a report means. `exists` says whether a path is a file of the work tree, tracked or not.
    #[must_use]
    pub fn find(&self, path: &str, rules: &[Rule], source_roots: &[String], exists: &dyn Fn(&str) -> bool) -> Match {
        let plain = normal(path);
        let ruled = rules.iter().find_map(|rule| Some(join(&rule.to, after(&plain, &rule.from)?)));
        let own = self.inside(ruled.as_deref().unwrap_or(&plain));
        // What lies outside the project may exist, yet is no file of it.
        let exists = |path: &str| is_inside(path) && exists(path);
        if !is_absolute(&own) {
            for source in
                source_roots.iter().map(|source| self.inside(&normal(source))).filter(|source| !source.is_empty())
            {
                let joined = join(&source, &own);
                if exists(&joined) {
                    return Match::File(joined);
                }
            }
            for module in &self.modules {
                if let Some(rest) = after(&own, &module.path).filter(|rest| exists(&join(&module.folder, rest))) {
                    return Match::File(join(&module.folder, rest));
                }
            }
            if exists(&own) {
                return Match::File(own);
            }
        }
        self.by_tail(&own)
    }

    fn by_tail(&self, path: &str) -> Match {
        let Some(candidates) = self.by_name.get(last(path)) else { return Match::None };
        let best = candidates.iter().map(|file| common_tail(path, file)).max().unwrap_or(0);
        let fitting: Vec<_> = candidates.iter().filter(|file| common_tail(path, file) == best).cloned().collect();
        match fitting.as_slice() {
            [one] if best >= 2 || candidates.len() == 1 => Match::File(one.clone()),
            [_] | [] => Match::None,
            _ => Match::Ambiguous(fitting),
        }
    }

    /// A path inside the root, relative to it; any other path as it is.
    fn inside(&self, path: &str) -> String {
        let relative = after(path, &self.root).filter(|_| !self.root.is_empty()).unwrap_or(path);
        let relative = relative.trim_start_matches("./").trim_end_matches('/');
        if relative == "." { String::new() } else { relative.to_owned() }
    }
}

/// With `/` between components, and without `.` and `..` where what they stand for is in the path itself.
fn normal(path: &str) -> String {
    let path = path.trim().replace('\\', "/");
    if !path.split('/').any(|part| part == ".." || part == ".") {
        return path;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            (".", Some(_)) => {}
            ("..", Some(last)) if !matches!(*last, "" | "." | "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.as_bytes().get(1) == Some(&b':')
}

fn is_inside(path: &str) -> bool {
    !is_absolute(path) && path.split('/').all(|part| part != "..")
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn join(folder: &str, path: &str) -> String {
    match (folder.trim_end_matches('/'), path) {
        ("", path) => path.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, path) => format!("{folder}/{path}"),
    }
}

/// What follows `start` in `path`, if it ends at a component.
fn after<'a>(path: &'a str, start: &str) -> Option<&'a str> {
    let start = start.trim_end_matches('/');
    let rest = path.strip_prefix(start)?;
    if start.is_empty() || rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// How many components two paths share from the end.
fn common_tail(a: &str, b: &str) -> usize {
    a.rsplit('/').zip(b.rsplit('/')).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::super::super::collect::read_text;
    use super::super::gocover;
    use super::*;

    const FILES: &[&str] = &[
        "src/pkg/a.py",
        "src/pkg/mod.rs",
        "src/other/mod.rs",
        "src/b.py",
        "app/src/main/java/com/acme/App.java",
        "svc/go/cmd/main.go",
        "unique.ts",
    ];

    fn find(path: &str, rules: &[(&str, &str)], sources: &[&str]) -> Match {
        let modules = vec![GoModule { path: "github.com/acme/app".into(), folder: "svc/go".into() }];
        let matcher = Matcher::new("/work dir/p", FILES.iter().map(|file| (*file).to_owned()), modules);
        let rules: Vec<_> = rules.iter().map(|(from, to)| Rule { from: (*from).into(), to: (*to).into() }).collect();
        let sources: Vec<_> = sources.iter().map(|source| (*source).to_owned()).collect();
        matcher.find(path, &rules, &sources, &|path| FILES.contains(&path))
    }

    fn file(path: &str) -> Match {
        Match::File(path.into())
    }

    #[test]
    fn a_name_past_the_limit_is_cut_and_said_to_be() {
        let told = read_text(&gocover::FORMAT, &format!("mode: set\na{}.go:1.1,1.9 1 1\n", "é".repeat(3000)));
        assert_eq!(told.problems[0].code, "evidence.limit");
        let (path, file) = told.coverage.files().next().unwrap();
        assert_eq!((path.len(), file.lines().count()), (4095, 1));
    }

    #[test]
    fn literal_paths_come_first() {
        assert_eq!(find("src/pkg/a.py", &[], &[]), file("src/pkg/a.py"));
        assert_eq!(find("./src/pkg/a.py", &[], &[]), file("src/pkg/a.py"));
        assert_eq!(find("/work dir/p/src/pkg/a.py", &[], &[]), file("src/pkg/a.py"));
        assert_eq!(find("pkg\\a.py", &[], &["/work dir/p/src"]), file("src/pkg/a.py"));
        assert_eq!(find("b.py", &[], &["/work dir/p", "src"]), file("src/b.py"));
    }

    #[test]
    fn containers_windows_modules_and_packages_are_matched_from_the_tail() {
        assert_eq!(find("/builds/group/p/src/pkg/a.py", &[], &[]), file("src/pkg/a.py"));
        assert_eq!(find("C:\\agent\\1\\s\\src\\pkg\\mod.rs", &[], &[]), file("src/pkg/mod.rs"));
        assert_eq!(find("github.com/acme/app/cmd/main.go", &[], &[]), file("svc/go/cmd/main.go"));
        assert_eq!(find("com/acme/App.java", &[], &[]), file("app/src/main/java/com/acme/App.java"));
        assert_eq!(find("/elsewhere/unique.ts", &[], &[]), file("unique.ts"));
    }

    #[test]
    fn what_lies_outside_is_no_file_of_the_project_though_it_exists() {
        let matcher = Matcher::new("/work dir/p", FILES.iter().map(|file| (*file).to_owned()), Vec::new());
        let find = |path: &str, source: &str| matcher.find(path, &[], &[source.to_owned()], &|_| true);
        assert_eq!(find("vector", "/usr/include"), file("vector"));
        let only = |path: &str, source: &str| {
            matcher.find(path, &[], &[source.to_owned()], &|path| path.starts_with(['/', '.']))
        };
        assert_eq!(only("vector", "/usr/include"), Match::None);
        assert_eq!(only("b.py", "/build/src"), file("src/b.py"));
        assert_eq!((only("../x/vector", "."), only("vector", "../x")), (Match::None, Match::None));
    }

    #[test]
    fn dots_in_the_middle_of_a_path_are_undone() {
        for path in
            ["src/x/../pkg/./a.py", "/work dir/p/build/../src/pkg/a.py", "./src/pkg/a.py", "../p/./src/pkg/a.py"]
        {
            assert_eq!(find(path, &[], &[]), file("src/pkg/a.py"), "{path}");
        }
        assert_eq!(
            (normal("a/.."), normal("/../a"), normal("../../a"), normal("..")),
            (".".into(), "/../a".into(), "../../a".into(), "..".into())
        );
    }

    #[test]
    fn what_fits_nothing_or_two_files_is_said() {
        assert_eq!(find("/usr/include/vector", &[], &[]), Match::None);
        assert_eq!(
            find("mod.rs", &[], &[]),
            Match::Ambiguous(vec!["src/other/mod.rs".into(), "src/pkg/mod.rs".into()])
        );
        assert_eq!(
            find("/x/deep/mod.rs", &[], &[]),
            Match::Ambiguous(vec!["src/other/mod.rs".into(), "src/pkg/mod.rs".into()])
        );
        assert_eq!(find("/work dir/project-two/x.py", &[], &[]), Match::None);
    }

    #[test]
    fn the_users_rules_come_before_everything() {
        assert_eq!(find("/app/lib/mod.rs", &[("/app/lib/", "src/other")], &[]), file("src/other/mod.rs"));
        assert_eq!(find("/app/b.py", &[("/app", "src")], &[]), file("src/b.py"));
        assert_eq!(find("/application/unique.ts", &[("/app", "src")], &[]), file("unique.ts"));
    }
}
