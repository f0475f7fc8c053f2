//! The edits that commands make: they append, so every byte that was there stays.

use std::net::SocketAddr;
use std::path::Path;

use toml_edit::{Array, Item, Table, Value};

use crate::base::disk;
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::zone::Zone;
use crate::config::error::ConfigErrors;
use crate::config::load::{FILE_NAME, Loaded, read_bounded};
use crate::config::parse::{Parsed, parse_file};

/// Mode of the configuration file. It holds no secret, and whoever runs the command that replaces it, the
/// daemon must be able to read it.
const FILE_MODE: u32 = 0o644;

/// A camera to add, as it was typed. `None` and an empty list leave the key out.
#[derive(Clone, Debug, Default)]
pub struct NewCamera {
    /// Its id, such as `kassa-1`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The marked area.
    pub area: String,
    /// IP address, with port if it is not 554.
    pub address: String,
    /// `tcp` or `udp`.
    pub transport: Option<String>,
    /// Path of the full picture.
    pub main: String,
    /// Path of the small picture.
    pub sub: Option<String>,
    /// Path of the file with user name and password; it must be there.
    pub credentials: Option<String>,
    /// True: it is added, but not recorded.
    pub disabled: bool,
    /// Name of its volume.
    pub volume: Option<String>,
    /// Purposes by their ids.
    pub purposes: Vec<String>,
    /// How long its footage is kept: `14 d`.
    pub keep: Option<String>,
    /// How long its small picture is kept.
    pub keep_sub: Option<String>,
    /// For how long it is promised to be there.
    pub guarantee: Option<String>,
    /// Why it is kept for more than 72 hours.
    pub justification: Option<String>,
    /// Why it is kept for more than 365 days.
    pub special_reason: Option<String>,
    /// Where the sentence for that stands.
    pub documented_in: Option<String>,
}

/// A volume to add, as it was typed. `None` leaves the key out.
#[derive(Clone, Debug, Default)]
pub struct NewVolume {
    /// Its name, such as `levy-1`.
    pub name: String,
    /// Its folder.
    pub path: String,
    /// Free space kept, in GiB.
    pub reserve_gib: Option<f64>,
    /// True: its file system holds nothing else.
    pub dedicated: bool,
}

/// The text of the configuration in `base_dir` with `camera` appended, checked as a whole.
///
/// # Errors
/// [`Kind::Exists`] when its id is there, naming the line; [`Kind::Invalid`] when `text` itself is wrong, or what would
/// come of it.
pub fn add_camera(text: &str, base_dir: &Path, camera: &NewCamera) -> Result<String> {
    let what = || format!("adding camera {:?}", camera.id);
    let before = before(text, base_dir).context(what)?;
    let mut ids = before.config.cameras.iter().map(|other| other.id.as_str());
    if let Some(i) = ids.position(|id| id == camera.id) {
        return Err(taken(base_dir, before.camera_lines.get(i))).context(what);
    }
    let mut table = Table::new();
    for (key, text) in [
        ("id", Some(&camera.id)),
        ("name", Some(&camera.name)),
        ("area", Some(&camera.area)),
        ("address", Some(&camera.address)),
        ("transport", camera.transport.as_ref()),
        ("main", Some(&camera.main)),
        ("sub", camera.sub.as_ref()),
        ("credentials", camera.credentials.as_ref()),
        ("volume", camera.volume.as_ref()),
        ("keep", camera.keep.as_ref()),
        ("keep_sub", camera.keep_sub.as_ref()),
        ("guarantee", camera.guarantee.as_ref()),
        ("justification", camera.justification.as_ref()),
        ("special_reason", camera.special_reason.as_ref()),
        ("documented_in", camera.documented_in.as_ref()),
    ] {
        if let Some(text) = text {
            table.insert(key, Item::from(text.as_str()));
        }
    }
    if camera.disabled {
        table.insert("enabled", Item::from(false));
    }
    if !camera.purposes.is_empty() {
        let purposes: Array = camera.purposes.iter().map(String::as_str).collect();
        table.insert("purposes", Item::from(Value::from(purposes)));
    }
    append(text, base_dir, &section("[[camera]]", &table)).context(what)
}

