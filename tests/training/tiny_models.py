"""A tiny random model of every masked-LM family that transformers has."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModelForMaskedLM, PretrainedConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING

VOCABULARY_SIZE = 120
CHUNK_SIZE = 16

# Names that configs use for the same few sizes. A config takes those that it has.
SMALL: dict[str, Any] = {
    "vocab_size": VOCABULARY_SIZE,
    "hidden_size": 32,
    "d_model": 32,
    "dim": 32,
    "emb_dim": 32,
    "embedding_size": 32,
    "d_latents": 32,
    "num_latents": 8,
    "qk_channels": 32,
    "v_channels": 32,
    "intermediate_size": 48,
    "hidden_dim": 48,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "ffn_dim": 48,
    "num_hidden_layers": 2,
    "n_layers": 2,
    "n_layer": 2,
    "num_layers": 2,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "num_self_attends_per_block": 1,
    "num_blocks": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "n_heads": 2,
    "n_head": 2,
    "d_head": 16,
    "d_inner": 48,
    "attention_head_size": 16,
    "embedding_dim": 32,
    "num_cross_attention_heads": 2,
    "num_self_attention_heads": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "max_position_embeddings": 64,
    "axial_pos_shape": (4, 4),
    "axial_pos_embds_dim": (16, 16),
    "entity_vocab_size": 20,
    "entity_emb_size": 32,
    "pad_token_id": 1,
    "global_attn_every_n_layers": 2,
    "attention_window": 8,
    "pronunciation_vocab_size": 20,
    "shape_vocab_size": 20,
    "pronunciation_embed_dim": 8,
    "shape_embed_dim": 8,
    "image_size": 8,
    "word_embed_proj_dim": 32,
    "tpu_ipu_embedding": False,
    "true_hidden_size": 32,
    "intra_bottleneck_size": 32,
    "block_sizes": [1, 1],
    "num_decoder_layers": 1,
    "bottleneck_size": 32,
    "num_hash_buckets": 64,
    "max_seq_length": 64,
    "tie_word_embeddings": True,
}
LEFT_AS_IT_IS = object()
# What a family needs besides.
SPECIAL: dict[str, dict[str, Any]] = {
    "esm": {"mask_token_id": 3, "pad_token_id": 1, "position_embedding_type": "rotary"},
    "reformer": {
        "is_decoder": False,
        "attn_layers": ["local", "local"],
        "local_attn_chunk_length": 8,
        "feed_forward_size": 48,
    },
    "big_bird": {"attention_type": "original_full"},
    "xmod": {"languages": ["en_XX"], "default_language": "en_XX"},
    "squeezebert": dict.fromkeys(
        ("q_groups", "k_groups", "v_groups", "post_attention_groups", "output_groups"), 1
    ),
    "perceiver": {"max_position_embeddings": CHUNK_SIZE},  # it scores all its positions, whatever it is given
    "xlm": {"n_langs": 1},
    "flaubert": {"n_langs": 1},
    "modernbert": {"local_attention": 8},
    "funnel": {
        "num_hidden_layers": LEFT_AS_IT_IS,
        "num_blocks": LEFT_AS_IT_IS,
        "d_model": 32,
        "n_head": 2,
        "d_head": 16,
    },
}


def masked_lm_configs() -> list[type[PretrainedConfig]]:
    """The config class of every family with a masked-LM head, by model type."""
    return sorted(MODEL_FOR_MASKED_LM_MAPPING, key=lambda config: config.model_type)


def tiny_config(config_class: type[PretrainedConfig], *, dropout: float = 0.0) -> PretrainedConfig:
    """A config of that family with every size small, and every dropout as given."""
    usual = config_class()
    changes = {name: value for name, value in SMALL.items() if hasattr(usual, name)}
    changes |= {
        name: dropout
        for name, value in vars(usual).items()
        if isinstance(value, float) and ("drop" in name and "layerdrop" not in name)
    }
    changes |= {name: 0.0 for name in vars(usual) if "layerdrop" in name}
    changes |= SPECIAL.get(config_class.model_type, {})
    for name, part in vars(usual).items():
        if isinstance(part, PretrainedConfig):
            changes[name] = tiny_config(type(part), dropout=dropout)
    return config_class(**{name: value for name, value in changes.items() if value is not LEFT_AS_IT_IS})


def tiny_model(config_class: type[PretrainedConfig], *, dropout: float = 0.0) -> PreTrainedModel:
    """A random model of that family, the same at every call, in train mode."""
    torch.manual_seed(0)
    return AutoModelForMaskedLM.from_config(tiny_config(config_class, dropout=dropout)).train()
