//! One child process from its start to its end.
//!
//! Both of its streams are one pipe, so their order is the order in which it wrote. It leads a process group
//! of its own (a job object on Windows), which is ended as a whole. It has no terminal to read from.

use std::io::{self, Read as _};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::Settings;
use super::capture::Capture;
use super::output::OutputReader;
use super::which::which;
use crate::check::outcome::{Output, Status};
use crate::check::{Command, Event};
use crate::sys::text;

/// How long output is waited for after the program has ended: a process it left behind may hold it open.
const DRAIN: Duration = Duration::from_secs(1);
/// When a check is first called slow; then each time its time has doubled.
const SLOW: Duration = Duration::from_secs(30);
/// Bytes of one piece of output.
const PIECE: usize = 64 << 10;
/// Bytes read after the program has ended. Its own last output fits: a pipe holds 64 KiB, and what is under way
/// here a few pieces. More than that is written by a process it left behind, perhaps without end.
const LATE: usize = 8 * PIECE;

/// What the whole run asks of its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stop {
    /// Go on.
    No,
    /// End within the grace time.
    Gently,
    /// End at once.
    Now,
}

/// How a child ended.
pub(super) struct Ended {
    pub(super) status: Status,
    pub(super) reason: Option<String>,
    pub(super) exit_code: Option<i32>,
    pub(super) output: Output,
    /// Whether a process left behind still holds the output open.
    pub(super) held_open: bool,
}

/// What goes with a child.
pub(super) struct Context<'a> {
    pub(super) id: &'a str,
    pub(super) settings: &'a Settings,
    pub(super) timeout: Duration,
    pub(super) stop: watch::Receiver<Stop>,
    pub(super) events: &'a mpsc::UnboundedSender<Event>,
    pub(super) readers: &'a [OutputReader],
}

/// Runs a command to its end.
pub(super) async fn run(command: &Command, mut context: Context<'_>) -> Ended {
    let (mut child, mut pieces) = match spawn(command, context.settings) {
        Ok(started) => started,
        Err(reason) => {
            return Ended {
                status: Status::Error,
                reason: Some(reason),
                exit_code: None,
                output: Output::default(),
                held_open: false,
            };
        }
    };
    let started = Instant::now();
    let deadline = started + context.timeout;
    let mut next_slow = started + SLOW;
    let mut capture = Capture::default();
    // Why it is being ended, and when it will be killed for it.
    let mut ending: Option<(Status, Instant)> = None;
    let mut killed = false;
    let mut exit: Option<(io::Result<ExitStatus>, Instant)> = None;
    let mut open = true;
    let mut late = 0;
    // A piece, and the first reader that has not got it. Handing it on is a branch of its own: a reader that is
    // slower than the program must not keep a timeout or a signal from being seen.
    let mut pending: Option<(Arc<[u8]>, usize)> = None;
    let held_open = loop {
        if exit.is_some() && pending.is_none() && (!open || late > LATE) {
            break open;
        }
        // What is being ended has its whole grace, also after its leader has gone.
        let drain = exit.as_ref().map_or(deadline, |(_, at)| *at + DRAIN);
        let drain = ending.map_or(drain, |(_, at)| drain.max(at));
        let kill_at = ending.map_or(deadline, |(_, at)| at);
        tokio::select! {
            // Output comes after everything that ends a check: a program that never stops printing is ended, too.
            biased;
            Ok(()) = context.stop.changed(), if exit.is_none() || ending.is_some() => {
                let now = *context.stop.borrow_and_update();
                if now == Stop::Now {
                    ending = Some((Status::Interrupted, Instant::now()));
                    kill(&mut *child);
                    killed = true;
                } else if ending.is_none() && now == Stop::Gently {
                    ending = Some((Status::Interrupted, Instant::now() + context.settings.grace));
                    terminate(&mut *child);
                }
            }
            () = sleep_until(deadline), if exit.is_none() && ending.is_none() => {
                ending = Some((Status::TimedOut, Instant::now() + context.settings.grace));
                terminate(&mut *child);
            }
            () = sleep_until(kill_at), if exit.is_none() && ending.is_some() && !killed => {
                kill(&mut *child);
                killed = true;
            }
            () = sleep_until(next_slow), if exit.is_none() => {
                let elapsed = started.elapsed();
                next_slow = started + elapsed * 2;
                let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
                let _ = context.events.send(Event::CheckSlow { id: context.id.to_owned(), elapsed_ms });
            }
            status = child.wait(), if exit.is_none() => exit = Some((status, Instant::now())),
            () = hand_on(context.readers, pending.as_ref()), if pending.is_some() => {
                pending = pending.take().map(|(piece, at)| (piece, at + 1)).filter(|(_, at)| *at < context.readers.len());
            }
            piece = pieces.recv(), if open && pending.is_none() => match piece {
                Some(piece) => {
                    capture.add(&piece);
                    late += if exit.is_some() { piece.len() } else { 0 };
                    pending = (!context.readers.is_empty()).then_some((piece, 0));
                }
                None => open = false,
            },
            () = sleep_until(drain), if exit.is_some() && pending.is_none() => break true,
        }
    };
    if ending.is_some() {
        // What its leader left behind is ended with it.
        kill(&mut *child);
    }
    let (status, reason, exit_code) = match (ending, exit.map(|(status, _)| status)) {
        (Some((Status::TimedOut, _)), _) => {
            let how = if killed { ", and killed because it did not end when asked" } else { "" };
            (
                Status::TimedOut,
                Some(format!("ended after its timeout of {}{how}", text::duration(context.timeout))),
                None,
            )
        }
        (Some((status, _)), _) => (status, Some("ended by a signal to this program".to_owned()), None),
        (None, Some(Ok(status))) => of_exit(status),
        (None, Some(Err(error))) => (Status::Error, Some(format!("its end could not be waited for: {error}")), None),
        (None, None) => (Status::Error, Some("its end was not seen".to_owned()), None),
    };
    Ended { status, reason, exit_code, output: capture.finish(), held_open: held_open && ending.is_none() }
}

