//! What a request to the sign-in's address asks for.

use secrecy::SecretString;

use super::ticket::Ticket;

/// Longest authorization code or error that is read; codes have less than 2 KB.
const LONGEST: usize = 8 * 1024;

/// What a request asks for.
#[derive(Debug)]
pub enum Asked {
    /// A link is opened.
    Open(Ticket),
    /// Entra ID's answer to what the ticket began ("Microsoft identity platform and OAuth 2.0 authorization code flow").
    Answer(Ticket, Outcome),
    /// A link or an answer that is no link or answer.
    Malformed,
    /// The address alone.
    Nothing,
}

/// What Entra ID says.
#[derive(Debug)]
pub enum Outcome {
    /// A code to redeem.
    Code(SecretString),
    /// The person, or an administrator, did not let the app in: `access_denied`.
    Cancelled,
    /// Another error, by its name (RFC 6749, 4.1.2.1).
    Error(String),
}

impl Asked {
    /// Reads the parameters of a query, decoded; the first of a name counts.
    #[must_use]
    pub fn of(query: &[(String, String)]) -> Self {
        let given = |name: &str| {
            let found = query.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.as_str())
        };
        let ticket = |text: &str| text.parse::<Ticket>().ok();
        if let Some(link) = given("link") {
            return ticket(link).map_or(Self::Malformed, Self::Open);
        }
        let outcome = match (given("code"), given("error")) {
            (_, Some("access_denied")) => Outcome::Cancelled,
            (_, Some(error)) => Outcome::Error(word(error)),
            (Some(code), None) if !code.is_empty() && code.len() <= LONGEST => {
                Outcome::Code(code.into())
            }
            (Some(_), None) => return Self::Malformed,
            (None, None) if given("state").is_none() => return Self::Nothing,
            (None, None) => return Self::Malformed,
        };
        match given("state").and_then(ticket) {
            Some(state) => Self::Answer(state, outcome),
            None => Self::Malformed,
        }
    }
}

/// The name of an error; what is certainly none is not repeated.
fn word(error: &str) -> String {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    match error.len() <= 64 && error.bytes().all(is_word) {
        true => error.to_owned(),
        false => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn asked(query: &[(&str, &str)]) -> String {
        let ticket = Ticket::new("support".parse().expect("a name"), [7; 32]);
        let ticket = ticket.text().expose_secret();
        let owned = query.iter().map(|(name, value)| {
            let value = value.replace("TICKET", ticket);
            ((*name).to_owned(), value)
        });
        match Asked::of(&Vec::from_iter(owned)) {
            Asked::Open(_) => "open".to_owned(),
            Asked::Answer(_, Outcome::Code(code)) => format!("code {}", code.expose_secret()),
            Asked::Answer(_, Outcome::Cancelled) => "cancelled".to_owned(),
            Asked::Answer(_, Outcome::Error(error)) => format!("error {error}"),
            Asked::Malformed => "malformed".to_owned(),
            Asked::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn queries_and_what_they_ask_for() {
        let long = "c".repeat(LONGEST + 1);
        for (query, expected) in [
            (vec![], "nothing"),
            (vec![("utm", "x")], "nothing"),
            (vec![("link", "TICKET")], "open"),
            (vec![("link", "x")], "malformed"),
            (vec![("link", "")], "malformed"),
            (vec![("code", "c"), ("state", "TICKET")], "code c"),
            (
                vec![("code", "c"), ("state", "TICKET"), ("session_state", "s")],
                "code c",
            ),
            (vec![("code", "c"), ("state", "x")], "malformed"),
            (vec![("code", "c")], "malformed"),
            (vec![("code", ""), ("state", "TICKET")], "malformed"),
            (vec![("code", &long), ("state", "TICKET")], "malformed"),
            (vec![("state", "TICKET")], "malformed"),
            (
                vec![("error", "access_denied"), ("state", "TICKET")],
                "cancelled",
            ),
            (
                vec![("error", "server_error"), ("state", "TICKET")],
                "error server_error",
            ),
            (
                vec![("error", "<script>"), ("state", "TICKET")],
                "error unknown",
            ),
            (
                vec![
                    ("error", "server_error"),
                    ("code", "c"),
                    ("state", "TICKET"),
                ],
                "error server_error",
            ),
            (vec![("error", "access_denied")], "malformed"),
        ] {
            assert_eq!(asked(&query), expected, "{query:?}");
        }
    }
}
