//! Korean particles that depend on the last sound of the word before them. Numbers are read in Sino-Korean (10 is 십), so
//! a particle after a computed figure can only be chosen once the figure is known.

/// A pair of particles; the first follows a final consonant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Josa {
    /// 을/를, the object.
    EulReul,
    /// 은/는, the topic.
    EunNeun,
    /// 이/가, the subject.
    IGa,
    /// 과/와, "and".
    GwaWa,
    /// 이에요/예요, "is".
    IeyoYeyo,
    /// 이었어요/였어요, "was".
    IeossYeoss,
    /// 으로/로, "by, to"; a final ㄹ counts as a vowel.
    EuroRo,
}

/// How a word ends for the ear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Vowel,
    Rieul,
    Consonant,
}

impl Josa {
    /// The particle that follows `word`: a Korean word, a Latin one, or a number in digits.
    #[must_use]
    pub fn after(self, word: &str) -> &'static str {
        let ending = ending(word);
        let (consonant, vowel) = self.pair();
        match (self, ending) {
            (_, Ending::Vowel) | (Self::EuroRo, Ending::Rieul) => vowel,
            _ => consonant,
        }
    }

    const fn pair(self) -> (&'static str, &'static str) {
        match self {
            Self::EulReul => ("을", "를"),
            Self::EunNeun => ("은", "는"),
            Self::IGa => ("이", "가"),
            Self::GwaWa => ("과", "와"),
            Self::IeyoYeyo => ("이에요", "예요"),
            Self::IeossYeoss => ("이었어요", "였어요"),
            Self::EuroRo => ("으로", "로"),
        }
    }
}

fn ending(word: &str) -> Ending {
    let spoken = word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '%');
    if let Some(ending) = unit_ending(spoken) {
        return ending;
    }
    match spoken.chars().next_back() {
        Some(last @ '가'..='힣') => syllable_ending(last),
        Some(last) if last.is_ascii_digit() => number_ending(spoken),
        // server is read 서버, host 호스트.
        Some(_) if ["er", "or", "st"].iter().any(|end| spoken.ends_with(end)) => Ending::Vowel,
        Some(last) => letter_ending(last),
        None => Ending::Vowel,
    }
}

/// Units after a number are read out in full: 5 ms is 오 밀리초.
fn unit_ending(spoken: &str) -> Option<Ending> {
    let digits_and_unit = spoken.rfind(|c: char| c.is_ascii_digit()).map(|at| spoken.split_at(at + 1));
    match digits_and_unit?.1.trim_start_matches(['\u{a0}', ' ']) {
        // 초, 밀리초, 마이크로초, 나노초, 퍼센트 and 바이트 all end in a vowel.
        "s" | "ms" | "µs" | "ns" | "%" | "B" | "KiB" | "MiB" | "GiB" => Some(Ending::Vowel),
        _ => None,
    }
}

/// Hangul syllables stand in Unicode in the order of their 28 final consonants (Unicode Standard, 3.12).
fn syllable_ending(syllable: char) -> Ending {
    match (u32::from(syllable) - u32::from('가')) % 28 {
        0 => Ending::Vowel,
        8 => Ending::Rieul,
        _ => Ending::Consonant,
    }
}

/// The last word of a Sino-Korean number: the last digit, or, after trailing zeros, the name of the place.
fn number_ending(spoken: &str) -> Ending {
    let start = spoken.rfind(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').map_or(0, |at| at + 1);
    let digits: String = spoken.chars().skip(spoken.get(..start).map_or(0, |s| s.chars().count())).collect();
    let whole = !digits.contains('.');
    let zeros = digits.chars().rev().filter(char::is_ascii_digit).take_while(|&c| c == '0').count();
    let all_zeros = digits.chars().filter(char::is_ascii_digit).all(|c| c == '0');
    if whole && zeros > 0 && !all_zeros {
        // 십, 백, 천, 만, 십만, 백만, 천만, 억; 조 and above end like 조, in a vowel.
        return if zeros < 12 { Ending::Consonant } else { Ending::Vowel };
    }
    match digits.chars().next_back() {
        Some('1' | '7' | '8') => Ending::Rieul,
        Some('0' | '3' | '6') => Ending::Consonant,
        _ => Ending::Vowel,
    }
}

/// Latin words by the usual reading of their last letter (엘, 엠, 엔, …); lower-case words of the field mostly end so too.
fn letter_ending(letter: char) -> Ending {
    match letter.to_ascii_lowercase() {
        'l' | 'r' => Ending::Rieul,
        'm' | 'n' | 'b' | 'k' | 'p' | 't' | 'c' | 'g' => Ending::Consonant,
        _ => Ending::Vowel,
    }
}

#[cfg(test)]
mod tests {
    use super::Josa;

    #[test]
    fn particles_follow_the_last_sound() {
        let table = [
            ("주기", Josa::EulReul, "를"),
            ("할당량", Josa::EulReul, "을"),
            ("5", Josa::EulReul, "를"),
            ("10", Josa::EulReul, "을"),
            ("95", Josa::EunNeun, "는"),
            ("3", Josa::EunNeun, "은"),
            ("0", Josa::IGa, "이"),
            ("2", Josa::IGa, "가"),
            ("1", Josa::EuroRo, "로"),
            ("7", Josa::EuroRo, "로"),
            ("6", Josa::EuroRo, "으로"),
            ("100", Josa::EuroRo, "으로"),
            ("1,000", Josa::IGa, "이"),
            ("3.5", Josa::EulReul, "를"),
            ("0.8", Josa::EuroRo, "로"),
            ("5\u{a0}ms", Josa::EulReul, "를"),
            ("10 ms", Josa::IGa, "가"),
            ("75\u{a0}%", Josa::EunNeun, "는"),
            ("75%", Josa::EuroRo, "로"),
            ("10배", Josa::EuroRo, "로"),
            ("커널", Josa::EuroRo, "로"),
            ("커널", Josa::EunNeun, "은"),
            ("코어 10개", Josa::EulReul, "를"),
            ("스로틀링(throttling)", Josa::IGa, "이"),
            ("서버", Josa::GwaWa, "와"),
            ("5", Josa::IeyoYeyo, "예요"),
            ("10", Josa::IeyoYeyo, "이에요"),
            ("43 ms", Josa::IeossYeoss, "였어요"),
            ("12건", Josa::IeossYeoss, "이었어요"),
            ("128 MiB", Josa::EuroRo, "로"),
            ("3회", Josa::EuroRo, "로"),
            ("server", Josa::IGa, "가"),
            ("tenant.web.cpu.burst", Josa::EulReul, "를"),
            ("tenant.web.cpu.limit", Josa::EulReul, "을"),
        ];
        for (word, josa, expected) in table {
            assert_eq!(josa.after(word), expected, "{word} {josa:?}");
        }
    }
}