/// The text of the configuration in `base_dir` with `volume` appended, checked as a whole. It comes after
/// the others, so the first stays the default.
///
/// # Errors
/// As [`add_camera`].
pub fn add_volume(text: &str, base_dir: &Path, volume: &NewVolume) -> Result<String> {
    let what = || format!("adding volume {:?}", volume.name);
    let before = before(text, base_dir).context(what)?;
    let mut names = before
        .config
        .volumes
        .iter()
        .map(|other| other.name.as_str());
    if let Some(i) = names.position(|name| name == volume.name) {
        return Err(taken(base_dir, before.volume_lines.get(i))).context(what);
    }
    append(text, base_dir, &volume_section(volume)).context(what)
}

/// Replaces the configuration at `path` by `text`, as a whole.
///
/// # Errors
/// [`Kind::Busy`] when the file is no longer what was `loaded`: somebody else edited it meanwhile. Else what the operating system
/// says; then the old file stands.
pub fn save(path: &Path, loaded: &Loaded, text: &str) -> Result<()> {
    let what = || format!("saving the configuration {}", path.display());
    let there = Digest::sha256(&[&read_bounded(path).context(what)?]);
    if there != loaded.digest {
        let changed = "it was changed by somebody else meanwhile; run the command again";
        return Err(Error::new(Kind::Busy, changed)).context(what);
    }
    disk::replace(path, text.as_bytes(), FILE_MODE).context(what)
}

/// The configuration that `sinetti init` writes: no cameras yet; pages and API on the addresses of `listen`, if any. With a
/// `justification` footage is kept for 14 days, without one for the 72 hours that need none.
pub fn starter(
    site_name: &str,
    zone: Zone,
    volumes: &[NewVolume],
    listen: &[SocketAddr],
    justification: Option<&str>,
) -> String {
    let mut retention = Table::new();
    if let Some(why) = justification {
        retention.insert("keep", Item::from("14 d"));
        retention.insert("justification", Item::from(why));
    } else {
        retention.insert("keep", Item::from("72 h"));
    }
    let mut web = Table::new();
    if !listen.is_empty() {
        let addresses: Array = listen.iter().map(ToString::to_string).collect();
        web.insert("listen", Item::from(Value::from(addresses)));
    }
    let mut site = Table::new();
    site.insert("name", Item::from(site_name));
    site.insert("zone", Item::from(zone.name()));
    let sections: Vec<_> = volumes.iter().map(volume_section).collect();
    format!(
        "# The configuration of Sinetti on this box. What is left out has its default.
# Every key, its default and its consequence: see sinetti.sample.toml, which comes with Sinetti.
# Secrets never stand here: a camera's password is in a file of its own.

{}
# Pages and API: over HTTPS, on private addresses, and only where `listen` says.

{}
# How long footage is kept: more than 72 hours with a justification only.

{}
# Where footage lies. `sinetti volume add` appends further volumes.

{}
# Cameras. `sinetti camera add` appends them.
",
        section("[site]", &site),
        section("[web]", &web),
        section("[retention]", &retention),
        sections.join("\n"),
    )
}

fn volume_section(volume: &NewVolume) -> String {
    let mut table = Table::new();
    table.insert("name", Item::from(volume.name.as_str()));
    table.insert("path", Item::from(volume.path.as_str()));
    if let Some(gib) = volume.reserve_gib {
        table.insert("reserve_gib", Item::from(gib));
    }
    if volume.dedicated {
        table.insert("dedicated", Item::from(true));
    }
    section("[[volume]]", &table)
}

fn section(title: &str, table: &Table) -> String {
    format!("{title}\n{table}")
}

fn before(text: &str, base_dir: &Path) -> Result<Parsed> {
    parse_file(text, &base_dir.join(FILE_NAME))
        .context(|| "the configuration has mistakes to mend first:\n")
}

fn taken(base_dir: &Path, line: Option<&usize>) -> Error {
    let file = base_dir.join(FILE_NAME);
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    Error::new(
        Kind::Exists,
        format!("it is there already, at {}{line}", file.display()),
    )
}

/// `text` with a section after it, with the line ends that the file has.
fn append(text: &str, base_dir: &Path, section: &str) -> Result<String> {
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let open_line = !text.is_empty() && !text.ends_with('\n');
    let mut whole = text.to_owned();
    if open_line {
        whole.push_str(line_end);
    }
    whole.push_str(line_end);
    let lines_before = whole.matches('\n').count();
    whole.push_str(&section.replace('\n', line_end));
    match parse_file(&whole, &base_dir.join(FILE_NAME)) {
        Ok(_) => Ok(whole),
        Err(e) => Err(typed_wrong(&e, lines_before)),
    }
}

