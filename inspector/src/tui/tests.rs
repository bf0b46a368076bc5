//! The screens of the queue that the golden files use, and what messages change.

use super::*;
use crate::source::{App, Folder, SourceError};
use message::{Answer, Job};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::{Value, json};
use shop_queue::Shop;
use state::{Overlay, Screen};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

#[path = "../../tests/shop_queue/mod.rs"]
mod shop_queue;

const SIZES: [(u16, u16); 3] = [(80, 24), (40, 20), (160, 40)];

/// The interface on a source that answers at once.
struct Person<'a> {
    state: State,
    source: &'a dyn Inspect,
}

impl<'a> Person<'a> {
    fn opens(source: &'a dyn Inspect, size: (u16, u16)) -> Person<'a> {
        let mut person = Person { state: State::new("shop", source.notes(), size, false), source };
        let first = person.state.start();
        person.follow(first);
        person
    }

    fn follow(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        follow(&mut self.state, self.source, effects)
    }

    fn press(&mut self, code: KeyCode) -> Vec<Effect> {
        let effects = update::update(&mut self.state, Message::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        self.follow(effects)
    }

    /// Types a text. Returns what is left to be done after the last key.
    fn types(&mut self, text: &str) -> Vec<Effect> {
        text.chars()
            .map(|c| self.press(if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) }))
            .last()
            .unwrap_or_default()
    }

    fn screen(&self) -> String {
        drawn(&self.state)
    }

    fn sees(&self, text: &str) -> bool {
        self.screen().contains(text)
    }
}

/// Answers with what a function returns for a request.
struct Answers<F>(F);

impl<F: Fn(&Value) -> Value + Send + Sync> Inspect for Answers<F> {
    fn try_inspect(&self, request: &str) -> Result<String, SourceError> {
        Ok((self.0)(&serde_json::from_str(request).unwrap()).to_string())
    }
}

/// Answers as a queue does, with these events.
fn queue(events: Vec<Value>) -> Answers<impl Fn(&Value) -> Value + Send + Sync> {
    Answers(move |request: &Value| match request["ask"].as_str().or(request["tell"].as_str()) {
        Some("about") => json!({"app": "shop@1", "can": ["drop", "requeue", "mark", "send_now"]}),
        Some("list") => json!({"events": events, "before": null, "unreadable": 0}),
        Some("status") => json!({"live": true, "balance": {"rows": events.len()}}),
        Some("show") => {
            let event = events.iter().find(|event| event["id"] == request["id"]).unwrap();
            json!({"event": event, "json": event, "wall_ms": 0, "mono_ms": 0, "lines": [event["name"]]})
        }
        Some("drops") => {
            json!({"drops": [{"day": "2026-01-05", "kind": "error", "reason": "expired", "n": 1, "route": "\u{1b}[31m"}]})
        }
        Some("why") => json!({"lines": ["\u{1b}]0;title\u{7}"]}),
        Some("drop") => json!({"dropped": 1}),
        Some("send_now") => json!({"destinations": [{"text": "team: 1 delivered, 0 left"}]}),
        _ => json!({"version": 1}),
    })
}

fn event(seq: u64, name: &str) -> Value {
    json!({"seq": seq, "id": format!("id-{seq}"), "kind": "error", "lane": "critical", "name": name, "wall_ms": seq * 1000, "bytes": 7,
        "state": "dead", "routes": [], "session": "s1"})
}

/// Compares a screen with its file. `REZ_BLESS=1` writes the files.
fn check(name: &str, screen: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(format!("{name}.txt"));
    if std::env::var_os("REZ_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, screen).unwrap();
    }
    let wanted = std::fs::read_to_string(&file).unwrap();
    assert!(screen == wanted, "{name} is\n{screen}\nand was\n{wanted}");
}

#[test]
fn each_view_has_a_screen_for_each_width() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    let file = Folder::open(folder.path()).unwrap();
    for size in SIZES {
        // The view, and the keys that lead to it.
        for (view, keys) in [
            ("events", ""),
            ("event", "j\n"),
            ("timeline", "jt"),
            ("status", "s"),
            ("drops", "d"),
            ("help", "?"),
            ("why", "w"),
            ("dead", "3"),
            ("search", "/pbt\n"),
            ("conditions", "fstatus >= 500\n"),
            ("conditions-wrong", "fstatus >\n"),
        ] {
            let mut person = Person::opens(&file, size);
            person.types(keys);
            check(&format!("{view}-{}", size.0), &person.screen());
        }
    }
    let app = App::new(shop.monitor.clone(), Duration::from_secs(60));
    let mut person = Person::opens(&app, SIZES[0]);
    person.types("D");
    check("app-delete-80", &person.screen());
    person.types("nx");
    check("app-fault-80", &person.screen());
    person.types("o");
    check("app-offline-80", &person.screen());
    person.types("xn");
    assert!(person.sees("requests no longer fail") && person.sees("live"), "{}", person.screen());
    person.types("S");
    check("app-send-now-80", &person.screen());
    shop.close();
}

