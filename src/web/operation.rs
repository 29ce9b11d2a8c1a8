//! What is told about a route: who may, what it takes, what it answers. `/api/openapi.json` is made of it, and a test
//! holds it against the server.

use std::sync::Arc;

use axum::routing::MethodFilter;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::gate::{Waits, is_counted};

/// A method of HTTP. `Get` answers HEAD as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    /// As a request has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    pub(super) const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// Who may. The handler sees to it; what it says here is told to people, and held against the server by a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Anyone,
    /// A platform, which signs what it delivers.
    Signed,
    /// Whoever may see which rooms there are: everybody while rooms are open, otherwise the operator, and owners of theirs.
    Lister,
    /// Whoever may read the room: everybody while rooms are open, otherwise the holder of its key, and whoever may do
    /// something in it: its moderators, its creator and the operator.
    Reader,
    /// Whoever is signed in with an account.
    Account,
    /// Whoever is signed in with a browser: no API token will do.
    Session,
    /// The room's moderators, its creator and the operator.
    Moderator,
    /// The room's creator and the operator.
    Creator,
    /// The operator.
    Operator,
    /// The operator, and whatever runs on this machine.
    Monitor,
    /// This machine alone.
    Local,
}

impl Access {
    /// In a sentence.
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Anyone => "Anybody may.",
            Self::Signed => "For a platform, which signs what it delivers.",
            Self::Lister => {
                "Anybody may while rooms are open; otherwise the operator, and whoever is signed in, of rooms of their own."
            }
            Self::Reader => {
                "Anybody may while rooms are open, otherwise the holder of the room's overlay key, its moderators, its creator and the operator."
            }
            Self::Account => "For whoever is signed in.",
            Self::Session => "For whoever is signed in with a browser.",
            Self::Moderator => "For the room's moderators, its creator and the operator.",
            Self::Creator => "For the room's creator and the operator.",
            Self::Operator => "For the operator.",
            Self::Monitor => "For the operator, and for programs on the server's own machine.",
            Self::Local => "For programs on the server's own machine.",
        }
    }

    /// The ways to prove it, by their names in the document; the empty name is nothing at all.
    pub(super) const fn proofs(self) -> &'static [&'static str] {
        match self {
            Self::Anyone | Self::Signed | Self::Local => &[""],
            Self::Lister => &["", "operatorToken", "session", "apiToken"],
            Self::Monitor => &["", "operatorToken", "session"],
            Self::Reader => &["", "overlayKey", "operatorToken", "session", "apiToken"],
            Self::Account => &["session", "apiToken"],
            Self::Session => &["session"],
            Self::Moderator | Self::Creator => &["session", "apiToken", "operatorToken"],
            Self::Operator => &["operatorToken", "session"],
        }
    }

    /// How those are answered who may not.
    pub(super) const fn refusals(self) -> &'static [u16] {
        match self {
            Self::Anyone => &[],
            Self::Lister => &[401],
            Self::Reader | Self::Signed | Self::Monitor | Self::Local => &[403],
            Self::Account | Self::Session | Self::Moderator | Self::Creator | Self::Operator => {
                &[401, 403]
            }
        }
    }
}

/// Makes a JSON Schema.
type Make = dyn Fn(&mut SchemaGenerator) -> Schema + Send + Sync;

/// A JSON Schema, from a Rust type where there is one.
#[derive(Clone)]
pub struct Shape(Arc<Make>);

impl Shape {
    /// What serde makes of the type.
    #[must_use]
    pub fn of<T: JsonSchema>() -> Self {
        Self(Arc::new(|generator| generator.subschema_for::<T>()))
    }

    /// What serde makes of the type, but for something that the handler sees to.
    #[must_use]
    pub fn changed<T: JsonSchema>(change: fn(&mut Schema)) -> Self {
        Self(Arc::new(move |generator| {
            let mut schema = T::json_schema(generator);
            change(&mut schema);
            schema
        }))
    }

    /// `{"name": …}`
    #[must_use]
    pub fn member(name: &'static str, inner: Self) -> Self {
        Self(Arc::new(move |generator| {
            let inner = inner.make(generator);
            json_schema!({"type": "object", "properties": {name: inner}, "required": [name]})
        }))
    }

