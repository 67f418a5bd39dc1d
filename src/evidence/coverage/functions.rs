//! Functions of one source file, as several reports tell them.
//!
//! A generic function is compiled once for each type it is used with, and tracefiles name each of these; it is one
//! function of the source, entered if any of them was. So names on one line that differ in their type arguments
//! alone are one, as in LLVM's own summary. Formats name functions differently (by symbol, by name, by place), so
//! they meet as sums: on each line the greatest number counts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::super::sink::{Ratio, Repeat};

/// Bytes of a symbol's readable form; the form of a hostile one grows without end.
const READABLE_BYTES: usize = 8 << 10;

/// Line, 0 if not known, and name → hits.
pub(super) type Named = BTreeMap<(u32, Box<str>), u64>;

/// All functions of a file, under the name of their format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Functions(BTreeMap<&'static str, Named>);

impl Functions {
    /// From what a report of this format says.
    pub(super) fn new(format: &'static str, named: Named) -> Self {
        Self(if named.is_empty() { BTreeMap::new() } else { BTreeMap::from([(format, named)]) })
    }

    pub(super) fn merge(&mut self, other: Self, repeat: Repeat) {
        for (format, named) in other.0 {
            let known = self.0.entry(format).or_default();
            // Nearly always: a shard, another test of the same build.
            if known.len() == named.len() && known.keys().eq(named.keys()) {
                known.values_mut().zip(named.values()).for_each(|(sum, hits)| *sum = repeat.join(*sum, *hits));
                continue;
            }
            for (key, hits) in named {
                let sum = known.entry(key).or_default();
                *sum = repeat.join(*sum, hits);
            }
        }
    }

    /// The sums.
    pub(super) fn ratio(&self) -> Ratio {
        ratio(&self.all())
    }

    /// Each function of the source with its line and hits, ascending by line; line 0 is not known.
    pub(super) fn all(&self) -> Vec<Function<'_>> {
        let formats: Vec<_> = self.0.values().map(of_source).collect();
        if formats.len() < 2 {
            return formats.into_iter().next().unwrap_or_default();
        }
        let mut lines: BTreeMap<u32, Vec<&[Function<'_>]>> = BTreeMap::new();
        for line in formats.iter().flat_map(|all| all.chunk_by(|a, b| a.line == b.line)).filter(|line| line[0].line > 0)
        {
            lines.entry(line[0].line).or_default().push(line);
        }
        let mut all: Vec<_> = lines.into_values().flat_map(|told| widest(told.into_iter())).collect();
        // What has no place may be any of those that have one: only what goes beyond them is sure to be another.
        let widest = widest(formats.iter().map(Vec::as_slice));
        let unplaced = widest.iter().filter(|function| function.line == 0);
        let missing = widest.len().saturating_sub(all.len());
        all.splice(0..0, unplaced.take(missing).copied());
        enter(&mut all, ratio(&widest).covered);
        all
    }
}

/// A function of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Function<'n> {
    /// One of its names.
    pub(super) name: &'n str,
    pub(super) line: u32,
    pub(super) hits: u64,
}

