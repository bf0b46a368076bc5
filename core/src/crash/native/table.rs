//! The file with the modules of a run, and the names of the frames of its crash.
//!
//! A crash has addresses only. The libraries of the next start are at other addresses, so their table is written while the
//! process lives.

use super::modules::{self, Module};
use crate::attributes::Value;
use crate::event::Frame;
use crate::event::decode::{Body, Raw, RawFrame};
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::id::IdKey;
use crate::sys::{file, place};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Name of the file inside the queue's folder.
const FILE: &str = "modules.json";

/// Its name until it is written.
const NEW_FILE: &str = "modules.new";

/// Longest file that is read: a thousand modules take a quarter.
const FILE_BYTES: u64 = 1024 * 1024;

/// The modules of a run.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Modules {
    /// Key of the run.
    run: String,
    modules: Vec<Module>,
}

/// A program that loads libraries in a loop, and a disk that stays full, cost one list in this time.
const LIST_INTERVAL: Duration = Duration::from_secs(10);

/// What the writer knows of its file.
#[derive(Default)]
pub(crate) struct ModuleFile {
    written: Option<(u64, u64)>,
    tried: Option<Instant>,
}

impl ModuleFile {
    /// Writes the modules of this run, unless the file has them.
    pub(crate) fn keep(&mut self, folder: &Path, key: IdKey) {
        let version = modules::version();
        if self.written == Some(version) || self.tried.is_some_and(|at| at.elapsed() < LIST_INTERVAL) {
            return;
        }
        self.tried = Some(Instant::now());
        let table = Modules { run: hex(key.to_bytes()), modules: modules::list() };
        match table.write(folder) {
            Ok(()) => self.written = Some(version),
            // It must not keep the blocks of a full disk.
            Err(_) => drop(std::fs::remove_file(folder.join(NEW_FILE))),
        }
    }
}

fn hex(key: [u8; 16]) -> String {
    uuid::Uuid::from_bytes(key).simple().to_string()
}

impl Modules {
    /// The modules of the run with this key; `None` if the file is that of another run, or cannot be read.
    pub(crate) fn of_run(folder: &Path, key: [u8; 16]) -> Option<Modules> {
        let mut bytes = Vec::new();
        file::open_to_read(&folder.join(FILE)).ok()?.take(FILE_BYTES).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice::<Modules>(&bytes).ok().filter(|table| table.run == hex(key))
    }

    /// A crash must find the old file or the new one, so it is renamed. After a power failure nobody needs it, so it is not synced.
    fn write(&self, folder: &Path) -> std::io::Result<()> {
        let (temporary, path) = (folder.join(NEW_FILE), folder.join(FILE));
        let mut file = file::open_private(&temporary)?;
        file.set_len(0)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        place::for_file(&path)?;
        std::fs::rename(&temporary, &path)
    }

    fn find(&self, address: u64) -> Option<&Module> {
        self.modules.iter().find(|module| address.checked_sub(module.from).is_some_and(|at| at < module.size))
    }

    /// Gives the frames of a crash their modules, and adds those modules. `buffer` holds what is added.
    pub(crate) fn name<'b>(&self, mut body: Body<'b>, buffer: &'b mut [u8]) -> Body<'b> {
        let raw = frames(&body);
        let mut used: Vec<&Module> = Vec::new();
        let last = raw.len().saturating_sub(1);
        let named = |(at, frame): (usize, &RawFrame<'b>)| {
            // A caller's address is that of the instruction behind its call, which may belong to another function.
            let module = self.find(if at == last { frame.address } else { frame.address.saturating_sub(1) });
            if let Some(module) = module.filter(|module| !used.contains(module)) {
                used.push(module);
            }
            Frame {
                function: frame.function,
                module: module.map_or(frame.module, |module| &module.name),
                file: frame.file,
                line: frame.line,
                column: frame.column,
                address: frame.address,
                in_app: frame.in_app || module.is_some_and(|module| module.app),
                language: frame.language,
            }
        };
        let named: Vec<Frame<'_>> = raw.iter().enumerate().map(named).collect();
        if used.is_empty() {
            return body;
        }
        let len = {
            let mut encoder = Encoder::new(buffer, body.wall_ms, body.mono_us);
            encoder.native_frames(&named);
            images(&mut encoder, &used);
            encoder.finish()
        };
        let buffer: &'b [u8] = buffer;
        let Some(added) = buffer.get(..len).and_then(Body::decode) else { return body };
        let replaced = [Field::Frames, Field::DebugImages];
        body.fields.retain(|(field, _)| !replaced.contains(field));
        body.fields.extend(added.fields.into_iter().filter(|(field, _)| replaced.contains(field)));
        body
    }
}

fn frames<'b>(body: &Body<'b>) -> Vec<RawFrame<'b>> {
    let Some(Raw::List(count, mut reader)) = body.get(Field::Frames) else { return Vec::new() };
    let frame = |raw| if let Raw::Frame(frame) = raw { Some(frame) } else { None };
    (0..count).map_while(|_| reader.value()).filter_map(frame).collect()
}

