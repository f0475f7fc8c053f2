//! Texts that do not belong into a record: personal identity codes, and numbers of identity documents.

/// The check characters of a Finnish personal identity code, by the remainder of its nine digits by 31.
const CHECKS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";

/// What a text has in it that is not to be kept, in words; `None`: nothing of the kind.
pub(super) fn find(text: &str) -> Option<&'static str> {
    let chars: Vec<char> = text.chars().map(plain).collect();
    if windows(&chars).any(|rest| is_identity_code(&rest)) {
        return Some(
            "it has what looks like a personal identity code, which is not kept; leave it out",
        );
    }
    let is_document = words(&chars).any(|word| is_document_number(&word));
    is_document.then_some(
        "it has what looks like the number of an identity document, which is not kept; leave it out",
    )
}

/// Capitals, and one kind of dash.
fn plain(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}' => '-',
        '\u{ff0b}' => '+',
        other => other.to_ascii_uppercase(),
    }
}

/// The text from each character on with which a word could begin, without blanks.
fn windows(chars: &[char]) -> impl Iterator<Item = Vec<char>> {
    let begins = |i: &usize| *i == 0 || !chars[*i - 1].is_alphanumeric();
    (0..chars.len()).filter(begins).map(|i| {
        // A code with blanks in it has at most as many of them as characters.
        let rest = chars[i..].iter().take(24).copied().collect::<Vec<_>>();
        code_at(&rest)
    })
}

/// Eleven characters with blanks around the sign left out, and what follows them.
fn code_at(rest: &[char]) -> Vec<char> {
    let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    let mut out: Vec<char> = rest[..digits].to_vec();
    let mut after = rest[digits..].iter().skip_while(|c| **c == ' ');
    out.extend(after.next());
    out.extend(after.skip_while(|c| **c == ' '));
    out
}

/// A code of the form DDMMYYCZZZQ (Act on the Population Information System 661/2009, section 11; Government Decree 128/2010): a
/// day that is in the calendar, one of the signs for a century, and the right check character.
fn is_identity_code(chars: &[char]) -> bool {
    if chars.len() < 11 || chars.get(11).is_some_and(|c| c.is_alphanumeric()) {
        return false;
    }
    let digits = |range: std::ops::Range<usize>| {
        chars[range]
            .iter()
            .try_fold(0_u32, |sum, c| Some(sum * 10 + c.to_digit(10)?))
    };
    let century = match chars[6] {
        '+' => 1800,
        '-' | 'U'..='Y' => 1900,
        'A'..='F' => 2000,
        _ => return false,
    };
    let (Some(day), Some(month), Some(year)) = (digits(0..2), digits(2..4), digits(4..6)) else {
        return false;
    };
    let (Some(first), Some(last)) = (digits(0..6), digits(7..10)) else {
        return false;
    };
    let year = i32::try_from(century + year).unwrap_or_default();
    let check = CHECKS[((first * 1000 + last) % 31) as usize];
    chrono::NaiveDate::from_ymd_opt(year, month, day).is_some() && chars[10] == char::from(check)
}

/// Runs of letters and digits.
fn words(chars: &[char]) -> impl Iterator<Item = Vec<char>> {
    chars
        .split(|c| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(<[char]>::to_vec)
}

/// A Finnish passport or identity card: two letters and seven digits; an older identity card: nine digits and a letter.
fn is_document_number(word: &[char]) -> bool {
    let letters = |part: &[char]| part.iter().all(char::is_ascii_uppercase);
    let digits = |part: &[char]| part.iter().all(char::is_ascii_digit);
    match word.len() {
        9 => letters(&word[..2]) && digits(&word[2..]),
        10 => digits(&word[..9]) && letters(&word[9..]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A code of a day with its right check character.
    fn code(day: u32, sign: char, number: u32) -> String {
        let check = CHECKS[((day * 1000 + number) % 31) as usize];
        format!("{day:06}{sign}{number:03}{}", char::from(check))
    }

    #[test]
    fn identity_codes_are_found_with_every_sign() {
        assert_eq!(
            code(131_052, '-', 308),
            "131052-308T",
            "the authorities' own example"
        );
        for sign in "+-UVWXYABCDEF".chars() {
            let code = code(131_052, sign, 308);
            for text in [
                code.clone(),
                code.to_lowercase(),
                format!("Virtanen ({code})"),
                format!("hetu:{code}."),
                format!("131052 {sign} 308T"),
            ] {
                assert!(find(&text).is_some(), "{text}");
            }
        }
        assert!(find("131052\u{2013}308T").is_some(), "a dash");
        assert!(find("290200A248A").is_some(), "a leap day");
    }

    #[test]
    fn numbers_of_documents_are_found() {
        for text in [
            "passi PB1234567",
            "pb1234567",
            "123456789A",
            "henkilökortti: AB7654321",
        ] {
            assert!(find(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_a_request_has_to_say_is_let_through() {
        for text in [
            "",
            "5560/R/1234/26",
            "131052-308S",
            "310252-308T",
            "131052/308T",
            "131052-308T1",
            "Y-tunnus 1234567-8",
            "0400123456",
            "+358 40 123 4567",
            "23.11.2026 klo 13.15-13.25",
            "kassa-1, kassa-2",
            "ÄÖ1234567",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_code_is_found_wherever_it_stands(
            day in 1_u32..=28, month in 1_u32..=12, year in 0_u32..=99, number in 2_u32..=999,
            sign in prop::sample::select("+-UVWXYABCDEF".chars().collect::<Vec<_>>()),
            before in "[a-zåäö]{0,8}[ ,:(]", after in "[ ,.)][a-zåäö0-9]{0,8}",
        ) {
            let text = format!("{before}{}{after}", code(day * 10_000 + month * 100 + year, sign, number));
            prop_assert!(find(&text).is_some(), "{}", text);
        }

        #[test]
        fn no_text_makes_it_fail(text in ".{0,60}") {
            find(&text);
        }
    }
}
