//! BLS12-381 as this crate uses it: blst behind functions that cannot be misused.

pub(crate) mod affine;
pub(crate) mod mask;
pub(crate) mod pairing;
#[expect(
    unsafe_code,
    reason = "calls blst where it has no safe wrapper; each block says why"
)]
pub(crate) mod raw;
