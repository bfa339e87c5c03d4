//! Everything that Graph remembers.

use std::sync::Arc;

use super::chats::Chats;
use super::directory::Directory;
use super::onedrive::OneDrive;
use super::registrations::Registrations;
use super::subscriptions::{Own, Subscriptions};
use super::throttle::Throttle;
use crate::delivery::Deliveries;
use crate::entra::Entra;
use crate::shared::locked::Locked;
use crate::world::World;

/// The simulated Graph.
pub struct Graph {
    pub(super) world: Arc<World>,
    pub(super) entra: Arc<Entra>,
    pub(super) chats: Locked<Chats>,
    pub(super) directory: Directory,
    pub(super) registrations: Registrations,
    pub(super) drive: OneDrive,
    pub(super) subscriptions: Subscriptions,
    pub(super) own: Own,
    pub(super) deliveries: Deliveries,
    pub(super) throttle: Throttle,
}

impl Graph {
    /// A Graph without chats and subscriptions.
    #[must_use]
    pub fn new(world: Arc<World>, entra: Arc<Entra>) -> Arc<Self> {
        Arc::new(Self {
            chats: Locked::default(),
            deliveries: Deliveries::new(Arc::clone(&world)),
            registrations: Registrations::of(&world, &entra),
            directory: Directory::of(&world.config.support_accounts),
            subscriptions: Subscriptions::new(world.clock),
            world,
            entra,
            drive: OneDrive::default(),
            own: Own::new(),
            throttle: Throttle::default(),
        })
    }

    /// The secret in the `clientState` of every subscription that the platform makes itself.
    #[must_use]
    pub fn client_state_secret(&self) -> String {
        self.own.secret.clone()
    }

    /// Private key and certificate of those subscriptions, as PEM.
    #[must_use]
    pub fn notification_key_pem(&self) -> String {
        let certificate = &self.own.certificate;
        let key = certificate.signing_key.serialize_pem();
        format!("{key}{}", certificate.cert.pem())
    }
}
