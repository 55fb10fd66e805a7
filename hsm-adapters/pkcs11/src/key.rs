//! Keys on the token: found by name, made by template, and checked either way.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use hsm_api::{HsmError, KeyId, P256Public};

use crate::fault::Fault;
use crate::token::{Work, is_user};

/// What a key may do; it decides class, type and attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// P-256, ECDSA only.
    Sign,
    /// P-256, ECDH only.
    Derive,
    /// RSA, decrypt only.
    Rsa,
    /// AES-256, encrypt and decrypt.
    Gcm,
    /// AES-256, wrap and unwrap.
    Wrap,
    /// The public half of an EC key.
    EcPublic,
    /// The public half of an RSA key.
    RsaPublic,
}

impl Role {
    const fn class(self) -> ObjectClass {
        match self {
            Self::Sign | Self::Derive | Self::Rsa => ObjectClass::PRIVATE_KEY,
            Self::Gcm | Self::Wrap => ObjectClass::SECRET_KEY,
            Self::EcPublic | Self::RsaPublic => ObjectClass::PUBLIC_KEY,
        }
    }

    const fn key_type(self) -> KeyType {
        match self {
            Self::Sign | Self::Derive | Self::EcPublic => KeyType::EC,
            Self::Rsa | Self::RsaPublic => KeyType::RSA,
            Self::Gcm | Self::Wrap => KeyType::AES,
        }
    }

    const fn is_public(self) -> bool {
        matches!(self, Self::EcPublic | Self::RsaPublic)
    }

    /// What the key may and may not do, complete, as asked for and as read back.
    fn usage(self) -> Vec<Attribute> {
        match self {
            Self::Sign => vec![Attribute::Sign(true), Attribute::Derive(false)],
            Self::Derive => vec![Attribute::Derive(true), Attribute::Sign(false)],
            Self::Rsa => vec![
                Attribute::Decrypt(true),
                Attribute::Sign(false),
                Attribute::Unwrap(false),
            ],
            Self::Gcm => vec![
                Attribute::Encrypt(true),
                Attribute::Decrypt(true),
                Attribute::Wrap(false),
                Attribute::Unwrap(false),
            ],
            Self::Wrap => vec![
                Attribute::Wrap(true),
                Attribute::Unwrap(true),
                Attribute::Encrypt(false),
                Attribute::Decrypt(false),
            ],
            Self::EcPublic | Self::RsaPublic => Vec::new(),
        }
    }
}

/// The handle of the one key with this name and role.
pub(crate) fn find(work: &mut Work, id: &KeyId, role: Role) -> Result<ObjectHandle, Fault> {
    if let Some(handle) = work.handles.get(&(id.clone(), role)) {
        return Ok(*handle);
    }
    let handle = look(&work.session, id, role)?.ok_or_else(|| missing(id))?;
    work.handles.insert((id.clone(), role), handle);
    Ok(handle)
}

/// As [`find`], `None` when there is no such key.
pub(crate) fn look(
    session: &Session,
    id: &KeyId,
    role: Role,
) -> Result<Option<ObjectHandle>, Fault> {
    let Some(handle) = one(session, id, role.class())? else {
        return Ok(None);
    };
    check(session, handle, id, role)?;
    Ok(Some(handle))
}

/// Makes a key with this name. For a pair, the handle is the private one.
pub(crate) fn make(session: &Session, id: &KeyId, role: Role) -> Result<ObjectHandle, Fault> {
    let (handle, public) = generate(session, role, Some(id))?;
    if let Err(fault) = check(session, handle, id, role) {
        // Made a moment ago and never used: nothing is lost with it.
        for made in [Some(handle), public].into_iter().flatten() {
            session.destroy_object(made)?;
        }
        return Err(fault);
    }
    Ok(handle)
}

/// Makes a key that lives as long as the session. For a pair: private, public.
pub(crate) fn make_temporary(
    session: &Session,
    role: Role,
) -> Result<(ObjectHandle, Option<ObjectHandle>), Fault> {
    generate(session, role, None)
}

/// Destroys all objects of this name. Finding none is an error, so that it is doubted: a token that
/// is away, or has lost the login, shows no private object either.
pub(crate) fn destroy(work: &mut Work, id: &KeyId) -> Result<(), Fault> {
    let classes = [
        ObjectClass::PRIVATE_KEY,
        ObjectClass::SECRET_KEY,
        ObjectClass::PUBLIC_KEY,
    ];
    work.handles.clear();
    let mut found = Vec::new();
    for class in classes {
        if let Some(handle) = one(&work.session, id, class)? {
            check_id(&work.session, handle, id)?;
            found.push(handle);
        }
    }
    if found.is_empty() || !is_user(&work.session) {
        return Err(missing(id).into());
    }
    for handle in &found {
        work.session.destroy_object(*handle)?;
    }
    for class in classes {
        if one(&work.session, id, class)?.is_some() {
            return Err(HsmError::policy(format!(
                "key {id} is still on the token after it was destroyed"
            ))
            .into());
        }
    }
    Ok(())
}

/// The public key of the EC pair with this name.
pub(crate) fn ec_public(work: &mut Work, id: &KeyId) -> Result<P256Public, Fault> {
    let handle = find(work, id, Role::EcPublic)?;
    ec_point(&work.session, handle)
}

/// The point of an EC public key object.
pub(crate) fn ec_point(session: &Session, handle: ObjectHandle) -> Result<P256Public, Fault> {
    for attribute in session.get_attributes(handle, &[AttributeType::EcPoint])? {
        if let Attribute::EcPoint(point) = attribute {
            return P256Public::from_ec_point(&point).map_err(|error| {
                HsmError::policy(format!("public key on the token: {error}")).into()
            });
        }
    }
    Err(HsmError::Unsupported {
        operation: "reading an EC public key (CKA_EC_POINT)".to_owned(),
    }
    .into())
}

