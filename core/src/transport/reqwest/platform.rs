//! The operating system's certificate verifier.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Accepts a certificate that one of the extra roots has signed, and otherwise asks the operating system.
#[derive(Debug)]
pub(super) struct Verifier {
    extra: Option<Arc<WebPkiServerVerifier>>,
    platform: Arc<dyn ServerCertVerifier>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    pub(super) fn new(provider: Arc<CryptoProvider>, extra_roots: &RootCertStore) -> Result<Verifier, Error> {
        let platform = Arc::new(rustls_platform_verifier::Verifier::new(Arc::clone(&provider))?);
        Verifier::with_platform(platform, provider, extra_roots)
    }

    pub(super) fn with_platform(
        platform: Arc<dyn ServerCertVerifier>,
        provider: Arc<CryptoProvider>,
        extra_roots: &RootCertStore,
    ) -> Result<Verifier, Error> {
        let extra = match extra_roots.is_empty() {
            true => None,
            false => {
                let builder =
                    WebPkiServerVerifier::builder_with_provider(Arc::new(extra_roots.clone()), Arc::clone(&provider));
                Some(builder.build().map_err(|error| Error::General(error.to_string()))?)
            }
        };
        Ok(Verifier { extra, platform, provider })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |verifier: &dyn ServerCertVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        if let Some(extra) = &self.extra {
            let verified = verify(&**extra);
            if !matches!(verified, Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))) {
                return verified;
            }
        }
        // On Android it panics if the app has not initialised it with its Context.
        catch_unwind(AssertUnwindSafe(|| verify(&*self.platform))).unwrap_or_else(|_| {
            let why = "the platform's certificate verifier is not usable; on Android, call \
                       rustls_platform_verifier::android::init_with_env at start";
            Err(Error::General(why.to_owned()))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
