"""The terminal's pages about a timed model family and about the timed engine."""

from collections.abc import Mapping
from typing import Any


def show_family_bench(found: Mapping[str, Any]) -> None:
    """Print both ways side by side, the ratios, and whether their outputs are equal."""
    print(
        f"{found['family']}, weights: {found['weights']}, {found['parameters']:,} parameters "
        f"({found['trained_parameters']:,} trained), {found['device']}"
    )
    print(
        f"{found['images']} images × {found['questions_per_image']} questions; naive: {found['naive']}; fp32; "
        f"median of {found['repeats']}"
    )
    _row("", "ours", "naive", "ratio")
    for title, key, ratio in (
        ("training samples/s", "train_samples_per_second", "train_ratio"),
        ("answered questions/s", "questions_per_second", "predict_ratio"),
    ):
        _row(title, f"{found[f'ours_{key}']:.2f}", f"{found[f'naive_{key}']:.2f}", f"{found[ratio]:.2f} ×")
    ours, naive = (f"{found[f'{way}_peak_memory_bytes'] / 2**20:,.0f} MiB" for way in ("ours", "naive"))
    _row("peak memory", ours, naive, f"{found['memory_ratio']:.2f} ×")
    print(
        f"Training counts {found['epochs']} epochs, the cold caches of the first included; the first alone "
        f"{found['train_ratio_first_epoch']:.2f} ×, later ones {found['train_ratio_later_epochs']:.2f} ×. "
        f"Answering begins with cold caches."
    )
    verdict = "equal" if found["outputs_equal"] else "NOT EQUAL"
    print(
        f"Outputs {verdict}: {found['answers_unequal']} of {found['answers_compared']} answers differ "
        f"({found['distinct_answers']} distinct), confidences by {found['confidence_difference']:.1e} "
        f"(allowed {found['confidence_tolerance']:.0e}), gradients by {found['gradient_difference']:.1e} "
        f"(allowed {found['gradient_tolerance']:.0e})"
    )


def show_explain_bench(found: Mapping[str, Any]) -> None:
    """Print the time of each method, and of all together beside one pass for each."""
    print(f"{found['run']} ({found['family']}), {found['threads']} threads, median of {found['repeats']} pictures")
    for name, seconds in found["alone"].items():
        print(f"  {name:24} {1000 * seconds:8.0f} ms")
    for which, title in (("attention", "all attention methods"), ("all", "all cheap methods")):
        if which in found:
            times = found[which]
            print(
                f"  {title:24} {1000 * times['ours']:8.0f} ms; a pass for each: {1000 * times['naive']:.0f} ms, "
                f"{times['ratio']:.2f} ×"
            )


def show_serve_bench(found: Mapping[str, Any]) -> None:
    """Print what many clients met at the service, and at a plain one."""
    print(
        f"{found['clients']} clients on {found['cores']} cores, {found['pictures']} pictures, "
        f"{found['questions_per_picture']} questions about one before the next; {found['questions']:,} questions in "
        f"{found['seconds']:.0f} s"
    )
    plain = "ratio" in found
    _row("", "ours", "plain" if plain else "", "ratio" if plain else "")
    for title, key, unit in (
        ("questions/s", "questions_per_s", ""),
        ("p99", "p99_s", " s"),
        ("failed", "failed", ""),
        ("mixed up", "mixed_up", ""),
    ):
        ratio = f"{found['ratio']:.1f} ×" if plain and key == "questions_per_s" else ""
        _row(title, f"{found[key]}{unit}", f"{found[f'naive_{key}']}{unit}" if plain else "", ratio)
    begin, end = (found[f"memory_{when}_bytes"] / 2**20 for when in ("begin", "end"))
    print(
        f"Memory {begin:,.0f} MiB after warming up, {end:,.0f} MiB at the end, at most "
        f"{100 * found['memory_deviation']:.1f} % off in between."
    )
    if found["first_view_bytes"] is not None:
        print(f"First view of the page: {found['first_view_bytes'] / 1000:.0f} kB, {found['first_view_s']:.2f} s.")


