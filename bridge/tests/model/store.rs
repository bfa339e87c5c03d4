//! Blob: documents that are replaced only in the version that was read, and blobs that are put and listed.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use bridge::queue::envelope::Envelope;
use bridge::queue::spool::SPOOL;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::world::{Kind, Process, Service, Trouble, World};

#[derive(Default)]
pub struct Store {
    blobs: RefCell<BTreeMap<String, (Vec<u8>, u64)>>,
    versions: Cell<u64>,
}

impl Store {
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let blobs = self.blobs.borrow();
        let (body, _) = blobs.get(name)?;
        Some(serde_json::from_slice(body).expect("a document"))
    }

    fn write(&self, name: String, body: Vec<u8>) -> u64 {
        self.versions.set(self.versions.get() + 1);
        let version = self.versions.get();
        self.blobs.borrow_mut().insert(name, (body, version));
        version
    }

    pub fn remove(&self, name: &str) {
        self.blobs.borrow_mut().remove(name);
    }

    pub fn names(&self, beginning: &str) -> Vec<String> {
        let blobs = self.blobs.borrow();
        blobs
            .keys()
            .filter(|name| name.starts_with(beginning))
            .cloned()
            .collect()
    }

    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        Some(self.blobs.borrow().get(name)?.0.clone())
    }
}

/// As `functions::store::document::Document`.
pub struct Document<T> {
    pub value: T,
    name: String,
    version: Option<u64>,
}

impl<T: Serialize + DeserializeOwned + 'static> Document<T> {
    pub async fn load(
        world: &Rc<World>,
        process: &Rc<Process>,
        name: String,
        absent: impl FnOnce() -> T,
    ) -> Result<Self, Trouble> {
        let wanted = name.clone();
        let read = move |world: &Rc<World>| world.store.blobs.borrow().get(&wanted).cloned();
        let (value, version) = match world.call(process, Service::Blob, None, read).await? {
            Some((body, version)) => (
                serde_json::from_slice(&body).expect("a document"),
                Some(version),
            ),
            None => (absent(), None),
        };
        Ok(Self {
            value,
            name,
            version,
        })
    }

    pub async fn save(&mut self, world: &Rc<World>, process: &Rc<Process>) -> Result<(), Trouble> {
        let body = serde_json::to_vec(&self.value).expect("JSON");
        let (name, known) = (self.name.clone(), self.version);
        let write = move |world: &Rc<World>| {
            let present = world
                .store
                .blobs
                .borrow()
                .get(&name)
                .map(|(_, version)| *version);
            (present == known).then(|| world.store.write(name, body))
        };
        let written = world.call(process, Service::Blob, None, write).await?;
        let overtaken = Trouble {
            service: Service::Blob,
            kind: Kind::Overtaken,
        };
        self.version = Some(written.ok_or(overtaken)?);
        Ok(())
    }
}

impl World {
    /// Reads a document that somebody else writes.
    pub async fn peek<T: DeserializeOwned + 'static>(
        self: &Rc<Self>,
        process: &Rc<Process>,
        name: String,
    ) -> Result<Option<T>, Trouble> {
        let read = move |world: &Rc<Self>| world.store.read(&name);
        self.call(process, Service::Blob, None, read).await
    }

    /// Puts a blob, whatever is there.
    pub async fn put(
        self: &Rc<Self>,
        process: &Rc<Process>,
        name: String,
        body: Vec<u8>,
    ) -> Result<(), Trouble> {
        let write = move |world: &Rc<Self>| {
            if name.starts_with(SPOOL) {
                world.is_durable(&Envelope::parse(&body).expect("an envelope"));
            }
            world.store.write(name, body);
        };
        self.call(process, Service::Blob, None, write).await
    }

    pub async fn remove(
        self: &Rc<Self>,
        process: &Rc<Process>,
        name: String,
    ) -> Result<(), Trouble> {
        let remove = move |world: &Rc<Self>| world.store.remove(&name);
        self.call(process, Service::Blob, None, remove).await
    }
}
