//! What the requestor kept against liars, checked again from its bytes.

use std::fs;

use symbolon_ceremony::{Group, GroupDescriptor};
use symbolon_daemon::files;
use symbolon_duties::Network;
use symbolon_protocol::{Message as _, NetworkId};
use symbolon_signing::evidence::{Verdict, WrongPartialEvidence, verify};
use symbolon_signing::group::KnownGroup;

use crate::direct::roster;
use crate::error::LabError;
use crate::record::LabRecord;

/// A lie that a file proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedLie {
    /// Share index of the liar.
    pub member: u16,
    /// Its name in the roster.
    pub name: String,
    /// Name of the file.
    pub file: String,
    /// What was wrong.
    pub fault: String,
}

/// All groups of a laboratory, their descriptors verified.
///
/// # Errors
///
/// A descriptor cannot be read or does not verify.
pub fn groups(record: &LabRecord, network: &Network) -> Result<Vec<Group>, LabError> {
    let chain = roster(record, NetworkId(network.id()))?;
    let folder = record.cluster.join("groups");
    let mut groups = Vec::new();
    for entry in fs::read_dir(&folder).map_err(LabError::io("look into", &folder))? {
        let path = entry.map_err(LabError::io("look into", &folder))?.path();
        let bytes = files::read_bounded(&path, MAX_GROUP)?;
        let group = GroupDescriptor::verify(&chain, &bytes)
            .map_err(|error| LabError::answer(&path.display().to_string(), error))?;
        groups.push(group);
    }
    Ok(groups)
}

/// Every file of evidence that proves a lie, from its bytes, the roster and the groups alone.
///
/// # Errors
///
/// Files cannot be read.
pub fn proved_lies(record: &LabRecord, network: &Network) -> Result<Vec<ProvedLie>, LabError> {
    let id = NetworkId(network.id());
    let chain = roster(record, id)?;
    let mut known = Vec::new();
    for group in groups(record, network)? {
        known.push(KnownGroup::of(&group).map_err(|error| LabError::answer("a group", error))?);
    }
    let folder = record.requestor.dir.join("evidence");
    let max = u64::try_from(WrongPartialEvidence::MAX_LEN).unwrap_or(u64::MAX);
    let mut lies = Vec::new();
    for entry in fs::read_dir(&folder).map_err(LabError::io("look into", &folder))? {
        let path = entry.map_err(LabError::io("look into", &folder))?.path();
        if path
            .extension()
            .is_none_or(|extension| extension != "evidence")
        {
            continue;
        }
        let bytes = files::read_bounded(&path, max)?;
        let Ok(evidence) = WrongPartialEvidence::from_bytes(id, &bytes) else {
            continue;
        };
        let Some(group) = known
            .iter()
            .find(|group| *group.transcript() == evidence.group)
        else {
            continue;
        };
        if let Verdict::Proved(proof) = verify(&evidence, id, chain.current(), group) {
            let member = proof.member.get();
            let name = chain
                .current()
                .member(member)
                .map(|member| member.name.clone());
            lies.push(ProvedLie {
                member,
                name: name.unwrap_or_default(),
                file: path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                fault: proof.fault.to_string(),
            });
        }
    }
    lies.sort_by(|a, b| (a.member, &a.file).cmp(&(b.member, &b.file)));
    Ok(lies)
}

const MAX_GROUP: u64 = 8 * 1024 * 1024;
