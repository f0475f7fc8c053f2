//! Persons and rights in words, for `sinetti user`.

use std::fmt::Write;

use crate::access::Role;
use crate::access::review::Line;
use crate::base::error::Result;
use crate::base::id::CameraId;
use crate::base::time::Wall;
use crate::base::zone::Zone;
use crate::catalog::{Cameras, GrantRow};

/// A person's lines: who, what, and whether they may sign in.
pub(super) fn write_line(out: &mut String, line: &Line, now: Wall, zone: Zone) -> Result<()> {
    let account = &line.account;
    writeln!(
        out,
        "{:<20} {} ({})",
        account.name, account.display, account.language
    )?;
    for grant in line.grants.iter().filter(|g| g.ended.is_none()) {
        writeln!(out, "{:<20} {}", "", role_text(grant, now, zone))?;
    }
    let state = match (&line.refused, line.enrolled, line.enrolment_until) {
        (_, false, Some(until)) => format!("enrols until {}", zone.display(until)),
        (_, false, None) => "not enrolled, no token is open".to_owned(),
        (Some(why), ..) => format!("may not sign in: {why}"),
        (None, ..) => "may sign in".to_owned(),
    };
    let undertaking =
        account
            .undertaking
            .as_ref()
            .map_or("no confidentiality undertaking".to_owned(), |u| {
                let until = u.until.map_or(String::new(), |until| {
                    format!(", lapses {}", zone.display(until))
                });
                format!(
                    "undertaking {} of {}{until}",
                    u.version,
                    zone.display(u.signed)
                )
            });
    writeln!(out, "{:<20} {state}; {undertaking}", "")?;
    if let Some(until) = account.valid.until {
        writeln!(out, "{:<20} valid until {}", "", zone.display(until))?;
    }
    if line.opens_vault {
        let missing = match line.generations_missing {
            0 => String::new(),
            n => format!(
                "; of {n} earlier vault generations not: a holder gives them (sinetti user confirm {0}), or two shares (sinetti vault recover {0})",
                account.name
            ),
        };
        writeln!(out, "{:<20} opens what is recorded now{missing}", "")?;
    }
    if line.review_due {
        writeln!(
            out,
            "{:<20} REVIEW IS DUE: sinetti user review --confirm {}",
            "", account.name
        )?;
    }
    Ok(())
}

fn role_text(grant: &GrantRow, now: Wall, zone: Zone) -> String {
    let cameras = match &grant.cameras {
        Cameras::All => String::new(),
        Cameras::Only(list) => {
            let list: Vec<_> = list.iter().map(CameraId::as_str).collect();
            format!(", cameras {}", list.join(", "))
        }
    };
    let until = grant.until.map_or(String::new(), |until| {
        let over = if until <= now {
            ", over since"
        } else {
            ", until"
        };
        format!("{over} {}", zone.display(until))
    });
    let approves = if grant.approves && grant.role == Role::Manager {
        ", may approve"
    } else {
        ""
    };
    let rests = if grant.confirmed.is_none() {
        ", RESTS until a controller confirms"
    } else {
        ""
    };
    format!("{}{cameras}{until}{approves}{rests}", grant.role)
}

/// The lines of an access review: since when, by whom.
pub(super) fn write_history(out: &mut String, line: &Line, zone: Zone) -> Result<()> {
    for grant in &line.grants {
        let confirmed = grant.confirmed.as_ref().map_or(String::new(), |(at, by)| {
            format!(", confirmed {} by {by}", zone.display(*at))
        });
        let ended = grant
            .ended
            .map_or(String::new(), |at| format!(", taken {}", zone.display(at)));
        writeln!(
            out,
            "{:<20}   {} since {} by {}{confirmed}{ended}",
            "",
            grant.role,
            zone.display(grant.since),
            grant.by
        )?;
    }
    if let Some(fingerprint) = &line.fingerprint {
        writeln!(out, "{:<20}   key {fingerprint}", "")?;
    }
    let account = &line.account;
    let when = |at: Option<Wall>| at.map_or("never".to_owned(), |at| zone.display(at));
    writeln!(
        out,
        "{:<20}   added {}, last sign-in {}, last review {}{}",
        "",
        zone.display(account.added),
        when(account.signed_in),
        when(account.reviewed),
        account.removed.map_or(String::new(), |at| format!(
            ", REMOVED {}",
            zone.display(at)
        )),
    )?;
    Ok(())
}
