//! Files that a compiler wrote, and files that nobody should have written.

use super::named::number;
use super::*;
use serde_json::json;
use std::path::Path;

fn symbols(paths: &[&Path]) -> Symbols {
    Symbols::open(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>()).unwrap()
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path
}

fn functions(event: &Value) -> Vec<&str> {
    event["frames"].as_array().unwrap().iter().map(|frame| text(frame, "function")).collect()
}

#[cfg(target_os = "linux")]
mod native {
    use super::*;

    /// An address inside this function, which is inlined.
    #[inline(always)]
    fn inlined_place() -> u64 {
        let place: u64;
        // SAFETY: reads the program counter.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            // The counter is behind this instruction of 7 bytes.
            std::arch::asm!("lea {}, [rip - 7]", out(reg) place);
        }
        // SAFETY: reads the program counter.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            std::arch::asm!("adr {}, .", out(reg) place);
        }
        place
    }

    #[inline(never)]
    fn caller_of_an_inlined_function() -> u64 {
        inlined_place()
    }

    /// First address and length of this program in memory.
    fn image() -> (u64, u64) {
        let own = std::env::current_exe().unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let of_own = maps.lines().filter(|line| line.ends_with(own.to_str().unwrap()));
        let ranges: Vec<(u64, u64)> = of_own
            .map(|line| {
                let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
                (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap())
            })
            .collect();
        let from = ranges.iter().map(|range| range.0).min().unwrap();
        (from, ranges.iter().map(|range| range.1).max().unwrap() - from)
    }

    fn crash(address: u64, build_id: &str) -> Value {
        let (from, size) = image();
        json!({
            "type": "SIGSEGV", "mechanism": "signal", "language": "native",
            "frames": [{"address": address, "module": "app", "in_app": true}],
            "debug_images": {"app": {"type": "elf", "image_addr": format!("{from:#x}"), "image_size": size, "code_id": build_id}},
        })
    }

    fn build_id(program: &Path) -> String {
        elf::head(program).unwrap().build_id
    }

    #[test]
    fn an_address_has_its_function_and_line_and_the_calls_that_were_inlined_there() {
        let own = std::env::current_exe().unwrap();
        let mut event = crash(caller_of_an_inlined_function(), &build_id(&own));
        let outcome = symbols(&[&own]).name(&mut event);
        assert_eq!((outcome.named, outcome.unnamed), (1, 0), "{outcome:?}");
        let named = functions(&event);
        assert!(named.iter().any(|name| name.ends_with("native::caller_of_an_inlined_function")), "{named:?}");
        // A build without debug information has the function of the linker's table only.
        if elf::head(&own).unwrap().has_lines {
            let frames = event["frames"].as_array().unwrap();
            let (caller, inlined) = (&frames[0], &frames[1]);
            assert!(text(inlined, "function").ends_with("inlined_place"), "{event:#}");
            assert_eq!((&inlined["inlined"], &caller["inlined"]), (&json!(true), &Value::Null));
            assert!(frames.iter().all(|frame| text(frame, "file").ends_with("symbols/tests.rs")));
            assert!(frames.iter().all(|frame| number(frame, "line") > 0 && frame["module"] == "app"));
        }
    }

    #[test]
    fn the_address_behind_a_call_is_looked_up_at_the_call() {
        let own = std::env::current_exe().unwrap();
        let first = caller_of_an_inlined_function as *const () as u64;
        let at = |mechanism: &str| {
            let mut event = crash(first, &build_id(&own));
            event["mechanism"] = mechanism.into();
            symbols(&[&own]).name(&mut event);
            functions(&event)[0].to_owned()
        };
        assert!(at("signal").ends_with("caller_of_an_inlined_function"));
        assert!(!at("generic").ends_with("caller_of_an_inlined_function"));
    }

    #[test]
    fn a_file_of_another_build_is_refused_and_both_ids_are_told() {
        let own = std::env::current_exe().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("app");
        std::fs::copy(&own, &copy).unwrap();
        let wanted = "00".repeat(20);
        let mut event = crash(caller_of_an_inlined_function(), &wanted);
        let before = event.clone();
        let outcome = symbols(&[folder.path()]).name(&mut event);
        let (path, other) = (copy.display(), build_id(&own));
        let why = format!("{path} has build id {other}; the event needs build id {wanted} of `app`");
        assert_eq!((outcome.unnamed, outcome.problems), (1, vec![why]));
        assert_eq!(event, before);
        let outcome = symbols(&[]).name(&mut event);
        assert_eq!(outcome.problems, [format!("no file with build id {wanted} (`app`) is among the debug files")]);
    }

    #[test]
    fn a_damaged_program_names_nothing_and_ends_nothing() {
        let own = std::env::current_exe().unwrap();
        let whole = std::fs::read(&own).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let id = build_id(&own);
        let address = caller_of_an_inlined_function();
        let mut random = 7_u64;
        for round in 0..15 {
            let mut bytes = whole.clone();
            match round % 3 {
                0 => bytes.truncate(whole.len() / 15 * round),
                1 => (0..40).for_each(|at| bytes[at * 97 % 4096] ^= round as u8 | 1),
                _ => {
                    for _ in 0..2_000 {
                        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        let at = (random >> 16) as usize % bytes.len();
                        bytes[at] = (random >> 8) as u8;
                    }
                }
            }
            let path = write(folder.path(), "app", &bytes);
            let mut event = crash(address, &id);
            let _ = symbols(&[&path]).name(&mut event);
            // Whatever the file says, the event keeps its frames.
            assert!(!event["frames"].as_array().unwrap().is_empty());
        }
    }
}