fn ratio(functions: &[Function<'_>]) -> Ratio {
    let covered = functions.iter().filter(|function| function.hits > 0).count() as u64;
    Ratio { covered, total: functions.len() as u64 }
}

/// Of several tellings of the same functions the one with the most, as many of them entered as in any.
fn widest<'f, 'n: 'f>(told: impl Iterator<Item = &'f [Function<'n>]> + Clone) -> Vec<Function<'n>> {
    let mut widest = told.clone().max_by_key(|all| all.len()).unwrap_or_default().to_vec();
    enter(&mut widest, told.map(|all| ratio(all).covered).max().unwrap_or(0));
    widest
}

/// Shows functions as entered once until there are as many as are known to be.
fn enter(functions: &mut [Function<'_>], want: u64) {
    let has = ratio(functions).covered;
    let idle = functions.iter_mut().filter(|function| function.hits == 0);
    idle.zip(has..want).for_each(|(function, _)| function.hits = 1);
}

/// Instantiations of one function together.
fn of_source(named: &Named) -> Vec<Function<'_>> {
    let all: Vec<_> = named.iter().map(|((line, name), hits)| Function { name, line: *line, hits: *hits }).collect();
    let mut out = Vec::with_capacity(all.len());
    for line in all.chunk_by(|a, b| a.line == b.line) {
        // Nearly every line starts one function at most. Those without a line have nothing in common.
        if line.len() == 1 || line[0].line == 0 {
            out.extend_from_slice(line);
            continue;
        }
        let mut kept: BTreeMap<Cow<'_, str>, Function<'_>> = BTreeMap::new();
        for function in line {
            kept.entry(without_types(function.name))
                .and_modify(|kept| kept.hits = kept.hits.saturating_add(function.hits))
                .or_insert(*function);
        }
        out.extend(kept.into_values());
    }
    out
}

/// A function's name without type arguments, and without the parameters that follow from them. Symbols of C++ and
/// Rust are made readable first; what cannot be is kept as it is.
fn without_types(name: &str) -> Cow<'_, str> {
    let readable = match readable(name) {
        Some(readable) => Cow::Owned(readable),
        None => Cow::Borrowed(name),
    };
    let Some(mut plain) = without_arguments(&readable) else { return readable };
    if plain.len() == readable.len() {
        return readable;
    }
    // `Box<int>::put(int)`: the parameters of a template are as many as its instantiations.
    let end = plain.strip_suffix(" const").unwrap_or(&plain).len();
    if plain[..end].ends_with(')')
        && let Some(open @ 1..) = opening(&plain.as_bytes()[..end])
    {
        plain.truncate(open);
    }
    // `double mean<double>(double)`: what it returns stands before the name.
    if let Some(space) = plain.rfind(' ').filter(|_| !plain.contains(" as ")) {
        plain.drain(..=space);
    }
    Cow::Owned(plain)
}

/// What a compiler's symbol stands for.
fn readable(symbol: &str) -> Option<String> {
    use std::fmt::Write as _;

    let mut out = Bounded(String::new());
    if let Ok(rust) = rustc_demangle::try_demangle(symbol) {
        write!(out, "{rust:#}").ok()?;
    } else if symbol.starts_with("_Z") || symbol.starts_with("__Z") {
        let options = cpp_demangle::DemangleOptions::new().no_return_type();
        cpp_demangle::BorrowedSymbol::new(symbol.as_bytes()).ok()?.structured_demangle(&mut out, &options).ok()?;
    } else {
        return None;
    }
    Some(out.0)
}

/// Text up to [`READABLE_BYTES`].
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.0.len() + piece.len() > READABLE_BYTES {
            return Err(fmt::Error);
        }
        self.0.push_str(piece);
        Ok(())
    }
}

/// A name without `<…>` behind a word and without the type in `<type as Trait>`; `None` where brackets do not pair.
fn without_arguments(name: &str) -> Option<String> {
    let mut out = String::with_capacity(name.len());
    // Where what each open bracket encloses begins in `out`, and whether it goes.
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut before = '\0';
    for ch in name.chars() {
        match ch {
            '<' => {
                let path = out.strip_suffix("::").unwrap_or(&out);
                let is_arguments = path.ends_with(|last: char| last.is_alphanumeric() || last == '_');
                open.push((if is_arguments { path.len() } else { out.len() }, is_arguments));
                out.push(ch);
            }
            '>' if before == '-' => out.push(ch),
            '>' => {
                let (start, is_arguments) = open.pop()?;
                if is_arguments {
                    out.truncate(start);
                } else {
                    if let Some(at) = out[start..].find(" as ") {
                        out.replace_range(start + 1..start + at, "_");
                    }
                    out.push(ch);
                }
            }
            ch => out.push(ch),
        }
        before = ch;
    }
    open.is_empty().then_some(out)
}

