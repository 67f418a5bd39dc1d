//! Go cover profiles: `go test -coverprofile`, `go tool covdata textfmt`, and several of them in one file.
//!
//! A profile lists blocks, not lines. Blocks that several test binaries list are one block: their counts add,
//! except in mode `set`, where the greater holds. A line has the greatest count of the blocks that touch it, so
//! blocks are joined over the whole report before any line is told. A block that ends at the closing brace of its
//! function does not cover that line. Blocks without statements are in no sum, as in Go's own percentage.

use std::io::BufRead;

use indexmap::IndexMap;

use super::super::problem::{REPAIRED, SYNTAX, TRUNCATED};
use super::super::sink::{Repeat, Sink, Span};
use super::super::source::each_line;
use super::super::{Bound, Format, Kind, Limits, Problem, ReadError};
use super::number::{LINES_PER_ENTRY, digits};
use super::paths::bounded;
use crate::sys::text;

/// The table row.
pub const FORMAT: Format = Format {
    name: "gocover",
    kind: Kind::Coverage,
    doc: "Go cover profiles: go test -coverprofile, go tool covdata textfmt.",
    sniff,
    read,
    sample: SAMPLE,
};

const SAMPLE: &str = "mode: count
example.com/shop/price.go:3.32,4.17 1 4
example.com/shop/price.go:4.17,6.3 1 0
example.com/shop/price.go:7.2,7.19 1 4
";

fn sniff(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines.next().is_some_and(|line| mode(line).is_some() || block(line).is_some())
}

/// The rest of a `mode:` line.
fn mode(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"mode:").map(<[u8]>::trim_ascii)
}

/// One block of a file.
#[derive(Clone, Copy)]
struct Block {
    span: Span,
    statements: u32,
    hits: u64,
}

/// The blocks of one file. The first `joined` are sorted and without repeats.
#[derive(Default)]
struct Blocks {
    list: Vec<Block>,
    joined: usize,
}

impl Blocks {
    fn join(&mut self, repeat: Repeat) {
        if !self.list.is_sorted_by_key(|block| block.span) {
            self.list.sort_by_key(|block| block.span);
        }
        self.list.dedup_by(|next, kept| {
            let same = next.span == kept.span;
            if same {
                kept.statements = kept.statements.max(next.statements);
                kept.hits = repeat.join(kept.hits, next.hits);
            }
            same
        });
        self.joined = self.list.len();
    }

    /// Joins once the unsorted part outgrows the sorted one, so that files that alternate line by line cost no more
    /// than files that come one after the other.
    fn settle(&mut self, repeat: Repeat) {
        if self.list.len() > 2 * self.joined {
            self.join(repeat);
            self.list.shrink_to_fit();
        }
    }
}

struct Reader<'s> {
    sink: &'s mut dyn Sink,
    files: IndexMap<Box<[u8]>, Blocks>,
    /// Where the file of the last block is among `files`.
    current: Option<usize>,
    /// How equal blocks join; unknown until the first `mode:`.
    repeat: Option<Repeat>,
    max_files: usize,
    max_blocks: usize,
    blocks: usize,
}

fn read(input: &mut dyn BufRead, sink: &mut dyn Sink, limits: &Limits) -> Result<(), ReadError> {
    let mut reader = Reader {
        sink,
        files: IndexMap::new(),
        current: None,
        repeat: None,
        max_files: limits.entries,
        max_blocks: limits.entries.saturating_mul(LINES_PER_ENTRY),
        blocks: 0,
    };
    let (mut last, mut limit) = (0, Ok(()));
    let done = each_line(input, limits, |line, number| {
        last = number;
        if limit.is_ok() {
            limit = reader.line(line, number);
        }
    });
    if matches!(done, Ok(false)) {
        let problem = Problem::new(&TRUNCATED, "the last line has no end: it and what came after it may be incomplete");
        reader.sink.problem(problem.at_line(last));
    }
    let told = reader.tell(limits);
    done.map(|_| ()).and(limit).and(told)
}

