//! A cluster in memory: roster, guardians, members with software devices and disks that can fail.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code; each test binary uses its part"
)]

pub mod attacks;
pub mod forge;
pub mod shell;
pub mod vectors;

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
pub use shell::{Crash, Shell};
use symbolon_ceremony::wire::{CeremonyReply, CeremonyRequest};
use symbolon_ceremony::*;
use symbolon_protocol::roster::{
    Client, ClientKind, ClusterId, Guardian, Member, Roster, RosterChain, SignedRoster, TlsPin,
};
use symbolon_protocol::{IdentitySigner, Message, NetworkId, Signed, SoftIdentity, Unsigned};
use symbolon_secmem::Locked;
use symbolon_threshold::{
    HashedRoot, LagrangeCache, Scale, SecretScalar, SecretShare, ShareIndex, lagrange_at_zero,
};

pub const NETWORK: NetworkId = NetworkId([0x11; 32]);
pub const GUARDIANS: [&str; 3] = ["ada", "bea", "cai"];
pub const OPERATOR: &str = "ops";

/// 32 bytes that follow from a text.
pub fn bytes(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

pub fn index(number: u64) -> ShareIndex {
    ShareIndex::try_from(number).unwrap()
}

pub fn identity(name: &str) -> SoftIdentity {
    SoftIdentity::from_bytes(&bytes(&format!("identity of {name}"))).unwrap()
}

pub fn member_name(number: u16) -> String {
    format!("server-{number}")
}

pub fn seed(text: &str) -> Seed {
    Seed::new(Locked::init_with(|out| out.copy_from_slice(&bytes(text))))
}

pub fn entropy(text: &str) -> Entropy {
    Entropy {
        seed: seed(&format!("seed {text}")),
        batch: bytes(&format!("batch {text}")),
    }
}

/// One member: machine, device and disk.
pub struct Server {
    pub participant: Participant,
    pub shell: Shell,
    requests: usize,
}

impl Server {
    pub fn ask(&mut self, request: CeremonyRequest) -> Result<CeremonyReply, DriveError<Crash>> {
        self.requests += 1;
        let entropy = entropy(&format!("{} request {}", self.shell.number, self.requests));
        self.step(Step::Request(request, entropy))
    }

    pub fn step(&mut self, step: Step) -> Result<CeremonyReply, DriveError<Crash>> {
        drive(&mut self.participant, step, &mut self.shell)
    }

    /// The error that a request must be refused with.
    pub fn refuses(&mut self, request: CeremonyRequest) -> StepError {
        match self.ask(request) {
            Err(DriveError::Refused(error)) => error,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    /// Starts again from disk.
    pub fn restart(&mut self, chain: &RosterChain) {
        let me = index(self.shell.number.into());
        let records = self.shell.records.iter().map(Vec::as_slice);
        self.participant = Participant::resume(chain.clone(), me, records).unwrap();
        self.shell.budget = None;
        for effect in self.participant.unfinished() {
            match effect {
                Effect::EraseSeed(ceremony) => self.shell.erase_seed(ceremony).unwrap(),
                Effect::EraseShares(ceremony) => self.shell.erase_shares(ceremony).unwrap(),
                Effect::DestroyKey(key) => self.shell.destroy_key(&key).unwrap(),
                other => panic!("{other:?}"),
            }
        }
    }

    pub fn state(&self, ceremony: CeremonyId) -> Option<CeremonyState> {
        self.participant
            .status(Some(ceremony))
            .first()
            .map(|status| status.state)
    }
}

/// A whole cluster.
pub struct Cluster {
    pub chain: RosterChain,
    pub servers: BTreeMap<u16, Server>,
}

pub fn roster(online: &[u16], offline: &[u16]) -> Roster {
    let mut members: Vec<Member> = online
        .iter()
        .map(|number| (*number, true))
        .chain(offline.iter().map(|number| (*number, false)))
        .map(|(number, is_online)| Member {
            index: number,
            name: member_name(number),
            identity: identity(&member_name(number)).public(),
            address: is_online.then(|| format!("127.0.0.1:{}", 9000 + u32::from(number) % 1000)),
            tls_pin: is_online.then(|| TlsPin(bytes(&format!("pin {number}")))),
        })
        .collect();
    members.sort_by_key(|member| member.index);
    Roster {
        cluster: ClusterId([9; 32]),
        name: "lab".into(),
        number: 1,
        previous: None,
        members,
        clients: [
            (OPERATOR, ClientKind::Operator),
            ("req", ClientKind::Requestor),
        ]
        .into_iter()
        .map(|(name, kind)| Client {
            name: name.into(),
            kind,
            identity: identity(name).public(),
            tls_pin: TlsPin(bytes(&format!("pin {name}"))),
            provider: String::new(),
        })
        .collect(),
        guardians: GUARDIANS
            .iter()
            .map(|name| Guardian {
                name: (*name).into(),
                key: identity(name).public(),
            })
            .collect(),
        guardian_quorum: 2,
    }
}

pub fn chain(roster: Roster) -> RosterChain {
    let mut signed = SignedRoster::new(NETWORK, roster);
    for name in GUARDIANS {
        signed.sign(NETWORK, name, &identity(name)).unwrap();
    }
    RosterChain::start(NETWORK, signed, None).unwrap()
}

pub fn cosign(mut plan: Cosigned<Plan>) -> Vec<u8> {
    for name in &GUARDIANS[..2] {
        plan.sign(name, &identity(name)).unwrap();
    }
    plan.to_bytes()
}

pub fn draft(group: &str, threshold: u16) -> PlanDraft {
    PlanDraft {
        group: GroupLabel::new(group).unwrap(),
        class: GroupClass::Hot,
        threshold,
        not_after: None,
        duties: Vec::new(),
    }
}

impl Cluster {
    /// Servers 1 to n.
    pub fn new(n: u16) -> Self {
        Self::of(roster(&(1..=n).collect::<Vec<_>>(), &[]))
    }

    pub fn of(roster: Roster) -> Self {
        let chain = chain(roster);
        let servers = chain.current().members.iter().map(|member| {
            let participant = Participant::new(chain.clone(), index(member.index.into()));
            let shell = Shell::new(member.index);
            (
                member.index,
                Server {
                    participant,
                    shell,
                    requests: 0,
                },
            )
        });
        let servers = servers.collect();
        Self { chain, servers }
    }

    pub fn server(&mut self, number: u16) -> &mut Server {
        self.servers.get_mut(&number).unwrap()
    }

    pub fn roster(&self) -> &Roster {
        self.chain.current()
    }

    pub fn restart(&mut self, number: u16) {
        let chain = self.chain.clone();
        self.server(number).restart(&chain);
    }

    pub fn offers(&mut self, group: &str) -> Vec<Vec<u8>> {
        let group = GroupLabel::new(group).unwrap();
        let offer = |server: &mut Server| {
            let request = CeremonyRequest::Offer {
                group: group.clone(),
                group_epoch: GroupEpoch::FIRST,
            };
            match server.ask(request).unwrap() {
                CeremonyReply::Offer(bytes) => bytes.to_vec(),
                other => panic!("{other:?}"),
            }
        };
        self.servers.values_mut().map(offer).collect()
    }

    /// A cosigned plan of a DKG among all members.
    pub fn plan(&mut self, group: &str, threshold: u16, keys: u16) -> Vec<u8> {
        self.plan_with(group, threshold, keys, |_| {})
    }

    /// The same with something changed before guardians sign.
    pub fn plan_with(
        &mut self,
        group: &str,
        threshold: u16,
        keys: u16,
        change: impl FnOnce(&mut Plan),
    ) -> Vec<u8> {
        let offers = self.offers(group);
        let nonce = bytes(&format!("nonce of {group}"));
        let draft = draft(group, threshold);
        let plan = draft
            .dkg(NETWORK, self.chain.current(), nonce, keys, &offers)
            .unwrap();
        let mut plan = plan.unverified().value().clone();
        change(&mut plan);
        cosign(Cosigned::new(NETWORK, plan))
    }

    pub fn verified(&self, plan: &[u8]) -> VerifiedPlan {
        VerifiedPlan::verify(NETWORK, self.chain.current(), plan).unwrap()
    }

    pub fn deals(&mut self, plan: &[u8]) -> Vec<Vec<u8>> {
        let deal = |server: &mut Server| match server
            .ask(CeremonyRequest::Plan(plan.to_vec().into()))
            .unwrap()
        {
            CeremonyReply::Deal(bytes) => bytes.to_vec(),
            other => panic!("{other:?}"),
        };
        self.servers.values_mut().map(deal).collect()
    }

    pub fn confirmations(&mut self, id: CeremonyId, deals: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let confirm = |server: &mut Server| match server.ask(deals_request(id, deals)).unwrap() {
            CeremonyReply::Confirmation(bytes) => bytes.to_vec(),
            other => panic!("{other:?}"),
        };
        self.servers.values_mut().map(confirm).collect()
    }

    pub fn activations(&mut self, certificate: &[u8]) -> Vec<Vec<u8>> {
        let activate = |server: &mut Server| match server
            .ask(CeremonyRequest::Certificate(certificate.to_vec().into()))
            .unwrap()
        {
            CeremonyReply::Activation(bytes) => bytes.to_vec(),
            other => panic!("{other:?}"),
        };
        self.servers.values_mut().map(activate).collect()
    }

    /// A whole DKG; gives the ceremony with everything that travelled.
    pub fn dkg(&mut self, group: &str, threshold: u16, keys: u16) -> Made {
        let plan = self.plan(group, threshold, keys);
        self.run(plan)
    }

    pub fn run(&mut self, plan: Vec<u8>) -> Made {
        let deals = self.deals(&plan);
        self.finish(plan, deals)
    }

    pub fn finish(&mut self, plan: Vec<u8>, deals: Vec<Vec<u8>>) -> Made {
        let verified = self.verified(&plan);
        let confirmations = self.confirmations(verified.id(), &deals);
        let parts = confirmations.iter().map(Vec::as_slice);
        let certificate = VerifiedCertificate::assemble(&verified, parts).unwrap();
        let certificate = certificate.to_bytes().to_vec();
        let activations = self.activations(&certificate);
        let name = (verified.id(), FileName::Group);
        let groups: BTreeSet<Vec<u8>> = self
            .servers
            .values()
            .map(|server| server.shell.files[&name].clone())
            .collect();
        assert_eq!(groups.len(), 1, "all members have one descriptor");
        let descriptor = groups.into_iter().next().unwrap();
        let id = verified.id();
        Made {
            id,
            plan,
            deals,
            confirmations,
            certificate,
            activations,
            descriptor,
        }
    }

    pub fn group(&self, made: &Made) -> Group {
        GroupDescriptor::verify(&self.chain, &made.descriptor).unwrap()
    }

    pub fn shares(&self, made: &Made, number: u16) -> Vec<SecretShare> {
        self.servers[&number].shell.secret_shares(made.id)
    }
}

/// Everything that a ceremony left behind.
pub struct Made {
    pub id: CeremonyId,
    pub plan: Vec<u8>,
    pub deals: Vec<Vec<u8>>,
    pub confirmations: Vec<Vec<u8>>,
    pub certificate: Vec<u8>,
    pub activations: Vec<Vec<u8>>,
    pub descriptor: Vec<u8>,
}

pub fn deals_request(id: CeremonyId, deals: &[Vec<u8>]) -> CeremonyRequest {
    let deals = deals.iter().map(|deal| deal.clone().into()).collect();
    CeremonyRequest::Deals {
        ceremony: id,
        deals,
    }
}

/// Signs a message as a member, whether or not the member would.
pub fn sign_as<T: Message>(name: &str, value: T) -> Vec<u8> {
    Unsigned::new(NETWORK, value)
        .sign(&identity(name))
        .unwrap()
        .to_bytes()
}

/// The payload of a signed message.
pub fn value<T: Message + Clone>(bytes: &[u8]) -> T {
    Signed::<T>::from_bytes(NETWORK, bytes)
        .unwrap()
        .unverified()
        .value()
        .clone()
}

/// Every set of `t` of these numbers.
pub fn subsets(numbers: &[u16], t: usize) -> Vec<Vec<u16>> {
    match (t, numbers.split_first()) {
        (0, _) => vec![Vec::new()],
        (_, None) => Vec::new(),
        (_, Some((first, rest))) => {
            let mut sets = subsets(rest, t);
            for mut set in subsets(rest, t - 1) {
                set.insert(0, *first);
                sets.push(set);
            }
            sets
        }
    }
}

/// Every set of t members has the whole key, and signs with it; verified under the group key alone.
///
/// Of more than a hundred sets all are interpolated and every fiftieth signs.
pub fn check_all_subsets(cluster: &Cluster, made: &Made) {
    let group = cluster.group(made);
    let numbers: Vec<u16> = cluster.servers.keys().copied().collect();
    let root = HashedRoot::new(&bytes("a root"));
    let shares: BTreeMap<u16, Vec<SecretShare>> = numbers
        .iter()
        .map(|number| (*number, cluster.shares(made, *number)))
        .collect();
    let sets = subsets(&numbers, group.threshold().t());
    let every = if sets.len() > 100 { 50 } else { 1 };
    for (key, public) in group.group_keys().iter().enumerate() {
        for set in &sets {
            let shares: Vec<_> = set.iter().map(|number| &shares[number][key]).collect();
            if every > 1 {
                assert_eq!(
                    reconstruct(&shares).public_point(),
                    *public.point(),
                    "{set:?}"
                );
            }
        }
        for scale in [Scale::PLAIN, group.scale()] {
            let cache = LagrangeCache::new(&group.indices(), group.threshold(), scale).unwrap();
            let partials: BTreeMap<u16, _> = shares
                .iter()
                .map(|(number, shares)| (*number, shares[key].scaled(scale).sign(&root)))
                .collect();
            let mut signatures = BTreeSet::new();
            for set in sets.iter().step_by(every) {
                let partials: Vec<_> = set.iter().map(|number| partials[number]).collect();
                let signature = cache
                    .combine(&partials)
                    .unwrap()
                    .verify(public, &root)
                    .unwrap();
                signatures.insert(signature.to_compressed());
            }
            assert_eq!(signatures.len(), 1);
        }
    }
}

/// The whole key of t shares: what no program of ours ever does.
pub fn reconstruct(shares: &[&SecretShare]) -> SecretScalar {
    let signers = symbolon_threshold::SignerSet::new(shares.iter().map(|share| share.index()));
    let factors = lagrange_at_zero(&signers.unwrap());
    let mut shares = shares.to_vec();
    shares.sort_by_key(|share| share.index());
    SecretScalar::weighted_sum(factors.into_iter().zip(shares.iter().map(|s| s.scalar()))).unwrap()
}
