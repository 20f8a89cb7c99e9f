//! Contractions of one core against its own peak, measured in turns: `[128, 384] x [384, 1536]` for several
//! tiles. `cargo bench -p tilewright-backends --bench contraction [TARGET]`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;

use backends::cpu::{Workers, compile};
use ir::tile::{Index, Program, Shape, Stmt, Value};
use support::{Buffer, Code, can_run, contraction};

const COLUMNS: i64 = 1536;
const DEPTH: i64 = 384;

/// The same products without memory: both operands stay in registers.
fn peak(tile: Shape) -> Program {
    let mut program = contraction("peak", 4 * i64::from(tile.rows), 64, 4096, tile, 4);
    let Stmt::For(each) = &mut program.body[1] else {
        unreachable!("the loop comes second")
    };
    for statement in &mut each.body {
        let Stmt::Let(_, Value::Load { from, .. }) = statement else {
            continue;
        };
        from.at = if from.at.mentions(&Index::Lane) {
            Index::Lane
        } else {
            Index::Row
        };
    }
    program
}

fn main() {
    let target = std::env::args().skip(1).find(|a| a.starts_with("cpu"));
    let target = backends::resolve(target.as_deref().unwrap_or("cpu")).expect("a target");
    if !can_run(&target) {
        return;
    }
    let simd = target.simd().expect("a CPU");
    let vector = (simd.vector.0 / 4) as u32;
    let (peak_tile, shapes): (_, &[(u32, u32)]) = match simd.registers {
        32 => (
            Shape::new(10, 32),
            &[
                (6, 64),
                (8, 32),
                (10, 32),
                (12, 32),
                (13, 32),
                (14, 32),
                (8, 48),
                (24, 16),
                (28, 16),
            ],
        ),
        _ => (
            Shape::new(5, 16),
            &[(4, 16), (5, 16), (6, 16), (4, 24), (12, 8), (3, 32)],
        ),
    };
    let mut programs = vec![peak(peak_tile)];
    for (rows, lanes) in shapes {
        for unroll in [1, 2, 4, 8] {
            let whole = 128 / i64::from(*rows) * i64::from(*rows);
            let name = format!("c{rows}x{lanes}u{unroll}");
            programs.push(contraction(
                &name,
                whole,
                COLUMNS,
                DEPTH,
                Shape::new(*rows, *lanes),
                unroll,
            ));
        }
    }
    let start = Instant::now();
    let object = compile(&programs, &target, &Workers::InProcess).expect("contractions compile");
    println!(
        "{} ({vector} lanes): {} programs in {:?}",
        target.name,
        programs.len(),
        start.elapsed()
    );
    let code = Code::load(&object);
    let mut buffers: Vec<Vec<Buffer>> = programs
        .iter()
        .map(|p| {
            p.params
                .iter()
                .map(|a| Buffer::of(&vec![0.5f32; a.len as usize].into()))
                .collect()
        })
        .collect();
    let mut best = vec![f64::INFINITY; programs.len()];
    for _ in 0..30 {
        for (i, program) in programs.iter().enumerate() {
            let start = Instant::now();
            code.call(program, &mut buffers[i]);
            best[i] = best[i].min(start.elapsed().as_secs_f64());
        }
    }
    let rate = |i: usize| {
        let program = &programs[i];
        let Stmt::For(each) = &program.body[1] else {
            unreachable!("the loop comes second")
        };
        let Index::Const(depth) = each.end else {
            unreachable!("a constant")
        };
        2.0 * (program.params[2].len * depth) as f64 / best[i] / 1e9
    };
    println!("peak {:.1} GFLOP/s", rate(0));
    for (i, program) in programs.iter().enumerate().skip(1) {
        println!(
            "{:10} {:6.1} GFLOP/s  {:.0} %",
            program.name,
            rate(i),
            100.0 * rate(i) / rate(0)
        );
    }
}
