//! Domains, versions and errors on the built-in networks and on written configurations.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use symbolon_duties::{
    Duty, DutyError, Epoch, ExecutionAddress, ForkName, ForkVersion, Network, Root, Slot,
    ValidatorIndex, ValidatorPublicKey, ValidatorRegistration, VoluntaryExit, signing_domain,
    signing_fork_version, signing_root,
};

fn exit(epoch: u64) -> Duty {
    Duty::VoluntaryExit(VoluntaryExit {
        epoch: Epoch(epoch),
        validator_index: ValidatorIndex(7),
    })
}

fn registration() -> Duty {
    Duty::ValidatorRegistration(ValidatorRegistration {
        fee_recipient: ExecutionAddress([0x11; 20]),
        gas_limit: 30_000_000,
        timestamp: 1_700_000_000,
        pubkey: ValidatorPublicKey([0xaa; 48]),
    })
}

fn version(text: &str) -> ForkVersion {
    text.parse().unwrap()
}

/// The first four bytes of the fork data root are the fork digest, which each client prints for the
/// public networks.
#[test]
fn domains_of_named_networks_hold_the_published_fork_digests() {
    let cases = [
        ("mainnet", ForkName::Phase0, "b5303f2a"),
        ("mainnet", ForkName::Altair, "afcaaba0"),
        ("mainnet", ForkName::Bellatrix, "4a26c58b"),
        ("mainnet", ForkName::Capella, "bba4da96"),
        ("mainnet", ForkName::Deneb, "6a95a1a9"),
        ("mainnet", ForkName::Electra, "ad532ceb"),
        ("sepolia", ForkName::Capella, "47eb72b3"),
        ("sepolia", ForkName::Deneb, "d31f6191"),
        ("holesky", ForkName::Capella, "17e2dad3"),
        ("holesky", ForkName::Deneb, "69ae0e99"),
    ];
    for (name, fork, digest) in cases {
        let network = Network::named(name).unwrap();
        let version = network.fork(fork).unwrap().version;
        let duty = Duty::RandaoReveal { epoch: Epoch(1) };
        let domain = signing_domain(&duty, Some(version), &network).unwrap();
        assert_eq!(
            domain.to_string()[..18],
            format!("0x02000000{digest}"),
            "{name} {fork}"
        );
    }
}

#[test]
fn registrations_have_the_genesis_version_and_no_chain() {
    let mainnet = Network::named("mainnet").unwrap();
    let expected = "0x00000001f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a9";
    for sent in [None, Some(version("06000000")), Some(version("deadbeef"))] {
        let domain = signing_domain(&registration(), sent, &mainnet).unwrap();
        assert_eq!(
            domain.to_string(),
            expected,
            "the version sent is not looked at"
        );
    }
}

#[test]
fn exits_from_deneb_on_have_the_version_of_capella_whatever_was_sent() {
    let mainnet = Network::named("mainnet").unwrap();
    let capella = version("03000000");
    for epoch in [269_568, 364_032, u64::MAX] {
        for sent in [
            None,
            Some(capella),
            Some(version("04000000")),
            Some(version("deadbeef")),
        ] {
            let used = signing_fork_version(&exit(epoch), sent, &mainnet).unwrap();
            assert_eq!(used, capella, "epoch {epoch}, sent {sent:?}");
        }
    }
    let roots: Vec<_> = [version("03000000"), version("06000000")]
        .into_iter()
        .map(|sent| signing_root(&exit(411_392), Some(sent), &mainnet).unwrap())
        .collect();
    assert_eq!(roots[0], roots[1]);
}

#[test]
fn exits_before_deneb_have_the_version_sent() {
    let mainnet = Network::named("mainnet").unwrap();
    for sent in ["02000000", "03000000"] {
        let used = signing_fork_version(&exit(269_567), Some(version(sent)), &mainnet).unwrap();
        assert_eq!(used, version(sent));
    }
    let error = signing_fork_version(&exit(269_567), None, &mainnet).unwrap_err();
    assert_eq!(
        error.to_string(),
        "VOLUNTARY_EXIT needs a fork version; send the fork of its epoch"
    );
}

#[test]
fn a_version_outside_the_schedule_is_refused() {
    let mainnet = Network::named("mainnet").unwrap();
    let duty = Duty::AggregationSlot { slot: Slot(1) };
    let error = signing_root(&duty, Some(version("90000075")), &mainnet).unwrap_err();
    assert!(matches!(error, DutyError::UnknownForkVersion { .. }));
    assert_eq!(
        error.to_string(),
        "fork version 0x90000075 is not in the schedule of network mainnet; \
         check the network of the client, or update the fork schedule"
    );
    let error = signing_root(&duty, None, &mainnet).unwrap_err();
    assert!(matches!(error, DutyError::MissingForkVersion { .. }));
}

#[test]
fn time_runs_from_genesis() {
    let mainnet = Network::named("mainnet").unwrap();
    assert_eq!(mainnet.slot_at(1_606_824_022), None);
    assert_eq!(mainnet.slot_at(1_606_824_023), Some(Slot(0)));
    assert_eq!(
        mainnet.slot_at(1_606_824_023 + 12 * 33 + 11),
        Some(Slot(33))
    );
    assert_eq!(mainnet.start_of(Slot(33)), Some(1_606_824_023 + 12 * 33));
    assert_eq!(mainnet.start_of(Slot(u64::MAX)), None);
    assert_eq!(mainnet.epoch_of(Slot(33)), Epoch(1));
    assert_eq!(mainnet.first_slot_of(Epoch(1)), Slot(32));
    assert_eq!(mainnet.first_slot_of(Epoch(u64::MAX)), Slot(u64::MAX));
}

#[test]
fn forks_come_into_force_at_their_epochs() {
    let hoodi = Network::named("hoodi").unwrap();
    assert_eq!(hoodi.fork_at(Epoch(0)).name, ForkName::Deneb);
    assert_eq!(hoodi.fork_at(Epoch(2047)).name, ForkName::Deneb);
    assert_eq!(hoodi.fork_at(Epoch(2048)).name, ForkName::Electra);
    assert_eq!(hoodi.fork_at(Epoch(u64::MAX)).version, version("70000910"));
}

#[test]
fn networks_are_told_apart_by_their_ids() {
    let networks: Vec<_> = Network::NAMES
        .iter()
        .map(|name| Network::named(name).unwrap())
        .collect();
    for (index, network) in networks.iter().enumerate() {
        assert_ne!(network.genesis_validators_root(), Root([0; 32]));
        assert!(
            networks
                .iter()
                .skip(index + 1)
                .all(|other| other.id() != network.id())
        );
    }
    assert!(Network::named("goerli").is_none());
}
