//! API versions and property names of every resource, against the table `types/azure.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::View;
use crate::Problem;
use crate::bicep::{Expression, Kind, Shape, Template};
use crate::tables::{Allowed, Node, is_duration, read};

static TYPES: LazyLock<BTreeMap<String, Node>> =
    LazyLock::new(|| read(include_str!("../../types/azure.txt")));

/// Keys that every resource's body may have; the first is the one that it must have.
const OF_EVERY_RESOURCE: &[&str] = &["name", "parent", "scope", "dependsOn"];

/// Resource types whose name is another property.
const WITHOUT_NAME: &[&str] = &[
    "Microsoft.Graph/applications@v1.0",
    "Microsoft.Graph/servicePrincipals@v1.0",
    "Microsoft.Graph/appRoleAssignedTo@v1.0",
    "Microsoft.Graph/oauth2PermissionGrants@v1.0",
];

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, template) in view.templates() {
        for declaration in &template.declarations {
            let Kind::Resource {
                of,
                version,
                existing,
                body,
                ..
            } = &declaration.kind
            else {
                continue;
            };
            let key = format!("{of}@{version}");
            let Some(node) = TYPES.get(&key) else {
                problems.push(unknown_type(file, declaration.line, of, version));
                continue;
            };
            let mut walk = Walk {
                file,
                template,
                loops: BTreeSet::new(),
                followed: Vec::new(),
                problems: &mut problems,
            };
            walk.body(body, node, &key, declaration.line, *existing);
        }
    }
    problems
}

fn unknown_type(file: &str, line: usize, of: &str, version: &str) -> Problem {
    let known = TYPES
        .keys()
        .find_map(|key| key.split_once('@').filter(|(name, _)| *name == of));
    match known {
        Some((_, right)) => Problem::new(
            "api-version",
            file,
            line,
            format!("{of} must have API version {right}, not {version}"),
        ),
        None => Problem::new(
            "resource-type",
            file,
            line,
            format!("{of} is not in the table of resource types"),
        ),
    }
}

struct Walk<'a, 'b> {
    file: &'a str,
    template: &'a Template,
    /// Names that loops and lambdas bind; they hide variables of the same name.
    loops: BTreeSet<String>,
    /// Variables under way, against circles.
    followed: Vec<String>,
    problems: &'b mut Vec<Problem>,
}

impl Walk<'_, '_> {
    fn report(&mut self, line: usize, what: impl Into<String>) {
        self.problems
            .push(Problem::new("property", self.file, line, what));
    }

    fn body(&mut self, body: &Expression, node: &Node, key: &str, line: usize, existing: bool) {
        match &body.shape {
            Shape::For {
                item, index, body, ..
            } => {
                self.loops.insert(item.clone());
                self.loops.extend(index.clone());
                self.body(body, node, key, line, existing);
                return;
            }
            Shape::If { body, .. } => {
                self.body(body, node, key, line, existing);
                return;
            }
            _ => {}
        }
        let Some(properties) = body.object() else {
            self.report(line, "a resource's body must be an object");
            return;
        };
        if body.get("name").is_none() && !WITHOUT_NAME.contains(&key) {
            self.report(line, format!("{key} has no name"));
        }
        for property in properties {
            if OF_EVERY_RESOURCE.contains(&property.key.as_str()) {
                continue;
            }
            match node.members.get(&property.key) {
                Some(member) => self.value(&property.value, member, &property.key),
                None => {
                    let what = format!("{key} has no property {}", property.key);
                    self.report(property.line, what);
                }
            }
        }
        if existing {
            return;
        }
        for (name, member) in &node.members {
            if member.required && body.get(name).is_none() {
                self.report(line, format!("{key} needs {name}"));
            }
        }
    }

    fn value(&mut self, value: &Expression, node: &Node, path: &str) {
        match &value.shape {
            Shape::Null => {}
            Shape::Conditional(_, one, other) => {
                self.value(one, node, path);
                self.value(other, node, path);
            }
            Shape::Binary(left, operator, right) if operator == "??" => {
                self.value(left, node, path);
                self.value(right, node, path);
            }
            Shape::Name(name) => self.name(name, value.line, node, path),
            Shape::Call(function, arguments) if matches!(&function.shape, Shape::Name(name) if name == "union" || name == "concat") => {
                for argument in arguments {
                    self.value(argument, node, path);
                }
            }
            Shape::Array(items) if node.array => {
                for item in items {
                    self.item(item, node, path);
                }
            }
            Shape::For {
                item, index, body, ..
            } if node.array => {
                let before = self.loops.clone();
                self.loops.insert(item.clone());
                self.loops.extend(index.clone());
                self.item(body, node, path);
                self.loops = before;
            }
            _ if node.array => {
                if is_literal(value) {
                    self.report(value.line, format!("{path} must be an array"));
                }
            }
            _ => self.one(value, node, path),
        }
    }

