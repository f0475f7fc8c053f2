//! A package: what is handed out, with everything that somebody needs who wants to check it without us.
//!
//! ```text
//! kassa-1_20261123T131500+0200.mp4   the clips; a gap or a change of parameters begins a further one
//! manifest.json   manifest.sig       what was asked for and what is given, hash by hash; signed by the box
//! proof.json                         every fragment's way to a signed checkpoint; the entry that this package was made
//! verify.html     README.txt         checks it in a browser without a network; how to
//! contents.txt                       the hashes of all of these but the clips, signed; written last
//! ```
//!
//! `docs/evidence-format.md` specifies it. What does not belong here: who may hand out what, and why (`disclosure`).

pub mod check;
pub mod folder;
pub mod make;
pub mod manifest;
mod media;
mod names;
pub mod order;
pub mod parts;
pub mod proof;
pub mod secret;
pub mod shelf;
mod ways;

/// The signed hash of the manifest.
pub const MANIFEST_KIND: &str = "sinetti-manifest/1";
/// The signed list of the other files.
pub const CONTENTS_KIND: &str = "sinetti-package/1";

/// Its files that are no clips.
pub const MANIFEST: &str = "manifest.json";
/// The manifest's signature.
pub const MANIFEST_SIG: &str = "manifest.sig";
/// The ways to the checkpoint.
pub const PROOF: &str = "proof.json";
/// The page that checks it.
pub const PAGE: &str = "verify.html";
/// What all this is, for whoever opens the folder.
pub const README: &str = "README.txt";
/// The list.
pub const CONTENTS: &str = "contents.txt";

/// Clips are hashed in pieces of this many bytes too, so that what was changed is found to the piece, and a browser needs
/// no more memory than one.
pub const CHUNK_BYTES: u64 = 1 << 20;
/// The largest `manifest.json` or `proof.json` that is written or read, in bytes.
pub const JSON_BYTES_MAX: u64 = 256 << 20;
/// The most files in a package.
pub const FILES_MAX: usize = 512;

/// The page.
const PAGE_TEXT: &str = include_str!("verify.html");
/// Fi, sv, en.
const README_TEXT: &str = include_str!("README.txt");
