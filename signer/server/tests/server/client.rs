//! A requestor and an operator, as they call.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use symbolon_duties::{
    AttestationData, BeaconBlockHeader, Checkpoint, DepositMessage, Duty, Epoch, ExecutionAddress,
    ForkVersion, Gwei, Root, Slot, ValidatorIndex, ValidatorPublicKey, ValidatorRegistration,
    VoluntaryExit, WithdrawalCredentials, signing_root,
};
use symbolon_protocol::admin::{AdminReply, AdminRequest, MAX_ADMIN_FRAME, ServerStatus};
use symbolon_protocol::roster::PartyId;
use symbolon_protocol::session::{SessionKey, SessionSecret};
use symbolon_protocol::sign::{
    PartialAnswer, RefusalCode, SessionFrame, SignAnswer, SignBatch, SignItem, SignReply,
};
use symbolon_protocol::{Message, Signed, SoftIdentity, Unsigned};
use symbolon_rpc::{CallError, PeerClient, Pins, TlsIdentity};

use crate::fixture::{Running, Template};

pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A client of the roster with a session.
pub(crate) struct TestClient {
    template: &'static Template,
    pub(crate) peer: PeerClient,
    pub(crate) session: SessionSecret,
    pub(crate) certificate: Vec<u8>,
    member: u16,
}

