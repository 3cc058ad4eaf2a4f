import math

import pytest

from evo_t2i.errors import UsageError
from evo_t2i.generators.pipeline_options import PipelineOptions


def test_a_size_is_one_side_or_two():
    assert PipelineOptions().pixels is None
    assert PipelineOptions(size="256").pixels == (256, 256)
    assert PipelineOptions(size="512x768").pixels == (512, 768)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "`steps` is 0; give a whole number from 1 to 100."),
        ({"steps": 101}, "`steps` is 101; give"),
        ({"size": "0"}, "`size` is '0'; give pixels such as 512"),
        ({"size": "512x"}, "`size` is '512x'"),
        ({"size": "512x99999"}, "`size` is '512x99999'"),
        ({"size": "²"}, "`size` is '²'"),
        ({"dtype": "float64"}, "`dtype` is 'float64'; give float32 or bfloat16 or float16."),
        ({"revision": ""}, "`revision` is ''"),
        ({"guidance": -1.0}, "`guidance` is -1.0; give a finite number, 0 or more."),
        ({"guidance": math.nan}, "`guidance` is nan"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(UsageError) as caught:
        PipelineOptions(**options)
    assert message in str(caught.value)
