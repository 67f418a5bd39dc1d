//! Floor 7: `mgmt.yml`, from text to a valid [`Config`].
//!
//! After [`load`] nobody re-checks a range, a reference or a name. The settings' types live with the code
//! they configure; here they are only put together. A key nobody reads does not exist.

mod decode;
pub mod load;
mod render;
mod show;

pub use decode::{KEYS, decode, schema};
pub use load::{LoadError, load, read};
pub use render::render;
pub use show::show;

use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;

use crate::check::{Check, score};
use crate::deploy::Stage;
use crate::evidence::Limits;
use crate::evidence::problem::{Code, Level};
use crate::gate::quarantine::Entry;
use crate::gate::scope::{Components, Globs};
use crate::gate::{Gate, rule};
use crate::notify::Receiver;
use crate::sys::text;
use crate::{history, retrain};

/// File names, in the order in which they are looked for in each folder.
pub const FILE_NAMES: &[&str] = &["mgmt.yml", ".github/mgmt.yml"];

/// Where the committed schema can be read by editors.
pub const SCHEMA_URL: &str = "https://raw.githubusercontent.com/org/mgmt-action/v1/schema/mgmt.schema.json";

/// A valid configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder that all paths in it are relative to.
    pub root: Utf8PathBuf,
    /// The file, relative to the root where it lies under it.
    pub path: Utf8PathBuf,
    /// The project.
    pub project: Project,
    /// Checks in written order.
    pub checks: Vec<Arc<Check>>,
    /// `gate:`.
    pub gate: Option<Gate>,
    /// `gates:`, in written order.
    pub gates: Vec<Gate>,
    /// `stages:`, in written order.
    pub stages: Vec<Stage>,
    /// `retrain:`, if a schedule is audited.
    pub retrain: Option<retrain::Settings>,
    /// Named parts of the project.
    pub components: Components,
    /// Changed files that need no coverage.
    pub patch_ignore: Globs,
    /// `limits:`.
    pub limits: Limits,
    /// Tests whose failures are excused, in written order.
    pub quarantine: Vec<Entry>,
    /// The score, if one is wanted.
    pub score: Option<score::Settings>,
    /// Where reports go.
    pub reports: Reports,
    /// What is kept of earlier runs.
    pub history: history::Settings,
    /// Who is told of what goes wrong, in written order.
    pub notify: Vec<Receiver>,
}

/// `project:`.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// Its name; the root folder's name if not given.
    pub name: Option<String>,
    /// The branch that others are compared with; git's own answer if not given.
    pub default_branch: Option<String>,
}

/// `reports:`.
#[derive(Clone, Debug)]
pub struct Reports {
    /// Folder, relative to the root.
    pub dir: Utf8PathBuf,
    /// How long reports are kept.
    pub keep: Duration,
}

impl Default for Reports {
    fn default() -> Self {
        Self { dir: ".mgmt/reports".into(), keep: Duration::from_secs(30 * 86_400) }
    }
}

/// A gate that is not there.
#[derive(Debug, thiserror::Error)]
#[error("there is no gate `{name}`")]
pub struct UnknownGate {
    /// The name asked for.
    pub name: String,
    /// The next step.
    pub hint: String,
}

impl Config {
    /// The project's name for reports.
    #[must_use]
    pub fn name(&self) -> String {
        let folder = || self.root.file_name().unwrap_or("project").to_owned();
        self.project.name.clone().unwrap_or_else(folder)
    }

    /// The gate with this name; without a name the one under `gate:`, if there is one.
    ///
    /// # Errors
    /// No gate has that name.
    pub fn gate(&self, name: Option<&str>) -> Result<Option<&Gate>, UnknownGate> {
        let name = match name {
            None => return Ok(self.gate.as_ref()),
            Some(name) => name,
        };
        let all = || self.gate.iter().chain(&self.gates);
        if let Some(gate) = all().find(|gate| gate.name == name) {
            return Ok(Some(gate));
        }
        let names: Vec<_> = all().map(|gate| gate.name.as_str()).collect();
        let hint = match names.as_slice() {
            [] => "this project has no gates: add `gate:` or `gates:` to mgmt.yml".to_owned(),
            names => format!("there are: {}", names.join(", ")),
        };
        Err(UnknownGate { name: name.to_owned(), hint })
    }

