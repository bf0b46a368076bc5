//! A plan file becomes a [`Plan`].

use super::member::{Member, Object, PlanError};
use super::pattern::Selector;
use super::schema::Schema;
use super::{Order, Plan, Planned, Times, VERSION};
use rez_monitor::Kind;
use rez_monitor::inspect::nearest;
use serde_json::Value;

const PLAN: [&str; 6] = ["plan", "events", "unknown", "required", "forbidden", "order"];
const EVENT: [&str; 7] = ["kind", "name", "note", "seen", "attrs", "row", "per_session"];
const TIMES: [&str; 3] = ["exactly", "at_least", "at_most"];
const ORDER: [&str; 2] = ["first", "then"];

impl Plan {
    /// Reads a plan from the text of its file.
    ///
    /// ```
    /// use rez_inspect::plan::Plan;
    ///
    /// let plan = r#"{"plan": 1, "events": [{"kind": "analytics", "name": "purchase", "per_session": {"at_most": 1}}]}"#;
    /// assert!(Plan::parse(plan).is_ok());
    /// let error = Plan::parse(r#"{"plan": 1, "event": []}"#).unwrap_err();
    /// assert!(error.to_string().contains("did you mean `events`?"));
    /// ```
    ///
    /// # Errors
    /// It is no JSON, or a member has a value that is not allowed.
    pub fn parse(text: &str) -> Result<Plan, PlanError> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| PlanError::new(format!("the plan is no JSON: {error}")))?;
        Plan::of(&value)
    }

    /// Reads a plan from its JSON.
    ///
    /// # Errors
    /// A member has a value that is not allowed.
    pub fn of(value: &Value) -> Result<Plan, PlanError> {
        if !value.is_object() {
            return Err(PlanError::new("the plan is no JSON object".to_owned()));
        }
        let plan = Member { path: String::new(), value }.object(&PLAN)?;
        let version = plan.need("plan")?;
        if version.value.as_u64() != Some(VERSION) {
            return Err(version.wrong("this version of rezq reads plans of version 1"));
        }
        let mut events: Vec<Planned> = Vec::new();
        for member in plan.list("events")? {
            let event = planned(&member)?;
            if let Some(at) = events.iter().position(|other| other.name == event.name) {
                let path = &member.path;
                return Err(PlanError::new(format!("`{path}` has the kind and name of `events[{at}]`: join them")));
            }
            events.push(event);
        }
        let allows_unknown = match plan.get("unknown") {
            None => false,
            Some(member) => match member.text()? {
                "allow" => true,
                "finding" => false,
                _ => return Err(member.wrong("use `finding` or `allow`")),
            },
        };
        let order = plan.list("order")?.iter().map(order).collect::<Result<_, _>>()?;
        let [required, forbidden] = [selectors(&plan, "required")?, selectors(&plan, "forbidden")?];
        Ok(Plan { events, allows_unknown, required, forbidden, order })
    }
}

fn planned(member: &Member<'_>) -> Result<Planned, PlanError> {
    let event = member.object(&EVENT)?;
    let word = event.need("kind")?;
    let kinds = Kind::ALL.map(Kind::as_str);
    let kind = word.text().ok().and_then(Kind::parse).ok_or_else(|| {
        let near = word.value.as_str().and_then(|word| nearest(word, &kinds));
        let hint = near.map_or("use".to_owned(), |near| format!("did you mean `{near}`? Use"));
        word.wrong(&format!("{hint} one of {}", kinds.join(", ")))
    })?;
    let name = Selector::new(kind, event.need("name")?.text()?);
    let schema = |name: &str| event.get(name).map(|member| Schema::read(&member)).transpose();
    let [attrs, row] = [schema("attrs")?, schema("row")?];
    let per_session = event.get("per_session").map_or(Ok(Times::default()), |member| times(&member))?;
    event.get("seen").map(|seen| seen.count()).transpose()?;
    event.get("note").map(|note| note.text()).transpose()?;
    Ok(Planned { kind, name, attrs, row, per_session })
}

fn times(member: &Member<'_>) -> Result<Times, PlanError> {
    let times = member.object(&TIMES)?;
    let count = |name: &str| times.get(name).map(|member| member.count()).transpose();
    match (count("exactly")?, count("at_least")?, count("at_most")?) {
        (Some(n), None, None) => Ok(Times { least: Some(n), most: Some(n) }),
        (None, least, most) if least.is_some() || most.is_some() => match least.zip(most) {
            Some((least, most)) if least > most => Err(member.wrong("`at_least` is above `at_most`")),
            _ => Ok(Times { least, most }),
        },
        _ => Err(member.wrong("use `exactly`, or `at_least` and `at_most`, or one of them")),
    }
}

