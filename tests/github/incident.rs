//! `audit retrain --publish`: one issue and one message for a stretch of trouble, and nothing without being asked.

use super::audit::{AS_OF, POLICY, Scene as Training};
use super::discord::{self, Fake as Discord};
use super::github::{Fault, Repo, TokenKind};
use super::scene::TOKEN;
use super::support::{Ran, ran};

pub(crate) const BOT: &str = "github-actions[bot]";
const MARKER: &str = "<!-- mgmt-action:retrain:train.yml -->";
/// The next two days, and the Tuesday after the next slot.
pub(crate) const LATER: &str = "2024-06-26T18:00:00Z";
pub(crate) const LATEST: &str = "2024-06-27T18:00:00Z";
pub(crate) const NEXT: &str = "2024-07-02T18:00:00Z";

/// Trainings, and a Discord that is told of them.
pub(crate) struct Scene {
    pub(crate) training: Training,
    pub(crate) discord: Discord,
}

/// Where the program runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Job,
    Home,
}

impl Scene {
    /// All went well.
    pub(crate) fn new() -> Self {
        let training = Training::new();
        training.project.write(
            "mgmt.yml",
            format!("{POLICY}notify:\n  discord: {{ url-env: HOOK, mention: {{ users: [111111111111111111] }} }}\n"),
        );
        Self { training, discord: Discord::start() }
    }

    /// The newest slot was missed.
    pub(crate) fn missed() -> Self {
        let scene = Self::new();
        scene.miss();
        scene
    }

    pub(crate) fn miss(&self) {
        let newest = self.training.runs[0];
        self.repo().edit(|repo| repo.runs.retain(|run| run.id != newest));
    }

    pub(crate) fn repo(&self) -> Repo<'_> {
        self.training.fake.repo("org/app")
    }

    fn audit(&self, at: At, as_of: &str, more: &[&str]) -> Ran {
        let training = &self.training;
        let mut command = training.project.command();
        command.env("GITHUB_API_URL", training.fake.url()).env("GITHUB_TOKEN", TOKEN);
        command.env("GITHUB_REPOSITORY", "org/app").env("HOOK", self.discord.webhook());
        if at == At::Job {
            command.env("GITHUB_ACTIONS", "true").env("GITHUB_RUN_ID", "77");
            command.env("GITHUB_STEP_SUMMARY", training.project.path(".git/summary"));
            command.env("GITHUB_OUTPUT", training.project.path(".git/output"));
        }
        let ran = ran(command.args(["audit", "retrain", "--as-of", as_of]).args(more).output().unwrap());
        let issues = self.repo().read(|repo| format!("{:?} {:?}", repo.issues, repo.comments));
        let messages = format!("{:?}", self.discord.messages());
        for said in [format!("{ran:?}"), issues, messages] {
            assert!(!said.contains("canary"), "a secret was shown: {said}");
        }
        ran
    }

    /// Publishes in a job.
    pub(crate) fn publish(&self, as_of: &str) -> Ran {
        self.audit(At::Job, as_of, &["--publish"])
    }

    /// Requests that change something, at GitHub and at Discord.
    pub(crate) fn writes(&self) -> usize {
        let fake = &self.training.fake;
        ["POST", "PATCH", "PUT", "DELETE"].iter().map(|method| fake.count(method, "/**")).sum::<usize>()
            + self.discord.requests().len()
    }

    /// Number, state and author of each issue.
    pub(crate) fn issues(&self) -> Vec<(u64, String, Option<String>)> {
        let of = |repo: &super::github::state::Repository| {
            repo.issues.iter().map(|one| (one.number, one.state.clone(), one.state_reason.clone())).collect()
        };
        self.repo().read(of)
    }

    pub(crate) fn body(&self, number: u64) -> String {
        self.repo().read(|repo| repo.issues.iter().find(|one| one.number == number).unwrap().body.clone().unwrap())
    }

    /// The title of the only message, and how often it was edited.
    pub(crate) fn message(&self) -> (String, usize) {
        let messages = self.discord.messages();
        assert_eq!(messages.len(), 1, "{messages:?}");
        (messages[0].content["embeds"][0]["title"].as_str().unwrap().to_owned(), messages[0].edits)
    }
}

