//! How many may come in: handshakes that are not done, and connections of known parties.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use symbolon_protocol::roster::PartyId;
use tokio::task::AbortHandle;

/// What one listener bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections of all parties together; more are refused.
    pub connections: usize,
    /// Connections of one party, so that none can take all; more are refused.
    pub per_party: usize,
    /// Handshakes at once; the next one ends the oldest, so that peers that say nothing cannot
    /// keep others out.
    pub handshakes: usize,
    /// Longest handshake.
    pub handshake: Duration,
}

impl Default for Limits {
    /// 1024 connections, 32 of one party, 256 handshakes of at most 5 s.
    fn default() -> Self {
        Self {
            connections: 1024,
            per_party: 32,
            handshakes: 256,
            handshake: Duration::from_secs(5),
        }
    }
}

/// Connections by party; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Admission(Arc<Mutex<HashMap<PartyId, usize>>>);

impl Admission {
    /// A place for one more connection of `party`; the reason if there is none.
    pub(crate) fn admit(&self, party: &PartyId, limits: &Limits) -> Result<Place, &'static str> {
        let mut counts = self.lock();
        if counts.values().sum::<usize>() >= limits.connections {
            return Err("all connections of this server are taken");
        }
        let count = counts.entry(party.clone()).or_default();
        if *count >= limits.per_party {
            return Err("this party has all the connections that one may have");
        }
        *count = count.saturating_add(1);
        Ok(Place {
            admission: self.clone(),
            party: party.clone(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PartyId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One counted connection, until it is dropped.
pub(crate) struct Place {
    admission: Admission,
    party: PartyId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.admission.lock();
        if let Some(count) = counts.get_mut(&self.party) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.party);
            }
        }
    }
}

/// Handshakes that are not done, oldest first.
#[derive(Default)]
pub(crate) struct Handshakes(VecDeque<AbortHandle>);

impl Handshakes {
    /// Adds one that has just begun, and ends the oldest beyond `limit`.
    pub(crate) fn add(&mut self, handshake: AbortHandle, limit: usize) {
        self.0.retain(|handshake| !handshake.is_finished());
        self.0.push_back(handshake);
        while self.0.len() > limit {
            if let Some(oldest) = self.0.pop_front() {
                oldest.abort();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_come_back() {
        let limits = Limits {
            connections: 3,
            per_party: 2,
            ..Limits::default()
        };
        let admission = Admission::default();
        let [one, two] = [PartyId::Member(1), PartyId::Member(2)];
        let first = admission.admit(&one, &limits).unwrap();
        let _second = admission.admit(&one, &limits).unwrap();
        let reason = admission.admit(&one, &limits).err().unwrap();
        assert!(reason.starts_with("this party"), "{reason}");
        let other = admission.admit(&two, &limits).unwrap();
        let reason = admission.admit(&two, &limits).err().unwrap();
        assert!(reason.starts_with("all connections"), "{reason}");
        drop(first);
        let _third = admission.admit(&one, &limits).unwrap();
        drop(other);
        assert_eq!(admission.lock().len(), 1);
    }

    #[tokio::test]
    async fn oldest_handshake_makes_room() {
        let mut handshakes = Handshakes::default();
        let waiting = || tokio::spawn(std::future::pending::<()>());
        let [first, second, third] = [waiting(), waiting(), waiting()];
        for handshake in [&first, &second, &third] {
            handshakes.add(handshake.abort_handle(), 2);
        }
        assert!(first.await.unwrap_err().is_cancelled());
        assert!(!second.is_finished() && !third.is_finished());
    }
}
