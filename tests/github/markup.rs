//! What a fork writes is text, however much of it there is.

use super::publish::Pull;
use super::scene::POLICY;

/// A line without its code spans: between two runs of equally many backticks nothing is markup.
fn outside_spans(line: &str) -> String {
    let run = |text: &str| text.bytes().take_while(|byte| *byte == b'`').count();
    let (mut out, mut rest) = (String::new(), line);
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        let ticks = run(&rest[at..]);
        let (fence, after) = rest[at..].split_at(ticks);
        let is_escaped = out.ends_with('\\');
        let mut ends = after.match_indices(fence).map(|(end, _)| end);
        let end = ends.find(|end| run(&after[*end..]) == ticks && !after[..*end].ends_with('`'));
        match end.filter(|_| !is_escaped) {
            Some(end) => rest = &after[end + ticks..],
            None => {
                out.push_str(fence);
                rest = after;
            }
        }
    }
    out + rest
}

/// Markdown without its code, in which nothing is markup; all code blocks have to be closed.
fn outside_fences(markdown: &str) -> String {
    let mut fence: Option<usize> = None;
    let mut out = String::new();
    for line in markdown.lines() {
        let ticks = line.trim().bytes().take_while(|byte| *byte == b'`').count();
        match fence {
            None if ticks >= 3 => fence = Some(ticks),
            None => out.push_str(&format!("{}\n", outside_spans(line))),
            Some(open) if ticks >= open && ticks == line.trim().len() => fence = None,
            Some(_) => {}
        }
    }
    assert_eq!(fence, None, "a code block is left open: {markdown}");
    out
}

#[test]
fn ten_megabytes_of_markup_from_a_fork_are_text_within_the_limits() {
    let pull = Pull::from("stranger/app", POLICY, POLICY);
    let piece = "|a|b|&#10;|-|-|&#10;```&#10;# @everyone &lt;script&gt;alert(1)&lt;/script&gt; ![x](https://evil.example/x)&#10;";
    let case = |name: &str, text: &str| {
        format!("<testcase name=\"{name}\"><failure message=\"{text}\">{text}</failure></testcase>")
    };
    let huge = piece.repeat(10_000_000 / piece.len() / 2);
    let report = format!("<testsuite name='s'>{}{}</testsuite>", case(piece, piece), case("huge", &huge));
    assert!(report.len() > 9_000_000);
    pull.scene.project.write("made/junit.xml", report);
    let ran = pull.publish_finished(&[]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let (_, body) = pull.comments().remove(0);
    assert!(body.len() <= 65_536, "{} bytes", body.len());
    assert!(body.contains("Reported by the fork."), "{body}");
    let summary = pull.scene.project.read(".git/summary");
    assert!(summary.len() <= 1 << 20, "{} bytes", summary.len());
    for shown in [outside_fences(&body), outside_fences(&summary)] {
        for active in ["<script>", "](https://evil", " @everyone"] {
            assert!(!shown.contains(active), "{active}: {shown}");
        }
    }
}
