//! The workflow files: those that are checked out, or those of another repository.

use camino::Utf8Path;

use crate::github::{Client, Slug};
use crate::retrain::audit::Sources;
use crate::retrain::workflow::{self, FOLDER};
use crate::sys::{fs, text};

/// Bytes of a workflow file.
const MOST: u64 = 1 << 20;
/// Files of another repository that are read, one request each.
const FILES: usize = 15;

/// Those that are checked out.
pub(in crate::app) fn here(root: &Utf8Path, audited: &str) -> Sources {
    let mut sources = Sources::default();
    let mut names: Vec<String> = match root.join(FOLDER).read_dir_utf8() {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.file_name().to_owned())).collect(),
        Err(error) => {
            sources.gap = Some(format!("{FOLDER} cannot be read: {error}"));
            Vec::new()
        }
    };
    names.retain(|name| is_workflow(name));
    names.sort_unstable();
    for name in names {
        let path = format!("{FOLDER}/{name}");
        match fs::read(&root.join(&path), MOST) {
            Ok(bytes) => add(&mut sources, &path, &bytes, audited),
            Err(error) => sources.unreadable.push((path, error.to_string(), 0)),
        }
    }
    sources
}

/// Those on a branch of another repository; the audited one first.
pub(super) fn there(client: &Client, slug: &Slug, branch: &str, audited: &str) -> Sources {
    let mut sources = Sources::default();
    let own = format!("{FOLDER}/{audited}");
    let mut paths = vec![own.clone()];
    match client.workflows(slug) {
        Ok(list) => {
            if list.is_partial() {
                sources.gap = Some("the list of workflows is not whole".to_owned());
            }
            let others = list.items.into_iter().filter_map(|workflow| workflow.path);
            paths.extend(others.filter(|path| *path != own && path.starts_with(FOLDER)));
        }
        Err(error) => sources.gap = Some(error.to_string()),
    }
    if paths.len() > FILES {
        sources.gap =
            Some(format!("{} are not read", text::plural((paths.len() - FILES) as u64, "workflow", "workflows")));
        paths.truncate(FILES);
    }
    for path in paths {
        match client.file(slug, &path, branch) {
            Ok(Some(bytes)) => add(&mut sources, &path, &bytes, audited),
            // What was deleted since hears nothing.
            Ok(None) => {}
            Err(error) => sources.unreadable.push((path, error.to_string(), 0)),
        }
    }
    sources
}

fn is_workflow(name: &str) -> bool {
    name.ends_with(".yml") || name.ends_with(".yaml")
}

fn add(sources: &mut Sources, path: &str, bytes: &[u8], audited: &str) {
    match workflow::read(path, &String::from_utf8_lossy(bytes)) {
        Ok(file) => {
            if file.file_name() == audited {
                sources.audited = Some(file.clone());
            }
            sources.files.push(file);
        }
        Err((why, line)) => sources.unreadable.push((path.to_owned(), why, line)),
    }
}
