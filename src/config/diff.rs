//! What changed between two configurations: what the daemon does about it, and what the ledger says of it.

use std::fmt::Display;

use crate::base::id::CameraId;
use crate::config::alarm::AlarmConfig;
use crate::config::keep::keep_text;
use crate::config::records::differences;
use crate::config::types::{CameraConfig, Config, VolumeConfig};
use crate::config::web::WebConfig;

/// What changed from one configuration to the next.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Diff {
    /// Cameras that were not there before.
    pub added: Vec<CameraId>,
    /// Cameras that are gone; their footage ages on.
    pub removed: Vec<CameraId>,
    /// Cameras whose streams must be started, stopped or connected anew.
    pub changed: Vec<CameraId>,
    /// Cameras of which only what is said of them changed (name, area, purposes, how long footage is kept): recording
    /// goes on unbroken.
    pub updated: Vec<CameraId>,
    /// Cameras that are the same.
    pub unchanged: Vec<CameraId>,
    /// The site's name or zone.
    pub site_changed: bool,
    /// The networks with cameras.
    pub network_changed: bool,
    /// Where pages and API are served, to whom, under which certificate.
    pub web_changed: bool,
    /// How recording is done: it concerns every stream.
    pub recorder_changed: bool,
    /// The volumes or their order.
    pub volumes_changed: bool,
    /// Each change as a line for people, without paths on cameras and without anything of a credentials file.
    pub lines: Vec<String>,
}

impl Diff {
    /// True when nothing changed.
    pub fn is_empty(&self) -> bool {
        let same = Self {
            unchanged: self.unchanged.clone(),
            ..Self::default()
        };
        *self == same
    }
}

/// What changed from `old` to `new`. The order of cameras means nothing; that a credentials file has new content
/// is not seen here (it is read at each connection).
pub fn diff(old: &Config, new: &Config) -> Diff {
    let mut diff = Diff {
        site_changed: old.site != new.site,
        network_changed: old.network != new.network,
        web_changed: old.web != new.web,
        recorder_changed: old.recorder != new.recorder,
        volumes_changed: old.volumes != new.volumes,
        ..Diff::default()
    };
    whole_lines(&mut diff.lines, old, new);
    volume_lines(&mut diff.lines, old, new);
    for camera in &new.cameras {
        let id = camera.id.clone();
        let Some(before) = old.camera(&id) else {
            diff.lines.push(format!(
                "camera {id} added: {}, {}",
                camera.name, camera.area
            ));
            diff.added.push(id);
            continue;
        };
        camera_lines(&mut diff.lines, before, camera);
        if before == camera {
            diff.unchanged.push(id);
        } else if same_streams(before, camera) {
            diff.updated.push(id);
        } else {
            diff.changed.push(id);
        }
    }
    for camera in &old.cameras {
        if new.camera(&camera.id).is_none() {
            diff.lines.push(format!("camera {} removed", camera.id));
            diff.removed.push(camera.id.clone());
        }
    }
    diff
}

/// True when the streams of `old` can go on under `new`.
fn same_streams(old: &CameraConfig, new: &CameraConfig) -> bool {
    let relabelled = CameraConfig {
        name: new.name.clone(),
        area: new.area.clone(),
        purposes: new.purposes.clone(),
        keep: new.keep,
        ..old.clone()
    };
    relabelled == *new
}

/// Notes `old → new` when they differ.
fn note<T: PartialEq + Display>(lines: &mut Vec<String>, what: impl Display, old: &T, new: &T) {
    if old != new {
        lines.push(format!("{what}: {old} → {new}"));
    }
}

/// Notes that something changed whose value is not told.
fn note_silently<T: PartialEq>(lines: &mut Vec<String>, what: impl Display, old: &T, new: &T) {
    if old != new {
        lines.push(format!("{what} changed"));
    }
}

