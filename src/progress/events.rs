//! `--events FILE`: every event as a JSON line, schema `mgmt.event/1`, written as it happens.

use std::fs::File;
use std::io::{self, Write};

use camino::Utf8Path;

use super::Subscriber;
use crate::check::Event;
use crate::check::event::{Line, SCHEMA};
use crate::sys::clock::Clock;
use crate::sys::fs::Error;

/// Writes JSON lines.
pub struct EventFile {
    file: File,
    clock: Clock,
}

impl EventFile {
    /// Creates the file before anything runs, so that a wrong path is an error at once.
    ///
    /// # Errors
    /// The system's error, with the path.
    pub fn create(path: &Utf8Path, clock: Clock) -> Result<Self, Error> {
        let file = File::create(path).map_err(|source| Error::new("create", path, source))?;
        Ok(Self { file, clock })
    }
}

impl Subscriber for EventFile {
    fn name(&self) -> &'static str {
        "the event file"
    }

    fn hear(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Line { schema: SCHEMA, time: self.clock.now(), event })?;
        line.push(b'\n');
        // One write a line: a reader that follows the file never sees half of one.
        self.file.write_all(&line)
    }
}
