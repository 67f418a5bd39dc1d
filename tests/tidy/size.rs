//! How long a file may grow: what one reading can take in. Unit tests do not count, wherever they stand.

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, Meta};

const LIMIT: usize = 500;

/// What is wrong with the length of a file, if anything.
pub(crate) fn finding(file: &str, source: &str) -> Option<String> {
    let lines = source.lines().count();
    if lines <= LIMIT {
        return None;
    }
    let own = lines - test_lines(source).unwrap_or_else(|error| panic!("cannot read {file}: {error}"));
    (own > LIMIT).then(|| format!("{file}: {own} lines without its tests, {LIMIT} at most"))
}

fn test_lines(source: &str) -> syn::Result<usize> {
    let mut tests = Tests { lines: 0 };
    tests.visit_file(&syn::parse_file(source)?);
    Ok(tests.lines)
}

struct Tests {
    lines: usize,
}

impl<'ast> Visit<'ast> for Tests {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.attrs.iter().any(is_for_tests) {
            let span = item.span();
            self.lines += span.end().line - span.start().line + 1;
        } else {
            visit::visit_item_mod(self, item);
        }
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => asks_for_test(list.tokens.clone()),
        _ => false,
    }
}

/// `test` itself, or `all(…)` with it in it; not `any(test, …)` and not `not(test)`, which also mean other builds.
fn asks_for_test(condition: TokenStream) -> bool {
    let trees: Vec<TokenTree> = condition.into_iter().collect();
    trees.iter().enumerate().any(|(at, tree)| match (tree, trees.get(at + 1)) {
        (TokenTree::Ident(word), Some(TokenTree::Group(group))) => word == "all" && asks_for_test(group.stream()),
        (TokenTree::Ident(word), _) => word == "test",
        _ => false,
    })
}

#[cfg(test)]
mod planted {
    use super::*;

    fn lines(count: usize) -> String {
        "// one\n".repeat(count)
    }

    #[test]
    fn a_file_may_be_exactly_as_long_as_the_limit() {
        assert_eq!(finding("src/a.rs", &lines(LIMIT)), None);
        assert_eq!(
            finding("src/a.rs", &lines(LIMIT + 1)).unwrap(),
            "src/a.rs: 501 lines without its tests, 500 at most"
        );
    }

    #[test]
    fn unit_tests_do_not_count() {
        let tests = format!("/// Planted.\n#[cfg(test)]\nmod tests {{\n{}}}\n", lines(40));
        assert_eq!(finding("src/a.rs", &(lines(490) + &tests)), None);
        assert_eq!(test_lines(&tests).unwrap(), 44);
        assert_eq!(test_lines(&format!("mod a {{\n{tests}}}\n")).unwrap(), 44);
        assert_eq!(test_lines("#[cfg(all(unix, test))]\nmod tests {}\n").unwrap(), 2);
    }

    #[test]
    fn code_that_is_also_built_without_tests_counts() {
        for condition in ["not(test)", "any(test, unix)", "feature = \"test\"", "all(unix, not(test))"] {
            assert_eq!(test_lines(&format!("#[cfg({condition})]\nmod a {{}}\n")).unwrap(), 0, "{condition}");
        }
    }
}
