//! `handler forget`: erases a person from all that the bridge keeps, and says what remains elsewhere.

use std::time::Duration;

use anyhow::{anyhow, bail};
use bridge::forget::Person;
use bridge::ids::{TenantId, UserId};
use clap::Args;
use functions::failed::Desk;
use functions::forget::{Found, Kind, Tally};

use crate::failed::desk;
use crate::login::explained;

/// How long messages on their way are waited for: most calls to the outside take less.
const PATIENCE: Duration = Duration::from_secs(30);

/// What this command cannot reach, and who can.
const REMAINS: &str = "\
What remains elsewhere:
- Storage account: each erased blob, and each overwritten version, can be restored for as long as soft delete is set (softDeleteDays, 7
  days by default); then it is gone. For 15 days state/erased/ holds the time of the erasure under a digest of each chat, without any
  id, so that nothing from before is read from Teams again. Backups that you make of the account are yours to clean.
- Running instances: which chat a thread leads to, in memory, for a day at most.
- Queues: what is on its way now cannot be picked out. It is delivered, within minutes if all is well and 14 days at most, and makes
  new state, as does a customer who goes on writing: run this command again then.
- Application Insights and audit logs: digests, times and request ids, no text, name or address, until log_retention_days (30 by
  default) are over.
- Teams, in both organizations: the chat itself. Retention, eDiscovery and deletion are in the hands of their Microsoft 365
  administrators.
- Genesys Cloud: conversations with their attributes, recordings and the external contact. An administrator there submits a request
  GDPR_DELETE (POST /api/v2/gdpr/requests, permission gdpr:request:add), or deletes the contact and waits for the retention policies.
- The CRM: the bridge wrote nothing there; what it holds of the person is its own.";

/// Who is to be forgotten, and whether it is meant.
#[derive(Args)]
pub struct Order {
    /// Object id of the person in Entra ID.
    #[arg(
        long,
        value_name = "ID",
        requires = "tenant",
        required_unless_present = "guest"
    )]
    user: Option<String>,
    /// Id of the person's tenant in Entra ID.
    #[arg(long, value_name = "ID", requires = "user")]
    tenant: Option<String>,
    /// The id that Graph gives to a person without an account in Entra ID (a personal Microsoft account, a guest of a meeting, a phone).
    #[arg(long, value_name = "ID", conflicts_with = "user")]
    guest: Option<String>,
    /// Only tell what would be erased.
    #[arg(long)]
    dry_run: bool,
    /// Erase it, for good.
    #[arg(long)]
    yes: bool,
}

impl Order {
    fn person(&self) -> anyhow::Result<Person> {
        if let Some(guest) = &self.guest {
            let guest = guest.parse::<UserId>();
            let guest = guest.map_err(|error| anyhow!("--guest: {error}"))?;
            let person = Person::without_account(guest);
            return person.map_err(|error| anyhow!("--guest: {error}: put it behind --user"));
        }
        let given = |id: &Option<String>| id.clone().unwrap_or_default();
        let tenant = given(&self.tenant).parse::<TenantId>();
        let tenant = tenant.map_err(|error| {
            anyhow!("--tenant: {error}: put the GUID of the person's tenant there")
        })?;
        let user = given(&self.user).parse::<UserId>();
        let user = user.map_err(|error| anyhow!("--user: {error}"))?;
        Person::in_entra(tenant, user)
            .map_err(|error| anyhow!("--user: {error}; --guest takes ids of another kind"))
    }
}

/// Runs the command; tells whether nothing of the person is left that it reaches.
///
/// # Errors
/// One line of what to do.
pub async fn run(order: &Order, lookup: impl Fn(&str) -> Option<String>) -> anyhow::Result<bool> {
    let person = order.person()?;
    let desk = desk(&lookup)?;
    let found = desk
        .trace(&person)
        .await
        .map_err(|error| explained(&error))?;
    if found.is_of_another_tenant {
        bail!(
            "nothing is erased: the bridge knows this user id in another tenant only; look whether --tenant and --user belong together"
        );
    }
    if order.dry_run || !order.yes {
        print("would erase", &found.tally());
        print_rest(&desk, &found).await;
        if !order.dry_run && !found.traces.is_empty() {
            bail!("nothing is erased: look at this, then say --yes");
        }
        return Ok(found.unreadable.is_empty());
    }
    let mut erased = Tally::new();
    let left = desk.forget(&person, PATIENCE, &mut erased).await;
    print("erased", &erased);
    let left = left.map_err(|error| {
        let error = explained(&error);
        anyhow!("{error}; the rest is still there: run the command again")
    })?;
    print("LEFT", &left.tally());
    let (in_work, all) = (
        left.traces.iter().filter(|it| it.is_in_work).count(),
        left.traces.len(),
    );
    match all {
        0 => println!("nothing of this person is left in Blob Storage"),
        _ if in_work > 0 => {
            println!(
                "a message of the chat is on its way: run the command again in a quarter of an hour"
            );
        }
        _ => println!("it was written meanwhile: run the command again"),
    }
    print_rest(&desk, &left).await;
    println!("{REMAINS}");
    Ok(all == 0 && left.unreadable.is_empty())
}

/// One line for each kind.
fn print(what: &str, tally: &Tally) {
    for (kind, count) in tally {
        println!("{what:<12} {count:>5}  {}", name(*kind));
    }
}

const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Failed => "failed messages, of either side",
        Kind::Content => "contents of messages too large for their queue",
        Kind::Spooled => {
            "agents' messages that wait in Blob for their queue; the agent is told that they failed"
        }
        Kind::File => "files, of either side",
        Kind::Group => "descriptions of a group's conversation: name, address, ids, company",
        Kind::Posts => "states of a chat on the way to Teams",
        Kind::Chat => {
            "states of a chat on the way to Genesys, with the person's name, address and ids"
        }
        Kind::Thread => "threads",
    }
}

/// What the command does not decide: what is a group's, what cannot be read, what lies on the queues.
async fn print_rest(desk: &Desk, found: &Found) {
    if found.of_groups > 0 {
        println!(
            "stays        {:>5}  failed messages, contents and files of groups in which the person is known to be: nobody can tell whose they are",
            found.of_groups
        );
    }
    for blob in &found.unreadable {
        println!("UNREADABLE   {blob}: nobody can tell whose it is; look at it, or delete it");
    }
    for queue in [&desk.inbound_queue, &desk.outbound_queue] {
        match desk.bus.length(queue).await {
            Ok(length) => {
                let waiting = length.active + length.scheduled;
                if waiting > 0 {
                    println!(
                        "waits        {waiting:>5}  messages of all customers on the queue {queue}: once they are through, run the command again"
                    );
                }
                if length.dead_letters > 0 {
                    println!(
                        "waits        {:>5}  dead letters of all customers of the queue {queue}: handler failed drain, then run the command again",
                        length.dead_letters
                    );
                }
            }
            Err(error) => println!(
                "waits            ?  messages on the queue {queue}: {}",
                explained(&error)
            ),
        }
    }
}
