//! Checks of where footage lies: volumes, room, forecast, encryption.

use std::path::{Path, PathBuf};

use crate::base::disk::{self, Space};
use crate::base::error::Result;
use crate::base::id::{BoxId, StreamId, StreamKind};
use crate::base::time::Span;
use crate::catalog::Reader;
use crate::config::{Config, VolumeConfig};
use crate::doctor::host::{Below, Host};
use crate::doctor::{Finding, Subject, amount};
use crate::store::volume::Volume;

const US_PER_DAY: i64 = 86_400_000_000;
const SECS_PER_DAY: u64 = 86_400;

/// A folder with what the kernel says of it.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name: a volume's.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    /// Free space to keep, in bytes.
    pub reserve_bytes: u64,
    /// Whether it is what it should be and can be written.
    pub usable: Result<(), String>,
    /// Room.
    pub space: Option<Space>,
    /// Number of its device.
    pub device: Option<u64>,
    /// Name of the network file system that it is on.
    pub remote: Option<&'static str>,
}

impl Place {
    /// Looks at the folder `path`.
    pub fn look(name: &str, path: &Path) -> Self {
        let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
        let flags = rustix::fs::AtFlags::EACCESS;
        let usable = rustix::fs::accessat(rustix::fs::CWD, path, access, flags)
            .map_err(|e| format!("{} cannot be written by this user: {e}", path.display()));
        Self {
            name: name.to_owned(),
            path: path.to_owned(),
            reserve_bytes: 0,
            usable,
            space: disk::space(path).ok(),
            device: disk::device_of(path).ok(),
            remote: disk::remote_file_system(path).ok().flatten(),
        }
    }

    /// Looks at a volume of the configuration.
    pub fn look_at_volume(config: &VolumeConfig, box_id: Option<BoxId>) -> Self {
        let mut place = Self::look(&config.name, &config.path);
        place.reserve_bytes = config.reserve_bytes;
        if let Some(Err(e)) = box_id.map(|id| Volume::open(&config.path, id, &config.name)) {
            place.usable = Err(e.to_string());
        }
        place
    }

    fn below(&self, host: &Host) -> Option<Below> {
        let device = self.device?;
        host.below_device((rustix::fs::major(device), rustix::fs::minor(device)))
    }
}

pub(super) fn checks(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for place in subject.places {
        findings.push(volume(place));
        findings.extend(room(place));
        findings.push(encryption(subject.host, place));
        if let (Ok(config), Ok(reader)) = (&subject.config, &subject.catalog) {
            let forecast = forecast(subject, place, config, reader);
            findings.push(forecast.unwrap_or_else(|e| {
                Finding::unknown("forecast", e.to_string(), "see the catalog's line")
            }));
        }
    }
    findings.push(apart(subject.home, subject.places));
    findings.push(encryption(subject.host, subject.home));
    findings
}

pub(super) fn volume(place: &Place) -> Finding {
    let check = "volume";
    let named = format!("volume \"{}\" at {}", place.name, place.path.display());
    if let Some(remote) = place.remote {
        let found = format!("{named} is on {remote}");
        return Finding::bad(
            check,
            found,
            "use a local disk: what a server confirms need not be durable",
        );
    }
    match &place.usable {
        Ok(()) => Finding::ok(check, format!("{named} is this box's and can be written")),
        Err(e) => Finding::bad(
            check,
            e,
            "mount it (not read-only), and give it to the user of the service: chown sinetti:sinetti",
        ),
    }
}

pub(super) fn room(place: &Place) -> Option<Finding> {
    let check = "free-space";
    let space = place.space?;
    let found = format!(
        "volume \"{}\": {} free of {}, reserve {}",
        place.name,
        amount(space.free_bytes),
        amount(space.total_bytes),
        amount(place.reserve_bytes)
    );
    if space.total_bytes < place.reserve_bytes.saturating_mul(2) {
        let remedy = "set a smaller reserve_gib, or use a larger disk";
        return Some(Finding::bad(
            check,
            format!("{found}: most of it is reserve"),
            remedy,
        ));
    }
    if space.free_bytes < place.reserve_bytes {
        let remedy =
            "a larger disk or a further volume, a shorter keep, or less data from the cameras";
        return Some(Finding::warn(check, format!("{found}: it is full"), remedy));
    }
    Some(Finding::ok(check, found))
}

pub(super) fn encryption(host: &Host, place: &Place) -> Finding {
    let check = "disk-encryption";
    let shown = place.path.display();
    let remedy = "put it on dm-crypt (cryptsetup luksFormat, open with --allow-discards) and enable fstrim.timer: \
         a stolen disk then tells nothing at all, and freed blocks are forgotten";
    match place.below(host) {
        Some(Below {
            encrypted: true,
            discards: true,
        }) => Finding::ok(
            check,
            format!("{shown} is on dm-crypt, and freed blocks are passed on"),
        ),
        Some(Below {
            encrypted: true,
            discards: false,
        }) => Finding::warn(
            check,
            format!("{shown} is on dm-crypt, but freed blocks are not passed on to the disk"),
            "open it with discard (crypttab: discard; cryptsetup: --allow-discards) and enable fstrim.timer",
        ),
        Some(Below {
            encrypted: false, ..
        }) => {
            let found = format!(
                "{shown} is not on dm-crypt: names, sizes and times can be read from the disk (pictures cannot)"
            );
            Finding::warn(check, found, remedy)
        }
        None => Finding::unknown(
            check,
            format!("what lies below {shown} cannot be seen"),
            remedy,
        ),
    }
}

