//! Evidence on its way: packed where the checks ran, found by run or commit, refused where it is not what it seems.

use serde_json::{Value, json};

use super::github::{Fault, zip, zip_folder};
use super::scene::{JUNIT, POLICY, Scene};
use super::support::Project;

/// The codes of the problems, in order.
fn codes(shown: &Value) -> Vec<&str> {
    shown["problems"].as_array().unwrap().iter().map(|problem| problem["code"].as_str().unwrap()).collect()
}

/// What the first problem says.
fn told(shown: &Value) -> &str {
    shown["problems"][0]["message"].as_str().unwrap_or_default()
}

#[test]
fn what_a_run_has_read_is_packed_with_its_record_and_without_a_token() {
    let scene = Scene::new();
    assert_eq!(scene.project.run(&["full-check", "-q"]).code, 0);
    let packed = scene.project.run(&["collect", "--format", "json"]);
    assert_eq!(packed.code, 0, "{packed:?}");
    let shown: Value = serde_json::from_str(&packed.stdout).unwrap();
    assert_eq!(shown["files"], json!(["junit.xml", "lcov.info"]));
    assert_eq!(shown["source"]["commit"], json!(scene.commit));
    assert!(shown["run"].as_str().unwrap().ends_with("-full-check-pass"), "{shown}");
    let index: Value = serde_json::from_str(&scene.project.read(".mgmt/bundle/bundle.json")).unwrap();
    assert_eq!(index["files"][0]["stored"], "1/junit.xml");
    assert_eq!(index["files"][0]["check"], "tests");
    assert!(index["project"]["files"].as_array().unwrap().contains(&json!("src/a.py")));
    let record: Value = serde_json::from_str(&scene.project.read(".mgmt/bundle/record.json")).unwrap();
    assert_eq!(record["schema"], "mgmt.record/1");
    assert!(scene.fake.requests().is_empty());

    // A report that no check declares goes with them; one that was read is not packed twice.
    scene.project.write("more.xml", JUNIT);
    let more = scene.project.run(&["collect", "--format", "json", "--add-evidence", "more.xml", "junit.xml"]);
    let shown: Value = serde_json::from_str(&more.stdout).unwrap();
    assert_eq!(shown["files"], json!(["junit.xml", "lcov.info", "more.xml"]));

    // Packing again replaces it; a folder of somebody else is left alone.
    assert_eq!(scene.project.run(&["collect"]).code, 0);
    scene.project.write("mine/precious", "x");
    let refused = scene.project.run(&["collect", "--out", "mine"]);
    assert_eq!((refused.code, scene.project.list("mine")), (2, vec!["precious".to_owned()]));
    assert!(refused.stderr.contains("holds something that is no bundle"), "{refused:?}");
}

#[test]
fn of_several_runs_on_a_commit_the_repositorys_own_speaks() {
    let scene = Scene::new();
    let own = scene.run();
    scene.upload(own, 1, "");
    let repo = scene.fake.repo("org/app");
    repo.fork("stranger/app");
    let newer = scene.run();
    repo.edit_run(newer, |run| (run.head_repo, run.event) = ("stranger/app".into(), "pull_request".into()));
    let find = || scene.evidence(&["--workflow", "ci.yml", "--sha", &scene.commit]);
    let (code, shown, _) = find();
    assert_eq!((code, shown["run"]["id"].as_u64()), (0, Some(own)), "{shown}");
    repo.edit(|repo| repo.runs.retain(|run| run.id != own));
    let (code, shown, _) = find();
    assert!(code == 4 && shown["problems"].to_string().contains("only a fork has run"), "{shown}");
}

