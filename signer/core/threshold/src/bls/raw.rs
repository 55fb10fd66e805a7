//! Calls into blst where it offers no safe wrapper.
//!
//! Common to all blocks: blst reads and writes exactly one value of the pointed-to type, keeps no
//! pointer and has no global state; inputs come from references, so they are valid, aligned and
//! initialised, and outputs are initialised values of plain-old-data types that are overwritten.
//! blst allows an output to alias an input.

pub(crate) mod barrier;
pub(crate) mod fp2;

use blst::{blst_fr, blst_p1, blst_p1_affine, blst_p2, blst_p2_affine, blst_scalar};
use zeroize::Zeroize;

use crate::operations;

/// An element of the scalar field, wiped on drop since it may be a secret.
///
/// Arithmetic is constant time.
pub(crate) struct Fr(blst_fr);

impl Fr {
    pub(crate) fn zero() -> Self {
        Self(blst_fr::default())
    }

    pub(crate) fn from_u64(value: u64) -> Self {
        let mut out = Self::zero();
        let limbs = [value, 0, 0, 0];
        // SAFETY: reads the four limbs of `limbs`, writes one field element.
        unsafe { blst::blst_fr_from_uint64(&mut out.0, limbs.as_ptr()) };
        out
    }

    /// `None` when the number is not below the group order.
    pub(crate) fn from_be_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let scalar = scalar_from_be(bytes);
        let mut out = Self::zero();
        // SAFETY: reads one scalar, writes one field element.
        unsafe {
            if !blst::blst_scalar_fr_check(&scalar) {
                return None;
            }
            blst::blst_fr_from_scalar(&mut out.0, &scalar);
        }
        Some(out)
    }

    /// The number reduced modulo the group order; of 384 bit, so the bias is below 2^-128.
    pub(crate) fn from_wide_be_bytes(bytes: &[u8; 48]) -> Self {
        let mut scalar = blst_scalar::default();
        let mut out = Self::zero();
        // SAFETY: reads 48 bytes, writes one reduced scalar (the returned flag only says that it
        // is not zero); then reads that scalar and writes one field element.
        unsafe {
            blst::blst_scalar_from_be_bytes(&mut scalar, bytes.as_ptr(), bytes.len());
            blst::blst_fr_from_scalar(&mut out.0, &scalar);
        }
        out
    }

    pub(crate) fn write_be_bytes(&self, out: &mut [u8; 32]) {
        let mut scalar = blst_scalar::default();
        // SAFETY: reads one field element, writes one scalar; then writes its 32 bytes to `out`.
        unsafe {
            blst::blst_scalar_from_fr(&mut scalar, &self.0);
            blst::blst_bendian_from_scalar(out.as_mut_ptr(), &scalar);
        }
    }

    pub(crate) fn to_le_bytes(&self) -> [u8; 32] {
        let mut scalar = blst_scalar::default();
        // SAFETY: reads one field element, writes one scalar.
        unsafe { blst::blst_scalar_from_fr(&mut scalar, &self.0) };
        scalar.b
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        let mut out = Self::zero();
        // SAFETY: reads two field elements, writes one.
        unsafe { blst::blst_fr_add(&mut out.0, &self.0, &other.0) };
        out
    }

    pub(crate) fn sub(&self, other: &Self) -> Self {
        let mut out = Self::zero();
        // SAFETY: reads two field elements, writes one.
        unsafe { blst::blst_fr_sub(&mut out.0, &self.0, &other.0) };
        out
    }

    pub(crate) fn mul(&self, other: &Self) -> Self {
        let mut out = Self::zero();
        // SAFETY: reads two field elements, writes one.
        unsafe { blst::blst_fr_mul(&mut out.0, &self.0, &other.0) };
        out
    }

    /// `None` for zero.
    pub(crate) fn inverse(&self) -> Option<Self> {
        if self.is_zero() {
            return None;
        }
        let mut out = Self::zero();
        // SAFETY: reads one field element, writes one.
        unsafe { blst::blst_fr_inverse(&mut out.0, &self.0) };
        Some(out)
    }

    pub(crate) fn is_zero(&self) -> bool {
        // Montgomery form: only zero has all limbs zero.
        self.0.l.iter().fold(0, |bits, limb| bits | limb) == 0
    }
}

impl Drop for Fr {
    fn drop(&mut self) {
        self.0.l.zeroize();
    }
}

/// Times the generator of G1, in constant time.
pub(crate) fn public_key(secret: &[u8; 32]) -> blst_p1 {
    let scalar = scalar_from_be(secret);
    let mut out = blst_p1::default();
    // SAFETY: reads one scalar, writes one point.
    unsafe { blst::blst_sk_to_pk_in_g1(&mut out, &scalar) };
    out
}

/// A point of G2 times a secret, in constant time.
pub(crate) fn sign(hash: &blst_p2, secret: &[u8; 32]) -> blst_p2 {
    let scalar = scalar_from_be(secret);
    let mut out = blst_p2::default();
    // SAFETY: reads one point and one scalar, writes one point.
    unsafe { blst::blst_sign_pk_in_g1(&mut out, hash, &scalar) };
    out
}

