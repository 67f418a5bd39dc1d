//! What no rule may do, over generated facts: pass without a number, or worsen when something gets better.

use super::*;
use crate::gate::patch::PatchFile;

const FILES: [&str; 4] = ["src/a.py", "src/deep/b.py", "lib/c.py", "d.py"];
const COMPONENTS: [(&str, &str); 3] = [("core", "src/**"), ("rest", "lib/*"), ("none", "none/**")];

fn glob(text: &str) -> Globs {
    Globs::new(&[globset::Glob::new(text).unwrap()])
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(metric::NAMES.iter().map(|row| row.name).chain(["metrics.x"]).collect::<Vec<_>>())
}

/// Every scope there is; of metrics without parts only the whole project.
fn scope(name: &str) -> BoxedStrategy<Scope> {
    if !metric::has_parts(name) {
        return Just(Scope::Project).boxed();
    }
    let each = prop::sample::select(vec![Each::File, Each::Folder, Each::Component]);
    let within = prop::option::of(prop::sample::select(vec!["src/**", "none/**", "*.py"]));
    prop_oneof![
        2 => Just(Scope::Project),
        1 => prop::sample::select(vec!["src/**", "none/**", "lib/c.py"]).prop_map(|text| Scope::Paths(glob(text))),
        1 => prop::sample::select(COMPONENTS.to_vec())
            .prop_map(|(name, text)| Scope::Component(name.to_owned(), glob(text))),
        4 => (each, within).prop_map(|(each, within)| Scope::Each(each, within.map(glob))),
    ]
    .boxed()
}

fn lines() -> impl Strategy<Value = LineSet> {
    prop::collection::btree_set(1_u32..30, 0..6).prop_map(LineSet::ascending)
}

fn ratio() -> impl Strategy<Value = Ratio> {
    (0_u64..4, 0_u64..4).prop_map(|(covered, missed)| Ratio { covered, total: covered + missed })
}

/// A file of which some kinds are not known: their totals are 0.
fn file_lines() -> impl Strategy<Value = FileLines> {
    (prop::collection::btree_map(1_u32..30, any::<bool>(), 0..6), ratio(), ratio(), ratio()).prop_map(
        |(told, branches, functions, statements)| {
            let of = |wanted| told.iter().filter(|(_, ran)| **ran == wanted).map(|(line, _)| *line).collect::<Vec<_>>();
            let own = file(&of(true), &of(false));
            FileLines { totals: Totals { branches, functions, statements, ..own.totals }, ..own }
        },
    )
}

fn files() -> impl Strategy<Value = BTreeMap<String, FileLines>> {
    let path = prop::sample::select(FILES.to_vec()).prop_map(str::to_owned);
    prop::collection::btree_map(path, file_lines(), 0..4)
}

fn changes() -> impl Strategy<Value = Patch> {
    let file = (lines(), lines(), lines(), lines(), 0_u64..3);
    let files = prop::collection::btree_map(prop::sample::select(FILES.to_vec()), file, 0..4);
    let unmeasured = prop::collection::btree_set(prop::sample::select(vec!["src/new.py", "lib/new.py"]), 0..2);
    (files, prop_oneof![2 => Just(Default::default()), 1 => unmeasured], any::<bool>()).prop_map(
        |(files, unmeasured, has_base)| Patch {
            between: String::new(),
            has_base,
            files: files
                .into_iter()
                .map(|(path, (covered, uncovered, touched, lost, vanished))| PatchFile {
                    path: path.to_owned(),
                    uncovered: uncovered.iter().filter(|line| !covered.contains(*line)).collect(),
                    covered,
                    touched,
                    lost,
                    vanished,
                    ..PatchFile::default()
                })
                .collect(),
            unmeasured: unmeasured.into_iter().map(str::to_owned).collect(),
        },
    )
}

/// Numbers, and what is none.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![6 => -10.0_f64..110.0, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY), 1 => Just(f64::NEG_INFINITY)]
}

