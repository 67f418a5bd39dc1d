//! How long a receiver asks to be left alone. Pure: an answer comes in, a time comes out.
//!
//! Discord says it in the body of a 429 (`retry_after`, seconds with a fraction) and in headers, Slack and others in
//! `Retry-After`. An answer that used up the last request of its limit says when the next one may come.

use std::time::Duration;

use http::HeaderMap;
use serde::Deserialize;

/// How long one receiver may be waited for, all waits together.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// A refusal that does not say for how long.
const UNSAID: Duration = Duration::from_secs(5);
/// More than that is not a time any more; it only has to be above any patience.
const LONGEST: f64 = 1e9;

/// How long a 429 asks to wait.
pub(super) fn refused(headers: &HeaderMap, body: &[u8]) -> Duration {
    #[derive(Deserialize)]
    struct Body {
        retry_after: f64,
    }
    let in_body = serde_json::from_slice::<Body>(body).ok().and_then(|body| seconds(body.retry_after));
    // The longer one: a header in whole seconds may be the other one rounded, or that of a proxy before it.
    let said = in_body.into_iter().chain(number(headers, "retry-after")).max();
    said.or_else(|| number(headers, "x-ratelimit-reset-after")).unwrap_or(UNSAID)
}

/// How long the next request has to wait after this answer, if its limit is used up.
pub(super) fn used_up(headers: &HeaderMap) -> Duration {
    let is_used_up = headers.get("x-ratelimit-remaining").is_some_and(|left| left.as_bytes() == b"0");
    let after = number(headers, "x-ratelimit-reset-after").filter(|_| is_used_up);
    after.unwrap_or_default()
}

fn number(headers: &HeaderMap, name: &str) -> Option<Duration> {
    seconds(headers.get(name)?.to_str().ok()?.trim().parse().ok()?)
}

/// Rounded up to a millisecond, so that nobody comes too early.
fn seconds(value: f64) -> Option<Duration> {
    let value = if value.is_nan() || value < 0.0 { None } else { Some(value.min(LONGEST)) };
    value.and_then(|value| Duration::try_from_secs_f64((value * 1_000.0).ceil() / 1_000.0).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect::<HeaderMap>()
    }

    #[test]
    fn a_refusal_says_how_long_in_its_body_or_its_headers() {
        let ms = Duration::from_millis;
        for (pairs, body, want) in [
            (&[][..], &br#"{"message":"x","retry_after":0.4,"global":false}"#[..], ms(400)),
            (&[("retry-after", "65")], br#"{"retry_after":64.57}"#, ms(65_000)),
            (&[("retry-after", "1")], br#"{"retry_after":1.2345}"#, ms(1_235)),
            (&[("retry-after", "30")], b"<html>", ms(30_000)),
            (&[("x-ratelimit-reset-after", "0.25")], b"", ms(250)),
            (&[], br#"{"retry_after":"soon"}"#, UNSAID),
            (&[], br#"{"retry_after":-3}"#, UNSAID),
            (&[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], b"", UNSAID),
            (&[("retry-after", "inf")], b"", Duration::from_secs(1_000_000_000)),
        ] {
            assert_eq!(refused(&headers(pairs), body), want, "{pairs:?}");
        }
    }

    #[test]
    fn a_limit_that_is_used_up_is_waited_for() {
        let used =
            |left: &str| used_up(&headers(&[("x-ratelimit-remaining", left), ("x-ratelimit-reset-after", "1.5")]));
        assert_eq!((used("0"), used("4")), (Duration::from_millis(1_500), Duration::ZERO));
        assert_eq!(used_up(&headers(&[("x-ratelimit-remaining", "0")])), Duration::ZERO);
    }
}
