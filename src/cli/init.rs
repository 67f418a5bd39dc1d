//! `init`: writes a mgmt.yml from what is found, and the workflows that put it to work on GitHub.

use camino::Utf8Path;

use super::args::{Format, InitArgs};
use super::screen::Screen;
use crate::app::Context;
use crate::app::init::github::{self, Outcome};
use crate::app::init::{self, Overwrite, Proposed};
use crate::sys::text;

pub(super) fn run(context: &Context, args: &InitArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require("init", &[Format::Human])?;
    if args.github {
        return workflows(context, args, screen);
    }
    let proposed = init::propose(context)?;
    remarks(&proposed, screen);
    if args.stdout {
        screen.data(&proposed.text);
        return Ok(0);
    }
    let path = init::write(&proposed, overwrite(args))?;
    screen.data(&format!("wrote {}\n", shown(context, &path)));
    screen.remark("next: mgmt full-check");
    Ok(0)
}

fn workflows(context: &Context, args: &InitArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    let workflows = github::propose(context)?;
    if let Some(proposed) = &workflows.policy {
        remarks(proposed, screen);
    }
    for left in &workflows.left_out {
        screen.remark(&format!("left out: {left}"));
    }
    if args.stdout {
        let policy = workflows.policy.iter().map(|policy| format!("# mgmt.yml\n{}", policy.text));
        let texts: Vec<_> = policy.chain(workflows.files.iter().map(|file| file.text.clone())).collect();
        screen.data(&texts.join("\n"));
        return Ok(0);
    }
    let mut different = Vec::new();
    for (path, outcome) in github::write(&workflows, overwrite(args))? {
        let verb = match outcome {
            Outcome::Written => "wrote",
            Outcome::Unchanged => "kept",
            Outcome::Different => {
                different.push(shown(context, &path).as_str().to_owned());
                "left"
            }
        };
        screen.data(&format!("{verb} {}\n", shown(context, &path)));
    }
    if !different.is_empty() {
        let verb = if different.len() == 1 { "says" } else { "say" };
        let hint = "`mgmt init --github --stdout` prints what would stand there, and `--force` puts it there";
        screen.warning(&format!("{} {verb} something else", text::list(&different)), Some(hint));
    }
    for open in &workflows.open {
        screen.remark(&format!("to do: {open}"));
    }
    screen.remark("next: commit these files and open a pull request");
    Ok(0)
}

fn remarks(proposed: &Proposed, screen: &mut Screen) {
    for found in &proposed.found {
        screen.remark(&format!("found: {found}"));
    }
    for left in &proposed.left_out {
        screen.remark(&format!("left out: {left}"));
    }
}

fn overwrite(args: &InitArgs) -> Overwrite {
    if args.force { Overwrite::Yes } else { Overwrite::No }
}

/// A path as a person here would write it.
fn shown<'p>(context: &Context, path: &'p Utf8Path) -> &'p Utf8Path {
    path.strip_prefix(&context.cwd).unwrap_or(path)
}
