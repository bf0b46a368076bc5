//! Any document, cut or changed anywhere: nothing panics, every accepted event is accounted for, and whole items beside a
//! broken one survive.

use super::*;
use proptest::prelude::*;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Items of every form, as JSON.
fn item() -> impl Strategy<Value = String> {
    let word = "\\PC{0,12}";
    let kind = proptest::sample::select(Kind::ALL.to_vec());
    let name = proptest::sample::select(vec![
        "name",
        "message",
        "type",
        "level",
        "duration_us",
        "url",
        "op",
        "value",
        "amount",
        "attrs",
        "frames",
        "context",
        "trace",
        "targets",
        "items",
        "at_ms",
        "id",
        "action",
        "component",
        "cause",
        "start_ms",
        "status",
        "unknown",
        "view",
        "scope",
        "breadcrumb",
        "kind",
    ]);
    let value = prop_oneof![
        word.prop_map(|text| Json::from(text).to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| Json::from(number).to_string()),
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("[1,{\"function\":\"f\",\"line\":-1}]".to_owned()),
        Just("{\"a\":{\"b\":[[[[[[1]]]]]]},\"a\":2}".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        Just("1e999".to_owned()),
    ];
    let members = proptest::collection::vec((name, value), 0..8);
    (kind, members, 0..4_u8).prop_map(|(kind, members, form)| {
        let first = match form {
            0 => "\"breadcrumb\":{\"message\":\"m\"}".to_owned(),
            1 => "\"scope\":\"tag\"".to_owned(),
            _ => format!("\"kind\":\"{}\"", kind.as_str()),
        };
        let members: String = members.into_iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
        format!("{{{first}{members}}}")
    })
}

/// One engine for all cases: opening one takes longer than a case. One test at a time has it, since the totals are compared.
fn engine() -> MutexGuard<'static, (Monitor, tempfile::TempDir)> {
    static ENGINE: OnceLock<Mutex<(Monitor, tempfile::TempDir)>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        Mutex::new((open(folder.path()), folder))
    });
    engine.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records the document; then everything that was accepted is folded and the balance holds.
fn survives(document: &str) {
    let engine = engine();
    let (monitor, folder) = &*engine;
    let accepted = monitor.0.shared.ring.last().1;
    let _ = monitor.record_batch(document);
    let now = monitor.0.shared.ring.last().1;
    monitor.persist(WAIT).unwrap();
    let balance = Reader::open(folder.path()).unwrap().balance().unwrap();
    assert!(balance.holds(), "{balance:?}");
    let folded: u64 = balance.kinds.iter().map(|kind| kind.folded).sum();
    assert_eq!(folded, now, "{} accepted of {document}", now - accepted);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_document_breaks_the_balance(
        items in proptest::collection::vec(item(), 0..12),
        cut in any::<proptest::sample::Index>(),
        at in any::<proptest::sample::Index>(),
        byte in any::<char>(),
        whole in any::<bool>(),
    ) {
        let document = format!("{{\"v\":1,\"items\":[{}]}}", items.join(","));
        survives(&document);
        let mut changed: Vec<char> = document.chars().collect();
        let place = at.index(changed.len());
        changed[place] = byte;
        let changed: String = changed.into_iter().collect();
        survives(&changed);
        if !whole {
            survives(document.get(..document.floor_char_boundary(cut.index(document.len()))).unwrap());
        }
    }

    #[test]
    fn any_text_is_refused_or_recorded_without_a_panic(text in any::<String>(), wild in "[\\[\\]{}\",:a0 \\\\]{0,120}") {
        survives(&text);
        survives(&format!("{{\"items\":[{wild}"));
        let _ = engine().0.record_fatal(&format!("{{\"items\":[{{}},{wild}"), Duration::ZERO);
    }

    #[test]
    fn whole_items_before_and_behind_a_broken_one_survive(broken in item(), at in any::<proptest::sample::Index>(), with in "[a-z0-9 :]") {
        // The break is inside the item, and of a kind that leaves quotes and brackets as they are.
        let places: Vec<usize> = broken
            .char_indices()
            .filter(|(at, char)| *at > 0 && char.is_ascii() && !"{}[]\"\\\\,".contains(*char))
            .map(|(at, _)| at)
            .collect();
        let mut broken = broken;
        if !places.is_empty() {
            let at = places[at.index(places.len())];
            broken.replace_range(at..=at, &with);
        }
        let engine = engine();
        let (monitor, folder) = &*engine;
        let witness = |place: &str| {
            let id = monitor.ids().event_id(NOW);
            (id, format!("{{\"kind\":\"analytics\",\"name\":\"{place}\",\"id\":\"{id}\"}}"))
        };
        let ((first, before), (last, behind)) = (witness("before"), witness("behind"));
        let _ = monitor.record_batch(&format!("{{\"items\":[{before},{broken},{behind}]}}"));
        monitor.persist(WAIT).unwrap();
        let reader = Reader::open(folder.path()).unwrap();
        for id in [first, last] {
            prop_assert!(reader.fate(id).unwrap().row.is_some(), "{broken}");
        }
    }
}

const NOW: i64 = 1_795_400_000_000;
