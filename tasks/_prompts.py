"""How instructions, exemplars and a question become one prompt: plain text for base models, messages for chat."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.contracts import TaskOptions
from evalsuite.types import Message, Prompt, Shot


def build_prompt(question: str, shots: Sequence[Shot], options: TaskOptions, *, delimiter: str = " ") -> Prompt:
    """The prompt for `question` by our own rules: instruction, exemplars and question parted by blank lines."""
    blank = "\n\n" if options.system_instruction and not options.chat else ""
    return _joined(options.system_instruction + blank, question, shots, options, delimiter)


def lm_eval_prompt(question: str, shots: Sequence[Shot], options: TaskOptions, *, description: str = "") -> Prompt:
    """The prompt for `question` by lm-eval's rules: nothing is put between instructions and what follows.

    A `description` brings its own blank line, and the user's instruction stands before it, parted by another.
    """
    instruction = options.system_instruction
    is_joined = not instruction or not description or instruction[-1].isspace() or description[0].isspace()
    return _joined(instruction + ("" if is_joined else "\n\n") + description, question, shots, options, " ")


def _joined(system: str, question: str, shots: Sequence[Shot], options: TaskOptions, delimiter: str) -> Prompt:
    """`system` first, then exemplars (question, `delimiter`, answer, blank line), then the question.

    For chat, exemplars are turns of their own under `multiturn_shots`, and stand before the question in one user turn
    otherwise.
    """
    exemplars = "".join(f"{shot.input}{delimiter}{shot.target}\n\n" for shot in shots)
    if not options.chat:
        return f"{system}{exemplars}{question}"
    messages = [Message(role="system", content=system)] if system else []
    if not options.multiturn_shots:
        return (*messages, Message(role="user", content=exemplars + question))
    for shot in shots:
        messages.append(Message(role="user", content=shot.input))
        messages.append(Message(role="assistant", content=shot.target))
    return (*messages, Message(role="user", content=question))
