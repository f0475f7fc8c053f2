//! The schema: every section and key, its default, its bounds, and what must agree with what.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;
use toml::de::{DeTable, DeValue};

use crate::base::error::Kind;
use crate::base::id::CameraId;
use crate::base::zone::Zone;
use crate::config::address::{parse_address, parse_subnet, private_networks};
use crate::config::alarm;
use crate::config::credentials::Credentials;
use crate::config::error::{ConfigErrors, Problem};
use crate::config::keep::{keep_text, parse_keep};
use crate::config::load::{FILE_BYTES_MAX, FILE_NAME};
use crate::config::notice;
use crate::config::read::{Field, Problems, Section, quote};
use crate::config::types::{
    CameraConfig, Config, KEEP_SECS, Keep, NetworkConfig, QUEUE_MIB, RECEIVE_MIB,
    RESERVE_GIB_DEFAULT, RESERVE_GIB_RANGE, RecorderConfig, SEGMENT_SECS, STALL_SECS, SYNC_SECS,
    Site, Transport, VolumeConfig, ZONE_DEFAULT, mib_bytes,
};
use crate::config::values::{
    gib_bytes, parse_name, parse_stream_path, parse_volume_name, parse_volume_path,
};
use crate::config::{records, web};

/// Most cameras that one box records.
pub const CAMERAS_MAX: usize = 256;
/// Most volumes of one box.
pub const VOLUMES_MAX: usize = 16;

/// Every section and the keys it can have; whatever else a file has is refused.
pub const SECTIONS: &[(&str, &[&str])] = &[
    ("site", &["name", "zone"]),
    ("network", &["camera_subnets"]),
    ("web", web::KEYS),
    (
        "recorder",
        &[
            "segment_secs",
            "sync_secs",
            "queue_mib",
            "receive_mib",
            "stall_secs",
        ],
    ),
    ("alarm", alarm::KEYS),
    ("notice", notice::KEYS),
    ("backup", records::BACKUP_KEYS),
    ("quarantine", records::QUARANTINE_KEYS),
    ("records", records::RECORDS_KEYS),
    ("volume", &["name", "path", "reserve_gib", "dedicated"]),
    (
        "camera",
        &[
            "id",
            "name",
            "area",
            "address",
            "transport",
            "main",
            "sub",
            "credentials",
            "enabled",
            "volume",
            "purposes",
            "keep",
            "keep_sub",
        ],
    ),
];

/// Reads and checks a configuration that lies, or will lie, as `sinetti.toml` in `base_dir`: relative paths in it start
/// from there, and the credentials files must be there.
///
/// # Errors
/// Everything that is wrong with it, at once. Where the text is not even TOML, only that: all else would
/// be a guess.
pub fn parse(text: &str, base_dir: &Path) -> Result<Config, ConfigErrors> {
    parse_file(text, &base_dir.join(FILE_NAME)).map(|parsed| parsed.config)
}

/// A configuration, and the lines where its parts begin.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) config: Config,
    pub(crate) camera_lines: Vec<usize>,
    pub(crate) volume_lines: Vec<usize>,
}

/// As [`parse`], for the file at `path`.
pub(crate) fn parse_file(text: &str, path: &Path) -> Result<Parsed, ConfigErrors> {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file is larger than {FILE_BYTES_MAX} bytes");
        return Err(ConfigErrors::whole(path, Kind::Invalid, message));
    }
    let problems = Problems::of(text);
    let (root, syntax) = DeTable::parse_recoverable(text);
    for e in syntax {
        let at = e.span().map_or(0, |span| span.start);
        problems.add(at, format!("not TOML here: {}", e.message()));
    }
    if !problems.is_empty() {
        return Err(ConfigErrors::new(path, problems.into_list()));
    }
    let base_dir = path.parent().unwrap_or(Path::new(""));
    let parsed = File {
        root: root.get_ref(),
        problems: &problems,
        base_dir,
    }
    .read();
    match parsed {
        Some(parsed) if problems.is_empty() => Ok(parsed),
        _ => {
            let mut list = problems.into_list();
            if list.is_empty() {
                list.push(Problem {
                    line: None,
                    message: "a value was refused without a reason: a fault in Sinetti".to_owned(),
                });
            }
            Err(ConfigErrors::new(path, list))
        }
    }
}

