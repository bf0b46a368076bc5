//! Makes X.509 certificates for tests: a root, and certificates of servers that it has signed.

use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_ecdsa_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A P-256 key for tests (PKCS #8). Root and servers share it; what tells them apart is their names.
const KEY: &[u8] = &[
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
    0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20, 0xb6, 0x46,
    0x11, 0xbf, 0xf5, 0xa7, 0xdc, 0x77, 0xca, 0xbd, 0x67, 0x51, 0xcd, 0x7a, 0x6c, 0xb1, 0xbb, 0xb7, 0x91, 0xff, 0xd5,
    0xd6, 0x2a, 0x67, 0x2e, 0x62, 0x11, 0x82, 0x5a, 0x1b, 0xbf, 0xba, 0xa1, 0x44, 0x03, 0x42, 0x00, 0x04, 0x7d, 0x3b,
    0x46, 0x90, 0xcd, 0xde, 0x81, 0xbf, 0xf8, 0x13, 0xfc, 0x07, 0xf4, 0x5f, 0xf4, 0xcd, 0x7e, 0x1c, 0xb8, 0x34, 0xf7,
    0xc7, 0x5f, 0xb6, 0xac, 0x20, 0xdb, 0x20, 0x31, 0xfc, 0x62, 0x14, 0x96, 0x97, 0x59, 0x70, 0x67, 0x81, 0x82, 0x6c,
    0xab, 0x7d, 0x77, 0xfc, 0x7d, 0xe8, 0x56, 0xbb, 0x48, 0x08, 0x8b, 0x95, 0x03, 0x53, 0xde, 0x52, 0x1e, 0xf6, 0x74,
    0xd0, 0x90, 0x46, 0x6d, 0xc1,
];

/// `ecdsa-with-SHA256`.
const ALGORITHM: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/// The name of a server in its certificate.
#[derive(Clone, Copy)]
pub(super) enum Host {
    Loopback,
    Dns(&'static str),
}

pub(super) fn key() -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(KEY).into()
}

/// The certificate of a root, in DER.
pub(super) fn root(name: &str) -> Vec<u8> {
    // Basic constraints, critical: an authority.
    let authority =
        tlv(0x30, &[&tlv(0x06, &[&[0x55, 0x1d, 0x13]]), &[0x01, 0x01, 0xff], &tlv(0x04, &[&[0x30, 3, 1, 1, 0xff]])]);
    certificate(name, name, "20991231235959Z", &authority)
}

/// The certificate of a server, signed by the root of that name and valid until `until`, in DER.
pub(super) fn server(root: &str, host: Host, until: &str) -> Vec<u8> {
    let name = match host {
        Host::Loopback => tlv(0x87, &[&[127, 0, 0, 1]]),
        Host::Dns(name) => tlv(0x82, &[name.as_bytes()]),
    };
    let names = tlv(0x30, &[&tlv(0x06, &[&[0x55, 0x1d, 0x11]]), &tlv(0x04, &[&tlv(0x30, &[&name])])]);
    certificate(root, "server", until, &names)
}

/// The same in PEM.
pub(super) fn pem(der: &[u8]) -> String {
    let base64 = crate::destination::base64(der);
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn certificate(issuer: &str, subject: &str, until: &str, extension: &[u8]) -> Vec<u8> {
    let signer = any_ecdsa_type(&key()).unwrap();
    let public_key = signer.public_key().unwrap();
    let validity = tlv(0x30, &[&tlv(0x18, &[b"20200101000000Z"]), &tlv(0x18, &[until.as_bytes()])]);
    let to_sign = tlv(
        0x30,
        &[
            &tlv(0xa0, &[&[0x02, 0x01, 0x02]]),
            &[0x02, 0x01, 0x01],
            ALGORITHM,
            &name(issuer),
            &validity,
            &name(subject),
            &public_key,
            &tlv(0xa3, &[&tlv(0x30, &[extension])]),
        ],
    );
    let scheme = signer.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256]).unwrap();
    let signature = scheme.sign(&to_sign).unwrap();
    tlv(0x30, &[&to_sign, ALGORITHM, &tlv(0x03, &[&[0], &signature])])
}

/// A distinguished name with a common name only.
fn name(common: &str) -> Vec<u8> {
    let attribute = tlv(0x30, &[&tlv(0x06, &[&[0x55, 0x04, 0x03]]), &tlv(0x0c, &[common.as_bytes()])]);
    tlv(0x30, &[&tlv(0x31, &[&attribute])])
}

/// A DER value: tag, length, content.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match content.len() {
        short @ 0..=0x7f => out.push(short as u8),
        len => {
            let bytes = len.to_be_bytes();
            let bytes = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap()..];
            out.push(0x80 | bytes.len() as u8);
            out.extend(bytes);
        }
    }
    out.extend(content);
    out
}
