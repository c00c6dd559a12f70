"""Show the values in a failed assertion of the shared laws too."""

import pytest

pytest.register_assert_rewrite("tests.backends.contract")
