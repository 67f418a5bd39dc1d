//! Diagnostics as text: the place, the line, a caret, the next step.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use camino::Utf8Path;

use crate::decode::{Diagnostic, Place};

/// Problems shown before the rest is only counted.
const SHOWN: usize = 50;

/// Renders problems in the order they are given.
#[must_use]
pub fn render(text: &str, path: &Utf8Path, problems: &[Diagnostic], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out: Vec<String> = problems.iter().take(SHOWN).map(|problem| one(&renderer, text, path, problem)).collect();
    if problems.len() > SHOWN {
        out.push(format!("… and {} more", problems.len() - SHOWN));
    }
    out.join("\n\n")
}

fn one(renderer: &Renderer, text: &str, path: &Utf8Path, problem: &Diagnostic) -> String {
    let mut snippet = Snippet::source(text)
        .path(path.as_str())
        .annotation(AnnotationKind::Primary.span(first_line(text, &problem.place)));
    if let Some((place, label)) = &problem.context {
        snippet = snippet.annotation(AnnotationKind::Context.span(first_line(text, place)).label(label));
    }
    let mut group = Level::ERROR.primary_title(&problem.message).id(problem.code).element(snippet);
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

/// A place may cover a whole map; the caret stands under the part on its first line.
fn first_line(text: &str, place: &Place) -> std::ops::Range<usize> {
    let start = place.bytes.start.min(text.len());
    let rest = &text[start..place.bytes.end.clamp(start, text.len())];
    let line = rest.split(['\n', '\r']).next().unwrap_or_default().trim_end();
    start..start + line.len()
}
