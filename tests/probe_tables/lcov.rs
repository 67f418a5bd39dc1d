//! lcov tracefiles, as misread by grcov, diff-cover, lcov-parse and octocov.

use mgmt_action::evidence::sink::Ratio;

use super::*;

fn lcov(text: impl AsRef<[u8]>) -> Evidence {
    read_as(Kind::Coverage, text.as_ref(), Repeats::Worst)
}

/// Path and lines of the files of a report.
fn files(evidence: &Evidence) -> Vec<(&str, Vec<(u32, u64)>)> {
    evidence.coverage.files().map(|(path, file)| (path, file.lines().collect())).collect()
}

/// The lines of a report of one file that is read without a loss.
#[track_caller]
fn lines(text: impl AsRef<[u8]>) -> Vec<(u32, u64)> {
    let told = lcov(text);
    assert_eq!(losses(&told), [] as [&str; 0]);
    assert_eq!(told.coverage.files().count(), 1);
    files(&told).remove(0).1
}

fn ratio(covered: u64, total: u64) -> Ratio {
    Ratio { covered, total }
}

#[test]
fn a_comment_first() {
    assert_eq!(lines("# by hand\nTN:\nSF:a.c\nDA:1,2\nend_of_record\n"), [(1, 2)]);
}

#[test]
fn a_byte_order_mark_first() {
    let told = lcov("\u{feff}SF:a.c\nDA:1,2\nend_of_record\n");
    assert_eq!(files(&told), [("a.c", vec![(1, 2)])]);
    assert_eq!(codes(&told), ["evidence.encoding"]);
}

#[test]
fn utf16_and_gzip() {
    let text = "TN:\nSF:a.c\nDA:1,2\nend_of_record\n";
    let wide: Vec<u8> =
        "\u{feff}".chars().chain(text.chars()).map(u32::from).flat_map(|ch| [ch as u8, (ch >> 8) as u8]).collect();
    for bytes in [wide.clone(), gzip(text.as_bytes()), gzip(&wide)] {
        let told = lcov(bytes);
        assert_eq!(files(&told), [("a.c", vec![(1, 2)])]);
        assert_eq!(codes(&told), ["evidence.encoding"]);
    }
}

#[test]
fn a_function_with_an_end_line() {
    let told = lcov("SF:a.c\nFN:1,4,f\nFNDA:3,f\nFNF:1\nFNH:1\nDA:1,3\nend_of_record\n");
    assert_eq!((told.coverage.summary().functions, losses(&told)), (ratio(1, 1), vec![]));
}

#[test]
fn a_function_name_with_a_comma() {
    let told = lcov(
        "SF:a.c\nFN:1,f(int, char)\nFN:2,9,g(int, char)\nFNDA:3,f(int, char)\nFNDA:0,g(int, char)\nDA:1,3\nend_of_record\n",
    );
    assert_eq!((told.coverage.summary().functions, losses(&told)), (ratio(1, 2), vec![]));
}

#[test]
fn functions_of_lcov_2_2() {
    let told = lcov("SF:a.c\nFNL:0,1,4\nFNA:0,3,f\nFNL:1,6,9\nFNA:1,0,g<a, b>\nFNF:2\nFNH:1\nDA:1,3\nend_of_record\n");
    assert_eq!((told.coverage.summary().functions, losses(&told)), (ratio(1, 2), vec![]));
}

#[test]
fn branches_in_free_text_with_commas() {
    let told = lcov("SF:a.c\nDA:1,1\nBRDA:1,0,if (a, b),1\nBRDA:1,0,else (a, b),-\nend_of_record\n");
    assert_eq!((told.coverage.summary().branches, losses(&told)), (ratio(1, 2), vec![]));
}

#[test]
fn exception_branches_count_and_unreachable_ones_do_not() {
    let told = lcov("SF:a.c\nDA:1,1\nBRDA:1,e0,0,1\nBRDA:1,f0,1,0\nBRDA:1,U0,2,0\nend_of_record\n");
    assert_eq!((told.coverage.summary().branches, losses(&told)), (ratio(1, 2), vec![]));
}

