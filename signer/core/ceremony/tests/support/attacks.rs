//! Sets of deals that must be refused, each by name: attacks 1 to 17 of key generation as far as
//! they show in the deals. One table for the tests and for the vectors.

use p256::SecretKey;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use symbolon_ceremony::*;
use symbolon_threshold::{Polynomial, ProofOfPossession, SecretScalar};

use super::forge::*;
use super::*;

/// What must come of a set of deals at one receiver.
pub struct DealAttack {
    pub name: &'static str,
    pub deals: Vec<Vec<u8>>,
    pub code: &'static str,
    pub culprit: Option<u16>,
    pub proved: bool,
}

/// The cluster that all attacks happen in: 3-of-5, two keys; member 2 is dishonest, member 4 the
/// receiver that looks.
pub struct Stage {
    pub cluster: Cluster,
    pub plan_bytes: Vec<u8>,
    pub plan: VerifiedPlan,
    pub deals: Vec<Vec<u8>>,
}

pub const ATTACKER: u16 = 2;
pub const VICTIM: u16 = 4;

impl Stage {
    pub fn new() -> Self {
        let mut cluster = Cluster::new(5);
        let plan_bytes = cluster.plan("stage", 3, 2);
        let plan = cluster.verified(&plan_bytes);
        let deals = cluster.deals(&plan_bytes);
        Self {
            cluster,
            plan_bytes,
            plan,
            deals,
        }
    }

    /// The honest deals with the attacker's exchanged.
    pub fn with(&self, deal: Vec<u8>) -> Vec<Vec<u8>> {
        let mut deals = self.deals.clone();
        deals[usize::from(ATTACKER) - 1] = deal;
        deals
    }

    fn forged(&self, change: impl FnOnce(&mut Forger)) -> Vec<Vec<u8>> {
        let mut forger = Forger::new(&self.plan, ATTACKER);
        change(&mut forger);
        self.with(forger.sign())
    }

    fn resigned(&self, change: impl FnOnce(&mut Deal)) -> Vec<Vec<u8>> {
        self.forged(|forger| change(&mut forger.deal))
    }

    fn with_point(&self, at: usize, point: &[u8]) -> Vec<Vec<u8>> {
        self.resigned(|deal| deal.commitments[at..at + point.len()].copy_from_slice(point))
    }

    fn with_proof_point(&self, point: &[u8]) -> Vec<Vec<u8>> {
        self.resigned(|deal| deal.proofs[..point.len()].copy_from_slice(point))
    }

    fn with_proof(&self, id: CeremonyId, dealer: u16, key: u32) -> Vec<Vec<u8>> {
        self.forged(|forger| {
            let constant = forger.polynomials[0].constant();
            let point = constant.public_point().to_compressed();
            let proof = ProofOfPossession::prove(constant, &possession(id, dealer, key, &point));
            forger.deal.proofs[..96].copy_from_slice(&proof.to_compressed());
        })
    }
}

