//! Feedback from a user about the app.

/// Feedback from a user about the app.
#[derive(Clone, Copy, Debug)]
pub struct Feedback<'a> {
    /// The text.
    pub message: &'a str,
    /// The name of the user, if given.
    pub name: Option<&'a str>,
    /// The address for a reply, if given. Sent as given.
    pub email: Option<&'a str>,
    /// The event it is about.
    pub about: Option<crate::EventId>,
}
