//! Every route, for every role and in every state, against the golden matrix.

use crate::world::{ON_PREMISES, World};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use sinetti::access::people::PeopleAct;
use sinetti::access::role::{Reach, Right, Role, allows};
use sinetti::http::matrix::{Line, MATRIX, Need};
use sinetti::http::routes;
use std::collections::BTreeSet;
use std::time::Duration;

/// Which role reaches which route: staff, manager, controller, auditor, admin, maintenance. Written by hand; a route that is not
/// here, or answers another role than here, fails.
const GOLDEN: &str = include_str!("matrix.golden");

/// Words with which access is refused.
const REFUSED: &[&str] = &[
    "off-premises",
    "not-signed-in",
    "expired",
    "revoked",
    "undertaking-lapsed",
    "wrong-role",
    "resting",
    "wrong-camera",
    "step-up",
    "vault-locked",
];

/// Something for every `{name}`; what it names is nobody and nothing, except the camera.
fn request(line: &Line, camera: &str, cookie: Option<&str>) -> Request<Body> {
    let zeros = "0".repeat(32);
    let path = line
        .path
        .replace("{camera}", camera)
        .replace("{stream}", "main")
        .replace("{playback}", &zeros)
        .replace("{segment}", "00000000-0000-0000-0000-000000000000")
        .replace("{file}", "0.m4s")
        .replace("{name}", "nobody")
        .replace("{role}", "staff")
        .replace("{seq}", "999999")
        .replace("{alarm}", "999999")
        .replace("{hold}", "999999")
        .replace("{disclosure}", "99999999")
        .replace("{part}", "1")
        .replace("{shortening}", "999999");
    assert!(!path.contains('{'), "{path}: give its part a value here");
    let path = if path.ends_with("/coverage") || path.ends_with("/activity") {
        format!("{path}?start=2026-11-23T00:00:00Z&end=2026-11-23T01:00:00Z")
    } else if path.contains("/deletions/") {
        format!("{path}?start=2026-11-22T00:00:00Z&end=2026-11-22T01:00:00Z")
    } else {
        path
    };
    let mut request = Request::builder()
        .method(line.method)
        .uri(path)
        .header("content-type", "application/json");
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    // No field that any route wants: what is allowed fails for that reason, and changes nothing.
    request.body(Body::from("{}")).expect("a request")
}

/// The word of the refusal; empty when access was given.
fn refused(world: &World, line: &Line, camera: &str, cookie: Option<&str>) -> String {
    let answer = world.call(request(line, camera, cookie), ON_PREMISES);
    assert!(
        !answer.status.is_server_error(),
        "{} {}: {}",
        line.method,
        line.path,
        answer.status
    );
    let word = answer.word();
    if REFUSED.contains(&word.as_str()) {
        word
    } else {
        String::new()
    }
}

fn rights() -> impl Iterator<Item = (&'static Line, Right)> {
    MATRIX.iter().filter_map(|line| match line.need {
        Need::Right(right) => Some((line, right)),
        Need::Nothing => None,
    })
}

/// Signing out ends what the other routes need.
fn is_sign_out(line: &Line) -> bool {
    (line.method, line.path) == ("DELETE", "/api/v1/session")
}

#[test]
fn the_router_answers_the_lines_of_the_matrix_and_no_others() {
    let world = World::new();
    let (_, answered) = routes::all(&world.app);
    let set =
        |lines: &[Line]| -> BTreeSet<_> { lines.iter().map(|l| (l.method, l.path)).collect() };
    assert_eq!(set(&answered), set(MATRIX));
    assert_eq!(answered.len(), MATRIX.len());
}

#[test]
fn every_role_reaches_what_the_golden_matrix_says_and_nothing_else() {
    let world = World::new();
    let mut found = String::new();
    for line in MATRIX {
        let Need::Right(_) = line.need else {
            found.push_str(&format!("public  {:6} {}\n", line.method, line.path));
            continue;
        };
        let mut row = String::new();
        for role in Role::ALL {
            let cookie = world.sign_in(role.as_str());
            row.push(
                match refused(&world, line, "kassa-1", Some(&cookie)).as_str() {
                    "" => 'x',
                    "wrong-role" => '-',
                    other => panic!("{role} {} {}: {other}", line.method, line.path),
                },
            );
        }
        found.push_str(&format!("{row:7} {:6} {}\n", line.method, line.path));
    }
    assert_eq!(found, GOLDEN, "tests/web/matrix.golden differs");
}

#[test]
fn nobody_without_a_session_reaches_anything_but_signing_in() {
    let world = World::new();
    let garbage = format!("__Host-sinetti={}", "ab".repeat(32));
    for (line, _) in rights() {
        for cookie in [None, Some("__Host-sinetti=x"), Some(garbage.as_str())] {
            let word = refused(&world, line, "kassa-1", cookie);
            assert_eq!(word, "not-signed-in", "{} {}", line.method, line.path);
        }
    }
}

#[test]
fn off_premises_nothing_is_reached_whoever_asks() {
    let world = World::new();
    for role in Role::ALL {
        let cookie = world.sign_in(role.as_str());
        for (line, _) in rights() {
            for from in ["192.168.11.7:50000", "8.8.8.8:50000", "[fd00::7]:50000"] {
                let answer = world.call(request(line, "kassa-1", Some(&cookie)), from);
                let seen = (answer.status, answer.word());
                let expected = (StatusCode::FORBIDDEN, "off-premises".to_owned());
                assert_eq!(seen, expected, "{role} {} {}", line.method, line.path);
            }
        }
    }
}

