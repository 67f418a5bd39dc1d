//! Starts checks as their needs, their resources and the number of jobs allow.
//!
//! One loop owns all state: what waits, what runs, which resources are taken. Checks start in the order of the
//! plan among those that can. Each runs once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::evidence::{Before, gather};
use super::output::{OutputReader, kept_output};
use super::process::{self, Context, Stop};
use super::tree::DiskTree;
use super::which::which;
use super::{FIX_FAILED, FailFast, Fix, HELD_OPEN, Settings};
use crate::check::evidence::From;
use crate::check::outcome::{CheckOutcome, Output, Skip, Status};
use crate::check::{Action, Check, Event, Plan, paths};
use crate::evidence::problem::UNREADABLE;
use crate::evidence::{Evidence, Level, Problem};

/// What came of one check.
#[derive(Debug)]
pub struct Executed {
    /// How it ended.
    pub outcome: CheckOutcome,
    /// What its reports say.
    pub evidence: Evidence,
    /// The check itself.
    pub check: Arc<Check>,
}

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Run {
    /// One for each planned check, in the order of the plan.
    pub checks: Vec<Executed>,
    /// The signal that ended the run early: `SIGINT`, `SIGTERM`.
    pub interrupted: Option<String>,
    /// What the runner noticed.
    pub problems: Vec<Problem>,
}

/// Runs a plan to its end, or to a signal's.
///
/// # Errors
/// The system refuses what every run needs: a timer, a signal handler.
pub fn execute(plan: &Plan, settings: &Settings, tell: &mut dyn FnMut(Event)) -> std::io::Result<Run> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = runtime.block_on(Schedule::new(plan, settings).run(tell));
    // A thread that waits for a process left behind must not hold this program.
    runtime.shutdown_background();
    run
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Done,
}

struct Schedule<'p> {
    plan: &'p Plan,
    settings: Arc<Settings>,
    states: Vec<State>,
    done: Vec<Option<Executed>>,
    taken: BTreeSet<String>,
    running: JoinSet<(usize, Finished)>,
    stop: watch::Sender<Stop>,
    events: mpsc::UnboundedSender<Event>,
    heard: mpsc::UnboundedReceiver<Event>,
    run: Run,
}

struct Finished {
    outcome: CheckOutcome,
    evidence: Evidence,
    problems: Vec<Problem>,
}

impl<'p> Schedule<'p> {
    fn new(plan: &'p Plan, settings: &Settings) -> Self {
        let (events, heard) = mpsc::unbounded_channel();
        Self {
            plan,
            settings: Arc::new(settings.clone()),
            states: vec![State::Waiting; plan.checks.len()],
            done: plan.checks.iter().map(|_| None).collect(),
            taken: BTreeSet::new(),
            running: JoinSet::new(),
            stop: watch::Sender::new(Stop::No),
            events,
            heard,
            run: Run::default(),
        }
    }

