//! Names of releases, environments and builds that Sentry accepts.
//!
//! Ingestion drops an invalid name and keeps the event, and it drops a session whose release is invalid. An invalid
//! name is therefore repaired before it is sent, in the same way at every place where it occurs.

use crate::destination::Note;
use crate::row::Run;
use std::borrow::Cow;

/// What Sentry requires of one kind of name.
struct Rule {
    /// Limit of the name, in bytes.
    bytes: usize,
    /// Names that Sentry reserves, in lower case.
    reserved: &'static [&'static str],
    /// Prefix that makes a reserved name acceptable.
    prefix: &'static str,
    /// Whether the character is accepted.
    accepts: fn(char) -> bool,
}

const RELEASE: Rule = Rule {
    bytes: 200,
    reserved: &[".", "..", "latest"],
    prefix: "release-",
    accepts: |c| !c.is_control() && !matches!(c, '/' | '\\'),
};

const ENVIRONMENT: Rule = Rule {
    bytes: 64,
    reserved: &[".", "..", "none"],
    prefix: "environment-",
    accepts: |c| !c.is_control() && !c.is_whitespace() && !matches!(c, '/' | '\\'),
};

const DIST: Rule = Rule {
    bytes: 64,
    reserved: &[],
    prefix: "",
    accepts: |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'),
};

/// The name with a `-` for every character that Sentry does not accept, without surrounding blanks and cut to the
/// limit. `None` if nothing is left.
fn repaired<'a>(name: &'a str, rule: &Rule) -> Option<Cow<'a, str>> {
    let name = name.trim();
    let mut name = match name.chars().all(rule.accepts) {
        true => Cow::Borrowed(name),
        false => Cow::Owned(name.chars().map(|c| if (rule.accepts)(c) { c } else { '-' }).collect()),
    };
    if rule.reserved.iter().any(|reserved| reserved.eq_ignore_ascii_case(&name)) {
        name.to_mut().insert_str(0, rule.prefix);
    }
    if name.len() > rule.bytes {
        let end = name.floor_char_boundary(rule.bytes);
        name.to_mut().truncate(end);
    }
    (!name.is_empty()).then_some(name)
}

/// A release under a name that Sentry accepts.
pub(super) fn release(name: &str) -> Option<Cow<'_, str>> {
    repaired(name, &RELEASE)
}

/// An environment under a name that Sentry accepts.
pub(super) fn environment(name: &str) -> Option<Cow<'_, str>> {
    repaired(name, &ENVIRONMENT)
}

/// The build of a run under a name that Sentry accepts.
pub(super) fn dist(run: &Run) -> Option<Cow<'_, str>> {
    repaired(run.dist.as_deref()?, &DIST)
}

/// The names of a run that are sent in another form.
pub(super) fn notes(run: &Run) -> Vec<Note> {
    let names = [
        ("release", Some(run.release.as_str()), release(&run.release)),
        ("environment", run.environment.as_deref(), run.environment.as_deref().and_then(environment)),
        ("dist", run.dist.as_deref(), dist(run)),
    ];
    let changed = names.into_iter().filter_map(|(field, given, sent)| {
        let given = given.filter(|given| !given.is_empty() && Some(*given) != sent.as_deref())?;
        let what = match sent {
            Some(sent) => format!("Sentry does not accept `{given}`: sent as `{sent}`"),
            None => format!("Sentry does not accept `{given}`: not sent"),
        };
        Some(Note { field: field.to_owned(), what })
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_release_is_unchanged_and_an_invalid_one_is_repaired() {
        for (given, sent) in [
            ("shop@1.4.0+77", "shop@1.4.0+77"),
            ("shop@1.0 (77)", "shop@1.0 (77)"),
            ("shop@1.0 (77)/verbatim", "shop@1.0 (77)-verbatim"),
            ("a\\b\tc", "a-b-c"),
            (" shop@1 ", "shop@1"),
            ("Latest", "release-Latest"),
            ("..", "release-.."),
            ("/", "-"),
        ] {
            assert_eq!(release(given).as_deref(), Some(sent), "{given:?}");
        }
        assert_eq!(release(" "), None);
        let long = release(&"\u{20b9}".repeat(100)).unwrap().into_owned();
        assert_eq!((long.len(), long.chars().count()), (198, 66));
    }

    #[test]
    fn environment_and_dist_are_repaired_by_rules_of_their_own() {
        let run = |environment: &str, dist: &str| Run {
            environment: Some(environment.into()),
            dist: Some(dist.into()),
            ..Run::default()
        };
        let odd = run("pre production/eu", "77 (beta)");
        assert_eq!(environment(odd.environment.as_deref().unwrap()).as_deref(), Some("pre-production-eu"));
        assert_eq!(dist(&odd).as_deref(), Some("77--beta-"));
        let reserved = run("NONE", "77");
        assert_eq!(
            (environment("NONE").as_deref(), dist(&reserved).as_deref()),
            (Some("environment-NONE"), Some("77"))
        );
        assert_eq!(environment(""), None);
    }

    #[test]
    fn a_note_names_each_changed_value_and_an_accepted_run_has_none() {
        let run = Run { release: "shop@1/2".into(), environment: Some("ci".into()), ..Run::default() };
        let notes = notes(&run);
        assert_eq!(notes.len(), 1);
        assert_eq!(
            (notes[0].field.as_str(), notes[0].what.as_str()),
            ("release", "Sentry does not accept `shop@1/2`: sent as `shop@1-2`")
        );
        assert!(super::notes(&Run { release: "shop@1".into(), ..Run::default() }).is_empty());
    }
}
