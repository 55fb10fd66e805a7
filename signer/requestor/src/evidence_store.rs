//! Evidence files: written when a member lies, read at start and on a reload.
//!
//! Whoever takes a file out of the folder and reloads lets its culprit back in.

use std::path::{Path, PathBuf};

use symbolon_daemon::files::{self, FileError};
use symbolon_protocol::{Message as _, NetworkId};
use symbolon_signing::evidence::{Verdict, WrongPartialEvidence, verify};
use symbolon_signing::quarantine::Quarantine;

use crate::directory::Directory;
use crate::error::StartError;

/// The folder of evidence.
#[derive(Debug)]
pub(crate) struct EvidenceStore {
    folder: PathBuf,
    network: NetworkId,
}

impl EvidenceStore {
    /// Takes the folder, which is made when it is not there.
    pub(crate) fn open(folder: &Path, network: NetworkId) -> Result<Self, StartError> {
        std::fs::create_dir_all(folder).map_err(|cause| StartError::Folder {
            path: folder.to_owned(),
            cause,
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            network,
        })
    }

    /// Writes one file, whole or not at all; its name says who and which batch.
    pub(crate) fn write(
        &self,
        evidence: &WrongPartialEvidence,
        batch: &[u8; 32],
    ) -> Result<PathBuf, FileError> {
        let digest: String = hex::encode(batch).chars().take(16).collect();
        let name = format!(
            "member-{}-{digest}-{}.evidence",
            evidence.member, evidence.item
        );
        let path = self.folder.join(name);
        files::write_atomic(&path, &evidence.to_bytes(self.network))?;
        Ok(path)
    }

    /// Everybody who is proved guilty by a file in the folder, under this roster and these groups.
    pub(crate) fn culprits(&self, directory: &Directory) -> Result<Quarantine, StartError> {
        let failed = |cause| StartError::Folder {
            path: self.folder.clone(),
            cause,
        };
        let mut quarantine = Quarantine::new();
        for entry in std::fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "evidence")
            {
                match self.verdict(&path, directory) {
                    Ok(Verdict::Proved(proof)) => {
                        let text = format!("wrong partial signature: {}", proof.fault);
                        quarantine.put(proof.member, &text, 1, proof.at_ms);
                    }
                    Ok(Verdict::NotProved(reason)) => {
                        tracing::warn!(path = %path.display(), %reason, "evidence proves nothing");
                    }
                    Err(error) => {
                        tracing::warn!(path = %path.display(), error, "evidence is not readable");
                    }
                }
            }
        }
        Ok(quarantine)
    }

    fn verdict(&self, path: &Path, directory: &Directory) -> Result<Verdict, String> {
        let max = u64::try_from(WrongPartialEvidence::MAX_LEN).unwrap_or(u64::MAX);
        let bytes = files::read_bounded(path, max).map_err(|error| error.to_string())?;
        let evidence = WrongPartialEvidence::from_bytes(self.network, &bytes)
            .map_err(|error| error.to_string())?;
        let group = directory
            .groups()
            .iter()
            .find(|group| *group.transcript() == evidence.group);
        let group = group.ok_or("it is about a group that is not installed here")?;
        Ok(verify(&evidence, self.network, directory.roster(), group))
    }
}
