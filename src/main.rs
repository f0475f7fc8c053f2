//! The `sinetti` command: parse arguments, dispatch, exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // A core dump could hold clear pictures, passphrases and keys.
    if let Err(e) = sinetti::cmd::forbid_core_dumps() {
        eprintln!("error: {e}");
        return ExitCode::FAILURE;
    }
    sinetti::cmd::log_to_stderr();
    let args = sinetti::cmd::Args::parse();
    match sinetti::cmd::dispatch(args) {
        Ok(code) => code,
        Err(e) => {
            log::error!("{e}");
            ExitCode::FAILURE
        }
    }
}
