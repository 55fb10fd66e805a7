//! A running cluster of real processes.

mod processes;
mod up;

use std::path::Path;
use std::process::Child;
use std::time::Duration;

use rustix::process::Signal;
use symbolon_duties::{BlsSignature, Network, ValidatorPublicKey};
use tempfile::TempDir;

use self::processes::{GRACE, end_all};
use crate::error::LabError;
use crate::fault::FaultMode;
use crate::folder::Folder;
use crate::http::{Answer, HttpClient};
use crate::network::LabNetwork;
use crate::options::LabOptions;
use crate::ports::HeldPorts;
use crate::process::ProcessId;
use crate::programs::{Program, Programs};
use crate::record::{self, LabRecord, ServerRecord};
use crate::sample::{Sample, Sampler};
use crate::setup::{self, os};
use crate::story::Story;
use crate::tool::Tool;
use crate::verify::verify_answer;
use crate::wait;

/// A running cluster. Dropping it ends its processes, unless it was opened or let go.
///
/// Calls block; none may be made from within an asynchronous runtime.
#[derive(Debug)]
pub struct Lab {
    record: LabRecord,
    network: Network,
    programs: Programs,
    folder: Folder,
    children: Vec<Child>,
    ports: Option<HeldPorts>,
    ends_with_us: bool,
    is_complete: bool,
    _temporary: Option<TempDir>,
}

impl Lab {
    /// Makes and starts a cluster; when this returns, its requestor answers.
    ///
    /// # Errors
    ///
    /// [`LabError`]; whatever was started by then is ended.
    pub fn up(options: &LabOptions, story: &Story) -> Result<Self, LabError> {
        Self::up_with(Programs::find()?, options, story)
    }