#[test]
fn mcdc_records() {
    assert_eq!(lines("SF:a.c\nDA:1,1\nMCDC:1,2,t,1,0,a,b\nMCF:2\nMCH:1\nend_of_record\n"), [(1, 1)]);
}

#[test]
fn a_count_in_floating_form() {
    assert_eq!(lines("SF:a.c\nDA:1,1.5e3\nDA:2,7.0\nDA:3,0.0\nend_of_record\n"), [(1, 1500), (2, 7), (3, 0)]);
}

#[test]
fn a_checksum() {
    assert_eq!(lines("SF:a.c\nDA:1,3,bWQ1Cg==\nend_of_record\n"), [(1, 3)]);
}

#[test]
fn a_count_over_64_bits() {
    assert_eq!(lines("SF:a.c\nDA:1,99999999999999999999999\nend_of_record\n"), [(1, u64::MAX)]);
}

#[test]
fn a_negative_count_is_not_covered() {
    assert_eq!(lines("SF:a.c\nDA:1,-1\nend_of_record\n"), [(1, 0)]);
}

#[test]
fn a_count_that_is_no_number() {
    assert_eq!(
        lines("SF:a.c\nDA:1,\nDA:2,-\nDA:3,undefined\nDA:4,1\nend_of_record\n"),
        [(1, 0), (2, 0), (3, 0), (4, 1)]
    );
}

#[test]
fn line_0() {
    assert_eq!(lines("SF:a.py\nDA:0,1\nBRDA:0,0,0,1\nDA:1,1\nend_of_record\n"), [(1, 1)]);
}

#[test]
fn a_last_record_without_its_end() {
    let told = lcov("SF:a.c\nDA:1,1\nend_of_record\nSF:b.c\nDA:1,2\nLF:1\nLH:1\n");
    assert_eq!(files(&told), [("a.c", vec![(1, 1)]), ("b.c", vec![(1, 2)])]);
    assert_eq!(losses(&told), [] as [&str; 0]);
    // Branches may stand behind the count of lines: here they still could.
    let first = "SF:a.c\nDA:1,1\nLF:1\nLH:1\n";
    assert_eq!(losses(&lcov(first)), ["the file ends inside a record; what came after is unknown"]);
    assert_eq!(losses(&lcov(format!("{first}BRDA:1,0,0,1\nBRDA:1,0,1,0\nBRF:2\n"))), [] as [&str; 0]);
    assert_eq!(losses(&lcov(format!("{first}BRDA:1,0,0,1\nBRF:2\n"))).len(), 1);
    // Nothing says that this one is whole.
    let told = lcov("SF:a.c\nDA:1,1\nend_of_record\nSF:b.c\nDA:1,2\n");
    assert_eq!(files(&told), [("a.c", vec![(1, 1)]), ("b.c", vec![(1, 2)])]);
    assert_eq!(losses(&told), ["the file ends inside a record; what came after is unknown"]);
}

#[test]
fn one_file_in_two_records() {
    assert_eq!(
        lines("SF:a.c\nDA:1,1\nDA:2,0\nend_of_record\nSF:a.c\nDA:1,2\nDA:3,1\nend_of_record\n"),
        [(1, 3), (2, 0), (3, 1)]
    );
}

#[test]
fn a_path_in_utf8() {
    assert_eq!(files(&lcov("SF:src/größe/日.c\nDA:1,1\nend_of_record\n"))[0].0, "src/größe/日.c");
}

#[test]
fn a_path_of_windows_belongs_to_its_own_file() {
    let told = lcov("SF:a.c\nDA:1,1\nend_of_record\r\nSF:C:\\src\\b.c\r\nDA:1,0\r\nend_of_record\r\n");
    assert_eq!(files(&told), [("C:/src/b.c", vec![(1, 0)]), ("a.c", vec![(1, 1)])]);
    assert_eq!(losses(&told), [] as [&str; 0]);
}

#[test]
fn wrong_totals_are_recomputed() {
    let told = lcov("SF:a.c\nDA:1,1\nDA:2,0\nLF:99\nLH:98\nend_of_record\n");
    assert_eq!(told.coverage.summary().lines, ratio(1, 2));
}
