//! Brings the issue and the notices to where the audit is, and does what may be done about it.
//!
//! What is about to be done is written down first, where the next audit will look for it: who cannot write does not act.
//! The moment is looked at right before, and the end is written down and told.

use jiff::Timestamp;

use super::desk::{Desk, Found};
use super::hand::{Done, Hand};
use super::memory::{Kept, Memory};
use super::{Published, Subject, failure, tell};
use crate::app::audit::history;
use crate::app::job::Job;
use crate::app::remote;
use crate::gate::Verdict;
use crate::publish::{Key, issue};
use crate::report::audit::sentence;
use crate::retrain::incident::{Step, step};
use crate::retrain::remedy::Outcome;
use crate::retrain::{self, Audit, Facts, Incident, Remedy, Settings, plan};
use crate::sys::text;

/// What earlier audits left, and where it is written down.
struct Books<'a> {
    /// Where the issue is, if it can be looked for.
    desk: Option<Desk<'a>>,
    found: Found,
    memory: Memory,
    local: Option<Kept>,
    /// Before which moment nobody knows any more what was done.
    forgotten: Option<Timestamp>,
    is_job: bool,
}

/// Brings them there.
pub(super) fn bring(subject: &Subject<'_>, audit: &mut Audit, job: Option<&Job>, published: &mut Published) {
    let mut books = Books::open(subject, audit, job.is_some(), published);
    let known = books.known().cloned();
    books.remember(subject, audit);
    let next = step(known.as_ref().map(|kept| &kept.incident), audit);
    if next == Step::Stale {
        published.done.push("nothing: an audit of a later moment was published already".to_owned());
        return;
    }
    if let (Step::Wait, Some(known)) = (&next, &known) {
        published.done.push("nothing: what may end the trouble has not ended".to_owned());
        audit.notes.push(format!("{} is not over: its slot is tried again", known.incident.id));
    }
    let planned = books.remedies(subject, audit);
    published.done.extend(idle(subject, audit, planned.as_ref()));
    let content = issue::content(audit);
    let is_new = known.as_ref().is_none_or(|kept| kept.content != content);
    let reign = audit.reign.clone();
    let told = |incident: &Incident, (deliveries, unheard)| {
        let (incident, reign) = (incident.clone(), reign.filter(|_| incident.is_open()));
        Kept { incident, content, deliveries, unheard, reign, remedies: Vec::new(), forgotten: None }
    };
    let mut told = match &next {
        Step::Rest | Step::Stale | Step::Wait => known,
        Step::Open(incident) => Some(told(incident, Default::default())),
        Step::Stay(_) if !is_new => known,
        Step::Stay(incident) | Step::Recover(incident) => {
            Some(told(incident, known.map(|kept| (kept.deliveries, kept.unheard)).unwrap_or_default()))
        }
    };
    if next == Step::Wait {
        return;
    }
    if let Some(kept) = &mut told {
        (kept.remedies, kept.forgotten) = (books.tried(), books.forgotten);
    }
    let url = books.desk.as_ref().and_then(|desk| desk.bring(audit, &mut books.found, told.as_ref(), published));
    let Some(kept) = &mut told else { return };
    let link = url.or_else(|| job.and_then(Job::run_url));
    (kept.deliveries, kept.unheard) = tell::tell(subject, audit, &next, kept, is_new, link.clone(), published);
    books.keep(audit, kept, published);
    if let Some(one) = planned.filter(|one| one.outcome == Outcome::Planned) {
        act(subject, audit, &one, &mut books, kept, link, published);
    }
}

/// Adds to the audit what was done before, and what would be done now.
pub(super) fn preview(subject: &Subject<'_>, audit: &mut Audit, published: &mut Published) {
    let books = Books::open(subject, audit, false, published);
    books.remember(subject, audit);
    let planned = books.remedies(subject, audit);
    published.done.extend(idle(subject, audit, planned.as_ref()));
    audit.remedies.extend(planned.filter(|one| one.outcome == Outcome::Planned));
}

/// That nothing is called for, where somebody wants to know.
fn idle(subject: &Subject<'_>, audit: &Audit, planned: Option<&Remedy>) -> Option<String> {
    let is_told = subject.acts && planned.is_none();
    let why = match audit.verdict {
        Verdict::Fail => "no action that is declared would help",
        Verdict::Pass => "nothing has to be",
        Verdict::Inconclusive | Verdict::Interrupted => "nobody knows whether something has to be",
    };
    is_told.then(|| format!("nothing is done about it: {why}"))
}

/// Does it.
fn act(
    subject: &Subject<'_>,
    audit: &mut Audit,
    one: &Remedy,
    books: &mut Books<'_>,
    kept: &mut Kept,
    link: Option<String>,
    published: &mut Published,
) {
    let before = kept.remedies.clone();
    let done = match (Hand::of(subject, audit), books.stands()) {
        (Some(hand), Ok(())) => {
            kept.remedies = plan::joined(&[&before, &[one.ended(Outcome::Begun, "")]]);
            match (books.keep(audit, kept, published), books.stands()) {
                (true, Ok(())) => hand.act(one),
                // Whoever wrote last goes on.
                (true, Err(why)) => return published.done.push(format!("Did not {}: {why}", one.told())),
                (false, _) => one.ended(Outcome::Withheld, "it could not be written down before it is done").into(),
            }
        }
        (Some(_), Err(why)) => one.ended(Outcome::Withheld, why).into(),
        (None, _) => one.ended(Outcome::Withheld, "the repository is not known").into(),
    };
    let Done { remedy, link: shows, hint } = done;
    kept.remedies = plan::joined(&[&before, std::slice::from_ref(&remedy)]);
    audit.remedies.push(remedy.clone());
    kept.content = issue::content(audit);
    books.keep(audit, kept, published);
    let said = text::capitalised(&sentence(&remedy));
    match remedy.outcome {
        Outcome::Verified | Outcome::Withheld => published.done.push(said),
        _ => published.failures.push(failure(said, hint)),
    }
    if remedy.is_tried() {
        tell::done(subject, audit, kept, &remedy, shows.or(link), published);
    }
}

