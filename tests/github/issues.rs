//! Issues and labels: found by their marker, written once, and less where the token may do less.

use mgmt_action::github::{IssueChange, IssueFilter, LabelState, NewIssue};

use super::client::{TOKEN, client, slug};
use super::github::{Fake, Fault, TokenKind};

const ISSUES: &str = "/repos/org/app/issues";
const LABELS: &str = "/repos/org/app/labels";
const MARKER: &str = "<!-- mgmt-action:retrain:retrain.yml ";
const BOT: &str = "github-actions[bot]";

fn of_bot() -> IssueFilter {
    IssueFilter { creator: Some(BOT.into()), state: Some("all".into()), ..IssueFilter::default() }
}

fn new() -> NewIssue {
    NewIssue { title: "Retraining".into(), body: format!("missed\r\n{MARKER}1 -->\n"), labels: vec!["retrain".into()] }
}

#[test]
fn an_issue_is_found_by_its_marker_and_its_author_the_oldest_first() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    repo.history("main", 1);
    let marked = |author: &str, state: &str| {
        repo.issue("x", |issue| {
            (issue.author, issue.state) = (author.to_owned(), state.to_owned());
            issue.body = Some(format!("text\n{MARKER}2 -->"));
        })
    };
    let first = marked(BOT, "closed");
    marked("octocat", "open");
    let second = marked(BOT, "open");
    repo.issue("unmarked", |issue| issue.author = BOT.to_owned());
    // A pull request is an issue to GitHub, and could hold the marker.
    let pull = repo.pull("org/app", "topic", |_| {});
    repo.edit(|repo| {
        let issue = repo.issues.iter_mut().find(|issue| issue.number == pull).unwrap();
        (issue.author, issue.body) = (BOT.to_owned(), Some(MARKER.to_owned()));
    });
    let tried = client(&fake);
    let found = tried.client.issues_with(&slug(), &of_bot(), MARKER).unwrap();
    assert_eq!(found.items.iter().map(|issue| issue.number).collect::<Vec<_>>(), [first, second]);
    assert_eq!(found.items.iter().map(mgmt_action::github::Issue::is_open).collect::<Vec<_>>(), [false, true]);
    let open = IssueFilter { state: None, ..of_bot() };
    assert_eq!(tried.client.issues(&slug(), &open).unwrap().items.len(), 2);
    fake.fault(Fault::on("GET", ISSUES).nulls("issue"));
    assert_eq!(tried.client.issues(&slug(), &of_bot()).unwrap().unreadable, Vec::<String>::new());
    for number in 0..1_010 {
        repo.issue(&number.to_string(), |issue| issue.author = BOT.to_owned());
    }
    let found = tried.client.issues_with(&slug(), &of_bot(), MARKER).unwrap();
    assert!(found.truncated, "what is not found may be among the older ones");
}

#[test]
fn an_issue_is_opened_once() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let tried = client(&fake);
    let opened = tried.client.open_issue(&slug(), &new()).unwrap();
    assert_eq!((opened.is_open(), opened.labels.as_slice()), (true, &["retrain".to_owned()][..]));
    assert_eq!(opened.user.unwrap().login, BOT);
    let lost = NewIssue { title: "Lost".into(), ..new() };
    fake.fault(Fault::on("POST", ISSUES).bad_gateway_afterwards());
    assert_eq!(tried.client.open_issue(&slug(), &lost).unwrap().number, 2);
    fake.fault(Fault::on("POST", ISSUES).reset());
    let error = tried.client.open_issue(&slug(), &NewIssue { title: "Never".into(), ..new() }).unwrap_err();
    assert!(error.is_unclear(), "{error}");
    assert_eq!((repo.read(|repo| repo.issues.len()), fake.count("POST", ISSUES)), (2, 3));
    fake.token(TOKEN, TokenKind::Actions, BOT, &["issues: write"]);
    let error = tried.client.open_issue(&slug(), &new()).unwrap_err();
    assert_eq!(error.hint().unwrap(), "grant the job the permission `issues: write`");
}

#[test]
fn an_issue_is_changed_closed_and_commented_on_once() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let number = repo.issue("old", |_| {});
    let path = format!("{ISSUES}/{number}");
    let tried = client(&fake);
    let close = IssueChange {
        title: Some("new".into()),
        body: Some("recovered\n".into()),
        state: Some(("closed", "completed")),
    };
    for fault in [Fault::on("PATCH", &path).bad_gateway_afterwards(), Fault::on("PATCH", &path).reset_afterwards()] {
        repo.edit(|repo| repo.issues[0].state = "open".to_owned());
        fake.fault(fault);
        let closed = tried.client.change_issue(&slug(), number, &close).unwrap();
        assert_eq!((closed.is_open(), closed.state_reason.as_deref()), (false, Some("completed")));
        assert_eq!((closed.title.as_str(), closed.closed_at.is_some()), ("new", true));
    }
    let reopen = IssueChange { state: Some(("open", "reopened")), ..IssueChange::default() };
    assert!(tried.client.change_issue(&slug(), number, &reopen).unwrap().is_open());
    assert_eq!(tried.client.issue(&slug(), number).unwrap().body.as_deref(), Some("recovered\n"));
    fake.fault(Fault::on("PATCH", &path).status(500));
    assert!(tried.client.change_issue(&slug(), number, &close).is_err());
    assert_eq!(fake.count("PATCH", &path), 4);

    let comments = format!("{path}/comments");
    fake.fault(Fault::on("POST", &comments).bad_gateway_afterwards());
    assert_eq!(tried.client.comment_on_issue(&slug(), number, "recovered").unwrap().body.as_deref(), Some("recovered"));
    tried.client.comment_on_issue(&slug(), number, "again").unwrap();
    fake.fault(Fault::on("POST", &comments).status(500));
    assert!(tried.client.comment_on_issue(&slug(), number, "recovered").is_err(), "an older one is not this one");
    assert_eq!(repo.comments(number).len(), 2);
}

#[test]
fn a_label_is_made_where_it_may_be() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let tried = client(&fake);
    let ensure = |name: &str| tried.client.ensure_label(&slug(), name, "d73a4a", "About retraining");
    assert_eq!(ensure("re train").unwrap(), LabelState::Made);
    assert_eq!(ensure("Re Train").unwrap(), LabelState::There);
    fake.fault(Fault::on("POST", LABELS).bad_gateway_afterwards());
    assert_eq!(ensure("lost").unwrap(), LabelState::There);
    // Somebody makes it between the look and the write.
    repo.label("raced");
    fake.fault(Fault::on("GET", "/repos/org/app/labels/raced").status(404));
    assert_eq!(ensure("raced").unwrap(), LabelState::There);
    fake.fault(Fault::on("POST", LABELS).status(500));
    assert!(ensure("never").is_err());
    assert_eq!(repo.read(|repo| repo.labels["re train"].color.clone()), "d73a4a");
    fake.token(TOKEN, TokenKind::Actions, BOT, &["issues: write", "pull-requests: write"]);
    let Ok(LabelState::Refused(error)) = ensure("other") else { panic!("a label is not worth an error") };
    assert!(error.hint().unwrap().contains("issues: write"), "{error}");
}
