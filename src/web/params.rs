//! The parameters of a request: a query or a form (application/x-www-form-urlencoded). None of them is trusted.

use std::collections::BTreeMap;

use glassine_core::graph::decode;

/// Entra sends an authorization code of about 1.5 KiB and this proxy's state of about 1 KiB.
pub(crate) const MAX_PARAMS: usize = 8 * 1024;

/// Entra sends at most six.
const MAX_COUNT: usize = 24;

/// The parameters by name. The values are still encoded, because most are never read.
pub(crate) struct Params<'a>(BTreeMap<&'a str, &'a str>);

/// The parameters are too long or too many, or one is repeated or malformed. Readers differ in which repeated one they
/// use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadParams;

impl<'a> Params<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, BadParams> {
        if text.len() > MAX_PARAMS {
            return Err(BadParams);
        }
        let mut params = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if params.insert(name, value).is_some() || params.len() > MAX_COUNT {
                return Err(BadParams);
            }
        }
        Ok(Self(params))
    }

    /// The decoded value; `None` without such a parameter. Fails on a control character or a malformed escape.
    pub(crate) fn get(&self, name: &str) -> Result<Option<String>, BadParams> {
        self.raw(name).map(|value| decode::form(value, 0).map_err(|_| BadParams)).transpose()
    }

    /// The encoded value, for searching only, never for display.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_once() {
        let params = Params::parse("code=a%2Bb+c&state=&tenant=%253C&&flag").unwrap();
        let value = |name| params.get(name).unwrap();
        assert_eq!(value("code").as_deref(), Some("a+b c"));
        assert_eq!(value("state").as_deref(), Some(""));
        assert_eq!(value("tenant").as_deref(), Some("%3C"));
        assert_eq!(value("flag").as_deref(), Some(""));
        assert_eq!(value("Code"), None);
    }

    #[test]
    fn ambiguous_parameters_are_refused() {
        assert!(Params::parse("state=a&state=b").is_err());
        let long = |length| format!("state={}", "a".repeat(length - "state=".len()));
        assert!(Params::parse(&long(MAX_PARAMS + 1)).is_err());
        assert!(Params::parse(&long(MAX_PARAMS)).is_ok());
        let many: String = (0..=MAX_COUNT).map(|at| format!("p{at}=1&")).collect();
        assert!(Params::parse(&many).is_err());
        for bad in ["a=%0d%0a", "a=%zz", "a=%ff", "a=%"] {
            assert_eq!(Params::parse(bad).unwrap().get("a"), Err(BadParams), "{bad}");
        }
    }
}
