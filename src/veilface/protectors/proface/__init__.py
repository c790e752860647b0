"""PRO-Face with the two obfuscators that need no weights of others: see README.md."""

from functools import partial

from veilface.protectors.proface.protector import ProFace
from veilface.protectors.proface.transform import OBFUSCATORS
from veilface.protectors.spec import MethodSpec

SPECS = tuple(
    MethodSpec(
        name=f"proface-{kind}",
        summary=f"looks like {obfuscator.summary}, reads like the face to one recogniser",
        paper="L. Yuan et al., PRO-Face, ACM Multimedia 2022, DOI 10.1145/3503161.3548202",
        licence="Apache-2.0; written from the paper (the authors' code states no licence)",
        build=partial(ProFace.trained, kind),
        requires_training=True,
        randomised=False,
        native_recognizer=False,
    )
    for kind, obfuscator in OBFUSCATORS.items()
)
