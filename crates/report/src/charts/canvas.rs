//! Where everything is drawn, in pixels from the upper left corner.

use plotters::coord::Shift;
use plotters::prelude::{
    Circle, DrawingArea, FontDesc, FontFamily, FontStyle, IntoDrawingArea, PathElement, Polygon, RGBColor,
    Rectangle, SVGBackend, ShapeStyle, Text, TextStyle,
};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Why there is no chart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the chart could not be drawn: {0}")]
pub struct ChartError(String);

pub(super) type Drawn = Result<(), ChartError>;

const FONT: &str = "system-ui, 'Noto Sans', 'Noto Sans KR', 'Liberation Sans', sans-serif";
/// plotters divides the size of a font by this before it writes it.
const PLOTTERS_FONT_SCALE: f64 = 1.24;

/// A role of a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Background,
    Text,
    Muted,
    Grid,
    Simulated,
    Native,
    /// Of a tenant, by its index.
    Tenant(u32),
    Throttle,
}

/// Light and dark shade of the tenants' colours (Okabe and Ito 2008, in an order that keeps neighbours apart).
const TENANTS: [(u32, u32); 6] = [
    (0x00_72_B3, 0x56_B4_E9),
    (0xE6_9F_01, 0xF0_B9_3A),
    (0x00_9E_74, 0x2F_C7_9A),
    (0xCC_79_A8, 0xE0_9A_C2),
    (0x8A_6D_3B, 0xC0_A0_6A),
    (0x5B_5B_A5, 0x9A_9A_E0),
];

const ROLES: [Ink; 7] =
    [Ink::Background, Ink::Text, Ink::Muted, Ink::Grid, Ink::Simulated, Ink::Native, Ink::Throttle];

impl Ink {
    /// Shades (0xRRGGBB) for a light and a dark page. Every light shade occurs once: the style sheet finds it by value.
    fn shades(self) -> (u32, u32) {
        match self {
            Self::Background => (0xFF_FF_FF, 0x11_17_1D),
            Self::Text => (0x1B_24_2D, 0xE9_ED_F1),
            Self::Muted => (0x5A_67_73, 0xA3_B0_BC),
            Self::Grid => (0xDD_E2_E7, 0x2E_39_44),
            Self::Simulated => (0x00_72_B2, 0x56_B4_E8),
            Self::Native => (0xD5_5E_00, 0xF5_8B_3C),
            Self::Throttle => (0xB0_24_18, 0xFF_7B_6B),
            Self::Tenant(index) => {
                TENANTS.get(index as usize % TENANTS.len()).copied().unwrap_or((0x00_72_B3, 0x56_B4_E9))
            }
        }
    }

    fn color(self) -> RGBColor {
        let [_, red, green, blue] = self.shades().0.to_be_bytes();
        RGBColor(red, green, blue)
    }
}

/// Size and weight of a text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Size {
    Title,
    Heading,
    Body,
    Small,
}

/// Which point of a text is put where it is told; vertically always its middle.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// The drawing.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Draws a chart of that size; `title` and `description` are what a screen reader says.
pub(super) fn svg(
    size: (u32, u32),
    title: &str,
    description: &str,
    draw: impl FnOnce(&Canvas) -> Drawn,
) -> Result<String, ChartError> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let canvas = Canvas { area };
        canvas.rectangle((0, 0), (size.0 as i32, size.1 as i32), Ink::Background, 1.0)?;
        draw(&canvas)?;
        canvas.area.present().map_err(failed)?;
    }
    Ok(with_head(&text, title, description))
}

/// plotters writes neither a title nor a style sheet: both go right behind the opening tag.
fn with_head(svg: &str, title: &str, description: &str) -> String {
    let (open, rest) = svg.split_once('>').unwrap_or((svg, ""));
    let (title, description) = (escaped(title), escaped(description));
    format!(
        "{open} role=\"img\" font-variant-numeric=\"tabular-nums\">\n<title>{title}</title>\n<desc>{description}</desc>\n\
         <style>\n@media (prefers-color-scheme: dark) {{\n{}}}\n</style>{rest}",
        dark_rules()
    )
}

fn dark_rules() -> String {
    let tenants = (0..TENANTS.len() as u32).map(Ink::Tenant);
    ROLES
        .into_iter()
        .chain(tenants)
        .map(|ink| {
            let (light, dark) = ink.shades();
            format!(
                "[fill=\"#{light:06X}\"] {{ fill: #{dark:06X} }} [stroke=\"#{light:06X}\"] {{ stroke: #{dark:06X} }}\n"
            )
        })
        .collect()
}

fn escaped(text: &str) -> String {
    printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// XML has no way to write most control characters, and names may come from a file that somebody dropped.
fn printable(text: &str) -> String {
    let is_allowed = |c: &char| !c.is_control() && !matches!(*c, '\u{FFFE}' | '\u{FFFF}');
    text.chars().filter(is_allowed).collect()
}

impl Canvas<'_> {
    pub(super) fn text(&self, at: (i32, i32), text: &str, ink: Ink, size: Size, anchor: Anchor) -> Drawn {
        let (points, style) = match size {
            Size::Title => (22.0, FontStyle::Bold),
            Size::Heading => (15.0, FontStyle::Bold),
            Size::Body => (13.0, FontStyle::Normal),
            Size::Small => (11.0, FontStyle::Normal),
        };
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let font = FontDesc::new(FontFamily::Name(FONT), points * PLOTTERS_FONT_SCALE, style);
        let color = ink.color();
        let style = TextStyle::from(font).color(&color).pos(Pos::new(horizontal, VPos::Center));
        self.area.draw(&Text::new(printable(text), at, style)).map_err(failed)
    }

    pub(super) fn line(&self, from: (i32, i32), to: (i32, i32), ink: Ink, width: u32) -> Drawn {
        self.path(&[from, to], ink, width, 1.0)
    }

    pub(super) fn path(&self, points: &[(i32, i32)], ink: Ink, width: u32, opacity: f64) -> Drawn {
        let style = ShapeStyle { color: ink.color().mix(opacity), filled: false, stroke_width: width };
        self.area.draw(&PathElement::new(points, style)).map_err(failed)
    }

    /// Filled, from the upper left to the lower right corner.
    pub(super) fn rectangle(&self, from: (i32, i32), to: (i32, i32), ink: Ink, opacity: f64) -> Drawn {
        self.area.draw(&Rectangle::new([from, to], ink.color().mix(opacity).filled())).map_err(failed)
    }

    /// The mark of a simulated value: a diamond.
    pub(super) fn diamond(&self, (x, y): (i32, i32), ink: Ink, opacity: f64) -> Drawn {
        let corners = [(x - 6, y), (x, y - 6), (x + 6, y), (x, y + 6)];
        self.area.draw(&Polygon::new(corners, ink.color().mix(opacity).filled())).map_err(failed)
    }

    /// The mark of a native value: a disc.
    pub(super) fn disc(&self, at: (i32, i32), ink: Ink, opacity: f64) -> Drawn {
        self.area.draw(&Circle::new(at, 5, ink.color().mix(opacity).filled())).map_err(failed)
    }
}

fn failed(error: impl std::fmt::Display) -> ChartError {
    ChartError(error.to_string())
}
