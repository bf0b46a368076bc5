//! The origin of an event in Datadog's terms: tags, operating system, device, user, session.

use super::super::system::system;
use crate::json::Json;
use crate::json::Object;
use crate::row::{Row, Run};

/// Limit of a tag, in characters.
const TAG_CHARS: usize = 200;

/// The operating system of a run, as far as Datadog distinguishes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    Android,
    Ios,
    Other,
}

impl System {
    pub(super) fn of(run: Option<&Run>) -> System {
        let name = run.map_or("", |run| system(run).0);
        if name.eq_ignore_ascii_case("android") {
            System::Android
        } else if ["ios", "ipados", "iphone os"].iter().any(|ios| name.eq_ignore_ascii_case(ios)) {
            System::Ios
        } else {
            System::Other
        }
    }

    /// The source type of a stack trace. Datadog defines the values; `None` if none of them applies.
    pub(super) fn source_type(self, run: Option<&Run>) -> Option<&'static str> {
        match self {
            System::Android => Some("android"),
            System::Ios => Some("ios"),
            System::Other => {
                let name = run.map_or("", |run| system(run).0).to_ascii_lowercase();
                ["linux", "macos", "windows"].into_iter().find(|known| *known == name)
            }
        }
    }
}

/// Whether the app is written in React Native, with or without Expo.
pub(super) fn is_react_native(run: Option<&Run>) -> bool {
    framework(run).is_some_and(|name| matches!(name, "react-native" | "expo"))
}

/// The name of the app's framework.
pub(super) fn framework(run: Option<&Run>) -> Option<&str> {
    run?.facts.framework.as_ref().map(|framework| framework.name.as_str())
}

/// What the events come from: the framework, else the system. Datadog defines the values; `rum-cpp` is the closest one for a
/// native engine on other systems.
pub(super) fn source(run: Option<&Run>) -> &'static str {
    match System::of(run) {
        _ if is_react_native(run) => "react-native",
        System::Android => "android",
        System::Ios => "ios",
        System::Other => "rum-cpp",
    }
}

/// Limit of tags in an event.
const TAGS: usize = 100;

/// Keys that Datadog uses itself; an app's tag with one of them stays in the context of the event only.
const RESERVED: [&str; 6] = ["device", "env", "host", "service", "source", "version"];

/// `service`, `env`, `version` and the tags of the scope: in lower case, with `_` for characters that are not allowed in a tag.
pub(super) fn all_tags(service: &str, run: Option<&Run>, fields: &Json<'_>) -> String {
    let mut out = tags(service, run);
    let mut seen: Vec<String> = Vec::new();
    for (key, value) in fields.map("tags").iter().take(TAGS - 3) {
        let key = tag_key(key);
        let Json::Text(value) = value else { continue };
        if key.is_empty() || value.is_empty() || RESERVED.contains(&key.as_str()) || seen.contains(&key) {
            continue;
        }
        if !out.is_empty() {
            out.push(',');
        }
        tag(&mut out, &key, value);
        seen.push(key);
    }
    out
}

/// The key of a tag: it starts with a letter and contains no colon, which ends it.
fn tag_key(key: &str) -> String {
    let key = key.trim_start_matches(|c: char| !c.is_alphabetic());
    let valid = |c: char| if c.is_alphanumeric() || "_-./".contains(c) { c } else { '_' };
    key.chars().flat_map(char::to_lowercase).map(valid).take(TAG_CHARS / 2).collect()
}

/// `service`, `env` and `version` as tags.
pub(super) fn tags(service: &str, run: Option<&Run>) -> String {
    let version = run.map(|run| run.release.as_str());
    let environment = run.and_then(|run| run.environment.as_deref());
    let mut out = String::with_capacity(96);
    for (key, value) in [("service", Some(service)), ("env", environment), ("version", version)] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            if !out.is_empty() {
                out.push(',');
            }
            tag(&mut out, key, value);
        }
    }
    out
}

fn tag(out: &mut String, key: &str, value: &str) {
    out.push_str(key);
    out.push(':');
    let valid = |c: char| if c.is_alphanumeric() || "_-:./".contains(c) { c } else { '_' };
    let value = value.chars().flat_map(char::to_lowercase).map(valid);
    out.extend(value.take(TAG_CHARS - key.len() - 1));
}

