//! What the commands and the terminal interface show, as text: one renderer for each thing.

mod drops;
mod event;
mod stack;
mod status;
mod timeline;

pub(crate) use drops::drops;
pub(crate) use event::event;
pub(crate) use stack::{stack, thrown};
pub(crate) use status::status;
pub(crate) use timeline::{HEAD, one_line, timeline};
