//! Rows of table `run`: which release and start the carved events belong to.
//!
//! These rows have no checksum. Their JSON repeats the columns `id` and `boot`, so the caller can tell a whole row from
//! a damaged one. A payload that continues on an overflow page is left out: a run has some 400 bytes, with all facts 1,500.

use super::record::{Cell, VARINT_BYTES, varint};

/// Columns of table `run`.
const COLUMNS: usize = 4;

/// A row of table `run`, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundRun {
    /// The rowid, to which the column `run` of an event refers.
    pub(crate) number: i64,
    /// Id of the run, and the number of its change.
    pub(crate) id: String,
    /// Id of its boot.
    pub(crate) boot: String,
    /// The run.
    pub(crate) json: String,
}

/// The run in a cell, if the record has the columns of one.
pub(super) fn read(cell: &Cell<'_>) -> Option<FoundRun> {
    if cell.local.len() != cell.payload {
        return None;
    }
    let (header, mut at) = varint(cell.local)?;
    let header = usize::try_from(header).ok().filter(|header| *header <= 1 + COLUMNS * VARINT_BYTES)?;
    let mut lengths = [0usize; COLUMNS];
    for length in &mut lengths {
        let (kind, bytes) = varint(cell.local.get(at..header)?)?;
        at += bytes;
        *length = match kind {
            0 => 0,
            text if text >= 13 && text % 2 == 1 => usize::try_from((text - 13) / 2).ok()?,
            _ => return None,
        };
    }
    let [number, id, boot, json] = lengths;
    if at != header || number != 0 || [id, json].contains(&0) {
        return None;
    }
    let mut text = |length: usize| {
        let bytes = cell.local.get(at..at.checked_add(length)?)?;
        at += length;
        Some(std::str::from_utf8(bytes).ok()?.to_owned())
    };
    let (id, boot, json) = (text(id)?, text(boot)?, text(json)?);
    (at == cell.local.len()).then_some(FoundRun { number: cell.seq as i64, id, boot, json })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(local: &[u8]) -> Cell<'_> {
        Cell { seq: 7, payload: local.len(), local, overflow: 0, size: local.len() }
    }

    #[test]
    fn a_record_with_three_texts_is_a_run_and_one_with_other_columns_is_not() {
        let good = b"\x05\x00\x11\x0f\x11idb{}";
        let found = FoundRun { number: 7, id: "id".into(), boot: "b".into(), json: "{}".into() };
        assert_eq!(read(&cell(good)), Some(found));
        for (at, wrong) in [(0, 4), (0, 6), (1, 1), (2, 0x10), (2, 0x0d), (4, 0x13), (4, 0x0f)] {
            let mut bad = good.to_vec();
            bad[at] = wrong;
            assert_eq!(read(&cell(&bad)), None, "byte {at} = {wrong}");
        }
        assert_eq!(read(&Cell { payload: 5_000, ..cell(good) }), None, "on an overflow page");
        assert_eq!(read(&cell(&[])), None);
    }
}