    /// One shape and another, both of an object.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(Arc::new(
            move |generator| json_schema!({"allOf": [self.make(generator), other.make(generator)]}),
        ))
    }

    /// Written down as it is.
    #[must_use]
    pub fn literal(schema: Value) -> Self {
        let object: Map<String, Value> = match schema {
            Value::Object(it) => it,
            _ => Map::new(),
        };
        Self(Arc::new(move |_| object.clone().into()))
    }

    /// A text of any kind.
    #[must_use]
    pub fn text() -> Self {
        Self::literal(json!({"type": "string"}))
    }

    pub(super) fn make(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.0)(generator)
    }
}

/// A parameter beside the path.
#[derive(Clone)]
pub(super) struct Parameter {
    /// `query` or `header`.
    pub(super) place: &'static str,
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) about: &'static str,
    pub(super) required: bool,
    /// Whether a wrong value is refused; otherwise it counts as none.
    pub(super) checked: bool,
}

/// What a route's answers are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// Programs: failures are `application/problem+json`.
    Api,
    /// People: failures are pages, and who must sign in is shown the way in.
    Page,
}

/// What is told about a route.
#[derive(Clone)]
pub struct Doc {
    pub(super) access: Access,
    pub(super) surface: Surface,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) path: Vec<(&'static str, Shape)>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<(&'static str, Shape)>,
    /// Whether a form may send the same.
    pub(super) also_form: bool,
    pub(super) answers: Vec<(u16, Option<(&'static str, Shape)>)>,
    pub(super) fails: Vec<u16>,
    pub(super) cors: bool,
    pub(super) most_bytes: Option<usize>,
    pub(super) timed: bool,
    pub(super) listed: bool,
    /// Whether it makes or changes accounts, though whoever asks needs none.
    pub(super) changes_accounts: bool,
}

impl Doc {
    /// A call of a program.
    ///
    /// Told without further words: 400 for wrong parameters and bodies, 401 and 403 as `access` says, 404 for an
    /// unknown `{room}`, 413 for bodies, 500 and 503.
    #[must_use]
    pub fn api(access: Access, tag: &'static str, summary: &'static str) -> Self {
        Self {
            access,
            surface: Surface::Api,
            tag,
            summary,
            path: Vec::new(),
            parameters: Vec::new(),
            body: None,
            also_form: false,
            answers: Vec::new(),
            fails: Vec::new(),
            cors: true,
            most_bytes: None,
            timed: true,
            listed: true,
            changes_accounts: false,
        }
    }

    /// A page.
    #[must_use]
    pub fn page(access: Access, summary: &'static str) -> Self {
        let doc =
            Self { surface: Surface::Page, cors: false, ..Self::api(access, "pages", summary) };
        doc.gives(200, "text/html")
    }

    /// Files under an address.
    #[must_use]
    pub fn files(summary: &'static str, media_type: &'static str) -> Self {
        let doc = Self { cors: false, ..Self::api(Access::Anyone, "files", summary) };
        doc.gives(200, media_type).fails(&[404])
    }

    /// What `{name}` of the path may be, where its name does not say it.
    #[must_use]
    pub fn path(mut self, name: &'static str, shape: Shape) -> Self {
        self.path.push((name, shape));
        self
    }

    /// A parameter of the query, whose value is refused with 400 where it does not fit.
    #[must_use]
    pub fn query(self, name: &'static str, shape: Shape, about: &'static str) -> Self {
        let (required, checked) = (false, true);
        self.parameter(Parameter { place: "query", name, shape, about, required, checked })
    }

    /// A parameter of the query that must be there.
    #[must_use]
    pub fn needs(self, name: &'static str, shape: Shape, about: &'static str) -> Self {
        let (required, checked) = (true, true);
        self.parameter(Parameter { place: "query", name, shape, about, required, checked })
    }

    /// A parameter of the query that takes any text.
    #[must_use]
    pub fn text(self, name: &'static str, about: &'static str) -> Self {
        let (shape, required, checked) = (Shape::text(), false, false);
        self.parameter(Parameter { place: "query", name, shape, about, required, checked })
    }

    /// A header that it reads.
    #[must_use]
    pub fn header(self, name: &'static str, about: &'static str) -> Self {
        let (shape, required, checked) = (Shape::text(), false, false);
        self.parameter(Parameter { place: "header", name, shape, about, required, checked })
    }

    /// A header that must be there.
    #[must_use]
    pub fn needs_header(self, name: &'static str, about: &'static str) -> Self {
        let (shape, required, checked) = (Shape::text(), true, true);
        self.parameter(Parameter { place: "header", name, shape, about, required, checked })
    }

    fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// A JSON body.
    #[must_use]
    pub fn takes(mut self, shape: Shape) -> Self {
        self.body = Some(("application/json", shape));
        self
    }

    /// A body as a form of a page sends it.
    #[must_use]
    pub fn takes_form(mut self, shape: Shape) -> Self {
        self.body = Some(("application/x-www-form-urlencoded", shape));
        self
    }

    /// The body may also come as a form of a page sends it.
    #[must_use]
    pub const fn or_form(mut self) -> Self {
        self.also_form = true;
        self
    }

    /// A body of bytes.
    #[must_use]
    pub fn takes_bytes(mut self, media_type: &'static str) -> Self {
        self.body = Some((media_type, Shape::literal(json!({}))));
        self
    }

    /// A JSON answer.
    #[must_use]
    pub fn answers(mut self, status: u16, shape: Shape) -> Self {
        self.answers.push((status, Some(("application/json", shape))));
        self
    }

    /// An answer of another kind.
    #[must_use]
    pub fn gives(mut self, status: u16, media_type: &'static str) -> Self {
        self.answers.push((status, Some((media_type, Shape::literal(json!({}))))));
        self
    }

    /// An answer without a body.
    #[must_use]
    pub fn done(mut self, status: u16) -> Self {
        self.answers.push((status, None));
        self
    }

    /// Failures besides those that every such route knows.
    #[must_use]
    pub fn fails(mut self, statuses: &[u16]) -> Self {
        self.fails.extend(statuses);
        self
    }

    /// Pages of `web.cors_origins` may not call it.
    #[must_use]
    pub const fn own_origin(mut self) -> Self {
        self.cors = false;
        self
    }

    /// The longest body (bytes), where it is not `web.max_body_bytes`.
    #[must_use]
    pub const fn most_bytes(mut self, bytes: usize) -> Self {
        self.most_bytes = Some(bytes);
        self
    }

    /// Takes as long as it takes.
    #[must_use]
    pub const fn untimed(mut self) -> Self {
        self.timed = false;
        self
    }

    /// Makes or changes accounts, though whoever asks needs none: it waits while the server is being worked on.
    #[must_use]
    pub const fn changes_accounts(mut self) -> Self {
        self.changes_accounts = true;
        self
    }

    /// Is another spelling of a route that is told about.
    #[must_use]
    pub const fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }
}

