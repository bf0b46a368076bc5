//! The reserve: space for one crash that is written without the append lock.
//!
//! A fatal error may occur on the thread that holds the lock. After 50 ms `fatal` stops waiting for the lock and writes
//! here. The reserve is claimed by compare-exchange, so of two simultaneous crashes one is lost. It is freed after its
//! row and its number were committed in one transaction.

use super::layout::{self, RESERVE, Word};
use crate::limits::RESERVE_BYTES;
use crate::sys::map::Map;

const FREE: u64 = 0;
const WRITING: u64 = 1;
const FULL: u64 = 2;
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

/// Writes a body of at most [`BODY_BYTES`]. Returns its generation; `None` if the reserve is taken.
pub(crate) fn write(map: &Map, kind: u8, key: [u8; 16], body: &[u8]) -> Option<u64> {
    if body.len() > BODY_BYTES || !layout::exchange(map, Word::ReserveState, FREE, WRITING) {
        return None;
    }
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
    layout::set(map, Word::ReserveState, FULL);
    Some(generation)
}

/// The crash in the reserve; `None` if there is none or it is damaged.
pub(crate) fn read(map: &Map) -> Option<Reserved> {
    if layout::get(map, Word::ReserveState) != FULL {
        return None;
    }
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

/// Whether the reserve is taken, even by a damaged crash.
pub(crate) fn is_taken(map: &Map) -> bool {
    layout::get(map, Word::ReserveState) != FREE
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
    }
}
