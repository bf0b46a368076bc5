//! Splits Rust source into code, strings and comments.

/// The parts of a Rust file.
pub struct Scan {
    /// The text with comments and string contents replaced by spaces. Line numbers do not change.
    pub code: String,
    /// All strings, with the lines on which they start.
    pub strings: Vec<(usize, String)>,
}

/// Scans a file. The result for a file that does not compile is unspecified; it never panics.
pub fn scan(text: &str) -> Scan {
    Scanner { rest: text.chars().collect(), at: 0, line: 1, code: String::new(), strings: Vec::new() }.run()
}

struct Scanner {
    rest: Vec<char>,
    at: usize,
    line: usize,
    code: String,
    strings: Vec<(usize, String)>,
}

impl Scanner {
    fn run(mut self) -> Scan {
        while let Some(now) = self.peek(0) {
            let next = self.peek(1);
            match (now, next) {
                ('/', Some('/')) => self.line_comment(),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.string(0, true),
                ('r', Some('"' | '#')) if !self.inside_word() && self.is_raw(1) => self.raw(1),
                ('b' | 'c', Some('r')) if !self.inside_word() && self.is_raw(2) => {
                    self.keep();
                    self.raw(1);
                }
                ('\'', _) => self.quote(),
                _ => self.keep(),
            }
        }
        Scan { code: self.code, strings: self.strings }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at + ahead).copied()
    }

    /// Copies one character into the code.
    fn keep(&mut self) {
        if let Some(now) = self.take() {
            self.code.push(now);
        }
    }

    /// Replaces one character by a space, except a line end.
    fn blank(&mut self) -> Option<char> {
        let now = self.take()?;
        self.code.push(if now == '\n' { '\n' } else { ' ' });
        Some(now)
    }

    fn take(&mut self) -> Option<char> {
        let now = self.peek(0)?;
        self.at += 1;
        if now == '\n' {
            self.line += 1;
        }
        Some(now)
    }

    fn inside_word(&self) -> bool {
        self.code.chars().next_back().is_some_and(|last| last.is_alphanumeric() || last == '_')
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|now| now != '\n') {
            self.blank();
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth = depth.saturating_sub(1),
                (Some(_), _) => {
                    self.blank();
                    continue;
                }
                (None, _) => return,
            }
            self.blank();
            self.blank();
            if depth == 0 {
                return;
            }
        }
    }

    /// Returns true if `#*"` starts at this offset.
    fn is_raw(&self, mut ahead: usize) -> bool {
        while self.peek(ahead) == Some('#') {
            ahead += 1;
        }
        self.peek(ahead) == Some('"')
    }

    /// Scans a raw string with this number of prefix letters.
    fn raw(&mut self, letters: usize) {
        for _ in 0..letters {
            self.keep();
        }
        let mut hashes = 0;
        while self.peek(0) == Some('#') {
            self.keep();
            hashes += 1;
        }
        self.string(hashes, false);
    }

    fn string(&mut self, hashes: usize, escapes: bool) {
        let line = self.line;
        let mut text = String::new();
        self.keep();
        while let Some(now) = self.peek(0) {
            if now == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                break;
            }
            self.blank();
            text.push(now);
            if now == '\\' && escapes {
                text.extend(self.blank());
            }
        }
        for _ in 0..=hashes {
            self.keep();
        }
        self.strings.push((line, text));
    }

    /// Scans a character literal or a lifetime.
    fn quote(&mut self) {
        let is_character = match self.peek(1) {
            Some('\\') => true,
            Some(_) => self.peek(2) == Some('\''),
            None => false,
        };
        self.keep();
        if !is_character {
            return;
        }
        if self.peek(0) == Some('\\') {
            self.blank();
        }
        self.blank();
        // `\u{..}` and `\x..` are longer than one character.
        while self.peek(0).is_some_and(|now| now != '\'' && now != '\n') {
            self.blank();
        }
        self.keep();
    }
}

/// Returns the first line of the unit tests: the `#[cfg(test)]` before a module with a body.
pub fn tests_begin(code: &str) -> Option<usize> {
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    lines.iter().enumerate().find_map(|(index, line)| {
        let module = lines.get(index + 1..)?.iter().find(|next| !next.is_empty() && !next.starts_with("#["))?;
        (*line == "#[cfg(test)]" && module.contains("mod ") && module.ends_with('{')).then_some(index + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_blanked_and_line_numbers_do_not_change() {
        let scan = scan("a // b \"c\"\n/* d /* e */ f\n*/ g");
        assert_eq!(scan.code.split_whitespace().collect::<Vec<_>>(), ["a", "g"]);
        assert_eq!(scan.code.lines().count(), 3);
        assert!(scan.strings.is_empty());
    }

    #[test]
    fn every_form_of_string_is_found_with_its_line() {
        let scan = scan("x(\"a\\\"b\");\ny(r#\"c\"d\"#, br\"e\", b\"f\", c\"g\");\nlet r = bar(\"h\");");
        let strings: Vec<(usize, &str)> = scan.strings.iter().map(|(line, text)| (*line, text.as_str())).collect();
        assert_eq!(strings, [(1, "a\\\"b"), (2, "c\"d"), (2, "e"), (2, "f"), (2, "g"), (3, "h")]);
        assert!(scan.code.contains("let r = bar("));
    }

    #[test]
    fn a_quote_is_a_character_or_a_lifetime() {
        let scan = scan("fn a<'a>(x: &'a str) { m('\"', '\\'', '\\u{1F600}', b'\"', 'é'); n(\"s\") }");
        assert_eq!(scan.strings, [(1, "s".to_string())]);
        assert!(scan.code.contains("&'a str"));
    }

    #[test]
    fn an_unterminated_literal_does_not_panic() {
        for text in ["\"a", "r##\"a\"#", "/* a", "'", "'\\", "r#", "b"] {
            scan(text);
        }
    }

    #[test]
    fn tests_start_at_the_module_and_not_at_an_import() {
        let code = "#[cfg(test)]\nuse a;\nfn b() {}\n\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n}\n";
        assert_eq!(tests_begin(code), Some(5));
        assert_eq!(tests_begin("#[cfg(test)]\nmod tests;\n"), None);
    }
}
