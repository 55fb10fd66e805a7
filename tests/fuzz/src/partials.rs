//! Partial signatures of members that may lie: combined, checked, blamed.

use std::sync::OnceLock;

use symbolon_threshold::whole::{Split, WholeSecretKey};
use symbolon_threshold::{
    CombineError, GroupPublicKey, HashedRoot, LagrangeCache, PartialSignature, PublicShare, Scale,
    ShareIndex, Signature, SubgroupCheck, Threshold, blame, blame_batch,
};

use crate::Seed;
use crate::reader::Reader;

/// Four partials with their headers, and some bytes to write over them.
pub const MAX_LEN: usize = 1024;

/// Whatever partials arrive, the only signature that comes out is the whole key's, and exactly
/// those members are blamed whose partial is not the one of their share.
pub fn check(data: &[u8]) {
    let group = group();
    let mut reader = Reader(data);
    let mut partials = Vec::new();
    while !reader.is_empty() && partials.len() < 4 {
        partials.extend(partial(group, &mut reader));
    }
    let right = |partial: &PartialSignature| group.right.contains(partial);
    let wrong: Vec<ShareIndex> =
        partials.iter().filter(|partial| !right(partial)).map(PartialSignature::index).collect();
    assert_eq!(blame(&partials, &group.public, &group.root), wrong);
    bursts(group, &partials, &right);
    match group.cache.combine(&partials) {
        Ok(combined) => {
            assert_eq!(partials.len(), 3);
            assert!(partials.windows(2).all(|pair| pair[0].index() < pair[1].index()));
            match combined.verify(&group.key, &group.root) {
                Ok(signature) => assert_eq!(signature, group.signature),
                Err(_) => assert!(!wrong.is_empty()),
            }
        }
        Err(CombineError::TooFew { .. }) => assert!(partials.len() < 3),
        Err(CombineError::TooMany { .. }) => assert!(partials.len() > 3),
        Err(_) => {
            let rising = partials.windows(2).all(|pair| pair[0].index() < pair[1].index());
            let known = partials.iter().all(|partial| (1..=5).contains(&partial.index().get()));
            assert!(!rising || !known);
        }
    }
}

/// The check of a burst finds the same wrong ones as the check of each.
fn bursts(group: &Group, partials: &[PartialSignature], right: &dyn Fn(&PartialSignature) -> bool) {
    let known: Vec<_> = partials
        .iter()
        .filter_map(|partial| {
            let shares = group.public.iter();
            let share = shares.into_iter().find(|share| share.index() == partial.index())?;
            Some((share, &group.root, partial))
        })
        .collect();
    let expected: Vec<usize> =
        (0..known.len()).filter(|at| !right(known[*at].2)).collect();
    let found = blame_batch(&known, [9; 32], SubgroupCheck::EachPartial, known.len());
    assert_eq!(found, expected);
}

/// The partial of a member, as it should be, of another root, or with bytes written over it.
fn partial(group: &Group, reader: &mut Reader<'_>) -> Option<PartialSignature> {
    let index = ShareIndex::try_from(u64::from(reader.byte() % 8)).ok()?;
    let source = reader.byte();
    let member = usize::from(source >> 4) % group.right.len();
    let mut bytes = match source % 4 {
        0 => group.right[member].to_uncompressed(),
        1 => group.other_root[member].to_uncompressed(),
        2 => reader.array(),
        _ => {
            let mut bytes = group.right[member].to_uncompressed();
            bytes[usize::from(reader.byte()) % 192] ^= reader.byte();
            bytes
        }
    };
    // A negated point stays on the curve.
    if source & 8 != 0 {
        negate(&mut bytes);
    }
    PartialSignature::from_uncompressed(index, &bytes).ok()
}

/// Replaces y by p - y in both coordinates.
fn negate(bytes: &mut [u8; 192]) {
    for y in bytes[96..].chunks_exact_mut(48) {
        let mut borrow = 0_i16;
        for (digit, prime) in y.iter_mut().zip(PRIME).rev() {
            let difference = i16::from(prime) - i16::from(*digit) - borrow;
            borrow = i16::from(difference < 0);
            *digit = difference.rem_euclid(256).to_le_bytes()[0];
        }
    }
}

/// The prime of the field, big-endian.
const PRIME: [u8; 48] = [
    0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b, 0xa7, 0xb6, 0x43, 0x4b, 0xac, 0xd7,
    0x64, 0x77, 0x4b, 0x84, 0xf3, 0x85, 0x12, 0xbf, 0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0, 0xf6, 0x24,
    0x1e, 0xab, 0xff, 0xfe, 0xb1, 0x53, 0xff, 0xff, 0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab,
];

struct Group {
    key: GroupPublicKey,
    public: Vec<PublicShare>,
    cache: LagrangeCache,
    root: HashedRoot,
    /// What the members answer to `root`.
    right: Vec<PartialSignature>,
    /// What they answer to another root.
    other_root: Vec<PartialSignature>,
    signature: Signature,
}

/// 3 of 5, scaled as on the wire.
fn group() -> &'static Group {
    static GROUP: OnceLock<Group> = OnceLock::new();
    GROUP.get_or_init(|| {
        let whole = WholeSecretKey::take_from(&mut [5; 32]).unwrap();
        let threshold = Threshold::new(3, 5).unwrap();
        let indices = [1, 2, 3, 4, 5].map(|number: u64| ShareIndex::try_from(number).unwrap());
        let source = |degree: usize, wide: &mut [u8; 48]| wide.fill(degree.to_le_bytes()[0] + 1);
        let Split { commitment, shares } = whole.split(threshold, &indices, source).unwrap();
        let scale = Scale::for_group(&indices, threshold).unwrap();
        let root = HashedRoot::new(&[7; 32]);
        let signed = |root: &HashedRoot| -> Vec<PartialSignature> {
            let scaled = shares.iter().map(|share| share.scaled(scale));
            scaled.map(|share| share.sign(root)).collect()
        };
        let public = indices.iter().map(|index| commitment.public_share(*index).unwrap());
        Group {
            key: whole.public_key(),
            public: public.map(|share| share.scaled(scale)).collect(),
            right: signed(&root),
            other_root: signed(&HashedRoot::new(&[8; 32])),
            cache: LagrangeCache::new(&indices, threshold, scale).unwrap(),
            signature: whole.sign(&root),
            root,
        }
    })
}

/// Right partials, one of another root, one negated, one of another member, one that is no point.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let raw = group().right[1].to_uncompressed();
    vec![
        ("right", vec![1, 0x00, 3, 0x20, 5, 0x40]),
        ("right-raw", [&[1, 0x00, 2, 0x02][..], &raw, &[4, 0x30]].concat()),
        ("other-root", vec![1, 0x00, 3, 0x21, 5, 0x40]),
        ("negated", vec![1, 0x08, 3, 0x20, 5, 0x48]),
        ("swapped", vec![1, 0x20, 3, 0x00, 5, 0x40]),
        ("bent", vec![1, 0x00, 3, 0x23, 100, 1, 5, 0x40, 2, 0x10]),
        ("unordered", vec![3, 0x20, 1, 0x00, 5, 0x40]),
        ("too-few", vec![1, 0x00, 3, 0x20]),
    ]
}
