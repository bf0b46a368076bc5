//! Each command prints what its golden file in `tests/commands` and the guide's page for testers say. `REZ_BLESS=1` writes the files.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod shop_queue;

use rez_inspect::source::App;
use rez_inspect::web::Server;
use shop_queue::Shop;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The address of the running app in the files.
const ADDRESS: &str = "http://127.0.0.1:49152/?token=TOKEN";

#[test]
fn each_command_prints_what_its_golden_file_says() {
    let golden = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/commands"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(golden).unwrap().map(|file| file.unwrap().path()).collect();
    files.push(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/qa.md").into());
    files.sort();
    assert!(files.len() > 10);
    for file in &files {
        check(file);
    }
}

/// Runs the commands of a file in a folder with the queue `shop`, whose app runs.
fn check(file: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(&folder.path().join("shop"));
    let app = App::new(shop.monitor.clone(), Duration::from_secs(60));
    let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::new(app)).unwrap();
    let copy = folder.path().join(file.file_name().unwrap());
    let content = std::fs::read_to_string(file).unwrap();
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
