//! Made-up people for `scripts/soak`: they sign in with password and second factor over HTTPS, and use a box that records.
//! No part of the product.
//!
//! | arguments after `BASE ADDRESS` | |
//! |---|---|
//! | `confirm NAME…` | the controller stands behind these persons |
//! | `play SECONDS SPEED CAMERA,… NAME…` | each plays back for so long, that many times as fast as it was recorded |
//! | `disclose START SECONDS CAMERA,… NAME` | asks for that, has it approved, and waits for the package |
//! | `sign-in SECONDS CAMERA/STREAM NAME…` | what eight wrong sign-ins at a time do to API, live pictures and recording |
//!
//! `BASE` is the folder of `scripts/common.sh`: the box in `box`, the passphrase of all in `passphrase`, factors in `NAME.factor`.
#![allow(missing_docs, reason = "a program")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it has a clock of its own and tells"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use sinetti::access::totp::{self, Secret};
use sinetti::base::time::Wall;

mod disclose;
mod figures;
mod flood;
#[path = "../../tests/system/support/http.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod http;
mod play;

use http::Client;

/// The box, and where it serves.
pub(crate) struct Place {
    base: PathBuf,
    address: std::net::SocketAddr,
}

impl Place {
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address, &self.base.join("box/authority.crt"))
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.base.join("box")
    }

    /// A person, signed in. Which code was used last is in `NAME.step`, where `scripts/common.sh` looks too.
    pub(crate) fn signed_in(&self, name: &str) -> Client {
        let password = read(&self.base.join("passphrase"));
        let factor = read(&self.base.join(format!("{name}.factor")));
        let secret = Secret::parse(&factor).expect("a factor");
        let used = self.base.join(format!("{name}.step"));
        let last = std::fs::read_to_string(&used).ok();
        let last: u64 = last.map_or(0, |text| text.trim().parse().expect("a step"));
        let step = loop {
            let present = totp::step_at(now());
            if last < present + totp::STEPS_AROUND {
                break present.max(last + 1);
            }
            std::thread::sleep(Duration::from_secs(1));
        };
        std::fs::write(&used, format!("{step}\n")).expect("writes");
        let mut client = self.client();
        client.sign_in(name, &password, &secret.code(step));
        client
    }
}

pub(crate) fn now() -> Wall {
    SystemTime::now().into()
}

fn read(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.trim().to_owned()
}

/// The controller compares fingerprints with themselves: right for made-up people only.
fn confirm(place: &Place, names: &[String]) {
    let controller = place.signed_in("controller1");
    let persons = controller.get("/api/v1/persons").expect(200).json();
    for name in names {
        let listed = persons["persons"].as_array().expect("a list").iter();
        let person = listed.into_iter().find(|p| p["name"] == **name);
        let fingerprint = &person.unwrap_or_else(|| panic!("no person {name}"))["fingerprint"];
        let given = serde_json::json!({ "fingerprint": fingerprint });
        let path = format!("/api/v1/persons/{name}/confirmation");
        controller.post(&path, &given).expect(200);
    }
}

fn main() -> ExitCode {
    // cargo bench adds --bench; there is nothing to do then.
    let given: Vec<String> = std::env::args().skip(1).collect();
    let given: Vec<_> = given.into_iter().filter(|a| !a.starts_with("--")).collect();
    let [base, address, what, rest @ ..] = &given[..] else {
        return ExitCode::SUCCESS;
    };
    let place = Place {
        base: base.into(),
        address: address.parse().expect("an address with a port"),
    };
    let held = match (what.as_str(), rest) {
        ("confirm", names) => {
            confirm(&place, names);
            true
        }
        ("play", [seconds, speed, cameras, names @ ..]) => {
            let cameras: Vec<_> = cameras.split(',').map(str::to_owned).collect();
            play::play(&place, number(seconds), number(speed), &cameras, names)
        }
        ("disclose", [start, seconds, cameras, name]) => {
            let cameras: Vec<_> = cameras.split(',').collect();
            let span = (start.as_str(), number(seconds));
            disclose::disclose(&place, span, &cameras, name)
        }
        ("sign-in", [seconds, stream, names @ ..]) => {
            flood::sign_in(&place, number(seconds), stream, names)
        }
        _ => panic!("what is {what}?"),
    };
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn number(text: &str) -> u32 {
    text.parse().expect("a whole number")
}