/// The user.
pub(super) fn user(o: &mut Object<'_>, fields: &Json<'_>, install: &str) {
    let user = fields.get("user");
    let anonymous = user.and_then(|user| user.text("anonymous")).or(Some(install).filter(|id| !id.is_empty()));
    if user.is_none() && anonymous.is_none() {
        return;
    }
    o.object("usr", |o| {
        if let Some(user) = user {
            o.text_if_some("id", user.text("id"));
            o.text_if_some("name", user.text("username"));
            o.text_if_some("email", user.text("email"));
            o.values_except(user.entries(), &["id", "username", "email", "name", "anonymous", "anonymous_id"]);
        }
        o.text_if_some("anonymous_id", anonymous);
    });
}

/// The session of a row, or its run if it was recorded without sessions.
pub(super) fn session<'a>(fields: &'a Json<'_>, run: Option<&'a Run>) -> Option<&'a str> {
    let session = fields.text("session").filter(|id| is_uuid(id));
    session.or_else(|| run.map(|run| run.id.as_str()).filter(|id| is_uuid(id)))
}

/// Whether an id has the only form that Datadog accepts.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

/// The id of a row, with dashes.
pub(super) fn id(row: &Row) -> String {
    row.id.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(os: &str) -> Run {
        Run { os: os.into(), release: "Shop@1.4.0+52 (beta)".into(), environment: Some("CI".into()), ..Run::default() }
    }

    #[test]
    fn tags_are_in_lower_case_and_contain_allowed_characters_only() {
        assert_eq!(tags("Rez App", Some(&run("x"))), "service:rez_app,env:ci,version:shop_1.4.0_52__beta_");
        assert_eq!(tags("a,b", None), "service:a_b");
        let long = Run { release: "é".repeat(900), ..Run::default() };
        assert!(tags("s", Some(&long)).split(',').all(|tag| tag.chars().count() <= TAG_CHARS));
    }

    #[test]
    fn tags_of_the_scope_follow_those_of_the_run_and_replace_none_of_them() {
        let row = |tags: &str| {
            let json = format!(r#"{{"tags":{tags}}}"#);
            let id = crate::EventId::from_bytes([7; 16]);
            let kind = crate::Kind::Log;
            Row { seq: 1, id, kind, run: 1, wall_ms: 0, mono_ms: 0, targets: Vec::new(), json }
        };
        let tags = |tags: &str| all_tags("shop", None, &Json::of(&row(tags)));
        assert_eq!(tags("{}"), "service:shop");
        assert_eq!(tags(r#"{"Plan":"Gold, new","1st:try":"x"}"#), "service:shop,plan:gold__new,st_try:x");
        assert_eq!(tags(r#"{"service":"x","env":"x","host":"x","Version":"x"}"#), "service:shop");
        assert_eq!(tags(r#"{"a b":"1","a_b":"2","":"3","77":"4","empty":""}"#), "service:shop,a_b:1");
        let many: String = (0..300).map(|n| format!(r#""t{n}":"{}","#, "v".repeat(400))).collect();
        let all = tags(&format!("{{{}}}", many.trim_end_matches(',')));
        assert_eq!(all.split(',').count(), 98, "with `service`; `env` and `version` have places");
        assert!(all.split(',').all(|tag| tag.chars().count() <= TAG_CHARS));
    }

    #[test]
    fn the_source_is_one_of_the_defined_values() {
        for (os, source, kind) in [
            ("Android 15", "android", Some("android")),
            ("iOS 18.2", "ios", Some("ios")),
            ("linux", "rum-cpp", Some("linux")),
            ("Plan 9", "rum-cpp", None),
            ("", "rum-cpp", None),
        ] {
            let run = run(os);
            let system = System::of(Some(&run));
            assert_eq!((super::source(Some(&run)), system.source_type(Some(&run))), (source, kind), "{os}");
        }
    }

    #[test]
    fn an_id_is_a_lower_case_uuid() {
        assert!(is_uuid("019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c07"));
        for odd in [
            "",
            "019F0c1e-7c1e-7a53-9b0e-3b6a3f0d9c07",
            "019f0c1e7c1e-7a53-9b0e-3b6a3f0d9c07-",
            "zz9f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c07",
        ] {
            assert!(!is_uuid(odd), "{odd}");
        }
    }
}
