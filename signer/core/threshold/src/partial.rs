//! One member's output.

use blst::blst_p2_affine;
use blst::min_pk;

use crate::bls::{pairing, raw};
use crate::comb::{CombTable, CombWidth};
use crate::hashed_root::HashedRoot;
use crate::index::ShareIndex;
use crate::point::PointError;
use crate::share::{PublicShare, SecretShare};
use crate::signature::VerifyError;

/// A signature under one share: on the curve, not infinity, **subgroup unchecked**.
///
/// Interpolation is linear, so a component outside the subgroup shows in the combined signature,
/// where [`Combined::verify`](crate::Combined::verify) and [`verify_batch`](crate::verify_batch)
/// check it once instead of t times; [`blame`](crate::blame()) then checks each partial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialSignature {
    index: ShareIndex,
    point: blst_p2_affine,
}

impl PartialSignature {
    /// Decodes the 192 bytes of an uncompressed point (0.5 us).
    ///
    /// # Errors
    ///
    /// [`PointError`] unless the encoding is canonical, on the curve and not infinity.
    pub fn from_uncompressed(index: ShareIndex, bytes: &[u8; 192]) -> Result<Self, PointError> {
        let point = min_pk::Signature::deserialize(bytes).map_err(PointError::from_blst)?;
        let point = *<&blst_p2_affine>::from(&point);
        if raw::p2_is_infinity(&point) {
            return Err(PointError::Infinity);
        }
        Ok(Self { index, point })
    }

    /// The 192 bytes that travel.
    #[must_use]
    pub fn to_uncompressed(&self) -> [u8; 192] {
        min_pk::Signature::from(self.point).serialize()
    }

    /// The signer's index.
    #[must_use]
    pub fn index(&self) -> ShareIndex {
        self.index
    }

    /// Whether the point is in the subgroup of prime order (45 us).
    #[must_use]
    pub fn in_subgroup(&self) -> bool {
        raw::p2_in_group(&self.point)
    }

    /// Checks the partial under its signer's public share, subgroup included (670 us). Both must
    /// be in the same [`Scale`](crate::Scale).
    ///
    /// # Errors
    ///
    /// [`VerifyError::NotInSubgroup`]; [`VerifyError::Mismatch`], also when `share` is another
    /// member's.
    pub fn verify(&self, share: &PublicShare, root: &HashedRoot) -> Result<(), VerifyError> {
        if !self.in_subgroup() {
            return Err(VerifyError::NotInSubgroup);
        }
        let terms = [(*share.point().raw(), *root.affine())];
        if share.index() != self.index || !pairing::equation_holds(&terms, &self.point) {
            return Err(VerifyError::Mismatch);
        }
        Ok(())
    }

    /// A point known to be on the curve and not infinity.
    pub(crate) fn from_raw(index: ShareIndex, point: blst_p2_affine) -> Self {
        Self { index, point }
    }

    pub(crate) fn raw(&self) -> &blst_p2_affine {
        &self.point
    }
}

impl SecretShare {
    /// Signs one root (155 us, constant time).
    #[must_use]
    pub fn sign(&self, root: &HashedRoot) -> PartialSignature {
        let point = self
            .scalar()
            .expose(|secret| raw::sign(root.point(), secret));
        PartialSignature {
            index: self.index(),
            point: raw::p2_to_affine(&point),
        }
    }
}

/// Signs one root with many shares; the partials are in the order of the shares.
///
/// Larger batches make a table of the root's multiples first ([`CombTable`]);
/// [`RootSigner`](crate::RootSigner) keeps it for more of the same root.
#[must_use]
pub fn sign_batch<'a>(
    shares: impl IntoIterator<Item = &'a SecretShare>,
    root: &HashedRoot,
) -> Vec<PartialSignature> {
    let shares: Vec<_> = shares.into_iter().collect();
    match CombWidth::for_batch(shares.len()) {
        Some(width) => CombTable::new(root, width).sign_batch(&shares),
        None => sign_plainly(&shares, root),
    }
}

/// Signs by blst's multiplication; one field inversion brings all results to affine form.
pub(crate) fn sign_plainly(shares: &[&SecretShare], root: &HashedRoot) -> Vec<PartialSignature> {
    let points: Vec<_> = shares
        .iter()
        .map(|share| {
            share
                .scalar()
                .expose(|secret| raw::sign(root.point(), secret))
        })
        .collect();
    let points = pairing::p2_batch_affine(&points);
    let partials = shares.iter().zip(points);
    partials
        .map(|(share, point)| PartialSignature::from_raw(share.index(), point))
        .collect()
}
