//! Every path that a source file reaches through `crate`, `$crate`, `self`, `super` or the crate's own name,
//! resolved to where it leads from the crate's root.
//!
//! They are found in `use` trees, types, expressions, patterns, bounds, attributes and the tokens of macros; in an
//! attribute also as a string (`with = "crate::sys::x"`). A path that starts with any other word can only reach
//! what the module declares or has imported by one of these.
//!
//! Not seen: paths that a macro puts together when it expands (a `macro_rules!` is read where it is written, not
//! where it is called), strings in attributes that are more than one type (a `bound`), files that come in through
//! `include!` or `#[path]`, and what doc comments link to, which is no import.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Ident, ItemExternCrate, ItemMod, ItemUse, Lit, LitStr, Meta, Path, UseTree, VisRestricted};

const OWN_NAME: &str = "mgmt_action";

/// A path out of a module.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    /// Where the path starts.
    pub(crate) line: usize,
    /// The path as it stands there; in a `use` tree with everything before it.
    pub(crate) written: String,
    /// The module it stands in, from the crate's root.
    pub(crate) module: Vec<String>,
    /// Where it leads, from the crate's root; empty for the root itself and for all that is there.
    pub(crate) target: Vec<String>,
}

/// The paths of a file that holds this module, some of them more than once.
pub(crate) fn read(module: Vec<String>, source: &str) -> syn::Result<Vec<Import>> {
    let mut walk = Walk { module, line: None, found: Vec::new() };
    walk.visit_file(&syn::parse_file(source)?);
    Ok(walk.found)
}

struct Walk {
    module: Vec<String>,
    /// The line of the string whose text is being read: spans inside it count from its own start.
    line: Option<usize>,
    found: Vec<Import>,
}

impl Walk {
    fn note(&mut self, segments: &[String], suffix: &str, span: Span) {
        let Some(target) = resolve(&self.module, segments) else { return };
        self.found.push(Import {
            line: self.line.unwrap_or(span.start().line),
            written: segments.join("::") + suffix,
            module: self.module.clone(),
            target,
        });
    }

    fn inside(&mut self, name: &Ident, read: impl FnOnce(&mut Self)) {
        self.module.push(word(name));
        read(self);
        self.module.pop();
    }

    fn tree(&mut self, before: &[String], tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.tree(&join(before, &word(&path.ident)), &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(before, item)),
            UseTree::Glob(glob) => self.note(&join(before, "*"), "", glob.star_token.span()),
            UseTree::Name(name) => self.note(&join(before, &word(&name.ident)), "", name.ident.span()),
            UseTree::Rename(name) => {
                let suffix = format!(" as {}", name.rename);
                self.note(&join(before, &word(&name.ident)), &suffix, name.ident.span());
            }
        }
    }

    fn tokens(&mut self, stream: TokenStream) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while let Some(tree) = trees.get(at) {
            at = match (tree, trees.get(at + 1), trees.get(at + 2)) {
                (TokenTree::Ident(key), Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) if key == "mod" => {
                    self.inside(name, |walk| walk.tokens(body.stream()));
                    at + 3
                }
                (TokenTree::Ident(first), ..) => self.token_path(&[], first, &trees, at + 1),
                (TokenTree::Group(group), ..) => {
                    self.tokens(group.stream());
                    at + 1
                }
                _ => at + 1,
            };
        }
    }

    /// Reads the rest of a path whose first word stands before `at`; says where it ends.
    fn token_path(&mut self, before: &[String], first: &Ident, trees: &[TokenTree], mut at: usize) -> usize {
        let mut segments = join(before, &word(first));
        while is_colon(trees.get(at)) && is_colon(trees.get(at + 1)) {
            at += 2;
            match trees.get(at) {
                Some(TokenTree::Ident(next)) => segments.push(word(next)),
                Some(TokenTree::Punct(star)) if star.as_char() == '*' => segments.push("*".to_owned()),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.token_group(&segments, group.stream());
                    return at + 1;
                }
                _ => break,
            }
            at += 1;
        }
        if segments.len() > 1 {
            self.note(&segments, "", first.span());
        }
        at
    }

    /// Reads the braces of a `use` tree: one path after each comma.
    fn token_group(&mut self, before: &[String], stream: TokenStream) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while at < trees.len() {
            at = match &trees[at] {
                TokenTree::Ident(first) => self.token_path(before, first, &trees, at + 1),
                star => {
                    self.note(&join(before, "*"), "", star.span());
                    at + 1
                }
            };
            at += trees[at..].iter().take_while(|tree| !is_punct(Some(tree), ',')).count() + 1;
        }
    }

    fn strings(&mut self, stream: TokenStream) {
        for tree in stream {
            match tree {
                TokenTree::Group(group) => self.strings(group.stream()),
                TokenTree::Literal(literal) => {
                    if let Ok(string) = syn::parse_str::<LitStr>(&literal.to_string()) {
                        self.string(&string.value(), literal.span());
                    }
                }
                _ => {}
            }
        }
    }

    fn string(&mut self, text: &str, span: Span) {
        if let Ok(path) = syn::parse_str::<syn::Type>(text) {
            let outer = self.line.replace(span.start().line);
            self.visit_type(&path);
            self.line = outer;
        }
    }
}

impl<'ast> Visit<'ast> for Walk {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        item.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        if let Some((_, items)) = &item.content {
            self.inside(&item.ident, |walk| items.iter().for_each(|item| walk.visit_item(item)));
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        item.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        self.tree(&[], &item.tree);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast ItemExternCrate) {
        if item.ident == "self" || item.ident == OWN_NAME {
            self.note(&["crate".to_owned()], " by another name", item.ident.span());
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| word(&segment.ident)).collect();
        if segments.len() > 1 {
            self.note(&segments, "", path.span());
        }
        visit::visit_path(self, path);
    }

    /// `pub(in crate::a)` says who may look in; it imports nothing.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        match &attribute.meta {
            Meta::List(list) => self.strings(list.tokens.clone()),
            Meta::NameValue(pair) => {
                if let Expr::Lit(value) = &pair.value
                    && let Lit::Str(string) = &value.lit
                {
                    self.string(&string.value(), string.span());
                }
            }
            Meta::Path(_) => {}
        }
        visit::visit_attribute(self, attribute);
    }

    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        self.tokens(tokens.clone());
    }
}

/// Where a path leads from the crate's root; nothing for a path that starts with a word of its own.
fn resolve(module: &[String], segments: &[String]) -> Option<Vec<String>> {
    let (first, rest) = segments.split_first()?;
    let mut target = match first.as_str() {
        "crate" | OWN_NAME => Vec::new(),
        "self" => module.to_vec(),
        "super" => module[..module.len().saturating_sub(1)].to_vec(),
        _ => return None,
    };
    for segment in rest {
        match segment.as_str() {
            "self" | "*" => {}
            "super" => {
                target.pop();
            }
            name => target.push(name.to_owned()),
        }
    }
    Some(target)
}

fn join(before: &[String], last: &str) -> Vec<String> {
    before.iter().cloned().chain([last.to_owned()]).collect()
}

fn word(ident: &Ident) -> String {
    ident.unraw().to_string()
}

fn is_colon(tree: Option<&TokenTree>) -> bool {
    is_punct(tree, ':')
}

fn is_punct(tree: Option<&TokenTree>, sign: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}
