//! Splits JSON into its members and elements without parsing it, so that values of a row can be copied into another
//! object.
//!
//! A row is valid JSON: the writer made it, or serde_json did after a hook. Invalid JSON yields the members before the
//! first error.

// Only Sentry uses all of it.
#![cfg_attr(not(feature = "destination-sentry"), allow(dead_code))]

/// The members of a JSON object: names without quotes (still escaped), and values as text.
pub(crate) fn members<'a>(object: &'a str) -> Members<'a, 'a> {
    Members { text: object, at: if object.starts_with('{') { 1 } else { object.len() }, lists: None }
}

/// The value of the member of a JSON object with this name, as text.
pub(crate) fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    members(object).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The members of a JSON object, and the elements of those members that are arrays with one of these names. An array is
/// read once for both.
pub(crate) fn members_and_lists<'a, const N: usize>(
    object: &'a str,
    names: [&'a str; N],
) -> (Vec<(&'a str, &'a str)>, [Vec<&'a str>; N]) {
    let mut lists = [const { Vec::new() }; N];
    let mut found = Vec::with_capacity(24);
    found.extend(Members { lists: Some((&names, &mut lists)), ..members(object) });
    (found, lists)
}

/// The elements of a JSON array as text.
pub(crate) fn elements(array: &str) -> Elements<'_> {
    Elements { text: array, at: if array.starts_with('[') { 1 } else { array.len() } }
}

/// See [`members`].
pub(crate) struct Members<'a, 'l> {
    text: &'a str,
    at: usize,
    /// Names of arrays whose elements are wanted, and the elements found.
    lists: Option<(&'l [&'a str], &'l mut [Vec<&'a str>])>,
}

impl<'a> Members<'a, '_> {
    /// Where the value at `start` ends. Collects its elements if the member `name` is one of the wanted arrays.
    fn end_of_value(&mut self, name: &str, start: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        if let Some((names, lists)) = &mut self.lists
            && bytes.get(start) == Some(&b'[')
            && let Some(list) = names.iter().position(|wanted| *wanted == name).and_then(|at| lists.get_mut(at))
        {
            list.clear();
            let mut elements = Elements { text: self.text, at: start + 1 };
            list.extend(elements.by_ref());
            let blank = bytes.get(elements.at..)?.iter().position(|byte| !is_blank(*byte))?;
            let end = elements.at + blank;
            return (bytes.get(end) == Some(&b']')).then_some(end + 1);
        }
        value_end(bytes, start)
    }
}

impl<'a> Iterator for Members<'a, '_> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let key = next_start(bytes, self.at).filter(|at| bytes.get(*at) == Some(&b'"'))?;
        let key_end = value_end(bytes, key)?;
        let colon = next_start(bytes, key_end).filter(|at| bytes.get(*at) == Some(&b':'))?;
        let value = next_start(bytes, colon + 1)?;
        let name = self.text.get(key + 1..key_end - 1)?;
        let end = self.end_of_value(name, value)?;
        self.at = end;
        Some((name, self.text.get(value..end)?))
    }
}

/// See [`elements`].
pub(crate) struct Elements<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let start = next_start(bytes, self.at)?;
        let end = match bytes.get(start) {
            Some(b'{') => object_end(bytes, start).or_else(|| value_end(bytes, start))?,
            _ => value_end(bytes, start)?,
        };
        self.at = end;
        self.text.get(start..end)
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// The next byte that is neither blank nor a comma; `None` at the end of the text, object or array.
fn next_start(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let at = rest.iter().position(|byte| !is_blank(*byte) && *byte != b',')?;
    (!matches!(rest.get(at), Some(b'}' | b']'))).then_some(from + at)
}

/// Where the object at `start`, an element of an array, ends, if the next element is an object too and this can be told
/// without reading the strings. `None` sends the caller to [`value_end`].
///
/// A trail of a hundred breadcrumbs is most of an event's bytes, and reading its strings one by one would be most of
/// the time to encode it. Looking only at opening brackets is enough, because the bytes `},{"` followed by the first
/// character of a name can not be part of a string: the quote would end the string, and only `,`, `:`, `}`, `]` or a
/// blank can follow a string. If no array was opened on the way, the two objects are elements of the array at hand.
fn object_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut from = start + 1;
    loop {
        let at = next_opening(bytes, from)?;
        if bytes.get(at) == Some(&b'[') {
            return None;
        }
        match [bytes.get(at - 1)?, bytes.get(at.checked_sub(2)?)?] {
            [b',', b'}'] => {
                let [quote, first] = bytes.get(at + 1..)?.first_chunk()?;
                let is_name = *quote == b'"' && !is_blank(*first) && !matches!(first, b',' | b':' | b'}' | b']');
                return is_name.then_some(at - 1);
            }
            // An element that is not an object, or an array with blanks between its elements, or part of a string.
            [b',' | b' ' | b'\n' | b'\r' | b'\t', _] => return None,
            // An object inside of this one, or part of a string.
            _ => from = at + 1,
        }
    }
}

/// The next `{` or `[`, in strings and outside of them. Reads eight bytes at a time.
fn next_opening(bytes: &[u8], mut from: usize) -> Option<usize> {
    const LOW: u64 = u64::MAX / 255;
    const HIGH: u64 = LOW << 7;
    while let Some(chunk) = bytes.get(from..)?.first_chunk::<8>() {
        // `[` and `{` differ in bit 5 only. The lowest byte that this marks is always right.
        let difference = (u64::from_le_bytes(*chunk) | (LOW * 0x20)) ^ (LOW * 0x7b);
        let found = difference.wrapping_sub(LOW) & !difference & HIGH;
        if found != 0 {
            return Some(from + found.trailing_zeros() as usize / 8);
        }
        from += 8;
    }
    let rest = bytes.get(from..)?;
    rest.iter().position(|byte| matches!(byte, b'{' | b'[')).map(|at| from + at)
}

