//! llvm-cov's JSON export: `llvm-cov export`, cargo-llvm-cov `--json`, Swift's `codecov` file; versions 2 and 3.
//!
//! Lines are those that llvm-cov's lcov export lists; the sums that it prints differ at times, because it adds up
//! functions there. Branches inside macros belong to the line of
//! the macro's use. A function stands once for each of its instantiations; they are one function, which began where
//! it begins. Functions of files that the export leaves out are left out too.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;

use indexmap::{IndexMap, IndexSet};
use serde::de::{Error, MapAccess};

use super::super::json::{
    self, Cells, Each, Entries, Found, Members, Object, Plain, Rows, Scalar, Scalars, refuse, skip,
};
use super::super::problem::{REPAIRED, SYNTAX};
use super::super::sink::{Repeat, Sink, Totals};
use super::super::{Bound, Format, Kind, Limits, Problem, ReadError};
use super::llvm_lines::{Segment, each_run};
use super::number::{LINES_PER_ENTRY, arm_id};
use super::paths::bounded;
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "llvm",
    kind: Kind::Coverage,
    doc: "llvm-cov export JSON: cargo-llvm-cov --json, clang, Swift.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = r#"{"data":[{"files":[{"branches":[[2,8,2,17,3,0,0,0,4]],"expansions":[],"filename":"/repo/src/tax.rs","mcdc_records":[],"segments":[[1,1,3,true,true,false],[2,18,0,true,true,false],[4,6,3,true,false,false],[6,2,0,false,false,false]],"summary":{"lines":{"count":6,"covered":5,"percent":83.3}}}],"functions":[{"branches":[[2,8,2,17,3,0,0,0,4]],"count":3,"filenames":["/repo/src/tax.rs"],"name":"_RNvCs_3tax2of","regions":[[1,1,6,2,3,0,0,0],[2,18,4,6,0,0,0,0]]}],"totals":{"lines":{"count":6,"covered":5,"percent":83.3}}}],"type":"llvm.coverage.json.export","version":"3.0.1"}
"#;

fn sniff(head: &[u8]) -> bool {
    let has = |needle: &str| memchr::memmem::find(head, needle.as_bytes()).is_some();
    let start: Vec<u8> = head.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(40).collect();
    start.starts_with(b"{\"data\":[{\"files\":[")
        || start.starts_with(b"{\"data\":[{\"functions\":[")
        || start.first() == Some(&b'{') && has("\"llvm.coverage.json.export\"")
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut export = Export {
        sink,
        limits,
        file: File::default(),
        told: IndexSet::new(),
        function: Function::default(),
        functions: IndexMap::new(),
        entries: 0,
        lines_left: limits.entries.saturating_mul(LINES_PER_ENTRY),
        refused: None,
    };
    let read = json::document(input, limits, &mut Root(&mut export));
    if read.is_err() {
        let cut = std::mem::take(&mut export.file);
        if !cut.name.is_empty() && export.refused.is_none() {
            export.refused = export.tell(&cut).err();
        }
    }
    export.tell_functions();
    match (export.refused, read) {
        (Some(refused), _) => Err(refused),
        (None, Ok(())) => Ok(()),
        (None, Err(stop)) => stop.tell(sink),
    }
}

/// The document.
struct Root<'e, 'a>(&'e mut Export<'a>);

impl Object for Root<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        if key != "data" {
            return skip(members);
        }
        if let Err(other) = members.next_value_seed(Each(&mut *self.0))? {
            self.0.syntax("`data`", &other);
        }
        Ok(())
    }
}

/// One of the document's exports; there is only ever one.
struct Export<'a> {
    sink: &'a mut dyn Sink,
    limits: &'a Limits,
    /// The file being read.
    file: File,
    /// Files that were told.
    told: IndexSet<String>,
    /// The function being read.
    function: Function,
    /// File → where a function begins → its hits.
    functions: IndexMap<String, HashMap<(u32, u32), u64>>,
    entries: usize,
    lines_left: usize,
    refused: Option<ReadError>,
}

impl Object for Export<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let found = match key {
            "files" => members.next_value_seed(Each(&mut Files(self)))?,
            "functions" => members.next_value_seed(Each(&mut Functions(self)))?,
            _ => return skip(members),
        };
        if let Err(other) = found {
            self.syntax(key, &other);
        }
        Ok(())
    }

    fn end<E: Error>(&mut self, found: Found) -> Result<(), E> {
        if let Err(other) = found {
            self.syntax("an export", &other);
        }
        self.tell_functions();
        Ok(())
    }
}

