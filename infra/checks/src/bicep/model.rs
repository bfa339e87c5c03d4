//! A template as data: declarations and expressions, each with its line.

/// One `.bicep` file.
#[derive(Debug, Clone, Default)]
pub struct Template {
    /// In the order of the file; resources nested in others follow their parents.
    pub declarations: Vec<Declaration>,
    /// What `targetScope` says; a resource group without it.
    pub target_scope: Option<String>,
}

/// A `param`, `var`, `output`, `resource` or `module`.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// Symbolic name.
    pub name: String,
    /// Line of the keyword, from 1.
    pub line: usize,
    /// The decorators above it.
    pub decorators: Vec<Decorator>,
    /// What is declared.
    pub kind: Kind,
}

/// `@name(arguments)`, with `sys.` dropped.
#[derive(Debug, Clone)]
pub struct Decorator {
    /// Without the at sign.
    pub name: String,
    /// What stands between the parentheses.
    pub arguments: Vec<Expression>,
}

/// What a declaration declares.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `param name type = default`
    Parameter {
        /// The type as written.
        of: String,
        /// Without one, a value must be given.
        default: Option<Expression>,
    },
    /// `var name = value`
    Variable(Expression),
    /// `output name type = value`
    Output {
        /// The type as written.
        of: String,
        /// The value.
        value: Expression,
    },
    /// `resource name 'type@version' = body`
    Resource {
        /// E.g. `Microsoft.Storage/storageAccounts`; for a nested resource the full type.
        of: String,
        /// The API version.
        version: String,
        /// Only a reference to a resource that is there already.
        existing: bool,
        /// The object, or a loop or condition around it.
        body: Expression,
        /// Symbol of the resource in which this one is nested.
        nested_in: Option<String>,
    },
    /// `module name 'path' = body`
    Module {
        /// As written.
        path: String,
        /// The object, or a loop or condition around it.
        body: Expression,
    },
    /// Anything else: `type`, `func`, `metadata`, `assert`, …
    Other,
}

/// An expression and where it stands.
#[derive(Debug, Clone)]
pub struct Expression {
    /// Line of its first character, from 1.
    pub line: usize,
    /// As written.
    pub text: String,
    /// What it is.
    pub shape: Shape,
}

/// The kinds of expressions.
#[derive(Debug, Clone)]
pub enum Shape {
    /// A string, `'…'` or `'''…'''`.
    Text(Vec<Part>),
    /// A whole number.
    Number(i64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// `{ … }`
    Object(Vec<Property>),
    /// `[ … ]`
    Array(Vec<Expression>),
    /// `[for variable in list: body]`
    For {
        /// Name of the item.
        item: String,
        /// Name of its position, when it has one.
        index: Option<String>,
        /// What is walked.
        list: Box<Expression>,
        /// What each item becomes.
        body: Box<Expression>,
    },
    /// `if (condition) { … }`
    If {
        /// When it is there.
        condition: Box<Expression>,
        /// What is there.
        body: Box<Expression>,
    },
    /// A name.
    Name(String),
    /// `object.property`, `object.?property`, `object!.property`, and `object::resource`.
    Member(Box<Expression>, String),
    /// `object[index]`
    Index(Box<Expression>, Box<Expression>),
    /// `function(arguments)`; the function may be a member, as in `resource.listKeys()`.
    Call(Box<Expression>, Vec<Expression>),
    /// `condition ? one : other`
    Conditional(Box<Expression>, Box<Expression>, Box<Expression>),
    /// `left operator right`
    Binary(Box<Expression>, String, Box<Expression>),
    /// `!` or `-` before an expression.
    Unary(String, Box<Expression>),
    /// `parameters => body`
    Lambda(Box<Expression>, Box<Expression>),
    /// Something that no rule looks into.
    Other,
}

/// A piece of a string.
#[derive(Debug, Clone)]
pub enum Part {
    /// As it stands, escapes resolved.
    Literal(String),
    /// `${expression}`
    Interpolated(Expression),
}

/// `key: value` of an object.
#[derive(Debug, Clone)]
pub struct Property {
    /// The key; an interpolated one as written.
    pub key: String,
    /// Line of the key.
    pub line: usize,
    /// The value.
    pub value: Expression,
}

impl Template {
    /// The declaration with this symbolic name. Outputs have a name space of their own and are not among these.
    #[must_use]
    pub fn declaration(&self, name: &str) -> Option<&Declaration> {
        self.declarations.iter().find(|declaration| {
            declaration.name == name && !matches!(declaration.kind, Kind::Output { .. })
        })
    }

    /// Calls `each` with every expression of the template, outer ones first.
    pub fn visit<'a>(&'a self, each: &mut dyn FnMut(&'a Expression)) {
        for declaration in &self.declarations {
            for argument in declaration.decorators.iter().flat_map(|d| &d.arguments) {
                argument.visit(each);
            }
            match &declaration.kind {
                Kind::Parameter { default, .. } => {
                    if let Some(default) = default {
                        default.visit(each);
                    }
                }
                Kind::Variable(value)
                | Kind::Output { value, .. }
                | Kind::Resource { body: value, .. }
                | Kind::Module { body: value, .. } => value.visit(each),
                Kind::Other => {}
            }
        }
    }
}

impl Declaration {
    /// Whether one of the decorators has this name.
    #[must_use]
    pub fn has_decorator(&self, name: &str) -> bool {
        self.decorators.iter().any(|found| found.name == name)
    }
}

impl Expression {
    /// Calls `each` with this expression and all inside it, outer ones first.
    pub fn visit<'a>(&'a self, each: &mut dyn FnMut(&'a Self)) {
        each(self);
        match &self.shape {
            Shape::Text(parts) => {
                for part in parts {
                    if let Part::Interpolated(inner) = part {
                        inner.visit(each);
                    }
                }
            }
            Shape::Object(properties) => {
                for property in properties {
                    property.value.visit(each);
                }
            }
            Shape::Array(items) => {
                for item in items {
                    item.visit(each);
                }
            }
            Shape::For { list, body, .. } => {
                list.visit(each);
                body.visit(each);
            }
            Shape::If { condition, body } => {
                condition.visit(each);
                body.visit(each);
            }
            Shape::Member(object, _) | Shape::Unary(_, object) => object.visit(each),
            Shape::Index(one, other) | Shape::Binary(one, _, other) | Shape::Lambda(one, other) => {
                one.visit(each);
                other.visit(each);
            }
            Shape::Call(function, arguments) => {
                function.visit(each);
                for argument in arguments {
                    argument.visit(each);
                }
            }
            Shape::Conditional(condition, one, other) => {
                condition.visit(each);
                one.visit(each);
                other.visit(each);
            }
            Shape::Number(_) | Shape::Bool(_) | Shape::Null | Shape::Name(_) | Shape::Other => {}
        }
    }

    /// The object inside loops and conditions.
    #[must_use]
    pub fn object(&self) -> Option<&[Property]> {
        match &self.shape {
            Shape::Object(properties) => Some(properties),
            Shape::For { body, .. } | Shape::If { body, .. } => body.object(),
            _ => None,
        }
    }

    /// The value at a key of the object inside loops and conditions.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.object()?
            .iter()
            .find(|property| property.key == key)
            .map(|property| &property.value)
    }

    /// The text of a string without interpolations.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        let Shape::Text(parts) = &self.shape else {
            return None;
        };
        parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => Some(text.as_str()),
                Part::Interpolated(_) => None,
            })
            .collect()
    }
}
