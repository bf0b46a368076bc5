//! Typed access to the members of a JSON file. An error names the member and says what is allowed.

use rez_monitor::inspect::nearest;
use serde_json::{Map, Value};

/// Characters of a value in a sentence.
const CHARS: usize = 80;

/// Why a plan cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PlanError {
    message: String,
}

impl PlanError {
    pub(super) fn new(message: String) -> PlanError {
        PlanError { message }
    }
}

/// A value of the file and where it stands, such as `events[2].kind`.
pub(super) struct Member<'a> {
    pub(super) path: String,
    pub(super) value: &'a Value,
}

impl<'a> Member<'a> {
    /// An error about this member: `events[2].kind is 7: use ..`.
    pub(super) fn wrong(&self, allowed: &str) -> PlanError {
        let shown = short(self.value);
        PlanError::new(format!("`{}` is {shown}: {allowed}", self.path))
    }

    pub(super) fn text(&self) -> Result<&'a str, PlanError> {
        let text = self.value.as_str().filter(|text| !text.is_empty());
        text.ok_or_else(|| self.wrong("it must be a text that is not empty"))
    }

    pub(super) fn count(&self) -> Result<u64, PlanError> {
        self.value.as_u64().ok_or_else(|| self.wrong("it must be a whole number, 0 or more"))
    }

    /// The elements of a list.
    pub(super) fn list(&self) -> Result<Vec<Member<'a>>, PlanError> {
        let items = self.value.as_array().ok_or_else(|| self.wrong("it must be a list"))?;
        let item = |(at, value)| Member { path: format!("{}[{at}]", self.path), value };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// An object that has no other members than these.
    pub(super) fn object(&self, known: &[&'static str]) -> Result<Object<'a>, PlanError> {
        let members = self.value.as_object().ok_or_else(|| self.wrong("it must be an object"))?;
        if let Some(name) = members.keys().find(|name| !known.contains(&name.as_str())) {
            let place = if self.path.is_empty() { "the plan".to_owned() } else { format!("`{}`", self.path) };
            let hint = nearest(name, known).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            let shown = short(&Value::from(name.as_str()));
            let known = known.join(", ");
            return Err(PlanError::new(format!("{place} has the unknown member {shown}: {hint}Allowed are {known}")));
        }
        Ok(Object { path: self.path.clone(), members })
    }
}

/// The members of an object.
pub(super) struct Object<'a> {
    path: String,
    members: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// A member; `None` if it is missing or null.
    pub(super) fn get(&self, name: &str) -> Option<Member<'a>> {
        let value = self.members.get(name).filter(|value| !value.is_null())?;
        Some(Member { path: self.path_of(name), value })
    }

    pub(super) fn need(&self, name: &str) -> Result<Member<'a>, PlanError> {
        self.get(name).ok_or_else(|| PlanError::new(format!("`{}` is missing", self.path_of(name))))
    }

    /// The elements of a list; none if it is missing.
    pub(super) fn list(&self, name: &str) -> Result<Vec<Member<'a>>, PlanError> {
        self.get(name).map_or(Ok(Vec::new()), |member| member.list())
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// The JSON of a value, not longer than a line has room for.
pub(super) fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(CHARS) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
