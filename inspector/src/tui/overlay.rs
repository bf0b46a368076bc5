//! The text of what stands in front of the screen.

use super::keys::KEYS;
use super::page::wrap;
use super::state::Overlay;
use crate::render::one_line;
use crate::terminal::printable;

/// Columns of the longest row, with the border.
pub(super) const WIDTH: u16 = 76;

/// The faults: each is chosen by its first letter.
pub(super) const FAULTS: [(&str, &str); 4] = [
    ("offline", "nothing is sent"),
    ("refuse", "every request is answered with status 503"),
    ("slow", "every request starts 5 s late"),
    ("none", "requests no longer fail"),
];

/// The rows of a text for a screen of this width.
pub(super) fn rows(overlay: &Overlay, width: u16) -> Vec<String> {
    let columns = usize::from(width.min(WIDTH).saturating_sub(2));
    let lines = match overlay {
        Overlay::Fault => {
            let fault =
                |(fault, what): &(&str, &str)| format!(" {}  {fault:<8} {what}", fault.get(..1).unwrap_or_default());
            let faults = FAULTS.iter().map(fault);
            faults.chain(["".to_owned(), "any other key changes nothing".to_owned()]).collect()
        }
        Overlay::Help => KEYS.map(|(keys, what)| format!(" {keys:<9}  {what}")).to_vec(),
        Overlay::Lines(_, lines) => lines.clone(),
        Overlay::Drop(target) => {
            let lines = ["Delete this event?", "", &target.name, &target.id, "", "It is counted as cleared_by_user."];
            lines.into_iter().chain(["", "y deletes it, any other key does not"]).map(str::to_owned).collect()
        }
    };
    lines.iter().flat_map(|line| wrap(&printable(&one_line(line)), columns)).collect()
}

/// How far a text can be moved on a screen of this size.
pub(super) fn last_top(overlay: &Overlay, (width, height): (u16, u16)) -> usize {
    rows(overlay, width).len().saturating_sub(usize::from(height.saturating_sub(2)))
}