pub(super) fn apart(home: &Place, volumes: &[Place]) -> Finding {
    let check = "state-apart";
    let same: Vec<_> = volumes
        .iter()
        .filter(|place| place.device.is_some() && place.device == home.device)
        .map(|place| format!("\"{}\"", place.name))
        .collect();
    if let Some(remote) = home.remote {
        let found = format!("the state folder is on {remote}");
        return Finding::bad(
            check,
            found,
            "move it to a local disk: SQLite needs real locks",
        );
    }
    if !same.is_empty() {
        let found = format!(
            "the catalog is on the same file system as volume {}",
            same.join(", ")
        );
        let remedy = "give footage a file system of its own, so that it cannot fill the catalog's";
        return Finding::warn(check, found, remedy);
    }
    Finding::ok(check, "the catalog is where footage cannot fill it up")
}

/// What the streams of one volume need and have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Need {
    /// Bytes that they record a day.
    pub(super) daily_bytes: u64,
    /// Bytes when everything is kept as long as it is configured.
    pub(super) whole_bytes: u64,
    /// Bytes that are kept now.
    pub(super) kept_bytes: u64,
    /// Longest time that is configured, in seconds.
    pub(super) keep_secs: u64,
    /// Streams that recorded nothing of late.
    pub(super) silent: u32,
}

fn forecast(
    subject: &Subject<'_>,
    place: &Place,
    config: &Config,
    reader: &Reader,
) -> Result<Finding> {
    let now = subject.clock.wall();
    let day = Span {
        start: now.plus_us(-US_PER_DAY),
        end: now,
    };
    let mut need = Need::default();
    let cameras = config
        .cameras
        .iter()
        .filter(|camera| camera.volume == place.name && camera.enabled);
    for camera in cameras {
        for kind in [StreamKind::Main, StreamKind::Sub] {
            if camera.stream_path(kind).is_none() {
                continue;
            }
            let stream = StreamId {
                camera: camera.id.clone(),
                kind,
            };
            let rate = reader.rate(&stream, day)?;
            let secs = rate.recorded_us / 1_000_000;
            let keep = u64::from(camera.policy.of(kind).keep_secs);
            need.kept_bytes += reader.totals(&stream)?.bytes;
            need.keep_secs = need.keep_secs.max(keep);
            if let Some(daily) = rate.bytes.saturating_mul(SECS_PER_DAY).checked_div(secs) {
                need.daily_bytes += daily;
                need.whole_bytes += daily / SECS_PER_DAY * keep;
            } else {
                need.silent += 1;
            }
        }
    }
    let until = |secs: u64| {
        let us = i64::try_from(secs.saturating_mul(1_000_000)).unwrap_or(i64::MAX / 4);
        subject.zone().display(now.plus_us(us))
    };
    Ok(outlook(place, &need, until))
}

pub(super) fn outlook(place: &Place, need: &Need, until: impl Fn(u64) -> String) -> Finding {
    let check = "forecast";
    let name = &place.name;
    let Some(space) = place.space else {
        return Finding::unknown(
            check,
            format!("the room on volume \"{name}\" is not known"),
            "mount it",
        );
    };
    if need.daily_bytes == 0 {
        let found = format!("volume \"{name}\": nothing was recorded in the last day");
        return Finding::unknown(
            check,
            found,
            "ask again when the cameras have recorded for some hours",
        );
    }
    let free = space.free_bytes.saturating_sub(place.reserve_bytes);
    let have = free.saturating_add(need.kept_bytes);
    let days = |bytes: u64| bytes / need.daily_bytes;
    let silent = match need.silent {
        0 => String::new(),
        n => format!("; {n} streams that recorded nothing in the last day are not counted"),
    };
    let rate = format!("volume \"{name}\": {} a day", amount(need.daily_bytes));
    let keep_days = need.keep_secs / SECS_PER_DAY;
    if need.whole_bytes <= have {
        let found = format!(
            "{rate}; {} for {keep_days} days, {} are there{silent}",
            amount(need.whole_bytes),
            amount(have)
        );
        return Finding::ok(check, found);
    }
    let secs_to_full = free / (need.daily_bytes / SECS_PER_DAY).max(1);
    Finding::warn(
        check,
        format!(
            "{rate}; {} are needed for {keep_days} days, {} are there: about {} days fit, full about {}{silent}",
            amount(need.whole_bytes),
            amount(have),
            days(have),
            until(secs_to_full)
        ),
        "a larger disk or a further volume, a shorter keep, or less data from the cameras",
    )
}
