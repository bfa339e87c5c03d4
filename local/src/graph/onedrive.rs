//! The files of OneDrive: what was shared in a chat, its address in the browser, and addresses that need no token, because they
//! carry a proof of their own for an hour (Microsoft Learn, "Access shared items" and "Download a file").

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::chats::Person;
use super::parts;
use crate::shared::download::{Download, segment};
use crate::shared::locked::Locked;
use crate::shared::signing::SigningKey;

/// A pre-authenticated address serves this long, in seconds.
const LIFE: i64 = 3600;

#[derive(Default)]
pub struct OneDrive {
    /// What signs the pre-authenticated addresses.
    key: SigningKey,
    /// By the address in the browser.
    files: Locked<HashMap<String, Arc<File>>>,
}

pub struct File {
    pub id: String,
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
        let mut files = self.files.lock();
        // A second file of the same name gets a number, as when somebody chooses to keep both.
        let url = (0..)
            .map(|number| format!("{place}/{}", segment(&numbered(&download.name, number))))
            .find(|url| !files.contains_key(url))
            .unwrap_or_default();
        let (id, name) = (Uuid::new_v4().to_string(), download.name.clone());
        let file = Arc::new(File {
            id: id.clone(),
            download,
            folder,
            foreign,
            chat: chat.to_owned(),
        });
        files.insert(url.clone(), file);
        parts::complete(&json!({
            "id": id,
            "contentType": "reference",
            "contentUrl": url,
            "name": name,
        }))
    }

    pub fn file(&self, id: &str) -> Option<Arc<File>> {
        self.files
            .lock()
            .values()
            .find(|file| file.id == id)
            .cloned()
    }

    /// The file with this address in the browser.
    pub fn at(&self, url: &str) -> Option<Arc<File>> {
        self.files.lock().get(url).cloned()
    }

    /// A fresh pre-authenticated address of a file below this origin.
    pub fn address(&self, origin: &str, file: &File) -> String {
        let proof = self.proof(&file.id, OffsetDateTime::now_utc().unix_timestamp());
        format!(
            "{origin}/personal/{}/_layouts/15/download.aspx?UniqueId={}&tempauth={proof}",
            file.folder, file.id
        )
    }

    /// What proves that an address for this file was given out at this time.
    fn proof(&self, id: &str, at: i64) -> String {
        format!("v1.{at}.{}", self.key.sign(&format!("{at}\n{id}")))
    }

    /// Whether the proof is genuine, for this file and younger than its life.
    pub fn opens(&self, id: &str, proof: &str, now: i64) -> bool {
        let issued = proof.split('.').nth(1).and_then(|at| at.parse().ok());
        issued.is_some_and(|at: i64| {
            proof == self.proof(id, at) && (0..LIFE).contains(&now.saturating_sub(at))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_for_one_file_and_one_hour() {
        let drive = OneDrive::default();
        let proof = drive.proof("a", 10_000);
        assert!(drive.opens("a", &proof, 10_000));
        assert!(drive.opens("a", &proof, 13_599));
        assert!(!drive.opens("a", &proof, 13_600));
        assert!(!drive.opens("b", &proof, 10_000));
        assert!(!drive.opens("a", "", 10_000));
        assert!(!drive.opens("a", &proof.replace("10000", "10001"), 10_001));
        assert!(!OneDrive::default().opens("a", &proof, 10_000));
    }
}
