//! The attack that makes the proof of possession necessary: in a 4-of-5 group whose members 1 to 3
//! are dishonest, the last to deal ends up with the whole key, although every check of Feldman's
//! scheme passes at both honest members.

#[path = "../tests/support/mod.rs"]
pub(crate) mod support;

use p256::elliptic_curve::bigint::U256;
use p256::elliptic_curve::bigint::modular::runtime_mod::{DynResidue, DynResidueParams};
use symbolon_threshold::whole::WholeSecretKey;
use symbolon_threshold::{
    G1Point, HashedRoot, ProofOfPossession, PublicScalar, SecretScalar, SignerSet, lagrange_at_zero,
};

use crate::inspection::{CheckedDeals, SignedDeals};
use crate::outcome::{Outcome, Unsealed};
use crate::{Deal, DealFault, DealerId, Standing, VerifiedPlan};
use support::forge::{Forger, ORDER, envelope, possession, scalar};
use support::{Cluster, Server, bytes, index, sign_as, value};

const LAST: u16 = 3;
const HONEST: [u16; 2] = [4, 5];
const FRESH: [u8; 32] = [0x77; 32];

/// A number modulo the group order.
type Fr = DynResidue<4>;

fn number(value: i64) -> Fr {
    let params = DynResidueParams::new(&U256::from_be_slice(&ORDER));
    let magnitude = DynResidue::new(&U256::from_u64(value.unsigned_abs()), params);
    if value < 0 {
        magnitude.neg()
    } else {
        magnitude
    }
}

fn public(number: &Fr) -> PublicScalar {
    let mut bytes = [0; 32];
    for (to, word) in bytes
        .chunks_exact_mut(8)
        .zip(number.retrieve().as_words().iter().rev())
    {
        to.copy_from_slice(&word.to_be_bytes());
    }
    PublicScalar::from_be_bytes(&bytes).unwrap()
}

/// Coefficients, constant first, of the polynomial that is 1 at `own` and 0 at the other nodes.
fn basis(nodes: &[i64], own: i64) -> Vec<Fr> {
    let mut coefficients = vec![number(1)];
    for other in nodes.iter().filter(|other| **other != own) {
        let scale = number(own - other).invert().0;
        let mut next = vec![number(0); coefficients.len() + 1];
        for (degree, coefficient) in coefficients.iter().enumerate() {
            next[degree] = next[degree].add(&coefficient.mul(&number(-other)).mul(&scale));
            next[degree + 1] = next[degree + 1].add(&coefficient.mul(&scale));
        }
        coefficients = next;
    }
    coefficients
}

struct Attack {
    cluster: Cluster,
    plan: VerifiedPlan,
    deals: Vec<Vec<u8>>,
    key: SecretScalar,
}

/// Everybody deals; then member 3 chooses its commitments so that the sum is a key of its own.
fn attack() -> Attack {
    let mut cluster = Cluster::new(5);
    let plan = cluster.plan("cold", 4, 1);
    let mut deals = cluster.deals(&plan);
    let plan = cluster.verified(&plan);
    let key = scalar("the key that the attacker wants");
    let constants: Vec<G1Point> = deals
        .iter()
        .enumerate()
        .filter(|(place, _)| place + 1 != usize::from(LAST))
        .map(|(_, bytes)| {
            let deal: Deal = value(bytes);
            G1Point::from_compressed(deal.commitments[..48].try_into().unwrap()).unwrap()
        })
        .collect();
    let own = key.public_point();
    let minus_others = constants.iter().map(|point| (public(&number(-1)), point));
    let constant = [(public(&number(1)), &own)].into_iter().chain(minus_others);
    let constant = G1Point::weighted_sum(constant).unwrap();
    // Any numbers do for the honest members' shares; one free point more fixes the degree.
    let nodes = [0, 1, 4, 5];
    let shares = [scalar("free"), scalar("share of 4"), scalar("share of 5")];
    let mut values = vec![constant];
    values.extend(shares.iter().map(SecretScalar::public_point));
    let bases: Vec<Vec<Fr>> = nodes.iter().map(|node| basis(&nodes, *node)).collect();
    let commitments: Vec<u8> = (0..4)
        .flat_map(|degree| {
            let terms = bases.iter().zip(&values);
            let terms = terms.map(|(basis, point)| (public(&basis[degree]), point));
            G1Point::weighted_sum(terms).unwrap().to_compressed()
        })
        .collect();
    let mut forger = Forger::new(&plan, LAST);
    // No proof of the constant can be made; this one is of the key that it wants.
    let message = possession(plan.id(), LAST, 0, &constant.to_compressed());
    forger.deal.proofs = ProofOfPossession::prove(&key, &message)
        .to_compressed()
        .to_vec()
        .into();
    forger.deal.commitments = commitments.into();
    for (receiver, share) in HONEST.into_iter().zip(&shares[1..]) {
        let place = usize::from(receiver) - 1;
        let plain = share.expose(|bytes| *bytes);
        let secret = &forger.ephemerals[place];
        forger.deal.envelopes[place] =
            envelope(&plan, LAST, index(receiver.into()), secret, &plain);
    }
    deals[usize::from(LAST) - 1] = sign_as("server-3", forger.deal);
    Attack {
        cluster,
        plan,
        deals,
        key,
    }
}

