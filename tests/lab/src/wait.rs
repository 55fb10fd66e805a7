//! Waiting for conditions, not for time.

use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::LabError;
use crate::http::HttpClient;
use crate::process::ProcessId;
use crate::tool::tail;

/// Waits until `done` gives `Ok`, which it says in words why it is not yet.
pub(crate) fn until<T>(
    name: &str,
    process: &ProcessId,
    log: &Path,
    limit: Duration,
    mut done: impl FnMut() -> Result<T, String>,
) -> Result<T, LabError> {
    let started = Instant::now();
    loop {
        let last = match done() {
            Ok(value) => return Ok(value),
            Err(last) => last,
        };
        if !process.is_running() {
            let (name, log) = (name.to_owned(), log.to_owned());
            return Err(LabError::Died {
                name,
                tail: tail(&log),
                log,
            });
        }
        if started.elapsed() > limit {
            let (name, log) = (name.to_owned(), log.to_owned());
            let seconds = limit.as_secs();
            return Err(LabError::NotReady {
                name,
                seconds,
                last,
                tail: tail(&log),
                log,
            });
        }
        thread::sleep(POLL);
    }
}

/// Waits for `/readyz` on the metrics port.
pub(crate) fn until_ready(
    name: &str,
    process: &ProcessId,
    log: &Path,
    metrics: SocketAddr,
) -> Result<(), LabError> {
    let mut client = HttpClient::new(metrics, ONE_CALL);
    until(name, process, log, READY, || match client.get("/readyz") {
        Ok(answer) if answer.status == 200 => Ok(()),
        Ok(answer) => Err(format!(
            "status {}: {}",
            answer.status,
            answer.text().trim()
        )),
        Err(error) => Err(error.to_string()),
    })
}

pub(crate) const READY: Duration = Duration::from_secs(60);
const ONE_CALL: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::spawn_detached;

    #[test]
    fn a_process_that_ended_is_told_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let arguments = ["/nowhere-at-all".as_ref()];
        let program = Path::new("/bin/ls");
        let (mut child, id) =
            spawn_detached(program, &arguments, &[], folder.path(), &log).unwrap();
        child.wait().unwrap();
        let error = until("ls", &id, &log, READY, || Err::<(), _>("no".into())).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("ls ended; its log"), "{text}");
        assert!(text.contains("No such file"), "{text}");
    }

    #[test]
    fn patience_ends() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let arguments = ["60".as_ref()];
        let program = Path::new("/bin/sleep");
        let (mut child, id) =
            spawn_detached(program, &arguments, &[], folder.path(), &log).unwrap();
        let mut asked = 0;
        let limit = Duration::from_millis(60);
        let error = until("sleep", &id, &log, limit, || {
            asked += 1;
            Err::<(), _>(format!("asked {asked} times"))
        });
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("not ready after 0 s (asked")
        );
        assert!(asked > 1);
        id.kill().unwrap();
        child.wait().unwrap();
    }
}
