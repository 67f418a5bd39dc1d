//! lcov tracefiles (`geninfo(1)`), as written by lcov 1.x and 2.x, cargo-llvm-cov, coverage.py, nyc, c8, gcovr.
//!
//! The file's own sums (`LF`, `LH`, `BRF` …) are only used to tell a whole last record from a cut one.

use std::collections::HashMap;
use std::io::BufRead;

use foldhash::fast::RandomState;

use super::super::problem::{REPAIRED, SYNTAX, TRUNCATED};
use super::super::sink::{Repeat, Sink};
use super::super::source::each_line;
use super::super::{Format, Kind, Limits, Problem, ReadError};
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "lcov",
    kind: Kind::Coverage,
    doc: "lcov tracefiles 1.x and 2.x: lcov, cargo-llvm-cov, coverage.py, nyc, c8, gcovr.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = "# made by hand after geninfo(1)
TN:unit
SF:src/price.c
FN:3,9,mean
FNDA:4,mean
FNF:1
FNH:1
BRDA:4,0,0,3
BRDA:4,0,1,-
BRF:2
BRH:1
DA:3,4
DA:4,4
DA:5,0
LF:3
LH:2
end_of_record
";

fn sniff(head: &[u8]) -> bool {
    head.split(|byte| *byte == b'\n').take(50).any(|line| line.starts_with(b"SF:"))
}

struct Reader<'s> {
    sink: &'s mut dyn Sink,
    in_record: bool,
    lines: u64,
    stated_lines: Option<u64>,
    branches: u64,
    stated_branches: Option<u64>,
    /// Whether something of branches stands behind the line count of this record.
    has_late_branches: bool,
    /// The same of the records before; not known in the first.
    branches_come_late: Option<bool>,
    /// Function names of this record with their first line, until their counts come.
    functions: HashMap<String, (u32, u64), RandomState>,
    /// lcov 2.2: function index → line.
    groups: HashMap<u32, u32>,
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut reader = Reader {
        sink,
        in_record: false,
        lines: 0,
        stated_lines: None,
        branches: 0,
        stated_branches: None,
        has_late_branches: false,
        branches_come_late: None,
        functions: HashMap::default(),
        groups: HashMap::new(),
    };
    let mut last = 0;
    let done = each_line(input, limits, |line, number| {
        last = number;
        reader.line(line, number);
    });
    if reader.in_record {
        let whole = reader.is_whole();
        reader.end_record();
        let problem = if whole {
            Problem::new(&REPAIRED, "the last record has no `end_of_record`; its counts are complete")
        } else {
            Problem::new(&TRUNCATED, "the file ends inside a record; what came after is unknown")
        };
        reader.sink.problem(problem.at_line(last));
    }
    done.map(|_| ())
}

