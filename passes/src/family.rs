//! Which template computes a nest, and its axes in the order that the template wants.

use ir::{BinaryFn, Monoid};

use crate::nest::{Body, Nest, Stage, StageKind};

/// A nest that a template computes.
#[derive(Clone, Debug)]
pub(crate) struct Shaped {
    /// The nest, re-indexed.
    pub nest: Nest,
    /// Which template.
    pub family: Family,
}

/// The templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// One stage without a fold.
    Map,
    /// Folds along a last axis, one row after the other; every stage begins with this many row axes.
    Rows { rows: usize },
    /// One fold, then a map over the same result axes.
    Fold,
    /// One sum of products, then a map over the same result axes.
    Contract(Contraction),
    /// Attention, then a map over the same result axes.
    Attention,
    /// Positions of the largest numbers of rows.
    TopK,
    /// Running sums of rows.
    Scan,
    /// Numbers written at computed places.
    Scatter,
}

/// The roles in a sum of products; axes are those of the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contraction {
    /// The factor that does not depend on the last axis.
    pub left: Body,
    /// The factor that does.
    pub right: Body,
    /// The axis that runs over rows of the accumulator, if there is one.
    pub row: Option<usize>,
    /// The axis that runs over its lanes.
    pub lane: usize,
}

/// Why no template computes a nest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no kernel template computes this group of ops as one ({0})")]
pub(crate) struct NoFamily(&'static str);

/// Finds the template.
pub(crate) fn shape(mut nest: Nest) -> Result<Shaped, NoFamily> {
    nest.drop_unit_axes();
    let has_attention = nest
        .stages
        .iter()
        .any(|s| matches!(s.kind, StageKind::Attention(_)));
    if has_attention {
        return attention(nest);
    }
    if let Some(family) = nest.stages.iter().find_map(primitive) {
        return match nest.stages.as_slice() {
            [_] => Ok(Shaped { nest, family }),
            _ => Err(NoFamily("a primitive with other stages beside it")),
        };
    }
    match nest.stages.as_slice() {
        [only] if matches!(only.kind, StageKind::Map(_)) => {
            merge_all(&mut nest, 0);
            Ok(Shaped {
                nest,
                family: Family::Map,
            })
        }
        [only] => match &only.kind {
            StageKind::Fold(..) => one_fold(nest),
            _ => Err(NoFamily("a stage of an unknown kind")),
        },
        [fold, map]
            if matches!(
                (&fold.kind, &map.kind),
                (StageKind::Fold(..), StageKind::Map(_))
            ) =>
        {
            let mut aligned = nest.clone();
            match aligned.align_last(0) {
                Some(()) => one_fold(aligned),
                None => rows(nest),
            }
        }
        _ => rows(nest),
    }
}

/// The template of a stage that is no index notation.
fn primitive(stage: &Stage) -> Option<Family> {
    match stage.kind {
        StageKind::TopK(..) => Some(Family::TopK),
        StageKind::Scan(..) => Some(Family::Scan),
        StageKind::Scatter(_) => Some(Family::Scatter),
        StageKind::Map(_) | StageKind::Fold(..) | StageKind::Attention(_) => None,
    }
}

/// Merges neighbouring axes wherever every stage from `from` on allows it.
fn merge_all(nest: &mut Nest, from: usize) {
    let rank = nest.stages[from..]
        .iter()
        .map(|s| s.sizes.len())
        .max()
        .unwrap_or(0);
    for first in (0..rank.saturating_sub(1)).rev() {
        nest.merge(from, first);
    }
}

fn one_fold(mut nest: Nest) -> Result<Shaped, NoFamily> {
    let StageKind::Fold(monoid, body) = &nest.stages[0].kind else {
        return Err(NoFamily("no fold"));
    };
    // Products are added in f32, which is not exact for integers.
    let product = matches!(body, Body::Binary(BinaryFn::Mul, ..))
        && *monoid == Monoid::Sum
        && nest.stages[0].dtype.is_float();
    if !product
        && runs_along_fold(&nest.stages[0])
        && let Ok(shaped) = rows(nest.clone())
    {
        return Ok(shaped);
    }
    merge_fold_axes(&mut nest);
    merge_all(&mut nest, 0);
    if product && let Some(contraction) = contraction(&nest.stages[0]) {
        return Ok(Shaped {
            nest,
            family: Family::Contract(contraction),
        });
    }
    if runs_along_fold(&nest.stages[0])
        && let Ok(shaped) = rows(nest.clone())
    {
        return Ok(shaped);
    }
    Ok(Shaped {
        nest,
        family: Family::Fold,
    })
}

/// Merges the axes that the first stage folds, which no other stage has.
fn merge_fold_axes(nest: &mut Nest) {
    let stage = &nest.stages[0];
    for first in (stage.outer..stage.sizes.len().saturating_sub(1)).rev() {
        let rest = nest.stages.split_off(1);
        nest.merge(0, first);
        nest.stages.extend(rest);
    }
}

/// Whether neighbours along the last folded axis lie side by side in memory; false where no axis of
/// more than one element is folded.
fn runs_along_fold(stage: &Stage) -> bool {
    let Some(last) = (stage.outer..stage.sizes.len()).last() else {
        return false;
    };
    let body = stage.body().expect("folds have bodies");
    body.walk()
        .iter()
        .any(|b| matches!(b, Body::Load { at, .. } if at.coefficient(last) == 1))
}

fn contraction(stage: &Stage) -> Option<Contraction> {
    let Body::Binary(_, a, b) = stage.body()? else {
        return None;
    };
    let lane = stage.outer.checked_sub(1)?;
    let (left, right) = match (a.axes().contains(&lane), b.axes().contains(&lane)) {
        (false, true) => (a, b),
        (true, false) => (b, a),
        _ => return None,
    };
    let row = (0..lane)
        .rev()
        .find(|axis| left.axes().contains(axis) && !right.axes().contains(axis));
    Some(Contraction {
        left: (**left).clone(),
        right: (**right).clone(),
        row,
        lane,
    })
}

fn rows(mut nest: Nest) -> Result<Shaped, NoFamily> {
    let last = nest.stages.last().expect("a nest has stages");
    let folds: Vec<&Stage> = nest
        .stages
        .iter()
        .filter(|s| matches!(s.kind, StageKind::Fold(..)))
        .collect();
    let rows = folds.first().ok_or(NoFamily("no fold"))?.outer;
    let fits = folds
        .iter()
        .all(|f| f.outer == rows && f.sizes[..rows] == folds[0].sizes[..rows]);
    if !fits {
        return Err(NoFamily("folds over different rows"));
    }
    if last.outer < rows || last.outer > rows + 1 || last.sizes[..rows] != folds[0].sizes[..rows] {
        return Err(NoFamily("the result does not have the folds' rows"));
    }
    let own_rows = |b: &&Body| match b {
        Body::Stage { at, .. } => at
            .iter()
            .enumerate()
            .all(|(i, a)| *a == crate::nest::Affine::axis(i)),
        _ => true,
    };
    if !nest
        .stages
        .iter()
        .filter_map(Stage::body)
        .all(|b| b.walk().iter().all(own_rows))
    {
        return Err(NoFamily("a row uses the fold of another"));
    }
    for i in 0..nest.stages.len() {
        // Folded axes become one.
        let (outer, rank) = (nest.stages[i].outer, nest.stages[i].sizes.len());
        if matches!(nest.stages[i].kind, StageKind::Fold(..)) && rank != outer + 1 {
            let rest = nest.stages.split_off(i + 1);
            let merged = (outer..rank - 1).rev().all(|first| nest.merge(i, first));
            nest.stages.extend(rest);
            if !merged || nest.stages[i].sizes.len() != outer + 1 {
                return Err(NoFamily("folds over scattered axes"));
            }
        }
    }
    let mut left = rows;
    for first in (0..rows.saturating_sub(1)).rev() {
        left -= usize::from(nest.merge(0, first));
    }
    Ok(Shaped {
        nest,
        family: Family::Rows { rows: left },
    })
}

fn attention(mut nest: Nest) -> Result<Shaped, NoFamily> {
    let at = nest
        .stages
        .iter()
        .position(|s| matches!(s.kind, StageKind::Attention(_)));
    match (at, nest.stages.len()) {
        (Some(0), 1) => {}
        (Some(0), 2) => nest
            .align_last(0)
            .ok_or(NoFamily("the result of attention is not used once each"))?,
        _ => return Err(NoFamily("attention with folds beside it")),
    }
    Ok(Shaped {
        nest,
        family: Family::Attention,
    })
}
