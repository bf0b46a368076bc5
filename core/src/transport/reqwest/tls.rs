//! Which server certificates are trusted.
//!
//! By default those of Mozilla's root program, which are compiled in: TLS then needs no file, no Java context and no
//! set-up. An app can add roots of its own, for a company network or a debugging proxy. With the cargo feature
//! `transport-platform-verifier` it can leave the decision to the operating system instead.

use super::ReqwestError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use std::sync::Arc;

/// A root certificate as the app gave it.
pub(super) enum RootCertificate {
    /// One or more certificates in a PEM file.
    Pem(Vec<u8>),
    /// One certificate.
    Der(Vec<u8>),
}

impl RootCertificate {
    /// Adds the certificates to the store.
    pub(super) fn add_to(self, store: &mut RootCertStore) -> Result<(), ReqwestError> {
        match self {
            RootCertificate::Der(der) => add(store, CertificateDer::from(der), "root_certificate_der", 1),
            RootCertificate::Pem(pem) => {
                const FIELD: &str = "root_certificate_pem";
                let error = |why: String| ReqwestError::RootCertificate { field: FIELD, why };
                let mut count = 0;
                for certificate in CertificateDer::pem_slice_iter(&pem) {
                    count += 1;
                    let certificate = certificate.map_err(|cause| error(format!("certificate {count}: {cause}")))?;
                    add(store, certificate, FIELD, count)?;
                }
                if count == 0 {
                    return Err(error("contains no `BEGIN CERTIFICATE`; for DER use root_certificate_der".to_owned()));
                }
                Ok(())
            }
        }
    }
}

fn add(
    store: &mut RootCertStore,
    certificate: CertificateDer<'static>,
    field: &'static str,
    number: usize,
) -> Result<(), ReqwestError> {
    store.add(certificate).map_err(|cause| {
        let why = format!("certificate {number} is not an X.509 certificate in DER: {cause}");
        ReqwestError::RootCertificate { field, why }
    })
}

/// Who decides whether a server certificate is trusted.
#[derive(Clone)]
pub(super) struct Trust {
    /// Roots that the app has added.
    pub(super) extra_roots: RootCertStore,
    /// The operating system decides about certificates that the extra roots have not signed.
    #[cfg(feature = "transport-platform-verifier")]
    pub(super) platform: bool,
}

impl Default for Trust {
    fn default() -> Self {
        Trust {
            extra_roots: RootCertStore::empty(),
            #[cfg(feature = "transport-platform-verifier")]
            platform: false,
        }
    }
}

impl Trust {
    /// The TLS configuration of the client.
    pub(super) fn client_config(&self) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        #[cfg(feature = "transport-platform-verifier")]
        if self.platform {
            let verifier = super::platform::Verifier::new(provider, &self.extra_roots)?;
            return Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth());
        }
        let mut roots = self.extra_roots.clone();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }
}

/// The cause of a failed handshake in words, if `error` is one.
pub(super) fn describe(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    find(error).map(|error| format!("TLS: {}", words(error)))
}

/// The TLS error in a chain of causes.
fn find<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    // `source` of an I/O error skips the error that it wraps.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    wrapped.and_then(|wrapped| find(wrapped)).or_else(|| error.source().and_then(find))
}

fn words(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(cause) = error else { return error.to_string() };
    match cause {
        CertificateError::UnknownIssuer => {
            "the server's certificate is not signed by a trusted root; a root of your own is \
                                            added with Reqwest::builder().root_certificate_pem()"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired, or the clock of the device is wrong".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet, or the clock of the device is wrong".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate belongs to another host name".to_owned()
        }
        _ => error.to_string(),
    }
}
