//! Domains: what keeps a signature for one purpose, fork and chain from counting for another
//! (consensus-specs `compute_domain`, `compute_signing_root`).

use core::fmt;

use crate::ssz::{TreeRoot, container};
use crate::units::{Domain, ForkVersion, Root, SigningRoot};

/// The four bytes that name a purpose.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DomainType(pub [u8; 4]);

impl DomainType {
    /// `DOMAIN_BEACON_PROPOSER`.
    pub const BEACON_PROPOSER: Self = Self([0, 0, 0, 0]);
    /// `DOMAIN_BEACON_ATTESTER`.
    pub const BEACON_ATTESTER: Self = Self([1, 0, 0, 0]);
    /// `DOMAIN_RANDAO`.
    pub const RANDAO: Self = Self([2, 0, 0, 0]);
    /// `DOMAIN_DEPOSIT`.
    pub const DEPOSIT: Self = Self([3, 0, 0, 0]);
    /// `DOMAIN_VOLUNTARY_EXIT`.
    pub const VOLUNTARY_EXIT: Self = Self([4, 0, 0, 0]);
    /// `DOMAIN_SELECTION_PROOF`.
    pub const SELECTION_PROOF: Self = Self([5, 0, 0, 0]);
    /// `DOMAIN_AGGREGATE_AND_PROOF`.
    pub const AGGREGATE_AND_PROOF: Self = Self([6, 0, 0, 0]);
    /// `DOMAIN_SYNC_COMMITTEE`.
    pub const SYNC_COMMITTEE: Self = Self([7, 0, 0, 0]);
    /// `DOMAIN_SYNC_COMMITTEE_SELECTION_PROOF`.
    pub const SYNC_COMMITTEE_SELECTION_PROOF: Self = Self([8, 0, 0, 0]);
    /// `DOMAIN_CONTRIBUTION_AND_PROOF`.
    pub const CONTRIBUTION_AND_PROOF: Self = Self([9, 0, 0, 0]);
    /// `DOMAIN_APPLICATION_BUILDER` of builder-specs.
    pub const APPLICATION_BUILDER: Self = Self([0, 0, 0, 1]);
}

impl fmt::Debug for DomainType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DomainType(0x{})", hex::encode(self.0))
    }
}

/// `compute_domain(domain_type, fork_version, genesis_validators_root)`.
#[must_use]
pub fn compute_domain(
    domain_type: DomainType,
    fork_version: ForkVersion,
    genesis_validators_root: Root,
) -> Domain {
    let fork_data_root = container(&[fork_version.tree_root(), genesis_validators_root]);
    let mut bytes = [0; 32];
    let parts = domain_type.0.iter().chain(fork_data_root.as_bytes());
    for (to, from) in bytes.iter_mut().zip(parts) {
        *to = *from;
    }
    Domain(bytes)
}

/// `compute_signing_root`: the root of the object and the domain together.
#[must_use]
pub fn compute_signing_root(object_root: Root, domain: Domain) -> SigningRoot {
    SigningRoot(container(&[object_root, Root(domain.0)]).0)
}
