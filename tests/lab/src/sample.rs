//! Signing requests as validator clients send them, made for a network, a slot and a key.

use std::io;

use serde_json::{Value, json};
use symbolon_duties::{
    ForkName, Network, Preset, SYNC_COMMITTEE_SUBNET_COUNT, SigningRoot, Slot, ValidatorPublicKey,
};
use symbolon_web3signer::parse_sign_request;

use crate::error::LabError;
use crate::http::{Answer, HttpClient};
use crate::kind::RequestKind;

/// What requests are made for. Requests of another `salt` differ in every root that they hold, and
/// in nothing else: two blocks of one slot with two salts are slashable.
#[derive(Debug, Clone, Copy)]
pub struct Sampler<'a> {
    /// The network.
    pub network: &'a Network,
    /// The slot.
    pub slot: Slot,
    /// The validator.
    pub key: ValidatorPublicKey,
    /// What tells requests of one slot apart.
    pub salt: u8,
}

/// A request with the root that its signature has to cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its type.
    pub kind: RequestKind,
    /// The validator.
    pub key: ValidatorPublicKey,
    /// The JSON body.
    pub body: Value,
    /// The signing root, computed here.
    pub signing_root: SigningRoot,
}

impl Sample {
    /// Where the request goes.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/api/v1/eth2/sign/{}", self.key)
    }

    /// Sends it as a client does that reads JSON.
    ///
    /// # Errors
    ///
    /// No answer.
    pub fn send(&self, client: &mut HttpClient) -> io::Result<Answer> {
        let body = self.body.to_string();
        client.post_json(
            &self.path(),
            &[("accept", "application/json")],
            body.as_bytes(),
        )
    }
}

