//! Who may be at the other end.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use symbolon_protocol::roster::{PartyId, Roster};

/// The keys of everybody who may connect; shared, and replaced as a whole when the roster changes.
#[derive(Clone, Default)]
pub struct Pins {
    by_pin: Arc<ArcSwap<HashMap<[u8; 32], PartyId>>>,
}

impl Pins {
    /// The pins of a roster.
    #[must_use]
    pub fn of(roster: &Roster) -> Self {
        let pins = Self::default();
        pins.replace(roster, |_| true);
        pins
    }

    /// Takes the pins of a new roster, but only of parties that `admitted` lets in.
    pub fn replace(&self, roster: &Roster, admitted: impl Fn(&PartyId) -> bool) {
        let by_pin = roster
            .tls_pins()
            .filter(|(party, _)| admitted(party))
            .map(|(party, pin)| (pin.0, party))
            .collect();
        self.by_pin.store(Arc::new(by_pin));
    }

    /// Whose key this is.
    #[must_use]
    pub fn party(&self, pin: &[u8; 32]) -> Option<PartyId> {
        self.by_pin.load().get(pin).cloned()
    }

    /// Whether the key stands for `party` now.
    #[must_use]
    pub fn holds(&self, pin: &[u8; 32], party: &PartyId) -> bool {
        self.by_pin.load().get(pin) == Some(party)
    }
}
