//! Stands in for `adb` in tests, with a folder as the device. Copied to a folder of PATH under the name `adb`.
//!
//! It does what the documentation of `adb` says of the commands that `rezq` uses, with the messages and exit codes of platform tools 35:
//!
//! - `shell -T run-as PACKAGE COMMAND..` runs `cat`, `ls` or `head -c N` in the data of the package, with two streams and the exit code.
//! - `exec-out run-as PACKAGE cat FILE` passes the bytes on; an error of the device is among them, and the exit code is 0.
//! - `forward tcp:0 tcp:PORT` prints a free port that leads to the device until `forward --remove tcp:PORT`.
//!
//! `REZ_ADB_DEVICE` is the folder: `data/PACKAGE` has the data of a debuggable app, `release/PACKAGE` stands for another one,
//! `forwards` the ports. Without the variable no device is connected. After `changes`, if it exists, `cat` of a log first adds a line to the
//! log: an app that restarts its log all the time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let Some(device) = std::env::var_os("REZ_ADB_DEVICE").map(PathBuf::from) else {
        eprintln!("* daemon not running; starting now at tcp:5037\n* daemon started successfully");
        eprintln!("adb: no devices/emulators found");
        return ExitCode::FAILURE;
    };
    match args[..] {
        ["shell", "-T", "run-as", package, ref command @ ..] => match run_as(&device, package, command) {
            Ok(bytes) => print(&bytes),
            Err(message) => {
                eprintln!("{message}");
                ExitCode::FAILURE
            }
        },
        ["exec-out", "run-as", package, ref command @ ..] => {
            print(&run_as(&device, package, command).unwrap_or_else(|message| format!("{message}\n").into_bytes()))
        }
        ["forward", "tcp:0", to] => {
            let forwards = device.join("forwards");
            std::fs::create_dir_all(&forwards).unwrap();
            let mut relay = Command::new(std::env::current_exe().unwrap());
            // The caller waits for the end of its own streams.
            relay.args(["relay", to]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
            let child = relay.spawn();
            let mut port = [0; 6];
            let read = child.unwrap().stdout.unwrap().read(&mut port).unwrap();
            print(&port[..read])
        }
        ["forward", "--remove", from] => {
            match std::fs::remove_file(device.join("forwards").join(&from["tcp:".len()..])) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => {
                    eprintln!("adb: error: listener '{from}' not found");
                    ExitCode::FAILURE
                }
            }
        }
        ["relay", to] => relay(&device, to["tcp:".len()..].parse().unwrap()),
        _ => panic!("the stand-in does not know {args:?}"),
    }
}

fn print(bytes: &[u8]) -> ExitCode {
    std::io::stdout().write_all(bytes).unwrap();
    ExitCode::SUCCESS
}

fn run_as(device: &Path, package: &str, command: &[&str]) -> Result<Vec<u8>, String> {
    let data = device.join("data").join(package);
    if device.join("release").join(package).exists() {
        return Err(format!("run-as: package not debuggable: {package}"));
    }
    if !data.exists() {
        return Err(format!("run-as: unknown package: {package}"));
    }
    let read = |path: &str| {
        let file = data.join(path);
        std::fs::read(file).map_err(|_| format!("{}: {path}: No such file or directory", command[0]))
    };
    match *command {
        ["cat", path] => {
            if path.ends_with("-wal") && device.join("changes").exists() {
                let mut log = read(path)?;
                log.iter_mut().take(32).for_each(|byte| *byte = byte.wrapping_add(1));
                std::fs::write(data.join(path), log).unwrap();
            }
            read(path)
        }
        ["ls", path] => read(path).map(|_| format!("{path}\n").into_bytes()),
        ["head", "-c", count, path] => {
            let mut bytes = read(path)?;
            bytes.truncate(count.parse().unwrap());
            Ok(bytes)
        }
        _ => panic!("the device does not know {command:?}"),
    }
}

/// Passes connections on while the file of the forward exists.
fn relay(device: &Path, to: u16) -> ExitCode {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let file = device.join("forwards").join(port.to_string());
    std::fs::write(&file, to.to_string()).unwrap();
    print(port.to_string().as_bytes());
    std::io::stdout().flush().unwrap();
    std::thread::spawn(move || {
        for from in listener.incoming() {
            let (from, to) = (from.unwrap(), TcpStream::connect(("127.0.0.1", to)));
            let Ok(to) = to else { continue };
            for (mut reads, mut writes) in [
                (from.try_clone().unwrap(), to.try_clone().unwrap()),
                (to.try_clone().unwrap(), from.try_clone().unwrap()),
            ] {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut reads, &mut writes);
                    let _ = writes.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    while file.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    ExitCode::SUCCESS
}