/// What an honest member finds when it leaves the proofs out.
fn receive_without_proofs(server: &mut Server, attack: (&VerifiedPlan, &[Vec<u8>])) -> Outcome {
    let (plan, deals) = attack;
    let mut decoded = SignedDeals::parse(plan, deals)
        .unwrap()
        .decode(plan)
        .unwrap();
    decoded.check_constants().unwrap();
    decoded.decode_ephemerals(plan).unwrap();
    let deals = CheckedDeals::without_proofs(decoded);
    let me = index(server.shell.number.into());
    let mut unsealed = Unsealed::new(me);
    let key = server.shell.keys.values().next().unwrap().clone();
    for deal in deals.deals() {
        let peer = deal.ephemeral(plan, me).unwrap();
        let shared = crate::shared_secret(&key, peer).unwrap();
        unsealed.open_next(plan, &deals, &shared).unwrap();
    }
    assert_eq!(
        unsealed.wrong_dealer(&deals, &FRESH),
        None,
        "every Feldman check passes"
    );
    let outcome = Outcome::of(plan, &deals).unwrap();
    let share = unsealed.shares(1).unwrap().remove(0);
    let public = outcome.shares_of(plan, me).next().unwrap();
    assert_eq!(
        share.public_share(),
        *public,
        "the honest share fits the group"
    );
    outcome
}

#[test]
fn without_the_proof_one_member_ends_up_with_the_whole_key() {
    let Attack {
        mut cluster,
        plan,
        deals,
        key,
    } = attack();
    let root = HashedRoot::new(&bytes("a root"));
    let forged = WholeSecretKey::from(key).sign(&root);
    for number in HONEST {
        let outcome = receive_without_proofs(cluster.server(number), (&plan, &deals));
        assert!(
            forged.verify(&outcome.group_keys[0], &root).is_ok(),
            "signed by one alone"
        );
    }
}

#[test]
fn with_the_proof_the_ceremony_stops_and_names_the_attacker() {
    let Attack {
        mut cluster,
        plan,
        deals,
        ..
    } = attack();
    for number in HONEST {
        let error = cluster
            .server(number)
            .refuses(support::deals_request(plan.id(), &deals));
        let culprit = (DealerId::Member(index(LAST.into())), Standing::Proved);
        assert_eq!(
            (error.code(), error.culprit()),
            ("proof-of-possession", Some(culprit))
        );
    }
    let error = CheckedDeals::check(&plan, &deals, &FRESH).err().unwrap();
    assert_eq!(error.fault, DealFault::Proof { key: 0 });
}

/// The polynomials above are what they should be.
#[test]
fn bases_interpolate() {
    let nodes = SignerSet::new([1, 4, 5].map(index)).unwrap();
    let factors = lagrange_at_zero(&nodes);
    for (own, factor) in [1, 4, 5].into_iter().zip(factors) {
        let constant = public(&basis(&[1, 4, 5], own)[0]);
        assert_eq!(constant.to_be_bytes(), factor.to_be_bytes());
    }
}
