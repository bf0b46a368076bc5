//! The file in which a running app leaves the address of its debug endpoint.

use std::io::Write as _;
use std::path::Path;

/// Its name, in the folder of the queue.
pub const FILE: &str = "endpoint.json";

/// The address in the file of an endpoint. It may have ended since.
pub(crate) fn read(file: &Path) -> Option<String> {
    parse(&std::fs::read_to_string(file).ok()?)
}

/// The address in the text of such a file.
pub(crate) fn parse(text: &str) -> Option<String> {
    let content: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(content.get("url")?.as_str()?.to_owned())
}

/// Writes it to a new file that only this user can read.
pub(crate) fn write(file: &Path, url: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // What an app that was killed has left, or a link.
    let _ = std::fs::remove_file(file);
    options.open(file)?.write_all(serde_json::json!({ "url": url }).to_string().as_bytes())
}
