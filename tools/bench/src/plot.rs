//! Plots as SVG.

use std::fmt::Write as _;

use crate::stats::Spread;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 110.0;
const COLORS: [&str; 5] = ["#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df"];

/// A figure and its label.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) figure: Spread,
    /// Whether it is one of ours.
    pub(crate) ours: bool,
}

/// Points, and what they belong to.
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) points: Vec<(u64, u64)>,
}

/// A logarithmic scale from the power of ten below the least to the one above the most.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn of(figures: impl Iterator<Item = u64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for figure in figures {
            let log = (figure.max(1) as f64).log10();
            (low, high) = (low.min(log.floor()), high.max(log.ceil()));
        }
        Self { low, high: high.max(low + 1.0) }
    }

    /// Where a figure lies, from 0 to 1.
    fn at(&self, figure: u64) -> f64 {
        ((figure.max(1) as f64).log10() - self.low) / (self.high - self.low)
    }

    fn decades(&self) -> impl Iterator<Item = u64> {
        let (low, high) = (self.low as u32, self.high as u32);
        (low..=high).map(|power| 10_u64.pow(power))
    }
}

/// Bars on a logarithmic scale, with a line from the lowest to the highest.
pub(crate) fn bars(title: &str, bars: &[Bar], unit: fn(u64) -> String) -> String {
    let height = 70.0 + 26.0 * bars.len() as f64;
    let width = WIDTH - LEFT - RIGHT;
    let scale = Scale::of(bars.iter().flat_map(|bar| [bar.figure.min, bar.figure.max]));
    let mut svg = begin(title, height);
    for decade in scale.decades() {
        let x = LEFT + width * scale.at(decade);
        grid(&mut svg, (x, 40.0), (x, height - 24.0));
        label(&mut svg, (x, height - 8.0), "middle", &unit(decade));
    }
    for (index, bar) in bars.iter().enumerate() {
        let y = 46.0 + 26.0 * index as f64;
        let color = if bar.ours { COLORS[0] } else { "#8c959f" };
        let end = width * scale.at(bar.figure.median);
        let (min, max) =
            (LEFT + width * scale.at(bar.figure.min), LEFT + width * scale.at(bar.figure.max));
        label(&mut svg, (LEFT - 8.0, y + 13.0), "end", &bar.label);
        let _ = writeln!(
            svg,
            r#"<rect x="{LEFT}" y="{y:.1}" width="{end:.1}" height="18" fill="{color}"/>"#
        );
        let middle = y + 9.0;
        let _ = writeln!(
            svg,
            r##"<path d="M{min:.1} {middle:.1}H{max:.1}" stroke="#24292f" stroke-width="1.5"/>"##
        );
        label(&mut svg, (max.max(LEFT + end) + 6.0, y + 13.0), "start", &unit(bar.figure.median));
    }
    svg + "</svg>\n"
}

/// Lines on two logarithmic scales.
pub(crate) fn lines(title: &str, axis: &str, lines: &[Line], unit: fn(u64) -> String) -> String {
    let (height, top, bottom) = (340.0, 44.0, 52.0);
    let (width, tall) = (WIDTH - LEFT - RIGHT, height - top - bottom);
    let all = || lines.iter().flat_map(|line| line.points.iter());
    let (across, up) =
        (Scale::of(all().map(|point| point.0)), Scale::of(all().map(|point| point.1)));
    let mut svg = begin(title, height);
    for decade in across.decades() {
        let x = LEFT + width * across.at(decade);
        grid(&mut svg, (x, top), (x, top + tall));
        label(&mut svg, (x, top + tall + 16.0), "middle", &count(decade));
    }
    for decade in up.decades() {
        let y = top + tall * (1.0 - up.at(decade));
        grid(&mut svg, (LEFT, y), (LEFT + width, y));
        label(&mut svg, (LEFT - 8.0, y + 4.0), "end", &unit(decade));
    }
    label(&mut svg, (LEFT + width / 2.0, height - 10.0), "middle", axis);
    for (line, color) in lines.iter().zip(COLORS.iter().cycle()) {
        let place =
            |&(x, y): &(u64, u64)| (LEFT + width * across.at(x), top + tall * (1.0 - up.at(y)));
        let places: Vec<(f64, f64)> = line.points.iter().map(place).collect();
        let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let path = path.join(" ");
        let _ = writeln!(
            svg,
            r#"<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>"#
        );
        for (x, y) in &places {
            let _ = writeln!(svg, r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{color}"/>"#);
        }
        if let Some((x, y)) = places.last() {
            let _ = writeln!(
                svg,
                r#"<text x="{:.1}" y="{:.1}" fill="{color}">{}</text>"#,
                x + 8.0,
                y + 4.0,
                escape(&line.label)
            );
        }
    }
    svg + "</svg>\n"
}

fn begin(title: &str, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#24292f\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"15\" font-weight=\"600\">{}</text>\n",
        escape(title)
    )
}

fn grid(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        svg,
        r##"<path d="M{:.1} {:.1}L{:.1} {:.1}" stroke="#d0d7de" stroke-width="1"/>"##,
        from.0, from.1, to.0, to.1
    );
}

fn label(svg: &mut String, at: (f64, f64), anchor: &str, text: &str) {
    let (x, y) = at;
    let text = escape(text);
    let _ = writeln!(svg, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#);
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// A number with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Nanoseconds in the unit that suits them.
pub(crate) fn time(nanos: u64) -> String {
    match nanos {
        0..1_000_000 => format!("{} µs", nanos / 1_000),
        1_000_000..10_000_000 => format!("{:.1} ms", nanos as f64 / 1e6),
        10_000_000..1_000_000_000 => format!("{} ms", nanos / 1_000_000),
        _ => format!("{:.1} s", nanos as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_reaches_from_power_to_power() {
        let scale = Scale::of([2_000, 90_000].into_iter());
        assert_eq!(scale.decades().collect::<Vec<_>>(), [1_000, 10_000, 100_000]);
        assert!(scale.at(1_000).abs() < 1e-9 && (scale.at(100_000) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn labels_cannot_break_the_drawing() {
        let bar = Bar {
            label: "a<b&c".to_owned(),
            figure: Spread { median: 5, min: 1, max: 9 },
            ours: true,
        };
        let svg = bars("title", &[bar], time);
        assert!(svg.contains("a&lt;b&amp;c") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn figures_are_told_in_units_that_suit() {
        assert_eq!(time(250_000), "250 µs");
        assert_eq!(time(2_500_000), "2.5 ms");
        assert_eq!(time(25_000_000), "25 ms");
        assert_eq!(time(2_500_000_000), "2.5 s");
        assert_eq!(count(1_234_567), "1,234,567");
    }
}
