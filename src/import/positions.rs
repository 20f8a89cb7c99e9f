//! Positions that follow from what a run gives: of tokens that are not padding, of a token that is looked for, of
//! queries relative to keys.

use ir::{
    BinaryFn, DType, Dim, Monoid, TensorType, ValueId,
    ops::{Absent, Cast, Constant, Distance, Embedding, Gather, Iota, Reduce, Select},
};

use super::layers::Layers;

/// Behind every position.
const FAR: i64 = 1 << 40;

/// How T5 counts distances; Raffel et al. 2019 (arXiv:1910.10683), section 2.1.
pub(super) struct Buckets {
    /// How many there are.
    pub(super) count: i64,
    /// The first distance that is no longer told from larger ones.
    pub(super) farthest: i64,
    /// Keys after the query have half of them.
    pub(super) both_sides: bool,
}

impl Buckets {
    /// The bucket of a key that lies `behind` the query.
    ///
    /// Source: `_relative_position_bucket` of `models/t5`, in f32 as there.
    fn of(&self, behind: i64) -> i64 {
        let (count, first, distance) = match self.both_sides {
            true if behind < 0 => (self.count / 2, self.count / 2, -behind),
            true => (self.count / 2, 0, behind),
            false => (self.count, 0, behind.max(0)),
        };
        let exact = count / 2;
        if distance < exact {
            return first + distance;
        }
        let scale = (self.farthest as f64 / exact as f64).ln() as f32;
        let far = (distance as f32 / exact as f32).ln() / scale * (count - exact) as f32;
        first + (exact + far as i64).min(count - 1)
    }
}

impl Layers {
    fn integer(&mut self, value: i64) -> ValueId {
        let ty = TensorType::new(DType::I64, []);
        let value = (value as f64).into();
        self.op(Constant { value, ty }, &[])
    }

    fn as_type(&mut self, dtype: DType, x: ValueId) -> ValueId {
        self.op(Cast { dtype }, &[x])
    }

    /// `first, first + 1, ..`, `length` of them.
    pub(super) fn places(&mut self, first: i64, length: Dim) -> ValueId {
        let ty = TensorType::new(DType::I64, [length]);
        let places = self.op(Iota { axis: 0, ty }, &[]);
        let first = self.integer(first);
        self.add(places, first)
    }

    /// The inputs `decoder_input_ids` and `decoder_attention_mask` of at most `positions` tokens: ids, and what to add to
    /// scores.
    pub(super) fn decoder_inputs(&mut self, words: i64, positions: i64) -> (ValueId, ValueId) {
        let length = "decoder_seq";
        self.declare(length, positions);
        let ids = self.input_along(length, "decoder_input_ids", Absent::Required, words);
        let mask = self.input_along(length, "decoder_attention_mask", Absent::Ones, 2);
        let mask = self.as_type(DType::F32, mask);
        let mask = self.additive_mask(mask);
        (ids, mask)
    }

    /// Positions of `ids: [batch, seq]`, counted from `padding + 1` over those that are not `padding`, which are at
    /// `padding`.
    pub(super) fn positions_after(&mut self, padding: i64, ids: ValueId) -> ValueId {
        let [batch, seq] = <[Dim; 2]>::try_from(self.shape(ids)).expect("ids have two axes");
        let padding = self.integer(padding);
        let counts = self.binary(BinaryFn::Ne, ids, padding);
        let keys = self.reshape([batch, 1.into(), seq.clone()], counts);
        let behind = self.op(
            Distance {
                rows: seq.clone(),
                columns: seq,
                dtype: DType::I64,
            },
            &[],
        );
        let zero = self.integer(0);
        let reached = self.binary(BinaryFn::Ge, behind, zero);
        let counted = self.binary(BinaryFn::And, keys, reached);
        let counted = self.as_type(DType::I64, counted);
        let sum = Reduce {
            monoid: Monoid::Sum,
            axes: vec![2],
            keep: false,
        };
        let place = self.op(sum, &[counted]);
        let place = self.op(Select {}, &[counts, place, zero]);
        self.add(place, padding)
    }

    /// Row `x[b, i]` of `x: [batch, seq, n]`, where `i` is the first position whose id in `ids` is `wanted`, or, without
    /// one, the largest of all; position 0 if there is none.
    pub(super) fn token_of(&mut self, wanted: Option<i64>, ids: ValueId, x: ValueId) -> ValueId {
        let [batch, seq, n] = <[Dim; 3]>::try_from(self.shape(x)).expect("x has three axes");
        let wanted = match wanted {
            Some(id) => self.integer(id),
            None => self.fold(Monoid::Max, 1, true, ids),
        };
        let found = self.binary(BinaryFn::Eq, ids, wanted);
        let ty = TensorType::new(DType::I64, [batch.clone(), seq.clone()]);
        let at = self.op(Iota { axis: 1, ty }, &[]);
        let [far, zero] = [FAR, 0].map(|n| self.integer(n));
        let first = self.op(Select {}, &[found, at, far]);
        let first = self.fold(Monoid::Min, 1, true, first);
        let none = self.binary(BinaryFn::Eq, first, far);
        let first = self.op(Select {}, &[none, zero, first]);
        let chosen = self.binary(BinaryFn::Eq, at, first);
        let chosen = self.as_type(DType::F32, chosen);
        let chosen = self.reshape([batch.clone(), seq, 1.into()], chosen);
        let row = self.mul(x, chosen);
        let row = self.fold(Monoid::Sum, 1, false, row);
        self.reshape([batch, n], row)
    }

    /// What `table: [buckets, heads]` adds to scores, `[heads, length, length]`.
    pub(super) fn relative_bias(
        &mut self,
        buckets: &Buckets,
        name: &str,
        table: ValueId,
        length: Dim,
    ) -> ValueId {
        let most = buckets.farthest;
        let ids = (-most..=most).map(|behind| buckets.of(behind) as f32);
        let ids = self.made(name, ids.collect());
        let ids = self.as_type(DType::I64, ids);
        let by_distance = self.op(Gather { axis: 0 }, &[table, ids]);
        let behind = self.op(
            Distance {
                rows: length.clone(),
                columns: length,
                dtype: DType::I64,
            },
            &[],
        );
        let [low, high] = [-most, most].map(|n| self.integer(n));
        let behind = self.binary(BinaryFn::Max, behind, low);
        let behind = self.binary(BinaryFn::Min, behind, high);
        let behind = self.add(behind, high);
        let bias = self.op(Embedding {}, &[by_distance, behind]);
        self.permute(&[2, 0, 1], bias)
    }
}

#[cfg(test)]
mod tests {
    use super::Buckets;

    /// By `T5Attention._relative_position_bucket` of transformers, for keys 0, 1, 7, 8, 9, 20, 127, 128 and 1000 behind, and 1
    /// and 20 ahead.
    #[test]
    fn buckets_are_those_of_t5() {
        let behind = [0, 1, 7, 8, 9, 20, 127, 128, 1000, -1, -20];
        for (both_sides, wanted) in [
            (true, [0, 1, 7, 8, 8, 10, 15, 15, 15, 17, 26]),
            (false, [0, 1, 7, 8, 9, 17, 31, 31, 31, 0, 0]),
        ] {
            let buckets = Buckets {
                count: 32,
                farthest: 128,
                both_sides,
            };
            assert_eq!(behind.map(|n| buckets.of(n)), wanted);
        }
    }
}
