//! What to do after the files are written.

use zeroize::Zeroizing;

use super::Answers;
use super::contents::{COMPOSE, CONFIG, SECRET};
use crate::config::Config;
use glassine_core::rules::compile;

/// The folder as which the compose file mounts this one.
const MOUNTED: &str = "/etc/glassine";

/// All steps. `is_shared` says whether the image's account can read the files.
pub(super) fn text(
    answers: &Answers<'_>,
    config: &Config,
    token: &str,
    is_shared: bool,
) -> Zeroizing<String> {
    let Answers { args, tenant, client_id, public_url, data } = answers;
    let authority = config.upstream().authority();
    let is_for_image = data == std::path::Path::new(super::IMAGE_DATA);
    let start = if is_for_image { in_docker(args.group, is_shared) } else { on_this_machine() };
    Zeroizing::new(format!(
        "Written: {folder}. All files below are in it.\n\
         \n\
         1. Entra admin center, App registrations, the application {client_id}, API permissions: Add a permission, Microsoft Graph,\n\
         \x20  Application permissions. The rules need these, and nothing else:\n\
         {permissions}\
         \x20  Then an administrator presses Grant admin consent there, or opens\n\
         \x20  {authority}/{tenant}/adminconsent?client_id={client_id}\n\
         \n\
         2. In the same place, Certificates & secrets: New client secret. Write its Value, not its Secret ID, into the file:\n\
         \x20  read -rs SECRET && printf %s \"$SECRET\" > {SECRET}\n\
         \x20  The proxy starts without it, is not ready and says why. It takes the secret within a minute.\n\
         \n\
         {start}\
         5. Give the consumer {consumer} its token, which is shown this once, and the certificate tls/tls.crt until an authority has\n\
         \x20  issued another one (put it and its key into the same files):\n\
         \x20  {token}\n\
         \x20  curl --cacert tls/tls.crt -H 'Authorization: Bearer {token}' '{public_url}/v1.0/users?$top=1'\n",
        folder = args.folder.display(),
        permissions = permissions(args.rules.text()),
        consumer = args.consumer,
    ))
}

/// The least permission of each line of the rules, with what it is for.
fn permissions(rules: &str) -> String {
    let plan = compile("rules", rules).plan;
    let all = plan.iter().flat_map(|plan| &plan.permissions);
    let line = |(name, why): (&String, &str)| format!("     {name:<28} {why}").trim_end().to_owned() + "\n";
    all.filter_map(|it| Some((it.any_of.first()?, it.why.as_deref().unwrap_or_default()))).map(line).collect()
}

fn in_docker(group: u32, is_shared: bool) -> String {
    let readable = if is_shared {
        String::new()
    } else {
        format!(
            "   The container runs as group {group}, and only your account can read the files. Open them to the group first:\n\
             \x20  sudo chgrp -R {group} . && sudo chmod -R g+rX .\n"
        )
    };
    format!(
        "3. Start it: docker compose -f {COMPOSE} up --detach\n{readable}\
         \n\
         4. See what is still missing: docker compose -f {COMPOSE} exec glassine glassine doctor --config {MOUNTED}/{CONFIG}\n\
         \n"
    )
}

fn on_this_machine() -> String {
    format!(
        "3. Start it: glassine serve --config {CONFIG}\n\
         \n\
         4. See what is still missing: glassine doctor --config {CONFIG}\n\
         \n"
    )
}
