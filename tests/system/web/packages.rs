//! The package of a disclosure, from the request of one person and the approval of another to the sealed parts, the download, and the
//! wiping; killed on the way; and nothing in the clear where nothing clear may be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{
    Client, Factor, PASSPHRASE, Reply, TestBox, assert_unbroken, camera, fill, must, packets, ran,
    sent_hashes, server, tmpfs, with_own_mounts,
};
use police_request::police_request;
use serde_json::{Value, json};
use sinetti::base::time::Wall;
use sinetti_simulator::CameraHandle;

#[path = "../../web/police_request.rs"]
mod police_request;

/// A box that records, with somebody who asks; and who asks and who approves, signed in.
struct Desk {
    shop: TestBox,
    handle: CameraHandle,
    manager: Factor,
}

impl Desk {
    fn new() -> Desk {
        Desk::with("till-sub.264", |_| {})
    }

    /// With a camera that serves this, on a box that `prepare` changes before it records.
    fn with(footage: &str, prepare: impl FnOnce(&TestBox)) -> Desk {
        let (mut shop, server) = (TestBox::new(), server());
        prepare(&shop);
        shop.set_recorder("segment_secs = 10");
        let handle = server.add("/kassa-1/main", camera(footage));
        shop.add_camera("kassa-1", server.address(), &[]);
        shop.serve();
        shop.start();
        let token = shop.path("manager1.token");
        let mut add = shop.command(&["user", "add", "manager1", "--undertaking", "2026-1"]);
        add.args(["--role", "manager", "--camera", "kassa-1"]);
        ran(add.arg("--token-file").arg(&token)).ok();
        let manager = Factor::at(&shop.path(""), "manager1");
        shop.enrol(&token, &shop.passphrase, &manager).ok();
        let mut confirm = shop.command(&["user", "confirm", "manager1"]);
        confirm.args(["--person", "controller1"]);
        ran(confirm.args(shop.proof())).ok();
        shop.wait_for_pictures(&["kassa-1/main"], 300);
        Desk {
            shop,
            handle,
            manager,
        }
    }

    fn manager(&mut self) -> Client {
        let mut client = self.shop.client();
        client.sign_in("manager1", PASSPHRASE, &self.manager.code());
        client
    }

    /// A disclosure that the manager asked for and the controller approved; its path.
    fn approved(&mut self, manager: &Client) -> String {
        let start = self.shop.ls("kassa-1/main").footage.coverage.recorded[0].start;
        let at = |us: i64| start.plus_us(us).rfc3339();
        let span = (at(3_000_000), at(9_000_000));
        let received = start.rfc3339();
        let mut form = police_request(&received, &["kassa-1"], (&span.0, &span.1));
        form["viewing_copy"] = true.into();
        let new = json!({ "kind": "authority-request", "form": form });
        let draft = manager.post("/api/v1/disclosures", &new).expect(201).json();
        let path = format!("/api/v1/disclosures/{}", draft["disclosure"]);
        let asked = manager.post(
            &format!("{path}/request"),
            &json!({ "version": draft["version"] }),
        );
        assert_eq!(
            asked.status,
            200,
            "{}",
            String::from_utf8_lossy(&asked.body)
        );
        // Not before another person has approved it.
        let early = manager.post(&format!("{path}/package"), &json!({}));
        assert!(early.status >= 400, "{}", early.status);
        let controller = self.shop.controller();
        let decision = json!({ "decision": "approve", "reason": "pyyntö on yksilöity" });
        let decided = controller.post(&format!("{path}/approval"), &decision);
        assert_eq!(
            decided.status,
            200,
            "{}",
            String::from_utf8_lossy(&decided.body)
        );
        path
    }

    /// What became of the package, once it is over.
    fn ended(&mut self, client: &Client, path: &str) -> Value {
        loop {
            let state = client.get(&format!("{path}/package")).expect(200).json();
            if !state["ended"].is_null() {
                return state;
            }
            self.shop.recorder().pace();
        }
    }

    fn sealed(&self) -> Vec<PathBuf> {
        let dir = self.shop.volume.join("sinetti-packages");
        let Ok(entries) = fs::read_dir(dir) else {
            return Vec::new();
        };
        entries.map(|entry| entry.expect("a file").path()).collect()
    }
}

/// Every file below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            all.extend(files(&entry.path()));
        } else if kind.is_file() {
            all.push(entry.path());
        }
    }
    all
}

fn holds(path: &Path, text: &[u8]) -> bool {
    let bytes = fs::read(path).unwrap_or_default();
    bytes.windows(text.len()).any(|w| w == text)
}

