//! Delivery to a server on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::channel;

use serde_json::Value;

use super::*;
use crate::base::clock::SystemClock;
use crate::base::id::BoxId;
use crate::base::zone::Zone;
use crate::catalog::{AlarmKind, AlarmRow};
use crate::config::Language;

/// A server that answers each request with the next of `answers`, and gives back what it got.
fn server(answers: &'static [&'static str]) -> (Target, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let address = listener.local_addr().expect("address");
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (stream, _) = listener.accept().expect("accept");
            let mut reader = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("line");
                if let Some(bytes) = line.strip_prefix("Content-Length: ") {
                    length = bytes.trim().parse().expect("length");
                }
                if line == "\r\n" {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("body");
            reader
                .get_mut()
                .write_all(answer.as_bytes())
                .expect("answer");
            let body = serde_json::from_slice(&body).expect("JSON");
            sender.send((head, body)).ok();
        }
    });
    let webhook = Webhook {
        address,
        host: address.to_string(),
        target: "/salaisuus?x=1".to_owned(),
        tls: None,
    };
    (Target::Webhook(webhook), receiver)
}

fn row() -> AlarmRow {
    AlarmRow {
        id: 7,
        kind: AlarmKind::CameraLost,
        object: "kassa-1/main".to_owned(),
        detail: "manager1 pulled the plug".to_owned(),
        raised: Wall::from_secs(1_795_446_000),
        acknowledged: Some(Wall::from_secs(1_795_446_001)),
        acknowledged_by: Some("manager1".to_owned()),
        cleared: None,
    }
}

fn told(message: Message) -> Told {
    Told {
        sender: Sender {
            box_id: BoxId::random(),
            site: "Myymälä 1".to_owned(),
            zone: Zone::UTC,
            language: Language::Fi,
        },
        message,
        at: Wall::from_secs(1_795_446_009),
    }
}

fn post(to: &Target, message: Message) -> Result<()> {
    tell(to, &told(message), &SystemClock::shared())
}

#[test]
fn a_message_arrives_with_nothing_personal_in_it() {
    let (to, got) = server(&["HTTP/1.1 204 No Content\r\n\r\n"]);
    post(&to, Message::Raised(row())).expect("taken");
    let (head, got) = got.recv().expect("a request");
    assert!(
        head.starts_with("POST /salaisuus?x=1 HTTP/1.1\r\n"),
        "{head}"
    );
    assert_eq!(got["event"], "raised");
    assert_eq!(got["alarm"]["object"], "kassa-1/main");
    assert_eq!(got["alarm"]["remedy"], AlarmKind::CameraLost.remedy());
    let text = got.to_string().to_lowercase();
    assert!(!text.contains("manager1"), "{text}");
}

#[test]
fn what_is_not_taken_is_an_error_that_tells_no_secret() {
    let answers: &[&str] = &[
        "HTTP/1.1 500 No\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
        "220 smtp ready\r\n",
        "",
    ];
    let (to, _got) = server(answers);
    for _ in answers {
        let e = post(&to, Message::Test).expect_err("not taken");
        assert_eq!(e.kind(), Kind::Unavailable);
        assert!(!e.to_string().contains("salaisuus"), "{e}");
    }
    // Nobody listens any more.
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        listener.local_addr().expect("address")
    };
    let to = Target::Webhook(Webhook {
        address: gone,
        host: gone.to_string(),
        target: "/salaisuus".to_owned(),
        tls: None,
    });
    post(&to, Message::Test).expect_err("nobody listens");
}

#[test]
fn a_message_is_tried_again_and_those_behind_it_wait() {
    let (to, got) = server(&[
        "HTTP/1.1 503 Later\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
    ]);
    let delivery = Delivery::start("alarm target", SystemClock::shared()).expect("thread");
    delivery.target(Some(to));
    let (done, is_done) = channel();
    let taken = |n: u8| -> Option<Done> {
        let done = done.clone();
        Some(Box::new(move || {
            done.send(n).ok();
        }))
    };
    delivery.tell(told(Message::Raised(row())), taken(1));
    delivery.tell(told(Message::Cleared(row())), taken(2));
    assert_eq!((is_done.recv(), is_done.recv()), (Ok(1), Ok(2)));
    let events: Vec<_> = got
        .iter()
        .take(3)
        .map(|(_, body)| body["event"].clone())
        .collect();
    assert_eq!(events, ["raised", "raised", "cleared"]);
    let progress = delivery.progress();
    assert_eq!((progress.delivered, progress.given_up), (2, 0));
    assert_eq!(progress.failing, None);
    delivery.stop();
}

#[test]
fn without_a_target_nothing_waits() {
    let delivery = Delivery::start("alarm target", SystemClock::shared()).expect("thread");
    for _ in 0..QUEUE_MAX * 2 {
        delivery.tell(told(Message::Test), None);
    }
    assert_eq!(delivery.progress(), Progress::default());
    delivery.stop();
}
