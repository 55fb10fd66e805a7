//! Where a PIN comes from. Never an argument, never an environment variable.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use symbolon_secmem::SecretBytes;
use zeroize::Zeroizing;

use crate::HsmError;

/// Where the worker gets the PIN.
#[derive(Debug)]
pub enum PinSource {
    /// The worker reads the file itself; this process never has the PIN. Works for a systemd
    /// credential too.
    File(PathBuf),
    /// This process has the PIN and sends it over the pipe.
    Given(SecretBytes),
}

impl PinSource {
    /// Asks for the PIN on the controlling terminal, without echo.
    ///
    /// # Errors
    ///
    /// [`HsmError::Policy`] when there is no terminal or nothing was typed.
    pub fn from_terminal(prompt: &str) -> Result<Self, HsmError> {
        let refuse = |what: &str| {
            HsmError::policy(format!("cannot ask for the PIN: {what}; give a PIN file"))
        };
        let mut terminal = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .map_err(|_| refuse("there is no terminal"))?;
        let before =
            tcgetattr(terminal.as_fd()).map_err(|_| refuse("the terminal has no settings"))?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal.as_fd(), OptionalActions::Flush, &silent)
            .map_err(|_| refuse("echo stays on"))?;
        let line = write!(terminal, "{prompt}: ").and_then(|()| read_bounded(&mut terminal, true));
        let restored = tcsetattr(terminal.as_fd(), OptionalActions::Flush, &before);
        let newline = writeln!(terminal);
        let pin = line.map_err(|error| refuse(&error.to_string()))?;
        restored.map_err(|_| refuse("the terminal was not restored"))?;
        newline.map_err(|error| refuse(&error.to_string()))?;
        finish(pin).map(Self::Given)
    }
}

/// Reads a PIN file: a regular file that only its owner can read; one line end is left out.
pub(crate) fn read_file(path: &Path) -> Result<SecretBytes, HsmError> {
    let refuse = |what: String| HsmError::policy(format!("PIN file {}: {what}", path.display()));
    let mut file: File = OpenOptions::new()
        .read(true)
        // A FIFO in its place must not block the worker.
        .custom_flags(O_NONBLOCK)
        .open(path)
        .map_err(|error| refuse(error.to_string()))?;
    let about = file.metadata().map_err(|error| refuse(error.to_string()))?;
    if !about.is_file() {
        return Err(refuse("is no regular file".to_owned()));
    }
    if about.mode() & 0o077 != 0 {
        return Err(refuse(format!(
            "others may read it (mode {:o}); run chmod 600 on it",
            about.mode() & 0o777
        )));
    }
    let pin = read_bounded(&mut file, false).map_err(|error| refuse(error.to_string()))?;
    finish(pin).map_err(|error| refuse(error.to_string()))
}

/// Reads at most [`PIN_MAX`] bytes (and one line end) without a buffer that is not wiped.
fn read_bounded(stream: &mut impl Read, one_line: bool) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut pin = Zeroizing::new(Vec::with_capacity(PIN_MAX + 3));
    let mut byte = Zeroizing::new([0_u8; 1]);
    while pin.len() < PIN_MAX + 3 && stream.read(byte.as_mut_slice())? == 1 {
        pin.push(byte[0]);
        if one_line && byte[0] == b'\n' {
            break;
        }
    }
    Ok(pin)
}

fn finish(mut pin: Zeroizing<Vec<u8>>) -> Result<SecretBytes, HsmError> {
    if pin.last() == Some(&b'\n') {
        pin.pop();
        if pin.last() == Some(&b'\r') {
            pin.pop();
        }
    }
    if !(1..=PIN_MAX).contains(&pin.len()) {
        return Err(HsmError::policy(format!("a PIN has 1 to {PIN_MAX} bytes")));
    }
    SecretBytes::take_from(&mut pin).map_err(|error| HsmError::policy(error.to_string()))
}

const PIN_MAX: usize = 255;
#[expect(
    clippy::cast_possible_wrap,
    reason = "a flag of one bit, far below the sign"
)]
const O_NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(content: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pin");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (dir, path)
    }

    #[test]
    fn reads_one_line_without_its_end() {
        for content in [&b"123456"[..], b"123456\n", b"123456\r\n"] {
            let (_dir, path) = file(content, 0o600);
            assert!(read_file(&path).unwrap().expose(|pin| pin == b"123456"));
        }
    }

    #[test]
    fn refuses_open_files_empty_files_and_folders() {
        let (dir, open) = file(b"123456", 0o644);
        let message = read_file(&open).unwrap_err().to_string();
        assert!(
            message.contains("chmod 600") && !message.contains("123456"),
            "{message}"
        );
        assert!(read_file(dir.path()).is_err());
        for content in [&b""[..], b"\n", &[b'1'; PIN_MAX + 1]] {
            let (_dir, path) = file(content, 0o600);
            assert!(read_file(&path).is_err());
        }
    }
}
