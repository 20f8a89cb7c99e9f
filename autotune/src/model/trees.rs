//! Gradient-boosted regression trees for squared errors.
//!
//! Friedman 2001, "Greedy function approximation: a gradient boosting machine", algorithm 2, with the split gain and the
//! shrunk leaves of Chen and Guestrin 2016 (arXiv:1603.02754), equations 5 and 7. Splits are exact: every distinct value
//! of a column is tried. The same rows and settings give the same trees, bit for bit.

use crate::random::Draw;

/// How trees are grown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Settings {
    /// How many.
    pub trees: u32,
    /// Splits from root to leaf.
    pub depth: u32,
    /// How much of what a tree finds is taken over.
    pub rate: f64,
    /// Of all columns, those that a tree may split.
    pub columns: f64,
    /// Least weight of a leaf's rows.
    pub leaf: f64,
    /// Added to the weight of a leaf, which draws its value to 0.
    pub shrink: f64,
}

/// A row to learn from.
pub(super) struct Row<'a> {
    pub columns: &'a [f32],
    pub wanted: f64,
    pub weight: f64,
}

/// A sum of trees.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Trees(Vec<Tree>);

#[derive(Clone, Debug, PartialEq)]
struct Tree(Vec<Node>);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Node {
    Leaf(f64),
    Split {
        column: u32,
        /// Smaller values go to `low`, others to the node after it.
        below: f32,
        low: u32,
    },
}

impl Trees {
    /// Trees for rows that all have as many columns, none of which is NaN.
    pub fn grow(rows: &[Row<'_>], settings: &Settings, seed: u64) -> Self {
        let width = rows.first().map_or(0, |row| row.columns.len());
        let sorted: Vec<Vec<u32>> = (0..width).map(|column| sort(rows, column)).collect();
        // A column of one value splits nothing.
        let varied: Vec<u32> = (0..width as u32)
            .filter(|column| {
                let order = &sorted[*column as usize];
                let value =
                    |at: Option<&u32>| at.map(|r| rows[*r as usize].columns[*column as usize]);
                value(order.first()) != value(order.last())
            })
            .collect();
        let mut left: Vec<f64> = rows.iter().map(|row| row.wanted).collect();
        let mut draw = Draw::new(seed);
        let mut trees = vec![];
        for _ in 0..settings.trees {
            let chosen: Vec<u32> = (varied.iter().copied())
                .filter(|_| draw.unit() < settings.columns)
                .collect();
            let growth = Growth {
                rows,
                sorted: &sorted,
                chosen: &chosen,
                left: &left,
                settings,
            };
            let tree = growth.tree();
            for (left, row) in left.iter_mut().zip(rows) {
                *left -= tree.value(row.columns);
            }
            trees.push(tree);
        }
        Self(trees)
    }

    /// What the trees say of a row.
    pub fn value(&self, columns: &[f32]) -> f64 {
        self.0.iter().map(|tree| tree.value(columns)).sum()
    }
}

impl Tree {
    fn value(&self, columns: &[f32]) -> f64 {
        let mut at = 0;
        loop {
            match self.0[at] {
                Node::Leaf(value) => return value,
                Node::Split { column, below, low } => {
                    let high = columns[column as usize] >= below;
                    at = low as usize + usize::from(high);
                }
            }
        }
    }
}

/// Rows in the order of a column's values; of equal ones in their own order.
fn sort(rows: &[Row<'_>], column: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    let value = |r: &u32| rows[*r as usize].columns[column];
    order.sort_by(|a, b| value(a).total_cmp(&value(b)));
    order
}

/// What some rows have left to explain.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    left: f64,
    weight: f64,
}

impl Sum {
    fn add(&mut self, left: f64, weight: f64) {
        self.left += left * weight;
        self.weight += weight;
    }

    fn without(self, other: Self) -> Self {
        Self {
            left: self.left - other.left,
            weight: self.weight - other.weight,
        }
    }

    /// By how much a leaf of these rows lowers the error.
    fn gain(self, shrink: f64) -> f64 {
        self.left * self.left / (self.weight + shrink)
    }
}

/// The best split of a node so far.
#[derive(Clone, Copy)]
struct Best {
    gain: f64,
    column: u32,
    below: f32,
}

/// One tree as it grows.
struct Growth<'a> {
    rows: &'a [Row<'a>],
    sorted: &'a [Vec<u32>],
    chosen: &'a [u32],
    left: &'a [f64],
    settings: &'a Settings,
}