impl Reader<'_> {
    fn line(&mut self, line: &[u8], number: u64) {
        // By far the most lines of any tracefile.
        if let Some(rest) = line.strip_prefix(b"DA:") {
            match data(rest) {
                Some((0, _, _)) => {}
                Some((line, hits, exact)) => {
                    self.lines += 1;
                    self.sink.line(line, hits);
                    if !exact {
                        self.repaired(rest, number);
                    }
                }
                None => self.syntax(line, number),
            }
            return;
        }
        let (tag, rest) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let understood = match tag {
            b"SF" => {
                if self.in_record {
                    self.end_record();
                }
                self.in_record = true;
                self.sink.file(&String::from_utf8_lossy(rest), Repeat::Sum);
                true
            }
            b"end_of_record" => {
                self.end_record();
                true
            }
            b"BRDA" => {
                self.branches += 1;
                self.has_late_branches |= self.stated_lines.is_some();
                self.branch(rest)
            }
            b"BRF" => {
                self.stated_branches = number_of(rest).and_then(|(value, end)| (end == rest.len()).then_some(value));
                self.has_late_branches |= self.stated_lines.is_some();
                true
            }
            b"FN" => self.function(rest),
            b"FNDA" => self.function_hits(rest),
            b"FNL" => self.function_group(rest),
            b"FNA" => self.function_alias(rest),
            b"LF" => {
                self.stated_lines = number_of(rest).and_then(|(value, end)| (end == rest.len()).then_some(value));
                true
            }
            b"TN" | b"VER" | b"FNF" | b"FNH" | b"BRH" | b"LH" | b"MCDC" | b"MCF" | b"MCH" => true,
            _ => line.is_empty() || line.starts_with(b"#"),
        };
        if !understood {
            self.syntax(line, number);
        }
    }

    /// `line,[e|f][U]block,branch,taken`; the branch may be free text with commas.
    fn branch(&mut self, rest: &[u8]) -> bool {
        let Some((line, end)) = number_of(rest) else { return false };
        let (Some(rest), Ok(line)) = (rest[end..].strip_prefix(b","), u32::try_from(line)) else { return false };
        let Some(comma) = memchr::memrchr(b',', rest) else { return false };
        let (arm, taken) = (&rest[..comma], &rest[comma + 1..]);
        let taken = match taken {
            b"-" => None,
            _ => match number_of(taken) {
                Some((count, end)) if end == taken.len() => Some(count),
                _ => return false,
            },
        };
        // `e` and `f` mark exception and fall-through arms, which count; `U` marks one that cannot be reached.
        let unreachable = arm.iter().take(2).take_while(|byte| byte.is_ascii_alphabetic()).any(|byte| *byte == b'U');
        if line > 0 && !unreachable {
            self.sink.branch(line, arm_id(arm), taken);
        }
        true
    }

    /// `start[,end],name`; the name may hold commas.
    fn function(&mut self, rest: &[u8]) -> bool {
        let Some((start, end)) = number_of(rest) else { return false };
        let (Some(mut rest), Ok(start)) = (rest[end..].strip_prefix(b","), u32::try_from(start)) else { return false };
        if let Some((_, end)) = number_of(rest)
            && let Some(name) = rest[end..].strip_prefix(b",")
        {
            rest = name;
        }
        let name = String::from_utf8_lossy(rest).into_owned();
        self.functions.entry(name).or_insert((start, 0)).0 = start;
        true
    }

    fn function_hits(&mut self, rest: &[u8]) -> bool {
        let Some((hits, end)) = count_of(rest) else { return false };
        let Some(name) = rest[end..].strip_prefix(b",") else { return false };
        let name = String::from_utf8_lossy(name);
        match self.functions.get_mut(&*name) {
            Some((_, sum)) => *sum = sum.saturating_add(hits),
            None => drop(self.functions.insert(name.into_owned(), (0, hits))),
        }
        true
    }

    /// lcov 2.2: `index,start[,end]`.
    fn function_group(&mut self, rest: &[u8]) -> bool {
        let Some((index, end)) = number_of(rest) else { return false };
        let Some((start, _)) = rest[end..].strip_prefix(b",").and_then(number_of) else { return false };
        let (Ok(index), Ok(start)) = (u32::try_from(index), u32::try_from(start)) else { return false };
        self.groups.insert(index, start);
        true
    }

    /// lcov 2.2: `index,count,name`.
    fn function_alias(&mut self, rest: &[u8]) -> bool {
        let Some((index, end)) = number_of(rest) else { return false };
        let Some(rest) = rest[end..].strip_prefix(b",") else { return false };
        let Some((hits, end)) = count_of(rest) else { return false };
        let Some(name) = rest[end..].strip_prefix(b",") else { return false };
        let line = u32::try_from(index).ok().and_then(|index| self.groups.get(&index)).copied().unwrap_or(0);
        let entry = self.functions.entry(String::from_utf8_lossy(name).into_owned()).or_insert((line, 0));
        entry.0 = line;
        entry.1 = entry.1.saturating_add(hits);
        true
    }

    /// Whether a record without its end has all that it states. Some writers put branches behind the count of lines,
    /// others before it: where neither the record nor one before it tells, more may have come.
    fn is_whole(&self) -> bool {
        let has_branches = match self.stated_branches {
            Some(stated) => stated <= self.branches,
            None => self.branches_come_late == Some(false),
        };
        has_branches && self.stated_lines == Some(self.lines)
    }

    fn end_record(&mut self) {
        for (name, (line, hits)) in self.functions.drain() {
            self.sink.function(&name, line, hits);
        }
        self.groups.clear();
        if self.in_record {
            self.branches_come_late = Some(self.branches_come_late == Some(true) || self.has_late_branches);
        }
        self.branches = 0;
        self.stated_branches = None;
        self.has_late_branches = false;
        self.in_record = false;
        self.lines = 0;
        self.stated_lines = None;
    }

    fn syntax(&mut self, line: &[u8], number: u64) {
        let shown = text::shorten(&text::one_line(&String::from_utf8_lossy(line)), 60);
        self.sink
            .problem(Problem::new(&SYNTAX, format!("`{shown}` is not a record of an lcov tracefile")).at_line(number));
    }

    fn repaired(&mut self, rest: &[u8], number: u64) {
        let shown = text::shorten(&text::one_line(&String::from_utf8_lossy(rest)), 40);
        self.sink.problem(
            Problem::new(&REPAIRED, format!("the hit count of `DA:{shown}` was read as the nearest whole number"))
                .at_line(number),
        );
    }
}

