//! How media reaches the client: interleaved in the RTSP connection, or as datagrams.
//!
//! What belongs here: reading and answering the `Transport` header, UDP sockets and their pacing.

use crate::playback::Outgoing;
use crate::rtp::{self, FRAMING};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;

/// Pause between bursts of datagrams of one access unit.
const PACE: Duration = Duration::from_millis(4);
/// Fewer datagrams than this go out without pause.
const BURST: usize = 8;

/// Where a track goes.
pub(crate) enum Transport {
    /// Interleaved on this channel, RTCP on the next.
    Interleaved(u8),
    Udp(Datagrams),
}

/// A pair of UDP sockets, connected to the client's.
pub(crate) struct Datagrams {
    rtp: UdpSocket,
    rtcp: UdpSocket,
}

/// What was agreed on in a SETUP: the transport, and the header that says so.
pub(crate) type Agreed = (Transport, String);

/// Answers a `Transport` header; `None` if nothing it offers can be done.
pub(crate) async fn agree(
    offer: &str,
    local: IpAddr,
    peer: IpAddr,
    ssrc: u32,
    next_channel: u8,
) -> io::Result<Option<Agreed>> {
    // Alternatives are separated by commas, the client's first choice comes first.
    for choice in offer.split(',').map(str::trim) {
        let parameter = |name: &str| {
            choice
                .split(';')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let first = |name: &str| parameter(name).and_then(|range| range.split('-').next());
        let protocol = choice.split(';').next().unwrap_or("");
        match protocol {
            "RTP/AVP/TCP" => {
                let channel = first("interleaved")
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(next_channel);
                let Some(report_channel) = u8::checked_add(channel, 1) else {
                    continue;
                };
                let answer = format!(
                    "{protocol};unicast;interleaved={channel}-{report_channel};ssrc={ssrc:08X}"
                );
                return Ok(Some((Transport::Interleaved(channel), answer)));
            }
            "RTP/AVP" | "RTP/AVP/UDP" if !choice.contains("multicast") => {
                let Some(port) = first("client_port").and_then(|text| text.parse::<u16>().ok())
                else {
                    continue;
                };
                let Some(report_port) = port.checked_add(1) else {
                    continue;
                };
                let (sockets, server_port) =
                    Datagrams::connect(local, peer, port, report_port).await?;
                let server_ports = format!("{server_port}-{}", server_port + 1);
                let answer = format!(
                    "{protocol};unicast;client_port={port}-{report_port};server_port={server_ports};ssrc={ssrc:08X}"
                );
                return Ok(Some((Transport::Udp(sockets), answer)));
            }
            _ => {}
        }
    }
    Ok(None)
}

impl Datagrams {
    async fn connect(
        local: IpAddr,
        peer: IpAddr,
        port: u16,
        report_port: u16,
    ) -> io::Result<(Datagrams, u16)> {
        let (rtp, rtcp, server_port) = bind_pair(local).await?;
        rtp.connect(SocketAddr::new(peer, port)).await?;
        rtcp.connect(SocketAddr::new(peer, report_port)).await?;
        Ok((Datagrams { rtp, rtcp }, server_port))
    }

    /// Whether the client has sent RTCP (or anything else) since last asked.
    pub(crate) fn heard(&self) -> bool {
        let mut buffer = [0; 64];
        let mut heard = false;
        while self.rtcp.try_recv(&mut buffer).is_ok() {
            heard = true;
        }
        heard
    }

    /// Sends an access unit, spread over `spread` if it is large: a client's receive buffer is
    /// 212,992 bytes by default, which a few key frames sent at once would overflow.
    pub(crate) async fn send(
        &self,
        out: &Outgoing,
        spread: Duration,
        bytes_per_second: Option<u32>,
    ) {
        // A client that is gone shows as a refused datagram; the RTSP connection tells that better.
        if !out.garbage.is_empty() {
            self.rtp.send(&out.garbage).await.ok();
        }
        let count = rtp::framed(&out.rtp).count();
        let bursts = usize::try_from(spread.as_millis() / PACE.as_millis())
            .unwrap_or(1)
            .max(1);
        let burst = count.div_ceil(bursts).max(BURST);
        for (at, packet) in rtp::framed(&out.rtp).enumerate() {
            if at > 0 && at % burst == 0 {
                tokio::time::sleep(PACE).await;
            }
            if let Some(rate) = bytes_per_second {
                let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
                tokio::time::sleep(Duration::from_secs_f64(
                    f64::from(length) / f64::from(rate.max(1)),
                ))
                .await;
            }
            self.rtp.send(&packet[FRAMING..]).await.ok();
        }
        for packet in rtp::framed(&out.rtcp) {
            self.rtcp.send(&packet[FRAMING..]).await.ok();
        }
    }
}

/// An even port and the one after it, as RFC 3550 wants them.
async fn bind_pair(local: IpAddr) -> io::Result<(UdpSocket, UdpSocket, u16)> {
    let mut error = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..64 {
        let rtp = UdpSocket::bind(SocketAddr::new(local, 0)).await?;
        let port = rtp.local_addr()?.port();
        if !port.is_multiple_of(2) {
            continue;
        }
        match UdpSocket::bind(SocketAddr::new(local, port + 1)).await {
            Ok(rtcp) => return Ok((rtp, rtcp, port)),
            Err(taken) => error = taken,
        }
    }
    Err(error)
}
