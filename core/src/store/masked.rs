//! A copy of a queue without personal data, for people who pass it on.

use super::error::{Result, StoreError};
use super::parked::{EXCEPTION, Exception};
use super::recent;
use super::schema::{self, ROW, Read, crc_of, read_row};
use crate::privacy::Export;
use crate::row::{Row, push_denied, push_paused};
use rusqlite::{Connection, OpenFlags, params};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// The install id of a masked copy.
const INSTALL: &str = "masked";

/// What [`mask`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Masked {
    /// Rows whose JSON was changed.
    pub rows: u64,
    /// Rows that were removed, because their checksum is wrong: what they hold cannot be told.
    pub removed: u64,
}

/// Hides personal data in a copy of a queue that nobody else has open, and leaves no older bytes in the file.
///
/// Hidden are the user, properties of the user, ids of the device and the installation, IP addresses, and all that the
/// privacy rules of the engine find. Scope and properties are removed. Every row that stays gets a new checksum.
///
/// # Errors
/// The file is not a queue, or cannot be written.
pub fn mask(path: &Path) -> Result<Masked> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    schema::pragma(&db, "secure_delete = ON")?;
    schema::pragma(&db, "temp_store = MEMORY")?;
    db.execute_batch("BEGIN IMMEDIATE")?;
    let export = Export::new(identifiers(&db)?);
    let masked = rows(&db, &export)?;
    crumbs(&db, &export)?;
    notes(&db, &export)?;
    lately(&db, &export)?;
    db.execute_batch("DELETE FROM scope; DELETE FROM property;")?;
    db.execute("UPDATE fold SET install = ?1", [INSTALL])?;
    db.execute_batch("COMMIT; VACUUM;")?;
    db.close().map_err(|(_, error)| StoreError::from(error))?;
    Ok(masked)
}

/// What identifies the user or the installation anywhere in the file.
fn identifiers(db: &Connection) -> Result<BTreeSet<String>> {
    let mut known = BTreeSet::from([db.query_row("SELECT install FROM fold", [], |row| row.get(0))?]);
    let mut scope = db.prepare("SELECT key, json FROM scope WHERE key IN ('user', 'anonymous')")?;
    let mut parts = scope.query([])?;
    while let Some(part) = parts.next()? {
        let (key, json): (String, String) = (part.get(0)?, part.get(1)?);
        let user = if key == "user" { value_of(&json) } else { json!({key: value_of(&json)}) };
        known.extend(Export::identifiers(&json!({ "user": user })));
    }
    let mut select = db.prepare("SELECT json FROM event WHERE instr(json, '\"user\"') > 0")?;
    let mut events = select.query([])?;
    while let Some(event) = events.next()? {
        if let Ok(json) = event.get::<_, String>(0) {
            known.extend(Export::identifiers(&value_of(&json)));
        }
    }
    for row in recent::kept(db)? {
        known.extend(Export::identifiers(&value_of(&row.json)));
    }
    Ok(known)
}

/// The events that were stored lately.
fn lately(db: &Connection, export: &Export) -> Result<()> {
    let rows = recent::kept(db)?;
    if rows.is_empty() {
        return Ok(());
    }
    let masked = rows.into_iter().filter_map(|row| Some(Row { json: masked_json(export, &row)?, ..row }));
    recent::put(db, &masked.collect::<Vec<_>>())
}

