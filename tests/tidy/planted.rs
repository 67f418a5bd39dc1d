//! Planted imports: what the floor rule has to find, and what it must leave alone.

use super::floors::findings;

const GATE: &str = "src/gate/judge.rs";
const RUN: &str = "src/run/schedule.rs";

/// Asserts that a file yields exactly these edges, each as `line: from → to: path`.
#[track_caller]
fn plant(file: &str, source: &str, edges: &[&str]) {
    let expected: Vec<String> = edges.iter().map(|edge| format!("{file}:{edge}")).collect();
    assert_eq!(findings(file, source), expected, "{source}");
}

/// Asserts that a line in `gate::judge` is an import of `cli` by this path.
#[track_caller]
fn upward(line: &str, path: &str) {
    plant(GATE, &format!("//! Doc.\n\n{line}\n"), &[&format!("3: gate (floor 2) → cli (floor 9): {path}")]);
}

#[track_caller]
fn legal(file: &str, source: &str) {
    plant(file, source, &[]);
}

#[test]
fn upwards() {
    upward("use crate::cli::run;", "crate::cli::run");
    upward("use crate::cli;", "crate::cli");
    upward("use crate::cli::*;", "crate::cli::*");
    upward("use crate::cli::run as go;", "crate::cli::run as go");
    upward("use crate::r#cli::run;", "crate::cli::run");
    upward("pub use crate::cli::run;", "crate::cli::run");
    upward("pub(crate) use crate::cli::{run};", "crate::cli::run");
}

#[test]
fn sideways() {
    plant(RUN, "use crate::report::json;", &["1: run (floor 5) → report (floor 5): crate::report::json"]);
    plant("src/repo/mod.rs", "use crate::decode::Key;", &["1: repo (floor 1) → decode (floor 1): crate::decode::Key"]);
}

#[test]
fn nested_groups() {
    plant(
        GATE,
        "use {\n    crate::{\n        evidence::{self, Kind},\n        check::{plan::{Plan, order as sort}, *},\n        \
         sys::text,\n        cli as c,\n    },\n    std::fmt,\n};",
        &[
            "4: gate (floor 2) → check (floor 3): crate::check::*",
            "4: gate (floor 2) → check (floor 3): crate::check::plan::Plan",
            "4: gate (floor 2) → check (floor 3): crate::check::plan::order as sort",
            "6: gate (floor 2) → cli (floor 9): crate::cli as c",
        ],
    );
    upward("use crate::{cli::{self}};", "crate::cli::self");
}

#[test]
fn paths_in_expressions_and_patterns() {
    upward("fn a() { crate::cli::run(); }", "crate::cli::run");
    upward("fn a() { b.c(|d| d + crate::cli::LIMIT) }", "crate::cli::LIMIT");
    upward("fn a() { crate::cli::Args { b: 1 }; }", "crate::cli::Args");
    upward("fn a() { b::<crate::cli::Args>(); }", "crate::cli::Args");
    upward("fn a(b: B) { if let crate::cli::Mode::Full = b {} }", "crate::cli::Mode::Full");
    upward("fn a(b: B) { match b { crate::cli::Args { c, .. } => c, } }", "crate::cli::Args");
    upward("fn a() { use crate::cli::run; }", "crate::cli::run");
    upward("static A: B = B(crate::cli::run);", "crate::cli::run");
}

#[test]
fn paths_in_types_and_bounds() {
    upward("struct A { b: Vec<Option<crate::cli::Args>> }", "crate::cli::Args");
    upward("fn a(_: &dyn crate::cli::Command) {}", "crate::cli::Command");
    upward("fn a() -> impl crate::cli::Command { B }", "crate::cli::Command");
    upward("fn a<T>() where T: crate::cli::Command {}", "crate::cli::Command");
    upward("impl crate::cli::Command for A {}", "crate::cli::Command");
    upward("impl A for crate::cli::Args {}", "crate::cli::Args");
    upward("type A = <B as crate::cli::Command>::Output;", "crate::cli::Command::Output");
    upward("type A = <crate::cli::Args as B>::C;", "crate::cli::Args");
    upward("type A = [u8; crate::cli::LIMIT];", "crate::cli::LIMIT");
    upward("struct A(pub(crate) crate::cli::Args);", "crate::cli::Args");
}