impl TestClient {
    pub(crate) fn new(template: &'static Template, name: &str, member: u16, at: &str) -> Self {
        let tls = &template.clients[name];
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).unwrap();
        let session = SessionSecret::from_seed(&seed).unwrap();
        let now = unix_now();
        let certificate = certify(template, tls, name, &session, now, now + 3600);
        let peer = peer(template, tls, member, at);
        Self {
            template,
            peer,
            session,
            certificate,
            member,
        }
    }

    pub(crate) fn requestor(template: &'static Template, server: &Running) -> Self {
        Self::new(template, "req-1", 1, &server.address)
    }

    /// Sends a batch and checks the reply's signature.
    pub(crate) async fn send(&self, items: Vec<SignItem>) -> Result<Vec<SignAnswer>, CallError> {
        self.send_with_ttl(items, 20_000).await
    }

    pub(crate) async fn send_with_ttl(
        &self,
        items: Vec<SignItem>,
        ttl_ms: u32,
    ) -> Result<Vec<SignAnswer>, CallError> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).unwrap();
        let batch = SignBatch {
            id: id.into(),
            issued_at_ms: 0,
            ttl_ms,
            items,
        };
        let batch = Unsigned::new(self.template.id(), batch);
        let digest = batch.digest();
        let bytes = self.send_raw(&batch.sign_session(&self.session)).await?;
        let frame = SessionFrame::from_bytes(&bytes).unwrap();
        let (network, roster) = (self.template.id(), self.template.chain.current());
        let key = SessionKey::verify(network, &frame.certificate, roster, unix_now()).unwrap();
        assert_eq!(key.holder, PartyId::Member(self.member));
        let reply = Signed::<SignReply>::from_bytes(network, &frame.message).unwrap();
        let reply = reply.verify_session(&key.key, "the server").unwrap();
        assert_eq!((reply.member, *reply.batch), (self.member, digest));
        Ok(reply.answers.clone())
    }

    pub(crate) async fn send_raw<T: Message>(
        &self,
        message: &Signed<T>,
    ) -> Result<Vec<u8>, CallError> {
        let frame = SessionFrame::new(self.certificate.clone(), message.to_bytes());
        self.peer.sign(frame.to_bytes(), LIMIT).await
    }

    /// The answer to one duty.
    pub(crate) async fn one(&self, item: SignItem) -> SignAnswer {
        let mut answers = self.send(vec![item]).await.unwrap();
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    pub(crate) async fn signed(&self, item: SignItem) -> PartialAnswer {
        match self.one(item).await {
            SignAnswer::Partial(partial) => partial,
            SignAnswer::Refused(refusal) => panic!("{refusal}"),
        }
    }

    pub(crate) async fn refused(&self, item: SignItem) -> (RefusalCode, String) {
        match self.one(item).await {
            SignAnswer::Partial(_) => panic!("signed"),
            SignAnswer::Refused(refusal) => (refusal.code, refusal.text),
        }
    }

    pub(crate) async fn admin(&self, request: AdminRequest) -> Vec<AdminReply> {
        let frames = self.peer.admin(request.to_bytes(), LIMIT).await.unwrap();
        frames
            .iter()
            .map(|frame| AdminReply::from_bytes(frame).unwrap())
            .collect()
    }

    pub(crate) async fn status(&self) -> ServerStatus {
        match self.admin(AdminRequest::Status).await.remove(0) {
            AdminReply::Status(status) => status,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn peer(
    template: &'static Template,
    tls: &TlsIdentity,
    member: u16,
    at: &str,
) -> PeerClient {
    let pins = Pins::of(template.chain.current());
    PeerClient::new(PartyId::Member(member), at, tls, pins, MAX_ADMIN_FRAME + 64).unwrap()
}

pub(crate) fn certify(
    template: &'static Template,
    tls: &TlsIdentity,
    name: &str,
    session: &SessionSecret,
    not_before: u64,
    not_after: u64,
) -> Vec<u8> {
    let identity = SoftIdentity::from_pkcs8_der(tls.pkcs8()).unwrap();
    let holder = PartyId::Client(name.to_owned());
    let key = SessionKey {
        holder,
        key: session.public(),
        not_before,
        not_after,
    };
    Unsigned::new(template.id(), key)
        .sign(&identity)
        .unwrap()
        .to_bytes()
}

pub(crate) fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// The slot running now.
pub(crate) fn now(template: &Template) -> Slot {
    template.network.slot_at(unix_now()).unwrap()
}

pub(crate) fn item(template: &Template, key: ValidatorPublicKey, duty: Duty) -> SignItem {
    let epoch = duty.epoch(&template.network).unwrap_or_default();
    let fork_version = Some(template.network.fork_at(epoch).version);
    let signing_root = signing_root(&duty, fork_version, &template.network).unwrap();
    SignItem {
        key,
        group_epoch: 1,
        duty,
        fork_version,
        signing_root,
    }
}

pub(crate) fn block(template: &Template, slot: u64, variant: u8) -> SignItem {
    let header = BeaconBlockHeader {
        slot: Slot(slot),
        proposer_index: ValidatorIndex(1),
        parent_root: Root([1; 32]),
        state_root: Root([variant; 32]),
        body_root: Root([3; 32]),
    };
    item(template, template.key(0), Duty::Block(header))
}

pub(crate) fn vote(template: &Template, source: u64, target: u64, variant: u8) -> SignItem {
    let checkpoint = |epoch| Checkpoint {
        epoch: Epoch(epoch),
        root: Root([1; 32]),
    };
    let data = AttestationData {
        slot: Slot(target * 32),
        index: 0,
        beacon_block_root: Root([variant; 32]),
        source: checkpoint(source),
        target: checkpoint(target),
    };
    item(template, template.key(0), Duty::Attestation(data))
}

/// One duty of each kind for one key.
pub(crate) fn every_kind(template: &Template, key: ValidatorPublicKey) -> Vec<SignItem> {
    let slot = now(template);
    let epoch = template.network.epoch_of(slot);
    let root = Root([5; 32]);
    let of_block = block(template, slot.0, 1).duty;
    let of_vote = vote(template, epoch.0 - 1, epoch.0, 1).duty;
    let deposit = DepositMessage {
        pubkey: key,
        withdrawal_credentials: WithdrawalCredentials([1; 32]),
        amount: Gwei(32_000_000_000),
    };
    let genesis_fork_version = ForkVersion([0, 0, 0, 0]);
    let exit = VoluntaryExit {
        epoch,
        validator_index: ValidatorIndex(3),
    };
    let registration = ValidatorRegistration {
        fee_recipient: ExecutionAddress([4; 20]),
        gas_limit: 30_000_000,
        timestamp: unix_now(),
        pubkey: key,
    };
    let duties = [
        of_block,
        of_vote,
        Duty::RandaoReveal { epoch },
        Duty::Deposit {
            message: deposit,
            genesis_fork_version,
        },
        Duty::VoluntaryExit(exit),
        Duty::AggregationSlot { slot },
        Duty::AggregateAndProof {
            slot,
            object_root: root,
        },
        Duty::SyncCommitteeMessage {
            slot,
            beacon_block_root: root,
        },
        Duty::SyncSelectionProof {
            slot,
            subcommittee_index: 2,
        },
        Duty::SyncContributionAndProof {
            slot,
            object_root: root,
        },
        Duty::ValidatorRegistration(registration),
    ];
    duties
        .into_iter()
        .map(|duty| item(template, key, duty))
        .collect()
}
