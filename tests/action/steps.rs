//! What the action does in which order, and with which exit code it ends.

use crate::job::{Job, SHA, TOKEN};

#[test]
fn a_pull_request_is_compared_run_collected_uploaded_and_published() {
    let job = Job::ready();
    let done = job.run();
    assert_eq!(done.ended(), Some(0), "{done:#?}");
    assert_eq!(
        job.calls("mgmt"),
        [
            "<ci><baseline>",
            "<full-check>",
            "<collect><--out=[job]/temp/mgmt-action-1/bundle><--since=2026-01-31T12:00:00Z>",
            "<publish><--bundle=[job]/temp/mgmt-action-1/bundle><--when=always><--to=outputs,comment,check,summary>",
        ]
    );
    let uploads = done.used("actions/upload-artifact");
    assert_eq!(uploads.len(), 1, "{uploads:#?}");
    assert_eq!(uploads[0]["name"], "mgmt-evidence-attempt2");
    assert_eq!(uploads[0]["path"], job.path("temp/mgmt-action-1/bundle").to_str().unwrap());
    assert_eq!((&*done.outputs["verdict"], &*done.outputs["exit-code"]), ("told", "0"));
    assert_eq!(done.log, "", "a job that goes well says nothing of its own");
}

#[test]
fn where_no_pull_request_can_be_no_comment_is_asked_for() {
    for (event, reference) in
        [("push", "refs/heads/main"), ("schedule", "refs/heads/main"), ("merge_group", "refs/heads/q")]
    {
        let job = Job::ready().event(event, reference);
        assert_eq!(job.run().ended(), Some(0));
        let last = job.calls("mgmt").pop().unwrap();
        assert_eq!(last, "<publish><--bundle=[job]/temp/mgmt-action-1/bundle><--to=outputs,check,summary>", "{event}");
    }
}

#[test]
fn every_input_of_a_run_reaches_its_command() {
    let job = Job::ready()
        .input("command", "validate")
        .input("args", "--mode=light\n\n--only\r\nlint me\n")
        .input("config", "etc/my mgmt.yml")
        .input("report-dir", "out/reports")
        .input("gate", "ci")
        .input("evidence", "tests=a b.xml\nc.info")
        .input("shard", "py-3.12")
        .input("comment", "changes")
        .input("check-run", "false")
        .input("badge", "badge.svg")
        .input("key", "api/unit")
        .input("retention-days", "14")
        .input("baseline", "false");
    let done = job.run();
    assert_eq!(done.ended(), Some(0), "{done:#?}");
    assert_eq!(
        job.calls("mgmt"),
        [
            "<ci><baseline><--without-record><--config=etc/my mgmt.yml>",
            "<validate><--mode=light><--only><lint me><--config=etc/my mgmt.yml><--report-dir=out/reports><--gate=ci>",
            "<collect><--out=[job]/temp/mgmt-action-1/bundle><--shard=py-3.12><--config=etc/my mgmt.yml>\
             <--since=2026-01-31T12:00:00Z>\
             <--add-evidence=tests=a b.xml><--add-evidence=c.info>",
            "<publish><--bundle=[job]/temp/mgmt-action-1/bundle><--when=changes><--to=outputs,comment,summary,badge>\
             <--badge=badge.svg><--key=api/unit><--gate=ci><--config=etc/my mgmt.yml>",
        ]
    );
    let upload = done.used("actions/upload-artifact")[0];
    assert_eq!((&*upload["name"], &*upload["retention-days"]), ("mgmt-evidence-py-3.12-attempt2", "14"));
}

#[test]
fn report_files_are_gated_like_a_run() {
    let job =
        Job::ready().input("command", "gate").input("evidence", "tests=junit.xml\nlcov.info").input("comment", "never");
    let done = job.run();
    assert_eq!(done.ended(), Some(0), "{done:#?}");
    let calls = job.calls("mgmt");
    assert_eq!(calls[1], "<gate><--evidence=tests=junit.xml><--evidence=lcov.info>");
    assert_eq!(calls[3], "<publish><--bundle=[job]/temp/mgmt-action-1/bundle><--to=outputs,check,summary>");
    assert_eq!(calls.len(), 4);
}

