//! What the artifact of a run holds: the hash of its bytes, that of the model in it, and its metrics.

use std::collections::BTreeMap;
use std::fs::File;

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use crate::evidence::{Kind, Level, Limits, Origin, Repeats, collect};
use crate::github::{Artifact, Client, Slug, ZipLimits, unpack};
use crate::retrain::facts::{Metrics, Model};
use crate::retrain::settings::Settings;
use crate::sys::text;

/// Bytes of an artifact that is read.
const MOST: u64 = 2 << 30;

/// Reads it; whatever keeps it away is part of the answer.
pub(super) fn read(client: &Client, slug: &Slug, artifact: &Artifact, settings: &Settings, limits: &Limits) -> Model {
    model(client, slug, artifact, settings, limits).unwrap_or_else(Model::Unknown)
}

fn model(
    client: &Client,
    slug: &Slug,
    artifact: &Artifact,
    settings: &Settings,
    limits: &Limits,
) -> Result<Model, String> {
    let no_room = |error: std::io::Error| format!("no room to work in: {error}");
    if artifact.size_in_bytes > MOST {
        return Err(format!("it is larger than {}", text::bytes(MOST)));
    }
    let mut file = tempfile::tempfile().map_err(no_room)?;
    let what = format!("download the artifact {}", text::one_line(&artifact.name));
    // The hash is held against GitHub's by those who judge: what differs is a fault of the model, not of the download.
    let path = format!("{}/actions/artifacts/{}/zip", slug.path(), artifact.id);
    let hash = client.download(&what, &path, &mut file, MOST).map_err(|error| error.to_string())?;
    let scratch = tempfile::tempdir().map_err(no_room)?;
    let folder = Utf8Path::from_path(scratch.path()).ok_or("the folder for temporary files has an odd name")?;
    let files = unpack(file, folder, ZipLimits::default()).map_err(|error| error.to_string())?;
    let wanted = settings.expect.metrics.as_ref().map(|metrics| Utf8PathBuf::from(&metrics.file));
    let content = content(folder, &files, wanted.as_deref()).map_err(no_room)?;
    let metrics = match wanted {
        Some(wanted) if files.contains(&wanted) => metrics(&folder.join(&wanted), &wanted, limits),
        _ => Metrics::Absent,
    };
    Ok(Model::Read { digest: format!("sha256:{hash}"), content, metrics })
}

/// One hash over all files but the metrics, which differ for the same model; `None` where there is nothing else.
fn content(folder: &Utf8Path, files: &[Utf8PathBuf], metrics: Option<&Utf8Path>) -> std::io::Result<Option<String>> {
    let mut all = Sha256::new();
    let mut any = false;
    for file in files.iter().filter(|file| Some(file.as_path()) != metrics) {
        let mut one = Sha256::new();
        let mut reader = File::open(folder.join(file))?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = std::io::Read::read(&mut reader, &mut buffer)?;
            if read == 0 {
                break;
            }
            one.update(&buffer[..read]);
        }
        all.update(file.as_str().as_bytes());
        all.update([0]);
        all.update(one.finalize());
        any = true;
    }
    let hex: String = all.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(any.then(|| format!("sha256:{hex}")))
}

fn metrics(path: &Utf8Path, name: &Utf8Path, limits: &Limits) -> Metrics {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return Metrics::Broken(error.to_string()),
    };
    let origin = Origin { check: "", path: name.as_str(), repeats: Repeats::Worst };
    let found = collect::read(file, Some(Kind::Metrics), None, &origin, limits);
    let loss = found.problems.iter().find(|problem| problem.level == Level::Loss);
    match loss {
        Some(problem) => Metrics::Broken(problem.message.clone()),
        None => Metrics::Read(found.metrics.into_iter().map(|one| (one.name, one.value)).collect::<BTreeMap<_, _>>()),
    }
}
