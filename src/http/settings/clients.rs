//! Which clients TLS lets in, by their certificates.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// What is wanted of clients: Go's policies by Go's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuth {
    /// Nothing.
    No,
    /// Any certificate, or none.
    Request,
    /// Any certificate.
    RequireAny,
    /// None, or one of the CA.
    VerifyIfGiven,
    /// One of the CA.
    RequireAndVerify,
}

impl ClientAuth {
    pub(super) const NAMES: [&'static str; 5] = [
        "NoClientCert",
        "RequestClientCert",
        "RequireAnyClientCert",
        "VerifyClientCertIfGiven",
        "RequireAndVerifyClientCert",
    ];

    const ALL: [ClientAuth; 5] = [
        ClientAuth::No,
        ClientAuth::Request,
        ClientAuth::RequireAny,
        ClientAuth::VerifyIfGiven,
        ClientAuth::RequireAndVerify,
    ];

    pub(super) fn parse(name: &str) -> Option<ClientAuth> {
        // An older name, which the toolkit still takes.
        let name = if name == "RequireClientCert" { "RequireAnyClientCert" } else { name };
        ClientAuth::ALL.into_iter().find(|policy| policy.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        ClientAuth::NAMES[self as usize]
    }

    /// Whether a certificate counts for more than that it is there.
    pub(super) fn verifies(self) -> bool {
        matches!(self, ClientAuth::VerifyIfGiven | ClientAuth::RequireAndVerify)
    }

    /// Whether nobody comes in without a certificate of the CA.
    pub(super) fn is_closed(self) -> bool {
        self.requires() && self.verifies()
    }

    /// Whether nobody comes in without a certificate.
    pub(super) fn requires(self) -> bool {
        matches!(self, ClientAuth::RequireAny | ClientAuth::RequireAndVerify)
    }
}

/// Whoever has a certificate of one of `roots` comes in, and others if `policy` says so. Where there are `names`, the
/// certificate has to be for one of them.
pub(super) fn verified(
    policy: ClientAuth,
    roots: RootCertStore,
    names: Option<Vec<String>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, VerifierBuilderError> {
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = if policy.requires() { builder } else { builder.allow_unauthenticated() };
    let verifier = builder.build()?;
    Ok(match names {
        Some(names) => Arc::new(Named { verifier, names }),
        None => verifier,
    })
}

/// Whoever has any certificate comes in, and whoever has none if `policy` says so.
pub(super) fn unverified(policy: ClientAuth, provider: &Arc<CryptoProvider>) -> Arc<dyn ClientCertVerifier> {
    Arc::new(Anybody { mandatory: policy.requires(), provider: Arc::clone(provider) })
}

/// A certificate of the CA, and for one of these names.
#[derive(Debug)]
struct Named {
    verifier: Arc<dyn ClientCertVerifier>,
    names: Vec<String>,
}

impl ClientCertVerifier for Named {
    fn client_auth_mandatory(&self) -> bool {
        self.verifier.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.verifier.verify_client_cert(certificate, intermediates, now)?;
        let has = names(certificate).ok_or(CertificateError::BadEncoding)?;
        let is_allowed = has.iter().any(|name| self.names.contains(name));
        // The client is told that it may not, and not who may.
        if is_allowed { Ok(verified) } else { Err(CertificateError::ApplicationVerificationFailure.into()) }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// Any certificate whose key the client has.
#[derive(Debug)]
struct Anybody {
    mandatory: bool,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Anybody {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The alternative names of a certificate, as people write them: domains, addresses of hosts and of mail, URIs. `None`
/// for what is no certificate.
fn names(certificate: &CertificateDer<'_>) -> Option<Vec<String>> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let Some((_, SubjectAltName(names))) = certificate.tbs_certificate.get::<SubjectAltName>().ok()? else {
        return Some(Vec::new());
    };
    Some(names.iter().filter_map(name).collect())
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(text)
        | GeneralName::Rfc822Name(text)
        | GeneralName::UniformResourceIdentifier(text) => Some(text.to_string()),
        GeneralName::IpAddress(bytes) => address(bytes.as_bytes()).map(|address| address.to_string()),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(|bytes| IpAddr::from(Ipv4Addr::from(bytes)));
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| IpAddr::from(Ipv6Addr::from(bytes)))).ok()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    fn certificate(names: Vec<SanType>) -> CertificateDer<'static> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn names_are_read_as_people_write_them() {
        let of_all_kinds = certificate(vec![
            SanType::DnsName("prometheus.example".try_into().unwrap()),
            SanType::Rfc822Name("ops@example".try_into().unwrap()),
            SanType::URI("spiffe://example/prometheus".try_into().unwrap()),
            SanType::IpAddress("192.0.2.7".parse().unwrap()),
            SanType::IpAddress("2001:db8::7".parse().unwrap()),
        ]);
        let expected =
            ["prometheus.example", "ops@example", "spiffe://example/prometheus", "192.0.2.7", "2001:db8::7"];
        assert_eq!(names(&of_all_kinds).unwrap(), expected);
        assert_eq!(names(&certificate(Vec::new())).unwrap(), Vec::<String>::new());
        assert_eq!(names(&CertificateDer::from(vec![0x30, 0x01, 0x00])), None);
    }

    #[test]
    fn every_policy_has_its_name() {
        for (name, policy) in ClientAuth::NAMES.into_iter().zip(ClientAuth::ALL) {
            assert_eq!(ClientAuth::parse(name), Some(policy));
        }
        assert_eq!(ClientAuth::parse("RequireClientCert"), Some(ClientAuth::RequireAny));
        assert_eq!(ClientAuth::parse("requireandverifyclientcert"), None);
    }
}
