//! Filling the fake: short methods that return what was made and let a closure change what they assume.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use flate2::{Compression, Crc, write::DeflateEncoder};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Fake;
use super::state::{
    Artifact, CheckRun, Comment, Commit, Deployment, DeploymentStatus, Environment, Issue, Job, Label, Pull,
    Repository, Run, State, Workflow,
};

/// A repository of a fake.
#[derive(Debug, Clone)]
pub struct Repo<'f> {
    fake: &'f Fake,
    full_name: String,
}

/// A SHA that stands for a word: the same for the same word.
pub fn sha(word: &str) -> String {
    hex(&Sha256::digest(word.as_bytes()))[..40].to_owned()
}

impl<'f> Repo<'f> {
    pub(super) fn of(fake: &'f Fake, full_name: &str) -> Self {
        let mut state = fake.state();
        if state.find(full_name).is_none() {
            let id = state.id();
            state.repos.push(Repository::new(id, full_name));
        }
        Self { fake, full_name: full_name.to_owned() }
    }

    /// `owner/name`.
    pub fn name(&self) -> &str {
        &self.full_name
    }

    /// Reads something out of it.
    pub fn read<T>(&self, read: impl FnOnce(&Repository) -> T) -> T {
        read(self.fake.state().find(&self.full_name).expect("made before"))
    }

    /// Changes it in any way.
    pub fn edit<T>(&self, edit: impl FnOnce(&mut Repository) -> T) -> T {
        edit(self.fake.state().find_mut(&self.full_name).expect("made before"))
    }

    /// Gives out an id and the time, then adds something.
    fn add<T>(&self, add: impl FnOnce(&mut Repository, u64, jiff::Timestamp) -> T) -> T {
        let mut state = self.fake.state();
        let (id, now) = (state.id(), state.now);
        add(state.find_mut(&self.full_name).expect("made before"), id, now)
    }

