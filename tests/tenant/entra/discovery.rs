//! The OpenID configuration, and keys that roll over.

use std::sync::Arc;

use glassine::jwt::{Algorithm, Expected, JwtError, KeySet, KeySource, Token, Verifier};
use serde_json::Value;

use super::{Graph, claims};

impl Graph {
    async fn configuration(&self, tenant: &str) -> Value {
        self.get(&format!("/{tenant}/v2.0/.well-known/openid-configuration")).await
    }

    /// Verifies a token with the published keys.
    async fn is_good(&self, token: &str) -> Result<(), JwtError> {
        let mut set = self.get(&self.entra("/discovery/v2.0/keys")).await;
        // The keys name the issuer of id_tokens; those of Graph's own tokens have another.
        for key in set["keys"].as_array_mut().unwrap() {
            let issuer = key.as_object_mut().unwrap().remove("issuer").unwrap();
            assert_eq!(issuer, format!("{}/{{tenantid}}/v2.0", self.base()));
        }
        let claims = claims(token);
        let expected = Expected {
            issuer: claims["iss"].as_str().unwrap().to_owned(),
            audiences: vec![claims["aud"].as_str().unwrap().to_owned()],
            algorithms: vec![Algorithm::Rs256],
            claims: Vec::new(),
        };
        let source = KeySource::fixed(KeySet::parse(set.to_string().as_bytes()).unwrap());
        let verifier = Verifier::new(expected, Arc::new(source));
        verifier.verify(Token::parse(token)?, claims["iat"].as_i64().unwrap()).await.map(drop)
    }
}

#[tokio::test]
async fn the_configuration_is_found_by_every_name_and_names_the_tenant_by_its_id() {
    let graph = Graph::start().await;
    let (base, id) = (graph.base(), graph.tenant.tenant_id());
    for name in [id, "tallgrass.example", "tallgrass.onmicrosoft.example"] {
        let found = graph.configuration(name).await;
        assert_eq!(found["issuer"], format!("{base}/{id}/v2.0"));
        assert_eq!(found["token_endpoint"], format!("{base}/{id}/oauth2/v2.0/token"));
        assert_eq!(found["authorization_endpoint"], format!("{base}/{id}/oauth2/v2.0/authorize"));
        assert_eq!(found["jwks_uri"], format!("{base}/{id}/discovery/v2.0/keys"));
    }
}

#[tokio::test]
async fn another_tenant_has_no_configuration() {
    let graph = Graph::start().await;
    for (name, code) in [("contoso.com", 90_002), ("common", 900_023)] {
        let response = graph.get_with(&format!("/{name}/v2.0/.well-known/openid-configuration"), &[]).await;
        let document = response.json();
        assert_eq!((response.status.as_u16(), document["error"].as_str()), (400, Some("invalid_tenant")));
        assert_eq!(document["error_codes"][0], code);
    }
}

#[tokio::test]
async fn published_keys_verify_what_was_signed_through_one_rollover_and_no_more() {
    let graph = Graph::own().await;
    let old = graph.token_of("Sample application").await;
    assert_eq!(graph.is_good(&old).await, Ok(()));
    graph.tenant.entra().roll_signing_key();
    let new = graph.token_of("Sample application").await;
    assert_eq!((graph.is_good(&old).await, graph.is_good(&new).await), (Ok(()), Ok(())));
    graph.tenant.entra().roll_signing_key();
    assert_eq!(graph.is_good(&old).await, Err(JwtError::UnknownKey));
    assert_eq!(graph.is_good(&new).await, Ok(()));
}
