//! What a disclosure is.
/// What a disclosure is.
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