/// In a state in which no session is good any more, every route says why.
fn all_end(why: &str, bring_about: impl Fn(&World, &str)) {
    let world = World::new();
    for role in Role::ALL {
        let cookie = world.sign_in(role.as_str());
        bring_about(&world, role.as_str());
        for (line, _) in rights() {
            let answer = world.call(request(line, "kassa-1", Some(&cookie)), ON_PREMISES);
            let seen = (answer.status, answer.word());
            let expected = (StatusCode::UNAUTHORIZED, why.to_owned());
            assert_eq!(seen, expected, "{role} {} {}", line.method, line.path);
        }
    }
}

#[test]
fn an_old_session_reaches_nothing() {
    all_end("expired", |world, _| {
        world.clock.advance(Duration::from_secs(16 * 60));
    });
}

#[test]
fn after_the_end_of_validity_nothing_is_reached() {
    all_end("expired", |world, name| {
        world.change(&PeopleAct::Validity {
            name: name.to_owned(),
            valid: sinetti::catalog::Validity {
                from: world.now().plus_us(-2_000_000),
                until: Some(world.now().plus_us(-1_000_000)),
            },
        });
    });
}

#[test]
fn who_was_removed_reaches_nothing() {
    all_end("revoked", |world, name| {
        world.change(&PeopleAct::Revoke {
            name: name.to_owned(),
            role: None,
        });
    });
}

#[test]
fn without_an_undertaking_nothing_is_reached() {
    all_end("undertaking-lapsed", |world, name| {
        world.change(&PeopleAct::Undertaking {
            name: name.to_owned(),
            undertaking: None,
        });
    });
}

#[test]
fn own_cameras_are_own_cameras() {
    let world = World::new();
    for role in Role::ALL {
        let cookie = world.sign_in(role.as_str());
        for (line, right) in rights().filter(|(line, _)| line.path.contains("{camera}")) {
            let expected = match allows(*role, right) {
                Reach::None => "wrong-role",
                Reach::OwnCameras => "wrong-camera",
                _ => "",
            };
            for camera in ["ovi-2", "kassa-9"] {
                let word = refused(&world, line, camera, Some(&cookie));
                assert_eq!(
                    word, expected,
                    "{role} {camera} {} {}",
                    line.method, line.path
                );
            }
        }
    }
}

#[test]
fn a_factor_shown_long_ago_is_asked_for_again_and_a_fresh_one_counts() {
    let world = World::new();
    for role in Role::ALL {
        let name = role.as_str();
        let cookie = world.sign_in(name);
        world.clock.advance(Duration::from_secs(6 * 60));
        for (line, right) in rights().filter(|(line, _)| !is_sign_out(line)) {
            let expected = match allows(*role, right) {
                // Nobody here was granted what a role has if it is granted.
                Reach::None | Reach::IfGranted => "wrong-role",
                // For those who see the whole ledger.
                Reach::OwnActs
                    if ["/anchors", "/classes", "/deletions/"]
                        .iter()
                        .any(|part| line.path.contains(part)) =>
                {
                    "wrong-role"
                }
                _ if right.needs_step_up() => "step-up",
                _ => "",
            };
            let word = refused(&world, line, "kassa-1", Some(&cookie));
            assert_eq!(word, expected, "{role} {} {}", line.method, line.path);
        }
        let given = serde_json::json!({ "code": world.code(name) });
        let stepped = world.post("/api/v1/session/step-up", &given, Some(&cookie));
        assert_eq!(stepped.status, StatusCode::NO_CONTENT);
        for (line, right) in rights().filter(|(_, right)| right.needs_step_up()) {
            let word = refused(&world, line, "kassa-1", Some(&cookie));
            let reached = !matches!(allows(*role, right), Reach::None | Reach::IfGranted);
            assert_eq!(
                word.is_empty(),
                reached,
                "{role} {} {}",
                line.method,
                line.path
            );
        }
    }
}

#[test]
fn a_vault_that_was_not_used_is_locked_and_the_password_opens_it() {
    let world = World::new();
    for name in ["manager", "controller"] {
        let cookie = world.sign_in(name);
        for _ in 0..3 {
            world.clock.advance(Duration::from_secs(6 * 60));
            let me = world.get("/api/v1/session", Some(&cookie));
            assert_eq!(me.status, StatusCode::OK);
        }
        // By then the factor is not fresh any more either; where it has to be, that is said first.
        for (line, right) in rights().filter(|(_, right)| right.needs_vault()) {
            let word = refused(&world, line, "kassa-1", Some(&cookie));
            let lacks = if right.needs_step_up() {
                "step-up"
            } else {
                "vault-locked"
            };
            assert_eq!(word, lacks, "{name} {} {}", line.method, line.path);
        }
        let given = serde_json::json!({ "password": crate::world::PASSWORD });
        let opened = world.post("/api/v1/session/vault", &given, Some(&cookie));
        assert_eq!(opened.status, StatusCode::NO_CONTENT, "{:?}", opened.word());
        for (line, right) in rights().filter(|(_, right)| right.needs_vault()) {
            let lacks = if right.needs_step_up() { "step-up" } else { "" };
            assert_eq!(refused(&world, line, "kassa-1", Some(&cookie)), lacks);
        }
    }
}

#[test]
fn what_nobody_stands_behind_rests() {
    let world = World::new();
    for role in [Role::Manager, Role::Controller] {
        let name = role.as_str();
        let (_, enrolment) = sinetti::access::people::new_enrolment().expect("a token");
        let cookie = world.sign_in(name);
        // A reset lets vault and approval rights rest; it ends the session as well.
        world.change(&PeopleAct::Reset {
            name: name.to_owned(),
            factor_only: false,
            enrolment,
        });
        for (line, _) in rights() {
            let word = refused(&world, line, "kassa-1", Some(&cookie));
            assert_eq!(word, "revoked", "{name} {} {}", line.method, line.path);
        }
    }
}
