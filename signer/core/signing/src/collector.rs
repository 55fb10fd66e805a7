//! What a requestor does with the answers to one batch: a machine without I/O.
//!
//! Inputs are replies of members, a tick and the deadline; outputs are [`Effect`]s. All members of
//! the group are asked at once, so that a dead or slow one costs nothing; members under suspicion
//! or in poor health are the reserve, asked when the others cannot or do not suffice.
//!
//! The first t partials of a duty are combined and **the combination is verified before it
//! leaves**; a burst is verified in one equation. When that fails, every partial in it is checked
//! under its public share, one equation a member; who is wrong is named and left out, the rest is
//! combined and verified again. Partials that arrive for such a duty later are checked on arrival,
//! so there is no third round.
//!
//! What it never does: let an unverified signature out, name a member whose answer is right, hash
//! or pair more than once what a burst has in common. It reads no clock and draws no randomness:
//! each call that verifies takes a fresh seed.

mod finding;
mod group_key;
mod item;
mod outcome;
mod verify;

use std::collections::BTreeMap;
use std::sync::Arc;

use symbolon_protocol::sign::{SignAnswer, SignReply};
use symbolon_threshold::{PartialSignature, ShareIndex};

pub use finding::Finding;
pub use group_key::{GroupKey, GroupKeyError, GroupSigners};
pub use outcome::{Absence, Outcome, Shortfall};

use item::Item;
use verify::Seeds;

/// How a member is to be treated in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Asked at once.
    Good,
    /// Asked when the others do not suffice, and believed like them.
    Slow,
    /// Asked when the others do not suffice; its partials are checked one by one.
    Suspect,
}

/// One duty of the batch, in the batch's order.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The key.
    pub key: Arc<GroupKey>,
    /// The signing root.
    pub root: [u8; 32],
}

/// What came back from one member.
#[derive(Debug)]
pub struct Heard {
    /// Who was asked.
    pub member: ShareIndex,
    /// Its reply, the signature of which the caller has verified.
    pub reply: Result<SignReply, Unheard>,
}

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unheard {
    /// No answer in time.
    Silent,
    /// The connection failed.
    Unreachable,
    /// Something came that is not a signed reply of this member.
    Unreadable(String),
}

/// What the caller has to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send the batch to this member.
    Ask(ShareIndex),
    /// Give this duty its end.
    Answer {
        /// The duty's place in the batch.
        item: usize,
        /// Its end.
        outcome: Outcome,
    },
    /// Log and count this; where it is proved, keep the evidence and the quarantine.
    Report(Finding),
    /// Nothing is left to do.
    Done,
}

/// A batch that cannot be collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CollectorError {
    /// Nothing to sign.
    #[error("a batch holds at least one duty")]
    Empty,
    /// Keys of groups with other members.
    #[error("duty {item} belongs to a group with other members than the first; batch them apart")]
    OtherMembers {
        /// The duty's place in the batch.
        item: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reserve,
    Asked,
    Heard,
    Gone(Absence),
}

#[derive(Debug)]
struct Member {
    state: State,
    suspect: bool,
}

/// The machine for one batch.
#[derive(Debug)]
pub struct Collector {
    batch: [u8; 32],
    items: Vec<Item>,
    members: BTreeMap<ShareIndex, Member>,
    done: bool,
}

impl Collector {
    /// A machine for the batch with this digest. All keys belong to groups with the same members.
    ///
    /// # Errors
    ///
    /// [`CollectorError`].
    pub fn new(
        batch: [u8; 32],
        wanted: Vec<Wanted>,
        mut standing: impl FnMut(ShareIndex) -> Standing,
    ) -> Result<Self, CollectorError> {
        let first = wanted.first().ok_or(CollectorError::Empty)?;
        let group = first.key.group().lagrange().group().clone();
        let stranger = wanted
            .iter()
            .position(|wanted| *wanted.key.group().lagrange().group() != group);
        if let Some(item) = stranger {
            return Err(CollectorError::OtherMembers { item });
        }
        let members = group.iter().map(|index| {
            let standing = standing(index);
            let state = if standing == Standing::Good {
                State::Asked
            } else {
                State::Reserve
            };
            (
                index,
                Member {
                    state,
                    suspect: standing == Standing::Suspect,
                },
            )
        });
        let members = members.collect();
        let items = wanted.into_iter().map(Item::new).collect();
        Ok(Self {
            batch,
            items,
            members,
            done: false,
        })
    }

    /// Asks the first members.
    #[must_use]
    pub fn start(&mut self) -> Vec<Effect> {
        let asked = self
            .members
            .iter()
            .filter(|(_, member)| member.state == State::Asked);
        let mut effects = asked.map(|(index, _)| Effect::Ask(*index)).collect();
        self.close_or_widen(&mut effects);
        effects
    }

    /// Hashes the roots, once each: work to be done while the partials travel.
    pub fn prepare(&mut self) {
        item::hash_roots(&mut self.items);
    }

