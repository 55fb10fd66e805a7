//! Deposit messages of the deposit CLI, from the Web3Signer suite.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::fs;

use blst::BLST_ERROR;
use blst::min_pk::{PublicKey, Signature};
use serde_json::Value;
use symbolon_duties::{
    BlsSignature, DepositData, DepositMessage, Duty, DutyError, ForkVersion, Gwei, Network,
    TreeRoot, signing_root,
};

#[test]
fn roots_equal_those_of_the_deposit_files() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../../shared/suites/web3signer/acceptance-tests/src/test/resources/eth2"
    );
    if !fs::exists(folder).unwrap() {
        assert!(
            std::env::var_os("CI").is_none(),
            "the Web3Signer suite is missing"
        );
        println!("left out: deposit files, no folder shared/suites/web3signer");
        return;
    }
    for file in ["deposit_data-medalla.json", "deposit_data-pyrmont.json"] {
        let bytes = fs::read(format!("{folder}/{file}")).unwrap();
        let deposits: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(deposits.len(), 2);
        for deposit in &deposits {
            check(deposit);
        }
    }
}

fn check(deposit: &Value) {
    let text = |key: &str| deposit[key].as_str().unwrap();
    let message = DepositMessage {
        pubkey: text("pubkey").parse().unwrap(),
        withdrawal_credentials: text("withdrawal_credentials").parse().unwrap(),
        amount: Gwei(deposit["amount"].as_u64().unwrap()),
    };
    let genesis_fork_version: ForkVersion = text("fork_version").parse().unwrap();
    let duty = Duty::Deposit {
        message,
        genesis_fork_version,
    };
    assert_eq!(
        duty.object_root().to_string()[2..],
        *text("deposit_message_root")
    );

    let signature: BlsSignature = text("signature").parse().unwrap();
    let data = DepositData {
        pubkey: message.pubkey,
        withdrawal_credentials: message.withdrawal_credentials,
        amount: message.amount,
        signature,
    };
    assert_eq!(
        data.tree_root().to_string()[2..],
        *text("deposit_data_root")
    );

    let network = network(genesis_fork_version);
    let root = signing_root(&duty, None, &network).unwrap();
    let key = PublicKey::key_validate(message.pubkey.as_bytes()).unwrap();
    let checked = Signature::from_bytes(signature.as_bytes()).unwrap();
    let verdict = checked.verify(true, root.as_bytes(), DST, &[], &key, false);
    assert_eq!(
        verdict,
        BLST_ERROR::BLST_SUCCESS,
        "the signature of the file covers our root"
    );

    let other = Network::named("mainnet").unwrap();
    let error = signing_root(&duty, None, &other).unwrap_err();
    assert!(
        matches!(error, DutyError::DepositForOtherNetwork { .. }),
        "{error}"
    );
}

fn network(genesis_fork_version: ForkVersion) -> Network {
    Network::from_config_yaml(&format!(
        "PRESET_BASE: mainnet\nSECONDS_PER_SLOT: 12\nGENESIS_FORK_VERSION: {genesis_fork_version}\n\
         GENESIS_VALIDATORS_ROOT: 0x{}\n",
        "11".repeat(32)
    ))
    .unwrap()
}

/// The signature scheme of the beacon chain (consensus-specs `specs/phase0/beacon-chain.md`).
const DST: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
