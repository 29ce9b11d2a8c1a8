//! What holds for every answer. The addresses are in `routes.rs`.

use std::{
    any::Any,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower::util::option_layer;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    cors::{AllowOrigin, CorsLayer},
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
};

use super::{
    ApiError, AppState,
    error::tell_older_clients,
    gate, origin,
    pages::missing,
    routes::{self, Routes},
};
use crate::model::Timestamp;

/// Every address of the server, with what holds for all.
pub fn router(state: AppState) -> Router {
    let web = state.config.borrow().system.web.clone();
    // Asked each time: the configuration is followed while the server runs.
    let config = state.config.clone();
    let is_allowed =
        move |it: &HeaderValue, _: &Parts| origin::is_allowed(&config.borrow().system, it);
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_MATCH])
        .expose_headers([
            // What `If-Match` is made of.
            header::ETAG,
            header::RETRY_AFTER,
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("x-auth-reason"),
            HeaderName::from_static("x-auth-reason-enum"),
        ])
        .allow_credentials(true);
    let Routes { shared, own, operations } = routes::all();
    let times = Times {
        longest: Duration::from_secs(u64::from(web.request_timeout_seconds)),
        untimed: operations.iter().filter(|it| !it.doc.timed).map(|it| it.path).collect(),
    };
    let rules = Arc::new(gate::Rules::of(&operations));
    let guard = || middleware::from_fn_with_state((state.clone(), Arc::clone(&rules)), gate::guard);
    shared
        .route_layer(guard())
        .layer(cors)
        .merge(own.route_layer(guard()))
        .route_layer(middleware::from_fn(refuse_unreadable))
        .fallback(missing::not_found)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(web.max_body_bytes as usize))
        .layer(middleware::from_fn_with_state(Arc::new(times), limit_time))
        .layer(CatchPanicLayer::custom(on_panic))
        .layer(middleware::from_fn(tell_older_clients))
        .layer(CompressionLayer::new().br(true).gzip(true))
        .layer(middleware::from_fn_with_state(state.clone(), count))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(fixed(header::X_FRAME_OPTIONS, "SAMEORIGIN"))
        .layer(fixed(
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=()",
        ))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .layer(option_layer(
            // Who came over TLS once comes over it again; browsers heed this over TLS alone, and then for every port
            // of the host. So only where this is the host's own server.
            is_whole_host(&state.base_url)
                .then(|| fixed(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000")),
        ))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .with_state(state)
}

/// Whether an address is a host's own, over TLS: no other port of it serves something else.
fn is_whole_host(base_url: &str) -> bool {
    url::Url::parse(base_url).is_ok_and(|it| it.scheme() == "https" && it.port().is_none())
}

/// A header on every answer that does not say otherwise.
fn fixed(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// How long answers may take.
struct Times {
    longest: Duration,
    /// Paths of routes that take as long as they take.
    untimed: Vec<&'static str>,
}

/// No answer takes longer than this; what streams has answered with its head.
async fn limit_time(
    State(times): State<Arc<Times>>,
    matched: Option<MatchedPath>,
    request: Request<Body>,
    next: Next,
) -> Result<Response, ApiError> {
    if matched.is_some_and(|it| times.untimed.contains(&it.as_str())) {
        return Ok(next.run(request).await);
    }
    tokio::time::timeout(times.longest, next.run(request)).await.map_err(|_| ApiError::TimedOut)
}

/// A path whose escapes are no UTF-8 names nothing: said here, lest every handler has to.
async fn refuse_unreadable(request: Request<Body>, next: Next) -> Result<Response, ApiError> {
    if percent_encoding::percent_decode_str(request.uri().path()).decode_utf8().is_err() {
        return Err(ApiError::BadRequest("the address is not UTF-8".to_owned()));
    }
    Ok(next.run(request).await)
}

/// Methods that are told apart.
const KNOWN: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// Counts answers. Queries are never logged: they may hold keys.
async fn count(
    State(state): State<AppState>,
    matched: Option<MatchedPath>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let method = request.method().clone();
    let id = request.headers().get("x-request-id").cloned();
    let started = Instant::now();
    let response = next.run(request).await;
    let meters = &state.telemetry.meters;
    meters.requests.increment(1);
    let status = response.status();
    if status.is_server_error() && status.as_u16() != 503 {
        meters.request_errors.increment(1);
    }
    // What was asked for is not told: a path may hold names, and one that nobody made costs memory.
    let route = match &matched {
        // Whoever asks may make methods up.
        Some(it) if KNOWN.contains(&method) => format!("{method} {}", it.as_str()),
        Some(it) => format!("OTHER {}", it.as_str()),
        None => "unmatched".to_owned(),
    };
    let failed = status.is_server_error();
    state.telemetry.requests.count(&route, failed, started.elapsed(), Timestamp::now());
    tracing::debug!(
        %method, route = matched.as_ref().map_or("-", MatchedPath::as_str),
        status = status.as_u16(), request.id = id.as_ref().and_then(|it| it.to_str().ok()),
        "answered"
    );
    response
}

/// A panic in one handler is one failed request.
fn on_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    ApiError::Internal(std::io::Error::other("a handler panicked")).into_response()
}
