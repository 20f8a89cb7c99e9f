//! What SPIR-V for OpenCL lacks, as functions of the module.
//!
//! Half precision: there is no bf16 that drivers take, and f16 only where the device has `cl_khr_fp16`. Numbers of both lie
//! in 16-bit integers, and functions convert them from and to f32, in which everything is computed anyway. The larger and
//! the smaller of two: LLVM 22 spells them `fmax` and `fmin` of OpenCL, which drop a NaN.

/// A type, and what converts it.
struct Half {
    name: &'static str,
    /// Names of the functions to f32 and from it.
    functions: [&'static str; 2],
    text: &'static str,
}

const HALVES: [Half; 2] = [
    Half {
        name: "bf16",
        functions: ["__from_bf16", "__to_bf16"],
        text: BF16,
    },
    Half {
        name: "f16",
        functions: ["__from_f16", "__to_f16"],
        text: F16,
    },
];

/// To nearest, ties to even; a NaN stays one.
const BF16: &str = "\
llvm.func internal @__from_bf16(%x: i16) -> f32 attributes {always_inline} {
  %sixteen = arith.constant 16 : i32
  %wide = arith.extui %x : i16 to i32
  %bits = arith.shli %wide, %sixteen : i32
  %result = arith.bitcast %bits : i32 to f32
  llvm.return %result : f32
}
llvm.func internal @__to_bf16(%x: f32) -> i16 attributes {always_inline} {
  %one = arith.constant 1 : i32
  %sixteen = arith.constant 16 : i32
  %half = arith.constant 32767 : i32
  %quiet = arith.constant 4194304 : i32
  %bits = arith.bitcast %x : f32 to i32
  %upper = arith.shrui %bits, %sixteen : i32
  %odd = arith.andi %upper, %one : i32
  %bias = arith.addi %odd, %half : i32
  %sum = arith.addi %bits, %bias : i32
  %nan = arith.ori %bits, %quiet : i32
  %is_nan = arith.cmpf uno, %x, %x : f32
  %kept = arith.select %is_nan, %nan, %sum : i32
  %high = arith.shrui %kept, %sixteen : i32
  %result = arith.trunci %high : i32 to i16
  llvm.return %result : i16
}
";

/// Exponents are moved by 112, from a bias of 15 to one of 127. Numbers below `2^-14` go through integers: devices may have
/// no f32 of such size. Going back, adding 0.5 leaves their multiple of `2^-24` in the low bits, rounded; what is 65520
/// or more becomes infinite.
const F16: &str = "\
llvm.func internal @__from_f16(%x: i16) -> f32 attributes {always_inline} {
  %thirteen = arith.constant 13 : i32
  %sixteen = arith.constant 16 : i32
  %size_mask = arith.constant 32767 : i32
  %sign_mask = arith.constant 32768 : i32
  %least_normal = arith.constant 1024 : i32
  %infinity = arith.constant 31744 : i32
  %all_ones = arith.constant 2139095040 : i32
  %moved = arith.constant 939524096 : i32
  %unit = arith.constant 5.9604644775390625e-08 : f32
  %wide = arith.extui %x : i16 to i32
  %size = arith.andi %wide, %size_mask : i32
  %low_sign = arith.andi %wide, %sign_mask : i32
  %sign = arith.shli %low_sign, %sixteen : i32
  %placed = arith.shli %size, %thirteen : i32
  %normal = arith.addi %placed, %moved : i32
  %endless = arith.ori %placed, %all_ones : i32
  %count = arith.sitofp %size : i32 to f32
  %small = arith.mulf %count, %unit : f32
  %small_bits = arith.bitcast %small : f32 to i32
  %is_small = arith.cmpi ult, %size, %least_normal : i32
  %is_endless = arith.cmpi uge, %size, %infinity : i32
  %finite = arith.select %is_small, %small_bits, %normal : i32
  %either = arith.select %is_endless, %endless, %finite : i32
  %bits = arith.ori %either, %sign : i32
  %result = arith.bitcast %bits : i32 to f32
  llvm.return %result : f32
}
llvm.func internal @__to_f16(%x: f32) -> i16 attributes {always_inline} {
  %one = arith.constant 1 : i32
  %thirteen = arith.constant 13 : i32
  %sixteen = arith.constant 16 : i32
  %size_mask = arith.constant 2147483647 : i32
  %sign_mask = arith.constant 32768 : i32
  %least_normal = arith.constant 947912704 : i32
  %too_large = arith.constant 1199566848 : i32
  %bias = arith.constant -939520001 : i32
  %half_bits = arith.constant 1056964608 : i32
  %half = arith.constant 0.5 : f32
  %infinity = arith.constant 31744 : i32
  %quiet = arith.constant 32256 : i32
  %bits = arith.bitcast %x : f32 to i32
  %size = arith.andi %bits, %size_mask : i32
  %high = arith.shrui %bits, %sixteen : i32
  %sign = arith.andi %high, %sign_mask : i32
  %last = arith.shrui %size, %thirteen : i32
  %odd = arith.andi %last, %one : i32
  %moved = arith.addi %size, %bias : i32
  %tied = arith.addi %moved, %odd : i32
  %normal = arith.shrui %tied, %thirteen : i32
  %number = arith.bitcast %size : i32 to f32
  %sum = arith.addf %number, %half : f32
  %sum_bits = arith.bitcast %sum : f32 to i32
  %small = arith.subi %sum_bits, %half_bits : i32
  %is_small = arith.cmpi ult, %size, %least_normal : i32
  %is_large = arith.cmpi uge, %size, %too_large : i32
  %is_nan = arith.cmpf uno, %x, %x : f32
  %finite = arith.select %is_small, %small, %normal : i32
  %number_or_not = arith.select %is_large, %infinity, %finite : i32
  %any = arith.select %is_nan, %quiet, %number_or_not : i32
  %signed = arith.ori %any, %sign : i32
  %result = arith.trunci %signed : i32 to i16
  llvm.return %result : i16
}
";

