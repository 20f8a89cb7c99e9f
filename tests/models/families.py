"""One small model, or a few, of each family that `make.py` itself does not list: class, configuration, element type, inputs."""

import torch
import transformers as hf

from glm import ChatGlm2, Glm130b

ENCODER = dict(vocab_size=24, max_position_embeddings=24)
BERT = ENCODER | dict(
    hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=20, type_vocab_size=3, pad_token_id=1,
)
DISTIL = ENCODER | dict(dim=16, n_layers=2, n_heads=4, hidden_dim=20)
DECODER = dict(
    vocab_size=24, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    intermediate_size=20, max_position_embeddings=32, pad_token_id=0, bos_token_id=1, eos_token_id=2,
)
THETA = dict(rope_type="default", rope_theta=500.0)
NEOX = dict(
    vocab_size=24, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20, max_position_embeddings=32,
    rotary_emb_base=500.0,
)
LONG = dict(
    rope_type="longrope", rope_theta=500.0, short_factor=[1.0, 1.5], long_factor=[2.0, 4.0], partial_rotary_factor=0.5,
)
BLOOM = dict(vocab_size=24, hidden_size=12, n_layer=2)
FALCON = dict(
    vocab_size=24, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=32, ffn_hidden_size=20,
)
MPT = dict(vocab_size=24, d_model=12, n_layers=2, max_seq_len=32)
IMAGE = dict(
    hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=20, image_size=11, patch_size=4, num_channels=2,
)
CAPTION = dict(
    vocab_size=24, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=20, max_position_embeddings=12,
    projection_dim=8,
)
T5 = dict(
    vocab_size=24, d_model=16, d_kv=6, d_ff=20, num_layers=2, num_heads=4, relative_attention_num_buckets=8,
    relative_attention_max_distance=6, decoder_start_token_id=0,
)
BART = dict(
    vocab_size=24, max_position_embeddings=24, d_model=16, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=20,
    decoder_layers=2, decoder_attention_heads=2, decoder_ffn_dim=24,
)
WHISPER = dict(
    vocab_size=24, num_mel_bins=5, d_model=16, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=20,
    decoder_layers=2, decoder_attention_heads=2, decoder_ffn_dim=24, max_source_positions=6, max_target_positions=12,
    pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1, apply_spec_augment=False,
)
CHATGLM = dict(
    model_type="chatglm", architectures=["ChatGLMForConditionalGeneration"], num_layers=2, padded_vocab_size=24,
    hidden_size=16, ffn_hidden_size=20, kv_channels=8, num_attention_heads=4, seq_length=32, layernorm_epsilon=1e-5,
    rmsnorm=True, apply_residual_connection_post_layernorm=False, post_layer_norm=True, add_bias_linear=False,
    add_qkv_bias=True, multi_query_attention=True, multi_query_group_num=2,
)
GLM130B = dict(
    model_type="glm130b", architectures=["Glm130bForConditionalGeneration"], num_layers=2, vocab_size=24, hidden_size=16,
    inner_hidden_size=20, num_attention_heads=2, max_sequence_length=32, layernorm_epsilon=1e-5,
)

