//! The `rezq` steps of the guide's page on UI tests, on a running app.
//!
//! The shell scripts run as they are. Of the tests in JavaScript and Python the steps are taken out of the page, line by line, and run with the
//! page's own function `rezq`. A tap of Maestro, Detox or Appium is a line that the script prints; the app then records what its screen would.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

use rez_inspect::collector::{Collector, Options, Running};
use rez_inspect::endpoint::Endpoint;
use rez_monitor::destination::Rez;
use rez_monitor::{Config, Consent, Monitor, Purpose};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);

/// An app that delivers to a collector, with its debug endpoint open, and a folder with the files of the page.
struct App {
    folder: tempfile::TempDir,
    monitor: Monitor,
    endpoint: Endpoint,
    collector: Running,
}

impl App {
    fn open() -> App {
        let folder = tempfile::tempdir().unwrap();
        let collector = Collector::start(Options::new(folder.path().join("collector.sqlite"))).unwrap();
        let server = Rez::builder(collector.url(), "key").purposes(&Purpose::ALL).build().unwrap();
        let config = Config::builder(folder.path().join("app"), "shop", "shop@1")
            .destination("team", server)
            .consent(Purpose::Monitoring, Consent::Granted)
            .consent(Purpose::Analytics, Consent::Granted)
            .inspector(true);
        let monitor = Monitor::open(config.build().unwrap()).unwrap();
        let endpoint = Endpoint::start(&monitor, 0).unwrap();
        let app = App { folder, monitor, endpoint, collector };
        std::fs::create_dir(app.folder.path().join("artifacts")).unwrap();
        app.write("plan.json", &page().into_iter().find(|block| block.language == "json").unwrap().text);
        app
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Runs a script, and calls `tapped` with what it taps. Returns whether it succeeded, and all that it printed.
    fn run(&self, program: &[&str], tapped: impl Fn(&Monitor, &str)) -> (bool, String) {
        let rezq = Path::new(env!("CARGO_BIN_EXE_rezq")).parent().unwrap();
        let path = format!("{}:{}", rezq.display(), std::env::var("PATH").unwrap());
        let mut child = Command::new(program[0])
            .args(&program[1..])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("REZQ_SOURCE", self.endpoint.url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut errors = child.stderr.take().unwrap();
        // Read beside the output, so that a long error does not block the script.
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).unwrap();
            text
        });
        let mut printed = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some(what) = line.strip_prefix("tap ") {
                tapped(&self.monitor, what);
                self.monitor.persist(WAIT).unwrap();
                input.write_all(b"\n").unwrap();
            }
            printed += &format!("{line}\n");
        }
        let is_done = child.wait().unwrap().success();
        (is_done, printed + &errors.join().unwrap())
    }

    fn artifacts(&self) -> Vec<std::path::PathBuf> {
        let files = std::fs::read_dir(self.folder.path().join("artifacts")).unwrap();
        files.map(|file| file.unwrap().path()).collect()
    }

    fn close(self) {
        self.endpoint.stop();
        self.monitor.close(WAIT);
        self.collector.stop();
    }
}

/// What the app records when it is tapped.
fn screen(monitor: &Monitor, tapped: &str) {
    let item = match tapped {
        "Cart" => serde_json::json!({"kind": "screen_load", "name": "Cart", "duration_us": 90_000}),
        _ => serde_json::json!({"kind": "analytics", "name": "purchase", "attrs": {"price": 7.5}}),
    };
    assert!(monitor.record_batch(&serde_json::json!({"v": 1, "items": [item]}).to_string()));
}

/// The same, with a fault in the app.
fn faulty_screen(monitor: &Monitor, tapped: &str) {
    screen(monitor, tapped);
    let item = serde_json::json!({"kind": "error", "type": "PaymentError", "message": "declined"});
    assert!(monitor.record_batch(&serde_json::json!({"v": 1, "items": [item]}).to_string()));
}

/// A block of code of the page.
struct Block {
    language: String,
    /// The first comment, up to a comma: the name of the file, if the block is one.
    name: String,
    text: String,
}

fn page() -> Vec<Block> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/ui-tests.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks = page.split("\n```").skip(1).step_by(2).map(|block| {
        let (language, text) = block.split_once('\n').unwrap();
        let comments = text.lines().filter(|line| !line.starts_with("#!"));
        let first = comments.map(|line| line.trim_start_matches(['/', '#', ' '])).next().unwrap();
        let name = first.split(',').next().unwrap().to_owned();
        Block { language: language.to_owned(), name, text: format!("{text}\n") }
    });
    blocks.collect()
}