#[test]
fn addresses_without_the_libraries_of_the_event_are_told_once() {
    let frame = |module: &str, address: u64| json!({"address": address, "module": module, "in_app": true});
    let mut event = json!({"frames": [frame("App", 4096), frame("App", 8192), frame("", 1)], "debug_images": {"App": {"type": "elf"}}});
    let outcome = symbols(&[]).name(&mut event);
    let why = ["the event does not say in which library its addresses are", "the event has no build id of `App`"];
    assert_eq!((outcome.unnamed, &outcome.problems[..]), (3, &why.map(str::to_owned)[..]));
}

#[test]
fn a_file_that_names_nothing_is_told_and_a_path_that_does_not_exist_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let zeros = write(folder.path(), "zeros", "");
    std::fs::File::options().write(true).open(&zeros).unwrap().set_len(1 << 30).unwrap();
    let zip = write(folder.path(), "debug.zip", b"PK\x03\x04zip");
    let elf = write(folder.path(), "cut.so", b"\x7fELF\x02\x01\x01");
    for path in [&zeros, &zip, &elf] {
        let notes = symbols(&[path]).notes().to_vec();
        let path = path.display();
        assert_eq!(notes, [format!("{path} is no ELF file with a build id, no mapping of R8 and no source map")]);
    }
    assert!(symbols(&[folder.path()]).notes().is_empty());
    let missing = folder.path().join("missing");
    let error = Symbols::open(&[missing]).err().unwrap().to_string();
    assert!(
        error.contains("missing: No such file") && error.ends_with("--debug-files takes files and folders"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn folders_in_a_circle_and_pipes_are_passed_by() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a/map.txt", MAPPING);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("a/circle")).unwrap();
    std::process::Command::new("mkfifo").arg(folder.path().join("a/pipe.map")).status().unwrap();
    assert_eq!(symbols(&[folder.path()]).found.mappings.len(), 1);
}

const MAPPING: &str = r#"# compiler: R8
# pg_map_id: abc1234
# pg_map_hash: SHA-256 abc1234def
shop.Cart -> a.b:
# {"id":"sourceFile","fileName":"Cart.kt"}
    1:1:void add(int):31:31 -> a
    1:1:void pay():40 -> a
    2:9:void pay():41:48 -> a
    void first() -> c
    void second(int) -> c
    4:4:void made():4:4 -> d
      # {"id":"com.android.tools.r8.synthesized"}
    4:4:void real():50:50 -> d
shop.CardError -> a.c:
"#;

fn java(file: &str, frames: &[(&str, &str, u32)]) -> Value {
    let frame = |(class, method, line): &(&str, &str, u32)| json!({"module": class, "function": method, "file": file, "line": line, "in_app": true});
    json!({
        "type": "a.c", "language": "java", "frames": frames.iter().map(frame).collect::<Vec<_>>(),
        "causes": [{"type": "a.c", "frames": [frame(&("a.b", "a", 5))]}, {"type": "java.io.IOException", "frames": []}],
    })
}

#[test]
fn frames_of_java_get_class_method_and_line_by_the_mapping_with_their_id() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "build/outputs/mapping.txt", MAPPING);
    let lines = [("a.b", "a", 5), ("kept.Main", "main", 3), ("a.b", "d", 4), ("a.b", "a", 1)];
    let mut event = java("r8-map-id-abc1234def", &lines);
    let outcome = symbols(&[folder.path()]).name(&mut event);
    assert_eq!((outcome.unnamed, &outcome.problems[..]), (0, &[][..]));
    let frame = |place: usize| {
        let frame = &event["frames"][place];
        (text(frame, "module"), text(frame, "function"), text(frame, "file"), number(frame, "line"))
    };
    assert_eq!(frame(0), ("shop.Cart", "pay", "Cart.kt", 44));
    assert_eq!(frame(1), ("kept.Main", "main", "r8-map-id-abc1234def", 3));
    assert_eq!(frame(2), ("shop.Cart", "real", "Cart.kt", 50));
    assert_eq!(frame(3), ("shop.Cart", "pay", "Cart.kt", 40));
    assert_eq!(frame(4), ("shop.Cart", "add", "Cart.kt", 31));
    assert_eq!(event["frames"][4]["inlined"], true);
    assert_eq!(
        event["frames"][0]["was"],
        json!({"module": "a.b", "function": "a", "file": "r8-map-id-abc1234def", "line": 5})
    );
    assert_eq!((&event["type"], &event["was"]["type"]), (&json!("shop.CardError"), &json!("a.c")));
    assert_eq!(
        (&event["causes"][0]["type"], &event["causes"][1]["type"]),
        (&json!("shop.CardError"), &json!("java.io.IOException"))
    );
    assert_eq!(event["causes"][0]["frames"][0]["line"], 44);
}

