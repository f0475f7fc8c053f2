//! Other programs that read a document.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a program printed; it must have ended well.
pub(crate) fn ran(command: &mut Command) -> String {
    let out = command.output().expect("the program starts");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{command:?}: {text}{errors}");
    text
}

/// A document in a folder of its own.
pub(crate) struct Document {
    folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

impl Document {
    /// Writes it, and lets qpdf and poppler look at its form: no complaint, all fonts embedded.
    pub(crate) fn new(name: &str, pdf: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join(name);
        fs::write(&path, pdf).expect("written");
        if let Some(keep) = std::env::var_os("SINETTI_TEST_PAPERS") {
            fs::write(Path::new(&keep).join(name), pdf).expect("kept");
        }
        ran(Command::new("qpdf").arg("--check").arg(&path));
        let fonts = ran(Command::new("pdffonts").arg(&path));
        let listed: Vec<&str> = fonts.lines().skip(2).collect();
        assert!(!listed.is_empty(), "{fonts}");
        for line in listed {
            // … type, encoding, then whether it is embedded, a subset, with a map to Unicode.
            let flags: Vec<&str> = line.split_whitespace().rev().skip(2).take(3).collect();
            assert_eq!(flags, ["yes", "yes", "yes"], "{line}");
        }
        Self { folder, path }
    }

    /// Its text as on the page.
    pub(crate) fn text(&self) -> String {
        ran(Command::new("pdftotext")
            .arg("-layout")
            .arg(&self.path)
            .arg("-"))
    }

    /// Its pages as text.
    pub(crate) fn pages(&self) -> Vec<String> {
        let text = self.text();
        let mut pages: Vec<String> = text.split('\u{c}').map(str::to_owned).collect();
        pages.pop();
        pages
    }

    /// What the codes in it hold, as a scanner reads them off the picture of the pages.
    pub(crate) fn codes(&self) -> String {
        let picture = self.folder.path().join("page");
        ran(Command::new("pdftoppm")
            .args(["-r", "150", "-png"])
            .arg(&self.path)
            .arg(&picture));
        let mut pages: Vec<PathBuf> = fs::read_dir(self.folder.path())
            .expect("folder")
            .map(|entry| entry.expect("entry").path())
            .filter(|path| path.extension().is_some_and(|e| e == "png"))
            .collect();
        pages.sort();
        let scan = |path: &PathBuf| {
            // It ends with 4 when there is no code on a page.
            let out = Command::new("zbarimg")
                .args(["-q", "--raw"])
                .arg(path)
                .output()
                .expect("zbarimg starts");
            String::from_utf8_lossy(&out.stdout).into_owned()
        };
        pages.iter().map(scan).collect()
    }
}

/// Without anything that a line break may change.
pub(crate) fn plain(text: &str) -> String {
    text.split_whitespace().collect()
}
