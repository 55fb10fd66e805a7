//! Group commit: many callers, one thread that writes.

use std::fmt;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::counters::CounterValues;
use crate::error::{AppendError, SnapshotError};
use crate::journal::Journal;
use crate::pending::Pending;
use crate::queue::{End, Job, QueueLimits, Shared, Work};
use crate::receipt::{Head, Receipt};
use crate::record::{Batch, Record, Sequence};
use crate::snapshot::MAX_SNAPSHOT_BYTES;
use crate::ticket::{Ticket, ticket};

/// A handle to the thread that owns a [`Journal`]; clones share it.
///
/// While one flush runs, what arrives is queued; the next flush takes all of it. Records reach the
/// disk in the order of submission. When the last handle goes without [`close`](Self::close), the
/// queue is still written, but the next start is an unclean one.
#[derive(Clone)]
pub struct Writer(Arc<Owner>);

impl Writer {
    /// Hands `journal` to a thread of its own. `on_poison` runs there once, when a write or flush
    /// has failed and every waiter was told: log the error and abort the process.
    ///
    /// # Errors
    ///
    /// The system's, if no thread can be had.
    pub fn start(
        journal: Journal,
        limits: QueueLimits,
        on_poison: impl FnOnce(&AppendError) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(&journal, limits));
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || {
                    let result = run(journal, &shared);
                    if let Err(error) = &result
                        && shared.poisoned.load(Ordering::SeqCst)
                    {
                        on_poison(error);
                    }
                    result
                }
            })?;
        Ok(Self(Arc::new(Owner {
            shared,
            thread: Mutex::new(Some(thread)),
        })))
    }

    /// Queues `records` as one batch; never blocks.
    ///
    /// # Errors
    ///
    /// [`AppendError`] if they cannot be queued; nothing of them will be written then.
    pub fn submit(&self, records: &[Record]) -> Result<Ticket<Receipt>, AppendError> {
        self.submit_batch(&Batch::new(records)?)
    }

    /// As [`submit`](Self::submit), for a batch that was built before.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn submit_batch(&self, batch: &Batch) -> Result<Ticket<Receipt>, AppendError> {
        let (answer, ticket) = ticket();
        self.0
            .shared
            .enqueue(batch, Box::new(|result| answer.send(result)), false)?;
        Ok(ticket)
    }

    /// Queues the records of `pending`; the ticket gives its value once they are on disk.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit); the value is dropped then.
    pub fn commit<T: Send + 'static>(&self, pending: Pending<T>) -> Result<Ticket<T>, AppendError> {
        let (answer, ticket) = ticket();
        let batch = pending.batch().clone();
        let then = move |result: Result<Receipt, AppendError>| {
            // A mismatch cannot be; it would drop the value and answer `Closed`.
            match result.map(|receipt| pending.release(&receipt)) {
                Ok(Ok(value)) => answer.send(Ok(value)),
                Ok(Err(_)) => drop(answer),
                Err(error) => answer.send(Err(error)),
            }
        };
        self.0.shared.enqueue(&batch, Box::new(then), false)?;
        Ok(ticket)
    }

    /// Queues `records`, waits for room if there is none, and waits until they are on disk.
    ///
    /// # Errors
    ///
    /// [`AppendError`]; never [`AppendError::QueueFull`].
    pub fn append_blocking(&self, records: &[Record]) -> Result<Receipt, AppendError> {
        let (answer, ticket) = ticket();
        let then = Box::new(|result| answer.send(result));
        self.0.shared.enqueue(&Batch::new(records)?, then, true)?;
        ticket.wait()
    }

    /// Queues a snapshot behind everything submitted so far. `covers` must be the last submitted
    /// record, so build the state under the lock under which you submit.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] if it is stale or too long, or the journal takes nothing more.
    pub fn snapshot(&self, covers: Sequence, state: Vec<u8>) -> Result<Ticket<()>, SnapshotError> {
        if state.len() > MAX_SNAPSHOT_BYTES {
            return Err(SnapshotError::TooLarge {
                got: state.len(),
                limit: MAX_SNAPSHOT_BYTES,
            });
        }
        let (answer, ticket) = ticket();
        let mut queue = self.0.shared.lock();
        queue.check_open()?;
        if covers != queue.submitted {
            return Err(SnapshotError::Stale {
                covers,
                last: queue.submitted,
            });
        }
        queue.jobs.push_back(Job::Snapshot {
            covers,
            state,
            answer,
        });
        drop(queue);
        self.0.shared.work.notify_one();
        Ok(ticket)
    }

    /// Writes what is queued and the closing frame; later submissions are refused, by all handles.
    ///
    /// # Errors
    ///
    /// [`AppendError`]; [`AppendError::Closed`] if it was closed before.
    pub fn close(&self) -> Result<(), AppendError> {
        self.0.shared.end(End::Closing);
        match self.0.take_thread().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            // The panic was answered to all waiters.
            Some(Err(_)) => Err(self.0.shared.lock().failure()),
            None => Err(AppendError::Closed),
        }
    }

    /// Whether a write or flush failed.
    #[must_use]
    pub fn poisoned(&self) -> bool {
        self.0.shared.poisoned.load(Ordering::SeqCst)
    }

    /// The last record on disk.
    #[must_use]
    pub fn head(&self) -> Head {
        self.0.shared.lock().durable
    }

    /// The last record that was submitted.
    #[must_use]
    pub fn submitted(&self) -> Sequence {
        self.0.shared.lock().submitted
    }

    /// What was done since the journal was opened.
    #[must_use]
    pub fn counters(&self) -> CounterValues {
        self.0.shared.counters.values()
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("head", &self.head())
            .finish_non_exhaustive()
    }
}

