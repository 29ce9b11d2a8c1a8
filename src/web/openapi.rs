//! `GET /api/openapi.json`: what is told about the routes, as OpenAPI 3.1.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde::Serialize;
use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};

use super::{
    assets::Asset,
    cookies,
    error::{ApiError, Problem, has_older_clients},
    operation::{Operation, Shape, Surface},
    routes,
    state::AppState,
};
use crate::{
    VERSION,
    model::{CreatorId, Platform},
};

const PROBLEM: &str = "application/problem+json";

/// Made when somebody first asks: few servers are ever asked.
static DOCUMENT: LazyLock<Asset> =
    LazyLock::new(|| Asset::json(document(&routes::list()).into_bytes()));

/// `GET /api/openapi.json`, with an ETag.
///
/// # Errors
/// When it cannot be made.
pub async fn show_openapi(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let made = state.life.spawn_blocking(|| DOCUMENT.clone()).await;
    Ok(made.map_err(|it| ApiError::Internal(it.into()))?.answer(&headers))
}

/// The document of these routes, as JSON; the same for the same.
///
/// Each operation is written as soon as it is described: the tree of all of them takes 13 MB, their text half of one.
#[must_use]
pub fn document(operations: &[Operation]) -> String {
    let mut schemas = Schemas::new();
    let mut paths: BTreeMap<String, BTreeMap<String, Box<RawValue>>> = BTreeMap::new();
    let mut named = BTreeSet::new();
    let mut tags = BTreeSet::new();
    for it in operations.iter().filter(|it| it.doc.listed) {
        let id = match named.insert(it.id.to_owned()) {
            true => it.id.to_owned(),
            // A handler of two verbs.
            false => format!("{}_by_{}", it.id, it.verb.as_str().to_lowercase()),
        };
        tags.insert(it.doc.tag);
        let path = paths.entry(it.path.replace("{*", "{")).or_default();
        path.insert(it.verb.as_str().to_lowercase(), written(&describe(it, &id, &mut schemas)));
    }
    let tags: Vec<Value> = tags.iter().map(|it| json!({"name": it})).collect();
    let components = json!({"schemas": schemas.finish(), "securitySchemes": proofs()});
    let document = Document {
        openapi: "3.1.0",
        info: json!({
            "title": "StreamSuites",
            "version": VERSION,
            "description": "One ordered feed per creator, from many chats to many screens.",
            "license": {"name": "MIT", "identifier": "MIT"},
        }),
        servers: json!([{"url": "/"}]),
        tags,
        paths,
        components,
    };
    written(&document).to_string()
}

/// The document, in the order in which people read it.
#[derive(Serialize)]
struct Document {
    openapi: &'static str,
    info: Value,
    servers: Value,
    tags: Vec<Value>,
    paths: BTreeMap<String, BTreeMap<String, Box<RawValue>>>,
    components: Value,
}

/// As text, which takes far less memory than its tree.
fn written<T: Serialize + ?Sized>(value: &T) -> Box<RawValue> {
    to_raw_value(value).expect("what is made of JSON is JSON")
}

/// How somebody proves who they are.
fn proofs() -> Value {
    json!({
        "operatorToken": {
            "type": "http", "scheme": "bearer",
            "description": "The operator's token; `X-StreamSuites-Token` takes it as well.",
        },
        "session": {
            "type": "apiKey", "in": "cookie", "name": cookies::SESSION,
            "description": "A sign-in. Changes need an `Origin` of this server or of `web.cors_origins` besides.",
        },
        "apiToken": {
            "type": "http", "scheme": "bearer",
            "description": "An account's API token, which begins with `sst_`.",
        },
        "overlayKey": {
            "type": "apiKey", "in": "query", "name": "key",
            "description": "The room's overlay key.",
        },
    })
}

fn describe(operation: &Operation, id: &str, schemas: &mut Schemas) -> Value {
    let doc = &operation.doc;
    let security: Vec<Value> = doc
        .access
        .proofs()
        .iter()
        .map(|it| if it.is_empty() { json!({}) } else { json!({(*it): []}) })
        .collect();
    let mut described = json!({
        "operationId": id, "tags": [doc.tag], "summary": doc.summary,
        "description": doc.access.sentence(), "security": security,
        "responses": responses(operation, schemas),
    });
    let parameters = parameters(operation, schemas);
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some((media_type, shape)) = &doc.body {
        let schema = schemas.taken(shape);
        described["requestBody"] =
            json!({"required": true, "content": {(*media_type): {"schema": schema.clone()}}});
        if doc.also_form {
            described["requestBody"]["content"]["application/x-www-form-urlencoded"] =
                json!({ "schema": schema });
        }
    }
    described
}

