//! Which address answers what, and what holds for every answer.

use std::{any::Any, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, MatchedPath, Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    cors::{AllowOrigin, CorsLayer},
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
};

use super::{
    ApiError, AppState,
    api::{
        backup, beacon, channels, events, messages, operations, pronouns, queue, rooms, schemas,
        sessions, settings, synthetic, themes,
    },
    assets,
    pages::{chat, dashboard, home, missing, overlay, replay},
    pictures, sse, webhooks,
    ws::upgrade,
};

/// Every address of the server.
pub fn router(state: AppState) -> Router {
    let web = state.config.borrow().system.web.clone();
    let origins: Vec<HeaderValue> =
        web.cors_origins.iter().filter_map(|it| HeaderValue::from_str(it.as_str()).ok()).collect();
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_MATCH])
        // What `If-Match` is made of.
        .expose_headers([header::ETAG])
        .allow_credentials(true);
    let api = Router::new()
        .route("/api/rooms", get(rooms::list_rooms).post(rooms::add_room))
        .route("/api/rooms/{room}", get(rooms::find_room).delete(rooms::remove_room))
        .route("/api/rooms/{room}/channels/{platform}/{name}", delete(channels::remove_channel))
        .route("/api/rooms/{room}/events", get(events::list_events))
        .route("/api/rooms/{room}/pronouns", get(pronouns::list_pronouns))
        .route(
            "/api/rooms/{room}/messages",
            get(messages::list_messages).post(messages::send_message),
        )
        .route("/api/rooms/{room}/sessions", get(sessions::list_sessions))
        .route("/api/rooms/{room}/sessions/{id}", get(sessions::find_session))
        .route("/api/rooms/{room}/queue", get(queue::list_queue).post(queue::add_to_queue))
        .route("/api/rooms/{room}/queue/order", post(queue::order_queue))
        .route(
            "/api/rooms/{room}/queue/{id}",
            get(queue::find_queued).patch(queue::move_queued).delete(queue::remove_queued),
        )
        .route("/api/rooms/{room}/feature", post(queue::feature).delete(queue::clear_feature))
        .route("/api/rooms/{room}/synthetic", post(synthetic::post_synthetic))
        .route(
            "/api/settings",
            get(settings::show_settings)
                .put(settings::change_settings)
                .post(settings::change_settings),
        )
        .route("/api/themes", get(themes::list_themes).post(themes::add_theme))
        .route(
            "/api/themes/{name}",
            get(themes::find_theme).put(themes::change_theme).delete(themes::remove_theme),
        )
        .route("/api/health", get(operations::show_health))
        .route("/sse/{room}", get(sse::stream_events))
        .layer(cors);

    Router::new()
        .merge(api)
        .route("/", get(home::show_home))
        .route("/dashboard", get(dashboard::show_dashboard))
        .route("/auth/operator", get(home::sign_in))
        .route("/overlay/{room}", get(overlay::show_overlay))
        .route("/overlay/{room}/loader.html", get(overlay::download_loader))
        .route("/overlay/{room}/", get(overlay::show_overlay))
        .route("/chat/{room}", get(chat::show_chat))
        .route("/chat/{room}/", get(chat::show_chat))
        .route("/replay/{room}", get(replay::show_newest))
        .route("/replay/{room}/", get(replay::show_newest))
        .route("/replay/{room}/{session}", get(replay::show_session))
        .route("/api/backup", get(backup::download_backup))
        .route("/api/restore", post(backup::upload_backup))
        .route(
            "/api/rooms/{room}/beacon",
            post(beacon::take_beacon).layer(DefaultBodyLimit::max(beacon::MOST_BYTES)),
        )
        .route("/livechat", get(chat::show_live_chat))
        .route("/ws/{room}", get(upgrade::open_socket))
        .route("/static/{*path}", get(assets::read_static))
        .route("/themes/{*path}", get(assets::read_theme))
        .route("/media/{*path}", get(pictures::read_picture))
        .route("/exports/{*path}", get(read_export))
        .route("/schemas/{*path}", get(schemas::read_schema))
        .route("/webhooks/kick", webhooks::kick())
        .route("/healthz", get(operations::is_alive))
        .route("/readyz", get(operations::is_ready))
        .route("/metrics", get(operations::show_metrics))
        .fallback(missing::not_found)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(web.max_body_bytes as usize))
        .layer(middleware::from_fn_with_state(
            Duration::from_secs(u64::from(web.request_timeout_seconds)),
            limit_time,
        ))
        .layer(CompressionLayer::new().br(true).gzip(true))
        .layer(CatchPanicLayer::custom(on_panic))
        .layer(middleware::from_fn_with_state(state.clone(), count))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(fixed(header::X_FRAME_OPTIONS, "SAMEORIGIN"))
        .layer(fixed(
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=()",
        ))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .with_state(state)
}

/// A header on every answer that does not say otherwise.
fn fixed(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Takes a whole feed log in: as long as that takes.
const UNLIMITED: &str = "/api/restore";

/// No answer takes longer than this; what streams has answered with its head.
async fn limit_time(
    State(longest): State<Duration>,
    request: Request<Body>,
    next: Next,
) -> Result<Response, ApiError> {
    if request.uri().path() == UNLIMITED {
        return Ok(next.run(request).await);
    }
    tokio::time::timeout(longest, next.run(request)).await.map_err(|_| ApiError::TimedOut)
}

/// Counts answers. Queries are never logged: they may hold keys.
async fn count(
    State(state): State<AppState>,
    matched: Option<MatchedPath>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let method = request.method().clone();
    let id = request.headers().get("x-request-id").cloned();
    let response = next.run(request).await;
    let meters = &state.telemetry.meters;
    meters.requests.increment(1);
    let status = response.status();
    if status.is_server_error() && status.as_u16() != 503 {
        meters.request_errors.increment(1);
    }
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

/// `GET /exports/{path}`: the public exports, with ETag, for pages of any site.
///
/// # Errors
/// 404 for everything that is not public, there or not.
async fn read_export(
    State(state): State<AppState>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let file = crate::exports::find_public(&state.exports_dir, &path);
    let file = file.ok_or(ApiError::NotFound("export"))?;
    let bytes = match tokio::fs::read(file).await {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ApiError::NotFound("export"));
        }
        Err(error) => return Err(error.into()),
    };
    let mut response = assets::Asset::json(bytes).answer(&headers);
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}
