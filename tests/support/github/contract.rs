//! GitHub's own description of its API, as far as `tests/fixtures/github/openapi.json` has it.
//!
//! It says which operation a path belongs to, whether a request and an answer are valid, and what an answer has to
//! hold that no test cares about. It is read once in a process; validators are built when they are first needed.
//!
//! Not checked: formats other than `date-time` (GitHub itself answers with empty addresses), `created` filters (the
//! description calls a range a time) and bodies of answers that are not JSON.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Map, Value, json};

const TEXT: &str = include_str!("../../fixtures/github/openapi.json");
const ADDRESS: &str = "urn:github";
const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// Parameters whose values may hold a `/`.
const LONG: [&str; 3] = ["path", "ref", "basehead"];

/// The description.
#[derive(Debug)]
pub struct Contract {
    whole: Value,
    operations: Vec<Operation>,
    registry: Registry<'static>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
    fillings: Mutex<HashMap<usize, Arc<Filling>>>,
}

/// What an object of a schema is completed with.
#[derive(Debug)]
struct Filling {
    silent: Vec<(String, Value)>,
    inner: Vec<(String, &'static Value)>,
}

/// One method of one path.
#[derive(Debug)]
pub struct Operation {
    /// `actions/get-workflow-run`.
    pub id: String,
    /// Upper case.
    pub method: String,
    path: String,
    pointer: String,
    parameters: Vec<Parameter>,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    place: String,
    required: bool,
    schema: String,
}

impl Contract {
    /// The one of this process.
    pub fn get() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(Self::read)
    }

    fn read() -> Self {
        let whole: Value = serde_json::from_str(TEXT).expect("the slice is JSON");
        let mut operations = Vec::new();
        for (path, item) in whole["paths"].as_object().expect("the slice has paths") {
            for method in METHODS.iter().filter(|method| item.get(**method).is_some()) {
                let pointer = format!("/paths/{}/{method}", path.replace('~', "~0").replace('/', "~1"));
                operations.push(Operation {
                    id: item[*method]["operationId"].as_str().unwrap_or_default().to_owned(),
                    method: method.to_uppercase(),
                    path: path.clone(),
                    parameters: parameters(&whole, &pointer),
                    pointer,
                });
            }
        }
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(ADDRESS, whole.clone())
            .and_then(jsonschema::RegistryBuilder::prepare)
            .expect("the slice's references lead somewhere");
        Self { whole, operations, registry, validators: Mutex::default(), fillings: Mutex::default() }
    }