fn parameters(operation: &Operation, schemas: &mut Schemas) -> Vec<Value> {
    let doc = &operation.doc;
    let of_path = operation.path_names().map(|name| {
        let told = doc.path.iter().find(|it| it.0 == name).map(|it| it.1.clone());
        let shape = told.unwrap_or_else(|| match name {
            "room" => Shape::of::<CreatorId>(),
            "platform" => Shape::of::<Platform>(),
            _ => Shape::literal(json!({"type": "string", "minLength": 1})),
        });
        json!({"name": name, "in": "path", "required": true, "schema": schemas.taken(&shape)})
    });
    let mut list: Vec<Value> = of_path.collect();
    list.extend(doc.parameters.iter().map(|it| {
        json!({
            "name": it.name, "in": it.place, "required": it.required, "description": it.about,
            "schema": schemas.taken(&it.shape),
        })
    }));
    list
}

fn responses(operation: &Operation, schemas: &mut Schemas) -> Map<String, Value> {
    let doc = &operation.doc;
    let mut responses = Map::new();
    for (status, content) in &doc.answers {
        let response = response(&mut responses, *status);
        if let Some((media_type, shape)) = content {
            response["content"][*media_type] = json!({"schema": schemas.told(shape)});
        }
    }
    for status in operation.failures() {
        let is_page = doc.surface == Surface::Page;
        if is_page && status == 401 {
            // People are shown the way in.
            response(&mut responses, 303);
            continue;
        }
        let as_page = is_page && matches!(status, 403 | 404);
        let problem =
            if has_older_clients(operation.path) { older() } else { Shape::of::<Problem>() };
        let schema = schemas.told(&problem);
        let response = response(&mut responses, status);
        if as_page {
            response["content"]["text/html"] = json!({"schema": {}});
        } else {
            response["content"][PROBLEM] = json!({"schema": schema});
        }
    }
    responses
}

/// The response of that status, with its headers.
fn response(responses: &mut Map<String, Value>, status: u16) -> &mut Value {
    let reason = StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason());
    let response = responses
        .entry(status.to_string())
        .or_insert_with(|| json!({"description": reason.unwrap_or("As said above")}));
    let header = match status {
        201 | 303 => Some(("Location", "Where it is.")),
        401 => Some(("WWW-Authenticate", "`Bearer`")),
        429 => Some(("Retry-After", "When to try again (s).")),
        _ => None,
    };
    if let Some((name, about)) = header {
        // What is made is not always something with an address.
        let required = status != 201;
        response["headers"][name] =
            json!({"description": about, "required": required, "schema": {"type": "string"}});
    }
    response
}

/// A problem with what older clients read.
fn older() -> Shape {
    let text = || json!({"type": "string"});
    Shape::of::<Problem>().and(Shape::literal(json!({
        "type": "object",
        "properties": {
            "success": {"const": false}, "error": text(), "message": text(), "reason": text(), "reason_enum": text(),
        },
        "required": ["success", "error", "message", "reason", "reason_enum"],
    })))
}

/// The schemas of the document. What is taken may leave out what has a default; what is told has all.
struct Schemas {
    taken: SchemaGenerator,
    told: SchemaGenerator,
}

/// Where references point.
const PLACE: &str = "#/components/schemas/";

impl Schemas {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|it| {
            it.meta_schema = None;
            it.definitions_path = "/components/schemas".into();
        });
        let taken = settings.clone().for_deserialize().into_generator();
        Self { taken, told: settings.for_serialize().into_generator() }
    }

    /// Of a request. Its references are told apart from those of answers by their names.
    fn taken(&mut self, shape: &Shape) -> Value {
        let mut schema = shape.make(&mut self.taken).to_value();
        rename(&mut schema);
        schema
    }

    /// Of an answer.
    fn told(&mut self, shape: &Shape) -> Value {
        shape.make(&mut self.told).to_value()
    }

    fn finish(mut self) -> BTreeMap<String, Value> {
        let mut schemas: BTreeMap<String, Value> =
            self.told.take_definitions(true).into_iter().collect();
        for (name, mut schema) in self.taken.take_definitions(true) {
            rename(&mut schema);
            schemas.insert(format!("{name}{TAKEN}"), schema);
        }
        schemas
    }
}

