//! What a member signs and refuses, and that no history of batches gives two slashable permits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::cell::{Cell, RefCell};

use proptest::prelude::*;
use symbolon_duties::{
    AttestationData, BeaconBlockHeader, Checkpoint, DepositMessage, Duty, DutyKind, Epoch,
    ForkVersion, Gwei, Network, Root, SigningRoot, Slot, ValidatorIndex, ValidatorPublicKey,
    WithdrawalCredentials, signing_root,
};
use symbolon_protocol::sign::{Refusal, RefusalCode, SignItem};
use symbolon_signing::{
    Context, DutySet, HeldKey, Keys, Ledger, MarkUpdate, Marks, Permissions, Permit, Permits,
    Release, Window,
};
use symbolon_slashing::{BlockMark, Mark};

const A: ValidatorPublicKey = ValidatorPublicKey([0xa; 48]);
const B: ValidatorPublicKey = ValidatorPublicKey([0xb; 48]);
const DISABLED: ValidatorPublicKey = ValidatorPublicKey([0xd; 48]);
const ALL: Window = Window {
    past_slots: u64::MAX,
    future_slots: u64::MAX,
};

/// Refusals by duty, and the permits for the others.
type Decided = (Vec<Option<Refusal>>, Release<Waiting<Permits>>);

struct Held;

impl Keys for Held {
    fn held(&self, key: &ValidatorPublicKey) -> Option<HeldKey<'_>> {
        let enabled = *key != DISABLED;
        [A, B, DISABLED].contains(key).then_some(HeldKey {
            group: "north",
            group_epoch: 1,
            duties: if *key == B {
                [DutyKind::Block, DutyKind::Attestation]
                    .into_iter()
                    .collect()
            } else {
                DutySet::all()
            },
            enabled,
        })
    }
}

/// A journal in memory: what is queued becomes durable in order, or is lost in a crash.
#[derive(Default)]
struct Memory {
    queued: RefCell<Vec<Vec<MarkUpdate>>>,
    durable: RefCell<Vec<MarkUpdate>>,
    written: Cell<usize>,
    full: Cell<bool>,
}

struct Waiting<T> {
    number: usize,
    value: T,
}

impl Ledger for Memory {
    type Ticket<T> = Waiting<T>;
    type Error = &'static str;

    fn queue<T: Send + 'static>(
        &self,
        updates: &[MarkUpdate],
        value: T,
    ) -> Result<Waiting<T>, &'static str> {
        if self.full.get() {
            return Err("full");
        }
        self.queued.borrow_mut().push(updates.to_vec());
        let number = self.written.get() + self.queued.borrow().len();
        Ok(Waiting { number, value })
    }
}

impl Memory {
    fn flush(&self, batches: usize) {
        let mut queued = self.queued.borrow_mut();
        let count = batches.min(queued.len());
        self.durable
            .borrow_mut()
            .extend(queued.drain(..count).flatten());
        self.written.set(self.written.get() + count);
    }

    fn is_durable<T>(&self, ticket: &Waiting<T>) -> bool {
        ticket.number <= self.written.get()
    }

    fn restart(&self) -> Marks {
        self.queued.borrow_mut().clear();
        let mut marks = Marks::default();
        for update in self.durable.borrow().iter() {
            marks.replay(update).unwrap();
        }
        marks
    }
}

fn mainnet() -> Network {
    Network::named("mainnet").unwrap()
}

fn permissions(duties: &str) -> Permissions {
    let text = format!("[[allow]]\nrequestor = \"req-1\"\nkeys = [\"*\"]\nduties = [{duties}]\n");
    Permissions::parse(&text).unwrap()
}

fn item(key: ValidatorPublicKey, duty: Duty) -> SignItem {
    let fork_version = Some(ForkVersion([0, 0, 0, 0]));
    let signing_root = signing_root(&duty, fork_version, &mainnet()).unwrap();
    SignItem {
        key,
        group_epoch: 1,
        duty,
        fork_version,
        signing_root,
    }
}

fn block(key: ValidatorPublicKey, slot: u64, variant: u8) -> SignItem {
    let header = BeaconBlockHeader {
        slot: Slot(slot),
        proposer_index: ValidatorIndex(1),
        parent_root: Root([1; 32]),
        state_root: Root([variant; 32]),
        body_root: Root([3; 32]),
    };
    item(key, Duty::Block(header))
}

fn vote(key: ValidatorPublicKey, source: u64, target: u64, variant: u8) -> SignItem {
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
    item(key, Duty::Attestation(data))
}

struct Member {
    marks: Marks,
    ledger: Memory,
    network: Network,
    permissions: Permissions,
    window: Window,
    now: u64,
}