/// Adds the modules as images, in Sentry's words.
fn images(encoder: &mut Encoder<'_>, modules: &[&Module]) {
    let texts: Vec<[String; 2]> = modules
        .iter()
        .map(|module| [format!("{:#x}", module.from), modules::debug_id(&module.build_id).unwrap_or_default()])
        .collect();
    let members: Vec<[(&str, Value<'_>); 5]> = modules
        .iter()
        .zip(&texts)
        .map(|(module, [address, debug_id])| {
            [
                ("type", "elf".into()),
                ("image_addr", address.as_str().into()),
                ("image_size", module.size.into()),
                ("code_id", module.build_id.as_str().into()),
                ("debug_id", debug_id.as_str().into()),
            ]
        })
        .collect();
    let known = |module: &Module| if module.build_id.is_empty() { 3 } else { 5 };
    let entries: Vec<(&str, Value<'_>)> = modules
        .iter()
        .zip(&members)
        .map(|(module, members)| (module.name.as_str(), Value::Map(members.get(..known(module)).unwrap_or_default())))
        .collect();
    encoder.map_field(Field::DebugImages, &entries);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::RECORD_BYTES;

    const KEY: [u8; 16] = [7; 16];

    fn table() -> Modules {
        let module = |name: &str, from, app, build_id: &str| Module {
            name: name.into(),
            from,
            size: 0x1000,
            build_id: build_id.into(),
            app,
        };
        Modules {
            run: hex(KEY),
            modules: vec![
                module("libshop.so", 0x1000, true, "abcdef0123456789"),
                module("libc.so.6", 0x9000, false, ""),
            ],
        }
    }

    fn body(buffer: &mut [u8], addresses: &[u64]) -> usize {
        let mut encoder = Encoder::new(buffer, 5, 6);
        encoder.text_field(Field::Type, "SIGSEGV");
        encoder.addresses(addresses.iter().copied());
        encoder.finish()
    }

    #[test]
    fn frames_get_the_module_that_they_are_in_and_those_modules_are_listed() {
        let (mut first, mut second) = ([0; 4096], vec![0; RECORD_BYTES]);
        // The end of a module is the place to which its last call returns, and no instruction of it.
        let len = body(&mut first, &[0x2000, 0x1800, 0x5000, 0x2000]);
        let named = table().name(Body::decode(&first[..len]).unwrap(), &mut second);
        let modules: Vec<_> = frames(&named).iter().map(|frame| (frame.module, frame.in_app, frame.address)).collect();
        let shop = |address| ("libshop.so", true, address);
        assert_eq!(modules, [shop(0x2000), shop(0x1800), ("", false, 0x5000), ("", false, 0x2000)]);
        let Some(Raw::Map(1, mut images)) = named.get(Field::DebugImages) else { panic!("{named:?}") };
        let (name, Raw::Map(5, _)) = images.entry().unwrap() else { panic!("{named:?}") };
        assert_eq!((name, named.str(Field::Type), named.time()), ("libshop.so", Some("SIGSEGV"), (5, 6)));
    }

    #[test]
    fn a_crash_outside_of_all_modules_stays_as_it_is() {
        let (mut first, mut second) = ([0; 4096], vec![0; RECORD_BYTES]);
        let len = body(&mut first, &[0x10, 0xffff_ffff_ffff_ffff]);
        let before = Body::decode(&first[..len]).unwrap();
        let named = table().name(Body::decode(&first[..len]).unwrap(), &mut second);
        assert_eq!(named.fields, before.fields);
    }

    #[test]
    fn the_table_of_another_run_and_a_damaged_one_name_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Modules::of_run(folder.path(), KEY), None);
        table().write(folder.path()).unwrap();
        assert_eq!(Modules::of_run(folder.path(), KEY), Some(table()));
        assert_eq!(Modules::of_run(folder.path(), [8; 16]), None);
        let path = folder.path().join(FILE);
        let whole = std::fs::read(&path).unwrap();
        for len in 0..whole.len() {
            std::fs::write(&path, &whole[..len]).unwrap();
            assert_eq!(Modules::of_run(folder.path(), KEY), None);
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_eq!(Modules::of_run(folder.path(), KEY), None);
        table().write(folder.path()).unwrap();
        assert_eq!(Modules::of_run(folder.path(), KEY), Some(table()));
    }

    #[test]
    fn the_file_is_written_once_for_a_list_and_only_this_user_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = ModuleFile::default();
        kept.keep(folder.path(), IdKey::from_bytes(KEY));
        let path = folder.path().join(FILE);
        assert!(Modules::of_run(folder.path(), KEY).is_some_and(|table| table.modules.len() > 1));
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_file(&path).unwrap();
        kept.keep(folder.path(), IdKey::from_bytes(KEY));
        assert!(!path.exists());
    }
}
