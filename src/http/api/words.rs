//! Closed lists of words as the OpenAPI document shows them, each out of the type that is the list.

use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Object, RefOr, Schema};

use crate::access::role::{Right, Role};
use crate::catalog::{
    DisclosureKind, DisclosureState, DisclosureStep, GapCause, HoldKind, Language,
};
use crate::config::{Origin, Purpose, Transport};
use crate::retention::reading::Why;

fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> RefOr<Schema> {
    let object: Object = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words.map(str::to_owned).collect::<Vec<_>>()))
        .build();
    RefOr::T(object.into())
}

pub(crate) fn purpose() -> RefOr<Schema> {
    one_of(Purpose::ALL.iter().map(|purpose| purpose.as_str()))
}

pub(crate) fn purposes() -> RefOr<Schema> {
    RefOr::T(ArrayBuilder::new().items(purpose()).build().into())
}

pub(crate) fn transport() -> RefOr<Schema> {
    one_of(Transport::ALL.iter().map(|transport| transport.as_str()))
}

pub(crate) fn role() -> RefOr<Schema> {
    one_of(Role::ALL.iter().map(|role| role.as_str()))
}

pub(crate) fn right() -> RefOr<Schema> {
    one_of(Right::ALL.iter().map(|right| right.as_str()))
}

pub(crate) fn language() -> RefOr<Schema> {
    one_of(Language::ALL.iter().map(|language| language.as_str()))
}

pub(crate) fn cause() -> RefOr<Schema> {
    one_of(GapCause::ALL.iter().map(|cause| cause.as_str()))
}

pub(crate) fn stream() -> RefOr<Schema> {
    one_of(["main", "sub"].into_iter())
}

pub(crate) fn phase() -> RefOr<Schema> {
    one_of(["connecting", "receiving", "recording", "trouble", "off"].into_iter())
}

pub(crate) fn rule() -> RefOr<Schema> {
    one_of(["expired", "early"].into_iter())
}

pub(crate) fn withheld() -> RefOr<Schema> {
    one_of([Why::Restricted, Why::Other].iter().map(|why| why.as_str()))
}

pub(crate) fn hold_kind() -> RefOr<Schema> {
    one_of(HoldKind::ALL.iter().map(|kind| kind.as_str()))
}

pub(crate) fn origin() -> RefOr<Schema> {
    one_of(Origin::ALL.iter().map(|origin| origin.as_str()))
}

pub(crate) fn disclosure_kind() -> RefOr<Schema> {
    one_of(DisclosureKind::ALL.iter().map(|kind| kind.as_str()))
}

pub(crate) fn disclosure_state() -> RefOr<Schema> {
    one_of(DisclosureState::ALL.iter().map(|state| state.as_str()))
}

pub(crate) fn disclosure_step() -> RefOr<Schema> {
    one_of(DisclosureStep::ALL.iter().map(|step| step.as_str()))
}
