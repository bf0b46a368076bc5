//! Named points at which a test kills the process or makes a call fail. Only compiled with the feature `fault-points`;
//! without it a point does nothing.
//!
//! `REZ_FAULT=name:2` kills the process (SIGKILL) when the point `name` is reached for the second time; `REZ_FAULT=name:2:crash` makes it
//! write to an address where there is no memory;
//! `REZ_FAULT=name:1:full` makes the call at that point fail as on a full disk; `REZ_FAULT=name:1:move:folder` moves
//! that folder to the same path with `.away` at its end.

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "fault-points"), allow(dead_code))]
pub(crate) enum Fault {
    /// Continue.
    None,
    /// Fail as if the disk were full.
    Full,
    /// Fail as if the file were damaged.
    Corrupt,
}

/// A fault point.
#[cfg(feature = "fault-points")]
pub(crate) fn point(name: &str) -> Fault {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    struct Armed {
        name: String,
        at: u32,
        what: String,
        seen: AtomicU32,
    }
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    let armed = ARMED.get_or_init(|| {
        let text = std::env::var("REZ_FAULT").ok()?;
        let mut parts = text.splitn(3, ':');
        Some(Armed {
            name: parts.next()?.to_owned(),
            at: parts.next().and_then(|n| n.parse().ok()).unwrap_or(1),
            what: parts.next().unwrap_or("kill").to_owned(),
            seen: AtomicU32::new(0),
        })
    });
    let Some(armed) = armed.as_ref().filter(|armed| armed.name == name) else { return Fault::None };
    if armed.seen.fetch_add(1, Ordering::SeqCst) + 1 != armed.at {
        return Fault::None;
    }
    if let Some(folder) = armed.what.strip_prefix("move:") {
        let moved = std::fs::rename(folder, format!("{folder}.away"));
        return moved.map_or(Fault::Full, |()| Fault::None);
    }
    match armed.what.as_str() {
        "full" => Fault::Full,
        "corrupt" => Fault::Corrupt,
        "crash" => {
            let nowhere = std::hint::black_box(0x10) as *mut u32;
            // SAFETY: none; it is the mistake that the test wants.
            unsafe { nowhere.write_volatile(7) };
            Fault::None
        }
        _ => {
            // SAFETY: sends a signal to this very process; nothing of ours runs after it.
            #[cfg(unix)]
            unsafe {
                libc::kill(libc::getpid(), libc::SIGKILL);
            }
            loop {
                std::thread::park();
            }
        }
    }
}

/// A fault point: does nothing in this build.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
pub(crate) fn point(_: &str) -> Fault {
    Fault::None
}
