//! `tls_server_config` -> what rustls needs.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring::{self, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::{
    CipherSuite, RootCertStore, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion, version,
};

use super::clients::{self, ClientAuth};
use super::fault::{Fault, Wrong};
use super::file::TlsSection;
use super::reader::Reader;
use crate::yaml::{Spanned, Text, line};

/// How connections are encrypted, and who may have one.
#[derive(Debug)]
pub(in super::super) struct Tls {
    /// For each handshake.
    pub(in super::super) server: Arc<ServerConfig>,
    pub(super) clients: Clients,
}

/// Whom it lets in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clients {
    pub(super) policy: ClientAuth,
    /// PEM.
    ca: Option<Vec<u8>>,
    pub(super) names: Option<Vec<String>>,
}

/// Makes sense of the section, whose files are relative to `directory`.
pub(super) fn tls(
    section: Spanned<TlsSection>,
    http2: bool,
    directory: &Path,
    reader: &mut Reader,
) -> Result<Option<Tls>, Wrong> {
    let at = line(&section);
    let section = section.value;
    if section.is_empty() {
        return Ok(None);
    }
    let mut pems = Pems { directory, reader };
    let certificate = pems.one("cert", section.cert, "cert_file", section.cert_file)?;
    let key = pems.one("key", section.key, "key_file", section.key_file)?;
    let client_ca = pems.one("client_ca", section.client_ca, "client_ca_file", section.client_ca_file)?;
    let policy = section.client_auth_type.map_or(Ok(ClientAuth::No), policy)?;
    let provider = Arc::new(provider(section.cipher_suites, section.curve_preferences)?);
    let clients = Clients {
        policy,
        ca: client_ca.as_ref().map(|pem| pem.bytes.clone()),
        names: section.client_allowed_sans.as_ref().map(|names| names.value.clone()),
    };
    let verifier = verifier(policy, client_ca, section.client_allowed_sans, &provider, at)?;
    let certificate = certificate.ok_or((at, Fault::NoPair("cert")))?;
    let (chain, key) = (certificate.certificates()?, key.ok_or((at, Fault::NoPair("key")))?.private_key()?);
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(section.min_version, section.max_version)?)
        .map_err(|error| (at, Fault::Tls(error.to_string())))?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut server = builder
        .with_single_cert(chain, key)
        .map_err(|error| (certificate.line, Fault::Pair(error.to_string())))?;
    server.ignore_client_order = section.prefer_server_cipher_suites.unwrap_or(true);
    server.alpn_protocols = if http2 { vec![H2.to_vec(), HTTP1.to_vec()] } else { vec![HTTP1.to_vec()] };
    Ok(Some(Tls { server: Arc::new(server), clients }))
}

/// What clients call HTTP/2 when they choose it.
pub(in super::super) const H2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// What is to be had in PEM, in a file of its own or in the text itself.
struct Pems<'a> {
    directory: &'a Path,
    reader: &'a mut Reader,
}

impl Pems<'_> {
    fn one(
        &mut self,
        name: &'static str,
        inline: Option<Text>,
        file_name: &'static str,
        file: Option<Text>,
    ) -> Result<Option<Pem>, Wrong> {
        match (inline, file) {
            (None, None) => Ok(None),
            (Some(_), Some(file)) => Err((line(&file), Fault::Both(name))),
            (Some(inline), None) => {
                Ok(Some(Pem { name, line: line(&inline), bytes: inline.value.into_bytes() }))
            }
            (None, Some(file)) if file.value.is_empty() => Err((line(&file), Fault::Empty(file_name))),
            (None, Some(file)) => {
                let (line, path) = (line(&file), self.directory.join(&file.value));
                let bytes = self.reader.read(&path);
                let bytes = bytes.map_err(|source| (line, Fault::File { key: file_name, path, source }))?;
                Ok(Some(Pem { name: file_name, line, bytes }))
            }
        }
    }
}

struct Pem {
    name: &'static str,
    line: u64,
    bytes: Vec<u8>,
}

impl Pem {
    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Wrong> {
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        // The library's reasons may quote a line, of what may be a key that was mistaken for a certificate.
        let all = all.map_err(|_| self.useless("certificate", "it is no PEM"))?;
        if all.is_empty() { Err(self.useless("certificate", "there is none in PEM")) } else { Ok(all) }
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, Wrong> {
        PrivateKeyDer::from_pem_slice(&self.bytes)
            .map_err(|_| self.useless("private key", "there is none in PEM, or it is encrypted"))
    }

    fn roots(&self) -> Result<RootCertStore, Wrong> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates()? {
            roots.add(certificate).map_err(|error| self.useless("certificate", &error.to_string()))?;
        }
        Ok(roots)
    }

    fn useless(&self, what: &'static str, reason: &str) -> Wrong {
        (self.line, Fault::Pem { key: self.name, what, reason: reason.to_string() })
    }
}

