"""Chooses the device and precision of a run, and sets up Accelerate."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState

from workbench.errors import UsageError
from workbench.recipe import Recipe
from workbench.training import cpu

# Autocast to bf16 fails in these families, even with their own head.
NO_BF16_FAMILIES = frozenset({"big_bird", "deberta", "xmod"})

COMPILE_PAYS_AFTER_STEPS = 2_000
"""With `compile = auto`, shorter runs are not compiled: compiling takes tens of seconds."""


@dataclass(frozen=True)
class Machine:
    """The device, its precision, and Accelerate's view of the processes."""

    accelerator: Accelerator
    precision: str
    device_name: str
    notes: tuple[str, ...] = ()

    @property
    def device(self) -> torch.device:
        return self.accelerator.device

    @property
    def is_cuda(self) -> bool:
        return self.device.type == "cuda"

    @property
    def place(self) -> str:
        """The machine and device, for display: "node1 cuda:0"."""
        return f"{platform.node()} {self.device if self.is_cuda else self.device.type}"


def choose_machine(recipe: Recipe, model_family: str) -> Machine:
    """Choose device and precision. Raises UsageError when this machine lacks what the recipe asks for."""
    if PartialState._shared_state and PartialState().num_processes == 1:
        reset_accelerate()
    kind = _device_kind(recipe.device)
    precision, notes = _choose_precision(recipe.precision, kind, model_family)
    if recipe.device.startswith("cuda:"):
        torch.cuda.set_device(int(recipe.device.removeprefix("cuda:")))
    if kind == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
    accelerator = Accelerator(
        cpu=kind == "cpu",
        mixed_precision="no" if precision == "fp32" else precision,
    )
    if kind == "cpu":
        cpu.keep_memory()
    return Machine(accelerator, precision, _device_name(accelerator.device), notes)


def should_compile(recipe: Recipe, machine: Machine, total_steps: int) -> bool:
    """Whether the recipe asks for torch.compile, or `auto` expects it to pay off in a run of that length."""
    if recipe.compile == "auto":
        return machine.is_cuda and total_steps >= COMPILE_PAYS_AFTER_STEPS
    return recipe.compile == "on"


def _device_kind(wanted: str) -> str:
    kind, _, index = wanted.partition(":")
    if kind == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    if kind == "cuda" and not torch.cuda.is_available():
        raise UsageError("device = cuda, but PyTorch sees no CUDA device here.", "Use device = auto or cpu.")
    if kind == "cuda" and index and int(index) >= torch.cuda.device_count():
        raise UsageError(
            f"device = {wanted}, but there are only {torch.cuda.device_count()} CUDA devices (from cuda:0)."
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        raise UsageError("device = mps, but PyTorch sees no Apple GPU here.", "Use device = auto or cpu.")
    return kind


def _choose_precision(wanted: str, kind: str, model_family: str) -> tuple[str, tuple[str, ...]]:
    has_bf16 = torch.cuda.is_bf16_supported() if kind == "cuda" else kind == "cpu" and cpu.has_bf16()
    if wanted == "fp16" and kind != "cuda":
        raise UsageError(f"precision = fp16 needs a CUDA device; this run is on {kind}.", "Use auto or bf16.")
    if wanted in ("auto", "bf16") and model_family in NO_BF16_FAMILIES:
        return "fp32", (f"{model_family} models cannot run in bf16; using fp32.",)
    if wanted == "auto":
        return ("bf16" if has_bf16 else "fp32"), ()
    if wanted == "bf16" and not has_bf16:
        return "bf16", ("This device has no bf16 arithmetic: bf16 works, but slowly.",)
    return wanted, ()


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "cpu":
        return str(torch.cpu.get_capabilities().get("cpu_name") or platform.processor() or platform.machine())
    return str(device.type)


def reset_accelerate() -> None:
    """Reset Accelerate's device, precision and processes, which an earlier run here may have set."""
    if AcceleratorState._shared_state:
        AcceleratorState._reset_state(reset_partial_state=True)
