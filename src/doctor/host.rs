//! What the kernel tells under /proc and /sys, below a root that a test can choose.

use std::fs;
use std::path::{Path, PathBuf};

/// How deep a stack of block devices may be: crypt on LVM on RAID on a partition is four.
const STACK_MAX: u32 = 8;

/// The machine.
#[derive(Clone, Debug)]
pub struct Host {
    root: PathBuf,
}

/// What is known of a file system's encryption and discard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Below {
    /// Everything that reaches the disks goes through dm-crypt.
    pub encrypted: bool,
    /// Freed blocks are told to the disk, or need not be (it turns).
    pub discards: bool,
}

impl Host {
    /// As it is.
    pub fn of_this_machine() -> Self {
        Self {
            root: PathBuf::from("/"),
        }
    }

    /// As the folder `root` says it is.
    pub fn below(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// A file's text; `None` when it cannot be read.
    pub(super) fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }

    /// A file that holds one number.
    pub(super) fn number(&self, path: &str) -> Option<u64> {
        self.read(path)?.trim().parse().ok()
    }

    /// Names in a folder, sorted; none when it cannot be read.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(path)).into_iter().flatten();
        let mut names: Vec<_> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    /// Short names of the processes that can be seen.
    pub(super) fn processes(&self) -> Vec<String> {
        let is_process = |name: &String| name.bytes().all(|b| b.is_ascii_digit());
        let names = self.names("proc").into_iter().filter(is_process);
        let comm = |id: String| self.read(&format!("proc/{id}/comm"));
        names
            .filter_map(comm)
            .map(|text| text.trim().to_owned())
            .collect()
    }

    /// A process's soft limit, as `/proc/ID/limits` writes it.
    pub(super) fn limit(&self, process: &str, name: &str) -> Option<String> {
        let text = self.read(&format!("proc/{process}/limits"))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next().map(str::to_owned)
    }

    /// What lies below the file system with this device number.
    pub(super) fn below_device(&self, (major, minor): (u32, u32)) -> Option<Below> {
        let device = format!("sys/dev/block/{major}:{minor}");
        if self.root.join(&device).is_dir() {
            return self.below_block(&device);
        }
        // btrfs and the like have a number of their own; the mount names the device.
        let source =
            self.mount_source(|fields| fields.get(2) == Some(&&*format!("{major}:{minor}")))?;
        self.below_block(&self.block_of(&source)?)
    }

    /// What lies below the file system that holds `path`, by the table of mounts.
    pub(super) fn below_path(&self, path: &Path) -> Option<Below> {
        let text = self.read("proc/self/mountinfo")?;
        let mounts = text.lines().filter_map(|line| {
            let fields: Vec<_> = line.split(' ').collect();
            let point = fields.get(4)?.replace("\\040", " ");
            path.starts_with(&point)
                .then(|| (point.len(), (*fields[2]).to_owned()))
        });
        let (_, number) = mounts.max()?;
        let (major, minor) = number.split_once(':')?;
        self.below_device((major.parse().ok()?, minor.parse().ok()?))
    }

    /// What lies below the device `/dev/…`.
    pub(super) fn below_node(&self, node: &str) -> Option<Below> {
        self.below_block(&self.block_of(node)?)
    }

    fn mount_source(&self, wanted: impl Fn(&[&str]) -> bool) -> Option<String> {
        let text = self.read("proc/self/mountinfo")?;
        let line = text
            .lines()
            .find(|line| wanted(&line.split(' ').collect::<Vec<_>>()))?;
        let (_, after) = line.split_once(" - ")?;
        after.split(' ').nth(1).map(str::to_owned)
    }

    /// The folder under /sys of the device `/dev/…`.
    fn block_of(&self, node: &str) -> Option<String> {
        let relative = node.strip_prefix("/dev/")?;
        let linked = fs::read_link(self.root.join("dev").join(relative)).ok();
        let path = linked.unwrap_or_else(|| PathBuf::from(relative));
        Some(format!("sys/class/block/{}", path.file_name()?.to_str()?))
    }

    fn below_block(&self, device: &str) -> Option<Below> {
        if !self.root.join(device).is_dir() {
            return None;
        }
        Some(Below {
            encrypted: self.is_encrypted(device, STACK_MAX),
            discards: self.discards(device),
        })
    }

    fn is_encrypted(&self, device: &str, depth: u32) -> bool {
        let uuid = self.read(&format!("{device}/dm/uuid"));
        if uuid.is_some_and(|uuid| uuid.starts_with("CRYPT-")) {
            return true;
        }
        let below = self.names(&format!("{device}/slaves"));
        let deeper =
            |name: &String| self.is_encrypted(&format!("sys/class/block/{name}"), depth - 1);
        depth > 0 && !below.is_empty() && below.iter().all(deeper)
    }

    fn discards(&self, device: &str) -> bool {
        // A partition has no queue of its own: its disk has.
        let queue = |name: &str| {
            let own = self.number(&format!("{device}/queue/{name}"));
            own.or_else(|| self.number(&format!("{device}/../queue/{name}")))
        };
        queue("rotational") == Some(1) || queue("discard_max_bytes").is_some_and(|bytes| bytes > 0)
    }
}
