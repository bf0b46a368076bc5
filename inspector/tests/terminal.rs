//! The terminal interface in a real terminal: tmux runs the program, the test presses keys and reads the screen.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod shop_queue;

use rez_inspect::source::App;
use rez_inspect::web::Server;
use shop_queue::Shop;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const WAIT: Duration = Duration::from_secs(60);

/// Runs the program as a shell does, and keeps the settings of the terminal before and after it.
const SCRIPT: &str = r#"
echo before the program
stty -g > before
sh -c 'echo $$ > pid; exec "$REZQ" "$@"' sh "$@"
echo "exit code $?"
stty -g > after
touch over
read line
"#;

/// A terminal of 80 columns and 24 rows in which the program runs.
struct Terminal {
    folder: TempDir,
}

impl Terminal {
    /// Runs `rezq` with an argument in the folder. `None` where there is no tmux.
    fn run(folder: TempDir, argument: &str) -> Option<Terminal> {
        std::fs::write(folder.path().join("script"), SCRIPT).unwrap();
        Terminal::start(folder, &format!("sh script {argument}"))
    }

    /// Runs a command in the folder.
    fn start(folder: TempDir, command: &str) -> Option<Terminal> {
        if Command::new("tmux").arg("-V").output().is_err() {
            use std::io::Write as _;
            // The leading line feed ends a partial line of the harness.
            let _ = writeln!(std::io::stderr(), "\nskipped: terminal interface in tmux: tmux is not installed");
            return None;
        }
        let terminal = Terminal { folder };
        terminal.tmux(&["set", "-s", "set-clipboard", "on", ";", "new-session", "-d", "-x", "80", "-y", "24", command]);
        Some(terminal)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The server has its socket in the folder: no other server is touched.
    fn command(&self, arguments: &[&str]) -> Output {
        Command::new("tmux")
            .current_dir(self.path())
            .args(["-u", "-f", "/dev/null", "-S", "socket"])
            .args(arguments)
            .env_remove("TMUX")
            .env("REZQ", env!("CARGO_BIN_EXE_rezq"))
            .env("SHELL", "/bin/sh")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap()
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys", "-t", "0"], keys].concat());
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-t", "0"])
    }

    /// The screen as soon as something is on it.
    fn sees(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + WAIT;
        loop {
            let screen = self.screen();
            if is_there(&screen) {
                return screen;
            }
            assert!(Instant::now() < end, "{what} is not on the screen:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn sees_text(&self, text: &str) -> String {
        self.sees(text, |screen| screen.contains(text))
    }

    /// The program has ended with code 0, and the terminal is as it was before.
    fn is_as_before(&self) {
        self.sees_text("exit code 0");
        let end = Instant::now() + WAIT;
        while !self.path().join("over").exists() {
            assert!(Instant::now() < end);
            std::thread::sleep(Duration::from_millis(20));
        }
        let settings = |file: &str| std::fs::read_to_string(self.path().join(file)).unwrap();
        assert_eq!(settings("before"), settings("after"));
        assert_eq!(self.tmux(&["display", "-p", "-t", "0", "#{alternate_on} #{cursor_flag}"]).trim(), "0 1");
        let screen = self.screen();
        assert!(screen.starts_with("before the program\nexit code 0\n"), "{screen}");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.command(&["kill-server"]);
    }
}

fn line_with<'a>(screen: &'a str, text: &str) -> &'a str {
    screen.lines().find(|line| line.contains(text)).unwrap_or_default()
}

#[test]
fn a_tester_moves_searches_opens_copies_and_leaves_the_terminal_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(&folder.path().join("shop"));
    let Some(terminal) = Terminal::run(folder, "shop") else { return shop.close() };
    let screen = terminal.sees_text("payment_failed");
    assert!(line_with(&screen, "payment_failed").starts_with("> "), "{screen}");
    terminal.press(&["j"]);
    terminal.sees("the next event", |screen| line_with(screen, "PaymentError").starts_with("> "));

