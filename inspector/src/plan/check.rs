//! Events against a plan.

use super::pattern::{Selector, name_of};
use super::schema::Mismatch;
use super::{Plan, Times};
use crate::source::{Ask, Event, Query, SourceError};
use rez_monitor::inspect::{MARK_LOGGER, nearest};
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;

/// What is not as the plan says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `schema`, `unknown`, `forbidden`, `required`, `count` or `order`.
    pub rule: &'static str,
    /// The event; `None` if it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its sequence number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Its session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Its kind and name, or those of the plan.
    pub name: String,
    /// Where inside the event, such as `attrs.items.0.price`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What the plan says.
    pub expected: String,
    /// What the event has.
    pub found: String,
    /// The nearest name that the plan has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

impl Finding {
    /// A sentence about it, without the place of the event.
    #[must_use]
    pub fn text(&self) -> String {
        let Finding { name, path, expected, found, nearest, .. } = self;
        let path = path.as_ref().map(|path| format!("  {path}")).unwrap_or_default();
        let nearest = nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("{name}{path}: expected {expected}, found {found}{nearest}").replace(['\n', '\r'], " ")
    }
}

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// Events read.
    pub events: u64,
    /// Events that the plan names.
    pub planned: u64,
    /// Rows with a wrong checksum, which were left out.
    pub unreadable: u64,
    /// In the order of the events; what is missing comes last.
    pub findings: Vec<Finding>,
}

/// What the rules over several events need of one.
struct Seen {
    seq: u64,
    id: String,
    name: String,
    session: Option<String>,
    /// Places of the planned events that it is.
    planned: Vec<usize>,
    is_required: Vec<bool>,
    /// Of each order rule, whether it is the first, and the second.
    order: Vec<(bool, bool)>,
}

/// Checks the events of a query.
///
/// # Errors
/// The source cannot be read, or refuses.
pub fn check(ask: Ask<'_>, query: &Query, plan: &Plan) -> Result<Check, SourceError> {
    let mut check = Check::default();
    let mut seen = Vec::new();
    check.unreadable = ask.each(query, |event| {
        let is_mark = event.kind == "log" && event.json.get("logger").and_then(Value::as_str) == Some(MARK_LOGGER);
        if !is_mark {
            check.events += 1;
            // The newest comes first: its findings are turned round at the end.
            let (one, findings) = plan.examine(event);
            check.findings.extend(findings.into_iter().rev());
            seen.push(one);
        }
    })?;
    check.findings.reverse();
    seen.reverse();
    check.planned = seen.iter().filter(|one| !one.planned.is_empty()).count() as u64;
    let more = plan.together(&seen);
    check.findings.extend(more);
    Ok(check)
}

impl Plan {
    /// What is wrong with one event, whatever the others are.
    pub(super) fn findings(&self, event: Event) -> Vec<Finding> {
        self.examine(event).1
    }

    /// Looks at one event.
    fn examine(&self, mut event: Event) -> (Seen, Vec<Finding>) {
        // What a collector notes is not the app's.
        if let Some(members) = event.json.as_object_mut()
            && members.remove("received").is_some()
        {
            members.remove("original");
        }
        let planned: Vec<usize> =
            self.events.iter().enumerate().filter(|(_, one)| one.name.selects(&event)).map(|(at, _)| at).collect();
        let name = format!("{} {}", event.kind, name_of(&event));
        let finding = |rule| Finding {
            rule,
            id: Some(event.id.clone()),
            seq: Some(event.seq),
            session: event.session.clone(),
            name: name.clone(),
            ..Finding::default()
        };
        let mut findings = Vec::new();
        for forbidden in self.forbidden.iter().filter(|one| one.selects(&event)) {
            let expected = format!("none, as `{forbidden}` is forbidden");
            findings.push(Finding { expected, found: "one".to_owned(), ..finding("forbidden") });
        }
        let is_planned_kind = self.events.iter().any(|one| one.kind.as_str() == event.kind);
        if planned.is_empty() && is_planned_kind && !self.allows_unknown && findings.is_empty() {
            let of_kind = self.events.iter().filter(|one| one.kind.as_str() == event.kind);
            let known: Vec<&str> = of_kind.filter_map(|one| one.name.exact()).collect();
            findings.push(Finding {
                expected: "a name of the plan".to_owned(),
                found: format!("`{}`", name_of(&event)),
                nearest: nearest(name_of(&event), &known).map(str::to_owned),
                ..finding("unknown")
            });
        }
        for one in planned.iter().filter_map(|at| self.events.get(*at)) {
            let nothing = Value::Object(serde_json::Map::new());
            let attrs = one.attrs.as_ref().map(|schema| {
                schema.mismatches(event.json.get("attrs").unwrap_or(&nothing)).into_iter().map(|it| (true, it))
            });
            let row = one.row.as_ref().map(|schema| schema.mismatches(&event.json).into_iter().map(|it| (false, it)));
            for (is_attr, mismatch) in attrs.into_iter().flatten().chain(row.into_iter().flatten()) {
                let Mismatch { path, expected, found, nearest } = mismatch;
                let path = match (is_attr, path.is_empty()) {
                    (true, true) => Some("attrs".to_owned()),
                    (true, false) => Some(format!("attrs.{path}")),
                    (false, is_whole) => (!is_whole).then_some(path),
                };
                findings.push(Finding { path, expected, found, nearest, ..finding("schema") });
            }
        }
        let order = self.order.iter().map(|rule| (rule.first.selects(&event), rule.then.selects(&event))).collect();
        let is_required = self.required.iter().map(|one| one.selects(&event)).collect();
        let Event { seq, id, session, .. } = event;
        (Seen { seq, id, name, session, planned, is_required, order }, findings)
    }

