//! The gate to a package: what may be put into one, asked when the job begins and again before its first byte is read.

use crate::access::authorise::Authorised;
use crate::access::role::acts;
use crate::base::error::{Error, Kind, Result};
use crate::base::hash::Digest;
use crate::base::id::{CameraId, DisclosureId, HoldId};
use crate::base::time::Span;
use crate::catalog::{
    Change, DisclosureChange, DisclosureKind, DisclosureRow, DisclosureState, Event, Language,
    Serial, Stepped, What,
};
use crate::disclosure::act::{By, Desk, check_approvers};
use crate::disclosure::form::Form;

/// What may be put into a package, and nothing else.
#[derive(Clone, Debug)]
pub struct Permitted {
    /// Of which disclosure.
    pub disclosure: DisclosureId,
    /// Its serial number.
    pub serial: Serial,
    /// What it is.
    pub kind: DisclosureKind,
    /// Of which camera which interval of the full picture: whole GOPs.
    pub cameras: Vec<PermittedCamera>,
    /// The hold that was placed with it: for its case footage is read whose ordinary time is over.
    pub hold: HoldId,
    /// The catalogue's texts as they were when it was decided: basis, purpose, recipient.
    pub frozen: serde_json::Value,
    /// The form as it was asked for.
    pub form: Form,
    /// Language of the documents.
    pub language: Language,
    /// A copy for viewing is put beside an original in H.265.
    pub viewing_copy: bool,
}

/// What of a camera may be put into a package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PermittedCamera {
    /// The camera.
    pub camera: CameraId,
    /// As it was called when it was asked for.
    pub name: String,
    /// What was asked for.
    pub asked: Span,
    /// What may be given.
    pub given: Span,
}

impl Desk<'_> {
    /// What may be put into the package of a disclosure at this moment.
    ///
    /// # Errors
    /// [`Kind::Denied`] when it is not the person's, a camera is not, or who approved it may not any more; [`Kind::Exists`] when it
    /// is not approved, or is of a kind without a file.
    pub fn permit(
        &self,
        who: &Authorised<acts::HandOut>,
        by: &By,
        disclosure: DisclosureId,
    ) -> Result<Permitted> {
        if who.actor() != by.person {
            return Err(Error::new(Kind::Internal, "another person"));
        }
        self.permit_by(by, disclosure)
    }

    /// The same for somebody who showed password and factor at the console and has the right to hand out.
    ///
    /// # Errors
    /// As [`Desk::permit`].
    pub fn permit_by(&self, by: &By, disclosure: DisclosureId) -> Result<Permitted> {
        let (row, steps) = self.find_for(&self.catalog.reader()?, by, disclosure)?;
        if !row.kind.has_file() {
            let text = format!("no package is made for {}", row.kind);
            return Err(Error::new(Kind::Exists, text));
        }
        if !matches!(
            row.state,
            DisclosureState::Approved | DisclosureState::Prepared
        ) {
            let text = format!("it is {}; a package is made of what is approved", row.state);
            return Err(Error::new(Kind::Exists, text));
        }
        check_approvers(self.directory, &row, &steps, self.now)?;
        permitted(&row)
    }

    /// The entry that bears the manifest's hash. A job writes it first, since the package holds the proof of it.
    pub fn proved(&self, by: &By, row: &DisclosureRow, manifest: Digest) -> Event {
        let mut event = self.event(by, row, "prepared", &serde_json::Value::Null);
        event.facts["manifest"] = manifest.to_string().into();
        event
    }

    /// The step to `prepared`, with the number of that entry: what a job commits together with the parts, when the package is whole.
    /// The step is refused there when its state does not allow it any more.
    pub fn prepared(
        &self,
        by: &By,
        disclosure: DisclosureId,
        (manifest, entry): (Digest, u64),
    ) -> Change {
        let stepped = Stepped {
            disclosure,
            at: self.now,
            by: by.person.clone(),
            detail: serde_json::json!({ "manifest": manifest.to_string() }),
            what: What::Prepare { manifest, entry },
        };
        Change::Disclosure(DisclosureChange::Stepped(Box::new(stepped)))
    }
}

fn permitted(row: &DisclosureRow) -> Result<Permitted> {
    let asked = row.asked.as_ref();
    let asked = asked.ok_or_else(|| Error::corrupt("a disclosure that nobody asked for"))?;
    let form = Form::read(&row.form)?;
    let cameras = asked.cameras.iter().map(|camera| PermittedCamera {
        camera: camera.camera.clone(),
        name: camera.name.clone(),
        asked: camera.asked,
        given: camera.given,
    });
    Ok(Permitted {
        disclosure: row.disclosure,
        serial: asked.serial,
        kind: row.kind,
        cameras: cameras.collect(),
        hold: asked.hold,
        frozen: row.frozen.clone().unwrap_or_default(),
        language: form.language.unwrap_or(Language::Fi),
        viewing_copy: form.viewing_copy,
        form,
    })
}
