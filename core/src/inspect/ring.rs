//! Reads `ring.bin` of another process: the records that wait, and the state that outlives the database.

use crate::batch;
use crate::consent::Consent;
use crate::event::decode::{Body, Raw};
use crate::event::field::Field;
use crate::inspect::title;
use crate::kind::{Kind, Lane};
use crate::limits::RING_BYTES;
use crate::privacy::Export;
use crate::reason::Reason;
use crate::ring::layout::{self, FILE_BYTES, Word};
use crate::ring::record::{self, Head};
use crate::ring::scan::Scan;
use crate::ring::superblock::Superblock;
use crate::ring::{counters, reserve};
use crate::sys::file;
use crate::sys::map::Map;
use serde::Serialize;
use serde_json::{Map as Members, Value, json};
use std::io;
use std::path::Path;

/// Reads of a file that an app changes meanwhile, to tell a damaged record from one that was folded during the read.
const READS: usize = 5;

/// What `ring.bin` holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RingView {
    /// Random number of this ring: records of an earlier one are not read.
    pub generation: String,
    /// Bytes that wait, of [`RingView::capacity`].
    pub waiting_bytes: u64,
    /// Bytes of the region of records.
    pub capacity: u64,
    /// Number of the last record, and of all events accepted so far.
    pub last_ticket: u64,
    /// Events accepted so far.
    pub last_total: u64,
    /// The app closed it, and everything was folded into the queue.
    pub closed: bool,
    /// Runs in a row that ended in the same step of their start.
    pub failed_starts: u64,
    /// The header or both copies of the superblock are damaged, or records cannot be read; one sentence each.
    pub damage: Vec<String>,
    /// The superblock; `None` if both copies are damaged.
    pub superblock: Option<SuperblockView>,
    /// The records that wait, oldest first.
    pub records: Vec<RingRecord>,
    /// A crash that waits in the reserve.
    pub crash: Option<RingRecord>,
    /// Events refused at the call since the installation: reason, kind, number.
    pub refused: Vec<(String, String, u64)>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RingRecord {
    /// Its number.
    pub ticket: u64,
    /// The kind of its event, or `breadcrumb`, `scope`, `run`, `run_change`, `batch`.
    pub what: String,
    /// Lane of its events; `None` if it has none.
    pub lane: Option<&'static str>,
    /// Events in it.
    pub events: u16,
    /// Bytes of its body.
    pub bytes: usize,
    /// Wall clock at the call, milliseconds since 1970.
    pub wall_ms: Option<i64>,
    /// In a few words.
    pub title: String,
    /// Its fields, without personal data; `None` if a build with another format wrote it.
    pub fields: Option<Value>,
}

/// The superblock.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SuperblockView {
    /// The current epoch.
    pub epoch: u64,
    /// Records up to this one are in the queue.
    pub fold_ticket: u64,
    /// The position belongs to this ring.
    pub fold_is_current: bool,
    /// Erasures that were asked for and are not finished: what, and up to which record.
    pub pending_erasures: Vec<(String, u64)>,
    /// `monitoring` and `analytics`: not_set, pending, granted or denied.
    pub consent: [&'static str; 2],
    /// Rows that some destination had not settled.
    pub rows: u32,
    /// Destinations whose marks it has.
    pub routes: usize,
    /// Losses that no server knows of yet: epoch, reason, kind, number.
    pub losses: Vec<(u64, String, String, u64)>,
    /// Rows found so far in a damaged file that is being carved; `None` if none is.
    pub carving: Option<u32>,
    /// Release of the run of the next record.
    pub release: Option<String>,
}

/// Reads `ring.bin`, also while an app writes to it. Texts come without personal data.
///
/// # Errors
/// The file cannot be read, or is no ring. The message says which.
pub fn ring(path: &Path) -> io::Result<RingView> {
    let mut bytes = file::read(path)?;
    for _ in 1..READS {
        let view = view(&bytes, false)?;
        let after = file::read(path)?;
        if view.damage.is_empty() || tail(&after) == tail(&bytes) {
            return Ok(view);
        }
        bytes = after;
    }
    view(&bytes, true)
}

/// Where the records begin, according to the header.
fn tail(bytes: &[u8]) -> Option<&[u8]> {
    let at = Word::Tail as usize;
    bytes.get(at..at + 8)
}

