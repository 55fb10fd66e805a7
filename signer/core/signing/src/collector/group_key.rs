//! The public side of one validator key: what a collector checks answers against.

use std::sync::{Arc, OnceLock};

use symbolon_threshold::{GroupPublicKey, LagrangeCache, PublicShare, ShareIndex};

/// What all keys of one group have in common.
#[derive(Debug)]
pub struct GroupSigners {
    epoch: u32,
    lagrange: LagrangeCache,
}

/// One validator key of a group.
#[derive(Debug)]
pub struct GroupKey {
    group: Arc<GroupSigners>,
    public: GroupPublicKey,
    shares: Vec<(PublicShare, OnceLock<PublicShare>)>,
}

/// Public shares that do not belong to the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GroupKeyError {
    /// Not one public share a member, in the order of their indices.
    #[error(
        "key {key}: the public shares do not belong to the group's members, one each in order; \
         install the group's descriptor again"
    )]
    Shares {
        /// The key.
        key: GroupPublicKey,
    },
}

impl GroupSigners {
    /// The members, threshold and scale (in `lagrange`) of a group in its group epoch.
    #[must_use]
    pub const fn new(epoch: u32, lagrange: LagrangeCache) -> Self {
        Self { epoch, lagrange }
    }

    /// The group epoch.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Interpolation coefficients; knows members, threshold and scale too.
    #[must_use]
    pub const fn lagrange(&self) -> &LagrangeCache {
        &self.lagrange
    }

    /// Partial signatures needed.
    #[must_use]
    pub fn needed(&self) -> usize {
        self.lagrange.threshold().t()
    }
}

impl GroupKey {
    /// A key of `group` with the plain public shares of its members, by rising index.
    ///
    /// # Errors
    ///
    /// The shares are not one for each member.
    pub fn new(
        group: Arc<GroupSigners>,
        public: GroupPublicKey,
        shares: Vec<PublicShare>,
    ) -> Result<Self, GroupKeyError> {
        let members = group.lagrange.group().iter();
        if !members.eq(shares.iter().map(PublicShare::index)) {
            return Err(GroupKeyError::Shares { key: public });
        }
        let shares = shares
            .into_iter()
            .map(|share| (share, OnceLock::new()))
            .collect();
        Ok(Self {
            group,
            public,
            shares,
        })
    }

    /// The group that the key belongs to.
    #[must_use]
    pub const fn group(&self) -> &Arc<GroupSigners> {
        &self.group
    }

    /// The validator's public key.
    #[must_use]
    pub const fn public(&self) -> &GroupPublicKey {
        &self.public
    }

    /// One member's plain public share.
    #[must_use]
    pub fn plain_share(&self, member: ShareIndex) -> Option<&PublicShare> {
        self.shares
            .iter()
            .map(|(plain, _)| plain)
            .find(|share| share.index() == member)
    }

    /// One member's public share in the scale of the group's partials. The first call costs 90 us,
    /// so only suspicion asks for it.
    #[must_use]
    pub fn scaled_share(&self, member: ShareIndex) -> Option<&PublicShare> {
        let (plain, scaled) = self
            .shares
            .iter()
            .find(|(share, _)| share.index() == member)?;
        Some(scaled.get_or_init(|| plain.scaled(self.group.lagrange.scale())))
    }
}