/// The files of the page in a language.
fn files(language: &str) -> BTreeMap<String, String> {
    page().into_iter().filter(|block| block.language == language).map(|block| (block.name, block.text)).collect()
}

/// The steps of a test, one a line: taps, and calls of `rezq`.
fn steps(test: &str) -> Vec<String> {
    let step = |line: &str| {
        if line.contains(".tap()") || line.contains(".click()") {
            return Some("tap('Pay')".to_owned());
        }
        let begin = ["rezq(", "keepQueue(", "keep_queue("].iter().find_map(|name| line.find(name))?;
        Some(call(line.get(begin..)?).to_owned())
    };
    test.lines().filter_map(step).collect()
}

/// A call, up to its last parenthesis.
fn call(text: &str) -> &str {
    let (mut quote, mut depth) = (None, 0);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') if depth == 1 => return &text[..=at],
            (None, ')') => depth -= 1,
            _ => {}
        }
    }
    panic!("a step of the page is not on one line: {text}");
}

/// Whether a program is there; the test is skipped without it.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: there is no {program}");
    }
    found
}

#[test]
fn the_shell_scripts_around_maestro_pass_on_a_good_app_and_keep_the_queue_of_a_faulty_one() {
    if !has("bash") {
        return;
    }
    let app = App::open();
    let scripts = files("sh");
    for name in ["pay.sh", "pay-offline.sh"] {
        let tap = "echo tap Pay; read -r _";
        let script = scripts.get(name).unwrap().replace("maestro test tap-pay.yaml", tap);
        assert!(script.contains(tap), "{name}");
        app.write(name, &script);
        let (is_done, printed) = app.run(&["bash", name], screen);
        assert!(is_done, "{name}: {printed}");
        assert_eq!(printed.matches('✓').count(), if name == "pay.sh" { 3 } else { 2 }, "{printed}");
    }
    assert!(app.artifacts().is_empty());
    let (is_done, printed) = app.run(&["bash", "pay.sh"], faulty_screen);
    assert!(!is_done && printed.contains("✗ count(kind=error) == 0: 1 found"), "{printed}");
    let [queue] = &app.artifacts()[..] else { panic!("{printed}") };
    let (is_done, listed) = app.run(&["rezq", "assert", queue.to_str().unwrap(), "count(kind=error) == 1"], screen);
    assert!(is_done, "{listed}");
    app.close();
}

#[test]
fn the_requests_of_a_maestro_flow_go_through_rezq_serve() {
    if !has("bash") || !has("node") || !has("curl") {
        return;
    }
    let app = App::open();
    let serve = page().into_iter().find(|block| block.text.contains("\nrezq serve")).unwrap().text;
    let maestro = "maestro test -e REZQ_ADDRESS=\"$(head -n 1 address.txt)\" buy.yaml";
    let node = maestro.replace("maestro test -e ", "").replace("buy.yaml", "node flow.js");
    app.write("serve.sh", &serve.replace(maestro, &node));
    app.write("rezq.js", files("js").get("rezq.js").unwrap());
    let flow = files("yaml").remove("buy.yaml").unwrap();
    // Maestro's functions `http.post` and `json`, by curl.
    let mut script = r"
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const vm = require('node:vm');
const { REZQ_ADDRESS } = process.env;
const post = (url, { headers, body }) => {
  const lines = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const out = execFileSync('curl', ['-s', '-w', '\n%{http_code}', ...lines, '-d', body, url], { encoding: 'utf8' });
  const end = out.lastIndexOf('\n');
  const status = Number(out.slice(end));
  return { ok: status === 200, status, body: out.slice(0, end) };
};
const run = (env) => vm.runInNewContext(fs.readFileSync('rezq.js', 'utf8'), { ...env, REZQ_ADDRESS, http: { post }, json: JSON.parse });
const tap = (what) => { fs.writeSync(1, `tap ${what}\n`); fs.readSync(0, Buffer.alloc(1)); };
"
    .to_owned();
    for line in flow.lines() {
        if let Some(what) = line.strip_prefix("- tapOn: ") {
            script += &format!("tap('{what}');\n");
        } else if let Some(env) = line.strip_prefix("- runScript: { file: rezq.js, env: { ") {
            // A comma in quotes belongs to the text.
            let mut is_quoted = false;
            let parted: String = env
                .strip_suffix(" } }")
                .unwrap()
                .chars()
                .map(|c| {
                    is_quoted ^= c == '\'';
                    if c == ',' && !is_quoted { '\n' } else { c }
                })
                .collect();
            let members = parted.lines().map(|member| {
                let (name, value) = member.trim().split_once(": ").unwrap();
                format!("{name}: '{}', ", value.trim_matches('\''))
            });
            script += &format!("run({{ {} }});\n", members.collect::<String>());
        }
    }
    assert_eq!((script.matches("\ntap(").count(), script.matches("\nrun(").count()), (2, 5), "{script}");
    app.write("flow.js", &script);
    let (is_done, printed) = app.run(&["bash", "serve.sh"], screen);
    assert!(is_done, "{printed}");
    // A step that does not hold, or that the app refuses, ends the flow.
    for (step, part) in [
        ("{ DO: 'count', WHERE: 'kind = purchase', COUNT: '1' }", "rezq: "),
        ("{ DO: 'fault', FAULT: 'flood' }", "rezq: "),
    ] {
        let begin = script.find("\nrun(").unwrap();
        app.write("flow.js", &format!("{}\nrun({step});\n", &script[..begin]));
        let (is_done, printed) = app.run(&["bash", "serve.sh"], screen);
        assert!(!is_done && printed.contains(part), "{step}: {printed}");
    }
    // Without an app the script ends.
    app.write("nowhere.sh", &format!("REZQ_SOURCE=nowhere\n{serve}"));
    let (is_done, printed) = app.run(&["bash", "nowhere.sh"], screen);
    assert!(!is_done && printed.contains("nowhere"), "{printed}");
    app.close();
}

