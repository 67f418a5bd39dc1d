//! A GitHub to test against: stateful, on loopback, and strict.
//!
//! ```ignore
//! let fake = Fake::start();
//! let repo = fake.repo("org/app");
//! let shas = repo.history("main", 3);
//! let run = repo.run(|run| run.sha = shas[2].clone());
//! repo.artifact(run, "mgmt-evidence-attempt1", zip(&[("bundle.json", b"{}")]));
//! // … let a client talk to fake.url() …
//! assert_eq!(fake.requests().len(), 2);
//! fake.finish();
//! ```
//!
//! Every request and every answer is held against GitHub's own description (`contract`). What does not fit is written
//! down and fails the test when the fake is dropped. The state is plain data (`state`), filled by short methods
//! (`build`) and read through [`Fake::state`]. Closures that change it run while it is locked, so they must not ask the
//! fake for anything. Time stands still until a test moves it. [`Fault`] makes things go wrong.
//!
//! Deliberately absent: GraphQL, webhooks, git itself, HTTPS, and effects that need a runner: a dispatched workflow
//! makes a queued run, a re-run makes a queued attempt, and nothing ever runs by itself.
//!
//! Test crates include this with `#[path = "../support/github/mod.rs"] pub mod github;`. It is `pub` there so that
//! what one of them does not use is no finding; for the same reason everything in here is `pub`.

pub mod access;
pub mod build;
pub mod call;
#[path = "../connection.rs"]
pub mod connection;
pub mod contract;
pub mod defaults;
pub mod diff;
pub mod exchange;
pub mod fault;
pub mod page;
pub mod routes;
pub mod server;
pub mod shape;
pub mod state;

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, MutexGuard};

use jiff::{SignedDuration, Timestamp};

pub use self::build::{Repo, sha, zip, zip_folder};
pub use self::exchange::Request;
pub use self::fault::{Fault, Gate, Made};
pub use self::state::{State, Token, TokenKind};

use self::exchange::{Shared, World};
use self::server::Server;

/// A running fake. Dropping it fails the test if anything invalid was said by either side.
#[derive(Debug)]
pub struct Fake {
    shared: Arc<Shared>,
    _server: Server,
}

/// The state for as long as this lives; requests wait meanwhile.
#[derive(Debug)]
pub struct StateGuard<'f>(MutexGuard<'f, World>);

impl Fake {
    /// Starts one at the root of its origin, as `api.github.com` is.
    pub fn start() -> Self {
        Self::start_under("")
    }

    /// Starts one below a base path such as `/api/v3`, as GitHub Enterprise Server has it.
    pub fn start_under(base: &str) -> Self {
        let mut shared = None;
        let server = Server::start(|api, storage| {
            let made = Shared::new(format!("http://{api}{base}"), format!("http://{storage}"), base.to_owned());
            Arc::clone(shared.insert(Arc::new(made)))
        });
        Self { shared: shared.expect("the server was given it"), _server: server }
    }

    /// What to set `GITHUB_API_URL` to.
    pub fn url(&self) -> &str {
        &self.shared.api
    }

    /// A repository, made if it is not there.
    pub fn repo(&self, full_name: &str) -> Repo<'_> {
        Repo::of(self, full_name)
    }

    /// Makes a token known; from then on unknown tokens are refused.
    pub fn token(&self, token: &str, kind: TokenKind, login: &str, lacking: &[&str]) {
        let lacking = lacking.iter().map(|lacking| (*lacking).to_owned()).collect();
        let known = Token { kind, login: login.to_owned(), lacking };
        self.state().tokens.insert(token.to_owned(), known);
    }

    /// The state, to read or change.
    pub fn state(&self) -> StateGuard<'_> {
        StateGuard(self.shared.world())
    }

    /// Sets the clock.
    pub fn set_now(&self, time: &str) {
        self.state().now = time.parse().unwrap_or_else(|error| panic!("{time}: {error}"));
    }

    /// Moves the clock.
    pub fn advance(&self, seconds: i64) -> Timestamp {
        let mut state = self.state();
        state.now += SignedDuration::from_secs(seconds);
        state.now
    }

    /// Lets something go wrong.
    pub fn fault(&self, fault: Fault) {
        self.shared.world().faults.push(fault);
    }

    /// Requests to the API so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.world().requests.clone()
    }

    /// How many requests to the API there were of a method to paths that fit a pattern, both as in [`Fault::on`].
    pub fn count(&self, method: &str, pattern: &str) -> usize {
        let fits =
            |request: &&Request| (method == "*" || request.method == method) && fault::fits(pattern, &request.path);
        self.shared.world().requests.iter().filter(fits).count()
    }

    /// Requests to signed links so far.
    pub fn downloads(&self) -> Vec<Request> {
        self.shared.world().downloads.clone()
    }

    /// Takes out what should not have happened so far; what was taken out does not fail the test any more.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.world().violations)
    }

    /// Ends the fake here instead of at the end of the block.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let violations = self.take_violations();
        if !violations.is_empty() && !std::thread::panicking() {
            panic!("what was said to or by the fake GitHub is invalid:\n  {}", violations.join("\n  "));
        }
    }
}

impl Deref for StateGuard<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0.state
    }
}

impl DerefMut for StateGuard<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.0.state
    }
}
