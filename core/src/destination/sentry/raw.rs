//! JSON taken apart without being parsed: a row's fields as the text they are, to be put into another object as they are.
//!
//! A row is valid JSON (the writer made it, or serde_json after a hook). Of text that is none, what comes before the fault
//! is found.

/// The members of a JSON object: names without their quotes (as they are spelled), and values as text.
pub(super) fn members(object: &str) -> Members<'_> {
    Members { text: object, at: if object.starts_with('{') { 1 } else { object.len() }, list: None }
}

/// The same, and of the member of this name, if it is an array, its elements: one look at a long array gives both.
pub(super) fn members_and_list<'a>(object: &'a str, list: &'a str) -> (Vec<(&'a str, &'a str)>, Vec<&'a str>) {
    let mut members = Members { list: Some((list, Vec::new())), ..members(object) };
    let mut found = Vec::with_capacity(24);
    found.extend(members.by_ref());
    (found, members.list.map(|(_, elements)| elements).unwrap_or_default())
}

/// The elements of a JSON array as text.
pub(super) fn elements(array: &str) -> Elements<'_> {
    Elements { text: array, at: if array.starts_with('[') { 1 } else { array.len() } }
}

/// See [`members`].
pub(super) struct Members<'a> {
    text: &'a str,
    at: usize,
    list: Option<(&'a str, Vec<&'a str>)>,
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let key = next_start(bytes, self.at).filter(|at| bytes.get(*at) == Some(&b'"'))?;
        let key_end = value_end(bytes, key)?;
        let colon = next_start(bytes, key_end).filter(|at| bytes.get(*at) == Some(&b':'))?;
        let value = next_start(bytes, colon + 1)?;
        let name = self.text.get(key + 1..key_end - 1)?;
        let end = match &mut self.list {
            Some((list, elements)) if *list == name && bytes.get(value) == Some(&b'[') => {
                let mut rest = Elements { text: self.text, at: value + 1 };
                elements.extend(rest.by_ref());
                let rest = bytes.get(rest.at..)?;
                let blank = rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))?;
                (rest.get(blank) == Some(&b']')).then_some(bytes.len() - rest.len() + blank + 1)?
            }
            _ => value_end(bytes, value)?,
        };
        self.at = end;
        Some((name, self.text.get(value..end)?))
    }
}

/// See [`elements`].
pub(super) struct Elements<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let start = next_start(bytes, self.at)?;
        let end = value_end(bytes, start)?;
        self.at = end;
        self.text.get(start..end)
    }
}

/// The next byte that is neither blank nor a comma; `None` at the end of the text or of what it holds.
fn next_start(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let at = rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b','))?;
    (!matches!(rest.get(at), Some(b'}' | b']'))).then_some(from + at)
}

/// Where the value that begins here ends.
fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    match bytes.get(start)? {
        b'"' => {
            let mut rest = bytes.get(start + 1..)?.iter();
            pass_string(&mut rest)?;
            Some(bytes.len() - rest.len())
        }
        b'{' | b'[' => {
            // An iterator, for a trail of 20 KB comes through here three times: without a check of bounds for each byte.
            let (mut rest, mut depth) = (bytes.get(start..)?.iter(), 0usize);
            loop {
                match rest.next()? {
                    b'"' => pass_string(&mut rest)?,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' if depth == 1 => return Some(bytes.len() - rest.len()),
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
            }
        }
        _ => {
            let rest = bytes.get(start..)?;
            let len = rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
            Some(start + len.unwrap_or(rest.len()))
        }
    }
}

/// Goes on behind the end of a string whose first quote was read.
fn pass_string(rest: &mut std::slice::Iter<'_, u8>) -> Option<()> {
    loop {
        match rest.next()? {
            b'"' => return Some(()),
            b'\\' => _ = rest.next()?,
            _ => {}
        }
    }
}

/// The text a JSON string stands for; empty where it is none.
pub(super) fn text(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_default()
}

/// Writes one JSON object into a string, member by member.
pub(super) struct Object<'o> {
    out: &'o mut String,
    any: bool,
}

impl<'o> Object<'o> {
    /// Writes an object.
    pub(super) fn write(out: &'o mut String, members: impl FnOnce(&mut Object<'_>)) {
        out.push('{');
        let mut object = Object { out, any: false };
        members(&mut object);
        object.out.push('}');
    }

    fn key(&mut self, key: &str) {
        if self.any {
            self.out.push(',');
        }
        self.any = true;
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
    }

    /// A member that is JSON already; the key as it is spelled in JSON.
    pub(super) fn raw(&mut self, key: &str, json: &str) {
        self.key(key);
        self.out.push_str(json);
    }

    /// The same, if it is there and not `null`.
    pub(super) fn maybe(&mut self, key: &str, json: Option<&str>) {
        if let Some(json) = json.filter(|json| *json != "null") {
            self.raw(key, json);
        }
    }

    /// A text.
    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.raw(key, &quoted(text));
    }

    /// A number, or anything that prints as JSON.
    pub(super) fn number(&mut self, key: &str, number: impl std::fmt::Display) {
        self.raw(key, &number.to_string());
    }

    /// A time of the wall clock, RFC 3339.
    pub(super) fn time(&mut self, key: &str, ms: i64) {
        self.key(key);
        self.out.push('"');
        push_time(self.out, ms);
        self.out.push('"');
    }

    /// An object.
    pub(super) fn object(&mut self, key: &str, members: impl FnOnce(&mut Object<'_>)) {
        self.key(key);
        Object::write(self.out, members);
    }

    /// An array; `elements` writes what stands between the brackets.
    pub(super) fn array(&mut self, key: &str, elements: impl FnOnce(&mut String)) {
        self.key(key);
        self.out.push('[');
        elements(self.out);
        self.out.push(']');
    }
}

