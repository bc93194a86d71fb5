//! Endpoints: templates, parameters, query options, answers.

use std::sync::Arc;

use super::super::automaton::{self, Automaton, BuildError, Leaf, NodeId};
use super::super::checked::{Nested, Rule, Shape, ShapeId};
use super::super::codes;
use super::super::diagnostic::Diagnostic;
use super::super::path::Path;
use super::super::plan::{
    Body, Endpoint, IdType, IntegerRange, LinkKind, Operator, Param, QueryPolicy, Response, Transform,
    Treatment, ValuePolicy,
};
use super::super::raw;
use super::super::template::Template;
use super::super::yaml::{Recovered, Spanned};
use super::is_label;
use super::shapes::{Names, build_findings};
use crate::pseudonym::Class;

/// Path segments under which Outlook items live, whose ids change when an item moves.
const OUTLOOK_ITEMS: &[&str] =
    &["messages", "mailFolders", "childFolders", "contacts", "contactFolders", "events"];

/// One result for each written endpoint; `None` where a finding says why not.
pub(super) fn check(
    endpoints: &[Recovered<raw::Endpoint>],
    names: &Names<'_>,
    shapes: &mut Vec<Shape>,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Option<Endpoint>> {
    report_duplicate_names(endpoints, findings);
    endpoints.iter().map(|raw| Checker { names, shapes, findings }.endpoint(raw.0.as_ref()?)).collect()
}

fn report_duplicate_names(endpoints: &[Recovered<raw::Endpoint>], findings: &mut Vec<Diagnostic>) {
    let mut seen = Vec::new();
    for name in endpoints.iter().filter_map(|endpoint| Some(&endpoint.0.as_ref()?.name)) {
        if seen.contains(&&name.value) {
            let message = "two endpoints have this name";
            let hint = "logs, audit records and refusals tell endpoints apart by their names";
            findings.push(Diagnostic::error(codes::DUPLICATE_NAME, name.span.clone(), message).hint(hint));
        }
        seen.push(&name.value);
    }
}

struct Checker<'a> {
    names: &'a Names<'a>,
    shapes: &'a mut Vec<Shape>,
    findings: &'a mut Vec<Diagnostic>,
}

