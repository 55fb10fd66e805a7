//! Groups, sources and fixtures for the tests of this crate.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use symbolon_threshold::whole::{Split, WholeSecretKey};
use symbolon_threshold::{
    GroupPublicKey, PartialSignature, PublicShare, Scale, SecretShare, ShareIndex, Threshold,
};

/// A group whose whole key is known, with shares in one scale.
pub struct Group {
    pub whole: WholeSecretKey,
    pub key: GroupPublicKey,
    pub threshold: Threshold,
    pub indices: Vec<ShareIndex>,
    pub scale: Scale,
    pub shares: Vec<SecretShare>,
    pub public: Vec<PublicShare>,
}

impl Group {
    pub fn new(t: u64, numbers: &[u64], seed: u64) -> Self {
        let indices: Vec<_> = numbers.iter().copied().map(index).collect();
        let threshold = Threshold::new(t, indices.len() as u64).unwrap();
        let whole = whole_key(seed);
        let Split { commitment, shares } = whole
            .split(threshold, &indices, source(&format!("group {seed}")))
            .unwrap();
        let public = indices
            .iter()
            .map(|index| commitment.public_share(*index).unwrap());
        let public = public.collect();
        let key = commitment.group_public_key();
        Self {
            whole,
            key,
            threshold,
            indices,
            scale: Scale::PLAIN,
            shares,
            public,
        }
    }

    /// t of the indices 1..=n.
    pub fn of(t: u64, n: u64, seed: u64) -> Self {
        Self::new(t, &(1..=n).collect::<Vec<_>>(), seed)
    }

    pub fn scaled(mut self) -> Self {
        self.scale = Scale::for_group(&self.indices, self.threshold).unwrap();
        self.shares = self
            .shares
            .iter()
            .map(|share| share.scaled(self.scale))
            .collect();
        self.public = self
            .public
            .iter()
            .map(|share| share.scaled(self.scale))
            .collect();
        self
    }

    pub fn share(&self, number: u64) -> &SecretShare {
        self.shares
            .iter()
            .find(|share| share.index() == index(number))
            .unwrap()
    }

    pub fn public(&self, number: u64) -> &PublicShare {
        self.public
            .iter()
            .find(|share| share.index() == index(number))
            .unwrap()
    }
}

pub fn index(number: u64) -> ShareIndex {
    ShareIndex::try_from(number).unwrap()
}

pub fn whole_key(seed: u64) -> WholeSecretKey {
    let mut bytes: [u8; 32] = Sha256::digest(format!("key {seed}")).into();
    bytes[0] &= 0x3f;
    WholeSecretKey::take_from(&mut bytes).unwrap()
}

/// A deterministic source of coefficients.
pub fn source(label: &str) -> impl FnMut(usize, &mut [u8; 48]) {
    move |degree, wide| {
        for (half, chunk) in wide.chunks_mut(24).enumerate() {
            let block = Sha256::digest(format!("{label} {degree} {half}"));
            chunk.copy_from_slice(&block[..24]);
        }
    }
}

pub fn root(number: u64) -> [u8; 32] {
    Sha256::digest(format!("root {number}")).into()
}

/// All sets of `t` items.
pub fn subsets<T: Clone>(items: &[T], t: usize) -> Vec<Vec<T>> {
    if t == 0 {
        return vec![Vec::new()];
    }
    (0..items.len())
        .flat_map(|at| {
            subsets(&items[at + 1..], t - 1)
                .into_iter()
                .map(move |mut rest| {
                    rest.insert(0, items[at].clone());
                    rest
                })
        })
        .collect()
}

/// A partial whose bytes are those of another point.
pub fn forged(index: ShareIndex, bytes: &[u8; 192]) -> PartialSignature {
    PartialSignature::from_uncompressed(index, bytes).unwrap()
}

/// A folder of the shared test data; `None` when it is missing outside of CI.
pub fn suite(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../../shared/suites"
    ));
    let path = path.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "the suite {folder} is missing"
    );
    println!("left out: the suite {folder} is missing");
    None
}

/// The JSON files of a folder, by file name; there must be some.
pub fn cases(folder: &Path) -> Vec<(String, serde_json::Value)> {
    let mut cases: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (
                name,
                serde_json::from_slice(&fs::read(path).unwrap()).unwrap(),
            )
        })
        .collect();
    assert!(!cases.is_empty(), "{} holds no case", folder.display());
    cases.sort_by(|(a, _), (b, _)| a.cmp(b));
    cases
}
