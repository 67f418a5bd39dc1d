//! What a check prints, in bounded memory: the start, the end, and how much lies between.

use std::collections::VecDeque;

use crate::check::outcome::Output;
use crate::sys::text;

/// Bytes kept of the start.
const HEAD: usize = 16 << 10;
/// Bytes kept of the end.
const TAIL: usize = 48 << 10;

/// Collects output.
#[derive(Default)]
pub(super) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    dropped: u64,
}

impl Capture {
    /// Adds what came next.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let room = HEAD - self.head.len();
        let (head, rest) = bytes.split_at(bytes.len().min(room));
        self.head.extend_from_slice(head);
        // Of a piece longer than the tail only its end can stay.
        let skip = rest.len().saturating_sub(TAIL);
        let excess = (self.tail.len() + rest.len() - skip).saturating_sub(TAIL);
        self.tail.drain(..excess);
        self.tail.extend(&rest[skip..]);
        self.dropped += (skip + excess) as u64;
    }

    /// The text, colours and control characters undone, invalid UTF-8 replaced.
    pub(super) fn finish(mut self) -> Output {
        let tail = self.tail.make_contiguous();
        let mut dropped = self.dropped;
        let text = if dropped == 0 {
            self.head.extend_from_slice(tail);
            text::plain_lines(&String::from_utf8_lossy(&self.head))
        } else {
            // Whole lines only: cut ends would read as something they are not.
            let head_end = self.head.iter().rposition(|byte| *byte == b'\n').map_or(self.head.len(), |at| at + 1);
            let tail_start = tail.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            dropped += (self.head.len() - head_end + tail_start) as u64;
            let head = text::plain_lines(&String::from_utf8_lossy(&self.head[..head_end]));
            let tail = text::plain_lines(&String::from_utf8_lossy(&tail[tail_start..]));
            let gap = if head.ends_with('\n') { "" } else { "\n" };
            format!("{head}{gap}[… {} of output dropped here …]\n{tail}", text::bytes(dropped))
        };
        Output { text, dropped_bytes: dropped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_output_is_whole_and_made_plain() {
        let mut capture = Capture::default();
        capture.add(b"a\x1b[31mb\xff\r\n");
        capture.add(b"c");
        assert_eq!(capture.finish(), Output { text: "ab\u{fffd}\nc".into(), dropped_bytes: 0 });
    }

    #[test]
    fn long_output_keeps_both_ends_and_says_what_is_gone_whatever_the_pieces() {
        let all: String = (0..40_000).map(|line| format!("line {line}\n")).collect();
        let mut outputs = Vec::new();
        for piece in [1, 1000, 65_536, all.len()] {
            let mut capture = Capture::default();
            all.as_bytes().chunks(piece).for_each(|bytes| capture.add(bytes));
            outputs.push(capture.finish());
        }
        let first = outputs[0].clone();
        assert!(outputs.iter().all(|output| *output == first));
        assert!(first.text.starts_with("line 0\n") && first.text.ends_with("line 39999\n"));
        assert!(first.text.contains("of output dropped here"));
        let marker = first.text.lines().find(|line| line.starts_with("[…")).unwrap();
        assert_eq!(first.text.len() - marker.len() - 1 + usize::try_from(first.dropped_bytes).unwrap(), all.len());
    }
}
