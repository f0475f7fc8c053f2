//! How long footage is kept, as text: `14 d`, `72 h`.

use crate::config::types::KEEP_SECS;

const HOUR_SECS: u32 = 3600;
const DAY_SECS: u32 = 86_400;

/// Reads `<n> h` or `<n> d` as seconds. The error is what to tell.
pub(crate) fn parse_keep(text: &str) -> Result<u32, String> {
    let unit_secs = match text.chars().last() {
        Some('h') => HOUR_SECS,
        Some('d') => DAY_SECS,
        _ => 0,
    };
    let number = text
        .get(..text.len().saturating_sub(1))
        .unwrap_or_default()
        .trim_end_matches(' ');
    let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if unit_secs == 0 || !plain {
        return Err(format!(
            "{text:?} is not a time; write hours as \"72 h\" or days as \"14 d\""
        ));
    }
    // A number too large for its type is out of range too.
    number
        .parse::<u32>()
        .ok()
        .and_then(|n| n.checked_mul(unit_secs))
        .filter(|secs| (KEEP_SECS.min..=KEEP_SECS.max).contains(secs))
        .ok_or_else(|| format!("{text:?} is out of range; it can be from 1 h to 3650 d"))
}

/// The shortest text that [`parse_keep`] reads as `secs` (whole hours).
pub(crate) fn keep_text(secs: u32) -> String {
    if secs.is_multiple_of(DAY_SECS) {
        format!("{} d", secs / DAY_SECS)
    } else {
        format!("{} h", secs / HOUR_SECS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_days_are_read_and_written() {
        for (text, secs) in [
            ("1 h", 3600),
            ("72h", 259_200),
            ("14 d", 1_209_600),
            ("3650 d", 315_360_000),
            ("87600 h", 315_360_000),
        ] {
            assert_eq!(parse_keep(text).expect(text), secs);
            assert_eq!(parse_keep(&keep_text(secs)).expect(text), secs);
        }
        assert_eq!(keep_text(25 * 3600), "25 h");
        assert_eq!(keep_text(48 * 3600), "2 d");
        for bad in [
            "",
            "d",
            " d",
            "14",
            "14 days",
            "14 w",
            "-1 d",
            "+1 d",
            "1.5 d",
            "2 viikkoa",
            "14 ä",
            "14 d ",
            "14\td",
        ] {
            let e = parse_keep(bad).expect_err(bad);
            assert!(e.contains("not a time"), "{bad}: {e}");
        }
        for bad in [
            "0 h",
            "0 d",
            "3651 d",
            "4294967295 d",
            "99999999999999999999 h",
        ] {
            let e = parse_keep(bad).expect_err(bad);
            assert!(e.contains("out of range"), "{bad}: {e}");
        }
    }
}
