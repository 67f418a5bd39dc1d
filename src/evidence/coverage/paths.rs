//! Report paths → paths of the project's own files.

use std::borrow::Cow;

use super::super::problem::LIMIT;
use super::super::{Limits, Problem, Sink};
use crate::sys::text;

/// A report's name for a file, cut to what the limits allow. Names so long meet no file of a project, so a cut one
/// is a loss.
pub(super) fn bounded<'a>(name: &'a str, sink: &mut dyn Sink, limits: &Limits) -> Cow<'a, str> {
    if name.len() <= limits.name_bytes {
        return Cow::Borrowed(name);
    }
    let limit = text::bytes(limits.name_bytes as u64);
    sink.problem(Problem::new(&LIMIT, format!("a file name longer than {limit} was cut")));
    let end = (0..=limits.name_bytes).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    Cow::Borrowed(&name[..end])
}

/// The project path that a report means: relative to the project's root, to one of the report's source roots, or
/// absolute inside the project. A path that names no file of the project stays as it is.
#[must_use]
pub fn resolve(path: &str, root: &str, source_roots: &[String], exists: &dyn Fn(&str) -> bool) -> String {
    let inside = |path: &str| {
        let path = path.trim().replace('\\', "/");
        let rest = path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/').or(rest.is_empty().then_some("")));
        let relative = rest.map_or(path.as_str(), |rest| rest).trim_start_matches("./").trim_end_matches('/');
        if relative == "." { String::new() } else { relative.to_owned() }
    };
    let own = inside(path);
    let is_absolute = own.starts_with('/') || own.as_bytes().get(1) == Some(&b':');
    if !is_absolute {
        for source in source_roots.iter().map(|source| inside(source)).filter(|source| !source.is_empty()) {
            let joined = format!("{source}/{own}");
            if exists(&joined) {
                return joined;
            }
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::super::super::collect::read_text;
    use super::super::gocover;
    use super::*;

    #[test]
    fn a_name_past_the_limit_is_cut_and_said_to_be() {
        let told = read_text(&gocover::FORMAT, &format!("mode: set\na{}.go:1.1,1.9 1 1\n", "é".repeat(3000)));
        assert_eq!(told.problems[0].code, "evidence.limit");
        let (path, file) = told.coverage.files().next().unwrap();
        assert_eq!((path.len(), file.lines().count()), (4095, 1));
    }

    #[test]
    fn source_roots_and_absolute_paths_lead_into_the_project() {
        let exists = |path: &str| matches!(path, "src/pkg/a.py" | "b.py" | "src/b.py");
        let of = |path: &str, sources: &[&str]| {
            let sources: Vec<_> = sources.iter().map(|source| (*source).to_owned()).collect();
            resolve(path, "/work dir/p", &sources, &exists)
        };
        assert_eq!(of("pkg/a.py", &["/work dir/p/src"]), "src/pkg/a.py");
        assert_eq!(of("pkg\\a.py", &["src"]), "src/pkg/a.py");
        assert_eq!(of("/work dir/p/src/pkg/a.py", &[]), "src/pkg/a.py");
        assert_eq!(of("b.py", &["/work dir/p", "src"]), "src/b.py");
        assert_eq!(of("./b.py", &["."]), "b.py");
        assert_eq!(of("/elsewhere/c.py", &["src"]), "/elsewhere/c.py");
        assert_eq!(of("/work dir/project-two/x.py", &[]), "/work dir/project-two/x.py");
    }
}