    fn item(&mut self, item: &Expression, node: &Node, path: &str) {
        let single = Node {
            array: false,
            ..node.clone()
        };
        match &item.shape {
            Shape::If { body, .. } => self.value(body, &single, path),
            _ => self.value(item, &single, path),
        }
    }

    fn name(&mut self, name: &str, line: usize, node: &Node, path: &str) {
        if self.loops.contains(name) || self.followed.iter().any(|known| known == name) {
            return;
        }
        match self.template.declaration(name).map(|found| &found.kind) {
            Some(Kind::Variable(value)) => {
                self.followed.push(name.to_owned());
                self.value(value, node, path);
                self.followed.pop();
            }
            Some(Kind::Parameter { of, .. }) => {
                let fits = match node.allowed {
                    _ if node.array => of == "array" || of.ends_with(']') || of.starts_with('['),
                    Allowed::Text | Allowed::Duration | Allowed::OneOf(_) => {
                        !matches!(of.as_str(), "int" | "bool" | "array" | "object")
                    }
                    Allowed::Number => {
                        !matches!(of.as_str(), "string" | "bool" | "array" | "object")
                    }
                    Allowed::Bool => !matches!(of.as_str(), "string" | "int" | "array" | "object"),
                    Allowed::Object | Allowed::Map => {
                        !matches!(of.as_str(), "string" | "int" | "bool" | "array")
                    }
                    Allowed::Any => true,
                };
                if !fits {
                    self.report(line, format!("{path} cannot be param {name} of type {of}"));
                }
            }
            _ => {}
        }
    }

    fn one(&mut self, value: &Expression, node: &Node, path: &str) {
        match &node.allowed {
            Allowed::Any => {}
            Allowed::Map => {
                if is_literal(value) && value.object().is_none() {
                    self.report(value.line, format!("{path} must be an object"));
                }
            }
            Allowed::Object => self.object(value, node, path),
            Allowed::Text | Allowed::Duration | Allowed::OneOf(_) => self.text(value, node, path),
            Allowed::Number => {
                if is_literal(value) && !matches!(value.shape, Shape::Number(_)) {
                    self.report(value.line, format!("{path} must be a whole number"));
                }
            }
            Allowed::Bool => {
                if is_literal(value) && !matches!(value.shape, Shape::Bool(_)) {
                    self.report(value.line, format!("{path} must be true or false"));
                }
            }
        }
    }

    fn text(&mut self, value: &Expression, node: &Node, path: &str) {
        if !is_literal(value) {
            return;
        }
        if !matches!(value.shape, Shape::Text(_)) {
            self.report(value.line, format!("{path} must be a string"));
            return;
        }
        let Some(text) = value.literal() else { return };
        match &node.allowed {
            Allowed::Duration if !is_duration(&text) => {
                let what = format!("{path} must be an ISO 8601 duration, '{text}' is none");
                self.report(value.line, what);
            }
            Allowed::OneOf(words) if !words.contains(&text) => {
                let what = format!("{path} must be one of {}, not '{text}'", words.join(", "));
                self.report(value.line, what);
            }
            _ => {}
        }
    }

    fn object(&mut self, value: &Expression, node: &Node, path: &str) {
        let Shape::Object(properties) = &value.shape else {
            if is_literal(value) {
                self.report(value.line, format!("{path} must be an object"));
            }
            return;
        };
        for property in properties {
            let inner = format!("{path}.{}", property.key);
            match node.members.get(&property.key) {
                Some(member) => self.value(&property.value, member, &inner),
                None => self.report(property.line, format!("there is no property {inner}")),
            }
        }
        for (name, member) in &node.members {
            if member.required && value.get(name).is_none() {
                self.report(value.line, format!("{path} needs {name}"));
            }
        }
    }
}

/// Whether the kind of value can be seen without knowing anything else.
fn is_literal(value: &Expression) -> bool {
    matches!(
        value.shape,
        Shape::Text(_)
            | Shape::Number(_)
            | Shape::Bool(_)
            | Shape::Object(_)
            | Shape::Array(_)
            | Shape::For { .. }
    )
}
