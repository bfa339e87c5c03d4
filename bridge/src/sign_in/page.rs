//! What the page says: who is signed in and until when, or why nobody is, and what to do next.

use time::OffsetDateTime;
use time::macros::format_description;

use super::person::Person;
use super::record::Refused;
use super::{REFRESH_TOKEN_LIFE, html};
use crate::ids::SupportAccountName;

/// Most characters of a name that are shown.
const LONGEST_NAME: usize = 200;

/// A page.
#[derive(Debug, Clone)]
pub enum Page {
    /// The address was opened without a link.
    Nothing,
    /// What came is neither a link nor an answer of Entra ID, as if part of it were missing.
    Malformed,
    /// The app is not set up yet.
    NotSetUp,
    /// The link does not count.
    LinkRefused(Refused),
    /// Entra ID's answer does not count.
    AnswerRefused(Refused),
    /// The person did not go through with it.
    Cancelled(SupportAccountName),
    /// Entra ID did not let the person in, with this error.
    NotLetIn(SupportAccountName, String),
    /// Entra ID did not give tokens for its code, with this error where it named one.
    NotRedeemed(SupportAccountName, Option<String>),
    /// Somebody else than the Support User signed in.
    WrongPerson(SupportAccountName, Box<Person>),
    /// The vault did not take the refresh token; whether for lack of the right to.
    NotStored(SupportAccountName, bool),
    /// A service that the sign-in needs does not answer.
    Unavailable,
    /// It is done.
    SignedIn {
        /// The account.
        account: SupportAccountName,
        /// Who signed in.
        person: Box<Person>,
        /// When.
        at: OffsetDateTime,
    },
}

impl Page {
    /// The status of the answer that shows it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::SignedIn { .. } => 200,
            Self::Nothing
            | Self::Malformed
            | Self::Cancelled(_)
            | Self::NotLetIn(..)
            | Self::LinkRefused(Refused::Foreign)
            | Self::AnswerRefused(Refused::Foreign) => 400,
            Self::WrongPerson(..) => 403,
            Self::LinkRefused(_) | Self::AnswerRefused(_) => 410,
            Self::NotRedeemed(..) | Self::NotStored(..) => 502,
            Self::NotSetUp | Self::Unavailable => 503,
        }
    }

    /// Stable word for the log.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Malformed => "malformed",
            Self::NotSetUp => "not_set_up",
            Self::LinkRefused(refused) | Self::AnswerRefused(refused) => refused.label(),
            Self::Cancelled(_) => "cancelled",
            Self::NotLetIn(..) => "not_let_in",
            Self::NotRedeemed(..) => "not_redeemed",
            Self::WrongPerson(..) => "wrong_person",
            Self::NotStored(..) => "not_stored",
            Self::Unavailable => "unavailable",
            Self::SignedIn { .. } => "signed_in",
        }
    }

    /// The page as HTML.
    #[must_use]
    pub fn html(&self) -> String {
        let title = match self {
            Self::SignedIn { .. } => "Signed in",
            Self::Cancelled(_) => "Cancelled",
            _ => "Not signed in",
        };
        html::page(title, &self.paragraphs())
    }

    /// The page's `Content-Security-Policy`.
    #[must_use]
    pub fn policy() -> String {
        html::policy()
    }

    fn paragraphs(&self) -> Vec<String> {
        let (what, next) = match self {
            Self::SignedIn {
                account,
                person,
                at,
            } => return signed_in(account, person, *at),
            Self::Nothing => (
                "This is where a Support User of the bridge to Genesys Cloud signs in. It needs a link.".to_owned(),
                make_link(None),
            ),
            Self::Malformed => (
                "This address is not complete: a part of it was lost on its way.".to_owned(),
                "Copy the whole link and open it again.".to_owned(),
            ),
            Self::NotSetUp => (
                "The app is not set up yet: an id is missing, which its health page names.".to_owned(),
                "Deploy it with the real value, then open the link again.".to_owned(),
            ),
            Self::LinkRefused(refused) => (link_refused(*refused).to_owned(), make_link(None)),
            Self::AnswerRefused(refused) => (answer_refused(*refused).to_owned(), make_link(None)),
            Self::Cancelled(account) => (
                format!("The sign-in of the support account `{}` was cancelled, and nothing was stored.", account.as_str()),
                make_link(Some(account)),
            ),
            Self::NotLetIn(account, error) => (
                format!("Microsoft Entra ID did not let anybody in as the support account `{}` (`{error}`). Nothing was stored.", account.as_str()),
                make_link(Some(account)),
            ),
            Self::NotRedeemed(account, error) => {
                let error = error.as_ref().map(|error| format!(" (`{}`)", shown(error)));
                (
                    format!("Microsoft Entra ID gave no tokens for this sign-in{}. Nothing was stored.", error.unwrap_or_default()),
                    format!("Should it happen again, have an administrator of Entra ID run `handler setup graph`. {}", make_link(Some(account))),
                )
            }
            Self::WrongPerson(account, person) => (
                format!(
                    "{} signed in, who is not the Support User of the support account `{}`. Nothing was stored.",
                    shown(&person.shown()),
                    account.as_str()
                ),
                format!("Use a private window and sign in as the Support User itself. {}", make_link(Some(account))),
            ),
            Self::NotStored(account, is_forbidden) => (
                "The sign-in went well, but the Key Vault did not take its token, so it is lost.".to_owned(),
                match is_forbidden {
                    true => format!("The app lacks the right to write the secret: deploy the templates with this account in `SUPPORT_ACCOUNTS`. {}", make_link(Some(account))),
                    false => make_link(Some(account)),
                },
            ),
            Self::Unavailable => (
                "A service that the sign-in needs does not answer at the moment. Nothing was stored.".to_owned(),
                format!("Wait a minute and open the link again. Should it be used up: {}", make_link(None)),
            ),
        };
        vec![what, next]
    }
}