fn ranged(client: &Client, path: &str, range: &str) -> Reply {
    use std::io::Write;
    let mut tls = client.connect();
    let head = client.head("GET", path);
    let request = format!("{head}range: {range}\r\nconnection: close\r\n\r\n");
    tls.write_all(request.as_bytes()).expect("written");
    crate::support::read(tls)
}

#[test]
fn a_disclosure_is_prepared_sealed_downloaded_and_wiped() {
    let mut desk = Desk::new();
    let manager = desk.manager();
    let path = desk.approved(&manager);
    let package = format!("{path}/package");
    let begun = manager
        .post(&package, &json!({ "encryption": "made" }))
        .expect(202)
        .json();
    let secret = begun["passphrase"].as_str().expect("told once").to_owned();
    let state = desk.ended(&manager, &path);
    assert_eq!(state["state"], "done", "{state}");
    let part = &state["parts"][0];
    assert_eq!(desk.sealed().len(), 1);

    // Nobody without a session; with one, all of it or a piece of it.
    let part_path = format!("{package}/1");
    assert_eq!(desk.shop.client().get(&part_path).status, 401);
    let reply = manager.get(&part_path).expect(200);
    assert!(reply.whole);
    assert_eq!(
        reply.body.len() as u64,
        part["bytes"].as_u64().expect("bytes")
    );
    assert_eq!(
        crate::support::sha256(&reply.body),
        part["sha256"].as_str().expect("a hash")
    );
    let piece = ranged(&manager, &part_path, "bytes=100-299").expect(206);
    assert_eq!(piece.body, reply.body[100..300]);
    assert_eq!(
        ranged(&desk.shop.client(), &part_path, "bytes=0-1").status,
        401
    );
    assert_eq!(manager.get(&format!("{package}/2")).status, 404);

    let folder = unpacked(&desk, &reply.body, &secret);
    the_paper_says_the_same(&folder, "AES-256");
    let picture = pictures_are_those_sent(&desk, &folder);

    // Neither passphrase nor picture is on the box, nor in its log.
    for dir in [&desk.shop.dir, &desk.shop.volume] {
        for file in files(dir) {
            assert!(!holds(&file, secret.as_bytes()), "{}", file.display());
            assert!(!holds(&file, &picture), "{}", file.display());
        }
    }
    assert!(!desk.shop.log().contains(&secret));
    assert!(!holds(&desk.shop.path("package.zip"), secret.as_bytes()));
    told_and_wiped(&mut desk, (&manager, &path), &part_path);
}

/// It opens with the passphrase alone, and proves itself; the folder.
fn unpacked(desk: &Desk, body: &[u8], secret: &str) -> PathBuf {
    let zip = desk.shop.path("package.zip");
    fs::write(&zip, body).expect("written");
    let out = desk.shop.path("unpacked");
    let unpack = |with: &str| {
        let mut seven = Command::new("7zz");
        seven
            .args(["x", "-y", with])
            .arg(format!("-o{}", out.display()))
            .arg(&zip);
        ran(&mut seven)
    };
    assert_ne!(unpack("-pwrong").code, 0);
    fs::remove_dir_all(&out).ok();
    assert_eq!(unpack(&format!("-p{secret}")).code, 0);
    let folder = fs::read_dir(&out)
        .expect("a folder")
        .next()
        .expect("one")
        .expect("it")
        .path();
    let said = ran(desk.shop.command(&["verify", "--json"]).arg(&folder)).ok();
    let verified: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(verified["intact"], true, "{verified}");
    folder
}

/// The pictures are those that were sent, within what was approved; a bit of one.
fn pictures_are_those_sent(desk: &Desk, folder: &Path) -> Vec<u8> {
    // The pictures are those that were sent; nothing outside of what was approved is in it.
    let manifest = fs::read(folder.join("manifest.json")).expect("reads");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    assert_eq!(manifest["disclosure"]["kind"], "authority-request");
    let given = &manifest["streams"][0]["given"];
    let sent = sent_hashes(&desk.handle.sent());
    let mut clip_bytes = Vec::new();
    for file in manifest["files"].as_array().expect("clips") {
        let time = |v: &Value| Wall::parse_rfc3339(v.as_str().expect("a time")).expect("a time");
        assert!(
            time(&file["span"]["start"]) >= time(&given["start"]),
            "{file} {given}"
        );
        assert!(
            time(&file["span"]["end"]) <= time(&given["end"]).plus_us(12),
            "{file} {given}"
        );
        let clip = folder.join(file["name"].as_str().expect("a name"));
        assert_unbroken(&packets(&clip), &sent);
        clip_bytes = fs::read(&clip).expect("reads");
    }
    let middle = clip_bytes.len() / 2;
    clip_bytes[middle..middle + 48].to_vec()
}

