//! The configuration as types: a value of these was checked.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::base::error::{Error, Result};
use crate::base::id::{CameraId, StreamKind};
use crate::base::zone::Zone;
use crate::config::address::private_networks;
use crate::config::alarm::AlarmConfig;
use crate::config::notice::NoticeConfig;
use crate::config::records::{BackupConfig, QuarantineConfig, RecordsConfig};
use crate::config::web::WebConfig;

/// A whole number's default and bounds (both ends allowed).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) default: u32,
    pub(crate) min: u32,
    pub(crate) max: u32,
}

pub(crate) const ZONE_DEFAULT: &str = "Europe/Helsinki";
pub(crate) const SEGMENT_SECS: Bound = bound(60, 10, 300);
pub(crate) const SYNC_SECS: Bound = bound(2, 1, 10);
pub(crate) const QUEUE_MIB: Bound = bound(32, 4, 256);
pub(crate) const RECEIVE_MIB: Bound = bound(256, 64, 4096);
pub(crate) const STALL_SECS: Bound = bound(10, 5, 60);
pub(crate) const RESERVE_GIB_DEFAULT: f64 = 5.0;
/// A smaller reserve would leave the sweeper no time; the upper bound only catches slips.
pub(crate) const RESERVE_GIB_RANGE: (f64, f64) = (0.05, 100_000.0);
pub(crate) const KEEP_SECS: Bound = bound(14 * 86_400, 3600, 3650 * 86_400);

const fn bound(default: u32, min: u32, max: u32) -> Bound {
    Bound { default, min, max }
}

/// The whole configuration, checked. Cheap to clone.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// The shop.
    pub site: Site,
    /// Where cameras may be.
    pub network: NetworkConfig,
    /// Where pages and API are served.
    pub web: WebConfig,
    /// How recording is done.
    pub recorder: RecorderConfig,
    /// To whom alarms are told.
    pub alarm: AlarmConfig,
    /// What the privacy notice says of the controller.
    pub notice: NoticeConfig,
    /// When a missing backup is told of.
    pub backup: BackupConfig,
    /// How much of what could not be read is kept.
    pub quarantine: QuarantineConfig,
    /// How long details of the ledger are kept.
    pub records: RecordsConfig,
    /// Where footage lies: at least one, in the order of the file. The first is the default.
    pub volumes: Vec<Arc<VolumeConfig>>,
    /// The cameras in the order of the file, disabled ones too. May be empty.
    pub cameras: Vec<Arc<CameraConfig>>,
}

impl Config {
    /// The camera with this id.
    pub fn camera(&self, id: &CameraId) -> Option<&Arc<CameraConfig>> {
        self.cameras.iter().find(|camera| camera.id == *id)
    }

    /// The volume with this name.
    pub fn volume(&self, name: &str) -> Option<&Arc<VolumeConfig>> {
        self.volumes.iter().find(|volume| volume.name == name)
    }
}

/// The shop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    /// Its name, as people and reports read it.
    pub name: String,
    /// Its time zone. Default Europe/Helsinki. Storage is UTC; this is how times are read and shown.
    pub zone: Zone,
}

/// Where cameras may be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NetworkConfig {
    /// Networks with cameras, all private. Default: every private network. Nothing outside is ever connected to.
    pub camera_subnets: Arc<[IpNet]>,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            camera_subnets: private_networks().into(),
        }
    }
}

impl NetworkConfig {
    /// True when the recorder may connect to `address`.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.camera_subnets.iter().any(|net| net.contains(&address))
    }
}

/// How recording is done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecorderConfig {
    /// Length of a segment in seconds, 10 to 300, default 60: it is cut at the next key frame. Footage is held
    /// and deleted by the segment.
    pub segment_secs: u32,
    /// Seconds between syncs, 1 to 10, default 2: about so much is lost at a power cut.
    pub sync_secs: u32,
    /// Bytes of one stream that may wait for the disk, 4 to 256 MiB, default 32 MiB. Beyond it whole GOPs are dropped
    /// and a gap says so.
    pub queue_bytes: usize,
    /// Bytes that all cameras together may have under way between the network and whole pictures, 64 to 4096 MiB, default
    /// 256 MiB. Beyond it the session that holds most is ended, and a gap says so.
    pub receive_bytes: usize,
    /// Seconds without a frame after which a stream is dead and connected anew, 5 to 60, default 10.
    pub stall_secs: u32,
}

