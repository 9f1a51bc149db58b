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
        let host = if folder.host().is_some() {
            format!(" --host {PLACE}/{}/host.toml", folder.name())
        } else {
            String::new()
        };
        let _ = write!(text, "`catamaran sim {PLACE}/{}/scenario.toml{host}`\n\n", folder.name());
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
    use super::{rounded, said};

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