/// The larger and the smaller; a NaN on either side stays.
const EXTREMES: &str = "\
llvm.func internal @__maximum(%a: f32, %b: f32) -> f32 attributes {always_inline} {
  %above = arith.cmpf ogt, %a, %b : f32
  %best = arith.select %above, %a, %b : f32
  %is_nan = arith.cmpf uno, %a, %a : f32
  %result = arith.select %is_nan, %a, %best : f32
  llvm.return %result : f32
}
llvm.func internal @__minimum(%a: f32, %b: f32) -> f32 attributes {always_inline} {
  %below = arith.cmpf olt, %a, %b : f32
  %best = arith.select %below, %a, %b : f32
  %is_nan = arith.cmpf uno, %a, %a : f32
  %result = arith.select %is_nan, %a, %best : f32
  llvm.return %result : f32
}
";

/// The module with functions for what is not there. The builder converts halves one at a time, from and to f32 only,
/// compares numbers of f32, and writes one operation a line.
pub(super) fn expanded(mut module: String) -> String {
    for half in HALVES {
        if module.contains(half.name) {
            module = without(&module, &half);
        }
    }
    if !module.contains("llvm.intr.m") {
        return module;
    }
    for name in ["maximum", "minimum"] {
        let (from, to) = (
            format!("llvm.intr.{name}("),
            format!("llvm.call @__{name}("),
        );
        module = module.replace(&from, &to);
    }
    with(&module, EXTREMES)
}

/// Functions added to a module.
fn with(module: &str, functions: &str) -> String {
    let open = module.trim_end().strip_suffix('}');
    let open = open.expect("a module ends so");
    format!("{open}{functions}}}\n")
}

fn without(module: &str, half: &Half) -> String {
    let [from, to] = half.functions;
    let conversions = [
        (
            "arith.extf ",
            format!(" : {} to f32", half.name),
            from,
            "(i16) -> f32",
        ),
        (
            "arith.truncf ",
            format!(" : f32 to {}", half.name),
            to,
            "(f32) -> i16",
        ),
    ];
    let called = |line: &str| {
        conversions
            .iter()
            .find_map(|(name, types, function, signature)| {
                let (result, operand) = line.strip_suffix(types.as_str())?.split_once(name)?;
                Some(format!(
                    "{result}llvm.call @{function}({operand}) : {signature}"
                ))
            })
    };
    let mut all = String::new();
    for line in module.lines() {
        all += &called(line).unwrap_or_else(|| retyped(line, half.name));
        all.push('\n');
    }
    with(&all, half.text)
}

/// A line with 16-bit integers for a type, but not for a part of another name.
fn retyped(line: &str, name: &str) -> String {
    let mut all = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(name) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        all += before;
        // `vector<4xf16>`: the `x` belongs to the number.
        let stem = all.strip_suffix('x').unwrap_or(&all);
        let element = stem.len() < all.len() && stem.ends_with(|c: char| c.is_ascii_digit());
        let joins = |c: char| c.is_ascii_alphanumeric() || "_.@".contains(c);
        let own = element || !all.ends_with(joins);
        all += match own && !after.starts_with(joins) {
            true => "i16",
            false => name,
        };
        rest = after;
    }
    all + rest
}

#[cfg(test)]
mod tests {
    use super::{expanded, retyped};

    #[test]
    fn names_keep_what_looks_like_a_type() {
        let line = "llvm.func @k_f16(%0: vector<4xf16>, %1: bf16) -> f16";
        let wanted = "llvm.func @k_f16(%0: vector<4xi16>, %1: bf16) -> i16";
        assert_eq!(retyped(line, "f16"), wanted);
    }

    #[test]
    fn numbers_become_integers_and_conversions_calls() {
        let module = "module {\n%0 = arith.constant dense<0x3F80> : vector<2xbf16>\n\
                      %2 = arith.extf %1 : bf16 to f32\n%3 = arith.truncf %2 : f32 to bf16\n}\n";
        let all = expanded(module.into());
        for line in [
            "%0 = arith.constant dense<0x3F80> : vector<2xi16>\n",
            "%2 = llvm.call @__from_bf16(%1) : (i16) -> f32\n",
            "%3 = llvm.call @__to_bf16(%2) : (f32) -> i16\n",
        ] {
            assert!(all.contains(line), "{all}");
        }
        let plain = "module {\n%1 = arith.addf %0, %0 : f32\n}\n";
        assert_eq!(expanded(plain.into()), plain);
    }
}
