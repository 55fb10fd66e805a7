//! Numbers and byte strings with a meaning of their own.

use core::fmt;
use core::str::FromStr;

use minicbor::{Decode, Encode};

/// A text that is not the `0x`-prefixed hexadecimal form of the expected number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    /// The text has another length than `0x` and two digits per byte.
    #[error("expected 0x and {expected} hexadecimal digits, got {got} characters")]
    Length {
        /// Hexadecimal digits expected after `0x`.
        expected: usize,
        /// Characters found, with the prefix.
        got: usize,
    },
    /// A character is not a hexadecimal digit.
    #[error("not hexadecimal: expected 0x and {expected} digits of 0-9, a-f")]
    Digit {
        /// Hexadecimal digits expected after `0x`.
        expected: usize,
    },
}

fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let expected = N.saturating_mul(2);
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .unwrap_or(text);
    if digits.len() != expected {
        return Err(HexError::Length {
            expected,
            got: text.len(),
        });
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| HexError::Digit { expected })?;
    Ok(bytes)
}

macro_rules! bytes_type {
    ($(#[$doc:meta])* $name:ident, $n:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; $n]);

        impl $name {
            /// The bytes, in the order in which the specifications write them.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $n] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "0x{}", hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        /// Accepts upper and lower case, with or without `0x`.
        impl FromStr for $name {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, HexError> {
                parse_hex(text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

bytes_type!(
    /// An SSZ hash tree root, or a block root.
    Root, 32
);
bytes_type!(
    /// `hash_tree_root(SigningData)`: what the BLS signature covers (consensus-specs
    /// `compute_signing_root`).
    SigningRoot, 32
);
bytes_type!(
    /// A fork version (consensus-specs `Version`).
    ForkVersion, 4
);
bytes_type!(
    /// A validator's BLS public key in compressed form, as bytes only: not checked to be a point.
    ValidatorPublicKey, 48
);
bytes_type!(
    /// A BLS signature in compressed form, as bytes only: not checked to be a point.
    BlsSignature, 96
);
bytes_type!(
    /// An address of the execution layer (consensus-specs `ExecutionAddress`).
    ExecutionAddress, 20
);
bytes_type!(
    /// The withdrawal credentials of a deposit: a prefix byte and 31 bytes more.
    WithdrawalCredentials, 32
);
bytes_type!(
    /// What separates signatures by purpose, fork and chain (consensus-specs `compute_domain`).
    Domain, 32
);

macro_rules! number_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Encode, Decode,
        )]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_type!(
    /// A slot of the beacon chain.
    Slot
);
number_type!(
    /// An epoch of the beacon chain.
    Epoch
);
number_type!(
    /// The place of a validator in the registry of the beacon chain.
    ValidatorIndex
);
number_type!(
    /// An amount of ether in units of 10^-9.
    Gwei
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_text_survives_a_round_trip_and_refuses_other_lengths() {
        let version: ForkVersion = "0x01000001".parse().unwrap();
        assert_eq!(version.to_string(), "0x01000001");
        assert_eq!("01000001".parse::<ForkVersion>().unwrap(), version);
        assert_eq!(
            "0x0100".parse::<ForkVersion>().unwrap_err(),
            HexError::Length {
                expected: 8,
                got: 6
            }
        );
        assert!("0x0100000g".parse::<ForkVersion>().is_err());
    }

    #[test]
    fn bytes_are_cbor_byte_strings_and_numbers_are_shortest_integers() {
        let bytes = minicbor::to_vec(ForkVersion([1, 2, 3, 4])).unwrap();
        assert_eq!(bytes, [0x44, 1, 2, 3, 4]);
        assert_eq!(minicbor::to_vec(Slot(5)).unwrap(), [5]);
    }
}