/// `moves` = the app folds records all the time, and overwrites what it has folded: a gap is not a loss.
fn view(bytes: &[u8], moves: bool) -> io::Result<RingView> {
    let not_a_ring = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("is not a ring: {what}"));
    if bytes.len() != FILE_BYTES {
        return Err(not_a_ring(&format!("it has {} bytes, a ring has {FILE_BYTES}", bytes.len())));
    }
    let map = Map::anonymous(FILE_BYTES)?;
    layout::write(&map, 0, bytes);
    let word = |word| layout::get(&map, word);
    let superblock = Superblock::read(&map).map(|(_, superblock)| superblock);
    let mut damage = Vec::new();
    if word(Word::Magic) != layout::MAGIC {
        if superblock.is_none() {
            return Err(not_a_ring("neither its header nor its superblock is valid"));
        }
        damage.push("the header is damaged; the next start of the app makes a new ring".to_owned());
    }
    if superblock.is_none() {
        damage.push("both copies of the superblock are damaged".to_owned());
    }
    let generation = word(Word::Generation);
    let export = Export::default();
    let (records, lost, end) = records(&map, superblock.as_ref(), &export);
    if lost > 0 && !moves {
        damage.push(format!("accepted events that cannot be read: {lost}"));
    }
    let crash = reserve::peek(&map).map(|crash| {
        let kind = Kind::from_number(crash.kind);
        let fields = Body::decode(&crash.body).map(|body| masked(&export, name(crash.kind), &body));
        let wall_ms = Body::decode(&crash.body).map(|body| body.time().0);
        described(0, name(crash.kind), kind.map(Kind::lane), 1, crash.body.len(), wall_ms, fields)
    });
    if crash.is_none() && reserve::is_taken(&map) {
        damage.push("the reserve for a crash is taken, and what it holds cannot be read".to_owned());
    }
    Ok(RingView {
        generation: format!("{generation:016x}"),
        waiting_bytes: if records.is_empty() { 0 } else { end.saturating_sub(word(Word::Tail) & !7) },
        capacity: RING_BYTES as u64,
        last_ticket: word(Word::LastTicket),
        last_total: word(Word::LastTotal),
        closed: word(Word::Clean) == 1,
        failed_starts: word(Word::FailedStarts),
        damage,
        superblock: superblock.map(|superblock| superblock_view(&superblock, generation)),
        records,
        crash,
        refused: refused(&map),
    })
}

/// The records after the last one that is folded, how many accepted events cannot be read, and where the records end.
fn records(map: &Map, superblock: Option<&Superblock>, export: &Export) -> (Vec<RingRecord>, u64, u64) {
    let tail = layout::get(map, Word::Tail) & !7;
    let last = layout::get(map, Word::LastTicket);
    let known = superblock.filter(|known| known.fold_generation == layout::get(map, Word::Generation));
    let (ticket, total) = known.map_or((0, 0), |known| (known.fold_ticket, known.fold_total));
    let mut scan = Scan::new(map, RING_BYTES, tail, tail.saturating_add(RING_BYTES as u64), ticket, total);
    let (mut records, mut body, mut freed) = (Vec::new(), Vec::new(), 0);
    loop {
        let (head, is_next) = match scan.next(&mut body) {
            Some(head) => (Some(head), true),
            None if scan.ticket < last => (scan.resync(&mut body), false),
            None => (None, false),
        };
        let Some(head) = head else { break };
        // What came before the first record is folded and freed: the superblock is written a little later than the tail.
        if records.is_empty() && (is_next || known.is_none()) {
            freed = scan.lost;
        }
        records.push(read(&head, &body, export));
    }
    (records, scan.lost.saturating_sub(freed), scan.at)
}

fn read(head: &Head, bytes: &[u8], export: &Export) -> RingRecord {
    let what = name(head.kind);
    let lane = Lane::from_number(head.lane).filter(|_| head.n > 0);
    if head.format != record::FORMAT {
        return described(head.ticket, what, lane, head.n, bytes.len(), None, None);
    }
    if head.kind == record::BATCH {
        let read = batch::record::Head::read(bytes);
        let fields = read.map(|(_, items)| {
            let mut items: Value = serde_json::from_str(&format!("[{items}]")).unwrap_or_default();
            for item in items.as_array_mut().into_iter().flatten() {
                let kind = item.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
                if item.get("scope").is_some_and(|scope| scope == "user") {
                    *item = json!({"scope": "user", "user": item.take()});
                }
                export.row(&kind, item);
            }
            json!({ "items": items })
        });
        return described(head.ticket, what, lane, head.n, bytes.len(), read.map(|(from, _)| from.wall_ms), fields);
    }
    let body = Body::decode(bytes);
    let fields = body.as_ref().map(|body| masked(export, what, body));
    described(head.ticket, what, lane, head.n, bytes.len(), body.map(|body| body.time().0), fields)
}

