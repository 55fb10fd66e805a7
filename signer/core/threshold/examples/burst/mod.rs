//! Keys of a 3-of-5 group, without randomness: each run does the very same work.

use sha2::{Digest, Sha256};
use symbolon_threshold::{
    Combined, GroupPublicKey, HashedRoot, LagrangeCache, PartialSignature, Polynomial, Scale,
    SecretShare, ShareIndex, Threshold, sign_batch,
};

/// What servers and a requestor hold.
pub(crate) struct Burst {
    pub(crate) cache: LagrangeCache,
    pub(crate) keys: Vec<GroupPublicKey>,
    /// Of the members 1, 3 and 5, by key.
    pub(crate) shares: [Vec<SecretShare>; 3],
}

impl Burst {
    pub(crate) fn new(count: u32) -> Self {
        let threshold = Threshold::new(3, 5).unwrap();
        let indices = [1u64, 2, 3, 4, 5].map(|number| ShareIndex::try_from(number).unwrap());
        let scale = Scale::for_group(&indices, threshold).unwrap();
        let mut burst = Self {
            cache: LagrangeCache::new(&indices, threshold, scale).unwrap(),
            keys: Vec::new(),
            shares: Default::default(),
        };
        for key in 0..count {
            let polynomial = Polynomial::from_source(threshold, |degree, wide| {
                for (half, bytes) in wide.chunks_exact_mut(24).enumerate() {
                    let block = Sha256::digest(format!("key {key}, {degree}, {half}"));
                    bytes.copy_from_slice(&block[..24]);
                }
            });
            let polynomial = polynomial.unwrap();
            burst.keys.push(polynomial.commitment().group_public_key());
            for (shares, member) in burst.shares.iter_mut().zip([0, 2, 4]) {
                shares.push(polynomial.share(indices[member]).unwrap().scaled(scale));
            }
        }
        burst
    }

    /// The answers of three servers.
    pub(crate) fn partials(&self, root: &HashedRoot) -> [Vec<PartialSignature>; 3] {
        self.shares
            .each_ref()
            .map(|shares| sign_batch(shares, root))
    }

    /// The answers combined.
    pub(crate) fn combined(&self, partials: &[Vec<PartialSignature>; 3]) -> Vec<Combined> {
        let [first, third, fifth] = partials;
        let partials = first.iter().zip(third).zip(fifth);
        partials
            .map(|((first, third), fifth)| self.cache.combine(&[*first, *third, *fifth]).unwrap())
            .collect()
    }
}
