//! A mailbox's settings.

use serde_json::json;

use super::mail::user_key;
use super::segments::Segment;
use super::{Reply, Request, entity};
use crate::demo::tenant::Mailbox;
use crate::demo::tenant::fault::Fault;
use crate::demo::tenant::odata::{Shape, at_path};
use crate::demo::tenant::properties;

const SHAPE: Shape = Shape {
    type_name: "microsoft.graph.mailboxSettings",
    default: None,
    select_only: &[],
    always: &[],
    properties: &properties::MAILBOX_SETTINGS,
};

/// The settings, or one of them: `/mailboxSettings/timeZone` responds with `{"value":"Romance Standard Time"}`.
pub(super) fn respond(
    request: &Request<'_>,
    mailbox: &Mailbox<'_>,
    rest: &[Segment],
) -> Result<Reply, Fault> {
    let all = mailbox.settings()?;
    let context = format!("{}/mailboxSettings", user_key(mailbox));
    match rest {
        [] => {
            let selected = request.selected(&SHAPE)?;
            Ok(entity(request.context(&context), SHAPE.project(all, selected.as_deref())))
        }
        [property] if SHAPE.properties.has(property.text(), request.version.is_beta()) => {
            let context = request.context(&format!("{context}/{}", property.text()));
            let value = at_path(&all, property.text());
            Ok(entity(context, if value.is_object() { value } else { json!({ "value": value }) }))
        }
        [other, ..] => Err(other.unknown()),
    }
}