    /// The operation of a request and the values in its path; of several the one with the most literal path.
    pub fn find(&self, method: &str, path: &str) -> Option<(&Operation, BTreeMap<String, String>)> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let fits = |operation: &&Operation| operation.method == method;
        let matches = self.operations.iter().filter(fits).filter_map(|operation| {
            let template: Vec<&str> = operation.path.trim_matches('/').split('/').collect();
            let mut params = BTreeMap::new();
            fit(&template, &parts, &mut params).then_some((literals(&template), operation, params))
        });
        matches.max_by_key(|(literals, ..)| *literals).map(|(_, operation, params)| (operation, params))
    }

    /// The ids of all operations.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        self.operations.iter().map(|operation| operation.id.as_str())
    }

    /// What is wrong with a request.
    pub fn request(
        &self,
        operation: &Operation,
        params: &BTreeMap<String, String>,
        query: &[(String, String)],
        body: Option<&Value>,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        for (name, value) in params {
            match operation.parameters.iter().find(|one| one.place == "path" && one.name == *name) {
                Some(parameter) => self.parameter(parameter, value, &mut wrong),
                None => wrong.push(format!("path parameter {name} is not described")),
            }
        }
        let mut seen = BTreeSet::new();
        for (name, value) in query {
            if !seen.insert(name) {
                wrong.push(format!("query parameter {name} is given twice"));
            }
            match operation.parameters.iter().find(|one| one.place == "query" && one.name == *name) {
                Some(parameter) => self.parameter(parameter, value, &mut wrong),
                None => wrong.push(format!("query parameter {name} does not exist")),
            }
        }
        for missing in operation.parameters.iter().filter(|one| one.place == "query" && one.required) {
            if !seen.contains(&missing.name) {
                wrong.push(format!("query parameter {} is missing", missing.name));
            }
        }
        self.body(operation, body, &mut wrong);
        wrong
    }

    fn parameter(&self, parameter: &Parameter, text: &str, wrong: &mut Vec<String>) {
        if parameter.name == "created" {
            return;
        }
        let typed = match text {
            "true" | "false" => json!(text == "true"),
            number => number.parse::<i64>().map_or(Value::Null, |number| json!(number)),
        };
        let validator = self.validator(&parameter.schema);
        let as_text = validator.validate(&json!(text)).map_err(|error| error.to_string());
        if let Err(reason) = as_text
            && (typed.is_null() || !validator.is_valid(&typed))
        {
            wrong.push(format!("{} parameter {}: {reason}", parameter.place, parameter.name));
        }
    }

    fn body(&self, operation: &Operation, body: Option<&Value>, wrong: &mut Vec<String>) {
        let described = format!("{}/requestBody", operation.pointer);
        let described = self.whole.pointer(&described).map(|value| (self.follow(value), described));
        match (described, body) {
            (None, None) => {}
            (None, Some(_)) => wrong.push("a body where none is described".to_owned()),
            (Some((described, _)), None) => {
                if described["required"] == json!(true) {
                    wrong.push("the body is missing".to_owned());
                }
            }
            (Some((_, pointer)), Some(body)) => {
                let schema = format!("{pointer}/content/application~1json/schema");
                self.check(&schema, body, "body", wrong);
                let known = self.properties(self.whole.pointer(&schema).unwrap_or(&Value::Null));
                let fields = body.as_object().map(Map::keys).into_iter().flatten();
                for unknown in fields.filter(|field| !known.is_empty() && !known.contains(*field)) {
                    wrong.push(format!("body field {unknown} does not exist"));
                }
            }
        }
    }

    /// What is wrong with an answer; `None` for a body that is not JSON.
    pub fn answer(&self, operation: &Operation, status: u16, body: Option<&Value>) -> Vec<String> {
        let mut wrong = Vec::new();
        match (self.response(operation, status), body) {
            (Some(schema), Some(body)) => self.check(&schema, body, "answer", &mut wrong),
            (None, Some(body)) if status >= 400 || matches!(status, 301 | 307) => {
                self.check("/components/schemas/basic-error", body, "answer", &mut wrong);
            }
            (None, Some(_)) => wrong.push(format!("answer {status} with a body is not described")),
            (Some(_), None) => wrong.push(format!("answer {status} has no body")),
            (None, None) if status >= 400 || self.has_status(operation, status) => {}
            (None, None) => wrong.push(format!("answer {status} is not described")),
        }
        wrong
    }

    fn has_status(&self, operation: &Operation, status: u16) -> bool {
        self.whole.pointer(&format!("{}/responses/{status}", operation.pointer)).is_some()
    }

    /// The pointer of the schema of an answer, if it has a JSON body.
    fn response(&self, operation: &Operation, status: u16) -> Option<String> {
        let mut pointer = format!("{}/responses/{status}", operation.pointer);
        if let Some(reference) = self.whole.pointer(&pointer)?.get("$ref").and_then(Value::as_str) {
            pointer = reference.trim_start_matches('#').to_owned();
        }
        let schema = format!("{pointer}/content/application~1json/schema");
        self.whole.pointer(&schema).is_some().then_some(schema)
    }

    /// Adds to an answer what it must have and what says nothing: addresses, node ids, `null` and `false`.
    pub fn complete(&'static self, operation: &Operation, status: u16, body: &mut Value) {
        if let Some(schema) = self.response(operation, status).and_then(|pointer| self.whole.pointer(&pointer)) {
            self.fill(schema, body);
        }
    }

    /// Completes an object of a named schema, so that copies of it are complete already.
    pub fn complete_as(&'static self, schema: &str, mut value: Value) -> Value {
        self.fill(&self.whole["components"]["schemas"][schema], &mut value);
        value
    }

    fn fill(&'static self, schema: &'static Value, value: &mut Value) {
        let schema = self.choice(schema);
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.fill(&schema["items"], item)),
            Value::Object(fields) => {
                let filling = self.filling(schema);
                for (name, value) in &filling.silent {
                    if !fields.contains_key(name) {
                        fields.insert(name.clone(), value.clone());
                    }
                }
                for (name, schema) in &filling.inner {
                    if let Some(value) = fields.get_mut(name) {
                        self.fill(schema, value);
                    }
                }
            }
            _ => {}
        }
    }

    /// What references and choices come down to: of several the first one.
    fn choice(&'static self, schema: &'static Value) -> &'static Value {
        let schema = self.follow(schema);
        let choices = schema.get("anyOf").or(schema.get("allOf")).or(schema.get("oneOf"));
        match choices.and_then(|choices| choices.get(0)) {
            Some(first) => self.choice(first),
            None => schema,
        }
    }

    fn filling(&'static self, schema: &'static Value) -> Arc<Filling> {
        let key = std::ptr::from_ref(schema).addr();
        let mut known = self.fillings.lock().unwrap_or_else(PoisonError::into_inner);
        let filling = known.entry(key).or_insert_with(|| {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let required: Vec<&str> =
                schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let silent = properties.clone().filter(|(name, _)| required.contains(&name.as_str()));
            let silent = silent.filter_map(|(name, schema)| Some((name.clone(), self.silent(name, schema)?)));
            let is_inner = |schema: &&'static Value| {
                let schema = self.choice(schema);
                schema.get("properties").is_some() || schema.get("items").is_some()
            };
            let inner = properties.clone().filter(|(_, schema)| is_inner(schema));
            let inner = inner.map(|(name, schema)| (name.clone(), schema)).collect();
            Arc::new(Filling { silent: silent.collect(), inner })
        });
        Arc::clone(filling)
    }

    fn silent(&self, name: &str, schema: &Value) -> Option<Value> {
        let schema = self.follow(schema);
        if self.is_nullable(schema) {
            return Some(Value::Null);
        }
        match schema["type"].as_str()? {
            "string" if name == "url" || name.ends_with("_url") || name == "href" || name.ends_with("_href") => {
                Some(json!("https://github.example/"))
            }
            "string" if name == "node_id" => Some(json!("N_")),
            "boolean" => Some(json!(false)),
            _ => None,
        }
    }

    /// The nullable properties of a named schema and the required ones, to know such an object by.
    pub fn nullables(&self, name: &str) -> (Vec<String>, Vec<String>) {
        let schema = &self.whole["components"]["schemas"][name];
        let properties = schema["properties"].as_object().into_iter().flatten();
        let nullable = properties.filter(|(_, schema)| self.is_nullable(self.follow(schema)));
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        (nullable.map(|(name, _)| name.clone()).collect(), required.map(str::to_owned).collect())
    }

    fn is_nullable(&self, schema: &Value) -> bool {
        let is_null = |kind: &Value| kind == "null";
        let among = |choice: &Value| self.is_nullable(self.follow(choice));
        is_null(&schema["type"])
            || schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(is_null))
            || schema["anyOf"].as_array().is_some_and(|choices| choices.iter().any(among))
    }

    fn properties(&self, schema: &Value) -> BTreeSet<String> {
        let schema = self.follow(schema);
        let mut names: BTreeSet<String> =
            schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        for choice in ["anyOf", "allOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten() {
            names.extend(self.properties(choice));
        }
        names
    }

    fn follow<'v>(&'v self, schema: &'v Value) -> &'v Value {
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.whole.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null),
            None => schema,
        }
    }

    fn check(&self, schema: &str, value: &Value, what: &str, wrong: &mut Vec<String>) {
        for error in self.validator(schema).iter_errors(value).take(5) {
            let place = error.instance_path().to_string();
            let whole = error.to_string();
            let text = if whole.len() > 300 { error.masked().to_string() } else { whole };
            wrong.push(format!("{what}{place}: {text}"));
        }
    }

    fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut built = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = built.get(pointer) {
            return Arc::clone(validator);
        }
        let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_registry(&self.registry)
            .should_validate_formats(true)
            .with_format("uri", |_: &str| true)
            .with_format("email", |_: &str| true)
            .build(&json!({ "$ref": format!("{ADDRESS}#{fragment}") }))
            .unwrap_or_else(|error| panic!("no schema at {pointer}: {error}"));
        let validator = Arc::new(validator);
        built.insert(pointer.to_owned(), Arc::clone(&validator));
        validator
    }
}

