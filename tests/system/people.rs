//! Persons at the console of a box that records: who opens what, and what leaves a trace.

use crate::eyes::wait;
use crate::support::{Factor, PURPOSE, Ran, TestBox, camera, now, ran, server};
use sinetti::base::id::GenerationId;
use sinetti::catalog::{Event, SegmentRow};
use sinetti_simulator::Server;
use std::path::{Path, PathBuf};

/// All footage has a key frame this often, in microseconds.
const GOP_US: i64 = 2_000_000;

/// A box that records one camera in segments of so many seconds.
fn recording(segment_secs: u32) -> (TestBox, Server) {
    let (mut shop, server) = (TestBox::new(), server());
    shop.set_recorder(&format!("segment_secs = {segment_secs}"));
    server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.start();
    shop.wait_for_pictures(&["till/main"], 30);
    (shop, server)
}

/// Somebody who was added and enrolled at the console.
fn person(shop: &TestBox, name: &str, role: &[&str]) -> Factor {
    let token = shop.path(&format!("{name}.token"));
    let mut add = shop.command(&["user", "add", name, "--undertaking", "2026-1"]);
    add.args(role).arg("--token-file").arg(&token);
    ran(&mut add).ok();
    let factor = Factor::at(&shop.path(""), name);
    shop.enrol(&token, &shop.passphrase, &factor).ok();
    factor
}

/// The arguments by which somebody shows who they are.
fn proof(shop: &TestBox, name: &str, factor: &Factor) -> Vec<PathBuf> {
    let code = shop.secret("other-code", &factor.code());
    let mut args: Vec<PathBuf> = vec!["--person".into(), name.into()];
    args.extend(["--passphrase-file".into(), shop.passphrase.clone()]);
    args.extend(["--code-file".into(), code]);
    args
}

fn confirm(shop: &TestBox, name: &str) -> String {
    let mut confirm = shop.command(&["user", "confirm", name]);
    confirm.args(["--person", "controller1"]);
    ran(confirm.args(shop.proof())).ok()
}

/// `sinetti open` of a segment with the state folder in `dir`; `who` opens it, and a second controller approves.
fn open(shop: &TestBox, dir: &Path, segment: &Path, who: &[PathBuf], output: &str) -> Ran {
    let approval = shop.approval();
    let mut open = std::process::Command::new(env!("CARGO_BIN_EXE_sinetti"));
    open.env_remove("SINETTI_DIR").env_remove("SINETTI_LOG");
    open.arg("--dir").arg(dir).arg("open").arg(segment);
    open.args(["--purpose", PURPOSE]).args(who).args(approval);
    ran(open.arg("-o").arg(shop.path(output)))
}

fn segments(shop: &TestBox) -> Vec<SegmentRow> {
    shop.ls("till/main").footage.segments
}

fn file_of(shop: &TestBox, row: &SegmentRow) -> PathBuf {
    let name = row.segment.to_string();
    let files = shop.segment_files("till/main").into_iter();
    let mut found = files.filter(|path| path.to_string_lossy().contains(&name));
    found.next().expect("its file")
}

fn events(shop: &TestBox, action: &str) -> Vec<Event> {
    let rows = shop.catalog().events(0, 10_000).expect("events");
    let all = rows.into_iter().map(|row| row.event);
    all.filter(|event| event.action == action).collect()
}

fn copy(from: &Path, to: &Path) {
    let status = std::process::Command::new("cp")
        .args(["-a"])
        .arg(from)
        .arg(to)
        .status();
    assert!(status.expect("cp runs").success());
}