fn joined<T: Display>(items: &[T]) -> String {
    let texts: Vec<_> = items.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

fn whole_lines(lines: &mut Vec<String>, old: &Config, new: &Config) {
    note(lines, "site name", &old.site.name, &new.site.name);
    note(
        lines,
        "site zone",
        &old.site.zone.name(),
        &new.site.zone.name(),
    );
    let nets = |config: &Config| joined(&config.network.camera_subnets);
    note(lines, "camera_subnets", &nets(old), &nets(new));
    web_lines(lines, &old.web, &new.web);
    let (before, after) = (&old.recorder, &new.recorder);
    note(
        lines,
        "segment_secs",
        &before.segment_secs,
        &after.segment_secs,
    );
    note(lines, "sync_secs", &before.sync_secs, &after.sync_secs);
    note(
        lines,
        "queue_mib",
        &(before.queue_bytes >> 20),
        &(after.queue_bytes >> 20),
    );
    note(
        lines,
        "receive_mib",
        &(before.receive_bytes >> 20),
        &(after.receive_bytes >> 20),
    );
    note(lines, "stall_secs", &before.stall_secs, &after.stall_secs);
    note_silently(lines, "privacy notice", &old.notice, &new.notice);
    lines.extend(differences(
        (&old.backup, &old.quarantine, &old.records),
        (&new.backup, &new.quarantine, &new.records),
    ));
    // The path may hold a secret, and mailboxes are persons'.
    let (old, new) = (&old.alarm, &new.alarm);
    note_silently(lines, "webhook", &old.webhook, &new.webhook);
    let mail = |alarm: &AlarmConfig| (alarm.mail.clone(), alarm.language);
    note_silently(lines, "mail", &mail(old), &mail(new));
}

fn volume_lines(lines: &mut Vec<String>, old: &Config, new: &Config) {
    let gib = |volume: &VolumeConfig| {
        let hundredths = (volume.reserve_bytes * 100) >> 30;
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    };
    for volume in &new.volumes {
        let name = &volume.name;
        let Some(before) = old.volume(name) else {
            lines.push(format!("volume {name} added: {}", volume.path.display()));
            continue;
        };
        note(
            lines,
            format!("volume {name} path"),
            &before.path.display().to_string(),
            &volume.path.display().to_string(),
        );
        note(
            lines,
            format!("volume {name} reserve_gib"),
            &gib(before),
            &gib(volume),
        );
        note(
            lines,
            format!("volume {name} dedicated"),
            &before.dedicated,
            &volume.dedicated,
        );
    }
    for volume in &old.volumes {
        if new.volume(&volume.name).is_none() {
            lines.push(format!("volume {} removed", volume.name));
        }
    }
    let first = |config: &Config| {
        config
            .volumes
            .first()
            .map(|v| v.name.clone())
            .unwrap_or_default()
    };
    note(lines, "first volume", &first(old), &first(new));
}

fn web_lines(lines: &mut Vec<String>, old: &WebConfig, new: &WebConfig) {
    let pairs = [
        ("listen", joined(&old.listen), joined(&new.listen)),
        ("names", joined(&old.names), joined(&new.names)),
        ("premises", joined(&old.premises), joined(&new.premises)),
    ];
    for (what, before, after) in pairs {
        note(lines, what, &before, &after);
    }
    note_silently(
        lines,
        "certificate files",
        &old.certificate,
        &new.certificate,
    );
    let metrics = |web: &WebConfig| web.metrics.map_or("none".to_owned(), |at| at.to_string());
    note(lines, "metrics", &metrics(old), &metrics(new));
}

fn camera_lines(lines: &mut Vec<String>, old: &CameraConfig, new: &CameraConfig) {
    let of = |what: &str| format!("camera {} {what}", old.id);
    note(lines, of("name"), &old.name, &new.name);
    note(lines, of("area"), &old.area, &new.area);
    note(lines, of("address"), &old.address, &new.address);
    note(lines, of("transport"), &old.transport, &new.transport);
    note_silently(lines, of("path of the main stream"), &old.main, &new.main);
    match (&old.sub, &new.sub) {
        (None, Some(_)) => lines.push(of("sub stream added")),
        (Some(_), None) => lines.push(of("sub stream removed")),
        (before, after) => note_silently(lines, of("path of the sub stream"), before, after),
    }
    note_silently(
        lines,
        of("credentials file"),
        &old.credentials,
        &new.credentials,
    );
    note(lines, of("enabled"), &old.enabled, &new.enabled);
    note(lines, of("volume"), &old.volume, &new.volume);
    note(
        lines,
        of("purposes"),
        &joined(&old.purposes),
        &joined(&new.purposes),
    );
    note(
        lines,
        of("keep"),
        &keep_text(old.keep.main_secs),
        &keep_text(new.keep.main_secs),
    );
    note(
        lines,
        of("keep_sub"),
        &keep_text(old.keep.sub_secs),
        &keep_text(new.keep.sub_secs),
    );
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;
    use crate::config::tests::MINIMAL;

    fn config(text: &str) -> Config {
        parse(text, Path::new("/var/lib/sinetti")).expect("good")
    }

    fn ids(ids: &[CameraId]) -> Vec<&str> {
        ids.iter().map(CameraId::as_str).collect()
    }

    #[test]
    fn nothing_changed_means_nothing_to_do() {
        let diff = diff(&config(MINIMAL), &config(MINIMAL));
        assert!(diff.is_empty());
        assert_eq!(ids(&diff.unchanged), ["kassa-1"]);
    }

    #[test]
    fn cameras_are_told_apart_by_what_must_be_done() {
        let camera = &MINIMAL[MINIMAL.find("[[camera]]").expect("camera")..];
        let named = |i: usize| {
            camera
                .replace("kassa-1", &format!("kassa-{i}"))
                .replace("Kassa 1", &format!("Kassa {i}"))
        };
        let old = config(&format!("{MINIMAL}{}{}{}", named(2), named(3), named(4)));
        let new = format!(
            "{}{}{}{}{}",
            MINIMAL.replace("name = \"Kassa 1\"", "name = \"Ovi\"") + "keep = \"72 h\"\n",
            named(3),
            named(5),
            named(2).replace("/stream1", "/user=manager1&password=salaisuus")
                + "sub = \"/stream2\"\ntransport = \"udp\"\n",
            "[[volume]]\nname = \"levy-2\"\npath = \"/srv/b\"\n[recorder]\nqueue_mib = 8\n"
        );
        let diff = diff(
            &old,
            &config(&new.replace("\"Myymälä 1\"", "\"Myymälä 2\"")),
        );
        assert_eq!(ids(&diff.added), ["kassa-5"]);
        assert_eq!(ids(&diff.removed), ["kassa-4"]);
        assert_eq!(ids(&diff.changed), ["kassa-2"]);
        assert_eq!(ids(&diff.updated), ["kassa-1"]);
        assert_eq!(ids(&diff.unchanged), ["kassa-3"]);
        assert!(
            diff.site_changed
                && diff.recorder_changed
                && diff.volumes_changed
                && !diff.network_changed
        );
        let want = "site name: Myymälä 1 → Myymälä 2
queue_mib: 32 → 8
volume levy-2 added: /srv/b
camera kassa-1 name: Kassa 1 → Ovi
camera kassa-1 keep: 14 d → 3 d
camera kassa-1 keep_sub: 14 d → 3 d
camera kassa-5 added: Kassa 5, Kassat
camera kassa-2 transport: tcp → udp
camera kassa-2 path of the main stream changed
camera kassa-2 sub stream added
camera kassa-4 removed";
        assert_eq!(diff.lines.join("\n"), want);
    }

    #[test]
    fn a_change_of_the_volumes_is_told_in_full() {
        let old = config(MINIMAL);
        let text = MINIMAL.replace(
            "[[volume]]",
            "[[volume]]\nname = \"levy-2\"\npath = \"/srv/b\"\n[[volume]]\nreserve_gib = 0.25\ndedicated = true",
        );
        let diff = diff(&old, &config(&text));
        let want = "volume levy-2 added: /srv/b
volume levy-1 reserve_gib: 5.00 → 0.25
volume levy-1 dedicated: false → true
first volume: levy-1 → levy-2
camera kassa-1 volume: levy-1 → levy-2";
        assert_eq!(diff.lines.join("\n"), want);
        assert_eq!(ids(&diff.changed), ["kassa-1"], "it moves with the default");
    }
}