/// The handover document in it, which is on the signed list, has the hashes of the clips and of the manifest, and tells how it is
/// encrypted.
fn the_paper_says_the_same(folder: &Path, encryption: &str) {
    let manifest = fs::read(folder.join("manifest.json")).expect("reads");
    let paper = folder.join("handover.pdf");
    ran(Command::new("qpdf").arg("--check").arg(&paper)).ok();
    let text = ran(Command::new("pdftotext")
        .arg("-layout")
        .arg(&paper)
        .arg("-"))
    .ok();
    let text: String = text.split_whitespace().collect();
    let hash = crate::support::sha256(&manifest);
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    for file in manifest["files"].as_array().expect("clips") {
        let [name, hash] = ["name", "sha256"].map(|key| file[key].as_str().expect("text"));
        assert!(text.contains(name) && text.contains(hash), "{name}: {text}");
    }
    let serial = manifest["disclosure"]["serial"].as_str().expect("a number");
    let wanted = [
        hash.as_str(),
        serial,
        "5560/R/1234/26",
        "ylikonstaapeli1",
        encryption,
        "controller",
    ];
    for wanted in wanted {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

/// Each download is in the ledger, before its first byte and after its last; copies go when the receipt is confirmed.
fn told_and_wiped(desk: &mut Desk, (manager, path): (&Client, &str), part_path: &str) {
    let events = desk.shop.catalog().events(0, 10_000).expect("events");
    let events: Vec<_> = events.into_iter().map(|row| row.event).collect();
    let of = |action: &str, result: &str| -> Vec<_> {
        let wanted = |e: &&sinetti::catalog::Event| e.action == action && e.result == result;
        events.iter().filter(wanted).cloned().collect()
    };
    assert_eq!(of("package-downloaded", "begun").len(), 2);
    assert_eq!(of("package-downloaded", "ok").len(), 2);
    assert_eq!(of("package-downloaded", "ok")[1].facts["bytes"], 200);
    let prepared = of("disclosure-prepared", "ok");
    assert_eq!(prepared.len(), 1);
    assert!(prepared[0].facts["manifest"].is_string());

    let over =
        json!({ "to": "ylikonstaapeli 1", "identity": "virkamerkki", "medium": "USB-tikku 7" });
    let handed = manager.post(&format!("{path}/hand-over"), &over);
    assert_eq!(
        handed.status,
        200,
        "{}",
        String::from_utf8_lossy(&handed.body)
    );
    let how = json!({ "how": "allekirjoitettu" });
    manager.post(&format!("{path}/receipt"), &how).expect(200);
    while !desk.sealed().is_empty() {
        desk.shop.recorder().pace();
    }
    loop {
        let state = manager.get(&format!("{path}/package")).expect(200).json();
        if !state["parts"][0]["wiped"].is_null() {
            break;
        }
        desk.shop.recorder().pace();
    }
    assert!(manager.get(part_path).status >= 400);
    desk.shop.stop();
    desk.shop.check(true);
}

#[test]
fn killed_while_a_package_is_made_nothing_of_it_is_left_and_it_can_be_begun_anew() {
    let mut desk = Desk::new();
    let mut manager = desk.manager();
    let path = desk.approved(&manager);
    let package = format!("{path}/package");
    let secret = "kolmetoista kuivaa ahventa";
    let typed = json!({ "encryption": "typed", "passphrase": secret });
    for _ in 0..2 {
        manager.post(&package, &typed).expect(202);
        desk.shop.kill();
        let before = desk.sealed().len();
        desk.shop.start();
        manager = desk.manager();
        let state = desk.ended(&manager, &path);
        match state["state"].as_str() {
            // It was quicker.
            Some("done") => assert_eq!((before, desk.sealed().len()), (1, 1)),
            Some("failed") => {
                assert_eq!(state["cause"], "interrupted", "{state}");
                while !desk.sealed().is_empty() {
                    desk.shop.recorder().pace();
                }
            }
            _ => panic!("{state}"),
        }
    }
    // What was typed for packages that were never made is nowhere either.
    for dir in [&desk.shop.dir, &desk.shop.volume] {
        for file in files(dir) {
            assert!(!holds(&file, secret.as_bytes()), "{}", file.display());
        }
    }
    assert!(!desk.shop.log().contains(secret));
    manager.post(&package, &json!({})).expect(202);
    let state = desk.ended(&manager, &path);
    assert_eq!(state["state"], "done", "{state}");
    let zip = desk.shop.path("package.zip");
    fs::write(&zip, manager.get(&format!("{package}/1")).expect(200).body).expect("written");
    ran(desk.shop.command(&["verify"]).arg(&zip)).ok();
}

#[test]
fn h265_without_a_small_stream_has_a_copy_for_viewing_that_says_what_it_is() {
    let mut desk = Desk::with("till-h265.265", |_| {});
    let manager = desk.manager();
    let path = desk.approved(&manager);
    let package = format!("{path}/package");
    manager.post(&package, &json!({})).expect(202);
    let state = desk.ended(&manager, &path);
    assert_eq!(state["state"], "done", "{state}");
    let zip = desk.shop.path("package.zip");
    fs::write(&zip, manager.get(&format!("{package}/1")).expect(200).body).expect("written");
    let out = desk.shop.path("unpacked");
    let mut unzip = Command::new("unzip");
    ran(unzip.arg("-q").arg(&zip).arg("-d").arg(&out)).ok();
    let folder = fs::read_dir(&out).expect("a folder").next();
    let folder = folder.expect("one").expect("it").path();
    the_paper_says_the_same(&folder, "Eisalattu");

    let manifest = fs::read(folder.join("manifest.json")).expect("reads");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let [original, copy] = &manifest["files"].as_array().expect("files")[..] else {
        panic!("{manifest}");
    };
    assert_eq!(
        (&copy["coded_from"], &original["codec"], &copy["codec"]),
        (&original["name"], &"h265".into(), &"h264".into())
    );
    let name = copy["name"].as_str().expect("a name");
    let decoded = packets(&folder.join(name)).len();
    assert_eq!(copy["pictures"], decoded);
    let text = ran(Command::new("pdftotext")
        .arg(folder.join("handover.pdf"))
        .arg("-"))
    .ok();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Katselukopio tallenteesta"), "{text}");

    // Both who check say the same of it, whole and changed.
    let check = |intact: bool| {
        let said = ran(desk.shop.command(&["verify", "--json"]).arg(&folder));
        let said: Value = serde_json::from_str(&said.stdout).expect("JSON");
        let page = ran(Command::new("node")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/peers/verify-page.mjs"
            ))
            .arg(folder.join("verify.html"))
            .arg(&folder))
        .ok();
        let page: Value = serde_json::from_str(&page).expect("JSON");
        assert_eq!(said["intact"], intact, "{said}");
        assert_eq!((&said["clips"], &said["copies"]), (&1.into(), &1.into()));
        let expected = if intact {
            json!([])
        } else {
            json!([format!("changed {name}")])
        };
        assert_eq!(page["findings"], expected, "{page}");
    };
    check(true);
    let mut bytes = fs::read(folder.join(name)).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(folder.join(name), bytes).expect("written");
    check(false);
}

