//! The deterministic vectors of `tests/vectors/ceremony`: inputs and every intermediate value.
//!
//! Envelopes are computed a second time here from the documented derivations, so that a vector
//! shows the shared secret and the key besides what a deal holds.

use hkdf::Hkdf;
use p256::SecretKey;
use serde_json::{Value, json};
use sha2::Sha256;
use symbolon_ceremony::derive::possession_message;
use symbolon_ceremony::wire::{CeremonyReply, CeremonyRequest};
use symbolon_ceremony::*;
use symbolon_threshold::{PartialSignature, Polynomial};

use super::attacks::{ATTACKER, Stage, VICTIM, deal_attacks};
use super::forge::{Forger, envelope, plain_shares, scalar};
use super::*;

/// File names with their contents.
pub fn all() -> Vec<(&'static str, String)> {
    [
        ("dkg-2-of-3.json", dkg(3, 2, 1)),
        ("dkg-3-of-5.json", dkg(5, 3, 2)),
        ("import-2-of-3.json", import()),
        ("refusals.json", refusals()),
        ("disputes.json", disputes()),
        ("wire.json", wire_types()),
    ]
    .into_iter()
    .map(|(name, value)| (name, serde_json::to_string_pretty(&value).unwrap() + "\n"))
    .collect()
}

fn described(description: &str, mut value: Value) -> Value {
    value["description"] = json!(description);
    value["source"] = json!("example `ceremony_vectors` of symbolon-ceremony");
    value["derivations"] = json!("module `derive` of symbolon-ceremony");
    value["license"] = json!("Apache-2.0");
    value
}

fn dkg(n: u16, t: u16, keys: u16) -> Value {
    let mut cluster = Cluster::new(n);
    let plan = cluster.plan("vectors", t, keys);
    let deals = cluster.deals(&plan);
    let verified = cluster.verified(&plan);
    let polynomials: Vec<Vec<Polynomial>> = (1..=n)
        .map(|number| {
            let sealed = cluster.servers[&number].shell.seeds[&verified.id()];
            let seed = Seed::new(Locked::take_from(&mut sealed.clone()).unwrap());
            let polynomial = |key| {
                Polynomial::from_source(verified.threshold(), |degree, wide| {
                    seed.coefficient(verified.id(), key, degree as u16, wide);
                })
            };
            (0..u32::from(keys))
                .map(|key| polynomial(key).unwrap())
                .collect()
        })
        .collect();
    let seeds: Vec<[u8; 32]> = cluster
        .servers
        .values()
        .map(|server| server.shell.seeds[&verified.id()])
        .collect();
    let dealt = deals.iter().zip(&polynomials).zip(&seeds);
    let dealt: Vec<Value> = dealt
        .map(|((deal, polynomials), seed)| deal_vector(&verified, deal, polynomials, *seed))
        .collect();
    let made = cluster.finish(plan, deals);
    let description = format!("a DKG of {keys} keys, {t} of {n}");
    described(&description, group_vector(&cluster, &made, &dealt))
}

