//! Scripts, styles, pictures and themes of our own: in the binary, and in folders that may override it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use axum::{
    body::Body,
    extract::{Path as UrlPath, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use rust_embed::{Embed, EmbeddedFile};
use sha2::{Digest, Sha256};

use super::{
    ApiError, AppState,
    access::{self, Visitor},
    query::Query,
};
use crate::model::Timestamp;

#[derive(Embed)]
#[folder = "static"]
struct StaticFiles;

#[derive(Embed)]
#[folder = "themes"]
struct ThemeFiles;

/// The demo room's recording.
///
/// # Panics
/// Never in a binary that was built whole.
#[must_use]
pub fn demo_recording() -> String {
    let file = StaticFiles::get("demo/demo.jsonl").expect("the recording is in the binary");
    String::from_utf8(file.data.into_owned()).expect("a test reads it as text")
}

/// Which folder an asset is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// `static/`
    Static,
    /// `themes/`
    Themes,
}

impl Folder {
    const fn name(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Themes => "themes",
        }
    }

    fn embedded(self, path: &str) -> Option<EmbeddedFile> {
        match self {
            Self::Static => StaticFiles::get(path),
            Self::Themes => ThemeFiles::get(path),
        }
    }
}

/// Where assets come from.
pub struct Assets {
    /// The folder beside the configuration, whose `static/` and `themes/` win over the binary's.
    beside: PathBuf,
}

/// An asset, ready to be sent.
#[derive(Clone)]
pub struct Asset {
    bytes: Bytes,
    etag: String,
    kind: String,
}

impl Assets {
    /// `config` is the configuration's folder; what stands beside it wins over the binary.
    #[must_use]
    pub fn new(config: &Path) -> Self {
        let beside = std::path::absolute(config).ok();
        let beside = beside.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
        Self { beside: beside.to_owned() }
    }

    /// The folder in which `static/` and `themes/` may stand.
    pub fn beside(&self) -> &Path {
        &self.beside
    }

    /// The names of all themes, and whether each is a folder that is not in the binary. Blocking.
    pub fn list_themes(&self) -> BTreeMap<String, bool> {
        let built_in = ThemeFiles::iter().filter_map(|it| {
            let (name, file) = it.split_once('/')?;
            (file == "theme.css").then(|| (name.to_owned(), false))
        });
        let mut themes: BTreeMap<_, _> = built_in.collect();
        let folders = std::fs::read_dir(self.beside.join("themes")).into_iter().flatten();
        for folder in folders.flatten().filter(|it| it.path().join("theme.css").is_file()) {
            let name = folder.file_name().to_string_lossy().into_owned();
            themes.entry(name).or_insert(true);
        }
        themes
    }

    /// The bytes of the asset at `path`. Blocking.
    pub fn read_now(&self, folder: Folder, path: &str) -> Option<Bytes> {
        if !is_plain(path) {
            return None;
        }
        let file = self.beside.join(folder.name()).join(path);
        let is_file = std::fs::symlink_metadata(&file).is_ok_and(|it| it.is_file());
        if let Some(bytes) = is_file.then(|| std::fs::read(file).ok()).flatten() {
            return Some(bytes.into());
        }
        folder.embedded(path).map(|it| it.data.into_owned().into())
    }

    /// The asset at `path`, whose segments stand between slashes.
    pub async fn find(&self, folder: Folder, path: &str) -> Option<Asset> {
        if !is_plain(path) {
            return None;
        }
        let kind = kind_of(path);
        if let Some(bytes) = read_file(&self.beside.join(folder.name()).join(path)).await {
            let etag = etag(&Sha256::digest(&bytes));
            return Some(Asset { bytes: bytes.into(), etag, kind });
        }
        let file = folder.embedded(path)?;
        let etag = etag(&file.metadata.sha256_hash());
        let bytes = match file.data {
            std::borrow::Cow::Borrowed(it) => Bytes::from_static(it),
            std::borrow::Cow::Owned(it) => it.into(),
        };
        Some(Asset { bytes, etag, kind })
    }

    /// `name`, or `default` when there is no theme of that name.
    pub async fn theme_or_default(&self, name: &str) -> String {
        let known = !name.contains('/')
            && self.find(Folder::Themes, &format!("{name}/theme.css")).await.is_some();
        if known { name.to_owned() } else { "default".to_owned() }
    }
}

/// The bytes of a plain file. What merely has a name, such as a Windows device, is never opened.
async fn read_file(path: &Path) -> Option<Vec<u8>> {
    let is_file = tokio::fs::symlink_metadata(path).await.is_ok_and(|it| it.is_file());
    if is_file { tokio::fs::read(path).await.ok() } else { None }
}

