//! What later events carry: user, tags, contexts, flags, super properties, the view.

use crate::attributes::{Arena, Attr, AttrValue};
use crate::engines::with;
use crate::events::User;
use rez_monitor::{ScopeChange, SuperProperties};

fn change(handle: u64, change: ScopeChange<'_>) {
    with(handle, (), |monitor| monitor.scope(change));
}

/// Sets the user; `None` = nobody, after a logout.
#[uniffi::export]
pub fn set_user(handle: u64, user: Option<User>) {
    let arena = Arena::default();
    change(handle, ScopeChange::User(user.as_ref().map(|user| user.to_core(&arena))));
}

/// Sets a tag; without a value it is removed.
#[uniffi::export]
pub fn set_tag(handle: u64, name: String, value: Option<String>) {
    change(handle, ScopeChange::Tag(&name, value.as_deref()));
}

/// Sets a context; without a value it is removed.
#[uniffi::export]
pub fn set_context(handle: u64, name: String, value: Option<Vec<Attr>>) {
    let arena = Arena::default();
    change(handle, ScopeChange::Context(&name, value.as_ref().map(|value| arena.attrs(value))));
}

/// A feature flag was evaluated.
#[uniffi::export]
pub fn set_flag(handle: u64, name: String, value: AttrValue) {
    change(handle, ScopeChange::Flag(&name, Arena::default().value(&value)));
}

/// The app came to the foreground, or left it.
#[uniffi::export]
pub fn set_foreground(handle: u64, foreground: bool) {
    change(handle, ScopeChange::Foreground(foreground));
}

/// Ends the session and starts a new one.
#[uniffi::export]
pub fn new_session(handle: u64) {
    change(handle, ScopeChange::NewSession);
}

/// Sets super properties; `once`: only those that have no value yet.
#[uniffi::export]
pub fn set_super(handle: u64, attrs: Vec<Attr>, once: bool, targets: Vec<String>) {
    let arena = Arena::default();
    let properties = SuperProperties::new(arena.attrs(&attrs)).targets(arena.texts(&targets));
    change(handle, ScopeChange::Super(if once { properties.once() } else { properties }));
}

/// Removes a super property.
#[uniffi::export]
pub fn unset_super(handle: u64, name: String) {
    change(handle, ScopeChange::SuperUnset(&name));
}

/// Removes all super properties.
#[uniffi::export]
pub fn clear_super(handle: u64) {
    change(handle, ScopeChange::SuperClear);
}

/// Starts the time of an analytics event; its next `track` carries the duration.
#[uniffi::export]
pub fn time_event(handle: u64, name: String) {
    with(handle, (), |monitor| monitor.time_event(&name));
}

/// Measures from the start of the current view until now.
#[uniffi::export]
pub fn view_timing(handle: u64, name: String) {
    with(handle, (), |monitor| monitor.view_timing(&name));
}

/// Adds attributes to the current view.
#[uniffi::export]
pub fn view_attributes(handle: u64, attrs: Vec<Attr>) {
    with(handle, (), |monitor| monitor.view_attributes(Arena::default().attrs(&attrs)));
}
