//! Checks the configuration: one function per section. Collects all mistakes.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use super::admin::check_admin;
use super::approvals::check_approvals;
use super::audit::check_audit;
use super::connect::{self, check_connect};
use super::consumer::{Around, check_consumers, check_trusted};
use super::own_domain::{NotOwn, own_domain};
use super::raw::{self, Text};
use super::upstream::check_upstream;
use super::url::{check_base, check_collector};
use super::{
    ClientCertificates, Config, Consumer, ConsumerCredential, DEFAULT_CONNECTIONS, DEFAULT_DRAIN,
    DEFAULT_LAME_DUCK, FileRef, ListenerLimits, Source, TlsFiles,
};
use crate::config::codes::{CONFIG_PLAINTEXT, CONFIG_VALUE};
use glassine_core::diagnostic::Code;
use glassine_core::diagnostic::{Diagnostic, Severity};
use glassine_core::pseudonym::OwnDomain;
use glassine_core::yaml::{self, Recovered, Spanned};

/// More connections than this need more file descriptors than a process usually has.
const MAX_CONNECTIONS: u64 = 65_536;

/// A drain or a lame duck of more than an hour is a mistake.
const MAX_STOP_SECONDS: u64 = 3_600;

/// By default, one address may hold one over this of all connections: more than a consumer needs, and three strangers with
/// an address each leave places to others.
const SHARES: u32 = 4;

/// The longest path or name, in bytes.
const MAX_TEXT: usize = 4_096;

pub(super) fn load(directory: &Path, text: &str) -> Result<Config, Vec<Diagnostic>> {
    let loaded = yaml::load::<raw::File>(text);
    let mut context = Context { directory, tenant: None, found: loaded.diagnostics };
    let config = loaded.value.and_then(|file| check_file(file, &mut context));
    match config {
        Some(config) if !context.has_errors() => Ok(Config { warnings: context.found, ..config }),
        _ => {
            context.explain();
            Err(context.found)
        }
    }
}

/// What a check needs besides its value: the base of relative paths, and where findings go.
pub(super) struct Context<'a> {
    directory: &'a Path,
    /// The tenant of `upstream`, once that section is checked. Consumers' own app registrations are in the same tenant.
    tenant: Option<String>,
    found: Vec<Diagnostic>,
}

