//! Texts as apps record them all day, without a secret in any: what the privacy rules are to leave alone.

use crate::seeded::Seeded;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const HEX: &str = "0123456789abcdef";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A shape; each of its placeholders is replaced by a value of its own:
///
/// `{n}` a number below 10,000, `{1}` to `{13}` so many digits, `{h8}` to `{h64}` hex digits, `{w}` a word, `{W}` a word in
/// capitals, `{v}` a version, `{d}` a date, `{t}` a time, `{u}` a UUID, `{b}` base64, `{ean}` and `{isbn}` codes with right
/// check digits, `{ms}` milliseconds since 1970, `{lat}` a coordinate, `{price}` a price.
const SHAPES: &[&str] = &[
    // Logs.
    "{d}T{t}Z INFO {w}.{w} took {n} ms",
    "[{t}] WARN retry {1} of 5 after {n} ms",
    "GET /api/v{1}/{w}/{8} 200 {n}ms",
    "thread main-{n} blocked for {n} ms in {w}::{w}::run",
    "sent {10} bytes in {n} ms",
    "received {10} bytes, {n} rows, seq {10}",
    "connection to {w}.internal:{4} refused (code {4})",
    "status code: {3}, response code is {4}",
    "HTTP {3} from {w}, attempt {1}, error code {4}",
    "call {u} finished in {n} ms",
    "cache hit ratio 0.{6}, {n} entries",
    "exit code {3}, signal {1}",
    "at {ms} {w} started",
    "batch {h16} of {n} events, {7} bytes",
    "[{w}] {w}={n} {w}={price} {w}=true",
    "OTP expired",
    "OTP valid for {n} s",
    "OTP request failed: {4}",
    "pin to top of {w}, index {n}",
    "spin: {4}",
    "spinner pinned at {n} px",
    "pincode 56{4}",
    "delivery to pincode 4{5}, {w} nagar",
    "PIN code: 11{4}",
    "zip code {5}, state {W}",
    "password must be at least {1} characters",
    "invalid token: expired",
    "Unexpected token < in JSON at position {n}",
    "max_tokens={n} temperature=0.{2}",
    "authorization failed for {w}",
    "secret santa list of {w}",
    // Numbers of business.
    "order RZ-{8} packed",
    "order {10} of {n} items",
    "ORD-{d}-{6}",
    "invoice INV/{4}/{6}",
    "invoice {12} for {w}",
    "AWB {11}",
    "AWB {10} picked up",
    "tracking 1Z{W}{10}",
    "tracking number {12}",
    "shipment {13} shipped to hub {4}",
    "EAN {ean}",
    "{ean} not in stock",
    "ISBN {isbn}",
    "SKU {W}-{4}-{2}",
    "price ₹{price}",
    "INR {price}, GST {1}%",
    "total {price} {price} {price}",
    "discount {2}% up to {price}",
    "weight {n}.{2} kg, {n}x{n} cm",
    "stock {n}/{n}",
    "seq 10995{5}",
    "ref {h12}",
    "booking {W}{6}",
    "ticket {W}{7}",
    "flight AI{4} gate {2}",
    "train {5} coach {W} seat {2}",
    // Places and times.
    "{lat}, {lat}",
    "lat={lat}&lon={lat}",
    "geo:{lat},{lat}",
    "{d} {t}",
    "{d}..{d}",
    "due {d} at {t}+05:30",
    "{ms}",
    "uptime {7} s",
    // Code and builds.
    "app.rez.{w}@{v}+{n}",
    "@rez/monitor@{v}",
    "lodash@{v}",
    "@{w}/{w}@latest",
    "npm i @{w}/{w}@{v}",
    "implementation \"com.{w}:{w}:{v}\"",
    "{w} {v} ({h8})",
    "commit {h40}",
    "git SHA {h8}..{h8}",
    "build {8}.{n}",
    "sha256:{h64}",
    "md5 {h32}",
    "{u}",
    "trace {h32} span {h16}",
    "00-{h32}-{h16}-01",
    "at {w}.{w}({w}.kt:{n})",
    "at {w} (/data/app/{w}/index.bundle:{n}:{5})",
    "#{2} pc 00{h12} /system/lib64/{w}.so ({w}+{n})",
    "0x{h16} {w}`{w} + {n}",
    "java.lang.IllegalStateException: {w} {n}",
    "File \"{w}.py\", line {n}, in {w}",
    "@Component({ selector: '{w}' })",
    "@Override public void {w}() {",
    "root@{w}-{2}:/srv/{w}# ls",
    "{w}@{w}:~$ git pull",
    "deploy@host {w}",
    "fn {w}<T: {W}>(at: usize) -> Option<{W}>",
    "std::{w}::{w}::{w}",
    "if (token == null) return {n};",
    "/data/user/0/app.{w}/files/{w}-{n}.db",
    "C:\\Users\\{w}\\{w}\\new_{n}.txt",
    "~/{w}/{w}.{w}.json:{n}",
    "SELECT {w}, {w} FROM {w} WHERE {w}_id = {n} LIMIT {2}",
    "INSERT INTO {w} VALUES ({n}, '{w}', {price})",
    "{\"{w}\":{n},\"{w}\":\"{w}\",\"{w}\":[{n},{n}]}",
    "{\\\"id\\\":{n},\\\"{w}\\\":\\\"{w}\\\"}",
    "{\"order_id\":\"{10}\",\"items\":{2}}",
    "data {b}",
    "#{h8}",
    "color: #{h6}; margin: {2}px {2}px",
    ".{w}-{w}-{n} > .{w}::after { width: {2}% }",
    "rgba({3}, {3}, {3}, 0.{2})",
    "flag {w}_{w}_v{1}=on",
    "experiment {w}-{4} variant {W}",
    "key-{w}-{w}-{w}",
    "sk-{w}-{w}-{w}-{w}",
    "pk_live_{h32}",
    "icon@{1}x.png",
    // URLs.
    "https://api.{w}.com/v{1}/{w}/{8}",
    "https://cdn.{w}.com/img/{h32}.webp",
    "/{w}/{n}/{w}/{u}",
    "/search/{w}%20{w}%2F{n}",
    "https://{w}.com/a%20b/%E0%A4%95%E0%A5%8D?page={n}",
    "market://details?id=app.rez.{w}",
    "rez://product/{8}?ref={w}",
    "https://{h32}@o{6}.ingest.sentry.io/{7}",
    "wss://{w}.{w}.io:{4}/{w}",
    // Other scripts.
    "ऑर्डर {n} भेजा गया",
    "कीमत ₹{price}, मात्रा {2}",
    "१२ नवंबर को {w} बंद रहेगा",
    "طلب {n} قيد التوصيل",
    "السعر ١٢٣٤ ريال",
    "订单 {n} 已发货。",
    "価格は{n}円です",
    "１２３番の{w}",
    "🎉 {n} 🚀 {w} ❤️ done",
    "👩‍💻 {w} 4️⃣ steps",
    "café {w} naïve {n}",
    // Sentences.
    "{w} {w} {w} and {w}",
    "Basic plan, {n} users",
    "bearer of {n} {w}",
    "contact support about order {8}",
    "account created on {d}",
    "account {w} has {n} points",
    "passport control opens at {t}",
    "voter turnout {2}.{1}%",
    "driving distance {n} km",
    "phone model Pixel {1}, Android {2}",
    "mobile data used {n} MB",
    "card {w} expanded at index {n}",
    "calling {w}() {n} times",
    "sent to {w} queue {n}",
    "code {6} of {n}",
    "IFSC lookup took {n} ms",
    "upi app not installed, {w}",
    "-----BEGIN CERTIFICATE----- {b}",
    "-----BEGIN PUBLIC KEY----- {b}",
];

