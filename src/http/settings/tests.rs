use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use hyper::HeaderMap;
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::exposition::{Format, SelfMetrics};

/// A directory with a certificate and its key, and what stands there in PEM.
struct Files {
    directory: TempDir,
    certificate: String,
    key: String,
}

impl Files {
    fn new() -> Files {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["localhost".to_string()]).unwrap().self_signed(&key).unwrap();
        let files = Files {
            directory: tempfile::tempdir().unwrap(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        };
        files.write("server.crt", &files.certificate);
        files.write("server.key", &files.key);
        files.write("other.key", &KeyPair::generate().unwrap().serialize_pem());
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        // As careful people do: whoever reads sees the old one or the new one.
        let next = self.path("next");
        fs::write(&next, text).unwrap();
        fs::rename(next, self.path(name)).unwrap();
    }

    fn load(&self, text: &str) -> Result<Settings, WebFileError> {
        self.write("web.yml", text);
        load(&self.path("web.yml"))
    }

    fn is_wrong(&self, text: &str, expected: &str) {
        let error = self.load(text).expect_err(text).to_string();
        let path = self.path("");
        let shown = error.replace(&path.display().to_string(), "");
        assert_eq!(shown, format!("web.yml:{expected}"), "{text}");
        assert!(!error.contains("PRIVATE"), "{error}");
    }
}

const TLS: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
const HASH: &str = "$2y$04$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

#[test]
fn nothing_said_is_nothing_wanted() {
    let files = Files::new();
    for text in ["", "# nothing\n", "{}", "tls_server_config: {}\nbasic_auth_users: {}\nrate_limit: {}\n"] {
        let settings = files.load(text).unwrap();
        assert!(settings.tls.is_none() && settings.users.is_none() && settings.rate.is_none(), "{text}");
    }
}

#[test]
fn whatever_is_quoted_a_complaint_is_one_line() {
    let files = Files::new();
    for wrong in [
        "cipher_suites: [\"TLS_\\n\\nX\"]",
        "curve_preferences: [\"a\\rb\"]",
        "client_ca_file: \"no\\nfile\"",
    ] {
        let error = files.load(&format!("{TLS}  {wrong}\n")).map(drop).unwrap_err().to_string();
        assert!(!error.contains(char::is_control), "{error}");
    }
}

#[test]
fn everything_that_may_be_said_is_understood() {
    let files = Files::new();
    let text = format!(
        "{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: server.crt\n  \
         client_allowed_sans: [one, two]\n  min_version: TLS12\n  max_version: TLS13\n  \
         cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n  curve_preferences: [CurveP384, X25519]\n  \
         prefer_server_cipher_suites: false\n\
         http_server_config:\n  http2: false\n  headers:\n    X-Frame-Options: deny\n    X-XSS-Protection: 1\n    \
         X-Content-Type-Options: nosniff\n    Strict-Transport-Security: max-age=1\n    Content-Security-Policy: ''\n\
         basic_auth_users:\n  ada: {HASH}\n\
         rate_limit: {{ interval: 1m30s, burst: 7 }}\n"
    );
    let settings = files.load(&text).unwrap();
    let tls = settings.tls.as_ref().unwrap();
    assert!(tls.clients.policy.is_closed() && tls.clients.names.is_some() && !tls.server.ignore_client_order);
    assert_eq!(tls.server.alpn_protocols, [b"http/1.1"]);
    assert_eq!(tls.server.crypto_provider().cipher_suites.len(), 4);
    assert_eq!(tls.server.crypto_provider().kx_groups.len(), 2);
    assert!(settings.users.is_some() && settings.rate.is_some());
    let mut headers = HeaderMap::new();
    settings.decorate(&mut headers);
    assert_eq!(headers["x-xss-protection"], "1");
    assert_eq!(headers.len(), 4, "what is blank is not set: {headers:?}");
}

