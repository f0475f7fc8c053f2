//! Sets a handover document on paper: its parts in order, with the wording of its kind.
//!
//! What does not belong here: the words themselves (`words`), where the values come from.

use crate::base::error::Result;
use crate::base::hash::Digest;
use crate::base::time::{Span, Wall};
use crate::catalog::DisclosureKind;
use crate::catalog::GapCause;
use crate::disclosure::paper::handover::{
    Absent, Camera, Clock, File, HandoverDocument, Losses, Told,
};
use crate::disclosure::paper::words as w;
use crate::disclosure::paper::words::{Wording, cause, wording};
use crate::document::{
    About, Column, Field, Language, Paper, Signer, Table, Words, bytes, count, date, instant,
    period,
};
use crate::evidence::package::manifest::{NoViewing, Note};

const DAY_S: u32 = 86_400;
/// What stands for what is not there.
const MISSING: &str = "–";

impl HandoverDocument {
    /// The document as PDF/A.
    ///
    /// # Errors
    /// `Internal`: a fault of ours.
    pub fn pdf(&self) -> Result<Vec<u8>> {
        let writing = Writing {
            of: self,
            wording: wording(self.kind),
        };
        let mut paper = Paper::new(writing.about())?;
        writing.top(&mut paper);
        let mut number = 0;
        let mut next = |words: Words| {
            number += 1;
            format!("{number}\u{a0}\u{a0}{}", writing.of(words))
        };
        paper.section(&next(writing.wording.request));
        writing.request(&mut paper);
        writing.kept(
            &mut paper,
            &next(writing.wording.recipient),
            Writing::recipient,
        )?;
        writing.kept(&mut paper, &next(w::DECISION), Writing::decision)?;
        paper.section(&next(w::FOOTAGE));
        writing.footage(&mut paper);
        if self.kind.has_file() {
            paper.section(&next(w::FILES));
            writing.files(&mut paper);
        }
        writing.kept(&mut paper, &next(w::DELIVERY), Writing::delivery)?;
        if let Some(told) = &self.told {
            paper.section(&next(w::TOLD));
            writing.told(&mut paper, told);
            paper.section(&next(w::RIGHTS));
            for words in [w::RIGHTS_ARE, w::COMPLAINT, w::OTHERS] {
                paper.paragraph(writing.of(words));
            }
        }
        let heading = next(w::CHECK);
        paper.keep(|paper| {
            paper.section(&heading);
            writing.check(paper)
        })?;
        writing.kept(&mut paper, &next(w::SIGN), Writing::sign)?;
        paper.finish()
    }

    /// What the code on paper holds: `sinetti handover 1`, the serial number, the fingerprint of the key, the hash of the manifest,
    /// each on a line of its own, `-` where there is none; then the signed checkpoint as it is.
    pub fn scanned(&self) -> String {
        let proof = &self.proof;
        let manifest = proof.manifest.map(|digest| digest.to_string());
        let note = proof.checkpoint.as_ref().map(|(note, _)| note.as_str());
        format!(
            "sinetti handover 1\n{}\n{}\n{}\n{}",
            self.serial.as_deref().unwrap_or("-"),
            proof.key.fingerprint(),
            manifest.as_deref().unwrap_or("-"),
            note.unwrap_or("-\n"),
        )
    }
}

struct Writing<'a> {
    of: &'a HandoverDocument,
    wording: Wording,
}

