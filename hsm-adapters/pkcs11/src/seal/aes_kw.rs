//! AES key wrap (RFC 3394): 40 bytes for 32. Never the padded kinds, whose number means different
//! things to different devices.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use hsm_api::HsmError;
use symbolon_secmem::Locked;
use zeroize::Zeroize;

use super::Sealed;
use crate::ec::read_secret;
use crate::fault::Fault;

pub(super) fn seal(
    session: &Session,
    key: ObjectHandle,
    secret: &Locked<32>,
) -> Result<Sealed, Fault> {
    let mut template = template();
    template.push(Attribute::Value(secret.expose(|secret| secret.to_vec())));
    let object = session.create_object(&template);
    if let Some(Attribute::Value(value)) = template.last_mut() {
        value.zeroize();
    }
    let object = object?;
    let wrapped = session.wrap_key(&Mechanism::AesKeyWrap, key, object);
    session.destroy_object(object)?;
    let mut bytes = wrapped?;
    // Some modules report more than they write, and the binding does not cut it.
    bytes.truncate(WRAPPED);
    if bytes.len() == WRAPPED {
        return Ok(Sealed {
            iv: Vec::new(),
            bytes,
        });
    }
    let code = format!("a wrapped key of {} bytes", bytes.len());
    Err(HsmError::Other {
        code,
        function: "WrapKey".to_owned(),
    }
    .into())
}

pub(super) fn open(
    session: &Session,
    key: ObjectHandle,
    sealed: &[u8],
) -> Result<Locked<32>, Fault> {
    if sealed.len() != WRAPPED {
        return Err(HsmError::bad_blob(format!(
            "a wrapped DEK has {WRAPPED} bytes, not {}",
            sealed.len()
        ))
        .into());
    }
    let object = session.unwrap_key(&Mechanism::AesKeyWrap, key, sealed, &template())?;
    let secret = read_secret(session, object);
    session.destroy_object(object)?;
    secret
}

fn template() -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::GENERIC_SECRET),
        Attribute::Token(false),
        Attribute::Sensitive(false),
        Attribute::Extractable(true),
    ]
}

const WRAPPED: usize = 40;
