//! A whole ceremony through the coordinator, as a directory of files carries it; and a coordinator
//! that does not carry what it should.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod support;

use std::collections::BTreeMap;

use support::attacks::{ATTACKER, Stage, VICTIM};
use support::forge::Forger;
use support::*;
use symbolon_ceremony::wire::CeremonyRequest;
use symbolon_ceremony::*;

/// The files of a directory.
type Directory = BTreeMap<String, Vec<u8>>;

fn coordinator(cluster: &Cluster, directory: &Directory) -> Coordinator {
    let (coordinator, refused) =
        Coordinator::from_messages(cluster.chain.clone(), directory.values().cloned());
    assert!(
        refused.is_empty(),
        "{:?}",
        refused.iter().map(|(_, error)| error).collect::<Vec<_>>()
    );
    coordinator
}

/// One visit of one member to the directory: everything starts from files, and ends in files.
fn visit(cluster: &mut Cluster, number: u16, directory: &mut Directory) -> usize {
    let mut coordinator = coordinator(cluster, directory);
    let requests = coordinator.requests(index(number.into()));
    let count = requests.len();
    for request in requests {
        // As bytes, the way both transports carry them.
        let request = CeremonyRequest::from_bytes(&request.to_bytes()).unwrap();
        let reply = match cluster.server(number).ask(request) {
            Ok(reply) => reply,
            Err(DriveError::Refused(error)) => error.to_reply(),
            Err(error) => panic!("{error}"),
        };
        let reply = wire::CeremonyReply::from_bytes(&reply.to_bytes()).unwrap();
        if let Answered::Message(Received::New(name)) = coordinator.answered(reply).unwrap() {
            assert_eq!(name.to_string().parse(), Ok(name));
            directory.insert(name.to_string(), coordinator.files()[&name].clone());
        }
    }
    count
}

fn visits(cluster: &mut Cluster, directory: &mut Directory) {
    let numbers: Vec<u16> = cluster.servers.keys().copied().collect();
    for _ in 0..10 {
        let asked: usize = numbers
            .iter()
            .map(|number| visit(cluster, *number, directory))
            .sum();
        if asked == 0 {
            return;
        }
    }
    panic!("the ceremony does not end");
}

#[test]
fn a_directory_carries_a_whole_ceremony() {
    let mut cluster = Cluster::new(5);
    let mut directory = Directory::new();
    for (number, offer) in (1..).zip(cluster.offers("group")) {
        directory.insert(format!("offer-{number}.sym"), offer);
    }
    let progress =
        |cluster: &Cluster, directory: &Directory| coordinator(cluster, directory).progress();
    assert_eq!(progress(&cluster, &directory), Progress::Plan);
    let offers = coordinator(&cluster, &directory).offers();
    let plan = draft("group", 4)
        .dkg(NETWORK, cluster.roster(), [1; 32], 2, &offers)
        .unwrap();
    directory.insert("plan.sym".into(), cosign(plan));
    assert!(
        matches!(progress(&cluster, &directory), Progress::Deals(missing) if missing.len() == 5)
    );
    assert_eq!(visit(&mut cluster, 2, &mut directory), 1);
    assert_eq!(visit(&mut cluster, 2, &mut directory), 0);
    visits(&mut cluster, &mut directory);
    assert_eq!(progress(&cluster, &directory), Progress::Complete);
    let names: Vec<&str> = directory.keys().map(String::as_str).collect();
    assert_eq!(names.len(), 5 + 1 + 5 + 5 + 5, "{names:?}");
    let coordinator = coordinator(&cluster, &directory);
    let descriptor = coordinator.group(&[1; 32]).unwrap();
    let group = GroupDescriptor::verify(&cluster.chain, &descriptor).unwrap();
    let stored = &cluster.server(3).shell.files[&(group.id(), FileName::Group)];
    assert_eq!(*stored, descriptor);
    let certificate = coordinator.certificate().unwrap();
    directory.insert("certificate.sym".into(), certificate);
    directory.insert("group.sym".into(), descriptor);
    self::coordinator(&cluster, &directory);
    let messages: Vec<Vec<u8>> = directory.values().cloned().collect();
    let report = audit(&cluster.chain, &messages, &[1; 32]).unwrap();
    assert!(
        report.certified && report.findings.is_empty(),
        "{:?}",
        report.findings
    );
}

#[test]
fn a_directory_carries_an_import() {
    let mut cluster = Cluster::new(3);
    let offers = cluster.offers("import");
    let secret = support::forge::scalar("imported");
    let keys = [secret.public_point().into()];
    let plan = draft("import", 2)
        .import(NETWORK, cluster.roster(), [1; 32], OPERATOR, &keys, &offers)
        .unwrap();
    let plan = cosign(plan);
    let verified = cluster.verified(&plan);
    let mut directory = Directory::from([("plan.sym".to_owned(), plan)]);
    let progress = coordinator(&cluster, &directory).progress();
    assert_eq!(progress, Progress::Deals(vec![DealerId::Import]));
    assert_eq!(visit(&mut cluster, 1, &mut directory), 0);
    let deal = deal_import(&verified, &seed("import"), vec![secret]).unwrap();
    let deal = deal.sign(&identity(OPERATOR)).unwrap();
    directory.insert("deal-import.sym".into(), deal.to_bytes());
    visits(&mut cluster, &mut directory);
    assert_eq!(
        coordinator(&cluster, &directory).progress(),
        Progress::Complete
    );
}

