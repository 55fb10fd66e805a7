//! What a ceremony wants done, with this server's device, disk and journal.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hsm_api::{
    Hsm, HsmError, KeyId, KeyName, ObjectLabel, ObjectLabelError, P256Public, ShareCipher,
};
use symbolon_ceremony::{
    CeremonyId, DescriptorError, EncryptionKey, FileName, Group, GroupClass, GroupDescriptor,
    KeyRef, Pending, Performer, Seed,
};
use symbolon_daemon::files::{self, FileError};
use symbolon_duties::{DutyKind, ValidatorPublicKey};
use symbolon_journal::AppendError;
use symbolon_protocol::{IdentityError, IdentitySignature, IdentitySigner};
use symbolon_secmem::Locked;
use symbolon_threshold::{SecretShare, ShareIndex};

use super::folder::{CeremonyFolder, erase, make_folder};
use super::sealed::{Place, SealError, SealedFile, SealedFileError};
use crate::engine::Engine;
use crate::identity::{HsmIdentity, after};
use crate::keyring::{Keyring, SharedKey};
use crate::notices::Notices;
use crate::owner::Stopping;
use crate::parties::Parties;
use crate::pool::Priority;
use crate::shares::{GroupParts, GroupShares, KeyParts, OpenSharesError, ShareFileError};
use crate::store::{GroupRecord, Memory, RememberError, Stored};

/// Performs the effects of this member's ceremonies.
pub(crate) struct ServerPerformer {
    pub(crate) me: ShareIndex,
    /// The member's name in object labels on the token.
    pub(crate) label: ObjectLabel,
    pub(crate) hsm: Arc<dyn Hsm>,
    pub(crate) identity: Arc<HsmIdentity>,
    pub(crate) parties: Arc<Parties>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) folder: CeremonyFolder,
    pub(crate) shares_dir: PathBuf,
    pub(crate) notices: Notices,
}