impl Member {
    fn new() -> Self {
        Self {
            marks: Marks::default(),
            ledger: Memory::default(),
            network: mainnet(),
            permissions: permissions("\"all\""),
            window: ALL,
            now: 0,
        }
    }

    fn decide(&mut self, items: &[SignItem]) -> Result<Decided, &'static str> {
        let context = Context {
            requestor: "req-1",
            keys: &Held,
            network: &self.network,
            permissions: &self.permissions,
            window: self.window,
            now: self.now,
        };
        let decision = self.marks.decide(items, &context, &self.ledger)?;
        Ok((decision.refusals, decision.release))
    }

    /// Decides, flushes, and tells what was refused and what was signed.
    fn sign(&mut self, items: &[SignItem]) -> (Vec<Option<Refusal>>, Vec<(usize, Permit)>) {
        let (refusals, release) = self.decide(items).unwrap();
        self.ledger.flush(usize::MAX);
        let permits = match release {
            Release::Now(permits) => permits,
            Release::Durable(ticket) => ticket.value,
        };
        (refusals, permits.into_iter().collect())
    }

    fn code(&mut self, item: SignItem) -> Option<RefusalCode> {
        let (mut refusals, permits) = self.sign(&[item]);
        assert_eq!(refusals[0].is_some(), permits.is_empty());
        refusals.remove(0).map(|refusal| refusal.code)
    }
}

#[test]
fn checks_come_in_their_order() {
    let mut member = Member::new();
    member.permissions = permissions("\"ATTESTATION\"");
    member.window = Window {
        past_slots: 64,
        future_slots: 64,
    };
    member.now = member.network.start_of(Slot(320)).unwrap();
    // Everything is wrong with the first; each next one has one fault less.
    let mut wrong = block(ValidatorPublicKey([9; 48]), 9_999, 1);
    wrong.group_epoch = 7;
    wrong.signing_root = SigningRoot([0; 32]);
    assert_eq!(member.code(wrong.clone()), Some(RefusalCode::UnknownKey));
    wrong.key = DISABLED;
    assert_eq!(member.code(wrong.clone()), Some(RefusalCode::KeyDisabled));
    wrong.key = A;
    assert_eq!(
        member.code(wrong.clone()),
        Some(RefusalCode::WrongGroupEpoch)
    );
    wrong.group_epoch = 1;
    assert_eq!(member.code(wrong.clone()), Some(RefusalCode::NotPermitted));
    member.permissions = permissions("\"all\"");
    assert_eq!(member.code(wrong), Some(RefusalCode::WrongSigningRoot));
    assert_eq!(
        member.code(block(A, 9_999, 1)),
        Some(RefusalCode::OutsideWindow)
    );
    assert_eq!(member.code(block(A, 320, 1)), None);
    assert_eq!(
        member.code(block(A, 320, 2)),
        Some(RefusalCode::DoubleProposal)
    );
}

#[test]
fn a_fork_version_of_no_fork_and_a_foreign_deposit_are_refused() {
    let mut member = Member::new();
    let mut unknown = block(A, 1, 1);
    unknown.fork_version = Some(ForkVersion([9, 9, 9, 9]));
    assert_eq!(member.code(unknown.clone()), Some(RefusalCode::UnknownFork));
    unknown.fork_version = None;
    assert_eq!(member.code(unknown), Some(RefusalCode::UnknownFork));
    let deposit = |pubkey| Duty::Deposit {
        message: DepositMessage {
            pubkey,
            withdrawal_credentials: WithdrawalCredentials([1; 32]),
            amount: Gwei(32_000_000_000),
        },
        genesis_fork_version: member.network.genesis_fork_version(),
    };
    let (mine, foreign) = (item(A, deposit(A)), item(A, deposit(B)));
    assert_eq!(member.code(mine), None);
    assert_eq!(member.code(foreign), Some(RefusalCode::BadDuty));
}

#[test]
fn a_key_signs_only_what_it_was_made_for() {
    let mut member = Member::new();
    let reveal = |key| item(key, Duty::RandaoReveal { epoch: Epoch(3) });
    let (for_a, for_b) = (reveal(A), reveal(B));
    assert_eq!(member.code(for_a), None);
    assert_eq!(member.code(for_b), Some(RefusalCode::NotPermitted));
}

