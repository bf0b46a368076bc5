//! JSON to settings, and the JSON Schema of the settings.

use super::error::{Fault, is_same, unknown};
use super::table::read_object;
use super::{DestinationSettings, Setting, Settings, SettingsError, Shape, Spelling};
use crate::sorted::collected;
use serde_json::{Map, Value, json};

/// Most bytes of settings as JSON: 32 destinations with long headers.
const JSON_BYTES: usize = 1024 * 1024;

impl Settings {
    /// Reads settings from a JSON object whose members are spelled as `spelling` says. `null` means that a member is not
    /// given. A member that is no setting is an error with the nearest name, because a misspelled setting would silently
    /// have no effect.
    ///
    /// Only the types are checked here; [`crate::Config::from_settings`] checks the values.
    ///
    /// ```
    /// use rez_monitor::{Settings, Spelling};
    ///
    /// let error = Settings::from_json(r#"{"sesionBackgroundMs": 60000}"#, Spelling::Camel).unwrap_err();
    /// assert!(error.to_string().contains("did you mean `sessionBackgroundMs`?"));
    /// ```
    ///
    /// # Errors
    /// [`SettingsError`] names the member.
    pub fn from_json(text: &str, spelling: Spelling) -> Result<Settings, SettingsError> {
        let fault = |value: String, why: &str| Fault::value(value, why.to_owned()).inside("settings".to_owned());
        let read = || {
            if text.len() > JSON_BYTES {
                return Err(fault(format!("{} bytes", text.len()), "use at most 1 MiB of JSON"));
            }
            // The message of the parser has the position and no content.
            let value: Value =
                serde_json::from_str(text).map_err(|error| fault("no JSON".to_owned(), &error.to_string()))?;
            let value = unspell(value, spelling)?;
            let mut settings = Settings::default();
            read_object(value, Settings::ALL, |setting, value| settings.set(setting, value))?;
            Ok(settings)
        };
        read().map_err(|fault: Fault| fault.spelled(spelling))
    }
}

/// The members of the settings and of each destination under their names in `snake_case`. A name that is not spelled as it
/// should be stays, so that it is reported.
fn unspell(value: Value, spelling: Spelling) -> Result<Value, Fault> {
    let Value::Object(members) = value else { return Ok(value) };
    let mut members = renamed(members, Settings::ALL, DestinationSettings::ALL, spelling)?;
    if let Some(Value::Array(destinations)) = members.get_mut("destinations") {
        for (at, one) in destinations.iter_mut().enumerate() {
            if let Value::Object(members) = one {
                let renamed = renamed(std::mem::take(members), DestinationSettings::ALL, &[], spelling);
                *members = renamed.map_err(|fault| fault.inside(format!("destinations[{at}]")))?;
            }
        }
    }
    Ok(Value::Object(members))
}

/// `of_destinations` are the settings that belong into an element of `destinations` instead.
fn renamed(
    members: Map<String, Value>,
    known: &[Setting],
    of_destinations: &[Setting],
    spelling: Spelling,
) -> Result<Map<String, Value>, Fault> {
    let rename = |(name, value): (String, Value)| match known.iter().find(|one| spelling.of(one.name) == name) {
        Some(setting) => Ok((setting.name.to_owned(), value)),
        None => {
            if of_destinations.iter().any(|one| is_same(&name, one.name)) {
                let why = "put it into an element of `destinations`".to_owned();
                return Err(Fault::value("not a setting".to_owned(), why).named(&name));
            }
            let known: Vec<String> = known.iter().map(|one| spelling.of(one.name)).collect();
            Err(unknown(&name, &known.iter().map(String::as_str).collect::<Vec<_>>()))
        }
    };
    let mut renamed = Map::new();
    for member in members {
        renamed.extend([rename(member)?]);
    }
    Ok(renamed)
}

/// The JSON Schema (draft 2020-12) of the settings, with names in this spelling.
#[must_use]
pub fn schema(spelling: Spelling) -> Value {
    let mut schema = object(Settings::ALL, spelling, &["folder", "app", "release"]);
    if let Some(members) = schema.as_object_mut() {
        members.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        members.insert("title".into(), "Settings of REZ Monitor".into());
        members.insert(
            "$defs".into(),
            json!({"destination": object(DestinationSettings::ALL, spelling, &["name", "kind"])}),
        );
    }
    schema
}

fn object(settings: &[Setting], spelling: Spelling, required: &[&str]) -> Value {
    let member = |setting: &Setting| {
        let mut member = of_shape(setting.shape);
        if let Some(member) = member.as_object_mut() {
            let of =
                if setting.of.is_empty() { String::new() } else { format!(" Only for {}.", setting.of.join(", ")) };
            let text = format!("{} Default: {}.{of}", setting.what, setting.default);
            member.insert("description".into(), text.into());
        }
        (spelling.of(setting.name), member)
    };
    let properties: Map<String, Value> = collected(settings.iter().map(member));
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// `null` means that a setting is not given. `maxLength` counts characters and the limit counts bytes, so a text can be too long
/// although the schema accepts it.
fn of_shape(shape: Shape) -> Value {
    match shape {
        Shape::Text(most) => json!({"type": ["string", "null"], "minLength": 1, "maxLength": most}),
        Shape::Secret | Shape::Address => json!({"type": ["string", "null"], "minLength": 1}),
        Shape::OneOf(all) => json!({"enum": all.iter().map(|one| json!(one)).chain([Value::Null]).collect::<Vec<_>>()}),
        Shape::Integer(least, most) => json!({"type": ["integer", "null"], "minimum": least, "maximum": most}),
        Shape::Rate => json!({"type": ["number", "null"], "minimum": 0, "maximum": 1}),
        Shape::Switch => json!({"type": ["boolean", "null"]}),
        Shape::List(most) => {
            json!({"type": ["array", "null"], "maxItems": most, "items": {"type": "string", "minLength": 1}})
        }
        Shape::SomeOf(all) => json!({"type": ["array", "null"], "maxItems": all.len(), "items": {"enum": all}}),
        Shape::Rates(names) => {
            let rate = json!({"type": "number", "minimum": 0, "maximum": 1});
            let rates: Map<String, Value> = collected(names().into_iter().map(|name| (name.to_owned(), rate.clone())));
            json!({"type": ["object", "null"], "properties": rates, "additionalProperties": false})
        }
        Shape::Headers(most) => {
            json!({"type": ["object", "null"], "maxProperties": most, "additionalProperties": {"type": "string"}})
        }
        Shape::Destinations(most) => {
            json!({"type": ["array", "null"], "maxItems": most, "items": {"$ref": "#/$defs/destination"}})
        }
    }
}