#[test]
fn nothing_is_written_anywhere_unless_somebody_asks() {
    let scene = Scene::missed();
    for at in [At::Job, At::Home] {
        let ran = scene.audit(at, AS_OF, &[]);
        assert_eq!((ran.code, scene.writes()), (1, 0), "{ran:?}");
    }
    let project = &scene.training.project;
    assert!(!project.path(".mgmt").exists() && !project.path("logs").exists());
    assert!(!project.path(".git/summary").exists() && !project.path(".git/output").exists());
    assert_eq!(project.git(&["status", "--porcelain"]), "M mgmt.yml", "only the test's own change");
}

#[test]
fn trouble_is_one_issue_and_one_message_from_its_beginning_to_its_end() {
    let scene = Scene::missed();
    let opened = scene.publish(AS_OF);
    assert_eq!(opened.code, 1, "{opened:?}");
    assert!(opened.stderr.contains("issue #1: opened") && !opened.stderr.contains("warning"), "{opened:?}");
    assert_eq!(scene.issues(), [(1, "open".to_owned(), None)]);
    let body = scene.body(1);
    assert!(body.starts_with(&format!("{MARKER}\n<!-- mgmt-action:data:{{")), "{body}");
    assert!(body.contains("\"id\":\"retrain-train.yml-20240625T180000000Z\""), "{body}");
    assert!(body.contains("❌ `train.yml`: fail") && body.len() <= 65_536, "{body}");
    let title = scene.repo().read(|repo| (repo.issues[0].title.clone(), repo.issues[0].labels.clone()));
    assert_eq!(title, ("The retraining train.yml did not do what is expected".to_owned(), vec!["retrain".to_owned()]));
    let told = scene.message();
    assert_eq!(told, ("ERROR: The retraining train.yml did not do what is expected".to_owned(), 0));
    let embed = scene.discord.messages()[0].content["embeds"][0].to_string();
    assert!(embed.contains("/org/app/issues/1") && embed.contains("is missed"), "{embed}");
    assert!(body.contains(&scene.discord.messages()[0].id), "the message is known from then on");
    assert!(!scene.training.project.path(".mgmt/history.db").exists(), "a job keeps nothing for the next one here");

    // A day later nothing is new.
    let before = scene.writes();
    let same = scene.publish(LATER);
    assert_eq!((same.code, scene.writes()), (1, before), "{same:?}");
    assert!(same.stderr.contains("issue #1: says the same already"), "{same:?}");

    // The next slot is missed as well: that is critical, and pings.
    let worse = scene.publish(NEXT);
    assert_eq!((worse.code, scene.issues().len()), (1, 1), "{worse:?}");
    let critical = "CRITICAL, ongoing: The retraining train.yml did not do what is expected";
    assert_eq!(scene.message(), (critical.to_owned(), 0));
    assert!(scene.body(1).contains("2024-06-30 18:00"), "{}", scene.body(1));
    assert_eq!(scene.discord.messages()[0].pings.len(), 1);

    // The slot was only late to be seen: its run did what is expected.
    let sha = scene.repo().read(|repo| repo.refs["heads/main"].clone());
    scene.training.train(-1, "schedule", 6, &sha);
    let over = scene.publish("2024-07-02T19:00:00Z");
    assert_eq!(over.code, 0, "{over:?}");
    assert_eq!(scene.issues(), [(1, "closed".to_owned(), Some("completed".to_owned()))]);
    assert!(scene.body(1).contains("**Recovered.** Since 2024-07-02 19:00 UTC"), "{}", scene.body(1));
    let notes = scene.repo().comments(1);
    assert_eq!(notes.len(), 1);
    assert_eq!(scene.message(), ("RECOVERED: The retraining train.yml does what is expected again".to_owned(), 1));

    // It is over once.
    let before = scene.writes();
    assert_eq!(scene.publish("2024-07-02T20:00:00Z").code, 0);
    assert_eq!(scene.writes(), before);
    // A repeated audit of the time before opens nothing.
    let stale = scene.publish(LATER);
    assert!(stale.stderr.contains("a later moment was published already"), "{stale:?}");
    assert_eq!((stale.code, scene.writes()), (1, before));
}

