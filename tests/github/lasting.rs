//! Trouble that outlives what it is known from.

use super::audit::{AS_OF, model};
use super::discord::Fault;
use super::incident::{LATER, LATEST, NEXT, Scene};
use super::support::Ran;

/// The run of a week leaves a model that is this good.
fn leave(scene: &Scene, run: u64, number: i64, f1: f64) {
    let repo = scene.repo();
    repo.edit(|repo| repo.artifacts.retain(|one| one.run != run));
    let artifact = repo.artifact(run, "model", model(number, f1));
    let at = repo.read(|repo| repo.runs.iter().find(|one| one.id == run).unwrap().updated_at);
    repo.edit_artifact(artifact, |one| one.created_at = at);
}

fn is_worse_than(ran: &Ran, champion: &str) -> bool {
    ran.code == 1 && ran.stdout.contains("worse-than-champion") && ran.stdout.contains(champion)
}

#[test]
fn a_model_that_stays_worse_is_no_recovery_once_the_good_one_is_gone() {
    let scene = Scene::new();
    let first = scene.training.runs[0];
    leave(&scene, first, 10, 0.65);
    let opened = scene.publish(AS_OF);
    assert!(is_worse_than(&opened, "the champion has 0.7"), "{opened:?}");

    // A week later nothing is left of the good ones, and the new model is as bad as the last.
    let sha = scene.repo().read(|repo| repo.refs["heads/main"].clone());
    let (second, _) = scene.training.train(-1, "schedule", 5, &sha);
    leave(&scene, second, 11, 0.65);
    let gone = "2024-06-30T00:00:00Z".parse().unwrap();
    scene.repo().edit(|repo| {
        let old = repo.artifacts.iter_mut().filter(|one| ![first, second].contains(&one.run));
        old.for_each(|one| one.expires_at = gone);
    });
    scene.training.fake.set_now(NEXT);
    let lasting = scene.publish(NEXT);
    assert!(is_worse_than(&lasting, "the champion has 0.7"), "{lasting:?}");
    assert_eq!(scene.issues(), [(1, "open".to_owned(), None)]);

    // As good as the one that is remembered: that ends it, and it is forgotten.
    leave(&scene, second, 12, 0.7);
    let over = scene.publish("2024-07-02T19:00:00Z");
    assert_eq!((over.code, scene.issues()[0].1.as_str()), (0, "closed"), "{over:?}");
    assert!(!scene.body(1).contains("reign"), "{}", scene.body(1));
}

#[test]
fn a_message_that_could_not_be_changed_is_changed_by_the_next_audit() {
    let scene = Scene::missed();
    scene.publish(AS_OF);
    scene.repo().edit(|repo| repo.workflows[0].state = "disabled_manually".to_owned());
    let outage = |answers| (0..answers).for_each(|_| scene.discord.fault(Fault::Instead(503, "{}")));
    // What pings is a new message, which is sent once; what is edited is tried again.
    outage(1);
    let unheard = scene.publish(LATER);
    assert!(unheard.stderr.contains("discord was not told"), "{unheard:?}");
    assert!(scene.message().0.starts_with("ERROR:"), "{:?}", scene.message());
    assert!(!scene.publish(LATEST).stderr.contains("not told"));
    let title = |scene: &Scene| scene.discord.messages()[0].content["embeds"][0]["title"].to_string();
    assert!(title(&scene).contains("CRITICAL"), "{}", title(&scene));
    let before = scene.writes();
    scene.publish("2024-06-27T19:00:00Z");
    assert_eq!(scene.writes(), before, "it has been heard");

    // The end as well.
    scene.repo().edit(|repo| repo.workflows[0].state = "active".to_owned());
    let sha = scene.repo().read(|repo| repo.refs["heads/main"].clone());
    scene.training.train(0, "schedule", 6, &sha);
    outage(3);
    assert_eq!(scene.publish("2024-06-28T18:00:00Z").code, 0);
    assert!(title(&scene).contains("CRITICAL"), "{}", title(&scene));
    assert_eq!(scene.publish("2024-06-28T19:00:00Z").code, 0);
    assert!(title(&scene).contains("RECOVERED"), "{}", title(&scene));
    let before = scene.writes();
    assert_eq!(scene.publish("2024-06-28T20:00:00Z").code, 0);
    assert_eq!(scene.writes(), before);
}
