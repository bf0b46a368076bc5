//! Reads the parts of a hot record, borrowed from its bytes.

use bumpalo::Bump;
use rez_monitor::{Cause, Frame, Thread, TraceContext, Value};

/// Deepest nesting that is read: deeper than any row, so that hostile bytes do not exhaust the stack.
const DEPTH: usize = 8;

/// Reads from the front of a record. Every method returns `None` if the bytes end or have another form.
pub(super) struct Reader<'r> {
    rest: &'r [u8],
    /// Memory for lists and maps.
    arena: &'r Bump,
}

impl<'r> Reader<'r> {
    pub(super) fn new(record: &'r [u8], arena: &'r Bump) -> Reader<'r> {
        Reader { rest: record, arena }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*bytes)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    pub(super) fn f64(&mut self) -> Option<f64> {
        self.take().map(f64::from_le_bytes)
    }

    pub(super) fn text(&mut self) -> Option<&'r str> {
        let len = usize::from(self.u16()?);
        let (text, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        std::str::from_utf8(text).ok()
    }

    /// `Some(None)` if the part is not there.
    pub(super) fn text_if(&mut self, is_there: bool) -> Option<Option<&'r str>> {
        if is_there { self.text().map(Some) } else { Some(None) }
    }

    pub(super) fn value(&mut self, depth: usize) -> Option<Value<'r>> {
        Some(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::I64(self.i64()?),
            5 => Value::F64(self.f64()?),
            6 => Value::Str(self.text()?),
            7 | 8 if depth >= DEPTH => return None,
            7 => {
                let count = self.u16()?;
                Value::List(self.list(usize::from(count), |reader| reader.value(depth + 1))?)
            }
            8 => {
                let count = self.u16()?;
                Value::Map(self.list(usize::from(count), |reader| Some((reader.text()?, reader.value(depth + 1)?)))?)
            }
            _ => return None,
        })
    }

    /// Elements in the arena. Each takes at least one byte, so a count that lies is noticed before memory is taken for it.
    fn list<T: Copy>(&mut self, count: usize, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<&'r [T]> {
        if count > self.rest.len() {
            return None;
        }
        let mut elements = Vec::with_capacity(count);
        for _ in 0..count {
            elements.push(one(self)?);
        }
        Some(self.arena.alloc_slice_copy(&elements))
    }

    /// The entries of attributes, in `place` if they fit there.
    pub(super) fn attrs<'p>(
        &mut self,
        is_there: bool,
        place: &'p mut [(&'r str, Value<'r>); 16],
    ) -> Option<&'p [(&'r str, Value<'r>)]>
    where
        'r: 'p,
    {
        if !is_there {
            return Some(&[]);
        }
        let count = usize::from(self.byte()?);
        if count > place.len() {
            return self.list(count, |reader| Some((reader.text()?, reader.value(1)?)));
        }
        let place = place.get_mut(..count)?;
        for entry in place.iter_mut() {
            *entry = (self.text()?, self.value(1)?);
        }
        Some(place)
    }

    pub(super) fn pairs(&mut self, is_there: bool) -> Option<&'r [(&'r str, &'r str)]> {
        if !is_there {
            return Some(&[]);
        }
        let count = usize::from(self.byte()?);
        self.list(count, |reader| Some((reader.text()?, reader.text()?)))
    }

    pub(super) fn texts(&mut self, is_there: bool) -> Option<&'r [&'r str]> {
        if !is_there {
            return Some(&[]);
        }
        let count = usize::from(self.byte()?);
        self.list(count, Reader::text)
    }

    /// `Some(None)` if the part is not there. An id that is zero counts as absent, as in the generated call.
    pub(super) fn trace(&mut self, is_there: bool) -> Option<Option<TraceContext>> {
        if !is_there {
            return Some(None);
        }
        let (high, low, span, parent) = (self.u64()?, self.u64()?, self.u64()?, self.u64()?);
        let sampled = match self.byte()? {
            0 => None,
            1 => Some(false),
            2 => Some(true),
            _ => return None,
        };
        let context = TraceContext::new(u128::from(high) << 64 | u128::from(low), span);
        Some(context.map(|context| context.with_parent(parent).with_sampled(sampled)))
    }

    pub(super) fn frames(&mut self, is_there: bool) -> Option<&'r [Frame<'r>]> {
        if !is_there {
            return Some(&[]);
        }
        let count = usize::from(self.byte()?);
        self.list(count, |reader| {
            Some(Frame {
                function: reader.text()?,
                module: reader.text()?,
                file: reader.text()?,
                line: reader.u32()?,
                column: reader.u32()?,
                in_app: reader.byte()? != 0,
                ..Frame::default()
            })
        })
    }

    pub(super) fn causes(&mut self, is_there: bool) -> Option<Vec<Cause<'r>>> {
        let count = if is_there { usize::from(self.byte()?) } else { 0 };
        let mut causes = Vec::with_capacity(count.min(self.rest.len()));
        for _ in 0..count {
            let (parent, source) = (usize::from(self.byte()?), self.text()?);
            let cause = Cause::new(self.text()?, self.text()?).frames(self.frames(true)?);
            causes.push(cause.parent(parent).source(source));
        }
        Some(causes)
    }

    /// The thread on which it happened; none if the part is not there.
    pub(super) fn thread(&mut self, is_there: bool) -> Option<Option<Thread<'r>>> {
        if !is_there {
            return Some(None);
        }
        let (id, name, main) = (self.u64()?, self.text()?, self.byte()? != 0);
        Some(Some(Thread { id, name, crashed: true, main, ..Thread::default() }))
    }
}