#[test]
fn the_steps_of_detox_and_of_appium_in_javascript_run_with_the_function_of_the_page() {
    if !has("node") {
        return;
    }
    let mut files = files("js");
    files.remove("rezq.js");
    let helper = files.remove("e2e/rezq.js").unwrap();
    let tap = "const { rezq, keepQueue } = require('./rezq');\nconst fs = require('node:fs');\n\
        const tap = (what) => { fs.writeSync(1, `tap ${what}\\n`); fs.readSync(0, Buffer.alloc(1)); };\n";
    check(
        "node",
        "js",
        &helper,
        tap,
        &files,
        &[13, 4, 1, 1],
        "process.env.REZQ_SOURCE = 'nowhere';\nkeepQueue('x');\n",
    );
}

#[test]
fn the_steps_of_appium_in_python_run_with_the_function_of_the_page() {
    if !has("python3") {
        return;
    }
    let mut files = files("python");
    let helper = files.remove("rezq.py").unwrap();
    let tap =
        "from rezq import keep_queue, rezq\n\ndef tap(what):\n    print('tap', what, flush=True)\n    input()\n\n";
    let nowhere = "import os\nos.environ['REZQ_SOURCE'] = 'nowhere'\nkeep_queue('x')\n";
    check("python3", "py", &helper, tap, &files, &[11, 1], nowhere);
}

/// Runs the steps of each file on an app of its own; `counts` is how many each has, most first. `nowhere` keeps the queue of an app that
/// is gone.
fn check(
    program: &str,
    ending: &str,
    helper: &str,
    begin: &str,
    files: &BTreeMap<String, String>,
    counts: &[usize],
    nowhere: &str,
) {
    let mut found = Vec::new();
    for (name, test) in files {
        let steps = steps(test);
        found.push(steps.len());
        let app = App::open();
        app.write(&format!("rezq.{ending}"), helper);
        let script = format!("test.{ending}");
        app.write(&script, &format!("{begin}{}\n", steps.join("\n")));
        let (is_done, printed) = app.run(&[program, &script], screen);
        assert!(is_done, "{name}: {printed}");
        app.close();
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(found, counts, "steps of {:?}", files.keys());

    // What does not hold is an error that shows what was found, and never the token.
    let app = App::open();
    app.write(&format!("rezq.{ending}"), helper);
    let script = format!("test.{ending}");
    app.write(&script, &format!("{begin}tap('Pay')\nrezq('assert', 'count(name=purchase) == 2')\n"));
    let (is_done, printed) = app.run(&[program, &script], screen);
    assert!(!is_done && printed.contains("✗ count(name=purchase) == 2: 1 found"), "{printed}");
    app.write(&script, &format!("{begin}rezq('fault', 'flood')\n"));
    let (is_done, printed) = app.run(&[program, &script], screen);
    assert!(!is_done && printed.contains("flood"), "{printed}");
    let token = app.endpoint.url().split_once("token=").unwrap().1.to_owned();
    assert!(!printed.contains(&token), "{printed}");

    // A queue that cannot be kept fails no test twice.
    app.write(&script, &format!("{begin}{nowhere}"));
    let (is_done, printed) = app.run(&[program, &script], screen);
    assert!(is_done && printed.contains("nowhere"), "{printed}");
    app.close();
}
