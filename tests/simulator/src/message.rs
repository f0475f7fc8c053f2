//! RTSP 1.0 messages (RFC 2326).
//!
//! What belongs here: taking requests out of received bytes, and writing answers.

use std::fmt::Write;

/// More than this without a complete request ends the connection.
const MAX_PENDING: usize = 64 * 1024;

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) uri: String,
    headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Path of a camera and number of the track, if the URI names one.
    pub(crate) fn target(&self) -> (&str, Option<u8>) {
        let after_scheme = self
            .uri
            .split_once("://")
            .map_or(self.uri.as_str(), |(_, rest)| rest);
        let path = after_scheme.find('/').map_or("", |at| &after_scheme[at..]);
        let path = path.split('?').next().unwrap_or("");
        match path.rsplit_once("/trackID=") {
            Some((camera, track)) => (
                camera,
                Some(track.trim_end_matches('/').parse().unwrap_or(u8::MAX)),
            ),
            None => (path.trim_end_matches('/'), None),
        }
    }
}

/// What the received bytes begin with.
#[derive(Debug)]
pub(crate) enum Received {
    Request(Request),
    /// An interleaved packet: RTCP of the client.
    Interleaved,
    /// Nothing complete yet.
    Partial,
    /// No RTSP.
    Invalid,
}

/// Takes the first message out of `pending`.
pub(crate) fn take(pending: &mut Vec<u8>) -> Received {
    if let [b'$', rest @ ..] = pending.as_slice() {
        let [_, high, low, ..] = *rest else {
            return Received::Partial;
        };
        let length = 4 + usize::from(u16::from_be_bytes([high, low]));
        if pending.len() < length {
            return Received::Partial;
        }
        pending.drain(..length);
        return Received::Interleaved;
    }
    let Some(head) = pending.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if pending.len() > MAX_PENDING {
            Received::Invalid
        } else {
            Received::Partial
        };
    };
    let text = String::from_utf8_lossy(&pending[..head]).into_owned();
    let Some(request) = parse(&text) else {
        return Received::Invalid;
    };
    let body = request
        .header("Content-Length")
        .map_or(Some(0), |value| value.parse().ok());
    match body {
        Some(body) if body <= MAX_PENDING && pending.len() >= head + 4 + body => {
            pending.drain(..head + 4 + body);
            Received::Request(request)
        }
        Some(body) if body <= MAX_PENDING => Received::Partial,
        _ => Received::Invalid,
    }
}

fn parse(text: &str) -> Option<Request> {
    let mut lines = text.trim_start().split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, uri, version) = (first.next()?, first.next()?, first.next()?);
    if !version.starts_with("RTSP/1.") {
        return None;
    }
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    Some(Request {
        method: method.to_owned(),
        uri: uri.to_owned(),
        headers,
    })
}

/// An answer being written.
#[derive(Debug)]
pub(crate) struct Answer {
    head: String,
    body: String,
}

impl Answer {
    pub(crate) fn new(code: u16, request: &Request) -> Answer {
        let sequence = request.header("CSeq").unwrap_or("0");
        Answer {
            head: format!("RTSP/1.0 {code} {}\r\nCSeq: {sequence}\r\n", reason(code)),
            body: String::new(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl std::fmt::Display) -> Answer {
        // Writing to a String cannot fail.
        write!(self.head, "{name}: {value}\r\n").ok();
        self
    }

    pub(crate) fn body(mut self, content_type: &str, body: String) -> Answer {
        self = self
            .header("Content-Type", content_type)
            .header("Content-Length", body.len());
        self.body = body;
        self
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        format!("{}\r\n{}", self.head, self.body).into_bytes()
    }
}

fn reason(code: u16) -> &'static str {
    match code {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        453 => "Not Enough Bandwidth",
        454 => "Session Not Found",
        455 => "Method Not Valid in This State",
        461 => "Unsupported Transport",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_requests_and_interleaved_packets_one_by_one() {
        let mut pending =
            b"$\x01\x00\x02xyPLAY rtsp://h:1/kassa-1/main/ RTSP/1.0\r\nCSeq: 4\r\n\r\nSETUP"
                .to_vec();
        assert!(matches!(take(&mut pending), Received::Interleaved));
        let Received::Request(request) = take(&mut pending) else {
            panic!("no request")
        };
        assert_eq!(request.target(), ("/kassa-1/main", None));
        assert_eq!(request.header("cseq"), Some("4"));
        assert!(matches!(take(&mut pending), Received::Partial));
        let mut pending = b"GET / HTTP/1.1\r\n\r\n".to_vec();
        assert!(matches!(take(&mut pending), Received::Invalid));
    }

    #[test]
    fn finds_camera_and_track_in_the_uri() {
        let request = |uri: &str| Request {
            method: "SETUP".into(),
            uri: uri.into(),
            headers: Vec::new(),
        };
        assert_eq!(
            request("rtsp://h/a/b/trackID=1").target(),
            ("/a/b", Some(1))
        );
        assert_eq!(request("rtsp://h/a?x=1").target(), ("/a", None));
        assert_eq!(request("*").target(), ("", None));
    }
}
