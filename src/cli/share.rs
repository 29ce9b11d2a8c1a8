//! `serve --share`: the way in for a phone on the same network.

use std::net::{Ipv4Addr, UdpSocket};

use qrcode::{QrCode, render::unicode::Dense1x2};

use super::Failure;
use crate::app::Server;

/// The address of the first room's chat on the local network, as text and as a QR code.
///
/// # Errors
/// When the server has no room, or this machine no network.
pub fn invitation(server: &Server) -> Result<String, Failure> {
    let rooms = server.hub.list_rooms();
    let Some(room) = rooms.first() else {
        return Err(Failure::new("--share needs a room: add --channel twitch:NAME or --demo"));
    };
    let address = lan_address()
        .ok_or_else(|| Failure::new("--share: this machine is on no network".to_owned()))?;
    let url = format!(
        "http://{address}:{}/chat/{}{}",
        server.address.port(),
        room.id(),
        server.key_query(room.id())
    );
    let code = QrCode::new(&url).map_err(Failure::new)?;
    let code = code.render::<Dense1x2>().quiet_zone(true).build();
    Ok(format!(
        "  on this network: {url}\n  whoever has this address can read the chat\n\n{code}\n\n"
    ))
}

/// The address by which this machine is known on its network. Nothing is sent: connecting a datagram
/// socket only asks the system which way it would go.
fn lan_address() -> Option<std::net::IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified() && !address.is_loopback()).then_some(address)
}
