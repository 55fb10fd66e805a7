//! Properties of the rules and of merging, over random histories.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use proptest::prelude::*;
use symbolon_duties::{Epoch, SigningRoot, Slot};
use symbolon_slashing::{
    AttestationMark, BlockMark, Mark, Verdict, check_attestation, check_block, merge,
    raise_to_floor,
};

const SPAN: u64 = 8;

/// A root commits to its message: one root for each message and each of three variants of it.
fn root(kind: u8, first: u64, second: u64, variant: u8) -> SigningRoot {
    let mut bytes = [0; 32];
    bytes[0] = kind;
    bytes[1] = u8::try_from(first).unwrap();
    bytes[2] = u8::try_from(second).unwrap();
    bytes[3] = variant;
    SigningRoot(bytes)
}

fn block_root(slot: u64, variant: u8) -> SigningRoot {
    root(1, slot, 0, variant)
}

fn vote_root(source: u64, target: u64, variant: u8) -> SigningRoot {
    root(2, source, target, variant)
}

#[derive(Debug, Clone)]
enum Event {
    Block(u64, u8),
    Vote(u64, u64, u8),
    Floor(u64, u64, u64),
    Merge(Mark),
    /// The disk of an earlier moment comes back, and the start raises its marks to the anchor, which
    /// was advanced before anything was released.
    Restore(prop::sample::Index),
}

fn marks() -> impl Strategy<Value = Mark> {
    let variant = || prop::option::of(0..3u8);
    let block = prop::option::of((0..SPAN, variant()));
    let vote = prop::option::of((0..SPAN, 0..SPAN, 0..SPAN, variant()));
    (block, vote).prop_map(|(block, vote)| Mark {
        block: block.map(|(slot, variant)| BlockMark {
            slot: Slot(slot),
            root: variant.map(|variant| block_root(slot, variant)),
        }),
        attestation: vote.map(|(source, own_source, target, variant)| AttestationMark {
            source: Epoch(source.max(own_source)),
            target: Epoch(target),
            root: variant.map(|variant| vote_root(own_source, target, variant)),
        }),
    })
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (0..SPAN, 0..3u8).prop_map(|(slot, variant)| Event::Block(slot, variant)),
        6 => (0..SPAN, 0..SPAN, 0..3u8).prop_map(|(s, t, variant)| Event::Vote(s, t, variant)),
        1 => (0..SPAN, 0..SPAN, 0..SPAN).prop_map(|(s, t, slot)| Event::Floor(s, t, slot)),
        1 => marks().prop_map(Event::Merge),
        1 => any::<prop::sample::Index>().prop_map(Event::Restore),
    ];
    prop::collection::vec(event, 0..60)
}

#[derive(Debug, Default)]
struct Released {
    blocks: Vec<(u64, SigningRoot)>,
    votes: Vec<(u64, u64, SigningRoot)>,
    mark: Mark,
    disks: Vec<Mark>,
}

impl Released {
    fn apply(&mut self, event: &Event) {
        match *event {
            Event::Block(slot, variant) => {
                let root = block_root(slot, variant);
                if self.allowed(check_block(&self.mark, Slot(slot), root)) {
                    self.blocks.push((slot, root));
                }
            }
            Event::Vote(source, target, variant) => {
                let root = vote_root(source, target, variant);
                let verdict = check_attestation(&self.mark, Epoch(source), Epoch(target), root);
                if self.allowed(verdict) {
                    self.votes.push((source, target, root));
                }
            }
            Event::Floor(source, target, slot) => {
                self.mark = raise_to_floor(&self.mark, Epoch(source), Epoch(target), Slot(slot));
            }
            Event::Merge(other) => self.mark = merge(&self.mark, &other),
            Event::Restore(_) if self.disks.is_empty() => {}
            Event::Restore(at) => {
                let anchor = Epoch(self.votes.iter().map(|vote| vote.1).max().unwrap_or(0));
                let slot = Slot(self.blocks.iter().map(|block| block.0).max().unwrap_or(0));
                self.mark = raise_to_floor(at.get(&self.disks), anchor, anchor, slot);
            }
        }
        self.disks.push(self.mark);
    }

    fn allowed(&mut self, verdict: Verdict) -> bool {
        match verdict {
            Verdict::Sign(new) => {
                assert_eq!(merge(&self.mark, &new), new, "a mark sank");
                assert_ne!(self.mark, new, "signed without a trace");
                self.mark = new;
                true
            }
            Verdict::Repeat => true,
            Verdict::Refuse(_) => false,
        }
    }
}

