"""Applies the torch section of the configuration when it is imported, and refuses what does not hold.

Written by `config export --format python`. Import it before anything computes; take devices from
`device()` and run everything that is no training under `inference()`.
"""

import operator
import re

import torch

SETTINGS = ...

_COMPARE = {">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt}


def _numbers(version):
    return tuple(int(part) for part in (version.split(".") + ["0", "0"])[:3])


def accepts(version):
    """Whether VERSION has this version in its range; a pre-release never is."""
    release = re.fullmatch(r"(\d+(?:\.\d+){0,2})(?:\.post\d+)?(?:\+.*)?", version)
    bounds = re.findall(r"(>=|<=|==|!=|>|<)\s*([\d.]+)", VERSION)
    return bool(release) and all(_COMPARE[sign](_numbers(release[1]), _numbers(bound)) for sign, bound in bounds)


def device():
    """The device to compute on."""
    if DEVICE != "auto":
        return torch.device(DEVICE)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def inference():
    """The context, or decorator, for everything that is no training."""
    return torch.inference_mode(INFERENCE_MODE_ENFORCED)


def _no_compile(*_args, **_options):
    raise RuntimeError("torch.compile_allowed = false: torch.compile is not to be used")


def apply():
    """Makes the settings those of this process."""
    torch.set_float32_matmul_precision(FLOAT32_MATMUL_PRECISION)
    torch.backends.cudnn.allow_tf32 = TF32_ALLOWED
    if not COMPILE_ALLOWED:
        torch.compile = _no_compile


def faults():
    """What is not as configured, a line each."""
    found = []
    if not accepts(torch.__version__):
        found.append(f"torch.version: {VERSION} is required, {torch.__version__} is installed")
    precision = torch.get_float32_matmul_precision()
    if precision != FLOAT32_MATMUL_PRECISION:
        found.append(f"torch.float32_matmul_precision: {FLOAT32_MATMUL_PRECISION} is required, {precision} is set")
    if not TF32_ALLOWED and (torch.backends.cudnn.allow_tf32 or torch.backends.cuda.matmul.allow_tf32):
        found.append("torch.tf32_allowed: TF32 is not allowed, and is on")
    with inference():
        if INFERENCE_MODE_ENFORCED and not torch.is_inference_mode_enabled():
            found.append("torch.inference_mode_enforced: torch.inference_mode has no effect")
    if DEVICE.startswith("cuda") and not torch.cuda.is_available():
        found.append(f"torch.device: {DEVICE} is required, and there is no CUDA")
    return found


apply()
if faults():
    raise RuntimeError("the torch section of the configuration does not hold:\n" + "\n".join(faults()))
