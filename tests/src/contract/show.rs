//! JSON as people read it in a diff: what fits a line is on one line.

use serde_json::Value;

/// Columns of a line.
const WIDTH: usize = 120;

/// The text of a file.
#[must_use]
pub fn pretty(value: &Value) -> String {
    let mut out = String::new();
    push(&mut out, value, 0, 0);
    out.push('\n');
    out
}

fn push(out: &mut String, value: &Value, depth: usize, used: usize) {
    let line = inline(value);
    let members: Vec<(String, &Value)> = match value {
        Value::Array(values) => values.iter().map(|value| (String::new(), value)).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (format!("{}: ", quoted(key)), value)).collect(),
        _ => Vec::new(),
    };
    if used + line.len() <= WIDTH || members.is_empty() {
        return out.push_str(&line);
    }
    let (open, close) = if value.is_array() { ("[\n", ']') } else { ("{\n", '}') };
    let indent = "  ".repeat(depth + 1);
    out.push_str(open);
    for (at, (key, value)) in members.iter().enumerate() {
        out.push_str(&indent);
        out.push_str(key);
        push(out, value, depth + 1, indent.len() + key.len() + 1);
        out.push_str(if at + 1 == members.len() { "\n" } else { ",\n" });
    }
    out.push_str(&"  ".repeat(depth));
    out.push(close);
}

fn inline(value: &Value) -> String {
    match value {
        Value::Array(values) => format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let members: Vec<_> =
                map.iter().map(|(key, value)| format!("{}: {}", quoted(key), inline(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_reads_back_as_it_was() {
        let long = "x".repeat(100);
        let value = serde_json::json!({"a": [1, 2.5, null, {"b": long, "c": [long, long]}], "d": {}, "e\"": "\n"});
        let text = pretty(&value);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(text.lines().count() > 3);
        assert_eq!(pretty(&serde_json::json!({"a": [1, 2]})), "{\"a\": [1, 2]}\n");
    }
}
