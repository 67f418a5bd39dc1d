//! Export and import.

use super::*;

/// Every record of a store, as lines.
fn exported(store: &Store) -> Vec<u8> {
    let mut out = Vec::new();
    store.export(&Filter::default(), &mut out).unwrap().unwrap();
    out
}

fn import(store: &Store, mut lines: &[u8]) -> Imported {
    store.import(&mut lines).unwrap().unwrap()
}

#[test]
fn records_move_to_another_store_and_back_without_a_second_copy() {
    let (_one, here) = store();
    let (_two, there) = store();
    let mut records: Vec<_> = (0..300).map(record).collect();
    records[7].measurements.add("metrics.x".into(), Some("src"), &["a"], f64::NAN);
    records[8].tests.push(TestRecord { identity: identity("unit", "a"), test: test(Outcome::Failed, 0.1) });
    add_all(&here, &mut records);
    let lines = exported(&here);
    assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), 300);
    assert_eq!(import(&there, &lines), Imported { added: 300, ..Imported::default() });
    assert_eq!(exported(&there), lines);
    assert_eq!(import(&there, &lines), Imported { known: 300, ..Imported::default() });
    assert_eq!(import(&here, &lines), Imported { known: 300, ..Imported::default() });
    assert_eq!(here.nearest(&["c7".into()]).unwrap().unwrap().1.id, records[7].id);
}

#[test]
fn another_record_of_the_same_name_is_renamed_once() {
    let (_one, here) = store();
    let (_two, there) = store();
    let mut mine = record(1);
    here.add(&mut mine).unwrap();
    let mut theirs = Record { duration_ms: 1, ..record(1) };
    there.add(&mut theirs).unwrap();
    let lines = exported(&there);
    let imported = import(&here, &lines);
    assert_eq!((imported.added, imported.problems.len()), (1, 1));
    assert_eq!((imported.problems[0].line, imported.problems[0].code.as_str()), (Some(1), RENAMED.id));
    let renamed = format!("{}~2", mine.id);
    assert_eq!(here.get(&renamed).unwrap(), Record { id: renamed.clone(), ..theirs });
    assert_eq!(import(&here, &lines), Imported { known: 1, ..Imported::default() });
    assert_eq!(here.get(&mine.id).unwrap(), mine);
}

#[test]
fn a_damaged_line_is_told_with_its_number_and_the_rest_goes_on() {
    let (_one, here) = store();
    let mut records: Vec<_> = (0..3).map(record).collect();
    add_all(&here, &mut records);
    let text = String::from_utf8(exported(&here)).unwrap();
    let good: Vec<_> = text.lines().collect();
    let newer = good[0].replace(SCHEMA, "mgmt.record/9");
    let liar = good[0].replace(&records[0].id, "20990101T000000000Z-gate-fail");
    let path = good[0].replace(&records[0].id, "../../x");
    let lines = format!("{}\n\n{{\"cut\n{newer}\n{liar}\n{path}\n[]\n\u{feff}x\n{}\r\n{}", good[0], good[1], good[2]);
    let (_two, there) = store();
    let imported = import(&there, lines.as_bytes());
    let (rest, told) = imported.problems.split_last().map(|(rest, told)| (Some(rest), told)).unwrap_or_default();
    let told: Vec<_> = told.iter().map(|problem| (problem.line.unwrap(), problem.code.as_str())).collect();
    assert_eq!(told, [(3, LINE.id), (4, LINE.id), (5, LINE.id), (6, LINE.id), (7, LINE.id)]);
    assert_eq!(rest.unwrap().message, "and 1 more place holds no record, the last in line 8");
    let version = "this is a record of another version: mgmt.record/9, and this program reads mgmt.record/1";
    assert_eq!(imported.problems[1].message, version);
    assert_eq!((imported.added, there.ids().unwrap()), (3, here.ids().unwrap()));
    // Bytes that are not text, and a file that ends in the middle of a line.
    let (_three, last) = store();
    let imported = import(&last, &[b"\xff\xfe\n", text.as_bytes(), &good[0].as_bytes()[..40]].concat());
    assert_eq!((imported.added, imported.problems.len()), (3, 2));
}

