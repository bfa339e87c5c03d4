use std::collections::BTreeMap;

use super::*;
use crate::Tree;

fn clean(text: &str) -> Template {
    let (template, errors) = parse(text);
    assert_eq!(errors, [], "{text}");
    template
}

/// The value of the variable `x` in a template.
fn value_of_x(files: &[(&str, &str)]) -> Value {
    let tree = Tree::of(files);
    let world = World::of(&tree, "infra");
    let (file, template) = world
        .templates()
        .get_key_value(files[0].0)
        .expect("the first file is a template");
    let scope = Scope::new(&world, file, template, BTreeMap::new());
    match &template.declaration("x").expect("a variable x").kind {
        Kind::Variable(value) => scope.value(value),
        _ => panic!("x is no variable"),
    }
}

fn x(template: &str) -> Value {
    value_of_x(&[("infra/main.bicep", template)])
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn declarations_keep_their_lines_and_decorators() {
    let template = clean(
        "targetScope = 'subscription'\n\n@description('a')\n@sys.secure()\nparam one string = 'x'\nparam two int\nvar three = 3\noutput four bool = true\n",
    );
    assert_eq!(template.target_scope.as_deref(), Some("subscription"));
    let shown: Vec<(&str, usize)> = template
        .declarations
        .iter()
        .map(|declaration| (declaration.name.as_str(), declaration.line))
        .collect();
    assert_eq!(shown, [("one", 5), ("two", 6), ("three", 7), ("four", 8)]);
    let one = &template.declarations[0];
    assert!(one.has_decorator("description") && one.has_decorator("secure"));
    assert!(matches!(&one.kind, Kind::Parameter { of, default: Some(_) } if of == "string"));
    assert!(matches!(
        &template.declarations[1].kind,
        Kind::Parameter { default: None, .. }
    ));
    assert!(template.declarations[1].decorators.is_empty());
}

#[test]
fn resources_loops_and_nested_resources() {
    let template = clean(
        "extension microsoftGraphV1\nresource a 'M.S/accounts@2025-06-01' = [for (item, index) in list: if (index > 0) {\n  name: item\n  resource b 'blobs' = {\n    name: 'default'\n  }\n}]\nresource c 'M.S/accounts@2025-06-01' existing = {\n  name: 'c'\n}\n",
    );
    let kinds: Vec<(&str, String, bool, Option<&str>)> = template
        .declarations
        .iter()
        .filter_map(|declaration| match &declaration.kind {
            Kind::Resource {
                of,
                version,
                existing,
                nested_in,
                ..
            } => Some((
                declaration.name.as_str(),
                format!("{of}@{version}"),
                *existing,
                nested_in.as_deref(),
            )),
            _ => None,
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("a", "M.S/accounts@2025-06-01".to_owned(), false, None),
            ("b", "M.S/accounts/blobs@".to_owned(), false, Some("a")),
            ("c", "M.S/accounts@2025-06-01".to_owned(), true, None),
        ]
    );
    assert_eq!(template.declarations[0].line, 2);
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_line() {
    let (_, errors) = parse("param a string\nvar b = = 2\n");
    assert_eq!(errors.first().map(|error| error.line), Some(2));
}

#[test]
fn strings() {
    assert_eq!(
        x("var x = 'it\\'s ${1}  and\\n\\u{20AC}\\${a}'"),
        text("it's 1  and\n€${a}")
    );
    assert_eq!(x("var x = '''\nline ${a}\n'''"), text("line ${a}\n"));
    assert_eq!(
        x("param a string\nvar b = 'B'\nvar x = '${b}-${a}-c'"),
        Value::Unknown("B-${a}-c".to_owned())
    );
}

#[test]
fn values_follow_names_members_and_conditions() {
    assert_eq!(
        x("param a object = {\n  b: [\n    'c'\n    'd'\n  ]\n}\nvar x = a.b[1]"),
        text("d")
    );
    assert_eq!(
        x("param n int = 2\nvar x = n > 0 && !(n == 3) ? 'yes' : 'no'"),
        text("yes")
    );
    assert_eq!(
        x("param n int\nvar x = n > 0 ? 'yes' : 'no'"),
        Value::Unknown("n > 0 ? 'yes' : 'no'".to_owned())
    );
    assert_eq!(
        x("var x = [for (a, i) in ['p', 'q']: '${a}${i}']"),
        Value::Array(vec![text("p0"), text("q1")])
    );
    assert_eq!(
        x("var x = union({ a: 1, b: 2 }, { b: 3 }).b"),
        Value::Number(3)
    );
    assert_eq!(x("var x = string(15 * 60 - 1)"), text("899"));
}

#[test]
fn a_variable_of_itself_ends() {
    assert!(matches!(x("var y = x\nvar x = y"), Value::Unknown(_)));
}

#[test]
fn outputs_of_modules_and_names_of_resources() {
    let module = "param name string\nresource r 'T@1' = {\n  name: '${name}-r'\n}\noutput made string = r.name\n";
    assert_eq!(
        value_of_x(&[
            (
                "infra/main.bicep",
                "module m './modules/m.bicep' = {\n  params: {\n    name: 'n'\n  }\n}\nvar x = m.outputs.made"
            ),
            ("infra/modules/m.bicep", module),
        ]),
        text("n-r")
    );
    assert_eq!(
        x("resource r 'T@1' existing = [for n in ['a', 'b']: {\n  name: n\n}]\nvar x = r[1].name"),
        text("b")
    );
}

#[test]
fn files_are_found_from_the_file_that_names_them() {
    assert_eq!(
        relative("infra/modules/a.bicep", "../b.json"),
        "infra/b.json"
    );
    assert_eq!(relative("infra/a.bicep", "./m/c.bicep"), "infra/m/c.bicep");
    assert_eq!(
        value_of_x(&[
            (
                "infra/main.bicep",
                "var names = loadJsonContent('./names.json')\nvar x = '${names.st}1'"
            ),
            ("infra/names.json", "{\"st\": \"s\"}"),
        ]),
        text("s1")
    );
}

#[test]
fn a_deployment_enters_modules_and_unrolls_loops() {
    let tree = Tree::of(&[
        (
            "infra/main.bicep",
            "module m 'm.bicep' = {\n  params: {\n    names: [\n      'a'\n      'b'\n    ]\n  }\n}\n",
        ),
        (
            "infra/m.bicep",
            "param names array\nresource p 'T@1' = {\n  name: 'p'\n}\nresource q 'T/q@1' = [for name in names: {\n  parent: p\n  name: name\n  properties: {\n    on: name == 'a'\n  }\n}]\n",
        ),
    ]);
    let world = World::of(&tree, "infra");
    let deployed = deployments(&world);
    let shown: Vec<(String, Option<&str>, Option<&Value>)> = deployed
        .iter()
        .map(|made| {
            (
                made.name(),
                made.parent.as_deref(),
                made.at("properties.on"),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("p".to_owned(), None, None),
            ("a".to_owned(), Some("p"), Some(&Value::Bool(true))),
            ("b".to_owned(), Some("p"), Some(&Value::Bool(false))),
        ]
    );
    assert_eq!(deployed[1].line_of("properties.on"), 9);
    assert_eq!(deployed[1].root, "infra/main.bicep");
}
