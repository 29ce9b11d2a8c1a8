//! A body as a type. JSON only with its content type, so that no form of another site passes for it.

use axum::{
    Form, Json,
    extract::{
        FromRequest, Request,
        rejection::{FormRejection, JsonRejection},
    },
    http::header,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::{Map, Value, value::RawValue};

use super::{ApiError, AppState};

/// That.
pub struct JsonOf<T>(
    /// What was sent.
    pub T,
);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonOf<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let read: Result<Json<Box<RawValue>>, JsonRejection> =
            Json::from_request(request, state).await;
        let Json(raw) = read?;
        // Serde also takes a list for a struct, member by member: nobody means that.
        if !raw.get().starts_with('{') {
            return Err(ApiError::BadRequest("the body is no object".to_owned()));
        }
        read_object(raw.get()).map(Self).map_err(ApiError::BadRequest)
    }
}

/// A text of JSON as a type.
///
/// # Errors
/// What is wrong with it, behind the place (a JSON pointer) unless that is the whole.
fn read_object<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let place: String = error.path().iter().map(|it| format!("/{it}")).collect();
        let place = place.replace(['[', ']'], "");
        let why = error.inner().to_string();
        // Nobody counts columns of a text that a program wrote.
        let why = why.rsplit_once(" at line ").map_or(why.as_str(), |it| it.0);
        if place.is_empty() { why.to_owned() } else { format!("{place}: {why}") }
    })
}

/// A member that is an object, and no list of its members' values.
///
/// # Errors
/// When it is something else, or does not fit.
pub(super) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<T, D::Error> {
    let members = Map::<String, Value>::deserialize(from)?;
    serde_json::from_value(Value::Object(members)).map_err(D::Error::custom)
}

/// What the form of a page sends.
pub struct FormOf<T>(
    /// What was sent.
    pub T,
);

impl<T: DeserializeOwned> FromRequest<AppState> for FormOf<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let read: Result<Form<T>, FormRejection> = Form::from_request(request, state).await;
        Ok(Self(read?.0))
    }
}

/// A body of JSON, or what the form of a page sends: the page works without a script.
pub struct FormOrJson<T> {
    /// What was sent.
    pub sent: T,
    /// Whether a page is to be answered.
    pub is_form: bool,
}

impl<T: DeserializeOwned> FromRequest<AppState> for FormOrJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let is_form = kind.is_some_and(|it| it.starts_with("application/x-www-form-urlencoded"));
        if !is_form {
            let JsonOf(sent) = JsonOf::from_request(request, state).await?;
            return Ok(Self { sent, is_form });
        }
        let FormOf(sent) = FormOf::from_request(request, state).await?;
        Ok(Self { sent, is_form })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{boards::NewTally, model::QualifiedId};

    #[derive(Debug, Deserialize)]
    struct Vote {
        #[expect(dead_code, reason = "it is read, and that is all")]
        voters: Vec<QualifiedId>,
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        let why = |text: &str| read_object::<NewTally>(text).unwrap_err();
        assert_eq!(why("{}"), "missing field `label`");
        assert_eq!(
            why(r#"{"label": "Falls", "aggregation": "weekly"}"#),
            r#"/aggregation: invalid type: string "weekly", expected an object such as {"type": "weekly"}"#
        );
        assert!(
            why(r#"{"label": "Falls", "feed": "follow"}"#).starts_with("/feed: unknown variant")
        );
        assert_eq!(
            read_object::<Vote>(r#"{"voters": ["twitch:1", "mira"]}"#).unwrap_err(),
            "/voters/1: `mira` is not a platform-qualified id such as `twitch:1234`"
        );
    }
}
