//! The start: device, data key, roster, journal, shares, floor, session key; in this order.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use hsm_api::{
    Dek, Hsm, HsmError, KeyName, ObjectLabel, PinSource, SEALED_DEK_MAX, SealedDek, TokenSelector,
    WorkerClient, WorkerConfig,
};
use sha2::{Digest, Sha256};
use symbolon_ceremony::Participant;
use symbolon_daemon::files;
use symbolon_daemon::health::Health;
use symbolon_journal::JournalKey;
use symbolon_protocol::{IdentitySigner, NetworkId};
use symbolon_rpc::TlsIdentity;
use symbolon_threshold::ShareIndex;

use super::watch::not_locked;
use super::{DEVICE, Parts};
use crate::ceremonies::{Ceremonies, CeremonyFolder, ServerPerformer, make_folder};
use crate::config::Config;
use crate::custody::Custody;
use crate::engine::{Engine, EngineParts};
use crate::error::StartError;
use crate::identity::{HsmIdentity, after};
use crate::keyring::Keyring;
use crate::metrics::Metrics;
use crate::notices::Notices;
use crate::owner::Owner;
use crate::parties::{Parties, check_membership};
use crate::reload::read_permissions;
use crate::session::Session;
use crate::shares::{GroupShares, OpenSharesError};
use crate::store::{self, BootId, GroupRecord, Memory, Missing, missing};

/// Does everything that a start does before the ports of gRPC open. Blocks.
pub(super) fn prepare(
    config: &Config,
    metrics: Arc<Metrics>,
    health: &Health,
) -> Result<(Parts, TlsIdentity), StartError> {
    let began = Instant::now();
    let notices = Notices::default();
    let network = NetworkId(config.network.id());
    let permissions = read_permissions(&config.permissions)?;
    let tls = TlsIdentity::load(&config.tls_cert, &config.tls_key)?;
    let parties = Arc::new(Parties::open(
        network,
        config.roster.clone(),
        config.roster_pin,
    )?);
    let chain = parties.chain();
    let label = label(config, &parties)?;

    let worker = Arc::new(WorkerClient::start(worker_config(config)).map_err(hsm("start"))?);
    let device: Arc<dyn Hsm> = Arc::clone(&worker) as Arc<dyn Hsm>;
    let token = device
        .token(after(OPEN_TIME))
        .map_err(hsm("open the token"))?;
    let (sealed, dek) = open_dek(config, device.as_ref())?;
    let key = KeyName::Identity(label.clone()).id();
    let identity = HsmIdentity::open(Arc::clone(&device), key, after(OPEN_TIME))
        .map_err(hsm("look up the identity key"))?;
    let identity = Arc::new(identity);
    check_membership(
        chain.current(),
        config.member,
        &identity.public(),
        tls.pin(),
    )?;
    health.ready(DEVICE);

    let (mut memory, start) = open_journal(config, &dek)?;
    let custody = Custody::new(
        config.member,
        config.hsm.residency,
        sealed,
        Arc::clone(&device),
    );
    let mut ring = Keyring::default();
    for record in memory.groups() {
        ring = load_group(config, &custody, &dek, record, &ring)?;
    }
    let custody = custody.keep(dek);
    let boot = BootId::now();
    if let Some(why) = missing(&start, memory.last_boot(), boot) {
        let floor = memory.apply_floor(&config.network, ring.public_keys())?;
        let sentence = match (why, start.torn) {
            (Missing::Torn, Some(torn)) => format!(
                "the last frame was broken and cut (segment {}, byte {}); every mark was raised to {floor}",
                torn.segment, torn.offset
            ),
            _ => format!(
                "nobody closed the journal before this machine was booted, its disk may be an old \
                 copy; every mark was raised to {floor}"
            ),
        };
        tracing::error!("journal: {sentence}");
        notices.set("journal", sentence);
    } else if !start.clean && !start.created {
        tracing::warn!(
            "the last process did not close the journal; the machine has run on since, and what was \
             flushed is there"
        );
    }
    if let Some(boot) = boot {
        memory.set_boot(boot).map_err(|error| {
            StartError::Session(format!("the run of the machine was not recorded: {error}"))
        })?;
    }
    if let Err(error) = memory.tick() {
        return Err(StartError::Session(format!(
            "the time was not recorded: {error}"
        )));
    }
    check_locked(config, &notices)?;

    let session = Session::certify(network, config.member, identity.as_ref())?;
    let (me, records) = (share_index(config)?, memory.ceremonies());
    let participant = Participant::resume((*chain).clone(), me, records.iter().map(Vec::as_slice))?;
    let keys = ring.len();
    let (owner, thread) = Owner::start(memory).map_err(super::system("start the owner"))?;
    let engine = Engine::new(EngineParts {
        owner,
        ring,
        permissions,
        network: Arc::new(config.network.clone()),
        custody: Arc::new(custody),
        metrics,
        window: config.signing.window(),
        max_waiting: config.signing.max_waiting,
    });
    let engine = Arc::new(engine.map_err(super::system("start the pool"))?);
    let performer = ServerPerformer {
        me,
        label,
        hsm: Arc::clone(&device),
        identity: Arc::clone(&identity),
        parties: Arc::clone(&parties),
        engine: Arc::clone(&engine),
        folder: CeremonyFolder::new(config.data_dir.join("ceremonies")),
        shares_dir: config.shares_dir(),
        notices: notices.clone(),
    };
    let ceremonies = Ceremonies::new(participant, performer, chain.hash());
    if let Err(error) = ceremonies.finish() {
        tracing::error!(%error, "erasures of a ceremony are not done; the next start tries again");
    }
    let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%token, keys, milliseconds = took, "device, journal and shares are open");
    let parts = Parts {
        engine,
        owner: thread,
        parties,
        identity,
        hsm: worker,
        session: Arc::new(ArcSwap::from_pointee(session)),
        ceremonies: Arc::new(ceremonies),
        notices,
    };
    Ok((parts, tls))
}

