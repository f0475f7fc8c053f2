//! What names, undertakings and spans of validity may be.

use crate::base::error::{Error, Result};
use crate::catalog::{Undertaking, Validity};
use crate::vault::person::NAME_BYTES_MAX;

/// The longest version of an undertaking, in characters.
const VERSION_CHARS_MAX: usize = 40;

/// That `name` may be a personal user name.
///
/// # Errors
/// [`crate::base::Kind::Invalid`] when it may not.
pub fn check_name(name: &str) -> Result<()> {
    let good = |c: char| c.is_alphanumeric() || ".-_@".contains(c);
    let good = !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(good);
    if good {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "a personal user name has 1 to {NAME_BYTES_MAX} bytes: letters, digits, and . - _ @"
    )))
}

pub(super) fn check_text(text: &str, what: &str, chars_max: usize) -> Result<()> {
    let chars = text.chars().count();
    if chars == 0 || chars > chars_max || text.chars().any(char::is_control) || text.trim() != text
    {
        return Err(Error::invalid(format!(
            "the {what} has 1 to {chars_max} characters, no control characters and no space at an end"
        )));
    }
    Ok(())
}

pub(super) fn check_undertaking(undertaking: Option<&Undertaking>) -> Result<()> {
    let Some(undertaking) = undertaking else {
        return Ok(());
    };
    check_text(
        &undertaking.version,
        "version of the undertaking",
        VERSION_CHARS_MAX,
    )?;
    if undertaking.until.is_some_and(|u| u <= undertaking.signed) {
        return Err(Error::invalid(
            "the undertaking lapses before it was signed",
        ));
    }
    Ok(())
}

pub(super) fn check_validity(valid: Validity) -> Result<()> {
    if valid.until.is_some_and(|until| until <= valid.from) {
        return Err(Error::invalid("the end lies before the beginning"));
    }
    Ok(())
}