impl<'a> Books<'a> {
    fn open(subject: &Subject<'a>, audit: &Audit, is_job: bool, published: &mut Published) -> Self {
        let audited = &audit.repository;
        // The issue stands where the token of a job can write, which need not be where the training is.
        let home = remote::slug(subject.context, subject.repo).ok().or_else(|| audited.parse().ok());
        let key = match &home {
            Some(home) if !home.to_string().eq_ignore_ascii_case(audited) => {
                Key::given(&format!("{audited}/{}", audit.workflow))
            }
            _ => Key::given(&audit.workflow),
        };
        let looked =
            home.ok_or_else(|| failure("no issue is kept: its repository is not known", None)).and_then(|home| {
                let desk = Desk::open(subject, home, key)?;
                Ok((desk.look(audit)?, desk))
            });
        // Who cannot see whether the trouble is known tells of it once more: silence would be worse.
        let (found, desk) = match looked {
            Ok((found, desk)) => (found, Some(desk)),
            Err(failure) => {
                published.failures.push(failure);
                (Found::default(), None)
            }
        };
        let memory = Memory::of(subject, audit);
        let (local, is_lost) = memory.recall(published);
        let known = [&found.kept, &local].into_iter().flatten().filter_map(|kept| kept.forgotten).max();
        let forgotten = if is_lost || found.is_lost { Some(audit.as_of) } else { known };
        Self { desk, found, memory, local, forgotten, is_job }
    }

    /// Whether the issue is as this audit knows it; otherwise why nothing is done.
    fn stands(&self) -> Result<(), &'static str> {
        self.desk.as_ref().map_or(Ok(()), |desk| desk.stands(&self.found))
    }

    /// What was told last: of issue and history the later one.
    fn known(&self) -> Option<&Kept> {
        match (&self.found.kept, &self.local) {
            (Some(issue), Some(local)) if local.incident.told_at > issue.incident.told_at => Some(local),
            (Some(issue), _) => Some(issue),
            (None, local) => local.as_ref(),
        }
    }

    /// Judges anew by the champion that an earlier audit kept, as long as it would count within the history.
    fn remember(&self, subject: &Subject<'_>, audit: &mut Audit) {
        let open = self.known().filter(|known| known.incident.is_open());
        let Some(reign) = open.and_then(|known| known.reign.clone()) else { return };
        let within = |settings: &&Settings| reign.since >= history(settings, audit.as_of);
        let Some(settings) = subject.config.retrain.as_ref().filter(within) else { return };
        let facts = Facts { reign: Some(reign), ..subject.facts.clone() };
        *audit = retrain::audit(settings, facts, subject.sources).audit;
    }

    /// What earlier audits did, as issue and history tell it together.
    fn tried(&self) -> Vec<Remedy> {
        let of = |kept: &Option<Kept>| kept.as_ref().map(|kept| kept.remedies.clone()).unwrap_or_default();
        plan::joined(&[&of(&self.found.kept), &of(&self.local)])
    }

    /// Adds to the audit what was done since the trouble began, and what is called for but withheld. Returns what is
    /// called for.
    fn remedies(&self, subject: &Subject<'_>, audit: &mut Audit) -> Option<Remedy> {
        let tried = self.tried();
        let since = self.known().filter(|known| known.incident.is_open()).map(|known| known.incident.opened_at);
        let is_of_it = |one: &&Remedy| since.is_some_and(|since| one.at >= since) && one.at <= audit.as_of;
        let of_it: Vec<_> = tried.iter().filter(is_of_it).cloned().collect();
        audit.remedies.extend(of_it);
        let settings = subject.config.retrain.as_ref().filter(|_| subject.acts)?;
        let one = plan::plan(audit, settings, &tried, self.forgotten)?;
        let one = match (Hand::of(subject, audit), &self.desk) {
            (_, None) if one.outcome == Outcome::Planned => {
                one.ended(Outcome::Withheld, "what was done before is not known: the issue cannot be looked for")
            }
            (Some(hand), _) if one.outcome == Outcome::Planned => hand.check(&one),
            _ => one,
        };
        if one.outcome == Outcome::Withheld {
            audit.remedies.push(one.clone());
        }
        Some(one)
    }

    /// Writes down what the next audit has to know. Returns whether it will find it.
    fn keep(&mut self, audit: &Audit, kept: &Kept, published: &mut Published) -> bool {
        if let Some(desk) = &self.desk
            && let Err(failure) = desk.note(audit, &mut self.found, kept)
        {
            published.failures.push(failure);
        }
        let is_in_issue = self.found.number.is_some() && self.found.kept.as_ref() == Some(kept);
        if self.is_job && is_in_issue {
            return true;
        }
        if self.local.as_ref() != Some(kept) {
            match self.memory.keep(kept) {
                Ok(()) => self.local = Some(kept.clone()),
                Err(error) => published.failures.push(error.into()),
            }
        }
        // What a job keeps in its folder is gone with the job.
        is_in_issue || (!self.is_job && self.local.as_ref() == Some(kept))
    }
}