#[test]
fn still_bad_in_another_way_is_the_same_issue_and_the_same_message() {
    let scene = Scene::new();
    scene.training.edit_run(|run| run.conclusion = Some("failure".to_owned()));
    assert_eq!(scene.publish(AS_OF).code, 1);
    let id = scene.discord.messages()[0].id.clone();
    scene.training.edit_run(|run| run.conclusion = Some("cancelled".to_owned()));
    let again = scene.publish(LATER);
    assert_eq!(again.code, 1, "{again:?}");
    assert_eq!((scene.issues().len(), scene.discord.messages()[0].id.clone()), (1, id));
    assert_eq!(scene.message(), ("ERROR, ongoing: The retraining train.yml did not do what is expected".to_owned(), 1));
    assert!(scene.body(1).contains("cancelled"), "{}", scene.body(1));
    // Nobody can say any more.
    scene.training.fake.fault(Fault::on("GET", "/repos/org/app/actions/workflows/train.yml/runs").status(403).always());
    assert_eq!(scene.publish(LATEST).code, 4);
    let title = "Nobody can say whether the retraining train.yml did what is expected";
    assert_eq!(scene.message(), (format!("WARNING, ongoing: {title}"), 2));
    assert_eq!(scene.repo().read(|repo| repo.issues[0].title.clone()), title);
}

#[test]
fn what_nobody_can_say_opens_an_issue_of_its_own_wording_and_disabled_is_critical() {
    let scene = Scene::new();
    scene.training.edit_model(|one| one.digest = None);
    assert_eq!(scene.publish(AS_OF).code, 4);
    assert!(scene.body(1).contains("**Nobody can say** whether the schedule does its work"), "{}", scene.body(1));
    assert!(scene.message().0.starts_with("WARNING: Nobody can say"), "{:?}", scene.message());

    let scene = Scene::missed();
    scene.repo().edit(|repo| repo.workflows.iter_mut().for_each(|one| one.state = "disabled_inactivity".to_owned()));
    assert_eq!(scene.publish(AS_OF).code, 1);
    assert!(scene.message().0.starts_with("CRITICAL: "), "{:?}", scene.message());
}

#[test]
fn a_pass_opens_nothing_and_the_job_is_told_of_it() {
    let scene = Scene::new();
    let ran = scene.publish(AS_OF);
    assert_eq!((ran.code, scene.writes(), scene.issues()), (0, 0, Vec::new()), "{ran:?}");
    let project = &scene.training.project;
    assert!(project.read(".git/summary").starts_with("## ✅ `train.yml`: pass"));
    let outputs = project.read(".git/output");
    let id = "20240625T180000000Z-audit-retrain-pass";
    for part in ["verdict<<", "\npass\n", "exit-code<<", "report-json<<", "report-markdown<<", &format!("{id}.json")] {
        assert!(outputs.contains(part), "{part}: {outputs}");
    }
    std::fs::remove_file(project.path(".git/summary")).unwrap();
    assert_eq!(scene.audit(At::Job, AS_OF, &["--publish", "--without-summary"]).code, 0);
    assert!(!project.path(".git/summary").exists(), "nobody asked for it");
    let listed = project.run(&["report", "list"]);
    assert!(listed.stdout.contains(id), "{listed:?}");
    let shown = project.run(&["report", "show", id]);
    assert!(shown.stdout.starts_with("## ✅ `train.yml`: pass"), "{shown:?}");
}

