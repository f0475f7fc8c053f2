//! Reads the configuration file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::base::error::{Context, Error, Kind};
use crate::base::hash::Digest;
use crate::config::error::{ConfigErrors, Problem};
use crate::config::parse::parse_file;
use crate::config::types::Config;

/// The configuration's name in the state folder.
pub const FILE_NAME: &str = "sinetti.toml";

/// The largest configuration file, in bytes.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// A configuration as it was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// SHA-256 of the file's bytes: what the ledger records of it.
    pub digest: Digest,
    /// The file's text: what an edit starts from.
    pub text: String,
}

/// Reads and checks the configuration at `path`. Relative paths in it start from the folder that holds it.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn load(path: &Path) -> Result<Loaded, ConfigErrors> {
    let bytes = read_bounded(path).map_err(|e| {
        let remedy = match e.kind() {
            Kind::NotFound => "; make one with: sinetti init",
            _ => "",
        };
        ConfigErrors::whole(path, e.kind(), format!("{e}{remedy}"))
    })?;
    let digest = Digest::sha256(&[&bytes]);
    let text = String::from_utf8(bytes).map_err(|e| not_utf8(path, &e))?;
    let config = parse_file(&text, path)?.config;
    Ok(Loaded {
        config,
        digest,
        text,
    })
}

/// The file's bytes; one more than allowed where there are more.
pub(crate) fn read_bounded(path: &Path) -> Result<Vec<u8>, Error> {
    let what = || "reading the configuration";
    let file = File::open(path).context(what)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .context(what)?;
    Ok(bytes)
}

fn not_utf8(path: &Path, e: &std::string::FromUtf8Error) -> ConfigErrors {
    let good = e.utf8_error().valid_up_to();
    let line = e.as_bytes()[..good].iter().filter(|b| **b == b'\n').count() + 1;
    let problem = Problem {
        line: Some(line),
        message: "this line is not UTF-8 text; save the file as UTF-8".to_owned(),
    };
    ConfigErrors::new(path, vec![problem])
}