fn policy(text: Text) -> Result<ClientAuth, Wrong> {
    ClientAuth::parse(&text.value).ok_or_else(|| (line(&text), Fault::ClientAuthType(text.value)))
}

/// Who looks at the certificates of clients; `None` where nobody does.
fn verifier(
    policy: ClientAuth,
    ca: Option<Pem>,
    names: Option<Spanned<Vec<String>>>,
    provider: &Arc<CryptoProvider>,
    at: u64,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, Wrong> {
    if let Some(names) = &names {
        let fault = match (names.value.is_empty(), policy) {
            (true, _) => Some(Fault::NoSans),
            (false, ClientAuth::RequireAndVerify) => None,
            (false, policy) => Some(Fault::IdleSans(policy.name())),
        };
        fault.map_or(Ok(()), |fault| Err((line(names), fault)))?;
    }
    match (policy, ca) {
        (ClientAuth::No, None) => Ok(None),
        (policy, Some(ca)) if !policy.verifies() => Err((ca.line, Fault::IdleClientCa(policy.name()))),
        (policy, None) if policy.verifies() => Err((at, Fault::NoClientCa(policy.name()))),
        (policy, None) => Ok(Some(clients::unverified(policy, provider))),
        (policy, Some(ca)) => {
            let names = names.map(|names| names.value);
            let verifier = clients::verified(policy, ca.roots()?, names, provider);
            verifier.map(Some).map_err(|error| ca.useless("certificate", &error.to_string()))
        }
    }
}

/// The versions from `min` to `max`, both included.
fn versions(min: Option<Text>, max: Option<Text>) -> Result<Vec<&'static SupportedProtocolVersion>, Wrong> {
    let at = max.as_ref().or(min.as_ref()).map_or(1, line);
    let min = min.map_or(Ok(0), version_index)?;
    let max = max.map_or(Ok(VERSIONS.len() - 1), version_index)?;
    match VERSIONS.get(min..=max) {
        Some(versions) if !versions.is_empty() => Ok(versions.iter().map(|(_, version)| *version).collect()),
        _ => Err((at, Fault::VersionOrder)),
    }
}

const VERSIONS: [(&str, &SupportedProtocolVersion); 2] =
    [("TLS12", &version::TLS12), ("TLS13", &version::TLS13)];

fn version_index(text: Text) -> Result<usize, Wrong> {
    let index = VERSIONS.iter().position(|(name, _)| *name == text.value);
    index.ok_or_else(|| {
        let old = matches!(text.value.as_str(), "TLS10" | "TLS11");
        let at = line(&text);
        (at, if old { Fault::OldVersion(text.value) } else { Fault::Version(text.value) })
    })
}

/// Those that are wanted of what the library has, in the order in which they are wanted.
fn provider(ciphers: Option<Vec<Text>>, curves: Option<Vec<Text>>) -> Result<CryptoProvider, Wrong> {
    let mut provider = ring::default_provider();
    if let Some(ciphers) = ciphers.filter(|list| !list.is_empty()) {
        let wanted = ciphers.into_iter().map(cipher).collect::<Result<Vec<_>, _>>()?;
        // As with Go, the list is about TLS 1.2 alone.
        let modern = provider.cipher_suites.iter().copied().filter(|suite| suite.tls13().is_some());
        provider.cipher_suites =
            modern.chain(wanted.into_iter().filter(|one| one.tls13().is_none())).collect();
    }
    if let Some(curves) = curves.filter(|list| !list.is_empty()) {
        provider.kx_groups = curves.into_iter().map(curve).collect::<Result<_, _>>()?;
    }
    Ok(provider)
}

fn cipher(text: Text) -> Result<SupportedCipherSuite, Wrong> {
    let known = ring::ALL_CIPHER_SUITES.iter().map(|suite| (cipher_name(suite.suite()), *suite));
    let found = known.clone().find(|(name, _)| *name == Some(&text.value));
    found
        .map(|(_, suite)| suite)
        .ok_or_else(|| (line(&text), Fault::Cipher(text.value, known.filter_map(|(name, _)| name).collect())))
}

/// Go's name of it.
fn cipher_name(suite: CipherSuite) -> Option<&'static str> {
    Some(match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => {
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
        }
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => {
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
        }
        _ => return None,
    })
}

const CURVES: [(&str, &dyn SupportedKxGroup); 3] =
    [("X25519", kx_group::X25519), ("CurveP256", kx_group::SECP256R1), ("CurveP384", kx_group::SECP384R1)];

fn curve(text: Text) -> Result<&'static dyn SupportedKxGroup, Wrong> {
    let found = CURVES.iter().find(|(name, _)| *name == text.value);
    found
        .map(|(_, group)| *group)
        .ok_or_else(|| (line(&text), Fault::Curve(text.value, CURVES.map(|(name, _)| name).to_vec())))
}
