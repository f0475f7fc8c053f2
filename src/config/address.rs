//! Which addresses a camera may have: private ones, written as numbers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Port of RTSP (RFC 2326), where a camera's address names none.
pub const CAMERA_PORT: u16 = 554;

const PRIVATE: [IpNet; 8] = [
    v4([10, 0, 0, 0], 8),
    v4([172, 16, 0, 0], 12),
    v4([192, 168, 0, 0], 16),
    v4([169, 254, 0, 0], 16),
    v4([127, 0, 0, 0], 8),
    v6(0xfc00, 0, 7),
    v6(0xfe80, 0, 10),
    v6(0, 1, 128),
];

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}

const fn v6(first: u16, last: u16, prefix: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(
        Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, last),
        prefix,
    ))
}

/// Every private network: RFC 1918, link-local, loopback, IPv6 unique-local.
pub const fn private_networks() -> &'static [IpNet] {
    &PRIVATE
}

/// True for an address that no packet leaves the premises for: see [`private_networks`]. An IPv4-mapped IPv6
/// address counts as its IPv4 address.
pub fn is_private(address: IpAddr) -> bool {
    let address = address.to_canonical();
    PRIVATE.iter().any(|net| net.contains(&address))
}

/// Reads a camera's address. The error is what to tell; it repeats the text only when no password can be in it.
pub(crate) fn parse_address(text: &str) -> Result<SocketAddr, String> {
    if text.contains("://") || text.contains(['@', '/']) {
        return Err("must be an IP address alone, as 192.168.10.21 or 192.168.10.21:554; the path belongs in main and sub, \
             user name and password in the file that credentials names"
            .to_owned());
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .map_or_else(
            || text.parse().ok(),
            |inner| inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        );
    let address = bare
        .map(|ip| SocketAddr::new(ip, CAMERA_PORT))
        .or_else(|| text.parse().ok())
        .ok_or_else(|| explain(text))?;
    if address.port() == 0 {
        return Err("port 0 is no port; leave it out for 554".to_owned());
    }
    let ip = address.ip().to_canonical();
    if !is_private(ip) {
        return Err(format!(
            "{ip} is a public address; cameras are reached only in private networks (10/8, 172.16/12, 192.168/16, 169.254/16, \
             127/8, fc00::/7, fe80::/10, ::1)"
        ));
    }
    Ok(SocketAddr::new(ip, address.port()))
}

fn explain(text: &str) -> String {
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
    let like_a_name = host.contains(|c: char| c.is_ascii_alphabetic()) && !host.contains(':');
    if like_a_name {
        format!(
            "{text:?} is a host name; write the camera's IP address, since a name could be made to point elsewhere and \
             a closed network need have no name service"
        )
    } else {
        format!(
            "{text:?} is not an IP address; write 192.168.10.21, 192.168.10.21:554 or [fd00::21]:554"
        )
    }
}

/// Reads a network of cameras.
pub(crate) fn parse_subnet(text: &str) -> Result<IpNet, String> {
    let Ok(net) = text.parse::<IpNet>() else {
        return Err(match text.parse::<IpAddr>() {
            Ok(ip) => format!(
                "{text:?} lacks its length; write \"{}\" for that one address",
                IpNet::from(ip)
            ),
            Err(_) => format!("{text:?} is not a network; write it as \"192.168.10.0/24\""),
        });
    };
    if net != net.trunc() {
        return Err(format!(
            "{text:?} has bits beyond its length; write \"{}\"",
            net.trunc()
        ));
    }
    if !PRIVATE.iter().any(|private| private.contains(&net)) {
        return Err(format!(
            "{net} reaches outside the private networks; cameras are reached only inside them"
        ));
    }
    Ok(net)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_is_what_stays_on_the_premises() {
        for private in [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.255.255",
            "169.254.1.1",
            "127.0.0.1",
            "::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "::ffff:192.168.1.1",
        ] {
            assert!(is_private(private.parse().expect(private)), "{private}");
        }
        for public in [
            "9.255.255.255",
            "11.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.1.1",
            "192.169.0.0",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::",
            "::2",
            "2001:db8::1",
            "fec0::1",
            "fe00::1",
            "ff02::1",
            "::ffff:8.8.8.8",
            "::192.168.1.1",
            "64:ff9b::c0a8:101",
        ] {
            assert!(!is_private(public.parse().expect(public)), "{public}");
        }
    }

    #[test]
    fn an_address_is_a_number_with_a_port_or_without() {
        for (text, want) in [
            ("192.168.10.21", "192.168.10.21:554"),
            ("192.168.10.21:8554", "192.168.10.21:8554"),
            ("fd00::21", "[fd00::21]:554"),
            ("[fd00::21]", "[fd00::21]:554"),
            ("[fd00::21]:8554", "[fd00::21]:8554"),
            ("[::ffff:192.168.10.21]:8554", "192.168.10.21:8554"),
        ] {
            assert_eq!(parse_address(text).expect(text).to_string(), want);
        }
        for (text, why) in [
            ("kamera-1.lan", "host name"),
            ("kamera-1.lan:554", "host name"),
            ("localhost", "host name"),
            ("", "not an IP"),
            ("192.168.10.256", "not an IP"),
            ("192.168.10.21:99999", "not an IP"),
            ("[192.168.10.21]", "not an IP"),
            ("192.168.10.21:0", "no port"),
            ("8.8.8.8", "public"),
            ("[2001:db8::1]:554", "public"),
            ("rtsp://manager1:salaisuus@192.168.10.21/stream1", "alone"),
        ] {
            let e = parse_address(text).expect_err(text);
            assert!(e.contains(why), "{text}: {e}");
            assert!(!e.contains("salaisuus"), "{e}");
        }
    }

    #[test]
    fn a_subnet_lies_inside_the_private_networks() {
        for good in [
            "192.168.10.0/24",
            "10.0.0.0/8",
            "fd12::/64",
            "127.0.0.0/8",
            "::1/128",
        ] {
            assert_eq!(parse_subnet(good).expect(good).to_string(), good);
        }
        for (text, why) in [
            ("192.168.10.5/24", "192.168.10.0/24"),
            ("192.168.10.5", "192.168.10.5/32"),
            ("192.0.0.0/8", "outside"),
            ("0.0.0.0/0", "outside"),
            ("::/0", "outside"),
            ("lan", "not a network"),
        ] {
            let e = parse_subnet(text).expect_err(text);
            assert!(e.contains(why), "{text}: {e}");
        }
    }
}
