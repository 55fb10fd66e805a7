//! A model of a threshold server: signs what it is asked, in the manner that the test sets.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use symbolon_duties::{Network, signing_root};
use symbolon_protocol::roster::{PartyId, RosterChain};
use symbolon_protocol::session::{SessionKey, SessionSecret};
use symbolon_protocol::sign::{
    PartialAnswer, Refusal, RefusalCode, SessionFrame, SignAnswer, SignBatch, SignItem, SignReply,
};
use symbolon_protocol::{NetworkId, Unsigned, Verified};
use symbolon_rpc::wire::Frame;
use symbolon_rpc::wire::signer_server::{Signer, SignerServer};
use symbolon_rpc::{Listener, caller, router};
use symbolon_signing::frame;
use symbolon_threshold::HashedRoot;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::{Request, Response, Status};

use super::group::Made;
use super::identity;

/// How a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Honest,
    /// Honest, after so many milliseconds.
    Slow(u64),
    /// Signs another root.
    Wrong,
    /// Signs another root for one duty of a batch only: the last.
    WrongOnce,
    /// Bytes that are no point.
    Garbage,
    /// Never answers.
    Silent,
    Refuse(RefusalCode),
    /// Refuses, and names this root (its bytes) as the one that is signed.
    Locked(u8),
    /// Claims a share of an older group epoch.
    OldEpoch,
    /// Claims another scale.
    OtherScale,
    /// Leaves one answer out.
    TooFew,
    /// Signs the reply with a key that nobody certified.
    Unsigned,
    /// Answers with bytes that are no frame.
    Noise,
    /// Answers with an error of gRPC.
    Fails,
    /// Answers in the name of another member.
    OtherMember,
}

/// One running server.
pub struct Server {
    pub member: u16,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

struct Shared {
    manner: Mutex<Manner>,
    batches: Mutex<Vec<Vec<SignItem>>>,
    calls: AtomicUsize,
}

#[derive(Clone)]
struct Model {
    member: u16,
    network: Network,
    chain: RosterChain,
    made: Arc<Made>,
    session: Arc<(SessionSecret, Vec<u8>)>,
    shared: Arc<Shared>,
}

impl Server {
    pub fn start(
        member: u16,
        listener: Listener,
        network: &Network,
        chain: &RosterChain,
        made: &Arc<Made>,
    ) -> Self {
        let shared = Arc::new(Shared {
            manner: Mutex::new(Manner::Honest),
            batches: Mutex::default(),
            calls: AtomicUsize::new(0),
        });
        let model = Model {
            member,
            network: network.clone(),
            chain: chain.clone(),
            made: Arc::clone(made),
            session: Arc::new(session(member, chain.network())),
            shared: Arc::clone(&shared),
        };
        let (router, _reporter) = router().unwrap();
        let service = SignerServer::new(model)
            .max_decoding_message_size(SessionFrame::MAX_LEN)
            .max_encoding_message_size(SessionFrame::MAX_LEN);
        let router = router.add_service(service);
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let stopped = async {
                stopped.await.ok();
            };
            listener.serve(router, stopped).await.unwrap();
        });
        Self {
            member,
            shared,
            stop: Some(stop),
            task,
        }
    }

    pub fn set(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap() = manner;
    }

    /// What it was asked, batch by batch.
    pub fn batches(&self) -> Vec<Vec<SignItem>> {
        self.shared.batches.lock().unwrap().clone()
    }

    pub fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }

    /// Kills it: the port is closed, connections break.
    pub fn kill(&mut self) {
        self.stop.take();
        self.task.abort();
    }
}

