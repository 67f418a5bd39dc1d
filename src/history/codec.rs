//! How the parts of a record become bytes, and bytes parts again. Pure.
//!
//! Tests are written in blocks of neighbouring numbers: a block is a few hundred bytes that hold one run's outcomes
//! of up to [`BLOCK`] tests, so that a run of a thousand tests is sixteen rows and not a thousand, and the past of
//! one test is one short row a run. Nothing here trusts what it reads: bytes that mean nothing are [`Broken`].

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::evidence::Outcome;
use crate::evidence::coverage::{FileLines, LineSet};
use crate::evidence::sink::{Ratio, Totals};
use crate::evidence::tests::Test;

/// Tests in a block.
pub(super) const BLOCK: i64 = 64;

/// The most that one compressed part may grow to.
const MAX_BYTES: u64 = 1 << 30;

/// Bytes that do not mean what they should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Broken(pub(super) &'static str);

/// Compresses; a checksum of the content comes with it.
pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail.
    let _ = out.write_all(bytes);
    out.finish().unwrap_or_default()
}

/// The reverse of [`deflate`]; the checksum has to fit.
pub(super) fn inflate(bytes: &[u8]) -> Result<Vec<u8>, Broken> {
    let mut out = Vec::new();
    ZlibDecoder::new(bytes)
        .take(MAX_BYTES + 1)
        .read_to_end(&mut out)
        .map_err(|_| Broken("a compressed part does not unpack"))?;
    if out.len() as u64 > MAX_BYTES { Err(Broken("a compressed part is too large")) } else { Ok(out) }
}

/// Appends a number in as few bytes as it needs (LEB128).
pub(super) fn put_number(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

/// Takes what [`put_number`] wrote.
pub(super) fn take_number(bytes: &mut &[u8]) -> Result<u64, Broken> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(CUT)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Broken("a number is too long"))
}

const CUT: Broken = Broken("a part ends too early");

/// Appends bytes with their length.
pub(super) fn put_bytes(bytes: &mut Vec<u8>, value: &[u8]) {
    put_number(bytes, value.len() as u64);
    bytes.extend_from_slice(value);
}

/// Takes what [`put_bytes`] wrote.
pub(super) fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], Broken> {
    let length = usize::try_from(take_number(bytes)?).map_err(|_| CUT)?;
    let (value, rest) = bytes.split_at_checked(length).ok_or(CUT)?;
    *bytes = rest;
    Ok(value)
}

/// One test of a block, without its message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    /// Its place in the block.
    pub(super) place: u8,
    pub(super) outcome: Outcome,
    pub(super) flaky: bool,
    pub(super) attempts: u32,
    pub(super) seconds: f64,
    pub(super) line: Option<u32>,
    /// Whether the run's messages hold one for it.
    pub(super) has_message: bool,
}

impl Entry {
    /// A test at its place.
    pub(super) fn of(place: u8, test: &Test) -> Self {
        Self {
            place,
            outcome: test.outcome,
            flaky: test.flaky,
            attempts: test.attempts,
            seconds: test.seconds,
            line: test.line,
            has_message: test.message.is_some(),
        }
    }

    /// The test again.
    pub(super) fn test(self, message: Option<Box<str>>) -> Test {
        let Self { outcome, flaky, attempts, seconds, line, .. } = self;
        Test { outcome, flaky, attempts, seconds, line, message }
    }
}

const OUTCOMES: [Outcome; 4] = [Outcome::Skipped, Outcome::Passed, Outcome::Failed, Outcome::Errored];
const FLAKY: u8 = 1 << 2;
const ATTEMPTS: u8 = 1 << 3;
const SECONDS_AT: u8 = 4;
const LINE: u8 = 1 << 6;
const MESSAGE: u8 = 1 << 7;

