//! `--vary PATH=VALUE,…`: which fields take which values, and their combinations.

use serde::Serialize;

use crate::failure::Failure;

/// One `--vary`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Vary {
    pub(super) path: String,
    pub(super) values: Vec<String>,
}

/// One field and one of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) path: String,
    pub(super) value: String,
}

impl Vary {
    /// Reads `PATH=VALUE,…`; the values are separated by semicolons where there is one, for fields that take lists.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |what: &str| {
            let example = "tenant.batch.cpu.limit=0.5,1,2";
            Failure::input(format!("--vary {text}: {what}; write PATH=VALUE,…, as in {example}"))
        };
        let (path, values) = text.split_once('=').ok_or_else(|| wrong("no `=` in it"))?;
        let separator = if values.contains(';') { ';' } else { ',' };
        let values: Vec<String> = values.split(separator).map(|value| value.trim().to_owned()).collect();
        if path.trim().is_empty() {
            return Err(wrong("no path before the `=`"));
        }
        if values.iter().any(String::is_empty) {
            return Err(wrong("an empty value"));
        }
        let is_before = |at: usize, value: &String| values.iter().take(at).any(|other| other == value);
        if let Some((_, twice)) = values.iter().enumerate().find(|(at, value)| is_before(*at, value)) {
            return Err(wrong(&format!("the value {twice} twice")));
        }
        Ok(Self { path: path.trim().to_owned(), values })
    }
}

/// Every combination, that of the last field changing fastest; refused where there are more than `most`.
pub(super) fn combinations(vary: &[Vary], most: usize) -> Result<Vec<Vec<Setting>>, Failure> {
    let is_before = |at: usize, one: &Vary| vary.iter().take(at).any(|other| other.path == one.path);
    if let Some((_, Vary { path, .. })) = vary.iter().enumerate().find(|(at, one)| is_before(*at, one)) {
        return Err(Failure::input(format!("--vary {path}: given twice; put all of its values into one")));
    }
    let count = vary.iter().map(|one| one.values.len()).fold(1, usize::saturating_mul);
    if count > most {
        return Err(Failure::input(format!(
            "{count} combinations are too many: with these platforms and seeds at most {most} can be simulated; give fewer \
             values, platforms or seeds"
        )));
    }
    let mut all = vec![Vec::new()];
    for one in vary {
        let with = |before: &Vec<Setting>| {
            let setting = |value: &String| Setting { path: one.path.clone(), value: value.clone() };
            let longer = |value: &String| before.iter().cloned().chain([setting(value)]).collect();
            one.values.iter().map(longer).collect::<Vec<Vec<Setting>>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vary(text: &str) -> Vary {
        Vary::parse(text).unwrap()
    }

    #[test]
    fn values_are_separated_by_commas_or_by_semicolons() {
        let table = [
            ("a.b=1,2", "a.b", vec!["1", "2"]),
            ("a = 1 , 20ms", "a", vec!["1", "20ms"]),
            ("set=0,1;2", "set", vec!["0,1", "2"]),
            ("x=a=b", "x", vec!["a=b"]),
        ];
        for (text, path, values) in table {
            assert_eq!(
                (vary(text).path.as_str(), vary(text).values),
                (path, values.into_iter().map(String::from).collect())
            );
        }
        for (text, says) in [
            ("a", "no `=`"),
            ("=1", "no path"),
            ("a=", "an empty value"),
            ("a=1,,2", "an empty value"),
            ("a=1,2,1", "1 twice"),
        ] {
            let Err(Failure::Input(message)) = Vary::parse(text) else { panic!("{text} is taken") };
            assert!(message.contains(says) && message.contains(text), "{message}");
        }
    }

    #[test]
    fn every_combination_comes_once_in_order() {
        let all = combinations(&[vary("a=1,2"), vary("b=x,y,z")], 6).unwrap();
        let shown: Vec<String> =
            all.iter().map(|one| one.iter().map(|setting| setting.value.as_str()).collect()).collect();
        assert_eq!(shown, ["1x", "1y", "1z", "2x", "2y", "2z"]);
        assert!(combinations(&[vary("a=1,2"), vary("b=x,y,z")], 5).is_err());
        assert!(combinations(&[vary("a=1,2"), vary("a=3")], 100).is_err());
    }
}
