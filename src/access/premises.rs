//! From where the box may be used at all: networks of the premises.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

/// The networks of the premises. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Premises(Arc<[IpNet]>);

impl Premises {
    /// These networks.
    pub fn new(networks: impl Into<Arc<[IpNet]>>) -> Self {
        Self(networks.into())
    }

    /// True when `address` lies on the premises. The box itself always does, so that a wrong list can be mended at the
    /// console.
    pub fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || self.0.iter().any(|net| net.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_box_itself_and_the_listed_networks_are_on_the_premises() {
        let networks: Vec<IpNet> = ["192.168.10.0/24", "fd00::/64"]
            .map(|net| net.parse().expect("network"))
            .into();
        let premises = Premises::new(networks);
        for (address, expected) in [
            ("192.168.10.7", true),
            ("::ffff:192.168.10.7", true),
            ("fd00::1", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("192.168.11.7", false),
            ("8.8.8.8", false),
            ("fd01::1", false),
        ] {
            let address: IpAddr = address.parse().expect("address");
            assert_eq!(premises.has(address), expected, "{address}");
        }
    }
}
