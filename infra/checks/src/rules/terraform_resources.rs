//! The resources of the Terraform configuration: attributes of the table, secrets that stay secret, rights that are few.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use hcl::expr::Expression;
use hcl::structure::Block;

use super::terraform::Rules;
use crate::tables::{Allowed, Node, read};
use crate::terraform::{Met, attribute, keys, labels, visit};

static TYPES: LazyLock<BTreeMap<String, Node>> =
    LazyLock::new(|| read(include_str!("../../types/genesys.txt")));

/// Arguments and blocks that Terraform itself knows for every resource.
const META: &[&str] = &[
    "count",
    "for_each",
    "provider",
    "depends_on",
    "lifecycle",
    "timeouts",
];

/// Attributes whose values end up in the state as they are.
const SECRET_ATTRIBUTES: &[&str] = &["outbound_notification_webhook_signature_secret_token"];

/// Keys of a credential's fields that hold a secret.
const SECRET_FIELDS: &[&str] = &["clientSecret", "password", "secret", "apiKey"];

pub(super) fn check(rules: &mut Rules<'_>) {
    let configuration = rules.configuration;
    let sensitive = rules.sensitive();
    let mut resources = Resources { rules };
    for (file, block) in configuration.of("resource") {
        let [of, name] = labels(block)[..] else {
            continue;
        };
        let needle = format!("resource \"{of}\" \"{name}\"");
        match TYPES.get(of) {
            Some(node) => resources.block(file, &needle, block, node, of),
            None => resources.rules.report(
                "terraform-type",
                file,
                &needle,
                format!("{of} is not in the table of resource types"),
            ),
        }
        resources.secrets(file, &needle, block, &sensitive);
        if of == "genesyscloud_auth_role" {
            resources.role(file, &needle, block);
        }
    }
}

struct Resources<'a, 'b> {
    rules: &'a mut Rules<'b>,
}

impl Resources<'_, '_> {
    fn block(&mut self, file: &str, needle: &str, block: &Block, node: &Node, path: &str) {
        let top = node.members.is_empty() || !path.contains('.');
        let mut found = BTreeSet::new();
        for attribute in block.body().attributes() {
            let key = attribute.key();
            if top && META.contains(&key) {
                continue;
            }
            found.insert(key.to_owned());
            match node.members.get(key) {
                Some(member) if member.members.is_empty() => {
                    self.value(file, attribute.expr(), member, &format!("{path}.{key}"));
                }
                Some(_) => self.rules.report(
                    "terraform-attribute",
                    file,
                    needle,
                    format!("{path}.{key} is a block, not an attribute"),
                ),
                None => self.rules.report(
                    "terraform-attribute",
                    file,
                    needle,
                    format!("{path} has no attribute {key}"),
                ),
            }
        }
        for inner in block.body().blocks() {
            let (key, content) = match inner.identifier() {
                "dynamic" => {
                    let key = labels(inner).first().copied().unwrap_or_default();
                    let content = inner.body().blocks().find(|b| b.identifier() == "content");
                    (key, content.unwrap_or(inner))
                }
                key => (key, inner),
            };
            if top && META.contains(&key) {
                continue;
            }
            found.insert(key.to_owned());
            match node.members.get(key) {
                Some(member) if member.allowed == Allowed::Any => {}
                Some(member) if !member.members.is_empty() => {
                    self.block(file, needle, content, member, &format!("{path}.{key}"));
                }
                _ => self.rules.report(
                    "terraform-attribute",
                    file,
                    needle,
                    format!("{path} has no block {key}"),
                ),
            }
        }
        for (key, member) in &node.members {
            if member.required && !found.contains(key) {
                self.rules.report(
                    "terraform-attribute",
                    file,
                    needle,
                    format!("{path} needs {key}"),
                );
            }
        }
    }

    fn value(&mut self, file: &str, value: &Expression, node: &Node, path: &str) {
        let key = path.rsplit('.').next().unwrap_or(path);
        match (&node.allowed, value) {
            (Allowed::OneOf(words), Expression::String(text)) if !words.contains(text) => {
                self.rules.report(
                    "terraform-attribute",
                    file,
                    &format!("\"{text}\""),
                    format!("{path} must be one of {}, not {text:?}", words.join(", ")),
                )
            }
            (Allowed::Text | Allowed::OneOf(_), Expression::Number(_) | Expression::Bool(_))
            | (Allowed::Number, Expression::String(_) | Expression::Bool(_))
            | (Allowed::Bool, Expression::String(_) | Expression::Number(_)) => self.rules.report(
                "terraform-attribute",
                file,
                key,
                format!("{path} has a value of the wrong kind: {value}"),
            ),
            _ => {}
        }
    }

    fn secrets(&mut self, file: &str, needle: &str, block: &Block, sensitive: &BTreeSet<String>) {
        let is_sensitive = |value: &Expression| {
            let mut all = true;
            let mut any = false;
            visit(value, &mut Vec::new(), &mut |met, _| match met {
                Met::Reference("var", path) => {
                    any = true;
                    all &= path.first().is_some_and(|name| sensitive.contains(*name));
                }
                Met::Text => all = false,
                _ => {}
            });
            any && all
        };
        for attribute in block.body().attributes() {
            let key = attribute.key();
            if SECRET_ATTRIBUTES.contains(&key) && !is_sensitive(attribute.expr()) {
                self.rules.report(
                    "terraform-secret",
                    file,
                    key,
                    format!("{key} must come from a sensitive variable"),
                );
            }
            if key == "expose_client_secret" && *attribute.expr() != Expression::Bool(false) {
                self.rules.report(
                    "terraform-secret",
                    file,
                    key,
                    "expose_client_secret puts the client's secret into the state".to_owned(),
                );
            }
            if key == "directory_client_secret" {
                self.rules.report(
                    "terraform-secret",
                    file,
                    key,
                    "directory_client_secret writes the client's secret to a disk".to_owned(),
                );
            }
            if key == "fields"
                && let Expression::Object(members) = attribute.expr()
            {
                for (name, value) in keys(attribute.expr()).iter().zip(members.values()) {
                    if SECRET_FIELDS.contains(name) && !is_sensitive(value) {
                        self.rules.report(
                            "terraform-secret",
                            file,
                            needle,
                            format!("the field {name} must come from a sensitive variable"),
                        );
                    }
                }
            }
        }
    }

    /// The bridge's client may deliver messages and receipts, and nothing else.
    fn role(&mut self, file: &str, needle: &str, block: &Block) {
        let policies: Vec<&Block> = block
            .body()
            .blocks()
            .filter(|inner| inner.identifier() == "permission_policies")
            .collect();
        let text = |policy: &Block, key: &str| match attribute(policy, key) {
            Some(Expression::String(text)) => text.clone(),
            Some(Expression::Array(items)) => items
                .iter()
                .map(|item| match item {
                    Expression::String(text) => text.as_str(),
                    _ => "?",
                })
                .collect::<Vec<_>>()
                .join(","),
            _ => "?".to_owned(),
        };
        let granted: Vec<String> = policies
            .iter()
            .map(|policy| {
                format!(
                    "{}:{}:{}",
                    text(policy, "domain"),
                    text(policy, "entity_name"),
                    text(policy, "action_set")
                )
            })
            .collect();
        if granted != ["conversation:message:receive"] || attribute(block, "permissions").is_some()
        {
            self.rules.report(
                "genesys-permission",
                file,
                needle,
                format!(
                    "the role must grant conversation:message:receive and nothing else, it grants {}",
                    granted.join(" ")
                ),
            );
        }
    }
}
