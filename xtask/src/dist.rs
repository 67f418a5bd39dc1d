//! `cargo xtask dist`: a release archive of the host's binary with its checksum.

use anyhow::Context as _;
use xshell::{Shell, cmd};

use crate::chore::{root, say};

pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    anyhow::ensure!(args.is_empty(), "`dist` takes no arguments");
    let shell = Shell::new()?;
    shell.change_dir(root());
    let host = cmd!(shell, "rustc -vV").read()?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?.to_owned();
    cmd!(shell, "cargo build --release --locked --bin mgmt").run()?;
    let name = format!("mgmt-{}-{host}", mgmt_action::VERSION);
    let folder = root().join("target/dist").join(&name);
    shell.remove_path(&folder)?;
    shell.create_dir(&folder)?;
    let binary = if cfg!(windows) { "mgmt.exe" } else { "mgmt" };
    for file in [format!("target/release/{binary}"), "README.md".into(), "LICENSE-MIT".into(), "LICENSE-APACHE".into()]
    {
        shell.copy_file(root().join(file), &folder)?;
    }
    shell.change_dir(root().join("target/dist"));
    cmd!(shell, "tar --create --gzip --file {name}.tar.gz {name}").run()?;
    let sum = if cfg!(target_os = "macos") {
        cmd!(shell, "shasum -a 256 {name}.tar.gz")
    } else {
        cmd!(shell, "sha256sum {name}.tar.gz")
    };
    shell.write_file(format!("{name}.tar.gz.sha256"), sum.read()? + "\n")?;
    say(&format!("wrote target/dist/{name}.tar.gz"));
    Ok(())
}
