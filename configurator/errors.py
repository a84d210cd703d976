"""The refusals of the configurator, each saying what was wrong and where."""


class ModelError(Exception):
    """A product model that cannot be read; names file, line, id and what was meant."""

    def __init__(self, source: str, line: int, message: str) -> None:
        super().__init__(f"{source}:{line}: {message}")
        self.source = source
        self.line = line
        self.message = message


class ChoiceError(Exception):
    """A choice that the model does not know: unknown group, unknown value, or a value of the wrong type."""

    def __init__(self, message: str, group: str, value: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.group = group
        self.value = value


class TextError(Exception):
    """A free text that the model does not take: unknown group, characters not allowed, or too long."""

    def __init__(self, message: str, group: str) -> None:
        super().__init__(message)
        self.message = message
        self.group = group


class NotKnownInTime(Exception):  # noqa: N818 - it reads as the answer it stands for
    """A question that used up its time budget: the answer is not known, and none is invented."""

    def __init__(self, question: str) -> None:
        super().__init__(f"{question}: not known in time")
        self.question = question


class Unsatisfiable(Exception):  # noqa: N818 - a fact about the choices, not a fault
    """A function that needs a valid design was given choices that no valid design contains."""
