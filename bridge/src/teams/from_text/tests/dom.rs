//! What a browser makes of the HTML.

use html5ever::tendril::TendrilSink;
use html5ever::{Attribute, ParseOpts, QualName, local_name, ns, parse_fragment};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// A parsed message.
pub(super) struct Dom(RcDom);

/// A text without white space, and without the marks that become elements; numbers stay.
pub(super) fn words(text: &str) -> String {
    let counts = |character: &char| {
        !character.is_whitespace() && !character.is_control() && !"-*•.)`~".contains(*character)
    };
    text.chars().filter(counts).collect()
}

impl Dom {
    pub(super) fn parse(html: &str) -> Self {
        let body = QualName::new(None, ns!(html), local_name!("body"));
        let dom = parse_fragment(RcDom::default(), ParseOpts::default(), body, vec![], false);
        let dom = Self(dom.one(html));
        // A browser would have put in or moved what is not well-formed.
        assert_eq!(dom.0.errors.borrow().len(), 0, "{:?}", dom.0.errors);
        dom
    }

    /// What is shown, numbers of lists and names of languages included.
    pub(super) fn words(&self) -> String {
        assert!(self.is_ours());
        let mut shown = String::new();
        show(&self.0.document, &mut 0, &mut shown, true);
        words(&shown)
    }

    /// What is shown, without the names of languages: they are repeated in each part of their code.
    pub(super) fn words_without_languages(&self) -> String {
        let mut shown = String::new();
        show(&self.0.document, &mut 0, &mut shown, false);
        words(&shown)
    }

    /// Whether there are only elements and attributes that we use, in the places where they belong.
    pub(super) fn is_ours(&self) -> bool {
        is_ours(&self.0.document)
    }

    /// How many elements there are.
    pub(super) fn elements(&self) -> usize {
        // Without the one that the parser puts around a fragment.
        elements(&self.0.document) - 1
    }
}

fn is_ours(node: &Handle) -> bool {
    let around = name(node);
    node.children
        .borrow()
        .iter()
        .all(|child| match &child.data {
            NodeData::Text { .. } => true,
            NodeData::Element { attrs, .. } => {
                let name = name(child);
                let is_known = |attribute: &Attribute| {
                    is_our_attribute(&name, &attribute.name.local, &attribute.value)
                };
                let in_place = matches!(
                    (name.as_str(), around.as_str()),
                    ("html", _)
                        | ("br" | "a" | "code" | "codeblock" | "ul" | "ol", "html")
                        | ("a" | "code" | "ul" | "ol", "li")
                        | ("li", "ul" | "ol")
                        | ("code", "codeblock")
                        | ("br", "code")
                );
                in_place && attrs.borrow().iter().all(is_known) && is_ours(child)
            }
            _ => panic!("neither element nor text"),
        })
}

fn is_our_attribute(element: &str, attribute: &str, value: &str) -> bool {
    match (element, attribute) {
        ("a", "href") => {
            let value = value.to_ascii_lowercase();
            value.starts_with("http://") || value.starts_with("https://")
        }
        ("codeblock", "class") => value
            .chars()
            .all(|found| found.is_ascii_alphanumeric() || "+#.-".contains(found)),
        ("ol", "start") => value.parse::<u32>().is_ok_and(|start| start > 1),
        _ => false,
    }
}

fn elements(node: &Handle) -> usize {
    let children = node.children.borrow();
    let is_element = matches!(node.data, NodeData::Element { .. });
    usize::from(is_element) + children.iter().map(elements).sum::<usize>()
}

fn show(node: &Handle, number: &mut u32, shown: &mut String, languages: bool) {
    let mut next = attribute(node, "start").map_or(1, |start| start.parse().expect("a number"));
    match name(node).as_str() {
        "li" if *number > 0 => {
            shown.push_str(&number.to_string());
            *number += 1;
        }
        "codeblock" if languages => shown.push_str(&attribute(node, "class").unwrap_or_default()),
        "ol" => {}
        _ => next = 0,
    }
    if let NodeData::Text { contents } = &node.data {
        shown.push_str(&contents.borrow());
    }
    for child in node.children.borrow().iter() {
        show(child, &mut next, shown, languages);
    }
}

fn name(node: &Handle) -> String {
    match &node.data {
        NodeData::Element { name, .. } => name.local.to_string(),
        _ => String::new(),
    }
}

fn attribute(node: &Handle, wanted: &str) -> Option<String> {
    let NodeData::Element { attrs, .. } = &node.data else {
        return None;
    };
    let attributes = attrs.borrow();
    let found = attributes
        .iter()
        .find(|attribute| &*attribute.name.local == wanted)?;
    Some(found.value.to_string())
}
