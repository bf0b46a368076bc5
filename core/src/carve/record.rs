//! One cell of a table leaf page, and the record in it.
//!
//! From SQLite's document "Database File Format", sections 1.6 and 2.1: a cell is
//! `varint payload length | varint rowid | payload | page number of the first overflow page`, a payload is
//! `varint header length | varint type of each column | values`. The rowid column itself is stored as NULL.

use crate::limits::ROW_BYTES;

/// Columns of table `event`. A record with another number of columns belongs to another table.
pub(super) const COLUMNS: usize = 10;

/// Largest valid payload in bytes: twice the limit of a row's JSON. A larger, damaged length is rejected before
/// anything is read or allocated.
pub(super) const PAYLOAD_BYTES: usize = 2 * ROW_BYTES;

/// Longest varint.
pub(super) const VARINT_BYTES: usize = 9;

/// Longest id in bytes: a UUID with dashes has 36.
const ID_BYTES: usize = 64;

/// Longest spelling of a kind in bytes, with room for kinds of later versions.
const KIND_BYTES: usize = 64;

/// A record with the columns of a row, before its CRC is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate<'a> {
    /// The rowid.
    pub(crate) seq: u64,
    /// Id of the event as text.
    pub(crate) id: &'a str,
    /// Its lane, 0 to 3.
    pub(crate) lane: u8,
    /// Its kind as spelled in the row.
    pub(crate) kind: &'a str,
    /// Number of its run.
    pub(crate) run: i64,
    /// Wall clock at the call, ms.
    pub(crate) wall_ms: i64,
    /// Monotonic clock at the call, ms.
    pub(crate) mono_ms: i64,
    /// JSON array of destination names, or NULL.
    pub(crate) targets: Option<&'a str>,
    /// The event.
    pub(crate) json: &'a str,
}

/// A cell and the part of its payload that is on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell<'a> {
    /// The rowid.
    pub(super) seq: u64,
    /// Length of the whole payload in bytes.
    pub(super) payload: usize,
    /// The part of the payload on this page.
    pub(super) local: &'a [u8],
    /// The first overflow page, or 0.
    pub(super) overflow: u32,
    /// Bytes the cell takes on its page.
    pub(super) size: usize,
}

/// Column types of a record that has the shape of a row of `event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    header: usize,
    types: [u64; COLUMNS],
}

/// The varint at the start of `bytes` and its length.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().take(VARINT_BYTES).enumerate() {
        if at + 1 == VARINT_BYTES {
            return Some(((value << 8) | u64::from(*byte), VARINT_BYTES));
        }
        value = (value << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}

/// Two bytes at `at`, big endian.
pub(super) fn be16(bytes: &[u8], at: usize) -> Option<usize> {
    let two = bytes.get(at..)?.first_chunk::<2>()?;
    Some(usize::from(u16::from_be_bytes(*two)))
}

/// Four bytes at `at`, big endian.
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|four| u32::from_be_bytes(*four))
}

/// Bytes of a payload that a table leaf keeps on its page, for pages without reserved bytes.
fn local_bytes(payload: usize, page: usize) -> Option<usize> {
    let most = page.checked_sub(35)?;
    if payload <= most {
        return Some(payload);
    }
    let least = (page.checked_sub(12)? * 32 / 255).checked_sub(23)?;
    let chunk = page.checked_sub(4)?;
    let kept = least + payload.checked_sub(least)?.checked_rem(chunk)?;
    Some(if kept <= most { kept } else { least })
}

/// The cell at `at`; `None` if its lengths do not fit the page.
pub(super) fn cell(page: &[u8], at: usize) -> Option<Cell<'_>> {
    let (payload, first) = varint(page.get(at..)?)?;
    let (seq, second) = varint(page.get(at + first..)?)?;
    body(page, at, at + first + second, usize::try_from(payload).ok()?, seq)
}

/// The cell that starts at `start` and whose payload starts at `at`.
fn body(page: &[u8], start: usize, at: usize, payload: usize, seq: u64) -> Option<Cell<'_>> {
    if payload > PAYLOAD_BYTES {
        return None;
    }
    let kept = local_bytes(payload, page.len())?;
    let local = page.get(at..at.checked_add(kept)?)?;
    let end = at + kept;
    let (overflow, end) = if kept < payload { (be32(page, end)?, end + 4) } else { (0, end) };
    // No cell is smaller than the header of a free block.
    Some(Cell { seq, payload, local, overflow, size: (end - start).max(4) })
}

/// The cell of a row of `event` whose record header is at `at`, for pages that do not say where cells begin: the
/// payload's length follows from the header, so the bytes in front of it can be checked.
pub(super) fn cell_with_header_at(page: &[u8], at: usize) -> Option<Cell<'_>> {
    let layout = Layout::read(page.get(at..)?)?;
    let payload = layout.payload()?;
    (1..=VARINT_BYTES).find_map(|length| {
        let rowid = at.checked_sub(length)?;
        let (seq, read) = varint(page.get(rowid..)?)?;
        if read != length {
            return None;
        }
        (1..=3).find_map(|length| {
            let start = rowid.checked_sub(length)?;
            let found = varint(page.get(start..)?)?;
            (found == (u64::try_from(payload).ok()?, length)).then(|| body(page, start, at, payload, seq))?
        })
    })
}

