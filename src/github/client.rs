//! Requests: signed by octocrab, repeated if they only read, bounded in time, size and redirects.
//!
//! Synchronous on the outside: requests go out one after the other, as GitHub asks, so nothing above needs to know
//! of futures. Redirects are followed here and not by the HTTP library: within the API with the token, to a storage
//! without it, and nowhere else.

use std::fs::File;
use std::time::Duration;

use ::http::header::{ACCEPT, LOCATION};
use ::http::request::Builder;
use ::http::{HeaderMap, Method};
use http_body_util::BodyExt as _;
use octocrab::Octocrab;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;
use url::Url;

use super::error::{Cause, Error};
use super::receive::{Copy, Receive};
use super::wait::{self, Next, Trouble};
use crate::sys::clock::Clock;
use crate::sys::http::{self, root_cause};
use crate::sys::secret::Secret;
use crate::sys::text;

/// Ask for JSON.
pub const JSON: &str = "application/vnd.github+json";
/// Ask for a unified diff.
pub const ACCEPT_DIFF: &str = "application/vnd.github.diff";

/// The largest answer that is read into memory: a page of a hundred runs takes about 1.5 MiB.
const MAX_ANSWER: u64 = 64 << 20;
/// Redirects within the API: a repository that was renamed needs one.
const MAX_REDIRECTS: usize = 5;
const CONNECT: Duration = Duration::from_secs(10);
/// Without a byte for so long an answer is given up.
const SILENCE: Duration = Duration::from_secs(30);
const TOTAL: Duration = Duration::from_secs(120);
const TOTAL_DOWNLOAD: Duration = Duration::from_secs(900);

/// What the world has to lend.
pub struct Hooks {
    /// Waits.
    pub sleep: Box<dyn Fn(Duration)>,
    /// Says what is being waited for.
    pub tell: Box<dyn Fn(&str)>,
    /// The clock.
    pub clock: Clock,
}

/// An answer with a status from 200 to 299.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

/// The way to one GitHub.
pub struct Client {
    octocrab: Octocrab,
    /// Goes to storages, which must not see the token.
    plain: reqwest::Client,
    runtime: Runtime,
    api: Url,
    is_anonymous: bool,
    hooks: Hooks,
}

/// Whether a request may be sent twice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
}

/// What one request came back with.
enum Received {
    Answer(Answer),
    /// A redirect out of the API, with its goal.
    Elsewhere(Url),
}

type Body = http_body_util::combinators::BoxBody<bytes::Bytes, octocrab::Error>;

impl Client {
    /// To the API at this address: `https://api.github.com`, or `https://HOST/api/v3` of a GitHub Enterprise Server.
    /// Without a token only public things are seen, and few of them an hour.
    ///
    /// # Errors
    /// An address that is none, or a system without certificates.
    pub fn new(api: &str, token: Option<&Secret>, hooks: Hooks) -> Result<Self, Error> {
        let refused = |why: String| Error::new("connect to GitHub", Cause::Transport(why));
        let api = Url::parse(api.trim_end_matches('/')).ok().filter(|url| {
            matches!(url.scheme(), "https" | "http")
                && url.has_host()
                && url.username().is_empty()
                && url.query().is_none()
        });
        let api = api.ok_or_else(|| refused("GITHUB_API_URL is not the address of an API".to_owned()))?;
        if token.is_some() && api.scheme() != "https" && !http::is_loopback(&api) {
            return Err(refused("GITHUB_API_URL is not https, and the token would be sent in the clear".to_owned()));
        }
        let http = |total: Duration| {
            let limits = http::Limits { connect: CONNECT, silence: SILENCE, total };
            http::client(&limits).map_err(refused)
        };
        let runtime = http::runtime().map_err(refused)?;
        let octocrab = {
            // octocrab starts a task while it is built.
            let _inside = runtime.enter();
            let builder = Octocrab::builder().base_uri(api.as_str()).map_err(|error| refused(root_cause(&error)))?;
            let builder = match token {
                Some(token) => builder.personal_token(token.expose().to_owned()),
                None => builder,
            };
            builder.build_with_reqwest(http(TOTAL)?).map_err(|error| refused(root_cause(&error)))?
        };
        Ok(Self { octocrab, plain: http(TOTAL_DOWNLOAD)?, runtime, api, is_anonymous: token.is_none(), hooks })
    }

