//! Views that the app names itself.

use super::{Monitor, Outcome};
use crate::attributes::Attrs;
use crate::event::Event;
use crate::event::encode::Encoder;
use crate::event::field::Field;

impl Monitor {
    /// Starts a view: later events belong to it until [`Monitor::stop_view`], or until another view or screen starts. Records a
    /// `screen_view`. For apps whose screens the platform does not show, such as the steps of a checkout on one screen.
    ///
    /// `key` is the app's key for the stop; only one view is open, so a second start with the same key ends the first view and
    /// starts another one. `attrs` are on this event and, up to 4 KiB, on the view at Datadog.
    ///
    /// ```
    /// # fn show(monitor: &rez_monitor::Monitor) {
    /// let _ = monitor.start_view("checkout/2", "Payment", &[("cart", 3.into())]);
    /// monitor.view_timing("methods_shown");
    /// let _ = monitor.stop_view("checkout/2");
    /// # }
    /// ```
    pub fn start_view(&self, key: &str, name: &str, attrs: Attrs<'_>) -> Outcome {
        self.0.record(&Event::view_start(key, name).attrs(attrs))
    }

    /// Ends the view with this key and records how long it was shown. Later events belong to no view. If another view is shown
    /// by then, or none, the call changes nothing: its row has no duration, and only a `rez` destination gets it.
    pub fn stop_view(&self, key: &str) -> Outcome {
        self.0.record(&Event::view_stop(key))
    }

    /// Records the time from the start of the present view, or screen, to this call under a name. The view's later events
    /// carry it. At most 32 names per view; a second time of one name replaces the first.
    pub fn view_timing(&self, name: &str) {
        self.change_view("view_timing", |encoder| encoder.field(Field::Name, name.into()));
    }

    /// Adds attributes to the present view, up to 4 KiB of JSON. Attributes beyond it are ignored.
    pub fn view_attributes(&self, attrs: Attrs<'_>) {
        self.change_view("view_attrs", |encoder| encoder.maps(&[], attrs));
    }

    fn change_view(&self, change: &str, write: impl FnOnce(&mut Encoder<'_>)) {
        if self.0.refused_here().is_none() {
            self.0.append_scope(|encoder| {
                encoder.field(Field::Change, change.into());
                write(encoder);
            });
        }
    }
}
