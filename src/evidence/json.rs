//! What the JSON readers share: one document, read key by key as it comes. Nothing of it is held but the names and
//! values that a reader asks for; text and nesting are bounded before the parser sees them.
//!
//! Readers implement [`Object`] for the objects that they understand; [`List`], [`Row`] and [`Skip`] take the rest.
//! A value of an unexpected kind is handed back as [`Scalar`], never an error: one odd value must not hide the others.

use std::cell::Cell;
use std::fmt;
use std::io::BufRead;

use serde::de::{self, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::json_source::Source;
use super::problem::{SYNTAX, TRUNCATED};
use super::sink::Sink;
use super::{Bound, Limits, Problem, ReadError};
use crate::sys::text;

/// A value without structure, or the name of a structure that was passed over.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Count(u64),
    Negative(i64),
    Real(f64),
    Text(String),
    List,
    Object,
}

impl Scalar {
    /// A hit count, and whether it was written as one. Negative counts are 0, huge ones the greatest; a positive
    /// count is never rounded down to 0.
    pub(super) fn hits(&self) -> Option<(u64, bool)> {
        match *self {
            Self::Count(count) => Some((count, true)),
            Self::Negative(_) => Some((0, false)),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to the range of u64 on purpose"
            )]
            Self::Real(value) => Some((value.max(0.0).ceil() as u64, false)),
            _ => None,
        }
    }

    /// A line or column.
    pub(super) fn small(&self) -> Option<u32> {
        match *self {
            Self::Count(count) => u32::try_from(count).ok(),
            _ => None,
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Count(value) => write!(out, "{value}"),
            Self::Negative(value) => write!(out, "{value}"),
            Self::Real(value) => write!(out, "{value}"),
            Self::Text(value) => write!(out, "\"{}\"", text::shorten(&text::one_line(value), 40)),
            Self::List => out.write_str("a list"),
            Self::Object => out.write_str("an object"),
        }
    }
}

/// What stood where a structure was expected; `Ok` if it was that structure.
pub(super) type Found = Result<(), Scalar>;

/// An object that a reader understands.
pub(super) trait Object {
    /// One member. Takes exactly one value from `members`.
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error>;

    /// In a list of such objects: one has ended, or something else stood in its place.
    fn end<E: de::Error>(&mut self, _found: Found) -> Result<(), E> {
        Ok(())
    }
}

/// Reads an object with `.0`.
pub(super) struct Members<'a, T>(pub(super) &'a mut T);

/// What may be an object or a list.
pub(super) trait Structure: Object {
    /// The list; takes all of it.
    fn list<'de, A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<(), A::Error>;
}

/// Reads an object or a list with `.0`.
pub(super) struct Either<'a, T>(pub(super) &'a mut T);

/// Reads a list of objects, each with `.0`.
pub(super) struct Each<'a, T>(pub(super) &'a mut T);

/// Calls `.0` for each row of a list of lists; a row's values past `N` are passed over.
pub(super) struct Rows<const N: usize, F>(pub(super) F);

/// Calls `.0` for each member of an object of plain values.
pub(super) struct Entries<F>(pub(super) F);

/// Calls `.0` for each item of a list of plain values.
pub(super) struct Scalars<F>(pub(super) F);

/// Reads one plain value.
pub(super) struct Plain;

/// Passes over one value.
pub(super) fn skip<'de, A: MapAccess<'de>>(members: &mut A) -> Result<(), A::Error> {
    members.next_value::<IgnoredAny>().map(drop)
}

/// The first values of a list, and how many there were.
pub(super) type Cells<const N: usize> = ([Scalar; N], usize);

struct Row<const N: usize>;

struct Key<'a>(&'a mut String);

/// The visitor's answers for kinds that are not its own: the value itself, as `Err`.
macro_rules! otherwise {
    ($($kind:ident)*) => { $(otherwise!(@ $kind);)* };
    (@ plain) => {
        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a value")
        }
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(Err(Scalar::Null))
        }
        fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
            Ok(Err(Scalar::Bool(value)))
        }
        fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
            Ok(Err(Scalar::Count(value)))
        }
        fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
            Ok(Err(Scalar::Negative(value)))
        }
        fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
            Ok(Err(Scalar::Real(value)))
        }
        fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
            Ok(Err(Scalar::Text(value.to_owned())))
        }
    };
    (@ list) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Err(Scalar::List))
        }
    };
    (@ object) => {
        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Err(Scalar::Object))
        }
    };
}

macro_rules! seed {
    ($value:ty) => {
        type Value = $value;
        fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<$value, D::Error> {
            input.deserialize_any(self)
        }
    };
}

impl<'de, T: Object> DeserializeSeed<'de> for Members<'_, T> {
    seed!(Found);
}

impl<'de, T: Object> Visitor<'de> for Members<'_, T> {
    type Value = Found;
    otherwise!(plain list);
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Found, A::Error> {
        let mut key = String::new();
        while members.next_key_seed(Key(&mut key))?.is_some() {
            self.0.member(&key, &mut members)?;
        }
        Ok(Ok(()))
    }
}

