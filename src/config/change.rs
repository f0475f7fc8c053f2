//! Changes of a camera that is there: its keys are set in place, every other byte stays.

use std::path::Path;

use toml_edit::{Array, DocumentMut, Item, Table, Value};

use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::CameraId;
use crate::config::error::ConfigErrors;
use crate::config::load::FILE_NAME;
use crate::config::parse::parse_file;

/// What shall be another, as it was typed; `None` leaves it. Its id and its volume never change.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CameraChange {
    /// Its name.
    pub name: Option<String>,
    /// The marked area.
    pub area: Option<String>,
    /// IP address, with port if it is not 554.
    pub address: Option<String>,
    /// `tcp` or `udp`.
    pub transport: Option<String>,
    /// Path of the full picture.
    pub main: Option<String>,
    /// Path of the small picture; empty: none is recorded any more.
    pub sub: Option<String>,
    /// Path of the file with user name and password; it must be there.
    pub credentials: Option<String>,
    /// Whether it is recorded.
    pub enabled: Option<bool>,
    /// Purposes by their ids.
    pub purposes: Option<Vec<String>>,
    /// How long its footage is kept: `14 d`.
    pub keep: Option<String>,
    /// Why for more than 72 hours; empty: what `[retention]` says holds again.
    pub justification: Option<String>,
    /// Why for more than 365 days; empty: as `justification`.
    pub special_reason: Option<String>,
    /// Where the sentence for that stands; empty: as `justification`.
    pub documented_in: Option<String>,
}

/// The text of the configuration in `base_dir` with the camera changed, checked as a whole.
///
/// # Errors
/// [`Kind::NotFound`] when there is no such camera; [`Kind::Invalid`] when `text` itself is wrong, or what would come of it.
pub fn change_camera(
    text: &str,
    base_dir: &Path,
    id: &CameraId,
    change: &CameraChange,
) -> Result<String> {
    let what = || format!("changing camera \"{id}\"");
    let mut document = text
        .parse::<DocumentMut>()
        .map_err(|e| Error::invalid(format!("the configuration has mistakes to mend first: {e}")))
        .context(what)?;
    apply(table_of(&mut document, id).context(what)?, change);
    let changed = document.to_string();
    parse_file(&changed, &base_dir.join(FILE_NAME))
        .map_err(without_file)
        .context(what)?;
    Ok(changed)
}

fn table_of<'a>(document: &'a mut DocumentMut, id: &CameraId) -> Result<&'a mut Table> {
    document
        .get_mut("camera")
        .and_then(Item::as_array_of_tables_mut)
        .into_iter()
        .flat_map(|tables| tables.iter_mut())
        .find(|table| table.get("id").and_then(Item::as_str) == Some(id.as_str()))
        .ok_or_else(|| Error::new(Kind::NotFound, "it is not in the configuration"))
}

/// What an empty text takes out.
const MAY_BE_LEFT_OUT: &[&str] = &["sub", "justification", "special_reason", "documented_in"];

fn apply(camera: &mut Table, change: &CameraChange) {
    for (key, text) in [
        ("name", &change.name),
        ("area", &change.area),
        ("address", &change.address),
        ("transport", &change.transport),
        ("main", &change.main),
        ("sub", &change.sub),
        ("credentials", &change.credentials),
        ("keep", &change.keep),
        ("justification", &change.justification),
        ("special_reason", &change.special_reason),
        ("documented_in", &change.documented_in),
    ] {
        match text.as_deref() {
            Some("") if MAY_BE_LEFT_OUT.contains(&key) => drop(camera.remove(key)),
            Some(text) => set(camera, key, Value::from(text)),
            None => {}
        }
    }
    if let Some(enabled) = change.enabled {
        set(camera, "enabled", Value::from(enabled));
    }
    if let Some(purposes) = &change.purposes {
        let purposes: Array = purposes.iter().map(String::as_str).collect();
        set(camera, "purposes", Value::from(purposes));
    }
}