#[test]
fn paths_in_attributes() {
    upward("#[derive(crate::cli::Command)] struct A;", "crate::cli::Command");
    upward("#[crate::cli::command] fn a() {}", "crate::cli::command");
    upward("struct A { #[serde(with = \"crate::cli::seconds\")] b: u8 }", "crate::cli::seconds");
    upward("struct A { #[serde(default = r\"crate::cli::ten\")] b: u8 }", "crate::cli::ten");
    upward("#[serde(from = \"Vec<crate::cli::Args>\")] struct A;", "crate::cli::Args");
    upward("struct A { #[arg(value_parser = crate::cli::parse)] b: u8 }", "crate::cli::parse");
    upward("#[b = \"crate::cli::seconds\"] struct A;", "crate::cli::seconds");
    upward("#[cfg_attr(test, derive(crate::cli::Command))] use std::fmt;", "crate::cli::Command");
}

#[test]
fn tokens_of_macros() {
    upward("fn a() { assert_eq!(b, [crate::cli::run(1)]); }", "crate::cli::run");
    upward("fn a() { crate::cli::show!(b); }", "crate::cli::show");
    upward("macro_rules! a { () => { $crate::cli::run() }; }", "crate::cli::run");
    upward("a! { use crate::cli::run; }", "crate::cli::run");
    upward("a! { use crate::cli::*; }", "crate::cli::*");
    upward("a! { b::<crate::cli::Args>::c() }", "crate::cli::Args");
    upward("a!(<B as mgmt_action::cli::Command>::run);", "mgmt_action::cli::Command");
    upward("a!(super::super::cli::run);", "super::super::cli::run");
    plant(
        GATE,
        "a! {\n    use crate::{\n        sys::text,\n        check::{Plan as P, event::*},\n        cli,\n    };\n}",
        &[
            "4: gate (floor 2) → check (floor 3): crate::check::Plan",
            "4: gate (floor 2) → check (floor 3): crate::check::event::*",
            "5: gate (floor 2) → cli (floor 9): crate::cli",
        ],
    );
    plant(
        GATE,
        "a! { mod tests { use super::super::rule; use super::super::super::cli; } }",
        &["1: gate (floor 2) → cli (floor 9): super::super::super::cli"],
    );
}

#[test]
fn super_counts_from_the_module_it_stands_in() {
    let up = "use super::cli::run;\nuse super::super::cli::run;\nuse self::super::super::cli::run;";
    plant("src/run/mod.rs", "use super::cli::run;", &["1: run (floor 5) → cli (floor 9): super::cli::run"]);
    plant("src/run.rs", "use super::cli::run;", &["1: run (floor 5) → cli (floor 9): super::cli::run"]);
    plant(
        RUN,
        up,
        &[
            "2: run (floor 5) → cli (floor 9): super::super::cli::run",
            "3: run (floor 5) → cli (floor 9): self::super::super::cli::run",
        ],
    );
    legal("src/evidence/coverage/lcov.rs", "use super::super::sink::Sink;\nuse super::super::super::sys::fs;");
    plant(
        "src/evidence/coverage/mod.rs",
        "use super::super::repo::Root;\nfn a() -> super::super::gate::Rule { super::super::gate::new() }",
        &[
            "1: evidence (floor 1) → repo (floor 1): super::super::repo::Root",
            "2: evidence (floor 1) → gate (floor 2): super::super::gate::Rule",
            "2: evidence (floor 1) → gate (floor 2): super::super::gate::new",
        ],
    );
}

#[test]
fn tests_may_not_import_upwards_either() {
    plant(
        RUN,
        "mod inner {\n    use super::super::app;\n}\n#[cfg(test)]\nmod tests {\n    use super::*;\n    \
         use super::super::super::app::full_check;\n    #[test]\n    fn a() { crate::cli::run(); }\n}",
        &[
            "7: run (floor 5) → app (floor 8): super::super::super::app::full_check",
            "9: run (floor 5) → cli (floor 9): crate::cli::run",
        ],
    );
}