fn value_of(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

fn rows(db: &Connection, export: &Export) -> Result<Masked> {
    let mut masked = Masked::default();
    let mut change = db.prepare("UPDATE event SET json = ?2, crc = ?3 WHERE seq = ?1")?;
    let mut remove = db.prepare("DELETE FROM event WHERE seq = ?1")?;
    let seqs: Vec<i64> =
        db.prepare("SELECT seq FROM event")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut select = db.prepare(&format!("SELECT {ROW} FROM event WHERE seq = ?1"))?;
    for seq in seqs {
        let Read::Good(row) = select.query_row([seq], read_row)? else {
            remove.execute([seq])?;
            masked.removed += 1;
            continue;
        };
        match masked_json(export, &row) {
            Some(json) if json == row.json => {}
            Some(json) => {
                let row = Row { json, ..row };
                change.execute(params![seq, row.json, crc_of(&row)])?;
                masked.rows += 1;
            }
            None => {
                remove.execute([seq])?;
                masked.removed += 1;
            }
        }
    }
    Ok(masked)
}

/// The JSON of a row without personal data; `None` if it is no JSON object.
fn masked_json(export: &Export, row: &Row) -> Option<String> {
    let before: Value = serde_json::from_str(&row.json).ok().filter(Value::is_object)?;
    let mut after = before.clone();
    export.row(row.kind.as_str(), &mut after);
    if after == before {
        return Some(row.json.clone());
    }
    // Both are read by their place at the end of the text.
    let denied = row.denied();
    let paused = after.as_object_mut().and_then(|members| members.remove("paused"));
    if let Some(members) = after.as_object_mut().filter(|_| denied.is_some()) {
        members.remove("denied");
    }
    let mut json = after.to_string();
    if let Some(paused) = paused {
        push_paused(&mut json, &paused.to_string());
    }
    if let Some(denied) = denied {
        push_denied(&mut json, denied);
    }
    Some(json)
}

fn crumbs(db: &Connection, export: &Export) -> Result<()> {
    let crumbs: Vec<(i64, String)> = db
        .prepare("SELECT slot, json FROM crumb")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (slot, json) in crumbs {
        let mut value = value_of(&json);
        export.value("", &mut value);
        db.execute("UPDATE crumb SET json = ?2 WHERE slot = ?1", params![slot, value.to_string()])?;
    }
    Ok(())
}

/// What servers answered, and what routes remember of it.
fn notes(db: &Connection, export: &Export) -> Result<()> {
    let receipts: Vec<(i64, String)> = db
        .prepare("SELECT number, note FROM receipt")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (number, note) in receipts {
        db.execute("UPDATE receipt SET note = ?2 WHERE number = ?1", params![number, export.text(&note)])?;
    }
    let states: Vec<(i64, String)> = db
        .prepare("SELECT number, state FROM route WHERE state IS NOT NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (number, json) in states {
        let mut value = value_of(&json);
        export.value("", &mut value);
        db.execute("UPDATE route SET state = ?2 WHERE number = ?1", params![number, value.to_string()])?;
    }
    let exceptions: Vec<Result<Exception, u64>> = {
        let mut select = db.prepare(&format!("SELECT {EXCEPTION} FROM exception"))?;
        let mut rows = select.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(Exception::read(row)?);
        }
        all
    };
    for exception in exceptions {
        match exception {
            Ok(before) => {
                let after = Exception { note: export.text(&before.note), ..before };
                db.execute(
                    "UPDATE exception SET note = ?3, crc = ?4 WHERE seq = ?1 AND route = ?2",
                    params![super::memory::signed(after.seq), after.route, after.note, after.crc()],
                )?;
            }
            Err(seq) => {
                db.execute("UPDATE exception SET note = '' WHERE seq = ?1", [super::memory::signed(seq)])?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW, ROUTE, receipt};
    use super::super::{Reader, RowEnd, RowState};
    use super::*;
    use crate::kind::{Kind, Purpose};
    use crate::reason::Reason;

    #[test]
    fn a_masked_copy_keeps_states_pauses_and_denials_and_every_checksum_is_right() {
        let mut bench = Bench::new();
        let mut json = r#"{"name":"pay","user":{"id":"priya-1","email":"priya@example.com"}}"#.to_owned();
        push_paused(&mut json, r#"["ga4"]"#);
        push_denied(&mut json, Purpose::Monitoring);
        bench.add_for(&[Kind::ScreenView, Kind::ScreenView], &["main".to_owned(), "ga4".to_owned()], &json);
        bench.add_for(&[Kind::Error], &[], r#"{"message":"nothing personal",  "n":1.50}"#);
        let lease = bench.lease(1).unwrap();
        let dead = RowEnd::Dead { reason: Reason::Poison, status: 400, note: "no priya@example.com".to_owned() };
        bench.store.settle(ROUTE, &[(lease.rows[0].seq, dead)], &receipt(400), None, NOW).unwrap();
        let mut fold = bench.store.begin(false, NOW).unwrap();
        fold.scope("user", Some(r#"{"id":"priya-1"}"#)).unwrap();
        fold.commit().unwrap();
        bench
            .store
            .db
            .execute("UPDATE event SET crc = crc + 1 WHERE seq = (SELECT max(seq) - 1 FROM event)", [])
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        bench.store.db.execute("VACUUM INTO ?1", [path.to_str().unwrap()]).unwrap();
        let masked = mask(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(5).any(|window| window == b"priya"));
        let reader = Reader::open(folder.path()).unwrap();
        let rows = reader.list(&super::super::Filter::default()).unwrap();
        assert_eq!((rows.len() as u64 + masked.removed, masked.removed, reader.damaged().unwrap()), (3, 1, 0));
        assert!(rows.iter().any(|one| one.row.json == r#"{"message":"nothing personal",  "n":1.50}"#), "not changed");
        let view = rows.iter().find(|one| one.row.kind == Kind::ScreenView).unwrap();
        assert!(view.row.is_paused_for("ga4") && view.row.denied() == Some(Purpose::Monitoring), "{}", view.row.json);
        let dead = rows.iter().flat_map(|one| &one.routes).find_map(|route| match &route.state {
            RowState::Dead { note, .. } => Some(note.as_str()),
            _ => None,
        });
        assert_eq!(dead, Some("no [email]"));
    }
}
