//! Colours: reading them, the nearest that a terminal has, and how far apart two are.

use ratatui::style::{Color, Style};

use crate::config::ColorSupport;

/// The names of the sixteen colours, in the order of their numbers.
const ANSI: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

/// How xterm shows the sixteen. Other terminals differ a little; the person may have changed them.
const ANSI_RGB: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

/// The steps of xterm's colour cube.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// Reads `#rrggbb`, `#rgb`, a number up to 255, `default`, or a name of ANSI.
pub(super) fn parse(text: &str) -> Option<Color> {
    if let Some(hex) = text.strip_prefix('#') {
        let digits = hex.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<u32>>>()?;
        let digits: Vec<u8> = digits.into_iter().filter_map(|digit| u8::try_from(digit).ok()).collect();
        return match digits[..] {
            [r, g, b] => Some(Color::Rgb(r * 17, g * 17, b * 17)),
            [r1, r0, g1, g0, b1, b0] => Some(Color::Rgb(r1 * 16 + r0, g1 * 16 + g0, b1 * 16 + b0)),
            _ => None,
        };
    }
    if text == "default" {
        return Some(Color::Reset);
    }
    if let Ok(index) = text.parse::<u8>() {
        return Some(ANSI.get(usize::from(index)).map_or(Color::Indexed(index), |(_, color)| *color));
    }
    ANSI.iter().find(|(name, _)| *name == text).map(|(_, color)| *color)
}

/// Red, green and blue of a colour; None for the terminal's own default.
pub(crate) fn rgb(color: Color) -> Option<[u8; 3]> {
    match color {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(index) if index < 16 => Some(ANSI_RGB[usize::from(index)]),
        Color::Indexed(index) if index < 232 => {
            let cell = usize::from(index - 16);
            Some([CUBE[cell / 36], CUBE[cell / 6 % 6], CUBE[cell % 6]])
        }
        Color::Indexed(index) => Some([8 + 10 * (index - 232); 3]),
        named => ANSI.iter().position(|(_, color)| *color == named).map(|index| ANSI_RGB[index]),
    }
}

/// The style with the nearest colours that the terminal has.
pub(super) fn downgrade_style(mut style: Style, support: ColorSupport) -> Style {
    style.fg = style.fg.and_then(|color| downgrade(color, support));
    style.bg = style.bg.and_then(|color| downgrade(color, support));
    style
}

fn downgrade(color: Color, support: ColorSupport) -> Option<Color> {
    match (support, color) {
        (ColorSupport::Monochrome, _) => None,
        (ColorSupport::Ansi256, Color::Rgb(r, g, b)) => Some(nearest_256([r, g, b])),
        (ColorSupport::Ansi16, Color::Rgb(..) | Color::Indexed(_)) => rgb(color).map(nearest_16),
        _ => Some(color),
    }
}

fn nearest_256(color: [u8; 3]) -> Color {
    (16..=255)
        .map(Color::Indexed)
        .min_by_key(|candidate| rgb(*candidate).map_or(u32::MAX, |rgb| distance(rgb, color)))
        .unwrap_or(Color::Reset)
}

/// The nearest of sixteen: grey to grey and hue to hue, since by distance alone every soft colour would become a grey.
fn nearest_16(color: [u8; 3]) -> Color {
    let greys = [0, 7, 8, 15];
    let saturated = spread(color) >= 48;
    let candidates = (0..16).filter(|index| greys.contains(index) != saturated);
    let strong = pure(color);
    let key = |index: &usize| {
        let candidate = ANSI_RGB[*index];
        if saturated { (distance(pure(candidate), strong), distance(candidate, color)) } else { (distance(candidate, color), 0) }
    };
    candidates.min_by_key(key).map_or(Color::Reset, |index| ANSI[index].1)
}

fn spread(color: [u8; 3]) -> u8 {
    color.iter().max().zip(color.iter().min()).map_or(0, |(max, min)| max - min)
}

/// The colour's hue alone: no white in it, and as bright as it can be.
fn pure(color: [u8; 3]) -> [u8; 3] {
    let min = color.iter().min().copied().unwrap_or_default();
    let range = u16::from(spread(color).max(1));
    color.map(|part| u8::try_from(u16::from(part - min) * 255 / range).unwrap_or(u8::MAX))
}

/// Green weighs most and blue least, as in the eye.
fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    let part = |index: usize| u32::from(one[index].abs_diff(other[index])).pow(2);
    3 * part(0) + 4 * part(1) + 2 * part(2)
}

/// The contrast of two colours from 1 to 21 (WCAG 2); None where one is the terminal's own default.
pub fn contrast(one: Color, other: Color) -> Option<f64> {
    let (one, other) = (luminance(rgb(one)?), luminance(rgb(other)?));
    Some((one.max(other) + 0.05) / (one.min(other) + 0.05))
}

fn luminance(color: [u8; 3]) -> f64 {
    let linear = color.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_forms() {
        assert_eq!(parse("#1a2B3c"), Some(Color::Rgb(0x1a, 0x2b, 0x3c)));
        assert_eq!(parse("#fff"), Some(Color::Rgb(255, 255, 255)));
        assert_eq!(parse("208"), Some(Color::Indexed(208)));
        assert_eq!(parse("9"), Some(Color::LightRed));
        assert_eq!(parse("bright-black"), Some(Color::DarkGray));
        assert_eq!(parse("default"), Some(Color::Reset));
        for bad in ["", "#", "#12", "#12345", "#gggggg", "#é1é1é1", "256", "-1", "purple"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_nearest_keeps_its_hue() {
        assert_eq!(nearest_16([0x9b, 0xd2, 0x7a]), Color::Green);
        assert_eq!(nearest_16([0xf7, 0x76, 0x8e]), Color::LightRed);
        assert_eq!(nearest_16([0x16, 0x18, 0x1d]), Color::Black);
        assert_eq!(nearest_16([0xfb, 0xfb, 0xf9]), Color::White);
        assert_eq!(nearest_256([255, 135, 0]), Color::Indexed(208));
        assert_eq!(nearest_256([8, 8, 8]), Color::Indexed(232));
    }

    #[test]
    fn contrast_of_black_and_white_is_21() {
        let ratio = contrast(Color::Rgb(0, 0, 0), Color::White).unwrap();
        assert!((ratio - 21.0).abs() < 1e-9);
        assert_eq!(contrast(Color::Reset, Color::Black), None);
    }
}
