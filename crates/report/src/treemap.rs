//! A squarified treemap as SVG: areas in proportion to bytes, rectangles as square as they get.
//! Source: Bruls, Huizing, van Wijk, "Squarified Treemaps" (2000).

/// One part of the whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) label: String,
    pub(crate) note: String,
    pub(crate) value: f64,
    /// Class of the rectangle in the style sheet.
    pub(crate) class: &'static str,
    /// What it is made of, largest first.
    pub(crate) kinds: Vec<(String, f64)>,
}

/// A rectangle for a part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// Lays parts out in a rectangle, largest first; the areas come in the order of the parts, which
/// have to be sorted by value, largest first, and positive.
pub(crate) fn squarify(values: &[f64], whole: Area) -> Vec<Area> {
    let total: f64 = values.iter().sum();
    let mut areas = Vec::with_capacity(values.len());
    if total <= 0.0 {
        return areas;
    }
    let scale = whole.width * whole.height / total;
    let mut left = whole;
    let mut rest = values;
    while !rest.is_empty() {
        let side = left.width.min(left.height);
        let mut row = 1usize;
        while row < rest.len() {
            let now = worst(rest.get(..row).unwrap_or(&[]), side, scale);
            let next = worst(rest.get(..row.saturating_add(1)).unwrap_or(&[]), side, scale);
            if next > now {
                break;
            }
            row = row.saturating_add(1);
        }
        let (taken, after) = rest.split_at_checked(row).unwrap_or((rest, &[]));
        left = place(taken, left, scale, &mut areas);
        rest = after;
    }
    areas
}

/// The worst ratio of sides in a row along `side`.
fn worst(row: &[f64], side: f64, scale: f64) -> f64 {
    let sum: f64 = row.iter().sum::<f64>() * scale;
    let (mut most, mut least) = (0.0_f64, f64::INFINITY);
    for value in row {
        most = most.max(value * scale);
        least = least.min(value * scale);
    }
    let side = side.max(1e-9);
    ((side * side * most) / (sum * sum)).max((sum * sum) / (side * side * least.max(1e-9)))
}

fn place(row: &[f64], left: Area, scale: f64, areas: &mut Vec<Area>) -> Area {
    let sum: f64 = row.iter().sum::<f64>() * scale;
    let wide = left.width >= left.height;
    let depth = if wide { sum / left.height.max(1e-9) } else { sum / left.width.max(1e-9) };
    let mut at = if wide { left.y } else { left.x };
    for value in row {
        let length = value * scale / depth.max(1e-9);
        areas.push(if wide {
            Area { x: left.x, y: at, width: depth, height: length }
        } else {
            Area { x: at, y: left.y, width: length, height: depth }
        });
        at += length;
    }
    if wide {
        Area { x: left.x + depth, width: (left.width - depth).max(0.0), ..left }
    } else {
        Area { y: left.y + depth, height: (left.height - depth).max(0.0), ..left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_in_proportion_and_stay_inside() {
        let values = [31.9, 6.1, 1.2, 0.9, 0.1];
        let whole = Area { x: 0.0, y: 0.0, width: 1000.0, height: 400.0 };
        let areas = squarify(&values, whole);
        assert_eq!(areas.len(), values.len());
        let total: f64 = values.iter().sum();
        for (area, value) in areas.iter().zip(values) {
            let share = area.width * area.height / 400_000.0;
            assert!((share - value / total).abs() < 1e-6);
            assert!(area.x >= -1e-6 && area.x + area.width <= 1000.0 + 1e-6);
            assert!(area.y >= -1e-6 && area.y + area.height <= 400.0 + 1e-6);
        }
        assert!(squarify(&[], whole).is_empty() && squarify(&[0.0], whole).is_empty());
    }
}