/// EIP-3076 and the consensus specification's `is_slashable_attestation_data`, pair by pair.
fn slashable(released: &Released) -> bool {
    let pairs = |n: usize| (0..n).flat_map(move |i| (0..n).map(move |j| (i, j)));
    let double_proposal = pairs(released.blocks.len()).any(|(i, j)| {
        let (a, b) = (released.blocks[i], released.blocks[j]);
        a.0 == b.0 && a.1 != b.1
    });
    let slashable_votes = pairs(released.votes.len()).any(|(i, j)| {
        let (a, b) = (released.votes[i], released.votes[j]);
        let double = a.1 == b.1 && a.2 != b.2;
        let surround = a.0 < b.0 && b.1 < a.1;
        double || surround
    });
    double_proposal || slashable_votes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_history_holds_two_slashable_messages(events in events()) {
        let mut released = Released::default();
        events.iter().for_each(|event| released.apply(event));
        prop_assert!(!slashable(&released), "{released:?}");
        prop_assert!(released.votes.iter().all(|vote| vote.0 <= vote.1));
    }

    #[test]
    fn whatever_lies_above_the_mark_is_signed(mark in marks(), step in 1..3u64, source in 0..3u64) {
        let slot = Slot(mark.block.map_or(0, |block| block.slot.0 + step));
        let root = SigningRoot([9; 32]);
        prop_assert!(matches!(check_block(&mark, slot, root), Verdict::Sign(_)));
        let vote = mark.attestation;
        let source = Epoch(vote.map_or(0, |vote| vote.source.0) + source);
        let target = Epoch(vote.map_or(0, |vote| vote.target.0).max(source.0) + step);
        prop_assert!(matches!(check_attestation(&mark, source, target, root), Verdict::Sign(_)));
    }

    #[test]
    fn a_signed_message_may_be_repeated_at_once(events in events(), slot in 0..SPAN) {
        let mut released = Released::default();
        events.iter().for_each(|event| released.apply(event));
        let root = block_root(slot, 0);
        if let Verdict::Sign(mark) = check_block(&released.mark, Slot(slot), root) {
            prop_assert_eq!(check_block(&mark, Slot(slot), root), Verdict::Repeat);
        }
        let root = vote_root(0, slot, 0);
        let verdict = check_attestation(&released.mark, Epoch(0), Epoch(slot), root);
        if let Verdict::Sign(mark) = verdict {
            let again = check_attestation(&mark, Epoch(0), Epoch(slot), root);
            prop_assert_eq!(again, Verdict::Repeat);
        }
    }

    #[test]
    fn merge_is_commutative_associative_and_idempotent(a in marks(), b in marks(), c in marks()) {
        prop_assert_eq!(merge(&a, &b), merge(&b, &a));
        prop_assert_eq!(merge(&merge(&a, &b), &c), merge(&a, &merge(&b, &c)));
        prop_assert_eq!(merge(&a, &a), a);
        prop_assert_eq!(merge(&a, &Mark::default()), a);
        prop_assert_eq!(merge(&a, &merge(&a, &b)), merge(&a, &b));
    }

    /// What a merged mark still signs, every one of its parts signs or repeats.
    #[test]
    fn a_merged_mark_is_at_least_as_strict_as_each_part(
        a in marks(), b in marks(), slot in 0..SPAN, source in 0..SPAN, variant in 0..3u8,
    ) {
        let merged = merge(&a, &b);
        let block = block_root(slot, variant);
        let allowed = |verdict: Verdict| !matches!(verdict, Verdict::Refuse(_));
        if matches!(check_block(&merged, Slot(slot), block), Verdict::Sign(_)) {
            prop_assert!(allowed(check_block(&a, Slot(slot), block)));
            prop_assert!(allowed(check_block(&b, Slot(slot), block)));
        }
        for target in 0..SPAN {
            let vote = vote_root(source, target, variant);
            let check = |mark: &Mark| check_attestation(mark, Epoch(source), Epoch(target), vote);
            if matches!(check(&merged), Verdict::Sign(_)) {
                prop_assert!(allowed(check(&a)) && allowed(check(&b)));
            }
        }
    }

    #[test]
    fn a_mark_survives_its_encoding(mark in marks()) {
        let bytes = minicbor::to_vec(mark).unwrap();
        prop_assert_eq!(minicbor::decode::<Mark>(&bytes).unwrap(), mark);
    }

    #[test]
    fn arbitrary_bytes_are_no_panic_for_the_mark_decoder(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(mark) = minicbor::decode::<Mark>(&bytes) {
            let again = minicbor::to_vec(mark).unwrap();
            prop_assert_eq!(minicbor::decode::<Mark>(&again).unwrap(), mark);
        }
    }
}
