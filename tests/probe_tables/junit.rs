//! JUnit XML, as misread by junitparser, test_results_parser and junit-to-ctrf.

use super::*;

fn junit(text: impl AsRef<[u8]>) -> Evidence {
    read_as(Kind::Tests, text.as_ref(), Repeats::Worst)
}

/// total, passed, failed, errors, skipped, flaky.
fn counts(evidence: &Evidence) -> [u64; 6] {
    let sum = evidence.tests.summary();
    [sum.total, sum.passed, sum.failed, sum.errors, sum.skipped, sum.flaky]
}

/// The counts of a report that is read without a loss.
#[track_caller]
fn whole(text: impl AsRef<[u8]>) -> [u64; 6] {
    let told = junit(text);
    assert_eq!(losses(&told), [] as [&str; 0]);
    counts(&told)
}

fn only(evidence: &Evidence) -> (&Identity, &Test) {
    let mut all = evidence.tests.iter();
    let first = all.next().expect("a test");
    assert!(all.next().is_none());
    first
}

/// The one test of a suite that holds this.
#[track_caller]
fn case(text: &str) -> (Identity, Test) {
    let told = junit(format!("<testsuite name=\"s\">{text}</testsuite>"));
    assert_eq!(losses(&told), [] as [&str; 0]);
    let (identity, test) = only(&told);
    (identity.clone(), test.clone())
}

fn message(test: &Test) -> &str {
    test.message.as_deref().unwrap_or_default()
}

