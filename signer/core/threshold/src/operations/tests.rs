//! What a burst, a lone request and a liar cost, counted.

use std::sync::LazyLock;

use super::*;
use crate::{
    BatchItem, BatchPartial, Combined, GroupPublicKey, HashedRoot, LagrangeCache, PartialSignature,
    Polynomial, PublicShare, RootSigner, Scale, SecretShare, ShareIndex, SubgroupCheck, Threshold,
    Verification, blame_batch, check_batch, sign_batch, verify_batch,
};

const BURST: usize = 313;

/// Keys of one 3-of-5 group and the shares of three members.
struct Fixture {
    cache: LagrangeCache,
    keys: Vec<GroupPublicKey>,
    /// By member, then by key.
    shares: [Vec<SecretShare>; 3],
    /// Of the first member, by key.
    public: Vec<PublicShare>,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: LazyLock<Fixture> = LazyLock::new(make_fixture);
    &FIXTURE
}

fn make_fixture() -> Fixture {
    let threshold = Threshold::new(3, 5).unwrap();
    let indices = [1u64, 2, 3, 4, 5].map(|number| ShareIndex::try_from(number).unwrap());
    let scale = Scale::for_group(&indices, threshold).unwrap();
    let mut fixture = Fixture {
        cache: LagrangeCache::new(&indices, threshold, scale).unwrap(),
        keys: Vec::new(),
        shares: Default::default(),
        public: Vec::new(),
    };
    for number in 1..=BURST as u64 {
        let polynomial = Polynomial::from_source(threshold, |degree, wide| {
            wide.fill(degree as u8 + 1);
            wide[40..].copy_from_slice(&number.to_be_bytes());
        })
        .unwrap();
        fixture
            .keys
            .push(polynomial.commitment().group_public_key());
        for (member, index) in fixture.shares.iter_mut().zip(indices) {
            member.push(polynomial.share(index).unwrap().scaled(scale));
        }
        fixture
            .public
            .push(fixture.shares[0][number as usize - 1].public_share());
    }
    fixture
}

fn combine_all(fixture: &Fixture, members: &[Vec<PartialSignature>]) -> Vec<Combined> {
    let combined = (0..BURST).map(|key| {
        let partials: Vec<_> = members.iter().map(|partials| partials[key]).collect();
        fixture.cache.combine(&partials).unwrap()
    });
    combined.collect()
}

fn items<'a>(
    fixture: &'a Fixture,
    root: &'a HashedRoot,
    combined: &'a [Combined],
) -> Vec<BatchItem<'a>> {
    let items = fixture.keys.iter().zip(combined);
    items.map(|(key, combined)| (key, root, combined)).collect()
}

fn spent(hashes: u64, miller_loops: u64, final_exponentiations: u64, tables: u64) -> Operations {
    Operations {
        hashes,
        miller_loops,
        final_exponentiations,
        tables,
    }
}

#[test]
fn burst_of_one_root_is_one_hash_and_one_equation() {
    let fixture = fixture();
    // Each server is a process of its own.
    let answers: Vec<_> = (0..3)
        .map(|member| {
            let (cost, partials) = Operations::during(|| {
                sign_batch(&fixture.shares[member], &HashedRoot::new(&[1; 32]))
            });
            assert_eq!(cost, spent(1, 0, 0, 1), "member {member}");
            partials
        })
        .collect();

    let (cost, signatures) = Operations::during(|| {
        let root = HashedRoot::new(&[1; 32]);
        let combined = combine_all(fixture, &answers);
        check_batch(&items(fixture, &root, &combined), [9; 32]).unwrap()
    });
    assert_eq!(cost, spent(1, 2, 1, 0));
    assert_eq!(signatures.len(), BURST);

    // One liar: the equation that fails, one that names him, one for the rest.
    let root = HashedRoot::new(&[1; 32]);
    let wrong = HashedRoot::new(&[2; 32]);
    let mut lied = answers;
    lied[0][BURST / 2] = fixture.shares[0][BURST / 2].sign(&wrong);
    let combined = combine_all(fixture, &lied);
    let (cost, rejected) =
        Operations::during(|| check_batch(&items(fixture, &root, &combined), [9; 32]));
    assert!(rejected.is_err());
    assert_eq!(cost, spent(0, 2, 1, 0));
    let (cost, failure) =
        Operations::during(|| verify_batch(&items(fixture, &root, &combined), [9; 32]));
    assert_eq!(failure.unwrap_err().bad, [BURST / 2]);
    // 313 halves nine times; both halves are asked at most, and the one left over once more.
    assert!(cost.final_exponentiations <= 2 * 9 + 2, "{cost:?}");
    assert_eq!(cost.miller_loops, 2 * cost.final_exponentiations);
    let claims: Vec<BatchPartial<'_>> = fixture
        .public
        .iter()
        .zip(&lied[0])
        .map(|(share, partial)| (share, &root, partial))
        .collect();
    let (cost, blamed) =
        Operations::during(|| blame_batch(&claims, [8; 32], SubgroupCheck::Skip, 1));
    assert_eq!(blamed, [BURST / 2]);
    assert!(cost.final_exponentiations <= 2 * 9 + 2, "{cost:?}");
}

