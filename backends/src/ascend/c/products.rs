//! Products by the vector unit, where there is no cube that is known: right, and slow.

use ir::{
    DType,
    tile::{Shape, Var},
};

use super::{
    count, pitch,
    vector::{Tile, Vector},
};

impl Vector<'_> {
    /// Adds the rows of the right operand, each times a number of the left one, to the rows of the sum.
    pub fn dot(&mut self, [a, b, acc]: [Var; 3], shape: Shape) -> Result<Tile, String> {
        let [a, b, acc] = [a, b, acc].map(|x| self.tiles[&x].clone());
        if shape.lanes == 1 || acc.dtype != DType::F32 {
            return Err("a product of one column, or of integers".into());
        }
        let tile = self.made(DType::F32, shape);
        let to = tile.name.clone();
        self.copy(&to, &acc, shape);
        let [left, right] = [&a, &b].map(|x| self.widened(x));
        let (rows, depth, n) = (shape.rows, a.shape.lanes, pitch(shape));
        let across = pitch(a.shape);
        self.flag("V_S");
        self.text
            .open(format_args!("for (int64_t r = 0; r < {rows}; ++r)"));
        self.text
            .open(format_args!("for (int64_t k = 0; k < {depth}; ++k)"));
        self.op(format_args!(
            "Axpy({to}[r * {n}], {right}[k * {n}], {left}.GetValue(r * {across} + k), {n});"
        ));
        self.text.close();
        self.text.close();
        // What the scalar unit read may be written again.
        self.flag("S_V");
        Ok(tile)
    }

    /// A whole tile of f32.
    fn widened(&mut self, x: &Tile) -> String {
        let spare = self.scratch(DType::F32, count(x.shape));
        match x.dtype {
            DType::F32 => self.whole(x, x.shape, &spare),
            _ => {
                self.convert(&spare, x, DType::F32, x.shape);
                spare
            }
        }
    }
}
