//! Composes the page: one document, from the files beside this one.

use serde_json::Value;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// The scripts, in the order in which they run. All share one scope.
const SCRIPTS: [&str; 19] = [
    include_str!("js/json.js"),
    include_str!("js/dom.js"),
    include_str!("js/format.js"),
    include_str!("js/carriers.js"),
    include_str!("js/saved.js"),
    include_str!("js/channel.js"),
    include_str!("js/expo.js"),
    include_str!("js/rozenite.js"),
    include_str!("js/tree.js"),
    include_str!("js/list.js"),
    include_str!("js/detail.js"),
    include_str!("js/status.js"),
    include_str!("js/drops.js"),
    include_str!("js/scale.js"),
    include_str!("js/story.js"),
    include_str!("js/chart.js"),
    include_str!("js/timeline.js"),
    include_str!("js/actions.js"),
    include_str!("js/app.js"),
];

/// How the page reaches the source.
pub(super) enum Carrier<'a> {
    /// `POST /inspect` at the server that sent the page.
    Http,
    /// The answers are in the page.
    Saved(&'a Value),
    /// The messages of a developer tool: of Expo in a window, of Rozenite in a frame.
    DevTools,
}

/// The page for the developer tools of Expo and of Rozenite, which `react-native/dist` contains. Every call returns the same text.
///
/// Whoever serves it sends a file, so that its nonce is no secret. It keeps out what has none; nothing in the page makes markup of
/// text, and the policy forbids that too.
#[must_use]
pub fn dev_tools() -> String {
    compose("page", Carrier::DevTools)
}

/// The content security policy of the page: nothing is loaded but what is in it, and requests go to its server only.
pub(super) fn policy(nonce: &str) -> String {
    format!("{}; frame-ancestors 'none'", embedded_policy(nonce, "'self'"))
}

/// The part of the policy that a document can state itself.
fn embedded_policy(nonce: &str, connect: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; connect-src {connect}; \
         base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

/// Returns the page. The policy in it holds where no server sends one.
pub(super) fn compose(nonce: &str, carrier: Carrier<'_>) -> String {
    let (connect, data) = match carrier {
        Carrier::Http => ("'self'", r#"{"carrier":"http"}"#.to_owned()),
        Carrier::DevTools => ("'self'", r#"{"carrier":"devtools"}"#.to_owned()),
        Carrier::Saved(answers) => ("'none'", in_script(&serde_json::json!({"carrier": "saved", "answers": answers}))),
    };
    let mut document = String::with_capacity(PAGE.len().saturating_add(data.len()).saturating_add(128 * 1024));
    let mut rest = PAGE;
    // Only the template has places: what is put in is not searched.
    while let Some((before, after)) = rest.split_once("{{") {
        let (place, after) = after.split_once("}}").unwrap_or_default();
        document.push_str(before);
        match place {
            "nonce" => document.push_str(nonce),
            "policy" => document.push_str(&embedded_policy(nonce, connect)),
            "style" => document.push_str(STYLE),
            "data" => document.push_str(&data),
            "scripts" => SCRIPTS.iter().for_each(|script| document.push_str(script)),
            _ => {}
        }
        rest = after;
    }
    document.push_str(rest);
    document
}

/// JSON that cannot end the element that it stands in. These characters occur in texts only, where they can be escaped.
fn in_script(value: &Value) -> String {
    let mut escaped = String::new();
    for c in value.to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => escaped.push_str(&format!("\\u{:04x}", c as u32)),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_page_is_one_document_that_names_no_other_address() {
        let page = compose("n0nce", Carrier::Http);
        assert!(!page.contains("{{"), "a place of the template is empty");
        for foreign in ["https://", "src=", "@import", "url("] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert_eq!(page.matches("nonce=\"n0nce\"").count(), 2, "one style, one script");
        assert_eq!(page.matches("</script>").count(), 2);
    }

    #[test]
    fn the_page_of_the_developer_tools_differs_in_its_carrier_only() {
        let served = compose("page", Carrier::Http);
        assert_eq!(dev_tools(), served.replacen(r#"{"carrier":"http"}"#, r#"{"carrier":"devtools"}"#, 1));
    }

    #[test]
    fn no_script_makes_markup_of_text() {
        let scripts = SCRIPTS.concat();
        for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "</"] {
            assert!(!scripts.contains(way), "{way}");
        }
    }

    #[test]
    fn saved_answers_cannot_end_their_element() {
        let hostile = "</script><script>alert(1)</script><!--\u{2028}&{{style}}";
        let page = compose("n", Carrier::Saved(&json!({"shows": [{"json": {"message": hostile}}]})));
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(!page.contains("<!--\u{2028}"));
        let start = page.find(r#"{"answers""#).unwrap();
        let data = page[start..].split_once("</script>").unwrap().0;
        let read: Value = serde_json::from_str(data).unwrap();
        assert_eq!(read["answers"]["shows"][0]["json"]["message"], hostile);
    }

    #[test]
    fn the_policy_of_a_saved_page_forbids_every_request() {
        assert!(compose("n", Carrier::Saved(&json!({}))).contains("connect-src 'none'"));
        assert!(policy("n").contains("connect-src 'self'") && policy("n").contains("frame-ancestors 'none'"));
    }
}