/// A route with what is told about it.
#[derive(Clone)]
pub struct Operation {
    /// The method.
    pub verb: Verb,
    /// As the router has it: `/api/rooms/{room}`.
    pub path: &'static str,
    /// The handler's name.
    pub id: &'static str,
    /// What is told.
    pub doc: Doc,
}

impl Operation {
    /// Who may.
    #[must_use]
    pub const fn access(&self) -> Access {
        self.doc.access
    }

    /// What its answers are made for.
    #[must_use]
    pub const fn surface(&self) -> Surface {
        self.doc.surface
    }

    /// Whether the document tells of it.
    #[must_use]
    pub const fn is_listed(&self) -> bool {
        self.doc.listed
    }

    /// Whom it keeps waiting while the server is being worked on.
    pub(super) fn waits(&self) -> Waits {
        match self.doc.access {
            _ if self.doc.changes_accounts => Waits::Everybody,
            _ if self.verb == Verb::Get => Waits::Nobody,
            Access::Anyone
            | Access::Signed
            | Access::Reader
            | Access::Operator
            | Access::Monitor
            | Access::Local => Waits::Nobody,
            Access::Lister
            | Access::Account
            | Access::Session
            | Access::Moderator
            | Access::Creator => Waits::Accounts,
        }
    }

    /// The names of its path's parameters, in order.
    pub(super) fn path_names(&self) -> impl Iterator<Item = &'static str> {
        self.path
            .split('/')
            .filter_map(|it| it.strip_prefix('{')?.split('}').next())
            .map(|it| it.trim_start_matches('*'))
    }

    /// Every failure that it may answer with.
    pub(super) fn failures(&self) -> Vec<u16> {
        let mut statuses = vec![500, 503];
        statuses.extend(self.doc.access.refusals());
        statuses.extend(&self.doc.fails);
        if is_counted(self.path) {
            statuses.push(429);
        }
        if self.path_names().next().is_some() || self.doc.parameters.iter().any(|it| it.checked) {
            statuses.push(400);
        }
        if self
            .path_names()
            .chain(self.doc.parameters.iter().map(|it| it.name))
            .any(|it| it == "room")
        {
            statuses.push(404);
        }
        if self.doc.body.is_some() {
            statuses.extend([400, 413]);
        }
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }
}
