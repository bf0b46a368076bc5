//! The libraries of this process, with what a symbol server knows them by.

// Addresses have 32 bits on some processors.
#![allow(clippy::unnecessary_cast)]

use std::ffi::CStr;
use std::ops::ControlFlow;

/// A program or library in memory.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Module {
    /// Name of its file, without the folder: that can name a person.
    pub(super) name: String,
    /// Its first address.
    pub(super) from: u64,
    /// Bytes from its first to its last address.
    pub(super) size: u64,
    /// Its build id in hexadecimal digits; empty if it has none.
    pub(super) build_id: String,
    /// It belongs to the app and not to the system.
    pub(super) app: bool,
}

/// Folders of the system on Android and Linux.
const SYSTEM: [&str; 12] = [
    "/system/",
    "/system_ext/",
    "/apex/",
    "/vendor/",
    "/product/",
    "/odm/",
    "/lib/",
    "/lib64/",
    "/usr/",
    "/nix/store/",
    "linux-vdso",
    "[vdso]",
];

/// The flag of a segment that can be read.
const READABLE: u32 = 4;

/// Most modules that are kept: an app has about 250.
const MOST: usize = 1_000;

/// How often the list has changed. Equal numbers mean equal lists.
pub(super) fn version() -> (u64, u64) {
    let mut version = (0, 0);
    each(|info, size| {
        if size >= std::mem::offset_of!(libc::dl_phdr_info, dlpi_subs) + size_of_val(&info.dlpi_subs) {
            version = (info.dlpi_adds, info.dlpi_subs);
            return ControlFlow::Break(());
        }
        // Android 10 and older: their number says almost as much.
        version.0 += 1;
        ControlFlow::Continue(())
    });
    version
}

