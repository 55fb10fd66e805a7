//! Why a member will not sign: stable codes, safe to show.

use core::fmt;

use minicbor::{Decode, Encode};
use symbolon_duties::SigningRoot;

const MAX_TEXT: usize = 300;

/// A member's no, with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Refusal {
    /// The reason's code.
    #[n(0)]
    pub code: RefusalCode,
    /// The reason in a sentence.
    #[n(1)]
    pub text: String,
    /// The root that this member has signed for the same duty, so that requestors converge on it.
    #[n(2)]
    pub locked_root: Option<SigningRoot>,
}

impl Refusal {
    /// A refusal without a locked root; the text is cut to what travels.
    #[must_use]
    pub fn new(code: RefusalCode, text: impl fmt::Display) -> Self {
        let text = text.to_string().chars().take(MAX_TEXT).collect();
        Self {
            code,
            text,
            locked_root: None,
        }
    }

    /// Names the root that is locked.
    #[must_use]
    pub fn with_locked_root(mut self, root: Option<SigningRoot>) -> Self {
        self.locked_root = root;
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.text)
    }
}

/// What kind of no it is: decides the status code that a validator client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalClass {
    /// The key is not here.
    UnknownKey,
    /// Slashing protection: signing could cost stake.
    Slashing,
    /// The request is wrong, or its sender may not make it.
    Request,
    /// Not now: overload, a deadline, a device that is away.
    Unavailable,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $class:ident, $text:literal;)*) => {
        /// A reason code on the wire; stable for ever.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
        #[cbor(index_only)]
        pub enum RefusalCode {
            $($(#[$doc])* #[n($code)] $name,)*
        }

        impl RefusalCode {
            /// Every code, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $code,)* }
            }

            /// The name in logs and metrics.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What kind of no it is.
            #[must_use]
            pub const fn class(self) -> RefusalClass {
                match self { $(Self::$name => RefusalClass::$class,)* }
            }
        }
    };
}

codes! {
    /// No share of this key at this member.
    UnknownKey = 1, UnknownKey, "unknown-key";
    /// The key was disabled at this member.
    KeyDisabled = 2, Slashing, "key-disabled";
    /// The requestor may not use this key for this kind of duty.
    NotPermitted = 3, Request, "not-permitted";
    /// The group epoch asked for is not the active one.
    WrongGroupEpoch = 4, Request, "wrong-group-epoch";
    /// The duty does not give the signing root that the requestor named.
    WrongSigningRoot = 5, Request, "wrong-signing-root";
    /// The fork version is not of this network, or missing.
    UnknownFork = 6, Request, "unknown-fork";
    /// The duty's slot lies outside the accepted window.
    OutsideWindow = 7, Request, "outside-window";
    /// The duty is malformed in another way.
    BadDuty = 8, Request, "bad-duty";
    /// Another block of this slot is signed.
    DoubleProposal = 20, Slashing, "double-proposal";
    /// The slot is at or below the block mark.
    BlockBelowMark = 21, Slashing, "block-below-mark";
    /// Another attestation of this target is signed.
    DoubleVote = 22, Slashing, "double-vote";
    /// The target is at or below the attestation mark, or the source below it: could surround or
    /// be surrounded.
    AttestationBelowMark = 23, Slashing, "attestation-below-mark";
    /// The source lies after the target.
    SourceAfterTarget = 24, Slashing, "source-after-target";
    /// The answer would have come too late.
    DeadlinePassed = 40, Unavailable, "deadline-passed";
    /// Too much waits already.
    Overloaded = 41, Unavailable, "overloaded";
    /// The device that opens the shares is away.
    DeviceUnavailable = 42, Unavailable, "device-unavailable";
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_survive_the_wire() {
        let mut numbers: Vec<u16> = RefusalCode::ALL.iter().map(|code| code.number()).collect();
        for code in RefusalCode::ALL {
            let bytes = crate::cbor::to_bytes(code);
            assert_eq!(
                crate::cbor::from_bytes::<RefusalCode>("code", &bytes, 8).unwrap(),
                *code
            );
        }
        numbers.dedup();
        assert_eq!(numbers.len(), RefusalCode::ALL.len());
    }

    #[test]
    fn a_long_text_is_cut() {
        let refusal = Refusal::new(RefusalCode::BadDuty, "x".repeat(1000));
        assert_eq!(refusal.text.len(), MAX_TEXT);
    }
}
