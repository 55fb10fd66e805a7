//! Passwords as EIP-2335 wants them.

use symbolon_secmem::SecretBytes;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// A password in the form that goes into the key derivation (EIP-2335, "Password requirements").
#[derive(Debug)]
pub struct Password(SecretBytes);

/// Why a text is no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Not UTF-8.
    #[error("password is not UTF-8 text; re-encode the password file")]
    NotUtf8,
    /// Too long once it is normalised.
    #[error("password has {got} bytes after normalisation, at most {limit} are accepted")]
    TooLong {
        /// Bytes after normalisation.
        got: usize,
        /// The longest accepted.
        limit: usize,
    },
}

impl Password {
    /// Normalises a password: NFKD, then without the control codes C0, C1 and Delete, so that the
    /// line end of a password file does no harm.
    ///
    /// # Errors
    ///
    /// [`PasswordError`]; it tells nothing of the text but its length.
    pub fn new(text: &SecretBytes) -> Result<Self, PasswordError> {
        let normal = text
            .expose_str(normalise)
            .map_err(|_| PasswordError::NotUtf8)?;
        let got = normal.len();
        let limit = symbolon_secmem::MAX_SECRET;
        // A copy of the exact bytes, which `take_from` wipes; `normal` wipes itself.
        let mut bytes = Zeroizing::new(normal.as_bytes().to_vec());
        let secret = SecretBytes::take_from(&mut bytes);
        secret
            .map(Self)
            .map_err(|_| PasswordError::TooLong { got, limit })
    }

    pub(crate) fn expose<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        self.0.expose(read)
    }
}

fn normalise(text: &str) -> Zeroizing<String> {
    // Exactly as long as needed: growing would leave parts of the password in freed memory.
    let length = kept(text).map(char::len_utf8).sum();
    let mut normal = Zeroizing::new(String::with_capacity(length));
    kept(text).for_each(|c| normal.push(c));
    normal
}

fn kept(text: &str) -> impl Iterator<Item = char> + '_ {
    // C0 (00-1F), Delete (7F) and C1 (80-9F) are what Unicode calls control.
    text.nfkd().filter(|c| !c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &[u8]) -> Result<Password, PasswordError> {
        Password::new(&SecretBytes::from_vec(text.to_vec()).unwrap())
    }

    fn bytes(text: &str) -> Vec<u8> {
        password(text.as_bytes()).unwrap().expose(<[u8]>::to_vec)
    }

    /// The example of EIP-2335.
    #[test]
    fn the_example_of_the_standard_becomes_its_bytes() {
        let text = "\u{1d531}\u{1d522}\u{1d530}\u{1d531}\u{1d52d}\u{1d51e}\u{1d530}\u{1d530}\
                    \u{1d534}\u{1d52c}\u{1d52f}\u{1d521}\u{1f511}";
        assert_eq!(hex::encode(bytes(text)), "7465737470617373776f7264f09f9491");
    }

    #[test]
    fn control_codes_go_and_spaces_stay() {
        assert_eq!(bytes("a\u{0}b\u{1f}c\u{7f}d\u{80}e\u{9f}f\r\n"), b"abcdef");
        assert_eq!(bytes(" a b "), b" a b ");
        assert_eq!(bytes("\u{212b}\u{a0}"), "A\u{30a} ".as_bytes());
        assert_eq!(bytes("\t\n"), b"");
    }

    #[test]
    fn text_that_is_not_utf8_or_too_long_is_refused_without_being_shown() {
        assert_eq!(
            password(b"hunter2\xff").unwrap_err(),
            PasswordError::NotUtf8
        );
        let long = "\u{fdfa}".repeat(1000);
        let error = password(long.as_bytes()).unwrap_err();
        assert_eq!(
            error,
            PasswordError::TooLong {
                got: 33_000,
                limit: 4096
            }
        );
        assert_eq!(
            format!("{:?}", password(b"hunter2").unwrap()),
            "Password([redacted])"
        );
    }
}
