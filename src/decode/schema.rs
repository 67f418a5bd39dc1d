//! JSON Schema pieces for [`Key`] tables (draft 2020-12, what the YAML language servers read).

use serde_json::{Map, Value, json};

use super::Key;

/// A closed object with these keys.
#[must_use]
pub fn object(keys: &[Key]) -> Value {
    object_of(keys.iter())
}

/// A closed object with the keys of several tables.
pub fn object_of<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in keys {
        let mut schema = (key.schema)();
        if let Some(map) = schema.as_object_mut() {
            map.insert("description".into(), key.doc.into());
        }
        properties.insert(key.name.into(), schema);
        if key.required {
            required.push(Value::from(key.name));
        }
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// Any text.
#[must_use]
pub fn string() -> Value {
    json!({ "type": "string" })
}

/// Text that may be written without quotes although it looks like a number or a boolean.
#[must_use]
pub fn scalar() -> Value {
    json!({ "type": ["string", "number", "boolean"] })
}

/// A list of [`scalar`]s, at least one.
#[must_use]
pub fn scalars() -> Value {
    json!({ "type": "array", "items": scalar(), "minItems": 1 })
}

/// A list of texts.
#[must_use]
pub fn strings() -> Value {
    json!({ "type": "array", "items": string() })
}

/// `true` or `false`.
#[must_use]
pub fn boolean() -> Value {
    json!({ "type": "boolean" })
}

/// Any number.
#[must_use]
pub fn number() -> Value {
    json!({ "type": "number" })
}

/// A whole number from 0.
#[must_use]
pub fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// A duration such as `90s`, `5m`, `1h 30m`, `30d`.
#[must_use]
pub fn duration() -> Value {
    json!({ "type": "string", "examples": ["90s", "5m", "1h 30m", "30d"] })
}

/// A size such as `512KiB`, `16MiB`, `8GiB`; a number is in bytes.
#[must_use]
pub fn size() -> Value {
    json!({ "type": ["string", "integer"], "examples": ["512KiB", "16MiB", "8GiB"] })
}

/// One of these words.
#[must_use]
pub fn one_of(words: &[&str]) -> Value {
    json!({ "enum": words })
}
