use super::decode::{Body, Raw};
use super::field::Field;
use super::*;
use crate::limits::RECORD_BYTES;

fn round_trip(event: &Event<'_>, check: impl FnOnce(Body<'_>)) {
    let mut buffer = [0u8; RECORD_BYTES];
    let len = event.encode(&mut buffer, -5, 77);
    let body = Body::decode(&buffer[..len]).unwrap();
    assert_eq!((body.wall_ms, body.mono_us), (-5, 77));
    check(body);
}

#[test]
fn a_decoded_event_equals_the_encoded_one() {
    let frames = [Frame { function: "pay", file: "cart.rs", line: 7, in_app: true, ..Frame::default() }];
    let event = ErrorEvent::new("PaymentError", "no 🛒 left").frames(&frames).code("E1").into_event(Kind::Error);
    let attrs = [("a", Value::List(&[Value::I64(-1), Value::Null])), ("b", 0.5.into())];
    let event = event.targets(&["own"]).attrs(&attrs);
    round_trip(&event, |body| {
        assert_eq!(body.str(Field::Message), Some("no 🛒 left"));
        assert_eq!(body.get(Field::Handled), Some(Raw::Bool(true)));
        let Some(Raw::List(1, mut reader)) = body.get(Field::Frames) else { panic!() };
        assert!(matches!(reader.value(), Some(Raw::Frame(frame)) if frame.function == "pay" && frame.line == 7));
        let Some(Raw::List(1, mut reader)) = body.get(Field::Targets) else { panic!() };
        assert_eq!(reader.value(), Some(Raw::Str("own")));
        let Some(Raw::Map(2, mut reader)) = body.get(Field::Attrs) else { panic!() };
        assert!(matches!(reader.entry(), Some(("a", Raw::List(2, _)))));
        assert_eq!(reader.entry(), Some(("b", Raw::F64(0.5))));
        assert_eq!(body.get(Field::Cut), None);
    });
}

#[test]
fn values_beyond_a_limit_or_not_finite_are_cut_and_counted() {
    let name = "n".repeat(10_000);
    let text = "é🛒\0".repeat(4_000);
    let deepest = [Value::List(&[Value::I64(1)])];
    let e = [Value::List(&deepest)];
    let d = [Value::List(&e)];
    let c = [Value::List(&d)];
    let b = [Value::List(&c)];
    let many: Vec<_> = (0..300).map(|_| ("k", Value::I64(1))).collect();
    round_trip(
        &Event::analytics(&name).attrs(&[
            ("deep", Value::List(&b)),
            ("nan", f64::NAN.into()),
            ("text", (&text).into()),
        ]),
        |body| {
            assert_eq!(body.str(Field::Name).map(str::len), Some(200));
            assert!(body.str(Field::Name).unwrap().ends_with('…'));
            assert_eq!(body.i64(Field::Cut), Some(4));
            let Some(Raw::Map(3, mut reader)) = body.get(Field::Attrs) else { panic!() };
            reader.entry();
            assert_eq!(reader.entry(), Some(("nan", Raw::Str("NaN"))));
            assert!(
                matches!(reader.entry(), Some(("text", Raw::Str(text))) if text.len() <= 8192 && text.ends_with('…'))
            );
        },
    );
    round_trip(&Event::analytics("x").attrs(&many), |body| {
        assert!(matches!(body.get(Field::Attrs), Some(Raw::Map(128, _))));
        assert_eq!(body.i64(Field::Cut), Some(172));
    });
}

#[test]
fn an_event_larger_than_a_record_loses_attributes_before_other_fields() {
    let text = "x".repeat(8_000);
    let attrs: Vec<_> = (0..20).map(|_| ("k", Value::from(&text))).collect();
    round_trip(&Event::analytics("big").attrs(&attrs), |body| {
        assert_eq!(body.str(Field::Name), Some("big"));
        let Some(Raw::Map(n, _)) = body.get(Field::Attrs) else { panic!() };
        assert!((4..=5).contains(&n), "{n}");
        assert!(body.i64(Field::Cut).unwrap() >= 15);
    });
}

#[test]
fn decoding_damaged_bytes_returns_none_or_fewer_fields_and_never_panics() {
    let mut buffer = [0u8; RECORD_BYTES];
    let event = Event::analytics("x").attrs(&[("m", Value::Map(&[("k", Value::List(&[Value::Str("text")]))]))]);
    let len = event.encode(&mut buffer, 1, 2);
    for at in 0..len {
        assert!(Body::decode(&buffer[..at]).is_none_or(|body| body.fields.len() < 2));
        for bit in 0..8 {
            let mut damaged = buffer[..len].to_vec();
            damaged[at] ^= 1 << bit;
            let _ = Body::decode(&damaged);
        }
    }
    let _ = Body::decode(&[super::encode::LIST; 5_000]);
}

