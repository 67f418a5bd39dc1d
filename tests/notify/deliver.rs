//! What becomes of notices: one message for each incident, limits obeyed, nothing sent twice, nobody silenced.

use mgmt_action::notify::{Deliveries, Delivery, End, Fault as At, Level, State};

use super::discord::Fault;
use super::scene::{Scene, failure, notice};

#[test]
fn an_incident_is_one_message_from_its_beginning_to_its_end() {
    let scene = Scene::discord();
    let opened = scene.first(Level::Error, State::Opened);
    let id = scene.fake.messages()[0].id.clone();
    assert_eq!(opened.receipts[0].end, End::Posted { message: Some(id.clone()) });
    assert_eq!(opened.deliveries.message("discord"), Some(id.as_str()));
    // What the caller keeps is text.
    let kept: Deliveries = serde_json::from_str(&serde_json::to_string(&opened.deliveries).unwrap()).unwrap();
    let ongoing = scene.tell(&notice(Level::Error, State::Ongoing), &kept);
    assert_eq!(ongoing.receipts[0].end, End::Edited);
    let over = scene.tell(&notice(Level::Error, State::Recovered), &ongoing.deliveries);
    assert_eq!((&over.receipts[0].end, &over.deliveries), (&End::Edited, &opened.deliveries));
    let messages = scene.fake.messages();
    assert_eq!((messages.len(), messages[0].edits), (1, 2));
    let title = messages[0].content["embeds"][0]["title"].as_str().unwrap().to_owned();
    assert_eq!(title, "RECOVERED: The weekly retrain did not run");
    assert_eq!(scene.fake.methods(), ["POST", "PATCH", "PATCH"]);
    assert!(scene.seen.slept().is_empty());
}

#[test]
fn a_message_that_is_gone_is_made_anew_and_a_webhook_that_is_gone_is_left_alone() {
    let scene = Scene::discord();
    let opened = scene.first(Level::Error, State::Opened);
    scene.fake.delete_message(opened.deliveries.message("discord").unwrap());
    let again = scene.tell(&notice(Level::Error, State::Ongoing), &opened.deliveries);
    assert!(matches!(again.receipts[0].end, End::Posted { message: Some(_) }), "{again:?}");
    assert_ne!(again.deliveries, opened.deliveries);

    scene.fake.delete_webhook();
    let lost = scene.tell(&notice(Level::Error, State::Ongoing), &again.deliveries);
    assert_eq!(failure(&lost).message, "the webhook does not exist any more");
    assert_eq!(failure(&lost).hint.as_deref(), Some("make a new webhook and put its address into D"));
    let asked = scene.fake.requests().len();
    let never = scene.tell(&notice(Level::Error, State::Ongoing), &lost.deliveries);
    assert_eq!(failure(&never).message, "the webhook does not exist any more and is not asked again");
    assert_eq!(scene.fake.requests().len(), asked, "nothing was sent");
    // Another webhook in the same variable is another matter.
    let mut scene = scene;
    let other = Scene::discord();
    scene.env = other.env.clone();
    assert!(matches!(
        scene.tell(&notice(Level::Error, State::Ongoing), &never.deliveries).receipts[0].end,
        End::Posted { .. }
    ));
}

#[test]
fn an_invalid_token_is_a_webhook_that_is_gone() {
    let mut scene = Scene::discord();
    scene.env[0].1 = format!("{}x", scene.env[0].1);
    let round = scene.first(Level::Error, State::Opened);
    assert!(matches!(round.deliveries.of("discord"), Some(Delivery::Gone { .. })), "{round:?}");
}