fn import() -> Value {
    let mut cluster = Cluster::new(3);
    let offers = cluster.offers("vectors");
    let secrets = || vec![scalar("imported key 0"), scalar("imported key 1")];
    let keys: Vec<_> = secrets()
        .iter()
        .map(|key| key.public_point().into())
        .collect();
    let nonce = bytes("nonce of the import");
    let plan = draft("vectors", 2)
        .import(NETWORK, cluster.roster(), nonce, OPERATOR, &keys, &offers)
        .unwrap();
    let plan = cosign(plan);
    let verified = cluster.verified(&plan);
    for server in cluster.servers.values_mut() {
        server
            .ask(CeremonyRequest::Plan(plan.clone().into()))
            .unwrap();
    }
    let sealed = bytes("seed of the import");
    let seed = || Seed::new(Locked::take_from(&mut sealed.clone()).unwrap());
    let deal = deal_import(&verified, &seed(), secrets()).unwrap();
    let deal = deal.sign(&identity(OPERATOR)).unwrap().to_bytes();
    let polynomials: Vec<Polynomial> = (0..)
        .zip(secrets())
        .map(|(key, secret)| {
            Polynomial::with_constant(&secret, verified.threshold(), |degree, wide| {
                seed().coefficient(verified.id(), key, degree as u16, wide);
            })
            .unwrap()
        })
        .collect();
    let dealt = vec![deal_vector(&verified, &deal, &polynomials, sealed)];
    let made = cluster.finish(plan, vec![deal]);
    let mut value = group_vector(&cluster, &made, &dealt);
    let exposed = |key: &SecretScalar| key.expose(|bytes| hex::encode(bytes));
    value["imported_keys"] = json!(secrets().iter().map(exposed).collect::<Vec<_>>());
    value["import_dealer"] = json!({
        "name": OPERATOR,
        "identity_secret": hex::encode(bytes(&format!("identity of {OPERATOR}"))),
    });
    described(
        "an import of 2 keys, 2 of 3: coefficient 0 is the imported key",
        value,
    )
}

/// Everything behind one deal.
fn deal_vector(
    plan: &VerifiedPlan,
    bytes: &[u8],
    polynomials: &[Polynomial],
    sealed: [u8; 32],
) -> Value {
    let signed = Signed::<Deal>::from_bytes(NETWORK, bytes).unwrap();
    let deal = signed.unverified().value().clone();
    let seed = Seed::new(Locked::take_from(&mut sealed.clone()).unwrap());
    let id = DealerId::from_number(deal.dealer);
    let keys: Vec<Value> = (0..)
        .zip(polynomials)
        .map(|(key, polynomial)| {
            let commitment = polynomial.commitment();
            let message = possession_message(plan.id(), id, key, commitment.constant());
            let at = key as usize * 96;
            let coefficients: Vec<String> = (0..plan.threshold().t())
                .map(|degree| match (degree, id) {
                    (0, DealerId::Import) => polynomial.constant().expose(|b| hex::encode(b)),
                    _ => {
                        let mut wide = [0; 48];
                        seed.coefficient(plan.id(), key, degree as u16, &mut wide);
                        let scalar = SecretScalar::from_wide(&wide).unwrap();
                        scalar.expose(|bytes| hex::encode(bytes))
                    }
                })
                .collect();
            json!({
                "coefficients": coefficients,
                "commitments": commitment.points().map(|p| hex::encode(p.to_compressed())).collect::<Vec<_>>(),
                "possession_message": hex::encode(message),
                "proof": hex::encode(&deal.proofs[at..at + 96]),
            })
        })
        .collect();
    let envelopes: Vec<Value> = plan
        .receivers()
        .iter()
        .zip(&deal.envelopes)
        .map(|(receiver, made)| {
            let secret = seed.ephemeral(plan.id(), receiver.index).unwrap();
            let plain = plain_shares(polynomials, receiver.index);
            let again = envelope(plan, deal.dealer, receiver.index, &secret, &plain);
            assert_eq!(again, *made, "the envelope follows from the documentation");
            envelope_vector(plan, deal.dealer, receiver, &secret, made, &plain)
        })
        .collect();
    json!({
        "dealer": deal.dealer,
        "seed": hex::encode(sealed),
        "keys": keys,
        "envelopes": envelopes,
        "body": hex::encode(signed.unverified().body()),
        "hash": hex::encode(signed.unverified().digest()),
        "signed": hex::encode(bytes),
    })
}

