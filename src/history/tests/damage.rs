//! Files that are not what they should be.

use super::*;

#[test]
fn a_damaged_file_is_set_aside_once_and_a_whole_one_is_left_alone() {
    let (folder, store) = store();
    store.add(&mut record(1)).unwrap();
    let rebuilt = std::cell::Cell::new(0);
    let count = |_: &Store, _: &str| {
        rebuilt.set(rebuilt.get() + 1);
        Ok(())
    };
    assert!(store.replace_damaged(at(0), count).unwrap().is_none());
    std::fs::write(store.path(), "no database at all, but long enough to be looked at as if it were one").unwrap();
    for question in [store.ids().err(), store.add(&mut record(2)).err(), store.check().err()] {
        assert!(matches!(question, Some(Error::Damaged { .. })), "{question:?}");
    }
    let (aside, ()) = store.replace_damaged(at(0), count).unwrap().unwrap();
    assert!(std::fs::read_to_string(&aside).unwrap().starts_with("no database"));
    assert!(store.replace_damaged(at(0), count).unwrap().is_none());
    assert_eq!((rebuilt.get(), store.ids().unwrap().len()), (1, 0));
    drop(folder);
}

#[test]
fn bytes_changed_anywhere_never_panic_and_never_pass_for_another_record() {
    let (_folder, store) = store();
    let mut records: Vec<_> = (0..6).map(record).collect();
    for record in &mut records {
        record.tests = (0..70)
            .map(|at| TestRecord { identity: identity("unit", &format!("n{at:02}")), test: test(Outcome::Passed, 0.1) })
            .collect();
        record.lines.insert("a.rs".into(), FileLines { covered: (1..90).collect(), ..FileLines::default() });
    }
    add_all(&store, &mut records);
    let whole = std::fs::read(store.path()).unwrap();
    // A fixed linear congruential sequence: the same changes on every machine.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut noticed = 0;
    for _ in 0..120 {
        let mut bytes = whole.clone();
        for _ in 0..4 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(state >> 33).unwrap() % bytes.len();
            bytes[at] = state.to_le_bytes()[3];
        }
        std::fs::write(store.path(), bytes).unwrap();
        let _ = (store.check(), store.nearest(&["c3".into()]), store.samples(9, self::at(99), |_| true));
        let _ = (store.points("tests.total", None, &Filter::default(), 9), store.series());
        for record in &records {
            match store.get(&record.id) {
                // Names of tests have no checksum, everything else has.
                Ok(found) => assert_eq!(json(&Record { tests: record.tests.clone(), ..found }), json(record)),
                Err(_) => noticed += 1,
            }
        }
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{ending}", store.path()));
        }
    }
    assert!(noticed > 40, "{noticed}");
}
