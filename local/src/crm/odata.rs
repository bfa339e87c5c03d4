//! The part of OData that the shipped data actions write for Dynamics 365, and nothing beside it. Sources: OASIS, "OData 4.01 URL
//! Conventions", "Literals" and "System Query Options"; Microsoft Learn, "Query data using the Web API" and "Filter rows using
//! OData" for Dataverse.

use std::iter::Peekable;
use std::str::Chars;

use thiserror::Error;

/// Most rows that one page has (Microsoft Learn, "Page results using OData").
const LARGEST_PAGE: usize = 5_000;

/// Why a query cannot be read; the service answers 400.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct Malformed(pub String);

type Read<T> = Result<T, Malformed>;

/// The query options of a collection, read.
#[derive(Debug, PartialEq, Eq)]
pub struct Query {
    /// The wanted columns.
    pub select: Vec<String>,
    /// A single-valued navigation property, and the wanted columns of what it leads to.
    pub expand: Option<(String, Vec<String>)>,
    /// Which rows are wanted.
    pub filter: Filter,
    /// What the rows are ordered by, the most important first, and whether the largest comes first.
    pub order: Vec<(String, bool)>,
    /// Most rows of the answer.
    pub top: usize,
}

/// What a row must fulfil.
#[derive(Debug, PartialEq, Eq)]
pub enum Filter {
    /// Each of these.
    All(Vec<Filter>),
    /// One of these.
    Any(Vec<Filter>),
    /// A column has this value.
    Equal(String, Literal),
    /// A column has a value.
    NotNull(String),
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// No value.
    Null,
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
}

/// Reads the options of a query, decoded.
///
/// # Errors
/// When one is missing, repeated, not known, or not of the form that a shipped data action writes.
pub fn read(options: &[(String, String)]) -> Read<Query> {
    const KNOWN: [&str; 5] = ["$select", "$expand", "$filter", "$orderby", "$top"];
    let unknown = options
        .iter()
        .find(|(name, _)| !KNOWN.contains(&name.as_str()));
    if let Some((name, _)) = unknown {
        return Err(malformed(format!(
            "the query parameter {name:?} is not supported"
        )));
    }
    let option = |wanted: &str| -> Read<Option<&str>> {
        let mut given = options.iter().filter(|(name, _)| name == wanted);
        let first = given.next().map(|(_, value)| value.as_str());
        match given.next() {
            Some(_) => Err(malformed(format!("{wanted} is given more than once"))),
            None => Ok(first),
        }
    };
    let needed = |wanted: &str| {
        let missing = || malformed(format!("{wanted} is missing"));
        option(wanted)?.ok_or_else(missing)
    };
    let top: usize = needed("$top")?.parse().unwrap_or_default();
    if !(1..=LARGEST_PAGE).contains(&top) {
        return Err(malformed("$top is no number of rows"));
    }
    Ok(Query {
        select: names(needed("$select")?)?,
        expand: option("$expand")?.map(expand).transpose()?,
        filter: filter(needed("$filter")?)?,
        order: order(needed("$orderby")?)?,
        top,
    })
}

fn malformed(why: impl Into<String>) -> Malformed {
    Malformed(why.into())
}

fn name(text: &str) -> Read<String> {
    if !text.is_empty() && text.chars().all(is_of_word) {
        Ok(text.to_owned())
    } else {
        Err(malformed(format!("syntax error: {text:?} is no name")))
    }
}

fn names(text: &str) -> Read<Vec<String>> {
    text.split(',').map(name).collect()
}

/// `property($select=a,b)`
fn expand(text: &str) -> Read<(String, Vec<String>)> {
    let inner = text
        .strip_suffix(')')
        .and_then(|it| it.split_once("($select="));
    let (property, select) = inner.ok_or_else(|| malformed("$expand cannot be read"))?;
    Ok((name(property)?, names(select)?))
}

/// `a desc,b`
fn order(text: &str) -> Read<Vec<(String, bool)>> {
    let key = |key: &str| match key.split_once(' ') {
        None => Ok((name(key)?, false)),
        Some((key, "asc")) => Ok((name(key)?, false)),
        Some((key, "desc")) => Ok((name(key)?, true)),
        Some((_, other)) => Err(malformed(format!("syntax error in $orderby: {other:?}"))),
    };
    text.split(',').map(key).collect()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
}

