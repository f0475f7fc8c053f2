//! Asking for footage: what is refused, in words that help, and what leaves nothing behind.

use crate::support::{TestBox, camera, server};

/// A box with a few seconds of one camera, stopped.
fn recorded() -> TestBox {
    let (mut shop, server) = (TestBox::new(), server());
    server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.start();
    shop.wait_for_pictures(&["till/main"], 30);
    shop.stop();
    shop
}

#[test]
fn what_cannot_be_exported_is_refused_in_words() {
    let shop = recorded();
    let recorded = shop.ls("till/main").footage.coverage.recorded[0];
    let (from, to) = (recorded.start.rfc3339(), recorded.end.rfc3339());
    let refused = |stream: &str, from: &str, to: &str, wanted: &[&str]| {
        let said = shop.try_export(stream, from, to, "clip.mp4").error();
        for text in wanted {
            assert!(said.contains(text), "{text:?} is not in {said:?}");
        }
        assert!(!shop.path("clip.mp4").exists(), "nothing is written");
    };
    let autumn = "2026-10-25T03:30:00";
    let forms = [
        "twice",
        "2026-10-25T03:30:00+03:00",
        "2026-10-25T03:30:00+02:00",
    ];
    refused("till/main", autumn, &to, &forms);
    refused("till/main", "2026-03-29T03:30:00", &to, &["did not exist"]);
    refused("till/main", &to, &from, &["--from", "must lie before --to"]);
    refused("till/main", &from, &from, &["must lie before"]);
    refused(
        "till/main",
        "yesterday",
        &to,
        &["is not a time", "2026-11-23T17:45:00"],
    );
    refused(
        "till/main",
        "2001-01-01T12:00",
        "2001-01-01T13:00",
        &["nothing is recorded of till/main", "sinetti ls"],
    );
    refused("till/sub", &from, &to, &["nothing is recorded of till/sub"]);
    refused(
        "aisle/main",
        &from,
        &to,
        &["nothing is recorded of aisle/main"],
    );
    refused("till/main", "2001-01-01T12:00", &to, &["31 days"]);
    // A file that is there stays as it is.
    std::fs::write(shop.path("there.mp4"), "mine").expect("writes");
    let said = shop
        .try_export("till/main", &from, &to, "there.mp4")
        .error();
    assert!(said.contains("exists already"), "{said}");
    assert_eq!(
        std::fs::read(shop.path("there.mp4")).expect("reads"),
        b"mine"
    );
    // And what is right is done; the clear pictures are nobody else's.
    let clip = &shop.export("till/main", recorded, "clip.mp4").clips[0];
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &clip.path.metadata().expect("a file").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}
