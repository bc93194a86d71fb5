//! Endpoints: templates, parameters, query options, responses.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::automaton::{self, Automaton, CompileError, NodeId};
use super::super::checked::{Nested, Rule, Shape, ShapeId};
use super::super::codes;
use super::super::known::{Types, VALUE};
use super::super::path::Path;
use super::super::plan::{
    Body, Casts, Endpoint, IdType, Kept, LinkKind, Param, Places, Response, Transform, Treatment,
};
use super::super::raw;
use super::super::template::{Part, Template};
use super::is_label;
use super::regexes::whole_match;
use super::shapes::{Names, build_findings};
use crate::catalogue::{Accept, is_directory, is_of_mailbox, is_path_word};
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{DELTA, Version};
use crate::pseudonym::Class;
use crate::yaml::{self, Recovered, Spanned};

/// Why an object is no longer part of a collection (Microsoft Graph, "Use delta query to track changes").
const REASONS: [&str; 2] = ["changed", "deleted"];

/// The longest well-known name, `recoverableitemsdeletions`, has 25 letters.
const MAX_WORD: usize = 32;

/// One result for each endpoint of the file; `None` where a finding says why there is none.
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

/// Checks one endpoint; its query options are in [`super::query`].
pub(super) struct Checker<'a> {
    pub(super) names: &'a Names<'a>,
    pub(super) shapes: &'a mut Vec<Shape>,
    pub(super) findings: &'a mut Vec<Diagnostic>,
}

