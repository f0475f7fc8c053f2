//! A footage volume: a folder that bears the box's identity and its own, so that a wrong or empty mount
//! is refused and never recorded into.
//!
//! ```text
//! VOLUME/sinetti-volume.json                                   identity
//! VOLUME/CAMERA/STREAM/2026/11/23/20261123T154500.123Z-ID.mp4  a closed segment
//! VOLUME/CAMERA/STREAM/2026/11/23/….mp4.part                   one being written
//! VOLUME/keys/CAMERA/STREAM/20261123.keys                      key slots of that day
//! VOLUME/quarantine/…                                          what could not be read
//! VOLUME/sinetti-packages/JOB-PART.age                         a sealed part of a package, until it is wiped
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::disk::{self, Space};
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::id::{BoxId, SegmentId, StreamId, StreamKind, VolumeId};
use crate::base::time::Wall;

/// Name of the identity file.
pub const IDENTITY_FILE: &str = "sinetti-volume.json";
/// The folder of key slots.
pub const KEYS_DIR: &str = "keys";
/// The folder of what could not be read.
pub const QUARANTINE_DIR: &str = "quarantine";
/// The folder of packages: sealed parts, each with its row in the catalog, wiped by `daemon::packages` at the latest after 14 days.
/// They are no footage to a walk, and what lies there without a row is removed at the next start.
pub const PACKAGES_DIR: &str = "sinetti-packages";
/// What a segment's name ends with while it is written.
pub const PART_SUFFIX: &str = ".part";
const FORMAT: u32 = 1;
const DIR_MODE: u32 = 0o750;
/// Mode of segments: sealed, so the group may copy them for a backup.
pub const FILE_MODE: u32 = 0o640;

#[derive(serde::Serialize, serde::Deserialize)]
struct Identity {
    format: u32,
    #[serde(rename = "box")]
    box_id: BoxId,
    volume: VolumeId,
    name: String,
    note: String,
}

/// A volume whose identity was checked.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Its identity.
    pub id: VolumeId,
    /// Its name in the configuration.
    pub name: String,
    /// Its folder.
    pub root: PathBuf,
}

impl Volume {
    /// Makes an empty folder (made when missing) a volume of this box.
    ///
    /// # Errors
    /// [`Kind::Exists`] when it bears an identity already, [`Kind::Invalid`] when other files lie in it.
    pub fn init(root: &Path, box_id: BoxId, name: &str) -> Result<Self> {
        let what = || format!("making {} a footage volume", root.display());
        disk::create_dir_all(root, DIR_MODE).context(what)?;
        for entry in fs::read_dir(root).context(what)? {
            let found = entry.context(what)?.file_name();
            if found == IDENTITY_FILE {
                return Err(Error::new(Kind::Exists, "it is one already").attempted(what()));
            }
            // A fresh ext4 has this folder.
            if found != "lost+found" {
                let text = format!(
                    "it is not empty (it holds {}); give an empty folder",
                    found.display()
                );
                return Err(Error::invalid(text).attempted(what()));
            }
        }
        let identity = Identity {
            format: FORMAT,
            box_id,
            volume: VolumeId::random(),
            name: name.to_owned(),
            note: "This folder belongs to a Sinetti recorder. Without this file it is not recorded into.".to_owned(),
        };
        let json = serde_json::to_vec_pretty(&identity)
            .map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
        disk::create(&root.join(IDENTITY_FILE), &json, FILE_MODE).context(what)?;
        Ok(Self {
            id: identity.volume,
            name: name.to_owned(),
            root: root.to_owned(),
        })
    }

    /// Opens a volume whatever box it belongs to, for reading with the recovery identity.
    ///
    /// # Errors
    /// When `root` bears no identity that can be read.
    pub fn of_any_box(root: &Path) -> Result<Self> {
        let identity: Identity = serde_json::from_slice(&fs::read(root.join(IDENTITY_FILE))?)
            .map_err(|e| Error::corrupt(format!("{IDENTITY_FILE} cannot be read: {e}")))?;
        Self::open(root, identity.box_id, &identity.name)
    }

