//! Pages of a list and the `Link` header that leads through them.

use serde_json::{Value, json};

use super::call::{Answer, Call};

/// What a list cannot go beyond when a filter is set.
pub const FILTERED: usize = 1000;

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The page's items.
    pub items: Vec<T>,
    links: Vec<String>,
}

/// The page that a request asks for. No more than `reach` items can be paged to.
pub fn page<T>(call: &Call, repo_id: u64, mut items: Vec<T>, reach: usize) -> Page<T> {
    items.truncate(reach);
    let number = |name: &str| call.query(name).and_then(|value| value.parse::<usize>().ok());
    let size = number("per_page").unwrap_or(30).clamp(1, 100);
    let page = number("page").unwrap_or(1).max(1);
    let last = items.len().div_ceil(size).max(1);
    let mut links = Vec::new();
    if page > 1 {
        links.push(link(call, repo_id, page.min(last + 1) - 1, "prev"));
    }
    if page < last {
        links.push(link(call, repo_id, page + 1, "next"));
        links.push(link(call, repo_id, last, "last"));
    }
    if page > 1 {
        links.push(link(call, repo_id, 1, "first"));
    }
    let items = items.into_iter().skip((page - 1).saturating_mul(size)).take(size).collect();
    Page { items, links }
}

/// GitHub leads on to the repository's number, not its name.
fn link(call: &Call, repo_id: u64, page: usize, relation: &str) -> String {
    let others = call.query.iter().filter(|(name, _)| name != "page");
    let mut query: Vec<String> = others.map(|(name, value)| format!("{name}={}", encode(value))).collect();
    query.push(format!("page={page}"));
    let tail = call.path.splitn(5, '/').nth(4).map(|tail| format!("/{tail}")).unwrap_or_default();
    format!("<{}/repositories/{repo_id}{tail}?{}>; rel=\"{relation}\"", call.api, query.join("&"))
}

/// Percent signs for everything that is not plain.
pub fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

impl<T> Page<T> {
    /// An array of the page's items.
    pub fn array(self, render: impl FnMut(&T) -> Value) -> Answer {
        let items: Vec<Value> = self.items.iter().map(render).collect();
        with_links(Answer::json(200, json!(items)), &self.links)
    }

    /// An object with a count over all pages and the page's items.
    pub fn counted(self, total: usize, name: &str, render: impl FnMut(&T) -> Value) -> Answer {
        let items: Vec<Value> = self.items.iter().map(render).collect();
        let mut body = json!({ "total_count": total });
        body[name] = json!(items);
        with_links(Answer::json(200, body), &self.links)
    }
}

fn with_links(answer: Answer, links: &[String]) -> Answer {
    if links.is_empty() { answer } else { answer.with("link", links.join(", ")) }
}