/// Appends a test to a block's bytes.
pub(super) fn put_entry(bytes: &mut Vec<u8>, entry: &Entry) {
    let outcome = OUTCOMES.iter().position(|outcome| *outcome == entry.outcome).unwrap_or_default();
    let mut flags = u8::try_from(outcome).unwrap_or_default();
    let set = |on: bool, flag: u8| if on { flag } else { 0 };
    flags |= set(entry.flaky, FLAKY) | set(entry.attempts != 1, ATTEMPTS);
    flags |= set(entry.line.is_some(), LINE) | set(entry.has_message, MESSAGE);
    let seconds = Seconds::of(entry.seconds);
    flags |= seconds.form() << SECONDS_AT;
    bytes.extend([flags, entry.place]);
    if entry.attempts != 1 {
        put_number(bytes, u64::from(entry.attempts));
    }
    match seconds {
        Seconds::None => {}
        Seconds::Thousandths(count) | Seconds::Millionths(count) => put_number(bytes, count),
        Seconds::Exact(bits) => bytes.extend(bits.to_le_bytes()),
    }
    if let Some(line) = entry.line {
        put_number(bytes, u64::from(line));
    }
}

/// Takes what [`put_entry`] wrote.
pub(super) fn take_entry(bytes: &mut &[u8]) -> Result<Entry, Broken> {
    let [flags, place, rest @ ..] = *bytes else { return Err(CUT) };
    *bytes = rest;
    if i64::from(*place) >= BLOCK {
        return Err(Broken("a test stands outside its block"));
    }
    let small = |number: u64| u32::try_from(number).map_err(|_| Broken("a count is too large"));
    let attempts = if flags & ATTEMPTS == 0 { 1 } else { small(take_number(bytes)?)? };
    let seconds = match flags >> SECONDS_AT & 3 {
        0 => Seconds::None,
        1 => Seconds::Thousandths(take_number(bytes)?),
        2 => Seconds::Millionths(take_number(bytes)?),
        _ => {
            let (bits, rest) = bytes.split_first_chunk::<8>().ok_or(CUT)?;
            *bytes = rest;
            Seconds::Exact(u64::from_le_bytes(*bits))
        }
    };
    let line = if flags & LINE == 0 { None } else { Some(small(take_number(bytes)?)?) };
    Ok(Entry {
        place: *place,
        outcome: OUTCOMES[usize::from(flags & 3)],
        flaky: flags & FLAKY != 0,
        attempts,
        seconds: seconds.value(),
        line,
        has_message: flags & MESSAGE != 0,
    })
}

/// Bytes with their checksum: a changed byte would make another outcome, and nobody would know.
pub(super) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(sum(&bytes).to_le_bytes());
    bytes
}

/// The checksum of some bytes (CRC-32).
pub(super) fn sum(bytes: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum()
}

/// The bytes under a [`seal`].
pub(super) fn unseal(bytes: &[u8]) -> Result<&[u8], Broken> {
    let (bytes, seal) = bytes.split_last_chunk::<4>().ok_or(CUT)?;
    if sum(bytes) == u32::from_le_bytes(*seal) { Ok(bytes) } else { Err(Broken("a part was changed")) }
}