#[test]
fn conflicting_duties_of_one_batch_do_not_both_pass() {
    let mut member = Member::new();
    let batch = [
        block(A, 5, 1),
        block(A, 5, 2),
        block(B, 5, 2),
        vote(A, 1, 4, 1),
        vote(A, 2, 3, 1),
    ];
    let (refusals, permits) = member.sign(&batch);
    let codes: Vec<_> = refusals
        .iter()
        .map(|r| r.as_ref().map(|r| r.code))
        .collect();
    let surrounded = Some(RefusalCode::AttestationBelowMark);
    assert_eq!(
        codes,
        [
            None,
            Some(RefusalCode::DoubleProposal),
            None,
            None,
            surrounded
        ]
    );
    assert_eq!(
        permits.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
        [0, 2, 3]
    );
    assert_eq!(
        refusals[1].as_ref().unwrap().locked_root,
        Some(batch[0].signing_root)
    );
}

#[test]
fn a_repeat_waits_for_the_mark_of_the_first() {
    let mut member = Member::new();
    let first = member.decide(&[block(A, 5, 1)]).unwrap().1;
    let repeat = member.decide(&[block(A, 5, 1)]).unwrap().1;
    let (Release::Durable(first), Release::Durable(repeat)) = (first, repeat) else {
        panic!("released before the flush")
    };
    member.ledger.flush(1);
    assert!(member.ledger.is_durable(&first) && !member.ledger.is_durable(&repeat));
    member.ledger.flush(1);
    assert!(member.ledger.is_durable(&repeat));
}

#[test]
fn what_the_ledger_does_not_take_leaves_no_mark() {
    let mut member = Member::new();
    member.ledger.full.set(true);
    assert!(member.decide(&[block(A, 5, 1)]).is_err());
    member.ledger.full.set(false);
    assert_eq!(member.code(block(A, 5, 2)), None);
}

#[test]
fn duties_that_cannot_conflict_are_released_at_once() {
    let mut member = Member::new();
    let reveal = item(A, Duty::RandaoReveal { epoch: Epoch(3) });
    let (_, release) = member.decide(&[reveal]).unwrap();
    let Release::Now(permits) = release else {
        panic!("waits for nothing")
    };
    let (at, permit) = permits.into_iter().next().unwrap();
    assert_eq!(
        (at, permit.kind(), *permit.key()),
        (0, DutyKind::RandaoReveal, A)
    );
}

#[test]
fn a_floor_covers_keys_that_never_signed() {
    let mut member = Member::new();
    assert_eq!(member.code(vote(A, 1, 9, 1)), None);
    let floor = member.marks.floor([B], Epoch(9), Epoch(9), Slot(319));
    let ticket = member.marks.raise(floor, (), &member.ledger).unwrap();
    member.ledger.flush(usize::MAX);
    assert!(member.ledger.is_durable(&ticket));
    for key in [A, B] {
        assert!(member.code(vote(key, 9, 9, 1)).is_some());
        assert_eq!(
            member.code(block(key, 319, 1)),
            Some(RefusalCode::DoubleProposal)
        );
        assert_eq!(member.code(vote(key, 9, 10, 1)), None);
    }
}

#[derive(Debug, Clone)]
enum Event {
    Batch(Vec<(bool, Wish)>),
    Flush(usize),
    Full(bool),
    Crash,
    Raise(bool, u64, u64),
    Floor(u64),
}

#[derive(Debug, Clone, Copy)]
enum Wish {
    Block(u64, u8),
    Vote(u64, u64, u8),
}

