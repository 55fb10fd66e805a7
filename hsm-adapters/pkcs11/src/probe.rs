//! What the token can do, by doing it with keys that vanish with their session.

use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use cryptoki::session::Session;
use hsm_api::{Capabilities, HsmError, SealKind, Trial};
use symbolon_secmem::Locked;

use crate::ec;
use crate::fault::Fault;
use crate::key::{self, Role};
use crate::seal::{self, Keys};
use crate::token::Token;

/// Runs all trials, each in a session of its own.
pub(crate) fn probe(token: &mut Token) -> Result<Capabilities, HsmError> {
    // A token that does not even open a session is gone, and not one that can do nothing.
    token.with(|_| Ok(()))?;
    let mut trials = Vec::new();
    let random = note(&mut trials, "random numbers", token.trial(random));
    let ecdsa_p256 = note(&mut trials, "ECDSA P-256", token.trial(ecdsa));
    let ecdh_p256 = note(&mut trials, "ECDH P-256, null KDF", token.trial(ecdh));
    let data_objects = note(&mut trials, "data objects", token.trial(data_object));
    let mut seal_kinds = Vec::new();
    for kind in SealKind::DEFAULT_ORDER {
        let result = token.trial(|session| round_trip(session, kind));
        if note(&mut trials, kind.name(), result) {
            seal_kinds.push(kind);
        }
    }
    Ok(Capabilities {
        token: token.id().clone(),
        device: token.device().to_owned(),
        seal_kinds,
        ecdsa_p256,
        ecdh_p256,
        random,
        data_objects,
        trials,
    })
}

/// Whether this one scheme works now.
pub(crate) fn works(token: &Token, kind: SealKind) -> bool {
    token.trial(|session| round_trip(session, kind)).is_ok()
}

fn note(trials: &mut Vec<Trial>, what: &str, result: Result<(), HsmError>) -> bool {
    let failure = result.err().map(|error| error.to_string());
    let worked = failure.is_none();
    trials.push(Trial {
        what: what.to_owned(),
        failure,
    });
    worked
}

fn random(session: &Session) -> Result<(), Fault> {
    let (mut one, mut two) = ([0; 32], [0; 32]);
    session.generate_random_slice(&mut one)?;
    session.generate_random_slice(&mut two)?;
    expect(
        one != two && one != [0; 32],
        "the same random numbers came twice",
    )
}

fn ecdsa(session: &Session) -> Result<(), Fault> {
    let (private, public) = pair(session, Role::Sign)?;
    let digest = [0x5a; 32];
    let signature = ec::sign(session, private, &digest)?;
    Ok(ec::verify(
        &key::ec_point(session, public)?,
        &digest,
        &signature,
    )?)
}

fn ecdh(session: &Session) -> Result<(), Fault> {
    let (private, public) = pair(session, Role::Derive)?;
    let public = key::ec_point(session, public)?;
    ec::check_ecdh(session, private, &public)
}

fn data_object(session: &Session) -> Result<(), Fault> {
    let value = b"symbolon probe".to_vec();
    let object = session.create_object(&[
        Attribute::Class(ObjectClass::DATA),
        Attribute::Token(false),
        Attribute::Value(value.clone()),
    ])?;
    let read = session.get_attributes(object, &[AttributeType::Value])?;
    session.destroy_object(object)?;
    expect(
        read == [Attribute::Value(value)],
        "a data object reads back differently",
    )
}

fn round_trip(session: &Session, kind: SealKind) -> Result<(), Fault> {
    let keys = Keys::temporary(session, kind)?;
    let secret = Locked::init_with(|bytes| bytes.fill(0xa5));
    let sealed = seal::seal(session, kind, keys, &secret)?;
    let opened = seal::open(session, kind, keys, &sealed)?;
    expect(opened.ct_eq(&secret), "it opened to something else")?;
    let contains = sealed.bytes.windows(8).any(|window| window == [0xa5; 8]);
    expect(!contains, "the sealed bytes show the secret")?;
    // Last, because the session may be of no use after a refused call.
    let mut altered = sealed;
    if let Some(last) = altered.bytes.last_mut() {
        *last ^= 1;
    }
    let refused = match seal::open(session, kind, keys, &altered) {
        Ok(opened) => !opened.ct_eq(&secret),
        Err(_) => true,
    };
    expect(refused, "it opened what was altered")
}

fn pair(
    session: &Session,
    role: Role,
) -> Result<
    (
        cryptoki::object::ObjectHandle,
        cryptoki::object::ObjectHandle,
    ),
    Fault,
> {
    let (private, public) = key::make_temporary(session, role)?;
    let public = public.ok_or_else(|| HsmError::policy("the device made half a key pair"))?;
    Ok((private, public))
}

fn expect(holds: bool, otherwise: &str) -> Result<(), Fault> {
    if holds {
        Ok(())
    } else {
        Err(HsmError::policy(otherwise).into())
    }
}
