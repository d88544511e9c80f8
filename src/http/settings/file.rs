//! The shape of the file of `--web.config.file`, which is that of Prometheus' exporter-toolkit.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::yaml::{Spanned, Text};

/// A value, if the key is there. Without one it would be as if it were not, which lets in more: all that stood below it may
/// be commented out.
fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default, deserialize_with = "given")]
    pub(super) tls_server_config: Option<Spanned<TlsSection>>,
    pub(super) http_server_config: Option<HttpSection>,
    /// Hashes of passwords by the names of users.
    #[serde(default, deserialize_with = "given")]
    pub(super) basic_auth_users: Option<BTreeMap<String, Text>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) rate_limit: Option<Spanned<RateSection>>,
}

/// No `Debug` here: it has a private key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsSection {
    #[serde(default, deserialize_with = "given")]
    pub(super) cert: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) key: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) client_ca: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) cert_file: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) key_file: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) client_auth_type: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) client_ca_file: Option<Text>,
    pub(super) cipher_suites: Option<Vec<Text>>,
    pub(super) curve_preferences: Option<Vec<Text>>,
    pub(super) min_version: Option<Text>,
    pub(super) max_version: Option<Text>,
    pub(super) prefer_server_cipher_suites: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    pub(super) client_allowed_sans: Option<Spanned<Vec<String>>>,
}

impl TlsSection {
    /// Whether it says nothing at all, as if it were left out.
    pub(super) fn is_empty(&self) -> bool {
        let texts = [
            &self.cert,
            &self.key,
            &self.client_ca,
            &self.cert_file,
            &self.key_file,
            &self.client_auth_type,
            &self.client_ca_file,
            &self.min_version,
            &self.max_version,
        ];
        texts.into_iter().all(Option::is_none)
            && [&self.cipher_suites, &self.curve_preferences].into_iter().all(Option::is_none)
            && self.prefer_server_cipher_suites.is_none()
            && self.client_allowed_sans.is_none()
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpSection {
    pub(super) http2: Option<bool>,
    pub(super) headers: Option<HeaderSection>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderSection {
    #[serde(rename = "Strict-Transport-Security")]
    pub(super) strict_transport_security: Option<Text>,
    #[serde(rename = "X-Content-Type-Options")]
    pub(super) x_content_type_options: Option<Text>,
    #[serde(rename = "X-Frame-Options")]
    pub(super) x_frame_options: Option<Text>,
    #[serde(rename = "X-XSS-Protection")]
    pub(super) x_xss_protection: Option<Text>,
    #[serde(rename = "Content-Security-Policy")]
    pub(super) content_security_policy: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateSection {
    #[serde(default, deserialize_with = "given")]
    pub(super) interval: Option<Text>,
    #[serde(default, deserialize_with = "given")]
    pub(super) burst: Option<Spanned<u32>>,
}
