//! Signed digits of a secret number.

use zeroize::Zeroize;

use crate::bls::mask::Mask;

/// One digit of a number in radix 2^w, in -2^(w-1)..=2^(w-1), wiped on drop.
///
/// Booth's recoding: a digit depends on w + 1 neighbouring bits and on no carry, so that digits
/// are read where they are needed and never stored.
pub(super) struct Digit {
    pub(super) magnitude: u64,
    negative: u64,
}

/// Digits of a number below 2^255.
pub(super) const fn digits(width: u32) -> u32 {
    // One bit more than the number has, which makes the uppermost digit positive.
    256_u32.div_ceil(width)
}

impl Digit {
    /// The digit at `position`, 0 the lowest, of a big-endian number; in constant time for a given
    /// position and width, which is at most 8.
    #[inline]
    pub(super) fn of(number: &[u8; 32], position: u32, width: u32) -> Self {
        // Bit 0 of the window is the uppermost of the digit before.
        let mut window = match position * width {
            0 => bits(number, 0) << 1,
            start => bits(number, start - 1),
        };
        window &= (2 << width) - 1;
        let negative = window >> width;
        let sign = Mask::from_bit(negative).bits();
        let rounded = (window + 1) >> 1;
        // 2^w - rounded when negative.
        let magnitude = (rounded ^ sign)
            .wrapping_sub(sign)
            .wrapping_add(sign & (1 << width));
        window.zeroize();
        Self {
            magnitude,
            negative,
        }
    }

    /// Whether the digit is below zero, or a zero that was written as one.
    #[inline]
    pub(super) fn negative(&self) -> Mask {
        Mask::from_bit(self.negative)
    }
}

impl Drop for Digit {
    fn drop(&mut self) {
        self.magnitude.zeroize();
        self.negative.zeroize();
    }
}

/// At least nine bits of a big-endian number from bit `start` up; above its end are zeros.
#[inline]
fn bits(number: &[u8; 32], start: u32) -> u64 {
    let byte = |at: u32| {
        let at = 31_usize.checked_sub(at as usize);
        at.and_then(|at| number.get(at))
            .map_or(0, |byte| u64::from(*byte))
    };
    let low = start / 8;
    (byte(low) | byte(low + 1) << 8) >> (start % 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Adds the digits up with plain integers of 32 bytes and some more.
    fn value(number: &[u8; 32], width: u32) -> [u8; 32] {
        let mut sum = [0i64; 40];
        for position in 0..digits(width) {
            let digit = Digit::of(number, position, width);
            assert!(
                digit.magnitude <= 1 << (width - 1),
                "digit {position} of width {width}"
            );
            let magnitude = digit.magnitude as i64;
            let signed = if digit.negative == 1 {
                -magnitude
            } else {
                magnitude
            };
            let start = position * width;
            // Below 2^15 in absolute value.
            sum[start as usize / 8] += signed << (start % 8);
        }
        let mut carry = 0;
        let bytes = sum.map(|byte| {
            let total = byte + carry;
            carry = total >> 8;
            (total & 0xff) as u8
        });
        assert_eq!((carry, &bytes[32..]), (0, &[0; 8][..]), "width {width}");
        let mut out = [0; 32];
        out.copy_from_slice(&bytes[..32]);
        out.reverse();
        out
    }

    fn assert_all_widths(number: &[u8; 32]) {
        for width in 2..=8 {
            assert_eq!(value(number, width), *number, "width {width}");
        }
    }

    #[test]
    fn digits_of_edges_add_up() {
        let mut top = [0xff; 32];
        top[0] = 0x7f;
        assert_all_widths(&top);
        assert_all_widths(&[0; 32]);
        for byte in 0..=u8::MAX {
            let mut repeated = [byte; 32];
            repeated[0] &= 0x7f;
            assert_all_widths(&repeated);
            assert_all_widths(&std::array::from_fn(|at| if at == 31 { byte } else { 0 }));
        }
        for bit in 0..255 {
            let mut single = [0; 32];
            single[31 - bit / 8] = 1 << (bit % 8);
            assert_all_widths(&single);
            // A run of ones from here up: a carry through all digits.
            let run = std::array::from_fn(|at| {
                let low = (31 - at) * 8;
                let ones = (low..low + 8).filter(|number| (bit..255).contains(number));
                ones.fold(0, |byte, number| byte | 1 << (number - low))
            });
            assert_all_widths(&run);
        }
    }

    proptest! {
        #[test]
        fn digits_of_any_number_add_up(mut number in any::<[u8; 32]>()) {
            number[0] &= 0x7f;
            assert_all_widths(&number);
        }
    }
}
