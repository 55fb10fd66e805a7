//! Tables of multiples sign as blst does, for every share, batch size and edge.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod common;

use common::{index, root};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use symbolon_threshold::{
    CombTable, CombWidth, HashedRoot, PartialSignature, PublicScalar, RootSigner, SecretScalar,
    SecretShare, sign_batch,
};

const WIDTHS: [CombWidth; 2] = [CombWidth::Five, CombWidth::Six];

/// The order r of the groups, big-endian.
const ORDER: &str = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";

fn share(scalar: SecretScalar) -> SecretShare {
    SecretShare::new(index(1), scalar)
}

/// Reduced modulo r; `None` for a multiple of r.
fn reduced(number: [u8; 32]) -> Option<SecretShare> {
    let mut wide = [0; 48];
    wide[16..].copy_from_slice(&number);
    SecretScalar::from_wide(&wide).ok().map(share)
}

fn random(number: u64) -> SecretShare {
    reduced(Sha256::digest(format!("share {number}")).into()).unwrap()
}

/// r minus a small number.
fn below_order(distance: u8) -> SecretShare {
    let mut bytes: [u8; 32] = hex::decode(ORDER).unwrap().try_into().unwrap();
    // The lowest limb of r is 2^64 - 2^32 + 1.
    let low = u64::from_be_bytes(bytes[24..].try_into().unwrap()) - u64::from(distance);
    bytes[24..].copy_from_slice(&low.to_be_bytes());
    share(SecretScalar::take_from(&mut bytes).unwrap())
}

fn power_of_two(exponent: u32) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[31 - exponent as usize / 8] = 1 << (exponent % 8);
    bytes
}

/// Each share alone and all in one batch against blst.
fn assert_signs(shares: &[SecretShare]) {
    let root = HashedRoot::new(&root(1));
    let expected: Vec<_> = shares.iter().map(|share| share.sign(&root)).collect();
    let shares: Vec<&SecretShare> = shares.iter().collect();
    for width in WIDTHS {
        let table = CombTable::new(&root, width);
        assert_eq!(table.width(), width);
        assert_eq!(table.sign_batch(&shares), expected, "{width:?}");
        for (at, share) in shares.iter().enumerate() {
            assert_eq!(table.sign(share), expected[at], "share {at}, {width:?}");
        }
    }
}

#[test]
fn signs_with_the_smallest_and_largest_scalars() {
    let small = (1..=70u8).map(|number| {
        let mut bytes = [0; 32];
        bytes[31] = number;
        reduced(bytes).unwrap()
    });
    let large = (1..=70).map(below_order);
    assert_signs(&small.chain(large).collect::<Vec<_>>());
}

#[test]
fn signs_with_every_digit_at_every_position() {
    // d 2^(wj) has one digit; twice that, reduced, makes the uppermost addition a doubling.
    for (width, bits) in [(5u32, 255u32), (6, 252)] {
        let mut shares = Vec::new();
        for start in (0..=bits).step_by(width as usize) {
            let base = reduced(power_of_two(start)).unwrap();
            for digit in [
                1,
                2,
                (1 << (width - 1)) - 1,
                1 << (width - 1),
                (1 << width) - 1,
            ] {
                for factor in [digit, 2 * digit] {
                    let product = base.scalar().mul(&PublicScalar::from(factor)).unwrap();
                    shares.push(share(product));
                }
            }
        }
        assert_signs(&shares);
    }
}

#[test]
fn signs_with_runs_and_patterns_of_bits() {
    let mut shares: Vec<_> = (0..255)
        .step_by(7)
        .filter_map(|bit| reduced(power_of_two(bit)))
        .collect();
    for byte in [0x01, 0x0f, 0x55, 0x7f, 0x80, 0xaa, 0xf0, 0xff] {
        // From the top, from the bottom, all over.
        shares.extend(reduced([byte; 32]));
        for zeros in [1, 13, 31] {
            shares.extend(reduced(std::array::from_fn(|at| {
                if at < zeros { 0 } else { byte }
            })));
            shares.extend(reduced(std::array::from_fn(|at| {
                if at < zeros { byte } else { 0 }
            })));
        }
    }
    assert_signs(&shares);
}

