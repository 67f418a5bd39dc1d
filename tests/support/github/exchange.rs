//! What happens to one request: it is written down, checked, delayed or spoiled where a test wants that, routed, and
//! its answer is checked in turn.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::access;
use super::call::{Answer, Body, Call};
use super::contract::{Contract, Operation, decode};
use super::fault::{Effect, Fault, Made, put_nulls};
use super::routes;
use super::server::Side;
use super::state::State;

const JSON: &str = "application/json; charset=utf-8";

/// What the server's thread and the test share.
#[derive(Debug)]
pub struct Shared {
    /// `http://127.0.0.1:1234/api/v3`.
    pub api: String,
    /// `http://127.0.0.1:1235`.
    pub storage: String,
    /// `/api/v3` or nothing.
    pub base: String,
    world: Mutex<World>,
}

/// Everything that changes.
#[derive(Debug)]
pub struct World {
    /// What routes read and write.
    pub state: State,
    /// What goes wrong on purpose.
    pub faults: Vec<Fault>,
    /// Requests to the API.
    pub requests: Vec<Request>,
    /// Requests to the place of signed links.
    pub downloads: Vec<Request>,
    /// What should not have happened.
    pub violations: Vec<String>,
}

/// A request that came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// Without the base path; with owner and name of the repository even where its number was used.
    pub path: String,
    /// As it was sent.
    pub query: String,
    /// Lower-case names; the token is in here.
    pub headers: BTreeMap<String, String>,
    /// JSON, or null.
    pub body: Value,
    /// 0 while it waits, and when the connection was broken instead.
    pub status: u16,
}

/// A request as the server hands it over.
#[derive(Debug)]
pub struct Asked<'r> {
    /// Which listener it came to.
    pub side: Side,
    /// `GET`, `POST` …
    pub method: &'r str,
    /// With the base path.
    pub path: &'r str,
    /// Not decoded.
    pub query: &'r str,
    /// Lower-case names.
    pub headers: BTreeMap<String, String>,
    /// As it was sent.
    pub body: &'r [u8],
}

/// What the server sends.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// All headers but the length.
    pub headers: Vec<(String, String)>,
    /// The bytes.
    pub body: Vec<u8>,
    /// Whether they arrive.
    pub ending: Ending,
}

/// How a reply ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// As it should.
    Whole,
    /// In the middle of the body.
    Half,
    /// Before it starts.
    Reset,
}

impl Shared {
    /// With an empty world.
    pub fn new(api: String, storage: String, base: String) -> Self {
        let world = World {
            state: State::new(),
            faults: Vec::new(),
            requests: Vec::new(),
            downloads: Vec::new(),
            violations: Vec::new(),
        };
        Self { api, storage, base, world: Mutex::new(world) }
    }

