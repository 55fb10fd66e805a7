//! Which run of the machine this is: tells a process that was killed from a disk that was put back.
//!
//! After `kill -9` the disk holds everything that was flushed, and the machine runs on. A start on a
//! machine that was booted anew, after a journal that nobody closed, is a power cut, a crash of the
//! machine, or a copy of a running server's disk: there what lies on the disk may be old.

use minicbor::{Decode, Encode};

use super::open::Start;

/// Random bytes that the kernel draws at each boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct BootId(#[cbor(n(0), with = "minicbor::bytes")] pub(crate) [u8; 16]);

impl BootId {
    /// Of this run; `None` where the kernel does not say.
    pub(crate) fn now() -> Option<Self> {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Option<Self> {
        let digits: String = text.trim().chars().filter(|digit| *digit != '-').collect();
        let mut bytes = [0; 16];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

/// Why marks may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The last frame was broken and cut.
    Torn,
    /// Nobody closed the journal, and the machine was booted since.
    OtherBoot,
}

/// Whether a start needs a floor, and why. Without a boot id nothing is taken for granted.
pub(crate) fn missing(start: &Start, last: Option<BootId>, now: Option<BootId>) -> Option<Missing> {
    if start.torn.is_some() {
        return Some(Missing::Torn);
    }
    let same_run = now.is_some() && now == last;
    (!start.clean && !start.created && !same_run).then_some(Missing::OtherBoot)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Option<BootId> = Some(BootId([1; 16]));
    const BEFORE: Option<BootId> = Some(BootId([2; 16]));

    fn start(created: bool, clean: bool) -> Start {
        Start {
            created,
            clean,
            torn: None,
        }
    }

    #[test]
    fn a_killed_process_needs_no_floor_and_a_crashed_machine_does() {
        assert_eq!(missing(&start(false, false), HERE, HERE), None);
        assert_eq!(
            missing(&start(false, false), BEFORE, HERE),
            Some(Missing::OtherBoot)
        );
    }

    #[test]
    fn a_journal_closed_in_order_needs_none_after_any_boot() {
        assert_eq!(missing(&start(false, true), BEFORE, HERE), None);
        assert_eq!(missing(&start(true, false), None, HERE), None);
    }

    #[test]
    fn an_unknown_run_is_taken_for_another() {
        for (last, now) in [(None, HERE), (HERE, None), (None, None)] {
            assert_eq!(
                missing(&start(false, false), last, now),
                Some(Missing::OtherBoot)
            );
        }
    }

    #[test]
    fn the_kernel_says_which_run_this_is() {
        assert!(BootId::now().is_some());
        let parsed = BootId::parse("00010203-0405-0607-0809-0a0b0c0d0e0f\n").unwrap();
        assert_eq!(parsed.0[15], 0x0f);
        assert_eq!(BootId::parse("nothing"), None);
    }
}
