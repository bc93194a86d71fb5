//! Admin consent: an administrator grants the permissions that an app registration lists, for the whole organisation.
//!
//! Sources: <https://learn.microsoft.com/entra/identity-platform/v2-admin-consent> and, for the older form without scopes,
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>. As documented, `admin_consent=True`
//! comes with an error, too. A client that checks nothing else takes *Cancel* for a consent.

use http::{Method, StatusCode};

use super::Entra;
use super::authorize::Back;
use super::call::{Call, EntraResponse, Form};
use super::endpoint::check_tenant;
use super::issue::GRAPH;
use super::pages;
use super::refusal::{Refusal, Trace};
use super::session::{Purpose, Session};
use super::token::is_graph;

/// A consent that an application requested.
#[derive(Clone)]
pub(super) struct Request {
    client_id: String,
    name: String,
    back: Back,
    with_scope: bool,
}

impl Entra {
    /// Shows the permission page to a signed-in person. An `Err` becomes a page.
    pub(super) fn consent(
        &self,
        call: &Call<'_>,
        tenant: &str,
        with_scope: bool,
    ) -> Result<EntraResponse, Refusal> {
        call.expect(&Method::GET, "GET")?;
        check_tenant(tenant, &self.tenant_id)?;
        let form = call.parameters()?;
        let (application, uri) = self.asking(&form)?;
        if with_scope {
            check_scope(&form, call.base)?;
        }
        let back = Back { uri, as_form: false, state: form.get("state")? };
        let request = Request { client_id: application.client_id, name: application.name, back, with_scope };
        match self.session(call) {
            Some(session) => self.ask_for_consent(call, request, &session),
            None => self.ask_who_consents(request),
        }
    }

    /// The permission page for an administrator. Everybody else gets the page that says to ask an administrator.
    pub(super) fn ask_for_consent(
        &self,
        call: &Call<'_>,
        request: Request,
        session: &Session,
    ) -> Result<EntraResponse, Refusal> {
        let application = self.lock().find(&request.client_id).cloned();
        let application = application.ok_or_else(|| Refusal::Client(request.client_id.clone()))?;
        let refused = self.may_consent(&request, session).err();
        let context = self.open_page(Purpose::Consent(request), Some(session))?;
        let shown = pages::Consent {
            tenant_id: &self.tenant_id,
            context: &context,
            application: &application,
            person: &session.person,
        };
        Ok(match refused {
            None => EntraResponse::page(StatusCode::OK, pages::permissions(&shown)),
            Some(refusal) => {
                let page = pages::approval_needed(&shown, &refusal, &self.trace(call));
                EntraResponse::page(StatusCode::FORBIDDEN, page)
            }
        })
    }

    /// The person pressed a button on one of these pages.
    pub(super) fn decide(&self, call: &Call<'_>, tenant: &str) -> Result<EntraResponse, Refusal> {
        call.expect(&Method::POST, "POST")?;
        check_tenant(tenant, &self.tenant_id)?;
        let form = call.form()?;
        let session = self.session(call).ok_or(Refusal::NotSignedIn)?;
        let Purpose::Consent(request) = self.close_page(&form.required("ctx")?, Some(&session))? else {
            return Err(Refusal::Malformed);
        };
        let permitted = self.may_consent(&request, &session);
        match form.required("decision")?.as_str() {
            "accept" => permitted.map(|()| self.grant(&request)),
            "cancel" => {
                let refusal = permitted.err().unwrap_or(Refusal::Declined);
                Ok(request.refused(&refusal, &self.trace(call)))
            }
            "another" => self.ask_who_consents(request),
            _ => Err(Refusal::Value("decision")),
        }
    }

    fn ask_who_consents(&self, request: Request) -> Result<EntraResponse, Refusal> {
        let name = request.name.clone();
        self.ask_who(Purpose::Consent(request), &name)
    }

    fn may_consent(&self, request: &Request, session: &Session) -> Result<(), Refusal> {
        let person = &session.person;
        if person.tenant_id != self.tenant_id {
            return Err(Refusal::OtherDirectory {
                account: person.user_name.clone(),
                home: person.tenant_id.clone(),
                client_id: request.client_id.clone(),
            });
        }
        if person.is_administrator {
            Ok(())
        } else {
            Err(Refusal::AdministratorRequired(request.name.clone()))
        }
    }

    /// Grants the permissions that the registration lists, and redirects back to the application.
    fn grant(&self, request: &Request) -> EntraResponse {
        let delay = self.lock().habits.consent_delay;
        let granted = self.change(&request.client_id, |application| {
            let configured = application.configured.clone();
            configured.iter().for_each(|permission| application.grant_after(permission, delay));
            let scopes = application.configured.iter().map(|name| format!("{GRAPH}/{name}"));
            scopes.collect::<Vec<_>>().join(" ")
        });
        let told = [("admin_consent", "True"), ("tenant", self.tenant_id.as_str())];
        let scope = granted.unwrap_or_default();
        let scope = request.with_scope.then_some(("scope", scope.as_str()));
        request.back.respond(&told.into_iter().chain(scope).collect::<Vec<_>>())
    }
}

impl Request {
    pub(super) fn refused(&self, refusal: &Refusal, trace: &Trace) -> EntraResponse {
        self.back.refused_with(refusal, trace, &[("admin_consent", "True")])
    }
}

/// The scope must be `.default` of Graph: application permissions cannot be requested one by one.
fn check_scope(form: &Form<'_>, base: &str) -> Result<(), Refusal> {
    let scope = form.required("scope")?;
    let resource = scope.strip_suffix("/.default").ok_or_else(|| Refusal::Scope(scope.clone()))?;
    if is_graph(resource, base) { Ok(()) } else { Err(Refusal::Resource(resource.to_owned())) }
}
