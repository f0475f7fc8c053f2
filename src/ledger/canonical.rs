//! JSON with one way to write it (RFC 8785, without fractions): members sorted, no spaces, shortest escapes.
//!
//! Numbers are whole and at most 2⁵³ in size, since RFC 8785 writes others as JavaScript does. A fact that needs a
//! fraction is written as a text or in a smaller unit.

use serde_json::Value;

use crate::base::error::{Error, Kind, Result};

/// The largest whole number that every reader of JSON keeps exactly.
const WHOLE_MAX: u64 = 1 << 53;
/// Nothing that we write is as deep; what is read from elsewhere may be.
const DEPTH_MAX: usize = 16;

/// The canonical text of `value`.
///
/// # Errors
/// `Internal` for a fraction, a number beyond ±2⁵³, or more than 16 levels: a fault of whoever made the value.
pub fn canonical(value: &Value) -> Result<String> {
    let mut text = String::new();
    write(value, &mut text, 0)?;
    Ok(text)
}

fn write(value: &Value, out: &mut String, depth: usize) -> Result<()> {
    let refuse = |what: &str| Err(Error::new(Kind::Internal, format!("canonical JSON {what}")));
    if depth > DEPTH_MAX {
        return refuse("is not as deep");
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => {
            let whole = number
                .as_i64()
                .map(i64::unsigned_abs)
                .or_else(|| number.as_u64());
            match whole {
                Some(size) if size <= WHOLE_MAX => out.push_str(&number.to_string()),
                _ => return refuse(&format!("has no number {number}")),
            }
        }
        Value::String(text) => string(text, out)?,
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out, depth + 1)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            // By UTF-16 code units, as RFC 8785, 3.2.3 asks; it matters only beyond the basic plane.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (i, (name, member)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                string(name, out)?;
                out.push(':');
                write(member, out, depth + 1)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// The library escapes exactly what RFC 8785, 3.2.2.2 does, in the same way; most texts have nothing to escape.
fn string(text: &str, out: &mut String) -> Result<()> {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        out.push('"');
        out.push_str(text);
        out.push('"');
        return Ok(());
    }
    let quoted =
        serde_json::to_string(text).map_err(|e| Error::new(Kind::Internal, e.to_string()))?;
    out.push_str(&quoted);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_sorted_and_escapes_are_the_shortest() {
        let value = json!({
            "\u{20ac}": "Euro", "\r": "CR", "1": "One", "\u{80}": "Control", "\u{f6}": "ö",
            "\u{fb33}": "Hebrew", "\u{1f602}": "Smiley", "</script>": "plain"
        });
        // RFC 8785, 3.2.3 sorts its example so.
        assert_eq!(
            canonical(&value).expect("canonical"),
            "{\"\\r\":\"CR\",\"1\":\"One\",\"</script>\":\"plain\",\"\u{80}\":\"Control\",\"ö\":\"ö\",\"€\":\"Euro\",\"\u{1f602}\":\"Smiley\",\"\u{fb33}\":\"Hebrew\"}"
        );
        assert_eq!(
            canonical(&json!("\u{8}\t\n\u{c}\r\"\\/\u{f}\u{7f}")).expect("canonical"),
            "\"\\b\\t\\n\\f\\r\\\"\\\\/\\u000f\u{7f}\""
        );
    }

    #[test]
    fn numbers_are_whole_and_small_enough_for_every_reader() {
        let most = 1_i64 << 53;
        for number in [0, 1, -1, most, -most] {
            assert_eq!(
                canonical(&json!(number)).expect("whole"),
                number.to_string()
            );
        }
        for value in [json!(0.5), json!(1e3), json!(most + 1), json!(u64::MAX)] {
            assert_eq!(
                canonical(&value).expect_err("refused").kind(),
                Kind::Internal
            );
        }
        let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
        assert!(canonical(&deep).is_err());
    }
}
