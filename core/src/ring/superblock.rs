//! The superblock: state that must survive the loss of the database, in two alternating copies in the ring's file, each
//! with a checksum.
//!
//! Without it, carving a damaged database would bring back delivered and erased rows, and a denied consent would be
//! lost.

use super::layout::{self, SUPERBLOCK, SUPERBLOCK_BYTES};
use super::losses::{self, UnreportedLoss};
use crate::kind::Kind;
use crate::limits;
use crate::row::Run;
use crate::sys::map::Map;

/// Routes whose settled seqs fit: twice as many as one destination of each kind has. A further route gets rows again that
/// are recovered from a damaged file.
const ROUTES: usize = 32;
const ROUTE_BYTES: usize = 48;
const FIXED_BYTES: usize = 120;

/// How far one route has settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct SettledRoute {
    /// Hash of destination and route.
    pub(crate) hash: u64,
    /// Highest settled seq of each lane.
    pub(crate) lanes: [u64; 4],
    /// Highest seq of a request that may have been sent and must not be repeated; 0 = none.
    pub(crate) sending: u64,
}

/// A wipe that was requested and is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PendingWipe {
    /// Records up to this ticket are erased.
    pub(crate) ticket: u64,
    /// Purposes to erase, one bit each; 0xff = everything, with new ids.
    pub(crate) what: u8,
}

impl PendingWipe {
    /// Whether it erases events of this kind.
    pub(crate) fn erases(self, kind: Kind) -> bool {
        kind.purpose_bits() & !self.what == 0
    }
}

/// The unfinished wipes. Each keeps its own ticket: with the ticket of a later wipe it would erase what was recorded
/// between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Wipes {
    /// Everything up to this ticket; 0 = no such wipe.
    forget: u64,
    /// Per purpose: what only this purpose allows, up to this ticket; 0 = no such wipe.
    denied: [u64; 2],
}

impl Wipes {
    /// Adds a wipe of everything up to this ticket.
    pub(crate) fn forget(&mut self, ticket: u64) {
        self.forget = ticket.max(1);
    }

    /// Adds a wipe for all purposes that are denied now (one bit each). Not only for the last one: an event that two
    /// purposes allowed is erased when the second of them is denied.
    pub(crate) fn deny(&mut self, ticket: u64, purposes: u8) {
        for (bit, denied) in self.denied.iter_mut().enumerate() {
            if purposes & (1 << bit) != 0 {
                *denied = ticket.max(1);
            }
        }
    }

    /// The wipe to do first.
    pub(crate) fn next(&self) -> Option<PendingWipe> {
        let [monitoring, analytics] = self.denied;
        let ticket = [self.forget, monitoring, analytics].into_iter().filter(|ticket| *ticket > 0).min()?;
        let bit = |bit: usize| u8::from(self.denied.get(bit) == Some(&ticket)) << bit;
        let what = if self.forget == ticket { 0xff } else { bit(0) | bit(1) };
        Some(PendingWipe { ticket, what })
    }

    /// All of them, in the order in which they are done.
    pub(crate) fn all(self) -> impl Iterator<Item = PendingWipe> {
        std::iter::successors(self.next().map(|first| (self, first)), |(wipes, wipe)| {
            let mut rest = *wipes;
            rest.done(*wipe);
            rest.next().map(|next| (rest, next))
        })
        .map(|(_, wipe)| wipe)
    }

    /// The same wipes for a ring whose tickets start again: each covers everything before that ring.
    pub(super) fn of_before(&self) -> Wipes {
        Wipes { forget: self.forget.min(1), denied: self.denied.map(|ticket| ticket.min(1)) }
    }

    /// Removes a finished wipe. One that was requested meanwhile stays.
    pub(crate) fn done(&mut self, wipe: PendingWipe) {
        if wipe.what == 0xff && self.forget == wipe.ticket {
            self.forget = 0;
        }
        for (bit, denied) in self.denied.iter_mut().enumerate() {
            if wipe.what & (1 << bit) != 0 && *denied <= wipe.ticket {
                *denied = 0;
            }
        }
    }
}

