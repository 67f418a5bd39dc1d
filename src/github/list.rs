//! Lists over several pages.

use std::cell::Cell;

use http::header::LINK;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::{Client, JSON, read_json};
use super::error::{Cause, Error};
use crate::sys::text;

/// Entries of a page; the most that GitHub gives.
pub(super) const PER_PAGE: usize = 100;

/// What a list holds, and what is known to be missing from it.
#[derive(Clone, Debug, PartialEq)]
pub struct List<T> {
    /// The entries in GitHub's order.
    pub items: Vec<T>,
    /// Whether there are more than were read.
    pub truncated: bool,
    /// Entries that could not be read, each with the reason.
    pub unreadable: Vec<String>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new(), truncated: false, unreadable: Vec::new() }
    }
}

impl<T> List<T> {
    /// Whether something that was asked for may be missing.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.truncated || !self.unreadable.is_empty()
    }
}

/// What a list is asked for.
pub(super) struct Query<'a, T> {
    /// For people.
    pub(super) what: &'a str,
    /// The path with its query, without `per_page`.
    pub(super) path: &'a str,
    /// The field that holds the entries; `None` where the answer is the list itself.
    pub(super) field: Option<&'a str>,
    /// The most pages that are read.
    pub(super) pages: usize,
    /// Whether nothing after this entry is wanted.
    pub(super) last: &'a dyn Fn(&T) -> bool,
}

impl Client {
    /// Reads page after page as far as `Link` leads, the limit allows and anybody wants.
    pub(super) fn list<T: DeserializeOwned>(&self, query: &Query<'_, T>) -> Result<List<T>, Error> {
        let mut list = List::default();
        let ask = if query.path.contains('?') { '&' } else { '?' };
        let mut next = Some(format!("{}{ask}per_page={PER_PAGE}", query.path));
        for _ in 0..query.pages {
            let Some(path) = next.take() else { break };
            let answer = self.get(query.what, &path, JSON)?;
            let is_done = Cell::new(false);
            for entry in entries(query.what, query.field, &answer.body)? {
                match serde_json::from_value::<T>(entry) {
                    Ok(item) => {
                        is_done.set(is_done.get() || (query.last)(&item));
                        list.items.push(item);
                    }
                    Err(error) => list.unreadable.push(text::shorten(&text::one_line(&error.to_string()), 200)),
                }
            }
            if is_done.get() {
                return Ok(list);
            }
            let links = answer.headers.get_all(LINK).iter().filter_map(|link| link.to_str().ok());
            next = links.filter_map(next_of).next().map(|link| self.within(query.what, link)).transpose()?;
        }
        list.truncated = next.is_some();
        Ok(list)
    }
}

fn entries(what: &str, field: Option<&str>, body: &[u8]) -> Result<Vec<Value>, Error> {
    let mut value: Value = read_json(what, body)?;
    let found = match field {
        Some(field) => value.get_mut(field).map(Value::take),
        None => Some(value),
    };
    match found {
        Some(Value::Array(entries)) => Ok(entries),
        _ => Err(Error::new(what, Cause::Unreadable("it holds no list".to_owned()))),
    }
}

/// The address of the next page in a `Link` header (RFC 8288).
fn next_of(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (address, about) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = |part: &str| {
            let (name, value) = part.trim().split_once('=').unwrap_or_default();
            name.eq_ignore_ascii_case("rel") && value.trim_matches('"').split(' ').any(|rel| rel == "next")
        };
        about.split(';').any(is_next).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_what_the_header_calls_so() {
        let header = r#"<https://api.github.com/x?page=1>; rel="prev", <https://api.github.com/x?page=3>; rel="next", <https://api.github.com/x?page=9>; rel="last""#;
        assert_eq!(next_of(header), Some("https://api.github.com/x?page=3"));
        assert_eq!(next_of("<a>; title=\"x\"; rel=next"), Some("a"));
        for none in ["", "x", "<a>", "<a>; rel=\"last\"", "<a; rel=next", "<a>; title=next"] {
            assert_eq!(next_of(none), None, "{none}");
        }
    }
}
