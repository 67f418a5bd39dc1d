//! Words that do not belong into the tree: paths of the machine somebody worked on, and marks of unfinished work.
//!
//! Each word stands here in two halves, so that this file is held against its own rules. Home folders as such are
//! allowed: reports of real tools and test data name made-up ones.

const MACHINE: [[&str; 2]; 5] =
    [["/ro", "ot/"], ["/wo", "rk/main"], ["/wo", "rk/shared"], ["/wo", "rk/.library"], ["../sh", "ared"]];

const UNFINISHED: [[&str; 2]; 5] =
    [["to", "do!("], ["unimple", "mented!("], ["d", "bg!("], ["#[al", "low("], ["#[ig", "nore]"]];

/// The lines of a file that hold a path of one machine.
pub(crate) fn machine(file: &str, text: &str) -> Vec<String> {
    lines_with(file, text, &MACHINE)
}

/// The lines of a source file that wait for somebody.
pub(crate) fn unfinished(file: &str, text: &str) -> Vec<String> {
    lines_with(file, text, &UNFINISHED)
}

fn lines_with(file: &str, text: &str, words: &[[&str; 2]]) -> Vec<String> {
    let words: Vec<String> = words.iter().map(|halves| halves.concat()).collect();
    let mut findings = Vec::new();
    for word in words.iter().filter(|word| text.contains(word.as_str())) {
        let lines = text.lines().enumerate().filter(|(_, line)| holds(line, word));
        findings.extend(lines.map(|(number, line)| format!("{file}:{}: `{word}` in: {}", number + 1, line.trim())));
    }
    findings
}

/// Whether the word stands in the line for itself: `/home/runner/srv/x` does not hold `/srv/x`, nor `{dir}/a` `/a`.
fn holds(line: &str, word: &str) -> bool {
    let goes_on = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '-');
    let leads_in = |sign: char| goes_on(sign) || matches!(sign, '}' | '.');
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !(before.is_some_and(leads_in) || word.ends_with(goes_on) && after.is_some_and(goes_on))
    })
}

#[test]
fn planted_machine_paths_are_found_where_they_stand() {
    for [one, two] in MACHINE {
        let word = [one, two].concat();
        let text = format!("a\n  see {word} b\n\"{word}\"\n({word}/x)\nfile://{word}\nx{word}\n{{dir}}{word}\n");
        let found = machine("a.md", &text);
        assert_eq!(found.len(), 4, "{found:#?}");
        assert_eq!(found[0], format!("a.md:2: `{word}` in: see {word} b"));
    }
    let longer = ["/wo", "rk/mainline ../sh", "ared_types /work dir/p /home/me/.cargo"].concat();
    assert_eq!(machine("a.md", &longer), [] as [String; 0]);
}

#[test]
fn planted_marks_of_unfinished_work_are_found() {
    for [one, two] in UNFINISHED {
        let text = format!("fn a() {{}}\n    {one}{two}\n");
        assert_eq!(unfinished("src/a.rs", &text), [format!("src/a.rs:2: `{one}{two}` in: {one}{two}")]);
    }
    assert_eq!(unfinished("src/a.rs", &["my_to", "do!(); // to do"].concat()), [] as [String; 0]);
}
