//! What was searched for, in words.

use crate::base::time::{Span, Wall};
use crate::base::zone::Zone;
use crate::catalog::DisclosureFilter;
use crate::disclosure::paper::register::Filter;
use crate::disclosure::paper::register_words as w;
use crate::document::{Language, instant, period};

/// Before and after all times that a person means: what a search without a beginning or an end begins or ends with.
const ENDLESS_US: i64 = 1 << 60;

/// The conditions of a search. `name` tells what people call a person, by their id.
pub fn filters(
    of: &DisclosureFilter,
    zone: Zone,
    language: Language,
    name: &dyn Fn(&str) -> String,
) -> Vec<(Filter, String)> {
    let span = |span: &Span| {
        let end = |at: Wall| {
            if at.us().abs() < ENDLESS_US {
                instant(at, zone, language)
            } else {
                String::new()
            }
        };
        let (from, to) = (end(span.start), end(span.end));
        if from.is_empty() || to.is_empty() {
            format!("{from} – {to}").trim().to_owned()
        } else {
            period(*span, zone, language)
        }
    };
    let states = of.states.iter().map(|state| w::state(*state).of(language));
    let kinds = of.kinds.iter().map(|kind| w::kind(*kind).of(language));
    let list = |texts: Vec<&str>| (!texts.is_empty()).then(|| texts.join(", "));
    [
        (Filter::Camera, of.camera.as_ref().map(ToString::to_string)),
        (Filter::Footage, of.footage.as_ref().map(span)),
        (Filter::Disclosed, of.disclosed.as_ref().map(span)),
        (Filter::Recipient, of.recipient.clone()),
        (Filter::Person, of.person.as_deref().map(name)),
        (Filter::State, list(states.collect())),
        (Filter::Kind, list(kinds.collect())),
        (Filter::Basis, of.basis.clone()),
    ]
    .into_iter()
    .filter_map(|(filter, text)| Some((filter, text?)))
    .collect()
}
