//! Small reports that other programs were seen to misread: wrong numbers, crashes, whole files dropped without a
//! word. Each row of those observations is a test here, with the right answer.

#[path = "probe_tables/junit.rs"]
mod junit;
#[path = "probe_tables/lcov.rs"]
mod lcov;

use mgmt_action::evidence::tests::{Identity, Test};
use mgmt_action::evidence::{Evidence, Kind, Level, Limits, Origin, Outcome, Repeats, collect};

fn read_as(kind: Kind, bytes: &[u8], repeats: Repeats) -> Evidence {
    let origin = Origin { check: "unit", path: "report", repeats };
    collect::read(bytes, Some(kind), None, &origin, &Limits::default())
}

fn codes(evidence: &Evidence) -> Vec<&str> {
    evidence.problems.iter().map(|problem| problem.code.as_str()).collect()
}

fn losses(evidence: &Evidence) -> Vec<&str> {
    let losses = evidence.problems.iter().filter(|problem| problem.level == Level::Loss);
    losses.map(|problem| problem.message.as_str()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).expect("memory takes all");
    writer.finish().expect("memory takes all")
}
