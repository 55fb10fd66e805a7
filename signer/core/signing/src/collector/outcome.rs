//! What becomes of one duty.

use core::fmt;
use std::collections::BTreeMap;

use symbolon_duties::SigningRoot;
use symbolon_protocol::sign::{Refusal, RefusalClass};
use symbolon_threshold::{ShareIndex, Signature};

/// The end of one duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Signed; the signature is verified under the validator's key.
    Signed(Signature),
    /// t partial signatures cannot be had.
    Short(Shortfall),
    /// The group's public data does not fit together ([`super::Finding::GroupDoesNotFit`]).
    GroupDoesNotFit,
}

/// Why a member gave nothing usable to a duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Absence {
    /// No answer came in time.
    Silent,
    /// The connection failed.
    Unreachable,
    /// The answer could not be used.
    Unusable,
    /// The answer was proved wrong.
    Wrong,
}

/// Why t partial signatures cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// Partial signatures needed.
    pub needed: usize,
    /// Usable ones.
    pub got: usize,
    /// Members of the group.
    pub members: usize,
    /// Who refused, and why.
    pub refusals: Vec<(ShareIndex, Refusal)>,
    /// Who gave nothing usable.
    pub absent: Vec<(ShareIndex, Absence)>,
}

impl Shortfall {
    /// The class that the asker is told: slashing protection as soon as one member names it; an
    /// unknown key or a wrong request when such refusals alone make t impossible; else
    /// unavailable.
    #[must_use]
    pub fn class(&self) -> RefusalClass {
        let count = |class| self.of_class(class).count();
        if count(RefusalClass::Slashing) > 0 {
            return RefusalClass::Slashing;
        }
        let (unknown, request) = (
            count(RefusalClass::UnknownKey),
            count(RefusalClass::Request),
        );
        let spare = self.members.saturating_sub(self.needed);
        if unknown.saturating_add(request) <= spare {
            RefusalClass::Unavailable
        } else if unknown >= request {
            RefusalClass::UnknownKey
        } else {
            RefusalClass::Request
        }
    }

    /// The root that is locked at most members: what another requestor got signed.
    #[must_use]
    pub fn locked_root(&self) -> Option<SigningRoot> {
        let mut votes: BTreeMap<SigningRoot, usize> = BTreeMap::new();
        for root in self
            .refusals
            .iter()
            .filter_map(|(_, refusal)| refusal.locked_root)
        {
            let count = votes.entry(root).or_default();
            *count = count.saturating_add(1);
        }
        votes
            .into_iter()
            .max_by_key(|(_, count)| *count)
            .map(|(root, _)| root)
    }

    fn of_class(&self, class: RefusalClass) -> impl Iterator<Item = &(ShareIndex, Refusal)> {
        self.refusals
            .iter()
            .filter(move |(_, refusal)| refusal.code.class() == class)
    }
}

/// Members with the same reason are named together, so that the text stays short.
impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} partial signatures", self.got, self.needed)?;
        let mut reasons: BTreeMap<String, Vec<ShareIndex>> = BTreeMap::new();
        for (member, refusal) in &self.refusals {
            reasons
                .entry(printable(&refusal.to_string()))
                .or_default()
                .push(*member);
        }
        for (member, absence) in &self.absent {
            reasons
                .entry(absence.to_string())
                .or_default()
                .push(*member);
        }
        for (reason, members) in reasons {
            f.write_str(if members.len() == 1 {
                "; member "
            } else {
                "; members "
            })?;
            for (place, member) in members.iter().enumerate() {
                if place > 0 {
                    f.write_str(", ")?;
                }
                member.fmt(f)?;
            }
            write!(f, ": {reason}")?;
        }
        Ok(())
    }
}

/// A member chooses its text: nothing of it may break a log line or a header, or fill a disk.
fn printable(text: &str) -> String {
    text.chars()
        .take(MAX_REASON)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Longest reason shown, in characters: a code's name and what an honest member writes.
const MAX_REASON: usize = 350;

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "no answer in time",
            Self::Unreachable => "not reachable",
            Self::Unusable => "an answer that cannot be used",
            Self::Wrong => "a wrong partial signature",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_protocol::sign::RefusalCode;

    fn member(number: u64) -> ShareIndex {
        ShareIndex::try_from(number).unwrap()
    }

    fn short(codes: &[RefusalCode]) -> Shortfall {
        let refusals = codes.iter().zip(1..);
        Shortfall {
            needed: 3,
            got: 0,
            members: 5,
            refusals: refusals
                .map(|(code, number)| (member(number), Refusal::new(*code, "text")))
                .collect(),
            absent: Vec::new(),
        }
    }

    #[test]
    fn one_slashing_refusal_decides_the_class() {
        use RefusalCode::{DoubleVote, NotPermitted, Overloaded, UnknownKey};
        for (codes, class) in [
            (
                &[UnknownKey, UnknownKey, UnknownKey, DoubleVote] as &[_],
                RefusalClass::Slashing,
            ),
            (
                &[UnknownKey, UnknownKey, NotPermitted],
                RefusalClass::UnknownKey,
            ),
            (
                &[UnknownKey, NotPermitted, NotPermitted],
                RefusalClass::Request,
            ),
            (
                &[UnknownKey, NotPermitted, Overloaded, Overloaded],
                RefusalClass::Unavailable,
            ),
            (&[], RefusalClass::Unavailable),
        ] {
            assert_eq!(short(codes).class(), class, "{codes:?}");
        }
    }

    #[test]
    fn the_root_that_most_members_locked_is_named() {
        let mut shortfall = short(&[RefusalCode::DoubleVote; 4]);
        assert_eq!(shortfall.locked_root(), None);
        for (entry, byte) in shortfall.refusals.iter_mut().zip([7, 9, 7]) {
            entry.1.locked_root = Some(SigningRoot([byte; 32]));
        }
        assert_eq!(shortfall.locked_root(), Some(SigningRoot([7; 32])));
    }

    #[test]
    fn the_text_names_members_by_reason_and_no_control_character() {
        let mut shortfall = short(&[RefusalCode::DoubleVote; 2]);
        shortfall
            .refusals
            .push((member(4), Refusal::new(RefusalCode::Overloaded, "a\r\nb")));
        shortfall.absent.push((member(5), Absence::Silent));
        assert_eq!(
            shortfall.to_string(),
            "0 of 3 partial signatures; members 1, 2: double-vote: text; \
             member 5: no answer in time; member 4: overloaded: a  b"
        );
    }

    #[test]
    fn a_text_longer_than_honest_members_write_is_cut() {
        let mut shortfall = short(&[RefusalCode::DoubleVote]);
        if let Some((_, refusal)) = shortfall.refusals.first_mut() {
            refusal.text = "x".repeat(1_000_000);
        }
        assert!(shortfall.to_string().len() < 500);
    }
}
