//! Processes of a cluster: started, ended, taken notice of.

use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::Lab;
use crate::error::LabError;
use crate::process::{Ended, ProcessId, spawn_detached};
use crate::programs::Program;
use crate::record::{LabRecord, ServerRecord};
use crate::setup::os;

impl Lab {
    pub(super) fn spawn_server(&mut self, index: u16) -> Result<(), LabError> {
        let server = self.server(index)?.clone();
        if server.process.as_ref().is_some_and(ProcessId::is_running) {
            return Err(LabError::answer(&server.name, "it runs already"));
        }
        self.release(server.address);
        self.release(server.metrics);
        let config = server.dir.join("server.toml");
        let control = server.control();
        let mut arguments = vec![os("--config"), config.as_os_str()];
        let program = if server.fault == "none" && !self.record.all_can_lie {
            Program::Server
        } else {
            arguments.extend([os("--fault-file"), control.as_os_str()]);
            Program::LabServer
        };
        let process = self.spawn(program, &arguments, &server.dir, &server.log)?;
        self.edit(index, |server| server.set_process(Some(process)))
    }

    pub(super) fn spawn_requestor(&mut self) -> Result<(), LabError> {
        let requestor = self.record.requestor.clone();
        if requestor
            .process
            .as_ref()
            .is_some_and(ProcessId::is_running)
        {
            return Err(LabError::answer(&requestor.name, "it runs already"));
        }
        self.release(requestor.address);
        self.release(requestor.metrics);
        let config = requestor.dir.join("requestor.toml");
        let arguments = [os("--config"), config.as_os_str()];
        let process = self.spawn(
            Program::Requestor,
            &arguments,
            &requestor.dir,
            &requestor.log,
        )?;
        self.record.requestor.set_process(Some(process));
        Ok(())
    }

    fn spawn(
        &mut self,
        program: Program,
        arguments: &[&OsStr],
        dir: &Path,
        log: &Path,
    ) -> Result<ProcessId, LabError> {
        let path = self.programs.path(program);
        let environment = [("SYMBOLON_LOG", self.record.log_filter.as_str())];
        let (child, process) = spawn_detached(&path, arguments, &environment, dir, log)
            .map_err(LabError::io("start", &path))?;
        self.children.push(child);
        Ok(process)
    }

    pub(super) fn end_server(
        &mut self,
        index: u16,
        end: impl FnOnce(&ProcessId) -> io::Result<Ended>,
    ) -> Result<(), LabError> {
        if let Some(process) = &self.server(index)?.process {
            end(process).map_err(LabError::io("end", &process.exe))?;
        }
        self.edit(index, |server| server.set_process(None))?;
        self.reap();
        self.save()
    }

    pub(super) fn edit(
        &mut self,
        index: u16,
        edit: impl FnOnce(&mut ServerRecord),
    ) -> Result<(), LabError> {
        let servers = self.record.servers.len();
        let mut found = self.record.servers.iter_mut();
        let server = found.find(|server| server.index == index);
        edit(server.ok_or(LabError::NoServer { index, servers })?);
        Ok(())
    }

    fn release(&mut self, address: SocketAddr) {
        if let Some(ports) = &mut self.ports {
            ports.release(address);
        }
    }

    /// Takes notice of children that ended, so that none stays a zombie.
    pub(super) fn reap(&mut self) {
        self.children
            .retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }
}

/// Asks all to stop at once, then waits for each; gives how many ran.
pub(super) fn end_all(record: &LabRecord) -> Result<usize, LabError> {
    let mut running = Vec::new();
    for (_, process) in record.processes() {
        if process
            .signal(Signal::TERM)
            .map_err(LabError::io("end", &process.exe))?
        {
            running.push(process.clone());
        }
    }
    let started = Instant::now();
    for process in &running {
        while process.is_running() && started.elapsed() < GRACE {
            thread::sleep(Duration::from_millis(5));
        }
        process.kill().map_err(LabError::io("kill", &process.exe))?;
    }
    Ok(running.len())
}
pub(super) const GRACE: Duration = Duration::from_secs(15);
