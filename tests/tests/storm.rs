//! A small storm; `cargo xtask storm` has large ones.

use end_to_end::storm::{self, Plan, Size};

#[tokio::test(flavor = "multi_thread")]
async fn a_small_storm_loses_repeats_and_disorders_nothing() {
    let report = storm::run(&Plan::new(1, Size::SMALL)).await;
    assert_eq!(report.faults(), [""; 0], "{report}");
}
