//! Wrong envelopes: the receiver complains, the dealer opens, the judge decides from files alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod support;

use support::attacks::{ATTACKER, Stage, VICTIM};
use support::forge::{Forger, ORDER, envelope};
use support::*;
use symbolon_ceremony::wire::{CeremonyReply, CeremonyRequest};
use symbolon_ceremony::*;

const FRESH: [u8; 32] = [0x5a; 32];

/// A ceremony in which the attacker's envelope for the victim is wrong.
struct Dispute {
    stage: Stage,
    forger: Forger,
    deals: Vec<Vec<u8>>,
    complaint: Vec<u8>,
}

impl Dispute {
    fn new(change: impl FnOnce(&mut Forger)) -> Self {
        let mut stage = Stage::new();
        let mut forger = Forger::new(&stage.plan, ATTACKER);
        change(&mut forger);
        let deals = stage.with(forger.sign());
        let request = deals_request(stage.plan.id(), &deals);
        let complaint = match stage.cluster.server(VICTIM).ask(request).unwrap() {
            CeremonyReply::Complaint(bytes) => bytes.to_vec(),
            other => panic!("expected a complaint, got {other:?}"),
        };
        Self {
            stage,
            forger,
            deals,
            complaint,
        }
    }

    /// The opening that the attacker signs, with this ephemeral secret.
    fn opening(&self, ephemeral: [u8; 32]) -> Vec<u8> {
        let complaint: Complaint = value(&self.complaint);
        let opening = Opening {
            ceremony: complaint.ceremony,
            dealer: ATTACKER,
            receiver: VICTIM,
            deal: complaint.deal,
            ephemeral: ephemeral.into(),
        };
        sign_as(&member_name(ATTACKER), opening)
    }

    fn true_opening(&self) -> Vec<u8> {
        let (place, _) = self.stage.plan.receiver(index(VICTIM.into())).unwrap();
        self.opening(self.forger.ephemerals[place].to_bytes().into())
    }

    fn messages(&self, more: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut messages = vec![self.stage.plan_bytes.clone()];
        messages.extend(self.deals.iter().cloned());
        messages.push(self.complaint.clone());
        messages.extend(more.iter().cloned());
        messages
    }

    fn judge(&self, more: &[Vec<u8>]) -> Vec<(&'static str, Culprit, Standing)> {
        judge_all(&self.stage, &self.messages(more))
    }
}

fn judge_all(stage: &Stage, messages: &[Vec<u8>]) -> Vec<(&'static str, Culprit, Standing)> {
    let report = audit(&stage.cluster.chain, messages, &FRESH).unwrap();
    assert_eq!(report.ceremony, stage.plan.id());
    let findings = report.findings.iter();
    findings
        .map(|finding| (finding.code(), finding.culprit, finding.standing))
        .collect()
}

fn dealer(number: u16) -> Culprit {
    Culprit::Dealer(DealerId::Member(index(number.into())))
}

