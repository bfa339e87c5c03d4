//! What an expression's value is, as far as it can be known without a deployment.
//!
//! Names of variables and parameters, loops over known lists, conditions, members and interpolations are followed. Everything
//! that only Azure knows is [`Value::Unknown`] with the expression's text.

use std::collections::BTreeMap;

use super::model::{Expression, Kind, Part, Shape, Template};
use super::value::Value;
use super::world::{World, relative};

/// The names that an expression may use.
#[derive(Clone)]
pub struct Scope<'a> {
    world: &'a World<'a>,
    file: &'a str,
    template: &'a Template,
    /// Values given to parameters, and the variables of loops.
    given: BTreeMap<String, Value>,
    depth: usize,
}

/// A variable that refers to itself, which the compiler refuses, must not hang the checks.
const DEEPEST: usize = 60;

impl<'a> Scope<'a> {
    /// The scope of a template whose parameters have these values.
    #[must_use]
    pub fn new(
        world: &'a World<'a>,
        file: &'a str,
        template: &'a Template,
        given: BTreeMap<String, Value>,
    ) -> Self {
        Self {
            world,
            file,
            template,
            given,
            depth: 0,
        }
    }

    /// The expression's value.
    #[must_use]
    pub fn value(&self, expression: &Expression) -> Value {
        if self.depth > DEEPEST {
            return unknown(expression);
        }
        match &expression.shape {
            Shape::Text(parts) => self.string(parts),
            Shape::Number(number) => Value::Number(*number),
            Shape::Bool(bool) => Value::Bool(*bool),
            Shape::Null => Value::Null,
            Shape::Object(properties) => Value::Object(
                properties
                    .iter()
                    .map(|property| (property.key.clone(), self.value(&property.value)))
                    .collect(),
            ),
            Shape::Array(items) => {
                Value::Array(items.iter().map(|item| self.value(item)).collect())
            }
            Shape::For { body, .. } => Value::Array(
                self.iterations(expression)
                    .iter()
                    .map(|scope| scope.value(body))
                    .collect(),
            ),
            Shape::If { body, .. } => self.value(body),
            Shape::Name(name) => self.name(expression, name),
            Shape::Member(object, key) => self
                .output_or_name(object, key)
                .or_else(|| self.value(object).at(key).cloned())
                .unwrap_or_else(|| unknown(expression)),
            Shape::Index(object, index) => self.index(expression, object, index),
            Shape::Call(function, arguments) => self.call(expression, function, arguments),
            Shape::Conditional(condition, one, other) => match self.value(condition) {
                Value::Bool(true) => self.value(one),
                Value::Bool(false) => self.value(other),
                _ => unknown(expression),
            },
            Shape::Binary(left, operator, right) => {
                binary(self.value(left), operator, self.value(right))
                    .unwrap_or_else(|| unknown(expression))
            }
            Shape::Unary(operator, argument) => match (operator.as_str(), self.value(argument)) {
                ("!", Value::Bool(bool)) => Value::Bool(!bool),
                ("-", Value::Number(number)) => Value::Number(-number),
                _ => unknown(expression),
            },
            Shape::Lambda(..) | Shape::Other => unknown(expression),
        }
    }

