//! The comment on a pull request where runs are old, answers are lost, and others are at work.

use super::github::Fault;
use super::publish::Pull;

const COMMENT: &str = "/repos/*/*/issues/comments/*";

/// Makes the next result another one.
fn fail(pull: &Pull) {
    let broken = "<testsuite><testcase name='a'><failure/></testcase></testsuite>";
    pull.scene.project.write("made/junit.xml", broken);
}

#[test]
fn a_run_of_an_earlier_commit_leaves_the_comment_alone() {
    let pull = Pull::own();
    pull.publish(&[]);
    pull.scene.fake.repo("org/app").edit(|repo| repo.pulls[0].head_sha = "9".repeat(40));
    fail(&pull);
    let again = pull.publish(&["--to", "comment,summary"]);
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.stderr.contains("the newest commit of the pull request is 9999999999 by now"), "{again:?}");
    assert!(pull.comments()[0].1.contains("## ✅ pass"), "{:?}", pull.comments());
    assert!(pull.scene.project.read(".git/summary").contains("## ❌ fail"));
}

#[test]
fn a_rewriting_whose_answer_is_lost_is_looked_up() {
    let pull = Pull::own();
    pull.publish(&[]);
    fail(&pull);
    pull.scene.fake.fault(Fault::on("PATCH", COMMENT).bad_gateway_afterwards());
    let lost = pull.publish(&[]);
    assert!(lost.stdout.contains("comment: rewritten") && !lost.stderr.contains("not written"), "{lost:?}");
    assert!(pull.scene.project.read(".git/output").contains("comment-url"), "{lost:?}");
    assert_eq!(pull.scene.fake.count("PATCH", COMMENT), 1, "it is sent once");
    // And one that never took effect is told.
    pull.scene.project.write("made/junit.xml", "<testsuite><testcase name='b'/></testsuite>");
    pull.scene.fake.fault(Fault::on("PATCH", COMMENT).status(502));
    let refused = pull.publish(&[]);
    assert!(refused.stderr.contains("the comment was not written: "), "{refused:?}");
}

#[test]
fn an_extra_comment_that_stays_takes_nothing_from_the_one_that_counts() {
    let pull = Pull::own();
    pull.publish(&[]);
    let (author, body) = pull.comments().remove(0);
    let extra = || pull.scene.fake.repo("org/app").comment(pull.number, &author, &body);
    extra();
    pull.scene.fake.fault(Fault::on("DELETE", COMMENT).status(502));
    let told = pull.publish(&[]);
    assert!(told.stdout.contains("an extra one was not removed: 502"), "{told:?}");
    assert!(!told.stderr.contains("not written") && pull.comments().len() == 2, "{told:?}");
    // Somebody else has removed it meanwhile.
    pull.scene.fake.fault(Fault::on("DELETE", COMMENT).status(404));
    let gone = pull.publish(&[]);
    assert!(gone.stdout.contains("comment: says the same already\n"), "{gone:?}");
}