MODELS = {
    "roberta": (hf.RobertaModel, hf.RobertaConfig(**BERT), torch.bfloat16),
    "roberta_masked": (hf.RobertaForMaskedLM, hf.RobertaConfig(**BERT | dict(num_hidden_layers=1)), torch.bfloat16),
    "xlm_roberta_classes": (
        hf.XLMRobertaForSequenceClassification, hf.XLMRobertaConfig(**BERT | dict(num_hidden_layers=1), num_labels=3),
        torch.bfloat16,
    ),
    "distilbert": (hf.DistilBertForMaskedLM, hf.DistilBertConfig(**DISTIL), torch.bfloat16),
    "distilbert_classes": (
        hf.DistilBertForSequenceClassification, hf.DistilBertConfig(**DISTIL | dict(n_layers=1), num_labels=3), torch.bfloat16,
    ),
    "qwen3": (
        hf.Qwen3ForCausalLM, hf.Qwen3Config(**DECODER, head_dim=6, rope_parameters=THETA), torch.bfloat16,
    ),
    "phi3": (
        hf.Phi3ForCausalLM, hf.Phi3Config(**DECODER, rope_parameters=THETA, sliding_window=3), torch.bfloat16,
    ),
    "phi3_long": (
        hf.Phi3Model,
        hf.Phi3Config(
            **DECODER | dict(hidden_size=32, num_hidden_layers=1), original_max_position_embeddings=16, rope_parameters=LONG,
        ),
        torch.bfloat16,
    ),
    "gemma": (hf.GemmaForCausalLM, hf.GemmaConfig(**DECODER, head_dim=6, rope_parameters=THETA), torch.bfloat16),
    "gemma2": (
        hf.Gemma2ForCausalLM,
        hf.Gemma2Config(
            **DECODER, head_dim=6, rope_parameters=THETA, query_pre_attn_scalar=10, sliding_window=2,
            attn_logit_softcapping=3.0, final_logit_softcapping=5.0,
        ),
        torch.bfloat16,
    ),
    "gpt_neox": (hf.GPTNeoXForCausalLM, hf.GPTNeoXConfig(**NEOX, rotary_pct=0.25), torch.bfloat16),
    "gpt_neox_in_turn": (
        hf.GPTNeoXModel,
        hf.GPTNeoXConfig(**NEOX | dict(num_hidden_layers=1), rotary_pct=0.5, use_parallel_residual=False, attention_bias=False),
        torch.bfloat16,
    ),
    "bloom": (hf.BloomForCausalLM, hf.BloomConfig(**BLOOM, n_head=6), torch.bfloat16),
    "bloom_normed": (
        hf.BloomModel,
        hf.BloomConfig(**BLOOM | dict(n_layer=1), n_head=4, apply_residual_connection_post_layernorm=True), torch.bfloat16,
    ),
    "falcon": (hf.FalconForCausalLM, hf.FalconConfig(**FALCON), torch.bfloat16),
    "falcon_new": (
        hf.FalconForCausalLM, hf.FalconConfig(**FALCON, new_decoder_architecture=True, num_kv_heads=2, bias=True),
        torch.bfloat16,
    ),
    "falcon_alibi": (
        hf.FalconModel, hf.FalconConfig(**FALCON, alibi=True, multi_query=False, parallel_attn=False), torch.bfloat16,
    ),
    "mpt": (hf.MptForCausalLM, hf.MptConfig(**MPT, n_heads=4), torch.bfloat16),
    "mpt_clipped": (
        hf.MptModel, hf.MptConfig(**MPT | dict(n_layers=1), n_heads=6, attn_config=dict(clip_qkv=1.5, softmax_scale=0.3)),
        torch.bfloat16,
    ),
    "vit": (hf.ViTModel, hf.ViTConfig(**IMAGE), torch.bfloat16),
    "vit_classes": (
        hf.ViTForImageClassification, hf.ViTConfig(**IMAGE | dict(num_hidden_layers=1, qkv_bias=False), num_labels=3),
        torch.bfloat16,
    ),
    "clip": (
        hf.CLIPModel,
        hf.CLIPConfig(
            text_config=CAPTION | dict(eos_token_id=5), vision_config=IMAGE | dict(projection_dim=8), projection_dim=8,
        ),
        torch.bfloat16,
    ),
    "clip_text": (
        hf.CLIPTextModel,
        hf.CLIPTextConfig(**CAPTION | dict(num_hidden_layers=1), eos_token_id=2, bos_token_id=0, pad_token_id=1),
        torch.bfloat16,
    ),
    "clip_text_projected": (
        hf.CLIPTextModelWithProjection, hf.CLIPTextConfig(**CAPTION | dict(num_hidden_layers=1), eos_token_id=5), torch.bfloat16,
    ),
    "clip_vision": (hf.CLIPVisionModel, hf.CLIPVisionConfig(**IMAGE | dict(num_hidden_layers=1)), torch.bfloat16),
    "clip_vision_projected": (
        hf.CLIPVisionModelWithProjection, hf.CLIPVisionConfig(**IMAGE | dict(num_hidden_layers=1), projection_dim=8),
        torch.bfloat16,
    ),
    "t5": (hf.T5ForConditionalGeneration, hf.T5Config(**T5), torch.bfloat16),
    "t5_gated": (
        hf.T5Model, hf.T5Config(**T5 | dict(num_layers=1), num_decoder_layers=2, feed_forward_proj="gated-gelu"), torch.bfloat16,
    ),
    "t5_encoder": (hf.T5EncoderModel, hf.T5Config(**T5, feed_forward_proj="gated-silu"), torch.bfloat16),
    "bart": (hf.BartForConditionalGeneration, hf.BartConfig(**BART), torch.bfloat16),
    "bart_scaled": (
        hf.BartModel, hf.BartConfig(**BART | dict(encoder_layers=1, decoder_layers=1), scale_embedding=True), torch.bfloat16,
    ),
    "whisper": (hf.WhisperForConditionalGeneration, hf.WhisperConfig(**WHISPER), torch.bfloat16),
    "chatglm2": (ChatGlm2, CHATGLM, torch.bfloat16),
    "chatglm2_own_keys": (
        ChatGlm2, CHATGLM | dict(num_layers=1, multi_query_attention=False, add_qkv_bias=False), torch.bfloat16,
    ),
    "glm130b": (Glm130b, GLM130B, torch.bfloat16),
}