/// Modulus and public exponent of an RSA public key object.
pub(crate) fn rsa_numbers(
    session: &Session,
    handle: ObjectHandle,
) -> Result<(Vec<u8>, Vec<u8>), Fault> {
    let (mut modulus, mut exponent) = (None, None);
    let wanted = [AttributeType::Modulus, AttributeType::PublicExponent];
    for attribute in session.get_attributes(handle, &wanted)? {
        match attribute {
            Attribute::Modulus(bytes) => modulus = Some(bytes),
            Attribute::PublicExponent(bytes) => exponent = Some(bytes),
            _ => {}
        }
    }
    modulus.zip(exponent).ok_or_else(|| {
        HsmError::Unsupported {
            operation: "reading an RSA public key".to_owned(),
        }
        .into()
    })
}

pub(crate) fn missing(id: &KeyId) -> HsmError {
    HsmError::NotFound {
        object: format!("key {id}"),
    }
}

fn one(session: &Session, id: &KeyId, class: ObjectClass) -> Result<Option<ObjectHandle>, Fault> {
    let label = Attribute::Label(id.label().as_bytes().to_vec());
    let mut found = session.find_objects(&[Attribute::Class(class), label])?;
    if found.len() > 1 {
        let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
        return Err(HsmError::Ambiguous {
            object: format!("key {id}"),
            count,
        }
        .into());
    }
    Ok(found.pop())
}

fn generate(
    session: &Session,
    role: Role,
    id: Option<&KeyId>,
) -> Result<(ObjectHandle, Option<ObjectHandle>), Fault> {
    let mut named = vec![Attribute::Token(id.is_some())];
    if let Some(id) = id {
        named.push(Attribute::Label(id.label().as_bytes().to_vec()));
        named.push(Attribute::Id(id.cka_id().to_vec()));
    }
    let mut secret = named.clone();
    secret.extend([
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
    ]);
    secret.extend(role.usage());
    let mut public = named;
    public.push(Attribute::Private(false));
    let (public, private) = match role {
        Role::Sign | Role::Derive => {
            public.push(Attribute::EcParams(P256_OID.to_vec()));
            public.push(if role == Role::Sign {
                Attribute::Verify(true)
            } else {
                Attribute::Derive(true)
            });
            session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &secret)?
        }
        Role::Rsa => {
            let bits = if id.is_some() {
                RSA_BITS
            } else {
                RSA_TRIAL_BITS
            };
            public.push(Attribute::ModulusBits(bits.into()));
            public.push(Attribute::PublicExponent(RSA_EXPONENT.to_vec()));
            public.push(Attribute::Encrypt(true));
            session.generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &secret)?
        }
        Role::Gcm | Role::Wrap => {
            secret.push(Attribute::ValueLen(AES_BYTES.into()));
            return Ok((session.generate_key(&Mechanism::AesKeyGen, &secret)?, None));
        }
        Role::EcPublic | Role::RsaPublic => {
            return Err(HsmError::policy("a public key is not made alone").into());
        }
    };
    Ok((private, Some(public)))
}

/// Reads back what was asked for. Devices exist that take a template and ignore half of it.
fn check(session: &Session, handle: ObjectHandle, id: &KeyId, role: Role) -> Result<(), Fault> {
    check_id(session, handle, id)?;
    let mut wanted = vec![Attribute::KeyType(role.key_type()), Attribute::Token(true)];
    if !role.is_public() {
        wanted.extend([
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
        ]);
        wanted.extend(role.usage());
    }
    let types: Vec<AttributeType> = wanted.iter().map(Attribute::attribute_type).collect();
    let found = session.get_attributes(handle, &types)?;
    for want in &wanted {
        let got = found
            .iter()
            .find(|got| got.attribute_type() == want.attribute_type());
        // A device that does not know an attribute by which we forbid a use forbids it anyway.
        if got == Some(want) || (got.is_none() && forbids(want)) {
            continue;
        }
        let got = got.map_or_else(|| "nothing".to_owned(), |got| format!("{got:?}"));
        return Err(HsmError::policy(format!(
            "key {id} must have {want:?}, the token says {got}; destroy it and provision again, or \
             use a device that honours key attributes"
        ))
        .into());
    }
    Ok(())
}

/// Whether leaving this attribute out means the same as asking for it: a use that is not allowed.
/// Being non-extractable must be said in so many words.
const fn forbids(want: &Attribute) -> bool {
    matches!(
        want,
        Attribute::Sign(false)
            | Attribute::Derive(false)
            | Attribute::Decrypt(false)
            | Attribute::Encrypt(false)
            | Attribute::Wrap(false)
            | Attribute::Unwrap(false)
    )
}

fn check_id(session: &Session, handle: ObjectHandle, id: &KeyId) -> Result<(), Fault> {
    let found = session.get_attributes(handle, &[AttributeType::Id])?;
    if found
        .iter()
        .any(|attribute| matches!(attribute, Attribute::Id(bytes) if bytes == id.cka_id()))
    {
        return Ok(());
    }
    Err(HsmError::policy(format!(
        "key {id} has a CKA_ID that is not ours: it was made by somebody else; rename it"
    ))
    .into())
}

/// DER of the object identifier of P-256 (RFC 5480 2.1.1.1).
const P256_OID: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const RSA_BITS: u64 = 3072;
/// Temporary keys are shorter: making them takes a device long enough.
const RSA_TRIAL_BITS: u64 = 2048;
const RSA_EXPONENT: [u8; 3] = [1, 0, 1];
const AES_BYTES: u64 = 32;
