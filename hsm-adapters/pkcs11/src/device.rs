//! The device trait over one token.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hsm_api::{
    AnchorName, AnchorRecord, Capabilities, Dek, Health, Hsm, HsmError, Kek, KeyId, KeyName,
    P256Public, ProvisionPlan, ProvisionReport, RANDOM_MAX, SealedDek, TokenId, no_scheme,
};
use symbolon_secmem::Locked;

use crate::fault::Fault;
use crate::key::{self, Role};
use crate::token::{Token, Work};
use crate::{anchor, dek, ec, probe, seal};

/// A PKCS#11 token. Calls from several threads take turns.
///
/// A deadline is checked before a call starts; PKCS#11 has no way to end one that hangs. Run it in
/// a worker process.
pub struct Pkcs11Hsm(Mutex<Token>);

impl Pkcs11Hsm {
    pub(crate) const fn new(token: Token) -> Self {
        Self(Mutex::new(token))
    }

    fn token_before(&self, deadline: Instant) -> Result<MutexGuard<'_, Token>, HsmError> {
        let token = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if Instant::now() > deadline {
            return Err(HsmError::Timeout {
                operation: "waiting for the token".to_owned(),
            });
        }
        Ok(token)
    }
}

impl Hsm for Pkcs11Hsm {
    fn token(&self, deadline: Instant) -> Result<TokenId, HsmError> {
        Ok(self.token_before(deadline)?.id().clone())
    }

    fn probe(&self, deadline: Instant) -> Result<Capabilities, HsmError> {
        probe::probe(&mut *self.token_before(deadline)?)
    }

    fn health(&self, identity: Option<&KeyId>, deadline: Instant) -> Health {
        let start = Instant::now();
        let checked = self
            .token_before(deadline)
            .and_then(|mut token| check_health(&mut token, identity));
        match checked {
            Ok(()) => Health::Good {
                micros: u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
            },
            Err(error) => Health::Degraded {
                reason: error.to_string(),
            },
        }
    }

    fn random(&self, out: &mut [u8], deadline: Instant) -> Result<(), HsmError> {
        if out.len() > RANDOM_MAX {
            return Err(HsmError::policy(format!(
                "at most {RANDOM_MAX} random bytes in one call"
            )));
        }
        self.token_before(deadline)?
            .with(|work| Ok(work.session.generate_random_slice(out)?))
    }

    fn provision(
        &self,
        plan: &ProvisionPlan,
        deadline: Instant,
    ) -> Result<ProvisionReport, HsmError> {
        let mut token = self.token_before(deadline)?;
        let works =
            |kind: &&hsm_api::SealKind| seal::roles(**kind).is_ok() && probe::works(&token, **kind);
        let kind = plan
            .order
            .iter()
            .find(works)
            .copied()
            .ok_or_else(|| no_scheme(&plan.order))?;
        let kek = Kek {
            key: KeyName::Kek(plan.member.clone(), kind.family()).id(),
            kind,
        };
        let (role, public) = seal::roles(kind)?;
        let kek_made = token.with(|work| ensure(work, &kek.key, role, public))?;
        let identity = KeyName::Identity(plan.member.clone()).id();
        let identity_made =
            token.with(|work| ensure(work, &identity, Role::Sign, Some(Role::EcPublic)))?;
        let identity_public = token.with(|work| checked_public(work, &identity, Role::Sign))?;
        Ok(ProvisionReport {
            token: token.id().clone(),
            kek,
            kek_made,
            identity,
            identity_public,
            identity_made,
        })
    }

    fn p256_public(&self, key: &KeyId, deadline: Instant) -> Result<P256Public, HsmError> {
        self.token_before(deadline)?
            .with(|work| key::ec_public(work, key))
    }

    fn sign_p256(
        &self,
        key: &KeyId,
        digest: &[u8; 32],
        deadline: Instant,
    ) -> Result<[u8; 64], HsmError> {
        self.token_before(deadline)?.with(|work| {
            let handle = key::find(work, key, Role::Sign)?;
            ec::sign(&work.session, handle, digest)
        })
    }