def show_engine_bench(found: Mapping[str, Any]) -> None:
    """Print our engine and a plain Trainer side by side, and whether they learned the same."""
    threads = f", {found['threads']} threads" if found["device"] == "CPU" else ""
    pictures = f" of about {found['images_per_batch']} images" if found["images_per_batch"] else ""
    print(
        f"{found['family']}, weights: {found['weights']}, {found['parameters']:,} parameters "
        f"({found['trained_parameters']:,} trained), {found['device']}{threads}"
    )
    print(
        f"{found['images']} images × {found['questions_per_image']} questions; {found['steps']} steps, batches of "
        f"{found['batch']} questions{pictures}; nothing is dropped at random"
    )
    _row("", "ours", "Trainer", "ratio")
    ratio = f"{found['speedup_ratio']:.2f} ×"
    for title, key in (("samples/s", "samples_per_second"), ("tokens/s", "tokens_per_second")):
        _row(title, f"{found[f'ours_{key}']:,.1f}", f"{found[f'trainer_{key}']:,.1f}", ratio)
    ours, other = (f"{found[f'{way}_peak_memory_bytes'] / 2**20:,.0f} MiB" for way in ("ours", "trainer"))
    _row("peak memory", ours, other, f"{found['memory_ratio']:.2f} ×")
    ours, other = (f"{found[f'{way}_data_waiting_share']:.1%}" for way in ("ours", "trainer"))
    _row("waiting for data", ours, other, "")
    print(
        f"Ours counts {found['ours_preparation_seconds']:.1f} s of preparation from cold caches; without them, as in "
        f"later epochs, {found['speedup_ratio_when_prepared']:.2f} ×."
    )
    verdict = "The same was learned" if found["same"] else "NOT THE SAME was learned"
    print(
        f"{verdict}: losses of the steps differ by at most {found['loss_difference']:.1e} (allowed "
        f"{found['loss_tolerance']:.0e}), trained weights by {found['weight_difference']:.1e} of what they moved "
        f"(allowed {found['weight_tolerance']:.0e})"
    )


def show_scaling_bench(found: Mapping[str, Any]) -> None:
    """Print how often intervals hold constants that are known."""
    print(
        f"{found['series']} simulated series of {found['law']}, noise {found['noise']:g}: share of 95 % intervals that "
        f"hold exponent and floor"
    )
    print(f"  {'points':>8}{'profile':>12}{'bootstrap':>12}")
    for row in found["rows"]:
        print(f"  {row['points']:>8}{row['profile']:>12.1%}{row['bootstrap']:>12.1%}")


def show_ask_bench(found: Mapping[str, Any]) -> None:
    """Print how long an answer takes, with the starter model and, where it was timed, with a run through torch."""
    print(f"one picture, one question, {found['threads']} threads, median of {found['repeats']}")
    timed = "naive_cold" in found
    _row("", "starter", "torch" if timed else "", "ratio" if timed else "")
    for title, key in (("new process, s", "cold"), ("model loaded, s", "warm")):
        other = (f"{found[f'naive_{key}']:.3f}", f"{found[f'{key}_ratio']:.1f} ×") if timed else ("", "")
        _row(title, f"{found[f'ours_{key}']:.3f}", *other)
    _row("further question, s", f"{found['ours_further_question']:.4f}", "", "")
    memory = f"{found['naive_peak_memory_bytes'] / 2**20:,.0f} MiB" if timed else ""
    _row("peak memory", f"{found['ours_peak_memory_bytes'] / 2**20:,.0f} MiB", memory, "")


def show_curate_bench(found: Mapping[str, Any]) -> None:
    """Print what planning, filtering and reviewing cost."""
    print(
        f"{found['captions']:,} captions planned in {found['plan_seconds']} s ({found['planned_requests']:,} requests)"
    )
    print(
        f"{found['pairs']:,} pairs filtered in {found['filter_seconds']} s, "
        f"{found['filter_pairs_per_second']:,} a second"
    )
    _row("", "ours", "naive", "ratio")
    ours, naive = found["ours_duplicates_seconds"], found["naive_duplicates_seconds"]
    _row(f"duplicates in {found['naive_pairs']:,}, s", f"{ours:.3f}", f"{naive:.3f}", f"{found['duplicates_ratio']} ×")
    ours, naive = found["ours_decision_seconds"], found["naive_decision_seconds"]
    _row("one decision, s", f"{ours:.4f}", f"{naive:.4f}", f"{found['decision_ratio']} ×")
    verdict = "the same" if found["same_duplicates"] else "NOT THE SAME"
    print(
        f"Both ways found {verdict} duplicates; decisions at {found['pairs']:,} pairs, median of {found['decisions']}."
    )


def _row(title: str, ours: str, naive: str, ratio: str) -> None:
    print(f"  {title:22}{ours:>14}{naive:>14}{ratio:>12}")
