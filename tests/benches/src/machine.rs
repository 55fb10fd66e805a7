//! Where it was measured, and what else ran there.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use symbolon_lab::{LabRecord, ProcessId};

/// The machine before anything of ours ran.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) adx: bool,
    pub(crate) kernel: String,
    pub(crate) softhsm: String,
    pub(crate) load_at_start: f64,
}

impl Machine {
    pub(crate) fn look() -> anyhow::Result<Self> {
        let info = read("/proc/cpuinfo")?;
        let field = |name: &str| {
            let mut lines = info.lines().filter_map(|line| line.split_once(':'));
            let found = lines.find(|(key, _)| key.trim() == name);
            found.map_or("?", |(_, value)| value.trim()).to_owned()
        };
        let load = read("/proc/loadavg")?;
        let load = load.split(' ').next().unwrap_or_default();
        Ok(Self {
            cores: thread::available_parallelism().map_or(1, usize::from),
            processor: format!(
                "{} (family {}, model {})",
                field("model name"),
                field("cpu family"),
                field("model")
            ),
            adx: field("flags").split(' ').any(|flag| flag == "adx"),
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            softhsm: said("softhsm2-util", "--version"),
            load_at_start: load.parse().context("/proc/loadavg")?,
        })
    }
}

/// How many processes share the cores.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(crate) struct Layout {
    pub(crate) servers: usize,
    pub(crate) threshold: u16,
}

impl Layout {
    pub(crate) const fn of(record: &LabRecord) -> Self {
        Self {
            servers: record.servers.len(),
            threshold: record.threshold,
        }
    }
}

/// Time that a process spent on processors, in steps of 10 ms.
pub(crate) fn processor_time(process: &ProcessId) -> anyhow::Result<Duration> {
    let path = format!("/proc/{}/stat", process.pid);
    let stat = read(&path)?;
    ticks(&stat).context(path)
}

/// Fields 14 and 15; the name in field 2 may hold anything.
fn ticks(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let per_second = rustix::param::clock_ticks_per_second();
    let ticks = user.checked_add(system)?;
    Some(Duration::from_millis(
        ticks.checked_mul(1000)?.checked_div(per_second)?,
    ))
}

fn read(path: &str) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| path.to_owned())
}

fn said(program: &str, argument: &str) -> String {
    match Command::new(program).arg(argument).output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(_) => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_a_process_are_found_whatever_its_name() {
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0";
        let expected = 200_000 / rustix::param::clock_ticks_per_second();
        assert_eq!(ticks(stat), Some(Duration::from_millis(expected)));
        assert_eq!(ticks("7 (a) S 1"), None);
    }
}
