//! The part of Salesforce's query language that the shipped data actions write, and nothing beside it. Sources: Salesforce,
//! "SOQL and SOSL Reference": "Quoted String Escape Sequences", "Comparison Operators", "ORDER BY".

use thiserror::Error;

/// `MALFORMED_QUERY`, with the reason.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct MalformedQuery(pub String);

type Read<T> = Result<T, MalformedQuery>;

/// A query, read.
#[derive(Debug, PartialEq, Eq)]
pub struct Query {
    /// Names of the wanted fields; `Parent.Field` for one of a parent.
    pub fields: Vec<String>,
    /// The object that is asked for.
    pub object: String,
    /// A record fits when it fulfils every condition of one of these.
    pub any_of: Vec<Vec<Condition>>,
    /// What the records are ordered by, the most important first.
    pub order: Vec<Order>,
    /// Most records of the answer.
    pub limit: usize,
}

/// What a field must be.
#[derive(Debug, PartialEq, Eq)]
pub enum Condition {
    /// One of these texts, whatever their case.
    In(String, Vec<String>),
    /// Absent.
    Null(String),
    /// Present.
    NotNull(String),
}

impl Condition {
    /// The field that it is about.
    pub fn field(&self) -> &str {
        match self {
            Self::In(field, _) | Self::Null(field) | Self::NotNull(field) => field,
        }
    }
}

/// One key of an order.
#[derive(Debug, PartialEq, Eq)]
pub struct Order {
    /// The field.
    pub field: String,
    /// Largest first.
    pub descending: bool,
    /// Absent values last, else first.
    pub nulls_last: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(&'static str),
}

/// Reads a query.
///
/// # Errors
/// When it is none that a shipped data action can write.
pub fn read(query: &str) -> Read<Query> {
    let mut tokens = Tokens(tokens(query)?.into_iter().peekable());
    tokens.keyword("SELECT")?;
    let fields = tokens.list(Tokens::name)?;
    tokens.keyword("FROM")?;
    let object = tokens.name()?;
    tokens.keyword("WHERE")?;
    let mut any_of = vec![tokens.group()?];
    while tokens.takes(&word("OR")) {
        any_of.push(tokens.group()?);
    }
    tokens.keyword("ORDER")?;
    tokens.keyword("BY")?;
    let order = tokens.list(Tokens::order)?;
    tokens.keyword("LIMIT")?;
    let limit = tokens.name()?;
    let limit = limit.parse().map_err(|_| unexpected(&word(&limit)))?;
    match tokens.0.next() {
        Some(token) => Err(unexpected(&token)),
        None => Ok(Query {
            fields,
            object,
            any_of,
            order,
            limit,
        }),
    }
}

fn word(text: &str) -> Token {
    Token::Word(text.to_owned())
}

fn unexpected(token: &Token) -> MalformedQuery {
    let what = match token {
        Token::Word(text) => text,
        Token::Text(_) => "a text",
        Token::Sign(sign) => sign,
    };
    MalformedQuery(format!("unexpected token: {what}"))
}

struct Tokens(std::iter::Peekable<std::vec::IntoIter<Token>>);

impl Tokens {
    fn next(&mut self) -> Read<Token> {
        let end = || MalformedQuery("unexpected end of the query".to_owned());
        self.0.next().ok_or_else(end)
    }

    fn takes(&mut self, token: &Token) -> bool {
        self.0.next_if_eq(token).is_some()
    }

    fn expect(&mut self, token: &Token) -> Read<()> {
        let found = self.next()?;
        if found == *token {
            Ok(())
        } else {
            Err(unexpected(&found))
        }
    }

    fn keyword(&mut self, keyword: &str) -> Read<()> {
        self.expect(&word(keyword))
    }

    fn name(&mut self) -> Read<String> {
        match self.next()? {
            Token::Word(name) => Ok(name),
            other => Err(unexpected(&other)),
        }
    }

    fn text(&mut self) -> Read<String> {
        match self.next()? {
            Token::Text(text) => Ok(text),
            other => Err(unexpected(&other)),
        }
    }