impl Writing<'_> {
    fn of(&self, words: Words) -> &'static str {
        words.of(self.of.language)
    }

    /// A part that stays on one page.
    fn kept(&self, paper: &mut Paper, heading: &str, put: fn(&Self, &mut Paper)) -> Result<()> {
        paper.keep(|paper| {
            paper.section(heading);
            put(self, paper);
            Ok(())
        })
    }

    fn count(&self, number: u64) -> String {
        count(number, self.of.language)
    }

    fn instant(&self, at: Wall) -> String {
        instant(at, self.of.house.zone, self.of.language)
    }

    /// Local time with its offset, and under it the same in UTC to the millisecond.
    fn span(&self, span: Span) -> String {
        format!(
            "{}\n{} –\n{}",
            period(span, self.of.house.zone, self.of.language),
            span.start.rfc3339(),
            span.end.rfc3339()
        )
    }

    fn field(&self, name: Words, value: Option<&str>, columns: u8) -> Field {
        Field::new(self.of(name), value.unwrap_or_default()).over(columns)
    }

    fn time(&self, name: Words, at: Option<Wall>, columns: u8) -> Field {
        let value = at.map(|at| self.instant(at)).unwrap_or_default();
        self.field(name, Some(&value), columns)
    }

    fn about(&self) -> About {
        let (of, house) = (self.of, &self.of.house);
        let title = self.title();
        let content = format!("{of:?}");
        About {
            foot: format!(
                "{title} · {} · {}",
                house.site,
                date(of.made, house.zone, of.language)
            ),
            title,
            author: format!("Sinetti, {}", house.site),
            language: of.language,
            made: of.made,
            id: Digest::sha256(&[content.as_bytes()]).to_string(),
        }
    }

    fn title(&self) -> String {
        let serial = self.of.serial.as_deref().unwrap_or(MISSING);
        format!("{} {serial}", self.of(self.wording.title))
    }

    fn top(&self, paper: &mut Paper) {
        let house = &self.of.house;
        paper.title(&self.title());
        paper.subtitle(self.of(self.wording.kind));
        paper.fields(&[
            self.field(w::CONTROLLER, house.controller.as_deref(), 6),
            self.field(w::CONTACT, house.contact.as_deref(), 6),
            self.field(w::SITE, Some(&house.site), 6),
            self.time(w::MADE, Some(self.of.made), 6),
        ]);
    }

    fn request(&self, paper: &mut Paper) {
        let (request, ground) = (&self.of.request, &self.of.ground);
        let hold = ground.hold.map(|hold| hold.to_string());
        let secrecy = if ground.secret {
            w::SECRET
        } else {
            w::NOT_SECRET
        };
        let secrecy = [
            Some(self.of(secrecy)),
            ground.secret_reason.as_deref().filter(|_| ground.secret),
        ];
        let secrecy: Vec<&str> = secrecy.into_iter().flatten().collect();
        let version = ground.version.as_deref();
        let basis = [
            ground.basis.clone(),
            version.map(|v| w::BASIS_VERSION.with(self.of.language, &[v])),
        ];
        let basis: Vec<String> = basis.into_iter().flatten().collect();
        let mut fields = vec![
            self.time(self.wording.received, request.received, 6),
            self.field(self.wording.channel, request.channel.as_deref(), 6),
            self.field(w::CASE, request.case.as_deref(), 6),
            self.field(w::RECORDED_BY, request.recorded_by.as_deref(), 6),
            self.field(w::BASIS, Some(&basis.join("\n")), 12),
            self.field(w::PURPOSE, ground.purpose.as_deref(), 12),
            self.field(w::NECESSITY, ground.necessity.as_deref(), 12),
        ];
        if self.of.kind == DisclosureKind::AccessRequest || request.appearance.is_some() {
            fields.push(self.field(w::APPEARANCE, request.appearance.as_deref(), 12));
        }
        fields.extend([
            self.field(w::HOLD, hold.as_deref(), 3),
            self.field(w::SECRECY, Some(&secrecy.join("\n")), 9),
        ]);
        paper.fields(&fields);
    }

    fn recipient(&self, paper: &mut Paper) {
        let to = &self.of.recipient;
        let mut fields = vec![
            self.field(w::PERSON, to.person.as_deref(), 6),
            self.field(w::RANK, to.rank.as_deref(), 6),
            self.field(w::ORGANISATION, to.organisation.as_deref(), 6),
            self.field(w::UNIT, to.unit.as_deref(), 6),
            self.field(w::SORT, to.sort.as_deref(), 6),
            self.field(w::CONTACT, to.contact.as_deref(), 6),
        ];
        let is_private = to.organisation.is_none() && to.unit.is_none() && to.rank.is_none();
        if self.of.kind == DisclosureKind::AccessRequest && is_private {
            // A person who asks for themselves has none of these.
            fields = vec![
                self.field(w::PERSON, to.person.as_deref(), 6),
                self.field(w::CONTACT, to.contact.as_deref(), 6),
            ];
        }
        fields.extend([
            self.field(w::IDENTIFIED, to.identified.as_deref(), 6),
            self.field(w::IDENTIFIED_BY, to.identified_by.as_deref(), 6),
        ]);
        paper.fields(&fields);
    }

    fn decision(&self, paper: &mut Paper) {
        let decision = self.of.decision.as_ref();
        let outcome = match decision.map(|decision| decision.granted) {
            None => w::UNDECIDED,
            Some(true) => w::GRANTED,
            Some(false) => w::REFUSED,
        };
        let by = decision.map(|decision| decision.by.join("\n"));
        paper.fields(&[
            self.field(w::OUTCOME, Some(self.of(outcome)), 4),
            self.time(w::DECIDED_AT, decision.map(|decision| decision.at), 5),
            self.field(w::DECIDED_BY, by.as_deref(), 3),
            self.field(w::DECIDED_WHY, decision.and_then(|d| d.why.as_deref()), 12),
        ]);
    }

    fn footage(&self, paper: &mut Paper) {
        let cameras = &self.of.cameras;
        let has_file = self.of.kind.has_file();
        paper.note(self.of(if has_file {
            w::TIMES_ARE
        } else {
            w::TIMES_SHOWN
        }));
        let row = |camera: &Camera| {
            vec![
                self.camera(camera),
                self.span(camera.asked),
                camera
                    .given
                    .map_or(MISSING.to_owned(), |given| self.span(given)),
            ]
        };
        paper.table(&Table {
            columns: vec![
                Column::text(self.of(w::CAMERA), 2.0),
                Column::text(self.of(w::ASKED), 3.0),
                Column::text(self.of(self.wording.given), 3.0),
            ],
            rows: cameras.iter().map(row).collect(),
            remarks: cameras.iter().map(|camera| self.state(camera)).collect(),
            ..Table::default()
        });
        let gaps = cameras
            .iter()
            .flat_map(|camera| camera.absent.iter().map(move |absent| (camera, absent)));
        let rows: Vec<_> = gaps
            .map(|(camera, absent)| {
                let time = period(absent.span, self.of.house.zone, self.of.language);
                vec![camera.name.clone(), time, self.why(absent)]
            })
            .collect();
        paper.heading(self.of(w::ABSENT));
        if rows.is_empty() {
            paper.paragraph(self.of(if has_file {
                w::NOT_ABSENT
            } else {
                w::NOT_ABSENT_ASKED
            }));
            return;
        }
        paper.table(&Table {
            columns: vec![
                Column::text(self.of(w::CAMERA), 2.0),
                Column::text(self.of(w::FROM_TO), 3.6),
                Column::text(self.of(w::CAUSE), 2.4),
            ],
            rows,
            ..Table::default()
        });
    }

    fn camera(&self, camera: &Camera) -> String {
        let mut text = camera.name.clone();
        if camera.id != camera.name {
            text.push_str(&format!("\n{}", camera.id));
        }
        if let Some(area) = &camera.area {
            text.push('\n');
            text.push_str(&w::AREA_IS.with(self.of.language, &[area]));
        }
        text
    }

    /// What stands under a camera: its clocks, what was lost.
    fn state(&self, camera: &Camera) -> String {
        let clock = camera.clock.map(|clock| self.clock(&clock));
        let losses = camera.losses.map(|losses| self.losses(&losses));
        let known: Vec<String> = clock.into_iter().chain(losses).collect();
        known.join(" ")
    }

    fn clock(&self, clock: &Clock) -> String {
        let l = self.of.language;
        let host = if clock.synchronised {
            let ms = u64::try_from(clock.error_us_max).unwrap_or_default();
            w::CLOCK_KEPT.with(l, &[&self.count(ms.div_ceil(1000))])
        } else {
            self.of(w::CLOCK_FREE).to_owned()
        };
        let signed = |ms: i64| {
            let sign = match ms {
                0 => "",
                1.. => "+",
                _ => "−",
            };
            format!("{sign}{}", self.count(ms.unsigned_abs()))
        };
        let camera = match clock.camera_offset_ms {
            None => self.of(w::OFFSET_NONE).to_owned(),
            Some((least, most)) if least == most => w::OFFSET.with(l, &[&signed(least)]),
            Some((least, most)) => {
                w::OFFSET.with(l, &[&format!("{} … {}", signed(least), signed(most))])
            }
        };
        let mut text = w::CLOCK.with(l, &[&host, &camera]);
        if clock.uncertain {
            text.push(' ');
            text.push_str(self.of(w::UNCERTAIN));
        }
        text
    }

    fn losses(&self, losses: &Losses) -> String {
        if *losses == Losses::default() {
            return self.of(w::NO_LOSSES).to_owned();
        }
        let numbers = [
            losses.packets_lost,
            losses.corrupt_units,
            losses.discontinuities,
            losses.damaged,
        ]
        .map(|number| self.count(number));
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        w::LOSSES.with(self.of.language, &numbers)
    }

    fn why(&self, absent: &Absent) -> String {
        match absent.why.parse::<GapCause>() {
            Ok(known) => self.of(cause(known)).to_owned(),
            Err(_) if absent.why.starts_with("deleted") => self.of(w::DELETED).to_owned(),
            Err(_) => absent.why.clone(),
        }
    }

    fn files(&self, paper: &mut Paper) {
        let (files, l) = (&self.of.files, self.of.language);
        if files.is_empty() {
            paper.paragraph(MISSING);
            return;
        }
        paper.note(self.of(w::FILES_ARE));
        let is_coded = |file: &File| matches!(file.note, Some(Note::CodedFrom(_)));
        if files.iter().any(is_coded) {
            paper.note(self.of(w::COPIES_ARE));
        }
        let total: u64 = files.iter().map(|file| file.bytes).sum();
        let exact = |number: u64| {
            let unit = w::BYTES.of(l);
            format!("{}\u{a0}{unit}", count(number, l))
        };
        paper.table(&Table {
            columns: vec![
                Column::text(self.of(w::FILE), 3.3),
                Column::text(self.of(w::RECORDED), 3.2),
                Column::number(self.of(w::SIZE), 1.5),
            ],
            rows: files
                .iter()
                .map(|file| {
                    vec![
                        file.name.clone(),
                        file.span.map_or(MISSING.to_owned(), |span| {
                            period(span, self.of.house.zone, l)
                        }),
                        exact(file.bytes),
                    ]
                })
                .collect(),
            remarks: files
                .iter()
                .map(|file| {
                    let hash = format!("SHA-256\u{a0}\u{a0}{}", file.sha256);
                    match file.note.as_ref().map(|note| noted(note, l)) {
                        Some(note) => format!("{hash} – {note}"),
                        None => hash,
                    }
                })
                .collect(),
            sum: Some(vec![
                w::SUM.with(l, &[&self.count(files.len() as u64)]),
                String::new(),
                bytes(total, l),
            ]),
        });
    }

    fn delivery(&self, paper: &mut Paper) {
        let delivery = &self.of.delivery;
        let encryption = delivery
            .encrypted
            .map(|encrypted| self.of(if encrypted { w::ENCRYPTED } else { w::CLEAR }));
        let encryption = [encryption, delivery.encryption.as_deref()];
        let encryption: Vec<&str> = encryption.into_iter().flatten().collect();
        let to = delivery.to.as_deref();
        let mut fields = vec![
            self.time(self.wording.at, delivery.at, 6),
            self.time(w::RECEIPT_AT, delivery.receipt, 6),
            self.field(self.wording.giver, delivery.by.as_deref(), 6),
            self.field(w::TO, to.or(self.of.recipient.person.as_deref()), 6),
            self.field(w::IDENTITY, delivery.identity.as_deref(), 6),
            self.field(w::MEDIUM, delivery.medium.as_deref(), 6),
        ];
        if self.of.kind.has_file() {
            let house = &self.of.house;
            let until = delivery.destroy_by;
            let until = until.map(|at| date(at, house.zone, self.of.language));
            fields.extend([
                self.field(w::ENCRYPTION, Some(&encryption.join("\n")), 6),
                self.field(w::DESTROY_BY, until.as_deref(), 6),
            ]);
        }
        paper.fields(&fields);
    }

    fn told(&self, paper: &mut Paper, told: &Told) {
        let l = self.of.language;
        let keep = told.keep_s.map(|secs| {
            let (words, number) = if secs.is_multiple_of(DAY_S) {
                (w::DAYS, secs / DAY_S)
            } else {
                (w::HOURS, secs.div_ceil(3600))
            };
            words.with(l, &[&self.count(u64::from(number))])
        });
        paper.fields(&[
            self.field(w::TOLD_PURPOSES, Some(&told.purposes.join("\n")), 6),
            self.field(w::TOLD_DATA, Some(self.of(w::TOLD_DATA_ARE)), 6),
            self.field(w::TOLD_RECIPIENTS, told.recipients.as_deref(), 6),
            self.field(w::TOLD_KEEP, keep.as_deref(), 6),
            self.field(w::TOLD_SOURCE, Some(self.of(w::TOLD_SOURCE_IS)), 6),
            self.field(w::TOLD_AUTOMATED, Some(self.of(w::TOLD_AUTOMATED_NONE)), 6),
            self.field(w::TOLD_OFFICER, told.officer.as_deref(), 12),
        ]);
    }

    fn check(&self, paper: &mut Paper) -> Result<()> {
        let (l, proof) = (self.of.language, &self.of.proof);
        let checkpoint = proof.checkpoint.as_ref().map(|(_, checkpoint)| checkpoint);
        let size = checkpoint.map(|c| {
            let (epoch, size) = (c.epoch.to_string(), self.count(c.size));
            w::CHECKPOINT_IS.with(l, &[&epoch, &size])
        });
        let root = checkpoint.map(|c| c.root.to_string());
        let manifest = proof.manifest.map(|digest| digest.to_string());
        let entry = proof.entry.map(|entry| self.count(entry));
        let box_id = proof.box_id.to_string();
        let mut fields = vec![
            self.field(w::FINGERPRINT, Some(&proof.key.fingerprint()), 6),
            self.field(w::BOX, Some(&box_id), 6),
        ];
        if self.of.kind.has_file() {
            fields.push(self.field(w::MANIFEST, manifest.as_deref(), 12));
        }
        fields.extend([
            self.field(w::ENTRY, entry.as_deref(), 6),
            self.field(w::CHECKPOINT, size.as_deref(), 6),
            self.field(w::ROOT, root.as_deref(), 12),
        ]);
        paper.fields(&fields);
        let how = if self.of.kind.has_file() {
            w::HOW
        } else {
            w::HOW_NO_FILE
        };
        let beside = format!("{}\n\n{}", self.of(how), self.of(w::SCAN_ME));
        paper.code(&self.of.scanned(), &beside)
    }

    fn sign(&self, paper: &mut Paper) {
        paper.paragraph(self.of(self.wording.receipt));
        paper.note(self.of(w::TWO_COPIES));
        let to = &self.of.recipient;
        let lines = |printed: String| {
            vec![
                (self.of(w::SIGN_PLACE).to_owned(), String::new()),
                (self.of(w::SIGN_NAME).to_owned(), String::new()),
                (self.of(w::SIGN_CLEAR).to_owned(), printed),
            ]
        };
        let delivery = &self.of.delivery;
        let receiver = [
            delivery.to.as_deref().or(to.person.as_deref()),
            to.rank.as_deref(),
        ];
        let receiver: Vec<&str> = receiver.into_iter().flatten().collect();
        paper.signatures(&[
            Signer {
                role: self.of(self.wording.giver).to_owned(),
                lines: lines(delivery.by.clone().unwrap_or_default()),
            },
            Signer {
                role: self.of(w::RECEIVER).to_owned(),
                lines: lines(receiver.join(", ")),
            },
        ]);
    }
}

/// What a file is besides a clip.
fn noted(note: &Note, l: Language) -> String {
    match note {
        Note::Recorded => w::VIEW_RECORDED.of(l).to_owned(),
        Note::CodedFrom(original) => w::VIEW_CODED.with(l, &[original]),
        Note::Without(NoViewing::NoCoder) => w::NO_VIEW_CODER.of(l).to_owned(),
        Note::Without(NoViewing::NotCoded) => w::NO_VIEW_CODED.of(l).to_owned(),
    }
}