#[test]
fn certificate_and_key_may_stand_in_the_file() {
    let files = Files::new();
    let (certificate, key) = (indented(&files.certificate), indented(&files.key));
    let text = format!("tls_server_config:\n  cert: |\n{certificate}  key: |\n{key}");
    let settings = files.load(&text).unwrap();
    assert_eq!(settings.tls.as_ref().unwrap().server.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    assert!(!format!("{settings:?}").contains("PRIVATE"));
    files.load(&format!("tls_server_config:\n  cert_file: server.crt\n  key: |\n{key}")).unwrap();
}

#[test]
fn every_policy_is_understood() {
    let files = Files::new();
    for policy in ["NoClientCert", "RequestClientCert", "RequireAnyClientCert", "RequireClientCert"] {
        files.load(&format!("{TLS}  client_auth_type: {policy}\n")).unwrap();
        files.is_wrong(
            &format!("{TLS}  client_auth_type: {policy}\n  client_ca_file: server.crt\n"),
            &format!(
                "5: there is a client CA, by which client_auth_type {} verifies nothing; write RequireAndVerifyClientCert",
                policy.replace("RequireClient", "RequireAnyClient")
            ),
        );
    }
    for policy in ["VerifyClientCertIfGiven", "RequireAndVerifyClientCert"] {
        files.load(&format!("{TLS}  client_auth_type: {policy}\n  client_ca_file: server.crt\n")).unwrap();
        files.is_wrong(
            &format!("{TLS}  client_auth_type: {policy}\n"),
            &format!(
                "2: client_auth_type {policy} verifies by a client CA; give client_ca_file or client_ca"
            ),
        );
    }
}

#[test]
fn what_is_wrong_with_tls_gets_one_sentence() {
    let files = Files::new();
    for (text, expected) in [
        ("tls_server_confg: {}", "1: unknown key tls_server_confg; did you mean tls_server_config?"),
        ("tls_server_config:\n  cert_fil: x\n", "2: unknown key cert_fil; did you mean cert_file?"),
        ("tls_server_config: yes\n", "1: this must be a mapping of keys to values"),
        (
            "tls_server_config:\n  min_version: TLS12\n",
            "2: tls_server_config has neither cert nor cert_file; give one, or leave out the section for no TLS at all",
        ),
        (
            "tls_server_config:\n  cert_file: server.crt\n",
            "2: tls_server_config has neither key nor key_file; give one, or leave out the section for no TLS at all",
        ),
        ("tls_server_config:\n  cert_file: ''\n", "2: cert_file is empty; leave it out or fill it in"),
        (
            "tls_server_config:\n  cert_file: server.crt\n  cert: x\n",
            "2: cert and cert_file exclude each other; give one of them",
        ),
        (
            "tls_server_config:\n  cert_file: gone.crt\n  key_file: server.key\n",
            "2: cannot read cert_file gone.crt: No such file or directory (os error 2)",
        ),
        (
            "tls_server_config:\n  cert_file: server.key\n  key_file: server.key\n",
            "2: cert_file has no certificate that can be used: there is none in PEM",
        ),
        (
            "tls_server_config:\n  cert_file: server.crt\n  key_file: server.crt\n",
            "3: key_file has no private key that can be used: there is none in PEM, or it is encrypted",
        ),
        (
            "tls_server_config:\n  cert_file: server.crt\n  key_file: other.key\n",
            "2: the certificate and the key can't be used together: keys may not be consistent: KeyMismatch",
        ),
    ] {
        files.is_wrong(text, expected);
    }
    for (line, expected) in [
        (
            "client_auth_type: RequireAndVerify",
            "client_auth_type \"RequireAndVerify\" is unknown; did you mean RequireAndVerifyClientCert?",
        ),
        (
            "client_allowed_sans: [a]",
            "client_allowed_sans would let others in with client_auth_type NoClientCert; write RequireAndVerifyClientCert",
        ),
        (
            "client_allowed_sans: []",
            "client_allowed_sans is empty, so that nobody is let in; name some, or leave it out",
        ),
        ("min_version: TLS10", "TLS10 is not supported, as it is no longer safe; write TLS12 or TLS13"),
        ("max_version: TLS11", "TLS11 is not supported, as it is no longer safe; write TLS12 or TLS13"),
        ("min_version: TLS14", "the TLS version \"TLS14\" is unknown; write TLS12 or TLS13"),
        (
            "min_version: TLS13\n  max_version: TLS12",
            "min_version is above max_version; leave one of them out",
        ),
        (
            "curve_preferences: [CurveP521]",
            "the curve CurveP521 is not supported; leave it out, or write one of X25519, CurveP256, CurveP384",
        ),
    ] {
        let at = if line.contains('\n') { 5 } else { 4 };
        files.is_wrong(&format!("{TLS}  {line}\n"), &format!("{at}: {expected}"));
    }
    let error = files.load(&format!("{TLS}  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\n")).unwrap_err();
    let error = error.to_string();
    assert!(error.contains(":4: the cipher suite TLS_RSA_WITH_AES_128_CBC_SHA is not supported; leave it out, or write one of TLS_"), "{error}");
}

#[test]
fn what_is_wrong_with_the_rest_gets_one_sentence() {
    let files = Files::new();
    for (text, expected) in [
        (
            "http_server_config:\n  headers:\n    X-Frame-Options: allow\n",
            "3: X-Frame-Options must be deny or sameorigin",
        ),
        (
            "http_server_config:\n  headers:\n    X-Content-Type-Options: sniff\n",
            "3: X-Content-Type-Options must be nosniff",
        ),
        (
            "http_server_config:\n  headers:\n    Content-Security-Policy: \"a\\nb\"\n",
            "3: Content-Security-Policy has characters that no header may have",
        ),
        (
            "http_server_config:\n  headers:\n    x-frame-options: deny\n",
            "3: unknown key x-frame-options; did you mean X-Frame-Options?",
        ),
        ("http_server_config: { http2: 7 }", "1: this must be true or false"),
        (
            "basic_auth_users:\n  ada: secret\n",
            "2: the password of \"ada\" is no bcrypt hash; make one with: htpasswd -nBC 10 USER",
        ),
        (
            "rate_limit: { interval: soon, burst: 1 }",
            "1: \"soon\" is no time; write one such as 100ms, 1s or 1m, or 0 for no limit",
        ),
        (
            "rate_limit:\n  interval: 1s\n",
            "2: burst must be 1 at least: with an interval and no burst, no request would be answered",
        ),
        (
            "rate_limit:\n  interval: 1s\n  burst: 0\n",
            "3: burst must be 1 at least: with an interval and no burst, no request would be answered",
        ),
    ] {
        files.is_wrong(text, expected);
    }
    let text = format!("basic_auth_users:\n  'a:b': {HASH}\n");
    files.is_wrong(&text, "2: the user \"a:b\" has a colon in the name, with which nobody can log in");
}

#[test]
fn a_key_that_keeps_somebody_out_has_a_value() {
    let files = Files::new();
    for (text, expected) in [
        ("tls_server_config:\n", "1: this must be a mapping of keys to values"),
        ("tls_server_config:\n  cert_file:\n  key_file:\n", "2: this must be a text"),
        ("tls_server_config:\n  cert: ~\n  key: null\n", "2: this must be a text"),
        ("basic_auth_users:\n  # ada: commented out\n", "1: this must be a mapping of keys to values"),
        ("basic_auth_users:\n  ada:\n", "2: this must be a text"),
        ("rate_limit:\n", "1: this must be a mapping of keys to values"),
        ("rate_limit:\n  interval:\n  burst: 1\n", "2: this must be a text"),
    ] {
        files.is_wrong(text, expected);
    }
    let verified =
        format!("{TLS}  client_ca_file: server.crt\n  client_auth_type: RequireAndVerifyClientCert\n");
    for (text, expected) in [
        (format!("{verified}  client_allowed_sans:\n  # - one\n"), "6: this must be a list"),
        (format!("{TLS}  client_auth_type:\n"), "4: this must be a text"),
        (format!("{TLS}  client_ca_file:\n"), "4: this must be a text"),
        (format!("{TLS}  client_ca:\n"), "4: this must be a text"),
    ] {
        files.is_wrong(&text, expected);
    }
}

#[test]
fn no_complaint_quotes_a_secret() {
    let files = Files::new();
    for text in [
        "basic_auth_users:\n  ada: [SECRET]\n",
        "basic_auth_users:\n  ada: SECRET\n  ada: SECRET\n",
        "basic_auth_users: SECRET\n",
        "basic_auth_users:\n  ada: \"SECRET\n",
        "basic_auth_users:\n  ada: *SECRET\n",
        "basic_auth_users:\n  ada: !SECRET x\n",
        "basic_auth_users:\n  ada: SECRET: x\n",
        "tls_server_config:\n  key: [SECRET]\n",
        "tls_server_config:\n  cert_file: server.crt\n  key: SECRET\n",
        "tls_server_config:\n  cert_file: server.crt\n  key: '-----BEGIN SECRET'\n",
        "tls_server_config:\n  cert: '-----BEGIN SECRET'\n  key: SECRET\n",
        "tls_server_config:\n  cert_file: server.crt\n  key: &SECRET\n   - x\n",
        "SECRET\n",
    ] {
        let error = files.load(text).expect_err(text).to_string();
        assert!(!error.contains("SECRET"), "{text}: {error}");
    }
}

/// Settings that are in force, and the metrics that tell of them.
fn live(files: &Files, text: &str) -> (LiveSettings, Arc<SelfMetrics>) {
    files.write("web.yml", text);
    let metrics = Arc::new(SelfMetrics::new().unwrap().with_web_config().unwrap());
    (LiveSettings::new(Some(&files.path("web.yml")), Arc::clone(&metrics)).unwrap(), metrics)
}

fn is_right(metrics: &SelfMetrics) -> bool {
    metrics.render(Format::Text).contains("memleak_web_config_last_reload_successful 1\n")
}

#[test]
fn a_file_that_changes_is_read_again_and_a_wrong_one_changes_nothing() {
    let files = Files::new();
    let users = format!("{TLS}basic_auth_users:\n  ada: {HASH}\n");
    let (live, metrics) = live(&files, &users);
    let mut looks = (2..).step_by(2).map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut look = || {
        live.look(looks.next().unwrap());
        live.current()
    };
    let first = look();
    assert!(Arc::ptr_eq(&first, &look()) && is_right(&metrics));

    let more = format!("{users}rate_limit: {{ interval: 1s, burst: 1 }}\n");
    files.write("web.yml", &more);
    let second = look();
    assert!(second.rate.is_some() && is_right(&metrics));

    files.write("web.yml", &format!("{more}typo: 1\n"));
    assert!(Arc::ptr_eq(&second, &look()) && !is_right(&metrics));
    files.write("web.yml", &more);
    let third = look();
    assert!(!Arc::ptr_eq(&second, &third) && is_right(&metrics));
    assert!(Arc::ptr_eq(second.rate.as_ref().unwrap(), third.rate.as_ref().unwrap()), "a limit begins anew");
    let kept = |settings: &Settings| Arc::clone(&settings.users.as_ref().unwrap().kept);
    assert!(Arc::ptr_eq(&kept(&first), &kept(&third)), "passwords are forgotten");
}

#[test]
fn a_certificate_that_is_renewed_is_in_force_once_its_key_is_there() {
    let files = Files::new();
    let (live, metrics) = live(&files, TLS);
    let first = live.current();
    let renewed = Files::new();
    files.write("server.crt", &renewed.certificate);
    live.look(Instant::now() + Duration::from_secs(2));
    assert!(Arc::ptr_eq(&first, &live.current()) && !is_right(&metrics));
    files.write("server.key", &renewed.key);
    live.look(Instant::now() + Duration::from_secs(4));
    assert!(!Arc::ptr_eq(&first, &live.current()) && is_right(&metrics));
}

#[test]
fn a_reload_lets_in_nobody_who_was_kept_out() {
    let files = Files::new();
    let ca = "  client_ca_file: server.crt\n";
    let any = "  client_auth_type: RequireAnyClientCert\n";
    let verified = format!("  client_auth_type: RequireAndVerifyClientCert\n{ca}");
    let names = "  client_allowed_sans: [one]\n";
    let users = format!("basic_auth_users:\n  ada: {HASH}\n");
    let all = format!("{TLS}{verified}{names}{users}");
    let (live, metrics) = live(&files, &all);
    for (text, expected) in [
        (String::new(), "a certificate for TLS"),
        (format!("{TLS}{users}"), "a client_auth_type that requires a certificate"),
        (
            format!("{TLS}  client_auth_type: VerifyClientCertIfGiven\n{ca}{users}"),
            "a client_auth_type that requires a certificate",
        ),
        (format!("{TLS}{any}{users}"), "a client_auth_type that verifies certificates"),
        (format!("{TLS}{verified}{users}"), "client_allowed_sans"),
        (format!("{TLS}{verified}{names}"), "basic_auth_users"),
    ] {
        files.write("web.yml", &text);
        let error = live.reload().unwrap_err().to_string();
        assert!(
            error.ends_with(&format!(
                "web.yml: it no longer has {expected}; restart the exporter if that is meant to be open"
            )),
            "{error}"
        );
        assert!(live.current().users.is_some() && live.current().tls.is_some() && !is_right(&metrics));
    }
    files.write("web.yml", &all.replace("ada", "bob"));
    live.reload().unwrap();
    assert!(is_right(&metrics));
}

#[test]
fn without_a_file_nothing_is_looked_at() {
    let metrics = Arc::new(SelfMetrics::new().unwrap());
    let live = LiveSettings::new(None, Arc::clone(&metrics)).unwrap();
    live.reload().unwrap();
    assert!(!live.has_file() && live.current().tls.is_none());
    assert!(!metrics.render(Format::Text).contains("memleak_web_config"));
}