/// A text of one of the shapes.
pub fn text(random: &mut Seeded) -> String {
    let shape = SHAPES[random.below(SHAPES.len() as u64) as usize];
    let mut text = String::new();
    let mut rest = shape;
    while let Some(open) = rest.find('{') {
        let (before, tail) = rest.split_at(open);
        text.push_str(before);
        let close = tail.find('}').map_or(0, |close| close + 1);
        match value(random, tail.get(1..close.max(2) - 1).unwrap_or_default()) {
            Some(value) => {
                text.push_str(&value);
                rest = &tail[close..];
            }
            None => {
                text.push('{');
                rest = &tail[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

/// What stands for a placeholder; `None` when it is none.
fn value(random: &mut Seeded, name: &str) -> Option<String> {
    let digit = |number: u64| char::from(b'0' + (number % 10) as u8);
    Some(match name {
        "n" => random.below(10_000).to_string(),
        "w" => word(random, LOWER),
        "W" => word(random, UPPER),
        "v" => format!("{}.{}.{}", random.below(20), random.below(100), random.below(100)),
        "d" => format!("2026-{:02}-{:02}", 1 + random.below(12), 1 + random.below(28)),
        "t" => format!("{:02}:{:02}:{:02}", random.below(24), random.below(60), random.below(60)),
        "u" => {
            let hex = random.text(HEX, 32);
            format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
        }
        "b" => random.text(BASE64, 40),
        "ean" => {
            let body = format!("890{}", random.text(DIGITS, 9));
            let sum: u64 =
                body.bytes().zip([1, 3].into_iter().cycle()).map(|(byte, by)| u64::from(byte - b'0') * by).sum();
            format!("{body}{}", digit(10 - sum % 10))
        }
        "isbn" => {
            let body = format!("978{}", random.text(DIGITS, 9));
            let sum: u64 =
                body.bytes().zip([1, 3].into_iter().cycle()).map(|(byte, by)| u64::from(byte - b'0') * by).sum();
            format!("{}-{}-{}-{}-{}", &body[..3], &body[3..4], &body[4..8], &body[8..], digit(10 - sum % 10))
        }
        "ms" => (1_700_000_000_000 + random.below(200_000_000_000)).to_string(),
        "lat" => format!("{}.{}", random.below(90), random.text(DIGITS, 6)),
        "price" => format!("{}.{:02}", random.below(100_000), random.below(100)),
        _ => match name.strip_prefix('h') {
            Some(len) => random.text(HEX, len.parse().ok()?),
            None => {
                let len: usize = name.parse().ok()?;
                format!("{}{}", 1 + random.below(9), random.text(DIGITS, len - 1))
            }
        },
    })
}

fn word(random: &mut Seeded, alphabet: &str) -> String {
    let len = 3 + random.below(7) as usize;
    random.text(alphabet, len)
}
