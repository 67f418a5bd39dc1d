//! Values that must not be seen: tokens and webhook addresses.

use std::fmt;

/// A secret text. Printing it shows `***`, whichever way.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a text cannot be a secret that is sent in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is empty, or holds spaces, line breaks or control characters")]
pub struct NotASecret;

impl Secret {
    /// From what an environment variable or a file holds: white space around it goes, since files end with a line break.
    ///
    /// # Errors
    /// A text that no header can carry, which is never the one that was meant. The error does not repeat it.
    pub fn new(text: &str) -> Result<Self, NotASecret> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NotASecret);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_trimmed_checked_and_never_shown() {
        let token = Secret::new(" ghs_canary\n").unwrap();
        assert_eq!(token.expose(), "ghs_canary");
        assert_eq!(format!("{token} {token:?} {:?}", Some(&token)), "*** *** Some(***)");
        for wrong in ["", " \n", "ghs canary", "ghs\ncanary", "ghs_\u{7}", "gh\u{e9}"] {
            let refused = Secret::new(wrong).unwrap_err().to_string();
            assert!(!refused.contains("canary"), "{refused}");
        }
    }
}
