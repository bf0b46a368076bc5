//! A channel between threads with little code. That of the standard library compiles three kinds of channel for each type of message,
//! 6 KB together.

use std::collections::VecDeque;
use std::sync::mpsc::{RecvTimeoutError, SendError, TrySendError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

struct Shared<T> {
    state: Mutex<State<T>>,
    /// A message has come, or the last sender is gone.
    changed: Condvar,
}

struct State<T> {
    messages: VecDeque<T>,
    senders: usize,
    has_receiver: bool,
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        // No code of ours that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end that sends. It never waits.
pub(crate) struct Sender<T>(Arc<Shared<T>>);

/// The end that receives.
pub(crate) struct Receiver<T>(Arc<Shared<T>>);

/// A channel without a limit.
pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let state = State { messages: VecDeque::new(), senders: 1, has_receiver: true };
    let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl<T> Sender<T> {
    /// Sends a message. Returns it if the receiver is gone.
    pub(crate) fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.try_send(message, usize::MAX).map_err(|error| match error {
            TrySendError::Full(message) | TrySendError::Disconnected(message) => SendError(message),
        })
    }

    /// Sends a message unless `most` messages are waiting.
    pub(crate) fn try_send(&self, message: T, most: usize) -> Result<(), TrySendError<T>> {
        let mut state = self.0.state();
        if !state.has_receiver {
            return Err(TrySendError::Disconnected(message));
        }
        if state.messages.len() >= most {
            return Err(TrySendError::Full(message));
        }
        state.messages.push_back(message);
        drop(state);
        self.0.changed.notify_one();
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        self.0.state().senders += 1;
        Sender(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.state().senders -= 1;
        self.0.changed.notify_one();
    }
}

impl<T> Receiver<T> {
    /// The next message; `None` = none has come and no sender is left.
    pub(crate) fn recv(&self) -> Option<T> {
        self.wait(None).ok()
    }

    /// The next message, if one comes within this time.
    pub(crate) fn recv_timeout(&self, wait: Duration) -> Result<T, RecvTimeoutError> {
        // A wait beyond the range of the clock has no end.
        self.wait(Instant::now().checked_add(wait))
    }

    /// The messages that have come.
    pub(crate) fn try_iter(&self) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| self.0.state().messages.pop_front())
    }

    /// Messages until no sender is left.
    pub(crate) fn iter(&self) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| self.recv())
    }

    fn wait(&self, until: Option<Instant>) -> Result<T, RecvTimeoutError> {
        let mut state = self.0.state();
        loop {
            if let Some(message) = state.messages.pop_front() {
                return Ok(message);
            }
            if state.senders == 0 {
                return Err(RecvTimeoutError::Disconnected);
            }
            state = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return Err(RecvTimeoutError::Timeout),
                Some(left) => self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.has_receiver = false;
        let waiting = std::mem::take(&mut state.messages);
        // A message can hold a sender of this channel, whose drop takes the lock.
        drop(state);
        drop(waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn messages_of_all_senders_arrive_and_the_end_is_seen() {
        let (sender, receiver) = channel();
        let other = sender.clone();
        let thread = thread::spawn(move || (0..1_000).for_each(|n| other.send(n).unwrap()));
        (0..1_000).for_each(|n| sender.send(n).unwrap());
        drop(sender);
        assert_eq!(receiver.iter().sum::<i32>(), 999_000);
        assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
        thread.join().unwrap();
    }

    #[test]
    fn a_receiver_waits_for_a_message_for_the_end_and_for_the_time() {
        let (sender, receiver) = channel();
        assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
        assert_eq!(receiver.recv_timeout(Duration::from_millis(5)), Err(RecvTimeoutError::Timeout));
        let thread = thread::spawn(move || (receiver.recv_timeout(Duration::MAX), receiver.recv(), receiver.recv()));
        sender.send('a').unwrap();
        thread::sleep(Duration::from_millis(20));
        sender.send('b').unwrap();
        thread::sleep(Duration::from_millis(20));
        drop(sender);
        assert_eq!(thread.join().unwrap(), (Ok('a'), Some('b'), None));
    }

    #[test]
    fn a_message_without_a_receiver_or_above_the_limit_comes_back() {
        let (sender, receiver) = channel();
        sender.try_send(1, 2).unwrap();
        sender.try_send(2, 2).unwrap();
        assert_eq!(sender.try_send(3, 2), Err(TrySendError::Full(3)));
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [1, 2]);
        sender.try_send(4, 2).unwrap();
        drop(receiver);
        assert_eq!(sender.try_send(5, 2), Err(TrySendError::Disconnected(5)));
        assert_eq!(sender.send(6), Err(SendError(6)));
    }

    #[test]
    fn a_message_that_waits_when_the_receiver_ends_is_dropped() {
        #[allow(dead_code)] // Only their drop matters.
        struct Message(Sender<Message>, Arc<()>);
        let (sender, receiver) = channel();
        let held = Arc::new(());
        assert!(sender.send(Message(sender.clone(), Arc::clone(&held))).is_ok());
        drop(receiver);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
