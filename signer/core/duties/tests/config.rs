//! Networks from consensus configuration files: what is read, and what is refused with which words.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::error::Error;
use std::fs;

use proptest::prelude::*;
use symbolon_duties::{
    ConfigError, Epoch, ForkName, ForkVersion, MAX_CONFIG_BYTES, Network, Preset, Slot,
};

const BASE: &str = "\
# A development chain.
PRESET_BASE: 'minimal'
CONFIG_NAME: devnet
SECONDS_PER_SLOT: 6
GENESIS_FORK_VERSION: 0x00000001
ALTAIR_FORK_VERSION: 0x01000001
ALTAIR_FORK_EPOCH: 0
BELLATRIX_FORK_VERSION: '0x02000001'
BELLATRIX_FORK_EPOCH: 0
CAPELLA_FORK_VERSION: 0x03000001
CAPELLA_FORK_EPOCH: 3
DENEB_FORK_VERSION: 0x04000001
DENEB_FORK_EPOCH: 18446744073709551615
BLOB_SCHEDULE:
  - EPOCH: 5
    MAX_BLOBS_PER_BLOCK: 9
GENESIS_VALIDATORS_ROOT: 0x270d43e74ce340de4bca2b1936beca0f4f5408d9e78aec4850920baf659d5b69
";

fn refusal(text: &str) -> ConfigError {
    Network::from_config_yaml(text).unwrap_err()
}

fn replaced(from: &str, to: &str) -> String {
    assert!(BASE.contains(from));
    BASE.replace(from, to)
}

#[test]
fn a_configuration_is_read_as_written() {
    let network = Network::from_config_yaml(BASE).unwrap();
    assert_eq!(network.name(), "devnet");
    assert_eq!(network.preset(), Preset::Minimal);
    assert_eq!(network.genesis_fork_version(), ForkVersion([0, 0, 0, 1]));
    assert_eq!(network.epoch_of(Slot(9)), Epoch(1));
    assert_eq!(network.fork_at(Epoch(2)).name, ForkName::Bellatrix);
    assert_eq!(network.fork_at(Epoch(3)).version, ForkVersion([3, 0, 0, 1]));
    assert!(
        network.fork(ForkName::Deneb).is_none(),
        "the far future is not a schedule"
    );
    assert_eq!(
        (network.genesis_time(), network.slot_at(u64::MAX)),
        (None, None)
    );
    assert_eq!(network.deposit_chain_id(), None);
}

#[test]
fn the_genesis_time_has_a_key_of_its_own() {
    let with = |line: &str| Network::from_config_yaml(&format!("{BASE}{line}\n")).unwrap();
    assert_eq!(
        with("GENESIS_TIME: 1700000000").slot_at(1_700_000_013),
        Some(Slot(2))
    );
    assert_eq!(with("GENESIS_TIME: 0").genesis_time(), None);
    assert_eq!(with("MIN_GENESIS_TIME: 1700000000").genesis_time(), None);
}

#[test]
fn the_length_of_a_slot_has_two_keys_that_must_agree() {
    let seconds = |line: &str| {
        let text = replaced("SECONDS_PER_SLOT: 6", line);
        Network::from_config_yaml(&text).map(|network| network.seconds_per_slot())
    };
    assert_eq!(seconds("SLOT_DURATION_MS: 12000").unwrap(), 12);
    assert_eq!(
        seconds("SECONDS_PER_SLOT: 12\nSLOT_DURATION_MS: 12000").unwrap(),
        12
    );
    let error = seconds("SECONDS_PER_SLOT: 6\nSLOT_DURATION_MS: 12000").unwrap_err();
    assert_eq!(
        error.to_string(),
        "SLOT_DURATION_MS (line 5): expected 1000 times SECONDS_PER_SLOT, got \"12000\""
    );
    assert!(seconds("SLOT_DURATION_MS: 1500").is_err());
    assert!(seconds("SECONDS_PER_SLOT: 0").is_err());
    assert_eq!(
        seconds("SLOTS: 6").unwrap_err().to_string(),
        "SECONDS_PER_SLOT is missing; add it to the configuration"
    );
}

