//! What is wrong with an answer, and who gave it.

use core::fmt;

use symbolon_threshold::ShareIndex;

/// Something wrong that a member did, or that the group's public data is.
///
/// Findings about many duties of one batch are reported once a member, with the first duty.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The partial signature is wrong under the member's public share: proved by the bytes.
    WrongPartial {
        /// Who answered.
        member: ShareIndex,
        /// A duty answered wrongly, by its place in the batch; there may be others.
        item: usize,
    },
    /// The partial was made with a share of another group epoch.
    OtherGroupEpoch {
        /// Who answered.
        member: ShareIndex,
        /// The first such duty.
        item: usize,
        /// Group epoch asked for.
        expected: u32,
        /// Group epoch in the answer.
        got: u32,
    },
    /// The partial was made with a share in another scale than the group's descriptor names.
    OtherScale {
        /// Who answered.
        member: ShareIndex,
        /// The first such duty.
        item: usize,
        /// Scale of the descriptor.
        expected: u64,
        /// Scale in the answer.
        got: u64,
    },
    /// Not one answer for each duty.
    AnswerCount {
        /// Who answered.
        member: ShareIndex,
        /// Duties asked.
        expected: usize,
        /// Answers given.
        got: usize,
    },
    /// The reply names another batch.
    OtherBatch {
        /// Who answered.
        member: ShareIndex,
    },
    /// The reply names another member than the one that was asked.
    OtherMember {
        /// Who was asked.
        member: ShareIndex,
        /// Who is named.
        got: u16,
    },
    /// A second reply to one question; the first one stands.
    Repeated {
        /// Who answered.
        member: ShareIndex,
    },
    /// A reply of somebody who was not asked.
    NotAsked {
        /// Who answered.
        member: ShareIndex,
    },
    /// The reply is not a signed reply of this member.
    Unreadable {
        /// Who answered.
        member: ShareIndex,
        /// Why not.
        why: String,
    },
    /// All partials are right under their public shares, their combination is not under the
    /// group's key: the public data does not fit together, and no member is at fault.
    GroupDoesNotFit {
        /// The duty.
        item: usize,
    },
}

impl Finding {
    /// Whose fault it is.
    #[must_use]
    pub const fn culprit(&self) -> Option<ShareIndex> {
        match self {
            Self::WrongPartial { member, .. }
            | Self::OtherGroupEpoch { member, .. }
            | Self::OtherScale { member, .. }
            | Self::AnswerCount { member, .. }
            | Self::OtherBatch { member }
            | Self::OtherMember { member, .. }
            | Self::Repeated { member }
            | Self::NotAsked { member }
            | Self::Unreadable { member, .. } => Some(*member),
            Self::GroupDoesNotFit { .. } => None,
        }
    }

    /// Whether the signed bytes prove it to anybody; all else is a suspicion.
    #[must_use]
    pub const fn is_proved(&self) -> bool {
        matches!(self, Self::WrongPartial { .. })
    }

    /// The name in metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::WrongPartial { .. } => "wrong-partial",
            Self::OtherGroupEpoch { .. } => "other-group-epoch",
            Self::OtherScale { .. } => "other-scale",
            Self::AnswerCount { .. } => "answer-count",
            Self::OtherBatch { .. } => "other-batch",
            Self::OtherMember { .. } => "other-member",
            Self::Repeated { .. } => "repeated",
            Self::NotAsked { .. } => "not-asked",
            Self::Unreadable { .. } => "unreadable",
            Self::GroupDoesNotFit { .. } => "group-does-not-fit",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongPartial { member, .. } => {
                write!(f, "member {member} gave a wrong partial signature")
            }
            Self::OtherGroupEpoch {
                member,
                expected,
                got,
                ..
            } => write!(
                f,
                "member {member} signed with a share of group epoch {got}, asked was {expected}: \
                 install the current group at both ends"
            ),
            Self::OtherScale {
                member,
                expected,
                got,
                ..
            } => write!(
                f,
                "member {member} signed with a share in scale {got}, the descriptor names \
                 {expected}: run the same version everywhere"
            ),
            Self::AnswerCount {
                member,
                expected,
                got,
            } => {
                write!(f, "member {member} gave {got} answers to {expected} duties")
            }
            Self::OtherBatch { member } => {
                write!(
                    f,
                    "member {member} answered another batch than the one asked"
                )
            }
            Self::OtherMember { member, got } => {
                write!(f, "the reply of member {member} names member {got}")
            }
            Self::Repeated { member } => write!(f, "member {member} replied twice to one batch"),
            Self::NotAsked { member } => write!(f, "member {member} replied without being asked"),
            Self::Unreadable { member, why } => {
                write!(f, "the reply of member {member} is refused: {why}")
            }
            Self::GroupDoesNotFit { .. } => f.write_str(
                "every partial signature is right, yet their combination is not: the group's \
                 descriptor does not fit together, install it again",
            ),
        }
    }
}
