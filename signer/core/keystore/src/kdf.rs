//! Key derivation: from a password to the decryption key.

use sha2::Sha256;
use symbolon_secmem::Locked;

use crate::Password;

/// A key derivation function whose cost was found acceptable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kdf(Function);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Function {
    Scrypt {
        log_n: u8,
        r: u32,
        p: u32,
        salt: Vec<u8>,
    },
    Pbkdf2 {
        iterations: u32,
        salt: Vec<u8>,
    },
}

/// A function as a keystore spells it out.
pub(crate) enum Spelled<'a> {
    Scrypt {
        n: u64,
        r: u32,
        p: u32,
        salt: &'a [u8],
    },
    Pbkdf2 {
        iterations: u32,
        salt: &'a [u8],
    },
}

/// Why parameters of a key derivation are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KdfError {
    /// `n` is not a power of two above one.
    #[error("scrypt n = {n} is not a power of two above 1")]
    NotAPowerOfTwo {
        /// The number given.
        n: u64,
    },
    /// Memory or work beyond the limit.
    #[error(
        "scrypt n = {n}, r = {r}, p = {p} costs more than {MAX_SCRYPT_COST} bytes (128 n r p); \
         export the keystore with n = 262144, r = 8, p = 1"
    )]
    TooCostly {
        /// Cost parameter.
        n: u64,
        /// Block size.
        r: u32,
        /// Parallelism.
        p: u32,
    },
    /// Parameters that RFC 7914 does not allow.
    #[error("scrypt n = {n}, r = {r}, p = {p} is not allowed by RFC 7914")]
    NotScrypt {
        /// Cost parameter.
        n: u64,
        /// Block size.
        r: u32,
        /// Parallelism.
        p: u32,
    },
    /// No iterations, or too many.
    #[error("PBKDF2 with {c} iterations is not accepted (1 to {MAX_ITERATIONS})")]
    Iterations {
        /// The number given.
        c: u32,
    },
    /// A salt that is too short or too long.
    #[error(
        "a salt of {got} bytes is not accepted ({} to {})", SALT_BYTES.start(), SALT_BYTES.end()
    )]
    Salt {
        /// Bytes given.
        got: usize,
    },
}

impl Kdf {
    /// scrypt (RFC 7914); `n` = 262144, `r` = 8, `p` = 1 is what deposit tools write.
    ///
    /// # Errors
    ///
    /// [`KdfError`]; 128 `n` `r` `p` may be 1 GiB at most.
    pub fn scrypt(n: u64, r: u32, p: u32, salt: &[u8]) -> Result<Self, KdfError> {
        if !n.is_power_of_two() || n == 1 {
            return Err(KdfError::NotAPowerOfTwo { n });
        }
        let factors = [u64::from(r), u64::from(p), 128];
        let cost = factors.into_iter().try_fold(n, u64::checked_mul);
        if cost.is_none_or(|cost| cost > MAX_SCRYPT_COST) {
            return Err(KdfError::TooCostly { n, r, p });
        }
        let not_scrypt = KdfError::NotScrypt { n, r, p };
        let log_n = u8::try_from(n.ilog2()).map_err(|_| not_scrypt)?;
        scrypt::Params::new(log_n, r, p, KEY_BYTES).map_err(|_| not_scrypt)?;
        Ok(Self(Function::Scrypt {
            log_n,
            r,
            p,
            salt: checked(salt)?,
        }))
    }

    /// PBKDF2 with HMAC-SHA256 (RFC 8018); 262144 iterations is what deposit tools write.
    ///
    /// # Errors
    ///
    /// [`KdfError`].
    pub fn pbkdf2(iterations: u32, salt: &[u8]) -> Result<Self, KdfError> {
        if !(1..=MAX_ITERATIONS).contains(&iterations) {
            return Err(KdfError::Iterations { c: iterations });
        }
        Ok(Self(Function::Pbkdf2 {
            iterations,
            salt: checked(salt)?,
        }))
    }

