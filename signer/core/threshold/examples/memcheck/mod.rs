//! Requests to valgrind (its manual, "The Client Request mechanism" and 4.7).
#![expect(
    unsafe_code,
    reason = "requests are an instruction sequence that does nothing outside of valgrind"
)]

/// Whether this process runs under valgrind.
pub(crate) fn present() -> bool {
    request(RUNNING_ON_VALGRIND, 0, 0) != 0
}

/// Lets memcheck take a value for uninitialised, without a change of its bits.
pub(crate) fn hide<T>(values: &[T]) {
    request(
        MAKE_MEM_UNDEFINED,
        values.as_ptr().addr(),
        size_of_val(values),
    );
}

/// Lets memcheck take a value for initialised.
pub(crate) fn show<T>(values: &[T]) {
    request(
        MAKE_MEM_DEFINED,
        values.as_ptr().addr(),
        size_of_val(values),
    );
}

#[cfg(target_arch = "x86_64")]
fn request(number: usize, address: usize, length: usize) -> usize {
    let arguments = [number, address, length, 0, 0, 0];
    let mut result = 0;
    // SAFETY: rotates a register by 128 bits in all and exchanges another with itself; valgrind
    // reads the six words of `arguments` and writes the result register.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inout("rdx") result,
            options(nostack),
        );
    }
    result
}

/// Other machines have other sequences; there the check refuses to start.
#[cfg(not(target_arch = "x86_64"))]
fn request(_: usize, _: usize, _: usize) -> usize {
    0
}

const RUNNING_ON_VALGRIND: usize = 0x1001;
const MEMCHECK: usize = (b'M' as usize) << 24 | (b'C' as usize) << 16;
const MAKE_MEM_UNDEFINED: usize = MEMCHECK + 1;
const MAKE_MEM_DEFINED: usize = MEMCHECK + 2;