/// RFC 9380, suite `BLS12381G2_XMD:SHA-256_SSWU_RO_`.
pub(crate) fn hash_to_g2(message: &[u8], dst: &[u8]) -> blst_p2 {
    operations::count_hashes(1);
    let mut out = blst_p2::default();
    // SAFETY: reads the two slices by pointer and length; no augmentation (null, zero bytes).
    unsafe {
        blst::blst_hash_to_g2(
            &mut out,
            message.as_ptr(),
            message.len(),
            dst.as_ptr(),
            dst.len(),
            std::ptr::null(),
            0,
        );
    }
    out
}

pub(crate) fn g1_generator() -> blst_p1_affine {
    // SAFETY: blst returns the address of a constant.
    unsafe { *blst::blst_p1_affine_generator() }
}

/// Complete: accepts equal points, opposite points and infinity.
pub(crate) fn p1_add(a: &blst_p1, b: &blst_p1) -> blst_p1 {
    let mut out = blst_p1::default();
    // SAFETY: reads two points, writes one.
    unsafe { blst::blst_p1_add_or_double(&mut out, a, b) };
    out
}

/// Complete: accepts equal points, opposite points and infinity.
pub(crate) fn p1_add_affine(a: &blst_p1, b: &blst_p1_affine) -> blst_p1 {
    let mut out = blst_p1::default();
    // SAFETY: reads two points, writes one.
    unsafe { blst::blst_p1_add_or_double_affine(&mut out, a, b) };
    out
}

/// Times a little-endian number of which the low `bits` count.
pub(crate) fn p1_mul<const N: usize>(point: &blst_p1, scalar: &[u8; N], bits: usize) -> blst_p1 {
    let mut out = blst_p1::default();
    let bits = bits.min(N * 8);
    // SAFETY: reads one point and ceil(bits / 8) <= N bytes, writes one point.
    unsafe { blst::blst_p1_mult(&mut out, point, scalar.as_ptr(), bits) };
    out
}

pub(crate) fn p1_from_affine(point: &blst_p1_affine) -> blst_p1 {
    let mut out = blst_p1::default();
    // SAFETY: reads one point, writes one.
    unsafe { blst::blst_p1_from_affine(&mut out, point) };
    out
}

pub(crate) fn p1_to_affine(point: &blst_p1) -> blst_p1_affine {
    let mut out = blst_p1_affine::default();
    // SAFETY: reads one point, writes one.
    unsafe { blst::blst_p1_to_affine(&mut out, point) };
    out
}

pub(crate) fn p1_is_infinity(point: &blst_p1_affine) -> bool {
    // SAFETY: reads one point.
    unsafe { blst::blst_p1_affine_is_inf(point) }
}

pub(crate) fn p2_double(point: &blst_p2) -> blst_p2 {
    let mut out = blst_p2::default();
    // SAFETY: reads one point, writes one.
    unsafe { blst::blst_p2_double(&mut out, point) };
    out
}

/// Complete: accepts equal points, opposite points and infinity.
pub(crate) fn p2_add_affine(a: &blst_p2, b: &blst_p2_affine) -> blst_p2 {
    let mut out = blst_p2::default();
    // SAFETY: reads two points, writes one.
    unsafe { blst::blst_p2_add_or_double_affine(&mut out, a, b) };
    out
}

/// Adds in place, in constant time. Complete as [`p2_add_affine`].
pub(crate) fn p2_add_affine_assign(sum: &mut blst_p2, addend: &blst_p2_affine) {
    let sum: *mut blst_p2 = sum;
    // SAFETY: reads two points, writes the first of them.
    unsafe { blst::blst_p2_add_or_double_affine(sum, sum, addend) };
}

/// Times a little-endian number of which the low `bits` count.
pub(crate) fn p2_mul<const N: usize>(point: &blst_p2, scalar: &[u8; N], bits: usize) -> blst_p2 {
    let mut out = blst_p2::default();
    let bits = bits.min(N * 8);
    // SAFETY: reads one point and ceil(bits / 8) <= N bytes, writes one point.
    unsafe { blst::blst_p2_mult(&mut out, point, scalar.as_ptr(), bits) };
    out
}

pub(crate) fn p2_neg_affine(point: &blst_p2_affine) -> blst_p2_affine {
    let mut out = *point;
    // SAFETY: reads one field element and negates it in place.
    unsafe { blst::blst_fp2_cneg(&mut out.y, &point.y, true) };
    out
}

pub(crate) fn p2_from_affine(point: &blst_p2_affine) -> blst_p2 {
    let mut out = blst_p2::default();
    // SAFETY: reads one point, writes one.
    unsafe { blst::blst_p2_from_affine(&mut out, point) };
    out
}

pub(crate) fn p2_to_affine(point: &blst_p2) -> blst_p2_affine {
    let mut out = blst_p2_affine::default();
    // SAFETY: reads one point, writes one.
    unsafe { blst::blst_p2_to_affine(&mut out, point) };
    out
}

pub(crate) fn p2_is_infinity(point: &blst_p2_affine) -> bool {
    // SAFETY: reads one point.
    unsafe { blst::blst_p2_affine_is_inf(point) }
}

pub(crate) fn p2_in_group(point: &blst_p2_affine) -> bool {
    // SAFETY: reads one point.
    unsafe { blst::blst_p2_affine_in_g2(point) }
}

/// The scalar wipes itself on drop.
fn scalar_from_be(bytes: &[u8; 32]) -> blst_scalar {
    let mut out = blst_scalar::default();
    // SAFETY: reads 32 bytes, writes one scalar.
    unsafe { blst::blst_scalar_from_bendian(&mut out, bytes.as_ptr()) };
    out
}
