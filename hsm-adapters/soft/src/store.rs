//! The keys of the software device, in the clear, in memory or in a file.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hsm_api::{AnchorRecord, HsmError, KeyId};
use minicbor::{Decode, Encode};

/// All objects of one software token.
#[derive(Debug, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Objects {
    /// By label.
    #[n(0)]
    pub(crate) keys: BTreeMap<String, Key>,
    #[n(1)]
    pub(crate) anchors: BTreeMap<String, AnchorRecord>,
    /// Logins tried so far, for tests of the PIN rule.
    #[n(2)]
    pub(crate) logins: u64,
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Key {
    #[n(0)]
    pub(crate) id: KeyId,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) secret: [u8; 32],
    #[n(2)]
    pub(crate) usage: Usage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(crate) enum Usage {
    #[n(0)]
    Seal,
    #[n(1)]
    Sign,
    #[n(2)]
    Derive,
}

/// Where the objects are kept.
#[derive(Debug)]
pub(crate) struct Store {
    file: Option<PathBuf>,
    pub(crate) objects: Objects,
}

impl Store {
    pub(crate) fn memory() -> Self {
        Self {
            file: None,
            objects: Objects::default(),
        }
    }

    pub(crate) fn open(file: &Path) -> Result<Self, HsmError> {
        let objects = match fs::read(file) {
            Ok(bytes) => {
                minicbor::decode(&bytes).map_err(|error| failure("decode", &error.to_string()))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Objects::default(),
            Err(error) => return Err(failure("read", &error.to_string())),
        };
        Ok(Self {
            file: Some(file.to_owned()),
            objects,
        })
    }

    /// Writes beside and renames, so that a crash leaves the old or the new state.
    pub(crate) fn save(&self) -> Result<(), HsmError> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let bytes = minicbor::to_vec(&self.objects)
            .map_err(|error| failure("encode", &error.to_string()))?;
        let beside = file.with_extension("new");
        fs::write(&beside, bytes)
            .and_then(|()| fs::rename(&beside, file))
            .map_err(|error| failure("write", &error.to_string()))
    }
}

fn failure(function: &str, code: &str) -> HsmError {
    HsmError::Other {
        code: code.to_owned(),
        function: format!("software store: {function}"),
    }
}
