//! Reads report files as a gate would see them, without a policy and without judging.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Context, Stop};
use crate::config;
use crate::evidence::{Bound, Evidence, FORMATS, Format, Limits, Repeats, format};
use crate::repo;
use crate::run::evidence::{Wanted, read_all};
use crate::sys::text;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Paths relative to the current folder.
    pub files: Vec<Utf8PathBuf>,
    /// `--as`: the format of all of them; found by content if not given.
    pub format: Option<String>,
    /// How repeated tests count.
    pub repeats: Repeats,
    /// `--limit`: bounds other than those of the project.
    pub limits: Vec<(Bound, u64)>,
}

/// Reads the files, several at once, and adds them up in the order given.
///
/// # Errors
/// An unknown format. A file that cannot be read is a problem in the evidence, not an error.
pub fn inspect(context: &Context, request: &Request) -> anyhow::Result<Evidence> {
    let format = request.format.as_deref().map(known).transpose()?;
    let root = repo::find_root(&context.cwd).unwrap_or_else(|| context.cwd.clone());
    let wanted: Vec<_> = request
        .files
        .iter()
        .map(|file| Wanted {
            path: shown(&context.cwd.join(file), &root),
            check: String::new(),
            kind: None,
            format,
            repeats: request.repeats,
            paths: Vec::new(),
        })
        .collect();
    let mut evidence = read_all(&wanted, &root, &limits(context, request));
    evidence.note_disputes();
    Ok(evidence)
}

/// The project's own bounds, since the gate reads with them, then those of the command line. A project without a valid
/// policy has the defaults: looking at a file needs none.
fn limits(context: &Context, request: &Request) -> Limits {
    let own = config::load(&context.cwd, context.config.as_deref()).map(|config| config.limits);
    let mut limits = own.unwrap_or_default();
    for (bound, value) in &request.limits {
        limits.set(*bound, *value);
    }
    limits
}

/// The path from the root where the file lies under it, else the whole path.
fn shown(path: &Utf8Path, root: &Utf8Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string()
}

fn known(name: &str) -> anyhow::Result<&'static Format> {
    if let Some(format) = format(name) {
        return Ok(format);
    }
    let names = FORMATS.iter().map(|row| row.name);
    let hint = match text::closest(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", names.collect::<Vec<_>>().join(", ")),
    };
    Err(Stop::usage(format!("there is no format `{}`", text::one_line(name)), Some(hint)).into())
}
