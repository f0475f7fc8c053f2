//! What is wrong with a configuration: everything at once, by line.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::base::error::{Error, Kind};

/// So many problems are listed; the rest are counted.
const LISTED_MAX: usize = 50;

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Problem {
    /// The line in the file, from 1; `None` when it is about the file as a whole.
    pub line: Option<usize>,
    /// What is wrong and what to write instead. Never a secret.
    pub message: String,
}

/// Everything that is wrong with a configuration, in the order of its lines. Shown as `FILE:LINE: message`,
/// one a line.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    kind: Kind,
    file: PathBuf,
    problems: Vec<Problem>,
}

impl ConfigErrors {
    pub(crate) fn new(file: &Path, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.line);
        Self {
            kind: Kind::Invalid,
            file: file.to_owned(),
            problems,
        }
    }

    /// The file as a whole could not be had.
    pub(crate) fn whole(file: &Path, kind: Kind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            kind,
            file: file.to_owned(),
            problems: vec![Problem {
                line: None,
                message,
            }],
        }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The problems in the order of their lines; never empty.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        for (i, problem) in self.problems.iter().take(LISTED_MAX).enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            match problem.line {
                Some(line) => write!(f, "{file}:{line}: {}", problem.message)?,
                None => write!(f, "{file}: {}", problem.message)?,
            }
        }
        match self.problems.len().checked_sub(LISTED_MAX) {
            Some(more) if more > 0 => write!(f, "\n{file}: and {more} more"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigErrors {}

impl From<ConfigErrors> for Error {
    fn from(e: ConfigErrors) -> Self {
        Self::new(e.kind, e.to_string())
    }
}
