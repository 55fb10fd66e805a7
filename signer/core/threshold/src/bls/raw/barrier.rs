//! Hides values from the optimiser.

/// The same number, about which the compiler knows nothing any more.
///
/// A mask that passed through here is neither provably zero nor provably all ones, so that the
/// compiler cannot turn `mask & value` back into a branch or into a load by a secret index.
#[inline(always)]
pub(crate) fn opaque(value: u64) -> u64 {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    {
        let mut value = value;
        // SAFETY: no instruction at all; names a register as read and written.
        unsafe {
            core::arch::asm!(
                "/* {0} */",
                inout(reg) value,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        value
    }
    // Weaker by its own documentation; no such machine is shipped for.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    core::hint::black_box(value)
}
