//! The resources that the templates would make: modules entered with the values that their callers give, loops unrolled.

use std::collections::{BTreeMap, BTreeSet};

use super::evaluate::Scope;
use super::model::{Expression, Kind, Shape, Template};
use super::value::Value;
use super::world::{World, relative};

/// One resource, or the reference to one that exists.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// The template that deployment starts with.
    pub root: String,
    /// The template that declares the resource.
    pub file: String,
    /// Line of the declaration.
    pub line: usize,
    /// Symbolic name.
    pub symbol: String,
    /// E.g. `Microsoft.Storage/storageAccounts`.
    pub of: String,
    /// Only a reference.
    pub existing: bool,
    /// Name of the symbol in `parent:`, or of the resource around it.
    pub parent: Option<String>,
    /// Whether it is made under a condition that is not known to hold.
    pub condition: Option<Value>,
    /// The body, with loops' variables filled in.
    pub value: Value,
    /// The body as written.
    pub body: Expression,
}

impl Deployed {
    /// The value at a path of keys with dots between.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Value> {
        self.value.at(path)
    }

    /// The resource's own name, or the expression for it.
    #[must_use]
    pub fn name(&self) -> String {
        match self.at("name") {
            Some(Value::Text(name)) => name.clone(),
            Some(Value::Unknown(text)) => text.clone(),
            _ => String::new(),
        }
    }

    /// The line of a property of the body, or of the declaration where it has no such property.
    #[must_use]
    pub fn line_of(&self, path: &str) -> usize {
        let mut expression = &self.body;
        let mut line = self.line;
        for key in path.split('.') {
            let property = expression
                .object()
                .and_then(|properties| properties.iter().find(|property| property.key == key));
            match property {
                Some(property) => {
                    line = property.line;
                    expression = &property.value;
                }
                None => return line,
            }
        }
        line
    }
}

/// What every template that no other one uses as a module would deploy.
#[must_use]
pub fn deployments(world: &World<'_>) -> Vec<Deployed> {
    let mut used = BTreeSet::new();
    for (file, template) in world.templates() {
        for declaration in &template.declarations {
            if let Kind::Module { path, .. } = &declaration.kind {
                used.insert(relative(file, path));
            }
        }
    }
    let mut deployed = Vec::new();
    for (file, template) in world.templates() {
        if used.contains(*file) {
            continue;
        }
        let scope = Scope::new(world, file, template, BTreeMap::new());
        enter(file, template, &scope, 0, &mut deployed);
    }
    deployed
}

/// Modules in modules, at most this deep.
const DEEPEST: usize = 8;

fn enter(
    root: &str,
    template: &Template,
    scope: &Scope<'_>,
    depth: usize,
    deployed: &mut Vec<Deployed>,
) {
    for declaration in &template.declarations {
        match &declaration.kind {
            Kind::Resource {
                of,
                existing,
                body,
                nested_in,
                ..
            } => {
                for (inner, body, condition) in unrolled(scope, body) {
                    let parent = match body.get("parent").map(|parent| &parent.shape) {
                        Some(Shape::Name(symbol)) => Some(symbol.clone()),
                        Some(Shape::Index(symbol, _)) => Some(symbol.text.clone()),
                        _ => nested_in.clone(),
                    };
                    deployed.push(Deployed {
                        root: root.to_owned(),
                        file: scope.file().to_owned(),
                        line: declaration.line,
                        symbol: declaration.name.clone(),
                        of: of.clone(),
                        existing: *existing,
                        parent,
                        condition,
                        value: inner.value(body),
                        body: body.clone(),
                    });
                }
            }
            Kind::Module { path, body } if depth < DEEPEST => {
                for (inner, body, _) in unrolled(scope, body) {
                    if let Some((inside, module)) = inner.module(path, body) {
                        enter(root, module, &inside, depth + 1, deployed);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The object of a declaration's body for each run of its loop, with the condition that is around it.
fn unrolled<'a, 'b>(
    scope: &Scope<'a>,
    body: &'b Expression,
) -> Vec<(Scope<'a>, &'b Expression, Option<Value>)> {
    match &body.shape {
        Shape::For { body: inner, .. } => scope
            .iterations(body)
            .into_iter()
            .flat_map(|scope| unrolled(&scope, inner))
            .collect(),
        Shape::If {
            condition,
            body: inner,
        } => vec![(scope.clone(), inner, Some(scope.value(condition)))],
        _ => vec![(scope.clone(), body, None)],
    }
}