fn described(
    ticket: u64,
    what: &str,
    lane: Option<Lane>,
    events: u16,
    bytes: usize,
    wall_ms: Option<i64>,
    fields: Option<Value>,
) -> RingRecord {
    let lane = lane.map(Lane::as_str);
    let title = fields.as_ref().map(title).unwrap_or_default();
    RingRecord { ticket, what: what.to_owned(), lane, events, bytes, wall_ms, title, fields }
}

fn name(kind: u8) -> &'static str {
    match kind {
        record::CRUMB => "breadcrumb",
        record::SCOPE => "scope",
        record::RUN => "run",
        record::RUN_CHANGE => "run_change",
        record::BATCH => "batch",
        kind => Kind::from_number(kind).map_or("unknown", Kind::as_str),
    }
}

/// The fields of a record without personal data, and without the key from which ids are made.
fn masked(export: &Export, what: &str, body: &Body<'_>) -> Value {
    let mut members = Members::new();
    for (field, value) in &body.fields {
        let name = match field {
            Field::Change => "change",
            Field::Run => "run",
            Field::Key => continue,
            field => field.as_str(),
        };
        if !name.is_empty() {
            members.insert(name.to_owned(), plain(*value));
        }
    }
    if let Some(run) = members.get_mut("run") {
        *run = run.as_str().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    }
    // A change of the user has its members beside the name of the change.
    let is_user = body.str(Field::Change) == Some("user");
    let mut value = Value::Object(members);
    if is_user {
        value = json!({"change": "user", "user": value});
    }
    export.row(what, &mut value);
    value
}

fn plain(value: Raw<'_>) -> Value {
    match value {
        Raw::Null => Value::Null,
        Raw::Bool(value) => value.into(),
        Raw::I64(value) => value.into(),
        Raw::U64(value) => value.into(),
        Raw::F64(value) => value.into(),
        Raw::Str(value) => value.into(),
        Raw::List(count, mut reader) => (0..count).map_while(|_| reader.value().map(plain)).collect(),
        Raw::Map(count, mut reader) => {
            let entries = (0..count).map_while(|_| reader.entry());
            Value::Object(entries.map(|(key, value)| (key.to_owned(), plain(value))).collect())
        }
        Raw::Frame(frame) => json!({
            "function": frame.function, "module": frame.module, "file": frame.file, "line": frame.line,
            "column": frame.column, "in_app": frame.in_app,
        }),
    }
}

fn superblock_view(superblock: &Superblock, generation: u64) -> SuperblockView {
    let consent = superblock.consent.map(|state| match Consent::of(state) {
        Some(Consent::Pending) => "pending",
        Some(Consent::Granted) => "granted",
        Some(Consent::Denied) => "denied",
        None => "not_set",
    });
    let pending_erasures = superblock.wipes.all().map(|wipe| {
        let what = match wipe.what {
            0xff => "everything",
            1 => "monitoring",
            2 => "analytics",
            _ => "monitoring and analytics",
        };
        (what.to_owned(), wipe.ticket)
    });
    let release = superblock.run.as_ref().and_then(|run| serde_json::from_str::<crate::Run>(&run.json).ok());
    SuperblockView {
        epoch: superblock.epoch,
        fold_ticket: superblock.fold_ticket,
        fold_is_current: superblock.fold_generation == generation,
        pending_erasures: pending_erasures.collect(),
        consent,
        rows: superblock.rows,
        routes: superblock.routes.len(),
        losses: superblock
            .losses
            .iter()
            .map(|loss| {
                let kind = loss.lost.kind.map_or("unknown", Kind::as_str);
                (loss.epoch, loss.lost.reason.as_str().to_owned(), kind.to_owned(), loss.lost.count)
            })
            .collect(),
        carving: (superblock.carve.quarantine != 0 && superblock.carve.position != u32::MAX)
            .then_some(superblock.carve.found),
        release: release.map(|run| run.release),
    }
}

fn refused(map: &Map) -> Vec<(String, String, u64)> {
    let kinds = || Kind::ALL.into_iter().map(Some).chain([None]);
    let all = Reason::ALL.into_iter().flat_map(|reason| kinds().map(move |kind| (reason, kind)));
    all.filter_map(|(reason, kind)| {
        let n = counters::read(map, counters::index(reason, kind)).filter(|n| *n > 0)?;
        Some((reason.as_str().to_owned(), kind.map_or("unknown", Kind::as_str).to_owned(), n))
    })
    .collect()
}