    /// The world, for as long as the guard lives.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers a request.
pub async fn handle(shared: &Shared, asked: Asked<'_>) -> Reply {
    let path = {
        let world = shared.world();
        local_path(shared, &world.state, &asked)
    };
    let (number, effect) = note(shared, &asked, &path);
    match &effect {
        Some(Effect::Gate(passage)) => passage.pass().await,
        Some(Effect::Delay(time)) if *time > Duration::ZERO => tokio::time::sleep(*time).await,
        _ => {}
    }
    let reply = reply(shared, &asked, &path, effect);
    let world = &mut *shared.world();
    let list = match asked.side {
        Side::Api => &mut world.requests,
        Side::Storage => &mut world.downloads,
    };
    list[number].status = if reply.ending == Ending::Reset { 0 } else { reply.status };
    reply
}

/// The path without the base path, and with a repository's name in place of its number.
fn local_path(shared: &Shared, state: &State, asked: &Asked<'_>) -> Option<String> {
    if asked.side == Side::Storage {
        return Some(asked.path.to_owned());
    }
    let path = asked.path.strip_prefix(&shared.base)?;
    let Some((id, tail)) = path.strip_prefix("/repositories/").map(|rest| rest.split_once('/').unwrap_or((rest, "")))
    else {
        return Some(path.to_owned());
    };
    let repo = state.repos.iter().find(|repo| repo.id.to_string() == id)?;
    Some(format!("/repos/{}/{tail}", repo.full_name).trim_end_matches('/').to_owned())
}

fn note(shared: &Shared, asked: &Asked<'_>, path: &Option<String>) -> (usize, Option<Effect>) {
    let world = &mut *shared.world();
    let path = path.clone().unwrap_or_else(|| asked.path.to_owned());
    let fault =
        world.faults.iter_mut().find_map(|fault| fault.takes(asked.method, &path).then(|| fault.effect.clone()));
    let request = Request {
        method: asked.method.to_owned(),
        path,
        query: asked.query.to_owned(),
        headers: asked.headers.clone(),
        body: serde_json::from_slice(asked.body).unwrap_or_default(),
        status: 0,
    };
    let list = match asked.side {
        Side::Api => &mut world.requests,
        Side::Storage => &mut world.downloads,
    };
    list.push(request);
    (list.len() - 1, fault)
}

fn reply(shared: &Shared, asked: &Asked<'_>, path: &Option<String>, effect: Option<Effect>) -> Reply {
    let world = &mut *shared.world();
    let checked = match asked.side {
        Side::Storage => None,
        Side::Api => Some(check(world, asked, path.as_deref())),
    };
    match effect {
        Some(Effect::Instead(made)) => return made_reply(world, made),
        Some(Effect::Reset) => return broken(),
        _ => {}
    }
    let reply = match checked {
        None => stored(world, asked),
        Some(Ok(valid)) => api(shared, world, asked, valid, effect.as_ref()),
        Some(Err(refused)) => finish(world, asked, *refused, ""),
    };
    match effect {
        Some(Effect::Afterwards(made)) => made_reply(world, made),
        Some(Effect::ResetAfterwards) => broken(),
        Some(Effect::Truncate) => Reply { ending: Ending::Half, ..reply },
        _ => reply,
    }
}

/// A request whose operation is known and whose violations are written down.
struct Valid {
    operation: &'static Operation,
    path: String,
    params: BTreeMap<String, String>,
    query: Vec<(String, String)>,
    body: Option<Value>,
}

fn check(world: &mut World, asked: &Asked<'_>, path: Option<&str>) -> Result<Valid, Box<Answer>> {
    let method = asked.method;
    let Some(path) = path else {
        world.violations.push(format!("{method} {}: not a path of this API", asked.path));
        return Err(Box::new(Answer::not_found()));
    };
    let Some((operation, params)) = Contract::get().find(method, path) else {
        world.violations.push(format!("{method} {path}: no such operation in the slice"));
        return Err(Box::new(Answer::not_found()));
    };
    let mut note = |wrong: &str| world.violations.push(format!("{method} {path} ({}): {wrong}", operation.id));
    let body = serde_json::from_slice::<Value>(asked.body);
    if !asked.body.is_empty() && body.is_err() {
        note("the body is not JSON");
        return Err(Box::new(Answer::error(400, "Problems parsing JSON")));
    }
    let query: Vec<(String, String)> = asked.query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
    let body = body.ok();
    Contract::get().request(operation, &params, &query, body.as_ref()).iter().for_each(|wrong| note(wrong));
    if asked.headers.get("user-agent").is_none_or(String::is_empty) {
        note("no User-Agent");
        return Err(Box::new(Answer::error(403, "Request forbidden by administrative rules.")));
    }
    Ok(Valid { operation, path: path.to_owned(), params, query, body })
}

fn broken() -> Reply {
    Reply { status: 500, headers: Vec::new(), body: Vec::new(), ending: Ending::Reset }
}

/// An answer from a fault.
fn made_reply(world: &mut World, made: Made) -> Reply {
    world.state.rate.used += 1;
    let mut headers = common_headers(world);
    headers.retain(|(name, _)| !made.headers.iter().any(|(other, _)| other == name));
    headers.push(("content-type".to_owned(), made.kind.to_owned()));
    headers.extend(made.headers);
    Reply { status: made.status, headers, body: made.body.into_bytes(), ending: Ending::Whole }
}

fn api(shared: &Shared, world: &mut World, asked: &Asked<'_>, valid: Valid, effect: Option<&Effect>) -> Reply {
    let operation = valid.operation;
    let place = format!("{} {} ({})", asked.method, valid.path, operation.id);
    let mut answer = routed(shared, world, asked, valid);
    let is_checked = spoil(&mut answer, effect);
    let json = match &answer.body {
        Body::Json(value) => Some(value),
        _ => None,
    };
    if is_checked && !matches!(answer.body, Body::Raw(..)) {
        for wrong in Contract::get().answer(operation, answer.status, json) {
            world.violations.push(format!("{place} answered {}: {wrong}", answer.status));
        }
    }
    finish(world, asked, answer, &operation.id)
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (decode(name, true), decode(value, true))
}

fn routed(shared: &Shared, world: &mut World, asked: &Asked<'_>, valid: Valid) -> Answer {
    let operation = valid.operation;
    if world.state.rate.used >= world.state.rate.limit && operation.id != "rate-limit/get" {
        return Answer::error(403, "API rate limit exceeded for installation.");
    }
    let authorization = asked.headers.get("authorization").map(String::as_str);
    let (caller, token) = match access::caller(&world.state, authorization) {
        Ok(known) => known,
        Err(refused) => return *refused,
    };
    let call = Call {
        operation: &operation.id,
        method: asked.method.to_owned(),
        path: valid.path,
        params: valid.params,
        query: valid.query,
        headers: asked.headers.clone(),
        body: valid.body.unwrap_or_default(),
        caller,
        api: shared.api.clone(),
        storage: shared.storage.clone(),
    };
    if let Some(moved) = moved(&world.state, &call, asked.query) {
        return moved;
    }
    let allowed = access::allow(&world.state, &call, token.as_deref());
    let answered = allowed.and_then(|()| routes::answer(&mut world.state, &call));
    let mut answer = answered.unwrap_or_else(|early| *early);
    if let Body::Json(value) = &mut answer.body {
        Contract::get().complete(operation, answer.status, value);
    }
    answer
}

/// Where a repository is that had this name before.
fn moved(state: &State, call: &Call, query: &str) -> Option<Answer> {
    let name = call.repo_name();
    let had = |former: &String| former.eq_ignore_ascii_case(&name);
    let repo = state.repos.iter().find(|repo| repo.former_names.iter().any(had))?;
    let tail = call.path.splitn(5, '/').nth(4).map(|tail| format!("/{tail}")).unwrap_or_default();
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    let location = format!("{}/repositories/{}{tail}{query}", call.api, repo.id);
    let answer = Answer::error(if call.method == "GET" { 301 } else { 307 }, "Moved Permanently");
    Some(answer.with("location", location))
}

/// Applies a fault to a good answer; says whether the answer still has to be valid.
fn spoil(answer: &mut Answer, effect: Option<&Effect>) -> bool {
    let Body::Json(value) = &mut answer.body else { return true };
    match effect {
        Some(Effect::Edit(edit, is_checked)) => {
            edit(value);
            *is_checked
        }
        Some(Effect::Nulls(schema)) => {
            put_nulls(value, schema);
            true
        }
        _ => true,
    }
}

fn finish(world: &mut World, asked: &Asked<'_>, answer: Answer, operation: &str) -> Reply {
    let mut body = match answer.body {
        Body::Empty => Vec::new(),
        Body::Json(ref value) => value.to_string().into_bytes(),
        Body::Raw(_, ref bytes) => bytes.clone(),
    };
    let mut status = answer.status;
    let mut headers = answer.headers;
    if asked.method == "GET" && status == 200 {
        let etag = format!("W/\"{:016x}\"", fingerprint(&body));
        if asked.headers.get("if-none-match") == Some(&etag) {
            (status, body) = (304, Vec::new());
        }
        headers.push(("etag".to_owned(), etag));
    }
    if status != 304 && operation != "rate-limit/get" {
        world.state.rate.used = (world.state.rate.used + 1).min(world.state.rate.limit);
    }
    match answer.body {
        Body::Empty => {}
        Body::Json(_) => headers.push(("content-type".to_owned(), JSON.to_owned())),
        Body::Raw(kind, _) => headers.push(("content-type".to_owned(), kind.to_owned())),
    }
    headers.push(("x-accepted-github-permissions".to_owned(), access::accepted(operation)));
    headers.extend(common_headers(world));
    Reply { status, headers, body, ending: Ending::Whole }
}

fn common_headers(world: &World) -> Vec<(String, String)> {
    let rate = &world.state.rate;
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    let date = printer.timestamp_to_rfc9110_string(&world.state.now).expect("a year of four digits");
    let id = world.requests.len() + world.downloads.len();
    [
        ("date", date),
        ("x-github-request-id", format!("FA4E:{id:06X}")),
        ("x-github-media-type", "github.v3; format=json".to_owned()),
        ("x-ratelimit-limit", rate.limit.to_string()),
        ("x-ratelimit-remaining", rate.limit.saturating_sub(rate.used).to_string()),
        ("x-ratelimit-used", rate.used.to_string()),
        ("x-ratelimit-reset", rate.reset.to_string()),
        ("x-ratelimit-resource", "core".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// What a signed link leads to.
fn stored(world: &mut World, asked: &Asked<'_>) -> Reply {
    if asked.headers.contains_key("authorization") {
        world.violations.push(format!("{}: the token reached another origin", asked.path));
    }
    let until = asked.query.split('&').find_map(|pair| pair.strip_prefix("se=")).and_then(|time| time.parse().ok());
    let is_valid = until.is_some_and(|until: i64| world.state.now.as_second() <= until);
    let bytes = if is_valid { routes::stored(&world.state, asked.path) } else { None };
    let (status, kind, body) = match bytes {
        Some((kind, bytes)) => (200, kind, bytes),
        None => (403, "application/xml", b"<Error><Code>AuthenticationFailed</Code></Error>".to_vec()),
    };
    let headers = vec![("content-type".to_owned(), kind.to_owned())];
    Reply { status, headers, body, ending: Ending::Whole }
}

/// A number that stands for these bytes, the same in every process.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    foldhash::quality::FixedState::with_seed(1).hash_one(bytes)
}