impl Growth<'_> {
    fn tree(&self) -> Tree {
        let mut nodes = vec![Node::Leaf(0.0)];
        // The node in which each row is.
        let mut places = vec![0u32; self.rows.len()];
        // Nodes from here on are of the level that is split.
        let mut first = 0;
        for level in 0..=self.settings.depth {
            let sums = self.sums(&places, first, nodes.len());
            for (node, sum) in nodes[first..].iter_mut().zip(&sums) {
                let value = sum.left / (sum.weight + self.settings.shrink);
                *node = Node::Leaf(self.settings.rate * value);
            }
            if level == self.settings.depth {
                break;
            }
            let splits = self.splits(&places, first, &sums);
            let next = nodes.len();
            for (at, best) in (first..).zip(&splits) {
                let Some(best) = best else { continue };
                nodes[at] = Node::Split {
                    column: best.column,
                    below: best.below,
                    low: nodes.len() as u32,
                };
                nodes.extend([Node::Leaf(0.0); 2]);
            }
            if nodes.len() == next {
                break;
            }
            for (place, row) in places.iter_mut().zip(self.rows) {
                if let Node::Split { column, below, low } = nodes[*place as usize] {
                    *place = low + u32::from(row.columns[column as usize] >= below);
                }
            }
            first = next;
        }
        Tree(nodes)
    }

    /// Of each node from `first` on.
    fn sums(&self, places: &[u32], first: usize, end: usize) -> Vec<Sum> {
        let mut sums = vec![Sum::default(); end - first];
        for ((place, row), left) in places.iter().zip(self.rows).zip(self.left) {
            if let Some(at) = (*place as usize).checked_sub(first) {
                sums[at].add(*left, row.weight);
            }
        }
        sums
    }

    /// The best split of each node from `first` on, if any lowers the error.
    fn splits(&self, places: &[u32], first: usize, sums: &[Sum]) -> Vec<Option<Best>> {
        let Settings { leaf, shrink, .. } = *self.settings;
        let mut best: Vec<Option<Best>> = vec![None; sums.len()];
        for column in self.chosen {
            let mut low = vec![(Sum::default(), f32::NAN); sums.len()];
            for r in &self.sorted[*column as usize] {
                let row = *r as usize;
                let Some(at) = (places[row] as usize).checked_sub(first) else {
                    continue;
                };
                let value = self.rows[row].columns[*column as usize];
                let (sum, before) = &mut low[at];
                if *before < value {
                    let high = sums[at].without(*sum);
                    let all = sums[at].gain(shrink);
                    let gain = sum.gain(shrink) + high.gain(shrink) - all;
                    let enough = sum.weight >= leaf && high.weight >= leaf;
                    // Rounding leaves a little where there is nothing.
                    let least = best[at].map_or(1e-9 * (1.0 + all), |b| b.gain);
                    if enough && gain > least {
                        // Between both, so that new rows near to either go with it.
                        let middle = *before + (value - *before) / 2.0;
                        let below = if middle > *before { middle } else { value };
                        best[at] = Some(Best {
                            gain,
                            column: *column,
                            below,
                        });
                    }
                }
                sum.add(self.left[row], self.rows[row].weight);
                *before = value;
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings {
        trees: 80,
        depth: 4,
        rate: 0.2,
        columns: 1.0,
        leaf: 2.0,
        shrink: 1.0,
    };

    /// A step, a product, and a column that says nothing.
    fn wanted(x: &[f32]) -> f64 {
        let step = if x[0] > 0.3 { 2.0 } else { -1.0 };
        step + f64::from(x[1] * x[2])
    }

    fn points(count: usize, seed: u64) -> Vec<Vec<f32>> {
        let mut draw = Draw::new(seed);
        let point = |_| (0..4).map(|_| draw.unit() as f32 * 2.0 - 1.0).collect();
        (0..count).map(point).collect()
    }

    fn grow(points: &[Vec<f32>], settings: &Settings, seed: u64) -> Trees {
        let row = |x: &'_ Vec<f32>| (wanted(x), x.clone());
        let all: Vec<_> = points.iter().map(row).collect();
        let rows: Vec<_> = (all.iter())
            .map(|(wanted, columns)| Row {
                columns,
                wanted: *wanted,
                weight: 1.0,
            })
            .collect();
        Trees::grow(&rows, settings, seed)
    }

    #[test]
    fn trees_learn_steps_and_products() {
        let trees = grow(&points(400, 1), &SETTINGS, 0);
        let fresh = points(200, 2);
        let error = |x: &Vec<f32>| (trees.value(x) - wanted(x)).powi(2);
        let mean = fresh.iter().map(error).sum::<f64>() / fresh.len() as f64;
        let spread = fresh.iter().map(|x| wanted(x).powi(2)).sum::<f64>() / fresh.len() as f64;
        assert!(mean < 0.05 * spread, "{mean} of {spread}");
    }

    #[test]
    fn one_seed_gives_one_forest() {
        let some = Settings {
            columns: 0.5,
            ..SETTINGS
        };
        let points = points(100, 3);
        assert_eq!(grow(&points, &some, 7), grow(&points, &some, 7));
        assert_ne!(grow(&points, &some, 7), grow(&points, &some, 8));
    }

    #[test]
    fn nothing_to_learn_from_gives_zeros() {
        assert_eq!(Trees::grow(&[], &SETTINGS, 0).value(&[1.0]), 0.0);
        let same = vec![vec![1.0, 2.0, 3.0, 4.0]; 9];
        let trees = grow(&same, &SETTINGS, 0);
        let value = trees.value(&same[0]);
        assert!((value - wanted(&same[0])).abs() < 0.2, "{value}");
    }

    #[test]
    fn heavier_rows_count_more() {
        let x = [0.0];
        let row = |wanted, weight| Row {
            columns: &x,
            wanted,
            weight,
        };
        let trees = Trees::grow(&[row(1.0, 30.0), row(0.0, 10.0)], &SETTINGS, 0);
        assert!((trees.value(&x) - 0.75).abs() < 0.05, "{}", trees.value(&x));
    }

    #[test]
    fn leaves_are_no_lighter_than_asked() {
        let [a, b] = [[0.0], [1.0]];
        let row = |columns, wanted, weight| Row {
            columns,
            wanted,
            weight,
        };
        let split = |weight| {
            let light = || row(&a, 1.0, weight);
            let rows = [light(), light(), row(&b, 0.0, 5.0), row(&b, 0.0, 5.0)];
            let trees = Trees::grow(&rows, &SETTINGS, 0);
            trees.value(&a) != trees.value(&b)
        };
        assert!(split(1.0) && !split(0.9));
    }
}
