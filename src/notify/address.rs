//! The address of a webhook: a secret, checked before it is used and shown by its host alone.

use std::fmt;

use sha2::{Digest as _, Sha256};
use url::Url;

use super::settings::{Options, Receiver};
use crate::sys::http::is_loopback;
use crate::sys::secret::Secret;

/// Discord's API as the tests' description of it has it; an address without a version would get an older one.
const API: &str = "v10";

/// An address; printing it shows its host.
#[derive(Clone)]
pub struct Address {
    url: Url,
    /// The parts of it that must not be seen, the longest first.
    secrets: Vec<String>,
}

/// Why a text is no address that can be used. Never repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAddress {
    /// No URL.
    #[error("is not an address")]
    Malformed,
    /// No TLS on the way to another machine.
    #[error("is not https, and everybody on the way could read the webhook's secret")]
    Plain,
    /// A URL of something else.
    #[error("is not the address of a Discord webhook")]
    NotDiscord,
    /// Discord's imitation of another API.
    #[error("ends in what makes Discord read another service's messages")]
    Imitation,
}

impl NotAnAddress {
    /// The next step.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Malformed => "it begins with https://, as the service shows it where the webhook is made",
            Self::Plain => "write https://; only addresses of this machine may be http",
            Self::NotDiscord => "it ends in /api/webhooks/ID/TOKEN: in Discord, Copy Webhook URL",
            Self::Imitation => "remove /slack or /github from its end",
        }
    }
}

impl Address {
    /// The address of a receiver, from the text in its variable.
    ///
    /// # Errors
    /// See [`NotAnAddress`].
    pub fn new(receiver: &Receiver, text: &str) -> Result<Self, NotAnAddress> {
        let text = Secret::new(text).map_err(|_| NotAnAddress::Malformed)?;
        let mut url = Url::parse(text.expose()).map_err(|_| NotAnAddress::Malformed)?;
        if !matches!(url.scheme(), "https" | "http") || !url.has_host() {
            return Err(NotAnAddress::Malformed);
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err(NotAnAddress::Plain);
        }
        let mut secrets = vec![text.expose().to_owned(), url.to_string()];
        url.set_fragment(None);
        if let Options::Discord { thread, .. } = &receiver.options {
            url = discord(&url, thread.as_deref())?;
        }
        secrets.extend([url.to_string(), url.path().to_owned()]);
        // A token is long; short parts are words such as `services`, and hiding those would hide messages.
        secrets.extend(url.path_segments().into_iter().flatten().filter(|part| part.len() >= 16).map(str::to_owned));
        secrets.extend(url.query_pairs().map(|(_, value)| value.into_owned()).filter(|value| value.len() >= 16));
        secrets.extend(url.password().map(str::to_owned));
        secrets.retain(|secret| secret.len() > 1);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Ok(Self { url, secrets })
    }

    /// For the one place that sends.
    pub(super) fn expose(&self) -> &Url {
        &self.url
    }

    /// Where a Discord message is made.
    pub(super) fn messages(&self) -> Url {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("wait", "true");
        url
    }

    /// Where one Discord message is.
    pub(super) fn message(&self, id: &str) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(["messages", id]);
        }
        url
    }

    /// A text in which nothing of the address is left.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
    }

    /// What tells this webhook from another one and leads to neither: the beginning of the SHA-256 of its address.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = Sha256::digest(self.url.as_str());
        hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}://{}/***", self.url.scheme(), self.url.host_str().unwrap_or("***"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The webhook's own address, whatever a person has copied with it.