    /// The rules over all events, oldest first.
    fn together(&self, seen: &[Seen]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (session, events) in sessions(seen) {
            findings.extend(self.orders(&events));
            findings.extend(self.counts(&events, session));
        }
        for (at, required) in self.required.iter().enumerate() {
            if !seen.iter().any(|one| one.is_required.get(at) == Some(&true)) {
                findings.push(missing("required", required, "at least 1", 0, None));
            }
        }
        findings
    }

    fn orders(&self, events: &[&Seen]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (at, rule) in self.order.iter().enumerate() {
            let is = |one: &&&Seen| one.order.get(at).copied().unwrap_or_default();
            let until_first = events.iter().take_while(|one| !is(one).0);
            findings.extend(until_first.filter(|one| is(one).1).map(|one| Finding {
                rule: "order",
                id: Some(one.id.clone()),
                seq: Some(one.seq),
                session: one.session.clone(),
                name: one.name.clone(),
                expected: format!("`{}` before it", rule.first),
                found: "none".to_owned(),
                ..Finding::default()
            }));
        }
        findings
    }

    fn counts(&self, events: &[&Seen], session: Option<&str>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (at, planned) in self.events.iter().enumerate() {
            let Times { least, most } = planned.per_session;
            let count = events.iter().filter(|one| one.planned.contains(&at)).count() as u64;
            if least.is_some_and(|least| count < least) || most.is_some_and(|most| count > most) {
                findings.push(missing("count", &planned.name, &planned.per_session.text(), count, session));
            }
        }
        findings
    }
}

impl Times {
    fn text(self) -> String {
        match (self.least, self.most) {
            (Some(least), Some(most)) if least == most => format!("exactly {least} per session"),
            (Some(least), Some(most)) => format!("{least} to {most} per session"),
            (Some(least), None) => format!("at least {least} per session"),
            (None, most) => format!("at most {} per session", most.unwrap_or_default()),
        }
    }
}

/// A finding about a number of events.
fn missing(rule: &'static str, name: &Selector, expected: &str, count: u64, session: Option<&str>) -> Finding {
    let session = session.map(str::to_owned);
    let (name, expected, found) = (name.to_string(), expected.to_owned(), count.to_string());
    Finding { rule, session, name, expected, found, ..Finding::default() }
}

