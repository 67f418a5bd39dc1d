//! Which checks a command asks for, in what order, and why each of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Check;
use crate::sys::text;

/// What the command line selects.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Groups that the command stands for; `None` is every group.
    pub command_groups: Option<Vec<String>>,
    /// `--group`: only these.
    pub groups: Vec<String>,
    /// `--only`: these checks and what they need.
    pub only: Vec<String>,
    /// `--skip`: not these, nor what needs them.
    pub skip: Vec<String>,
}

/// A check that will run.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The check.
    pub check: Arc<Check>,
    /// Why it is in the plan.
    pub why: String,
}

/// A check that will not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name.
    pub id: String,
    /// Why not.
    pub why: String,
}

/// What will run.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Checks to run, in the order of the configuration.
    pub checks: Vec<Planned>,
    /// The others.
    pub left_out: Vec<LeftOut>,
}

impl Plan {
    /// Whether every check of the project is in it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.left_out.is_empty()
    }
}

/// A selection that names something that does not exist.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} `{name}`")]
pub struct UnknownName {
    /// `check` or `group`.
    pub what: &'static str,
    /// The name.
    pub name: String,
    /// The next step.
    pub hint: String,
}

/// Selects checks. Needs of a selected check are selected with it.
///
/// # Errors
/// A name that no check or group has.
pub fn plan(checks: &[Arc<Check>], selection: &Selection) -> Result<Plan, UnknownName> {
    let ids = || checks.iter().map(|check| check.id.as_str());
    let groups: BTreeSet<_> = checks.iter().map(|check| check.group.as_str()).collect();
    known("check", selection.only.iter().chain(&selection.skip), ids())?;
    known("group", selection.groups.iter(), groups.iter().copied())?;

    let mut why: Vec<Result<String, String>> = checks.iter().map(|check| asked(check, selection)).collect();
    // Needs before wants: follow `needs` until nothing is added.
    loop {
        let mut added = false;
        for at in 0..checks.len() {
            if why[at].is_ok() {
                continue;
            }
            let dependant =
                checks.iter().zip(&why).find(|(check, why)| why.is_ok() && check.needs.contains(&checks[at].id));
            if let Some((dependant, _)) = dependant
                && !selection.skip.contains(&checks[at].id)
            {
                why[at] = Ok(format!("needed by `{}`", dependant.id));
                added = true;
            }
        }
        if !added {
            break;
        }
    }
    // What needs a check that --skip leaves out cannot run.
    loop {
        let mut removed = false;
        for at in 0..checks.len() {
            let missing =
                |need: &&String| checks.iter().zip(&why).any(|(check, why)| check.id == **need && why.is_err());
            if why[at].is_ok()
                && let Some(need) = checks[at].needs.iter().find(missing)
            {
                why[at] = Err(format!("needs `{need}`, which is left out"));
                removed = true;
            }
        }
        if !removed {
            break;
        }
    }
    let mut plan = Plan::default();
    for (check, why) in checks.iter().zip(why) {
        match why {
            Ok(why) => plan.checks.push(Planned { check: Arc::clone(check), why }),
            Err(why) => plan.left_out.push(LeftOut { id: check.id.clone(), why }),
        }
    }
    Ok(plan)
}

/// Why a check is asked for by itself, or why not.
fn asked(check: &Check, selection: &Selection) -> Result<String, String> {
    if selection.skip.contains(&check.id) {
        return Err("left out by --skip".into());
    }
    if !selection.only.is_empty() {
        return if selection.only.contains(&check.id) {
            Ok("named by --only".into())
        } else {
            Err("not named by --only".into())
        };
    }
    if !selection.groups.is_empty() {
        return if selection.groups.contains(&check.group) {
            Ok(format!("--group {}", check.group))
        } else {
            Err(format!("its group `{}` is not named by --group", check.group))
        };
    }
    match &selection.command_groups {
        None => Ok(format!("group `{}`, and the command runs every group", check.group)),
        Some(groups) if groups.contains(&check.group) => Ok(format!("group `{}`", check.group)),
        Some(groups) => Err(format!("its group is `{}`; the command runs {}", check.group, text::list(groups))),
    }
}

fn known<'a>(
    what: &'static str,
    names: impl Iterator<Item = &'a String>,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), UnknownName> {
    for name in names {
        if !known.clone().any(|known| known == name) {
            let hint = match text::closest(name, known.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", known.collect::<Vec<_>>().join(", ")),
            };
            return Err(UnknownName { what, name: name.clone(), hint });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Action, DEFAULT_TIMEOUT};
    use super::*;

    fn check(id: &str, group: &str, needs: &[&str]) -> Arc<Check> {
        Arc::new(Check {
            id: id.into(),
            group: group.into(),
            action: Action::Paths(vec![]),
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            exclusive: None,
            requires: vec![],
            allow_failure: false,
            timeout: DEFAULT_TIMEOUT,
            fix: None,
            evidence: vec![],
        })
    }

    fn planned(selection: &Selection) -> String {
        let checks = [
            check("build", "build", &[]),
            check("test", "test", &["build"]),
            check("docs", "docs", &["test"]),
            check("lint", "lint", &[]),
        ];
        let plan = plan(&checks, selection).unwrap();
        plan.checks
            .iter()
            .map(|planned| format!("{}: {}", planned.check.id, planned.why))
            .collect::<Vec<_>>()
            .join("; ")
    }

    #[test]
    fn needs_come_along_and_say_why() {
        let only = Selection { only: vec!["docs".into()], ..Selection::default() };
        assert_eq!(planned(&only), "build: needed by `test`; test: needed by `docs`; docs: named by --only");
        let group = Selection { groups: vec!["lint".into()], ..Selection::default() };
        assert_eq!(planned(&group), "lint: --group lint");
    }

    #[test]
    fn skipping_a_need_leaves_out_what_needs_it() {
        let skip = Selection { skip: vec!["test".into()], ..Selection::default() };
        assert_eq!(
            planned(&skip),
            "build: group `build`, and the command runs every group; lint: group `lint`, and the command runs every group"
        );
    }

    #[test]
    fn unknown_names_are_errors() {
        let unknown = Selection { only: vec!["tset".into()], ..Selection::default() };
        let error = plan(&[check("test", "test", &[])], &unknown).unwrap_err();
        assert_eq!((error.to_string(), error.hint), ("there is no check `tset`".into(), "did you mean `test`?".into()));
    }
}
