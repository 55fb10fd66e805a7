//! How a laboratory is.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::http::HttpClient;
use crate::process::ProcessId;
use crate::record::LabRecord;

/// How a laboratory is.
#[derive(Debug, Clone, Serialize)]
pub struct LabStatus {
    /// Whether the requestor answers.
    pub answers: bool,
    /// Where.
    pub requestor_url: String,
    /// Partial signatures that a signature needs.
    pub threshold: u16,
    /// How many keys there are.
    pub keys: usize,
    /// Whether enough servers run and are honest.
    pub can_sign: bool,
    /// The processes: servers by index, then the requestor.
    pub processes: Vec<ProcessStatus>,
}

/// How a process is.
#[derive(Debug, Clone, Serialize)]
pub struct ProcessStatus {
    /// Its name.
    pub name: String,
    /// Its share index; `null` for the requestor.
    pub index: Option<u16>,
    /// Its number, while it runs.
    pub pid: Option<u32>,
    /// Whether it runs.
    pub running: bool,
    /// Whether it says that it is ready.
    pub ready: bool,
    /// How it lies; `none` for honest ones.
    pub fault: String,
}

impl LabStatus {
    /// Looks at every process.
    #[must_use]
    pub fn of(record: &LabRecord) -> Self {
        let look = |name: &str, index, process: &Option<ProcessId>, metrics, fault: &str| {
            let running = process.as_ref().filter(|process| process.is_running());
            let answer = HttpClient::new(metrics, ONE_CALL).get("/readyz");
            ProcessStatus {
                name: name.to_owned(),
                index,
                pid: running.map(|process| process.pid),
                running: running.is_some(),
                ready: running.is_some() && answer.is_ok_and(|answer| answer.status == 200),
                fault: fault.to_owned(),
            }
        };
        let servers = record.servers.iter().map(|server| {
            let index = Some(server.index);
            look(
                &server.name,
                index,
                &server.process,
                server.metrics,
                &server.fault,
            )
        });
        let mut processes: Vec<_> = servers.collect();
        let honest = processes
            .iter()
            .filter(|it| it.ready && it.fault == "none")
            .count();
        let requestor = &record.requestor;
        processes.push(look(
            &requestor.name,
            None,
            &requestor.process,
            requestor.metrics,
            "none",
        ));
        let answer = HttpClient::new(requestor.address, ONE_CALL).get("/upcheck");
        let answers = answer.is_ok_and(|answer| answer.status == 200);
        Self {
            answers,
            requestor_url: record.requestor_url.clone(),
            threshold: record.threshold,
            keys: record.public_keys.len(),
            can_sign: answers && honest >= usize::from(record.threshold),
            processes,
        }
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for process in &self.processes {
            let state = match (process.running, process.ready) {
                (false, _) => "not running",
                (true, false) => "not ready",
                (true, true) => "ready",
            };
            let pid = process
                .pid
                .map_or_else(|| "-".to_owned(), |pid| pid.to_string());
            let fault = match process.fault.as_str() {
                "none" => String::new(),
                fault => format!("  lies: {fault}"),
            };
            // Writing into a String never fails.
            writeln!(text, "{:<10} {pid:>8}  {state}{fault}", process.name).ok();
        }
        let can = if self.can_sign {
            "can sign"
        } else {
            "CANNOT sign"
        };
        writeln!(
            text,
            "{} keys, {} servers needed: the cluster {can}\n{}",
            self.keys, self.threshold, self.requestor_url
        )
        .ok();
        text
    }
}

const ONE_CALL: Duration = Duration::from_secs(2);