#[test]
fn with_a_running_app_an_event_is_deleted_after_a_question_a_dead_letter_queued_again_and_a_moment_marked() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    let app = App::new(shop.monitor.clone(), Duration::from_secs(60));
    let mut person = Person::opens(&app, (80, 24));
    person.types("D");
    assert!(person.sees("Delete this event?") && person.sees("payment_failed"));
    person.types("n");
    assert!(person.sees("payment_failed") && person.state.notice.is_none(), "another key deletes nothing");
    person.types("Dy");
    assert!(person.sees("counted as cleared_by_user"), "{}", person.screen());
    person.types("R");
    assert!(person.sees("no dead letter"), "{}", person.screen());
    person.types("3");
    assert_eq!(person.state.list.len(), 1);
    person.types("R");
    assert!(person.sees("queued again") && person.state.list.len() == 0, "{}", person.screen());
    person.types("1mtapped Buy\n");
    assert!(person.sees("marked `tapped Buy`"));
    assert!(person.state.list.selected().unwrap().name.contains("tapped Buy"), "the newest event is followed");
    shop.close();
}

#[test]
fn requests_fail_as_the_first_letter_says_until_none_and_another_key_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    let app = App::new(shop.monitor.clone(), Duration::from_secs(60));
    let mut person = Person::opens(&app, (80, 24));
    for (key, fault) in [("o", "offline"), ("r", "refuse"), ("s", "slow")] {
        person.types("x");
        person.types(key);
        assert!(person.sees(&format!("fault: {fault}")), "{}", person.screen());
    }
    person.types("xq");
    assert!(person.sees("fault: slow"), "another key changes nothing: {}", person.screen());
    // Another face has ended it.
    let _ = shop.monitor.inspect(r#"{"tell": "fault", "fault": "none"}"#, Duration::from_secs(60));
    person.types("s");
    assert!(!person.sees("fault:"), "{}", person.screen());
    shop.close();
}

#[test]
fn a_file_says_that_only_an_app_can_send_mark_requeue_and_delete() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    let file = Folder::open(folder.path()).unwrap();
    let mut person = Person::opens(&file, (80, 24));
    for key in ["S", "m", "x", "R", "D"] {
        person.types(key);
        assert!(person.sees("only a running app"), "{key}: {}", person.screen());
        assert!(person.state.overlay.is_none() && person.state.input.is_none());
    }
    shop.close();
}

#[test]
fn no_text_of_an_event_reaches_the_terminal_as_a_command_and_each_event_has_one_line() {
    let hostile = "\u{1b}[2J\u{1b}]52;c;eA==\u{7}\u{9b}31m\u{202e}txt\r\nsecond\tline\u{0}";
    let mut first = event(2, hostile);
    first["state"] = json!("\u{1b}[5m");
    let source = queue(vec![first, event(1, &"\u{4f60}".repeat(500))]);
    for size in SIZES {
        for keys in ["", "\n", "w", "d", "D", "\nG", "/\u{1b}"] {
            let mut person = Person::opens(&source, size);
            person.types(keys);
            let screen = person.screen();
            let is_harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!screen.contains(is_harmful), "{keys}: {screen:?}");
            assert_eq!(screen.lines().count(), usize::from(size.1));
        }
    }
    let person = Person::opens(&source, (80, 24));
    assert_eq!(person.screen().matches("1970-01-01T").count() + person.screen().matches("00:00:0").count(), 2);
}

#[test]
fn an_empty_queue_says_so() {
    let source = queue(Vec::new());
    for size in SIZES {
        let mut person = Person::opens(&source, size);
        check(&format!("empty-{}", size.0), &person.screen());
        for keys in ["\n", "j", "G", "w", "y", "t", "R", "D", "S", "s", "d", "2", "/x\n"] {
            person.types(keys);
            person.press(KeyCode::Esc);
        }
    }
}