impl Wish {
    fn item(self, key: ValidatorPublicKey) -> SignItem {
        match self {
            Self::Block(slot, variant) => block(key, slot, variant),
            Self::Vote(source, target, variant) => vote(key, source, target, variant),
        }
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let wish = prop_oneof![
        (0..6_u64, 0..3_u8).prop_map(|(slot, variant)| Wish::Block(slot, variant)),
        (0..6_u64, 0..6_u64, 0..3_u8).prop_map(|(a, b, variant)| Wish::Vote(a, b, variant)),
    ];
    let event = prop_oneof![
        6 => prop::collection::vec((any::<bool>(), wish), 1..6).prop_map(Event::Batch),
        4 => (1..3_usize).prop_map(Event::Flush),
        1 => any::<bool>().prop_map(Event::Full),
        1 => Just(Event::Crash),
        1 => (any::<bool>(), 0..6_u64, 0..6_u64).prop_map(|(a, b, c)| Event::Raise(a, b, c)),
        1 => (0..6_u64).prop_map(Event::Floor),
    ];
    prop::collection::vec(event, 1..40)
}

fn slashable(a: &Duty, b: &Duty) -> bool {
    match (a, b) {
        (Duty::Block(a), Duty::Block(b)) => a.slot == b.slot && a != b,
        (Duty::Attestation(a), Duty::Attestation(b)) => {
            let surrounds = |a: &AttestationData, b: &AttestationData| {
                a.source.epoch < b.source.epoch && b.target.epoch < a.target.epoch
            };
            a != b && (a.target.epoch == b.target.epoch || surrounds(a, b) || surrounds(b, a))
        }
        _ => false,
    }
}

/// One batch in flight, with the permits that wait.
type InFlight = (Vec<SignItem>, Waiting<Permits>);

fn run(history: &[Event]) -> Vec<(ValidatorPublicKey, Duty)> {
    let mut member = Member::new();
    let mut flying: Vec<InFlight> = Vec::new();
    let mut signed = Vec::new();
    for event in history {
        match event {
            Event::Batch(wishes) => {
                let key = |first: bool| if first { A } else { B };
                let items: Vec<_> = wishes
                    .iter()
                    .map(|(first, wish)| wish.item(key(*first)))
                    .collect();
                if let Ok((_, Release::Durable(ticket))) = member.decide(&items) {
                    flying.push((items, ticket));
                }
            }
            Event::Flush(batches) => member.ledger.flush(*batches),
            Event::Full(full) => member.ledger.full.set(*full),
            Event::Crash => {
                flying.clear();
                member.marks = member.ledger.restart();
            }
            Event::Raise(first, source, target) => {
                let key = if *first { A } else { B };
                let (source, target) = (Epoch(*source), Epoch(*target));
                let to = member.marks.floor([key], source, target, Slot(target.0));
                let to: Vec<_> = to.into_iter().filter(|update| update.key == key).collect();
                drop(member.marks.raise(to, (), &member.ledger));
            }
            Event::Floor(at) => {
                let to = member
                    .marks
                    .floor([A, B], Epoch(*at), Epoch(*at), Slot(*at));
                drop(member.marks.raise(to, (), &member.ledger));
            }
        }
        let (done, waiting) = flying
            .into_iter()
            .partition(|(_, t)| member.ledger.is_durable(t));
        flying = waiting;
        for (items, ticket) in Vec::<InFlight>::from_iter(done) {
            for (at, permit) in ticket.value {
                assert_eq!(permit.root(), items[at].signing_root);
                signed.push((*permit.key(), items[at].duty));
            }
        }
    }
    signed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_history_of_batches_gives_two_slashable_permits(history in events()) {
        let signed = run(&history);
        for (n, (key, duty)) in signed.iter().enumerate() {
            for (other, earlier) in &signed[..n] {
                prop_assert!(key != other || !slashable(duty, earlier), "{earlier:?} {duty:?}");
            }
        }
    }
}

#[test]
fn histories_do_sign() {
    let history = [
        Event::Batch(vec![
            (true, Wish::Block(1, 0)),
            (false, Wish::Vote(1, 2, 0)),
        ]),
        Event::Flush(1),
        Event::Batch(vec![(true, Wish::Block(1, 0)), (true, Wish::Block(1, 1))]),
        Event::Crash,
        Event::Batch(vec![(true, Wish::Block(1, 0))]),
        Event::Flush(1),
    ];
    assert_eq!(run(&history).len(), 3);
}

fn proposed(slot: u64, root: Option<SigningRoot>) -> MarkUpdate {
    let block = Some(BlockMark {
        slot: Slot(slot),
        root,
    });
    MarkUpdate {
        key: A,
        mark: Mark {
            block,
            attestation: None,
        },
    }
}

#[test]
fn raising_a_key_by_several_marks_takes_their_maximum() {
    let mut marks = Marks::default();
    let ledger = Memory::default();
    // The marks of two other members: the last one given is not the highest.
    let others = [proposed(100, None), proposed(50, None)];
    assert!(marks.raise(others, (), &ledger).is_ok());
    assert_eq!(marks.get(&A), proposed(100, None).mark);
    ledger.flush(1);
    assert_eq!(ledger.restart().get(&A), proposed(100, None).mark);
}

#[test]
fn a_journal_in_which_a_root_is_exchanged_is_refused() {
    let root = |byte| Some(SigningRoot([byte; 32]));
    let mut marks = Marks::default();
    marks.replay(&proposed(10, root(1))).unwrap();
    // A repeat.
    marks.replay(&proposed(10, root(1))).unwrap();
    assert!(marks.replay(&proposed(10, root(2))).is_err());
    // A floor or a merge drops the root; nothing brings one back at the same slot.
    marks.replay(&proposed(10, None)).unwrap();
    assert!(marks.replay(&proposed(10, root(1))).is_err());
    marks.replay(&proposed(11, root(2))).unwrap();
}