    /// One scope for each run of a loop; a single one with unknown variables when the list is not known, and this scope when
    /// the expression is no loop.
    #[must_use]
    pub fn iterations(&self, expression: &Expression) -> Vec<Self> {
        let Shape::For {
            item, index, list, ..
        } = &expression.shape
        else {
            return vec![self.clone()];
        };
        let with = |value: Value, position: Option<usize>| {
            let mut scope = self.clone();
            scope.depth += 1;
            scope.given.insert(item.clone(), value);
            if let Some(index) = index {
                let position = position.and_then(|position| i64::try_from(position).ok());
                let position =
                    position.map_or_else(|| Value::Unknown(index.clone()), Value::Number);
                scope.given.insert(index.clone(), position);
            }
            scope
        };
        match self.value(list) {
            Value::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(position, value)| with(value, Some(position)))
                .collect(),
            _ => vec![with(Value::Unknown(item.clone()), None)],
        }
    }

    /// A string with interpolations that are not known is unknown too; its text then has the known ones filled in.
    fn string(&self, parts: &[Part]) -> Value {
        let mut text = String::new();
        let mut known = true;
        for part in parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Interpolated(inner) => match self.value(inner) {
                    Value::Text(value) => text.push_str(&value),
                    Value::Number(number) => text.push_str(&number.to_string()),
                    Value::Bool(bool) => text.push_str(if bool { "True" } else { "False" }),
                    _ => {
                        known = false;
                        text.push_str(&format!("${{{}}}", inner.text));
                    }
                },
            }
        }
        if known {
            Value::Text(text)
        } else {
            Value::Unknown(text)
        }
    }

    fn name(&self, expression: &Expression, name: &str) -> Value {
        if let Some(value) = self.given.get(name) {
            return value.clone();
        }
        let mut inner = self.clone();
        inner.depth += 1;
        match self.template.declaration(name).map(|found| &found.kind) {
            Some(Kind::Variable(value)) => inner.value(value),
            Some(Kind::Parameter {
                default: Some(default),
                ..
            }) => inner.value(default),
            _ => unknown(expression),
        }
    }

    /// `module.outputs.key` or `resource.name`, also of one of several made by a loop.
    fn output_or_name(&self, object: &Expression, key: &str) -> Option<Value> {
        let (symbol, index) = match &object.shape {
            Shape::Member(module, word) if word == "outputs" => symbol_of(module)?,
            _ if key == "name" => symbol_of(object)?,
            _ => return None,
        };
        if self.given.contains_key(symbol) {
            return None;
        }
        let mut scope = self.clone();
        scope.depth += 1;
        let declared = &self.template.declaration(symbol)?.kind;
        let body = match declared {
            Kind::Resource { body, .. } | Kind::Module { body, .. } => body,
            _ => return None,
        };
        let (scope, body) = match (&body.shape, index) {
            (Shape::For { body, .. }, Some(index)) => {
                let Value::Number(index) = self.value(index) else {
                    return None;
                };
                let runs = scope.iterations(body_of_loop(declared)?);
                (runs.into_iter().nth(usize::try_from(index).ok()?)?, &**body)
            }
            _ => (scope, body),
        };
        match declared {
            Kind::Module { path, .. } => scope.module(path, body).and_then(|(inner, module)| {
                module
                    .declarations
                    .iter()
                    .find_map(|declaration| match &declaration.kind {
                        Kind::Output { value, .. } if declaration.name == key => {
                            Some(inner.value(value))
                        }
                        _ => None,
                    })
            }),
            _ => body.get("name").map(|name| scope.value(name)),
        }
    }

    /// The scope inside a module that is called with this body.
    #[must_use]
    pub fn module(&self, path: &str, body: &Expression) -> Option<(Self, &'a Template)> {
        let path = relative(self.file, path);
        let (file, template) = self.world.templates().get_key_value(path.as_str())?;
        let given = match body.get("params").map(|params| self.value(params)) {
            Some(Value::Object(given)) => given.into_iter().collect(),
            _ => BTreeMap::new(),
        };
        let mut scope = Self::new(self.world, file, template, given);
        scope.depth = self.depth + 1;
        Some((scope, template))
    }

    /// The file that the scope belongs to.
    #[must_use]
    pub fn file(&self) -> &'a str {
        self.file
    }

    fn index(&self, expression: &Expression, object: &Expression, index: &Expression) -> Value {
        let found = match (self.value(object), self.value(index)) {
            (Value::Array(items), Value::Number(index)) => usize::try_from(index)
                .ok()
                .and_then(|index| items.get(index).cloned()),
            (Value::Object(properties), Value::Text(key)) => properties
                .into_iter()
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value),
            _ => None,
        };
        found.unwrap_or_else(|| unknown(expression))
    }

    fn call(
        &self,
        expression: &Expression,
        function: &Expression,
        arguments: &[Expression],
    ) -> Value {
        let Shape::Name(name) = &function.shape else {
            return unknown(expression);
        };
        let values: Vec<Value> = arguments
            .iter()
            .map(|argument| self.value(argument))
            .collect();
        let result = match (name.as_str(), values.as_slice()) {
            ("string", [Value::Text(text)]) => Some(Value::Text(text.clone())),
            ("string", [Value::Number(number)]) => Some(Value::Text(number.to_string())),
            ("int", [Value::Number(number)]) => Some(Value::Number(*number)),
            ("empty", [Value::Text(text)]) => Some(Value::Bool(text.is_empty())),
            ("empty", [Value::Array(items)]) => Some(Value::Bool(items.is_empty())),
            ("toLower", [Value::Text(text)]) => Some(Value::Text(text.to_lowercase())),
            ("concat", values) if values.iter().all(|value| matches!(value, Value::Array(_))) => {
                Some(Value::Array(
                    values
                        .iter()
                        .flat_map(|value| value.items().to_vec())
                        .collect(),
                ))
            }
            ("union", values) if values.iter().all(|value| matches!(value, Value::Object(_))) => {
                Some(union(values))
            }
            ("subscriptionResourceId", [Value::Text(of), Value::Text(name)]) => {
                Some(Value::Text(format!("/providers/{of}/{name}")))
            }
            ("loadJsonContent", [Value::Text(path)]) => self.loaded(path),
            _ => None,
        };
        result.unwrap_or_else(|| unknown(expression))
    }

    fn loaded(&self, path: &str) -> Option<Value> {
        let text = self.world.text(&relative(self.file, path))?;
        let json: serde_json::Value = serde_json::from_str(text).ok()?;
        Some(Value::of_json(&json))
    }
}