impl Reader<'_> {
    fn line(&mut self, line: &[u8], number: u64) -> Result<(), ReadError> {
        if let Some((name, block)) = block(line) {
            return self.block(name, block, number);
        }
        if let Some(mode) = mode(line) {
            let repeat = match mode {
                b"set" => Some(Repeat::Max),
                b"count" | b"atomic" => Some(Repeat::Sum),
                _ => None,
            };
            match (self.repeat, repeat) {
                (_, None) => self.syntax(line, number),
                (Some(before), Some(now)) if before != now => {
                    self.repeat = Some(Repeat::Sum);
                    let problem = Problem::new(&REPAIRED, "profiles of mode `set` and of a counting mode in one file");
                    self.sink.problem(problem.at_line(number));
                }
                _ => self.repeat = repeat,
            }
        } else if !line.trim_ascii().is_empty() {
            self.syntax(line, number);
        }
        Ok(())
    }

    fn block(&mut self, name: &[u8], block: Block, number: u64) -> Result<(), ReadError> {
        let repeat = *self.repeat.get_or_insert_with(|| {
            let problem = Problem::new(&REPAIRED, "there is no `mode:` line; the counts are added");
            self.sink.problem(problem.at_line(number));
            Repeat::Sum
        });
        let known = self.current.and_then(|at| self.files.get_index(at)).is_some_and(|(file, _)| **file == *name);
        if !known {
            if let Some((_, blocks)) = self.current.and_then(|at| self.files.get_index_mut(at)) {
                self.blocks -= blocks.list.len();
                blocks.settle(repeat);
                self.blocks += blocks.list.len();
            }
            let at = match self.files.get_index_of(name) {
                Some(at) => at,
                None if self.files.len() >= self.max_files => {
                    let limit = format!("{} files", self.max_files);
                    return Err(ReadError::Limit { bound: Bound::Entries, what: "the number of files", limit });
                }
                None => self.files.insert_full(name.into(), Blocks::default()).0,
            };
            self.current = Some(at);
        }
        if self.blocks >= self.max_blocks {
            let limit = format!("{} blocks", self.max_blocks);
            return Err(ReadError::Limit { bound: Bound::Entries, what: "the number of blocks", limit });
        }
        if let Some((_, blocks)) = self.current.and_then(|at| self.files.get_index_mut(at)) {
            blocks.list.push(block);
            self.blocks += 1;
        }
        Ok(())
    }

    /// Tells every file once, with its blocks joined.
    fn tell(&mut self, limits: &Limits) -> Result<(), ReadError> {
        let mut lines_left = limits.entries.saturating_mul(LINES_PER_ENTRY);
        let repeat = self.repeat.unwrap_or(Repeat::Sum);
        for (name, mut blocks) in std::mem::take(&mut self.files) {
            blocks.join(repeat);
            let name = String::from_utf8_lossy(&name);
            let name = bounded(&name, self.sink, limits);
            self.sink.file(&name, Repeat::Max);
            for Block { span, statements, hits } in blocks.list {
                if statements == 0 {
                    continue;
                }
                let (first, last) = lines(span);
                lines_left = usize::try_from(last - first)
                    .ok()
                    .and_then(|more| lines_left.checked_sub(more)?.checked_sub(1))
                    .ok_or_else(|| ReadError::Limit {
                        bound: Bound::Entries,
                        what: "the number of lines",
                        limit: format!("{} lines", limits.entries.saturating_mul(LINES_PER_ENTRY)),
                    })?;
                for line in first..=last {
                    self.sink.line(line, hits);
                }
                self.sink.statement(span, statements, hits);
            }
        }
        Ok(())
    }

    fn syntax(&mut self, line: &[u8], number: u64) {
        let shown = text::shorten(&text::one_line(&String::from_utf8_lossy(line)), 60);
        let problem = Problem::new(&SYNTAX, format!("`{shown}` is not a block of a Go cover profile"));
        self.sink.problem(problem.at_line(number));
    }
}

/// The lines that a block covers. One that ends in the first two columns of a later line ends at a closing brace.
fn lines(span: Span) -> (u32, u32) {
    let (first, last) = (span.start.0, span.end.0);
    let brace = last > first && span.end.1 <= 2;
    (first, if brace { last - 1 } else { last })
}

/// `name:line.column,line.column statements count`; the name may hold any of these signs, so it is read from the
/// right.
fn block(line: &[u8]) -> Option<(&[u8], Block)> {
    let line = line.trim_ascii_end();
    let (rest, hits) = split_last(line, b' ')?;
    let (rest, statements) = split_last(rest, b' ')?;
    let (name, span) = split_last(rest, b':')?;
    let (start_line, span) = number(span, b'.')?;
    let (start_column, span) = number(span, b',')?;
    let (end_line, span) = number(span, b'.')?;
    let end_column = u32::try_from(digits(span)?).ok()?;
    let span = Span { start: (start_line, start_column), end: (end_line, end_column) };
    let is_forward = start_line > 0 && span.start <= span.end && !name.is_empty();
    let statements = u32::try_from(digits(statements)?).ok()?;
    is_forward.then_some((name, Block { span, statements, hits: digits(hits)? }))
}

