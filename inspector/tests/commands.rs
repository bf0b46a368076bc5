//! Each command prints what its golden file in `tests/commands` and the guide's pages for testers say. `REZ_BLESS=1` writes the files.
//!
//! They run beside the queue `shop`, whose app runs, and `collector.sqlite`, which received what was sent. The JSON files of the folder are
//! there too; a page of the guide brings its own: the first block of JSON in it is `plan.json`.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod shop_queue;

use rez_inspect::collector::{Collector, Options, Switches};
use rez_inspect::source::App;
use rez_inspect::web::Server;
use shop_queue::{START_MS, Shop};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The address of the running app in the files.
const ADDRESS: &str = "http://127.0.0.1:49152/?token=TOKEN";

#[test]
fn each_command_prints_what_its_golden_file_says() {
    let golden = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/commands"));
    let all = std::fs::read_dir(golden).unwrap().map(|file| file.unwrap().path());
    let (mut files, plans): (Vec<PathBuf>, Vec<PathBuf>) = all.partition(|file| file.extension().unwrap() != "json");
    let guide = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide"));
    files.extend(["qa.md", "tracking-plan.md"].map(|page| guide.join(page)));
    files.sort();
    assert!(files.len() > 10);
    for file in &files {
        check(file, &plans);
    }
}

/// Runs the commands of a file in a folder with the queue `shop`, whose app runs.
fn check(file: &Path, plans: &[PathBuf]) {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(&folder.path().join("shop"));
    let app = App::new(shop.monitor.clone(), Duration::from_secs(60));
    let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::new(app)).unwrap();
    collect(&shop, &folder.path().join("collector.sqlite"));
    for plan in plans {
        std::fs::copy(plan, folder.path().join(plan.file_name().unwrap())).unwrap();
    }
    let copy = folder.path().join(file.file_name().unwrap());
    let content = std::fs::read_to_string(file).unwrap();
    if let Some((_, rest)) = content.split_once("```json\n") {
        std::fs::write(folder.path().join("plan.json"), rest.split_once("```").unwrap().0).unwrap();
    }
    std::fs::write(&copy, content.replace(ADDRESS, server.url())).unwrap();
    // The commands of a file are run in the working folder.
    std::env::set_current_dir(folder.path()).unwrap();
    let cases = trycmd::TestCases::new();
    cases.register_bin("rezq", Path::new(env!("CARGO_BIN_EXE_rezq")));
    cases.env("NO_COLOR", "1").case(&copy);
    cases.run();
    if std::env::var_os("REZ_BLESS").is_some() {
        let content = std::fs::read_to_string(&copy).unwrap();
        std::fs::write(file, content.replace(server.url(), ADDRESS)).unwrap();
    }
    shop.close();
}

/// Passes the requests that the shop's server answered to a collector, which refuses the same event.
fn collect(shop: &Shop, db: &Path) {
    let options = Options { clock: Arc::new(|| START_MS + 60_000), ..Options::new(db) };
    let collector = Collector::start(options).unwrap();
    collector.set_switches(Switches { reject: Some(r#""name":"refused""#.to_owned()), ..Switches::default() });
    for request in shop.answered.lock().unwrap().iter() {
        let mut stream = TcpStream::connect(collector.address()).unwrap();
        let headers: String = request.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = request.body.len();
        let head = format!(
            "POST /v1/batch HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(&[head.as_bytes(), &request.body].concat()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    collector.stop();
}
