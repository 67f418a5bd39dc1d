//! `cargo xtask bench audit`: a schedule of every hour, held against twelve weeks of runs.
//!
//! The binary asks a GitHub on this machine that answers as the real one does: a hundred entries a page, a thousand
//! runs a question, and a run as long as a run is there. Deliberately absent: errors, limits and waits, which the tests
//! have; here everything is well, or the benchmark fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Cursor, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use mgmt_action::retrain::cron::{Cron, Schedule};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use xshell::{Shell, cmd};

use super::evidence::{in_turn, shown};
use super::floors::scratch;
use crate::chore::say;

/// What an audit may take.
const CPU: Duration = Duration::from_secs(2);
/// What it may ask.
const REQUESTS: usize = 60;
/// The slots of twelve weeks of hours.
const SLOTS: u64 = 2_016;
/// When they begin, and when they are audited.
const SPAN: (&str, &str) = ("2025-01-06T00:00:00Z", "2025-03-31T00:00:00Z");
/// Entries on a page, and runs that one question leads to.
const PAGE: usize = 100;
const MOST: usize = 1_000;
/// Where every repository is.
const REPOSITORY: &str = "/repos/org/app";

const POLICY: &str = "version: 1
retrain:
  workflow: train.yml
  late-after: 20m
  tolerance: 50m
  timeout: 40m
  expect: { artifact: model, metrics: { file: metrics.json, must: [f1] } }
  champion: [{ metric: f1, min: 0.6, max-drop: 0.01 }]
  history: 12w
";
const TRAIN: &str = "on: { schedule: [{ cron: '0 * * * *' }] }\njobs: { train: { steps: [{ run: ./train }] } }\n";

/// The benchmark.
pub(super) fn run(mgmt: &Path) -> anyhow::Result<()> {
    let folder = scratch("audit")?;
    let shell = Shell::new()?;
    shell.change_dir(&folder);
    // A repository of its own: paths are relative to its root.
    cmd!(shell, "git init --quiet").run()?;
    std::fs::create_dir_all(folder.join(".github/workflows"))?;
    std::fs::write(folder.join("mgmt.yml"), POLICY)?;
    std::fs::write(folder.join(".github/workflows/train.yml"), TRAIN)?;
    let (address, asked) = serve()?;
    let mut command = Command::new(mgmt);
    command.args(["audit", "retrain", "--as-of", SPAN.1, "--format", "json"]).current_dir(&folder);
    command.env("GITHUB_API_URL", address).env("GITHUB_REPOSITORY", "org/app");
    command.env_remove("GITHUB_TOKEN").env_remove("GH_TOKEN").env_remove("GITHUB_ACTIONS");

    let output = command.output()?;
    let requests = asked.load(Ordering::Relaxed);
    let told = String::from_utf8_lossy(&output.stderr);
    let audit: Value = serde_json::from_slice(&output.stdout).with_context(|| format!("the audit said: {told}"))?;
    ensure!(audit["verdict"] == "pass", "the audit did not pass: {}{}", audit["problems"], audit["notes"]);
    let kept = audit["summary"]["kept"].as_u64().unwrap_or(0);
    ensure!(kept + 1 >= SLOTS, "{kept} slots were kept, and {SLOTS} runs were made");

    let costs = in_turn(std::slice::from_ref(&command))?;
    let [cost] = costs[..] else { anyhow::bail!("no run") };
    let verdict = |met: bool| if met { "met" } else { "MISSED" };
    say(&format!("audit      {kept} slots of an hour: {}", shown(cost)));
    let seconds = CPU.as_secs_f64();
    say(&format!(
        "           must take ≤ {seconds} s CPU: {:.2} s {}",
        cost.cpu.as_secs_f64(),
        verdict(cost.cpu <= CPU)
    ));
    say(&format!("           must ask ≤ {REQUESTS} times: {requests} {}", verdict(requests <= REQUESTS)));
    Ok(())
}

/// What GitHub knows: the newest first.
struct World {
    /// Runs, with the moment each was asked for.
    runs: Vec<(String, String)>,
    artifacts: Vec<String>,
    /// The bytes of the artifacts, by number.
    archives: BTreeMap<u64, Vec<u8>>,
}

