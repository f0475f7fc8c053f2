//! A camera's user name and password: a file of their own, read when a connection is made.

use std::fmt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::base::disk;
use crate::base::error::{Context, Error, Result};

/// The largest credentials file, in bytes.
const FILE_BYTES_MAX: u64 = 1024;

/// A camera's user name and password. Zeroised when dropped, never printed.
#[derive(Clone)]
pub struct Credentials {
    /// The user name on the camera; not empty, without colon.
    pub user: String,
    /// The password; not empty.
    pub password: Zeroizing<String>,
}

impl Credentials {
    /// Reads the file: mode 0600, at most 1 KiB, first line user name, second line password.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::base::Kind::NotFound) when it is missing, [`Kind::Denied`](crate::base::Kind::Denied) when others may read it or
    /// this process may not, [`Kind::Invalid`](crate::base::Kind::Invalid) when its form is wrong. The text never holds a part of the content.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = disk::read_secret(path, FILE_BYTES_MAX)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Error::invalid("it is not UTF-8 text"))
            .context(|| format!("reading secret file {}", path.display()))?;
        Self::parse(text).context(|| format!("reading secret file {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut lines = text
            .split('\n')
            .map(|line| line.strip_suffix('\r').unwrap_or(line));
        let user = lines.next().unwrap_or_default();
        let password = lines.next().unwrap_or_default();
        let form = "the first line must be the user name and the second the password";
        if user.is_empty() || password.is_empty() {
            let which = if user.is_empty() { "first" } else { "second" };
            return Err(Error::invalid(format!("its {which} line is empty; {form}")));
        }
        if lines.any(|line| !line.is_empty()) {
            return Err(Error::invalid(format!(
                "it has more than two lines; {form}"
            )));
        }
        if user.contains(':') {
            return Err(Error::invalid(format!(
                "the user name has a colon, which HTTP authentication cannot carry; {form}"
            )));
        }
        if user.contains(char::is_control) || password.contains(char::is_control) {
            return Err(Error::invalid(format!(
                "it has a control character; {form}"
            )));
        }
        Ok(Self {
            user: user.to_owned(),
            password: Zeroizing::new(password.to_owned()),
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Kind;

    #[test]
    fn two_lines_and_nothing_of_them_is_told() {
        let c = Credentials::parse("manager1\r\nsala sana:1\n").expect("good");
        assert_eq!(
            (c.user.as_str(), c.password.as_str()),
            ("manager1", "sala sana:1")
        );
        assert_eq!(format!("{c:?}"), "Credentials(…)");
        for bad in [
            "",
            "manager1",
            "manager1\n",
            "\nsalaisuus",
            "a\nsalaisuus\nb",
            "manager1:salaisuus\nx",
            "manager1\nsalai\tsuus",
        ] {
            let e = Credentials::parse(bad).expect_err(bad);
            assert_eq!(e.kind(), Kind::Invalid, "{bad:?}");
            assert!(!e.to_string().contains("salai"), "{e}");
        }
    }

    #[test]
    fn the_file_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("kassa-1");
        assert_eq!(
            Credentials::read(&path).expect_err("missing").kind(),
            Kind::NotFound
        );
        disk::create(&path, b"manager1\nsalaisuus\n", 0o640).expect("file");
        assert_eq!(
            Credentials::read(&path).expect_err("mode").kind(),
            Kind::Denied
        );
        disk::replace(&path, &[b'a'; 1025], 0o600).expect("file");
        assert_eq!(
            Credentials::read(&path).expect_err("size").kind(),
            Kind::Full
        );
        disk::replace(&path, b"\xff\n\xff", 0o600).expect("file");
        assert_eq!(
            Credentials::read(&path).expect_err("form").kind(),
            Kind::Invalid
        );
        disk::replace(&path, b"manager1\nsalaisuus\n", 0o600).expect("file");
        assert_eq!(Credentials::read(&path).expect("good").user, "manager1");
    }
}