/// One file while it is read.
#[derive(Default)]
struct File {
    name: String,
    segments: Option<Vec<Segment>>,
    /// Line and column that it counts for, where it stands, times true, times false.
    branches: Vec<([u32; 6], u64, u64)>,
    totals: Option<Totals>,
    lost: Vec<String>,
    repaired: u64,
}

struct Files<'e, 'a>(&'e mut Export<'a>);

impl Object for Files<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let Export { file, limits, .. } = &mut *self.0;
        let max = limits.entries.saturating_mul(LINES_PER_ENTRY);
        let mut full = false;
        let found = match key {
            "filename" => {
                if let Scalar::Text(name) = members.next_value_seed(Plain)? {
                    file.name = name;
                }
                Ok(())
            }
            "segments" => {
                let mut segments = Vec::new();
                let found = members.next_value_seed(Rows::<6, _>(|row: Result<Cells<6>, Scalar>| {
                    match row.as_ref().map(Segment::of) {
                        Ok(Some((segment, is_plain))) if segments.len() < max => {
                            segments.push(segment);
                            file.repaired += u64::from(!is_plain);
                        }
                        Ok(Some(_)) => full = true,
                        _ => file.lose("a segment", row),
                    }
                }));
                // Also of a document that ends here.
                file.segments = Some(segments);
                found?
            }
            "branches" => members.next_value_seed(Rows::<6, _>(|row: Result<Cells<6>, Scalar>| {
                match row.as_ref().map(branch) {
                    Ok(Some((place, taken, missed))) if file.branches.len() < max => {
                        file.branches.push(([place[0], place[1], 0, 0, place[2], place[3]], taken, missed));
                    }
                    Ok(Some(_)) => full = true,
                    _ => file.lose("a branch", row),
                }
            }))?,
            "expansions" => {
                members.next_value_seed(Each(&mut Expansion { file, at: None, branches: Vec::new(), max }))?
            }
            "summary" => members.next_value_seed(Members(file.totals.insert(Totals::default())))?,
            _ => return skip(members),
        };
        if let Err(other) = found {
            self.0.syntax(key, &other);
        }
        if full {
            let limit = format_args!("{max} of them");
            return refuse(&mut self.0.refused, "the number of segments or branches of one file", limit);
        }
        Ok(())
    }

    fn end<E: Error>(&mut self, found: Found) -> Result<(), E> {
        let export = &mut *self.0;
        if let Err(other) = found {
            export.syntax("a file", &other);
            return Ok(());
        }
        let file = std::mem::take(&mut export.file);
        let entry = export.entry();
        if let Err(refused) = entry.and_then(|()| export.tell(&file)) {
            export.refused = Some(refused);
            return Err(E::custom("a bound was passed"));
        }
        Ok(())
    }
}

/// `[line, column, end line, end column, times true, times false, …]`.
fn branch((cells, count): &Cells<6>) -> Option<([u32; 4], u64, u64)> {
    if *count < 6 {
        return None;
    }
    let mut place = [0; 4];
    for (to, from) in place.iter_mut().zip(cells) {
        *to = from.small()?;
    }
    Some((place, cells[4].hits()?.0, cells[5].hits()?.0)).filter(|(place, ..)| place[0] > 0)
}

impl File {
    fn lose<const N: usize>(&mut self, what: &str, row: Result<Cells<N>, Scalar>) {
        let shown = match row {
            Ok((cells, count)) => {
                let cells: Vec<_> = cells.iter().take(count).map(ToString::to_string).collect();
                text::shorten(&format!("[{}]", cells.join(",")), 80)
            }
            Err(other) => other.to_string(),
        };
        self.lost.push(format!("{what} that cannot be used: {shown}"));
    }
}

/// A macro's use, with the branches inside it.
struct Expansion<'f> {
    file: &'f mut File,
    at: Option<[u32; 2]>,
    branches: Vec<([u32; 4], u64, u64)>,
    max: usize,
}