impl World {
    fn new() -> anyhow::Result<Self> {
        let schedule = Schedule::utc(Cron::parse("0 * * * *")?);
        let mut world = Self { runs: Vec::new(), artifacts: Vec::new(), archives: BTreeMap::new() };
        for (id, slot) in (1_u64..).zip(schedule.slots(SPAN.0.parse()?, SPAN.1.parse()?)) {
            let after = |minutes: u64| (slot + Duration::from_secs(minutes * 60)).to_string();
            world.runs.push((after(3), run_of(id, &after(3), &after(23)).to_string()));
            let archive = archive(id)?;
            let hash = Sha256::digest(&archive).iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
            let artifact = json!({
                "id": id, "node_id": format!("MDg6QXJ0aWZhY3Q{id}"), "name": "model", "size_in_bytes": archive.len(),
                "url": at(&format!("actions/artifacts/{id}")), "expired": false, "digest": format!("sha256:{hash}"),
                "archive_download_url": at(&format!("actions/artifacts/{id}/zip")), "created_at": after(20),
                "updated_at": after(20), "expires_at": "2025-12-31T00:00:00Z",
                "workflow_run": { "id": id, "repository_id": 1, "head_repository_id": 1, "head_branch": "main",
                    "head_sha": sha(id) },
            });
            world.artifacts.push(artifact.to_string());
            world.archives.insert(id, archive);
        }
        world.runs.reverse();
        world.artifacts.reverse();
        ensure!(world.runs.len() as u64 == SLOTS, "{} runs were made", world.runs.len());
        Ok(world)
    }

    /// The answer to a question: its headers and its body, or nothing that is known.
    fn answer(&self, asked: &str, origin: &str) -> Option<(String, Vec<u8>)> {
        let (path, query) = asked.split_once('?').unwrap_or((asked, ""));
        let path = path.strip_prefix(REPOSITORY)?;
        let value = |name: &str| {
            let found = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
            found.map(|(_, value)| value.replace("%3A", ":").replace("%3a", ":"))
        };
        let whole = |value: &Value| Some((String::new(), value.to_string().into_bytes()));
        let page = value("page").map_or(Ok(1), |page| page.parse()).unwrap_or(1_usize).max(1);
        let paged = |field: &str, all: Vec<&str>, total: usize| {
            let from = ((page - 1) * PAGE).min(all.len());
            let to = (from + PAGE).min(all.len());
            let body = format!("{{\"total_count\":{total},\"{field}\":[{}]}}", all[from..to].join(","));
            let others = query.split('&').filter(|pair| !pair.starts_with("page="));
            let rest: String = others.map(|pair| format!("{pair}&")).collect();
            let link = format!("link: <{origin}{REPOSITORY}{path}?{rest}page={}>; rel=\"next\"\r\n", page + 1);
            Some((if to < all.len() { link } else { String::new() }, body.into_bytes()))
        };
        match path {
            "" => whole(&repository()),
            "/actions/workflows/train.yml" => whole(&json!({ "id": 1, "name": "train", "state": "active",
                "path": ".github/workflows/train.yml", "created_at": "2024-01-01T00:00:00Z" })),
            "/commits" => whole(&json!([])),
            "/actions/workflows/train.yml/runs" => {
                let created = value("created")?;
                let (from, to) = created.split_once("..")?;
                let is_asked = |(at, _): &&(String, String)| (from..=to).contains(&&**at);
                let all: Vec<_> = self.runs.iter().filter(is_asked).map(|(_, run)| &**run).collect();
                let total = all.len();
                paged("workflow_runs", all.into_iter().take(MOST).collect(), total)
            }
            "/actions/artifacts" => {
                paged("artifacts", self.artifacts.iter().map(String::as_str).collect(), self.artifacts.len())
            }
            other => {
                let id = other.strip_prefix("/actions/artifacts/")?.strip_suffix("/zip")?;
                Some((String::new(), self.archives.get(&id.parse().ok()?)?.clone()))
            }
        }
    }
}

