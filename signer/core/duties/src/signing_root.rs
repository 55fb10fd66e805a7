//! From a duty to the 32 bytes that the BLS signature covers.

use crate::domain::{compute_domain, compute_signing_root};
use crate::duty::{Duty, DutyKind};
use crate::network::{ForkName, Network};
use crate::units::{Domain, Epoch, ForkVersion, Root, SigningRoot};

/// Why a duty has no signing root on this network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DutyError {
    /// The kind needs a fork version and none was given.
    #[error("{kind} needs a fork version; send the fork of its epoch")]
    MissingForkVersion {
        /// The kind of the duty.
        kind: DutyKind,
    },
    /// The fork version belongs to no fork that the network has scheduled.
    #[error(
        "fork version {version} is not in the schedule of network {network}; \
         check the network of the client, or update the fork schedule"
    )]
    UnknownForkVersion {
        /// The version given.
        version: ForkVersion,
        /// The network's name.
        network: String,
    },
    /// The deposit is meant for another chain.
    #[error(
        "the deposit is for genesis fork version {got}, but network {network} has {expected}; \
         nothing was signed"
    )]
    DepositForOtherNetwork {
        /// The version in the deposit.
        got: ForkVersion,
        /// The network's version.
        expected: ForkVersion,
        /// The network's name.
        network: String,
    },
}

/// The signing root of a duty on a network.
///
/// `fork_version` is the one that the requesting client takes to be in force; deposits,
/// registrations and exits from Deneb on have a fixed one, so it is not looked at for them.
///
/// # Errors
///
/// As [`signing_domain`].
pub fn signing_root(
    duty: &Duty,
    fork_version: Option<ForkVersion>,
    network: &Network,
) -> Result<SigningRoot, DutyError> {
    let domain = signing_domain(duty, fork_version, network)?;
    Ok(compute_signing_root(duty.object_root(), domain))
}

/// The domain under which a duty is signed on a network.
///
/// # Errors
///
/// A fork version that is missing or not in the network's schedule; a deposit for another network.
pub fn signing_domain(
    duty: &Duty,
    fork_version: Option<ForkVersion>,
    network: &Network,
) -> Result<Domain, DutyError> {
    let version = signing_fork_version(duty, fork_version, network)?;
    let genesis_validators_root = match duty.kind() {
        // Deposits and registrations are made before or apart from any chain state
        // (consensus-specs process_deposit, builder-specs): they have the zero root.
        DutyKind::Deposit | DutyKind::ValidatorRegistration => Root([0; 32]),
        _ => network.genesis_validators_root(),
    };
    Ok(compute_domain(
        duty.kind().domain_type(),
        version,
        genesis_validators_root,
    ))
}

/// The fork version under which a duty is signed, given the one that the client sent.
///
/// # Errors
///
/// As [`signing_domain`].
pub fn signing_fork_version(
    duty: &Duty,
    sent: Option<ForkVersion>,
    network: &Network,
) -> Result<ForkVersion, DutyError> {
    let expected = network.genesis_fork_version();
    match duty {
        Duty::ValidatorRegistration(_) => return Ok(expected),
        Duty::Deposit {
            genesis_fork_version: got,
            ..
        } if *got != expected => {
            let network = network.name().to_owned();
            return Err(DutyError::DepositForOtherNetwork {
                got: *got,
                expected,
                network,
            });
        }
        Duty::Deposit { .. } => return Ok(expected),
        Duty::VoluntaryExit(exit) => {
            if let Some(capella) = fixed_exit_version(network, exit.epoch) {
                return Ok(capella);
            }
        }
        _ => {}
    }
    let version = sent.ok_or(DutyError::MissingForkVersion { kind: duty.kind() })?;
    if network.forks().iter().any(|fork| fork.version == version) {
        return Ok(version);
    }
    Err(DutyError::UnknownForkVersion {
        version,
        network: network.name().to_owned(),
    })
}

/// EIP-7044: from Deneb on exits are signed under the fork version of Capella for ever, and clients
/// disagree on what they send.
fn fixed_exit_version(network: &Network, epoch: Epoch) -> Option<ForkVersion> {
    let deneb = network.fork(ForkName::Deneb)?;
    let capella = network.fork(ForkName::Capella)?;
    (epoch >= deneb.epoch).then_some(capella.version)
}
