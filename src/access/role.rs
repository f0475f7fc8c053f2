//! The matrix: what each role may do. Everything that is not written here is refused.
//!
//! One right for each group of acts; a route names exactly one. What does not belong here: who holds which role.

pub use crate::catalog::Role;

/// How far a right of a role reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Not at all.
    None,
    /// The cameras of the grant.
    OwnCameras,
    /// What the person did.
    OwnActs,
    /// Only if the grant says so, and then the cameras of the grant.
    IfGranted,
    /// Everything.
    All,
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What can be done: one for each group of acts. A route names exactly one.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Right {
            $($(#[$doc])* $name,)*
        }

        impl Right {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its stable text.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }

        /// Each right as a type, so that what was authorised for one act cannot pass for another.
        pub mod acts {
            use super::Right;

            $(
                $(#[$doc])*
                #[derive(Clone, Copy, Debug)]
                pub enum $name {}

                impl super::Act for $name {
                    const RIGHT: Right = Right::$name;
                }
            )*
        }
    };
}

/// An act that needs a right; the types in [`acts`] alone are acts.
pub trait Act: Send + Sync + 'static {
    /// The right that it needs.
    const RIGHT: Right;
}

rights! {
    /// One's own session: who one is, signing out, language, password.
    Own = "own",
    /// Live pictures, and which cameras there are.
    Live = "live",
    /// Recorded footage, its coverage and activity.
    Playback = "playback",
    /// Handing footage out.
    HandOut = "hand-out",
    /// Asking for a disclosure of one's own cameras.
    Ask = "ask",
    /// Seeing holds: of one's own cameras; those that are secret only who handles them.
    SeeHolds = "see-holds",
    /// Placing a hold.
    PlaceHold = "place-hold",
    /// Standing behind a hold when it is looked at again.
    ReviewHold = "review-hold",
    /// Extending a hold.
    ExtendHold = "extend-hold",
    /// Approving what somebody else asked for.
    Approve = "approve",
    /// Releasing a hold, deciding a data subject's request.
    Decide = "decide",
    /// Reading the ledger, registers and reports.
    Records = "records",
    /// Seeing who may what.
    SeePeople = "see-people",
    /// Changing persons and rights; never one's own.
    ChangePeople = "change-people",
    /// Standing behind vault and approval rights of others.
    ConfirmRights = "confirm-rights",
    /// Seeing cameras' state and the box's health.
    SeeHealth = "see-health",
    /// Changing cameras and settings, acknowledging alarms.
    ChangeBox = "change-box",
}

impl Right {
    /// True for acts that ask for a factor shown within the last minutes.
    pub const fn needs_step_up(self) -> bool {
        matches!(
            self,
            Self::HandOut
                | Self::Approve
                | Self::Decide
                | Self::ReviewHold
                | Self::ExtendHold
                | Self::ChangePeople
                | Self::ConfirmRights
                | Self::ChangeBox
        )
    }

    /// True for acts that need the person's vault open.
    pub const fn needs_vault(self) -> bool {
        matches!(self, Self::Playback | Self::HandOut)
    }

    /// True for what rests while no controller stands behind the grant: vault and approval rights.
    pub const fn rests(self) -> bool {
        matches!(
            self,
            Self::Playback
                | Self::HandOut
                | Self::Approve
                | Self::Decide
                | Self::ReviewHold
                | Self::ConfirmRights
        )
    }
}

/// The matrix.
pub const fn allows(role: Role, right: Right) -> Reach {
    use Reach::{All, IfGranted, None, OwnActs, OwnCameras};
    match (role, right) {
        (_, Right::Own) => All,

        (Role::Staff, Right::Live) => OwnCameras,

        (
            Role::Manager,
            Right::Live
            | Right::Playback
            | Right::HandOut
            | Right::Ask
            | Right::SeeHolds
            | Right::PlaceHold
            | Right::ExtendHold,
        ) => OwnCameras,
        (Role::Manager, Right::SeeHealth) => All,
        (Role::Manager, Right::Approve) => IfGranted,
        (Role::Manager, Right::Records) => OwnActs,

        (
            Role::Controller,
            Right::Live
            | Right::Playback
            | Right::HandOut
            | Right::Ask
            | Right::SeeHolds
            | Right::PlaceHold
            | Right::ReviewHold
            | Right::ExtendHold
            | Right::Approve
            | Right::Decide
            | Right::Records
            | Right::SeePeople
            | Right::ConfirmRights
            | Right::SeeHealth,
        ) => All,

        (Role::Auditor, Right::Records | Right::SeeHolds | Right::SeeHealth) => All,

        (
            Role::Admin,
            Right::SeePeople | Right::ChangePeople | Right::SeeHealth | Right::ChangeBox,
        ) => All,

        (Role::Maintenance, Right::Live) => OwnCameras,
        (Role::Maintenance, Right::SeeHealth) => All,

        _ => None,
    }
}

/// Whether one person may hold both. Who sees footage does not administer the box, and an auditor is nothing else: no bug and
/// no haste then gives the pictures to those who should not have them.
pub const fn go_together(one: Role, other: Role) -> bool {
    use Role::{Admin, Auditor, Controller, Maintenance, Manager, Staff};
    match (one, other) {
        (Auditor, _) | (_, Auditor) => matches!((one, other), (Auditor, Auditor)),
        (Admin | Maintenance, Staff | Manager | Controller)
        | (Staff | Manager | Controller, Admin | Maintenance) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The matrix once more, as the design writes it: rows are rights, columns staff, manager, controller, auditor, admin,
    /// maintenance; `c` own cameras, `a` own acts, `g` own cameras if granted.
    const GOLDEN: &[(&str, &str)] = &[
        ("own", "xxxxxx"),
        ("live", "ccx--c"),
        ("playback", "-cx---"),
        ("hand-out", "-cx---"),
        ("ask", "-cx---"),
        ("see-holds", "-cxx--"),
        ("place-hold", "-cx---"),
        ("review-hold", "--x---"),
        ("extend-hold", "-cx---"),
        ("approve", "-gx---"),
        ("decide", "--x---"),
        ("records", "-axx--"),
        ("see-people", "--x-x-"),
        ("change-people", "----x-"),
        ("confirm-rights", "--x---"),
        ("see-health", "-xxxxx"),
        ("change-box", "----x-"),
    ];

    #[test]
    fn the_matrix_is_the_golden_one() {
        assert_eq!(GOLDEN.len(), Right::ALL.len());
        for (right, (name, row)) in Right::ALL.iter().zip(GOLDEN) {
            assert_eq!(right.as_str(), *name);
            let found: String = Role::ALL
                .iter()
                .map(|role| match allows(*role, *right) {
                    Reach::None => '-',
                    Reach::OwnCameras => 'c',
                    Reach::OwnActs => 'a',
                    Reach::IfGranted => 'g',
                    Reach::All => 'x',
                })
                .collect();
            assert_eq!(found, *row, "{name}");
        }
    }

    #[test]
    fn whoever_may_not_play_back_never_holds_a_role_that_does() {
        for one in Role::ALL {
            for other in Role::ALL {
                let plays = |role| allows(role, Right::Playback) != Reach::None;
                assert_eq!(plays(*one), one.opens_vault());
                let blind = matches!(one, Role::Auditor | Role::Admin | Role::Maintenance);
                assert!(!(blind && plays(*other) && go_together(*one, *other)));
                assert_eq!(go_together(*one, *other), go_together(*other, *one));
            }
        }
    }
}
