//! Draws a curve as SVG that can be read on light and on dark ground: no ground of its own, and colours of middling lightness.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use super::{Curve, Points};
use crate::question::Role;

const TEXT: RGBColor = RGBColor(0x77, 0x77, 0x77);
const OURS: RGBColor = RGBColor(0x2f, 0x81, 0xf7);
const LIMIT: RGBColor = RGBColor(0x8a, 0x8a, 0x8a);
/// Of peers, in their order.
const PEERS: [RGBColor; 5] = [
    RGBColor(0xd9, 0x73, 0x1a),
    RGBColor(0xd0, 0x48, 0x48),
    RGBColor(0x9a, 0x63, 0xd8),
    RGBColor(0x2e, 0x9d, 0x57),
    RGBColor(0xb8, 0x8a, 0x1e),
];

pub(super) fn draw(file: &Path, curve: &Curve, lines: &[Points]) -> Result<(), Box<dyn Error>> {
    let all = || lines.iter().flatten();
    let most = all().map(|(place, _)| *place).max().unwrap_or(10).max(10);
    let nanos = || all().map(|(_, nanos)| *nanos).filter(|nanos| *nanos > 0.0);
    let (least, greatest) = (nanos().fold(f64::MAX, f64::min), nanos().fold(1.0, f64::max));
    let area = SVGBackend::new(file, (760, 440)).into_drawing_area();
    let text = |size: i32| ("sans-serif", size).into_font().color(&TEXT);
    let mut chart = ChartBuilder::on(&area)
        .caption(curve.title, text(18))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(
            (1_f64..most as f64).log_scale(),
            (least.min(greatest) / 2.0..greatest * 2.0).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc(curve.over)
        .y_desc(format!("ns of processor for {}", curve.each))
        .x_label_formatter(&|place| thousands(*place))
        .y_label_formatter(&|nanos| thousands(*nanos))
        .label_style(text(13))
        .axis_desc_style(text(14))
        .axis_style(TEXT)
        .bold_line_style(TEXT.mix(0.25))
        .light_line_style(TRANSPARENT)
        .draw()?;
    let mut peers = PEERS.iter().copied().cycle();
    for (line, points) in curve.lines.iter().zip(lines) {
        let (colour, width) = match line.role {
            Role::Ours => (OURS, 3),
            Role::Limit => (LIMIT, 1),
            _ => (peers.next().unwrap_or(TEXT), 2),
        };
        let places = || points.iter().map(|(place, nanos)| (*place as f64, nanos.max(least)));
        chart
            .draw_series(LineSeries::new(places(), colour.stroke_width(width)))?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(width)));
        chart.draw_series(places().map(|at| Circle::new(at, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(text(13))
        .background_style(TRANSPARENT)
        .border_style(TRANSPARENT)
        .draw()?;
    area.present()?;
    Ok(())
}

fn thousands(value: f64) -> String {
    match value {
        over if over >= 1e9 => format!("{:.0} G", value / 1e9),
        over if over >= 1e6 => format!("{:.0} M", value / 1e6),
        over if over >= 1e3 => format!("{:.0} k", value / 1e3),
        over if over >= 1.0 => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}
