//! Layouts by which tiles are well read from memory.

use ir::{
    lane::{Layout, Step},
    tile::{Axis, Shape},
};

/// Elements side by side along `along` in a lane, at most `vector`; then lanes along it, then warps across it.
pub(super) fn blocked(shape: Shape, [lanes, warps]: [u32; 2], along: Axis, vector: u32) -> Layout {
    let sides = match along {
        Axis::Lanes => [shape.lanes, shape.rows],
        Axis::Rows => [shape.rows, shape.lanes],
    };
    let step = |side: usize, by: u32| match (along, side) {
        (Axis::Lanes, 0) | (Axis::Rows, 1) => Step::columns(by),
        _ => Step::rows(by),
    };
    // The next bit along the first of these sides that has one left.
    let mut reached = [1, 1];
    let mut bit = |order: [usize; 2]| {
        let side = order.into_iter().find(|s| reached[*s] < sides[*s])?;
        reached[side] *= 2;
        Some(step(side, reached[side] / 2))
    };
    let each = (u64::from(sides[0]) * u64::from(sides[1]) / u64::from(lanes * warps)).max(1);
    let vector = u64::from(vector).min(u64::from(sides[0])).min(each) as u32;
    let mut register: Vec<Step> = (0..vector.max(1).ilog2())
        .map_while(|_| bit([0, 0]))
        .collect();
    let mut bits = |n: u32, order: [usize; 2]| {
        let each = (0..n.ilog2()).map(|_| bit(order).unwrap_or(Step::NONE));
        each.collect()
    };
    let lane = bits(lanes, [0, 1]);
    let warp = bits(warps, [1, 0]);
    register.extend(std::iter::from_fn(|| bit([0, 1])));
    Layout {
        register,
        lane,
        warp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_held() {
        for (rows, lanes) in [(1, 1), (1, 1024), (64, 16), (16, 64), (4, 512), (128, 1)] {
            for along in [Axis::Rows, Axis::Lanes] {
                let l = blocked(Shape::new(rows, lanes), [32, 4], along, 4);
                assert!(l.is_whole());
                assert_eq!(l.shape(), (rows, lanes));
                assert_eq!((l.lanes(), l.warps()), (32, 4));
            }
        }
    }

    #[test]
    fn lanes_of_a_warp_read_side_by_side() {
        let l = blocked(Shape::new(4, 512), [32, 4], Axis::Lanes, 4);
        assert_eq!(l.place(3, 0, 0), (0, 3));
        assert_eq!(l.place(0, 31, 0), (0, 124));
        assert_eq!(l.place(0, 0, 3), (3, 0));
    }
}
