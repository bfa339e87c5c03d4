//! What each kind of value must look like; an error says what is wrong without repeating the value.

use std::str::FromStr;
use std::time::Duration;

use bridge::conversation::admission::CustomerTenants;
use bridge::ids::{SupportAccountName, UserId};

use super::{AccountKind, NoticeText, SupportAccount};

/// A value that its type itself can read.
pub(super) fn parsed<T: FromStr>(problem: &'static str) -> impl Fn(&str) -> Result<T, String> {
    move |value| value.parse().map_err(|_| problem.to_owned())
}

pub(super) fn text(value: &str) -> Result<String, String> {
    Ok(value.to_owned())
}

/// One of a few words, each with its meaning.
pub(super) fn words<T: Copy, const N: usize>(
    words: [(&'static str, T); N],
) -> impl Fn(&str) -> Result<T, String> {
    move |value| {
        let found = words.iter().find(|(word, _)| *word == value);
        found
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| "not one of the words".to_owned())
    }
}

pub(super) fn guid(value: &str) -> Result<String, String> {
    uuid::Uuid::parse_str(value)
        .map(|guid| guid.hyphenated().to_string())
        .map_err(|_| "not a GUID".to_owned())
}

/// OAuth clients that share the load; more would be another's mistake.
const MOST_CLIENTS: usize = 20;

/// One or more, each once, separated by commas.
pub(super) fn guids(value: &str) -> Result<Vec<String>, String> {
    let mut read: Vec<String> = Vec::new();
    for (index, entry) in value.split(',').enumerate() {
        let id =
            guid(entry.trim()).map_err(|_| format!("without a GUID in entry {}", index + 1))?;
        if read.contains(&id) {
            return Err(format!("naming a client twice in entry {}", index + 1));
        }
        read.push(id);
    }
    match read.len() {
        ..=MOST_CLIENTS => Ok(read),
        _ => Err(format!("naming more than {MOST_CLIENTS} clients")),
    }
}

/// The same, or nothing.
pub(super) fn optional_guid(value: &str) -> Result<Option<String>, String> {
    match value {
        "" => Ok(None),
        id => guid(id).map(Some),
    }
}

/// A whole number within bounds, in some unit.
pub(super) fn amount<T>(
    least: u64,
    most: u64,
    unit: fn(u64) -> T,
) -> impl Fn(&str) -> Result<T, String> {
    move |value| match value.parse::<u64>() {
        Ok(number) if (least..=most).contains(&number) => Ok(unit(number)),
        Ok(_) => Err(format!("not between {least} and {most}")),
        Err(_) => Err("not a whole number".to_owned()),
    }
}

pub(super) fn seconds(least: u64, most: u64) -> impl Fn(&str) -> Result<Duration, String> {
    amount(least, most, Duration::from_secs)
}

pub(super) fn hours(least: u64, most: u64) -> impl Fn(&str) -> Result<Duration, String> {
    amount(least, most, |hours| Duration::from_secs(hours * 3600))
}

/// An https URL without query, kept without a trailing slash so that paths can be appended.
pub(super) fn https(value: &str) -> Result<String, String> {
    let url = url::Url::parse(value).map_err(|_| "not a URL".to_owned())?;
    if url.scheme() != "https" {
        return Err("not an https URL".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("a URL with more than host and path".to_owned());
    }
    Ok(value.trim_end_matches('/').to_owned())
}

/// The same, or nothing.
pub(super) fn optional_https(value: &str) -> Result<String, String> {
    match value {
        "" => text(value),
        url => https(url),
    }
}

pub(super) fn authority(value: &str) -> Result<String, String> {
    match url::Url::parse(&format!("https://{value}/")) {
        Ok(url) if url.path() == "/" && url.query().is_none() && url.host().is_some() => {
            Ok(value.to_owned())
        }
        _ => Err("not a host name".to_owned()),
    }
}

/// Scheme and host of an app, by the host name that the platform sets (`WEBSITE_HOSTNAME`). Azure serves https alone; Core Tools and the local platform serve the
/// loopback address without it.
#[must_use]
pub fn address_of(host: &str) -> Option<String> {
    authority(host).ok()?;
    let is_local = ["localhost:", "127.0.0.1:"]
        .iter()
        .any(|it| host.starts_with(it));
    let scheme = if is_local { "http" } else { "https" };
    Some(format!("{scheme}://{host}"))
}

pub(super) fn queue(value: &str) -> Result<String, String> {
    let allowed = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_' | '/')
    };
    if value.len() <= 260 && value.chars().all(allowed) {
        Ok(value.to_owned())
    } else {
        Err("not a queue name".to_owned())
    }
}

/// Several values, separated by commas; none for an empty text and for `none`.
pub(super) fn list<T: FromStr>(problem: &str) -> impl Fn(&str) -> Result<Vec<T>, String> {
    move |value| match value {
        "" | "none" => Ok(Vec::new()),
        entries => {
            let entries = entries.split(',').enumerate();
            let read = entries.map(|(index, entry)| {
                let unusable = |_| format!("unusable, because entry {} is {problem}", index + 1);
                entry.trim().parse().map_err(unusable)
            });
            read.collect()
        }
    }
}

/// Everybody, or a list of tenants; one without an entry would let nobody write.
pub(super) fn customer_tenants(value: &str) -> Result<CustomerTenants, String> {
    match value {
        "all" => Ok(CustomerTenants::All),
        "none" => Err("a list of nobody".to_owned()),
        tenants => list("no GUID")(tenants).map(CustomerTenants::Listed),
    }
}

/// A text for customers.
pub(super) fn notice(value: &str) -> Result<NoticeText, String> {
    match value {
        "standard" => Ok(NoticeText::Standard),
        "off" => Ok(NoticeText::Off),
        text if text.chars().count() <= 1000 => Ok(NoticeText::Own(text.to_owned())),
        _ => Err("too long".to_owned()),
    }
}

/// Domains of Genesys Cloud regions (Python SDK `purecloud_region_hosts.py`).
const GENESYS_DOMAINS: &str = "mypurecloud.com usw2.pure.cloud cac1.pure.cloud sae1.pure.cloud mxc1.pure.cloud \
    mypurecloud.ie euw2.pure.cloud mypurecloud.de euc2.pure.cloud edee1.eusc-pure.cloud mec1.pure.cloud aps1.pure.cloud \
    apne2.pure.cloud apne3.pure.cloud mypurecloud.jp mypurecloud.com.au apse1.pure.cloud use2.us-gov-pure.cloud";

/// Words that end a conversation, in lower case; `off` for none.
pub(super) fn end_words(value: &str) -> Result<Vec<String>, String> {
    if value == "off" {
        return Ok(Vec::new());
    }
    let words = value.split(',').map(|word| word.trim().to_lowercase());
    let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
    match words.iter().all(|word| word.chars().count() <= 100) {
        true => Ok(words),
        false => Err("naming a word of more than 100 characters".to_owned()),
    }
}

pub(super) fn is_known_genesys_domain(domain: &str) -> bool {
    GENESYS_DOMAINS.split(' ').any(|known| known == domain)
}

/// `name=object id`, of an agent user `name=object id@client id of its agent identity`, separated by commas. An agent identity
/// has one agent user at most ("Agent's user accounts in Microsoft Entra Agent ID").
pub(super) fn support_accounts(value: &str) -> Result<Vec<SupportAccount>, String> {
    let mut accounts: Vec<SupportAccount> = Vec::new();
    for (index, entry) in value.split(',').enumerate() {
        let position = index + 1;
        let (name, user) = entry
            .trim()
            .split_once('=')
            .ok_or_else(|| format!("without `=` in entry {position}"))?;
        let name: SupportAccountName = name
            .parse()
            .map_err(|_| format!("using a name outside a-z, 0-9 and - in entry {position}"))?;
        let (user, identity) = match user.split_once('@') {
            Some((user, identity)) => (user, Some(identity)),
            None => (user, None),
        };
        let user: Option<UserId> = user.parse().ok().filter(UserId::is_entra);
        let user =
            user.ok_or_else(|| format!("without a GUID after the name in entry {position}"))?;
        let kind = match identity.map(guid) {
            None => AccountKind::SignedIn,
            Some(Ok(identity)) => AccountKind::AgentUser(identity),
            Some(Err(_)) => return Err(format!("without a GUID after `@` in entry {position}")),
        };
        let account = SupportAccount { name, user, kind };
        let repeats = |other: &SupportAccount| {
            other.name == account.name
                || other.user == account.user
                || (account.is_agent_user() && other.kind == account.kind)
        };
        if accounts.iter().any(repeats) {
            return Err(format!("naming an account twice in entry {position}"));
        }
        accounts.push(account);
    }
    Ok(accounts)
}