impl Checker<'_> {
    pub(super) fn error(&mut self, code: Code, at: &Spanned<impl Sized>, message: impl Into<String>) {
        self.findings.push(Diagnostic::error(code, at.span.clone(), message));
    }

    pub(super) fn error_hint(&mut self, code: Code, at: &Spanned<impl Sized>, message: &str, hint: &str) {
        self.findings.push(Diagnostic::error(code, at.span.clone(), message).hint(hint));
    }

    fn endpoint(&mut self, raw: &raw::Endpoint) -> Option<Endpoint> {
        if !is_label(&raw.name.value) {
            self.error(
                yaml::MALFORMED,
                &raw.name,
                "an endpoint's name has lower-case letters, digits and hyphens only",
            );
        }
        let template = self.template(&raw.get);
        let params = template.as_ref().map(|template| self.params(template, raw));
        let types = template.as_ref().zip(params.as_ref()).map(|(template, params)| {
            Types::at(template, params, matches!(raw.response.value, raw::Response::Property(_)))
        });
        let types = types.unwrap_or_default();
        let response = self.response(raw, template.as_ref(), &types);
        let query = self.query(&raw.query, response.as_ref()?, &types);
        let (template, params, response) = (template?, params?, response?);
        let mut endpoint = Endpoint {
            name: raw.name.value.clone(),
            immutable_ids: false,
            max_page_size: raw.prefer.max_page_size.as_ref().and_then(|range| self.range(range)),
            return_minimal: false,
            directory: false,
            mailbox: false,
            places: places(raw),
            template,
            params,
            query,
            response,
        };
        endpoint.immutable_ids =
            endpoint.accepts(Accept::IdType) && raw.prefer.id_type != Some(IdType::Default);
        endpoint.directory = endpoint.resource().is_some_and(|(_, resource)| is_directory(&resource));
        endpoint.mailbox = is_of_mailbox(&endpoint.path());
        endpoint.return_minimal =
            self.return_minimal(raw, endpoint.directory && endpoint.template.is_delta());
        Some(endpoint)
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
        template.param_names().map(|name| self.param(name, template, raw)).collect()
    }

    fn param(&mut self, name: &str, template: &Template, raw: &raw::Endpoint) -> Param {
        let mut param = Param { name: name.to_owned(), ..Param::default() };
        let Some((written, value)) = raw.params.0.iter().find(|(written, _)| written.value == name) else {
            let message = format!("`params` does not say what {{{name}}} accepts");
            let hint = format!("add `{name}: {{ token: id }}` to `params`");
            self.error_hint(codes::PARAM, &raw.get, &message, &hint);
            return param;
        };
        let Some(value) = &value.0 else { return param };
        let is_version = matches!(&template.version, Part::Param(own) if own == name);
        value.one_of.iter().for_each(|word| self.path_word(word, is_version));
        param.one_of = value.one_of.iter().map(|name| name.value.clone()).collect();
        param.token = value.token.map(|raw::TokenClass::Id| Class::Id);
        if let Some(raw) = value.raw.as_ref().filter(|raw| raw.value) {
            param.raw = true;
            self.warn_raw(raw, "`raw: true` lets the consumer test who is behind a token");
        }
        if let Some(pattern) = &value.pattern {
            param.pattern = whole_match(pattern, self.findings);
            self.warn_raw(pattern, "`pattern` takes raw values: the consumer can test who is behind a token");
        }
        if param.one_of.is_empty() && param.token.is_none() && !param.raw && value.pattern.is_none() {
            let hint = "add `token: id`, or names under `one_of`";
            self.error_hint(codes::PARAM_EMPTY, written, "nothing could satisfy this parameter", hint);
        }
        param
    }

    /// A word that a parameter accepts. An id or an address here would be `raw` without its warning.
    fn path_word(&mut self, word: &Spanned<String>, is_version: bool) {
        let text = word.value.as_str();
        let is_known = if is_version { Version::parse(text).is_some() } else { is_path_word(text) };
        match (is_version, is_plain_word(text)) {
            _ if is_known => {}
            (true, _) => {
                let hint = "the versions are `v1.0` and `beta`";
                self.error_hint(codes::PARAM_NAME, word, "this is not an API version", hint);
            }
            (false, false) => {
                let message =
                    "this could be an id or an address: a consumer could test who is behind a token";
                let hint =
                    "`one_of` takes words of Graph's paths, such as `inbox`; for objects use `token: id`";
                self.error_hint(codes::PARAM_NAME, word, message, hint);
            }
            (false, true) => {
                let message = "this word is not known from Graph's paths";
                let hint = "if it names a person or an object, a consumer can test who is behind a token: use `token: id`";
                self.findings
                    .push(Diagnostic::warning(codes::UNKNOWN_WORD, word.span.clone(), message).hint(hint));
            }
        }
    }

    fn warn_raw(&mut self, at: &Spanned<impl Sized>, message: &str) {
        let hint = "prefer `token: id`; the consumer gets tokens from the lists it reads";
        self.findings.push(Diagnostic::warning(codes::RAW_PARAM, at.span.clone(), message).hint(hint));
    }

    fn return_minimal(&mut self, raw: &raw::Endpoint, is_known: bool) -> bool {
        let Some(returned) = &raw.prefer.returned else { return false };
        if !is_known {
            let message = "`return: minimal` is for changes of users and groups";
            self.error_hint(codes::OPTION, returned, message, "leave it out here");
        }
        is_known
    }

    fn response(
        &mut self,
        raw: &raw::Endpoint,
        template: Option<&Template>,
        types: &Types,
    ) -> Option<Response> {
        let named = raw.response.value.shape();
        let shape = self.names.find(named, self.findings)?;
        let shape = self.with_expansions(shape, &raw.query);
        let expanded = raw.query.expanded();
        let property = template.and_then(Template::last_name);
        let counted = raw.query.values.iter().any(|(name, _)| name.value == "$count");
        let (root, delta) = match raw.response.value {
            raw::Response::Entity(_) => (shape, false),
            raw::Response::Property(_) => (self.property(shape, property?, raw)?, false),
            raw::Response::Collection(_) => (self.envelope(shape, named, counted, false), false),
            raw::Response::Delta(_) => (self.envelope(shape, named, counted, true), true),
            raw::Response::Count(_) => (self.envelope(shape, named, false, false), false),
        };
        let built = match raw.response.value {
            raw::Response::Entity(_) | raw::Response::Property(_) => automaton::build(self.shapes, root),
            raw::Response::Collection(_) | raw::Response::Delta(_) | raw::Response::Count(_) => {
                automaton::build_page(self.shapes, root)
            }
        };
        let mut body = self.body(built, delta, named)?;
        // Graph returns expanded properties without `$select`. Those that are not expanded cannot be selected.
        if let Some(select) = &mut body.select {
            select.retain(|name| !expanded.contains(&name.as_str()));
        }
        if matches!(raw.response.value, raw::Response::Property(_)) {
            body.property = property.map(str::to_owned);
            body.select = Some(Vec::new());
        }
        body.casts = Casts::of(types, body.select.as_deref());
        let body = Arc::new(body);
        Some(if matches!(raw.response.value, raw::Response::Count(_)) {
            Response::Count(body)
        } else {
            Response::Json(body)
        })
    }

    fn body(
        &mut self,
        built: Result<Automaton, CompileError>,
        delta: bool,
        named: &Spanned<String>,
    ) -> Option<Body> {
        match built {
            Ok(automaton) => Some(Body {
                select: selectable(&automaton, automaton.element().unwrap_or(automaton.root()), delta),
                automaton,
                casts: Casts::default(),
                delta,
                property: None,
            }),
            Err(error) => {
                self.findings.extend(build_findings(&error, &named.span));
                None
            }
        }
    }

    /// One property of the shape, alone in its response.
    fn property(&mut self, shape: ShapeId, name: &str, raw: &raw::Endpoint) -> Option<ShapeId> {
        if let Some((option, _)) = raw.query.values.first() {
            let hint = "leave `query` out here";
            self.error_hint(
                codes::OPTION,
                option,
                "the response is one value, of which nothing can be asked",
                hint,
            );
        }
        let rules = self.shapes.get(shape.0).into_iter().flat_map(|shape| &shape.rules);
        let own = rules.filter(|rule| rule.path == Path::name(name));
        let value = |rule: &Rule| Rule { path: Path::name(VALUE), ..rule.clone() };
        let alone = Shape { rules: own.map(value).collect(), ..Shape::default() };
        if alone.rules.is_empty() {
            let message = format!("the shape lets no value out of `{name}`");
            let hint = "name the property in the shape, or use `entity` if it is an object";
            self.error_hint(codes::OPTION, &raw.response.value.shape().clone(), &message, hint);
            return None;
        }
        self.shapes.push(alone);
        Some(ShapeId(self.shapes.len() - 1))
    }

    /// The page around the objects: the parts of OData's JSON format that a consumer needs to read on. The line that
    /// names the shape stands for them in reviews.
    fn envelope(&mut self, element: ShapeId, named: &Spanned<String>, counted: bool, delta: bool) -> ShapeId {
        let elements = || Path::name("value").elements();
        let rule = |path, treatment| Rule { path, treatment, reviewed: false, span: named.span.clone() };
        let link = |kind| Treatment::Transform(Transform::Link(kind));
        let mut shape = Shape::default();
        shape.nested.push(Nested { path: elements(), shape: element, span: named.span.clone() });
        shape.rules.push(rule(Path::name("@odata.nextLink"), link(LinkKind::Next)));
        if counted {
            shape.rules.push(rule(Path::name("@odata.count"), Treatment::Keep(Kept::Number)));
        }
        if delta {
            shape.rules.push(rule(Path::name("@odata.deltaLink"), link(LinkKind::Delta)));
            let reason = |path: Path| path.member("@removed").member("reason");
            let relationships = self.shapes.get(element.0).map(Shape::relationships).unwrap_or_default();
            let related = relationships.into_iter().map(|name| elements().member(name).elements());
            for path in related.chain([elements()]) {
                shape.rules.push(rule(reason(path), Treatment::Keep(Kept::one_of(REASONS))));
            }
        }
        self.shapes.push(shape);
        ShapeId(self.shapes.len() - 1)
    }
}

