//! What a disclosure is, and how far.
#![allow(missing_docs, reason = "temporary")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DisclosureKind {
    AuthorityRequest,
    OwnInitiative,
    Seizure,
    Viewing,
    Oral,
    AccessRequest,
    Internal,
    Maintenance,
}
impl DisclosureKind {
    pub const ALL: &'static [Self] = &[
        Self::AuthorityRequest,
        Self::OwnInitiative,
        Self::Seizure,
        Self::Viewing,
        Self::Oral,
        Self::AccessRequest,
        Self::Internal,
        Self::Maintenance,
    ];
    pub const fn has_file(self) -> bool {
        !matches!(self, Self::Viewing | Self::Oral)
    }
}
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DisclosureState {
    Draft,
    Requested,
    Approved,
    Refused,
    Prepared,
    HandedOver,
    Received,
    Destroyed,
    Withdrawn,
}
impl DisclosureState {
    pub const ALL: &'static [Self] = &[
        Self::Draft,
        Self::Requested,
        Self::Approved,
        Self::Refused,
        Self::Prepared,
        Self::HandedOver,
        Self::Received,
        Self::Destroyed,
        Self::Withdrawn,
    ];
}