impl Sampler<'_> {
    /// A request of one type.
    ///
    /// # Errors
    ///
    /// The network has no such request (a type of a fork that it does not have).
    pub fn sample(&self, kind: RequestKind) -> Result<Sample, LabError> {
        let (field, object) = self.object(kind);
        let mut body = json!({ "type": kind.name() });
        body[field] = object;
        if !matches!(
            kind,
            RequestKind::Deposit | RequestKind::ValidatorRegistration
        ) {
            body["fork_info"] = self.fork_info();
        }
        let parsed = parse_sign_request(body.to_string().as_bytes(), self.network)
            .map_err(|error| LabError::Options(format!("no {kind} on this network: {error}")))?;
        body["signingRoot"] = json!(parsed.signing_root.to_string());
        Ok(Sample {
            kind,
            key: self.key,
            body,
            signing_root: parsed.signing_root,
        })
    }

    /// A vote with explicit epochs, for tests of the slashing rules.
    ///
    /// # Errors
    ///
    /// As [`Sampler::sample`].
    pub fn vote(&self, source: u64, target: u64) -> Result<Sample, LabError> {
        let mut sample = self.sample(RequestKind::Attestation)?;
        sample.body["attestation"]["source"]["epoch"] = json!(source.to_string());
        sample.body["attestation"]["target"]["epoch"] = json!(target.to_string());
        if let Some(body) = sample.body.as_object_mut() {
            body.remove("signingRoot");
        }
        let parsed = parse_sign_request(sample.body.to_string().as_bytes(), self.network)
            .map_err(|error| LabError::Options(format!("no such vote: {error}")))?;
        sample.body["signingRoot"] = json!(parsed.signing_root.to_string());
        sample.signing_root = parsed.signing_root;
        Ok(sample)
    }

    /// The field that holds the message, and the message.
    fn object(&self, kind: RequestKind) -> (&'static str, Value) {
        let slot = self.slot.to_string();
        let epoch = self.network.epoch_of(self.slot).to_string();
        match kind {
            RequestKind::AggregationSlot => ("aggregation_slot", json!({ "slot": slot })),
            RequestKind::AggregateAndProof => ("aggregate_and_proof", self.aggregate_and_proof()),
            RequestKind::AggregateAndProofV2 => (
                "aggregate_and_proof",
                json!({ "version": self.fork_name(), "data": self.aggregate_and_proof() }),
            ),
            RequestKind::Attestation => ("attestation", self.attestation_data()),
            RequestKind::Block => ("block", self.whole_block()),
            RequestKind::BlockV2 => ("beacon_block", self.block_v2()),
            RequestKind::Deposit => ("deposit", self.deposit()),
            RequestKind::RandaoReveal => ("randao_reveal", json!({ "epoch": epoch })),
            RequestKind::VoluntaryExit => (
                "voluntary_exit",
                json!({ "epoch": epoch, "validator_index": "7" }),
            ),
            RequestKind::SyncCommitteeMessage => (
                "sync_committee_message",
                json!({ "beacon_block_root": self.root(1), "slot": slot }),
            ),
            RequestKind::SyncCommitteeSelectionProof => (
                "sync_aggregator_selection_data",
                json!({ "slot": slot, "subcommittee_index": "1" }),
            ),
            RequestKind::SyncCommitteeContributionAndProof => {
                ("contribution_and_proof", self.contribution_and_proof())
            }
            RequestKind::ValidatorRegistration => ("validator_registration", self.registration()),
        }
    }

    fn fork_info(&self) -> Value {
        let current = self.network.fork_at(self.network.epoch_of(self.slot));
        let forks = self.network.forks();
        let before = forks
            .iter()
            .take_while(|fork| fork.name < current.name)
            .last();
        json!({
            "fork": {
                "previous_version": before.unwrap_or(&current).version.to_string(),
                "current_version": current.version.to_string(),
                "epoch": current.epoch.to_string(),
            },
            "genesis_validators_root": self.network.genesis_validators_root().to_string(),
        })
    }

    fn fork_name(&self) -> &'static str {
        self.fork().name()
    }

    fn fork(&self) -> ForkName {
        self.network.fork_at(self.network.epoch_of(self.slot)).name
    }

    fn attestation_data(&self) -> Value {
        let target = self.network.epoch_of(self.slot).0;
        json!({
            "slot": self.slot.to_string(),
            "index": "0",
            "beacon_block_root": self.root(1),
            "source": {
                "epoch": target.saturating_sub(1).to_string(),
                "root": self.root(2),
            },
            "target": { "epoch": target.to_string(), "root": self.root(3) },
        })
    }

    fn aggregate_and_proof(&self) -> Value {
        let mut aggregate = json!({
            "aggregation_bits": "0xff01",
            "data": self.attestation_data(),
            "signature": filler(),
        });
        if self.fork() >= ForkName::Electra {
            let bytes = self.network.preset().max_committees_per_slot().div_ceil(8);
            let mut bits = vec![0; bytes];
            if let Some(first) = bits.first_mut() {
                *first = 1_u8;
            }
            aggregate["committee_bits"] = json!(hex(&bits));
        }
        json!({ "aggregator_index": "7", "aggregate": aggregate, "selection_proof": filler() })
    }

    fn block_v2(&self) -> Value {
        match self.fork() {
            fork @ (ForkName::Phase0 | ForkName::Altair) => {
                json!({ "version": fork.name(), "block": self.whole_block() })
            }
            fork => json!({ "version": fork.name(), "block_header": self.header() }),
        }
    }

    fn header(&self) -> Value {
        json!({
            "slot": self.slot.to_string(),
            "proposer_index": "7",
            "parent_root": self.root(1),
            "state_root": self.root(2),
            "body_root": self.root(3),
        })
    }

    /// A whole block, of Altair where the fork has a sync committee, else of phase0.
    fn whole_block(&self) -> Value {
        let mut body = json!({
            "randao_reveal": filler(),
            "eth1_data": {
                "deposit_root": self.root(4),
                "deposit_count": "1",
                "block_hash": self.root(5),
            },
            "graffiti": self.root(6),
            "proposer_slashings": [],
            "attester_slashings": [],
            "attestations": [{
                "aggregation_bits": "0xff01",
                "data": self.attestation_data(),
                "signature": filler(),
            }],
            "deposits": [],
            "voluntary_exits": [],
        });
        if self.fork() >= ForkName::Altair {
            let bytes = self.network.preset().sync_committee_size().div_ceil(8);
            body["sync_aggregate"] = json!({
                "sync_committee_bits": hex(&vec![0xff; bytes]),
                "sync_committee_signature": filler(),
            });
        }
        json!({
            "slot": self.slot.to_string(),
            "proposer_index": "7",
            "parent_root": self.root(1),
            "state_root": self.root(2),
            "body": body,
        })
    }

    fn contribution_and_proof(&self) -> Value {
        let seats = subcommittee_seats(self.network.preset());
        json!({
            "aggregator_index": "7",
            "contribution": {
                "slot": self.slot.to_string(),
                "beacon_block_root": self.root(1),
                "subcommittee_index": "1",
                "aggregation_bits": hex(&vec![0xff; seats.div_ceil(8)]),
                "signature": filler(),
            },
            "selection_proof": filler(),
        })
    }

    fn deposit(&self) -> Value {
        json!({
            "pubkey": self.key.to_string(),
            "withdrawal_credentials": format!("0x01{}{}", "00".repeat(11), "5a".repeat(20)),
            "amount": "32000000000",
            "genesis_fork_version": self.network.genesis_fork_version().to_string(),
        })
    }

    fn registration(&self) -> Value {
        let time = self.network.start_of(self.slot).unwrap_or_default();
        json!({
            "fee_recipient": format!("0x{}", "5a".repeat(20)),
            "gas_limit": "45000000",
            "timestamp": time.to_string(),
            "pubkey": self.key.to_string(),
        })
    }

    fn root(&self, byte: u8) -> String {
        let mut root = [byte; 32];
        root[0] = self.salt;
        hex(&root)
    }
}