#[test]
fn every_kind_of_wrong_envelope_names_its_dealer() {
    let receiver = index(VICTIM.into());
    type Change = Box<dyn FnOnce(&mut Forger)>;
    let reseal = |change: fn(&mut Vec<u8>)| -> Change {
        Box::new(move |forger: &mut Forger| forger.reseal(VICTIM, change))
    };
    let cases: Vec<(&str, &str, Change)> = vec![
        (
            "4 a wrong share",
            "share-off-polynomial",
            reseal(|plain| plain[63] ^= 1),
        ),
        (
            "5 an envelope that does not open",
            "envelope-does-not-open",
            Box::new(|forger| forger.deal.envelopes[3].ciphertext[5] ^= 1),
        ),
        (
            "6 the envelope of another receiver",
            "envelope-does-not-open",
            Box::new(|forger| {
                let other = forger.deal.envelopes[4].clone();
                forger.deal.envelopes[3].ephemeral = other.ephemeral;
                forger.deal.envelopes[3].ciphertext = other.ciphertext;
                forger.ephemerals[3] = forger.ephemerals[4].clone();
            }),
        ),
        (
            "14 a share of zero",
            "share-not-a-scalar",
            reseal(|plain| plain[..32].fill(0)),
        ),
        (
            "14 a share of the group order",
            "share-not-a-scalar",
            reseal(|plain| plain[32..].copy_from_slice(&ORDER)),
        ),
        (
            "14 a share above the group order",
            "share-not-a-scalar",
            reseal(|plain| plain[..32].fill(0xff)),
        ),
        (
            "5 an envelope of another dealer's leg",
            "envelope-does-not-open",
            Box::new(move |forger| {
                let plain = support::forge::plain_shares(&forger.polynomials, receiver);
                let secret = &forger.ephemerals[3];
                forger.deal.envelopes[3] = envelope(&forger.plan, 1, receiver, secret, &plain);
            }),
        ),
    ];
    for (name, code, change) in cases {
        let dispute = Dispute::new(change);
        let opening = dispute.true_opening();
        assert_eq!(
            dispute.judge(&[opening]),
            [(code, dealer(ATTACKER), Standing::Proved)],
            "{name}"
        );
        // 8: no answer, or a wrong one.
        let silent = [("no-opening", dealer(ATTACKER), Standing::Suspected)];
        assert_eq!(dispute.judge(&[]), silent, "{name}");
        for ephemeral in [bytes("another key"), [0; 32], [0xff; 32]] {
            let wrong = dispute.opening(ephemeral);
            let expected = [("wrong-opening", dealer(ATTACKER), Standing::Proved)];
            assert_eq!(dispute.judge(&[wrong]), expected, "{name}");
        }
    }
}

#[test]
fn whoever_complains_never_confirms() {
    let mut dispute = Dispute::new(|forger| forger.reseal(VICTIM, |plain| plain[0] ^= 1));
    let id = dispute.stage.plan.id();
    // The right deals come too late.
    let request = deals_request(id, &dispute.stage.deals.clone());
    let again = dispute
        .stage
        .cluster
        .server(VICTIM)
        .ask(request.clone())
        .unwrap();
    assert_eq!(
        again,
        CeremonyReply::Complaint(dispute.complaint.clone().into())
    );
    assert_eq!(
        dispute.stage.cluster.server(VICTIM).state(id),
        Some(CeremonyState::Burnt)
    );
    dispute.stage.cluster.restart(VICTIM);
    let again = dispute.stage.cluster.server(VICTIM).ask(request).unwrap();
    assert_eq!(
        again,
        CeremonyReply::Complaint(dispute.complaint.clone().into())
    );
}

#[test]
fn nobody_signs_after_a_complaint_that_it_saw() {
    let mut dispute = Dispute::new(|forger| forger.reseal(VICTIM, |plain| plain[0] ^= 1));
    let id = dispute.stage.plan.id();
    let complaint = CeremonyRequest::Complaint(dispute.complaint.clone().into());
    let server = dispute.stage.cluster.server(5);
    assert_eq!(server.ask(complaint), Ok(CeremonyReply::Accepted(id)));
    assert_eq!(server.state(id), Some(CeremonyState::Burnt));
    let error = server.refuses(deals_request(id, &dispute.deals));
    assert_eq!(error.code(), "wrong-state");
    let plan = CeremonyRequest::Plan(dispute.stage.plan_bytes.clone().into());
    let error = dispute.stage.cluster.server(5).refuses(plan);
    assert_eq!(error.code(), "wrong-state");
}

