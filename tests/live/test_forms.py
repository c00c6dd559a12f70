"""Every form that comes with curate is taken by a real Label Studio, and is the same afterwards."""

import pytest

from curate.backends.label_studio.backend import LabelStudioBackend
from curate.errors import FormError
from curate.forms import known_forms, load_form, parse_form
from curate.servers import Home
from curate.servers.label_studio import server as label_studio
from tests import web

pytestmark = pytest.mark.live


@pytest.fixture
def backend(label_studio_home: Home) -> LabelStudioBackend:
    running = label_studio.start(label_studio_home)
    return LabelStudioBackend(running.url, label_studio.curator(label_studio_home).token)


@pytest.mark.parametrize("name", known_forms())
def test_the_server_takes_every_form_and_gives_it_back(
    backend: LabelStudioBackend, label_studio_home: Home, name: str
) -> None:
    form = load_form(name)
    token = label_studio.curator(label_studio_home).token
    answer = web.post(
        f"{backend.client.url}/api/projects/validate/",
        headers={"Authorization": f"Token {token}"},
        json={"label_config": form.xml},
    )
    assert answer.status_code == 204, answer.text
    for _ in range(2):
        project = backend.ensure_project(f"forms-{name}", form, overlap=1, guidelines="Be fair.")
        assert backend.open_project(project) == project


def test_a_form_that_it_cannot_ask_makes_no_project(backend: LabelStudioBackend) -> None:
    form = parse_form(
        '<View><Text name="t" value="$text"/><Labels name="l" toName="t" required="true">'
        '<Label value="A"/></Labels></View>',
        name="own",
    )
    with pytest.raises(FormError, match="can leave it open"):
        backend.ensure_project("forms-refused", form, overlap=1, guidelines="")
    assert backend._find("forms-refused") is None
