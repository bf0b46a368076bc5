//! A real file system with little room.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system; unmounted when dropped.
pub struct SmallDisk {
    at: PathBuf,
    bytes: u64,
}

impl SmallDisk {
    /// Mounts a tmpfs of this size (`4m`), or for `ext4` an image of 16 MB, of which the journal takes 4. `None` where it cannot be mounted.
    #[must_use]
    pub fn mount(at: &Path, kind: &str) -> Option<SmallDisk> {
        std::fs::create_dir(at).ok()?;
        let (megabytes, mut mount) = if kind == "ext4" {
            let image = at.with_extension("img");
            std::fs::File::create(&image).and_then(|file| file.set_len(16 << 20)).ok()?;
            let made = Command::new("mkfs.ext4").args(["-q", "-m", "0", "-b", "4096"]).arg(&image).output();
            made.is_ok_and(|done| done.status.success()).then_some(())?;
            let mut mount = Command::new("mount");
            mount.args(["-o", "loop"]).arg(&image);
            (16, mount)
        } else {
            let mut mount = Command::new("mount");
            mount.args(["-t", "tmpfs", "-o", &format!("size={kind}"), "tmpfs"]);
            (kind.trim_end_matches('m').parse().ok()?, mount)
        };
        let mounted = mount.arg(at).output();
        mounted.is_ok_and(|done| done.status.success()).then(|| SmallDisk { at: at.to_owned(), bytes: megabytes << 20 })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.at
    }

    /// Its size.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Another program takes every free byte.
    ///
    /// # Panics
    /// If its file cannot be made.
    pub fn fill(&mut self) {
        let mut file = std::fs::File::create(self.at.join("others")).expect("a file");
        for block in [4096, 512, 1] {
            while file.write_all(&[7; 4096][..block]).and_then(|()| file.sync_data()).is_ok() {}
        }
    }

    /// It gives some of them back.
    ///
    /// # Panics
    /// If its file cannot be cut.
    pub fn give_back(&mut self, bytes: u64) {
        let file = std::fs::File::options().write(true).open(self.at.join("others")).expect("its file");
        let len = file.metadata().expect("its length").len();
        file.set_len(len.saturating_sub(bytes)).and_then(|()| file.sync_all()).expect("a shorter file");
    }

    /// It gives them back.
    pub fn free(&mut self) {
        let _ = std::fs::remove_file(self.at.join("others"));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).output();
    }
}
