//! The certificate as a PDF: made of the signed JSON, by the same sums as its check.

use serde_json::Value;

use crate::base::error::Result;
use crate::base::time::Wall;
use crate::base::zone::Zone;
use crate::document::{About, Column, Language, Paper, Table, bytes, count, date, instant, span};
use crate::evidence::certificate::summary::{Line, Summary};
use crate::evidence::certificate::verify::Checked;
use crate::evidence::certificate::words as w;

/// Name of the original in the PDF.
const ORIGINAL: &str = "certificate.json";
const DAY_S: u32 = 86_400;

/// The PDF of a certificate that was checked; the original is in it as an attachment.
///
/// # Errors
/// `Internal`: a fault of ours.
pub fn paper(checked: &Checked, original: &Value, language: Language) -> Result<Vec<u8>> {
    let certificate = &checked.certificate;
    let writing = Writing {
        checked,
        language,
        zone: Zone::named(&certificate.zone)?,
    };
    let title = w::TITLE.of(language).to_owned();
    let mut paper = Paper::new(About {
        foot: format!(
            "{title} · {} · {}",
            certificate.site,
            date(certificate.made, writing.zone, language)
        ),
        title,
        author: format!("Sinetti, {}", certificate.site),
        language,
        made: certificate.made,
        id: checked.sha256.to_string(),
    })?;
    writing.top(&mut paper);
    writing.what(&mut paper);
    writing.when(&mut paper);
    writing.early(&mut paper);
    writing.older(&mut paper);
    writing.kept(&mut paper);
    paper.heading(w::NOT_PROVEN.of(language));
    for point in w::NOT {
        paper.item(point.of(language));
    }
    writing.proof(&mut paper)?;
    let about = w::ORIGINAL_IS.of(language);
    let original = original.to_string().into_bytes();
    paper.attach(ORIGINAL, "application/json", about, original);
    paper.finish()
}

struct Writing<'a> {
    checked: &'a Checked,
    language: Language,
    zone: Zone,
}

