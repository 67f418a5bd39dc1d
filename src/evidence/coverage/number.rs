//! Numbers as coverage writers write them.

/// Lines, blocks or segments that a report may hold for each entry that [`Limits::entries`](super::super::Limits::entries) allows it: a few bytes
/// may claim a billion lines.
pub(super) const LINES_PER_ENTRY: usize = 16;

/// Digits and nothing else; saturating.
pub(super) fn digits(bytes: &[u8]) -> Option<u64> {
    let add = |value: u64, byte: &u8| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| value.saturating_mul(10).saturating_add(u64::from(digit)))
    };
    if bytes.is_empty() { None } else { bytes.iter().try_fold(0, add) }
}
