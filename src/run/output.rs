//! Reads a report from what a check prints, as it is printed (`from: output`).

use std::fs::File;
use std::io::{self, BufRead, BufWriter, Read, Write as _};
use std::sync::Arc;
use std::thread::JoinHandle;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::sync::mpsc;

use crate::check::evidence::Spec;
use crate::evidence::problem::UNREADABLE;
use crate::evidence::{Evidence, Limits, Origin, Problem, collect};

/// What such a report is called where a path would stand.
#[must_use]
pub fn output_label(check: &str) -> String {
    format!("output of `{check}`")
}

/// Where the output of a check is kept in the folder for it.
#[must_use]
pub fn kept_output(folder: &Utf8Path, check: &str) -> Utf8PathBuf {
    // A check's name is letters, digits, dashes, dots and underscores, and begins with none of the last three.
    folder.join(format!("{check}.out"))
}

/// A reader on a thread of its own, fed piece by piece. Feeding waits where the reader is slower.
pub(super) struct OutputReader {
    feed: mpsc::Sender<Arc<[u8]>>,
    thread: JoinHandle<Evidence>,
    path: String,
}

impl OutputReader {
    /// Starts reading. What is read is written to `keep` as well, if that can be done: a copy decides nothing here,
    /// and whoever looks for it says that it is not there.
    pub(super) fn start(check: &str, spec: &Spec, limits: Limits, keep: Option<Utf8PathBuf>) -> Self {
        let (feed, pieces) = mpsc::channel(4);
        let (check, path, kind, format, repeats) =
            (check.to_owned(), output_label(check), spec.kind, spec.format, spec.repeats);
        let shown = path.clone();
        let thread = std::thread::spawn(move || {
            let copy = keep.and_then(Copy::begin);
            let mut pieces = Pieces { pieces, current: Arc::from([]), at: 0, copy };
            let origin = Origin { check: &check, path: &path, repeats };
            let evidence = collect::read(&mut pieces, Some(kind), format, &origin, &limits);
            // A reader that gives up early must not stop the check's output.
            let _ = io::copy(&mut pieces, &mut io::sink());
            if let Some(copy) = pieces.copy {
                copy.end();
            }
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
    copy: Option<Copy>,
}

/// The copy of an output, under another name until it is whole.
struct Copy {
    file: BufWriter<File>,
    path: Utf8PathBuf,
}

impl Copy {
    fn begin(path: Utf8PathBuf) -> Option<Self> {
        // What an earlier run printed must not be taken for this one's.
        let _ = std::fs::remove_file(&path);
        std::fs::create_dir_all(path.parent()?).ok()?;
        let file = File::create(Self::unfinished(&path)).ok()?;
        Some(Self { file: BufWriter::new(file), path })
    }

    fn unfinished(path: &Utf8Path) -> Utf8PathBuf {
        path.with_extension("part")
    }

    fn end(mut self) {
        let is_whole = self.file.flush().is_ok();
        let part = Self::unfinished(&self.path);
        if !is_whole || std::fs::rename(&part, &self.path).is_err() {
            let _ = std::fs::remove_file(&part);
        }
    }
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
                Some(piece) => {
                    if self.copy.as_mut().is_some_and(|copy| copy.file.write_all(&piece).is_err()) {
                        self.copy = None;
                    }
                    (self.current, self.at) = (piece, 0);
                }
                None => return Ok(&[]),
            }
        }
        Ok(&self.current[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}
