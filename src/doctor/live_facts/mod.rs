//! `glassine doctor --live-facts`: asks a real tenant the questions about Microsoft Graph that no document settles, and compares
//! each with what the sample tenant (`src/demo`) does.
//!
//! | file | what |
//! |---|---|
//! | `questions` | the questions, one value each, by topic |
//! | `question` | what a question is: a request, what is read of the response, and what the sample tenant assumes |
//! | `fact`, `reply` | what can be read of a response: no text of it, by construction |
//! | `cast` | the accounts and groups that the requests name |
//! | `asker` | sends the requests, within limits |
//! | `report` | the report, for people and for scripts |
//!
//! The requests only read. They do not go through the proxy's rules: the questions are about Graph.

mod asker;
mod cast;
mod fact;
mod question;
mod questions;
mod reply;
mod report;

use std::sync::Arc;

use glassine_core::catalogue::permissions::opens;
use glassine_core::grants::AccessClaims;

use self::asker::Asker;
use self::cast::Cast;
use self::fact::Fact;
use self::question::Question;
use self::report::{Ending, NoRun};
use super::token;
use super::{Subject, extra_roots, network};
use crate::config::Config;
use crate::proxy::ProxyState;
use crate::upstream::{AccessToken, Inquirer};

pub(crate) use self::cast::Named;
pub(crate) use self::report::Report;

/// Asks all questions, in the order of the report.
pub(crate) async fn ask_live_facts(subject: &Subject, named: &Named) -> Report {
    let cloud = subject.config.upstream().cloud();
    match run(subject, named, Report::new(cloud)).await {
        Ok(report) => report,
        Err(why) => Report::failed(cloud, &why),
    }
}

async fn run(subject: &Subject, named: &Named, mut report: Report) -> Result<Report, NoRun> {
    let Subject { file, text, config, .. } = subject;
    // The first consumer whose application is this proxy's.
    let (state, _) = ProxyState::build(file, text, config).map_err(|_| NoRun::Configuration)?;
    let consumer = state.consumers().find(|consumer| consumer.tokens().is_some()).ok_or(NoRun::Forwarded)?;
    let token = token::get(consumer.tokens().ok_or(NoRun::Forwarded)?).await?;
    let roles = AccessClaims::read(token.secret().expose()).map(|claims| claims.roles);
    let credential = consumer.checked().application().unwrap_or(config.upstream().credential());
    let mut cast = Cast::new(named, credential.tenant(), credential.client_id());
    let mut asker = asker(config, token)?;
    cast.find(&mut asker).await?;
    for (topic, questions) in questions::ALL {
        for question in questions.iter() {
            let ending = ask(question, &cast, &mut asker, roles.as_deref()).await;
            report.add(topic, question, &ending);
        }
    }
    report.close(asker.sent(), asker.longest_link());
    Ok(report)
}

fn asker(config: &Config, token: Arc<AccessToken>) -> Result<Asker, NoRun> {
    let network = network::network(extra_roots(config));
    let upstream = config.upstream();
    let graph = Inquirer::new(upstream.graph().clone(), &network)?;
    let entra = upstream.credential().tenant().map(|_| Inquirer::new(upstream.authority().clone(), &network));
    Ok(Asker::new(graph, entra.transpose()?, token))
}

/// `roles` is `None` if the token cannot be read.
async fn ask(question: &Question, cast: &Cast, asker: &mut Asker, roles: Option<&[String]>) -> Ending {
    let Question { needs, get, read, assumes, .. } = question;
    let is_open = |needed: &str| roles.is_none_or(|roles| roles.iter().any(|role| opens(role, needed)));
    if let Some(needed) = needs.filter(|needed| !is_open(needed)) {
        return Ending::NotGranted(needed);
    }
    let target = match cast.fill(get.target) {
        Ok(target) => target,
        Err(why) => return Ending::Missing(why),
    };
    let observed = match asker.ask(get, &target, assumes).await {
        Ok(reply) => read(&reply),
        Err(why) => return Ending::NoReply(why),
    };
    match (observed, needs) {
        (Ok(Fact::Status { status: 403, .. }), Some(needed)) if roles.is_none() => Ending::Denied(needed),
        (Ok(fact), _) => Ending::Observed(fact),
        (Err(why), _) => Ending::Unclear(why),
    }
}