#[test]
fn a_deploy_gate_asks_github_and_publishes_nothing() {
    let job = Job::ready()
        .event("push", "refs/heads/main")
        .input("command", "gate")
        .input("stage", "production")
        .input("wait", "20m")
        .input("answer", "rule")
        .input("run-id", "9223372036854775807")
        .input("environment", "Production (EU)")
        .code("gate", 4);
    let done = job.run();
    assert_eq!(done.ended(), Some(4), "{done:#?}");
    assert_eq!(
        job.calls("mgmt"),
        [format!(
            "<gate><--stage=production><--sha={SHA}><--to=summary,outputs><--wait=20m><--answer=rule><--environment=Production (EU)>\
             <--run=9223372036854775807>"
        )]
    );
    assert!(job.seen("gate").contains(&format!("GITHUB_TOKEN={TOKEN}\n")));
    assert_eq!((&*done.outputs["verdict"], done.used.len()), ("inconclusive", 0));
}

#[test]
fn the_commit_of_a_deploy_is_the_events_own_only_where_that_was_built() {
    let gate = |event| Job::ready().event(event, "refs/heads/main").input("command", "gate").input("stage", "live");
    for event in ["push", "schedule", "workflow_dispatch", "deployment"] {
        assert_eq!(gate(event).run().ended(), Some(0), "{event}");
    }
    for event in ["workflow_run", "pull_request"] {
        let done = gate(event).run();
        assert_eq!(done.codes["prepare"], 2, "{event}");
        assert!(done.tells("error", &["input sha", event]), "{}", done.log);
        assert_eq!(gate(event).input("sha", SHA).run().ended(), Some(0), "{event}");
    }
}

#[test]
fn other_commands_are_only_run() {
    for (command, args, said) in [
        ("ci", "evidence\n--workflow=ci.yml", "<ci><evidence><--workflow=ci.yml>"),
        ("audit", "retrain", "<audit><retrain>"),
        ("trend", "tests.total", "<trend><tests.total>"),
        ("publish", "", "<publish><--when=always><--to=outputs,comment,check,summary>"),
    ] {
        let job = Job::ready().input("command", command).input("args", args);
        let done = job.run();
        assert_eq!(done.ended(), Some(0), "{done:#?}");
        assert_eq!((job.calls("mgmt"), done.used.len()), (vec![said.to_owned()], 0));
    }
    let job = Job::ready().input("command", "ci").input("args", "evidence").input("run-id", "5").input("expect", "a,b");
    job.run();
    assert_eq!(job.calls("mgmt"), ["<ci><evidence><--run=5><--expect=a,b>"]);
    for (input, value) in [("shard", "api"), ("expect", "api,web")] {
        let job = Job::ready().input("command", "publish").input("run-id", "5").input(input, value);
        job.run();
        assert!(job.calls("mgmt")[0].starts_with(&format!("<publish><--run=5><--{input}={value}><--when=always>")));
    }
    let job = Job::ready().input("command", "inspect").input("args", "--failed").input("evidence", "-odd.xml\na.xml");
    job.run();
    assert_eq!(job.calls("mgmt"), ["<inspect><--failed><--><-odd.xml><a.xml>"]);
    for (args, said) in
        [("retrain\n--publish", "<audit><retrain><--publish><--without-summary>"), ("retrain", "<audit><retrain>")]
    {
        let job = Job::ready().input("command", "audit").input("args", args).input("summary", "false");
        job.run();
        assert_eq!(job.calls("mgmt"), [said], "only what is published writes a summary");
    }
    // `none` is for those who only want the binary: it says its version.
    let job = Job::ready().input("command", "none");
    let done = job.run();
    assert_eq!(
        (done.ended(), job.calls("mgmt").len(), done.log.contains("mgmt 0.")),
        (Some(0), 0, true),
        "{}",
        done.log
    );
}