    fn list<T>(&mut self, one: impl Fn(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let mut all = vec![one(self)?];
        while self.takes(&Token::Sign(",")) {
            all.push(one(self)?);
        }
        Ok(all)
    }

    /// `(a AND b AND …)`
    fn group(&mut self) -> Read<Vec<Condition>> {
        self.expect(&Token::Sign("("))?;
        let mut all = vec![self.condition()?];
        while self.takes(&word("AND")) {
            all.push(self.condition()?);
        }
        self.expect(&Token::Sign(")"))?;
        Ok(all)
    }

    fn condition(&mut self) -> Read<Condition> {
        let field = self.name()?;
        match self.next()? {
            Token::Sign("=") if self.takes(&word("null")) => Ok(Condition::Null(field)),
            Token::Sign("=") => Ok(Condition::In(field, vec![self.text()?])),
            Token::Sign("!=") => {
                self.keyword("null")?;
                Ok(Condition::NotNull(field))
            }
            Token::Word(it) if it == "IN" => {
                self.expect(&Token::Sign("("))?;
                let texts = self.list(Self::text)?;
                self.expect(&Token::Sign(")"))?;
                Ok(Condition::In(field, texts))
            }
            other => Err(unexpected(&other)),
        }
    }

    fn order(&mut self) -> Read<Order> {
        let field = self.name()?;
        let descending = self.takes(&word("DESC"));
        let nulls_last = self.takes(&word("NULLS"));
        if nulls_last {
            self.keyword("LAST")?;
        }
        Ok(Order {
            field,
            descending,
            nulls_last,
        })
    }
}

fn tokens(query: &str) -> Read<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = query.chars().peekable();
    while let Some(it) = rest.next() {
        tokens.push(match it {
            ' ' => continue,
            '(' => Token::Sign("("),
            ')' => Token::Sign(")"),
            ',' => Token::Sign(","),
            '=' => Token::Sign("="),
            '!' if rest.next_if_eq(&'=').is_some() => Token::Sign("!="),
            '\'' => Token::Text(text(&mut rest)?),
            it if is_of_word(it) => {
                let mut word = String::from(it);
                while let Some(more) = rest.next_if(|it| is_of_word(*it)) {
                    word.push(more);
                }
                Token::Word(word)
            }
            other => {
                let why = format!("line 1: unexpected character {other:?}");
                return Err(MalformedQuery(why));
            }
        });
    }
    Ok(tokens)
}

fn is_of_word(it: char) -> bool {
    it.is_ascii_alphanumeric() || it == '_' || it == '.'
}

/// The rest of a text behind its opening quote.
fn text(rest: &mut impl Iterator<Item = char>) -> Read<String> {
    let bad = |why: &str| MalformedQuery(why.to_owned());
    let open = || bad("a text has no end");
    let mut units = Vec::new();
    loop {
        let it = match rest.next().ok_or_else(open)? {
            '\'' => break,
            '\\' => match rest.next().ok_or_else(open)? {
                'u' => {
                    let digits: String = rest.take(4).collect();
                    let is_hex =
                        digits.len() == 4 && digits.chars().all(|it| it.is_ascii_hexdigit());
                    let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| is_hex);
                    units.push(unit.ok_or_else(|| bad("illegal escape of a character"))?);
                    continue;
                }
                'n' | 'N' => '\n',
                'r' | 'R' => '\r',
                't' | 'T' => '\t',
                'b' | 'B' => '\u{7}',
                'f' | 'F' => '\u{C}',
                it @ ('"' | '\'' | '\\') => it,
                it => return Err(bad(&format!("invalid string escape: \\{it}"))),
            },
            // A line break must be escaped.
            '\n' | '\r' => return Err(bad("line breaks not allowed in string literals")),
            it => it,
        };
        units.extend(it.encode_utf16(&mut [0; 2]).iter());
    }
    String::from_utf16(&units).map_err(|_| bad("a text is no Unicode"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDERED: &str = "ORDER BY Tier NULLS LAST, Changed DESC LIMIT 1";

    fn conditions(text: &str) -> Read<Vec<Vec<Condition>>> {
        let query = format!("SELECT Id FROM Account WHERE {text} {ORDERED}");
        read(&query).map(|query| query.any_of)
    }

    #[test]
    fn a_query_is_read_whole() {
        let query = format!(
            "SELECT Id, Account.Name FROM Contact WHERE (A = 'x' AND A != null) OR (B IN ('y', 'z') AND A = null) {ORDERED}"
        );
        let name = str::to_owned;
        let read = read(&query).expect("a sound query");
        assert_eq!(read.fields, ["Id", "Account.Name"]);
        assert_eq!((read.object.as_str(), read.limit), ("Contact", 1));
        let both = [
            vec![
                Condition::In(name("A"), vec![name("x")]),
                Condition::NotNull(name("A")),
            ],
            vec![
                Condition::In(name("B"), vec![name("y"), name("z")]),
                Condition::Null(name("A")),
            ],
        ];
        assert_eq!(read.any_of, both);
        let keys: Vec<_> = read
            .order
            .iter()
            .map(|it| (it.descending, it.nulls_last))
            .collect();
        assert_eq!(keys, [(false, true), (true, false)]);
    }

    #[test]
    fn escapes_are_read_and_unknown_ones_refused() {
        let text = |text: &str| -> Read<String> {
            let condition = conditions(&format!("(A = '{text}')"))?.remove(0).remove(0);
            match condition {
                Condition::In(_, mut texts) => Ok(texts.remove(0)),
                other => panic!("{other:?}"),
            }
        };
        for (escaped, plain) in [
            (r"o\'hara", "o'hara"),
            (r#"\\ \" \n"#, "\\ \" \n"),
            (r"\u00E9\uD83D\uDE00", "é\u{1F600}"),
        ] {
            assert_eq!(text(escaped).as_deref(), Ok(plain));
        }
        for wrong in [r"\/", r"\x", r"\u12", r"\u+123", r"\uD83D", "a\nb"] {
            assert!(text(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn anything_else_is_no_query() {
        for wrong in [
            "",
            "A = 'x'",
            "(A = 'x' OR B = 'y')",
            "(A = 'x') AND (B = 'y')",
            "(A = 'x')) OR (B = 'y'",
            "(A LIKE '%')",
            "(A != 'x')",
            "(A = x)",
            "(A = \"x\")",
            "(A = 'x'' OR B != null)",
            "(A = 'x') -- ",
            "(A IN ())",
            "(A IN (SELECT Id FROM User))",
            "(A = 'x') LIMIT 100",
            "(NOT A = 'x')",
        ] {
            assert!(conditions(wrong).is_err(), "{wrong}");
        }
        let beside = format!("SELECT Id FROM Account WHERE (A = 'x') {ORDERED} OFFSET 1");
        assert!(read(&beside).is_err());
    }
}
