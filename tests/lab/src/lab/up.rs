//! From files on disk to a cluster that signs.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use symbolon_duties::ValidatorPublicKey;

use super::Lab;
use crate::error::LabError;
use crate::http::HttpClient;
use crate::options::KeySource;
use crate::process::ProcessId;
use crate::setup::{self, os};
use crate::story::{Story, rounded};
use crate::wait;

impl Lab {
    pub(super) fn start_everything(&mut self) -> Result<(), LabError> {
        let indices: Vec<u16> = self
            .record
            .servers
            .iter()
            .map(|server| server.index)
            .collect();
        for index in &indices {
            self.spawn_server(*index)?;
            // Whoever is interrupted finds in the record what has to be ended.
            self.save()?;
        }
        self.spawn_requestor()?;
        self.save()?;
        self.ports = None;
        for index in indices {
            self.wait_server(index)?;
        }
        self.wait_requestor()
    }

    pub(super) fn make_keys(&mut self, source: &KeySource, story: &Story) -> Result<(), LabError> {
        let started = Instant::now();
        let (n, t) = (self.record.servers.len(), self.record.threshold);
        let how = match source {
            KeySource::None => return Ok(()),
            KeySource::Ceremony { keys } => {
                let mut left = *keys;
                for number in 1_u32.. {
                    let some = left.min(MAX_KEYS);
                    let label = if number == 1 {
                        "main".into()
                    } else {
                        format!("main-{number}")
                    };
                    self.ceremony(&label, some)?;
                    left = left.saturating_sub(some);
                    if left == 0 {
                        break;
                    }
                }
                format!("a ceremony made {} that nobody has", keys_text(*keys))
            }
            KeySource::Keystores {
                keystores,
                passwords,
            } => {
                let keystores = absolute(keystores)?;
                let passwords = absolute(passwords)?;
                let keys = self.import("imported", &keystores, &passwords)?;
                format!(
                    "{} were split by a dealer (someone had them whole)",
                    keys_text(keys.len())
                )
            }
        };
        let seconds = rounded(started.elapsed().as_secs_f64());
        self.record.ceremony_seconds = seconds;
        story.tell(format!("{how}: {t} of {n} servers sign ({seconds} s)"));
        Ok(())
    }

    /// Runs a command that makes groups, and gives them to the requestor.
    pub(super) fn new_groups(
        &mut self,
        what: &[&OsStr],
    ) -> Result<Vec<ValidatorPublicKey>, LabError> {
        let mut line = what.to_vec();
        let threshold = self.record.threshold.to_string();
        let guardian = format!(
            "{}={}",
            setup::GUARDIAN,
            setup::guardian_key(&self.record).display()
        );
        let passphrase = setup::passphrase_file(&self.record);
        let cluster = self.record.cluster.clone();
        line.extend([
            os("--dir"),
            cluster.as_os_str(),
            os("--threshold"),
            os(&threshold),
        ]);
        line.extend([os("--guardian"), os(&guardian), os("--passphrase-file")]);
        line.extend([passphrase.as_os_str(), os("--json")]);
        let said = self.tool().run(&line)?;
        let made = made_groups(&said)?;
        let mut new = Vec::new();
        for group in made {
            let name = group.descriptor.file_name().unwrap_or_default();
            let to = self.record.requestor.dir.join("groups").join(name);
            fs::copy(&group.descriptor, &to).map_err(LabError::io("copy a group to", &to))?;
            for key in &group.public_keys {
                let parsed: ValidatorPublicKey = key
                    .parse()
                    .map_err(|error| LabError::answer("symbolon", error))?;
                new.push(parsed);
            }
            self.record.public_keys.extend(group.public_keys);
        }
        if self
            .record
            .requestor
            .process
            .as_ref()
            .is_some_and(ProcessId::is_running)
        {
            self.reload_requestor()?;
            self.wait_requestor()?;
        }
        self.save()?;
        Ok(new)
    }

    pub(super) fn wait_requestor(&self) -> Result<(), LabError> {
        let requestor = &self.record.requestor;
        let Some(process) = &requestor.process else {
            return Err(LabError::answer(&requestor.name, "it was not started"));
        };
        let expected: BTreeSet<&str> = self.record.public_keys.iter().map(String::as_str).collect();
        let mut client = HttpClient::new(requestor.address, ONE_CALL);
        wait::until(
            &requestor.name,
            process,
            &requestor.log,
            wait::READY,
            || {
                let up = client.get("/upcheck").map_err(|error| error.to_string())?;
                if up.status != 200 {
                    return Err(format!("/upcheck: status {}", up.status));
                }
                let keys = client.get(PUBLIC_KEYS).map_err(|error| error.to_string())?;
                let keys: BTreeSet<String> =
                    serde_json::from_slice(&keys.body).map_err(|error| error.to_string())?;
                let missing = expected.iter().filter(|key| !keys.contains(**key)).count();
                if missing == 0 {
                    Ok(())
                } else {
                    Err(format!("{missing} keys are not served"))
                }
            },
        )
    }
}

/// What `symbolon` says of groups that it made.
#[derive(serde::Deserialize)]
struct MadeGroup {
    descriptor: PathBuf,
    public_keys: Vec<String>,
}

/// A ceremony says one group, an import a list.
fn made_groups(said: &str) -> Result<Vec<MadeGroup>, LabError> {
    let parsed = if said.trim_start().starts_with('[') {
        serde_json::from_str(said)
    } else {
        serde_json::from_str(said).map(|group| vec![group])
    };
    parsed.map_err(|error| LabError::answer("symbolon --json", error))
}

fn keys_text(keys: usize) -> String {
    if keys == 1 {
        "a key".to_owned()
    } else {
        format!("{keys} keys")
    }
}

fn absolute(path: &Path) -> Result<PathBuf, LabError> {
    std::path::absolute(path).map_err(LabError::io("look at", path))
}

/// Keys of one ceremony.
const MAX_KEYS: usize = 1000;
const ONE_CALL: Duration = Duration::from_secs(5);
const PUBLIC_KEYS: &str = "/api/v1/eth2/publicKeys";