#[test]
fn without_room_above_the_reserve_a_package_is_refused_with_figures_and_no_footage_goes_for_it() {
    let name = "web::packages::without_room_above_the_reserve_a_package_is_refused_with_figures_and_no_footage_goes_for_it";
    with_own_mounts(name, || {
        // A reserve of 0.1 GiB, and room.
        let mut desk = Desk::with("till-sub.264", |shop| {
            let aside = shop.path("aside");
            fs::rename(&shop.volume, &aside).expect("renames");
            fs::create_dir(&shop.volume).expect("a folder");
            tmpfs("size=512m", &shop.volume);
            let from = format!("{}/.", aside.display());
            must("cp", &["-a", &from], &shop.volume);
        });
        let manager = desk.manager();
        let path = desk.approved(&manager);
        let package = format!("{path}/package");
        // What recording needs: the reserve, and so much that no footage is deleted early.
        let needs = (103 << 20) + (64 << 20);
        let ballast = fill(&desk.shop.volume, needs + (40 << 20));
        let refused = manager.post(&package, &json!({}));
        let said = String::from_utf8_lossy(&refused.body).into_owned();
        assert_eq!(refused.status, 429, "{said}");
        let figures = "it needs 64 MiB";
        assert!(
            said.contains(figures) && said.contains("MiB above what recording needs"),
            "{said}"
        );
        assert!(desk.sealed().is_empty());
        // Nothing was begun, and nothing of the reserve taken.
        assert_eq!(manager.get(&package).status, 404);
        desk.shop.wait("no footage goes for it", |status| {
            status.deletion.early.is_empty() && status.deletion.in_vain.is_empty()
        });
        fs::remove_file(ballast).expect("removes");
        manager.post(&package, &json!({})).expect(202);
        let state = desk.ended(&manager, &path);
        assert_eq!(state["state"], "done", "{state}");
        let zip = desk.shop.path("package.zip");
        fs::write(&zip, manager.get(&format!("{package}/1")).expect(200).body).expect("written");
        ran(desk.shop.command(&["verify"]).arg(&zip)).ok();
    });
}