/// Whether every segment of a path is the plain name of a file or folder.
fn is_plain(path: &str) -> bool {
    path.split('/').all(|it| {
        !it.is_empty()
            && !it.starts_with('.')
            && !it.contains(['\\', ':', '\0'])
            && !it.ends_with('.')
    })
}

fn kind_of(path: &str) -> String {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    match (kind.type_().as_str(), kind.subtype().as_str()) {
        ("text", _) | ("application", "json" | "javascript") => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    }
}

fn etag(hash: &[u8]) -> String {
    let hex: String = hash[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

impl Asset {
    /// A JSON document made here.
    pub fn json(bytes: Vec<u8>) -> Self {
        let etag = etag(&Sha256::digest(&bytes));
        Self { bytes: bytes.into(), etag, kind: "application/json".to_owned() }
    }

    /// A stylesheet made here.
    pub fn css(text: String) -> Self {
        let etag = etag(&Sha256::digest(&text));
        Self { bytes: text.into(), etag, kind: "text/css; charset=utf-8".to_owned() }
    }

    /// The answer to a request with these headers: the asset, or that the client has it already.
    pub fn answer(self, request: &HeaderMap) -> Response {
        let known = request.get(header::IF_NONE_MATCH).and_then(|it| it.to_str().ok());
        let etag = HeaderValue::from_str(&self.etag).unwrap_or(HeaderValue::from_static("\"\""));
        let headers = [
            (header::ETAG, etag),
            // Asked for again each time, answered with 304: a new version is seen at once.
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        // A proxy that compresses weakens the tag with `W/`.
        if known.is_some_and(|it| {
            it.split(',').any(|it| it.trim().trim_start_matches("W/") == self.etag)
        }) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, [(header::CONTENT_TYPE, self.kind)], Body::from(self.bytes)).into_response()
    }
}

/// `GET /static/{path}`
///
/// # Errors
/// 404.
pub async fn read_static(
    State(state): State<AppState>,
    UrlPath(path): UrlPath<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let asset = state.assets.find(Folder::Static, &path).await;
    Ok(asset.ok_or(ApiError::NotFound("file"))?.answer(&headers))
}

/// Whose theme is asked for.
#[derive(serde::Deserialize)]
pub struct ThemeQuery {
    room: Option<String>,
    key: Option<String>,
    /// Made of the key, for stylesheets alone.
    sheet: Option<String>,
}

/// `GET /themes/{path}`, and `/themes/{name}/theme.css?room=NAME` for a theme that a room may have of its own.
///
/// # Errors
/// 404; 403 for a theme of a room that needs its key.
pub async fn read_theme(
    State(state): State<AppState>,
    UrlPath(path): UrlPath<String>,
    Query(query): Query<ThemeQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    if let (Some(name), Some(room)) = (path.strip_suffix("/theme.css"), &query.room)
        && let Some(room) = state.hub.find_room(room)
        && let Some(asset) = state.looks.own_stylesheet(room.id(), name)
    {
        let now = Timestamp::now();
        let is_let_in = |it: &String| state.keys.opens_stylesheets(room.id(), it, now);
        if !query.sheet.as_ref().is_some_and(is_let_in) {
            access::may_read(&state, &visitor, room.id(), query.key.as_deref())?;
        }
        return Ok(asset.answer(&visitor.headers));
    }
    let asset = state.assets.find(Folder::Themes, &path).await;
    Ok(asset.ok_or(ApiError::NotFound("file"))?.answer(&visitor.headers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_themes_that_the_configuration_knows_are_those_in_the_program() {
        let root = tempfile::tempdir().unwrap();
        let themes = Assets::new(&root.path().join("config")).list_themes();
        let names: Vec<&str> = themes.keys().map(String::as_str).collect();
        assert_eq!(names, crate::model::overlay_settings::BUILT_IN_THEMES);
    }

    #[tokio::test]
    async fn a_folder_beside_the_configuration_wins_and_nothing_leads_out_of_it() {
        let root = tempfile::tempdir().unwrap();
        let theme = root.path().join("themes/mine");
        std::fs::create_dir_all(&theme).unwrap();
        std::fs::write(theme.join("theme.css"), "mine").unwrap();
        std::fs::write(root.path().join("secret.txt"), "secret").unwrap();
        let assets = Assets::new(&root.path().join("config"));
        assert_eq!(assets.find(Folder::Themes, "mine/theme.css").await.unwrap().bytes, "mine");
        assert_eq!(assets.theme_or_default("mine").await, "mine");
        assert_eq!(assets.theme_or_default("none").await, "default");
        assert!(assets.find(Folder::Static, "js/feed.js").await.is_some());
        for bad in
            ["../secret.txt", "mine/../../secret.txt", "..\\secret.txt", "/etc/passwd", ".env", ""]
        {
            assert!(assets.find(Folder::Themes, bad).await.is_none(), "{bad:?}");
        }
    }
}