impl Shape {
    /// The changes of relationships of which something leaves: `members@delta`. Without the reason of a removal, whoever left
    /// a group would look as if they had joined it.
    fn relationships(&self) -> BTreeSet<&str> {
        let rules = self.rules.iter().filter(|rule| rule.treatment != Treatment::Redact);
        let paths = rules.map(|rule| &rule.path).chain(self.nested.iter().map(|nested| &nested.path));
        paths.flat_map(Path::first_arrays).filter(|name| related(name).is_some()).collect()
    }
}

impl raw::Response {
    /// The shape of the object, or of each object of the page.
    pub(super) fn shape(&self) -> &Spanned<String> {
        match self {
            Self::Collection(shape)
            | Self::Delta(shape)
            | Self::Entity(shape)
            | Self::Property(shape)
            | Self::Count(shape) => shape,
        }
    }
}

/// The properties of the object at this node, for the upstream `$select`. `None` if the shape keeps properties that it
/// does not list.
pub(super) fn selectable(automaton: &Automaton, object: NodeId, delta: bool) -> Option<Vec<String>> {
    let object = automaton.node(object).object.as_ref()?;
    if object.other().is_some() {
        return None;
    }
    let surviving = object.members().iter().filter(|member| member.node.is_some());
    Some(surviving.filter_map(|member| selected(&member.name, delta)).map(str::to_owned).collect())
}

/// The property to select for a member of an object. Annotations are not properties, but Graph sends `members@delta`, the
/// changes of a relationship, to those who select `members`.
fn selected(member: &str, delta: bool) -> Option<&str> {
    if member.contains('@') { related(member).filter(|_| delta) } else { Some(member) }
}

/// The relationship whose changes are under this name: `members` of `members@delta`.
fn related(member: &str) -> Option<&str> {
    member.split_once('@').filter(|(name, what)| !name.is_empty() && *what == DELTA).map(|(name, _)| name)
}

/// Whether a text is one English word, or several as in `mailFolders`. Ids have digits, signs or capitals in a row.
fn is_plain_word(text: &str) -> bool {
    let has_two_capitals = || text.as_bytes().windows(2).any(|two| two.iter().all(u8::is_ascii_uppercase));
    text.len() <= MAX_WORD
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !has_two_capitals()
}

fn places(raw: &raw::Endpoint) -> Places {
    let named = |name: &Spanned<String>| (name.value.clone(), name.span.clone());
    Places {
        endpoint: raw.get.span.clone(),
        params: raw.params.0.iter().map(|(name, _)| named(name)).collect(),
        query: raw.query.names.iter().map(named).collect(),
    }
}
