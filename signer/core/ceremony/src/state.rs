//! The states of a ceremony at one member, and which may follow on which.

use core::fmt;

use minicbor::{Decode, Encode};

/// How far a ceremony is at one member. Every change is durable before its message is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum CeremonyState {
    /// The plan is accepted and the dealer's seed sealed; the deal is not made yet.
    #[n(0)]
    Planned,
    /// The deal is made, or there is none to make. May be dropped freely.
    #[n(1)]
    Dealt,
    /// Shares are sealed and the transcript is signed. Never dropped: somebody may hold the
    /// complete certificate.
    #[n(2)]
    Signed,
    /// The certificate is stored; the shares sign.
    #[n(3)]
    Active,
    /// A later epoch is active; shares and encryption key are gone.
    #[n(4)]
    Destroyed,
    /// Dropped, or complained of, before it was signed: this ceremony can never be taken up again.
    /// Until it is dropped its seed stays sealed, so that every complaint can be answered.
    #[n(5)]
    Burnt,
}

impl CeremonyState {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::Planned,
        Self::Dealt,
        Self::Signed,
        Self::Active,
        Self::Destroyed,
        Self::Burnt,
    ];

    /// Whether `next` may follow on `now`; `None` is a ceremony that the member does not know.
    #[must_use]
    pub fn may_follow(now: Option<Self>, next: Self) -> bool {
        TRANSITIONS
            .iter()
            .any(|(from, to, _)| *from == now && *to == next)
    }

    /// The whole table: from, to, on what.
    #[must_use]
    pub const fn transitions() -> &'static [(Option<Self>, Self, &'static str)] {
        TRANSITIONS
    }

    /// The name in status lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Dealt => "dealt",
            Self::Signed => "signed",
            Self::Active => "active",
            Self::Destroyed => "destroyed",
            Self::Burnt => "burnt",
        }
    }
}

impl fmt::Display for CeremonyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const TRANSITIONS: &[(Option<CeremonyState>, CeremonyState, &str)] = {
    use CeremonyState::{Active, Burnt, Dealt, Destroyed, Planned, Signed};
    &[
        (None, Planned, "plan, for a dealer"),
        (None, Dealt, "plan, for a receiver who does not deal"),
        (None, Active, "recovery from public data"),
        (Some(Planned), Dealt, "deal made"),
        (Some(Planned), Burnt, "complaint or drop"),
        (Some(Planned), Active, "recovery from public data"),
        (Some(Dealt), Signed, "all deals"),
        (Some(Dealt), Burnt, "complaint or drop"),
        (Some(Dealt), Active, "recovery from public data"),
        (Some(Signed), Active, "certificate"),
        (Some(Signed), Destroyed, "a later epoch is active"),
        (Some(Active), Destroyed, "a later epoch is active"),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_transitions() {
        let mut table = String::new();
        for from in [None].into_iter().chain(CeremonyState::ALL.map(Some)) {
            let to = CeremonyState::ALL
                .iter()
                .filter(|to| CeremonyState::may_follow(from, **to));
            let to: Vec<&str> = to.map(|to| to.name()).collect();
            let from = from.map_or("none", CeremonyState::name);
            table.push_str(&format!("{from} -> {}\n", to.join(", ")));
        }
        println!("{table}");
        let expected = "\
            none -> planned, dealt, active\n\
            planned -> dealt, active, burnt\n\
            dealt -> signed, active, burnt\n\
            signed -> active, destroyed\n\
            active -> destroyed\n\
            destroyed -> \n\
            burnt -> \n";
        assert_eq!(table, expected);
    }

    #[test]
    fn signed_is_never_dropped() {
        let signed = Some(CeremonyState::Signed);
        assert!(!CeremonyState::may_follow(signed, CeremonyState::Burnt));
        assert!(!CeremonyState::may_follow(
            Some(CeremonyState::Active),
            CeremonyState::Burnt
        ));
    }
}