/// Facts of every kind, each of which may be absent, with a rule and what the metric is measured as.
fn any_world() -> impl Strategy<Value = (World, Rule)> {
    name().prop_flat_map(|name| {
        let kinds = BOUNDS.into_iter().chain(CHANGES).collect::<Vec<_>>();
        let limit = (prop::sample::select(kinds), 0.0_f64..110.0, any::<bool>());
        let when = prop::sample::select(WhenMissing::WORDS.to_vec());
        let better = prop::sample::select(vec![Better::Higher, Better::Lower]);
        let rule = (limit, scope(name), when, any::<bool>(), better, 0_u64..9).prop_map(
            move |((kind, bound, relative), scope, (_, when_missing), required, better, min_lines)| {
                let mut rule = Rule { scope, when_missing, better, min_lines, ..rule(name, kind, bound) };
                rule.no_base = if required { NoBase::Inconclusive } else { NoBase::Warn };
                rule.limits[0].relative = relative && kind.needs_base();
                rule
            },
        );
        let base = (prop::option::of(value()), files());
        let best =
            prop::collection::vec((prop::option::of(prop::sample::select(vec!["src", "core", "d.py"])), value()), 0..3);
        let world = (
            prop::option::of(value()),
            files(),
            prop::option::of(changes()),
            prop::option::of(base),
            best,
            prop::option::of(0_u32..3),
            any::<bool>(),
        );
        let world = world.prop_map(move |(value, files, patch, base, best, excused, is_first)| World {
            base_excused: BTreeMap::new(),
            now: measured_patch(name, value, patch.as_ref()),
            files,
            patch,
            base: base.map(|(value, files)| (measured(name, value.as_slice()), files)),
            best: best
                .into_iter()
                .map(|(scope, value)| Best {
                    metric: name.into(),
                    scope: scope.map(str::to_owned),
                    value,
                    from: "x".into(),
                })
                .collect(),
            // Only tests are ever in quarantine.
            excused: excused
                .filter(|_| name.starts_with("tests."))
                .map(|count| (name.to_owned(), f64::from(count)))
                .into_iter()
                .collect(),
            names: BTreeMap::from([(name.to_owned(), vec!["t".to_owned()])]),
            components: COMPONENTS.iter().map(|(name, text)| ((*name).to_owned(), glob(text))).collect(),
            is_first,
        });
        (world, rule)
    })
}

/// What changed measures itself; everything else is what a report says.
fn measured_patch(name: &str, value: Option<f64>, patch: Option<&Patch>) -> Measurements {
    if !parts::is_change(name) {
        return measured(name, value.as_slice());
    }
    let mut now = Measurements::default();
    for (name, value) in patch.iter().flat_map(|patch| patch.measures()) {
        now.add(name.to_owned(), None, &["c.xml"], value);
    }
    now
}

