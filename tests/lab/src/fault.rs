//! The ways in which a server of the laboratory lies.

use core::fmt;
use core::str::FromStr;
use std::io;
use std::path::Path;
use std::time::Duration;

use symbolon_daemon::files::{self, FileError};
use symbolon_protocol::sign::{Refusal, RefusalCode, SignAnswer, SignBatch, SignReply};
use symbolon_threshold::{HashedRoot, SecretScalar, SecretShare, ShareIndex};

/// What a server does instead of answering as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultMode {
    /// Nothing: the true program.
    None,
    /// Partial signatures that are valid points, made with another scalar than the share.
    Wrong,
    /// Bytes that are no point in place of partial signatures.
    Garbage,
    /// Never an answer.
    Silent,
    /// The true answer, late.
    Slow(Duration),
    /// A refusal of everything.
    Refuse(RefusalCode),
    /// The true partial signatures under the claim of an older group epoch.
    OldEpoch,
}

/// What leaves in place of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Falsified {
    /// This reply, after a while.
    Reply(Duration, SignReply),
    /// Nothing.
    Silence,
}

impl FaultMode {
    /// What leaves in place of a true reply. Refusals in it stay: the lie is in the signatures.
    #[must_use]
    pub fn falsify(self, batch: &SignBatch, mut reply: SignReply) -> Falsified {
        let mut delay = Duration::ZERO;
        match self {
            Self::None => {}
            Self::Silent => return Falsified::Silence,
            Self::Slow(time) => delay = time,
            Self::Wrong => {
                let member = reply.member;
                for (item, answer) in batch.items.iter().zip(&mut reply.answers) {
                    if let SignAnswer::Partial(partial) = answer
                        && let Some(point) = other_scalar(member, item.signing_root.as_bytes())
                    {
                        partial.point = point.into();
                    }
                }
            }
            Self::Garbage => {
                for answer in &mut reply.answers {
                    if let SignAnswer::Partial(partial) = answer {
                        partial.point = [NO_POINT; 192].into();
                    }
                }
            }
            Self::Refuse(code) => {
                let refusal = Refusal::new(code, "this laboratory server refuses everything");
                reply.answers.fill(SignAnswer::Refused(refusal));
            }
            Self::OldEpoch => {
                for answer in &mut reply.answers {
                    if let SignAnswer::Partial(partial) = answer {
                        partial.group_epoch = partial.group_epoch.saturating_sub(1);
                    }
                }
            }
        }
        Falsified::Reply(delay, reply)
    }

    /// The mode in a control file; a file that is not there means none.
    ///
    /// # Errors
    ///
    /// The file cannot be read or names no mode.
    pub fn read(control: &Path) -> io::Result<Self> {
        let text = match files::read_bounded(control, 100) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(FileError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                return Ok(Self::None);
            }
            Err(error) => return Err(io::Error::other(error.to_string())),
        };
        text.trim()
            .parse()
            .map_err(|error: UnknownMode| io::Error::other(error.to_string()))
    }

    /// Writes a control file; the server's next reply follows it.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(self, control: &Path) -> Result<(), FileError> {
        files::write_atomic(control, format!("{self}\n").as_bytes())
    }
}

/// A partial signature as if by a server of the same index with another share.
fn other_scalar(member: u16, root: &[u8; 32]) -> Option<[u8; 192]> {
    let index = ShareIndex::try_from(u64::from(member)).ok()?;
    let scalar = SecretScalar::take_from(&mut [OTHER_SCALAR; 32]).ok()?;
    let partial = SecretShare::new(index, scalar).sign(&HashedRoot::new(root));
    Some(partial.to_uncompressed())
}

impl fmt::Display for FaultMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Wrong => f.write_str("wrong"),
            Self::Garbage => f.write_str("garbage"),
            Self::Silent => f.write_str("silent"),
            Self::Slow(time) => write!(f, "slow={}", time.as_millis()),
            Self::Refuse(code) => write!(f, "refuse={code}"),
            Self::OldEpoch => f.write_str("old-epoch"),
        }
    }
}

/// A text that names no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no fault: expected wrong, garbage, silent, slow=MILLISECONDS, refuse (or refuse=CODE, \
     such as refuse=overloaded), old-epoch or none"
)]
pub struct UnknownMode(String);

impl FromStr for FaultMode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        let unknown = || UnknownMode(text.chars().take(40).collect());
        match text.split_once('=').unwrap_or((text, "")) {
            ("none", "") => Ok(Self::None),
            ("wrong", "") => Ok(Self::Wrong),
            ("garbage", "") => Ok(Self::Garbage),
            ("silent", "") => Ok(Self::Silent),
            ("slow", time) => {
                let time = time.parse::<u32>().map_err(|_| unknown())?;
                Ok(Self::Slow(Duration::from_millis(u64::from(time))))
            }
            ("refuse", "") => Ok(Self::Refuse(RefusalCode::DeviceUnavailable)),
            ("refuse", name) => {
                let code = RefusalCode::ALL.iter().find(|code| code.name() == name);
                code.copied().map(Self::Refuse).ok_or_else(unknown)
            }
            ("old-epoch", "") => Ok(Self::OldEpoch),
            _ => Err(unknown()),
        }
    }
}

