//! Texts that a box signs beside its checkpoints: C2SP signed notes of the same key.
//!
//! A text's first line is its kind, its second the verifier key (which bears box and epoch). A checkpoint's first line is an
//! origin, and no kind looks like one: a signature over the one never passes for the other.
//!
//! What does not belong here: what a text says.

use signed_note::{Note, VerifierList};

use crate::base::error::{Error, Kind, Result};
use crate::base::id::BoxId;
use crate::ledger::checkpoint::{Key, Named, Pen, Signer, of_verifier_key, origin};

/// The longest note that is read, in bytes.
pub const NOTE_BYTES_MAX: usize = 64 << 10;
/// How a signature line begins.
const SIGNATURE: &str = "\n\n\u{2014} ";

/// Signs `lines`, each of which ends in a line feed.
///
/// # Errors
/// `Internal`: the library refuses what we wrote.
pub fn sign(
    signer: &Signer,
    (box_id, epoch): (BoxId, u32),
    kind: &str,
    lines: &str,
) -> Result<String> {
    let refused =
        |e: &dyn std::fmt::Display| Error::new(Kind::Internal, format!("signing a {kind}: {e}"));
    let text = format!(
        "{kind}\n{}\n{lines}",
        signer.key().verifier_key(box_id, epoch)
    );
    let mut note = Note::new(text.as_bytes(), &[]).map_err(|e| refused(&e))?;
    let pen = Pen {
        signer,
        name: origin(box_id, epoch),
    };
    note.add_sigs(&[&pen]).map_err(|e| refused(&e))?;
    String::from_utf8(note.to_bytes()).map_err(|e| refused(&e))
}

/// A text whose signature fits the key that it names. Whose key that is, is another question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed<'a> {
    /// The key.
    pub key: Key,
    /// Whose log it belongs to.
    pub box_id: BoxId,
    /// Since which restore.
    pub epoch: u32,
    /// What follows after kind and key.
    pub lines: &'a str,
}

/// Reads a note of this kind: one signature, and not one byte beside it.
///
/// # Errors
/// `Corrupt` when it is no such note; `Denied` when the signature does not fit.
pub fn open<'a>(note: &'a [u8], kind: &str) -> Result<Signed<'a>> {
    let bad = |what: &str| Error::corrupt(format!("the signed {kind} {what}"));
    if note.len() > NOTE_BYTES_MAX {
        return Err(bad("is too long"));
    }
    let whole = std::str::from_utf8(note).map_err(|_| bad("is no text"))?;
    let parsed = Note::from_bytes(note).map_err(|_| bad("is no signed note"))?;
    let (text, signature) = whole
        .split_once(SIGNATURE)
        .ok_or_else(|| bad("has no signature"))?;
    let is_one = signature
        .strip_suffix('\n')
        .is_some_and(|s| !s.contains('\n'));
    if !is_one || parsed.to_bytes() != note {
        return Err(bad("has more than one signature"));
    }
    // The text ends in the first of the two line feeds.
    let text = whole.get(..=text.len()).unwrap_or_default();
    let rest = text
        .strip_prefix(kind)
        .and_then(|rest| rest.strip_prefix('\n'))
        .ok_or_else(|| bad("is of another kind"))?;
    let (named, lines) = rest.split_once('\n').ok_or_else(|| bad("names no key"))?;
    let key = Key::from_verifier_key(named)?;
    let (box_id, epoch) = of_verifier_key(named).ok_or_else(|| bad("names no key"))?;
    let known = VerifierList::new(vec![Box::new(Named {
        name: origin(box_id, epoch),
        key,
    })]);
    parsed.verify(&known).map_err(|_| {
        let text = format!("the {kind} is not signed by the key that it names");
        Error::new(Kind::Denied, text)
    })?;
    Ok(Signed {
        key,
        box_id,
        epoch,
        lines,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::checkpoint::test_signer;

    #[test]
    fn what_was_signed_opens_and_no_byte_of_it_can_be_another() {
        let (signer, box_id) = (test_signer(), BoxId::from_bytes([5; 16]));
        let note = sign(&signer, (box_id, 2), "sinetti-test/1", "a\nb\n").expect("signed");
        let signed = open(note.as_bytes(), "sinetti-test/1").expect("opens");
        assert_eq!(
            (signed.key, signed.box_id, signed.epoch),
            (signer.key(), box_id, 2)
        );
        assert_eq!(signed.lines, "a\nb\n");
        assert!(open(note.as_bytes(), "sinetti-other/1").is_err());
        for at in 0..note.len() {
            let mut changed = note.clone().into_bytes();
            changed[at] ^= 1;
            assert!(open(&changed, "sinetti-test/1").is_err(), "byte {at}");
            changed.remove(at);
            assert!(
                open(&changed, "sinetti-test/1").is_err(),
                "without byte {at}"
            );
        }
        for more in ["\n", " ", "\u{2014} x AAAA\n"] {
            assert!(open((note.clone() + more).as_bytes(), "sinetti-test/1").is_err());
        }
    }
}