#[test]
fn an_issue_that_somebody_else_wrote_is_never_touched() {
    let scene = Scene::missed();
    let forged = scene.repo().issue("mine", |issue| {
        issue.author = "mallory".to_owned();
        issue.body = Some(format!("{MARKER}\n<!-- mgmt-action:data:{{}} -->\nhello"));
    });
    let quoted = scene.repo().issue("ours, about something else", |issue| {
        issue.author = BOT.to_owned();
        issue.body = Some(format!("Somebody wrote `{MARKER}`"));
    });
    assert_eq!(scene.publish(AS_OF).code, 1);
    let states: Vec<_> = scene.issues().into_iter().map(|(number, state, _)| (number, state)).collect();
    assert_eq!(states, [(forged, "open".into()), (quoted, "open".into()), (3, "open".to_owned())]);
    assert!(scene.body(forged).ends_with("hello") && scene.body(quoted).starts_with("Somebody"));
}

#[test]
fn of_several_the_oldest_stays_and_the_others_lead_to_it() {
    let scene = Scene::missed();
    assert_eq!(scene.publish(AS_OF).code, 1);
    let body = scene.body(1);
    let extra = scene.repo().issue("again", |issue| {
        (issue.author, issue.body) = (BOT.to_owned(), Some(body.clone()));
    });
    let ran = scene.publish(LATER);
    assert!(ran.stderr.contains("issue #2: closed, continued in #1"), "{ran:?}");
    let closed = (extra, "closed".to_owned(), Some("not_planned".to_owned()));
    assert_eq!(scene.issues(), [(1, "open".to_owned(), None), closed]);
    assert!(scene.body(extra).starts_with("Continued in #1.\n") && !scene.body(extra).contains("mgmt-action:"));
    assert_eq!((scene.repo().comments(extra).len(), scene.discord.messages().len()), (1, 1));
}

#[test]
fn what_somebody_did_to_the_issue_is_undone_while_the_trouble_lasts() {
    let scene = Scene::missed();
    assert_eq!(scene.publish(AS_OF).code, 1);
    scene.repo().edit(|repo| repo.issues[0].state = "closed".to_owned());
    let ran = scene.publish(LATER);
    assert!(ran.stderr.contains("issue #1: opened again"), "{ran:?}");
    assert_eq!((scene.issues()[0].1.as_str(), scene.issues().len()), ("open", 1));
    let body = scene.body(1);
    scene.repo().edit(|repo| repo.issues[0].body = Some(body.replace("fail", "fine")));
    scene.publish(LATEST);
    assert!(scene.body(1).contains("`train.yml`: fail"), "{}", scene.body(1));
    // What it knew is gone: it is the same issue all the same.
    scene.repo().edit(|repo| repo.issues[0].body = Some(format!("{MARKER}\nhello")));
    scene.publish(LATEST);
    assert_eq!(scene.issues().len(), 1);
    assert!(scene.body(1).contains("`train.yml`: fail"), "{}", scene.body(1));
    // Closed by somebody, and then over: its message says so, once.
    scene.repo().edit(|repo| repo.issues[0].state = "closed".to_owned());
    let sha = scene.repo().read(|repo| repo.refs["heads/main"].clone());
    scene.training.train(0, "schedule", 5, &sha);
    assert_eq!(scene.publish(LATEST).code, 0);
    assert!(scene.discord.messages().last().unwrap().content.to_string().contains("RECOVERED"));
    assert_eq!(scene.issues()[0].1, "closed");
    // The next trouble is another one: the next slot is missed.
    assert_eq!(scene.publish(NEXT).code, 1);
    let states: Vec<_> = scene.issues().into_iter().map(|(number, state, _)| (number, state)).collect();
    assert_eq!(states, [(1, "closed".to_owned()), (2, "open".to_owned())]);
}