#[test]
fn only_a_critical_notice_pings_also_when_the_incident_has_become_critical() {
    let scene = Scene::discord();
    let opened = scene.first(Level::Warning, State::Opened);
    let worse = scene.tell(&notice(Level::Critical, State::Ongoing), &opened.deliveries);
    assert!(matches!(worse.receipts[0].end, End::Posted { .. }));
    let messages = scene.fake.messages();
    assert_eq!((messages.len(), messages[0].pings.as_slice()), (1, &["111111111111111111".to_owned()][..]));
    assert_eq!(worse.deliveries.message("discord"), Some(messages[0].id.as_str()));
    assert_eq!(scene.fake.methods(), ["POST", "POST", "DELETE"]);
    // From then on it is edited like any other.
    let same = scene.tell(&notice(Level::Critical, State::Ongoing), &worse.deliveries);
    assert_eq!((&same.receipts[0].end, scene.fake.messages().len()), (&End::Edited, 1));
    let audit = scene.first(Level::Audit, State::Opened);
    assert!(matches!(audit.receipts[0].end, End::Posted { .. }));
    assert_eq!((scene.fake.messages()[1].flags, scene.fake.messages()[1].pings.len()), (4_096, 0));
}

#[test]
fn a_limit_is_obeyed_and_the_wait_is_told_and_bounded() {
    let scene = Scene::discord();
    scene.fake.fault(Fault::Limited(0.4));
    scene.fake.fault(Fault::Shielded(3));
    let round = scene.first(Level::Error, State::Opened);
    assert!(matches!(round.receipts[0].end, End::Posted { .. }));
    // The header is the fraction rounded up: the longer one is waited for.
    assert_eq!(scene.seen.slept(), [1_000, 3_000]);
    assert!(scene.seen.told().starts_with("discord: the limit on requests is reached; waiting for 1.0 s\n"));
    assert_eq!(scene.fake.messages().len(), 1);

    let scene = Scene::discord();
    scene.fake.fault(Fault::Limited(64.57));
    scene.fake.fault(Fault::Limited(64.57));
    let round = scene.first(Level::Error, State::Opened);
    assert_eq!(scene.seen.slept(), [65_000]);
    assert_eq!(failure(&round).message, "its limit on requests is reached, and it asks to wait for 1 min 05 s");
    assert!(round.deliveries.is_empty() && scene.fake.messages().is_empty());

    // A limit that lets nobody through although it asks for no wait ends all the same.
    let scene = Scene::discord();
    (0..50).for_each(|_| scene.fake.fault(Fault::Limited(0.0)));
    assert_eq!(failure(&scene.first(Level::Error, State::Opened)).fault, At::Refused);
    assert!(scene.fake.requests().len() <= 11);
}

#[test]
fn a_limit_that_is_used_up_is_waited_for_before_the_next_request() {
    let scene = Scene::discord();
    let opened = scene.first(Level::Error, State::Opened);
    scene.fake.delete_message(opened.deliveries.message("discord").unwrap());
    scene.fake.fault(Fault::LastOne(1.25));
    scene.tell(&notice(Level::Error, State::Ongoing), &opened.deliveries);
    assert_eq!((scene.seen.slept(), scene.fake.methods().len()), (vec![1_250], 3));
}

#[test]
fn a_new_message_goes_out_once_and_an_unknown_end_is_said() {
    for (fault, arrived) in [
        (Fault::Instead(500, "no"), 0),
        (Fault::Afterwards(502, "<html>"), 1),
        (Fault::Reset, 0),
        (Fault::ResetAfterwards, 1),
    ] {
        let scene = Scene::discord();
        scene.fake.fault(fault.clone());
        let round = scene.first(Level::Error, State::Opened);
        assert_eq!((scene.fake.requests().len(), scene.fake.messages().len()), (1, arrived), "{fault:?}");
        let failure = failure(&round);
        assert_eq!(failure.fault, At::Unclear, "{fault:?}: {failure:?}");
        assert!(failure.message.starts_with("it may have been told or not: "), "{failure:?}");
        assert!(failure.hint.as_ref().unwrap().contains("`retrain-2026-47`"));
        assert_eq!(round.deliveries.of("discord"), Some(&Delivery::Unclear { level: Level::Error }));
        // The next notice makes sure.
        let next = scene.tell(&notice(Level::Error, State::Ongoing), &round.deliveries);
        assert!(matches!(next.receipts[0].end, End::Posted { message: Some(_) }));
        assert_eq!(scene.fake.messages().len(), arrived + 1);
    }
}

#[test]
fn a_taken_message_without_an_id_is_taken() {
    let scene = Scene::discord();
    scene.fake.fault(Fault::Afterwards(200, "{cut"));
    let round = scene.first(Level::Error, State::Opened);
    assert_eq!(round.receipts[0].end, End::Posted { message: None });
}

