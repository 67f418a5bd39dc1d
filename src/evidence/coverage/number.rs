//! Numbers as coverage writers write them.

/// Lines, blocks or segments that a report may hold for each entry that [`Limits::entries`](super::super::Limits::entries) allows it: a few bytes
/// may claim a billion lines.
pub(in crate::evidence) const LINES_PER_ENTRY: usize = 16;

/// Digits and nothing else; saturating.
pub(super) fn digits(bytes: &[u8]) -> Option<u64> {
    let add = |value: u64, byte: &u8| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| value.saturating_mul(10).saturating_add(u64::from(digit)))
    };
    if bytes.is_empty() { None } else { bytes.iter().try_fold(0, add) }
}

/// A number that tells the arms of a file's branches apart, the same as lcov's reader gives `block,branch`.
pub(super) fn arm_id(block: u32, branch: u32) -> u32 {
    if block < 0x8000 && branch < 0x1_0000 {
        return block << 16 | branch;
    }
    let bytes = block.to_le_bytes().into_iter().chain(branch.to_le_bytes());
    bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)) | 0x8000_0000
}

/// A hit count, and whether it was written as one. `-1` is 0, `3.0` is 3, `0.5` is 1: what ran at all is covered.
pub(super) fn hits(text: &str) -> Option<(u64, bool)> {
    let text = text.trim();
    if let Some(count) = digits(text.as_bytes()) {
        return Some((count, true));
    }
    let value: f64 = text.parse().ok().filter(|value: &f64| !value.is_nan())?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the range of u64 on purpose"
    )]
    let count = value.max(0.0).ceil() as u64;
    Some((count, false))
}
