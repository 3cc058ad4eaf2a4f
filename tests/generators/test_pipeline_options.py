import pytest

from evo_t2i.errors import UsageError
from evo_t2i.generators.pipeline_options import PipelineOptions, parse_options


def test_options_are_read():
    assert parse_options("stabilityai/sd-turbo") == PipelineOptions(source="stabilityai/sd-turbo")
    argument = "a folder/x,steps=4,size=512x768,dtype=bfloat16,revision=v1,guidance=1.5"
    assert parse_options(argument) == PipelineOptions(
        source="a folder/x",
        steps=4,
        size=(512, 768),
        dtype="bfloat16",
        revision="v1",
        guidance=1.5,
    )
    assert parse_options("x,size=256").size == (256, 256)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (None, "needs a folder or a repository"),
        ("", "needs a folder or a repository"),
        (",steps=1", "needs a folder or a repository"),
        ("x,step=1", "has no option 'step'; did you mean 'steps'?"),
        ("x,seed=1", "has no option 'seed'; choose from steps, size, dtype, revision, guidance."),
        ("x,", "has no option ''"),
        ("x,steps=1,steps=2", "'steps' of diffusers is given twice"),
        ("x,steps", "'steps' of diffusers is ''; give a whole number from 1 to 100."),
        ("x,steps=0", "'steps' of diffusers is '0'"),
        ("x,steps=101", "'steps' of diffusers is '101'"),
        ("x,steps=²", "'steps' of diffusers is '²'"),
        ("x,steps=1.5", "'steps' of diffusers is '1.5'"),
        ("x,size=0", "'size' of diffusers is '0'; give pixels such as 512"),
        ("x,size=512x", "'size' of diffusers is '512x'"),
        ("x,size=512x99999", "'size' of diffusers is '512x99999'"),
        ("x,dtype=float64", "give float32 or bfloat16 or float16."),
        ("x,revision=", "'revision' of diffusers is ''"),
        ("x,guidance=-1", "'guidance' of diffusers is '-1'; give a finite number, 0 or more."),
        ("x,guidance=nan", "'guidance' of diffusers is 'nan'"),
    ],
)
def test_what_makes_no_sense_is_refused(argument, message):
    with pytest.raises(UsageError) as caught:
        parse_options(argument)
    assert message in str(caught.value)
