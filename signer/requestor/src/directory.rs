//! What the roster and the group descriptors say: who the members are, which keys can be signed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use symbolon_ceremony::{GroupClass, GroupDescriptor};
use symbolon_daemon::files;
use symbolon_duties::ValidatorPublicKey;
use symbolon_protocol::roster::{ClientKind, Roster, RosterChain};
use symbolon_protocol::{IdentityPublic, Message as _, NetworkId};
use symbolon_signing::collector::GroupKey;
use symbolon_signing::group::KnownGroup;

use crate::config::Config;
use crate::error::{GroupError, StartError};

/// One key that can be signed for.
#[derive(Debug, Clone)]
pub(crate) struct KnownKey {
    pub(crate) bytes: ValidatorPublicKey,
    pub(crate) key: Arc<GroupKey>,
    pub(crate) group: Arc<KnownGroup>,
}

/// Roster and keys at one moment.
#[derive(Debug)]
pub(crate) struct Directory {
    chain: RosterChain,
    keys: HashMap<ValidatorPublicKey, Arc<KnownKey>>,
    groups: Vec<Arc<KnownGroup>>,
    problems: Vec<String>,
}

impl Directory {
    /// Reads roster and groups. A group descriptor that does not hold is left out and named in
    /// [`problems`](Self::problems): one bad file must not stop all other validators.
    pub(crate) fn load(
        config: &Config,
        identity: &IdentityPublic,
        pin: &[u8; 32],
    ) -> Result<Self, StartError> {
        let network = NetworkId(config.network.id());
        let bytes = files::read_bounded(&config.roster, MAX_CHAIN)?;
        let chain = RosterChain::from_bytes(network, &bytes, Some(&config.roster_pin)).map_err(
            |cause| StartError::Roster {
                path: config.roster.clone(),
                cause: Box::new(cause),
            },
        )?;
        check_own_entry(chain.current(), &config.name, identity, pin)?;
        let mut directory = Self {
            chain,
            keys: HashMap::new(),
            groups: Vec::new(),
            problems: Vec::new(),
        };
        for path in group_files(&config.groups_dir)? {
            if let Err(error) = directory.add_group(&path) {
                directory.problems.push(error.to_string());
            }
        }
        Ok(directory)
    }

    fn add_group(&mut self, path: &Path) -> Result<(), StartError> {
        let max = u64::try_from(GroupDescriptor::MAX_LEN).unwrap_or(u64::MAX);
        let bytes = files::read_bounded(path, max)?;
        let wrong = |cause: GroupError| StartError::Group {
            path: path.to_owned(),
            cause: Box::new(cause),
        };
        let group = GroupDescriptor::verify(&self.chain, &bytes).map_err(|e| wrong(e.into()))?;
        if group.class() == GroupClass::Cold {
            tracing::info!(group = %group.label(), "a cold group: nothing to ask online");
            return Ok(());
        }
        let known = Arc::new(KnownGroup::of(&group).map_err(|e| wrong(e.into()))?);
        let epoch = known.signers().epoch();
        let held = |bytes| {
            self.keys
                .get(bytes)
                .map(|held: &Arc<KnownKey>| held.key.group().epoch())
        };
        if let Some((bytes, _)) = known.keys().find(|(bytes, _)| held(bytes) == Some(epoch)) {
            return Err(wrong(GroupError::Doubled(*bytes)));
        }
        for (bytes, key) in known.keys() {
            let new = KnownKey {
                bytes: *bytes,
                key: Arc::clone(key),
                group: Arc::clone(&known),
            };
            // After a reshare the file of the old group epoch may still lie there.
            let entry = self.keys.entry(*bytes);
            let entry = entry.or_insert_with(|| Arc::new(new.clone()));
            if entry.key.group().epoch() < epoch {
                *entry = Arc::new(new);
            }
        }
        self.groups.push(known);
        Ok(())
    }

    /// The roster in force.
    pub(crate) const fn roster(&self) -> &Roster {
        self.chain.current()
    }

    /// Hash of the roster in force.
    pub(crate) const fn roster_hash(&self) -> [u8; 32] {
        self.chain.hash()
    }

    /// The chain's network.
    pub(crate) const fn network(&self) -> NetworkId {
        self.chain.network()
    }

    pub(crate) fn key(&self, key: &ValidatorPublicKey) -> Option<&Arc<KnownKey>> {
        self.keys.get(key)
    }

    /// All keys, in the order of their bytes.
    pub(crate) fn public_keys(&self) -> Vec<ValidatorPublicKey> {
        let mut keys: Vec<_> = self.keys.keys().copied().collect();
        keys.sort_unstable();
        keys
    }

    pub(crate) fn groups(&self) -> &[Arc<KnownGroup>] {
        &self.groups
    }

    /// Group files that were left out, and why.
    pub(crate) fn problems(&self) -> &[String] {
        &self.problems
    }
}

/// The servers would refuse every batch otherwise, one by one and less clearly.
fn check_own_entry(
    roster: &Roster,
    name: &str,
    identity: &IdentityPublic,
    pin: &[u8; 32],
) -> Result<(), StartError> {
    let wrong = |why: String| {
        Err(StartError::NotInRoster {
            number: roster.number,
            why,
        })
    };
    let Some(client) = roster.client(name) else {
        return wrong(format!(
            "has no requestor {name:?}; put its card in and sign a new roster"
        ));
    };
    if client.kind != ClientKind::Requestor {
        return wrong(format!("{name:?} is a {}, not a requestor", client.kind));
    }
    if client.identity != *identity {
        return wrong(format!(
            "{name:?} has another identity key than the file identity_key"
        ));
    }
    if client.tls_pin.0 != *pin {
        return wrong(format!(
            "{name:?} has another TLS pin than the file identity_cert"
        ));
    }
    Ok(())
}

/// The `*.group` files of a folder, by name.
fn group_files(folder: &Path) -> Result<Vec<PathBuf>, StartError> {
    let failed = |cause| StartError::Folder {
        path: folder.to_owned(),
        cause,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "group")
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

const MAX_CHAIN: u64 = 4 * 1024 * 1024;