/// Sets a key; what stands around the value, a remark for example, stays.
fn set(table: &mut Table, key: &str, mut value: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(before) => {
            *value.decor_mut() = before.decor().clone();
            *before = value;
        }
        None => drop(table.insert(key, Item::Value(value))),
    }
}

/// What is wrong, without the lines of a file that was never written.
fn without_file(e: ConfigErrors) -> Error {
    let messages: Vec<_> = e.problems().iter().map(|p| p.message.as_str()).collect();
    Error::invalid(messages.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use std::sync::Arc;

    const TEXT: &str = "# oma huomautus\n[site]\nname = \"Myymälä 1\"\n\n[[volume]]\nname = \"levy-1\"\npath = \"/srv/sinetti\"\n\n\
         [[camera]]\nid = \"kassa-1\"\nname = \"Kassa 1\" # vanha\narea = \"Kassat\"\naddress = \"192.168.10.21\"\n\
         main = \"/stream1\"\nsub = \"/stream2\"\npurposes = [\"protection-of-property\"]\n";

    fn base() -> &'static Path {
        Path::new("/var/lib/sinetti")
    }

    fn changed(change: &CameraChange) -> Result<String> {
        change_camera(TEXT, base(), &"kassa-1".parse().expect("an id"), change)
    }

    #[test]
    fn only_what_is_given_changes_and_remarks_stay() {
        assert_eq!(changed(&CameraChange::default()).expect("nothing"), TEXT);
        let change = CameraChange {
            name: Some("Kassa A".to_owned()),
            sub: Some(String::new()),
            enabled: Some(false),
            keep: Some("48 h".to_owned()),
            ..CameraChange::default()
        };
        let text = changed(&change).expect("changed");
        let want = TEXT
            .replace("\"Kassa 1\" # vanha", "\"Kassa A\" # vanha")
            .replace("sub = \"/stream2\"\n", "")
            + "keep = \"48 h\"\nenabled = false\n";
        assert_eq!(text, want);
        let camera = Arc::clone(&parse(&text, base()).expect("good").cameras[0]);
        assert_eq!((camera.enabled, camera.sub.as_deref()), (false, None));
    }

    #[test]
    fn a_longer_time_needs_its_sentences_each_by_its_key() {
        let some = |text: &str| Some(text.to_owned());
        let lacks = |change: &CameraChange| {
            let e = changed(change).expect_err("refused").to_string();
            let keys = ["justification: ", "special_reason: ", "documented_in: "];
            keys.map(|key| e.contains(key))
        };
        let mut change = CameraChange {
            keep: some("73 h"),
            ..CameraChange::default()
        };
        assert_eq!(lacks(&change), [true, false, false]);
        change.keep = some("366 d");
        assert_eq!(lacks(&change), [true, true, true]);
        change.justification = some("thefts come to light late");
        assert_eq!(lacks(&change), [false, true, true]);
        change.special_reason = some("a case is open");
        change.documented_in = some("the register of processing, 4.2");
        let text = changed(&change).expect("changed");
        let camera = Arc::clone(&parse(&text, base()).expect("good").cameras[0]);
        assert_eq!(camera.policy.main.keep_secs, 366 * 86_400);
        // What is taken out again is missing again.
        let id = "kassa-1".parse().expect("an id");
        let less = CameraChange {
            justification: some(""),
            ..CameraChange::default()
        };
        let e = change_camera(&text, base(), &id, &less).expect_err("refused");
        assert!(e.to_string().contains("justification: "), "{e}");
    }

    #[test]
    fn what_would_come_of_it_is_checked() {
        let e = changed(&CameraChange {
            address: Some("8.8.8.8".to_owned()),
            ..CameraChange::default()
        });
        let e = e.expect_err("public");
        assert_eq!(e.kind(), Kind::Invalid);
        assert!(e.to_string().contains("public address"), "{e}");
        let other = "kassa-9".parse().expect("an id");
        let e = change_camera(TEXT, base(), &other, &CameraChange::default()).expect_err("none");
        assert_eq!(e.kind(), Kind::NotFound);
    }
}