fn worker_config(config: &Config) -> WorkerConfig {
    let hsm = &config.hsm;
    let token = TokenSelector {
        label: hsm.token.clone(),
        serial: hsm.token_serial.clone(),
    };
    let pin = PinSource::File(hsm.pin_file.clone());
    let mut worker = WorkerConfig::new(hsm.worker.clone(), hsm.module.clone(), token, pin);
    worker.env = hsm.env.clone();
    worker
}

/// The member's name in object labels: its name in the roster.
fn label(config: &Config, parties: &Parties) -> Result<ObjectLabel, StartError> {
    let chain = parties.chain();
    let Some(member) = chain.current().member(config.member) else {
        let why = format!(
            "roster {} has no member {}",
            chain.current().number,
            config.member
        );
        return Err(StartError::Membership(why));
    };
    ObjectLabel::parse(&member.name).map_err(|error| StartError::Membership(error.to_string()))
}

fn share_index(config: &Config) -> Result<ShareIndex, StartError> {
    ShareIndex::try_from(u64::from(config.member))
        .map_err(|error| StartError::Membership(error.to_string()))
}

fn open_dek(config: &Config, device: &dyn Hsm) -> Result<(SealedDek, Dek), StartError> {
    let max = u64::try_from(SEALED_DEK_MAX).unwrap_or(u64::MAX);
    let bytes = files::read_bounded(&config.sealed_dek(), max)?;
    let sealed = SealedDek::decode(&bytes).map_err(hsm("read dek.sealed"))?;
    let dek = device
        .open_dek(&sealed, after(OPEN_TIME))
        .map_err(hsm("open the data key"))?;
    tracing::info!("the device opened the data key");
    Ok((sealed, dek))
}

/// Opens the journal; makes one only where nothing was ever held, because a disk that was not
/// mounted looks the same as a new one.
fn open_journal(config: &Config, dek: &Dek) -> Result<(Memory, store::Start), StartError> {
    let (journal, shares) = (config.journal_dir(), config.shares_dir());
    let fresh = !journal.exists();
    if fresh && holds_files(&shares) {
        return Err(StartError::JournalMissing { shares, journal });
    }
    make_folder(&config.data_dir)?;
    let key = journal_key_of(dek);
    Ok(store::open(&journal, &key, &config.network, fresh)?)
}

fn journal_key_of(dek: &Dek) -> JournalKey {
    dek.journal_key()
        .expose(|secret| JournalKey::derive(secret, "server"))
}

/// The key of the journal, opened by the device.
pub(crate) fn journal_key(config: &Config) -> Result<JournalKey, StartError> {
    let device = WorkerClient::start(worker_config(config)).map_err(hsm("start the worker"))?;
    let (_, dek) = open_dek(config, &device)?;
    Ok(journal_key_of(&dek))
}

fn holds_files(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

/// Adds the group that the journal names to the keyring; says which share is wrong, if one is.
fn load_group(
    config: &Config,
    custody: &Custody,
    dek: &Dek,
    record: &GroupRecord,
    ring: &Keyring,
) -> Result<Keyring, StartError> {
    let path = config.shares_dir().join(&record.file);
    let max = u64::try_from(GroupShares::MAX_LEN).unwrap_or(u64::MAX);
    let bytes = files::read_bounded(&path, max)?;
    let group = GroupShares::from_bytes(&bytes).map_err(|cause| StartError::ShareFile {
        path: path.clone(),
        cause,
    })?;
    // The shares first, because their errors name the key at fault; a file that is wrong in any
    // other way is caught by its hash.
    let shares: Result<_, OpenSharesError> = custody.check(&group, dek);
    let shares = shares.map_err(|cause| StartError::Shares {
        path: path.clone(),
        cause,
    })?;
    let hash: [u8; 32] = Sha256::digest(&bytes).into();
    if hash != record.hash {
        return Err(StartError::ShareFileChanged { path });
    }
    Ok(ring.with(group, shares)?)
}

fn check_locked(config: &Config, notices: &Notices) -> Result<(), StartError> {
    let bytes = symbolon_secmem::unlocked_bytes();
    if bytes == 0 {
        return Ok(());
    }
    if !config.signing.allow_unlocked_memory {
        return Err(StartError::Unlocked { bytes });
    }
    tracing::warn!("{}", not_locked(bytes));
    notices.set("memory", not_locked(bytes));
    Ok(())
}

fn hsm(doing: &'static str) -> impl Fn(HsmError) -> StartError {
    move |cause| StartError::Hsm { doing, cause }
}

/// Longest call to the device at start.
const OPEN_TIME: Duration = Duration::from_secs(30);