#[test]
fn a_frame_that_fits_several_methods_is_told_with_all_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let map = write(folder.path(), "map.txt", MAPPING);
    for line in [0, 7] {
        let mut event = java("r8-map-id-abc1234def", &[("a.b", "c", line)]);
        let outcome = symbols(&[&map]).name(&mut event);
        assert_eq!(functions(&event), ["first"]);
        assert_eq!(event["frames"][0]["ambiguous"], json!(["shop.Cart.second"]));
        assert!(outcome.problems[0].starts_with("a frame fits several methods"), "{outcome:?}");
    }
}

#[test]
fn a_mapping_with_another_id_is_refused_and_one_without_is_not_verified() {
    let folder = tempfile::tempdir().unwrap();
    let map = write(folder.path(), "map.txt", MAPPING);
    let mut event = java("r8-map-id-0077", &[("a.b", "a", 1)]);
    let outcome = symbols(&[&map]).name(&mut event);
    let path = map.display();
    assert_eq!(outcome.problems, [format!("{path} has mapping id abc1234; the event needs mapping id 0077")]);
    assert_eq!((outcome.unnamed, functions(&event)[0], text(&event, "type")), (2, "a", "a.c"));
    let outcome = symbols(&[]).name(&mut event);
    assert_eq!(outcome.problems, ["no mapping with id 0077 is among the debug files"]);

    let mut event = java("SourceFile", &[("a.b", "a", 1)]);
    let outcome = symbols(&[&map]).name(&mut event);
    assert_eq!(functions(&event), ["pay", "add"]);
    assert!(outcome.problems[0].ends_with("is not verified"), "{outcome:?}");
}

