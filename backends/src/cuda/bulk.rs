//! Tensor copies, mbarriers and warpgroups in PTX, as inline assembly.
//!
//! Source: PTX ISA 9.0, sections "cp.async.bulk.tensor", "mbarrier", "wgmma.fence", "wgmma.commit_group",
//! "wgmma.wait_group", "setmaxnreg", "membar / fence" (2026-11-25).

use ir::lane::WarpgroupInstr;

use super::warpgroup;
use crate::{
    mlir::text::{Elem, Text, Type, Value},
    simt::dialect::{Left, Tile, Warpgroups},
};

const WORD: Type = Type::scalar(Elem::I32);

/// sm_90a. Instructions of warpgroups are in no other architecture: later ones have others.
pub(super) struct Hopper;

fn act(text: &mut Text, code: &str, inputs: &[Value]) {
    text.assembly(code, &[], &[], inputs);
}

impl Warpgroups for Hopper {
    fn uniform(&self, text: &mut Text, word: Value) -> Value {
        // What all lanes take of one is known to be the same in all: registers of the warp hold what follows from it.
        let [members, first, segment] = [-1, 0, 31].map(|n| text.int(WORD, n));
        text.call(
            WORD,
            "llvm.nvvm.shfl.sync.idx.i32",
            &[members, word, first, segment],
        )
    }

    fn start(&self, text: &mut Text, signal: Value, arrivals: u32) {
        let arrivals = text.int(WORD, arrivals.into());
        act(
            text,
            "mbarrier.init.shared::cta.b64 [$0], $1;",
            &[signal, arrivals],
        );
    }

    fn started(&self, text: &mut Text) {
        act(text, "fence.mbarrier_init.release.cluster;", &[]);
        act(text, "fence.proxy.async.shared::cta;", &[]);
    }

    fn prefetch(&self, text: &mut Text, map: Value) {
        act(text, "prefetch.tensormap [$0];", &[map]);
    }

    fn copy_box(&self, text: &mut Text, to: Value, map: Value, from: &[Value], signal: Value) {
        let places: Vec<String> = (3..3 + from.len()).map(|i| format!("${i}")).collect();
        let code = format!(
            "cp.async.bulk.tensor.{}d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [$0], [$1, {{{}}}], [$2];",
            from.len(),
            places.join(", ")
        );
        let mut inputs = vec![to, map, signal];
        inputs.extend(from);
        act(text, &code, &inputs);
    }

    fn expect(&self, text: &mut Text, signal: Value, bytes: u32) {
        let code = format!("mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], {bytes};");
        act(text, &code, &[signal]);
    }

    fn arrive(&self, text: &mut Text, signal: Value) {
        act(text, "mbarrier.arrive.shared::cta.b64 _, [$0];", &[signal]);
    }

    /// `try_wait` sleeps for a while that the system chooses.
    fn await_phase(&self, text: &mut Text, signal: Value, parity: Value) {
        let code = "{ .reg .pred p; again: mbarrier.try_wait.parity.shared::cta.b64 p, [$0], $1; @!p bra again; }";
        act(text, code, &[signal, parity]);
    }

    fn fence(&self, text: &mut Text, held: &[Value]) -> Vec<Value> {
        text.assembly("wgmma.fence.sync.aligned;", held, &[], &[])
    }

    fn product(
        &self,
        text: &mut Text,
        instr: &WarpgroupInstr,
        a: &Left,
        b: &Tile,
        c: Option<&[Value]>,
    ) -> Option<Vec<Value>> {
        warpgroup::emit(text, instr, a, b, c)
    }

    fn commit(&self, text: &mut Text) {
        act(text, "wgmma.commit_group.sync.aligned;", &[]);
    }

    fn wait(&self, text: &mut Text, pending: u32, held: &[Value]) -> Vec<Value> {
        let code = format!("wgmma.wait_group.sync.aligned {pending};");
        text.assembly(&code, held, &[], &[])
    }

    fn registers(&self, text: &mut Text, count: u32, more: bool) {
        let which = if more { "inc" } else { "dec" };
        act(
            text,
            &format!("setmaxnreg.{which}.sync.aligned.u32 {count};"),
            &[],
        );
    }
}