/// The whole file. Each method notes what is wrong; `None` means that it noted something.
struct File<'a> {
    root: &'a DeTable<'a>,
    problems: &'a Problems,
    base_dir: &'a Path,
}

/// What cameras are checked against; `None` where it could not be read itself.
struct Surroundings {
    subnets: Option<Vec<IpNet>>,
    volume_names: Option<Vec<String>>,
}

impl<'a> File<'a> {
    fn read(&self) -> Option<Parsed> {
        let names: Vec<&str> = SECTIONS.iter().map(|(name, _)| *name).collect();
        let root = Section::open("the file", Some(self.root), 0, &names, self.problems);
        for (name, example) in [("site", "[site]"), ("volume", "[[volume]]")] {
            if !self.root.contains_key(name) {
                self.problems.add(
                    root.at(),
                    format!("the file lacks {example}; see the sample configuration"),
                );
            }
        }
        let site = self.site();
        let subnets = self.subnets();
        let web = web::read(&self.one("web", "[web]"), self.base_dir);
        let recorder = self.recorder();
        let alarm = alarm::read(&self.one("alarm", "[alarm]"), self.base_dir);
        let notice = notice::read(&self.one("notice", "[notice]"));
        let backup = records::read_backup(&self.one("backup", "[backup]"));
        let quarantine = records::read_quarantine(&self.one("quarantine", "[quarantine]"));
        let records = records::read_records(&self.one("records", "[records]"));
        let volumes = self.many("volume", "[[volume]]", VOLUMES_MAX);
        let volume_lines = volumes.iter().map(|v| self.problems.line(v.at())).collect();
        let volumes = self.volumes(&volumes);
        let around = Surroundings {
            volume_names: volumes
                .as_ref()
                .map(|all| all.iter().map(|v| v.name.clone()).collect()),
            subnets,
        };
        let cameras = self.many("camera", "[[camera]]", CAMERAS_MAX);
        let camera_lines = cameras.iter().map(|c| self.problems.line(c.at())).collect();
        let cameras = self.cameras(&cameras, &around);
        Some(Parsed {
            config: Config {
                site: site?,
                network: NetworkConfig {
                    camera_subnets: around.subnets?.into(),
                },
                web: web?,
                recorder,
                alarm: alarm?,
                notice: notice?,
                backup,
                quarantine,
                records,
                volumes: volumes?.into_iter().map(Arc::new).collect(),
                cameras: cameras?,
            },
            camera_lines,
            volume_lines,
        })
    }

    /// A section that there can be one of.
    fn one(&self, name: &str, title: &'static str) -> Section<'a> {
        let value = self.root.get(name);
        let at = value.map_or(0, |value| value.span().start);
        let table = value.and_then(|value| match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => {
                self.problems.add(
                    at,
                    format!("{name} must be one section that begins with {title}"),
                );
                None
            }
        });
        Section::open(title, table, at, keys_of(name), self.problems)
    }