#[test]
fn what_a_report_says_gives_way_to_the_whole_record_and_never_the_reverse() {
    let (_one, here) = store();
    let whole = record(1);
    let mut partial = record(1);
    partial.problems.push(Problem::new(&PARTIAL, "made again"));
    assert!(here.add_partial(&mut partial).unwrap());
    assert_eq!(here.nearest(&["c1".into()]).unwrap(), None);
    assert!(here.list(&Filter::default(), 9).unwrap()[0].partial);
    here.protect(&whole.id).unwrap();

    let mut line = serde_json::to_vec(&whole).unwrap();
    assert_eq!(import(&here, &line), Imported { completed: 1, ..Imported::default() });
    assert_eq!(here.nearest(&["c1".into()]).unwrap(), Some((0, whole.clone())));
    assert!(here.list(&Filter::default(), 9).unwrap()[0].kept);
    line = serde_json::to_vec(&partial).unwrap();
    assert_eq!(import(&here, &line), Imported { known: 1, ..Imported::default() });
    assert!(!here.add_partial(&mut partial).unwrap());
    assert_eq!(here.get(&whole.id).unwrap(), whole);
}

#[test]
fn a_record_over_several_lines_is_one_and_a_cut_one_takes_nothing_along() {
    let (_one, here) = store();
    let mut records: Vec<_> = (0..4).map(record).collect();
    records[1].project.name = "{ [ \\\" {\n[".to_owned();
    add_all(&here, &mut records);
    let wide: Vec<_> = records.iter().map(|record| serde_json::to_string_pretty(record).unwrap()).collect();
    let narrow = String::from_utf8(exported(&here)).unwrap();
    let cut = &wide[2][..wide[2].len() / 2];
    let lines = format!("{cut}\n{}\r\n{}\n{cut}\n{narrow}", wide[0], wide[1]);
    let (_two, there) = store();
    let imported = import(&there, lines.as_bytes());
    assert_eq!((imported.added, imported.known, imported.problems.len()), (4, 2, 2), "{imported:?}");
    let line = 1 + [cut, &wide[0], &wide[1]].map(|text| text.lines().count()).iter().sum::<usize>();
    assert_eq!((imported.problems[0].line, imported.problems[1].line), (Some(1), Some(line as u64)));
    assert_eq!(exported(&there), narrow.as_bytes());
    let list = format!("[\n{},\n{}\n]\n{}", wide[0], wide[1], wide[2]);
    let (_three, last) = store();
    let imported = import(&last, list.as_bytes());
    assert_eq!((imported.added, imported.problems[0].line), (1, Some(1)));
    assert_eq!(imported.problems[0].message, "this is a list, and records stand one a line");
}

#[test]
fn what_else_an_import_may_be_given_is_told_once() {
    let (_one, here) = store();
    let told = |text: &str| {
        let problems = import(&here, text.as_bytes()).problems;
        problems.into_iter().map(|problem| (problem.message, problem.hint)).collect::<Vec<_>>()
    };
    let report = "{\n  \"schema\": \"mgmt.report/1\",\n  \"id\": \"}\",\n  \"rules\": [\n    {\n    }\n  ]\n}\n";
    let (message, hint) = &told(report)[0];
    assert_eq!(told(report).len(), 1);
    assert!(message.starts_with("this is a report (mgmt.report/1), not a record"), "{message}");
    assert!(hint.as_deref().is_some_and(|hint| hint.contains("`mgmt history export`")), "{hint:?}");
    let one_line = report.replace('\n', "");
    assert_eq!(told(&one_line), told(report));
    assert_eq!(
        told(r#"{"schema":"mgmt.record/9"}"#)[0].1.as_deref(),
        Some("update this program: a newer one wrote the record")
    );
    assert!(
        told(r#"{"schema":"mgmt.record/1"}"#)[0].0.contains("missing field"),
        "{:?}",
        told(r#"{"schema":"mgmt.record/1"}"#)
    );
    assert_eq!(told(r#"{"schema":"other\u001b"}"#)[0].0, r"`other\u{1b}` is not mgmt.record/1");
    let many = told(&"no record\n".repeat(1000));
    assert_eq!((many.len(), many[5].0.as_str()), (6, "and 995 more places hold no record, the last in line 1000"));
    assert_eq!(many[5].1, None);
}
