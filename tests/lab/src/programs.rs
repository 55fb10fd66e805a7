//! Where the real programs are, and how they get there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::LabError;

/// A folder with all programs that a cluster needs.
#[derive(Debug, Clone)]
pub struct Programs {
    folder: PathBuf,
}

/// A program of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The people's commands.
    Cli,
    /// The threshold server.
    Server,
    /// The requestor.
    Requestor,
    /// The worker that holds the PKCS#11 module.
    Worker,
    /// A server that lies on demand.
    LabServer,
}

impl Program {
    const ALL: [Self; 5] = [
        Self::Cli,
        Self::Server,
        Self::Requestor,
        Self::Worker,
        Self::LabServer,
    ];

    /// Its file name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cli => "symbolon",
            Self::Server => "symbolon-server",
            Self::Requestor => "symbolon-requestor",
            Self::Worker => "symbolon-hsm-worker",
            Self::LabServer => "symbolon-lab-server",
        }
    }

    /// The package that builds it.
    const fn package(self) -> &'static str {
        match self {
            Self::LabServer => "symbolon-lab",
            _ => self.name(),
        }
    }
}

impl Programs {
    /// The programs beside the running one; of a test, in the folder above. Missing ones are built
    /// there with cargo, where there is the source.
    ///
    /// # Errors
    ///
    /// They are missing and do not build.
    pub fn find() -> Result<Self, LabError> {
        let this =
            std::env::current_exe().map_err(LabError::io("find", Path::new("this program")))?;
        let beside = this.parent().unwrap_or(Path::new("."));
        let folder = match beside.file_name() {
            Some(name) if name == "deps" || name == "examples" => beside.parent().unwrap_or(beside),
            _ => beside,
        };
        let programs = Self {
            folder: folder.to_owned(),
        };
        if programs.missing().is_some() {
            programs.build()?;
        }
        match programs.missing() {
            None => Ok(programs),
            Some(path) => Err(LabError::NoProgram {
                path,
                command: programs.build_line(),
            }),
        }
    }

    /// The programs in `folder`.
    ///
    /// # Errors
    ///
    /// One is missing.
    pub fn in_folder(folder: &Path) -> Result<Self, LabError> {
        let programs = Self {
            folder: folder.to_owned(),
        };
        match programs.missing() {
            None => Ok(programs),
            Some(path) => Err(LabError::NoProgram {
                path,
                command: programs.build_line(),
            }),
        }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a program is.
    #[must_use]
    pub fn path(&self, program: Program) -> PathBuf {
        self.folder.join(program.name())
    }

    fn missing(&self) -> Option<PathBuf> {
        Program::ALL
            .into_iter()
            .map(|program| self.path(program))
            .find(|path| !path.is_file())
    }

    /// Builds into the folder: its name is the profile's, the folder above is cargo's target.
    fn build(&self) -> Result<(), LabError> {
        let root = workspace();
        if !root.join("Cargo.toml").is_file() {
            return Ok(());
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(self.build_arguments())
            .current_dir(&root)
            .output()
            .map_err(LabError::io("run cargo in", &root))?;
        if output.status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = text.lines().collect();
        let said = lines
            .get(lines.len().saturating_sub(20)..)
            .unwrap_or_default()
            .join("\n");
        Err(LabError::Build {
            command: self.build_line(),
            said,
        })
    }

    fn build_arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["build".into(), "--quiet".into()];
        for program in Program::ALL {
            arguments.extend(["-p".into(), program.package().into()]);
        }
        let profile = match self.folder.file_name() {
            Some(name) if name == "debug" => "dev".into(),
            Some(name) => name.to_owned(),
            None => "dev".into(),
        };
        arguments.extend(["--profile".into(), profile]);
        if let Some(target) = self.folder.parent() {
            arguments.extend(["--target-dir".into(), target.into()]);
        }
        arguments
    }

    fn build_line(&self) -> String {
        let mut line = "cargo".to_owned();
        for argument in self.build_arguments() {
            line.push(' ');
            line.push_str(&argument.to_string_lossy());
        }
        line
    }
}

fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_goes_into_the_folder_that_is_looked_in() {
        let programs = Programs {
            folder: "/t/release".into(),
        };
        let line = programs.build_line();
        assert!(line.contains("-p symbolon-server"), "{line}");
        assert!(line.contains("-p symbolon-lab"), "{line}");
        assert!(
            line.ends_with("--profile release --target-dir /t"),
            "{line}"
        );
        let programs = Programs {
            folder: "/t/debug".into(),
        };
        assert!(programs.build_line().contains("--profile dev"));
    }

    #[test]
    fn the_missing_program_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Programs::in_folder(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("/symbolon is missing; build it: cargo build"),
            "{error}"
        );
    }
}
