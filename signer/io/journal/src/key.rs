//! The key of a journal and the tags that it makes.

use std::fmt;

use ring::hmac;
use subtle::ConstantTimeEq;

/// Authenticates every frame and snapshot of one journal.
///
/// # Security
///
/// Must not leave the process: whoever has it can write a journal that verifies.
#[derive(Clone)]
pub struct JournalKey(hmac::Key);

impl JournalKey {
    /// Derives the key of the journal called `purpose` from 32 secret bytes (a sub-key of the DEK).
    ///
    /// Two purposes under one secret give unrelated keys, so that the files of one journal never
    /// verify in another.
    #[must_use]
    pub fn derive(secret: &[u8; 32], purpose: &str) -> Self {
        let outer = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let mut context = hmac::Context::with_key(&outer);
        context.update(b"symbolon/journal/1\0");
        context.update(purpose.as_bytes());
        Self(hmac::Key::new(hmac::HMAC_SHA256, context.sign().as_ref()))
    }

    pub(crate) fn tag(&self, domain: Domain, parts: &[&[u8]]) -> Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(domain.label());
        for part in parts {
            context.update(part);
        }
        let mut tag = [0; TAG_LEN];
        for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        Tag(tag)
    }
}

impl fmt::Debug for JournalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JournalKey([redacted])")
    }
}

/// What a tag is made over; labels have one length, so that no two inputs coincide.
#[derive(Clone, Copy)]
pub(crate) enum Domain {
    Frame,
    Snapshot,
    KeyCheck,
}

impl Domain {
    fn label(self) -> &'static [u8; 8] {
        match self {
            Self::Frame => b"sj/frame",
            Self::Snapshot => b"sj/snaps",
            Self::KeyCheck => b"sj/check",
        }
    }
}

/// HMAC-SHA256 of a frame or snapshot; public, compared in constant time.
#[derive(Clone, Copy)]
pub struct Tag(pub [u8; TAG_LEN]);

impl Tag {
    pub(crate) const ZERO: Self = Self([0; TAG_LEN]);

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl PartialEq for Tag {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Tag {}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}

/// Bytes of a tag.
pub(crate) const TAG_LEN: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_two_purposes_differ() {
        let marks = JournalKey::derive(&[1; 32], "marks").tag(Domain::Frame, &[b"x"]);
        let audit = JournalKey::derive(&[1; 32], "audit").tag(Domain::Frame, &[b"x"]);
        assert_ne!(marks, audit);
    }

    #[test]
    fn tags_of_two_domains_differ() {
        let key = JournalKey::derive(&[1; 32], "marks");
        assert_ne!(
            key.tag(Domain::Frame, &[b"x"]),
            key.tag(Domain::Snapshot, &[b"x"])
        );
        assert_eq!(
            key.tag(Domain::Frame, &[b"x", b"y"]),
            key.tag(Domain::Frame, &[b"xy"])
        );
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(
            format!("{:?}", JournalKey::derive(&[1; 32], "m")),
            "JournalKey([redacted])"
        );
    }
}