#[test]
fn the_crates_own_name_is_no_way_out() {
    upward("use mgmt_action::cli::run;", "mgmt_action::cli::run");
    upward("use ::mgmt_action::cli::run;", "mgmt_action::cli::run");
    upward("fn a() { ::mgmt_action::cli::run(); }", "mgmt_action::cli::run");
    upward("fn a() { b!(::mgmt_action::cli::run()); }", "mgmt_action::cli::run");
}

#[test]
fn the_crate_root_is_no_way_out() {
    for (source, path) in [
        ("use crate::*;", "crate::*"),
        ("use super::super::*;", "super::super::*"),
        ("use crate::Shared;", "crate::Shared"),
        ("use crate as root;", "crate as root"),
        ("use crate::{self as root};", "crate::self as root"),
        ("use super::super as root;", "super::super as root"),
        ("use mgmt_action as root;", "mgmt_action as root"),
        ("extern crate self as root;", "crate by another name"),
        ("fn a() { crate::exported!(); }", "crate::exported"),
        ("fn a() { b!(crate::Shared); }", "crate::Shared"),
    ] {
        plant(GATE, source, &[&format!("1: gate (floor 2) → the crate root (above all floors): {path}")]);
    }
}

#[test]
fn syntax_that_the_parser_passes_through_is_read_as_tokens() {
    upward("fn a() { b(builtin # offset_of(crate::cli::Args, c)) }", "crate::cli::Args");
}

#[test]
fn a_lower_floor_is_legal() {
    legal(GATE, "use crate::evidence::{Kind, coverage::*};\nuse crate::{decode, sys::text};\npub use crate::sys::fs;");
    legal("src/cli/gate.rs", "use crate::app::gate;\nfn a() { crate::sys::text::plural(crate::gate::judge()); }");
}

#[test]
fn the_own_room_is_legal_in_every_form() {
    legal(
        RUN,
        "pub(in crate::run) mod report {}\nuse crate::run::{self, which};\nuse super::{tree, *};\n\
         pub(super) fn a() -> self::report::A { super::report::b!(self::report::c, pub(crate)) }\n\
         pub(crate) struct S;\nimpl S { pub(in crate::run) fn d(&self) -> Self { self.e::<super::T>(Self::F) } }",
    );
}

#[test]
fn a_module_that_only_shares_a_rooms_name_is_legal() {
    legal(
        "src/gate/mod.rs",
        "mod run;\nmod cli { pub(super) mod report {} }\nuse run::Judge;\nuse self::run::{self as r};\n\
         use self::cli::report;\nfn a() { run::x(); cli::report::y!(run::z, report::w); self::run::x() }\n\
         #[cfg(test)] mod tests { use super::run; use super::cli::report; }",
    );
    legal("src/check/evidence.rs", "use super::command;\nuse crate::check::report;\nuse self::cli::x; mod cli {}");
}

#[test]
fn other_crates_are_legal() {
    legal(
        GATE,
        "extern crate alloc;\nuse std::process::{self, Command};\nuse ::serde::Deserialize;\nuse anyhow::app as cli;\n\
         fn a() { std::process::id(); other::crate_::cli::run(); other::mgmt_action::cli::run(); }",
    );
}

#[test]
fn text_is_no_import() {
    legal(
        GATE,
        "//! See [`crate::cli::run`].\n/// And `crate::cli`.\n#[doc = \"crate::cli::run\"]\n\
         #[expect(unused, reason = \"as in crate::cli::run and others\")]\nfn a() { b(\"crate::cli::run\") } // crate::cli",
    );
}

#[test]
fn the_roof_imports_everything() {
    legal(
        "src/lib.rs",
        "pub mod cli;\npub use crate::cli::run;\nuse crate::app::*;\n#[cfg(test)] mod tests { use super::*; }",
    );
    legal("src/main.rs", "fn main() { mgmt_action::cli::run() }");
    plant(
        "src/lib.rs",
        "pub mod gate { use crate::cli::run; }",
        &["1: gate (floor 2) → cli (floor 9): crate::cli::run"],
    );
}
