//! `/auth` and `/account`: how people get in, and what they do with their accounts.

pub mod cookie;
pub mod methods;
pub mod providers;
mod provider_routes;
pub mod routes;
pub mod session;
pub mod sign_in;
pub mod sign_up;
pub mod surfaces;
pub mod user;
pub mod verify;
