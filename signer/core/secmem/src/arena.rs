//! Pages that hold secrets, cut into slots of one size class each.
//!
//! A mapping is made once and kept until the process ends, so each slot can be handed out as an
//! exclusive `&'static mut` slice: reading a secret takes no lock, and two secrets that are read
//! at the same time cannot wait for each other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

#[cfg(target_os = "linux")]
use memmap2::Advice;
use memmap2::MmapMut;
use zeroize::Zeroize;

use crate::MAX_SECRET;

/// Bytes of secret memory that the system refused to lock or to leave out of core dumps.
///
/// Counted in whole mappings, since the start of the process. Anything but zero means that
/// `RLIMIT_MEMLOCK` is too low for the secrets held.
#[must_use]
pub fn unlocked_bytes() -> usize {
    UNLOCKED.load(Ordering::Relaxed)
}

/// One piece of an arena page, exclusively owned; zero when acquired.
pub(crate) struct Slot {
    bytes: &'static mut [u8],
}

impl Slot {
    /// A zeroed slot of at least `len` bytes; `len` is at most [`MAX_SECRET`].
    pub(crate) fn acquire(len: usize) -> Self {
        let class = Class::of(len);
        let mut free = FREE[class.0].lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(bytes) = free.pop() {
                return Self { bytes };
            }
            free.extend(map_chunk().chunks_exact_mut(class.slot_len()));
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.bytes
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.bytes.zeroize();
        let class = Class::of(self.bytes.len());
        let bytes = std::mem::take(&mut self.bytes);
        FREE[class.0]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(bytes);
    }
}

/// Index of a power-of-two slot size, from [`MIN_SLOT`] to [`MAX_SECRET`].
#[derive(Clone, Copy)]
struct Class(usize);

impl Class {
    fn of(len: usize) -> Self {
        let slot = len.clamp(MIN_SLOT, MAX_SECRET).next_power_of_two();
        Self((slot.trailing_zeros() - MIN_SLOT.trailing_zeros()) as usize)
    }

    fn slot_len(self) -> usize {
        MIN_SLOT << self.0
    }
}

/// A new zeroed mapping, locked when the system allows it; heap memory when it cannot be mapped.
fn map_chunk() -> &'static mut [u8] {
    let Ok(map) = MmapMut::map_anon(CHUNK) else {
        UNLOCKED.fetch_add(CHUNK, Ordering::Relaxed);
        return Box::leak(vec![0u8; CHUNK].into_boxed_slice());
    };
    if map.lock().is_err() || keep_out_of_dumps(&map).is_err() {
        UNLOCKED.fetch_add(CHUNK, Ordering::Relaxed);
    }
    let map: &'static mut MmapMut = Box::leak(Box::new(map));
    map
}

#[cfg(target_os = "linux")]
fn keep_out_of_dumps(map: &MmapMut) -> std::io::Result<()> {
    map.advise(Advice::DontDump)?;
    map.advise(Advice::DontFork)
}

#[cfg(not(target_os = "linux"))]
fn keep_out_of_dumps(_: &MmapMut) -> std::io::Result<()> {
    Ok(())
}

static UNLOCKED: AtomicUsize = AtomicUsize::new(0);
static FREE: [Mutex<Vec<&'static mut [u8]>>; CLASSES] = [const { Mutex::new(Vec::new()) }; CLASSES];

const MIN_SLOT: usize = 32;
const CLASSES: usize = (MAX_SECRET / MIN_SLOT).trailing_zeros() as usize + 1;
/// Bytes mapped at a time: small, since each size class in use keeps at least one.
const CHUNK: usize = 4 * MAX_SECRET;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_cover_every_length() {
        for len in 0..=MAX_SECRET {
            let class = Class::of(len);
            assert!(class.0 < CLASSES && class.slot_len() >= len, "length {len}");
        }
        assert_eq!(Class::of(MAX_SECRET).0, CLASSES - 1);
    }

    #[test]
    fn reused_slot_shows_zeros() {
        // The only test of this file's process that uses the 1024 byte class.
        let mut slot = Slot::acquire(1000);
        let address = slot.bytes().as_ptr();
        slot.bytes_mut().fill(0xa5);
        drop(slot);
        let again = Slot::acquire(1000);
        assert_eq!(again.bytes().as_ptr(), address);
        assert!(again.bytes().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn slots_do_not_overlap() {
        let mut slots: Vec<Slot> = (0..2000).map(|_| Slot::acquire(32)).collect();
        for (number, slot) in slots.iter_mut().enumerate() {
            slot.bytes_mut().fill(number as u8);
        }
        for (number, slot) in slots.iter().enumerate() {
            assert!(slot.bytes().iter().all(|byte| *byte == number as u8));
        }
    }
}
