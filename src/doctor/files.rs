//! Checks of the state folder: who may read and write what.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::doctor::{Finding, Subject};

pub(super) fn checks(subject: &Subject<'_>) -> Vec<Finding> {
    let me = rustix::process::geteuid().as_raw();
    let config = subject.dir.join("sinetti.toml");
    vec![
        state_folder(subject.dir, &subject.state, me),
        configuration(
            &config,
            subject.config.as_ref().map(drop).map_err(String::as_str),
        ),
        secrets(subject.dir, subject.config.as_ref().ok().copied()),
    ]
}

fn mode(data: &Metadata) -> u32 {
    data.permissions().mode() & 0o7777
}

pub(super) fn state_folder(dir: &Path, opened: &Result<(), String>, me: u32) -> Finding {
    let check = "state-folder";
    let shown = dir.display();
    let data = match std::fs::metadata(dir) {
        Ok(data) => data,
        Err(e) => {
            return Finding::bad(
                check,
                format!("{shown}: {e}"),
                "give --dir, or make one: sinetti init",
            );
        }
    };
    if mode(&data) & 0o077 != 0 {
        let found = format!("others may enter {shown} (mode {:04o})", mode(&data));
        return Finding::bad(check, found, format!("chmod 700 {shown}"));
    }
    if let Err(e) = opened {
        return Finding::bad(check, e, "see what it says");
    }
    if data.uid() != me {
        let found = format!("{shown} belongs to user {}, this is user {me}", data.uid());
        let remedy = "give commands as the user of the service: sudo -u sinetti sinetti …";
        return Finding::warn(check, found, remedy);
    }
    Finding::ok(check, format!("{shown} is entered by its owner alone"))
}

pub(super) fn configuration(path: &Path, loaded: Result<(), &str>) -> Finding {
    let check = "configuration";
    if let Err(e) = loaded {
        let remedy = "mend the file; config/sinetti.sample.toml shows every key";
        return Finding::bad(check, e, remedy);
    }
    match std::fs::metadata(path) {
        Ok(data) if mode(&data) & 0o022 != 0 => Finding::bad(
            check,
            format!(
                "others may write {} (mode {:04o})",
                path.display(),
                mode(&data)
            ),
            format!("chmod 644 {}", path.display()),
        ),
        Ok(_) => Finding::ok(check, format!("{} is in order", path.display())),
        Err(e) => Finding::bad(check, format!("{}: {e}", path.display()), "give --dir"),
    }
}

/// Everything in the state folder that nobody else may read.
pub(super) fn secrets(dir: &Path, config: Option<&Config>) -> Finding {
    let own = [
        "box.json",
        "keys/ledger.pk8",
        "catalog.db",
        "catalog.db-wal",
        "catalog.db-shm",
    ];
    let mut paths: Vec<(PathBuf, bool)> = own
        .iter()
        .map(|name| (dir.join(name), name.contains('-')))
        .collect();
    let files = config.iter().flat_map(|config| &config.cameras);
    paths.extend(
        files
            .filter_map(|camera| camera.credentials.clone())
            .map(|path| (path, false)),
    );
    let (mut open, mut missing) = (Vec::new(), Vec::new());
    let count = paths.len();
    for (path, may_be_missing) in paths {
        match std::fs::metadata(&path) {
            Ok(data) if mode(&data) & 0o077 != 0 => open.push(path.display().to_string()),
            Ok(_) => {}
            Err(_) if may_be_missing => {}
            Err(e) => missing.push(format!("{} ({e})", path.display())),
        }
    }
    let check = "secrets";
    if !open.is_empty() {
        let list = open.join(" ");
        return Finding::bad(
            check,
            format!("others may read {list}"),
            format!("chmod 600 {list}"),
        );
    }
    if !missing.is_empty() {
        let found = format!("cannot be read: {}", missing.join(", "));
        return Finding::bad(check, found, "restore them, or mend the configuration");
    }
    Finding::ok(
        check,
        format!("{count} files, none of which others may read"),
    )
}
