//! HTTP clients as all of this program has them: one TLS provider, bounded in time, no redirect followed unseen.
//!
//! Who is asked, how often and what an answer means stands with those who ask.

use std::net::Ipv6Addr;
use std::time::Duration;

use reqwest::Url;
use tokio::runtime::{self, Runtime};

use super::text;

/// How long the parts of a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until there is a connection.
    pub connect: Duration,
    /// Without a byte of the answer.
    pub silence: Duration,
    /// From the beginning to the last byte.
    pub total: Duration,
}

/// A client; where a redirect leads is its user's to say.
///
/// # Errors
/// A system without certificates.
pub fn client(limits: &Limits) -> Result<reqwest::Client, String> {
    // Another part of the process may have chosen the same provider before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let agent = concat!("mgmt-action/", env!("CARGO_PKG_VERSION"));
    let builder = reqwest::Client::builder().user_agent(agent).redirect(reqwest::redirect::Policy::none());
    let builder = builder.connect_timeout(limits.connect).read_timeout(limits.silence).timeout(limits.total);
    builder.build().map_err(|error| root_cause(&error))
}

/// Where requests run: on the thread that asks.
///
/// # Errors
/// A system that has no more handles.
pub fn runtime() -> Result<Runtime, String> {
    runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())
}

/// Whether an address stays on this machine, so that nobody reads along without TLS.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

/// The innermost reason of an error: the outer ones repeat each other, or name who asked.
#[must_use]
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    text::shorten(&text::one_line(&cause.to_string()), 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for (url, want) in [
            ("http://localhost:1/a", true),
            ("http://127.0.0.1", true),
            ("http://127.8.8.8:80", true),
            ("http://[::1]:5", true),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
            ("http://127.0.0.1.example", false),
            ("http://[::2]", false),
            ("mailto:a@localhost", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), want, "{url}");
        }
    }
}
