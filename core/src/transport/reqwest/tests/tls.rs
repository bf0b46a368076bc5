//! Verified certificates, against a real TLS server on this machine.

use super::certificates::{self, Host, pem, root, server as signed};
use super::*;
use rustls::pki_types::CertificateDer;

/// Until when a valid certificate of these tests is valid.
const VALID: &str = "20991231235959Z";

/// A TLS server with this certificate, which responds to every request with 204.
fn tls_server(certificate: Vec<u8>) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate)], certificates::key())
        .unwrap();
    let config = Arc::new(config);
    server(move |stream| {
        let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, stream);
        if request(&mut stream).starts_with("POST ") {
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
            let _ = stream.flush();
        }
    })
}

fn send_with(transport: &Reqwest, address: SocketAddr) -> Sent {
    start_send(transport, post(format!("https://{address}/"))).recv_timeout(Duration::from_secs(60)).unwrap()
}

fn with_root(name: &str) -> Reqwest {
    Reqwest::builder().root_certificate_pem(pem(&root(name))).build().unwrap()
}

/// Nothing was sent, and the message contains these words.
fn assert_not_sent(sent: &Sent, words: &str) {
    let Sent::NotSent(why) = sent else { panic!("{sent:?}") };
    assert!(why.starts_with("TLS: ") && why.contains(words), "{why}");
}

#[test]
fn a_server_with_a_private_root_is_refused_until_the_root_is_added() {
    let address = tls_server(signed("Company root", Host::Loopback, VALID));
    assert_not_sent(&send_with(&Reqwest::new(), address), "not signed by a trusted root");
    assert_not_sent(&send_with(&with_root("Other root"), address), "root_certificate_pem");
    let in_der = Reqwest::builder().root_certificate_der(root("Company root")).build().unwrap();
    for transport in [with_root("Company root"), in_der] {
        let sent = send_with(&transport, address);
        assert!(matches!(&sent, Sent::Response(response) if response.status == 204), "{sent:?}");
    }
}

#[cfg(feature = "destination-rez")]
#[test]
fn status_says_that_the_certificate_is_why_a_server_cannot_be_reached() {
    use crate::{Config, Consent, Level, Monitor, Purpose};
    let folder = tempfile::tempdir().unwrap();
    let address = tls_server(signed("Company root", Host::Loopback, VALID));
    let rez = crate::destination::Rez::builder(format!("https://{address}"), "key").build().unwrap();
    let config = Config::builder(folder.path(), "shop", "shop@1").consent(Purpose::Monitoring, Consent::Granted);
    let monitor = Monitor::open(config.sessions(false).destination("backend", rez).build().unwrap()).unwrap();
    let _ = monitor.message("kept", Level::Info, &[]);
    let flushed = monitor.flush(Duration::from_secs(60)).unwrap();
    let held = flushed[0].held.clone().unwrap();
    let expected = "the server could not be reached: TLS: the server's certificate is not signed by a trusted root";
    assert!(held.why.starts_with(expected), "{}", held.why);
    assert_eq!(flushed[0].left, 1);
    monitor.close(Duration::ZERO);
}

#[test]
fn each_certificate_of_a_pem_bundle_is_a_root() {
    let bundle = format!("# two roots\n{}\n{}", pem(&root("Other root")), pem(&root("Company root")));
    let transport = Reqwest::builder().root_certificate_pem(bundle).build().unwrap();
    for name in ["Other root", "Company root"] {
        let sent = send_with(&transport, tls_server(signed(name, Host::Loopback, VALID)));
        assert!(matches!(&sent, Sent::Response(_)), "{name}: {sent:?}");
    }
}

#[test]
fn a_certificate_of_another_host_is_refused() {
    let address = tls_server(signed("Company root", Host::Dns("other.example.com"), VALID));
    assert_not_sent(&send_with(&with_root("Company root"), address), "another host name");
}

#[test]
fn an_expired_certificate_is_refused() {
    let address = tls_server(signed("Company root", Host::Loopback, "20210101000000Z"));
    assert_not_sent(&send_with(&with_root("Company root"), address), "has expired");
}