    /// The memory that one derivation takes, in bytes: bounds how many may run at once.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        match &self.0 {
            Function::Scrypt { log_n, r, p, .. } => {
                let blocks = (1u64 << log_n)
                    .saturating_add(u64::from(*p))
                    .saturating_add(1);
                blocks.saturating_mul(u64::from(*r)).saturating_mul(128)
            }
            Function::Pbkdf2 { .. } => 0,
        }
    }

    /// The decryption key; takes as long as the parameters say (0.7 s for the usual scrypt).
    pub(crate) fn derive(&self, password: &Password) -> Locked<KEY_BYTES> {
        Locked::init_with(|key| {
            password.expose(|password| match &self.0 {
                Function::Scrypt { log_n, r, p, salt } => {
                    #[expect(clippy::expect_used, reason = "checked when this value was made")]
                    let params = scrypt::Params::new(*log_n, *r, *p, KEY_BYTES).expect("checked");
                    #[expect(clippy::expect_used, reason = "32 bytes are a valid output length")]
                    scrypt::scrypt(password, salt, &params, key).expect("32 bytes");
                }
                Function::Pbkdf2 { iterations, salt } => {
                    pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, *iterations, key);
                }
            });
        })
    }

    pub(crate) fn spelled(&self) -> Spelled<'_> {
        match &self.0 {
            Function::Scrypt { log_n, r, p, salt } => Spelled::Scrypt {
                n: 1 << log_n,
                r: *r,
                p: *p,
                salt,
            },
            Function::Pbkdf2 { iterations, salt } => Spelled::Pbkdf2 {
                iterations: *iterations,
                salt,
            },
        }
    }
}

fn checked(salt: &[u8]) -> Result<Vec<u8>, KdfError> {
    if SALT_BYTES.contains(&salt.len()) {
        Ok(salt.to_vec())
    } else {
        Err(KdfError::Salt { got: salt.len() })
    }
}

/// Length of the derived key (`dklen`): 16 bytes for the cipher, 16 for the checksum.
pub(crate) const KEY_BYTES: usize = 32;

/// Four times the usual scrypt, in memory and in time.
const MAX_SCRYPT_COST: u64 = 1 << 30;

/// 64 times the usual PBKDF2; about two seconds.
const MAX_ITERATIONS: u32 = 1 << 24;

const SALT_BYTES: core::ops::RangeInclusive<usize> = 8..=256;

#[cfg(test)]
mod tests {
    use symbolon_secmem::SecretBytes;

    use super::*;

    const SALT: [u8; 8] = [1; 8];

    #[test]
    fn costs_beyond_the_limits_are_refused_before_anything_is_allocated() {
        let scrypt = |n, r, p| Kdf::scrypt(n, r, p, &SALT);
        for n in [0, 1, 3, 262_143, u64::MAX] {
            assert_eq!(scrypt(n, 8, 1), Err(KdfError::NotAPowerOfTwo { n }));
        }
        let costly = [
            (1 << 23, 8, 1 << 0),
            (1 << 20, 8, 2),
            (2, 1 << 22, 2),
            (1 << 63, 1, 1),
        ];
        for (n, r, p) in costly {
            assert_eq!(scrypt(n, r, p), Err(KdfError::TooCostly { n, r, p }));
        }
        for (n, r, p) in [
            (262_144, 0, 1),
            (262_144, 8, 0),
            (1 << 16, 1, 1),
            (1 << 17, 1, 1),
        ] {
            assert_eq!(scrypt(n, r, p), Err(KdfError::NotScrypt { n, r, p }));
        }
        assert!(scrypt(1 << 20, 8, 1).is_ok());
        let over = scrypt(2, u32::MAX, u32::MAX).unwrap_err();
        assert!(matches!(over, KdfError::TooCostly { .. }));
        for c in [0, MAX_ITERATIONS + 1, u32::MAX] {
            assert_eq!(Kdf::pbkdf2(c, &SALT), Err(KdfError::Iterations { c }));
        }
        for got in [0, 7, 257] {
            let salt = vec![1; got];
            assert_eq!(Kdf::pbkdf2(1, &salt), Err(KdfError::Salt { got }));
            assert_eq!(Kdf::scrypt(2, 8, 1, &salt), Err(KdfError::Salt { got }));
        }
    }

    #[test]
    fn memory_is_what_scrypt_allocates() {
        let usual = Kdf::scrypt(1 << 18, 8, 1, &SALT).unwrap().memory_bytes();
        assert_eq!(usual, (256 << 20) + 2048);
        assert_eq!(Kdf::pbkdf2(1, &SALT).unwrap().memory_bytes(), 0);
    }

    /// RFC 7914 section 12, third vector (first 32 bytes), and RFC 7914 section 11, second vector.
    #[test]
    fn published_vectors_agree() {
        let derive = |kdf: Kdf, text: &str| {
            let text = SecretBytes::from_string(text.into()).unwrap();
            kdf.derive(&Password::new(&text).unwrap())
                .expose(|bytes| hex::encode(bytes))
        };
        assert_eq!(
            derive(
                Kdf::scrypt(16384, 8, 1, b"SodiumChloride").unwrap(),
                "pleaseletmein"
            ),
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
        );
        // "NaCl" alone is shorter than a salt that is accepted here; the vector calls the function.
        let short = Kdf(Function::Pbkdf2 {
            iterations: 80_000,
            salt: b"NaCl".to_vec(),
        });
        assert_eq!(
            derive(short, "Password"),
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
        );
    }
}