/// Longest JSON of a run, in bytes. The texts of a longer one are cut.
const RUN_BYTES: usize = 2048;

/// The run of the first record that is not folded. The record that began the run is freed, and the database that has
/// the run may be lost or reverted by a power failure.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct CurrentRun {
    /// Key of its ids.
    pub(crate) key: [u8; 16],
    /// Its row.
    pub(crate) json: String,
}

impl CurrentRun {
    pub(crate) fn new(key: [u8; 16], run: &Run) -> CurrentRun {
        let whole = serde_json::to_string(run).unwrap_or_default();
        if whole.len() <= RUN_BYTES {
            return CurrentRun { key, json: whole };
        }
        let cut = |text: &str| text.get(..text.floor_char_boundary(limits::NAME_BYTES)).unwrap_or_default().to_owned();
        let mut short = Run {
            number: 0,
            app: cut(&run.app),
            release: cut(&run.release),
            dist: run.dist.as_deref().map(cut),
            environment: run.environment.as_deref().map(cut),
            os: cut(&run.os),
            device: run.device.as_deref().map(cut),
            ..run.clone()
        };
        if serde_json::to_string(&short).is_ok_and(|json| json.len() > RUN_BYTES) {
            // Without facts the rows still have their release.
            short.facts = crate::facts::Facts::new();
        }
        CurrentRun { key, json: serde_json::to_string(&short).unwrap_or_default() }
    }
}

/// How far a quarantined file is carved. The database holds the same, but it may be lost during the carve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct CarvePosition {
    /// CRC-32 of the quarantine's copy of the superblock, which tells quarantines apart; 0 = no carve is running.
    pub(crate) quarantine: u32,
    /// The position to continue from.
    pub(crate) position: u32,
    /// Rows found so far that some route had not settled.
    pub(crate) found: u32,
    /// Hash of the boot: after a power failure the database may be older than this position.
    pub(crate) boot: u32,
}

/// Everything the superblock holds.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Superblock {
    pub(crate) install: [u8; 16],
    pub(crate) epoch: u64,
    pub(crate) fold_generation: u64,
    pub(crate) fold_ticket: u64,
    pub(crate) fold_total: u64,
    pub(crate) wipes: Wipes,
    /// State of each purpose: 0 not set, 1 pending, 2 granted, 3 denied.
    pub(crate) consent: [u8; 2],
    pub(crate) consent_ticket: u64,
    /// Rows in the database that some route had not settled. If a carver finds fewer, the rest is counted as lost.
    pub(crate) rows: u32,
    pub(crate) routes: Vec<SettledRoute>,
    pub(crate) carve: CarvePosition,
    /// Losses that a server does not know of: of this epoch as of the last commit that changed them, and of earlier ones
    /// until they are reported.
    pub(crate) losses: Vec<UnreportedLoss>,
    pub(crate) run: Option<CurrentRun>,
}

impl Superblock {
    /// Reads the newer valid copy and its version; `None` if neither copy is valid.
    pub(crate) fn read(map: &Map) -> Option<(u64, Superblock)> {
        let mut page = vec![0u8; SUPERBLOCK_BYTES];
        let mut copies = SUPERBLOCK.iter().filter_map(|at| {
            layout::read(map, *at, &mut page);
            Superblock::decode(&page)
        });
        let (a, b) = (copies.next(), copies.next());
        a.into_iter().chain(b).max_by_key(|(version, _)| *version)
    }

    /// Replaces the losses of the present epoch. Those of earlier epochs stay, unless the installation has a new id: the
    /// server would count them a second time under it.
    pub(crate) fn set_losses(&mut self, install: [u8; 16], epoch: u64, current: Vec<UnreportedLoss>) {
        if self.install != install {
            self.losses.clear();
        }
        losses::replace(&mut self.losses, epoch, current);
    }

    /// Overwrites the older copy.
    pub(crate) fn write(&self, map: &Map, version: u64) {
        let mut page = [0u8; SUPERBLOCK_BYTES];
        let len = self.encode(version, &mut page);
        let at = SUPERBLOCK[usize::from(version % 2 == 1)];
        layout::write(map, at, page.get(..len).unwrap_or_default());
    }

