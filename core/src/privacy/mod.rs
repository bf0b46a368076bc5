//! Rules that keep personal data and secrets on the device. They are pure functions of text; the writer applies them
//! to every event on every path.
//!
//! [`Rules::text`] replaces what a rule finds in free text by the marker of its kind; [`kinds::KINDS`] lists the
//! kinds. [`Rules::url`] also drops what a URL holds beside its path. [`Rules::json`] applies both to the strings of
//! attributes, by their keys, and never to numbers. Every kind has a file of its own: a scanner that makes one pass
//! over the bytes and looks back and ahead by a bounded length. Other spellings of a text (full-width forms, digits of
//! other scripts, escapes) are folded for the search only.
//!
//! Where a rule must choose, it hides a harmless number rather than show a secret. Not covered: names of people,
//! postal addresses, numbers in words, and phone numbers without `+`, grouping, verb or keyword.

mod aadhaar;
mod account;
mod card;
mod code;
mod credential;
mod digits;
mod email;
mod export;
mod fold;
mod gstin;
mod iban;
mod ip;
mod json;
mod keys;
pub(crate) mod kinds;
mod label;
mod marker;
mod number;
mod pan;
mod papers;
mod phone;
mod prefilter;
mod private_key;
mod token;
mod truncated;
mod upi;
mod url;
mod words;

#[cfg(test)]
mod tests;

use fold::Folded;
use marker::Scanner;
use prefilter::Seen;
use std::borrow::Cow;

pub use export::Export;
pub(crate) use json::mask_user;
pub(crate) use keys::{header_is_secret, key_is_exempt, key_is_secret};
pub(crate) use marker::markers_in;

/// Rounds over one text. A replacement can uncover a match beside it, at most once or twice in practice.
const ROUNDS: usize = 6;

/// Digits of the shortest PAN, paper and IBAN.
const PAN_DIGITS: usize = 4;
const PAPER_DIGITS: usize = 6;
const IBAN_DIGITS: usize = 10;

/// Runs of letters, digits, `-` and `_`: of `-----BEGIN`, of a PAN, of the shortest token.
const KEY_RUN: usize = prefilter::SHORT_RUN;
const PAN_RUN: usize = prefilter::SHORT_RUN;
const TOKEN_RUN: usize = prefilter::LONG_RUN;

/// The rules, and what the app chose of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// Whether IP addresses in text are masked.
    pub(crate) mask_ip: bool,
}

impl Rules {
    /// The text without personal data and secrets; borrowed when it holds none.
    ///
    /// Scrubbing the result again changes nothing. Takes time linear in the length of the text.
    pub(crate) fn text(self, text: &str) -> Cow<'_, str> {
        let seen = Seen::of(text.as_bytes());
        if seen.folds {
            // A text that was cut ends with an ellipsis, which is not ASCII.
            if let Some(whole) = truncated::whole(text) {
                return Cow::Owned(self.text(&whole).into_owned());
            }
            if let Some(folded) = Folded::of(text) {
                return self.folded(folded);
            }
        }
        if self.finds_nothing(&seen) {
            return Cow::Borrowed(text);
        }
        let Some(mut text) = self.round(text, &seen) else { return Cow::Borrowed(text) };
        for _ in 1..ROUNDS {
            match self.round(&text, &Seen::of(text.as_bytes())) {
                Some(scrubbed) => text = scrubbed,
                None => break,
            }
        }
        Cow::Owned(text)
    }

    /// The rules on a text whose spelling had to be folded.
    fn folded(self, mut text: Folded<'_>) -> Cow<'_, str> {
        for _ in 0..ROUNDS {
            let seen = Seen::of(text.search().as_bytes());
            let mut changed = false;
            for scanner in self.scanners(&seen).into_iter().flatten() {
                changed |= text.replace(scanner);
            }
            if !changed {
                break;
            }
        }
        text.into_shown()
    }

    /// Whether no scanner can find anything, which holds for most texts.
    fn finds_nothing(self, seen: &Seen) -> bool {
        let run = seen.run >= TOKEN_RUN || (seen.dash && seen.run >= KEY_RUN);
        !(self.mask_ip || seen.label || seen.scheme || seen.at || run || seen.digits >= prefilter::CODE)
    }

    /// The scanners that can find anything, in their order.
    fn scanners(self, seen: &Seen) -> [Option<Scanner>; 12] {
        let when = |wanted: bool, scanner: Scanner| wanted.then_some(scanner);
        let (token, digits) = (seen.run >= TOKEN_RUN, seen.digits);
        let pan = seen.run >= PAN_RUN && digits >= PAN_DIGITS;
        [
            // A key goes whole, also when a label announces its first line.
            when(seen.dash && seen.run >= KEY_RUN, private_key::next),
            // What a label marks as secret goes whole, whatever else it looks like.
            when(seen.label, label::next),
            when(token, credential::next),
            when(token || seen.scheme, token::next),
            when(seen.at, email::next),
            when(seen.at, upi::next),
            when(pan, gstin::next),
            when(digits >= IBAN_DIGITS, iban::next),
            when(digits >= PAPER_DIGITS, papers::next),
            when(digits >= prefilter::CODE, digits::next),
            when(pan, pan::next),
            when(self.mask_ip, ip::next),
        ]
    }

    /// One run of all scanners that can find anything; `None` when nothing was found.
    fn round(self, text: &str, seen: &Seen) -> Option<String> {
        let mut scrubbed: Option<String> = None;
        for scanner in self.scanners(seen).into_iter().flatten() {
            if let Some(replaced) = replace(scrubbed.as_deref().unwrap_or(text), scanner) {
                scrubbed = Some(replaced);
            }
        }
        scrubbed
    }
}

/// Replaces all that `next` finds; `None` when it finds nothing.
fn replace(text: &str, next: Scanner) -> Option<String> {
    let mut found = next(text, 0)?;
    let mut out = String::with_capacity(text.len() + 16);
    let mut at = 0;
    loop {
        out.push_str(text.get(at..found.start).unwrap_or_default());
        out.push_str(found.marker);
        // A scanner never finds nothing, so this always moves on.
        at = found.end.max(at + 1);
        match next(text, at) {
            Some(another) => found = another,
            None => break,
        }
    }
    out.push_str(text.get(at..).unwrap_or_default());
    Some(out)
}

/// The text under the rules of every app.
#[cfg(test)]
fn scrub_text(text: &str) -> Cow<'_, str> {
    Rules::default().text(text)
}
