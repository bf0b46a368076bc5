//! Facts that a host passes as text.

use super::ConfigError;
use crate::facts::Facts;

impl Facts {
    /// Reads facts from a JSON object whose members have the names of the setters. Those that are unknown or of another type are
    /// left out.
    ///
    /// # Errors
    /// [`ConfigError::Field`] if the text is no JSON object.
    pub fn from_json(text: &str) -> Result<Facts, ConfigError> {
        let wrong = |value: String| ConfigError::Field {
            field: "facts".into(),
            value,
            why: "pass an object with the members of `docs/guide/device.md`",
        };
        match serde_json::from_str(text) {
            Ok(serde_json::Value::Object(members)) => Ok(Facts::from_members(members)),
            Ok(_) => Err(wrong("no object".to_owned())),
            Err(error) => Err(wrong(format!("no JSON ({error})"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_an_object_and_anything_else_is_named() {
        let facts = Facts::from_json(r#"{"model": "Pixel 9", "locale": 7, "later": null}"#).unwrap();
        assert_eq!(facts, Facts::new().model("Pixel 9"));
        for (text, what) in
            [("", "no JSON"), ("{", "no JSON"), ("[]", "no object"), ("null", "no object"), ("7", "no object")]
        {
            let error = Facts::from_json(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("configuration: `facts` is {what}")), "{text}: {error}");
            assert!(error.ends_with("docs/guide/device.md`"), "{error}");
        }
    }
}
