//! Reads a report from what a check prints, as it is printed (`from: output`).

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use crate::check::evidence::Spec;
use crate::evidence::problem::UNREADABLE;
use crate::evidence::{Evidence, Limits, Origin, Problem, collect};

/// What such a report is called where a path would stand.
pub(super) fn label(check: &str) -> String {
    format!("output of `{check}`")
}

/// A reader on a thread of its own, fed piece by piece. Feeding waits where the reader is slower.
pub(super) struct OutputReader {
    feed: mpsc::Sender<Arc<[u8]>>,
    thread: JoinHandle<Evidence>,
    path: String,
}

impl OutputReader {
    pub(super) fn start(check: &str, spec: &Spec, limits: Limits) -> Self {
        let (feed, pieces) = mpsc::channel(4);
        let (check, path, kind, format, repeats) =
            (check.to_owned(), label(check), spec.kind, spec.format, spec.repeats);
        let shown = path.clone();
        let thread = std::thread::spawn(move || {
            let mut pieces = Pieces { pieces, current: Arc::from([]), at: 0 };
            let origin = Origin { check: &check, path: &path, repeats };
            let evidence = collect::read(&mut pieces, Some(kind), format, &origin, &limits);
            // A reader that gives up early must not stop the check's output.
            let _ = io::copy(&mut pieces, &mut io::sink());
            evidence
        });
        Self { feed, thread, path: shown }
    }

    pub(super) async fn feed(&self, piece: &Arc<[u8]>) {
        // It fails only if the thread is gone, which `finish` reports.
        let _ = self.feed.send(Arc::clone(piece)).await;
    }

    /// Ends the input and returns what was read.
    pub(super) async fn finish(self) -> Evidence {
        let Self { feed, thread, path } = self;
        drop(feed);
        match tokio::task::spawn_blocking(move || thread.join()).await {
            Ok(Ok(evidence)) => evidence,
            _ => Evidence {
                problems: vec![Problem::new(&UNREADABLE, "the reader stopped by a fault of its own").in_file(path)],
                ..Evidence::default()
            },
        }
    }
}

/// The pieces as one stream.
struct Pieces {
    pieces: mpsc::Receiver<Arc<[u8]>>,
    current: Arc<[u8]>,
    at: usize,
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(out.len());
        out[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Pieces {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.current.len() {
            match self.pieces.blocking_recv() {
                Some(piece) => (self.current, self.at) = (piece, 0),
                None => return Ok(&[]),
            }
        }
        Ok(&self.current[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}
