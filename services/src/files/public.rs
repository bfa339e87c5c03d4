//! Names that must lead to the public Internet.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Whether an address belongs to the public Internet: not to this machine, a private or link-local network, a cloud's own
/// services, or a range without any host (IANA IPv4 and IPv6 Special-Purpose Address Registries).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let special = matches!(
        (first, second, third),
        (0 | 10 | 127, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224.., _, _)
    );
    // Azure's own agent answers here, whatever the network (Microsoft Learn, "What is IP address 168.63.129.16?").
    let azure = address == Ipv4Addr::new(168, 63, 129, 16);
    !special && !azure
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // IPv4 in another dress: mapped, compatible (with ::1 and ::), translated (NAT64), 6to4.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => embedded(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        // Of what is left only 2000::/3 is in use; Teredo, benchmarking, documentation and the local NAT64 range are not for hosts.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// The operating system's resolver, which gives an error for a name with any address that is not public. The client connects
/// to the addresses that come from here and to no others, so what was checked is what is called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver;

/// The name leads into a network that is not public.
#[derive(Debug, thiserror::Error)]
#[error("the name resolves to an address that is not public")]
struct NotPublic;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !found.iter().all(|address| is_public(address.ip())) {
                return Err(NotPublic.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether a request failed because of [`Resolver`]'s verdict.
pub(super) fn was_refused(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if error.is::<NotPublic>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        let is_public = |address: &str| is_public(address.parse().expect("an address"));
        let public = "8.8.8.8 13.107.136.10 100.63.255.255 172.15.0.1 2603:1030::1 2a00:1450::1
            ::ffff:8.8.8.8 64:ff9b::8.8.8.8";
        for address in public.split_whitespace() {
            assert!(is_public(address), "{address}");
        }
        let others = "0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.255.255.254 168.63.129.16
            169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.170 192.168.1.1 198.18.0.1 224.0.0.1
            255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1
            64:ff9b::10.0.0.1 64:ff9b:1::8.8.8.8 2002:7f00:1:: 2001::1 2001:db8::1 fc00::1
            fd00:ec2::254 fe80::1 fec0::1 ff02::1";
        for address in others.split_whitespace() {
            assert!(!is_public(address), "{address}");
        }
    }
}
