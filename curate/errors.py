"""Every error a user can meet, as one tree.

    CurateError(message, hint=...)      exit 1   one line and a hint, never a traceback
    ├─ RecipeError                      exit 2   file, path.to.field, what is wrong
    ├─ FormError                        exit 1   a label config we cannot read: tag and line
    ├─ DataError                        exit 1   rows or columns are not as declared: file and line
    │  └─ NothingToDo                            a run skips the stage, if no other needs it
    ├─ MissingInput                     exit 1   "run `curate agree` first"
    ├─ StaleInput                       exit 1   a table is older than what it was made from
    ├─ WorkspaceBusy                    exit 1   another command holds the workspace
    ├─ ServerError                      exit 1   an embedded server that did not install or start
    └─ BackendError                     exit 1   an annotation server answered with a fault
       ├─ BackendUnavailable                     retry may help
       ├─ NotAllowed                             no key, or refused: names the variable
       ├─ ProjectMismatch                        another form, another server, or answers gone
       └─ PartialPush(sent, failed)              resumable: run it again

Exit 3 is not an error: it says that people are still answering (see `curate.run.walk.Waiting`).
"""


class CurateError(Exception):
    """A failure that a user can meet; `hint` says what to do about it.

    `stage` is the stage that failed, once a run knows it.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.stage: str | None = None


class RecipeError(CurateError):
    """A recipe or an option that cannot be used as written."""

    exit_code = 2


class FormError(CurateError):
    """A label config that cannot be read."""


class DataError(CurateError):
    """Data that is not as declared."""


class NothingToDo(DataError):
    """The data give the stage nothing to work on: too few labels, a form of comments alone."""


class MissingInput(CurateError):
    """An input of the stage has not been made yet."""


class StaleInput(CurateError):
    """An input of the stage was made from another table than the present one."""


class WorkspaceBusy(CurateError):
    """Another command is writing to the workspace."""


class ServerError(CurateError):
    """An embedded server that could not be installed, started or reached."""


class BackendError(CurateError):
    """A fault in the exchange with an annotation server."""


class BackendUnavailable(BackendError):
    """The server did not answer, or answered that it is unavailable."""


class NotAllowed(BackendError):
    """The key is missing, wrong or expired, or may not do this."""


class ProjectMismatch(BackendError):
    """The project on the server is not the one that the round was made with."""


class PartialPush(BackendError):
    """Some tasks were sent and some were not; running `push` again sends the rest."""

    def __init__(self, message: str, *, sent: int, failed: int, hint: str = "") -> None:
        super().__init__(message, hint=hint or "run `curate push` again: it sends only the rest")
        self.sent = sent
        self.failed = failed
