//! Parts of one run that are judged by themselves, each by a policy of its own.

use super::github::{zip, zip_folder};
use super::publish::Pull;
use super::scene::POLICY;

#[test]
fn a_part_is_judged_alone_and_missed_by_its_name() {
    let pull = Pull::from("stranger/app", POLICY, POLICY);
    pull.mgmt(&["full-check", "-q"]);
    assert_eq!(pull.mgmt(&["collect", "--shard", "api"]).code, 0);
    let bytes = zip_folder(&pull.scene.project.path(".mgmt/bundle"));
    let repo = pull.scene.fake.repo("org/app");
    repo.artifact(pull.run, "mgmt-evidence-api-attempt1", bytes);
    // The other part would make any verdict on both inconclusive.
    repo.artifact(pull.run, "mgmt-evidence-web-attempt1", zip(&[("bundle.json", b"none")]));
    assert_eq!(pull.publish_run(&["--key", "all"]).code, 4);
    let alone = pull.publish_run(&["--shard", "api", "--key", "api"]);
    assert_eq!(alone.code, 0, "{alone:?}");
    let missed = pull.publish_run(&["--shard", "trainer", "--format", "json"]);
    assert_eq!(missed.code, 4, "{missed:?}");
    assert!(pull.comments().iter().any(|(_, body)| body.contains("the part `trainer` is not there")));

    let nowhere = pull.mgmt(&["publish", "--shard", "api"]);
    assert_eq!(nowhere.code, 2, "{nowhere:?}");
    assert!(nowhere.stderr.contains("parts are those of a finished run, and none is meant here"), "{nowhere:?}");
    assert_eq!(pull.publish_run(&["--shard", "api", "--expect", "2"]).code, 2);
}
