//! Trace ids, span ids and event ids without a system call: keyed hashes of a number that counts up.

use super::TraceContext;
use crate::id::{EventId, IdKey};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the bits of one number are used for: each use has bits of its own. The ids of recorded events use the numbers of
/// their tickets in this place, which are far smaller.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Use {
    TraceHigh = u64::MAX,
    TraceLow = u64::MAX - 1,
    RootSpan = u64::MAX - 2,
    Span = u64::MAX - 3,
    Event = u64::MAX - 4,
    SeedHigh = u64::MAX - 5,
    SeedLow = u64::MAX - 6,
}

/// Makes the ids of traces, spans and events: unpredictable to others, unique, without a system call and without a lock
/// (about 20 ns). Its 128-bit seed comes from the operating system at [`crate::Monitor::open`]. Clones share one sequence.
///
/// ```
/// use rez_monitor::IdGenerator;
///
/// // A generator of its own; an app takes the one of its `Monitor::ids()`.
/// let ids = IdGenerator::from_seed([7; 16]);
/// let screen = ids.root();
/// let call = screen.child(&ids);
/// assert_eq!(call.trace_id(), screen.trace_id());
/// assert_eq!(call.parent(), Some(screen.span_id()));
/// ```
#[derive(Clone)]
pub struct IdGenerator(Arc<Sequence>);

struct Sequence {
    key: IdKey,
    next: AtomicU64,
}

impl std::fmt::Debug for IdGenerator {
    /// Without the seed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdGenerator").finish_non_exhaustive()
    }
}

impl IdGenerator {
    /// A generator with this seed, which must be random and used once: two generators with one seed make the same ids.
    #[must_use]
    pub fn from_seed(seed: [u8; 16]) -> IdGenerator {
        IdGenerator::with_key(IdKey::from_bytes(seed))
    }

    pub(crate) fn with_key(key: IdKey) -> IdGenerator {
        IdGenerator(Arc::new(Sequence { key, next: AtomicU64::new(1) }))
    }

    /// The root span of a new trace.
    #[must_use]
    pub fn root(&self) -> TraceContext {
        let number = self.number();
        // Datadog reads only the lower half, so it must not be zero either.
        let low = self.bits(Use::TraceLow, number).max(1);
        TraceContext::root(self.bits(Use::TraceHigh, number), low, not_zero(self.bits(Use::RootSpan, number)))
    }

    /// A span id. Never zero.
    #[must_use]
    pub fn span_id(&self) -> u64 {
        self.next_span().get()
    }

    /// An event id (UUID version 7) for an event of this time, in milliseconds since 1970.
    #[must_use]
    pub fn event_id(&self, wall_ms: i64) -> EventId {
        let number = self.number();
        EventId::version_7(wall_ms, number, self.bits(Use::Event, number))
    }

    /// A seed for a generator in another language, which then makes ids of its own without calling into the engine.
    #[must_use]
    pub fn seed(&self) -> [u8; 16] {
        let number = self.number();
        let seed = u128::from(self.bits(Use::SeedHigh, number)) << 64 | u128::from(self.bits(Use::SeedLow, number));
        seed.to_be_bytes()
    }

    pub(super) fn next_span(&self) -> NonZeroU64 {
        not_zero(self.bits(Use::Span, self.number()))
    }

    fn number(&self) -> u64 {
        self.0.next.fetch_add(1, Ordering::Relaxed)
    }

    fn bits(&self, of: Use, number: u64) -> u64 {
        self.0.key.bits(of as u64, number)
    }
}

fn not_zero(bits: u64) -> NonZeroU64 {
    NonZeroU64::new(bits).unwrap_or(NonZeroU64::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_of_one_generator_and_of_its_clones_differ() {
        let ids = IdGenerator::from_seed([1; 16]);
        let other = ids.clone();
        let roots: HashSet<_> =
            (0..1_000).flat_map(|_| [ids.root(), other.root()]).map(|root| root.trace_id()).collect();
        assert_eq!(roots.len(), 2_000);
        let spans: HashSet<_> = (0..1_000).flat_map(|_| [ids.span_id(), other.span_id()]).collect();
        assert_eq!(spans.len(), 2_000);
        let events: HashSet<_> = (0..1_000).map(|_| ids.event_id(1_795_400_000_000)).collect();
        assert_eq!(events.len(), 1_000);
    }

    #[test]
    fn a_seed_of_a_generator_makes_other_ids_than_the_generator() {
        let ids = IdGenerator::from_seed([1; 16]);
        let (first, second) = (ids.seed(), ids.seed());
        assert_ne!(first, second);
        assert_ne!(IdGenerator::from_seed(first).root(), IdGenerator::from_seed([1; 16]).root());
        assert!(!format!("{ids:?}").contains('1'), "the seed is not shown");
    }

    #[test]
    fn an_event_id_is_a_version_7_uuid_of_its_time() {
        let id = IdGenerator::from_seed([1; 16]).event_id(1_795_400_000_000);
        assert_eq!(id.unix_ms(), 1_795_400_000_000);
        assert_eq!(uuid::Uuid::from_bytes(*id.as_bytes()).get_version_num(), 7);
    }
}
