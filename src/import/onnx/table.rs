//! From operators to graph ops: a line for each.

use ir::{BinaryFn, Monoid, UnaryFn};

use super::{
    attention,
    call::{Call, Many, One},
    contractions, elementwise, indexing, microsoft, norms, quantized, reductions, rotary, scatter,
    shapes, slicing, trigonometric,
    value::Value,
    windows,
};

/// How an operator is imported.
#[derive(Clone, Copy)]
pub(super) enum Convert {
    /// A function of one operand.
    Unary(UnaryFn),
    /// A function of two operands.
    Binary(BinaryFn),
    /// A function of two, of all operands one after the other.
    Variadic(BinaryFn),
    /// A fold of axes.
    Reduce(Monoid),
    /// The position of what a fold of an axis gives.
    Arg(Monoid),
    /// Ops with one result.
    One(fn(&mut Call<'_>) -> One),
    /// Ops with several results, or values that stay outside of the graph.
    Many(fn(&mut Call<'_>) -> Many),
}

impl Convert {
    /// The results of `call`.
    pub(super) fn run(self, call: &mut Call<'_>) -> Many {
        let one = match self {
            Self::Many(f) => return f(call),
            Self::One(f) => f(call),
            Self::Unary(f) => call.x(0).and_then(|x| call.unary(f, x)),
            Self::Binary(f) => {
                let (x, y) = (call.x(0)?, call.x(1)?);
                call.binary(f, x, y)
            }
            Self::Variadic(f) => elementwise::variadic(call, f),
            Self::Reduce(monoid) => reductions::reduce(call, monoid),
            Self::Arg(monoid) => reductions::arg_best(call, monoid),
        };
        Ok(vec![Value::Graph(one?)])
    }
}

use Convert::{Arg, Binary, Many as Several, One as Single, Reduce, Unary, Variadic};

/// Operators of the standard domain, by name.
const STANDARD: &[(&str, Convert)] = &[
    ("Abs", Unary(UnaryFn::Abs)),
    ("Acos", Single(trigonometric::acos)),
    ("Acosh", Single(trigonometric::acosh)),
    ("Add", Binary(BinaryFn::Add)),
    ("And", Binary(BinaryFn::And)),
    ("ArgMax", Arg(Monoid::Max)),
    ("ArgMin", Arg(Monoid::Min)),
    ("Asin", Single(trigonometric::asin)),
    ("Asinh", Single(trigonometric::asinh)),
    ("Atan", Single(trigonometric::atan)),
    ("Atanh", Single(trigonometric::atanh)),
    ("Attention", Several(attention::attention)),
    ("AveragePool", Single(windows::average_pool)),
    ("BatchNormalization", Single(norms::batch_normalization)),
    ("Cast", Several(elementwise::cast)),
    ("CastLike", Several(elementwise::cast_like)),
    ("Ceil", Unary(UnaryFn::Ceil)),
    ("Celu", Single(elementwise::celu)),
    ("CenterCropPad", Single(slicing::center_crop_pad)),
    ("Clip", Single(elementwise::clip)),
    ("Concat", Single(shapes::concat)),
    ("Constant", Several(shapes::constant)),
    ("ConstantOfShape", Single(shapes::constant_of_shape)),
    ("Conv", Single(windows::conv)),
    ("Cos", Unary(UnaryFn::Cos)),
    ("Cosh", Single(trigonometric::cosh)),
    ("CumSum", Single(scatter::cum_sum)),
    ("DepthToSpace", Single(shapes::depth_to_space)),
    ("DequantizeLinear", Single(quantized::dequantize_linear)),
    ("Div", Single(elementwise::div)),
    ("Dropout", Several(elementwise::dropout)),
    (
        "DynamicQuantizeLinear",
        Several(quantized::dynamic_quantize_linear),
    ),
    ("Einsum", Single(contractions::einsum)),
    ("Elu", Single(elementwise::elu)),
    ("Equal", Binary(BinaryFn::Eq)),
    ("Erf", Unary(UnaryFn::Erf)),
    ("Exp", Unary(UnaryFn::Exp)),
    ("Expand", Single(shapes::expand)),
    ("EyeLike", Single(shapes::eye_like)),
    ("Flatten", Single(shapes::flatten)),
    ("Floor", Unary(UnaryFn::Floor)),
    ("Gather", Single(indexing::gather)),
    ("GatherElements", Single(indexing::gather_elements)),
    ("GatherND", Single(indexing::gather_nd)),
    ("Gelu", Single(elementwise::gelu)),
    ("Gemm", Single(contractions::gemm)),
    ("GlobalAveragePool", Single(windows::global_average_pool)),
    ("GlobalMaxPool", Single(windows::global_max_pool)),
    ("Greater", Binary(BinaryFn::Gt)),
    ("GreaterOrEqual", Binary(BinaryFn::Ge)),
    ("GroupNormalization", Single(norms::group_normalization)),
    ("HardSigmoid", Single(elementwise::hard_sigmoid)),
    ("HardSwish", Single(elementwise::hard_swish)),
    ("Hardmax", Single(reductions::hardmax)),
    ("Identity", Several(shapes::identity)),
    ("If", Several(elementwise::branch)),
    (
        "InstanceNormalization",
        Single(norms::instance_normalization),
    ),
    ("IsInf", Single(elementwise::is_inf)),
    ("IsNaN", Single(elementwise::is_nan)),
    ("LayerNormalization", Several(norms::layer_normalization)),
    ("LeakyRelu", Single(elementwise::leaky_relu)),
    ("Less", Binary(BinaryFn::Lt)),
    ("LessOrEqual", Binary(BinaryFn::Le)),
    ("Log", Unary(UnaryFn::Log)),
    ("LogSoftmax", Single(reductions::log_softmax)),
    ("LpNormalization", Single(norms::lp_normalization)),
    ("LpPool", Single(windows::lp_pool)),
    ("MatMul", Single(contractions::matmul)),
    ("MatMulInteger", Single(contractions::matmul_integer)),
    ("Max", Variadic(BinaryFn::Max)),
    ("MaxPool", Single(windows::max_pool)),
    ("Mean", Single(elementwise::mean)),
    (
        "MeanVarianceNormalization",
        Single(norms::mean_variance_normalization),
    ),
    ("Min", Variadic(BinaryFn::Min)),
    ("Mish", Single(elementwise::mish)),
    ("Mod", Single(elementwise::modulo)),
    ("Mul", Binary(BinaryFn::Mul)),
    ("Neg", Unary(UnaryFn::Neg)),
    ("Not", Unary(UnaryFn::Not)),
    ("OneHot", Single(indexing::one_hot)),
    ("Or", Binary(BinaryFn::Or)),
    ("PRelu", Single(elementwise::prelu)),
    ("Pad", Single(slicing::pad)),
    ("Pow", Single(elementwise::pow)),
    ("QLinearMatMul", Single(quantized::qlinear_matmul)),
    ("QuantizeLinear", Single(quantized::quantize_linear)),
    ("RMSNormalization", Single(norms::rms_normalization)),
    ("Range", Several(shapes::range)),
    ("Reciprocal", Unary(UnaryFn::Recip)),
    ("ReduceL1", Single(reductions::reduce_l1)),
    ("ReduceL2", Single(reductions::reduce_l2)),
    ("ReduceLogSum", Single(reductions::reduce_log_sum)),
    ("ReduceLogSumExp", Single(reductions::reduce_log_sum_exp)),
    ("ReduceMax", Reduce(Monoid::Max)),
    ("ReduceMean", Single(reductions::reduce_mean)),
    ("ReduceMin", Reduce(Monoid::Min)),
    ("ReduceProd", Reduce(Monoid::Prod)),
    ("ReduceSum", Reduce(Monoid::Sum)),
    ("ReduceSumSquare", Single(reductions::reduce_sum_square)),
    ("Relu", Unary(UnaryFn::Relu)),
    ("Reshape", Single(shapes::reshape)),
    ("RotaryEmbedding", Single(rotary::rotary_embedding)),
    ("Round", Unary(UnaryFn::Round)),
    ("ScatterElements", Single(scatter::scatter_elements)),
    ("ScatterND", Single(scatter::scatter_nd)),
    ("Selu", Single(elementwise::selu)),
    ("Shape", Several(shapes::shape)),
    ("Shrink", Single(elementwise::shrink)),
    ("Sigmoid", Unary(UnaryFn::Sigmoid)),
    ("Sign", Single(elementwise::sign)),
    ("Sin", Unary(UnaryFn::Sin)),
    ("Sinh", Single(trigonometric::sinh)),
    ("Size", Several(shapes::size)),
    ("Slice", Single(slicing::slice)),
    ("Softmax", Single(reductions::softmax)),
    ("Softplus", Single(elementwise::softplus)),
    ("Softsign", Single(elementwise::softsign)),
    ("SpaceToDepth", Single(shapes::space_to_depth)),
    ("Split", Several(slicing::split)),
    ("Sqrt", Unary(UnaryFn::Sqrt)),
    ("Squeeze", Single(shapes::squeeze)),
    ("Sub", Binary(BinaryFn::Sub)),
    ("Sum", Variadic(BinaryFn::Add)),
    ("Swish", Single(elementwise::swish)),
    ("Tan", Single(trigonometric::tan)),
    ("Tanh", Unary(UnaryFn::Tanh)),
    ("TensorScatter", Single(scatter::tensor_scatter)),
    ("ThresholdedRelu", Single(elementwise::thresholded_relu)),
    ("Tile", Single(shapes::tile)),
    ("TopK", Several(scatter::top_k)),
    ("Transpose", Single(shapes::transpose)),
    ("Trilu", Single(shapes::trilu)),
    ("Unsqueeze", Single(shapes::unsqueeze)),
    ("Where", Single(elementwise::select)),
    ("Xor", Single(elementwise::xor)),
    // Written into the standard domain by onnxruntime's optimiser.
    (
        "SimplifiedLayerNormalization",
        Single(norms::rms_normalization),
    ),
];

/// Operators of `com.microsoft`, by name.
const MICROSOFT: &[(&str, Convert)] = &[
    ("Attention", Several(microsoft::attention)),
    ("BiasGelu", Single(microsoft::bias_gelu)),
    (
        "EmbedLayerNormalization",
        Several(norms::embed_layer_normalization),
    ),
    ("FastGelu", Single(microsoft::fast_gelu)),
    ("FusedMatMul", Single(contractions::fused_matmul)),
    ("Gelu", Unary(UnaryFn::Gelu)),
    (
        "GroupQueryAttention",
        Several(microsoft::group_query_attention),
    ),
    (
        "MultiHeadAttention",
        Several(microsoft::multi_head_attention),
    ),
    ("QuickGelu", Single(microsoft::quick_gelu)),
    (
        "RotaryEmbedding",
        Single(rotary::rotary_embedding_microsoft),
    ),
    (
        "SkipLayerNormalization",
        Several(norms::skip_layer_normalization),
    ),
    (
        "SkipSimplifiedLayerNormalization",
        Several(norms::skip_simplified_layer_normalization),
    ),
];

/// How the operator is imported, if it is.
pub(super) fn converter(domain: &str, operator: &str) -> Option<Convert> {
    let table = match domain {
        "" => STANDARD,
        "com.microsoft" => MICROSOFT,
        _ => return None,
    };
    table
        .iter()
        .find(|(name, _)| *name == operator)
        .map(|row| row.1)
}
