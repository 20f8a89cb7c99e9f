//! Other axes for the same stages: axes of size 1 dropped, neighbours merged, results re-indexed.

use std::cmp::Ordering;

use super::{Affine, Atom, Body, Nest, Stage, StageKind, build::row_major};

impl Stage {
    /// Rewrites every offset of the stage.
    fn map_offsets(&mut self, f: &dyn Fn(&Affine) -> Affine) {
        self.store = f(&self.store);
        match &mut self.kind {
            StageKind::Map(b) | StageKind::Fold(_, b) => *b = b.map_offsets(f),
            StageKind::Attention(_)
            | StageKind::TopK(..)
            | StageKind::Scan(..)
            | StageKind::Scatter(_) => {}
        }
    }

    /// Whether its axes stay as they are.
    fn is_rigid(&self) -> bool {
        matches!(
            self.kind,
            StageKind::Attention(_)
                | StageKind::TopK(..)
                | StageKind::Scan(..)
                | StageKind::Scatter(_)
        )
    }
}

impl Nest {
    /// Drops axes of size 1; those of attentions and primitives stay. A fold without axes is the element that it would fold.
    pub fn drop_unit_axes(&mut self) {
        self.drop_axes();
        let mut i = 0;
        while i < self.stages.len() {
            let stage = &self.stages[i];
            match &stage.kind {
                StageKind::Fold(_, body) if stage.outer == stage.sizes.len() => {
                    let body = body.clone();
                    if i + 1 == self.stages.len() {
                        self.stages[i].kind = StageKind::Map(body);
                    } else {
                        self.stages.remove(i);
                        self.inline(i, &body);
                    }
                }
                _ => i += 1,
            }
        }
    }

    /// Puts `body`, of stage `gone`, which is there no more, where later stages load it.
    fn inline(&mut self, gone: usize, body: &Body) {
        for later in &mut self.stages[gone..] {
            let sizes = &later.sizes;
            if let StageKind::Map(b) | StageKind::Fold(_, b) = &mut later.kind {
                *b = b.map_stages(&|stage, at| match stage.cmp(&gone) {
                    Ordering::Less => Body::Stage { stage, at },
                    Ordering::Greater => Body::Stage {
                        stage: stage - 1,
                        at,
                    },
                    Ordering::Equal => {
                        body.map_offsets(&|a| a.substitute(&|axis| at[axis].clone(), sizes))
                    }
                });
            }
        }
    }

    fn drop_axes(&mut self) {
        let kept: Vec<Vec<bool>> = self
            .stages
            .iter()
            .map(|s| s.sizes.iter().map(|n| *n > 1 || s.is_rigid()).collect())
            .collect();
        for (i, stage) in self.stages.iter_mut().enumerate() {
            let new = |axis: usize| kept[i][..axis].iter().filter(|k| **k).count();
            let sizes: Vec<i64> = stage
                .sizes
                .iter()
                .copied()
                .filter(|n| *n > 1 || stage.is_rigid())
                .collect();
            let of = |axis: usize| {
                if kept[i][axis] {
                    Affine::axis(new(axis))
                } else {
                    Affine::default()
                }
            };
            stage.map_offsets(&|a| a.substitute(&of, &sizes));
            stage.outer = new(stage.outer);
            stage.sizes = sizes;
            if let StageKind::Map(b) | StageKind::Fold(_, b) = &mut stage.kind {
                *b = b.map_stages(&|stage, at| {
                    let left = at.into_iter().zip(&kept[stage]).filter(|(_, k)| **k);
                    let at = left.map(|(a, _)| a).collect();
                    Body::Stage { stage, at }
                });
            }
        }
    }

    /// Merges axes `first` and `first + 1` of every stage from `from` on, if every offset allows it.
    pub fn merge(&mut self, from: usize, first: usize) -> bool {
        let mut stages = self.stages[from..].to_vec();
        for stage in &mut stages {
            if stage.is_rigid()
                || first + 1 >= stage.sizes.len()
                || (first < stage.outer) != (first + 1 < stage.outer)
            {
                return false;
            }
            let inner = stage.sizes[first + 1];
            let merged = |a: &Affine| merge_axis(a, first, inner);
            let offsets = stage
                .body()
                .into_iter()
                .flat_map(|b| b.walk())
                .flat_map(|b| match b {
                    Body::Coordinate(a) => vec![a.clone()],
                    Body::Load { at, guard, .. } => std::iter::once(at.clone())
                        .chain(guard.iter().flat_map(|(a, b)| [a.clone(), b.clone()]))
                        .collect(),
                    _ => vec![],
                });
            if offsets
                .chain([stage.store.clone()])
                .any(|a| merged(&a).is_none())
            {
                return false;
            }
            let Some(body) = stage.body().map(|b| merge_stage_loads(b, from, first)) else {
                return false;
            };
            let Some(body) = body else { return false };
            let body = body.map_offsets(&|a| merged(a).unwrap_or_else(|| a.clone()));
            stage.store = merged(&stage.store).expect("just checked");
            stage.kind = match &stage.kind {
                StageKind::Fold(m, _) => StageKind::Fold(*m, body),
                _ => StageKind::Map(body),
            };
            stage.sizes[first] *= inner;
            stage.sizes.remove(first + 1);
            stage.outer -= usize::from(first < stage.outer);
        }
        self.stages.truncate(from);
        self.stages.extend(stages);
        true
    }

