//! A JSON value that knows its place in the body, so that every refusal can name it.

use core::fmt;
use core::str::FromStr;

use serde_json::Value;
use symbolon_duties::{HexError, SszError};

use crate::error::RequestError;

/// One value of the body and the way to it.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    value: &'a Value,
    place: Place<'a>,
}

#[derive(Clone, Copy)]
enum Place<'a> {
    Body,
    Key(&'a Field<'a>, &'a str),
    Index(&'a Field<'a>, usize),
}

impl<'a> Field<'a> {
    pub(crate) const fn body(value: &'a Value) -> Self {
        Self {
            value,
            place: Place::Body,
        }
    }

    /// A member of this object, `None` where it is absent or null.
    pub(crate) fn optional(&'a self, key: &'a str) -> Result<Option<Self>, RequestError> {
        let object = self
            .value
            .as_object()
            .ok_or_else(|| self.refused("an object"))?;
        let value = object.get(key).filter(|value| !value.is_null());
        Ok(value.map(|value| Self {
            value,
            place: Place::Key(self, key),
        }))
    }

    /// A member of this object that must be there.
    pub(crate) fn required(&'a self, key: &'a str) -> Result<Self, RequestError> {
        self.optional(key)?.ok_or_else(|| {
            let absent = Self {
                value: self.value,
                place: Place::Key(self, key),
            };
            RequestError::Missing {
                field: absent.to_string(),
            }
        })
    }

    /// The elements of this array, each parsed.
    pub(crate) fn elements<T>(
        &self,
        parse: impl Fn(&Field<'_>) -> Result<T, RequestError>,
    ) -> Result<Vec<T>, RequestError> {
        let array = self
            .value
            .as_array()
            .ok_or_else(|| self.refused("an array"))?;
        let element = |(index, value)| {
            parse(&Field {
                value,
                place: Place::Index(self, index),
            })
        };
        array.iter().enumerate().map(element).collect()
    }

    /// An unsigned integer of 64 bits, plain or as a string of digits.
    pub(crate) fn number(&self) -> Result<u64, RequestError> {
        let digits = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
        let number = match self.value {
            Value::String(text) => Some(text.as_str())
                .filter(digits)
                .and_then(|t| t.parse().ok()),
            other => other.as_u64(),
        };
        number.ok_or_else(|| self.refused("a whole number below 2^64, plain or quoted"))
    }

    pub(crate) fn text(&self) -> Result<&'a str, RequestError> {
        self.value.as_str().ok_or_else(|| self.refused("a string"))
    }

    /// Bytes of a fixed size in hexadecimal, with or without 0x.
    pub(crate) fn hex<T: FromStr<Err = HexError>>(&self) -> Result<T, RequestError> {
        let parsed = self.text()?.parse();
        parsed.map_err(|problem| RequestError::Hex {
            field: self.to_string(),
            problem,
        })
    }

    /// Bytes of any number in hexadecimal, with or without 0x.
    pub(crate) fn hex_bytes(&self) -> Result<Vec<u8>, RequestError> {
        let text = self.text()?;
        let digits = text
            .strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))
            .unwrap_or(text);
        hex::decode(digits).map_err(|_| self.refused("0x and an even number of hexadecimal digits"))
    }

    pub(crate) fn number_at(&self, key: &str) -> Result<u64, RequestError> {
        self.required(key)?.number()
    }

    pub(crate) fn hex_at<T: FromStr<Err = HexError>>(&self, key: &str) -> Result<T, RequestError> {
        self.required(key)?.hex()
    }

    pub(crate) fn refused(&self, expected: &'static str) -> RequestError {
        RequestError::Value {
            field: self.to_string(),
            expected,
        }
    }

    pub(crate) fn ssz(&self, problem: SszError) -> RequestError {
        RequestError::Ssz {
            field: self.to_string(),
            problem,
        }
    }
}

/// The place, as in `beacon_block.block.body.attestations[3].data`.
impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Body => f.write_str("the body"),
            Place::Key(
                Field {
                    place: Place::Body, ..
                },
                key,
            ) => f.write_str(key),
            Place::Key(parent, key) => write!(f, "{parent}.{key}"),
            Place::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