#[test]
fn a_label_that_may_not_be_made_keeps_no_issue_away() {
    let scene = Scene::missed();
    scene.training.fake.fault(Fault::on("POST", "/repos/org/app/labels").status(403));
    let ran = scene.publish(AS_OF);
    assert!(ran.stderr.contains("the issue has no label"), "{ran:?}");
    assert_eq!((scene.issues().len(), scene.discord.messages().len()), (1, 1));
    assert!(scene.repo().read(|repo| repo.issues[0].labels.is_empty()));
}

#[test]
fn a_github_that_does_not_answer_is_told_by_all_that_is_left() {
    let scene = Scene::new();
    scene.training.fake.fault(Fault::on("GET", "/**").status(401).always());
    let ran = scene.publish(AS_OF);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(scene.message().0.starts_with("WARNING: Nobody can say"), "{:?}", scene.message());
    let project = &scene.training.project;
    assert!(project.read(".git/summary").contains("inconclusive") && project.read(".git/output").contains("\n4\n"));
    // Who cannot see whether it was told tells of it again, at home only once.
    assert_eq!(scene.audit(At::Home, LATER, &["--publish"]).code, 4);
    assert_eq!(scene.audit(At::Home, LATEST, &["--publish"]).code, 4);
    assert_eq!(scene.discord.messages().len(), 1);
}

#[test]
fn an_app_that_writes_under_its_own_name_is_told_how_to_find_its_issue_again() {
    let scene = Scene::missed();
    scene.training.fake.token(TOKEN, TokenKind::Actions, "trainer[bot]", &[]);
    let ran = scene.publish(AS_OF);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("written by trainer[bot]") && ran.stderr.contains("--author trainer[bot]"), "{ran:?}");
    let named = scene.audit(At::Job, LATER, &["--publish", "--author", "trainer[bot]"]);
    assert!(!named.stderr.contains("warning"), "{named:?}");
    assert_eq!((scene.issues().len(), scene.discord.messages().len()), (1, 1));
}

#[test]
fn a_missing_permission_is_named_and_silences_nobody() {
    let scene = Scene::missed();
    scene.training.fake.token(TOKEN, TokenKind::Actions, BOT, &["issues: write"]);
    let ran = scene.publish(AS_OF);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("the issue was not written") && ran.stderr.contains("`issues: write`"), "{ran:?}");
    assert_eq!((scene.issues().len(), scene.discord.messages().len()), (0, 1));
    // Where the folder stays, so does what was told.
    let again = scene.publish(LATER);
    assert_eq!((again.code, scene.discord.messages().len()), (1, 1), "{again:?}");
    scene.training.fake.token(TOKEN, TokenKind::Actions, BOT, &[]);
    scene.publish(LATEST);
    assert_eq!((scene.issues().len(), scene.discord.messages().len()), (1, 1));
}

#[test]
fn an_answer_that_was_lost_opens_no_second_issue() {
    let scene = Scene::missed();
    scene.training.fake.fault(Fault::on("POST", "/repos/org/app/issues").bad_gateway_afterwards());
    let ran = scene.publish(AS_OF);
    assert!(ran.stderr.contains("issue #1: opened"), "{ran:?}");
    assert_eq!((scene.issues().len(), scene.training.fake.count("POST", "/repos/org/app/issues")), (1, 1));
}

