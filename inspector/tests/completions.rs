//! The scripts of `rezq completions`, one of them in a real shell.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::process::{Command, Stdio};

fn script(shell: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_rezq")).args(["completions", shell]).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// What bash offers after these words.
fn offered(words: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rezq.bash");
    std::fs::write(&file, script("bash")).unwrap();
    let last = words.last().unwrap();
    let before = words[words.len() - 2];
    let run = format!(
        "source {}; COMP_WORDS=({}); COMP_CWORD={}; _rezq rezq '{last}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        file.display(),
        words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        words.len() - 1
    );
    let output = Command::new("bash").args(["--norc", "-c", &run]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes_commands_and_options() {
    assert_eq!(offered(&["rezq", "compl"]), "completions\n");
    assert_eq!(offered(&["rezq", "check", "shop", "--pl"]), "--plan\n");
    assert_eq!(offered(&["rezq", "completions", "z"]), "zsh\n");
    assert_eq!(offered(&["rezq", "plan", "in"]), "init\n");
}

#[test]
fn the_script_of_every_shell_has_every_command_but_hidden_ones() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = script(shell);
        for command in ["status", "send-now", "check", "diff", "mcp", "completions"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
        assert!(!script.contains("demo-app"), "{shell}");
    }
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_error() {
    let mut rezq = Command::new(env!("CARGO_BIN_EXE_rezq"))
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(rezq.stdout.take());
    let output = rezq.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &*String::from_utf8_lossy(&output.stderr)), (Some(0), ""));
}