impl<'de, T: Structure> DeserializeSeed<'de> for Either<'_, T> {
    seed!(Found);
}

impl<'de, T: Structure> Visitor<'de> for Either<'_, T> {
    type Value = Found;
    otherwise!(plain);
    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Found, A::Error> {
        Members(self.0).visit_map(members)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Found, A::Error> {
        self.0.list(&mut list).map(Ok)
    }
}

impl<'de, T: Object> DeserializeSeed<'de> for Each<'_, T> {
    seed!(Found);
}

impl<'de, T: Object> Visitor<'de> for Each<'_, T> {
    type Value = Found;
    otherwise!(plain object);
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Found, A::Error> {
        while let Some(found) = list.next_element_seed(Members(&mut *self.0))? {
            self.0.end(found)?;
        }
        Ok(Ok(()))
    }
}

impl<'de, F: FnMut(&str, Scalar)> DeserializeSeed<'de> for Entries<F> {
    seed!(Found);
}

impl<'de, F: FnMut(&str, Scalar)> Visitor<'de> for Entries<F> {
    type Value = Found;
    otherwise!(plain list);
    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Found, A::Error> {
        let mut key = String::new();
        while members.next_key_seed(Key(&mut key))?.is_some() {
            let value = members.next_value_seed(Plain)?;
            (self.0)(&key, value);
        }
        Ok(Ok(()))
    }
}

impl<'de, F: FnMut(Scalar)> DeserializeSeed<'de> for Scalars<F> {
    seed!(Found);
}

impl<'de, F: FnMut(Scalar)> Visitor<'de> for Scalars<F> {
    type Value = Found;
    otherwise!(plain object);
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Found, A::Error> {
        while let Some(value) = list.next_element_seed(Plain)? {
            (self.0)(value);
        }
        Ok(Ok(()))
    }
}

impl<'de, const N: usize, F: FnMut(Result<Cells<N>, Scalar>)> DeserializeSeed<'de> for Rows<N, F> {
    seed!(Found);
}

impl<'de, const N: usize, F: FnMut(Result<Cells<N>, Scalar>)> Visitor<'de> for Rows<N, F> {
    type Value = Found;
    otherwise!(plain object);
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Found, A::Error> {
        while let Some(row) = list.next_element_seed(Row::<N>)? {
            (self.0)(row);
        }
        Ok(Ok(()))
    }
}

impl<'de, const N: usize> DeserializeSeed<'de> for Row<N> {
    seed!(Result<Cells<N>, Scalar>);
}

impl<'de, const N: usize> Visitor<'de> for Row<N> {
    type Value = Result<Cells<N>, Scalar>;
    otherwise!(plain object);
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut cells = [const { Scalar::Null }; N];
        let mut count = 0;
        while let Some(value) = list.next_element_seed(Plain)? {
            if let Some(cell) = cells.get_mut(count) {
                *cell = value;
            }
            count += 1;
        }
        Ok(Ok((cells, count)))
    }
}

impl<'de> DeserializeSeed<'de> for Plain {
    type Value = Scalar;
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Scalar, D::Error> {
        input.deserialize_any(self).map(|scalar: Result<Scalar, Scalar>| scalar.unwrap_or_else(|scalar| scalar))
    }
}

impl<'de> Visitor<'de> for Plain {
    type Value = Result<Scalar, Scalar>;
    otherwise!(plain list object);
}

/// Keys are taken as bytes: a lone surrogate in a name is odd, not the end of the report.
impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }
    fn visit_str<E: de::Error>(self, key: &str) -> Result<(), E> {
        self.visit_bytes(key.as_bytes())
    }
    fn visit_bytes<E: de::Error>(self, key: &[u8]) -> Result<(), E> {
        self.0.clear();
        match std::str::from_utf8(key) {
            Ok(key) => self.0.push_str(key),
            Err(_) => self.0.push_str(&String::from_utf8_lossy(key)),
        }
        Ok(())
    }
}

/// Stops reading: the bound on entries was passed.
pub(super) fn refuse<E: de::Error>(
    slot: &mut Option<ReadError>,
    what: &'static str,
    limit: impl fmt::Display,
) -> Result<(), E> {
    *slot = Some(ReadError::Limit { bound: Bound::Entries, what, limit: limit.to_string() });
    Err(E::custom("a bound was passed"))
}

/// Why reading stopped before the end of the document.
pub(super) enum Stop {
    /// The document ends in the middle.
    Cut(usize),
    /// It is not JSON here.
    Syntax(String, usize),
    /// A bound was passed, or the input failed.
    Fatal(ReadError),
}

impl Stop {
    /// Tells the sink what was lost; fails where the caller must.
    pub(super) fn tell(self, sink: &mut dyn Sink) -> Result<(), ReadError> {
        let (problem, line) = match self {
            Self::Cut(line) => {
                (Problem::new(&TRUNCATED, "the document ends in the middle; what came after is unknown"), line)
            }
            Self::Syntax(why, line) => {
                (Problem::new(&SYNTAX, format!("not valid JSON ({why}); nothing after this place was read")), line)
            }
            Self::Fatal(error) => return Err(error),
        };
        sink.problem(problem.at_line(line as u64));
        Ok(())
    }
}

