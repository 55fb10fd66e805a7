//! RSA-OAEP (RFC 8017 7.1) without a label, the one form that all devices with OAEP have.

use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use hsm_api::SealKind;
use symbolon_secmem::Locked;

use super::{Sealed, take};
use crate::fault::Fault;

pub(super) fn seal(
    session: &Session,
    kind: SealKind,
    public: ObjectHandle,
    secret: &Locked<32>,
) -> Result<Sealed, Fault> {
    let bytes = secret.expose(|secret| session.encrypt(&mechanism(kind), public, secret))?;
    Ok(Sealed {
        iv: Vec::new(),
        bytes,
    })
}

pub(super) fn open(
    session: &Session,
    kind: SealKind,
    private: ObjectHandle,
    sealed: &[u8],
) -> Result<Locked<32>, Fault> {
    take(session.decrypt(&mechanism(kind), private, sealed)?)
}

fn mechanism(kind: SealKind) -> Mechanism<'static> {
    let (hash, mgf) = match kind {
        SealKind::RsaOaepSha1 => (MechanismType::SHA1, PkcsMgfType::MGF1_SHA1),
        _ => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256),
    };
    Mechanism::RsaPkcsOaep(PkcsOaepParams::new(hash, mgf, PkcsOaepSource::empty()))
}
