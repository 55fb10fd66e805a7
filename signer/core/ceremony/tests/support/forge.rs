//! Deals as a dishonest dealer makes them, written from the documentation of the derivations and
//! not with the code under test.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use p256::SecretKey;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use sha2::Sha256;
use symbolon_ceremony::*;
use symbolon_threshold::{Polynomial, ProofOfPossession, SecretScalar, ShareIndex, Threshold};

use super::{bytes, index, member_name, sign_as};

/// A dealer that can do everything wrong.
pub struct Forger {
    pub plan: VerifiedPlan,
    pub dealer: ShareIndex,
    pub polynomials: Vec<Polynomial>,
    pub ephemerals: Vec<SecretKey>,
    pub deal: Deal,
}

/// A scalar of BLS12-381 that follows from a text.
pub fn scalar(text: &str) -> SecretScalar {
    let mut wide = [0; 48];
    wide[16..].copy_from_slice(&bytes(text));
    SecretScalar::from_wide(&wide).unwrap()
}

pub fn polynomial(threshold: Threshold, text: &str) -> Polynomial {
    Polynomial::from_source(threshold, |degree, wide| {
        wide[16..].copy_from_slice(&bytes(&format!("{text} {degree}")));
    })
    .unwrap()
}

pub fn polynomial_of(threshold: Threshold, constant: &SecretScalar, text: &str) -> Polynomial {
    Polynomial::with_constant(constant, threshold, |degree, wide| {
        wide[16..].copy_from_slice(&bytes(&format!("{text} {degree}")));
    })
    .unwrap()
}

pub fn possession(id: CeremonyId, dealer: u16, key: u32, point: &[u8; 48]) -> Vec<u8> {
    [&id.0[..], &dealer.to_be_bytes(), &key.to_be_bytes(), point].concat()
}

/// One envelope, as `derive` documents it.
pub fn envelope(
    plan: &VerifiedPlan,
    dealer: u16,
    receiver: ShareIndex,
    ephemeral: &SecretKey,
    plain: &[u8],
) -> EncryptedShares {
    let key = plan.receiver(receiver).unwrap().1.key;
    let peer = p256::PublicKey::from_sec1_bytes(key.compressed()).unwrap();
    let shared = p256::ecdh::diffie_hellman(ephemeral.to_nonzero_scalar(), peer.as_affine());
    let public: [u8; 33] = ephemeral
        .public_key()
        .to_encoded_point(true)
        .as_bytes()
        .try_into()
        .unwrap();
    let prk = Hkdf::<Sha256>::new(
        Some(b"symbolon-ceremony-v1/envelope"),
        shared.raw_secret_bytes(),
    );
    let info = [
        &plan.id().0[..],
        &dealer.to_be_bytes(),
        &receiver.get().to_be_bytes(),
        &public,
    ]
    .concat();
    let mut key = [0; 32];
    prk.expand(&info, &mut key).unwrap();
    let payload = Payload {
        msg: plain,
        aad: &plan.id().0,
    };
    let ciphertext = Aes256Gcm::new(&key.into())
        .encrypt(&Nonce::default(), payload)
        .unwrap();
    EncryptedShares {
        receiver: receiver.get(),
        ephemeral: public.into(),
        ciphertext: ciphertext.into(),
    }
}

impl Forger {
    /// A dealer that follows the protocol, with polynomials of its own.
    pub fn new(plan: &VerifiedPlan, dealer: u16) -> Self {
        let threshold = plan.threshold();
        let keys = 0..plan.keys();
        let polynomials = keys
            .map(|key| polynomial(threshold, &format!("forged {dealer} {key}")))
            .collect();
        Self::with(plan, dealer, polynomials)
    }

    /// A dealer with these polynomials.
    pub fn with(plan: &VerifiedPlan, dealer: u16, polynomials: Vec<Polynomial>) -> Self {
        let mut commitments = Vec::new();
        let mut proofs = Vec::new();
        for (key, polynomial) in polynomials.iter().enumerate() {
            let commitment = polynomial.commitment();
            commitments.extend(commitment.points().flat_map(|point| point.to_compressed()));
            let point = commitment.constant().to_compressed();
            let message = possession(plan.id(), dealer, key as u32, &point);
            let proof = ProofOfPossession::prove(polynomial.constant(), &message);
            proofs.extend(proof.to_compressed());
        }
        let ephemeral = |receiver: &PlannedReceiver| {
            let text = format!("ephemeral {dealer} {}", receiver.index);
            SecretKey::from_slice(&bytes(&text)).unwrap()
        };
        let ephemerals: Vec<SecretKey> = plan.receivers().iter().map(ephemeral).collect();
        let envelopes = plan
            .receivers()
            .iter()
            .zip(&ephemerals)
            .map(|(receiver, secret)| {
                let plain = plain_shares(&polynomials, receiver.index);
                envelope(plan, dealer, receiver.index, secret, &plain)
            });
        let deal = Deal {
            ceremony: plan.id(),
            dealer,
            commitments: commitments.into(),
            proofs: proofs.into(),
            envelopes: envelopes.collect(),
        };
        let dealer = index(dealer.into());
        Self {
            plan: plan.clone(),
            dealer,
            polynomials,
            ephemerals,
            deal,
        }
    }

    /// Puts other plaintext into the envelope for a receiver.
    pub fn reseal(&mut self, receiver: u16, change: impl FnOnce(&mut Vec<u8>)) {
        let receiver = index(receiver.into());
        let (place, _) = self.plan.receiver(receiver).unwrap();
        let mut plain = plain_shares(&self.polynomials, receiver);
        change(&mut plain);
        let secret = &self.ephemerals[place];
        self.deal.envelopes[place] =
            envelope(&self.plan, self.dealer.get(), receiver, secret, &plain);
    }

    /// The deal, signed by the dealer.
    pub fn sign(&self) -> Vec<u8> {
        sign_as(&member_name(self.dealer.get()), self.deal.clone())
    }
}

pub fn plain_shares(polynomials: &[Polynomial], receiver: ShareIndex) -> Vec<u8> {
    let share = |polynomial: &Polynomial| {
        polynomial
            .share(receiver)
            .unwrap()
            .scalar()
            .expose(|bytes| *bytes)
    };
    polynomials.iter().flat_map(share).collect()
}

/// A compressed point of G1 (48 bytes) or G2 (96 bytes) on the curve but outside the subgroup.
pub fn off_subgroup(length: usize) -> Vec<u8> {
    use symbolon_threshold::{G1Point, G2Point, PointError};
    (1..=u8::MAX)
        .find_map(|x| {
            let mut bytes = vec![0; length];
            bytes[0] = 0x80;
            bytes[length - 1] = x;
            let error = match length {
                48 => G1Point::from_compressed(bytes.as_slice().try_into().unwrap()).err(),
                _ => G2Point::from_compressed(bytes.as_slice().try_into().unwrap()).err(),
            };
            (error == Some(PointError::NotInSubgroup)).then_some(bytes)
        })
        .unwrap()
}

/// The group order, big endian.
pub const ORDER: [u8; 32] = [
    0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05,
    0x53, 0xbd, 0xa4, 0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01,
];

/// Minus a scalar.
pub fn negated(scalar: &SecretScalar) -> SecretScalar {
    let mut minus_one = ORDER;
    minus_one[31] = 0;
    scalar
        .mul(&symbolon_threshold::PublicScalar::from_be_bytes(&minus_one).unwrap())
        .unwrap()
}
