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
                return Err(Refusal::bad_request(
                    "The limit of '50' for Top query has been exceeded.",
                ));
            }
        },
    };
    let skip: usize = match query.get("$skiptoken") {
        None => 0,
        Some(token) => token
            .parse()
            .map_err(|_| Refusal::bad_request("Invalid skip token."))?,
    };
    let order = match query.get("$orderby").map(String::as_str) {
        None | Some("createdDateTime desc") => "createdDateTime",
        Some("lastModifiedDateTime desc") => "lastModifiedDateTime",
        Some(_) => {
            return Err(Refusal::bad_request(
                "Only descending order by createdDateTime or lastModifiedDateTime is supported.",
            ));
        }
    };
    let moment = |message: &Message| match order {
        "createdDateTime" => message.created,
        _ => message.modified,
    };
    let range = match (query.get("$filter"), query.contains_key("$orderby")) {
        (Some(filter), true) => range(filter, order)?,
        _ => Range::default(),
    };
    let mut found: Vec<&Message> = chat
        .messages
        .iter()
        .filter(|message| range.holds(moment(message)))
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

/// The times between which messages are wanted, both excluded.
#[derive(Default)]
struct Range {
    after: Option<OffsetDateTime>,
    before: Option<OffsetDateTime>,
}

impl Range {
    fn holds(&self, moment: OffsetDateTime) -> bool {
        self.after.is_none_or(|after| moment > after)
            && self.before.is_none_or(|before| moment < before)
    }
}

/// `{property} gt {time}` and `{property} lt {time}`, joined by `and`; what is about another property than the order's is
/// ignored.
fn range(filter: &str, order: &str) -> Result<Range, Refusal> {
    const REFUSED: Refusal = Refusal::bad_request("Invalid filter clause.");
    let mut range = Range::default();
    for clause in filter.split(" and ") {
        let words: Vec<&str> = clause.split_whitespace().collect();
        let [property, operator, time] = words[..] else {
            return Err(REFUSED);
        };
        let time = OffsetDateTime::parse(time, &Rfc3339).map_err(|_| REFUSED)?;
        let bound = match operator {
            "gt" => &mut range.after,
            "lt" => &mut range.before,
            _ => return Err(REFUSED),
        };
        if property == order {
            *bound = Some(time);
        }
    }
    Ok(range)
}
