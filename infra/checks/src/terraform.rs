//! Terraform files as blocks, and the walk over their expressions.

use hcl::expr::{Expression, ObjectKey, Operation, TraversalOperator};
use hcl::structure::Block;
use hcl::template::{Directive, Element, Template};

use crate::Tree;

/// All `.tf` files of a folder: for Terraform they are one.
pub struct Configuration<'a> {
    /// The top-level blocks with their files.
    pub blocks: Vec<(&'a str, Block)>,
    /// Files that cannot be parsed, with the line and the reason.
    pub errors: Vec<(&'a str, usize, String)>,
}

impl<'a> Configuration<'a> {
    /// Reads the folder.
    #[must_use]
    pub fn read(tree: &'a Tree, folder: &'a str) -> Self {
        let mut configuration = Self {
            blocks: Vec::new(),
            errors: Vec::new(),
        };
        for (file, text) in tree.below(folder, "tf") {
            match hcl::parse(text) {
                Ok(body) => configuration
                    .blocks
                    .extend(body.into_blocks().map(|block| (file, block))),
                Err(error) => {
                    let line = match &error {
                        hcl::Error::Parse(error) => error.location().line(),
                        _ => 0,
                    };
                    configuration.errors.push((file, line, error.to_string()));
                }
            }
        }
        configuration
    }

    /// The blocks of one kind: `resource`, `variable`, …
    pub fn of<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = (&'a str, &'b Block)> {
        self.blocks
            .iter()
            .filter(move |(_, block)| block.identifier() == kind)
            .map(|(file, block)| (*file, block))
    }

    /// The value of a local.
    #[must_use]
    pub fn local(&self, name: &str) -> Option<&Expression> {
        self.of("locals")
            .find_map(|(_, block)| attribute(block, name))
    }
}

/// The labels of a block.
#[must_use]
pub fn labels(block: &Block) -> Vec<&str> {
    block
        .labels()
        .iter()
        .map(hcl::structure::BlockLabel::as_str)
        .collect()
}

/// The value of an attribute directly in a block.
#[must_use]
pub fn attribute<'a>(block: &'a Block, name: &str) -> Option<&'a Expression> {
    block
        .body()
        .attributes()
        .find(|attribute| attribute.key() == name)
        .map(hcl::structure::Attribute::expr)
}

/// What [`visit`] meets.
pub enum Met<'a> {
    /// A reference: the first name, and the names after it as far as they are plain.
    Reference(&'a str, Vec<&'a str>),
    /// A call with its arguments.
    Call(&'a str, &'a [Expression]),
    /// A literal piece of text.
    Text,
}

/// Calls `each` for what is inside an expression; `bound` holds the names that loops around it have bound.
pub fn visit(
    expression: &Expression,
    bound: &mut Vec<String>,
    each: &mut dyn FnMut(&Met<'_>, &[String]),
) {
    match expression {
        Expression::String(_) => each(&Met::Text, bound),
        Expression::Array(items) => items.iter().for_each(|item| visit(item, bound, each)),
        Expression::Object(members) => {
            for (key, value) in members {
                if let ObjectKey::Expression(key) = key {
                    visit(key, bound, each);
                }
                visit(value, bound, each);
            }
        }
        Expression::TemplateExpr(template) => {
            if let Ok(template) = Template::from_expr(template) {
                visit_template(&template, bound, each);
            }
        }
        Expression::Variable(name) => each(&Met::Reference(name.as_str(), Vec::new()), bound),
        Expression::Traversal(traversal) => {
            if let Expression::Variable(name) = &traversal.expr {
                let path = traversal
                    .operators
                    .iter()
                    .map_while(|operator| match operator {
                        TraversalOperator::GetAttr(name) => Some(name.as_str()),
                        _ => None,
                    })
                    .collect();
                each(&Met::Reference(name.as_str(), path), bound);
            } else {
                visit(&traversal.expr, bound, each);
            }
            for operator in &traversal.operators {
                if let TraversalOperator::Index(index) = operator {
                    visit(index, bound, each);
                }
            }
        }
        Expression::FuncCall(call) => {
            each(&Met::Call(call.name.name.as_str(), &call.args), bound);
            call.args
                .iter()
                .for_each(|argument| visit(argument, bound, each));
        }
        Expression::Parenthesis(inner) => visit(inner, bound, each),
        Expression::Conditional(conditional) => {
            visit(&conditional.cond_expr, bound, each);
            visit(&conditional.true_expr, bound, each);
            visit(&conditional.false_expr, bound, each);
        }
        Expression::Operation(operation) => match &**operation {
            Operation::Unary(unary) => visit(&unary.expr, bound, each),
            Operation::Binary(binary) => {
                visit(&binary.lhs_expr, bound, each);
                visit(&binary.rhs_expr, bound, each);
            }
        },
        Expression::ForExpr(repeated) => {
            visit(&repeated.collection_expr, bound, each);
            let before = bound.len();
            bound.push(repeated.value_var.to_string());
            bound.extend(repeated.key_var.as_ref().map(ToString::to_string));
            let inner = [
                repeated.key_expr.as_ref(),
                Some(&repeated.value_expr),
                repeated.cond_expr.as_ref(),
            ];
            for expression in inner.into_iter().flatten() {
                visit(expression, bound, each);
            }
            bound.truncate(before);
        }
        _ => {}
    }
}

fn visit_template(
    template: &Template,
    bound: &mut Vec<String>,
    each: &mut dyn FnMut(&Met<'_>, &[String]),
) {
    for element in template.elements() {
        match element {
            Element::Literal(_) => each(&Met::Text, bound),
            Element::Interpolation(interpolation) => visit(&interpolation.expr, bound, each),
            Element::Directive(directive) => match &**directive {
                Directive::If(choice) => {
                    visit(&choice.cond_expr, bound, each);
                    visit_template(&choice.true_template, bound, each);
                    if let Some(other) = &choice.false_template {
                        visit_template(other, bound, each);
                    }
                }
                Directive::For(repeated) => {
                    visit(&repeated.collection_expr, bound, each);
                    let before = bound.len();
                    bound.push(repeated.value_var.to_string());
                    bound.extend(repeated.key_var.as_ref().map(ToString::to_string));
                    visit_template(&repeated.template, bound, each);
                    bound.truncate(before);
                }
            },
        }
    }
}

/// Visits every expression of a block and of the blocks in it. The label of a `dynamic` block is a name in its content.
pub fn visit_block(
    block: &Block,
    bound: &mut Vec<String>,
    each: &mut dyn FnMut(&Met<'_>, &[String]),
) {
    let before = bound.len();
    if block.identifier() == "dynamic" {
        bound.extend(labels(block).first().map(|label| (*label).to_owned()));
    }
    for attribute in block.body().attributes() {
        visit(attribute.expr(), bound, each);
    }
    for inner in block.body().blocks() {
        visit_block(inner, bound, each);
    }
    bound.truncate(before);
}

/// The keys of an object with plain keys.
#[must_use]
pub fn keys(expression: &Expression) -> Vec<&str> {
    match expression {
        Expression::Object(members) => members
            .keys()
            .filter_map(|key| match key {
                ObjectKey::Identifier(name) => Some(name.as_str()),
                ObjectKey::Expression(Expression::String(name)) => Some(name.as_str()),
                ObjectKey::Expression(Expression::Variable(name)) => Some(name.as_str()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}
