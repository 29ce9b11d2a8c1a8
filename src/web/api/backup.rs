//! `/api/backup` and `/api/restore`: the feed log and what belongs to it, out and in, while the server runs.

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, future::BoxFuture, stream};
use serde_json::json;
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt},
};

use crate::{
    model::Timestamp,
    storage::{Belongings, Records, StorageError, open_private},
    telemetry::Severity,
    web::{ApiError, AppState, caller::OperatorOnly},
};

/// Read and written at once (bytes).
const CHUNK: usize = 256 * 1024;

/// What a copy carries besides the feed log: accounts, how rooms look, channels that were typed, what workers learnt.
pub struct Carried {
    /// What of it there is now. Takes no time.
    pub gather: Box<dyn Fn() -> Result<(Belongings, Records), StorageError> + Send + Sync>,
    /// Takes it over from the copy that is in place.
    pub take_over: Box<dyn Fn() -> BoxFuture<'static, Result<(), StorageError>> + Send + Sync>,
}

/// A file of ours in the data folder that goes when it is let go.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(state: &AppState, what: &str) -> Self {
        let chance = rand::random::<u32>();
        Self(state.data_dir.join(format!("{what}.{chance:08x}.part")))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It may be in its place by now.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// `GET /api/backup`: a copy of the feed log, one moment of it, with the small state and the typed channels, as a file
/// that `restore` takes.
///
/// Only the operator may.
///
/// # Errors
/// 401 and 403 for others, 409 where nothing is recorded, 503 while the log cannot be read.
pub async fn download_backup(
    State(state): State<AppState>,
    _operator: OperatorOnly,
) -> Result<Response, ApiError> {
    if !state.hub.log().is_kept() {
        return Err(ApiError::Conflict("nothing is recorded here".to_owned()));
    }
    let name = format!("attachment; filename=\"streamsuites-{}.redb\"", Timestamp::now().compact());
    // The copy is made when the answer has begun: it may take longer than an answer may.
    enum Step {
        Copy(AppState),
        Read(File, Scratch),
    }
    let chunks = stream::try_unfold(Step::Copy(state), |step| async move {
        let (mut file, scratch) = match step {
            Step::Copy(state) => {
                let scratch = Scratch::new(&state, "backup");
                let gathered = (state.carried.gather)().map_err(std::io::Error::other);
                let (belongings, records) = gathered?;
                let copied = state.hub.log().back_up(scratch.0.clone(), belongings, Some(records));
                let copied = copied.await;
                let events = copied.map_err(std::io::Error::other)?;
                tracing::info!(events, "the feed log was copied");
                state.telemetry.recent.event(Severity::Info, "feed", "the feed log was copied");
                (File::open(&scratch.0).await?, scratch)
            }
            Step::Read(file, scratch) => (file, scratch),
        };
        let mut chunk = Vec::with_capacity(CHUNK);
        let count = (&mut file).take(CHUNK as u64).read_to_end(&mut chunk).await?;
        let next = (Bytes::from(chunk), Step::Read(file, scratch));
        Ok::<_, std::io::Error>((count > 0).then_some(next))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_DISPOSITION, name.as_str()),
    ];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

/// `POST /api/restore`: puts the copy in the body in the place of the feed log. The one in use is moved aside,
/// and every room goes on behind what the copy holds, and looks as it did then. A copy of an older version, which has
/// no looks and channels, leaves them as they are.
///
/// `{"success":true,"rooms":N}`. Only the operator may.
///
/// # Errors
/// 401 and 403 for others, 400 for anything that is no feed log, which changes nothing, 409 where nothing is
/// recorded.
pub async fn upload_backup(
    State(state): State<AppState>,
    _operator: OperatorOnly,
    body: Body,
) -> Result<Response, ApiError> {
    let scratch = Scratch::new(&state, "restore");
    let path = scratch.0.clone();
    let opened = tokio::task::spawn_blocking(move || open_private(&path, true)).await;
    let mut file = File::from_std(opened.map_err(std::io::Error::other)??);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::BadRequest("the copy is cut short".to_owned()))?;
        file.write_all(&chunk).await?;
    }
    file.sync_all().await?;
    drop(file);
    // Said once the body is in: who still sends does not listen.
    if !state.hub.log().is_kept() {
        return Err(ApiError::Conflict(
            "nothing is recorded here now: stop the server, restore, and start it again".to_owned(),
        ));
    }
    // A task of its own: once begun it goes through, whether somebody still waits for the answer or not.
    let restoring = state.life.spawn({
        let state = state.clone();
        async move {
            let restored = state.hub.log().restore(scratch.0.clone()).await;
            restored.map_err(|error| match error {
                StorageError::Io(error) => ApiError::Internal(error),
                other => ApiError::BadRequest(format!("the copy cannot be used: {other}")),
            })?;
            let message = "the feed log was restored from a copy";
            tracing::warn!("{message}");
            state.telemetry.recent.event(Severity::Warning, "feed", message);
            let taken_over = (state.carried.take_over)().await;
            state.hub.reopen_recorded();
            taken_over.map_err(|error| {
                tracing::error!(%error, "what the copy carries cannot be taken over yet");
                ApiError::NotNow(
                    "the recordings are in place; accounts, looks and typed channels follow with the next start of the \
                     server, the disk does not take them now",
                )
            })
        }
    });
    restoring.await.map_err(|it| ApiError::Internal(std::io::Error::other(it)))??;
    Ok(Json(json!({ "success": true, "rooms": state.hub.list_rooms().len() })).into_response())
}