/// Whether a path belongs to the part of this name, worked out from the names alone.
fn belongs(path: &str, scope: &Scope, part: &str) -> bool {
    let of_component = |name: &str| COMPONENTS.iter().any(|(known, text)| *known == name && glob(text).matches(path));
    match scope {
        Scope::Project => true,
        Scope::Paths(globs) => globs.matches(path),
        Scope::Component(name, _) => of_component(name),
        Scope::Each(each, within) => {
            within.as_ref().is_none_or(|globs| globs.matches(path))
                && match each {
                    Each::File => path == part,
                    Each::Folder => path.rsplit_once('/').map_or(".", |(folder, _)| folder) == part,
                    Each::Component => of_component(part),
                }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few lines")]
fn float(count: u64) -> f64 {
    count as f64
}

fn of_ratio(word: &str, covered: u64, total: u64) -> Option<f64> {
    (total > 0).then(|| match word {
        "covered" => float(covered),
        "total" => float(total),
        _ => 100.0 * float(covered) / float(total),
    })
}

/// The value of a coverage metric over the files of a part, added up one by one; `None` where nobody knows it.
fn known(rule: &Rule, part: &str, files: &BTreeMap<String, FileLines>) -> Option<f64> {
    let own: Vec<_> = files.iter().filter(|(path, _)| belongs(path, &rule.scope, part)).collect();
    if rule.metric == "coverage.files.total" {
        return (!own.is_empty()).then(|| float(own.len() as u64));
    }
    let (_, rest) = rule.metric.split_once('.')?;
    let (kind, word) = rest.split_once('.')?;
    let of = |totals: &Totals| match kind {
        "lines" => totals.lines,
        "branches" => totals.branches,
        "functions" => totals.functions,
        _ => totals.statements,
    };
    let ratios = || own.iter().map(|(_, file)| of(&file.totals));
    of_ratio(word, ratios().map(|ratio| ratio.covered).sum(), ratios().map(|ratio| ratio.total).sum())
}

fn known_change(rule: &Rule, part: &str, patch: &Patch) -> Option<f64> {
    if patch.unmeasured.iter().any(|path| belongs(path, &rule.scope, part)) {
        return None;
    }
    let own: Vec<_> = patch.files.iter().filter(|file| belongs(&file.path, &rule.scope, part)).collect();
    let sum = |of: &dyn Fn(&PatchFile) -> u64| own.iter().map(|file| of(file)).sum::<u64>();
    let (covered, uncovered) = (sum(&|file| file.covered.len()), sum(&|file| file.uncovered.len()));
    match rule.metric.as_str() {
        metric::TOUCHED => patch.has_base.then(|| float(sum(&|file| file.touched.len()))),
        metric::LOST => patch.has_base.then(|| float(sum(&|file| file.lost.len() + file.vanished))),
        "coverage.patch.covered" => Some(float(covered)),
        "coverage.patch.total" => Some(float(covered + uncovered)),
        _ => of_ratio("percent", covered, covered + uncovered),
    }
}

/// The number that a result must stand on; `None` where there is none.
fn now(world: &World, rule: &Rule, part: Option<&str>) -> Option<f64> {
    let value = match part {
        _ if parts::is_change(&rule.metric) => known_change(rule, part.unwrap_or_default(), world.patch.as_ref()?),
        Some(part) => known(rule, part, &world.files),
        None if matches!(rule.scope, Scope::Project) => {
            let excused = world.excused.get(&rule.metric).copied().unwrap_or_default();
            let value = world.now.value(&rule.metric);
            value.map(|value| if excused > 0.0 { (value - excused).max(0.0) } else { value })
        }
        None => None,
    };
    value.filter(|value| value.is_finite())
}

/// What a limit against earlier runs must stand on.
fn before(world: &World, rule: &Rule, part: Option<&str>) -> Option<f64> {
    let (measurements, files) = world.base.as_ref()?;
    let value = match part {
        // What changed in the baseline is no measure of what changes now.
        Some(_) if parts::is_change(&rule.metric) => None,
        Some(part) => known(rule, part, files),
        None => measurements.value(&rule.metric),
    };
    value.filter(|value| value.is_finite())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 768, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is missing or not a number, no rule of any kind passes; and what passes stands on the number that the
    /// facts add up to.
    #[test]
    fn no_missing_data_ends_in_a_pass((world, rule) in any_world()) {
        let results = world.judge(rule.clone(), &Asked::Everything);
        prop_assert!(!results.is_empty(), "a rule disappeared");
        for result in results.into_iter().filter(|result| result.verdict == RuleVerdict::Pass) {
            let part = result.scope.as_deref();
            let now = now(&world, &rule, part);
            let is_known = now.zip(result.value).is_some_and(|(now, value)| (now - value).abs() <= 1e-6);
            prop_assert!(is_known, "{:?} is known, of {:?}", now, result);
            let kind = rule.limits[0].kind;
            if !kind.needs_base() {
                continue;
            }
            let mut bases: Vec<f64> = before(&world, &rule, part).into_iter().collect();
            if kind == LimitKind::Ratchet {
                bases.extend(world.best.iter().filter(|best| best.scope.as_deref() == part).map(|best| best.value));
            }
            let is_known = result.base.is_some_and(|base| base.is_finite() && bases.iter().any(|one| (one - base).abs() <= 1e-6));
            prop_assert!(is_known, "{:?} are known before, of {:?}", bases, result);
        }
    }

    /// The same of every fixed metric and of those in quarantine, with both directions of a ratchet.
    #[test]
    fn improving_any_metric_never_worsens_its_verdict(
        name in name(), bound in 0.0_f64..200.0, relative in any::<bool>(), excused in 0_u32..3,
        base in prop::option::of(0.0_f64..200.0), best in prop::option::of(0.0_f64..200.0),
        a in 0.0_f64..200.0, b in 0.0_f64..200.0,
    ) {
        let (low, high) = (a.min(b), a.max(b));
        let of = |kind: LimitKind, better, value: f64| {
            let mut rule = Rule { better, ..rule(name, kind, bound) };
            rule.limits[0].relative = relative && kind.needs_base();
            let best = best.map(|value| Best { metric: name.into(), scope: None, value, from: "x".into() });
            let world = World {
                now: measured(name, &[value]),
                base: base.map(|base| (measured(name, &[base]), BTreeMap::new())),
                best: best.into_iter().collect(),
                excused: BTreeMap::from([(name.to_owned(), f64::from(excused))]),
                ..World::default()
            };
            rank(world.verdicts(rule)[0])
        };
        for kind in [LimitKind::Min, LimitKind::WarnBelow, LimitKind::MaxDrop, LimitKind::Ratchet] {
            prop_assert!(of(kind, Better::Higher, high) <= of(kind, Better::Higher, low), "{:?} of {}", kind, name);
        }
        for kind in [LimitKind::Max, LimitKind::WarnAbove, LimitKind::MaxRise, LimitKind::Ratchet] {
            prop_assert!(of(kind, Better::Lower, low) <= of(kind, Better::Lower, high), "{:?} of {}", kind, name);
        }
    }

    /// A line that runs from now on never worsens what a rule says of any part that it is in.
    #[test]
    fn covering_a_line_never_worsens_any_part(
        (world, rule) in any_world(), at in any::<prop::sample::Index>(), kind in 0_usize..3, percent in any::<bool>(),
    ) {
        let metric = if percent { "coverage.lines.percent" } else { "coverage.lines.covered" };
        let kind = [LimitKind::Min, LimitKind::MaxDrop, LimitKind::Ratchet][kind];
        let limits = vec![Limit { kind, ..rule.limits[0].clone() }];
        let scope = if matches!(rule.scope, Scope::Project) { Scope::Each(Each::Folder, None) } else { rule.scope.clone() };
        let rule = Rule { metric: metric.into(), limits, scope, better: Better::Higher, ..rule };
        let mut better = world.clone();
        let open: Vec<(String, u32)> = world
            .files
            .iter()
            .flat_map(|(path, file)| file.missed.iter().map(|line| (path.clone(), line)))
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let (path, line) = at.get(&open);
        let file = better.files.get_mut(path).unwrap();
        file.covered.insert(*line);
        file.missed = file.missed.iter().filter(|one| one != line).collect();
        file.totals.lines.covered += 1;
        let judged = |world: &World| world.judge(rule.clone(), &Asked::Everything);
        for (before, after) in judged(&world).into_iter().zip(judged(&better)) {
            prop_assert_eq!(&before.scope, &after.scope);
            prop_assert!(rank(after.verdict) <= rank(before.verdict), "{:?}\n{:?}", before, after);
        }
    }

    /// The same of changed lines, with and without relief of a small patch: new ones, touched ones, lost ones.
    #[test]
    fn covering_a_changed_line_never_worsens_a_rule_on_the_patch(
        (world, rule) in any_world(), patch in changes(), at in any::<prop::sample::Index>(), metric in 0_usize..3,
        bound in 0.0_f64..100.0, min_lines in 0_u64..9,
    ) {
        let (metric, kind) = [
            (metric::PATCH_PERCENT, LimitKind::Min), (metric::TOUCHED, LimitKind::Max), (metric::LOST, LimitKind::Max),
        ][metric];
        let limits = vec![Limit { kind, bound, relative: false, text: text::number(bound) }];
        let rule = Rule { metric: metric.into(), limits, min_lines, ..rule };
        let open: Vec<(usize, u32)> = patch
            .files
            .iter()
            .enumerate()
            .flat_map(|(file, of)| of.uncovered.iter().chain(of.touched.iter()).map(move |line| (file, line)))
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let (file, line) = *at.get(&open);
        let mut better = patch.clone();
        let changed = &mut better.files[file];
        for lines in [&mut changed.uncovered, &mut changed.touched, &mut changed.lost] {
            *lines = lines.iter().filter(|one| *one != line).collect();
        }
        changed.covered.insert(line);
        let judged = |patch: &Patch| {
            let now = measured_patch(metric, None, Some(patch));
            World { now, patch: Some(patch.clone()), ..world.clone() }.judge(rule.clone(), &Asked::Everything)
        };
        for (before, after) in judged(&patch).into_iter().zip(judged(&better)) {
            prop_assert_eq!(&before.scope, &after.scope);
            prop_assert!(rank(after.verdict) <= rank(before.verdict), "{:?}\n{:?}", before, after);
        }
    }
}