/// Mistakes in the new section are told without the line, which nobody has seen.
fn typed_wrong(e: &ConfigErrors, lines_before: usize) -> Error {
    let messages: Vec<_> = e
        .problems()
        .iter()
        .map(
            |problem| match problem.line.filter(|line| *line <= lines_before) {
                Some(line) => format!("line {line}: {}", problem.message),
                None => problem.message.clone(),
            },
        )
        .collect();
    Error::invalid(messages.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::MINIMAL;
    use crate::config::{Origin, load, parse};

    fn base() -> &'static Path {
        Path::new("/var/lib/sinetti")
    }

    fn ovi() -> NewCamera {
        NewCamera {
            id: "ovi-1".to_owned(),
            name: "Ovi \"1\"".to_owned(),
            area: "Sisäänkäynti".to_owned(),
            address: "192.168.10.22".to_owned(),
            main: "/stream1".to_owned(),
            purposes: vec!["misuse".to_owned(), "protection-of-persons".to_owned()],
            ..NewCamera::default()
        }
    }

    #[test]
    fn a_camera_is_appended_and_every_byte_stays() {
        let crlf = MINIMAL.replace('\n', "\r\n") + "   # viimeinen, without line end";
        let odd = format!(
            "# ylin\n\n{}\n\t# alin\n\n",
            MINIMAL.replace("id = ", "  id   =  ")
        );
        for text in [MINIMAL, &crlf, &odd] {
            let old = parse(text, base()).expect("good");
            let new_text = add_camera(text, base(), &ovi()).expect("added");
            assert!(new_text.starts_with(text));
            let new = parse(&new_text, base()).expect("good");
            assert_eq!(new.cameras[..1], old.cameras[..]);
            assert_eq!(
                (new.cameras[1].name.as_str(), new.cameras[1].purposes.len()),
                ("Ovi \"1\"", 2)
            );
        }
        let added = add_camera(MINIMAL, base(), &ovi()).expect("added");
        let want = r#"
[[camera]]
id = "ovi-1"
name = 'Ovi "1"'
area = "Sisäänkäynti"
address = "192.168.10.22"
main = "/stream1"
purposes = ["misuse", "protection-of-persons"]
"#;
        assert_eq!(&added[MINIMAL.len()..], want);
    }

    #[test]
    fn every_key_of_a_new_camera_is_written() {
        let dir = tempfile::tempdir().expect("dir");
        disk::create(&dir.path().join("ovi"), b"manager1\nsalaisuus\n", 0o600).expect("file");
        let some = |text: &str| Some(text.to_owned());
        let camera = NewCamera {
            transport: some("udp"),
            sub: some("/stream2"),
            credentials: some("ovi"),
            disabled: true,
            volume: some("levy-1"),
            keep: some("96 h"),
            keep_sub: some("24 h"),
            guarantee: some("48 h"),
            justification: some("thefts come to light after three days"),
            special_reason: some("a case is open"),
            documented_in: some("the register of processing, 4.2"),
            ..ovi()
        };
        let text = add_camera(MINIMAL, dir.path(), &camera).expect("added");
        let new = parse(&text, dir.path()).expect("good");
        let camera = &new.cameras[1];
        assert_eq!(
            (camera.enabled, camera.sub.as_deref()),
            (false, Some("/stream2"))
        );
        assert_eq!(
            (camera.policy.main.keep_secs, camera.policy.sub.keep_secs),
            (345_600, 86_400)
        );
        assert_eq!(
            (
                camera.policy.main.guarantee_secs,
                camera.policy.sub.guarantee_secs
            ),
            (172_800, 86_400),
            "never more than it is kept"
        );
        assert!(camera.credentials.is_some());
        let said = &camera.policy.sentences;
        let said = [
            &said.justification,
            &said.special_reason,
            &said.documented_in,
        ];
        assert!(said.iter().all(|sentence| sentence.is_some()), "{said:?}");
    }

    #[test]
    fn what_would_come_of_it_is_checked() {
        let known = NewCamera {
            id: "kassa-1".to_owned(),
            ..ovi()
        };
        let e = add_camera(MINIMAL, base(), &known).expect_err("known");
        assert_eq!(e.kind(), Kind::Exists);
        assert_eq!(
            e.to_string(),
            "adding camera \"kassa-1\": it is there already, at /var/lib/sinetti/sinetti.toml:8"
        );

        let wrong = NewCamera {
            address: "8.8.8.8".to_owned(),
            keep: Some("14".to_owned()),
            name: "Kassa 1".to_owned(),
            ..ovi()
        };
        let e = add_camera(MINIMAL, base(), &wrong).expect_err("wrong");
        assert_eq!(e.kind(), Kind::Invalid);
        let want = "adding camera \"ovi-1\": camera name \"Kassa 1\" is already used in line 10; each needs its own
address: 8.8.8.8 is a public address; cameras are reached only in private networks (10/8, 172.16/12, 192.168/16, 169.254/16, 127/8, fc00::/7, fe80::/10, ::1)
keep: \"14\" is not a time; write hours as \"72 h\" or days as \"14 d\"";
        assert_eq!(e.to_string(), want);

        let e = add_camera("[site]\n", base(), &ovi()).expect_err("wrong before");
        assert!(e.to_string().contains("mistakes to mend first"), "{e}");
    }

    #[test]
    fn a_volume_is_appended_and_the_first_stays_first() {
        let volume = NewVolume {
            name: "levy-2".to_owned(),
            path: "/srv/b".to_owned(),
            reserve_gib: Some(0.5),
            dedicated: true,
        };
        let text = add_volume(MINIMAL, base(), &volume).expect("added");
        assert_eq!(
            &text[MINIMAL.len()..],
            "\n[[volume]]\nname = \"levy-2\"\npath = \"/srv/b\"\nreserve_gib = 0.5\ndedicated = true\n"
        );
        let new = parse(&text, base()).expect("good");
        assert_eq!(new.volumes[0].name, "levy-1");
        assert_eq!(new.volumes[1].reserve_bytes, 1 << 29);
        let again = add_volume(&text, base(), &volume)
            .expect_err("known")
            .to_string();
        assert!(
            again.ends_with("/var/lib/sinetti/sinetti.toml:16"),
            "{again}"
        );
        let nested = NewVolume {
            name: "levy-3".to_owned(),
            path: "/srv/b/c".to_owned(),
            ..volume
        };
        assert!(add_volume(&text, base(), &nested).is_err());
    }

    #[test]
    fn an_edit_by_somebody_else_is_not_overwritten() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join(FILE_NAME);
        disk::create(&path, MINIMAL.as_bytes(), 0o600).expect("file");
        let loaded = load(&path).expect("good");
        let text = add_camera(&loaded.text, dir.path(), &ovi()).expect("added");
        save(&path, &loaded, &text).expect("saved");
        assert_eq!(load(&path).expect("good").text, text);
        assert_eq!(
            save(&path, &loaded, &text).expect_err("changed").kind(),
            Kind::Busy
        );
    }

    #[test]
    fn the_starter_is_a_good_configuration_without_cameras() {
        let volume = |name: &str, path: &str| NewVolume {
            name: name.to_owned(),
            path: path.to_owned(),
            ..NewVolume::default()
        };
        let volumes = [volume("levy-1", "/srv/sinetti"), volume("levy-2", "/srv/b")];
        let zone = Zone::named("Europe/Stockholm").expect("zone");
        let listen = ["192.168.10.5:8443".parse().expect("an address")];
        let text = starter("Myymälä \"1\"", zone, &volumes, &listen, None);
        let config = parse(&text, base()).expect("good");
        assert_eq!(
            (config.site.name.as_str(), config.site.zone),
            ("Myymälä \"1\"", zone)
        );
        assert_eq!((config.volumes.len(), config.cameras.len()), (2, 0));
        let added = add_camera(&text, base(), &ovi()).expect("added");
        assert!(added.starts_with(&text));
        let kept = |text: &str| {
            let config = parse(text, base()).expect("good");
            let policy = &config.cameras[0].policy.main;
            (policy.keep_secs, policy.keep_from)
        };
        assert_eq!(kept(&added), (72 * 3600, Origin::Site));
        let why = Some("thefts come to light \"late\"");
        let justified = starter("Myymälä 1", zone, &volumes, &listen, why);
        let added = add_camera(&justified, base(), &ovi()).expect("added");
        assert_eq!(kept(&added), (14 * 86_400, Origin::Site));
    }
}