    fn ensure_ecdh_key(&self, key: &KeyId, deadline: Instant) -> Result<P256Public, HsmError> {
        self.token_before(deadline)?.with(|work| {
            ensure(work, key, Role::Derive, Some(Role::EcPublic))?;
            checked_public(work, key, Role::Derive)
        })
    }

    fn ecdh_p256(
        &self,
        key: &KeyId,
        peer: &P256Public,
        deadline: Instant,
    ) -> Result<Locked<32>, HsmError> {
        self.token_before(deadline)?.with(|work| {
            let handle = key::find(work, key, Role::Derive)?;
            ec::ecdh(&work.session, handle, peer)
        })
    }

    fn destroy_key(&self, key: &KeyId, deadline: Instant) -> Result<bool, HsmError> {
        let destroyed = self
            .token_before(deadline)?
            .with(|work| key::destroy(work, key));
        match destroyed {
            Ok(()) => Ok(true),
            Err(HsmError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn seal_dek(&self, kek: &Kek, dek: &Dek, deadline: Instant) -> Result<SealedDek, HsmError> {
        dek::seal(&mut *self.token_before(deadline)?, kek, dek)
    }

    fn open_dek(&self, sealed: &SealedDek, deadline: Instant) -> Result<Dek, HsmError> {
        dek::open(&mut *self.token_before(deadline)?, sealed)
    }

    fn anchor_read(
        &self,
        name: &AnchorName,
        deadline: Instant,
    ) -> Result<Option<AnchorRecord>, HsmError> {
        anchor::read(&mut *self.token_before(deadline)?, name)
    }

    fn anchor_advance(
        &self,
        name: &AnchorName,
        next: AnchorRecord,
        deadline: Instant,
    ) -> Result<(), HsmError> {
        anchor::advance(&mut *self.token_before(deadline)?, name, next)
    }
}

/// Finds a key or makes it; `true` when it was made. A private key without its public half, or the
/// other way round, is for people to look at: the missing half may exist in somebody's roster.
fn ensure(work: &mut Work, id: &KeyId, role: Role, public: Option<Role>) -> Result<bool, Fault> {
    let private = key::look(&work.session, id, role)?;
    let public = public
        .map(|role| key::look(&work.session, id, role))
        .transpose()?;
    match (private, public) {
        (Some(_), None | Some(Some(_))) => Ok(false),
        (None, None | Some(None)) => {
            key::make(&work.session, id, role)?;
            work.handles.clear();
            Ok(true)
        }
        (Some(_), Some(None)) => Err(HsmError::policy(format!(
            "key {id} has no public half on the token; restore it, or destroy the key if it never was used"
        ))
        .into()),
        (None, Some(Some(_))) => Err(HsmError::policy(format!(
            "key {id} has a public half only; destroy that if the key never was used"
        ))
        .into()),
    }
}

/// The public half, once the private one has proved that they belong together.
fn checked_public(work: &mut Work, id: &KeyId, role: Role) -> Result<P256Public, Fault> {
    let public = key::ec_public(work, id)?;
    let private = key::find(work, id, role)?;
    if role == Role::Sign {
        let signature = ec::sign(&work.session, private, &CHECK_DIGEST)?;
        ec::verify(&public, &CHECK_DIGEST, &signature)?;
    } else {
        ec::check_ecdh(&work.session, private, &public)?;
    }
    Ok(public)
}

fn check_health(token: &mut Token, identity: Option<&KeyId>) -> Result<(), HsmError> {
    // Handles in memory outlive a token that was taken away.
    token.forget();
    token.with(|work| {
        let mut random = [0; 32];
        work.session.generate_random_slice(&mut random)?;
        identity.map_or(Ok(()), |id| checked_public(work, id, Role::Sign).map(drop))
    })
}

/// Not a digest of anything that is ever signed for real.
const CHECK_DIGEST: [u8; 32] = *b"symbolon: the two halves match? ";
