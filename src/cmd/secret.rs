//! Passphrases and shares as a person gives them: typed without echo, or from a file of mode 0600.

use std::path::Path;

use zeroize::Zeroizing;

use crate::base::disk;
use crate::base::error::{Context, Error, Result};

const FILE_BYTES_MAX: u64 = 4096;

/// A passphrase: from `file` when given, else asked for with `prompt`; twice when it is new.
///
/// # Errors
/// When the file is readable by others, when nobody can be asked, when the two differ.
pub(super) fn passphrase(
    file: Option<&Path>,
    prompt: &str,
    is_new: bool,
) -> Result<Zeroizing<String>> {
    if let Some(path) = file {
        return text(path)
            .map(|text| Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .context(|| "asking for a passphrase (in a script, give --passphrase-file FILE)")
    };
    let first = ask(&format!("{prompt}: "))?;
    if is_new && *ask(&format!("{prompt}, again: "))? != *first {
        return Err(Error::invalid(
            "the two passphrases differ; nothing was changed",
        ));
    }
    Ok(first)
}

/// A code of a second factor, or a recovery code: from `file` when given, else asked for with `prompt`.
///
/// # Errors
/// When the file is readable by others, or nobody can be asked.
pub(super) fn code(file: Option<&Path>, prompt: &str) -> Result<Zeroizing<String>> {
    if let Some(path) = file {
        return text(path).map(|text| Zeroizing::new(text.trim().to_owned()));
    }
    rpassword::prompt_password(format!("{prompt}: "))
        .map(Zeroizing::new)
        .context(|| "asking for a code (in a script, give --code-file FILE)")
}

/// The text of a secret file.
///
/// # Errors
/// When it is readable by others, too long, or no text.
pub(super) fn text(path: &Path) -> Result<Zeroizing<String>> {
    let bytes = disk::read_secret(path, FILE_BYTES_MAX)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Error::invalid(format!("{} is no text", path.display())))?;
    Ok(Zeroizing::new(text.to_owned()))
}