#[test]
fn batches_of_any_size_sign_as_single_shares_do() {
    let root = HashedRoot::new(&root(2));
    let shares: Vec<_> = (0..515).map(random).collect();
    let expected: Vec<_> = shares.iter().map(|share| share.sign(&root)).collect();
    let references: Vec<_> = shares.iter().collect();
    let tables = WIDTHS.map(|width| CombTable::new(&root, width));
    let sizes = [
        0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 79, 80, 81, 255, 256, 257, 313, 511, 512, 513, 515,
    ];
    for size in sizes {
        assert_eq!(
            sign_batch(&shares[..size], &root),
            expected[..size],
            "{size}"
        );
        for table in &tables {
            let signed = table.sign_batch(&references[..size]);
            assert_eq!(signed, expected[..size], "{size}, {table:?}");
        }
    }
}

#[test]
fn members_keep_their_places() {
    let root = HashedRoot::new(&root(3));
    let shares: Vec<_> = (1..=40)
        .map(|number| SecretShare::new(index(number * 7), duplicate(&random(number))))
        .collect();
    let expected: Vec<PartialSignature> = shares.iter().map(|share| share.sign(&root)).collect();
    assert_eq!(sign_batch(&shares, &root), expected);
    for (share, partial) in shares.iter().zip(&expected) {
        assert_eq!(partial.index(), share.index());
        assert_eq!(partial.verify(&share.public_share(), &root), Ok(()));
    }
}

fn duplicate(share: &SecretShare) -> SecretScalar {
    share.scalar().mul(&PublicScalar::from(1)).unwrap()
}

#[test]
fn root_signer_makes_a_table_when_it_pays() {
    let shares: Vec<_> = (0..100).map(random).collect();
    let hashed = HashedRoot::new(&root(4));
    let expected: Vec<_> = shares.iter().map(|share| share.sign(&hashed)).collect();

    let lone = RootSigner::new(hashed.clone());
    for (at, share) in shares.iter().take(12).enumerate() {
        assert_eq!(lone.sign(share), expected[at]);
        let width = lone.table().map(CombTable::width);
        assert_eq!(width, (at >= 8).then_some(CombWidth::Five), "after {at}");
    }

    for (size, width) in [
        (8, None),
        (9, Some(CombWidth::Five)),
        (80, Some(CombWidth::Six)),
    ] {
        let burst = RootSigner::new(hashed.clone());
        assert_eq!(burst.sign_batch(&shares[..size]), expected[..size]);
        assert_eq!(burst.table().map(CombTable::width), width, "after {size}");
        assert_eq!(CombWidth::for_batch(size), width);
        assert_eq!(burst.sign(&shares[99]), expected[99]);
    }

    let never = RootSigner::without_table(hashed.clone());
    assert_eq!(never.sign_batch(&shares), expected);
    assert_eq!(never.sign(&shares[0]), expected[0]);
    assert!(never.table().is_none());
    assert_eq!(never.root(), &hashed);
}

#[test]
fn root_signer_serves_many_threads() {
    let shares: Vec<_> = (0..120).map(random).collect();
    let hashed = HashedRoot::new(&root(5));
    let expected = sign_batch(&shares, &hashed);
    let signer = RootSigner::new(hashed);
    std::thread::scope(|scope| {
        for (shares, expected) in shares.chunks(30).zip(expected.chunks(30)) {
            let signer = &signer;
            scope.spawn(move || assert_eq!(signer.sign_batch(shares), expected));
        }
    });
    assert!(signer.table().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_share_signs_as_blst_does(
        numbers in proptest::collection::vec(any::<[u8; 32]>(), 1..12),
        message in any::<[u8; 32]>(),
    ) {
        let root = HashedRoot::new(&message);
        let shares: Vec<_> = numbers.into_iter().filter_map(reduced).collect();
        let expected: Vec<_> = shares.iter().map(|share| share.sign(&root)).collect();
        prop_assert_eq!(sign_batch(&shares, &root), &expected[..]);
        let references: Vec<_> = shares.iter().collect();
        for width in WIDTHS {
            let table = CombTable::new(&root, width);
            prop_assert_eq!(table.sign_batch(&references), expected.clone());
            prop_assert_eq!(table.sign(&shares[0]), expected[0]);
        }
    }
}
