//! A disclosure from the request to the prepared package, by two people; how long that took, as a JSON line.

use std::time::{Duration, Instant};

use serde_json::json;
use sinetti::base::time::Wall;

use crate::Place;
use police_request::police_request;

#[path = "../../tests/web/police_request.rs"]
mod police_request;

/// How often is looked how far the package is.
const LOOK: Duration = Duration::from_millis(100);

/// Asks for so many seconds of `cameras` as `name`, has the controller approve it, and waits for the package. True when it was made.
pub(crate) fn disclose(
    place: &Place,
    (start, seconds): (&str, u32),
    cameras: &[&str],
    name: &str,
) -> bool {
    let start = Wall::parse_rfc3339(start).expect("a time");
    let (manager, controller) = (place.signed_in(name), place.signed_in("controller1"));
    let end = start.plus_us(i64::from(seconds) * 1_000_000).rfc3339();
    let start = start.rfc3339();
    let form = police_request(&start, cameras, (&start, &end));
    let new = json!({ "kind": "authority-request", "form": form });
    let draft = manager.post("/api/v1/disclosures", &new).expect(201).json();
    let path = format!("/api/v1/disclosures/{}", draft["disclosure"]);
    let version = json!({ "version": draft["version"] });
    manager
        .post(&format!("{path}/request"), &version)
        .expect(200);
    let decision = json!({ "decision": "approve", "reason": "pyyntö on yksilöity" });
    controller
        .post(&format!("{path}/approval"), &decision)
        .expect(200);

    let package = format!("{path}/package");
    let began = Instant::now();
    manager.post(&package, &json!({})).expect(202);
    let state = loop {
        let state = manager.get(&package).expect(200).json();
        if !state["ended"].is_null() {
            break state;
        }
        std::thread::sleep(LOOK);
    };
    let prepared = began.elapsed().as_secs_f64();
    let parts = state["parts"].as_array().into_iter().flatten();
    let bytes: u64 = parts.filter_map(|part| part["bytes"].as_u64()).sum();
    let told = json!({
        "state": state["state"],
        "cause": state["cause"],
        "bytes": bytes,
        "seconds": prepared,
    });
    println!("{told}");
    state["state"] == "done"
}
