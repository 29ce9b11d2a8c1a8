//! Queries as people write them: a parameter given twice counts once, unknown ones are ignored.

use std::collections::BTreeMap;

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::de::DeserializeOwned;

use super::ApiError;

/// A query whose values are all text; the last of several with one name wins, so that no address saved in
/// OBS ever fails over it.
pub struct Query<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let values: BTreeMap<_, _> = pairs.into_owned().collect();
        let read = serde_json::to_value(values).and_then(serde_json::from_value);
        read.map(Self).map_err(|it| ApiError::BadRequest(it.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Wanted {
        theme: Option<String>,
        key: Option<String>,
    }

    #[tokio::test]
    async fn the_last_of_several_wins_and_the_unknown_is_ignored() {
        let (mut parts, ()) =
            Request::get("/?theme=a&x=%zz&theme=b%20c&bare").body(()).unwrap().into_parts();
        let Query(read) = Query::<Wanted>::from_request_parts(&mut parts, &()).await.unwrap();
        assert_eq!(read, Wanted { theme: Some("b c".to_owned()), key: None });
    }
}