impl Writing<'_> {
    fn summary(&self) -> &Summary {
        &self.checked.summary
    }

    fn count(&self, number: u64) -> String {
        count(number, self.language)
    }

    fn instant(&self, at: Wall) -> String {
        instant(at, self.zone, self.language)
    }

    /// `kassa-1/main` as people read it.
    fn stream(&self, text: &str) -> String {
        match text.split_once('/') {
            Some((camera, "main")) => format!("{camera}, {}", w::MAIN.of(self.language)),
            Some((camera, "sub")) => format!("{camera}, {}", w::SUB.of(self.language)),
            _ => text.to_owned(),
        }
    }

    /// A rule that is not known here is called by its own name.
    fn rule(&self, rule: &str) -> String {
        match rule {
            "expired" => w::EXPIRED.of(self.language).to_owned(),
            "early" => w::EARLY.of(self.language).to_owned(),
            other => other.to_owned(),
        }
    }

    fn top(&self, paper: &mut Paper) {
        let (l, certificate) = (self.language, &self.checked.certificate);
        paper.title(w::TITLE.of(l));
        paper.paragraph(w::LEAD.of(l));
        let cameras = certificate
            .cameras
            .as_ref()
            .map_or(w::ALL_CAMERAS.of(l).to_owned(), |cameras| {
                cameras.join(", ")
            });
        let (segments, size) = self.summary().total();
        let total = w::TOTAL_IS.with(
            l,
            &[
                &self.count(segments),
                &bytes(size, l),
                &self.count(self.summary().sweeps),
            ],
        );
        let period = crate::base::time::Span {
            start: certificate.from,
            end: certificate.to,
        };
        paper.facts(&[
            (w::SITE.of(l), certificate.site.clone()),
            (w::PERIOD.of(l), span(period, self.zone, l)),
            (w::CAMERAS.of(l), cameras),
            (w::TOTAL.of(l), total),
            (w::MADE.of(l), self.instant(certificate.made)),
            (w::BOX.of(l), certificate.box_id.to_string()),
            (w::FINGERPRINT.of(l), self.checked.key.fingerprint()),
        ]);
    }

    fn what(&self, paper: &mut Paper) {
        let (l, summary) = (self.language, self.summary());
        paper.heading(w::WHAT.of(l));
        if summary.lines.is_empty() {
            paper.paragraph(w::NOTHING.of(l));
            return;
        }
        paper.paragraph(w::WHAT_IS.of(l));
        let (segments, size) = summary.total();
        paper.table(&Table {
            columns: vec![
                Column::text(w::STREAM.of(l), 2.4),
                Column::text(w::RULE.of(l), 2.2),
                Column::text(w::RECORDED.of(l), 3.4),
                Column::number(w::SEGMENTS.of(l), 1.1),
                Column::number(w::SIZE.of(l), 1.1),
            ],
            rows: summary.lines.iter().map(|line| self.line(line)).collect(),
            sum: Some(vec![
                w::SUM.of(l).to_owned(),
                String::new(),
                String::new(),
                self.count(segments),
                bytes(size, l),
            ]),
            ..Table::default()
        });
    }

    fn line(&self, line: &Line) -> Vec<String> {
        vec![
            self.stream(&line.stream),
            self.rule(&line.rule),
            span(line.span, self.zone, self.language),
            self.count(line.segments),
            bytes(line.bytes, self.language),
        ]
    }

    fn when(&self, paper: &mut Paper) {
        let (l, summary) = (self.language, self.summary());
        if summary.days.is_empty() {
            return;
        }
        paper.heading(w::WHEN.of(l));
        let row = |(at, day): &(Wall, crate::evidence::certificate::Day)| {
            vec![
                date(*at, self.zone, l),
                self.count(day.sweeps),
                self.count(day.segments),
                self.count(day.early),
                bytes(day.bytes, l),
            ]
        };
        paper.table(&Table {
            columns: vec![
                Column::text(w::DAY.of(l), 2.0),
                Column::number(w::SWEEPS.of(l), 1.3),
                Column::number(w::SEGMENTS.of(l), 1.3),
                Column::number(w::OF_THEM_EARLY.of(l), 1.6),
                Column::number(w::SIZE.of(l), 1.3),
            ],
            rows: summary.days.values().map(row).collect(),
            ..Table::default()
        });
    }

    fn early(&self, paper: &mut Paper) {
        let l = self.language;
        let early = self
            .summary()
            .lines
            .iter()
            .filter(|line| line.rule == "early");
        let (segments, size) = early.fold((0, 0), |sum, line| {
            (sum.0 + line.segments, sum.1 + line.bytes)
        });
        paper.heading(w::EARLY_HEAD.of(l));
        if segments == 0 {
            paper.paragraph(w::EARLY_NONE.of(l));
        } else {
            let numbers = [self.count(segments), bytes(size, l)];
            paper.paragraph(&w::EARLY_SOME.with(l, &[&numbers[0], &numbers[1]]));
        }
    }

    fn older(&self, paper: &mut Paper) {
        let (l, summary) = (self.language, self.summary());
        paper.heading(w::OLDER.of(l));
        let overdue: u64 = self
            .checked
            .certificate
            .kept
            .iter()
            .map(|kept| kept.overdue)
            .sum();
        match overdue {
            0 => paper.paragraph(w::OLDER_ROWS_NONE.of(l)),
            n => paper.paragraph(&w::OLDER_ROWS_SOME.with(l, &[&self.count(n)])),
        }
        if summary.failures > 0 {
            paper.paragraph(&w::FAILURES.with(l, &[&self.count(summary.failures)]));
        }
        if summary.scans.is_empty() {
            paper.paragraph(w::SCANS_NONE.of(l));
            return;
        }
        paper.paragraph(w::SCANS.of(l));
        let row = |scan: &crate::evidence::certificate::Scan| {
            vec![
                scan.volume.clone(),
                self.instant(scan.at),
                self.count(scan.files),
                self.count(scan.found),
            ]
        };
        paper.table(&Table {
            columns: vec![
                Column::text(w::VOLUME.of(l), 1.5),
                Column::text(w::AT.of(l), 3.0),
                Column::number(w::FILES.of(l), 1.2),
                Column::number(w::FOUND.of(l), 1.2),
            ],
            rows: summary.scans.iter().map(row).collect(),
            ..Table::default()
        });
    }

    fn kept(&self, paper: &mut Paper) {
        let (l, certificate) = (self.language, &self.checked.certificate);
        paper.heading(w::KEPT.of(l));
        let time = |keep_s: Option<u32>| match keep_s {
            None => w::NOT_CONFIGURED.of(l).to_owned(),
            Some(secs) if secs.is_multiple_of(DAY_S) => {
                w::DAYS.with(l, &[&self.count(u64::from(secs / DAY_S))])
            }
            Some(secs) => w::HOURS.with(l, &[&self.count(u64::from(secs / 3600))]),
        };
        let rows = certificate
            .kept
            .iter()
            .map(|kept| vec![self.stream(&kept.stream), time(kept.keep_s)]);
        if !certificate.kept.is_empty() {
            paper.table(&Table {
                columns: vec![
                    Column::text(w::STREAM.of(l), 2.0),
                    Column::text(w::KEPT_IS.of(l), 3.0),
                ],
                rows: rows.collect(),
                ..Table::default()
            });
        }
        paper.paragraph(&w::HOLDS.with(l, &[&self.count(certificate.holds)]));
    }

    fn proof(&self, paper: &mut Paper) -> Result<()> {
        let (l, checked) = (self.language, self.checked);
        paper.heading(w::PROOF.of(l));
        paper.paragraph(w::PROOF_IS.of(l));
        let mut facts = vec![(w::ORIGINAL.of(l), checked.sha256.to_string())];
        let root_name = w::ROOT.with(l, &[&self.count(checked.summary.sweeps)]);
        if let Some(root) = checked.summary.root {
            facts.push((root_name.as_str(), root.to_string()));
        }
        for checkpoint in &checked.checkpoints {
            let (epoch, size) = (checkpoint.epoch.to_string(), self.count(checkpoint.size));
            facts.push((
                w::CHECKPOINT.of(l),
                w::CHECKPOINT_IS.with(l, &[&epoch, &size]),
            ));
            facts.push((w::CHECKPOINT_ROOT.of(l), checkpoint.root.to_string()));
        }
        paper.facts(&facts);
        if checked.summary.holes > 0 {
            paper.paragraph(&w::HOLES.with(l, &[&self.count(checked.summary.holes)]));
        }
        if let Some(part) = checked.certificate.epochs.last() {
            let beside = format!("{}\n{}", w::SCAN_ME.of(l), part.checkpoint);
            paper.code(&part.checkpoint, &beside)?;
        }
        Ok(())
    }
}
