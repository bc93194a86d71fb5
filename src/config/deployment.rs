//! What a review says about the consumers of a configuration.

use super::{Config, Consumer, ConsumerCredential};
use glassine_core::statement::review::{Deployment, Recipient};

impl Config {
    /// What a review says about consumers that have the same rules. `file` is the configuration's name.
    pub fn deployment<'a>(
        &'a self,
        file: &'a str,
        consumers: impl IntoIterator<Item = &'a Consumer>,
    ) -> Deployment<'a> {
        Deployment {
            file,
            recipients: consumers.into_iter().map(|consumer| self.recipient(consumer)).collect(),
            tenant_domains: self.tenant_domains(),
            foreign_hosts: self.upstream().foreign_hosts(),
        }
    }

    fn recipient<'a>(&'a self, consumer: &'a Consumer) -> Recipient<'a> {
        let domain = consumer.pseudonym_domain();
        let others = self.consumers().iter().filter(|other| other.name() != consumer.name());
        let sharing = others.filter(|other| other.pseudonym_domain() == domain);
        Recipient {
            setting: self.setting(consumer),
            title: consumer.title(),
            shares_with: sharing.map(Consumer::name).collect(),
            accepts_all_of_issuer: accepts_all_of_issuer(consumer.credential()),
        }
    }
}

fn accepts_all_of_issuer(credential: &ConsumerCredential) -> bool {
    match credential {
        ConsumerCredential::Jwt(jwt) => jwt.expected.claims.is_empty(),
        ConsumerCredential::Bearer(_) | ConsumerCredential::Certificate(_) => false,
    }
}
