//! Encodes stacks: the frames of an error, its causes, and the threads that ran. A stack shares the room of its event with
//! everything else, so each group has a limit of its own.

use super::{Encoder, FALSE, FIELD_ROOM, FRAME, I64, LIST, MAP, STR, TRUE, U64};
use crate::attributes::{Attrs, Value};
use crate::event::field::Field;
use crate::event::{Cause, Details, Frame, Thread, User};
use crate::limits::{
    CAUSES, CAUSES_BYTES, ELEMENTS, FRAMES, NAME_BYTES, NATIVE_FRAMES, SIDE_FRAMES, TEXT_BYTES, THREADS,
};

impl Encoder<'_> {
    /// Adds stack frames, outermost first. Only the innermost [`FRAMES`] are kept.
    pub(crate) fn frames_field(&mut self, frames: &[Frame<'_>]) {
        if self.begin(Field::Frames) {
            self.frames(frames, FRAMES);
        }
    }

    /// Adds stack frames of which only the address is known, outermost first.
    #[allow(dead_code)] // Where native crashes are not captured.
    pub(crate) fn addresses(&mut self, addresses: impl ExactSizeIterator<Item = u64>) {
        if self.begin(Field::Frames) {
            let given = addresses.len();
            self.items(addresses, given, |encoder, address| encoder.frame(&Frame { address, ..Frame::default() }));
        }
    }

    /// Adds the frames of a native crash, which has as many as its walk found.
    #[allow(dead_code)] // Where native crashes are not captured.
    pub(crate) fn native_frames(&mut self, frames: &[Frame<'_>]) {
        if self.begin(Field::Frames) {
            self.frames(frames, NATIVE_FRAMES);
        }
    }

    /// Adds a list of names.
    pub(crate) fn names_field(&mut self, field: Field, names: &[&str]) {
        if !self.begin(field) {
            return;
        }
        let Some(count_at) = self.open(LIST) else { return };
        let mut count = 0u16;
        for name in names.iter().take(ELEMENTS) {
            let start = self.at;
            if !(self.put([STR]) && self.text(name, NAME_BYTES)) {
                self.at = start;
                break;
            }
            count += 1;
        }
        self.cut += (names.len() - usize::from(count)) as u64;
        self.patch(count_at, count);
    }

    /// Adds the user and the tags of the event itself.
    pub(super) fn scope_of_the_event(&mut self, user: Option<User<'_>>, tags: Attrs<'_>) {
        if let Some(user) = user {
            let [id, email, username] =
                [user.id, user.email, user.username].map(|text| text.map_or(Value::Null, Value::Str));
            let members = [("id", id), ("email", email), ("username", username), ("extra", Value::Map(user.extra))];
            self.map_field(Field::User, &members);
        }
        if !tags.is_empty() {
            self.map_field(Field::Tags, tags);
        }
    }

    /// Adds the parts of the fingerprint and the causes.
    pub(super) fn details(&mut self, details: &Details<'_>) {
        if !details.fingerprints.is_empty() {
            self.names_field(Field::Fingerprint, details.fingerprints);
        }
        if !details.causes.is_empty() {
            self.causes(details.causes);
        }
    }

    /// Adds at most [`CAUSES`] causes in at most [`CAUSES_BYTES`].
    pub(crate) fn causes(&mut self, causes: &[Cause<'_>]) {
        let end = self.end;
        self.end = end.min(self.at.saturating_add(CAUSES_BYTES));
        if self.begin(Field::Causes) {
            self.items(causes.iter().take(CAUSES).enumerate(), causes.len(), |encoder, (at, cause)| {
                encoder.cause(at + 1, cause)
            });
        }
        self.end = end;
    }

    fn cause(&mut self, index: usize, cause: &Cause<'_>) -> bool {
        let parent = if cause.parent < index { cause.parent } else { 0 };
        self.cut += u64::from(parent != cause.parent);
        let Some(count_at) = self.open(MAP) else { return false };
        let written = self.member("type", |e| e.put([STR]) && e.text(cause.kind, NAME_BYTES))
            && self.member("message", |e| e.put([STR]) && e.text(cause.message, TEXT_BYTES))
            && self.member("parent", |e| e.number(I64, (parent as i64).to_le_bytes()))
            && self.member("source", |e| e.put([STR]) && e.text(cause.source, NAME_BYTES))
            && self.member("group", |e| e.put([if cause.group { TRUE } else { FALSE }]));
        let frames =
            written && !cause.frames.is_empty() && self.member("frames", |e| e.frames(cause.frames, SIDE_FRAMES));
        self.patch(count_at, if frames { 6 } else { 5 });
        written
    }

    /// Adds at most [`THREADS`] threads.
    pub(crate) fn threads(&mut self, threads: &[Thread<'_>]) {
        if threads.is_empty() || !self.begin(Field::Threads) {
            return;
        }
        // The crashed and the main thread first, so that they are kept if the room ends.
        let rank = |thread: &Thread<'_>| !(thread.crashed || thread.main);
        let ordered = [false, true].into_iter().flat_map(|late| threads.iter().filter(move |one| rank(one) == late));
        self.items(ordered.take(THREADS), threads.len(), |encoder, thread| encoder.thread(thread));
    }

    fn thread(&mut self, thread: &Thread<'_>) -> bool {
        let Some(count_at) = self.open(MAP) else { return false };
        let flag = |flag: bool| [if flag { TRUE } else { FALSE }];
        let written = self.member("id", |e| e.number(U64, thread.id.to_le_bytes()))
            && self.member("name", |e| e.put([STR]) && e.text(thread.name, NAME_BYTES))
            && self.member("crashed", |e| e.put(flag(thread.crashed)))
            && self.member("main", |e| e.put(flag(thread.main)));
        let frames =
            written && !thread.frames.is_empty() && self.member("frames", |e| e.frames(thread.frames, SIDE_FRAMES));
        self.patch(count_at, if frames { 5 } else { 4 });
        written
    }

    /// Begins a field. `false` = no room, which counts as cut.
    fn begin(&mut self, field: Field) -> bool {
        if self.room() < FIELD_ROOM {
            self.cut += 1;
            return false;
        }
        self.put([field as u8])
    }

    /// Writes a list of maps. What does not fit, or exceeds the limit of `items`, counts as cut.
    fn items<T>(&mut self, items: impl Iterator<Item = T>, given: usize, mut write: impl FnMut(&mut Self, T) -> bool) {
        let Some(count_at) = self.open(LIST) else { return };
        let mut count = 0u16;
        for item in items {
            let start = self.at;
            if !write(self, item) {
                self.at = start;
                break;
            }
            count += 1;
        }
        self.cut += given.saturating_sub(usize::from(count)) as u64;
        self.patch(count_at, count);
    }

    /// Writes one entry of a map, or nothing.
    fn member(&mut self, name: &str, value: impl FnOnce(&mut Self) -> bool) -> bool {
        let start = self.at;
        let written = self.text(name, NAME_BYTES) && value(self);
        if !written {
            self.at = start;
            self.cut += 1;
        }
        written
    }

    /// Writes a list of frames, of which the innermost `most` are kept.
    fn frames(&mut self, frames: &[Frame<'_>], most: usize) -> bool {
        let kept = frames.get(frames.len().saturating_sub(most)..).unwrap_or(frames);
        self.cut += (frames.len() - kept.len()) as u64;
        let Some(count_at) = self.open(LIST) else { return false };
        let mut count = 0u16;
        for frame in kept {
            let start = self.at;
            if !self.frame(frame) {
                self.at = start;
                self.cut += 1;
                continue;
            }
            count += 1;
        }
        self.patch(count_at, count);
        true
    }

    fn frame(&mut self, frame: &Frame<'_>) -> bool {
        let language = frame.language.map_or(0, |language| language as u8);
        self.put([FRAME])
            && self.text(frame.function, NAME_BYTES * 2)
            && self.text(frame.module, NAME_BYTES)
            && self.text(frame.file, NAME_BYTES * 2)
            && self.put(frame.line.to_le_bytes())
            && self.put(frame.column.to_le_bytes())
            && self.put(frame.address.to_le_bytes())
            && self.put([u8::from(frame.in_app) | language << 1])
    }
}
