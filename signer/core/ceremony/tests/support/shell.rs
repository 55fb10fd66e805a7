//! A device and a disk of one member, both of which can fail.

use std::collections::BTreeMap;

use symbolon_ceremony::*;
use symbolon_protocol::{IdentitySignature, IdentitySigner, SoftIdentity};
use symbolon_secmem::Locked;
use symbolon_threshold::{SecretScalar, SecretShare};

use super::{bytes, identity, index, member_name};

/// A device and a disk of one member.
pub struct Shell {
    pub number: u16,
    pub identity: SoftIdentity,
    pub keys: BTreeMap<KeyRef, p256::SecretKey>,
    pub files: BTreeMap<(CeremonyId, FileName), Vec<u8>>,
    pub seeds: BTreeMap<CeremonyId, [u8; 32]>,
    pub shares: BTreeMap<CeremonyId, Vec<[u8; 32]>>,
    pub records: Vec<Vec<u8>>,
    /// Calls, and parts of calls, that still succeed; `None` for all.
    pub budget: Option<usize>,
    pub performed: Vec<&'static str>,
    /// Flips the result of this many ECDH calls.
    pub faulty_ecdh: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash(pub &'static str);

impl std::fmt::Display for Crash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "crash before {}", self.0)
    }
}

impl Shell {
    pub fn new(number: u16) -> Self {
        Self {
            number,
            identity: identity(&member_name(number)),
            keys: BTreeMap::new(),
            files: BTreeMap::new(),
            seeds: BTreeMap::new(),
            shares: BTreeMap::new(),
            records: Vec::new(),
            budget: None,
            performed: Vec::new(),
            faulty_ecdh: 0,
        }
    }

    fn spend(&mut self, what: &'static str) -> Result<(), Crash> {
        match &mut self.budget {
            Some(0) => return Err(Crash(what)),
            Some(left) => *left -= 1,
            None => {}
        }
        self.performed.push(what);
        Ok(())
    }

    pub fn secret_shares(&self, ceremony: CeremonyId) -> Vec<SecretShare> {
        let share = |bytes: &[u8; 32]| {
            let scalar = SecretScalar::take_from(&mut bytes.clone()).unwrap();
            SecretShare::new(index(self.number.into()), scalar)
        };
        self.shares
            .get(&ceremony)
            .unwrap()
            .iter()
            .map(share)
            .collect()
    }
}

impl Performer for Shell {
    type Error = Crash;

    fn create_key(&mut self, key: &KeyRef) -> Result<EncryptionKey, Crash> {
        self.spend("create key")?;
        let (number, group, epoch) = (self.number, &key.group, key.group_epoch);
        let secret = self.keys.entry(key.clone()).or_insert_with(|| {
            let scalar = bytes(&format!("key of {number} for {group} epoch {epoch}"));
            p256::SecretKey::from_slice(&scalar).unwrap()
        });
        Ok(EncryptionKey::from_sec1(&secret.public_key().to_sec1_bytes()).unwrap())
    }

    fn sign_identity(&mut self, digest: &[u8; 32]) -> Result<IdentitySignature, Crash> {
        self.spend("sign")?;
        Ok(self.identity.sign_digest(digest).unwrap())
    }

    fn ecdh(&mut self, key: &KeyRef, peer: &EncryptionKey) -> Result<Locked<32>, Crash> {
        self.spend("ecdh")?;
        let mut shared = shared_secret(self.keys.get(key).ok_or(Crash("no key"))?, peer).unwrap();
        if self.faulty_ecdh > 0 {
            self.faulty_ecdh -= 1;
            let salt = self.faulty_ecdh as u8;
            let mut wrong = shared.expose(|bytes| *bytes);
            wrong[0] ^= 1 + salt;
            shared = Locked::take_from(&mut wrong).unwrap();
        }
        Ok(shared)
    }

    fn load_file(&mut self, ceremony: CeremonyId, name: FileName) -> Result<Vec<u8>, Crash> {
        self.spend("load file")?;
        self.files
            .get(&(ceremony, name))
            .cloned()
            .ok_or(Crash("no file"))
    }

    fn load_seed(&mut self, ceremony: CeremonyId) -> Result<Seed, Crash> {
        self.spend("load seed")?;
        let mut bytes = *self.seeds.get(&ceremony).ok_or(Crash("no seed"))?;
        Ok(Seed::new(Locked::take_from(&mut bytes).unwrap()))
    }

    fn load_shares(
        &mut self,
        ceremony: CeremonyId,
        keys: usize,
    ) -> Result<Vec<SecretShare>, Crash> {
        self.spend("load shares")?;
        Ok(self
            .secret_shares(ceremony)
            .into_iter()
            .take(keys)
            .collect())
    }

    fn persist(&mut self, pending: &Pending) -> Result<(), Crash> {
        for (name, bytes) in pending.files() {
            self.spend("write file")?;
            self.files
                .insert((pending.ceremony().unwrap(), *name), bytes.clone());
        }
        if let Some(seed) = pending.seed() {
            self.spend("seal seed")?;
            self.seeds
                .insert(pending.ceremony().unwrap(), seed.expose(|bytes| *bytes));
        }
        if !pending.shares().is_empty() {
            self.spend("seal shares")?;
            let shares = pending.shares().iter();
            let shares = shares
                .map(|share| share.scalar().expose(|bytes| *bytes))
                .collect();
            self.shares.insert(pending.ceremony().unwrap(), shares);
        }
        assert!(pending.record().len() <= MAX_RECORD);
        self.spend("append record")?;
        self.records.push(pending.record().to_vec());
        Ok(())
    }

    fn erase_seed(&mut self, ceremony: CeremonyId) -> Result<(), Crash> {
        self.spend("erase seed")?;
        self.seeds.remove(&ceremony);
        Ok(())
    }

    fn erase_shares(&mut self, ceremony: CeremonyId) -> Result<(), Crash> {
        self.spend("erase shares")?;
        self.shares.remove(&ceremony);
        Ok(())
    }

    fn destroy_key(&mut self, key: &KeyRef) -> Result<(), Crash> {
        self.spend("destroy key")?;
        self.keys.remove(key);
        Ok(())
    }
}
