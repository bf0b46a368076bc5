//! The reserve: space for one crash that is written without the append lock.
//!
//! A fatal error may occur on the thread that holds the lock. After 50 ms `fatal` stops waiting for the lock and writes
//! here. The reserve is claimed by compare-exchange, so of two simultaneous crashes one is lost. It is freed after its
//! row and its number were committed in one transaction.
//!
//! A signal handler writes here too. A signal that another handler may still survive is written as a chance: it becomes a crash if the
//! process ends, and is taken back if it goes on.

use super::layout::{self, RESERVE, Word};
use crate::limits::RESERVE_BYTES;
use crate::sys::map::Map;

const FREE: u64 = 0;
const WRITING: u64 = 1;
const FULL: u64 = 2;
/// It holds a signal that the process may survive.
const CHANCE: u64 = 3;
/// Bytes before the body: generation, length, kind, checksum, key of the run.
const FRONT: usize = 40;

/// The largest body that fits.
pub(crate) const BODY_BYTES: usize = RESERVE_BYTES - FRONT;

/// A crash found in the reserve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reserved {
    pub(crate) generation: u64,
    pub(crate) kind: u8,
    /// Key of the run that crashed, which may be an earlier one.
    pub(crate) key: [u8; 16],
    pub(crate) body: Vec<u8>,
}

/// Claims the reserve permanently: a closed engine accepts no fatal error.
pub(super) fn refuse_all(map: &Map) {
    layout::set(map, Word::ReserveState, WRITING);
}

/// Writes a body of at most [`BODY_BYTES`] in the place of a chance, if there is one. Returns its generation; `None` if the reserve is taken.
pub(crate) fn write(map: &Map, kind: u8, key: [u8; 16], body: &[u8]) -> Option<u64> {
    (body.len() <= BODY_BYTES && (claim(map) || claim_chance(map))).then(|| fill(map, kind, key, body, true))
}

/// Claims the reserve, for [`fill`]; `false` if it is taken.
pub(crate) fn claim(map: &Map) -> bool {
    layout::exchange(map, Word::ReserveState, FREE, WRITING)
}

/// Writes a body into the claimed reserve and returns its generation. `is_sure` = the process ends; else it is a chance. A body that is
/// too large is damaged by being cut, so keep to [`BODY_BYTES`].
pub(crate) fn fill(map: &Map, kind: u8, key: [u8; 16], body: &[u8], is_sure: bool) -> u64 {
    let body = body.get(..BODY_BYTES).unwrap_or(body);
    let generation = layout::get(map, Word::ReserveGeneration).wrapping_add(1);
    layout::set(map, Word::ReserveGeneration, generation);
    let mut front = [0u8; FRONT];
    front[..8].copy_from_slice(&generation.to_le_bytes());
    front[8..12].copy_from_slice(&(body.len() as u32).to_le_bytes());
    front[12] = kind;
    front[16..20].copy_from_slice(&crc(generation, kind, &key, body).to_le_bytes());
    front[24..].copy_from_slice(&key);
    layout::write(map, RESERVE + FRONT, body);
    layout::write(map, RESERVE, &front);
    layout::set(map, Word::ReserveTotal, layout::get(map, Word::ReserveTotal).wrapping_add(1));
    layout::set(map, Word::ReserveState, if is_sure { FULL } else { CHANCE });
    generation
}

/// Takes back a chance: the process goes on. Another state stays.
#[allow(dead_code)] // Where native crashes are not captured.
pub(crate) fn take_back(map: &Map) {
    if claim_chance(map) {
        free(map);
    }
}

/// Claims the reserve from a chance, which then counts for nothing.
fn claim_chance(map: &Map) -> bool {
    let claimed = layout::exchange(map, Word::ReserveState, CHANCE, WRITING);
    if claimed {
        layout::set(map, Word::ReserveTotal, layout::get(map, Word::ReserveTotal).wrapping_sub(1));
    }
    claimed
}

/// In a copy of the ring: whoever writes the reserve, or may take it back, does it in the original.
pub(super) fn forget_unfinished(map: &Map) {
    if matches!(layout::get(map, Word::ReserveState), WRITING | CHANCE) {
        free(map);
    }
}

