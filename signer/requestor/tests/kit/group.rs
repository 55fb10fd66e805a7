//! A group of interop keys, split by the dealer import and certified by all members.

use std::collections::HashMap;

use symbolon_ceremony::{
    CheckedDeals, Confirmation, EncryptionKey, Group, GroupClass, GroupDescriptor, GroupEpoch,
    GroupLabel, Offer, Outcome, PlanDraft, Seed, VerifiedCertificate, VerifiedPlan, deal_import,
};
use symbolon_duties::ValidatorPublicKey;
use symbolon_protocol::roster::RosterChain;
use symbolon_protocol::{IdentitySigner as _, Unsigned};
use symbolon_secmem::Locked;
use symbolon_threshold::{GroupPublicKey, Polynomial, SecretScalar, SecretShare};

use super::{OPERATOR, identity};

/// A group, its descriptor, and what each member holds.
pub struct Made {
    pub group: Group,
    pub descriptor: Vec<u8>,
    pub keys: Vec<ValidatorPublicKey>,
    /// By member and key, in the group's scale.
    pub shares: HashMap<(u16, ValidatorPublicKey), SecretShare>,
}

/// The secret of interop key `number`: the hash of the number, little endian, modulo the order.
fn interop(number: usize) -> SecretScalar {
    let mut input = [0; 32];
    input[..8].copy_from_slice(&(number as u64).to_le_bytes());
    let mut hash = super::recorded::sha256(&input);
    hash.reverse();
    let mut wide = [0; 48];
    wide[16..].copy_from_slice(&hash);
    SecretScalar::from_wide(&wide).unwrap()
}

/// Splits interop keys 0 to `keys` - 1 among all members of the roster.
pub fn import(chain: &RosterChain, label: &str, t: u16, keys: usize) -> Made {
    let (network, roster) = (chain.network(), chain.current());
    let label = GroupLabel::new(label).unwrap();
    let members: Vec<u16> = roster.members.iter().map(|member| member.index).collect();
    let offers: Vec<Vec<u8>> = members
        .iter()
        .map(|member| {
            let key = identity(&format!("envelope-{member}")).public();
            let offer = Offer {
                cluster: roster.cluster,
                member: *member,
                group: label.clone(),
                group_epoch: GroupEpoch::FIRST,
                key: EncryptionKey::from_sec1(key.compressed()).unwrap(),
            };
            let signer = identity(&format!("server-{member}"));
            Unsigned::new(network, offer)
                .sign(&signer)
                .unwrap()
                .to_bytes()
        })
        .collect();
    let publics: Vec<GroupPublicKey> = (0..keys)
        .map(|number| interop(number).public_point().into())
        .collect();
    let draft = PlanDraft {
        group: label,
        class: GroupClass::Hot,
        threshold: t,
        not_after: None,
        duties: Vec::new(),
    };
    let nonce = [4; 32];
    let mut plan = draft
        .import(network, roster, nonce, OPERATOR, &publics, &offers)
        .unwrap();
    plan.sign("ada", &identity("ada")).unwrap();
    let plan = VerifiedPlan::verify(network, roster, &plan.to_bytes()).unwrap();
    let seed = Seed::new(Locked::init_with(|bytes| bytes.fill(0x33)));
    let deal = deal_import(&plan, &seed, (0..keys).map(interop).collect()).unwrap();
    let deal = deal.sign(&identity(OPERATOR)).unwrap().to_bytes();
    let deals = CheckedDeals::check(&plan, &[deal], &[1; 32]).unwrap();
    let outcome = Outcome::of(&plan, &deals).unwrap();
    let confirmations: Vec<Vec<u8>> = members
        .iter()
        .map(|member| {
            let confirmation = Confirmation {
                ceremony: plan.id(),
                member: *member,
                transcript: outcome.transcript,
                deals: outcome.deals.clone(),
                next_key: EncryptionKey::from_sec1(identity("next").public().compressed()).unwrap(),
            };
            let signer = identity(&format!("server-{member}"));
            Unsigned::new(network, confirmation)
                .sign(&signer)
                .unwrap()
                .to_bytes()
        })
        .collect();
    let parts = confirmations.iter().map(Vec::as_slice);
    let certificate = VerifiedCertificate::assemble(&plan, parts).unwrap();
    let descriptor = GroupDescriptor::new(&plan, &outcome, &certificate)
        .body()
        .to_vec();
    let group = GroupDescriptor::verify(chain, &descriptor).unwrap();
    let keys: Vec<_> = publics
        .iter()
        .map(|key| ValidatorPublicKey(key.to_compressed()))
        .collect();
    let shares = shares(&group, &seed, &keys);
    Made {
        group,
        descriptor,
        keys,
        shares,
    }
}

/// What the members would find in their envelopes.
fn shares(
    group: &Group,
    seed: &Seed,
    keys: &[ValidatorPublicKey],
) -> HashMap<(u16, ValidatorPublicKey), SecretShare> {
    let mut shares = HashMap::new();
    for (number, key) in keys.iter().enumerate() {
        let threshold = group.threshold();
        let polynomial = Polynomial::with_constant(&interop(number), threshold, |degree, wide| {
            seed.coefficient(group.id(), number as u32, degree as u16, wide);
        })
        .unwrap();
        for (place, index) in group.indices().into_iter().enumerate() {
            let share = polynomial.share(index).unwrap();
            assert_eq!(share.public_share(), group.public_shares()[number][place]);
            shares.insert((index.get(), *key), share.scaled(group.scale()));
        }
    }
    shares
}
