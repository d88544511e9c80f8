//! What the file of `--web.config.file` says: TLS, who may ask, how often, and with which headers we answer. Shape and
//! meaning are those of Prometheus' exporter-toolkit; what it takes and we refuse would let in more than it seems to, or
//! is not to be had of rustls.

mod clients;
mod fault;
mod file;
mod live;
mod reader;
mod tls;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::HeaderMap;
use hyper::header::{
    CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS, X_XSS_PROTECTION,
};

pub use fault::{Fault, WebFileError};
pub use live::LiveSettings;
pub(super) use tls::{H2, Tls};

use super::auth::Users;
use super::rate::Bucket;
use super::response::Refusal;
use super::server::Entrance;
use crate::yaml::{self, Spanned, Text, line};
use clients::ClientAuth;
use fault::Wrong;
use file::{File, HeaderSection, RateSection};
use reader::Reader;
use tls::Clients;

/// Everything that the file may say; without one, nothing.
#[derive(Debug, Default)]
pub struct Settings {
    pub(super) tls: Option<Tls>,
    /// How often it has changed whom TLS lets in.
    admissions: u64,
    headers: Vec<(HeaderName, HeaderValue)>,
    users: Option<Users>,
    rate: Option<Arc<Bucket>>,
}

/// The settings of the file `path`.
///
/// # Errors
/// When it, or a file that it names, can't be read or makes no sense.
pub fn load(path: &Path) -> Result<Settings, WebFileError> {
    read(path, &mut Reader::default())
}

fn read(path: &Path, reader: &mut Reader) -> Result<Settings, WebFileError> {
    let text =
        reader.read_text(path).map_err(|source| WebFileError::Read { path: path.to_path_buf(), source })?;
    let directory = path.parent().unwrap_or(Path::new(""));
    parse(&text, directory, reader).map_err(|(line, fault)| WebFileError::Wrong {
        path: path.to_path_buf(),
        line,
        fault,
    })
}

fn parse(text: &str, directory: &Path, reader: &mut Reader) -> Result<Settings, Wrong> {
    let file: Option<File> = yaml::from_str(text).map_err(|(line, fault)| (line, fault.into()))?;
    let file = file.unwrap_or_default();
    let http = file.http_server_config.unwrap_or_default();
    let http2 = http.http2.unwrap_or(true);
    let tls = file.tls_server_config.map(|section| tls::tls(section, http2, directory, reader));
    let users = file.basic_auth_users.filter(|users| !users.is_empty());
    Ok(Settings {
        tls: tls.transpose()?.flatten(),
        admissions: 0,
        headers: headers(http.headers.unwrap_or_default())?,
        users: users
            .map(|users| users.into_iter().map(user).collect::<Result<_, _>>())
            .transpose()?
            .map(Users::new),
        rate: file.rate_limit.map(rate).transpose()?.flatten().map(Arc::new),
    })
}

impl Settings {
    /// Whether connections are encrypted.
    pub fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// How connections are let in.
    pub(super) fn entrance(&self) -> Entrance {
        Entrance { tls: self.tls.as_ref().map(|tls| Arc::clone(&tls.server)), admissions: self.admissions }
    }