/// All modules.
pub(super) fn list() -> Vec<Module> {
    let mut all = Vec::new();
    each(|info, _| {
        all.extend(module(info));
        if all.len() < MOST { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    all
}

fn each(mut call: impl FnMut(&libc::dl_phdr_info, usize) -> ControlFlow<()>) {
    unsafe extern "C" fn one<F: FnMut(&libc::dl_phdr_info, usize) -> ControlFlow<()>>(
        info: *mut libc::dl_phdr_info,
        size: libc::size_t,
        call: *mut libc::c_void,
    ) -> libc::c_int {
        // SAFETY: `call` is the closure below, and the loader passes a valid structure.
        let (call, info) = unsafe { (&mut *call.cast::<F>(), &*info) };
        libc::c_int::from(call(info, size).is_break())
    }
    fn with<F: FnMut(&libc::dl_phdr_info, usize) -> ControlFlow<()>>(call: &mut F) {
        // SAFETY: the closure outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(one::<F>), std::ptr::from_mut(call).cast()) };
    }
    with(&mut call);
}

fn module(info: &libc::dl_phdr_info) -> Option<Module> {
    // SAFETY: the loader's own table of the module.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let loaded = || headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    let base = info.dlpi_addr as u64;
    let from = loaded().map(|header| header.p_vaddr as u64).min()? & !0xfff;
    let to = loaded().map(|header| (header.p_vaddr as u64).saturating_add(header.p_memsz as u64)).max()?;
    // SAFETY: the name is a C string, or null.
    let path = (!info.dlpi_name.is_null()).then(|| unsafe { CStr::from_ptr(info.dlpi_name) }.to_string_lossy());
    let path = path.filter(|path| !path.is_empty()).map_or_else(own_path, |path| path.into_owned());
    let readable = |from: u64, len: u64| {
        loaded().any(|header| {
            let start = header.p_vaddr as u64;
            header.p_flags & READABLE != 0
                && from >= start
                && from.saturating_add(len) <= start.saturating_add(header.p_memsz as u64)
        })
    };
    let build_id = headers.iter().filter(|header| header.p_type == libc::PT_NOTE).find_map(|header| {
        let (at, len) = (header.p_vaddr as u64, header.p_memsz as u64);
        let start = usize::try_from(base.wrapping_add(at)).ok().filter(|_| readable(at, len))?;
        // SAFETY: the segment is loaded and readable, and stays so while the loader holds its lock.
        let notes = unsafe { std::slice::from_raw_parts(start as *const u8, usize::try_from(len).ok()?) };
        build_id(notes, if header.p_align == 8 { 8 } else { 4 })
    });
    Some(Module {
        name: path.rsplit('/').next().unwrap_or_default().to_owned(),
        from: base.wrapping_add(from),
        size: to - from,
        build_id: build_id.unwrap_or_default(),
        app: !SYSTEM.iter().any(|folder| path.starts_with(folder)),
    })
}

/// The program itself has no name in the list.
fn own_path() -> String {
    std::env::current_exe().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The build id among the notes of a module.
fn build_id(mut notes: &[u8], align: usize) -> Option<String> {
    const GNU_BUILD_ID: u32 = 3;
    loop {
        let (head, rest) = notes.split_at_checked(12)?;
        let word = |at: usize| head.get(at..at + 4)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
        let (name_len, len, kind) = (word(0)? as usize, word(4)? as usize, word(8)?);
        let name = rest.get(..name_len)?;
        let content = rest.get(name_len.next_multiple_of(align)..)?;
        if kind == GNU_BUILD_ID && name == b"GNU\0" {
            let id = content.get(..len).filter(|id| (1..=64).contains(&id.len()))?;
            return Some(id.iter().map(|byte| format!("{byte:02x}")).collect());
        }
        notes = content.get(len.next_multiple_of(align)..)?;
    }
}

/// The build id in the form of Sentry's debug ids: its first 16 bytes as a GUID, whose first three numbers are little-endian.
pub(super) fn debug_id(build_id: &str) -> Option<String> {
    let mut bytes = [0u8; 16];
    let digits = build_id.as_bytes().chunks_exact(2);
    if digits.len() == 0 {
        return None;
    }
    for (place, pair) in bytes.iter_mut().zip(digits) {
        *place = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(uuid::Uuid::from_bytes_le(bytes).hyphenated().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_and_its_libraries_are_listed_with_their_addresses_and_without_folders() {
        let all = list();
        let here =
            the_program_and_its_libraries_are_listed_with_their_addresses_and_without_folders as *const () as u64;
        let own = all.iter().find(|module| (module.from..module.from + module.size).contains(&here)).unwrap();
        assert!(own.app && own.build_id.len() >= 16, "{own:?}");
        assert!(own_path().ends_with(&own.name));
        let libc = all.iter().find(|module| module.name.starts_with("libc.so")).unwrap();
        let malloc = libc::malloc as *const () as u64;
        assert!(!libc.app && (libc.from..libc.from + libc.size).contains(&malloc), "{libc:?}");
        assert!(all.iter().all(|module| !module.name.contains('/')));
        assert_eq!(version(), version());
    }

    #[test]
    fn a_build_id_is_found_among_notes_and_damaged_notes_have_none() {
        let note = |name: &[u8], kind: u32, content: &[u8]| {
            let mut note = Vec::new();
            for word in [name.len() as u32, content.len() as u32, kind] {
                note.extend(word.to_ne_bytes());
            }
            for part in [name, content] {
                note.extend(part);
                note.resize(note.len().next_multiple_of(4), 0);
            }
            note
        };
        let id = note(b"GNU\0", 3, &[0xab, 0xcd, 1, 2, 3]);
        let both = [note(b"Android\0", 1, &[9; 6]), id.clone()].concat();
        assert_eq!(build_id(&id, 4).as_deref(), Some("abcd010203"));
        assert_eq!(build_id(&both, 4).as_deref(), Some("abcd010203"));
        for cut in 0..both.len() - 4 {
            assert_eq!(build_id(&both[..cut], 4), None);
        }
        assert_eq!(build_id(&note(b"GNU\0", 3, &[]), 4), None);
        assert_eq!(build_id(&[0xff; 64], 4), None);
    }

    #[test]
    fn a_debug_id_is_the_guid_of_the_first_16_bytes() {
        let debug = debug_id("000102030405060708090a0b0c0d0e0f10111213");
        assert_eq!(debug.as_deref(), Some("03020100-0504-0706-0809-0a0b0c0d0e0f"));
        assert_eq!(debug_id("ff").as_deref(), Some("000000ff-0000-0000-0000-000000000000"));
        assert_eq!((debug_id(""), debug_id("zz"), debug_id("é")), (None, None, None));
    }
}
