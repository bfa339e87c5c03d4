//! Two invocations that hold the same lane at the same time, step by step in any order.

use proptest::prelude::*;

use super::*;
use crate::state::inbound::UNDER_WAY;
use crate::teams::message::Attachment;

/// One step takes so long: a call ends long before it counts as lost.
const STEP: Duration = Duration::from_millis(50);

/// The state's blob, with its version.
struct Blob {
    state: InboundState,
    version: usize,
}

impl Blob {
    fn write(&mut self, state: &InboundState, version: &mut usize) -> bool {
        if *version != self.version {
            return false;
        }
        self.version += 1;
        *version = self.version;
        self.state = state.clone();
        true
    }
}

/// What comes next.
enum Stage {
    Read,
    Claim,
    Post,
    Record(PostedPart),
    Done,
}

/// One invocation.
struct Holder {
    name: Digest,
    stage: Stage,
    state: InboundState,
    version: usize,
    series: Option<Series>,
    unsaved: Vec<PostedPart>,
}

impl Holder {
    fn new(name: &str, blob: &Blob) -> Self {
        Self {
            name: Digest::of("holder", name),
            stage: Stage::Read,
            state: blob.state.clone(),
            version: blob.version,
            series: None,
            unsaved: Vec::new(),
        }
    }

    fn step(
        &mut self,
        blob: &mut Blob,
        genesys: &mut Vec<String>,
        now: OffsetDateTime,
        works: bool,
    ) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Read => {
                self.state = blob.state.clone();
                self.version = blob.version;
                match planned(&self.state, &self.name, now) {
                    Plan::Wait => Stage::Read,
                    Plan::Skip(_) => Stage::Done,
                    Plan::Tell(mut series) => {
                        let series = self.series.insert(series.remove(0));
                        for part in &self.unsaved {
                            series.posted(&mut self.state, part.clone(), now);
                        }
                        Stage::Claim
                    }
                    other => unreachable!("{other:?}"),
                }
            }
            Stage::Claim => {
                let series = self.series.as_ref().expect("planned");
                if series.next(&self.state).is_some() {
                    series.claim(&mut self.state, &self.name, now);
                }
                // The wait for the pace lies before it: whoever else wrote meanwhile makes this one read again.
                self.written(blob, works, Stage::Post)
            }
            Stage::Post if !works => Stage::Read,
            Stage::Post => {
                let series = self.series.as_ref().expect("planned");
                let (piece, progress) = series.next(&self.state).expect("claimed");
                genesys.push(series.next_id(&self.state));
                Stage::Record(PostedPart {
                    piece: progress.piece,
                    part: progress.part,
                    genesys: format!("g{}", genesys.len()),
                    ends_piece: progress.part + 1 == parts(piece).len(),
                })
            }
            Stage::Record(part) => {
                let series = self.series.as_ref().expect("planned");
                self.unsaved.push(part.clone());
                series.posted(&mut self.state, part, now);
                let next = self.written(blob, works, Stage::Claim);
                if !matches!(next, Stage::Read) {
                    self.unsaved.clear();
                }
                next
            }
            Stage::Done => Stage::Done,
        };
    }

    /// Writes the state: what comes next, which is `then` while something is left to post.
    fn written(&mut self, blob: &mut Blob, works: bool, then: Stage) -> Stage {
        if !works || !blob.write(&self.state, &mut self.version) {
            return Stage::Read;
        }
        let series = self.series.as_ref().expect("planned");
        match series.next(&self.state) {
            Some(_) => then,
            None => Stage::Done,
        }
    }
}

fn planned(state: &InboundState, holder: &Digest, now: OffsetDateTime) -> Plan {
    let mut sent = message("1", &"many words ".repeat(40), START);
    sent.attachments.push(Attachment {
        content_type: "reference".to_owned(),
        content_url: Some("https://a.example/b".to_owned()),
        ..Attachment::default()
    });
    let chat = Chat {
        inbound: state,
        outbound: None,
    };
    plan(&Case {
        policy: &policy(),
        notification: &notification(ChangeType::Created, &sent.id, state),
        chat: Some(chat),
        answers: &Answers {
            message: Some(sent),
            kind: Asked::Told(ChatKind::OneOnOne),
            members: Asked::Told(Vec::new()),
            tenant: Asked::Told(None),
            file_hosts: Asked::CannotTell,
            ..Answers::default()
        },
        holder,
        now,
    })
}

proptest! {
    #[test]
    fn two_holders_post_each_part_once_and_skip_nothing(
        steps in proptest::collection::vec((any::<bool>(), prop::bool::weighted(0.85)), 0..120),
    ) {
        let mut blob = Blob { state: World::new().inbound, version: 0 };
        let mut holders = [Holder::new("one", &blob), Holder::new("two", &blob)];
        let mut genesys = Vec::new();
        let mut now = START;
        let rest = std::iter::repeat_n([(true, true), (false, true)], 40).flatten();
        for (first, works) in steps.into_iter().chain(rest) {
            now += STEP;
            holders[usize::from(first)].step(&mut blob, &mut genesys, now, works);
        }
        let expected = ["1", "1-2", "1-3", "1-4"];
        prop_assert_eq!(genesys, expected);
        prop_assert!(blob.state.is_complete(&id("1")) && blob.state.sending.is_none());
        prop_assert!(holders.iter().all(|holder| matches!(holder.stage, Stage::Done)));
    }
}

#[test]
fn a_holder_that_died_is_waited_for_no_longer_than_a_call_lasts() {
    let mut blob = Blob {
        state: World::new().inbound,
        version: 0,
    };
    let mut genesys = Vec::new();
    let mut dead = Holder::new("dead", &blob);
    for _ in 0..3 {
        dead.step(&mut blob, &mut genesys, START, true);
    }
    assert_eq!(genesys, ["1"], "posted, and not noted");
    let mut heir = Holder::new("heir", &blob);
    let mut now = START;
    while genesys.len() < 2 {
        now += STEP;
        heir.step(&mut blob, &mut genesys, now, true);
    }
    // With the same id: nobody can find out whether Genesys has it.
    assert_eq!(genesys, ["1", "1"]);
    assert!(now - START < UNDER_WAY + STEP * 5);
}
