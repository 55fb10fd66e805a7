//! What waits for the journal's thread.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::counters::Counters;
use crate::error::AppendError;
use crate::journal::Journal;
use crate::receipt::{Head, Receipt};
use crate::record::{Batch, Sequence};
use crate::ticket::Answer;

/// How much may wait for the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueLimits {
    /// Batches.
    pub batches: usize,
    /// Bytes of all batches together.
    pub bytes: usize,
}

impl Default for QueueLimits {
    /// 4096 batches, 32 MiB.
    fn default() -> Self {
        Self {
            batches: 4096,
            bytes: 32 << 20,
        }
    }
}

/// What the handles and the thread share.
pub(crate) struct Shared {
    limits: QueueLimits,
    /// Most body bytes of one frame.
    capacity: usize,
    pub(crate) counters: Arc<Counters>,
    pub(crate) poisoned: AtomicBool,
    pub(crate) work: Condvar,
    room: Condvar,
    queue: Mutex<Queue>,
}

/// Jobs in order of submission.
pub(crate) struct Queue {
    pub(crate) jobs: VecDeque<Job>,
    bytes: usize,
    pub(crate) submitted: Sequence,
    pub(crate) durable: Head,
    end: Option<End>,
}

/// Why nothing more is taken.
pub(crate) enum End {
    Closing,
    Abandoned,
    Failed(AppendError),
}

/// What happens with the receipt.
pub(crate) type Then = Box<dyn FnOnce(Result<Receipt, AppendError>) + Send>;

/// One submission.
pub(crate) enum Job {
    Batch {
        batch: Batch,
        then: Then,
    },
    Snapshot {
        covers: Sequence,
        state: Vec<u8>,
        answer: Answer<()>,
    },
}

/// What the thread does next.
pub(crate) enum Work {
    Group(Vec<Batch>, Vec<Then>),
    Snapshot(Sequence, Vec<u8>, Answer<()>),
    Close,
    Abandon,
}

impl Queue {
    pub(crate) fn check_open(&self) -> Result<(), AppendError> {
        if self.end.is_some() {
            Err(self.failure())
        } else {
            Ok(())
        }
    }

    pub(crate) fn failure(&self) -> AppendError {
        match &self.end {
            Some(End::Failed(error)) => error.clone(),
            _ => AppendError::Closed,
        }
    }
}

impl Shared {
    pub(crate) fn new(journal: &Journal, limits: QueueLimits) -> Self {
        Self {
            limits,
            capacity: journal.capacity(),
            counters: journal.shared_counters(),
            poisoned: AtomicBool::new(journal.poisoned()),
            work: Condvar::new(),
            room: Condvar::new(),
            queue: Mutex::new(Queue {
                jobs: VecDeque::new(),
                bytes: 0,
                submitted: journal.head().sequence,
                durable: journal.head(),
                end: None,
            }),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enqueue(&self, batch: &Batch, then: Then, wait: bool) -> Result<(), AppendError> {
        let bytes = batch.bytes();
        if bytes > self.capacity {
            return Err(AppendError::Segment {
                got: bytes,
                limit: self.capacity,
            });
        }
        let mut queue = self.lock();
        loop {
            queue.check_open()?;
            let waiting = queue.jobs.len();
            let full = waiting >= self.limits.batches
                || queue.bytes.saturating_add(bytes) > self.limits.bytes;
            // An empty queue takes any batch, whatever the limits.
            if !full || waiting == 0 {
                break;
            }
            if !wait {
                return Err(AppendError::QueueFull { waiting });
            }
            queue = self
                .room
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let last = queue.submitted.0.saturating_add(u64::from(batch.len()));
        queue.submitted = Sequence(last);
        queue.bytes = queue.bytes.saturating_add(bytes);
        queue.jobs.push_back(Job::Batch {
            batch: batch.clone(),
            then,
        });
        drop(queue);
        self.work.notify_one();
        Ok(())
    }

    /// Waits for work and takes all of it that fits into one frame.
    pub(crate) fn take(&self) -> Work {
        let mut queue = self.lock();
        loop {
            if let Some(work) = next_work(&mut queue, self.capacity) {
                drop(queue);
                self.room.notify_all();
                return work;
            }
            queue = self
                .work
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn end(&self, end: End) {
        let mut queue = self.lock();
        if queue.end.is_none() {
            queue.end = Some(end);
        }
        drop(queue);
        self.work.notify_one();
        self.room.notify_all();
    }

    /// Refuses everything from now on, and everything that waits.
    pub(crate) fn fail(&self, error: &AppendError) {
        self.poisoned.store(true, Ordering::SeqCst);
        let mut queue = self.lock();
        queue.end = Some(End::Failed(error.clone()));
        let jobs = std::mem::take(&mut queue.jobs);
        queue.bytes = 0;
        drop(queue);
        self.room.notify_all();
        for job in jobs {
            match job {
                Job::Batch { then, .. } => then(Err(error.clone())),
                Job::Snapshot { answer, .. } => answer.send(Err(error.clone())),
            }
        }
    }
}

fn next_work(queue: &mut Queue, capacity: usize) -> Option<Work> {
    let (mut batches, mut thens, mut total) = (Vec::new(), Vec::new(), 0_usize);
    while let Some(job) = queue.jobs.pop_front() {
        match job {
            Job::Batch { batch, then } if total.saturating_add(batch.bytes()) <= capacity => {
                total = total.saturating_add(batch.bytes());
                batches.push(batch);
                thens.push(then);
            }
            Job::Snapshot {
                covers,
                state,
                answer,
            } if batches.is_empty() => {
                return Some(Work::Snapshot(covers, state, answer));
            }
            job => {
                queue.jobs.push_front(job);
                break;
            }
        }
    }
    queue.bytes = queue.bytes.saturating_sub(total);
    if !batches.is_empty() {
        return Some(Work::Group(batches, thens));
    }
    match queue.end {
        Some(End::Closing) => Some(Work::Close),
        Some(End::Abandoned | End::Failed(_)) => Some(Work::Abandon),
        None => None,
    }
}