/// When a ring is opened, the process that wrote its reserve has ended: a chance is a crash, and what was not written to its end was never
/// acknowledged.
pub(super) fn settle(map: &Map) {
    if !layout::exchange(map, Word::ReserveState, CHANCE, FULL)
        && layout::get(map, Word::ReserveState) != FREE
        && read(map).is_none()
    {
        free(map);
    }
}

/// The crash in the reserve; `None` if there is none or it is damaged.
pub(crate) fn read(map: &Map) -> Option<Reserved> {
    if layout::get(map, Word::ReserveState) != FULL {
        return None;
    }
    content(map)
}

/// The same, or the chance there, for who looks at the file of another process.
pub(crate) fn peek(map: &Map) -> Option<Reserved> {
    if !matches!(layout::get(map, Word::ReserveState), FULL | CHANCE) {
        return None;
    }
    content(map)
}

fn content(map: &Map) -> Option<Reserved> {
    let mut front = [0u8; FRONT];
    layout::read(map, RESERVE, &mut front);
    let generation = u64::from_le_bytes(*front.first_chunk()?);
    let len = u32::from_le_bytes([front[8], front[9], front[10], front[11]]) as usize;
    let kind = front[12];
    let mut body = vec![0; len.min(BODY_BYTES)];
    layout::read(map, RESERVE + FRONT, &mut body);
    let stored = u32::from_le_bytes([front[16], front[17], front[18], front[19]]);
    let key: [u8; 16] = *front.last_chunk()?;
    (crc(generation, kind, &key, &body) == stored).then_some(Reserved { generation, kind, key, body })
}

/// Whether the reserve is taken, even by a damaged crash. A chance may be gone in a moment.
pub(crate) fn is_taken(map: &Map) -> bool {
    !matches!(layout::get(map, Word::ReserveState), FREE | CHANCE)
}

/// Frees the reserve after its content was committed or found damaged.
pub(crate) fn free(map: &Map) {
    layout::write(map, RESERVE, &[0; RESERVE_BYTES]);
    layout::set(map, Word::ReserveState, FREE);
}

fn crc(generation: u64, kind: u8, key: &[u8; 16], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(generation as u32);
    hasher.update(&[kind]);
    hasher.update(key);
    hasher.update(body);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_holds_one_crash_until_it_is_freed() {
        let map = Map::anonymous(layout::FILE_BYTES).unwrap();
        assert_eq!(read(&map), None);
        assert_eq!(write(&map, 0, [7; 16], b"first"), Some(1));
        assert_eq!(write(&map, 0, [7; 16], b"second"), None);
        assert_eq!(read(&map), Some(Reserved { generation: 1, kind: 0, key: [7; 16], body: b"first".to_vec() }));
        free(&map);
        assert!(!is_taken(&map));
        assert_eq!(write(&map, 0, [7; 16], b"third"), Some(2));
        assert_eq!(layout::get(&map, Word::ReserveTotal), 2);
    }

    #[test]
    fn a_body_that_is_too_large_or_damaged_is_no_crash() {
        let map = Map::anonymous(layout::FILE_BYTES).unwrap();
        assert_eq!(write(&map, 0, [7; 16], &vec![1; BODY_BYTES + 1]), None);
        assert_eq!(write(&map, 0, [7; 16], &vec![1; BODY_BYTES]), Some(1));
        layout::write(&map, RESERVE + 500, &[2]);
        assert_eq!(read(&map), None);
        assert!(is_taken(&map));
        settle(&map);
        assert!(!is_taken(&map));
    }

    #[test]
    fn a_chance_is_a_crash_of_the_process_that_ended_with_it_and_nothing_if_that_went_on() {
        let map = Map::anonymous(layout::FILE_BYTES).unwrap();
        assert!(claim(&map) && !claim(&map));
        fill(&map, 0, [7; 16], b"fault", false);
        assert_eq!((read(&map), is_taken(&map), claim(&map)), (None, false, false));
        assert_eq!(peek(&map).map(|crash| crash.body), Some(b"fault".to_vec()));
        take_back(&map);
        assert_eq!(peek(&map), None);
        assert!(claim(&map));
        fill(&map, 0, [7; 16], b"again", false);
        settle(&map);
        assert_eq!(read(&map).map(|crash| (crash.generation, crash.body)), Some((2, b"again".to_vec())));
        take_back(&map);
        assert!(read(&map).is_some(), "a crash is not taken back");
        free(&map);
        assert!(claim(&map), "the process is killed while it writes");
        settle(&map);
        assert!(claim(&map));
    }
}