fn envelope_vector(
    plan: &VerifiedPlan,
    dealer: u16,
    receiver: &PlannedReceiver,
    secret: &SecretKey,
    made: &EncryptedShares,
    plain: &[u8],
) -> Value {
    let shared = shared_secret(secret, &receiver.key).unwrap();
    let shared = shared.expose(|bytes| *bytes);
    let index = receiver.index.get();
    let prk = Hkdf::<Sha256>::new(Some(b"symbolon-ceremony-v1/envelope"), &shared);
    let mut key = [0; 32];
    let parts = [
        &plan.id().0[..],
        &dealer.to_be_bytes(),
        &index.to_be_bytes(),
        made.ephemeral.as_slice(),
    ];
    prk.expand_multi_info(&parts, &mut key).unwrap();
    json!({
        "receiver": index,
        "ephemeral_secret": hex::encode(secret.to_bytes()),
        "ephemeral": hex::encode(made.ephemeral.as_slice()),
        "shared": hex::encode(shared),
        "key": hex::encode(key),
        "plaintext": hex::encode(plain),
        "ciphertext": hex::encode(made.ciphertext.as_slice()),
    })
}

/// Inputs and results of a finished ceremony.
fn group_vector(cluster: &Cluster, made: &Made, deals: &[Value]) -> Value {
    let group = cluster.group(made);
    let epoch = |number: u32| KeyRef {
        group: group.label().clone(),
        group_epoch: GroupEpoch(number),
    };
    let members: Vec<Value> = cluster
        .servers
        .values()
        .zip(&made.confirmations)
        .zip(&made.activations)
        .map(|((server, confirmation), activation)| {
            let shell = &server.shell;
            let name = member_name(shell.number);
            let signed = Signed::<Confirmation>::from_bytes(NETWORK, confirmation).unwrap();
            let key = |number| hex::encode(shell.keys[&epoch(number)].to_bytes());
            let offer = made_offer(&group, shell.number);
            json!({
                "index": shell.number,
                "name": name,
                "identity_secret": hex::encode(bytes(&format!("identity of {name}"))),
                "encryption_secret": key(1),
                "encryption_key": hex::encode(offer.key.compressed()),
                "next_encryption_secret": key(2),
                "shares": shell.shares[&made.id].iter().map(hex::encode).collect::<Vec<_>>(),
                "confirmation_body": hex::encode(signed.unverified().body()),
                "confirmation": hex::encode(confirmation),
                "activation": hex::encode(activation),
            })
        })
        .collect();
    let guardians = GUARDIANS.map(|name| {
        json!({ "name": name, "secret": hex::encode(bytes(&format!("identity of {name}"))) })
    });
    let terms = group.plan().plan();
    let public = |shares: &Vec<symbolon_threshold::PublicShare>| {
        shares
            .iter()
            .map(|share| hex::encode(share.point().to_compressed()))
            .collect::<Vec<_>>()
    };
    json!({
        "network": hex::encode(NETWORK.0),
        "roster_body": hex::encode(Unsigned::new(NETWORK, cluster.roster().clone()).body()),
        "roster_hash": hex::encode(cluster.chain.hash()),
        "cluster": hex::encode(terms.cluster.0),
        "guardians": guardians,
        "group": terms.group.as_str(),
        "nonce": hex::encode(terms.nonce.as_slice()),
        "threshold": terms.threshold,
        "keys": terms.keys,
        "plan_body": hex::encode(group.plan().unsigned().body()),
        "plan": hex::encode(&made.plan),
        "ceremony": made.id.to_string(),
        "deals": deals,
        "transcript": group.transcript().to_string(),
        "group_keys": group.group_keys().iter().map(|key| hex::encode(key.to_compressed())).collect::<Vec<_>>(),
        "public_shares": group.public_shares().iter().map(public).collect::<Vec<_>>(),
        "members": members,
        "certificate": hex::encode(&made.certificate),
        "descriptor": hex::encode(&made.descriptor),
        "signing": signing_vector(cluster, made, &group),
    })
}

fn made_offer(group: &Group, number: u16) -> Offer {
    let (_, receiver) = group.plan().receiver(index(number.into())).unwrap();
    let place = group
        .members()
        .iter()
        .position(|member| member == receiver)
        .unwrap();
    value(&group.plan().plan().receivers[place].offer)
}

