//! What a detector proposes, before it is text.

use crate::evidence::Kind;

/// What was found of one ecosystem.
#[derive(Debug, Default)]
pub(super) struct Finding {
    /// What people call the ecosystem.
    pub(super) ecosystem: &'static str,
    /// What tells that it is there, and what runs it: `pyproject.toml, run by .venv/bin/python`.
    pub(super) signs: String,
    /// The project's name, where the ecosystem has one.
    pub(super) name: Option<String>,
    /// Comment lines above its checks, for the people who will keep the file.
    pub(super) notes: Vec<String>,
    /// Its checks, in the order in which they are written.
    pub(super) checks: Vec<Draft>,
    /// What the project names and the file does not, each with the reason.
    pub(super) left_out: Vec<String>,
}

impl Finding {
    /// One line for a person.
    #[must_use]
    pub(super) fn told(&self) -> String {
        format!("{}: {}", self.ecosystem, self.signs)
    }
}

/// A check to be written.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// Its name, unique within its ecosystem.
    pub(super) id: String,
    /// `lint`, `format` or `test`.
    pub(super) group: &'static str,
    /// Comment lines above it.
    pub(super) notes: Vec<String>,
    /// What it does.
    pub(super) action: Action,
    /// Variables added to its environment.
    pub(super) env: Vec<(&'static str, String)>,
    /// The command that repairs what it finds.
    pub(super) fix: Option<Vec<String>>,
    /// A resource that only one check at a time may use.
    pub(super) exclusive: Option<&'static str>,
    /// What it leaves behind.
    pub(super) evidence: Vec<(Kind, Report)>,
}

/// What a check does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Starts a program with arguments.
    Run(Vec<String>),
    /// Gives a line to the system's shell.
    Shell(String),
}

/// Where a report is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// A file, from the root.
    File(String),
    /// What the check prints, in this format.
    Output(&'static str),
}

impl Draft {
    /// A check that starts a program.
    #[must_use]
    pub(super) fn run<S: Into<String>>(id: &str, group: &'static str, argv: impl IntoIterator<Item = S>) -> Self {
        Self {
            id: id.to_owned(),
            group,
            notes: Vec::new(),
            action: Action::Run(argv.into_iter().map(Into::into).collect()),
            env: Vec::new(),
            fix: None,
            exclusive: None,
            evidence: Vec::new(),
        }
    }

    /// With the command that repairs what it finds.
    #[must_use]
    pub(super) fn fixed_by<S: Into<String>>(mut self, argv: impl IntoIterator<Item = S>) -> Self {
        self.fix = Some(argv.into_iter().map(Into::into).collect());
        self
    }

    /// With a comment line above it.
    #[must_use]
    pub(super) fn noted(mut self, note: &str) -> Self {
        self.notes.push(note.to_owned());
        self
    }

    /// With a report.
    #[must_use]
    pub(super) fn leaving(mut self, kind: Kind, report: Report) -> Self {
        self.evidence.push((kind, report));
        self
    }
}

/// Where the reports of one ecosystem go: two ecosystems never write the same file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reports {
    /// Set if another ecosystem has taken the plain names.
    pub(super) prefix: Option<&'static str>,
}

impl Reports {
    /// The folder of reports, for tools that create it themselves.
    const FOLDER: &'static str = "reports";

    /// A report in a folder of its own.
    #[must_use]
    pub(super) fn in_folder(self, name: &str) -> String {
        format!("{}/{}", Self::FOLDER, self.at_root(name))
    }

    /// A report beside `mgmt.yml`, for tools that write only into folders that exist.
    #[must_use]
    pub(super) fn at_root(self, name: &str) -> String {
        self.prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}-{name}"))
    }
}