struct Owner {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<Result<(), AppendError>>>>,
}

impl Owner {
    fn take_thread(&self) -> Option<JoinHandle<Result<(), AppendError>>> {
        self.thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.end(End::Abandoned);
        // The last handle may be dropped by an answer, that is on the journal's own thread.
        let thread = self.take_thread();
        if let Some(thread) = thread.filter(|it| it.thread().id() != std::thread::current().id()) {
            drop(thread.join());
        }
    }
}

fn run(mut journal: Journal, shared: &Shared) -> Result<(), AppendError> {
    let watch = PanicWatch(shared);
    let result = loop {
        match shared.take() {
            Work::Group(batches, thens) => match journal.append_group(&batches) {
                Ok(receipts) => {
                    shared.lock().durable = journal.head();
                    for (then, receipt) in thens.into_iter().zip(receipts) {
                        then(Ok(receipt));
                    }
                    journal.prepare_next();
                }
                Err(error) => {
                    shared.fail(&error);
                    for then in thens {
                        then(Err(error.clone()));
                    }
                    break Err(error);
                }
            },
            Work::Snapshot(covers, state, answer) => match journal.snapshot(covers, state) {
                Ok(()) => answer.send(Ok(())),
                Err(error) => {
                    // Size and position were checked when it was queued.
                    let error = match error {
                        SnapshotError::Append(error) => error,
                        other => poison("take a snapshot", io::Error::other(other)),
                    };
                    shared.fail(&error);
                    answer.send(Err(error.clone()));
                    break Err(error);
                }
            },
            Work::Close => break journal.close().inspect_err(|error| shared.fail(error)),
            Work::Abandon => break Ok(()),
        }
    };
    std::mem::forget(watch);
    result
}

/// Answers everybody if the thread dies, so that nobody waits for ever.
struct PanicWatch<'a>(&'a Shared);

impl Drop for PanicWatch<'_> {
    fn drop(&mut self) {
        self.0.fail(&poison(
            "go on",
            io::Error::other("the journal's thread panicked"),
        ));
    }
}

fn poison(doing: &'static str, source: io::Error) -> AppendError {
    AppendError::Poisoned {
        doing,
        source: Arc::new(source),
    }
}