    /// Lets a request in, or says why not.
    pub(super) async fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if let Some(rate) = &self.rate {
            rate.admit(Instant::now())?;
        }
        match &self.users {
            Some(users) => users.admit(headers).await,
            None => Ok(()),
        }
    }

    /// Adds to an answer what the file wants in each.
    pub(super) fn decorate(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
    }

    /// What it lacks that keeps somebody out with `before`.
    fn opens(&self, before: &Settings) -> Option<&'static str> {
        let mut bars = before.bars().into_iter().zip(self.bars());
        bars.find(|((was, _), (is, _))| *was && !is).map(|((_, what), _)| what)
    }

    /// What may keep somebody out, and whether it does.
    fn bars(&self) -> [(bool, &'static str); 5] {
        let clients = self.clients();
        let asks = |what: fn(ClientAuth) -> bool| clients.is_some_and(|clients| what(clients.policy));
        [
            (clients.is_some(), "a certificate for TLS"),
            (asks(ClientAuth::requires), "a client_auth_type that requires a certificate"),
            (asks(ClientAuth::is_closed), "a client_auth_type that verifies certificates"),
            (clients.is_some_and(|clients| clients.names.is_some()), "client_allowed_sans"),
            (self.users.is_some(), "basic_auth_users"),
        ]
    }

    /// Whom TLS lets in, where there is any.
    fn clients(&self) -> Option<&Clients> {
        self.tls.as_ref().map(|tls| &tls.clients)
    }

    /// Goes on where `before` stood: a limit begins anew only where it is another, and right passwords stay known.
    fn continue_from(&mut self, before: &Settings) {
        self.admissions = before.admissions + u64::from(self.clients() != before.clients());
        if let (Some(rate), Some(old)) = (&mut self.rate, &before.rate)
            && rate.is_like(old)
        {
            *rate = Arc::clone(old);
        }
        if let (Some(users), Some(old)) = (&mut self.users, &before.users) {
            users.continue_from(old);
        }
    }
}

fn headers(section: HeaderSection) -> Result<Vec<(HeaderName, HeaderValue)>, Wrong> {
    let named = [
        (STRICT_TRANSPORT_SECURITY, "Strict-Transport-Security", section.strict_transport_security),
        (X_CONTENT_TYPE_OPTIONS, "X-Content-Type-Options", section.x_content_type_options),
        (X_FRAME_OPTIONS, "X-Frame-Options", section.x_frame_options),
        (X_XSS_PROTECTION, "X-XSS-Protection", section.x_xss_protection),
        (CONTENT_SECURITY_POLICY, "Content-Security-Policy", section.content_security_policy),
    ];
    let given = named.into_iter().filter_map(|(header, name, text)| Some((header, name, text?)));
    let values = given.map(|(header, name, text)| Ok((header, header_value(name, &text)?)));
    // What is left blank is not set.
    values.filter(|header| !header.as_ref().is_ok_and(|(_, value)| value.is_empty())).collect()
}

fn header_value(name: &'static str, text: &Text) -> Result<HeaderValue, Wrong> {
    let value = text.value.as_str();
    let only = match name {
        "X-Content-Type-Options" if value != "nosniff" => Some("nosniff"),
        "X-Frame-Options" if !matches!(value, "deny" | "sameorigin") => Some("deny or sameorigin"),
        _ => None,
    };
    match only {
        Some(only) => Err((line(text), Fault::HeaderValue(name, only))),
        None => HeaderValue::from_str(value).map_err(|_| (line(text), Fault::HeaderText(name))),
    }
}

fn user((name, hash): (String, Text)) -> Result<(String, String), Wrong> {
    let at = line(&hash);
    if name.contains(':') {
        return Err((at, Fault::UserName(name)));
    }
    if !Users::is_hash(&hash.value) {
        return Err((at, Fault::Hash(name)));
    }
    Ok((name, hash.value))
}

fn rate(section: Spanned<RateSection>) -> Result<Option<Bucket>, Wrong> {
    let at = line(&section);
    let RateSection { interval, burst } = section.value;
    let interval = interval.map_or(Ok(Duration::ZERO), duration)?;
    let burst_at = burst.as_ref().map_or(at, line);
    match burst.map_or(0, |burst| burst.value) {
        _ if interval.is_zero() => Ok(None),
        0 => Err((burst_at, Fault::Burst)),
        burst => Ok(Some(Bucket::new(interval, burst, Instant::now()))),
    }
}

fn duration(text: Text) -> Result<Duration, Wrong> {
    if text.value == "0" {
        return Ok(Duration::ZERO);
    }
    humantime::parse_duration(&text.value).map_err(|_| (line(&text), Fault::Duration(text.value)))
}
