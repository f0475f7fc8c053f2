//! Why an act is refused: a closed list, so that every boundary has an answer for each.

/// Why an act is refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Refusal {
    /// The caller is not on the premises.
    OffPremises,
    /// There is no session.
    Anonymous,
    /// The session, or the time in which the person may sign in, is over.
    Expired,
    /// The rights were taken, or the session was ended by somebody.
    Revoked,
    /// There is no confidentiality undertaking in force.
    UndertakingLapsed,
    /// No role of the person has this right.
    WrongRole,
    /// The right waits until a controller stands behind it.
    Resting,
    /// The right does not reach this camera.
    WrongCamera,
    /// A factor must be shown anew.
    StepUpNeeded,
    /// The password must be given anew: the vault was locked after a time without use.
    VaultLocked,
}

impl Refusal {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::OffPremises,
        Self::Anonymous,
        Self::Expired,
        Self::Revoked,
        Self::UndertakingLapsed,
        Self::WrongRole,
        Self::Resting,
        Self::WrongCamera,
        Self::StepUpNeeded,
        Self::VaultLocked,
    ];

    /// Its stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OffPremises => "off-premises",
            Self::Anonymous => "anonymous",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::UndertakingLapsed => "undertaking-lapsed",
            Self::WrongRole => "wrong-role",
            Self::Resting => "resting",
            Self::WrongCamera => "wrong-camera",
            Self::StepUpNeeded => "step-up-needed",
            Self::VaultLocked => "vault-locked",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