impl Object for Expansion<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        match key {
            "source_region" => {
                let mut region = Vec::new();
                let _ = members.next_value_seed(Scalars(|value: Scalar| {
                    if region.len() < 2 {
                        region.push(value.small().unwrap_or(0));
                    }
                }))?;
                self.at = region.try_into().ok().filter(|at: &[u32; 2]| at[0] > 0);
            }
            "branches" => {
                let _ = members.next_value_seed(Rows::<6, _>(|row: Result<Cells<6>, Scalar>| {
                    match row.as_ref().map(branch) {
                        Ok(Some(branch)) if self.branches.len() < self.max => self.branches.push(branch),
                        _ => self.file.lose("a branch", row),
                    }
                }))?;
            }
            _ => skip(members)?,
        }
        Ok(())
    }

    fn end<E: Error>(&mut self, _found: Found) -> Result<(), E> {
        let branches = std::mem::take(&mut self.branches);
        match self.at.take() {
            Some([line, column]) => {
                let place = |[a, b, c, d]: [u32; 4]| [line, column, a, b, c, d];
                self.file.branches.extend(branches.into_iter().map(|(at, taken, missed)| (place(at), taken, missed)));
            }
            None if branches.is_empty() => {}
            None => self.file.lost.push("branches of a macro without a place".to_owned()),
        }
        Ok(())
    }
}

/// The sums of one file.
impl Object for Totals {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let ratio = match key {
            "lines" => &mut self.lines,
            "branches" => &mut self.branches,
            "functions" => &mut self.functions,
            _ => return skip(members),
        };
        let _ = members.next_value_seed(Entries(|key: &str, value: Scalar| {
            let count = u64::from(value.small().unwrap_or(0));
            match key {
                "count" => ratio.total = count,
                "covered" => ratio.covered = count,
                _ => {}
            }
        }))?;
        Ok(())
    }
}

/// One instantiation of a function while it is read.
#[derive(Default)]
struct Function {
    count: Option<u64>,
    files: Vec<String>,
    /// File number → where its first region begins.
    starts: HashMap<u32, (u32, u32)>,
    /// Files that are macros' bodies.
    expanded: HashSet<u32>,
}

struct Functions<'e, 'a>(&'e mut Export<'a>);

impl Object for Functions<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        let Export { function, limits, .. } = &mut *self.0;
        match key {
            "count" => function.count = members.next_value_seed(Plain)?.hits().map(|(hits, _)| hits),
            "filenames" => {
                let _ = members.next_value_seed(Scalars(|value: Scalar| {
                    if let Scalar::Text(name) = value
                        && function.files.len() < limits.entries
                    {
                        function.files.push(name);
                    }
                }))?;
            }
            "regions" => {
                let _ = members.next_value_seed(Rows::<8, _>(|row: Result<Cells<8>, Scalar>| {
                    let Ok((cells, 8)) = row else { return };
                    let [Some(line), Some(column), Some(file), Some(expanded), Some(kind)] =
                        [0, 1, 5, 6, 7].map(|at: usize| cells[at].small())
                    else {
                        return;
                    };
                    if function.starts.len() < limits.entries {
                        function.starts.entry(file).or_insert((line, column));
                    }
                    const EXPANSION: u32 = 1;
                    if kind == EXPANSION && function.expanded.len() < limits.entries {
                        function.expanded.insert(expanded);
                    }
                }))?;
            }
            _ => skip(members)?,
        }
        Ok(())
    }

    fn end<E: Error>(&mut self, found: Found) -> Result<(), E> {
        let export = &mut *self.0;
        let function = std::mem::take(&mut export.function);
        if let Err(refused) = export.entry() {
            export.refused = Some(refused);
            return Err(E::custom("a bound was passed"));
        }
        let main = (0_u32..).zip(&function.files).find(|(number, _)| !function.expanded.contains(number));
        match (found, function.count, main.and_then(|(number, file)| Some((file, *function.starts.get(&number)?)))) {
            (Ok(()), Some(count), Some((file, start))) => {
                let starts = match export.functions.get_mut(file) {
                    Some(starts) => starts,
                    None => export.functions.entry(file.clone()).or_default(),
                };
                let sum = starts.entry(start).or_default();
                *sum = sum.saturating_add(count);
            }
            _ => export.sink.problem(Problem::new(&SYNTAX, "a function without count, file or regions")),
        }
        Ok(())
    }
}