fn parameters(whole: &Value, operation: &str) -> Vec<Parameter> {
    let place = format!("{operation}/parameters");
    let listed = whole.pointer(&place).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let read = |(index, parameter): (usize, &Value)| {
        let pointer = match parameter.get("$ref").and_then(Value::as_str) {
            Some(reference) => reference.trim_start_matches('#').to_owned(),
            None => format!("{place}/{index}"),
        };
        let parameter = whole.pointer(&pointer)?;
        Some(Parameter {
            name: parameter["name"].as_str()?.to_owned(),
            place: parameter["in"].as_str()?.to_owned(),
            required: parameter["required"] == json!(true),
            schema: format!("{pointer}/schema"),
        })
    };
    listed.iter().enumerate().filter_map(read).collect()
}

fn fit(template: &[&str], parts: &[&str], params: &mut BTreeMap<String, String>) -> bool {
    let (Some((first, template)), Some((part, _))) = (template.split_first(), parts.split_first()) else {
        return template.is_empty() && parts.is_empty();
    };
    let Some(name) = first.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
        return first == part && fit(template, &parts[1..], params);
    };
    let longest = if LONG.contains(&name) { parts.len() } else { 1 };
    for taken in (1..=longest).rev() {
        if fit(template, &parts[taken..], params) {
            params.insert(name.to_owned(), decode(&parts[..taken].join("/"), false));
            return true;
        }
    }
    false
}

fn literals(template: &[&str]) -> usize {
    template.iter().filter(|part| !part.starts_with('{')).count()
}

/// Undoes percent signs; in a query also plus signs.
pub fn decode(text: &str, in_query: bool) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = text.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], pair) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
                continue;
            }
            (b'+', _) if in_query => decoded.push(b' '),
            (byte, _) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
