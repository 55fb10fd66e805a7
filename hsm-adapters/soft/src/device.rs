//! The device trait in software.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use hsm_api::{
    AnchorName, AnchorRecord, Capabilities, Dek, Health, Hsm, HsmError, KNOWN_ANSWER, Kek,
    KeyCheck, KeyId, KeyName, P256Public, ProvisionPlan, ProvisionReport, SealFamily, SealHeader,
    SealKind, SealedDek, TokenId, Trial,
};
use p256::SecretKey;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};
use symbolon_secmem::Locked;

use crate::FaultPlan;
use crate::store::{Key, Store, Usage};

/// A device in software, with faults.
#[derive(Debug)]
pub struct SoftHsm {
    token: TokenId,
    store: Mutex<Store>,
    faults: FaultPlan,
}

impl SoftHsm {
    /// A device that forgets everything when dropped.
    ///
    /// # Errors
    ///
    /// [`HsmError::Policy`] in a release build without `danger-software-device`, or when the label
    /// is too long.
    pub fn in_memory(label: &str, faults: FaultPlan) -> Result<Self, HsmError> {
        Self::over(label, Store::memory(), faults)
    }

    /// A device that keeps its keys in a file, in the clear.
    ///
    /// # Errors
    ///
    /// As [`SoftHsm::in_memory`], and when the file cannot be read.
    pub fn at(label: &str, file: &Path, faults: FaultPlan) -> Result<Self, HsmError> {
        Self::over(label, Store::open(file)?, faults)
    }

    /// Logins tried so far.
    #[must_use]
    pub fn logins(&self) -> u64 {
        self.store().objects.logins
    }

    /// Counts a login, which is the first call of an opened device.
    pub(crate) fn note_login(&self) -> Result<(), HsmError> {
        let mut store = self.store();
        store.objects.logins += 1;
        store.save()?;
        drop(store);
        self.faults.strike().map(drop)
    }

    pub(crate) const fn token_id(&self) -> &TokenId {
        &self.token
    }

    fn over(label: &str, store: Store, faults: FaultPlan) -> Result<Self, HsmError> {
        if !cfg!(any(debug_assertions, feature = "danger-software-device")) {
            return Err(HsmError::policy(
                "the software device keeps keys in the clear and is for tests only",
            ));
        }
        let token = TokenId::new(&format!("software {label}"), "0").ok_or_else(|| {
            HsmError::policy("the label of a software token has at most 55 bytes")
        })?;
        Ok(Self {
            token,
            store: Mutex::new(store),
            faults,
        })
    }