#[test]
fn frames_of_a_library_with_a_mapping_of_its_own_are_looked_up_there_only() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "app/mapping.txt", MAPPING);
    let mut event = java("r8-map-id-abc1234def", &[("a.b", "a", 1), ("a.b", "a", 5)]);
    event["frames"][1]["file"] = "r8-map-id-11b".into();
    let outcome = symbols(&[folder.path()]).name(&mut event.clone());
    assert_eq!((outcome.unnamed, outcome.problems.len()), (1, 1), "{outcome:?}");
    assert!(outcome.problems[0].ends_with("the event needs mapping id 11b"), "{outcome:?}");
    write(folder.path(), "library/map.txt", "# pg_map_id: 11b\nlib.Api -> a.b:\n    5:5:void call():77:77 -> a\n");
    let outcome = symbols(&[folder.path()]).name(&mut event);
    assert_eq!((outcome.unnamed, functions(&event)), (0, vec!["pay", "add", "call"]), "{event:#}");
}

#[test]
fn a_mapping_whose_id_the_app_chose_is_known_by_the_name_of_its_file_or_folder() {
    let folder = tempfile::tempdir().unwrap();
    let id = "85314830-023f-4cf1-a267-535f4e37bb17";
    let of = |name: &str| write(folder.path(), name, MAPPING);
    let images = json!({"debug_images": {"mapping": {"type": "proguard", "uuid": id.to_uppercase()}}});
    for (file, is_taken) in
        [(of(&format!("{id}.txt")), true), (of(&format!("{id}/mapping.txt")), true), (of("x.txt"), false)]
    {
        let mut event = java("SourceFile", &[("a.b", "a", 1)]);
        event["contexts"] = images.clone();
        let outcome = symbols(&[&file]).name(&mut event);
        assert_eq!((outcome.problems.is_empty(), outcome.unnamed == 0), (is_taken, is_taken), "{outcome:?}");
    }
}

/// Of `checkout.js`: line 1, column 9 of the bundle is line 3, column 5 of `src/pay.ts`; the name is `total`.
fn map(debug_id: &str) -> Value {
    let mut map = json!({
        "version": 3, "sources": ["src/pay.ts"], "names": ["total"], "mappings": "QAEIA,IACAA",
        "x_facebook_sources": [[{"names": ["<global>", "pay"], "mappings": "AAA;ACCA"}]],
    });
    if !debug_id.is_empty() {
        map["debugId"] = debug_id.into();
    }
    map
}

fn error(file: &str, contexts: &Value) -> Value {
    json!({
        "type": "TypeError", "language": "javascript", "contexts": contexts,
        "frames": [{"function": "t", "file": file, "line": 1, "column": 9, "in_app": true}, {"function": "map", "in_app": false}],
    })
}

const DEBUG_ID: &str = "85314830-023f-4cf1-a267-535f4e37bb17";
const OTHER_ID: &str = "11114830-023f-4cf1-a267-535f4e37bb17";

#[test]
fn frames_of_javascript_get_file_line_and_function_by_the_map_with_their_debug_id() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "other/main.jsbundle.map", map(OTHER_ID).to_string());
    write(folder.path(), "maps/composed.map", map(&DEBUG_ID.to_uppercase()).to_string());
    let mut event = error("app:///main.jsbundle", &json!({"debug_ids": {"app:///main.jsbundle": DEBUG_ID}}));
    let outcome = symbols(&[folder.path()]).name(&mut event);
    assert_eq!((outcome.named, outcome.unnamed, &outcome.problems[..]), (1, 0, &[][..]));
    let frame = &event["frames"][0];
    assert_eq!(
        (text(frame, "function"), text(frame, "file"), &frame["line"], &frame["column"]),
        ("pay", "src/pay.ts", &json!(3), &json!(5))
    );
    assert_eq!(frame["was"], json!({"function": "t", "file": "app:///main.jsbundle", "line": 1, "column": 9}));
}