fn make_link(account: Option<&SupportAccountName>) -> String {
    let account = account.map_or("ACCOUNT", SupportAccountName::as_str);
    format!("Make a new link with `handler sign-in {account}` and open it in a private window.")
}

const fn link_refused(refused: Refused) -> &'static str {
    match refused {
        Refused::Foreign => "This link is not one that this app made.",
        Refused::Superseded => {
            "A newer link was made for this account, so this one no longer counts."
        }
        Refused::Used => "This link was opened before, and each can be opened once only.",
        Refused::Expired => "This link is older than 15 minutes, so it no longer counts.",
    }
}

const fn answer_refused(refused: Refused) -> &'static str {
    match refused {
        Refused::Foreign => {
            "This answer belongs to no sign-in that was begun with a link of this app. Nothing was stored."
        }
        Refused::Superseded => {
            "A newer link was made for this account while this sign-in was under way, so this one no longer counts. Nothing was stored."
        }
        Refused::Used => {
            "This answer came a second time, and each counts once only. Nothing further was stored."
        }
        Refused::Expired => {
            "This sign-in took longer than 15 minutes, so it no longer counts. Nothing was stored."
        }
    }
}

fn signed_in(account: &SupportAccountName, person: &Person, at: OffsetDateTime) -> Vec<String> {
    let until = at + REFRESH_TOKEN_LIFE;
    let format = format_description!("[day padding:none] [month repr:long] [year]");
    let until = until.format(format).unwrap_or_default();
    let (account, person) = (account.as_str(), shown(&person.shown()));
    vec![
        format!("{person} is signed in as the support account `{account}`."),
        format!(
            "This lasts as long as the app uses it: it would end on {until} if it were never used before. It ends earlier when an \
             administrator resets the password or revokes the sessions of this user, or when a policy of the tenant (sign-in \
             frequency, Conditional Access) asks for a new sign-in; an alert then asks for it."
        ),
        "Next: close this window. Messages that waited for the sign-in go on by themselves within a minute.".to_owned(),
        format!("To undo it: `handler sign-out {account}`."),
    ]
}

/// A text from outside, cut to a sensible length, without what would be taken for our own marks.
fn shown(text: &str) -> String {
    let text = text.chars().filter(|it| *it != '`' && !it.is_control());
    text.take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn account() -> SupportAccountName {
        "support".parse().expect("a name")
    }

    fn person(name: &str) -> Box<Person> {
        Box::new(Person {
            tenant: "0f0e0d0c-0000-4000-8000-000000000001".parse().expect("a"),
            user: "0f0e0d0c-0000-4000-8000-000000000002".parse().expect("b"),
            name: Some(name.to_owned()),
            sign_in_name: Some("support@contoso.example".to_owned()),
        })
    }

    #[test]
    fn every_page_says_what_happened_and_what_to_do() {
        let all_refused = [
            Refused::Foreign,
            Refused::Superseded,
            Refused::Used,
            Refused::Expired,
        ];
        let refusals = all_refused
            .into_iter()
            .flat_map(|refused| [Page::LinkRefused(refused), Page::AnswerRefused(refused)]);
        let at = datetime!(2026-11-29 12:00 UTC);
        let others = [
            Page::Nothing,
            Page::Malformed,
            Page::NotSetUp,
            Page::Cancelled(account()),
            Page::NotLetIn(account(), "server_error".to_owned()),
            Page::NotRedeemed(account(), Some("invalid_grant:54005".to_owned())),
            Page::WrongPerson(account(), person("Mallory")),
            Page::NotStored(account(), true),
            Page::NotStored(account(), false),
            Page::Unavailable,
            Page::SignedIn {
                account: account(),
                person: person("Support"),
                at,
            },
        ];
        let pages: Vec<String> = others
            .into_iter()
            .chain(refusals)
            .map(|page| {
                let text = page.paragraphs().join("\n  ");
                format!("{} {}\n  {text}", page.status(), page.label())
            })
            .collect();
        insta::assert_snapshot!(pages.join("\n"));
    }

    #[test]
    fn nothing_from_outside_is_markup_and_names_are_cut() {
        let hostile = format!("<script>alert('1')</script>&\"`{}", "x".repeat(1000));
        let at = datetime!(2026-11-29 12:00 UTC);
        for page in [
            Page::SignedIn {
                account: account(),
                person: person(&hostile),
                at,
            },
            Page::WrongPerson(account(), person(&hostile)),
            Page::NotRedeemed(account(), Some(hostile.clone())),
        ] {
            let html = page.html();
            assert!(!html.contains("<script"), "{html}");
            assert!(html.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;x"));
            assert!(html.len() < 4_000);
        }
    }

    #[test]
    fn the_policy_allows_the_own_style_and_nothing_else() {
        let policy = Page::policy();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        let html = Page::Nothing.html();
        let style = html.split("<style>").nth(1).expect("a style");
        let style = style.split("</style>").next().expect("its end");
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, style.as_bytes());
        let digest = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest);
        assert!(policy.contains(&format!("'sha256-{digest}'")));
    }
}