/// Where the bracket opens that the last one closes.
fn opening(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    bytes.iter().rposition(|byte| {
        match byte {
            b')' => depth += 1,
            b'(' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn functions(format: &'static str, named: &[(u32, &str, u64)]) -> Functions {
        let named = named.iter().map(|(line, name, hits)| ((*line, (*name).into()), *hits));
        Functions::new(format, named.collect())
    }

    fn merged(mut a: Functions, b: Functions) -> Functions {
        a.merge(b, Repeat::Sum);
        a
    }

    #[test]
    fn instantiations_are_one_function_in_every_spelling() {
        for (names, want) in [
            (&["_ZN3BoxIdEC2Ed", "_ZN3BoxIiEC2Ei", "_ZN3BoxIiEC1Ei"][..], "Box::Box"),
            (&["_ZNK3BoxIdE4openEv", "_ZNK3BoxIiE4openEv"], "Box::open"),
            (&["_Z4meanIiET_S0_S0_", "_Z4meanIdET_S0_S0_"], "mean"),
            (
                &["Box<double>::Box(double)", "Box<int>::Box(int)", "Box<std::vector<int> >::Box(std::vector<int>)"],
                "Box::Box",
            ),
            (&["double mean<double>(double, double)", "int mean<int>(int, int)"], "mean"),
            (&["shop::mean::<i32>", "shop::mean::<alloc::vec::Vec<u8>>", "shop::mean<i8>"], "shop::mean"),
            (&["shop::mean::<i32>::{closure#0}", "shop::mean::<i8>::{closure#0}"], "shop::mean::{closure#0}"),
            (&["<i32 as shop::Show>::show", "<u8 as shop::Show>::show"], "<_ as shop::Show>::show"),
            (&["<shop::Bag<i32>>::put", "<shop::Bag<u8>>::put"], "<shop::Bag>::put"),
        ] {
            for name in names {
                assert_eq!(without_types(name), want, "{name}");
            }
        }
    }

    #[test]
    fn other_names_stay_as_they_are() {
        for name in [
            "(anonymous_0)",
            "<module>",
            "<lambda>",
            "twice(int)",
            "operator<(A, B)",
            "operator->",
            "a<b",
            "f>",
            "_R",
            "_Z",
            "größe",
            "",
            "<computed>",
            "3:14",
        ] {
            assert_eq!(without_types(name), name);
        }
        assert_eq!(without_types("_Z5twicei"), "twice(int)");
    }

    #[test]
    fn a_line_may_start_several_functions() {
        let all = functions(
            "lcov",
            &[(7, "_Z5twicei", 1), (7, "_Z6thricei", 0), (4, "_ZN3BoxIdEC2Ed", 0), (4, "_ZN3BoxIiEC2Ei", 2)],
        );
        assert_eq!(all.ratio(), Ratio { covered: 2, total: 3 });
        let scripts = functions("lcov", &[(1, "(anonymous_0)", 1), (1, "(anonymous_1)", 0)]);
        assert_eq!(scripts.ratio(), Ratio { covered: 1, total: 2 });
    }

    #[test]
    fn formats_meet_as_sums() {
        let symbols = functions("lcov", &[(3, "_RNvCs1_4shop4mean", 2), (9, "_RNvCs1_4shop3tax", 0)]);
        let places = functions("llvm", &[(3, "3:1", 2), (9, "9:1", 0), (9, "9:30", 1)]);
        let both = merged(symbols.clone(), places.clone());
        assert_eq!(both, merged(places.clone(), symbols.clone()));
        assert_eq!(both.ratio(), Ratio { covered: 2, total: 3 });
        let unplaced = functions("other", &[(0, "mean", 1), (0, "tax", 1), (0, "sum", 1), (0, "max", 1)]);
        assert_eq!(merged(both, unplaced).ratio(), Ratio { covered: 4, total: 4 });
    }

    #[test]
    fn a_symbol_that_unfolds_without_end_stays_as_it_is() {
        // Each parameter is a pair of the one before: `_` and a number stand for what was written earlier.
        let pairs = |count: usize| {
            let pair = |at: usize| if at == 1 { "S0_".to_owned() } else { format!("S{}_", at - 1) };
            let more = (1..count).map(|at| format!("S_I{0}{0}E", pair(at)));
            format!("_Z1f1PIiiE{}", more.collect::<String>())
        };
        assert_eq!(readable(&pairs(2)).unwrap(), "f(P<int, int>, P<P<int, int>, P<int, int> >)");
        assert_eq!(readable(&pairs(11)), None);
        assert_eq!(without_types(&pairs(11)), pairs(11));
    }
}
