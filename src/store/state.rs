//! The state folder: what makes this machine this box.
//!
//! ```text
//! DIR/box.json          identity, format version, recovery recipient, public half of the ledger key
//! DIR/sinetti.toml      the configuration
//! DIR/catalog.db        the catalog
//! DIR/scrub.json       how far the scrub has come
//! DIR/catalog.db.backup the copy of it from which a backup is being made
//! DIR/keys/ledger.pk8   Ed25519 key that signs checkpoints (PKCS #8, mode 0600)
//! DIR/lock              held by the running daemon, or by a command while none runs
//! DIR/control.sock      where commands talk to the daemon (mode 0600)
//! ```

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ring::signature::{Ed25519KeyPair, KeyPair};

use crate::base::disk::{self, Lock, SECRET_DIR_MODE, SECRET_MODE};
use crate::base::error::{Context, Error, Kind, Result};
use crate::base::hash::hex;
use crate::base::id::BoxId;
use crate::base::time::Wall;
use crate::ledger::checkpoint::{Key, Signer};
use crate::vault::identity::Recipient;

const FORMAT: u32 = 1;
/// An Ed25519 key as PKCS #8 has 83 bytes.
const KEY_BYTES_MAX: u64 = 4096;

/// What `box.json` says.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct BoxFile {
    format: u32,
    #[serde(rename = "box")]
    box_id: BoxId,
    created: Wall,
    recovery: Recipient,
    ledger_key: String,
}

/// A state folder whose identity was read.
#[derive(Clone, Debug)]
pub struct State {
    /// The folder.
    pub dir: PathBuf,
    /// This box.
    pub box_id: BoxId,
    /// To whom every segment key is wrapped besides the vault generation.
    pub recovery: Recipient,
    /// Public half of the ledger key, 64 hex digits.
    pub ledger_key: String,
}

impl State {
    /// Begins a state folder: a new box identity and a new ledger key. It is one only after [`NewBox::finish`].
    ///
    /// # Errors
    /// [`Kind::Exists`] when `dir` is a state folder already; [`Kind::Invalid`] when it holds anything else.
    pub fn begin(dir: &Path, recovery: Recipient, now: Wall) -> Result<(Self, NewBox)> {
        check_empty(dir)?;
        disk::create_dir_all(dir, SECRET_DIR_MODE)?;
        let random = ring::rand::SystemRandom::new();
        let failed = |_| Error::new(Kind::Internal, "no random numbers for the ledger key");
        let key = Ed25519KeyPair::generate_pkcs8(&random).map_err(failed)?;
        let pair = Ed25519KeyPair::from_pkcs8(key.as_ref())
            .map_err(|_| Error::new(Kind::Internal, "the new ledger key cannot be read"))?;
        disk::create_dir_all(&dir.join("keys"), SECRET_DIR_MODE)?;
        disk::create(&dir.join("keys/ledger.pk8"), key.as_ref(), SECRET_MODE)?;
        let file = BoxFile {
            format: FORMAT,
            box_id: BoxId::random(),
            created: now,
            recovery,
            ledger_key: hex(pair.public_key().as_ref()),
        };
        let json = serde_json::to_vec_pretty(&file)
            .map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
        let path = dir.join("box.json");
        Ok((Self::from_file(dir, file), NewBox { path, json }))
    }

