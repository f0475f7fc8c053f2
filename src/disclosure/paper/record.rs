//! A record on paper: from rows of the catalog to the values of a handover document, and of a line of the register.
//!
//! What does not belong here: reading the rows, who may know of them.

use serde_json::Value;

use crate::base::error::Result;
use crate::base::id::{BoxId, CameraId};
use crate::base::time::Wall;
use crate::catalog::{
    DisclosureCamera, DisclosureKind, DisclosureRow, DisclosureStep, FileRow, ReviewRow, StepRow,
};
use crate::config::{Catalogue, Choice, Config};
use crate::disclosure::form::Form;
use crate::disclosure::paper::handover::{
    Absent, Camera, Decision, Delivery, File, Ground, HandoverDocument, House, Proof, Recipient,
    Request, Told,
};
use crate::disclosure::paper::register::RegisterLine;
use crate::disclosure::paper::words::purpose;
use crate::document::Language;
use crate::ledger::checkpoint::Key;

/// A record, and what its paper needs besides.
pub struct Record<'a> {
    /// It.
    pub row: &'a DisclosureRow,
    /// What was done with it.
    pub steps: &'a [StepRow],
    /// Parts of its package as they are handed out.
    pub files: &'a [FileRow],
    /// The configuration in force: who the controller is, what cameras film.
    pub config: &'a Config,
    /// What is asked of whom today: for what is not decided yet.
    pub catalogue: &'a Catalogue,
    /// What people call a person, by their id.
    pub name: &'a dyn Fn(&str) -> String,
    /// What it is written in; `None`: what the record says.
    pub language: Option<Language>,
    /// When the paper is made.
    pub made: Wall,
    /// The box.
    pub box_id: BoxId,
    /// The key with which it signs.
    pub key: Key,
}

impl HandoverDocument {
    /// Of a record as it is now. Clips, clocks and losses come from a package ([`take`](Self::take)); until then the parts of the
    /// package stand for the files.
    ///
    /// # Errors
    /// `Corrupt` when the record's form is none.
    pub fn of_record(of: &Record<'_>) -> Result<Self> {
        let form = Form::read(&of.row.form)?;
        let language = of.language.unwrap_or_else(|| written_in(&form));
        let filling = Filling { of, form, language };
        Ok(filling.document())
    }
}

/// What the record says it is written in; Finnish when it says nothing.
fn written_in(form: &Form) -> Language {
    let said = form.language.map(|language| language.to_string());
    let said = said.and_then(|text| text.parse().ok());
    said.unwrap_or(Language::Finnish)
}

struct Filling<'a> {
    of: &'a Record<'a>,
    form: Form,
    language: Language,
}

