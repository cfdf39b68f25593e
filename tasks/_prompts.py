"""How instructions, exemplars and a question become one prompt: plain text for base models, messages for chat."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.contracts import TaskOptions
from evalsuite.types import Message, Prompt, Shot


def build_prompt(
    question: str, shots: Sequence[Shot], options: TaskOptions, *, description: str = "", delimiter: str = " "
) -> Prompt:
    """The prompt for `question`.

    Plain text joins description, exemplars (question, `delimiter`, answer) and question with blank lines. For chat,
    exemplars are turns of their own under `multiturn_shots`, and stand before the question in one user turn otherwise.
    """
    system = "\n\n".join(part for part in (options.system_instruction, description) if part)
    if not options.chat:
        exemplars = [f"{shot.input}{delimiter}{shot.target}" for shot in shots]
        return "\n\n".join([*([system] if system else []), *exemplars, question])
    messages = [Message(role="system", content=system)] if system else []
    if options.multiturn_shots:
        for shot in shots:
            messages.append(Message(role="user", content=shot.input))
            messages.append(Message(role="assistant", content=shot.target))
        return (*messages, Message(role="user", content=question))
    exemplars = [f"{shot.input}{delimiter}{shot.target}\n\n" for shot in shots]
    return (*messages, Message(role="user", content="".join([*exemplars, question])))