#[test]
fn typed_calls_use_only_the_fields_of_their_kind() {
    let second = std::time::Duration::from_secs(1);
    let frames = [Frame::default()];
    let list = [("a", Value::I64(1))];
    let items = [Value::Map(&list)];
    let error = ErrorEvent::new("E", "m").frames(&frames).code("c").mechanism("generic").fingerprint("f");
    let error = error.context(&list).attrs(&list);
    let revenue = Revenue { transaction_id: Some("T"), items: &items, attrs: &list, ..Revenue::new(1.0, "INR") };
    let events = [
        error.into_event(Kind::Error),
        error.into_event(Kind::Crash),
        Event::hang(second, &frames),
        Event::app_exit("anr", "m"),
        revenue.into_event(),
        Event::interaction("tap", "b").attrs(&list),
        Event::screen_view("s", Some("c")).attrs(&list),
        Event::view_start("k", "s").attrs(&list),
        Event::view_stop("k"),
        Event::analytics("a").attrs(&list),
        People::Set("p", Value::Null).into_event(),
        People::Increment("p", 1.0).into_event(),
        People::Append("p", Value::Null).into_event(),
        People::SetOnce("p", Value::Null).into_event(),
        People::Unset("p").into_event(),
        People::Union("p", &[Value::Null]).into_event(),
        People::Remove("p", Value::Null).into_event(),
        People::Delete.into_event(),
        Event::message("m", crate::Level::Info).context(&list).attrs(&list),
        Log::new(crate::Level::Trace, "m").logger("a.b").attrs(&list).into_event(),
        Metric::Gauge(1.0).into_event("m").attrs(&list),
        Event::frames("s", 1, 1, 2).attrs(&list),
        Alert::new(AlertSeverity::Critical, "t").description("d").details(&list).into_event(),
    ];
    for event in events {
        let known = super::field::of_kind(event.kind());
        round_trip(&event, |body| {
            for (field, _) in body.fields {
                assert!(known.contains(&field), "{:?} has no {field:?} in `of_kind`", event.kind());
            }
        });
    }
}

#[test]
fn of_an_error_with_more_than_a_record_holds_the_frames_and_causes_stay_and_the_rest_is_counted() {
    let text = "x".repeat(200);
    let frames = [Frame { function: &text, file: &text, module: &text, ..Frame::default() }; 60];
    let causes = [Cause::new("E", &text).frames(&frames); 12];
    let threads = [Thread { name: &text, frames: &frames, ..Thread::default() }; 100];
    let attrs = [("note", Value::Str("kept"))];
    let error = ErrorEvent::new("E", "m").frames(&frames).causes(&causes).threads(&threads).attrs(&attrs);
    round_trip(&error.into_event(Kind::Error), |body| {
        let count = |field| match body.get(field) {
            Some(Raw::List(count, _)) => count,
            other => panic!("{field:?}: {other:?}"),
        };
        assert_eq!(count(Field::Frames), 50);
        assert!(count(Field::Causes) >= 1);
        assert!(matches!(body.get(Field::Attrs), Some(Raw::Map(1, _))));
        assert!(body.i64(Field::Cut).unwrap() > 10);
    });
}

#[test]
fn a_cause_belongs_to_an_exception_before_it_or_to_the_error() {
    let causes = [Cause::new("a", "").parent(1), Cause::new("b", "").parent(1), Cause::new("c", "").parent(usize::MAX)];
    round_trip(&ErrorEvent::new("E", "m").causes(&causes).into_event(Kind::Error), |body| {
        let Some(Raw::List(3, mut reader)) = body.get(Field::Causes) else { panic!() };
        let parents = [(); 3].map(|()| match reader.value() {
            Some(Raw::Map(count, mut entries)) => {
                let entries: Vec<_> = (0..count).map_while(|_| entries.entry()).collect();
                entries.iter().find(|(key, _)| *key == "parent").unwrap().1.i64().unwrap()
            }
            other => panic!("{other:?}"),
        });
        assert_eq!((parents, body.i64(Field::Cut)), ([0, 1, 0], Some(2)));
    });
}

#[test]
fn a_frame_keeps_its_language_beside_the_mark_of_the_apps_own_code() {
    for language in Language::ALL.into_iter().map(Some).chain([None]) {
        for in_app in [true, false] {
            let frames = [Frame { function: "f", language, in_app, ..Frame::default() }];
            round_trip(&Event::hang(std::time::Duration::ZERO, &frames), |body| {
                let Some(Raw::List(1, mut reader)) = body.get(Field::Frames) else { panic!() };
                let Some(Raw::Frame(frame)) = reader.value() else { panic!() };
                assert_eq!((frame.language, frame.in_app), (language, in_app));
            });
        }
    }
}

#[test]
fn a_record_of_any_size_is_read_back_with_its_targets() {
    let parts: Vec<String> = (0..40).map(|n| "p".repeat(n % 7)).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let error = ErrorEvent::new("E", "m").fingerprints(&parts).into_event(Kind::Error).targets(&["own"]);
    for size in 80..400 {
        let mut buffer = vec![0; size];
        let len = error.encode(&mut buffer, -5, 77);
        let body = Body::decode(&buffer[..len]).unwrap_or_else(|| panic!("{size} bytes"));
        assert_eq!(body.targets(), ["own"], "{size} bytes");
    }
}

#[test]
fn the_last_language_of_a_hang_counts() {
    let mut hang = Event::hang(std::time::Duration::ZERO, &[]);
    for language in Language::ALL.into_iter().chain(Language::ALL).chain(Language::ALL) {
        hang = hang.language(language);
    }
    round_trip(&hang, |body| {
        assert_eq!(body.fields.iter().filter(|(field, _)| *field == Field::Language).count(), 1);
        assert_eq!(body.str(Field::Language), Language::ALL.last().map(|language| language.as_str()));
    });
}
