//! Finds programs as the system would.

use camino::{Utf8Path, Utf8PathBuf};

use crate::sys::env::{self, Env};

/// The file that starting `program` would run; a name with `/` is relative to `root`.
#[must_use]
pub fn which(program: &str, root: &Utf8Path, env: &Env) -> Option<Utf8PathBuf> {
    let endings: Vec<String> = match env.get(env::PATHEXT) {
        Some(endings) if cfg!(windows) => {
            std::iter::once(String::new()).chain(endings.split(';').map(str::to_owned)).collect()
        }
        _ => vec![String::new()],
    };
    let candidates = |folder: &Utf8Path| {
        endings.iter().map(|ending| folder.join(format!("{program}{ending}"))).find(|path| is_program(path))
    };
    if program.contains(['/', '\\']) {
        return candidates(root);
    }
    std::env::split_paths(env.get_os(env::PATH)?)
        .filter_map(|folder| Utf8PathBuf::from_path_buf(folder).ok())
        .find_map(|folder| candidates(&folder))
}

#[cfg(unix)]
fn is_program(path: &Utf8Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Utf8Path) -> bool {
    path.is_file()
}