    // What is recorded meanwhile is shown, and the cursor stays at its event.
    let mark = shop.monitor.inspect(r#"{"tell": "mark", "text": "tapped Back"}"#, WAIT);
    assert!(mark.contains("\"id\""), "{mark}");
    let screen = terminal.sees_text("tapped Back");
    assert!(line_with(&screen, "PaymentError").starts_with("> "), "{screen}");

    terminal.press(&["/", "p", "b", "t"]);
    let screen = terminal.sees_text("1 found");
    assert!(screen.contains("PayButton") && !screen.contains("PaymentError"), "{screen}");
    terminal.press(&["Enter", "Enter"]);
    let screen = terminal.sees_text("CRC-32");
    assert!(screen.contains("the server asked to wait"), "{screen}");

    terminal.press(&["y"]);
    terminal.sees_text("sent to the terminal's clipboard");
    let copied: serde_json::Value = serde_json::from_str(&terminal.tmux(&["show-buffer"])).unwrap();
    assert_eq!(copied["component"], "PayButton");

    terminal.tmux(&["resize-window", "-t", "0", "-x", "40", "-y", "12"]);
    terminal.sees("the narrow screen", |screen| screen.lines().all(|line| line.chars().count() <= 40));
    terminal.tmux(&["resize-window", "-t", "0", "-x", "80", "-y", "24"]);
    terminal.press(&["q"]);
    terminal.is_as_before();
    shop.close();
}

#[test]
fn a_running_app_is_told_to_mark_and_when_it_is_gone_the_screen_says_so_and_keeps_what_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(&folder.path().join("shop"));
    let app = App::new(shop.monitor.clone(), WAIT);
    let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::new(app)).unwrap();
    let Some(terminal) = Terminal::run(folder, &format!("'{}'", server.url())) else { return shop.close() };
    let screen = terminal.sees_text("payment_failed");
    assert!(!screen.contains("token"), "{screen}");
    // A pasted text is no key.
    terminal.tmux(&["set-buffer", "q", ";", "paste-buffer", "-p", "-t", "0"]);
    terminal.press(&["m", "tapped Buy", "Enter"]);
    let screen = terminal.sees("the mark", |screen| line_with(screen, " log ").contains("tapped Buy"));
    assert!(line_with(&screen, "tapped Buy").starts_with("> "), "{screen}");
    server.stop();
    let screen = terminal.sees_text("no answer");
    assert!(screen.contains("does not answer") && screen.contains("payment_failed"), "{screen}");
    terminal.press(&["q"]);
    terminal.is_as_before();
    shop.close();
}

#[test]
fn the_only_queue_below_the_folder_is_opened_and_a_signal_restores_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    Shop::open(&folder.path().join("shop")).close();
    let Some(terminal) = Terminal::run(folder, "") else { return };
    terminal.sees_text("payment_failed");
    let pid = std::fs::read_to_string(terminal.path().join("pid")).unwrap();
    assert!(Command::new("kill").args(["-TERM", pid.trim()]).status().unwrap().success());
    terminal.is_as_before();
}

#[test]
fn ctrl_z_gives_the_terminal_back_to_the_shell_and_fg_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    Shop::open(&folder.path().join("shop")).close();
    let Some(terminal) = Terminal::start(folder, "env PS1='> ' sh -i") else { return };
    terminal.press(&["stty -g > before; \"$REZQ\" shop", "Enter"]);
    terminal.sees_text("payment_failed");
    terminal.press(&["C-z"]);
    let screen = terminal.sees_text("Stopped");
    assert!(!screen.contains("payment_failed"), "{screen}");
    assert_eq!(terminal.tmux(&["display", "-p", "-t", "0", "#{alternate_on} #{cursor_flag}"]).trim(), "0 1");
    terminal.press(&["stty -g > after; echo 'shell' again", "Enter"]);
    terminal.sees_text("shell again");
    terminal.press(&["fg", "Enter"]);
    terminal.sees_text("payment_failed");
    terminal.press(&["j", "?"]);
    terminal.sees_text("these keys");
    terminal.press(&["q", "q"]);
    terminal.sees("the shell", |screen| !screen.contains("payment_failed"));
    terminal.press(&["echo exit 'code' $?; stty -g > end", "Enter"]);
    terminal.sees_text("exit code 0");
    let end = Instant::now() + WAIT;
    while !terminal.path().join("end").exists() {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(20));
    }
    let settings = |file: &str| std::fs::read_to_string(terminal.path().join(file)).unwrap();
    assert_eq!(settings("before"), settings("after"));
}