impl Context<'_> {
    pub(super) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    pub(super) fn set_tenant(&mut self, tenant: Option<String>) {
        self.tenant = tenant;
    }

    /// Records an error. Returns `None`, so that a check can end with this call.
    pub(super) fn refuse<T>(
        &mut self,
        code: Code,
        span: &Range<usize>,
        message: &str,
        hint: &str,
    ) -> Option<T> {
        self.found.push(Diagnostic::error(code, span.clone(), message).hint(hint));
        None
    }

    /// Records a warning: the configuration works, and probably not as its author means it.
    pub(super) fn warn(&mut self, code: Code, span: &Range<usize>, message: &str, hint: &str) {
        self.found.push(Diagnostic::warning(code, span.clone(), message).hint(hint));
    }

    fn has_errors(&self) -> bool {
        self.found.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Adds an error if a check failed without recording one, so that no configuration is refused without an error.
    fn explain(&mut self) {
        if !self.has_errors() {
            let hint =
                "remove keys until it is accepted, and report the last one as a defect of this program";
            self.refuse::<()>(
                CONFIG_VALUE,
                &(0..0),
                "the configuration is refused, but no check gave a reason",
                hint,
            );
        }
    }

    /// A path, relative to the configuration file's directory.
    pub(super) fn file(&mut self, text: &Text) -> Option<FileRef> {
        if text.value.is_empty() || text.value.contains('\0') || text.value.len() > MAX_TEXT {
            return self.refuse(CONFIG_VALUE, &text.span, "this is not a path", "name a file");
        }
        Some(FileRef { path: self.directory.join(&text.value), span: text.span.clone() })
    }

    /// The name of an environment variable.
    pub(super) fn environment(&mut self, text: &Text) -> Option<Source> {
        let mut bytes = text.value.bytes();
        let starts_well = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        if !starts_well
            || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
            || text.value.len() > MAX_TEXT
        {
            return self.refuse(
                CONFIG_VALUE,
                &text.span,
                "this is not the name of an environment variable",
                "use letters, digits and underscores; never write the secret itself into the configuration",
            );
        }
        Some(Source::Environment { name: text.value.clone(), span: text.span.clone() })
    }

    /// Checks that a number is in `1..=max`. Returns the default if it is not written.
    pub(super) fn bounded(&mut self, written: Option<&Spanned<u64>>, max: u64, default: u64) -> Option<u64> {
        match written {
            None => Some(default),
            Some(number) if (1..=max).contains(&number.value) => Some(number.value),
            Some(number) => self.refuse(
                CONFIG_VALUE,
                &number.span,
                "this number is out of range",
                &format!("use 1 to {max}; the default is {default}"),
            ),
        }
    }

    /// [`Self::bounded`] for counts.
    pub(super) fn count(
        &mut self,
        written: Option<&Spanned<u64>>,
        max: u64,
        default: NonZeroU32,
    ) -> Option<NonZeroU32> {
        let number = self.bounded(written, max, u64::from(default.get()))?;
        u32::try_from(number).ok().and_then(NonZeroU32::new)
    }

    /// [`Self::seconds`] that may be zero.
    fn seconds_or_none(
        &mut self,
        written: Option<&Spanned<u64>>,
        max: u64,
        default: Duration,
    ) -> Option<Duration> {
        match written {
            Some(number) if number.value == 0 => Some(Duration::ZERO),
            _ => self.seconds(written, max, default),
        }
    }

    /// [`Self::bounded`] for seconds.
    pub(super) fn seconds(
        &mut self,
        written: Option<&Spanned<u64>>,
        max: u64,
        default: Duration,
    ) -> Option<Duration> {
        self.bounded(written, max, default.as_secs()).map(Duration::from_secs)
    }
}

/// Checks all sections before it returns, so that mistakes in one do not hide mistakes in another.
fn check_file(file: raw::File, context: &mut Context<'_>) -> Option<Config> {
    let (has_tls, wants_connect) = (file.tls.is_some(), file.connect.is_some());
    let (wants_approvals, has_admin) = (file.approvals.is_some(), file.admin.is_some());
    let listen =
        required(file.listen, "listen", context).and_then(|text| check_listen(&text, has_tls, context));
    let public_url =
        required(file.public_url, "public_url", context).and_then(|text| check_base(&text, context));
    let admin = optional(file.admin.and_then(|admin| admin.0), |admin| check_admin(&admin, has_tls, context));
    let limits = check_limits(file.limits.and_then(|limits| limits.0).as_ref(), has_admin, context);
    let upstream = required(file.upstream, "upstream", context).and_then(|it| check_upstream(it, context));
    let keys = required(file.keys, "keys", context).and_then(|it| check_keys(&it, context));
    let tenant_domains = check_domains(file.tenant_domains.and_then(|it| it.0).as_deref(), context);
    // A section with mistakes is still a section: its consumers must not be served without approvals.
    let approvals = optional(file.approvals, |written| check_approvals(&written.0?, context));
    let connect =
        optional(file.connect.and_then(|connect| connect.0), |connect| check_connect(&connect, context));
    let traces = optional(file.traces.and_then(|it| it.0), |traces| check_collector(&traces.url, context));
    let listed = file.consumers.as_ref().and_then(|it| it.0.as_ref()).map(|it| it.value.as_slice());
    let fits = connect::check_consumers(wants_connect, listed.unwrap_or_default(), context);
    let trusted = file.trusted_proxies.and_then(|it| it.0);
    let trusted_proxies = check_trusted(trusted.as_deref().unwrap_or_default(), context);
    let has_client_ca = has_client_ca(file.tls.as_ref());
    let consumers = required(file.consumers, "consumers", context)
        .and_then(|it| check_consumers(it, Around { has_client_ca, wants_approvals }, context));
    let known = consumers.as_deref().unwrap_or_default();
    let tls = optional(file.tls.and_then(|tls| tls.0), |tls| check_tls(&tls, known, context));
    let audit = required(file.audit, "audit", context).and_then(|it| check_audit(&it, context));
    let (connect, upstream) = (connect?, upstream?);
    fits?;
    let consumers = consumers?;
    connect
        .as_ref()
        .map_or(Some(()), |connect| connect::check_credentials(connect, &upstream, &consumers, context))?;
    Some(Config {
        listen: listen?,
        public_url: public_url?,
        tls: tls?,
        admin: admin?,
        limits: limits?,
        upstream,
        keys: keys?,
        tenant_domains: tenant_domains?,
        trusted_proxies: trusted_proxies?,
        consumers,
        audit: audit?,
        approvals: approvals?,
        connect,
        warnings: Vec::new(),
        traces: traces?,
    })
}

