"""How a model learns: what a stage may say, and what holds for the whole run."""

from typing import Literal

from pydantic import Field, field_validator

from radvqa.recipe.data import Where
from radvqa.recipe.section import Section

LENGTHS = ("epochs", "steps", "tokens")
"""Keys of which exactly one says how long a stage is."""


class LearningSection(Section):
    """How a model learns, in one stage."""

    epochs: int | None = Field(
        None, ge=1, description="Length: passes over the training samples.", json_schema_extra={"unit": "epochs"}
    )
    steps: int | None = Field(None, ge=1, description="Length: optimiser steps.", json_schema_extra={"unit": "steps"})
    tokens: int | None = Field(
        None,
        ge=1,
        description="Length: tokens that the decoder reads (image, prompt and answer), turned into steps by the mean "
        "over the samples; for families that write.",
        json_schema_extra={"unit": "tokens"},
    )
    batch_size: int = Field(
        128, ge=1, description="Questions per step, over all processes.", json_schema_extra={"unit": "questions"}
    )
    micro_batch_size: int | None = Field(
        None,
        ge=1,
        description="Questions computed at once; a batch is passed in parts of this size, with the same effect. Null "
        "passes whole batches, and halves them for good when memory runs out.",
        json_schema_extra={"unit": "questions"},
    )
    images_per_batch: int | None = Field(
        None,
        ge=1,
        description="Fill batches with questions about this many images, so that a trained backbone sees fewer "
        "pictures per step; null shuffles questions freely.",
        json_schema_extra={"unit": "images"},
    )
    optimizer: Literal["adam", "adamw"] = Field("adam", description="Adam, or Adam with decoupled weight decay.")
    learning_rate: float = Field(
        1e-3,
        gt=0,
        description="Peak learning rate; `lr` is understood in overrides.",
        json_schema_extra={"unit": "none"},
    )
    learning_rates: dict[str, float] = Field(
        {},
        description="Peak learning rate of single parts of the model (`vision: 1e-5`); the others take the above.",
        json_schema_extra={"unit": "none"},
    )
    weight_decay: float = Field(
        0.0,
        ge=0,
        description="Decay of the weights: decoupled with `adamw`, added to the gradient with `adam`.",
        json_schema_extra={"unit": "none"},
    )
    schedule: Literal["constant", "linear", "cosine"] = Field(
        "constant", description="Learning rate over the stage: as it is, or down to zero."
    )
    warmup_epochs: float = Field(
        0.0, ge=0, description="Linear warm-up from zero, in epochs.", json_schema_extra={"unit": "epochs"}
    )
    warmup_steps: int = Field(
        0, ge=0, description="Linear warm-up from zero, in steps.", json_schema_extra={"unit": "steps"}
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of probability spread over all answers.",
        json_schema_extra={"unit": "share"},
    )
    clip_norm: float | None = Field(
        None, gt=0, description="Largest gradient norm; null does not clip.", json_schema_extra={"unit": "L2 norm"}
    )
    average_decay: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Decay of an exponential moving average of the weights that is evaluated and kept instead of "
        "the last weights; null keeps none.",
        json_schema_extra={"unit": "share"},
    )
    evaluate_every: int | None = Field(
        None,
        ge=1,
        description="Steps between two looks at the `select` split; null looks after every epoch.",
        json_schema_extra={"unit": "steps"},
    )
    select_by: str = Field(
        "accuracy",
        description="What chooses the best state on the `select` split: a metric of `radvqa metrics`, or `loss` "
        "(the only one that needs no answers).",
    )
    select_where: Where = Field(
        {},
        description="Choose by some questions only, e.g. `{answer_type: OPEN}` or `{question_type: Organ}`.",
        json_schema_extra={"kind": "field → value, or several"},
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="Stop the stage after this many looks without a better value; null never does.",
        json_schema_extra={"unit": "looks"},
    )
    min_improvement: float = Field(
        0.0,
        ge=0,
        description="How much better a value must be to count as better (fraction, or nats for `loss`).",
        json_schema_extra={"unit": "fraction or nats"},
    )

    @field_validator("learning_rates")
    @classmethod
    def _above_zero(cls, rates: dict[str, float]) -> dict[str, float]:
        for part, rate in rates.items():
            if not rate > 0:
                raise ValueError(f"{part}: a learning rate must be above 0; a part that learns nothing is `frozen`")
        return rates


class TrainingSection(LearningSection):
    """How to train: for every stage what it does not say itself, and what holds for the whole run."""

    accept: tuple[str, ...] = Field(
        (),
        description="Checks of `radvqa doctor` whose errors are meant, so that they do not stop the training.",
    )
    seed: int = Field(42, ge=0, description="Seeds every random state.", json_schema_extra={"unit": "none"})
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where to train.")
    threads: int | None = Field(
        None, ge=1, description="CPU threads; null lets torch choose.", json_schema_extra={"unit": "threads"}
    )
    checkpoint_seconds: float = Field(
        60.0,
        ge=0,
        description="At most about this much work is lost when the run is killed; 0 saves every step.",
        json_schema_extra={"unit": "seconds"},
    )
    compile: Literal["auto", "off", "measure", "on"] = Field(
        "auto",
        description="`torch.compile`: `measure` tries it in the first steps of a stage and keeps what is faster; "
        "`auto` measures on GPUs and is off on CPUs, where a choice by the clock would cost bit-identical repetition.",
    )
    log_every: int = Field(
        10, ge=1, description="Steps between two rows of the log.", json_schema_extra={"unit": "steps"}
    )
    trackers: tuple[str, ...] = Field(
        ("tensorboard",),
        description="Where the log goes besides `log/` in the run: names that `accelerate` knows (tensorboard, wandb, "
        "mlflow, trackio, …). One that fails is dropped; none needs a network.",
    )
