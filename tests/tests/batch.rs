//! The batch document: its guide, its schema, and kills around it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::inspect::{Filter, Reader};
use rez_monitor::{Config, Consent, Monitor, Purpose};
use rez_monitor_tests::contract::destinations::ALL;
use rez_monitor_tests::contract::world::World;
use rez_monitor_tests::contract::{folder, server_vectors, vectors};
use rez_monitor_tests::scenario::Scenario;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const CHILD: &str = env!("CARGO_BIN_EXE_child");
const WAIT: Duration = Duration::from_secs(60);

fn schema() -> jsonschema::Validator {
    let text = std::fs::read_to_string(folder().join("schema/batch-v1.json")).unwrap();
    jsonschema::draft7::new(&serde_json::from_str(&text).unwrap()).unwrap()
}

/// The first block of JSON in the guide.
fn example() -> String {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/batch.md");
    let text = std::fs::read_to_string(guide).unwrap();
    let (_, block) = text.split_once("```json").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_example_of_the_guide_is_recorded_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::builder(folder.path(), "shop", "shop@1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .clock(rez_monitor::Clock::manual(1_795_400_000_000, 1_000))
        .sessions(false)
        .build()
        .unwrap();
    let monitor = Monitor::open(config).unwrap();
    assert!(monitor.record_batch(&example()));
    monitor.close(WAIT);
    let rows = Reader::open(folder.path()).unwrap().list(&Filter::default()).unwrap();
    let kinds: Vec<_> = rows.iter().map(|listed| listed.row.kind.as_str()).collect();
    assert_eq!(kinds, ["analytics", "api_call", "message", "error"]);
    let error: Value = serde_json::from_str(&rows[3].row.json).unwrap();
    assert_eq!(rows[3].row.id.to_string(), "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11");
    assert_eq!(rows[3].row.wall_ms, 1_795_399_999_900);
    assert_eq!((&error["user"]["id"], &error["trail"][0]["message"]), (&"u-42".into(), &"Pay".into()));
}

#[test]
fn the_schema_accepts_the_example_and_every_document_of_the_contract_vectors() {
    let schema = schema();
    let check = |name: &str, document: &Value| {
        let errors: Vec<_> = schema.iter_errors(document).map(|error| format!("{name}: {error}")).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    };
    check("the guide", &serde_json::from_str(&example()).unwrap());
    let mut documents = 0;
    for vector in vectors().into_iter().chain(server_vectors()) {
        let world = World::play_batches(&vector, ALL[0].accept).unwrap();
        documents += world.documents.len();
        world.documents.iter().for_each(|document| check(&vector.name, document));
    }
    assert!(documents >= 80, "{documents} documents");
}

#[test]
fn the_schema_refuses_what_the_decoder_counts_as_malformed() {
    let schema = schema();
    for item in [
        json!({"kind": "analytics"}),
        json!({"kind": "session"}),
        json!({"kind": 7}),
        json!({}),
        json!({"kind": "metric", "name": "m", "type": "sum", "value": 1}),
        json!({"kind": "api_call", "url": "https://a.example/"}),
        json!({"kind": "hang", "duration_us": -1}),
        json!({"kind": "error"}),
        json!({"kind": "screen_view", "key": "cart"}),
        json!({"kind": "message", "message": "m", "id": "6f1e1b3c-0f1e-4a53-9b0e-3b6a3f0d9c11"}),
        json!(5),
    ] {
        assert!(!schema.is_valid(&json!({"v": 1, "items": [item]})), "{item}");
    }
    assert!(!schema.is_valid(&json!([])) && !schema.is_valid(&json!({"v": 1})));
}

#[test]
fn a_kill_around_append_fold_and_commit_of_a_batch_loses_and_doubles_nothing() {
    for fault in [
        "append_started:4",
        "append_published:4",
        "record_read:4",
        "fold_commit:2",
        "fold_committed:1",
        "superblock_written:1",
    ] {
        let scenario = Scenario::new(CHILD);
        let output = scenario.killed_at(fault, "batch=50 n=2000 pause_us=5000 end=wait");
        let found = scenario.deliver();
        found.has_all(&output.recorded);
        found.nothing_dropped();
        // At most the document that was under way is there without all acknowledgements, and the whole of it.
        let more = found.collected.len() - output.recorded.len();
        assert!(more <= 50 && found.collected.len().is_multiple_of(50), "{fault}: {more} more");
        // A request that the kill interrupted is repeated with the same ids, and the server keeps one of each.
        found.none_doubled();
    }
}

#[test]
fn a_document_of_several_records_survives_a_kill_between_them() {
    let scenario = Scenario::new(CHILD);
    // The third append is the second record of the first document: no document was acknowledged.
    let output = scenario.killed_at("append_published:3", "batch=600 n=600 end=wait");
    assert!(output.recorded.is_empty());
    let found = scenario.deliver();
    found.none_doubled();
    found.nothing_dropped();
    assert!(found.collected.len() > 100 && found.collected.len() < 600, "{}", found.collected.len());
}

#[test]
fn rows_of_a_batch_are_carved_from_a_damaged_file_with_their_own_ids() {
    let scenario = Scenario::new(CHILD);
    let output = scenario.run("batch=50 n=300 end=close");
    let file = scenario.folder().join("queue.db");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[..100].fill(0xa5);
    std::fs::write(&file, bytes).unwrap();
    let found = scenario.deliver();
    found.has_exactly(&output.recorded);
}
