//! Checks of the network: a closed one has no way out, and datagrams need room.

use crate::config::{Config, Transport};
use crate::doctor::host::Host;
use crate::doctor::{Finding, Subject};

/// A key frame of a large picture arrives at once; this holds one of each of several cameras.
const BUFFER_BYTES_MIN: u64 = 4 << 20;
/// Flags of a route in the kernel's table.
const ROUTE_REJECTS: u32 = 0x200;

pub(super) fn checks(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = vec![route_out(subject.host)];
    if let Ok(config) = &subject.config {
        findings.push(addresses(config));
        findings.push(buffers(subject.host, config));
    }
    findings
}

fn addresses(config: &Config) -> Finding {
    let count = config.cameras.len();
    let nets: Vec<_> = config
        .network
        .camera_subnets
        .iter()
        .map(ToString::to_string)
        .collect();
    // Loading refuses any other.
    Finding::ok(
        "addresses",
        format!(
            "{count} cameras, all private and inside {}",
            nets.join(", ")
        ),
    )
}

pub(super) fn route_out(host: &Host) -> Finding {
    let check = "route-out";
    let (Some(v4), v6) = (
        host.read("proc/net/route"),
        host.read("proc/net/ipv6_route"),
    ) else {
        return Finding::unknown(check, "/proc/net/route cannot be read", "look at: ip route");
    };
    let mut ways: Vec<String> = v4.lines().skip(1).filter_map(default_v4).collect();
    ways.extend(
        v6.iter()
            .flat_map(|text| text.lines())
            .filter_map(default_v6),
    );
    ways.sort();
    ways.dedup();
    if ways.is_empty() {
        return Finding::ok(check, "no default route: nothing leads out");
    }
    Finding::warn(
        check,
        format!(
            "there is a default route by {}: this network is not closed",
            ways.join(", ")
        ),
        "take the gateway out of the interface's settings; the unit's IPAddressDeny=any is the second lock",
    )
}

/// The interface of a line that is a default route: Iface Destination Gateway Flags RefCnt Use Metric Mask …
fn default_v4(line: &str) -> Option<String> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let flags = u32::from_str_radix(fields.get(3)?, 16).ok()?;
    let is_default = fields.get(1) == Some(&"00000000") && fields.get(7) == Some(&"00000000");
    (is_default && flags & ROUTE_REJECTS == 0).then(|| (*fields[0]).to_owned())
}

/// The same of IPv6: destination, prefix length, source, its length, next hop, metric, references, use, flags, interface.
fn default_v6(line: &str) -> Option<String> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let flags = u32::from_str_radix(fields.get(8)?, 16).ok()?;
    let name = *fields.get(9)?;
    let is_default = fields.get(1) == Some(&"00") && fields[0].bytes().all(|b| b == b'0');
    (is_default && name != "lo" && flags & ROUTE_REJECTS == 0).then(|| name.to_owned())
}

pub(super) fn buffers(host: &Host, config: &Config) -> Finding {
    let check = "receive-buffers";
    let udp = config
        .cameras
        .iter()
        .filter(|camera| camera.transport == Transport::Udp)
        .count();
    if udp == 0 {
        return Finding::ok(check, "all cameras use TCP: nothing to set");
    }
    // The sockets of cameras take what is the default.
    let remedy = format!(
        "echo net.core.rmem_default={BUFFER_BYTES_MIN} > /etc/sysctl.d/90-sinetti.conf && sysctl --system, then restart Sinetti"
    );
    match host.number("proc/sys/net/core/rmem_default") {
        Some(bytes) if bytes >= BUFFER_BYTES_MIN => Finding::ok(
            check,
            format!("{bytes} bytes a socket for {udp} cameras over UDP"),
        ),
        Some(bytes) => Finding::warn(
            check,
            format!("{bytes} bytes a socket: a key frame of {udp} cameras over UDP does not fit"),
            remedy,
        ),
        None => Finding::unknown(check, "net.core.rmem_default cannot be read", remedy),
    }
}
