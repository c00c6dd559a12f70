"""The settings of media within rows: which column names a file, and texts with places for media."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from curate.spec import Spec, used_with


class MediaColumn(Spec):
    """A medium that a column names by an address, while its file lies on disk."""

    model_config = ConfigDict(populate_by_name=True)

    column: Annotated[str, Field(alias="from", description="The column of the address.")]
    folder: Annotated[
        str, Field(description="Where the files lie, relative to the table's own folder.")
    ] = "."
    named: Annotated[
        Literal["basename", "md5", "sha1", "sha256"],
        Field(description="How a file is called: as the address ends, or by its hash in hex."),
    ] = "basename"

    @model_validator(mode="after")
    def _stays_below(self) -> MediaColumn:
        if self.folder.startswith("/") or ".." in self.folder.split("/"):
            raise ValueError("folder is the table's own folder, or below it")
        return self


class Interleaved(Spec):
    """A text with places for media: every part is a field of the document, in their order.

    Either one list of `parts`, such as `{type: text, text: …}` and `{type: image, image: …}`; or a
    list of `texts` and one of `media`. Where both are as long, an item of one stands beside a null
    of the other; else each medium tells by `place` before which text it stands.
    """

    parts: Annotated[str | None, Field(description="The column of the parts.")] = None
    texts: Annotated[str | None, Field(description="The column of the texts.")] = None
    media: Annotated[str | None, Field(description="The column of the media.")] = None
    file: Annotated[
        str, Field(description="Within an item that is a mapping: the key of the file's path.")
    ] = "path"
    place: Annotated[
        str | None,
        used_with("media"),
        Field(description="Within a medium: the number of the text that follows it, from 0."),
    ] = None

    @model_validator(mode="after")
    def _one_way(self) -> Interleaved:
        if bool(self.parts) == bool(self.texts) or bool(self.texts) != bool(self.media):
            raise ValueError("give either parts, or texts and media")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return tuple(filter(None, (self.parts, self.texts, self.media)))