#[test]
fn a_root_certificate_that_cannot_be_read_is_an_error_that_names_the_setter() {
    let in_pem = |pem: &str| Reqwest::builder().root_certificate_pem(pem).build().unwrap_err();
    let (first, rest) = (pem(&root("Company root")), "-----BEGIN CERTIFICATE-----\nMIIB\n");
    let block = |content: &str| format!("-----BEGIN CERTIFICATE-----\n{content}\n-----END CERTIFICATE-----\n");
    for (text, why) in [
        (String::new(), "contains no `BEGIN CERTIFICATE`; for DER use root_certificate_der"),
        ("company-root.pem".to_owned(), "contains no `BEGIN CERTIFICATE`"),
        (block("not base64!"), "certificate 1: base64"),
        (block("AAAA"), "certificate 1 is not an X.509 certificate"),
        (rest.to_owned(), "certificate 1: missing section end"),
        (format!("{first}{}", block("AAAA")), "certificate 2 is not an X.509 certificate"),
    ] {
        let ReqwestError::RootCertificate { field, why: found } = in_pem(&text);
        assert_eq!(field, "root_certificate_pem");
        assert!(found.starts_with(why), "{text:?}: {found}");
    }
    let error = Reqwest::builder().root_certificate_der(b"\x30\x03".to_vec()).build().unwrap_err().to_string();
    assert!(error.starts_with("transport: `root_certificate_der`: certificate 1 is not"), "{error}");
}

#[cfg(feature = "transport-platform-verifier")]
mod platform {
    use super::super::super::platform::Verifier;
    use super::*;
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::pki_types::{ServerName, UnixTime};
    use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

    /// Set in the process in which the platform trusts only the certificates of the test.
    const CHILD: &str = "REZ_TLS_TEST_CHILD";

    /// Runs the test of this name once more, in a process whose platform trusts only the root of this name.
    fn run_in_a_process_that_trusts(trusted: &str, test: &str) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roots.pem");
        std::fs::write(&file, pem(&root(trusted))).unwrap();
        let module = module_path!().split_once("::").unwrap().1;
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", &format!("{module}::{test}")])
            .env(CHILD, "1")
            .env("SSL_CERT_FILE", file)
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }

    #[test]
    fn the_platform_decides_about_a_certificate_that_no_added_root_has_signed() {
        if std::env::var_os(CHILD).is_none() {
            let name = "the_platform_decides_about_a_certificate_that_no_added_root_has_signed";
            return run_in_a_process_that_trusts("System root", name);
        }
        let platform = || Reqwest::builder().platform_verifier();
        let system = tls_server(signed("System root", Host::Loopback, VALID));
        let company = tls_server(signed("Company root", Host::Loopback, VALID));
        let alone = platform().build().unwrap();
        let both = platform().root_certificate_der(root("Company root")).build().unwrap();
        let responded = |transport, address| matches!(send_with(transport, address), Sent::Response(_));
        assert!(responded(&alone, system) && responded(&both, system) && responded(&both, company));
        assert_not_sent(&send_with(&alone, company), "");
        assert_not_sent(&send_with(&Reqwest::new(), system), "not signed by a trusted root");
        assert_not_sent(
            &send_with(&both, tls_server(signed("System root", Host::Dns("x.example"), VALID))),
            "host name",
        );
    }

    /// A platform that is not set up: on Android the verifier panics.
    #[derive(Debug)]
    struct NotSetUp;

    impl ServerCertVerifier for NotSetUp {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            panic!("Expect rustls-platform-verifier to be initialized")
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(Error::General("unused".into()))
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(Error::General("unused".into()))
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            Vec::new()
        }
    }

    #[test]
    fn a_platform_verifier_that_panics_is_an_error_and_added_roots_still_work() {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from(root("Company root"))).unwrap();
        let verifier = Verifier::with_platform(Arc::new(NotSetUp), provider, &roots).unwrap();
        let verify = |root: &str| {
            let certificate = CertificateDer::from(signed(root, Host::Loopback, VALID));
            let name = ServerName::try_from("127.0.0.1").unwrap();
            verifier.verify_server_cert(&certificate, &[], &name, &[], UnixTime::now())
        };
        assert!(verify("Company root").is_ok());
        let error = verify("Other root").unwrap_err();
        assert!(matches!(&error, Error::General(why) if why.contains("init_with_env")), "{error}");
        let expired = CertificateDer::from(signed("Company root", Host::Loopback, "20210101000000Z"));
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let error = verifier.verify_server_cert(&expired, &[], &name, &[], UnixTime::now()).unwrap_err();
        assert!(matches!(error, Error::InvalidCertificate(CertificateError::ExpiredContext { .. })), "{error}");
    }
}
