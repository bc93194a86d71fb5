//! Which permissions of a consumer work, shown by requests to Graph. The connection pages need this if the access token cannot
//! be read.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use super::endpoints::{Asker, Attempt, shortest_first};
use super::known::Known;
use super::permissions::Grantee;
use crate::proxy::{Consumer, ProxyState};
use glassine_core::rules::Plan;
use glassine_core::rules::plan::{Endpoint, Permission};

/// Each needed permission by its least name, and whether requests behind it succeed: `Some(false)` if Graph responded with 403,
/// `None` if no request showed it. Sends as few requests as show this, until the time is over.
pub(crate) async fn witness(
    state: &ProxyState,
    consumer: &Arc<Consumer>,
    limit: Duration,
) -> Vec<(String, Option<bool>)> {
    let grantee = Grantee::Application(String::new());
    let asker = Asker { state, consumer, roles: None, grantee: &grantee, deadline: Instant::now() + limit };
    let plan = &consumer.policy().plan;
    let mut shown: Vec<(&Permission, Option<bool>)> = plan.permissions.iter().map(|it| (it, None)).collect();
    let mut known = Known::default();
    for (_, endpoint) in shortest_first(plan) {
        let behind = |(permission, opens): &&mut (&Permission, Option<bool>)| {
            opens.is_none() && is_behind(endpoint, permission, plan)
        };
        let mut open: Vec<_> = shown.iter_mut().filter(behind).collect();
        if open.is_empty() {
            continue;
        }
        let opens = match asker.try_objects(endpoint, &mut known).await {
            Attempt::Document(_) => Some(true),
            Attempt::Failed(error, _) if error.has_status(StatusCode::FORBIDDEN) => Some(false),
            Attempt::Failed(..) | Attempt::None(_) => None,
        };
        open.iter_mut().for_each(|(_, shown)| *shown = opens);
    }
    shown.into_iter().filter_map(|(it, opens)| Some((it.any_of.first()?.clone(), opens))).collect()
}

/// Whether a request to the endpoint shows that this permission works: it is the endpoint's least one. If it is that of no
/// endpoint, an endpoint that it opens has to do, although another permission may open it as well.
fn is_behind(endpoint: &Endpoint, permission: &Permission, plan: &Plan) -> bool {
    let least = permission.any_of.first().map(String::as_str);
    let is_least = |endpoint: &Endpoint| endpoint.least_permission() == least;
    if plan.endpoints.iter().any(|endpoint| is_least(endpoint)) {
        is_least(endpoint)
    } else {
        permission.opens(endpoint) == Some(true)
    }
}