#[test]
fn a_revoked_person_with_an_old_copy_of_the_state_folder_opens_nothing_newer() {
    let (mut shop, _server) = recording(300);
    let manager = person(
        &shop,
        "manager1",
        &["--role", "manager", "--camera", "till"],
    );
    // With it the controller gives what is recorded already, and the generation in force.
    confirm(&shop, "manager1");
    let growing = |shop: &TestBox| shop.line("till/main").growing;
    // Whoever approves is in the copy too.
    shop.approval();
    // What somebody with access to the box could have taken along.
    let stolen = shop.path("stolen");
    shop.stop();
    let before = segments(&shop).pop().expect("one");
    copy(&shop.dir, &stolen);
    shop.start();
    shop.wait_for_pictures(&["till/main"], 30);
    let running = growing(&shop).expect("it grows").segment;
    shop.run(&["user", "revoke", "manager1"]).ok();
    let revoked = now();
    // Without a restart, and long before the segment would have been cut.
    wait(&mut shop, "the next segment", |shop| {
        growing(shop).is_some_and(|now| now.segment != running && now.durable_bytes > 0)
    });
    shop.stop();
    let current = shop.catalog().current_generation().expect("query");
    let after: GenerationId = current.expect("one").generation;
    let rows = segments(&shop);
    let last = rows.iter().find(|row| row.segment == running);
    let (last, new) = (last.expect("its row"), rows.last().expect("one"));
    assert_eq!(
        (before.generation, new.generation),
        (last.generation, after)
    );
    assert_ne!(last.generation, after);
    let late_us = last.end.us_since(revoked);
    assert!(
        late_us <= GOP_US + 500_000,
        "{late_us} us are the manager's"
    );
    assert_eq!(new.start, last.end, "nothing is lost by it");
    let (old_file, new_file) = (file_of(&shop, &before), file_of(&shop, new));
    let who = proof(&shop, "manager1", &manager);
    let denied = open(&shop, &stolen, &new_file, &who, "new.mp4").error();
    assert!(denied.contains("does not hold"), "{denied}");
    let who = proof(&shop, "manager1", &manager);
    open(&shop, &stolen, &old_file, &who, "old.mp4").ok();
    // On the box itself there is nobody of that name any more; whoever stays opens both.
    let who = proof(&shop, "manager1", &manager);
    let gone = open(&shop, &shop.dir, &old_file, &who, "gone.mp4").error();
    assert!(gone.contains("has not enrolled"), "{gone}");
    for (file, output) in [(&old_file, "a.mp4"), (&new_file, "b.mp4")] {
        let who = proof(&shop, "controller1", &shop.factor);
        open(&shop, &shop.dir, file, &who, output).ok();
    }
    shop.check(true);
}

#[test]
fn an_act_has_a_person_a_fresh_code_a_purpose_and_two_events() {
    let (mut shop, _server) = recording(10);
    shop.stop();
    let recorded = shop.ls("till/main").footage.coverage.recorded[0];
    let (from, to) = (recorded.start.rfc3339(), recorded.end.rfc3339());
    let with = |who: &[PathBuf], approval: &[PathBuf], output: &str| {
        let mut export = shop.command(&["export", "--camera", "till"]);
        export.args(["--from", &from, "--to", &to]);
        export.args(["--purpose", PURPOSE]).args(who).args(approval);
        ran(export.arg("-o").arg(shop.path(output)))
    };
    let export = |who: &[PathBuf], output: &str| with(who, &shop.approval(), output);
    let approval = shop.approval();
    let who = proof(&shop, "controller1", &shop.factor);
    let alone = with(&who, &[], "alone.mp4").error();
    assert!(alone.contains("--approver"), "{alone}");
    assert!(events(&shop, "export").is_empty(), "nothing began");
    with(&who, &approval, "first.mp4").ok();
    let replay = export(&who, "second.mp4").error();
    assert!(replay.contains("used already"), "{replay}");
    let told = events(&shop, "export");
    let results: Vec<_> = told.iter().map(|event| event.result.as_str()).collect();
    assert_eq!(results, ["begun", "ok"]);
    let account = shop.catalog().account("controller1").expect("query");
    let controller = account.expect("there").person.to_string();
    assert!(told.iter().all(|event| event.actor == controller));
    assert_eq!(told[0].facts["purpose"], PURPOSE);
    let account = shop.catalog().account("controller2").expect("query");
    let approver = account.expect("there").person.to_string();
    assert_eq!(told[0].facts["approver"], approver);
    // Who administers shows who they are and may not; nor may a manager of another camera. Both are told of.
    let admin = Factor::at(&shop.path(""), "admin1");
    let token = shop.path("tokens/admin1.token");
    shop.enrol(&token, &shop.passphrase, &admin).ok();
    let refused = export(&proof(&shop, "admin1", &admin), "third.mp4").error();
    assert!(refused.contains("wrong-role"), "{refused}");
    shop.add_camera("ovi", "127.0.0.1:1".parse().expect("address"), &[]);
    let manager = person(&shop, "manager1", &["--role", "manager", "--camera", "ovi"]);
    let rests = export(&proof(&shop, "manager1", &manager), "fourth.mp4").error();
    assert!(rests.contains("resting"), "{rests}");
    let said = confirm(&shop, "manager1");
    assert!(said.contains("earlier vault generations"), "{said}");
    let other = export(&proof(&shop, "manager1", &manager), "fifth.mp4").error();
    assert!(other.contains("wrong-camera"), "{other}");
    let (own, other) = approvals_that_count_for_nothing(&shop, &manager, &with);
    assert_eq!(own.facts["approver"], own.actor);
    assert_ne!(other.facts["approver"], other.actor);
    let refusals = events(&shop, "export");
    let refusals = refusals.iter().filter(|event| event.result == "refused");
    assert_eq!(refusals.count(), 5);
    for clip in [
        "alone", "second", "third", "fourth", "fifth", "own", "other",
    ] {
        assert!(!shop.path(&format!("{clip}.mp4")).exists());
    }
    shop.check(true);
}