#[test]
fn a_source_map_of_another_id_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = write(folder.path(), "main.jsbundle.map", map(OTHER_ID).to_string());
    let bare = write(
        folder.path(),
        "bare/main.jsbundle.map",
        json!({"version": 3, "mappings": "AAAA", "sources": ["a"]}).to_string(),
    );
    let ids = json!({"debug_ids": {"app:///main.jsbundle": DEBUG_ID}});
    let why = |file: &[&Path]| {
        let mut event = error("app:///main.jsbundle", &ids);
        let before = event.clone();
        let outcome = symbols(file).name(&mut event);
        assert_eq!((outcome.unnamed, &event), (1, &before));
        outcome.problems[0].clone()
    };
    let (id, other) = (DEBUG_ID.replace('-', ""), OTHER_ID.replace('-', ""));
    let end = format!("the event needs debug id {id} of `app:///main.jsbundle`");
    assert_eq!(why(&[&wrong]), format!("{} has debug id {other}; {end}", wrong.display()));
    assert!(why(&[&bare]).starts_with(&format!("{} has no debug id; {end}", bare.display())));
    assert_eq!(why(&[]), format!("no source map with debug id {id} (`app:///main.jsbundle`) is among the debug files"));
}

#[test]
fn without_a_debug_id_the_update_says_which_map_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (update, other) = ("e5314830-023f-4cf1-a267-535f4e37bb17", "f5314830-023f-4cf1-a267-535f4e37bb17");
    for (name, id) in
        [("index.android.bundle.map", other), ("index.ios.bundle.map", update), ("index.android.bundle.map", update)]
    {
        let mut content = map("");
        content["sources"] = json!([format!("{id}/{name}")]);
        write(folder.path(), &format!("{id}/{name}"), content.to_string());
    }
    let mut event = error("app:///index.android.bundle", &json!({}));
    event["tags"] = json!({"expo.updates.update_id": update});
    let outcome = symbols(&[folder.path()]).name(&mut event);
    assert_eq!(text(&event["frames"][0], "file"), format!("{update}/index.android.bundle.map"), "{outcome:?}");
    event = error("app:///index.android.bundle", &json!({}));
    event["tags"] = json!({"expo.updates.update_id": "05314830-023f-4cf1-a267-535f4e37bb17"});
    let outcome = symbols(&[folder.path()]).name(&mut event);
    assert!(outcome.unnamed == 1 && outcome.problems[0].starts_with("no source map of update 05314830"), "{outcome:?}");
}

#[test]
fn of_two_maps_that_can_be_meant_none_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    for flavour in ["free", "paid"] {
        write(folder.path(), &format!("{flavour}/index.android.bundle.map"), map("").to_string());
    }
    let mut event = error("app:///index.android.bundle", &json!({}));
    let outcome = symbols(&[folder.path()]).name(&mut event);
    assert_eq!(outcome.named, 0, "{event:#}");
    let problem = &outcome.problems[0];
    assert!(problem.contains("free") && problem.contains("paid") && problem.contains("give one of them"), "{problem}");
}