    async fn run(mut self, tell: &mut dyn FnMut(Event)) -> std::io::Result<Run> {
        let mut signals = Signals::new()?;
        tell(Event::RunStarted {
            command: self.settings.command.clone(),
            checks: self.plan.checks.len(),
            jobs: self.settings.jobs,
        });
        if self.settings.fix == Fix::Yes {
            self.fix(&mut signals, tell).await;
        }
        loop {
            self.start_ready(tell);
            if self.running.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                Some(event) = self.heard.recv() => tell(event),
                signal = signals.next() => self.interrupt(signal, tell),
                Some(joined) = self.running.join_next() => match joined {
                    Ok((at, finished)) => self.finish(at, finished, tell),
                    // A check that vanished must not leave a verdict behind: the bug is the program's own end.
                    Err(error) => match error.try_into_panic() {
                        Ok(panic) => std::panic::resume_unwind(panic),
                        Err(error) => return Err(std::io::Error::other(error)),
                    },
                },
            }
        }
        while let Ok(event) = self.heard.try_recv() {
            tell(event);
        }
        self.run.checks = self.done.into_iter().flatten().collect();
        let mut statuses: Vec<(Status, usize)> = Vec::new();
        for executed in &self.run.checks {
            match statuses.iter_mut().find(|(status, _)| *status == executed.outcome.status) {
                Some((_, count)) => *count += 1,
                None => statuses.push((executed.outcome.status, 1)),
            }
        }
        tell(Event::RunFinished { statuses });
        Ok(self.run)
    }

    fn interrupt(&mut self, signal: &'static str, tell: &mut dyn FnMut(Event)) {
        // A second signal means now.
        let next = if self.run.interrupted.is_some() { Stop::Now } else { Stop::Gently };
        self.stop.send_replace(next);
        if self.run.interrupted.is_none() {
            self.run.interrupted = Some(signal.to_owned());
            tell(Event::Interrupted { signal: signal.to_owned() });
        }
    }

    /// Runs `fix:` commands one after the other: two of them may rewrite the same file.
    async fn fix(&mut self, signals: &mut Signals, tell: &mut dyn FnMut(Event)) {
        let settings = Arc::clone(&self.settings);
        for planned in &self.plan.checks {
            let Some(command) = planned.check.fix.clone().filter(|_| self.run.interrupted.is_none()) else { continue };
            let id = planned.check.id.clone();
            tell(Event::FixStarted { id: id.clone(), command: command.display() });
            let context = Context {
                id: &id,
                settings: &settings,
                timeout: planned.check.timeout,
                stop: self.stop.subscribe(),
                events: &self.events.clone(),
                readers: &[],
            };
            let mut fixing = std::pin::pin!(process::run(&command, context));
            let ended = loop {
                tokio::select! {
                    biased;
                    signal = signals.next() => self.interrupt(signal, tell),
                    ended = &mut fixing => break ended,
                }
            };
            if ended.status != Status::Passed {
                let why = ended.reason.unwrap_or_else(|| ended.status.word().to_owned());
                self.run.problems.push(Problem::new(&FIX_FAILED, format!("`{}` of `{id}`: {why}", command.display())));
            }
            tell(Event::FixFinished { id: planned.check.id.clone(), status: ended.status });
        }
    }

    /// Starts what can start; settles what cannot start any more.
    fn start_ready(&mut self, tell: &mut dyn FnMut(Event)) {
        loop {
            let mut settled = false;
            for at in 0..self.states.len() {
                if self.states[at] != State::Waiting {
                    continue;
                }
                let check = Arc::clone(&self.plan.checks[at].check);
                if let Some((status, skip, reason)) = self.cannot_start(&check) {
                    let finished = Finished::without_running(&check, status, skip, reason);
                    self.finish(at, finished, tell);
                    settled = true;
                } else if self.can_start(&check) {
                    self.start(at, check, tell);
                }
            }
            if !settled {
                break;
            }
        }
    }

    fn cannot_start(&self, check: &Check) -> Option<(Status, Option<Skip>, String)> {
        if self.run.interrupted.is_some() {
            return Some((Status::Interrupted, None, "never started: the run was interrupted".into()));
        }
        let failed = |executed: &&Executed| {
            !matches!(executed.outcome.status, Status::Passed | Status::Skipped) && !executed.outcome.allow_failure
        };
        if self.settings.fail_fast == FailFast::Yes
            && let Some(first) = self.done.iter().flatten().find(failed)
        {
            return Some((
                Status::Skipped,
                Some(Skip::FailFast),
                format!("--fail-fast, after `{}` failed", first.outcome.id),
            ));
        }
        let unusable = |need: &String| {
            self.done.iter().flatten().find(|done| done.outcome.id == *need && !done.outcome.status.is_usable())
        };
        if let Some(need) = check.needs.iter().find_map(unusable) {
            // What was skipped for want of a tool hands its reason on; anything else leaves this check unanswered.
            let skip = need.outcome.skip.unwrap_or(Skip::NeedFailed);
            return Some((Status::Skipped, Some(skip), format!("needs `{}`, which did not pass", need.outcome.id)));
        }
        let tool = check.requires.iter().find(|tool| which(tool, &self.settings.root, &self.settings.env).is_none())?;
        Some((Status::Skipped, Some(Skip::MissingTool), format!("the program `{tool}` is not installed")))
    }

    fn can_start(&self, check: &Check) -> bool {
        let met = |need: &String| self.done.iter().flatten().any(|done| done.outcome.id == *need);
        self.running.len() < self.settings.jobs.max(1)
            && check.exclusive.as_ref().is_none_or(|name| !self.taken.contains(name))
            && check.needs.iter().all(met)
    }

    fn start(&mut self, at: usize, check: Arc<Check>, tell: &mut dyn FnMut(Event)) {
        self.states[at] = State::Running;
        self.taken.extend(check.exclusive.clone());
        tell(Event::CheckStarted { id: check.id.clone(), group: check.group.clone(), command: command_of(&check) });
        let (settings, stop, events) = (Arc::clone(&self.settings), self.stop.subscribe(), self.events.clone());
        self.running.spawn(async move { (at, run_check(&check, &settings, stop, &events).await) });
    }

    fn finish(&mut self, at: usize, finished: Finished, tell: &mut dyn FnMut(Event)) {
        let check = Arc::clone(&self.plan.checks[at].check);
        if self.states[at] == State::Running
            && let Some(name) = &check.exclusive
        {
            self.taken.remove(name);
        }
        self.states[at] = State::Done;
        // What a check said before its end stands before its end.
        while let Ok(event) = self.heard.try_recv() {
            tell(event);
        }
        tell(Event::CheckFinished { outcome: Box::new(finished.outcome.clone()) });
        self.run.problems.extend(finished.problems);
        self.done[at] = Some(Executed { outcome: finished.outcome, evidence: finished.evidence, check });
    }
}

fn command_of(check: &Check) -> Option<String> {
    match &check.action {
        Action::Run(command) => Some(command.display()),
        Action::Paths(_) => None,
    }
}

