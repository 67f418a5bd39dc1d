//! Where the binary comes from.

use std::fs;
use std::process::Command;

use crate::job::{Done, Job, started, version, write_program};

const TARGET: &str = "x86_64-unknown-linux-musl";

/// Lets the action carry this sum for its archive.
fn released(job: &Job, target: &str, sum: &str) {
    let manifest = format!(
        "{{\n  \"version\": \"{}\",\n  \"archives\": {{\n    \"riscv64-unknown-linux-musl\": \"{}\",\n    \
         \"{target}\": \"{sum}\"\n  }}\n}}\n",
        version(),
        "0".repeat(64)
    );
    fs::write(job.path("the action/.github/action/manifest.json"), manifest).unwrap();
}

/// Makes a release archive that `curl` will bring; its SHA-256.
fn archive(job: &Job, lines: &str) -> String {
    let name = format!("mgmt-{}-{TARGET}", version());
    let folder = job.path("release").join(&name);
    fs::create_dir_all(&folder).unwrap();
    write_program(&folder.join("mgmt"), lines);
    let mut tar = Command::new("tar");
    tar.current_dir(job.path("release")).args(["-czf", "archive", &name]);
    assert!(started(tar).status.success());
    job.stub("curl", "while [ \"$1\" != --output ]; do shift; done\ncp \"${0%/stubs/curl}/release/archive\" \"$2\"");
    use sha2::Digest as _;
    let sum = sha2::Sha256::digest(fs::read(job.path("release/archive")).unwrap());
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A `cargo` that installs a stub `mgmt` of this version.
fn working_cargo(job: &Job, version: &str) {
    write_program(&job.path("built"), &job.mgmt_lines(version));
    job.stub(
        "cargo",
        "pwd > \"${0%/stubs/cargo}/calls/cargo.folder\"; env > \"${0%/stubs/cargo}/calls/cargo.environment\"\n\
         while [ \"$1\" != --root ]; do shift; done\nmkdir -p \"$2/bin\"\ncp \"${0%/stubs/cargo}/built\" \"$2/bin/mgmt\"",
    );
}

fn was_run(job: &Job, done: &Done) -> bool {
    done.ended() == Some(0) && job.calls("mgmt").contains(&"<full-check>".to_owned())
}

fn cached(job: &Job, file: &str) -> std::path::PathBuf {
    job.path("cache/mgmt-action").join(version()).join("x64").join(file)
}

#[test]
fn a_binary_of_another_version_or_beside_the_checkout_is_not_taken_from_path() {
    let job = Job::new();
    job.put_mgmt("stubs/mgmt", "0.0.9");
    working_cargo(&job, &version());
    assert!(was_run(&job, &job.run()));
    assert_eq!(job.calls("cargo").len(), 1);

    let job = Job::new();
    job.put_mgmt("checkout/mgmt", &version());
    let path = format!(".:{}:{}", job.path("stubs").display(), job.path("tools").display());
    let job = job.variable("PATH", &path).input("fallback", "none");
    assert_eq!(job.run().codes["prepare"], 2);
}

#[test]
fn the_tool_cache_is_used_only_with_its_marker() {
    let job = Job::new().input("fallback", "none");
    fs::create_dir_all(cached(&job, "")).unwrap();
    write_program(&cached(&job, "mgmt"), &job.mgmt_lines(&version()));
    let done = job.run();
    assert_eq!((done.codes["prepare"], job.calls("mgmt").len()), (2, 0), "{done:#?}");
    fs::write(cached(&job, ".complete"), "").unwrap();
    assert!(was_run(&job, &job.run()));
    // A marker that names another source, or a binary that does not start, is none.
    fs::write(cached(&job, ".complete"), "source 0000\n").unwrap();
    assert_eq!(job.run().codes["prepare"], 2);
    fs::write(cached(&job, ".complete"), "").unwrap();
    write_program(&cached(&job, "mgmt"), "exit 1\n");
    assert_eq!(job.run().codes["prepare"], 2);
    assert!(job.calls("curl").is_empty(), "there is no release to ask for");
}

#[test]
fn a_release_is_verified_kept_and_found_again() {
    let job = Job::new().input("fallback", "none");
    let sum = archive(&job, &job.mgmt_lines(&version()));
    released(&job, TARGET, &sum);
    let done = job.run();
    assert!(was_run(&job, &done), "{done:#?}");
    let address =
        format!("https://github.com/org/mgmt-action/releases/download/v{0}/mgmt-{0}-{TARGET}.tar.gz", version());
    assert!(job.calls("curl")[0].contains(&address) && job.calls("curl")[0].contains("<--proto><=https>"));
    assert_eq!(fs::read_to_string(cached(&job, ".complete")).unwrap(), format!("archive {sum}\n"));
    assert!(was_run(&job, &job.run()));
    assert_eq!(
        (job.calls("curl").len(), job.calls("cargo").len(), done.used("actions/cache/restore").len()),
        (1, 0, 0)
    );
}

#[test]
fn an_archive_that_is_not_the_released_one_ends_the_job() {
    let job = Job::new();
    working_cargo(&job, &version());
    archive(&job, &job.mgmt_lines(&version()));
    released(&job, TARGET, &"a".repeat(64));
    let done = job.run();
    assert_eq!(done.codes["prepare"], 2);
    assert!(done.tells("error", &["not what was released", &"a".repeat(64)]), "{}", done.log);
    assert!(job.calls("cargo").is_empty() && job.calls("mgmt").is_empty(), "it falls back to nothing");
    assert!(!cached(&job, "mgmt").exists());
}

#[test]
fn nothing_unverified_is_run_where_no_sum_can_be_made() {
    let job = Job::new();
    working_cargo(&job, &version());
    let sum = archive(&job, &job.mgmt_lines(&version()));
    released(&job, TARGET, &sum);
    for tool in ["sha256sum", "shasum"] {
        let _ = fs::remove_file(job.path("tools").join(tool));
    }
    let done = job.run();
    assert_eq!((done.codes["prepare"], job.calls("mgmt").len()), (2, 0));
    assert!(done.tells("error", &["SHA-256"]), "{}", done.log);
    let job = Job::new();
    for tool in ["sha256sum", "shasum"] {
        let _ = fs::remove_file(job.path("tools").join(tool));
    }
    let done = job.run();
    assert!(done.codes["prepare"] == 2 && done.tells("error", &["SHA-256"]), "{done:#?}");
}

#[test]
fn what_cannot_be_fetched_or_does_not_start_is_built() {
    let job = Job::new();
    working_cargo(&job, &version());
    released(&job, TARGET, &"a".repeat(64));
    let done = job.run();
    assert!(was_run(&job, &done), "{done:#?}");
    assert!(done.tells("warning", &["not downloaded"]) && done.tells("notice", &["built from source"]), "{}", done.log);

    let job = Job::new();
    working_cargo(&job, &version());
    let sum = archive(&job, "exit 126\n");
    released(&job, TARGET, &sum);
    let done = job.run();
    assert!(was_run(&job, &done) && done.tells("warning", &["does not start"]), "{done:#?}");
    assert!(was_run(&job, &job.run()), "and what was built is found again");
    assert_eq!(job.calls("cargo").len(), 1);
}

#[test]
fn without_a_release_it_is_built_once_from_the_actions_own_source() {
    let job = Job::new().variable("RUSTFLAGS", "-D warnings").variable("ImageOS", "ubuntu24");
    working_cargo(&job, &version());
    fs::write(job.path("checkout/rust-toolchain.toml"), "[toolchain]\nchannel = \"1.2.3\"\n").unwrap();
    let done = job.run();
    assert!(was_run(&job, &done), "{done:#?}");
    assert!(done.tells("notice", &["built from source", "minutes"]), "{}", done.log);
    let call = job.calls("cargo").pop().unwrap();
    assert!(call.starts_with("<install><--locked><--path><[job]/the action/.github/action/../..>"), "{call}");
    let place = fs::read_to_string(job.path("calls/cargo.folder")).unwrap();
    assert!(place.contains("the action"), "cargo reads its settings from where it is started: {place}");
    let environment = fs::read_to_string(job.path("calls/cargo.environment")).unwrap();
    assert!(environment.contains("CARGO_TARGET_DIR=") && !environment.contains("RUSTFLAGS"), "{environment}");
    let (restored, saved) = (done.used("actions/cache/restore"), done.used("actions/cache/save"));
    assert_eq!(restored, saved);
    let key = &saved[0]["key"];
    assert!(key.starts_with(&format!("mgmt-action-{}-Linux-ubuntu24-", version())), "{key}");
    assert_eq!(key.rsplit('-').next().unwrap().len(), 64);
    // Another source is another binary; what was built before is not taken for it.
    assert!(was_run(&job, &job.run()));
    assert_eq!(job.calls("cargo").len(), 1);
    fs::write(job.path("the action/src/main.rs"), "fn main() { /* more */ }\n").unwrap();
    let done = job.run();
    assert_eq!(job.calls("cargo").len(), 2);
    assert_ne!(&done.used("actions/cache/restore")[0]["key"], key);
}

#[test]
fn what_an_earlier_run_built_comes_from_the_cache() {
    let job = Job::new().restored();
    let done = job.run();
    assert!(was_run(&job, &done), "{done:#?}");
    assert_eq!((job.calls("cargo").len(), done.used("actions/cache/save").len()), (0, 0));
}

#[test]
fn a_build_that_is_forbidden_impossible_or_wrong_ends_the_job() {
    let done = Job::new().input("fallback", "none").run();
    assert!(done.codes["prepare"] == 2 && done.tells("error", &["no binary", "fallback"]), "{done:#?}");

    let job = Job::new();
    fs::remove_file(job.path("stubs/cargo")).unwrap();
    let done = job.run();
    assert!(done.codes["build"] == 2 && done.tells("error", &["no cargo", "install Rust"]), "{done:#?}");
    assert_eq!(done.codes["finish"], 4);

    let done = Job::new().run();
    assert!(done.codes["build"] == 2 && done.tells("error", &["cargo install failed"]), "{done:#?}");

    let job = Job::new();
    working_cargo(&job, "0.0.9");
    let done = job.run();
    assert!(done.codes["build"] == 2 && done.tells("error", &["is not mgmt"]), "{done:#?}");
    assert!(done.used("actions/cache/save").is_empty());
}

#[test]
fn a_damaged_manifest_is_not_guessed_at() {
    for manifest in ["", "{}", "{\n  \"version\": \"../1\",\n  \"archives\": {}\n}\n"] {
        let job = Job::ready();
        fs::write(job.path("the action/.github/action/manifest.json"), manifest).unwrap();
        let done = job.run();
        assert!(done.codes["prepare"] == 2 && done.tells("error", &["manifest"]), "{done:#?}");
    }
    let job = Job::ready();
    released(&job, TARGET, "abc");
    assert_eq!(job.run().codes["prepare"], 2);
}

#[test]
fn every_system_has_its_archive() {
    for (system, arch, target) in [
        ("Linux", "X64", "x86_64-unknown-linux-musl"),
        ("Linux", "ARM64", "aarch64-unknown-linux-musl"),
        ("macOS", "X64", "x86_64-apple-darwin"),
        ("macOS", "ARM64", "aarch64-apple-darwin"),
        ("Windows", "X64", "x86_64-pc-windows-msvc"),
        ("Windows", "ARM64", "aarch64-pc-windows-msvc"),
    ] {
        let job = Job::new().variable("RUNNER_OS", system).variable("RUNNER_ARCH", arch).input("fallback", "none");
        released(&job, target, &"a".repeat(64));
        let done = job.run();
        assert_eq!(done.codes["prepare"], 2);
        let call = job.calls("curl").pop().unwrap_or_else(|| panic!("{target}: {}", done.log));
        assert!(call.contains(&format!("-{target}.tar.gz>")), "{call}");
    }
    // An architecture that the runner does not name is the machine's own.
    let job = Job::new().variable("RUNNER_ARCH", "").input("fallback", "none");
    write_program(&job.path("stubs/uname"), "echo aarch64\n");
    released(&job, "aarch64-unknown-linux-musl", &"a".repeat(64));
    job.run();
    assert!(job.calls("curl")[0].contains("aarch64-unknown-linux-musl"));
    let job = Job::new().variable("RUNNER_ARCH", "").input("fallback", "none");
    write_program(&job.path("stubs/uname"), "echo 's390x; touch x'\n");
    assert!(job.run().tells("error", &["no binary", "s390x__touch_x"]));
}

#[test]
fn windows_gets_its_own_names_and_slashes() {
    let job = Job::new().variable("RUNNER_OS", "Windows");
    let folder = job.path("cache/mgmt-action").join(version()).join("x64");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(".complete"), "").unwrap();
    write_program(&folder.join("mgmt.exe"), &job.mgmt_lines(&version()));
    assert!(was_run(&job, &job.run()));
    let path = fs::read_to_string(job.path("temp/path.prepare")).unwrap();
    assert!(path.contains(&format!("\\mgmt-action\\{}\\x64", version())) && !path.contains('/'), "{path}");
}