#[test]
fn an_edit_is_repeated_since_it_says_the_same_again() {
    for fault in [Fault::Afterwards(503, ""), Fault::Reset, Fault::ResetAfterwards] {
        let scene = Scene::discord();
        let opened = scene.first(Level::Error, State::Opened);
        scene.fake.fault(fault);
        let edited = scene.tell(&notice(Level::Error, State::Ongoing), &opened.deliveries);
        assert_eq!((&edited.receipts[0].end, scene.seen.slept()), (&End::Edited, vec![1_000]));
        assert_eq!(scene.fake.messages().len(), 1);
    }
    let scene = Scene::discord();
    let opened = scene.first(Level::Error, State::Opened);
    (0..3).for_each(|_| scene.fake.fault(Fault::Instead(500, "")));
    let round = scene.tell(&notice(Level::Error, State::Recovered), &opened.deliveries);
    assert_eq!((failure(&round).fault, scene.seen.slept()), (At::Unclear, vec![1_000, 2_000]));
    assert_eq!(round.deliveries, opened.deliveries, "its message is still known");
}

#[test]
fn without_a_connection_nothing_was_sent_and_it_is_tried_again() {
    let mut scene = Scene::discord();
    let gone = super::discord::Fake::start();
    scene.env[0].1 = gone.webhook();
    drop(gone);
    let round = scene.first(Level::Error, State::Opened);
    assert_eq!((failure(&round).fault, scene.seen.slept()), (At::Refused, vec![1_000, 2_000]));
    assert!(failure(&round).message.starts_with("there is no connection to it: "), "{round:?}");
    assert!(round.deliveries.is_empty());
}

#[test]
fn redirects_are_not_followed() {
    let scene = Scene::discord();
    let other = super::discord::Fake::start();
    scene.fake.fault(Fault::Redirect(other.webhook()));
    let round = scene.first(Level::Error, State::Opened);
    assert_eq!(failure(&round).message, "it answered 307: a redirect, which is not followed");
    assert!(other.requests().is_empty());
}