    /// Opens a state folder.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none, [`Kind::Foreign`] for a newer format, [`Kind::Denied`] when others may
    /// enter the folder.
    pub fn open(dir: &Path) -> Result<Self> {
        let what = || format!("opening state folder {}", dir.display());
        let path = dir.join("box.json");
        let bytes = fs::read(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::new(
                Kind::NotFound,
                format!(
                    "there is no box.json; make one with: sinetti --dir {} init",
                    dir.display()
                ),
            )
            .attempted(what()),
            _ => Error::from(e).attempted(what()),
        })?;
        let state = Self::read(dir, &bytes).context(what)?;
        let mode = fs::metadata(dir).context(what)?.permissions().mode();
        if mode & 0o077 != 0 {
            let remedy = format!(
                "others may enter it (mode {:04o}); run: chmod 700 {}",
                mode & 0o777,
                dir.display()
            );
            return Err(Error::new(Kind::Denied, remedy).attempted(what()));
        }
        Ok(state)
    }

    /// What the bytes of a `box.json` say of the folder `dir`, which need not be a state folder yet.
    ///
    /// # Errors
    /// [`Kind::Foreign`] for a newer format, [`Kind::Corrupt`] for what is none.
    pub fn read(dir: &Path, bytes: &[u8]) -> Result<Self> {
        let bad = |e: serde_json::Error| Error::corrupt(format!("box.json cannot be read: {e}"));
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(bad)?;
        let format = value
            .get("format")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or_default();
        if format > u64::from(FORMAT) {
            let text = format!(
                "it has format {format}, made by a newer version of Sinetti; this one knows {FORMAT}. Nothing was changed"
            );
            return Err(Error::new(Kind::Foreign, text));
        }
        let file: BoxFile = serde_json::from_value(value).map_err(bad)?;
        Ok(Self::from_file(dir, file))
    }

    fn from_file(dir: &Path, file: BoxFile) -> Self {
        Self {
            dir: dir.to_owned(),
            box_id: file.box_id,
            recovery: file.recovery,
            ledger_key: file.ledger_key,
        }
    }

    /// The configuration file.
    pub fn config_path(&self) -> PathBuf {
        self.dir.join("sinetti.toml")
    }

    /// The catalog.
    pub fn catalog_path(&self) -> PathBuf {
        self.dir.join("catalog.db")
    }

    /// The catalog, which must be there: only `sinetti init` and `sinetti reindex` make one.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when it is not, with what to do.
    pub fn existing_catalog(&self) -> Result<PathBuf> {
        let path = self.catalog_path();
        // A new one would be made of an empty file too.
        if fs::metadata(&path).is_ok_and(|data| data.len() > 0) {
            return Ok(path);
        }
        let text = format!(
            "the catalog {} is gone or empty. Nothing was changed, nothing is recorded and nothing is deleted. Put a backup of it back, \
             or rebuild it from the volumes: sinetti reindex",
            path.display()
        );
        Err(Error::new(Kind::NotFound, text))
    }

    /// The daemon's socket.
    pub fn socket_path(&self) -> PathBuf {
        self.dir.join("control.sock")
    }

    /// Short form of the ledger key for people.
    ///
    /// # Errors
    /// As [`State::key`].
    pub fn fingerprint(&self) -> Result<String> {
        Ok(self.key()?.fingerprint())
    }

    /// The public half of the ledger key.
    ///
    /// # Errors
    /// `Invalid` when `box.json` holds none.
    pub fn key(&self) -> Result<Key> {
        Key::from_hex(&self.ledger_key).context(|| "reading the ledger key in box.json")
    }

    /// The ledger key.
    ///
    /// # Errors
    /// `Denied` when others may read its file; `Corrupt` when it is not the one that `box.json` names.
    pub fn signer(&self) -> Result<Signer> {
        let path = self.dir.join("keys/ledger.pk8");
        let what = || format!("reading the ledger key {}", path.display());
        let signer = disk::read_secret(&path, KEY_BYTES_MAX)
            .and_then(|bytes| Signer::from_pkcs8(&bytes))
            .context(what)?;
        if signer.key() != self.key()? {
            let text = "it is not the key that box.json names: one of the two was replaced";
            return Err(Error::corrupt(text).attempted(what()));
        }
        Ok(signer)
    }

    /// Takes the folder for this process alone.
    ///
    /// # Errors
    /// [`Kind::Busy`] when the daemon, or a command, has it.
    pub fn lock(&self) -> Result<Lock> {
        Lock::take(&self.dir.join("lock")).map_err(|e| match e.kind() {
            Kind::Busy => Error::new(
                Kind::Busy,
                format!("another sinetti uses {}", self.dir.display()),
            ),
            _ => e,
        })
    }
}

/// A box that is being made.
#[derive(Debug)]
#[must_use = "without its last step the folder is no state folder"]
pub struct NewBox {
    path: PathBuf,
    json: Vec<u8>,
}

impl NewBox {
    /// The last step: from now on the folder is a state folder.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn finish(self) -> Result<()> {
        disk::create(&self.path, &self.json, SECRET_MODE)
    }
}

/// Refuses a folder that holds anything.
///
/// # Errors
/// As [`State::create`].
pub fn check_empty(dir: &Path) -> Result<()> {
    if dir.join("box.json").exists() {
        let text = format!(
            "{} is a state folder already; nothing was changed",
            dir.display()
        );
        return Err(Error::new(Kind::Exists, text));
    }
    let Ok(mut entries) = fs::read_dir(dir) else {
        return Ok(());
    };
    match entries.next() {
        None => Ok(()),
        Some(_) if dir.join("keys/ledger.pk8").exists() => Err(Error::invalid(format!(
            "{} was begun by a \"sinetti init\" or \"sinetti restore\" that did not come to its end; remove it (after an init also the \
             volumes that it made: they hold no footage), and begin anew",
            dir.display()
        ))),
        Some(_) => Err(Error::invalid(format!(
            "{} is not empty; give a new or empty folder",
            dir.display()
        ))),
    }
}