#[test]
fn a_complaint_is_carried_to_its_dealer_and_ends_in_a_verdict() {
    let mut stage = Stage::new();
    let mut forger = Forger::new(&stage.plan, ATTACKER);
    forger.reseal(VICTIM, |plain| plain[0] ^= 1);
    let mut directory = Directory::from([("plan.sym".to_owned(), stage.plan_bytes.clone())]);
    for (number, deal) in (1..).zip(stage.with(forger.sign())) {
        directory.insert(format!("deal-{number}.sym"), deal);
    }
    visit(&mut stage.cluster, VICTIM, &mut directory);
    assert!(directory.contains_key("complaint-4-deal-2.sym"));
    let owing = vec![DealerId::Member(index(ATTACKER.into()))];
    let machine = coordinator(&stage.cluster, &directory);
    assert_eq!(machine.progress(), Progress::Dead(owing.clone()));
    assert!(machine.requests(index(1)).is_empty());
    assert_eq!(machine.requests(index(ATTACKER.into())).len(), 1);
    // The dealer's own machine made another deal than the one it is accused of.
    visit(&mut stage.cluster, ATTACKER, &mut directory);
    let machine = coordinator(&stage.cluster, &directory);
    assert_eq!(machine.progress(), Progress::Dead(owing));
    let opening = Opening {
        ceremony: stage.plan.id(),
        dealer: ATTACKER,
        receiver: VICTIM,
        deal: value::<Complaint>(&directory["complaint-4-deal-2.sym"]).deal,
        ephemeral: <[u8; 32]>::from(forger.ephemerals[3].to_bytes()).into(),
    };
    let opening = sign_as(&member_name(ATTACKER), opening);
    directory.insert("opening-2-for-4.sym".into(), opening);
    let machine = coordinator(&stage.cluster, &directory);
    assert_eq!(machine.progress(), Progress::Dead(vec![]));
    let messages: Vec<Vec<u8>> = directory.into_values().collect();
    let report = audit(&stage.cluster.chain, &messages, &[1; 32]).unwrap();
    assert_eq!(report.proved().count(), 1);
    assert_eq!(report.findings[0].code(), "share-off-polynomial");
}

#[test]
fn messages_that_do_not_hold_or_contradict_are_not_taken() {
    let mut stage = Stage::new();
    let mut machine = Coordinator::new(stage.cluster.chain.clone());
    let deals = stage.deals.clone();
    assert_eq!(machine.receive(&deals[0]), Err(CoordinatorError::NoPlan));
    assert_eq!(
        machine.receive(b"garbage"),
        Err(CoordinatorError::Unreadable)
    );
    let plan = stage.plan_bytes.clone();
    assert_eq!(machine.receive(&plan), Ok(Received::New(FileName::Plan)));
    // The same plan under other signatures is the same plan.
    let mut again = Cosigned::<Plan>::from_bytes(NETWORK, &plan).unwrap();
    again.sign("cai", &identity("cai")).unwrap();
    assert_eq!(
        machine.receive(&again.to_bytes()),
        Ok(Received::Known(FileName::Plan))
    );
    let other = stage.cluster.plan("other", 3, 1);
    assert_eq!(
        machine.receive(&other),
        Err(CoordinatorError::Conflict(FileName::Plan))
    );
    let name = FileName::Deal(DealerId::Member(index(2)));
    assert_eq!(machine.receive(&deals[1]), Ok(Received::New(name)));
    assert_eq!(machine.receive(&deals[1]), Ok(Received::Known(name)));
    let second = Forger::new(&stage.plan, 2).sign();
    assert_eq!(
        machine.receive(&second),
        Err(CoordinatorError::Conflict(name))
    );
    assert_eq!(machine.conflicts(), [other, second]);
    let mut altered = deals[2].clone();
    *altered.last_mut().unwrap() ^= 1;
    assert!(matches!(
        machine.receive(&altered),
        Err(CoordinatorError::Deal(_))
    ));
    for deal in &deals {
        machine.receive(deal).unwrap();
    }
    assert!(matches!(machine.progress(), Progress::Confirmations(_)));
    assert!(matches!(
        machine.certificate(),
        Err(CoordinatorError::Certificate(_))
    ));
    assert!(machine.group(&[0; 32]).is_err());
    let activation = Activation {
        ceremony: stage.plan.id(),
        member: 3,
        transcript: TranscriptHash([0; 32]),
    };
    let stolen = sign_as(&member_name(2), activation);
    assert!(matches!(
        machine.receive(&stolen),
        Err(CoordinatorError::Envelope(_))
    ));
}
