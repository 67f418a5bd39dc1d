//! The part of GitHub's expressions that `action.yml` uses: paths, literals, `==`, `!=`, `!`, `&&`, `||`, parentheses
//! and the status functions. Anything else is a panic: a test that guesses is worse than none.

/// What an expression can be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Truth(bool),
}

impl Value {
    fn is_true(&self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty(),
            Self::Truth(truth) => *truth,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}

/// Where names get their values.
pub(crate) trait Context {
    /// The value of a dotted path.
    fn path(&self, path: &str) -> String;
    /// What a status function says.
    fn status(&self, function: &str) -> bool;
}

/// A text with every `${{ … }}` in it replaced.
pub(crate) fn filled(text: &str, context: &dyn Context) -> String {
    let mut rest = text;
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once("${{") {
        let (inside, after) = after.split_once("}}").unwrap_or_else(|| panic!("`${{{{` is not closed: {text}"));
        out.push_str(before);
        out.push_str(&evaluated(inside, context).text());
        rest = after;
    }
    out + rest
}

/// Whether a step with this condition is run: without a status function, only while nothing has failed.
pub(crate) fn holds(condition: Option<&str>, context: &dyn Context) -> bool {
    let Some(condition) = condition else { return context.status("success") };
    let inside = condition.trim().strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")).unwrap_or(condition);
    let asks = ["success(", "failure(", "always(", "cancelled("].iter().any(|function| inside.contains(function));
    (asks || context.status("success")) && evaluated(inside, context).is_true()
}

fn evaluated(text: &str, context: &dyn Context) -> Value {
    let tokens = tokens(text);
    let mut reader = Reader { tokens: &tokens, at: 0, context };
    let value = reader.either();
    assert_eq!(reader.at, tokens.len(), "`{text}` goes on after what was understood");
    value
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if let Some(operator) = ["==", "!=", "&&", "||"].iter().find(|found| rest.starts_with(**found)) {
            operator.len()
        } else if first == '\'' {
            rest[1..].find('\'').expect("a text ends with a quote") + 2
        } else if "()!".contains(first) {
            1
        } else {
            let is_name = |sign: char| sign.is_ascii_alphanumeric() || "._-".contains(sign);
            let length = rest.find(|sign| !is_name(sign)).unwrap_or(rest.len());
            assert!(length > 0, "`{rest}` is not understood");
            length
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    tokens
}

struct Reader<'a> {
    tokens: &'a [String],
    at: usize,
    context: &'a dyn Context,
}

impl Reader<'_> {
    fn take(&mut self, token: &str) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|next| next == token);
        self.at += usize::from(found);
        found
    }

    fn either(&mut self) -> Value {
        let mut value = self.both();
        while self.take("||") {
            let other = self.both();
            value = if value.is_true() { value } else { other };
        }
        value
    }

    fn both(&mut self) -> Value {
        let mut value = self.compared();
        while self.take("&&") {
            let other = self.compared();
            value = if value.is_true() { other } else { value };
        }
        value
    }

    fn compared(&mut self) -> Value {
        let value = self.single();
        if self.take("==") {
            return Value::Truth(value.text().eq_ignore_ascii_case(&self.single().text()));
        }
        if self.take("!=") {
            return Value::Truth(!value.text().eq_ignore_ascii_case(&self.single().text()));
        }
        value
    }

    fn single(&mut self) -> Value {
        if self.take("!") {
            return Value::Truth(!self.single().is_true());
        }
        if self.take("(") {
            let value = self.either();
            assert!(self.take(")"), "a parenthesis is not closed");
            return value;
        }
        let token = self.tokens.get(self.at).expect("an expression ends too early").clone();
        self.at += 1;
        if let Some(text) = token.strip_prefix('\'') {
            return Value::Text(text.trim_end_matches('\'').to_owned());
        }
        if self.take("(") {
            assert!(self.take(")"), "{token}() takes nothing here");
            return Value::Truth(self.context.status(&token));
        }
        Value::Text(self.context.path(&token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sample;

    impl Context for Sample {
        fn path(&self, path: &str) -> String {
            if path == "inputs.a" { "x".into() } else { String::new() }
        }

        fn status(&self, function: &str) -> bool {
            function == "failure"
        }
    }

    #[test]
    fn expressions_mean_what_they_mean_to_the_runner() {
        assert_eq!(filled("<${{ inputs.a }}${{ inputs.b || 'y' }}>", &Sample), "<xy>");
        assert_eq!(filled("${{ inputs.a == 'x' && inputs.b || '' }}", &Sample), "");
        assert_eq!(filled("${{ (inputs.a != 'X' || !inputs.b) && 'z' }}", &Sample), "z");
        // Something failed: only conditions that ask for it are looked at.
        assert!(!holds(None, &Sample));
        assert!(!holds(Some("${{ inputs.a == 'x' }}"), &Sample));
        assert!(holds(Some("${{ !cancelled() && inputs.a == 'x' }}"), &Sample));
    }
}
