//! From text to [`Template`], by the tree-sitter grammar of Bicep.
//!
//! The grammar knows no `extension` lines, so those are blanked first. It is more generous than the compiler in places; what
//! it refuses, though, is either wrong or one of the exotic forms (spread, `resourceInput<>`) that our templates do without.

use tree_sitter::{Node, Parser};

use super::model::{Declaration, Decorator, Expression, Kind, Part, Property, Shape, Template};

/// A place that the grammar cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// From 1.
    pub line: usize,
    /// What stands there, shortened.
    pub text: String,
}

/// Parses a template. What can be read is returned beside the errors.
#[must_use]
pub fn parse(text: &str) -> (Template, Vec<SyntaxError>) {
    let text = without_extensions(text);
    let mut parser = Parser::new();
    let tree = parser
        .set_language(&tree_sitter_bicep::LANGUAGE.into())
        .ok()
        .and_then(|()| parser.parse(&text, None));
    let Some(tree) = tree else {
        let nothing = SyntaxError {
            line: 0,
            text: "the grammar does not load".to_owned(),
        };
        return (Template::default(), vec![nothing]);
    };
    let reader = Reader { text: &text };
    let mut errors = Vec::new();
    if tree.root_node().has_error() {
        reader.errors(tree.root_node(), &mut errors);
    }
    (reader.template(tree.root_node()), errors)
}

