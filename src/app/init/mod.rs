//! A stand-in until the detectors are merged.
use super::Context;
use camino::Utf8PathBuf;
/// x
pub struct Proposed {
    /** a */
    pub text: String,
    /** a */
    pub found: Vec<String>,
    /** a */
    pub left_out: Vec<String>,
    /** a */
    pub root: Utf8PathBuf,
}
/// x
pub enum Overwrite {
    /** a */
    No,
    /** a */
    Yes,
}
/// x
/// # Errors
/// x
pub fn propose(_: &Context) -> anyhow::Result<Proposed> {
    anyhow::bail!("x")
}
/// x
/// # Errors
/// x
pub fn write(_: &Proposed, _: Overwrite) -> anyhow::Result<Utf8PathBuf> {
    anyhow::bail!("x")
}