    /// Reads; repeated while there is hope. `path` begins with `/`, and holds its query already encoded.
    ///
    /// # Errors
    /// Any answer that is none.
    pub fn get(&self, what: &str, path: &str, accept: &str) -> Result<Answer, Error> {
        match self.persist(what, Kind::Read, |this| this.follow(what, path, accept))? {
            Received::Answer(answer) => Ok(answer),
            Received::Elsewhere(url) => Err(Error::new(what, Cause::Elsewhere(host(&url)))),
        }
    }

    /// Reads one JSON value.
    ///
    /// # Errors
    /// Any answer that is none, or not of this shape.
    pub fn get_json<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<T, Error> {
        read_json(what, &self.get(what, path, JSON)?.body)
    }

    /// Writes, once. Only what a limit refused, and so did not happen, is sent again. After an error that
    /// [`Error::is_unclear`] the caller has to look what became of it.
    ///
    /// # Errors
    /// Any answer that is none.
    pub fn write(
        &self,
        what: &str,
        method: &Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Answer, Error> {
        let send = |this: &Self| this.send(what, method, path, JSON, body).map(Received::Answer);
        match self.persist(what, Kind::Write, send)? {
            Received::Answer(answer) => Ok(answer),
            Received::Elsewhere(url) => Err(Error::new(what, Cause::Elsewhere(host(&url)))),
        }
    }

    /// Reads what lies in a storage behind a redirect into a file, at most `limit` bytes of it; its SHA-256 in
    /// hexadecimal.
    ///
    /// # Errors
    /// Any answer that is none; more than `limit` bytes; a file that cannot be written.
    pub fn download(&self, what: &str, path: &str, out: &mut File, limit: u64) -> Result<String, Error> {
        let mut copy = Copy::to(out, limit);
        self.receive(what, path, &mut copy)?;
        Ok(copy.hash())
    }

    /// Reads what lies in a storage behind a redirect, piece by piece.
    pub(super) fn receive(&self, what: &str, path: &str, to: &mut dyn Receive) -> Result<(), Error> {
        let mut tried = 0;
        loop {
            tried += 1;
            let url = match self.persist(what, Kind::Read, |this| this.follow(what, path, JSON))? {
                Received::Elsewhere(url) => url,
                // Some installations hand the bytes out themselves.
                Received::Answer(answer) => {
                    return to.start().and_then(|()| to.add(&answer.body)).map_err(|cause| Error::new(what, cause));
                }
            };
            match self.runtime.block_on(self.fetch(what, url, to)) {
                // The address is good for a minute only, so a second try asks for a new one.
                Err(error) if tried < 3 && error.is_unclear() && !matches!(error.cause, Cause::TooLarge { .. }) => {
                    self.pause(what, Duration::from_secs(1));
                }
                ended => return ended,
            }
        }
    }

    /// The path of a later page, if its address is within the API.
    pub(super) fn within(&self, what: &str, link: &str) -> Result<String, Error> {
        let elsewhere = || Error::new(what, Cause::Elsewhere(text::shorten(&text::one_line(link), 200)));
        let url = self.api.join(link).map_err(|_| elsewhere())?;
        if url.origin() != self.api.origin() {
            return Err(elsewhere());
        }
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(format!("{}{query}", url.path()))
    }

    /// Repeats what may be repeated, and turns what is left into an error.
    fn persist(
        &self,
        what: &str,
        kind: Kind,
        once: impl Fn(&Self) -> Result<Received, Error>,
    ) -> Result<Received, Error> {
        let (mut tried, mut waited) = (0, Duration::ZERO);
        loop {
            tried += 1;
            let met = match once(self) {
                Ok(Received::Answer(answer)) => match wait::trouble(answer.status, &answer.headers, &answer.body) {
                    None if (200..300).contains(&answer.status) => return Ok(Received::Answer(answer)),
                    trouble => (trouble, Error { is_anonymous: self.is_anonymous, ..refusal(what, &answer) }),
                },
                Ok(elsewhere) => return Ok(elsewhere),
                Err(error) if matches!(error.cause, Cause::Transport(_)) => {
                    (Some(Trouble::Passing { after: None }), error)
                }
                Err(error) => return Err(error),
            };
            let (Some(trouble), error) = met else { return Err(met.1) };
            let is_limit = matches!(trouble, Trouble::Limit { .. });
            if kind == Kind::Write && !is_limit {
                return Err(error);
            }
            match wait::next(&trouble, tried, waited, self.hooks.clock.now()) {
                Next::Wait(time) => {
                    let why = if is_limit { "GitHub limits requests" } else { "no good answer" };
                    self.pause(&format!("{what}: {why}"), time);
                    waited += time;
                }
                Next::GiveUp(until) if is_limit => return Err(Error { cause: Cause::Limit { until }, ..error }),
                Next::GiveUp(_) => return Err(error),
            }
        }
    }

    /// Waits, and says why.
    pub fn pause(&self, why: &str, time: Duration) {
        if !time.is_zero() {
            (self.hooks.tell)(&format!("{why}; waiting for {}", text::duration(time)));
            (self.hooks.sleep)(time);
        }
    }

    /// One read with its redirects within the API.
    fn follow(&self, what: &str, path: &str, accept: &str) -> Result<Received, Error> {
        let mut path = path.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.send(what, &Method::GET, &path, accept, None)?;
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(Received::Answer(answer));
            }
            let goal = answer.headers.get(LOCATION).and_then(|goal| goal.to_str().ok()).unwrap_or_default();
            let url = self.api.join(goal).map_err(|_| Error::new(what, Cause::Elsewhere("nowhere".to_owned())))?;
            if url.origin() != self.api.origin() {
                return Ok(Received::Elsewhere(url));
            }
            path = self.within(what, url.as_str())?;
        }
        Err(Error::new(what, Cause::Elsewhere("one redirect after the other".to_owned())))
    }

    fn send(
        &self,
        what: &str,
        method: &Method,
        path: &str,
        accept: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Answer, Error> {
        let request = Builder::new().method(method.clone()).uri(path).header(ACCEPT, accept);
        let request = request.header("X-GitHub-Api-Version", "2022-11-28");
        let request = self.octocrab.build_request(request, body);
        let request = request.map_err(|error| Error::new(what, Cause::Unreadable(root_cause(&error))))?;
        self.runtime.block_on(async {
            let failed = |error: octocrab::Error| Error::new(what, Cause::Transport(root_cause(&error)));
            let (head, body) = self.octocrab.execute(request).await.map_err(failed)?.into_parts();
            let body = collect(body, MAX_ANSWER).await.map_err(|cause| Error::new(what, cause))?;
            Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
        })
    }

    /// From a storage, without the token. A storage beside a plain-http API may be plain as well.
    async fn fetch(&self, what: &str, url: Url, to: &mut dyn Receive) -> Result<(), Error> {
        if url.scheme() != "https" && url.scheme() != self.api.scheme() {
            return Err(Error::new(what, Cause::Elsewhere(host(&url))));
        }
        let named = |cause| Error::new(what, cause);
        // The address is a key to the file for a minute, so no error repeats it.
        let failed = |error: reqwest::Error| named(Cause::Transport(root_cause(&error.without_url())));
        let mut response = self.plain.get(url).send().await.map_err(failed)?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(Error::status(what, status, b""));
        }
        to.start().map_err(named)?;
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            to.add(&chunk).map_err(named)?;
        }
        Ok(())
    }
}

async fn collect(mut body: Body, limit: u64) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Cause::Transport(root_cause(&error)))?;
        let Ok(data) = frame.into_data() else { continue };
        if (bytes.len() + data.len()) as u64 > limit {
            return Err(Cause::TooLarge { limit });
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// Reads JSON of this shape.
pub(super) fn read_json<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::new(what, Cause::Unreadable(error.to_string())))
}

fn refusal(what: &str, answer: &Answer) -> Error {
    let header = |name: &str| {
        let value = answer.headers.get(name)?.to_str().ok()?;
        Some(text::shorten(&text::one_line(value), 100))
    };
    Error {
        request_id: header("x-github-request-id"),
        permission: header("x-accepted-github-permissions").filter(|_| answer.status == 403),
        ..Error::status(what, answer.status, &answer.body)
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or("nowhere").to_owned()
}
