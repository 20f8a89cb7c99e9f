//! A device with warpgroups.

use ir::{
    Bytes, DType, Form, Target,
    lane::{Layout, Step, WarpgroupInstr},
};

use super::lanes::targets;

fn rows(by: &[u32]) -> Vec<Step> {
    by.iter().map(|b| Step::rows(*b)).collect()
}

fn columns(by: &[u32]) -> Vec<Step> {
    by.iter().map(|b| Step::columns(*b)).collect()
}

/// PTX ISA 8.7, section 9.7.15.5.1: fragments of `wgmma.mma_async.m64nNk16`.
fn product(operands: DType, n: u32) -> WarpgroupInstr {
    let layout = |register| Layout {
        register,
        lane: [columns(&[2, 4]), rows(&[1, 2, 4])].concat(),
        warp: rows(&[16, 32]),
    };
    let wide: Vec<u32> = (3..n.ilog2()).map(|bit| 1 << bit).collect();
    let pair = [columns(&[1]), rows(&[8])];
    WarpgroupInstr {
        name: format!("m64n{n}k16_{}", operands.name()),
        operands,
        accumulator: DType::F32,
        a: layout([pair.concat(), columns(&[8])].concat()),
        c: layout([pair.concat(), columns(&wide)].concat()),
        word: "product".into(),
    }
}

/// Two units, so that each works on several tiles.
pub fn device() -> Target {
    let mut target = targets::all().remove(0);
    target.name = "warpgroups".into();
    let Form::Simt(simt) = &mut target.form else {
        unreachable!("it has lanes")
    };
    simt.units = 2;
    simt.shared = Bytes(227 << 10);
    let each = [DType::F16, DType::Bf16].map(|d| [8, 16, 32, 64, 128, 256].map(|n| product(d, n)));
    simt.warpgroup = each.concat();
    target
}
