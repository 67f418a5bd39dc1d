//! The HTML report in a real browser: it works from disk, without the network and without a complaint.

use std::collections::BTreeSet;
use std::path::PathBuf;

use mgmt_action::record::{Record, Trend, TrendPoint};
use mgmt_action::report::html;
use mgmt_action::report::{Options, renderer};
use serde_json::{Value, json};

use super::browser::Browser;

const SMALL: &str = include_str!("../fixtures/records/small.json");

/// A page in a folder of its own.
struct Page {
    folder: tempfile::TempDir,
}

impl Page {
    fn of(record: &Value) -> Self {
        let record: Record = serde_json::from_value(record.clone()).unwrap();
        Self::with(&(renderer("html").unwrap().render)(&record, Options::default()))
    }

    fn with(html: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("report.html"), html).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("report.html")
    }

    fn size(&self) -> u64 {
        std::fs::metadata(self.path()).unwrap().len()
    }
}

fn small() -> Value {
    serde_json::from_str(SMALL).unwrap()
}

/// The small record with many more tests and files: every 50th test fails, number N takes N milliseconds.
fn large(tests: u64, files: u64) -> Value {
    let mut record = small();
    let model = record["tests"][3].clone();
    let all = record["tests"].as_array_mut().unwrap();
    for number in all.len() as u64..tests {
        let mut test = model.clone();
        test["class"] = json!(format!("tests.part_{}", number % 40));
        test["name"] = json!(format!("test_number_{number:05}"));
        test["file"] = json!(format!("tests/part_{}.py", number % 40));
        test["seconds"] = json!(number as f64 / 1000.0);
        if number % 50 == 0 {
            test["outcome"] = json!("failed");
            test["message"] = json!(format!("AssertionError: {number}\n\n{}", "  at somewhere\n".repeat(30)));
        }
        all.push(test);
    }
    let lines = record["lines"].as_object_mut().unwrap();
    let none = json!({ "covered": 0, "total": 0 });
    for number in lines.len() as u64..files {
        let (missed, sum) = (number % 7, json!({ "covered": 20, "total": 20 + number % 7 }));
        let missed: Vec<_> = (0..missed).map(|line| (30 + 2 * line).to_string()).collect();
        let totals = json!({ "lines": sum, "branches": none, "functions": none, "statements": none });
        lines.insert(
            format!("src/part_{}/inner/module_{number:04}.py", number % 30),
            json!({ "covered": "1-20", "missed": missed.join(","), "totals": totals }),
        );
    }
    record
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn thousands_of_tests_and_files_open_without_a_complaint_or_a_request() {
    let page = Page::of(&large(5_000, 2_000));
    assert!(page.size() < 3_000_000, "{} bytes", page.size());
    let mut browser = Browser::open(&page.path(), "");
    assert_eq!(browser.value("document.title"), "✕ fail full-check: wallet <service>");
    assert_eq!(browser.value("document.getElementById('test-count').textContent"), "5000 tests, the first 200 shown");
    assert_eq!(browser.value("document.getElementById('file-count').textContent"), "2000 files");
    // What is looked at is built, not everything there is.
    assert_eq!(browser.value("document.querySelectorAll('#test-table tbody tr').length"), 200);
    let nodes = browser.value("document.querySelectorAll('*').length").as_u64().unwrap();
    assert!(nodes < 30_000, "{nodes} elements");
    let twice =
        "[...document.querySelectorAll('[id]')].map((one) => one.id).filter((id, at, all) => all.indexOf(id) !== at)";
    assert_eq!(browser.value(twice), json!([]), "ids that stand twice");
    assert_eq!(browser.complaints(), [""; 0]);
    let requests: BTreeSet<_> = browser.requests().into_iter().filter(|url| !url.starts_with("data:")).collect();
    assert_eq!(requests.into_iter().collect::<Vec<_>>(), [format!("file://{}", page.path().display())]);
}

#[test]
fn the_filter_finds_the_right_tests_among_thousands() {
    let page = Page::of(&large(5_000, 10));
    let mut browser = Browser::open(&page.path(), "");
    let count = "document.getElementById('test-count').textContent";
    let names = "[...document.querySelectorAll('#test-table tbody code')].map((name) => name.textContent)";
    browser.press("/");
    assert_eq!(browser.value("document.activeElement.id"), "test-filter");
    browser.type_text("PART_7.py 0407");
    browser.wait_until(&format!("{count} === '1 of 5000 tests'"));
    assert_eq!(texts(&browser.value(names)), ["tests.part_7::test_number_00407"]);
    // A slash in the field is a slash.
    browser.press("/");
    browser.wait_until(&format!("{count} === '0 of 5000 tests'"));
    browser.press("Escape");
    browser.wait_until(&format!("{count} === '5000 tests, the first 200 shown'"));

    let press = |browser: &mut Browser, selector: &str| {
        browser.value(&format!("document.querySelector(\"{selector}\").click()"))
    };
    press(&mut browser, "[data-outcome=failed]");
    assert_eq!(browser.value(count), "100 of 5000 tests");
    assert_eq!(browser.value("document.querySelectorAll('#test-table .badge.bad').length"), 100);
    press(&mut browser, "[data-outcome=flaky]");
    assert_eq!(texts(&browser.value(names)), ["tests.test_spent::test_retry"]);
    press(&mut browser, "[data-outcome=all]");
    press(&mut browser, "[data-sort=seconds]");
    assert_eq!(
        texts(&browser.value(names))[..2],
        ["tests.part_39::test_number_04999", "tests.part_38::test_number_04998"]
    );
    assert_eq!(
        browser.value("document.querySelector('[data-sort=seconds]').closest('th').getAttribute('aria-sort')"),
        "descending"
    );
    press(&mut browser, "#test-more");
    assert_eq!(browser.value(count), "5000 tests, the first 400 shown");
    assert_eq!(browser.value("document.querySelectorAll('#test-table tbody tr').length"), 400);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_file_filter_and_the_orders_work_on_the_tree() {
    let page = Page::of(&large(10, 2_000));
    let mut browser = Browser::open(&page.path(), "");
    let shown = "[...document.querySelectorAll('#file-tree .row[id]')].filter((row) => row.checkVisibility()).map((row) => row.id)";
    assert_eq!(browser.value(shown), json!([]), "folders are closed");
    browser.value("document.getElementById('file-filter').focus()");
    browser.type_text("part_3/ 0123");
    browser.wait_until("document.getElementById('file-count').textContent === '1 of 2000 files'");
    assert_eq!(texts(&browser.value(shown)), ["F-src/part_3/inner/module_0123.py"]);
    browser.press("Escape");
    browser.wait_until("document.getElementById('file-count').textContent === '2000 files'");
    assert_eq!(browser.value(shown), json!([]), "what the filter opened is closed again");

    let folder =
        "[...document.getElementById('F-src/part_3/inner/module_0123.py').closest('ul').children].map((item) => ";
    let missed = format!("{folder}Number(item.dataset.missed))");
    let missed = browser.value(&missed);
    let missed: Vec<_> = missed.as_array().unwrap().iter().map(|one| one.as_u64().unwrap()).collect();
    assert!(missed.is_sorted_by(|a, b| a >= b) && missed[0] > missed[missed.len() - 1], "{missed:?}");
    browser.value("document.querySelector('[data-order=name]').click()");
    let names = browser.value(&format!("{folder}item.querySelector('.name').textContent)"));
    assert!(texts(&names).is_sorted() && texts(&names).len() > 1, "{names}");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_link_opens_what_it_points_into() {
    let page = Page::of(&large(5_000, 200));
    let mut browser = Browser::open(&page.path(), "#L-src/wallet/limits.py-13");
    let seen = "(() => { const at = document.querySelector('.here'); const box = at.getBoundingClientRect(); return \
                at.checkVisibility() && box.bottom > 0 && box.top < innerHeight ? at.id : 'out of sight: ' + at.id; })()";
    assert_eq!(browser.value(seen), "L-src/wallet/limits.py-13");
    assert_eq!(
        browser.value("document.querySelector('.here').textContent"),
        "13+still not run\treturn account.balance / 10"
    );

    let failed = "document.querySelectorAll('article.test')[60].id";
    let folded = browser.value(failed).as_str().unwrap().to_owned();
    let passed = "JSON.parse(document.getElementById('test-data').textContent).tests[4000][0]";
    let passed = browser.value(passed).as_str().unwrap().to_owned();
    assert_eq!(
        browser.value(&format!("document.getElementById('{passed}')")),
        Value::Null,
        "it is not in the page yet"
    );
    for (link, leads_to) in [
        ("C-tests", "C-tests"),
        ("R-coverage.lines.percent-min", "R-coverage.lines.percent-min"),
        ("P-src/app/main~20~c3~a9.py", "P-src/app/main~20~c3~a9.py"),
        ("F-src/app/main~20~c3~a9.py", "F-src/app/main~20~c3~a9.py"),
        // Lines whose source is not in the page lead to their file.
        ("L-src/app/main~20~c3~a9.py-3", "P-src/app/main~20~c3~a9.py"),
        ("L-src/wallet/spent.py-99", "F-src/wallet/spent.py"),
        (&folded, &folded),
        (&passed, &passed),
    ] {
        browser.value(&format!("location.hash = '{link}'"));
        browser.wait_until(&format!("document.querySelector('.here')?.id === '{leads_to}'"));
        assert_eq!(browser.value(seen), leads_to);
        assert_eq!(browser.value("document.querySelector('.here').contains(document.activeElement)"), true, "{link}");
    }
    // Nothing like it: nothing happens.
    for link in ["L-nowhere.py-1", "T-0", "%", "\\u0000", "<script>"] {
        browser.value(&format!("location.hash = '{link}'"));
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "</script ></script><img src=x onerror=alert(1)><!--<script>\u{202e}\u{0}\"'`[x](y)";
    let mut record = large(300, 20);
    let replaced = |value: &Value| json!(format!("{}{hostile}", value.as_str().unwrap_or_default()));
    for (list, keys) in [
        ("checks", &["group", "reason", "command", "fix"][..]),
        ("rules", &["metric", "scope", "limit", "source", "message", "advice"]),
        ("problems", &["code", "message", "hint", "file"]),
        ("tests", &["suite", "class", "name", "file", "check", "message"]),
        ("reports", &["check", "path", "format"]),
        ("measurements", &["name", "scope"]),
    ] {
        for row in record[list].as_array_mut().unwrap() {
            for key in keys {
                row[*key] = replaced(&row[*key]);
            }
        }
    }
    for check in record["checks"].as_array_mut().unwrap() {
        check["output"]["text"] = json!(format!("{hostile}\n{}", "x".repeat(1 << 20)));
    }
    for key in ["name", "commit", "branch", "merge_commit"] {
        record["project"][key] = replaced(&record["project"][key]);
    }
    for (at, key) in [("policy", "path"), ("policy", "commit"), ("patch", "between"), ("baseline", "source")] {
        record[at][key] = replaced(&record[at][key]);
    }
    for file in record["patch"]["files"].as_array_mut().unwrap() {
        file["path"] = replaced(&file["path"]);
        file["old_path"] = replaced(&file["old_path"]);
        for line in file["source"].as_array_mut().unwrap() {
            line["text"] = json!(format!("{hostile}{}", "y".repeat(1 << 20)));
        }
    }
    for (path, key) in [
        ("/test_changes/base/disappeared/0", "name"),
        ("/test_changes/base/disappeared/1/moved_to", "name"),
        ("/test_changes/pace/slow/0", "name"),
        ("/test_changes/flaky/0", "class"),
        ("/quarantine/tests/0", "reason"),
        ("/score/parts/0", "group"),
        ("/trends/0", "metric"),
        ("/patch/unmeasured", "0"),
    ] {
        let at = record.pointer_mut(path).unwrap();
        let value = if at.is_array() { &mut at[0] } else { &mut at[key] };
        *value = replaced(value);
    }
    record["quarantine"]["entries"] = json!([{
        "tests": hostile, "check": null, "reason": hostile, "until": "2001-01-01", "line": 9, "expired": true,
        "matched": 1, "failed": 1, "stable": 0, "unmatched": false, "suggestion": null
    }]);
    let lines = record["lines"].as_object().unwrap().clone();
    record["lines"] = lines.into_iter().map(|(path, lines)| (format!("{path}{hostile}"), lines)).collect();
    let page = Page::of(&record);
    assert!(page.size() < 1_000_000, "{} bytes", page.size());
    let mut browser = Browser::open(&page.path(), "");
    assert_eq!(browser.value("document.scripts.length"), 2);
    assert_eq!(browser.value("document.querySelectorAll('img, iframe, object, embed, [onerror], [style]').length"), 0);
    let name = "document.querySelector('.project').textContent";
    let shown = hostile.replace('\u{202e}', "\\u{202e}").replace('\u{0}', "\\u{0}");
    assert_eq!(browser.value(name), format!("wallet <service>{shown}"));
    let listed = "document.querySelector('#test-table tbody code').textContent";
    assert!(browser.value(listed).as_str().unwrap().contains(&shown));
    assert_eq!(browser.complaints(), [""; 0]);
}

/// The least contrast of any text in the page with what is behind it (WCAG 2.1, 1.4.3), and where.
const LEAST_CONTRAST: &str = "(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const parts = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4).reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (at) => { for (; at; at = at.parentElement) { const back = parts(getComputedStyle(at).backgroundColor); if (back[3] === 255) return back; } return null; };
  let least = [99, ''];
  for (const details of document.querySelectorAll('details')) details.open = true;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = walker.nextNode());) {
    const at = text.parentElement;
    if (!text.data.trim() || !at.checkVisibility() || at.closest('script, style')) continue;
    const [a, b] = [light(parts(getComputedStyle(at).color)), light(behind(at) ?? [255, 0, 255, 255])].sort((a, b) => b - a);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < least[0]) least = [contrast, at.outerHTML.slice(0, 200)];
  }
  return least;
})()";

