//! What stands around a report that is not in its record: what a reader must know first, and where the whole is.

use super::escape::text;

/// An address that may become a link: `https`, or `http` for a server of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    label: String,
    address: String,
}

/// Characters that an address is made of (RFC 3986), without the parentheses and brackets that would end a link.
fn is_plain(ch: char) -> bool {
    ch.is_ascii_alphanumeric() || "-._~:/?#@!$&*+,;=%".contains(ch)
}

impl Link {
    /// A link with this label; `None` where the address is none that should be followed.
    #[must_use]
    pub fn new(label: &str, address: &str) -> Option<Self> {
        let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
        let is_sound = !rest.is_empty() && address.len() <= 1_000 && address.chars().all(is_plain);
        is_sound.then(|| Self { label: label.to_owned(), address: address.to_owned() })
    }

    /// Where it leads.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn markdown(&self) -> String {
        format!("[{}]({})", text(&self.label), self.address)
    }
}

/// A remark before the numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// What it is about, in a few words of this program's own.
    pub title: String,
    /// What it means, in sentences of this program's own; names from outside stand between backticks.
    pub text: String,
    /// What it lists; from outside, names in it between backticks.
    pub items: Vec<String>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Remarks, the most important first.
    pub notes: Vec<Note>,
    /// Where the run and its files are, the place of the whole report first.
    pub links: Vec<Link>,
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn only_plain_addresses_become_links() {
        let address = |address: &str| Link::new("Run", address).map(|link| link.markdown());
        assert_eq!(
            address("https://github.com/o/r/actions/runs/1"),
            Some("[Run](https://github.com/o/r/actions/runs/1)".into())
        );
        assert!(address("http://127.0.0.1:8080/o/r").is_some());
        for bad in [
            "",
            "https://",
            "javascript:alert(1)",
            "https://a/) ![x](https://b",
            "https://a/<b>",
            "https://a/\n# b",
            "https://a/`",
            "https://a/|b",
            "HTTPS://a",
            "//a",
        ] {
            assert_eq!(address(bad), None, "{bad}");
        }
        assert_eq!(address(&format!("https://{}", "a".repeat(2_000))), None);
    }
}
