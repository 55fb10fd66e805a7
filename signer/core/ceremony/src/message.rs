//! Which kind of message some bytes are, before anything in them is believed.

use symbolon_protocol::Message;

use crate::complaint::{Complaint, Opening};
use crate::confirmation::{Activation, Certificate, Confirmation};
use crate::deal::Deal;
use crate::descriptor::GroupDescriptor;
use crate::offer::Offer;
use crate::plan::Plan;

/// The kinds of message that a ceremony leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageKind {
    /// A cosigned plan.
    Plan,
    /// A signed offer.
    Offer,
    /// A signed deal.
    Deal,
    /// A signed confirmation.
    Confirmation,
    /// A signed complaint.
    Complaint,
    /// A signed opening.
    Opening,
    /// A certificate.
    Certificate,
    /// A signed activation.
    Activation,
    /// A group's descriptor.
    Group,
}

impl MessageKind {
    /// Looks at the type tag only; `None` when there is none that a ceremony knows.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let tag = tag(bytes)?;
        KINDS
            .iter()
            .find(|(known, _)| *known == tag)
            .map(|(_, kind)| *kind)
    }

    /// What a message says, without signatures around it; `None` when it has no such form.
    #[must_use]
    pub(crate) fn body(bytes: &[u8]) -> Option<&[u8]> {
        let mut decoder = minicbor::Decoder::new(bytes);
        match decoder.datatype().ok()? {
            minicbor::data::Type::Array => match decoder.array().ok()?? {
                2 => decoder.bytes().ok(),
                4 => Some(bytes),
                _ => None,
            },
            minicbor::data::Type::Map => {
                decoder.map().ok()??;
                let first = decoder.u8().ok()? == 0;
                decoder.bytes().ok().filter(|_| first)
            }
            _ => None,
        }
    }

    /// The type tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        KINDS
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(tag, _)| tag)
    }
}

const KINDS: &[(&str, MessageKind)] = &[
    (Plan::TAG, MessageKind::Plan),
    (Offer::TAG, MessageKind::Offer),
    (Deal::TAG, MessageKind::Deal),
    (Confirmation::TAG, MessageKind::Confirmation),
    (Complaint::TAG, MessageKind::Complaint),
    (Opening::TAG, MessageKind::Opening),
    (Certificate::TAG, MessageKind::Certificate),
    (Activation::TAG, MessageKind::Activation),
    (GroupDescriptor::TAG, MessageKind::Group),
];

/// The tag of a body, of a signed message `[body, signature]` or of a cosigned one `{0: body, ..}`.
fn tag(bytes: &[u8]) -> Option<&str> {
    let mut decoder = minicbor::Decoder::new(MessageKind::body(bytes)?);
    let four = decoder.array().ok()?? == 4;
    decoder.str().ok().filter(|_| four)
}