#[test]
fn an_audit_asks_github_and_tells_the_policys_receivers_by_itself() {
    let webhook = "https://discord.com/api/webhooks/1/canary";
    let audit = |event| {
        Job::ready()
            .event(event, "refs/heads/main")
            .variable("DISCORD_WEBHOOK_URL", webhook)
            .input("command", "audit")
            // As the reusable workflow writes it: what is not asked for leaves its line empty.
            .input("args", "retrain\n--publish\n\n")
            .input("config", "etc/mgmt.yml")
            .input("report-dir", "out")
    };
    for event in ["schedule", "workflow_dispatch", "pull_request", "push"] {
        let job = audit(event);
        let done = job.run();
        assert_eq!(done.ended(), Some(0), "{done:#?}");
        assert_eq!(job.calls("mgmt"), ["<audit><retrain><--publish><--config=etc/mgmt.yml><--report-dir=out>"]);
        let seen = job.seen("audit");
        for line in [format!("GITHUB_TOKEN={TOKEN}\n"), format!("DISCORD_WEBHOOK_URL={webhook}\n")] {
            assert!(seen.contains(&line), "{line} in:\n{seen}");
        }
        assert!(seen.contains("GITHUB_OUTPUT=/") && !seen.contains("MGMT_"), "{seen}");
        assert_eq!((done.used.len(), &*done.outputs["verdict"]), (0, "told"), "what it says itself counts");
        assert!(!format!("{done:?}").contains("canary"));
    }
    for (code, verdict) in [(0, "pass"), (1, "fail"), (4, "inconclusive"), (2, ""), (70, "")] {
        let done = audit("schedule").published("").code("audit", code).run();
        let told = (&*done.outputs["verdict"], &*done.outputs["exit-code"]);
        assert_eq!((done.ended(), told), (Some(code), (verdict, &*code.to_string())));
    }
}

#[test]
fn collecting_alone_uploads_as_well() {
    let job = Job::ready().input("command", "collect").input("shard", "two").input("evidence", "junit.xml");
    let done = job.run();
    assert_eq!(
        job.calls("mgmt"),
        ["<collect><--out=[job]/temp/mgmt-action-1/bundle><--shard=two><--evidence=junit.xml>"]
    );
    assert_eq!(done.used("actions/upload-artifact")[0]["name"], "mgmt-evidence-two-attempt2");
    let done = Job::ready().input("command", "collect").code("collect", 2).run();
    assert_eq!((done.ended(), done.used.len()), (Some(2), 0));
}

#[test]
fn the_record_is_uploaded_from_pushes_to_the_default_branch() {
    let records = |job: Job| {
        let done = job.run();
        let names = done.used("actions/upload-artifact").into_iter().map(|with| with["name"].clone());
        names.filter(|name| name.starts_with("mgmt-record")).collect::<Vec<_>>()
    };
    assert_eq!(records(Job::ready().event("push", "refs/heads/main")), ["mgmt-record"]);
    assert_eq!(records(Job::ready().event("push", "refs/heads/main").input("shard", "a")), ["mgmt-record-a"]);
    assert_eq!(records(Job::ready().event("push", "refs/heads/mains")), [""; 0]);
    assert_eq!(records(Job::ready().event("push", "refs/tags/main")), [""; 0]);
    assert_eq!(records(Job::ready().event("pull_request", "refs/heads/main")), [""; 0]);
    assert_eq!(records(Job::ready().event("push", "refs/heads/main").input("upload", "false")), [""; 0]);
    // The same part finds it again.
    let job = Job::ready().input("shard", "a");
    job.run();
    assert_eq!(job.calls("mgmt")[0], "<ci><baseline><--shard=a>");
}