/// Where the value at `start` ends.
fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    match bytes.get(start)? {
        b'"' => {
            let mut rest = bytes.get(start + 1..)?.iter();
            pass_string(&mut rest)?;
            Some(bytes.len() - rest.len())
        }
        b'{' | b'[' => {
            // An iterator needs no bounds check for each byte.
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
            let len = rest.iter().position(|byte| is_blank(*byte) || matches!(byte, b',' | b'}' | b']'));
            Some(start + len.unwrap_or(rest.len()))
        }
    }
}

/// Moves behind the end of a string whose first quote has been read.
fn pass_string(rest: &mut std::slice::Iter<'_, u8>) -> Option<()> {
    loop {
        match rest.next()? {
            b'"' => return Some(()),
            b'\\' => _ = rest.next()?,
            _ => {}
        }
    }
}

/// The text of a JSON string, unescaped; empty if the JSON is not a string.
pub(crate) fn text(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Escaped, Object, push_list};
    use proptest::prelude::*;

    #[test]
    fn members_and_elements_are_the_text_of_the_json() {
        let object = r#" {"a" : 1, "b\"c":"x\\\"}]", "d":{"e":[1,{"f":"]"}]},"g":[],"h":null }"#.trim();
        let found: Vec<_> = members(object).collect();
        let expected =
            [("a", "1"), ("b\\\"c", r#""x\\\"}]""#), ("d", r#"{"e":[1,{"f":"]"}]}"#), ("g", "[]"), ("h", "null")];
        assert_eq!(found, expected);
        assert_eq!(elements(r#"[1, "a,b",[2], {"c":3}]"#).collect::<Vec<_>>(), ["1", "\"a,b\"", "[2]", "{\"c\":3}"]);
        assert_eq!(elements("[]").count() + elements("{}").count() + members("[1]").count() + members("").count(), 0);
    }

    #[test]
    fn the_elements_of_named_arrays_are_collected_while_the_members_are_read() {
        let object = r#"{"a":1,"list":[ {"x":"]"}, {"y":[2]} ],"b":{"list":[3]},"other":[4]}"#;
        let (found, lists) = members_and_lists(object, ["list", "other", "absent"]);
        assert_eq!(found, members(object).collect::<Vec<_>>());
        assert_eq!(lists, [vec![r#"{"x":"]"}"#, r#"{"y":[2]}"#], vec!["4"], vec![]]);
        for none in [r#"{"list":[]}"#, r#"{"list":{}}"#, r#"{"list":null}"#, "{}", r#"{"list":["#] {
            let (found, [list]) = members_and_lists(none, ["list"]);
            assert_eq!((found, list.len()), (members(none).collect(), 0), "{none}");
        }
    }

    #[test]
    fn objects_are_split_where_they_end_whatever_their_strings_contain() {
        for array in [
            r#"[{"a":1},{"b":2},{"c":{"d":3}}]"#,
            r#"[{"a":1},{},{"b":2}]"#,
            r#"[{"a":1}, {"b":2},{"c":3}]"#,
            r#"[{"a":1},5,{"b":2},"x",{"c":3}]"#,
            r#"[{"a":[{"b":1},{"c":2}]},{"d":3}]"#,
            r#"[{"a":"},{\"b\":"},{"c":1}]"#,
            r#"[{"a":"},{"},{"b":"x,{y"},{"c":"{id}"}]"#,
            r#"[{"a":{"b":"},{"}},{"":1},{",":2},{"]":3}]"#,
            r#"[{"a":"[http] {x} \\"},{"b":"\""},{"c":1}]"#,
        ] {
            let expected: Vec<serde_json::Value> = serde_json::from_str(array).unwrap();
            let found: Vec<serde_json::Value> =
                elements(array).map(|element| serde_json::from_str(element).unwrap()).collect();
            assert_eq!(found, expected, "{array}");
        }
    }

    #[test]
    fn invalid_json_yields_the_members_before_the_first_error() {
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
                Object::write(&mut again, |object| members(&text).for_each(|(key, value)| object.json(Escaped(key), value)));
                prop_assert_eq!(again, text);
            } else if value.is_array() {
                push_list(&mut again, elements(&text), |out, element| out.push_str(element));
                prop_assert_eq!(again, text);
            }
        }

        #[test]
        fn any_text_is_taken_apart_without_a_panic(text in ".{0,40}") {
            let _ = members(&text).count() + elements(&text).count();
        }

        #[test]
        fn an_array_of_objects_is_split_like_a_parser_splits_it(
            values in proptest::collection::vec(
                proptest::collection::btree_map("[a-z,:{}\\[\\]\" ]{0,3}", strings(), 0..4), 0..6)
        ) {
            let text = serde_json::to_string(&values).unwrap();
            let found: Vec<serde_json::Value> = elements(&text).map(|element| serde_json::from_str(element).unwrap()).collect();
            prop_assert_eq!(serde_json::Value::from(found), serde_json::to_value(&values).unwrap());
        }
    }

    /// Strings made of the characters that structure JSON, alone, in arrays and in objects.
    fn strings() -> impl Strategy<Value = serde_json::Value> {
        let text = "[a,:{}\\[\\]\"\\\\ ]{0,8}";
        prop_oneof![
            text.prop_map(serde_json::Value::from),
            proptest::collection::vec(text, 0..3).prop_map(Into::into),
            proptest::collection::vec(proptest::collection::btree_map(text, text, 0..3), 0..3)
                .prop_map(|list| serde_json::to_value(list).unwrap_or_default()),
        ]
    }
}
