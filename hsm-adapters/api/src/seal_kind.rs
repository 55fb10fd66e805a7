//! How a DEK is sealed: the schemes, their families, their order.

use std::fmt;

use minicbor::{Decode, Encode};

/// One way to seal a DEK under a key in the device. The numbers are part of the blob format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
#[non_exhaustive]
pub enum SealKind {
    /// RSA-OAEP with SHA-256 and MGF1-SHA-256, no label (RFC 8017 7.1).
    #[n(1)]
    RsaOaepSha256,
    /// RSA-OAEP with SHA-1 and MGF1-SHA-1, no label. OAEP needs no collision resistance.
    #[n(2)]
    RsaOaepSha1,
    /// AES-256-GCM in the device, IV given by the caller.
    #[n(3)]
    AesGcmCallerIv,
    /// AES-256-GCM in the device, which writes its IV over the caller's zeroed one.
    #[n(4)]
    AesGcmHsmIv,
    /// AES-256-GCM in the device, which appends its IV to the ciphertext.
    #[n(5)]
    AesGcmHsmIvAppended,
    /// ECDH on P-256 in the device with the null KDF, HKDF-SHA-256 and AES-256-GCM in software.
    #[n(6)]
    EcdhP256NullHkdf,
    /// AES key wrap (RFC 3394) in the device, 40 bytes for a DEK.
    #[n(7)]
    AesKw3394,
    /// A software device. For tests only: whoever reads the disk reads the DEK.
    #[n(255)]
    Software,
}

impl SealKind {
    /// The order in which schemes are tried unless the configuration gives another.
    pub const DEFAULT_ORDER: [Self; 7] = [
        Self::RsaOaepSha256,
        Self::RsaOaepSha1,
        Self::AesGcmCallerIv,
        Self::AesGcmHsmIv,
        Self::AesGcmHsmIvAppended,
        Self::EcdhP256NullHkdf,
        Self::AesKw3394,
    ];

    /// The name in configuration files, reports and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RsaOaepSha256 => "rsa-oaep-sha256",
            Self::RsaOaepSha1 => "rsa-oaep-sha1",
            Self::AesGcmCallerIv => "aes-gcm-callerIV",
            Self::AesGcmHsmIv => "aes-gcm-hsmIV",
            Self::AesGcmHsmIvAppended => "aes-gcm-hsmIV-appended",
            Self::EcdhP256NullHkdf => "ecdh-p256-null-hkdf",
            Self::AesKw3394 => "aes-kw-3394",
            Self::Software => "software",
        }
    }

    /// The scheme of that name, `None` when there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::DEFAULT_ORDER
            .into_iter()
            .chain([Self::Software])
            .find(|kind| kind.name() == name)
    }

    /// The kind of key that the scheme needs.
    #[must_use]
    pub const fn family(self) -> SealFamily {
        match self {
            Self::RsaOaepSha256 | Self::RsaOaepSha1 => SealFamily::Rsa,
            Self::AesGcmCallerIv | Self::AesGcmHsmIv | Self::AesGcmHsmIvAppended => {
                SealFamily::AesGcm
            }
            Self::EcdhP256NullHkdf => SealFamily::Ecdh,
            Self::AesKw3394 => SealFamily::AesKw,
            Self::Software => SealFamily::Software,
        }
    }
}

impl fmt::Display for SealKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What kind of key a scheme needs; keys of different families never share a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SealFamily {
    /// RSA, 3072 bits, encrypt and decrypt only.
    Rsa,
    /// AES-256, encrypt and decrypt only.
    AesGcm,
    /// P-256, derive only.
    Ecdh,
    /// AES-256, wrap and unwrap only.
    AesKw,
    /// Software.
    Software,
}

impl SealFamily {
    /// The last part of the key's label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::AesGcm => "gcm",
            Self::Ecdh => "ecdh",
            Self::AesKw => "kw",
            Self::Software => "soft",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for kind in SealKind::DEFAULT_ORDER
            .into_iter()
            .chain([SealKind::Software])
        {
            assert_eq!(SealKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(SealKind::from_name("rot13"), None);
    }

    #[test]
    fn the_software_scheme_is_never_chosen_by_default() {
        assert!(!SealKind::DEFAULT_ORDER.contains(&SealKind::Software));
    }
}
