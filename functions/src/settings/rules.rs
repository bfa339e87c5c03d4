//! What each kind of value must look like; an error says what is wrong without repeating the value.

use bridge::ids::{SupportAccountName, UserId};

use services::files::{HostPattern, Origin};

use super::SupportAccount;
use super::specifications::GENESYS_DOMAINS;

pub(super) fn parsed<T: std::str::FromStr>(value: &str, problem: &str) -> Result<T, String> {
    value.parse().map_err(|_| problem.to_owned())
}

pub(super) fn guid(value: &str) -> Result<String, String> {
    uuid::Uuid::parse_str(value)
        .map(|guid| guid.hyphenated().to_string())
        .map_err(|_| "not a GUID".to_owned())
}

pub(super) fn number(value: &str, least: u64, most: u64) -> Result<u64, String> {
    match value.parse::<u64>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        Ok(_) => Err(format!("not between {least} and {most}")),
        Err(_) => Err("not a whole number".to_owned()),
    }
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

pub(super) fn optional_https(value: &str) -> Result<Option<String>, String> {
    if value.is_empty() {
        Ok(None)
    } else {
        https(value).map(Some)
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

/// `https://host:port`, separated by commas; none for an empty text.
pub(super) fn origins(value: &str) -> Result<Vec<Origin>, String> {
    list(value, "no https origin")
}

/// Host names, perhaps with `*.` before them, separated by commas.
pub(super) fn hosts(value: &str) -> Result<Vec<HostPattern>, String> {
    list(value, "no host pattern")
}

fn list<T: std::str::FromStr>(value: &str, problem: &str) -> Result<Vec<T>, String> {
    if value.is_empty() || value == "none" {
        return Ok(Vec::new());
    }
    value
        .split(',')
        .enumerate()
        .map(|(index, entry)| {
            entry
                .trim()
                .parse()
                .map_err(|_| format!("unusable, because entry {} is {problem}", index + 1))
        })
        .collect()
}

pub(super) fn notice(value: &str) -> Result<Option<String>, String> {
    match value {
        "off" => Ok(None),
        text if text.chars().count() <= 1000 => Ok(Some(text.to_owned())),
        _ => Err("too long".to_owned()),
    }
}

pub(super) fn genesys_domain(value: &str, overridden: bool) -> Result<String, String> {
    if overridden || GENESYS_DOMAINS.contains(&value) {
        Ok(value.to_owned())
    } else {
        Err(
            "no known Genesys Cloud domain (set GENESYS_API_ENDPOINT and GENESYS_LOGIN_ENDPOINT for a new region)"
                .to_owned(),
        )
    }
}

pub(super) fn support_accounts(value: &str) -> Result<Vec<SupportAccount>, String> {
    let mut accounts: Vec<SupportAccount> = Vec::new();
    for (index, entry) in value.split(',').enumerate() {
        let position = index + 1;
        let (name, user) = entry
            .trim()
            .split_once('=')
            .ok_or_else(|| format!("without `=` in entry {position}"))?;
        let name: SupportAccountName = parsed(name, "")
            .map_err(|_| format!("using a name outside a-z, 0-9 and - in entry {position}"))?;
        let user: UserId = parsed(user, "")
            .map_err(|_| format!("without a GUID after the name in entry {position}"))?;
        if accounts
            .iter()
            .any(|other| other.name == name || other.user == user)
        {
            return Err(format!("naming an account twice in entry {position}"));
        }
        accounts.push(SupportAccount { name, user });
    }
    Ok(accounts)
}