    /// Counts the call, lets its fault happen, and checks the deadline. Not under the lock, so a
    /// call that hangs holds up nobody else.
    fn call(&self, deadline: Instant) -> Result<(MutexGuard<'_, Store>, bool), HsmError> {
        let wrong = self.faults.strike()?;
        if Instant::now() > deadline {
            return Err(HsmError::Timeout {
                operation: "software device".to_owned(),
            });
        }
        Ok((self.store(), wrong))
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hsm for SoftHsm {
    fn token(&self, deadline: Instant) -> Result<TokenId, HsmError> {
        drop(self.call(deadline)?);
        Ok(self.token.clone())
    }

    fn probe(&self, deadline: Instant) -> Result<Capabilities, HsmError> {
        drop(self.call(deadline)?);
        Ok(Capabilities {
            token: self.token.clone(),
            device: "software device for tests; protects nothing".to_owned(),
            seal_kinds: vec![SealKind::Software],
            ecdsa_p256: true,
            ecdh_p256: true,
            random: true,
            data_objects: true,
            trials: vec![Trial {
                what: SealKind::Software.name().to_owned(),
                failure: None,
            }],
        })
    }

    fn health(&self, identity: Option<&KeyId>, deadline: Instant) -> Health {
        let start = Instant::now();
        let checked = self.call(deadline).and_then(|(store, _)| match identity {
            Some(id) => find(&store, id, Usage::Sign).map(drop),
            None => Ok(()),
        });
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
        drop(self.call(deadline)?);
        fill(out)
    }

    fn provision(
        &self,
        plan: &ProvisionPlan,
        deadline: Instant,
    ) -> Result<ProvisionReport, HsmError> {
        let (mut store, _) = self.call(deadline)?;
        let kek = KeyName::Kek(plan.member.clone(), SealFamily::Software).id();
        let identity = KeyName::Identity(plan.member.clone()).id();
        let kek_made = ensure(&mut store, &kek, Usage::Seal)?;
        let identity_made = ensure(&mut store, &identity, Usage::Sign)?;
        Ok(ProvisionReport {
            token: self.token.clone(),
            kek: Kek {
                key: kek,
                kind: SealKind::Software,
            },
            kek_made,
            identity_public: public(find(&store, &identity, Usage::Sign)?)?,
            identity,
            identity_made,
        })
    }

    fn p256_public(&self, key: &KeyId, deadline: Instant) -> Result<P256Public, HsmError> {
        let (store, _) = self.call(deadline)?;
        store
            .objects
            .keys
            .get(key.label())
            .ok_or_else(|| missing(key))
            .and_then(public)
    }

    fn sign_p256(
        &self,
        key: &KeyId,
        digest: &[u8; 32],
        deadline: Instant,
    ) -> Result<[u8; 64], HsmError> {
        let (store, wrong) = self.call(deadline)?;
        let key = SigningKey::from(secret_key(find(&store, key, Usage::Sign)?)?);
        let signature: Signature = key
            .sign_prehash(digest)
            .map_err(|_| HsmError::policy("ECDSA refused the digest"))?;
        let mut bytes: [u8; 64] = signature.to_bytes().into();
        bytes[63] ^= u8::from(wrong);
        Ok(bytes)
    }

    fn ensure_ecdh_key(&self, key: &KeyId, deadline: Instant) -> Result<P256Public, HsmError> {
        let (mut store, _) = self.call(deadline)?;
        ensure(&mut store, key, Usage::Derive)?;
        public(find(&store, key, Usage::Derive)?)
    }

    fn ecdh_p256(
        &self,
        key: &KeyId,
        peer: &P256Public,
        deadline: Instant,
    ) -> Result<Locked<32>, HsmError> {
        let (store, wrong) = self.call(deadline)?;
        let secret = secret_key(find(&store, key, Usage::Derive)?)?;
        let peer = peer
            .to_key()
            .map_err(|error| HsmError::policy(error.to_string()))?;
        let shared = p256::ecdh::diffie_hellman(secret.to_nonzero_scalar(), peer.as_affine());
        Ok(Locked::init_with(|bytes| {
            bytes.copy_from_slice(shared.raw_secret_bytes());
            bytes[0] ^= u8::from(wrong);
        }))
    }

    fn destroy_key(&self, key: &KeyId, deadline: Instant) -> Result<bool, HsmError> {
        let (mut store, _) = self.call(deadline)?;
        let existed = store.objects.keys.remove(key.label()).is_some();
        store.save()?;
        Ok(existed)
    }

    fn seal_dek(&self, kek: &Kek, dek: &Dek, deadline: Instant) -> Result<SealedDek, HsmError> {
        let (store, _) = self.call(deadline)?;
        if kek.kind != SealKind::Software {
            return Err(HsmError::Unsupported {
                operation: format!("scheme {} in software", kek.kind),
            });
        }
        let key = find(&store, &kek.key, Usage::Seal)?;
        let (iv, sealed) = dek.key().expose(|dek| encrypt(key, dek))?;
        let (known_iv, known) = encrypt(key, &KNOWN_ANSWER)?;
        let header = SealHeader {
            kind: SealKind::Software,
            token: self.token.clone(),
            key: kek.key.clone(),
            check: KeyCheck::KnownAnswer {
                iv: known_iv.to_vec(),
                sealed: known,
            },
            dek: dek.id(),
            iv: iv.to_vec(),
        };
        SealedDek::new(header, sealed, dek)
    }

    fn open_dek(&self, sealed: &SealedDek, deadline: Instant) -> Result<Dek, HsmError> {
        let (store, wrong) = self.call(deadline)?;
        sealed.check_token(&self.token)?;
        let header = sealed.header();
        let key = find(&store, &header.key, Usage::Seal)?;
        let altered =
            || HsmError::bad_blob("the software device does not open it: altered or truncated");
        let iv: [u8; 12] = header.iv.as_slice().try_into().map_err(|_| altered())?;
        let mut opened = cipher(key)
            .decrypt(Nonce::from_slice(&iv), sealed.sealed())
            .map_err(|_| altered())?;
        if let Some(first) = opened.first_mut() {
            *first ^= u8::from(wrong);
        }
        sealed.accept(Locked::take_from(&mut opened).ok_or_else(altered)?)
    }

    fn anchor_read(
        &self,
        name: &AnchorName,
        deadline: Instant,
    ) -> Result<Option<AnchorRecord>, HsmError> {
        let (store, _) = self.call(deadline)?;
        Ok(store.objects.anchors.get(&name.label()).copied())
    }

    fn anchor_advance(
        &self,
        name: &AnchorName,
        next: AnchorRecord,
        deadline: Instant,
    ) -> Result<(), HsmError> {
        let (mut store, _) = self.call(deadline)?;
        let current = store.objects.anchors.get(&name.label());
        if current.is_some_and(|current| !current.allows(next)) {
            return Err(HsmError::policy(format!(
                "anchor {:?} does not go back",
                name.label()
            )));
        }
        store.objects.anchors.insert(name.label(), next);
        store.save()
    }
}

fn ensure(store: &mut Store, id: &KeyId, usage: Usage) -> Result<bool, HsmError> {
    if store.objects.keys.contains_key(id.label()) {
        return find(store, id, usage).map(|_| false);
    }
    let secret = SecretKey::random(&mut rand_core::OsRng).to_bytes().into();
    store.objects.keys.insert(
        id.label().to_owned(),
        Key {
            id: id.clone(),
            secret,
            usage,
        },
    );
    store.save()?;
    Ok(true)
}

fn find<'a>(store: &'a Store, id: &KeyId, usage: Usage) -> Result<&'a Key, HsmError> {
    let key = store
        .objects
        .keys
        .get(id.label())
        .ok_or_else(|| missing(id))?;
    if key.id == *id && key.usage == usage {
        return Ok(key);
    }
    Err(HsmError::policy(format!("key {id} is of another kind")))
}

