//! What openssl, which shares nothing with the server, finds: versions, the chain, what the authority may name; renewal.

use crate::support::{TestBox, openssl};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

fn serving() -> TestBox {
    let mut shop = TestBox::new();
    shop.serve();
    shop.start();
    shop
}

/// What `openssl s_client` says of a handshake, with this option.
fn handshake(shop: &mut TestBox, option: &str) -> (bool, String) {
    let address = shop.address("pages and API on https://").to_string();
    let authority = shop.dir.join("authority.crt");
    let authority = authority.to_str().expect("UTF-8");
    // Security level 0: else openssl itself would refuse what is old.
    openssl(&[
        "s_client",
        "-connect",
        &address,
        "-CAfile",
        authority,
        "-verify_ip",
        "127.0.0.1",
        "-cipher",
        "ALL:@SECLEVEL=0",
        option,
    ])
}

#[test]
fn tls_is_1_2_or_1_3_and_nothing_older_and_never_plain() {
    let mut shop = serving();
    for (option, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let (ok, said) = handshake(&mut shop, option);
        assert!(ok && said.contains("Verify return code: 0 (ok)"), "{said}");
        assert!(said.contains(&format!("New, {version}")), "{said}");
    }
    for option in ["-tls1_1", "-tls1"] {
        let (ok, said) = handshake(&mut shop, option);
        assert!(!ok && said.contains("Cipher is (NONE)"), "{option}: {said}");
    }
    let address = shop.address("pages and API on https://");
    let mut plain = TcpStream::connect(address).expect("connects");
    plain
        .write_all(b"GET /api/v1/session HTTP/1.1\r\nhost: x\r\n\r\n")
        .expect("written");
    let mut said = Vec::new();
    plain.read_to_end(&mut said).ok();
    // A TLS alert at most.
    assert!(!said.starts_with(b"HTTP"), "{said:?}");
}

/// Makes a key and a certificate for `name` with openssl, signed by what `by` says.
fn certificate(folder: &Path, name: &str, by: &[&str]) {
    let at = |file: &str| folder.join(file).to_str().expect("UTF-8").to_owned();
    let names = format!("subjectAltName=DNS:{name},IP:127.0.0.1");
    let (key, request) = (at("made.key"), at("made.csr"));
    let (ok, said) = openssl(&[
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        &key,
        "-out",
        &request,
        "-subj",
        "/CN=x",
        "-addext",
        &names,
    ]);
    assert!(ok, "{said}");
    let made = at("made.pem");
    let (ok, said) = openssl(
        &[
            &[
                "x509",
                "-req",
                "-in",
                &request,
                "-out",
                &made,
                "-days",
                "30",
                "-copy_extensions",
                "copy",
            ],
            by,
        ]
        .concat(),
    );
    assert!(ok, "{said}");
}

#[test]
fn whoever_takes_the_authority_s_key_can_name_no_public_host_with_it() {
    let shop = TestBox::new();
    let both = shop.dir.join("keys/web-authority.pem");
    let both = both.to_str().expect("UTF-8");
    let authority = shop.dir.join("authority.crt");
    let authority = authority.to_str().expect("UTF-8");
    let made = shop.path("made.pem");
    let made = made.to_str().expect("UTF-8");
    let verified = |name: &str| {
        let folder = shop.path("x");
        certificate(
            folder.parent().expect("a folder"),
            name,
            &["-CA", both, "-CAkey", both],
        );
        openssl(&["verify", "-CAfile", authority, made])
    };
    let (ok, said) = verified("kauppa.internal");
    assert!(ok, "{said}");
    let (ok, said) = verified("www.example.com");
    assert!(
        !ok && said.contains("permitted subtree violation"),
        "{said}"
    );
}

/// Waits for the log to name a certificate other than this one.
fn next_fingerprint(shop: &mut TestBox) -> String {
    shop.recorder()
        .wait_for_log("another certificate is in force");
    let log = shop.log();
    let rest = log.rsplit("its SHA-256 is ").next().expect("a fingerprint");
    rest.lines().next().expect("a line").to_owned()
}

/// Fingerprint of what is served now.
fn served(shop: &mut TestBox) -> String {
    let (_, said) = handshake(shop, "-tls1_3");
    let (from, to) = (
        said.find("-----BEGIN").expect("a certificate"),
        said.find("-----END CERTIFICATE-----").expect("its end"),
    );
    let file = shop.path("served.pem");
    fs::write(
        &file,
        format!("{}-----END CERTIFICATE-----\n", &said[from..to]),
    )
    .expect("writes");
    let file = file.to_str().expect("UTF-8");
    let (ok, said) = openssl(&["x509", "-in", file, "-noout", "-fingerprint", "-sha256"]);
    assert!(ok, "{said}");
    said.trim().rsplit('=').next().expect("it").to_owned()
}

#[test]
fn a_renewed_certificate_is_taken_into_use_while_it_runs() {
    let mut shop = serving();
    let shown: serde_json::Value =
        serde_json::from_str(&shop.run(&["certificate", "show", "--json"]).ok()).expect("JSON");
    let first = served(&mut shop);
    assert_eq!(shown["certificate"]["fingerprint"], first.as_str());
    assert!(shop.log().contains(&first));
    shop.run(&["certificate", "renew"]).ok();
    let second = next_fingerprint(&mut shop);
    assert_ne!(first, second);
    assert_eq!(served(&mut shop), second);
    // The authority is the same: PCs need nothing new.
    let (ok, said) = handshake(&mut shop, "-tls1_3");
    assert!(ok && said.contains("Verify return code: 0 (ok)"), "{said}");
}

#[test]
fn a_given_certificate_is_served_and_a_new_one_in_its_place_too() {
    let shop = TestBox::new();
    let mut shop = shop;
    let folder = shop.dir.join("secrets");
    let place = |shop: &TestBox| {
        let made = shop.path("x");
        let made = made.parent().expect("a folder");
        let key = made.join("made.key");
        let key = key.to_str().expect("UTF-8").to_owned();
        certificate(made, "kauppa.example.com", &["-signkey", &key]);
        for (from, to) in [("made.pem", "web.pem"), ("made.key", "web.key")] {
            fs::create_dir_all(&folder).expect("a folder");
            fs::copy(made.join(from), folder.join(to)).expect("copied");
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::Permissions::from_mode(0o600);
            fs::set_permissions(folder.join(to), mode).expect("mode");
        }
    };
    place(&shop);
    shop.serve();
    shop.edit_config(|text| {
        let keys =
            "[web]\ncertificate = \"secrets/web.pem\"\ncertificate_key = \"secrets/web.key\"\n";
        text.replacen("[web]\n", keys, 1)
    });
    shop.start();
    let subject = |shop: &mut TestBox| handshake(shop, "-tls1_3").1;
    let first = subject(&mut shop);
    assert!(first.contains("subject=CN = x"), "{first}");
    let before = served(&mut shop);
    place(&shop);
    let after = next_fingerprint(&mut shop);
    assert_ne!(before, after);
    assert_eq!(served(&mut shop), after);
    assert!(
        shop.run(&["certificate", "renew"])
            .error()
            .contains("given")
    );
}
