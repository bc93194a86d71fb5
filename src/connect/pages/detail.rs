//! One connector: its permissions in plain words, what each is for, what leaves of what it opens and what never does.

use super::{badge, page, standing};
use crate::connect::leaves::{self, Object, Opened, Property};
use crate::connect::store::Connection;
use crate::web::Html;
use glassine_core::rules::Plan;
use glassine_core::rules::permissions::plain_words;

/// What the page shows.
pub(in crate::connect) struct Detail<'a> {
    pub(in crate::connect) consumer: &'a str,
    pub(in crate::connect) plan: &'a Plan,
    pub(in crate::connect) connection: Option<Connection>,
    /// What the analytics application wants back.
    pub(in crate::connect) echo: Option<&'a str>,
    /// Where the browser goes in the end.
    pub(in crate::connect) returns_to: Option<&'a str>,
}

pub(in crate::connect) fn detail(prefix: &str, detail: &Detail<'_>) -> String {
    let plan = detail.plan;
    let main = Html::default()
        .markup("<nav aria-label=\"Way back\"><a href=\"")
        .text(prefix)
        .markup("/connect\">Data Connections</a></nav>\n<div class=\"top\"><h1>")
        .text(&plan.title)
        .markup("</h1>")
        .piece(badge(detail.connection.as_ref()))
        .markup("</div>\n<p class=\"lead\">")
        .text(&plan.purpose)
        .markup("</p>\n")
        .piece(standing(detail.connection.as_ref()))
        .markup("<p><a href=\"#connect\">Go to the sign-in</a>, or read first what leaves and what never does.</p>\n")
        .piece(permissions(plan))
        .piece(rules(prefix, detail))
        .piece(form(prefix, detail));
    page(prefix, &plan.title, main)
}

fn permissions(plan: &Plan) -> Html {
    Html::default()
        .markup("<section class=\"card\" aria-labelledby=\"permissions\"><h2 id=\"permissions\">Permissions, and what leaves</h2><p>You grant these to the proxy, which runs in your organisation; the application gets none of them. It gets what is listed here and nothing else, computed from the rules that are running.</p>")
        .each(&leaves::opened(plan), permission)
        .markup("</section>\n")
}

fn permission(opened: &Opened<'_>) -> Html {
    let [least, others @ ..] = opened.permission.any_of.as_slice() else { return Html::default() };
    let why = opened.permission.why.as_deref();
    Html::default()
        .markup("<div class=\"permission\"><h3>")
        .text(plain_words(least).unwrap_or(least))
        .markup("</h3><p class=\"quiet\">Microsoft calls it <code>")
        .text(least)
        .markup("</code>.</p>")
        .each(why, |why| Html::default().markup("<p>What for: ").text(why).markup("</p>"))
        .each(others, |other| {
            Html::default()
                .markup("<p class=\"quiet\"><code>")
                .text(other)
                .markup("</code> works instead, and opens more than is needed.</p>")
        })
        .each(&opened.objects, object)
        .markup("</div>")
}

fn object(object: &Object) -> Html {
    Html::default()
        .markup("<div class=\"object\"><h4>")
        .text(&object.title)
        .markup("</h4>")
        .piece(withheld(object))
        .markup("<details><summary>")
        .text(&leaving(object))
        .markup("</summary><table><caption>")
        .text(&object.title)
        .markup("</caption><thead><tr><th scope=\"col\">What leaves</th><th scope=\"col\">In which form</th></tr></thead><tbody>")
        .each(&object.properties, property)
        .markup("</tbody></table></details></div>")
}

fn leaving(object: &Object) -> String {
    let properties = |count| if count == 1 { "1 property".to_owned() } else { format!("{count} properties") };
    match object.counts() {
        (unchanged, 0) => format!("{} as in Microsoft 365", properties(unchanged)),
        (0, changed) => format!("{} in another form", properties(changed)),
        (unchanged, changed) => {
            format!("{} as in Microsoft 365, {changed} in another form", properties(unchanged))
        }
    }
}

fn property(property: &Property) -> Html {
    Html::default()
        .markup("<tr><td><code>")
        .text(&property.path)
        .markup("</code></td><td>")
        .text(&property.form())
        .markup("</td></tr>")
}

fn withheld(object: &Object) -> Html {
    if object.withheld.is_empty() {
        return Html::default();
    }
    Html::default()
        .markup("<p><strong>Never leaves:</strong> ")
        .text(&object.withheld.join(", "))
        .markup(".</p>")
}

fn rules(prefix: &str, detail: &Detail<'_>) -> Html {
    Html::default()
        .markup("<section class=\"card\" aria-labelledby=\"rules\"><h2 id=\"rules\">The rules</h2><p>This page is a summary. What decides is one file, which your security reviewer signs off.</p><dl><dt>Connector</dt><dd><code>")
        .text(&detail.plan.connector)
        .markup("</code></dd><dt>Fingerprint</dt><dd><code>")
        .text(&detail.plan.fingerprint)
        .markup("</code></dd></dl><p><a href=\"")
        .text(prefix)
        .markup("/connect/")
        .text(detail.consumer)
        .markup("/rules\">Read the rules file</a></p></section>\n")
}

fn form(prefix: &str, detail: &Detail<'_>) -> Html {
    Html::default()
        .markup("<section class=\"card\" aria-labelledby=\"connect\"><h2 id=\"connect\">Connect</h2><ol><li>Sign in to your organisation's directory, as a Global Administrator or Privileged Role Administrator.</li><li>Microsoft shows the permissions. <em>Accept</em> grants them for the organisation.</li><li>The proxy checks what was granted")
        .each(detail.returns_to, |url| Html::default().markup(" and sends you back to <code>").text(url).markup("</code>"))
        .markup(".</li></ol><p class=\"quiet\">Your name goes nowhere: the application learns that somebody connected, as a pseudonym.</p><form method=\"post\" action=\"")
        .text(prefix)
        .markup("/connect/")
        .text(detail.consumer)
        .markup("\">")
        .each(detail.echo, |echo| {
            Html::default().markup("<input type=\"hidden\" name=\"state\" value=\"").text(echo).markup("\">")
        })
        .markup("<button type=\"submit\">Sign in and connect</button></form></section>\n")
}