/// Coordinates of this byte are above the field's modulus.
const NO_POINT: u8 = 0xff;
const OTHER_SCALAR: u8 = 0x17;

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_duties::{Duty, Epoch, SigningRoot, ValidatorPublicKey};
    use symbolon_protocol::sign::{PartialAnswer, SignItem};
    use symbolon_threshold::{PartialSignature, VerifyError};

    const ROOT: [u8; 32] = [5; 32];

    fn batch() -> SignBatch {
        let item = SignItem {
            key: ValidatorPublicKey([7; 48]),
            group_epoch: 1,
            duty: Duty::RandaoReveal { epoch: Epoch(3) },
            fork_version: None,
            signing_root: SigningRoot(ROOT),
        };
        SignBatch {
            id: [1; 16].into(),
            issued_at_ms: 1,
            ttl_ms: 1,
            items: vec![item; 2],
        }
    }

    fn share() -> SecretShare {
        let index = ShareIndex::try_from(4_u64).unwrap();
        SecretShare::new(index, SecretScalar::take_from(&mut [9; 32]).unwrap())
    }

    fn reply() -> SignReply {
        let point = share()
            .sign(&HashedRoot::new(&ROOT))
            .to_uncompressed()
            .into();
        let partial = PartialAnswer {
            group_epoch: 1,
            scale: 1,
            point,
        };
        let refusal = Refusal::new(RefusalCode::DoubleVote, "no");
        let answers = vec![SignAnswer::Partial(partial), SignAnswer::Refused(refusal)];
        SignReply {
            member: 4,
            batch: [2; 32].into(),
            answers,
        }
    }

    fn falsified(mode: &str) -> (Duration, SignReply) {
        let mode: FaultMode = mode.parse().unwrap();
        match mode.falsify(&batch(), reply()) {
            Falsified::Reply(delay, reply) => (delay, reply),
            Falsified::Silence => panic!("silence"),
        }
    }

    fn partial(reply: &SignReply) -> &PartialAnswer {
        match &reply.answers[0] {
            SignAnswer::Partial(partial) => partial,
            SignAnswer::Refused(refusal) => panic!("{refusal}"),
        }
    }

    #[test]
    fn wrong_is_a_valid_point_that_does_not_verify() {
        let (_, lie) = falsified("wrong");
        let index = share().index();
        let point = PartialSignature::from_uncompressed(index, &partial(&lie).point).unwrap();
        assert!(point.in_subgroup());
        let verdict = point.verify(&share().public_share(), &HashedRoot::new(&ROOT));
        assert_eq!(verdict, Err(VerifyError::Mismatch));
        assert_eq!(lie.answers[1], reply().answers[1], "refusals stay");
    }

    #[test]
    fn garbage_is_no_point() {
        let (_, lie) = falsified("garbage");
        assert!(
            PartialSignature::from_uncompressed(share().index(), &partial(&lie).point).is_err()
        );
    }

    #[test]
    fn the_other_modes_do_what_they_say() {
        assert_eq!(falsified("none"), (Duration::ZERO, reply()));
        assert_eq!(falsified("slow=250"), (Duration::from_millis(250), reply()));
        assert_eq!(
            FaultMode::Silent.falsify(&batch(), reply()),
            Falsified::Silence
        );
        let (_, old) = falsified("old-epoch");
        assert_eq!(partial(&old).group_epoch, 0);
        assert_eq!(partial(&old).point, partial(&reply()).point);
        for (mode, code) in [
            ("refuse", RefusalCode::DeviceUnavailable),
            ("refuse=double-vote", RefusalCode::DoubleVote),
        ] {
            let (_, refusals) = falsified(mode);
            let refused = |answer: &SignAnswer| match answer {
                SignAnswer::Refused(refusal) => refusal.code == code,
                SignAnswer::Partial(_) => false,
            };
            assert!(refusals.answers.iter().all(refused));
        }
    }

    #[test]
    fn modes_survive_the_control_file_and_others_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let control = folder.path().join("fault");
        assert_eq!(FaultMode::read(&control).unwrap(), FaultMode::None);
        for mode in [
            "none",
            "wrong",
            "garbage",
            "silent",
            "slow=12",
            "refuse=overloaded",
            "old-epoch",
        ] {
            let mode: FaultMode = mode.parse().unwrap();
            mode.write(&control).unwrap();
            assert_eq!(FaultMode::read(&control).unwrap(), mode);
        }
        for text in ["", "slow", "slow=x", "refuse=nonsense", "wrong=1", "lie"] {
            assert!(text.parse::<FaultMode>().is_err(), "{text}");
            std::fs::write(&control, text).unwrap();
            assert!(FaultMode::read(&control).is_err(), "{text}");
        }
    }
}
