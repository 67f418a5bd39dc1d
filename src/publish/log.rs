//! Marks as commands in the log of a job, for a token that may not create check runs.

use super::annotation::{Level, Marks};
use crate::sys::actions::{ANNOTATIONS, data, lines, property};
use crate::sys::text;

/// One command for each mark, as many of each level as GitHub keeps, and a line that counts the others.
#[must_use]
pub fn commands(marks: &Marks) -> String {
    let mut out = String::new();
    let mut left: u64 = marks.left.values().chain(marks.unplaced.values()).sum();
    let mut written = [0; 3];
    for mark in &marks.annotations {
        let command = match mark.annotation_level {
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Failure => "error",
        };
        let count = &mut written[mark.annotation_level as usize];
        if *count == ANNOTATIONS {
            left += 1;
            continue;
        }
        *count += 1;
        out.push_str(&format!(
            "::{command} file={},line={},endLine={},title={}::{}\n",
            property(&mark.path),
            mark.start_line,
            mark.end_line,
            property(&mark.title),
            lines(&mark.message)
        ));
    }
    if left > 0 {
        let rest = text::plural(left, "more is", "more are");
        out.push_str(&data(&format!("{rest} not marked in the files; the report has all of them.")));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod unit_tests {
    use super::super::annotation::Annotation;
    use super::*;

    #[test]
    fn no_more_commands_than_github_keeps_and_each_on_its_line() {
        let mark = |annotation_level| Annotation {
            path: "src/a,b.rs".into(),
            start_line: 3,
            end_line: 4,
            annotation_level,
            message: "50%\n::error::x".into(),
            title: "a: b".into(),
            raw_details: None,
        };
        let levels = [Level::Failure, Level::Warning, Level::Notice];
        let annotations = (0..36).map(|at| mark(levels[at % 3])).collect();
        let text = commands(&Marks { annotations, ..Marks::default() });
        for command in ["error", "warning", "notice"] {
            let wanted = format!("::{command} file=src/a%2Cb.rs,line=3,endLine=4,title=a%3A b::50%25%0A::error::x\n");
            assert_eq!(text.matches(&wanted).count(), ANNOTATIONS);
        }
        assert!(text.ends_with("\n6 more are not marked in the files; the report has all of them.\n"), "{text}");
        assert_eq!(text.lines().count(), 31);
    }
}
