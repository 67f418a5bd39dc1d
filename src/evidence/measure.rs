//! Evidence as named numbers. Totals are computed here and nowhere else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::coverage::Coverage;
use super::sink::{Ratio, Totals};
use super::{Evidence, Kind};

/// A named number with the files it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Dotted name.
    pub name: String,
    /// Which part of the project it is about; `None` is all of it.
    pub scope: Option<String>,
    /// The reports it was read from.
    pub sources: Vec<String>,
    /// Its value; may be NaN.
    #[serde(with = "super::measure::not_finite")]
    pub value: f64,
}

/// Numbers keyed by name, scope and source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Measurements(Vec<Measurement>);

impl Measurements {
    /// Everything the evidence measures about the whole project.
    #[must_use]
    pub fn of(evidence: &Evidence) -> Self {
        Self::with(evidence, evidence.coverage.summary())
    }

    /// The same where the sums over all covered files are known already.
    #[must_use]
    pub fn with(evidence: &Evidence, sum: Totals) -> Self {
        let mut out = Self::default();
        if !evidence.tests.is_empty() {
            let sum = evidence.tests.summary();
            let sources = evidence.sources(Kind::Tests);
            for (name, value) in [
                ("total", count(sum.total)),
                ("passed", count(sum.passed)),
                ("failed", count(sum.failed)),
                ("errors", count(sum.errors)),
                ("skipped", count(sum.skipped)),
                ("flaky", count(sum.flaky)),
                ("attempts", count(sum.attempts)),
                ("duration_seconds", sum.seconds),
            ] {
                out.add(format!("tests.{name}"), None, &sources, value);
            }
            if let Some(seconds) = sum.wall_seconds {
                out.add("tests.wall_seconds".into(), None, &sources, seconds);
            }
        }
        let sources = evidence.sources(Kind::Coverage);
        for (name, ratio) in [
            ("lines", sum.lines),
            ("branches", sum.branches),
            ("functions", sum.functions),
            ("statements", sum.statements),
        ] {
            out.add_ratio(&format!("coverage.{name}"), None, &sources, ratio);
        }
        if let Some(unmatched) = evidence.coverage.unmatched().filter(|_| !evidence.coverage.is_empty()) {
            out.add("coverage.files.total".into(), None, &sources, count(evidence.coverage.files().count() as u64));
            out.add("coverage.files.unmatched".into(), None, &sources, count(unmatched.len() as u64));
        }
        for metric in &evidence.metrics {
            out.add(format!("metrics.{}", metric.name), None, &[metric.source.as_str()], metric.value);
        }
        out
    }

    /// Adds one number.
    pub fn add(&mut self, name: String, scope: Option<&str>, sources: &[&str], value: f64) {
        let sources = sources.iter().map(|source| (*source).to_owned()).collect();
        self.0.push(Measurement { name, scope: scope.map(str::to_owned), sources, value });
    }

    /// States a number about the whole project anew: what was stated under this name before is gone.
    pub fn replace(&mut self, name: &str, sources: &[&str], value: f64) {
        let at = self.0.iter().position(|one| one.scope.is_none() && one.name == name).unwrap_or(self.0.len());
        self.0.retain(|one| one.scope.is_some() || one.name != name);
        let sources = sources.iter().map(|source| (*source).to_owned()).collect();
        self.0.insert(at, Measurement { name: name.to_owned(), scope: None, sources, value });
    }

    /// Adds covered, total and percent; nothing where there is nothing to cover.
    pub fn add_ratio(&mut self, name: &str, scope: Option<&str>, sources: &[&str], ratio: Ratio) {
        if let Some(percent) = ratio.percent() {
            self.add(format!("{name}.covered"), scope, sources, count(ratio.covered));
            self.add(format!("{name}.total"), scope, sources, count(ratio.total));
            self.add(format!("{name}.percent"), scope, sources, percent);
        }
    }

    /// Every number with this name about the whole project: several if several files state it.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Measurement> {
        self.0.iter().filter(move |measurement| measurement.scope.is_none() && measurement.name == name)
    }

    /// The value of a name about the whole project, if all files that state it agree.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        agreed(self.all(name))
    }

    /// Every number about the whole project by its name: several if several files state it. Looking up each name in
    /// turn would take the square of their count.
    #[must_use]
    pub fn by_name(&self) -> BTreeMap<&str, Vec<&Measurement>> {
        let mut names: BTreeMap<&str, Vec<&Measurement>> = BTreeMap::new();
        for measurement in self.0.iter().filter(|measurement| measurement.scope.is_none()) {
            names.entry(&measurement.name).or_default().push(measurement);
        }
        names
    }

    /// All numbers, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Measurement> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The sums of the project's files that `wanted` names. Files that belong to no path of the project are never among
/// them.
pub fn coverage_of(coverage: &Coverage, mut wanted: impl FnMut(&str) -> bool) -> Totals {
    let files = coverage.project_files().filter(|(path, _)| wanted(path));
    files.map(|(_, file)| file.summary()).fold(Totals::default(), |sum, file| sum + file)
}

/// The folder of the whole project.
pub const ROOT: &str = ".";

/// The sums of each folder with all that lies under it, ascending; [`ROOT`] is all of it. Files that belong to no
/// path of the project are in none.
#[must_use]
pub fn folders(coverage: &Coverage) -> BTreeMap<&str, Totals> {
    let mut folders: BTreeMap<&str, Totals> = BTreeMap::new();
    for (path, file) in coverage.project_files() {
        let sum = file.summary();
        let inner = path.match_indices('/').map(|(slash, _)| &path[..slash]).filter(|folder| !folder.is_empty());
        for folder in std::iter::once(ROOT).chain(inner) {
            let folder = folders.entry(folder).or_default();
            *folder = *folder + sum;
        }
    }
    folders
}

