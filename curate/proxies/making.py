"""A proxy by the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from curate.proxies.ngram import Corpus
from curate.proxies.proxy import Proxy
from curate.proxies.spec import ProxySpec, TransformerSpec


def start_of(proxy: str, transformer: TransformerSpec) -> str | None:
    """What names the weights that a proxy starts from; None for all but transformers from scratch.

    A model out of a folder starts from the weights there.
    """
    if proxy != "transformer" or transformer.start_from is not None:
        return None
    from curate.proxies.transformer.models import START

    return START


def proxy_of(
    spec: ProxySpec,
    candidates: Sequence[str],
    holdout: Mapping[str, Sequence[str]],
    *,
    root: Path = Path(),
    folder: Path | None = None,
) -> Proxy:
    """The proxy that the settings name, ready to learn from candidates.

    `holdout` are the held-out texts by source. A path in the settings is relative to `root`. Runs
    are kept in `folder`, where there is one, and go on from there after a kill; who is done with
    all of them removes it.

    Raises CurateError for a device or a model that is not there.
    """
    if spec.proxy == "ngram":
        return Corpus(candidates, holdout)
    from curate.proxies.transformer.devices import device_of
    from curate.proxies.transformer.transformer import Transformer

    device = device_of(spec.device)
    return Transformer(candidates, holdout, spec.transformer, device, root=root, folder=folder)
