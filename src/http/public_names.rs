//! Names looked up so that none of them leads into somebody's own network.

use std::{io, net::SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::model::is_public_address;

/// Looks names up, and knows only those of their addresses that everybody may reach. The connection goes to what was
/// checked: a name that changes its address meanwhile gains nothing.
pub(super) struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|it| is_public_address(it.ip())).collect();
            if public.is_empty() {
                return Err(io::Error::other("the host is in a private network").into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}