/// The first key signs a root, with the first t members.
fn signing_vector(cluster: &Cluster, made: &Made, group: &Group) -> Value {
    let root = bytes("the signing root of the vectors");
    let hashed = HashedRoot::new(&root);
    let signers: Vec<u16> = cluster
        .servers
        .keys()
        .copied()
        .take(group.threshold().t())
        .collect();
    let sign = |scale: Scale| -> Vec<PartialSignature> {
        let share = |number: &u16| {
            cluster
                .shares(made, *number)
                .remove(0)
                .scaled(scale)
                .sign(&hashed)
        };
        signers.iter().map(share).collect()
    };
    let combine = |scale: Scale| {
        let cache = LagrangeCache::new(&group.indices(), group.threshold(), scale).unwrap();
        let combined = cache.combine(&sign(scale)).unwrap();
        combined
            .verify(&group.group_keys()[0], &hashed)
            .unwrap()
            .to_compressed()
    };
    assert_eq!(combine(Scale::PLAIN), combine(group.scale()));
    let encode = |partial: &PartialSignature| hex::encode(partial.to_uncompressed());
    json!({
        "root": hex::encode(root),
        "scale": group.scale().to_u64(),
        "signers": signers,
        "partials_plain": sign(Scale::PLAIN).iter().map(encode).collect::<Vec<_>>(),
        "partials_scaled": sign(group.scale()).iter().map(encode).collect::<Vec<_>>(),
        "signature": hex::encode(combine(group.scale())),
    })
}

/// Sets of deals with the error that each must give; honest deals are named by their dealer.
fn refusals() -> Value {
    let stage = Stage::new();
    let attacks: Vec<Value> = deal_attacks(&stage)
        .into_iter()
        .map(|attack| {
            let deals = attack.deals.iter().map(|deal| {
                let honest = stage.deals.iter().position(|honest| honest == deal);
                honest.map_or_else(|| json!(hex::encode(deal)), |place| json!(place + 1))
            });
            json!({
                "name": attack.name,
                "deals": deals.collect::<Vec<_>>(),
                "code": attack.code,
                "culprit": attack.culprit,
                "proved": attack.proved,
            })
        })
        .collect();
    let value = json!({
        "network": hex::encode(NETWORK.0),
        "roster_hash": hex::encode(stage.cluster.chain.hash()),
        "plan": hex::encode(&stage.plan_bytes),
        "receiver": VICTIM,
        "honest_deals": stage.deals.iter().map(hex::encode).collect::<Vec<_>>(),
        "refusals": attacks,
    });
    described(
        "sets of deals that are refused; a number stands for that dealer's honest deal",
        value,
    )
}

/// Complaints with openings, and whom they convict.
fn disputes() -> Value {
    let stage = Stage::new();
    let id = stage.plan.id();
    let mut cases = Vec::new();
    for (name, change) in [
        (
            "4 a wrong share",
            (|forger| forger.reseal(VICTIM, |plain| plain[0] ^= 1)) as fn(&mut Forger),
        ),
        ("5 an envelope that does not open", |forger| {
            forger.deal.envelopes[3].ciphertext[5] ^= 1;
        }),
        ("14 a share of zero", |forger| {
            forger.reseal(VICTIM, |plain| plain[..32].fill(0))
        }),
        ("7 a false complaint", |_| {}),
    ] {
        let mut forger = Forger::new(&stage.plan, ATTACKER);
        change(&mut forger);
        let deal = forger.sign();
        let signed = Signed::<Deal>::from_bytes(NETWORK, &deal).unwrap();
        let hash = DealHash(signed.unverified().digest());
        let complaint = Complaint {
            ceremony: id,
            member: VICTIM,
            dealer: ATTACKER,
            deal: hash,
            reason: ComplaintReason::DoesNotOpen,
        };
        let opening = Opening {
            ceremony: id,
            dealer: ATTACKER,
            receiver: VICTIM,
            deal: hash,
            ephemeral: <[u8; 32]>::from(forger.ephemerals[3].to_bytes()).into(),
        };
        let complaint = sign_as(&member_name(VICTIM), complaint);
        let opening = sign_as(&member_name(ATTACKER), opening);
        let messages = [
            stage.plan_bytes.clone(),
            deal.clone(),
            complaint.clone(),
            opening.clone(),
        ];
        let report = audit(&stage.cluster.chain, &messages, &[1; 32]).unwrap();
        let [finding] = report.findings.as_slice() else {
            panic!("{:?}", report.findings)
        };
        cases.push(json!({
            "name": name,
            "deal": hex::encode(deal),
            "complaint": hex::encode(complaint),
            "opening": hex::encode(opening),
            "code": finding.code(),
            "culprit": finding.culprit.to_string(),
        }));
    }
    let plan = hex::encode(&stage.plan_bytes);
    let roster = hex::encode(stage.cluster.chain.hash());
    let value = json!({
        "network": hex::encode(NETWORK.0),
        "roster_hash": roster,
        "plan": plan,
        "disputes": cases,
    });
    described(
        "one deal, the complaint of member 4, the opening of member 2, the verdict",
        value,
    )
}

