//! Predictions as a page of documentation.

use std::fmt::Write as _;

use super::Predicted;
use super::folder::{Folder, PLACE, Prediction};

/// One chapter for each folder, with a table of what is predicted.
pub(super) fn page(predicted: &[(Folder, Vec<Predicted>)]) -> String {
    let mut text = format!(
        "# What the model says of published results\n\n\
         Written by `cargo xtask published --write` from the folders of [{PLACE}](../{PLACE}). Every figure is what the simulator\n\
         answers; the values that were published are kept apart and were used for nothing here. Inputs are rows of\n\
         [figures.csv](figures.csv).\n"
    );
    for (folder, figures) in predicted {
        let _ = write!(text, "\n## {}\n\n", folder.title());
        for machine in folder.machines() {
            let (name, command) = (folder.name(), folder.asks().command());
            let host = machine.map_or_else(String::new, |host| format!(" --host {}", place(&name, host)));
            let _ = write!(text, "`catamaran {command} {PLACE}/{name}/scenario.toml{host}`\n\n");
        }
        let _ = write!(text, "From {}.\n\n", folder.inputs().join(", "));
        text.push_str("| quantity | platform | the model says |\n|---|---|---|\n");
        for (prediction, figure) in folder.predictions().iter().zip(figures) {
            let Prediction { quantity, platform, unit, .. } = prediction;
            let _ = writeln!(text, "| {quantity} | {platform} | {} |", said(figure, unit));
        }
        let _ = write!(text, "\n{}\n", folder.reasoning());
    }
    text
}

/// Where a calibration of a folder lies, which may be another folder's.
fn place(folder: &str, host: &str) -> String {
    host.strip_prefix("../")
        .map_or_else(|| format!("{PLACE}/{folder}/{host}"), |elsewhere| format!("{PLACE}/{elsewhere}"))
}

fn said(figure: &Predicted, unit: &str) -> String {
    match figure {
        Ok(figure) => format!("{} {unit}", rounded(*figure)),
        Err(why) => format!("unknown: {why}"),
    }
}

/// Three significant digits where that leaves decimals, else whole.
fn rounded(figure: f64) -> String {
    let size = figure.abs();
    let decimals = [(100.0, 0), (10.0, 1), (1.0, 2), (0.1, 3)];
    let decimals = decimals.iter().find(|(least, _)| size >= *least).map_or(4, |(_, decimals)| *decimals);
    format!("{figure:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::{place, rounded, said};

    #[test]
    fn a_calibration_of_another_folder_is_named_by_its_own_place() {
        assert_eq!(place("redis", "host.toml"), "tests/accuracy/published/redis/host.toml");
        assert_eq!(place("redis", "../mysql/host.toml"), "tests/accuracy/published/mysql/host.toml");
    }

    #[test]
    fn figures_have_three_digits_or_are_whole() {
        let cases = [
            (97_512.4, "97512"),
            (123.4, "123"),
            (12.34, "12.3"),
            (1.234, "1.23"),
            (0.1234, "0.123"),
            (0.0, "0.0000"),
        ];
        for (figure, expected) in cases {
            assert_eq!(rounded(figure), expected);
        }
        assert_eq!(said(&Err("no row gives it".into()), "ms"), "unknown: no row gives it");
    }
}
