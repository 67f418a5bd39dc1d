//! Receivers as mgmt.yml names them, and a world that lends them no time.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use camino::Utf8Path;
use mgmt_action::config;
use mgmt_action::notify::{Deliveries, End, Failure, Field, Hooks, Level, Notice, Receiver, Round, State, deliver};
use mgmt_action::sys::env::Env;

use super::discord::Fake;

/// The receivers under `notify:`.
pub(crate) fn receivers(text: &str) -> Vec<Receiver> {
    let text = format!("version: 1\nnotify: {text}\n");
    config::decode(&text, Utf8Path::new("/p"), Utf8Path::new("mgmt.yml")).unwrap().notify
}

pub(crate) fn notice(level: Level, state: State) -> Notice {
    Notice {
        level,
        incident: "retrain-2026-47".to_owned(),
        state,
        title: "The weekly retrain did not run".to_owned(),
        body: "Expected on Sunday at 18:00 UTC.".to_owned(),
        fields: vec![Field { name: "Workflow".to_owned(), value: "model-training.yml".to_owned() }],
        link: Some("https://github.com/org/app/actions".to_owned()),
        time: "2026-11-23T06:00:00Z".parse().unwrap(),
    }
}

/// What was waited for, and what was said; nothing really waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    slept: Rc<RefCell<Vec<Duration>>>,
    told: Rc<RefCell<Vec<String>>>,
}

impl Seen {
    pub(crate) fn slept(&self) -> Vec<u128> {
        self.slept.borrow().iter().map(Duration::as_millis).collect()
    }

    pub(crate) fn told(&self) -> String {
        self.told.borrow().join("\n")
    }
}

/// Receivers, the fake and what they knew.
pub(crate) struct Scene {
    pub(crate) fake: Fake,
    pub(crate) receivers: Vec<Receiver>,
    pub(crate) env: Vec<(&'static str, String)>,
    pub(crate) seen: Seen,
}

impl Scene {
    pub(crate) fn new(text: &str) -> Self {
        let fake = Fake::start();
        let env = vec![("D", fake.webhook()), ("S", fake.slack()), ("W", fake.plain())];
        Self { receivers: receivers(text), fake, env, seen: Seen::default() }
    }

    /// With one receiver on Discord.
    pub(crate) fn discord() -> Self {
        Self::new("{ discord: { url-env: D, mention: { users: [111111111111111111] } } }")
    }

    /// Tells; nothing of an address may be in what comes back.
    pub(crate) fn tell(&self, notice: &Notice, known: &Deliveries) -> Round {
        let env: Env = self.env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (slept, told) = (Rc::clone(&self.seen.slept), Rc::clone(&self.seen.told));
        let hooks = Hooks {
            env,
            sleep: Box::new(move |time| slept.borrow_mut().push(time)),
            tell: Box::new(move |line| told.borrow_mut().push(line.to_owned())),
        };
        let round = deliver(&self.receivers, notice, known, &hooks);
        let said = format!("{round:?} {} {}", self.seen.told(), serde_json::to_string(&round.deliveries).unwrap());
        assert!(!said.contains("canary"), "{said}");
        round
    }

    /// Tells those who know nothing.
    pub(crate) fn first(&self, level: Level, state: State) -> Round {
        self.tell(&notice(level, state), &Deliveries::default())
    }
}

pub(crate) fn failure(round: &Round) -> &Failure {
    match &round.receipts[0].end {
        End::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}
