"""llama.cpp without edged: llama-cpp-python's own model and sampling, llama.cpp's own grammar, a model's size."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edged.bench.sentences import Sentence
from edged.errors import ModelError
from edged.intents.catalog import Catalog
from edged.understand.llama import llama_cpp, load_model
from edged.understand.lm import CONTEXT_TOKENS, LanguageModel
from edged.understand.prompt import catalog_prefix, json_line
from edged.understand.threads import Threads

_MAX_ANSWER_TOKENS: Final = 120
_MAX_INTENTS: Final = 3


class StockModel:
    """llama-cpp-python's `Llama`, asked for JSON by a schema; it keeps what two prompts have in common.

    It gets the catalog and the sentence as the weights were trained on them, but for the form of the answer, which is
    JSON. Weights that learned the short form alone answer most commands with an empty list then, which is quick and of
    no use: so the schema says that there are as many intents as the sentence has. Its cost is that of the right amount
    of JSON; what it says is not looked at.
    """

    def __init__(self, path: Path, adapter: Path | None, threads: Threads, catalog: Catalog) -> None:
        """Loads a model, to be asked about the intents of a catalog."""
        self._llama = llama_cpp.Llama(
            str(path),
            lora_path=str(adapter) if adapter else None,
            n_ctx=CONTEXT_TOKENS,
            n_threads=threads.token,
            n_threads_batch=threads.batch,
            verbose=False,
        )
        self._llama.chat_handler = _chat_handler(self._llama)
        self._evaluate, self._llama.eval = self._llama.eval, self._count
        self._items = {"anyOf": [plain_schema(catalog, name) for name in catalog.intents]}
        self._instructions = catalog_prefix(catalog, catalog.intents, len)
        self.evaluated_tokens = 0
        """So far."""
        self.evaluations = 0

    def _count(self, tokens: Sequence[int]) -> None:
        self.evaluated_tokens += len(tokens)
        self.evaluations += 1
        self._evaluate(tokens)

    def answer(self, sentence: Sentence) -> str:
        """The JSON that it writes."""
        question = json_line(sentence.text, sentence.lang)
        least = min(_MAX_INTENTS, sentence.count)
        schema = {"type": "array", "minItems": least, "maxItems": _MAX_INTENTS, "items": self._items}
        answer = self._llama.create_chat_completion(
            messages=[{"role": "system", "content": self._instructions}, {"role": "user", "content": question}],
            response_format={"type": "json_object", "schema": schema},
            temperature=0.0,
            max_tokens=_MAX_ANSWER_TOKENS,
        )
        return str(answer["choices"][0]["message"]["content"])

    def close(self) -> None:
        """Frees it; the object is of no further use."""
        self._llama.close()


def _chat_handler(llama: Any) -> Any:  # noqa: ANN401 - llama_cpp is untyped
    """Writes the messages as they are, one behind the other."""
    end = llama.detokenize([llama.token_eos()], special=True).decode()
    template = "{% for message in messages %}{{ message.content }}{% endfor %}"
    formatter = llama_cpp.llama_chat_format.Jinja2ChatFormatter(template=template, eos_token=end, bos_token="")
    return formatter.to_chat_handler()


def plain_schema(catalog: Catalog, name: str) -> Mapping[str, Any]:
    """The JSON Schema of an intent without what only edged reads."""
    return {key: value for key, value in catalog.intents[name].schema.items() if not key.startswith(("$", "x-"))}


@dataclass(frozen=True, slots=True)
class ModelSize:
    """How large a model is."""

    weight_bytes: int
    """All tensors, as they lie in the file."""
    parameters: int
    head_parameters: int
    """Those that turn the last state into logits; in small models the token embeddings once more."""


def measure_size(path: Path) -> ModelSize:
    """How large the model in a file is.

    Raises:
        ModelError: llama.cpp refuses it.
    """
    model = load_model(path)
    vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    head = llama_cpp.llama_model_n_embd(model) * vocabulary
    size = ModelSize(llama_cpp.llama_model_size(model), llama_cpp.llama_model_n_params(model), head)
    llama_cpp.llama_model_free(model)
    return size


class StockGrammar:
    """llama.cpp's own grammar sampler, greedy, which the benchmark measures us against."""

    def __init__(self, lm: LanguageModel, schema_text: str) -> None:
        """Compiles a JSON Schema as llama-cpp-python does for `response_format`.

        Raises:
            ModelError: llama.cpp refuses the grammar.
        """
        grammar = llama_cpp.llama_grammar.json_schema_to_gbnf(schema_text).encode()
        self._grammar = llama_cpp.llama_sampler_init_grammar(lm.vocabulary, grammar, b"root")
        if not self._grammar:
            raise ModelError("llama.cpp refuses the grammar", remedy="bench another schema")
        self._sampler = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        llama_cpp.llama_sampler_chain_add(self._sampler, self._grammar)
        llama_cpp.llama_sampler_chain_add(self._sampler, llama_cpp.llama_sampler_init_greedy())
        size = llama_cpp.llama_vocab_n_tokens(lm.vocabulary)
        self.candidates = (llama_cpp.llama_token_data * size)()
        """To be filled before each pick: for each token its id, its logit as float32, and four bytes of no meaning."""
        self._array = llama_cpp.llama_token_data_array(self.candidates, size, -1, False)

    def pick(self) -> int:
        """Masks the candidates and takes the best; -1 if there is none."""
        self._array.size, self._array.selected, self._array.sorted = len(self.candidates), -1, False
        llama_cpp.llama_sampler_apply(self._sampler, ctypes.byref(self._array))
        best = self.candidates[self._array.selected]
        if best.logit == -math.inf:
            return -1
        llama_cpp.llama_sampler_accept(self._sampler, best.id)
        return int(best.id)

    def reset(self) -> None:
        """Back to the empty text."""
        llama_cpp.llama_sampler_reset(self._sampler)

    def close(self) -> None:
        """Frees it; the object is of no further use."""
        llama_cpp.llama_sampler_free(self._sampler)
