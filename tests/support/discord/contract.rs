//! What a webhook takes: Discord's own description, and the documented limits that it does not state.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

const SCHEMAS: &str = include_str!("../../fixtures/discord/schemas.json");

/// Flags that a webhook may set on a new message: no embeds, no sound.
const FLAGS_NEW: u64 = 1 << 2 | 1 << 12;
/// Flags that it may change: no embeds.
const FLAGS_EDIT: u64 = 1 << 2;

/// One kind of body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Of a request for a new message.
    Create,
    /// Of a request that changes one.
    Edit,
    /// Of an answer with a message.
    Message,
    /// Of a refusal by a limit.
    Limited,
    /// Of any other refusal.
    Error,
}

struct Contract {
    shapes: Vec<(Shape, Validator)>,
}

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    let schemas: Value = serde_json::from_str(SCHEMAS).expect("the slice is JSON");
    let named = [
        (Shape::Create, "create"),
        (Shape::Edit, "edit"),
        (Shape::Message, "message"),
        (Shape::Limited, "limited"),
        (Shape::Error, "error"),
    ];
    let build = |name: &str| {
        let options = jsonschema::options().should_validate_formats(true).with_format("uri", is_uri);
        options.build(&schemas[name]).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    Contract { shapes: named.into_iter().map(|(shape, name)| (shape, build(name))).collect() }
});

/// An address that a client can open.
fn is_uri(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What is wrong with a body.
pub fn problems(shape: Shape, body: &Value) -> Vec<String> {
    let validator = CONTRACT.shapes.iter().find(|(known, _)| *known == shape).map(|(_, validator)| validator);
    let validator = validator.expect("every shape has a schema");
    let mut out: Vec<_> =
        validator.iter_errors(body).take(5).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if matches!(shape, Shape::Create | Shape::Edit) {
        limits(shape, body, &mut out);
    }
    out
}

/// Discord takes white space away and counts what is left in code points.
fn counted(value: &Value) -> Option<usize> {
    value.as_str().map(|text| text.trim().chars().count())
}

fn limits(shape: Shape, body: &Value, out: &mut Vec<String>) {
    let content = counted(&body["content"]).unwrap_or(0);
    let embeds = body["embeds"].as_array().map(Vec::as_slice).unwrap_or_default();
    if content == 0 && embeds.is_empty() {
        out.push("a message of nothing".to_owned());
    }
    if content > 2_000 {
        out.push(format!("content of {content}"));
    }
    let mut total = 0;
    for embed in embeds {
        let fields = embed["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
        if fields.len() > 25 {
            out.push(format!("{} fields", fields.len()));
        }
        let mut part = |value: &Value, name: &str, limit: usize, is_needed: bool| match counted(value) {
            Some(0) => out.push(format!("{name} is empty")),
            Some(count) if count > limit => out.push(format!("{name} of {count}")),
            Some(count) => total += count,
            None if is_needed => out.push(format!("{name} is missing")),
            None => {}
        };
        part(&embed["title"], "title", 256, false);
        part(&embed["description"], "description", 4_096, false);
        part(&embed["footer"]["text"], "footer", 2_048, embed.get("footer").is_some());
        part(&embed["author"]["name"], "author", 256, embed.get("author").is_some());
        for field in fields {
            part(&field["name"], "name of a field", 256, true);
            part(&field["value"], "value of a field", 1_024, true);
        }
    }
    if total > 6_000 {
        out.push(format!("{total} characters in all embeds"));
    }
    let allowed = if shape == Shape::Create { FLAGS_NEW } else { FLAGS_EDIT };
    if body["flags"].as_u64().is_some_and(|flags| flags & !allowed != 0) {
        out.push(format!("flags {}", body["flags"]));
    }
    let mentions = &body["allowed_mentions"];
    if !mentions.is_object() {
        out.push("no allowed_mentions: the text would be searched for mentions by default".to_owned());
    }
    for kind in ["users", "roles"] {
        let parses = mentions["parse"].as_array().is_some_and(|parse| parse.iter().any(|one| one == kind));
        if parses && mentions[kind].as_array().is_some_and(|ids| !ids.is_empty()) {
            out.push(format!("allowed_mentions parses {kind} and lists some"));
        }
    }
}
