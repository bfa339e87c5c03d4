//! `cargo xtask storm`: one storm after the other, each from its seed, with its figures.

#![allow(clippy::print_stdout, reason = "figures are what it is for")]

use std::process::ExitCode;

use end_to_end::storm::{self, Plan, Size};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size = match arguments.iter().any(|it| it == "--small") {
        true => Size::SMALL,
        false => Size::FULL,
    };
    let mut is_well = true;
    for seed in arguments.iter().filter_map(|it| it.parse().ok()) {
        let report = storm::run(&Plan::new(seed, size)).await;
        println!("{report}");
        for fault in report.faults() {
            println!("FAILED {fault}");
            is_well = false;
        }
        for miss in report.misses() {
            println!("MISSED {miss}");
        }
    }
    match is_well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
