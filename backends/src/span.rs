//! Bounds of integers.

/// All integers from `lo` to `hi`, both included. Arithmetic saturates far outside any address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub lo: i64,
    pub hi: i64,
}

/// Beyond every offset; small enough that sums of a few do not overflow.
const FAR: i64 = i64::MAX / 8;

impl Span {
    /// Nothing is known.
    pub const ANY: Self = Self { lo: -FAR, hi: FAR };

    pub fn new(lo: i64, hi: i64) -> Self {
        Self { lo, hi }
    }

    pub fn point(at: i64) -> Self {
        Self::new(at, at)
    }

    /// The only member, if there is just one.
    pub fn single(self) -> Option<i64> {
        (self.lo == self.hi).then_some(self.lo)
    }

    pub fn within(self, lo: i64, hi: i64) -> bool {
        lo <= self.lo && self.hi <= hi
    }

    pub fn plus(self, other: Self) -> Self {
        Self::wide(
            i128::from(self.lo) + i128::from(other.lo),
            i128::from(self.hi) + i128::from(other.hi),
        )
    }

    pub fn times(self, other: Self) -> Self {
        let corner = |a: i64, b: i64| i128::from(a) * i128::from(b);
        let corners = [
            corner(self.lo, other.lo),
            corner(self.lo, other.hi),
            corner(self.hi, other.lo),
            corner(self.hi, other.hi),
        ];
        let lo = corners.into_iter().fold(i128::MAX, i128::min);
        let hi = corners.into_iter().fold(i128::MIN, i128::max);
        Self::wide(lo, hi)
    }

    /// Of `floor(a / b)`, for `a >= 0` and `b > 0`.
    pub fn divided(self, by: Self) -> Self {
        let (by_lo, by_hi) = (by.lo.max(1), by.hi.max(1));
        Self::new(self.lo.max(0) / by_hi, self.hi.max(0) / by_lo)
    }

    /// Of `a mod b`, for `a >= 0` and `b > 0`.
    pub fn modulo(self, by: Self) -> Self {
        Self::new(0, (by.hi - 1).min(self.hi).max(0))
    }

    pub fn min(self, other: Self) -> Self {
        Self::new(self.lo.min(other.lo), self.hi.min(other.hi))
    }

    pub fn max(self, other: Self) -> Self {
        Self::new(self.lo.max(other.lo), self.hi.max(other.hi))
    }

    /// Of the exclusive or of numbers that are not negative.
    pub fn xor(self, other: Self) -> Self {
        let most = self.hi.max(other.hi).max(0).unsigned_abs();
        let bits = u64::BITS - most.leading_zeros();
        Self::new(0, ((1u64 << bits) - 1) as i64)
    }

    fn wide(lo: i128, hi: i128) -> Self {
        let clamp = |n: i128| n.clamp(i128::from(-FAR), i128::from(FAR)) as i64;
        Self::new(clamp(lo), clamp(hi))
    }
}