/// `line,count[,checksum]` → line, hits, whether the count was written as a plain number.
fn data(rest: &[u8]) -> Option<(u32, u64, bool)> {
    let (line, end) = number_of(rest)?;
    let line = u32::try_from(line).ok()?;
    let count = rest[end..].strip_prefix(b",")?;
    match number_of(count) {
        Some((hits, end)) if end == count.len() || count[end] == b',' => Some((line, hits, hits < u64::MAX)),
        _ => {
            let (hits, _) = count_of(count)?;
            Some((line, hits, false))
        }
    }
}

/// Digits at the start: their value, saturating, and where they end.
#[inline(always)] // twice a line
fn number_of(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    let mut end = 0;
    while let Some(&byte) = bytes.get(end) {
        let digit = u64::from(byte.wrapping_sub(b'0'));
        if digit > 9 {
            break;
        }
        // So many digits always fit.
        value = if end < 19 { value * 10 + digit } else { value.saturating_mul(10).saturating_add(digit) };
        end += 1;
    }
    (end > 0).then_some((value, end))
}

/// A count in any of the ways tools write one: digits, `-1` (a race in gcov), `1.5e3`, `-` or nothing.
fn count_of(bytes: &[u8]) -> Option<(u64, usize)> {
    let end = memchr::memchr(b',', bytes).unwrap_or(bytes.len());
    let text = std::str::from_utf8(&bytes[..end]).ok()?.trim();
    if let Some((value, digits)) = number_of(text.as_bytes())
        && digits == text.len()
    {
        return Some((value, end));
    }
    if matches!(text, "" | "-" | "undefined" | "null") {
        return Some((0, end));
    }
    let value: f64 = text.parse().ok().filter(|value: &f64| !value.is_nan())?;
    // A line that ran at all is covered: never round a positive count down to 0. `as` saturates.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the range of u64 on purpose"
    )]
    let hits = value.max(0.0).ceil() as u64;
    Some((hits, end))
}

