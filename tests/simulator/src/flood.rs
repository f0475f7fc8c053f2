//! Answers that never end: what a hostile camera sends to make its client's memory grow.
//!
//! What belongs here: the bytes. When they are sent is the connection's affair.

/// So much is sent at most, in bytes: no test may fill the machine it runs on.
pub(crate) const BYTES_MAX: usize = 2 << 30;
/// Bytes sent at a time.
const CHUNK: usize = 64 << 10;

/// What of an answer never ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flood {
    /// One header line follows the other.
    Headers,
    /// A single header line.
    HeaderLine,
    /// A session description (SDP), line by line; its length is said to be 4 GB.
    Description,
    /// Interleaved packets of a channel that nobody has asked for.
    Packets,
}

impl Flood {
    /// Reads the text form.
    pub(crate) fn parse(text: &str) -> Result<Flood, String> {
        Ok(match text {
            "headers" => Flood::Headers,
            "header-line" => Flood::HeaderLine,
            "description" => Flood::Description,
            "packets" => Flood::Packets,
            _ => return Err(format!("there is no flood {text:?}")),
        })
    }

    /// How it begins, as an answer to the request with this sequence number.
    pub(crate) fn beginning(self, sequence: &str) -> Vec<u8> {
        let head = format!("RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\n");
        match self {
            Flood::Headers => head,
            Flood::HeaderLine => head + "X-Camera: ",
            Flood::Description => {
                head + "Content-Type: application/sdp\r\nContent-Length: 4000000000\r\n\r\nv=0\r\n"
            }
            Flood::Packets => String::new(),
        }
        .into_bytes()
    }

    /// How it goes on, for ever.
    pub(crate) fn chunk(self) -> Vec<u8> {
        let line: &[u8] = match self {
            Flood::Headers => b"X-Camera: 0123456789012345678901234567890123456789\r\n",
            Flood::HeaderLine => b"0123456789",
            Flood::Description => b"a=x-camera:0123456789012345678901234567890123456789\r\n",
            Flood::Packets => b"$\x63\x00\x080123456\n",
        };
        line.repeat(CHUNK / line.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flood_has_a_text_form_and_whole_lines() {
        for text in ["headers", "header-line", "description", "packets"] {
            let flood = Flood::parse(text).expect(text);
            let chunk = flood.chunk();
            assert!(chunk.len() > CHUNK / 2);
            assert_eq!(chunk.ends_with(b"\n"), flood != Flood::HeaderLine, "{text}");
        }
        assert!(Flood::parse("").is_err());
    }
}
