use super::*;
use crate::kind::Kind;
use serde_json::json;

fn row(kind: Kind, json: &Value) -> Row {
    Row {
        seq: 7,
        id: "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11".parse().unwrap(),
        kind,
        run: 1,
        wall_ms: 1_000,
        mono_ms: 0,
        targets: Vec::new(),
        json: json.to_string(),
    }
}

fn holds(filter: &str, json: &Value) -> bool {
    let conditions = Conditions::parse(filter).unwrap_or_else(|error| panic!("{error}"));
    conditions.hold(&Fields { row: &row(Kind::ApiCall, json), state: Some(State::Queued) })
}

fn call() -> Value {
    json!({"method": "GET", "endpoint": "/pay", "status": 503, "level": "error", "session": "s1", "slow": true,
        "attrs": {"plan": "gold", "items": 3, "a.b": "dotted", "q\"\n": 1}, "user": {"id": "u-1"}, "trail": [{"message": "tap"}], "empty": null, "version": "1.10", "big": 9_007_199_254_740_993_i64})
}

#[test]
fn fields_of_the_event_of_its_row_and_of_the_app_are_compared() {
    for filter in [
        "",
        "kind=api_call",
        "kind = api_call, lane=normal and state == queued && seq=7",
        "status>=500",
        "attrs.status >= 500",
        "attrs.plan=gold",
        "plan = 'gold'",
        "items > 2.5",
        "user.id = u-1",
        "trail.0.message = tap",
        "attrs.\"a.b\" = dotted",
        "attrs.'q\\\"\n' = 1",
        "slow = true",
        "status = \"503\"",
        "wall_ms < 1001",
        "empty = null",
        "missing = null",
        "status != null",
        "missing != x",
        "name = /pay",
        "name = \"GET /pay\"",
        "name != /cart",
        "endpoint ~ PAY",
        "endpoint ~ */p*y",
        "level ~ *",
        "id ~ 019f0c1e*9c11",
        "AND = null",
        "version = 1.10",
        "version ~ 1.1",
        "big = 9007199254740993",
        "big > 9007199254740992",
        "status < 1e3",
    ] {
        assert!(holds(filter, &call()), "{filter}");
    }
    for filter in [
        "kind=error",
        "status<500",
        "status >= 1000",
        "plan = silver",
        "missing = x",
        "missing > 0",
        "missing ~ *",
        "name = /cart",
        "name != /pay",
        "endpoint ~ p*x",
        "endpoint ~ pay*",
        "state = dead",
        "status = null",
        "slow = false",
        "trail.7.message = tap",
        "kind=api_call, status=200",
        "version = 1.1",
        "big = 9007199254740992",
        "status < inf",
        "status = 'x'",
        "level = null",
        "status > null",
    ] {
        assert!(!holds(filter, &call()), "{filter}");
    }
}

#[test]
fn a_state_that_is_not_known_holds_for_nothing() {
    let (state, others) = Conditions::parse("state = queued, kind = error").unwrap().split_state();
    assert_eq!((state.0.len(), others.0.len()), (1, 1));
    let fields = Fields { row: &row(Kind::Error, &json!({})), state: None };
    assert!(!state.hold(&fields) && others.hold(&fields));
}

#[test]
fn a_filter_that_cannot_be_read_says_where_and_what_was_expected() {
    for (filter, at, expected) in [
        ("kind", 4, "one of = != < <= > >= ~"),
        ("= 3", 0, "the name of a field"),
        ("kind = ", 7, "a value"),
        ("kind = error status = 3", 13, "a comma, `and` or the end"),
        ("kind = error,", 13, "a condition"),
        ("kind = error andstatus = 3", 13, "a comma, `and` or the end"),
        ("name = \"pay", 11, "the closing quote"),
        ("a..b = 3", 2, "the name of a field"),
        ("naïve = x, ü ? 3", 15, "one of = != < <= > >= ~"),
        (",", 0, "the name of a field"),
        ("kind = errrr", 7, "a kind, such as error, api_call or analytics"),
        ("lane != fast", 8, "crash, critical, normal or bulk"),
        ("name = x, state=sent", 16, "queued, dead, dropped, delivered or settled"),
        ("seq = abc", 6, "a number"),
    ] {
        let error = Conditions::parse(filter).unwrap_err();
        assert_eq!((error.at, error.expected), (at, expected), "{filter}");
    }
    let error = Conditions::parse("ü = \"é").unwrap_err().to_string();
    assert_eq!(error, "the filter cannot be read at character 7: expected the closing quote\n  ü = \"é\n        ^");
    let many = ["a=1"; CONDITIONS + 1].join(",");
    assert!(Conditions::parse(&many).unwrap_err().expected.contains("at most 32"));
    assert!(Conditions::parse(&["a=1"; CONDITIONS].join(",")).is_ok());
}

#[test]
fn each_condition_is_a_filter_that_means_the_same() {
    let filter = r#"kind==error and name != 'a "b\\c', attrs."x y".z >= 5, level = null, text ~ *a*"#;
    let conditions = Conditions::parse(filter).unwrap();
    let each = conditions.each();
    assert_eq!(
        each,
        ["kind = \"error\"", r#"name != "a \"b\\c""#, "attrs.\"x y\".z >= 5", "level = null", "text ~ \"*a*\""]
    );
    assert_eq!(Conditions::parse(&each.join(", ")).unwrap(), conditions);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused_at_a_place_in_it(text in "\\PC{0,40}") {
        if let Err(error) = Conditions::parse(&text) {
            proptest::prop_assert!(text.is_char_boundary(error.at), "{:?}", error);
            proptest::prop_assert!(error.to_string().ends_with('^'));
        }
    }

    #[test]
    fn a_pattern_matches_what_the_same_search_by_hand_matches(text in "[ab]{0,8}", pattern in "[ab*]{0,6}") {
        fn by_hand(text: &[u8], pattern: &[u8]) -> bool {
            match pattern.split_first() {
                None => text.is_empty(),
                Some((b'*', rest)) => (0..=text.len()).any(|from| by_hand(&text[from..], rest)),
                Some((first, rest)) => text.first() == Some(first) && by_hand(&text[1..], rest),
            }
        }
        let whole = if pattern.contains('*') { pattern.clone() } else { format!("*{pattern}*") };
        proptest::prop_assert_eq!(is_like(&text, &pattern), by_hand(text.as_bytes(), whole.as_bytes()));
    }
}
