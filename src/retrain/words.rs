//! What the decoders of `retrain:` share.

use crate::decode::Decoder;
use crate::decode::tree::Node;

/// The code of what is wrong with the section.
pub(super) const CODE: &str = "config.retrain";

/// Text that is not blank.
pub(super) fn words(decoder: &mut Decoder, node: &Node, what: &str) -> Option<String> {
    let text = decoder.text(node, what)?;
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        decoder.error(CODE, &node.place, format!("{} cannot be {what}", node.describe()), None);
        return None;
    }
    Some(text)
}