#[test]
fn the_commands_exit_code_is_kept_whatever_fails_after_it() {
    for code in [0, 1, 2, 3, 4, 70, 130] {
        let job = Job::ready().code("full-check", code).code("publish", 70).code("ci", 2);
        let job = job.failing("actions/upload-artifact");
        let done = job.run();
        assert_eq!(done.ended(), Some(code), "{done:#?}");
        assert_eq!(done.outputs["exit-code"], code.to_string());
        // Without a run of its own an earlier one's record would be packed and shown.
        let has_run = ![2, 3, 70].contains(&code);

        assert_eq!(job.calls("mgmt").iter().any(|call| format!("{call:?}").contains("collect")), has_run, "{code}");
        assert_eq!(done.tells("warning", &["not published", "70"]), has_run, "{}", done.log);
        assert_eq!(done.tells("warning", &["not uploaded"]), has_run, "{}", done.log);
        assert!(done.tells("warning", &["no baseline"]), "{}", done.log);
    }
    let job = Job::ready().code("full-check", 1).code("collect", 70);
    let done = job.run();
    assert_eq!((done.ended(), job.calls("mgmt").len()), (Some(1), 3));
    assert!(done.tells("warning", &["no evidence was collected"]), "{}", done.log);
    assert_eq!(done.outputs["verdict"], "fail");
}

#[test]
fn of_two_verdicts_the_worse_one_counts() {
    // What the command ended with, what was published and with which code, and what the job ends with.
    for (code, verdict, published, ended) in [
        (0, "fail", 1, 1),
        (4, "fail", 1, 1),
        (0, "inconclusive", 4, 4),
        (1, "pass", 0, 1),
        (4, "pass", 0, 4),
        (1, "inconclusive", 4, 1),
        (130, "pass", 0, 130),
    ] {
        let done = Job::ready().code("full-check", code).published(verdict).code("publish", published).run();
        assert_eq!(done.ended(), Some(ended), "{code} and {verdict}");
        let told = [&*format!("ended with {code}"), &*format!("with {published}; the worse one counts")];
        assert!(done.tells("warning", &told), "{}", done.log);
    }
    // A publisher that judged nothing changes nothing, and nothing else is said.
    let done = Job::ready().silent().code("publish", 4).run();
    assert_eq!(done.ended(), Some(0), "{done:#?}");
    assert!(done.tells("warning", &["not published"]) && !done.log.contains("counts"), "{}", done.log);
    // A fail is one even where it could not be written down.
    assert_eq!(Job::ready().silent().code("publish", 1).run().ended(), Some(1));
    assert_eq!(Job::ready().published("interrupted").code("publish", 130).run().ended(), Some(4));
}

#[test]
fn what_has_an_input_is_no_argument() {
    for argument in ["--config=strict.yml", "--gate", "--report-dir=x"] {
        let done = Job::ready().input("args", argument).run();
        assert_eq!(done.codes["prepare"], 2, "{argument}");
        assert!(done.tells("error", &["input args", "is the input"]), "{}", done.log);
    }
}

#[test]
fn without_an_exit_code_nothing_passes() {
    // A start file that ends every shell: the command's step succeeds without having run anything.
    let job = Job::ready();
    std::fs::write(job.path("quit.sh"), "exit 0\n").unwrap();
    let quit = job.path("quit.sh");
    let job = job.variable("BASH_ENV", quit.to_str().unwrap());
    let done = job.run();
    assert_eq!((done.codes["run"], done.ended()), (0, Some(4)), "{done:#?}");
    assert!(done.tells("error", &["nothing was decided"]), "{}", done.log);
}

#[test]
fn the_command_runs_in_the_working_directory() {
    let job = Job::ready().input("working-directory", "services/the api");
    std::fs::create_dir_all(job.path("checkout/services/the api")).unwrap();
    assert_eq!(job.run().ended(), Some(0));
    for command in ["ci", "full-check", "collect", "publish"] {
        let folder = std::fs::read_to_string(job.path(&format!("calls/folder.{command}"))).unwrap();
        assert!(folder.trim_end().ends_with("checkout/services/the api"), "{command}: {folder}");
    }
}