fn split_last(bytes: &[u8], sign: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memrchr(sign, bytes)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// A number up to `sign`, and what comes after it.
fn number(bytes: &[u8], sign: u8) -> Option<(u32, &[u8])> {
    let at = bytes.iter().take(11).position(|byte| *byte == sign)?;
    Some((u32::try_from(digits(&bytes[..at])?).ok()?, &bytes[at + 1..]))
}

#[cfg(test)]
mod unit_tests {
    use super::super::super::collect::read_text;
    use super::super::super::sink::{Ratio, Totals};
    use super::super::super::{Evidence, Level};
    use super::*;

    fn lines_of(told: &Evidence) -> Vec<(u32, u64)> {
        told.coverage.files().flat_map(|(_, file)| file.lines().collect::<Vec<_>>()).collect()
    }

    fn read(text: &str) -> Evidence {
        let told = read_text(&FORMAT, text);
        assert_eq!(told.problems, []);
        told
    }

    #[test]
    fn a_line_has_the_greatest_count_of_its_blocks_and_a_closing_brace_is_none() {
        let told = read(SAMPLE);
        assert_eq!(lines_of(&told), [(3, 4), (4, 4), (5, 0), (6, 0), (7, 4)]);
        let ratio = |covered, total| Ratio { covered, total };
        let sum = told.coverage.summary();
        assert_eq!(sum, Totals { lines: ratio(3, 5), statements: ratio(2, 3), ..Totals::default() });
        assert_eq!(
            lines_of(&read("mode: set\na.go:1.12,3.2 1 1\na.go:5.1,5.2 1 0\na.go:7.13,7.15 0 0\n")),
            [(1, 1), (2, 1), (5, 0)]
        );
    }

    #[test]
    fn equal_blocks_join_by_mode_whatever_their_order() {
        let blocks = ["a.go:1.1,1.9 1 2\n", "b.go:1.1,1.9 1 0\n", "a.go:1.10,2.9 1 5\n", "a.go:1.1,1.9 1 4\n"];
        let profile = |mode: &str, order: &[usize]| {
            let mut text = format!("mode: {mode}\n");
            order.iter().for_each(|at| text.push_str(blocks[*at]));
            lines_of(&read(&text))
        };
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [0, 3, 1, 2]] {
            assert_eq!(profile("atomic", &order), [(1, 6), (2, 5), (1, 0)]);
            assert_eq!(profile("set", &order), [(1, 5), (2, 5), (1, 0)]);
        }
        let mixed = read_text(&FORMAT, "mode: set\na.go:1.1,1.9 1 1\nmode: count\na.go:1.1,1.9 1 2\n");
        assert_eq!(lines_of(&mixed), [(1, 3)]);
        let many = "mode: count\n".to_owned() + &blocks.concat().repeat(300);
        let told = read(&(many.clone() + &many));
        assert_eq!(lines_of(&told), [(1, 3600), (2, 3000), (1, 0)]);
        assert_eq!(told.coverage.summary().statements, Ratio { covered: 2, total: 3 });
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let told = read_text(
            &FORMAT,
            "a.go:1.1,2.9 1 1\nmode: set\nmode: speed\nC:\\a b,c.go:3.1,3.4 1 99999999999999999999\r\n\na.go:3.1,2.9 1 1\na.go:3.1,4.9 1 -1\na.go:4.1,4.9 1 1",
        );
        let codes: Vec<_> = told.problems.iter().map(|problem| (problem.line, problem.code.as_str())).collect();
        assert_eq!(
            codes,
            [
                (Some(1), "evidence.repaired"),
                (Some(2), "evidence.repaired"),
                (Some(3), "evidence.syntax"),
                (Some(6), "evidence.syntax"),
                (Some(7), "evidence.syntax"),
                (Some(8), "evidence.truncated")
            ]
        );
        let files: Vec<_> = told.coverage.files().map(|(path, file)| (path, file.lines().count())).collect();
        assert_eq!(files, [("C:/a b,c.go", 1), ("a.go", 3)]);
        assert_eq!(lines_of(&told)[0], (3, u64::MAX));
    }

    #[test]
    fn a_block_of_a_billion_lines_is_refused() {
        let told = read_text(&FORMAT, "mode: set\na.go:1.1,4000000000.9 1 1\n");
        assert!(told.problems.iter().any(|problem| problem.code == "evidence.limit" && problem.level == Level::Loss));
    }
}