/// Every attack that shows in the deals.
pub fn deal_attacks(stage: &Stage) -> Vec<DealAttack> {
    let mut attacks = Vec::new();
    let mut proved = |name, code, deals| {
        let culprit = Some(ATTACKER);
        attacks.push(DealAttack {
            name,
            deals,
            code,
            culprit,
            proved: true,
        });
    };
    proved(
        "1 rogue key: the constant answers the others'",
        "proof-of-possession",
        rogue(stage),
    );
    let id = stage.plan.id();
    let other = CeremonyId([7; 32]);
    proved(
        "2 proof of another ceremony",
        "proof-of-possession",
        stage.with_proof(other, 2, 0),
    );
    proved(
        "2 proof of another dealer",
        "proof-of-possession",
        stage.with_proof(id, 1, 0),
    );
    proved(
        "2 proof of another key",
        "proof-of-possession",
        stage.with_proof(id, 2, 1),
    );
    proved(
        "3 an Ethereum signature as proof",
        "proof-of-possession",
        ethereum(stage),
    );
    for (name, point) in bad_points(48) {
        proved(name, "commitment-point", stage.with_point(0, &point));
    }
    let infinity = [&[0xc0][..], &[0; 47]].concat();
    proved(
        "13 infinity as a higher coefficient",
        "commitment-point",
        stage.with_point(96, &infinity),
    );
    for (name, point) in bad_points(96) {
        proved(name, "proof-point", stage.with_proof_point(&point));
    }
    for (name, point) in bad_ephemerals() {
        let deals = stage.resigned(|deal| deal.envelopes[0].ephemeral = point.into());
        proved(name, "ephemeral-point", deals);
    }
    for (name, change) in bad_counts() {
        proved(name.0, name.1, stage.resigned(change));
    }
    let mut suspected = |name, code, culprit, deals| {
        attacks.push(DealAttack {
            name,
            deals,
            code,
            culprit,
            proved: false,
        });
    };
    let attacker = Some(ATTACKER);
    let repeated = stage.forged(|forger| {
        let theirs = stolen_polynomials(stage, 1);
        *forger = Forger::with(&stage.plan, ATTACKER, theirs);
    });
    suspected(
        "16 equal commitments in two deals",
        "repeated-constant",
        attacker,
        repeated,
    );
    suspected(
        "16 group key at infinity",
        "coefficient-cancels",
        None,
        cancelling(stage),
    );
    suspected(
        "16 equal group keys in a batch",
        "repeated-group-key",
        None,
        equal_keys(stage),
    );
    let mut dropped = stage.deals.clone();
    dropped.remove(usize::from(ATTACKER) - 1);
    suspected("10 one deal dropped", "deal-missing", attacker, dropped);
    let mut doubled = stage.deals.clone();
    doubled[0] = doubled[1].clone();
    suspected("10 one deal doubled", "deal-doubled", attacker, doubled);
    let mut six = stage.deals.clone();
    six.push(six[1].clone());
    suspected("10 a deal too many", "deal-count", None, six);
    let mut truncated = stage.deals[1].clone();
    truncated.truncate(200);
    suspected(
        "10 a truncated deal",
        "deal-form",
        None,
        stage.with(truncated),
    );
    let mut stranger = Forger::new(&stage.plan, ATTACKER).deal;
    stranger.dealer = 9;
    let deal = sign_as(&member_name(ATTACKER), stranger.clone());
    suspected(
        "10 a deal of a member not in the plan",
        "deal-of-no-dealer",
        Some(9),
        stage.with(deal),
    );
    stranger.dealer = 0;
    let deal = sign_as(&member_name(ATTACKER), stranger);
    suspected(
        "12 a deal of index 0",
        "deal-of-no-dealer",
        Some(0),
        stage.with(deal),
    );
    let mut renamed = Forger::new(&stage.plan, ATTACKER).deal;
    renamed.dealer = 1;
    let mut deals = stage.deals.clone();
    deals[0] = sign_as(&member_name(ATTACKER), renamed);
    suspected(
        "12 a deal in another member's name",
        "deal-signature",
        Some(1),
        deals,
    );
    let mut altered = Forger::new(&stage.plan, ATTACKER).sign();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    suspected(
        "10 a deal altered on the way",
        "deal-signature",
        attacker,
        stage.with(altered),
    );
    let mut replayed = Forger::new(&stage.plan, ATTACKER).deal;
    replayed.ceremony = other;
    let deal = sign_as(&member_name(ATTACKER), replayed.clone());
    suspected(
        "11 a deal of another ceremony",
        "deal-of-another-ceremony",
        attacker,
        stage.with(deal),
    );
    let elsewhere = Unsigned::new(NetworkId([5; 32]), replayed);
    let deal = elsewhere
        .sign(&identity(&member_name(ATTACKER)))
        .unwrap()
        .to_bytes();
    suspected(
        "11 a deal of another network",
        "deal-form",
        None,
        stage.with(deal),
    );
    let long = vec![0; 4_000];
    suspected(
        "10 a deal longer than any of this plan",
        "deal-too-large",
        None,
        stage.with(long),
    );
    attacks
}

