//! Whether and how long to wait before a read is repeated. Pure: the moment comes in, a step comes out.
//!
//! As GitHub asks (docs.github.com, "Best practices for using the REST API"): `Retry-After` first; else, with no
//! requests remaining, until the limit is reset; else a minute, and longer each time. Trouble of a server or of the
//! network is worth three more tries. All of it within one patience: a job that sleeps for an hour helps nobody.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

/// How long a request may be waited for, all waits together.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);
/// Tries of one read in all, where no limit is the reason.
const TRIES: u32 = 4;
/// The first wait after trouble of a server; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(1);
/// The first wait for a limit that does not say when it ends.
const SECONDARY: Duration = Duration::from_secs(60);

/// Why a request has to be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A server's or the network's.
    Passing {
        /// `Retry-After`.
        after: Option<Duration>,
    },
    /// A limit, which may say when it ends.
    Limit {
        /// `Retry-After`.
        after: Option<Duration>,
        /// When the primary limit is reset, if that one is used up.
        reset: Option<Timestamp>,
    },
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Repeat after this time.
    Wait(Duration),
    /// Not any more; a limit may end then.
    GiveUp(Option<Timestamp>),
}

/// What an answer of this kind stands for; `None` is an answer to take as it is.
pub(super) fn trouble(status: u16, headers: &HeaderMap, body: &[u8]) -> Option<Trouble> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let after = number("retry-after").map(Duration::from_secs);
    let is_used_up = number("x-ratelimit-remaining") == Some(0);
    let is_limit = match status {
        429 => true,
        403 => is_used_up || after.is_some() || names_a_limit(body),
        _ => false,
    };
    if is_limit {
        let reset = number("x-ratelimit-reset").filter(|_| is_used_up);
        let reset = reset.and_then(|at| Timestamp::from_second(i64::try_from(at).ok()?).ok());
        return Some(Trouble::Limit { after, reset });
    }
    matches!(status, 500 | 502 | 503 | 504).then_some(Trouble::Passing { after })
}

fn names_a_limit(body: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&body[..body.len().min(4_096)]).to_ascii_lowercase();
    start.contains("rate limit") || start.contains("abuse detection")
}

/// The next step after `tried` requests that met trouble, and `waited` between them.
pub(super) fn next(trouble: &Trouble, tried: u32, waited: Duration, now: Timestamp) -> Next {
    let doubled = 2_u32.saturating_pow(tried.saturating_sub(1));
    let (wait, until) = match trouble {
        Trouble::Passing { .. } if tried >= TRIES => return Next::GiveUp(None),
        Trouble::Passing { after } => (FIRST.saturating_mul(doubled).max(after.unwrap_or_default()), None),
        Trouble::Limit { after: Some(after), .. } => (*after, moment(now, *after)),
        Trouble::Limit { reset: Some(reset), .. } => {
            // A second more: clocks differ.
            let left = u64::try_from(reset.duration_since(now).as_secs()).unwrap_or(0) + 1;
            (Duration::from_secs(left), Some(*reset))
        }
        Trouble::Limit { .. } => (SECONDARY.saturating_mul(doubled), None),
    };
    if waited.saturating_add(wait) > PATIENCE { Next::GiveUp(until) } else { Next::Wait(wait) }
}

fn moment(now: Timestamp, after: Duration) -> Option<Timestamp> {
    now.checked_add(jiff::SignedDuration::try_from(after).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect::<HeaderMap>()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_what_may_pass_is_waited_for() {
        let none = HeaderMap::new();
        for status in [200, 201, 204, 301, 304, 400, 401, 404, 409, 410, 422, 501] {
            assert_eq!(trouble(status, &none, b""), None, "{status}");
        }
        assert_eq!(trouble(403, &none, br#"{"message":"Resource not accessible by integration"}"#), None);
        // The header comes with every answer; only none left is a limit.
        assert_eq!(trouble(403, &headers(&[("x-ratelimit-remaining", "4999")]), b""), None);
        assert_eq!(trouble(503, &none, b""), Some(Trouble::Passing { after: None }));
        let busy = trouble(503, &headers(&[("retry-after", "20")]), b"");
        assert_eq!(busy, Some(Trouble::Passing { after: Some(20 * SECOND) }));
        let secondary = br#"{"message":"You have exceeded a secondary rate limit."}"#;
        assert_eq!(trouble(403, &none, secondary), Some(Trouble::Limit { after: None, reset: None }));
        let told = headers(&[("retry-after", "7"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1000")]);
        let reset = Timestamp::from_second(1_000).ok();
        assert_eq!(trouble(429, &told, b""), Some(Trouble::Limit { after: Some(7 * SECOND), reset }));
        // A reset of a limit that is not used up says nothing.
        let other = headers(&[("x-ratelimit-remaining", "5"), ("x-ratelimit-reset", "1000")]);
        assert_eq!(trouble(429, &other, b""), Some(Trouble::Limit { after: None, reset: None }));
    }

    #[test]
    fn waits_grow_and_end() {
        let now = Timestamp::from_second(1_000).unwrap();
        let passing = |tried| next(&Trouble::Passing { after: None }, tried, Duration::ZERO, now);
        assert_eq!([passing(1), passing(2), passing(3)], [SECOND, 2 * SECOND, 4 * SECOND].map(Next::Wait));
        assert_eq!(passing(4), Next::GiveUp(None));
        let busy = |after| next(&Trouble::Passing { after: Some(after) }, 2, Duration::ZERO, now);
        assert_eq!([busy(20 * SECOND), busy(SECOND)], [20 * SECOND, 2 * SECOND].map(Next::Wait), "at least as asked");
        assert_eq!(busy(3_600 * SECOND), Next::GiveUp(None));

        let limit = |after: Option<u64>, reset: Option<i64>| Trouble::Limit {
            after: after.map(Duration::from_secs),
            reset: reset.map(|at| Timestamp::from_second(at).unwrap()),
        };
        let step = |trouble: Trouble, tried, waited| next(&trouble, tried, Duration::from_secs(waited), now);
        assert_eq!(step(limit(Some(0), None), 1, 0), Next::Wait(Duration::ZERO));
        assert_eq!(step(limit(Some(7), Some(9_000)), 1, 0), Next::Wait(7 * SECOND));
        assert_eq!(step(limit(None, Some(1_020)), 1, 0), Next::Wait(21 * SECOND));
        assert_eq!(step(limit(None, Some(900)), 1, 0), Next::Wait(SECOND), "a reset that has passed");
        assert_eq!(step(limit(None, None), 1, 0), Next::Wait(60 * SECOND));
        assert_eq!(step(limit(None, None), 2, 60), Next::Wait(120 * SECOND));
        assert_eq!(step(limit(None, None), 3, 180), Next::GiveUp(None));
        // An hour is told, not slept.
        assert_eq!(step(limit(None, Some(4_600)), 1, 0), Next::GiveUp(Timestamp::from_second(4_600).ok()));
        assert_eq!(step(limit(Some(3_600), None), 1, 0), Next::GiveUp(Timestamp::from_second(4_600).ok()));
        assert_eq!(step(limit(Some(u64::MAX), None), 1, 0), Next::GiveUp(None));
    }
}