fn session(member: u16, network: NetworkId) -> (SessionSecret, Vec<u8>) {
    let secret = SessionSecret::from_seed(&[member as u8; 32]).unwrap();
    let now = now();
    let key = SessionKey {
        holder: PartyId::Member(member),
        key: secret.public(),
        not_before: now,
        not_after: now + 3600,
    };
    let signer = identity(&format!("server-{member}"));
    let certificate = Unsigned::new(network, key)
        .sign(&signer)
        .unwrap()
        .to_bytes();
    (secret, certificate)
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

#[tonic::async_trait]
impl Signer for Model {
    async fn sign(&self, request: Request<Frame>) -> Result<Response<Frame>, Status> {
        let caller = caller(&request).map_err(|status| *status)?;
        let bytes = request.into_inner().value;
        let batch = self.open(&caller, &bytes)?;
        let manner = *self.shared.manner.lock().unwrap();
        self.shared.calls.fetch_add(1, Ordering::SeqCst);
        self.shared
            .batches
            .lock()
            .unwrap()
            .push(batch.items.clone());
        match manner {
            Manner::Silent => std::future::pending().await,
            Manner::Slow(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
            Manner::Fails => return Err(Status::resource_exhausted("too much waits here")),
            Manner::Noise => {
                return Ok(Response::new(Frame {
                    value: vec![0xa5; 500].into(),
                }));
            }
            _ => {}
        }
        let model = self.clone();
        let reply = tokio::task::spawn_blocking(move || model.reply(&batch, manner));
        Ok(Response::new(Frame {
            value: reply.await.unwrap().into(),
        }))
    }
}

impl Model {
    /// As a real server: the requestor's certificate and signature must hold.
    fn open(&self, caller: &PartyId, bytes: &[u8]) -> Result<Verified<SignBatch>, Status> {
        let network = self.chain.network();
        let frame = SessionFrame::from_bytes(bytes).map_err(bad)?;
        let roster = self.chain.current();
        frame::open(network, &frame, roster, caller, now(), &mut None).map_err(bad)
    }

    fn reply(&self, batch: &Verified<SignBatch>, manner: Manner) -> Vec<u8> {
        let count = batch.items.len();
        let mut answers: Vec<SignAnswer> = batch
            .items
            .iter()
            .enumerate()
            .map(|(place, item)| self.answer(item, manner, place + 1 == count))
            .collect();
        if manner == Manner::TooFew {
            answers.pop();
        }
        let member = if manner == Manner::OtherMember {
            self.member + 1
        } else {
            self.member
        };
        let reply = SignReply {
            member,
            batch: batch.digest().into(),
            answers,
        };
        let (secret, certificate) = &*self.session;
        let other = SessionSecret::from_seed(&[0xee; 32]).unwrap();
        let secret = if manner == Manner::Unsigned {
            &other
        } else {
            secret
        };
        let message = Unsigned::new(self.chain.network(), reply)
            .sign_session(secret)
            .to_bytes();
        SessionFrame::new(certificate.clone(), message).to_bytes()
    }

    fn answer(&self, item: &SignItem, manner: Manner, last: bool) -> SignAnswer {
        let refuse = |code, text: &str| SignAnswer::Refused(Refusal::new(code, text));
        let Some(share) = self.made.shares.get(&(self.member, item.key)) else {
            return refuse(RefusalCode::UnknownKey, "no such key");
        };
        let root = signing_root(&item.duty, item.fork_version, &self.network);
        if root.as_ref() != Ok(&item.signing_root) {
            return refuse(RefusalCode::WrongSigningRoot, "another root");
        }
        if item.group_epoch != self.made.group.group_epoch().0 {
            return refuse(RefusalCode::WrongGroupEpoch, "another group epoch");
        }
        match manner {
            Manner::Refuse(code) => return refuse(code, "as the test wants"),
            Manner::Locked(byte) => {
                let root = symbolon_duties::SigningRoot([byte; 32]);
                let refusal = Refusal::new(RefusalCode::DoubleVote, "another root is signed");
                return SignAnswer::Refused(refusal.with_locked_root(Some(root)));
            }
            _ => {}
        }
        let lies = manner == Manner::Wrong || (manner == Manner::WrongOnce && last);
        let root = if lies {
            [0xbb; 32]
        } else {
            *item.signing_root.as_bytes()
        };
        let mut answer = PartialAnswer {
            group_epoch: item.group_epoch,
            scale: share.scale().to_u64(),
            point: share.sign(&HashedRoot::new(&root)).to_uncompressed().into(),
        };
        match manner {
            Manner::Garbage => answer.point = [0x11; 192].into(),
            Manner::OldEpoch => answer.group_epoch -= 1,
            Manner::OtherScale => answer.scale += 1,
            _ => {}
        }
        SignAnswer::Partial(answer)
    }
}

fn bad(error: impl std::fmt::Display) -> Status {
    Status::invalid_argument(error.to_string())
}
