//! The frames of the thread that crashed, by its chain of frame pointers.
//!
//! Each frame is read by a system call, which fails where a load would crash. Code that was compiled without frame pointers ends
//! the walk or is left out of it; nothing of the stack but the addresses is kept.

use super::registers::Registers;
use crate::limits::NATIVE_FRAMES;

/// Bytes between two frames above which the chain is not one.
const FRAME_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Bits of an address. The rest of a return address can be a signature of the processor.
const ADDRESS: u64 = if cfg!(target_arch = "aarch64") { (1 << 48) - 1 } else { u64::MAX };

/// Writes the addresses, innermost first, and returns their number.
pub(super) fn walk(from: Registers, into: &mut [u64; NATIVE_FRAMES]) -> usize {
    let mut list = List { into, len: 0 };
    list.push(from.pc);
    let record = read(from.fp);
    match (from.link & ADDRESS, record) {
        // A call of a function that does not exist has left nothing but the address it returns to.
        (0, _) => {
            let was_call = cfg!(target_arch = "x86_64") && read(from.pc).is_none();
            read(from.sp).filter(|_| was_call).into_iter().for_each(|[caller, _]| list.push(caller));
        }
        // A function without a frame of its own: the frame is that of its caller.
        (link, Some([_, caller])) if caller & ADDRESS != link => list.push(link),
        (link, None) => list.push(link),
        _ => {}
    }
    let (mut fp, mut record) = (from.fp, record.filter(|_| from.fp >= from.sp));
    while let Some([next, caller]) = record {
        if caller == 0 || !list.has_room() {
            break;
        }
        list.push(caller & ADDRESS);
        let grows = next > fp && next - fp <= FRAME_BYTES_MAX;
        fp = next;
        record = if grows { read(next) } else { None };
    }
    list.len
}

struct List<'a> {
    into: &'a mut [u64; NATIVE_FRAMES],
    len: usize,
}

impl List<'_> {
    fn push(&mut self, address: u64) {
        if address != 0
            && let Some(place) = self.into.get_mut(self.len)
        {
            *place = address;
            self.len += 1;
        }
    }

    fn has_room(&self) -> bool {
        self.len < NATIVE_FRAMES
    }
}

/// The two words at an address; `None` if it is not aligned or nothing can be read there.
fn read(address: u64) -> Option<[u64; 2]> {
    let mut words = [0u64; 2];
    let bytes = size_of_val(&words);
    let aligned = address != 0 && address.is_multiple_of(if cfg!(target_arch = "aarch64") { 8 } else { 1 });
    let from = usize::try_from(address).ok().filter(|_| aligned)?;
    let local = libc::iovec { iov_base: words.as_mut_ptr().cast(), iov_len: bytes };
    let remote = libc::iovec { iov_base: from as *mut libc::c_void, iov_len: bytes };
    // SAFETY: the kernel writes into `words` only, and checks the other address itself.
    let got = unsafe { libc::process_vm_readv(libc::getpid(), &raw const local, 1, &raw const remote, 1, 0) };
    (usize::try_from(got) == Ok(bytes)).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(registers: Registers) -> Vec<u64> {
        let mut into = [0; NATIVE_FRAMES];
        let len = walk(registers, &mut into);
        into[..len].to_vec()
    }

    fn at(words: &[u64], index: usize) -> u64 {
        &raw const words[index] as u64
    }

    #[test]
    fn the_walk_follows_the_frames_and_ends_where_they_do_not_grow() {
        // Three frames, the last of which points back at the first.
        let mut stack = [0u64; 12];
        let pc = at(&[7u64, 8], 0);
        (stack[2], stack[3]) = (at(&stack, 6), 0x1111);
        (stack[6], stack[7]) = (at(&stack, 10), 0x2222);
        (stack[10], stack[11]) = (at(&stack, 2), 0x3333);
        let registers = Registers { pc, sp: at(&stack, 0), fp: at(&stack, 2), link: 0 };
        assert_eq!(walked(registers), [pc, 0x1111, 0x2222, 0x3333]);
        assert_eq!(walked(Registers { link: 0x4444, ..registers }), [pc, 0x4444, 0x1111, 0x2222, 0x3333]);
        assert_eq!(walked(Registers { link: 0x1111, ..registers }), [pc, 0x1111, 0x2222, 0x3333]);
        // A frame pointer below the stack is not one.
        assert_eq!(walked(Registers { sp: at(&stack, 6), ..registers }), [pc]);
    }

    #[test]
    fn an_address_that_cannot_be_read_ends_the_walk_and_not_the_process() {
        for fp in [0, 8, 4096, u64::MAX, u64::MAX - 7, 0x7fff_ffff_fff8] {
            let pc = at(&[7u64, 8], 0);
            assert_eq!(walked(Registers { pc, sp: 0, fp, link: 0 }), [pc]);
        }
        assert_eq!(walked(Registers::default()), [0; 0]);
    }

    #[test]
    fn a_loop_of_frames_ends_at_the_limit() {
        let mut stack = vec![0u64; 400];
        for frame in 0..199 {
            (stack[frame * 2], stack[frame * 2 + 1]) = (at(&stack, frame * 2 + 2), 0x5555);
        }
        let sp = at(&stack, 0);
        assert_eq!(walked(Registers { pc: sp, sp, fp: sp, link: 0 }).len(), NATIVE_FRAMES);
    }
}