impl Export<'_> {
    fn syntax(&mut self, what: &str, other: &Scalar) {
        self.sink.problem(Problem::new(&SYNTAX, format!("{what} is {other}")));
    }

    fn entry(&mut self) -> Result<(), ReadError> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            let limit = format!("{} of them", self.limits.entries);
            return Err(ReadError::Limit { bound: Bound::Entries, what: "the number of files and functions", limit });
        }
        Ok(())
    }

    fn tell(&mut self, file: &File) -> Result<(), ReadError> {
        let shown = || text::shorten(&text::one_line(&file.name), 120);
        if file.name.is_empty() {
            self.sink.problem(Problem::new(&SYNTAX, "a file without `filename`; its lines belong to no file"));
            return Ok(());
        }
        for lost in &file.lost {
            self.sink.problem(Problem::new(&SYNTAX, format!("{}: {lost}", shown())));
        }
        if file.repaired > 0 {
            let message = format!("{}: {} counts were read as the nearest whole number", shown(), file.repaired);
            self.sink.problem(Problem::new(&REPAIRED, message));
        }
        let name = bounded(&file.name, self.sink, self.limits);
        match (&file.segments, &file.totals) {
            (Some(segments), _) => {
                self.sink.file(&name, Repeat::Max);
                self.lines(segments)?;
                self.branches(&file.branches);
                self.told.insert(file.name.clone());
            }
            // `--summary-only`.
            (None, Some(totals)) => {
                self.sink.file(&name, Repeat::Max);
                self.sink.totals(totals);
            }
            (None, None) => {
                self.sink.problem(Problem::new(&SYNTAX, format!("{}: neither segments nor sums", shown())));
            }
        }
        Ok(())
    }

    fn lines(&mut self, segments: &[Segment]) -> Result<(), ReadError> {
        each_run(segments, |first, last, hits| {
            self.spend(last - first + 1)?;
            (first..=last).for_each(|line| self.sink.line(line, hits));
            Ok(())
        })
    }

    fn spend(&mut self, lines: u32) -> Result<(), ReadError> {
        let left = usize::try_from(lines).ok().and_then(|lines| self.lines_left.checked_sub(lines));
        self.lines_left = left.ok_or_else(|| ReadError::Limit {
            bound: Bound::Entries,
            what: "the number of lines",
            limit: format!("{} lines", self.limits.entries.saturating_mul(LINES_PER_ENTRY)),
        })?;
        Ok(())
    }

    /// A branch is two arms. Instantiations repeat it; they are one.
    fn branches(&mut self, branches: &[([u32; 6], u64, u64)]) {
        let mut branches = branches.to_vec();
        branches.sort_unstable_by_key(|(place, ..)| *place);
        let (mut before, mut ordinal) = (None::<[u32; 6]>, 0);
        for (place, taken, missed) in branches {
            ordinal = match before {
                Some(before) if before == place => ordinal,
                Some([line, ..]) if line == place[0] => ordinal + 1,
                _ => 0,
            };
            before = Some(place);
            self.sink.branch(place[0], arm_id(ordinal, 0), Some(taken));
            self.sink.branch(place[0], arm_id(ordinal, 1), Some(missed));
        }
    }

    fn tell_functions(&mut self) {
        for (file, starts) in std::mem::take(&mut self.functions) {
            if !self.told.contains(&file) {
                continue;
            }
            let name = bounded(&file, self.sink, self.limits);
            self.sink.file(&name, Repeat::Max);
            for ((line, column), hits) in starts {
                // Mangled names differ from build to build and from instantiation to instantiation; the place does not.
                self.sink.function(&format!("{line}:{column}"), line, hits);
            }
        }
    }
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::Evidence;
    use super::super::super::collect::read_text;
    use super::super::told::{files, sums};
    use super::*;

    fn export(files: &str, functions: &str) -> Evidence {
        read_text(
            &FORMAT,
            &format!(r#"{{"version": "3.0.1", "data": [{{"functions": [{functions}], "files": [{files}]}}]}}"#),
        )
    }

    #[test]
    fn the_sample_adds_up() {
        let told = read_text(&FORMAT, SAMPLE);
        assert_eq!(told.problems, []);
        assert_eq!(files(&told), [("/repo/src/tax.rs", vec![(1, 3), (2, 3), (3, 0), (4, 0), (5, 3), (6, 3)])]);
        assert_eq!(told.coverage.summary(), sums([4, 1, 1], [6, 2, 1]));
    }

    #[test]
    fn gaps_and_skipped_regions_are_no_code_of_their_own() {
        let lines = |segments: &str| {
            let told = export(&format!(r#"{{"segments": [{segments}], "filename": "a"}}"#), "");
            assert_eq!(told.problems, []);
            files(&told).remove(0).1
        };
        // A gap is no region of the line that it starts on; it counts for the lines that it reaches.
        assert_eq!(
            lines("[1,1,5,true,true,false],[2,3,9,true,true,true],[4,1,7,true,true,false],[5,1,0,false,false,false]"),
            [(1, 5), (2, 5), (3, 9), (4, 9), (5, 7)]
        );
        // A skipped region hides the line that it starts on; the line that it ends on is hidden too.
        assert_eq!(
            lines(
                "[1,1,5,true,true,false],[3,1,0,false,true,false],[5,2,5,true,false,false],[7,1,0,false,false,false]"
            ),
            [(1, 5), (2, 5), (6, 5), (7, 5)]
        );
        // Five columns, out of order.
        assert_eq!(lines("[2,1,0,false,false],[1,1,18446744073709551615,true,true]"), [(1, u64::MAX), (2, u64::MAX)]);
    }

    #[test]
    fn instantiations_are_one_function_and_one_branch() {
        let file = r#"{"filename": "a.rs", "segments": [[3,1,1,true,true,false],[4,1,0,false,false,false]], "branches": [[3,5,3,9,1,0,0,0,4],[3,5,3,9,0,2,0,0,4],[3,12,3,14,0,0,0,0,4]],
            "expansions": [{"source_region": [3,1,3,9,1,0,1,1], "branches": [[90,1,90,5,1,1,1,0,4]], "target_regions": [], "filenames": []}]}"#;
        let functions = r#"{"name": "f<i8>", "count": 0, "filenames": ["a.rs"], "regions": [[3,1,9,9,0,0,0,0]]}, {"name": "f<u8>", "count": 2, "regions": [[3,1,9,9,0,0,0,0]], "filenames": ["a.rs"]},
            {"name": "g", "count": 0, "filenames": ["a.rs"], "regions": [[3,30,9,9,0,0,0,0]]}, {"name": "m", "count": 1, "filenames": ["m.h", "a.rs"], "regions": [[1,1,1,9,1,0,0,0],[7,1,9,9,1,1,0,1]]},
            {"name": "left out", "count": 1, "filenames": ["dep.rs"], "regions": [[1,1,9,9,0,0,0,0]]}"#;
        let told = export(file, functions);
        assert_eq!(told.problems, []);
        assert_eq!(files(&told), [("a.rs", vec![(3, 1), (4, 1)])]);
        assert_eq!(told.coverage.summary(), sums([2, 4, 2], [2, 6, 3]));
    }

    #[test]
    fn an_export_of_sums_has_no_lines() {
        let told = export(
            r#"{"filename": "a.rs", "summary": {"lines": {"count": 9, "covered": 4, "percent": 44.4}, "branches": {"count": 2, "covered": 1, "notcovered": 1}, "functions": {"count": 1, "covered": 1}, "regions": {"count": 7, "covered": 7}}}"#,
            "",
        );
        assert_eq!(told.problems, []);
        assert_eq!(told.coverage.summary(), sums([4, 1, 1], [9, 2, 1]));
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let told = export(
            r#"{"segments": []}, 5, {"filename": "b"}, {"filename": "a", "segments": [[1,1,2,true,true,false], [2,1], 7, [3,1,"x",true,true,false], [4,1,-1,true,true,false]], "branches": [[1,2,3], [0,1,1,1,1,1]], "expansions": [{"branches": [[1,1,1,1,1,1]]}]}"#,
            r#"{"name": "f"}, 1"#,
        );
        let said: Vec<_> = told.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "a function without count, file or regions",
                "a function without count, file or regions",
                "a file without `filename`; its lines belong to no file",
                "a file is 5",
                "b: neither segments nor sums",
                "a: a segment that cannot be used: [2,1]",
                "a: a segment that cannot be used: 7",
                "a: a segment that cannot be used: [3,1,\"x\",true,true,false]",
                "a: a branch that cannot be used: [1,2,3]",
                "a: a branch that cannot be used: [0,1,1,1,1,1]",
                "a: branches of a macro without a place",
                "a: 1 counts were read as the nearest whole number",
            ]
        );
        assert_eq!(files(&told), [("a", vec![(1, 2), (2, 2), (3, 2), (4, 2)])]);
    }

    #[test]
    fn of_a_cut_file_the_segments_so_far_are_told() {
        let cut = SAMPLE.find(",[6,2").unwrap();
        let told = read_text(&FORMAT, &SAMPLE[..cut]);
        assert_eq!(files(&told), [("/repo/src/tax.rs", vec![(1, 3), (2, 3), (3, 0), (4, 0)])]);
        assert_eq!(
            told.problems.iter().map(|problem| problem.code.as_str()).collect::<Vec<_>>(),
            ["evidence.truncated"]
        );
        let told = export(
            r#"{"filename": "a", "segments": [[1,1,1,true,true,false],[4000000000,1,0,false,false,false]]}"#,
            "",
        );
        assert_eq!(told.problems[0].code, "evidence.limit");
    }
}
