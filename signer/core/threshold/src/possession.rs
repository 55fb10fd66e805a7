//! Proof that a dealer knows the secret behind his commitment.

use crate::batch::{Claim, Equations};
use crate::bls::{pairing, raw};
use crate::hashed_root::hash_to_g2;
use crate::point::{G1Point, G2Point, PointError};
use crate::randomizer::Purpose;
use crate::scalar::SecretScalar;
use crate::signature::VerifyError;

/// Domain separation tag of proofs, other than Ethereum's: no proof is a signature.
pub const POP_DST: &[u8] = b"SYMBOLON_BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_V1_";

/// A BLS signature over a message of the caller's under [`POP_DST`], which proves knowledge of
/// the secret of a point (Ristenpart and Yilek 2007).
///
/// The message must name the ceremony, the dealer, the key and the point, so that a proof cannot
/// be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProofOfPossession(G2Point);

/// A proof with the point and the message that it should fit.
#[derive(Debug, Clone, Copy)]
pub struct PossessionClaim<'a> {
    /// The point whose secret the dealer claims to know.
    pub point: &'a G1Point,
    /// The message that the proof signs.
    pub message: &'a [u8],
    /// The proof.
    pub proof: &'a ProofOfPossession,
}

/// Proofs that do not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} proofs of possession do not hold", bad.len())]
pub struct BadProofs {
    /// Positions of the wrong claims, ascending.
    pub bad: Vec<usize>,
}

impl ProofOfPossession {
    /// Proves knowledge of `secret` (310 us, constant time).
    #[must_use]
    pub fn prove(secret: &SecretScalar, message: &[u8]) -> Self {
        let hash = raw::hash_to_g2(message, POP_DST);
        let point = secret.expose(|secret| raw::sign(&hash, secret));
        Self(G2Point::from_raw(raw::p2_to_affine(&point)))
    }

    /// Checks the proof for `point`.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Mismatch`].
    pub fn verify(&self, point: &G1Point, message: &[u8]) -> Result<(), VerifyError> {
        let hash = hash_to_g2(message, POP_DST);
        if pairing::equation_holds(&[(*point.raw(), *hash.raw())], self.0.raw()) {
            Ok(())
        } else {
            Err(VerifyError::Mismatch)
        }
    }

    /// Decodes and checks 96 bytes, as [`G2Point::from_compressed`] does.
    ///
    /// # Errors
    ///
    /// [`PointError`].
    pub fn from_compressed(bytes: &[u8; 96]) -> Result<Self, PointError> {
        G2Point::from_compressed(bytes).map(Self)
    }

    /// The canonical 96 bytes.
    #[must_use]
    pub fn to_compressed(&self) -> [u8; 96] {
        self.0.to_compressed()
    }
}

/// Checks many proofs in one random linear combination, and each on its own when that fails.
///
/// `seed` must be fresh and unknown to the dealers.
///
/// # Errors
///
/// [`BadProofs`] names the wrong claims by position.
pub fn verify_proofs(claims: &[PossessionClaim<'_>], seed: [u8; 32]) -> Result<(), BadProofs> {
    let equations = claims.iter().map(|claim| Claim {
        key: *claim.point.raw(),
        message: claim.message,
        hash: *hash_to_g2(claim.message, POP_DST).raw(),
        signature: *claim.proof.0.raw(),
    });
    if Equations::new(equations, Purpose::Possession, &seed).all_hold() {
        return Ok(());
    }
    let wrong = |(_, claim): &(usize, &PossessionClaim<'_>)| {
        claim.proof.verify(claim.point, claim.message).is_err()
    };
    Err(BadProofs {
        bad: claims
            .iter()
            .enumerate()
            .filter(wrong)
            .map(|(at, _)| at)
            .collect(),
    })
}
