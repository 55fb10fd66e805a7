//! P-256 in the device: signatures over digests, and ECDH.

use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::elliptic_curve::{EcKdf, Ecdh1DeriveParams};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use hsm_api::{HsmError, P256Public};
use p256::SecretKey;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, VerifyingKey};
use symbolon_secmem::Locked;
use zeroize::Zeroize;

use crate::fault::Fault;

/// `CKM_ECDSA` over a digest: `r || s`.
pub(crate) fn sign(
    session: &Session,
    key: ObjectHandle,
    digest: &[u8; 32],
) -> Result<[u8; 64], Fault> {
    let signature = session.sign(&Mechanism::Ecdsa, key, digest)?;
    let got = signature.len();
    signature.try_into().map_err(|_| {
        HsmError::Other {
            code: format!("a signature of {got} bytes"),
            function: "Sign".to_owned(),
        }
        .into()
    })
}

/// Refuses a signature that does not verify in software.
pub(crate) fn verify(
    public: &P256Public,
    digest: &[u8; 32],
    signature: &[u8; 64],
) -> Result<(), HsmError> {
    let wrong =
        || HsmError::policy("the device signs with another key than the public key beside it");
    let key = public
        .to_key()
        .map_err(|error| HsmError::policy(error.to_string()))?;
    let signature = Signature::from_slice(signature).map_err(|_| wrong())?;
    VerifyingKey::from(key)
        .verify_prehash(digest, &signature)
        .map_err(|_| wrong())
}

/// `CKM_ECDH1_DERIVE` with the null KDF; the x coordinate is read and its object destroyed.
pub(crate) fn ecdh(
    session: &Session,
    key: ObjectHandle,
    peer: &P256Public,
) -> Result<Locked<32>, Fault> {
    let params = Ecdh1DeriveParams::new(EcKdf::null(), peer.uncompressed());
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::GENERIC_SECRET),
        Attribute::Token(false),
        Attribute::Sensitive(false),
        Attribute::Extractable(true),
        Attribute::ValueLen(32.into()),
    ];
    let derived = session.derive_key(&Mechanism::Ecdh1Derive(params), key, &template)?;
    let secret = read_secret(session, derived);
    session.destroy_object(derived)?;
    secret
}

/// Refuses a key whose ECDH differs from software's with a key pair made now.
pub(crate) fn check_ecdh(
    session: &Session,
    key: ObjectHandle,
    public: &P256Public,
) -> Result<(), Fault> {
    let (secret, peer) = ephemeral();
    if ecdh(session, key, &peer)?.ct_eq(&software_ecdh(&secret, public)?) {
        return Ok(());
    }
    Err(
        HsmError::policy("the device derives with another key than the public key beside it")
            .into(),
    )
}

/// A key pair in software, for one use. The secret wipes itself.
pub(crate) fn ephemeral() -> (SecretKey, P256Public) {
    let secret = SecretKey::random(&mut rand_core::OsRng);
    let public = P256Public::from_key(&secret.public_key());
    (secret, public)
}

/// The same x coordinate, in software.
pub(crate) fn software_ecdh(
    secret: &SecretKey,
    public: &P256Public,
) -> Result<Locked<32>, HsmError> {
    let public = public
        .to_key()
        .map_err(|error| HsmError::policy(error.to_string()))?;
    let shared = p256::ecdh::diffie_hellman(secret.to_nonzero_scalar(), public.as_affine());
    Ok(Locked::init_with(|bytes| {
        bytes.copy_from_slice(shared.raw_secret_bytes())
    }))
}

/// Moves the value of a secret key object into locked memory.
pub(crate) fn read_secret(session: &Session, handle: ObjectHandle) -> Result<Locked<32>, Fault> {
    for attribute in session.get_attributes(handle, &[AttributeType::Value])? {
        if let Attribute::Value(mut value) = attribute {
            let got = value.len();
            let secret = Locked::take_from(&mut value);
            value.zeroize();
            return secret.ok_or_else(|| {
                HsmError::Other {
                    code: format!("a secret of {got} bytes"),
                    function: "GetAttributeValue".to_owned(),
                }
                .into()
            });
        }
    }
    Err(HsmError::Unsupported {
        operation: "reading a derived or unwrapped secret".to_owned(),
    }
    .into())
}
