//! The pairings: combinations before they leave, partials when a combination is wrong.

use sha2::{Digest, Sha256};
use symbolon_threshold::{
    BatchItem, BatchPartial, ShareIndex, Signature, SubgroupCheck, blame_batch, check_batch,
    verify_batch,
};

use super::item::Item;
use super::{Collector, Effect, Finding, Outcome, State};

/// Independent seeds out of one.
pub(super) struct Seeds {
    seed: [u8; 32],
    drawn: u64,
}

impl Seeds {
    pub(super) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    fn next(&mut self) -> [u8; 32] {
        self.drawn = self.drawn.wrapping_add(1);
        let hash = Sha256::new()
            .chain_update(self.seed)
            .chain_update(self.drawn.to_be_bytes());
        hash.finalize().into()
    }
}

impl Collector {
    /// Combines, verifies and answers every duty that has t partials.
    pub(super) fn complete(&mut self, seeds: &mut Seeds, effects: &mut Vec<Effect>) {
        loop {
            let complete: Vec<usize> = (0..self.items.len())
                .filter(|place| self.items.get(*place).is_some_and(Item::is_complete))
                .collect();
            if complete.is_empty() {
                return;
            }
            let subgroup = match verify(&self.items, &complete, seeds) {
                Ok(signatures) => {
                    for (place, signature) in complete.into_iter().zip(signatures) {
                        self.sign(place, signature, effects);
                    }
                    return;
                }
                Err(subgroup) => subgroup,
            };
            if !self.blame(&complete, subgroup, seeds, effects) {
                return self.blame_nobody(&complete, seeds, effects);
            }
        }
    }

    /// Checks the partials of a member that arrived for duties where a lie was found, all of them
    /// when the member is under suspicion.
    pub(super) fn check_on_arrival(
        &mut self,
        member: ShareIndex,
        seeds: &mut Seeds,
        effects: &mut Vec<Effect>,
    ) {
        let suspect = self
            .members
            .get(&member)
            .is_some_and(|member| member.suspect);
        let places: Vec<usize> = self
            .items
            .iter()
            .enumerate()
            .filter(|(_, item)| !item.closed && (suspect || item.watched))
            .map(|(place, _)| place)
            .collect();
        self.check_member(member, &places, SubgroupCheck::EachPartial, seeds, effects);
    }

    /// Checks every partial in these duties, leaves out who is wrong. False when nobody is.
    fn blame(
        &mut self,
        places: &[usize],
        subgroup: SubgroupCheck,
        seeds: &mut Seeds,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let heard: Vec<ShareIndex> = self
            .members
            .iter()
            .filter(|(_, member)| member.state == State::Heard)
            .map(|(index, _)| *index)
            .collect();
        let mut found = false;
        for member in heard {
            found |= self.check_member(member, places, subgroup, seeds, effects);
        }
        for place in places {
            if let Some(item) = self.items.get_mut(*place) {
                item.watched = true;
            }
        }
        found
    }

    /// Checks one member's unchecked partials in these duties; true when it was found to lie.
    fn check_member(
        &mut self,
        member: ShareIndex,
        places: &[usize],
        subgroup: SubgroupCheck,
        seeds: &mut Seeds,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let (at, claims): (Vec<usize>, Vec<BatchPartial<'_>>) = places
            .iter()
            .filter_map(|place| Some((*place, self.items.get(*place)?.claim(member)?)))
            .unzip();
        if let Some(wrong) = first_wrong(&claims, subgroup, seeds) {
            if let Some(item) = at.get(wrong).copied() {
                effects.push(Effect::Report(Finding::WrongPartial { member, item }));
            }
            self.exclude(member);
            return true;
        }
        for place in at {
            if let Some(item) = self.items.get_mut(place) {
                item.mark_checked(member);
            }
        }
        false
    }

    /// A combination is wrong though all its partials are right: finds out which, answers the
    /// others.
    fn blame_nobody(&mut self, places: &[usize], seeds: &mut Seeds, effects: &mut Vec<Effect>) {
        let combined = combine(&self.items, places);
        let good = match verify_batch(&claims(&self.items, &combined), seeds.next()) {
            Ok(signatures) => signatures.into_iter().enumerate().collect(),
            Err(failure) => failure.good,
        };
        for (at, signature) in good {
            if let Some((place, _)) = combined.get(at) {
                self.sign(*place, signature, effects);
            }
        }
        for place in places {
            if let Some(item) = self.items.get_mut(*place).filter(|item| !item.closed) {
                item.closed = true;
                effects.push(Effect::Report(Finding::GroupDoesNotFit { item: *place }));
                effects.push(Effect::Answer {
                    item: *place,
                    outcome: Outcome::GroupDoesNotFit,
                });
            }
        }
    }

    fn sign(&mut self, place: usize, signature: Signature, effects: &mut Vec<Effect>) {
        if let Some(item) = self.items.get_mut(place) {
            item.closed = true;
            let outcome = Outcome::Signed(signature);
            effects.push(Effect::Answer {
                item: place,
                outcome,
            });
        }
    }
}

impl Item {
    /// A member's unchecked partial with what it should fit.
    fn claim(&self, member: ShareIndex) -> Option<BatchPartial<'_>> {
        let held = self
            .partials
            .iter()
            .find(|held| held.partial.index() == member)?;
        if held.checked {
            return None;
        }
        Some((
            self.key.scaled_share(member)?,
            self.hashed()?,
            &held.partial,
        ))
    }

    fn mark_checked(&mut self, member: ShareIndex) {
        for held in self
            .partials
            .iter_mut()
            .filter(|held| held.partial.index() == member)
        {
            held.checked = true;
        }
    }
}

type Combinations = Vec<(usize, symbolon_threshold::Combined)>;

fn combine(items: &[Item], places: &[usize]) -> Combinations {
    let combined = places
        .iter()
        .filter_map(|place| Some((*place, items.get(*place)?.combine()?)));
    combined.collect()
}

fn claims<'a>(items: &'a [Item], combined: &'a Combinations) -> Vec<BatchItem<'a>> {
    let claims = combined.iter().filter_map(|(place, combined)| {
        let item = items.get(*place)?;
        Some((item.key.public(), item.hashed()?, combined))
    });
    claims.collect()
}

/// All combinations verified, or how thorough the blame must be.
fn verify(
    items: &[Item],
    places: &[usize],
    seeds: &mut Seeds,
) -> Result<Vec<Signature>, SubgroupCheck> {
    let combined = combine(items, places);
    let claims = claims(items, &combined);
    if claims.len() != places.len() {
        return Err(SubgroupCheck::EachPartial);
    }
    if let [(key, root, combined)] = claims.as_slice() {
        let verified = combined.verify(key, root);
        return verified
            .map(|signature| vec![signature])
            .map_err(|_| SubgroupCheck::EachPartial);
    }
    check_batch(&claims, seeds.next()).map_err(|rejected| {
        if rejected.outside_subgroup.is_empty() {
            SubgroupCheck::Skip
        } else {
            SubgroupCheck::EachPartial
        }
    })
}

/// The place of a wrong partial among one member's, if there is one.
fn first_wrong(
    claims: &[BatchPartial<'_>],
    subgroup: SubgroupCheck,
    seeds: &mut Seeds,
) -> Option<usize> {
    match claims {
        [] => None,
        [(share, root, partial)] => partial.verify(share, root).is_err().then_some(0),
        _ => blame_batch(claims, seeds.next(), subgroup, 1)
            .first()
            .copied(),
    }
}