    /// One copy in bytes, for a quarantine.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut page = [0u8; SUPERBLOCK_BYTES];
        let len = self.encode(1, &mut page);
        page.get(..len).unwrap_or_default().to_vec()
    }

    /// Reads a copy written by [`Superblock::to_bytes`]; `None` if it is damaged.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Superblock> {
        Superblock::decode(bytes).map(|(_, superblock)| superblock)
    }

    fn encode(&self, version: u64, page: &mut [u8; SUPERBLOCK_BYTES]) -> usize {
        let mut at = 8;
        let mut put = |bytes: &[u8]| {
            if let Some(place) = page.get_mut(at..at + bytes.len()) {
                place.copy_from_slice(bytes);
            }
            at += bytes.len();
        };
        let routes = self.routes.iter().take(ROUTES);
        let run = self.run.as_ref().filter(|run| run.json.len() <= RUN_BYTES);
        let run_bytes = run.map_or(0, |run| run.key.len() + run.json.len());
        let (loss_count, losses) =
            losses::encode(&self.losses, losses::room(FIXED_BYTES + routes.len() * ROUTE_BYTES + run_bytes));
        put(&version.to_le_bytes());
        put(&self.install);
        for word in [self.epoch, self.fold_generation, self.fold_ticket, self.fold_total] {
            put(&word.to_le_bytes());
        }
        put(&self.wipes.forget.to_le_bytes());
        put(&self.consent_ticket.to_le_bytes());
        put(&[loss_count, self.consent[0], self.consent[1], routes.len() as u8]);
        put(&self.rows.to_le_bytes());
        for ticket in self.wipes.denied {
            put(&ticket.to_le_bytes());
        }
        for word in [self.carve.quarantine, self.carve.position, self.carve.found, self.carve.boot] {
            put(&word.to_le_bytes());
        }
        for route in routes {
            put(&route.hash.to_le_bytes());
            for lane in route.lanes {
                put(&lane.to_le_bytes());
            }
            put(&route.sending.to_le_bytes());
        }
        put(&losses);
        if let Some(run) = run {
            put(&run.key);
            put(run.json.as_bytes());
        }
        let len = at;
        let crc = crc32fast::hash(page.get(8..len).unwrap_or_default());
        page[..4].copy_from_slice(&(len as u32).to_le_bytes());
        page[4..8].copy_from_slice(&crc.to_le_bytes());
        len
    }

    fn decode(page: &[u8]) -> Option<(u64, Superblock)> {
        let number = |at: usize| Some(u64::from_le_bytes(page.get(at..at + 8)?.try_into().ok()?));
        let short = |at: usize| Some(u32::from_le_bytes(page.get(at..at + 4)?.try_into().ok()?));
        let len = u32::from_le_bytes(page.get(..4)?.try_into().ok()?) as usize;
        let crc = u32::from_le_bytes(page.get(4..8)?.try_into().ok()?);
        if !(FIXED_BYTES..=SUPERBLOCK_BYTES).contains(&len) || crc32fast::hash(page.get(8..len)?) != crc {
            return None;
        }
        let flags = page.get(80..84)?;
        let routes = (0..usize::from(*flags.get(3)?))
            .map(|n| {
                let at = FIXED_BYTES + n * ROUTE_BYTES;
                let lane = |lane: usize| number(at + 8 + 8 * lane);
                Some(SettledRoute {
                    hash: number(at)?,
                    lanes: [lane(0)?, lane(1)?, lane(2)?, lane(3)?],
                    sending: number(at + 40)?,
                })
            })
            .collect::<Option<Vec<_>>>()?;
        let rest = page.get(FIXED_BYTES + routes.len() * ROUTE_BYTES..len)?;
        let (losses, rest) = losses::decode(rest, *flags.first()?)?;
        let run = rest
            .split_first_chunk::<16>()
            .and_then(|(key, json)| Some(CurrentRun { key: *key, json: std::str::from_utf8(json).ok()?.to_owned() }));
        let superblock = Superblock {
            install: page.get(16..32)?.try_into().ok()?,
            epoch: number(32)?,
            fold_generation: number(40)?,
            fold_ticket: number(48)?,
            fold_total: number(56)?,
            wipes: Wipes { forget: number(64)?, denied: [number(88)?, number(96)?] },
            consent: [*flags.get(1)?, *flags.get(2)?],
            consent_ticket: number(72)?,
            rows: short(84)?,
            carve: CarvePosition {
                quarantine: short(104)?,
                position: short(108)?,
                found: short(112)?,
                boot: short(116)?,
            },
            routes,
            losses,
            run,
        };
        Some((number(8)?, superblock))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Reason;
    use crate::row::Lost;

    fn full() -> Superblock {
        Superblock {
            install: [3; 16],
            epoch: 4,
            fold_generation: 5,
            fold_ticket: 6,
            fold_total: 7,
            wipes: Wipes { forget: 8, denied: [0, 9] },
            consent: [2, 3],
            consent_ticket: 9,
            rows: 10,
            carve: CarvePosition { quarantine: 11, position: 12, found: 13, boot: 14 },
            routes: (0..32).map(|n| SettledRoute { hash: n, lanes: [n, 1, 2, 3], sending: n * 2 }).collect(),
            losses: (0..16)
                .map(|n| UnreportedLoss {
                    epoch: 3,
                    route: n,
                    lost: Lost { reason: Reason::EvictedBytes, kind: None, count: n },
                })
                .collect(),
            run: Some(CurrentRun { key: [9; 16], json: "{\"id\":\"run-1\"}".repeat(130) }),
        }
    }

    #[test]
    fn the_newer_copy_is_read_and_the_older_one_if_the_newer_is_torn() {
        let map = Map::anonymous(layout::FILE_BYTES).unwrap();
        assert_eq!(Superblock::read(&map), None);
        let old = full();
        let new = Superblock { fold_ticket: 60, wipes: Wipes::default(), ..full() };
        old.write(&map, 1);
        new.write(&map, 2);
        assert_eq!(Superblock::read(&map), Some((2, new)));
        layout::write(&map, SUPERBLOCK[0] + 100, &[0xaa; 8]);
        assert_eq!(Superblock::read(&map), Some((1, old)));
    }

    #[test]
    fn every_flipped_bit_is_detected() {
        let bytes = full().to_bytes();
        assert_eq!(Superblock::from_bytes(&bytes), Some(full()));
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Superblock::from_bytes(&damaged), None, "bit {bit}");
        }
        assert_eq!(Superblock::from_bytes(&[]), None);
    }

    #[test]
    fn wipes_are_done_in_order_each_up_to_its_own_ticket() {
        let mut wipes = Wipes::default();
        assert_eq!(wipes.next(), None);
        wipes.forget(10);
        wipes.deny(20, 0b10);
        assert_eq!(wipes.next(), Some(PendingWipe { ticket: 10, what: 0xff }));
        wipes.done(PendingWipe { ticket: 10, what: 0xff });
        assert_eq!(wipes.next(), Some(PendingWipe { ticket: 20, what: 0b10 }));
        // Granted again, recorded, and the other one denied: what lies between is not the first one's.
        wipes.deny(30, 0b01);
        assert_eq!(wipes.next(), Some(PendingWipe { ticket: 20, what: 0b10 }));
        wipes.done(PendingWipe { ticket: 20, what: 0b10 });
        // Still denied: both as of now.
        wipes.deny(40, 0b11);
        assert_eq!(wipes.next(), Some(PendingWipe { ticket: 40, what: 0b11 }));
        wipes.forget(50);
        wipes.done(PendingWipe { ticket: 40, what: 0b11 });
        wipes.forget(60);
        wipes.done(PendingWipe { ticket: 50, what: 0xff });
        assert_eq!(wipes.next(), Some(PendingWipe { ticket: 60, what: 0xff }), "asked for again meanwhile");
    }
}
