//! What ceremonies, groups and their messages are called.

use core::fmt;
use core::str::FromStr;

use minicbor::{Decode, Encode};
use symbolon_protocol::words;

/// Longest group label, in bytes.
pub(crate) const MAX_LABEL: usize = 32;

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

        impl $name {
            /// The first `n` bytes as words, for people to compare aloud.
            #[must_use]
            pub fn words(&self, n: usize) -> String {
                words(&self.0, n)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

digest! {
    /// The name of one ceremony (CID): the digest of its plan. It is the id of the group made, too.
    CeremonyId
}

digest! {
    /// The digest of a deal's body: the same whatever its signature is.
    DealHash
}

digest! {
    /// What all receivers must agree on: the plan, every deal, every public key and public share.
    TranscriptHash
}

/// The name of a group for people and for its keys in the HSM: 1 to 32 of `a-z`, `0-9` and `-`,
/// beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
#[cbor(transparent)]
pub struct GroupLabel(#[n(0)] String);

/// Counts the reshares of a group; a DKG or import makes 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct GroupEpoch(#[n(0)] pub u32);

/// The text is no group label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a group label has 1 to 32 of a-z, 0-9 and -, beginning with a letter or digit")]
pub struct GroupLabelError;

impl GroupLabel {
    /// Parses a label.
    ///
    /// # Errors
    ///
    /// Empty, too long, or another character.
    pub fn new(text: impl Into<String>) -> Result<Self, GroupLabelError> {
        let text = text.into();
        let good = (1..=MAX_LABEL).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-');
        if good {
            Ok(Self(text))
        } else {
            Err(GroupLabelError)
        }
    }

    /// The label as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupLabel {
    type Err = GroupLabelError;

    fn from_str(text: &str) -> Result<Self, GroupLabelError> {
        Self::new(text)
    }
}

impl fmt::Display for GroupLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'b, C> Decode<'b, C> for GroupLabel {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.str()?).map_err(minicbor::decode::Error::custom)
    }
}

impl GroupEpoch {
    /// The epoch of a new group.
    pub const FIRST: Self = Self(1);

    /// The epoch after this one; the last one has none.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }
}

impl fmt::Display for GroupEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_holds_nothing_that_misleads_on_a_screen_or_in_a_path() {
        for bad in [
            "",
            "-a",
            "A",
            "a b",
            "a/b",
            "..",
            "a\n",
            "\u{202e}a",
            &"a".repeat(33),
        ] {
            assert_eq!(GroupLabel::new(bad), Err(GroupLabelError), "{bad:?}");
        }
        assert_eq!(GroupLabel::new("hot-1").unwrap().as_str(), "hot-1");
        let bytes = minicbor::to_vec("a/b").unwrap();
        assert!(minicbor::decode::<GroupLabel>(&bytes).is_err());
    }

    #[test]
    fn the_last_epoch_has_no_next() {
        assert_eq!(GroupEpoch::FIRST.next(), Some(GroupEpoch(2)));
        assert_eq!(GroupEpoch(u32::MAX).next(), None);
    }
}
