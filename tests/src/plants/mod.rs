//! Secrets and personal data as apps record them by mistake, of every kind that the privacy rules know.
//!
//! They are made by other means than the rules that find them.

mod numbers;

use crate::seeded::Seeded;
use numbers::{card, iban, with_verhoeff};

/// A text with a secret.
#[derive(Clone, Debug)]
pub struct Plant {
    /// The marker that is to replace it.
    pub marker: &'static str,
    /// What the app records.
    pub text: String,
    /// The part of the text that must not be found again.
    pub secret: String,
}

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const HEX: &str = "0123456789abcdef";
const TOKEN: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A placeholder of a template, and what stands in for it.
type Fill = fn(&mut Seeded) -> String;

/// One kind: its marker, how its secret is made, and the texts around it (`{}` is the secret).
struct Kind {
    marker: &'static str,
    secret: Fill,
    texts: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind { marker: "[email]", secret: email, texts: &["mail {} now", "user={}", "{\"email\":\"{}\"}", "<{}>"] },
    Kind {
        marker: "[phone]",
        secret: mobile,
        texts: &[
            "OTP sent to {}",
            "calling {}",
            "phone: {}",
            "+91{}",
            "{\"mobile\":\"{}\"}",
            "SMS delivered to {}",
            "{\\\"phone\\\": \\\"{}\\\"}",
            "tel:{}",
            "whatsapp {}",
        ],
    },
    Kind { marker: "[phone]", secret: spaced_mobile, texts: &["{}", "call {} at noon", "+91 {}"] },
    Kind {
        marker: "[upi]",
        secret: upi,
        texts: &["pay to {}", "upi://pay?pa={}&pn=Ravi", "vpa: {}", "{\\\"upi\\\":\\\"{}\\\"}"],
    },
    Kind { marker: "[upi]", secret: upi_of_a_new_bank, texts: &["vpa: {}", "upi id {}", "?pa={}&am=10"] },
    Kind { marker: "[card]", secret: card, texts: &["card {} declined", "{}", "{\"pan_no\":\"{}\"}"] },
    Kind { marker: "[card]", secret: grouped_card, texts: &["card {} declined", "{}", "x={};"] },
    Kind {
        marker: "[code]",
        secret: six_digits,
        texts: &[
            "Your OTP is {}",
            "{} is your OTP",
            "otp: {}",
            "mpin={}",
            "{} is your REZ verification code",
            "{\\\"otp\\\": \\\"{}\\\"}",
            "one time password is {}",
        ],
    },
    Kind { marker: "[code]", secret: four_digits, texts: &["pin: {}", "atm pin is {}", "{\\\"pin\\\": \\\"{}\\\"}"] },
    Kind { marker: "[code]", secret: three_digits, texts: &["cvv {}", "cvv: {}", "{\"cvc\":\"{}\"}"] },
    Kind { marker: "[aadhaar]", secret: aadhaar, texts: &["aadhaar {}", "uid: {}", "{\"aadhaar_no\":\"{}\"}"] },
    Kind { marker: "[aadhaar]", secret: grouped_aadhaar, texts: &["{}", "given {} today", "id ({})"] },
    Kind { marker: "[pan]", secret: pan, texts: &["PAN {} was given", "{}", "pan={}"] },
    Kind { marker: "[gstin]", secret: gstin, texts: &["GSTIN {}", "seller {}", "{\"gst\":\"{}\"}"] },
    Kind { marker: "[iban]", secret: iban, texts: &["IBAN {}", "to {}, ok", "{\"iban\":\"{}\"}"] },
    Kind {
        marker: "[account]",
        secret: account,
        texts: &["A/c {} debited", "acct: {}", "IFSC HDFC0001234 {}", "{\\\"accountNumber\\\":\\\"{}\\\"}"],
    },
    Kind {
        marker: "[passport]",
        secret: passport,
        texts: &["passport {}", "passport no: {}", "{\"passport\":\"{}\"}"],
    },
    Kind { marker: "[voter_id]", secret: voter, texts: &["voter id {}", "EPIC No. {}", "voterId={}"] },
    Kind {
        marker: "[driving_licence]",
        secret: licence,
        texts: &["driving licence {}", "DL No {}", "{\"driving_license\":\"{}\"}"],
    },
    Kind { marker: "[token]", secret: jwt, texts: &["got {}", "jwt in {}", "x={}&y"] },
    Kind { marker: "[token]", secret: token, texts: &["bearer {}", "sent Bearer {}", "'BEARER {}'"] },
    Kind {
        marker: "[credential]",
        secret: credential,
        texts: &["{}", "key {} used", "k={}&x", "\"{}\"", "push {}", "with {}.", "{} expired", "({})"],
    },
    Kind {
        marker: "[private_key]",
        secret: key_body,
        texts: &[
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\\n{}\\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN EC PRIVATE KEY----- {}",
        ],
    },
    Kind {
        marker: "[secret]",
        secret: password,
        texts: &[
            "password={}",
            "{\"api_key\":\"{}\"}",
            "{\\\"accessToken\\\": \\\"{}\\\"}",
            "client_secret: {}",
            "https://bob:{}@api.example.com",
            "<password>{}</password>",
            "password\\u003d{}",
        ],
    },
    // Other spellings.
    Kind { marker: "[email]", secret: wide_email, texts: &["mail {} now", "{}", "user {}"] },
    Kind { marker: "[email]", secret: broken_email, texts: &["mail {} now", "{}", "user {}"] },
    Kind { marker: "[email]", secret: escaped_email, texts: &["to={}&x", "/u/{}/orders", "mail {}"] },
    Kind { marker: "[phone]", secret: hindi_mobile, texts: &["फ़ोन {}", "call {}", "phone: {}"] },
];

