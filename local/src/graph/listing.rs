//! `GET /chats/{id}/messages`: pages, order and filter as Graph honours them (Microsoft Learn, "List messages in a chat").

use std::collections::HashMap;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answers::Refusal;
use super::chats::{Chat, Message};
use super::views;

const DEFAULT_PAGE: usize = 20;
const LARGEST_PAGE: usize = 50;

/// One page. The newest message comes first; a filter without an order by the same property is silently ignored.
pub fn page(
    endpoint: &str,
    id: &str,
    chat: &Chat,
    query: &HashMap<String, String>,
) -> Result<Value, Refusal> {
    let top = match query.get("$top") {
        None => DEFAULT_PAGE,
        Some(top) => match top.parse() {
            Ok(top) if (1..=LARGEST_PAGE).contains(&top) => top,
            _ => {
                return Err(Refusal::BadRequest(
                    "The limit of '50' for Top query has been exceeded.",
                ));
            }
        },
    };
    let skip: usize = match query.get("$skiptoken") {
        None => 0,
        Some(token) => token
            .parse()
            .map_err(|_| Refusal::BadRequest("Invalid skip token."))?,
    };
    let order = match query.get("$orderby").map(String::as_str) {
        None | Some("createdDateTime desc") => "createdDateTime",
        Some("lastModifiedDateTime desc") => "lastModifiedDateTime",
        Some(_) => {
            return Err(Refusal::BadRequest(
                "Only descending order by createdDateTime or lastModifiedDateTime is supported.",
            ));
        }
    };
    let moment = |message: &Message| match order {
        "createdDateTime" => message.created,
        _ => message.modified,
    };
    let after = match (query.get("$filter"), query.contains_key("$orderby")) {
        (Some(filter), true) => lower_bound(filter, order)?,
        _ => None,
    };
    let mut found: Vec<&Message> = chat
        .messages
        .iter()
        .filter(|message| after.is_none_or(|after| moment(message) > after))
        .collect();
    found.sort_by_key(|message| std::cmp::Reverse(moment(message)));
    let shown: Vec<Value> = found
        .iter()
        .skip(skip)
        .take(top)
        .map(|message| views::message(id, message))
        .collect();
    let mut page = json!({ "@odata.count": shown.len(), "value": shown });
    if found.len() > skip + top {
        let mut next = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in query.iter().filter(|(name, _)| *name != "$skiptoken") {
            next.append_pair(name, value);
        }
        next.append_pair("$skiptoken", &(skip + top).to_string());
        let segment = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
        page["@odata.nextLink"] = json!(format!(
            "{endpoint}/v1.0/chats/{segment}/messages?{}",
            next.finish()
        ));
    }
    Ok(page)
}

/// The time in `{property} gt {time}`; a filter by another property than the order's is ignored.
fn lower_bound(filter: &str, order: &str) -> Result<Option<OffsetDateTime>, Refusal> {
    const REFUSED: Refusal = Refusal::BadRequest("Invalid filter clause.");
    let mut words = filter.split_whitespace();
    let (Some(property), Some("gt"), Some(time)) = (words.next(), words.next(), words.next())
    else {
        return Err(REFUSED);
    };
    let time = OffsetDateTime::parse(time, &Rfc3339).map_err(|_| REFUSED)?;
    Ok((property == order).then_some(time))
}