fn missing(id: &KeyId) -> HsmError {
    HsmError::NotFound {
        object: format!("key {id}"),
    }
}

fn secret_key(key: &Key) -> Result<SecretKey, HsmError> {
    SecretKey::from_slice(&key.secret)
        .map_err(|_| HsmError::policy("the stored key is no P-256 scalar"))
}

fn public(key: &Key) -> Result<P256Public, HsmError> {
    Ok(P256Public::from_key(&secret_key(key)?.public_key()))
}

fn cipher(key: &Key) -> Aes256Gcm {
    Aes256Gcm::new((&key.secret).into())
}

fn encrypt(key: &Key, plain: &[u8; 32]) -> Result<([u8; 12], Vec<u8>), HsmError> {
    let mut iv = [0; 12];
    fill(&mut iv)?;
    let sealed = cipher(key)
        .encrypt(Nonce::from_slice(&iv), plain.as_slice())
        .map_err(|_| HsmError::bad_blob("AES-GCM refused to encrypt"))?;
    Ok((iv, sealed))
}

fn fill(out: &mut [u8]) -> Result<(), HsmError> {
    getrandom::fill(out).map_err(|error| HsmError::Other {
        code: error.to_string(),
        function: "getrandom".to_owned(),
    })
}

/// A deadline far enough away for tests that are not about deadlines.
#[must_use]
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}
