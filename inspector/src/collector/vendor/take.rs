//! Members of JSON that may be missing or of another type.

use serde_json::{Map, Value};

/// A number below is seconds since 1970, one above is milliseconds.
const MILLISECONDS: f64 = 1e11;

/// The text at a path such as `contexts.trace.op`; empty if there is none.
pub(super) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// The first of these paths that has a text.
pub(super) fn first<'a>(value: &'a Value, paths: &[&str]) -> &'a str {
    paths.iter().map(|path| text(value, path)).find(|text| !text.is_empty()).unwrap_or_default()
}

/// The value at a path whose names have no dot.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, name| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        value => value.get(name),
    })
}

/// The level of a text such as `WARN`; empty if it is none of the standard's.
pub(super) fn level_of(text: &str) -> &'static str {
    // `INFO2` to `INFO4` are finer steps of `INFO`.
    match text.trim_end_matches(['2', '3', '4']).to_ascii_lowercase().as_str() {
        "trace" => "trace",
        "debug" => "debug",
        "info" => "info",
        "warn" | "warning" => "warning",
        "error" => "error",
        "fatal" => "fatal",
        _ => "",
    }
}

/// The elements of a list; none if it is no list.
pub(super) fn list<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> {
    at(value, path).and_then(Value::as_array).into_iter().flatten()
}

/// A number, also one that is written as a text.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// A time as RFC 3339, or as seconds or milliseconds since 1970, in milliseconds.
pub(super) fn time(value: &Value) -> Option<i64> {
    if let Some(text) = value.as_str()
        && let Ok(time) = text.parse::<jiff::Timestamp>()
    {
        return Some(time.as_millisecond());
    }
    let number = number(value)?;
    let ms = if number.abs() < MILLISECONDS { number * 1e3 } else { number };
    // Beyond the years that a time can be printed with, it is no time.
    (ms.abs() < 2.5e14).then_some(ms.round() as i64)
}

/// Fields of an event: those that have a value.
#[derive(Default)]
pub(super) struct Fields(pub(super) Map<String, Value>);

impl Fields {
    /// Adds a value that is not null.
    pub(super) fn put(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        if !value.is_null() {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// Adds a text that is not empty.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.0.insert(name.to_owned(), text.into());
        }
    }

    /// Adds a copy of what is at a path.
    pub(super) fn copy(&mut self, name: &str, value: &Value, path: &str) {
        self.put(name, at(value, path).cloned().unwrap_or_default());
    }

    /// Adds start and duration.
    pub(super) fn span(&mut self, start_ms: Option<f64>, end_ms: Option<f64>) {
        if let Some(start) = start_ms {
            self.put("start_ms", start.round() as i64);
        }
        if let (Some(start), Some(end)) = (start_ms, end_ms) {
            self.put("duration_us", ((end - start).max(0.0) * 1e3).round() as i64);
        }
    }

    /// Adds method, URL and endpoint of a name such as `GET /cart` or `GET https://api.shop.example/cart?page=2`.
    pub(super) fn call(&mut self, name: &str) {
        let (method, target) = name.split_once(' ').unwrap_or(("", name));
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        self.text("method", if is_method { method } else { "" });
        self.target(if is_method { target } else { name });
    }

    /// Adds an endpoint, and the URL if it is one.
    pub(super) fn target(&mut self, target: &str) {
        let Some(path) = path(target) else { return self.text("endpoint", target) };
        self.text("endpoint", path);
        self.text("url", if target.starts_with('/') { "" } else { target });
    }
}

/// The path of a URL, without what differs each time. `None`: it is no URL.
fn path(url: &str) -> Option<&str> {
    let rest = match url.split_once("://") {
        Some(("http" | "https", rest)) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())).1,
        None if url.starts_with('/') => url,
        _ => return None,
    };
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    Some(if path.is_empty() { "/" } else { path })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_time_is_read_in_each_form_that_libraries_send() {
        let ms = 1_795_400_000_123;
        for form in [json!("2026-11-23T02:13:20.123Z"), json!(1_795_400_000.123), json!(ms), json!("1795400000123")] {
            assert_eq!(time(&form), Some(ms), "{form}");
        }
        for none in [json!(null), json!("yesterday"), json!({}), json!(1e300), json!(true)] {
            assert_eq!(time(&none), None, "{none}");
        }
    }

    #[test]
    fn the_name_of_a_call_has_a_method_or_is_its_endpoint() {
        let fields = |name: &str| {
            let mut fields = Fields::default();
            fields.call(name);
            Value::from(fields.0)
        };
        assert_eq!(fields("GET /cart"), json!({"method": "GET", "endpoint": "/cart"}));
        assert_eq!(fields("load the cart"), json!({"endpoint": "load the cart"}));
        assert_eq!(fields("GET /cart?page=2"), json!({"method": "GET", "endpoint": "/cart"}));
        for (url, path) in [
            ("https://api.example/cart/7?x=/a#b", "/cart/7"),
            ("http://api.example?x=1", "/"),
            ("https://api.example", "/"),
        ] {
            assert_eq!(fields(&format!("PUT {url}")), json!({"method": "PUT", "endpoint": path, "url": url}));
        }
    }
}
