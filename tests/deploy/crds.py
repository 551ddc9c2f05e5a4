"""Checks resources against the CRDs of Istio and Kyverno, as pydantic models made from those CRDs.

The models come as a package (cloudcoil-models-*). Their base library is for Python 3.14 and a cluster's API; what the models need of
it are a few names, which stand here. Ours refuses unknown fields, as the API server does when it is asked to be strict.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.metadata import distribution
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import ClassVar

import pydantic
import typing_extensions


class Unused:
    """Stands for the builders, which nobody here builds with."""

    def __class_getitem__(cls, _: object) -> type[Unused]:
        return cls


class StrictModel(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")


class ObjectMeta(StrictModel):
    Builder: ClassVar = Unused
    BuilderContext: ClassVar = Unused
    name: str
    namespace: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Resource(StrictModel):
    metadata: ObjectMeta


STAND_INS: dict[str, dict[str, object]] = {
    "cloudcoil.apimachinery": {"ObjectMeta": ObjectMeta},
    "cloudcoil.resources": {"Resource": Resource},
    "cloudcoil.pydantic": {
        "UNSET": object(),
        "BaseModel": StrictModel,
        **dict.fromkeys(["BaseBuilder", "BaseModelBuilder", "BuilderContextBase", "ListBuilderContext", "GenericListBuilder"], Unused),
        "Never": typing_extensions.Never,
        "Self": typing_extensions.Self,
    },
}

# apiVersion and kind -> the package, and the file in it that has the model.
MODELS = {
    ("extensions.istio.io/v1alpha1", "WasmPlugin"): ("cloudcoil.models.istio", "extensions/v1alpha1.py"),
    ("extensions.istio.io/v1alpha1", "TrafficExtension"): ("cloudcoil.models.istio", "extensions/v1alpha1.py"),
    ("networking.istio.io/v1alpha3", "EnvoyFilter"): ("cloudcoil.models.istio", "networking/v1alpha3.py"),
    ("telemetry.istio.io/v1", "Telemetry"): ("cloudcoil.models.istio", "telemetry/v1.py"),
    ("kyverno.io/v1", "ClusterPolicy"): ("cloudcoil.models.kyverno", "v1.py"),
}


def validate(resource: dict) -> None:
    """Raises pydantic's ValidationError where the CRD's schema would refuse `resource`."""
    model = getattr(_load(*MODELS[resource["apiVersion"], resource["kind"]]), resource["kind"])
    model.model_validate(resource)


@cache
def _load(package: str, file: str) -> ModuleType:
    # Not by its name: that would import all of the package, which is much, and does not run before Python 3.14.
    for name, contents in STAND_INS.items():
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__dict__.update(contents)
    path = distribution(package).locate_file(f"{package.replace('.', '/')}/{file}")
    name = f"crds_{path.parent.name}_{path.stem}"
    spec = spec_from_file_location(name, path)
    # Pydantic looks there for the types that annotations name.
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