/// One test of a sealed block, if it is there.
pub(super) fn entry(bytes: &[u8], place: u8) -> Result<Option<Entry>, Broken> {
    let mut bytes = unseal(bytes)?;
    while !bytes.is_empty() {
        let entry = take_entry(&mut bytes)?;
        if entry.place == place {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

/// Every test of a sealed block.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>, Broken> {
    let mut bytes = unseal(bytes)?;
    let mut out = Vec::new();
    while !bytes.is_empty() {
        out.push(take_entry(&mut bytes)?);
    }
    Ok(out)
}

/// Reports write times as short decimals: kept as a count where that gives the same number to its last bit.
#[derive(Clone, Copy)]
enum Seconds {
    None,
    Thousandths(u64),
    Millionths(u64),
    Exact(u64),
}

impl Seconds {
    fn of(value: f64) -> Self {
        if value.to_bits() == 0 {
            return Self::None;
        }
        for (scale, form) in [(1e3, Self::Thousandths as fn(u64) -> Self), (1e6, Self::Millionths)] {
            let scaled = (value * scale).round();
            if (1.0..1e12).contains(&scaled) && (scaled / scale).to_bits() == value.to_bits() {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in the range")]
                return form(scaled as u64);
            }
        }
        Self::Exact(value.to_bits())
    }

    fn form(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Thousandths(_) => 1,
            Self::Millionths(_) => 2,
            Self::Exact(_) => 3,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are written below 1e12")]
    fn value(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Thousandths(count) => count as f64 / 1e3,
            Self::Millionths(count) => count as f64 / 1e6,
            Self::Exact(bits) => f64::from_bits(bits),
        }
    }
}

/// The lines of one file and its sums.
pub(super) fn put_lines(lines: &FileLines) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_bytes(&mut bytes, &lines.covered.to_bytes());
    put_bytes(&mut bytes, &lines.missed.to_bytes());
    let Totals { lines, branches, functions, statements } = lines.totals;
    for ratio in [lines, branches, functions, statements] {
        put_number(&mut bytes, ratio.covered);
        put_number(&mut bytes, ratio.total);
    }
    bytes
}

/// Takes what [`put_lines`] wrote.
pub(super) fn take_lines(mut bytes: &[u8]) -> Result<FileLines, Broken> {
    let set = |bytes: &mut &[u8]| LineSet::from_bytes(take_bytes(bytes)?).ok_or(Broken("a set of lines is none"));
    let (covered, missed) = (set(&mut bytes)?, set(&mut bytes)?);
    let mut ratios = [Ratio::default(); 4];
    for ratio in &mut ratios {
        *ratio = Ratio { covered: take_number(&mut bytes)?, total: take_number(&mut bytes)? };
    }
    let [lines, branches, functions, statements] = ratios;
    Ok(FileLines { covered, missed, totals: Totals { lines, branches, functions, statements } })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_entry() -> impl Strategy<Value = Entry> {
        let seconds = prop_oneof![
            Just(0.0),
            Just(-0.0),
            (0_u32..100_000_000).prop_map(|count| f64::from(count) / 1e3),
            (0_u32..100_000_000).prop_map(|count| f64::from(count) / 1e6),
            any::<f64>().prop_filter("NaN is compared below", |value| !value.is_nan()),
        ];
        let parts = (0_u8..64, 0_usize..4, any::<bool>(), any::<u32>(), seconds, any::<Option<u32>>(), any::<bool>());
        parts.prop_map(|(place, outcome, flaky, attempts, seconds, line, has_message)| Entry {
            place,
            outcome: OUTCOMES[outcome],
            flaky,
            attempts: if flaky { attempts } else { 1 },
            seconds,
            line,
            has_message,
        })
    }

    proptest! {
        #[test]
        fn a_block_reads_back_to_the_last_bit(written in prop::collection::vec(any_entry(), 0..64)) {
            let mut bytes = Vec::new();
            written.iter().for_each(|entry| put_entry(&mut bytes, entry));
            let read = entries(&seal(bytes)).unwrap();
            prop_assert_eq!(&read, &written);
            for (read, written) in read.iter().zip(&written) {
                prop_assert_eq!(read.seconds.to_bits(), written.seconds.to_bits());
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = (entries(&seal(bytes.clone())), entries(&bytes), take_lines(&bytes), inflate(&bytes));
        }
    }

    #[test]
    fn ordinary_tests_take_a_few_bytes() {
        let of = |seconds| Entry { seconds, ..Entry::of(3, &passed()) };
        let size = |entry: &Entry| {
            let mut bytes = Vec::new();
            put_entry(&mut bytes, entry);
            bytes.len()
        };
        assert_eq!([0.0, 0.125, 0.000_125, 1.0 / 3.0].map(|seconds| size(&of(seconds))), [2, 3, 3, 10]);
        let nan = of(f64::NAN);
        let mut bytes = Vec::new();
        put_entry(&mut bytes, &nan);
        assert_eq!(take_entry(&mut bytes.as_slice()).unwrap().seconds.to_bits(), f64::NAN.to_bits());
    }

    fn passed() -> Test {
        Test { outcome: Outcome::Passed, flaky: false, attempts: 1, seconds: 0.0, line: None, message: None }
    }

    #[test]
    fn lines_read_back_and_a_cut_anywhere_is_noticed() {
        let totals = Totals { branches: Ratio { covered: 300, total: u64::MAX }, ..Totals::default() };
        let lines = FileLines { covered: (1..400).collect(), missed: [7, u32::MAX].into_iter().collect(), totals };
        let bytes = put_lines(&lines);
        assert_eq!(take_lines(&bytes), Ok(lines));
        for cut in 0..bytes.len() {
            assert!(take_lines(&bytes[..cut]).is_err(), "{cut}");
        }
        let packed = deflate(&bytes);
        assert_eq!(inflate(&packed), Ok(bytes));
        for cut in 0..packed.len() {
            assert!(inflate(&packed[..cut]).is_err(), "{cut}");
        }
    }
}