/// Whether client certificates can be verified. If mistakes in `tls` hide this, the result is true, so
/// that no second error follows from them.
fn has_client_ca(tls: Option<&Recovered<raw::Tls>>) -> bool {
    tls.is_some_and(|tls| tls.0.as_ref().is_none_or(|tls| tls.client_ca_file.is_some()))
}

/// A required section. `None` if it is missing, or if its own mistakes are already recorded.
fn required<T>(section: Option<Recovered<T>>, key: &str, context: &mut Context<'_>) -> Option<T> {
    match section {
        Some(Recovered(section)) => section,
        None => {
            let hint = "every configuration has listen, public_url, upstream, keys, consumers and audit";
            context.refuse(CONFIG_VALUE, &(0..0), &format!("`{key}` is missing"), hint)
        }
    }
}

/// `Some(None)` for a missing section, `None` for one with mistakes.
pub(super) fn optional<T, U>(section: Option<T>, check: impl FnOnce(T) -> Option<U>) -> Option<Option<U>> {
    match section {
        None => Some(None),
        Some(section) => check(section).map(Some),
    }
}

pub(super) fn check_listen(text: &Text, has_tls: bool, context: &mut Context<'_>) -> Option<SocketAddr> {
    let address = check_address(text, context)?;
    if !has_tls && !address.ip().is_loopback() {
        return context.refuse(
            CONFIG_PLAINTEXT,
            &text.span,
            "plaintext listening is allowed on loopback addresses only",
            "add a `tls` section, or listen on 127.0.0.1",
        );
    }
    Some(address)
}

pub(super) fn check_address(text: &Text, context: &mut Context<'_>) -> Option<SocketAddr> {
    text.value.parse().ok().or_else(|| {
        context.refuse(
            CONFIG_VALUE,
            &text.span,
            "this is not an address to listen on",
            "write an IP address and a port, as in 0.0.0.0:8443 or [::1]:8443; host names are not resolved here",
        )
    })
}

fn check_tls(tls: &raw::Tls, consumers: &[Consumer], context: &mut Context<'_>) -> Option<TlsFiles> {
    let certificate = context.file(&tls.certificate_file);
    let private_key = context.file(&tls.private_key_file);
    let client_ca = optional(tls.client_ca_file.as_ref(), |text| context.file(text));
    let client_certificates =
        optional(tls.client_certificates.as_ref(), |text| check_client_certificates(text, tls, context));
    let client_certificates = client_certificates?.unwrap_or_else(|| default_client_certificates(consumers));
    Some(TlsFiles {
        certificate: certificate?,
        private_key: private_key?,
        client_ca: client_ca?,
        client_certificates,
    })
}

