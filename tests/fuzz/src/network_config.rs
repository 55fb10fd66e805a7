//! Consensus configuration files (YAML).

use symbolon_duties::{Epoch, ForkName, MAX_CONFIG_BYTES, Network, Preset, Root, Slot};

use crate::Seed;
use crate::fixture::{devnet, devnet_config};

/// A file with every key that matters takes less.
pub const MAX_LEN: usize = 4096;

/// An accepted network keeps its own rules, and a file written from it gives the same network.
pub fn check(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let Ok(network) = Network::from_config_yaml(text) else {
        return;
    };
    let again = Network::from_config_yaml(&render(&network));
    assert_eq!(again.expect("a file of our own"), network);
    assert_ne!(network.genesis_validators_root(), Root([0; 32]));
    let forks = network.forks();
    assert_eq!(forks[0].name, ForkName::Phase0);
    assert_eq!(forks[0].epoch, Epoch(0));
    assert_eq!(forks[0].version, network.genesis_fork_version());
    assert!(forks.windows(2).all(|pair| pair[0].epoch <= pair[1].epoch));
    let names = forks.iter().map(|fork| fork.name);
    assert!(names.eq(ForkName::ALL.into_iter().take(forks.len())));
    for epoch in [0, 1, 1 << 32, u64::MAX].map(Epoch) {
        let fork = network.fork_at(epoch);
        assert!(fork.epoch <= epoch && forks.contains(&fork));
        assert!(network.epoch_of(network.first_slot_of(epoch)) <= epoch);
    }
    for time in [0, 1_700_000_013, u64::MAX] {
        if let Some(slot) = network.slot_at(time) {
            assert!(network.start_of(slot).is_some_and(|start| start <= time));
        }
    }
    assert!(network.start_of(Slot(u64::MAX)).is_none() || network.seconds_per_slot() == 1);
}

fn render(network: &Network) -> String {
    let preset = match network.preset() {
        Preset::Mainnet => "mainnet",
        Preset::Minimal => "minimal",
    };
    let name: String = network
        .name()
        .chars()
        .map(|c| format!("\\U{:08x}", u32::from(c)))
        .collect();
    let mut text = format!(
        "PRESET_BASE: {preset}\nCONFIG_NAME: \"{name}\"\nSLOT_DURATION_MS: {}000\n\
         GENESIS_FORK_VERSION: {}\nGENESIS_VALIDATORS_ROOT: {}\n",
        network.seconds_per_slot(),
        network.genesis_fork_version(),
        network.genesis_validators_root(),
    );
    let numbers = [
        ("GENESIS_TIME", network.genesis_time()),
        ("DEPOSIT_CHAIN_ID", network.deposit_chain_id()),
    ];
    for (key, number) in numbers {
        if let Some(number) = number {
            text += &format!("{key}: {number}\n");
        }
    }
    for fork in &network.forks()[1..] {
        text += &format!(
            "{0}_FORK_VERSION: '{1}'\n{0}_FORK_EPOCH: {2}\n",
            fork.name, fork.version, fork.epoch
        );
    }
    text
}

/// A file as clients have it, with comments and other keys; flow style; one that we wrote.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let usual = devnet_config()
        + "# what follows says nothing about signing\nDENEB_FORK_EPOCH_: 7\n\
           BLOB_SCHEDULE:\n  - EPOCH: 5\n    MAX_BLOBS_PER_BLOCK: 9\nETH1_FOLLOW_DISTANCE: 0x10\n";
    let far = devnet_config().replace("GLOAS_FORK_EPOCH: 0", "GLOAS_FORK_EPOCH: 18446744073709551615");
    let flow = format!(
        "{{PRESET_BASE: 'mainnet', \"SECONDS_PER_SLOT\": 12, SLOT_DURATION_MS: 12000, \
         GENESIS_FORK_VERSION: 0x00000001, GENESIS_VALIDATORS_ROOT: {}}}",
        Root([1; 32])
    );
    let anchored = "a: &a [1, 2]\nb: *a\n--- !tag\n? [x]\n: |\n  text\n";
    assert!(usual.len() < MAX_CONFIG_BYTES);
    vec![
        ("usual", usual.into_bytes()),
        ("far-future", far.into_bytes()),
        ("flow", flow.into_bytes()),
        ("rendered", render(devnet()).into_bytes()),
        ("anchors-and-tags", anchored.as_bytes().to_vec()),
    ]
}
