//! The fake refuses what Discord refuses: a test double that takes everything proves nothing.

use serde_json::{Value, json};

use super::discord::contract::{Shape, problems};

fn message(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = json!({
        "embeds": [{ "title": "t", "fields": [{ "name": "n", "value": "v" }], "footer": { "text": "f" } }],
        "allowed_mentions": { "parse": [] },
    });
    change(&mut body);
    body
}

#[test]
fn every_documented_limit_is_held() {
    assert_eq!(problems(Shape::Create, &message(|_| {})), [] as [String; 0]);
    assert_eq!(problems(Shape::Edit, &message(|_| {})), [] as [String; 0]);
    let field = json!({ "name": "n", "value": "v" });
    type Change = Box<dyn FnOnce(&mut Value)>;
    let changes: Vec<(&str, Change)> = vec![
        ("content", Box::new(|body| body["content"] = "x".repeat(2_001).into())),
        ("title", Box::new(|body| body["embeds"][0]["title"] = "x".repeat(257).into())),
        ("blank title", Box::new(|body| body["embeds"][0]["title"] = " ".into())),
        ("description", Box::new(|body| body["embeds"][0]["description"] = "x".repeat(4_097).into())),
        ("fields", Box::new(move |body| body["embeds"][0]["fields"] = vec![field; 26].into())),
        ("name", Box::new(|body| body["embeds"][0]["fields"][0]["name"] = "x".repeat(257).into())),
        ("blank name", Box::new(|body| body["embeds"][0]["fields"][0]["name"] = "".into())),
        ("value", Box::new(|body| body["embeds"][0]["fields"][0]["value"] = "x".repeat(1_025).into())),
        ("footer", Box::new(|body| body["embeds"][0]["footer"]["text"] = "x".repeat(2_049).into())),
        ("colour", Box::new(|body| body["embeds"][0]["color"] = 0x1_00_00_00.into())),
        ("address", Box::new(|body| body["embeds"][0]["url"] = "javascript:x".into())),
        ("time", Box::new(|body| body["embeds"][0]["timestamp"] = "yesterday".into())),
        ("unknown key", Box::new(|body| body["embeds"][0]["colour"] = 1.into())),
        ("no mentions", Box::new(|body| body["allowed_mentions"] = Value::Null)),
        ("flags", Box::new(|body| body["flags"] = (1 << 15).into())),
        ("nothing", Box::new(|body| body["embeds"] = json!([]))),
        ("embeds", Box::new(|body| body["embeds"] = vec![json!({ "title": "t" }); 11].into())),
        (
            "sum",
            Box::new(|body| {
                body["embeds"] = vec![json!({ "description": "x".repeat(3_001) }); 2].into();
            }),
        ),
    ];
    for (what, change) in changes {
        assert!(!problems(Shape::Create, &message(change)).is_empty(), "{what} was taken");
    }
    assert!(!problems(Shape::Edit, &message(|body| body["flags"] = 4_096.into())).is_empty());
    assert!(problems(Shape::Create, &message(|body| body["flags"] = 4_096.into())).is_empty());
    // White space at the ends is not counted, and a character is a code point.
    let trimmed = message(|body| body["embeds"][0]["fields"][0]["name"] = "\u{1f600}".repeat(256).into());
    assert_eq!(problems(Shape::Create, &trimmed), [] as [String; 0]);
}

#[test]
fn what_is_refused_is_remembered() {
    use mgmt_action::notify::{Level, State};
    let scene = super::scene::Scene::discord();
    // The client says nothing invalid, so a test says it.
    let url = scene.fake.webhook().replace("/api/", "/api/v10/");
    let sent = post(&url, r#"{"content":"@everyone"}"#);
    assert!(sent.starts_with("HTTP/1.1 400"), "{sent}");
    assert_eq!(scene.fake.take_violations().len(), 1);
    scene.first(Level::Error, State::Opened);
    assert_eq!(scene.fake.take_violations(), [] as [String; 0]);
}

fn post(url: &str, body: &str) -> String {
    use std::io::{Read as _, Write as _};
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: t\r\ncontent-type: application/json\r\nconnection: close\r\n"
    );
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