#[test]
fn light_and_dark_are_both_readable() {
    let mut record: Record = serde_json::from_value(large(300, 60)).unwrap();
    let point = |at: u32| TrendPoint {
        run: format!("run {at}"),
        started_at: record.started_at,
        value: (!at.is_multiple_of(9)).then(|| f64::from(at % 17)),
    };
    let trend = Trend { metric: "coverage.lines.percent".into(), points: (0..60).map(point).collect() };
    record.trends = vec![trend.clone(), trend];
    let page = Page::with(&html::page(&record));
    let mut browser = Browser::open(&page.path(), "#trends");
    let mut pictures = Vec::new();
    for (scheme, ground) in [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 27)")] {
        browser.prefers(scheme);
        assert_eq!(browser.value("getComputedStyle(document.body).backgroundColor"), ground);
        let least = browser.value(LEAST_CONTRAST);
        assert!(least[0].as_f64().unwrap() >= 4.5, "{scheme}: {least}");
        pictures.push(browser.picture());
    }
    assert_eq!(browser.complaints(), [""; 0]);
    assert_ne!(pictures[0], pictures[1]);
    assert!(pictures.iter().all(|picture| picture.len() > 20_000), "an empty picture is smaller");
}

#[test]
fn a_narrow_window_scrolls_only_downwards_and_print_opens_what_is_folded() {
    let page = Page::of(&large(300, 60));
    let mut browser = Browser::open(&page.path(), "#P-src/wallet/limits.py");
    browser.size(360, 800);
    let wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.value(wider), 0);
    browser.value("addEventListener('beforeprint', () => { globalThis.folded = [...document.querySelectorAll('details:not([open])')].map((one) => one.id || one.parentElement.tagName) })");
    let before = browser.value("document.querySelectorAll('details[open]').length");
    let pdf = browser.call("Page.printToPDF", &json!({ "printBackground": false }));
    assert!(pdf["data"].as_str().unwrap().starts_with("JVBERi"), "no PDF");
    let folded = browser.value("globalThis.folded");
    assert!(
        !texts(&folded).is_empty() && texts(&folded).iter().all(|one| *one == "LI"),
        "only inner folders stay closed: {folded}"
    );
    assert_eq!(browser.value("document.querySelectorAll('details[open]').length"), before, "not closed again");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn without_scripts_the_verdict_the_rules_and_what_failed_can_be_read() {
    let page = Page::of(&large(300, 60));
    let mut browser = Browser::start();
    browser.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    browser.load(&page.path(), "");
    let text = browser.value("document.body.innerText");
    let text = text.as_str().unwrap();
    for part in [
        "fail wallet <service>",
        "What to do next",
        "1 is above 0",
        "tests.part_10::test_number_00050",
        "AssertionError: 50",
        "The table of all tests needs JavaScript",
        "10-11",
    ] {
        assert!(text.contains(part), "`{part}` is missing in {text}");
    }
    assert!(!text.contains("Filter tests"), "a filter that does nothing");
}
