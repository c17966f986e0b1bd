//! Plots as SVG text.

use plotters::{
    coord::ranged1d::{AsRangedCoord, ValueFormatter},
    prelude::*,
};
use serde::Serialize;

const SIZE: (u32, u32) = (760, 360);
const COLOURS: [RGBColor; 6] = [
    RGBColor(0x1b, 0x6c, 0xa8),
    RGBColor(0xc8, 0x55, 0x1b),
    RGBColor(0x2f, 0x8f, 0x4e),
    RGBColor(0x8e, 0x44, 0xad),
    RGBColor(0x7f, 0x7f, 0x30),
    RGBColor(0x55, 0x55, 0x55),
];

/// One line of a plot.
#[derive(Debug, Clone, Serialize)]
pub struct Series {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

impl Series {
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), points }
    }
}

/// Lines over one pair of axes.
#[derive(Debug, Clone, Serialize)]
pub struct Plot {
    pub title: String,
    pub x: String,
    pub y: String,
    pub is_log_x: bool,
    pub is_log_y: bool,
    pub series: Vec<Series>,
}

impl Plot {
    /// With linear axes.
    pub fn lines(title: impl Into<String>, x: &str, y: &str, series: Vec<Series>) -> Self {
        Self { title: title.into(), x: x.into(), y: y.into(), is_log_x: false, is_log_y: false, series }
    }

    /// With logarithmic axes: for sizes and latencies that span orders of magnitude.
    #[must_use]
    pub fn logarithmic(mut self, x: bool, y: bool) -> Self {
        (self.is_log_x, self.is_log_y) = (x, y);
        self
    }

    fn range(&self, is_log: bool, of: impl Fn(&(f64, f64)) -> f64) -> Option<(f64, f64)> {
        let values = self.series.iter().flat_map(|series| &series.points).map(of);
        let (low, high) = values
            .filter(|value| value.is_finite() && (!is_log || *value > 0.0))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let high = if high > low { high } else { low + low.abs().max(1.0) };
        let low = if is_log { low } else { low.min(0.0) };
        low.is_finite().then_some((low, high))
    }

    /// The picture; `None` without a point to draw.
    pub(super) fn svg(&self) -> Option<String> {
        let (x, y) = (self.range(self.is_log_x, |point| point.0)?, self.range(self.is_log_y, |point| point.1)?);
        let drawn = match (self.is_log_x, self.is_log_y) {
            (false, false) => self.draw(x.0..x.1, y.0..y.1),
            (true, false) => self.draw((x.0..x.1).log_scale(), y.0..y.1),
            (false, true) => self.draw(x.0..x.1, (y.0..y.1).log_scale()),
            (true, true) => self.draw((x.0..x.1).log_scale(), (y.0..y.1).log_scale()),
        };
        drawn.ok()
    }

    fn draw<X, Y>(&self, x: X, y: Y) -> Result<String, Box<dyn std::error::Error>>
    where
        X: AsRangedCoord<Value = f64>,
        Y: AsRangedCoord<Value = f64>,
        X::CoordDescType: ValueFormatter<f64>,
        Y::CoordDescType: ValueFormatter<f64>,
    {
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            let mut chart = ChartBuilder::on(&area)
                .caption(&self.title, ("sans-serif", 16))
                .margin(12)
                .x_label_area_size(42)
                .y_label_area_size(64)
                .build_cartesian_2d(x, y)
                .map_err(|error| error.to_string())?;
            chart
                .configure_mesh()
                .x_desc(&self.x)
                .y_desc(&self.y)
                .light_line_style(TRANSPARENT)
                .bold_line_style(RGBColor(0xdd, 0xdd, 0xdd))
                .draw()
                .map_err(|error| error.to_string())?;
            for (series, colour) in self.series.iter().zip(COLOURS.iter().cycle().copied()) {
                let points = series.points.iter().copied().filter(|(x, y)| {
                    x.is_finite() && y.is_finite() && (!self.is_log_x || *x > 0.0) && (!self.is_log_y || *y > 0.0)
                });
                chart
                    .draw_series(LineSeries::new(points, colour.stroke_width(2)).point_size(3))
                    .map_err(|error| error.to_string())?
                    .label(&series.name)
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
            }
            chart
                .configure_series_labels()
                .background_style(WHITE.mix(0.8))
                .border_style(RGBColor(0xdd, 0xdd, 0xdd))
                .draw()
                .map_err(|error| error.to_string())?;
            area.present().map_err(|error| error.to_string())?;
        }
        Ok(svg)
    }
}
