//! Names of the files that carry a ceremony in a directory.

use core::fmt;
use core::str::FromStr;

use symbolon_threshold::ShareIndex;

use crate::deal::DealerId;

/// One file of a ceremony's directory; its content is exactly one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileName {
    /// `offer-3.sym`: a member's signed offer.
    Offer(ShareIndex),
    /// `plan.sym`: the cosigned plan.
    Plan,
    /// `deal-3.sym`, or `deal-import.sym`: a dealer's signed deal.
    Deal(DealerId),
    /// `confirmation-3.sym`: a receiver's signed confirmation.
    Confirmation(ShareIndex),
    /// `certificate.sym`: all confirmations.
    Certificate,
    /// `activation-3.sym`: a member's signed activation.
    Activation(ShareIndex),
    /// `complaint-3-deal-1.sym`: a receiver's signed complaint of a deal.
    Complaint(ShareIndex, DealerId),
    /// `opening-1-for-3.sym`: a dealer's answer to the complaint of a receiver.
    Opening(DealerId, ShareIndex),
    /// `outcome.sym`: a member's own note of keys and public shares between its confirmation and
    /// the certificate; it does not travel.
    Outcome,
    /// `group.sym`: the descriptor of the finished group.
    Group,
}

/// The text names no file of a ceremony.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a file of a ceremony: expected a name such as plan.sym, deal-3.sym or certificate.sym"
)]
pub struct FileNameError;

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offer(member) => write!(f, "offer-{member}.sym"),
            Self::Plan => f.write_str("plan.sym"),
            Self::Deal(dealer) => write!(f, "deal-{}.sym", Dealer(*dealer)),
            Self::Confirmation(member) => write!(f, "confirmation-{member}.sym"),
            Self::Certificate => f.write_str("certificate.sym"),
            Self::Activation(member) => write!(f, "activation-{member}.sym"),
            Self::Complaint(member, dealer) => {
                write!(f, "complaint-{member}-deal-{}.sym", Dealer(*dealer))
            }
            Self::Opening(dealer, member) => {
                write!(f, "opening-{}-for-{member}.sym", Dealer(*dealer))
            }
            Self::Outcome => f.write_str("outcome.sym"),
            Self::Group => f.write_str("group.sym"),
        }
    }
}

impl FromStr for FileName {
    type Err = FileNameError;

    fn from_str(text: &str) -> Result<Self, FileNameError> {
        let stem = text.strip_suffix(".sym").ok_or(FileNameError)?;
        let parts: Vec<&str> = stem.split('-').collect();
        let name = match parts.as_slice() {
            ["plan"] => Self::Plan,
            ["certificate"] => Self::Certificate,
            ["outcome"] => Self::Outcome,
            ["group"] => Self::Group,
            ["offer", member] => Self::Offer(index(member)?),
            ["deal", from] => Self::Deal(dealer(from)?),
            ["confirmation", member] => Self::Confirmation(index(member)?),
            ["activation", member] => Self::Activation(index(member)?),
            ["complaint", member, "deal", from] => Self::Complaint(index(member)?, dealer(from)?),
            ["opening", from, "for", member] => Self::Opening(dealer(from)?, index(member)?),
            _ => return Err(FileNameError),
        };
        // One name for one file: no leading zeros or signs.
        if name.to_string() == text {
            Ok(name)
        } else {
            Err(FileNameError)
        }
    }
}

struct Dealer(DealerId);

impl fmt::Display for Dealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            DealerId::Import => f.write_str("import"),
            DealerId::Member(member) => member.fmt(f),
        }
    }
}

fn index(text: &str) -> Result<ShareIndex, FileNameError> {
    let number: u64 = text.parse().map_err(|_| FileNameError)?;
    ShareIndex::try_from(number).map_err(|_| FileNameError)
}

fn dealer(text: &str) -> Result<DealerId, FileNameError> {
    if text == "import" {
        Ok(DealerId::Import)
    } else {
        index(text).map(DealerId::Member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        let three = ShareIndex::try_from(3).unwrap();
        let one = DealerId::Member(ShareIndex::try_from(1).unwrap());
        for (name, text) in [
            (FileName::Offer(three), "offer-3.sym"),
            (FileName::Plan, "plan.sym"),
            (FileName::Deal(one), "deal-1.sym"),
            (FileName::Deal(DealerId::Import), "deal-import.sym"),
            (FileName::Confirmation(three), "confirmation-3.sym"),
            (FileName::Certificate, "certificate.sym"),
            (FileName::Activation(three), "activation-3.sym"),
            (FileName::Complaint(three, one), "complaint-3-deal-1.sym"),
            (FileName::Opening(one, three), "opening-1-for-3.sym"),
            (FileName::Outcome, "outcome.sym"),
            (FileName::Group, "group.sym"),
        ] {
            assert_eq!(name.to_string(), text);
            assert_eq!(text.parse(), Ok(name));
        }
    }

    #[test]
    fn nothing_else_is_a_name() {
        for text in [
            "",
            ".sym",
            "plan",
            "PLAN.sym",
            "plan.sym.sym",
            "../plan.sym",
            "deal-0.sym",
            "deal-03.sym",
            "deal-+3.sym",
            "deal-65536.sym",
            "deal-.sym",
            "offer-import.sym",
            "deal-3.sym\n",
            "deal-3.SYM",
            "complaint-3.sym",
            "opening-1-for-.sym",
        ] {
            assert_eq!(text.parse::<FileName>(), Err(FileNameError), "{text:?}");
        }
    }
}