#[test]
fn a_screen_of_any_size_is_drawn() {
    let source = queue((0..50).rev().map(|seq| event(seq, "Oops, and a long text after it")).collect());
    for width in [1, 2, 5, 19, 59, 61, 109, 110, 300] {
        for height in [1, 2, 3, 4, 5, 6, 60] {
            for keys in ["", "j\nG", "s", "d", "?", "D", "/oops", "jG"] {
                let mut person = Person::opens(&source, (width, height));
                person.types(keys);
                assert_eq!(person.screen().lines().count(), usize::from(height), "{width}x{height} {keys}");
            }
        }
    }
}

#[test]
fn a_source_that_stops_answering_is_told_what_was_read_stays_and_it_goes_on() {
    let answers = Mutex::new(true);
    let names = queue(vec![event(1, "Oops")]);
    struct Sometimes<'a, S>(&'a Mutex<bool>, S);
    impl<S: Inspect> Inspect for Sometimes<'_, S> {
        fn try_inspect(&self, request: &str) -> Result<String, SourceError> {
            if *self.0.lock().unwrap() {
                self.1.try_inspect(request)
            } else {
                Err(crate::files::FileError::Missing("shop".into()).into())
            }
        }
    }
    let source = Sometimes(&answers, names);
    let mut person = Person::opens(&source, (80, 24));
    *answers.lock().unwrap() = false;
    let look = |person: &mut Person<'_>| {
        let effects =
            update::update(&mut person.state, Message::Answer(Box::new(worker::answer(person.source, Job::Version))));
        person.follow(effects);
    };
    look(&mut person);
    check("no-answer-80", &person.screen());
    assert!(person.sees("no answer") && person.sees("there is no file or folder shop") && person.sees("Oops"));
    person.types("2j");
    assert!(person.sees("no answer"), "{}", person.screen());
    *answers.lock().unwrap() = true;
    look(&mut person);
    assert!(!person.sees("no answer") && person.sees("Oops"), "{}", person.screen());
}

#[test]
fn a_source_that_is_slow_is_told_until_it_answers() {
    let source = queue(vec![event(1, "Oops")]);
    let mut person = Person::opens(&source, (80, 24));
    update::update(&mut person.state, Message::Busy(Duration::from_secs(7)));
    assert!(person.sees("no answer for 7 s") && person.sees("Oops"));
    let effects = person.state.refresh();
    person.follow(effects);
    assert!(!person.sees("no answer"));
}

#[test]
fn an_answer_to_an_earlier_question_is_not_shown() {
    let source = queue(vec![event(1, "Oops")]);
    let mut person = Person::opens(&source, (80, 24));
    let late = worker::answer(&source, Job::Events(person.state.list.query()));
    update::update(&mut person.state, Message::Key(KeyEvent::new(KeyCode::Char('3'), KeyModifiers::NONE)));
    assert!(update::update(&mut person.state, Message::Answer(Box::new(late))).is_empty());
    assert!(person.sees("reading") && !person.sees("Oops"), "{}", person.screen());
    let other = Answer {
        job: Job::Show("id-9".to_owned()),
        result: worker::answer(&source, Job::Show("id-1".to_owned())).result,
    };
    update::update(&mut person.state, Message::Answer(Box::new(other)));
    assert!(person.state.detail.is_none());
}

#[test]
fn the_json_of_the_event_is_copied_and_an_event_that_is_gone_is_told() {
    let source = queue(vec![event(2, "Oops"), event(1, "Older")]);
    let mut person = Person::opens(&source, (80, 24));
    let effects = person.types("jy");
    let [Effect::Copy(json)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(serde_json::from_str::<Value>(json).unwrap()["name"], "Older");
    let gone = Answers(|request: &Value| match request["ask"].as_str() {
        Some("show") => json!({"error": "no event has this id"}),
        _ => queue(vec![event(1, "Oops")]).0(request),
    });
    let mut person = Person::opens(&gone, (80, 24));
    person.types("y");
    assert!(person.sees("no event has this id"));
    person.types("\n");
    assert!(person.sees("no event has this id") && person.state.screen == Screen::Event);
}

#[test]
fn esc_leads_back_where_the_event_was_opened_then_removes_search_and_conditions() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path());
    let file = Folder::open(folder.path()).unwrap();
    let mut person = Person::opens(&file, (80, 24));
    person.types("fseq > 1\n/pay\n");
    assert!(person.state.list.is_filtered());
    person.types("t\n");
    assert_eq!(person.state.screen, Screen::Event);
    let mut screens = Vec::new();
    for _ in 0..2 {
        person.press(KeyCode::Esc);
        screens.push(person.state.screen);
    }
    assert_eq!(screens, [Screen::Timeline, Screen::Events]);
    person.press(KeyCode::Esc);
    assert!(person.state.list.search.is_empty() && !person.state.list.conditions.is_empty());
    person.press(KeyCode::Esc);
    assert!(!person.state.list.is_filtered() && person.state.list.len() > 5);
    shop.close();
}