    /// A section that there can be several of.
    fn many(&self, name: &str, title: &'static str, count_max: usize) -> Vec<Section<'a>> {
        let Some(value) = self.root.get(name) else {
            return Vec::new();
        };
        let DeValue::Array(entries) = value.get_ref() else {
            let what = format!(
                "{name} must be sections that begin with {title}, two brackets, since there can be several"
            );
            self.problems.add(value.span().start, what);
            return Vec::new();
        };
        if let Some(first_above) = entries.get(count_max) {
            self.problems.add(
                first_above.span().start,
                format!("there can be at most {count_max} of {title}"),
            );
        }
        let mut sections = Vec::new();
        for entry in entries.iter().take(count_max) {
            let at = entry.span().start;
            match entry.get_ref() {
                DeValue::Table(table) => sections.push(Section::open(
                    title,
                    Some(table),
                    at,
                    keys_of(name),
                    self.problems,
                )),
                _ => self.problems.add(
                    at,
                    format!("{name} must be sections that begin with {title}"),
                ),
            }
        }
        sections
    }

    fn site(&self) -> Option<Site> {
        let section = self.one("site", "[site]");
        if !self.root.contains_key("site") {
            return None;
        }
        let name = section.required("name", "\"Myymälä 1\"", parse_name);
        let zone = match section.text("zone") {
            Some(_) => section.parsed("zone", Zone::named)?.value,
            None => Zone::named(ZONE_DEFAULT).ok()?,
        };
        Some(Site {
            name: name?.value,
            zone,
        })
    }

    fn subnets(&self) -> Option<Vec<IpNet>> {
        let section = self.one("network", "[network]");
        if !section.has("camera_subnets") {
            return Some(private_networks().to_vec());
        }
        let nets = section.list("camera_subnets", parse_subnet)?;
        let complete = nets.len() == section.entries("camera_subnets");
        complete.then(|| nets.into_iter().map(|net| net.value).collect())
    }

    fn recorder(&self) -> RecorderConfig {
        let section = self.one("recorder", "[recorder]");
        RecorderConfig {
            segment_secs: section.whole("segment_secs", SEGMENT_SECS),
            sync_secs: section.whole("sync_secs", SYNC_SECS),
            queue_bytes: mib_bytes(section.whole("queue_mib", QUEUE_MIB)),
            receive_bytes: mib_bytes(section.whole("receive_mib", RECEIVE_MIB)),
            stall_secs: section.whole("stall_secs", STALL_SECS),
        }
    }

    fn volumes(&self, sections: &[Section<'a>]) -> Option<Vec<VolumeConfig>> {
        let mut names = Unique::new("volume name", self.problems);
        let mut paths: Vec<Field<PathBuf>> = Vec::new();
        let mut volumes = Vec::new();
        for section in sections {
            let name = section.required("name", "\"levy-1\"", parse_volume_name);
            let path = section.required("path", "\"/srv/sinetti\"", parse_volume_path);
            let reserve_gib =
                section.decimal("reserve_gib", RESERVE_GIB_DEFAULT, RESERVE_GIB_RANGE);
            let dedicated = section.flag("dedicated", false);
            if let Some(name) = &name {
                names.claim(&name.value, name.at);
            }
            if let Some(path) = &path {
                self.keep_apart(&paths, path);
                paths.push(path.clone());
            }
            if let (Some(name), Some(path)) = (name, path) {
                volumes.push(VolumeConfig {
                    name: name.value,
                    path: path.value,
                    reserve_bytes: gib_bytes(reserve_gib),
                    dedicated,
                });
            }
        }
        (!volumes.is_empty() && volumes.len() == sections.len()).then_some(volumes)
    }

    fn keep_apart(&self, earlier: &[Field<PathBuf>], path: &Field<PathBuf>) {
        let meets = |other: &&Field<PathBuf>| {
            path.value.starts_with(&other.value) || other.value.starts_with(&path.value)
        };
        if let Some(other) = earlier.iter().find(meets) {
            let line = self.problems.line(other.at);
            self.problems.add(path.at, format!("path: it is, lies in or holds the volume of line {line}; give each its own folder"));
        }
    }

    fn cameras(
        &self,
        sections: &[Section<'a>],
        around: &Surroundings,
    ) -> Option<Vec<Arc<CameraConfig>>> {
        let mut ids = Unique::new("camera id", self.problems);
        let mut names = Unique::new("camera name", self.problems);
        let mut cameras = Vec::new();
        for section in sections {
            let id = section.required("id", "\"kassa-1\"", str::parse::<CameraId>);
            let name = section.required("name", "\"Kassa 1\"", parse_name);
            if let Some(id) = &id {
                ids.claim(id.value.as_str(), id.at);
            }
            if let Some(name) = &name {
                names.claim(&name.value, name.at);
            }
            let camera = self.camera(
                section,
                around,
                id.map(|id| id.value),
                name.map(|name| name.value),
            );
            cameras.extend(camera.map(Arc::new));
        }
        (cameras.len() == sections.len()).then_some(cameras)
    }

    fn camera(
        &self,
        section: &Section<'a>,
        around: &Surroundings,
        id: Option<CameraId>,
        name: Option<String>,
    ) -> Option<CameraConfig> {
        let area = section.required("area", "\"Kassat\"", parse_name);
        let address = section.required("address", "\"192.168.10.21\"", |text| {
            let address = parse_address(text)?;
            around.refusal(address.ip()).map_or(Ok(address), Err)
        });
        let transport = section.parsed("transport", str::parse::<Transport>);
        let main = section.required("main", "\"/stream1\"", parse_stream_path);
        let sub = section.parsed("sub", parse_stream_path);
        let credentials = section.parsed("credentials", |text| self.credentials(text));
        let enabled = section.flag("enabled", true);
        let volume = section.parsed("volume", |text| around.volume(text));
        section.require("purposes", "[\"protection-of-property\"]");
        let purposes = section.list("purposes", str::parse);
        let keep = self.keep(section);
        Some(CameraConfig {
            id: id?,
            name: name?,
            area: area?.value,
            address: address?.value,
            transport: transport.map_or(Transport::Tcp, |transport| transport.value),
            main: main?.value,
            sub: sub.map(|sub| sub.value),
            credentials: credentials.map(|path| path.value),
            enabled,
            volume: match volume {
                Some(volume) => volume.value,
                None => around.volume_names.as_ref()?.first()?.clone(),
            },
            purposes: purposes?.into_iter().map(|purpose| purpose.value).collect(),
            keep,
        })
    }

    fn keep(&self, section: &Section<'a>) -> Keep {
        let main_secs = section
            .parsed("keep", parse_keep)
            .map_or(KEEP_SECS.default, |keep| keep.value);
        let Some(sub) = section.parsed("keep_sub", parse_keep) else {
            return Keep {
                main_secs,
                sub_secs: main_secs,
            };
        };
        if sub.value > main_secs {
            let most = keep_text(main_secs);
            self.problems.add(
                sub.at,
                format!(
                    "keep_sub: the small picture cannot be kept longer than the full one ({most})"
                ),
            );
        }
        Keep {
            main_secs,
            sub_secs: sub.value,
        }
    }

    /// Checks that the file can be used. A text that names no file is not repeated: it could be the password.
    fn credentials(&self, text: &str) -> Result<PathBuf, String> {
        if text.is_empty() {
            return Err("it is empty; leave the key out for a camera without password".to_owned());
        }
        let path = self.base_dir.join(text);
        let e = match Credentials::read(&path) {
            Ok(_) => return Ok(path),
            // A folder's own size would be what is told of it.
            Err(_) if path.is_dir() => return Err("it is a folder, not a file".to_owned()),
            Err(e) => e,
        };
        Err(match (e.kind(), e.os_code()) {
            (Kind::NotFound, _) => "there is no such file; make it with mode 0600, first line the user name, second line the password".to_owned(),
            (Kind::Denied, Some(_)) => "the file may not be read; it must belong to the user that Sinetti runs as".to_owned(),
            // Then it is a file, and its name can be told.
            (Kind::Denied | Kind::Full | Kind::Invalid, None) => e.to_string(),
            _ => "it is not a file that can be read".to_owned(),
        })
    }
}

impl Surroundings {
    /// Why the recorder may not connect to `ip`, if so.
    fn refusal(&self, ip: std::net::IpAddr) -> Option<String> {
        let subnets = self.subnets.as_ref()?;
        if subnets.iter().any(|net| net.contains(&ip)) {
            return None;
        }
        let nets: Vec<_> = subnets.iter().map(ToString::to_string).collect();
        Some(format!(
            "{ip} lies outside camera_subnets ({}); correct it, or add its network there",
            nets.join(", ")
        ))
    }

    fn volume(&self, text: &str) -> Result<String, String> {
        match &self.volume_names {
            Some(names) if !names.iter().any(|name| name == text) => Err(format!(
                "there is no volume {}; it can be: {}",
                quote(text),
                names.join(", ")
            )),
            _ => Ok(text.to_owned()),
        }
    }
}

/// Names that only one may have, and the line of the one that has it.
struct Unique<'a> {
    what: &'static str,
    lines: BTreeMap<String, usize>,
    problems: &'a Problems,
}

impl<'a> Unique<'a> {
    fn new(what: &'static str, problems: &'a Problems) -> Self {
        Self {
            what,
            lines: BTreeMap::new(),
            problems,
        }
    }

    fn claim(&mut self, name: &str, at: usize) {
        let line = self.problems.line(at);
        if let Some(first) = self.lines.get(name) {
            let what = self.what;
            self.problems.add(
                at,
                format!(
                    "{what} {} is already used in line {first}; each needs its own",
                    quote(name)
                ),
            );
        } else {
            self.lines.insert(name.to_owned(), line);
        }
    }
}

fn keys_of(name: &str) -> &'static [&'static str] {
    SECTIONS
        .iter()
        .find(|(section, _)| *section == name)
        .map_or(&[], |(_, keys)| keys)
}