#[test]
fn a_self_closing_failure_or_error_is_no_pass() {
    assert_eq!(
        whole(
            r#"<testsuite><testcase name="a"><failure/></testcase><testcase name="b"><failure message="m"/></testcase></testsuite>"#
        ),
        [2, 0, 2, 0, 0, 0]
    );
    assert_eq!(whole(r#"<testsuite><testcase name="a"><error/></testcase></testsuite>"#), [1, 0, 1, 1, 0, 0]);
}

#[test]
fn failure_and_error_in_one_case_are_one_error() {
    assert_eq!(whole(r#"<testsuite><testcase name="a"><failure/><error/></testcase></testsuite>"#), [1, 0, 1, 1, 0, 0]);
    assert_eq!(
        whole(r#"<testsuite><testcase name="a"><skipped/><failure/></testcase></testsuite>"#),
        [1, 0, 1, 0, 0, 0]
    );
}

#[test]
fn failure_text_in_cdata_is_kept() {
    let (_, test) = case(r#"<testcase name="a"><failure message="m"><![CDATA[a <b> && c]]></failure></testcase>"#);
    assert_eq!(message(&test), "m\na <b> && c");
}

#[test]
fn cdata_and_escaped_text_alternate() {
    let (_, test) = case(r#"<testcase name="a"><failure>x &lt;<![CDATA[ & ]]>&gt; y<![CDATA[]]></failure></testcase>"#);
    assert_eq!(message(&test), "x < & > y");
}

#[test]
fn a_file_cut_in_the_middle_keeps_its_finished_cases() {
    let told = junit(
        "<testsuites><testsuite name=\"s\" tests=\"3\"><testcase name=\"a\"/><testcase name=\"b\"><failure/></testcase><testcase name=\"c\" ti",
    );
    assert_eq!(counts(&told), [2, 1, 1, 0, 0, 0]);
    assert_eq!(codes(&told), ["evidence.truncated"]);
    // Cut after its outcome, before its end.
    let told = junit("<testsuite><testcase name=\"a\"><failure message=\"no\"/><system-out>lo");
    assert_eq!(counts(&told), [1, 0, 1, 0, 0, 0]);
    assert_eq!(losses(&told).len(), 1);
    // Cut between two cases.
    let told = junit("<testsuite><testcase name=\"a\"/>\n");
    assert_eq!((counts(&told), codes(&told)), ([1, 1, 0, 0, 0, 0], vec!["evidence.truncated"]));
}

#[test]
fn escape_characters_raw_and_as_references() {
    let (identity, test) = case(
        "<testcase name=\"\u{1b}[31ma\u{1b}[0m\"><failure message=\"&#27;[1mb\">\u{1b}c&#x1b;d</failure></testcase>",
    );
    assert_eq!(&*identity.name, "\u{1b}[31ma\u{1b}[0m");
    assert_eq!(message(&test), "\u{1b}[1mb\n\u{1b}c\u{1b}d");
}

#[test]
fn raw_nul_and_its_reference() {
    let (identity, test) = case("<testcase name=\"a\0b\"><failure>c\0d&#0;e</failure></testcase>");
    assert_eq!((&*identity.name, message(&test)), ("a\0b", "c\0d&#0;e"));
}

#[test]
fn lone_surrogates_raw_and_as_references() {
    let told =
        junit(b"<testsuite><testcase name=\"a\xed\xa0\x80b\"><failure>c&#xD800;d</failure></testcase></testsuite>");
    let (identity, test) = only(&told);
    assert_eq!((&*identity.name, message(test)), ("a\u{fffd}\u{fffd}\u{fffd}b", "c&#xD800;d"));
    assert_eq!(codes(&told), ["evidence.encoding"]);
    assert_eq!(
        told.problems[0].message,
        "3 bytes that are no text in the encoding of the report were replaced by U+FFFD"
    );
}

#[test]
fn bytes_that_are_not_utf8_in_attributes_text_and_names() {
    let told = junit(b"<testsuite name=\"\xff\"><testcase name=\"a\xe4\" b\xff=\"1\"><failure message=\"\xc3\">x\xfey</failure><system-out>\xf0\x9f</system-out></testcase><testcase name=\"z\"/></testsuite>");
    assert_eq!(counts(&told), [2, 1, 1, 0, 0, 0]);
    assert_eq!(codes(&told), ["evidence.encoding"]);
    assert!(told.problems[0].message.starts_with("7 bytes "));
}

#[test]
fn a_declared_encoding() {
    let told = junit(
        b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><testsuite><testcase name=\"gr\xf6\xdfe\"/></testsuite>",
    );
    assert_eq!(&*only(&told).0.name, "größe");
    assert_eq!(codes(&told), ["evidence.encoding"]);
    assert_eq!(
        &*only(&junit("<?xml version=\"1.0\" encoding=\"utf-16\"?><testsuite><testcase name=\"größe\"/></testsuite>"))
            .0
            .name,
        "größe"
    );
}

#[test]
fn marks_line_ends_utf16_and_gzip() {
    let text = "<?xml version=\"1.0\"?>\r\n<testsuite>\r\n<testcase name=\"ä\">\r\n<failure>x\r\ny</failure>\r\n</testcase>\r\n</testsuite>\r\n";
    let wide = |mark: &str, order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        mark.encode_utf16().chain(text.encode_utf16()).flat_map(order).collect()
    };
    assert_eq!(codes(&junit(text)), [] as [&str; 0]);
    for bytes in [
        format!("\u{feff}{text}").into_bytes(),
        wide("\u{feff}", u16::to_le_bytes),
        wide("\u{feff}", u16::to_be_bytes),
        wide("", u16::to_le_bytes),
        wide("", u16::to_be_bytes),
        gzip(text.as_bytes()),
        gzip(&wide("\u{feff}", u16::to_le_bytes)),
    ] {
        let told = junit(bytes);
        assert_eq!(&*only(&told).0.name, "ä");
        assert_eq!(counts(&told), [1, 0, 1, 0, 0, 0]);
        assert_eq!(codes(&told), ["evidence.encoding"]);
    }
}

#[test]
fn nothing_in_it_is_never_a_pass() {
    for text in [
        "<testsuites/>",
        "<testsuites></testsuites>",
        "<testsuites tests=\"0\"><testsuite name=\"s\" tests=\"0\"/></testsuites>",
        "",
        "\n",
    ] {
        let told = junit(text);
        assert_eq!((counts(&told), codes(&told)), ([0; 6], vec!["evidence.empty"]), "{text}");
    }
}

#[test]
fn a_suite_with_only_an_error() {
    let told =
        junit(r#"<testsuites><testsuite name="broken"><error message="no such module"/></testsuite></testsuites>"#);
    assert_eq!((counts(&told), losses(&told)), ([1, 0, 1, 1, 0, 0], vec![]));
    let (identity, test) = only(&told);
    assert_eq!((&*identity.name, message(test)), ("broken", "no such module"));
}

#[test]
fn every_spelling_of_skipped() {
    for text in [
        r#"<testcase name="a"><skipped/></testcase>"#,
        r#"<testcase name="a"><skipped message="later"/></testcase>"#,
        r#"<testcase name="a"><skipped type="pytest.xfail" message="known"/></testcase>"#,
        r#"<testcase name="a" status="disabled"/>"#,
        r#"<testcase name="a" status="disabled"><skipped message="Disabled"/></testcase>"#,
        r#"<testcase name="a" status="notrun"/>"#,
        r#"<testcase name="a" status="notrun" result="suppressed"/>"#,
        r#"<testcase name="a" status="ignored"/>"#,
    ] {
        assert_eq!(case(text).1.outcome, Outcome::Skipped, "{text}");
    }
    assert_eq!(case(r#"<testcase name="a" status="run" result="completed"/>"#).1.outcome, Outcome::Passed);
    assert_eq!(case(r#"<testcase name="a" status="fail"/>"#).1.outcome, Outcome::Failed);
}

#[test]
fn a_test_that_ctest_could_not_start_is_no_skip() {
    let (_, test) = case(
        r#"<testcase name="a" status="notrun"><skipped message="Unable to find executable"/><system-out>Unable to find executable: b</system-out></testcase>"#,
    );
    assert_eq!((test.outcome, message(&test)), (Outcome::Errored, "Unable to find executable"));
    let (_, test) =
        case(r#"<testcase name="a" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/></testcase>"#);
    assert_eq!(test.outcome, Outcome::Skipped);
}

#[test]
fn the_known_failure_of_a_test_to_be_done() {
    let text = r#"<testcase name="a" failure="1 == 2"><skipped type="todo" message="true"/><failure type="testCodeFailure" message="1 == 2"/></testcase>"#;
    assert_eq!(case(text).1.outcome, Outcome::Skipped);
}

#[test]
fn a_case_without_a_time() {
    let (_, test) = case(r#"<testcase name="a"/>"#);
    assert_eq!((test.outcome, test.seconds), (Outcome::Passed, 0.0));
}

#[test]
fn times_of_every_form() {
    for (time, seconds) in [
        ("1,234.5", 1234.5),
        ("0.001", 0.001),
        ("12", 12.0),
        ("1e-3", 0.001),
        ("NaN", 0.0),
        ("", 0.0),
        ("-1", 0.0),
        ("soon", 0.0),
    ] {
        assert_eq!(case(&format!("<testcase name=\"a\" time=\"{time}\"/>")).1.seconds, seconds, "{time}");
    }
}

#[test]
fn a_case_without_a_name_is_counted_and_told() {
    let told = junit(r#"<testsuite><testcase classname="c"/><testcase name="b"/></testsuite>"#);
    assert_eq!((counts(&told), codes(&told)), ([2, 2, 0, 0, 0, 0], vec!["evidence.repaired"]));
}

#[test]
fn a_declared_flaky_failure_is_a_flaky_pass() {
    for kind in ["flakyFailure", "flakyError"] {
        let (_, test) = case(&format!(
            "<testcase name=\"a\"><{kind} message=\"m\" type=\"T\"><stackTrace>x</stackTrace><system-out>o</system-out></{kind}></testcase>"
        ));
        assert_eq!((test.outcome, test.flaky, test.attempts), (Outcome::Passed, true, 2));
    }
}

#[test]
fn a_declared_rerun_that_failed_again_is_one_failure() {
    for kind in ["rerunFailure", "rerunError"] {
        let (_, test) = case(&format!(
            "<testcase name=\"a\"><failure message=\"first\"/><{kind} message=\"m\"><stackTrace>x</stackTrace></{kind}><{kind}/></testcase>"
        ));
        assert_eq!((test.outcome, test.flaky, test.attempts, message(&test)), (Outcome::Failed, false, 3, "first"));
    }
}

#[test]
fn a_flaky_test_that_its_project_fails() {
    let (_, test) =
        case(r#"<testcase name="a"><failure message="flaky tests are failures here"/><flakyFailure/></testcase>"#);
    assert_eq!((test.outcome, test.flaky, test.attempts), (Outcome::Failed, true, 2));
}

#[test]
fn a_repeated_name_counts_once_as_its_worst_or_as_told() {
    let text = r#"<testsuite><testcase name="a" classname="c"><failure/></testcase><testcase name="a" classname="c"/></testsuite>"#;
    assert_eq!(counts(&junit(text)), [1, 0, 1, 0, 0, 1]);
    assert_eq!(counts(&read_as(Kind::Tests, text.as_bytes(), Repeats::Last)), [1, 1, 0, 0, 0, 1]);
}

#[test]
fn a_teardown_error_in_a_second_case_of_the_same_name() {
    let text = r#"<testsuite name="pytest" errors="1" failures="1" tests="1"><testcase classname="t" name="a" time="0.1"><failure message="no"/></testcase><testcase classname="t" name="a" time="0.1"><error message="teardown"/></testcase></testsuite>"#;
    let told = junit(text);
    assert_eq!((counts(&told), losses(&told)), ([1, 0, 1, 1, 0, 0], vec![]));
    assert_eq!(message(only(&told).1), "teardown");
}

#[test]
fn a_suite_that_failed_to_run_as_jest_writes_it() {
    assert_eq!(
        whole(
            r#"<testsuites name="jest tests" tests="1" failures="0" errors="1"><testsuite name="undefined" errors="1" tests="1"><testcase classname="Test suite failed to run" name="a.test.js" time="0"><error>Cannot find module</error></testcase></testsuite></testsuites>"#
        ),
        [1, 0, 1, 1, 0, 0]
    );
}

#[test]
fn an_unfinished_go_test() {
    assert_eq!(
        whole(
            r#"<testsuites><testsuite name="pkg" tests="1" errors="1"><testcase name="TestA" classname="pkg"><error message="No test result found">x</error></testcase></testsuite></testsuites>"#
        ),
        [1, 0, 1, 1, 0, 0]
    );
}

#[test]
fn sums_of_nested_suites_are_not_added() {
    let text = r#"<testsuites><testsuite name="project" tests="3" failures="1" time="9"><testsuite name="PriceTest" file="/app/PriceTest.php" tests="3" failures="1"><testcase name="one" class="PriceTest" classname="PriceTest" file="/app/PriceTest.php" line="9"/><testsuite name="PriceTest::two" tests="2" failures="1"><testcase name="two with data set #0" class="PriceTest" classname="PriceTest"/><testcase name="two with data set #1" class="PriceTest" classname="PriceTest"><failure/></testcase></testsuite></testsuite></testsuite></testsuites>"#;
    let told = junit(text);
    assert_eq!((counts(&told), codes(&told)), ([3, 2, 1, 0, 0, 0], vec![]));
    let (identity, test) = told.tests.iter().next().unwrap();
    assert_eq!(
        (&*identity.suite, &*identity.class, &*identity.file, test.line),
        ("project > PriceTest", "PriceTest", "/app/PriceTest.php", Some(9))
    );
    assert_eq!(&*told.tests.iter().nth(1).unwrap().0.file, "/app/PriceTest.php");
}

#[test]
fn a_bare_suite_and_no_root_at_all() {
    assert_eq!(whole(r#"<testsuite name="s"><testcase name="a"/></testsuite>"#), [1, 1, 0, 0, 0, 0]);
    let told = junit(r#"<testcase name="a"/><testcase name="b"><failure/></testcase>"#);
    assert_eq!((counts(&told), codes(&told)), ([2, 1, 1, 0, 0, 0], vec!["evidence.repaired"]));
}

#[test]
fn several_roots_in_one_file() {
    let one = |name: &str| {
        format!(
            "<?xml version=\"1.0\"?>\n<testsuites><testsuite name=\"{name}\" tests=\"1\"><testcase name=\"a\"/></testsuite></testsuites>\n"
        )
    };
    assert_eq!(whole(one("s") + &one("t")), [2, 2, 0, 0, 0, 0]);
    assert_eq!(
        whole(
            r#"<testsuite name="s"><testcase name="a"/></testsuite><testsuite name="t"><testcase name="a"/></testsuite>"#
        ),
        [2, 2, 0, 0, 0, 0]
    );
    // Each with its own mark, as files are joined by `cat`.
    assert_eq!(whole(format!("\u{feff}{}\u{feff}{}", one("s"), one("t"))), [2, 2, 0, 0, 0, 0]);
}

#[test]
fn missing_and_wrong_totals_are_recomputed() {
    assert_eq!(
        whole(r#"<testsuites><testsuite name="s"><testcase name="a"/></testsuite></testsuites>"#),
        [1, 1, 0, 0, 0, 0]
    );
    let told = junit(
        r#"<testsuites tests="9" failures="9"><testsuite name="s" tests="7" failures="2" disabled="1"><testcase name="a"/></testsuite></testsuites>"#,
    );
    assert_eq!((counts(&told), codes(&told)), ([1, 1, 0, 0, 0, 0], vec!["evidence.changed"]));
}

#[test]
fn totals_of_a_suite_without_cases() {
    let told = junit(r#"<testsuite name="s" tests="5" failures="2"/>"#);
    assert_eq!((counts(&told), codes(&told)), ([1, 0, 1, 0, 0, 0], vec!["evidence.totals-only"]));
}

#[test]
fn what_makes_a_test_the_same_test() {
    let (identity, test) = case(r#"<testcase classname="c" name="n[1]" file="t.py" line="3"/>"#);
    assert_eq!(
        (&*identity.suite, &*identity.class, &*identity.name, &*identity.file, test.line),
        ("s", "c", "n[1]", "t.py", Some(3))
    );
    assert_eq!(&*case(r#"<testcase name="n" filepath="t.js"/>"#).0.file, "t.js");
    assert_eq!(
        whole(
            r#"<testsuite name="s"><testcase classname="c" name="n[1]"/><testcase classname="c" name="n[2]"/><testcase classname="d" name="n[1]"/><testcase classname="c" name="n[1]" file="x"/></testsuite>"#
        ),
        [4, 4, 0, 0, 0, 0]
    );
}

#[test]
fn line_breaks_in_attributes() {
    let (_, test) = case("<testcase name=\"a\"><failure message=\"one&#10;two\"/></testcase>");
    assert_eq!(message(&test), "one\ntwo");
}

#[test]
fn what_pytest_writes_for_a_control_character_stays() {
    assert_eq!(&*case("<testcase name=\"a[#x1B]\"/>").0.name, "a[#x1B]");
}

#[test]
fn huge_output_of_a_test_is_passed_over() {
    let text = format!(
        "<testsuite><testcase name=\"a\"><system-out>{}</system-out><failure/></testcase></testsuite>",
        "x<>&y\n".repeat(6 << 20)
    );
    assert_eq!(whole(text), [1, 0, 1, 0, 0, 0]);
}

#[test]
fn entities_of_the_document_are_never_resolved() {
    let (identity, _) = {
        let told = junit(
            "<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b SYSTEM \"file:///etc/passwd\">]><testsuite><testcase name=\"&a;&b;\"/></testsuite>",
        );
        let (identity, test) = only(&told);
        (identity.clone(), test.clone())
    };
    assert_eq!(&*identity.name, "&a;&b;");
}

#[test]
fn deep_nesting_is_bounded() {
    let told = junit(format!(
        "<testsuites><testsuite name=\"t\"><testcase name=\"a\"/></testsuite>{}",
        "<testsuite name=\"s\">".repeat(10_000)
    ));
    assert_eq!((counts(&told), codes(&told)), ([1, 1, 0, 0, 0, 0], vec!["evidence.limit"]));
}

#[test]
fn an_attribute_of_100_mb_is_bounded() {
    let told = junit(format!(
        "<testsuite name=\"s\"><testcase name=\"a\"/><testcase name=\"{}\"/></testsuite>",
        "x".repeat(100 << 20)
    ));
    assert_eq!((counts(&told), codes(&told)), ([1, 1, 0, 0, 0, 0], vec!["evidence.limit"]));
}