/// The text with every `extension …` line replaced by spaces, so that lines and columns stay.
fn without_extensions(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| {
            if line.starts_with("extension ") {
                let end = line.trim_end_matches(['\r', '\n']).len();
                format!("{}{}", " ".repeat(end), &line[end..])
            } else {
                line.to_owned()
            }
        })
        .collect()
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn source(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
    }

    fn errors(&self, node: Node<'_>, errors: &mut Vec<SyntaxError>) {
        if node.is_error() || node.is_missing() {
            let text = self.source(node).lines().next().unwrap_or_default();
            errors.push(SyntaxError {
                line: line(node),
                text: text.chars().take(60).collect(),
            });
            return;
        }
        for child in children(node) {
            self.errors(child, errors);
        }
    }

    fn template(&self, root: Node<'_>) -> Template {
        let mut template = Template::default();
        let mut decorators = Vec::new();
        for node in named(root) {
            match node.kind() {
                "decorators" => decorators.extend(self.decorators(node)),
                "target_scope_assignment" => {
                    template.target_scope = first(node, "string")
                        .map(|string| self.expression(string))
                        .and_then(|scope| scope.literal());
                }
                "comment" | "diagnostic_comment" => {}
                _ => self.declaration(
                    node,
                    std::mem::take(&mut decorators),
                    None,
                    &mut template.declarations,
                ),
            }
        }
        template
    }

    fn decorators(&self, node: Node<'_>) -> Vec<Decorator> {
        named(node)
            .filter(|child| child.kind() == "decorator")
            .filter_map(|decorator| {
                let call = self.expression(named(decorator).next()?);
                let Shape::Call(function, arguments) = call.shape else {
                    return None;
                };
                let name = match function.shape {
                    Shape::Name(name) | Shape::Member(_, name) => name,
                    _ => return None,
                };
                Some(Decorator { name, arguments })
            })
            .collect()
    }

    /// Reads one declaration into `into`, and after it the resources that are nested in it.
    fn declaration(
        &self,
        node: Node<'_>,
        decorators: Vec<Decorator>,
        parent: Option<(&str, &str)>,
        into: &mut Vec<Declaration>,
    ) {
        let Some(name) = named(node).find(|child| child.kind() == "identifier") else {
            return;
        };
        let name = self.source(name).to_owned();
        let value = named(node)
            .filter(|child| child.kind() != "comment")
            .last()
            .map(|child| self.expression(child));
        let of = first(node, "type").map(|of| self.source(of).to_owned());
        let mut nested = Vec::new();
        let kind = match (node.kind(), value) {
            ("parameter_declaration", value) => {
                let has_default = children(node).any(|child| child.kind() == "=");
                Kind::Parameter {
                    of: of.unwrap_or_default(),
                    default: value.filter(|_| has_default),
                }
            }
            ("variable_declaration", Some(value)) => Kind::Variable(value),
            ("output_declaration", Some(value)) => Kind::Output {
                of: of.unwrap_or_default(),
                value,
            },
            ("module_declaration", Some(body)) => Kind::Module {
                path: self.literal_of(node),
                body,
            },
            ("resource_declaration", Some(body)) => {
                let written = self.literal_of(node);
                let (of, version) = written.split_once('@').unwrap_or((&written, ""));
                let of = match parent {
                    Some((_, parent)) => format!("{parent}/{of}"),
                    None => of.to_owned(),
                };
                nested = nested_resources(node);
                Kind::Resource {
                    of,
                    version: version.to_owned(),
                    existing: children(node).any(|child| child.kind() == "existing"),
                    body,
                    nested_in: parent.map(|(symbol, _)| symbol.to_owned()),
                }
            }
            _ => Kind::Other,
        };
        let of = match &kind {
            Kind::Resource { of, .. } => of.clone(),
            _ => String::new(),
        };
        into.push(Declaration {
            name: name.clone(),
            line: line(node),
            decorators,
            kind,
        });
        for child in nested {
            self.declaration(child, Vec::new(), Some((&name, &of)), into);
        }
    }

    fn literal_of(&self, node: Node<'_>) -> String {
        first(node, "string")
            .map(|string| self.expression(string))
            .and_then(|string| string.literal())
            .unwrap_or_default()
    }

    fn expression(&self, node: Node<'_>) -> Expression {
        Expression {
            line: line(node),
            text: self.source(node).to_owned(),
            shape: self.shape(node),
        }
    }

    fn boxed(&self, node: Option<Node<'_>>) -> Box<Expression> {
        Box::new(node.map_or(
            Expression {
                line: 0,
                text: String::new(),
                shape: Shape::Other,
            },
            |node| self.expression(node),
        ))
    }

    fn shape(&self, node: Node<'_>) -> Shape {
        let field = |name| node.child_by_field_name(name);
        match node.kind() {
            "string" => self.string(node),
            "number" => self
                .source(node)
                .parse()
                .map_or(Shape::Other, Shape::Number),
            "boolean" => Shape::Bool(self.source(node) == "true"),
            "null" => Shape::Null,
            "identifier" | "property_identifier" => Shape::Name(self.source(node).to_owned()),
            "object" => Shape::Object(
                named(node)
                    .filter(|child| child.kind() == "object_property")
                    .filter_map(|property| self.property(property))
                    .collect(),
            ),
            "array" => Shape::Array(
                named(node)
                    .filter(|child| !matches!(child.kind(), "comment" | "decorators"))
                    .map(|child| self.expression(child))
                    .collect(),
            ),
            "for_statement" => self.for_loop(node),
            "if_statement" => Shape::If {
                condition: self.boxed(first(node, "parenthesized_expression")),
                body: self.boxed(first(node, "object")),
            },
            // With one member the parentheses only group; with several they are a lambda's parameters.
            "parenthesized_expression" => {
                let inner: Vec<Node<'_>> = named(node).collect();
                match inner.as_slice() {
                    [one] => self.shape(*one),
                    _ => Shape::Array(inner.into_iter().map(|one| self.expression(one)).collect()),
                }
            }
            // `value!` only promises that the value is not null.
            "nullable_type" => named(node)
                .next()
                .map_or(Shape::Other, |inner| self.shape(inner)),
            "member_expression" => Shape::Member(
                self.boxed(field("object")),
                field("property")
                    .map(|property| self.source(property).to_owned())
                    .unwrap_or_default(),
            ),
            "resource_expression" => Shape::Member(
                self.boxed(field("object")),
                field("resource")
                    .map(|resource| self.source(resource).to_owned())
                    .unwrap_or_default(),
            ),
            "subscript_expression" => {
                Shape::Index(self.boxed(field("object")), self.boxed(field("index")))
            }
            "call_expression" => Shape::Call(
                self.boxed(field("function")),
                field("arguments").map_or_else(Vec::new, |arguments| {
                    named(arguments)
                        .filter(|argument| argument.kind() != "comment")
                        .map(|argument| self.expression(argument))
                        .collect()
                }),
            ),
            "ternary_expression" => Shape::Conditional(
                self.boxed(field("condition")),
                self.boxed(field("consequence")),
                self.boxed(field("alternative")),
            ),
            "binary_expression" => Shape::Binary(
                self.boxed(field("left")),
                field("operator")
                    .map(|operator| self.source(operator).to_owned())
                    .unwrap_or_default(),
                self.boxed(field("right")),
            ),
            "unary_expression" => Shape::Unary(
                field("operator")
                    .map(|operator| self.source(operator).to_owned())
                    .unwrap_or_default(),
                self.boxed(field("argument")),
            ),
            "lambda_expression" => {
                let mut inner = named(node);
                Shape::Lambda(self.boxed(inner.next()), self.boxed(inner.next()))
            }
            _ => Shape::Other,
        }
    }

    fn for_loop(&self, node: Node<'_>) -> Shape {
        let (item, index) = match first(node, "for_loop_parameters") {
            Some(parameters) => {
                let name = |kind| first(parameters, kind).map(|name| self.source(name).to_owned());
                (
                    name("loop_variable").unwrap_or_default(),
                    name("loop_enumerator"),
                )
            }
            None => (
                node.child_by_field_name("initializer")
                    .map(|item| self.source(item).to_owned())
                    .unwrap_or_default(),
                None,
            ),
        };
        let mut after_in = children(node)
            .skip_while(|child| child.kind() != "in")
            .skip(1);
        let list = after_in.find(|child| child.is_named() && child.kind() != "comment");
        Shape::For {
            item,
            index,
            list: self.boxed(list),
            body: self.boxed(node.child_by_field_name("body")),
        }
    }

    fn property(&self, node: Node<'_>) -> Option<Property> {
        let mut parts = named(node).filter(|child| child.kind() != "comment");
        let key = parts.next()?;
        if key.kind() == "resource_declaration" {
            return None;
        }
        let value = parts.next()?;
        let name = if key.kind() == "string" {
            let key = self.expression(key);
            key.literal().unwrap_or(key.text)
        } else {
            self.source(key).to_owned()
        };
        Some(Property {
            key: name,
            line: line(key),
            value: self.expression(value),
        })
    }

    /// The pieces of a string. The grammar drops white space after an interpolation, so the text is cut here.
    fn string(&self, node: Node<'_>) -> Shape {
        let source = self.source(node);
        if let Some(inner) = source
            .strip_prefix("'''")
            .and_then(|rest| rest.strip_suffix("'''"))
        {
            let inner = inner.strip_prefix("\r\n").unwrap_or(inner);
            let inner = inner.strip_prefix('\n').unwrap_or(inner);
            return Shape::Text(vec![Part::Literal(inner.to_owned())]);
        }
        let mut parts = Vec::new();
        let literal = |parts: &mut Vec<Part>, from: usize, to: usize| {
            if from < to {
                parts.push(Part::Literal(unescaped(&self.text[from..to])));
            }
        };
        let mut from = node.start_byte() + 1;
        for interpolation in named(node).filter(|child| child.kind() == "interpolation") {
            literal(&mut parts, from, interpolation.start_byte());
            if let Some(inner) = named(interpolation).next() {
                parts.push(Part::Interpolated(self.expression(inner)));
            }
            from = interpolation.end_byte();
        }
        literal(&mut parts, from, node.end_byte().saturating_sub(1));
        Shape::Text(parts)
    }
}