impl Filling<'_> {
    fn document(&self) -> HandoverDocument {
        let (of, row) = (self.of, self.of.row);
        let config = of.config;
        let asked = row.asked.as_ref();
        let cameras = asked.iter().flat_map(|asked| &asked.cameras);
        HandoverDocument {
            language: self.language,
            kind: row.kind,
            serial: asked.map(|asked| asked.serial.to_string()),
            made: of.made,
            house: House {
                site: config.site.name.clone(),
                zone: config.site.zone,
                controller: config.notice.controller.clone(),
                contact: config.notice.contact.clone(),
            },
            request: self.request(),
            recipient: self.recipient(),
            ground: self.ground(),
            decision: self.decision(),
            cameras: cameras.map(|camera| self.camera(camera)).collect(),
            files: of.files.iter().map(file).collect(),
            delivery: self.delivery(),
            proof: Proof {
                box_id: of.box_id,
                key: of.key,
                manifest: row.prepared.map(|(_, manifest)| manifest),
                entry: self.entry(),
                checkpoint: None,
            },
            told: (row.kind == DisclosureKind::AccessRequest).then(|| self.told()),
        }
    }

    fn request(&self) -> Request {
        let form = &self.form;
        Request {
            received: form.received.or(self.of.row.asked.as_ref().map(|a| a.at)),
            channel: form.channel.clone(),
            case: form
                .case_number
                .clone()
                .or_else(|| form.case_absent.clone()),
            appearance: form.appearance.clone(),
            recorded_by: Some((self.of.name)(&self.of.row.asked_by)),
        }
    }

    fn recipient(&self) -> Recipient {
        let form = &self.form;
        let sort = self.text("recipient", &self.of.catalogue.recipients, &form.recipient);
        Recipient {
            sort,
            organisation: form.organisation.clone(),
            unit: form.unit.clone(),
            person: form.person.clone(),
            rank: form.rank.clone(),
            contact: form.contact.clone(),
            identified: form.verified_how.clone(),
            identified_by: form
                .verified_how
                .as_ref()
                .map(|_| (self.of.name)(&self.of.row.asked_by)),
        }
    }

    fn ground(&self) -> Ground {
        let (form, catalogue, row) = (&self.form, self.of.catalogue, self.of.row);
        let frozen = row.frozen.as_ref();
        let version = frozen.and_then(|frozen| frozen["version"].as_str());
        Ground {
            basis: self.text("basis", &catalogue.bases, &form.basis),
            version: version.map(str::to_owned),
            purpose: self.text("purpose", &catalogue.purposes, &form.purpose),
            necessity: form.necessity.clone(),
            secret: row.secret || form.secret,
            secret_reason: form.secret_reason.clone(),
            hold: row.asked.as_ref().map(|asked| asked.hold).or(form.hold),
        }
    }

    /// The words of a code: as they were when it was decided, or of today.
    fn text(&self, name: &str, list: &[Choice], code: &Option<String>) -> Option<String> {
        let language = self.language.as_str();
        let frozen = self.of.row.frozen.as_ref();
        let frozen = frozen.and_then(|frozen| frozen[name]["texts"][language].as_str());
        let today = || {
            let found = list
                .iter()
                .find(|choice| Some(&choice.code) == code.as_ref())?;
            let texts = &found.texts;
            Some(self.language.pick([&texts.fi, &texts.sv, &texts.en]))
        };
        frozen.or_else(today).map(str::to_owned)
    }

    fn steps(&self, which: DisclosureStep) -> impl DoubleEndedIterator<Item = &StepRow> {
        self.of.steps.iter().filter(move |step| step.step == which)
    }

    fn decision(&self) -> Option<Decision> {
        let at = self.of.row.decided?;
        let granted = self.steps(DisclosureStep::Refused).next().is_none();
        let which = if granted {
            DisclosureStep::Approved
        } else {
            DisclosureStep::Refused
        };
        let by = self.steps(which).map(|step| (self.of.name)(&step.by));
        let why: Vec<&str> = self
            .steps(which)
            .filter_map(|step| step.detail["reason"].as_str())
            .collect();
        Some(Decision {
            granted,
            by: by.collect(),
            at,
            why: (!why.is_empty()).then(|| why.join("\n")),
        })
    }

    fn camera(&self, camera: &DisclosureCamera) -> Camera {
        let absent = camera.gaps.iter().map(|gap| Absent {
            span: gap.span,
            why: gap.cause.clone(),
        });
        Camera {
            id: camera.camera.to_string(),
            name: camera.name.clone(),
            area: self.area(&camera.camera),
            asked: camera.asked,
            given: Some(camera.given),
            absent: absent.collect(),
            losses: None,
            clock: None,
        }
    }

    fn area(&self, id: &CameraId) -> Option<String> {
        let cameras = &self.of.config.cameras;
        let found = cameras.iter().find(|camera| camera.id == *id)?;
        Some(found.area.clone()).filter(|area| !area.is_empty())
    }

    /// The step that says how, when it is done; who hands it over writes their name by hand until then.
    fn delivery(&self) -> Delivery {
        let row = self.of.row;
        let step = self.steps(DisclosureStep::HandedOver).next_back();
        let said = |name: &str| {
            let detail: Option<&Value> = step.map(|step| &step.detail);
            detail.and_then(|d| d[name].as_str()).map(str::to_owned)
        };
        Delivery {
            medium: said("medium"),
            encrypted: None,
            encryption: said("encryption"),
            by: step.map(|step| (self.of.name)(&step.by)),
            to: said("to"),
            identity: said("identity"),
            at: row.handed_over,
            receipt: row.received,
            destroy_by: row.copies_until,
        }
    }

    /// The entry with the manifest's hash; of what has no file, that of the last step.
    fn entry(&self) -> Option<u64> {
        let prepared = self.steps(DisclosureStep::Prepared).next_back();
        let last = || {
            self.of
                .steps
                .last()
                .filter(|_| !self.of.row.kind.has_file())
        };
        prepared.or_else(last).map(|step| step.entry)
    }

    /// Of the cameras that it is about.
    fn told(&self) -> Told {
        let config = self.of.config;
        let asked = self.of.row.asked.iter().flat_map(|asked| &asked.cameras);
        let known = asked.filter_map(|of| config.cameras.iter().find(|c| c.id == of.camera));
        let (mut purposes, mut keep_s) = (Vec::new(), None);
        for camera in known {
            keep_s = keep_s.max(Some(camera.policy.main.keep_secs));
            for code in &camera.purposes {
                let text = purpose(*code).of(self.language).to_owned();
                if !purposes.contains(&text) {
                    purposes.push(text);
                }
            }
        }
        Told {
            purposes,
            keep_s,
            recipients: config.notice.recipients.clone(),
            officer: config.notice.officer.clone(),
        }
    }
}

fn file(row: &FileRow) -> File {
    File {
        name: row.name.clone(),
        span: None,
        bytes: row.bytes,
        sha256: row.sha256,
        note: None,
    }
}

impl RegisterLine {
    /// Of a record.
    ///
    /// # Errors
    /// `Corrupt` when the record's form is none.
    pub fn of_record(of: &Record<'_>, reviews: &[ReviewRow], language: Language) -> Result<Self> {
        let form = Form::read(&of.row.form)?;
        let filling = Filling { of, form, language };
        let (ground, to, row) = (filling.ground(), filling.recipient(), of.row);
        let recipient = [to.organisation, to.unit, to.person, to.rank];
        let recipient: Vec<String> = recipient.into_iter().flatten().collect();
        let asked = row.asked.as_ref();
        let cameras = asked.iter().flat_map(|asked| &asked.cameras);
        Ok(Self {
            serial: asked.map(|asked| asked.serial.to_string()),
            kind: row.kind,
            state: row.state,
            requested: asked.map(|asked| asked.at),
            asked_by: Some((of.name)(&row.asked_by)),
            recipient: Some(recipient.join(", "))
                .filter(|text| !text.is_empty())
                .or(to.sort),
            case: filling.request().case,
            basis: ground.basis,
            purpose: ground.purpose,
            decided: row.decided,
            decided_by: filling.decision().map(|d| d.by).unwrap_or_default(),
            handed_over: row.handed_over,
            received: row.received,
            destroyed: row.destroyed,
            manifest: row.prepared.map(|(_, manifest)| manifest),
            reviewed: reviews.last().map(|review| review.at),
            cameras: cameras
                .map(|camera| (camera.name.clone(), camera.camera.to_string(), camera.given))
                .collect(),
        })
    }
}