    /// A fork of it under another name.
    pub fn fork(&self, full_name: &str) -> Repo<'f> {
        let fork = self.fake.repo(full_name);
        let (origin, branch) = self.read(|repo| (repo.full_name.clone(), repo.default_branch.clone()));
        fork.edit(|fork| {
            fork.fork_of = Some(origin);
            fork.default_branch = branch;
        });
        fork
    }

    /// A workflow file, made if it is not there; `ci.yml` is `.github/workflows/ci.yml`. Returns its id.
    pub fn workflow(&self, file: &str) -> u64 {
        let path = format!(".github/workflows/{file}");
        if let Some(id) = self.read(|repo| repo.workflows.iter().find(|one| one.path == path).map(|one| one.id)) {
            return id;
        }
        self.add(|repo, id, now| {
            let name = file.split('.').next().unwrap_or(file).to_owned();
            repo.workflows.push(Workflow { id, name, path, state: "active".to_owned(), created_at: now });
            id
        })
    }

    /// A commit, and files it writes. Its SHA stands for its message.
    pub fn commit(&self, message: &str, parents: &[&str], files: &[(&str, &str)]) -> String {
        let name = sha(message);
        self.commit_with(|commit| {
            commit.sha.clone_from(&name);
            commit.message = message.to_owned();
            commit.parents = parents.iter().map(|sha| (*sha).to_owned()).collect();
            let files = files.iter().map(|(path, text)| ((*path).to_owned(), Some(text.as_bytes().to_vec())));
            commit.files = files.collect();
        });
        name
    }

    /// A commit of any form.
    pub fn commit_with(&self, edit: impl FnOnce(&mut Commit)) {
        self.add(|repo, id, at| {
            let mut commit = Commit {
                sha: sha(&id.to_string()),
                parents: Vec::new(),
                message: "Change something".to_owned(),
                author: "octocat".to_owned(),
                at,
                files: BTreeMap::new(),
            };
            edit(&mut commit);
            repo.commits.insert(commit.sha.clone(), commit);
        });
    }

    /// Puts a branch on a commit.
    pub fn branch(&self, name: &str, sha: &str) {
        self.edit(|repo| repo.refs.insert(format!("heads/{name}"), sha.to_owned()));
    }

    /// A line of commits with the branch at its end; the first one is the root. One minute lies between two of them.
    pub fn history(&self, branch: &str, commits: usize) -> Vec<String> {
        let names: Vec<String> =
            (0..commits).map(|number| sha(&format!("{} {branch} {number}", self.full_name))).collect();
        for (number, name) in names.iter().enumerate() {
            self.commit_with(|commit| {
                commit.sha.clone_from(name);
                commit.message = format!("Commit {number} of {branch}");
                commit.parents = names[..number].last().cloned().into_iter().collect();
                let minutes = i64::try_from(commits - number).unwrap_or_default();
                commit.at -= jiff::SignedDuration::from_mins(minutes);
            });
        }
        if let Some(last) = names.last() {
            self.branch(branch, last);
        }
        names
    }

    /// Adds a file to a commit that is there.
    pub fn file(&self, sha: &str, path: &str, content: impl AsRef<[u8]>) {
        self.edit(|repo| {
            let commit = repo.commits.get_mut(sha).expect("a commit of this repository");
            commit.files.insert(path.to_owned(), Some(content.as_ref().to_vec()));
        });
    }

    /// A completed, successful run of `ci.yml` on a push to the default branch, unless changed. Returns its id.
    pub fn run(&self, edit: impl FnOnce(&mut Run)) -> u64 {
        let workflow = self.workflow("ci.yml");
        self.add(|repo, id, now| {
            let mut run = Run::new(repo, workflow, id, now);
            edit(&mut run);
            repo.runs.push(run);
            repo.runs.sort_by_key(|run| run.id);
            id
        })
    }

    /// Many runs; the closure gets each one's number from 0. Each starts a minute after the one before.
    pub fn runs(&self, count: u64, mut edit: impl FnMut(u64, &mut Run)) {
        let workflow = self.workflow("ci.yml");
        let state = &mut *self.fake.state();
        let (first, now) = (state.last_id + 1, state.now);
        state.last_id += count;
        let repo = state.find_mut(&self.full_name).expect("made before");
        repo.runs.reserve(usize::try_from(count).unwrap_or_default());
        for number in 0..count {
            let minutes = i64::try_from(count - number).unwrap_or_default();
            let mut run = Run::new(repo, workflow, first + number, now - jiff::SignedDuration::from_mins(minutes));
            edit(number, &mut run);
            repo.runs.push(run);
        }
    }

    /// Changes a run.
    pub fn edit_run(&self, id: u64, edit: impl FnOnce(&mut Run)) {
        self.edit(|repo| edit(repo.runs.iter_mut().find(|run| run.id == id).expect("a run of this repository")));
    }

    /// Starts another attempt of a run, completed as given (`None`: in progress).
    pub fn rerun(&self, id: u64, conclusion: Option<&str>) {
        let now = self.fake.state().now;
        self.edit_run(id, |run| {
            run.start_again(now);
            run.status = Some(if conclusion.is_some() { "completed" } else { "in_progress" }.to_owned());
            run.conclusion = conclusion.map(str::to_owned);
        });
    }

    /// A successful job of a run's newest attempt, unless changed. Returns its id.
    pub fn job(&self, run: u64, name: &str, edit: impl FnOnce(&mut Job)) -> u64 {
        self.add(|repo, id, now| {
            let attempt = repo.runs.iter().find(|one| one.id == run).map_or(1, |run| run.attempt);
            let mut job = Job {
                id,
                run,
                attempt,
                name: name.to_owned(),
                status: "completed".to_owned(),
                conclusion: Some("success".to_owned()),
                started_at: now,
                completed_at: Some(now),
                steps: vec![("Set up job".to_owned(), "success".to_owned())],
                log: String::new(),
            };
            edit(&mut job);
            repo.jobs.push(job);
            id
        })
    }

    /// An artifact of a run with the digest of its bytes, kept for 90 days. Returns its id.
    pub fn artifact(&self, run: u64, name: &str, bytes: impl Into<Vec<u8>>) -> u64 {
        let bytes = bytes.into();
        self.add(|repo, id, now| {
            let digest = Some(format!("sha256:{}", hex(&Sha256::digest(&bytes))));
            let expires_at = now + jiff::SignedDuration::from_hours(90 * 24);
            repo.artifacts.push(Artifact {
                id,
                run,
                name: name.to_owned(),
                bytes,
                digest,
                created_at: now,
                expires_at,
            });
            id
        })
    }

    /// Changes an artifact.
    pub fn edit_artifact(&self, id: u64, edit: impl FnOnce(&mut Artifact)) {
        self.edit(|repo| edit(repo.artifacts.iter_mut().find(|one| one.id == id).expect("an artifact")));
    }

    /// An open issue. Returns its number.
    pub fn issue(&self, title: &str, edit: impl FnOnce(&mut Issue)) -> u64 {
        self.add(|repo, id, now| {
            let mut issue = Issue::new(id, repo.next_number(), title, "octocat", now);
            edit(&mut issue);
            let number = issue.number;
            repo.issues.push(issue);
            number
        })
    }

    /// An open pull request from `head_repo:branch`, whose commit is looked up, to the default branch. Returns its
    /// number. Runs and refs are not made along with it.
    pub fn pull(&self, head_repo: &str, branch: &str, edit: impl FnOnce(&mut Pull)) -> u64 {
        let place = |state: &State, repo: &str, branch: &str| {
            let repo = state.find(repo)?;
            repo.refs.get(&format!("heads/{branch}")).cloned()
        };
        let (base_ref, head_sha, base_sha) = {
            let state = self.fake.state();
            let base = state.find(&self.full_name).map(|repo| repo.default_branch.clone()).unwrap_or_default();
            let base_sha = place(&state, &self.full_name, &base);
            (base, place(&state, head_repo, branch), base_sha)
        };
        let number = self.issue(&format!("Change {branch}"), |_| {});
        let mut pull = Pull {
            number,
            head_repo: Some(head_repo.to_owned()),
            head_ref: branch.to_owned(),
            head_sha: head_sha.unwrap_or_else(|| sha(branch)),
            base_sha: base_sha.unwrap_or_else(|| sha(&base_ref)),
            base_ref,
            merge_sha: Some(sha(&format!("merge of {number}"))),
            draft: false,
            merged_at: None,
            diff: None,
        };
        edit(&mut pull);
        self.edit(|repo| repo.pulls.push(pull));
        number
    }

    /// A comment. Returns its id.
    pub fn comment(&self, issue: u64, author: &str, body: &str) -> u64 {
        self.add(|repo, id, now| {
            let (author, body) = (author.to_owned(), body.to_owned());
            repo.comments.push(Comment { id, issue, author, body, created_at: now, updated_at: now });
            id
        })
    }

    /// The comments on an issue, oldest first: author and text.
    pub fn comments(&self, issue: u64) -> Vec<(String, String)> {
        self.read(|repo| {
            let of_issue = repo.comments.iter().filter(|comment| comment.issue == issue);
            of_issue.map(|comment| (comment.author.clone(), comment.body.clone())).collect()
        })
    }

    /// A label.
    pub fn label(&self, name: &str) {
        self.add(|repo, id, _| {
            repo.labels.insert(name.to_owned(), Label { id, color: "ededed".to_owned(), description: None });
        });
    }

    /// A completed, successful check run of Actions, unless changed. Returns its id.
    pub fn check_run(&self, name: &str, head_sha: &str, edit: impl FnOnce(&mut CheckRun)) -> u64 {
        self.add(|repo, id, now| {
            let mut check = CheckRun::new(id, name, head_sha, "github-actions");
            check.status = "completed".to_owned();
            check.conclusion = Some("success".to_owned());
            (check.started_at, check.completed_at) = (Some(now), Some(now));
            edit(&mut check);
            repo.check_runs.push(check);
            id
        })
    }

    /// A deployment without a status. Returns its id.
    pub fn deployment(&self, environment: &str, sha: &str) -> u64 {
        self.add(|repo, id, created_at| {
            repo.deployments.push(Deployment {
                id,
                sha: sha.to_owned(),
                reference: repo.default_branch.clone(),
                task: "deploy".to_owned(),
                environment: environment.to_owned(),
                description: None,
                creator: "github-actions[bot]".to_owned(),
                payload: Value::Object(serde_json::Map::new()),
                transient: false,
                production: environment == "production",
                created_at,
                statuses: Vec::new(),
            });
            id
        })
    }

    /// A status of a deployment. Returns its id. Other deployments are left alone.
    pub fn deployment_status(&self, deployment: u64, state: &str) -> u64 {
        self.add(|repo, id, created_at| {
            let deployment = repo.deployments.iter_mut().find(|one| one.id == deployment).expect("a deployment");
            deployment.statuses.push(DeploymentStatus {
                id,
                state: state.to_owned(),
                description: String::new(),
                environment: deployment.environment.clone(),
                log_url: String::new(),
                environment_url: String::new(),
                creator: deployment.creator.clone(),
                created_at,
            });
            id
        })
    }

    /// An environment without rules, unless changed. Returns its id.
    pub fn environment(&self, name: &str, edit: impl FnOnce(&mut Environment)) -> u64 {
        self.add(|repo, id, created_at| {
            let mut environment = Environment {
                id,
                name: name.to_owned(),
                wait_timer: 0,
                reviewers: Vec::new(),
                rules: Vec::new(),
                protected_branches: false,
                created_at,
            };
            edit(&mut environment);
            repo.environments.push(environment);
            id
        })
    }
}

