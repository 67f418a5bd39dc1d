//! A badge with the verdict: an image of its own, or JSON for an endpoint of shields.io.
//!
//! Deliberately absent: fonts. Widths are estimated for the font that browsers take for `Verdana`, and the image says
//! how wide its text is to be, so that another font is fitted instead of cut.

use camino::Utf8Path;
use serde::Serialize;

use super::Error;
use crate::evidence::metric;
use crate::gate::Verdict;
use crate::record::Record;
use crate::sys::{fs, text};

/// Characters of a label or a message.
const LONGEST: usize = 60;

/// What a badge shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Badge {
    /// On the left.
    pub label: String,
    /// On the right.
    pub message: String,
    /// The colour behind the message, as `#rrggbb`.
    pub color: &'static str,
}

impl Badge {
    /// The badge of a record: the verdict, and the coverage where it was measured.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        // White text on each of them has a contrast of at least 4.5 (WCAG 2.2, AA).
        let color = match record.verdict {
            Verdict::Pass => "#1a7f37",
            Verdict::Fail => "#cf222e",
            Verdict::Inconclusive => "#9a6700",
            Verdict::Interrupted => "#59636e",
        };
        let name = "coverage.lines.percent";
        let value = record.measurements.value(name).filter(|value| value.is_finite());
        let coverage = value.map(|value| format!(" · {}", metric::unit(name).alone(value))).unwrap_or_default();
        Self { label: "quality gate".to_owned(), message: format!("{}{coverage}", record.verdict.word()), color }
    }

    /// The badge as an image: about 700 bytes.
    #[must_use]
    pub fn svg(&self) -> String {
        let (label, message) = (shown(&self.label), shown(&self.message));
        let (left, right) = (width(&label), width(&message));
        let (left_box, right_box) = (left + 10, right + 10);
        let (all, middle) = (left_box + right_box, left_box + 5);
        let (label, message) = (escaped(&label), escaped(&message));
        let color = self.color;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" \
             aria-label=\"{label}: {message}\"><title>{label}: {message}</title>\
             <clipPath id=\"r\"><rect width=\"{all}\" height=\"20\" rx=\"3\"/></clipPath>\
             <g clip-path=\"url(#r)\"><rect width=\"{left_box}\" height=\"20\" fill=\"#3d444d\"/>\
             <rect x=\"{left_box}\" width=\"{right_box}\" height=\"20\" fill=\"{color}\"/></g>\
             <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">\
             <text x=\"5\" y=\"14\" textLength=\"{left}\" lengthAdjust=\"spacingAndGlyphs\">{label}</text>\
             <text x=\"{middle}\" y=\"14\" textLength=\"{right}\" lengthAdjust=\"spacingAndGlyphs\">{message}</text>\
             </g></svg>\n"
        )
    }

    /// The badge as shields.io asks for it (<https://shields.io/badges/endpoint-badge>).
    #[must_use]
    pub fn endpoint(&self) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Endpoint<'a> {
            schema_version: u8,
            label: &'a str,
            message: &'a str,
            color: &'a str,
        }
        let (label, message) = (shown(&self.label), shown(&self.message));
        let color = self.color;
        let told = Endpoint { schema_version: 1, label: &label, message: &message, color };
        serde_json::to_string(&told).unwrap_or_default() + "\n"
    }
}

/// One short line.
fn shown(raw: &str) -> String {
    text::shorten(&text::one_line(raw), LONGEST)
}

fn escaped(raw: &str) -> String {
    raw.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Pixels of a text in Verdana at 11 pixels, estimated by kinds of letters; never 0.
fn width(text: &str) -> u32 {
    let tenths: u32 = text
        .chars()
        .map(|ch| match ch {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '·' => 35,
            ' ' | 'f' | 'I' | 'r' | 't' | '-' | '(' | ')' | '/' => 43,
            'm' | 'w' | 'M' | 'W' | '%' | '@' => 105,
            ch if ch.is_ascii_uppercase() => 78,
            ch if ch.is_ascii() => 67,
            _ => 115,
        })
        .sum();
    tenths.div_ceil(10).max(1)
}

/// Writes the badge; the ending of its name says in which form.
///
/// # Errors
/// Another ending, or the system's error; the old file then still stands.
pub fn write(path: &Utf8Path, badge: &Badge) -> Result<(), Error> {
    let text = match path.extension() {
        Some("svg") => badge.svg(),
        Some("json") => badge.endpoint(),
        _ => return Err(Error::BadgeName(path.to_owned())),
    };
    Ok(fs::write_atomic(path, text.as_bytes())?)
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn hostile() -> Badge {
        Badge {
            label: "</title><script>alert(1)</script>\u{202e}".into(),
            message: format!("\"a\" & b{}", "x".repeat(500)),
            color: "#1a7f37",
        }
    }

    #[test]
    fn a_badge_says_the_verdict_in_both_forms() {
        let record: Record = serde_json::from_str(include_str!("../../tests/fixtures/records/small.json")).unwrap();
        let badge = Badge::of(&record);
        insta::assert_snapshot!(badge.endpoint(), @r##"
        {"schemaVersion":1,"label":"quality gate","message":"fail · 76.92 %","color":"#cf222e"}
        "##);
        insta::assert_snapshot!(badge.svg(), @r##"
        <svg xmlns="http://www.w3.org/2000/svg" width="163" height="20" role="img" aria-label="quality gate: fail · 76.92 %"><title>quality gate: fail · 76.92 %</title><clipPath id="r"><rect width="163" height="20" rx="3"/></clipPath><g clip-path="url(#r)"><rect width="77" height="20" fill="#3d444d"/><rect x="77" width="86" height="20" fill="#cf222e"/></g><g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11"><text x="5" y="14" textLength="67" lengthAdjust="spacingAndGlyphs">quality gate</text><text x="82" y="14" textLength="76" lengthAdjust="spacingAndGlyphs">fail · 76.92 %</text></g></svg>
        "##);
        assert!(badge.svg().len() < 1_000);
    }

    #[test]
    fn text_from_outside_is_text_in_an_image() {
        let svg = hostile().svg();
        let mut reader = quick_xml::Reader::from_str(&svg);
        let mut names = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                    names.push(tag.name().as_ref().to_string());
                }
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(names, ["svg", "title", "clipPath", "rect", "g", "rect", "rect", "g", "text", "text"]);
        assert!(svg.len() < 2_000, "{}", svg.len());
        let json: serde_json::Value = serde_json::from_str(&hostile().endpoint()).unwrap();
        assert_eq!(json["schemaVersion"], 1);
    }

    #[test]
    fn the_name_of_the_file_says_the_form() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        write(&folder.join("b.svg"), &hostile()).unwrap();
        write(&folder.join("b.json"), &hostile()).unwrap();
        assert!(std::fs::read_to_string(folder.join("b.svg")).unwrap().starts_with("<svg "));
        assert!(std::fs::read_to_string(folder.join("b.json")).unwrap().starts_with("{\"schemaVersion\":1,"));
        for bad in ["badge", "b.png"] {
            let error = write(&folder.join(bad), &hostile()).unwrap_err();
            assert!(error.to_string().contains("which kind") && error.hint().contains(".svg"), "{error}");
        }
        let error = write(&folder.join("no/b.svg"), &hostile()).unwrap_err();
        assert!(error.to_string().starts_with("cannot write "), "{error}");
    }
}
