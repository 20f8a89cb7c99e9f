"""Writes BERT-base as a Hugging Face directory, with random weights: a profile does not depend on them.

    .toolchain/venv/bin/python benches/profile/bert_base.py FOLDER

Sizes: Devlin et al. 2019 (arXiv:1810.04805), as published in `google-bert/bert-base-uncased`, config.json.
"""

import sys

import torch
import transformers as hf

CONFIG = hf.BertConfig(
    vocab_size=30522, hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072,
    max_position_embeddings=512, type_vocab_size=2,
)

torch.manual_seed(1)
hf.BertModel(CONFIG).save_pretrained(sys.argv[1])