fn discord(url: &Url, thread: Option<&str>) -> Result<Url, NotAnAddress> {
    let parts: Vec<_> = url.path_segments().into_iter().flatten().filter(|part| !part.is_empty()).collect();
    let at = parts.iter().position(|part| *part == "webhooks").ok_or(NotAnAddress::NotDiscord)?;
    let (id, token) = match &parts[at + 1..] {
        [id, token] => (*id, *token),
        [_, _, "slack" | "github"] => return Err(NotAnAddress::Imitation),
        _ => return Err(NotAnAddress::NotDiscord),
    };
    if !super::discord::is_message_id(id) {
        return Err(NotAnAddress::NotDiscord);
    }
    let in_query = url.query_pairs().find(|(name, _)| name == "thread_id").map(|(_, value)| value.into_owned());
    let in_query = in_query.filter(|id| super::discord::is_message_id(id));
    // What stands before belongs to Discord, or to a proxy that has its own names.
    let before = parts[..at].iter().copied();
    let version = (parts[..at].last() == Some(&"api")).then_some(API);
    let path: Vec<_> = before.chain(version).chain(["webhooks", id, token]).collect();
    let mut out = url.clone();
    out.set_path(&path.join("/"));
    out.set_query(None);
    if let Some(thread) = thread.map(str::to_owned).or(in_query) {
        out.query_pairs_mut().append_pair("thread_id", &thread);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::settings::{Mention, plain};
    use super::*;

    fn on_discord(thread: Option<&str>) -> Receiver {
        plain("d", Options::Discord { thread: thread.map(str::to_owned), mention: Mention::default() })
    }

    #[test]
    fn addresses_of_discord_are_brought_into_one_form() {
        for (text, thread, want) in [
            (
                "https://discord.com/api/webhooks/123/toKen_-x",
                None,
                "https://discord.com/api/v10/webhooks/123/toKen_-x",
            ),
            ("https://ptb.discord.com/api/v9/webhooks/123/t/", None, "https://ptb.discord.com/api/v9/webhooks/123/t"),
            (
                "https://discord.com/api/webhooks/1/t?thread_id=77&wait=false#x",
                None,
                "https://discord.com/api/v10/webhooks/1/t?thread_id=77",
            ),
            (
                "https://discord.com/api/webhooks/1/t?thread_id=77",
                Some("88"),
                "https://discord.com/api/v10/webhooks/1/t?thread_id=88",
            ),
            ("https://proxy.example/webhooks/1/t", None, "https://proxy.example/webhooks/1/t"),
            ("http://127.0.0.1:9/api/webhooks/1/t", None, "http://127.0.0.1:9/api/v10/webhooks/1/t"),
        ] {
            let address = Address::new(&on_discord(thread), &format!(" {text}\n")).unwrap();
            assert_eq!(address.expose().as_str(), want);
        }
        let address = Address::new(&on_discord(Some("88")), "https://discord.com/api/webhooks/1/t").unwrap();
        assert_eq!(address.messages().as_str(), "https://discord.com/api/v10/webhooks/1/t?thread_id=88&wait=true");
        assert_eq!(address.message("5").as_str(), "https://discord.com/api/v10/webhooks/1/t/messages/5?thread_id=88");
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        use NotAnAddress::{Imitation, Malformed, NotDiscord, Plain};
        for (text, why) in [
            ("", Malformed),
            ("discord.com/api/webhooks/1/t", Malformed),
            ("https://a b", Malformed),
            ("file:///etc/passwd", Malformed),
            ("http://discord.com/api/webhooks/1/t", Plain),
            ("https://discord.com/channels/1/2", NotDiscord),
            ("https://discord.com/api/webhooks/1", NotDiscord),
            ("https://discord.com/api/webhooks/me/t", NotDiscord),
            ("https://discord.com/api/webhooks/1/t/messages", NotDiscord),
            ("https://discord.com/api/webhooks/1/t/slack", Imitation),
        ] {
            assert_eq!(Address::new(&on_discord(None), text).unwrap_err(), why, "{text}");
            assert!(!format!("{why} {}", why.hint()).contains("discord.com"));
        }
        let hook = plain("h", Options::Webhook { secret: None });
        assert!(Address::new(&hook, "https://user:pass@a.example/any?key=1").is_ok());
        assert_eq!(Address::new(&hook, "http://a.example").unwrap_err(), Plain);
    }

    #[test]
    fn nothing_of_it_is_seen() {
        let text = "https://discord.com/api/webhooks/123456789012345678/canary-token-canary-token?thread_id=1";
        let address = Address::new(&on_discord(None), text).unwrap();
        assert_eq!(format!("{address} {address:?}"), "https://discord.com/*** https://discord.com/***");
        let said = format!("error sending to {text}: {} canary-token-canary-token", address.expose());
        assert_eq!(address.hide(&said), "error sending to ***: *** ***");
        assert_eq!(address.fingerprint().len(), 12);
        let other = Address::new(&on_discord(None), "https://discord.com/api/webhooks/1/other").unwrap();
        assert_ne!(address.fingerprint(), other.fingerprint());
    }
}
