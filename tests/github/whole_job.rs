//! What a whole job on a pull request costs: the commands of the action's script, in its order.

use super::github::zip_folder;
use super::publish::{Pull, seen};
use super::support::Ran;

/// Requests that gate and comment of a pull request may take, whatever there is on it.
const ALLOWED: usize = 12;

/// As the action calls it: a token reaches only the commands that ask GitHub, outputs only those that write some.
fn step(pull: &Pull, args: &[&str]) -> Ran {
    let mut command = pull.command();
    if !["ci", "publish"].contains(&args[0]) {
        command.env_remove("GITHUB_TOKEN");
    }
    if args[0] != "publish" {
        command.env_remove("GITHUB_OUTPUT");
    }
    seen(command, args)
}

/// All steps, each with how many requests it took.
fn job(pull: &Pull) -> (Vec<Ran>, Vec<usize>) {
    let steps: [&[&str]; 4] = [
        &["ci", "baseline"],
        &["full-check"],
        &["collect", "--out=.git/bundle"],
        &["publish", "--bundle=.git/bundle", "--when=always", "--to=outputs,comment,check,summary"],
    ];
    let run = |args: &&[&str]| {
        let before = pull.scene.fake.requests().len();
        let ran = step(pull, args);
        (ran, pull.scene.fake.requests().len() - before)
    };
    steps.iter().map(run).unzip()
}

/// A pull request with 300 comments, the last of them the report of its run before, to a branch that left a record.
fn busy(has_history: bool) -> Pull {
    let pull = Pull::own();
    let (repo, project) = (pull.scene.fake.repo("org/app"), &pull.scene.project);
    project.git(&["checkout", "-q", "--detach", &pull.scene.commit]);
    let pushed = pull.scene.run();
    assert_eq!(pull.scene.in_job(pushed, 1, &["full-check", "-q"]).code, 0);
    assert_eq!(pull.scene.in_job(pushed, 1, &["collect"]).code, 0);
    let record = project.path(".mgmt/record");
    std::fs::create_dir(&record).unwrap();
    std::fs::copy(project.path(".mgmt/bundle/record.json"), record.join("record.json")).unwrap();
    repo.artifact(pushed, "mgmt-record", zip_folder(&record));
    project.git(&["checkout", "-q", "change"]);
    std::fs::remove_dir_all(project.path(".mgmt")).unwrap();
    if !has_history {
        let head = project.git(&["rev-parse", "HEAD"]);
        project.write(".git/shallow", format!("{head}\n"));
    }
    for number in 0..299 {
        repo.comment(pull.number, "octocat", &format!("remark {number}"));
    }
    let (first, _) = job(&pull);
    assert_eq!((first[1].code, first[3].code, pull.comments().len()), (0, 0, 300), "{first:?}");
    pull
}

#[test]
fn a_job_on_a_pull_request_takes_at_most_twelve_requests() {
    for has_history in [true, false] {
        let pull = busy(has_history);
        // Everything has changed: the comment has to be rewritten, and the check run takes all the marks it may.
        let failing = |number| format!("<testcase name='t{number}' file='src/a.py' line='2'><failure/></testcase>");
        let cases: String = (0..5_000).map(failing).collect();
        pull.scene.project.write("made/junit.xml", format!("<testsuite>{cases}</testsuite>"));
        let before = pull.scene.fake.requests().len();
        let (ran, spent) = job(&pull);
        assert_eq!((ran[0].code, ran[1].code, ran[2].code, ran[3].code), (0, 1, 0, 1), "{ran:?}");
        assert!(ran[3].stdout.contains("comment: rewritten\ncheck run: made on "), "{ran:?}");
        assert_eq!(pull.comments().len(), 300);
        assert_eq!((spent[1], spent[2]), (0, 0), "who has no token asks nothing: {spent:?}");
        let requests = &pull.scene.fake.requests()[before..];
        assert!(requests.len() <= ALLOWED, "{spent:?}: {requests:#?}");
        assert!(spent[0] > 0 && spent[3] > 4, "{spent:?}");
    }
}