#[test]
fn a_receiver_that_could_not_be_told_is_told_later_and_changes_nothing_else() {
    let scene = Scene::missed();
    scene.discord.fault(discord::Fault::Instead(403, r#"{"message":"Missing Access","code":50001}"#));
    let ran = scene.publish(AS_OF);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("discord was not told"), "{ran:?}");
    assert_eq!((scene.issues().len(), scene.discord.messages().len()), (1, 0));
    scene.publish(LATER);
    assert_eq!((scene.issues().len(), scene.discord.messages().len()), (1, 1));
    let before = scene.writes();
    scene.publish(LATEST);
    assert_eq!(scene.writes(), before);
}

#[test]
fn at_home_history_remembers_the_message_also_without_an_issue() {
    let scene = Scene::missed();
    let home = |as_of: &str, token: Option<&str>| {
        let training = &scene.training;
        let mut command = training.project.command();
        command.env("GITHUB_API_URL", training.fake.url()).env("HOOK", scene.discord.webhook());
        command.args(["audit", "retrain", "--publish", "--repo", "org/app", "--as-of", as_of]);
        if let Some(token) = token {
            command.env("GITHUB_TOKEN", token);
        }
        ran(command.output().unwrap())
    };
    // A token that may read everything, and write no issue.
    scene.training.fake.token(TOKEN, TokenKind::User, "octocat", &["issues: write"]);
    let opened = home(AS_OF, Some(TOKEN));
    assert_eq!((opened.code, scene.discord.messages().len()), (1, 1), "{opened:?}");
    assert!(scene.training.project.path(".mgmt/history.db").exists());
    let before = scene.discord.requests().len();
    assert_eq!((home(LATER, Some(TOKEN)).code, scene.discord.requests().len()), (1, before));
    let sha = scene.repo().read(|repo| repo.refs["heads/main"].clone());
    scene.training.train(0, "schedule", 5, &sha);
    let over = home(LATEST, Some(TOKEN));
    assert_eq!(over.code, 0, "{over:?}");
    assert_eq!(scene.message().0, "RECOVERED: The retraining train.yml does what is expected again");
    let before = scene.discord.requests().len();
    assert_eq!((home(LATEST, Some(TOKEN)).code, scene.discord.requests().len()), (0, before), "over once");
    assert_eq!(scene.audit(At::Home, LATEST, &["--author", "x"]).code, 2, "--author alone means nothing");
}

#[test]
fn the_training_of_another_repository_has_its_issue_where_the_job_is() {
    let scene = Scene::missed();
    let policy = POLICY.replace("workflow: train.yml", "workflow: { repo: org/app, workflow: train.yml }");
    scene.training.project.write("mgmt.yml", policy);
    let ops = scene.training.fake.repo("org/ops");
    ops.history("main", 1);
    let token = "ghp_canary0000000000000000000000000000";
    scene.training.fake.token(token, TokenKind::User, "octocat", &[]);
    let publish = |args: &[&str]| {
        let mut command = scene.training.project.command();
        command.env("GITHUB_API_URL", scene.training.fake.url()).env("GITHUB_TOKEN", token);
        command.env("GITHUB_REPOSITORY", "org/ops").env("GITHUB_ACTIONS", "true");
        command.args(["audit", "retrain", "--publish", "--as-of", AS_OF]).args(args);
        let ran = ran(command.output().unwrap());
        assert!(!format!("{ran:?}").contains("canary"), "{ran:?}");
        ran
    };
    let opened = publish(&[]);
    assert_eq!((opened.code, scene.issues().len()), (1, 0), "{opened:?}");
    let body = ops.read(|repo| repo.issues[0].body.clone().unwrap());
    assert!(body.starts_with("<!-- mgmt-action:retrain:org/app/train.yml -->\n"), "{body}");
    assert_eq!(ops.read(|repo| repo.issues[0].author.clone()), "octocat");
    // The token says whose it is, so the issue is found again, and nothing is written that would not be.
    let before = scene.writes();
    assert!(publish(&["--author", "Octocat"]).stderr.contains("says the same already"));
    let other = publish(&["--author", "somebody"]);
    let told = "no issue is kept: the token writes as octocat, and `--author somebody` says otherwise";
    assert!(other.code == 1 && other.stderr.contains(told), "{other:?}");
    assert_eq!(scene.writes(), before);
}
