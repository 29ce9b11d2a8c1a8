//! Everything a browser, an overlay or a script talks to.

pub mod accept;
pub mod access;
pub mod admin;
pub mod api;
pub mod assets;
pub mod auth;
pub mod caller;
pub mod cookies;
pub mod doors;
pub mod error;
mod exported;
pub mod gate;
mod json_body;
pub mod looks;
pub mod media;
pub mod openapi;
pub mod operation;
pub mod operator;
pub mod origin;
pub mod overlay_keys;
pub mod pages;
pub mod pictures;
pub mod query;
pub mod rates;
pub mod router;
pub mod routes;
pub mod sse;
pub mod state;
mod webhooks;
pub mod ws;

pub use error::ApiError;
pub use state::AppState;