/// Why an effect was not performed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PerformError {
    /// The device.
    #[error(transparent)]
    Hsm(#[from] HsmError),
    /// The identity key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A label that the device does not take.
    #[error(transparent)]
    Label(#[from] ObjectLabelError),
    /// The disk.
    #[error(transparent)]
    File(#[from] FileError),
    /// A sealed file.
    #[error("sealed secrets of ceremony {ceremony}: {cause}")]
    Sealed {
        /// The ceremony.
        ceremony: CeremonyId,
        /// What is wrong.
        #[source]
        cause: SealedFileError,
    },
    /// A sealed file that is not there.
    #[error("the sealed {what} of ceremony {ceremony} is not there")]
    Missing {
        /// The ceremony.
        ceremony: CeremonyId,
        /// What is missing.
        what: &'static str,
    },
    /// Sealing.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The finished group.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// The group's file of shares.
    #[error(transparent)]
    ShareFile(#[from] ShareFileError),
    /// The shares themselves.
    #[error(transparent)]
    Shares(#[from] OpenSharesError),
    /// A key of another group.
    #[error(transparent)]
    SharedKey(#[from] SharedKey),
    /// The journal.
    #[error(transparent)]
    Remember(#[from] RememberError),
    /// The journal, later.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The server ends.
    #[error(transparent)]
    Stopping(#[from] Stopping),
}

impl PerformError {
    /// A stable name for the coordinator.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Hsm(_) | Self::Identity(_) | Self::Label(_) => "device",
            Self::File(_) => "disk",
            Self::Sealed { .. } | Self::Missing { .. } | Self::Seal(_) => "sealed-secrets",
            Self::Descriptor(_) => "descriptor",
            Self::ShareFile(_) | Self::Shares(_) | Self::SharedKey(_) => "shares",
            Self::Remember(_) | Self::Append(_) => "journal",
            Self::Stopping(_) => "stopping",
        }
    }
}

/// A group that is about to become usable.
struct Arriving {
    ring: Keyring,
    keys: Vec<ValidatorPublicKey>,
    record: GroupRecord,
}

impl ServerPerformer {
    pub(crate) fn hsm(&self) -> &dyn Hsm {
        self.hsm.as_ref()
    }

    fn key(&self, key: &KeyRef) -> Result<KeyId, PerformError> {
        let name = KeyName::Ceremony {
            member: self.label.clone(),
            group: ObjectLabel::parse(key.group.as_str())?,
            group_epoch: key.group_epoch.0.into(),
        };
        Ok(name.id())
    }

    fn place(&self, ceremony: CeremonyId) -> Place {
        let cluster = self.parties.chain().current().cluster;
        Place {
            cluster,
            ceremony,
            member: self.me,
        }
    }

    /// Lets `work` use the cipher of shares.
    fn with_cipher<R>(&self, work: impl FnOnce(&ShareCipher) -> R) -> Result<R, PerformError> {
        let deadline = after(CALL_TIME);
        Ok(self
            .engine
            .custody
            .with_dek(deadline, |dek| work(&dek.share_cipher()))?)
    }

    fn sealed_file(
        &self,
        ceremony: CeremonyId,
        name: &'static str,
        what: &'static str,
    ) -> Result<SealedFile, PerformError> {
        let bytes = self
            .folder
            .read_sealed(ceremony, name)?
            .ok_or(PerformError::Missing { ceremony, what })?;
        SealedFile::from_bytes(&bytes).map_err(sealed(ceremony))
    }

    /// Writes the file of a finished group and prepares the keyring that holds it.
    fn arrive(&self, ceremony: CeremonyId, descriptor: &[u8]) -> Result<Arriving, PerformError> {
        let group = GroupDescriptor::verify(&self.parties.chain(), descriptor)?;
        let blobs = self.sealed_file(ceremony, SHARES, "shares")?;
        let blobs = blobs.blobs().map_err(sealed(ceremony))?;
        let cluster = self.parties.chain().current().cluster.0;
        let dek = self.engine.custody.sealed().header().dek;
        let parts = group_parts(&group, cluster, self.me, dek, blobs);
        let shares = GroupShares::new(parts)?;
        // Every share is opened and checked before anybody hears that it is there.
        let opened = self.engine.custody.with_dek(after(CALL_TIME), |dek| {
            self.engine.custody.check(&shares, dek)
        })??;
        make_folder(&self.shares_dir)?;
        files::write_atomic(
            &self.shares_dir.join(shares.file_name()),
            &shares.to_bytes(),
        )?;
        let record = GroupRecord {
            file: shares.file_name(),
            hash: shares.hash(),
            label: shares.label().to_owned(),
        };
        let keys = shares.keys().map(|key| key.key).collect();
        let ring = self.engine.ring.load().with(shares, opened)?;
        Ok(Arriving { ring, keys, record })
    }

    fn remember_recovered(
        &self,
        records: Vec<Stored>,
        keys: &[ValidatorPublicKey],
    ) -> Result<(), PerformError> {
        let (network, keys) = (Arc::clone(&self.engine.network), keys.to_vec());
        let job = move |memory: &mut Memory| memory.remember_recovered(records, &network, &keys);
        let (ticket, floor) = self.engine.owner.run_blocking(Priority::Normal, job)??;
        drop(ticket.wait()?);
        let sentence = format!(
            "shares were recovered; what the lost machine signed is not known, so their marks were \
             raised to {floor}"
        );
        tracing::warn!("{sentence}");
        self.notices.set("recovery", sentence);
        Ok(())
    }

    fn remember(&self, records: Vec<Stored>) -> Result<(), PerformError> {
        let job = move |memory: &mut Memory| memory.remember(records);
        let ticket = self.engine.owner.run_blocking(Priority::Normal, job)??;
        drop(ticket.wait()?);
        Ok(())
    }
}

impl Performer for ServerPerformer {
    type Error = PerformError;

    fn create_key(&mut self, key: &KeyRef) -> Result<EncryptionKey, PerformError> {
        let public = self
            .hsm
            .ensure_ecdh_key(&self.key(key)?, after(CALL_TIME))?;
        Ok(EncryptionKey::from_sec1(public.uncompressed())?)
    }

    fn sign_identity(&mut self, digest: &[u8; 32]) -> Result<IdentitySignature, PerformError> {
        Ok(self.identity.sign_digest(digest)?)
    }

    fn ecdh(&mut self, key: &KeyRef, peer: &EncryptionKey) -> Result<Locked<32>, PerformError> {
        let peer = P256Public::from_sec1(peer.uncompressed())
            .map_err(|error| HsmError::policy(error.to_string()))?;
        Ok(self
            .hsm
            .ecdh_p256(&self.key(key)?, &peer, after(CALL_TIME))?)
    }

    fn load_file(&mut self, ceremony: CeremonyId, name: FileName) -> Result<Vec<u8>, PerformError> {
        Ok(self.folder.read(ceremony, name)?)
    }

    fn load_seed(&mut self, ceremony: CeremonyId) -> Result<Seed, PerformError> {
        let file = self.sealed_file(ceremony, SEED, "seed")?;
        let place = self.place(ceremony);
        self.with_cipher(|cipher| file.open_seed(cipher, &place))?
            .map_err(sealed(ceremony))
    }

    fn load_shares(
        &mut self,
        ceremony: CeremonyId,
        keys: usize,
    ) -> Result<Vec<SecretShare>, PerformError> {
        let file = self.sealed_file(ceremony, SHARES, "shares")?;
        let place = self.place(ceremony);
        let shares = self
            .with_cipher(|cipher| file.open_shares(cipher, &place))?
            .map_err(sealed(ceremony))?;
        if shares.len() < keys {
            return Err(PerformError::Missing {
                ceremony,
                what: "share of some keys",
            });
        }
        Ok(shares.into_iter().take(keys).collect())
    }

    fn persist(&mut self, pending: &Pending) -> Result<(), PerformError> {
        let mut records = vec![Stored::Ceremony(pending.record().to_vec())];
        let Some(ceremony) = pending.ceremony() else {
            return self.remember(records);
        };
        for (name, bytes) in pending.files() {
            self.folder.write(ceremony, *name, bytes)?;
        }
        let place = self.place(ceremony);
        if let Some(seed) = pending.seed() {
            let file = self.with_cipher(|cipher| SealedFile::seal_seed(cipher, &place, seed))??;
            self.folder.write_sealed(ceremony, SEED, &file.to_bytes())?;
        }
        if let (Some(epoch), false) = (pending.group_epoch(), pending.shares().is_empty()) {
            let shares = pending.shares();
            let file = self
                .with_cipher(|cipher| SealedFile::seal_shares(cipher, &place, epoch.0, shares))??;
            self.folder
                .write_sealed(ceremony, SHARES, &file.to_bytes())?;
        }
        let descriptor = pending
            .files()
            .iter()
            .find(|(name, _)| *name == FileName::Group);
        let Some((_, descriptor)) = descriptor else {
            return self.remember(records);
        };
        let arriving = self.arrive(ceremony, descriptor)?;
        records.push(Stored::Group(arriving.record));
        // Shares that arrive together with their certificate were rebuilt from public data.
        if pending.shares().is_empty() {
            self.remember(records)?;
        } else {
            self.remember_recovered(records, &arriving.keys)?;
        }
        let keys = arriving.ring.len();
        self.engine.ring.store(Arc::new(arriving.ring));
        tracing::info!(%ceremony, keys, "a group is active: its keys sign from now on");
        Ok(())
    }

    fn erase_seed(&mut self, ceremony: CeremonyId) -> Result<(), PerformError> {
        Ok(self.folder.erase_sealed(ceremony, SEED)?)
    }

    fn erase_shares(&mut self, ceremony: CeremonyId) -> Result<(), PerformError> {
        self.folder.erase_sealed(ceremony, SHARES)?;
        let ring = self.engine.ring.load();
        let active = ring
            .groups()
            .iter()
            .find(|group| *group.group() == ceremony.0);
        if let Some(group) = active {
            // Only what a later epoch has replaced is ever erased.
            let (label, epoch) = (group.label(), group.group_epoch());
            tracing::error!(label, epoch, "the shares of an active group are kept");
            return Ok(());
        }
        let Ok(entries) = std::fs::read_dir(&self.shares_dir) else {
            return Ok(());
        };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let max = u64::try_from(GroupShares::MAX_LEN).unwrap_or(u64::MAX);
            let group = files::read_bounded(&path, max)
                .ok()
                .and_then(|bytes| GroupShares::from_bytes(&bytes).ok());
            if group.is_some_and(|group| *group.group() == ceremony.0) {
                erase(&path)?;
            }
        }
        Ok(())
    }

    fn destroy_key(&mut self, key: &KeyRef) -> Result<(), PerformError> {
        self.hsm.destroy_key(&self.key(key)?, after(CALL_TIME))?;
        Ok(())
    }
}

fn group_parts(
    group: &Group,
    cluster: [u8; 32],
    me: ShareIndex,
    dek: hsm_api::DekId,
    blobs: Vec<hsm_api::SealedShare>,
) -> GroupParts {
    let place = group.members().iter().position(|member| member.index == me);
    let keys = group
        .group_keys()
        .iter()
        .zip(group.public_shares())
        .zip(blobs);
    let keys = keys.filter_map(|((key, shares), sealed)| {
        let public_share = shares.get(place?)?.point().to_compressed();
        Some(KeyParts {
            key: ValidatorPublicKey(key.to_compressed()),
            public_share,
            sealed,
        })
    });
    let duties: Vec<DutyKind> = match (group.class(), group.duties()) {
        // A withdrawal key signs no duty of a validator.
        (GroupClass::Cold, _) => Vec::new(),
        (GroupClass::Hot, []) => DutyKind::ALL.to_vec(),
        (GroupClass::Hot, some) => some.to_vec(),
    };
    GroupParts {
        cluster,
        group: group.id().0,
        label: group.label().as_str().to_owned(),
        group_epoch: group.group_epoch().0,
        member: me.get(),
        dek,
        threshold: u16::try_from(group.threshold().t()).unwrap_or(u16::MAX),
        members: group.indices().iter().map(|index| index.get()).collect(),
        born_in_ceremony: group.born_in_ceremony(),
        duties: duties.into_iter().map(DutyKind::code).collect(),
        keys: keys.collect(),
    }
}

fn sealed(ceremony: CeremonyId) -> impl Fn(SealedFileError) -> PerformError {
    move |cause| PerformError::Sealed { ceremony, cause }
}

/// Random numbers of the system.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), HsmError> {
    getrandom::fill(bytes).map_err(|error| HsmError::Other {
        code: error.to_string(),
        function: "getrandom".to_owned(),
    })
}

/// Longest call to the device. Smart cards take their time over making a key.
pub(super) const CALL_TIME: Duration = Duration::from_secs(30);

const SEED: &str = "seed.sealed";
const SHARES: &str = "shares.sealed";