    /// Gives the last stage the axes of stage `anchor`, whose every element it must use exactly once.
    pub fn align_last(&mut self, anchor: usize) -> Option<()> {
        let sizes = self.stages[anchor].sizes[..self.stages[anchor].outer].to_vec();
        let mut last = self.stages.last().expect("a nest has stages").clone();
        while split_an_axis(&mut last) {}
        let body = last.body()?;
        let at = body.walk().into_iter().find_map(|b| match b {
            Body::Stage { stage, at } if *stage == anchor => Some(at.clone()),
            _ => None,
        })?;
        let coordinates = invert(&row_major(&sizes, &at), &last.sizes, &sizes)?;
        let of = |axis: usize| coordinates[axis].clone();
        last.map_offsets(&|a| a.substitute(&of, &sizes));
        last.outer = sizes.len();
        last.sizes = sizes;
        let same = |b: &&Body| match b {
            Body::Stage { stage, at } if *stage == anchor => at.iter().enumerate().all(|(i, a)| {
                *a == Affine::axis(i) || (last.sizes[i] == 1 && a.known() == Some(0))
            }),
            _ => true,
        };
        if !last.body()?.walk().iter().all(same) {
            return None;
        }
        *self.stages.last_mut().expect("a nest has stages") = last;
        Some(())
    }
}

/// Drops coordinate `first + 1` of loads of stages from `from` on, which must be at their own axes.
fn merge_stage_loads(body: &Body, from: usize, first: usize) -> Option<Body> {
    let again = |b: &Body| merge_stage_loads(b, from, first).map(Box::new);
    Some(match body {
        Body::Stage { stage, at } if *stage >= from => {
            if at.iter().enumerate().any(|(i, a)| *a != Affine::axis(i)) {
                return None;
            }
            let mut at = at.clone();
            at.remove(first + 1);
            Body::Stage { stage: *stage, at }
        }
        Body::Unary(f, x) => Body::Unary(*f, again(x)?),
        Body::Cast(d, x) => Body::Cast(*d, again(x)?),
        Body::Binary(f, a, b) => Body::Binary(*f, again(a)?, again(b)?),
        Body::Select(c, a, b) => Body::Select(again(c)?, again(a)?, again(b)?),
        other => other.clone(),
    })
}

/// `a` over axes of which `first` and `first + 1`, the latter of size `inner`, are one.
fn merge_axis(a: &Affine, first: usize, inner: i64) -> Option<Affine> {
    if a.coefficient(first) != a.coefficient(first + 1) * inner {
        return None;
    }
    let mut out = Affine::constant(a.constant);
    for (atom, c) in &a.terms {
        let atom = match atom {
            Atom::Axis(axis) if *axis == first => continue,
            Atom::Axis(axis) => Atom::Axis(if *axis > first { axis - 1 } else { *axis }),
            Atom::Div(a, d) => Atom::Div(merge_axis(a, first, inner)?, *d),
            Atom::Mod(a, d) => Atom::Mod(merge_axis(a, first, inner)?, *d),
            Atom::Load(o, a) => Atom::Load(*o, merge_axis(a, first, inner)?),
        };
        out = out.plus(*c, &Affine::atom(atom));
    }
    Some(out)
}

/// Cuts one axis in two where an offset takes its quotient or remainder.
fn split_an_axis(stage: &mut Stage) -> bool {
    let Some(body) = stage.body() else {
        return false;
    };
    let cut = body
        .offsets()
        .into_iter()
        .chain([&stage.store])
        .flat_map(|a| a.terms.keys())
        .find_map(|atom| {
            let (Atom::Div(a, d) | Atom::Mod(a, d)) = atom else {
                return None;
            };
            let axis = *a.axes().first()?;
            (*a == Affine::axis(axis) && stage.sizes[axis] % d == 0).then_some((axis, *d))
        });
    let Some((axis, by)) = cut else { return false };
    let mut sizes = stage.sizes.clone();
    sizes[axis] /= by;
    sizes.insert(axis + 1, by);
    let of = |a: usize| match a.cmp(&axis) {
        Ordering::Less => Affine::axis(a),
        Ordering::Equal => Affine::axis(a).times(by).plus(1, &Affine::axis(a + 1)),
        Ordering::Greater => Affine::axis(a + 1),
    };
    stage.map_offsets(&|a| a.substitute(&of, &sizes));
    stage.outer += usize::from(axis < stage.outer);
    stage.sizes = sizes;
    true
}

/// Coordinates on axes of `sizes`, as offsets over axes of `of_sizes`, where `flat`, which counts through
/// all of the former in some order, equals the row-major position in the latter.
fn invert(flat: &Affine, sizes: &[i64], of_sizes: &[i64]) -> Option<Vec<Affine>> {
    if !flat.is_plain() || flat.constant != 0 {
        return None;
    }
    let mut order: Vec<usize> = (0..sizes.len()).filter(|a| sizes[*a] > 1).collect();
    order.sort_by_key(|a| flat.coefficient(*a));
    let mut radix = 1;
    for axis in &order {
        if flat.coefficient(*axis) != radix {
            return None;
        }
        radix *= sizes[*axis];
    }
    if radix != of_sizes.iter().product::<i64>() {
        return None;
    }
    let axes: Vec<_> = (0..of_sizes.len()).map(Affine::axis).collect();
    let position = row_major(of_sizes, &axes);
    Some(
        (0..sizes.len())
            .map(|axis| match sizes[axis] {
                1 => Affine::default(),
                n => {
                    position
                        .div_mod(flat.coefficient(axis), of_sizes)
                        .0
                        .div_mod(n, of_sizes)
                        .1
                }
            })
            .collect(),
    )
}
