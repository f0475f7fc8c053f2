//! What the police ask for most often, as the form of a disclosure: for the tests of the API, of the whole program, and for benches.

use serde_json::{Value, json};

/// Asks for `cameras` from `start` to `end`, all times as the API has them.
pub(crate) fn police_request(
    received: &str,
    cameras: &[&str],
    (start, end): (&str, &str),
) -> Value {
    json!({
        "received": received,
        "channel": "puhelin",
        "recipient": "police",
        "organisation": "Helsingin poliisilaitos",
        "person": "ylikonstaapeli 1",
        "rank": "ylikonstaapeli",
        "unit": "rikostutkinta",
        "contact": "vaihteen kautta",
        "verified_how": "soitettu takaisin",
        "case_number": "5560/R/1234/26",
        "basis": "police-request",
        "purpose": "crime-investigation",
        "necessity": "teko näkyy kassan kuvassa",
        "cameras": cameras,
        "start": start,
        "end": end,
    })
}