/// Reads one document whose root is an object. After an error, `root` holds what had been read until then.
pub(super) fn document(input: &mut dyn BufRead, limits: &Limits, root: &mut impl Object) -> Result<(), Stop> {
    let refused = Cell::new(None);
    let source = Source::new(input, limits, &refused);
    let mut parser = serde_json::Deserializer::from_reader(source);
    let read = Members(root).deserialize(&mut parser).and_then(|found| match found {
        Ok(()) => parser.end(),
        Err(other) => Err(serde_json::Error::custom(format!("{other} where an object must stand"))),
    });
    let Err(error) = read else { return Ok(()) };
    if let Some((bound, what)) = refused.take() {
        return Err(Stop::Fatal(limits.passed(bound, what)));
    }
    let why = text::one_line(&error.to_string());
    Err(match error.classify() {
        Category::Eof => Stop::Cut(error.line()),
        Category::Io => Stop::Fatal(ReadError::Io(error.into())),
        // The parser's own bound on structures that are not passed over.
        _ if why.starts_with("recursion limit") => Stop::Fatal(ReadError::Limit {
            bound: Bound::Depth,
            what: "the nesting of values",
            limit: "128 levels".to_owned(),
        }),
        Category::Syntax | Category::Data => Stop::Syntax(why, error.line()),
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// Tells everything that it is shown.
    #[derive(Default)]
    struct Shown(Vec<String>);

    impl Object for Shown {
        fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
            self.0.push(key.to_owned());
            let said = match key {
                "rows" => members.next_value_seed(Rows::<2, _>(|row| self.0.push(format!("{row:?}"))))?,
                "each" => members.next_value_seed(Each(self))?,
                "flat" => members.next_value_seed(Entries(|key: &str, value| self.0.push(format!("{key}={value}"))))?,
                "list" => members.next_value_seed(Scalars(|value: Scalar| self.0.push(value.to_string())))?,
                _ => skip(members).map(Ok)?,
            };
            if let Err(other) = said {
                self.0.push(format!("not {other}"));
            }
            Ok(())
        }
    }

    fn shown(text: &str, capacity: usize) -> (String, Result<(), Stop>) {
        let limits = Limits { depth: 20, item_bytes: 100, ..Limits::default() };
        let mut shown = Shown::default();
        let mut input = io::BufReader::with_capacity(capacity, text.as_bytes());
        let read = document(&mut input, &limits, &mut shown);
        (shown.0.join(" "), read)
    }

    #[test]
    fn odd_values_are_handed_back_and_hide_nothing() {
        let text = r#"{"rows": [[1, "a", 3], 5, [{}]], "each": [{"list": [null, -1, 1.5, true, {"a": []}, "\u00e9"]}, 7],
            "flat": {"a\ud800": 18446744073709551616, "b": [1]}, "list": {"x": 1}, "each": "no", "z\"\\": [[["]"]]]}"#;
        for capacity in [1, 2, 7, 1000] {
            let (said, read) = shown(text, capacity);
            assert!(read.is_ok());
            assert_eq!(
                said,
                "rows Ok(([Count(1), Text(\"a\")], 3)) Err(Count(5)) Ok(([Object, Null], 1)) each list null -1 1.5 true \
                 an object \"é\" flat a\u{fffd}\u{fffd}\u{fffd}=18446744073709552000 b=a list list not an object each \
                 not \"no\" z\"\\"
            );
        }
    }

    #[test]
    fn a_cut_is_told_from_broken_text_and_from_a_limit() {
        for capacity in [1, 3, 1000] {
            let stop = |text: &str| match shown(text, capacity).1 {
                Ok(()) => "whole".to_owned(),
                Err(Stop::Cut(line)) => format!("cut {line}"),
                Err(Stop::Syntax(_, line)) => format!("syntax {line}"),
                Err(Stop::Fatal(error)) => error.to_string(),
            };
            assert_eq!(stop("{\"list\": [1,\n2"), "cut 2");
            assert_eq!(stop("{\"list\": [1,\n2]] }"), "syntax 2");
            assert_eq!(stop("{} {}"), "syntax 1");
            assert_eq!(stop("[1]"), "syntax 0");
            assert_eq!(
                stop(&format!("{{\"a\": {}", "[1,".repeat(1000))),
                "the nesting of values is larger than the limit of 20 levels"
            );
            let long = "x\\\"".repeat(40);
            assert_eq!(stop(&format!("{{\"{long}\": 1}}")), "one text is larger than the limit of 100 B");
            assert_eq!(
                stop(&format!("{{\"{}\": {}1{}}}", &long[..90], "[\"[[[\",".repeat(15), "]".repeat(15))),
                "whole"
            );
        }
    }
}
