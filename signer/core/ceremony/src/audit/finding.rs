//! What the judge finds.

use core::fmt;

use symbolon_threshold::ShareIndex;

use crate::complaint::ComplaintReason;
use crate::deal::DealerId;
use crate::fault::{DealFault, Standing};

/// Who did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Culprit {
    /// A dealer.
    Dealer(DealerId),
    /// A receiver.
    Receiver(ShareIndex),
    /// Whoever carried the files: the coordinator.
    Carrier,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Who did it.
    pub culprit: Culprit,
    /// Whether signed bytes show it to anybody.
    pub standing: Standing,
    /// What it is.
    pub kind: FindingKind,
    /// Places of the messages that show it, in the set given.
    pub evidence: Vec<usize>,
}

/// What can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingKind {
    /// Two different deals of one dealer in one ceremony.
    TwoDeals,
    /// Two different confirmations of one receiver in one ceremony.
    TwoConfirmations,
    /// A signed deal is wrong in what everybody can check.
    BadDeal(DealFault),
    /// The dealer opened an envelope that is wrong.
    BadEnvelope(ComplaintReason),
    /// The dealer opened a key that is not the envelope's.
    WrongOpening,
    /// The envelope complained of is right.
    FalseComplaint,
    /// The dealer did not answer a complaint. Proves nothing.
    NoOpening,
    /// One receiver both complained and confirmed.
    ComplainedAndConfirmed,
    /// A confirmed transcript does not follow from the deals that the same confirmation names.
    WrongTranscript,
    /// Receivers confirmed different deals of this dealer.
    DifferentDeals,
    /// A receiver complains of a deal that is not at hand. Proves nothing.
    UnknownDeal,
    /// A certificate that is incomplete, doubled, out of order or of several transcripts.
    FalseCertificate,
    /// The signature is not by who the message names: made or altered on the way.
    Altered,
    /// The message is not of this ceremony.
    Foreign,
    /// The bytes are no message of a ceremony.
    Unreadable,
}

impl Finding {
    /// A stable name for records and vectors.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match &self.kind {
            FindingKind::TwoDeals => "two-deals",
            FindingKind::TwoConfirmations => "two-confirmations",
            FindingKind::BadDeal(fault) => fault.code(),
            FindingKind::BadEnvelope(ComplaintReason::DoesNotOpen) => "envelope-does-not-open",
            FindingKind::BadEnvelope(ComplaintReason::BadScalar) => "share-not-a-scalar",
            FindingKind::BadEnvelope(ComplaintReason::WrongShare) => "share-off-polynomial",
            FindingKind::WrongOpening => "wrong-opening",
            FindingKind::FalseComplaint => "false-complaint",
            FindingKind::NoOpening => "no-opening",
            FindingKind::ComplainedAndConfirmed => "complained-and-confirmed",
            FindingKind::WrongTranscript => "wrong-transcript",
            FindingKind::DifferentDeals => "different-deals",
            FindingKind::UnknownDeal => "unknown-deal",
            FindingKind::FalseCertificate => "false-certificate",
            FindingKind::Altered => "altered",
            FindingKind::Foreign => "foreign",
            FindingKind::Unreadable => "unreadable",
        }
    }
}

impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dealer(dealer) => dealer.fmt(f),
            Self::Receiver(member) => write!(f, "member {member}"),
            Self::Carrier => f.write_str("the coordinator"),
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoDeals => f.write_str("signed two different deals"),
            Self::TwoConfirmations => f.write_str("signed two different confirmations"),
            Self::BadDeal(fault) => write!(f, "signed a wrong deal: {fault}"),
            Self::BadEnvelope(reason) => write!(f, "made a wrong envelope: {reason}"),
            Self::WrongOpening => f.write_str("opened another key than the envelope's"),
            Self::FalseComplaint => f.write_str("complained of an envelope that is right"),
            Self::NoOpening => f.write_str("did not answer a complaint"),
            Self::ComplainedAndConfirmed => f.write_str("both complained and confirmed"),
            Self::WrongTranscript => {
                f.write_str("confirmed a transcript that the deals do not make")
            }
            Self::DifferentDeals => f.write_str("has a deal that receivers saw in different forms"),
            Self::UnknownDeal => f.write_str("complained of a deal that is not at hand"),
            Self::FalseCertificate => f.write_str("carried a certificate that is none"),
            Self::Altered => f.write_str("carried a message that its author did not sign"),
            Self::Foreign => f.write_str("carried a message of another ceremony"),
            Self::Unreadable => f.write_str("carried bytes that are no message"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.culprit, self.kind, self.standing)
    }
}