/// The events of each session. Events without one belong to none; if there is no session at all, they are one together.
fn sessions(seen: &[Seen]) -> Vec<(Option<&str>, Vec<&Seen>)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut sessions: Vec<(Option<&str>, Vec<&Seen>)> = Vec::new();
    for one in seen {
        let Some(session) = one.session.as_deref() else { continue };
        let place = *places.entry(session).or_insert(sessions.len());
        match sessions.get_mut(place) {
            Some((_, events)) => events.push(one),
            None => sessions.push((Some(session), vec![one])),
        }
    }
    if sessions.is_empty() {
        sessions.push((None, seen.iter().collect()));
    }
    sessions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Inspect;
    use serde_json::json;

    /// Answers with these events, two at a time.
    struct Recorded(Vec<Value>);

    impl Inspect for Recorded {
        fn try_inspect(&self, request: &str) -> Result<String, SourceError> {
            let request: Value = serde_json::from_str(request).unwrap();
            let before = request["before"].as_u64().unwrap_or(u64::MAX);
            let older = self.0.iter().rev().filter(|event| event["seq"].as_u64() < Some(before));
            let page: Vec<&Value> = older.take(2).collect();
            let next = page.last().map(|event| event["seq"].clone());
            Ok(json!({"events": page, "before": next, "unreadable": 0}).to_string())
        }
    }

    fn findings(plan: Value, events: &[(&str, Option<&str>, Value)]) -> Vec<(&'static str, Option<u64>, String)> {
        let event = |(at, (name, session, attrs)): (usize, &(&str, Option<&str>, Value))| {
            json!({"seq": at + 1, "id": format!("id-{}", at + 1), "kind": "analytics", "name": name, "wall_ms": 0, "bytes": 1,
                "state": "queued", "routes": [], "session": session, "json": {"name": name, "attrs": attrs}})
        };
        let source = Recorded(events.iter().enumerate().map(event).collect());
        let check = check(Ask(&source), &Query::default(), &Plan::of(&plan).unwrap()).unwrap();
        assert_eq!(check.events, events.len() as u64);
        let told = |one: Finding| {
            let path = one.path.map(|path| format!(" {path}")).unwrap_or_default();
            let nearest = one.nearest.map(|near| format!(" ({near})")).unwrap_or_default();
            (one.rule, one.seq, format!("{}{path}: {}, {}{nearest}", one.name, one.expected, one.found))
        };
        check.findings.into_iter().map(told).collect()
    }

    fn plan(more: Value) -> Value {
        let mut plan = json!({"plan": 1});
        plan.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        plan
    }

    #[test]
    fn an_unknown_name_of_a_planned_kind_comes_with_the_nearest_one() {
        let events =
            json!({"events": [{"kind": "analytics", "name": "purchase"}, {"kind": "analytics", "name": "cart_*"}]});
        let recorded = [("purchas", None, json!({})), ("cart_open", None, json!({})), ("zzz", None, json!({}))];
        let unknown = [
            ("unknown", Some(1), "analytics purchas: a name of the plan, `purchas` (purchase)".to_owned()),
            ("unknown", Some(3), "analytics zzz: a name of the plan, `zzz`".to_owned()),
        ];
        assert_eq!(findings(plan(events.clone()), &recorded), unknown);
        let mut allows = plan(events);
        allows["unknown"] = "allow".into();
        assert_eq!(findings(allows, &recorded), []);
        let other_kind = json!({"events": [{"kind": "error", "name": "*"}]});
        assert_eq!(findings(plan(other_kind), &recorded), []);
    }

    #[test]
    fn attributes_and_the_whole_row_have_schemas_and_the_path_begins_at_the_row() {
        let schema = json!({"type": "object", "required": ["price"], "properties": {"price": {"type": "number"}}});
        let row = json!({"required": ["view"]});
        let events = json!({"events": [{"kind": "analytics", "name": "buy", "attrs": schema, "row": row}]});
        let all = findings(plan(events), &[("buy", None, json!({"price": "x"})), ("buy", None, json!({}))]);
        let told: Vec<_> = all.iter().map(|(_, seq, text)| (seq.unwrap(), text.as_str())).collect();
        assert_eq!(
            told,
            [
                (1, "analytics buy attrs.price: type \"number\", \"x\""),
                (1, "analytics buy view: a value, none"),
                (2, "analytics buy attrs.price: a value, none"),
                (2, "analytics buy view: a value, none"),
            ]
        );
    }

    #[test]
    fn each_session_has_its_own_counts_and_its_own_order() {
        let rules = json!({
            "events": [{"kind": "analytics", "name": "*", "per_session": {"at_most": 2}},
                {"kind": "analytics", "name": "buy", "per_session": {"exactly": 1}}],
            "order": [{"first": "view", "then": "buy"}],
        });
        let none = || json!({});
        let recorded = [
            ("view", Some("a"), none()),
            ("buy", Some("b"), none()),
            ("buy", Some("a"), none()),
            ("view", Some("b"), none()),
            ("view", Some("c"), none()),
            ("between", None, none()),
            ("buy", Some("b"), none()),
        ];
        assert_eq!(
            findings(plan(rules), &recorded),
            [
                ("order", Some(2), "analytics buy: `view` before it, none".to_owned()),
                ("count", None, "analytics *: at most 2 per session, 3".to_owned()),
                ("count", None, "analytics buy: exactly 1 per session, 2".to_owned()),
                ("count", None, "analytics buy: exactly 1 per session, 0".to_owned()),
            ]
        );
    }

    #[test]
    fn forbidden_and_missing_names_are_found_and_without_sessions_all_events_are_one() {
        let rules = json!({"required": ["login", "view"], "forbidden": ["debug_*"],
            "events": [{"kind": "analytics", "name": "view", "per_session": {"at_least": 2}}]});
        let recorded = [("debug_x", None, json!({})), ("view", None, json!({}))];
        assert_eq!(
            findings(plan(rules.clone()), &recorded),
            [
                ("forbidden", Some(1), "analytics debug_x: none, as `debug_*` is forbidden, one".to_owned()),
                ("count", None, "analytics view: at least 2 per session, 1".to_owned()),
                ("required", None, "login: at least 1, 0".to_owned()),
            ]
        );
        assert_eq!(findings(plan(rules), &[]).len(), 3, "an empty source has nothing that is required");
    }
}
