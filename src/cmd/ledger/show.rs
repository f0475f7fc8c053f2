//! `sinetti ledger show`.

use std::fmt::Write;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::base::clock::SystemClock;
use crate::base::error::Result;
use crate::base::hash::hex;
use crate::base::time::Wall;
use crate::base::zone::Zone;
use crate::catalog::{Detail, EntryFilter, EntryRow};
use crate::cmd::{say, say_json};
use crate::store::state::State;

/// Arguments of `ledger show`.
#[derive(Debug, clap::Args)]
pub(in crate::cmd) struct Args {
    /// Entries from this time on: site time (23.11.2026 17.45), or with an offset.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Entries before this time.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// By this person's id, or box.
    #[arg(long)]
    actor: Option<String>,
    /// What was done: export, sweep, gap-opened.
    #[arg(long)]
    action: Option<String>,
    /// To what: kassa-1 means all its streams.
    #[arg(long)]
    object: Option<String>,
    /// Entries with smaller numbers than this one: the next page.
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(super) fn run(state: &State, args: &Args) -> Result<ExitCode> {
    let zone = super::zone(state);
    let now = SystemClock::shared().wall();
    let time = |text: &Option<String>| -> Result<Option<Wall>> {
        text.as_ref().map(|text| zone.parse(text, now)).transpose()
    };
    let filter = EntryFilter {
        from: time(&args.from)?,
        until: time(&args.to)?,
        actor: args.actor.clone(),
        action: args.action.clone(),
        object: args.object.clone(),
        before_seq: args.before,
        after_seq: None,
    };
    let rows = super::reader(state)?.entries(&filter, args.limit)?;
    if args.json {
        say_json(&rows.iter().map(as_json).collect::<Vec<_>>())?;
    } else {
        let mut text = String::new();
        for row in &rows {
            write_row(&mut text, row, zone)?;
        }
        match rows.last() {
            None => text.push_str("no entry fits\n"),
            Some(last) if rows.len() == args.limit as usize => {
                writeln!(text, "there may be more: --before {}", last.entry.seq)?;
            }
            Some(_) => {}
        }
        say(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(row: &EntryRow) -> Value {
    let detail = match &row.detail {
        Detail::None => Value::Null,
        Detail::Kept { salt, text } => json!({
            "salt": hex(salt),
            "value": serde_json::from_str::<Value>(text).unwrap_or(Value::Null),
        }),
        Detail::Erased(at) => json!({ "erased": at }),
        Detail::Lost => json!({ "lost": true }),
    };
    let entry = &row.entry;
    json!({
        "seq": entry.seq, "epoch": entry.epoch, "at": entry.at, "actor": entry.actor, "action": entry.action,
        "object": entry.object, "result": entry.result, "facts": entry.facts, "leaf": row.leaf.to_string(),
        "detail": detail,
    })
}

fn write_row(out: &mut String, row: &EntryRow, zone: Zone) -> std::fmt::Result {
    let entry = &row.entry;
    writeln!(
        out,
        "{:>8}  {}  {:<18} {} {} by {}",
        entry.seq,
        zone.display(entry.at),
        entry.action,
        entry.object,
        entry.result,
        entry.actor
    )?;
    if entry
        .facts
        .as_object()
        .is_some_and(|facts| !facts.is_empty())
    {
        writeln!(out, "{:>10}{}", "", entry.facts)?;
    }
    match &row.detail {
        Detail::None => Ok(()),
        Detail::Kept { text, .. } => writeln!(out, "{:>10}details {text}", ""),
        Detail::Erased(at) => writeln!(out, "{:>10}details erased on {}", "", zone.display(*at)),
        Detail::Lost => writeln!(out, "{:>10}details LOST", ""),
    }
}