/// The last mover takes a constant of which it knows nothing but that the sum is its own key.
fn rogue(stage: &Stage) -> Vec<Vec<u8>> {
    let minus_one = symbolon_threshold::PublicScalar::from_be_bytes(&{
        let mut bytes = ORDER;
        bytes[31] = 0;
        bytes
    });
    let minus_one = minus_one.unwrap();
    let own = scalar("the attacker's own key");
    let others: Vec<_> = [1, 3, 4, 5]
        .iter()
        .map(|number| {
            let deal: Deal = value(&stage.deals[number - 1]);
            let point = deal.commitments[..48].try_into().unwrap();
            symbolon_threshold::G1Point::from_compressed(point).unwrap()
        })
        .collect();
    let one = symbolon_threshold::PublicScalar::from(1);
    let terms = others.iter().map(|point| (minus_one, point));
    let own_point = own.public_point();
    let constant =
        symbolon_threshold::G1Point::weighted_sum(terms.chain([(one, &own_point)])).unwrap();
    stage.resigned(|deal| {
        let point = constant.to_compressed();
        deal.commitments[..48].copy_from_slice(&point);
        // The best proof that it can make: with the key that it does know.
        let message = possession(deal.ceremony, ATTACKER, 0, &point);
        let proof = ProofOfPossession::prove(&own, &message);
        deal.proofs[..96].copy_from_slice(&proof.to_compressed());
    })
}

/// A signature under Ethereum's domain tag over the right message.
fn ethereum(stage: &Stage) -> Vec<Vec<u8>> {
    stage.forged(|forger| {
        let constant = forger.polynomials[0].constant();
        let root = HashedRoot::new(&bytes("any root"));
        let share = SecretShare::new(index(1), constant.mul(&1.into()).unwrap());
        let signature = share.sign(&root).to_uncompressed();
        let signature = symbolon_threshold::G2Point::from_uncompressed(&signature).unwrap();
        forger.deal.proofs[..96].copy_from_slice(&signature.to_compressed());
    })
}

/// What another dealer's seed gives: a collusion.
fn stolen_polynomials(stage: &Stage, dealer: u16) -> Vec<Polynomial> {
    let seed = stage.cluster.servers[&dealer].shell.seeds[&stage.plan.id()];
    let seed = Seed::new(Locked::take_from(&mut seed.clone()).unwrap());
    (0..stage.plan.keys())
        .map(|key| {
            Polynomial::from_source(stage.plan.threshold(), |degree, wide| {
                seed.coefficient(stage.plan.id(), key as u32, degree as u16, wide);
            })
            .unwrap()
        })
        .collect()
}

/// The sum of the other dealers' constants of a key, from seeds that were stolen.
fn stolen_sum(stage: &Stage, key: usize) -> SecretScalar {
    let others = [1, 3, 4, 5].map(|dealer| stolen_polynomials(stage, dealer));
    SecretScalar::sum(others.iter().map(|polynomials| polynomials[key].constant())).unwrap()
}

fn with_constants(stage: &Stage, constants: &[SecretScalar; 2]) -> Vec<Vec<u8>> {
    let threshold = stage.plan.threshold();
    let polynomial =
        |constant: &SecretScalar| polynomial_of(threshold, constant, "with stolen seeds");
    let polynomials = constants.iter().map(polynomial).collect();
    stage.with(Forger::with(&stage.plan, ATTACKER, polynomials).sign())
}

fn cancelling(stage: &Stage) -> Vec<Vec<u8>> {
    with_constants(stage, &[scalar("any"), negated(&stolen_sum(stage, 1))])
}

fn equal_keys(stage: &Stage) -> Vec<Vec<u8>> {
    let first = scalar("any");
    let sum = first.add(&stolen_sum(stage, 0)).unwrap();
    let second = sum.add(&negated(&stolen_sum(stage, 1))).unwrap();
    with_constants(stage, &[first, second])
}

