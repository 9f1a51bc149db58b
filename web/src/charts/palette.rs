//! Whether the tenants' colours can be told apart, by everybody.
//!
//! **Law.** Distance in Oklab (Ottosson, "A perceptual color space for image processing", 2020), in hundredths of the way from
//! black to white, of the colours as they are and as people without red, green or blue cones see them (Machado, Oliveira and
//! Fernandes, "A physiologically-based model for simulation of color vision deficiency", IEEE TVCG 15, 2009, severity 1).
//! Contrast as in WCAG 2.2: shapes that carry meaning have 3 to 1 on the grounds that they stand on.

use super::patterns::COLOURS;

const TOKENS: &str = include_str!("../../styles/tokens.css");

/// Least distance between any two.
const APART: f64 = 10.0;
/// Least contrast with a ground.
const CONTRAST: f64 = 3.0;

type Triple = [f64; 3];
type Matrix = [Triple; 3];

const VIEWS: [(&str, Matrix); 4] = [
    ("as they are", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "without red",
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    ),
    (
        "without green",
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    ),
    (
        "without blue",
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ),
];

fn times(matrix: &Matrix, of: Triple) -> Triple {
    matrix.map(|row| row.iter().zip(of).map(|(factor, value)| factor * value).sum())
}

fn oklab(linear: Triple) -> Triple {
    let cones = [
        [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
        [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
        [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
    ];
    let axes = [
        [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
        [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
        [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
    ];
    times(&axes, times(&cones, linear.map(|part| part.clamp(0.0, 1.0))).map(f64::cbrt))
}

/// `#rrggbb` in linear light, 0–1.
fn linear(hex: &str) -> Triple {
    [1, 3, 5].map(|at| {
        let part = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    })
}

fn distance(one: Triple, other: Triple) -> f64 {
    100.0 * one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |hex| times(&[[0.2126, 0.7152, 0.0722]; 3], linear(hex))[0] + 0.05;
    let (one, other) = (luminance(one), luminance(other));
    one.max(other) / one.min(other)
}

/// The values of a token in the light and the dark theme.
fn token(name: &str) -> [&'static str; 2] {
    let (_, value) = TOKENS.split_once(&format!("--{name}: light-dark(")).unwrap();
    let (light, rest) = value.split_once(", ").unwrap();
    [light, rest.split_once(')').unwrap().0]
}

/// The two that are nearest to each other, and for whom.
fn nearest(colours: &[&str]) -> (f64, String) {
    let mut found = (f64::INFINITY, String::new());
    for (index, one) in colours.iter().enumerate() {
        for other in &colours[index + 1..] {
            for (view, matrix) in &VIEWS {
                let seen = |hex| oklab(times(matrix, linear(hex)));
                let apart = distance(seen(one), seen(other));
                if apart < found.0 {
                    found = (apart, format!("{one} and {other} {view}"));
                }
            }
        }
    }
    found
}

#[test]
fn tenants_colours_stay_apart_for_everybody_and_from_their_ground() {
    for theme in [0, 1] {
        let colours: Vec<&str> = (0..COLOURS).map(|index| token(&format!("tenant-{index}"))[theme]).collect();
        let (apart, who) = nearest(&colours);
        assert!(apart >= APART, "{who}: {apart:.1}");
        for ground in ["surface", "raised", "row"].map(|name| token(name)[theme]) {
            for colour in &colours {
                let contrast = contrast(colour, ground);
                assert!(contrast >= CONTRAST, "{colour} on {ground}: {contrast:.2}");
            }
        }
    }
}

#[test]
fn colours_that_are_alike_for_some_are_found() {
    // The sixth tenant had the first one's colour; and blue and green are one to whom blue cones are missing.
    assert!(nearest(&["#1d6fb8", "#c27c0e", "#1d6fb8"]).0 < 1e-9);
    let (apart, who) = nearest(&["#1d6fb8", "#1a8a6a"]);
    assert!(apart < APART && who.ends_with("without blue"), "{apart} {who}");
    assert!((distance(oklab(linear("#000000")), oklab(linear("#ffffff"))) - 100.0).abs() < 1e-3);
    assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
}