/// The symbol, and the index where one of several is meant.
fn symbol_of(expression: &Expression) -> Option<(&str, Option<&Expression>)> {
    match &expression.shape {
        Shape::Name(name) => Some((name, None)),
        Shape::Index(object, index) => match &object.shape {
            Shape::Name(name) => Some((name, Some(index))),
            _ => None,
        },
        _ => None,
    }
}

fn body_of_loop(kind: &Kind) -> Option<&Expression> {
    match kind {
        Kind::Resource { body, .. } | Kind::Module { body, .. } => Some(body),
        _ => None,
    }
}

/// A later object's members replace an earlier one's.
fn union(objects: &[Value]) -> Value {
    let mut members: Vec<(String, Value)> = Vec::new();
    for object in objects {
        if let Value::Object(properties) = object {
            for (key, value) in properties {
                members.retain(|(known, _)| known != key);
                members.push((key.clone(), value.clone()));
            }
        }
    }
    Value::Object(members)
}

fn binary(left: Value, operator: &str, right: Value) -> Option<Value> {
    let known = |value: &Value| !matches!(value, Value::Unknown(_));
    Some(match (left, operator, right) {
        (left, "==", right) if known(&left) && known(&right) => Value::Bool(left == right),
        (left, "!=", right) if known(&left) && known(&right) => Value::Bool(left != right),
        (Value::Bool(false), "&&", _) | (_, "&&", Value::Bool(false)) => Value::Bool(false),
        (Value::Bool(true), "&&", Value::Bool(true)) => Value::Bool(true),
        (Value::Bool(true), "||", _) | (_, "||", Value::Bool(true)) => Value::Bool(true),
        (Value::Bool(false), "||", Value::Bool(false)) => Value::Bool(false),
        (Value::Number(left), "+", Value::Number(right)) => Value::Number(left.checked_add(right)?),
        (Value::Number(left), "-", Value::Number(right)) => Value::Number(left.checked_sub(right)?),
        (Value::Number(left), "*", Value::Number(right)) => Value::Number(left.checked_mul(right)?),
        (Value::Number(left), ">", Value::Number(right)) => Value::Bool(left > right),
        (Value::Number(left), "<", Value::Number(right)) => Value::Bool(left < right),
        (Value::Number(left), ">=", Value::Number(right)) => Value::Bool(left >= right),
        (Value::Number(left), "<=", Value::Number(right)) => Value::Bool(left <= right),
        _ => return None,
    })
}

fn unknown(expression: &Expression) -> Value {
    Value::Unknown(expression.text.clone())
}
