"""Runs the installed llama.cpp once: usage `try_llama.py [MODEL.gguf]`.

`build_llama.py` starts it as a child process, which SIGILL may kill.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import llama_cpp


class _InitParams(ctypes.Structure):
    _fields_ = (("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))


def try_kernels() -> None:
    """Runs matrix products of the common weight types, in batches of 1 and 8, and what else a layer does."""
    folder = Path(llama_cpp.__file__).parent / "lib"
    base, cpu = (ctypes.CDLL(str(folder / f"libggml-{name}.so")) for name in ("base", "cpu"))
    for name in ("init", "new_tensor_2d", "mul_mat", "soft_max", "rms_norm", "silu", "set_zero", "new_graph"):
        getattr(base, f"ggml_{name}").restype = ctypes.c_void_p
    context = ctypes.c_void_p(base.ggml_init(_InitParams(64 << 20, None, False)))
    graph = ctypes.c_void_p(base.ggml_new_graph(context))

    def tensor(kind: int, rows: int) -> ctypes.c_void_p:
        made = ctypes.c_void_p(base.ggml_new_tensor_2d(context, kind, ctypes.c_int64(256), ctypes.c_int64(rows)))
        base.ggml_set_zero(made)
        return made

    for kind in (0, 1, 2, 3, 8, 12, 14):  # F32, F16, Q4_0, Q4_1, Q8_0, Q4_K, Q6_K: enum ggml_type
        for batch in (1, 8):
            made = ctypes.c_void_p(base.ggml_mul_mat(context, tensor(kind, 256), tensor(0, batch)))
            for step in (base.ggml_soft_max, base.ggml_silu):
                made = ctypes.c_void_p(step(context, made))
            made = ctypes.c_void_p(base.ggml_rms_norm(context, made, ctypes.c_float(1e-5)))
            base.ggml_build_forward_expand(graph, made)
    if cpu.ggml_graph_compute_with_ctx(context, graph, 1):
        sys.exit("ggml refused to compute")


def try_decode(model: str) -> None:
    """Evaluates eight tokens and then one."""
    lm = llama_cpp.Llama(model, n_ctx=64, n_threads=1, verbose=False)
    lm.eval(list(range(1, 9)))
    lm.eval([9])


if __name__ == "__main__":
    try_kernels()
    for given in sys.argv[1:]:
        try_decode(given)
