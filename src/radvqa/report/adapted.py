"""Terminal text about an adaptation: the figures before and after, side by side."""

from collections.abc import Mapping
from typing import Any


def show_adapted(result: Mapping[str, Any]) -> None:
    """Print what an adaptation changed, and where it lies."""
    if result["kind"] == "language":
        _show_language(result)
    else:
        _show_vision(result)
    cost = result["cost"]
    print(f"{cost['seconds']:,.0f} s, of which learning {cost['learning_seconds']:,.0f} s")
    print(f"Next: name {result['folder']} in a recipe in place of {result['spec']['checkpoint']}")


def _show_language(result: Mapping[str, Any]) -> None:
    tokens = result["tokens"]
    print(f"{result['folder']}: {tokens['learned']:,} tokens learned from")
    print(f"perplexity on {tokens['measure']:,} held-out tokens")
    for name, value in result["perplexity"].items():
        print(f"  {name:<6} {value:14,.1f}")


def _show_vision(result: Mapping[str, Any]) -> None:
    learned, epochs = result["data"]["learn"], result["spec"]["training"]["epochs"]
    print(f"{result['folder']}: {learned['pictures']:,} pictures, {learned['captions']:,} captions learned from")
    if not result["epoch"]:
        print("No epoch was better on the validation pictures than the encoder as it was, which was kept.")
    else:
        print(f"epoch {result['epoch']} of {epochs} was chosen on the validation pictures")
    print(f"  {'linear probes, validation':<34} {'before':>8} {'after':>8}")
    for name, value in result["before"].items():
        print(f"  {name:<34} {value:8.3f} {result['after'][name]:8.3f}")
    print(f"  mean cosine of patch features before and after {result['patch_cosine']:.4f}")
