"""Transformers from scratch: a language model (decoder only) and an encoder-decoder, made of :mod:`course_lib.blocks`.

Shapes: B batch, T tokens (S in the source or in the cache), D width, N heads of width K = D / N, V vocabulary.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from course_lib.attention import causal_mask
from course_lib.blocks import (
    Block,
    Cache,
    FeedForward,
    LayerNorm,
    copy_into,
    copy_linear,
    rotary_angles,
    rotate,
    sinusoidal,
)
from course_lib.rnn import check_ids
from course_lib.seq2seq import Memory
from course_lib.tokens import PAD_ID

__all__ = [
    "Block",
    "FeedForward",
    "LayerNorm",
    "Transformer",
    "TransformerLM",
    "rotary_angles",
    "rotate",
    "sinusoidal",
]

POSITIONS = ("learned", "sinusoidal", "rotary", "none")


class TransformerLM(nn.Module):
    """A decoder-only transformer: tokens plus positions, blocks under the causal mask, a last norm, logits.

    ``positions`` is "learned", "sinusoidal", "rotary" or "none". With ``tied`` the output has no matrix of its own:
    logits are products with the token embeddings. The rest is that of :class:`Block`. ``fused`` is faster, and then
    :meth:`look` has nothing to show.
    """

    def __init__(self, vocab_size: int, d_model: int, heads: int, layers: int, max_length: int,
                 positions: str = "learned", norm: str = "pre", activation: str = "gelu", hidden: int | None = None,
                 dropout: float = 0.0, tied: bool = False, qk_norm: bool = False, fused: bool = False):  # fmt: skip
        super().__init__()
        if positions not in POSITIONS:
            raise ValueError(f"positions={positions!r} must be one of {POSITIONS}")
        if layers < 1 or max_length < 1:
            raise ValueError(f"layers={layers} and max_length={max_length} must be 1 or more")
        self.max_length, self.rotary = max_length, positions == "rotary"
        self.embedding = nn.Embedding(vocab_size, d_model)
        nn.init.normal_(self.embedding.weight, std=d_model**-0.5)  # vectors of length about 1
        self.position = None
        if positions == "learned":
            self.position = nn.Embedding(max_length, d_model)
            nn.init.normal_(self.position.weight, std=d_model**-0.5)
        table = sinusoidal(max_length, d_model) if positions == "sinusoidal" else None
        self.register_buffer("sinusoids", table, persistent=False)
        self.blocks = nn.ModuleList(
            Block(d_model, heads, hidden, norm, activation, dropout, qk_norm=qk_norm, fused=fused)
            for _ in range(layers)
        )
        self.norm = LayerNorm(d_model) if norm == "pre" else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(d_model, vocab_size, bias=not tied)
        if self.rotary and d_model // heads % 2:
            raise ValueError(f"a head is {d_model // heads} wide, and rotary positions turn pairs: make that even")
        if tied:
            self.output.weight = self.embedding.weight

    def forward(self, ids: Tensor, state: list[Cache] | None = None):
        """ids (B, T) -> logits (B, T, V). With a state, for going on where a text stopped: -> logits, state.

        Errors: ValueError for a text longer than ``max_length``, what the state holds included, or ids outside the
        vocabulary; TypeError unless they are integers.
        """
        x, new = self._run(ids, state, None)
        logits = self.output(self.norm(x))
        return logits if state is None else (logits, new)

    def look(self, ids: Tensor) -> tuple[Tensor, list[Tensor]]:
        """ids (B, T) -> logits (B, T, V) and the weights of each block, (B, N, T, T)."""
        seen: list[Tensor] = []
        x, _ = self._run(ids, None, seen)
        return self.output(self.norm(x)), seen

    def _run(self, ids: Tensor, state: list[Cache] | None, seen: list[Tensor] | None):
        check_ids(ids, self.embedding.num_embeddings)
        T, start = ids.shape[1], 0 if state is None else state[0][0].shape[-2]
        if not 1 <= T <= self.max_length - start:
            raise ValueError(f"{start} tokens and {T} more do not fit into {self.max_length} positions: cut the text")
        if state is not None and len(state[0][0]) != len(ids):
            raise ValueError(f"the state holds {len(state[0][0])} texts, and ids has {len(ids)} rows")
        x, angles = self.embedding(ids), None
        if self.position is not None:
            x = x + self.position.weight[start : start + T]
        elif self.sinusoids is not None:
            x = x * math.sqrt(x.shape[-1]) + self.sinusoids[start : start + T]  # else the sinusoids would drown it
        elif self.rotary:
            angles = rotary_angles(T, x.shape[-1] // self.blocks[0].attention.heads, start).to(x.device)
        x = self.dropout(x)
        mask = causal_mask(T, start + T).to(x.device) if T > 1 else None  # one place may look at all there is
        caches = []
        for i, block in enumerate(self.blocks):
            x, cache = block(x, mask, past=None if state is None else state[i], angles=angles, seen=seen)
            caches.append(cache)
        return x, caches

    # ---- the state: for each block the keys and values of what was read ----

    def initial_state(self, batch_size: int) -> list[Cache]:
        """An empty cache: for each block keys and values (B, N, 0, K)."""
        heads = self.blocks[0].attention.heads
        nothing = self.embedding.weight.new_zeros(batch_size, heads, 0, self.embedding.embedding_dim // heads)
        return [(nothing, nothing)] * len(self.blocks)

    @staticmethod
    def select_state(state: list[Cache], rows: Tensor) -> list[Cache]:
        """The state of some rows of the batch, in a new order or more than once: rows (B',)."""
        return [(k[rows], v[rows]) for k, v in state]

    @staticmethod
    def crop_state(state: list[Cache], length: int) -> list[Cache]:
        """The state as it was after the first ``length`` tokens."""
        return [(k[..., :length, :], v[..., :length, :]) for k, v in state]

    @classmethod
    def from_gpt2(cls, model) -> TransformerLM:
        """A copy of Hugging Face's ``GPT2LMHeadModel``: the same logits, in evaluation mode.

        Its matrices are stored (in, out), and those of queries, keys and values side by side. Dropout is left out.
        Errors: TypeError for another model; ValueError for settings that this class does not have.
        """
        if type(model).__name__ != "GPT2LMHeadModel":
            raise TypeError(f"from_gpt2 takes a GPT2LMHeadModel, not {type(model).__name__}")
        c, weights = model.config, model.state_dict()
        activations = {"gelu_new": "gelu-tanh", "gelu_pytorch_tanh": "gelu-tanh", "gelu": "gelu", "relu": "relu"}
        odd = c.scale_attn_by_inverse_layer_idx or not c.scale_attn_weights or c.add_cross_attention
        if odd or c.activation_function not in activations:
            raise ValueError(f"from_gpt2 knows GPT-2 as published, not this configuration: {c.to_diff_dict()}")
        tied = torch.equal(weights["lm_head.weight"], weights["transformer.wte.weight"])
        copy = cls(c.vocab_size, c.n_embd, c.n_head, c.n_layer, c.n_positions, hidden=c.n_inner,
                   activation=activations[c.activation_function], tied=tied)  # fmt: skip
        copy.to(weights["lm_head.weight"].dtype)
        copy_into(copy.embedding.weight, weights["transformer.wte.weight"])
        copy_into(copy.position.weight, weights["transformer.wpe.weight"])
        if not tied:
            copy_linear(copy.output, weights["lm_head.weight"], None)
        for i, block in enumerate(copy.blocks):
            _copy_gpt2_block(block, {k: v for k, v in weights.items() if f".h.{i}." in k}, f"transformer.h.{i}.", c)
        copy.norm.copy_from(weights["transformer.ln_f.weight"], weights["transformer.ln_f.bias"], c.layer_norm_epsilon)
        return copy.eval()


def _copy_gpt2_block(block: Block, weights: dict[str, Tensor], name: str, config) -> None:
    qkv = zip(weights[name + "attn.c_attn.weight"].chunk(3, dim=1), weights[name + "attn.c_attn.bias"].chunk(3),
              strict=True)  # fmt: skip
    attention, forward = block.attention, block.feed_forward
    for layer, (weight, bias) in zip((attention.W_q, attention.W_k, attention.W_v), qkv, strict=True):
        copy_linear(layer, weight.T, bias)
    for layer, theirs in ((attention.W_o, "attn.c_proj"), (forward.W_1, "mlp.c_fc"), (forward.W_2, "mlp.c_proj")):
        copy_linear(layer, weights[f"{name}{theirs}.weight"].T, weights[f"{name}{theirs}.bias"])
    for norm, theirs in zip(block.norms, ("ln_1", "ln_2"), strict=True):
        norm.copy_from(weights[f"{name}{theirs}.weight"], weights[f"{name}{theirs}.bias"], config.layer_norm_epsilon)


class Transformer(nn.Module):
    """Encoder and decoder for pairs of sequences, with sinusoids for positions; ``norm`` as in :class:`Block`.

    It stands in for :class:`course_lib.seq2seq.Seq2Seq`: the same batches, ``loss``, ``translate``, ``exact_match``.
    """

    def __init__(self, source_size: int, target_size: int, d_model: int, heads: int, layers: int,
                 hidden: int | None = None, norm: str = "pre", activation: str = "relu", dropout: float = 0.0,
                 max_length: int = 256):  # fmt: skip
        super().__init__()
        if layers < 1:
            raise ValueError(f"layers={layers} must be 1 or more")
        self.source_embedding = nn.Embedding(source_size, d_model)
        self.target_embedding = nn.Embedding(target_size, d_model)
        for table in (self.source_embedding, self.target_embedding):
            nn.init.normal_(table.weight, std=d_model**-0.5)
        self.register_buffer("sinusoids", sinusoidal(max_length, d_model), persistent=False)
        self.encoder, self.decoder = (
            nn.ModuleList(Block(d_model, heads, hidden, norm, activation, dropout, cross=cross) for _ in range(layers))
            for cross in (False, True)
        )
        self.norms = nn.ModuleList(LayerNorm(d_model) if norm == "pre" else nn.Identity() for _ in range(2))
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(d_model, target_size)

    def encode(self, source: Tensor) -> Memory:
        """source (B, S) ids, PAD behind the end -> what the decoder reads: states (B, S, D), mask, empty cache.

        Errors: ValueError for a source of padding alone, or too long; TypeError for no integers.
        """
        mask = (source != PAD_ID)[:, None]
        if not mask.any(-1).all():
            raise ValueError("every source needs a token: put EOS behind it, then PAD")
        x = self._embed(source, self.source_embedding, 0)
        for block in self.encoder:
            x, _ = block(x, mask)
        heads = self.decoder[0].attention.heads
        nothing = x.new_zeros(len(x), heads, 0, x.shape[-1] // heads)
        return Memory(self.norms[0](x), mask, [(nothing, nothing)] * len(self.decoder))

    def decode(self, ids: Tensor, state: list[Cache], memory: Memory, seen: list[Tensor] | None = None):
        """ids (B, T) given to the decoder after those in ``state`` -> logits (B, T, V), the new state, None.

        The weights of each attention are appended to ``seen``, self- and cross-attention by turns.
        """
        start = state[0][0].shape[-2]
        x = self._embed(ids, self.target_embedding, start)
        mask = causal_mask(ids.shape[1], start + ids.shape[1]).to(ids.device)
        new = []
        for block, past in zip(self.decoder, state, strict=True):
            x, cache = block(x, mask, past=past, memory=memory.states, memory_mask=memory.mask, seen=seen)
            new.append(cache)
        return self.output(self.norms[1](x)), new, None

    select_state = staticmethod(TransformerLM.select_state)

    def step(self, ids: Tensor, state: list[Cache], memory: Memory):
        """One token for each row, ids (B,) -> logits (B, V), the next state, None."""
        logits, state, _ = self.decode(ids[:, None], state, memory)
        return logits[:, 0], state, None

    def forward(self, source: Tensor, inputs: Tensor) -> Tensor:
        """source (B, S), inputs (B, T) -> logits (B, T, V), all positions in one pass."""
        memory = self.encode(source)
        return self.decode(inputs, memory.state, memory)[0]

    def look(self, source: Tensor, inputs: Tensor) -> tuple[Tensor, list[Tensor]]:
        """With teacher forcing: logits (B, T, V), and each decoder block's weights on the source (B, N, T, S)."""
        memory, seen = self.encode(source), []
        logits, _, _ = self.decode(inputs, memory.state, memory, seen)
        return logits, seen[1::2]

    def _embed(self, ids: Tensor, table: nn.Embedding, start: int) -> Tensor:
        check_ids(ids, table.num_embeddings)
        T, longest = ids.shape[1], len(self.sinusoids)
        if not 1 <= T <= longest - start:
            raise ValueError(f"{start} tokens and {T} more do not fit into {longest} positions: give max_length")
        x = table(ids) * math.sqrt(table.embedding_dim)  # to length sqrt(D), else the sinusoids would drown it
        return self.dropout(x + self.sinusoids[start : start + T])
