//! What leaves and what never leaves under a connector's rules, for who grants its permissions. Read off the compiled plan, which
//! is what the sanitizer follows: this page cannot say anything else than what happens.

use std::collections::BTreeMap;

use glassine_core::rules::Plan;
use glassine_core::rules::permissions::opens_template;
use glassine_core::rules::plan::{Endpoint, Permission};
use glassine_core::rules::template::Part;

/// What one permission opens, of which only this leaves.
pub(super) struct Opened<'a> {
    pub(super) permission: &'a Permission,
    pub(super) objects: Vec<Object>,
}

/// One kind of object.
pub(super) struct Object {
    /// What people call it.
    pub(super) title: String,
    /// The properties that leave, by their paths.
    pub(super) properties: Vec<Property>,
    /// What is in such an object and never leaves.
    pub(super) withheld: Vec<&'static str>,
}

/// A property that leaves.
pub(super) struct Property {
    /// Its path in the object.
    pub(super) path: String,
    /// In which form.
    pub(super) form: String,
    /// Whether it leaves unchanged.
    pub(super) unchanged: bool,
    /// Whether it leaves as a pseudonym that opens when it comes back in a request.
    pub(super) opens: bool,
}

/// Segments of Graph's paths, and what people call what is there.
const TITLES: &[(&str, &str)] = &[
    ("childFolders", "Mail folders"),
    ("contactFolders", "Contact folders"),
    ("contacts", "Contacts"),
    ("groups", "Groups"),
    ("mailboxSettings", "Mailbox settings"),
    ("mailFolders", "Mail folders"),
    ("members", "Members of groups"),
    ("messages", "Messages"),
    ("users", "Users"),
];

/// What is personal or content in an object: its kind, its path, what people call it.
const PERSONAL: &[(&str, &str, &str)] = &[
    ("Contact folders", "displayName", "names of folders"),
    ("Contacts", "birthday", "birthdays"),
    ("Contacts", "displayName", "names"),
    ("Contacts", "homeAddress", "home addresses"),
    ("Contacts", "homePhones", "private phone numbers"),
    ("Contacts", "mobilePhone", "mobile phone numbers"),
    ("Contacts", "personalNotes", "notes"),
    ("Groups", "description", "descriptions"),
    ("Groups", "displayName", "names"),
    ("Mail folders", "displayName", "names of folders"),
    ("Mailbox settings", "automaticRepliesSetting.externalReplyMessage", "texts of automatic replies"),
    (
        "Mailbox settings",
        "automaticRepliesSetting.internalReplyMessage",
        "texts of internal automatic replies",
    ),
    ("Members of groups", "displayName", "names"),
    ("Messages", "attachments", "attachments"),
    ("Messages", "body", "texts"),
    ("Messages", "bodyPreview", "previews"),
    ("Messages", "categories", "categories"),
    ("Messages", "from.emailAddress.name", "names of senders"),
    ("Messages", "internetMessageHeaders", "header lines"),
    ("Messages", "subject", "subjects"),
    ("Messages", "toRecipients.emailAddress.name", "names of recipients"),
    ("Messages", "webLink", "links to messages"),
    ("Users", "businessPhones", "phone numbers"),
    ("Users", "displayName", "names"),
    ("Users", "employeeId", "employee ids"),
    ("Users", "jobTitle", "job titles"),
    ("Users", "mobilePhone", "mobile phone numbers"),
    ("Users", "streetAddress", "street addresses"),
];

/// The plan's permissions in their order, each with what leaves of what it opens.
pub(super) fn opened(plan: &Plan) -> Vec<Opened<'_>> {
    let opened = |permission| Opened { permission, objects: objects(plan, permission) };
    plan.permissions.iter().map(opened).collect()
}

fn objects(plan: &Plan, permission: &Permission) -> Vec<Object> {
    let mut kinds: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for endpoint in plan.endpoints.iter().filter(|endpoint| opens_template(permission, &endpoint.template)) {
        let properties = kinds.entry(title(endpoint)).or_default();
        for (path, treatment) in endpoint.response.body().automaton.describe() {
            let Some(path) = property(&path).filter(|_| !treatment.starts_with("link")) else { continue };
            let treatments = properties.entry(path).or_default();
            if !treatments.contains(&treatment) {
                treatments.push(treatment);
            }
        }
    }
    kinds.into_iter().map(|(title, properties)| Object::new(title, properties)).collect()
}

fn title(endpoint: &Endpoint) -> String {
    let last = endpoint.template.parts.iter().rev().find_map(|part| match part {
        Part::Name(name) => Some(name.as_str()),
        Part::Function(_) | Part::Cast(_) | Part::Count | Part::Param(_) => None,
    });
    let name = last.unwrap_or(&endpoint.name);
    TITLES.iter().find(|(segment, _)| *segment == name).map_or(name, |(_, title)| *title).to_owned()
}

