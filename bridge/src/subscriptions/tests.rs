use proptest::prelude::*;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-12-01 12:00:00 UTC);
const USER: &str = "00000000-0000-4000-8000-00000000000a";

fn wanted(state: &str, certificate: &str) -> Wanted {
    Wanted {
        resource: resource(USER),
        address: "https://app.example/api/graph/notifications".to_owned(),
        mark: Mark::of(state, certificate),
        renewed_after: RENEWED_AFTER,
    }
}

/// Graph, with the rule that matters here.
#[derive(Debug, Clone)]
struct Graph {
    all: Vec<Seen>,
    now: OffsetDateTime,
    made: usize,
}

impl Graph {
    fn new() -> Self {
        Self {
            all: Vec::new(),
            now: NOW,
            made: 0,
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        let now = self.now;
        self.all.retain(|it| it.ends > now);
    }

    fn apply(&mut self, wanted: &Wanted, step: &Step) {
        let (ends, address) = (self.now + LIFE, wanted.full_address());
        match step {
            Step::Create(kinds) => {
                let is_same = |it: &Seen| wanted.is_for(&it.resource) && it.change_types == *kinds;
                assert!(!self.all.iter().any(is_same), "409: {step:?} of {self:#?}");
                assert!(self.all.len() < 10, "403: the quota of a user's resource");
                self.made += 1;
                self.all.push(Seen {
                    id: self.made.to_string(),
                    resource: format!("/{}", resource(&USER.to_uppercase())),
                    change_types: kinds.clone(),
                    address,
                    ends,
                });
            }
            Step::Renew(id) => {
                let one = self.all.iter_mut().find(|it| it.id == *id).expect("there");
                one.ends = ends;
            }
            Step::Mend(id) => {
                let one = self.all.iter_mut().find(|it| it.id == *id).expect("there");
                (one.ends, one.address) = (ends, address);
            }
            Step::Delete(id) => self.all.retain(|it| it.id != *id),
            Step::Rest => {}
        }
    }

    fn told(&self) -> BTreeSet<ChangeType> {
        let all = self.all.iter();
        all.flat_map(|it| it.change_types.0.iter().copied())
            .collect()
    }

    /// Steps until there is nothing to do, at most so many.
    fn run(&mut self, wanted: &Wanted, most: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        let was_whole = self.told() == ChangeTypes::all().0;
        while steps.len() < most {
            let step = next_step(wanted, &self.all, self.now);
            if step == Step::Rest {
                break;
            }
            self.apply(wanted, &step);
            steps.push(step);
            assert!(
                !was_whole || self.told() == ChangeTypes::all().0,
                "a gap after {steps:?}"
            );
        }
        steps
    }
}

fn written(steps: &[Step]) -> Vec<String> {
    let steps = steps.iter().map(|step| match step {
        Step::Create(kinds) => format!("create {kinds}"),
        Step::Renew(id) => format!("renew {id}"),
        Step::Mend(id) => format!("mend {id}"),
        Step::Delete(id) => format!("delete {id}"),
        Step::Rest => "rest".to_owned(),
    });
    steps.collect()
}

#[test]
fn the_first_is_made_renewed_each_hour_and_made_again_when_it_is_gone() {
    let wanted = wanted("s", "c");
    let mut graph = Graph::new();
    assert_eq!(
        written(&graph.run(&wanted, 9)),
        ["create created,updated,deleted"]
    );
    graph.pass(RENEWED_AFTER);
    assert_eq!(graph.run(&wanted, 9), []);
    graph.pass(Duration::from_secs(1));
    assert_eq!(written(&graph.run(&wanted, 9)), ["renew 1"]);
    graph.pass(LIFE);
    assert_eq!(
        written(&graph.run(&wanted, 9)),
        ["create created,updated,deleted"]
    );
    let ours = &graph.all[0];
    assert!(
        ours.address
            .starts_with("https://app.example/api/graph/notifications?state=")
    );
    assert!(
        !ours.address.contains("state=s&"),
        "a secret is never shown"
    );
}

#[test]
fn another_secret_replaces_it_without_a_gap_and_another_certificate_in_place() {
    let mut graph = Graph::new();
    graph.run(&wanted("s", "c"), 9);
    assert_eq!(written(&graph.run(&wanted("s", "d"), 9)), ["mend 1"]);
    let newer = wanted("t", "d");
    assert!(!is_settled(&newer, &graph.all, graph.now));
    let steps = written(&graph.run(&newer, 9));
    let expected = [
        "create created,updated",
        "create deleted",
        "delete 1",
        "create created,updated,deleted",
        "delete 2",
        "delete 3",
    ];
    assert_eq!(steps, expected);
    assert!(is_settled(&newer, &graph.all, graph.now));
}

#[test]
fn renewals_do_not_hold_up_a_replacement() {
    let mut graph = Graph::new();
    graph.run(&wanted("s", "c"), 9);
    let newer = wanted("t", "c");
    for _ in 0..6 {
        let step = next_step(&newer, &graph.all, graph.now);
        graph.apply(&newer, &step);
        // Each step takes longer than a subscription waits for its renewal.
        graph.pass(RENEWED_AFTER + Duration::from_secs(1));
        assert_eq!(graph.told(), ChangeTypes::all().0, "after {step:?}");
    }
    assert!(is_settled(&newer, &graph.all, graph.now));
    assert_eq!(graph.all.len(), 1);
}

#[test]
fn others_subscriptions_are_left_alone() {
    let mut graph = Graph::new();
    let other = Seen {
        id: "other".to_owned(),
        resource: resource("00000000-0000-4000-8000-00000000000b"),
        change_types: ChangeTypes::all(),
        address: "https://other.example/".to_owned(),
        ends: NOW + LIFE,
    };
    graph.all.push(other.clone());
    graph.run(&wanted("s", "c"), 9);
    graph.run(&wanted("t", "c"), 9);
    assert!(graph.all.contains(&other));
    assert_eq!(graph.all.len(), 2);
}

#[test]
fn an_address_that_has_moved_is_mended() {
    let mut graph = Graph::new();
    graph.run(&wanted("s", "c"), 9);
    let moved = Wanted {
        address: "https://moved.example/api/graph/notifications"
            .parse()
            .expect("an address"),
        ..wanted("s", "c")
    };
    assert_eq!(written(&graph.run(&moved, 9)), ["mend 1"]);
    // Made by hand, without a mark.
    graph.all[0].address = "https://moved.example/api/graph/notifications".to_owned();
    graph.run(&moved, 9);
    assert_eq!(graph.all.len(), 1);
    assert_eq!(graph.all[0].address, moved.full_address());
}

proptest! {
    /// Whatever is replaced by what, and wherever a run was cut off: there is never a gap, and it ends with one subscription.
    #[test]
    fn it_always_comes_to_one_without_a_gap(
        runs in prop::collection::vec((0..3_usize, 0..3_usize, 0..7_usize, 0..3_000_u64), 1..12)
    ) {
        let mut graph = Graph::new();
        graph.run(&wanted("0", "0"), 9);
        for (state, certificate, most, minutes) in runs {
            let wanted = wanted(&state.to_string(), &certificate.to_string());
            graph.run(&wanted, most);
            // Somebody else renews, or nobody does: that one has ended is no gap of ours.
            graph.pass(Duration::from_secs(minutes));
        }
        let last = wanted("last", "last");
        let steps = graph.run(&last, 40);
        prop_assert!(steps.len() < 40, "{steps:?}");
        prop_assert_eq!(graph.all.len(), 1);
        prop_assert!(is_settled(&last, &graph.all, graph.now));
        prop_assert_eq!(&graph.all[0].change_types, &ChangeTypes::all());
    }

    #[test]
    fn kinds_of_changes_are_read_as_they_are_written(kinds in prop::sample::subsequence(vec![0, 1, 2], 0..=3)) {
        let all: Vec<_> = ChangeTypes::all().0.into_iter().collect();
        let kinds = ChangeTypes(kinds.into_iter().map(|it| all[it]).collect());
        prop_assert_eq!(ChangeTypes::read(&kinds.to_string()), kinds);
    }
}