/// Bicep's escapes: `\\ \' \n \r \t \$ \u{…}`.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match rest.next() {
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('t') => plain.push('\t'),
            Some('u') => {
                let digits: String = rest
                    .by_ref()
                    .skip_while(|character| *character == '{')
                    .take_while(|character| *character != '}')
                    .collect();
                let code = u32::from_str_radix(&digits, 16).ok();
                plain.extend(code.and_then(char::from_u32));
            }
            Some(other) => plain.push(other),
            None => {}
        }
    }
    plain
}

fn line(node: Node<'_>) -> usize {
    node.start_position().row + 1
}

fn children(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    (0..node.child_count()).filter_map(move |index| node.child(u32::try_from(index).ok()?))
}

fn named(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    children(node).filter(|child| child.is_named())
}

fn first<'tree>(node: Node<'tree>, kind: &str) -> Option<Node<'tree>> {
    named(node).find(|child| child.kind() == kind)
}

/// The resources declared directly in the body of a resource.
fn nested_resources(node: Node<'_>) -> Vec<Node<'_>> {
    let mut body = named(node).last();
    loop {
        match body {
            Some(node) if node.kind() == "object" => {
                return named(node)
                    .filter(|child| child.kind() == "object_property")
                    .filter_map(|property| first(property, "resource_declaration"))
                    .collect();
            }
            Some(node) if matches!(node.kind(), "if_statement" | "for_statement") => {
                body = named(node).last();
            }
            _ => return Vec::new(),
        }
    }
}