# Models whose tokens stand where the ids, or the model, say; a run does not.
UNPLACED = ("roberta", "xlm_roberta", "bloom", "falcon_alibi", "mpt", "t5", "bart")


def numbers(g, *shape):
    """Numbers of few digits, so that what is stored is what was computed with."""
    return (torch.randn(shape, generator=g) * 64).round() / 64


def cases(name, config, seed):
    """Inputs: a batch, padding on the right, padding on the left with positions; images, sounds, and two lengths where a model
    takes them."""
    g = torch.Generator().manual_seed(seed)
    config = config if isinstance(config, dict) else config.to_dict()
    text = config.get("text_config", config)
    words = text.get("vocab_size") or text.get("padded_vocab_size")

    def ids(*shape):
        return torch.randint(0, words, shape, generator=g)

    right = torch.tensor([[1] * 4, [1, 1, 1, 0], [1, 0, 0, 0]])
    left = torch.tensor([[0, 0, 1, 1, 1], [1] * 5])
    if name == "whisper":
        for batch, length in [(1, 4), (2, 3)]:
            yield dict(input_features=numbers(g, batch, 5, 12), decoder_input_ids=ids(batch, length))
    elif name.startswith(("vit", "clip_vision")):
        for batch in [1, 3]:
            yield dict(pixel_values=numbers(g, batch, 2, 11, 11))
    elif name == "clip":
        yield dict(input_ids=ids(2, 6), pixel_values=numbers(g, 3, 2, 11, 11))
        yield dict(input_ids=ids(3, 4), attention_mask=right, pixel_values=numbers(g, 1, 2, 11, 11))
    elif name.startswith(("t5", "bart")) and name != "t5_encoder":
        yield dict(input_ids=ids(2, 11), decoder_input_ids=ids(2, 9))
        yield dict(input_ids=ids(3, 4), attention_mask=right, decoder_input_ids=ids(3, 2))
        yield dict(
            input_ids=ids(2, 3), decoder_input_ids=ids(2, 5), decoder_attention_mask=torch.tensor([[1] * 5, [0, 1, 1, 1, 1]]),
        )
    else:
        yield dict(input_ids=ids(2, 7))
        yield dict(input_ids=ids(3, 4), attention_mask=right)
        last = dict(input_ids=ids(2, 5), attention_mask=left)
        if not name.startswith(UNPLACED):
            last["position_ids"] = (left.cumsum(-1) - 1).clamp(min=0)
        if name.startswith("clip_text"):
            # The token that stands for a text may be a hidden one.
            del last["attention_mask"]
        yield last
        if name == "glm130b":
            yield dict(input_ids=ids(2, 4), context_mask=torch.tensor([[1, 1, 1, 0], [1, 0, 0, 0]]))