/// 7: a member complains of an honest deal.
#[test]
fn a_false_complaint_is_proved_false_by_the_opening() {
    let mut stage = Stage::new();
    let id = stage.plan.id();
    let signed = symbolon_protocol::Signed::<Deal>::from_bytes(NETWORK, &stage.deals[0]).unwrap();
    let false_complaint = Complaint {
        ceremony: id,
        member: VICTIM,
        dealer: 1,
        deal: DealHash(signed.unverified().digest()),
        reason: ComplaintReason::DoesNotOpen,
    };
    let complaint = sign_as(&member_name(VICTIM), false_complaint.clone());
    let request = CeremonyRequest::Complaint(complaint.clone().into());
    let opening = match stage.cluster.server(1).ask(request.clone()).unwrap() {
        CeremonyReply::Opening(bytes) => bytes.to_vec(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        stage.cluster.server(1).state(id),
        Some(CeremonyState::Burnt)
    );
    // The same opening again, also after a restart.
    stage.cluster.restart(1);
    let again = stage.cluster.server(1).ask(request).unwrap();
    assert_eq!(again, CeremonyReply::Opening(opening.clone().into()));
    let mut messages = vec![stage.plan_bytes.clone(), complaint, opening.clone()];
    messages.extend(stage.deals.iter().cloned());
    let culprit = Culprit::Receiver(index(VICTIM.into()));
    let expected = [("false-complaint", culprit, Standing::Proved)];
    assert_eq!(judge_all(&stage, &messages), expected);
    // A second, wrong opening by the same dealer does not turn the verdict.
    let mut second: Opening = value(&opening);
    second.ephemeral = bytes("another key").into();
    messages.push(sign_as(&member_name(1), second));
    assert_eq!(judge_all(&stage, &messages), expected);
    // Complaints that are none.
    for (change, code) in [
        (
            Complaint {
                ceremony: CeremonyId([1; 32]),
                ..false_complaint.clone()
            },
            "unknown-ceremony",
        ),
        (
            Complaint {
                member: 9,
                ..false_complaint.clone()
            },
            "complaint-of-another",
        ),
        (
            Complaint {
                dealer: 9,
                ..false_complaint.clone()
            },
            "complaint-of-another",
        ),
        (
            Complaint {
                member: 5,
                ..false_complaint.clone()
            },
            "complaint-form",
        ),
        (
            Complaint {
                dealer: 3,
                deal: DealHash([1; 32]),
                ..false_complaint
            },
            "complaint-of-another-deal",
        ),
    ] {
        let bytes = sign_as(&member_name(VICTIM), change);
        let error = stage
            .cluster
            .server(3)
            .refuses(CeremonyRequest::Complaint(bytes.into()));
        assert_eq!(error.code(), code);
    }
}

#[test]
fn a_device_that_errs_does_not_accuse() {
    let mut stage = Stage::new();
    let id = stage.plan.id();
    // One wrong answer: asked again, it opens.
    stage.cluster.server(1).shell.faulty_ecdh = 1;
    let deals = stage.deals.clone();
    let reply = stage
        .cluster
        .server(1)
        .ask(deals_request(id, &deals))
        .unwrap();
    assert!(matches!(reply, CeremonyReply::Confirmation(_)));
    // Two different wrong answers.
    stage.cluster.server(3).shell.faulty_ecdh = 2;
    let error = stage.cluster.server(3).refuses(deals_request(id, &deals));
    assert_eq!(error, StepError::Unstable);
    // A device that has lost the key and makes a new one.
    let key = KeyRef {
        group: GroupLabel::new("stage").unwrap(),
        group_epoch: GroupEpoch::FIRST,
    };
    let other = p256::SecretKey::from_slice(&bytes("a new key")).unwrap();
    stage
        .cluster
        .server(5)
        .shell
        .keys
        .insert(key.clone(), other);
    let error = stage.cluster.server(5).refuses(deals_request(id, &deals));
    assert_eq!(error, StepError::KeyLost(key));
    for number in [3, 5] {
        assert_eq!(
            stage.cluster.server(number).state(id),
            Some(CeremonyState::Dealt)
        );
    }
}

/// 9 and 10: two deals of one dealer, and what the receivers' lists of hashes show.
#[test]
fn an_equivocating_dealer_is_proved_by_its_two_deals() {
    let mut stage = Stage::new();
    let second = stage.with(Forger::new(&stage.plan, ATTACKER).sign());
    let id = stage.plan.id();
    let first = stage.deals.clone();
    let ones = deals_request(id, &first);
    let others = deals_request(id, &second);
    let mut confirmations = Vec::new();
    for (number, request) in [(1, &ones), (3, &ones), (4, &others), (5, &others)] {
        match stage.cluster.server(number).ask(request.clone()).unwrap() {
            CeremonyReply::Confirmation(bytes) => confirmations.push(bytes.to_vec()),
            other => panic!("{other:?}"),
        }
    }
    // No certificate comes of it.
    let parts = confirmations.iter().map(Vec::as_slice);
    let error = VerifiedCertificate::assemble(&stage.plan, parts).unwrap_err();
    assert_eq!(error, CertificateError::OtherTranscript(4));
    let mut messages = vec![stage.plan_bytes.clone()];
    messages.extend(confirmations.iter().cloned());
    // From the confirmations alone: the deal that differs, not who is to blame.
    let suspected = [("different-deals", dealer(ATTACKER), Standing::Suspected)];
    assert_eq!(judge_all(&stage, &messages), suspected);
    messages.extend(first);
    assert_eq!(judge_all(&stage, &messages), suspected);
    messages.push(second[1].clone());
    let proved = [("two-deals", dealer(ATTACKER), Standing::Proved)];
    assert_eq!(judge_all(&stage, &messages), proved);
}

#[test]
fn the_judge_finds_what_a_receiver_signed_wrongly() {
    let mut stage = Stage::new();
    let (id, deals) = (stage.plan.id(), stage.deals.clone());
    let confirmations = stage.cluster.confirmations(id, &deals);
    let mut messages = vec![stage.plan_bytes.clone()];
    messages.extend(deals);
    messages.extend(confirmations.clone());
    assert_eq!(judge_all(&stage, &messages), []);
    let honest: Confirmation = value(&confirmations[2]);
    let culprit = Culprit::Receiver(index(3));
    // Another transcript over the same deals.
    let mut lie = honest.clone();
    lie.transcript = TranscriptHash([1; 32]);
    let mut with = messages.clone();
    with[8] = sign_as(&member_name(3), lie.clone());
    assert_eq!(
        judge_all(&stage, &with),
        [("wrong-transcript", culprit, Standing::Proved)]
    );
    // Both.
    let mut with = messages.clone();
    with.push(sign_as(&member_name(3), lie));
    let expected = [
        ("two-confirmations", culprit, Standing::Proved),
        ("wrong-transcript", culprit, Standing::Proved),
    ];
    assert_eq!(judge_all(&stage, &with), expected);
    // A complaint besides.
    let complaint = Complaint {
        ceremony: id,
        member: 3,
        dealer: 1,
        deal: honest.deals[0],
        reason: ComplaintReason::WrongShare,
    };
    let mut with = messages.clone();
    with.push(sign_as(&member_name(3), complaint));
    let expected = [
        ("complained-and-confirmed", culprit, Standing::Proved),
        ("no-opening", dealer(1), Standing::Suspected),
    ];
    assert_eq!(judge_all(&stage, &with), expected);
    // Altered on the way, in another's name, of another ceremony, garbage.
    let mut altered = confirmations[0].clone();
    *altered.last_mut().unwrap() ^= 1;
    let mut foreign = honest;
    foreign.ceremony = CeremonyId([9; 32]);
    let foreign = sign_as(&member_name(3), foreign);
    let mut with = messages.clone();
    with.extend([altered, foreign, b"garbage".to_vec()]);
    let suspected = |code| (code, Culprit::Carrier, Standing::Suspected);
    let expected = ["altered", "foreign", "unreadable"].map(suspected);
    assert_eq!(judge_all(&stage, &with), expected);
}

/// Every deal that is wrong for everybody convicts its dealer from its own bytes.
#[test]
fn the_judge_agrees_with_the_receivers_about_every_deal() {
    let stage = Stage::new();
    for attack in support::attacks::deal_attacks(&stage)
        .iter()
        .filter(|attack| attack.proved)
    {
        let mut messages = vec![stage.plan_bytes.clone()];
        messages.extend(attack.deals.iter().cloned());
        let expected = [(attack.code, dealer(ATTACKER), Standing::Proved)];
        assert_eq!(judge_all(&stage, &messages), expected, "{}", attack.name);
    }
}

#[test]
fn the_judge_needs_exactly_one_plan() {
    let mut cluster = Cluster::new(3);
    let one = cluster.plan("one", 2, 1);
    let two = cluster.plan("two", 2, 1);
    let judge = |messages: &[Vec<u8>]| audit(&cluster.chain, messages, &FRESH).map(|_| ());
    assert_eq!(judge(&[]), Err(AuditError::NoPlan));
    assert_eq!(judge(&[one.clone(), two]), Err(AuditError::ManyPlans));
    assert_eq!(judge(&[one.clone(), one.clone()]), Ok(()));
    let mut chain = cluster.roster().clone();
    chain.name = "another".into();
    let other = support::chain(chain);
    let error = audit(&other, &[one], &FRESH).unwrap_err();
    assert!(matches!(error, AuditError::UnknownRoster(_)));
}
