//! The language of a stack, which decides how a server finds the source of its frames.

/// The language of a stack or of one frame.
///
/// A server chooses its symbols by it: source maps for JavaScript, R8 mappings for Java and Kotlin, debug files for native
/// code. One error can mix languages: a JavaScript error that passes through native code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Language {
    /// JavaScript and TypeScript.
    Javascript = 1,
    /// Java and Kotlin.
    Java = 2,
    /// C, C++ and Rust.
    Native = 3,
    /// Swift and Objective-C.
    Cocoa = 4,
}

impl Language {
    /// All languages in order of their number.
    pub const ALL: [Language; 4] = [Language::Javascript, Language::Java, Language::Native, Language::Cocoa];

    /// The spelling of each, in the order of [`Language::ALL`].
    pub(crate) const NAMES: [&str; Language::ALL.len()] = {
        let mut names = [""; Language::ALL.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = Language::ALL[at].as_str();
            at += 1;
        }
        names
    };

    /// The spelling in rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Language::Javascript => "javascript",
            Language::Java => "java",
            Language::Native => "native",
            Language::Cocoa => "cocoa",
        }
    }

    /// The language with this spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.as_str() == text)
    }

    /// The language with this number in the ring; 0 means that it was not given.
    pub(crate) fn of(number: u8) -> Option<Language> {
        Language::ALL.into_iter().find(|language| *language as u8 == number)
    }
}
