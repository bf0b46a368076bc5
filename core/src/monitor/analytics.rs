//! Super properties and timed events.

use super::{Monitor, ScopeChange, SuperProperties};
use crate::attributes::Attrs;
use crate::event::field::Field;

impl Monitor {
    /// Sets attributes that every later analytics event carries, also after a restart. See [`SuperProperties`] for properties
    /// that are set once or are for some destinations.
    pub fn super_properties(&self, attrs: Attrs<'_>) {
        self.scope(ScopeChange::Super(SuperProperties::new(attrs)));
    }

    /// The same for properties that do not exist yet.
    pub fn super_properties_once(&self, attrs: Attrs<'_>) {
        self.scope(ScopeChange::Super(SuperProperties::new(attrs).once()));
    }

    /// Removes a super property.
    pub fn unset_super_property(&self, name: &str) {
        self.scope(ScopeChange::SuperUnset(name));
    }

    /// Removes all super properties.
    pub fn clear_super_properties(&self) {
        self.scope(ScopeChange::SuperClear);
    }

    /// Starts the timer of an event: the next [`Monitor::track`] of this name carries the time in between (`duration_us` in the
    /// row, `$duration` in seconds at Mixpanel). A second call starts the timer again. The last 100 timers run; they are kept
    /// in memory and end with the process.
    pub fn time_event(&self, name: &str) {
        if self.0.refused_here().is_none() {
            self.0.append_scope(|encoder| {
                encoder.field(Field::Change, "time_event".into());
                encoder.field(Field::Name, name.into());
            });
        }
    }
}