#[test]
fn conditions_that_cannot_be_read_are_shown_with_the_place_and_can_be_corrected() {
    let source = queue(vec![event(1, "Oops")]);
    let mut person = Person::opens(&source, (80, 24));
    person.types("fstatus >\n");
    assert!(matches!(&person.state.overlay, Some(Overlay::Lines(_, lines)) if lines.last().unwrap().ends_with('^')));
    // The first key removes the message.
    person.types("x 1\n");
    assert_eq!(person.state.list.conditions, "status > 1");
    person.types("fx");
    person.press(KeyCode::Esc);
    assert_eq!(person.state.list.conditions, "status > 1", "Esc changes nothing");
}

#[test]
fn a_session_without_moments_and_an_event_without_a_session_say_so() {
    let (mut metric, mut alone) = (event(2, "fps"), event(1, "Oops"));
    metric["kind"] = json!("metric");
    alone["session"] = Value::Null;
    let source = queue(vec![metric]);
    let mut person = Person::opens(&source, (80, 24));
    person.types("t");
    assert!(person.sees("of this session is stored") && !person.sees("1970"), "{}", person.screen());
    let source = queue(vec![alone]);
    let mut person = Person::opens(&source, (80, 24));
    person.types("t");
    assert!(person.sees("the event has no session") && person.state.screen == Screen::Events);
}

#[test]
fn a_pasted_text_goes_where_a_text_is_typed_and_does_nothing_elsewhere() {
    let source = queue(vec![event(2, "Newer"), event(1, "Older")]);
    let mut person = Person::opens(&source, (80, 24));
    let paste =
        |person: &mut Person<'_>, text: &str| update::update(&mut person.state, Message::Paste(text.to_owned()));
    assert!(paste(&mut person, "qDy").is_empty() && person.state.overlay.is_none());
    person.types("/");
    assert!(paste(&mut person, "no\nzz\n").is_empty());
    assert_eq!((person.state.list.search.as_str(), person.state.list.len()), ("no zz", 0));
}

#[test]
fn on_a_wide_screen_the_event_under_the_cursor_stands_beside_the_list() {
    let source = queue(vec![event(2, "Newer"), event(1, "Older")]);
    let mut person = Person::opens(&source, (160, 40));
    assert!(person.sees("id-2"));
    person.types("j");
    assert!(person.sees("id-1") && !person.sees("id-2"));
    person.state.size = (80, 24);
    assert!(!person.sees("id-1"));
}

#[test]
fn without_colors_the_screen_tells_the_same_and_has_none() {
    let source = queue(vec![event(2, "Newer"), event(1, "Older")]);
    let mut person = Person::opens(&source, (80, 24));
    let colors = |state: &State| {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        terminal.draw(|frame| view::draw(frame, state)).unwrap();
        let cells = terminal.backend().buffer().content.iter();
        cells.filter(|cell| (cell.fg, cell.bg) != Default::default()).count()
    };
    let plain = person.screen();
    assert_eq!(colors(&person.state), 0);
    person.state.is_colored = true;
    assert!(colors(&person.state) > 0 && person.screen() == plain);
}

#[test]
fn every_key_of_the_help_does_something_and_control_c_ends() {
    let source = queue(vec![event(2, "Newer"), event(1, "Older")]);
    let mut person = Person::opens(&source, (80, 24));
    for before in ["", "/x", "?"] {
        person.types(before);
        let control_c = Message::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert_eq!(update::update(&mut person.state, control_c), [Effect::Quit], "{before}");
    }
    let letters = keys::KEYS.iter().flat_map(|(keys, _)| keys.split([' ', ',']).filter(|key| key.chars().count() == 1));
    for letter in letters.filter(|letter| letter.is_ascii()) {
        let mut person = Person::opens(&source, (80, 24));
        if matches!(letter, "k" | "g") {
            person.types("j");
        }
        if matches!(letter, "h" | "l" | "e") {
            // A table that is wider than the screen.
            person.types("d");
            person.state.size.0 = 20;
        }
        if letter == "1" {
            person.types("2");
        }
        if letter == "h" {
            person.types("l");
        }
        let before = format!("{:?}", person.state);
        let effects = person.types(letter);
        let does = format!("{:?}", person.state) != before || !effects.is_empty() || letter == "r";
        assert!(does, "{letter}");
    }
}
