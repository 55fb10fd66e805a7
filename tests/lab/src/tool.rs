//! Runs commands of `symbolon` as a person would, and keeps a record of them.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::LabError;

/// The `symbolon` program with a record of what it was asked and what it said.
#[derive(Debug, Clone)]
pub(crate) struct Tool {
    pub(crate) program: PathBuf,
    pub(crate) record: PathBuf,
}

impl Tool {
    /// Runs one command; gives its standard output.
    pub(crate) fn run(&self, arguments: &[&OsStr]) -> Result<String, LabError> {
        let line = shell_line(arguments);
        let output = Command::new(&self.program)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(LabError::io("run", &self.program))?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        self.write(&format!("$ {line}\n{stderr}{stdout}\n"))?;
        if output.status.success() {
            return Ok(stdout);
        }
        let said = if stderr.trim().is_empty() {
            stdout
        } else {
            stderr
        };
        let said = format!("{} ({})", said.trim(), output.status);
        Err(LabError::Command { line, said })
    }

    /// One write for each command, so that commands at the same time do not mix.
    fn write(&self, text: &str) -> Result<(), LabError> {
        File::options()
            .create(true)
            .append(true)
            .open(&self.record)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(LabError::io("write", &self.record))
    }
}

/// The command line as one could type it.
fn shell_line(arguments: &[&OsStr]) -> String {
    let mut line = "symbolon".to_owned();
    for argument in arguments {
        let text = argument.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
        line.push(' ');
        if !text.is_empty() && text.chars().all(plain) {
            line.push_str(&text);
        } else {
            line.push_str(&format!("'{}'", text.replace('\'', "'\\''")));
        }
    }
    line
}

/// The last lines of a log, for messages.
pub(crate) fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines
        .get(lines.len().saturating_sub(TAIL)..)
        .unwrap_or_default()
        .join("\n")
}

const TAIL: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(folder: &Path, program: &str) -> Tool {
        Tool {
            program: program.into(),
            record: folder.join("commands.log"),
        }
    }

    #[test]
    fn what_was_asked_and_said_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let echo = tool(folder.path(), "/bin/echo");
        assert_eq!(
            echo.run(&["a b".as_ref(), "it's".as_ref()]).unwrap(),
            "a b it's\n"
        );
        let record = std::fs::read_to_string(&echo.record).unwrap();
        assert_eq!(record, "$ symbolon 'a b' 'it'\\''s'\na b it's\n\n");
    }

    #[test]
    fn a_failure_tells_the_line_and_what_was_said() {
        let folder = tempfile::tempdir().unwrap();
        let error = tool(folder.path(), "/bin/ls")
            .run(&["/nowhere-at-all".as_ref()])
            .unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("symbolon /nowhere-at-all\n"), "{text}");
        assert!(text.contains("No such file"), "{text}");
    }

    #[test]
    fn the_tail_of_a_log_is_short() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        assert_eq!(tail(&log), "");
        std::fs::write(&log, (0..50).map(|n| format!("{n}\n")).collect::<String>()).unwrap();
        assert_eq!(tail(&log).lines().count(), TAIL);
        assert!(tail(&log).ends_with("49"));
    }
}