/// Behind the names of schemas of requests.
const TAKEN: &str = "In";

fn rename(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(it) if name == "$ref" && it.starts_with(PLACE) => {
                        it.push_str(TAKEN);
                    }
                    _ => rename(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(rename),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` of a value.
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(it) if name == "$ref" => drop(found.insert(it.clone())),
                        _ => references(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|it| references(it, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_of_the_document_leads_somewhere_and_every_schema_is_one() {
        let document: Value = serde_json::from_str(&document(&routes::list())).unwrap();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.len() > 30, "{found:?}");
        for it in found {
            let place = it.strip_prefix('#').unwrap_or_else(|| panic!("{it} leads elsewhere"));
            assert!(document.pointer(place).is_some(), "{it}");
        }
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            assert!(jsonschema::meta::is_valid(schema), "{name}");
        }
    }

    #[test]
    fn every_operation_has_an_id_of_its_own_and_declares_what_its_path_names() {
        let document: Value = serde_json::from_str(&document(&routes::list())).unwrap();
        let schemes = document["components"]["securitySchemes"].as_object().unwrap();
        let mut ids = BTreeSet::new();
        for (path, verbs) in document["paths"].as_object().unwrap() {
            let named: BTreeSet<&str> =
                path.split('/').filter_map(|it| it.strip_prefix('{')?.strip_suffix('}')).collect();
            assert_eq!(path.matches('{').count(), named.len(), "{path}");
            for (verb, operation) in verbs.as_object().unwrap() {
                let route = format!("{verb} {path}");
                let id = operation["operationId"].as_str().unwrap();
                assert!(id.bytes().all(|it| it.is_ascii_lowercase() || it == b'_'), "{id}");
                assert!(ids.insert(id), "{route}: {id}");
                let parameters = operation["parameters"].as_array();
                let parameters: Vec<&Value> = parameters.into_iter().flatten().collect();
                let declared: BTreeSet<&str> = parameters
                    .iter()
                    .filter(|it| it["in"] == "path" && it["required"] == true)
                    .map(|it| it["name"].as_str().unwrap())
                    .collect();
                assert_eq!(declared, named, "{route}");
                let all: BTreeSet<String> =
                    parameters.iter().map(|it| format!("{} {}", it["in"], it["name"])).collect();
                assert_eq!(all.len(), parameters.len(), "{route}: each parameter once");
                let responses = operation["responses"].as_object().unwrap();
                assert!(responses.keys().any(|it| it.as_str() < "400"), "{route}");
                assert!(responses.values().all(|it| it["description"].is_string()), "{route}");
                for proof in operation["security"].as_array().unwrap() {
                    assert!(proof.as_object().unwrap().keys().all(|it| schemes.contains_key(it)));
                }
            }
        }
        assert!(ids.len() > 45, "{}", ids.len());
    }

    #[test]
    fn no_two_schemas_go_by_one_name() {
        let document: Value = serde_json::from_str(&document(&routes::list())).unwrap();
        // The second of a name gets a number.
        let numbered = |it: &&String| {
            it.strip_suffix(TAKEN).unwrap_or(it).ends_with(|it: char| it.is_ascii_digit())
        };
        let schemas = document["components"]["schemas"].as_object().unwrap();
        assert_eq!(schemas.keys().filter(numbered).collect::<Vec<_>>(), Vec::<&String>::new());
    }

    #[test]
    fn schemas_of_requests_are_named_apart() {
        let document: Value = serde_json::from_str(&document(&routes::list())).unwrap();
        let schemas = &document["components"]["schemas"];
        let body = &document["paths"]["/api/rooms"]["post"]["requestBody"]["content"];
        assert_eq!(body["application/json"]["schema"]["$ref"], "#/components/schemas/NewRoomIn");
        assert_eq!(schemas["NewRoomIn"]["required"], json!(["channel"]));
        assert!(schemas["RoomCard"]["required"].as_array().unwrap().len() > 8);
    }
}