#[test]
fn lone_request_hashes_once_and_begins_early() {
    let fixture = fixture();
    let root = HashedRoot::new(&[3; 32]);
    let (cost, partials) =
        Operations::during(|| [0, 1, 2].map(|member| fixture.shares[member][0].sign(&root)));
    assert_eq!(cost, spent(0, 0, 0, 0));
    let combined = fixture.cache.combine(&partials).unwrap();

    let (cost, early) = Operations::during(|| Verification::begin(&fixture.keys[0], &root));
    assert_eq!(cost, spent(0, 1, 0, 0));
    let (cost, signature) = Operations::during(|| early.finish(&combined));
    assert_eq!(cost, spent(0, 1, 1, 0));
    let (cost, whole) = Operations::during(|| combined.verify(&fixture.keys[0], &root));
    assert_eq!(cost, spent(0, 2, 1, 0));
    assert_eq!(signature, whole);
}

#[test]
fn two_roots_share_one_equation() {
    let fixture = fixture();
    let roots = [HashedRoot::new(&[4; 32]), HashedRoot::new(&[5; 32])];
    let root = |key: usize| &roots[usize::from(key > 200)];
    let answers: Vec<Vec<_>> = (0..3)
        .map(|member| {
            let shares = fixture.shares[member].iter().enumerate();
            shares.map(|(key, share)| share.sign(root(key))).collect()
        })
        .collect();
    let combined = combine_all(fixture, &answers);
    let items: Vec<BatchItem<'_>> = fixture
        .keys
        .iter()
        .enumerate()
        .map(|(at, key)| (key, root(at), &combined[at]))
        .collect();
    let (cost, signatures) = Operations::during(|| check_batch(&items, [7; 32]));
    assert_eq!(signatures.map(|all| all.len()), Ok(BURST));
    assert_eq!(cost, spent(0, 3, 1, 0));
}

#[test]
fn signer_of_a_root_makes_one_table() {
    let fixture = fixture();
    let shares = &fixture.shares[0];
    let (cost, signer) = Operations::during(|| {
        let signer = RootSigner::new(HashedRoot::new(&[6; 32]));
        let partials = [
            signer.sign_batch(&shares[..100]),
            signer.sign_batch(&shares[100..]),
        ];
        assert_eq!(
            (partials[0][0], BURST),
            (signer.sign(&shares[0]), partials.concat().len())
        );
        signer
    });
    assert_eq!(cost, spent(1, 0, 0, 1));
    assert!(signer.table().is_some());

    let (cost, _) = Operations::during(|| {
        RootSigner::without_table(HashedRoot::new(&[6; 32])).sign_batch(&shares[..100])
    });
    assert_eq!(cost, spent(1, 0, 0, 0));
    let (cost, _) = Operations::during(|| sign_batch(&shares[..8], signer.root()));
    assert_eq!(cost, spent(0, 0, 0, 0));
    let (cost, _) = Operations::during(|| sign_batch(&shares[..9], signer.root()));
    assert_eq!(cost, spent(0, 0, 0, 1));
}
