//! `/auth` and `/account`: how people get in, and what they do with their accounts.

pub mod address;
pub mod link;
pub mod methods;
pub mod providers;
mod provider_routes;
mod notice;
pub mod own_account;
pub mod password;
pub mod routes;
pub mod session;
pub mod sessions;
pub mod sign_in;
pub mod sign_up;
pub mod surfaces;
pub mod tokens;
pub mod user;
pub mod verify;