impl Default for RecorderConfig {
    fn default() -> Self {
        Self {
            segment_secs: SEGMENT_SECS.default,
            sync_secs: SYNC_SECS.default,
            queue_bytes: mib_bytes(QUEUE_MIB.default),
            receive_bytes: mib_bytes(RECEIVE_MIB.default),
            stall_secs: STALL_SECS.default,
        }
    }
}

/// Bytes in `mib` MiB; saturates where a pointer is narrower than 64 bits.
pub(crate) fn mib_bytes(mib: u32) -> usize {
    usize::try_from(u64::from(mib) << 20).unwrap_or(usize::MAX)
}

/// A footage volume.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VolumeConfig {
    /// Its name: the alphabet of camera ids.
    pub name: String,
    /// Where it is mounted: an absolute path.
    pub path: PathBuf,
    /// Free space kept on it, in bytes, default 5 GiB. When it is touched the oldest footage that nobody
    /// holds goes, early and recorded as such.
    pub reserve_bytes: u64,
    /// True: its file system holds nothing else and is synced as a whole. Default false: file by file.
    pub dedicated: bool,
}

/// A camera.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CameraConfig {
    /// Its id: in paths, addresses and reports; it stays when the name changes.
    pub id: CameraId,
    /// Its name, as people read it.
    pub name: String,
    /// The marked camera area it films.
    pub area: String,
    /// Where it answers RTSP: private and inside the camera subnets. Default port 554.
    pub address: SocketAddr,
    /// How RTP travels. Default TCP.
    pub transport: Transport,
    /// Path (and query) of the full picture on the camera; begins with `/`.
    pub main: String,
    /// Path of the small picture, when it is recorded.
    pub sub: Option<String>,
    /// The file with its user name and password, for [`Credentials::read`](crate::config::Credentials::read);
    /// `None`: it asks for none.
    pub credentials: Option<PathBuf>,
    /// False: neither connected nor recorded; earlier footage ages as ever. Default true.
    pub enabled: bool,
    /// Name of the volume that it is recorded to. Default: the first.
    pub volume: String,
    /// What it films for: at least one, in the order of the file.
    pub purposes: Vec<Purpose>,
    /// How long its footage is kept at most.
    pub keep: Keep,
}

impl CameraConfig {
    /// Path of a stream on the camera; `None` when that stream is not recorded.
    pub fn stream_path(&self, kind: StreamKind) -> Option<&str> {
        match kind {
            StreamKind::Main => Some(&self.main),
            StreamKind::Sub => self.sub.as_deref(),
        }
    }
}

/// How long footage is kept at most; it is unreadable once its end is older.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// The full picture: seconds, 1 h to 3650 d, default 14 d.
    pub main_secs: u32,
    /// The small picture: seconds, never more than the full picture, default the same.
    pub sub_secs: u32,
}

impl Keep {
    /// Seconds for a stream.
    pub const fn secs(&self, kind: StreamKind) -> u32 {
        match kind {
            StreamKind::Main => self.main_secs,
            StreamKind::Sub => self.sub_secs,
        }
    }
}

macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name {
            $($(#[$item_doc])* $item,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$item,)*];

            /// As the configuration writes it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$item => $text,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                Self::ALL.iter().copied().find(|item| item.as_str() == text).ok_or_else(|| {
                    let all: Vec<_> = Self::ALL.iter().map(|item| item.as_str()).collect();
                    Error::invalid(format!("{text:?} must be one of: {}", all.join(", ")))
                })
            }
        }
    };
}

closed_list! {
    /// How RTP travels from the camera.
    Transport {
        /// Inside the RTSP connection: nothing is lost on a loaded switch.
        Tcp = "tcp",
        /// Datagrams: for cameras that cannot do the other; losses are counted.
        Udp = "udp",
    }
}

closed_list! {
    /// What a camera films for: the closed list of the camera-surveillance notice.
    Purpose {
        /// Protection of employees, partners and customers.
        Persons = "protection-of-persons",
        /// Protection of property.
        Property = "protection-of-property",
        /// Preventing and clearing up crime.
        Crime = "crime-prevention",
        /// Clearing up misuse.
        Misuse = "misuse",
        /// Clearing up false alarms.
        FalseAlarms = "false-alarms",
        /// Identifying persons moving in the premises.
        Identification = "identification",
        /// An aid in installation and maintenance work.
        Maintenance = "maintenance",
    }
}
