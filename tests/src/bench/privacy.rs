//! What the privacy rules cost per text.

use super::{Line, Result, Scale};
use rez_monitor::bench::scrub;
use std::hint::black_box;
use std::time::Instant;

/// The promise for a harmless text of 60 bytes, in nanoseconds.
const TARGET_NS: f64 = 60.0;

/// A harmless text of 60 bytes.
const HARMLESS: &str = "cart restored from disk in 12 ms: 3 items, coupon kept, ok=y";

/// Other texts, for the note.
const OTHERS: [(&str, &str); 5] = [
    ("log line", "2026-11-23T10:15:30Z INFO checkout took 1234 ms, status=200"),
    ("path", "/api/v2/products/48211/reviews and /data/user/0/app.rez.shop"),
    ("UUID", "call 0b0b0b0b-1c2d-4e3f-8a9b-0c1d2e3f4a5b finished in 87 ms"),
    ("Hindi", "ऑर्डर 4711 भेजा गया, 3 दिन में मिलेगा"),
    ("secret", "OTP sent to 9876543210, mail priya@example.com for the bill"),
];

pub fn run(scale: Scale, say: &mut dyn FnMut(Line)) -> Result<()> {
    let rounds = scale.of(400_000, 100_000);
    let note = OTHERS.map(|(name, text)| format!("{name} {:.0} ns", nanoseconds(rounds / 10, text))).join(", ");
    say(Line::new("scan_harmless_60", nanoseconds(rounds, HARMLESS), "ns", TARGET_NS).note(note));
    Ok(())
}

/// Nanoseconds per scan, the best of five runs.
fn nanoseconds(rounds: u32, text: &str) -> f64 {
    let run = || {
        let began = Instant::now();
        for _ in 0..rounds {
            black_box(scrub(black_box(text)));
        }
        began.elapsed().as_nanos() as f64 / f64::from(rounds)
    };
    (0..5).map(|_| run()).fold(f64::INFINITY, f64::min)
}