/// Every text of every kind, with secrets of its own.
#[must_use]
pub fn plants(random: &mut Seeded) -> Vec<Plant> {
    let mut all = Vec::new();
    for kind in KINDS {
        for text in kind.texts {
            let secret = (kind.secret)(random);
            let (before, after) = text.split_once("{}").unwrap_or((text, ""));
            // A short code stands in many a number by chance: it is looked for with what stands beside it.
            let beside = |text: &str, at: usize| text.get(at..).unwrap_or_default().to_owned();
            let found = match secret.len() {
                0..=8 if before.is_empty() => format!("{secret}{}", after.get(..4).unwrap_or(after)),
                0..=8 => format!("{}{secret}", beside(before, before.len().saturating_sub(6))),
                _ => secret.clone(),
            };
            all.push(Plant { marker: kind.marker, text: text.replace("{}", &secret), secret: found });
        }
    }
    all
}

fn pick<'a>(random: &mut Seeded, of: &[&'a str]) -> &'a str {
    of[random.below(of.len() as u64) as usize]
}

fn email(random: &mut Seeded) -> String {
    let top = pick(random, &["com", "in", "co.in", "org"]);
    format!("{}.{}@{}.{top}", random.text(LOWER, 7), random.text(LOWER, 5), random.text(LOWER, 7))
}

fn wide_email(random: &mut Seeded) -> String {
    email(random).chars().map(|char| char::from_u32(u32::from(char) + 0xfee0).unwrap_or(char)).collect()
}

fn broken_email(random: &mut Seeded) -> String {
    let email = email(random);
    let (name, host) = email.split_at(4);
    format!("{name}\u{200b}{}", host.replace('@', "@\u{200d}"))
}

fn escaped_email(random: &mut Seeded) -> String {
    email(random).replace('@', "%40")
}

fn mobile(random: &mut Seeded) -> String {
    format!("{}{}", random.text("6789", 1), random.text(DIGITS, 9))
}

fn spaced_mobile(random: &mut Seeded) -> String {
    let mobile = mobile(random);
    format!("{} {}", &mobile[..5], &mobile[5..])
}

fn hindi_mobile(random: &mut Seeded) -> String {
    mobile(random).bytes().filter_map(|byte| char::from_u32(0x966 + u32::from(byte - b'0'))).collect()
}

fn upi(random: &mut Seeded) -> String {
    let handle = pick(random, &["okaxis", "okhdfcbank", "oksbi", "ybl", "paytm", "apl", "ibl", "axl"]);
    format!("{}.{}@{handle}", random.text(LOWER, 6), random.text(LOWER, 2))
}

fn upi_of_a_new_bank(random: &mut Seeded) -> String {
    format!("{}@{}", random.text(LOWER, 8), random.text(LOWER, 7))
}

