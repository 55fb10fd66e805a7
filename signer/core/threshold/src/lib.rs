//! Threshold BLS over BLS12-381: split, commit, sign partially, combine, verify, blame.
//!
//! Public keys are in G1 (48 bytes), signatures in G2 (96 bytes), hashed with Ethereum's domain
//! separation tag ([`DST`]), so that a combined signature is an ordinary Ethereum signature.
//!
//! The types cannot hold an invalid value: a [`G1Point`] or [`G2Point`] is in its subgroup and not
//! infinity, a [`SecretScalar`] is in 1..r, a [`Commitment`] has exactly t points. The exceptions
//! say so in their names: a [`PartialSignature`] is on the curve but its subgroup is unchecked, a
//! [`Combined`] signature is unverified until [`Combined::verify`] or [`verify_batch`] makes a
//! [`Signature`] of it.
//!
//! What this crate never does: I/O, reading a clock, drawing randomness. Coefficients of
//! polynomials and seeds of batch checks are arguments. Arithmetic on secrets is constant time;
//! arithmetic on signatures and public keys is not. Secrets rest in locked memory; temporaries of
//! the arithmetic are wiped on the stack, but the compiler may have copied them before.
//!
//! ```
//! use symbolon_threshold::{HashedRoot, LagrangeCache, Polynomial, Scale, ShareIndex, Threshold};
//!
//! let threshold = Threshold::new(2, 3)?;
//! // A real source derives each coefficient from a sealed seed.
//! let polynomial = Polynomial::from_source(threshold, |degree, wide| wide.fill(degree as u8 + 1))?;
//! let group_key = polynomial.commitment().group_public_key();
//!
//! let indices = [1u64, 2, 3].map(ShareIndex::try_from);
//! let indices = indices.into_iter().collect::<Result<Vec<_>, _>>()?;
//! let root = HashedRoot::new(&[7; 32]);
//! let partials = [indices[0], indices[2]].map(|index| polynomial.share(index).map(|s| s.sign(&root)));
//! let partials = partials.into_iter().collect::<Result<Vec<_>, _>>()?;
//!
//! let cache = LagrangeCache::new(&indices, threshold, Scale::PLAIN)?;
//! let signature = cache.combine(&partials)?.verify(&group_key, &root)?;
//! assert!(signature.verify(&group_key, &root).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(unsafe_code)]

mod aggregate;
mod batch;
mod blame;
mod bls;
mod comb;
mod combine;
mod commitment;
mod feldman;
mod hashed_root;
mod index;
mod lagrange;
#[cfg(any(test, feature = "count-operations"))]
pub mod operations;
#[cfg(not(any(test, feature = "count-operations")))]
#[path = "operations/off.rs"]
mod operations;
mod partial;
mod point;
mod polynomial;
mod possession;
mod public_key;
mod randomizer;
mod root_signer;
mod scalar;
mod scale;
mod share;
mod signature;
mod verification;
pub mod whole;

pub use aggregate::{AggregateError, aggregate, aggregate_verify, fast_aggregate_verify};
pub use batch::{BatchFailure, BatchItem, BatchRejected, check_batch, verify_batch};
pub use blame::{BatchPartial, SubgroupCheck, blame, blame_batch};
pub use comb::{CombTable, CombWidth};
pub use combine::{CombineError, Combined, combine};
pub use commitment::{Commitment, CommitmentError};
pub use feldman::{BadShares, verify_shares};
pub use hashed_root::{DST, HashedRoot, hash_to_g2};
pub use index::{IndexError, ShareIndex, SignerSet, Threshold, ThresholdError};
pub use lagrange::{Coefficients, LagrangeCache, lagrange_at_zero};
pub use partial::{PartialSignature, sign_batch};
pub use point::{G1Point, G2Point, PointError};
pub use polynomial::{Polynomial, PolynomialError};
pub use possession::{BadProofs, POP_DST, PossessionClaim, ProofOfPossession, verify_proofs};
pub use public_key::GroupPublicKey;
pub use root_signer::RootSigner;
pub use scalar::{PublicScalar, ScalarError, SecretScalar};
pub use scale::{Scale, ScaleError};
pub use share::{PublicShare, SecretShare};
pub use signature::{Signature, VerifyError};
pub use verification::Verification;