#[test]
fn a_map_in_sections_and_an_offset_of_bytecode_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let sections = json!({"version": 3, "debug_id": DEBUG_ID, "sections": [
        {"offset": {"line": 0, "column": 0}, "map": {"version": 3, "sources": ["first.ts"], "names": [], "mappings": "AAAA"}},
        {"offset": {"line": 4, "column": 0}, "map": map("")},
    ]});
    let file = write(folder.path(), "main.jsbundle.map", sections.to_string());
    let mut event = error("app:///main.jsbundle", &json!({"debug_ids": {"app:///main.jsbundle": DEBUG_ID}}));
    // The second entry is at column 12, and an offset counts from 0.
    event["frames"][0] = json!({"function": "t", "file": "app:///main.jsbundle", "line": 5, "column": 12});
    symbols(&[&file]).name(&mut event);
    let frame = &event["frames"][0];
    assert_eq!((text(frame, "file"), &frame["line"], text(frame, "function")), ("src/pay.ts", &json!(4), "pay"));
}

#[test]
fn hostile_maps_name_nothing_and_end_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let of_js = |members: Value| {
        let mut map = map(DEBUG_ID);
        members.as_object().unwrap().iter().for_each(|(name, value)| map[name] = value.clone());
        map.to_string()
    };
    let deep =
        |n: usize| format!("{}{}", "{\"sections\":[{\"offset\":{\"line\":0,\"column\":0},\"map\":".repeat(n), "{}");
    let contents = [
        of_js(json!({"mappings": "DDDDD"})),
        of_js(json!({"mappings": "QAEIA,//////////////////B"})),
        of_js(json!({"mappings": "gggggggggggggggggggggggE"})),
        of_js(json!({"mappings": "é", "sources": []})),
        of_js(
            json!({"mappings": "QAAAA", "names": [], "x_facebook_sources": [[{"names": [], "mappings": "DDD,//////////B"}]]}),
        ),
        of_js(json!({"sections": [{"offset": {"line": 4294967295_u64, "column": 4294967295_u64}}]})),
        of_js(json!({"sections": [{"offset": {"line": -1, "column": 0}}]})),
        deep(300),
        "{".to_owned(),
        ")]}'\n{\"debugId\":7}".to_owned(),
    ];
    for content in contents {
        let file = write(folder.path(), "main.jsbundle.map", &content);
        for ids in [json!({"debug_ids": {"app:///main.jsbundle": DEBUG_ID}}), json!({})] {
            let mut event = error("app:///main.jsbundle", &ids);
            let _ = symbols(&[&file]).name(&mut event);
            assert_eq!(event["frames"].as_array().unwrap().len(), 2, "{content}");
        }
    }
    let huge = "18446744073709551615";
    let mappings = [
        format!("a -> b:\n    1:{huge}:void a():{huge}:1 -> a\n"),
        format!("a -> b:\n    {huge}:{huge}:void a():{huge}:{huge} -> a\n    -1:-2:void a():-3:-4 -> a\n"),
        "a -> b:\n    void a():1:65535 -> a\n".repeat(40),
        "a -> b:\n# {\"id\":\"sourceFile\",\"fileName\":7}\n    1:1:void a() -> a\n".to_owned(),
        "a -> b:\n    ->->->\u{0}\n:::: -> \n".to_owned(),
    ];
    for mapping in mappings {
        let file = write(folder.path(), "mapping.txt", &mapping);
        for line in [0, 1, u32::MAX] {
            let mut event = java("SourceFile", &[("b", "a", line)]);
            let _ = symbols(&[&file]).name(&mut event);
            assert!(event["frames"].as_array().unwrap().len() < 100, "{mapping}");
        }
    }
}

#[test]
fn an_event_of_another_form_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "mapping.txt", MAPPING);
    write(folder.path(), "main.jsbundle.map", map(DEBUG_ID).to_string());
    let mut symbols = symbols(&[folder.path()]);
    for wrong in [
        json!(7),
        json!({"frames": 7, "causes": {"frames": []}, "threads": [7]}),
        json!({"frames": [7, null, [], {"address": -1}, {"address": "x", "line": {}, "module": 3}], "language": []}),
    ] {
        let mut event = wrong.clone();
        assert_eq!((symbols.name(&mut event), event), (Outcome::default(), wrong));
    }
}
