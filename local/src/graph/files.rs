//! The files of OneDrive: what was shared in a chat, its address, and the way from there to its download (Microsoft Learn,
//! "Access shared items" and "Download a file").

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::{hmac, rand};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Graph;
use super::answers::{Refusal, answer, with_headers};
use super::caller::READ_FILES;
use super::chats::Person;
use super::parts;
use crate::shared::download::{Behaviour, Download, segment};

/// All files.
pub struct OneDrive {
    /// What signs the pre-authenticated addresses.
    pub(super) key: hmac::Key,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    files: HashMap<String, Arc<File>>,
    /// The id of the file with this address.
    addresses: HashMap<String, String>,
}

impl fmt::Debug for OneDrive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OneDrive")
    }
}

/// One file.
#[derive(Debug)]
pub struct File {
    /// Its id, a GUID.
    pub id: String,
    /// Its bytes, and how they come.
    pub download: Download,
    /// Its address in the browser.
    url: String,
    /// The owner's folder, as the address writes it.
    pub folder: String,
    /// It lies in a tenant that lets none of ours in.
    foreign: bool,
    /// The chat whose members may read it.
    chat: String,
}

impl OneDrive {
    /// No files.
    ///
    /// # Panics
    /// When the system has no random numbers.
    pub fn new() -> Self {
        let mut secret = [0; 32];
        rand::fill(&mut secret).expect("the system has random numbers");
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            kept: Mutex::default(),
        }
    }

    /// Keeps a file of this owner in this tenant and shares it with the chat; the attachment that refers to it.
    pub fn share(
        &self,
        chat: &str,
        owner: &Person,
        tenant: &str,
        foreign: bool,
        download: Download,
    ) -> Value {
        let folder = folder(owner);
        let host = format!("t{}-my.sharepoint.com", tenant.replace('-', ""));
        let place =
            format!("https://{host}/personal/{folder}/Documents/Microsoft%20Teams%20Chat%20Files");
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // A second file of the same name gets a number, as when somebody chooses to keep both.
        let url = (0..)
            .map(|number| format!("{place}/{}", segment(&numbered(&download.name, number))))
            .find(|url| !kept.addresses.contains_key(url))
            .unwrap_or_default();
        let file = Arc::new(File {
            id: Uuid::new_v4().to_string(),
            download,
            url,
            folder,
            foreign,
            chat: chat.to_owned(),
        });
        kept.addresses.insert(file.url.clone(), file.id.clone());
        kept.files.insert(file.id.clone(), Arc::clone(&file));
        parts::complete(&json!({
            "id": file.id,
            "contentType": "reference",
            "contentUrl": file.url,
            "name": file.download.name,
        }))
    }

    /// The file with this id.
    pub fn file(&self, id: &str) -> Option<Arc<File>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.files.get(id).cloned()
    }

    fn at(&self, url: &str) -> Option<Arc<File>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.files.get(kept.addresses.get(url)?).cloned()
    }
}

/// The name of an owner's folder: the sign-in name with underscores, or the user's id.
fn folder(owner: &Person) -> String {
    let name = owner.upn.as_ref().unwrap_or(&owner.user);
    name.to_lowercase()
        .chars()
        .map(|character| match character {
            'a'..='z' | '0'..='9' => character,
            _ => '_',
        })
        .collect()
}

fn numbered(name: &str, number: u32) -> String {
    match (number, name.rsplit_once('.')) {
        (0, _) => name.to_owned(),
        (_, Some((stem, extension))) => format!("{stem} {number}.{extension}"),
        (_, None) => format!("{name} {number}"),
    }
}

/// The route of the shares API that the bridge calls.
pub fn router() -> Router<Arc<Graph>> {
    Router::new().route("/v1.0/shares/{share}/driveItem/content", get(content))
}

async fn content(
    State(graph): State<Arc<Graph>>,
    Path(share): Path<String>,
    headers: HeaderMap,
) -> Response {
    match graph.redirection(&share, &headers) {
        Ok(response) => with_headers(&headers, response),
        Err(refusal) => answer(&headers, Err(refusal)),
    }
}

impl Graph {
    fn redirection(&self, share: &str, headers: &HeaderMap) -> Result<Response, Refusal> {
        let caller = self.caller(headers)?;
        caller.may(&READ_FILES)?;
        let url = share
            .strip_prefix("u!")
            .and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok())
            .and_then(|url| String::from_utf8(url).ok())
            .ok_or(Refusal::NoShare)?;
        let file = self.drive.at(&url).ok_or(Refusal::NoItem)?;
        let chats = self.chats();
        let shared = chats
            .get(&file.chat)
            .is_some_and(|chat| chat.has_member(&caller.user));
        if file.foreign || !shared {
            return Err(Refusal::AccessDenied);
        }
        match file.download.behaviour {
            Behaviour::Missing => Err(Refusal::NoItem),
            Behaviour::Unavailable => Err(Refusal::Unavailable),
            Behaviour::Redirect => file.download.elsewhere().ok_or(Refusal::NoItem),
            Behaviour::Ok | Behaviour::Virus | Behaviour::StopsHalfWay | Behaviour::Slow => {
                let target = self.drive.address(&self.world.endpoints.files, &file);
                Ok((StatusCode::FOUND, [(header::LOCATION, target)]).into_response())
            }
        }
    }
}