fn subcommittee_seats(preset: Preset) -> usize {
    preset.sync_committee_size() / SYNC_COMMITTEE_SUBNET_COUNT
}

/// A signature of somebody else inside a message: no signer looks whether it is one.
fn filler() -> String {
    hex(&[0xcc; 96])
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use symbolon_duties::DutyKind;

    const KEY: ValidatorPublicKey = ValidatorPublicKey([0xab; 48]);

    fn networks() -> Vec<Network> {
        let minimal = "PRESET_BASE: 'minimal'\nSECONDS_PER_SLOT: 2\n\
             GENESIS_FORK_VERSION: 0x00000001\nALTAIR_FORK_VERSION: 0x01000001\n\
             ALTAIR_FORK_EPOCH: 4\n";
        let minimal = format!("{minimal}GENESIS_VALIDATORS_ROOT: 0x{}\n", "7a".repeat(32));
        let mut networks: Vec<_> = Network::NAMES
            .iter()
            .map(|name| Network::named(name).unwrap())
            .collect();
        networks.push(Network::from_config_yaml(&minimal).unwrap());
        networks
    }

    #[test]
    fn every_type_parses_on_every_network_and_under_every_fork() {
        for network in networks() {
            for fork in network.forks() {
                let slot = network.first_slot_of(fork.epoch);
                let sampler = Sampler {
                    network: &network,
                    slot: Slot(slot.0 + 40),
                    key: KEY,
                    salt: 0,
                };
                let mut kinds = BTreeSet::new();
                for kind in RequestKind::ALL {
                    let sample = sampler.sample(kind).unwrap();
                    let parsed =
                        parse_sign_request(sample.body.to_string().as_bytes(), &network).unwrap();
                    assert_eq!(parsed.signing_root, sample.signing_root, "{kind}");
                    assert_eq!(
                        kind.name().trim_end_matches("_V2"),
                        parsed.duty.kind().name()
                    );
                    kinds.insert(parsed.duty.kind());
                }
                assert_eq!(kinds.len(), DutyKind::ALL.len());
            }
        }
    }

    #[test]
    fn another_salt_conflicts_in_the_same_slot() {
        let network = Network::named("mainnet").unwrap();
        let one = Sampler {
            network: &network,
            slot: Slot(14_000_000),
            key: KEY,
            salt: 0,
        };
        let two = Sampler { salt: 1, ..one };
        for kind in [
            RequestKind::Block,
            RequestKind::BlockV2,
            RequestKind::Attestation,
        ] {
            let (one, two) = (one.sample(kind).unwrap(), two.sample(kind).unwrap());
            assert_ne!(one.signing_root, two.signing_root);
        }
        let vote = one.vote(5, 9).unwrap();
        assert_eq!(vote.body["attestation"]["target"]["epoch"], "9");
        assert_ne!(
            vote.signing_root,
            one.sample(RequestKind::Attestation).unwrap().signing_root
        );
    }

    #[test]
    fn names_are_read_in_any_case() {
        assert_eq!("block_v2".parse(), Ok(RequestKind::BlockV2));
        let error = "BLOKC".parse::<RequestKind>().unwrap_err().to_string();
        assert!(error.contains("AGGREGATION_SLOT, "), "{error}");
    }
}
