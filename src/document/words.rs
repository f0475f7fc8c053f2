//! Words of a document, in each language. Which words, whoever writes the document says.

use crate::document::form::Language;

/// A text in each language: Finnish, Swedish, English.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Words(pub [&'static str; 3]);

impl Words {
    /// In one language.
    pub fn of(&self, language: Language) -> &'static str {
        language.pick(self.0)
    }

    /// With each `{}` filled in, in order.
    pub fn with(&self, language: Language, values: &[&str]) -> String {
        let mut parts = self.of(language).split("{}");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for (part, value) in parts.zip(values) {
            text.push_str(value);
            text.push_str(part);
        }
        text
    }
}

/// Names texts: `NAME: "Finnish", "Swedish", "English";`.
macro_rules! words {
    ($($name:ident: $fi:literal, $sv:literal, $en:literal;)*) => {
        $(pub(super) const $name: $crate::document::Words = $crate::document::Words([$fi, $sv, $en]);)*
    };
}
pub(crate) use words;