#[test]
fn errors_name_the_key_and_the_line() {
    let cases = [
        (
            replaced("0x00000001", "0x0001"),
            "GENESIS_FORK_VERSION (line 5): expected 0x and 8 hexadecimal digits, got \"0x0001\"",
        ),
        (
            replaced("ALTAIR_FORK_EPOCH: 0", "ALTAIR_FORK_EPOCH: -1"),
            "ALTAIR_FORK_EPOCH (line 7): expected a whole number below 2^64, got \"-1\"",
        ),
        (
            replaced("'minimal'", "gnosis"),
            "PRESET_BASE (line 2): expected mainnet or minimal, got \"gnosis\"",
        ),
        (
            replaced("BELLATRIX_FORK_EPOCH: 0", "BELLATRIX_FORK_EPOCH: 9"),
            "CAPELLA_FORK_EPOCH (line 11): CAPELLA cannot start before BELLATRIX; \
             give the forks epochs that never fall",
        ),
        (
            replaced("BELLATRIX_FORK_EPOCH: 0\n", ""),
            "CAPELLA_FORK_EPOCH (line 10): CAPELLA cannot start before BELLATRIX; \
             give the forks epochs that never fall",
        ),
        (
            replaced("CAPELLA_FORK_VERSION: 0x03000001\n", ""),
            "CAPELLA_FORK_VERSION is missing; add it to the configuration",
        ),
        (
            replaced(
                "270d43e74ce340de4bca2b1936beca0f4f5408d9e78aec4850920baf659d5b69",
                "00",
            ),
            "GENESIS_VALIDATORS_ROOT (line 17): expected 0x and 64 hexadecimal digits, \
             got \"0x00\"",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(refusal(&text).to_string(), message);
    }
    let zero = BASE.replace(
        "270d43e74ce340de4bca2b1936beca0f4f5408d9e78aec4850920baf659d5b69",
        &"00".repeat(32),
    );
    assert!(
        refusal(&zero)
            .to_string()
            .contains("a root other than zero")
    );
    let error = refusal(&replaced("GENESIS_VALIDATORS_ROOT", "VALIDATORS_ROOT"));
    assert_eq!(
        error.to_string(),
        "GENESIS_VALIDATORS_ROOT is missing; add it to the configuration"
    );
}

#[test]
fn what_is_not_a_mapping_of_plain_values_is_refused_with_its_place() {
    let error = refusal(&replaced("0x00000001", "[1]"));
    let cause = error.source().unwrap().to_string();
    assert!(
        cause.contains("GENESIS_FORK_VERSION") && cause.contains("line 5"),
        "{cause}"
    );
    let error = refusal(&format!("{BASE}SECONDS_PER_SLOT: 7\n"));
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("SECONDS_PER_SLOT is there twice"), "{cause}");
    assert!(matches!(refusal("- 1\n"), ConfigError::Yaml(_)));
    assert!(matches!(
        refusal(""),
        ConfigError::Yaml(_) | ConfigError::Missing { .. }
    ));
}

#[test]
fn a_file_beyond_the_limit_is_not_read() {
    let large = format!("{BASE}#{}", " ".repeat(MAX_CONFIG_BYTES));
    assert!(matches!(refusal(&large), ConfigError::TooLarge { .. }));
}

/// The Web3Signer suite holds the configuration of hoodi, without a validators root.
#[test]
fn the_published_file_of_hoodi_gives_the_built_in_network() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../../shared/suites/web3signer/acceptance-tests/src/test/resources/eth2/",
        "network_config.yaml"
    );
    if !fs::exists(path).unwrap() {
        assert!(
            std::env::var_os("CI").is_none(),
            "the Web3Signer suite is missing"
        );
        println!("left out: configuration of hoodi, no folder shared/suites/web3signer");
        return;
    }
    let hoodi = Network::named("hoodi").unwrap();
    let text = fs::read_to_string(path).unwrap();
    let root = hoodi.genesis_validators_root();
    let text = format!("{text}\nGENESIS_VALIDATORS_ROOT: {root}\nGENESIS_TIME: 1742213400\n");
    // The file is older than the date of Fulu.
    let dated = "FULU_FORK_EPOCH: 50688";
    let text = text.replace("FULU_FORK_EPOCH: 18446744073709551615", dated);
    assert!(text.contains(dated));
    assert_eq!(Network::from_config_yaml(&text).unwrap(), hoodi);
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in ".{0,400}") {
        prop_assert!(Network::from_config_yaml(&text).is_err());
    }

    #[test]
    fn mutated_configurations_never_panic(at in 0..BASE.len(), with in "[ -~\n]{0,6}") {
        let mut text = BASE.to_owned();
        text.replace_range(at..(at + with.len()).min(BASE.len()), &with);
        if let Ok(network) = Network::from_config_yaml(&text) {
            prop_assert!(network.forks().is_sorted_by_key(|fork| fork.epoch));
            prop_assert!(network.seconds_per_slot() > 0);
        }
    }
}