#[test]
fn nothing_to_pack_is_said() {
    let empty = Project::with("version: 1\nchecks:\n  a: { group: lint, run: [\"true\"] }\n");
    let ran = empty.commit().run(&["collect"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("there is nothing to pack"), "{ran:?}");
}

#[test]
fn a_run_of_an_earlier_job_is_not_packed() {
    let scene = Scene::new();
    let checked = scene.project.run(&["full-check", "--format", "json"]);
    let shown: Value = serde_json::from_str(&checked.stdout).unwrap();
    let began = shown["started_at"].as_str().unwrap();
    assert_eq!(scene.project.run(&["collect", "--since", began]).code, 0);
    let later = scene.project.run(&["collect", "--since", "2999-01-31T12:00:00Z"]);
    assert_eq!(later.code, 3, "{later:?}");
    assert!(later.stderr.contains("no run of this commit since 2999-01-31T12:00:00Z"), "{later:?}");
    assert!(!scene.project.path(".mgmt/bundle/record.json").exists());
    let refused = scene.project.run(&["collect", "--since", "yesterday"]);
    assert!(refused.code == 2 && refused.stderr.contains("such as 2030-01-31T12:00:00Z"), "{refused:?}");
}

#[test]
fn evidence_is_found_by_run_and_by_commit() {
    for scene in [Scene::new(), Scene::under("/api/v3")] {
        let run = scene.run();
        scene.upload(run, 1, "");
        let by_commit = ["--workflow", "ci.yml", "--sha", &scene.commit];
        for args in [&["--run", &run.to_string()][..], &by_commit] {
            let (code, shown, stderr) = scene.evidence(args);
            assert_eq!(code, 0, "{shown} {stderr}");
            assert_eq!(shown["measurements"]["tests.total"], json!(2));
            assert_eq!(shown["measurements"]["coverage.lines.percent"], json!(50));
            assert_eq!(shown["run"]["id"], json!(run));
            let one = json!([{ "name": "", "attempt": 1, "artifact": "mgmt-evidence-attempt1", "files": 2 }]);
            assert_eq!(shown["shards"], one);
            assert_eq!(shown["files"][0]["path"], "made/junit.xml", "reports keep the names they had");
        }
        let human = scene.mgmt(&["ci", "evidence", "--repo", "org/app", "--run", &run.to_string()]);
        assert!(human.stdout.contains("mgmt-evidence-attempt1  2 report files"), "{human:?}");
    }
}

#[test]
fn shards_add_up_and_the_newest_attempt_of_each_counts() {
    let scene = Scene::new();
    let run = scene.run();
    scene.upload(run, 1, "a");
    scene.project.write("made/junit.xml", JUNIT.replace("'b'/>", "'c'><failure/></testcase>"));
    scene.upload(run, 1, "b");
    let id = run.to_string();
    let (code, shown, _) = scene.evidence(&["--run", &id, "--expect", "a,b"]);
    assert_eq!((code, &shown["measurements"]["tests.total"]), (0, &json!(3)));
    assert_eq!(shown["measurements"]["tests.failed"], json!(1));

    // The failed part ran again. The old artifact is still there.
    scene.fake.repo("org/app").rerun(run, Some("success"));
    scene.project.write("made/junit.xml", JUNIT.replace("'b'", "'c'"));
    scene.upload(run, 2, "b");
    let (code, shown, _) = scene.evidence(&["--run", &id, "--expect", "2"]);
    assert_eq!((code, &shown["measurements"]["tests.failed"]), (0, &json!(0)), "{shown}");
    let attempts: Vec<_> = shown["shards"].as_array().unwrap().iter().map(|shard| shard["attempt"].clone()).collect();
    assert_eq!(attempts, [1, 2]);
}

#[test]
fn what_is_missing_is_never_overlooked() {
    let scene = Scene::new();
    let run = scene.run();
    let id = run.to_string();
    let (code, shown, _) = scene.evidence(&["--run", &id]);
    assert_eq!((code, codes(&shown)), (4, vec!["shard.missing"]));
    assert_eq!(told(&shown), "the run left no artifact called mgmt-evidence…");

    let artifact = scene.upload(run, 1, "a");
    for (expect, want) in [
        ("2", "2 parts are expected, 1 are there"),
        ("a,b", "the part `b` is not there"),
        ("b,c", "the part `b` is not there"),
    ] {
        let (code, shown, _) = scene.evidence(&["--run", &id, "--expect", expect]);
        assert_eq!((code, told(&shown)), (4, want));
    }
    scene.fake.repo("org/app").edit_artifact(artifact, |artifact| artifact.expires_at = artifact.created_at);
    let (code, shown, _) = scene.evidence(&["--run", &id]);
    assert_eq!((code, told(&shown)), (4, "`mgmt-evidence-a-attempt1`: it has expired"));
}

#[test]
fn a_run_that_goes_on_has_not_said_everything() {
    let scene = Scene::new();
    let run = scene.run();
    scene.upload(run, 1, "");
    scene.fake.repo("org/app").rerun(run, None);
    let (code, shown, _) = scene.evidence(&["--run", &run.to_string()]);
    assert_eq!((code, codes(&shown)), (4, vec!["run.in-progress"]), "{shown}");
}

#[test]
fn evidence_of_something_else_is_refused() {
    let scene = Scene::new();
    type Edit<'a> = &'a dyn Fn(&mut Value);
    let wrongs: [(&str, Edit<'_>); 8] = [
        ("belongs to another commit", &|index| index["source"]["commit"] = json!("1".repeat(40))),
        ("belongs to another commit", &|index| index["source"]["commit"] = Value::Null),
        ("belongs to another run", &|index| index["source"]["run_id"] = json!(1)),
        ("belongs to another repository", &|index| index["source"]["repository"] = json!("org/other")),
        ("belongs to another attempt", &|index| index["source"]["attempt"] = json!(7)),
        ("its SHA-256 is another one", &|index| index["files"][0]["sha256"] = json!("0")),
        ("its place is outside the bundle", &|index| index["files"][0]["stored"] = json!("../../etc/passwd")),
        ("its schema is", &|index| index["schema"] = json!("mgmt.bundle/99")),
    ];
    for (want, edit) in wrongs {
        let bad = scene.run();
        scene.pack(bad, 1, "");
        let index = scene.project.path(".mgmt/bundle/bundle.json");
        let mut told: Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
        edit(&mut told);
        std::fs::write(&index, told.to_string()).unwrap();
        let bytes = zip_folder(&scene.project.path(".mgmt/bundle"));
        scene.fake.repo("org/app").artifact(bad, "mgmt-evidence-attempt1", bytes);
        let (code, shown, stderr) = scene.evidence(&["--run", &bad.to_string()]);
        assert_eq!(code, 4, "{want}: {shown} {stderr}");
        let all = shown["problems"].to_string();
        assert!(all.contains(want), "{want}: {all}");
    }
}

#[test]
fn hostile_archives_are_refused_whole() {
    let scene = Scene::new();
    for (files, want) in [
        (vec![("../escape", &b"x"[..])], "does not stay inside the folder"),
        (vec![("bundle.json", &b"{}"[..]), ("/etc/escape", b"x")], "does not stay inside the folder"),
        (vec![("bundle.json", &b"no json"[..])], "it is no bundle of evidence"),
        (vec![("other.txt", &b"x"[..])], "is no bundle of evidence"),
    ] {
        let run = scene.run();
        scene.fake.repo("org/app").artifact(run, "mgmt-evidence-attempt1", zip(&files));
        let out = scene.project.path(&format!("out{run}/deep"));
        let (code, shown, stderr) = scene.evidence(&["--run", &run.to_string(), "--out", out.to_str().unwrap()]);
        assert_eq!(code, 4, "{shown} {stderr}");
        assert!(shown["problems"].to_string().contains(want), "{want}: {shown}");
        assert_eq!(scene.project.list(&format!("out{run}")), ["deep"], "nothing stands beside the folder");
    }
    // The same folder again: what is there from before goes, also of what is none.
    let run = scene.run();
    scene.upload(run, 1, "");
    scene.fake.repo("org/app").artifact(run, "mgmt-evidence-x-attempt1", zip(&[("a", b"a")]));
    for _ in 0..2 {
        let (code, shown, _) = scene.evidence(&["--run", &run.to_string(), "--out", "kept"]);
        let parts = shown["shards"].as_array().map(Vec::len);
        assert_eq!((code, parts, scene.project.list("kept").len()), (4, Some(1), 1), "{shown}");
    }
    let run = scene.run();
    let artifact = scene.upload(run, 1, "");
    scene.fake.repo("org/app").edit_artifact(artifact, |artifact| artifact.bytes.truncate(300));
    let (code, shown, _) = scene.evidence(&["--run", &run.to_string()]);
    assert_eq!(code, 4);
    assert!(told(&shown).contains("SHA-256 is") || told(&shown).contains("damaged"), "{shown}");
}

#[test]
fn twenty_shards_take_two_requests_and_one_for_each() {
    let scene = Scene::new();
    let run = scene.run();
    for shard in 0..20 {
        scene.upload(run, 1, &format!("s{shard}"));
    }
    let before = scene.fake.requests().len();
    let (code, shown, _) = scene.evidence(&["--run", &run.to_string(), "--expect", "20"]);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(scene.fake.requests().len() - before, 22);
    assert_eq!(scene.fake.downloads().len(), 20);
}

#[test]
fn errors_say_what_to_do() {
    let scene = Scene::new();
    for (args, code, want) in [
        (&["ci", "evidence", "--repo", "org/app", "--run", "99"][..], 4, "look at run 99: 404 Not Found"),
        (&["ci", "runs", "--repo", "org/none"], 4, "list the runs: 404 Not Found"),
        (&["ci", "runs", "--repo", "org"], 2, "a repository is written as owner/name"),
        (&["ci", "runs"], 2, "the repository on GitHub is not known"),
        (&["ci", "runs", "--repo", "org/app", "--sha", "abc"], 2, "all forty digits"),
        (&["ci", "evidence", "--repo", "org/app"], 2, "--workflow"),
    ] {
        let ran = scene.mgmt(args);
        assert_eq!(ran.code, code, "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(want), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("help:") || code == 2, "{args:?}: {}", ran.stderr);
    }
    scene.fake.fault(Fault::on("GET", "/repos/org/app/actions/runs").html().always());
    let page = scene.mgmt(&["ci", "runs", "--repo", "org/app"]);
    assert_eq!(page.code, 4, "{page:?}");
    assert!(page.stderr.contains("GITHUB_API_URL has to name the API itself"), "{page:?}");
    let mut broken = scene.command();
    broken.env("GITHUB_TOKEN", "canary with spaces").args(["ci", "runs", "--repo", "org/app"]);
    let said = super::support::ran(broken.output().unwrap());
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stderr.contains("GITHUB_TOKEN is no token") && !said.stderr.contains("canary"), "{said:?}");
}

#[test]
fn runs_are_listed_for_people_and_programs() {
    let scene = Scene::new();
    let repo = scene.fake.repo("org/app");
    scene.run();
    let again = scene.run();
    repo.rerun(again, Some("failure"));
    let human = scene.mgmt(&["ci", "runs", "--repo", "org/app", "--workflow", "ci.yml"]);
    assert_eq!((human.code, human.stdout.lines().count()), (0, 2), "{human:?}");
    assert!(human.stdout.contains("failure") && human.stdout.contains(&format!("{again}#2")), "{human:?}");
    let ran = scene.mgmt(&["ci", "runs", "--repo", "org/app", "--attempts", "--format", "json"]);
    let shown: Value = serde_json::from_str(&ran.stdout).unwrap();
    let attempts: Vec<_> =
        shown["runs"].as_array().unwrap().iter().map(|run| (run["id"].as_u64(), run["attempt"].as_u64())).collect();
    assert_eq!(attempts[..2], [(Some(again), Some(2)), (Some(again), Some(1))]);
    let none = scene.mgmt(&["ci", "runs", "--repo", "org/app", "--event", "schedule"]);
    assert_eq!((none.code, none.stdout.as_str()), (3, "no run fits\n"));
}

#[test]
fn what_was_read_of_an_output_travels_with_it() {
    let scene = Scene::new();
    let policy = POLICY
        .replace("made/junit.xml, made/lcov.info, .]", "made/lcov.info, .]")
        .replace("tests: junit.xml, ", "")
        .replace(
            "gate:\n",
            "  tap: { group: test, run: [cat, made/out.tap], evidence: { tests: { from: output } } }\ngate:\n",
        );
    scene.project.write("mgmt.yml", policy).write("made/out.tap", "TAP version 13\n1..2\nok 1 - a\nok 2 - b\n");
    scene.project.git(&["add", "-A"]);
    scene.project.git(&["commit", "-q", "-m", "two"]);
    let run = scene.run();
    let sha = scene.project.git(&["rev-parse", "HEAD"]);
    let scene = Scene { commit: sha.clone(), ..scene };
    scene.fake.repo("org/app").edit_run(run, |run| run.sha = sha);
    let checked = scene.in_job(run, 1, &["full-check", "-q"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert_eq!(scene.in_job(run, 1, &["collect"]).code, 0);
    let name = "mgmt-evidence-attempt1";
    let bytes = zip_folder(&scene.project.path(".mgmt/bundle"));
    let artifact = scene.fake.repo("org/app").artifact(run, name, bytes);
    let id = run.to_string();
    let (code, told, stderr) = scene.evidence(&["--run", &id]);
    assert_eq!((code, &told["measurements"]["tests.total"]), (0, &2.into()), "{told} {stderr}");
    assert_eq!(told["measurements"]["coverage.lines.percent"], 50.0);
    assert!(told["files"].to_string().contains("output of `tap`"), "{told}");

    // Without the copy the bundle says what it lacks.
    std::fs::remove_dir_all(scene.project.path(".mgmt/output")).unwrap();
    assert_eq!(scene.in_job(run, 1, &["collect"]).code, 0);
    let repo = scene.fake.repo("org/app");
    repo.edit(|repo| repo.artifacts.retain(|one| one.id != artifact));
    repo.artifact(run, name, zip_folder(&scene.project.path(".mgmt/bundle")));
    let (code, told, _) = scene.evidence(&["--run", &id]);
    assert_eq!((code, &told["problems"][0]["code"]), (4, &"bundle.incomplete".into()), "{told}");
}