/// An export: who, who approves it, the file.
type Export<'a> = dyn Fn(&[PathBuf], &[PathBuf], &str) -> Ran + 'a;

/// One's own, and that of somebody who may approve nothing: both are refused and told of, though each has shown who they are.
fn approvals_that_count_for_nothing(
    shop: &TestBox,
    manager: &Factor,
    with: &Export<'_>,
) -> (Event, Event) {
    let approval = |name: &str, factor: &Factor| -> Vec<PathBuf> {
        let code = shop.secret("approver-code", &factor.code());
        let given = [
            ("--approver", name.into()),
            ("--approver-passphrase-file", shop.passphrase.clone()),
            ("--approver-code-file", code),
        ];
        given.into_iter().flat_map(|(n, g)| [n.into(), g]).collect()
    };
    let last = || events(shop, "export").pop().expect("one");
    let own = approval("controller1", &shop.factor);
    let who = proof(shop, "controller1", &shop.factor);
    let refused = with(&who, &own, "own.mp4").error();
    assert!(refused.contains("nobody approves what they"), "{refused}");
    let own = last();
    // A manager whose grant does not say that they approve.
    let other = approval("manager1", manager);
    let who = proof(shop, "controller1", &shop.factor);
    let refused = with(&who, &other, "other.mp4").error();
    assert!(refused.contains("manager1 may not"), "{refused}");
    (own, last())
}

#[test]
fn the_console_says_who_may_what_and_takes_it_away() {
    let shop = TestBox::new();
    shop.add_camera("till", "127.0.0.1:1".parse().expect("address"), &[]);
    let list = shop.run(&["user", "list"]).ok();
    assert!(
        list.contains("controller1") && list.contains("enrols until"),
        "{list}"
    );
    let wrong = shop.run(&["user", "add", "x", "--role", "boss"]).error();
    assert!(
        wrong.contains("maintenance"),
        "the roles are named: {wrong}"
    );
    let unknown = ["user", "add", "x", "--role", "staff", "--camera", "ovi"];
    assert!(shop.run(&unknown).error().contains("no camera \"ovi\""));
    let shown = shop.run(&[
        "user", "add", "staff1", "--role", "staff", "--camera", "till",
    ]);
    assert!(shown.ok().contains("shown now and never again"));
    let review = shop
        .run(&["user", "review", "--confirm", "controller1"])
        .ok();
    assert!(
        review.contains("since") && review.contains("by console"),
        "{review}"
    );
    shop.run(&["user", "undertaking", "staff1", "--undertaking", "2026-1"])
        .ok();
    shop.run(&["user", "revoke", "staff1"]).ok();
    let gone = shop.run(&["user", "grant", "staff1", "--role", "auditor"]);
    assert!(gone.error().contains("was removed"));
    let review = shop.run(&["user", "review"]).ok();
    assert!(review.contains("REMOVED"), "history stays: {review}");
    shop.run(&["vault", "status"]).ok();
    let before = shop.catalog().generations().expect("query").len();
    shop.run(&["vault", "rotate"]).ok();
    assert_eq!(
        shop.catalog().generations().expect("query").len(),
        before + 1
    );
    // The only controller loses everything: two shares are the way back, one is none.
    let token = shop.path("again.token");
    let mut reset = shop.command(&["user", "reset", "controller1", "--token-file"]);
    let said = ran(reset.arg(&token)).ok();
    assert!(said.contains("rests until a controller confirms"), "{said}");
    let factor = Factor::at(&shop.path(""), "again");
    shop.enrol(&token, &shop.passphrase, &factor).ok();
    assert_eq!(shop.run(&["vault", "status"]).code, 1);
    let recover = |shares: &[usize]| {
        let mut recover = shop.command(&["vault", "recover", "controller1"]);
        for n in shares {
            recover.arg("--recovery").arg(&shop.shares[*n]);
        }
        ran(&mut recover)
    };
    recover(&[0]).error();
    let said = recover(&[0, 2]).ok();
    assert!(said.contains("earlier vault generations"), "{said}");
    shop.run(&["vault", "status"]).ok();
    assert_eq!(events(&shop, "recovery-used").len(), 1);
}
