//! Which addresses are of the public internet, and which of somebody's own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address may be reached by everybody: not this machine, not its network, and nothing set aside.
#[must_use]
pub fn is_public_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => is_public_v4(it),
        IpAddr::V6(it) => match find_v4(it) {
            Some(it) => is_public_v4(it),
            None => is_public_v6(it),
        },
    }
}

fn is_public_v4(it: Ipv4Addr) -> bool {
    let [a, b, c, _] = it.octets();
    !(a == 0 // "this network"
        || it.is_private()
        || it.is_loopback()
        || it.is_link_local()
        || (a == 100 && (64..128).contains(&b)) // behind a provider's translation
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 198 && (b == 18 || b == 19)) // benchmarks
        || it.is_documentation()
        || a >= 224) // multicast and what is set aside, the broadcast included
}

fn is_public_v6(it: Ipv6Addr) -> bool {
    let [first, second, ..] = it.segments();
    // Only 2000::/3 is given out; of it, some is for documents and tests.
    first & 0xe000 == 0x2000 && !(first == 0x2001 && (second < 0x200 || second == 0xdb8))
}

/// The older address that one carries: mapped, compatible, or by way of a translator.
fn find_v4(it: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = it.segments();
    let older = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match (a, b) {
        (0x64, 0xff9b) => Some(older(high, low)),
        (0x2002, _) => Some(older(b, c)),
        _ if [a, b, c, d, e] == [0; 5] && (f == 0xffff || f == 0) => Some(older(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_ones_own_are_told_from_the_internet() {
        let is_public = |it: &str| is_public_address(it.parse().unwrap());
        for it in ["1.1.1.1", "172.15.0.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(is_public(it), "{it}");
        }
        for it in [
            "0.0.0.0",
            "127.8.9.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.9.9",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.9",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(it), "{it}");
        }
    }
}
