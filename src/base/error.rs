//! One error type: a kind that decides what the caller does, and a text that says what was attempted.
//!
//! An error is returned, not logged, until it reaches a boundary (a command, a supervisor, a route);
//! there it is logged once. Secrets never enter an error.

use std::fmt;

/// What went wrong, as far as a caller acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The user asked for something that cannot be: a bad argument, configuration or time.
    Invalid,
    /// The named thing does not exist.
    NotFound,
    /// It exists already and will not be overwritten.
    Exists,
    /// The caller may not: wrong passphrase, wrong file mode, refused by a camera.
    Denied,
    /// Bytes that should be whole are not: checksum, hash, signature, format.
    Corrupt,
    /// It belongs to another box, or to a newer version of Sinetti.
    Foreign,
    /// No room left, or a bound reached.
    Full,
    /// Something else holds it: another daemon, a lock.
    Busy,
    /// A peer closed, did not answer in time, or broke the protocol.
    Unavailable,
    /// The operating system refused an operation.
    Io,
    /// A fault of our own that was caught before it did harm.
    Internal,
}

/// An error with its kind and what was attempted, outermost attempt first.
pub struct Error {
    kind: Kind,
    text: String,
    os_code: Option<i32>,
}

/// A result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` that says `text`.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            os_code: None,
        }
    }

    /// [`Kind::Invalid`] with `text`.
    pub fn invalid(text: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, text)
    }

    /// [`Kind::Corrupt`] with `text`.
    pub fn corrupt(text: impl Into<String>) -> Self {
        Self::new(Kind::Corrupt, text)
    }

    /// What the caller can act on.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The operating system's error number, where there is one.
    pub fn os_code(&self) -> Option<i32> {
        self.os_code
    }

    /// The same error with what was attempted put before it.
    #[must_use]
    pub fn attempted(mut self, what: impl fmt::Display) -> Self {
        self.text = format!("{what}: {}", self.text);
        self
    }

    /// The same error under another kind.
    #[must_use]
    pub fn as_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.text)
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        use std::io::ErrorKind as E;
        // What a writer of ours wrapped for a library stays what it was: "no room" above all.
        let e = match e.downcast::<Self>() {
            Ok(own) => return own,
            Err(e) => e,
        };
        let kind = match e.kind() {
            E::NotFound => Kind::NotFound,
            E::AlreadyExists => Kind::Exists,
            E::PermissionDenied | E::ReadOnlyFilesystem => Kind::Denied,
            E::StorageFull | E::QuotaExceeded | E::FileTooLarge => Kind::Full,
            E::WouldBlock | E::ResourceBusy => Kind::Busy,
            E::TimedOut
            | E::ConnectionRefused
            | E::ConnectionReset
            | E::ConnectionAborted
            | E::BrokenPipe
            | E::NetworkUnreachable
            | E::HostUnreachable => Kind::Unavailable,
            E::UnexpectedEof | E::InvalidData => Kind::Corrupt,
            _ => Kind::Io,
        };
        Self {
            kind,
            text: e.to_string(),
            os_code: e.raw_os_error(),
        }
    }
}

impl From<fmt::Error> for Error {
    fn from(_: fmt::Error) -> Self {
        Self::new(Kind::Internal, "a text could not be formed")
    }
}

impl From<rustix::io::Errno> for Error {
    fn from(e: rustix::io::Errno) -> Self {
        std::io::Error::from(e).into()
    }
}

/// Puts what was attempted before an error.
pub trait Context<T> {
    /// On error, `what()` is put before the text.
    ///
    /// # Errors
    /// The error it was called on.
    fn context<D: fmt::Display>(self, what: impl FnOnce() -> D) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn context<D: fmt::Display>(self, what: impl FnOnce() -> D) -> Result<T> {
        self.map_err(|e| e.into().attempted(what()))
    }
}