fn order(member: &Member<'_>) -> Result<Order, PlanError> {
    let order = member.object(&ORDER)?;
    let selector = |name: &str| Ok(Selector::parse(order.need(name)?.text()?));
    Ok(Order { first: selector("first")?, then: selector("then")? })
}

fn selectors(plan: &Object<'_>, name: &str) -> Result<Vec<Selector>, PlanError> {
    plan.list(name)?.iter().map(|member| member.text().map(Selector::parse)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_plan_is_an_error_that_names_the_member_and_what_is_allowed() {
        for (plan, wanted) in [
            ("", "the plan is no JSON: EOF while parsing"),
            ("[]", "the plan is no JSON object"),
            ("{}", "`plan` is missing"),
            (r#"{"plan": 2}"#, "`plan` is 2: this version of rezq reads plans of version 1"),
            (
                r#"{"plan": 1, "forbiden": []}"#,
                "the plan has the unknown member \"forbiden\": did you mean `forbidden`?",
            ),
            (r#"{"plan": 1, "events": {}}"#, "`events` is {}: it must be a list"),
            (r#"{"plan": 1, "events": [7]}"#, "`events[0]` is 7: it must be an object"),
            (r#"{"plan": 1, "events": [{"name": "x"}]}"#, "`events[0].kind` is missing"),
            (
                r#"{"plan": 1, "events": [{"kind": "analytic", "name": "x"}]}"#,
                "`events[0].kind` is \"analytic\": did you mean `analytics`? Use one of crash,",
            ),
            (r#"{"plan": 1, "events": [{"kind": 7, "name": "x"}]}"#, "`events[0].kind` is 7: use one of crash,"),
            (
                r#"{"plan": 1, "events": [{"kind": "error", "name": ""}]}"#,
                "`events[0].name` is \"\": it must be a text",
            ),
            (
                r#"{"plan": 1, "events": [{"kind": "error", "name": "x", "atrs": {}}]}"#,
                "`events[0]` has the unknown member \"atrs\": did you mean `attrs`? Allowed are kind, name,",
            ),
            (
                r#"{"plan": 1, "events": [{"kind": "error", "name": "x", "attrs": {"type": "nmber"}}]}"#,
                "`events[0].attrs.type` is \"nmber\": did you mean `number`? Use one of array,",
            ),
            (
                r#"{"plan": 1, "events": [{"kind": "error", "name": "x", "attrs": {"properties": {"a": {"minimum": "1"}}}}]}"#,
                "`events[0].attrs.properties.a.minimum` is no JSON Schema: \"1\" is not of type \"number\"",
            ),
            (
                r##"{"plan": 1, "events": [{"kind": "error", "name": "x", "row": {"$ref": "https://example.com/a"}}]}"##,
                "`events[0].row` is no JSON Schema",
            ),
            (
                r#"{"plan": 1, "events": [{"kind": "error", "name": "x"}, {"kind": "error", "name": "x"}]}"#,
                "`events[1]` has the kind and name of `events[0]`: join them",
            ),
            (
                r#"{"plan": 1, "events": [{"kind": "error", "name": "x", "per_session": {}}]}"#,
                "`events[0].per_session` is {}: use `exactly`,",
            ),
            (
                r#"{"plan": 1, "events": [{"kind": "error", "name": "x", "per_session": {"exactly": -1}}]}"#,
                "`events[0].per_session.exactly` is -1: it must be a whole number",
            ),
            (
                r#"{"plan": 1, "events": [{"kind": "error", "name": "x", "per_session": {"exactly": 1, "at_most": 2}}]}"#,
                "use `exactly`, or",
            ),
            (
                r#"{"plan": 1, "events": [{"kind": "error", "name": "x", "per_session": {"at_least": 3, "at_most": 2}}]}"#,
                "`at_least` is above `at_most`",
            ),
            (r#"{"plan": 1, "unknown": "ignore"}"#, "`unknown` is \"ignore\": use `finding` or `allow`"),
            (r#"{"plan": 1, "required": [[]]}"#, "`required[0]` is []: it must be a text"),
            (r#"{"plan": 1, "order": [{"first": "a"}]}"#, "`order[0].then` is missing"),
        ] {
            let error = Plan::parse(plan).unwrap_err().to_string();
            assert!(error.contains(wanted), "{plan}\n{error}");
        }
    }
}
