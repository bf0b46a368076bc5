//! ELF files: build id, functions, DWARF.

use super::found::Program;
use super::guard::guarded;
use super::limited::Limited;
use super::named::{Named, known, place};
use addr2line::Context;
use gimli::{self, EndianRcSlice, RunTimeEndian};
use object::{
    CompressionFormat, Object, ObjectKind, ObjectSection, ObjectSegment, ObjectSymbol, ReadCache, SymbolKind,
};
use std::borrow::Cow;
use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

/// What is read of the tables of a file.
const TABLE_BYTES: u64 = 1 << 30;

/// What is read of all debug sections of a file: the largest browser has 2 GiB.
const DEBUG_BYTES: u64 = 3 << 30;

/// Frames that one address stands for; a compiler inlines less deep.
const INLINED: usize = 200;

/// Where pages begin.
const PAGE: u64 = 0xfff;

type Slice = EndianRcSlice<RunTimeEndian>;

/// A file that is open.
pub(super) struct Open {
    /// Address of its first page, as the file has it.
    base: u64,
    dwarf: Option<Context<Slice>>,
    /// Address, size and name of each function, sorted.
    functions: Vec<(u64, u64, String)>,
}

/// Reads the tables of a file. `None`: it is no program or library with a build id.
pub(super) fn head(path: &Path) -> Option<Program> {
    guarded(|| Ok(program(path))).ok().flatten()
}

fn program(path: &Path) -> Option<Program> {
    let (cache, left) = (ReadCache::new(File::open(path).ok()?), Cell::new(TABLE_BYTES));
    let file = object::File::parse(Limited { cache: &cache, left: &left }).ok()?;
    // Objects of a compiler have no addresses yet.
    if !matches!(file.kind(), ObjectKind::Executable | ObjectKind::Dynamic) {
        return None;
    }
    let build_id = file.build_id().ok().flatten().filter(|id| (1..=64).contains(&id.len()))?;
    let has = |name: &str| file.section_by_name(name).is_some();
    Some(Program {
        path: path.to_owned(),
        build_id: build_id.iter().map(|byte| format!("{byte:02x}")).collect(),
        has_lines: has(".debug_info") || has(".zdebug_info"),
    })
}

impl Open {
    pub(super) fn read(head: &Program) -> Result<Open, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{} cannot be read: {error}", head.path.display());
        let cache = ReadCache::new(File::open(&head.path).map_err(|error| failed(&error))?);
        let tables = Cell::new(TABLE_BYTES);
        let file = object::File::parse(Limited { cache: &cache, left: &tables }).map_err(|error| failed(&error))?;
        let base = file.segments().map(|segment| segment.address()).min().unwrap_or_default() & !PAGE;
        let mut dwarf = None;
        if head.has_lines {
            let mut bytes = File::open(&head.path).map_err(|error| failed(&error))?;
            let mut left = DEBUG_BYTES;
            let load = |id: gimli::SectionId| section(&file, &mut bytes, &mut left, id.name());
            let sections = gimli::Dwarf::load(load).map_err(|error| failed(&error))?;
            dwarf = Some(Context::from_dwarf(sections).map_err(|error| failed(&error))?);
        }
        Ok(Open { base, dwarf, functions: functions(&file) })
    }

    /// The functions at an address behind the start of the file in memory, innermost first. Empty: the file does not know it.
    pub(super) fn at(&self, offset: u64) -> Vec<Named> {
        let Some(address) = self.base.checked_add(offset) else { return Vec::new() };
        let mut all = self.lines(address).unwrap_or_default();
        let last = all.len().saturating_sub(1);
        for (place, named) in all.iter_mut().enumerate() {
            named.is_inlined = place < last;
        }
        let Some(function) = self.function(address) else { return all };
        match all.last_mut().and_then(|named| named.members.iter_mut().find(|(name, _)| *name == "function")) {
            // Without full debug information the compiler's name has no path, and the linker's has.
            Some((_, name)) => {
                if name.as_str().is_none_or(|name| function.ends_with(name)) {
                    *name = function.into();
                }
            }
            None => all.push(Named { members: vec![("function", function.into())], ..Named::default() }),
        }
        all
    }

    fn lines(&self, address: u64) -> Option<Vec<Named>> {
        let mut frames = self.dwarf.as_ref()?.find_frames(address).skip_all_loads().ok()?;
        let mut all = Vec::new();
        while let Ok(Some(frame)) = frames.next() {
            if all.len() == INLINED {
                break;
            }
            let location = frame.location.as_ref();
            let function = frame.function.as_ref().and_then(|function| function.demangle().ok());
            let members = vec![
                ("function", known(function)),
                ("file", known(location.and_then(|location| location.file))),
                ("line", place(location.and_then(|location| location.line).map(u64::from))),
                ("column", place(location.and_then(|location| location.column).map(u64::from))),
            ];
            if members.iter().any(|(_, value)| !value.is_null()) {
                all.push(Named { members, ..Named::default() });
            }
        }
        Some(all)
    }

    /// The function in the linker's table.
    fn function(&self, address: u64) -> Option<String> {
        let place = self.functions.partition_point(|(from, _, _)| *from <= address).checked_sub(1)?;
        let (from, size, name) = self.functions.get(place)?;
        // Functions of hand-written assembly have no size.
        let is_inside = *size == 0 || address - from < *size;
        is_inside.then(|| readable(name))
    }
}

/// The name of a function as its language writes it.
fn readable(name: &str) -> String {
    addr2line::demangle_auto(Cow::Borrowed(name), None).into_owned()
}

/// The linker's table of functions.
fn functions<'d>(file: &object::File<'d, Limited<'d>>) -> Vec<(u64, u64, String)> {
    let all = file.symbols().chain(file.dynamic_symbols());
    let functions = all.filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition());
    let named = functions.filter_map(|symbol| Some((symbol.address(), symbol.size(), symbol.name().ok()?.to_owned())));
    let mut functions: Vec<(u64, u64, String)> = named.filter(|(_, _, name)| !name.is_empty()).collect();
    functions.sort();
    functions.dedup_by_key(|(address, _, _)| *address);
    functions
}

/// The bytes of a section; none if the file does not have it.
fn section<'d>(
    file: &object::File<'d, Limited<'d>>,
    bytes: &mut File,
    left: &mut u64,
    name: &str,
) -> Result<Slice, String> {
    let endian = if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
    let content = match file.section_by_name(name) {
        Some(section) => {
            let range = section.compressed_file_range().map_err(|error| format!("{name}: {error}"))?;
            let size = range.uncompressed_size.max(range.compressed_size);
            *left =
                left.checked_sub(size).ok_or_else(|| format!("{name}: its debug sections are longer than 3 GiB"))?;
            let stored =
                stored(bytes, range.offset, range.compressed_size).map_err(|error| format!("{name}: {error}"))?;
            match range.format {
                CompressionFormat::None => stored,
                CompressionFormat::Zlib => inflated(&stored, range.uncompressed_size)
                    .map_err(|error| format!("{name} cannot be decompressed: {error}"))?,
                _ => {
                    return Err(format!(
                        "{name} is compressed, but not with zlib; `objcopy --decompress-debug-sections` helps"
                    ));
                }
            }
        }
        None => Vec::new(),
    };
    Ok(Slice::new(Rc::from(content), endian))
}

fn stored(file: &mut File, offset: u64, size: u64) -> std::io::Result<Vec<u8>> {
    let end = offset.checked_add(size).filter(|end| file.metadata().is_ok_and(|about| *end <= about.len()));
    if end.is_none() {
        return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the file is cut"));
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn inflated(stored: &[u8], size: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(stored).take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}