/// One example of every type on the wire and on disk: a change of any is a change of format.
fn wire_types() -> Value {
    let mut cluster = Cluster::new(3);
    let made = cluster.dkg("wire", 2, 1);
    let complaint = Complaint {
        ceremony: made.id,
        member: 1,
        dealer: 2,
        deal: DealHash([1; 32]),
        reason: ComplaintReason::WrongShare,
    };
    let opening = Opening {
        ceremony: made.id,
        dealer: 2,
        receiver: 1,
        deal: DealHash([1; 32]),
        ephemeral: [2; 32].into(),
    };
    let small = |text: &str| text.as_bytes().to_vec().into();
    let group = GroupLabel::new("wire").unwrap();
    let requests = [
        CeremonyRequest::Offer {
            group,
            group_epoch: GroupEpoch::FIRST,
        },
        CeremonyRequest::Plan(small("plan")),
        CeremonyRequest::Deals {
            ceremony: made.id,
            deals: vec![small("deal")],
        },
        CeremonyRequest::Certificate(small("certificate")),
        CeremonyRequest::Complaint(small("complaint")),
        CeremonyRequest::Status(Some(made.id)),
        CeremonyRequest::Recover {
            plan: small("plan"),
            deals: vec![small("deal")],
            certificate: small("certificate"),
        },
    ];
    let replies = [
        CeremonyReply::Offer(small("offer")),
        CeremonyReply::Deal(small("deal")),
        CeremonyReply::Accepted(made.id),
        CeremonyReply::Confirmation(small("confirmation")),
        CeremonyReply::Complaint(small("complaint")),
        CeremonyReply::Activation(small("activation")),
        CeremonyReply::Opening(small("opening")),
        CeremonyReply::Status(cluster.server(1).participant.status(None)),
        StepError::Signature.to_reply(),
    ];
    let offer = cluster.offers("wire").remove(0);
    let records: Vec<String> = cluster
        .server(1)
        .shell
        .records
        .iter()
        .map(hex::encode)
        .collect();
    let value = json!({
        "offer": hex::encode(offer),
        "plan": hex::encode(&made.plan),
        "deal": hex::encode(&made.deals[0]),
        "confirmation": hex::encode(&made.confirmations[0]),
        "certificate": hex::encode(&made.certificate),
        "activation": hex::encode(&made.activations[0]),
        "complaint": hex::encode(sign_as("server-1", complaint)),
        "opening": hex::encode(sign_as("server-2", opening)),
        "group": hex::encode(&made.descriptor),
        "requests": requests.iter().map(|one| hex::encode(one.to_bytes())).collect::<Vec<_>>(),
        "replies": replies.iter().map(|one| hex::encode(one.to_bytes())).collect::<Vec<_>>(),
        "records": records,
    });
    described("one example of every type on the wire and on disk", value)
}