    /// The stage with this name.
    ///
    /// # Errors
    /// No stage has that name.
    pub fn stage(&self, name: &str) -> Result<&Stage, UnknownStage> {
        let found = self.stages.iter().find(|stage| stage.name == name);
        found.ok_or_else(|| {
            let names: Vec<_> = self.stages.iter().map(|stage| stage.name.as_str()).collect();
            let hint = match text::closest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => "add `stages:` to mgmt.yml".to_owned(),
                None => format!("there are: {}", names.join(", ")),
            };
            UnknownStage { name: name.to_owned(), hint }
        })
    }
}

/// A stage that is not there.
#[derive(Debug, thiserror::Error)]
#[error("there is no stage `{}`", text::one_line(name))]
pub struct UnknownStage {
    /// The name asked for.
    pub name: String,
    /// The next step.
    pub hint: String,
}

/// `default` is what the list under `gate:` is called.
const DEFAULT_GATE: &str = rule::DEFAULT;

macro_rules! codes {
    ($($id:literal, $doc:literal, $hint:literal;)*) => {
        /// What can be wrong with `mgmt.yml`.
        pub const CODES: &[&Code] = &[$(&Code { id: $id, level: Level::Loss, doc: $doc, hint: $hint }),*];
    };
}

codes! {
    "config.syntax", "The file is not valid YAML, or holds more than one document.", "look at the place the message points to";
    "config.limit", "The file passes a bound on its size, depth or number of values.", "write aliases out, or split what is generated";
    "config.type", "A value has another type than the setting.", "`mgmt config schema` prints what each setting takes";
    "config.duplicate-key", "A key stands twice in one map; YAML readers differ on which counts.", "keep one of them";
    "config.unknown-key", "No part of this program reads that key.", "correct the spelling, or remove the key";
    "config.missing-key", "A setting that is needed is not there.", "add it";
    "config.version", "The file is written for another version of this program's configuration.", "write `version: 1`";
    "config.value", "A value is not among those that the setting takes.", "choose one of the values in the message";
    "config.name", "A name cannot stand in a command line and in a file name.", "use letters, digits, `-`, `_` and `.`";
    "config.date", "A date could not be read.", "write year, month and day: 2030-01-31";
    "config.duration", "A duration could not be read.", "write a number and a unit: 90s, 5m, 1h 30m, 30d";
    "config.glob", "A glob could not be read.", "close its brackets and braces";
    "config.path", "A path leaves the project.", "write it relative to the project's root";
    "config.empty-command", "A check has nothing to do.", "write the program and its arguments as a list";
    "config.check-kind", "A check must be of exactly one kind: `run`, `shell` or `paths`.", "keep one of these keys";
    "config.evidence", "An evidence entry names no report, or two sources for one.", "give it a `path`, or `from: output`";
    "config.unknown-check", "`needs`, or `check` of a quarantine entry, names a check that does not exist.", "correct the name";
    "config.unknown-group", "`score` gives a weight to a group that no check is in.", "correct the name, or remove it";
    "config.cycle", "Checks need each other, or stages come after each other, in a circle: none of them could start.", "remove one of the `needs` or `after`";
    "config.unknown-stage", "`after` names a stage that does not exist.", "correct the name";
    "config.unknown-gate", "A stage names a gate that does not exist.", "correct the name";
    "config.stage", "A stage asks nothing, has a setting that nothing would read, or a name that is none.", "name its `workflows`, or the stage that it comes `after`";
    "config.notify", "A receiver of notices does not say what it is, is never told anything, or names somebody who is none.", "`mgmt config schema` prints what a receiver takes";
    "config.secret", "The address of a webhook stands in the file, or may stand there. It is a secret: who has it can write in its name.", "put it into an environment variable, name that, and make a new webhook";
    "config.retrain", "The audit of a schedule asks for nothing, for what cannot be, or has a setting that nothing would read.", "`mgmt config schema` prints what `retrain:` takes";
    "config.cron", "A schedule is written in a way that GitHub does not accept, or names a time zone that is none.", "write five fields, such as '0 18 * * 0', and a name of the IANA time zone database";
    "config.rule", "A rule can decide nothing: it has no limit, or none that a value could hold.", "give it `min`, `max` or `equals`";
    "config.scope", "A rule names a part of the project that it cannot be about.", "use `paths`, `component` or `each` with coverage metrics, and name components under `components:`";
    "config.unknown-metric", "Nothing measures a metric of that name.", "`mgmt explain metrics` lists the names";
    "config.quarantine", "A quarantine entry is without a name or a reason, would excuse every test, or stands twice.", "name the tests and say why";
    "config.score", "A score cannot be computed or judged: a limit outside 0 to 100 or above the next better one, or a weight that is not above 0.", "correct the number";
}