/// The path in the object, as people write it: `from.emailAddress.address`.
fn property(path: &str) -> Option<String> {
    let path = path.strip_prefix("$.value[*]").or_else(|| path.strip_prefix('$'))?;
    let path = path.replace("[*]", "").replace("['", ".").replace("']", "");
    Some(path.trim_start_matches('.').to_owned()).filter(|path| !path.is_empty())
}

impl Object {
    fn new(title: String, properties: BTreeMap<String, Vec<String>>) -> Self {
        let withheld = PERSONAL
            .iter()
            .filter(|(kind, path, _)| *kind == title && !properties.keys().any(|leaving| meet(leaving, path)))
            .map(|(_, _, words)| *words)
            .collect();
        let properties =
            properties.into_iter().map(|(path, treatments)| Property::new(path, &treatments)).collect();
        Self { title, properties, withheld }
    }

    /// How many properties leave unchanged, and how many in another form.
    pub(super) fn counts(&self) -> (usize, usize) {
        let unchanged = self.properties.iter().filter(|property| property.unchanged).count();
        (unchanged, self.properties.len().saturating_sub(unchanged))
    }
}

impl Property {
    fn new(path: String, treatments: &[String]) -> Self {
        let forms: Vec<_> = treatments.iter().map(|treatment| form(treatment)).collect();
        let unchanged = treatments.iter().any(|treatment| treatment == "keep");
        let opens = treatments.iter().any(|treatment| treatment.ends_with(", reversible"));
        Self { path, form: forms.join("; "), unchanged, opens }
    }
}

/// The treatment in plain words; one that this table does not know stays as the rules call it.
fn form(treatment: &str) -> String {
    let words = match treatment {
        "keep" => "as it is",
        "pseudonymize as email" | "pseudonymize as email_list" => "the address as a pseudonym",
        "pseudonymize as id" | "pseudonymize as id, reversible" => "the id as a pseudonym",
        "domain" => "the domain only",
        "digest" => "length and number of words only",
        "hash_ip" => "the IP address as a pseudonym",
        _ if treatment.starts_with("pseudonymize as ") => "as a pseudonym",
        _ if treatment.starts_with("match ") && treatment.ends_with(" as email") => {
            "the address as a pseudonym; of the rest what a pattern keeps"
        }
        _ => return treatment.replace("truncate_time to ", "the time, cut to the "),
    };
    words.to_owned()
}

/// Whether something of `withheld` leaves with `leaving`: one is in the other, or a wildcard is on the way.
fn meet(leaving: &str, withheld: &str) -> bool {
    let pairs = leaving.split('.').zip(withheld.split('.'));
    pairs.into_iter().all(|(one, other)| one == other || one.contains('*'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassine_core::rules::compile;

    const OUTLOOK_MAIL: &str = include_str!("../../rules/outlook-mail.yaml");

    fn object(rules: &str, title: &str) -> Object {
        let plan = compile("rules.yaml", rules).plan.unwrap();
        opened(&plan)
            .into_iter()
            .flat_map(|opened| opened.objects)
            .find(|object| object.title == title)
            .unwrap()
    }

    fn form_of(object: &Object, path: &str) -> Option<String> {
        object.properties.iter().find(|property| property.path == path).map(|property| property.form.clone())
    }

    #[test]
    fn what_leaves_is_what_the_plan_says() {
        let messages = object(OUTLOOK_MAIL, "Messages");
        assert_eq!(form_of(&messages, "isRead").as_deref(), Some("as it is"));
        assert_eq!(
            form_of(&messages, "from.emailAddress.address").as_deref(),
            Some("the address as a pseudonym")
        );
        assert_eq!(form_of(&messages, "subject"), None);
        assert!(
            ["subjects", "texts", "attachments", "names of senders"]
                .iter()
                .all(|it| messages.withheld.contains(it))
        );
    }

    #[test]
    fn a_rule_that_lets_more_out_takes_the_promise_away() {
        let digest =
            OUTLOOK_MAIL.replace("  message:\n    keep:", "  message:\n    digest: [$.subject]\n    keep:");
        let messages = object(&digest, "Messages");
        assert!(!messages.withheld.contains(&"subjects") && messages.withheld.contains(&"texts"));
        assert_eq!(form_of(&messages, "subject").as_deref(), Some("length and number of words only"));
        let all = OUTLOOK_MAIL.replace("  message:\n    keep:", "  message:\n    unlisted: keep\n    keep:");
        assert!(object(&all, "Messages").withheld.is_empty());
    }

    #[test]
    fn every_endpoint_is_behind_a_permission() {
        let plan = compile("rules.yaml", OUTLOOK_MAIL).plan.unwrap();
        let behind =
            |endpoint: &Endpoint| plan.permissions.iter().any(|it| opens_template(it, &endpoint.template));
        assert!(plan.endpoints.iter().all(|endpoint| behind(endpoint)));
        assert!(opened(&plan).iter().all(|opened| !opened.objects.is_empty()));
    }
}
