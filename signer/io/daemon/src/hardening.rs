//! What a process does before it touches a secret: no core dumps, no debugger, private files.

use std::fmt;

use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, set_dumpable_behavior,
    setrlimit, umask,
};

/// What holds for this process, read back from the system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a protection that could not be had must at least be logged"]
#[non_exhaustive]
pub struct Hardening {
    /// No core dump is ever written (`RLIMIT_CORE` is 0, hard and soft).
    pub no_core_dump: bool,
    /// Other processes of this user can neither trace it nor read its memory
    /// (`PR_SET_DUMPABLE` is 0); root still can.
    pub not_traceable: bool,
    /// New files are for their owner only (umask 077).
    pub private_files: bool,
}

impl Hardening {
    /// Whether everything holds.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.no_core_dump && self.not_traceable && self.private_files
    }
}

impl fmt::Display for Hardening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.no_core_dump, "core dumps off"),
            (self.not_traceable, "tracing off"),
            (self.private_files, "umask 077"),
        ];
        for (index, (holds, what)) in parts.into_iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let not = if holds { "" } else { " FAILED" };
            write!(f, "{comma}{what}{not}")?;
        }
        Ok(())
    }
}

/// Hardens this process, and its children where the system hands that down. Never fails: the
/// report says what could not be had, and the program decides.
pub fn harden() -> Hardening {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let limited = setrlimit(Resource::Core, none).is_ok();
    let set = set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok();
    let private = Mode::RWXG | Mode::RWXO;
    umask(private);
    Hardening {
        no_core_dump: limited && getrlimit(Resource::Core) == none,
        not_traceable: set
            && dumpable_behavior().is_ok_and(|now| now == DumpableBehavior::NotDumpable),
        // Setting it again is the only way to ask.
        private_files: umask(private) == private,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn everything_holds_afterwards() {
        let report = harden();
        assert!(report.is_complete(), "{report}");
        assert_eq!(report.to_string(), "core dumps off, tracing off, umask 077");
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"))
            .unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"").unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn failure_is_visible() {
        let report = Hardening {
            no_core_dump: true,
            not_traceable: false,
            private_files: true,
        };
        assert!(!report.is_complete());
        assert!(report.to_string().contains("tracing off FAILED"));
    }
}
