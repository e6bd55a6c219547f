"""The models that people bring, as far as their form goes: architecture, tokenizer and chat template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.gguf import Brought

_ZEPHYR: Final = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + eos_token + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
_CHATML: Final = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_QWEN: Final = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou help.<|im_end|>\n' }}{% endif %}" + _CHATML
)
_PHI: Final = (  # knows no system
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '<|user|>\n' + message['content'] + '<|end|>\n<|assistant|>\n' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + '<|end|>\n' }}{% endif %}{% endfor %}"
)
_LLAMA: Final = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
_GEMMA: Final = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ raise_exception('there is no system here') }}{% endif %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
_INSTRUCTION: Final = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '<instruction>' + message['content'] + '</instruction>' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + eos_token }}"
    "{% else %}{{ raise_exception('there is no system here') }}{% endif %}{% endfor %}"
)
_INST: Final = _INSTRUCTION.replace("<instruction>", "[INST] ").replace("</instruction>", " [/INST]")

_SPM_ENDS: Final = ("<s>", "</s>")


@dataclass(frozen=True)
class Expected:
    """A model, and how it must be asked."""

    model: Brought
    start: str
    """The beginning of the prefix, up to the instruction."""
    before: str
    """The prefix's end, from the lesson's answer on."""
    behind: str
    """What follows the utterance."""
    n_begin: int
    """How often the token that begins a text stands in the prompt."""
    blank: str = ""
    """What stands in front of the answer."""
    lang: str = "en"
    gap: str = ""
    """What stands in front of the utterance and is no part of the prefix."""


MODELS: Final = {
    "tinyllama": Expected(
        Brought("TinyLlama 1.1B Chat", "llama", "spm", _ZEPHYR, _SPM_ENDS, *_SPM_ENDS, {"tokenizer.ggml.add_bos_token": True}),
        "<s><|system|>\n", "]</s>\n<|user|>\n", "</s>\n<|assistant|>\n", 1,
    ),
    "phi-3": Expected(  # drops line breaks behind its control tokens
        Brought(
            "Phi-3 Mini 4K", "phi3", "spm", _PHI,
            (*_SPM_ENDS, "<|endoftext|>", "<|assistant|>", "<|end|>", "<|user|>", "<|system|>"), "<s>", "<|endoftext|>",
            {"tokenizer.ggml.add_bos_token": True},
        ),
        "<s><|user|>", "]<|end|><|user|>", "<|end|><|assistant|>", 1, " ",
    ),
    "teenytinyllama": Expected(
        Brought("TeenyTinyLlama 160m", "llama", "spm", None, _SPM_ENDS, *_SPM_ENDS, {"tokenizer.ggml.add_bos_token": True}),
        "<s>", "]\n", "\n", 1, "", "pt-BR",
    ),
    "teenytinyllama-chat": Expected(
        Brought(
            "TeenyTinyLlama 460m Chat", "llama", "spm", _INSTRUCTION,
            (*_SPM_ENDS, "<instruction>", "</instruction>"), *_SPM_ENDS, {"tokenizer.ggml.add_bos_token": True},
        ),
        "<s><instruction>", "]</s><instruction>", "</instruction>", 1, " ", "pt-BR",
    ),
    "inst": Expected(  # a blank in front of the utterance, and no control token near it
        Brought("Mistral", "llama", "spm", _INST, _SPM_ENDS, *_SPM_ENDS, {"tokenizer.ggml.add_bos_token": True}),
        "<s>[INST] ", "]</s>[INST]", " [/INST]", 1, " ", "en", " ",
    ),
    "stablelm-2": Expected(
        Brought(
            "StableLM 2 Chat", "stablelm", "bpe", _CHATML, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
            "<|endoftext|>", "<|im_end|>", {"tokenizer.ggml.pre": "stablelm2", "tokenizer.ggml.add_bos_token": False},
        ),
        "<|im_start|>system\n", "]<|im_end|>\n<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n", 0,
    ),
    "llama-3.2": Expected(  # its tokenizer adds the begin though the file does not say so
        Brought(
            "Llama 3.2 1B Instruct", "llama", "bpe", _LLAMA,
            ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
            "<|begin_of_text|>", "<|eot_id|>", {"tokenizer.ggml.pre": "llama-bpe"},
        ),
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n",
        "]<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n",
        "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n", 1,
    ),
    "qwen-2.5": Expected(
        Brought(
            "Qwen2.5 0.5B Instruct", "qwen2", "bpe", _QWEN, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
            "<|endoftext|>", "<|im_end|>", {"tokenizer.ggml.pre": "qwen2", "tokenizer.ggml.add_bos_token": False},
        ),
        "<|im_start|>system\n", "]<|im_end|>\n<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n", 0,
    ),
    "gemma-3": Expected(
        Brought(
            "Gemma 3 1b It", "gemma3", "spm", _GEMMA, ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"),
            "<bos>", "<eos>", {"tokenizer.ggml.add_bos_token": True, "tokenizer.ggml.add_space_prefix": False},
        ),
        "<bos><start_of_turn>user\n", "]<end_of_turn>\n<start_of_turn>user\n", "<end_of_turn>\n<start_of_turn>model\n", 1,
    ),
}  # fmt: skip