/// The value that all of them state.
#[must_use]
pub fn agreed<'a>(stated: impl IntoIterator<Item = &'a Measurement>) -> Option<f64> {
    let mut stated = stated.into_iter();
    let first = stated.next()?.value;
    stated.all(|other| other.value.to_bits() == first.to_bits()).then_some(first)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn count(value: u64) -> f64 {
    value as f64
}

/// JSON has no NaN or infinity: they are written as words, so that a stored record says what was measured.
pub mod not_finite {
    use serde::{Deserialize, Deserializer, Serializer};

    /// A number, or a word for what is not finite.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() { serializer.serialize_f64(*value) } else { serializer.collect_str(value) }
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Word(String),
    }

    /// The reverse of [`serialize`].
    ///
    /// # Errors
    /// A word that is no number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(value) => Ok(value),
            Written::Word(word) => word.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::coverage::Building;
    use super::super::coverage::paths::Match;
    use super::super::sink::Repeat;
    use super::*;

    #[test]
    fn what_is_not_measured_has_no_number() {
        assert!(Measurements::of(&Evidence::default()).is_empty());
    }

    /// Files with covered and total lines; those under `/` are no file of the project.
    fn coverage(files: &[(&str, u64, u64)]) -> Coverage {
        let mut all = Coverage::default();
        for (path, covered, total) in files {
            let mut building = Building::default();
            (1..=*total).for_each(|line| building.line(u32::try_from(line).unwrap(), u64::from(line <= *covered)));
            all.add((*path).to_owned(), building.finish(Repeat::Sum));
        }
        all.matched(|path| if path.starts_with('/') { Match::None } else { Match::File(path.to_owned()) })
    }

    #[test]
    fn a_folder_holds_all_that_lies_under_it() {
        let all = coverage(&[
            ("src/a/x.c", 1, 2),
            ("src/a/b/y.c", 0, 3),
            ("src/ab.c", 4, 4),
            ("z.c", 1, 1),
            ("/usr/v", 0, 9),
        ]);
        let found: Vec<_> =
            folders(&all).into_iter().map(|(folder, sum)| (folder, sum.lines.covered, sum.lines.total)).collect();
        assert_eq!(found, [(".", 6, 10), ("src", 5, 9), ("src/a", 1, 5), ("src/a/b", 0, 3)]);
        assert!(folders(&Coverage::default()).is_empty());
    }

    #[test]
    fn chosen_files_add_up() {
        let all = coverage(&[("src/a.c", 1, 2), ("src/b.c", 0, 3), ("lib/c.c", 4, 4), ("/usr/v", 0, 9)]);
        let lines = |wanted: fn(&str) -> bool| coverage_of(&all, wanted).lines;
        assert_eq!(lines(|path| path.starts_with("src/")), Ratio { covered: 1, total: 5 });
        assert_eq!(lines(|_| true), Ratio { covered: 5, total: 9 });
        assert_eq!(lines(|_| false), Ratio::default());
    }

    #[test]
    fn a_name_that_several_files_state_has_the_value_on_which_they_agree() {
        let mut all = Measurements::default();
        for (name, scope, value) in [
            ("metrics.a", None, 1.0),
            ("metrics.b", None, 1.0),
            ("metrics.a", None, 1.0),
            ("metrics.a", Some("x"), 2.0),
        ] {
            all.add(name.into(), scope, &["a.json"], value);
        }
        all.add("metrics.b".into(), None, &["b.json"], 2.0);
        let names: Vec<_> =
            all.by_name().into_iter().map(|(name, all)| (name, all.len(), agreed(all.iter().copied()))).collect();
        assert_eq!(names, [("metrics.a", 2, Some(1.0)), ("metrics.b", 2, None)]);
        assert_eq!((all.value("metrics.a"), all.value("metrics.b"), all.value("metrics.c")), (Some(1.0), None, None));
    }

    #[test]
    fn a_number_stated_anew_takes_the_place_of_the_old_ones() {
        let mut all = Measurements::default();
        for (name, scope, value) in
            [("a", None, 1.0), ("b", None, 2.0), ("b", None, 3.0), ("b", Some("src"), 4.0), ("c", None, 5.0)]
        {
            all.add(name.into(), scope, &["r.xml"], value);
        }
        all.replace("b", &["r.xml"], 6.0);
        all.replace("d", &[], 7.0);
        let told: Vec<_> = all.iter().map(|one| format!("{}={}", one.name, one.value)).collect();
        assert_eq!(told, ["a=1", "b=6", "b=4", "c=5", "d=7"]);
        assert_eq!(all.value("b"), Some(6.0));
    }

    #[test]
    fn numbers_that_are_not_finite_survive_json() {
        let mut all = Measurements::default();
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.1] {
            all.add("metrics.x".into(), None, &["a.json"], value);
        }
        let json = serde_json::to_string(&all).unwrap();
        let back: Measurements = serde_json::from_str(&json).unwrap();
        assert!(back.iter().zip(all.iter()).all(|(a, b)| a.value.to_bits() == b.value.to_bits()), "{json}");
        assert_eq!(all.value("metrics.x"), None);
    }
}