/// A zip archive of these files, always the same bytes for the same files.
pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in files {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).expect("a vector takes all");
        let packed = encoder.finish().expect("a vector takes all");
        let mut crc = Crc::new();
        crc.update(content);
        let short = |number: usize| u16::try_from(number).expect("a short name or list").to_le_bytes();
        let long = |number: usize| u32::try_from(number).expect("a small file").to_le_bytes();
        // Version 2.0, UTF-8 names, deflate, 1980-01-01.
        let mut common = vec![20, 0, 0, 8, 8, 0, 0, 0, 0x21, 0];
        common.extend(crc.sum().to_le_bytes());
        common.extend([long(packed.len()), long(content.len())].concat());
        common.extend([short(name.len()), short(0)].concat());
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&common);
        directory.extend([short(0), short(0), short(0)].concat());
        directory.extend([long(0o100_644 << 16), long(archive.len())].concat());
        directory.extend(name.as_bytes());
        archive.extend(b"PK\x03\x04");
        archive.extend(&common);
        archive.extend(name.as_bytes());
        archive.extend(&packed);
    }
    let count = u16::try_from(files.len()).expect("few files").to_le_bytes();
    let sizes = [directory.len(), archive.len()].map(|size| u32::try_from(size).expect("small").to_le_bytes());
    archive.extend(&directory);
    archive.extend([b"PK\x05\x06".as_slice(), &[0; 4], &count, &count, &sizes.concat(), &[0; 2]].concat());
    archive
}

/// A zip archive of everything in a folder.
pub fn zip_folder(folder: &Path) -> Vec<u8> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("a folder that stays as it is").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).ok().and_then(Path::to_str).expect("a name in UTF-8").to_owned();
                files.push((name, std::fs::read(&path).expect("a file")));
            }
        }
    }
    files.sort();
    let files: Vec<_> = files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    zip(&files)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