/// Answers on a free port for as long as this process lives; where it is, and how often it was asked.
fn serve() -> anyhow::Result<(String, Arc<AtomicUsize>)> {
    let world = World::new()?;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let origin = format!("http://{}", listener.local_addr()?);
    let asked = Arc::new(AtomicUsize::new(0));
    let (address, count) = (origin.clone(), Arc::clone(&asked));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::Relaxed);
            if let Err(error) = exchange(&world, &origin, stream) {
                say(&format!("a request was not answered: {error}"));
            }
        }
    });
    Ok((address, asked))
}

/// One request and its answer; the connection ends with it.
fn exchange(world: &World, origin: &str, stream: TcpStream) -> anyhow::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let first = lines.next().context("nothing was asked")??;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let asked = first.split(' ').nth(1).context("not HTTP")?;
    let (status, headers, body) = match world.answer(asked, origin) {
        Some((headers, body)) => ("200 OK", headers, body),
        None => {
            say(&format!("nothing is known of {asked}"));
            ("404 Not Found", String::new(), br#"{"message":"Not Found"}"#.to_vec())
        }
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n", body.len());
    (&stream).write_all(head.as_bytes())?;
    (&stream).write_all(&body)?;
    Ok(())
}

/// A run, with all that GitHub tells of one.
fn run_of(id: u64, created: &str, updated: &str) -> Value {
    let mut run = json!({
        "id": id, "name": "train", "node_id": format!("WFR_{id}"), "head_branch": "main", "head_sha": sha(id),
        "path": ".github/workflows/train.yml", "display_title": "train", "run_number": id, "event": "schedule",
        "status": "completed", "conclusion": "success", "workflow_id": 1, "check_suite_id": id, "pull_requests": [],
        "created_at": created, "updated_at": updated, "run_started_at": created, "run_attempt": 1,
        "referenced_workflows": [], "previous_attempt_url": null, "actor": person(), "triggering_actor": person(),
        "head_commit": { "id": sha(id), "tree_id": sha(id), "message": "a change", "timestamp": created,
            "author": { "name": "somebody", "email": "somebody@example.com" },
            "committer": { "name": "somebody", "email": "somebody@example.com" } },
        "repository": repository(), "head_repository": repository(),
    });
    for name in ["jobs", "logs", "check_suite", "artifacts", "cancel", "rerun", "workflow", "html"] {
        run[format!("{name}_url")] = at(&format!("actions/runs/{id}/{name}")).into();
    }
    run
}

fn person() -> Value {
    let mut person = json!({ "login": "somebody", "id": 1, "type": "User", "site_admin": false, "gravatar_id": "" });
    for name in ["followers", "following", "gists", "starred", "subscriptions", "organizations", "repos", "events"] {
        person[format!("{name}_url")] = format!("https://api.github.com/users/somebody/{name}").into();
    }
    person
}

fn repository() -> Value {
    let mut repository = json!({
        "id": 1, "name": "app", "full_name": "org/app", "private": true, "owner": person(), "fork": false,
        "description": "an app", "default_branch": "main", "pushed_at": "2025-03-30T00:00:00Z", "archived": false,
    });
    let names = "forks keys collaborators teams hooks issue_events events assignees branches tags blobs git_tags \
                 git_refs trees statuses languages stargazers contributors subscribers subscription commits \
                 git_commits comments issue_comment contents compare merges archive downloads issues pulls milestones \
                 notifications labels releases deployments";
    for name in names.split(' ') {
        repository[format!("{name}_url")] = at(&format!("{name}{{/number}}")).into();
    }
    repository
}

fn at(path: &str) -> String {
    format!("https://api.github.com{REPOSITORY}/{path}")
}

fn sha(id: u64) -> String {
    format!("{id:040x}")
}

/// A model that is like no other, with its metrics.
fn archive(id: u64) -> anyhow::Result<Vec<u8>> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file("model.bin", options)?;
    archive.write_all(format!("model {id}\n").repeat(500).as_bytes())?;
    archive.start_file("metrics.json", options)?;
    archive.write_all(json!({ "f1": 0.7, "loss": 0.4 }).to_string().as_bytes())?;
    Ok(archive.finish()?.into_inner())
}