fn grouped_card(random: &mut Seeded) -> String {
    let card = card(random);
    numbers::groups(&card, pick(random, &[" ", "-"]))
}

fn six_digits(random: &mut Seeded) -> String {
    random.text(DIGITS, 6)
}

fn four_digits(random: &mut Seeded) -> String {
    random.text(DIGITS, 4)
}

fn three_digits(random: &mut Seeded) -> String {
    random.text(DIGITS, 3)
}

fn aadhaar(random: &mut Seeded) -> String {
    let body = format!("{}{}", 2 + random.below(8), random.text(DIGITS, 10));
    with_verhoeff(&body)
}

fn grouped_aadhaar(random: &mut Seeded) -> String {
    numbers::groups(&aadhaar(random), pick(random, &[" ", "-"]))
}

fn pan(random: &mut Seeded) -> String {
    let holder = pick(random, &["P", "C", "H", "F", "A", "T"]);
    let (start, name) = (random.text(UPPER, 3), random.text(UPPER, 1));
    format!("{start}{holder}{name}{}{}", random.text(DIGITS, 4), random.text(UPPER, 1))
}

fn gstin(random: &mut Seeded) -> String {
    let body = format!("{}{}1Z", pick(random, &["27", "29", "07", "33"]), pan(random));
    numbers::with_gst_check(&body)
}

fn account(random: &mut Seeded) -> String {
    let len = 11 + random.below(6) as usize;
    format!("{}{}", 1 + random.below(9), random.text(DIGITS, len))
}

fn passport(random: &mut Seeded) -> String {
    format!("{}{}", random.text("JKLMNPRSTUVWZ", 1), random.text(DIGITS, 7))
}

fn voter(random: &mut Seeded) -> String {
    format!("{}{}", random.text(UPPER, 3), random.text(DIGITS, 7))
}

fn licence(random: &mut Seeded) -> String {
    let state = pick(random, &["MH", "KA", "DL", "TN"]);
    let separator = pick(random, &[" ", "-", ""]);
    format!("{state}{:02}{separator}20{:02}{}", 1 + random.below(40), random.below(24), random.text(DIGITS, 7))
}

fn jwt(random: &mut Seeded) -> String {
    format!("eyJhbGciOiJIUzI1NiJ9.eyJ{}.{}", random.text(TOKEN, 40), random.text(TOKEN, 43))
}

fn token(random: &mut Seeded) -> String {
    random.text(TOKEN, 32)
}

fn password(random: &mut Seeded) -> String {
    format!("hunter{}", random.text(TOKEN, 10))
}

fn key_body(random: &mut Seeded) -> String {
    format!("MIIEvQIBADANBgkq{}", random.text(TOKEN, 48))
}

/// One of the credentials that their prefixes give away.
fn credential(random: &mut Seeded) -> String {
    let (prefix, alphabet, len) = [
        ("AKIA", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
        ("ASIA", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
        ("AIza", TOKEN, 35),
        ("sk_live_", TOKEN, 24),
        ("rk_live_", TOKEN, 24),
        ("whsec_", TOKEN, 32),
        ("rzp_live_", TOKEN, 14),
        ("ghp_", TOKEN, 36),
        ("gho_", TOKEN, 36),
        ("ghs_", TOKEN, 36),
        ("github_pat_", TOKEN, 60),
        ("glpat-", TOKEN, 20),
        ("xoxb-1234567890-", TOKEN, 24),
        ("xoxp-1234567890-", TOKEN, 24),
        ("npm_", TOKEN, 36),
        ("pypi-AgEIcHlwaS5vcmc", TOKEN, 40),
        ("sk.eyJ1IjoicmV6In0.", TOKEN, 22),
        ("ExponentPushToken[", TOKEN, 22),
        ("cloudinary://123456789012345:", TOKEN, 27),
        ("twilio SK", HEX, 32),
        ("twilio AC", HEX, 32),
    ][random.below(21) as usize];
    let body = random.text(alphabet, len);
    match prefix {
        "ExponentPushToken[" => format!("{prefix}{body}]"),
        "cloudinary://123456789012345:" => format!("{prefix}{body}@rez"),
        "pypi-AgEIcHlwaS5vcmc" => format!("{prefix}A1{body}"),
        _ => format!("{prefix}{body}"),
    }
}