#[test]
fn one_receiver_that_fails_silences_no_other() {
    let mut scene = Scene::new(
        "{ discord: { url-env: D }, unset: { kind: discord, url-env: NOWHERE }, plain: { kind: slack, url-env: P }, \
         slack: { url-env: S }, hook: { kind: webhook, url-env: W } }",
    );
    scene.env.push(("P", "http://hooks.example/canary".to_owned()));
    scene.fake.fault(Fault::Instead(403, r#"{"message":"Missing Access","code":50001}"#));
    let round = scene.first(Level::Error, State::Opened);
    let ends: Vec<_> = round
        .receipts
        .iter()
        .map(|receipt| match &receipt.end {
            End::Failed(failure) => format!("{}: {failure}", receipt.receiver),
            other => format!("{}: {other:?}", receipt.receiver),
        })
        .collect();
    assert_eq!(
        ends,
        [
            "discord: it answered 403: Missing Access (Discord's error 50001)",
            "unset: the environment variable NOWHERE is not set",
            "plain: what P holds is not https, and everybody on the way could read the webhook's secret",
            "slack: Posted { message: None }",
            "hook: Posted { message: None }",
        ]
    );
    assert_eq!(round.failures().count(), 3);
    assert_eq!(scene.fake.requests().len(), 3);
}

#[test]
fn levels_choose_who_is_told_and_who_knows_hears_the_end() {
    let scene =
        Scene::new("{ discord: { url-env: D, levels: [critical] }, slack: { url-env: S, levels: [warning, error] } }");
    let round = scene.first(Level::Error, State::Opened);
    assert_eq!(round.receipts[0].end, End::Unwanted);
    assert!(matches!(round.receipts[1].end, End::Posted { .. }));
    let worse = scene.tell(&notice(Level::Critical, State::Ongoing), &round.deliveries);
    assert!(worse.receipts.iter().all(|receipt| matches!(receipt.end, End::Posted { .. })), "{worse:?}");
    let over = scene.tell(&notice(Level::Warning, State::Recovered), &worse.deliveries);
    assert_eq!(over.receipts[0].end, End::Edited, "it heard of the beginning");
    assert!(matches!(over.receipts[1].end, End::Posted { .. }));
}

#[test]
fn slack_hears_of_what_is_new_and_a_webhook_of_everything() {
    let mut scene = Scene::new("{ slack: { url-env: S }, hook: { kind: webhook, url-env: W, secret-env: K } }");
    scene.env.push(("K", "It's a Secret to Everybody".replace(' ', "-")));
    let opened = scene.first(Level::Error, State::Opened);
    let same = scene.tell(&notice(Level::Error, State::Ongoing), &opened.deliveries);
    assert_eq!(same.receipts[0].end, End::Unchanged);
    assert!(matches!(same.receipts[1].end, End::Posted { .. }));
    let worse = scene.tell(&notice(Level::Critical, State::Ongoing), &same.deliveries);
    assert!(matches!(worse.receipts[0].end, End::Posted { .. }));
    let requests = scene.fake.requests();
    let hooks: Vec<_> = requests.iter().filter(|request| request.target.starts_with("/hook")).collect();
    assert_eq!((hooks.len(), requests.len()), (3, 5));
    assert_eq!(hooks[0].json()["schema"], "mgmt.notice/1");
    assert_eq!(hooks[0].headers["content-type"], "application/json");
    let signature = hooks[0].headers["x-mgmt-signature-256"].clone();
    assert_eq!(signature, format!("sha256={}", hmac(b"It's-a-Secret-to-Everybody", &hooks[0].body)));
    let slack: Vec<_> = requests.iter().filter(|request| request.target.starts_with("/services/")).collect();
    assert_eq!(slack[0].json()["text"].as_str().unwrap().split(':').next(), Some("ERROR"));
    assert!(!slack[0].headers.contains_key("x-mgmt-signature-256"));
}

/// HMAC-SHA256 as RFC 2104 writes it down, in hexadecimal.
fn hmac(key: &[u8], message: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    let pad = |byte: u8| (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ byte).collect::<Vec<u8>>();
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    let outer = Sha256::digest([pad(0x5c), inner.to_vec()].concat());
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn messages_go_to_the_thread_and_are_edited_there() {
    let scene = Scene::new("{ discord: { url-env: D, thread-id: 123456789012345678 } }");
    let nowhere = scene.first(Level::Error, State::Opened);
    assert_eq!(failure(&nowhere).hint.as_deref(), Some("correct `thread-id`, or leave it out"));
    assert!(nowhere.deliveries.is_empty(), "a thread that is not there is no lost webhook");
    scene.fake.world().threads.push("123456789012345678".to_owned());
    let opened = scene.first(Level::Error, State::Opened);
    assert_eq!(scene.fake.messages()[0].thread.as_deref(), Some("123456789012345678"));
    assert_eq!(scene.tell(&notice(Level::Error, State::Ongoing), &opened.deliveries).receipts[0].end, End::Edited);
}

#[test]
fn an_id_that_is_none_never_becomes_a_part_of_a_path() {
    let scene = Scene::discord();
    let known = r#"{"discord":{"told":{"level":"error","message":"1/../../../x?y=1"}}}"#;
    let round = scene.tell(&notice(Level::Error, State::Ongoing), &serde_json::from_str(known).unwrap());
    assert!(matches!(round.receipts[0].end, End::Posted { .. }));
    assert_eq!(scene.fake.methods(), ["POST"]);
}

#[test]
fn text_that_is_far_too_long_arrives() {
    let scene = Scene::discord();
    let mut long = notice(Level::Critical, State::Opened);
    long.title = "😀".repeat(400);
    long.body = "@everyone \u{3164}*x*\n".repeat(2_000);
    long.fields = vec![mgmt_action::notify::Field { name: " ".into(), value: "<@1>".repeat(900) }; 60];
    let round = scene.tell(&long, &Deliveries::default());
    assert!(matches!(round.receipts[0].end, End::Posted { .. }), "{round:?}");
    assert_eq!(scene.fake.messages()[0].pings, ["111111111111111111"]);
}