impl Layout {
    /// Reads the header of a record and takes it only if it has the columns of `event` with types they can have.
    pub(super) fn read(record: &[u8]) -> Option<Layout> {
        let (header, mut at) = varint(record)?;
        let header = usize::try_from(header).ok()?;
        if !(COLUMNS + 1..=COLUMNS * VARINT_BYTES).contains(&header) {
            return None;
        }
        let mut types = [0; COLUMNS];
        for (column, slot) in types.iter_mut().enumerate() {
            let (kind, length) = varint(record.get(at..header)?)?;
            // seq, id, lane, kind, run, wall_ms, mono_ms, targets, json, crc
            let plausible = match column {
                0 => kind == 0,
                1 => is_text(kind, ID_BYTES),
                3 => is_text(kind, KIND_BYTES),
                7 => kind == 0 || is_text(kind, PAYLOAD_BYTES),
                8 => is_text(kind, PAYLOAD_BYTES),
                _ => matches!(kind, 1..=6 | 8 | 9),
            };
            if !plausible {
                return None;
            }
            *slot = kind;
            at += length;
        }
        (at == header).then_some(Layout { header, types })
    }

    /// Length of the whole payload.
    pub(super) fn payload(&self) -> Option<usize> {
        let total = self.types.iter().map(|kind| width(*kind)).fold(self.header, usize::saturating_add);
        (total <= PAYLOAD_BYTES).then_some(total)
    }

    /// The columns of this payload, and the CRC it bears.
    pub(super) fn decode<'a>(&self, seq: u64, payload: &'a [u8]) -> Option<(Candidate<'a>, u32)> {
        let mut at = self.header;
        let mut values: [&[u8]; COLUMNS] = [&[]; COLUMNS];
        for (value, kind) in values.iter_mut().zip(self.types) {
            let end = at.checked_add(width(kind))?;
            *value = payload.get(at..end)?;
            at = end;
        }
        if at != payload.len() || i64::try_from(seq).ok()? < 1 {
            return None;
        }
        let [_, id, lane, kind, run, wall_ms, mono_ms, targets, json, crc] = values;
        let [_, _, lane_type, _, run_type, wall_type, mono_type, targets_type, _, crc_type] = self.types;
        let lane = u8::try_from(integer(lane_type, lane)).ok().filter(|lane| *lane <= 3)?;
        let candidate = Candidate {
            seq,
            id: std::str::from_utf8(id).ok()?,
            lane,
            kind: std::str::from_utf8(kind).ok()?,
            run: integer(run_type, run),
            wall_ms: integer(wall_type, wall_ms),
            mono_ms: integer(mono_type, mono_ms),
            targets: if targets_type == 0 { None } else { Some(std::str::from_utf8(targets).ok()?) },
            json: std::str::from_utf8(json).ok()?,
        };
        Some((candidate, u32::try_from(integer(crc_type, crc)).ok()?))
    }
}

/// Whether the type is a text of at most `most` bytes. An empty one is plausible in no column of `event`, so neither
/// is a type without bytes.
fn is_text(kind: u64, most: usize) -> bool {
    kind > 13 && kind % 2 == 1 && width(kind) <= most
}

/// Bytes of a value of this type.
fn width(kind: u64) -> usize {
    match kind {
        0 | 8..=11 => 0,
        1..=4 => usize::try_from(kind).unwrap_or(0),
        5 => 6,
        6 | 7 => 8,
        _ => usize::try_from((kind - 12) / 2).unwrap_or(usize::MAX),
    }
}

/// The value of an integer of this type.
fn integer(kind: u64, bytes: &[u8]) -> i64 {
    match kind {
        9 => 1,
        _ => {
            let sign = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
            bytes.iter().fold(if sign { -1 } else { 0 }, |value, byte| (value << 8) | i64::from(*byte))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_varint_has_one_to_nine_bytes() {
        assert_eq!(varint(&[0x7f]), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00]), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0x80; 8]), None);
        assert_eq!(varint(&[]), None);
    }

    #[test]
    fn integers_of_every_width_keep_their_sign() {
        assert_eq!(integer(1, &[0xff]), -1);
        assert_eq!(integer(2, &[0x01, 0x00]), 256);
        assert_eq!(integer(5, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]), -2);
        assert_eq!(integer(6, &i64::MIN.to_be_bytes()), i64::MIN);
        assert_eq!(integer(8, &[]), 0);
        assert_eq!(integer(9, &[]), 1);
    }

    #[test]
    fn the_local_part_follows_the_file_formats_formula() {
        // U = 4096: X = 4061, M = 489.
        assert_eq!(local_bytes(4061, 4096), Some(4061));
        assert_eq!(local_bytes(4062, 4096), Some(489));
        assert_eq!(local_bytes(489 + 4092 + 100, 4096), Some(589));
        assert_eq!(local_bytes(20_000, 4096), Some(489 + (20_000 - 489) % 4092));
        assert_eq!(local_bytes(10, 3), None);
    }

    #[test]
    fn a_record_of_another_table_or_with_other_types_is_no_layout() {
        // header length 11; seq NULL, id text(36), lane 1, kind text(5), run, wall, mono ints, targets NULL, json, crc
        let good = [11, 0, 85, 1, 23, 1, 6, 6, 0, 99, 4];
        assert!(Layout::read(&good).is_some());
        assert_eq!(Layout::read(&good).and_then(|layout| layout.payload()), Some(11 + 36 + 1 + 5 + 1 + 16 + 43 + 4));
        for (at, wrong) in [(0, 10), (0, 12), (1, 1), (2, 84), (3, 0), (4, 7), (5, 7), (9, 0), (10, 0)] {
            let mut bad = good;
            bad[at] = wrong;
            assert_eq!(Layout::read(&bad), None, "byte {at} = {wrong}");
        }
    }
}
