//! Inputs that once broke a body, as small as they could be made.

use super::none_of;

/// The target, what was wrong, and the input.
fn found() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let nested = format!("{{\"a\": {}{}}}", "[".repeat(300), "]".repeat(300));
    let long = "n".repeat(5_000);
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        (
            "libtest",
            "sums of a summary overflowed",
            text("running 1 test\ntest a ... ok\ntest result: ok. 18446744073709551615 passed; 9 failed; 0 ignored\n"),
        ),
        (
            "junit",
            "declared failures overflowed",
            text("<testsuite failures='18446744073709551615' errors='2'><testcase name='a'/></testsuite>"),
        ),
        (
            "istanbul-summary",
            "the totals of files overflowed",
            text(&format!("{{{}}}", ["a", "b"].map(|file| format!("\"{file}\": {{\"lines\": {{\"total\": 18446744073709551615, \"covered\": 18446744073709551615}}}}")).join(","))),
        ),
        (
            "llvm",
            "more lines were covered than there are",
            text("{\"data\":[{\"files\":[{\"filename\":\"a.rs\",\"summary\":{\"lines\":{\"covered\":19},\"functions\":{\"count\":5,\"covered\":3}}}]}],\"type\":\"llvm.coverage.json.export\",\"version\":\"3.1.0\"}"),
        ),
        (
            "go-json",
            "a negative time",
            text("{\"Action\":\"pass\",\"Package\":\"p\",\"Test\":\"T\",\"Elapsed\":-0.5}\n{\"Action\":\"pass\",\"Package\":\"p\",\"Elapsed\":-1}\n"),
        ),
        (
            "junit",
            "times that add up to infinity",
            text("<testsuite><testcase name='a' time='1e308'/><testcase name='b' time='1e308'/></testsuite>"),
        ),
        ("go-json", "a test without a name", text("{\"Action\":\"build-fail\",\"ImportPath\":\"\"}\n{\"Action\":\"fail\",\"Package\":\"\"}\n")),
        (
            "jacoco",
            "a billion branches on one line were held one by one",
            text("<report name='r'><package name='p'><sourcefile name='A.java'><line nr='1' mi='0' ci='1' mb='4294967295' cb='4294967295'/></sourcefile></package></report>"),
        ),
        (
            "simplecov",
            "a branch on line 0",
            text("{\"R\":{\"coverage\":{\"a.rb\":{\"lines\":[1],\"branches\":{\"[:if, 0, 0, 4, 6, 7]\":{\"[:then, 1, 0, 6, 0, 9]\":1}}}},\"timestamp\":1}}"),
        ),
        ("istanbul", "a problem on line 0", text("\"\"")),
        ("istanbul", "levels that are closed at once were not counted", text(&nested)),
        (
            "lcov",
            "two functions of one name were written as one",
            text("SF:a\nFN:1,f\nFNDA:1,f\nDA:1,1\nend_of_record\nSF:a\nFN:9,f\nFNDA:0,f\nDA:9,0\nend_of_record\n"),
        ),
        ("lcov", "names without a bound", text(&format!("SF:{long}\nFN:1,{long}\nFNDA:1,{long}\nDA:1,1\nend_of_record\n"))),
        (
            "lcov",
            "a name that looks like a line number was written as one",
            text("SF:a\nFNL:1,3\nFNA:1,1,7,f\nDA:1,1\nend_of_record\n"),
        ),
        ("csv", "names without a bound", text(&format!("name,{long}\n{long},1\n"))),
        ("junit", "a file name without a bound", text(&format!("<testsuite><testcase name='a' file='{long}'/></testsuite>"))),
        ("junit", "suites without a bound", text(&format!("{}<testcase name='a'/>{}", format!("<testsuite name='{}'>", &long[..4_000]).repeat(3), "</testsuite>".repeat(3)))),
        ("tap", "held failures past the bound were dropped", text("1..1\nnot ok 1 - a {\n    1..5\n    not ok 1\n    not ok 2\n    not ok 3\n    not ok 4\n    not ok 5\n}\n")),
        ("trx", "a failed test that held before was written as one that never did", text("<TestRun><Results><UnitTestResult testId='1' testName='M' outcome='Passed'/><UnitTestResult testId='1' testName='M' outcome='Failed'/></Results></TestRun>")),
    ]
}

#[test]
fn what_was_found_holds() {
    none_of(|target| {
        found().iter().filter(|(of, ..)| *of == target).find_map(|(_, what, bytes)| super::failure(target, what, bytes))
    });
}