impl Checker<'_> {
    fn error(&mut self, code: codes::Code, at: &Spanned<impl Sized>, message: impl Into<String>) {
        self.findings.push(Diagnostic::error(code, at.span.clone(), message));
    }

    fn error_hint(&mut self, code: codes::Code, at: &Spanned<impl Sized>, message: &str, hint: &str) {
        self.findings.push(Diagnostic::error(code, at.span.clone(), message).hint(hint));
    }

    fn endpoint(&mut self, raw: &raw::Endpoint) -> Option<Endpoint> {
        if !is_label(&raw.name.value) {
            self.error(
                codes::YAML,
                &raw.name,
                "an endpoint's name has lower-case letters, digits and hyphens only",
            );
        }
        let template = self.template(&raw.get);
        let params = template.as_ref().map(|template| self.params(template, raw));
        let response = self.response(raw);
        let query = self.query(&raw.query, response.as_ref()?);
        let (template, params, response) = (template?, params?, response?);
        let outlook = OUTLOOK_ITEMS.iter().any(|name| template.names(name));
        Some(Endpoint {
            name: raw.name.value.clone(),
            immutable_ids: outlook && raw.prefer.id_type != Some(IdType::Default),
            max_page_size: raw.prefer.max_page_size.as_ref().and_then(|range| self.range(range)),
            template,
            params,
            query,
            response,
        })
    }

    fn template(&mut self, text: &Spanned<String>) -> Option<Template> {
        match Template::parse(&text.value) {
            Ok(template) => Some(template),
            Err(error) => {
                self.error(codes::TEMPLATE, text, error.to_string());
                None
            }
        }
    }

    fn params(&mut self, template: &Template, raw: &raw::Endpoint) -> Vec<Param> {
        for (name, _) in &raw.params.0 {
            if !template.param_names().any(|used| used == name.value) {
                self.error(codes::PARAM, name, "the template has no parameter of this name");
            }
        }
        template.param_names().map(|name| self.param(name, raw)).collect()
    }

    fn param(&mut self, name: &str, raw: &raw::Endpoint) -> Param {
        let mut param = Param { name: name.to_owned(), one_of: Vec::new(), token: None, raw: false };
        let Some((written, value)) = raw.params.0.iter().find(|(written, _)| written.value == name) else {
            let message = format!("`params` does not say what {{{name}}} accepts");
            let hint = format!("add `{name}: {{ token: id }}` to `params`");
            self.error_hint(codes::PARAM, &raw.get, &message, &hint);
            return param;
        };
        let Some(value) = &value.0 else { return param };
        param.one_of = value.one_of.iter().map(|name| name.value.clone()).collect();
        param.token = value.token.map(|raw::TokenClass::Id| Class::Id);
        if let Some(raw) = value.raw.as_ref().filter(|raw| raw.value) {
            param.raw = true;
            let message = "`raw: true` lets the consumer test who is behind a token";
            let hint = "prefer `token: id`; the consumer gets tokens from the lists it reads";
            self.findings.push(Diagnostic::warning(codes::RAW_PARAM, raw.span.clone(), message).hint(hint));
        }
        if param.one_of.is_empty() && param.token.is_none() && !param.raw {
            let hint = "add `token: id`, or names under `one_of`";
            self.error_hint(codes::PARAM_EMPTY, written, "nothing could satisfy this parameter", hint);
        }
        param
    }

    fn response(&mut self, raw: &raw::Endpoint) -> Option<Response> {
        let named = raw.response.value.shape();
        let shape = self.names.find(named, self.findings)?;
        let counted = raw.query.values.iter().any(|(name, _)| name.value == "$count");
        let (root, delta) = match raw.response.value {
            raw::Response::Entity(_) => (shape, false),
            raw::Response::Collection(_) => (self.envelope(shape, counted, false), false),
            raw::Response::Delta(_) => (self.envelope(shape, counted, true), true),
            raw::Response::Count(_) => (self.envelope(shape, false, false), false),
        };
        let built = match raw.response.value {
            raw::Response::Entity(_) => automaton::build(self.shapes, root),
            raw::Response::Collection(_) | raw::Response::Delta(_) | raw::Response::Count(_) => {
                automaton::build_page(self.shapes, root)
            }
        };
        let body = Arc::new(self.body(built, delta, named)?);
        Some(if matches!(raw.response.value, raw::Response::Count(_)) {
            Response::Count(body)
        } else {
            Response::Json(body)
        })
    }

    fn body(
        &mut self,
        built: Result<Automaton, BuildError>,
        delta: bool,
        named: &Spanned<String>,
    ) -> Option<Body> {
        match built {
            Ok(automaton) => Some(Body { select: selectable(&automaton), automaton, delta }),
            Err(error) => {
                self.findings.extend(build_findings(&error, &named.span));
                None
            }
        }
    }

    /// The page around the objects: the parts of OData's JSON format that a consumer needs to go on.
    fn envelope(&mut self, element: ShapeId, counted: bool, delta: bool) -> ShapeId {
        let elements = || Path::name("value").elements();
        let rule = |path, treatment| Rule { path, treatment, span: 0..0 };
        let link = |kind| Treatment::Transform(Transform::Link(kind));
        let mut shape = Shape::default();
        shape.nested.push(Nested { path: elements(), shape: element });
        shape.rules.push(rule(Path::name("@odata.nextLink"), link(LinkKind::Next)));
        if counted {
            shape.rules.push(rule(Path::name("@odata.count"), Treatment::Keep));
        }
        if delta {
            shape.rules.push(rule(Path::name("@odata.deltaLink"), link(LinkKind::Delta)));
            shape.rules.push(rule(elements().member("@removed").member("reason"), Treatment::Keep));
        }
        self.shapes.push(shape);
        ShapeId(self.shapes.len() - 1)
    }

    fn query(&mut self, raw: &raw::Query, response: &Response) -> QueryPolicy {
        let body = response.body();
        let mut policy = QueryPolicy::default();
        for (name, value) in &raw.values {
            let Some(value) = &value.0 else { continue };
            self.option(name, value, &mut policy);
        }
        for (property, operators) in raw.filter.iter().flat_map(|entries| &entries.0) {
            let operators: Vec<_> = operators
                .0
                .iter()
                .flatten()
                .filter_map(|operator| Some(operator.0.as_ref()?.value))
                .collect();
            if self.observable(property, &operators, body) {
                policy.filter.push((property.value.clone(), operators));
            }
        }
        for property in raw.order_by.iter().flatten() {
            if self.observable(property, &[Operator::Lt], body) {
                policy.order_by.push(property.value.clone());
            }
        }
        policy
    }

    fn option(
        &mut self,
        name: &Spanned<String>,
        value: &Spanned<raw::ValuePolicy>,
        policy: &mut QueryPolicy,
    ) {
        match (name.value.as_str(), &value.value) {
            ("$select", raw::ValuePolicy::Kept) => policy.select = true,
            ("$count", raw::ValuePolicy::Boolean) => policy.count = true,
            ("$top", raw::ValuePolicy::Integer(range)) => policy.top = self.range(&value.with(*range)),
            ("$skip", raw::ValuePolicy::Integer(range)) => policy.skip = self.range(&value.with(*range)),
            ("$select", _) => self.error(codes::OPTION, value, "`$select` can only be `kept`"),
            ("$count", _) => self.error(codes::OPTION, value, "`$count` can only be `boolean`"),
            ("$top" | "$skip", _) => self.error(codes::OPTION, value, "this option takes `integer: { min, max }`"),
            (custom, _) if custom.starts_with('$') => self.error_hint(
                codes::OPTION,
                name,
                "this option cannot be opened",
                "the options are `$select`, `$filter`, `$orderby`, `$top`, `$skip`, `$count` and names without `$`",
            ),
            (custom, _) => {
                let checked = self.custom(value);
                policy.custom.extend(checked.map(|checked| (custom.to_owned(), checked)));
            }
        }
    }

    fn custom(&mut self, value: &Spanned<raw::ValuePolicy>) -> Option<ValuePolicy> {
        match &value.value {
            raw::ValuePolicy::Boolean => Some(ValuePolicy::Boolean),
            raw::ValuePolicy::Integer(range) => self.range(&value.with(*range)).map(ValuePolicy::Integer),
            raw::ValuePolicy::OneOf(texts) => {
                Some(ValuePolicy::OneOf(texts.iter().map(|text| text.value.clone()).collect()))
            }
            raw::ValuePolicy::Kept => {
                self.error(codes::OPTION, value, "`kept` is for `$select`");
                None
            }
        }
    }

    fn range(&mut self, range: &Spanned<IntegerRange>) -> Option<IntegerRange> {
        if range.value.min > range.value.max {
            self.error(codes::RANGE, range, "`min` is over `max`");
            return None;
        }
        Some(range.value)
    }

    /// A property that an option names must leave as it is, or its value could be found out by asking.
    fn observable(&mut self, property: &Spanned<String>, operators: &[Operator], body: &Body) -> bool {
        let leaf = body
            .automaton
            .find(body.object(), property.value.split('/'))
            .map_or(Leaf::Drop, |node| node.leaf.clone());
        let by_token = operators.iter().all(|operator| matches!(operator, Operator::Eq | Operator::Ne));
        match leaf {
            Leaf::Keep => true,
            Leaf::Transform(Transform::Reversible(_)) if by_token => true,
            Leaf::Transform(Transform::Reversible(_)) => {
                let hint = "a token can be compared with `eq` and `ne` only";
                self.error_hint(codes::OBSERVABLE, property, "this property leaves as a token", hint);
                false
            }
            Leaf::Drop | Leaf::Transform(_) => {
                let hint = "the consumer could find its value out by asking; `keep` it, or leave it out here";
                self.error_hint(codes::OBSERVABLE, property, "this property does not leave as it is", hint);
                false
            }
        }
    }
}

impl Body {
    /// The node of the object that query options speak about: a page's element, or the answer itself.
    pub fn object(&self) -> NodeId {
        self.automaton.element().unwrap_or(self.automaton.root())
    }
}

impl raw::Response {
    /// The shape of the object, or of each object of the page.
    pub(super) fn shape(&self) -> &Spanned<String> {
        match self {
            Self::Collection(shape) | Self::Delta(shape) | Self::Entity(shape) | Self::Count(shape) => shape,
        }
    }
}

/// The properties for the upstream `$select`. Annotations are not properties.
fn selectable(automaton: &Automaton) -> Option<Vec<String>> {
    let object = automaton.element().unwrap_or(automaton.root());
    let object = automaton.node(object).object.as_ref()?;
    if object.other().is_some() {
        return None;
    }
    let survives = |member: &&automaton::Member| member.node.is_some() && !member.name.contains('@');
    Some(object.members().iter().filter(survives).map(|member| member.name.to_string()).collect())
}
