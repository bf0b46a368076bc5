//! One page image: its type and the positions of its cells.

use super::record::{Cell, Layout, be16, cell, cell_with_header_at};

/// Type byte of a table leaf.
const TABLE_LEAF: u8 = 0x0d;

/// Type bytes of index and interior pages.
const OTHERS: [u8; 3] = [0x02, 0x05, 0x0a];

/// Bytes before the page header of the first page.
const FILE_HEADER: usize = 100;

/// Most fragmented bytes of a page. SQLite defragments a page before it has more.
const FRAGMENTS: usize = 60;

/// Type of a page, according to its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A table leaf. Its pointers lead to its cells.
    Leaf(Pointers),
    /// A valid index or interior page: it has no rows.
    Other,
    /// Overflow, pointer map, free list, or damaged: rows are found only by a scan.
    Unknown,
}

/// Position of a page's pointer array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pointers {
    header: usize,
    array: usize,
    count: usize,
}

impl Pointers {
    /// Offsets of the cells in key order, including offsets outside of the page.
    pub(super) fn offsets<'a>(&self, page: &'a [u8]) -> impl Iterator<Item = usize> + use<'a> {
        let array = self.array;
        (0..self.count).map_while(move |n| be16(page, array + 2 * n))
    }

    /// Whether header, pointers, cells and free blocks account for every byte of the page. If not, the pointers may
    /// miss cells.
    pub(super) fn adds_up(&self, page: &[u8]) -> bool {
        self.unaccounted(page) == Some(0)
    }

    fn unaccounted(&self, page: &[u8]) -> Option<usize> {
        let end = self.array + 2 * self.count;
        let content = match be16(page, self.header + 5)? {
            0 => 65_536,
            content => content,
        };
        let mut rest = page.len().checked_sub(content)?;
        content.checked_sub(end)?;
        let mut offsets: Vec<usize> = self.offsets(page).collect();
        offsets.sort_unstable();
        let mut free_to = content;
        for offset in offsets {
            // Overlapping cells: a pointer is damaged.
            if offset < free_to {
                return None;
            }
            let size = cell(page, offset)?.size;
            rest = rest.checked_sub(size)?;
            free_to = offset + size;
        }
        let mut block = be16(page, self.header + 1)?;
        while block != 0 {
            let (next, size) = (be16(page, block)?, be16(page, block + 2)?);
            rest = rest.checked_sub(size)?;
            // Free blocks are in ascending order, so the loop ends.
            if size < 4 || (next != 0 && next <= block) {
                return None;
            }
            block = next;
        }
        rest.checked_sub(usize::from(*page.get(self.header + 7)?))
    }
}

/// Classifies the image of page `number`.
pub(super) fn classify(number: u32, page: &[u8]) -> Class {
    let header = if number == 1 { FILE_HEADER } else { 0 };
    let Some(kind) = page.get(header).copied() else { return Class::Unknown };
    let array = header + if matches!(kind, 0x02 | 0x05) { 12 } else { 8 };
    let Some(count) = be16(page, header + 3) else { return Class::Unknown };
    let pointers = Pointers { header, array, count };
    if array + 2 * count > page.len() {
        return Class::Unknown;
    }
    if kind == TABLE_LEAF {
        return Class::Leaf(pointers);
    }
    // A leaf with only its type byte damaged must not be classified as an index page.
    let valid = OTHERS.contains(&kind)
        && page.get(header + 7).is_some_and(|fragments| usize::from(*fragments) <= FRAGMENTS)
        && pointers.offsets(page).all(|offset| offset >= array + 2 * count && offset < page.len())
        && !pointers.offsets(page).any(|offset| cell(page, offset).is_some_and(|cell| is_row(&cell)));
    if valid { Class::Other } else { Class::Unknown }
}

/// Whether the cell's record has the columns of table `event`.
pub(super) fn is_row(cell: &Cell<'_>) -> bool {
    Layout::read(cell.local).and_then(|layout| layout.payload()) == Some(cell.payload)
}

/// All possible cells of rows on the page, without its pointers. JSON text has no control characters, so the content of
/// an overflow page never looks like a record header.
pub(super) fn scan(page: &[u8]) -> impl Iterator<Item = Cell<'_>> {
    page.windows(2)
        .enumerate()
        .filter(|(_, pair)| matches!(pair, [11..=90, 0]))
        .filter_map(|(at, _)| cell_with_header_at(page, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leaf with one row of the smallest plausible shape at its end.
    fn leaf() -> Vec<u8> {
        let mut record = vec![11, 0, 15, 8, 15, 8, 8, 8, 0, 15, 8];
        record.extend_from_slice(b"abc");
        let mut bytes = vec![record.len() as u8, 5];
        bytes.append(&mut record);
        let at = 512 - bytes.len();
        let mut page = vec![0; 512];
        page[0] = 0x0d;
        page[4] = 1;
        page[5..7].copy_from_slice(&(at as u16).to_be_bytes());
        page[8..10].copy_from_slice(&(at as u16).to_be_bytes());
        page[at..].copy_from_slice(&bytes);
        page
    }

    fn pointers(page: &[u8]) -> Pointers {
        match classify(2, page) {
            Class::Leaf(pointers) => pointers,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_cell_of_a_valid_leaf_is_found_by_its_pointer_and_by_a_scan() {
        let page = leaf();
        let pointers = pointers(&page);
        assert!(pointers.adds_up(&page));
        let offsets: Vec<_> = pointers.offsets(&page).collect();
        assert_eq!(offsets, [496]);
        assert!(is_row(&cell(&page, 496).unwrap()));
        let scanned: Vec<_> = scan(&page).collect();
        assert_eq!(scanned, [cell(&page, 496).unwrap()]);
    }

    #[test]
    fn a_leaf_with_a_damaged_count_pointer_or_free_block_does_not_add_up() {
        for (at, value) in [(2, 9), (4, 0), (4, 2), (6, 0xff), (7, 3), (9, 0)] {
            let mut page = leaf();
            page[at] ^= value;
            if value == 0 {
                page[at] = 0;
            }
            assert!(!pointers(&page).adds_up(&page), "byte {at}");
        }
    }

    #[test]
    fn a_leaf_with_the_type_byte_of_an_index_page_is_scanned() {
        for kind in [0x02, 0x05, 0x0a, 0x00] {
            let mut page = leaf();
            page[0] = kind;
            assert_eq!(classify(2, &page), Class::Unknown);
        }
        let mut index = vec![0; 512];
        index[0] = 0x0a;
        assert_eq!(classify(2, &index), Class::Other);
    }

    #[test]
    fn a_free_block_that_points_at_itself_ends_the_loop() {
        let mut page = leaf();
        page[1..3].copy_from_slice(&200u16.to_be_bytes());
        page[200..204].copy_from_slice(&[0, 200, 0, 4]);
        assert!(!pointers(&page).adds_up(&page));
    }
}
