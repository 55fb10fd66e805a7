//! The sealing schemes. Each seals 32 bytes and opens them again; the header is made above.

mod aes_gcm;
mod aes_kw;
mod ecdh;
mod rsa_oaep;

use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use hsm_api::{HsmError, KeyId, SealKind};
use symbolon_secmem::Locked;

use crate::fault::Fault;
use crate::key::{self, Role};
use crate::token::Work;

/// The key encryption key, with its public half where the scheme has one.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    pub(crate) private: ObjectHandle,
    pub(crate) public: Option<ObjectHandle>,
}

impl Keys {
    pub(crate) fn find(work: &mut Work, id: &KeyId, kind: SealKind) -> Result<Self, Fault> {
        let (private, public) = roles(kind)?;
        let private = key::find(work, id, private)?;
        let public = public.map(|role| key::find(work, id, role)).transpose()?;
        Ok(Self { private, public })
    }

    /// Keys that live as long as the session, for a trial.
    pub(crate) fn temporary(session: &Session, kind: SealKind) -> Result<Self, Fault> {
        let (private, public) = key::make_temporary(session, roles(kind)?.0)?;
        Ok(Self { private, public })
    }

    fn public(&self) -> Result<ObjectHandle, HsmError> {
        self.public
            .ok_or_else(|| HsmError::policy("the key has no public half"))
    }
}

/// What a scheme makes of 32 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) iv: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
}

/// Seals 32 bytes.
pub(crate) fn seal(
    session: &Session,
    kind: SealKind,
    keys: Keys,
    secret: &Locked<32>,
) -> Result<Sealed, Fault> {
    match kind {
        SealKind::RsaOaepSha256 | SealKind::RsaOaepSha1 => {
            rsa_oaep::seal(session, kind, keys.public()?, secret)
        }
        SealKind::AesGcmCallerIv | SealKind::AesGcmHsmIv | SealKind::AesGcmHsmIvAppended => {
            aes_gcm::seal(session, kind, keys.private, secret)
        }
        SealKind::EcdhP256NullHkdf => ecdh::seal(session, keys.public()?, secret),
        SealKind::AesKw3394 => aes_kw::seal(session, keys.private, secret),
        other => Err(unknown(other).into()),
    }
}

/// Opens what [`seal`] made.
pub(crate) fn open(
    session: &Session,
    kind: SealKind,
    keys: Keys,
    sealed: &Sealed,
) -> Result<Locked<32>, Fault> {
    match kind {
        SealKind::RsaOaepSha256 | SealKind::RsaOaepSha1 => {
            rsa_oaep::open(session, kind, keys.private, &sealed.bytes)
        }
        SealKind::AesGcmCallerIv | SealKind::AesGcmHsmIv | SealKind::AesGcmHsmIvAppended => {
            aes_gcm::open(session, keys.private, sealed)
        }
        SealKind::EcdhP256NullHkdf => ecdh::open(session, keys, &sealed.bytes),
        SealKind::AesKw3394 => aes_kw::open(session, keys.private, &sealed.bytes),
        other => Err(unknown(other).into()),
    }
}

/// The roles of the private or secret key and of its public half.
pub(crate) fn roles(kind: SealKind) -> Result<(Role, Option<Role>), HsmError> {
    match kind {
        SealKind::RsaOaepSha256 | SealKind::RsaOaepSha1 => Ok((Role::Rsa, Some(Role::RsaPublic))),
        SealKind::AesGcmCallerIv | SealKind::AesGcmHsmIv | SealKind::AesGcmHsmIvAppended => {
            Ok((Role::Gcm, None))
        }
        SealKind::EcdhP256NullHkdf => Ok((Role::Derive, Some(Role::EcPublic))),
        SealKind::AesKw3394 => Ok((Role::Wrap, None)),
        other => Err(unknown(other)),
    }
}

fn unknown(kind: SealKind) -> HsmError {
    HsmError::Unsupported {
        operation: format!("scheme {kind} through PKCS#11"),
    }
}

/// Moves 32 opened bytes into locked memory and wipes where they were.
fn take(mut opened: Vec<u8>) -> Result<Locked<32>, Fault> {
    let got = opened.len();
    Locked::take_from(&mut opened).ok_or_else(|| {
        HsmError::bad_blob(format!("the device opened {got} bytes, a DEK has 32")).into()
    })
}
