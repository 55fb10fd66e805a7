//! Leg 0: offering an encryption key.

use symbolon_protocol::{IdentitySignature, Unsigned};

use super::answer::{Then, Work};
use super::record::Record;
use super::{Attached, Effect, KeyRef, Participant, StepError};
use crate::encryption_key::EncryptionKey;
use crate::offer::Offer;
use crate::wire::CeremonyReply;

impl Participant {
    pub(super) fn begin_offer(&mut self, key: KeyRef) -> Result<Effect, StepError> {
        if let Some(stored) = self.offers.get(&key) {
            return Ok(Effect::Show(CeremonyReply::Offer(stored.bytes.clone())));
        }
        self.check_epoch(&key.group, key.group_epoch, None)?;
        let effect = Effect::CreateKey(key.clone());
        Ok(self.wait(Work::OfferKey(key), effect))
    }

    pub(super) fn offer_key(
        &mut self,
        key: KeyRef,
        public: EncryptionKey,
    ) -> Result<Effect, StepError> {
        let offer = Offer {
            cluster: self.chain.current().cluster,
            member: self.me.get(),
            group: key.group,
            group_epoch: key.group_epoch,
            key: public,
        };
        let unsigned = Unsigned::new(self.network(), offer);
        Ok(self.ask_signature(unsigned, Work::OfferSignature))
    }

    pub(super) fn offer_signed(
        &mut self,
        offer: Unsigned<Offer>,
        signature: IdentitySignature,
    ) -> Result<Effect, StepError> {
        let offer = self.signed(offer, signature)?;
        let reply = CeremonyReply::Offer(offer.clone());
        let record = Record::Offered { offer };
        Ok(self.persist(record, Attached::default(), Then::Show(reply)))
    }
}