    /// Opens a volume of this box.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for a folder without identity (not mounted?), [`Kind::Foreign`] for another box's or a newer one.
    pub fn open(root: &Path, box_id: BoxId, name: &str) -> Result<Self> {
        let what = || format!("opening volume \"{name}\" at {}", root.display());
        let path = root.join(IDENTITY_FILE);
        let bytes = fs::read(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                let remedy = format!(
                    "{IDENTITY_FILE} is missing; is the disk mounted? A new, empty volume is made with: sinetti volume add {}",
                    root.display()
                );
                Error::new(Kind::NotFound, remedy).attempted(what())
            }
            _ => Error::from(e).attempted(what()),
        })?;
        let identity: Identity = serde_json::from_slice(&bytes).map_err(|e| {
            Error::corrupt(format!("{IDENTITY_FILE} cannot be read: {e}")).attempted(what())
        })?;
        if identity.format > FORMAT {
            return Err(
                Error::new(Kind::Foreign, "it was made by a newer version of Sinetti")
                    .attempted(what()),
            );
        }
        if identity.box_id != box_id {
            let text = format!(
                "it belongs to box {}, this is box {box_id}; nothing was changed",
                identity.box_id
            );
            return Err(Error::new(Kind::Foreign, text).attempted(what()));
        }
        Ok(Self {
            id: identity.volume,
            name: name.to_owned(),
            root: root.to_owned(),
        })
    }

    /// Checks that the same volume is still mounted there.
    ///
    /// # Errors
    /// As [`Volume::open`].
    pub fn check(&self, box_id: BoxId) -> Result<()> {
        let now = Self::open(&self.root, box_id, &self.name)?;
        if now.id != self.id {
            let text = format!(
                "volume {} is mounted at {} in place of {}",
                now.id,
                self.root.display(),
                self.id
            );
            return Err(Error::new(Kind::Foreign, text));
        }
        Ok(())
    }

    /// The same for whoever does not know the box.
    ///
    /// # Errors
    /// When the volume is not there any more, or another one is.
    pub fn still_there(&self) -> Result<()> {
        let now = Self::of_any_box(&self.root)?;
        if now.id == self.id {
            return Ok(());
        }
        let text = format!("another volume is mounted at {}", self.root.display());
        Err(Error::new(Kind::Foreign, text))
    }

    /// The folder of a stream's segments of the UTC day of `start`.
    pub fn segment_dir(&self, stream: &StreamId, start: Wall) -> PathBuf {
        let day = start.to_utc().format("%Y/%m/%d").to_string();
        self.root
            .join(stream.camera.as_str())
            .join(stream.kind.as_str())
            .join(day)
    }

    /// The path of a closed segment.
    pub fn segment_path(&self, stream: &StreamId, start: Wall, id: SegmentId) -> PathBuf {
        self.segment_dir(stream, start)
            .join(format!("{}-{id}.mp4", start.basic()))
    }

    /// The path of a segment while it is written.
    pub fn part_path(&self, stream: &StreamId, start: Wall, id: SegmentId) -> PathBuf {
        self.segment_dir(stream, start)
            .join(format!("{}-{id}.mp4{PART_SUFFIX}", start.basic()))
    }

    /// Makes the folder of [`Volume::segment_dir`], durably.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn make_segment_dir(&self, stream: &StreamId, start: Wall) -> Result<()> {
        disk::create_dir_all(&self.segment_dir(stream, start), DIR_MODE)
    }

    /// Where key slots of a stream's day lie.
    pub fn slots_path(&self, stream: &StreamId, day: &str) -> PathBuf {
        self.root
            .join(KEYS_DIR)
            .join(stream.camera.as_str())
            .join(stream.kind.as_str())
            .join(format!("{day}.keys"))
    }

    /// Room left.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn space(&self) -> Result<Space> {
        disk::space(&self.root)
    }

    /// Moves a file that cannot be read out of the way, into `quarantine/` under its own path with `-` for `/`.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn quarantine(&self, path: &Path) -> Result<PathBuf> {
        let dir = self.root.join(QUARANTINE_DIR);
        disk::create_dir_all(&dir, DIR_MODE)?;
        let relative = path.strip_prefix(&self.root).unwrap_or(path);
        let flat: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        let name = flat.join("-");
        let free = (1..).map(|n| match n {
            1 => dir.join(&name),
            n => dir.join(format!("{name}.{n}")),
        });
        let to = free.take(1000).find(|to| !to.exists());
        let to = to.ok_or_else(|| Error::new(Kind::Full, "its name is taken in quarantine"))?;
        disk::rename(path, &to)?;
        disk::sync_dir(&dir)?;
        if let Some(parent) = path.parent() {
            disk::sync_dir(parent)?;
        }
        Ok(to)
    }

    /// All files below the folders of streams (CAMERA/main, CAMERA/sub) whose name passes `wanted`, in no order. Other
    /// folders are not entered: what lies there is not ours.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn files(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut open = Vec::new();
        for entry in
            fs::read_dir(&self.root).context(|| format!("reading {}", self.root.display()))?
        {
            let entry = entry?;
            let is_camera = entry
                .file_name()
                .to_str()
                .is_some_and(|n| n.parse::<crate::base::id::CameraId>().is_ok());
            if is_camera && entry.file_type()?.is_dir() {
                let streams = [StreamKind::Main, StreamKind::Sub];
                let dirs = streams.map(|kind| entry.path().join(kind.as_str()));
                open.extend(dirs.into_iter().filter(|dir| dir.is_dir()));
            }
        }
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(&dir).context(|| format!("reading {}", dir.display()))? {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    open.push(entry.path());
                } else if kind.is_file() && entry.file_name().to_str().is_some_and(&wanted) {
                    found.push(entry.path());
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_known_by_its_box() {
        let dir = tempfile::tempdir().expect("dir");
        let root = dir.path().join("levy");
        let (mine, other) = (BoxId::random(), BoxId::random());
        assert_eq!(
            Volume::open(&root, mine, "levy-1")
                .expect_err("empty")
                .kind(),
            Kind::NotFound
        );
        let made = Volume::init(&root, mine, "levy-1").expect("made");
        assert_eq!(
            Volume::open(&root, mine, "levy-1").expect("opened").id,
            made.id
        );
        assert_eq!(
            Volume::open(&root, other, "levy-1")
                .expect_err("foreign")
                .kind(),
            Kind::Foreign
        );
        assert_eq!(
            Volume::init(&root, mine, "levy-1")
                .expect_err("again")
                .kind(),
            Kind::Exists
        );
        let full = dir.path().join("full");
        disk::create_dir_all(&full.join("photos"), 0o755).expect("dir");
        assert_eq!(
            Volume::init(&full, mine, "x")
                .expect_err("not empty")
                .kind(),
            Kind::Invalid
        );
    }
}