fn filter(text: &str) -> Read<Filter> {
    let mut tokens = tokens(text)?.into_iter().peekable();
    let read = any(&mut tokens)?;
    match tokens.next() {
        Some(token) => Err(unexpected(Some(token))),
        None => Ok(read),
    }
}

type Tokens = Peekable<std::vec::IntoIter<Token>>;

/// `and` binds closer than `or`.
fn any(tokens: &mut Tokens) -> Read<Filter> {
    joined(tokens, "or", Filter::Any, |tokens| {
        joined(tokens, "and", Filter::All, one)
    })
}

fn joined(
    tokens: &mut Tokens,
    by: &str,
    whole: impl Fn(Vec<Filter>) -> Filter,
    part: impl Fn(&mut Tokens) -> Read<Filter>,
) -> Read<Filter> {
    let first = part(tokens)?;
    let mut parts = vec![first];
    while tokens.next_if_eq(&Token::Word(by.to_owned())).is_some() {
        parts.push(part(tokens)?);
    }
    Ok(match parts.len() {
        1 => parts.remove(0),
        _ => whole(parts),
    })
}

/// `(…)`, `column eq literal` or `column ne null`
fn one(tokens: &mut Tokens) -> Read<Filter> {
    let column = match tokens.next() {
        Some(Token::Open) => {
            let inner = any(tokens)?;
            return match tokens.next() {
                Some(Token::Close) => Ok(inner),
                other => Err(unexpected(other)),
            };
        }
        Some(Token::Word(column)) => column,
        other => return Err(unexpected(other)),
    };
    let operator = match tokens.next() {
        Some(Token::Word(operator)) => operator,
        other => return Err(unexpected(other)),
    };
    let literal = match tokens.next() {
        Some(Token::Text(text)) => Literal::Text(text),
        Some(Token::Word(word)) if word == "null" => Literal::Null,
        Some(Token::Word(word)) => {
            let number = word
                .parse()
                .map_err(|_| unexpected(Some(Token::Word(word))));
            Literal::Number(number?)
        }
        other => return Err(unexpected(other)),
    };
    match (operator.as_str(), literal) {
        ("eq", literal) => Ok(Filter::Equal(column, literal)),
        ("ne", Literal::Null) => Ok(Filter::NotNull(column)),
        _ => Err(malformed(format!("the operator {operator:?} is not known"))),
    }
}

fn unexpected(token: Option<Token>) -> Malformed {
    malformed(match token {
        Some(Token::Word(word)) => format!("syntax error: {word:?} is not expected"),
        Some(Token::Text(_)) => "syntax error: a text is not expected".to_owned(),
        Some(Token::Open) => "syntax error: '(' is not expected".to_owned(),
        Some(Token::Close) => "syntax error: ')' is not expected".to_owned(),
        None => "the expression ends too early".to_owned(),
    })
}

/// Words and texts stand apart from each other.
fn tokens(text: &str) -> Read<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    let mut apart = true;
    while let Some(it) = rest.next() {
        let (token, is_sign) = match it {
            ' ' => {
                apart = true;
                continue;
            }
            '(' => (Token::Open, true),
            ')' => (Token::Close, true),
            '\'' => (Token::Text(literal(&mut rest)?), false),
            it if is_of_word(it) => {
                let mut word = String::from(it);
                while let Some(more) = rest.next_if(|it| is_of_word(*it)) {
                    word.push(more);
                }
                (Token::Word(word), false)
            }
            other => return Err(malformed(format!("syntax error at {other:?}"))),
        };
        if !is_sign && !apart {
            return Err(unexpected(Some(token)));
        }
        apart = is_sign;
        tokens.push(token);
    }
    Ok(tokens)
}

fn is_of_word(it: char) -> bool {
    it.is_ascii_alphanumeric() || it == '_'
}

