"""Whether compiled networks may compute in bfloat16.

FACEWHY_BF16 is "auto" (the default: where bfloat16 makes them faster), "on" or "off".

It does where the processor has AMX, and on an AMD with AVX512-bf16, where batches of 64 and 256 take half the time. On
an Intel with AVX512-bf16 whose AMX the virtual machine hides, batches take 1.4 times as long as in float32, a single
face 1.4 to 1.6 times (two cores of a Xeon, family 6, model 207).
"""

import os
from functools import cache
from pathlib import Path

from models.errors import ParameterError

CPUINFO = Path("/proc/cpuinfo")


def bfloat16() -> bool:
    """Whether to compute in bfloat16.

    Raises:
        ParameterError: FACEWHY_BF16 is none of its values.
    """
    choice = os.environ.get("FACEWHY_BF16", "auto").strip().lower() or "auto"
    if choice not in ("auto", "on", "off"):
        raise ParameterError(
            "FACEWHY_BF16 has an unknown value", repr(choice), "Set it to auto, on or off, or leave it out"
        )
    return choice == "on" or (choice == "auto" and _faster())


@cache
def prepare() -> bool:
    """Let oneDNN use bfloat16 in every function that TensorFlow traces from now on, once a process.

    Convolutions take bfloat16 and sum in float32. The mean over the last map and the dense layer
    stay in float32, so that logits keep its resolution. Eager calls are not touched.

    Returns:
        Whether bfloat16 is used.
    """
    if not bfloat16():
        return False
    import tensorflow as tf

    for change, operations in {
        "ALLOWLIST_REMOVE": "MatMul",
        "INFERLIST_REMOVE": "Mean",
        "DENYLIST_ADD": "MatMul,Mean",
    }.items():
        os.environ.setdefault(f"TF_AUTO_MIXED_PRECISION_GRAPH_REWRITE_{change}", operations)
    tf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": True})
    return True


def _faster() -> bool:
    try:
        first = CPUINFO.read_text().split("\n\n", 1)[0]
    except OSError:
        return False
    fields = {key.strip(): value.split() for key, _, value in (line.partition(":") for line in first.splitlines())}
    flags = fields.get("flags", [])
    return "amx_bf16" in flags or ("avx512_bf16" in flags and fields.get("vendor_id") == ["AuthenticAMD"])