/// Gives a piece to the reader whose turn it is. Nothing is lost or given twice if this is not waited for.
async fn hand_on(readers: &[OutputReader], pending: Option<&(Arc<[u8]>, usize)>) {
    if let Some((piece, at)) = pending {
        readers[*at].feed(piece).await;
    }
}

fn of_exit(status: ExitStatus) -> (Status, Option<String>, Option<i32>) {
    match status.code() {
        Some(0) => (Status::Passed, None, Some(0)),
        Some(code) => (Status::Failed, Some(format!("exit code {code}")), Some(code)),
        None => (Status::Failed, Some(signal_of(status)), None),
    }
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    let Some(signal) = status.signal() else { return "ended without an exit code".to_owned() };
    let name = match signal {
        2 => " (interrupt)",
        4 => " (illegal instruction)",
        6 => " (abort)",
        7 | 10 => " (bus error)",
        8 => " (arithmetic fault)",
        9 => " (kill: perhaps out of memory)",
        11 => " (segmentation fault)",
        13 => " (broken pipe)",
        15 => " (terminate)",
        _ => "",
    };
    format!("ended by signal {signal}{name}")
}

#[cfg(not(unix))]
fn signal_of(_status: ExitStatus) -> String {
    "ended without an exit code".to_owned()
}

type Started = (Box<dyn ChildWrapper>, mpsc::Receiver<Arc<[u8]>>);

/// Starts the child and a thread that reads its output. The error is a reason for a person.
fn spawn(command: &Command, settings: &Settings) -> Result<Started, String> {
    let folder = settings.root.join(&command.cwd);
    if !folder.is_dir() {
        return Err(format!("its folder `{}` does not exist", command.cwd));
    }
    let program = &command.argv[0];
    let plumbing = |error: io::Error| format!("no pipe for its output: {error}");
    let (mut reader, writer) = io::pipe().map_err(plumbing)?;
    let mut spawned = tokio::process::Command::new(program);
    spawned
        .args(&command.argv[1..])
        .current_dir(&folder)
        .env_clear()
        .envs(settings.env.for_children())
        .envs(&command.env)
        .stdin(Stdio::null())
        .stdout(writer.try_clone().map_err(plumbing)?)
        .stderr(writer)
        .kill_on_drop(true);
    let mut group = CommandWrap::from(spawned);
    #[cfg(unix)]
    group.wrap(process_wrap::tokio::ProcessGroup::leader());
    #[cfg(windows)]
    group.wrap(process_wrap::tokio::JobObject);
    let child = group.spawn().map_err(|error| match error.kind() {
        // The system says the same of a script whose interpreter is missing: a moved virtual environment, say.
        io::ErrorKind::NotFound if which(program, &folder, &settings.env).is_some() => format!(
            "`{}` could not be started: it is there, but the interpreter in its first line was not found",
            text::one_line(program)
        ),
        io::ErrorKind::NotFound => format!("the program `{}` was not found", text::one_line(program)),
        io::ErrorKind::PermissionDenied => {
            format!("`{}` may not be started: it is not executable", text::one_line(program))
        }
        _ => format!("`{}` could not be started: {error}", text::one_line(program)),
    })?;
    // The pipe ends when the last writer is closed; the command holds two of them.
    drop(group);
    let (send, pieces) = mpsc::channel::<Arc<[u8]>>(4);
    // Not on the runtime's own threads: if a process left behind never closes the pipe, this thread stays
    // until the program ends, and nobody waits for it.
    std::thread::spawn(move || {
        let mut buffer = vec![0; PIECE];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    if send.blocking_send(Arc::from(&buffer[..count])).is_err() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    });
    Ok((child, pieces))
}

/// Asks the whole group to end.
#[cfg(unix)]
fn terminate(child: &mut dyn ChildWrapper) {
    let signal = tokio::signal::unix::SignalKind::terminate().as_raw_value();
    if child.signal(signal).is_err() {
        kill(child);
    }
}

#[cfg(not(unix))]
fn terminate(child: &mut dyn ChildWrapper) {
    kill(child);
}

/// Ends the whole group.
fn kill(child: &mut dyn ChildWrapper) {
    // It fails only if the group is gone, which is what is wanted.
    let _ = child.start_kill();
}
