//! Ports on loopback that nobody else takes while a cluster is set up.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Mutex, PoisonError};

/// Ports held open until the cluster's own processes take them.
#[derive(Debug)]
pub struct HeldPorts {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
}

impl HeldPorts {
    /// Holds `count` free ports of 127.0.0.1.
    ///
    /// They lie below the range from which the system gives outgoing connections their ports: a
    /// server that was killed must find its port free when it comes back.
    ///
    /// # Errors
    ///
    /// There are not so many, or no randomness.
    pub fn take(count: usize) -> io::Result<Self> {
        let mut seed = [0; 2];
        getrandom::fill(&mut seed).map_err(|error| io::Error::other(error.to_string()))?;
        let start = u16::from_le_bytes(seed) % RANGE;
        let mut held = Self {
            listeners: Vec::new(),
            addresses: Vec::new(),
        };
        for step in 0..RANGE {
            if held.listeners.len() == count {
                return Ok(held);
            }
            let port = FIRST + (start + step) % RANGE;
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
            // A port of another laboratory of this process is free while its server is dead.
            let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
            if let Ok(listener) = listener
                && given.insert(port)
            {
                held.addresses.push(listener.local_addr()?);
                held.listeners.push(listener);
            }
        }
        Err(io::Error::other(format!(
            "no {count} free ports from {FIRST} on"
        )))
    }

    /// The addresses.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Lets one go, for the process that is about to take it.
    pub fn release(&mut self, address: SocketAddr) {
        self.listeners
            .retain(|listener| listener.local_addr().ok() != Some(address));
    }
}

/// Ports that this process gave to a laboratory; none is given twice.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

const FIRST: u16 = 20_000;
const RANGE: u16 = 12_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_ports_are_distinct_and_free_after_release() {
        let mut one = HeldPorts::take(5).unwrap();
        let two = HeldPorts::take(5).unwrap();
        assert!(
            one.addresses()
                .iter()
                .all(|port| !two.addresses().contains(port))
        );
        let address = one.addresses()[2];
        assert!(TcpListener::bind(address).is_err());
        one.release(address);
        assert!(TcpListener::bind(address).is_ok());
    }
}