fn bad_points(length: usize) -> Vec<(&'static str, Vec<u8>)> {
    let good = if length == 48 {
        scalar("any").public_point().to_compressed().to_vec()
    } else {
        ProofOfPossession::prove(&scalar("any"), b"any")
            .to_compressed()
            .to_vec()
    };
    let mut no_flag = good.clone();
    no_flag[0] &= 0x7f;
    let mut infinity_flag = good;
    infinity_flag[0] |= 0x40;
    let mut above_prime = vec![0xff; length];
    above_prime[0] = 0x9f;
    let mut infinity = vec![0; length];
    infinity[0] = 0xc0;
    let mut signed_infinity = infinity.clone();
    signed_infinity[0] = 0xe0;
    vec![
        ("13 a point without the flag of compression", no_flag),
        ("13 a point with the flag of infinity", infinity_flag),
        ("13 a coordinate above the field prime", above_prime),
        ("13 infinity", infinity),
        ("13 infinity with a sign", signed_infinity),
        ("13 a point outside the subgroup", off_subgroup(length)),
    ]
}

fn bad_ephemerals() -> Vec<(&'static str, [u8; 33])> {
    let mut off_curve = [0; 33];
    off_curve[0] = 2;
    // No point of P-256 has x = 1.
    off_curve[32] = 1;
    let mut above_prime = [0xff; 33];
    above_prime[0] = 3;
    let key = SecretKey::from_slice(&bytes("any ephemeral"))
        .unwrap()
        .public_key();
    let mut good: [u8; 33] = key.to_encoded_point(true).as_bytes().try_into().unwrap();
    good[0] = 5;
    let compact = good;
    good[0] = 4;
    let uncompressed = good;
    vec![
        ("13 an ephemeral key off the curve", off_curve),
        ("13 an ephemeral coordinate above the prime", above_prime),
        ("13 an ephemeral key in compact form", compact),
        (
            "13 an ephemeral key with the uncompressed flag",
            uncompressed,
        ),
        ("13 an ephemeral key at infinity", [0; 33]),
    ]
}

type Change = Box<dyn FnOnce(&mut Deal)>;

fn bad_counts() -> Vec<((&'static str, &'static str), Change)> {
    let commitments = |length: usize| -> Change {
        Box::new(move |deal| {
            let mut bytes = deal.commitments.to_vec();
            let points = bytes.clone();
            bytes.extend(points);
            bytes.truncate(length);
            deal.commitments = bytes.into();
        })
    };
    let proofs = |length: usize| -> Change {
        Box::new(move |deal| {
            let mut bytes = deal.proofs.to_vec();
            bytes.resize(length, 0xa0);
            deal.proofs = bytes.into();
        })
    };
    vec![
        (
            (
                "15 a commitment more: the threshold would rise",
                "commitment-count",
            ),
            commitments(7 * 48),
        ),
        (
            ("15 a commitment less", "commitment-count"),
            commitments(5 * 48),
        ),
        (("15 no commitments", "commitment-count"), commitments(0)),
        (
            ("15 a broken commitment", "commitment-count"),
            commitments(6 * 48 - 1),
        ),
        (("15 a proof more", "proof-count"), proofs(3 * 96)),
        (("15 a proof less", "proof-count"), proofs(96)),
        (
            ("15 an envelope less", "envelope-count"),
            Box::new(|deal| drop(deal.envelopes.pop())),
        ),
        (
            ("15 an envelope more", "envelope-count"),
            Box::new(|deal| deal.envelopes.push(deal.envelopes[0].clone())),
        ),
        (
            (
                "6 envelopes of two receivers swapped with their names",
                "envelope-count",
            ),
            Box::new(|deal| deal.envelopes.swap(0, 3)),
        ),
        (
            ("14 a share of the wrong length", "envelope-count"),
            Box::new(|deal| {
                let mut bytes = deal.envelopes[3].ciphertext.to_vec();
                bytes.push(0);
                deal.envelopes[3].ciphertext = bytes.into();
            }),
        ),
    ]
}