    /// Takes what members sent, verifies what became complete. `seed` is fresh and random.
    #[must_use]
    pub fn hear(&mut self, heard: Vec<Heard>, seed: [u8; 32]) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.done {
            return effects;
        }
        self.prepare();
        let mut seeds = Seeds::new(seed);
        for Heard { member, reply } in heard {
            self.admit(member, reply, &mut seeds, &mut effects);
        }
        self.complete(&mut seeds, &mut effects);
        self.close_or_widen(&mut effects);
        effects
    }

    /// Patience with the members asked is over: asks the reserve too.
    #[must_use]
    pub fn tick(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        if !self.done {
            self.ask_reserve(&mut effects);
        }
        effects
    }

    /// The deadline has come: whatever is open ends.
    #[must_use]
    pub fn expire(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.done {
            return effects;
        }
        for member in self.members.values_mut() {
            if matches!(member.state, State::Asked | State::Reserve) {
                member.state = State::Gone(Absence::Silent);
            }
        }
        self.close_or_widen(&mut effects);
        effects
    }

    /// Whether every duty has its end.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.done
    }

    fn admit(
        &mut self,
        member: ShareIndex,
        reply: Result<SignReply, Unheard>,
        seeds: &mut Seeds,
        effects: &mut Vec<Effect>,
    ) {
        let state = match self.members.get_mut(&member) {
            Some(entry) if entry.state == State::Asked => &mut entry.state,
            None
            | Some(Member {
                state: State::Reserve,
                ..
            }) => {
                return effects.push(Effect::Report(Finding::NotAsked { member }));
            }
            Some(_) => return effects.push(Effect::Report(Finding::Repeated { member })),
        };
        let reply = match reply {
            Ok(reply) => reply,
            Err(Unheard::Silent) => return *state = State::Gone(Absence::Silent),
            Err(Unheard::Unreachable) => return *state = State::Gone(Absence::Unreachable),
            Err(Unheard::Unreadable(why)) => {
                *state = State::Gone(Absence::Unusable);
                return effects.push(Effect::Report(Finding::Unreadable { member, why }));
            }
        };
        if let Err(finding) = fits(&reply, member, &self.batch, self.items.len()) {
            *state = State::Gone(Absence::Unusable);
            return effects.push(Effect::Report(finding));
        }
        *state = State::Heard;
        let mut reported = Vec::new();
        for (place, answer) in reply.answers.into_iter().enumerate() {
            let Some(item) = self.items.get_mut(place).filter(|item| !item.closed) else {
                continue;
            };
            let finding = match answer {
                SignAnswer::Refused(refusal) => {
                    item.refusals.push((member, refusal));
                    continue;
                }
                SignAnswer::Partial(partial) => match item.read(place, member, &partial) {
                    Ok(partial) => {
                        item.hold(partial);
                        continue;
                    }
                    Err(finding) => finding,
                },
            };
            let proved = finding.is_proved();
            if !reported.contains(&finding.name()) {
                reported.push(finding.name());
                effects.push(Effect::Report(finding));
            }
            if proved {
                return self.exclude(member);
            }
        }
        self.check_on_arrival(member, seeds, effects);
    }

    /// Leaves a liar out of everything that is still open.
    fn exclude(&mut self, liar: ShareIndex) {
        if let Some(member) = self.members.get_mut(&liar) {
            member.state = State::Gone(Absence::Wrong);
        }
        for item in self.items.iter_mut().filter(|item| !item.closed) {
            item.partials.retain(|held| held.partial.index() != liar);
        }
    }

    /// Ends the duties that cannot be signed any more, asks the reserve for those that need it.
    fn close_or_widen(&mut self, effects: &mut Vec<Effect>) {
        let asked = self.count(State::Asked);
        let spare = self.count(State::Reserve);
        let mut widen = false;
        for (place, item) in self
            .items
            .iter_mut()
            .enumerate()
            .filter(|(_, item)| !item.closed)
        {
            let hoped = item.partials.len().saturating_add(asked);
            if hoped >= item.needed() {
                continue;
            }
            if hoped.saturating_add(spare) >= item.needed() {
                widen = true;
                continue;
            }
            item.closed = true;
            let outcome = Outcome::Short(shortfall(item, &self.members));
            effects.push(Effect::Answer {
                item: place,
                outcome,
            });
        }
        if widen {
            self.ask_reserve(effects);
        }
        if !self.done && self.items.iter().all(|item| item.closed) {
            self.done = true;
            effects.push(Effect::Done);
        }
    }

    fn ask_reserve(&mut self, effects: &mut Vec<Effect>) {
        for (index, member) in &mut self.members {
            if member.state == State::Reserve {
                member.state = State::Asked;
                effects.push(Effect::Ask(*index));
            }
        }
    }

    fn count(&self, state: State) -> usize {
        self.members
            .values()
            .filter(|member| member.state == state)
            .count()
    }
}

/// Whether a reply is one to this batch.
fn fits(
    reply: &SignReply,
    member: ShareIndex,
    batch: &[u8; 32],
    items: usize,
) -> Result<(), Finding> {
    if reply.member != member.get() {
        return Err(Finding::OtherMember {
            member,
            got: reply.member,
        });
    }
    if *reply.batch != *batch {
        return Err(Finding::OtherBatch { member });
    }
    if reply.answers.len() != items {
        return Err(Finding::AnswerCount {
            member,
            expected: items,
            got: reply.answers.len(),
        });
    }
    Ok(())
}

fn shortfall(item: &Item, members: &BTreeMap<ShareIndex, Member>) -> Shortfall {
    let gave = |index: &ShareIndex| {
        item.partials
            .iter()
            .any(|held| held.partial.index() == *index)
            || item.refusals.iter().any(|(member, _)| member == index)
    };
    let absent = members.iter().filter(|(index, _)| !gave(index));
    let absent = absent.filter_map(|(index, member)| match member.state {
        State::Gone(absence) => Some((*index, absence)),
        State::Heard => Some((*index, Absence::Unusable)),
        State::Asked | State::Reserve => None,
    });
    Shortfall {
        needed: item.needed(),
        got: item.partials.len(),
        members: members.len(),
        absent: absent.collect(),
        refusals: item.refusals.clone(),
    }
}

/// A partial with what is known of it.
#[derive(Debug)]
struct Held {
    partial: PartialSignature,
    checked: bool,
}
