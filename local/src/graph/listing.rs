//! `GET /chats/{id}/messages` and `GET /me/chats`: pages, order and filter as Graph honours them (Microsoft Learn, "List messages in
//! a chat", "List chats").

use std::collections::HashMap;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answers::Refusal;
use super::chats::{Chat, Message};
use super::views;
use crate::shared::download::segment;

const DEFAULT_PAGE: usize = 20;
const LARGEST_PAGE: usize = 50;

/// One page. The newest message comes first; a filter without an order by the same property is silently ignored.
pub fn page(
    endpoint: &str,
    chat: &Chat,
    query: &HashMap<String, String>,
) -> Result<Value, Refusal> {
    const ORDER: Refusal =
        Refusal::bad_request("Only createdDateTime desc or lastModifiedDateTime desc.");
    let order = query.get("$orderby").map(String::as_str);
    let moment: fn(&Message) -> OffsetDateTime = match order {
        None | Some("createdDateTime desc") => |message| message.created,
        Some("lastModifiedDateTime desc") => |message| message.modified,
        Some(_) => return Err(ORDER),
    };
    let property = order.and_then(|order| order.split(' ').next());
    let (after, before) = match (query.get("$filter"), property) {
        (Some(filter), Some(property)) => range(filter, property)?,
        _ => Range::default(),
    };
    let mut found: Vec<&Message> = chat.messages.iter().collect();
    found.retain(|message| {
        let at = moment(message);
        after.is_none_or(|after| at > after) && before.is_none_or(|before| at < before)
    });
    found.sort_by_key(|message| std::cmp::Reverse(moment(message)));
    let path = format!("chats/{}/messages", segment(&chat.id));
    part(endpoint, &path, query, &found, |it| {
        views::message(chat, it)
    })
}

/// One page of somebody's chats. Their newest message is shown only where that is asked for.
pub fn chats(
    endpoint: &str,
    mut found: Vec<&Chat>,
    query: &HashMap<String, String>,
) -> Result<Value, Refusal> {
    const ORDER: Refusal = Refusal::bad_request("The query specified in the URI is not valid.");
    let with_newest = match query.get("$expand").map(String::as_str) {
        None | Some("members") => false,
        Some("lastMessagePreview" | "members,lastMessagePreview") => true,
        Some(_) => return Err(ORDER),
    };
    match query.get("$orderby").map(String::as_str) {
        None => {}
        Some("lastMessagePreview/createdDateTime desc") => {
            let newest = |chat: &Chat| chat.messages.last().map(|message| message.created);
            found.sort_by_key(|chat| std::cmp::Reverse(newest(chat)));
        }
        Some(_) => return Err(ORDER),
    }
    part(endpoint, "me/chats", query, &found, |chat| {
        let mut view = views::chat(chat);
        if with_newest {
            view["lastMessagePreview"] =
                json!(chat.messages.last().map(|it| views::preview(chat, it)));
        }
        view
    })
}

/// The page of a list that the query names.
fn part<T>(
    endpoint: &str,
    path: &str,
    query: &HashMap<String, String>,
    found: &[&T],
    view: impl Fn(&T) -> Value,
) -> Result<Value, Refusal> {
    const TOP: Refusal = Refusal::bad_request("The limit of '50' for Top query has been exceeded.");
    const SKIP: Refusal = Refusal::bad_request("Invalid skip token.");
    let number = |name: &str, absent| query.get(name).map_or(Ok(absent), |it| it.parse());
    let top = number("$top", DEFAULT_PAGE).map_err(|_| TOP)?;
    if !(1..=LARGEST_PAGE).contains(&top) {
        return Err(TOP);
    }
    let skip = number("$skiptoken", 0).map_err(|_| SKIP)?;
    let shown = found.iter().skip(skip).take(top);
    let shown: Vec<Value> = shown.map(|it| view(it)).collect();
    let mut page = json!({ "@odata.count": shown.len(), "value": shown });
    if found.len() > skip + top {
        let mut next = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in query.iter().filter(|(name, _)| *name != "$skiptoken") {
            next.append_pair(name, value);
        }
        next.append_pair("$skiptoken", &(skip + top).to_string());
        let next = next.finish();
        page["@odata.nextLink"] = json!(format!("{endpoint}/v1.0/{path}?{next}"));
    }
    Ok(page)
}

/// The times between which messages are wanted, both excluded.
type Range = (Option<OffsetDateTime>, Option<OffsetDateTime>);

/// `{property} gt {time}` and `{property} lt {time}`, joined by `and`; what is about another property than the order's is
/// ignored.
fn range(filter: &str, order: &str) -> Result<Range, Refusal> {
    const REFUSED: Refusal = Refusal::bad_request("Invalid filter clause.");
    let mut range = Range::default();
    for clause in filter.split(" and ") {
        let (property, rest) = clause.trim().split_once(' ').ok_or(REFUSED)?;
        let (operator, time) = rest.trim().split_once(' ').ok_or(REFUSED)?;
        let time = OffsetDateTime::parse(time.trim(), &Rfc3339).map_err(|_| REFUSED)?;
        let bound = match operator {
            "gt" => &mut range.0,
            "lt" => &mut range.1,
            _ => return Err(REFUSED),
        };
        if property == order {
            *bound = Some(time);
        }
    }
    Ok(range)
}
