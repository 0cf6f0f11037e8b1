"""Two kinds of trouble: a defect of the input, and everything else.

A defect of the *input* (a truncated movie, an absent channel) is the user's to mend: the sample is listed as failed
and the others go on. A defect of the *machine* or of the code is never an InputDefect: it fails the job.
"""


class InputDefect(ValueError):
    """Something is wrong with what the user gave.

    message : a full sentence saying what was found and what was expected
    file    : the file it was found in (path or None)
    row     : the row of that file as the user sees it in an editor (int or None; the header is row 1)
    todo    : a sentence saying what to do about it (or None)
    """

    def __init__(self, message, *, file=None, row=None, todo=None):
        self.reason = str(message)
        self.file = None if file is None else str(file)
        self.row = None if row is None else int(row)
        self.todo = None if todo is None else str(todo)
        super().__init__(self.reason, self.file, self.row, self.todo)

    @property
    def message(self):
        """Where and what, in one line, without the advice."""
        where = "" if self.file is None else self.file
        if self.row is not None:
            where = f"{where}, row {self.row}" if where else f"row {self.row}"
        return f"{where}: {self.reason}" if where else self.reason

    def __str__(self):
        return self.message if not self.todo else f"{self.message} {self.todo}"

    def __reduce__(self):  # keyword-only arguments do not survive the default pickling between processes
        return (_rebuild, (type(self), self.reason, self.file, self.row, self.todo))


class NothingFound(InputDefect):
    """Everything was read and there is no cell in it: the population fails, and those beside it may count it as none."""


def _rebuild(kind, message, file, row, todo):
    return kind(message, file=file, row=row, todo=todo)
