//! The files of OneDrive: what was shared in a chat, its address in the browser, and addresses that need no token (Microsoft
//! Learn, "Access shared items" and "Download a file").

use std::sync::Arc;

use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::chats::Person;
use super::parts;
use super::state::Graph;
use crate::shared::download::{Download, segment};
use crate::shared::kept::Kept;

/// All files.
pub type OneDrive = Kept<File>;

/// One file.
pub struct File {
    pub id: String,
    /// Its address in the browser.
    url: String,
    pub download: Download,
    /// The owner's folder, as the address writes it.
    pub folder: String,
    /// It lies in a tenant that lets none of ours in.
    pub foreign: bool,
    /// The chat whose members may read it.
    pub chat: String,
}

impl OneDrive {
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
        // A second file of the same name gets a number, as when somebody chooses to keep both.
        let url = (0..)
            .map(|number| format!("{place}/{}", segment(&numbered(&download.name, number))))
            .find(|url| self.at(url).is_none())
            .unwrap_or_default();
        let file = File {
            id: Uuid::new_v4().to_string(),
            url,
            download,
            folder,
            foreign,
            chat: chat.to_owned(),
        };
        let attachment = parts::complete(&json!({
            "id": file.id,
            "contentType": "reference",
            "contentUrl": file.url,
            "name": file.download.name,
        }));
        self.keep(&file.id.clone(), file);
        attachment
    }

    /// The file with this address in the browser.
    pub fn at(&self, url: &str) -> Option<Arc<File>> {
        self.find(|file| file.url == url)
    }

    /// A fresh address of a file below this origin, for whoever has it.
    pub fn address(&self, origin: &str, file: &File) -> String {
        let (folder, id) = (&file.folder, &file.id);
        let (until, proof) = self.proof(id, OffsetDateTime::now_utc().unix_timestamp());
        let query = format!("UniqueId={id}&tempauth=v1.{until}.{proof}");
        format!("{origin}/personal/{folder}/_layouts/15/download.aspx?{query}")
    }
}

impl Graph {
    /// Keeps a file that somebody sends to the app in a chat; the attachment of the activity, whose `downloadUrl` needs no token
    /// ("Send and receive files from a bot").
    pub(crate) fn share_with_app(&self, chat: &str, owner: &Person, download: Download) -> Value {
        let name = download.name.clone();
        let kind = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let shared = self
            .drive
            .share(chat, owner, &owner.tenant, false, download);
        let id = shared["id"].as_str().unwrap_or_default();
        let file = self.drive.get(id);
        let url = file.map(|file| self.drive.address(&self.world.endpoints.files, &file));
        json!({
            "contentType": "application/vnd.microsoft.teams.file.download.info",
            "contentUrl": shared["contentUrl"],
            "name": name,
            "content": { "downloadUrl": url, "uniqueId": id, "fileType": kind, "etag": format!("\"{{{id}}},1\"") },
        })
    }
}

/// The name of an owner's folder: the sign-in name with underscores, or the user's id.
fn folder(owner: &Person) -> String {
    let name = owner.upn.as_ref().unwrap_or(&owner.user);
    name.to_lowercase()
        .replace(|character: char| !character.is_ascii_alphanumeric(), "_")
}

fn numbered(name: &str, number: u32) -> String {
    match (number, name.rsplit_once('.')) {
        (0, _) => name.to_owned(),
        (_, Some((stem, extension))) => format!("{stem} {number}.{extension}"),
        (_, None) => format!("{name} {number}"),
    }
}
