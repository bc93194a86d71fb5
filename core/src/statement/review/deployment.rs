//! What the configuration says about the consumers that have the rules.

use crate::pseudonym::OwnDomain;
use crate::statement::Setting;

/// The part of a configuration that decides who gets the data.
#[derive(Clone, Debug)]
pub struct Deployment<'a> {
    /// The configuration's file, as the user gave it.
    pub file: &'a str,
    /// The consumers that have these rules.
    pub recipients: Vec<Recipient<'a>>,
    /// The tenant's domains, which leave readable under `keep_listed`.
    pub tenant_domains: &'a [OwnDomain],
    /// Where the proxy sends requests and credentials, if that is not Microsoft's.
    pub foreign_hosts: Vec<&'a str>,
}

/// One consumer.
#[derive(Clone, Debug)]
pub struct Recipient<'a> {
    /// What decides about its privacy, besides the rules.
    pub setting: Setting<'a>,
    /// Its name for people.
    pub title: &'a str,
    /// The other consumers with its pseudonym domain.
    pub shares_with: Vec<&'a str>,
    /// Whether each token of its issuer is accepted: the configuration requires no claims.
    pub accepts_all_of_issuer: bool,
}
