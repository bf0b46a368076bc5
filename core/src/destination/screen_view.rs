//! Screen views that an app starts and stops itself, shared by two vendors.

use crate::json::Json;

/// Whether the row is the stop of a view that was shown.
pub(super) fn ends_view(fields: &Json<'_>) -> bool {
    fields.text("op") == Some("stop") && fields.int("duration_us").is_some()
}

/// Whether the row starts or ends a view: not the stop of one that was not shown.
pub(super) fn changes_view(fields: &Json<'_>) -> bool {
    fields.text("op") != Some("stop") || ends_view(fields)
}
