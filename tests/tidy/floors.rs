//! The floors, and which imports go the wrong way.
//!
//! The modules of one room import each other freely; any other import must go to a lower floor. Tests count as
//! well. `src/lib.rs` and `src/main.rs` stand above all floors, and so does every name at the crate's root: an
//! item that `lib.rs` re-exports, a glob of the root and another name for it are reported as imports of the root.
//!
//! Re-exports launder nothing: a room can only re-export what it may import, so whatever is reached through a room
//! lives on its floor or below, and a re-export from above or beside is reported where it stands.

use std::fmt;

use super::imports;

/// The rooms of each floor, from the roof to the ground.
const FLOORS: [(u8, &[&str]); 10] = [
    (9, &["cli"]),
    (8, &["app"]),
    (7, &["config"]),
    (6, &["publish", "notify", "progress"]),
    (5, &["report", "history", "run", "github", "google"]),
    (4, &["record"]),
    (3, &["check", "deploy", "retrain", "monitor"]),
    (2, &["gate"]),
    (1, &["decode", "evidence", "repo"]),
    (0, &["sys"]),
];

/// What to do about an edge.
pub(crate) const ADVICE: &str = "import only from a lower floor; move the code or the type";

/// An import that goes up, sideways or to the crate's root.
pub(crate) struct Edge {
    line: usize,
    from: Place,
    to: Place,
    written: String,
}

enum Place {
    Room(String, u8),
    Root,
}

/// The rooms without a floor, as findings.
pub(crate) fn homeless(rooms: &[String]) -> Vec<String> {
    rooms
        .iter()
        .filter(|room| floor(room).is_none())
        .map(|room| format!("src/{room}: a room without a floor"))
        .collect()
}

/// The forbidden edges of a file, as findings with its name.
pub(crate) fn findings(file: &str, source: &str) -> Vec<String> {
    edges(file, source).iter().map(|edge| format!("{file}:{edge}")).collect()
}

/// The forbidden edges of a file under `src/`, in the order in which they stand there.
pub(crate) fn edges(file: &str, source: &str) -> Vec<Edge> {
    let mut imports = imports::read(module(file), source).unwrap_or_else(|error| panic!("cannot read {file}: {error}"));
    imports.sort();
    imports.dedup();
    imports
        .into_iter()
        .filter_map(|import| {
            let from = import.module.first().filter(|room| floor(room).is_some())?;
            let to = place(import.target.first());
            let from = place(Some(from));
            (!allowed(&from, &to)).then_some(Edge { line: import.line, from, to, written: import.written })
        })
        .collect()
}

fn allowed(from: &Place, to: &Place) -> bool {
    match (from, to) {
        (Place::Root, _) => true,
        (Place::Room(..), Place::Root) => false,
        (Place::Room(from, above), Place::Room(to, below)) => from == to || below < above,
    }
}

fn place(room: Option<&String>) -> Place {
    match room.and_then(|room| Some((room, floor(room)?))) {
        Some((room, floor)) => Place::Room(room.clone(), floor),
        None => Place::Root,
    }
}

fn floor(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(_, rooms)| rooms.contains(&room)).map(|(floor, _)| *floor)
}

/// The module that a file under `src/` holds: `src/a/b.rs` and `src/a/b/mod.rs` are both `a::b`.
fn module(file: &str) -> Vec<String> {
    let inside = file.strip_prefix("src/").unwrap_or(file);
    let path = inside.strip_suffix(".rs").unwrap_or(inside);
    if matches!(path, "lib" | "main") {
        return Vec::new();
    }
    path.strip_suffix("/mod").unwrap_or(path).split('/').map(str::to_owned).collect()
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} → {}: {}", self.line, self.from, self.to, self.written)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Room(room, floor) => write!(f, "{room} (floor {floor})"),
            Place::Root => f.write_str("the crate root (above all floors)"),
        }
    }
}

#[test]
fn a_room_without_a_floor_is_named() {
    let rooms = ["gate", "attic"].map(str::to_owned);
    assert_eq!(homeless(&rooms), ["src/attic: a room without a floor"]);
}

#[test]
fn a_file_is_the_module_that_rust_takes_it_for() {
    for (file, path) in [
        ("src/lib.rs", ""),
        ("src/main.rs", ""),
        ("src/run.rs", "run"),
        ("src/run/mod.rs", "run"),
        ("src/run/tree.rs", "run::tree"),
        ("src/run/main.rs", "run::main"),
        ("src/evidence/tests/mod.rs", "evidence::tests"),
    ] {
        assert_eq!(module(file).join("::"), path, "{file}");
    }
}
