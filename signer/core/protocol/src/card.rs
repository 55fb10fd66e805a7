//! A card: what a party says of itself before it stands in a roster, signed by its own key.
//!
//! The signature proves that the identity key exists where the card was made; whether the card is
//! the right one, people compare by its words.

use minicbor::{Decode, Encode};

use crate::envelope::{EnvelopeError, Message, NetworkId, Signed};
use crate::identity::IdentityPublic;
use crate::roster::{Client, Guardian, Member};
use crate::words::words;

/// An entry that asks to be put in a roster.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Card {
    /// A share-holder.
    #[n(0)]
    Member(#[n(0)] Member),
    /// A requestor, warden or operator.
    #[n(1)]
    Client(#[n(0)] Client),
    /// A guardian.
    #[n(2)]
    Guardian(#[n(0)] Guardian),
}

impl Message for Card {
    const TAG: &'static str = "symbolon.card";
    const VERSION: u16 = 1;
    const MAX_LEN: usize = 4096;
}

impl Card {
    /// The key that the card is about and that signs it.
    #[must_use]
    pub const fn identity(&self) -> &IdentityPublic {
        match self {
            Self::Member(member) => &member.identity,
            Self::Client(client) => &client.identity,
            Self::Guardian(guardian) => &guardian.key,
        }
    }

    /// The party's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Member(member) => &member.name,
            Self::Client(client) => &client.name,
            Self::Guardian(guardian) => &guardian.name,
        }
    }

    /// Parses a signed card and checks that its own key signed it; gives also four words to
    /// compare.
    ///
    /// # Errors
    ///
    /// Not canonical, of another network, or signed by another key.
    pub fn open(network: NetworkId, bytes: &[u8]) -> Result<(Self, String), EnvelopeError> {
        let signed = Signed::<Self>::from_bytes(network, bytes)?;
        let key = *signed.unverified().value().identity();
        let name = signed.unverified().value().name().to_owned();
        let card = signed.verify(&key, &name)?;
        let words = words(&card.digest(), 4);
        Ok(((*card).clone(), words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Unsigned;
    use crate::identity::{IdentitySigner, SoftIdentity};

    #[test]
    fn a_card_opens_only_when_its_own_key_signed_it() {
        let network = NetworkId([1; 32]);
        let key = SoftIdentity::from_bytes(&[5; 32]).unwrap();
        let card = Card::Guardian(Guardian {
            name: "ada".into(),
            key: key.public(),
        });
        let signed = Unsigned::new(network, card.clone())
            .sign(&key)
            .unwrap()
            .to_bytes();
        assert_eq!(Card::open(network, &signed).unwrap().0, card);
        let thief = SoftIdentity::from_bytes(&[6; 32]).unwrap();
        let forged = Unsigned::new(network, card)
            .sign(&thief)
            .unwrap()
            .to_bytes();
        assert!(matches!(
            Card::open(network, &forged),
            Err(EnvelopeError::Signature { .. })
        ));
    }
}
