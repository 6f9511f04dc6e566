# SPDX-License-Identifier: Apache-2.0
"""`config.json` beside an official DAB-DETR checkpoint -> our Config. It holds what the keys of the weights do not tell."""
from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from fovea_models.checkpoint import CheckpointError
from fovea_models.dab_detr import Config
from fovea_models.report import note, shown

# Their name -> (ours, smallest, largest); extents beyond are no network that anybody trained.
KEYS = {
    "pe_temperatureH": ("height_temperature", 1e-3, 1e6),
    "pe_temperatureW": ("width_temperature", 1e-3, 1e6),
    "num_patterns": ("patterns", 0, 1000),
    "dilation": ("dilation", False, True),
    "hidden_dim": ("channels", 4, 4096),
    "nheads": ("heads", 1, 4096),
    "dim_feedforward": ("feedforward", 1, 1 << 16),
    "enc_layers": ("encoder_layers", 1, 64),
    "dec_layers": ("decoder_layers", 1, 64),
    "num_queries": ("queries", 1, 10000),
    "transformer_activation": ("activation", "prelu", "relu"),
    "pre_norm": ("pre_norm", False, True),
    "random_refpoints_xy": ("fixed_xy", False, True),
}
VARIANT = ("dilation", "num_patterns")  # what the network's name says too
HINT = "give the config.json that lies beside the checkpoint"


def _load(path: Path) -> dict:
    try:
        stated = json.loads(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"{path}: expected the configuration of a checkpoint, found '{error.strerror}'", HINT) from error
    except (ValueError, RecursionError) as error:  # also bytes that are no text
        raise CheckpointError(f"{path}: expected a JSON object, found something else ({shown(error)})", HINT) from error
    if not isinstance(stated, dict):
        raise CheckpointError(f"{path}: expected a JSON object, found {type(stated).__name__}", HINT)
    return stated


def _value(path: Path, key: str, value):
    _, low, high = KEYS[key]
    if isinstance(low, str):
        good, wanted = value in (low, high), f"{low} or {high}"
    elif isinstance(low, bool):
        good, wanted = isinstance(value, bool), "true or false"
    else:
        number = isinstance(value, (int, float) if isinstance(low, float) else int) and not isinstance(value, bool)
        good, wanted = number and low <= value <= high, f"a number from {low} to {high}"
    if not good:
        raise CheckpointError(f"{path}: {key}: expected {wanted}, found {shown(json.dumps(value))}", HINT)
    return float(value) if isinstance(low, float) else value


def read(file: str, usual: Config, aux: bool) -> Config:
    """`usual` with what the file states. Says where the file contradicts the network's name."""
    path = Path(file)
    stated = _load(path)
    values = {key: _value(path, key, stated[key]) for key in KEYS if key in stated}
    config = dataclasses.replace(usual, **{KEYS[key][0]: value for key, value in values.items()})
    if config.channels % 4 or config.channels % config.heads:
        raise CheckpointError(f"{path}: hidden_dim: expected a multiple of 4 and of nheads = {config.heads}, found {config.channels}", HINT)
    if aux and config.decoder_layers != Config.decoder_layers:
        raise CheckpointError(f"{path}: dec_layers: expected {Config.decoder_layers}, which --aux has names for, found {config.decoder_layers}",
                              "leave --aux out")
    for key in VARIANT:
        if key in values and values[key] != getattr(usual, KEYS[key][0]):
            note(f"{path}: {key} is {json.dumps(values[key])}, unlike the network named; the file counts")
    return config


def described(config: Config) -> str:
    """What checkpoints with the same keys may differ in."""
    return (f"{'dilated (DC5)' if config.dilation else 'not dilated'}, temperature of the position encoding "
            f"{config.height_temperature:g} x {config.width_temperature:g}")
