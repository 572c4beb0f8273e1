"""The page beside exported weights: how to start a server, what to send it, and what it does not know."""

import json
from typing import Any

from radvqa.report.grid import markdown_text
from radvqa.report.sentences import RESEARCH_ONLY

_SNIPPETS = {
    "AutoModelForImageTextToText": """\
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

processor = AutoProcessor.from_pretrained(FOLDER)
model = AutoModelForImageTextToText.from_pretrained(FOLDER)
words = {words}
content = [{{"type": "image"}}, {{"type": "text", "text": words}}]
text = processor.apply_chat_template({messages}, tokenize=False, add_generation_prompt=True)
inputs = processor(text=text, images=Image.open("picture.png").convert("RGB"), return_tensors="pt")
written = model.generate(**inputs)
print(processor.decode(written[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True).strip())""",
    "BlipForQuestionAnswering": """\
from PIL import Image
from transformers import AutoProcessor, BlipForQuestionAnswering

processor = AutoProcessor.from_pretrained(FOLDER)
model = BlipForQuestionAnswering.from_pretrained(FOLDER)
words = {words}
inputs = processor(images=Image.open("picture.png").convert("RGB"), text=words, return_tensors="pt")
print(processor.decode(model.generate(**inputs, max_new_tokens={limit})[0], skip_special_tokens=True))""",
    "ViltForQuestionAnswering": """\
from PIL import Image
from transformers import AutoProcessor, ViltForQuestionAnswering

processor = AutoProcessor.from_pretrained(FOLDER)
model = ViltForQuestionAnswering.from_pretrained(FOLDER)
words = {words}
inputs = processor(images=Image.open("picture.png").convert("RGB"), text=words, return_tensors="pt")
print(model.config.id2label[model(**inputs).logits[0].argmax().item()])""",
}
_EXAMPLE = "Which organ is shown?"


def readme(facts: dict[str, Any], folder: str) -> str:
    """Write the page as Markdown.

    Args:
        facts: what ``radvqa.json`` says.
        folder: the exported folder's name.
    """
    parts = [
        f"# {markdown_text(facts['name'])}",
        f"A model that answers questions about medical pictures: the family `{facts['family']}`, trained with radvqa "
        f"from `{facts['began_from']}`, its `{facts['checkpoint']}` weights merged. **Research only, not for "
        f"diagnosis.** {RESEARCH_ONLY}",
        "`model_card.md` has its scores and limits, `radvqa.json` its recipe, its provenance and digests of the files.",
        "## What to send it",
        _asking(facts),
        "## With transformers",
        f"```python\nFOLDER = {folder!r}\n{_snippet(facts)}\n```",
        *_serving(facts, folder),
        "## What is lost",
        _lost(facts),
        "## Licences",
        _licences(facts),
    ]
    return "\n\n".join(parts) + "\n"


def _asking(facts: dict[str, Any]) -> str:
    asking = facts["asking"]
    said = [
        f"The question stands in this prompt, word for word as in training: `{_vqa(facts)}`. Put it around every "
        f"question; a question alone is none that the model knows."
    ]
    if asking["system"] is not None:
        said.append(f"Send this message as the system's before it: `{asking['system']}`.")
    least, most = asking["pixels"]
    if least or most:
        said.append(f"Pictures were seen at {least or 'any'} to {most or 'any'} pixels; the processor here knows.")
    said.append(
        "Send 8-bit PNG or JPEG files. The run saw DICOM and NIfTI files as radvqa shows them (first frame, the file's "
        "own window), and 16-bit pictures scaled to 8 bits; other software does this differently or not at all."
    )
    if asking["tokens"]:
        said.append(f"Answers have at most {asking['tokens']} tokens, and the likeliest token is always taken.")
    return "\n".join(f"- {sentence}" for sentence in said)


def _vqa(facts: dict[str, Any]) -> str:
    prompts = facts["asking"]["prompts"]
    return str((prompts or {}).get("vqa", "{question}"))


def _snippet(facts: dict[str, Any]) -> str:
    words = json.dumps(_vqa(facts).replace("{question}", _EXAMPLE), ensure_ascii=False)
    system = facts["asking"]["system"]
    first = "" if system is None else f'{{"role": "system", "content": {json.dumps(system, ensure_ascii=False)}}}, '
    messages = f'[{first}{{"role": "user", "content": content}}]'
    return _SNIPPETS[facts["loaded_by"]].format(words=words, messages=messages, limit=facts["asking"]["tokens"])


def _serving(facts: dict[str, Any], folder: str) -> list[str]:
    if not facts["servers"]:
        return [
            "## As a service",
            "No chat server of another project is known to run this architecture. `radvqa serve --model RUN` serves "
            "the run itself with the same API.",
        ]
    template = f" --chat-template {folder}/chat_template.jinja" if facts["own_template"] else ""
    needs = f"pip install 'transformers[serving]' {facts['needs']}".rstrip()
    served = f"{folder} --served-model-name {folder} --limit-mm-per-prompt '{{\"image\": 1}}'{template}"
    recipe = f"radvqa train vqa_rad_endpoint model.base_url=http://127.0.0.1:8000/v1 model.model={folder}"
    prompt = f"'model.prompts.vqa={json.dumps(_vqa(facts), ensure_ascii=False)}'"
    return [
        "## As a service",
        "From the folder that holds this one, with vLLM (its documentation names the architecture; radvqa's tests do "
        "not run it):",
        f"```sh\nvllm serve {served}\n```",
        "or with transformers' own server:",
        f"```sh\n{needs}\ntransformers serve {folder} --port 8000\n```",
        "Either is asked by radvqa's `endpoint` family, also behind the page of `radvqa serve`:",
        f"```sh\n{recipe} {prompt}\nradvqa serve --model runs/vqa_rad_endpoint\n```",
    ]


def _lost(facts: dict[str, Any]) -> str:
    said = [
        "Confidence and candidates: other servers tell log-probabilities of tokens at most, and nothing is calibrated.",
        "The notice that this is for research only: whoever serves the model must say so.",
    ]
    by = facts["asking"]["by"]
    if by in ("rank", "rank_closed"):
        said.append(
            f"The run chooses among its training answers (`answering.by: {by}`); other software writes freely, so that "
            f"its answers differ and its scores are not this run's."
        )
    elif by == "generate":
        said.append(
            "Spelling: an answer that occurred in training is spelled by radvqa as it stood there; other software "
            "gives what the tokeniser writes."
        )
    said.append("Number format: a server that computes in half precision may choose another token now and then.")
    return "\n".join(f"- {sentence}" for sentence in said)


def _licences(facts: dict[str, Any]) -> str:
    said = [f"The weights it began from, `{facts['began_from']}`, keep their own licence, which covers these too."]
    said += [f"Trained on {name}: {markdown_text(licence)}." for name, licence in facts["licences"].items()]
    said.append("Whether weights may be passed on that were trained on such data is for you to find out.")
    return "\n".join(f"- {sentence}" for sentence in said)


def show_exported(facts: dict[str, Any]) -> None:
    """Print where it is and what to read next."""
    print(facts["folder"])
    print(f"Read {facts['folder']}/README.md: the prompt, how to start a server, and what is lost.")