    /// As [`Lab::up`], with programs from elsewhere.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn up_with(
        programs: Programs,
        options: &LabOptions,
        story: &Story,
    ) -> Result<Self, LabError> {
        options.check()?;
        let temporary = match &options.dir {
            Some(_) => None,
            None => {
                let made = tempfile::Builder::new().prefix("symbolon-lab-").tempdir();
                Some(made.map_err(LabError::io("create a folder in", &std::env::temp_dir()))?)
            }
        };
        let dir = options
            .dir
            .as_deref()
            .or(temporary.as_ref().map(TempDir::path));
        let folder = Folder::create(dir.unwrap_or(Path::new("lab")))?;
        let made = setup::make(folder.dir(), &programs, options, story)?;
        let mut lab = Self {
            record: made.record,
            network: made.network.network,
            programs,
            folder,
            children: Vec::new(),
            ports: Some(made.ports),
            ends_with_us: true,
            is_complete: false,
            _temporary: temporary,
        };
        lab.start_everything()?;
        let count = lab.record.servers.len();
        story.tell(format!(
            "{count} servers and the requestor run, each a process of its own"
        ));
        lab.make_keys(&options.keys, story)?;
        lab.is_complete = true;
        lab.save()?;
        record::forget(&LabRecord::starting_path(lab.folder.dir()))?;
        Ok(lab)
    }

    /// Opens a cluster that runs (or lies still) in `dir`; dropping it changes nothing.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn open(dir: &Path) -> Result<Self, LabError> {
        let folder = Folder::open(dir)?;
        let record = LabRecord::read(folder.dir())?;
        let network = LabNetwork::open(&record.network.argument)?.network;
        let programs = Programs::in_folder(&record.programs)?;
        Ok(Self {
            record,
            network,
            programs,
            folder,
            children: Vec::new(),
            ports: None,
            ends_with_us: false,
            is_complete: true,
            _temporary: None,
        })
    }

    /// Ends every process of the cluster in `dir`, also of one that never came up; gives how many
    /// it ended. The folder stays, for whoever wants to read the logs.
    ///
    /// # Errors
    ///
    /// There is none, or a process does not end.
    pub fn down(dir: &Path) -> Result<usize, LabError> {
        let folder = Folder::open(dir)?;
        let mut record = LabRecord::read_any(folder.dir())?;
        let ended = end_all(&record)?;
        for server in &mut record.servers {
            server.set_process(None);
        }
        record.requestor.set_process(None);
        record::forget(&LabRecord::starting_path(folder.dir()))?;
        record.write(&LabRecord::path(folder.dir()))?;
        Ok(ended)
    }

    /// Ends every process that the record in `dir` names, without asking for the folder: for a
    /// program that is interrupted while it works there.
    ///
    /// # Errors
    ///
    /// A process does not end.
    pub fn abandon(dir: &Path) -> Result<usize, LabError> {
        match LabRecord::read_any(dir) {
            Ok(record) => end_all(&record),
            // Nothing was started yet.
            Err(LabError::NoLab { .. }) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Lets the cluster run on without this process.
    pub fn let_go(mut self) {
        self.ends_with_us = false;
    }

    /// What it consists of.
    #[must_use]
    pub const fn record(&self) -> &LabRecord {
        &self.record
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.folder.dir()
    }

    /// Its chain.
    #[must_use]
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// Its programs.
    #[must_use]
    pub const fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The validators' public keys, in the order in which they were made.
    #[must_use]
    pub fn keys(&self) -> Vec<ValidatorPublicKey> {
        self.record
            .public_keys
            .iter()
            .filter_map(|key| key.parse().ok())
            .collect()
    }

    /// One server.
    ///
    /// # Errors
    ///
    /// There is none of that index.
    pub fn server(&self, index: u16) -> Result<&ServerRecord, LabError> {
        let servers = self.record.servers.len();
        let server = self
            .record
            .servers
            .iter()
            .find(|server| server.index == index);
        server.ok_or(LabError::NoServer { index, servers })
    }

    /// What to make requests with, for the first key and the slot that runs now.
    ///
    /// # Errors
    ///
    /// There are no keys.
    pub fn sampler(&self) -> Result<Sampler<'_>, LabError> {
        let key = self.keys().first().copied();
        let key = key.ok_or_else(|| LabError::Options("the cluster has no keys".to_owned()))?;
        let slot = crate::network::slot_now(&self.network);
        Ok(Sampler {
            network: &self.network,
            slot,
            key,
            salt: 0,
        })
    }

    /// A client of the requestor.
    #[must_use]
    pub const fn client(&self) -> HttpClient {
        HttpClient::new(self.record.requestor.address, ONE_REQUEST)
    }

    /// Sends one request; gives whatever comes back.
    ///
    /// # Errors
    ///
    /// Nothing comes back.
    pub fn request(&self, sample: &Sample) -> Result<Answer, LabError> {
        let answer = sample.send(&mut self.client());
        answer.map_err(|error| LabError::answer(&self.record.requestor.name, error))
    }

    /// Sends one request and verifies the answer as a stranger would.
    ///
    /// # Errors
    ///
    /// No answer, or none that verifies.
    pub fn sign(&self, sample: &Sample) -> Result<BlsSignature, LabError> {
        let answer = self.request(sample)?;
        verify_answer(&self.network, &sample.key, &sample.body, &answer)
            .map_err(|error| LabError::answer(&sample.kind.to_string(), error))
    }

    /// Runs a command of `symbolon`; `arguments` name the folder themselves.
    ///
    /// # Errors
    ///
    /// It fails.
    pub fn symbolon(&self, arguments: &[&str]) -> Result<String, LabError> {
        let arguments: Vec<_> = arguments.iter().map(|argument| os(argument)).collect();
        self.tool().run(&arguments)
    }

    /// Makes keys in a ceremony and hands them to the requestor; gives the new ones.
    ///
    /// # Errors
    ///
    /// The ceremony fails, or the requestor does not take the group.
    pub fn ceremony(
        &mut self,
        label: &str,
        keys: usize,
    ) -> Result<Vec<ValidatorPublicKey>, LabError> {
        let keys = keys.to_string();
        let mut line = vec![os("ceremony"), os("run"), os("--keys"), os(&keys)];
        line.extend([os("--label"), os(label)]);
        self.new_groups(&line)
    }

    /// Splits keystores over the servers and hands the groups to the requestor; gives the new keys.
    ///
    /// # Errors
    ///
    /// The import fails, or the requestor does not take the groups.
    pub fn import(
        &mut self,
        label: &str,
        keystores: &Path,
        passwords: &Path,
    ) -> Result<Vec<ValidatorPublicKey>, LabError> {
        let mut line = vec![
            os("key"),
            os("import"),
            os("--keystores"),
            keystores.as_os_str(),
        ];
        line.extend([
            os("--passwords"),
            passwords.as_os_str(),
            os("--label"),
            os(label),
        ]);
        self.record.born_in_ceremony = false;
        self.new_groups(&line)
    }

    /// Makes a server lie, or lets it be honest again. A server that does not run stays so, and
    /// lies when it is started.
    ///
    /// # Errors
    ///
    /// There is no such server, or it does not come back.
    pub fn fault(&mut self, index: u16, mode: FaultMode) -> Result<(), LabError> {
        let server = self.server(index)?.clone();
        mode.write(&server.control())?;
        let can_lie = self.programs.path(Program::LabServer);
        let process = server.process.filter(ProcessId::is_running);
        let switches = process.as_ref().is_some_and(|process| {
            let lies = Some(process.exe.as_path()) == can_lie.canonicalize().ok().as_deref();
            lies && (mode != FaultMode::None || self.record.all_can_lie)
        });
        self.edit(index, |server| server.fault = mode.to_string())?;
        if process.is_some() && !switches {
            self.stop(index)?;
            self.start(index)?;
        }
        self.save()
    }

    /// Stops a server as its owner would.
    ///
    /// # Errors
    ///
    /// There is no such server, or it does not end.
    pub fn stop(&mut self, index: u16) -> Result<(), LabError> {
        self.end_server(index, |process| process.end(GRACE))
    }

    /// Kills a server as a power cut would.
    ///
    /// # Errors
    ///
    /// There is no such server, or it does not end.
    pub fn kill9(&mut self, index: u16) -> Result<(), LabError> {
        self.end_server(index, ProcessId::kill)
    }

    /// Starts a server and waits until it is ready.
    ///
    /// # Errors
    ///
    /// There is no such server, or it does not come up.
    pub fn start(&mut self, index: u16) -> Result<(), LabError> {
        self.spawn_server(index)?;
        self.save()?;
        self.wait_server(index)
    }

    /// Stops a server and starts it again.
    ///
    /// # Errors
    ///
    /// As [`Lab::stop`] and [`Lab::start`].
    pub fn restart(&mut self, index: u16) -> Result<(), LabError> {
        self.stop(index)?;
        self.start(index)
    }

    /// Waits until a server is ready.
    ///
    /// # Errors
    ///
    /// It is not, in a minute, or has ended.
    pub fn wait_server(&self, index: u16) -> Result<(), LabError> {
        let server = self.server(index)?;
        let Some(process) = &server.process else {
            return Err(LabError::answer(&server.name, "it was not started"));
        };
        wait::until_ready(&server.name, process, &server.log, server.metrics)
    }

    /// Sends a signal to a server; `false` when it does not run.
    ///
    /// # Errors
    ///
    /// There is no such server, or the system refuses.
    pub fn signal(&self, index: u16, signal: Signal) -> Result<bool, LabError> {
        let server = self.server(index)?;
        let Some(process) = &server.process else {
            return Ok(false);
        };
        process
            .signal(signal)
            .map_err(LabError::io("signal", &process.exe))
    }

    /// Stops the requestor, or kills it.
    ///
    /// # Errors
    ///
    /// It does not end.
    pub fn stop_requestor(&mut self, kill: bool) -> Result<(), LabError> {
        if let Some(process) = &self.record.requestor.process {
            let ended = if kill {
                process.kill()
            } else {
                process.end(GRACE)
            };
            ended.map_err(LabError::io("end", &process.exe))?;
        }
        self.record.requestor.set_process(None);
        self.reap();
        self.save()
    }

    /// Starts the requestor and waits until it answers with all keys.
    ///
    /// # Errors
    ///
    /// It does not come up.
    pub fn start_requestor(&mut self) -> Result<(), LabError> {
        self.spawn_requestor()?;
        self.save()?;
        self.wait_requestor()
    }

    /// Has the requestor read its files again.
    ///
    /// # Errors
    ///
    /// It does not run.
    pub fn reload_requestor(&self) -> Result<(), LabError> {
        let requestor = &self.record.requestor;
        let process = requestor.process.as_ref();
        let process =
            process.ok_or_else(|| LabError::answer(&requestor.name, "it does not run"))?;
        if process
            .signal(Signal::HUP)
            .map_err(LabError::io("signal", &process.exe))?
        {
            Ok(())
        } else {
            Err(LabError::answer(&requestor.name, "it has ended"))
        }
    }

    /// The metrics of a server, or of the requestor for index 0.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub fn metrics(&self, index: u16) -> Result<String, LabError> {
        let (name, address) = if index == 0 {
            (&self.record.requestor.name, self.record.requestor.metrics)
        } else {
            let server = self.server(index)?;
            (&server.name, server.metrics)
        };
        let answer = HttpClient::new(address, ONE_REQUEST).get("/metrics");
        Ok(answer
            .map_err(|error| LabError::answer(name, error))?
            .text())
    }

    fn save(&self) -> Result<(), LabError> {
        let dir = self.folder.dir();
        let path = if self.is_complete {
            LabRecord::path(dir)
        } else {
            LabRecord::starting_path(dir)
        };
        self.record.write(&path)
    }

    fn tool(&self) -> Tool {
        setup::tool(&self.record, &self.programs)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !self.ends_with_us {
            return;
        }
        if end_all(&self.record).is_ok() {
            for server in &mut self.record.servers {
                server.set_process(None);
            }
            self.record.requestor.set_process(None);
            // The folder may be gone by now.
            self.save().ok();
        }
        self.reap();
    }
}

/// Longer than the requestor's own deadline.
const ONE_REQUEST: Duration = Duration::from_secs(15);
