//! What a validator client is told.

use symbolon_protocol::sign::RefusalClass;
use symbolon_signing::collector::{Outcome, Shortfall};

/// The end of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The signature, compressed.
    Signed(Box<[u8; 96]>),
    /// Not signed, for this reason.
    Refused { class: RefusalClass, text: String },
    /// Not signed, and it is this cluster's fault.
    Failed(String),
}

/// Longest text that leaves.
const MAX_TEXT: usize = 1_000;

impl Answer {
    /// The deadline came first.
    pub(crate) fn late() -> Self {
        Self::unavailable("no answer of the servers in time")
    }

    pub(crate) fn unavailable(text: &str) -> Self {
        Self::Refused {
            class: RefusalClass::Unavailable,
            text: text.to_owned(),
        }
    }

    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Signed(signature) => Self::Signed(Box::new(signature.to_compressed())),
            Outcome::Short(short) => Self::Refused {
                class: short.class(),
                text: shorten(&describe(short)),
            },
            Outcome::GroupDoesNotFit => Self::Failed(
                "the group's descriptor does not fit its members' answers: install it again".into(),
            ),
        }
    }

    /// The HTTP status that stands for it.
    pub(crate) const fn status(&self) -> u16 {
        match self {
            Self::Signed(_) => 200,
            Self::Refused { class, .. } => match class {
                RefusalClass::Slashing => 412,
                RefusalClass::UnknownKey => 404,
                RefusalClass::Request => 400,
                RefusalClass::Unavailable => 503,
            },
            Self::Failed(_) => 500,
        }
    }
}

fn describe(short: &Shortfall) -> String {
    match short.locked_root() {
        Some(root) => format!("{short}; signed already: {root}"),
        None => short.to_string(),
    }
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= MAX_TEXT {
        return text.to_owned();
    }
    text.chars().take(MAX_TEXT).chain("...".chars()).collect()
}