/// A number that tells the branches of one line apart. `block,branch` in digits map without collision;
/// free text is hashed into the upper half.
fn arm_id(arm: &[u8]) -> u32 {
    let digits = arm.iter().position(u8::is_ascii_digit).filter(|at| *at <= 2).unwrap_or(0);
    if let Some((block, end)) = number_of(&arm[digits..])
        && let Some(rest) = arm[digits + end..].strip_prefix(b",")
        && let Some((branch, end)) = number_of(rest)
        && end == rest.len()
        && block < 0x8000
        && branch < 0x1_0000
    {
        return u32::try_from(block << 16 | branch).unwrap_or(u32::MAX);
    }
    let hash = arm.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    hash | 0x8000_0000
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::read_text;
    use super::super::super::sink::{Ratio, Totals};
    use super::super::super::{Evidence, Level};
    use super::*;

    fn evidence(text: &str) -> Evidence {
        read_text(&FORMAT, text)
    }

    fn lines(text: &str) -> Vec<(u32, u64)> {
        evidence(text).coverage.files().flat_map(|(_, file)| file.lines().collect::<Vec<_>>()).collect()
    }

    #[test]
    fn the_sample_adds_up() {
        let ratio = |covered, total| Ratio { covered, total };
        let sum = evidence(SAMPLE).coverage.summary();
        assert_eq!(
            sum,
            Totals { lines: ratio(2, 3), branches: ratio(1, 2), functions: ratio(1, 1), statements: ratio(0, 0) }
        );
    }

    #[test]
    fn counts_of_every_dialect() {
        let told = evidence(
            "SF:a\nDA:1,18446744073709551616\nDA:2,-1\nDA:3,1.5e3\nDA:4,0.25\nDA:5,3,bWQ1\nDA:6,-\nDA:7,\nDA:0,5\nDA:8,2\r\nend_of_record\n",
        );
        let lines: Vec<_> = told.coverage.files().next().unwrap().1.lines().collect();
        assert_eq!(lines, [(1, u64::MAX), (2, 0), (3, 1500), (4, 1), (5, 3), (6, 0), (7, 0), (8, 2)]);
        assert!(told.problems.iter().all(|problem| problem.level == Level::Note));
        assert_eq!(told.problems.len(), 6);
    }

    #[test]
    fn the_same_file_in_two_records_sums_and_names_stay_whole() {
        assert_eq!(lines("SF:a\nDA:1,1\nDA:2,0\nend_of_record\nSF:a\nDA:1,2\nend_of_record\n"), [(1, 3), (2, 0)]);
        let told = evidence(
            "TN:\nSF:C:\\src\\mäin.c\nVER:1\nFN:1,5,f(int, char)\nFN:7,g\nFNDA:1,f(int, char)\nFNL:0,9,11\nFNA:0,2,h<a, b>\nDA:1,1\nLF:1\nLH:1\nend_of_record\n",
        );
        assert_eq!(told.problems, []);
        assert_eq!(told.coverage.files().next().unwrap().0, "C:/src/mäin.c");
        assert_eq!(told.coverage.summary().functions, Ratio { covered: 2, total: 3 });
    }

    #[test]
    fn branches_of_every_dialect() {
        let told = evidence(
            "SF:a\nBRDA:1,0,0,1\nBRDA:1,e0,1,0\nBRDA:1,U0,2,0\nBRDA:1,eU0,3,0\nBRDA:2,0,if (a, b),-\nBRDA:2,0,else,4\nMCDC:1,2,t,1,0,a\nDA:1,1\nend_of_record\n",
        );
        assert_eq!(told.problems, []);
        assert_eq!(told.coverage.summary().branches, Ratio { covered: 2, total: 4 });
    }

    #[test]
    fn a_cut_file_is_told_from_one_without_its_last_line() {
        let told = evidence("SF:a\nDA:1,1\nBRF:0\nLF:1\nLH:1\n");
        assert_eq!((told.problems[0].code.as_str(), told.problems[0].level), ("evidence.repaired", Level::Note));
        let told = evidence("SF:a\nDA:1,1\nDA:2");
        let codes: Vec<_> = told.problems.iter().map(|problem| problem.code.as_str()).collect();
        assert_eq!(codes, ["evidence.syntax", "evidence.truncated"]);
        assert_eq!(lines("SF:a\nDA:1,1\nDA:2"), [(1, 1)]);
    }
}
