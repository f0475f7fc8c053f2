//! The two pipes, without buffers that could be forgotten.

use std::io::{Read, Write};
use std::process::ExitCode;

use sinetti::base::error::Result;
use sinetti::decode::wire::{self, FromCodec, HEAD_BYTES, ToCodec};

/// The next message.
pub(crate) fn receive() -> Result<ToCodec> {
    let mut stdin = std::io::stdin().lock();
    let mut first = [0; HEAD_BYTES];
    stdin.read_exact(&mut first)?;
    let (tag, length) = wire::head(first)?;
    let mut body = vec![0; length];
    stdin.read_exact(&mut body)?;
    ToCodec::parse(tag, &body)
}

/// Sends a message.
pub(crate) fn send(message: &FromCodec) -> Result<()> {
    let mut bytes = Vec::new();
    message.put(&mut bytes);
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&bytes)?;
    stdout.flush()?;
    Ok(())
}

/// Sends the last message: whoever hears it no more needs no answer.
pub(crate) fn say(message: &FromCodec) -> ExitCode {
    match send(message) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
