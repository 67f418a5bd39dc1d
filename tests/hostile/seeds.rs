//! Where the seeds are: the sample of each format, the reports of real tools, and what stands under `fuzz/seeds/`.

use std::any::Any;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use mgmt_action::evidence::{self, FORMATS, Kind};
use walkdir::WalkDir;

/// A report to begin with.
pub(crate) struct Seed {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// The seeds of a target, in the order of their names.
pub(crate) fn of(target: &str) -> Vec<Seed> {
    let mut seeds = below(&format!("fuzz/seeds/{target}"));
    match target {
        "policy" => seeds.push(Seed { name: "mgmt.yml".into(), bytes: bytes("mgmt.yml") }),
        // What is sniffed may be anything.
        "any" => seeds.extend(FORMATS.iter().flat_map(|format| of(format.name)).step_by(4)),
        _ => {
            let Some(format) = evidence::format(target) else { panic!("no format `{target}`") };
            let folder = match format.kind {
                Kind::Tests => "tests",
                Kind::Coverage => "coverage",
                Kind::Metrics => "metrics",
            };
            let mut real = below(&format!("tests/fixtures/reports/{folder}"));
            real.retain(|seed| {
                evidence::sniff(Some(format.kind), &seed.bytes).is_some_and(|row| row.name == format.name)
            });
            seeds.extend(real);
            seeds.push(Seed { name: format!("the sample of {target}"), bytes: format.sample.into() });
        }
    }
    seeds
}

fn below(folder: &str) -> Vec<Seed> {
    let folder = root().join(folder);
    let files = WalkDir::new(&folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    let files = files.filter(|entry| entry.file_type().is_file());
    let read = |path: &Path| std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    files.map(|entry| Seed { name: entry.path().display().to_string(), bytes: read(entry.path()) }).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn bytes(file: &str) -> Vec<u8> {
    std::fs::read(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The same bytes as `gzip` writes them.
pub(crate) fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(bytes).and_then(|()| zip.finish()).unwrap_or_else(|error| panic!("cannot compress: {error}"))
}

/// The text of a file of the repository.
pub(crate) fn text(file: &str) -> String {
    String::from_utf8_lossy(&bytes(file)).into_owned()
}

/// What a panic said, and the input that brought it about, short enough to be read.
pub(crate) fn told(panic: &(dyn Any + Send), bytes: &[u8]) -> String {
    let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let shown: String = bytes.escape_ascii().to_string().chars().take(3_000).collect();
    format!("{}\n{shown}", said.unwrap_or("a panic without words"))
}