/// A JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned())
}

/// Writes the elements of an array with commas between.
pub(super) fn push_list<T>(
    out: &mut String,
    values: impl IntoIterator<Item = T>,
    mut push: impl FnMut(&mut String, T),
) {
    for (at, value) in values.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push(out, value);
    }
}

/// Milliseconds of years 0 and 9999: beyond them RFC 3339 has no form.
const CALENDAR: (i64, i64) = (-62_167_219_200_000, 253_402_300_799_999);

/// RFC 3339 in UTC with milliseconds; a clock outside the calendar is put to its edge. Without a calendar library, since
/// an event has a hundred of them.
pub(super) fn push_time(out: &mut String, ms: i64) {
    let ms = ms.clamp(CALENDAR.0, CALENDAR.1);
    let (days, ms) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    // Days since 1970 to a date of the Gregorian calendar, by eras of 400 years that begin on the first of March.
    let day = days + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let mut digits = |at: std::ops::Range<usize>, number: i64| {
        let mut rest = number as u32;
        for place in text.get_mut(at).unwrap_or_default().iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    };
    digits(0..4, year);
    digits(5..7, month);
    digits(8..10, day);
    digits(11..13, ms / 3_600_000);
    digits(14..16, ms / 60_000 % 60);
    digits(17..19, ms / 1_000 % 60);
    digits(20..23, ms % 1_000);
    // ASCII only, so this cannot fail.
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}

/// Seconds since 1970 with milliseconds, as a JSON number.
pub(super) fn seconds(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", ms.unsigned_abs() / 1_000, ms.unsigned_abs() % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn members_and_elements_are_found_as_they_are_spelled() {
        let object = r#" {"a" : 1, "b\"c":"x\\\"}]", "d":{"e":[1,{"f":"]"}]},"g":[],"h":null }"#.trim();
        let found: Vec<_> = members(object).collect();
        let expected =
            [("a", "1"), ("b\\\"c", r#""x\\\"}]""#), ("d", r#"{"e":[1,{"f":"]"}]}"#), ("g", "[]"), ("h", "null")];
        assert_eq!(found, expected);
        assert_eq!(elements(r#"[1, "a,b",[2], {"c":3}]"#).collect::<Vec<_>>(), ["1", "\"a,b\"", "[2]", "{\"c\":3}"]);
        assert_eq!(elements("[]").count() + elements("{}").count() + members("[1]").count() + members("").count(), 0);
    }

    #[test]
    fn a_list_is_taken_apart_on_the_way_to_its_end() {
        let object = r#"{"a":1,"list":[ {"x":"]"}, {"y":[2]} ],"b":{"list":[3]}}"#;
        let (found, list) = members_and_list(object, "list");
        assert_eq!(found, members(object).collect::<Vec<_>>());
        assert_eq!(list, [r#"{"x":"]"}"#, r#"{"y":[2]}"#]);
        for none in [r#"{"list":[]}"#, r#"{"list":{}}"#, r#"{"list":null}"#, "{}", r#"{"list":["#] {
            let (found, list) = members_and_list(none, "list");
            assert_eq!((found, list.len()), (members(none).collect(), 0), "{none}");
        }
    }

    #[test]
    fn broken_text_gives_what_comes_before_the_fault() {
        for broken in ["{", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":\"", "{\"a\":{", "[", "[\"\\", "{1:2}", "{\"a\" 1}"] {
            assert_eq!(members(broken).count(), 0, "{broken}");
            let _ = elements(broken).count();
        }
        assert_eq!(members("{\"a\":1,\"b\":[").count(), 1);
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            ".{0,8}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                proptest::collection::btree_map(".{0,4}", inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn taken_apart_and_put_together_an_object_is_the_same(value in json()) {
            let text = value.to_string();
            let mut again = String::new();
            if value.is_object() {
                Object::write(&mut again, |object| members(&text).for_each(|(key, value)| object.raw(key, value)));
                prop_assert_eq!(again, text);
            } else if value.is_array() {
                push_list(&mut again, elements(&text), |out, element| out.push_str(element));
                prop_assert_eq!(format!("[{again}]"), text);
            }
        }

        #[test]
        fn any_text_is_taken_apart_without_a_panic(text in ".{0,40}") {
            let _ = members(&text).count() + elements(&text).count();
        }

        #[test]
        fn a_time_is_what_the_calendar_library_says(ms in CALENDAR.0..=CALENDAR.1) {
            let mut out = String::new();
            push_time(&mut out, ms);
            let expected = jiff::Timestamp::from_millisecond(ms).unwrap();
            prop_assert_eq!(out, format!("{expected:.3}"));
        }
    }

    #[test]
    fn clocks_outside_the_calendar_are_put_to_its_edge() {
        for (ms, expected) in [(i64::MIN, "0000-01-01T00:00:00.000Z"), (i64::MAX, "9999-12-31T23:59:59.999Z")] {
            let mut out = String::new();
            push_time(&mut out, ms);
            assert_eq!(out, expected);
        }
        assert_eq!([seconds(1_795_400_000_007), seconds(-1_500)], ["1795400000.007", "-1.500"]);
    }
}
