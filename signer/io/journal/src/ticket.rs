//! An answer that comes later, for threads and for tasks of any runtime.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::error::AppendError;

/// Waits for the writer: `.await` it, or [`wait`](Self::wait) on a thread that may block.
///
/// Dropping it does not take back what was submitted.
#[must_use = "what was submitted is durable only once the ticket says so"]
pub struct Ticket<T>(Arc<Slot<T>>);

impl<T> Ticket<T> {
    /// Blocks until the answer is there.
    ///
    /// # Errors
    ///
    /// [`AppendError`] if the records are not, or not known to be, on disk.
    pub fn wait(self) -> Result<T, AppendError> {
        let mut state = self.0.lock();
        loop {
            match std::mem::replace(&mut *state, State::Taken) {
                State::Done(answer) => return answer,
                State::Taken => return Err(AppendError::Closed),
                State::Waiting(waker) => *state = State::Waiting(waker),
            }
            state = self
                .0
                .ready
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Future for Ticket<T> {
    type Output = Result<T, AppendError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Done(answer) => Poll::Ready(answer),
            State::Taken => Poll::Ready(Err(AppendError::Closed)),
            State::Waiting(_) => {
                *state = State::Waiting(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket")
    }
}

/// The other end of a ticket. Dropped unused, it answers [`AppendError::Closed`].
pub(crate) struct Answer<T>(Arc<Slot<T>>);

impl<T> Answer<T> {
    pub(crate) fn send(self, answer: Result<T, AppendError>) {
        self.settle(answer);
    }

    fn settle(&self, answer: Result<T, AppendError>) {
        let mut state = self.0.lock();
        if let State::Waiting(waker) = &mut *state {
            let waker = waker.take();
            *state = State::Done(answer);
            drop(state);
            self.0.ready.notify_one();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        self.settle(Err(AppendError::Closed));
    }
}

/// A ticket and what answers it.
pub(crate) fn ticket<T>() -> (Answer<T>, Ticket<T>) {
    let slot = Arc::new(Slot {
        state: Mutex::new(State::Waiting(None)),
        ready: Condvar::new(),
    });
    (Answer(Arc::clone(&slot)), Ticket(slot))
}

struct Slot<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum State<T> {
    Waiting(Option<Waker>),
    Done(Result<T, AppendError>),
    Taken,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn future_is_woken_once_and_resolves() {
        let (answer, mut ticket) = ticket();
        let count = Arc::new(Count::default());
        let waker = Arc::clone(&count).into();
        let mut context = Context::from_waker(&waker);
        assert!(Pin::new(&mut ticket).poll(&mut context).is_pending());
        answer.send(Ok(5));
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert!(matches!(
            Pin::new(&mut ticket).poll(&mut context),
            Poll::Ready(Ok(5))
        ));
    }

    #[test]
    fn thread_waits_for_the_answer() {
        let (answer, ticket) = ticket();
        let waiting = std::thread::spawn(move || ticket.wait());
        answer.send(Ok(7));
        assert_eq!(waiting.join().unwrap().unwrap(), 7);
    }

    #[test]
    fn dropped_answer_is_a_refusal() {
        let (answer, ticket) = ticket::<()>();
        drop(answer);
        assert!(matches!(ticket.wait(), Err(AppendError::Closed)));
    }
}