impl Finished {
    fn without_running(check: &Check, status: Status, skip: Option<Skip>, reason: String) -> Self {
        let outcome = CheckOutcome {
            id: check.id.clone(),
            group: check.group.clone(),
            status,
            skip,
            reason: Some(reason),
            allow_failure: check.allow_failure,
            quarantined: false,
            duration_ms: 0,
            command: command_of(check),
            exit_code: None,
            output: Output::default(),
            fix: check.fix.as_ref().map(crate::check::Command::display),
        };
        Self { outcome, evidence: Evidence::default(), problems: Vec::new() }
    }
}

async fn run_check(
    check: &Arc<Check>,
    settings: &Arc<Settings>,
    stop: watch::Receiver<Stop>,
    events: &mpsc::UnboundedSender<Event>,
) -> Finished {
    let started = Instant::now();
    let mut finished = match &check.action {
        Action::Run(command) => run_command(check, command, settings, stop, events).await,
        Action::Paths(_) => look_at_paths(check, settings).await,
    };
    finished.outcome.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    finished
}

async fn run_command(
    check: &Arc<Check>,
    command: &crate::check::Command,
    settings: &Arc<Settings>,
    stop: watch::Receiver<Stop>,
    events: &mpsc::UnboundedSender<Event>,
) -> Finished {
    let before = Before::look(check, &settings.root);
    let from_output = check.evidence.iter().filter(|spec| matches!(spec.from, From::Output));
    // One copy serves all that is read of it.
    let mut keep = Some(kept_output(&settings.keep_output, &check.id));
    let readers: Vec<_> =
        from_output.clone().map(|spec| OutputReader::start(&check.id, spec, settings.limits, keep.take())).collect();
    let mut stop_reading = stop.clone();
    let context = Context { id: &check.id, settings, timeout: check.timeout, stop, events, readers: &readers };
    let mut ended = process::run(command, context).await;

    let mut finished = Finished::without_running(check, ended.status, None, String::new());
    let is_known = matches!(ended.status, Status::Passed | Status::Failed | Status::TimedOut);
    for (reader, spec) in readers.into_iter().zip(from_output) {
        let evidence = reader.finish().await;
        if is_known {
            finished.evidence.merge(evidence, spec.repeats);
        }
    }
    if is_known && !check.evidence.is_empty() {
        let (owned, settings) = (Arc::clone(check), Arc::clone(settings));
        let read = tokio::task::spawn_blocking(move || {
            gather(&owned, ended.status, &before, &settings.root, &settings.limits)
        });
        tokio::select! {
            read = read => {
                let lost = |_| Evidence {
                    problems: vec![Problem::new(&UNREADABLE, format!("the reader of `{}` stopped by a fault of its own", check.id))],
                    ..Evidence::default()
                };
                finished.evidence.merge(read.unwrap_or_else(lost), crate::evidence::Repeats::Worst);
            }
            // A second signal means now, however large the reports are.
            Ok(_) = stop_reading.wait_for(|stop| *stop == Stop::Now) => {
                finished.outcome.status = Status::Interrupted;
                ended.reason = Some("its reports were not read to the end: a signal ended this program".to_owned());
            }
        }
    }
    if ended.held_open {
        let mut problem =
            Problem::new(&HELD_OPEN, format!("a process that `{}` left behind holds its output open", check.id));
        if check.evidence.iter().any(|spec| matches!(spec.from, From::Output)) {
            problem.level = Level::Loss;
        }
        finished.problems.push(problem);
    }
    if check.allow_failure && ended.status != Status::Passed {
        // Its failure may only warn, and so may what it did not leave behind.
        for problem in &mut finished.evidence.problems {
            problem.level = problem.level.min(Level::Warning);
        }
    }
    finished.outcome.reason = ended.reason;
    finished.outcome.exit_code = ended.exit_code;
    finished.outcome.output = ended.output;
    finished
}

async fn look_at_paths(check: &Arc<Check>, settings: &Arc<Settings>) -> Finished {
    let (owned, root) = (Arc::clone(check), settings.root.clone());
    let looked = tokio::task::spawn_blocking(move || match &owned.action {
        Action::Paths(requirements) => {
            Some((requirements.len(), paths::inspect(requirements, &DiskTree { root: &root })))
        }
        Action::Run(_) => None,
    });
    let Ok(Some((total, inspected))) = looked.await else {
        return Finished::without_running(
            check,
            Status::Error,
            None,
            "the inspection stopped by a fault of its own".into(),
        );
    };
    let status = if inspected.failed == 0 { Status::Passed } else { Status::Failed };
    let mut finished = Finished::without_running(check, status, None, String::new());
    finished.outcome.reason =
        (inspected.failed > 0).then(|| format!("{} of {total} requirements do not hold", inspected.failed));
    finished.outcome.output = Output { text: inspected.lines.join("\n"), dropped_bytes: 0 };
    finished
}

/// The signals that end a run.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "the signature of the other systems")]
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            Err(_) => std::future::pending().await,
        }
    }
}