/// The rest of a text behind its opening quote. A quote in it is written twice, and nothing else is special.
fn literal(rest: &mut Peekable<Chars<'_>>) -> Read<String> {
    let mut text = String::new();
    loop {
        match rest.next() {
            None => return Err(malformed("there is an unterminated string literal")),
            Some('\'') if rest.next_if_eq(&'\'').is_none() => return Ok(text),
            Some(it) => text.push(it),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(column: &str, text: &str) -> Filter {
        Filter::Equal(column.to_owned(), Literal::Text(text.to_owned()))
    }

    fn options(changed: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut all = vec![
            ("$select", "a,b"),
            ("$filter", "a eq 'x'"),
            ("$orderby", "a desc,b"),
            ("$top", "1"),
        ];
        all.retain(|(name, _)| changed.iter().all(|(other, _)| other != name));
        all.extend(changed);
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        all.into_iter().map(owned).collect()
    }

    #[test]
    fn a_query_is_read_whole() {
        let query = read(&options(&[("$expand", "c_d($select=e,f)")])).expect("a sound query");
        let name = str::to_owned;
        let expected = Query {
            select: vec![name("a"), name("b")],
            expand: Some((name("c_d"), vec![name("e"), name("f")])),
            filter: equal("a", "x"),
            order: vec![(name("a"), true), (name("b"), false)],
            top: 1,
        };
        assert_eq!(query, expected);
    }

    #[test]
    fn a_filter_is_read_with_its_parentheses() {
        let null = Filter::Equal("b".to_owned(), Literal::Null);
        let zero = Filter::Equal("s".to_owned(), Literal::Number(0));
        let expected = Filter::All(vec![
            zero,
            Filter::Any(vec![
                Filter::All(vec![equal("a", "x"), Filter::NotNull("a".to_owned())]),
                Filter::All(vec![equal("b", "y"), null]),
            ]),
        ]);
        for text in [
            "s eq 0 and ((a eq 'x' and a ne null) or (b eq 'y' and b eq null))",
            "s eq 0 and (a eq 'x' and a ne null or b eq 'y' and b eq null)",
        ] {
            assert_eq!(filter(text).as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn in_a_text_only_the_quote_is_special() {
        for (written, text) in [
            ("'o''hara'", "o'hara"),
            ("''", ""),
            ("''''", "'"),
            (r"'a\'", r"a\"),
            (
                "'%27 or 1 eq 1 & $top\r\n\u{0}é\u{1F600}'",
                "%27 or 1 eq 1 & $top\r\n\u{0}é\u{1F600}",
            ),
        ] {
            assert_eq!(filter(&format!("a eq {written}")), Ok(equal("a", text)));
        }
    }

    #[test]
    fn anything_else_is_no_filter() {
        for wrong in [
            "",
            "a",
            "a eq",
            "a eq x",
            "a eq \"x\"",
            "a eq 'x",
            "a eq 'x''",
            "a eq'x'",
            "a eq 'x'or b eq 'y'",
            "a eq 'x' 'y'",
            "a eq 'x' or",
            "(a eq 'x'",
            "a eq 'x')",
            "a EQ 'x'",
            "a = 'x'",
            "a ne 'x'",
            "a gt 0",
            "a eq 1.5",
            "not a eq 'x'",
            "contains(a,'x')",
            "a eq 'x' or 1 eq 1;",
            "()",
        ] {
            assert!(filter(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn options_that_no_definition_writes_are_refused() {
        for changed in [
            ("$skip", "1"),
            ("select", "a"),
            ("x", "y"),
            ("$top", "0"),
            ("$top", "5001"),
            ("$top", "1 "),
            ("$select", ""),
            ("$select", "a, b"),
            ("$select", "*"),
            ("$orderby", "a descending"),
            ("$orderby", ""),
            ("$expand", "c"),
            ("$expand", "c($select=a;$top=1)"),
        ] {
            assert!(read(&options(&[changed])).is_err(), "{changed:?}");
        }
        for missing in ["$select", "$filter", "$orderby", "$top"] {
            let mut given = options(&[]);
            given.retain(|(name, _)| name != missing);
            assert!(read(&given).is_err(), "{missing}");
            let mut given = options(&[]);
            given.push((missing.to_owned(), "1".to_owned()));
            assert!(read(&given).is_err(), "{missing} twice");
        }
    }
}