fn check_client_certificates(
    text: &Text,
    tls: &raw::Tls,
    context: &mut Context<'_>,
) -> Option<ClientCertificates> {
    if tls.client_ca_file.is_none() {
        let hint = "add `client_ca_file`: the authorities that sign the certificates of consumers";
        return context.refuse(
            CONFIG_VALUE,
            &text.span,
            "client certificates cannot be verified without `client_ca_file`",
            hint,
        );
    }
    match text.value.as_str() {
        "required" => Some(ClientCertificates::Required),
        "optional" => Some(ClientCertificates::Optional),
        _ => {
            context.refuse(CONFIG_VALUE, &text.span, "this is not a policy", "write `required` or `optional`")
        }
    }
}

/// The default of `client_certificates`: optional if some consumers are known by a certificate and others are not.
/// Otherwise required, because all consumers have one, or as an additional barrier.
fn default_client_certificates(consumers: &[Consumer]) -> ClientCertificates {
    let has = |consumer: &Consumer| matches!(consumer.credential(), ConsumerCredential::Certificate(_));
    if consumers.iter().any(has) && !consumers.iter().all(has) {
        ClientCertificates::Optional
    } else {
        ClientCertificates::Required
    }
}

fn check_limits(
    limits: Option<&raw::ServerLimits>,
    has_admin: bool,
    context: &mut Context<'_>,
) -> Option<ListenerLimits> {
    let written = |of: fn(&raw::ServerLimits) -> Option<&Spanned<u64>>| limits.and_then(of);
    let connections =
        context.count(written(|it| it.connections.as_ref()), MAX_CONNECTIONS, DEFAULT_CONNECTIONS);
    let share = share(connections.unwrap_or(DEFAULT_CONNECTIONS));
    let connections_per_address =
        context.count(written(|it| it.connections_per_address.as_ref()), MAX_CONNECTIONS, share);
    let lame_duck = if has_admin { DEFAULT_LAME_DUCK } else { Duration::ZERO };
    let lame_duck =
        context.seconds_or_none(written(|it| it.lame_duck_seconds.as_ref()), MAX_STOP_SECONDS, lame_duck);
    let drain = context.seconds(written(|it| it.drain_seconds.as_ref()), MAX_STOP_SECONDS, DEFAULT_DRAIN);
    Some(ListenerLimits {
        connections: connections?,
        connections_per_address: connections_per_address?,
        lame_duck: lame_duck?,
        drain: drain?,
    })
}

/// A quarter of all connections, rounded up.
fn share(connections: NonZeroU32) -> NonZeroU32 {
    NonZeroU32::new(connections.get().div_ceil(SHARES)).unwrap_or(connections)
}

fn check_keys(keys: &Spanned<raw::Keys>, context: &mut Context<'_>) -> Option<Source> {
    match (&keys.value.file, &keys.value.environment) {
        (Some(file), None) => context.file(file).map(Source::File),
        (None, Some(name)) => context.environment(name),
        (Some(_), Some(_)) | (None, None) => context.refuse(
            CONFIG_VALUE,
            &keys.span,
            "the keys come from exactly one place",
            "write `keys: { file: keys.yaml }` or `keys: { environment: NAME }`",
        ),
    }
}

fn check_domains(domains: Option<&[Text]>, context: &mut Context<'_>) -> Option<Vec<OwnDomain>> {
    let checked: Vec<_> =
        domains.unwrap_or_default().iter().map(|text| check_domain(text, context)).collect();
    checked.into_iter().collect()
}

fn check_domain(text: &Text, context: &mut Context<'_>) -> Option<OwnDomain> {
    let refuse = |error: NotOwn| {
        context.refuse(
            CONFIG_VALUE,
            &text.span,
            &format!("this is no domain of yours: {error}"),
            error.hint(),
        )
    };
    own_domain(&text.value).map_or_else(refuse, Some)
}
