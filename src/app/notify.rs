//! A notice on trial: does it reach every receiver of the policy, and what would be sent?

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::{Context, Stop};
use crate::config::Config;
use crate::notify::{self, Deliveries, End, Fault, Field, Hooks, Level, Notice, Receiver, State};
use crate::sys::{clock, text};

/// The schema of `notify test --format json`.
pub const SCHEMA: &str = "mgmt.notified/1";

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Only these receivers; without names all of them.
    pub receivers: Vec<String>,
    /// A notice of this level to those that are told of it; without one a quiet one to everybody.
    pub level: Option<Level>,
    /// Send nothing.
    pub dry_run: bool,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Tested {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Whether nothing was sent.
    pub dry_run: bool,
    /// The incident that the messages name, to find them by.
    pub incident: String,
    /// One for each receiver, in the order of the policy.
    pub receivers: Vec<Row>,
}

/// What came of it at one receiver.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// What became of the notice.
    pub status: Status,
    /// Its address without what is secret in it, if there is one.
    pub address: Option<String>,
    /// The id of the message.
    pub message: Option<String>,
    /// Why it could not be told.
    pub error: Option<String>,
    /// The next step.
    pub help: Option<String>,
    /// What would have been sent.
    pub payload: Option<Value>,
}

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It was taken.
    Sent,
    /// It would be sent.
    Ready,
    /// The receiver is not told of this level.
    Unwanted,
    /// It could not be sent.
    Failed,
    /// It may have been taken.
    Unclear,
    /// The configuration or the environment is not complete.
    Setup,
}

impl Tested {
    /// 0 if everybody could be told; 2 if the setting-up is wrong; 4 if something outside failed.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let has = |wanted: &[Status]| self.receivers.iter().any(|row| wanted.contains(&row.status));
        if has(&[Status::Failed, Status::Unclear]) {
            super::Exit::Undecided as u8
        } else if has(&[Status::Setup]) {
            super::Exit::Usage as u8
        } else {
            0
        }
    }
}

/// Sends a notice to the receivers, or shows what would be sent.
///
/// # Errors
/// No policy, no receivers, or none of a name that was asked for.
pub fn test(context: &Context, request: &Request, tell: impl Fn(&str) + 'static) -> anyhow::Result<Tested> {
    let config = context.load()?;
    let mut receivers = chosen(&config, &request.receivers)?;
    let notice = notice(context, &config, request.level.unwrap_or(Level::Audit));
    if request.level.is_none() {
        receivers.iter_mut().for_each(|receiver| receiver.levels = vec![notice.level]);
    }
    let mut tested = Tested {
        schema: SCHEMA,
        dry_run: request.dry_run,
        incident: notice.incident.clone(),
        receivers: Vec::with_capacity(receivers.len()),
    };
    if request.dry_run {
        tested.receivers = receivers.iter().map(|receiver| shown(context, receiver, &notice)).collect();
        return Ok(tested);
    }
    let sleep = Box::new(|time: Duration| std::thread::sleep(time));
    let hooks = Hooks { env: context.env.clone(), sleep, tell: Box::new(tell) };
    let round = notify::deliver(&receivers, &notice, &Deliveries::default(), &hooks);
    for (receiver, receipt) in receivers.iter().zip(round.receipts) {
        let mut row = empty(context, receiver);
        match receipt.end {
            End::Posted { message } => (row.status, row.message) = (Status::Sent, message),
            End::Edited | End::Unchanged => row.status = Status::Sent,
            End::Unwanted => row.status = Status::Unwanted,
            End::Failed(failure) => {
                row.status = match failure.fault {
                    Fault::Setup => Status::Setup,
                    Fault::Refused => Status::Failed,
                    Fault::Unclear => Status::Unclear,
                };
                (row.error, row.help) = (Some(failure.message), failure.hint);
            }
        }
        tested.receivers.push(row);
    }
    Ok(tested)
}

fn chosen(config: &Config, names: &[String]) -> anyhow::Result<Vec<Receiver>> {
    let all = &config.notify;
    if all.is_empty() {
        let hint = format!("add `notify: {{ discord: {{ url-env: DISCORD_WEBHOOK_URL }} }}` to {}", config.path);
        return Err(Stop::nothing("there are no receivers", Some(hint)).into());
    }
    for name in names {
        if !all.iter().any(|receiver| receiver.name == *name) {
            let known: Vec<_> = all.iter().map(|receiver| receiver.name.as_str()).collect();
            let hint = match text::closest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", known.join(", ")),
            };
            return Err(Stop::usage(format!("there is no receiver `{}`", text::one_line(name)), Some(hint)).into());
        }
    }
    Ok(all.iter().filter(|receiver| names.is_empty() || names.contains(&receiver.name)).cloned().collect())
}

fn notice(context: &Context, config: &Config, level: Level) -> Notice {
    let now = context.clock.now();
    let field = |name: &str, value: String| Field { name: name.to_owned(), value };
    Notice {
        level,
        incident: format!("test-{}", clock::stamp(now)),
        state: State::Opened,
        title: format!("A test of the notices of {}", config.name()),
        body: "This receiver is set up. Nothing has happened, and nothing has to be done.".to_owned(),
        fields: vec![field("Level", level.word().to_owned()), field("Sent by", "mgmt notify test".to_owned())],
        link: None,
        time: now,
    }
}

fn empty(context: &Context, receiver: &Receiver) -> Row {
    Row {
        name: receiver.name.clone(),
        kind: receiver.kind.name,
        status: Status::Ready,
        address: notify::address(receiver, &context.env).ok().map(|address| address.to_string()),
        message: None,
        error: None,
        help: None,
        payload: None,
    }
}

fn shown(context: &Context, receiver: &Receiver, notice: &Notice) -> Row {
    let mut row = empty(context, receiver);
    if !receiver.levels.contains(&notice.level) {
        row.status = Status::Unwanted;
        return row;
    }
    row.payload = Some(notify::payload(notice, receiver));
    let setup = notify::address(receiver, &context.env).and_then(|_| notify::secret(receiver, &context.env));
    if let Err(failure) = setup {
        (row.status, row.error, row.help) = (Status::Setup, Some(failure.message), failure.hint);
    }
    row
}
